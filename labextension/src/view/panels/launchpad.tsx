/** The launchpad: config for what is selected, as a form and as YAML beside it. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Finding, Section as FormSection } from "../../protocol.js";
import { plain, plural } from "../format.js";
import { isRunning } from "../status.js";
import type { Draft, Launch } from "../state/launch.js";
import { fieldsOf, findingsAt, within, type Schema } from "../state/config.js";
import { runnable } from "./commands.js";
import { Fields, type FormState } from "./fields.js";
import { Button, Glyph, useActions, useUid, useView } from "./parts.js";
import { Side } from "./side.js";

const FIELDS = ".ipyo-form input, .ipyo-form select, .ipyo-form textarea";

export function Launchpad(): JSX.Element {
  const actions = useActions();
  const { graph, selected, structure, job } = useView();
  const { launch } = actions;
  const [draft, setDraft] = useState(launch.draft);
  useEffect(() => {
    setDraft(launch.draft); // it may have come since this was drawn
    return launch.subscribe(() => setDraft(launch.draft));
  }, [launch]);
  const subject = useMemo(() => {
    const own = graph && job === null ? runnable(graph, actions.selectedIds()) : [];
    return { ids: own.length ? own : null, job };
  }, [graph, selected, structure, job]);
  const { ids } = subject;
  useEffect(() => void launch.open(subject), [launch, subject]);
  const box = useRef<HTMLDivElement>(null);
  const ready = draft !== null;
  // The keyboard is here from the first moment on: while the kernel is asked, its keys are nobody else's.
  useLayoutEffect(() => box.current!.focus({ preventScroll: true }), []);
  useLayoutEffect(() => {
    const own = box.current!;
    if (ready && own.ownerDocument.activeElement === own) own.querySelector<HTMLElement>(FIELDS)?.focus();
  }, [ready]);
  const close = (): void => actions.store.set(job === null ? { panel: null } : { panel: "job" });
  return (
    <Side label="Launchpad" name="launchpad" wide={720}>
      <div
        class="ipyo-launch"
        ref={box}
        tabIndex={-1}
        onFocusIn={(event) => {
          // One may come from a cell that has defined the fields anew.
          const { currentTarget: own, target, relatedTarget } = event;
          if (target !== own && !own.contains(relatedTarget as globalThis.Node | null)) void launch.open(subject);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          close();
          event.stopPropagation();
        }}
      >
        <div class="ipyo-side-head">
          <div class="ipyo-panel-head">
            <h2>
              Launchpad <span class="ipyo-soft">{job !== null ? `job ${plain(job)}` : ids ? (ids.length === 1 ? ids[0] : plural(ids.length, "asset")) : "all assets"}</span>
            </h2>
            <Button icon="close" kind="quiet" label="Close; what was typed is kept (Esc)" onClick={close} />
          </div>
          {draft && <Presets draft={draft} launch={launch} />}
        </div>
        {draft ? <Body draft={draft} launch={launch} /> : <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>}
        {draft && <Foot draft={draft} launch={launch} />}
      </div>
    </Side>
  );
}

function Presets({ draft, launch }: { draft: Draft; launch: Launch }): JSX.Element {
  const [name, setName] = useState<string | null>(null);
  const { presets = [], preset = "" } = draft.form;
  const save = (): void => {
    if (name?.trim()) void launch.savePreset(name.trim());
    setName(null);
  };
  return (
    <div class="ipyo-row">
      <select
        aria-label="Preset"
        value={preset}
        onChange={(event) => event.currentTarget.value && void launch.usePreset(event.currentTarget.value)}
      >
        <option value="">{presets.length ? "Presets…" : "No presets yet"}</option>
        {presets.map((one) => (
          <option key={one} value={one}>
            {plain(one)}
          </option>
        ))}
      </select>
      {name === null ? (
        <Button kind="quiet" onClick={() => setName(preset)}>
          Save as preset
        </Button>
      ) : (
        <>
          <input
            type="text"
            class="ipyo-preset-name"
            aria-label="Name of the preset"
            placeholder="name"
            value={name}
            ref={(input) => input?.focus()}
            onInput={(event) => setName(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") save();
              else if (event.key === "Escape") setName(null);
              else return;
              event.stopPropagation();
            }}
          />
          <Button onClick={save} disabled={!name.trim()}>
            Save
          </Button>
        </>
      )}
      {preset && (
        <Button kind="quiet" onClick={() => void launch.dropPreset(preset)}>
          Forget preset
        </Button>
      )}
      <span class="ipyo-grow" />
      <Button kind="quiet" disabled={!launch.edited} onClick={() => void launch.reset()}>
        Reset all
      </Button>
    </div>
  );
}

function Body({ draft, launch }: { draft: Draft; launch: Launch }): JSX.Element {
  const yaml = useUid();
  const sections = draft.form.sections ?? [];
  const paths = sections.map((section) => section.path);
  const elsewhere = draft.findings.filter((finding) => !paths.some((path) => within(finding.path ?? "", path)));
  return (
    <div class="ipyo-launch-body">
      <div class="ipyo-form">
        {sections.length === 0 && <p class="ipyo-soft">Nothing here takes config.</p>}
        {sections.map((section) => (
          <SectionForm key={section.path} section={section} draft={draft} launch={launch} />
        ))}
      </div>
      <div class="ipyo-yaml">
        <label for={yaml}>YAML</label>
        <textarea
          id={yaml}
          spellcheck={false}
          value={draft.yaml}
          aria-invalid={draft.valid ? undefined : "true"}
          onInput={(event) => launch.setYaml(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Tab" && !event.shiftKey && indent(event, launch)}
        />
        {elsewhere.map((finding, i) => (
          <Problem key={i} finding={finding} />
        ))}
      </div>
    </div>
  );
}

function Problem({ finding }: { finding: Finding }): JSX.Element {
  return (
    <div class="ipyo-field-error" role="alert">
      {finding.line != null && <b>Line {finding.line}: </b>}
      {finding.path && <code>{plain(finding.path)}</code>} {plain(finding.message)}
    </div>
  );
}

/** Tab indents in the YAML; Escape, then Tab leaves it. */
function indent(event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }, launch: Launch): void {
  const { currentTarget: area } = event;
  event.preventDefault();
  area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
  launch.setYaml(area.value);
}

