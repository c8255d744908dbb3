"""The value of an expression, as far as the text tells it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from ipy_orch.export.reading.calls import call
from ipy_orch.export.reading.frames import Frame
from ipy_orch.export.reading.trusted import may_read
from ipy_orch.export.reading.unknown import Unknown

__all__ = ["assign", "evaluate", "is_known_bool"]

BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}
CONVERSIONS: Final[Mapping[int, Callable[[Any], Any]]] = {-1: lambda value: value, 115: str, 114: repr, 97: ascii}
LARGEST: Final = 10_000
WIDEST: Final = 8


def evaluate(node: ast.expr, frame: Frame) -> Any:
    """Return the value of an expression, something unknown where only running it tells.

    >>> from ipy_orch.export.reading.frames import World
    >>> frame = Frame(World(), {"n": 2}, {})
    >>> evaluate(ast.parse("[f'a{i}' for i in range(n)]", mode="eval").body, frame)
    ['a0', 'a1']
    """
    frame.world.step()
    rule = RULES.get(type(node))
    return rule(node, frame) if rule is not None else Unknown(ast.unparse(node))


def unknown(node: ast.AST) -> Unknown:
    """Return the unknown value of a piece of text."""
    return Unknown(ast.unparse(node))


def is_known_bool(node: ast.expr, frame: Frame) -> bool | None:
    """Return whether a condition holds, None where that isn't told."""
    found = evaluate(node, frame)
    return None if isinstance(found, Unknown) else bool(found)


# -- names, attributes, items ------------------------------------------------------------------------------------------


def attribute(node: ast.Attribute, frame: Frame) -> Any:
    """Return the value of ``a.b``."""
    value = evaluate(node.value, frame)
    if isinstance(value, Unknown) or not may_read(value, node.attr):
        return unknown(node)
    return getattr(value, node.attr, unknown(node))


def item(node: ast.Subscript, frame: Frame) -> Any:
    """Return the value of ``a[b]``."""
    value, key = evaluate(node.value, frame), evaluate(node.slice, frame)
    if isinstance(value, Unknown):
        return unknown(node)
    if isinstance(value, type) or getattr(value, "__module__", "") in ("typing", "collections.abc"):
        return value[key if value is Literal else without_text(key)]
    return unknown(node) if isinstance(key, Unknown) else value[key]


def without_text(key: Any) -> Any:
    """Return the arguments of a generic type, with ``Any`` for what is unknown and for text, which others would run."""
    if isinstance(key, tuple | list):
        return type(key)(without_text(one) for one in key)
    return Any if isinstance(key, Unknown | str) else key


def assign(target: ast.expr, value: Any, frame: Frame) -> None:
    """Bind what stands left of ``=``."""
    match target:
        case ast.Name(name):
            frame.set(name, value)
        case ast.Tuple(elts) | ast.List(elts):
            for one, part in zip(elts, unpacked(value, elts), strict=True):
                assign(one.value if isinstance(one, ast.Starred) else one, part, frame)
        case ast.Subscript():
            owner, key = evaluate(target.value, frame), evaluate(target.slice, frame)
            if isinstance(owner, dict | list) and not isinstance(key, Unknown):
                owner[key] = value
        case ast.Attribute():
            owner = evaluate(target.value, frame)
            if type(owner).__module__ in ("__main__", "types") and not target.attr.startswith("__"):
                setattr(owner, target.attr, value)


def unpacked(value: Any, targets: Sequence[ast.expr]) -> list[Any]:
    """Return the parts of a value, one for each target."""
    if isinstance(value, Unknown):
        return [Unknown(f"a part of {value.said}") for _ in targets]
    parts = list(value)
    starred = next((n for n, one in enumerate(targets) if isinstance(one, ast.Starred)), None)
    if starred is None:
        return parts
    last = len(parts) - (len(targets) - starred - 1)
    return [*parts[:starred], parts[starred:last], *parts[last:]]


# -- operators ---------------------------------------------------------------------------------------------------------


def binary(node: ast.BinOp, frame: Frame) -> Any:
    """Return the value of ``a + b``."""
    return operated(node.op, evaluate(node.left, frame), evaluate(node.right, frame), node)


def operated(op: ast.operator, left: Any, right: Any, node: ast.AST) -> Any:
    """Return the value of an operator; what would grow large isn't computed."""
    function = BINARY.get(type(op))
    if function is None or isinstance(left, Unknown) or isinstance(right, Unknown):
        return unknown(node)
    if isinstance(op, ast.Mult | ast.LShift | ast.Mod) and max(map(weight, (left, right))) > LARGEST:
        return unknown(node)
    return function(left, right)


def weight(value: Any) -> int:
    """Return how much a value is: a number itself, the length of a text or list."""
    if isinstance(value, int):
        return abs(value)
    return len(value) if isinstance(value, str | bytes | list | tuple) else 0


def unary(node: ast.UnaryOp, frame: Frame) -> Any:
    """Return the value of ``-a``."""
    value = evaluate(node.operand, frame)
    return unknown(node) if isinstance(value, Unknown) else UNARY[type(node.op)](value)


def boolean(node: ast.BoolOp, frame: Frame) -> Any:
    """Return the value of ``a and b``."""
    value: Any = None
    for one in node.values:
        value = evaluate(one, frame)
        if isinstance(value, Unknown):
            return unknown(node)
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


def comparison(node: ast.Compare, frame: Frame) -> Any:
    """Return the value of ``a < b < c``."""
    values = [evaluate(one, frame) for one in (node.left, *node.comparators)]
    if any(isinstance(one, Unknown) for one in values):
        return unknown(node)
    pairs = zip(node.ops, values, values[1:], strict=False)
    return all(COMPARE[type(op)](left, right) for op, left, right in pairs)


