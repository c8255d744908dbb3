/** The commands for assets, as they stand in menus. */

import { plain, plural } from "../format.js";
import type { Node } from "../../protocol.js";
import type { Actions } from "../state/actions.js";
import { checksOf, statusOf, type Graph } from "../state/graph.js";
import type { Entries } from "./menu.js";

/** Most jobs in a menu: all of them stand in the row of jobs. */
const MOST_JOBS = 8;

/** Return what isn't fresh, in order of lineage. */
export function notFresh(graph: Graph): Node[] {
  return graph.nodes.filter((node) => ["stale", "missing", "failed", "evicted"].includes(statusOf(node).word ?? ""));
}

/** Tell whether there is something that can be run, and all of it is known to be fresh. */
export function allFresh(graph: Graph): boolean {
  const own = graph.nodes.filter((node) => node.kind !== "external");
  return own.length > 0 && own.every((node) => statusOf(node).word === "fresh");
}

/** Return the ids of what isn't fresh and is run without further questions: which partitions, would be one. */
export function staleIds(graph: Graph): string[] {
  return notFresh(graph).flatMap((node) => (node.partitioned ? [] : node.id));
}

/** Return the assets among `ids` that can be run: an external asset can't. */
export function runnable(graph: Graph, ids: readonly string[]): string[] {
  return ids.filter((id) => graph.at(id) && graph.at(id)!.kind !== "external");
}

/** Return the menu of some assets. */
export function entriesFor(actions: Actions, ids: readonly string[]): Entries {
  const { graph } = actions.state;
  if (!graph) return [];
  const own = runnable(graph, ids);
  const checked = own.filter((id) => checksOf(graph.at(id)!).length);
  const what = own.length > 1 ? plural(own.length, "asset") : "";
  const none = own.length === 0;
  const cell = ids.length === 1 ? graph.at(ids[0])?.cell : null;
  return [
    { text: what ? `Materialize ${what}` : "Materialize", icon: "play", hint: "M", disabled: none, run: () => actions.materialize(own) },
    { text: "Materialize with all upstream", disabled: none, run: () => actions.materialize(own, { upstream: true }) },
    { text: "Materialize with all downstream", disabled: none, run: () => actions.materialize(own, { downstream: true }) },
    { text: "Force: run even if fresh", disabled: none, run: () => actions.materialize(own, { force: true }) },
    { text: "Run checks only", disabled: !checked.length, run: () => actions.materialize(checked, { checks_only: true }) },
    { text: "Configure and run…", icon: "sliders", hint: "C", disabled: none, run: () => openLaunchpad(actions) },
    "line",
    { text: "Focus on neighbours", icon: "focus", hint: "F", disabled: !ids.length, run: () => actions.focus(ids, 1) },
    { text: "Select upstream", disabled: !ids.length, run: () => selectReach(actions, ids, "up") },
    { text: "Select downstream", disabled: !ids.length, run: () => selectReach(actions, ids, "down") },
    ...(cell?.id ? (["line", { text: `Go to ${cell.label}`, icon: "cell", run: () => actions.openCell(cell.id!) }] as const) : []),
  ];
}

/** Open the launchpad, for what is selected or for a job. */
export function openLaunchpad(actions: Actions, job: string | null = null): void {
  actions.store.set({ panel: "launchpad", job });
}

function selectReach(actions: Actions, ids: readonly string[], side: "up" | "down"): void {
  const graph = actions.state.graph!;
  actions.selectAll([...graph.reach(ids, side)].map((v) => graph.nodes[v].id));
}

/** Return the menu of the button that runs. */
export function entriesToRun(actions: Actions): Entries {
  const { graph } = actions.state;
  if (!graph) return [];
  const ids = actions.selectedIds();
  const stale = staleIds(graph);
  return [
    ...(ids.length ? [...entriesFor(actions, ids).slice(0, 6), "line" as const] : []),
    { text: `Materialize what isn't fresh (${stale.length})`, icon: "play", disabled: !stale.length, run: () => actions.materialize(null, { stale: true }) },
    { text: `Materialize all (${runnable(graph, graph.nodes.map((node) => node.id)).length})`, run: () => actions.materialize(null) },
    { text: "Force all: run even what is fresh", run: () => actions.materialize(null, { force: true }) },
    { text: "Run all checks", run: () => actions.materialize(null, { checks_only: true }) },
    ...actions.state.jobs.slice(0, MOST_JOBS).flatMap((job, i) => {
      const lead = i === 0 ? (["line"] as const) : [];
      return [...lead, { text: `Launch ${plain(job.name)}`, hint: job.of_ops ? "ops" : plural(job.nodes?.length ?? 0, "asset"), run: () => actions.launchJob(job.name) }];
    }),
  ];
}

