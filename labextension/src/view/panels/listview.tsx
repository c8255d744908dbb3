/** The same graph as a list: a tree of groups and assets, for screen readers, keyboards and all who like lists. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { plain, plural } from "../format.js";
import type { Actions } from "../state/actions.js";
import { checksOf, type Graph } from "../state/graph.js";
import { groupKey } from "../state/visible.js";
import { count, lookOf, LOOKS, sentence, tally, WORDS } from "../status.js";
import { entriesFor, openLaunchpad, runnable } from "./commands.js";
import { Menu, type Entries } from "./menu.js";
import { Glyph, Icon, useActions, useView } from "./parts.js";

const ROW = 32;
const SPARE = 8;

type Line = { readonly key: string; readonly level: 1 | 2; readonly group: number; readonly node: number; readonly members: readonly number[] };

/** Return the lines of the list, groups first, each with its assets unless it's folded. */
export function linesOf(graph: Graph, folded: ReadonlySet<string>, only: ReadonlySet<number> | null): Line[] {
  const lines: Line[] = [];
  const flat = graph.groups.length === 1;
  graph.groups.forEach((name, group) => {
    const members = only ? graph.members[group].filter((v) => only.has(v)) : graph.members[group];
    if (!members.length) return;
    if (!flat) lines.push({ key: groupKey(name), level: 1, group, node: -1, members });
    if (!flat && folded.has(name) && !only) return;
    for (const node of members) lines.push({ key: graph.nodes[node].id, level: flat ? 1 : 2, group, node, members: [] });
  });
  return lines;
}

export function ListView(): JSX.Element {
  const actions = useActions();
  const { graph, structure, folded, focus, search, selected, cursor } = useView();
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [menu, setMenu] = useState<{ x: number; y: number; entries: Entries } | null>(null);
  const prefix = `${actions.prefix}-row`;
  const lines = useMemo(() => {
    if (!graph) return [];
    let only = focus ? graph.around(focus.ids, focus.hops) : null;
    if (search.ids) {
      const found = new Set(search.ids.flatMap((id) => graph.index.get(id) ?? []));
      only = only ? new Set([...only].filter((v) => found.has(v))) : found;
    }
    return linesOf(graph, folded, only);
  }, [graph, structure, folded, focus, search.ids]);

  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setHeight(box.current!.clientHeight));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const at = lines.findIndex((line) => line.key === cursor);
  useEffect(() => {
    if (at < 0 || !box.current) return;
    const y = at * ROW;
    if (y < box.current.scrollTop) box.current.scrollTop = y;
    else if (y + 2 * ROW > box.current.scrollTop + box.current.clientHeight) box.current.scrollTop = y + 2 * ROW - box.current.clientHeight;
  }, [at]);

  if (!graph) return <div ref={box} />;
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(lines.length, Math.ceil((top + height) / ROW) + SPARE);
  const openMenu = (event: MouseEvent, line: Line): void => {
    event.preventDefault();
    event.stopPropagation();
    if (!selected.has(line.key)) actions.select(line.key, true);
    const room = box.current!.parentElement!.getBoundingClientRect();
    setMenu({ x: event.clientX - room.left, y: event.clientY - room.top, entries: entriesFor(actions, actions.selectedIds()) });
  };
  return (
    <>
      <div
        class="ipyo-list"
        role="treegrid"
        aria-label="Assets"
        aria-rowcount={lines.length + 1}
        aria-multiselectable="true"
        aria-activedescendant={at >= first && at < last ? `${prefix}-${at}` : undefined}
        tabIndex={0}
        ref={box}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => onKey(event, actions, graph, lines, Math.max(1, Math.floor(height / ROW) - 2))}
      >
        <div class="ipyo-list-head" role="row" aria-rowindex={1}>
          {["Asset", "Status", "Checks", "Kinds", "Upstream", "Downstream"].map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
        <div role="rowgroup" style={{ height: `${lines.length * ROW}px`, position: "relative" }}>
          {lines.slice(first, last).map((line, i) => (
            <Row
              key={line.key}
              line={line}
              index={first + i}
              graph={graph}
              selected={selected.has(line.key)}
              current={line.key === cursor}
              open={line.level === 1 && line.node < 0 ? !folded.has(graph.groups[line.group]) || search.ids !== null : null}
              onMenu={openMenu}
            />
          ))}
        </div>
        {lines.length === 0 && <p class="ipyo-soft ipyo-loading">Nothing is found.</p>}
      </div>
      {menu && <Menu entries={menu.entries} label="Commands" x={menu.x} y={menu.y} close={() => setMenu(null)} />}
    </>
  );
}

interface RowProps {
  readonly line: Line;
  readonly index: number;
  readonly graph: Graph;
  readonly selected: boolean;
  readonly current: boolean;
  readonly open: boolean | null;
  readonly onMenu: (event: MouseEvent, line: Line) => void;
}

