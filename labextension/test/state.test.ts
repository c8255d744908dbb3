import { describe, expect, it } from "vitest";

import { shop } from "../dev/shop.js";
import type { Patch, Snapshot } from "../src/protocol.js";
import { Graph } from "../src/view/state/graph.js";
import { isSelection, matching } from "../src/view/state/search.js";
import { mergedRun, Store } from "../src/view/state/store.js";
import { foldedFirst, groupKey, visible } from "../src/view/state/visible.js";
import { lookOf, sentence } from "../src/view/status.js";
import { snapshot } from "../dev/generate.js";

const ALL = { folded: new Set<string>(), only: null };

function names(graph: Graph, found: Iterable<number>): string[] {
  return [...found].map((v) => graph.nodes[v].id).sort();
}

describe("Graph", () => {
  it("walks up and down as many steps as it's told", () => {
    const graph = new Graph(shop());
    expect(names(graph, graph.reach(["orders"], "up", 1))).toEqual(["customers", "orders", "raw_orders"]);
    expect(names(graph, graph.reach(["report"], "up"))).toHaveLength(15);
    expect(names(graph, graph.around(["payments"], 1))).toEqual(["daily_revenue", "payments", "rates", "raw_payments", "revenue_by_country_and_channel_last_30_days"]);
  });

  it("takes over a patch, and leaves out what it doesn't know", () => {
    const graph = new Graph(shop());
    expect(graph.patch([{ id: "orders", status: { word: "fresh" } }, { id: "nothing" }])).toHaveLength(1);
    expect(lookOf(graph.at("orders")!)).toBe("fresh");
  });
});

describe("visible", () => {
  it("folds a group to one card, with each edge to it once", () => {
    const graph = new Graph(shop());
    const { items, edges, itemOf } = visible(graph, { folded: new Set(["ingest", "marts"]), only: null });
    expect(items.filter((item) => item.kind === "group")).toHaveLength(2);
    expect(itemOf[graph.index.get("rates")!]).toBe(itemOf[graph.index.get("raw_orders")!]);
    const pairs = Array.from({ length: edges.length / 2 }, (_, e) => `${edges[2 * e]} ${edges[2 * e + 1]}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs.every((pair) => pair.split(" ")[0] !== pair.split(" ")[1])).toBe(true);
  });

  it("shows only what is in focus, unfolded", () => {
    const graph = new Graph(shop());
    const only = graph.around(["orders"], 1);
    const { items } = visible(graph, { folded: new Set(["model"]), only });
    expect(items.map((item) => item.key).sort()).toEqual(names(graph, only));
  });

  it("draws no box around a single group, nor around assets in none", () => {
    const graph = new Graph({ nodes: [{ id: "a" }, { id: "b" }], edges: [[0, 1]] });
    expect(visible(graph, ALL).boxes).toEqual([]);
  });

  it("folds large graphs to begin with, small ones not", () => {
    expect(foldedFirst(new Graph(snapshot(1_000))).size).toBeGreaterThan(10);
    expect(foldedFirst(new Graph(snapshot(100))).size).toBe(0);
  });
});

describe("search", () => {
  it("finds words in names, groups, kinds and statuses, in any case", () => {
    const graph = new Graph(shop());
    expect(names(graph, matching(graph, "ORDERS duckdb"))).toEqual(["raw_orders"]);
    expect(names(graph, matching(graph, "stale"))).toEqual(["order_items", "orders"]);
    expect(matching(graph, "  ")).toEqual([]);
  });

  it.each([
    ["+orders", true],
    ["group:shop", true],
    ["a or b", true],
    ["orders", false],
    ["raw orders", false],
    ["normal_floor", false],
  ])("tells whether %s is a selection string", (text, expected) => expect(isSelection(text)).toBe(expected));
});

describe("statuses", () => {
  it("say a failed check of a fresh asset, and the reason of a stale one", () => {
    const graph = new Graph(shop());
    expect(lookOf(graph.at("payments")!)).toBe("check-failed");
    expect(sentence(graph.at("payments")!)).toBe("Check failed: sums_match");
    expect(sentence(graph.at("orders")!)).toBe("Stale · code changed");
    expect(lookOf({ id: "x" })).toBe("unknown");
  });
});

describe("Store", () => {
  const patch = (change: Partial<Patch>): Patch => ({ kind: "patch", base: 7, version: 8, ...change });

  it("keeps selection, focus and folds over a new snapshot, and drops what is gone", () => {
    const store = new Store();
    store.take(shop());
    store.set({ selected: new Set(["orders", "rates", groupKey("model")]), folded: new Set(["model"]), focus: { ids: ["rates"], hops: 1 } });
    const next = shop();
    const at = next.nodes!.findIndex((node) => node.id === "rates");
    const smaller: Snapshot = { ...next, version: 8, nodes: next.nodes!.filter((_, i) => i !== at), edges: [] };
    store.take(smaller);
    expect([...store.state.selected]).toEqual(["orders", groupKey("model")]);
    expect([...store.state.folded]).toEqual(["model"]);
    expect(store.state.focus).toBeNull();
  });

  it("asks for a snapshot where a patch was missed", () => {
    const store = new Store();
    store.take(shop());
    expect(store.take(patch({ base: 6 }))).toBe(true);
    expect(store.take(patch({ nodes: [{ id: "orders", status: { word: "running" } }] }))).toBe(false);
    expect(lookOf(store.state.graph!.at("orders")!)).toBe("running");
  });

  it("merges the steps of one run, and shows another in its place", () => {
    const run = { run_id: "a", started: 1, steps: [{ name: "x", status: "running" as const }, { name: "y", status: "success" as const }] };
    const merged = mergedRun(run, { run_id: "a", started: 1, done: 2, steps: [{ name: "x", status: "success" }] });
    expect(merged.steps!.map((step) => step.status)).toEqual(["success", "success"]);
    expect(mergedRun(run, { run_id: "b", started: 2 }).steps).toBeUndefined();
  });

  it("says to a screen reader when a run begins and ends", () => {
    const store = new Store();
    store.take({ ...shop(), run: null });
    store.take(patch({ run: { run_id: "z", what: "all", started: 1 } }));
    expect(store.state.said).toContain("Run started");
    store.take(patch({ base: 8, version: 9, run: { run_id: "z", started: 1, status: "failure", message: "orders failed" } }));
    expect(store.state.said).toContain("orders failed");
  });
});
