/** The drawing: all that there is to see, and how a frame of it is drawn. Culled: what is outside costs nothing. */

import { plain } from "../format.js";
import { layout } from "../layout/layout.js";
import type { Placed, Rect } from "../layout/types.js";
import { measured } from "../measure.js";
import type { Graph } from "../state/graph.js";
import type { Item, Visible } from "../state/visible.js";
import { lookOf } from "../status.js";
import type { Palette } from "../theme.js";
import type { Camera, Size } from "./camera.js";
import { chevron, DETAIL, drawCard, sizeOf, type Pen } from "./cards.js";
import { middleCut } from "./text.js";

/** What is emphasized: keys of cards. */
export interface Emphasis {
  readonly selected: ReadonlySet<string>;
  readonly hovered: string | null;
  readonly cursor: string | null;
  /** Cards that match the search; null where nothing is searched for. */
  readonly matching: ReadonlySet<string> | null;
}

export type Hit = { readonly kind: "item"; readonly item: Item } | { readonly kind: "box"; readonly name: string };

export class Scene {
  readonly placed: Placed;
  readonly widths: Float64Array;
  readonly heights: Float64Array;
  readonly at: ReadonlyMap<string, number>;
  private readonly curves: Float64Array; // the bounds of each edge: left, top, right, bottom
  private running = false;

  constructor(
    readonly graph: Graph,
    readonly visible: Visible,
  ) {
    const { items, edges, boxes } = visible;
    const sizes = items.map((item) => sizeOf(graph, item));
    this.widths = Float64Array.from(sizes, ([width]) => width);
    this.heights = Float64Array.from(sizes, ([, height]) => height);
    const groups = Int32Array.from(items, (item) => (item.kind === "asset" ? item.box : -1));
    this.placed = measured("layout", () => layout({ widths: this.widths, heights: this.heights, edges, groups, groupCount: boxes.length }));
    this.at = new Map(items.map((item, i) => [item.key, i]));
    this.curves = this.bounds();
    this.refresh();
  }

  /** Look again at what the statuses say. */
  refresh(): void {
    const { nodes } = this.graph;
    this.running = this.visible.items.some((item) => item.kind === "asset" && lookOf(nodes[item.node]) === "running");
  }

  /** Tell whether something on it moves by itself. */
  get moving(): boolean {
    return this.running;
  }

  get extent(): Rect {
    return { x: 0, y: 0, width: this.placed.width, height: this.placed.height };
  }

  rect(i: number): Rect {
    return { x: this.placed.x[i], y: this.placed.y[i], width: this.widths[i], height: this.heights[i] };
  }

  rectOf(key: string): Rect | null {
    const i = this.at.get(key);
    return i === undefined ? null : this.rect(i);
  }

  /** Return what is at a point of the drawing. */
  hit(x: number, y: number): Hit | null {
    const { placed, widths, heights, visible } = this;
    for (let i = 0; i < visible.items.length; i++) {
      if (x < placed.x[i] || y < placed.y[i] || x > placed.x[i] + widths[i] || y > placed.y[i] + heights[i]) continue;
      return { kind: "item", item: visible.items[i] };
    }
    for (let i = 0; i < placed.boxes.length; i++) {
      const box = placed.boxes[i];
      if (box && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + 26) return { kind: "box", name: visible.boxes[i] };
    }
    return null;
  }

  /** Return the cards that touch a rectangle. */
  touching(rect: Rect): Item[] {
    const { placed, widths, heights } = this;
    return this.visible.items.filter(
      (_, i) =>
        placed.x[i] <= rect.x + rect.width &&
        placed.x[i] + widths[i] >= rect.x &&
        placed.y[i] <= rect.y + rect.height &&
        placed.y[i] + heights[i] >= rect.y,
    );
  }

