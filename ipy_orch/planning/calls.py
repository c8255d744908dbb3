"""The calls of a node: an op is one call of itself, a graph is the calls of all ops in it, at any depth.

Each call says where its inputs come from, with all the mappings between nested graphs followed to their ends, so that
the engine knows ops only: the op of an asset, of a check, of a graph and of a job are run in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition, Node
from ipy_orch.model.graphs.mappings import (
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    MultiDependencyDefinition,
)
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import NO_VALUE, In, OpDefinition, Out
from ipy_orch.model.policies import RetryPolicy

__all__ = [
    "Call",
    "Collected",
    "FanIn",
    "FromAsset",
    "FromConfig",
    "FromOutput",
    "FromValue",
    "Source",
    "calls_of",
    "calls_of_graph",
    "flat",
    "outputs_in",
    "shape_of",
]


@dataclass(frozen=True, slots=True)
class FromOutput:
    """Take what another call of the same node makes."""

    call: str
    output: str
    port: Out


@dataclass(frozen=True, slots=True)
class Collected:
    """Take a list of what an output made for each key of a dynamic output."""

    source: FromOutput


@dataclass(frozen=True, slots=True)
class FanIn:
    """Take a list of what several sources give."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class FromAsset:
    """Take the value of an asset."""

    key: AssetKey


@dataclass(frozen=True, slots=True)
class FromValue:
    """Take a value that was given."""

    value: Any


@dataclass(frozen=True, slots=True)
class FromConfig:
    """Take what run config says at ``ops.<at>.inputs.<name>``, else an asset's value, else the default."""

    at: tuple[str, ...]
    name: str
    default: Any = NO_VALUE
    asset: AssetKey | None = None


Source: TypeAlias = FromOutput | Collected | FanIn | FromAsset | FromValue | FromConfig


@dataclass(frozen=True, eq=False)
class Call:
    """Be one op in a node, with all that is particular to its place.

    Args:
        path: the names of the nodes on the way to it; its own is the last.
        sources: input -> where it comes from; a ``Nothing`` that nothing is connected to has none.
        results: output -> the outputs of the whole node that it is.
        mapped: the dynamic output for each key of which it is called.
        memo: where upper floors keep what they have worked out about it, each under its own name.
    """

    path: tuple[str, ...]
    op: OpDefinition
    sources: Mapping[str, Source] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    hooks: frozenset[Any] = frozenset()
    retry_policy: RetryPolicy | None = None
    mapped: FromOutput | None = None
    results: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def name(self) -> str:
        """Return its path with dots."""
        return ".".join(self.path)

    @property
    def is_dynamic(self) -> bool:
        """Tell whether it has a dynamic output."""
        return any(port.is_dynamic for port in self.op.outs.values())

    def reads(self) -> Iterator[Source]:
        """Yield where its inputs come from, the parts of a list one by one."""
        for source in self.sources.values():
            yield from flat(source)


def flat(source: Source) -> Iterator[Source]:
    """Yield a source, or the parts of a list."""
    if isinstance(source, FanIn):
        for one in source.sources:
            yield from flat(one)
    else:
        yield source


def outputs_in(source: Source) -> Iterator[FromOutput]:
    """Yield the outputs of other calls that a source takes from."""
    for one in flat(source):
        if isinstance(one, Collected):
            yield one.source
        elif isinstance(one, FromOutput):
            yield one


