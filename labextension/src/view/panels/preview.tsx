/** A table as large as it likes: only the rows in sight are asked for; above each column what is in it. */

import "regular-table";

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { h, render } from "preact";
import type { RegularTableElement } from "regular-table";

import { MOST_ROWS, type Column, type Comparison, type Sort } from "../../protocol.js";
import { bytes, number, plain, plural, scalar } from "../format.js";
import type { Value } from "../state/graph.js";
import type { Actions } from "../state/actions.js";
import { Bars } from "./plots.js";
import { Button, useActions } from "./parts.js";

type Table = Extract<Value, { kind: "table" }>;
type Cells = NonNullable<Table["rows"]>;

/** A head may be an element too, which the library's types leave out. */
type Listener = Parameters<RegularTableElement["setDataListener"]>[0];

/** Rows are asked for in pages, and this many pages are kept. */
const PAGE = 200;
const MOST_PAGES = 60;
/** Where counting would compute them, rows are asked for until there are no more. */
const UNKNOWN = 1_000_000;

/** The rows of a table, page by page. */
export class Pages {
  total: number;
  private readonly pages = new Map<number, Promise<Cells>>();

  constructor(
    private readonly actions: Actions,
    private readonly id: string,
    private readonly sort: Sort | null,
    total: number | null,
    first: Cells,
  ) {
    this.total = total ?? Math.max(first.length, UNKNOWN);
    if (!sort && (first.length >= PAGE || first.length === total)) this.pages.set(0, Promise.resolve(first));
  }

  /** Return rows `start` to `stop`. */
  async rows(start: number, stop: number): Promise<Cells> {
    const found: Cells = [];
    for (let page = Math.floor(start / PAGE); page * PAGE < stop; page++) {
      const rows = await this.page(page);
      found.push(...rows.slice(Math.max(0, start - page * PAGE), stop - page * PAGE));
    }
    return found;
  }

  private page(number: number): Promise<Cells> {
    const known = this.pages.get(number);
    if (known) return known;
    const asked = this.ask(number);
    this.pages.set(number, asked);
    if (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value!);
    return asked;
  }

  private async ask(page: number): Promise<Cells> {
    const [start, stop] = [page * PAGE, Math.min(page * PAGE + Math.min(PAGE, MOST_ROWS), this.total)];
    const answer = await this.actions.request({ kind: "rows", id: this.id, start, stop, sort: this.sort }, "rows");
    if (!answer) {
      this.pages.delete(page);
      return [];
    }
    if (answer.total != null) this.total = answer.total;
    else if (answer.rows.length < stop - start) this.total = start + answer.rows.length;
    return answer.rows;
  }
}

interface Props {
  readonly id: string;
  readonly value: Table;
  /** Which value it is: the table stays, and its place in it, as long as this does. */
  readonly stamp: string;
  readonly comparable: boolean;
}

