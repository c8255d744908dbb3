/** Run config as data: read and write at paths, and what a JSON schema says of a field. Pure. */

import type { Finding, Json, Section } from "../../protocol.js";

export type Config = { [name: string]: Json };
export type Schema = { readonly [name: string]: Json };

export function isObject(value: Json | undefined): value is Config {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Return the value at a path such as `ops.orders.config.limit`; undefined where there is none. */
export function read(config: Config, path: string): Json | undefined {
  let value: Json | undefined = config;
  for (const name of path.split(".")) {
    if (Array.isArray(value)) value = value[Number(name)];
    else value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Return the config with another value at a path; undefined takes the value away. */
export function written(config: Config, path: string, value: Json | undefined): Config {
  const [name, ...rest] = path.split(".");
  const copy: Config = { ...config };
  if (rest.length) {
    const inner = Object.hasOwn(copy, name) ? copy[name] : undefined;
    const next = written(isObject(inner) ? inner : {}, rest.join("."), value);
    if (Object.keys(next).length || isObject(inner)) define(copy, name, next);
  } else if (value === undefined) delete copy[name];
  else define(copy, name, value);
  return copy;
}

/** A field may be called `__proto__`, and is then a field like any other. */
function define(config: Config, name: string, value: Json): void {
  Object.defineProperty(config, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Return the config with edits made elsewhere, as far as they concern its sections. */
export function withEdits(config: Config, edits: ReadonlyMap<string, Json | undefined>, sections: readonly Section[]): Config {
  let result = config;
  for (const [path, value] of edits) {
    if (sections.some((section) => path.startsWith(`${section.path}.`))) result = written(result, path, value);
  }
  return result;
}

/** Return what a schema refers to (`$ref`), with what stands beside the reference. */
export function resolved(schema: Schema, root: Schema): Schema {
  let result = schema;
  for (let depth = 0; typeof result["$ref"] === "string" && depth < 20; depth++) {
    const { $ref: reference, ...beside } = result;
    let found: Json | undefined = root as Config;
    for (const name of String(reference).replace(/^#\//, "").split("/")) found = isObject(found) ? found[name] : undefined;
    result = { ...(isObject(found) ? found : {}), ...beside };
  }
  if (Array.isArray(result["allOf"]) && result["allOf"].length === 1 && isObject(result["allOf"][0])) {
    const { allOf, ...beside } = result;
    return { ...resolved((allOf as Config[])[0], root), ...beside };
  }
  return result;
}

/** Tell whether a path is another one, or of something inside it. */
export function within(path: string, holder: string): boolean {
  return path.startsWith(holder) && [undefined, ".", "["].includes(path[holder.length]);
}

/** Return what is wrong at a path, and below it where none of the fields shown there is concerned: nothing goes unsaid. */
export function findingsAt(findings: readonly Finding[], path: string, fields: readonly string[] = []): Finding[] {
  return findings.filter((one) => one.path && within(one.path, path) && !fields.some((name) => within(one.path!, `${path}.${name}`)));
}

/** Return the names of the fields of an object. */
export function fieldsOf(schema: Schema): string[] {
  return isObject(schema["properties"]) ? Object.keys(schema["properties"]) : [];
}

export interface Variants {
  readonly options: readonly Schema[];
  readonly nullable: boolean;
}

/** Return the alternatives of a field, null apart; one where there is no choice. */
export function variants(schema: Schema, root: Schema): Variants {
  const list = (schema["anyOf"] ?? schema["oneOf"]) as Json;
  if (!Array.isArray(list)) return { options: [schema], nullable: false };
  const { anyOf: _any, oneOf: _one, ...beside } = schema;
  const { title: _title, ...shared } = beside; // the field's name, which says nothing of an alternative
  const all = list.filter(isObject).map((option) => resolved(option, root));
  const real = all.filter((option) => option["type"] !== "null");
  const options = real.map((option) => (real.length === 1 ? { ...option, ...beside } : { ...shared, ...option }));
  return { options, nullable: real.length < all.length };
}

export type Widget = "choice" | "switch" | "number" | "text" | "secret" | "list" | "map" | "object" | "json";

/** Return how a field is edited. */
export function widgetOf(schema: Schema, secret: boolean): Widget {
  if (secret || schema["format"] === "password" || schema["writeOnly"] === true) return "secret";
  if (Array.isArray(schema["enum"]) || schema["const"] !== undefined) return "choice";
  const { type } = schema;
  if (type === "boolean") return "switch";
  if (type === "integer" || type === "number") return "number";
  if (type === "string") return "text";
  if (type === "array" && isObject(schema["items"]) && ["string", "integer", "number"].includes(String(schema["items"]["type"]))) return "list";
  if (type === "object" && isObject(schema["properties"])) return "object";
  if (type === "object" && isObject(schema["additionalProperties"]) && ["string", "integer", "number"].includes(String(schema["additionalProperties"]["type"]))) return "map";
  return "json";
}

/** Return a typed text as what it spells: a number where one is wanted and it is one, else the text as it stands. */
export function typed(text: string, schema: Schema): Json | undefined {
  if (text === "") return schema["type"] === "string" ? "" : undefined;
  if (schema["type"] !== "integer" && schema["type"] !== "number") return text;
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && (schema["type"] === "number" || Number.isSafeInteger(value)) ? value : text;
}

/** Return the titles of alternatives, to choose among. */
export function variantTitle(schema: Schema): string {
  const fixed = isObject(schema["properties"]) ? Object.values(schema["properties"]).find((one) => isObject(one) && one["const"] !== undefined) : undefined;
  return String(schema["title"] ?? (isObject(fixed) ? fixed["const"] : undefined) ?? schema["type"] ?? "value");
}

/** Return which alternative a value is nearest to. */
export function variantOf(value: Json | undefined, options: readonly Schema[]): number {
  const kind = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  const fits = (schema: Schema): number => {
    const type = String(schema["type"] ?? "");
    if (kind === "number" && (type === "number" || type === "integer")) return 1;
    if (kind !== type) return 0;
    if (!isObject(value) || !isObject(schema["properties"])) return 1;
    return Object.entries(schema["properties"]).reduce((sum, [name, one]) => {
      if (isObject(one) && one["const"] !== undefined) return sum + (value[name] === one["const"] ? 10 : -10);
      return sum + (Object.hasOwn(value, name) ? 1 : 0);
    }, 1);
  };
  let best = 0;
  options.forEach((option, i) => {
    if (fits(option) > fits(options[best])) best = i;
  });
  return best;
}
