/** The details of an asset, at the side. */

import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import type { CheckDetails, DetailsMessage, Entry, Node, Why } from "../../protocol.js";
import { ago, bytes, clock, duration, number, plain, scalar, webAddress } from "../format.js";
import { isRunning, lookOf, sentence, type Look } from "../status.js";
import { CodeBlock, Difference } from "./code.js";
import { entriesFor, runnable } from "./commands.js";
import { ConditionSection, FreshnessFact } from "./condition.js";
import { Menu } from "./menu.js";
import { Button, Glyph, Icon, Link, useActions, useView } from "./parts.js";
import { Output, Runs, ValueView } from "./outcomes.js";
import { PartitionSection } from "./partitions.js";
import { History } from "./plots.js";
import { Side } from "./side.js";

export function Details(): JSX.Element | null {
  const { graph, detailsOf, details } = useView();
  const node = detailsOf === null ? undefined : graph?.at(detailsOf);
  if (!node) return null;
  const known = details?.id === node.id ? details : null;
  return (
    <Side label={`Details of ${node.id}`} name="details">
      <Head key={node.id} node={node} details={known} />
      <div class="ipyo-side-body">{known ? <Body key={node.id} node={node} details={known} /> : <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>}</div>
    </Side>
  );
}

function Head({ node, details }: { node: Node; details: DetailsMessage | null }): JSX.Element {
  const actions = useActions();
  const { run } = useView();
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const head = useRef<HTMLDivElement>(null);
  const look = lookOf(node);
  const cell = details?.cell ?? node.cell ?? null;
  const cut = node.id.lastIndexOf("/") + 1;
  const own = runnable(actions.state.graph!, [node.id]);
  const open = (event: MouseEvent): void => {
    const at = (event.currentTarget as Element).getBoundingClientRect();
    const room = head.current!.closest(".ipyo-side")!.getBoundingClientRect();
    setMenu({ x: at.right - room.left, y: at.bottom - room.top + 4 });
  };
  return (
    <div class="ipyo-side-head" ref={head}>
      <div class="ipyo-panel-head">
        <h2>
          <span class="ipyo-soft">{plain(node.id.slice(0, cut))}</span>
          {plain(node.label || node.id.slice(cut))}
        </h2>
        <Button icon="close" kind="quiet" label="Close (Esc)" onClick={() => actions.close()} />
      </div>
      <p class={`ipyo-status is-${look}`}>
        <Glyph look={look} />
        <span>{plain(sentence(node))}</span>
      </p>
      <div class="ipyo-row">
        {!node.partitioned && (
          <Button icon="play" disabled={isRunning(run) || !own.length} onClick={() => actions.materialize(own)}>
            Materialize
          </Button>
        )}
        {cell && (
          <Button icon="cell" kind="quiet" disabled={!cell.id} onClick={() => cell.id && actions.openCell(cell.id)}>
            {plain(cell.label)}
          </Button>
        )}
        <Button icon="focus" kind="quiet" label="Focus on its neighbours (F)" onClick={() => actions.focus([node.id], 1)} />
        <Button icon="more" kind="quiet" label="More commands" expanded={menu !== null} onClick={open} />
      </div>
      {menu && <Menu entries={entriesFor(actions, [node.id])} label="Commands" x={menu.x} y={menu.y} right close={() => setMenu(null)} />}
    </div>
  );
}

