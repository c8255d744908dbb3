/**
 * Where everything stands: from left to right in columns, each node after all that it depends on; or from top to bottom.
 *
 * The steps are those of Sugiyama, Tagawa and Toda (1981): columns (layers.ts), lanes for long edges (network.ts),
 * order (order.ts), positions (place.ts). Pure: the same graph gives the same picture.
 */

import { closing, groupedLayers, narrowLayers } from "./layers.js";
import { network, type Network } from "./network.js";
import { arrange } from "./order.js";
import { parts, shelves } from "./parts.js";
import { positions } from "./place.js";
import { GAP, type Direction, type Drawing, type Placed, type Rect } from "./types.js";

/** What is different from top to bottom, which else is from left to right with x and y exchanged. */
interface Frame {
  /** What a group's box has before its cards, and above them. */
  readonly before: number;
  readonly top: number;
  /** Between columns. */
  readonly column: number;
  /** How many cards without edges there are in a column, for one column. */
  readonly tall: number;
}

/** What a drawing is laid out for: its frame, and how many cards at most stand in a column. */
interface Sheet extends Frame {
  readonly most: number;
}

const FRAMES: Readonly<Record<Direction, Frame>> = {
  right: { before: GAP.padding, top: GAP.title, column: GAP.column, tall: 3 },
  // A view that is looked at from top to bottom is narrow.
  down: { before: GAP.title, top: GAP.padding, column: 2 * GAP.padding + GAP.title, tall: 0.3 },
};

/**
 * Return where nodes, edges and the boxes of groups stand.
 *
 * Where there's little room across the direction of the edges, at most `most` cards stand beside each other, and groups
 * and parts one after the other.
 */
export function layout(drawing: Drawing, direction: Direction = "right", most = Infinity): Placed {
  const sheet = { ...FRAMES[direction], most };
  if (direction === "right") return placeAll(drawing, sheet);
  return turned(placeAll({ ...drawing, widths: drawing.heights, heights: drawing.widths }, sheet));
}

/** Exchange x and y. */
function turned({ x, y, width, height, routes, boxes, ...rest }: Placed): Placed {
  for (const points of routes) for (let i = 0; i < points.length; i += 2) [points[i], points[i + 1]] = [points[i + 1], points[i]];
  const turnedBoxes = boxes.map((box) => box && { x: box.y, y: box.x, width: box.height, height: box.width });
  return { ...rest, x: y, y: x, width: height, height: width, routes, boxes: turnedBoxes };
}

function placeAll(drawing: Drawing, sheet: Sheet): Placed {
  const count = drawing.widths.length;
  const out = {
    x: new Float64Array(count),
    y: new Float64Array(count),
    layer: new Int32Array(count),
    routes: new Array<Float64Array>(drawing.edges.length / 2),
    backward: closing(count, drawing.edges),
    boxes: new Array<Rect | null>(drawing.groupCount).fill(null),
    width: 0,
    height: 0,
  };
  const placed = split(drawing, sheet.most).map((part) => ({ part, size: placePart(drawing, sheet, part, out) }));
  const corners = shelves(
    placed.map(({ size }) => size),
    (i) => (placed[i].part.nodes.length > 1 ? GAP.part : GAP.row),
    sheet.most < Infinity ? Infinity : 0,
  );
  placed.forEach(({ part, size }, i) => {
    move(part, corners[i], out);
    out.width = Math.max(out.width, corners[i][0] + size[0]);
    out.height = Math.max(out.height, corners[i][1] + size[1]);
  });
  return out;
}

interface Part {
  nodes: number[];
  edges: number[];
  groups: number[];
}

function split(drawing: Drawing, most: number): Part[] {
  const found = most < Infinity ? together(parts(drawing)) : parts(drawing);
  const of = new Int32Array(drawing.widths.length);
  const result: Part[] = found.map((nodes, i) => {
    for (const v of nodes) of[v] = i;
    const groups = new Set<number>();
    for (const v of nodes) if (drawing.groups[v] >= 0) groups.add(drawing.groups[v]);
    return { nodes, edges: [], groups: [...groups] };
  });
  for (let e = 0; e < drawing.edges.length / 2; e++) result[of[drawing.edges[2 * e]]].edges.push(e);
  return result;
}

/** Make one part of the nodes that are alone. */
function together(found: number[][]): number[][] {
  const alone = found.filter((nodes) => nodes.length === 1).flat();
  return [...found.filter((nodes) => nodes.length > 1), ...(alone.length ? [alone] : [])];
}

type Writable = { -readonly [K in keyof Placed]: Placed[K] } & { routes: Float64Array[]; boxes: (Rect | null)[] };

