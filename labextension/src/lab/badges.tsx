/** The badges in the cells of one notebook: how each asset stands, on top of the cell that makes it. */

import type { Cell, ICodeCellModel } from "@jupyterlab/cells";
import type { NotebookPanel } from "@jupyterlab/notebook";
import { Signal } from "@lumino/signaling";
import { render, type JSX } from "preact";

import { plain } from "../view/format.js";
import { Glyph } from "../view/panels/parts.js";
import type { Node } from "../protocol.js";
import type { Link } from "./link.js";
import { standingOf, type Standing } from "./standing.js";

const SOON = 50; // milliseconds

export class Badges {
  private readonly followed = new Map<Cell, () => void>();
  private timer = 0;
  private on = true;

  /** @param open shows an asset's details. */
  constructor(
    private readonly panel: NotebookPanel,
    private readonly link: Link,
    private readonly open: (id: string) => void,
  ) {
    panel.content.modelContentChanged.connect(this.soon, this);
    panel.content.cellInViewportChanged.connect(this.soon, this);
    link.changed.connect(this.soon, this);
    void panel.context.ready.then(() => this.soon());
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const end of this.followed.values()) end();
    this.followed.clear();
    Signal.clearData(this);
  }

  show(on: boolean): void {
    this.on = on;
    this.soon();
  }

  /** Look at all cells soon, once for whatever happens until then. */
  private soon(): void {
    this.timer ||= window.setTimeout(() => {
      this.timer = 0;
      if (!this.panel.isDisposed) this.update();
    }, SOON);
  }

  private update(): void {
    const nodes = nodesByCell(this.link);
    const alive = new Set<Cell>(this.panel.content.widgets);
    for (const [cell, end] of this.followed) {
      if (alive.has(cell)) continue;
      end();
      this.followed.delete(cell);
    }
    for (const cell of alive) {
      this.follow(cell);
      const one = standing(cell, nodes.get(cell.model.id) ?? []);
      cell.node.classList.toggle("ipyo-cell", one !== null); // the context menu's entries look for it
      const place = cell.node.querySelector<HTMLElement>(":scope > .jp-CellHeader");
      if (place) this.draw(place, this.on ? one : null);
    }
  }

  private follow(cell: Cell): void {
    if (this.followed.has(cell)) return;
    const { model } = cell;
    model.contentChanged.connect(this.soon, this);
    model.stateChanged.connect(this.soon, this);
    this.followed.set(cell, () => {
      model.contentChanged.disconnect(this.soon, this);
      model.stateChanged.disconnect(this.soon, this);
    });
  }

  private draw(place: HTMLElement, one: Standing | null): void {
    const had = place.classList.contains("ipyo-badged");
    if (!one && !had) return;
    place.classList.toggle("ipyo-badged", one !== null);
    render(one && <Badge standing={one} open={this.open} />, place);
  }
}

/** Return the assets that each cell makes. */
export function nodesByCell(link: Link): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  for (const node of link.state.graph?.nodes ?? []) {
    const id = node.cell?.id;
    if (id) found.set(id, [...(found.get(id) ?? []), node]);
  }
  return found;
}

function standing(cell: Cell, nodes: readonly Node[]): Standing | null {
  if (cell.model.type !== "code") return null;
  const model = cell.model as ICodeCellModel;
  const failed = model.outputs.length > 0 && model.outputs.get(model.outputs.length - 1).type === "error";
  return standingOf(model.sharedModel.getSource(), nodes, model.isDirty && model.executionCount !== null, failed);
}

function Badge({ standing: one, open }: { standing: Standing; open: (id: string) => void }): JSX.Element {
  const told = plain(one.told);
  const inside = (
    <>
      {one.edited ? <Pencil /> : <Glyph look={one.look} size={12} />}
      <span class="ipyo-badge-word">{one.word}</span>
      {one.reason && <span class="ipyo-badge-reason">{plain(one.reason)}</span>}
    </>
  );
  const named = { class: `ipyo-badge ipyo-part is-${one.look} ${one.edited ? "is-edited" : ""}`, title: told };
  if (one.id === null) {
    return (
      <span {...named} role="img" aria-label={told}>
        {inside}
      </span>
    );
  }
  return (
    <button type="button" data-lm-suppress-shortcuts="true" {...named} aria-label={`${told}. Show its details.`} onClick={() => open(one.id!)}>
      {inside}
    </button>
  );
}

function Pencil(): JSX.Element {
  return (
    <svg class="ipyo-glyph is-stale" width="12" height="12" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d="M2.5 13.5l.8-3.6l7.2-7.2l2.8 2.8l-7.2 7.2z" class="is-line" />
    </svg>
  );
}
