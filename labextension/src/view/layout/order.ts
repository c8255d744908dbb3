/**
 * In which order nodes stand in their columns: sweeps of barycentres, then swaps of neighbours.
 *
 * The nodes of a group stand together, and two groups stand in the same order in all columns: so their boxes can be
 * drawn as rectangles that don't overlap.
 */

import type { Rows } from "./layers.js";
import type { Network } from "./network.js";

/** Sort the columns of the network, so that few edges cross. */
export function arrange(net: Network): void {
  const work = new Sweeps(net);
  let best = Infinity;
  let kept: number[][] = [];
  // Of a large one a second beginning and late sweeps find next to nothing.
  const large = net.count > LARGE;
  for (const ahead of large ? [true] : [true, false]) {
    if (best === 0) break;
    work.start(ahead);
    for (let sweep = -1, idle = 0; sweep < sweepsOf(net) && best > 0 && idle < (large ? 4 : 8); sweep++) {
      if (sweep >= 0) work.sweep((sweep % 2 === 0) === ahead, sweep % 4 >= 2);
      if (net.count < 4_000 && sweep > 0 && sweep % 2) work.swap(1);
      const crossings = work.crossings();
      idle = crossings < best ? 0 : idle + 1;
      if (crossings >= best) continue;
      best = crossings;
      kept = work.copy();
    }
  }
  work.restore(kept);
  if (net.count < 6_000 && best > 0) work.swap(8);
}

const LARGE = 1_000;

function sweepsOf(net: Network): number {
  return net.count > 20_000 ? 4 : net.count > 4_000 ? 8 : 28;
}

/** Return how many pairs of edges cross. */
export function crossings(net: Network): number {
  return new Sweeps(net).crossings();
}

class Sweeps {
  // Whole numbers: before the compiler has seen this code, each fraction read from an array is an object on the heap.
  private readonly step: Int32Array; // the room that each node takes in its column
  private readonly place: Int32Array; // of each node in its column, from the column's middle, in sixteenths
  private readonly index: Int32Array;
  private readonly key: Int32Array;
  private readonly unit: Int32Array;
  private readonly outer: Int32Array;
  private readonly tree: Int32Array;
  private readonly scratch: Int32Array;

  constructor(private readonly net: Network) {
    this.step = Int32Array.from(net.height, (height) => height + 10);
    this.place = new Int32Array(net.count);
    this.index = new Int32Array(net.count);
    this.key = new Int32Array(net.count);
    this.unit = new Int32Array(net.groupCount);
    this.outer = new Int32Array(net.count);
    this.tree = new Int32Array(Math.max(0, ...net.columns.map((column) => column.length)) + 1);
    this.scratch = new Int32Array(net.count);
    net.columns.forEach((_, column) => this.measure(column));
  }

  copy(): number[][] {
    return this.net.columns.map((column) => column.slice());
  }

  restore(kept: number[][]): void {
    kept.forEach((column, at) => {
      this.net.columns[at].splice(0, column.length, ...column);
      this.measure(at);
    });
  }

  /** Begin with the order of a walk from the sources, or from the other end: what is connected stands together. */
  start(ahead: boolean): void {
    const { net } = this;
    const seen = new Uint8Array(net.count);
    const columns: number[][] = net.columns.map(() => []);
    const walk: number[] = [];
    for (const column of ahead ? net.columns : net.columns.slice().reverse()) {
      for (const root of column) {
        if (seen[root]) continue;
        walk.push(root);
        seen[root] = 1;
        while (walk.length) {
          const v = walk.pop()!;
          columns[net.layer[v]].push(v);
          for (const near of ahead ? [net.down, net.up] : [net.up, net.down]) {
            for (let i = near.starts[v + 1] - 1; i >= near.starts[v]; i--) {
              const w = near.items[i];
              if (!seen[w]) {
                seen[w] = 1;
                walk.push(w);
              }
            }
          }
        }
      }
    }
    this.restore(columns);
    if (net.groupCount) {
      this.weigh();
      net.columns.forEach((_, at) => this.sort(at, this.place));
    }
  }

  /** Sort each column by where the neighbours in the column before (or after) it stand; `turned`: what is level, turned round. */
  sweep(forward: boolean, turned: boolean): void {
    const { net } = this;
    if (net.groupCount) this.weigh();
    const near = forward ? net.up : net.down;
    const last = net.columns.length - 1;
    // The column that the sweep begins at follows its groups' new keys, else two groups might stand in another order there.
    if (net.groupCount) this.sort(forward ? 0 : last, this.place);
    for (let step = 1; step <= last; step++) {
      const at = forward ? step : last - step;
      const column = net.columns[at];
      for (let i = 0; i < column.length; i++) this.key[column[i]] = this.middle(near, column[i]);
      this.sort(at, this.key, turned);
    }
  }

