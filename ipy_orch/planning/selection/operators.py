"""Selections made of others: any of them, all of them, one without another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.assets import All, Keys
from ipy_orch.planning.selection.selection import AssetSelection, enclosed, operand
from ipy_orch.planning.selection.text import NOTHING

__all__ = ["And", "Minus", "Or", "flat", "union"]


@dataclass(frozen=True, eq=False)
class Operands(AssetSelection):
    """Combine selections whose order doesn't matter."""

    operands: tuple[AssetSelection, ...]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and set(self.operands) == set(other.operands)

    def __hash__(self) -> int:
        return hash((type(self), frozenset(self.operands)))

    def joined(self, word: str) -> str:
        """Return the texts with ``word`` between them."""
        return f" {word} ".join(map(enclosed, self.operands)) or NOTHING

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return True


@dataclass(frozen=True, eq=False)
class Or(Operands):
    """Select what any of them selects."""

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return the union."""
        return {key for one in self.operands for key in one.resolve_inner(asset_graph, allow_missing)}

    def resolve_checks_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetCheckKey]:
        """Return the union."""
        return {key for one in self.operands for key in one.resolve_checks_inner(asset_graph, allow_missing)}

    def to_selection_str(self) -> str:
        """Return ``a or b``."""
        return self.joined("or")


@dataclass(frozen=True, eq=False)
class And(Operands):
    """Select what all of them select."""

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return the intersection."""
        return set.intersection(*(one.resolve_inner(asset_graph, allow_missing) for one in self.operands))

    def resolve_checks_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetCheckKey]:
        """Return the intersection."""
        return set.intersection(*(one.resolve_checks_inner(asset_graph, allow_missing) for one in self.operands))

    def to_selection_str(self) -> str:
        """Return ``a and b``."""
        return self.joined("and")


@dataclass(frozen=True)
class Minus(AssetSelection):
    """Select what the left selects and the right doesn't."""

    left: AssetSelection
    right: AssetSelection

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return the difference."""
        left = self.left.resolve_inner(asset_graph, allow_missing)
        return left - self.right.resolve_inner(asset_graph, allow_missing)

    def resolve_checks_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetCheckKey]:
        """Return the difference."""
        left = self.left.resolve_checks_inner(asset_graph, allow_missing)
        return left - self.right.resolve_checks_inner(asset_graph, allow_missing)

    def to_selection_str(self) -> str:
        """Return ``a and not b``, or ``not b``."""
        without = f"not {enclosed(self.right)}"
        return without if isinstance(self.left, All) else f"{enclosed(self.left)} and {without}"

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return True


def flat(kind: type[Operands], *selections: object) -> tuple[AssetSelection, ...]:
    """Return the operands, those of the same kind opened up."""
    found: list[AssetSelection] = []
    for one in map(operand, selections):
        found.extend(one.operands if isinstance(one, kind) else (one,))
    return tuple(found)


def union(selections: Sequence[AssetSelection]) -> AssetSelection:
    """Return one selection for several."""
    if selections and all(isinstance(one, Keys) for one in selections):
        return Keys(tuple(key for one in selections for key in one.selected_keys))  # type: ignore[attr-defined]
    return Or(flat(Or, *selections)) if len(selections) > 1 else selections[0] if selections else Keys(())
