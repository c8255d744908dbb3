/** Put the view into a page. */

import { h, render } from "preact";

import { App } from "./app.js";
import type { Host, Mounted, Options } from "./host.js";
import { warm } from "./layout/warm.js";
import { Actions } from "./state/actions.js";

export function mount(host: Host, element: HTMLElement, options: Options = {}): Mounted {
  const actions = new Actions(host);
  const rest = warm();
  element.classList.add("ipyo");
  if (options.height) element.style.setProperty("--ipyo-height", options.height);
  // JupyterLab's shortcuts (d d deletes a cell) and context menu aren't meant for what happens in here. It looks for the
  // attribute on what has the focus, and only then on what is around it.
  const keepKeys = (event: FocusEvent): void => (event.target as Element).setAttribute("data-lm-suppress-shortcuts", "true");
  element.addEventListener("focusin", keepKeys);
  element.setAttribute("data-jp-suppress-context-menu", "true");
  render(h(App, { actions }), element);
  return {
    open: (id) => actions.open(id),
    dispose() {
      rest();
      element.removeEventListener("focusin", keepKeys);
      actions.dispose();
      render(null, element);
    },
  };
}
