/** Graphs to look at and to measure: the same number gives the same graph. */

import type { Node, Snapshot, Status } from "../src/protocol.js";

/** Return a generator of numbers from 0 to 1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Return the edges of a random graph without cycles in which most edges are short, as pairs. */
export function edges(count: number, seed = 1, perNode = 1.6): number[] {
  const next = random(seed);
  const width = Math.max(3, Math.round(Math.sqrt(count)));
  const found = new Set<number>();
  const pairs: number[] = [];
  for (let i = 0; i < count * perNode; i++) {
    const to = Math.floor(next() * (count - 1)) + 1;
    const reach = next() < 0.9 ? 2 * width : 8 * width;
    const from = Math.max(0, to - 1 - Math.floor(next() * reach));
    if (from >= to || found.has(from * count + to)) continue;
    found.add(from * count + to);
    pairs.push(from, to);
  }
  return pairs;
}

const STEMS = ["orders", "customers", "payments", "flights", "weather", "sessions", "products", "refunds", "carriers", "events"];
const STAGES = ["raw", "clean", "daily", "enriched", "summary", "features", "model", "report"];
const KINDS = ["python", "pandas", "duckdb", "polars", "dbt", "sklearn", "parquet"];

/** Return a snapshot of `count` assets in groups of about fifty. */
export function snapshot(count: number, seed = 1): Snapshot {
  const next = random(seed + 7);
  const perGroup = count <= 100 ? 14 : 50;
  const nodes: Node[] = [];
  const counts = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const stage = STAGES[Math.min(STAGES.length - 1, Math.floor((i / count) * STAGES.length))];
    const team = Math.floor(i / perGroup);
    const group = count <= 14 ? "shop" : `${stage}_${String(team).padStart(2, "0")}`;
    counts.set(group, (counts.get(group) ?? 0) + 1);
    const node: Node = {
      id: `${stage}/${STEMS[Math.floor(next() * STEMS.length)]}_${i}`,
      group,
      kind: i < count / 20 && next() < 0.5 ? "external" : "asset",
      kinds: next() < 0.8 ? [KINDS[Math.floor(next() * KINDS.length)]] : [],
      description: next() < 0.4 ? "One row for each order that was paid, without test customers." : "",
      status: status(next),
    };
    if (node.kind === "external") node.status = { word: "external" };
    if (next() < 0.3) {
      node.checks = Array.from({ length: 1 + Math.floor(next() * 3) }, (_, n) => ({
        name: `check_${n}`,
        status: next() < 0.85 ? "passed" : next() < 0.5 ? "failed" : "warned",
        blocking: next() < 0.3,
      }));
    }
    if (next() < 0.1) node.partitioned = true;
    nodes.push(node);
  }
  const pairs = edges(count, seed);
  const lines: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const cross = nodes[pairs[i]].group !== nodes[pairs[i + 1]].group;
    if (!cross || next() < 0.5) lines.push([pairs[i], pairs[i + 1]]);
  }
  return {
    kind: "snapshot",
    version: 1,
    nodes,
    edges: lines,
    groups: [...counts].map(([name, number]) => ({ name, count: number })),
    jobs: [{ name: "nightly", nodes: [0, 1, 2] }],
  };
}

function status(next: () => number): Status {
  const p = next();
  if (p < 0.55) return { word: "fresh" };
  if (p < 0.75) return { word: "stale", reason: next() < 0.5 ? "code changed" : "inputs changed: orders" };
  if (p < 0.8) return { word: "failed", reason: "KeyError: 'status'" };
  if (p < 0.84) return { word: "evicted", reason: "value evicted" };
  return { word: "missing", reason: "never materialized" };
}
