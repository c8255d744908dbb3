/** Jobs: a row of them above the graph and the list, and the details of one at the side. */

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";

import type { Job, JobMessage, JobRun } from "../../protocol.js";
import { ago, clock, duration, plain, plural } from "../format.js";
import { isRunning, lookOf, type Look } from "../status.js";
import { CodeBlock } from "./code.js";
import { openLaunchpad } from "./commands.js";
import { Section } from "./details.js";
import { Button, Glyph, Icon, Link, useActions, useView } from "./parts.js";
import { Side } from "./side.js";

const FEW = 8;
const LOOKS: Readonly<Record<JobRun["status"], Look>> = { running: "running", success: "fresh", failure: "failed", canceled: "evicted" };

export function JobRow(): JSX.Element | null {
  const actions = useActions();
  const { jobs, job: open, panel } = useView();
  const [all, setAll] = useState(false);
  if (!jobs.length) return null;
  const shown = all ? jobs : jobs.slice(0, FEW);
  return (
    <nav class="ipyo-jobs" aria-label="Jobs">
      <span class="ipyo-soft" aria-hidden="true">
        Jobs
      </span>
      {shown.map((job) => (
        <button
          key={job.name}
          type="button"
          class={`ipyo-job ${open === job.name && panel ? "is-open" : ""}`}
          title={plain([job.name, job.description].filter(Boolean).join("\n"))}
          aria-label={`Job ${plain(job.name)} ${sizeOf(job)}`}
          aria-pressed={open === job.name && panel !== null}
          onClick={() => (open === job.name && panel ? actions.close() : actions.openJob(job.name))}
        >
          <Icon name="job" size={14} />
          <span>{plain(job.name)}</span>{" "}
          <span class="ipyo-soft">{job.of_ops ? "ops" : job.nodes?.length ?? 0}</span>
        </button>
      ))}
      {jobs.length > FEW && (
        <Button kind="quiet" onClick={() => setAll(!all)}>
          {all ? "fewer" : `${jobs.length - FEW} more`}
        </Button>
      )}
    </nav>
  );
}

function sizeOf(job: Job): string {
  return job.of_ops ? "ops" : plural(job.nodes?.length ?? 0, "asset");
}

export function JobPanel(): JSX.Element | null {
  const actions = useActions();
  const { job: name, jobs, jobDetails, run } = useView();
  const job = jobs.find((one) => one.name === name);
  if (!job) return null;
  const known = jobDetails?.name === job.name ? jobDetails : null;
  const busy = isRunning(run);
  const cell = job.cell;
  return (
    <Side label={`Job ${plain(job.name)}`} name="job">
      <div class="ipyo-side-head">
        <div class="ipyo-panel-head">
          <h2>
            <span class="ipyo-soft">job </span>
            {plain(job.name)}
          </h2>
          <Button icon="close" kind="quiet" label="Close (Esc)" onClick={() => actions.close()} />
        </div>
        <Standing told={known} />
        <div class="ipyo-row">
          <Button icon="play" disabled={busy || !!known?.problem} onClick={() => actions.launchJob(job.name)}>
            Launch
          </Button>
          <Button icon="sliders" kind="quiet" onClick={() => openLaunchpad(actions, job.name)}>
            Configure…
          </Button>
          {known?.resumable && (
            <Button kind="quiet" disabled={busy} label="Run what failed or didn't run, and what has changed since" onClick={() => actions.launchJob(job.name, { from_failure: true })}>
              From failure
            </Button>
          )}
          {cell && (
            <Button icon="cell" kind="quiet" disabled={!cell.id} onClick={() => cell.id && actions.openCell(cell.id)}>
              {plain(cell.label)}
            </Button>
          )}
        </div>
      </div>
      <div class="ipyo-side-body">{known ? <Body told={known} job={job} /> : <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>}</div>
    </Side>
  );
}

function Standing({ told }: { told: JobMessage | null }): JSX.Element {
  const last = told?.runs?.[0];
  if (!last) return <p class="ipyo-status">{told ? <span class="ipyo-soft">Not run yet</span> : " "}</p>;
  return (
    <p class={`ipyo-status is-${LOOKS[last.status]}`}>
      <Glyph look={LOOKS[last.status]} />
      <span title={clock(last.when)}>{plain(`${last.status} · ${ago(last.when)}${last.seconds ? `, in ${duration(last.seconds)}` : ""}${last.message ? ` · ${last.message}` : ""}`)}</span>
    </p>
  );
}

function Body({ told, job }: { told: JobMessage; job: Job }): JSX.Element {
  const actions = useActions();
  const { graph } = useView();
  const { ids = [], ops = [], runs = [], code, problem, description, tags = {} } = told;
  return (
    <>
      {problem && (
        <div class="ipyo-callout is-failed" role="group" aria-label="Problem">
          <p>{plain(problem)}</p>
        </div>
      )}
      {description && <p class="ipyo-description">{plain(description)}</p>}
      {!job.of_ops && (
        <Section title="Assets" note={String(ids.length)}>
          <List>
            {ids.slice(0, 300).map((id) => {
              const node = graph?.at(id);
              return (
                <li key={id}>
                  <Link id={id} {...(node ? { look: lookOf(node) } : {})} open={() => actions.select(id)} />
                </li>
              );
            })}
          </List>
          {ids.length > 0 && (
            <Button kind="quiet" icon="focus" onClick={() => actions.focus(ids, 0)}>
              Show only these
            </Button>
          )}
        </Section>
      )}
      {ops.length > 0 && (
        <Section title="Ops" note={String(ops.length)}>
          <List>
            {ops.map((op) => (
              <li key={op.name}>
                {plain(op.name)}
                {op.after?.length ? <span class="ipyo-soft"> after {plain(op.after.join(", "))}</span> : null}
              </li>
            ))}
          </List>
        </Section>
      )}
      {Object.keys(tags).length > 0 && (
        <Section title="Tags">
          <List>
            {Object.entries(tags).map(([key, value]) => (
              <li key={key}>{plain(`${key}: ${value}`)}</li>
            ))}
          </List>
        </Section>
      )}
      {runs.length > 0 && (
        <Section title="Runs">
          <List>
            {runs.map((run) => (
              <li key={run.run_id} class="ipyo-row">
                <Glyph look={LOOKS[run.status]} size={12} />
                <button type="button" class="ipyo-link" title="Show its timeline" onClick={() => void actions.showRun(run.run_id)}>
                  {run.status}
                </button>
                <span class="ipyo-soft" title={clock(run.when)}>
                  {ago(run.when)}
                </span>
                <span class="ipyo-soft">{duration(run.seconds ?? 0)}</span>
              </li>
            ))}
          </List>
        </Section>
      )}
      {code && (
        <Section title="Code" note={plain(code.where ?? "")}>
          <CodeBlock text={code.text} {...(code.where ? { where: code.where } : {})} />
        </Section>
      )}
    </>
  );
}

function List({ children }: { children: ComponentChildren }): JSX.Element {
  return <ul class="ipyo-plain-list">{children}</ul>;
}