def conditional(node: ast.IfExp, frame: Frame) -> Any:
    """Return the value of ``a if b else c``."""
    holds = is_known_bool(node.test, frame)
    return unknown(node) if holds is None else evaluate(node.body if holds else node.orelse, frame)


# -- displays ----------------------------------------------------------------------------------------------------------


def elements(nodes: Iterable[ast.expr], frame: Frame) -> list[Any]:
    """Return the values of the items of a list; ``*a`` is spread.

    Raises:
        Hidden: when what is to be spread is unknown.
    """
    found: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            value = evaluate(node.value, frame)
            if isinstance(value, Unknown):
                raise Hidden
            found += value
        else:
            found.append(evaluate(node, frame))
    return found


class Hidden(Exception):
    """Tell that the items of a collection are unknown."""


def display(kind: type[Any]) -> Callable[[Any, Frame], Any]:
    """Return the rule for lists, tuples and sets."""

    def rule(node: Any, frame: Frame) -> Any:
        try:
            return kind(elements(node.elts, frame))
        except Hidden:
            return unknown(node)

    return rule


def dictionary(node: ast.Dict, frame: Frame) -> Any:
    """Return the value of ``{a: b, **c}``."""
    found: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        made = evaluate(value, frame)
        if key is not None:
            found[evaluate(key, frame)] = made
        elif isinstance(made, Unknown):
            return unknown(node)
        else:
            found |= made
    return found


def text(node: ast.JoinedStr, frame: Frame) -> Any:
    """Return the value of an f-string."""
    parts: list[str] = []
    for one in node.values:
        if isinstance(one, ast.Constant):
            parts.append(str(one.value))
            continue
        assert isinstance(one, ast.FormattedValue)
        value = evaluate(one.value, frame)
        spec = evaluate(one.format_spec, frame) if one.format_spec is not None else ""
        if isinstance(value, Unknown) or isinstance(spec, Unknown) or len(spec) > WIDEST:
            return unknown(node)
        parts.append(format(CONVERSIONS[one.conversion](value), spec))
    return "".join(parts)


# -- comprehensions ----------------------------------------------------------------------------------------------------


def comprehension(node: Any, frame: Frame) -> Any:
    """Return the value of a comprehension; a generator is a list of what it would give."""
    inner = frame.inside({})
    try:
        turns = list(turned(node.generators, inner, node))
    except Hidden:
        return unknown(node)
    return dict(turns) if isinstance(node, ast.DictComp) else set(turns) if isinstance(node, ast.SetComp) else turns


def turned(generators: Sequence[ast.comprehension], frame: Frame, node: Any) -> Iterator[Any]:
    """Yield what the element of a comprehension is, turn by turn.

    Raises:
        Hidden: when what is gone through is unknown.
    """
    if not generators:
        yield (
            (evaluate(node.key, frame), evaluate(node.value, frame))
            if isinstance(node, ast.DictComp)
            else evaluate(node.elt, frame)
        )
        return
    first, *rest = generators
    values = evaluate(first.iter, frame)
    if isinstance(values, Unknown) or first.is_async:
        raise Hidden
    for value in values:
        frame.world.step()
        assign(first.target, value, frame)
        tests = [is_known_bool(one, frame) for one in first.ifs]
        if None in tests:
            raise Hidden
        if all(tests):
            yield from turned(rest, frame, node)


# -- calls -------------------------------------------------------------------------------------------------------------


def called(node: ast.Call, frame: Frame) -> Any:
    """Return the value of a call."""
    function = evaluate(node.func, frame)
    try:
        args, words = elements(node.args, frame), keywords(node.keywords, frame)
    except Hidden:
        args, words = [unknown(node)], {}
    return call(function, args, words, node)


def keywords(nodes: Iterable[ast.keyword], frame: Frame) -> dict[str, Any]:
    """Return the arguments that have names; ``**a`` is spread.

    Raises:
        Hidden: when what is to be spread is unknown.
    """
    found: dict[str, Any] = {}
    for one in nodes:
        value = evaluate(one.value, frame)
        if one.arg is not None:
            found[one.arg] = value
        elif isinstance(value, Unknown):
            raise Hidden
        else:
            found |= value
    return found


def walrus(node: ast.NamedExpr, frame: Frame) -> Any:
    """Return the value of ``(a := b)``."""
    value = evaluate(node.value, frame)
    assign(node.target, value, frame)
    return value


def anonymous(node: ast.Lambda, frame: Frame) -> Any:
    """Return a lambda."""
    from ipy_orch.export.reading.functions import function_of_lambda

    return function_of_lambda(node, frame)


RULES: Final[Mapping[type[ast.expr], Callable[[Any, Frame], Any]]] = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: lambda node, frame: frame.get(node.id),
    ast.Attribute: attribute,
    ast.Subscript: item,
    ast.BinOp: binary,
    ast.UnaryOp: unary,
    ast.BoolOp: boolean,
    ast.Compare: comparison,
    ast.IfExp: conditional,
    ast.List: display(list),
    ast.Tuple: display(tuple),
    ast.Set: display(set),
    ast.Dict: dictionary,
    ast.JoinedStr: text,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.DictComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.Call: called,
    ast.NamedExpr: walrus,
    ast.Lambda: anonymous,
    ast.Slice: lambda node, frame: slice(
        *(evaluate(one, frame) if one is not None else None for one in (node.lower, node.upper, node.step))
    ),
}
