// @vitest-environment happy-dom

import "./page.js";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { h, render } from "preact";

import { FakeHost } from "../dev/fakehost.js";
import { shop, SHOP_DETAILS } from "../dev/shop.js";
import type { Command, DetailsMessage, FormField, FormMessage, Json, Section as FormSection, Snapshot } from "../src/protocol.js";
import type { Mounted } from "../src/view/host.js";
import { mount } from "../src/view/mount.js";
import { History } from "../src/view/panels/plots.js";
import widget from "../src/widget.js";
import { until } from "./page.js";

let host: FakeHost;
let place: HTMLElement;
let mounted: Mounted;

function open(snapshot: Snapshot, details: Record<string, Partial<DetailsMessage>> = SHOP_DETAILS): void {
  host = new FakeHost(snapshot, "light", details);
  place = document.body.appendChild(document.createElement("div"));
  mounted = mount(host, place);
}

function quiet(): Snapshot {
  return { ...shop(), run: null };
}

const one = <E extends HTMLElement>(css: string): E | null => place.querySelector<E>(css);
const all = (css: string): HTMLElement[] => [...place.querySelectorAll<HTMLElement>(css)];
const named = (text: string): HTMLButtonElement | undefined => all("button").find((button) => (button.textContent || button.getAttribute("aria-label") || "").startsWith(text)) as HTMLButtonElement | undefined;
const press = (element: Element, key: string): void => void element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));
const last = <K extends Command["kind"]>(kind: K): Extract<Command, { kind: K }> | undefined => host.sent.filter((command) => command.kind === kind).at(-1) as never;

