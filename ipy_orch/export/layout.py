"""Calls, signatures and collections as text, broken into lines as ruff's formatter breaks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["WIDTH", "Doc", "Group", "call", "laid_out", "literal", "mapping", "quoted", "sequence"]

WIDTH: Final = 88
STEP: Final = "    "


@dataclass(frozen=True)
class Group:
    """Be something in brackets.

    Args:
        items: text before the item (``name=``), and the item.
        filled: whether all items may stand on one line of their own, as in calls, not in collections.
    """

    opening: str
    items: tuple[tuple[str, Doc], ...]
    closing: str
    filled: bool


Doc: TypeAlias = str | Group


def call(name: str, positional: Iterable[Doc] = (), /, **named: Doc) -> Group:
    """Return a call; a name that ends with ``_`` loses it."""
    words = ((f"{word.rstrip('_')}=", value) for word, value in named.items())
    return Group(f"{name}(", (*(("", one) for one in positional), *words), ")", filled=True)


def sequence(items: Iterable[Doc]) -> Group:
    """Return a list."""
    return Group("[", tuple(("", one) for one in items), "]", filled=False)


def mapping(items: Mapping[str, Doc]) -> Group:
    """Return a dict with strings as keys."""
    return Group("{", tuple((f"{quoted(key)}: ", value) for key, value in items.items()), "}", filled=False)


def literal(value: Any, what: str = "value") -> Doc:
    r"""Return plain data as Python writes it.

    >>> laid_out("", literal({"a": [1, 'say "x"'], "b": {"duckdb"}}))
    '{"a": [1, \'say "x"\'], "b": {"duckdb"}}'

    Raises:
        DagsterInvalidDefinitionError: for what has no literal.
    """
    match value:
        case str():
            return quoted(value)
        case bool() | int() | float() | None:
            return repr(value)
        case Mapping():
            return mapping({str(key): literal(one, what) for key, one in value.items()})
        case AbstractSet():
            return Group("{", tuple(("", literal(one, what)) for one in sorted(value)), "}", filled=False)
        case Sequence():
            return sequence(literal(one, what) for one in value)
    told = f"{what} can't be written as text: it holds a {type(value).__name__}"
    raise DagsterInvalidDefinitionError(told, hint="put it in quotes")


def quoted(text: str) -> str:
    """Return a string in double quotes, unless that needs more escapes."""
    plain = repr(text)
    if plain[0] == '"' or '"' in text:
        return plain
    return f'"{plain[1:-1]}"'


def flat(doc: Doc) -> str:
    """Return a doc on one line."""
    if isinstance(doc, str):
        return doc
    return doc.opening + ", ".join(word + flat(one) for word, one in doc.items) + doc.closing


def laid_out(before: str, doc: Doc, after: str = "", indent: str = "") -> str:
    """Return a doc between two texts: on one line where it fits, else its items on lines of their own.

    >>> print(laid_out("x = ", call("f", ["a" * 30, "b" * 30, "c" * 20])))
    x = f(
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccc
    )
    """
    line = indent + before + flat(doc) + after
    if isinstance(doc, str) or len(line) <= WIDTH or not doc.items:
        return line
    inner = indent + STEP
    together = inner + ", ".join(word + flat(one) for word, one in doc.items)
    if doc.filled and len(together) <= WIDTH:
        body = together
    else:
        body = "\n".join(laid_out(word, one, ",", inner) for word, one in doc.items)
    return f"{indent}{before}{doc.opening}\n{body}\n{indent}{doc.closing}{after}"
