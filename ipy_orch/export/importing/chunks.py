"""The statements of a definitions module, each with all comments above it; what only gathers definitions goes."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.deployments import deployments_in
from ipy_orch.export.environment_cells import called as environment_text
from ipy_orch.export.files import OURS
from ipy_orch.export.formatting import formatted
from ipy_orch.export.importing.framework import from_dagster, from_dagster_text, refuse_missing
from ipy_orch.export.importing.sources import SourceFile, Sources, absolute
from ipy_orch.export.imports import Import, import_of
from ipy_orch.export.marks import Mark, digest_of, name_of, read_footer, without_footer
from ipy_orch.export.package import names_in
from ipy_orch.export.reading.modules import public_names
from ipy_orch.export.statements import Statement, statements_of
from ipy_orch.session.cellbook import Cell

__all__ = ["Chunk", "Module", "needs", "read_module"]

LISTS: Final = ("assets", "asset_checks", "jobs", "schedules", "sensors")
NAMED: Final = ("resources", "loggers")


@dataclass(frozen=True, eq=False)
class Chunk:
    """Be a statement of a module.

    Args:
        text: with all comments above it.
        digest: of what an export wrote, "" for what no export writes.
        number: its place among all.
    """

    name: str
    text: str
    statement: Statement
    digest: str = ""
    number: int = 0

    @property
    def binds(self) -> frozenset[str]:
        """Return the names that it binds."""
        return self.statement.binds

    @property
    def reads(self) -> frozenset[str]:
        """Return the names that it reads, now or when it is called."""
        return frozenset({*self.statement.reads, *self.statement.late, *self.statement.quoted})

    @property
    def is_block(self) -> bool:
        """Tell whether it is a function or class."""
        return self.statement.is_block


@dataclass
class Module:
    """Be a definitions module as a notebook will hold it.

    Args:
        imports: as they are for ipy_orch.
        above: comments above the imports.
        marks: the cells that it is from, where an export wrote it.
        is_ours: whether an export wrote it.
        environments: variable of a module -> the environment whose resources it holds.
    """

    title: str
    docstring: str = ""
    imports: list[Import] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    is_ours: bool = False
    target: str = "ipy_orch"
    warnings: list[str] = field(default_factory=list)
    environments: dict[str, str] = field(default_factory=dict)

    def in_notebook(self, one: Chunk) -> str:
        """Return a statement as a notebook has it: the resources of an environment as the call that makes it."""
        name = self.environments.get(one.name)
        return one.text if name is None else environment_text(one.text, name)


def read_module(sources: Sources) -> Module:
    """Return a definitions module.

    Raises:
        DagsterInvalidDefinitionError: for what a notebook can't hold: two files with different things of one name.
    """
    made = Module(sources.title)
    made.is_ours = sources.entry.text.startswith(OURS)
    made.docstring = ast.get_docstring(sources.entry.tree) or ""
    makers: dict[str, SourceFile] = {}
    for file in sources.files:
        made.marks += read_footer(file.text)
        read_file(file, sources, made, makers)
    made.chunks = [replace(one, number=number) for number, one in enumerate(made.chunks)]
    made.imports += [Import("ipy_orch")] if made.environments else []
    needed = {name for one in made.chunks for name in names_in(made.in_notebook(one))}
    made.imports = spelled_out(made.imports, needed)
    made.imports = [one for one in dict.fromkeys(made.imports) if is_needed(one, needed)]
    return made


def read_file(file: SourceFile, sources: Sources, made: Module, makers: dict[str, SourceFile]) -> None:
    """Add the statements of a file to a module."""
    code = without_footer(file.text)
    tree = ast.parse(code)
    aliases = [
        one.asname or one.name
        for n in ast.walk(tree)
        if isinstance(n, ast.Import)
        for one in n.names
        if one.name == "dagster"
    ]
    refuse_missing(tree, aliases, f"`{file.path.name}`")
    if any(getattr(n, "module", "") == "dagster" for n in tree.body) or aliases:
        made.target = "dagster"
    first = 1 if ast.get_docstring(tree) is not None else 0
    statements = statements_of(Cell("", 0, code))[first:]
    lines = code.splitlines()
    end = tree.body[0].end_lineno or 0 if first else 0
    for one in statements:
        if one.is_import:
            made.above += comments_in(lines[end : one.lines[0] - 1])
            add_import(one, file, sources, made)
        elif file.text.startswith(OURS) and (said := deployments_in(one.node)) is not None:
            made.environments |= said
        elif is_definitions(one.node):
            made.chunks += unlisted(one.node, code, made)
        else:
            made.chunks.append(chunk(one, lines, end))
            refuse_second(one, file, makers)
        end = one.lines[1]


def comments_in(lines: Iterable[str]) -> list[str]:
    """Return the comments of some lines, but for the one that says that an export wrote them."""
    return [line.rstrip() for line in lines if line.startswith("#") and not line.startswith(OURS)]


def chunk(one: Statement, lines: Sequence[str], after: int) -> Chunk:
    """Return a statement with all comments between it and the one before."""
    above = one.text.count("\n") - (one.lines[1] - one.lines[0])
    rest = [line.rstrip() for line in lines[after : one.lines[0] - 1 - above]]
    while rest and not rest[0].startswith("#"):
        rest.pop(0)
    text = "\n".join([*rest, one.text]) if rest else one.text
    name = name_of(one.node, one.binds, one.changes)
    return Chunk(name, from_dagster_text(text), one, digest_of(one.text))


def add_import(one: Statement, file: SourceFile, sources: Sources, made: Module) -> None:
    """Add an import to a module, unless it is of another of its files.

    Raises:
        DagsterInvalidDefinitionError: for a name that another file has under another name.
    """
    node = one.node
    home = absolute(node, file) if isinstance(node, ast.ImportFrom) else import_of(node).module
    said = import_of(node)
    if not sources.is_inside(home):
        made.imports.append(from_dagster(replace(said, module=home) if isinstance(node, ast.ImportFrom) else said))
    elif said.alias and said.alias != said.name:
        where = f"`{file.path.name}`, line {one.lines[0]}"
        told = f"`{said.name}` of the package is called `{said.alias}` here, and a notebook has one name for it"
        raise DagsterInvalidDefinitionError(told, where=where, hint=f"import it as `{said.name}`")


def spelled_out(imports: Iterable[Import], needed: Collection[str]) -> list[Import]:
    """Return imports with the names that are needed in the place of ``*``, which stays where nobody knows the names."""
    found: list[Import] = []
    for one in imports:
        names = public_names(one.module) if one.name == "*" else []
        found += [replace(one, name=name) for name in names if name in needed] if names else [one]
    return found


def is_needed(one: Import, needed: Collection[str]) -> bool:
    """Tell whether a notebook needs an import."""
    return one.bound in needed or one.name == "*" or one.module == "__future__"


def refuse_second(one: Statement, file: SourceFile, makers: dict[str, SourceFile]) -> None:
    """Refuse a name that two files bind.

    Raises:
        DagsterInvalidDefinitionError: with both.
    """
    for name in sorted(one.binds):
        if makers.setdefault(name, file) is not file:
            where = f"`{makers[name].path.name}` and `{file.path.name}`"
            told = f"two files define `{name}`, and a notebook has one of each name"
            raise DagsterInvalidDefinitionError(told, where=where, hint=f"call one of them `{name}_2`")


# -- Definitions(...) --------------------------------------------------------------------------------------------------


def is_definitions(node: ast.stmt) -> bool:
    """Tell whether a statement only gathers the definitions: ``defs = Definitions(...)``, or a function that does."""
    if isinstance(node, ast.FunctionDef):
        return any(called(one) == "definitions" for one in node.decorator_list)
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return isinstance(value, ast.Call) and (called(value) in ("Definitions", *LOADING) or is_merge(value))


LOADING: Final = ("load_from_defs_folder", "load_defs", "load_definitions_from_module", "load_definitions_from_modules")


def is_merge(node: ast.Call) -> bool:
    """Tell whether a call is ``Definitions.merge(...)``."""
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "merge"
        and called_name(node.func.value) == "Definitions"
    )


def called(node: ast.expr) -> str:
    """Return the last name of what is called, or of a decorator without a call."""
    return called_name(node.func if isinstance(node, ast.Call) else node)


def called_name(node: ast.expr) -> str:
    """Return the last name of ``a.b``."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def unlisted(node: ast.stmt, code: str, made: Module) -> Iterator[Chunk]:
    """Yield what ``Definitions(...)`` makes itself as statements of its own: a notebook has it in variables."""
    for call in (one for one in ast.walk(node) if isinstance(one, ast.Call) and called(one) == "Definitions"):
        for word in call.keywords:
            if word.arg in NAMED and isinstance(word.value, ast.Dict):
                yield from named(word.value, code)
            elif word.arg in LISTS:
                yield from listed(word.value, word.arg, code)
            elif word.arg in ("executor", "component_tree", "metadata"):
                made.warnings.append(f"`Definitions({word.arg}=...)` has no place in a notebook, and is left out")
        if call.args:
            yield from listed(call.args[0], "assets", code)