function type(input: HTMLInputElement | HTMLTextAreaElement, text: string): void {
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Show the list: the same graph in the page, where a test can see it. */
async function list(): Promise<HTMLElement> {
  (await until(() => named("List"))).click();
  return until(() => one(".ipyo-list"));
}

afterEach(() => {
  mounted.dispose();
  place.remove();
});

describe("the view", () => {
  beforeEach(() => open(quiet()));

  it("asks for the graph first, and counts statuses in words", async () => {
    expect(host.sent[0].kind).toBe("refresh");
    const counts = await until(() => (all(".ipyo-count").length ? all(".ipyo-count") : null));
    expect(counts.map((count) => count.getAttribute("aria-label"))).toContain("Stale: 2. Select these.");
  });

  it("materializes what isn't fresh, then what is selected", async () => {
    (await until(() => named("Materialize stale (5)"))).click();
    expect(last("materialize")).toMatchObject({ stale: true });
    host.say({ ...quiet(), version: 9 });
    all(".ipyo-count").find((count) => count.getAttribute("aria-label")?.startsWith("Failed"))!.click();
    const run = (): HTMLButtonElement | undefined => all("button").find((button) => /^Materialize( \d+)?$/.test(button.textContent ?? "")) as HTMLButtonElement | undefined;
    (await until(() => run() && !run()!.disabled && run())).click();
    expect(last("materialize")?.ids).toEqual(["raw_payments", "revenue_by_country_and_channel_last_30_days"]);
  });

  it("keeps the keyboard's focus without a gap where what had it goes", async () => {
    await until(() => one(".ipyo-count"));
    const canvas = one(".ipyo-canvas")!;
    const soon = async (): Promise<Element | null> => {
      await Promise.resolve(); // what a key has changed is drawn before the next key
      return document.activeElement;
    };
    canvas.focus();
    press(canvas, "?");
    expect((await soon())?.closest(".ipyo-help")).not.toBeNull();
    press(document.activeElement!, "Escape");
    expect(await soon()).toBe(canvas);
    press(canvas, "c");
    expect((await soon())?.closest(".ipyo-launch")).not.toBeNull();
    press(document.activeElement!, "Escape");
    expect(await soon()).toBe(canvas);
    press(canvas, "l");
    expect(await soon()).toBe(one(".ipyo-list"));
    (await until(() => all("[role=row]").find((row) => row.textContent?.includes("raw_payments")))).click();
    const close = await until(() => one(".ipyo-side [aria-label^=Close], .ipyo-side [title^=Close]"));
    close.focus();
    close.click();
    expect(await soon()).toBe(one(".ipyo-list"));
  });

  it("draws the graph the other way when asked to, and keeps to it", async () => {
    (await until(() => named("Draw from top to bottom"))).click();
    await until(() => named("Draw from left to right"));
    expect(one("[aria-live]")?.textContent).toBe("Drawn from top to bottom.");
    await list();
    named("Graph")!.click();
    (await until(() => named("Draw from left to right"))).click();
    await until(() => named("Draw from top to bottom"));
  });

  it("can do everything in the list by keys", async () => {
    const box = await list();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) press(box, key);
    const side = await until(() => one(".ipyo-side h2"));
    expect(side.textContent).toBe("raw_orders");
    press(box, "m");
    expect(last("materialize")?.ids).toEqual(["raw_orders"]);
    press(box, "ArrowLeft");
    press(box, "ArrowLeft");
    await until(() => all("[role=row]").every((row) => !row.textContent?.includes("raw_customers")));
    press(box, "Home");
    await until(() => one("[role=row].is-current")?.textContent?.includes("sources"));
    expect(one("[aria-live]")?.textContent).toContain("sources");
  });

  it("searches at once in the browser, and asks the kernel for selection strings", async () => {
    const box = await list();
    const search = one<HTMLInputElement>("[data-search]")!;
    type(search, "churn");
    await until(() => all("[role=row].is-level-2").length === 2);
    expect(last("select")).toBeUndefined();
    type(search, "+churn_model");
    await until(() => last("select"));
    type(search, "+nothing_of_it");
    const problem = await until(() => one(".ipyo-search-problem"));
    expect(problem.textContent).toContain("is no asset");
    expect(box).toBeTruthy();
  });

  it("says what is found, also by words, and once only", async () => {
    await list();
    const said = (): string | null | undefined => one("[aria-live]")?.textContent;
    const search = one<HTMLInputElement>("[data-search]")!;
    type(search, "churn");
    await until(() => said() === "2 found");
    type(search, "no such thing");
    await until(() => said() === "Nothing is found.");
    type(search, "churn");
    await until(() => said() === "2 found");
    host.say({ kind: "toast", text: "done" });
    host.say({ ...quiet(), version: 9 });
    await new Promise((done) => setTimeout(done, 400));
    expect(said()).toBe("done");
    type(search, "");
    await until(() => said() === "");
  });

  it("shows the place in a selection that is wrong", async () => {
    await list();
    type(one<HTMLInputElement>("[data-search]")!, "a and (");
    const { request } = await until(() => last("select"));
    await new Promise((done) => setTimeout(done, 50));
    const problem = "it ends too soon\n    a and (\n           ^";
    type(one<HTMLInputElement>("[data-search]")!, "a and (b");
    host.answers = false;
    const again = await until(() => last("select")?.request !== request && last("select"));
    host.say({ kind: "selected", request: again.request!, text: "a and (b", problem });
    const told = await until(() => one(".ipyo-search-problem pre"));
    expect(told.textContent).toBe("    a and (\n           ^");
    expect(told.parentElement!.textContent).toBe("it ends too soon    a and (\n           ^");
  });

  it("counts in a group of the list what is shown of it", async () => {
    await list();
    type(one<HTMLInputElement>("[data-search]")!, "churn_model");
    const row = await until(() => all("[role=row].is-level-1").length === 1 && one("[role=row].is-level-1"));
    expect(row.textContent).toMatch(/1 asset1$/);
  });

  it.each([
    ["All fresh", "fresh"],
    ["Running", "running"],
    ["Materialize", undefined],
    ["Materialize", ""],
  ] as const)("says %s where all is %s", async (text, word) => {
    await until(() => named("Materialize stale"));
    const run = { run_id: "r", what: "a", started: 100, total: 1 };
    const nodes = word === undefined ? [] : [{ id: "a", status: { word } }];
    host.say({ kind: "snapshot", version: 9, nodes, edges: [], ...(word === "running" ? { run } : {}) });
    const button = await until(() => one<HTMLButtonElement>(".ipyo-split button")?.textContent === text && one<HTMLButtonElement>(".ipyo-split button"));
    expect(button.disabled).toBe(true);
  });

  it("shows why, checks, metadata, code and runs of an asset", async () => {
    const box = await list();
    all("[role=row]").find((row) => row.textContent?.startsWith("orders"))!.click();
    await until(() => one(".ipyo-diff"));
    const text = one(".ipyo-side-body")!.textContent!;
    for (const part of ["code orders", "- 1000", "unique_id", "row_count", "raw_orders[raw_orders.status", "KeyError", "336,776"]) expect(text).toContain(part);
    expect(one(".ipyo-k")).not.toBeNull();
    expect(all(".ipyo-side-body a").map((link) => link.getAttribute("href"))).toEqual(["https://example.com/orders"]);
    expect(box).toBeTruthy();
  });

  it("says which rows of a long table its statistics are of", async () => {
    await list();
    all("[role=row]").find((row) => row.textContent?.startsWith("orders"))!.click();
    await until(() => one(".ipyo-preview-head")?.textContent?.includes("statistics of the first 100,000 rows"));
  });

  it("shows a run, its timeline, and cancels it", async () => {
    host.pace = 10_000;
    (await until(() => named("Materialize stale"))).click();
    await until(() => one("[role=progressbar]"));
    named("Timeline")!.click();
    await until(() => one(".ipyo-timeline [role=listitem]"));
    named("Cancel")!.click();
    expect(last("cancel")).toBeTruthy();
    await until(() => one(".ipyo-run.is-canceled"));
  });

  it("shows checks that didn't pass in a run that went well", async () => {
    await until(() => named("Materialize stale"));
    const step = { ids: ["orders"], status: "success" as const, started: 100, seconds: 1 };
    const steps = [{ ...step, name: "orders", checks: [{ name: "paid", status: "failed" as const }] }, { ...step, name: "rates", checks: [{ name: "odd", status: "warned" as const }] }, { ...step, name: "users" }];
    const run = { run_id: "r", what: "all", started: 100, total: 3 };
    host.say({ ...quiet(), version: 8, run });
    host.say({ kind: "patch", base: 8, version: 9, run: { ...run, status: "success", seconds: 3, done: 3, checks_failed: 1, checks_warned: 1, steps } });
    const bar = await until(() => one(".ipyo-run.is-success"));
    expect(bar.textContent).toContain("1 check failed1 check warned");
    expect(bar.querySelector(".ipyo-run-line .ipyo-glyph")?.classList).toContain("is-check-failed");
    expect(one("[aria-live]")?.textContent).toBe("Run finished, 1 check failed, 1 check warned.");
    named("Timeline")!.click();
    const glyphs = await until(() => all(".ipyo-step").length === 3 && [...bar.querySelectorAll(".ipyo-step .ipyo-glyph")]);
    expect(glyphs.map((glyph) => glyph.getAttribute("class"))).toEqual(["ipyo-glyph is-check-failed", "ipyo-glyph is-stale", "ipyo-glyph is-fresh"]);
    expect(all(".ipyo-step-name")[0].title).toContain("check paid failed");
  });

  it("says what was refused", async () => {
    await until(() => named("Materialize stale"));
    host.say({ kind: "refused", why: "`nothing` is no asset here.", hint: "hint: `orders`?" });
    const note = await until(() => one(".ipyo-note.is-error"));
    expect(note.textContent).toContain("`nothing` is no asset here.");
    expect(one("[aria-live]")?.textContent).toContain("hint: `orders`?");
  });

  it("frees what it holds when it is closed", async () => {
    await until(() => named("Materialize stale"));
    mounted.dispose();
    expect(place.childElementCount).toBe(0);
    const sent = host.sent.length;
    host.say({ kind: "patch", base: 99, version: 100 });
    expect(host.sent.length).toBe(sent);
    mounted = mount(host, place);
  });
});

