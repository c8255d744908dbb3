"""Partitions: the keys into which an asset or a job is cut, each of which is made by itself.

Here is what all kinds share, and the kind whose keys are written down.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterUnknownPartitionError,
    closest,
)
from ipy_orch.model.partitions.contexts import PartitionLoadingContext, partition_loading_context

if TYPE_CHECKING:
    from ipy_orch.model.partitions.subsets import PartitionsSubset

__all__ = [
    "Partition",
    "PartitionKeyRange",
    "PartitionsDefinition",
    "StaticPartitionsDefinition",
    "TimeWindow",
    "ranges_in",
    "valid_keys",
]

FORBIDDEN: Final = ("...", "\a", "\b", "\f", "\n", "\r", "\t", "\v", "\0")
PARTITION_TAG: Final = "dagster/partition"


class PartitionKeyRange(NamedTuple):
    """Be the partitions from one key to another, both included."""

    start: str
    end: str


class TimeWindow(NamedTuple):
    """Be the time from one moment on, until before another."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Partition:
    """Be a value with a name; its key is enough nowadays."""

    value: Any
    name: str = ""

    def __init__(self, value: Any, name: str | None = None) -> None:
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "name", str(value) if name is None else name)

    def __str__(self) -> str:
        return self.name


class PageOfKeys(NamedTuple):
    """Be some of the keys, with the cursor of those that follow."""

    results: list[str]
    cursor: str
    has_more: bool


