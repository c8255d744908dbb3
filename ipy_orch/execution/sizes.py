"""How much memory a value takes, and how many rows and columns it has: fast estimates, by duck typing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

__all__ = ["nbytes", "shape"]

SAMPLE = 64  # items of a container that are looked at; the others are taken to be like them
BUDGET = 1_500  # objects looked at in one call, about a millisecond
OTHERS = (type, ModuleType, FunctionType, BuiltinFunctionType)  # they belong to the program, not to the value
PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray})


def nbytes(value: Any) -> int:
    """Estimate the memory that keeping ``value`` takes, in bytes.

    Arrays and frames are exact up to sharing (a numpy view counts as the array it keeps alive), containers and objects
    are sampled. Takes about a millisecond at most, never raises.

    >>> nbytes(b"x" * 1000) > 1000
    True
    """
    if type(value) in PLAIN:
        return sys.getsizeof(value)
    return _Scale().weigh(value)


def shape(value: Any) -> tuple[int, ...] | None:
    """Return rows × columns of a frame, the dimensions of an array, the length of a container, None for anything else.

    >>> shape([1, 2, 3]), shape("abc"), shape(5)
    ((3,), None, None)
    """
    if type(value) in PLAIN or isinstance(value, (str, bytes, bytearray, type)):
        return None
    dimensions = _quietly(lambda: value.shape)
    if isinstance(dimensions, tuple):
        whole = bool(dimensions) and all(isinstance(size, int) for size in dimensions)
        return tuple(map(int, dimensions)) if whole else None
    if isinstance(value, Collection):
        length = _quietly(lambda: len(value))
        return None if length is None else (length,)
    return None


def _quietly(read: Callable[[], Any]) -> Any:
    """Return what ``read`` returns, None when it raises: properties of foreign objects may do anything."""
    try:
        return read()
    except Exception:
        return None


class _Scale:
    """Weigh one value: remembers what it has seen and how much it may still look at."""

    def __init__(self) -> None:
        self.left = BUDGET
        self.seen: dict[int, Any] = {}  # the objects too: an id is only good while its object lives

    def weigh(self, value: Any) -> int:
        if type(value) in PLAIN:
            return sys.getsizeof(value)
        if id(value) in self.seen or self.left <= 0 or isinstance(value, OTHERS):
            return 0
        self.seen[id(value)] = value
        self.left -= 1
        known = _quietly(lambda: self.data(value))
        if isinstance(known, int):
            return known
        own = _quietly(lambda: sys.getsizeof(value)) or 0
        return own + (_quietly(lambda: self.inside(value)) or 0)

    def data(self, value: Any) -> int | None:
        """Return the size of a frame or array, None for any other value."""
        blocks = getattr(getattr(value, "_mgr", None), "blocks", None)
        if blocks is not None:
            return sum(self.column(block.values) for block in blocks) + int(value.index.nbytes)
        if hasattr(value, "estimated_size"):
            return int(value.estimated_size())
        size = getattr(value, "nbytes", None)
        if size is None:
            return None
        if getattr(getattr(value, "dtype", None), "hasobject", False):
            return self.column(value)
        return max(int(size), self.kept_alive(value))

    def kept_alive(self, array: Any) -> int:
        """Return the size of the array that a numpy view keeps alive; nothing when that has been counted."""
        owner = getattr(array, "base", None)
        size = getattr(owner, "nbytes", None)
        if not isinstance(size, int) or not hasattr(owner, "strides") or id(owner) in self.seen:
            return 0
        self.seen[id(owner)] = owner
        return size

    def column(self, values: Any) -> int:
        """Return the size of a pandas column or numpy array, looking into a sample of its Python objects."""
        size = int(values.nbytes)
        if getattr(values.dtype, "kind", "") != "O" or not hasattr(values, "ravel") or hasattr(values, "_pa_array"):
            return size
        cells = values.ravel() if values.ndim == 1 else values.reshape(-1)
        step = max(1, len(cells) // SAMPLE)
        return size + self.sampled(list(cells[::step][:SAMPLE]), len(cells))

    def inside(self, value: Any) -> int:
        """Return the size of what a container or an object holds."""
        if isinstance(value, Mapping):
            pairs = list(islice(value.items(), SAMPLE))
            return self.sampled([part for pair in pairs for part in pair], 2 * len(value))
        if isinstance(value, (list, tuple)):
            step = max(1, len(value) // SAMPLE)
            return self.sampled(value[::step][:SAMPLE], len(value)) + self.attributes(value)
        if isinstance(value, Collection):
            return self.sampled(list(islice(value, SAMPLE)), len(value)) + self.attributes(value)
        return self.attributes(value)

    def sampled(self, some: Collection[Any], total: int) -> int:
        """Return the size of ``total`` items of which ``some`` are looked at, as far as the budget goes."""
        distinct = {id(item): item for item in some}
        weight = looked = 0
        for item in distinct.values():
            if self.left <= 0 and looked:
                break
            weight += self.weigh(item)
            looked += 1
        if not looked:
            return 0
        repeated = 2 * len(distinct) < len(some)  # one object many times isn't many objects
        return int(weight * len(distinct) / looked * (1 if repeated else total / len(some)))

    def attributes(self, value: Any) -> int:
        if callable(value) and not hasattr(value, "__dict__"):
            return 0
        held = getattr(value, "__dict__", {})
        return sum(map(self.weigh, [*held.values(), *_slots(value)]))


def _slots(value: Any) -> Iterable[Any]:
    for kind in type(value).__mro__:
        names = kind.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if hasattr(value, name):
                yield getattr(value, name)
