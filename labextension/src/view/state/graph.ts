/** The graph as the kernel sent it, with what is needed to walk it. */

import type { CheckState, DetailsMessage, Node, NodePatch, Snapshot, Status } from "../../protocol.js";
import { rows, type Rows } from "../layout/layers.js";

export class Graph {
  readonly nodes: Node[];
  readonly index: ReadonlyMap<string, number>;
  readonly edges: Int32Array;
  readonly down: Rows;
  readonly up: Rows;
  readonly groups: readonly string[];
  readonly groupOf: Int32Array;
  readonly members: readonly (readonly number[])[];
  /** Counts up with each patch. */
  revision = 0;

  constructor(snapshot: Pick<Snapshot, "nodes" | "edges">) {
    this.nodes = [...(snapshot.nodes ?? [])];
    this.index = new Map(this.nodes.map((node, i) => [node.id, i]));
    this.edges = Int32Array.from((snapshot.edges ?? []).flat());
    this.down = rows(this.nodes.length, this.edges, 0);
    this.up = rows(this.nodes.length, this.edges, 1);
    const names = new Map<string, number>();
    const members: number[][] = [];
    this.groupOf = Int32Array.from(this.nodes, (node, i) => {
      const name = node.group ?? DEFAULT_GROUP;
      let at = names.get(name);
      if (at === undefined) {
        at = names.size;
        names.set(name, at);
        members.push([]);
      }
      members[at].push(i);
      return at;
    });
    this.groups = [...names.keys()];
    this.members = members;
  }

  /** Take over what has changed of nodes; return their positions. */
  patch(patches: readonly NodePatch[]): number[] {
    const changed: number[] = [];
    this.revision++;
    for (const patch of patches) {
      const at = this.index.get(patch.id);
      if (at === undefined) continue;
      this.nodes[at] = { ...this.nodes[at], status: patch.status ?? {}, checks: patch.checks ?? [], freshness: patch.freshness ?? null };
      changed.push(at);
    }
    return changed;
  }

  at(id: string): Node | undefined {
    const at = this.index.get(id);
    return at === undefined ? undefined : this.nodes[at];
  }

  /** Return the ids that are directly before or after an asset. */
  next(id: string, side: "up" | "down"): string[] {
    const at = this.index.get(id);
    if (at === undefined) return [];
    const near = this[side];
    return Array.from(near.items.subarray(near.starts[at], near.starts[at + 1]), (i) => this.nodes[i].id);
  }

  /** Return the positions that are at most `hops` edges away, up or down but not up and down again. */
  around(ids: Iterable<string>, hops: number): Set<number> {
    const found = this.reach(ids, "up", hops);
    for (const at of this.reach(ids, "down", hops)) found.add(at);
    return found;
  }

  /** Return the positions of assets and of all (or `hops` steps) before or after them. */
  reach(ids: Iterable<string>, side: "up" | "down", hops = Infinity): Set<number> {
    const near = this[side];
    const found = new Set<number>();
    for (const id of ids) {
      const at = this.index.get(id);
      if (at !== undefined) found.add(at);
    }
    let rim = [...found];
    for (let hop = 0; hop < hops && rim.length; hop++) {
      const further: number[] = [];
      for (const v of rim) {
        for (let i = near.starts[v]; i < near.starts[v + 1]; i++) {
          const w = near.items[i];
          if (found.has(w)) continue;
          found.add(w);
          further.push(w);
        }
      }
      rim = further;
    }
    return found;
  }
}

export type Value = NonNullable<DetailsMessage["value"]>;

export const DEFAULT_GROUP = "default";

export function statusOf(node: Node): Status {
  return node.status ?? {};
}

export function checksOf(node: Node): readonly CheckState[] {
  return node.checks ?? [];
}

/** Return an asset's name, and the path before it (`a/b/` of `a/b/c`). */
export function nameOf(node: Node): { name: string; path: string } {
  if (node.label) return { name: node.label, path: "" };
  const cut = node.id.lastIndexOf("/") + 1;
  return { name: node.id.slice(cut), path: node.id.slice(0, cut) };
}
