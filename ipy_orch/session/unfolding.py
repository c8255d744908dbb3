"""The code of a cell with that under ``%%time``, ``exec`` and the like in its place, to find names in; it isn't run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from ipy_orch.authoring.cells.free_names import free_names

__all__ = ["unfolded"]

WORDS: Final = ("get_ipython", "exec", "globals")
RUNNING: Final = frozenset({"capture", "debug", "prun", "time"})  #: magics whose code runs in the namespace
READING: Final = frozenset({"memit", "timeit"})  #: and those whose code only reads it
_FILLED: Final = re.compile(r"\{([^{}]+)\}|\$([^\W\d]\w*)")
_KEPT: Final = re.compile(r"--(?:out|err|proc)[ =]+(\w+)")


def unfolded(text: str) -> ast.Module:
    """Return the tree of a cell as IPython would run it.

    Raises:
        SyntaxError: where it isn't Python.

    >>> ast.unparse(unfolded("get_ipython().run_cell_magic('time', '', 'a = b')"))
    'a = b'
    >>> ast.unparse(unfolded("a = get_ipython().getoutput('ls {b}')"))
    'a = (b,)'
    """
    tree = ast.parse(text)
    return Unfolder().visit(tree) if any(word in text for word in WORDS) else tree


class Unfolder(ast.NodeTransformer):
    """Put code in the place of calls that run it, and names in the place of items of ``globals()``."""

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Put the statements that a call runs in its place."""
        match node.value:
            case ast.Call(func=ast.Name("exec"), args=[ast.Constant(str(code))]):
                return python(code)
            case ast.Call(func=ast.Attribute(value=owner, attr="update"), args=[], keywords=said) if is_globals(owner):
                return [assigned(one.arg, self.visit(one.value)) for one in said if one.arg is not None]
            case ast.Call(func=ast.Attribute(value=owner), args=args) if is_shell(owner):
                return self.of_magic(node.value, args)
        return self.generic_visit(node)

    def of_magic(self, call: ast.Call, args: list[ast.expr]) -> list[ast.stmt]:
        """Return what a magic that is a statement does."""
        match getattr(call.func, "attr", ""), args:
            case "run_cell_magic", [ast.Constant(str(name)), ast.Constant(str(line)), ast.Constant(str(body))]:
                kept = line.split()[-1:] if name == "capture" and not line.endswith("-") else _KEPT.findall(line)
                bound = [assigned(one, ast.Constant(None)) for one in kept if one.isidentifier()]
                return [*(python(body) if name in RUNNING else self.reads(call)), *bound]
            case "run_line_magic", [ast.Constant(str(name)), ast.Constant(str(line)), *_] if name in RUNNING:
                return python(without_options(line))
        return self.reads(call)

    def reads(self, call: ast.Call) -> list[ast.stmt]:
        """Return a statement that reads what a call of IPython reads."""
        return [ast.Expr(self.visit_Call(call))]

    def visit_Call(self, node: ast.Call) -> Any:
        """Put the names that a magic or shell line reads in its place, where it is an expression."""
        if not isinstance(node.func, ast.Attribute) or not is_shell(node.func.value):
            return self.generic_visit(node)
        return ast.Tuple([ast.Name(name, ast.Load(), lineno=node.lineno) for name in names_read(node)], ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        """Put a name in the place of its item of ``globals()``."""
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if is_globals(node.value) and isinstance(name, str):
            return ast.copy_location(ast.Name(name, node.ctx), node)
        return self.generic_visit(node)


def python(code: str) -> list[ast.stmt]:
    """Return the statements of code that may have magics of its own, none where it isn't Python."""
    try:
        return unfolded(code).body
    except (SyntaxError, ValueError):
        from IPython.core.inputtransformer2 import TransformerManager

    try:
        return unfolded(TransformerManager().transform_cell(code)).body  # type: ignore[no-untyped-call]
    except (SyntaxError, ValueError):
        return []


def names_read(call: ast.Call) -> Iterator[str]:
    """Yield the names that a magic or shell line reads: those in its code, and those filled in by ``{name}``."""
    match getattr(call.func, "attr", ""), call.args:
        case "run_cell_magic", [ast.Constant(str(name)), _, ast.Constant(str(body))] if name in RUNNING | READING:
            yield from free_names(python(body)).free
        case "run_line_magic", [ast.Constant(str(name)), ast.Constant(str(line)), *_] if name in RUNNING | READING:
            yield from free_names(python(without_options(line))).free
        case (("run_line_magic" | "run_cell_magic"), [_, ast.Constant(str(line)), *_]):
            yield from filled_in(line)
        case (("system" | "getoutput"), [ast.Constant(str(line)), *_]):
            yield from filled_in(line)


def filled_in(line: str) -> Iterator[str]:
    """Yield the names that IPython reads to fill them into a line.

    >>> sorted(filled_in("echo {a + 1} $b '{print $1}'"))
    ['a', 'b']
    """
    for expression, name in _FILLED.findall(line):
        try:
            yield from free_names(ast.parse(expression.strip() or name)).read
        except SyntaxError:
            continue


def without_options(line: str) -> str:
    """Return the code of a line, without the options before it."""
    words = line.strip()
    while words.startswith("-") or not is_python(words):
        _, blank, words = words.partition(" ")
        if not blank:
            return ""
        words = words.lstrip()
    return words


def is_python(code: str) -> bool:
    """Tell whether code can be parsed."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def assigned(name: str, value: ast.expr) -> ast.stmt:
    """Return an assignment."""
    return ast.Assign([ast.Name(name, ast.Store(), lineno=1)], value)


def is_shell(node: ast.expr) -> bool:
    """Tell whether an expression is ``get_ipython()``."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "get_ipython"


def is_globals(node: ast.expr) -> bool:
    """Tell whether an expression is the notebook's variables: ``globals()``, or ``get_ipython().user_ns``."""
    if isinstance(node, ast.Attribute):
        return node.attr == "user_ns" and is_shell(node.value)
    return isinstance(node, ast.Call) and not node.args and getattr(node.func, "id", "") == "globals"
