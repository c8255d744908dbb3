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
  private readonly place: Float64Array; // of each node in its column, from the column's middle
  private readonly index: Int32Array;
  private readonly key: Float64Array;
  private readonly unit: Float64Array;
  private readonly outer: Float64Array;
  private readonly tree: Int32Array;
  private readonly scratch: Int32Array;

  constructor(private readonly net: Network) {
    this.place = new Float64Array(net.count);
    this.index = new Int32Array(net.count);
    this.key = new Float64Array(net.count);
    this.unit = new Float64Array(net.groupCount);
    this.outer = new Float64Array(net.count);
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

  /** Sort each column by where the neighbours in the column before (or after) it stand. */
  sweep(forward: boolean, turned: boolean): void {
    const { net } = this;
    if (net.groupCount) this.weigh();
    const near = forward ? net.up : net.down;
    const last = net.columns.length - 1;
    for (let step = 1; step <= last; step++) {
      const at = forward ? step : last - step;
      const column = net.columns[at];
      if (turned) column.reverse();
      for (let i = 0; i < column.length; i++) this.key[column[i]] = this.middle(near, column[i]);
      this.sort(at, this.key);
    }
  }

  /** Swap neighbours in a column while that undoes crossings. */
  swap(rounds: number): void {
    const { net } = this;
    for (let round = 0; round < rounds; round++) {
      let better = false;
      for (let at = 0; at < net.columns.length; at++) {
        const column = net.columns[at];
        for (let i = 0; i + 1 < column.length; i++) {
          const a = column[i];
          const b = column[i + 1];
          if (net.group[a] !== net.group[b]) continue;
          const now = this.pair(net.up, a, b) + this.pair(net.down, a, b);
          if (now > 0 && now > this.pair(net.up, b, a) + this.pair(net.down, b, a)) {
            column[i] = b;
            column[i + 1] = a;
            this.index[b] = i;
            this.index[a] = i + 1;
            better = true;
          }
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

  /** Return how many edges to one side cross where `a` stands above `b`. */
  private pair(near: Rows, a: number, b: number): number {
    const { index } = this;
    const { starts, items } = near;
    const end = starts[b + 1];
    let sum = 0;
    for (let i = starts[a]; i < starts[a + 1]; i++) {
      const p = index[items[i]];
      for (let j = starts[b]; j < end; j++) if (p > index[items[j]]) sum++;
    }
    return sum;
  }

  private middle(near: Rows, v: number): number {
    const [start, end] = [near.starts[v], near.starts[v + 1]];
    if (start === end) return this.place[v];
    let sum = 0;
    for (let i = start; i < end; i++) sum += this.place[near.items[i]];
    return sum / (end - start);
  }

  /** Give each group one key for all columns: where its nodes stand, on average. */
  private weigh(): void {
    const { net } = this;
    const number = new Float64Array(net.groupCount);
    this.unit.fill(0);
    for (let v = 0; v < net.count; v++) {
      const group = net.group[v];
      if (group < 0) continue;
      this.unit[group] += (this.middle(net.up, v) + this.middle(net.down, v)) / 2;
      number[group]++;
    }
    for (let group = 0; group < net.groupCount; group++) if (number[group]) this.unit[group] /= number[group];
  }

  /** Sort a column by `keys`; groups by the key that they have in all columns. */
  private sort(at: number, keys: Float64Array): void {
    const { net, unit, outer } = this;
    const column = net.columns[at];
    for (let i = 0; i < column.length; i++) {
      const group = net.group[column[i]];
      outer[column[i]] = group < 0 ? keys[column[i]] : unit[group];
    }
    if (column.length > 80) column.sort((a, b) => (this.before(a, b, keys) ? -1 : this.before(b, a, keys) ? 1 : 0));
    else {
      // Most columns are small and nearly sorted: this makes no garbage.
      for (let i = 1; i < column.length; i++) {
        const v = column[i];
        let j = i;
        for (; j > 0 && this.before(v, column[j - 1], keys); j--) column[j] = column[j - 1];
        column[j] = v;
      }
    }
    this.measure(at);
  }

  private before(a: number, b: number, keys: Float64Array): boolean {
    const { outer, net } = this;
    if (outer[a] !== outer[b]) return outer[a] < outer[b];
    if (net.group[a] !== net.group[b]) return net.group[a] < net.group[b];
    return keys[a] < keys[b];
  }

  private measure(at: number): void {
    const { net } = this;
    const column = net.columns[at];
    let sum = 0;
    for (let i = 0; i < column.length; i++) {
      const step = net.height[column[i]] + 10;
      this.index[column[i]] = i;
      this.place[column[i]] = sum + step / 2;
      sum += step;
    }
    for (let i = 0; i < column.length; i++) this.place[column[i]] -= sum / 2;
  }
}