describe("the launchpad", () => {
  beforeEach(() => open(quiet()));

  const limit = (): HTMLInputElement => all("label").find((label) => label.textContent === "limit")!.closest(".ipyo-field")!.querySelector("input")!;

  async function launchpad(): Promise<void> {
    (await until(() => named("Configure"))).click();
    await until(() => one(".ipyo-form"));
  }

  it("shows a wrong value at its field, keeps it over Escape, and runs with a right one", async () => {
    await launchpad();
    type(limit(), "many");
    const error = await until(() => one(".ipyo-field.is-wrong .ipyo-field-error"));
    expect(error.textContent).toContain("valid integer");
    expect(limit().getAttribute("aria-invalid")).toBe("true");
    expect(all(".ipyo-launch-foot button").at(-1)).toHaveProperty("disabled", true);
    press(limit(), "Escape");
    await until(() => !one(".ipyo-launch"));
    await launchpad();
    expect(limit().value).toBe("many");
    type(limit(), "25");
    await until(() => !one(".ipyo-field.is-wrong") && one(".ipyo-verdict")?.textContent?.includes("Valid"));
    expect(one<HTMLTextAreaElement>(".ipyo-yaml textarea")!.value).toContain("limit: 25");
    all(".ipyo-launch-foot button").at(-1)!.click();
    expect(last("materialize")?.config).toMatchObject({ ops: { orders: { config: { limit: 25 } } } });
  });

  it("takes over YAML into the form, and sends what was typed last", async () => {
    await launchpad();
    type(one<HTMLTextAreaElement>(".ipyo-yaml textarea")!, "ops:\n  orders:\n    config:\n      limit: 77\n");
    await until(() => limit().value === "77");
    await until(() => one(".ipyo-verdict")?.textContent?.includes("Valid"));
    all(".ipyo-launch-foot button").at(-1)!.click();
    expect(last("materialize")?.config).toContain("limit: 77");
  });

  it("names the variable of a secret, and never its value", async () => {
    await launchpad();
    const secret = one<HTMLInputElement>(".ipyo-secret input")!;
    expect(secret.value).toBe("WAREHOUSE_PASSWORD");
    expect(one(".ipyo-set")?.textContent).toContain("set");
    type(secret, "OTHER");
    await until(() => last("check_config"));
    expect(last("check_config")?.config).toMatchObject({ resources: { warehouse: { config: { password: { env: "OTHER" } } } } });
  });

  it("keeps what was typed when another selection is made and the form comes anew", async () => {
    await launchpad();
    type(limit(), "25");
    await until(() => last("check_config"));
    all(".ipyo-count").find((count) => count.getAttribute("aria-label")?.startsWith("Stale"))!.click();
    await until(() => last("form")?.ids?.length === 2);
    await until(() => limit().value === "25");
  });

  /** Open the launchpad with a form of the test's. */
  async function told(form: Partial<FormMessage>): Promise<void> {
    await until(() => named("Configure") && named("Materialize stale"));
    host.answers = false;
    named("Configure")!.click();
    await until(() => last("form"));
    host.say({ kind: "form", ids: ["orders"], ...form, request: last("form")!.request! });
    await until(() => one(".ipyo-form"));
  }

  function section(properties: Record<string, Json>, fields: FormField[] = []): FormSection {
    return { path: "ops.orders.config", title: "orders", kind: "op", schema: { type: "object", properties }, fields };
  }

  it("shows each problem once, also in items and of fields that there aren't", async () => {
    const inner = { type: "object", properties: { port: { type: "integer" } } };
    const paths = ["inners[0].port", "nums[0]", "inner.port", "inner.strange", "strange"];
    const findings = [...paths.map((path) => ({ path: `ops.orders.config.${path}`, message: `wrong at ${path}!` })), { path: "ops.other", message: "wrong at other!" }];
    await told({ sections: [section({ inners: { type: "array", items: inner }, nums: { type: "array", items: { type: "integer" } }, inner })], findings });
    const text = one(".ipyo-launch-body")!.textContent!;
    for (const path of [...paths, "other"]) expect(text.split(`wrong at ${path}!`)).toHaveLength(2);
    expect(one(".ipyo-verdict")!.textContent).toContain("6 problems");
    expect(all(".ipyo-field.is-wrong .ipyo-field-error").map((error) => error.textContent)).toContain("[0].port: wrong at inners[0].port!");
  });

  it("asks again for the fields when it is opened again, and keeps what was typed", async () => {
    await told({ sections: [section({ limit: { type: "integer" } })] });
    type(limit(), "25");
    press(limit(), "Escape");
    await until(() => !one(".ipyo-launch"));
    host.sent.length = 0;
    await told({ sections: [section({ limit: { type: "integer" }, since: { type: "string" } })] });
    await until(() => all(".ipyo-field label").some((label) => label.textContent === "since"));
    expect(limit().value).toBe("25");
    expect(all(".ipyo-launch-foot button").at(-1)).toHaveProperty("disabled", true); // it isn't checked yet
  });

  it("shows several lines as such, the class of what is inside, and no source where there is none", async () => {
    const path = "ops.orders.config";
    const inner = { type: "object", title: "Inner", properties: { host: { type: "string" } } };
    const fields = [{ path: `${path}.note`, type: "str", source: "needed", required: true }];
    const values = { ops: { orders: { config: { note: "one\ntwo" } } } };
    await told({ sections: [section({ note: { type: "string", default: "a\nb" }, inner }, fields)], values });
    expect(one<HTMLTextAreaElement>(".ipyo-form textarea")!.value).toBe("one\ntwo");
    const text = one(".ipyo-form")!.textContent!;
    expect(text).toContain('Default "a\\nb".');
    expect(text).not.toContain("From needed");
    expect(all(".ipyo-field-name").map((name) => name.textContent)).toContain("innerInner");
  });

  it("offers presets, and puts one in the place of what was typed", async () => {
    await launchpad();
    const select = one<HTMLSelectElement>(".ipyo-side-head select")!;
    select.value = "small sample";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await until(() => limit().value === "100");
  });
});

