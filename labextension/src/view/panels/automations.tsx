/** The page of schedules and sensors: what ticks, when, and what came of it. */

import type { JSX } from "preact";
import { Fragment } from "preact";
import { useEffect } from "preact/hooks";

import type { Automation, DaemonState, TickLine, TicksMessage } from "../../protocol.js";
import { ago, ahead, clock, duration, plain, plural } from "../format.js";
import { isRunning, type Look } from "../status.js";
import { Button, Glyph, Icon, useActions, useView } from "./parts.js";

/** Milliseconds between two looks: while the daemon runs, and while nothing ticks by itself. */
const LIVELY = 2_000;
const QUIET = 8_000;

const LOOKS: Readonly<Record<string, Look>> = { requested: "fresh", skipped: "cached", failed: "failed", missed: "evicted" };
const RUN_LOOKS: Readonly<Record<string, Look>> = { running: "running", success: "fresh", failure: "failed", canceled: "evicted" };

export function Automations(): JSX.Element {
  const actions = useActions();
  const { automations: told, structure, run, ticks, ticksOf } = useView();
  const running = told?.daemon?.is_running ?? false;
  const busy = isRunning(run);
  useEffect(() => actions.loadAutomations(), [actions, structure, busy]);
  useEffect(() => {
    const timer = setInterval(() => actions.loadAutomations(), running ? LIVELY : QUIET);
    return () => clearInterval(timer);
  }, [actions, running]);
  const rows = told?.automations ?? [];
  return (
    <section class="ipyo-timed" aria-label="Automations" tabIndex={-1}>
      {told && <Daemon daemon={told.daemon ?? {}} on={rows.filter((row) => row.on).length} all={rows.length} />}
      {!told && <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>}
      {told && !rows.length && <Nothing />}
      {rows.length > 0 && (
        <table class="ipyo-automations">
          <thead>
            <tr>
              <th scope="col">On</th>
              <th scope="col">Name</th>
              <th scope="col">Runs</th>
              <th scope="col">When</th>
              <th scope="col">Next</th>
              <th scope="col">Last tick</th>
              <th scope="col">
                <span class="ipyo-said">Commands</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Fragment key={row.name}>
                <Row row={row} open={ticksOf === row.name} running={running} />
                {ticksOf === row.name && (
                  <tr class="ipyo-ticks-row">
                    <td colSpan={7}>
                      <Ticks told={ticks?.name === row.name ? ticks : null} zone={row.zone ?? ""} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Nothing(): JSX.Element {
  return (
    <div class="ipyo-nothing">
      <strong>No schedules or sensors yet</strong>
      <span class="ipyo-soft">
        <code>%%schedule NAME</code> and <code>%%sensor NAME</code> make them.
      </span>
    </div>
  );
}

function Daemon({ daemon, on, all }: { daemon: DaemonState; on: number; all: number }): JSX.Element {
  const actions = useActions();
  const { is_running: running = false, since, waiting = 0, trouble } = daemon;
  return (
    <>
      <div class={`ipyo-daemon ${running ? "is-running" : ""}`}>
        <span class="ipyo-lamp" aria-hidden="true" />
        <div class="ipyo-grow">
          <strong>{running ? "The daemon runs" : "The daemon is stopped"}</strong>
          <span class="ipyo-soft">
            {running
              ? plain([since != null ? `since ${ago(since)}` : "", `${on} of ${all} on`, waiting ? `${plural(waiting, "run")} waiting` : ""].filter(Boolean).join(" · "))
              : on
                ? `${on} of ${all} on: nothing ticks before it is started.`
                : "Switch on what shall tick, and start it."}
          </span>
        </div>
        {running ? (
          <Button icon="stop" onClick={() => actions.daemon("stop")}>
            Stop
          </Button>
        ) : (
          <Button icon="play" kind={on ? "primary" : "plain"} onClick={() => actions.daemon("start")}>
            Start
          </Button>
        )}
      </div>
      {trouble && (
        <div class="ipyo-callout is-failed" role="group" aria-label="Trouble">
          <p>{plain(trouble)}</p>
        </div>
      )}
    </>
  );
}

function Row({ row, open, running }: { row: Automation; open: boolean; running: boolean }): JSX.Element {
  const actions = useActions();
  const { name, kind, on = false, target = "", when = "", cell, description, problem } = row;
  return (
    <tr class={open ? "is-open" : ""}>
      <td>
        <button type="button" role="switch" aria-checked={on} aria-label={`${plain(name)} on`} class="ipyo-toggle" onClick={() => actions.switchAutomation(name, !on)}>
          <i aria-hidden="true" />
        </button>
      </td>
      <td>
        <button type="button" class="ipyo-automation" aria-expanded={open} title={plain(description || `Show the ticks of ${name}`)} onClick={() => actions.openTicks(open ? null : name)}>
          <Icon name={open ? "down" : "right"} size={12} />
          <b>{plain(name)}</b>
        </button>
        <div class="ipyo-soft ipyo-below">
          {kind}
          {cell && (
            <>
              {" · "}
              {cell.id ? (
                <button type="button" class="ipyo-link" onClick={() => actions.openCell(cell.id!)}>
                  {plain(cell.label)}
                </button>
              ) : (
                plain(cell.label)
              )}
            </>
          )}
        </div>
        {problem && (
          <div class="ipyo-trouble">
            <Glyph look="failed" size={12} /> {plain(problem)}
          </div>
        )}
      </td>
      <td title={plain(target)}>{plain(target)}</td>
      <td>{plain(when)}</td>
      <td>
        <Next row={row} running={running} />
      </td>
      <td>
        <Last row={row} />
      </td>
      <td class="ipyo-commands">
        <Button icon="tick" kind="quiet" disabled={!!problem} label={`Tick ${plain(name)} now, and run what it asks for`} onClick={() => actions.tickNow(name)}>
          Tick now
        </Button>
      </td>
    </tr>
  );
}

function Next({ row, running }: { row: Automation; running: boolean }): JSX.Element {
  const [first, ...others] = row.next ?? [];
  if (first === undefined) return <span class="ipyo-soft">{row.on ? "when the daemon runs" : "off"}</span>;
  const title = [first, ...others].map(clock).join("\n");
  return (
    <span class={running ? "" : "ipyo-soft"} title={title}>
      {ahead(first)}
    </span>
  );
}

function Last({ row }: { row: Automation }): JSX.Element {
  if (row.last == null) return <span class="ipyo-soft">never</span>;
  const status = row.status ?? "";
  return (
    <>
      <div class="ipyo-row">
        <Glyph look={LOOKS[status] ?? "unknown"} size={12} />
        <span>{status}</span>
        <span class="ipyo-soft" title={clock(row.last)}>
          {ago(row.last)}
        </span>
        <RunMarks runs={row.runs ?? []} />
      </div>
      {row.message && (
        <div class="ipyo-soft ipyo-below" title={plain(row.message)}>
          {plain(row.message)}
        </div>
      )}
    </>
  );
}

/** A mark for each of some runs, in words where there are many. */
function RunMarks({ runs }: { runs: readonly string[] }): JSX.Element | null {
  if (!runs.length) return null;
  const counts = new Map<string, number>();
  for (const one of runs) counts.set(one, (counts.get(one) ?? 0) + 1);
  return (
    <span class="ipyo-run-marks">
      {[...counts].map(([status, many]) => (
        <span key={status} title={`${plural(many, "run")}: ${status}`}>
          <Glyph look={RUN_LOOKS[status] ?? "unknown"} size={11} label={`run ${status}`} />
          {many > 1 ? many : ""}
        </span>
      ))}
    </span>
  );
}

function Ticks({ told, zone }: { told: TicksMessage | null; zone: string }): JSX.Element {
  if (!told) return <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>;
  const ticks = told.ticks ?? [];
  if (!ticks.length) return <p class="ipyo-soft">It has never ticked.</p>;
  return (
    <>
      <ol class="ipyo-tick-list" aria-label={`Ticks of ${plain(told.name)}`} tabIndex={0}>
        {ticks.map((tick, i) => (
          <Tick key={i} tick={tick} zone={zone} />
        ))}
      </ol>
      {(told.total ?? 0) > ticks.length && <p class="ipyo-soft">{`The newest ${ticks.length} of ${told.total!.toLocaleString("en-US")}.`}</p>}
    </>
  );
}

function Tick({ tick, zone }: { tick: TickLine; zone: string }): JSX.Element {
  const { status, at, moment, requested = 0, message, runs = [], seconds = 0, printed } = tick;
  return (
    <li>
      <div class="ipyo-row">
        <Glyph look={LOOKS[status] ?? "unknown"} size={12} />
        <span>{status === "requested" ? `requested ${plural(requested, "run")}` : status}</span>
        <RunMarks runs={runs} />
        <span class="ipyo-soft" title={clock(at)}>
          {ago(at)}
        </span>
        {moment != null && <span class="ipyo-soft">{`for ${inZone(moment, zone)}`}</span>}
        <span class="ipyo-soft">{duration(seconds)}</span>
      </div>
      {message && <p class={status === "failed" ? "ipyo-wrong" : "ipyo-soft"}>{plain(message)}</p>}
      {printed && <pre class="ipyo-text">{plain(printed)}</pre>}
    </li>
  );
}

/** Return a moment as the clock of a schedule shows it. */
export function inZone(moment: number, zone: string): string {
  const form = { dateStyle: "medium", timeStyle: "short" } as const;
  try {
    return new Date(moment * 1000).toLocaleString(undefined, { ...form, ...(zone ? { timeZone: zone } : {}) });
  } catch {
    return new Date(moment * 1000).toLocaleString(undefined, form);
  }
}
