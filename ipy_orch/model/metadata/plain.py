"""Plain Python values as metadata, and what to say of those that can't be."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from ipy_orch.errors import CheckError, DagsterTypeCheckDidNotPass
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.references import DagsterAssetMetadataValue
from ipy_orch.model.metadata.scalars import (
    BoolMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JsonMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    TextMetadataValue,
)
from ipy_orch.model.metadata.tables import TableColumnLineageMetadataValue, TableSchemaMetadataValue
from ipy_orch.model.metadata.value import DagsterInvalidMetadata, MetadataValue
from ipy_orch.model.tables import TableColumnLineage, TableSchema, typed

__all__ = ["MetadataEntry", "RawMetadataValue", "checked_raw", "metadata_value", "normalize_metadata"]

RawMetadataValue: TypeAlias = (
    "MetadataValue | TableSchema | TableColumnLineage | AssetKey | os.PathLike[str] "
    "| dict[Any, Any] | float | int | list[Any] | str | datetime | None"
)
RAW_TYPES = (TableSchema, TableColumnLineage, AssetKey, os.PathLike, dict, float, int, list, str, datetime, type(None))


@dataclass(frozen=True, init=False)
class MetadataEntry:
    """Hold metadata with a label: Dagster's older form."""

    label: str
    description: str | None
    entry_data: MetadataValue

    def __init__(
        self, label: str, description: str | None = None, entry_data: Any = None, value: RawMetadataValue = None
    ) -> None:
        object.__setattr__(self, "label", typed(label, str, "label"))
        object.__setattr__(self, "description", description)
        object.__setattr__(self, "entry_data", metadata_value(value if entry_data is None else entry_data, label))

    @property
    def value(self) -> MetadataValue:
        """Return the metadata."""
        return self.entry_data


def normalize_metadata(metadata: Mapping[str, Any], allow_invalid: bool = False) -> dict[str, MetadataValue]:
    """Return each value as a MetadataValue.

    Args:
        metadata: label -> plain value or MetadataValue.
        allow_invalid: put a text that names its type in place of a value that can't be metadata.

    Raises:
        CheckError: when ``metadata`` isn't a mapping.
        DagsterInvalidMetadata: when a value can't be metadata, e.g. a DataFrame.

    A number of numpy is the Python number that it stands for.

    >>> from pathlib import Path
    >>> normalize_metadata({"rows": 3, "from": Path("raw.csv")})
    {'rows': IntMetadataValue(value=3), 'from': PathMetadataValue(fspath='raw.csv')}
    """
    wrap = metadata_or_text if allow_invalid else metadata_value
    return {label: wrap(value, label) for label, value in typed(metadata, Mapping, "metadata").items()}


DagsterTypeCheckDidNotPass.as_metadata = normalize_metadata


def metadata_or_text(value: Any, label: str = "metadata") -> MetadataValue:
    """Return ``value`` as metadata, or a text that names its type."""
    try:
        return metadata_value(value, label)
    except DagsterInvalidMetadata:
        return TextMetadataValue(f"[{type(value).__name__}] (unserializable)")


def metadata_value(value: Any, label: str = "metadata") -> MetadataValue:
    """Return ``value`` as metadata.

    Raises:
        DagsterInvalidMetadata: when its type can't be metadata, with the constructor to use instead.
    """
    if isinstance(value, MetadataValue):
        return value
    for kinds, wrap in WRAPPERS:
        if isinstance(value, kinds):
            try:
                return wrap(value)
            except DagsterInvalidMetadata as error:
                raise DagsterInvalidMetadata(f"metadata `{label}`: {error.message}") from error
    if is_number_of_numpy(value):
        return metadata_value(value.item(), label)
    kind = type(value)
    raise DagsterInvalidMetadata(
        f"metadata `{label}` can't be of type `{kind.__module__}.{kind.__qualname__}`", hint=advice(value)
    )


WRAPPERS: tuple[tuple[Any, Callable[[Any], MetadataValue]], ...] = (
    (type(None), lambda _: NullMetadataValue()),
    (str, lambda value: TextMetadataValue(str(value))),  # numpy.str_ is one, and no store can write it
    (bool, BoolMetadataValue),
    (int, IntMetadataValue),
    (float, lambda value: FloatMetadataValue(float(value))),
    ((dict, list), JsonMetadataValue),
    (os.PathLike, PathMetadataValue),
    (TableSchema, TableSchemaMetadataValue),
    (TableColumnLineage, TableColumnLineageMetadataValue),
    (AssetKey, DagsterAssetMetadataValue),
)


def is_of_numpy(value: Any) -> bool:
    """Tell whether a value is of one of numpy's own types, without importing it."""
    return type(value).__module__.partition(".")[0] == "numpy"


def is_number_of_numpy(value: Any) -> bool:
    """Tell whether a value is a number or a bool of numpy: `df.a.isna().sum()` is one, and no `int`."""
    return is_of_numpy(value) and getattr(value, "ndim", None) == 0 and isinstance(value.item(), bool | int | float)


def advice(value: Any) -> str:
    """Return what to write instead of a value that can't be metadata."""
    if isinstance(value, datetime):
        return "`MetadataValue.timestamp(...)`"
    if isinstance(value, tuple | set | frozenset):
        return "`list(...)`"
    if hasattr(value, "to_markdown") or hasattr(value, "columns"):
        return "`MetadataValue.md(df.head().to_markdown())`, or `TableSchema` for its columns"
    if is_of_numpy(value) and hasattr(value, "tolist"):
        return "`.tolist()`"
    return "`MetadataValue.text(repr(...))`, or another constructor of `MetadataValue`"


def checked_raw(metadata: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a copy of metadata that will be normalised later.

    Raises:
        CheckError: when it isn't a mapping, or a value is of a type that can't be metadata.
    """
    if metadata is None:
        return None
    allowed = (MetadataValue, *RAW_TYPES)
    checked = {}
    for label, value in typed(metadata, Mapping, "metadata").items():
        typed(label, str, "label of metadata")
        checked[label] = plain = value.item() if is_number_of_numpy(value) else value
        if not isinstance(plain, allowed):
            raise CheckError(f"metadata `{label}` can't be of type `{type(value).__name__}`: {advice(value)}")
    return checked
