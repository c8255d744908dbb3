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

/**
 * The spanning forest. Edge `e` has two ends, 2e at its tail and 2e + 1 at its head; those of the forest's edges are in a
 * linked list for each node, so that an exchange touches no others.
 */
class Forest {
  private readonly count: number;
  private readonly edges: Int32Array; // the node at each end
  private readonly lengths: Int32Array;
  private readonly surplus: Int32Array; // edges out less edges in
  private readonly starts: Int32Array;
  private readonly incident: Int32Array; // ends at each node
  private readonly roots: number[] = [];
  private readonly head: Int32Array; // the first end in a node's list, or -1
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly parent: Int32Array; // the edge to it, or -1
  private readonly order: Int32Array; // preorder
  private readonly rank: Int32Array; // position in it
  private readonly last: Int32Array; // position of the last of the subtree
  private readonly sum: Int32Array;
  private readonly gains: Int32Array;
  private readonly tops: Int32Array; // nodes whose subtrees gain by a move
  private readonly stack: Int32Array;
  private readonly touched: Uint8Array; // positions in the preorder
  private stalled = 0;

  constructor(
    private readonly layer: Int32Array,
    { edges, lengths, weights }: Constraints,
  ) {
    const count = (this.count = layer.length);
    this.edges = Int32Array.from(edges);
    this.lengths = Int32Array.from(lengths);
    this.surplus = new Int32Array(count);
    this.starts = new Int32Array(count + 1);
    this.incident = new Int32Array(edges.length);
    this.head = new Int32Array(count).fill(-1);
    this.next = new Int32Array(edges.length);
    this.previous = new Int32Array(edges.length);
    this.parent = new Int32Array(count);
    this.order = new Int32Array(count);
    this.rank = new Int32Array(count);
    this.last = new Int32Array(count);
    this.sum = new Int32Array(count);
    this.gains = new Int32Array(count);
    this.tops = new Int32Array(count);
    this.stack = new Int32Array(count);
    this.touched = new Uint8Array(count);
    this.index(weights);
    this.grow();
  }

  private index(weights: ArrayLike<number>): void {
    const { edges, starts } = this;
    for (let i = 0; i < edges.length; i++) starts[edges[i] + 1]++;
    for (let v = 0; v < this.count; v++) starts[v + 1] += starts[v];
    const next = starts.slice(0, this.count);
    for (let i = 0; i < edges.length; i++) {
      this.incident[next[edges[i]]++] = i;
      this.surplus[edges[i]] += i & 1 ? -weights[i >> 1] : weights[i >> 1];
    }
  }

  private slack(e: number): number {
    return this.layer[this.edges[2 * e + 1]] - this.layer[this.edges[2 * e]] - this.lengths[e];
  }

  private join(e: number): void {
    for (let i = 2 * e; i <= 2 * e + 1; i++) {
      const v = this.edges[i];
      const first = this.head[v];
      if (first >= 0) this.previous[first] = i;
      this.next[i] = first;
      this.previous[i] = -1;
      this.head[v] = i;
    }
  }

  private part(e: number): void {
    for (let i = 2 * e; i <= 2 * e + 1; i++) {
      const after = this.next[i];
      const before = this.previous[i];
      if (before >= 0) this.next[before] = after;
      else this.head[this.edges[i]] = after;
      if (after >= 0) this.previous[after] = before;
    }
  }

  /** Make the forest: grow over tight edges; where there is none left, move the tree until one is. */
  private grow(): void {
    const grown = new Uint8Array(this.count);
    for (let root = 0; root < this.count; root++) {
      if (grown[root]) continue;
      this.roots.push(root);
      const tree = [root];
      grown[root] = 1;
      let reached = 0;
      for (;;) {
        for (; reached < tree.length; reached++) this.reach(tree[reached], tree, grown);
        const best = this.nearest(tree, grown);
        if (best < 0) break;
        const outward = grown[this.edges[2 * best]] === 1;
        const shift = outward ? this.slack(best) : -this.slack(best);
        for (let i = 0; i < tree.length; i++) this.layer[tree[i]] += shift;
        this.take(best, outward ? 2 * best + 1 : 2 * best, tree, grown);
      }
    }
  }

  private take(e: number, end: number, tree: number[], grown: Uint8Array): void {
    this.join(e);
    grown[this.edges[end]] = 1;
    tree.push(this.edges[end]);
  }

