"""Laying out what was found to be due as steps: their names, what each is called with, and what it comes after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ipy_orch.events.ledger import Place
from ipy_orch.events.types import Recipe
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.planning.calls import Call, FromAsset, calls_of, outputs_in
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.staleness import ASKED, FORCED, Reason
from ipy_orch.planning.steps import Request, Step

__all__ = ["Laying", "Node", "in_groups"]


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
        if self.partition is None and self.by_partition and self.reading is not None and self.reading.partitions:
            self.places = [(key, one) for key in self.keys for one in self.reading.partitions]
        else:
            self.places = [(key, self.partition) for key in self.keys]
        if self.by_partition:
            self.all_reads = [place for dep in self.inputs for place in self.reads(dep)]
        else:
            self.all_reads = [(dep, None) for dep in self.inputs]

    def reads(self, dep: AssetKey) -> list[Place]:
        """Return what it reads of an input."""
        found = self.reading.all(dep) if self.by_partition and self.reading is not None else None
        return [(dep, None)] if found is None else [(dep, partition) for partition in found]


class Laying:
    """Lay out the definitions and checks of one plan."""

    def __init__(self, graph: AssetGraph, request: Request) -> None:
        self.graph, self.request = graph, request

    def steps(self, assets: list[Node], checks: list[tuple[Node, tuple[AssetCheckKey, ...]]]) -> tuple[Step, ...]:
        """Return the steps of assets and checks, each after what it needs; those mapped over dynamic outputs, too."""
        self.name([*assets, *(node for node, _ in checks)])
        made: dict[Place, str] = {}
        for node in assets:
            made.update(dict.fromkeys(node.places, node.base) if node.alone else makers_in(node))
        gates = self.gates(checks) if checks else {}
        steps = [step for node in assets for step in self.steps_of(node, made, gates, self.own_checks(node))]
        steps += [step for node, keys in checks for step in self.steps_of(node, made, {}, keys)]
        return tuple(depth_first(steps) if any(node.partition is not None for node in assets) else steps)

    def name(self, nodes: Iterable[Node]) -> None:
        """Find out what is called for each definition that runs, and under which name."""
        names = Names()
        for node in nodes:
            node.base, node.calls = names.of(node.definition), calls_of(node.definition)
            if node.partition is not None:
                node.base = f"{node.base}[{node.partition}]"
            elif node.by_partition and node.reading is not None and node.reading.partitions and node.keys:
                node.base = f"{node.base}[{node.reading.partitions[0]}..{node.reading.partitions[-1]}]"
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


def in_groups(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes with partitions of one definition put together, where its policy says that one call makes several.

    The first of them stands for all, in its reason.
    """
    groups: list[list[Node]] = []
    open_: dict[AssetsDefinition, list[Node]] = {}
    for node in nodes:
        policy = node.definition.backfill_policy
        most = 1 if node.partition is None or policy is None else policy.max_partitions_per_run
        group = open_.get(node.definition, [])
        if not group or len(group) == most:
            group = open_[node.definition] = []
            groups.append(group)
        group.append(node)
    return [together(group) for group in groups]


def together(group: Sequence[Node]) -> Node:
    """Return the node of several partitions that one call makes."""
    first, reading = group[0], group[0].reading
    if len(group) == 1 or reading is None:
        return first
    partitions = [node.partition for node in group if node.partition is not None]
    return replace(first, partition=None, reading=reading.at(*partitions), conditional=False)


def depth_first(steps: Sequence[Step]) -> list[Step]:
    """Return the steps so that each comes soon after what it reads: values needn't be kept for long.

    All of one partition comes before the next, where the one doesn't read the other.
    """
    by_name = {step.name: step for step in steps}
    needed = {name for step in steps for name in step.after}
    found: list[Step] = []
    seen: set[str] = set()
    for last in [*(step for step in steps if step.name not in needed), *steps]:
        stack = [(last, False)]
        while stack:
            step, is_open = stack.pop()
            if is_open:
                found.append(step)
            elif step.name not in seen:
                seen.add(step.name)
                stack.append((step, True))
                stack += [(by_name[name], False) for name in sorted(step.after, reverse=True) if name in by_name]
    return found


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
