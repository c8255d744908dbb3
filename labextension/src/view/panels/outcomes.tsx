/** What runs left behind: the value, the output, the history. */

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { OutputChunk, RunLine } from "../../protocol.js";
import { ago, bytes, clock, duration, plain } from "../format.js";
import type { Value } from "../state/graph.js";
import { STEP_LOOKS } from "../status.js";
import { Glyph, useActions } from "./parts.js";
import { Preview } from "./preview.js";

export function Output({ chunks }: { chunks: readonly OutputChunk[] }): JSX.Element {
  return (
    <div class="ipyo-output" tabIndex={0} role="group" aria-label="Output">
      {chunks.map((chunk, i) =>
        chunk.mime && chunk.data ? (
          <Picture key={i} mime={chunk.mime} data={chunk.data} label="Displayed image" />
        ) : (
          <pre key={i} class={`is-${chunk.kind}`}>
            {chunk.level ? `${chunk.level}: ` : ""}
            {plain(chunk.text ?? "")}
          </pre>
        ),
      )}
    </div>
  );
}

export function Runs({ runs }: { runs: readonly RunLine[] }): JSX.Element {
  const actions = useActions();
  const longest = Math.max(0.001, ...runs.map((run) => run.seconds ?? 0));
  return (
    <table class="ipyo-runs">
      <thead>
        <tr>
          <th>status</th>
          <th>when</th>
          <th>took</th>
          <th>why</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.run_id} title={plain(`Run ${run.run_id}${run.message ? `\n${run.message}` : ""}`)}>
            <td>
              <span class="ipyo-row">
                <Glyph look={STEP_LOOKS[run.status]} size={12} />
                <button type="button" class="ipyo-link" onClick={() => void actions.showRun(run.run_id)} aria-label={`${run.status}: show the run's timeline`}>
                  {run.status}
                </button>
              </span>
            </td>
            <td title={run.when != null ? clock(run.when) : ""}>{run.when != null ? ago(run.when) : ""}</td>
            <td>
              <span class="ipyo-took">
                <i style={{ width: `${(34 * (run.seconds ?? 0)) / longest}px` }} />
                {duration(run.seconds ?? 0)}
              </span>
            </td>
            <td class="ipyo-soft">{plain(run.message || run.reason || "")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function ValueView({ id, value, stamp, comparable }: { id: string; value: Value; stamp: string; comparable: boolean }): JSX.Element | null {
  if (value.kind === "table") return <Preview id={id} value={value} stamp={stamp} comparable={comparable} />;
  if (value.kind === "image") return <Picture mime={value.mime} data={value.data} label={`${id}: ${value.type}`} />;
  if (value.kind === "none") return null;
  return (
    <>
      <p class="ipyo-soft">
        {plain(value.type)}
        {value.nbytes ? ` · ${bytes(value.nbytes)}` : ""}
      </p>
      <pre class="ipyo-text" tabIndex={0} role="group" aria-label="Value">
        {plain(value.text)}
        {value.cut ? "\n…" : ""}
      </pre>
    </>
  );
}

const MIMES = new Set(["image/png", "image/jpeg", "image/svg+xml"]);

/** Show an image by an <img>, in which no script runs, also not that of an SVG. */
function Picture({ mime, data, label }: { mime: string; data: string; label: string }): JSX.Element | null {
  const source = useMemo(() => (MIMES.has(mime) && /^[A-Za-z0-9+/=\s]*$/.test(data) ? `data:${mime};base64,${data}` : null), [mime, data]);
  const [large, setLarge] = useState(false);
  useEffect(() => setLarge(false), [source]);
  return source ? (
    <button type="button" class={`ipyo-picture ${large ? "is-large" : ""}`} onClick={() => setLarge(!large)} aria-label={`${plain(label)}. ${large ? "Smaller" : "Larger"}`}>
      <img src={source} alt={plain(label)} />
    </button>
  ) : null;
}

