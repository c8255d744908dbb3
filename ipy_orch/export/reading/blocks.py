"""Statements, read one after the other: what they bind is bound, what they would do to the world is not done."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ipy_orch.authoring.cells.free_names import free_names
from ipy_orch.export.reading.expressions import assign, evaluate, is_known_bool, operated
from ipy_orch.export.reading.frames import Frame
from ipy_orch.export.reading.functions import annotation, class_of, function_of
from ipy_orch.export.reading.modules import bind_import, bind_import_from
from ipy_orch.export.reading.unknown import Unknown, Untold
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.resources.resource import ConfigurableResourceFactory

__all__ = ["Returned", "run"]

DEFINITIONS: Final = (AssetsDefinition, Definitions, JobDefinition, ConfigurableResourceFactory)


class Returned(Exception):
    """End a body with a value."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Left(Exception):
    """End a turn of a loop, or the loop.

    Args:
        loop: whether it is the loop.
    """

    def __init__(self, *, loop: bool) -> None:
        super().__init__()
        self.loop = loop


class Raised(Exception):
    """Tell that the text raises an exception."""


def run(body: Iterable[ast.stmt], frame: Frame) -> None:
    """Read statements.

    Raises:
        Returned: at ``return``.
        Untold: when what is defined depends on an unknown value.
        Exception: what a definition raises.
    """
    for node in body:
        frame.world.step()
        rule = RULES.get(type(node))
        if rule is not None:
            rule(node, frame)
        else:
            forget(node, frame)


def forget(node: ast.stmt, frame: Frame) -> None:
    """Make what a statement binds unknown."""
    for name in free_names([node]).bound:
        frame.set(name, Unknown(name))


# -- binding -----------------------------------------------------------------------------------------------------------


def assignment(node: ast.Assign, frame: Frame) -> None:
    """Read ``a = b = c``."""
    value = evaluate(node.value, frame)
    for target in node.targets:
        assign(target, value, frame)


def annotated(node: ast.AnnAssign, frame: Frame) -> None:
    """Read ``a: b = c``."""
    if frame.is_class and isinstance(node.target, ast.Name):
        frame.names["__annotations__"][node.target.id] = annotation(node.annotation, frame)
    if node.value is not None:
        assign(node.target, evaluate(node.value, frame), frame)


def augmented(node: ast.AugAssign, frame: Frame) -> None:
    """Read ``a += b``; a container is changed where it is."""
    target: Any = ast.copy_location(ast.parse(ast.unparse(node.target), mode="eval").body, node.target)
    value, more = evaluate(target, frame), evaluate(node.value, frame)
    if isinstance(value, list) and isinstance(node.op, ast.Add) and isinstance(more, list | tuple):
        value.extend(more)
    elif isinstance(value, dict) and isinstance(node.op, ast.BitOr) and isinstance(more, dict):
        value.update(more)
    else:
        assign(node.target, operated(node.op, value, more, node), frame)


def expression(node: ast.Expr, frame: Frame) -> None:
    """Read an expression that stands alone: it may change something."""
    evaluate(node.value, frame)


def deletion(node: ast.Delete, frame: Frame) -> None:
    """Read ``del a``."""
    for one in node.targets:
        if isinstance(one, ast.Name):
            frame.names.pop(one.id, None)


def declaration(node: ast.Global | ast.Nonlocal, frame: Frame) -> None:
    """Read ``global a``."""
    for name in node.names:
        frame.declare(name, is_global=isinstance(node, ast.Global))


# -- branches ----------------------------------------------------------------------------------------------------------


def condition(node: ast.If, frame: Frame) -> None:
    """Read ``if``; where the condition is unknown, both ways are read, and what differs is unknown.

    Raises:
        Untold: when something is defined in one of them only.
    """
    holds = is_known_bool(node.test, frame)
    if holds is not None:
        run(node.body if holds else node.orelse, frame)
        return
    ways = [branch(one, frame) for one in (node.body, node.orelse)]
    for name in sorted({*ways[0], *ways[1]}):
        one, other = (way.get(name, MISSING) for way in ways)
        if one is other:
            frame.set(name, one)
            continue
        if isinstance(one, DEFINITIONS) or isinstance(other, DEFINITIONS):
            told = f"what `{name}` is depends on `{ast.unparse(node.test)}`, which only running the notebook tells"
            raise Untold(told, node.lineno)
        frame.set(name, Unknown(name))


MISSING: Final = object()


