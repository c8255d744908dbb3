"""Partitions in two dimensions: a key of each."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvalidInvocationError, closest
from ipy_orch.model.partitions.definition import (
    PARTITION_TAG,
    PartitionKeyRange,
    PartitionsDefinition,
    StaticPartitionsDefinition,
    TimeWindow,
)
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition

__all__ = ["MultiPartitionKey", "MultiPartitionsDefinition", "PartitionDimensionDefinition"]

BETWEEN: Final = "|"
DIMENSIONS: Final = 2
UNFIT: Final = frozenset("|[],")  # what no key of a dimension has
CUT: Final = (StaticPartitionsDefinition, TimeWindowPartitionsDefinition, DynamicPartitionsDefinition)


class MultiPartitionKey(str):
    """Be a key of each dimension; as text, these in the order of the dimensions' names.

    Args:
        keys_by_dimension: dimension -> key.

    >>> MultiPartitionKey({"region": "north", "date": "2024-01-01"})
    '2024-01-01|north'
    """

    __slots__ = ("dimensions",)
    dimensions: tuple[tuple[str, str], ...]

    def __new__(cls, keys_by_dimension: Mapping[str, str]) -> Self:  # noqa: D102 - the class tells
        ordered = tuple(sorted(keys_by_dimension.items()))
        made = str.__new__(cls, BETWEEN.join(key for _, key in ordered))
        made.dimensions = ordered
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.keys_by_dimension,)

    @property
    def keys_by_dimension(self) -> Mapping[str, str]:
        """Return dimension -> key."""
        return dict(self.dimensions)


@dataclass(frozen=True)
class PartitionDimensionDefinition:
    """Be one dimension."""

    name: str
    partitions_def: PartitionsDefinition


class MultiPartitionsDefinition(PartitionsDefinition):
    """Cut something in two dimensions, into each pair of their partitions.

    Args:
        partitions_defs: dimension -> its partitions: by time, static or dynamic.

    Raises:
        DagsterInvalidInvocationError: when there aren't two dimensions.
        DagsterInvalidDefinitionError: when a dimension can't be one.

    >>> both = MultiPartitionsDefinition({
    ...     "date": TimeWindowPartitionsDefinition("2024-01-01", "%Y-%m-%d", "2024-01-03", cron_schedule="@daily"),
    ...     "region": StaticPartitionsDefinition(["north", "south"]),
    ... })
    >>> both.get_partition_keys()
    ['2024-01-01|north', '2024-01-01|south', '2024-01-02|north', '2024-01-02|south']
    """

    def __init__(self, partitions_defs: Mapping[str, PartitionsDefinition]) -> None:
        if len(partitions_defs) != DIMENSIONS:
            raise DagsterInvalidInvocationError(f"there are two dimensions, not {len(partitions_defs)}")
        for name, one in partitions_defs.items():
            if not isinstance(one, CUT):
                raise DagsterInvalidDefinitionError(
                    f"dimension `{name}` can't be cut by {type(one).__name__}", hint="by time, static or dynamic"
                )
            if isinstance(one, StaticPartitionsDefinition) and (unfit := [k for k in one.keys if UNFIT & set(k)]):
                raise DagsterInvalidDefinitionError(
                    f"`{unfit[0]}` of dimension `{name}` has one of {' '.join(sorted(UNFIT))} in it",
                    hint="these stand between dimensions and ranges",
                )
            if isinstance(one, DynamicPartitionsDefinition) and one.name is None:
                raise DagsterInvalidDefinitionError(
                    f"dimension `{name}` has dynamic partitions without a name", hint="give them a `name`"
                )
        self.dimensions = dict(sorted(partitions_defs.items()))

    # -- the dimensions -----------------------------------------------------------------------------------------------

    @property
    def partitions_defs(self) -> Sequence[PartitionDimensionDefinition]:
        """Return the dimensions, by name."""
        return [PartitionDimensionDefinition(name, one) for name, one in self.dimensions.items()]

    @property
    def partition_dimension_names(self) -> list[str]:
        """Return the names of the dimensions, in order."""
        return list(self.dimensions)

    def get_partitions_def_for_dimension(self, dimension_name: str) -> PartitionsDefinition:
        """Return the partitions of a dimension.

        Raises:
            CheckError: when there's none of this name.
        """
        if dimension_name not in self.dimensions:
            names = ", ".join(f"`{name}`" for name in self.dimensions)
            raise CheckError(f"there is no dimension `{dimension_name}`, but {names}")
        return self.dimensions[dimension_name]

    @property
    def time_window_dimension(self) -> PartitionDimensionDefinition:
        """Return the dimension that is cut by time.

        Raises:
            CheckError: when there isn't exactly one.
        """
        found = [one for one in self.partitions_defs if isinstance(one.partitions_def, TimeWindowPartitionsDefinition)]
        if len(found) != 1:
            raise CheckError(f"{len(found)} dimensions are cut by time, not one")
        return found[0]

    @property
    def has_time_window_dimension(self) -> bool:
        """Tell whether a dimension is cut by time."""
        return any(isinstance(one, TimeWindowPartitionsDefinition) for one in self.dimensions.values())

    @property
    def primary_dimension(self) -> PartitionDimensionDefinition:
        """Return the dimension by which ranges go: that of time, where there's one, else the first."""
        return self.time_window_dimension if self.has_time_window_dimension else self.partitions_defs[0]

    @property
    def secondary_dimension(self) -> PartitionDimensionDefinition:
        """Return the other dimension."""
        primary = self.primary_dimension.name
        return next(one for one in self.partitions_defs if one.name != primary)

    @property
    def time_window_partitions_def(self) -> TimeWindowPartitionsDefinition:
        """Return the partitions of the dimension that is cut by time."""
        return self.time_window_dimension.partitions_def  # type: ignore[return-value]

    # -- the keys -----------------------------------------------------------------------------------------------------

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> Sequence[MultiPartitionKey]:
        """Return the pairs, those of the first dimension's first key first."""
        given = current_time, dynamic_partitions_store
        return self.pairs({name: one.get_partition_keys(*given) for name, one in self.dimensions.items()})

    def pairs(self, keys: Mapping[str, Iterable[str]]) -> list[MultiPartitionKey]:
        """Return the keys with these of each dimension."""
        each = [keys[name] for name in self.dimensions]
        return [MultiPartitionKey(dict(zip(self.dimensions, pair, strict=True))) for pair in itertools.product(*each)]

    def get_num_partitions(self) -> int:
        """Return how many pairs there are."""
        first, second = (one.get_num_partitions() for one in self.dimensions.values())
        return first * second

    def has_partition_key(
        self, partition_key: str, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> bool:
        """Tell whether a key is one of them."""
        if not self.is_valid_key_format(partition_key):
            return False
        keys = self.get_partition_key_from_str(partition_key).keys_by_dimension
        if keys.keys() != self.dimensions.keys():
            return False
        given = current_time, dynamic_partitions_store
        return all(one.has_partition_key(keys[name], *given) for name, one in self.dimensions.items())

    def filter_valid_partition_keys(self, partition_keys: set[str]) -> set[str]:
        """Return those that are keys."""
        return {self.key_from(key) for key in partition_keys if self.has_partition_key(key)}

    def is_valid_key_format(self, partition_key: object) -> bool:
        """Tell whether a text has as many parts as there are dimensions."""
        return isinstance(partition_key, str) and len(partition_key.split(BETWEEN)) == len(self.dimensions)

    def get_partition_key_from_str(self, partition_key_str: str) -> MultiPartitionKey:
        """Return the key that a text stands for; it needn't be one of them.

        Raises:
            CheckError: when it has more or fewer parts than there are dimensions.
        """
        if isinstance(partition_key_str, MultiPartitionKey):
            if partition_key_str.keys_by_dimension.keys() == self.dimensions.keys():
                return partition_key_str
            return self.get_partition_key_from_str(str(partition_key_str))  # of other dimensions: the text counts
        if not self.is_valid_key_format(partition_key_str):
            shape = BETWEEN.join(self.dimensions)
            raise CheckError(f"`{partition_key_str}` isn't a key of two dimensions, written as `{shape}`")
        return MultiPartitionKey(dict(zip(self.dimensions, partition_key_str.split(BETWEEN), strict=True)))

    def key_from(self, text: str) -> str:
        """Return a key from the text that a tag or a person gives; what has another shape stays as it is."""
        return self.get_partition_key_from_str(text) if self.is_valid_key_format(text) else text

    def get_partition_keys_in_range(
        self, partition_key_range: PartitionKeyRange, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """Return the keys that lie between two in both dimensions.

        Raises:
            DagsterInvalidInvocationError: when one of the two isn't a key.
        """
        start, end = (self.get_partition_key_from_str(key).keys_by_dimension for key in partition_key_range)
        between = {
            name: one.get_partition_keys_in_range(PartitionKeyRange(start[name], end[name]), dynamic_partitions_store)
            for name, one in self.dimensions.items()
        }
        return self.pairs(between)

    def ranges_of(self, chosen: Collection[str]) -> list[PartitionKeyRange]:
        """Return chosen keys as ranges along one dimension, for each key of the one of which fewer are among them."""
        parts = [self.get_partition_key_from_str(key).keys_by_dimension for key in chosen]
        across, along = sorted(self.dimensions, key=lambda name: len({one[name] for one in parts}))
        rows: dict[str, set[str]] = {}
        for one in parts:
            rows.setdefault(one[across], set()).add(one[along])
        return [
            PartitionKeyRange(*(MultiPartitionKey({across: row, along: end}) for end in found))
            for row in self.dimensions[across].get_partition_keys()
            if row in rows
            for found in self.dimensions[along].ranges_of(rows[row])
        ]

    def get_multipartition_keys_with_dimension_value(
        self, dimension_name: str, dimension_partition_key: str, **_: Any
    ) -> Sequence[MultiPartitionKey]:
        """Return the keys with a key of one dimension."""
        return self.get_multipartition_keys_with_dimension_values(dimension_name, [dimension_partition_key])

    def get_multipartition_keys_with_dimension_values(
        self, dimension_name: str, dimension_partition_keys: Sequence[str], **_: Any
    ) -> Sequence[MultiPartitionKey]:
        """Return the keys with some keys of one dimension."""
        self.get_partitions_def_for_dimension(dimension_name)
        keys = {name: one.get_partition_keys() for name, one in self.dimensions.items() if name != dimension_name}
        return self.pairs({**keys, dimension_name: dimension_partition_keys})

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """Return the window of a key's part that is by time."""
        dimension = self.time_window_dimension
        key = self.get_partition_key_from_str(partition_key).keys_by_dimension[dimension.name]
        return self.time_window_partitions_def.time_window_for_partition_key(key)

    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        """Return the tags that a run of a partition gets: the key, and that of each dimension."""
        key = self.get_partition_key_from_str(partition_key)
        return {PARTITION_TAG: str(key), **self.dimension_tags(key)}

    def dimension_tags(self, partition_key: str) -> Mapping[str, str]:
        """Return the tags that say the key of each dimension, of a run and of what it made."""
        key = self.get_partition_key_from_str(partition_key)
        return {f"{PARTITION_TAG}/{name}": one for name, one in key.keys_by_dimension.items()}

    # -- as a value ---------------------------------------------------------------------------------------------------

    def unknown(self, partition_key: str) -> Any:
        """Return the error for what isn't a key, which says of which dimension it isn't."""
        error = super().unknown(partition_key)
        if not self.is_valid_key_format(partition_key):
            return type(error)(error.message, hint=f"a key is written as `{BETWEEN.join(self.dimensions)}`")
        key = self.get_partition_key_from_str(partition_key)
        for name, one in self.dimensions.items():
            part = key.keys_by_dimension.get(name, "")
            if not one.has_partition_key(part):
                hint = closest(part, one.get_partition_keys())
                return type(error)(f"dimension `{name}` has no partition `{part}`", hint=hint)
        return error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultiPartitionsDefinition):
            return NotImplemented
        return self is other or self.dimensions == other.dimensions

    def __hash__(self) -> int:
        return hash(tuple(self.dimensions.items()))

    def __repr__(self) -> str:
        return f"MultiPartitionsDefinition({self.dimensions!r})"

    def __str__(self) -> str:
        return "; ".join(f"{name}: {one}" for name, one in self.dimensions.items())
