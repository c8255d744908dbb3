// Generated from ipy_orch/ui/protocol/ by `python -m ipy_orch.ui.generate_protocol`. Don't edit.

/**
 * The wire between kernel and view: messages that the kernel sends, commands that a view may send.
 *
 * Everything is JSON. A view in the browser is a stranger: each of its commands is read by :func:`read_command`, has no
 * field that isn't declared here, and no size that isn't bounded here. What the kernel sends leaves out whatever has its
 * default (:func:`wire`), so that ten thousand assets are a small message. `labextension/src/protocol.ts` is generated
 * from these classes (generate_protocol.py), docstrings included.
 *
 * Assets are named by their key, spelled `a/b`. Texts are plain text, never HTML. Times are seconds since the epoch,
 * durations are seconds.
 */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export const MOST_IDS = 20000;
export const MOST_ROWS = 1000;
export const MOST_CONFIG = 200000;

/** Say how far a step is: when it started, and how long it took the last time (0: not known). */
export interface Progress {
  started: number;
  expected?: number;
  attempt?: number;
}

/**
 * Say how an asset stands.
 *
 * `missing` without a reason is never materialized; `waiting` and `running` are those of a run that goes on.
 * `cached`: the last run that asked for it found it fresh and didn't run it. `partitions`: how many of those of a
 * partitioned asset stand how.
 */
export interface Status {
  word?: "" | "missing" | "fresh" | "stale" | "failed" | "evicted" | "external" | "waiting" | "running";
  reason?: string;
  progress?: Progress | null;
  cached?: boolean;
  partitions?: { [name: string]: number };
}

/** Say how old an asset may be, and how it does by that; from `until` on it is overdue. */
export interface Freshness {
  word: "fresh" | "warning" | "overdue" | "unknown";
  policy: string;
  updated?: number | null;
  until?: number | null;
}

/** Say how a check stands. */
export interface CheckState {
  name: string;
  /** Default: "not run". */
  status?: "passed" | "warned" | "failed" | "raised" | "not run";
  blocking?: boolean;
}

/** Be the cell that defines an asset: its label as Jupyter shows it, and its id where the front end gave one. */
export interface Cell {
  label: string;
  id?: string;
}

/** Be an asset in the graph. `label` is given where it isn't the last part of the id. */
export interface Node {
  id: string;
  label?: string;
  /** Default: "default". */
  group?: string;
  /** Default: "asset". */
  kind?: "asset" | "external";
  kinds?: string[];
  tags?: { [name: string]: string };
  owners?: string[];
  /** The first line of it; all of it is in the details. */
  description?: string;
  status?: Status;
  checks?: CheckState[];
  freshness?: Freshness | null;
  partitioned?: boolean;
  /** It, or a resource it uses, takes config. */
  configurable?: boolean;
  /** It has an automation condition. */
  automated?: boolean;
  cell?: Cell | null;
}

/** Be a group of assets, and how many it has. */
export interface Group {
  name: string;
  count: number;
}

/** Be a job and the assets it selects, as positions in `nodes`; none for a job of ops. */
export interface Job {
  name: string;
  description?: string;
  nodes?: number[];
  /** It runs ops, which are in no graph of assets. */
  of_ops?: boolean;
  cell?: Cell | null;
}

/** Say how a step of a run goes, for the timeline; `ids` are the assets that it makes or checks. */
export interface StepState {
  name: string;
  ids?: string[];
  /** Default: "waiting". */
  status?: "waiting" | "running" | "retrying" | "success" | "failure" | "skipped" | "unchanged" | "canceled";
  reason?: string;
  started?: number | null;
  seconds?: number;
  message?: string;
  /** Those of its checks that didn't pass. */
  checks?: CheckState[];
}

/** Say how a run goes: while it runs, steps that only wait aren't in `steps`. */
export interface RunState {
  run_id: string;
  what?: string;
  /** Default: "running". */
  status?: "running" | "success" | "failure" | "canceled";
  started: number;
  seconds?: number;
  message?: string;
  total?: number;
  done?: number;
  failed?: number;
  checks_failed?: number;
  checks_warned?: number;
  canceling?: boolean;
  /** It runs in a cell, on the kernel's main thread. */
  in_cell?: boolean;
  steps?: StepState[];
}

