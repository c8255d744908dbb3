import { describe, expect, test } from "vitest";

import { standingOf } from "../src/lab/standing.js";
import type { Node } from "../src/protocol.js";

const node = (id: string, word: string, more: Partial<Node> = {}): Node => ({ id, status: { word: word as never, reason: more.description ?? "" }, ...more });

describe("how a cell stands", () => {
  test.each([
    ["x = 1", [], false, null],
    ["#| check: orders\nTrue", [], false, null],
    ["#| asset: orders\n1", [], false, ["unknown", "Not run", ""]],
    ["%%asset?", [], false, null],
    ["%%asset_check?", [], false, null],
    ["%%assets orders", [], false, null],
    ["#| asset: orders\n1", [node("orders", "fresh")], false, ["fresh", "Fresh", ""]],
    ["#| asset: orders\n1", [node("orders", "fresh")], true, ["stale", "Edited", "not run since"]],
    ["", [node("a", "fresh"), node("b", "stale", { description: "code changed" })], false, ["stale", "Stale", "b · code changed"]],
    ["", [node("a", "fresh", { checks: [{ name: "c", status: "failed" }] })], false, ["check-failed", "Check failed", "c"]],
    ["", [node("a", "fresh", { checks: [{ name: "c", status: "passed" }, { name: "d" }] })], false, ["fresh", "Fresh", "1 of 2 checks passed"]],
    ["", [node("a", "missing")], false, ["missing", "Never materialized", ""]],
    ["", [node("a", "missing", { status: { word: "missing", reason: "3/31 fresh · 28 missing", partitions: { fresh: 3, missing: 28 } } })], false, ["missing", "3 of 31 partitions", ""]],
    ["", [node("a", "missing", { status: { word: "missing", partitions: { missing: 31 } } })], false, ["missing", "Never materialized", ""]],
  ] as const)("%j %j", (source, nodes, edited, expected) => {
    const one = standingOf(source, nodes, edited);
    expect(one && [one.look, one.word, one.reason]).toEqual(expected);
  });

  test("a cell that ended with an error has no asset for that reason, until it is edited", () => {
    const source = "%%asset orders\n1";
    expect(standingOf(source, [], false, true)?.word).toBe("Error");
    expect(standingOf(source, [], true, true)?.word).toBe("Not run");
    expect(standingOf(source, [node("orders", "fresh")], false, true)?.word).toBe("Fresh");
  });

  test("who asks is told of all its assets", () => {
    expect(standingOf("", [node("a", "fresh"), node("b", "stale", { description: "code changed" })], false)?.told).toBe("a: Fresh\nb: Stale · code changed");
  });
});
