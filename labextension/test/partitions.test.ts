import { describe, expect, it } from "vitest";

import type { PartitionsMessage } from "../src/protocol.js";
import { Partitions, share } from "../src/view/state/partitions.js";

const DAYS = Array.from({ length: 10 }, (_, i) => `2024-01-${String(i + 1).padStart(2, "0")}`);
const STATUSES: NonNullable<PartitionsMessage["statuses"]> = [{ word: "fresh" }, { word: "missing" }, { word: "failed", reason: "ValueError: no" }];

function told(change: Partial<PartitionsMessage> = {}): PartitionsMessage {
  return { kind: "partitions", id: "sales", stamp: "a", keys: DAYS, statuses: STATUSES, runs: [[4, 0], [1, 2], [5, 1]], ...change };
}

const bar = (): Partitions => Partitions.from(told(), null)!;
/** Three regions, by ten days: days are the longer ones, and lie. */
const grid = (): Partitions => Partitions.from(told({ dimensions: ["day", "region"], rows: DAYS, keys: ["east", "north", "south"], runs: [[12, 0], [2, 2], [16, 1]] }), null)!;

describe("partitions of one dimension", () => {
  it("stand as the runs say", () => {
    const parts = bar();
    expect([parts.total, parts.columns, parts.lines]).toEqual([10, 10, 1]);
    expect(DAYS.map((_, i) => parts.status(i).word.slice(0, 2)).join(" ")).toBe("fr fr fr fr fa mi mi mi mi mi");
    expect([...parts.counts(null)]).toEqual([["failed", 1], ["missing", 5], ["fresh", 4]]);
    expect([...parts.counts({ anchor: 5, head: 3 })]).toEqual([["failed", 1], ["missing", 1], ["fresh", 1]]);
  });

  it("are chosen by keys", () => {
    const parts = bar();
    const first = parts.moved(null, "ArrowRight", false)!;
    expect(first).toEqual({ anchor: 0, head: 0 });
    const two = parts.moved(parts.moved(first, "ArrowRight", false), "ArrowRight", true)!;
    expect([parts.text(two), parts.size(two)]).toEqual(["2024-01-02..2024-01-03", 2]);
    expect(parts.text(parts.moved(two, "End", true)!)).toBe("2024-01-02..2024-01-10");
    expect(parts.text(parts.moved(two, "Home", false)!)).toBe("2024-01-01");
    expect(parts.moved(two, "ArrowUp", false)).toBeNull();
    expect(parts.moved({ anchor: 9, head: 9 }, "ArrowRight", false)).toEqual({ anchor: 9, head: 9 });
  });

  it("are read as one types them", () => {
    const parts = bar();
    expect(parts.read("2024-01-02..2024-01-04")).toEqual({ anchor: 1, head: 3 });
    expect(parts.read("2024-01-09..")).toEqual({ anchor: 8, head: 9 });
    expect(parts.read("2024-13")).toBeNull();
    expect(parts.read("*")).toEqual(parts.whole());
  });

  it("are asked for by each key where a range could be misread", () => {
    const parts = Partitions.from(told({ keys: ["a,b", "c", "d"], runs: [[3, 1]] }), null)!;
    expect(parts.asked({ anchor: 0, head: 1 })).toEqual(["a,b", "c"]);
    expect(parts.asked({ anchor: 1, head: 2 })).toEqual(["c..d"]);
  });

  it("keep their keys while the stamp is the same", () => {
    const parts = bar();
    const next = Partitions.from(told({ keys: [], runs: [[10, 0]] }), parts)!;
    expect([next.key(3), next.status(9).word]).toEqual(["2024-01-04", "fresh"]);
  });

  it("know their neighbours that stand alike", () => {
    expect(bar().alike(7)).toEqual({ anchor: 5, head: 9 });
    expect(bar().alike(4)).toEqual({ anchor: 4, head: 4 });
  });

  it("are drawn in at most so many parts, and a single failure of ten thousand is seen", () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `k${i}`);
    const parts = Partitions.from(told({ keys, runs: [[5_000, 0], [1, 2], [4_999, 0]] }), null)!;
    const started = performance.now();
    const segments = parts.segments(0, 0, 120);
    expect(performance.now() - started).toBeLessThan(100);
    expect(segments.map((one) => one.word)).toEqual(["fresh", "failed", "fresh"]);
    expect(segments.reduce((sum, one) => sum + one.many, 0)).toBe(10_000);
    expect(bar().segments(0, 0, 120)).toHaveLength(10);
  });
});

describe("partitions of two dimensions", () => {
  it("lie along the longer one", () => {
    const parts = grid();
    expect([parts.columns, parts.lines, parts.names.join()]).toEqual([10, 3, "day,region"]);
    expect(parts.key(parts.at(4, 1))).toBe("2024-01-05|north");
    expect(parts.status(parts.at(4, 1)).word).toBe("failed");
    for (let i = 0; i < parts.total; i++) expect(parts.at(...parts.place(i))).toBe(i);
  });

  it("are chosen as a rectangle", () => {
    const parts = grid();
    const span = { anchor: parts.at(1, 0), head: parts.at(3, 1) };
    expect([parts.text(span), parts.size(span)]).toEqual(["2024-01-02..2024-01-04|east..north", 6]);
    expect(parts.text(parts.moved(span, "ArrowDown", true)!)).toBe("2024-01-02..2024-01-04|east..south");
    expect(parts.read("2024-01-02..2024-01-04|east..north")).toEqual(span);
    expect(parts.size(parts.read("2024-01-02")!)).toBe(3);
  });
});

it("says how many are fresh", () => expect(share({ fresh: 31, missing: 334 })).toBe("31/365"));