describe("jobs and environments", () => {
  beforeEach(() => open(quiet()));

  it("stand above the graph, tell what they run, and are launched", async () => {
    (await until(() => named("nightly"))).click();
    const side = await until(() => one(".ipyo-side.is-job .ipyo-plain-list") && one(".ipyo-side.is-job"));
    expect(side.textContent).toContain("KeyError: 'channel'");
    expect(all(".ipyo-side.is-job .ipyo-plain-list")[0].children).toHaveLength(6);
    named("Launch")!.click();
    expect(last("launch")).toMatchObject({ name: "nightly" });
    await until(() => one("[role=progressbar]"));
  });

  it("go on from a failure, and take config of their own", async () => {
    (await until(() => named("send_report"))).click();
    (await until(() => named("From failure"))).click();
    expect(last("launch")).toMatchObject({ name: "send_report", from_failure: true });
    host.say({ ...quiet(), version: 9 });
    named("Configure…")!.click();
    await until(() => one(".ipyo-form"));
    expect(last("form")).toMatchObject({ ids: null, job: "send_report" });
    await until(() => one(".ipyo-verdict")?.textContent?.includes("Valid"));
    all(".ipyo-launch-foot button").at(-1)!.click();
    expect(last("launch")).toMatchObject({ name: "send_report" });
    expect(last("launch")).toHaveProperty("config");
    press(one(".ipyo-form")!, "Escape");
    await until(() => one(".ipyo-side.is-job"));
  });

  it("names the jobs of an asset in its details, and switches the environment", async () => {
    await list();
    all("[role=row]").find((row) => row.textContent?.startsWith("orders"))!.click();
    const link = await until(() => all(".ipyo-side .ipyo-link").find((one) => one.textContent === "nightly"));
    link.click();
    await until(() => one(".ipyo-side.is-job"));
    const select = one<HTMLSelectElement>(".ipyo-environment")!;
    select.value = "prod";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    expect(last("use_environment")?.name).toBe("prod");
  });
});

