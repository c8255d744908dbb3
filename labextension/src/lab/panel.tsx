/** The panel on the right: the lineage or the outline of the notebook in front. */

import { Widget } from "@lumino/widgets";
import { render, type JSX } from "preact";

import { Button } from "../view/panels/parts.js";
import type { Desk } from "./desk.js";
import { lineageIcon } from "./icons.js";
import { Outline } from "./outline.js";

type Tab = "lineage" | "outline";
const TABS: readonly Tab[] = ["lineage", "outline"];
const NAMES: Readonly<Record<Tab, string>> = { lineage: "Lineage", outline: "Outline" };

export class LineagePanel extends Widget {
  private desk: Desk | null = null;
  private tab: Tab = "lineage";
  private readonly head = document.createElement("div");
  private readonly body = document.createElement("div");
  /** What stands in the place of a view. */
  private readonly part = document.createElement("div");

  constructor() {
    super();
    this.id = "ipy-orch-lineage";
    this.title.icon = lineageIcon;
    this.title.caption = "Lineage (ipy_orch)";
    this.addClass("ipyo-lab");
    this.addClass("ipyo-part");
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "Lineage");
    this.head.className = "ipyo-lab-head";
    this.body.className = "ipyo-lab-body";
    this.body.id = `${this.id}-body`;
    this.body.setAttribute("role", "tabpanel");
    this.body.setAttribute("aria-label", "Assets");
    this.part.className = "ipyo-lab-part";
    this.body.append(this.part);
    this.node.append(this.head, this.body);
  }

  /** Show another notebook, or none. */
  showDesk(desk: Desk | null): void {
    if (desk === this.desk) return;
    this.desk?.link.connectionChanged.disconnect(this.draw, this);
    this.desk?.panel.content.activeCellChanged.disconnect(this.drawOutline, this);
    this.desk = desk;
    desk?.link.connectionChanged.connect(this.draw, this);
    desk?.panel.content.activeCellChanged.connect(this.drawOutline, this);
    this.draw();
  }

  /** Show the lineage or the outline. */
  open(tab: Tab): void {
    this.tab = tab;
    this.draw();
  }

  /** Show the details of an asset of the notebook in front. */
  openAsset(id: string): void {
    this.open("lineage");
    if (this.desk?.link.connected) this.desk.view().open(id);
  }

  protected override onAfterShow(): void {
    this.draw();
  }

  protected override onAfterAttach(): void {
    this.draw();
  }

  protected override onActivateRequest(): void {
    const shown = this.body.querySelector(":scope > :not([hidden])");
    const place = shown?.querySelector<HTMLElement>(".ipyo-canvas, .ipyo-list, .ipyo-outline-name") ?? this.node.querySelector("button");
    place?.focus({ preventScroll: true });
  }

  private draw(): void {
    if (!this.isVisible) return;
    const { desk } = this;
    const connected = desk?.link.connected ?? false;
    render(connected ? <Tabs tab={this.tab} body={this.body.id} open={(tab) => this.open(tab)} /> : null, this.head);
    const shown = connected && this.tab === "lineage" ? desk!.element : null;
    // Views that aren't shown stay in the page: they read the theme's colours there.
    if (shown && !shown.isConnected) this.body.append(shown);
    for (const view of this.body.querySelectorAll<HTMLElement>(":scope > .ipyo-lab-view")) view.hidden = view !== shown;
    this.part.hidden = shown !== null;
    render(shown ? null : connected ? this.outline() : <Empty desk={desk} />, this.part);
    if (shown) desk!.view();
  }

  private drawOutline(): void {
    if (this.tab === "outline" && this.desk?.link.connected && this.isVisible) render(this.outline(), this.part);
  }

  private outline(): JSX.Element {
    const desk = this.desk!;
    return <Outline link={desk.link} active={desk.cell?.model.id ?? null} goTo={(cell) => void desk.goTo(cell)} showDetails={(id) => this.openAsset(id)} />;
  }
}

function Tabs({ tab, body, open }: { tab: Tab; body: string; open: (tab: Tab) => void }): JSX.Element {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    const next = TABS[(TABS.indexOf(tab) + 1) % TABS.length];
    open(next);
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
    event.preventDefault();
  };
  return (
    <div role="tablist" aria-label="Lineage or outline" onKeyDown={onKeyDown}>
      {TABS.map((one) => (
        <button key={one} type="button" role="tab" data-tab={one} aria-selected={one === tab} aria-controls={body} tabIndex={one === tab ? 0 : -1} onClick={() => open(one)}>
          {NAMES[one]}
        </button>
      ))}
    </div>
  );
}

function drawMark(place: HTMLElement | null): void {
  if (place && !place.firstChild) lineageIcon.element({ container: place, height: "28px", width: "28px" });
}

function Empty({ desk }: { desk: Desk | null }): JSX.Element {
  if (!desk) {
    return (
      <div class="ipyo-lab-empty">
        <p>Open a notebook to see the lineage of its assets.</p>
      </div>
    );
  }
  return (
    <div class="ipyo-lab-empty">
      <span class="ipyo-lab-mark" ref={drawMark} />
      <strong>No assets here yet</strong>
      <p>
        <code>ipy_orch</code> isn’t loaded in the kernel of this notebook.
      </p>
      <Button icon="play" kind="primary" onClick={() => void desk.load()}>
        %load_ext ipy_orch
      </Button>
      <p class="ipyo-soft">puts this line into a cell on top, and runs it</p>
    </div>
  );
}
