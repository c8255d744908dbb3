"""The assets that the post-processing of a component targets."""

from __future__ import annotations

from ipy_orch.authoring.components.post_processing import targeted
from ipy_orch.model.definitions import Definitions, graph_of
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["targeted_keys"]


@targeted.supply
def targeted_keys(defs: Definitions, target: str) -> frozenset[AssetKey]:
    """Return the assets that a selection names, external ones among them.

    Raises:
        DagsterInvalidSubsetError: when it names what doesn't exist.
    """
    selection = AssetSelection.from_string(target, include_sources=True)
    return frozenset(selection.resolve(graph_of(defs.definitions)))