/** A form whose names, values, notes and findings are markup. */
function hostileForm(): FormMessage {
  const evil = `<img src=x onerror="window.hacked=1">`;
  const path = `ops.${evil}.config`;
  const schema = { type: "object", properties: { [evil]: { type: "string", description: evil, default: evil, enum: [evil, "b"] } } };
  const fields = [{ path: `${path}.${evil}`, value: evil, default: evil, source: evil, description: evil }];
  return { kind: "form", ids: [evil], sections: [{ path, title: evil, kind: "op", used_by: [evil], schema, fields }], values: { [evil]: evil }, yaml: evil, findings: [{ path, message: evil }], presets: [evil] };
}

describe("a kernel that hears nothing", () => {
  const run = { run_id: "r", what: "slow", started: Date.now() / 1000, total: 1 };
  const canceled = async (in_cell: boolean): Promise<number> => {
    let interrupts = 0;
    open({ ...quiet(), run: { ...run, in_cell } });
    host.answers = false;
    Object.assign(host, { interrupt: () => void interrupts++ });
    host.say({ ...quiet(), run: { ...run, in_cell } });
    (await until(() => named("Cancel"))).click();
    await new Promise((done) => setTimeout(done, 1_400));
    return interrupts;
  };

  it("is interrupted where the run to cancel is in a cell", async () => expect(await canceled(true)).toBe(1));

  it("is said to be busy where a click isn't answered", async () => {
    open(quiet());
    await until(() => named("Materialize stale"));
    host.answers = false;
    named("Materialize stale")!.click();
    const note = await until(() => one(".ipyo-note.is-info"));
    expect(note.textContent).toContain("busy");
  });

  it("is told of by nothing where it has ended, and is said to", async () => {
    let gone = (): void => undefined;
    open(quiet());
    mounted.dispose();
    mounted = mount(Object.assign(host, { onGone: (call: () => void) => ((gone = call), () => undefined) }), place);
    await list();
    all("[role=row]").find((row) => row.textContent?.startsWith("orders"))!.click();
    await until(() => one(".ipyo-side"));
    gone();
    await until(() => one(".ipyo-empty")?.textContent === "The kernel was restarted, or has ended.Run the cell again that shows the lineage.");
    expect(one(".ipyo-side, .ipyo-count, [role=row], .ipyo-split")).toBeNull();
    expect(one("[aria-live]")?.textContent).toContain("restarted");
    host.say({ ...quiet(), version: 1 });
    await until(() => named("Materialize stale") && !one(".ipyo-empty"));
  });

  it("is left alone where it's busy with another cell, and that is said", async () => {
    expect(await canceled(false)).toBe(0);
    expect(one(".ipyo-note.is-warning")?.textContent).toContain("hasn't heard of it");
  });
});