/** Be all that the graph shows. Nodes stand in order of lineage; edges are pairs of positions in `nodes`. */
export interface Snapshot {
  request?: number;
  kind: "snapshot";
  version: number;
  nodes?: Node[];
  edges?: [number, number][];
  groups?: Group[];
  jobs?: Job[];
  /** How many schedules and sensors there are. */
  automations?: number;
  run?: RunState | null;
  environment?: string;
  environments?: string[];
  /** The ids this view was opened for; null for all. */
  shown?: string[] | null;
  /** Why the notebook can't be read as a graph now, e.g. a cycle. */
  problem?: string;
}

/** Be what has changed of a node: each field is whole. */
export interface NodePatch {
  id: string;
  status?: Status;
  checks?: CheckState[];
  freshness?: Freshness | null;
}

/**
 * Be what has changed since the version before, at most ten times a second.
 *
 * `run` has only those steps that changed: they are merged by name where `run_id` is the one that is shown, else
 * the run takes its place. Where the structure has changed a whole snapshot is sent instead. A view that has another
 * version than `base` sends `refresh`.
 */
export interface Patch {
  request?: number;
  kind: "patch";
  version: number;
  base: number;
  nodes?: NodePatch[];
  run?: RunState | null;
}

/** Be the code of an asset: the cell's, or the function's. */
export interface Code {
  text: string;
  /** Default: "python". */
  language?: string;
  where?: string;
}

/** Be one thing that has changed since the value was made; its lines begin with `-`, `+` or a blank. */
export interface Change {
  kind: string;
  name: string;
  lines?: string[];
}

/** Say why an asset stands as it does. */
export interface Why {
  changes?: Change[];
  upstream?: string[];
  notes?: string[];
  hint?: string;
}

/** Be one entry of metadata. `href` is http or https, or isn't there. */
export interface Entry {
  name: string;
  /** Default: "text". */
  type?: string;
  text?: string;
  href?: string;
  columns?: string[];
  rows?: ((boolean | number | string | null)[])[];
}

/** Be a check with its last result. */
export interface CheckDetails {
  name: string;
  /** Default: "not run". */
  status?: "passed" | "warned" | "failed" | "raised" | "not run";
  blocking?: boolean;
  severity?: string;
  description?: string;
  metadata?: Entry[];
  when?: number | null;
  seconds?: number | null;
  error?: string;
}

/** Be a number of a materialization. */
export interface Point {
  when: number;
  value: number;
  run_id?: string;
}

/** Be the history of a numeric metadata entry, oldest first. */
export interface Plot {
  name: string;
  points: Point[];
}

/** Be what a run did to an asset, newest first. */
export interface RunLine {
  run_id: string;
  status: "waiting" | "running" | "retrying" | "success" | "failure" | "skipped" | "unchanged" | "canceled";
  when?: number | null;
  seconds?: number;
  reason?: string;
  message?: string;
}

/** Be a stretch of what the step printed, warned, logged or displayed; of a display an image, or its text. */
export interface OutputChunk {
  kind: "stdout" | "stderr" | "display" | "warning" | "log";
  text?: string;
  level?: string;
  mime?: "" | "image/png" | "image/jpeg" | "image/svg+xml";
  /** base64, for an <img> and for nothing else. */
  data?: string;
}

/** Be an error: its line, and the user's frames. */
export interface ErrorText {
  line: string;
  traceback?: string;
  when?: number | null;
}

/** Be a bar of a histogram, or one of the most frequent values. */
export interface Bin {
  label: string;
  count: number;
}

/** Be a column. All but name and type come with the profile: null is not known yet, or means nothing here. */
export interface Column {
  name: string;
  type: string;
  /** Default: "other". */
  role?: "number" | "text" | "bool" | "time" | "other";
  /** labels of the rows, no column that counts; blank where unnamed. */
  is_index?: boolean;
  nulls?: number | null;
  distinct?: number | null;
  min?: boolean | number | string | null;
  max?: boolean | number | string | null;
  mean?: number | null;
  /** of numbers and times, from min to max. */
  bins?: Bin[];
  /** of text and bools, the most frequent first. */
  top?: Bin[];
}

