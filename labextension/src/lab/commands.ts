/** The commands, with their entries in the palette; keys, menus and the toolbar's button stand in schema/plugin.json. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { InputDialog, Notification, type ICommandPalette } from "@jupyterlab/apputils";

import { asAsset, asPlain, canBecomeAsset, headOf, nameFor } from "./cells.js";
import type { Desk } from "./desk.js";
import { exportAssets } from "./exporting.js";
import { lineageIcon, materializeIcon } from "./icons.js";
import type { LineagePanel } from "./panel.js";

const CATEGORY = "Assets (ipy_orch)";

export const PREFIX = "ipy-orch:";
export const TO_UPDATE: readonly string[] = ["materialize-cell", "why", "open-inputs", "toggle-asset"];

/** What the commands act on. */
export interface Front {
  readonly app: JupyterFrontEnd;
  readonly panel: LineagePanel;
  /** The notebook in front. */
  desk(): Desk | null;
  /** Bring the panel to the front. */
  reveal(): void;
}

interface Entry {
  readonly id: string;
  readonly label: string | (() => string);
  readonly caption: string;
  readonly icon?: typeof lineageIcon;
  readonly when: (desk: Desk) => boolean;
  /** Only seen where it can be used. */
  readonly hidden?: boolean;
  readonly run: (desk: Desk, front: Front) => unknown;
}

const isConnected = (desk: Desk): boolean => desk.link.connected;
const isAsset = (desk: Desk): boolean => desk.isAssetCell;
const isKnown = (desk: Desk): boolean => desk.link.connected && desk.isAssetCell;

const ENTRIES: readonly Entry[] = [
  {
    id: "materialize-cell",
    label: "Materialize This Cell's Asset",
    caption: "Bring this asset up to date, and what it needs before it",
    icon: materializeIcon,
    when: isAsset,
    hidden: true,
    run: (desk) => desk.materialize(),
  },
  {
    id: "materialize-stale",
    label: "Materialize What Isn't Fresh",
    caption: "Run the assets that are stale, missing or failed",
    when: isConnected,
    run: (desk) => desk.link.tell({ kind: "materialize", stale: true }),
  },
  {
    id: "materialize-all",
    label: "Materialize All Assets",
    caption: "Bring all assets of the notebook up to date",
    when: isConnected,
    run: (desk) => desk.link.tell({ kind: "materialize" }),
  },
  {
    id: "cancel",
    label: "Cancel the Run of Assets",
    caption: "End the run that goes on",
    when: isConnected,
    run: (desk) => desk.link.cancel(),
  },
  {
    id: "why",
    label: "Explain Why This Asset Is Fresh or Stale",
    caption: "Show the details of this cell's asset: what has changed since its value was made",
    when: isKnown,
    run: (desk, { panel, reveal }) => {
      reveal();
      if (desk.name) panel.openAsset(desk.name);
    },
  },
  {
    id: "open-inputs",
    label: "Open This Asset's Inputs",
    caption: "Put inputs, config and resources of this cell's asset into variables (%open), to try its body",
    when: isKnown,
    run: (desk) => desk.runNew(desk.panel.content.activeCellIndex + 1, `%open ${desk.name}`),
  },
  {
    id: "toggle-asset",
    label: "Turn This Cell into an Asset",
    caption: "Put `#| asset:` on top of this cell, or take it away",
    when: (desk) => desk.cell?.model.type === "code" && (headOf(desk.source) !== null || canBecomeAsset(desk.source)),
    run: toggle,
  },
  {
    id: "go-to-cell",
    label: "Go to the Cell of an Asset…",
    caption: "Choose an asset by its name",
    when: (desk) => isConnected(desk) && (desk.link.state.graph?.nodes.length ?? 0) > 0,
    run: choose,
  },
  {
    id: "show-lineage",
    label: "Show Lineage",
    caption: "Show the lineage of the notebook's assets",
    icon: lineageIcon,
    when: () => true,
    run: (_, front) => show(front, "lineage"),
  },
  {
    id: "show-outline",
    label: "Show the Outline of Assets",
    caption: "List the notebook's assets in order of lineage",
    when: () => true,
    run: (_, front) => show(front, "outline"),
  },
  {
    id: "export",
    label: "Module with Definitions…",
    caption: "Write the notebook's assets as a Python module",
    when: isConnected,
    run: (desk, front) => exportAssets(desk, "ipy_orch", (path) => open(front, path)),
  },
  {
    id: "export-dagster",
    label: "Module for Dagster…",
    caption: "Write the notebook's assets as a Python module that Dagster runs",
    when: isConnected,
    run: (desk, front) => exportAssets(desk, "dagster", (path) => open(front, path)),
  },
  {
    id: "load",
    label: "Load ipy_orch in This Notebook",
    caption: "Run %load_ext ipy_orch in a cell on top",
    when: (desk) => !desk.link.connected,
    run: (desk) => desk.load(),
  },
];

