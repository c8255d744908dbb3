/** Which column a node stands in. */

import { tighten, type Constraints } from "./simplex.js";

/** Above so many nodes each only stands as far to the left as it can. */
const MOST_TIGHTENED = 1_500;

/** Adjacency in compressed rows: the neighbours of `v` are `items[starts[v]] .. items[starts[v + 1] - 1]`. */
export interface Rows {
  readonly starts: Int32Array;
  readonly items: Int32Array;
}

/** Return the neighbours of each of `count` nodes, from pairs. */
export function rows(count: number, pairs: ArrayLike<number>, from: 0 | 1): Rows {
  const starts = new Int32Array(count + 1);
  for (let i = from; i < pairs.length; i += 2) starts[pairs[i] + 1]++;
  for (let v = 0; v < count; v++) starts[v + 1] += starts[v];
  const items = new Int32Array(pairs.length / 2);
  const next = starts.slice(0, count);
  for (let i = 0; i < pairs.length; i += 2) items[next[pairs[i + from]]++] = pairs[i + 1 - from];
  return { starts, items };
}

/** Return values of pairs in the order in which `rows` has the pairs. */
export function rowValues(count: number, pairs: ArrayLike<number>, from: 0 | 1, values: ArrayLike<number>): Float64Array {
  const next = rows(count, pairs, from).starts;
  const ordered = new Float64Array(values.length);
  for (let i = 0; i < pairs.length; i += 2) ordered[next[pairs[i + from]]++] = values[i >> 1];
  return ordered;
}

/**
 * Return 1 for each edge that closes a cycle when nodes are visited in order.
 *
 * Assets have no cycles; folded groups can have them.
 */
export function closing(count: number, edges: ArrayLike<number>): Uint8Array {
  const starts = new Int32Array(count + 1);
  for (let i = 0; i < edges.length; i += 2) starts[edges[i] + 1]++;
  for (let v = 0; v < count; v++) starts[v + 1] += starts[v];
  const order = new Int32Array(edges.length / 2);
  const next = starts.slice(0, count);
  for (let e = 0; e < order.length; e++) order[next[edges[2 * e]]++] = e;
  const backward = new Uint8Array(order.length);
  const state = new Uint8Array(count); // 0 new, 1 on the path, 2 done
  const cursor = starts.slice(0, count);
  const path: number[] = [];
  for (let root = 0; root < count; root++) {
    if (state[root]) continue;
    path.push(root);
    state[root] = 1;
    while (path.length) {
      const v = path[path.length - 1];
      if (cursor[v] === starts[v + 1]) {
        state[v] = 2;
        path.pop();
        continue;
      }
      const e = order[cursor[v]++];
      const w = edges[2 * e + 1];
      if (state[w] === 1) backward[e] = 1;
      else if (state[w] === 0) {
        state[w] = 1;
        path.push(w);
      }
    }
  }
  return backward;
}

/** Return each node's column: after all that it depends on, and as near to what depends on it as that allows. */
export function layers(count: number, pairs: ArrayLike<number>): Int32Array {
  return solved(count, plain(pairs));
}

/**
 * Return the columns of nodes in groups, so that a group stands after all groups that it depends on, side by side.
 *
 * Where groups depend on each other, or that takes many more columns, nodes stand as if they were in no groups.
 */
export function groupedLayers(count: number, pairs: ArrayLike<number>, groups: ArrayLike<number>, groupCount: number): Int32Array {
  const chained = groupCount > 1 && joined(pairs, groups) ? chain(count, pairs, groups, groupCount) : null;
  if (!chained) return layers(count, pairs);
  const columns = first(count + 2 * groupCount, chained)?.subarray(0, count);
  if (!columns || wide(columns) > 1.5 * wide(first(count, plain(pairs))!) + 2) return layers(count, pairs);
  const best = solved(count + 2 * groupCount, chained).subarray(0, count);
  const least = best.reduce((a, b) => Math.min(a, b), 0x7fffffff);
  return best.map((column) => column - least);
}

/**
 * Return columns of at most so many nodes, for where there's little room across: one group after the other (where none
 * depends on another both ways), and a column with too many nodes as several.
 */
export function narrowLayers(count: number, pairs: ArrayLike<number>, groups: ArrayLike<number>, groupCount: number, most: number): Int32Array {
  const rank = groupCount > 1 ? first(groupCount, plain(groupEdges(count, pairs, groups))) : null;
  if (!rank) return cut(layers(count, pairs), pairs, groups, most);
  const order = Array.from({ length: groupCount }, (_, group) => group).sort((a, b) => rank[a] - rank[b]);
  const chained = chain(count, pairs, groups, groupCount);
  const stacked = {
    edges: [...Array.from(chained.edges), ...order.slice(1).flatMap((group, i) => [count + groupCount + order[i], count + group])],
    lengths: [...Array.from(chained.lengths), ...order.slice(1).fill(1)],
    weights: [...Array.from(chained.weights), ...order.slice(1).fill(0)],
  };
  return cut(solved(count + 2 * groupCount, stacked).subarray(0, count), pairs, groups, most);
}

