"""Environments in cells: ``session().environment("prod", {...})`` as the assignment that a module has in its place.

A module has no session, so what a cell tells one is a dict in a variable there; which of them counts is chosen where
it is deployed.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from ipy_orch.authoring.cells.statements import last_name
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.bodies import lines_in_strings
from ipy_orch.export.imports import Import, import_of
from ipy_orch.export.statements import Place, Statement, statements_of
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.config.environments import DEFAULT, Environments

__all__ = ["Environment", "EnvironmentCells", "LeftOut", "called", "resources_in", "with_resources"]

VERBS: Final = ("environment", "use")
WORDS: Final = ("name", "resources")
NOT_ALONE: Final = "no statement of its own makes it"
UNSAID: Final = "its name is known only when a cell runs"
SPELLED: Final = "write `ipy_orch.session().environment({}, {{...}})` as a statement of its own"


@dataclass(frozen=True)
class Environment:
    """Be an environment that a module can have.

    Args:
        variable: that holds its resources there.
        keys: of these; None where only running the notebook tells.
        place: of the statement that makes it.
    """

    name: str
    variable: str
    keys: frozenset[str] | None
    place: Place


@dataclass(frozen=True)
class LeftOut:
    """Say why an environment isn't in a module.

    Args:
        name: "" where only running the notebook tells it.
    """

    name: str
    why: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        what = f"environment `{self.name}`" if self.name else "an environment"
        place = f" ({self.where})" if self.where else ""
        return f"{what} isn't in the module: {self.why}{place}" + (f"; {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Making:
    """Be a call that makes an environment.

    Args:
        on: what it is a method of.
        name: "" where only running the notebook tells.
    """

    on: ast.expr
    name: str
    resources: ast.expr


# -- text -> environments ----------------------------------------------------------------------------------------------


class EnvironmentCells:
    """Tell what the plain cells of a notebook say of environments.

    Args:
        known: those of the session; None where a notebook is only read.
    """

    def __init__(self, book: CellBook, known: Environments | None = None) -> None:
        self.book, self.known = book, known
        self.statements = [one for cell in book.plain() for one in statements_of(cell)]
        self.makers = {*makers_of(self.statements)}

    def read(self, cell: Cell) -> list[Statement]:
        """Return the statements of a cell as a module may have them."""
        return [self.written.get(one.place, one) for one in statements_of(cell)]

    @cached_property
    def plain(self) -> list[tuple[Statement, Making]]:
        """Return the statements that do nothing but make an environment."""
        found = ((one, self.making(one)) for one in self.statements)
        return [(one, made) for one, made in found if made is not None and self.is_there(made.name)]

    def making(self, one: Statement) -> Making | None:
        """Return the call that a statement is, None for any other statement."""
        made = making_of(one.node.value) if isinstance(one.node, ast.Expr) else None
        return made if made is not None and is_session(made.on, self.makers) and not trouble_of(made) else None

    def is_there(self, name: str) -> bool:
        """Tell whether the session has an environment of a name; where there's none, its cell says so."""
        return self.known is None or name in self.known.names

    @cached_property
    def written(self) -> dict[Place, Statement]:
        """Return the assignments in the place of statements that make environments."""
        return {one.place: assignment(one, self.variables[made.name]) for one, made in self.plain}

    @cached_property
    def variables(self) -> dict[str, str]:
        """Return environment -> the variable that a module has for it: one that no cell binds."""
        taken = {name for one in self.statements for name in one.binds}
        taken |= {cell.source.name for cell in self.book.sources() if cell.source is not None}
        found: dict[str, str] = {}
        for name in dict.fromkeys(made.name for _, made in self.plain):
            found[name] = f"{name.replace('-', '_')}_resources"
            while found[name] in taken:
                found[name] += "_"
            taken.add(found[name])
        return found

    @cached_property
    def found(self) -> list[Environment]:
        """Return the environments that statements of their own make, and no others make over."""
        others = {one.name for one in self.elsewhere}
        last = {made.name: (one.place, made) for one, made in self.plain}
        return [
            Environment(name, self.variables[name], keys_of(made.resources), place)
            for name, (place, made) in last.items()
            if name not in others
        ]

    @cached_property
    def left_out(self) -> list[LeftOut]:
        """Return the environments that a module can't have, as far as the cells tell."""
        told = {one.name for one in self.elsewhere}
        names = self.known.names[1:] if self.known is not None else ()
        unsaid = [name for name in names if name not in {*self.variables, *told}]
        return [*self.elsewhere, *(LeftOut(one, UNSAID, hint=spelled(one)) for one in unsaid)]

    @cached_property
    def elsewhere(self) -> list[LeftOut]:
        """Return what is made inside other statements, or of a name that only running tells."""
        there = {one.place for one, _ in self.plain}
        found = [
            LeftOut(made.name, trouble_of(made) or NOT_ALONE, f"{one.label}, line {line}", spelled(made.name))
            for one in self.statements
            if one.place not in there
            for line, made in makings_in(one, self.makers)
        ]
        return [*{one.name: one for one in found if self.known is None or one.name in self.known.names[1:]}.values()]

    @cached_property
    def in_use(self) -> str:
        """Return the environment that is in use, or would be when all cells have run."""
        if self.known is not None:
            return self.known.current
        return next(filter(None, (used_by(one, self.makers) for one in reversed(self.statements))), DEFAULT)


def spelled(name: str) -> str:
    """Return how an environment is made so that a module can have it."""
    return SPELLED.format(f'"{name}"' if name else "NAME")


def trouble_of(made: Making) -> str:
    """Return what is wrong with the name of an environment, "" for nothing."""
    try:
        Environments().define(made.name or "NAME", {})
    except DagsterInvalidDefinitionError as error:
        return error.message
    return "" if made.name else UNSAID