function Body({ node, details }: { node: Node; details: DetailsMessage }): JSX.Element {
  const { why, error, value, checks = [], code, output = [], metadata = [], plots = [], runs = [], definition_metadata: defined = [] } = details;
  return (
    <>
      {error && <Failure error={error} />}
      {why && <Reason why={why} look={lookOf(node)} />}
      {details.description && <p class="ipyo-description">{plain(details.description)}</p>}
      {node.partitioned && <PartitionSection node={node} />}
      <Facts node={node} details={details} />
      {node.automated && <ConditionSection node={node} stamp={`${details.version}`} />}
      {value && value.kind !== "none" && (
        <Section title="Value">
          <ValueView id={node.id} value={value} stamp={`${details.data_version} ${details.when}`} comparable={details.comparable ?? false} />
        </Section>
      )}
      {value?.kind === "none" && value.reason && (
        <Section title="Value">
          <p class="ipyo-soft">{plain(value.reason)}</p>
        </Section>
      )}
      {checks.length > 0 && (
        <Section title="Checks" note={`${checks.filter((check) => check.status === "passed").length} of ${checks.length} passed`}>
          {checks.map((check) => (
            <Check key={check.name} check={check} />
          ))}
        </Section>
      )}
      {(metadata.length > 0 || plots.length > 0) && (
        <Section title="Metadata">
          {plots.map((plot) => plot.points.length > 1 && <History key={plot.name} name={plot.name} points={plot.points} />)}
          <Entries entries={metadata} />
        </Section>
      )}
      {code && (
        <Section title="Code" note={plain(code.where ?? "")}>
          <CodeBlock text={code.text} {...(code.language ? { language: code.language } : {})} {...(code.where ? { where: code.where } : {})} />
        </Section>
      )}
      <Neighbours details={details} />
      {output.length > 0 && (
        <Section title="Output" note="of the last run">
          <Output chunks={output} />
        </Section>
      )}
      {runs.length > 0 && (
        <Section title="Runs">
          <Runs runs={runs} />
        </Section>
      )}
      {defined.length > 0 && (
        <Section title="Definition">
          <Entries entries={defined} />
        </Section>
      )}
    </>
  );
}

export function Section({ title, note, children }: { title: string; note?: string; children: ComponentChildren }): JSX.Element {
  return (
    <details class="ipyo-section" open>
      <summary>
        <Icon name="right" size={12} />
        <h3>{title}</h3>
        {note && <span class="ipyo-soft">{note}</span>}
      </summary>
      <div class="ipyo-section-body">{children}</div>
    </details>
  );
}

function Failure({ error }: { error: NonNullable<DetailsMessage["error"]> }): JSX.Element {
  return (
    <div class="ipyo-callout is-failed" role="group" aria-label="Error">
      <h3>{plain(error.line)}</h3>
      {error.when != null && <div class="ipyo-soft" title={clock(error.when)}>{ago(error.when)}</div>}
      {error.traceback && (
        <pre class="ipyo-trace" tabIndex={0} role="group" aria-label="Traceback">
          {plain(error.traceback)}
        </pre>
      )}
    </div>
  );
}

function Reason({ why, look }: { why: Why; look: Look }): JSX.Element | null {
  const { changes = [], upstream = [], notes = [], hint } = why;
  const actions = useActions();
  if (!changes.length && !upstream.length && !notes.length && !hint) return null;
  return (
    <div class={`ipyo-callout is-${look}`} role="group" aria-label="Why">
      {changes.map((change, i) => (
        <div key={i}>
          <h3>
            {plain(change.kind)} <span class="ipyo-soft">{plain(change.name)}</span>
          </h3>
          {change.lines && change.lines.length > 0 && <Difference lines={change.lines} />}
        </div>
      ))}
      {upstream.length > 0 && (
        <p>
          Upstream isn't fresh:{" "}
          {upstream.map((id) => (
            <Link key={id} id={id} open={() => actions.select(id)} />
          ))}
        </p>
      )}
      {notes.map((note, i) => (
        <p key={i}>{plain(note)}</p>
      ))}
      {hint && <p class="ipyo-soft">{plain(hint)}</p>}
    </div>
  );
}

