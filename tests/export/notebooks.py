"""Notebooks as lists of cells, without a kernel: what the tests of the export start from."""

from __future__ import annotations
import __future__

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

from ipy_orch.authoring.cells.cells import read_cell
from ipy_orch.export.module import export_module
from ipy_orch.export.notebook_file import FileCell, NotebookFile, write_notebook
from ipy_orch.export.writing import module_of_notebook, write_module
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.config.environments import Environments
from ipy_orch.session.scan import Scan, Scanned


class Notebook:
    """Run cells as a session would, but for asset and check cells, which are read and not run."""

    def __init__(self, *cells: str) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.book = CellBook()
        self.count = self.flags = 0
        for number, text in enumerate(cells, 1):
            self.run(text, f"cell-{number}")

    def run(self, text: str, key: str) -> None:
        """Run a cell, or run it again under its id."""
        self.count += 1
        self.flags |= __future__.annotations.compiler_flag if "from __future__" in text else 0
        label = f"Cell In[{self.count}]"
        source = read_cell(text, where=label)
        cell = Cell(key, self.count, text, f"<{label}>", source)
        if source is not None:
            cell.names = source.names
            self.book.write(cell)
            return
        self.book.before(cell)
        self.book.write(cell)
        exec(compile(python(text), cell.filename, "exec", self.flags, dont_inherit=True), self.namespace)
        self.book.after(cell, lambda name: None)

    def scan(self) -> Scanned:
        """Return what namespace and cells define."""
        return Scan(self.namespace, self.book, Environments(lambda name: name in self.book.gone))()

    def export(self, target: str = "dagster", **options: Any) -> str:
        """Return the module."""
        return export_module(self.scan(), self.book, self.namespace, target=target, **options)

    def write(self, path: Path, target: str = "dagster", **options: Any) -> Path:
        """Write the module."""
        options = {"prove": False, **options}
        return write_module(path, self.scan(), self.book, self.namespace, target=target, **options).path


def python(text: str) -> str:
    """Return a cell without its magics and shell lines."""
    try:
        ast.parse(text)
    except SyntaxError:
        return (
            "" if text.startswith("%%") else "\n".join("" if is_ipython(line) else line for line in text.splitlines())
        )
    return text


def is_ipython(line: str) -> bool:
    """Tell whether a line is a magic or shell line."""
    return line.lstrip().startswith(("%", "!")) or "= !" in line or "= %" in line or line.endswith("?")


def run_clean(code: str, folder: Path) -> str:
    """Return what code prints in a fresh interpreter, with a folder as the only place of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def file_of(*cells: str) -> NotebookFile:
    """Return the cells as a notebook's file holds them, under the ids that `Notebook` gives them."""
    return NotebookFile.of(FileCell("code", text, f"cell-{number}") for number, text in enumerate(cells, 1))


def saved(path: Path, *cells: str | FileCell) -> Path:
    """Save cells as a notebook; a cell of text has the id that `Notebook` gives it."""
    made = (FileCell("code", one, f"cell-{n}") if isinstance(one, str) else one for n, one in enumerate(cells, 1))
    write_notebook(path, NotebookFile.of(made))
    return path


def static(*cells: str, target: str = "dagster", folder: Path | None = None) -> str:
    """Return the module, told from the text of the cells."""
    return module_of_notebook(file_of(*cells), folder, target=target)[0].text
