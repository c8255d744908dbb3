/** The drawing: all that there is to see, and how a frame of it is drawn. Culled: what is outside costs nothing. */

import { plain } from "../format.js";
import { layout } from "../layout/layout.js";
import type { Direction, Placed, Rect } from "../layout/types.js";
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
    readonly direction: Direction = "right",
    most = Infinity,
  ) {
    const { items, edges, boxes } = visible;
    const sizes = items.map((item) => sizeOf(graph, item));
    this.widths = Float64Array.from(sizes, ([width]) => width);
    this.heights = Float64Array.from(sizes, ([, height]) => height);
    const groups = Int32Array.from(items, (item) => (item.kind === "asset" ? item.box : -1));
    this.placed = measured("layout", () => layout({ widths: this.widths, heights: this.heights, edges, groups, groupCount: boxes.length }, direction, most));
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

  /** Return positions and sizes in the direction of edges, and across it. */
  private get axes(): { along: Float64Array; across: Float64Array; long: Float64Array; wide: Float64Array } {
    const { placed, widths, heights } = this;
    return this.direction === "right"
      ? { along: placed.x, across: placed.y, long: widths, wide: heights }
      : { along: placed.y, across: placed.x, long: heights, wide: widths };
  }

  /**
   * Return the card one comes to from `key` by an arrow key: along edges where it is an arrow in their direction, along
   * the column (or row) by the others.
   */
  neighbour(key: string | null, way: "left" | "right" | "up" | "down"): string | null {
    const { items, edges } = this.visible;
    if (!items.length) return null;
    const from = key === null ? undefined : this.at.get(key);
    if (from === undefined) return items[this.first()].key;
    const { along, across } = this.axes;
    const ends: number[] = [];
    const onward = way === "right" || way === "down";
    if ((this.direction === "right") === (way === "left" || way === "right")) {
      for (let e = 0; e < edges.length; e += 2) {
        if (onward && edges[e] === from) ends.push(edges[e + 1]);
        if (!onward && edges[e + 1] === from) ends.push(edges[e]);
      }
    } else {
      items.forEach((_, i) => {
        if (i !== from && Math.abs(along[i] - along[from]) < 2 && (onward ? across[i] > across[from] : across[i] < across[from])) ends.push(i);
      });
    }
    const far = (i: number): number => Math.abs(across[i] - across[from]) + Math.abs(along[i] - along[from]) / 4;
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

  /** Add an edge to the path: smooth through its lanes, in its direction where it begins and ends. */
  private trace(context: CanvasRenderingContext2D, e: number, coarse: boolean): void {
    const { placed, visible } = this;
    const { along, across, long, wide } = this.axes;
    const down = this.direction === "down" ? 1 : 0;
    const [from, to] = [visible.edges[2 * e], visible.edges[2 * e + 1]];
    const points = placed.routes[e];
    let u = along[from] + long[from];
    let v = across[from] + wide[from] / 2;
    const [endU, endV] = [along[to] - (coarse ? 0 : 6), across[to] + wide[to] / 2];
    if (down) context.moveTo(v, u);
    else context.moveTo(u, v);
    for (let i = 0; i <= points.length; i += 2) {
      const [nextU, nextV] = i < points.length ? [points[i + down], points[i + 1 - down]] : [endU, endV];
      const bend = coarse || Math.abs(nextV - v) < 0.5 ? 0 : nextU > u ? (nextU - u) / 2 : 60;
      if (!bend) context.lineTo(down ? nextV : nextU, down ? nextU : nextV);
      else if (down) context.bezierCurveTo(v, u + bend, nextV, nextU - bend, nextV, nextU);
      else context.bezierCurveTo(u + bend, v, nextU - bend, nextV, nextU, nextV);
      u = nextU;
      v = nextV;
    }
  }

  private drawHeads(context: CanvasRenderingContext2D, list: readonly number[]): void {
    const { along, across, wide } = this.axes;
    context.beginPath();
    for (const e of list) {
      const to = this.visible.edges[2 * e + 1];
      const [u, v] = [along[to] - 1, across[to] + wide[to] / 2];
      const corners = [u, v, u - 7, v - 3.6, u - 7, v + 3.6];
      if (this.direction === "down") corners.reverse();
      context.moveTo(corners[0], corners[1]);
      context.lineTo(corners[2], corners[3]);
      context.lineTo(corners[4], corners[5]);
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
    const { placed, visible } = this;
    const { along, across, long, wide } = this.axes;
    const down = this.direction === "down" ? 1 : 0;
    const found = new Float64Array((visible.edges.length / 2) * 4);
    for (let e = 0; e < visible.edges.length / 2; e++) {
      const [from, to] = [visible.edges[2 * e], visible.edges[2 * e + 1]];
      const us = [along[from] + long[from], along[to]];
      const vs = [across[from] + wide[from] / 2, across[to] + wide[to] / 2];
      const points = placed.routes[e];
      for (let i = 0; i < points.length; i += 2) {
        us.push(points[i + down]);
        vs.push(points[i + 1 - down]);
      }
      const slack = us[1] < us[0] ? 70 : 4;
      const [least, most] = [[Math.min(...us) - slack, Math.min(...vs) - 4], [Math.max(...us) + slack, Math.max(...vs) + 4]];
      found.set(down ? [...least.reverse(), ...most.reverse()] : [...least, ...most], 4 * e);
    }
    return found;
  }
}

export function overlap(a: Rect, b: Rect): boolean {
  return a.x <= b.x + b.width && a.x + a.width >= b.x && a.y <= b.y + b.height && a.y + a.height >= b.y;
}