describe("the widget", () => {
  type Slot = (sender: unknown, status: string) => void;

  /** Be a widget's model that answers nothing; return it with what ends its kernel. */
  function model(): { model: Parameters<typeof widget.render>[0]["model"]; tell: (name: string, message?: unknown) => void; status: (word: string) => void; dead: () => void } {
    const heard = new Map<string, Set<(message: unknown) => void>>();
    const slots = new Set<Slot>();
    let dead = false;
    const send = (): void => {
      if (dead) throw new Error("Cannot send");
    };
    return {
      model: {
        get: () => undefined,
        send,
        on: (name, call) => void heard.set(name, (heard.get(name) ?? new Set()).add(call)),
        off: (name, call) => void heard.get(name)?.delete(call),
        widget_manager: { kernel: { statusChanged: { connect: (slot: Slot) => void slots.add(slot), disconnect: (slot: Slot) => void slots.delete(slot) } } },
      },
      tell: (name, message) => heard.get(name)?.forEach((call) => call(message)),
      status: (word) => slots.forEach((slot) => slot(null, word)),
      dead: () => void (dead = true),
    };
  }

  it.each(["comm", "crash", "other kernel"])("says that its kernel has ended: %s", async (how) => {
    open(quiet());
    mounted.dispose();
    const fake = model();
    const end = widget.render({ model: fake.model, el: place });
    mounted = { open: () => undefined, dispose: end };
    fake.tell("msg:custom", quiet());
    await until(() => named("Materialize stale"));
    fake.status("busy");
    expect(one(".ipyo-empty")).toBeNull();
    if (how === "comm") fake.tell("comm_live_update");
    else if (how === "crash") fake.status("autorestarting");
    else {
      fake.dead();
      named("Materialize stale")!.click();
      await new Promise((done) => setTimeout(done, 2_600)); // nobody says that it's only busy
    }
    await until(() => one(".ipyo-empty")?.textContent?.includes("restarted"));
    expect(one(".ipyo-note")).toBeNull();
    end();
    expect(() => fake.tell("comm_live_update")).not.toThrow();
  });
});

