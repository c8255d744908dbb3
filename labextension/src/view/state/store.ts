/** What the view shows, in one place: the kernel's facts, and what is only of this view. */

import type { AutomationsMessage, DetailsMessage, Job, JobMessage, Message, Patch, RunState, Snapshot, StepState, TicksMessage, Toast } from "../../protocol.js";
import type { Direction } from "../layout/types.js";
import { foldedFirst, groupKey } from "./visible.js";
import { Graph } from "./graph.js";
import { checksText } from "../status.js";
import type { Partitions, Span } from "./partitions.js";

export interface Note {
  readonly key: number;
  readonly level: NonNullable<Toast["level"]>;
  readonly text: string;
  readonly hint: string;
}

export interface Focus {
  readonly ids: readonly string[];
  readonly hops: number;
}

export interface Search {
  readonly text: string;
  /** The assets found; null where nothing is searched for. */
  readonly ids: readonly string[] | null;
  readonly problem: string;
  readonly hint: string;
}

export interface State {
  readonly graph: Graph | null;
  /** Counts up with each change of structure, and with each change of statuses. */
  readonly structure: number;
  readonly revision: number;
  readonly version: number;
  readonly run: RunState | null;
  readonly jobs: readonly Job[];
  /** How many schedules and sensors there are; all of them where their page was opened, and the ticks of one. */
  readonly timed: number;
  readonly automations: AutomationsMessage | null;
  readonly ticksOf: string | null;
  readonly ticks: TicksMessage | null;
  readonly environment: string;
  readonly environments: readonly string[];
  readonly problem: string;
  /** Whether the kernel that told all this has ended. */
  readonly gone: boolean;
  readonly folded: ReadonlySet<string>;
  readonly focus: Focus | null;
  readonly selected: ReadonlySet<string>;
  /** The card that has the keyboard's attention; not always one that is selected. */
  readonly cursor: string | null;
  readonly mode: "graph" | "list" | "automations";
  /** The direction that somebody chose for the graph; null where the view's width decides. */
  readonly direction: Direction | null;
  readonly panel: "details" | "launchpad" | "job" | null;
  /** The job that the panel or the launchpad is about; null where it's about assets. */
  readonly job: string | null;
  readonly jobDetails: JobMessage | null;
  readonly timeline: boolean;
  readonly help: boolean;
  readonly search: Search;
  readonly details: DetailsMessage | null;
  readonly detailsOf: string | null;
  /** Of the asset whose details are open, and what is chosen of them. */
  readonly partitions: Partitions | null;
  readonly span: Span | null;
  readonly notes: readonly Note[];
  /** What a screen reader shall say. */
  readonly said: string;
}

export const NO_SEARCH: Search = { text: "", ids: null, problem: "", hint: "" };

export const EMPTY: State = {
  graph: null,
  structure: 0,
  revision: 0,
  version: -1,
  run: null,
  jobs: [],
  timed: 0,
  automations: null,
  ticksOf: null,
  ticks: null,
  environment: "",
  environments: [],
  problem: "",
  gone: false,
  folded: new Set(),
  focus: null,
  selected: new Set(),
  cursor: null,
  mode: "graph",
  direction: null,
  panel: null,
  job: null,
  jobDetails: null,
  timeline: false,
  help: false,
  search: NO_SEARCH,
  details: null,
  detailsOf: null,
  partitions: null,
  span: null,
  notes: [],
  said: "",
};

/** What is said of a kernel that has ended. */
export const GONE = "The kernel was restarted, or has ended.";
export const RUN_AGAIN = "Run the cell again that shows the lineage.";

export class Store {
  private current = EMPTY;
  private readonly heard = new Set<() => void>();
  private noteKey = 0;

  get state(): State {
    return this.current;
  }

  set(change: Partial<State>): void {
    this.current = { ...this.current, ...change };
    for (const call of this.heard) call();
  }

  subscribe(call: () => void): () => void {
    this.heard.add(call);
    return () => this.heard.delete(call);
  }

  note(level: Note["level"], text: string, hint = ""): void {
    const note = { key: ++this.noteKey, level, text, hint };
    this.set({ notes: [...this.current.notes.slice(-3), note], said: hint ? `${text} ${hint}` : text });
  }

