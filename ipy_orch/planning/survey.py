"""How all assets stand, and each of their partitions. Pure: nothing is run.

What isn't partitioned is judged as a plan would judge it; partitions are judged by the pass of partition_statuses.py,
which tells what is downstream of them the versions that it found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipy_orch.errors import CheckError, DagsterError
from ipy_orch.events.ledger import Ledger, Place
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.laying import Node
from ipy_orch.planning.partition_statuses import EXTERNAL, GONE, PartitionStatuses, Pass, version_in
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.plan import EXTERNAL as NOTHING_KNOWN
from ipy_orch.planning.plan import Knowledge, Planner
from ipy_orch.planning.staleness import EVICTED, FORCED, FRESH, NEVER, Reason, Status
from ipy_orch.planning.steps import Request

__all__ = ["Surveyed", "statuses", "survey"]


@dataclass(frozen=True)
class Surveyed:
    """Be how assets stand.

    Args:
        assets: a partitioned one as a whole, with the numbers of its partitions.
        partitions: of those that are partitioned.
    """

    assets: dict[AssetKey, Status] = field(default_factory=dict)
    partitions: dict[AssetKey, PartitionStatuses] = field(default_factory=dict)


def survey(graph: AssetGraph, ledger: Ledger, knowledge: Knowledge | None = None) -> Surveyed:
    """Return how each asset stands, and each of its partitions. Pure: nothing is run."""
    planner = Survey(graph, ledger, Request(frozenset(graph.executable_keys)), knowledge or Knowledge())
    planner.judge_all({})
    return planner.surveyed()


def statuses(graph: AssetGraph, ledger: Ledger, knowledge: Knowledge | None = None) -> dict[AssetKey, Status]:
    """Return how each asset stands. Pure: nothing is run."""
    return survey(graph, ledger, knowledge).assets


class Survey(Planner):
    """Judge what is there instead of what is wanted."""

    def __init__(self, graph: AssetGraph, ledger: Ledger, request: Request, knowledge: Knowledge) -> None:
        super().__init__(graph, ledger, request, knowledge)
        self.of_partitions: dict[AssetKey, PartitionStatuses] = {}
        self.judged: dict[AssetKey, Judging] = {}

    def version(self, place: Place) -> str:
        """Return what downstream of an asset, or of a partition of it, will depend on; also of one that is missing."""
        known = self.versions.get(place) or self.ledger.data_version(*place)
        if known is None and place[1] is not None and place[0] in self.judged:
            known = self.versions[place] = self.judged[place[0]].foreseen(place[0], place[1])
        return known or NOTHING_KNOWN

    def surveyed(self) -> Surveyed:
        """Return what was found."""
        found = {place[0]: self.status(place, node) for place, node in self.node_of.items()}
        for key, partitions in self.of_partitions.items():
            found[key] = partitions.overall
        return Surveyed({key: found[key] for key in self.graph.keys if key in found}, self.of_partitions)

    def status(self, place: Place, node: Node) -> Status:
        """Return how an asset stands that isn't partitioned."""
        failed = self.ledger.failed.get(place)
        if failed is not None and node.reason is not None:
            return Status("failed", failed.error)
        if node.definition.is_observable:
            return EXTERNAL
        if place not in self.ledger.materialized:
            return Status("missing", str(NEVER))
        if node.reason in (None, EVICTED, FORCED):
            return FRESH if self.kept(place) else GONE
        return Status("stale", str(node.reason))

    # -- partitions ---------------------------------------------------------------------------------------------------

    def cut(self, node: Node, partitions: Sequence[str]) -> list[Node]:
        """Return the node of what isn't partitioned; judge the partitions of what is."""
        reading = Reading.of_assets(node.definition, node.keys, self.graph)
        if reading.cut is None:
            return super().cut(node, partitions)
        all_keys = reading.cut.get_partition_keys()
        if node.definition.is_observable:
            alike = PartitionStatuses(reading.cut, all_keys, {}, EXTERNAL)
            self.of_partitions.update(dict.fromkeys(node.keys, alike))
            return []
        try:
            self.judge_partitions(node, reading, all_keys)
        except (DagsterError, CheckError, ValueError) as error:  # what it reads can't be mapped
            told = PartitionStatuses(reading.cut, all_keys, {}, Status("failed", getattr(error, "message", str(error))))
            self.of_partitions.update(dict.fromkeys(node.keys, told))
        return []

    def judge_partitions(self, node: Node, reading: Reading, all_keys: Sequence[str]) -> None:
        """Find out how each partition of a definition stands."""
        inputs = (*node.inputs, *(key for key in node.keys if key in reading.links))  # it may read itself
        parts = self.knowledge.parts(node.definition)
        judging = Judging(self, Pass(node.definition, reading, parts, inputs, self.version, self.unsure))
        for key in node.keys:
            judging.begin(key)
            self.judged[key] = judging
        for partition in all_keys:
            judging.judge(partition)
        for key, known in judging.known.items():
            if reading.cut is not None:
                self.of_partitions[key] = PartitionStatuses(reading.cut, all_keys, known)


class Judging:
    """Hold what one pass over the partitions of a definition finds."""

    def __init__(self, survey: Survey, one: Pass) -> None:
        self.survey, self.one = survey, one
        self.known: dict[AssetKey, dict[str, Status]] = {}
        self.names: dict[AssetKey, str] = {}
        self.stored: dict[AssetKey, Callable[[str, str], bool]] = {}
        self.readers = one.readers()
        self.unsure = bool(survey.unsure)

    def begin(self, key: AssetKey) -> None:
        """Have the partitions of an asset judged, too."""
        self.known[key], self.names[key] = {}, key.label
        self.stored[key] = self.survey.knowledge.each(key)

    def foreseen(self, key: AssetKey, partition: str) -> str:
        """Return the version that a partition will have which was never made."""
        versions = [(name, version(partition)) for name, version in self.readers]
        return version_in(self.one.recipe(versions), self.names[key], partition)

    def judge(self, partition: str) -> None:
        """Find out how one partition stands, of all assets of the definition."""
        ledger = self.survey.ledger
        head: bytes | None = None
        versions: list[tuple[AssetKey, str]] = []
        for key, known in self.known.items():
            place = (key, partition)
            last, failed = ledger.materialized.get(place), ledger.failed.get(place) if ledger.failed else None
            if last is None:
                if failed is not None:
                    known[partition] = Status("failed", failed.error)
                continue
            if head is None:
                versions = [(name, version(partition)) for name, version in self.readers]
                head = self.one.recipe(versions)
            version = version_in(head, self.names[key], partition)
            reason = self.reason(place, last.version == version, versions)
            if reason is None and not (failed is not None and failed.run_id == last.run_id):
                self.survey.versions[place] = last.data_version
                known[partition] = FRESH if self.stored[key](partition, last.data_version) else GONE
                continue
            known[partition] = Status("failed", failed.error) if failed is not None else Status("stale", str(reason))
            if last.said or (reason is not None and reason.only_inputs):
                self.unsure = True
                self.survey.unsure.add(place)
            else:
                self.survey.versions[place] = version

    def reason(self, place: Place, same: bool, versions: Sequence[tuple[AssetKey, str]]) -> Reason | None:
        """Return why a partition that was made isn't what it would be now, or None."""
        if not same:
            return self.one.stale(self.survey.ledger.materialized[place], versions)
        if not self.unsure:
            return None
        partition = place[1] or ""
        unsure = dict.fromkeys(one[0].label for one in self.one.read_places(partition) if one in self.survey.unsure)
        return Reason("inputs may change", tuple(unsure)) if unsure else None
