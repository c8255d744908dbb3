"""Whether a graph's wiring fits: names, cycles, lists, and nodes that run once per value of a dynamic output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.graphs.mappings import (
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    InputMapping,
    MappedInputPlaceholder,
    MultiDependencyDefinition,
    NodeInvocation,
    OutputMapping,
)

if TYPE_CHECKING:
    from ipy_orch.model.graphs.graph import GraphDefinition, Node

__all__ = ["check_dynamics", "check_inputs", "check_outputs", "checked_dependencies", "in_order", "known_node"]

T = TypeVar("T")


# -- between nodes ----------------------------------------------------------------------------------------------------


def checked_dependencies(
    nodes: Mapping[str, Node], given: Mapping[NodeInvocation, Mapping[str, Dependency]], where: str
) -> dict[str, dict[str, Dependency]]:
    """Return node -> input -> where it comes from, with an entry for each node.

    Raises:
        DagsterInvalidDefinitionError: for a node, input or output that doesn't exist, or a list where the type is none.
    """
    wired: dict[str, dict[str, Dependency]] = {name: {} for name in nodes}
    for invocation, inputs in given.items():
        node = known_node(nodes, invocation.node_name, "dependencies", where)
        for name, dependency in inputs.items():
            wired[node.name][name] = checked_dependency(nodes, node, name, dependency, where)
    return wired


def known_node(nodes: Mapping[str, T], name: str, what: str, where: str) -> T:
    """Return a node, or what nodes are made of, by name.

    Raises:
        DagsterInvalidDefinitionError: when there is none.
    """
    if name not in nodes:
        hint = closest(name, nodes) or f"it has {', '.join(f'`{one}`' for one in nodes) or 'none'}"
        raise DagsterInvalidDefinitionError(f"{what}: there is no node `{name}`", where=where, hint=hint)
    return nodes[name]


def known_port(node: Node, name: str, kind: str, what: str, where: str) -> Any:
    """Return an input or output of a node, with its name and type.

    Raises:
        DagsterInvalidDefinitionError: when there is none.
    """
    ports = node.definition.input_defs if kind == "input" else node.definition.output_defs
    for port in ports:
        if port.name == name:
            return port
    names = [port.name for port in ports]
    hint = closest(name, names) or f"it has {', '.join(f'`{one}`' for one in names) or 'none'}"
    message = f"{what}: {node.describe_node()} has no {kind} `{name}`"
    raise DagsterInvalidDefinitionError(message, where=where, hint=hint)


def checked_dependency(
    nodes: Mapping[str, Node], node: Node, name: str, dependency: Dependency, where: str
) -> Dependency:
    """Return where an input comes from, when that is there and fits."""
    what = f"input `{name}` of `{node.name}`"
    if not isinstance(dependency, Dependency):
        raise DagsterInvalidDefinitionError(
            f"{what} comes from a DependencyDefinition, not {dependency!r}", where=where
        )
    port = known_port(node, name, "input", "dependencies", where)
    for one in dependency.get_node_dependencies():
        known_port(known_node(nodes, one.node, what, where), one.output, "output", what, where)
    if dependency.is_fan_in() and not port.dagster_type.supports_fan_in:
        raise DagsterInvalidDefinitionError(
            f"{what} is of type `{port.dagster_type.display_name}`, and gets several outputs as a list",
            where=where,
            hint=f"annotate it `list[{port.dagster_type.display_name}]`",
        )
    return dependency


def in_order(nodes: Iterable[str], wired: Mapping[str, Mapping[str, Dependency]], where: str) -> list[str]:
    """Return the nodes, each after what it depends on, else as they came.

    Raises:
        DagsterInvalidDefinitionError: when nodes wait for each other, naming them.
    """
    upstream = {name: upstream_of(wired[name]) for name in nodes}
    done: dict[str, None] = {}
    for name in upstream:
        visit(name, upstream, done, where)
    return list(done)


def upstream_of(inputs: Mapping[str, Dependency]) -> list[str]:
    """Return the nodes that inputs come from."""
    return [one.node for dependency in inputs.values() for one in dependency.get_node_dependencies()]


def visit(start: str, upstream: Mapping[str, list[str]], done: dict[str, None], where: str) -> None:
    """Put ``start`` into ``done``, after all that it depends on; without recursion, for long chains."""
    stack = [(start, iter(upstream[start]))] if start not in done else []
    path = dict.fromkeys([start])
    while stack:
        name, rest = stack[-1]
        found = next((one for one in rest if one not in done), None)
        if found is None:
            done[name] = None
            stack.pop()
            del path[name]
        elif found in path:
            waiting = list(path)
            circle = " -> ".join(f"`{one}`" for one in [found, *reversed(waiting[waiting.index(found) :])])
            raise DagsterInvalidDefinitionError(f"nodes wait for each other: {circle}", where=where)
        else:
            stack.append((found, iter(upstream[found])))
            path[found] = None


# -- between nodes and the graph's own ports --------------------------------------------------------------------------


def check_inputs(
    nodes: Mapping[str, Node],
    wired: Mapping[str, Mapping[str, Dependency]],
    mappings: Sequence[InputMapping],
    where: str,
) -> None:
    """Check that each mapped input is there, comes from nowhere else, and that each place in a list is filled.

    Raises:
        DagsterInvalidDefinitionError: otherwise.
    """
    filled: set[tuple[str, str, int | None]] = set()
    for one in mappings:
        what = mapping_label(one, InputMapping, "input", where)
        port = known_port(
            known_node(nodes, one.mapped_node_name, what, where), one.mapped_node_input_name, "input", what, where
        )
        check_place(one, wired[one.mapped_node_name].get(port.name), what, where)
        place = (one.mapped_node_name, port.name, one.fan_in_index)
        if place in filled:
            raise DagsterInvalidDefinitionError(f"{what}: `{place[0]}.{place[1]}` has a source already", where=where)
        filled.add(place)
    for node, inputs in wired.items():
        for name, dependency in inputs.items():
            for number in set(places_in(dependency)):
                if (node, name, number) not in filled:
                    raise DagsterInvalidDefinitionError(
                        f"place {number} in the list of `{node}.{name}` isn't mapped to an input of the graph",
                        where=where,
                    )


def mapping_label(mapping: Any, wanted: type, kind: str, where: str) -> str:
    """Return a name for messages.

    Raises:
        DagsterInvalidDefinitionError: when it isn't a mapping.
    """
    if not isinstance(mapping, wanted):
        raise DagsterInvalidDefinitionError(f"`{kind}_mappings` are {wanted.__name__}s, not {mapping!r}", where=where)
    return f"{kind} `{getattr(mapping, f'graph_{kind}_name')}`"


def check_place(mapping: InputMapping, dependency: Dependency | None, what: str, where: str) -> None:
    """Check that a node's input, or the place in its list, is free for an input of the graph."""
    target = f"`{mapping.mapped_node_name}.{mapping.mapped_node_input_name}`"
    if mapping.fan_in_index is None:
        if dependency is not None:
            raise DagsterInvalidDefinitionError(f"{what}: {target} comes from another node already", where=where)
    elif not isinstance(dependency, MultiDependencyDefinition):
        raise DagsterInvalidDefinitionError(f"{what}: {target} isn't a list of several outputs", where=where)
    elif mapping.fan_in_index not in places_in(dependency):
        raise DagsterInvalidDefinitionError(
            f"{what}: place {mapping.fan_in_index} in the list of {target} is no MappedInputPlaceholder", where=where
        )


