/** What one can do in the view: each changes the state, or sends a command. */

import type { Backfill, Job, Launch as LaunchCommand, Materialize, Message } from "../../protocol.js";
import { plain, plural } from "../format.js";
import { isRunning } from "../status.js";
import type { Host } from "../host.js";
import { Client, type Answered, type Ask } from "./client.js";
import { Launch } from "./launch.js";
import { Partitions, type Span } from "./partitions.js";
import type { Graph } from "./graph.js";
import { foundText, isSelection, matching } from "./search.js";
import { mergedRun, NO_SEARCH, Store, type State } from "./store.js";
import { groupKey } from "./visible.js";

/** Milliseconds after which a kernel that hears messages has answered a cancel. */
const HEARD = 1_200;
/** Milliseconds between two looks at partitions while they're made. */
const PARTITIONS_PACE = 600;

export type RunOptions = Pick<Materialize, "stale" | "upstream" | "downstream" | "force" | "checks_only" | "partitions" | "config">;

export class Actions {
  readonly store = new Store();
  readonly client: Client;
  /** What ids in the page begin with. */
  readonly prefix = `ipyo-${Math.random().toString(36).slice(2, 9)}`;
  readonly launch = new Launch(this);
  private searching = 0;
  private canceling = 0;
  private waiting = 0;
  private detailed = -1;
  private surveying = 0;
  private readonly unfollow: (() => void) | undefined;

  constructor(readonly host: Host) {
    this.client = new Client(host, (message) => this.heard(message));
    this.unfollow = host.onGone?.(() => this.gone());
    this.client.tell({ kind: "refresh" });
  }

  dispose(): void {
    this.stopWaiting();
    this.unfollow?.();
    this.client.dispose();
  }

  private stopWaiting(): void {
    for (const timer of [this.searching, this.canceling, this.waiting, this.surveying]) clearTimeout(timer);
    this.surveying = 0;
  }

  /** Show nothing of a kernel that has ended: none of it holds any more, and no click would be answered. */
  private gone(): void {
    this.stopWaiting();
    this.store.end();
  }

  get state(): State {
    return this.store.state;
  }

  private heard(message: Message): void {
    clearTimeout(this.waiting);
    const before = this.state;
    if (this.store.take(message)) this.client.tell({ kind: "refresh" });
    else if (message.kind === "snapshot" || message.kind === "patch") this.follow(before);
  }

  /** After a change: look again at what is open, where it may have changed. */
  private follow(before: State): void {
    const { graph, detailsOf, panel, search, job, run } = this.state;
    if (run?.canceling || !isRunning(run)) clearTimeout(this.canceling);
    if (job !== null && (this.state.structure !== before.structure || isRunning(before.run) !== isRunning(run))) void this.loadJob(job);
    if (graph && search.text && !isSelection(search.text)) this.match(graph, search.text);
    if (panel !== "details" || detailsOf === null || !graph) return;
    const node = graph.at(detailsOf);
    if (!node) return this.close();
    if (node.partitioned && this.state.structure === before.structure && node.status?.partitions !== before.graph?.at(detailsOf)?.status?.partitions) this.surveyLater(detailsOf);
    const ended = isRunning(before.run) && !isRunning(this.state.run);
    const word = node.status?.word ?? "";
    if (this.state.structure !== before.structure || ended || word !== (this.state.details?.status?.word ?? "")) {
      void this.loadDetails(detailsOf);
    }
  }

  // -- selecting ------------------------------------------------------------------------------------------------------

  /** Select a card, or add it to what is selected (or take it away). */
  select(key: string, add = false): void {
    const selected = new Set(add ? this.state.selected : []);
    if (add && this.state.selected.has(key)) selected.delete(key);
    else selected.add(key);
    this.store.set({ selected, cursor: key });
    const asset = this.state.graph?.index.has(key);
    if (!add && asset) this.open(key);
    else if (this.state.panel === "details" && !asset) this.close();
  }

  selectAll(keys: Iterable<string>): void {
    const selected = new Set(keys);
    this.store.set({ selected, said: `${selected.size} selected` });
  }

  clear(): void {
    this.store.set({ selected: new Set(), cursor: null });
  }

  /** Return the ids of the assets that are selected; a folded group stands for its assets. */
  selectedIds(): string[] {
    const { graph, selected } = this.state;
    if (!graph) return [];
    const ids = new Set<string>();
    for (const key of selected) {
      if (graph.index.has(key)) ids.add(key);
      else {
        const group = graph.groups.findIndex((name) => groupKey(name) === key);
        for (const v of graph.members[group] ?? []) ids.add(graph.nodes[v].id);
      }
    }
    return [...ids];
  }

  // -- folding and focus ----------------------------------------------------------------------------------------------

