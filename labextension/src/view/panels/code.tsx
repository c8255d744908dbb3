/** Code in colours (Lezer's Python grammar, which JupyterLab's editor has too), and lines of a difference. */

import { highlightTree, tagHighlighter, tags } from "@lezer/highlight";
import { parser } from "@lezer/python";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";

import { plain } from "../format.js";
import { Button } from "./parts.js";

const CLASSES = tagHighlighter([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], class: "k" },
  { tag: [tags.string, tags.special(tags.string)], class: "s" },
  { tag: [tags.number, tags.bool, tags.null], class: "n" },
  { tag: [tags.comment, tags.lineComment], class: "c" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.meta], class: "f" },
]);

/** Above so many characters code is shown in one colour. */
const MOST = 60_000;

function pieces(text: string): JSX.Element[] {
  const found: JSX.Element[] = [];
  let at = 0;
  const add = (to: number, kind: string): void => {
    if (to > at) found.push(<span key={at} class={kind ? `ipyo-${kind}` : undefined}>{text.slice(at, to)}</span>);
    at = to;
  };
  highlightTree(parser.parse(text), CLASSES, (from, to, kind) => {
    add(from, "");
    add(to, kind);
  });
  add(text.length, "");
  return found;
}

export function CodeBlock({ text, language = "python", where }: { text: string; language?: string; where?: string }): JSX.Element {
  const shown = useMemo(() => plain(text), [text]);
  const parts = useMemo(() => (language === "python" && shown.length < MOST ? pieces(shown) : shown), [shown, language]);
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard?.writeText(text).then(() => setCopied(true));
  };
  return (
    <div class="ipyo-code">
      <pre tabIndex={0} role="group" aria-label={where ? `Code, ${where}` : "Code"}>
        {parts}
      </pre>
      <Button icon="copy" kind="quiet" class="ipyo-copy" label={copied ? "Copied" : "Copy"} onClick={copy} />
    </div>
  );
}

/** Show the lines of a difference; what was added or removed has a sign, not only a colour. */
export function Difference({ lines }: { lines: readonly string[] }): JSX.Element {
  return (
    <pre class="ipyo-diff" tabIndex={0} role="group" aria-label="Difference">
      {lines.map((line, i) => {
        const kind = line.startsWith("+") ? "is-added" : line.startsWith("-") ? "is-removed" : "";
        return (
          <span key={i} class={kind}>
            {plain(line)}
            {"\n"}
          </span>
        );
      })}
    </pre>
  );
}
