/** The graph: the stage in the page, and what is on top of it. */

import { Fragment, type JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Hit } from "../canvas/scene.js";
import { Scene } from "../canvas/scene.js";
import { Stage } from "../canvas/stage.js";
import { plain, plural } from "../format.js";
import type { Rect } from "../layout/types.js";
import type { Job } from "../../protocol.js";
import type { Graph } from "../state/graph.js";
import type { Item } from "../state/visible.js";
import { groupKey, visible } from "../state/visible.js";
import { sentence } from "../status.js";
import { palette } from "../theme.js";
import type { Actions } from "../state/actions.js";
import { entriesFor, openLaunchpad, runnable } from "./commands.js";
import { turn, useFlow } from "./direction.js";
import { Menu, type Entries } from "./menu.js";
import { Button, useActions, useView } from "./parts.js";

export interface GraphHandle {
  stage: Stage | null;
}

interface Props {
  readonly handle: GraphHandle;
  readonly theme: number;
  readonly motion: boolean;
}

interface Tip {
  readonly text: string;
  readonly name: string;
  readonly key: string;
}

export function GraphView({ handle, theme, motion }: Props): JSX.Element {
  const actions = useActions();
  const state = useView();
  const place = useRef<HTMLDivElement>(null);
  const anchor = useRef<string | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  const [tip, setTip] = useState<Tip | null>(null);
  const [menu, setMenu] = useState<{ x: number; y: number; entries: Entries } | null>(null);
  const [percent, setPercent] = useState(100);
  const { graph, structure, folded, focus } = state;
  const flow = useFlow(place);
  const direction = flow?.direction;
  const most = flow?.most;

  const scene = useMemo(() => {
    if (!graph || !direction) return null;
    const only = focus ? (focus.hops ? graph.around(focus.ids, focus.hops) : positions(graph.index, focus.ids)) : null;
    return new Scene(graph, visible(graph, { folded, only }), direction, most);
  }, [graph, structure, folded, focus, direction, most]);
  const current = useRef(scene);
  current.current = scene;

  // All of this before the page is painted: who turns from the list to the graph has the keyboard's focus in it at once.
  useLayoutEffect(() => {
    const keyOf = (hit: Hit | null): string | null => (hit === null ? null : hit.kind === "item" ? hit.item.key : `box ${hit.name}`);
    const fold = (name: string): void => {
      anchor.current = groupKey(name);
      actions.fold(name);
    };
    const stage = new Stage(
      place.current!,
      {
        click(hit, add) {
          if (hit?.kind === "item") actions.select(hit.item.key, add);
          else if (hit?.kind === "box") fold(hit.name);
          else if (!add) actions.clear();
        },
        open(hit) {
          if (hit.kind === "item" && hit.item.kind === "group") fold(current.current!.graph.groups[hit.item.group]);
          else if (hit.kind === "item") stage.reveal(hit.item.key);
        },
        hover(hit) {
          setHovered(keyOf(hit));
          setTip(hit?.kind === "item" ? tipOf(current.current!, hit.item) : null);
        },
        menu(hit, x, y) {
          if (hit?.kind === "item" && !actions.state.selected.has(hit.item.key)) actions.select(hit.item.key, true);
          setMenu({ x, y, entries: hit?.kind === "item" ? entriesFor(actions, actions.selectedIds()) : backgroundEntries(actions, stage, current.current) });
        },
        frame: (keys) => actions.selectAll(keys),
        key: (event) => onKey(event, actions, stage, current.current, fold),
        zoom: (scale) => setPercent(Math.round(scale * 100)),
      },
      "Lineage graph. Arrow keys move along the edges, Enter opens, Space selects, L shows it as a list, question mark shows all keys.",
    );
    handle.stage = stage;
    return () => {
      handle.stage = null;
      stage.dispose();
    };
  }, [actions, handle]);

  useLayoutEffect(() => {
    const own = place.current!;
    const read = (): void => handle.stage?.setPalette(palette(own));
    if (own.isConnected) return read();
    // A widget is drawn before it stands in the page, which has the colours; there it gets its size.
    const observer = new ResizeObserver(() => own.isConnected && read());
    observer.observe(own);
    return () => observer.disconnect();
  }, [handle, theme]);
  useLayoutEffect(() => handle.stage?.setMotion(motion), [handle, motion]);
  useLayoutEffect(() => {
    if (scene) handle.stage?.setScene(scene, anchor.current);
    anchor.current = null;
  }, [handle, scene]);
  useLayoutEffect(() => handle.stage?.refresh(), [handle, state.revision]);
  // What a job selects stands out while one looks at the job.
  const ofJob = useMemo(() => jobIds(state.job, state.jobs, graph), [state.job, state.jobs, graph]);
  const matching = useMemo(() => shownKeys(state.search.ids ?? ofJob, scene), [state.search.ids, ofJob, scene]);
  useLayoutEffect(() => {
    handle.stage?.setEmphasis({ selected: state.selected, hovered, cursor: state.cursor, matching });
  }, [handle, state.selected, state.cursor, hovered, matching]);

  const count = graph?.nodes.length ?? 0;
  return (
    <Fragment>
      <div class="ipyo-stage" ref={place} />
      {graph && count === 0 && (
        <div class="ipyo-empty">
          <strong>No assets yet</strong>
          <span>Run a cell that defines one, and it appears here.</span>
        </div>
      )}
      <div class="ipyo-float is-left">
        <div class="ipyo-zoom" role="group" aria-label="Zoom">
          <Button icon="minus" kind="quiet" label="Zoom out (−)" onClick={() => handle.stage?.zoom(1 / 1.4)} />
          <button type="button" class="ipyo-percent" title="Show it life-size (1)" onClick={() => handle.stage?.zoom(100 / percent)}>
            {percent} %
          </button>
          <Button icon="plus" kind="quiet" label="Zoom in (+)" onClick={() => handle.stage?.zoom(1.4)} />
          <Button icon="fit" kind="quiet" label="Show all (0)" onClick={() => handle.stage?.fit()} />
          {direction && <Button icon={direction === "right" ? "turnDown" : "turnRight"} kind="quiet" label={`${TURNS[direction]} (D)`} onClick={() => turn(actions, direction)} />}
        </div>
        {graph && graph.groups.length > 1 && !focus && (
          <div class="ipyo-zoom" role="group" aria-label="Groups">
            <Button icon="fold" kind="quiet" label="Fold all groups ([)" onClick={() => actions.foldAll(true)} />
            <Button icon="unfold" kind="quiet" label="Unfold all groups (])" onClick={() => actions.foldAll(false)} />
          </div>
        )}
        <Button icon="help" kind="quiet" class="ipyo-zoom" label="Keys (?)" onClick={() => actions.store.set({ help: true })} />
      </div>
      {focus && <FocusBar shown={scene?.visible.items.length ?? 0} />}
      {tip && !menu && tip.key !== state.detailsOf && <TipCard tip={tip} at={handle.stage?.onScreen(tip.key) ?? null} />}
      {menu && <Menu entries={menu.entries} label="Commands" x={menu.x} y={menu.y} close={() => setMenu(null)} />}
    </Fragment>
  );
}

