"""What to do and why: a pure function of the graph, the ledger and the request. Nothing is run.

One pass down the lineage says of each step whether it must run, may have to (its inputs are only known once they have
run), or is fresh; one pass back up adds the steps whose values are wanted but no longer kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.events.ledger import Ledger, Place
from ipy_orch.events.types import Materialized, Part, Recipe
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import NO_VALUE, In, OpDefinition, Out
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.results import AssetCheckSeverity
from ipy_orch.planning.calls import Call, FromAsset, FromConfig, calls_of, outputs_in
from ipy_orch.planning.graph import AssetGraph, ancestors, topological
from ipy_orch.planning.partitioning import Reading, wanted_partitions
from ipy_orch.planning.staleness import (
    ASKED,
    EVICTED,
    FAILED,
    FORCED,
    FRESH,
    NEVER,
    UNCHECKED,
    Reason,
    Status,
    combined,
    difference,
    version_for,
    version_of,
)

__all__ = ["Knowledge", "Plan", "Request", "Step", "plan", "statuses"]

EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Request:
    """Say what is wanted.

    Args:
        keys: the assets.
        checks: the checks; None for all checks of the assets that run.
        force: run these although they are fresh; their values count as new for what is downstream.
        upstream: bring missing and stale ancestors up to date first.
        always: run what is asked for without looking at the ledger, as Dagster's ``materialize`` does.
        partition: the partition of what is partitioned.
        what: the request in the asker's words.
        partitions: those of what is partitioned, where they are several.
    """

    keys: frozenset[AssetKey]
    checks: frozenset[AssetCheckKey] | None = None
    force: frozenset[AssetKey] = frozenset()
    upstream: bool = True
    always: bool = False
    partition: str | None = None
    what: str = ""
    partitions: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the partitions of what is partitioned."""
        return self.partitions or (() if self.partition is None else (self.partition,))


