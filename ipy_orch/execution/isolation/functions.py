"""Functions that remember something: in a closure, a default, an attribute, a cache."""

from __future__ import annotations

import functools
import types
from typing import Any

from ipy_orch.execution.isolation.copier import Copier
from ipy_orch.execution.isolation.objects import deeper
from ipy_orch.execution.isolation.shared import is_of_program

__all__ = ["copy_cache", "copy_function"]


def copy_function(copier: Copier, value: types.FunctionType) -> Any:
    """Copy a function with what it remembers; one that remembers nothing, or belongs to the program, is shared.

    One that can't be copied is shared without what holds it: a callback shouldn't cost a whole report its isolation.
    """
    remembered = (value.__closure__, value.__defaults__, value.__kwdefaults__, vars(value))
    if not any(remembered) or is_of_program(value):
        return value
    return deeper(copier, value, rebuild, alone=True)


def rebuild(copier: Copier, value: types.FunctionType) -> Any:
    """Make a function anew: always where it has a closure, as others may write to that, else when a part is copied."""
    cells = value.__closure__ or ()
    unmade = [cell for cell in cells if id(cell) not in copier.memo]
    for cell in unmade:
        copier.keep(cell, types.CellType())
    closure = tuple(copier.memo[id(cell)] for cell in cells)
    copied = types.FunctionType(value.__code__, value.__globals__, value.__name__, None, closure)
    copier.keep(value, copied)  # before its parts: it may be among them
    for cell, fresh in zip(unmade, [copier.memo[id(cell)] for cell in unmade], strict=True):
        fill(copier, cell, fresh)
    changed = dress(copier, value, copied)
    if cells or changed:
        return copied
    del copier.memo[id(value)]
    return value


def fill(copier: Copier, cell: types.CellType, fresh: types.CellType) -> None:
    """Put a copy of what a cell holds into another."""
    try:
        held = cell.cell_contents
    except ValueError:  # nothing yet
        return
    fresh.cell_contents = copier(held)


def dress(copier: Copier, value: types.FunctionType, copied: types.FunctionType) -> bool:
    """Give a new function the defaults and attributes of another; tell whether any had to be copied."""
    functools.update_wrapper(copied, value, updated=())
    vars(copied).clear()  # of `__wrapped__`, which isn't so
    copied.__defaults__ = copier(value.__defaults__)
    copied.__kwdefaults__ = {name: copier(item) for name, item in (value.__kwdefaults__ or {}).items()} or None
    vars(copied).update([(name, copier(item)) for name, item in vars(value).items()])
    return any(new is not old for new, old in zip(held_by(copied), held_by(value), strict=True))


def held_by(function: types.FunctionType) -> list[Any]:
    """Return the defaults and attributes of a function."""
    return [function.__defaults__, *(function.__kwdefaults__ or {}).values(), *vars(function).values()]


def copy_cache(copier: Copier, value: Any) -> Any:
    """Copy a function of `lru_cache` without its results: they are everybody's."""
    if is_of_program(value):
        return value
    copied = functools.lru_cache(**value.cache_parameters())(copier(value.__wrapped__))
    more = {name: copier(item) for name, item in vars(value).items() if name not in vars(copied)}
    vars(copied).update(more)
    return copied
