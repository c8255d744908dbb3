/** A kernel that isn't one: it answers the view's commands from a snapshot, and plays runs. */

import type { Automation, Command, Condition, DaemonState, DetailsMessage, FormMessage, JobMessage, Json, Materialize, Message, Node, PartitionsMessage, RunState, Snapshot, StepState, TickLine } from "../src/protocol.js";
import type { Host, Theme } from "../src/view/host.js";
import { random } from "./generate.js";

export class FakeHost implements Host {
  readonly sent: Command[] = [];
  /** Milliseconds that a step takes. */
  pace = 700;
  /** Whether the kernel hears what is sent. */
  answers = true;
  private readonly heard = new Set<(message: Message) => void>();
  private version: number;
  private timer: ReturnType<typeof setInterval> | undefined;
  private run: RunState | null = null;
  private automations: Automation[] = AUTOMATIONS;
  private daemon: DaemonState = { is_running: true, since: Date.now() / 1000 - 1_260, missed: "last", waiting: 1 };
  private readonly presets = new Map<string, string>([["small sample", "ops:\n  orders:\n    config:\n      limit: 100\n"]]);

  constructor(
    readonly snapshot: Snapshot,
    private readonly look: Theme = "light",
    private readonly details: Record<string, Partial<DetailsMessage>> = {},
  ) {
    this.version = snapshot.version;
    this.run = snapshot.run ?? null;
  }

  theme(): Theme {
    return this.look;
  }

  onTheme(): () => void {
    return () => undefined;
  }

  onMessage(heard: (message: Message) => void): () => void {
    this.heard.add(heard);
    return () => this.heard.delete(heard);
  }

  openCell(): boolean {
    return true;
  }

  say(message: Message): void {
    for (const heard of this.heard) heard(message);
  }

  send(command: Command): void {
    this.sent.push(command);
    if (this.answers) setTimeout(() => this.answer(command), 5);
  }

  private answer(command: Command): void {
    const request = command.request ?? 0;
    switch (command.kind) {
      case "refresh":
        return this.say({ ...this.snapshot, request, version: this.version, run: this.run });
      case "details":
        return this.say({ ...this.detailsOf(command.id), request });
      case "partitions":
        return this.say({ ...(command.id === "order_items" ? byDayAndRegion() : byDay()), id: command.id, request });
      case "condition":
        return this.say({ kind: "condition", request, id: command.id, condition: EAGER });
      case "automations":
      case "daemon":
      case "switch":
      case "tick":
        return this.say({ kind: "automations", request, ...this.timed(command) });
      case "ticks":
        return this.say({ kind: "ticks", request, name: command.name, total: TICKS.length, ticks: TICKS });
      case "rows":
        return this.say({ kind: "rows", request, id: command.id, start: command.start, stop: command.stop, total: 336_776, rows: flights(command.start, Math.min(336_776, command.stop), command.sort?.descending) });
      case "profile":
        return this.say({ kind: "profile", request, id: command.id, sampled: 100_000, columns: PROFILE });
      case "compare":
        return this.say({ kind: "comparison", request, id: command.id, rows: [336_700, 336_776], added: ["tailnum"], removed: [], retyped: [["hour", "int32", "int64"]], changed: { dep_delay: 412, carrier: 3 }, examples: [{ row: 17, column: "dep_delay", before: 4, after: -2 }, { row: 92, column: "carrier", before: "UA", after: "AA" }] });
      case "select":
        return this.select(command.text, request);
      case "form":
      case "use_preset":
        return this.say({ ...form(command.kind === "use_preset" ? 100 : 5_000), request, presets: [...this.presets.keys()], preset: command.kind === "use_preset" ? command.name : "" });
      case "save_preset":
        this.presets.set(command.name, String(command.config));
        return this.say({ ...form(5_000), request, presets: [...this.presets.keys()], preset: command.name });
      case "drop_preset":
        this.presets.delete(command.name);
        return this.say({ ...form(5_000), request, presets: [...this.presets.keys()] });
      case "check_config":
        return this.say({ ...checked(command.config), request });
      case "materialize":
        return this.start(command);
      case "run":
        return this.run?.run_id === command.run_id ? this.say({ kind: "run", request, run: this.run }) : this.say({ kind: "refused", request, why: `No run \`${command.run_id}\`.` });
      case "cancel":
        return this.end("canceled");
      case "launch":
        return this.start({ kind: "materialize", ids: this.idsOf(command.name), force: true });
      case "use_environment":
        this.snapshot.environment = command.name === "default" ? "" : command.name;
        return this.say({ ...this.snapshot, version: ++this.version, run: this.run });
      case "job":
        return this.say({ ...this.job(command.name), request });
    }
  }

