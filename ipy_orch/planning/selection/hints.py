"""The names nearest to one that was selected and isn't there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ipy_orch.model.keys import AssetKey, labels

__all__ = ["nearest", "similar"]


def similar(key: AssetKey, known: Iterable[AssetKey]) -> str:
    """Return a hint with the keys nearest to ``key``: in spelling, or the same name under another prefix."""
    keys = list(known)
    elsewhere = [one.label for one in keys if one.path[-1] == key.path[-1]]
    return offered(elsewhere[:3]) or nearest(key.label, labels(keys))


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
