import { describe, expect, test } from "vitest";

import { asAsset, asPlain, canBecomeAsset, headOf, nameFor } from "../src/lab/cells.js";

describe("the head of a cell", () => {
  test.each([
    ["#| asset: orders\n1", { kind: "asset", name: "orders", start: 0, end: 1 }],
    ["# paid\n\n#| group: x\n#| asset: shop/orders\n1", { kind: "asset", name: "shop/orders", start: 2, end: 4 }],
    ["%%asset orders --group x\n1", { kind: "asset", name: "orders", start: 0, end: 1 }],
    ["%%asset_check orders\nTrue", { kind: "check", name: "orders", start: 0, end: 1 }],
    ["#| check: orders\nTrue", { kind: "check", name: "orders", start: 0, end: 1 }],
  ])("%j", (source, head) => expect(headOf(source)).toEqual(head));

  test.each(["x = 1", "", "# a comment", "x = 1\n#| asset: orders", "%%time\n1", "#| op: clean(x)\n1"])("%j has none", (source) =>
    expect(headOf(source)).toBeNull(),
  );
});

describe("a name for a cell", () => {
  test.each([
    ["orders = read()\n_x = 1", "orders"],
    ["raw = read()\norders = raw[raw.paid]\norders.head()", "orders"],
    ["text = '''\nnot = this\n'''", "text"],
    ["a = 1\ndef f():\n    b = 2", "a"],
    ["a = b = 1\nb", "b"],
    ["a, b = 1, 2\na", "a"],
    ["total: int = 3", "total"],
    ["sum([1])", "asset_1"],
  ])("%j", (source, name) => expect(nameFor(source, new Set())).toBe(name));

  test("one that is taken gets a number", () => {
    expect(nameFor("a = 1", new Set(["a"]))).toBe("a_2");
    expect(nameFor("sum(x)", new Set(["asset_1", "asset_2"]))).toBe("asset_3");
  });
});

test("there and back", () => {
  const cell = "raw = read()\norders = raw[raw.paid]";
  expect(asPlain(asAsset(cell, "orders"))).toBe(cell);
  expect(asPlain("#| asset: orders\n#| group: shop\n\nraw[raw.paid]  # paid")).toBe("orders = raw[raw.paid]  # paid");
  expect(asPlain("# why\n%%asset shop/orders\nx = 1\n(x,\n 2)")).toBe("# why\nx = 1\norders = (x,\n 2)");
  expect(asPlain("#| check: orders\nTrue")).toBe("True");
});

test("what can become an asset", () => {
  expect(canBecomeAsset("orders = 1")).toBe(true);
  for (const source of ["", "  ", "%load_ext ipy_orch", "!ls", "%%time\nx", "#| op: f(x)\nx", "@asset\ndef a(): ..."]) {
    expect(canBecomeAsset(source)).toBe(false);
  }
});
