"""Which assets and checks: selections that compose, compare by value and turn into text and back.

A selection is a description: only :meth:`AssetSelection.resolve` looks at a graph. selection_text.py reads its text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ipy_orch.errors import CheckError, DagsterInvalidSubsetError, warn
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec
from ipy_orch.planning.graph import AssetGraph, ancestors, descendants
from ipy_orch.planning.selection import text as syntax
from ipy_orch.planning.selection.text import quoted

__all__ = ["AssetSelection", "CoercibleToAssetSelection"]

CoercibleToAssetSelection: TypeAlias = "str | AssetKey | AssetsDefinition | AssetSpec | AssetSelection | Sequence[Any]"


class AssetSelection:
    """Select assets and checks of a graph.

    >>> str(AssetSelection.groups("ingest").downstream() - AssetSelection.keys("draft"))
    'group:"ingest"+ and not key:"draft"'
    """

    # -- where to begin -----------------------------------------------------------------------------------------------

    @staticmethod
    def all(include_sources: bool = False) -> AssetSelection:
        """Select every asset that can be materialized; with ``include_sources`` the external ones too."""
        return All(include_sources)

    @staticmethod
    def all_asset_checks() -> AssetSelection:
        """Select every check, and no asset."""
        return AllChecks()

    @staticmethod
    def assets(*assets_defs: Any) -> AssetSelection:
        """Select the assets of these definitions, specs or keys, and their checks."""
        return Keys(tuple(key for one in assets_defs for key in keys_of(one)))

    @staticmethod
    def keys(*asset_keys: Any) -> AssetSelection:
        """Select these assets, and their checks."""
        return AssetSelection.assets(*asset_keys)

    @staticmethod
    def key_prefixes(*key_prefixes: str | Sequence[str], include_sources: bool = False) -> AssetSelection:
        """Select the assets whose key begins with one of these paths."""
        return KeyPrefixes(include_sources, tuple(key_at(prefix) for prefix in key_prefixes))

    @staticmethod
    def key_substring(key_substring: str, include_sources: bool = False) -> AssetSelection:
        """Select the assets whose key, spelled ``a/b``, contains the text."""
        return KeySubstring(include_sources, key_substring)

    @staticmethod
    def groups(*group_strs: str, include_sources: bool = False) -> AssetSelection:
        """Select the assets of these groups."""
        return Groups(include_sources, tuple(group_strs))

    @staticmethod
    def tag(key: str, value: str, include_sources: bool = False) -> AssetSelection:
        """Select the assets that carry the tag with this value."""
        return Tag(include_sources, key, value)

    @staticmethod
    def tag_string(string: str, include_sources: bool = False) -> AssetSelection:
        """Select by a tag spelled ``key=value``, or ``key`` where the value is empty."""
        key, _, value = string.partition("=")
        return Tag(include_sources, key, value)

    @staticmethod
    def kind(kind: str | None, include_sources: bool = False) -> AssetSelection:
        """Select the assets of this kind; None selects those without any."""
        return Kind(include_sources, kind)

    @staticmethod
    def owner(owner: str | None) -> AssetSelection:
        """Select the assets of this owner, external ones included; None selects those without any."""
        return Owner(True, owner)

    @staticmethod
    def checks(*assets_defs_or_check_keys: Any) -> AssetSelection:
        """Select these checks, and no asset."""
        return Checks(tuple(key for one in assets_defs_or_check_keys for key in check_keys_of(one)))

    @staticmethod
    def checks_for_assets(*assets_defs: Any) -> AssetSelection:
        """Select the checks of these assets, and no asset."""
        return ChecksOf(tuple(key for one in assets_defs for key in keys_of(one)))

    @staticmethod
    def from_string(string: str | Sequence[str], include_sources: bool = False) -> AssetSelection:
        """Return the selection that a text spells; several texts are their union.

        Raises:
            DagsterInvalidSubsetError: when the text can't be read; a caret shows where.
        """
        if isinstance(string, str):
            return built(syntax.parse(string), include_sources)
        return union([AssetSelection.from_string(one, include_sources) for one in string])

    @staticmethod
    def from_coercible(selection: CoercibleToAssetSelection) -> AssetSelection:
        """Return as a selection: a text, a key, a definition, a spec, a selection, or a sequence of those.

        Raises:
            DagsterInvalidSubsetError: for anything else.
        """
        if isinstance(selection, AssetSelection):
            return selection
        if isinstance(selection, str):
            return AssetSelection.from_string(selection)
        if isinstance(selection, AssetCheckKey) or (isinstance(selection, AssetsDefinition) and not selection.has_keys):
            return AssetSelection.checks(selection)
        if isinstance(selection, AssetKey | AssetsDefinition | AssetSpec):
            return AssetSelection.assets(selection)
        if isinstance(selection, Iterable):
            return union([AssetSelection.from_coercible(one) for one in selection])
        raise DagsterInvalidSubsetError(
            f"a `{type(selection).__name__}` isn't a selection",
            hint="give a text, keys, definitions or an AssetSelection",
        )

    # -- from one selection to another --------------------------------------------------------------------------------

    def upstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """Select what this depends on, through ``depth`` layers or all of them; external assets are left out."""
        return Upstream(self, valid_depth(depth), include_self)

    def downstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """Select what depends on this, through ``depth`` layers or all of them."""
        return Downstream(self, valid_depth(depth), include_self)

    def upstream_source_assets(self) -> AssetSelection:
        """Select the external assets that this depends on, near or far."""
        return Sources(self)

    def roots(self) -> AssetSelection:
        """Select those of this that depend on no other of this, not even through assets that aren't selected."""
        return Roots(self)

    def sinks(self) -> AssetSelection:
        """Select those of this that no other of this depends on, not even through assets that aren't selected."""
        return Sinks(self)

    def sources(self) -> AssetSelection:
        """Do the same as :meth:`roots`, under its older name."""
        warn("`AssetSelection.sources` is called `roots` now", DeprecationWarning)
        return Roots(self)

    def required_multi_asset_neighbors(self) -> AssetSelection:
        """Select this and what can't be made without it, because one function makes them together."""
        return Neighbors(self)

    def materializable(self) -> AssetSelection:
        """Select those of this that something here makes."""
        return Materializable(self)

    def without_checks(self) -> AssetSelection:
        """Select the same assets without their checks."""
        return self - AllChecks()

    def __or__(self, other: AssetSelection) -> AssetSelection:
        return Or(flat(Or, self, other))

    def __and__(self, other: AssetSelection) -> AssetSelection:
        return And(flat(And, self, other))

    def __sub__(self, other: AssetSelection) -> AssetSelection:
        return Minus(self, operand(other))

    def __invert__(self) -> AssetSelection:
        return Minus(All(), self)

    # -- against a graph ----------------------------------------------------------------------------------------------

    def resolve(self, all_assets: Any, allow_missing: bool = False) -> set[AssetKey]:
        """Return the assets selected.

        Args:
            all_assets: an AssetGraph, a Definitions, or the definitions themselves.
            allow_missing: leave out keys that the graph doesn't have.

        Raises:
            DagsterInvalidSubsetError: when a key isn't there, with the closest ones.
        """
        return self.resolve_inner(graph_of(all_assets), allow_missing)

    def resolve_checks(self, asset_graph: Any, allow_missing: bool = False) -> set[AssetCheckKey]:
        """Return the checks selected: those of the assets, unless the selection says otherwise."""
        return self.resolve_checks_inner(graph_of(asset_graph), allow_missing)

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return the assets; a selection of your own defines this."""
        raise NotImplementedError(f"{type(self).__name__}.resolve_inner")

    def resolve_checks_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetCheckKey]:
        """Return the checks; by default those of the assets."""
        assets = self.resolve_inner(asset_graph, allow_missing)
        return {key for key in asset_graph.checks if key.asset_key in assets}

    # -- as text ------------------------------------------------------------------------------------------------------

    def to_selection_str(self) -> str:
        """Return a text that :meth:`from_string` reads as the same selection."""
        raise NotImplementedError(f"a {type(self).__name__} can't be written as text")

    def __str__(self) -> str:
        try:
            return self.to_selection_str()
        except NotImplementedError:
            return repr(self)

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return False


# -- assets one by one ------------------------------------------------------------------------------------------------


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
            names = ", ".join(f"`{key}`" for key in missing)
            what = f"there is no asset {names}" if len(missing) == 1 else f"there are no assets {names}"
            raise DagsterInvalidSubsetError(f"{what}, but it was selected", hint=similar(missing[0], asset_graph.keys))
        return set(self.selected_keys) - set(missing)

    def to_selection_str(self) -> str:
        """Return ``key:"a" or key:"b"``."""
        return " or ".join(f"key:{quoted(str(key))}" for key in self.selected_keys) or NOTHING

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
        return self.is_like(str(spec.key))

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
        return " or ".join(f"key_prefix:{quoted(str(prefix))}" for prefix in self.prefixes) or NOTHING

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
        return self.substring in str(spec.key)

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


# -- checks -----------------------------------------------------------------------------------------------------------


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
        return " or ".join(f"check:{quoted(f'{key}:*')}" for key in self.selected_keys) or NOTHING

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
            names = ", ".join(f"`{key}`" for key in missing)
            raise DagsterInvalidSubsetError(
                f"there is no check {names}, but it was selected",
                hint=nearest(str(missing[0]), map(str, asset_graph.checks)),
            )
        return set(self.selected_check_keys) - set(missing)

    def to_selection_str(self) -> str:
        """Return ``check:"a:c"``."""
        return " or ".join(f"check:{quoted(str(key))}" for key in self.selected_check_keys) or NOTHING

    @property
    def is_compound(self) -> bool:
        """Tell whether the text needs parentheses beside an operator."""
        return len(self.selected_check_keys) != 1


# -- operators --------------------------------------------------------------------------------------------------------


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


# -- along the lineage ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Derived(AssetSelection):
    """Select assets that follow from another selection."""

    child: AssetSelection

    def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
        """Return what follows."""
        return self.derive(asset_graph, self.child.resolve_inner(asset_graph, allow_missing))

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return what follows from the assets of the child."""
        raise NotImplementedError

    def to_selection_str(self) -> str:
        """Return ``function(child)``."""
        return f"{FUNCTIONS[type(self)]}({self.child.to_selection_str()})"


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

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return the ancestors that nothing makes."""
        return ancestors(asset_graph.upstream, keys) - set(asset_graph.materializable_keys)


@dataclass(frozen=True)
class Roots(Derived):
    """Select the first of the child."""

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

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return all assets of each function that can't make a part of them."""
        makers = {asset_graph.maker(key) for key in keys}
        together = (one.keys for one in makers if one.is_executable and not one.can_subset)
        return keys.union(*together)


