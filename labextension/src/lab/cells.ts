/** What the text of a cell says: whether it is an asset's, and how it becomes one and a plain cell again. */

import { parser } from "@lezer/python";

/** The lines on top of a cell that make it an asset or a check; comments and blank lines may stand above. */
export interface Head {
  readonly kind: "asset" | "check";
  /** The asset's key, as it is written. */
  readonly name: string;
  /** Its first line, and the line after its last one. */
  readonly start: number;
  readonly end: number;
}

const MAGIC = /^%%(asset|asset_check)(?![\w?])[ \t]*([^\s]*)/; // `%%asset?` asks for help
const DIRECTIVE = /^#\|/;
const NAMING = /^#\|\s*(asset|check)\s*:\s*["']?([^"'\s]*)/;

/** Return the head of an asset's or a check's cell, null for any other; as `head_of` in ipy_orch/authoring/cells/cells.py does. */
export function headOf(source: string): Head | null {
  const lines = source.split("\n");
  let start = 0;
  while (start < lines.length && (!lines[start].trim() || (lines[start].startsWith("#") && !DIRECTIVE.test(lines[start])))) start++;
  if (start === lines.length) return null;
  const magic = MAGIC.exec(lines[start]);
  if (magic) return { kind: magic[1] === "asset" ? "asset" : "check", name: magic[2], start, end: start + 1 };
  let end = start;
  while (end < lines.length && DIRECTIVE.test(lines[end])) end++;
  for (const line of lines.slice(start, end)) {
    const naming = NAMING.exec(line);
    if (naming) return { kind: naming[1] as Head["kind"], name: naming[2], start, end };
  }
  return null;
}

/** Return whether a cell defines assets with a decorator. */
export function isDecorated(source: string): boolean {
  return /^@(\w+\.)?(asset|multi_asset|graph_asset|graph_multi_asset)\b/m.test(source);
}

/** Return whether a cell may be made an asset: it has code, and is no magic, definition or directive of another kind. */
export function canBecomeAsset(source: string): boolean {
  const text = source.trim();
  return text !== "" && !/^\s*(%|!|#\|\s*(op|asset|check)\s*:)/m.test(text) && !isDecorated(source);
}

interface Statement {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** The names that it assigns at the top level. */
  readonly names: readonly string[];
}

/** Return the statements of a cell's top level, in order. */
function statementsOf(source: string): Statement[] {
  const found: Statement[] = [];
  for (let node = parser.parse(source).topNode.firstChild; node; node = node.nextSibling) {
    if (node.name === "Comment") continue;
    const names: string[] = [];
    if (node.name === "AssignStatement" || node.name === "UpdateStatement") {
      for (let part = node.firstChild; part && part.name !== "AssignOp" && part.name !== "UpdateOp"; part = part.nextSibling) {
        if (part.name === "VariableName") names.push(source.slice(part.from, part.to));
      }
    }
    found.push({ kind: node.name, from: node.from, to: node.to, names });
  }
  return found;
}

/** Return the name that an asset of this cell would have: the last that is assigned, else the one on the last line. */
export function nameFor(source: string, taken: ReadonlySet<string>): string {
  const statements = statementsOf(source);
  const last = statements.at(-1);
  const shown = last && last.kind === "ExpressionStatement" ? /^[A-Za-z]\w*$/.exec(source.slice(last.from, last.to).trim())?.[0] : undefined;
  const assigned = statements.flatMap((one) => one.names).filter((name) => !name.startsWith("_"));
  const wanted = shown ?? assigned.at(-1) ?? "asset_1";
  for (let i = 2; ; i++) {
    const name = i === 2 ? wanted : `${wanted.replace(/_\d+$/, "")}_${i - 1}`;
    if (!taken.has(name)) return name;
  }
}

/** Return the cell with `#| asset: name` on top. */
export function asAsset(source: string, name: string): string {
  return `#| asset: ${name}\n${source}`;
}

/** Return the cell without its head; what it ends with is assigned to the asset's name, where nothing else is. */
export function asPlain(source: string): string {
  const head = headOf(source);
  if (!head) return source;
  const lines = source.split("\n");
  const body = [...lines.slice(0, head.start), ...lines.slice(head.end)].join("\n").replace(/^\n+/, "");
  const name = head.name.slice(head.name.lastIndexOf("/") + 1);
  const statements = statementsOf(body);
  const last = statements.at(-1);
  const bound = statements.some((one) => one.names.includes(name));
  if (head.kind !== "asset" || !last || last.kind !== "ExpressionStatement" || bound || !/^[A-Za-z_]\w*$/.test(name)) return body;
  return `${body.slice(0, last.from)}${name} = ${body.slice(last.from)}`;
}