function Row({ line, index, graph, selected, current, open, onMenu }: RowProps): JSX.Element {
  const actions = useActions();
  const style = { top: `${index * ROW}px`, height: `${ROW}px` };
  const shared = {
    id: `${actions.prefix}-row-${index}`,
    role: "row" as const,
    "aria-rowindex": index + 2,
    "aria-level": line.level,
    "aria-selected": selected,
    style,
    class: `ipyo-list-row ${selected ? "is-selected" : ""} ${current ? "is-current" : ""} is-level-${line.level}`,
    onContextMenu: (event: MouseEvent) => onMenu(event, line),
  };
  if (line.node < 0) {
    const counts = count(line.members.map((v) => graph.nodes[v]));
    const name = graph.groups[line.group];
    return (
      <div {...shared} aria-expanded={open ?? false} onClick={(event) => (event.ctrlKey || event.metaKey ? actions.select(line.key, true) : actions.fold(name))}>
        <span role="gridcell" class="ipyo-list-name">
          <Icon name={open ? "down" : "right"} size={14} />
          <b>{plain(name)}</b>
          <span class="ipyo-soft">{plural(line.members.length, "asset")}</span>
        </span>
        <span role="gridcell" class="ipyo-row ipyo-list-rest">
          {LOOKS.filter((look) => counts.has(look)).map((look) => (
            <span key={look} class="ipyo-row" title={WORDS[look]}>
              <Glyph look={look} size={12} label={WORDS[look]} />
              {counts.get(look)}
            </span>
          ))}
        </span>
      </div>
    );
  }
  const node = graph.nodes[line.node];
  const look = lookOf(node);
  const checks = tally(checksOf(node));
  const total = checksOf(node).length;
  const sides = [graph.up, graph.down].map((near) => near.starts[line.node + 1] - near.starts[line.node]);
  return (
    <div {...shared} onClick={(event) => actions.select(line.key, event.ctrlKey || event.metaKey || event.shiftKey)}>
      <span role="gridcell" class="ipyo-list-name" title={plain(node.id)}>
        <Glyph look={look} size={13} />
        <span>{plain(node.id)}</span>
      </span>
      <span role="gridcell" class="ipyo-list-status" title={plain(sentence(node))}>
        {plain(sentence(node))}
      </span>
      <span role="gridcell">{total ? `${checks.passed} of ${total}${checks.bad ? `, ${checks.bad} failed` : ""}` : ""}</span>
      <span role="gridcell" class="ipyo-list-kinds">
        {(node.kinds ?? []).map((kind) => (
          <span key={kind} class="ipyo-chip" title={plain(kind)}>
            {plain(kind)}
          </span>
        ))}
      </span>
      <span role="gridcell">{sides[0]}</span>
      <span role="gridcell">{sides[1]}</span>
    </div>
  );
}

function onKey(event: KeyboardEvent, actions: Actions, graph: Graph, lines: readonly Line[], page: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey || !lines.length) return;
  const at = lines.findIndex((one) => one.key === actions.state.cursor);
  const line = lines[at] as Line | undefined;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1, PageDown: at + page, PageUp: at - page }[event.key];
  const ids = actions.state.selected.size ? actions.selectedIds() : line && line.node >= 0 ? [line.key] : [];
  if (to !== undefined) go(actions, graph, lines[Math.max(0, Math.min(lines.length - 1, to))]);
  else if (line && line.node < 0 && ["ArrowRight", "ArrowLeft", "Enter"].includes(event.key)) {
    actions.fold(graph.groups[line.group], event.key === "Enter" ? undefined : event.key === "ArrowLeft");
  } else if (line && event.key === "ArrowLeft" && line.level === 2) go(actions, graph, lines.find((one) => one.node < 0 && one.group === line.group)!);
  else if (line && event.key === "Enter") actions.select(line.key);
  else if (line && event.key === " ") actions.select(line.key, true);
  else if (event.key === "m" && ids.length) actions.materialize(runnable(graph, ids));
  else if (event.key === "c") openLaunchpad(actions);
  else if (event.key === "f" && ids.length) actions.focus(ids, 1);
  else if (event.key === "l") actions.store.set({ mode: "graph" });
  else if (event.key === "t") actions.toggleTimeline();
  else if (event.key === "?") actions.store.set({ help: true });
  else if (event.key === "Escape" && !actions.state.panel) actions.clear();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function go(actions: Actions, graph: Graph, line: Line): void {
  const said = line.node < 0 ? `${graph.groups[line.group]}, ${plural(line.members.length, "asset")}` : `${line.key}: ${sentence(graph.nodes[line.node])}`;
  actions.store.set({ cursor: line.key, said });
  if (actions.state.panel === "details" && line.node >= 0) actions.open(line.key);
}