  private idsOf(job: string): string[] {
    const found = this.snapshot.jobs?.find((one) => one.name === job);
    return (found?.nodes ?? []).map((v) => this.snapshot.nodes![v].id);
  }

  private job(name: string): JobMessage {
    const found = this.snapshot.jobs!.find((one) => one.name === name)!;
    const ops = found.of_ops ? [{ name: "load" }, { name: "render.table", after: ["load"] }, { name: "mail", after: ["render.table"] }] : [];
    const when = Date.now() / 1000;
    const runs: JobMessage["runs"] = [
      { run_id: "9c1d", status: "failure", when: when - 4_000, seconds: 12.4, message: "KeyError: 'channel'" },
      { run_id: "77aa", status: "success", when: when - 90_000, seconds: 61 },
    ];
    return { kind: "job", name, description: found.description ?? "", cell: found.cell ?? null, ids: this.idsOf(name), ops, runs, resumable: true };
  }

  private timed(command: Command): { automations: Automation[]; daemon: DaemonState } {
    if (command.kind === "switch") this.automations = this.automations.map((one) => (one.name === command.name ? { ...one, on: command.on } : one));
    if (command.kind === "tick") this.automations = this.automations.map((one) => (one.name === command.name ? { ...one, last: Date.now() / 1000, status: "requested", runs: ["running"] } : one));
    if (command.kind === "daemon") this.daemon = command.what === "start" ? { is_running: true, since: Date.now() / 1000 } : {};
    return { automations: this.automations, daemon: this.daemon };
  }

  private select(text: string, request: number): void {
    const word = text.replace(/[^\w/]/g, "");
    const ids = (this.snapshot.nodes ?? []).map((node) => node.id).filter((id) => id.includes(word));
    if (!ids.length) return this.say({ kind: "selected", request, text, problem: `\`${word}\` is no asset.`, hint: "hint: did you mean `orders`?" });
    this.say({ kind: "selected", request, text, ids });
  }

  // -- runs -----------------------------------------------------------------------------------------------------------

  private start(command: Materialize): void {
    const nodes = this.snapshot.nodes ?? [];
    const wanted = new Set(command.ids ?? nodes.map((node) => node.id));
    const stale = (node: Node): boolean => command.force === true || node.status?.word !== "fresh";
    const todo = nodes.filter((node) => node.kind !== "external" && wanted.has(node.id) && (command.stale ? stale(node) : true));
    this.run = { run_id: `run-${this.version}`, what: `${todo.length} assets`, started: Date.now() / 1000, total: todo.length, done: 0, steps: [] };
    for (const node of todo) node.status = { word: "waiting" };
    this.patch(todo);
    const running: Node[] = [];
    clearInterval(this.timer);
    const tick = (): void => {
      const changed: Node[] = [];
      const now = Date.now() / 1000;
      for (const node of running.splice(0)) {
        const failed = node.id.includes("refunds");
        node.status = failed ? { word: "failed", reason: "KeyError: 'status'" } : { word: "fresh" };
        changed.push(node);
        const step = this.run!.steps!.find((one) => one.name === node.id)!;
        Object.assign(step, { status: failed ? "failure" : "success", seconds: now - step.started! });
        this.run!.done!++;
        if (failed) this.run!.failed = (this.run!.failed ?? 0) + 1;
      }
      for (const node of todo.splice(0, 2)) {
        node.status = { word: "running", progress: { started: now, expected: this.pace / 1000 } };
        running.push(node);
        changed.push(node);
        this.run!.steps!.push({ name: node.id, ids: [node.id], status: "running", started: now });
      }
      if (!running.length) return this.end((this.run!.failed ?? 0) > 0 ? "failure" : "success");
      this.patch(changed);
    };
    tick();
    this.timer = setInterval(tick, this.pace);
  }

