/** The partitions of an asset: a bar, or a grid of two dimensions, to see, choose and run them. */

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import type { Backfill, Node } from "../../protocol.js";
import { plain, plural } from "../format.js";
import { PARTITION_WORDS, type Partitions, type Span } from "../state/partitions.js";
import { isRunning } from "../status.js";
import { Section } from "./details.js";
import { Button, Glyph, useActions, useView } from "./parts.js";

/** Into how many parts a row is drawn at most, and into how many rows a grid. */
const MOST_PARTS = 120;
const MOST_LINES = 40;
/** From how many rows on their keys don't stand beside them. */
const NAMED_LINES = 12;

type Only = NonNullable<Backfill["only"]>;

export function PartitionSection({ node }: { node: Node }): JSX.Element {
  const { partitions } = useView();
  const parts = partitions?.id === node.id ? partitions : null;
  const fresh = parts?.counts(null).get("fresh") ?? 0;
  return (
    <Section title="Partitions" {...(parts ? { note: `${fresh.toLocaleString("en-US")} of ${parts.total.toLocaleString("en-US")} fresh` } : {})}>
      {parts ? <Chooser parts={parts} node={node} /> : <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>}
    </Section>
  );
}

function Chooser({ parts, node }: { parts: Partitions; node: Node }): JSX.Element {
  const { span } = useView();
  const [hover, setHover] = useState<number | null>(null);
  const [focused, setFocused] = useState(false);
  if (!parts.total) return <p class="ipyo-soft">There are no partitions yet.</p>;
  const looked = hover ?? (focused && span ? span.head : null);
  return (
    <div class="ipyo-partitions">
      <Field parts={parts} span={span} hover={setHover} focus={setFocused} />
      <Readout parts={parts} at={looked} />
      <Legend parts={parts} />
      {node.kind !== "external" && <Running parts={parts} node={node} span={span} />}
    </div>
  );
}

// -- the bar or grid --------------------------------------------------------------------------------------------------

interface FieldProps {
  readonly parts: Partitions;
  readonly span: Span | null;
  readonly hover: (at: number | null) => void;
  readonly focus: (on: boolean) => void;
}

function Field({ parts, span, hover, focus }: FieldProps): JSX.Element {
  const actions = useActions();
  const area = useRef<HTMLDivElement>(null);
  const anchor = useRef<number | null>(null);
  const lines = linesOf(parts);
  const named = parts.down.length > 0 && parts.lines <= NAMED_LINES;
  const under = (event: PointerEvent): number => {
    const box = area.current!.getBoundingClientRect();
    const at = (share: number, many: number): number => Math.max(0, Math.min(many - 1, Math.floor(share * many)));
    return parts.at(at((event.clientX - box.left) / (box.width || 1), parts.columns), at((event.clientY - box.top) / (box.height || 1), parts.lines));
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    area.current!.setPointerCapture?.(event.pointerId);
    const at = under(event);
    anchor.current = event.shiftKey && span ? span.anchor : at;
    actions.choose({ anchor: anchor.current, head: at });
  };
  const move = (event: PointerEvent): void => {
    const at = under(event);
    hover(at);
    if (anchor.current !== null) actions.choose({ anchor: anchor.current, head: at });
  };
  const up = (): void => {
    anchor.current = null;
    if (span) actions.sayChosen();
  };
  const key = (event: KeyboardEvent): void => {
    const { span } = actions.state; // keys may come faster than it is drawn
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key !== "a" || event.altKey) return;
      actions.choose(parts.whole());
    } else if (event.key === "Escape" && span) actions.choose(null);
    else if (event.key === "Enter" && span) actions.runPartitions(span);
    else {
      const next = parts.moved(span, event.key, event.shiftKey);
      if (!next) return;
      actions.choose(next);
    }
    hover(null);
    event.preventDefault();
    event.stopPropagation();
  };
  const current = span?.head ?? 0;
  return (
    <div class={`ipyo-field-of ${named ? "is-named" : ""}`}>
      {named && (
        <div class="ipyo-line-names" aria-hidden="true">
          {parts.down.map((name) => (
            <span key={name} title={plain(name)}>
              {plain(name)}
            </span>
          ))}
        </div>
      )}
      <div
        class={`ipyo-cells ${parts.lines > 1 ? "is-grid" : ""} ${parts.columns <= MOST_PARTS / 2 ? "is-few" : ""}`}
        ref={area}
        role="slider"
        tabIndex={0}
        aria-label={`Partitions of ${plain(parts.id)}: arrows move, with Shift they choose a range, Enter materializes it`}
        aria-valuemin={1}
        aria-valuemax={parts.total}
        aria-valuenow={current + 1}
        aria-valuetext={span ? spokenOf(parts, span) : sayStatus(parts, current)}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onPointerLeave={() => anchor.current === null && hover(null)}
        onFocus={() => focus(true)}
        onBlur={() => focus(false)}
        onKeyDown={key}
      >
        {lines.map(([top, bottom]) => (
          <Line key={top} parts={parts} top={top} bottom={bottom} />
        ))}
        {span && <Chosen parts={parts} span={span} />}
      </div>
      <div class="ipyo-axis ipyo-soft" aria-hidden="true">
        <span>{plain(parts.across[0])}</span>
        {parts.dimensions.length > 0 && <span>{plain(named ? parts.names[0] : `${parts.names[0]} →  ${parts.names[1]} ↓`)}</span>}
        {parts.columns > 1 && <span>{plain(parts.across[parts.columns - 1])}</span>}
      </div>
    </div>
  );
}

