"""Ops of cells: what their free names may be, and what is refused because an op can't do it."""

from __future__ import annotations

import builtins
from typing import Any

from ipy_orch.authoring.cells.cells import CellText
from ipy_orch.authoring.cells.ops import define, function_of, parameters, takes_context
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.ops import OpDefinition
from ipy_orch.planning.code.fingerprint import attach_tree
from ipy_orch.session.scan import CONFIG, CONTEXT, Scanned

__all__ = ["op_of_cell", "undefined"]


def op_of_cell(source: CellText, scanned: Scanned, namespace: dict[str, Any], filename: str) -> OpDefinition:
    """Return the op of a cell.

    Raises:
        DagsterInvalidDefinitionError: for a free name that can't be what the body takes it for, with what to type.
        Exception: what annotations and defaults raise.
    """
    refuse_name(source, scanned)
    for name, line in free(source).items():
        refuse_free(source, name, f"{source.where}, line {line}", scanned, namespace)
    refuse_assigned(source, namespace)
    function, tree = function_of(source, namespace, filename)
    attach_tree(function, tree)
    return define(source, function)


def free(source: CellText) -> dict[str, int]:
    """Return the free names of the body that aren't parameters."""
    given = parameters(source)
    return {name: line for name, line in source.names.free.items() if name not in given}


def refuse_name(source: CellText, scanned: Scanned) -> None:
    """Refuse an op that is named like an asset, whose variable it would take.

    Raises:
        DagsterInvalidDefinitionError: with another name.
    """
    if source.name in scanned.names:
        told = f"`{source.name}` is an asset, and an op can't have its name"
        raise DagsterInvalidDefinitionError(told, where=source.where, hint=f"call it `{source.name}_op`")


def refuse_free(source: CellText, name: str, where: str, scanned: Scanned, namespace: dict[str, Any]) -> None:
    """Refuse a name that in an asset's cell would be an input, a resource or the config: an op has parameters.

    Raises:
        DagsterInvalidDefinitionError: with the line to type.
    """
    if name in scanned.names:
        told = f"op `{source.name}` reads the asset `{name}`, and an op gets what it reads from the job that calls it"
        raise DagsterInvalidDefinitionError(told, where=where, hint=with_parameter(source, name))
    if name in scanned.resources:
        kind = type(scanned.resources[name]).__name__
        told = f"op `{source.name}` reads the resource `{name}`, which isn't among its parameters"
        raise DagsterInvalidDefinitionError(told, where=where, hint=with_parameter(source, f"{name}: {kind}"))
    if name == CONFIG and CONFIG not in namespace:
        told = f"op `{source.name}` reads `config`, and its parameters don't say of which class"
        raise DagsterInvalidDefinitionError(told, where=where, hint=with_parameter(source, "config: MyConfig"))


def refuse_assigned(source: CellText, namespace: dict[str, Any]) -> None:
    """Refuse a name that is read from the notebook and then assigned, which a function can't do.

    Raises:
        DagsterInvalidDefinitionError: with the line.
    """
    given = {*parameters(source), *([CONTEXT] if takes_context(source, namespace) else [])}
    for name, line in source.names.read.items():
        if name in source.names.bound and name not in given:
            raise DagsterInvalidDefinitionError(
                f"`{name}` is read from the notebook and then assigned, which a function can't do",
                where=f"{source.where}, line {line}",
                hint=with_parameter(source, name)
                if name not in namespace
                else f"give the new one another name, `{name}_2`",
            )


def with_parameter(source: CellText, parameter: str) -> str:
    """Return the first line of a cell with one more parameter."""
    inside, bracket, rest = (
        source.signature.rpartition(")") if "->" not in source.signature else split(source.signature)
    )
    given = inside.removeprefix("(").strip().rstrip(",")
    return f"%%op {source.name}({f'{given}, ' if given else ''}{parameter}{bracket}{rest}"


def split(signature: str) -> tuple[str, str, str]:
    """Return what stands in the brackets of a signature, and what is behind them."""
    inside, _, returned = signature.rpartition("->")
    return inside.strip().removesuffix(")"), ")", f" ->{returned}"


def undefined(source: CellText, namespace: dict[str, Any]) -> list[str]:
    """Return a notice for each free name that nothing defines yet: most likely it is meant as an input."""
    found = [name for name in free(source) if name not in namespace and not hasattr(builtins, name)]
    added = CONTEXT if takes_context(source, namespace) else ""
    return [
        f"nothing defines `{name}` yet; as an input it is a parameter: `{with_parameter(source, name)}`"
        for name in found
        if name != added
    ]
