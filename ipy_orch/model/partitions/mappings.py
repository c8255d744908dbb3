"""Which partitions of an asset those of another read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import PartitionsDefinition, StaticPartitionsDefinition
from ipy_orch.model.partitions.subsets import PartitionsSubset
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition

__all__ = [
    "AllPartitionMapping",
    "IdentityPartitionMapping",
    "LastPartitionMapping",
    "PartitionMapping",
    "SpecificPartitionsPartitionMapping",
    "StaticPartitionMapping",
    "UpstreamPartitionsResult",
]


@dataclass(frozen=True)
class UpstreamPartitionsResult:
    """Be the partitions that are read.

    Args:
        partitions_subset: those that are there.
        required_but_nonexistent_subset: those that are read by rule, and aren't there.
    """

    partitions_subset: PartitionsSubset
    required_but_nonexistent_subset: PartitionsSubset

    @property
    def required_but_nonexistent_partition_keys(self) -> Sequence[str]:
        """Return the keys of those that aren't there."""
        return sorted(self.required_but_nonexistent_subset.get_partition_keys())


class PartitionMapping(ABC):
    """Tell which partitions of an asset those of another read, and the other way round."""

    @abstractmethod
    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> UpstreamPartitionsResult:
        """Return the partitions upstream that some downstream read.

        Args:
            downstream_partitions_subset: None, when what reads has no partitions.
        """

    @abstractmethod
    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> PartitionsSubset:
        """Return the partitions downstream that read some upstream."""

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Refuse partitions that it can't map; by default, there are none.

        Raises:
            DagsterInvalidDefinitionError: saying why.
        """
        _ = upstream_partitions_def, downstream_partitions_def

    def reads_earlier_only(self, cut: PartitionsDefinition | None) -> bool:
        """Tell whether each partition of ``cut`` reads only earlier ones, as one of an asset that reads itself must."""
        _ = cut
        return False

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        return ""


def found(keys: Iterable[str], upstream: PartitionsDefinition) -> UpstreamPartitionsResult:
    """Return a result of keys all of which are there."""
    return UpstreamPartitionsResult(upstream.subset_with_partition_keys(keys), upstream.empty_subset())


def by_existence(keys: Iterable[str], upstream: PartitionsDefinition) -> UpstreamPartitionsResult:
    """Return a result of keys of which some may not be there."""
    from ipy_orch.model.partitions.subsets import DefaultPartitionsSubset

    wanted = set(keys)
    here = upstream.filter_valid_partition_keys(wanted)
    return UpstreamPartitionsResult(upstream.subset_with_partition_keys(here), DefaultPartitionsSubset(wanted - here))


class EachReadsTheSame(PartitionMapping):
    """Be a mapping in which all partitions downstream read the same."""

    @abstractmethod
    def read_by_all(self, upstream: PartitionsDefinition) -> Collection[str]:
        """Return the keys that all read."""

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,  # noqa: ARG002
        downstream_partitions_def: PartitionsDefinition | None,  # noqa: ARG002
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> UpstreamPartitionsResult:
        """Return what all read."""
        with partition_loading_context(current_time, dynamic_partitions_store):
            return UpstreamPartitionsResult(
                self.subset_read_by_all(upstream_partitions_def), upstream_partitions_def.empty_subset()
            )

    def subset_read_by_all(self, upstream: PartitionsDefinition) -> PartitionsSubset:
        """Return what all read."""
        return upstream.subset_with_partition_keys(self.read_by_all(upstream))

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> PartitionsSubset:
        """Return all, when one of those that are read is among them, else none."""
        with partition_loading_context(current_time, dynamic_partitions_store):
            read = self.read_by_all(upstream_partitions_def)
            if any(key in upstream_partitions_subset for key in read):
                return downstream_partitions_def.subset_with_all_partitions()
            return downstream_partitions_def.empty_subset()


@dataclass(frozen=True)
class AllPartitionMapping(EachReadsTheSame):
    """Have each partition read all of those upstream."""

    def read_by_all(self, upstream: PartitionsDefinition) -> Collection[str]:
        """Return all keys."""
        return upstream.get_partition_keys()

    def subset_read_by_all(self, upstream: PartitionsDefinition) -> PartitionsSubset:
        """Return all; of windows without looking at each."""
        return upstream.subset_with_all_partitions()

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        return "each partition reads all partitions upstream"


@dataclass(frozen=True)
class LastPartitionMapping(EachReadsTheSame):
    """Have each partition read the last one upstream."""

    def read_by_all(self, upstream: PartitionsDefinition) -> Collection[str]:
        """Return the last key, where there's one."""
        last = upstream.get_last_partition_key()
        return [] if last is None else [last]

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        return "each partition reads the last partition upstream"


@dataclass(frozen=True)
class SpecificPartitionsPartitionMapping(EachReadsTheSame):
    """Have each partition read these upstream.

    Args:
        partition_keys: which.
    """

    partition_keys: Sequence[str]

    def __init__(self, partition_keys: Iterable[str]) -> None:
        object.__setattr__(self, "partition_keys", tuple(partition_keys))

    def read_by_all(self, upstream: PartitionsDefinition) -> Collection[str]:
        """Return the keys."""
        return [upstream.key_from(key) for key in self.partition_keys]

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        return f"each partition reads {', '.join(self.partition_keys)} upstream"


