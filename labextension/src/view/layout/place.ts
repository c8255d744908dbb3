/**
 * Where nodes stand in their columns: near their neighbours, in the order given, nothing overlapping.
 *
 * For each column the positions nearest to what the neighbours wish, under the distances that must be kept, are found
 * by isotonic regression (pool adjacent violators), in linear time. Then the boxes of groups are moved apart.
 */

import { between, isLane, type Network } from "./network.js";
import { GAP } from "./types.js";

/** Return the middle of each node, lane and free place. */
export function positions(net: Network): Float64Array {
  const y = new Float64Array(net.count);
  const offsets = net.columns.map((column) => offsetsOf(net, column));
  net.columns.forEach((column, at) => {
    const middle = (offsets[at][column.length - 1] ?? 0) / 2;
    column.forEach((v, i) => (y[v] = offsets[at][i] - middle));
  });
  const rounds = net.count > 20_000 ? 3 : net.count > 4_000 ? 6 : 12;
  for (let round = 0; round < rounds; round++) {
    const side = round >= rounds - 2 ? 0 : round % 2 ? 1 : -1;
    const means = net.groupCount ? groupMeans(net, y) : null;
    for (let step = 0; step < net.columns.length; step++) {
      const at = side === 1 ? net.columns.length - 1 - step : step;
      settle(net, net.columns[at], offsets[at], y, side, means);
    }
  }
  if (net.groupCount) separate(net, y);
  return y;
}

/** Return how far below the first of a column each of it must be. */
function offsetsOf(net: Network, column: number[]): Float64Array {
  const offsets = new Float64Array(column.length);
  for (let i = 1; i < column.length; i++) {
    const [a, b] = [column[i - 1], column[i]];
    offsets[i] = offsets[i - 1] + (net.height[a] + net.height[b]) / 2 + between(net, a, b);
  }
  return offsets;
}

function groupMeans(net: Network, y: Float64Array): Float64Array {
  const sums = new Float64Array(net.groupCount);
  const numbers = new Float64Array(net.groupCount);
  for (let v = 0; v < net.real; v++) {
    if (net.group[v] < 0) continue;
    sums[net.group[v]] += y[v];
    numbers[net.group[v]]++;
  }
  return sums.map((sum, group) => sum / (numbers[group] || 1));
}

/** Move the nodes of a column to where their neighbours wish them, as far as the others allow it. */
function settle(
  net: Network,
  column: number[],
  offsets: Float64Array,
  y: Float64Array,
  side: -1 | 0 | 1,
  means: Float64Array | null,
): void {
  const size = column.length;
  const value = new Float64Array(size);
  const weight = new Float64Array(size);
  const length = new Int32Array(size);
  let blocks = 0;
  for (let i = 0; i < size; i++) {
    const [wish, pull] = wished(net, column[i], y, side, means);
    value[blocks] = wish - offsets[i];
    weight[blocks] = pull;
    length[blocks] = 1;
    blocks++;
    while (blocks > 1 && value[blocks - 2] >= value[blocks - 1]) {
      const both = weight[blocks - 2] + weight[blocks - 1];
      value[blocks - 2] = (value[blocks - 2] * weight[blocks - 2] + value[blocks - 1] * weight[blocks - 1]) / both;
      weight[blocks - 2] = both;
      length[blocks - 2] += length[blocks - 1];
      blocks--;
    }
  }
  for (let block = 0, i = 0; block < blocks; block++) {
    for (let n = 0; n < length[block]; n++, i++) y[column[i]] = value[block] + offsets[i];
  }
}

/** Return where the neighbours wish a node, and how strongly; lanes wish to be straight. */
function wished(
  net: Network,
  v: number,
  y: Float64Array,
  side: -1 | 0 | 1,
  means: Float64Array | null,
): [number, number] {
  let sum = 0;
  let pull = 0;
  const own = isLane(net, v);
  for (let turn = 0; turn < 2; turn++) {
    if (side === (turn ? -1 : 1)) continue;
    const near = turn ? net.down : net.up;
    for (let i = near.starts[v]; i < near.starts[v + 1]; i++) {
      const w = near.items[i];
      const strength = own && isLane(net, w) ? 8 : own || isLane(net, w) ? 2 : 1;
      sum += y[w] * strength;
      pull += strength;
    }
  }
  if (means && net.group[v] >= 0) {
    sum += means[net.group[v]] * 0.4;
    pull += 0.4;
  }
  return pull > 0 ? [sum / pull, pull] : [y[v], 0.2];
}

/** Be what is moved as a whole: a group's box, or one node. */
interface Unit {
  readonly members: number[];
  top: number;
  bottom: number;
}

