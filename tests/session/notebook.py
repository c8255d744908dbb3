"""A notebook without a kernel: the book-keeping that the IPython door does, and nothing more."""

from __future__ import annotations

import ast
import hashlib
import itertools
import linecache
from typing import Any

from ipy_orch.authoring.cells.cells import is_definition_cell, read_cell
from ipy_orch.planning.hashing.hashing import Unhashable, digest
from ipy_orch.session.cellbook import Cell
from ipy_orch.session.session import Session
from ipy_orch.session.settings import Settings


class Notebook:
    """Run cells by id in one namespace, as a kernel would."""

    def __init__(self, *, run: bool = True, store: str = "") -> None:
        self.session = Session({"__name__": "__main__"}, Settings(store=store))
        self.numbers = itertools.count(1)
        self.run = run

    @property
    def namespace(self) -> dict[str, Any]:
        return self.session.namespace

    def cell(self, key: str, text: str) -> Any:
        """Run a cell; return the report of its asset, or None for a plain cell."""
        number = next(self.numbers)
        mark = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        filename = f"<cell {number} {mark}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        cell = Cell(key, number, text, filename)
        if is_definition_cell(text):
            return self.definition(cell)
        self.session.book.before(cell)
        for statement in ast.parse(text).body:  # one by one, as IPython does
            code = compile(ast.Module([statement], []), filename, "exec", dont_inherit=True)
            exec(code, self.namespace)
        self.session.book.write(cell)
        self.session.book.after(cell, self.digest)
        return None

    def definition(self, cell: Cell) -> Any:
        cell.source = read_cell(cell.text, where=cell.label)
        assert cell.source is not None
        _ = cell.source.tree
        self.session.book.write(cell)
        if not self.run or cell.source.options.get("run") is False:
            return None
        return self.session.materialize([cell.source.target])

    def delete(self, *keys: str) -> None:
        """Delete cells."""
        self.session.book.remove(keys)

    def digest(self, name: str) -> str | None:
        try:
            return digest(self.namespace.get(name))
        except Unhashable:
            return None

    def value(self, name: str) -> Any:
        """Return the value of an asset, brought up to date."""
        return self.session.value(name)

    def computed(self) -> list[str]:
        """Return the assets that the last run computed."""
        runs = list(self.session.history.runs.values())
        return [step.name for step in runs[-1].steps.values() if step.status == "success"] if runs else []
