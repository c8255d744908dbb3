/** Export: ask for a file's name, have the kernel write it, say what came of it. */

import { InputDialog, Notification } from "@jupyterlab/apputils";
import type { KernelMessage } from "@jupyterlab/services";

import { plain } from "../view/format.js";
import type { Desk } from "./desk.js";

export type Target = "ipy_orch" | "dagster";

const TITLES: Readonly<Record<Target, string>> = { ipy_orch: "Export assets as a module", dagster: "Export assets for Dagster" };

/** Ask for a name and export; `openFile` opens a file of the server by its path. */
export async function exportAssets(desk: Desk, target: Target, openFile: (path: string) => void): Promise<void> {
  const text = "definitions.py";
  const asked = await InputDialog.getText({ title: TITLES[target], label: "File, beside the notebook", text, okLabel: "Export" });
  const name = asked.value?.trim();
  if (!asked.button.accept || !name) return;
  let told = await runExport(desk, name, target, false);
  if (!told.good && told.text.includes("--force")) {
    const again = await InputDialog.getBoolean({ title: TITLES[target], label: `Write over ${name}`, value: false, okLabel: "Export" });
    if (!again.button.accept || !again.value) return;
    told = await runExport(desk, name, target, true);
  }
  if (!told.good) {
    Notification.error(told.text || "The export failed.", { autoClose: 8000 });
    return;
  }
  const folder = desk.panel.context.path.split("/").slice(0, -1).join("/");
  const path = folder ? `${folder}/${name}` : name;
  const actions = name.startsWith("/") || name.startsWith("~") ? [] : [{ label: "Open", callback: () => openFile(path) }];
  Notification.success(told.text, { autoClose: 8000, actions });
}

interface Told {
  readonly good: boolean;
  readonly text: string;
}

/** Have the kernel run `%export`, in silence: it is no cell of the notebook's. */
async function runExport(desk: Desk, name: string, target: Target, force: boolean): Promise<Told> {
  const kernel = desk.panel.sessionContext.session?.kernel;
  if (!kernel) return { good: false, text: "The notebook has no kernel." };
  const line = `'${name.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}' --for ${target}${force ? " --force" : ""}`;
  const code = `get_ipython().run_line_magic("export", ${JSON.stringify(line)})`;
  const future = kernel.requestExecute({ code, silent: true, store_history: false, stop_on_error: false });
  const said: string[] = [];
  let good = true;
  future.onIOPub = ({ header, content }: KernelMessage.IIOPubMessage) => {
    if (header.msg_type === "display_data") said.push(textOf((content as KernelMessage.IDisplayDataMsg["content"]).data["text/plain"]));
    if (header.msg_type === "stream") {
      const stream = content as KernelMessage.IStreamMsg["content"];
      good &&= stream.name !== "stderr";
      said.push(stream.text);
    }
    if (header.msg_type === "error") {
      const error = content as KernelMessage.IErrorMsg["content"];
      good = false;
      said.push(`${error.ename}: ${error.evalue}`);
    }
  };
  const reply = await future.done;
  if (reply.content.status === "error" && good) {
    good = false;
    said.push(`${reply.content.ename}: ${reply.content.evalue}`);
  }
  return { good, text: plain(said.join("\n").trim()) };
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join("") : String(value ?? "");
}