  /** Return the card one comes to from `key` by an arrow key: along edges to the sides, along the column up and down. */
  neighbour(key: string | null, way: "left" | "right" | "up" | "down"): string | null {
    const { items, edges } = this.visible;
    if (!items.length) return null;
    const from = key === null ? undefined : this.at.get(key);
    if (from === undefined) return items[this.first()].key;
    const { x, y } = this.placed;
    const ends: number[] = [];
    if (way === "left" || way === "right") {
      for (let e = 0; e < edges.length; e += 2) {
        if (way === "right" && edges[e] === from) ends.push(edges[e + 1]);
        if (way === "left" && edges[e + 1] === from) ends.push(edges[e]);
      }
    } else {
      items.forEach((_, i) => {
        if (i !== from && Math.abs(x[i] - x[from]) < 2 && (way === "down" ? y[i] > y[from] : y[i] < y[from])) ends.push(i);
      });
    }
    const far = (i: number): number => Math.abs(y[i] - y[from]) + Math.abs(x[i] - x[from]) / 4;
    const best = ends.sort((a, b) => far(a) - far(b))[0];
    return best === undefined ? null : items[best].key;
  }

  private first(): number {
    const { x, y } = this.placed;
    let best = 0;
    for (let i = 1; i < x.length; i++) if (x[i] + y[i] < x[best] + y[best]) best = i;
    return best;
  }

  // -- drawing --------------------------------------------------------------------------------------------------------

  draw(context: CanvasRenderingContext2D, palette: Palette, camera: Camera, view: Size, emphasis: Emphasis, clock: number): void {
    const { scale } = camera;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = palette.back;
    context.fillRect(0, 0, view.width, view.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, -camera.x * scale * ratio, -camera.y * scale * ratio);
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    const pen: Pen = { context, palette, scale, clock };
    const window: Rect = { x: camera.x, y: camera.y, width: view.width / scale, height: view.height / scale };
    const active = this.active(emphasis);
    this.drawBoxes(pen, window, emphasis);
    this.drawEdges(pen, window, active);
    this.drawCards(pen, window, emphasis, active);
  }

  /** Return the positions of the cards whose edges are emphasized, or null. */
  private active(emphasis: Emphasis): ReadonlySet<number> | null {
    const keys = emphasis.hovered !== null ? [emphasis.hovered] : [...emphasis.selected, ...(emphasis.cursor ? [emphasis.cursor] : [])];
    const found = new Set<number>();
    for (const key of keys.slice(0, 200)) {
      const i = this.at.get(key);
      if (i !== undefined) found.add(i);
    }
    return found.size ? found : null;
  }

  private drawBoxes(pen: Pen, window: Rect, emphasis: Emphasis): void {
    const { context, palette, scale } = pen;
    this.placed.boxes.forEach((box, i) => {
      if (!box || !overlap(box, window)) return;
      const name = this.visible.boxes[i];
      context.beginPath();
      context.roundRect(box.x, box.y, box.width, box.height, 10);
      context.fillStyle = palette.group;
      context.fill();
      context.lineWidth = emphasis.hovered === `box ${name}` ? 1.5 : 1;
      context.strokeStyle = emphasis.hovered === `box ${name}` ? palette.strong : palette.line;
      context.stroke();
      if (scale < DETAIL.title) return;
      const size = Math.min(22, Math.max(12, 11 / scale));
      if (scale >= DETAIL.all) chevron(pen, box.x + 12, box.y + 15, true);
      context.font = `600 ${size.toFixed(1)}px ${palette.sans}`;
      context.fillStyle = palette.soft;
      context.fillText(middleCut(context, plain(name), box.width - 44), box.x + (scale >= DETAIL.all ? 28 : 10), box.y + 9 + size * 0.8);
    });
  }

  private drawEdges({ context, palette, scale }: Pen, window: Rect, active: ReadonlySet<number> | null): void {
    const { edges } = this.visible;
    const { curves } = this;
    const [right, bottom] = [window.x + window.width, window.y + window.height];
    const coarse = scale < 0.25;
    const heads: number[] = [];
    const loud: number[] = [];
    context.beginPath();
    for (let e = 0; e < edges.length / 2; e++) {
      const b = 4 * e;
      if (curves[b] > right || curves[b + 1] > bottom || curves[b + 2] < window.x || curves[b + 3] < window.y) continue;
      if (active && (active.has(edges[2 * e]) || active.has(edges[2 * e + 1]))) {
        loud.push(e);
        continue;
      }
      this.trace(context, e, coarse);
      if (!coarse) heads.push(e);
    }
    context.globalAlpha = active ? 0.5 : 1;
    context.strokeStyle = context.fillStyle = palette.edge;
    context.lineWidth = Math.max(1.3, 0.6 / scale);
    context.stroke();
    this.drawHeads(context, heads);
    context.globalAlpha = 1;
    if (!loud.length) return;
    context.beginPath();
    for (const e of loud) this.trace(context, e, coarse);
    context.strokeStyle = context.fillStyle = palette.brand;
    context.lineWidth = Math.max(2, 1.2 / scale);
    context.stroke();
    this.drawHeads(context, loud);
  }

