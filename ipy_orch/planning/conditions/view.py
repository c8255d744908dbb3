"""What conditions ask at one moment: the graph, what was updated, which runs there are, and how partitions belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ipy_orch.events.runs import Run
from ipy_orch.events.updates import Updates
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.keys import AssetCheckKey, AssetJobKey, AssetKey
from ipy_orch.model.partitions.cron import Cron
from ipy_orch.model.partitions.definition import PARTITION_TAG, PartitionsDefinition
from ipy_orch.model.partitions.mappings import IdentityPartitionMapping, PartitionMapping
from ipy_orch.model.partitions.multi_mappings import infer_partition_mapping
from ipy_orch.model.partitions.time_mappings import TimeWindowPartitionMapping
from ipy_orch.planning.conditions.subsets import EntityKey, EntitySubset, Value
from ipy_orch.planning.graph import AssetGraph

__all__ = ["AutomatedJob", "View"]


@dataclass(frozen=True)
class AutomatedJob:
    """Be a job of assets with a condition.

    Args:
        cut: how those of its assets that have partitions are partitioned.
    """

    name: str
    condition: AutomationCondition
    keys: frozenset[AssetKey]
    cut: PartitionsDefinition | None = None


class View:
    """Answer what conditions ask, as of one moment.

    Args:
        graph: the assets and checks.
        updates: what was updated when.
        runs: the newest runs by id.
        now: the moment, with its timezone.
        jobs: those with a condition, by name.
    """

    def __init__(
        self,
        graph: AssetGraph,
        updates: Updates,
        runs: Mapping[str, Run],
        now: datetime,
        jobs: Mapping[str, AutomatedJob] | None = None,
    ) -> None:
        self.graph, self.updates, self.runs, self.now, self.jobs = graph, updates, runs, now, jobs or {}
        self.cuts: dict[EntityKey, PartitionsDefinition | None] = {}
        self.wholes: dict[PartitionsDefinition, frozenset[str]] = {}
        self.maps: dict[tuple[EntityKey, EntityKey, Value, bool], Value] = {}
        self.ticks: dict[tuple[str, str], float] = {}
        self.parents: dict[tuple[EntityKey, bool], tuple[AssetKey, ...]] = {}

    @property
    def effective_dt(self) -> datetime:
        """Return the moment, under Dagster's name."""
        return self.now

    @property
    def asset_graph(self) -> AssetGraph:
        """Return the graph, under Dagster's name."""
        return self.graph

    # -- what there is ------------------------------------------------------------------------------------------------

    def cut(self, key: EntityKey) -> PartitionsDefinition | None:
        """Return how an asset, a check or a job is partitioned, None where it isn't."""
        if key not in self.cuts:
            self.cuts[key] = self.found_cut(key)
        return self.cuts[key]

    def found_cut(self, key: EntityKey) -> PartitionsDefinition | None:
        """Return how an asset, a check or a job is partitioned, looked up."""
        if isinstance(key, AssetKey):
            maker = self.graph.makers.get(key)
            found = None if maker is None else maker.specs_by_key[key].partitions_def
        elif isinstance(key, AssetCheckKey):
            check = self.graph.checks.get(key)
            found = None if check is None else check.partitions_def
        else:
            found = self.jobs[key.job_name].cut if key.job_name in self.jobs else None
        return found if isinstance(found, PartitionsDefinition) else None

    def keys(self, key: EntityKey) -> frozenset[str]:
        """Return the partition keys of what has some; none of what hasn't."""
        cut = self.cut(key)
        if cut is None:
            return frozenset()
        if cut not in self.wholes:
            self.wholes[cut] = frozenset(cut.get_partition_keys())
        return self.wholes[cut]

    def full(self, key: EntityKey) -> Value:
        """Return all of it."""
        return True if self.cut(key) is None else self.keys(key)

    def empty(self, key: EntityKey) -> Value:
        """Return nothing of it."""
        return False if self.cut(key) is None else frozenset()

    def get_full_subset(self, *, key: EntityKey) -> EntitySubset:
        """Return all partitions of an asset, a check or a job."""
        return EntitySubset(self, key, self.full(key))

    def get_empty_subset(self, *, key: EntityKey) -> EntitySubset:
        """Return no partition of an asset, a check or a job."""
        return EntitySubset(self, key, self.empty(key))

    def get_subset_from_partition_keys(self, key: EntityKey, keys: Any) -> EntitySubset:
        """Return some partitions of what has some."""
        return EntitySubset(self, key, frozenset(keys) & self.keys(key))

    # -- what is around -----------------------------------------------------------------------------------------------

    def deps(self, key: EntityKey, *, through_virtual: bool = False) -> tuple[AssetKey, ...]:
        """Return the assets that an asset or a check depends on, in order.

        Args:
            through_virtual: instead of virtual ones, what they depend on.
        """
        if (key, through_virtual) not in self.parents:
            found = self.through_virtual(key) if through_virtual else self.direct(key)
            self.parents[key, through_virtual] = tuple(sorted(found))
        return self.parents[key, through_virtual]

    def direct(self, key: EntityKey) -> set[AssetKey]:
        """Return the assets that an asset or a check depends on; an asset may be among its own."""
        if isinstance(key, AssetCheckKey):
            spec = self.graph.checks[key]
            return {spec.asset_key, *(dep.asset_key for dep in spec.additional_deps)}
        if isinstance(key, AssetKey):
            return set(self.graph.makers[key].asset_deps.get(key, ()))
        return set(self.jobs[key.job_name].keys)

    def through_virtual(self, key: EntityKey) -> set[AssetKey]:
        """Return the assets that are read, seeing through virtual ones."""
        found: set[AssetKey] = set()
        front, seen = list(self.direct(key)), set[AssetKey]()
        while front:
            one = front.pop()
            if one in seen:
                continue
            seen.add(one)
            if self.graph.spec(one).is_virtual:
                front.extend(self.direct(one))
            else:
                found.add(one)
        return found

    def reads(self, reader: EntityKey, read: EntityKey) -> bool:
        """Tell whether one depends on the other."""
        if isinstance(read, AssetKey):
            return read in self.deps(reader)
        return False

    # -- how partitions belong ----------------------------------------------------------------------------------------

    def mapped(self, source: EntityKey, target: EntityKey, value: Value, *, up: bool) -> Value:
        """Return the partitions of one that belong to some of another.

        Args:
            up: from what reads to what is read, instead of the other way.
        """
        there, here = self.cut(target), self.cut(source)
        if not value or there is None or (here is None and not up):
            return self.full(target) if value else self.empty(target)
        if (source, target, value, up) not in self.maps:
            reader, read = (source, target) if up else (target, source)
            self.maps[source, target, value, up] = self.map_partitions(reader, read, value, up)
        return self.maps[source, target, value, up]

    def map_partitions(self, reader: EntityKey, read: EntityKey, value: Value, up: bool) -> Value:
        """Return the partitions that some read, or that read some."""
        cut, upstream = self.cut(reader), self.cut(read)
        assert upstream is not None
        mapping = infer_partition_mapping(self.said_mapping(reader, read), cut, upstream)
        if cut == upstream and maps_alike(mapping):
            return value
        if not up:
            assert cut is not None
            subset = upstream.subset_with_partition_keys(value)  # type: ignore[arg-type]
            found = mapping.get_downstream_partitions_for_partitions(subset, upstream, cut)
            return frozenset(found.get_partition_keys()) & self.keys(reader)
        chosen = None if cut is None else cut.subset_with_partition_keys(value)  # type: ignore[arg-type]
        result = mapping.get_upstream_mapped_partitions_result_for_partitions(chosen, cut, upstream)
        return frozenset(result.partitions_subset.get_partition_keys()) & self.keys(read)

    def said_mapping(self, reader: EntityKey, read: EntityKey) -> Any:
        """Return the partition mapping that a dependency says."""
        if isinstance(reader, AssetKey):
            deps = self.graph.spec(reader).deps if reader in self.graph.makers else ()
        else:
            deps = self.graph.checks[reader].additional_deps if isinstance(reader, AssetCheckKey) else ()
        return next((dep.partition_mapping for dep in deps if dep.asset_key == read), None)

    # -- time and runs ------------------------------------------------------------------------------------------------

    def last_tick(self, schedule: str, timezone: str) -> float:
        """Return the newest tick of a schedule that isn't after the moment, in seconds since the epoch."""
        if (schedule, timezone) not in self.ticks:
            cron = Cron(schedule, timezone)
            here = next(cron.after(self.now), None)
            if here is None or here.timestamp() != self.now.timestamp():
                here = next(cron.before(self.now))
            self.ticks[schedule, timezone] = here.timestamp()
        return self.ticks[schedule, timezone]

    @cached_property
    def in_progress(self) -> Mapping[str, set[str | None]]:
        """Return asset or check, as text -> partitions that a run is to make and hasn't made yet."""
        found: dict[str, set[str | None]] = {}
        for run in self.runs.values():
            if run.status == "running":
                for step, keys in run.keys.items():
                    if run.steps[step].status in ("waiting", "running", "retrying"):
                        for key in keys:
                            found.setdefault(key, set()).add(run.tags.get(PARTITION_TAG))
        return found

    def tags_of(self, run_id: str) -> Mapping[str, str] | None:
        """Return the tags of a run, None where nothing is known of it."""
        run = self.runs.get(run_id)
        return None if run is None else run.tags

    def made_together(self, run_id: str, key: EntityKey) -> bool:
        """Tell whether a run was to make an asset or a check."""
        run = self.runs.get(run_id)
        return run is not None and any(key.label in keys for keys in run.keys.values())

    # -- what runs together -------------------------------------------------------------------------------------------

    def together(self, key: EntityKey) -> tuple[EntityKey, ...]:
        """Return what can't be run without an asset: the others of its definition, where that can't be subset."""
        maker = self.graph.makers.get(key) if isinstance(key, AssetKey) else None
        if maker is None or maker.can_subset or (len(maker.keys) == 1 and not maker.check_keys):
            return ()
        return (*sorted(maker.keys), *sorted(maker.check_keys))

    def runs_with(self, reader: EntityKey, read: EntityKey) -> bool:
        """Tell whether one run can make both what reads and what is read."""
        cut, upstream = self.cut(reader), self.cut(read)
        if cut != upstream or isinstance(reader, AssetJobKey):
            return False
        if cut is None:
            return True
        mapping = infer_partition_mapping(self.said_mapping(reader, read), cut, cut)
        return type(mapping).__name__ in ("TimeWindowPartitionMapping", "IdentityPartitionMapping")


def maps_alike(mapping: PartitionMapping) -> bool:
    """Tell whether a partition reads the one of the same key, where both sides are partitioned alike."""
    if isinstance(mapping, TimeWindowPartitionMapping):
        return mapping.start_offset == mapping.end_offset == 0
    return type(mapping) is IdentityPartitionMapping
