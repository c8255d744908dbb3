"""Some of the partitions of a definition, as a set of keys."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ipy_orch.model.partitions.definition import PartitionKeyRange, PartitionsDefinition

__all__ = ["DefaultPartitionsSubset", "PartitionsSubset", "as_keys"]


class PartitionsSubset(ABC):
    """Be some of the partitions of a definition; ``|``, ``&`` and ``-`` do what they do with sets."""

    @abstractmethod
    def get_partition_keys(self) -> Collection[str]:
        """Return the keys."""

    @abstractmethod
    def with_partition_keys(self, partition_keys: Iterable[str]) -> PartitionsSubset:
        """Return the partitions, and these."""

    @abstractmethod
    def serialize(self) -> str:
        """Return it as text that :meth:`PartitionsDefinition.deserialize_subset` reads."""

    @abstractmethod
    def from_serialized(self, partitions_def: PartitionsDefinition, serialized: str) -> PartitionsSubset:
        """Return a subset of the same kind from its text."""

    def with_partition_key_range(
        self, partitions_def: PartitionsDefinition, partition_key_range: PartitionKeyRange
    ) -> PartitionsSubset:
        """Return the partitions, and those of a range."""
        return self.with_partition_keys(partitions_def.get_partition_keys_in_range(partition_key_range))

    def get_partition_key_ranges(
        self,
        partitions_def: PartitionsDefinition,
        respect_bounds: bool = True,  # noqa: ARG002 - Dagster's argument
    ) -> Sequence[PartitionKeyRange]:
        """Return the partitions as ranges of neighbours."""
        return partitions_def.ranges_of(set(self.get_partition_keys()))

    def get_partition_keys_not_in_subset(self, partitions_def: PartitionsDefinition) -> Sequence[str]:
        """Return the keys of the other partitions, in order."""
        return [key for key in partitions_def.get_partition_keys() if key not in self]

    @property
    def is_empty(self) -> bool:
        """Tell whether it's none of them."""
        return len(self) == 0

    def empty_subset(self) -> PartitionsSubset:
        """Return none of them."""
        return self - self

    @abstractmethod
    def __or__(self, other: PartitionsSubset) -> PartitionsSubset: ...
    @abstractmethod
    def __and__(self, other: PartitionsSubset) -> PartitionsSubset: ...
    @abstractmethod
    def __sub__(self, other: PartitionsSubset) -> PartitionsSubset: ...
    @abstractmethod
    def __contains__(self, key: object) -> bool: ...

    def __iter__(self) -> Iterator[str]:
        return iter(self.get_partition_keys())

    def __len__(self) -> int:
        return len(self.get_partition_keys())


class DefaultPartitionsSubset(PartitionsSubset):
    """Be a set of keys."""

    def __init__(self, subset: Iterable[str] = ()) -> None:
        self.subset = frozenset(subset)

    def get_partition_keys(self) -> Collection[str]:
        """Return the keys."""
        return self.subset

    def with_partition_keys(self, partition_keys: Iterable[str]) -> DefaultPartitionsSubset:
        """Return the partitions, and these."""
        return DefaultPartitionsSubset(self.subset.union(partition_keys))

    def serialize(self) -> str:
        """Return it as JSON."""
        return json.dumps({"version": 1, "subset": sorted(self.subset)})

    def from_serialized(self, partitions_def: PartitionsDefinition, serialized: str) -> DefaultPartitionsSubset:
        """Return a subset from its JSON; a plain list is of an older version."""
        told = json.loads(serialized)
        keys = told["subset"] if isinstance(told, dict) else told
        return DefaultPartitionsSubset(partitions_def.key_from(key) for key in keys)

    def __or__(self, other: PartitionsSubset) -> DefaultPartitionsSubset:
        return DefaultPartitionsSubset(self.subset.union(other.get_partition_keys()))

    def __and__(self, other: PartitionsSubset) -> DefaultPartitionsSubset:
        return DefaultPartitionsSubset(self.subset.intersection(other.get_partition_keys()))

    def __sub__(self, other: PartitionsSubset) -> DefaultPartitionsSubset:
        return DefaultPartitionsSubset(self.subset.difference(other.get_partition_keys()))

    def __contains__(self, key: object) -> bool:
        return key in self.subset

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionsSubset):
            return NotImplemented
        return self.subset == frozenset(other.get_partition_keys())

    def __hash__(self) -> int:
        return hash(self.subset)

    def __repr__(self) -> str:
        return f"DefaultPartitionsSubset(subset={set(self.subset)!r})"


def as_keys(
    subset: PartitionsSubset,
    partitions_def: PartitionsDefinition,
    current_time: datetime | None = None,
    dynamic_partitions_store: Any = None,
) -> list[str]:
    """Return the keys of a subset in the order of the definition; those that it doesn't have come last."""
    chosen = subset.get_partition_keys()
    if isinstance(chosen, list) or len(chosen) < 2:  # a list is in order already
        return list(chosen)
    ordered = [
        key for key in partitions_def.get_partition_keys(current_time, dynamic_partitions_store) if key in chosen
    ]
    return ordered if len(ordered) == len(chosen) else [*ordered, *sorted(set(chosen) - set(ordered))]
