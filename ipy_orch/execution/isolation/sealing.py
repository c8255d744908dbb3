"""One reader's in-place edit never reaches another.

A value is sealed when it is stored and opened for each reader::

    producer's value --seal--> private form --open--> a value for one reader
                                            --open--> a value for another

===========================  ================================  =====================================
value                        sealed as                         opened as
===========================  ================================  =====================================
atoms, arrow, functions      itself                            itself
  that remember something    rebuilt, with the rules above     rebuilt
  mutable buffer of arrow    copy                              itself
pandas (3 and newer)         shallow copy, copy-on-write       shallow copy, copy-on-write
  writable numpy beneath     deep copy                         shallow copy
  columns of lists, dicts    deep copy of the column           deep copy of the column
numpy                        read-only copy                    read-only view
  memmap                     read-only view                    read-only view
polars                       clone                             clone
  columns of objects         copy of the objects               copy of the objects
scipy.sparse                 copy                              copy
containers, dataclasses      rebuilt, with the rules above     rebuilt
other objects                deep copy                         deep copy
what can't be copied         itself, with a warning            itself
  classes, modules, enums    itself; if they are the user's    itself
                             and hold data, with a warning
===========================  ================================  =====================================

Ways round it that stay open: ``.array`` of a pandas column (pandas hands out the memory itself), and a polars or arrow
object made without copying from a numpy array that somebody goes on writing to.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError, IsolationWarning
from ipy_orch.execution.isolation.copier import ATOMS, Copier
from ipy_orch.execution.isolation.objects import Uncopyable
from ipy_orch.execution.sizes import nbytes

__all__ = ["Sealed", "copied", "explain", "refuse_iterator", "seal"]

READ_ONLY = ("read-only", "cannot set WRITEABLE flag")


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
        warn_of_shared(name, copier.shared)
    return Sealed(private, private is not value, copier.columns)


def copied(value: Any) -> Any:
    """Return a copy that may be edited in every part, arrays too; ``value`` itself where it can't be copied.

    >>> inner = [1]
    >>> copied([inner])[0] is inner
    False
    """
    if type(value) in ATOMS:
        return value
    copier = Copier(storing=False)
    copier.depth = 1  # as if inside an object, whose arrays are writable
    try:
        return copier(value)
    except (RecursionError, Uncopyable):
        return value


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


def warn_of_shared(name: str, kinds: Iterable[str]) -> None:
    """Warn that all readers of a value share parts of it."""
    what = ", ".join(f"`{kind}`" for kind in sorted(set(kinds)))
    warnings.warn(
        f"`{name or 'a value'}` holds what can't be copied: {what}. All its readers share that one object.\n"
        "  hint: open it in the asset that uses it, or make it a resource",
        IsolationWarning,
        stacklevel=3,
    )