function Facts({ node, details }: { node: Node; details: DetailsMessage }): JSX.Element {
  const actions = useActions();
  const { graph } = useView();
  const facts: [string, ComponentChildren][] = [];
  if (details.when != null) {
    facts.push(["Materialized", <span title={clock(details.when)}>{`${ago(details.when)}${details.seconds != null ? `, in ${duration(details.seconds)}` : ""}`}</span>]);
  }
  const shape = (details.shape ?? []).map(number).join(" × ");
  if (shape || details.nbytes) facts.push(["Size", [shape, details.nbytes ? bytes(details.nbytes) : ""].filter(Boolean).join(" · ")]);
  if (node.freshness) facts.push(["Freshness", <FreshnessFact freshness={node.freshness} />]);
  if (graph && graph.groups.length > 1) facts.push(["Group", plain(node.group ?? "default")]);
  if (details.kinds?.length) facts.push(["Kinds", <Chips list={details.kinds} />]);
  if (details.owners?.length) facts.push(["Owners", plain(details.owners.join(", "))]);
  if (details.partitions) facts.push(["Partitions", plain(details.partitions)]);
  if (details.resources?.length) facts.push(["Resources", <Chips list={details.resources} />]);
  if (details.io_manager) facts.push(["Stored by", plain(details.io_manager)]);
  const tags = Object.entries(details.tags ?? {});
  if (tags.length) facts.push(["Tags", <Chips list={tags.map(([name, value]) => (value ? `${name}: ${value}` : name))} />]);
  if (details.data_version) facts.push(["Version", <code>{plain(details.data_version.slice(0, 16))}</code>]);
  if (!facts.length) return <></>;
  const jobs = actions.jobsOf(node.id);
  if (jobs.length) {
    facts.push([
      "Jobs",
      <span class="ipyo-links">
        {jobs.map((job) => (
          <Link key={job.name} id={job.name} open={() => actions.openJob(job.name)} />
        ))}
      </span>,
    ]);
  }
  return (
    <dl class="ipyo-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Chips({ list }: { list: readonly string[] }): JSX.Element {
  return (
    <span class="ipyo-chips">
      {list.map((text) => (
        <span key={text} class="ipyo-chip" title={plain(text)}>
          {plain(text)}
        </span>
      ))}
    </span>
  );
}

function Check({ check }: { check: CheckDetails }): JSX.Element {
  const status = check.status ?? "not run";
  const look: Look = { passed: "fresh", warned: "stale", failed: "failed", raised: "failed", "not run": "missing" }[status] as Look;
  return (
    <div class="ipyo-check">
      <div class="ipyo-row">
        <Glyph look={look} size={13} />
        <b>{plain(check.name)}</b>
        <span class={`ipyo-soft`}>{status}</span>
        {check.blocking && <span class="ipyo-chip">blocking</span>}
        <span class="ipyo-grow" />
        {check.when != null && (
          <span class="ipyo-soft" title={clock(check.when)}>
            {ago(check.when)}
          </span>
        )}
      </div>
      {check.description && <p class="ipyo-soft">{plain(check.description)}</p>}
      {check.error && <pre class="ipyo-trace">{plain(check.error)}</pre>}
      <Entries entries={check.metadata ?? []} />
    </div>
  );
}

function Entries({ entries }: { entries: readonly Entry[] }): JSX.Element | null {
  if (!entries.length) return null;
  return (
    <dl class="ipyo-facts">
      {entries.map((entry) => (
        <div key={entry.name} class={entry.columns?.length ? "is-tall" : ""}>
          <dt>{plain(entry.name)}</dt>
          <dd>
            <EntryValue entry={entry} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function EntryValue({ entry }: { entry: Entry }): JSX.Element {
  const href = webAddress(entry.href);
  if (entry.columns?.length) {
    return (
      <div class="ipyo-scroll" tabIndex={0} role="group" aria-label={entry.name}>
        <table class="ipyo-small-table">
          <thead>
            <tr>
              {entry.columns.map((name) => (
                <th key={name}>{plain(name)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(entry.rows ?? []).map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j}>{plain(scalar(cell))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  }
  if (href) {
    return (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {plain(entry.text || href)}
      </a>
    );
  }
  return entry.type === "json" || entry.type === "md" || entry.text?.includes("\n") ? <pre class="ipyo-text">{plain(entry.text ?? "")}</pre> : <span>{plain(entry.text ?? "")}</span>;
}

function Neighbours({ details }: { details: DetailsMessage }): JSX.Element | null {
  const actions = useActions();
  const { graph } = useView();
  const sides = [
    ["Upstream", details.upstream ?? []],
    ["Downstream", details.downstream ?? []],
  ] as const;
  if (!sides.some(([, ids]) => ids.length)) return null;
  return (
    <Section title="Lineage">
      <dl class="ipyo-facts">
        {sides.map(
          ([name, ids]) =>
            ids.length > 0 && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="ipyo-links">
                  {ids.slice(0, 200).map((id) => {
                    const node = graph?.at(id);
                    return <Link key={id} id={id} {...(node ? { look: lookOf(node) } : {})} open={() => actions.select(id)} />;
                  })}
                  {ids.length > 200 && <span class="ipyo-soft">and {ids.length - 200} more</span>}
                </dd>
              </div>
            ),
        )}
      </dl>
    </Section>
  );
}
