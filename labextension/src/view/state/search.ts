/** Searching: plain words are matched here at once; what looks like a selection string goes to the kernel. */

import type { Graph } from "./graph.js";
import { lookOf, WORDS } from "../status.js";

/** Tell whether a text is a selection string, such as `+orders`, `group:shop`, `a or b`. */
export function isSelection(text: string): boolean {
  return /[:+*()"]|\b(and|or|not|roots|sinks)\b/.test(text.trim());
}

/** Return the positions of the assets that contain all words: in name, group, kind, tag, owner, description, status. */
export function matching(graph: Graph, text: string): number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found: number[] = [];
  graph.nodes.forEach((node, i) => {
    const all = [
      node.id,
      node.label ?? "",
      node.group ?? "",
      ...(node.kinds ?? []),
      ...(node.owners ?? []),
      ...Object.entries(node.tags ?? {}).flat(),
      node.description ?? "",
      WORDS[lookOf(node)],
      node.status?.reason ?? "",
    ]
      .join("\n")
      .toLowerCase();
    if (words.every((word) => all.includes(word))) found.push(i);
  });
  return found;
}

/** Return what is said of what was found. */
export function foundText(ids: readonly string[]): string {
  return ids.length ? `${ids.length} found` : "Nothing is found.";
}
