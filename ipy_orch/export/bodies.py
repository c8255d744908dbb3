"""The body of a cell as the body of a function: as it was written, moved to the right, its value returned."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Sequence
from typing import Final

from ipy_orch.authoring.cells.cells import CellText, value_rule
from ipy_orch.authoring.cells.statements import own_nodes
from ipy_orch.export.layout import call, laid_out

__all__ = ["CHECK_RESULT", "Verdict", "asset_body", "check_body", "checked_returns", "verdict"]

INDENT: Final = "    "
CHECK_RESULT: Final = "check_result"

Verdict = str
"""What a check's value is, by its looks: `result`, `pair`, `true` (a bool for certain), `bool`, or `unknown`."""


# -- assets ------------------------------------------------------------------------------------------------------------


def asset_body(source: CellText) -> str:
    """Return the body of an asset's function."""
    statements, _ = value_rule(source)
    tree = source.tree.body
    if len(statements) > len(tree):
        return moved(ended(source, len(tree), f"return {source.name}"), statements)
    written = ending(source)
    return moved(ended(source, len(tree) - 1, f"return {written}"), statements)


def ending(source: CellText) -> str:
    """Return the text of the trailing expression."""
    return ast.get_source_segment(source.body, source.tree.body[-1]) or ast.unparse(source.tree.body[-1])


def ended(source: CellText, count: int, last: str) -> str:
    """Return the text of a cell's first ``count`` statements, what is written between them, and another end."""
    lines = source.body.encode().split(b"\n")
    tree = source.tree.body
    if count == len(tree):
        text = source.body.rstrip()
        return f"{trimmed(text)}\n{last}" if text else last
    node = tree[count]
    top = b"\n".join([*lines[: node.lineno - 1], lines[node.lineno - 1][: node.col_offset]]).decode()
    end = node.end_lineno or node.lineno
    rest = lines[end - 1][node.end_col_offset or 0 :].decode().strip().removeprefix(";").strip()
    below = [f"  {rest}" if rest.startswith("#") else "", *(line.decode() for line in lines[end:])]
    head = top.rstrip(" \t")
    if head and not head.endswith("\n"):
        head = head.removesuffix(";").rstrip() + "\n"
    return trimmed(head + last + "\n".join(below))


def trimmed(text: str) -> str:
    """Return text without blank lines on top and at the end."""
    lines = [line.rstrip() if not line.strip() else line for line in text.split("\n")]
    return "\n".join(lines).strip("\n").rstrip()


def moved(text: str, expected: Sequence[ast.stmt]) -> str:
    """Return text moved to the right, or, where that would change what it means, written anew from its tree."""
    found = indented(text)
    if same(found, expected):
        return found
    return textwrap.indent("\n".join(ast.unparse(one) for one in expected), INDENT)


def same(body: str, expected: Sequence[ast.stmt]) -> bool:
    """Tell whether text is the body of a function of these statements, or of these and one more."""
    try:
        function = ast.parse(f"async def f():\n{body}").body[0]
    except SyntaxError:
        return False
    assert isinstance(function, ast.AsyncFunctionDef)
    return [*map(shape, function.body[: len(expected)])] == [*map(shape, expected)]


def shape(node: ast.stmt) -> str:
    """Return what a statement means; a text that stands alone counts without its indentation."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return ast.dump(node)


def indented(text: str) -> str:
    r"""Return code moved to the right; lines inside strings stay, but for those of the docstring.

    >>> print(indented("x = '''a\nb'''"))
        x = '''a
    b'''
    """
    inside = lines_in_strings(text)
    lines = text.split("\n")
    return "\n".join(INDENT + line if line.strip() and n not in inside else line for n, line in enumerate(lines, 1))


def lines_in_strings(text: str) -> set[int]:
    """Return the lines that begin inside a string, but for the docstring's."""
    found: set[int] = set()
    opened: list[int] = []
    first = True
    for token in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING" and not first:
            found |= set(range(token.start[0] + 1, token.end[0] + 1))
        elif kind == "FSTRING_START":
            opened.append(token.start[0])
        elif kind == "FSTRING_END":
            found |= set(range(opened.pop() + 1, token.end[0] + 1))
        first = first and kind in ("COMMENT", "NL", "NEWLINE", "ENCODING")
    return found


# -- checks ------------------------------------------------------------------------------------------------------------

# What these give is a bool, whatever they are called on.
BOOLEAN_CALLS: Final = frozenset({"all", "any", "bool", "callable", "hasattr", "isinstance", "issubclass"})
PLAIN_CALLS: Final = frozenset({"bool", "dict", "float", "int", "len", "list", "repr", "sorted", "str"})
BOOLEAN_METHODS: Final = frozenset(
    {
        *("all", "any", "endswith", "equals", "exists", "is_dir", "is_file"),
        *("isdisjoint", "issubset", "issuperset", "startswith"),
    }
)
BOOLEAN_ATTRIBUTES: Final = frozenset(
    {"empty", "hasnans", "is_monotonic_decreasing", "is_monotonic_increasing", "is_unique"}
)


