/** How a cell stands: that of its assets that matters most, in a word and a sentence. */

import { checksOf, nameOf, statusOf } from "../view/state/graph.js";
import { isBad, LOOKS, lookOf, sentence, wordOf, type Look } from "../view/status.js";
import type { Node } from "../protocol.js";
import { headOf } from "./cells.js";

export interface Standing {
  readonly look: Look;
  readonly word: string;
  /** What stands behind the word, where there's room. */
  readonly reason: string;
  /** All of it, for the pointer and the screen reader. */
  readonly told: string;
  /** The asset that is shown when one clicks. */
  readonly id: string | null;
  /** The text has changed since it ran. */
  readonly edited: boolean;
}

/**
 * Return how a cell stands; null where it has nothing to do with assets.
 *
 * @param edited its text has changed since it ran.
 * @param failed its output ends with an error: where it has no asset, because of that.
 */
export function standingOf(source: string, nodes: readonly Node[], edited: boolean, failed = false): Standing | null {
  if (nodes.length) return edited ? editedStanding(nodes) : nodesStanding(nodes);
  const head = headOf(source);
  if (head?.kind !== "asset" || !head.name) return null;
  if (failed && !edited) {
    const told = `${head.name}: the cell ended with an error, and makes no asset`;
    return { look: "failed", word: "Error", reason: "makes no asset", told, id: null, edited: false };
  }
  return { look: "unknown", word: "Not run", reason: "", told: `${head.name}: the cell has not run in this kernel`, id: null, edited: false };
}

function editedStanding(nodes: readonly Node[]): Standing {
  const names = nodes.map((node) => nameOf(node).name).join(", ");
  return { look: "stale", word: "Edited", reason: "not run since", told: `${names}: edited, not run since`, id: nodes[0].id, edited: true };
}

function nodesStanding(nodes: readonly Node[]): Standing {
  const looks = nodes.map(lookOf);
  const look = LOOKS.find((one) => looks.includes(one)) ?? "unknown";
  const node = nodes[looks.indexOf(look)];
  const several = nodes.length > 1;
  return {
    look,
    word: wordOf(node),
    reason: several ? `${nameOf(node).name} · ${reasonOf(node, look)}`.replace(/ · $/, "") : reasonOf(node, look),
    told: nodes.map((one) => `${one.id}: ${sentence(one)}`).join("\n"),
    id: node.id,
    edited: false,
  };
}

function reasonOf(node: Node, look: Look): string {
  const checks = checksOf(node);
  if (look === "check-failed") return checks.filter(isBad).map((check) => check.name).join(", ");
  if (look === "fresh" || look === "cached") {
    const passed = checks.filter((check) => check.status === "passed").length;
    return checks.length ? `${passed} of ${checks.length} checks passed` : "";
  }
  return look === "missing" ? "" : statusOf(node).reason ?? "";
}
