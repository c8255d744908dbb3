/** What belongs to one open notebook: its link to the kernel, its badges, its view of the lineage, its cells. */

import type { Cell } from "@jupyterlab/cells";
import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import { Signal } from "@lumino/signaling";

import type { Node } from "../protocol.js";
import type { Mounted } from "../view/host.js";
import { mount } from "../view/mount.js";
import { Badges, nodesByCell } from "./badges.js";
import { headOf } from "./cells.js";
import { Link } from "./link.js";

const LOAD = "%load_ext ipy_orch";

export class Desk {
  readonly link: Link;
  readonly badges: Badges;
  /** Where the view stands; the panel hides it while another notebook is in front. */
  readonly element = document.createElement("div");
  private mounted: Mounted | null = null;

  /** @param open shows an asset's details in the panel. */
  constructor(
    readonly panel: NotebookPanel,
    open: (id: string) => void,
  ) {
    this.element.className = "ipyo-lab-view";
    this.link = Link.of(panel.sessionContext);
    this.link.connectionChanged.connect(this.unmount, this);
    this.badges = new Badges(panel, this.link, open);
  }

  dispose(): void {
    this.unmount();
    this.element.remove();
    this.badges.dispose();
    Signal.clearData(this);
    this.link.release();
  }

  // -- the view -------------------------------------------------------------------------------------------------------

  /** Have the view, made when it's first wanted. */
  view(): Mounted {
    this.mounted ??= mount(this.link.host(document, (id) => this.goTo(id)), this.element);
    return this.mounted;
  }

  private unmount(): void {
    this.mounted?.dispose();
    this.mounted = null;
  }

  // -- cells ----------------------------------------------------------------------------------------------------------

  get cell(): Cell | null {
    return this.panel.content.activeCell;
  }

  get source(): string {
    return this.cell?.model.sharedModel.getSource() ?? "";
  }

  /** Return whether the active cell is an asset's. */
  get isAssetCell(): boolean {
    const { cell } = this;
    return cell?.model.type === "code" && (headOf(this.source)?.kind === "asset" || this.nodes.length > 0);
  }

  /** Return the assets that the active cell makes, as far as the kernel knows of them. */
  get nodes(): readonly Node[] {
    return (this.cell && nodesByCell(this.link).get(this.cell.model.id)) ?? [];
  }

  /** Return the name of the active cell's asset. */
  get name(): string | null {
    return this.nodes[0]?.id ?? headOf(this.source)?.name ?? null;
  }

  /** Make a cell the active one and bring it into view; return whether it's there. */
  goTo(id: string): boolean {
    const { content } = this.panel;
    const index = content.widgets.findIndex((cell) => cell.model.id === id);
    if (index < 0) return false;
    content.deselectAll();
    content.activeCellIndex = index;
    content.mode = "command";
    void content.scrollToItem(index, "center").then(() => content.activate());
    return true;
  }

  /** Insert a code cell at a position, and run it. */
  async runNew(index: number, source: string): Promise<void> {
    const { content } = this.panel;
    content.model?.sharedModel.insertCell(index, { cell_type: "code", source, metadata: { trusted: true } });
    content.activeCellIndex = index;
    await NotebookActions.run(content, this.panel.sessionContext);
  }

  /** Run the cell that loads `ipy_orch`, or one put on top that does. */
  async load(): Promise<void> {
    const { content } = this.panel;
    const known = content.widgets.findIndex((cell) => cell.model.type === "code" && /^\s*%load_ext\s+ipy_orch\b/m.test(cell.model.sharedModel.getSource()));
    if (known < 0) return this.runNew(0, LOAD);
    content.activeCellIndex = known;
    await NotebookActions.run(content, this.panel.sessionContext);
  }

  /** Bring the active cell's assets up to date: by running the cell where the kernel hasn't got it as it is. */
  async materialize(): Promise<void> {
    const edited = this.cell?.model.type === "code" && (this.cell.model as { isDirty?: boolean }).isDirty === true;
    const ids = this.nodes.map((node) => node.id);
    if (!this.link.connected || !ids.length || edited) await NotebookActions.run(this.panel.content, this.panel.sessionContext);
    else this.link.tell({ kind: "materialize", ids });
  }
}
