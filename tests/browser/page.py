"""A notebook in a page of JupyterLab or Notebook 7, with the verbs of a person in front of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

# `orch` is how a test reaches the application; `pending` counts the commands that haven't come back.
SCRIPT = """
window.orch = {
  pending: 0,
  get panel() { return jupyterapp.shell.currentWidget },
  get kernel() { return this.panel.sessionContext.session?.kernel },
  get cells() { return this.panel.content.model.sharedModel.cells },
  get idle() { return this.pending === 0 && this.kernel?.status === 'idle' },
  start(command, args) {
    this.pending += 1;
    jupyterapp.commands.execute(command, args).catch(() => {}).finally(() => { this.pending -= 1 });
  },
  select(first, last) {
    const notebook = this.panel.content;
    notebook.deselectAll();
    notebook.activeCellIndex = first;
    if (last !== first) notebook.extendContiguousSelectionTo(last);
  },
};
"""


@dataclass
class OpenNotebook:
    """What a test reads from a page and does in it. Times are in seconds."""

    page: Page
    name: str
    page_errors: list[str] = field(default_factory=list)

    def command(self, name: str, **args: Any) -> None:
        """Start a command of the application by its id, without waiting for it."""
        self.page.evaluate("([name, args]) => orch.start(name, args)", [name, args])

    def select(self, first: int, last: int | None = None) -> None:
        """Make cells `first` to `last` the selection."""
        self.page.evaluate("([a, b]) => orch.select(a, b)", [first, first if last is None else last])

    def run_cell(self, index: int, *, wait: bool = True, timeout: float = 60) -> None:
        """Run one cell, and by default wait until the kernel is idle again."""
        self.select(index)
        self.command("notebook:run-cell")
        if wait:
            self.wait_idle(timeout)

    def run_all(self, *, wait: bool = True, timeout: float = 90) -> None:
        """Run all cells, from the first to the last or to an error."""
        self.command("notebook:run-all-cells")
        if wait:
            self.wait_idle(timeout)

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until no started command is pending and the kernel is idle."""
        self.page.wait_for_function("orch.idle", timeout=timeout * 1000)

    def wait_text(self, index: int, text: str, timeout: float = 60) -> None:
        """Wait until the output of a cell contains a text; the kernel may be busy."""
        self.page.wait_for_function(
            "([i, text]) => JSON.stringify(orch.cells[i].getOutputs()).includes(JSON.stringify(text).slice(1, -1))",
            arg=[index, text],
            timeout=timeout * 1000,
        )

    def interrupt(self) -> None:
        """Press the stop button."""
        self.page.evaluate("orch.kernel.interrupt()")

    def restart(self) -> None:
        """Restart the kernel and wait for the new one."""
        self.page.evaluate("orch.kernel.restart()")
        self.wait_idle()

    def source(self, index: int) -> str:
        """Return the source of a cell."""
        return self.page.evaluate("i => orch.cells[i].getSource()", index)

    def sources(self) -> list[str]:
        """Return the sources of all cells, in order."""
        return self.page.evaluate("orch.cells.map(cell => cell.getSource())")

    def cell_ids(self) -> list[str]:
        """Return the ids of all cells, in order."""
        return self.page.evaluate("orch.cells.map(cell => cell.id)")

    def edit(self, index: int, source: str) -> None:
        """Replace the source of a cell, as typing would."""
        self.page.evaluate("([i, source]) => orch.cells[i].setSource(source)", [index, source])

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return the outputs of a cell as a notebook file has them."""
        return self.page.evaluate("i => orch.cells[i].toJSON().outputs", index)

    def text(self, index: int) -> str:
        """Return what a cell shows as plain text: streams, values and tracebacks, one after the other."""
        return "\n".join(_text_of(output) for output in self.outputs(index))

    def screenshot(self, path: Path) -> Path:
        """Take a picture of the page as it is."""
        self.page.screenshot(path=path)
        return path

    def close(self) -> None:
        """Shut the kernel down and close the page."""
        self.page.evaluate("jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")
        self.page.close()


def _text_of(output: dict[str, Any]) -> str:
    """Return one output as plain text, without colours."""
    parts = output.get("text") or output.get("traceback") or output.get("data", {}).get("text/plain", "")
    text = parts if isinstance(parts, str) else ("\n" if "traceback" in output else "").join(parts)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
