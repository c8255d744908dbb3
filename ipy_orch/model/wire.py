"""Values of any type as JSON data and back, for the fields of events that may hold whatever a user put there.

What JSON has stays as it is. Tuples, bytes, metadata, keys and the like are marked: ``{"$": "tuple", "of": [1, 2]}``.
Nothing is imported and no class is called but those below. What can't be marked is kept as the text of its repr.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import pathlib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeVar

from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import TableSchema

__all__ = ["Wired", "pack", "printable", "unpack", "wired"]

C = TypeVar("C", bound=type[Any])

MARK: Final = "$"
PLAIN: Final = (str, bool, int, type(None))


class Wired:
    """Have pydantic write and read a field of any type: ``Annotated[Any, Wired]``."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        """Tell pydantic to write what :func:`pack` returns, and to read it with :func:`unpack`."""
        from pydantic_core import core_schema

        written = core_schema.plain_serializer_function_ser_schema(packed, when_used="json")
        return core_schema.no_info_plain_validator_function(unpack, serialization=written)


def packed(value: Any) -> Any:
    """Return a value as data that JSON can hold; one that holds itself, or is too deep, as text."""
    try:
        return pack(value)
    except RecursionError:
        return text_of(value)


def pack(value: Any) -> Any:
    """Return a value as data that JSON can hold.

    >>> pack((1, b"a")), pack({"rows": 3})
    ({'$': 'tuple', 'of': [1, {'$': 'bytes', 'of': 'YQ=='}]}, {'rows': 3})
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {MARK: "float", "of": str(value)}
    if kind is list:
        return [pack(item) for item in value]
    if kind is dict and MARK not in value and all(type(key) is str for key in value):
        return {key: pack(item) for key, item in value.items()}
    for mark, (classes, write, _) in KINDS.items():
        if isinstance(value, classes):
            try:
                return {MARK: mark, "of": write(value)}
            except RecursionError:
                raise
            except Exception:  # noqa: BLE001 - a property of a foreign object may raise anything
                break
    return text_of(value)


def unpack(data: Any) -> Any:
    """Return the value that :func:`pack` wrote.

    Raises:
        ValueError: when the data isn't of that form.
    """
    if isinstance(data, list):
        return [unpack(item) for item in data]
    if not isinstance(data, dict):
        return data
    if MARK not in data:
        return {key: unpack(item) for key, item in data.items()}
    kind = KINDS.get(data[MARK])
    if kind is None:
        raise ValueError(f"not a value of the log: {data[MARK]!r}")
    return kind[2](data["of"])


def text_of(value: Any) -> str:
    """Return what is kept of a value that isn't data."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - somebody else's __repr__
        return f"<{type(value).__name__}>"


def printable(value: Any) -> Any:
    r"""Return data in which the lone surrogates of texts, which no UTF-8 has, are written as escapes.

    >>> printable(["caf\udce9"])
    ['caf\\udce9']
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    return value


def keyed(value: AssetCheckKey) -> list[Any]:
    """Return the key of a check as its asset's path and its name."""
    return [list(value.asset_key.path), value.name]


def in_order(value: Collection[Any]) -> list[Any]:
    """Return the elements of a set in an order that is the same each time."""
    return sorted(map(pack, value), key=json.dumps)


Kind = tuple[type | tuple[type, ...], Callable[[Any], Any], Callable[[Any], Any]]

# a subclass comes before its base
KINDS: Final[dict[str, Kind]] = {
    "metadata": (MetadataValue, lambda value: pack(value.to_wire()), lambda of: MetadataValue.from_wire(unpack(of))),
    "key": (AssetKey, lambda value: list(value.path), AssetKey),
    "check": (AssetCheckKey, keyed, lambda of: AssetCheckKey(AssetKey(of[0]), of[1])),
    "schema": (
        TableSchema,
        lambda value: pack(MetadataValue.table_schema(value).to_wire()),
        lambda of: MetadataValue.from_wire(unpack(of)).value,
    ),
    "text": (str, str, str),
    "float": (float, lambda value: str(float(value)), float),
    "int": (int, int, int),
    "tuple": (tuple, lambda value: [pack(item) for item in value], lambda of: tuple(map(unpack, of))),
    "list": (list, lambda value: [pack(item) for item in value], lambda of: list(map(unpack, of))),
    "set": (set, in_order, lambda of: set(map(unpack, of))),
    "frozenset": (frozenset, in_order, lambda of: frozenset(map(unpack, of))),
    "bytes": (
        (bytes, bytearray, memoryview),
        lambda value: base64.b64encode(value).decode("ascii"),
        base64.b64decode,
    ),
    "dict": (
        Mapping,
        lambda value: [[pack(key), pack(item)] for key, item in value.items()],
        lambda of: {unpack(key): unpack(item) for key, item in of},
    ),
    "path": (pathlib.PurePath, str, pathlib.Path),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
}


def wired(mark: str) -> Callable[[C], C]:
    """Have objects of a dataclass written under a mark, and made again."""

    def register(cls: C) -> C:
        def fields_of(value: Any) -> dict[str, Any]:
            return {one.name: pack(getattr(value, one.name)) for one in dataclasses.fields(cls)}

        KINDS[mark] = (cls, fields_of, lambda of: cls(**{name: unpack(item) for name, item in of.items()}))
        return cls

    return register