@dataclass(frozen=True)
class Knowledge:
    """Say what the planner can't know by itself.

    Args:
        parts: what a definition depends on beside its inputs: code, config, resources, declared sources.
        stored: whether the value of an asset of this data version can be loaded.
    """

    parts: Callable[[AssetsDefinition], Recipe] = lambda _: ()
    stored: Callable[[AssetKey, str | None, str], bool] = lambda _key, _partition, _version: True


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Be one call of one op: which assets and checks it makes, why, and after which steps.

    Args:
        definition: whose assets and checks these are; None in a job of ops.
        keys: the assets that this call makes: of a definition with a graph, not all of them.
        parts: what it depends on beside its inputs; the inputs' versions are added when it runs.
        inputs: the assets that the definition reads.
        partition: which one of what it makes is made, where that is one.
        conditional: it is skipped when its inputs turn out unchanged.
        fresh_version: what it makes counts as new even if the recipe is the same.
        scope: what stands before the names of the calls of the same graph.
        mapping_key: which of the values of a dynamic output it is called for.
        reading: which partitions it makes, and which of its inputs it reads; None where nothing has partitions.
    """

    name: str
    call: Call
    definition: AssetsDefinition | None
    keys: tuple[AssetKey, ...]
    checks: tuple[AssetCheckKey, ...]
    reason: Reason
    after: frozenset[str]
    parts: Recipe = ()
    inputs: tuple[AssetKey, ...] = ()
    partition: str | None = None
    conditional: bool = False
    fresh_version: bool = False
    scope: str = ""
    mapping_key: str | None = None
    reading: Reading | None = None

    @property
    def partitions(self) -> tuple[str | None, ...]:
        """Return which partitions of what it makes are made; only None, where it isn't partitioned."""
        return (self.partition,) if self.reading is None else self.reading.partitions or (None,)

    @property
    def op(self) -> OpDefinition:
        """Return what is called."""
        return self.call.op

    @property
    def place(self) -> str:
        """Return where run config has its part: the dotted path below ``ops``."""
        node = self.definition.op_def if self.definition is not None else None
        return self.call.name if node is None or node is self.call.op else f"{node.name}.{self.call.name}"

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that loading, computing, storing and hooks need, IO managers included."""
        known: frozenset[str] | None = self.call.memo.get("resources")
        if known is None:
            known = self.call.memo["resources"] = required_keys(self)
        return known


def required_keys(step: Step) -> frozenset[str]:
    """Return the resources that a step needs."""
    call, definition, op = step.call, step.definition, step.call.op
    hooks = (hook.required_resource_keys for hook in call.hooks)
    if definition is not None and definition.op_def is op:
        return definition.required_resource_keys.union(type_keys(call), *hooks)
    managers = {port.io_manager_key for port in op.outs.values() if not port.is_nothing}
    if definition is not None:
        managers |= {definition.get_io_manager_key_for_asset_key(key) for key in step.keys}
    loaders = {port.input_manager_key for port in op.ins.values() if port.input_manager_key}
    return op.required_resource_keys.union(managers, loaders, type_keys(call), *hooks)


def type_keys(call: Call) -> Iterator[str]:
    """Yield the resources that checking the values of a call takes, and making those that config gives."""
    ports: tuple[In | Out, ...] = (*call.op.ins.values(), *call.op.outs.values())
    for port in ports:
        if port.dagster_type is not NO_VALUE:
            yield from port.dagster_type.required_resource_keys
    for name, source in call.sources.items():
        if isinstance(source, FromConfig) and call.op.ins[name].dagster_type is not NO_VALUE:
            yield from call.op.ins[name].dagster_type.loader_required_resource_keys


@dataclass(frozen=True)
class Plan:
    """Be the steps, upstream first, and the assets that were looked at.

    Args:
        mapped: step with a dynamic output -> the steps that are called for each key of it, made when it is known.
        others: steps that aren't run, whose outputs an earlier run has made.
    """

    steps: tuple[Step, ...]
    request: Request
    looked_at: tuple[AssetKey, ...] = ()
    mapped: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    others: tuple[Step, ...] = ()

    @property
    def keys(self) -> tuple[AssetKey, ...]:
        """Return the assets that will be made, upstream first."""
        return tuple(dict.fromkeys(key for step in self.steps for key in step.keys))

    @property
    def every_step(self) -> Iterator[Step]:
        """Return the steps, and those that are mapped over dynamic outputs, once each."""
        yield from self.steps
        for steps in self.mapped.values():
            yield from steps

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(slots=True, eq=False)
class Node:
    """Hold what the passes find out about one definition, or about one partition of it.

    Args:
        by_partition: what it makes and reads is told apart by partitions; not where all runs anyway.
        asked: it is asked for itself, and isn't only read by something that is.
        places: what it makes.
        all_reads: all that it reads.
    """

    definition: AssetsDefinition
    keys: tuple[AssetKey, ...]
    inputs: tuple[AssetKey, ...]
    parts: Recipe = ()
    reason: Reason | None = None
    conditional: bool = False
    base: str = ""
    calls: tuple[Call, ...] = ()
    alone: bool = True
    partition: str | None = None
    reading: Reading | None = None
    by_partition: bool = False
    asked: bool = False
    places: list[Place] = field(init=False)
    all_reads: list[Place] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [(key, self.partition) for key in self.keys]
        if self.by_partition:
            self.all_reads = [place for dep in self.inputs for place in self.reads(dep)]
        else:
            self.all_reads = [(dep, None) for dep in self.inputs]

    def reads(self, dep: AssetKey) -> list[Place]:
        """Return what it reads of an input."""
        found = self.reading.all(dep) if self.by_partition and self.reading is not None else None
        return [(dep, None)] if found is None else [(dep, partition) for partition in found]


def plan(graph: AssetGraph, ledger: Ledger, request: Request, knowledge: Knowledge | None = None) -> Plan:
    """Return the steps that bring the assets asked for up to date. Pure: nothing is run.

    Raises:
        DagsterInvalidSubsetError: when a part of a definition is asked for that can't be made alone.
        DagsterInvariantViolationError: when an asset asked for doesn't exist.
    """
    return Planner(graph, ledger, request, knowledge or Knowledge()).plan()


def statuses(graph: AssetGraph, ledger: Ledger, knowledge: Knowledge | None = None) -> dict[AssetKey, Status]:
    """Return how each asset stands. Pure: nothing is run."""
    request = Request(frozenset(graph.executable_keys))
    planner = Planner(graph, ledger, request, knowledge or Knowledge())
    planner.judge_all({})
    return planner.all_statuses()


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
        if not self.graph.checks:
            return self.plan_of(assets, [])
        check_nodes = self.check_nodes({place for node in assets for place in node.places})
        if self.want_inputs(check_nodes):
            assets = [node for node in self.nodes if node.reason is not None]
        return self.plan_of(assets, check_nodes)

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
            return [replace(node, reading=reading, by_partition=True)]
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
        here = partition is None or partition in self.request.chosen
        asked = node.asked = here and not self.request.keys.isdisjoint(node.keys)
        if self.request.always:
            node.reason = ASKED if asked else None
            return
        node.parts = self.knowledge.parts(node.definition)
        recipe = self.recipe(node)
        if partition is None:
            versions = {key: version_of(recipe, str(key)) for key in node.keys}
        else:
            versions = {key: version_for(recipe, str(key), partition) for key in node.keys}
        node.reason = self.reason(node, recipe, versions)
        if node.reason is None and self.unsure and not self.unsure.isdisjoint(node.all_reads):
            unsure = dict.fromkeys(str(place[0]) for place in node.all_reads if place in self.unsure)
            node.reason = Reason("inputs may change", tuple(unsure))
        node.conditional = node.reason is not None and node.reason.only_inputs and all(map(self.kept, node.places))
        for key, version in versions.items():
            self.foresee(node, key, version)

    def recipe(self, node: Node) -> Recipe:
        """Return all parts, with the inputs' versions as far as they're known."""
        if node.by_partition:
            versions = [(dep, combined([self.version(place) for place in node.reads(dep)])) for dep in node.inputs]
            return (*node.parts, *[Part("input", str(dep), version) for dep, version in versions])
        known, told = self.versions, self.ledger.data_version
        read = [Part("input", str(place[0]), known.get(place) or told(*place) or EXTERNAL) for place in node.all_reads]
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
        judged = [
            (self.judge_check(node, tuple(checks), running), tuple(checks))
            for maker, checks in found.items()
            for node in self.nodes_of_checks(maker, tuple(checks), running)
        ]
        return [(node, checks) for node, checks in judged if node.reason is not None]

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
        chosen = tuple(dict.fromkeys([*(self.request.chosen if assets & self.request.keys else ()), *sorted(here)]))
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
            if last.version != version_for(recipe, str(check), node.partition):
                return difference(last.recipe, recipe) or Reason("definition changed")
        unsure = {key for key, _ in running & self.unsure & set(node.all_reads)}
        return Reason("inputs may change", tuple(map(str, sorted(unsure)))) if unsure else None

    def want_inputs(self, checks: list[tuple[Node, tuple[AssetCheckKey, ...]]]) -> bool:
        """Have the values that checks read made again where they're gone."""
        if self.request.always:
            return False
        found = [self.want(node.all_reads) for node, _ in checks]
        return any(found)

    # -- the steps ----------------------------------------------------------------------------------------------------

    def plan_of(self, assets: list[Node], checks: list[tuple[Node, tuple[AssetCheckKey, ...]]]) -> Plan:
        """Return the plan: steps of assets and checks, each after what it needs."""
        self.name([*assets, *(node for node, _ in checks)])
        made: dict[Place, str] = {}
        for node in assets:
            made.update(dict.fromkeys(node.places, node.base) if node.alone else makers_in(node))
        gates = self.gates(checks) if checks else {}
        steps = [step for node in assets for step in self.steps_of(node, made, gates, self.own_checks(node))]
        steps += [step for node, keys in checks for step in self.steps_of(node, made, {}, keys)]
        first, mapped = apart(steps)
        return Plan(first, self.request, tuple(dict.fromkeys(key for key, _ in self.node_of)), mapped)

    def name(self, nodes: Iterable[Node]) -> None:
        """Find out what is called for each definition that runs, and under which name."""
        names = Names()
        for node in nodes:
            node.base, node.calls = names.of(node.definition), calls_of(node.definition)
            if node.partition is not None:
                node.base = f"{node.base}[{node.partition}]"
            node.alone = node.calls[0].op is node.definition.op_def

    def gates(self, checks: list[tuple[Node, tuple[AssetCheckKey, ...]]]) -> dict[Place, set[str]]:
        """Return asset, or partition -> steps of its blocking checks, which what is downstream waits for."""
        found: dict[Place, set[str]] = {}
        for node, keys in checks:
            steps = {node.base} if node.alone else {f"{node.base}.{call.name}" for call in node.calls}
            for check in keys:
                if self.graph.checks[check].blocking:
                    for place in node.reads(check.asset_key):
                        found.setdefault(place, set()).update(steps)
        return found

    def own_checks(self, node: Node) -> tuple[AssetCheckKey, ...]:
        """Return the checks that the asset's own op makes."""
        wanted = self.request.checks
        return tuple(
            k for k in node.definition.check_keys if wanted is None or k in wanted or not node.definition.can_subset
        )

    def steps_of(
        self,
        node: Node,
        made: Mapping[Place, str],
        gates: Mapping[Place, set[str]],
        checks: tuple[AssetCheckKey, ...],
    ) -> Iterable[Step]:
        """Return the steps of a definition: one of an op, several of a graph."""
        before = waits(node.all_reads, made, gates)
        if node.alone:
            before.discard(node.base)
            return (self.step(node, node.base, node.calls[0], node.keys, checks, before),)
        return [self.inner_step(node, node.base, call, before, made, gates, checks) for call in node.calls]

    def inner_step(
        self,
        node: Node,
        base: str,
        call: Call,
        before: set[str],
        made: Mapping[Place, str],
        gates: Mapping[Place, set[str]],
        checks: tuple[AssetCheckKey, ...],
    ) -> Step:
        """Return the step of one op of a definition's graph.

        What may be skipped waits for all that the definition reads: whether anything has changed is known only then.
        """
        results = [name for names in call.results.values() for name in names]
        keys = tuple(key for key in node.keys if node.definition.get_output_name_for_asset_key(key) in results)
        own = tuple(key for key in checks if node.definition.get_output_name_for_asset_check_key(key) in results)
        read = [source.key for source in call.reads() if isinstance(source, FromAsset)]
        after = {f"{base}.{one.call}" for source in call.sources.values() for one in outputs_in(source)}
        places = [place for key in read for place in node.reads(key)]
        after |= before if node.conditional else waits(places, made, gates)
        return self.step(node, f"{base}.{call.name}", call, keys, own, after, f"{base}.")

    def step(
        self,
        node: Node,
        name: str,
        call: Call,
        keys: tuple[AssetKey, ...],
        checks: tuple[AssetCheckKey, ...],
        after: set[str],
        scope: str = "",
    ) -> Step:
        """Return a step of a definition."""
        return Step(
            name=name,
            call=call,
            definition=node.definition,
            keys=keys,
            checks=checks,
            reason=node.reason or ASKED,
            after=frozenset(after),
            parts=node.parts,
            inputs=node.inputs,
            partition=node.partition if node.reading is None else self.partition_of(node),
            conditional=node.conditional,
            fresh_version=node.reason == FORCED,
            scope=scope,
            reading=node.reading,
        )

    def partition_of(self, node: Node) -> str | None:
        """Return the partition that a step makes, where it makes one."""
        if node.by_partition or node.reading is None:
            return node.partition
        return self.request.partition if node.reading.cut is not None else None

    # -- status -------------------------------------------------------------------------------------------------------

    def all_statuses(self) -> dict[AssetKey, Status]:
        """Return how each asset that was judged stands; of a partitioned one, how many of its partitions are there."""
        many = Counter(key for key, partition in self.ledger.materialized if partition is not None)
        return {
            key: self.status(place, node) if place[1] is not None or cut is None else status_of_all(cut, many[key])
            for place, node in self.node_of.items()
            for key, cut in [(place[0], node.reading.cut if node.reading is not None else None)]
        }

    def status(self, place: Place, node: Node) -> Status:
        """Return how an asset, or a partition of it, stands."""
        failed = self.ledger.failed.get(place)
        if failed is not None and node.reason is not None:
            return Status("failed", failed.error)
        if node.definition.is_observable:
            return Status(EXTERNAL)
        if place not in self.ledger.materialized:
            return Status("missing", str(NEVER))
        if node.reason in (None, EVICTED, FORCED):
            return FRESH if self.kept(place) else Status("evicted", str(EVICTED))
        return Status("stale", str(node.reason))


