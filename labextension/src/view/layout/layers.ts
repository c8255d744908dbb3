/** Which column a node stands in. */

import { tighten } from "./simplex.js";

/** Above so many nodes the columns are only nearly the best. */
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
  const down = rows(count, pairs, 0);
  const up = rows(count, pairs, 1);
  const order = topological(count, down, up);
  const layer = new Int32Array(count);
  for (const v of order) {
    for (let i = down.starts[v]; i < down.starts[v + 1]; i++) {
      const w = down.items[i];
      if (layer[w] <= layer[v]) layer[w] = layer[v] + 1;
    }
  }
  shorten(order, down, up, layer);
  if (count <= MOST_TIGHTENED) tighten(layer, pairs);
  return layer;
}

function topological(count: number, down: Rows, up: Rows): Int32Array {
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
  return order;
}

/** Move nodes towards where more of their edges lead: the sum of all lengths only gets smaller. */
function shorten(order: Int32Array, down: Rows, up: Rows, layer: Int32Array): void {
  for (let pass = 0; pass < 4; pass++) {
    let moved = false;
    for (let at = order.length - 1; at >= 0; at--) {
      const v = order[at];
      const outs = down.starts[v + 1] - down.starts[v];
      const ins = up.starts[v + 1] - up.starts[v];
      if (outs <= ins) continue;
      let last = Infinity;
      for (let i = down.starts[v]; i < down.starts[v + 1]; i++) last = Math.min(last, layer[down.items[i]] - 1);
      if (last > layer[v]) {
        layer[v] = last;
        moved = true;
      }
    }
    if (!moved) return;
  }
}
