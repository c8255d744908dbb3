"""Which partitions a request makes, and which of what they read each of them reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.definitions import refuse_unmappable as unmappable
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.definition import PARTITION_TAG, PartitionKeyRange, PartitionsDefinition
from ipy_orch.model.partitions.mappings import IdentityPartitionMapping, PartitionMapping
from ipy_orch.model.partitions.multi_mappings import infer_partition_mapping
from ipy_orch.model.partitions.subsets import DefaultPartitionsSubset, as_keys
from ipy_orch.model.partitions.time_mappings import TimeWindowPartitionMapping

if TYPE_CHECKING:
    from ipy_orch.model.assets import AssetsDefinition
    from ipy_orch.planning.graph import AssetGraph
    from ipy_orch.planning.plan import Request

__all__ = [
    "RANGE_END_TAG",
    "RANGE_START_TAG",
    "Reading",
    "chosen_partitions",
    "distinct_cuts",
    "only_cut",
    "partitions_tags",
    "refuse_mappings_of",
    "refuse_unmappable",
    "wanted_partitions",
]

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
SAME_WINDOWS = (TimeWindowPartitionMapping(), TimeWindowPartitionMapping(0, 0, True))


@dataclass(frozen=True)
class Link:
    """Be how the partitions of one asset are read.

    Args:
        cut: how that asset is partitioned.
    """

    mapping: PartitionMapping
    cut: PartitionsDefinition

    @cached_property
    def is_same(self) -> bool:
        """Tell whether a partition reads the one of the same key, where both are cut alike."""
        return type(self.mapping) is IdentityPartitionMapping or self.mapping in SAME_WINDOWS


class Reading:
    """Tell which partitions of what it reads a step reads.

    Args:
        cut: how what it makes is partitioned, or None.
        partitions: those that it makes; none, when it isn't partitioned, or nobody said which.
        links: of those inputs that are partitioned.
    """

    __slots__ = ("cut", "known", "links", "partitions")

    def __init__(
        self, cut: PartitionsDefinition | None, partitions: tuple[str, ...], links: Mapping[AssetKey, Link]
    ) -> None:
        self.cut, self.partitions, self.links = cut, partitions, links
        self.known: dict[tuple[AssetKey, tuple[str, ...]], tuple[str, ...]] = {}

    def at(self, *partitions: str) -> Reading:
        """Return the same for a step that makes these partitions."""
        return Reading(self.cut, partitions if self.cut is not None else (), self.links)

    @staticmethod
    def of_assets(definition: AssetsDefinition, keys: Iterable[AssetKey], graph: AssetGraph) -> Reading:
        """Return what a step reads that makes these assets.

        Raises:
            DagsterInvalidDefinitionError: when they have different partitions.
        """
        specs = [definition.specs_by_key[key] for key in keys]
        cut = only_cut([spec.partitions_def for spec in specs], definition.label)
        said = {dep.asset_key: dep.partition_mapping for spec in specs for dep in spec.deps}
        return Reading(cut, (), links_to(said, cut, graph))

    @staticmethod
    def of_checks(
        definition: AssetsDefinition, checks: Iterable[AssetCheckKey], graph: AssetGraph, partitions: tuple[str, ...]
    ) -> Reading:
        """Return what a step reads that makes these checks: one that isn't partitioned, the same as its asset's run."""
        specs = [graph.checks[check] for check in checks]
        cut = only_cut([spec.partitions_def for spec in specs], definition.label)
        said = {dep.asset_key: dep.partition_mapping for spec in specs for dep in spec.additional_deps}
        said.update({spec.asset_key: None for spec in specs})
        if cut is None and partitions:
            cut = next((one for spec in specs if (one := cut_of(spec.asset_key, graph)) is not None), None)
        return Reading(cut, partitions if cut is not None else (), links_to(said, cut, graph))

    @staticmethod
    def of_op(
        cut: PartitionsDefinition | None, read: Mapping[AssetKey, AssetsDefinition], partitions: tuple[str, ...]
    ) -> Reading | None:
        """Return what an op reads that makes no asset; None where nothing has partitions."""
        cuts = {key: one.specs_by_key[key].partitions_def for key, one in read.items()}
        links = {
            key: Link(infer_partition_mapping(None, cut, one), one) for key, one in cuts.items() if one is not None
        }
        return Reading(cut, partitions, links) if links else None

    def all(self, key: AssetKey) -> tuple[str, ...] | None:
        """Return the partitions of an input that are read; None where it isn't partitioned, or nobody said which."""
        return self.of(key, *self.partitions)

    def of(self, key: AssetKey, *partitions: str) -> tuple[str, ...] | None:
        """Return the partitions of an input that some of the partitions read.

        Raises:
            DagsterInvariantViolationError: when one that must be there isn't.
        """
        link = self.links.get(key)
        if link is None or (self.cut is not None and not partitions):
            return None
        if (key, partitions) not in self.known:
            self.known[key, partitions] = mapped(key, link, self.cut, partitions)
        return self.known[key, partitions]