@dataclass(frozen=True)
class IdentityPartitionMapping(PartitionMapping):
    """Have each partition read the one with the same key."""

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> UpstreamPartitionsResult:
        """Return the partitions of the same keys.

        Raises:
            CheckError: when what reads has no partitions.
        """
        if downstream_partitions_subset is None:
            raise CheckError("what has no partitions reads none of the same key: map it in another way")
        with partition_loading_context(current_time, dynamic_partitions_store):
            if downstream_partitions_def == upstream_partitions_def:
                return UpstreamPartitionsResult(downstream_partitions_subset, upstream_partitions_def.empty_subset())
            return by_existence(downstream_partitions_subset.get_partition_keys(), upstream_partitions_def)

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> PartitionsSubset:
        """Return the partitions of the same keys."""
        with partition_loading_context(current_time, dynamic_partitions_store):
            if downstream_partitions_def == upstream_partitions_def:
                return upstream_partitions_subset
            return by_existence(
                upstream_partitions_subset.get_partition_keys(), downstream_partitions_def
            ).partitions_subset

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Refuse partitions of another kind.

        Raises:
            DagsterInvalidDefinitionError: naming both kinds.
        """
        kinds = [kind_of(one) for one in (upstream_partitions_def, downstream_partitions_def)]
        if kinds[0] is not kinds[1]:
            upstream, downstream = (kind.__name__ for kind in kinds)
            raise DagsterInvalidDefinitionError(
                f"partitions of `{downstream}` and `{upstream}` have no keys in common",
                hint="give a `partition_mapping`, e.g. AllPartitionMapping(); in cells `--partition-mapping INPUT=all`",
            )

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        return "each partition reads the partition upstream with the same key"


def kind_of(one: PartitionsDefinition | None) -> type:
    """Return the class of partitions; all that are by time are one kind."""
    return TimeWindowPartitionsDefinition if isinstance(one, TimeWindowPartitionsDefinition) else type(one)


class StaticPartitionMapping(PartitionMapping):
    """Say for each partition upstream which read it.

    Args:
        downstream_partition_keys_by_upstream_partition_key: key -> one key or several.

    Raises:
        CheckError: for what isn't a mapping of keys.

    >>> by_coast = StaticPartitionMapping({"boston": "east", "miami": "east", "reno": "west"})
    >>> sorted(by_coast.upstream_of["east"])
    ['boston', 'miami']
    """

    def __init__(
        self, downstream_partition_keys_by_upstream_partition_key: Mapping[str, str | Collection[str]]
    ) -> None:
        given = downstream_partition_keys_by_upstream_partition_key
        if not isinstance(given, Mapping):
            raise CheckError(f"a StaticPartitionMapping takes upstream key -> downstream keys, not {given!r}")
        self.downstream_partition_keys_by_upstream_partition_key = dict(given)
        self.downstream_of = {
            key: frozenset([keys] if isinstance(keys, str) else keys) for key, keys in sorted(given.items())
        }

    @cached_property
    def upstream_of(self) -> Mapping[str, set[str]]:
        """Return key downstream -> the keys upstream that it reads."""
        made: dict[str, set[str]] = {}
        for key, keys in self.downstream_of.items():
            for each in keys:
                made.setdefault(each, set()).add(key)
        return made

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Refuse partitions that aren't static, and keys that aren't there.

        Raises:
            DagsterInvalidDefinitionError: when partitions aren't static.
            ValueError: when a key isn't there, with the closest.
        """
        for side, partitions, named in (
            ("upstream", upstream_partitions_def, self.downstream_of),
            ("downstream", downstream_partitions_def, self.upstream_of),
        ):
            if not isinstance(partitions, StaticPartitionsDefinition):
                raise DagsterInvalidDefinitionError(f"the partitions {side} aren't static")
            for key in named:
                if not partitions.has_partition_key(key):
                    raise ValueError(f"there is no partition `{key}` {side} {closest(key, partitions.keys)}".strip())

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,  # noqa: ARG002
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> UpstreamPartitionsResult:
        """Return the partitions upstream that some downstream read.

        Raises:
            ValueError: when the mapping names a key that isn't there.
        """
        self.validate_partition_mapping(upstream_partitions_def, downstream_partitions_def)
        if downstream_partitions_subset is None:
            raise CheckError("what has no partitions can't be mapped key by key")
        keys = {up for key in downstream_partitions_subset.get_partition_keys() for up in self.upstream_of.get(key, ())}
        return found(keys, upstream_partitions_def)

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,  # noqa: ARG002
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> PartitionsSubset:
        """Return the partitions downstream that read some upstream."""
        self.validate_partition_mapping(upstream_partitions_def, downstream_partitions_def)
        chosen = upstream_partitions_subset.get_partition_keys()
        keys = {down for key in chosen for down in self.downstream_of.get(key, ())}
        return downstream_partitions_def.subset_with_partition_keys(keys)

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        each = (f"{key} → {', '.join(sorted(keys))}" for key, keys in self.downstream_of.items())
        return "; ".join(each)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StaticPartitionMapping):
            return NotImplemented
        return self.downstream_of == other.downstream_of

    def __hash__(self) -> int:
        return hash(tuple(self.downstream_of.items()))

    def __repr__(self) -> str:
        return f"StaticPartitionMapping({self.downstream_partition_keys_by_upstream_partition_key!r})"