  /** Return the edge out of the tree that has the least slack, or -1. */
  private nearest(tree: number[], grown: Uint8Array): number {
    let best = -1;
    let least = FAR;
    for (let at = 0; at < tree.length; at++) {
      const v = tree[at];
      for (let i = this.starts[v]; i < this.starts[v + 1]; i++) {
        const end = this.incident[i];
        if (grown[this.edges[end ^ 1]]) continue;
        const slack = this.slack(end >> 1);
        if (slack < least) {
          least = slack;
          best = end >> 1;
        }
      }
    }
    return best;
  }

  private reach(v: number, tree: number[], grown: Uint8Array): void {
    for (let i = this.starts[v]; i < this.starts[v + 1]; i++) {
      const end = this.incident[i];
      if (!grown[this.edges[end ^ 1]] && this.slack(end >> 1) === 0) this.take(end >> 1, end ^ 1, tree, grown);
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
    const found = this.weigh();
    this.touched.fill(0);
    let moved = false;
    // Gains are small numbers: the greatest first is a few rounds over those that there are.
    let most = 0;
    for (let i = 0; i < found; i++) if (this.gains[this.tops[i]] > most) most = this.gains[this.tops[i]];
    for (let gain = most; gain > 0; gain--) {
      for (let i = 0; i < found; i++) {
        const top = this.tops[i];
        if (this.gains[top] === gain && this.exchange(top)) moved = true;
        if (this.stalled > this.count) return false; // nothing gets shorter any more: it might go round in circles
      }
    }
    return moved;
  }

  /** Move a subtree until the next edge gets tight, which takes the place of the one to its parent; return whether it could. */
  private exchange(top: number): boolean {
    const { touched, rank, edges } = this;
    const first = rank[top];
    const final = this.last[top];
    const hit = touched.indexOf(1, first);
    if (hit >= 0 && hit <= final) return false;
    const right = this.sum[top] > 0;
    const entering = this.tightest(first, final, right);
    if (entering < 0) return false;
    const slack = this.slack(entering);
    this.stalled = slack ? 0 : this.stalled + 1;
    const shift = right ? slack : -slack;
    if (shift) for (let i = first; i <= final; i++) this.layer[this.order[i]] += shift;
    this.part(this.parent[top]);
    this.join(entering);
    touched.fill(1, first, final + 1);
    touched[rank[edges[2 * entering]]] = 1;
    touched[rank[edges[2 * entering + 1]]] = 1;
    return true;
  }

  /** Return the edge that gets tight first where the subtree at these positions moves. */
  private tightest(first: number, final: number, right: boolean): number {
    const { edges, layer, lengths, rank, order, starts, incident } = this;
    const side = right ? 0 : 1;
    let best = -1;
    let least = FAR;
    for (let i = first; i <= final && least > 0; i++) {
      const v = order[i];
      for (let j = starts[v]; j < starts[v + 1]; j++) {
        const end = incident[j];
        if ((end & 1) !== side) continue;
        const w = edges[end ^ 1];
        const other = rank[w];
        if (other >= first && other <= final) continue;
        const slack = (right ? layer[w] - layer[v] : layer[v] - layer[w]) - lengths[end >> 1];
        if (slack < least) {
          least = slack;
          best = end >> 1;
        }
      }
    }
    return best;
  }

  /** Number the forest in preorder. */
  private walk(): void {
    const { order, parent, rank, head, next, edges, stack } = this;
    let at = 0;
    for (let r = 0; r < this.roots.length; r++) {
      let size = 1;
      stack[0] = this.roots[r];
      parent[stack[0]] = -1;
      while (size) {
        const v = stack[--size];
        const up = parent[v];
        rank[v] = at;
        order[at++] = v;
        for (let i = head[v]; i >= 0; i = next[i]) {
          if (i >> 1 === up) continue;
          const w = edges[i ^ 1];
          parent[w] = i >> 1;
          stack[size++] = w;
        }
      }
    }
  }

  /** Sum up the surplus of each subtree; return by how many of them the edges would get shorter where it moves by one. */
  private weigh(): number {
    const { order, parent, last, sum, edges, gains, tops } = this;
    sum.set(this.surplus);
    last.set(this.rank);
    let found = 0;
    for (let i = this.count - 1; i >= 0; i--) {
      const v = order[i];
      const e = parent[v];
      if (e < 0) continue;
      const below = edges[2 * e] === v; // the node is the tail
      const up = edges[below ? 2 * e + 1 : 2 * e];
      sum[up] += sum[v];
      if (last[v] > last[up]) last[up] = last[v];
      gains[v] = below ? -sum[v] : sum[v];
      if (gains[v] > 0) tops[found++] = v;
    }
    return found;
  }
}