def mapped(key: AssetKey, link: Link, cut: PartitionsDefinition | None, partitions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the partitions of an asset that some of another read.

    Raises:
        DagsterInvariantViolationError: when one that must be there isn't.
    """
    if link.is_same and link.cut == cut:
        return partitions
    subset = cut.subset_with_partition_keys(partitions) if cut is not None else None
    found = link.mapping.get_upstream_mapped_partitions_result_for_partitions(subset, cut, link.cut)
    if not found.required_but_nonexistent_subset.is_empty:
        missing = found.required_but_nonexistent_partition_keys
        few = ", ".join(f"`{one}`" for one in missing[:3]) + (" ..." if missing[3:] else "")
        what = f"partition `{partitions[0]}` reads" if len(partitions) == 1 else f"{len(partitions)} partitions read"
        raise DagsterInvariantViolationError(
            f"{what} partitions of `{key.label}` that aren't there: {few}",
            hint="TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)",
        )
    return tuple(as_keys(found.partitions_subset, link.cut))


def links_to(
    said: Mapping[AssetKey, PartitionMapping | None], cut: PartitionsDefinition | None, graph: AssetGraph
) -> dict[AssetKey, Link]:
    """Return how the partitions of those dependencies that have some are read."""
    cuts = {key: found for key in said if (found := cut_of(key, graph)) is not None}
    return {key: Link(infer_partition_mapping(said[key], cut, one), one) for key, one in cuts.items()}


def cut_of(key: AssetKey, graph: AssetGraph) -> PartitionsDefinition | None:
    """Return how an asset is partitioned, None where it isn't or nothing knows it."""
    maker = graph.makers.get(key)
    return maker.specs_by_key[key].partitions_def if maker is not None else None


def distinct_cuts(cuts: Iterable[PartitionsDefinition | None]) -> list[PartitionsDefinition]:
    """Return the partitions of several, each once."""
    return list(dict.fromkeys(one for one in cuts if one is not None))


def only_cut(cuts: Iterable[PartitionsDefinition | None], what: str) -> PartitionsDefinition | None:
    """Return the one way in which several are partitioned; None where none is.

    Raises:
        DagsterInvalidDefinitionError: when there are two.
    """
    found = distinct_cuts(cuts)
    if len(found) > 1:
        raise DagsterInvalidDefinitionError(
            f"what runs together has the same partitions: in {what}, some are {found[0]}, and some {found[1]}",
            hint="select those with the same partitions",
        )
    return found[0] if found else None


# -- the partitions of a run ------------------------------------------------------------------------------------------


def chosen_partitions(
    cut: PartitionsDefinition | None, partition_key: str | None, tags: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the partitions that a run makes: one by its key or tag, or a range by tags.

    Raises:
        DagsterUnknownPartitionError: when there's no such partition.
        DagsterInvariantViolationError: when a range and a partition are given, or a range without an end.
        CheckError: when nothing that runs has partitions.
    """
    key = partition_key if partition_key is not None else tags.get(PARTITION_TAG)
    ends = [tags[tag] for tag in (RANGE_START_TAG, RANGE_END_TAG) if tag in tags]
    if key is None and not ends:
        return ()
    if cut is None:
        if partition_key is None:
            return () if key is None else (key,)
        raise CheckError(f"partition `{key}` is asked for, and nothing that runs has partitions")
    if not ends and key is not None:
        cut.validate_partition_key(key)
        return (cut.key_from(key),)
    if key is not None or len(ends) == 1:
        raise DagsterInvariantViolationError(
            f"a run has a partition, or a range with `{RANGE_START_TAG}` and `{RANGE_END_TAG}`"
        )
    return tuple(cut.get_partition_keys_in_range(PartitionKeyRange(*map(cut.key_from, ends))))


def partitions_tags(
    cut: PartitionsDefinition | None, partitions: Sequence[str], tags: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags of a run, with those of its partition."""
    own = cut.get_tags_for_partition_key(partitions[0]) if cut is not None and len(partitions) == 1 else {}
    return {**tags, **own}


# -- mappings that can't be -------------------------------------------------------------------------------------------


@unmappable.supply
def refuse_unmappable(graph: AssetGraph) -> None:
    """Refuse dependencies between partitions that can't be mapped; those on external assets aren't looked at.

    Raises:
        DagsterInvalidDefinitionError: naming both assets.
    """
    if graph.is_partitioned:
        refuse_mappings_of(graph, graph.makers)


def refuse_mappings_of(graph: AssetGraph, keys: Iterable[AssetKey]) -> None:
    """Refuse what some assets read where the partitions can't be mapped.

    Raises:
        DagsterInvalidDefinitionError: naming both assets.
    """
    for key in keys:
        spec = graph.makers[key].specs_by_key[key]
        for dep in spec.deps:
            upstream = cut_of(dep.asset_key, graph)
            if upstream is None or not graph.makers[dep.asset_key].is_executable:
                continue
            mapping = infer_partition_mapping(dep.partition_mapping, spec.partitions_def, upstream)
            reader = f"`{key.label}`, which reads `{dep.asset_key.label}`"
            refuse_mapping(mapping, spec.partitions_def, upstream, reader)


def refuse_mapping(mapping: Any, cut: PartitionsDefinition | None, upstream: PartitionsDefinition, where: str) -> None:
    """Refuse a mapping that can't map these partitions.

    Raises:
        DagsterInvalidDefinitionError: saying where.
    """
    try:
        mapping.validate_partition_mapping(upstream, cut)
    except DagsterInvalidDefinitionError as error:
        raise error.at(where) from error
    except (CheckError, ValueError) as error:
        raise DagsterInvalidDefinitionError(f"partitions can't be mapped: {error}", where=where) from error


# -- what a request makes by and by -----------------------------------------------------------------------------------


def wanted_partitions(
    graph: AssetGraph, request: Request, concerned: Mapping[AssetsDefinition, frozenset[AssetKey]]
) -> dict[AssetsDefinition, list[str]]:
    """Return the partitions that are asked for and those that they read, in order, of the definitions that have some.

    Args:
        concerned: definition -> assets of it, upstream first.

    Raises:
        DagsterInvariantViolationError: when a partitioned asset is asked for, and nobody said which partition.
        DagsterUnknownPartitionError: when there's no such partition.
    """
    asked: dict[AssetKey, set[str]] = {}
    found: dict[AssetsDefinition, list[str]] = {}
    for definition in reversed(list(concerned)):
        keys = concerned[definition]
        reading = Reading.of_assets(definition, keys, graph)
        cut, mine = reading.cut, set[str]().union(*(asked.get(key, ()) for key in keys))
        if cut is not None:
            mine |= asked_for(request, keys & request.keys, cut, definition.label)
            found[definition] = with_earlier(reading, keys, mine, cut) if request.upstream else ordered(mine, cut)
        for dep in reading.links if request.upstream else ():
            asked.setdefault(dep, set()).update(reading.of(dep, *found.get(definition, ())) or ())
    return found


def asked_for(request: Request, keys: Iterable[AssetKey], cut: PartitionsDefinition, what: str) -> set[str]:
    """Return the partitions of some assets of one definition that a request asks for.

    Raises:
        DagsterInvariantViolationError: when nobody said which.
        DagsterUnknownPartitionError: when there's no such partition.
    """
    own = [request.of_asset[key] if key in request.of_asset else asked_of(cut, request.chosen, what) for key in keys]
    return set[str]().union(*own)


def asked_of(cut: PartitionsDefinition, chosen: Sequence[str], what: str) -> set[str]:
    """Return the partitions of one definition that a request asks for.

    Raises:
        DagsterInvariantViolationError: when nobody said which.
        DagsterUnknownPartitionError: when there's no such partition.
    """
    if not chosen:
        last = cut.get_last_partition_key()
        example = f", e.g. `{last}`" if last is not None else ""
        raise DagsterInvariantViolationError(
            f"`{what}` is partitioned: say which partition{example}", hint="`materialize([...], partition_key=...)`"
        )
    if len(chosen) == 1:
        cut.validate_partition_key(chosen[0])
    elif unknown := sorted(set(chosen) - cut.filter_valid_partition_keys(set(chosen))):
        cut.validate_partition_key(unknown[0])
    return set(map(cut.key_from, chosen))


def with_earlier(reading: Reading, keys: Iterable[AssetKey], chosen: set[str], cut: PartitionsDefinition) -> list[str]:
    """Return partitions, and those of the same assets that they read, and so on, in order."""
    own = [key for key in keys if key in reading.links]
    front = chosen
    while front and own:
        front = {one for key in own for one in reading.of(key, *ordered(front, cut)) or ()} - chosen
        chosen = chosen | front
    return ordered(chosen, cut)


def ordered(keys: set[str], cut: PartitionsDefinition) -> list[str]:
    """Return keys in the order of their partitions."""
    return as_keys(DefaultPartitionsSubset(keys), cut)
