"""The statements of a cell that is the body of a function: what it can't hold, and what it does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Final

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["awaits", "last_name", "own_nodes", "refuse_magics", "refuse_statements"]

_MAGIC_LINE = re.compile(r"^\s*(?:%{1,2}\S|!{1,2}\s*\S|.*=\s*[%!]\s*\w|\?{1,2}\w|\S[^#'\"]*\?\??\s*$)")


def refuse_magics(body: str, where: str, what: str) -> None:
    """Refuse magics and shell lines, which no module can hold.

    Raises:
        DagsterInvalidDefinitionError: with the line.
    """
    try:
        ast.parse(body)
    except SyntaxError as error:
        lines = body.split("\n")
        number = error.lineno or 1
        line = lines[number - 1] if number <= len(lines) else ""
        if _MAGIC_LINE.match(line):
            raise DagsterInvalidDefinitionError(
                f"`{line.strip()}` can't be in {what}: magics and shell lines can't be exported",
                where=f"{where}, line {number}",
                hint="put it in a cell of its own above",
            ) from None


REFUSED: Final = {
    ast.Return: ("`return`", "end the cell with the value as its last line"),
    ast.Yield: ("`yield`", "end the cell with a list of the values"),
    ast.YieldFrom: ("`yield from`", "end the cell with a list of the values"),
    ast.Global: ("`global`", "give the value back instead"),
    ast.Nonlocal: ("`nonlocal`", "give the value back instead"),
}


def refuse_statements(tree: ast.Module, where: str, what: str) -> None:
    """Refuse statements that mean something else in a function than in a cell.

    Raises:
        DagsterInvalidDefinitionError: with the line.
    """
    for node in sorted(own_nodes(tree.body), key=lambda node: getattr(node, "lineno", 0)):
        told = REFUSED.get(type(node))
        if told is None and isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            told = (f"`from {node.module} import *`", "import the names you use, or do it in a cell of its own")
        if told is not None:
            place = f"{where}, line {getattr(node, 'lineno', 1)}"
            raise DagsterInvalidDefinitionError(f"{told[0]} can't be in {what}'s cell", where=place, hint=told[1])


def own_nodes(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """Yield the nodes of a body, but not those inside functions and classes of it."""
    front = list(body)
    while front:
        node = front.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            front.extend(ast.iter_child_nodes(node))


def awaits(tree: ast.Module) -> bool:
    """Tell whether a body awaits, and so is that of a coroutine."""
    kinds = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    comprehensions = (node for node in own_nodes(tree.body) if isinstance(node, ast.comprehension))
    return any(isinstance(node, kinds) for node in own_nodes(tree.body)) or any(
        bool(one.is_async) for one in comprehensions
    )


def last_name(node: ast.expr) -> str:
    """Return the last name of ``a.b``, "" for what has none.

    >>> last_name(ast.parse("os.path.join", mode="eval").body)
    'join'
    """
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