def verdict(value: ast.expr, body: Sequence[ast.stmt] = ()) -> Verdict:  # noqa: PLR0911 - a table
    """Tell what a check's value is, as far as its looks tell.

    >>> [verdict(ast.parse(text, mode="eval").body) for text in ["len(a) > 0", "a.b == c.d", "(a > b, {})", "f(a)"]]
    ['true', 'bool', 'pair', 'unknown']
    """
    match value:
        case ast.Compare(ops=ops):
            certain = all(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in ops)
            return "true" if certain or all(map(is_number, [value.left, *value.comparators])) else "bool"
        case ast.Constant(value=bool()) | ast.UnaryOp(op=ast.Not()):
            return "true"
        case ast.BoolOp(values=values):
            return weakest([verdict(one, body) for one in values])
        case ast.IfExp(body=one, orelse=other):
            return weakest([verdict(one, body), verdict(other, body)])
        case ast.Tuple(elts=[_, _]) if not any(isinstance(one, ast.Starred) for one in value.elts):
            return "pair"
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)):
            return of_call(value, name)
        case ast.Attribute(attr=name) if name in BOOLEAN_ATTRIBUTES:
            return "bool"
        case ast.Name(name) if (assigned := only_assignment(name, body)) is not None:
            return verdict(assigned, ())
    return "unknown"


def of_call(node: ast.Call, name: str) -> Verdict:
    """Tell what a call gives."""
    if name in ("AssetCheckResult", CHECK_RESULT):
        return "result"
    if isinstance(node.func, ast.Name):
        return "true" if name in BOOLEAN_CALLS else "unknown"
    return "bool" if name in BOOLEAN_METHODS else "unknown"


def weakest(found: Sequence[Verdict]) -> Verdict:
    """Return what can be said of one value out of several."""
    return (
        next((one for one in ("unknown", "bool", "true") if one in found), "unknown")
        if {*found} <= {"true", "bool"}
        else "unknown"
    )


def is_number(node: ast.expr) -> bool:
    """Tell whether an expression is a plain number: a literal, or a length."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "len"
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def only_assignment(name: str, body: Sequence[ast.stmt]) -> ast.expr | None:
    """Return what a name is assigned, where that happens once and in any case."""
    stores = [n for n in own_nodes(body) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    given = [
        one.value for one in body if isinstance(one, ast.Assign) and len(one.targets) == 1 and one.targets[0] in stores
    ]
    return given[0] if len(given) == 1 and len(stores) == 1 else None


def check_body(source: CellText, severity: str) -> tuple[str, frozenset[str]]:
    """Return the body of a check's function, and the names of the framework that it uses.

    Args:
        severity: ``ERROR`` or ``WARN``: of a value that isn't an AssetCheckResult itself.
    """
    tree = source.tree.body
    last = tree[-1] if tree else None
    if isinstance(last, ast.Expr):
        count, value, text = len(tree) - 1, last.value, ending(source)
    else:
        value_rule(source)
        count, value, text = len(tree), ast.Name(source.name, ast.Load()), source.name
    kind = verdict(value, tree)
    lines, names = returned(value, text, kind, severity, source)
    return moved_check(source, count, "\n".join(lines)), names


def moved_check(source: CellText, count: int, last: str) -> str:
    """Return the body with its new end, moved to the right."""
    expected = source.tree.body[:count]
    text = indented(ended(source, count, last))
    if same(text, expected):
        return text
    before = "\n".join(ast.unparse(one) for one in expected)
    return textwrap.indent(f"{before}\n{last}" if before else last, INDENT)


def returned(
    value: ast.expr, text: str, kind: Verdict, severity: str, source: CellText
) -> tuple[list[str], frozenset[str]]:
    """Return the lines that give a check's value back as an AssetCheckResult, and the framework's names in them."""
    names = {"AssetCheckResult", *(["AssetCheckSeverity"] if severity != "ERROR" else [])}
    words = {"severity": f"AssetCheckSeverity.{severity}"} if severity != "ERROR" else {}
    if kind == "result":
        return [f"return {text}"], frozenset()
    if kind == "unknown" or (kind == "pair" and not is_plain_pair(value)):
        whole = f"({text})" if is_bare_tuple(value) else text
        return [f"return {flat_call(CHECK_RESULT, whole, words)}"], frozenset({*names, CHECK_RESULT})
    above: list[str] = []
    if kind == "pair":
        passed, metadata, above = pair(value, text, source)
        words = {"metadata": metadata, **words}
        certain = verdict(value.elts[0], ()) == "true" if isinstance(value, ast.Tuple) and not above else False
    else:
        passed, certain = text, kind == "true"
        if "\n" in text:
            passed = free_name("passed", source)
            above = [f"{passed} = {text}"]
    result = call("AssetCheckResult", passed=passed if certain else f"bool({passed})", **words)
    return [
        *above,
        *laid_out("return ", result, indent=INDENT)[len(INDENT) :].replace("\n" + INDENT, "\n").split("\n"),
    ], frozenset(names)


def is_plain_pair(value: ast.expr) -> bool:
    """Tell whether it shows that the metadata of ``(verdict, metadata)`` are Python's values: dagster takes no others.

    >>> [is_plain_pair(ast.parse(text, mode="eval").body) for text in ["(a, {'rows': len(b)})", "(a, {'late': late})"]]
    [True, False]
    """
    if not isinstance(value, ast.Tuple) or not isinstance(value.elts[1], ast.Dict):
        return False
    return all(is_plain(one) for one in value.elts[1].values)


def is_plain(node: ast.expr) -> bool:
    """Tell whether an expression shows that it gives a value of Python's own, and none of numpy's."""
    match node:
        case ast.Constant() | ast.JoinedStr() | ast.List() | ast.Dict() | ast.ListComp() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name(name)):
            return name in PLAIN_CALLS
        case ast.Call(func=ast.Attribute(value=ast.Name("MetadataValue") | ast.Attribute(attr="MetadataValue"))):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ("item", "tolist", "to_dict", "to_markdown")
    return False


def is_bare_tuple(value: ast.expr) -> bool:
    """Tell whether it's a tuple without brackets around it."""
    if not isinstance(value, ast.Tuple):
        return False
    first = value.elts[0]
    return (value.lineno, value.col_offset) == (first.lineno, first.col_offset)


