/** What is said in passing, and the help. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { plain } from "../format.js";
import { Button, Glyph, useActions, useView } from "./parts.js";
import type { Look } from "../status.js";
import type { Note } from "../state/store.js";

const LOOK: Readonly<Record<Note["level"], Look>> = { info: "unknown", success: "fresh", warning: "stale", error: "failed" };

export function Notes(): JSX.Element {
  const { notes } = useView();
  return (
    <div class="ipyo-notes">
      {notes.map((note) => (
        <NoteCard key={note.key} note={note} />
      ))}
    </div>
  );
}

function NoteCard({ note }: { note: Note }): JSX.Element {
  const actions = useActions();
  useEffect(() => {
    const timer = setTimeout(() => actions.dismiss(note.key), note.level === "error" ? 12_000 : 5_000);
    return () => clearTimeout(timer);
  }, [actions, note]);
  return (
    <div class={`ipyo-note is-${note.level}`}>
      <Glyph look={LOOK[note.level]} />
      <div>
        <div>{plain(note.text)}</div>
        {note.hint && <div class="ipyo-soft">{plain(note.hint)}</div>}
      </div>
      <Button icon="close" kind="quiet" label="Dismiss" onClick={() => actions.dismiss(note.key)} />
    </div>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ["← →", "along the edges, upstream and downstream; in a graph from top to bottom ↑ ↓"],
  ["↑ ↓", "along the column; in a graph from top to bottom ← → along the row"],
  ["Enter", "open the details; unfold a group"],
  ["Space", "select, one more or one less"],
  ["M", "materialize what is selected"],
  ["C", "configure: the launchpad"],
  ["F", "focus on the neighbours"],
  ["G", "fold or unfold the group"],
  ["[  ]", "fold, unfold all groups"],
  ["+  −  0", "zoom, show all"],
  ["⇧ arrows", "move the view"],
  ["D", "from left to right, or from top to bottom"],
  ["L", "graph or list"],
  ["T", "timeline of the run"],
  ["/", "search"],
  ["Esc", "close, show all, select nothing"],
];

export function Help(): JSX.Element | null {
  const actions = useActions();
  const { help } = useView();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!help) return;
    const before = box.current!.ownerDocument.activeElement as HTMLElement | null;
    box.current!.querySelector("button")?.focus();
    return () => before?.focus({ preventScroll: true });
  }, [help]);
  if (!help) return null;
  const close = (): void => actions.store.set({ help: false });
  return (
    <div class="ipyo-veil" onClick={close}>
      <div
        class="ipyo-help"
        role="dialog"
        aria-modal="true"
        aria-label="Keys"
        ref={box}
        onClick={(event) => event.stopPropagation()}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          event.stopPropagation();
        }}
      >
        <div class="ipyo-panel-head">
          <h2>Keys</h2>
          <Button icon="close" kind="quiet" label="Close" onClick={close} />
        </div>
        <dl>
          {KEYS.map(([key, text]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <p class="ipyo-soft">Drag moves the view, Shift and drag frames cards, the wheel zooms once the graph has the focus (or with Ctrl).</p>
      </div>
    </div>
  );
}
