/** The JupyterLab extension: badges, the panel, commands, for each notebook that is open. */

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, Notification } from "@jupyterlab/apputils";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import { plain } from "../view/format.js";
import type { Message } from "../protocol.js";
import { addCommands, PREFIX, TO_UPDATE, type Front } from "./commands.js";
import { Desk } from "./desk.js";
import type { Link } from "./link.js";
import { LineagePanel } from "./panel.js";

interface Settings {
  badges: boolean;
  openPanel: boolean;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "ipy-orch:plugin",
  description: "Assets in notebooks: badges in cells, the lineage panel, commands.",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ICommandPalette, ILayoutRestorer, ILabShell],
  activate,
};

function activate(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  registry: ISettingRegistry | null,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  labShell: ILabShell | null,
): void {
  const settings: Settings = { badges: true, openPanel: false };
  const desks = new Map<NotebookPanel, Desk>();
  const heard = new WeakSet<Link>(); // two views of one notebook have one link, and say once what it says
  const panel = new LineagePanel();
  app.shell.add(panel, "right", { rank: 700, type: "Lineage" });
  restorer?.add(panel, panel.id);

  const front: Front = {
    app,
    panel,
    desk: () => (tracker.currentWidget && desks.get(tracker.currentWidget)) ?? null,
    reveal: () => {
      app.shell.activateById(panel.id);
    },
  };
  addCommands(front, palette);

  const openAsset = (desk: Desk, id: string): void => {
    if (desk !== front.desk()) return;
    front.reveal();
    panel.openAsset(id);
  };
  const update = (): void => TO_UPDATE.forEach((id) => app.commands.notifyCommandChanged(PREFIX + id));
  const follow = (notebook: NotebookPanel): void => {
    if (desks.has(notebook)) return;
    const desk: Desk = new Desk(notebook, (id) => openAsset(desk, id));
    desks.set(notebook, desk);
    desk.badges.show(settings.badges);
    if (!heard.has(desk.link)) desk.link.said.connect((_, message) => tell(message));
    heard.add(desk.link);
    desk.link.changed.connect(update);
    desk.link.connectionChanged.connect(({ connected }) => {
      app.commands.notifyCommandChanged();
      if (connected && settings.openPanel && desk === front.desk() && !panel.isVisible) openBeside(app, labShell, panel);
    });
    notebook.disposed.connect(() => {
      desks.delete(notebook);
      panel.showDesk(front.desk());
      desk.dispose();
    });
  };
  tracker.widgetAdded.connect((_, notebook) => {
    follow(notebook);
    panel.showDesk(front.desk());
  });
  tracker.forEach(follow);
  tracker.currentChanged.connect(() => panel.showDesk(front.desk()));
  tracker.activeCellChanged.connect(update);
  panel.showDesk(front.desk());

  void registry?.load(plugin.id).then((loaded) => {
    const read = (): void => {
      settings.badges = loaded.composite["badges"] as boolean;
      settings.openPanel = loaded.composite["openPanel"] as boolean;
      for (const desk of desks.values()) desk.badges.show(settings.badges);
    };
    loaded.changed.connect(read);
    panel.open(loaded.composite["tab"] as "lineage" | "outline");
    read();
  });
}

/** Show the panel and leave the keyboard where it is. */
function openBeside(app: JupyterFrontEnd, labShell: ILabShell | null, panel: LineagePanel): void {
  const had = document.activeElement as HTMLElement | null;
  if (labShell) labShell.expandRight();
  app.shell.activateById(panel.id);
  requestAnimationFrame(() => had?.focus({ preventScroll: true }));
}

/** Say what the kernel says of something that was asked for by a command. */
function tell(message: Message): void {
  if (message.kind === "refused") Notification.error(plain(message.hint ? `${message.why} (${message.hint})` : message.why), { autoClose: 8000 });
  else if (message.kind === "toast" && message.level !== "success") {
    Notification.emit(plain(message.text), message.level ?? "info", { autoClose: message.level === "error" ? 8000 : 3000 });
  }
}

export default plugin;
