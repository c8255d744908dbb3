/** The assets of a notebook in order of lineage, each a step away from its cell. */

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { plain, plural } from "../view/format.js";
import { Button, Glyph } from "../view/panels/parts.js";
import { notFresh, runnable, staleIds } from "../view/panels/commands.js";
import { nameOf } from "../view/state/graph.js";
import { lookOf, sentence, wordOf } from "../view/status.js";
import type { Node } from "../protocol.js";
import type { Link } from "./link.js";

const MOST = 500; // lines; more of them are found by the search of the lineage

interface Props {
  readonly link: Link;
  /** The cell that is active in the notebook. */
  readonly active: string | null;
  readonly goTo: (cell: string) => void;
  readonly showDetails: (id: string) => void;
}

export function Outline({ link, active, goTo, showDetails }: Props): JSX.Element {
  useSignal(link);
  const box = useRef<HTMLUListElement>(null);
  const nodes = link.state.graph?.nodes ?? [];
  const open = link.state.graph ? notFresh(link.state.graph).length : 0;
  const stale = link.state.graph ? staleIds(link.state.graph) : []; // those of them that a click brings up to date
  const [chosen, setAt] = useState(0);
  const at = Math.min(chosen, Math.max(0, Math.min(nodes.length, MOST) - 1)); // another notebook has fewer
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = Math.max(0, Math.min(to, Math.min(nodes.length, MOST) - 1));
    setAt(next);
    box.current?.querySelectorAll<HTMLElement>(".ipyo-outline-name")[next]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="ipyo-outline">
      <div class="ipyo-outline-head">
        <span class="ipyo-soft ipyo-grow">{open ? `${plural(nodes.length, "asset")}, ${open} not fresh` : plural(nodes.length, "asset")}</span>
        <Button icon="play" kind="primary" disabled={!stale.length} onClick={() => link.tell({ kind: "materialize", stale: true })}>
          Materialize stale
        </Button>
      </div>
      {nodes.length === 0 && <p class="ipyo-soft ipyo-outline-none">There are no assets yet.</p>}
      <ul ref={box} aria-label="Assets in order of lineage" onKeyDown={onKeyDown}>
        {nodes.slice(0, MOST).map((node, i) => (
          <Line key={node.id} node={node} current={node.cell?.id === active && active !== null} reachable={i === at} goTo={goTo} showDetails={showDetails} link={link} />
        ))}
      </ul>
      {nodes.length > MOST && <p class="ipyo-soft ipyo-outline-none">and {plural(nodes.length - MOST, "asset")} more</p>}
    </div>
  );
}

interface LineProps {
  readonly node: Node;
  readonly current: boolean;
  readonly reachable: boolean;
  readonly link: Link;
  readonly goTo: (cell: string) => void;
  readonly showDetails: (id: string) => void;
}

function Line({ node, current, reachable, link, goTo, showDetails }: LineProps): JSX.Element {
  const look = lookOf(node);
  const { name, path } = nameOf(node);
  const cell = node.cell?.id;
  const told = plain(sentence(node));
  const own = runnable(link.state.graph!, [node.id]);
  return (
    <li class={current ? "is-current" : ""}>
      <button
        type="button"
        class="ipyo-outline-name"
        tabIndex={reachable ? 0 : -1}
        aria-current={current ? "true" : undefined}
        aria-label={`${node.id}: ${told}. ${cell ? `Go to ${node.cell!.label}.` : "Show its details."}`}
        title={`${plain(node.id)}: ${told}`}
        onClick={() => (cell ? goTo(cell) : showDetails(node.id))}
      >
        <Glyph look={look} size={13} />
        <span class="ipyo-outline-id">
          {path && <span class="ipyo-soft">{plain(path)}</span>}
          {plain(name)}
        </span>
        <span class="ipyo-soft ipyo-outline-word">{wordOf(node)}</span>
        <span class="ipyo-faint ipyo-outline-cell">{node.cell?.label.replace(/^Cell In/, "") ?? ""}</span>
      </button>
      <Button icon="play" kind="quiet" label={`Materialize ${plain(node.id)}`} disabled={!own.length} onClick={() => link.tell({ kind: "materialize", ids: own })} />
      <Button icon="graph" kind="quiet" label={`Details of ${plain(node.id)}`} onClick={() => showDetails(node.id)} />
    </li>
  );
}

/** Be drawn again when the graph changes. */
function useSignal(link: Link): void {
  const [, count] = useState(0);
  // Not after the next paint: a graph that came meanwhile would never be shown.
  useLayoutEffect(() => {
    const changed = (): void => count((before) => before + 1);
    link.changed.connect(changed);
    return () => void link.changed.disconnect(changed);
  }, [link]);
}