export function Preview({ id, value: latest, stamp, comparable }: Props): JSX.Element {
  const value = useMemo(() => latest, [id, stamp]);
  const actions = useActions();
  const place = useRef<HTMLDivElement>(null);
  const [sort, setSort] = useState<Sort | null>(null);
  const [profile, setProfile] = useState<readonly Column[] | null>(null);
  const [sampled, setSampled] = useState<number | null>(null);
  const [wide, setWide] = useState(false);
  const [comparison, setComparison] = useState<Comparison | null>(null);
  const columns = profile ?? value.columns;

  useEffect(() => {
    let on = true;
    void actions.request({ kind: "profile", id }, "profile").then((answer) => {
      if (!on || !answer) return;
      const known = new Map(answer.columns.map((column) => [column.name, column]));
      setProfile(value.columns.map((column) => known.get(column.name) ?? column));
      setSampled(answer.sampled ?? null);
    });
    return () => {
      on = false;
    };
  }, [actions, id, value]);

  const pages = useMemo(() => new Pages(actions, id, sort, value.total ?? null, value.rows ?? []), [actions, id, sort, value]);
  const toggle = (column: string): void =>
    setSort(sort?.column !== column ? { column } : sort.descending ? null : { column, descending: true });
  const shown = useRef({ pages, columns, sort, toggle });
  shown.current = { pages, columns, sort, toggle };

  useEffect(() => {
    const table = place.current!.ownerDocument.createElement("regular-table") as RegularTableElement;
    table.setAttribute("aria-label", "Rows");
    const heads = new Map<string, HTMLElement>();
    table.setDataListener((async (x0: number, y0: number, x1: number, y1: number) => {
      const { pages, columns } = shown.current;
      const rows = y1 > y0 ? await pages.rows(y0, y1) : [];
      return {
        num_rows: pages.total,
        num_columns: columns.length,
        column_headers: columns.slice(x0, x1).map((column) => [headOf(heads, column, shown.current)]),
        row_headers: Array.from({ length: Math.max(0, y1 - y0) }, (_, i) => [(y0 + i).toLocaleString("en-US")]),
        data: columns.slice(x0, x1).map((_, i) => rows.map((row) => plain(scalar(row[x0 + i])))),
      };
    }) as unknown as Listener);
    table.addStyleListener(() => dress(table, shown.current));
    place.current!.append(table);
    void table.draw();
    tables.set(place.current!, table);
    return () => {
      table.remove();
      for (const cell of heads.values()) render(null, cell);
    };
  }, [id, value]);
  useEffect(() => {
    const table = place.current && tables.get(place.current);
    if (!table) return;
    table.resetAutoSize({ auto: true, indices: true, override: false, row_height: false }); // the heads have grown, rows not
    void table.draw();
  }, [pages, columns, wide]);

  const compare = async (): Promise<void> => setComparison(await actions.request({ kind: "compare", id }, "comparison"));
  const total = value.total ?? null;
  return (
    <div class="ipyo-preview">
      <div class="ipyo-preview-head">
        <span>
          <b>{total === null ? "rows not counted" : total.toLocaleString("en-US")}</b> × <b>{columns.filter((column) => !column.is_index).length}</b>
          <span class="ipyo-soft">
            {" · "}
            {plain(value.type)}
            {value.nbytes ? ` · ${bytes(value.nbytes)}` : ""}
            {sampled !== null && ` · statistics of the first ${plural(sampled, "row")}`}
          </span>
        </span>
        <span class="ipyo-grow" />
        {comparable && (
          <Button kind="quiet" onClick={() => void compare()}>
            Compare
          </Button>
        )}
        <Button icon="fit" kind="quiet" pressed={wide} label={wide ? "Smaller" : "Larger"} onClick={() => setWide(!wide)} />
      </div>
      {comparison && <Compared comparison={comparison} close={() => setComparison(null)} />}
      <div class={`ipyo-table ${wide ? "is-wide" : ""}`} ref={place} />
    </div>
  );
}

const tables = new WeakMap<Element, RegularTableElement>();

interface Shown {
  readonly columns: readonly Column[];
  readonly sort: Sort | null;
  readonly toggle: (column: string) => void;
}

/** Dress what the table has drawn: the order said in its heads, numbers to the right, nulls pale. */
function dress(table: RegularTableElement, { columns, sort }: Shown): void {
  for (const th of table.querySelectorAll<HTMLElement>("thead th")) {
    const meta = table.getMeta(th) as { x?: number; type?: string } | undefined;
    const column = meta?.type === "column_header" ? columns[meta.x ?? -1] : undefined;
    if (column) th.setAttribute("aria-sort", sort?.column === column.name ? (sort.descending ? "descending" : "ascending") : "none");
    else if (th.firstChild instanceof HTMLElement) th.firstChild.textContent = "row";
  }
  for (const td of table.querySelectorAll<HTMLElement>("tbody td")) {
    const meta = table.getMeta(td) as { x?: number } | undefined;
    td.classList.toggle("is-index", columns[meta?.x ?? -1]?.is_index === true);
    td.classList.toggle("is-number", columns[meta?.x ?? -1]?.role === "number");
    td.classList.toggle("is-null", td.textContent === "null");
  }
}

/** Return the head of a column: one element for each, which is drawn anew when more is known. */
function headOf(heads: Map<string, HTMLElement>, column: Column, { sort, toggle }: Shown): HTMLElement {
  let cell = heads.get(column.name);
  if (!cell) heads.set(column.name, (cell = document.createElement("div")));
  const order = sort?.column === column.name ? (sort.descending ? "descending" : "ascending") : "none";
  render(h(Head, { column, order, toggle: () => toggle(column.name) }), cell);
  return cell;
}

