"""A notebook of ours in a kernel of its own, cell by cell, and what its text tells the reader to try."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STATE = """
import json, ipy_orch
_session = ipy_orch.session()
print(json.dumps({
    "runs": len(_session.history.runs),
    "made": [event.key.label for event in _session.log if event.kind == "materialized"],
    "assets": _session.assets()["status"].astype(str).to_dict(),
    "checks": _session.checks().reset_index()[["check", "status"]].astype(str).to_dict("records"),
}))
"""


@dataclass
class Kernel:
    """A kernel in a folder of its own, and what it says."""

    client: NotebookClient
    folder: Path

    def run(self, source: str) -> nbformat.NotebookNode:
        """Run a cell, and return it with its outputs."""
        cell = nbformat.v4.new_code_cell(source)
        self.client.nb.cells.append(cell)
        return self.client.execute_cell(cell, len(self.client.nb.cells) - 1)

    def run_all(self, notebook: Path) -> dict[str, nbformat.NotebookNode]:
        """Run the cells of a notebook from top to bottom; return them with their outputs, by id."""
        cells = nbformat.read(notebook, as_version=4).cells
        return {one.id: self.run(one.source) for one in cells if one.cell_type == "code"}

    def fails(self, source: str) -> str:
        """Run a cell that raises, and return its traceback without colours."""
        self.client.allow_errors = True
        try:
            cell = self.run(source)
        finally:
            self.client.allow_errors = False
        return plain("\n".join("\n".join(output.get("traceback", [output.get("text", "")])) for output in cell.outputs))

    def state(self) -> dict[str, Any]:
        """Return what the session knows."""
        return json.loads(self.run(STATE).outputs[0].text)


@dataclass
class Ran:
    """A notebook after a run: its kernel, and its cells."""

    kernel: Kernel
    cells: Mapping[str, nbformat.NotebookNode]


@contextmanager
def fresh_kernel(folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Kernel]:
    """Have a kernel in a folder, with an environment of its own where one is given."""
    client = NotebookClient(
        nbformat.v4.new_notebook(), kernel_name="python3", timeout=100, resources={"metadata": {"path": str(folder)}}
    )
    with client.setup_kernel(**({} if env is None else {"env": dict(env)})):
        yield Kernel(client, folder)


def plain(text: str) -> str:
    """Return a text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def shown(cell: nbformat.NotebookNode) -> str:
    """Return all that a cell shows, as text."""
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def told(notebook: Path, cell_id: str) -> list[str]:
    """Return the indented blocks of a text cell, as the reader types or sees them."""
    text = next(one.source for one in nbformat.read(notebook, as_version=4).cells if one.id == cell_id)
    blocks = re.findall(r"(?:^ {4}.*\n?)+", text, flags=re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).rstrip() for block in blocks]
