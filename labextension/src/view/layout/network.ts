/** The layered network: nodes, and a lane in each column that a long edge passes. */

import { rows, type Rows } from "./layers.js";
import { GAP } from "./types.js";

export interface Network {
  /** Nodes first, then lanes, then places that a group keeps free in columns where it has no node. */
  readonly count: number;
  readonly real: number;
  readonly layer: Int32Array;
  readonly group: Int32Array;
  readonly height: Float64Array;
  readonly columns: number[][];
  readonly up: Rows;
  readonly down: Rows;
  /** The lanes of each edge, in order. */
  readonly lanes: readonly number[][];
  readonly groupCount: number;
  /** What a group's box has above its cards: its title, or padding where the title is before them. */
  readonly top: number;
}

/** Most lanes: above, long edges pass under the cards. */
const MOST_LANES = 6_000;

/** Return the network of nodes in columns; `edges` point forward. */
export function network(
  layer: Int32Array,
  edges: ArrayLike<number>,
  heights: ArrayLike<number>,
  groups: ArrayLike<number>,
  groupCount: number,
  top: number = GAP.title,
): Network {
  const real = layer.length;
  const layerOf = Array.from(layer);
  const groupOf = Array.from({ length: real }, (_, v) => groups[v]);
  const heightOf = Array.from({ length: real }, (_, v) => heights[v]);
  const add = (column: number, group: number, height: number): number => {
    layerOf.push(column);
    groupOf.push(group);
    heightOf.push(height);
    return layerOf.length - 1;
  };
  const pairs: number[] = [];
  const lanes: number[][] = [];
  const [first, final] = spansOf(layer, groups, groupCount);
  /** A lane runs inside the box of its tail or its head where that covers the column: else around all boxes. */
  const boxAt = (column: number, from: number, to: number): number => {
    for (const end of [groups[from], groups[to]]) if (end >= 0 && first[end] <= column && column <= final[end]) return end;
    return -1;
  };
  const drawn = spans(layer, edges) <= MOST_LANES;
  for (let i = 0; i < edges.length; i += 2) {
    const [from, to] = [edges[i], edges[i + 1]];
    const passed: number[] = [];
    let last = from;
    for (let column = layer[from] + 1; column < layer[to] && drawn; column++) {
      const lane = add(column, boxAt(column, from, to), 2);
      passed.push(lane);
      pairs.push(last, lane);
      last = lane;
    }
    pairs.push(last, to);
    lanes.push(passed);
  }
  if (groupCount) keepFree(real, layer, groups, groupCount, add);
  const columns: number[][] = [];
  layerOf.forEach((column, v) => {
    while (columns.length <= column) columns.push([]);
    columns[column].push(v);
  });
  const count = layerOf.length;
  return {
    count,
    real,
    layer: Int32Array.from(layerOf),
    group: Int32Array.from(groupOf),
    height: Float64Array.from(heightOf),
    columns,
    up: rows(count, pairs, 1),
    down: rows(count, pairs, 0),
    lanes,
    groupCount,
    top,
  };
}

function spans(layer: Int32Array, edges: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < edges.length; i += 2) sum += layer[edges[i + 1]] - layer[edges[i]] - 1;
  return sum;
}

/** Return the first and the last column of each group. */
function spansOf(layer: Int32Array, groups: ArrayLike<number>, groupCount: number): [Int32Array, Int32Array] {
  const first = new Int32Array(groupCount).fill(0x7fffffff);
  const final = new Int32Array(groupCount).fill(-1);
  for (let v = 0; v < layer.length; v++) {
    if (groups[v] < 0) continue;
    first[groups[v]] = Math.min(first[groups[v]], layer[v]);
    final[groups[v]] = Math.max(final[groups[v]], layer[v]);
  }
  return [first, final];
}

/** A group's box covers all columns from its first to its last, also those where it has no node. */
function keepFree(
  real: number,
  layer: Int32Array,
  groups: ArrayLike<number>,
  groupCount: number,
  add: (column: number, group: number, height: number) => number,
): void {
  const columns: Set<number>[] = Array.from({ length: groupCount }, () => new Set());
  for (let v = 0; v < real; v++) if (groups[v] >= 0) columns[groups[v]].add(layer[v]);
  columns.forEach((own, group) => {
    if (own.size < 2) return;
    const last = Math.max(...own);
    for (let column = Math.min(...own) + 1; column < last; column++) if (!own.has(column)) add(column, group, 1);
  });
}

/** Return the space that is kept between `a` and `b` below it in one column. */
export function between(net: Network, a: number, b: number): number {
  const [groupA, groupB] = [net.group[a], net.group[b]];
  const lanes = (isLane(net, a) ? 1 : 0) + (isLane(net, b) ? 1 : 0);
  const near = lanes === 2 ? GAP.lane : lanes === 1 ? GAP.lane + 3 : GAP.row;
  if (groupA === groupB) return near;
  const above = groupA >= 0 ? GAP.padding : 0;
  const below = groupB >= 0 ? net.top : 0;
  return (above && below ? GAP.box : near) + above + below;
}

export function isLane(net: Network, v: number): boolean {
  return v >= net.real;
}