function Head({ column, order, toggle }: { column: Column; order: string; toggle: () => void }): JSX.Element {
  const nulls = column.nulls ?? null;
  const range = column.min != null && column.max != null ? `${short(column.min)} – ${short(column.max)}` : "";
  const top = column.top?.[0];
  return (
    <div class="ipyo-head">
      <button type="button" onClick={toggle} title={summary(column)} aria-label={named(column)}>
        {plain(column.name.trim() ? column.name : "\u00a0")}
        <span aria-hidden="true">{order === "ascending" ? " ↑" : order === "descending" ? " ↓" : ""}</span>
      </button>
      <span class="ipyo-head-type">
        {plain(column.type)}
        {nulls ? <em> {number(nulls)} null</em> : ""}
      </span>
      <span class="ipyo-head-plot">
        {column.bins?.length ? <Bars bins={column.bins} label={`Histogram of ${named(column)}`} /> : column.top?.length ? <Bars bins={column.top} label={`Most frequent of ${named(column)}`} /> : null}
      </span>
      <span class="ipyo-head-range">{range || (top ? `${plain(top.label)} …` : "")}</span>
    </div>
  );
}

/** Return the name of a column for a sentence; an index without a name has a blank head. */
function named(column: Column): string {
  return plain(column.name.trim() ? column.name : "index");
}

function short(value: unknown): string {
  const text = typeof value === "number" ? number(value) : plain(scalar(value));
  return text.length > 12 ? `${text.slice(0, 11)}…` : text;
}

function summary(column: Column): string {
  const parts = [`${named(column)}: ${column.type}`];
  if (column.nulls != null) parts.push(`${number(column.nulls)} null`);
  if (column.distinct != null) parts.push(`${number(column.distinct)} distinct`);
  if (column.min != null) parts.push(`min ${scalar(column.min)}`);
  if (column.max != null) parts.push(`max ${scalar(column.max)}`);
  if (column.mean != null) parts.push(`mean ${number(column.mean)}`);
  for (const bin of column.top?.slice(0, 5) ?? []) parts.push(`${bin.label}: ${number(bin.count)}`);
  return plain(`${parts.join("\n")}\nClick to sort.`);
}

function Compared({ comparison, close }: { comparison: Comparison; close: () => void }): JSX.Element {
  const { reason, rows, added = [], removed = [], retyped = [], changed = {}, examples = [] } = comparison;
  const cells = Object.entries(changed);
  const same = !added.length && !removed.length && !retyped.length && !cells.length && (!rows || rows[0] === rows[1]);
  return (
    <div class="ipyo-compared" role="group" aria-label="Comparison with the previous materialization">
      <div class="ipyo-panel-head">
        <h3>Since the materialization before</h3>
        <Button icon="close" kind="quiet" label="Close" onClick={close} />
      </div>
      {reason && <p>{plain(reason)}</p>}
      {!reason && same && <p>Nothing has changed.</p>}
      {rows && rows[0] !== rows[1] && (
        <p>
          Rows: {number(rows[0])} → <b>{number(rows[1])}</b> ({rows[1] > rows[0] ? "+" : "−"}
          {number(Math.abs(rows[1] - rows[0]))})
        </p>
      )}
      {added.length > 0 && <p>Columns added: {plain(added.join(", "))}</p>}
      {removed.length > 0 && <p>Columns removed: {plain(removed.join(", "))}</p>}
      {retyped.map(([name, before, after]) => (
        <p key={name}>{plain(`${name}: ${before} → ${after}`)}</p>
      ))}
      {cells.length > 0 && <p>Cells changed: {cells.map(([name, count]) => `${plain(name)} ${number(count)}`).join(", ")}</p>}
      {examples.length > 0 && (
        <table class="ipyo-small-table">
          <thead>
            <tr>
              <th>row</th>
              <th>column</th>
              <th>before</th>
              <th>after</th>
            </tr>
          </thead>
          <tbody>
            {examples.map((cell, i) => (
              <tr key={i}>
                <td>{number(cell.row)}</td>
                <td>{plain(cell.column)}</td>
                <td>{plain(scalar(cell.before))}</td>
                <td>{plain(scalar(cell.after))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
