/** What of the graph is shown: groups folded to one card, and only what is in focus. */

import { DEFAULT_GROUP, type Graph } from "./graph.js";

/** Be one card: an asset, or a folded group. */
export type Item =
  | { readonly kind: "asset"; readonly key: string; readonly node: number; readonly box: number }
  | { readonly kind: "group"; readonly key: string; readonly group: number; readonly members: readonly number[] };

export interface Visible {
  readonly items: readonly Item[];
  /** Pairs of positions in `items`. */
  readonly edges: Int32Array;
  /** The card that shows each asset of the graph, or -1. */
  readonly itemOf: Int32Array;
  /** The names of the boxes, which are unfolded groups. */
  readonly boxes: readonly string[];
}

export interface Shape {
  readonly folded: ReadonlySet<string>;
  /** The positions of the assets in focus; null for all. */
  readonly only: ReadonlySet<number> | null;
}

/** Above so many assets, groups are folded to begin with: more can't be read. */
export const MOST_UNFOLDED = 300;

export function groupKey(name: string): string {
  return `group ${name}`;
}

/** Return the groups that are folded to begin with. */
export function foldedFirst(graph: Graph): Set<string> {
  return new Set(graph.nodes.length > MOST_UNFOLDED && graph.groups.length > 1 ? graph.groups : []);
}

export function visible(graph: Graph, { folded, only }: Shape): Visible {
  const items: Item[] = [];
  const itemOf = new Int32Array(graph.nodes.length).fill(-1);
  const boxes: string[] = [];
  const single = graph.groups.length === 1;
  graph.groups.forEach((name, group) => {
    const members = only ? graph.members[group].filter((v) => only.has(v)) : graph.members[group];
    if (!members.length) return;
    if (folded.has(name) && !only) {
      for (const v of members) itemOf[v] = items.length;
      items.push({ kind: "group", key: groupKey(name), group, members });
      return;
    }
    const plain = single || name === DEFAULT_GROUP;
    const box = plain ? -1 : boxes.push(name) - 1;
    for (const v of members) {
      itemOf[v] = items.length;
      items.push({ kind: "asset", key: graph.nodes[v].id, node: v, box });
    }
  });
  return { items, edges: joined(graph, itemOf, items.length), itemOf, boxes };
}

/** Return the edges between cards, each once. */
function joined(graph: Graph, itemOf: Int32Array, count: number): Int32Array {
  const seen = new Set<number>();
  const pairs: number[] = [];
  for (let i = 0; i < graph.edges.length; i += 2) {
    const [from, to] = [itemOf[graph.edges[i]], itemOf[graph.edges[i + 1]]];
    if (from < 0 || to < 0 || from === to) continue;
    const key = from * count + to;
    if (seen.has(key)) continue;
    seen.add(key);
    pairs.push(from, to);
  }
  return Int32Array.from(pairs);
}