@dataclass(frozen=True)
class Materializable(Derived):
    """Select those of the child that something makes."""

    def derive(self, asset_graph: AssetGraph, keys: set[AssetKey]) -> set[AssetKey]:
        """Return those with an op."""
        return keys & set(asset_graph.materializable_keys)


FUNCTIONS: dict[type[Derived], str] = {
    Roots: "roots",
    Sinks: "sinks",
    Materializable: "materializable",
    Neighbors: "required_multi_asset_neighbors",
    Sources: "upstream_source_assets",
}
BY_FUNCTION: dict[str, Callable[[AssetSelection], AssetSelection]] = {name: kind for kind, name in FUNCTIONS.items()}
NOTHING = "not *"


# -- from text --------------------------------------------------------------------------------------------------------


def built(node: syntax.Node, include_sources: bool) -> AssetSelection:  # noqa: C901, PLR0911 - a case per node
    """Return the selection that a tree of syntax means."""
    match node:
        case syntax.Everything():
            return All(include_sources)
        case syntax.Name(text):
            return by_key(text)
        case syntax.Attribute("tag", value, extra):
            return Tag(include_sources, value or "", extra or "")
        case syntax.Attribute(name, value):
            return BY_ATTRIBUTE[name](value, include_sources)
        case syntax.Call(function, argument):
            return BY_FUNCTION[function](built(argument, include_sources))
        case syntax.Upstream(child, depth):
            return Upstream(built(child, include_sources), depth)
        case syntax.Downstream(child, depth):
            return Downstream(built(child, include_sources), depth)
        case syntax.Not(child):
            return Minus(All(include_sources), built(child, include_sources))
        case syntax.Both(nodes):
            return And(flat(And, *(built(one, include_sources) for one in nodes)))
        case syntax.Either(nodes):
            return union([built(one, include_sources) for one in nodes])


