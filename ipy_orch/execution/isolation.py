"""One reader's in-place edit never reaches another.

A value is sealed when it is stored and opened for each reader::

    producer's value --seal--> private form --open--> a value for one reader
                                            --open--> a value for another

===========================  ================================  =====================================
value                        sealed as                         opened as
===========================  ================================  =====================================
atoms, arrow, functions      itself                            itself
pandas (3 and newer)         shallow copy, copy-on-write       shallow copy, copy-on-write
  writable numpy beneath     deep copy                         shallow copy
  columns of lists, dicts    deep copy of the column           deep copy of the column
numpy                        read-only copy                    read-only view
  memmap                     read-only view                    read-only view
polars                       clone                             clone
scipy.sparse                 copy                              copy
containers, dataclasses      rebuilt, with the rules above     rebuilt
other objects                deep copy                         deep copy
what can't be copied         itself, with a warning            itself
===========================  ================================  =====================================

Ways round it that stay open: ``.array`` of a pandas column (pandas hands out the memory itself), and a polars or arrow
object made without copying from a numpy array that somebody goes on writing to.
"""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import enum
import fractions
import pathlib
import re
import sys
import types
import uuid
import warnings
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import is_dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

from ipy_orch.errors import DagsterInvariantViolationError, IsolationWarning
from ipy_orch.execution.sizes import nbytes

__all__ = ["Sealed", "explain", "refuse_iterator", "seal"]

ATOMS: frozenset[type] = frozenset(
    {
        *(type(None), bool, int, float, complex, str, bytes, range, type, type(Ellipsis), type(NotImplemented)),
        *(dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone),
        *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, types.ModuleType, types.CodeType),
        *(types.FunctionType, types.MethodDescriptorType, types.WrapperDescriptorType),
    }
)
SHARED = (type, enum.Enum, pathlib.PurePath, types.ModuleType, weakref.ref, dt.tzinfo)
PANDAS_ATOMS = frozenset({"Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType", "DateOffset"})
PANDAS_SAFE = frozenset({"ArrowExtensionArray", "ArrowStringArray", "SparseArray"})  # none can be written to in place
PANDAS_DATES = frozenset({"DatetimeArray", "TimedeltaArray"})  # `.values` of such a column is read-only numpy
OWN_BYTES = 4 << 20  # ten readers with as much of their own keep below 5 % of a frame of 1 GB
READ_ONLY = ("read-only", "cannot set WRITEABLE flag")

Rule: TypeAlias = "Callable[[Copier, Any], Any]"


class Sealed:
    """Keep a private form of a value, and give each reader a value of its own."""

    __slots__ = ("_columns", "_give", "private")

    def __init__(self, private: Any, give: bool = False, columns: dict[int, tuple[int, ...]] | None = None) -> None:
        self.private = private
        self._give = give
        self._columns = columns

    def open(self) -> Any:
        """Return a value that its reader may edit without reaching anybody else's (numpy arrays: read-only)."""
        return Copier(storing=False, columns=self._columns)(self.private) if self._give else self.private

    @property
    def is_there(self) -> bool:
        """Tell whether it can be opened."""
        return True

    @property
    def nbytes(self) -> int:
        """Return the memory that the private form takes, in bytes: an estimate."""
        return nbytes(self.private)


def seal(value: Any, name: str = "") -> Sealed:
    """Keep ``value`` in a form that neither its producer nor any reader can reach.

    Warns once, with an IsolationWarning, when something in it can't be copied: that is shared.

    Args:
        value: what the asset returned; the producer may hold it and change it later.
        name: the asset, for the warning.

    >>> kept = seal([1, [2]])
    >>> kept.open()[1].append(3)
    >>> kept.open()
    [1, [2]]
    """
    if type(value) in ATOMS:
        return Sealed(value)
    copier = Copier(storing=True)
    try:
        private = copier(value)
    except RecursionError:
        private = value
        copier.shared.append("deeply nested " + type(value).__name__)
    if copier.shared:
        _warn(name, copier.shared)
    return Sealed(private, private is not value, copier.columns)