def makers_of(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield how cells name the session: ``session()``, and variables that hold it."""
    yield "session()"
    for one in statements:
        match one.node:
            case ast.ImportFrom() if (said := import_of(one.node)) == Import("ipy_orch", "session", said.alias):
                yield f"{said.bound}()"
            case ast.Assign(targets=[ast.Name(name)], value=ast.Call(func=func)) if last_name(func) == "session":
                yield name


def is_session(node: ast.expr, makers: Collection[str]) -> bool:
    """Tell whether an expression is the session of the notebook."""
    return (f"{last_name(node.func)}()" if isinstance(node, ast.Call) else last_name(node)) in makers


def making_of(node: ast.AST) -> Making | None:
    """Return what a call of ``environment`` or ``use`` makes, None for what makes no environment.

    >>> making_of(ast.parse("session().environment('prod', {})", mode="eval").body).name
    'prod'
    """
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS):
        return None
    given = dict(zip(WORDS, node.args, strict=False)) | {str(one.arg): one.value for one in node.keywords}
    name, resources = given.get("name"), given.get("resources")
    if name is None or resources is None or is_none(resources):
        return None
    said = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    return Making(node.func.value, said, resources)


def is_none(node: ast.expr) -> bool:
    """Tell whether an expression is ``None``."""
    return isinstance(node, ast.Constant) and node.value is None


def makings_in(one: Statement, makers: Collection[str]) -> Iterator[tuple[int, Making]]:
    """Yield what makes environments anywhere in a statement, and the line."""
    for node in ast.walk(one.node):
        made = making_of(node)
        if made is not None and (is_session(made.on, makers) or isinstance(made.resources, ast.Dict)):
            yield getattr(node, "lineno", one.lines[0]), made


def used_by(one: Statement, makers: Collection[str]) -> str:
    """Return the environment to which a statement switches, "" for any other statement."""
    match one.node:
        case ast.Expr(
            ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant("use"), ast.Constant(str(name))])
        ):
            return name.strip()
        case ast.Expr(ast.Call(func=ast.Attribute(value=on, attr="use"), args=[ast.Constant(str(name)), *_])) if (
            is_session(on, makers)
        ):
            return name
    return ""


def keys_of(node: ast.expr) -> frozenset[str] | None:
    """Return the keys of a dict that is written out, None for what only running tells."""
    match node:
        case ast.Dict(keys=keys) if all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in keys):
            return frozenset(one.value for one in keys)  # type: ignore[union-attr]
        case ast.Call(func=ast.Name("dict"), args=[], keywords=words) if all(one.arg for one in words):
            return frozenset(str(one.arg) for one in words)
    return None


# -- environment -> assignment -----------------------------------------------------------------------------------------


def assignment(one: Statement, variable: str) -> Statement:
    """Return the assignment that a module has for a statement that makes an environment."""
    node = ast.parse(one.text).body[0]
    assert isinstance(node, ast.Expr)
    made = making_of(node.value)
    assert made is not None
    above = one.text.split("\n")[: node.lineno - 1]
    text = "\n".join([*above, f"{variable} = {alone(one.text, made.resources)}"])
    new = statements_of(Cell("", 0, text))[0]
    first = one.lines[0]
    lines = (first, first + new.lines[1] - new.lines[0])
    reads, late = (dict.fromkeys(names, first) for names in (new.reads, new.late))
    return replace(new, place=one.place, label=one.label, lines=lines, reads=reads, late=late, trouble_line=first)


def alone(text: str, node: ast.expr) -> str:
    r"""Return an expression of a text as it is written on its own.

    >>> text = "f(\n    1,\n    {\n        'a': 2,\n    },\n)"
    >>> alone(text, ast.parse(text).body[0].value.args[1])
    "{\n    'a': 2,\n}"
    """
    found = ast.get_source_segment(text, node) or ast.unparse(node)
    lines = found.split("\n")
    indent = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())]
    try:
        inside = lines_in_strings(f"_ = {found}")
        ast.parse(f"_ = {found}")
    except (SyntaxError, ValueError):
        return f"({found})"
    return "\n".join(one if n in inside else one.removeprefix(indent) for n, one in enumerate(lines, 1))


# -- and back ----------------------------------------------------------------------------------------------------------


def called(text: str, name: str) -> str:
    """Return the cell that makes an environment of an assignment.

    >>> called("prod_resources = {'n': 1}", "prod")
    "ipy_orch.session().environment('prod', {'n': 1})"
    """
    above, value = resources_in(text)
    return "\n".join([*above, f"ipy_orch.session().environment({name!r}, {value})"])


def resources_in(text: str) -> tuple[Sequence[str], str]:
    """Return the lines above an assignment, and what is assigned."""
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.Assign)
    return text.split("\n")[: node.lineno - 1], ast.get_source_segment(text, node.value) or ast.unparse(node.value)


def with_resources(text: str, name: str, value: str) -> str | None:
    """Return a cell with other resources in an environment that it makes; None where it doesn't make it."""
    for one in statements_of(Cell("", 0, text)):
        made = making_of(one.node.value) if isinstance(one.node, ast.Expr) else None
        if made is not None and made.name == name:
            return spliced(text, made.resources, value)
    return None


def spliced(text: str, node: ast.expr, new: str) -> str:
    """Return a text with another expression in the place of one."""
    lines = text.encode().split(b"\n")
    end = (node.end_lineno or node.lineno) - 1
    head, tail = lines[node.lineno - 1][: node.col_offset], lines[end][node.end_col_offset :]
    return b"\n".join([*lines[: node.lineno - 1], head + new.encode() + tail, *lines[end + 1 :]]).decode()