/** Be a value with rows and columns; `total` is null where counting the rows would compute them. */
export interface TableValue {
  kind: "table";
  type: string;
  total?: number | null;
  columns: Column[];
  nbytes?: number;
  /** the first page. */
  rows?: ((boolean | number | string | null)[])[];
}

/** Be an image or a plot, for an <img> and for nothing else. */
export interface ImageValue {
  kind: "image";
  type: string;
  mime: "image/png" | "image/jpeg" | "image/svg+xml";
  data: string;
}

/** Be a value as text. */
export interface TextValue {
  kind: "text";
  type: string;
  text: string;
  nbytes?: number;
  cut?: boolean;
}

/** Say why there is no value to show, and whether `load` may bring it. */
export interface NoValue {
  kind: "none";
  reason: string;
  loadable?: boolean;
}

/** Be all that is known of an asset. `value` is what there is in memory; nothing is computed for it. */
export interface DetailsMessage {
  request?: number;
  kind: "details";
  id: string;
  /** of the graph, when this was read. */
  version: number;
  description?: string;
  code?: Code | null;
  cell?: Cell | null;
  /** Default: "default". */
  group?: string;
  kinds?: string[];
  tags?: { [name: string]: string };
  owners?: string[];
  partitions?: string;
  resources?: string[];
  io_manager?: string;
  upstream?: string[];
  downstream?: string[];
  status?: Status;
  why?: Why | null;
  checks?: CheckDetails[];
  /** of the last materialization. */
  metadata?: Entry[];
  definition_metadata?: Entry[];
  plots?: Plot[];
  runs?: RunLine[];
  when?: number | null;
  seconds?: number | null;
  nbytes?: number;
  shape?: number[];
  data_version?: string;
  output?: OutputChunk[];
  error?: ErrorText | null;
  value?: TableValue | ImageValue | TextValue | NoValue | null;
  /** The value before this one is still there. */
  comparable?: boolean;
}

/** Be rows `start` to `stop` of a table; a text that was cut ends with `…`. */
export interface RowsMessage {
  request?: number;
  kind: "rows";
  id: string;
  start: number;
  stop: number;
  total?: number | null;
  rows: ((boolean | number | string | null)[])[];
}

/** Be the statistics of columns. */
export interface Profile {
  request?: number;
  kind: "profile";
  id: string;
  columns: Column[];
  /** How many rows were looked at, where not all were. */
  sampled?: number | null;
  /** How many rows there are, where that is known now. */
  total?: number | null;
}

/** Be a cell that has changed. */
export interface ChangedCell {
  row: number;
  column: string;
  before: boolean | number | string | null;
  after: boolean | number | string | null;
}

/** Compare a table with the one before. `reason` says why it can't be, else it's empty. */
export interface Comparison {
  request?: number;
  kind: "comparison";
  id: string;
  reason?: string;
  /** before, after. */
  rows?: [number, number] | null;
  added?: string[];
  removed?: string[];
  /** column, type before, type after. */
  retyped?: [string, string, string][];
  /** column -> cells that differ, of the rows that both have. */
  changed?: { [name: string]: number };
  examples?: ChangedCell[];
}

/** Be a run with all its steps. */
export interface RunMessage {
  request?: number;
  kind: "run";
  run: RunState;
}

/** Be the assets that a selection names, or what is wrong with it. */
export interface Selected {
  request?: number;
  kind: "selected";
  text: string;
  ids?: string[];
  problem?: string;
  hint?: string;
}

/** Say that a command was not obeyed; nothing has run. */
export interface Refused {
  request?: number;
  kind: "refused";
  command?: string;
  why: string;
  hint?: string;
}

/** Say something in passing. */
export interface Toast {
  request?: number;
  kind: "toast";
  /** Default: "info". */
  level?: "info" | "success" | "warning" | "error";
  text: string;
}