def refuse_iterator(value: Any, name: str) -> None:
    """Refuse a value that can be read only once.

    Raises:
        DagsterInvariantViolationError: when ``value`` is an iterator, a generator, a coroutine.
    """
    if type(value) in ATOMS or not isinstance(value, (Iterator, AsyncIterator, Coroutine)):
        return
    kind = type(value).__name__
    hint = "`await` it" if isinstance(value, Coroutine) else "`return list(...)`, or a frame"
    if isinstance(value, AsyncIterator):
        hint = "`return [row async for row in ...]`"
    raise DagsterInvariantViolationError(
        f"`{name}` returned a `{kind}`, which is empty after its first reader", where=f"asset `{name}`", hint=hint
    )


def explain(error: BaseException) -> str | None:
    """Return a hint when ``error`` comes from writing to a read-only array, else None.

    >>> explain(ValueError("assignment destination is read-only"))
    'hint: `x = x.copy()` first: arrays that come from other assets are read-only'
    """
    if isinstance(error, ValueError) and any(sign in str(error) for sign in READ_ONLY):
        return "hint: `x = x.copy()` first: arrays that come from other assets are read-only"
    return None


def _warn(name: str, kinds: Iterable[str]) -> None:
    what = ", ".join(f"`{kind}`" for kind in sorted(set(kinds)))
    warnings.warn(
        f"`{name or 'a value'}` holds what can't be copied: {what}. All its readers share that one object.\n"
        "  hint: open it in the asset that uses it, or make it a resource",
        IsolationWarning,
        stacklevel=3,
    )


# ------------------------------------------------------------------------------------------------ the walk


class Copier:
    """Copy one value, keeping its cycles and shared parts.

    Args:
        storing: True from the producer's value to the private form, False from there to a reader's.
        columns: by id of a private frame, the columns of which each reader needs a copy.
    """

    def __init__(self, *, storing: bool, columns: dict[int, tuple[int, ...]] | None = None) -> None:
        self.storing = storing
        self.rules: dict[type, Rule] = {}
        self.columns: dict[int, tuple[int, ...]] = {} if columns is None else columns
        self.memo: dict[int, Any] = {}
        self.alive: list[Any] = []  # an id in the memo is only good while its object lives
        self.shared: list[str] = []  # the types of what can't be copied
        self.depth = 0  # objects around this one that are copied as a whole or not at all

    def __call__(self, value: Any) -> Any:
        """Return a copy of ``value`` after the rule of its type."""
        kind = type(value)
        if kind in ATOMS:
            return value
        try:
            return self.memo[id(value)]
        except KeyError:
            pass
        rule = RULES.get(kind) or self.rules.get(kind) or self.learn(kind)
        return value if rule is share else self.keep(value, rule(self, value))

    def learn(self, kind: type) -> Rule:
        """Find the rule of a type, and remember it; classes of the notebook only for this walk: they come and go."""
        rule = _rule(kind)
        (self.rules if kind.__module__ == "__main__" else RULES)[kind] = rule
        return rule

    def is_atom(self, kind: type) -> bool:
        """Tell whether values of this type are shared as they are."""
        return (RULES.get(kind) or self.rules.get(kind) or self.learn(kind)) is share

    def forget(self, since: int) -> None:
        """Take back what was copied since ``alive`` was so long: it belongs to an object that is shared as a whole."""
        for value in self.alive[since:]:
            self.memo.pop(id(value), None)

    def keep(self, value: Any, copied: Any) -> Any:
        """Remember the copy of ``value``."""
        if copied is not value:
            self.memo[id(value)] = copied
            self.alive.append(value)
        return copied


def share(_: Copier, value: Any) -> Any:
    """Return ``value`` itself: it can't be changed, or belongs to the program."""
    return value


def _list(copier: Copier, value: list[Any]) -> list[Any]:
    if ATOMS.issuperset(map(type, value)):
        return value.copy()
    copied: list[Any] = copier.keep(value, [])
    copied.extend(map(copier, value))
    return copied


def _dict(copier: Copier, value: dict[Any, Any]) -> dict[Any, Any]:
    copied: dict[Any, Any] = copier.keep(value, {})
    for key, item in value.items():
        copied[copier(key)] = copier(item)
    return copied


