"""What a Definitions derives on this floor: its graph, and the assets that a selection names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import graph_of, selected_in
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["asset_graph", "selected_keys"]


@graph_of.supply
def asset_graph(definitions: Iterable[AssetsDefinition]) -> AssetGraph:
    """Return the graph of the definitions.

    Raises:
        DagsterInvalidDefinitionError: when two definitions make one asset or check, or when there's a cycle.
    """
    return AssetGraph.of(definitions)


@selected_in.supply
def selected_keys(definitions: Iterable[AssetsDefinition], selection: Any) -> frozenset[AssetKey]:
    """Return the assets that a selection names.

    Raises:
        DagsterInvalidSubsetError: when it names what doesn't exist.
    """
    return frozenset(AssetSelection.from_coercible(selection).resolve(asset_graph(definitions)))