/** Be an op of a job, by its path in it, and the ops whose outputs it reads. */
export interface JobOp {
  name: string;
  after?: string[];
}

/** Be a run of a job, newest first. */
export interface JobRun {
  run_id: string;
  status: "running" | "success" | "failure" | "canceled";
  when: number;
  seconds?: number;
  message?: string;
}

/** Be all that is known of a job; `ids` are its assets, `ops` those of a job of ops. */
export interface JobMessage {
  request?: number;
  kind: "job";
  name: string;
  description?: string;
  cell?: Cell | null;
  code?: Code | null;
  tags?: { [name: string]: string };
  ids?: string[];
  ops?: JobOp[];
  runs?: JobRun[];
  resumable?: boolean;
  problem?: string;
}

/** Be a way in which partitions stand; `word` is as that of an asset. */
export interface PartitionStatus {
  word: "missing" | "fresh" | "stale" | "failed" | "evicted" | "external";
  reason?: string;
}

/**
 * Be how all partitions of an asset stand, in order; of two dimensions a grid, row by row.
 *
 * `runs` are pairs of how many neighbours stand alike and how, a position in `statuses`. Ten thousand partitions
 * that stand alike are one pair.
 */
export interface PartitionsMessage {
  request?: number;
  kind: "partitions";
  id: string;
  /** How it is partitioned, in words. */
  cut?: string;
  /** Of the keys: keys and rows are left out where the command knew it. */
  stamp?: string;
  /** The names of two dimensions, that of the rows first. */
  dimensions?: string[];
  /** The keys of the first of two dimensions. */
  rows?: string[];
  /** The keys; of two dimensions, those of the second. */
  keys?: string[];
  statuses?: PartitionStatus[];
  runs?: [number, number][];
}

/** Be a schedule or a sensor, and how its last tick went; `next` is empty while it can't tick. */
export interface Automation {
  name: string;
  kind: "schedule" | "sensor";
  on?: boolean;
  /** Its moments or its interval, in words. */
  when?: string;
  /** What it runs, in words. */
  target?: string;
  next?: number[];
  last?: number | null;
  /** What came of the last tick: requested, skipped, failed or missed. */
  status?: string;
  message?: string;
  /** How the runs of the last tick stand. */
  runs?: string[];
  cell?: Cell | null;
  description?: string;
  /** Why it can't tick. */
  problem?: string;
  zone?: string;
}

/** Say how the thread stands that lets tick what is on; `trouble` says why nothing ticks. */
export interface DaemonState {
  is_running?: boolean;
  since?: number | null;
  /** What is done about moments that passed while nobody looked. */
  missed?: string;
  /** The runs that haven't begun. */
  waiting?: number;
  trouble?: string;
}

/** Be all schedules and sensors, by name, and the daemon. */
export interface AutomationsMessage {
  request?: number;
  kind: "automations";
  automations?: Automation[];
  daemon?: DaemonState;
}

/** Be a tick: of a schedule with the moment that it was for. */
export interface TickLine {
  status: string;
  at: number;
  moment?: number | null;
  requested?: number;
  message?: string;
  /** How its runs stand. */
  runs?: string[];
  seconds?: number;
  printed?: string;
}

/** Be the ticks of a schedule or sensor, the newest first. */
export interface TicksMessage {
  request?: number;
  kind: "ticks";
  name: string;
  ticks?: TickLine[];
  /** How many there are, of which the newest are told. */
  total?: number;
}

/**
 * Be an automation condition and those that it is made of.
 *
 * `true` and `of` are numbers of partitions, 1 of what isn't partitioned; `skipped` means that nothing was left
 * to ask about.
 */
export interface Condition {
  title: string;
  about?: string;
  state: "true" | "false" | "skipped";
  true?: number;
  of?: number;
  /** The asset or check it is about, where that is another one. */
  target?: string;
  below?: Condition[];
}

/** Be the automation condition of an asset, as it stands now. */
export interface ConditionMessage {
  request?: number;
  kind: "condition";
  id: string;
  condition: Condition;
}

