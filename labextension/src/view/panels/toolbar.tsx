/** The bar on top: search, how things stand, how to look at them, and the button that runs. */

import { Fragment, type JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import { plain, plural } from "../format.js";
import { count, isRunning, LOOKS, lookOf, WORDS, type Look } from "../status.js";
import { isSelection } from "../state/search.js";
import { allFresh, entriesToRun, notFresh, openLaunchpad, runnable, staleIds } from "./commands.js";
import { Menu } from "./menu.js";
import { Button, Glyph, Icon, useActions, useUid, useView } from "./parts.js";

export function Toolbar({ reveal }: { reveal: (ids: readonly string[]) => void }): JSX.Element {
  const actions = useActions();
  const { mode, timed } = useView();
  return (
    <div class="ipyo-bar" role="group" aria-label="Lineage">
      <SearchBox reveal={reveal} />
      <Summary />
      <div class="ipyo-commands">
        <Environment />
        <div class="ipyo-segments" role="group" aria-label="View">
          <Button icon="graph" label="Graph" kind="quiet" pressed={mode === "graph"} onClick={() => actions.store.set({ mode: "graph" })} />
          <Button icon="list" label="List" kind="quiet" pressed={mode === "list"} onClick={() => actions.store.set({ mode: "list" })} />
          {(timed > 0 || mode === "automations") && (
            <Button icon="clock" label="Automations" kind="quiet" pressed={mode === "automations"} onClick={() => actions.store.set({ mode: "automations" })} />
          )}
        </div>
        <Run />
      </div>
    </div>
  );
}

/** Which resources are bound: a word where there's no choice. */
function Environment(): JSX.Element | null {
  const actions = useActions();
  const { environment, environments, run } = useView();
  if (environments.length < 2) return null;
  return (
    <select
      class="ipyo-environment"
      aria-label="Environment"
      title="The environment: what resources are bound to. What reads other ones there gets stale."
      disabled={isRunning(run)}
      value={environment || environments[0]}
      onChange={(event) => actions.useEnvironment(event.currentTarget.value)}
    >
      {environments.map((name) => (
        <option key={name} value={name}>
          {plain(name)}
        </option>
      ))}
    </select>
  );
}

function SearchBox({ reveal }: { reveal: (ids: readonly string[]) => void }): JSX.Element {
  const actions = useActions();
  const { search } = useView();
  const found = search.ids;
  const described = useUid();
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && search.text) actions.search("");
    else if (event.key === "Enter" && found?.length) {
      actions.selectAll(found);
      reveal(found);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={`ipyo-search ${search.problem ? "is-wrong" : ""}`} role="search">
      <Icon name="search" size={15} />
      <input
        type="text"
        spellcheck={false}
        autocomplete="off"
        placeholder="Search, or select: +orders"
        aria-label="Search assets, or type a selection such as +orders"
        aria-invalid={search.problem ? "true" : undefined}
        aria-describedby={described}
        value={search.text}
        onInput={(event) => actions.search(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        data-search
      />
      <span id={described} class="ipyo-search-found" title={search.problem ? `${search.problem} ${search.hint}` : undefined}>
        {search.problem ? "not valid" : found ? (found.length === 0 ? "none" : `${found.length} ↵`) : ""}
      </span>
      {!search.text && <kbd>/</kbd>}
      {search.text && <Button icon="close" kind="quiet" label="Clear the search" onClick={() => actions.search("")} />}
      {search.problem && isSelection(search.text) && (
        <div class="ipyo-search-problem" role="alert">
          {search.problem.split("\n")[0]}
          {search.problem.includes("\n") && <pre>{search.problem.slice(search.problem.indexOf("\n") + 1)}</pre>}
          {search.hint && <div class="ipyo-soft">{search.hint}</div>}
        </div>
      )}
    </div>
  );
}

/** How many assets have which status; a click selects them. */
function Summary(): JSX.Element | null {
  const actions = useActions();
  const { graph, revision } = useView();
  const cached = useRef<{ revision: number; counts: Map<Look, number> }>({ revision: -1, counts: new Map() });
  if (!graph) return null;
  if (cached.current.revision !== revision) cached.current = { revision, counts: count(graph.nodes) };
  const { counts } = cached.current;
  return (
    <div class="ipyo-summary" role="group" aria-label="Assets by status">
      {LOOKS.filter((look) => counts.has(look)).map((look) => (
        <button
          key={look}
          type="button"
          class="ipyo-count"
          title={`${plural(counts.get(look)!, "asset")}: ${WORDS[look].toLowerCase()}. Click to select.`}
          aria-label={`${WORDS[look]}: ${counts.get(look)}. Select these.`}
          onClick={() => actions.selectAll(graph.nodes.filter((node) => lookOf(node) === look).map((node) => node.id))}
        >
          <Glyph look={look} size={13} />
          {counts.get(look)!.toLocaleString("en-US")}
        </button>
      ))}
    </div>
  );
}

/** The button that runs: what is selected, else what isn't fresh. */
function Run(): JSX.Element | null {
  const actions = useActions();
  const { graph, run, selected } = useView();
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const split = useRef<HTMLDivElement>(null);
  if (!graph) return null;
  const ids = runnable(graph, actions.selectedIds());
  const stale = staleIds(graph);
  const parted = stale.length ? [] : notFresh(graph); // all of it partitioned: which of them, is asked in the details
  const busy = isRunning(run);
  const rest = stale.length ? `Materialize stale (${stale.length})` : parted.length ? "Choose partitions" : allFresh(graph) ? "All fresh" : busy ? "Running" : "Materialize";
  const text = selected.size ? (ids.length === 1 ? "Materialize" : `Materialize ${ids.length}`) : rest;
  const idle = !busy && !selected.size && !stale.length;
  const disabled = busy || (selected.size ? !ids.length : !stale.length && !parted.length);
  const open = (): void => {
    const own = split.current!.getBoundingClientRect();
    const root = split.current!.closest(".ipyo")!.getBoundingClientRect();
    setMenu(menu ? null : { x: own.right - root.left, y: own.bottom - root.top + 4 });
  };
  return (
    <Fragment>
      <Button icon="sliders" label="Configure: the launchpad (C)" kind="quiet" onClick={() => openLaunchpad(actions)} />
      <div class="ipyo-split" ref={split}>
        <Button
          kind={idle ? "plain" : "primary"}
          icon="play"
          disabled={disabled}
          label={selected.size ? "Materialize what is selected, and what is missing before it (M)" : parted.length ? "What isn't fresh is partitioned: choose partitions in the details" : "Materialize what isn't fresh: stale, failed, evicted or never materialized"}
          onClick={() => (selected.size ? actions.materialize(ids) : parted.length ? actions.open(parted[0].id) : actions.materialize(null, { stale: true }))}
        >
          {text}
        </Button>
        <Button kind={idle ? "plain" : "primary"} icon="down" label="More ways to run" expanded={menu !== null} disabled={busy} onClick={open} />
      </div>
      {menu && <Menu entries={entriesToRun(actions)} label="Run" x={menu.x} y={menu.y} right close={() => setMenu(null)} />}
    </Fragment>
  );
}
