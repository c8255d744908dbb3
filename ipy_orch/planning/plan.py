"""What to do and why: a pure function of the graph, the ledger and the request. Nothing is run.

One pass down the lineage says of each step whether it must run, may have to (its inputs are only known once they have
run), or is fresh; one pass back up adds the steps whose values are wanted but no longer kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ipy_orch.events.ledger import Ledger, Place
from ipy_orch.events.types import Materialized, Part, Recipe
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.model.results import AssetCheckSeverity
from ipy_orch.planning.graph import AssetGraph, ancestors
from ipy_orch.planning.laying import Laying, Node, in_groups
from ipy_orch.planning.lineage import by_lineage
from ipy_orch.planning.partitioning import Reading, wanted_partitions
from ipy_orch.planning.staleness import (
    ASKED,
    EVICTED,
    FAILED,
    FORCED,
    NEVER,
    UNCHECKED,
    Reason,
    combined,
    difference,
    version_for,
    version_of,
)
from ipy_orch.planning.steps import Plan, Request, Step, apart

__all__ = ["Knowledge", "Plan", "Planner", "Request", "Step", "plan"]

EXTERNAL = "external"


@dataclass(frozen=True)
class Knowledge:
    """Say what the planner can't know by itself.

    Args:
        parts: what a definition depends on beside its inputs: code, config, resources, declared sources.
        stored: whether the value of an asset of this data version can be loaded.
        stored_each: of an asset, what tells that of its partitions, where there's a quicker way for many of them.
    """

    parts: Callable[[AssetsDefinition], Recipe] = lambda _: ()
    stored: Callable[[AssetKey, str | None, str], bool] = lambda _key, _partition, _version: True
    stored_each: Callable[[AssetKey], Callable[[str, str], bool]] | None = None

    def each(self, key: AssetKey) -> Callable[[str, str], bool]:
        """Return what tells whether a partition of an asset can be loaded in a data version."""
        if self.stored_each is not None:
            return self.stored_each(key)
        return lambda partition, version: self.stored(key, partition, version)


def plan(graph: AssetGraph, ledger: Ledger, request: Request, knowledge: Knowledge | None = None) -> Plan:
    """Return the steps that bring the assets asked for up to date. Pure: nothing is run.

    Raises:
        DagsterInvalidSubsetError: when a part of a definition is asked for that can't be made alone.
        DagsterInvariantViolationError: when an asset asked for doesn't exist.
    """
    return Planner(graph, ledger, request, knowledge or Knowledge()).plan()


class Planner:
    """Hold the state of one planning; see the module's docstring."""

    def __init__(self, graph: AssetGraph, ledger: Ledger, request: Request, knowledge: Knowledge) -> None:
        self.graph, self.ledger, self.request, self.knowledge = graph, ledger, request, knowledge
        self.versions: dict[Place, str] = {}
        self.unsure: set[Place] = set()
        self.nodes: list[Node] = []
        self.node_of: dict[Place, Node] = {}

    def plan(self) -> Plan:
        """Return the plan."""
        self.judge_all()
        self.want_values()
        assets = [node for node in self.nodes if node.reason is not None]
        checks: list[tuple[Node, tuple[AssetCheckKey, ...]]] = []
        if self.graph.checks:
            checks = self.check_nodes({place for node in assets for place in node.places})
            if self.want_inputs(checks):
                assets = [node for node in self.nodes if node.reason is not None]
        if self.graph.is_partitioned and not self.request.always:
            assets = in_groups(assets)
        first, mapped = apart(Laying(self.graph, self.request).steps(assets, checks))
        return Plan(first, self.request, tuple(dict.fromkeys(key for key, _ in self.node_of)), mapped)

    # -- down: what must run ------------------------------------------------------------------------------------------

    def judge_all(self, partitions: Mapping[AssetsDefinition, Sequence[str]] | None = None) -> None:
        """Judge the definitions concerned, upstream first.

        Args:
            partitions: of each definition that is partitioned; by default those asked for, and those that they read.
        """
        concerned, apart = self.concerned(), self.graph.is_partitioned
        if apart and partitions is None and not self.request.always:
            partitions = wanted_partitions(self.graph, self.request, concerned)
        for definition, keys in concerned.items():
            whole = self.request.checks is None and keys == definition.keys
            part = definition if whole else self.part(definition, keys)
            ordered = tuple(self.graph.in_order(keys)) if len(keys) > 1 else tuple(keys)
            inputs = [dep for key in ordered for dep in self.graph.upstream[key] if dep not in keys]
            all_of_it = Node(part, ordered, tuple(dict.fromkeys(inputs)))
            for node in self.cut(all_of_it, (partitions or {}).get(definition, ())) if apart else (all_of_it,):
                self.nodes.append(node)
                for place in node.places:
                    self.node_of[place] = node
                self.judge(node)

    def cut(self, node: Node, partitions: Sequence[str]) -> list[Node]:
        """Return a node for each partition of a definition; one for all of them, where all runs anyway."""
        reading = Reading.of_assets(node.definition, node.keys, self.graph)
        if self.request.always:
            return [replace(node, reading=reading.at(*self.request.chosen))]
        if not partitions:
            return [replace(node, reading=reading, by_partition=True)] if reading.cut is None else []
        inputs = (*node.inputs, *(key for key in node.keys if key in reading.links))  # it may read itself
        return [
            replace(node, inputs=inputs, partition=one, reading=reading.at(one), by_partition=True)
            for one in partitions
        ]

    def part(self, definition: AssetsDefinition, keys: frozenset[AssetKey]) -> AssetsDefinition:
        """Return the part of a definition that makes these assets, with the checks asked for where it can choose."""
        checks = self.request.checks if definition.can_subset and definition.has_check_keys else None
        if keys == definition.keys and checks is None:
            return definition
        return definition.subset_for(keys, checks)

    def concerned(self) -> dict[AssetsDefinition, frozenset[AssetKey]]:
        """Return definition -> the assets of it that are asked for or upstream of those, upstream first."""
        for key in self.request.keys:
            self.graph.maker(key)
        wanted = ancestors(self.graph.upstream, self.request.keys) if self.request.upstream else set(self.request.keys)
        wanted = {key for key in wanted if self.graph.makers[key].is_executable}
        found: dict[AssetsDefinition, set[AssetKey]] = {}
        for key in self.graph.in_order(wanted):
            found.setdefault(self.graph.makers[key], set()).add(key)
        chosen = {one: self.enough(one, frozenset(keys)) for one, keys in found.items()}
        return by_lineage(self.graph, chosen)

    def enough(self, definition: AssetsDefinition, keys: frozenset[AssetKey]) -> frozenset[AssetKey]:
        """Return the assets to make so that ``keys`` are made: ancestors of what was asked for may bring neighbours."""
        if definition.can_subset or keys & self.request.keys:
            return keys
        return definition.keys

    def judge(self, node: Node) -> None:
        """Find out whether a definition must run, and what its assets' versions will be."""
        partition = node.partition
        if partition is None:
            asked = node.asked = not self.request.keys.isdisjoint(node.keys)
        else:
            asked = node.asked = not self.places_asked.isdisjoint(node.places)
        if self.request.always:
            node.reason = ASKED if asked else None
            return
        node.parts = self.knowledge.parts(node.definition)
        recipe = self.recipe(node)
        if partition is None:
            versions = {key: version_of(recipe, key.label) for key in node.keys}
        else:
            versions = {key: version_for(recipe, key.label, partition) for key in node.keys}
        node.reason = self.reason(node, recipe, versions)
        if node.reason is None and self.unsure and not self.unsure.isdisjoint(node.all_reads):
            unsure = dict.fromkeys(place[0].label for place in node.all_reads if place in self.unsure)
            node.reason = Reason("inputs may change", tuple(unsure))
        node.conditional = node.reason is not None and node.reason.only_inputs and all(map(self.kept, node.places))
        for key, version in versions.items():
            self.foresee(node, key, version)

    @cached_property
    def places_asked(self) -> set[Place]:
        """Return the partitions that are asked for themselves."""
        return {(key, one) for key in self.request.keys for one in self.request.chosen_of(key)}

    def recipe(self, node: Node) -> Recipe:
        """Return all parts, with the inputs' versions as far as they're known."""
        if node.by_partition:
            versions = [(dep, combined([self.version(place) for place in node.reads(dep)])) for dep in node.inputs]
            return (*node.parts, *[Part("input", dep.label, version) for dep, version in versions])
        known, told = self.versions, self.ledger.data_version
        read = [Part("input", place[0].label, known.get(place) or told(*place) or EXTERNAL) for place in node.all_reads]
        return (*node.parts, *read)

    def version(self, place: Place) -> str:
        """Return what downstream of an asset, or of a partition of it, will depend on."""
        known = self.versions.get(place)
        return known if known is not None else self.ledger.data_version(*place) or EXTERNAL

    def reason(self, node: Node, recipe: Recipe, versions: Mapping[AssetKey, str]) -> Reason | None:
        """Return why a definition must run, or None."""
        if node.definition.is_observable:
            return Reason("observed again")
        if node.asked and not self.request.force.isdisjoint(node.keys):
            return FORCED
        for key, version in versions.items():
            last = self.ledger.materialized.get((key, node.partition))
            if last is None:
                return NEVER
            if self.failed_since(key, last):
                return FAILED
            if last.version != version:
                return difference(last.recipe, recipe) or Reason("definition changed")
        return None

    def failed_since(self, key: AssetKey, made: Materialized) -> bool:
        """Tell whether the step that made a value failed afterwards, as by a blocking check of its own."""
        failed = self.ledger.failed.get((key, made.partition))
        return failed is not None and failed.run_id == made.run_id

    def foresee(self, node: Node, key: AssetKey, version: str) -> None:
        """Note what the data version of ``key`` will be, or that only running it will tell."""
        place = (key, node.partition)
        last = self.ledger.materialized.get(place)
        if node.reason is None and last is not None:
            self.versions[place] = last.data_version
        elif node.definition.is_observable or node.conditional or (last is not None and last.said):
            self.unsure.add(place)
        elif node.reason == FORCED:
            self.versions[place] = f"forced {version}"
        else:
            self.versions[place] = version

    # -- up: whose value is wanted but gone ---------------------------------------------------------------------------

    def want_values(self) -> None:
        """Have those run again whose value is wanted by a step or by the asker and isn't kept."""
        if self.request.always:
            return
        for node in reversed(self.nodes):
            if node.reason is None and node.asked:
                self.want(node.places)
            if node.reason is not None:
                self.want(node.all_reads)

    def want(self, places: Iterable[Place]) -> bool:
        """Have the makers of these run, where the value isn't kept; tell whether some must."""
        front, found = list(places), False
        while front:
            place = front.pop()
            node = self.node_of.get(place)
            if node is None or node.reason is not None or self.kept(place):
                continue
            node.reason, found = EVICTED, True
            front.extend(node.all_reads)
        return found

    def kept(self, place: Place) -> bool:
        """Tell whether the value of a fresh asset can be loaded."""
        last = self.ledger.materialized.get(place)
        return last is not None and self.knowledge.stored(*place, last.data_version)

    # -- checks -------------------------------------------------------------------------------------------------------

    def check_nodes(self, running: set[Place]) -> list[tuple[Node, tuple[AssetCheckKey, ...]]]:
        """Return the checks that are steps of their own and must run, each with why."""
        found: dict[AssetsDefinition, list[AssetCheckKey]] = {}
        for check in self.checks_asked(running):
            maker = self.graph.check_makers[check]
            if not maker.has_keys:
                found.setdefault(maker, []).append(check)
        if not self.request.always:
            found = {maker: self.together(maker, checks) for maker, checks in found.items()}
        judged = [
            (self.judge_check(node, tuple(checks), running), tuple(checks))
            for maker, checks in found.items()
            for node in self.nodes_of_checks(maker, tuple(checks), running)
        ]
        return [(node, checks) for node, checks in judged if node.reason is not None]

    def together(self, maker: AssetsDefinition, checks: list[AssetCheckKey]) -> list[AssetCheckKey]:
        """Return some checks of a definition with those that can't be left out."""
        return checks if maker.can_subset else [check for check in self.graph.checks if check in maker.check_keys]

    def checks_asked(self, running: set[Place]) -> list[AssetCheckKey]:
        """Return the checks named, or those of the assets that run or are asked for, and the gates of what is read."""
        if self.request.checks is not None:
            return [check for check in self.graph.checks if check in self.request.checks]
        assets = {key for key, _ in running} | self.request.keys
        read = set() if self.request.always else {dep for place in running for dep in self.node_of[place].inputs}
        return [
            check
            for check, spec in self.graph.checks.items()
            if check.asset_key in assets or (spec.blocking and check.asset_key in read)
        ]

    def nodes_of_checks(
        self, maker: AssetsDefinition, checks: tuple[AssetCheckKey, ...], running: set[Place]
    ) -> list[Node]:
        """Return the node of some checks, or one for each partition of theirs."""
        part = maker.subset_for((), checks) if frozenset(checks) != maker.check_keys else maker
        node = Node(part, (), tuple(sorted(part.dependency_keys)))
        if not self.request.always:
            node.parts = self.knowledge.parts(part)
        if not self.graph.is_partitioned:
            return [node]
        if self.request.always:
            return [replace(node, reading=Reading.of_checks(part, checks, self.graph, self.request.chosen))]
        assets = {check.asset_key for check in checks}
        here = {partition for key, partition in running if key in assets and partition is not None}
        asked = (one for key in sorted(assets & self.request.keys) for one in self.request.chosen_of(key))
        chosen = tuple(dict.fromkeys([*asked, *sorted(here)]))
        reading = Reading.of_checks(part, checks, self.graph, chosen)
        if all(self.graph.checks[check].partitions_def is None for check in checks):
            return [replace(node, reading=reading, by_partition=True)]
        return [replace(node, partition=one, reading=reading.at(one), by_partition=True) for one in reading.partitions]

    def judge_check(self, node: Node, checks: tuple[AssetCheckKey, ...], running: set[Place]) -> Node:
        """Find out whether checks must run."""
        if self.request.always or self.request.checks is not None:
            node.reason = ASKED
            return node
        node.reason = self.check_reason(node, checks, running)
        node.conditional = node.reason is not None and node.reason.only_inputs
        return node

    def check_reason(self, node: Node, checks: tuple[AssetCheckKey, ...], running: set[Place]) -> Reason | None:
        """Return why checks must run, or None."""
        recipe = self.recipe(node)
        for check in checks:
            last = self.ledger.checked.get((check, node.partition))
            if last is None:
                return UNCHECKED
            if last.blocking and not last.evaluation.passed and last.evaluation.severity is AssetCheckSeverity.ERROR:
                return FAILED
            if check.asset_key in self.request.force:
                return FORCED
            if last.version != version_for(recipe, check.label, node.partition):
                return difference(last.recipe, recipe) or Reason("definition changed")
        unsure = {key for key, _ in running & self.unsure & set(node.all_reads)}
        return Reason("inputs may change", tuple(labels(sorted(unsure)))) if unsure else None

    def want_inputs(self, checks: list[tuple[Node, tuple[AssetCheckKey, ...]]]) -> bool:
        """Have the values that checks read made again where they're gone."""
        if self.request.always:
            return False
        found = [self.want(node.all_reads) for node, _ in checks]
        return any(found)
