"""What the text of a selection means. text.py makes a tree of it; here the tree becomes selections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ipy_orch.errors import DagsterInvalidSubsetError
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.planning.selection import assets, checks, lineage, operators
from ipy_orch.planning.selection import text as syntax
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["understood"]


def understood(text: str, include_sources: bool) -> AssetSelection:
    """Return the selection that a text spells.

    Raises:
        DagsterInvalidAssetSelectionError: when the text can't be read; a caret shows where.
    """
    return built(syntax.parse(text), include_sources)


def built(node: syntax.Node, include_sources: bool) -> AssetSelection:  # noqa: C901, PLR0911 - a case per node
    """Return the selection that a tree of syntax means."""
    match node:
        case syntax.Everything():
            return assets.All(include_sources)
        case syntax.Name(text):
            return by_key(text)
        case syntax.Attribute("tag", value, extra):
            return assets.Tag(include_sources, value or "", extra or "")
        case syntax.Attribute(name, value):
            return BY_ATTRIBUTE[name](value, include_sources)
        case syntax.Call(function, argument):
            return BY_FUNCTION[function](built(argument, include_sources))
        case syntax.Upstream(child, depth):
            return lineage.Upstream(built(child, include_sources), depth)
        case syntax.Downstream(child, depth):
            return lineage.Downstream(built(child, include_sources), depth)
        case syntax.Not(child):
            return operators.Minus(assets.All(include_sources), built(child, include_sources))
        case syntax.Both(nodes):
            return operators.And(operators.flat(operators.And, *(built(one, include_sources) for one in nodes)))
        case syntax.Either(nodes):
            return operators.union([built(one, include_sources) for one in nodes])


def by_key(text: str) -> AssetSelection:
    """Return the selection of a key, or of a pattern of keys, external ones included: they were called by name."""
    return assets.KeyPattern(True, text) if "*" in text else assets.Keys((AssetKey.from_user_string(text),))


def by_group(text: str | None, include_sources: bool) -> AssetSelection:
    """Return the selection of a group, or of a pattern of groups."""
    if text is not None and "*" in text:
        return assets.GroupPattern(include_sources, text)
    return assets.Groups(include_sources, () if text is None else (text,))


def by_check(text: str) -> AssetSelection:
    """Return the selection of ``*``, ``asset:*`` or ``asset:check``."""
    asset, _, name = text.rpartition(":")
    if text == "*":
        return checks.AllChecks()
    if not asset:
        raise DagsterInvalidSubsetError(f"`check:{text}` doesn't say of which asset", hint=f"check:ASSET:{text}")
    key = AssetKey.from_user_string(asset)
    return checks.ChecksOf((key,)) if name == "*" else checks.Checks((AssetCheckKey(key, name),))


BY_ATTRIBUTE: Final[dict[str, Callable[[str | None, bool], AssetSelection]]] = {
    "key": lambda text, _: by_key(text or ""),
    "key_prefix": lambda text, include_sources: AssetSelection.key_prefixes(
        text or "", include_sources=include_sources
    ),
    "key_substring": lambda text, include_sources: assets.KeySubstring(include_sources, text or ""),
    "group": by_group,
    "kind": lambda text, include_sources: assets.Kind(include_sources, text),
    "owner": lambda text, _: assets.Owner(True, text),
    "is": lambda text, _: assets.Is(text or ""),
    "check": lambda text, _: by_check(text or ""),
}

BY_FUNCTION: Final[dict[str, type[lineage.Derived]]] = {
    kind.function: kind
    for kind in (lineage.Roots, lineage.Sinks, lineage.Materializable, lineage.Neighbors, lineage.Sources)
}
