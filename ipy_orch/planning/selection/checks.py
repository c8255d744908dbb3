"""Checks chosen without their assets."""

from __future__ import annotations

from dataclasses import dataclass

from ipy_orch.errors import DagsterInvalidSubsetError
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.hints import nearest
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.planning.selection.text import NOTHING, quoted

__all__ = ["AllChecks", "Checks", "ChecksOf"]


@dataclass(frozen=True)
class ChecksOnly(AssetSelection):
    """Select checks, and no asset."""

    def resolve_inner(self, _asset_graph: AssetGraph, _allow_missing: bool) -> set[AssetKey]:
        """Return nothing."""
        return set()


@dataclass(frozen=True)
class AllChecks(ChecksOnly):
    """Select every check."""

    def resolve_checks_inner(self, asset_graph: AssetGraph, _allow_missing: bool) -> set[AssetCheckKey]:
        """Return all of them."""
        return set(asset_graph.checks)

    def to_selection_str(self) -> str:
        """Return ``check:*``."""
        return "check:*"


@dataclass(frozen=True)
class ChecksOf(ChecksOnly):
    """Select the checks of some assets."""

    selected_keys: tuple[AssetKey, ...]

    def resolve_checks_inner(self, asset_graph: AssetGraph, _allow_missing: bool) -> set[AssetCheckKey]:
        """Return those of the assets."""
        return {check for key in self.selected_keys for check in asset_graph.checks_of.get(key, ())}

    def to_selection_str(self) -> str:
        """Return ``check:"a:*"``."""
        return " or ".join(f"check:{quoted(f'{key.label}:*')}" for key in self.selected_keys) or NOTHING

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return len(self.selected_keys) != 1


@dataclass(frozen=True)
class Checks(ChecksOnly):
    """Select checks by key."""

    selected_check_keys: tuple[AssetCheckKey, ...]

    def resolve_checks_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetCheckKey]:
        """Return the keys.

        Raises:
            DagsterInvalidSubsetError: when the graph doesn't have one.
        """
        missing = [key for key in self.selected_check_keys if key not in asset_graph.checks]
        if missing and not allow_missing:
            names = ", ".join(f"`{key.label}`" for key in missing)
            raise DagsterInvalidSubsetError(
                f"there is no check {names}, but it was selected",
                hint=nearest(missing[0].label, labels(asset_graph.checks)),
            )
        return set(self.selected_check_keys) - set(missing)

    def to_selection_str(self) -> str:
        """Return ``check:"a:c"``."""
        return " or ".join(f"check:{quoted(key.label)}" for key in self.selected_check_keys) or NOTHING

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return len(self.selected_check_keys) != 1