def by_key(text: str) -> AssetSelection:
    """Return the selection of a key, or of a pattern of keys, external ones included: they were called by name."""
    return KeyPattern(True, text) if "*" in text else Keys((AssetKey.from_user_string(text),))


def by_group(text: str | None, include_sources: bool) -> AssetSelection:
    """Return the selection of a group, or of a pattern of groups."""
    if text is not None and "*" in text:
        return GroupPattern(include_sources, text)
    return Groups(include_sources, () if text is None else (text,))


def by_check(text: str) -> AssetSelection:
    """Return the selection of ``*``, ``asset:*`` or ``asset:check``."""
    asset, _, name = text.rpartition(":")
    if text == "*":
        return AllChecks()
    if not asset:
        raise DagsterInvalidSubsetError(f"`check:{text}` doesn't say of which asset", hint=f"check:ASSET:{text}")
    key = AssetKey.from_user_string(asset)
    return ChecksOf((key,)) if name == "*" else Checks((AssetCheckKey(key, name),))


BY_ATTRIBUTE: dict[str, Callable[[str | None, bool], AssetSelection]] = {
    "key": lambda text, _: by_key(text or ""),
    "key_prefix": lambda text, include_sources: AssetSelection.key_prefixes(
        text or "", include_sources=include_sources
    ),
    "key_substring": lambda text, include_sources: KeySubstring(include_sources, text or ""),
    "group": by_group,
    "kind": lambda text, include_sources: Kind(include_sources, text),
    "owner": lambda text, _: Owner(True, text),
    "is": lambda text, _: Is(text or ""),
    "check": lambda text, _: by_check(text or ""),
}