def _set(copier: Copier, value: set[Any]) -> set[Any]:
    return value.copy() if ATOMS.issuperset(map(type, value)) else set(map(copier, value))


def _tuple(copier: Copier, value: tuple[Any, ...] | frozenset[Any]) -> Any:
    if ATOMS.issuperset(map(type, value)):
        return value
    items = list(value)
    copied = list(map(copier, items))
    if id(value) in copier.memo:  # a cycle through this tuple has copied it already
        return copier.memo[id(value)]
    same = all(new is old for new, old in zip(copied, items, strict=True))
    return value if same else type(value)(copied)


def _bytearray(_: Copier, value: bytearray) -> bytearray:
    return value.copy()


def _mapping(copier: Copier, value: types.MappingProxyType[Any, Any]) -> types.MappingProxyType[Any, Any]:
    return types.MappingProxyType(copier(dict(value)))


def _method(copier: Copier, value: types.MethodType) -> types.MethodType:
    return types.MethodType(value.__func__, copier(value.__self__))


def _builtin(copier: Copier, value: types.BuiltinFunctionType) -> Any:
    """Copy a bound method of a list, say, with its list; a function of a module belongs to the program."""
    owner = value.__self__
    if owner is None or isinstance(owner, (types.ModuleType, type)):
        return value
    copied = copier(owner)
    return value if copied is owner else getattr(copied, value.__name__)


def _dataclass(copier: Copier, value: Any) -> Any:
    """Rebuild a dataclass field by field: one field that can't be copied leaves the others isolated."""
    copied = copier.keep(value, object.__new__(type(value)))
    for name, item in vars(value).items():
        vars(copied)[name] = copier(item)
    return copied


def _object(copier: Copier, value: Any) -> Any:
    """Copy an object as a whole, or share it as a whole: half a copy of a connection is worse than none."""
    copier.depth += 1
    start = len(copier.alive)
    try:
        return _deepcopied(copier, value)
    except Exception as error:
        kind = getattr(error, "kind", type(value).__name__)
        if copier.depth > 1:
            raise Uncopyable(kind) from error
        copier.forget(start)
        copier.shared.append(kind if kind == type(value).__name__ else f"{type(value).__name__} with a {kind}")
        return value
    finally:
        copier.depth -= 1


class Uncopyable(TypeError):
    """Carry the type of what can't be copied out to the object that holds it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def _deepcopied(copier: Copier, value: Any) -> Any:
    """Do what copy.deepcopy does, with our rules for the parts."""
    if hasattr(value, "__deepcopy__"):
        return copy.deepcopy(value, copier.memo)
    form: Any = value.__reduce_ex__(4)
    if isinstance(form, str):
        return value
    parts: list[Any] = [*form, None, None, None, None]
    make, args, state, items, pairs, restore = parts[:6]
    copier.alive.append(form)
    if isinstance(state, dict):
        state.pop("_restore_to_pylab", None)  # or each copy of a figure would stay open in pyplot
    copied = copier.keep(value, make(*map(copier, args)))
    if state is not None:
        (restore or _restore)(copied, copier(state))
    if items is not None:
        copied.extend(map(copier, items))
    for key, item in () if pairs is None else pairs:
        copied[copier(key)] = copier(item)
    return copied


def _restore(copied: Any, state: Any) -> None:
    if hasattr(copied, "__setstate__"):
        copied.__setstate__(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:  # of the pickle protocol: dict, slots
        state, slots = state
    if state:
        vars(copied).update(state)
    for name, item in (slots or {}).items():
        setattr(copied, name, item)


# ------------------------------------------------------------------------------------------------ arrays and frames

# Memory that nobody outside can write to, by id of the object that owns it; entries go when the memory goes. What is
# derived from a value that came from us is therefore shared again, not copied.
_ours: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def _owner(array: Any) -> Any:
    """Return the object that owns the memory of ``array``."""
    return array if array.base is None else array.base


def _is_small_part(array: Any) -> bool:
    """Tell whether ``array`` would keep alive much more memory than it shows."""
    return bool(2 * array.nbytes < getattr(_owner(array), "nbytes", 0))


def _claim(array: Any) -> None:
    """Note that the memory of ``array`` is private from now on."""
    owner = _owner(array)
    _ours[id(owner)] = owner if hasattr(owner, "flags") else array  # not every owner can be referred to weakly


def _array(copier: Copier, value: Any) -> Any:
    if value.dtype.hasobject:
        return _object_array(copier, value)
    if copier.depth:  # inside an object: its methods may write to it
        return value.copy()
    return _frozen(value) if copier.storing else value.view()


def _frozen(value: Any) -> Any:
    owner = _owner(value)
    if id(owner) in _ours and not _is_small_part(value) and owner.flags.writeable is False:
        return value.view()
    private = value.copy(order="K")
    private.flags.writeable = False
    _claim(private)
    return private


def _memmap(_: Copier, value: Any) -> Any:
    view = value.view()
    view.flags.writeable = False
    return view


def _object_array(copier: Copier, value: Any) -> Any:
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


def _copy(_: Copier, value: Any) -> Any:
    return value.copy()


def _clone(_: Copier, value: Any) -> Any:
    return value.clone()


def _index(copier: Copier, value: Any) -> Any:
    return value.copy(deep=copier.storing)


def _frame(copier: Copier, value: Any) -> Any:
    """Copy a pandas frame or series: copy-on-write where that is enough."""
    if not copier.storing and id(value) in copier.columns:
        return _with_copies(copier, value.copy(deep=False), copier.columns[id(value)])
    blocks = _blocks(value)
    if blocks is None or not _copy_on_write():
        return _with_copies(copier, value.copy(deep=True), range(value.shape[1] if value.ndim == 2 else 1))
    copied = value.copy(deep=not _private(blocks))
    for memory in map(_memory, _blocks(copied)):
        if memory is not None:
            _claim(memory)
    return _with_own_columns(copier, copied)


def _blocks(frame: Any) -> Any:
    """Return the blocks of a frame or series, None where this pandas hasn't any."""
    return getattr(getattr(frame, "_mgr", None), "blocks", None)


