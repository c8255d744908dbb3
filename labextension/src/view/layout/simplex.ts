/**
 * Columns of least total edge length: the network simplex of Gansner, Koutsofios, North and Vo (1993).
 *
 * A spanning forest of tight edges (of length 1) is kept. Cutting one of them cuts off a subtree; where more edges
 * leave the subtree than enter it, it is better moved to the right, up to where the next edge gets tight, and that
 * edge joins the forest. What leaves a subtree less what enters it is the sum of the same over its nodes.
 */

/** Edges, the least length of each, and how much its length counts: 0 for what only keeps an order. */
export interface Constraints {
  readonly edges: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** Move nodes in `layer`, which is feasible, until no move of a subtree shortens the edges. */
export function tighten(layer: Int32Array, constraints: Constraints): void {
  relax(layer, constraints);
  const forest = new Forest(layer, constraints);
  for (let pivots = 4 * layer.length + 20; pivots > 0 && forest.pivot(); pivots--);
  const least = layer.reduce((a, b) => Math.min(a, b), 0);
  for (let v = 0; v < layer.length; v++) layer[v] -= least;
}

/** Most rounds of moves of single nodes before those of subtrees, which take longer. */
const ROUNDS = 4;
const FAR = 0x7fffffff;

/** Move nodes one by one to where more of their edges get shorter: most of what subtrees would be moved for. */
function relax(layer: Int32Array, { edges, lengths, weights }: Constraints): void {
  const count = layer.length;
  const [pull, before, after] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  for (let e = 0; 2 * e < edges.length; e++) {
    pull[edges[2 * e]] += weights[e];
    pull[edges[2 * e + 1]] -= weights[e];
  }
  for (let round = 0, moved = true; round < ROUNDS && moved; round++) {
    moved = false;
    before.fill(FAR);
    after.fill(FAR);
    for (let e = 0; 2 * e < edges.length; e++) {
      const [tail, head] = [edges[2 * e], edges[2 * e + 1]];
      const slack = layer[head] - layer[tail] - lengths[e];
      if (slack < after[tail]) after[tail] = slack;
      if (slack < before[head]) before[head] = slack;
    }
    // Of an edge's ends only one may use its slack up: in one round what wishes to the right moves, in the next the others.
    const right = round % 2 === 0;
    for (let v = 0; v < count; v++) {
      const room = right ? after[v] : before[v];
      if ((right ? pull[v] : -pull[v]) <= 0 || room === 0 || room === FAR) continue;
      layer[v] += right ? room : -room;
      moved = true;
    }
    moved ||= right;
  }
}

class Forest {
  private readonly count: number;
  private readonly size: number;
  private readonly surplus: Int32Array; // edges out less edges in
  private readonly starts: Int32Array;
  private readonly incident: Int32Array;
  private readonly inForest: Uint8Array;
  private readonly parent: Int32Array; // the edge to it, or -1
  private readonly order: Int32Array; // preorder
  private readonly rank: Int32Array; // position in it
  private readonly last: Int32Array; // position of the last of the subtree
  private readonly sum: Int32Array;
  private readonly seen: Uint8Array;
  private stalled = 0;

  private readonly edges: Int32Array;
  private readonly lengths: Int32Array;

  constructor(
    private readonly layer: Int32Array,
    private readonly constraints: Constraints,
  ) {
    const edges = (this.edges = Int32Array.from(constraints.edges));
    this.lengths = Int32Array.from(constraints.lengths);
    this.count = layer.length;
    this.size = edges.length / 2;
    this.surplus = new Int32Array(this.count);
    this.starts = new Int32Array(this.count + 1);
    this.incident = new Int32Array(edges.length);
    this.inForest = new Uint8Array(this.size);
    this.parent = new Int32Array(this.count);
    this.order = new Int32Array(this.count);
    this.rank = new Int32Array(this.count);
    this.last = new Int32Array(this.count);
    this.sum = new Int32Array(this.count);
    this.seen = new Uint8Array(this.count);
    this.index();
    this.grow();
  }

  private index(): void {
    const { edges, starts } = this;
    for (let i = 0; i < edges.length; i++) starts[edges[i] + 1]++;
    for (let v = 0; v < this.count; v++) starts[v + 1] += starts[v];
    const next = starts.slice(0, this.count);
    for (let i = 0; i < edges.length; i++) {
      this.incident[next[edges[i]]++] = i >> 1;
      this.surplus[edges[i]] += (i % 2 ? -1 : 1) * this.constraints.weights[i >> 1];
    }
  }

  private slack(e: number): number {
    return this.layer[this.edges[2 * e + 1]] - this.layer[this.edges[2 * e]] - this.lengths[e];
  }

  private other(e: number, v: number): number {
    return this.edges[2 * e] === v ? this.edges[2 * e + 1] : this.edges[2 * e];
  }