def branch(body: Iterable[ast.stmt], frame: Frame) -> Mapping[str, Any]:
    """Return what one way binds, and bind nothing."""
    before = dict(frame.names)
    try:
        run(body, frame)
        return {name: value for name, value in frame.names.items() if before.get(name, MISSING) is not value}
    except (Raised, Returned, Left):
        return {}
    finally:
        for name in {*frame.names} - {*before}:
            del frame.names[name]
        frame.names.update(before)


def attempt(node: ast.Try | ast.TryStar, frame: Frame) -> None:
    """Read ``try``: as if nothing failed, unless something does that is known to."""
    try:
        run([*node.body, *node.orelse], frame)
    except (Untold, Returned, Left):
        raise
    except Exception as error:  # noqa: BLE001 - the text's own
        handler = next((one for one in node.handlers if handles(one, error, frame)), None)
        if handler is None:
            forget(node, frame)
        else:
            run(handler.body, frame)
    run(node.finalbody, frame)


def handles(node: ast.ExceptHandler, error: Exception, frame: Frame) -> bool:
    """Tell whether a handler is for an exception."""
    if node.type is None:
        return True
    kinds = evaluate(node.type, frame)
    found = kinds if isinstance(kinds, tuple) else (kinds,)
    return any(isinstance(one, type) and isinstance(error, one) for one in found)


def raising(node: ast.Raise, frame: Frame) -> None:
    """Read ``raise``.

    Raises:
        Exception: the one that the text makes, where it is known.
    """
    error = evaluate(node.exc, frame) if node.exc is not None else None
    if isinstance(error, type) and issubclass(error, Exception):
        error = error()
    raise error if isinstance(error, Exception) else Raised(ast.unparse(node))


# -- loops and blocks --------------------------------------------------------------------------------------------------


def loop(node: ast.For, frame: Frame) -> None:
    """Read ``for``."""
    values = evaluate(node.iter, frame)
    if isinstance(values, Unknown):
        forget(node, frame)
        return
    for value in values:
        assign(node.target, value, frame)
        if not turn(node.body, frame):
            return
    run(node.orelse, frame)


def while_loop(node: ast.While, frame: Frame) -> None:
    """Read ``while``."""
    while (holds := is_known_bool(node.test, frame)) is not None:
        if not holds:
            run(node.orelse, frame)
            return
        if not turn(node.body, frame):
            return
    forget(node, frame)


def turn(body: Iterable[ast.stmt], frame: Frame) -> bool:
    """Read one turn of a loop, and tell whether there may be another."""
    try:
        run(body, frame)
    except Left as left:
        return not left.loop
    return True


def leaving(node: ast.Break | ast.Continue, _: Frame) -> None:
    """Read ``break`` and ``continue``."""
    raise Left(loop=isinstance(node, ast.Break))


def block(node: ast.With | ast.AsyncWith, frame: Frame) -> None:
    """Read ``with``: what it opens is never opened."""
    for one in node.items:
        if one.optional_vars is not None:
            assign(one.optional_vars, Unknown(ast.unparse(one.context_expr)), frame)
    run(node.body, frame)


def returning(node: ast.Return, frame: Frame) -> None:
    """Read ``return``."""
    raise Returned(evaluate(node.value, frame) if node.value is not None else None)


RULES: Final[Mapping[type[ast.stmt], Callable[[Any, Frame], None]]] = {
    ast.Assign: assignment,
    ast.AnnAssign: annotated,
    ast.AugAssign: augmented,
    ast.Delete: deletion,
    ast.Global: declaration,
    ast.Nonlocal: declaration,
    ast.Expr: expression,
    ast.FunctionDef: lambda node, frame: frame.set(node.name, function_of(node, frame)),
    ast.AsyncFunctionDef: lambda node, frame: frame.set(node.name, function_of(node, frame)),
    ast.ClassDef: lambda node, frame: frame.set(node.name, class_of(node, frame)),
    ast.If: condition,
    ast.Try: attempt,
    ast.TryStar: attempt,
    ast.Raise: raising,
    ast.For: loop,
    ast.While: while_loop,
    ast.Break: leaving,
    ast.Continue: leaving,
    ast.With: block,
    ast.AsyncWith: block,
    ast.Return: returning,
    ast.Import: bind_import,
    ast.ImportFrom: bind_import_from,
    ast.Pass: lambda *_: None,
    ast.Assert: lambda *_: None,
}
