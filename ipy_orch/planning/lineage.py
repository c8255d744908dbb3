"""Definitions in the order of their lineage; in parts, where they read each other."""

from __future__ import annotations

from collections.abc import Mapping

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph, topological

__all__ = ["by_lineage", "made_together"]


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


def made_together(graph: AssetGraph, key: AssetKey) -> frozenset[AssetKey]:
    """Return an asset and those that one step makes with it, when all of the graph runs.

    Raises:
        DagsterInvalidDefinitionError: when definitions read each other in a circle that no parts can undo.
    """
    maker = graph.maker(key)
    if not maker.is_executable or len(maker.keys) == 1:
        return frozenset({key})
    makers = dict.fromkeys(graph.makers[one] for one in graph.executable_keys)
    found = by_lineage(graph, {one: frozenset(one.keys) for one in makers})
    return next(keys for keys in found.values() if key in keys)


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