/** Place a part with its corner at 0, 0; return its size. */
function placePart(drawing: Drawing, sheet: Sheet, part: Part, out: Writable): [number, number] {
  const local = new Map(part.nodes.map((v, i) => [v, i]));
  const forward: number[] = [];
  for (const e of part.edges) {
    const ends = [local.get(drawing.edges[2 * e])!, local.get(drawing.edges[2 * e + 1])!];
    if (out.backward[e]) ends.reverse();
    forward.push(...ends);
  }
  const groupAt = new Map(part.groups.map((group, i) => [group, i]));
  const groups = part.nodes.map((v) => groupAt.get(drawing.groups[v]) ?? -1);
  const layer = layersOf(part, forward, groups, sheet);
  const heights = part.nodes.map((v) => drawing.heights[v]);
  const net = network(layer, forward, heights, groups, part.groups.length, sheet.top);
  arrange(net);
  const y = positions(net);
  const columns = columnsOf(net, part.nodes.map((v) => drawing.widths[v]), sheet.column);
  part.nodes.forEach((v, i) => {
    out.x[v] = columns[layer[i]].x;
    out.y[v] = y[i] - heights[i] / 2;
    out.layer[v] = layer[i];
  });
  part.edges.forEach((e, i) => (out.routes[e] = route(net.lanes[i], net, y, columns, out.backward[e] === 1)));
  boxes(drawing, sheet, part, out);
  return toCorner(drawing, part, out);
}

function layersOf(part: Part, edges: readonly number[], groups: readonly number[], { most, tall }: Sheet): Int32Array {
  const [count, groupCount] = [part.nodes.length, part.groups.length];
  if (most < Infinity) return narrowLayers(count, edges, groups, groupCount, most);
  const layer = groupedLayers(count, edges, groups, groupCount);
  spread(layer, edges, groups, tall);
  return layer;
}

/** Nodes of a group that have no edges stand in several columns, not in one long one. */
function spread(layer: Int32Array, edges: readonly number[], groups: readonly number[], tall: number): void {
  const joined = new Uint8Array(layer.length);
  for (const v of edges) joined[v] = 1;
  const alone = new Map<number, number[]>();
  groups.forEach((group, v) => {
    if (!joined[v]) alone.set(group, [...(alone.get(group) ?? []), v]);
  });
  for (const nodes of alone.values()) {
    const columns = Math.min(nodes.length, Math.ceil(Math.sqrt(nodes.length / tall)));
    nodes.forEach((v, i) => (layer[v] = i % columns));
  }
}

interface Column {
  x: number;
  width: number;
}

function columnsOf(net: Network, widths: readonly number[], gap: number): Column[] {
  let x = 0;
  return net.columns.map((column) => {
    const width = Math.max(0, ...column.map((v) => (v < net.real ? widths[v] : 0)));
    // Many edges between two columns need room to bend.
    const ends = column.reduce((sum, v) => sum + net.down.starts[v + 1] - net.down.starts[v], 0);
    const placed = { x, width };
    x += width + gap + Math.min(80, Math.max(0, ends - 12) * 1.5);
    return placed;
  });
}

/** Return the points at which an edge enters and leaves the columns that it passes. */
function route(lanes: readonly number[], net: Network, y: Float64Array, columns: Column[], backward: boolean): Float64Array {
  const points = new Float64Array(lanes.length * 4);
  lanes.forEach((lane, i) => {
    const { x, width } = columns[net.layer[lane]];
    points.set([x, y[lane], x + width, y[lane]], 4 * i);
  });
  if (!backward) return points;
  const turned = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 2) turned.set(points.subarray(points.length - i - 2, points.length - i), i);
  return turned;
}

function boxes(drawing: Drawing, frame: Frame, part: Part, out: Writable): void {
  for (const v of part.nodes) {
    const group = drawing.groups[v];
    if (group < 0) continue;
    const [left, top] = [out.x[v] - frame.before, out.y[v] - frame.top];
    const [right, bottom] = [out.x[v] + drawing.widths[v] + GAP.padding, out.y[v] + drawing.heights[v] + GAP.padding];
    const box = out.boxes[group];
    if (!box) out.boxes[group] = { x: left, y: top, width: right - left, height: bottom - top };
    else {
      const [x, y] = [Math.min(box.x, left), Math.min(box.y, top)];
      const [x1, y1] = [Math.max(box.x + box.width, right), Math.max(box.y + box.height, bottom)];
      out.boxes[group] = { x, y, width: x1 - x, height: y1 - y };
    }
  }
}

/** Move a part so that its corner is at 0, 0; return its size. */
function toCorner(drawing: Drawing, part: Part, out: Writable): [number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (x: number, y: number, width: number, height: number): void => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  };
  for (const v of part.nodes) take(out.x[v], out.y[v], drawing.widths[v], drawing.heights[v]);
  for (const group of part.groups) {
    const box = out.boxes[group]!;
    take(box.x, box.y, box.width, box.height);
  }
  for (const e of part.edges) for (let i = 0; i < out.routes[e].length; i += 2) take(out.routes[e][i], out.routes[e][i + 1], 0, 0);
  move(part, [-left, -top], out);
  return [right - left, bottom - top];
}

function move(part: Part, [dx, dy]: readonly [number, number], out: Writable): void {
  for (const v of part.nodes) {
    out.x[v] += dx;
    out.y[v] += dy;
  }
  for (const e of part.edges) {
    const points = out.routes[e];
    for (let i = 0; i < points.length; i += 2) {
      points[i] += dx;
      points[i + 1] += dy;
    }
  }
  for (const group of part.groups) {
    const box = out.boxes[group]!;
    box.x += dx;
    box.y += dy;
  }
}