def places_in(dependency: Dependency) -> list[int]:
    """Return the places in a list that inputs of the graph fill."""
    if not isinstance(dependency, MultiDependencyDefinition):
        return []
    return [number for number, one in enumerate(dependency.dependencies) if one is MappedInputPlaceholder]


def check_outputs(nodes: Mapping[str, Node], mappings: Sequence[OutputMapping], where: str) -> None:
    """Check that each mapped output is there, and that a dynamic one stays dynamic.

    Raises:
        DagsterInvalidDefinitionError: otherwise.
    """
    seen: set[str] = set()
    for one in mappings:
        what = mapping_label(one, OutputMapping, "output", where)
        node = known_node(nodes, one.mapped_node_name, what, where)
        known_port(node, one.mapped_node_output_name, "output", what, where)
        if one.graph_output_name in seen:
            raise DagsterInvalidDefinitionError(f"{what} is mapped twice", where=where)
        seen.add(one.graph_output_name)


# -- dynamic outputs --------------------------------------------------------------------------------------------------


def check_dynamics(nodes: Sequence[Node], wired: Mapping[str, Mapping[str, Dependency]], where: str) -> None:
    """Check that no node is behind two dynamic outputs.

    Raises:
        DagsterInvalidDefinitionError: when one is, or a list or a collecting node is behind one that isn't collected.
    """
    dynamic = dynamic_outputs(nodes)
    behind: dict[str, DependencyDefinition] = {}
    for node in nodes:
        inputs = wired[node.name]
        for name, dependency in inputs.items():
            if isinstance(dependency, DynamicCollectDependencyDefinition):
                continue
            for one in dependency.get_node_dependencies():
                for source in dynamic_sources(one, dynamic, behind):
                    check_behind(node, name, source, isinstance(dependency, MultiDependencyDefinition), behind, where)
                    behind[node.name] = source
        for dependency in inputs.values():
            if isinstance(dependency, DynamicCollectDependencyDefinition):
                check_collect(node, dependency, dynamic, behind, where)