def _copy_on_write() -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is None or int(pandas.__version__.split(".")[0]) >= 3  # the first with copy-on-write


def _memory(block: Any) -> Any:
    """Return the numpy array beneath a block of a frame, None when there is none to write to."""
    values = block.values
    if type(values).__name__ in PANDAS_DATES:
        return values._ndarray  # noqa: SLF001 - `.to_numpy()` of it may copy
    return values if hasattr(values, "strides") else None


def _private(blocks: Any) -> bool:
    """Tell whether nobody holds the numpy memory of a frame, but pandas.

    Pandas never writes to memory that a second frame refers to, and hands out read-only arrays. But a frame made
    with ``copy=False`` sits on the producer's own array. So the holders of the memory, and of the array over it, are
    counted: only the frame's blocks, or somebody else too.
    """
    held = Counter(id(_owner(memory)) for memory in map(_memory, blocks) if memory is not None)
    return all(_is_private(block, held) for block in blocks if _memory(block) is not None)


def _is_private(block: Any, held: Counter[int]) -> bool:
    array = _memory(block)
    key = id(_owner(array))
    if _is_small_part(array):
        return False
    # A read-only block sits on memory that numpy handed out, of which pandas doesn't know that somebody else reads it.
    known = key in _ours and array.flags.writeable
    del array  # it would count as a holder
    return known or (_holders(block) == _ALONE and _owners(block) == _ALONE + held[key] - 1)


def _holders(block: Any) -> int:
    values = block.values
    return sys.getrefcount(values)


def _owners(block: Any) -> int:
    owner = _owner(_memory(block))
    return sys.getrefcount(owner)


# The count of what one block alone holds: it differs between versions of Python.
_ALONE = _holders(SimpleNamespace(values=SimpleNamespace()))


