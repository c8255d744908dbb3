/**
 * The fields of a form, from the JSON schema that pydantic makes.
 *
 * A form library was measured: RJSF's core is 273 KB minified on top of Preact, nearly half of what the bundle may have,
 * and its ways with `Optional`, secrets and errors would all have to be replaced.
 */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Finding, FormField, Json } from "../../protocol.js";
import { plain } from "../format.js";
import { fieldsOf, findingsAt, isObject, read, resolved, typed, variantOf, variants, variantTitle, widgetOf, type Config, type Schema } from "../state/config.js";
import { Button, useUid } from "./parts.js";

export interface FormState {
  readonly values: Config;
  readonly root: Schema;
  readonly findings: readonly Finding[];
  readonly fields: ReadonlyMap<string, FormField>;
  readonly set: (path: string, value: Json | undefined) => void;
}

interface Props {
  readonly name: string;
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
  readonly form: FormState;
}

/** Show all fields of an object. */
export function Fields({ schema, path, form }: { schema: Schema; path: string; form: FormState }): JSX.Element {
  const properties = isObject(schema["properties"] as Json) ? (schema["properties"] as Config) : {};
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"].map(String) : []);
  return (
    <>
      {Object.entries(properties).map(([name, own]) => (
        <Field key={name} name={name} path={`${path}.${name}`} schema={resolved(isObject(own) ? own : {}, form.root)} required={required.has(name)} form={form} />
      ))}
    </>
  );
}

function Field({ name, path, schema, required, form }: Props): JSX.Element {
  const id = useUid();
  const known = form.fields.get(path);
  const value = read(form.values, path);
  const { options, nullable } = variants(schema, form.root);
  const chosen = variantOf(value, options);
  const [picked, setPicked] = useState<number | null>(null);
  const own = options[picked ?? chosen] ?? schema;
  const widget = widgetOf(own, known?.secret ?? false);
  const errors = findingsAt(form.findings, path, widget === "object" ? fieldsOf(own) : []);
  const fallback = schema["default"] ?? (known?.default || undefined);
  const description = String(schema["description"] ?? known?.description ?? "");
  const input: InputProps = { id, path, value, schema: own, fallback, invalid: errors.length > 0, described: `${id}-notes`, form, known, nullable };
  return (
    <div class={`ipyo-field ${errors.length ? "is-wrong" : ""} ${widget === "object" ? "is-object" : ""}`}>
      <div class="ipyo-field-name">
        <label for={id}>{plain(name)}</label>
        {required && (
          <span class="ipyo-required" title="required" aria-label="required">
            *
          </span>
        )}
        <span class="ipyo-soft">{plain(known?.type || String((widget === "object" && own["title"]) || (own["type"] ?? "")))}</span>
        {options.length > 1 && (
          <select aria-label={`Kind of ${name}`} value={picked ?? chosen} onChange={(event) => setPicked(Number(event.currentTarget.value))}>
            {options.map((option, i) => (
              <option key={i} value={i}>
                {plain(variantTitle(option))}
              </option>
            ))}
          </select>
        )}
        <span class="ipyo-grow" />
        {value !== undefined && widget !== "object" && (
          <button type="button" class="ipyo-link" onClick={() => form.set(path, undefined)} aria-label={`Reset ${name} to its default`}>
            reset
          </button>
        )}
      </div>
      <Input widget={widget} {...input} />
      <div id={`${id}-notes`} class="ipyo-field-notes">
        {errors.map((finding, i) => (
          <div key={i} class="ipyo-field-error" role="alert">
            {finding.path !== path && finding.path ? `${plain(finding.path.slice(path.length).replace(/^\./, ""))}: ` : ""}
            {plain(finding.message)}
          </div>
        ))}
        <span>
          {description && sentence(plain(description))}
          {fallback !== undefined && <span class="ipyo-default"> Default {plain(typeof fallback === "string" && fallback && !fallback.includes("\n") ? fallback : JSON.stringify(fallback))}.</span>}
          {known?.source && !known.required && known.source !== "default" && value !== undefined && <span> From {plain(known.source)}.</span>}
        </span>
      </div>
    </div>
  );
}

