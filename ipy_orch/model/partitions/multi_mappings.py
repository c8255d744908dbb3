"""Which partitions in two dimensions are read, dimension by dimension."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from ipy_orch.errors import CheckError
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.partitions.mappings import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    PartitionMapping,
    UpstreamPartitionsResult,
)
from ipy_orch.model.partitions.multi import MultiPartitionKey, MultiPartitionsDefinition
from ipy_orch.model.partitions.subsets import DefaultPartitionsSubset, PartitionsSubset
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.time_mappings import TimeWindowPartitionMapping

__all__ = [
    "DimensionPartitionMapping",
    "MultiPartitionMapping",
    "MultiToSingleDimensionPartitionMapping",
    "infer_partition_mapping",
]

Parts: TypeAlias = Mapping[str, str]  # dimension -> key; of partitions in one dimension, the one without a name
ALONE = ""


@dataclass(frozen=True)
class DimensionPartitionMapping:
    """Say which dimension downstream one upstream is read by, and how.

    Args:
        dimension_name: that downstream.
    """

    dimension_name: str
    partition_mapping: PartitionMapping


@dataclass(frozen=True)
class Link:
    """Tie a dimension upstream to one downstream."""

    upstream: str
    downstream: str
    mapping: PartitionMapping


class ByDimension(PartitionMapping):
    """Be a mapping that goes dimension by dimension; a dimension that isn't tied to another is read whole."""

    @abstractmethod
    def links(self, upstream: PartitionsDefinition, downstream: PartitionsDefinition | None) -> Sequence[Link]:
        """Return the dimensions that are tied to each other.

        Raises:
            CheckError: when the mapping doesn't fit the partitions.
        """

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Refuse partitions that it can't map.

        Raises:
            CheckError: when it names a dimension that isn't there, or needs to be told one.
            DagsterInvalidDefinitionError: when two dimensions that it ties can't be.
        """
        for link in self.links(upstream_partitions_def, downstream_partitions_def):
            upstream, downstream = dimensions(upstream_partitions_def), dimensions(downstream_partitions_def)
            link.mapping.validate_partition_mapping(upstream[link.upstream], downstream[link.downstream])

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> UpstreamPartitionsResult:
        """Return the partitions upstream that some downstream read."""
        if downstream_partitions_subset is None or downstream_partitions_def is None:
            raise CheckError("what has no partitions can't be mapped dimension by dimension")
        with partition_loading_context(current_time, dynamic_partitions_store):
            links = self.links(upstream_partitions_def, downstream_partitions_def)
            upstream, downstream = dimensions(upstream_partitions_def), dimensions(downstream_partitions_def)
            missing: set[str] = set()

            def read(link: Link, key: str) -> Iterable[str]:
                cut = downstream[link.downstream]
                result = link.mapping.get_upstream_mapped_partitions_result_for_partitions(
                    cut.subset_with_partition_keys([key]), cut, upstream[link.upstream]
                )
                missing.update(result.required_but_nonexistent_subset.get_partition_keys())
                return result.partitions_subset.get_partition_keys()

            tied = {link.upstream: (link.downstream, link) for link in links}
            keys = crossed(downstream_partitions_subset, downstream_partitions_def, upstream, tied, read)
            subset = upstream_partitions_def.subset_with_partition_keys(keys)
            return UpstreamPartitionsResult(subset, DefaultPartitionsSubset(missing))

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> PartitionsSubset:
        """Return the partitions downstream that read some upstream."""
        with partition_loading_context(current_time, dynamic_partitions_store):
            links = self.links(upstream_partitions_def, downstream_partitions_def)
            upstream, downstream = dimensions(upstream_partitions_def), dimensions(downstream_partitions_def)

            def readers(link: Link, key: str) -> Iterable[str]:
                cut = upstream[link.upstream]
                return link.mapping.get_downstream_partitions_for_partitions(
                    cut.subset_with_partition_keys([key]), cut, downstream[link.downstream]
                ).get_partition_keys()

            tied = {link.downstream: (link.upstream, link) for link in links}
            keys = crossed(upstream_partitions_subset, upstream_partitions_def, downstream, tied, readers)
            return downstream_partitions_def.subset_with_partition_keys(keys)


def crossed(
    chosen: PartitionsSubset,
    cut: PartitionsDefinition,
    others: Mapping[str, PartitionsDefinition],
    tied: Mapping[str, tuple[str, Link]],
    across: Any,
) -> set[str]:
    """Return the keys on the other side of chosen ones.

    Args:
        others: the dimensions of the other side.
        tied: dimension of the other side -> dimension of this one, with how.
        across: returns the keys on the other side of a key of one dimension.
    """
    whole = {name: list(one.get_partition_keys()) for name, one in others.items() if name not in tied}
    known: dict[tuple[str, str], list[str]] = {}

    def keys_in(name: str, parts: Parts) -> list[str]:
        if name in whole:
            return whole[name]
        here, link = tied[name]
        if (name, parts[here]) not in known:
            known[name, parts[here]] = list(across(link, parts[here]))
        return known[name, parts[here]]

    found: set[str] = set()
    done: set[tuple[str, ...]] = set()
    for key in chosen.get_partition_keys():
        parts = parts_of(cut, key)
        what = tuple(parts[here] for here, _ in tied.values())
        if what not in done:  # dimensions that nothing is tied to would give the same again
            done.add(what)
            found.update(joined(others, pair) for pair in itertools.product(*(keys_in(name, parts) for name in others)))
    return found


def dimensions(one: PartitionsDefinition | None) -> Mapping[str, PartitionsDefinition]:
    """Return dimension -> its partitions."""
    if one is None:
        return {}
    return one.dimensions if isinstance(one, MultiPartitionsDefinition) else {ALONE: one}


def parts_of(cut: PartitionsDefinition, key: str) -> Parts:
    """Return dimension -> key."""
    if not isinstance(cut, MultiPartitionsDefinition):
        return {ALONE: key}
    return cut.get_partition_key_from_str(key).keys_by_dimension


def joined(cut: Iterable[str], keys: Sequence[str]) -> str:
    """Return the key with these of each dimension."""
    parts = dict(zip(cut, keys, strict=True))
    return parts[ALONE] if ALONE in parts else MultiPartitionKey(parts)


@dataclass(frozen=True)
class MultiPartitionMapping(ByDimension):
    """Have partitions in two dimensions read others in two dimensions.

    Args:
        downstream_mappings_by_upstream_dimension: dimension upstream -> which one downstream, and how; one that isn't
            there is read whole.

    Raises:
        CheckError: for what isn't such a mapping.
    """

    downstream_mappings_by_upstream_dimension: Mapping[str, DimensionPartitionMapping]

    def __post_init__(self) -> None:
        for name, one in self.downstream_mappings_by_upstream_dimension.items():
            if not isinstance(one, DimensionPartitionMapping):
                raise CheckError(f"dimension `{name}` is mapped by a DimensionPartitionMapping, not {one!r}")

    def __hash__(self) -> int:
        return hash(tuple(self.downstream_mappings_by_upstream_dimension))

    def links(self, upstream: PartitionsDefinition, downstream: PartitionsDefinition | None) -> Sequence[Link]:
        """Return the dimensions that are tied to each other.

        Raises:
            CheckError: when it names a dimension that isn't there.
        """
        if not isinstance(upstream, MultiPartitionsDefinition) or not isinstance(downstream, MultiPartitionsDefinition):
            raise CheckError("a MultiPartitionMapping is for partitions in two dimensions on both sides")
        links = [
            Link(name, one.dimension_name, one.partition_mapping)
            for name, one in self.downstream_mappings_by_upstream_dimension.items()
        ]
        for link in links:
            upstream.get_partitions_def_for_dimension(link.upstream)
            downstream.get_partitions_def_for_dimension(link.downstream)
        if len({link.downstream for link in links}) != len(links):
            raise CheckError("two dimensions upstream are read by one dimension downstream")
        return links

    def reads_earlier_only(self, cut: PartitionsDefinition | None) -> bool:
        """Tell whether each partition reads only those that are earlier in the dimension of time."""
        mapped = self.downstream_mappings_by_upstream_dimension.items()
        return any(
            isinstance(dimensions(cut).get(name), TimeWindowPartitionsDefinition)
            and one.partition_mapping.reads_earlier_only(cut)
            for name, one in mapped
        )

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        said = self.downstream_mappings_by_upstream_dimension.items()
        each = (f"`{name}` by `{one.dimension_name}`: {one.partition_mapping.description}" for name, one in said)
        return "; ".join(each) or "each partition reads all partitions upstream"


@dataclass(frozen=True)
class MultiToSingleDimensionPartitionMapping(ByDimension):
    """Have partitions in one dimension read others in two, of which one dimension is the same, or the other way round.

    Args:
        partition_dimension_name: the dimension of the side with two; by default the one that fits.
    """

    partition_dimension_name: str | None = None

    def links(self, upstream: PartitionsDefinition, downstream: PartitionsDefinition | None) -> Sequence[Link]:
        """Return the dimension that is tied to the other side.

        Raises:
            CheckError: when not exactly one side has two dimensions, or none or both of them fit.
        """
        reads_two = isinstance(upstream, MultiPartitionsDefinition)
        if downstream is None or reads_two == isinstance(downstream, MultiPartitionsDefinition):
            raise CheckError("exactly one side must have two dimensions")
        two, one = (upstream, downstream) if reads_two else (downstream, upstream)
        name = self.dimension(two, one)  # type: ignore[arg-type]
        mapping = plain_mapping(dimensions(two)[name], one)
        return [Link(name, ALONE, mapping) if reads_two else Link(ALONE, name, mapping)]

    def dimension(self, two: MultiPartitionsDefinition, one: PartitionsDefinition) -> str:
        """Return the dimension that is tied to the other side.

        Raises:
            CheckError: when none fits, or both do.
        """
        if self.partition_dimension_name is not None:
            self.fits(two.get_partitions_def_for_dimension(self.partition_dimension_name), one)
            return self.partition_dimension_name
        fitting = fitting_dimensions(two, one)
        if len(fitting) != 1:
            many = "no dimension fits" if not fitting else "two dimensions fit"
            raise CheckError(f"{many} the partitions of the other side: say which one, `partition_dimension_name=...`")
        return fitting[0]

    def fits(self, dimension: PartitionsDefinition, one: PartitionsDefinition) -> None:
        """Refuse a dimension that can't be tied to the other side.

        Raises:
            CheckError: saying which.
        """
        if not can_tie(dimension, one):
            raise CheckError(
                f"dimension `{self.partition_dimension_name}` isn't that of the other side, nor are both by time"
            )

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        which = f"dimension `{self.partition_dimension_name}`" if self.partition_dimension_name else "one dimension"
        return f"{which} is the same on both sides; the other is read whole"


def can_tie(dimension: PartitionsDefinition, one: PartitionsDefinition) -> bool:
    """Tell whether partitions in one dimension are those of a dimension, or both are by time."""
    both = isinstance(dimension, TimeWindowPartitionsDefinition) and isinstance(one, TimeWindowPartitionsDefinition)
    return both or dimension == one


def fitting_dimensions(two: MultiPartitionsDefinition, one: PartitionsDefinition) -> list[str]:
    """Return the dimensions that partitions in one dimension can be tied to: the equal ones, else those by time."""
    same = [name for name, dimension in two.dimensions.items() if dimension == one]
    return same or [name for name, dimension in two.dimensions.items() if can_tie(dimension, one)]


def plain_mapping(upstream: PartitionsDefinition, downstream: PartitionsDefinition) -> PartitionMapping:
    """Return how partitions in one dimension are read where nobody said it: by time, else by the same key."""
    by_time = isinstance(upstream, TimeWindowPartitionsDefinition)
    if by_time and isinstance(downstream, TimeWindowPartitionsDefinition):
        return TimeWindowPartitionMapping()
    return IdentityPartitionMapping()


def infer_partition_mapping(
    partition_mapping: PartitionMapping | None,
    downstream_partitions_def: PartitionsDefinition | None,
    upstream_partitions_def: PartitionsDefinition | None,
) -> PartitionMapping:
    """Return how partitions are read: as was said, else as their kinds suggest."""
    upstream, downstream = upstream_partitions_def, downstream_partitions_def
    if partition_mapping is not None:
        return partition_mapping
    if upstream is None or downstream is None:
        return AllPartitionMapping()
    two = [one for one in (upstream, downstream) if isinstance(one, MultiPartitionsDefinition)]
    if len(two) == 1 and fitting_dimensions(two[0], downstream if two[0] is upstream else upstream):
        return MultiToSingleDimensionPartitionMapping()
    return plain_mapping(upstream, downstream)