/**
 * Say of one field where its value comes from; a secret's value is nowhere, its variable's name is.
 *
 * `path` is in run config, e.g. `ops.orders.config.limit`.
 */
export interface FormField {
  path: string;
  type?: string;
  value?: string;
  default?: string;
  source?: string;
  variable?: string;
  is_set?: boolean | null;
  secret?: boolean;
  required?: boolean;
  description?: string;
}

/** Be a part of the form: the config of one op or resource. `path` is e.g. `ops.orders.config`. */
export interface Section {
  path: string;
  title: string;
  kind: "op" | "resource";
  used_by?: string[];
  /** JSON Schema. */
  schema: { [name: string]: Json };
  fields?: FormField[];
}

/** Be something wrong: at a field, or in a line of the YAML. */
export interface Finding {
  path?: string;
  message: string;
  line?: number | null;
}

/**
 * Be the form of what can be configured for a selection.
 *
 * `values` is run config as given so far (without secrets), `yaml` the same with defaults and comments.
 */
export interface FormMessage {
  request?: number;
  kind: "form";
  ids: string[];
  sections?: Section[];
  values?: { [name: string]: Json };
  yaml?: string;
  findings?: Finding[];
  presets?: string[];
  preset?: string;
}

/** Be the verdict on run config, and the same config in both spellings; `values` is null where YAML is none. */
export interface ConfigChecked {
  request?: number;
  kind: "config";
  ids: string[];
  valid: boolean;
  findings?: Finding[];
  values?: { [name: string]: Json } | null;
  yaml?: string;
}

/** Ask for a whole snapshot; the first thing that a view sends. */
export interface Refresh {
  request?: number;
  kind: "refresh";
}

/**
 * Run: the assets of `ids`, else those of `selection`, else all; with them whatever is missing before them.
 *
 * `downstream` adds all that depends on them, `upstream` has what they depend on forced as well, `stale` keeps
 * only those that aren't fresh, `force` runs also what is fresh. `config` is run config as YAML or as data.
 * `partitions` are keys, ranges `a..b` with both ends, or of two dimensions `a..b|c..d`.
 */
export interface Materialize {
  request?: number;
  kind: "materialize";
  ids?: string[] | null;
  selection?: string | null;
  stale?: boolean;
  upstream?: boolean;
  downstream?: boolean;
  force?: boolean;
  checks_only?: boolean;
  partitions?: string[] | null;
  config?: string | { [name: string]: Json } | null;
  /** the environment for this run, one of the snapshot's. */
  env?: string | null;
}

/**
 * Bring partitions of assets up to date, or of those only what is `missing` or `failed`, or `all` by force.
 *
 * `partitions` are as those of materialize; null for all.
 */
export interface Backfill {
  request?: number;
  kind: "backfill";
  ids: string[];
  partitions?: string[] | null;
  /** Default: "stale". */
  only?: "stale" | "missing" | "failed" | "all";
}

/**
 * Run a job: all that it selects, whatever is fresh; `config` is laid over the job's own.
 *
 * `from_failure` runs only what failed or didn't run the last time, and what has changed since.
 */
export interface Launch {
  request?: number;
  kind: "launch";
  name: string;
  config?: string | { [name: string]: Json } | null;
  /** the environment for this run, one of the snapshot's. */
  env?: string | null;
  from_failure?: boolean;
}

/** Switch to another environment: one of the snapshot's. */
export interface UseEnvironment {
  request?: number;
  kind: "use_environment";
  name: string;
}

/** End the run that goes on. */
export interface Cancel {
  request?: number;
  kind: "cancel";
}

/** Ask which assets a selection string names, e.g. `+orders and group:shop`. */
export interface Select {
  request?: number;
  kind: "select";
  text: string;
}

/**
 * Ask for all that is known of an asset.
 *
 * `load`: the person asks for a value that isn't in memory; it is loaded by the asset's own IO manager, whose code
 * runs. Send it for a button only.
 */
export interface DetailsCommand {
  request?: number;
  kind: "details";
  id: string;
  load?: boolean;
}

