"""The cells of a notebook's file as a session would know them after a run from top to bottom.

A kind of cell that is a definition of its own enters here: ``read_cell`` knows it by its head, and what it stands for
as Python is the business of :mod:`ipy_orch.export.written`, as in a live notebook.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ipy_orch.authoring.cells.cells import CellText, is_definition_cell, read_cell, value_rule
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.export.notebook_file import FileCell
from ipy_orch.export.reading.blocks import run
from ipy_orch.export.reading.frames import STEPS, Frame, World
from ipy_orch.export.reading.magics import refuse_misspelt, timed
from ipy_orch.export.reading.unknown import TooLong, Unknown, Untold
from ipy_orch.export.written import Written, is_op_cell, written_op, written_plain
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.config.environments import Environments
from ipy_orch.session.scan import Scan, Scanned

__all__ = ["ReadNotebook", "key_of_cell"]


@dataclass
class ReadNotebook:
    """Be what the cells of a notebook define, told from their text.

    Args:
        folder: where modules beside the notebook are looked for.
        warnings: what a person should know: cells that can't be read.
    """

    folder: Path | None = None
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    book: CellBook = field(default_factory=CellBook)
    warnings: list[str] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.frame = Frame(World(self.folder), self.namespace, self.namespace)

    @classmethod
    def of(cls, cells: Iterable[FileCell], folder: Path | None = None) -> ReadNotebook:
        """Read the cells of a notebook from top to bottom.

        Raises:
            DagsterError: for a cell that can't be a definition, with cell and line.
        """
        made = cls(folder)
        for cell in cells:
            if cell.kind == "code" and cell.text.strip():
                made.read(cell)
        return made

    @cached_property
    def scanned(self) -> Scanned:
        """Return what was found, as a session's scan does."""
        return Scan(self.namespace, self.book, Environments(lambda name: name in self.book.gone))()

    @property
    def label(self) -> str:
        """Return what messages call the cell that is read: what Jupyter would show after a run."""
        return f"Cell In[{self.number}]"

    def read(self, cell: FileCell) -> None:
        """Read a cell."""
        self.number += 1
        if is_definition_cell(cell.text) and not is_op_cell(cell.text):
            self.read_definition(cell)
            return
        text = transformed(cell.text) if not is_op_cell(cell.text) else cell.text
        written = self.written(text)
        if written is None:
            self.refuse_or_warn(text)
            return
        self.read_plain(cell, written)

    def read_definition(self, cell: FileCell) -> None:
        """Take in the cell of an asset or check.

        Raises:
            DagsterInvalidDefinitionError: when it can't be one.
        """
        source = read_cell(cell.text, where=self.label)
        assert source is not None
        self.checked(source)
        self.book.write(Cell(cell.key or key_of_cell(cell.text), self.number, cell.text, f"<{self.label}>", source))

    def checked(self, source: CellText) -> None:
        """Refuse the body of a cell that can't be that of a function.

        Raises:
            DagsterInvalidDefinitionError: with the line.
        """
        try:
            value_rule(source)
        except SyntaxError as error:
            told = f"this isn't Python: {error.msg}"
            raise DagsterInvalidDefinitionError(
                told, where=f"{self.label}, line {error.lineno}", hint="correct the cell"
            ) from None

    def written(self, text: str) -> Written | None:
        """Return the Python that a cell stands for, None where it is none."""
        if is_op_cell(text):
            source = read_cell(text, where=self.label)
            assert source is not None
            self.checked(source)
            return written_op(text, self.namespace)
        if not is_python(text):
            return None
        refuse_misspelt(ast.parse(text), self.label)
        return written_plain(text)

    def refuse_or_warn(self, text: str) -> None:
        """Tell of a cell that isn't Python."""
        self.warnings.append(f"{self.label} isn't Python, and is left out: {text.strip().splitlines()[0][:60]}")

    def read_plain(self, file_cell: FileCell, written: Written) -> None:
        """Take in a plain cell, or that of an op.

        Raises:
            DagsterInvalidDefinitionError: for that of a component, whose definitions only running it tells.
        """
        if written.key.startswith("component:"):
            told = f"what the component `{written.key.partition(':')[2]}` makes is known only when its cell runs"
            hint = "run the notebook and `%export` there"
            raise DagsterInvalidDefinitionError(told, where=self.label, hint=hint)
        key = file_cell.key or written.key or key_of_cell(file_cell.text)
        cell = Cell(key, self.number, written.text, f"<{self.label}>")
        self.book.before(cell)
        cell.names = replace(cell.names, bound=cell.names.bound - written.imported)
        before = {name: self.namespace[name] for name in written.imported if name in self.namespace}
        self.evaluate(cell)
        for name in written.imported:
            self.namespace.pop(name, None)
        self.namespace.update(before)
        self.book.write(cell)
        self.book.after(cell, lambda _: None)

    def evaluate(self, cell: Cell) -> None:
        """Read the statements of a cell.

        Raises:
            DagsterInvalidDefinitionError: for a definition that depends on what only running tells.
        """
        frame = replace(self.frame, filename=cell.filename)
        frame.world.left = STEPS
        for node in ast.parse(cell.text).body:
            try:
                run(timed(node) or [node], frame)
            except Untold as error:
                raise DagsterInvalidDefinitionError(
                    error.what,
                    where=f"{cell.label}, line {error.line or node.lineno}",
                    hint="write the value out, or run the notebook and `%export` there",
                ) from None
            except DagsterError as error:
                where = error.where or f"{cell.label}, line {node.lineno}"
                raise DagsterInvalidDefinitionError(error.message, where=where, hint=error.hint) from None
            except TooLong:
                self.unknown(node)
            except Exception:  # noqa: BLE001 - the notebook's own, or of reading it
                self.unknown(node)

    def unknown(self, node: ast.stmt) -> None:
        """Make what a statement binds unknown."""
        from ipy_orch.authoring.cells.free_names import free_names

        for name in free_names([node]).bound:
            self.namespace[name] = Unknown(name)


def key_of_cell(text: str) -> str:
    """Return the key of a cell without an id, as a session does."""
    source = read_cell(text) if is_definition_cell(text) else None
    if source is None or source.kind == "op":
        return f"text:{text.strip()}" if source is None else f"op:{source.name}"
    return f"asset:{source.target.label}" if source.kind == "asset" else f"check:{source.target.label}:{source.name}"


def transformed(text: str) -> str:
    """Return a cell as IPython turns it into Python."""
    if is_python(text):
        return text
    from IPython.core.inputtransformer2 import TransformerManager

    top = len(text) - len(text.lstrip("\n"))
    try:
        return "\n" * top + TransformerManager().transform_cell(text)  # type: ignore[no-untyped-call]
    except SyntaxError:
        return text


def is_python(text: str) -> bool:
    """Tell whether a text can be parsed."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