  private end(status: "success" | "failure" | "canceled"): void {
    clearInterval(this.timer);
    if (!this.run) return;
    const open = (this.snapshot.nodes ?? []).filter((node) => node.status?.word === "running" || node.status?.word === "waiting");
    for (const node of open) node.status = { word: "missing" };
    const steps = (this.run.steps ?? []).map((step): StepState => (step.status === "running" ? { ...step, status: "canceled", seconds: 0.4 } : step));
    this.run = { ...this.run, steps, status, seconds: Date.now() / 1000 - this.run.started };
    this.patch(open);
  }

  patch(nodes: readonly Node[]): void {
    const base = this.version++;
    const run = this.run ? { ...this.run, steps: (this.run.steps ?? []).map((step) => ({ ...step })) } : null;
    this.say({ kind: "patch", base, version: this.version, nodes: nodes.map(({ id, status, checks }) => ({ id, status: status ?? {}, checks: checks ?? [] })), run });
  }

  // -- details --------------------------------------------------------------------------------------------------------

  private detailsOf(id: string): DetailsMessage {
    const nodes = this.snapshot.nodes ?? [];
    const at = nodes.findIndex((node) => node.id === id);
    const node = nodes[at];
    const edges = this.snapshot.edges ?? [];
    return {
      kind: "details",
      id,
      version: this.version,
      description: node.description ?? "",
      group: node.group ?? "default",
      kinds: node.kinds ?? [],
      tags: node.tags ?? {},
      cell: node.cell ?? null,
      status: node.status ?? {},
      upstream: edges.filter(([, to]) => to === at).map(([from]) => nodes[from].id),
      downstream: edges.filter(([from]) => from === at).map(([, to]) => nodes[to].id),
      checks: (node.checks ?? []).map((check) => ({ name: check.name, status: check.status ?? "not run", blocking: check.blocking ?? false })),
      ...this.details[id],
    };
  }
}

const day = (i: number): string => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);

function byDay(): PartitionsMessage {
  const runs: [number, number][] = [[120, 0], [1, 1], [88, 0], [7, 2], [112, 0], [1, 1], [11, 0], [26, 2]];
  return { kind: "partitions", id: "", stamp: "days", cut: "daily from 2024-01-01", keys: Array.from({ length: 366 }, (_, i) => day(i)), statuses: [{ word: "fresh" }, { word: "failed", reason: "KeyError: 'amount'" }, { word: "missing" }], runs };
}

function byDayAndRegion(): PartitionsMessage {
  const runs: [number, number][] = [[58, 0], [2, 1], [1, 2], [8, 1], [24, 3]];
  return { kind: "partitions", id: "", stamp: "grid", cut: "day: daily; region: 'east', 'north', 'south'", dimensions: ["day", "region"], rows: Array.from({ length: 31 }, (_, i) => day(i)), keys: ["east", "north", "south"], statuses: [{ word: "fresh" }, { word: "stale", reason: "inputs changed: orders" }, { word: "failed", reason: "TimeoutError" }, { word: "missing" }], runs };
}