def status_of_all(cut: PartitionsDefinition, many: int) -> Status:
    """Return how a partitioned asset stands, of which so many partitions are there."""
    total = cut.get_num_partitions()
    if many == 0:
        return Status("missing", str(NEVER))
    return FRESH if many >= total else Status("missing", f"{total - many} of {total} partitions never materialized")


def makers_in(node: Node) -> dict[Place, str]:
    """Return each asset of a definition with a graph, and the step that makes it."""
    maker = {
        name: f"{node.base}.{call.name}" for call in node.calls for names in call.results.values() for name in names
    }
    return {place: maker[node.definition.get_output_name_for_asset_key(place[0])] for place in node.places}


def waits(places: Iterable[Place], made: Mapping[Place, str], gates: Mapping[Place, set[str]]) -> set[str]:
    """Return the steps that come before what reads these: their makers, and the checks that may stop it."""
    before = {made[place] for place in places if place in made}
    if gates:
        before.update(gate for place in places for gate in gates.get(place, ()))
    return before


def apart(steps: Sequence[Step]) -> tuple[tuple[Step, ...], dict[str, tuple[Step, ...]]]:
    """Return the steps that are there from the beginning, and those mapped over a dynamic output, by its step.

    What collects from mapped steps comes after the step with the dynamic output; the engine lets it wait for more.
    """
    over = {step.name: step.scope + step.call.mapped.call for step in steps if step.call.mapped is not None}
    if not over:
        return tuple(steps), {}
    mapped: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        if step.name in over:
            mapped[over[step.name]] = (*mapped.get(over[step.name], ()), step)
    first = [step for step in steps if step.name not in over]
    return tuple(replace(step, after=frozenset(over.get(one, one) for one in step.after)) for step in first), mapped