  fold(name: string, folded = !this.state.folded.has(name)): void {
    const next = new Set(this.state.folded);
    if (folded) next.add(name);
    else next.delete(name);
    this.store.set({ folded: next, said: `${name} ${folded ? "folded" : "unfolded"}` });
  }

  foldAll(folded: boolean): void {
    this.store.set({ folded: new Set(folded ? this.state.graph?.groups : []) });
  }

  focus(ids: readonly string[], hops: number): void {
    if (ids.length) this.store.set({ focus: { ids, hops }, mode: "graph" });
  }

  unfocus(): void {
    this.store.set({ focus: null });
  }

  // -- search ---------------------------------------------------------------------------------------------------------

  /** Search: words at once; a selection string is asked of the kernel when one stops typing. */
  search(text: string): void {
    clearTimeout(this.searching);
    const { graph } = this.state;
    if (!graph || !text.trim()) return this.store.set({ search: { ...NO_SEARCH, text }, said: "" });
    if (isSelection(text)) {
      this.store.set({ search: { ...this.state.search, text } });
      this.searching = window.setTimeout(() => void this.ask(text), 250);
    } else {
      const ids = this.match(graph, text);
      this.searching = window.setTimeout(() => this.store.set({ said: foundText(ids) }), 250);
    }
  }

  private match(graph: Graph, text: string): string[] {
    const ids = matching(graph, text).map((v) => graph.nodes[v].id);
    this.store.set({ search: { text, ids, problem: "", hint: "" } });
    return ids;
  }

  private async ask(text: string): Promise<void> {
    const found = await this.request({ kind: "select", text }, "selected");
    if (!found || this.state.search.text !== text) return;
    const { ids = [], problem = "", hint = "" } = found;
    this.store.set({ search: { text, ids: problem ? null : ids, problem, hint }, said: problem || foundText(ids) });
  }

  // -- details --------------------------------------------------------------------------------------------------------

  open(id: string): void {
    const same = this.state.detailsOf === id;
    this.store.set({
      panel: "details",
      job: null,
      detailsOf: id,
      details: this.state.details?.id === id ? this.state.details : null,
      ...(same ? {} : { partitions: null, span: null }),
    });
    void this.loadDetails(id);
  }

  close(): void {
    this.store.set({ panel: null, detailsOf: null, job: null });
  }

  // -- jobs -----------------------------------------------------------------------------------------------------------

  openJob(name: string): void {
    const { jobDetails } = this.state;
    this.store.set({ panel: "job", job: name, detailsOf: null, jobDetails: jobDetails?.name === name ? jobDetails : null });
    void this.loadJob(name);
  }

  private async loadJob(name: string): Promise<void> {
    const told = await this.request({ kind: "job", name }, "job");
    if (told && this.state.job === name) this.store.set({ jobDetails: told });
  }

  launchJob(name: string, options: Pick<LaunchCommand, "config" | "from_failure"> = {}): void {
    this.client.tell({ kind: "launch", name, ...options });
    this.expectAnswer();
  }

  /** Return the jobs that select an asset. */
  jobsOf(id: string): Job[] {
    const { graph, jobs } = this.state;
    const at = graph?.index.get(id);
    return at === undefined ? [] : jobs.filter((job) => job.nodes?.includes(at));
  }

  useEnvironment(name: string): void {
    this.client.tell({ kind: "use_environment", name });
  }

  // -- partitions -----------------------------------------------------------------------------------------------------

  private async survey(id: string): Promise<void> {
    const known = this.state.partitions?.id === id ? this.state.partitions.stamp : "";
    const told = await this.request({ kind: "partitions", id, ...(known ? { known } : {}) }, "partitions");
    if (!told || this.state.detailsOf !== id) return;
    const before = this.state.partitions;
    const partitions = Partitions.from(told, before);
    this.store.set({ partitions, ...(partitions?.stamp === before?.stamp ? {} : { span: null }) });
  }

  private surveyLater(id: string): void {
    if (this.surveying) return;
    this.surveying = window.setTimeout(() => {
      this.surveying = 0;
      if (this.state.detailsOf === id) void this.survey(id);
    }, PARTITIONS_PACE);
  }

  choose(span: Span | null): void {
    this.store.set({ span });
  }

  sayChosen(): void {
    const { partitions, span } = this.state;
    if (partitions && span) this.store.set({ said: `${plain(partitions.text(span))}: ${plural(partitions.size(span), "partition")} chosen` });
  }

  /** Bring what is chosen up to date. */
  runPartitions(span: Span): void {
    const { partitions, run } = this.state;
    if (partitions && !isRunning(run)) this.materialize([partitions.id], { partitions: partitions.asked(span) });
  }