const NOW = Date.now() / 1000;
const AUTOMATIONS: Automation[] = [
  { name: "nightly", kind: "schedule", on: true, when: "every day at 02:30 (Europe/Berlin)", target: "job nightly", next: [NOW + 31_000, NOW + 117_400], last: NOW - 55_000, status: "requested", runs: ["success"], cell: { label: "Cell In[20]", id: "c20" }, zone: "Europe/Berlin", description: "The shop's morning mail." },
  { name: "new_files", kind: "sensor", on: true, when: "every 30 s", target: "raw_payments", next: [NOW + 14], last: NOW - 16, status: "skipped", message: "nothing new below exports/", cell: { label: "Cell In[21]", id: "c21" } },
  { name: "refund_watch", kind: "sensor", on: false, when: "every 5 min", target: "refunds, payments", last: NOW - 8_000, status: "failed", message: "ConnectionError: the bank doesn't answer", cell: { label: "Cell In[22]", id: "c22" } },
];
const TICKS: TickLine[] = [
  { status: "skipped", at: NOW - 16, message: "nothing new below exports/", seconds: 0.004 },
  { status: "requested", at: NOW - 46, requested: 2, runs: ["success", "failure"], seconds: 0.006, printed: "payments-2024-03-01.csv\npayments-2024-03-02.csv" },
  { status: "failed", at: NOW - 700, message: "PermissionError: exports/", seconds: 0.002 },
];
const EAGER: Condition = {
  title: "eager",
  state: "false",
  of: 366,
  below: [
    { title: "in_latest_time_window", about: "is the newest time partition", state: "true", true: 1, of: 366 },
    { title: "the first has become true since the second was", about: "the first was true 2026-11-21 16:21:20, the second never", state: "false", of: 1, below: [{ title: "any of these", state: "true", true: 26, of: 366, below: [{ title: "newly_missing", about: "this has just become true", state: "true", true: 26, of: 366 }] }, { title: "handled", state: "false", of: 366 }] },
    { title: "not any_deps_missing", state: "skipped" },
  ],
};

const CARRIERS = ["UA", "AA", "B6", "DL", "EV", "MQ", "US", "WN"];
const PORTS = ["EWR", "JFK", "LGA"];

/** Return rows of a table of flights. */
export function flights(start: number, stop: number, turned = false): (string | number | null)[][] {
  return Array.from({ length: Math.max(0, stop - start) }, (_, i) => {
    const row = turned ? 336_775 - start - i : start + i;
    const next = random(row);
    const gone = next() < 0.03;
    return [2013, 1 + (row % 12), 1 + (row % 28), gone ? null : Math.round(next() * 2359), gone ? null : Math.round(next() * 90 - 20), CARRIERS[Math.floor(next() * 8)], `N${Math.floor(next() * 90000)}`, PORTS[row % 3], Math.round(next() * 4800) + 100];
  });
}

export const PROFILE: NonNullable<DetailsMessage["value"]> extends infer V ? (V extends { kind: "table"; columns: infer C } ? C : never) : never = [
  { name: "year", type: "int64", role: "number", nulls: 0, distinct: 1, min: 2013, max: 2013, bins: [{ label: "2013", count: 336776 }] },
  { name: "month", type: "int64", role: "number", nulls: 0, distinct: 12, min: 1, max: 12, mean: 6.5, bins: bars([27, 25, 29, 28, 29, 28, 29, 29, 27, 29, 27, 28]) },
  { name: "day", type: "int64", role: "number", nulls: 0, distinct: 31, min: 1, max: 31, mean: 15.7, bins: bars([11, 11, 11, 11, 11, 11, 11, 11, 10, 6]) },
  { name: "dep_time", type: "float64", role: "number", nulls: 8255, distinct: 1318, min: 1, max: 2400, mean: 1349.1, bins: bars([1, 0, 3, 40, 52, 48, 45, 50, 53, 44, 20, 3]) },
  { name: "dep_delay", type: "float64", role: "number", nulls: 8255, distinct: 527, min: -43, max: 1301, mean: 12.64, bins: bars([200, 94, 22, 8, 3, 1, 1, 0, 0, 0]) },
  { name: "carrier", type: "string", role: "text", nulls: 0, distinct: 16, min: "9E", max: "YV", top: [{ label: "UA", count: 58665 }, { label: "B6", count: 54635 }, { label: "EV", count: 54173 }, { label: "DL", count: 48110 }] },
  { name: "tailnum", type: "string", role: "text", nulls: 2512, distinct: 4043, top: [{ label: "N725MQ", count: 575 }, { label: "N722MQ", count: 513 }] },
  { name: "origin", type: "category", role: "text", nulls: 0, distinct: 3, top: [{ label: "EWR", count: 120835 }, { label: "JFK", count: 111279 }, { label: "LGA", count: 104662 }] },
  { name: "distance", type: "int64", role: "number", nulls: 0, distinct: 214, min: 17, max: 4983, mean: 1039.9, bins: bars([60, 40, 55, 30, 12, 4, 1, 0, 0, 1]) },
];

