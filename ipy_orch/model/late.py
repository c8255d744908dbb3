"""Rooms of a house that are imported when they're first used.

A class that makes its own subclasses (``AssetSelection.groups(...)``, ``MetadataValue.text(...)``) can't import the
rooms where they are: those import the class. Type checkers read a plain import in place of :func:`late`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

__all__ = ["late"]


class LateModule:
    """Be a module, imported when one of its names is first asked for."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        """Return what the module has under a name, and keep it."""
        value = getattr(importlib.import_module(self._path), name)
        setattr(self, name, value)
        return value


def late(house: str, *rooms: str) -> Iterable[Any]:
    """Return the rooms of a house of ipy_orch, to be imported later.

    >>> keys, specs = late("ipy_orch.model", "keys", "specs")
    >>> keys.AssetKey("orders")
    AssetKey(['orders'])
    """
    return [LateModule(f"{house}.{room}") for room in rooms]