class PartitionsDefinition(ABC):
    """Say into which partitions something is cut. Keys are unique, and in an order."""

    # -- which partitions there are -----------------------------------------------------------------------------------

    @abstractmethod
    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """Return the keys, in order.

        Args:
            current_time: as of when; by default now, or as :func:`partition_loading_context` says.
            dynamic_partitions_store: where dynamic partitions are kept: an instance.
        """

    def has_partition_key(
        self, partition_key: str, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> bool:
        """Tell whether a key is one of them."""
        return partition_key in self.get_partition_keys(current_time, dynamic_partitions_store)

    def get_num_partitions(self) -> int:
        """Return how many partitions there are."""
        return len(self.get_partition_keys())

    def get_first_partition_key(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> str | None:
        """Return the first key, None when there's none."""
        return next(iter(self.get_partition_keys(current_time, dynamic_partitions_store)), None)

    def get_last_partition_key(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> str | None:
        """Return the last key, None when there's none."""
        keys = self.get_partition_keys(current_time, dynamic_partitions_store)
        return keys[-1] if keys else None

    def get_partition_keys_in_range(
        self, partition_key_range: PartitionKeyRange, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """Return the keys from one to another, both included; none when they are the wrong way round.

        Raises:
            DagsterInvalidInvocationError: when one of the two isn't a key, with the closest.
        """
        keys = self.get_partition_keys(dynamic_partitions_store=dynamic_partitions_store)
        place = {key: number for number, key in enumerate(keys)}
        for key in partition_key_range:
            if key not in place:
                raise DagsterInvalidInvocationError(f"there is no partition `{key}`", hint=closest(str(key), keys))
        start, end = (place[key] for key in partition_key_range)
        return keys[start : end + 1]

    def ranges_of(self, chosen: Collection[str]) -> list[PartitionKeyRange]:
        """Return chosen keys as ranges of neighbours."""
        return ranges_in(self.get_partition_keys(), chosen)

    def get_paginated_partition_keys(
        self, context: PartitionLoadingContext, limit: int, ascending: bool, cursor: str | None = None
    ) -> PageOfKeys:
        """Return some of the keys, and where to go on.

        Args:
            context: as of when, and with which dynamic partitions.
            cursor: of the page before.
        """
        with partition_loading_context(new_ctx=context):
            keys = self.get_partition_keys()
        start = int(cursor or 0)
        ordered = keys if ascending else keys[::-1]
        page = list(ordered[start : start + limit])
        return PageOfKeys(page, str(start + len(page)), start + len(page) < len(keys))

    def filter_valid_partition_keys(self, partition_keys: set[str]) -> set[str]:
        """Return those that are keys."""
        return partition_keys & set(self.get_partition_keys())

    def validate_partition_key(
        self, partition_key: str, context: Any = None, *, dynamic_partitions_store: Any = None
    ) -> None:
        """Refuse what isn't a key.

        Args:
            context: as of when, and with which dynamic partitions.

        Raises:
            DagsterUnknownPartitionError: with the closest.
        """
        with partition_loading_context(new_ctx=context, dynamic_partitions_store=dynamic_partitions_store):
            if not self.has_partition_key(partition_key):
                raise self.unknown(partition_key)

    def unknown(self, partition_key: str) -> DagsterUnknownPartitionError:
        """Return the error for what isn't a key."""
        keys = self.get_partition_keys()
        few = ", ".join(f"`{key}`" for key in keys[-3:])
        hint = closest(str(partition_key), keys) or (f"the last ones are {few}" if keys else "there are none yet")
        return DagsterUnknownPartitionError(f"there is no partition `{partition_key}`", hint=hint)

    def validate_partition_definition(self) -> None:
        """Refuse a definition in which two partitions have one key.

        Raises:
            DagsterInvalidDefinitionError: when it has.
        """
        _ = self

    # -- some of them -------------------------------------------------------------------------------------------------

    def empty_subset(self) -> PartitionsSubset:
        """Return none of them."""
        from ipy_orch.model.partitions.subsets import DefaultPartitionsSubset

        return DefaultPartitionsSubset()

    def subset_with_partition_keys(self, partition_keys: Iterable[str]) -> PartitionsSubset:
        """Return these of them."""
        return self.empty_subset().with_partition_keys(partition_keys)

    def subset_with_all_partitions(self) -> PartitionsSubset:
        """Return all of them."""
        return self.subset_with_partition_keys(self.get_partition_keys())

    def deserialize_subset(self, serialized: str) -> PartitionsSubset:
        """Return some of them, from what :meth:`PartitionsSubset.serialize` wrote."""
        return self.empty_subset().from_serialized(self, serialized)

    # -- what is said of them -----------------------------------------------------------------------------------------

    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        """Return the tags that a run of a partition gets."""
        return {PARTITION_TAG: partition_key}

    def get_serializable_unique_identifier(self, dynamic_partitions_store: Any = None) -> str:
        """Return a digest of what the definition says, and of the keys of dynamic partitions."""
        _ = dynamic_partitions_store
        return blake2b(repr(self).encode(), digest_size=16).hexdigest()

    def key_from(self, text: str) -> str:
        """Return a key from the text that a tag or a person gives."""
        return text


class StaticPartitionsDefinition(PartitionsDefinition):
    """Cut something into partitions whose keys are written down.

    Args:
        partition_keys: the keys, in order.

    Raises:
        DagsterInvalidDefinitionError: when one is there twice, or has a character that no key may have.
        CheckError: for what isn't a string.

    >>> StaticPartitionsDefinition(["north", "south"]).get_last_partition_key()
    'south'
    """

    def __init__(self, partition_keys: Sequence[str]) -> None:
        if isinstance(partition_keys, str):
            raise CheckError(f"`partition_keys` is a list of strings, not the string {partition_keys!r}")
        self.keys = valid_keys(partition_keys)
        self.known = frozenset(self.keys)
        if len(self.known) != len(self.keys):
            twice = next(key for key, many in Counter(self.keys).items() if many > 1)
            raise DagsterInvalidDefinitionError(f"partition `{twice}` is there twice")

    def get_partition_keys(
        self,
        current_time: datetime | None = None,  # noqa: ARG002 - they are always the same
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> Sequence[str]:
        """Return the keys, in order."""
        return list(self.keys)

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,  # noqa: ARG002
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> bool:
        """Tell whether a key is one of them."""
        return partition_key in self.known

    def get_num_partitions(self) -> int:
        """Return how many partitions there are."""
        return len(self.keys)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StaticPartitionsDefinition):
            return NotImplemented
        return self is other or self.keys == other.keys

    def __hash__(self) -> int:
        return hash(self.keys)

    def __repr__(self) -> str:
        return f"StaticPartitionsDefinition({list(self.keys)!r})"

    def __str__(self) -> str:
        return ", ".join(f"'{key}'" for key in self.keys)


def valid_keys(keys: Iterable[Any]) -> tuple[str, ...]:
    """Return the keys, when each can be one.

    Raises:
        DagsterInvalidDefinitionError: when one has a character that would break paths, ranges or lines.
        CheckError: for what isn't a string.
    """
    found = tuple(keys)
    for key in found:
        if not isinstance(key, str):
            raise CheckError(f"a partition key is a string, not {key!r}")
        for part in FORBIDDEN:
            if part in key:
                raise DagsterInvalidDefinitionError(
                    f"the partition key {key!r} has {part!r} in it, which none may have"
                )
    return found


def ranges_in(keys: Sequence[str], chosen: Collection[str]) -> list[PartitionKeyRange]:
    """Return the chosen keys as ranges of neighbours among all of them.

    >>> ranges_in(["a", "b", "c", "d"], {"a", "b", "d"})
    [PartitionKeyRange(start='a', end='b'), PartitionKeyRange(start='d', end='d')]
    """
    found: list[PartitionKeyRange] = []
    inside = False
    for key in keys:
        if key not in chosen:
            inside = False
        elif inside:
            found[-1] = PartitionKeyRange(found[-1].start, key)
        else:
            found.append(PartitionKeyRange(key, key))
            inside = True
    return found
