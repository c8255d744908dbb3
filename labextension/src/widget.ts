/** The entry for anywidget: one host around a widget's model. */

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

export function isDark(page: Document): boolean {
  const lab = page.body.dataset["jpThemeLight"];
  if (lab !== undefined) return lab === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** What JupyterLab's widget manager has, unofficially: the document that the widget stands in. */
interface Manager {
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
    onTheme(changed) {
      const observer = new MutationObserver(() => setTimeout(changed, 60));
      observer.observe(page.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
      const query = matchMedia("(prefers-color-scheme: dark)");
      query.addEventListener("change", changed);
      return () => {
        observer.disconnect();
        query.removeEventListener("change", changed);
      };
    },
    openCell: (cell) => showCell(model, element, cell),
  };
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const height = model.get("height");
    const mounted = mount(hostOf(model, el), el, typeof height === "string" && height ? { height } : {});
    return () => mounted.dispose();
  },
};