function SectionForm({ section, draft, launch }: { section: FormSection; draft: Draft; launch: Launch }): JSX.Element {
  const schema = section.schema as Schema;
  const form: FormState = {
    values: draft.values,
    root: schema,
    findings: draft.findings,
    fields: new Map((section.fields ?? []).map((field) => [field.path, field])),
    set: (path, value) => launch.setField(path, value),
  };
  const own = findingsAt(draft.findings, section.path, fieldsOf(schema));
  return (
    <section class="ipyo-form-section" aria-label={`${section.kind} ${section.title}`}>
      <h3>
        <span class="ipyo-chip">{section.kind}</span> {plain(section.title)}
        {section.kind === "resource" && (section.used_by?.length ?? 0) > 0 && (
          <span class="ipyo-soft" title={plain((section.used_by ?? []).join("\n"))}>
            {" "}
            used by {section.used_by!.length > 2 ? plural(section.used_by!.length, "asset") : plain(section.used_by!.join(", "))}
          </span>
        )}
      </h3>
      {own.map((finding, i) => (
        <Problem key={i} finding={finding} />
      ))}
      <Fields schema={schema} path={section.path} form={form} />
    </section>
  );
}

function Foot({ draft, launch }: { draft: Draft; launch: Launch }): JSX.Element {
  const { run } = useView();
  const { job } = draft.subject;
  const [options, setOptions] = useState({ force: false, upstream: false, downstream: false });
  const tick = (name: keyof typeof options, text: string): JSX.Element => (
    <label class="ipyo-tick">
      <input type="checkbox" checked={options[name]} onChange={(event) => setOptions({ ...options, [name]: event.currentTarget.checked })} />
      {text}
    </label>
  );
  const bad = draft.findings.length;
  return (
    <div class="ipyo-launch-foot">
      <span class="ipyo-verdict" role="status">
        {draft.checking ? (
          <span class="ipyo-soft">Checking…</span>
        ) : draft.valid ? (
          <>
            <Glyph look="fresh" size={13} /> Valid
          </>
        ) : (
          <>
            <Glyph look="failed" size={13} /> {bad ? plural(bad, "problem") : "Not valid"}
          </>
        )}
      </span>
      <span class="ipyo-grow" />
      {!job && tick("force", "force")}
      {!job && tick("upstream", "with upstream")}
      {!job && tick("downstream", "with downstream")}
      <Button kind="primary" icon="play" disabled={!draft.valid || draft.checking || isRunning(run)} onClick={() => launch.run(options)}>
        {job ? "Launch" : "Materialize"}
      </Button>
    </div>
  );
}
