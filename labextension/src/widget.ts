/** The entry for anywidget: one host around a widget's model. */

import { ENDS, followTheme, isDark } from "./jupyter.js";
import type { Command, Message } from "./protocol.js";
import type { Host, Theme } from "./view/host.js";
import { mount } from "./view/mount.js";

/** The second comes where the widget's comm ends. */
type Event = "msg:custom" | "comm_live_update";

/** What anywidget gives; its own types need the package. */
interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: Event, heard: (message: unknown) => void): void;
  off(name: Event, heard: (message: unknown) => void): void;
  readonly widget_manager?: unknown;
}

interface Signal<T> {
  connect(slot: (sender: unknown, args: T) => void): void;
  disconnect(slot: (sender: unknown, args: T) => void): void;
}

/** What JupyterLab's widget manager has, unofficially: the document that the widget stands in, and its kernel. */
interface Manager {
  readonly kernel?: { interrupt?(): Promise<void>; readonly statusChanged?: Signal<string> } | null;
  readonly context?: { readonly model?: { readonly cells?: { readonly length: number; get(index: number): { readonly id?: string } } } };
}

/** Scroll to a cell, where the page lets itself be asked for it. Return whether it did. */
function showCell(model: Model, element: HTMLElement, id: string): boolean {
  const cells = (model.widget_manager as Manager | undefined)?.context?.model?.cells;
  const notebook = element.closest(".jp-Notebook");
  for (let i = 0; cells && notebook && i < cells.length; i++) {
    if (cells.get(i).id !== id) continue;
    const node = notebook.querySelector<HTMLElement>(`[data-windowed-list-index="${i}"]`) ?? notebook.querySelectorAll<HTMLElement>(".jp-Cell")[i];
    node?.scrollIntoView({ block: "center" });
    node?.focus({ preventScroll: true });
    return node !== undefined;
  }
  return false;
}

/** Call `gone` where the kernel ends: any manager tells of a restart, and JupyterLab's kernel of a crash, too. */
function followEnd(model: Model, gone: () => void): () => void {
  const statuses = (model.widget_manager as Manager | undefined)?.kernel?.statusChanged;
  const onStatus = (_: unknown, status: string): void => void (ENDS.includes(status) && gone());
  model.on("comm_live_update", gone);
  statuses?.connect(onStatus);
  return () => {
    model.off("comm_live_update", gone);
    statuses?.disconnect(onStatus);
  };
}

function hostOf(model: Model, element: HTMLElement): Host {
  const page = element.ownerDocument;
  const left = new Set<() => void>();
  return {
    send(command: Command) {
      try {
        model.send(command);
      } catch {
        for (const gone of [...left]) gone(); // the comm is closed: the notebook has another kernel now
      }
    },
    onGone(gone) {
      left.add(gone);
      const end = followEnd(model, gone);
      return () => {
        left.delete(gone);
        end();
      };
    },
    onMessage(heard) {
      const take = (message: unknown): void => heard(message as Message);
      model.on("msg:custom", take);
      return () => model.off("msg:custom", take);
    },
    theme: (): Theme => (isDark(page) ? "dark" : "light"),
    onTheme: (changed) => followTheme(page, changed),
    openCell: (cell) => showCell(model, element, cell),
    interrupt() {
      const kernel = (model.widget_manager as Manager | undefined)?.kernel;
      if (!kernel?.interrupt) return false;
      void kernel.interrupt();
      return true;
    },
  };
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const height = model.get("height");
    const mounted = mount(hostOf(model, el), el, typeof height === "string" && height ? { height } : {});
    return () => mounted.dispose();
  },
};