/** Return the rows that are drawn, those of a tall grid several in one. */
function linesOf(parts: Partitions): [number, number][] {
  const many = Math.min(parts.lines, MOST_LINES);
  return Array.from({ length: many }, (_, i) => [Math.ceil((i * parts.lines) / many), Math.ceil(((i + 1) * parts.lines) / many) - 1]);
}

function Line({ parts, top, bottom }: { parts: Partitions; top: number; bottom: number }): JSX.Element {
  return (
    <div class="ipyo-line-of" aria-hidden="true">
      {parts.segments(top, bottom, MOST_PARTS).map((one) => (
        <i key={one.from} class={`ipyo-cell is-${one.word}`} style={{ flexGrow: one.many }} />
      ))}
    </div>
  );
}

function Chosen({ parts, span }: { parts: Partitions; span: Span }): JSX.Element {
  const { left, right, top, bottom } = parts.box(span);
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(4)}%`;
  return (
    <div
      class="ipyo-chosen"
      aria-hidden="true"
      style={{
        left: percent(left, parts.columns),
        width: percent(right - left + 1, parts.columns),
        top: percent(top, parts.lines),
        height: percent(bottom - top + 1, parts.lines),
      }}
    />
  );
}

// -- what it says -----------------------------------------------------------------------------------------------------

/** Say how a partition stands, and its neighbours that stand alike. */
function sayStatus(parts: Partitions, at: number): string {
  const { word, reason } = parts.status(at);
  return plain([parts.key(at), word, reason].filter(Boolean).join(", "));
}

export function spokenOf(parts: Partitions, span: Span): string {
  const many = parts.size(span);
  return many === 1 ? sayStatus(parts, span.head) : `${plain(parts.text(span))}, ${plural(many, "partition")} chosen`;
}

function Readout({ parts, at }: { parts: Partitions; at: number | null }): JSX.Element {
  if (at === null || at >= parts.total) {
    return <p class="ipyo-readout ipyo-soft">Drag, or Shift and arrows, to choose a range.</p>;
  }
  const { word, reason } = parts.status(at);
  const alike = parts.alike(at);
  const many = parts.size(alike);
  return (
    <p class="ipyo-readout">
      <Glyph look={word} size={12} />
      <b>{plain(parts.key(at))}</b> {word}
      {reason && <span class="ipyo-soft"> · {plain(reason)}</span>}
      {many > 1 && (
        <span class="ipyo-soft">
          {" "}
          · {many.toLocaleString("en-US")} alike, {plain(parts.text(alike))}
        </span>
      )}
    </p>
  );
}

function Legend({ parts }: { parts: Partitions }): JSX.Element {
  const counts = parts.counts(null);
  return (
    <ul class="ipyo-legend" aria-label="Partitions by status">
      {[...PARTITION_WORDS].reverse().map(
        (word) =>
          counts.has(word) && (
            <li key={word}>
              <i class={`ipyo-cell is-${word}`} aria-hidden="true" />
              {word} <b>{counts.get(word)!.toLocaleString("en-US")}</b>
            </li>
          ),
      )}
    </ul>
  );
}

// -- running ----------------------------------------------------------------------------------------------------------

function Running({ parts, node, span: chosen }: { parts: Partitions; node: Node; span: Span | null }): JSX.Element {
  const actions = useActions();
  const { run } = useView();
  const [draft, setDraft] = useState<{ readonly text: string; readonly over: Span | null } | null>(null);
  // Another choice, made with the pointer or by keys, takes the place of what was typed.
  const typed = draft?.over === chosen ? (draft?.text ?? null) : null;
  // What is typed counts at once: a button must never run something else than the field beside it says.
  const span = typed === null ? chosen : typed.trim() ? parts.read(typed) : null;
  const wrong = !!typed?.trim() && !span;
  const idle = isRunning(run) || wrong;
  const counts = parts.counts(span);
  const many = span ? parts.size(span) : parts.total;
  const behind = many - (counts.get("fresh") ?? 0);
  const [missing, failed] = [counts.get("missing") ?? 0, counts.get("failed") ?? 0];
  const what = span ? "of what is chosen" : "of all partitions";
  const start = (only: Only): void => actions.backfill(node.id, only, span);
  const number = (value: number): string => value.toLocaleString("en-US");
  return (
    <>
      <Typed parts={parts} span={chosen} typed={typed} wrong={wrong} setTyped={(text) => setDraft(text === null ? null : { text, over: chosen })} />
      <div class="ipyo-row ipyo-runs-of">
        <Button icon="play" kind={behind ? "primary" : "plain"} disabled={idle || !behind} label={`Bring up to date what isn't fresh ${what}`} onClick={() => (span ? actions.runPartitions(span) : start("stale"))}>
          {wrong ? "Materialize" : behind ? `Materialize ${number(behind)}` : "All fresh"}
        </Button>
        <span class="ipyo-grow" />
        {missing > 0 && missing < behind && (
          <Button kind="quiet" disabled={idle} label={`Only what was never made ${what}`} onClick={() => start("missing")}>
            {`Missing ${number(missing)}`}
          </Button>
        )}
        {failed > 0 && failed < behind && (
          <Button kind="quiet" disabled={idle} label={`Only what failed the last time ${what}`} onClick={() => start("failed")}>
            {`Failed ${number(failed)}`}
          </Button>
        )}
        {many > behind && (
          <Button kind="quiet" disabled={idle} label={`Run also what is fresh ${what}`} onClick={() => start("all")}>
            {`All ${number(many)}`}
          </Button>
        )}
      </div>
    </>
  );
}