  /** Forget what the kernel told, which has ended. */
  end(): void {
    const { mode, direction, structure, revision } = this.current;
    this.set({ ...EMPTY, mode, direction, structure: structure + 1, revision: revision + 1, gone: true, said: `${GONE} ${RUN_AGAIN}` });
  }

  /** Take a message that is for everybody; return whether a whole snapshot must be asked for. */
  take(message: Message): boolean {
    switch (message.kind) {
      case "snapshot":
        this.set(afterSnapshot(this.current, message));
        return false;
      case "patch":
        if (message.base !== this.current.version || !this.current.graph) return true;
        this.set(afterPatch(this.current, this.current.graph, message));
        return false;
      case "refused":
        this.note("error", message.why, message.hint ?? "");
        return false;
      case "toast":
        this.note(message.level ?? "info", message.text);
        return false;
      default:
        return false;
    }
  }
}

function afterSnapshot(state: State, snapshot: Snapshot): Partial<State> {
  const graph = new Graph(snapshot);
  const known = new Set(state.graph?.groups ?? []);
  const first = foldedFirst(graph);
  // What somebody folded or unfolded stays so; groups that are new begin as groups of such a graph do.
  const folded = new Set(graph.groups.filter((name) => (known.has(name) ? state.folded.has(name) : first.has(name))));
  const alive = (key: string): boolean => graph.index.has(key) || graph.groups.some((name) => groupKey(name) === key);
  const shown = snapshot.shown ?? null;
  return {
    graph,
    structure: state.structure + 1,
    revision: state.revision + 1,
    version: snapshot.version,
    run: snapshot.run ?? null,
    jobs: snapshot.jobs ?? [],
    timed: snapshot.automations ?? 0,
    environment: snapshot.environment ?? "",
    environments: snapshot.environments ?? [],
    problem: snapshot.problem ?? "",
    gone: false,
    folded,
    focus: state.graph ? keptFocus(state.focus, graph) : shown ? { ids: shown, hops: 0 } : null,
    selected: new Set([...state.selected].filter(alive)),
    cursor: state.cursor !== null && alive(state.cursor) ? state.cursor : null,
    ...(state.job !== null && !snapshot.jobs?.some((job) => job.name === state.job) ? { job: null, panel: state.panel === "details" ? state.panel : null } : {}),
  };
}

function keptFocus(focus: Focus | null, graph: Graph): Focus | null {
  const ids = focus?.ids.filter((id) => graph.index.has(id)) ?? [];
  return ids.length ? { ...focus!, ids } : null;
}

function afterPatch(state: State, graph: Graph, patch: Patch): Partial<State> {
  graph.patch(patch.nodes ?? []);
  const run = patch.run ? mergedRun(state.run, patch.run) : state.run;
  return { version: patch.version, revision: state.revision + 1, run, said: spoken(state.run, run) ?? state.said };
}

/** Return the run with the steps that changed; another run takes its place. */
export function mergedRun(before: RunState | null, patch: RunState): RunState {
  if (before?.run_id !== patch.run_id) return patch;
  const steps = new Map<string, StepState>((before.steps ?? []).map((step) => [step.name, step]));
  for (const step of patch.steps ?? []) steps.set(step.name, step);
  return { ...patch, steps: [...steps.values()] };
}

/** Return what a screen reader shall say of a run's change: its beginning, its end and its failures. */
function spoken(before: RunState | null, after: RunState | null): string | null {
  if (!after) return null;
  const status = after.status ?? "running";
  if (before?.run_id !== after.run_id) return `Run started: ${after.what ?? ""}`;
  if ((before.status ?? "running") !== status) {
    const { failed, warned } = checksText(after);
    return { success: `${["Run finished", failed, warned].filter(Boolean).join(", ")}.`, failure: `Run failed: ${after.message ?? ""}`, canceled: "Run canceled.", running: "Run goes on." }[status];
  }
  return (after.failed ?? 0) > (before.failed ?? 0) ? `${after.failed} failed so far.` : null;
}