function TipCard({ tip, at }: { tip: Tip; at: Rect | null }): JSX.Element | null {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const room = card.current?.parentElement?.getBoundingClientRect();
    if (!at || !card.current || !room) return;
    const { width, height } = card.current.getBoundingClientRect();
    const below = at.y + at.height + 8 + height < room.height;
    card.current.style.left = `${Math.max(8, Math.min(at.x, room.width - width - 8))}px`;
    card.current.style.top = `${below ? at.y + at.height + 8 : Math.max(8, at.y - height - 8)}px`;
  });
  return at ? (
    <div class="ipyo-tip" role="presentation" ref={card} key={tip.key}>
      <strong>{plain(tip.name)}</strong>
      <span>{plain(tip.text)}</span>
    </div>
  ) : null;
}

function FocusBar({ shown }: { shown: number }): JSX.Element {
  const actions = useActions();
  const { focus, graph } = useView();
  const name = focus!.ids.length === 1 ? focus!.ids[0] : plural(focus!.ids.length, "asset");
  return (
    <div class="ipyo-focus" role="group" aria-label="Focus">
      <span>
        <b>{name}</b>
        {focus!.hops > 0 && ` and ${focus!.hops} ${focus!.hops === 1 ? "step" : "steps"} around`}
        <span class="ipyo-soft"> · {shown} of {graph?.nodes.length}</span>
      </span>
      <Button icon="minus" kind="quiet" label="One step less" disabled={focus!.hops < 1} onClick={() => actions.focus(focus!.ids, focus!.hops - 1)} />
      <Button icon="plus" kind="quiet" label="One step more" onClick={() => actions.focus(focus!.ids, focus!.hops + 1)} />
      <Button kind="quiet" onClick={() => actions.unfocus()}>
        Show all
      </Button>
    </div>
  );
}

function positions(index: ReadonlyMap<string, number>, ids: readonly string[]): Set<number> {
  return new Set(ids.flatMap((id) => index.get(id) ?? []));
}

function jobIds(name: string | null, jobs: readonly Job[], graph: Graph | null): string[] | null {
  const nodes = name === null ? [] : (jobs.find((job) => job.name === name)?.nodes ?? []);
  return graph && nodes.length ? nodes.map((v) => graph.nodes[v].id) : null;
}