describe("the history of a number", () => {
  it("shows the newest value until the pointer shows another", async () => {
    open(quiet());
    const draw = (values: readonly number[]): void => render(h(History, { name: "rows", points: values.map((value, i) => ({ when: i, value, run_id: "r" })) }), box);
    const box = place.appendChild(document.createElement("div"));
    const shown = (): string | null | undefined => box.querySelector("figcaption b")?.textContent;
    draw([25, 13]);
    expect(shown()).toBe("13");
    draw([25, 13, 7]);
    expect(shown()).toBe("7");
    const plot = Object.assign(box.querySelector("svg")!, { getBoundingClientRect: () => new DOMRect(0, 0, 300, 56) });
    plot.dispatchEvent(new PointerEvent("pointermove", { clientX: 0, bubbles: true }));
    await until(() => shown() === "25");
    render(null, box);
  });
});

describe("hostile strings", () => {
  const EVIL = [`<img src=x onerror="window.hacked=1">`, "</script><script>window.hacked=1</script>", "javascript:window.hacked=1", "\u001b[31mred\u001b[0m", "__proto__"];

  it("are inert in names, groups, reasons, checks, details, forms and notes", async () => {
    const nodes = EVIL.map((text) => ({
      id: text,
      group: `g ${text}`,
      kinds: [text],
      description: text,
      status: { word: "failed" as const, reason: text },
      checks: [{ name: text, status: "failed" as const }],
    }));
    const entry = { name: EVIL[0], text: EVIL[1], href: EVIL[2], type: "url" };
    const details: Partial<DetailsMessage> = {
      description: EVIL[0],
      code: { text: EVIL[1] },
      error: { line: EVIL[0], traceback: EVIL[1] },
      why: { changes: [{ kind: EVIL[0], name: EVIL[1], lines: [`+ ${EVIL[0]}`] }] },
      metadata: [entry, { name: "t", columns: [EVIL[0]], rows: [[EVIL[1]]] }],
      runs: [{ run_id: EVIL[0], status: "failure", message: EVIL[1] }],
      output: [{ kind: "stdout", text: EVIL[0] }, { kind: "display", mime: "text/html" as never, data: btoa(EVIL[0]) }],
      tags: { [EVIL[0]]: EVIL[1] },
      value: { kind: "text", type: EVIL[0], text: EVIL[1] },
      upstream: [EVIL[1]],
    };
    const jobs = EVIL.map((name) => ({ name, description: name, nodes: [0] }));
    open({ kind: "snapshot", version: 1, nodes, edges: [[0, 1]], problem: EVIL[0], jobs, environment: EVIL[1], environments: EVIL }, Object.fromEntries(EVIL.map((id) => [id, details])));
    await list();
    host.say({ kind: "toast", text: EVIL[0] });
    for (const row of all("[role=row].is-level-2")) {
      row.click();
      await until(() => one(".ipyo-side h2")?.textContent && one(".ipyo-trace"));
    }
    const inert = (): void => expect(place.querySelectorAll("img, script, iframe, object, embed, [onerror], a")).toHaveLength(0);
    inert();
    all(".ipyo-job")[0].click();
    await until(() => one(".ipyo-side.is-job .ipyo-plain-list"));
    inert();
    named("Configure…")!.click();
    await until(() => one(".ipyo-launch-body"));
    host.say({ ...hostileForm(), request: last("form")!.request! });
    inert();
    expect(place.textContent).toContain(EVIL[0]);
    expect(place.textContent).not.toContain("\u001b");
    expect((globalThis as Record<string, unknown>)["hacked"]).toBeUndefined();
  });
});

