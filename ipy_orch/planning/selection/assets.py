"""Assets chosen by what they are called and what was said of them: key, group, kind, owner, tag."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipy_orch.errors import DagsterInvalidSubsetError
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.hints import similar
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.planning.selection.text import NOTHING, quoted

__all__ = [
    "All",
    "GroupPattern",
    "Groups",
    "Is",
    "KeyPattern",
    "KeyPrefixes",
    "KeySubstring",
    "Keys",
    "Kind",
    "Owner",
    "Tag",
]


@dataclass(frozen=True)
class Keys(AssetSelection):
    """Select assets by key."""

    selected_keys: tuple[AssetKey, ...]

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return the keys.

        Raises:
            DagsterInvalidSubsetError: when the graph doesn't have one.
        """
        missing = [key for key in self.selected_keys if key not in asset_graph.upstream]
        if missing and not allow_missing:
            names = ", ".join(f"`{key.label}`" for key in missing)
            what = f"there is no asset {names}" if len(missing) == 1 else f"there are no assets {names}"
            raise DagsterInvalidSubsetError(f"{what}, but it was selected", hint=similar(missing[0], asset_graph.keys))
        return set(self.selected_keys) - set(missing)

    def to_selection_str(self) -> str:
        """Return ``key:"a" or key:"b"``."""
        return " or ".join(f"key:{quoted(key.label)}" for key in self.selected_keys) or NOTHING

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return len(self.selected_keys) != 1


@dataclass(frozen=True)
class Filter(AssetSelection):
    """Select the assets of which something holds; the external ones only when asked for."""

    include_sources: bool = False

    def resolve_inner(self, asset_graph: AssetGraph, _allow_missing: bool) -> set[AssetKey]:
        """Return the assets whose spec fits."""
        keys = asset_graph.keys if self.include_sources else asset_graph.materializable_keys
        return {key for key in keys if self.fits(asset_graph.spec(key))}

    def fits(self, spec: AssetSpec) -> bool:
        """Tell whether the asset is selected."""
        raise NotImplementedError


@dataclass(frozen=True)
class All(Filter):
    """Select every asset."""

    def fits(self, _spec: AssetSpec) -> bool:
        """Take all."""
        return True

    def to_selection_str(self) -> str:
        """Return ``*``."""
        return "*"


@dataclass(frozen=True)
class Patterned(Filter):
    """Select by a name in which ``*`` stands for anything."""

    pattern: str = ""

    def is_like(self, name: str) -> bool:
        """Tell whether the whole name fits the pattern."""
        return re.fullmatch(".*".join(map(re.escape, self.pattern.split("*"))), name, re.DOTALL) is not None


@dataclass(frozen=True)
class KeyPattern(Patterned):
    """Select by a pattern of the key."""

    def fits(self, spec: AssetSpec) -> bool:
        """Compare the key, spelled ``a/b``."""
        return self.is_like(spec.key.label)

    def to_selection_str(self) -> str:
        """Return ``key:"a*"``."""
        return f"key:{quoted(self.pattern)}"


@dataclass(frozen=True)
class GroupPattern(Patterned):
    """Select by a pattern of the group."""

    def fits(self, spec: AssetSpec) -> bool:
        """Compare the group."""
        return self.is_like(spec.group_name or DEFAULT_GROUP)

    def to_selection_str(self) -> str:
        """Return ``group:"a*"``."""
        return f"group:{quoted(self.pattern)}"


@dataclass(frozen=True)
class KeyPrefixes(Filter):
    """Select by the beginning of the key."""

    prefixes: tuple[AssetKey, ...] = ()

    def fits(self, spec: AssetSpec) -> bool:
        """Compare whole parts of the path."""
        return any(spec.key.has_prefix(prefix.path) for prefix in self.prefixes)

    def to_selection_str(self) -> str:
        """Return ``key_prefix:"a/b"``."""
        return " or ".join(f"key_prefix:{quoted(prefix.label)}" for prefix in self.prefixes) or NOTHING

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return len(self.prefixes) != 1


@dataclass(frozen=True)
class KeySubstring(Filter):
    """Select by a part of the key."""

    substring: str = ""

    def fits(self, spec: AssetSpec) -> bool:
        """Look into the key, spelled ``a/b``."""
        return self.substring in spec.key.label

    def to_selection_str(self) -> str:
        """Return ``key_substring:"a"``."""
        return f"key_substring:{quoted(self.substring)}"


@dataclass(frozen=True)
class Groups(Filter):
    """Select by group."""

    selected_groups: tuple[str, ...] = ()

    def fits(self, spec: AssetSpec) -> bool:
        """Compare the group, ``default`` where none was said."""
        return (spec.group_name or DEFAULT_GROUP) in self.selected_groups

    def to_selection_str(self) -> str:
        """Return ``group:"a" or group:"b"``."""
        return " or ".join(f"group:{quoted(group)}" for group in self.selected_groups) or "group:<null>"

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return len(self.selected_groups) > 1


@dataclass(frozen=True)
class Tag(Filter):
    """Select by tag and value."""

    key: str = ""
    value: str = ""

    def fits(self, spec: AssetSpec) -> bool:
        """Compare the value."""
        return spec.tags.get(self.key) == self.value

    def to_selection_str(self) -> str:
        """Return ``tag:"k"="v"``."""
        return f"tag:{quoted(self.key)}={quoted(self.value)}" if self.value else f"tag:{quoted(self.key)}"


@dataclass(frozen=True)
class Kind(Filter):
    """Select by kind, or those without any."""

    selected_kind: str | None = None

    def fits(self, spec: AssetSpec) -> bool:
        """Compare the kinds."""
        return not spec.kinds if self.selected_kind is None else self.selected_kind in spec.kinds

    def to_selection_str(self) -> str:
        """Return ``kind:"a"``."""
        return f"kind:{quoted(self.selected_kind)}"


@dataclass(frozen=True)
class Owner(Filter):
    """Select by owner, or those without any."""

    selected_owner: str | None = None

    def fits(self, spec: AssetSpec) -> bool:
        """Compare the owners."""
        return not spec.owners if self.selected_owner is None else self.selected_owner in spec.owners

    def to_selection_str(self) -> str:
        """Return ``owner:"a"``."""
        return f"owner:{quoted(self.selected_owner)}"


@dataclass(frozen=True)
class Is(AssetSelection):
    """Select what is ``external`` or what is ``materializable``."""

    attribute: str

    def resolve_inner(self, asset_graph: AssetGraph, _allow_missing: bool) -> set[AssetKey]:
        """Return the assets of this sort."""
        makes = set(asset_graph.materializable_keys)
        return makes if self.attribute == "materializable" else set(asset_graph.keys) - makes

    def to_selection_str(self) -> str:
        """Return ``is:external``."""
        return f"is:{self.attribute}"
