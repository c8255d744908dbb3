"""Which assets and checks: selections that compose, compare by value and turn into text and back.

A selection is a description: only :meth:`AssetSelection.resolve` looks at a graph. The kinds of selections have rooms
of their own: assets.py, checks.py, lineage.py, operators.py. A selection's text is read by text.py and meaning.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ipy_orch.errors import CheckError, DagsterInvalidSubsetError, warn
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.late import late
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.graph import AssetGraph

if TYPE_CHECKING:
    from ipy_orch.planning.selection import assets, checks, lineage, meaning, operators
else:
    assets, checks, lineage, meaning, operators = late(
        "ipy_orch.planning.selection", "assets", "checks", "lineage", "meaning", "operators"
    )

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
        return assets.All(include_sources)

    @staticmethod
    def all_asset_checks() -> AssetSelection:
        """Select every check, and no asset."""
        return checks.AllChecks()

    @staticmethod
    def assets(*assets_defs: Any) -> AssetSelection:
        """Select the assets of these definitions, specs or keys, and their checks."""
        return assets.Keys(tuple(key for one in assets_defs for key in keys_of(one)))

    @staticmethod
    def keys(*asset_keys: Any) -> AssetSelection:
        """Select these assets, and their checks."""
        return AssetSelection.assets(*asset_keys)

    @staticmethod
    def key_prefixes(*key_prefixes: str | Sequence[str], include_sources: bool = False) -> AssetSelection:
        """Select the assets whose key begins with one of these paths."""
        return assets.KeyPrefixes(include_sources, tuple(key_at(prefix) for prefix in key_prefixes))

    @staticmethod
    def key_substring(key_substring: str, include_sources: bool = False) -> AssetSelection:
        """Select the assets whose key, spelled ``a/b``, contains the text."""
        return assets.KeySubstring(include_sources, key_substring)

    @staticmethod
    def groups(*group_strs: str, include_sources: bool = False) -> AssetSelection:
        """Select the assets of these groups."""
        return assets.Groups(include_sources, tuple(group_strs))

    @staticmethod
    def tag(key: str, value: str, include_sources: bool = False) -> AssetSelection:
        """Select the assets that carry the tag with this value."""
        return assets.Tag(include_sources, key, value)

    @staticmethod
    def tag_string(string: str, include_sources: bool = False) -> AssetSelection:
        """Select by a tag spelled ``key=value``, or ``key`` where the value is empty."""
        key, _, value = string.partition("=")
        return assets.Tag(include_sources, key, value)

    @staticmethod
    def kind(kind: str | None, include_sources: bool = False) -> AssetSelection:
        """Select the assets of this kind; None selects those without any."""
        return assets.Kind(include_sources, kind)

    @staticmethod
    def owner(owner: str | None) -> AssetSelection:
        """Select the assets of this owner, external ones included; None selects those without any."""
        return assets.Owner(True, owner)

    @staticmethod
    def checks(*assets_defs_or_check_keys: Any) -> AssetSelection:
        """Select these checks, and no asset."""
        return checks.Checks(tuple(key for one in assets_defs_or_check_keys for key in check_keys_of(one)))

    @staticmethod
    def checks_for_assets(*assets_defs: Any) -> AssetSelection:
        """Select the checks of these assets, and no asset."""
        return checks.ChecksOf(tuple(key for one in assets_defs for key in keys_of(one)))

    @staticmethod
    def from_string(string: str | Sequence[str], include_sources: bool = False) -> AssetSelection:
        """Return the selection that a text spells; several texts are their union.

        Raises:
            DagsterInvalidAssetSelectionError: when the text can't be read; a caret shows where.
        """
        if isinstance(string, str):
            return meaning.understood(string, include_sources)
        return operators.union([AssetSelection.from_string(one, include_sources) for one in string])

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
            return operators.union([AssetSelection.from_coercible(one) for one in selection])
        raise DagsterInvalidSubsetError(
            f"a `{type(selection).__name__}` isn't a selection",
            hint="give a text, keys, definitions or an AssetSelection",
        )

    # -- from one selection to another --------------------------------------------------------------------------------

    def upstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """Select what this depends on, through ``depth`` layers or all of them; external assets are left out."""
        return lineage.Upstream(self, valid_depth(depth), include_self)

    def downstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """Select what depends on this, through ``depth`` layers or all of them."""
        return lineage.Downstream(self, valid_depth(depth), include_self)

    def upstream_source_assets(self) -> AssetSelection:
        """Select the external assets that this depends on, near or far."""
        return lineage.Sources(self)

    def roots(self) -> AssetSelection:
        """Select those of this that depend on no other of this, not even through assets that aren't selected."""
        return lineage.Roots(self)

    def sinks(self) -> AssetSelection:
        """Select those of this that no other of this depends on, not even through assets that aren't selected."""
        return lineage.Sinks(self)

    def sources(self) -> AssetSelection:
        """Do the same as :meth:`roots`, under its older name."""
        warn("`AssetSelection.sources` is called `roots` now", DeprecationWarning)
        return lineage.Roots(self)

    def required_multi_asset_neighbors(self) -> AssetSelection:
        """Select this and what can't be made without it, because one function makes them together."""
        return lineage.Neighbors(self)

    def materializable(self) -> AssetSelection:
        """Select those of this that something here makes."""
        return lineage.Materializable(self)

    def without_checks(self) -> AssetSelection:
        """Select the same assets without their checks."""
        return self - checks.AllChecks()

    def __or__(self, other: AssetSelection) -> AssetSelection:
        return operators.Or(operators.flat(operators.Or, self, other))

    def __and__(self, other: AssetSelection) -> AssetSelection:
        return operators.And(operators.flat(operators.And, self, other))

    def __sub__(self, other: AssetSelection) -> AssetSelection:
        return operators.Minus(self, operand(other))

    def __invert__(self) -> AssetSelection:
        return operators.Minus(assets.All(), self)

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