/** Return the keys of the cards that show what was found; a folded group shows its assets. */
function shownKeys(ids: readonly string[] | null, scene: Scene | null): Set<string> | null {
  if (!ids || !scene) return null;
  const keys = new Set<string>();
  for (const id of ids) {
    const item = scene.visible.itemOf[scene.graph.index.get(id) ?? -1] ?? -1;
    if (item >= 0) keys.add(scene.visible.items[item].key);
  }
  return keys;
}

function tipOf(scene: Scene, item: Item): Tip {
  if (item.kind === "group") return { key: item.key, name: scene.graph.groups[item.group], text: `${plural(item.members.length, "asset")}; double-click unfolds` };
  const node = scene.graph.nodes[item.node];
  return { key: item.key, name: node.id, text: [sentence(node), node.description].filter(Boolean).join("\n") };
}

/** What turning the graph does, by the direction that it has. */
const TURNS = { right: "Draw from top to bottom", down: "Draw from left to right" } as const;

function backgroundEntries(actions: Actions, stage: Stage, scene: Scene | null): Entries {
  const direction = scene?.direction ?? "right";
  return [
    { text: "Show all", icon: "fit", hint: "0", run: () => stage.fit() },
    { text: TURNS[direction], icon: direction === "right" ? "turnDown" : "turnRight", hint: "D", run: () => turn(actions, direction) },
    { text: "Fold all groups", icon: "fold", hint: "[", run: () => actions.foldAll(true) },
    { text: "Unfold all groups", icon: "unfold", hint: "]", run: () => actions.foldAll(false) },
    "line",
    { text: "Show as list", icon: "list", hint: "L", run: () => actions.store.set({ mode: "list" }) },
  ];
}

const WAYS: Readonly<Record<string, "left" | "right" | "up" | "down">> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

function onKey(event: KeyboardEvent, actions: Actions, stage: Stage, scene: Scene | null, fold: (name: string) => void): void {
  if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
  const { cursor, selected, graph } = actions.state;
  const way = WAYS[event.key];
  if (way) {
    if (event.shiftKey) stage.pan(...({ left: [60, 0], right: [-60, 0], up: [0, 60], down: [0, -60] }[way] as [number, number]));
    else move(actions, stage, scene, scene.neighbour(cursor, way));
  } else {
    const command = keys(actions, stage, scene, fold)[event.key];
    if (!command) return;
    command(cursor, selected.size ? actions.selectedIds() : cursor && graph?.index.has(cursor) ? [cursor] : []);
  }
  event.preventDefault();
  event.stopPropagation();
}

function move(actions: Actions, stage: Stage, scene: Scene, key: string | null): void {
  if (key === null) return actions.store.set({ said: "Nothing further that way." });
  const item = scene.visible.items[scene.at.get(key)!];
  const { name, text } = tipOf(scene, item);
  const sides = item.kind === "asset" ? `, ${scene.graph.next(key, "up").length} upstream, ${scene.graph.next(key, "down").length} downstream` : "";
  actions.store.set({ cursor: key, said: `${name}: ${text}${sides}` });
  if (actions.state.panel === "details" && item.kind === "asset") actions.open(key);
  stage.reveal(key);
}

type Command = (cursor: string | null, ids: readonly string[]) => void;

function keys(actions: Actions, stage: Stage, scene: Scene, fold: (name: string) => void): Record<string, Command | undefined> {
  const { graph } = scene;
  const groupAt = (cursor: string | null): string | null => {
    const item = cursor === null ? undefined : scene.visible.items[scene.at.get(cursor) ?? -1];
    if (!item) return null;
    return item.kind === "group" ? graph.groups[item.group] : (graph.nodes[item.node].group ?? null);
  };
  return {
    Enter: (cursor) => {
      const name = groupAt(cursor);
      if (cursor && graph.index.has(cursor)) actions.select(cursor);
      else if (name !== null) fold(name);
    },
    " ": (cursor) => cursor !== null && actions.select(cursor, true),
    Escape: () => (actions.state.panel ? actions.close() : actions.state.focus ? actions.unfocus() : actions.clear()),
    m: (_, ids) => ids.length && actions.materialize(runnable(graph, ids)),
    c: () => openLaunchpad(actions),
    d: () => turn(actions, scene.direction),
    f: (_, ids) => actions.focus(ids, 1),
    g: (cursor) => {
      const name = groupAt(cursor);
      if (name !== null) fold(name);
    },
    l: () => actions.store.set({ mode: "list" }),
    t: () => actions.toggleTimeline(),
    "+": () => stage.zoom(1.4),
    "=": () => stage.zoom(1.4),
    "-": () => stage.zoom(1 / 1.4),
    "0": () => stage.fit(),
    "[": () => actions.foldAll(true),
    "]": () => actions.foldAll(false),
    "?": () => actions.store.set({ help: true }),
  };
}
