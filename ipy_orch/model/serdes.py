"""Values as JSON text and back: keys, metadata, what runs reported. Names of classes and fields are Dagster's.

An object is written as ``{"__class__": name, field: ...}``, a member of an enum as ``{"__enum__": "Class.MEMBER"}``.
Only classes that were declared :func:`serializable` are made again, so that a text can't call anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from inspect import signature
from typing import Any, Final, TypeVar

from ipy_orch.errors import CheckError, DagsterInvariantViolationError, closest
from ipy_orch.model import code_references, results, tables
from ipy_orch.model.keys import AssetCheckKey, AssetJobKey, AssetKey
from ipy_orch.model.metadata.scalars import JsonMetadataValue
from ipy_orch.model.metadata.tables import TableColumnLineageMetadataValue
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.partitions import mappings, multi_mappings, time_mappings, usual
from ipy_orch.model.partitions.cron import timezone_named
from ipy_orch.model.partitions.definition import PartitionKeyRange, StaticPartitionsDefinition, TimeWindow
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.policies import BackfillPolicy, RetryPolicy
from ipy_orch.model.results import AssetCheckEvaluation

__all__ = ["deserialize_value", "serializable", "serialize_value"]

C = TypeVar("C", bound=type)

CLASS: Final = "__class__"
ENUM: Final = "__enum__"
ITEMS: Final = "__mapping_items__"
SETS: Final[Mapping[str, type[Any]]] = {"__set__": set, "__frozenset__": frozenset}
PLAIN: Final = (str, int, float, bool, type(None))
AS_IT_IS: Final = {(JsonMetadataValue, "data")}  #: JSON already: a `__class__` in it is the user's
OLD_FIELDS: Final = {AssetCheckEvaluation: {"success": "passed"}}  #: what older Dagster wrote
ATTRIBUTES: Final[Mapping[tuple[type, str], str]] = {
    (TableColumnLineageMetadataValue, "column_lineage"): "value",
    (StaticPartitionsDefinition, "partition_keys"): "keys",
    (MultiPartitionsDefinition, "partitions_defs"): "dimensions",
}  #: not named like the argument
MOMENT: Final = "TimestampWithTimezone"  #: how a datetime is written
FIELDS: Final[Mapping[type, tuple[str, ...]]] = {  #: of classes with arguments that follow from others
    TimeWindowPartitionsDefinition: tuple(TimeWindowPartitionsDefinition.__dataclass_fields__),
    DynamicPartitionsDefinition: ("name",),
}
KNOWN: Final[dict[str, type]] = {}


def serializable(cls: C) -> C:
    """Declare, as a decorator, that objects of a dataclass or members of an enum can be written and read."""
    KNOWN[cls.__name__] = cls
    return cls


def serialize_value(value: Any) -> str:
    """Return a value as JSON text.

    Raises:
        DagsterInvariantViolationError: when something in it isn't serializable.

    >>> serialize_value({"asset": AssetKey(["sales", "orders"])})
    '{"asset": {"__class__": "AssetKey", "path": ["sales", "orders"]}}'
    """
    return json.dumps(packed(value))


def deserialize_value(text: str, as_type: type | tuple[type, ...] | None = None) -> Any:
    """Return the value that a JSON text stands for.

    Args:
        as_type: what it must be.

    Raises:
        DagsterInvariantViolationError: for a class that isn't serializable, with the closest.
        CheckError: when the value isn't of the type.

    >>> deserialize_value('{"__class__": "AssetKey", "path": ["orders"]}', AssetKey)
    AssetKey(['orders'])
    """
    value = unpacked(json.loads(text))
    if as_type is not None and not isinstance(value, as_type):
        raise CheckError(f"the text stands for a `{type(value).__name__}`, not for a `{as_type}`")
    return value


def packed(value: Any) -> Any:
    """Return a value as plain JSON data."""
    cls = type(value)
    if KNOWN.get(cls.__name__) is cls or (isinstance(value, MetadataValue) and known(cls.__name__) is cls):
        return {ENUM: f"{cls.__name__}.{value.name}"} if isinstance(value, Enum) else packed_object(value)
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, datetime):
        return {CLASS: MOMENT, "timestamp": value.timestamp(), "timezone": str(value.tzinfo or UTC)}
    if isinstance(value, Mapping):
        return packed_mapping(value)
    if isinstance(value, list | tuple):
        return [packed(item) for item in value]
    for mark, kind in SETS.items():
        if cls is kind:
            return {mark: sorted(map(packed, value), key=json.dumps)}
    raise DagsterInvariantViolationError(f"a `{cls.__name__}` can't be written as JSON: {value!r}")


def packed_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a mapping as plain JSON data, also where its keys aren't strings."""
    if all(isinstance(key, str) for key in value):
        return {key: packed(item) for key, item in value.items()}
    return {ITEMS: [[packed(key), packed(item)] for key, item in value.items()]}


