/**
 * Where nodes stand in their columns: near their neighbours, in the order given, nothing overlapping.
 *
 * For each column the positions nearest to what the neighbours wish, under the distances that must be kept, are found
 * by isotonic regression (pool adjacent violators), in linear time. Then the boxes of groups are moved apart.
 */

import { rows, rowValues } from "./layers.js";
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

/** The blocks of the column that is being settled; made once, and larger when one is. */
let buffers = { value: new Float64Array(256), weight: new Float64Array(256), length: new Int32Array(256) };

function blocksOf(size: number): typeof buffers {
  if (size > buffers.value.length) {
    buffers = { value: new Float64Array(2 * size), weight: new Float64Array(2 * size), length: new Int32Array(2 * size) };
  }
  return buffers;
}

/** Where `wished` says that a node be: its second answer. */
let wish = 0;

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
  const { value, weight, length } = blocksOf(size);
  let blocks = 0;
  for (let i = 0; i < size; i++) {
    weight[blocks] = wished(net, column[i], y, side, means);
    value[blocks] = wish - offsets[i];
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

/** Set `wish` to where the neighbours wish a node; return how strongly. Lanes wish to be straight. */
function wished(
  net: Network,
  v: number,
  y: Float64Array,
  side: -1 | 0 | 1,
  means: Float64Array | null,
): number {
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
  wish = pull > 0 ? sum / pull : y[v];
  return pull > 0 ? pull : 0.2;
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
  const { above, below, order } = neighbours(net, units, of);
  const top = Float64Array.from(units, (unit) => unit.top);
  const down = top.slice();
  const up = top.slice();
  for (const u of order) down[u] = Math.max(down[u], lowest(above, u, down, 1));
  order.reverse();
  for (const u of order) up[u] = Math.min(up[u], -lowest(below, u, up, -1));
  for (let u = 0; u < top.length; u++) top[u] = (down[u] + up[u]) / 2;
  const pulls = pullsOf(net, y, units, of);
  for (let round = 0; round < 6; round++) {
    order.reverse();
    for (const u of order) {
      const wished = wishOf(pulls, u, top);
      top[u] = Math.max(lowest(above, u, top, 1), Math.min(-lowest(below, u, top, -1), wished));
    }
  }
  units.forEach((unit, u) => {
    const shift = top[u] - unit.top;
    for (const v of unit.members) y[v] += shift;
  });
}

/** Values for pairs of units, in compressed rows. */
interface Links {
  readonly starts: Int32Array;
  readonly items: Int32Array;
  readonly values: Float64Array;
}

/** Return the least that the units beside `u` allow for its top (`sign` 1), or the negative of the most (-1). */
function lowest({ starts, items, values }: Links, u: number, top: Float64Array, sign: 1 | -1): number {
  let most = -Infinity;
  for (let i = starts[u]; i < starts[u + 1]; i++) {
    const limit = sign * top[items[i]] + values[i];
    if (limit > most) most = limit;
  }
  return most;
}

/** Return the units directly above and below each other, how far their tops must be apart, and an order from above. */
function neighbours(net: Network, units: readonly Unit[], of: Int32Array): { above: Links; below: Links; order: Int32Array } {
  const pairs: number[] = [];
  const apart: number[] = [];
  for (const column of net.columns) {
    for (let i = 1; i < column.length; i++) {
      const [a, b] = [of[column[i - 1]], of[column[i]]];
      if (a === b) continue;
      pairs.push(a, b);
      apart.push(units[a].bottom - units[a].top + distance(net, units[a], units[b]));
    }
  }
  const links = (from: 0 | 1): Links => ({ ...rows(units.length, pairs, from), values: rowValues(units.length, pairs, from, apart) });
  const [above, below] = [links(1), links(0)];
  const waiting = Int32Array.from(units, (_, u) => above.starts[u + 1] - above.starts[u]);
  const order = new Int32Array(units.length);
  let end = 0;
  waiting.forEach((number, u) => {
    if (!number) order[end++] = u;
  });
  for (let at = 0; at < end; at++) {
    for (let i = below.starts[order[at]]; i < below.starts[order[at] + 1]; i++) {
      if (--waiting[below.items[i]] === 0) order[end++] = below.items[i];
    }
  }
  return { above, below, order };
}

/** Return the edges of each unit to others, with how far above or below that one's top its own top would make them level. */
function pullsOf(net: Network, y: Float64Array, units: readonly Unit[], of: Int32Array): Links {
  const pairs: number[] = [];
  const values: number[] = [];
  for (let v = 0; v < net.count; v++) {
    for (let i = net.down.starts[v]; i < net.down.starts[v + 1]; i++) {
      const w = net.down.items[i];
      if (of[v] === of[w]) continue;
      const offset = y[w] - units[of[w]].top - (y[v] - units[of[v]].top);
      pairs.push(of[v], of[w], of[w], of[v]);
      values.push(offset, -offset);
    }
  }
  return { ...rows(units.length, pairs, 0), values: rowValues(units.length, pairs, 0, values) };
}

function wishOf({ starts, items, values }: Links, u: number, top: Float64Array): number {
  if (starts[u] === starts[u + 1]) return top[u];
  let sum = 0;
  for (let i = starts[u]; i < starts[u + 1]; i++) sum += top[items[i]] + values[i];
  return sum / (starts[u + 1] - starts[u]);
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
    unit.top = Math.min(unit.top, y[v] - net.height[v] / 2 - frame * net.top);
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