def _with_own_columns(copier: Copier, frame: Any) -> Any:
    """Copy the columns that copy-on-write doesn't protect, and remember them for the readers."""

    def atomic(cells: Any) -> bool:
        return all(map(copier.is_atom, set(map(type, cells))))

    nested: list[int] = []
    writable: list[tuple[int, Any]] = []
    for block in _blocks(frame):
        places = list(block.mgr_locs)
        if _memory(block) is not None and block.values.dtype.kind == "O":
            rows = block.values.reshape(len(places), -1)
            nested += [place for place, row in zip(places, rows, strict=True) if not atomic(row)]
        elif _memory(block) is None and type(block.values).__name__ not in PANDAS_SAFE:
            writable += [(place, block.values) for place in places]
    small = not copier.storing or sum(values.nbytes for _, values in writable) <= OWN_BYTES
    own = [place for place, values in writable if small or not hasattr(values, "_readonly")]
    copied = _with_copies(copier, frame, [*nested, *(place for place, _ in writable)])
    if copier.storing:
        copier.columns[id(copied)] = tuple(sorted([*nested, *own]))
    for place, _ in writable:
        if place not in own:  # too large for a copy each: writing to `.values` is refused
            _column(copied, place).array._readonly = True  # noqa: SLF001 - pandas sets it on its own, has no public way yet
    return copied


def _column(frame: Any, place: int) -> Any:
    return frame if frame.ndim == 1 else frame.iloc[:, place]


def _with_copies(copier: Copier, frame: Any, places: Iterable[int]) -> Any:
    for place in places:
        column = _copied_column(copier, _column(frame, place))
        if frame.ndim == 1:
            return column
        frame.isetitem(place, column)
    return frame


def _copied_column(copier: Copier, column: Any) -> Any:
    if getattr(column.dtype, "kind", "") != "O" or not hasattr(column.dtype, "hasobject"):
        return column.copy()
    copied = column.copy(deep=False)
    cells = column.to_numpy().copy()
    for position, cell in enumerate(cells):
        cells[position] = copier(cell)
    fresh = type(column)(cells, index=column.index, name=column.name, dtype=object, copy=False)
    fresh.attrs.update(copied.attrs)
    return fresh


# ------------------------------------------------------------------------------------------------ which rule

RULES: dict[type, Rule] = {
    **dict.fromkeys(ATOMS, share),
    list: _list,
    dict: _dict,
    set: _set,
    tuple: _tuple,
    frozenset: _tuple,
    bytearray: _bytearray,
    types.MappingProxyType: _mapping,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
}


def _rule(kind: type) -> Rule:
    if issubclass(kind, SHARED):
        return share
    for parent in kind.__mro__:
        package = (getattr(parent, "__module__", None) or "").partition(".")[0]
        rule = LIBRARIES[package](kind, parent) if package in LIBRARIES else None
        if rule is not None:
            return rule
    return _dataclass if _is_plain_dataclass(kind) else _object


def _is_plain_dataclass(kind: type) -> bool:
    special = ("__reduce__", "__reduce_ex__", "__getstate__")
    ordinary = all(getattr(kind, name, None) is getattr(object, name, None) for name in special)
    state = hasattr(kind, "__deepcopy__") or hasattr(kind, "__setstate__")
    return (
        is_dataclass(kind) and ordinary and not state and kind.__dictoffset__ != 0 and kind.__basicsize__ == PLAIN_SIZE
    )


class _Plain:
    """Stand for a class whose instances are a ``__dict__`` and nothing else."""


PLAIN_SIZE = _Plain.__basicsize__


def _numpy(kind: type, parent: type) -> Rule | None:
    name = parent.__name__
    if name == "memmap":
        return _memmap
    if name == "MaskedArray":
        return _copy
    if name == "ndarray":
        return _array if kind.__module__.partition(".")[0] == "numpy" else _object
    if name == "void":
        return _copy
    return share if name in {"generic", "dtype", "ufunc"} else None


def _pandas(_: type, parent: type) -> Rule | None:
    name = parent.__name__
    if name in {"DataFrame", "Series"}:
        return _frame
    if name == "Index":
        return _index
    return share if name in PANDAS_ATOMS or name.endswith("Dtype") else None


def _polars(_: type, parent: type) -> Rule | None:
    return _clone if parent.__name__ in {"DataFrame", "Series", "LazyFrame"} else share


def _scipy(kind: type, parent: type) -> Rule | None:
    return _copy if ".sparse" in parent.__module__ and hasattr(kind, "tocsr") else None


LIBRARIES: dict[str, Callable[[type, type], Rule | None]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": lambda _kind, _parent: share,
    "scipy": _scipy,
}