interface InputProps {
  readonly id: string;
  readonly path: string;
  readonly value: Json | undefined;
  readonly schema: Schema;
  readonly fallback: Json | undefined;
  readonly invalid: boolean;
  readonly described: string;
  readonly form: FormState;
  readonly known: FormField | undefined;
  readonly nullable: boolean;
}

function Input({ widget, ...props }: InputProps & { widget: ReturnType<typeof widgetOf> }): JSX.Element {
  switch (widget) {
    case "secret":
      return <Secret {...props} />;
    case "choice":
      return <Choice {...props} />;
    case "switch":
      return <Switch {...props} />;
    case "number":
    case "text":
      return <Line {...props} />;
    case "list":
      return <List {...props} />;
    case "map":
      return <Pairs {...props} />;
    case "object":
      return (
        <fieldset class="ipyo-fieldset" id={props.id}>
          <Fields schema={props.schema} path={props.path} form={props.form} />
        </fieldset>
      );
    default:
      return <JsonText {...props} />;
  }
}

function common({ id, invalid, described }: InputProps): Record<string, string | undefined> {
  return { id, "aria-invalid": invalid ? "true" : undefined, "aria-describedby": described };
}

function shown(value: Json | undefined): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

function Line(props: InputProps): JSX.Element {
  const { value, schema, fallback, form, path, nullable } = props;
  const kind = schema["type"] === "string" ? "text" : "decimal";
  const text = shown(value);
  // What is typed stays as it is typed: `1.` must not become `1` under one's fingers.
  const [own, setOwn] = useState(text);
  useEffect(() => {
    if (typed(own, schema) !== value && shown(typed(own, schema)) !== text) setOwn(text);
  }, [text]);
  const hint = value === null ? "null" : fallback === undefined ? "" : fallback === null ? "null" : shown(fallback);
  // A line takes no line breaks. What has begun as several stays so, or the field would change under one's fingers.
  const tall = useRef(false);
  tall.current ||= `${text}${hint}`.includes("\n");
  const input = {
    ...common(props),
    spellcheck: false,
    placeholder: hint,
    value: own,
    onInput: (event: JSX.TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      setOwn(event.currentTarget.value);
      const next = typed(event.currentTarget.value, schema);
      form.set(path, next === "" && (nullable || value === undefined) ? undefined : next);
    },
  };
  if (tall.current) return <textarea {...input} rows={Math.min(8, Math.max(2, (own || hint).split("\n").length))} />;
  return <input {...input} type="text" inputMode={kind === "decimal" ? "decimal" : "text"} autocomplete="off" />;
}

/** A secret's value is never here: only the name of the variable that has it. */
function Secret(props: InputProps): JSX.Element {
  const { value, known, form, path } = props;
  const given = isObject(value) && typeof value["env"] === "string" ? value["env"] : null;
  const name = given ?? known?.variable ?? "";
  return (
    <div class="ipyo-secret">
      <span class="ipyo-chip">EnvVar</span>
      <input
        {...common(props)}
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder="NAME_OF_THE_VARIABLE"
        value={name}
        onInput={(event) => form.set(path, event.currentTarget.value ? { env: event.currentTarget.value } : undefined)}
      />
      {given === null && known?.is_set != null && (
        <span class={known.is_set ? "ipyo-set" : "ipyo-unset"}>{known.is_set ? "✓ set" : "✕ not set"}</span>
      )}
    </div>
  );
}

function Choice(props: InputProps): JSX.Element {
  const { value, schema, fallback, form, path, nullable } = props;
  const options = (Array.isArray(schema["enum"]) ? schema["enum"] : [schema["const"]]) as Json[];
  const at = options.findIndex((option) => JSON.stringify(option) === JSON.stringify(value));
  return (
    <select {...common(props)} value={at} onChange={(event) => form.set(path, Number(event.currentTarget.value) < 0 ? undefined : options[Number(event.currentTarget.value)])}>
      <option value={-1}>{fallback !== undefined ? `${shown(fallback)} (default)` : nullable ? "none" : value === undefined ? "choose…" : shown(value)}</option>
      {options.map((option, i) => (
        <option key={i} value={i}>
          {plain(shown(option))}
        </option>
      ))}
    </select>
  );
}

