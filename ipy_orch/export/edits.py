"""What was edited in an exported module since it left the notebook, told by its marks."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipy_orch.export.bodies import CHECK_RESULT
from ipy_orch.export.deployments import deployments_in
from ipy_orch.export.marks import Mark, digest_of, name_of, read_footer, without_footer
from ipy_orch.export.parts import DEFS
from ipy_orch.export.statements import Statement, statements_of
from ipy_orch.session.cellbook import Cell

__all__ = ["Definition", "definitions_of", "edits", "parts_of"]


@dataclass(frozen=True)
class Definition:
    """Be a statement of a module, as an import or an export of it sees it.

    Args:
        text: with the comments right above it.
        line: where it begins.
        statement: its names.
    """

    name: str
    text: str
    line: int
    statement: Statement

    @property
    def part(self) -> tuple[str, str]:
        """Return its name and digest, as marks hold them."""
        return self.name, digest_of(self.text)


def definitions_of(text: str) -> list[Definition]:
    """Return the statements of a module but for its docstring.

    Raises:
        SyntaxError: when it isn't Python.
    """
    code = without_footer(text)
    tree = ast.parse(code)
    found = statements_of(Cell("", 0, code))
    first = 1 if ast.get_docstring(tree) is not None else 0
    return [Definition(name_of(one.node, one.binds, one.changes), one.text, one.lines[0], one) for one in found[first:]]


def parts_of(text: str) -> list[Definition]:
    """Return what an export wrote below the imports, without what it adds itself."""
    found = (one for one in definitions_of(text) if not one.statement.is_import)
    return [one for one in found if one.name not in (DEFS, CHECK_RESULT) and deployments_in(one.statement.node) is None]


def edits(text: str, new: Iterable[Sequence[Mark]] = ()) -> list[str]:
    """Return what was edited in a module since its export, but for what a new export says just so.

    Args:
        new: the marks of the new export.
    """
    marks = read_footer(text)
    if not marks:
        return []
    try:
        now = parts_of(text)
    except SyntaxError as error:
        return [f"line {error.lineno} (not Python)"]
    base = Counter(part for mark in marks for part in mark.parts if part[1])
    said = {part for some in new for mark in some for part in mark.parts}
    found: list[str] = []
    for one in now:
        if base[one.part] > 0:
            base[one.part] -= 1
        elif one.part not in said:
            found.append(f"`{one.name.rstrip('+')}` (line {one.line})")
    names = {one.name for one in now}
    gone = [name for (name, _), count in base.items() if count > 0 and name not in names]
    back = {name for name, _ in said}
    return found + [f"`{name.rstrip('+')}` (taken out)" for name in gone if name in back]