/**
 * Move boxes apart. What stands above in one column is pushed up no more than what stands below is pushed down: the
 * mean of both ways of resolving it is taken, and keeps all distances as each of them does.
 */
function separate(net: Network, y: Float64Array): void {
  const { units, of } = unitsOf(net, y);
  const above: number[][] = units.map(() => []);
  const below: number[][] = units.map(() => []);
  for (const column of net.columns) {
    for (let i = 1; i < column.length; i++) {
      const [a, b] = [of[column[i - 1]], of[column[i]]];
      if (a !== b) {
        above[b].push(a);
        below[a].push(b);
      }
    }
  }
  const order = sorted(above, below);
  const down = Float64Array.from(units, (unit) => unit.top);
  const up = Float64Array.from(units, (unit) => unit.top);
  const high = (u: number): number => units[u].bottom - units[u].top;
  const gap = (a: number, b: number): number => distance(net, units[a], units[b]);
  for (const u of order) for (const a of above[u]) down[u] = Math.max(down[u], down[a] + high(a) + gap(a, u));
  for (const u of order.reverse()) for (const b of below[u]) up[u] = Math.min(up[u], up[b] - high(u) - gap(u, b));
  const top = units.map((_, u) => (down[u] + up[u]) / 2);
  const wish = wishes(net, y, units, of);
  order.reverse();
  for (let round = 0; round < 12; round++) {
    for (const u of round % 2 ? [...order].reverse() : order) {
      const least = above[u].reduce((most, a) => Math.max(most, top[a] + high(a) + gap(a, u)), -Infinity);
      const last = below[u].reduce((low, b) => Math.min(low, top[b] - high(u) - gap(u, b)), Infinity);
      top[u] = Math.max(least, Math.min(last, wish(u, top)));
    }
  }
  units.forEach((unit, u) => {
    const shift = top[u] - unit.top;
    for (const v of unit.members) y[v] += shift;
  });
}

/** Return where the edges to other units wish a unit's top, all standing where `top` says. */
function wishes(net: Network, y: Float64Array, units: Unit[], of: Int32Array): (u: number, top: readonly number[]) => number {
  const pulls = units.map((unit, u) => {
    const found: { unit: number; offset: number }[] = [];
    for (const v of unit.members) {
      for (const near of [net.up, net.down]) {
        for (let i = near.starts[v]; i < near.starts[v + 1]; i++) {
          const w = near.items[i];
          if (of[w] !== u) found.push({ unit: of[w], offset: y[w] - units[of[w]].top - (y[v] - unit.top) });
        }
      }
    }
    return found;
  });
  return (u, top) => (pulls[u].length ? pulls[u].reduce((sum, pull) => sum + top[pull.unit] + pull.offset, 0) / pulls[u].length : top[u]);
}

function unitsOf(net: Network, y: Float64Array): { units: Unit[]; of: Int32Array } {
  const units: Unit[] = Array.from({ length: net.groupCount }, () => ({ members: [], top: Infinity, bottom: -Infinity }));
  const of = new Int32Array(net.count);
  for (let v = 0; v < net.count; v++) {
    const group = net.group[v];
    of[v] = group >= 0 ? group : units.length;
    if (group < 0) units.push({ members: [], top: Infinity, bottom: -Infinity });
    const unit = units[of[v]];
    unit.members.push(v);
    const frame = group >= 0 ? 1 : 0;
    unit.top = Math.min(unit.top, y[v] - net.height[v] / 2 - frame * GAP.title);
    unit.bottom = Math.max(unit.bottom, y[v] + net.height[v] / 2 + frame * GAP.padding);
  }
  for (const unit of units) if (!unit.members.length) unit.top = unit.bottom = 0;
  return { units, of };
}

/** Return the distance between units; their boxes' frames are part of them. */
function distance(net: Network, a: Unit, b: Unit): number {
  const [first, second] = [a.members[0], b.members[0]];
  if (net.group[first] >= 0 && net.group[second] >= 0) return GAP.box;
  const lanes = (isLane(net, first) && net.group[first] < 0 ? 1 : 0) + (isLane(net, second) && net.group[second] < 0 ? 1 : 0);
  return lanes === 2 ? GAP.lane : lanes === 1 ? GAP.lane + 3 : GAP.row;
}

/** Return units, each after all that stand above it. */
function sorted(above: number[][], below: number[][]): number[] {
  const waiting = above.map((list) => list.length);
  const order = waiting.flatMap((number, u) => (number ? [] : [u]));
  for (let at = 0; at < order.length; at++) for (const b of below[order[at]]) if (--waiting[b] === 0) order.push(b);
  return order;
}
