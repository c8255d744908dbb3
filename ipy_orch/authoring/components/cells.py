"""The cell of a component: its type, its variable, and its attributes in YAML or its keyword arguments in Python.

%%component SqlFolderComponent shop         %%component SqlFolderComponent shop
folder: sql                                 folder = "sql"
group_name: shop                            group_name = GROUP
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.authoring.components.documents import Lines, read_documents
from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["EXAMPLE", "ComponentCell", "read_component_cell", "snake"]

EXAMPLE: Final = "%%component TYPE NAME, and below it the attributes in YAML; %components lists the types"
WHOLE: Final = frozenset({"type", "attributes"})


@dataclass(frozen=True)
class ComponentCell:
    """Be a component's cell as it was written.

    Args:
        type_name: of the component: one that comes along, a class of the notebook, or ``package.module.Class``.
        name: of the variable that holds its definitions.
        attributes: where the cell holds YAML.
        arguments: name -> expression, where it holds keyword arguments.
        lines: of the fields, counted from the cell's first.
    """

    type_name: str
    name: str
    attributes: Mapping[str, Any] | None
    arguments: Mapping[str, str]
    lines: Lines


def read_component_cell(line: str, body: str, where: str) -> ComponentCell:
    r"""Return a component's cell, read.

    Args:
        line: what stands behind ``%%component``.
        where: the cell, for messages.

    Raises:
        DagsterInvalidDefinitionError: with the line, when something in it isn't right.

    Example:
        >>> read_component_cell("my.Report sales", "limit: 3\n", "this cell").attributes
        {'limit': 3}
        >>> read_component_cell("Report", "limit = N + 1", "this cell").arguments
        {'limit': 'N + 1'}
    """
    words = line.split()
    if not words:
        raise DagsterInvalidDefinitionError("`%%component` needs a type", where=where, hint=EXAMPLE)
    if len(words) > 2:
        told = f"`{words[2]}` is too much: behind `%%component` stand a type and a name"
        raise DagsterInvalidDefinitionError(told, where=where, hint="attributes stand below, one per line")
    type_name, name = words[0], words[1] if len(words) == 2 else snake(words[0].rpartition(".")[2])
    refuse_name(name, where)
    if not all(part.isidentifier() for part in type_name.split(".")):
        raise DagsterInvalidDefinitionError(f"`{type_name}` can't be a type", where=where, hint=EXAMPLE)
    if (arguments := arguments_in(body)) is not None:
        return ComponentCell(type_name, name, None, arguments, Lines(where))
    attributes, lines = attributes_in(body, where)
    return ComponentCell(type_name, name, attributes, {}, lines)


def snake(name: str) -> str:
    """Return the name of a class as that of a variable, without the word component.

    >>> snake("SqlFolderComponent"), snake("Report")
    ('sql_folder', 'report')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("Component") or name)
    return parted.lower()


def refuse_name(name: str, where: str) -> None:
    """Refuse a name that can't be a variable's.

    Raises:
        DagsterInvalidDefinitionError: with one that can.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        plain = re.sub(r"\W+", "_", name).strip("_0123456789") or "my_component"
        raise DagsterInvalidDefinitionError(f"`{name}` can't be the name of a variable", where=where, hint=f"`{plain}`")


def arguments_in(body: str) -> dict[str, str] | None:
    """Return the keyword arguments of a body, a statement each or as in a call; None where it is something else."""
    try:
        statements = ast.parse(body).body
    except SyntaxError:
        return in_call(body)
    found: dict[str, str] = {}
    for one in statements:
        if not (isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name)):
            return None
        found[one.targets[0].id] = ast.unparse(one.value)
    return found or None


def in_call(body: str) -> dict[str, str] | None:
    """Return the arguments of ``a=1, b=2``; None where it isn't that."""
    try:
        made = ast.parse(f"_(\n{body}\n)", mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(made, ast.Call) or made.args or any(one.arg is None for one in made.keywords):
        return None
    return {str(one.arg): ast.unparse(one.value) for one in made.keywords}


def attributes_in(body: str, where: str) -> tuple[Mapping[str, Any], Lines]:
    """Return the attributes of a body in YAML, and their lines in the cell.

    Raises:
        DagsterInvalidDefinitionError: with the line, when it's no YAML of fields.
    """
    found = read_documents(f"\n{body}", f"{where}, line ")  # the magic's line is the first
    if len(found) > 1:
        told = "a cell holds one component, and this one has several documents"
        raise DagsterInvalidDefinitionError(told, where=where, hint="a cell for each, or a `defs.yaml`")
    if not found:
        return {}, Lines(where)
    value, lines = found[0].value, found[0].lines
    if not isinstance(value, dict):
        hint = "`name: value` in YAML, or `name = value` in Python, a line each"
        raise DagsterInvalidDefinitionError("the cell holds no attributes", where=lines.where(()), hint=hint)
    if set(value) >= WHOLE:
        hint = "the type stands behind `%%component`, and below it only what is in `attributes`"
        raise DagsterInvalidDefinitionError("this is a whole `defs.yaml`", where=lines.where(("type",)), hint=hint)
    return value, lines