def named(node: ast.Dict, code: str) -> Iterator[Chunk]:
    """Yield the resources that aren't in variables of their names."""
    for key, value in zip(node.keys, node.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) else None
        if isinstance(name, str) and not (isinstance(value, ast.Name) and value.id == name):
            yield made_of(f"{name} = {as_written(value, code)}")


def listed(node: ast.expr, kind: str, code: str) -> Iterator[Chunk]:
    """Yield the definitions that a list makes itself."""
    for one in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
        if isinstance(one, ast.Call) and not called(one).startswith("load_"):
            said = [arg.value for arg in (*one.args, *(w.value for w in one.keywords)) if isinstance(arg, ast.Constant)]
            stem = next((str(arg) for arg in said if str(arg).isidentifier()), kind.removesuffix("s"))
            name = stem if called(one) == "define_asset_job" else f"{stem}_{called(one).lower().removeprefix('asset')}"
            yield made_of(f"{name} = {as_written(one, code)}")


def as_written(node: ast.expr, code: str) -> str:
    """Return the text of an expression; one of several lines stands elsewhere now, and is laid out anew."""
    text = ast.get_source_segment(code, node) or ast.unparse(node)
    return text if "\n" not in text else formatted(ast.unparse(node)).strip()


def made_of(text: str) -> Chunk:
    """Return a statement that the module itself doesn't hold."""
    one = statements_of(Cell("", 0, text))[0]
    return Chunk(name_of(one.node, one.binds, one.changes), text, one)


def needs(chunks: Sequence[Chunk]) -> Mapping[Chunk, list[Chunk]]:
    """Return what each statement needs: what binds or changes the names that it reads, and changes above it."""
    about: dict[str, list[Chunk]] = {}
    for one in chunks:
        for name in one.binds | one.statement.changes:
            about.setdefault(name, []).append(one)
    found: dict[Chunk, list[Chunk]] = {}
    for one in chunks:
        names = sorted(one.reads | one.statement.changes | one.binds)
        makers = {
            m.number: m
            for name in names
            for m in about.get(name, ())
            if m is not one and (name in one.reads or m.number < one.number)
        }
        found[one] = [makers[number] for number in sorted(makers)]
    return found