# -- arguments --------------------------------------------------------------------------------------------------------


def keys_of(asset: Any) -> Iterable[AssetKey]:
    """Return the keys that a definition, a spec or anything like a key names."""
    if isinstance(asset, AssetsDefinition):
        return sorted(asset.keys)
    return [asset.key] if isinstance(asset, AssetSpec) else [key_at(asset)]


def key_at(path: Any) -> AssetKey:
    """Return the key of a path; a string is spelled ``a/b``, as everywhere in selections."""
    return AssetKey.from_user_string(path) if isinstance(path, str) else AssetKey.from_coercible(path)


def check_keys_of(check: Any) -> Iterable[AssetCheckKey]:
    """Return the keys of the checks that a definition makes, or the key itself.

    Raises:
        CheckError: for anything else.
    """
    if isinstance(check, AssetsDefinition):
        return sorted(check.check_keys)
    if isinstance(check, AssetCheckKey):
        return [check]
    raise CheckError(f"{check!r} isn't a check: give a definition of checks or an AssetCheckKey")


def graph_of(assets: Any) -> AssetGraph:
    """Return the graph of whatever holds definitions."""
    if isinstance(assets, AssetGraph):
        return assets
    resolve = getattr(assets, "resolve_asset_graph", None)
    if resolve is not None:
        return graph_of(resolve())
    return AssetGraph.of(external(one) if isinstance(one, AssetSpec) else one for one in assets)


def operand(other: object) -> AssetSelection:
    """Return ``other`` when it's a selection.

    Raises:
        CheckError: otherwise.
    """
    if not isinstance(other, AssetSelection):
        raise CheckError(f"{other!r} isn't an AssetSelection: write `AssetSelection.from_coercible(...)`")
    return other


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


def valid_depth(depth: int | None) -> int | None:
    """Return the depth.

    Raises:
        DagsterInvalidSubsetError: when it's negative.
    """
    if depth is not None and depth < 0:
        raise DagsterInvalidSubsetError(f"a depth of {depth} isn't possible", hint="0 or more layers, or None for all")
    return depth


def enclosed(selection: AssetSelection, always: bool = False) -> str:
    """Return the text, in parentheses where an operator beside it needs them."""
    text = selection.to_selection_str()
    return f"({text})" if always or selection.is_compound else text


def similar(key: AssetKey, known: Iterable[AssetKey]) -> str:
    """Return a hint with the keys nearest to ``key``: in spelling, or the same name under another prefix."""
    keys = list(known)
    elsewhere = [str(one) for one in keys if one.path[-1] == key.path[-1]]
    return offered(elsewhere[:3]) or nearest(str(key), map(str, keys))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint with up to three names that are spelled alike."""
    return offered(difflib.get_close_matches(name, list(known), n=3, cutoff=0.7))


def offered(names: Sequence[str]) -> str:
    """Return ``did you mean `a` or `b`?``, "" for no names.

    >>> offered(["a", "b", "c"])
    'did you mean `a`, `b` or `c`?'
    """
    ticked = [f"`{name}`" for name in names]
    return f"did you mean {' or '.join(filter(None, [', '.join(ticked[:-1]), ticked[-1]]))}?" if ticked else ""
