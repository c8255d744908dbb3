"""Arrays of numpy: read-only views of memory that nobody outside can write to."""

from __future__ import annotations

import copy
import weakref
from typing import Any, Final

from ipy_orch.execution.isolation.copier import Copier

__all__ = ["OURS", "claim", "copy_array", "is_small_part", "owner_of", "view_memmap"]

# Memory that nobody outside can write to, by id of the object that owns it; entries go when the memory goes. What is
# derived from a value that came from us is therefore shared again, not copied.
OURS: Final[weakref.WeakValueDictionary[int, Any]] = weakref.WeakValueDictionary()


def owner_of(array: Any) -> Any:
    """Return the object that owns the memory of ``array``."""
    return array if array.base is None else array.base


def is_small_part(array: Any) -> bool:
    """Tell whether ``array`` would keep alive much more memory than it shows."""
    return bool(2 * array.nbytes < getattr(owner_of(array), "nbytes", 0))


def claim(array: Any) -> None:
    """Note that the memory of ``array`` is private from now on."""
    owner = owner_of(array)
    OURS[id(owner)] = owner if hasattr(owner, "flags") else array  # not every owner can be referred to weakly


def copy_array(copier: Copier, value: Any) -> Any:
    """Copy an array where it isn't private yet; its readers get read-only views."""
    if value.dtype.hasobject:
        return copy_object_array(copier, value)
    if copier.depth:  # inside an object: its methods may write to it
        return value.copy()
    return freeze(value) if copier.storing else value.view()


def freeze(value: Any) -> Any:
    """Return the array read-only, over memory that is private."""
    owner = owner_of(value)
    if id(owner) in OURS and not is_small_part(value) and owner.flags.writeable is False:
        return value.view()
    private = value.copy(order="K")
    private.flags.writeable = False
    claim(private)
    return private


def view_memmap(_: Copier, value: Any) -> Any:
    """Return a read-only view: a file is too large to be copied."""
    view = value.view()
    view.flags.writeable = False
    return view


def copy_object_array(copier: Copier, value: Any) -> Any:
    """Copy an array of objects with the objects."""
    if value.dtype.fields is not None:
        return copy.deepcopy(value, copier.memo)
    copied = copier.keep(value, value.copy())
    cells = copied.reshape(-1)
    if all(map(copier.is_atom, set(map(type, cells)))):
        copied.flags.writeable = bool(copier.depth)
        return copied
    for position, cell in enumerate(cells):
        cells[position] = copier(cell)
    return copied if cells.base is copied or cells is copied else cells.reshape(copied.shape)