function bars(counts: number[]): { label: string; count: number }[] {
  return counts.map((count, i) => ({ label: String(i), count }));
}

function form(limit: number): FormMessage {
  return {
    kind: "form",
    ids: ["orders"],
    values: { ops: { orders: { config: { limit, statuses: ["paid"] } } }, resources: { warehouse: { config: { schema: "shop", pool: { size: 4 } } } } },
    yaml: yamlOf(limit),
    sections: [
      {
        path: "ops.orders.config",
        title: "orders",
        kind: "op",
        used_by: ["orders"],
        schema: {
          type: "object",
          properties: {
            limit: { type: "integer", title: "Limit", default: 1000, minimum: 1, description: "At most so many rows are read." },
            since: { anyOf: [{ type: "string", format: "date" }, { type: "null" }], default: null, description: "Orders before this day are left out." },
            mode: { enum: ["fast", "exact"], default: "fast" },
            dry_run: { type: "boolean", default: false },
            statuses: { type: "array", items: { type: "string" }, default: [] },
          },
          required: ["limit"],
        },
        fields: [{ path: "ops.orders.config.limit", type: "int", value: String(limit), default: "1000", source: "this session", required: true }],
      },
      {
        path: "resources.warehouse.config",
        title: "warehouse",
        kind: "resource",
        used_by: ["orders", "customers", "payments"],
        schema: {
          type: "object",
          properties: {
            host: { type: "string", default: "localhost" },
            schema: { type: "string" },
            password: { type: "string", writeOnly: true, format: "password" },
            pool: { $ref: "#/$defs/Pool" },
          },
          required: ["schema", "password"],
          $defs: { Pool: { type: "object", title: "Pool", properties: { size: { type: "integer", default: 4 }, timeout: { type: "number", default: 1.5 } } } },
        },
        fields: [{ path: "resources.warehouse.config.password", type: "str", variable: "WAREHOUSE_PASSWORD", is_set: true, secret: true, required: true }],
      },
    ],
  };
}

function yamlOf(limit: unknown): string {
  return `ops:\n  orders:\n    config:\n      limit: ${String(limit)}  # at most so many rows\n      mode: fast\nresources:\n  warehouse:\n    config:\n      schema: shop\n      password:\n        env: WAREHOUSE_PASSWORD\n`;
}

function checked(config: string | Record<string, Json>): Extract<Message, { kind: "config" }> {
  const limit =
    typeof config === "string"
      ? /limit:\s*([^\s#]*)/.exec(config)?.[1]
      : ((config as { ops?: { orders?: { config?: { limit?: unknown } } } }).ops?.orders?.config?.limit as unknown);
  const valid = Number.isInteger(Number(limit)) && Number(limit) >= 1;
  return {
    kind: "config",
    ids: ["orders"],
    valid,
    findings: valid ? [] : [{ path: "ops.orders.config.limit", message: "Input should be a valid integer greater than 0.", line: 4 }],
    values: typeof config === "string" ? { ops: { orders: { config: { limit: Number(limit) } } } } : config,
    yaml: typeof config === "string" ? config : yamlOf(limit),
  };
}