def packed_object(value: Any) -> dict[str, Any]:
    """Return an object with its class and fields as plain JSON data."""
    cls: Any = type(value)
    held = {name: getattr(value, ATTRIBUTES.get((cls, name), name)) for name in fields_of(cls)}
    return {CLASS: cls.__name__} | {
        name: item if (cls, name) in AS_IT_IS else packed(item) for name, item in held.items()
    }


def unpacked(value: Any) -> Any:
    """Return the value that plain JSON data stands for."""
    if isinstance(value, list):
        return [unpacked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if ENUM in value:
        name, _, member = value[ENUM].partition(".")
        return getattr(declared(name), member)
    if value.get(CLASS) == MOMENT:
        return datetime.fromtimestamp(value["timestamp"], timezone_named(value["timezone"]))
    return made(declared(value[CLASS]), value) if CLASS in value else unpacked_container(value)


def unpacked_container(value: Mapping[str, Any]) -> Any:
    """Return the mapping or set that plain JSON data stands for."""
    if ITEMS in value:
        return {unpacked(key): unpacked(item) for key, item in value[ITEMS]}
    for mark, kind in SETS.items():
        if mark in value:
            return kind(map(unpacked, value[mark]))
    return {key: unpacked(item) for key, item in value.items()}


def made(cls: Any, data: Mapping[str, Any]) -> Any:
    """Return the object of a class; fields that it doesn't have, as another version wrote them, are left out."""
    renamed = OLD_FIELDS.get(cls, {})
    given = {renamed.get(name, name): item for name, item in data.items()}
    return cls(
        **{
            name: given[name] if (cls, name) in AS_IT_IS else unpacked(given[name])
            for name in fields_of(cls)
            if name in given
        }
    )


@cache
def fields_of(cls: type) -> tuple[str, ...]:
    """Return the names of the arguments of a class, which are those of attributes, too."""
    return FIELDS.get(cls) or tuple(signature(cls).parameters)


def known(name: str) -> type | None:
    """Return the class of a name; a metadata value's may be spelled as Dagster stores it."""
    if name not in KNOWN:
        for cls in kinds_of(MetadataValue):
            KNOWN[cls.__name__] = KNOWN[cls.__name__.replace("MetadataValue", "MetadataEntryData")] = cls
    return KNOWN.get(name)


def declared(name: str) -> Any:
    """Return the class of a name.

    Raises:
        DagsterInvariantViolationError: when there's none, with the closest.
    """
    cls = known(name)
    if cls is None:
        raise DagsterInvariantViolationError(f"there is no serializable class `{name}`", hint=closest(name, KNOWN))
    return cls


def kinds_of(cls: type) -> Iterator[type]:
    """Yield all subclasses of a class."""
    direct: list[type] = cls.__subclasses__()
    for below in direct:
        yield below
        yield from kinds_of(below)


for one in (
    AssetKey,
    AssetCheckKey,
    AssetJobKey,
    BackfillPolicy,
    RetryPolicy,
    DynamicPartitionsDefinition,
    MultiPartitionsDefinition,
    PartitionKeyRange,
    StaticPartitionsDefinition,
    TimeWindow,
    TimeWindowPartitionsDefinition,
    mappings.AllPartitionMapping,
    mappings.IdentityPartitionMapping,
    mappings.LastPartitionMapping,
    mappings.SpecificPartitionsPartitionMapping,
    mappings.StaticPartitionMapping,
    multi_mappings.DimensionPartitionMapping,
    multi_mappings.MultiPartitionMapping,
    multi_mappings.MultiToSingleDimensionPartitionMapping,
    time_mappings.TimeWindowPartitionMapping,
    usual.DailyPartitionsDefinition,
    usual.HourlyPartitionsDefinition,
    usual.MonthlyPartitionsDefinition,
    usual.WeeklyPartitionsDefinition,
    code_references.LocalFileCodeReference,
    code_references.UrlCodeReference,
    results.AssetCheckEvaluation,
    results.AssetCheckSeverity,
    results.AssetMaterialization,
    results.AssetObservation,
    results.DataVersion,
    tables.TableColumn,
    tables.TableColumnConstraints,
    tables.TableColumnDep,
    tables.TableColumnLineage,
    tables.TableConstraints,
    tables.TableRecord,
    tables.TableSchema,
):
    serializable(one)