class Names:
    """Give each definition of a plan a step name of its own."""

    def __init__(self) -> None:
        self.names: dict[AssetsDefinition, str] = {}
        self.taken: set[str] = set()

    def of(self, definition: AssetsDefinition) -> str:
        """Return the name of the definition's step: its op's, with a number where two ops have one name."""
        if definition not in self.names:
            base = definition.op.name
            name, number = base, 2
            while name in self.taken:
                name, number = f"{base}_{number}", number + 1
            self.names[definition] = name
            self.taken.add(name)
        return self.names[definition]


def by_lineage(
    graph: AssetGraph, chosen: Mapping[AssetsDefinition, frozenset[AssetKey]]
) -> dict[AssetsDefinition, frozenset[AssetKey]]:
    """Return the definitions so that each comes after those it reads; where that takes it, some of them in parts.

    Raises:
        DagsterInvalidDefinitionError: when they read each other in a circle that no parts can undo.
    """
    if all(len(keys) == 1 for keys in chosen.values()):
        return dict(chosen)  # they come in the order of their assets
    maker = {key: one for one, keys in chosen.items() for key in keys}
    reads = {
        one: [maker[dep] for key in keys for dep in sorted(graph.upstream[key]) if maker.get(dep, one) is not one]
        for one, keys in chosen.items()
    }
    try:
        return {one: chosen[one] for one in topological(reads, lambda one: one.origin)}
    except DagsterInvalidDefinitionError:
        parts = in_parts(graph, chosen)
        if parts is None:
            raise
        return {one if keys == chosen.get(one) else one.subset_for(keys, None): keys for one, keys in parts}