/** Return which groups depend on which, also over nodes that are in none. */
function groupEdges(count: number, pairs: ArrayLike<number>, groups: ArrayLike<number>): number[] {
  const up = rows(count, pairs, 1);
  const before = Array.from({ length: count }, () => new Set<number>()); // the groups that reach each node over nodes in none
  const found: number[] = [];
  for (const v of topological(count, rows(count, pairs, 0), up)!) {
    for (let i = up.starts[v]; i < up.starts[v + 1]; i++) {
      const u = up.items[i];
      if (groups[u] >= 0) before[v].add(groups[u]);
      else for (const group of before[u]) before[v].add(group);
    }
    if (groups[v] >= 0) for (const group of before[v]) if (group !== groups[v]) found.push(group, groups[v]);
  }
  return found;
}

/** Cut columns with more than `most` nodes; those of a group stay together, those that depend on late ones are last. */
function cut(layer: Int32Array, pairs: ArrayLike<number>, groups: ArrayLike<number>, most: number): Int32Array {
  const columns = new Map<number, number[]>();
  layer.forEach((column, v) => {
    const nodes = columns.get(column);
    if (nodes) nodes.push(v);
    else columns.set(column, [v]);
  });
  const up = rows(layer.length, pairs, 1);
  const late = new Int32Array(layer.length);
  const found = new Int32Array(layer.length);
  let at = 0;
  for (const column of [...columns.keys()].sort((a, b) => a - b)) {
    const nodes = columns.get(column)!;
    for (const v of nodes) for (let i = up.starts[v]; i < up.starts[v + 1]; i++) late[v] = Math.max(late[v], found[up.items[i]]);
    nodes.sort((a, b) => groups[a] - groups[b] || late[a] - late[b] || a - b);
    nodes.forEach((v, i) => (found[v] = at + Math.floor(i / most)));
    at += Math.ceil(nodes.length / most);
  }
  return found;
}

function wide(layer: Int32Array): number {
  return layer.reduce((a, b) => Math.max(a, b), 0) - layer.reduce((a, b) => Math.min(a, b), 0x7fffffff) + 1;
}

function plain(pairs: ArrayLike<number>): Constraints {
  const size = pairs.length / 2;
  return { edges: pairs, lengths: new Uint8Array(size).fill(1), weights: new Uint8Array(size).fill(1) };
}

/** Tell whether some group depends on another. */
function joined(pairs: ArrayLike<number>, groups: ArrayLike<number>): boolean {
  for (let i = 0; i < pairs.length; i += 2) {
    const [from, to] = [groups[pairs[i]], groups[pairs[i + 1]]];
    if (from >= 0 && to >= 0 && from !== to) return true;
  }
  return false;
}

/** Return the edges, with an entry and an exit for each group: the exit of a group is before the entries of those after it. */
function chain(count: number, pairs: ArrayLike<number>, groups: ArrayLike<number>, groupCount: number): Constraints {
  const edges = Array.from(pairs);
  const lengths = edges.slice(0, edges.length / 2).fill(1);
  const weights = lengths.slice();
  const seen = new Set<number>();
  const keep = (from: number, to: number, length: number): void => {
    edges.push(from, to);
    lengths.push(length);
    weights.push(0);
  };
  for (let i = 0; i < pairs.length; i += 2) {
    const [from, to] = [groups[pairs[i]], groups[pairs[i + 1]]];
    if (from < 0 || to < 0 || from === to || seen.has(from * groupCount + to)) continue;
    seen.add(from * groupCount + to);
    keep(count + groupCount + from, count + to, 1);
  }
  for (let v = 0; v < count; v++) {
    if (groups[v] < 0) continue;
    keep(count + groups[v], v, 0);
    keep(v, count + groupCount + groups[v], 0);
  }
  return { edges, lengths, weights };
}

function solved(count: number, constraints: Constraints): Int32Array {
  const layer = first(count, constraints)!;
  if (count <= MOST_TIGHTENED) tighten(layer, constraints);
  return layer;
}

/** Return the columns where each node stands as far to the left as it can; null where there is a cycle. */
function first(count: number, { edges, lengths }: Constraints): Int32Array | null {
  const down = rows(count, edges, 0);
  const order = topological(count, down, rows(count, edges, 1));
  if (!order) return null;
  const longest = rowValues(count, edges, 0, lengths);
  const layer = new Int32Array(count);
  for (const v of order) {
    for (let i = down.starts[v]; i < down.starts[v + 1]; i++) {
      const w = down.items[i];
      if (layer[w] < layer[v] + longest[i]) layer[w] = layer[v] + longest[i];
    }
  }
  return layer;
}

function topological(count: number, down: Rows, up: Rows): Int32Array | null {
  const waiting = new Int32Array(count);
  const order = new Int32Array(count);
  let end = 0;
  for (let v = 0; v < count; v++) {
    waiting[v] = up.starts[v + 1] - up.starts[v];
    if (!waiting[v]) order[end++] = v;
  }
  for (let at = 0; at < end; at++) {
    const v = order[at];
    for (let i = down.starts[v]; i < down.starts[v + 1]; i++) {
      if (--waiting[down.items[i]] === 0) order[end++] = down.items[i];
    }
  }
  return end === count ? order : null;
}
