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
OURS_ALONE: Final = frozenset({"IsolationWarning", "Session", "session", "load_ipython_extension", "unload_ipython_extension"})


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
    if inside:
        hint = f"from ipy_orch import {one.name or '...'}"
        raise DagsterInvalidDefinitionError(f"`{one.module}` is inside ipy_orch, and dagster has no such module", where=where, hint=hint)
    if one.name in OURS_ALONE:
        raise refused(one.name, where)
    return replace(one, module="dagster")


def refused(name: str, where: str) -> DagsterInvalidDefinitionError:
    """Return the error for a name that only ipy_orch has."""
    told = f"dagster has no `{name}`"
    return DagsterInvalidDefinitionError(told, where=where, hint="leave it out of what is exported, or export for ipy_orch")


def renamed(text: str, modules: Iterable[str], where: str) -> str:
    """Return code in which ``ipy_orch.asset`` has become ``dagster.asset``.

    Args:
        modules: the names under which ipy_orch itself was imported.

    Raises:
        DagsterInvalidDefinitionError: when dagster doesn't have what is read from it.
    """
    names = set(modules)
    lines = text.encode().split(b"\n")
    for node in sorted(names_of_module(ast.parse(text), names, where), key=lambda n: (n.lineno, -n.col_offset)):
        line, start = lines[node.lineno - 1], node.col_offset
        lines[node.lineno - 1] = line[:start] + b"dagster" + line[start + len(node.id) :]
    return b"\n".join(lines).decode()


def names_of_module(tree: ast.Module, names: set[str], where: str) -> Iterator[ast.Name]:
    """Yield the places where ``ipy_orch`` is named by its own name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in names and node.attr in OURS_ALONE:
            raise refused(node.attr, where)
        if isinstance(node, ast.Name) and node.id == "ipy_orch" and node.id in names:
            yield node


# -- text --------------------------------------------------------------------------------------------------------------


def import_block(imports: Iterable[Import]) -> str:
    """Return the imports as text, in the order of ruff: future, standard library, the others.

    >>> print(import_block([Import("pandas", "", "pd"), Import("os"), Import("dagster", "asset"), Import("dagster", "Out")]))
    import os
    <BLANKLINE>
    import pandas as pd
    from dagster import Out, asset
    """
    sections: dict[int, list[str]] = {}
    ranked = sorted(set(imports), key=lambda one: (one.order, one.alias))
    together: dict[str, list[str]] = {}
    for one in ranked:
        if one.name and not one.alias:
            together.setdefault(one.module, []).append(one.name)
    for one in ranked:
        if one.name and not one.alias:
            if names := together.pop(one.module, None):
                sections.setdefault(section(one.module), []).append(from_import(one.module, names))
        else:
            sections.setdefault(section(one.module), []).append(single(one))
    return "\n\n".join("\n".join(lines) for _, lines in sorted(sections.items()))


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
