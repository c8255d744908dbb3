import { describe, expect, it } from "vitest";

import { findingsAt, read, resolved, typed, variantOf, variants, variantTitle, widgetOf, withEdits, within, written } from "../src/view/state/config.js";

describe("run config", () => {
  it("is read and written at paths, and not changed in place", () => {
    const config = { ops: { a: { config: { limit: 1 } } } };
    const next = written(config, "ops.a.config.limit", 2);
    expect(read(next, "ops.a.config.limit")).toBe(2);
    expect(read(config, "ops.a.config.limit")).toBe(1);
    expect(read(written(next, "ops.a.config.limit", undefined), "ops.a.config")).toEqual({});
    expect(read(written({}, "resources.db.config.host", "x"), "resources.db.config.host")).toBe("x");
  });

  it("takes a field called __proto__ as a field", () => {
    const next = written({}, "__proto__.polluted", true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.hasOwn(next, "__proto__")).toBe(true);
  });

  it("takes over only edits that concern its sections", () => {
    const edits = new Map<string, number | undefined>([
      ["ops.a.config.limit", 5],
      ["ops.b.config.limit", 6],
      ["ops.a.config.gone", undefined],
    ]);
    const sections = [{ path: "ops.a.config", title: "a", kind: "op" as const, schema: {} }];
    expect(withEdits({ ops: { a: { config: { gone: 1 } } } }, edits, sections)).toEqual({ ops: { a: { config: { limit: 5 } } } });
  });
});

describe("findings", () => {
  it("are of a path and of what is in it", () => {
    expect(["a.b", "a.b.c", "a.b[0].c"].every((path) => within(path, "a.b"))).toBe(true);
    expect(["a.bc", "a", "b.a.b"].some((path) => within(path, "a.b"))).toBe(false);
  });

  it("stay with the whole where none of its fields is concerned", () => {
    const findings = ["s.a", "s.b[0]", "s.zzz", "s", "t.a"].map((path) => ({ path, message: path }));
    expect(findingsAt(findings, "s", ["a", "b"]).map((one) => one.path)).toEqual(["s.zzz", "s"]);
    expect(findingsAt(findings, "s.b").map((one) => one.path)).toEqual(["s.b[0]"]);
  });
});

describe("schemas", () => {
  it("follow references, and stop where they go round", () => {
    const root = { $defs: { A: { type: "string", title: "A" }, B: { $ref: "#/$defs/B" } } };
    expect(resolved({ $ref: "#/$defs/A", description: "x" }, root)).toEqual({ type: "string", title: "A", description: "x" });
    expect(resolved({ $ref: "#/$defs/B" }, root)).toBeTypeOf("object");
    expect(resolved({ $ref: "#/$defs/None" }, root)).toEqual({});
  });

  it("take an optional field as the field itself", () => {
    const { options, nullable } = variants({ anyOf: [{ type: "integer" }, { type: "null" }], default: null, description: "d" }, {});
    expect(nullable).toBe(true);
    expect(options).toEqual([{ type: "integer", default: null, description: "d" }]);
  });

  it("call alternatives by their own names, not by that of the field", () => {
    const choice = (name: string) => ({ title: name, type: "object", properties: { [name]: { type: "object" } } });
    expect(variants({ oneOf: [choice("a"), choice("b")], title: "Un" }, {}).options.map(variantTitle)).toEqual(["a", "b"]);
    const { options } = variants({ anyOf: [{ type: "string" }, { type: "object" }], title: "Url", writeOnly: true }, {});
    expect(options.map(variantTitle)).toEqual(["string", "object"]);
    expect(options.map((option) => widgetOf(option, false))).toEqual(["secret", "secret"]);
  });

  it.each([
    [{ type: "boolean" }, "switch"],
    [{ enum: ["a"] }, "choice"],
    [{ type: "string", format: "password" }, "secret"],
    [{ type: "array", items: { type: "string" } }, "list"],
    [{ type: "array", items: { type: "object" } }, "json"],
    [{ type: "object", properties: {} }, "object"],
    [{ type: "object", additionalProperties: { type: "number" } }, "map"],
    [{}, "json"],
  ])("choose a widget for %o", (schema, widget) => expect(widgetOf(schema, false)).toBe(widget));

  it("keep a wrong number as it is typed, for pydantic to say what is wrong", () => {
    expect(typed("12", { type: "integer" })).toBe(12);
    expect(typed("abc", { type: "integer" })).toBe("abc");
    expect(typed("1.5", { type: "number" })).toBe(1.5);
    expect(typed("12", { type: "string" })).toBe("12");
    expect(typed("", { type: "integer" })).toBeUndefined();
    expect(typed("9007199254740993", { type: "integer" })).toBe("9007199254740993");
  });

  it("find the alternative that a value is of", () => {
    const options = [
      { type: "object", properties: { kind: { const: "csv" }, sep: {} } },
      { type: "object", properties: { kind: { const: "parquet" } } },
      { type: "string" },
    ];
    expect(variantOf({ kind: "parquet" }, options)).toBe(1);
    expect(variantOf("x", options)).toBe(2);
  });
});
