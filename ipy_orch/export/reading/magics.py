"""Magics that define something: what IPython would refuse when their cell runs is refused when it is only read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from ipy_orch.authoring.cells.automation import read_automation_cell
from ipy_orch.authoring.components.cells import read_component_cell
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.export.written import read_job_line

__all__ = ["refuse_misspelt", "timed"]

#: magics that run Python in the notebook's own namespace
TIMED: Final = frozenset({"capture", "prun", "time"})

READERS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "job": lambda line, _: read_job_line(line),
    "schedule": lambda line, body: read_automation_cell("schedule", line, f"\n{body}").has_body,
    "sensor": lambda line, body: read_automation_cell("sensor", line, f"\n{body}").has_body,
    "component": lambda line, body: read_component_cell(line, body, ""),
}


def refuse_misspelt(tree: ast.Module, label: str) -> None:
    """Refuse the magic of a job, schedule, sensor or component that can't be read.

    Args:
        label: the cell, as Jupyter names it.

    Raises:
        DagsterInvalidDefinitionError: saying what is wrong, and where.
    """
    for node in tree.body:
        match node:
            case ast.Expr(
                ast.Call(
                    func=ast.Attribute(attr="run_cell_magic" | "run_line_magic"),
                    args=[ast.Constant(str(name)), ast.Constant(str(line)), *rest],
                )
            ) if name in READERS:
                body = next((one.value for one in rest if isinstance(one, ast.Constant)), "")
                refuse_one(name, line, str(body), label)


def timed(node: ast.stmt) -> list[ast.stmt]:
    """Return the statements that ``%%time`` and the like run; what they define exists, though no module can hold it."""
    match node:
        case ast.Expr(
            ast.Call(
                func=ast.Attribute(attr="run_cell_magic" | "run_line_magic" as how), args=[ast.Constant(name), *said]
            )
        ) if name in TIMED and said:
            code = getattr(said[-1 if how == "run_cell_magic" else 0], "value", "")
        case _:
            return []
    try:
        return ast.parse(code).body
    except (SyntaxError, TypeError):
        return []


def refuse_one(name: str, line: str, body: str, label: str) -> None:
    """Refuse one magic."""
    try:
        READERS[name](line, body)
    except DagsterError as error:
        raise DagsterInvalidDefinitionError(error.message, where=error.where or label, hint=error.hint) from None
    except SyntaxError as error:
        where = f"{label}, line {error.lineno}"
        raise DagsterInvalidDefinitionError(
            f"this isn't Python: {error.msg}", where=where, hint="correct the cell"
        ) from None