  /** Add an edge to the path: smooth through its lanes, level where it begins and ends. */
  private trace(context: CanvasRenderingContext2D, e: number, coarse: boolean): void {
    const { placed, widths, heights, visible } = this;
    const [from, to] = [visible.edges[2 * e], visible.edges[2 * e + 1]];
    const points = placed.routes[e];
    let x = placed.x[from] + widths[from];
    let y = placed.y[from] + heights[from] / 2;
    const [endX, endY] = [placed.x[to] - (coarse ? 0 : 6), placed.y[to] + heights[to] / 2];
    context.moveTo(x, y);
    for (let i = 0; i <= points.length; i += 2) {
      const [nextX, nextY] = i < points.length ? [points[i], points[i + 1]] : [endX, endY];
      if (coarse || Math.abs(nextY - y) < 0.5) context.lineTo(nextX, nextY);
      else {
        const bend = nextX > x ? (nextX - x) / 2 : 60;
        context.bezierCurveTo(x + bend, y, nextX - bend, nextY, nextX, nextY);
      }
      x = nextX;
      y = nextY;
    }
  }

  private drawHeads(context: CanvasRenderingContext2D, list: readonly number[]): void {
    const { placed, heights, visible } = this;
    context.beginPath();
    for (const e of list) {
      const to = visible.edges[2 * e + 1];
      const [x, y] = [placed.x[to] - 1, placed.y[to] + heights[to] / 2];
      context.moveTo(x, y);
      context.lineTo(x - 7, y - 3.6);
      context.lineTo(x - 7, y + 3.6);
      context.closePath();
    }
    context.fill();
  }

  private drawCards(pen: Pen, window: Rect, emphasis: Emphasis, active: ReadonlySet<number> | null): void {
    const { placed, widths, heights, graph } = this;
    const { items } = this.visible;
    const [right, bottom] = [window.x + window.width, window.y + window.height];
    for (let i = 0; i < items.length; i++) {
      const [x, y] = [placed.x[i], placed.y[i]];
      if (x > right || y > bottom || x + widths[i] < window.x || y + heights[i] + 8 < window.y) continue;
      const { key } = items[i];
      drawCard(pen, graph, items[i], x, y, widths[i], heights[i], {
        selected: emphasis.selected.has(key),
        hovered: emphasis.hovered === key,
        cursor: emphasis.cursor === key,
        dimmed: emphasis.matching !== null && !emphasis.matching.has(key) && !active?.has(i),
      });
    }
  }

  private bounds(): Float64Array {
    const { placed, widths, heights, visible } = this;
    const found = new Float64Array((visible.edges.length / 2) * 4);
    for (let e = 0; e < visible.edges.length / 2; e++) {
      const [from, to] = [visible.edges[2 * e], visible.edges[2 * e + 1]];
      const xs = [placed.x[from] + widths[from], placed.x[to]];
      const ys = [placed.y[from] + heights[from] / 2, placed.y[to] + heights[to] / 2];
      const points = placed.routes[e];
      for (let i = 0; i < points.length; i += 2) {
        xs.push(points[i]);
        ys.push(points[i + 1]);
      }
      const slack = xs[1] < xs[0] ? 70 : 4;
      found.set([Math.min(...xs) - slack, Math.min(...ys) - 4, Math.max(...xs) + slack, Math.max(...ys) + 4], 4 * e);
    }
    return found;
  }
}

export function overlap(a: Rect, b: Rect): boolean {
  return a.x <= b.x + b.width && a.x + a.width >= b.x && a.y <= b.y + b.height && a.y + a.height >= b.y;
}