/** Ask how the partitions of an asset stand; `known` is the stamp of the keys that the view has. */
export interface PartitionsCommand {
  request?: number;
  kind: "partitions";
  id: string;
  known?: string;
}

/** Ask why the automation condition of an asset is true or not. */
export interface ConditionCommand {
  request?: number;
  kind: "condition";
  id: string;
}

/** Be an order of rows. */
export interface Sort {
  column: string;
  descending?: boolean;
}

/** Ask for rows `start` to `stop` of a value, at most a thousand. */
export interface RowsCommand {
  request?: number;
  kind: "rows";
  id: string;
  start: number;
  stop: number;
  sort?: Sort | null;
}

/** Ask for the statistics of a table's columns: null for all. */
export interface ProfileCommand {
  request?: number;
  kind: "profile";
  id: string;
  columns?: string[] | null;
}

/** Ask what has changed in a table since the materialization before. */
export interface Compare {
  request?: number;
  kind: "compare";
  id: string;
}

/** Ask for a run with all its steps. */
export interface RunCommand {
  request?: number;
  kind: "run";
  run_id: string;
}

/** Ask for all that is known of a job. */
export interface JobCommand {
  request?: number;
  kind: "job";
  name: string;
}

/** Ask for all schedules and sensors. */
export interface AutomationsCommand {
  request?: number;
  kind: "automations";
}

/** Ask for the ticks of a schedule or sensor. */
export interface TicksCommand {
  request?: number;
  kind: "ticks";
  name: string;
}

/** Switch a schedule or sensor on or off; answered by all of them. */
export interface Switch {
  request?: number;
  kind: "switch";
  name: string;
  on: boolean;
}

/** Let a schedule or sensor tick, and run what it asks for; answered by all of them. Its code runs. */
export interface TickNow {
  request?: number;
  kind: "tick";
  name: string;
}

/** Start or stop the daemon; answered by all schedules and sensors. */
export interface DaemonCommand {
  request?: number;
  kind: "daemon";
  what: "start" | "stop";
}

/** Ask what can be configured for assets, null for all; with `job`, for that job, whatever `ids` says. */
export interface FormCommand {
  request?: number;
  kind: "form";
  ids?: string[] | null;
  job?: string | null;
}

/** Ask whether run config is valid for assets, and for the other spelling of it. */
export interface CheckConfig {
  request?: number;
  kind: "check_config";
  ids?: string[] | null;
  job?: string | null;
  config: string | { [name: string]: Json };
}

/** Keep run config under a name, in the session; answered by a form. */
export interface SavePreset {
  request?: number;
  kind: "save_preset";
  name: string;
  ids?: string[] | null;
  job?: string | null;
  config: string | { [name: string]: Json };
}

/** Ask for the form of assets with a preset's values. */
export interface UsePreset {
  request?: number;
  kind: "use_preset";
  name: string;
  ids?: string[] | null;
  job?: string | null;
}

/** Forget a preset; answered by a form. */
export interface DropPreset {
  request?: number;
  kind: "drop_preset";
  name: string;
  ids?: string[] | null;
  job?: string | null;
}

export type Message =
  | Snapshot
  | Patch
  | DetailsMessage
  | RowsMessage
  | Profile
  | Comparison
  | RunMessage
  | JobMessage
  | PartitionsMessage
  | ConditionMessage
  | AutomationsMessage
  | TicksMessage
  | Selected
  | FormMessage
  | ConfigChecked
  | Refused
  | Toast;

export type Command =
  | Refresh
  | Materialize
  | Backfill
  | Launch
  | UseEnvironment
  | Cancel
  | Select
  | DetailsCommand
  | RowsCommand
  | ProfileCommand
  | Compare
  | RunCommand
  | JobCommand
  | PartitionsCommand
  | ConditionCommand
  | AutomationsCommand
  | TicksCommand
  | Switch
  | TickNow
  | DaemonCommand
  | FormCommand
  | CheckConfig
  | SavePreset
  | UsePreset
  | DropPreset;
