/** The run: how far it is, what ends it, and when each of its steps ran. */

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

import type { RunState, StepState } from "../../protocol.js";
import { duration, plain, plural } from "../format.js";
import { checksText, isRunning, runLook, stepLook } from "../status.js";
import { Button, Glyph, useActions, useSeconds, useView } from "./parts.js";

export function RunBar(): JSX.Element | null {
  const actions = useActions();
  const { run, timeline } = useView();
  const now = useSeconds(isRunning(run));
  if (!run) return null;
  const status = run.status ?? "running";
  const on = isRunning(run);
  const [done, total] = [run.done ?? 0, run.total ?? 0];
  const seconds = on ? Math.max(0, now - run.started) : (run.seconds ?? 0);
  const busy = on ? (run.steps ?? []).filter((step) => step.status === "running" || step.status === "retrying") : [];
  const words = { running: run.canceling ? "Canceling" : "Running", success: "Finished", failure: "Failed", canceled: "Canceled" }[status];
  const [look, checks] = [runLook(run), checksText(run)];
  return (
    <div class={`ipyo-run is-${status} looks-${look}`} role="group" aria-label="Run">
      {timeline && <Timeline run={run} now={on ? now : run.started + (run.seconds ?? 0)} />}
      <div class="ipyo-run-line">
        <Glyph look={look} />
        <strong>{words}</strong>
        <span class="ipyo-run-what">
          {plain(busy.length ? busy.map((step) => step.name).slice(0, 3).join(", ") + (busy.length > 3 ? ` and ${busy.length - 3} more` : "") : run.message || run.what || "")}
        </span>
        {(run.failed ?? 0) > 0 && <span class="ipyo-run-failed">{run.failed} failed</span>}
        {checks.failed && <span class="ipyo-run-failed is-check">{checks.failed}</span>}
        {checks.warned && <span class="ipyo-run-failed is-warning">{checks.warned}</span>}
        <span class="ipyo-numbers">
          {done} of {total}
        </span>
        <span class="ipyo-numbers ipyo-soft">{duration(seconds)}</span>
        <Button icon="timeline" kind="quiet" pressed={timeline} label="Timeline (T)" onClick={() => actions.toggleTimeline()} />
        {on && (
          <Button kind="danger" icon="stop" disabled={run.canceling ?? false} onClick={() => actions.cancel()}>
            Cancel
          </Button>
        )}
        {!on && <Button icon="close" kind="quiet" label="Close" onClick={() => actions.store.set({ run: null, timeline: false })} />}
      </div>
      <div
        class="ipyo-run-track"
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
      >
        <div style={{ width: `${total ? (100 * done) / total : 0}%` }} />
      </div>
    </div>
  );
}

const ROW = 22;
const MOST_ROWS = 400;

/** When each step ran, one row for each, the first on top. */
export function Timeline({ run, now }: { run: RunState; now: number }): JSX.Element {
  const actions = useActions();
  const steps = useMemo(
    () => (run.steps ?? []).filter((step) => step.started != null).sort((a, b) => a.started! - b.started!).slice(0, MOST_ROWS),
    [run],
  );
  const end = Math.max(now, run.started + 0.001, ...steps.map((step) => step.started! + (step.seconds ?? 0)));
  const span = end - run.started;
  const ticks = ticksOf(span);
  if (!steps.length) return <div class="ipyo-timeline is-empty">Nothing has run yet.</div>;
  return (
    <div class="ipyo-timeline" role="list" aria-label={`Timeline of ${plural(steps.length, "step")}`} tabIndex={0}>
      <div class="ipyo-ticks" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick} style={{ left: `${(100 * tick) / span}%` }}>
            {duration(tick)}
          </span>
        ))}
      </div>
      {steps.map((step) => (
        <Row key={step.name} step={step} start={run.started} span={span} now={now} open={(id) => actions.select(id)} />
      ))}
    </div>
  );
}

function Row({ step, start, span, now, open }: { step: StepState; start: number; span: number; now: number; open: (id: string) => void }): JSX.Element {
  const look = stepLook(step);
  const busy = look === "running";
  const seconds = busy ? Math.max(0, now - step.started!) : (step.seconds ?? 0);
  const [left, width] = [(100 * (step.started! - start)) / span, (100 * seconds) / span];
  const checks = (step.checks ?? []).map((check) => `, check ${check.name} ${check.status}`).join("");
  const told = `${step.name}: ${step.status}, ${duration(seconds)}${checks}${step.reason ? `, ${step.reason}` : ""}`;
  return (
    <div role="listitem" class="ipyo-step" style={{ height: `${ROW}px` }}>
      <button type="button" class="ipyo-step-name" title={plain(told)} aria-label={plain(told)} onClick={() => step.ids?.[0] && open(step.ids[0])}>
        <Glyph look={look} size={11} />
        <span>{plain(step.name)}</span>
      </button>
      <div class="ipyo-step-lane">
        <div class={`ipyo-step-bar is-${look}`} style={{ left: `${left}%`, width: `max(3px, ${width}%)` }} title={plain(told)} />
        <span class="ipyo-step-time" style={left + width > 82 ? { right: `calc(${100 - left}% + 5px)` } : { left: `calc(${left + width}% + 8px)` }}>
          {duration(seconds)}
        </span>
      </div>
    </div>
  );
}

/** Return three to six round numbers of seconds up to `span`. */
export function ticksOf(span: number): number[] {
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const ticks: number[] = [];
  for (let i = 0; i * step < span * 0.97; i++) ticks.push(+(i * step).toPrecision(6));
  return ticks;
}