describe("partitions", () => {
  beforeEach(() => open(quiet()));

  async function bar(name: string): Promise<HTMLElement> {
    await list();
    all("[role=row]").find((row) => row.textContent?.startsWith(name))!.click();
    return until(() => one("[role=slider]"));
  }

  it("are chosen by keys, and materialized as a range", async () => {
    const slider = await bar("raw_payments");
    for (const key of ["ArrowRight", "ArrowRight"]) press(slider, key);
    await until(() => slider.getAttribute("aria-valuetext") === "2024-01-02, fresh");
    press(slider, "End");
    slider.dispatchEvent(new KeyboardEvent("keydown", { key: "PageUp", shiftKey: true, bubbles: true, cancelable: true }));
    await until(() => one<HTMLInputElement>(".ipyo-typed input")!.value === "2024-11-24..2024-12-31");
    press(slider, "Enter");
    expect(last("materialize")).toMatchObject({ ids: ["raw_payments"], partitions: ["2024-11-24..2024-12-31"] });
  });

  it("say how many stand how, and are brought up to date by a button", async () => {
    await bar("raw_payments");
    expect(all(".ipyo-legend li").map((item) => item.textContent)).toEqual(["fresh 331", "missing 33", "failed 2"]);
    named("Missing 33")!.click();
    expect(last("backfill")).toMatchObject({ ids: ["raw_payments"], only: "missing" });
    named("Materialize 35")!.click();
    expect(last("backfill")).toMatchObject({ ids: ["raw_payments"], only: "stale" });
    expect(last("backfill")!.partitions).toBeUndefined();
  });

  it("are typed, and what isn't there is said", async () => {
    await bar("order_items");
    const input = one<HTMLInputElement>(".ipyo-typed input")!;
    type(input, "2024-01-02..2024-01-03|nowhere");
    await until(() => input.getAttribute("aria-invalid") === "true");
    const runs = all(".ipyo-runs-of button") as HTMLButtonElement[];
    expect(runs[0].textContent).toBe("Materialize");
    expect(runs.every((button) => button.disabled)).toBe(true);
    type(input, "2024-01-02..2024-01-03|*");
    press(input, "Enter");
    await until(() => one(".ipyo-typed")!.textContent?.includes("6 partitions"));
    named("All 6")!.click();
    expect(last("backfill")).toMatchObject({ only: "all", partitions: ["2024-01-02..2024-01-03|east..south"] });
  });

  it("are chosen in the details, not materialized all at once by the way", async () => {
    await bar("raw_payments");
    press(one(".ipyo-list")!, "m");
    expect(last("materialize")).toBeUndefined();
  });

  it("show the condition as a tree that opens", async () => {
    await bar("raw_payments");
    const tree = await until(() => one(".ipyo-tree"));
    expect(tree.textContent).toContain("in_latest_time_window 1 of 366");
    const closed = all(".ipyo-tree button").find((button) => button.getAttribute("aria-expanded") === "false")!;
    expect(closed.textContent).toContain("any of these");
    closed.click();
    await until(() => one(".ipyo-tree")!.textContent?.includes("newly_missing"));
    expect(one(".ipyo-freshness")!.textContent).toContain("in timeat most 1 d old, made 2 h ago, due in 22 h");
  });
});

describe("the page of automations", () => {
  beforeEach(async () => {
    open(quiet());
    (await until(() => named("Automations"))).click();
    await until(() => one(".ipyo-automations"));
  });

  it("switches, ticks, and shows what came of ticks", async () => {
    const toggle = all("[role=switch]").find((button) => button.getAttribute("aria-label") === "refund_watch on")!;
    expect(toggle.getAttribute("aria-checked")).toBe("false");
    toggle.click();
    expect(last("switch")).toMatchObject({ name: "refund_watch", on: true });
    await until(() => toggle.getAttribute("aria-checked") === "true");
    named("Tick now")!.click();
    expect(last("tick")).toMatchObject({ name: "nightly" });
    all(".ipyo-automation")[1].click();
    const ticks = await until(() => one(".ipyo-tick-list"));
    expect(ticks.textContent).toContain("requested 2 runs");
    expect(ticks.textContent).toContain("PermissionError: exports/");
  });

  it("stops and starts the daemon", async () => {
    expect(one(".ipyo-daemon")!.textContent).toContain("since 21 min ago · 2 of 3 on · 1 run waiting");
    named("Stop")!.click();
    await until(() => one(".ipyo-daemon")!.textContent?.includes("stopped"));
    named("Start")!.click();
    expect(last("daemon")).toMatchObject({ what: "start" });
  });
});