  /** Make the forest: grow over tight edges; where there is none left, move the tree until one is. */
  private grow(): void {
    const grown = new Uint8Array(this.count);
    for (let root = 0; root < this.count; root++) {
      if (grown[root]) continue;
      const tree = [root];
      grown[root] = 1;
      let reached = 0;
      for (;;) {
        for (; reached < tree.length; reached++) this.reach(tree[reached], tree, grown);
        let best = -1;
        for (const v of tree) {
          for (let i = this.starts[v]; i < this.starts[v + 1]; i++) {
            const e = this.incident[i];
            if (!grown[this.other(e, v)] && (best < 0 || this.slack(e) < this.slack(best))) best = e;
          }
        }
        if (best < 0) break;
        const shift = grown[this.edges[2 * best]] ? this.slack(best) : -this.slack(best);
        for (const v of tree) this.layer[v] += shift;
        const joined = grown[this.edges[2 * best]] ? this.edges[2 * best + 1] : this.edges[2 * best];
        this.inForest[best] = 1;
        grown[joined] = 1;
        tree.push(joined);
      }
    }
  }

  private reach(v: number, tree: number[], grown: Uint8Array): void {
    for (let i = this.starts[v]; i < this.starts[v + 1]; i++) {
      const e = this.incident[i];
      const w = this.other(e, v);
      if (grown[w] || this.slack(e) !== 0) continue;
      this.inForest[e] = 1;
      grown[w] = 1;
      tree.push(w);
    }
  }

  /**
   * Move the subtrees that gain most; return whether there was one.
   *
   * Numbering the forest takes longest, so after each numbering all are moved that leave each other alone: none in which
   * another one was, or has grown on.
   */
  pivot(): boolean {
    this.walk();
    const gains: number[] = [];
    const tops: number[] = [];
    for (let v = 0; v < this.count; v++) {
      const gain = this.gain(v);
      if (gain <= 0) continue;
      gains[v] = gain;
      tops.push(v);
    }
    tops.sort((a, b) => gains[b] - gains[a] || a - b);
    const touched = this.seen.fill(0); // positions in the preorder
    let moved = false;
    for (const top of tops) {
      const [first, final] = [this.rank[top], this.last[top]];
      const hit = touched.indexOf(1, first);
      if (hit >= 0 && hit <= final) continue;
      const right = this.sum[top] > 0;
      const entering = this.tightest(top, right);
      if (entering < 0) continue;
      const slack = this.slack(entering);
      this.stalled = slack ? 0 : this.stalled + 1;
      if (this.stalled > this.count) return false; // nothing gets shorter any more: it might go round in circles
      const shift = right ? slack : -slack;
      for (let i = first; i <= final; i++) this.layer[this.order[i]] += shift;
      this.inForest[this.parent[top]] = 0;
      this.inForest[entering] = 1;
      touched.fill(1, first, final + 1);
      for (const end of [2 * entering, 2 * entering + 1]) touched[this.rank[this.edges[end]]] = 1;
      moved = true;
    }
    return moved;
  }

  /** Return by how much the edges get shorter where a subtree moves by one. */
  private gain(v: number): number {
    const e = this.parent[v];
    if (e < 0) return 0;
    return this.edges[2 * e] === v ? -this.sum[v] : this.sum[v];
  }

  /** Return the edge that gets tight first where a subtree moves. */
  private tightest(top: number, right: boolean): number {
    const { edges, layer, lengths, rank, order, starts, incident } = this;
    const [first, final] = [rank[top], this.last[top]];
    let best = -1;
    let least = 0x7fffffff;
    for (let i = first; i <= final && least > 0; i++) {
      const v = order[i];
      for (let j = starts[v]; j < starts[v + 1]; j++) {
        const e = incident[j];
        const tail = edges[2 * e];
        const head = edges[2 * e + 1];
        if ((tail === v) !== right) continue;
        const other = rank[right ? head : tail];
        if (other >= first && other <= final) continue;
        const slack = layer[head] - layer[tail] - lengths[e];
        if (slack < least) {
          least = slack;
          best = e;
        }
      }
    }
    return best;
  }

  /** Number the forest in preorder, and sum up the surplus of each subtree. */
  private walk(): void {
    const { order, parent, rank, last, seen, sum } = this;
    seen.fill(0);
    let at = 0;
    const stack: number[] = [];
    for (let root = 0; root < this.count; root++) {
      if (seen[root]) continue;
      seen[root] = 1;
      parent[root] = -1;
      stack.push(root);
      while (stack.length) {
        const v = stack.pop()!;
        rank[v] = at;
        order[at++] = v;
        for (let i = this.starts[v]; i < this.starts[v + 1]; i++) {
          const e = this.incident[i];
          if (!this.inForest[e]) continue;
          const w = this.other(e, v);
          if (seen[w]) continue;
          seen[w] = 1;
          parent[w] = e;
          stack.push(w);
        }
      }
    }
    for (let i = 0; i < this.count; i++) {
      sum[i] = this.surplus[i];
      last[i] = rank[i];
    }
    for (let i = this.count - 1; i >= 0; i--) {
      const v = order[i];
      if (parent[v] < 0) continue;
      const up = this.other(parent[v], v);
      sum[up] += sum[v];
      last[up] = Math.max(last[up], last[v]);
    }
  }
}
