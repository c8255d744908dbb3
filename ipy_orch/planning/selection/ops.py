"""Which nodes of a graph a selection names: ``clean``, ``*clean``, ``clean++``, ``outer.inner``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ipy_orch.errors import DagsterInvalidSubsetError, closest
from ipy_orch.model.graphs.graph import GraphDefinition, nested_nodes
from ipy_orch.planning.graph import ancestors

__all__ = ["selected_nodes"]

CLAUSE: Final = re.compile(r"(?P<above>\*|\+*)(?P<name>[\w.]+)(?P<below>\*|\+*)$")


def selected_nodes(graph: GraphDefinition, selection: Sequence[str]) -> frozenset[str]:
    """Return the nodes that clauses name, nested ones by their paths; ``*`` alone names all.

    Args:
        selection: node names; in front of one ``*`` takes all that is upstream, each ``+`` one step, behind one
            likewise downstream.

    Raises:
        DagsterInvalidSubsetError: for what is no clause, and for a name that no node has.
    """
    if isinstance(selection, str):
        selection = [selection]
    paths = [path for path, _ in nested_nodes(graph)]
    chosen: set[str] = set()
    for clause in selection:
        if clause == "*":
            return frozenset(node.name for node in graph.nodes)
        chosen |= named(graph, clause, paths)
    if not chosen:
        raise DagsterInvalidSubsetError(f"nothing of graph `{graph.name}` is selected", hint=f"one of {paths}")
    return frozenset(chosen)


def named(graph: GraphDefinition, clause: str, paths: Sequence[str]) -> set[str]:
    """Return the nodes that one clause names."""
    found = CLAUSE.match(clause)
    if found is None:
        raise DagsterInvalidSubsetError(f"`{clause}` selects no op", hint="`clean`, `*clean`, `clean+`")
    name = found["name"]
    if name not in paths:
        raise DagsterInvalidSubsetError(f"graph `{graph.name}` has no op `{name}`", hint=closest(name, paths))
    before = edges(graph)
    after: dict[str, set[str]] = {node: set() for node in before}
    for node, needs in before.items():
        for need in needs:
            after[need].add(node)
    if "." in name:
        return {name}
    return {name} | reached(before, name, found["above"]) | reached(after, name, found["below"])


def edges(graph: GraphDefinition) -> dict[str, set[str]]:
    """Return node -> the nodes that it reads, of one graph."""
    return {
        node.name: {
            one.node
            for dependency in graph.dependencies.get(node.name, {}).values()
            for one in dependency.get_node_dependencies()
        }
        for node in graph.nodes
    }


def reached(neighbours: Mapping[str, set[str]], name: str, how_far: str) -> set[str]:
    """Return the nodes that many edges away: all for ``*``, as many as there are ``+``."""
    return ancestors(neighbours, [name], None if how_far == "*" else len(how_far))