export function addCommands(front: Front, palette: ICommandPalette | null): void {
  const { commands } = front.app;
  for (const entry of ENTRIES) {
    const usable = (): boolean => {
      const desk = front.desk();
      return desk !== null && entry.when(desk);
    };
    commands.addCommand(PREFIX + entry.id, {
      label: (args) => labelOf(entry, front, args["isPalette"] === true),
      caption: entry.caption,
      isEnabled: usable,
      isVisible: () => !entry.hidden || usable(),
      execute: () => {
        const desk = front.desk();
        return desk && entry.when(desk) ? entry.run(desk, front) : undefined;
      },
      ...(entry.icon ? { icon: entry.icon } : {}),
      describedBy: { args: { type: "object", properties: {} } },
    });
    palette?.addItem({ command: PREFIX + entry.id, category: CATEGORY, args: { isPalette: true } });
  }
}

function labelOf({ id, label }: Entry, front: Front, inPalette: boolean): string {
  const desk = front.desk();
  if (id === "toggle-asset" && desk && headOf(desk.source)) return "Turn This Cell into a Plain One";
  const text = typeof label === "string" ? label : label();
  return inPalette && id.startsWith("export") ? `Export Assets As: ${text}` : text;
}

function show(front: Front, tab: "lineage" | "outline"): void {
  front.panel.open(tab);
  front.reveal();
}

function open({ app }: Front, path: string): void {
  void app.commands.execute("docmanager:open", { path });
}

/** Make the active cell an asset, with its name selected for who wants another; or make it a plain cell again. */
function toggle(desk: Desk): void {
  const { cell, source, panel } = desk;
  if (!cell) return;
  if (headOf(source)) {
    cell.model.sharedModel.setSource(asPlain(source));
    return;
  }
  const nodes = desk.link.state.graph?.nodes ?? [];
  const taken = new Set(nodes.filter((node) => node.cell?.id !== cell.model.id).map((node) => node.id));
  for (const other of panel.content.widgets) {
    const head = other === cell ? null : headOf(other.model.sharedModel.getSource());
    if (head) taken.add(head.name);
  }
  const name = nameFor(source, taken);
  cell.model.sharedModel.setSource(asAsset(source, name));
  const column = "#| asset: ".length;
  panel.content.mode = "edit";
  cell.editor?.focus();
  cell.editor?.setSelection({ start: { line: 0, column }, end: { line: 0, column: column + name.length } });
}

async function choose(desk: Desk): Promise<void> {
  const nodes = (desk.link.state.graph?.nodes ?? []).filter((node) => node.cell?.id);
  if (!nodes.length) return;
  const items = nodes.map((node) => node.id);
  const current = Math.max(0, items.indexOf(desk.name ?? ""));
  const asked = await InputDialog.getItem({ title: "Go to the cell of an asset", items, current, editable: true, okLabel: "Go" });
  const typed = asked.button.accept ? (asked.value ?? "").trim() : "";
  if (!typed) return;
  const found = nodes.find((node) => node.id === typed) ?? nodes.find((node) => node.id.includes(typed));
  if (found) desk.goTo(found.cell!.id!);
  else Notification.warning(`There is no asset called ${typed}.`, { autoClose: 3000 });
}
