"""A function as the cell that it was: the new body below the head of the cell, where that still says all the rest."""

from __future__ import annotations

import ast

from ipy_orch.authoring.cells.cells import head_of, read_cell
from ipy_orch.authoring.cells.statements import own_nodes
from ipy_orch.export.bodies import INDENT, lines_in_strings, verdict
from ipy_orch.export.descriptions import end_of_head

__all__ = ["as_cell_was"]


def as_cell_was(cell: str, old: str, new: str) -> str:
    r"""Return the cell with the body of the new function; "" where more than the body has changed.

    Args:
        cell: the cell of an asset.
        old: the function that the cell makes.
        new: the function that it is to make.

    >>> as_cell_was("#| asset: a\n1", "@asset\ndef a():\n    return 1", "@asset\ndef a():\n    return 2")
    '#| asset: a\n2'
    """
    lines = cell.split("\n")
    head = head_of(lines)
    one, other = function_in(old), function_in(new)
    if head is None or one is None or other is None or signature(one) != signature(other):
        return ""
    if head.kind in ("check", "asset_check") and not gives_result(cell):
        new = with_plain_verdict(new, other)
        other = function_in(new)
        assert other is not None
    body = body_of(new, other)
    return "\n".join([*lines[: head.end], body]) if body else ""


def gives_result(cell: str) -> bool:
    """Tell whether the cell of a check ends with a result, and not with a bool or a pair."""
    source = read_cell(cell)
    last = source.tree.body[-1] if source is not None and source.tree.body else None
    return isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and verdict(last.value) == "result"


def with_plain_verdict(text: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    r"""Return the function of a check with the verdict that its cell ends with, for the result that an export makes.

    >>> text = "def ok(a):\n    return AssetCheckResult(passed=bool(a > b), metadata={'n': a})"
    >>> print(with_plain_verdict(text, function_in(text)))
    def ok(a):
        return a > b, {'n': a}
    """
    last = node.body[-1]
    match last:
        case ast.Return(ast.Call(func=ast.Name("check_result"), args=[value])):
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
        case ast.Return(ast.Call(func=ast.Name("AssetCheckResult"), args=[], keywords=words)):
            said = {word.arg: word.value for word in words}
            if "passed" not in said or not said.keys() <= {"passed", "metadata", "severity"}:
                return text
            parts = [plain_bool(said["passed"]), *([said["metadata"]] if "metadata" in said else [])]
        case _:
            return text
    told = ", ".join(ast.get_source_segment(text, one) or ast.unparse(one) for one in parts)
    lines = text.encode().split(b"\n")
    head = lines[last.lineno - 1][: last.col_offset]
    rest = lines[(last.end_lineno or last.lineno) - 1][last.end_col_offset :]
    return b"\n".join(
        [*lines[: last.lineno - 1], head + f"return {told}".encode() + rest, *lines[last.end_lineno :]]
    ).decode()


def plain_bool(node: ast.expr) -> ast.expr:
    """Return what ``bool(...)`` is put around, else the expression itself."""
    match node:
        case ast.Call(func=ast.Name("bool"), args=[inner], keywords=[]):
            return inner
    return node


def function_in(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the only function of a text."""
    body = ast.parse(text).body
    return body[0] if len(body) == 1 and isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef) else None


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return all of a function but for its body."""
    return " ".join([*map(ast.unparse, node.decorator_list), node.name, ast.unparse(node.args)])


def body_of(text: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the body of a function as that of a cell: its value is the last line. "" where it can't be one."""
    last = node.body[-1]
    returns = [one for one in own_nodes(node.body) if isinstance(one, ast.Return)]
    if not isinstance(last, ast.Return) or last.value is None or returns != [last] or in_brackets(last, text):
        return ""
    first = end_of_head(text, node)
    if first >= node.body[0].lineno:
        return ""
    lines = text.encode().split(b"\n")
    line = lines[last.lineno - 1]
    lines[last.lineno - 1] = line[: last.col_offset] + line[last.value.col_offset :]
    inside = lines_in_strings(text)
    found = [one.decode() for one in lines]
    return "\n".join(
        one.removeprefix(INDENT) if number not in inside else one
        for number, one in enumerate(found, 1)
        if number > first
    ).rstrip()


def in_brackets(node: ast.Return, text: str) -> bool:
    """Tell whether there is more between ``return`` and the value than a blank: brackets, that the value begins in."""
    assert node.value is not None
    between = text.encode().split(b"\n")[node.lineno - 1][node.col_offset : node.value.col_offset]
    return node.value.lineno != node.lineno or between.strip() != b"return"
