"""A module for dagster as one for ipy_orch: the same code, with other imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.imports import Import
from ipy_orch.export.reading.modules import bound, public_names

__all__ = ["from_dagster", "from_dagster_text", "refuse_missing"]

# What says only that there are definitions: a notebook doesn't need it.
DROPPED = frozenset({"definitions", "load_from_defs_folder", "Definitions"})


def from_dagster(one: Import) -> Import:
    """Return an import of dagster as one of ipy_orch."""
    package, _, inside = one.module.partition(".")
    return (
        Import("ipy_orch", one.name, one.alias or ("dagster" if not one.name else ""))
        if package == "dagster" and not inside
        else one
    )


def from_dagster_text(text: str) -> str:
    """Return code in which imports inside functions are of ipy_orch."""
    lines = text.encode().split(b"\n")
    for node in sorted((n for n in ast.walk(ast.parse(text)) if is_of_dagster(n)), key=lambda n: -n.lineno):  # type: ignore[attr-defined]
        assert isinstance(node, ast.Import | ast.ImportFrom)
        line = lines[node.lineno - 1]
        start = line.index(b"dagster", node.col_offset)
        alias = b" as dagster" if isinstance(node, ast.Import) and node.names[0].asname is None else b""
        lines[node.lineno - 1] = line[:start] + b"ipy_orch" + alias + line[start + len(b"dagster") :]
    return b"\n".join(lines).decode()


def is_of_dagster(node: ast.AST) -> bool:
    """Tell whether a node imports dagster."""
    if isinstance(node, ast.Import):
        return any(one.name == "dagster" for one in node.names)
    return isinstance(node, ast.ImportFrom) and node.module == "dagster"


def refuse_missing(tree: ast.Module, aliases: Iterable[str], where: str) -> None:
    """Refuse a module that needs of dagster what ipy_orch doesn't have.

    Args:
        aliases: the names under which dagster itself was imported.

    Raises:
        DagsterInvalidDefinitionError: with the names.
    """
    missing = {(name, line) for name, line in used(tree, {*aliases}) if not has(name)}
    if missing:
        names = ", ".join(f"`{name}`" for name in sorted({name for name, _ in missing}))
        line = min(line for _, line in missing)
        told = f"ipy_orch has no {names}"
        raise DagsterInvalidDefinitionError(
            told, where=f"{where}, line {line}", hint="take out what needs it, or keep it in dagster"
        )


def has(name: str) -> bool:
    """Tell whether ipy_orch has what dagster calls so."""
    return name in DROPPED or name in sys.modules["ipy_orch"].__all__


def brought(tree: ast.Module) -> set[str]:
    """Return the names that code reads of those that ``from dagster import *`` brings, if dagster is installed."""
    read = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    return read.intersection(public_names("dagster")).difference(bound(tree))


def used(tree: ast.Module, aliases: set[str]) -> Iterator[tuple[str, int]]:
    """Yield the names of dagster that code uses, and where."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="dagster", names=[ast.alias("*")]):
                yield from ((name, node.lineno) for name in brought(tree))
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] == "dagster":
                inside = module.partition(".")[2]
                yield from ((f"{inside}.{one.name}" if inside else one.name, node.lineno) for one in node.names)
            case ast.Attribute(value=ast.Name(name), attr=attr) if name in aliases:
                yield attr, node.lineno
