"""The imports of an exported module: each once, only what is used, sorted, for ipy_orch or for dagster."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["OURS_ALONE", "Import", "Target", "for_dagster", "import_block", "import_of", "renamed"]

Target = Literal["ipy_orch", "dagster"]

# Public names of ipy_orch that dagster doesn't have.
OURS_ALONE: Final = frozenset(
    {
        *("CheckError", "DagsterAssetCheckFailedError", "DagsterInvalidMetadata", "IsolationWarning"),
        *("pandera_schema_to_dagster_type", "row_model_to_dagster_type"),
        *("DuckDBIOManager", "DuckDBPandasIOManager", "DuckDBPolarsIOManager", "ParquetIOManager"),
        *("Lineage", "session", "load_ipython_extension", "unload_ipython_extension"),
    }
)

# Component types that only ipy_orch has.
SHIPPED: Final = frozenset({"FileIngestionComponent", "NotebookFolderComponent", "SqlFolderComponent"})

# Packages beside dagster that have a class of the same name, with fields of their own.
ELSEWHERE: Final = {
    "DuckDBIOManager": "dagster-duckdb",
    "DuckDBPandasIOManager": "dagster-duckdb-pandas",
    "DuckDBPolarsIOManager": "dagster-duckdb-polars",
}


@dataclass(frozen=True)
class Import:
    """Be the import of one name.

    Args:
        module: where from.
        name: what, or "" for the module itself.
        alias: under which name, where that is another.
    """

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """Return the name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def order(self) -> tuple[int, bool, str, tuple[int, str]]:
        """Return what imports are sorted by."""
        return section(self.module), bool(self.name), self.module.lower(), member_order(self.name)


def import_of(node: ast.stmt) -> Import:
    """Return the import that a statement of one import is."""
    assert isinstance(node, ast.Import | ast.ImportFrom)
    alias = node.names[0]
    if isinstance(node, ast.Import):
        return Import(alias.name, "", alias.asname or "")
    return Import("." * node.level + (node.module or ""), alias.name, alias.asname or "")


def for_dagster(one: Import, where: str) -> Import:
    """Return the import of the same name from dagster.

    Raises:
        DagsterInvalidDefinitionError: when dagster doesn't have it.
    """
    package, _, inside = one.module.partition(".")
    if package != "ipy_orch":
        return one
    if inside == "components":
        if one.name in SHIPPED:
            told = f"the component type `{one.name}` comes with ipy_orch, and dagster has none like it"
            raise DagsterInvalidDefinitionError(
                told, where=where, hint="write its assets as cells, or export for ipy_orch"
            )
        return replace(one, module="dagster.components")
    if inside:
        hint = f"from ipy_orch import {one.name or '...'}"
        raise DagsterInvalidDefinitionError(
            f"`{one.module}` is inside ipy_orch, and dagster has no such module", where=where, hint=hint
        )
    if one.name in OURS_ALONE:
        raise refused(one.name, where)
    return replace(one, module="dagster")


def refused(name: str, where: str) -> DagsterInvalidDefinitionError:
    """Return the error for a name that only ipy_orch has."""
    told = f"dagster has no `{name}`"
    package = ELSEWHERE.get(name)
    instead = f"`{package}` has one, which isn't the same" if package else "leave it out of what is exported"
    return DagsterInvalidDefinitionError(told, where=where, hint=f"{instead}, or export for ipy_orch")


def renamed(text: str, aliases: Iterable[str], where: str) -> str:
    """Return code in which ``ipy_orch.asset`` has become ``dagster.asset``, and so in imports inside functions.

    Args:
        aliases: the names under which ipy_orch itself was imported.

    Raises:
        DagsterInvalidDefinitionError: when dagster doesn't have what is read from it.
    """
    lines = text.encode().split(b"\n")
    found = places_of_ours(ast.parse(text), {"ipy_orch", *aliases}, where)
    for line, column in sorted(found, reverse=True):
        start = lines[line - 1].index(b"ipy_orch", column)
        lines[line - 1] = lines[line - 1][:start] + b"dagster" + lines[line - 1][start + len("ipy_orch") :]
    return b"\n".join(lines).decode()


def places_of_ours(tree: ast.Module, names: set[str], where: str) -> Iterator[tuple[int, int]]:
    """Yield line and column of each place that names ``ipy_orch``."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(name), attr=attr) if name in names and attr in OURS_ALONE:
                raise refused(attr, where)
            case ast.Name("ipy_orch"):
                yield node.lineno, node.col_offset
            case ast.Import(names=[alias]) | ast.ImportFrom(names=[alias, *_]) if isinstance(
                node, ast.Import | ast.ImportFrom
            ):
                module = alias.name if isinstance(node, ast.Import) else node.module or ""
                if module.partition(".")[0] == "ipy_orch":
                    for one in node.names:
                        for_dagster(Import(module, "" if isinstance(node, ast.Import) else one.name), where)
                    yield node.lineno, node.col_offset


def is_ours(module: str, name: str, where: str) -> bool:
    """Tell whether an import is of ipy_orch.

    Raises:
        DagsterInvalidDefinitionError: when it is, and dagster doesn't have the name.
    """
    one = Import(module, name)
    return for_dagster(one, where) != one


# -- text --------------------------------------------------------------------------------------------------------------


def import_block(imports: Iterable[Import]) -> str:
    """Return the imports as text, in the order of ruff: future, standard library, the others.

    >>> print(import_block([Import("pandas", "", "pd"), Import("os"), Import("x", "f"), Import("x", "F")]))
    import os
    <BLANKLINE>
    import pandas as pd
    from x import F, f
    """
    sections: dict[int, list[str]] = {}
    ranked = sorted(set(imports), key=lambda one: (one.order, one.alias))
    together: dict[str, list[str]] = {}
    for one in ranked:
        if is_member(one):
            together.setdefault(one.module, []).append(one.name)
    for one in ranked:
        if is_member(one):
            if names := together.pop(one.module, None):
                sections.setdefault(section(one.module), []).append(from_import(one.module, names))
        else:
            sections.setdefault(section(one.module), []).append(single(one))
    return "\n\n".join("\n".join(lines) for _, lines in sorted(sections.items()))


def is_member(one: Import) -> bool:
    """Tell whether an import may stand in one line with others from its module."""
    return bool(one.name) and one.name != "*" and not one.alias


def single(one: Import) -> str:
    """Return an import that stands on its own line."""
    what = f"from {one.module} import {one.name}" if one.name else f"import {one.module}"
    return f"{what} as {one.alias}" if one.alias and one.alias != one.name else what


def from_import(module: str, names: list[str]) -> str:
    """Return the import of several names of one module."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 88:
        return line
    inner = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{inner})"


def section(module: str) -> int:
    """Return 0 for ``__future__``, 1 for the standard library, 2 for what is installed, 3 for relative imports."""
    top = module.partition(".")[0]
    if top == "__future__":
        return 0
    return 1 if top in sys.stdlib_module_names else 2 if top else 3


def member_order(name: str) -> tuple[int, str]:
    """Return what names of one module are sorted by: constants, classes, the others."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower()
