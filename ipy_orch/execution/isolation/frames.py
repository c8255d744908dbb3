"""Frames, series and indexes of pandas: copy-on-write, and copies of the columns that it doesn't protect."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from ipy_orch.execution.isolation.arrays import OURS, claim, is_small_part, owner_of
from ipy_orch.execution.isolation.copier import Copier

__all__ = ["copy_frame", "copy_index"]

PANDAS_SAFE = frozenset({"ArrowExtensionArray", "ArrowStringArray"})  # none can be written to in place
PANDAS_DATES = frozenset({"DatetimeArray", "TimedeltaArray"})  # `.values` of such a column is read-only numpy
OWN_BYTES = 4 << 20  # ten readers with as much of their own keep below 5 % of a frame of 1 GB


def copy_index(copier: Copier, value: Any) -> Any:
    """Copy an index, its memory too when it is stored."""
    return value.copy(deep=copier.storing)


def copy_frame(copier: Copier, value: Any) -> Any:
    """Copy a pandas frame or series, with what a subclass adds to it, and the name of a series."""
    copied = copier.keep(value, copy_data(copier, value))
    for name in value._metadata:  # noqa: SLF001 - so pandas tells subclasses to call it
        held = getattr(value, name, None)
        mine = copier(held)
        if mine is not held:
            object.__setattr__(copied, name, mine)
    return copied


def copy_data(copier: Copier, value: Any) -> Any:
    """Copy the data of a frame or series: copy-on-write where that is enough."""
    if not copier.storing and id(value) in copier.columns:
        return with_copies(copier, value.copy(deep=False), copier.columns[id(value)])
    blocks = blocks_of(value)
    if blocks is None or not copies_on_write():
        return with_copies(copier, value.copy(deep=True), range(value.shape[1] if value.ndim == 2 else 1))
    copied = value.copy(deep=not are_private(blocks))
    for memory in map(memory_of, blocks_of(copied)):
        if memory is not None:
            claim(memory)
    return with_own_columns(copier, copied)


def blocks_of(frame: Any) -> Any:
    """Return the blocks of a frame or series, None where this pandas hasn't any."""
    return getattr(getattr(frame, "_mgr", None), "blocks", None)


def copies_on_write() -> bool:
    """Tell whether this pandas has copy-on-write."""
    pandas = sys.modules.get("pandas")
    return pandas is None or int(pandas.__version__.split(".")[0]) >= 3  # the first with copy-on-write


def memory_of(block: Any) -> Any:
    """Return the numpy array beneath a block of a frame, None when there is none to write to."""
    values = block.values
    if type(values).__name__ in PANDAS_DATES:
        return values._ndarray  # noqa: SLF001 - `.to_numpy()` of it may copy
    return values if hasattr(values, "strides") else None


def are_private(blocks: Any) -> bool:
    """Tell whether nobody holds the numpy memory of a frame, but pandas.

    Pandas never writes to memory that a second frame refers to, and hands out read-only arrays. But a frame made
    with ``copy=False`` sits on the producer's own array. So the holders of the memory, and of the array over it, are
    counted: only the frame's blocks, or somebody else too.
    """
    held = Counter(id(owner_of(memory)) for memory in map(memory_of, blocks) if memory is not None)
    return all(is_private(block, held) for block in blocks if memory_of(block) is not None)


def is_private(block: Any, held: Counter[int]) -> bool:
    """Tell whether nobody holds the memory of a block, but pandas."""
    array = memory_of(block)
    key = id(owner_of(array))
    if is_small_part(array):
        return False
    # A read-only block sits on memory that numpy handed out, of which pandas doesn't know that somebody else reads it.
    known = key in OURS and array.flags.writeable
    del array  # it would count as a holder
    return known or (count_holders(block) == ALONE and count_owners(block) == ALONE + held[key] - 1)


def count_holders(block: Any) -> int:
    """Return how many hold the values of a block."""
    values = block.values
    return sys.getrefcount(values)


def count_owners(block: Any) -> int:
    """Return how many hold the memory beneath a block."""
    owner = owner_of(memory_of(block))
    return sys.getrefcount(owner)


# The count of what one block alone holds: it differs between versions of Python.
ALONE = count_holders(SimpleNamespace(values=SimpleNamespace()))


def with_own_columns(copier: Copier, frame: Any) -> Any:
    """Copy the columns that copy-on-write doesn't protect, and remember them for the readers."""

    def atomic(cells: Any) -> bool:
        return all(map(copier.is_atom, set(map(type, cells))))

    nested: list[int] = []
    writable: list[tuple[int, Any]] = []
    for block in blocks_of(frame):
        places = list(block.mgr_locs)
        if memory_of(block) is not None and block.values.dtype.kind == "O":
            rows = block.values.reshape(len(places), -1)
            nested += [place for place, row in zip(places, rows, strict=True) if not atomic(row)]
        elif memory_of(block) is None and type(block.values).__name__ not in PANDAS_SAFE:
            writable += [(place, block.values) for place in places]
    small = not copier.storing or sum(values.nbytes for _, values in writable) <= OWN_BYTES
    own = [place for place, values in writable if small or not hasattr(values, "_readonly")]
    copied = with_copies(copier, frame, [*nested, *(place for place, _ in writable)])
    if copier.storing:
        copier.columns[id(copied)] = tuple(sorted([*nested, *own]))
    for place, _ in writable:
        if place not in own:  # too large for a copy each: writing to `.values` is refused
            make_read_only(column_at(copied, place).array)
    return copied


def make_read_only(values: Any) -> None:
    """Have writing to the values of a column refused."""
    values._readonly = True  # noqa: SLF001 - pandas sets it on its own, has no public way yet
    if type(values).__name__ == "SparseArray":  # it hands out the memory itself
        values.sp_values.flags.writeable = False
        values._sparse_values = values.sp_values.view()  # noqa: SLF001 - a view can't be made writable again


def column_at(frame: Any, place: int) -> Any:
    """Return a column of a frame; a series is its only one."""
    return frame if frame.ndim == 1 else frame.iloc[:, place]


def with_copies(copier: Copier, frame: Any, places: Iterable[int]) -> Any:
    """Put copies in place of some columns."""
    for place in places:
        column = copy_column(copier, column_at(frame, place))
        if frame.ndim == 1:
            return column
        frame.isetitem(place, column)
    return frame


def copy_column(copier: Copier, column: Any) -> Any:
    """Copy a column, with the objects that it may hold."""
    if getattr(column.dtype, "kind", "") != "O" or not hasattr(column.dtype, "hasobject"):
        return column.copy()
    copied = column.copy(deep=False)
    cells = column.to_numpy().copy()
    for position, cell in enumerate(cells):
        cells[position] = copier(cell)
    fresh = type(column)(cells, index=column.index, name=column.name, dtype=object, copy=False)
    fresh.attrs.update(copied.attrs)
    return fresh
