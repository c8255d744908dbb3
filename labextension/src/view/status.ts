/** How statuses look: each has a shape, a word and a colour, so that none is told by its colour alone. */

import type { CheckState, Freshness, Node, RunState, StepState } from "../protocol.js";
import { plural } from "./format.js";
import { checksOf, statusOf } from "./state/graph.js";

export type Look =
  | "running"
  | "waiting"
  | "failed"
  | "check-failed"
  | "stale"
  | "missing"
  | "evicted"
  | "fresh"
  | "cached"
  | "external"
  | "unknown";

/** The looks in the order in which they matter. */
export const LOOKS: readonly Look[] = [
  "running",
  "waiting",
  "failed",
  "check-failed",
  "stale",
  "missing",
  "evicted",
  "fresh",
  "cached",
  "external",
  "unknown",
];

export const WORDS: Readonly<Record<Look, string>> = {
  running: "Running",
  waiting: "Waiting",
  failed: "Failed",
  "check-failed": "Check failed",
  stale: "Stale",
  missing: "Never materialized",
  evicted: "Evicted",
  fresh: "Fresh",
  cached: "Fresh, not run again",
  external: "External",
  unknown: "Unknown",
};

export function lookOf(node: Node): Look {
  const { word, cached } = statusOf(node);
  if (word === "fresh" && checksOf(node).some(isBad)) return "check-failed";
  if (word === "fresh") return cached ? "cached" : "fresh";
  return word || (node.kind === "external" ? "external" : "unknown");
}

export function isBad(check: Pick<CheckState, "status">): boolean {
  return check.status === "failed" || check.status === "raised";
}

/** Return the word of how an asset stands; of one that is partly there, how many of its partitions are. */
export function wordOf(node: Node): string {
  const look = lookOf(node);
  return look === "cached" ? WORDS.fresh : isPart(node) ? partsOf(node) : WORDS[look];
}

/** Return whether only some partitions of an asset were ever materialized. */
function isPart(node: Node): boolean {
  return lookOf(node) === "missing" && Object.keys(statusOf(node).partitions ?? {}).some((word) => word !== "missing");
}

function partsOf(node: Node): string {
  const { fresh = 0, ...others } = statusOf(node).partitions ?? {};
  const all = Object.values(others).reduce((sum, number) => sum + number, fresh);
  return `${fresh.toLocaleString("en-US")} of ${plural(all, "partition")}`;
}

/** Return the status in words, with its reason. */
export function sentence(node: Node): string {
  const look = lookOf(node);
  const { reason } = statusOf(node);
  if (look === "check-failed") {
    const bad = checksOf(node).filter(isBad);
    return `${WORDS[look]}: ${bad[0].name}${bad.length > 1 ? ` and ${bad.length - 1} more` : ""}`;
  }
  if (reason && isPart(node)) return `Partly materialized · ${reason}`;
  if (look === "missing" || look === "cached" || !reason) return WORDS[look];
  return `${WORDS[look]} · ${reason}`;
}

/** Return how an asset does by its freshness policy now: it gets overdue while nobody looks. */
export function freshnessWord(freshness: Freshness, now: number = Date.now() / 1000): Freshness["word"] {
  return freshness.until != null && now > freshness.until ? "overdue" : freshness.word;
}

/** Return that in words which aren't those of a status. */
export function freshnessText(word: Freshness["word"]): string {
  return { fresh: "in time", warning: "ageing", overdue: "overdue", unknown: "no date yet" }[word];
}

export function freshnessLook(word: Freshness["word"]): Look {
  return ({ fresh: "fresh", warning: "stale", overdue: "failed", unknown: "unknown" } as const)[word];
}

/** Return how many checks stand how, for `✓ 3  ✕ 1`. */
export function tally(checks: readonly CheckState[]): Record<"passed" | "warned" | "bad" | "open", number> {
  const counts = { passed: 0, warned: 0, bad: 0, open: 0 };
  for (const check of checks) {
    const status = check.status ?? "not run";
    counts[status === "passed" ? "passed" : status === "warned" ? "warned" : isBad(check) ? "bad" : "open"]++;
  }
  return counts;
}

/** Return how many assets have which look. */
export function count(nodes: Iterable<Node>): Map<Look, number> {
  const counts = new Map<Look, number>();
  for (const node of nodes) {
    const look = lookOf(node);
    counts.set(look, (counts.get(look) ?? 0) + 1);
  }
  return counts;
}

export function isRunning(run: RunState | null): boolean {
  return run !== null && (run.status ?? "running") === "running";
}

/** Return how many checks of a run didn't pass, in words: none of it where all did. */
export function checksText(run: RunState): { failed: string; warned: string } {
  const { checks_failed: failed = 0, checks_warned: warned = 0 } = run;
  return { failed: failed ? `${plural(failed, "check")} failed` : "", warned: warned ? `${plural(warned, "check")} warned` : "" };
}

/** Return how a step looks; one that went well, as its checks do. */
export function stepLook(step: StepState): Look {
  const look = STEP_LOOKS[step.status ?? "waiting"];
  return look === "fresh" ? looksWith(step.checks?.some(isBad), step.checks?.length) : look;
}

/** Return how a run looks; one that went well, as its checks do. */
export function runLook(run: RunState): Look {
  const look = RUN_LOOKS[run.status ?? "running"];
  return look === "fresh" ? looksWith(run.checks_failed, run.checks_warned) : look;
}

function looksWith(failed: number | boolean | undefined, warned: number | undefined): Look {
  return failed ? "check-failed" : warned ? "stale" : "fresh";
}

const RUN_LOOKS: Readonly<Record<NonNullable<RunState["status"]>, Look>> = {
  running: "running",
  success: "fresh",
  failure: "failed",
  canceled: "evicted",
};

export const STEP_LOOKS: Readonly<Record<NonNullable<StepState["status"]>, Look>> = {
  waiting: "waiting",
  running: "running",
  retrying: "running",
  success: "fresh",
  failure: "failed",
  skipped: "missing",
  unchanged: "cached",
  canceled: "evicted",
};