def dynamic_outputs(nodes: Iterable[Node]) -> frozenset[tuple[str, str]]:
    """Return node and output, of all dynamic outputs."""
    return frozenset(
        (node.name, name) for node in nodes for name, port in node.definition.outs.items() if port.is_dynamic
    )


def dynamic_sources(
    one: DependencyDefinition, dynamic: frozenset[tuple[str, str]], behind: Mapping[str, DependencyDefinition]
) -> list[DependencyDefinition]:
    """Return the dynamic outputs that a dependency is, and is behind."""
    itself = [one] if (one.node, one.output) in dynamic else []
    return [*itself, *([behind[one.node]] if one.node in behind else [])]


def check_behind(
    node: Node,
    name: str,
    source: DependencyDefinition,
    listed: bool,
    behind: Mapping[str, DependencyDefinition],
    where: str,
) -> None:
    """Check that a node can run once for each value of ``source``."""
    if listed:
        raise DagsterInvalidDefinitionError(
            f"the list for `{node.name}.{name}` has an element behind the dynamic output `{source}`",
            where=where,
            hint="`.collect()` makes a list of a dynamic output",
        )
    before = behind.get(node.name, source)
    if (before.node, before.output) != (source.node, source.output):
        refuse_two(node, source, before, where)
    if not takes_dynamic(node.definition, name):
        raise DagsterInvalidDefinitionError(
            f"`{node.name}` is behind the dynamic output `{source}`, and has one of its own behind `{name}`",
            where=where,
            hint="a node can be behind one dynamic output, not more",
        )


def check_collect(
    node: Node,
    dependency: DynamicCollectDependencyDefinition,
    dynamic: frozenset[tuple[str, str]],
    behind: Mapping[str, DependencyDefinition],
    where: str,
) -> None:
    """Check that there's something to collect, of one level, and that the node runs once."""
    [one] = dependency.get_node_dependencies()
    sources = dynamic_sources(one, dynamic, behind)
    if not sources:
        raise DagsterInvalidDefinitionError(f"`{one}` isn't dynamic: `{node.name}` can't collect it", where=where)
    if len(sources) > 1:
        refuse_two(node, one, sources[1], where)
    if node.name in behind:
        raise DagsterInvalidDefinitionError(
            f"`{node.name}` collects `{one}`, and runs once for each value of `{behind[node.name]}`", where=where
        )


def refuse_two(node: Node, one: DependencyDefinition, other: DependencyDefinition, where: str) -> None:
    """Refuse a node behind two dynamic outputs.

    Raises:
        DagsterInvalidDefinitionError: always.
    """
    raise DagsterInvalidDefinitionError(
        f"`{node.name}` is behind two dynamic outputs: `{other}` and `{one}`",
        where=where,
        hint="`.collect()` the first before the second",
    )


def takes_dynamic(definition: Any, name: str) -> bool:
    """Tell whether an input may come from a dynamic output: in a graph no other one may lie behind it."""
    if definition.node_type_str != "graph":
        return True
    return all(
        takes_dynamic(definition.node_named(one.mapped_node_name).definition, one.mapped_node_input_name)
        and not touches_dynamic(definition, one.mapped_node_name)
        for one in definition.input_mappings
        if one.graph_input_name == name
    )


def touches_dynamic(graph: GraphDefinition, name: str) -> bool:
    """Tell whether a node of a graph has a dynamic output, or is behind one."""
    dynamic = dynamic_outputs(graph.nodes)
    behind: dict[str, DependencyDefinition] = {}
    sources: set[str] = set()
    for node in graph.nodes:
        for dependency in graph.dependencies[node.name].values():
            for one in dependency.get_node_dependencies():
                for source in dynamic_sources(one, dynamic, behind):
                    sources.add(source.node)
                    if not isinstance(dependency, DynamicCollectDependencyDefinition):
                        behind[node.name] = source
    return name in behind or name in sources
