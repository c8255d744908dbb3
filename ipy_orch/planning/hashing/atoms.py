"""The bytes of simple values, and the protocol by which bigger ones are taken apart.

Each encoding says its type and where it ends, so that a sequence of them can be read in one way only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeAlias

__all__ = ["ATOMS", "Content", "Steps", "Unhashable", "items", "label", "text_bytes"]

Steps: TypeAlias = Generator[Any, bytes, bytes]
"""Yield each child, receive its bytes, return the bytes of the whole: no recursion, so no depth is too deep."""

Content: TypeAlias = "bytes | Steps"

_NAN = struct.pack(">d", float("nan"))


class Unhashable(Exception):
    """Tell that a value has no content that could be hashed, and why.

    Args:
        reason: what a person should know, e.g. ``"a generator can be read only once"``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text_bytes(value: str) -> bytes:
    """Encode a string, lone surrogates too."""
    raw = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(raw), raw)


def _float_bytes(value: float) -> bytes:
    """Encode a float: every NaN alike, and -0.0 unlike 0.0."""
    return b"f" + (_NAN if value != value else struct.pack(">d", value))  # noqa: PLR0124 - true for NaN only


ATOMS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"n",
    bool: lambda value: b"T" if value else b"F",
    int: lambda value: b"i%x;" % value,
    float: _float_bytes,
    complex: lambda value: b"c" + _float_bytes(value.real) + _float_bytes(value.imag),
    str: text_bytes,
    bytes: lambda value: b"b%d:%b" % (len(value), value),
    type(...): lambda _: b"e",
    type(NotImplemented): lambda _: b"N",
}
"""How each simple type is encoded; looked up by exact type, so that ``True`` is never taken for ``1``."""


def items(values: Iterable[Any]) -> Steps:
    """Encode values in their order."""
    values = list(values)
    try:
        return b"%d[" % len(values) + b"".join([ATOMS[type(value)](value) for value in values])
    except KeyError:
        pass
    chunks = [b"%d[" % len(values)]
    for value in values:
        atom = ATOMS.get(type(value))
        chunks.append(atom(value) if atom else (yield value))
    return b"".join(chunks)


def label(*words: object) -> bytes:
    """Encode names, shapes and the like."""
    return b"l%d(" % len(words) + b"".join(text_bytes(str(word)) for word in words)