  /** Bring partitions up to date, of what is chosen or of all: what is missing, what failed, or each by force. */
  backfill(id: string, only: NonNullable<Backfill["only"]>, span: Span | null): void {
    const { partitions } = this.state;
    this.client.tell({ kind: "backfill", ids: [id], only, ...(span && partitions ? { partitions: partitions.asked(span) } : {}) });
    this.expectAnswer();
  }

  // -- schedules and sensors ------------------------------------------------------------------------------------------

  loadAutomations(): void {
    void this.timed({ kind: "automations" });
    if (this.state.ticksOf !== null) void this.loadTicks(this.state.ticksOf);
  }

  switchAutomation(name: string, on: boolean): void {
    void this.timed({ kind: "switch", name, on });
  }

  tickNow(name: string): void {
    void this.timed({ kind: "tick", name }).then(() => {
      if (this.state.ticksOf === name) void this.loadTicks(name);
    });
  }

  daemon(what: "start" | "stop"): void {
    void this.timed({ kind: "daemon", what });
  }

  openTicks(name: string | null): void {
    this.store.set({ ticksOf: name });
    if (name !== null) void this.loadTicks(name);
  }

  private async timed(command: Ask): Promise<void> {
    const automations = await this.request(command, "automations");
    if (automations) this.store.set({ automations });
  }

  private async loadTicks(name: string): Promise<void> {
    const ticks = await this.request({ kind: "ticks", name }, "ticks");
    if (ticks && this.state.ticksOf === name) this.store.set({ ticks });
  }

  private async loadDetails(id: string): Promise<void> {
    if (this.state.graph?.at(id)?.partitioned) void this.survey(id);
    const number = ++this.detailed;
    const details = await this.request({ kind: "details", id }, "details");
    if (details && number === this.detailed && this.state.detailsOf === id) this.store.set({ details });
  }

  /** Return the answer to a command; null where it was refused, which has been shown then. */
  async request<K extends Message["kind"]>(command: Ask, kind: K): Promise<Answered<K> | null> {
    try {
      return await this.client.ask(command, kind);
    } catch {
      return null;
    }
  }

  // -- runs -----------------------------------------------------------------------------------------------------------

  materialize(ids: readonly string[] | null, options: RunOptions = {}): void {
    if (ids?.length && !options.partitions && !options.checks_only && ids.every((id) => this.state.graph?.at(id)?.partitioned)) {
      this.open(ids[0]);
      return this.store.note("info", `${plain(ids[0])} is partitioned:`, "choose partitions in its details.");
    }
    this.client.tell({ kind: "materialize", ...(ids ? { ids: [...ids] } : {}), ...options });
    this.expectAnswer();
  }

  /** A kernel without subshells hears of a click when its cell is done: say so, lest one clicks again. */
  private expectAnswer(): void {
    clearTimeout(this.waiting);
    if (this.state.gone) return;
    this.waiting = window.setTimeout(() => this.store.note("info", "The kernel is busy: it hears of this when its cell is done."), 2 * HEARD);
  }

  cancel(): void {
    const { run } = this.state;
    this.client.tell({ kind: "cancel" });
    if (!run || this.state.gone) return;
    this.store.set({ run: { ...run, canceling: true }, said: "Canceling" });
    clearTimeout(this.canceling);
    this.canceling = window.setTimeout(() => this.insist(), HEARD);
  }

  /** A kernel without subshells hears nothing while a cell runs: where that cell is the run, an interrupt is the cancel. */
  private insist(): void {
    const { run } = this.state;
    if (!isRunning(run)) return;
    if (run!.in_cell && this.host.interrupt && this.host.interrupt() !== false) return;
    this.store.note("warning", "The kernel is busy with a cell, and hasn't heard of it yet.", "Interrupting the kernel ends that cell.");
  }

  /** Show or hide the timeline; all steps are asked for, since a view that was opened later has heard of only some. */
  toggleTimeline(): void {
    const { run, timeline } = this.state;
    this.store.set({ timeline: !timeline });
    if (!timeline && run) void this.showRun(run.run_id);
  }

  /** Show when the steps of a run ran; one that goes on stays in the bar. */
  async showRun(id: string): Promise<void> {
    const answer = await this.request({ kind: "run", run_id: id }, "run");
    const { run } = this.state;
    if (!answer || (isRunning(run) && run?.run_id !== id)) return;
    const live = run?.run_id === id ? mergedRun(answer.run, run) : answer.run;
    this.store.set({ run: live, timeline: true });
  }

  openCell(cell: string): void {
    if (!this.host.openCell?.(cell)) this.store.note("info", "The cell can't be shown from here.");
  }

  dismiss(key: number): void {
    this.store.set({ notes: this.state.notes.filter((note) => note.key !== key) });
  }
}

