/** The entry for anywidget: one host around a widget's model. */

import { followTheme, isDark } from "./jupyter.js";
import type { Command, Message } from "./protocol.js";
import type { Host, Theme } from "./view/host.js";
import { mount } from "./view/mount.js";

/** What anywidget gives; its own types need the package. */
interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: "msg:custom", heard: (message: unknown) => void): void;
  off(name: "msg:custom", heard: (message: unknown) => void): void;
  readonly widget_manager?: unknown;
}

/** What JupyterLab's widget manager has, unofficially: the document that the widget stands in, and its kernel. */
interface Manager {
  readonly kernel?: { interrupt?(): Promise<void> } | null;
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

function hostOf(model: Model, element: HTMLElement): Host {
  const page = element.ownerDocument;
  return {
    send: (command: Command) => model.send(command),
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
