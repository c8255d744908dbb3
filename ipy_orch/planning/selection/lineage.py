"""What follows from a selection along the lineage: upstream, downstream, its first, its last, its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph, ancestors, descendants
from ipy_orch.planning.selection.selection import AssetSelection, enclosed

__all__ = ["Derived", "Downstream", "Materializable", "Neighbors", "Roots", "Sinks", "Sources", "Upstream"]


@dataclass(frozen=True)
class Derived(AssetSelection):
    """Select assets that follow from another selection."""

    child: AssetSelection
    function: ClassVar[str] = ""  #: its name in a text

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return what follows."""
        return self.derive(asset_graph, self.child.resolve_inner(asset_graph, allow_missing))

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return what follows from the assets of the child."""
        raise NotImplementedError

    def to_selection_str(self) -> str:
        """Return ``function(child)``."""
        return f"{self.function}({self.child.to_selection_str()})"


@dataclass(frozen=True)
class Layered(Derived):
    """Select so many layers of the lineage."""

    depth: int | None = None
    include_self: bool = True

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return not self.include_self

    def beside(self, before: str = "", after: str = "") -> str:
        """Return the text of the child with its signs, and without the child itself where it isn't included."""
        inner = enclosed(self.child, always=isinstance(self.child, Layered))
        text = f"{before}{inner}{after}"
        return text if self.include_self else f"{text} and not {inner}"

    @property
    def layers(self) -> str:
        """Return the depth, "" for all the way."""
        return "" if self.depth is None else str(self.depth)


@dataclass(frozen=True)
class Upstream(Layered):
    """Select what the child depends on."""

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return the ancestors that something makes."""
        found = ancestors(asset_graph.upstream, keys, self.depth) & set(asset_graph.materializable_keys)
        return found if self.include_self else found - keys

    def to_selection_str(self) -> str:
        """Return ``+a`` or ``2+a``."""
        return self.beside(before=f"{self.layers}+")


@dataclass(frozen=True)
class Downstream(Layered):
    """Select what depends on the child."""

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return the descendants."""
        found = descendants(asset_graph, keys, self.depth)
        return found if self.include_self else found - keys

    def to_selection_str(self) -> str:
        """Return ``a+`` or ``a+2``."""
        return self.beside(after=f"+{self.layers}")


@dataclass(frozen=True)
class Sources(Derived):
    """Select the external assets that the child depends on."""

    function: ClassVar[str] = "upstream_source_assets"

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return the ancestors that nothing makes."""
        return ancestors(asset_graph.upstream, keys) - set(asset_graph.materializable_keys)


@dataclass(frozen=True)
class Roots(Derived):
    """Select the first of the child."""

    function: ClassVar[str] = "roots"

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return those without an ancestor among them."""
        below: set[AssetKey] = set()
        for key, deps in asset_graph.upstream.items():
            if any(dep in keys or dep in below for dep in deps):
                below.add(key)
        return keys - below


@dataclass(frozen=True)
class Sinks(Derived):
    """Select the last of the child."""

    function: ClassVar[str] = "sinks"

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return those without a descendant among them."""
        above: set[AssetKey] = set()
        for key in reversed(asset_graph.keys):
            if key in keys or key in above:
                above |= asset_graph.upstream[key]
        return keys - above


@dataclass(frozen=True)
class Neighbors(Derived):
    """Select the child and what is made together with it."""

    function: ClassVar[str] = "required_multi_asset_neighbors"

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return all assets of each function that can't make a part of them."""
        makers = {asset_graph.maker(key) for key in keys}
        together = (one.keys for one in makers if one.is_executable and not one.can_subset)
        return keys.union(*together)


@dataclass(frozen=True)
class Materializable(Derived):
    """Select those of the child that something makes."""

    function: ClassVar[str] = "materializable"

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return those with an op."""
        return keys & set(asset_graph.materializable_keys)
