"""A part of a graph: some of its ops, with what connects them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ipy_orch.errors import DagsterInvalidSubsetError
from ipy_orch.model.graphs.graph import GraphDefinition, Node
from ipy_orch.model.graphs.mappings import (
    Dependency,
    DependencyDefinition,
    MultiDependencyDefinition,
)

__all__ = ["part_of"]


def part_of(graph: GraphDefinition, selected: frozenset[str]) -> GraphDefinition:
    """Return a graph with some of its ops, ``outer.inner`` for those of nested ones.

    What an op would read of one that isn't selected is connected to nothing.

    Raises:
        DagsterInvalidSubsetError: when an op reads an output of a graph whose maker isn't selected.
    """
    names = {path.partition(".")[0] for path in selected}
    nodes = tuple(part_of_node(node, selected) for node in graph.nodes if node.name in names)
    known = {node.name: node for node in nodes}
    return graph.with_replaced(
        nodes=nodes,
        dependencies={node.name: kept_inputs(node, graph.dependencies.get(node.name, {}), known) for node in nodes},
        input_mappings=tuple(
            one
            for one in graph.input_mappings
            if one.mapped_node_name in names
            and one.mapped_node_input_name in known[one.mapped_node_name].definition.ins
        ),
        output_mappings=tuple(
            one
            for one in graph.output_mappings
            if one.mapped_node_name in names
            and one.mapped_node_output_name in known[one.mapped_node_name].definition.outs
        ),
        input_assets={name: one for name, one in graph.input_assets.items() if name in names},
    )


def part_of_node(node: Node, selected: frozenset[str]) -> Node:
    """Return a node with what of it is selected."""
    if node.name in selected or not isinstance(node.definition, GraphDefinition):
        return node
    inner = frozenset(path[len(node.name) + 1 :] for path in selected if path.startswith(f"{node.name}."))
    return replace(node, definition=part_of(node.definition, inner))


def kept_inputs(node: Node, inputs: Mapping[str, Dependency], known: Mapping[str, Node]) -> dict[str, Dependency]:
    """Return where the inputs of a node come from, as far as that is selected."""
    kept: dict[str, Dependency] = {}
    for name, one in inputs.items():
        if name not in node.definition.ins:
            continue
        if isinstance(one, MultiDependencyDefinition):
            parts = [
                part for part in one.dependencies if not isinstance(part, DependencyDefinition) or part.node in known
            ]
            if parts:
                kept[name] = MultiDependencyDefinition(parts)
        elif all(part.node in known for part in one.get_node_dependencies()):
            kept[name] = one
        for part in kept[name].get_node_dependencies() if name in kept else ():
            refuse_missing_output(node, part, known[part.node])
    return kept


def refuse_missing_output(node: Node, read: DependencyDefinition, maker: Node) -> None:
    """Refuse to read an output that a part of a graph doesn't have.

    Raises:
        DagsterInvalidSubsetError: naming it.
    """
    if read.output not in maker.definition.outs:
        raise DagsterInvalidSubsetError(
            f"`{node.name}` reads output `{read.output}` of `{maker.name}`, and the op that makes it isn't selected",
            hint=f"select `{maker.name}` as a whole",
        )