def flat_call(name: str, text: str, words: dict[str, str]) -> str:
    """Return a call with the text as its first argument, and that as it was written."""
    rest = "".join(f", {word}={value}" for word, value in words.items())
    return f"{name}({text}{rest})"


def pair(value: ast.expr, text: str, source: CellText) -> tuple[str, str, list[str]]:
    """Return the verdict and the metadata of ``(verdict, metadata)``, and the line above that takes them apart."""
    if isinstance(value, ast.Tuple) and "\n" not in text:
        first, second = (ast.get_source_segment(source.body, one) or ast.unparse(one) for one in value.elts)
        return first, second, []
    passed, metadata = free_name("passed", source), free_name("metadata", source)
    return passed, metadata, [f"{passed}, {metadata} = {text}"]


def free_name(name: str, source: CellText) -> str:
    """Return a name that a cell doesn't use."""
    used = {*source.names.bound, *source.names.free}
    return name if name not in used else free_name(f"{name}_", source)


# -- decorated checks --------------------------------------------------------------------------------------------------


def checked_returns(text: str) -> tuple[str, frozenset[str]]:
    """Return a decorated check that returns AssetCheckResult wherever it returned a bool, which dagster refuses.

    Returns:
        The text, and the names of the framework that it uses now.
    """
    function = ast.parse(text).body[0]
    if (
        not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        or named(function.returns) == "AssetCheckResult"
    ):
        return text, frozenset()
    used: set[str] = set()
    lines = text.encode().split(b"\n")
    nodes = [one for one in own_nodes(function.body) if isinstance(one, ast.Return) and one.value is not None]
    for node in sorted(nodes, key=lambda one: one.lineno, reverse=True):
        assert node.value is not None
        around = wrapping(node.value, function.body)
        if around is not None:
            used |= {
                "AssetCheckResult",
                *([CHECK_RESULT, "AssetCheckSeverity"] if around[0].startswith(CHECK_RESULT) else []),
            }
            replace_span(lines, node.value, around)
    if function.returns is not None and used:
        replace_span(lines, function.returns, ("AssetCheckResult", ""), keep=False)
    return b"\n".join(lines).decode(), frozenset(used)


def named(node: ast.expr | None) -> str:
    """Return the last name of ``a.b``."""
    return getattr(node, "attr", getattr(node, "id", "")) if node is not None else ""


def wrapping(value: ast.expr, body: Sequence[ast.stmt]) -> tuple[str, str] | None:
    """Return what to write before and behind a returned value, None where it is a result already."""
    match verdict(value, body):
        case "result":
            return None
        case "true" | "bool":
            return "AssetCheckResult(passed=bool(", "))"
        case _:
            return f"{CHECK_RESULT}(", ")"


def replace_span(lines: list[bytes], node: ast.expr, around: tuple[str, str], *, keep: bool = True) -> None:
    """Put text around an expression, or in its place."""
    end, last = (node.end_lineno or node.lineno) - 1, node.end_col_offset or 0
    lines[end] = lines[end][:last] + around[1].encode() + lines[end][last:]
    start, first = node.lineno - 1, node.col_offset
    rest = lines[start][first:] if keep else lines[start][last:]
    lines[start] = lines[start][:first] + around[0].encode() + rest