function Switch(props: InputProps): JSX.Element {
  const { value, fallback, form, path } = props;
  const on = (value ?? fallback) === true;
  return (
    <label class="ipyo-switch">
      <input {...common(props)} type="checkbox" role="switch" checked={on} onChange={(event) => form.set(path, event.currentTarget.checked)} />
      <i aria-hidden="true" />
      <span>{on ? "true" : "false"}</span>
    </label>
  );
}

function List(props: InputProps): JSX.Element {
  const { value, schema, fallback, form, path } = props;
  const list = Array.isArray(value) ? value : Array.isArray(fallback) ? fallback : [];
  const item = isObject(schema["items"] as Json) ? (schema["items"] as Config) : {};
  const put = (next: Json[]): void => form.set(path, next);
  return (
    <Rows id={props.id} add={() => put([...list, item["type"] === "string" ? "" : 0])} what="item">
      {list.map((one, i) => (
        <div class="ipyo-item" key={i}>
          <input
            type="text"
            aria-label={`Item ${i + 1}`}
            spellcheck={false}
            value={shown(one)}
            onInput={(event) => put(list.map((old, j) => (i === j ? (typed(event.currentTarget.value, item) ?? "") : old)))}
          />
          <Button icon="close" kind="quiet" label={`Remove item ${i + 1}`} onClick={() => put(list.filter((_, j) => j !== i))} />
        </div>
      ))}
    </Rows>
  );
}

function Pairs(props: InputProps): JSX.Element {
  const { value, schema, fallback, form, path } = props;
  const map = isObject(value) ? value : isObject(fallback) ? fallback : {};
  const item = schema["additionalProperties"] as Config;
  const pairs = Object.entries(map);
  const put = (next: [string, Json][]): void => form.set(path, Object.fromEntries(next));
  return (
    <Rows id={props.id} add={() => put([...pairs, [`key${pairs.length + 1}`, item["type"] === "string" ? "" : 0]])} what="entry">
      {pairs.map(([name, one], i) => (
        <div class="ipyo-item" key={i}>
          <input type="text" aria-label={`Name ${i + 1}`} spellcheck={false} value={name} onChange={(event) => put(pairs.map((old, j) => (i === j ? [event.currentTarget.value, one] : old)))} />
          <input
            type="text"
            aria-label={`Value of ${name}`}
            spellcheck={false}
            value={shown(one)}
            onInput={(event) => put(pairs.map((old, j) => (i === j ? [name, typed(event.currentTarget.value, item) ?? ""] : old)))}
          />
          <Button icon="close" kind="quiet" label={`Remove ${name}`} onClick={() => put(pairs.filter((_, j) => j !== i))} />
        </div>
      ))}
    </Rows>
  );
}

function Rows({ id, add, what, children }: { id: string; add: () => void; what: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="ipyo-items" id={id} role="group">
      {children}
      <button type="button" class="ipyo-link" onClick={add}>
        + add {what}
      </button>
    </div>
  );
}

/** What has no better form is JSON; what isn't valid JSON yet is kept as it is typed, and goes nowhere. */
function JsonText(props: InputProps): JSX.Element {
  const { value, fallback, form, path } = props;
  const given = value === undefined ? "" : JSON.stringify(value, null, 2);
  const [text, setText] = useState(given);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    if (!broken) setText(given);
  }, [given]);
  return (
    <>
      <textarea
        {...common(props)}
        rows={Math.min(8, Math.max(2, text.split("\n").length))}
        spellcheck={false}
        placeholder={fallback === undefined ? "JSON" : JSON.stringify(fallback)}
        value={text}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          try {
            form.set(path, next.trim() ? (JSON.parse(next) as Json) : undefined);
            setBroken(false);
          } catch {
            setBroken(true);
          }
        }}
      />
      {broken && <div class="ipyo-field-error">Not JSON yet: it isn't taken over.</div>}
    </>
  );
}

/** Return a text with a full stop where it has no mark at its end: another sentence follows. */
function sentence(text: string): string {
  return /[.!?:;…]$/.test(text.trim()) ? text : `${text.trim()}.`;
}