def in_parts(
    graph: AssetGraph, chosen: Mapping[AssetsDefinition, frozenset[AssetKey]]
) -> list[tuple[AssetsDefinition, frozenset[AssetKey]]] | None:
    """Return definitions and their assets so that each comes after what it reads; None where there's no way.

    Whole definitions go first; where none can, the first that can make some of its assets makes those.
    """
    left = {one: set(keys) for one, keys in chosen.items()}
    parts: list[tuple[AssetsDefinition, frozenset[AssetKey]]] = []
    while left:
        waiting = {key for keys in left.values() for key in keys}
        possible = {one: makeable(graph, keys, waiting) for one, keys in left.items()}
        whole = [one for one, keys in possible.items() if keys == left[one]]
        some = [one for one, keys in possible.items() if keys and one.can_subset]
        if not whole and not some:
            return None
        for one in whole or some[:1]:
            parts.append((one, frozenset(possible[one])))
            left[one] -= possible[one]
        left = {one: keys for one, keys in left.items() if keys}
    return parts


def makeable(graph: AssetGraph, keys: set[AssetKey], waiting: set[AssetKey]) -> set[AssetKey]:
    """Return those of a definition's assets that read nothing that waits, but each other."""
    found: set[AssetKey] = set()
    for key in graph.in_order(keys):
        if not (graph.upstream[key] & waiting) - found:
            found.add(key)
    return found