  /** Swap neighbours in a column while that undoes crossings. */
  swap(rounds: number): void {
    const { net, index } = this;
    for (let round = 0; round < rounds; round++) {
      let better = false;
      for (let at = 0; at < net.columns.length; at++) {
        const column = net.columns[at];
        for (let i = 0; i + 1 < column.length; i++) {
          const a = column[i];
          const b = column[i + 1];
          if (net.group[a] !== net.group[b] || this.gain(net.up, a, b) + this.gain(net.down, a, b) <= 0) continue;
          column[i] = b;
          column[i + 1] = a;
          index[b] = i;
          index[a] = i + 1;
          better = true;
        }
      }
      if (!better) break;
    }
    net.columns.forEach((_, at) => this.measure(at));
  }

  /** Return how many edges cross, all columns. */
  crossings(): number {
    let sum = 0;
    for (let at = 1; at < this.net.columns.length; at++) sum += this.crossingsBefore(at);
    return sum;
  }

  private crossingsBefore(at: number): number {
    const { net, tree, scratch } = this;
    const size = net.columns[at - 1].length;
    tree.fill(0, 0, size + 1);
    let sum = 0;
    let seen = 0;
    for (const v of net.columns[at]) {
      let ends = 0;
      for (let i = net.up.starts[v]; i < net.up.starts[v + 1]; i++) {
        if (net.layer[net.up.items[i]] === at - 1) scratch[ends++] = this.index[net.up.items[i]];
      }
      for (let i = 0; i < ends; i++) {
        let before = 0;
        for (let j = scratch[i] + 1; j > 0; j -= j & -j) before += tree[j];
        sum += seen - before;
      }
      for (let i = 0; i < ends; i++) for (let j = scratch[i] + 1; j <= size; j += j & -j) tree[j]++;
      seen += ends;
    }
    return sum;
  }

  /** Return how many crossings of edges to one side are undone where `b` stands above `a` and not below it. */
  private gain(near: Rows, a: number, b: number): number {
    const { index } = this;
    const { starts, items } = near;
    const begin = starts[b];
    const end = starts[b + 1];
    let sum = 0;
    for (let i = starts[a]; i < starts[a + 1]; i++) {
      const p = index[items[i]];
      for (let j = begin; j < end; j++) {
        const q = index[items[j]];
        if (p > q) sum++;
        else if (p < q) sum--;
      }
    }
    return sum;
  }

  private middle(near: Rows, v: number): number {
    const { place } = this;
    const { starts, items } = near;
    const start = starts[v];
    const end = starts[v + 1];
    if (start === end) return place[v];
    if (end - start === 1) return place[items[start]];
    let sum = 0;
    for (let i = start; i < end; i++) sum += place[items[i]];
    return (sum / (end - start)) | 0;
  }

  /** Give each group one key for all columns: where its nodes stand, on average. */
  private weigh(): void {
    const { net } = this;
    const number = new Int32Array(net.groupCount);
    this.unit.fill(0);
    for (let v = 0; v < net.count; v++) {
      const group = net.group[v];
      if (group < 0) continue;
      this.unit[group] += (this.middle(net.up, v) + this.middle(net.down, v)) >> 1;
      number[group]++;
    }
    for (let group = 0; group < net.groupCount; group++) if (number[group]) this.unit[group] /= number[group];
  }

  /** Sort a column by `keys`; groups by the key that they have in all columns. */
  private sort(at: number, keys: Int32Array, turned = false): void {
    const { unit, outer } = this;
    const { group } = this.net;
    const column = this.net.columns[at];
    for (let i = 0; i < column.length; i++) {
      const v = column[i];
      outer[v] = group[v] < 0 ? keys[v] : unit[group[v]];
    }
    if (column.length <= 80) this.insert(column, keys, turned ? 1 : 0);
    else {
      if (turned) column.reverse();
      column.sort((a, b) => outer[a] - outer[b] || group[a] - group[b] || keys[a] - keys[b]);
    }
    this.measure(at);
  }

  /** Sort a column by insertion: most are small and nearly sorted, and it makes no garbage. */
  private insert(column: number[], keys: Int32Array, turned: 0 | 1): void {
    const { outer } = this;
    const { group } = this.net;
    for (let i = 1; i < column.length; i++) {
      const v = column[i];
      const own = outer[v];
      let j = i;
      for (; j > 0; j--) {
        const u = column[j - 1];
        if (outer[u] < own) break;
        if (outer[u] === own && (group[u] < group[v] || (group[u] === group[v] && keys[u] + turned <= keys[v]))) break;
        column[j] = u;
      }
      column[j] = v;
    }
  }

  private measure(at: number): void {
    const { step, place, index } = this;
    const column = this.net.columns[at];
    let sum = 0;
    for (let i = 0; i < column.length; i++) {
      const v = column[i];
      index[v] = i;
      place[v] = 16 * sum + 8 * step[v];
      sum += step[v];
    }
    for (let i = 0; i < column.length; i++) place[column[i]] -= 8 * sum;
  }
}