interface TypedProps {
  readonly parts: Partitions;
  readonly span: Span | null;
  /** What is typed and not chosen yet; null where nothing is. */
  readonly typed: string | null;
  readonly wrong: boolean;
  readonly setTyped: (text: string | null) => void;
}

/** What is chosen, as text: one may type it too. */
function Typed({ parts, span, typed, wrong, setTyped }: TypedProps): JSX.Element {
  const actions = useActions();
  const take = (text: string): void => {
    const read = text.trim() ? parts.read(text) : null;
    if (read || !text.trim()) {
      actions.choose(read);
      setTyped(null);
    }
  };
  const onKeyDown = (event: JSX.TargetedKeyboardEvent<HTMLInputElement>): void => {
    if (event.key === "Enter") take(event.currentTarget.value);
    else if (event.key === "Escape" && (typed !== null || span)) {
      setTyped(null);
      actions.choose(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="ipyo-typed">
      <input
        type="text"
        spellcheck={false}
        autocomplete="off"
        aria-label="Chosen partitions: a key, or a range first..last"
        aria-invalid={wrong ? "true" : undefined}
        placeholder={parts.dimensions.length ? `${parts.dimensions[0]}|${parts.dimensions[1]}, first..last|*` : "all partitions: choose, or type first..last"}
        value={typed ?? (span ? parts.text(span) : "")}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={(event) => typed !== null && take(event.currentTarget.value)}
      />
      {wrong && <span class="ipyo-wrong">no such partition</span>}
      {!wrong && span && <span class="ipyo-soft">{plural(parts.size(span), "partition")}</span>}
      {span && <Button icon="close" kind="quiet" label="Choose none" onClick={() => actions.choose(null)} />}
    </div>
  );
}
