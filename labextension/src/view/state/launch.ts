/** The launchpad's draft: what was typed is kept until it is reset, whatever is closed, drawn anew or selected meanwhile. */

import type { FormMessage, Json } from "../../protocol.js";
import type { Actions } from "./actions.js";
import { isObject, read, withEdits, written, type Config } from "./config.js";

/** What a draft is for: a job, else assets; null for all of them. */
export interface Subject {
  readonly ids: readonly string[] | null;
  readonly job: string | null;
}

export interface Draft {
  readonly subject: Subject;
  readonly form: FormMessage;
  readonly values: Config;
  readonly yaml: string;
  readonly findings: NonNullable<FormMessage["findings"]>;
  readonly valid: boolean;
  readonly checking: boolean;
  /** Which of both was typed in last: it is what runs. */
  readonly from: "form" | "yaml";
}

const PAUSE = 250;

export class Launch {
  private current: Draft | null = null;
  private readonly heard = new Set<() => void>();
  private readonly edits = new Map<string, Json | undefined>();
  /** What was typed as YAML, by subject, until its form is typed in. */
  private readonly yamls = new Map<string, string>();
  /** Of the newest load and of the newest check: only their answers count. */
  private loads = 0;
  private number = 0;
  private timer = 0;

  constructor(private readonly actions: Actions) {}

  get draft(): Draft | null {
    return this.current;
  }

  private get subject(): Subject {
    return this.current?.subject ?? NOTHING;
  }

  get edited(): boolean {
    return this.edits.size > 0 || this.yamls.size > 0;
  }

  subscribe(call: () => void): () => void {
    this.heard.add(call);
    return () => this.heard.delete(call);
  }

  private set(draft: Draft | null): void {
    this.current = draft;
    for (const call of this.heard) call();
  }

  private change(change: Partial<Draft>): void {
    if (this.current) this.set({ ...this.current, ...change });
  }

  /**
   * Show the form of some assets or a job; what was typed before and concerns them is in it.
   *
   * One that is shown already is asked for again, as a cell may have defined its fields anew, and stays where it's as before.
   */
  async open(subject: Subject): Promise<void> {
    const shown = this.current && keyOf(this.current.subject) === keyOf(subject) ? this.current.form : null;
    const command = shown?.preset ? ({ kind: "use_preset", name: shown.preset } as const) : ({ kind: "form" } as const);
    await this.load(subject, { ...command, ...asked(subject) }, shown);
  }

  private async load(subject: Subject, command: Parameters<Actions["request"]>[0], shown: FormMessage | null = null): Promise<void> {
    const load = ++this.loads;
    const form = await this.actions.request(command, "form");
    if (!form || load !== this.loads) return;
    if (shown && JSON.stringify(shown.sections) === JSON.stringify(form.sections)) this.change({ form });
    else this.take(subject, form);
  }

  private take(subject: Subject, form: FormMessage): void {
    ++this.number;
    clearTimeout(this.timer);
    const values = withEdits(form.values ?? {}, this.edits, form.sections ?? []);
    const findings = form.findings ?? [];
    this.set({ subject, form, values, yaml: form.yaml ?? "", findings, valid: !findings.length, checking: this.edits.size > 0, from: "form" });
    const kept = this.yamls.get(keyOf(subject));
    if (kept !== undefined) this.setYaml(kept);
    else if (this.edits.size) this.check(values);
  }

  /** Take over a field; undefined takes the value away, so that the default holds. */
  setField(path: string, value: Json | undefined): void {
    if (!this.current) return;
    this.edits.set(path, value);
    this.yamls.delete(keyOf(this.current.subject));
    const values = written(this.current.values, path, value);
    this.change({ values, from: "form", checking: true });
    this.check(values);
  }

  setYaml(text: string): void {
    if (!this.current) return;
    this.yamls.set(keyOf(this.current.subject), text);
    this.change({ yaml: text, from: "yaml", checking: true });
    this.check(text);
  }

  private check(config: Config | string): void {
    const number = ++this.number;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(config, number), PAUSE);
  }

  private async ask(config: Config | string, number: number): Promise<void> {
    const answer = await this.actions.request({ kind: "check_config", ...asked(this.subject), config }, "config");
    if (number !== this.number) return;
    if (!answer) return this.change({ checking: false, valid: false });
    const fresh: Partial<Draft> = { findings: answer.findings ?? [], valid: answer.valid, checking: false };
    if (typeof config !== "string") return this.change({ ...fresh, yaml: answer.yaml ?? this.current!.yaml });
    if (!answer.values) return this.change(fresh);
    this.remember(answer.values);
    this.change({ ...fresh, values: answer.values });
  }

  /** Keep what was typed as YAML field by field, so that another selection has it too. */
  private remember(values: Config): void {
    for (const section of this.current?.form.sections ?? []) {
      const properties = section.schema["properties"];
      for (const name of isObject(properties) ? Object.keys(properties) : []) {
        const path = `${section.path}.${name}`;
        const value = read(values, path);
        if (value !== undefined || this.edits.has(path)) this.edits.set(path, value);
      }
    }
  }

  /** Forget what was typed. */
  async reset(): Promise<void> {
    this.edits.clear();
    this.yamls.clear();
    await this.load(this.subject, { kind: "form", ...asked(this.subject) });
  }

  // -- presets and runs -----------------------------------------------------------------------------------------------

  async usePreset(name: string): Promise<void> {
    this.edits.clear();
    this.yamls.clear();
    await this.load(this.subject, { kind: "use_preset", name, ...asked(this.subject) });
  }

  async savePreset(name: string): Promise<void> {
    await this.presets({ kind: "save_preset", name, ...asked(this.subject), config: this.config() });
  }

  async dropPreset(name: string): Promise<void> {
    await this.presets({ kind: "drop_preset", name, ...asked(this.subject) });
  }

  private async presets(command: Parameters<Actions["request"]>[0]): Promise<void> {
    const form = await this.actions.request(command, "form");
    if (form && this.current) this.change({ form: { ...this.current.form, presets: form.presets ?? [], preset: form.preset ?? "" } });
  }

  /** Return the config as it was typed. */
  config(): Config | string {
    return this.current?.from === "yaml" ? this.current.yaml : (this.current?.values ?? {});
  }

  run(options: { force: boolean; upstream: boolean; downstream: boolean }): void {
    if (!this.current) return;
    const { ids, job } = this.current.subject;
    if (job !== null) this.actions.launchJob(job, { config: this.config() });
    else this.actions.materialize(ids, { ...options, config: this.config() });
  }
}

const NOTHING: Subject = { ids: null, job: null };

function keyOf({ ids, job }: Subject): string {
  return JSON.stringify([ids, job]);
}

function asked({ ids, job }: Subject): { ids: string[] | null; job?: string } {
  return job !== null ? { ids: null, job } : { ids: ids ? [...ids] : null };
}