def shape_of(calls: Iterable[Call]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return how calls are wired, as plain data that is equal in every process."""
    return [
        (call.name, [(name, [place_of(one) for one in flat(source)]) for name, source in sorted(call.sources.items())])
        for call in calls
    ]


def place_of(source: Source) -> str:
    """Return in words where a source takes from."""
    match source:
        case FromOutput():
            return f"{source.call}.{source.output}"
        case Collected():
            return f"all {source.source.call}.{source.source.output}"
        case FromAsset():
            return f"asset {source.key.label}"
        case FromConfig():
            return f"config {'.'.join((*source.at, source.name))}"
        case _:
            return type(source).__name__


def calls_of(definition: AssetsDefinition) -> tuple[Call, ...]:
    """Return the calls that make the selected assets and checks of a definition, upstream first."""
    known: tuple[Call, ...] | None = definition.memo.get("calls")
    if known is None:
        known = definition.memo["calls"] = tuple(asset_calls(definition))
    return known


def asset_calls(definition: AssetsDefinition) -> Iterable[Call]:
    """Return the calls of a definition's op or graph."""
    node = definition.op
    assets = {name: FromAsset(key) for name, key in definition.keys_by_input_name.items()}
    if isinstance(node, OpDefinition):
        results = {name: (name,) for name in node.outs}
        return [Call((node.name,), node, assets, node.tags, definition.hook_defs, node.retry_policy, None, results)]
    calls = calls_of_graph(node, assets, hooks=definition.hook_defs)
    if definition.selected is None and definition.selected_checks is None:
        return calls
    return selected_calls(calls, definition)


def selected_calls(calls: Sequence[Call], definition: AssetsDefinition) -> list[Call]:
    """Return the calls that make what is selected, and what these read; an asset that isn't selected is loaded."""
    wanted = {*definition.keys_by_output_name, *definition.check_specs_by_output_name}
    others = {name: key for name, key in definition.all_keys_by_output_name.items() if name not in wanted}
    elsewhere = {
        (call.name, output): others[name]
        for call in calls
        for output, names in call.results.items()
        for name in names
        if name in others
    }
    kept = [replace(call, sources={n: loaded(one, elsewhere) for n, one in call.sources.items()}) for call in calls]
    needed = {call.name for call in kept if any(wanted.intersection(names) for names in call.results.values())}
    for call in reversed(kept):
        if call.name in needed:
            needed.update(one.call for source in call.sources.values() for one in outputs_in(source))
    return [call for call in kept if call.name in needed]


def loaded(source: Source, elsewhere: Mapping[tuple[str, str], AssetKey]) -> Source:
    """Return a source in which outputs that are assets made elsewhere are loaded as such."""
    if isinstance(source, FanIn):
        return FanIn(tuple(loaded(one, elsewhere) for one in source.sources))
    if isinstance(source, FromOutput) and (source.call, source.output) in elsewhere:
        return FromAsset(elsewhere[source.call, source.output])
    return source


def calls_of_graph(
    graph: GraphDefinition, given: Mapping[str, Source] | None = None, *, hooks: frozenset[Any] = frozenset()
) -> list[Call]:
    """Return the calls of a graph, each after those that it reads.

    Args:
        given: input of the graph -> where it comes from; the others come from run config.
        hooks: those of all calls.

    Raises:
        DagsterInvalidDefinitionError: when something is mapped over two dynamic outputs.
    """
    flattening = Flattening()
    bound = {name: FromConfig((), name) for name in graph.ins} | dict(given or {})
    made = flattening.add_graph(graph, (), bound, Place(hooks=hooks))
    return flattening.with_results(made)


@dataclass(frozen=True, slots=True)
class Place:
    """Hold what nodes hand down to the ops in them: the nearest retry policy wins."""

    tags: Mapping[str, str] = field(default_factory=dict)
    hooks: frozenset[Any] = frozenset()
    retry_policy: RetryPolicy | None = None

    def inside(self, node: Node) -> Place:
        """Return what holds inside a node."""
        retry = node.retry_policy or node.definition.retry_policy or self.retry_policy
        return Place({**self.tags, **node.tags}, self.hooks | node.hook_defs, retry)


class Level:
    """Be a graph while its nodes are added.

    Args:
        bound: input of the graph -> where it comes from; one that carries nothing may come from nowhere.
    """

    def __init__(self, graph: GraphDefinition, bound: Mapping[str, Source]) -> None:
        self.graph, self.bound = graph, bound
        self.made: dict[str, Mapping[str, FromOutput]] = {}
        self.outer = {
            (one.mapped_node_name, one.mapped_node_input_name, one.fan_in_index): one.graph_input_name
            for one in graph.input_mappings
        }

    def sources(self, node: Node, at: tuple[str, ...]) -> Iterator[tuple[str, Source]]:
        """Yield the inputs of a node, and where they come from; without those that wait for nothing."""
        for name, port in node.definition.ins.items():
            source = self.source(node, name, port, at)
            if source is not None:
                yield name, source

    def source(self, node: Node, name: str, port: In, at: tuple[str, ...]) -> Source | None:
        """Return where an input of a node comes from; None for a ``Nothing`` that waits for nothing."""
        said = self.graph.dependencies.get(node.name, {}).get(name)
        if isinstance(said, MultiDependencyDefinition):
            parts = [
                self.made[one.node][one.output]
                if isinstance(one, DependencyDefinition)
                else self.bound.get(self.outer[node.name, name, number])
                for number, one in enumerate(said.dependencies)
            ]
            return FanIn(tuple(part for part in parts if part is not None))
        if isinstance(said, DynamicCollectDependencyDefinition):
            return Collected(self.made[said.node_name][said.output_name])
        if isinstance(said, DependencyDefinition):
            return self.made[said.node][said.output]
        if (node.name, name, None) in self.outer:
            return self.bound.get(self.outer[node.name, name, None])
        if name in self.graph.source_assets.get(node.name, {}):
            return FromAsset(self.graph.source_assets[node.name][name])
        return unconnected(port, at, name)


class Flattening:
    """Collect the calls of a graph; see :func:`calls_of_graph`."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}

    def add_graph(
        self, graph: GraphDefinition, path: tuple[str, ...], bound: Mapping[str, Source], place: Place
    ) -> dict[str, FromOutput]:
        """Add the ops of a graph; return the outputs of ops that its own outputs are."""
        level = Level(graph, bound)
        for node in graph.nodes:
            at, inner = (*path, node.name), place.inside(node)
            sources = dict(level.sources(node, at))
            if isinstance(node.definition, OpDefinition):
                level.made[node.name] = self.add_op(node.definition, at, sources, inner)
            else:
                level.made[node.name] = self.add_graph(node.definition, at, sources, inner)
        return {
            one.graph_output_name: level.made[one.mapped_node_name][one.mapped_node_output_name]
            for one in graph.output_mappings
        }

    def add_op(
        self, op: OpDefinition, path: tuple[str, ...], sources: Mapping[str, Source], place: Place
    ) -> dict[str, FromOutput]:
        """Add one op."""
        own = {
            name: defaulted(source, op.ins[name])
            for name, source in sources.items()
            if not (op.ins[name].is_nothing and isinstance(source, FromConfig))
        }
        call = Call(path, op, own, place.tags, place.hooks, place.retry_policy, self.mapped_over(path, own))
        self.calls[call.name] = call
        return {name: FromOutput(call.name, name, port) for name, port in op.outs.items()}

    def mapped_over(self, path: tuple[str, ...], sources: Mapping[str, Source]) -> FromOutput | None:
        """Return the dynamic output that a call is mapped over.

        Raises:
            DagsterInvalidDefinitionError: when there are two.
        """
        found: dict[tuple[str, str], FromOutput] = {}
        for source in (one for given in sources.values() for one in flat(given) if isinstance(one, FromOutput)):
            over = source if source.port.is_dynamic else self.calls[source.call].mapped
            if over is not None:
                found[over.call, over.output] = over
        if len(found) > 1 or (found and any(self.calls[over.call].mapped for over in found.values())):
            names = ", ".join(f"`{call}.{output}`" for call, output in sorted(found))
            raise DagsterInvalidDefinitionError(
                f"`{'.'.join(path)}` is mapped over more than one dynamic output: {names}",
                hint="`.collect()` the inner one first",
            )
        return next(iter(found.values()), None)

    def with_results(self, made: Mapping[str, FromOutput]) -> list[Call]:
        """Return the calls, each knowing which of its outputs are those of the whole."""
        results: dict[str, dict[str, list[str]]] = {}
        for name, one in made.items():
            results.setdefault(one.call, {}).setdefault(one.output, []).append(name)
        return [
            replace(call, results={output: tuple(names) for output, names in results.get(name, {}).items()})
            for name, call in self.calls.items()
        ]


def unconnected(port: In, at: tuple[str, ...], name: str) -> Source | None:
    """Return where an input comes from that nothing is connected to."""
    return None if port.is_nothing else FromConfig(at, name, asset=port.asset_key)


def defaulted(source: Source, port: In) -> Source:
    """Return a source with the op's own default."""
    if isinstance(source, FromConfig) and port.has_default_value:
        return replace(source, default=port.default_value)
    return source
