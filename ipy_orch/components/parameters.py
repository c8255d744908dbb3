"""The parameters of a notebook: the assignments in its cell that is tagged ``parameters``, as papermill has them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["Parameters", "read_parameters"]

TAG: Final = "parameters"


@dataclass(frozen=True)
class Parameters:
    """Be what a notebook takes.

    Args:
        cell: the place of the tagged cell, None where there's none.
        inputs: names that are None in it: values of the assets of those names.
        settings: the others, with what stands behind them.
    """

    cell: int | None = None
    inputs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_parameters(cells: list[Any], where: str) -> Parameters:
    """Return the parameters of a notebook.

    Args:
        cells: as nbformat reads them.
        where: the file, for messages.

    Raises:
        DagsterInvalidDefinitionError: when the tagged cell isn't made of plain assignments.
    """
    tagged = [n for n, one in enumerate(cells) if one.cell_type == "code" and TAG in one.metadata.get("tags", ())]
    if len(tagged) > 1:
        told = f"cells {tagged[0] + 1} and {tagged[1] + 1} are both tagged `{TAG}`"
        raise DagsterInvalidDefinitionError(told, where=where, hint="one of them is enough")
    if not tagged:
        return Parameters()
    place = f"{where}, cell {tagged[0] + 1}"
    found = dict(assignment(one, place) for one in parsed(cells[tagged[0]].source, place))
    inputs = tuple(name for name, value in found.items() if value is None)
    settings = {name: value for name, value in found.items() if value is not None}
    return Parameters(tagged[0], inputs, settings)


def parsed(source: str, where: str) -> list[ast.stmt]:
    """Return the statements of a cell, without its docstrings and imports.

    Raises:
        DagsterInvalidDefinitionError: when it isn't Python.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise DagsterInvalidDefinitionError(f"this isn't Python: {error.msg}", where=where) from None
    return [one for one in statements if not isinstance(one, ast.Import | ast.ImportFrom)]


def assignment(one: ast.stmt, where: str) -> tuple[str, Any]:
    """Return name and value of an assignment.

    Raises:
        DagsterInvalidDefinitionError: for any other statement, and for values that aren't written out.
    """
    if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name):
        try:
            return one.targets[0].id, ast.literal_eval(one.value)
        except ValueError:
            pass
    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None:
        try:
            return one.target.id, ast.literal_eval(one.value)
        except ValueError:
            pass
    told = f"`{ast.unparse(one)[:60]}` in the cell tagged `{TAG}` isn't `name = value`"
    hint = "`limit = 10` is a setting, `orders = None` the value of the asset `orders`"
    raise DagsterInvalidDefinitionError(told, where=where, hint=hint)
