"""Containers, dataclasses and objects, copied with their parts."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any

from ipy_orch.execution.isolation.copier import ATOMS, Copier
from ipy_orch.execution.isolation.shared import can_change, has_state, share_noted

__all__ = [
    "Uncopyable",
    "copy_builtin",
    "copy_bytearray",
    "copy_dataclass",
    "copy_dict",
    "copy_if_changeable",
    "copy_list",
    "copy_literal",
    "copy_mapping",
    "copy_method",
    "copy_object",
    "copy_set",
    "copy_tuple",
    "deeper",
]


def copy_list(copier: Copier, value: list[Any]) -> list[Any]:
    """Copy a list with its items."""
    if ATOMS.issuperset(map(type, value)):
        return value.copy()
    copied: list[Any] = copier.keep(value, [])
    copied.extend(map(copier, value))
    return copied


def copy_dict(copier: Copier, value: dict[Any, Any]) -> dict[Any, Any]:
    """Copy a dict with its keys and values."""
    copied: dict[Any, Any] = copier.keep(value, {})
    for key, item in value.items():
        copied[copier(key)] = copier(item)
    return copied


def copy_set(copier: Copier, value: set[Any]) -> set[Any]:
    """Copy a set with its members."""
    return value.copy() if ATOMS.issuperset(map(type, value)) else set(map(copier, value))


def copy_tuple(copier: Copier, value: tuple[Any, ...] | frozenset[Any]) -> Any:
    """Copy a tuple or a frozen set with what it holds; one that holds nothing to copy is shared."""
    if ATOMS.issuperset(map(type, value)):
        return value
    items = list(value)
    copied = list(map(copier, items))
    if id(value) in copier.memo:  # a cycle through this tuple has copied it already
        return copier.memo[id(value)]
    same = all(new is old for new, old in zip(copied, items, strict=True))
    return value if same else type(value)(copied)


def copy_bytearray(_: Copier, value: bytearray) -> bytearray:
    """Copy bytes that can be changed."""
    return value.copy()


def copy_mapping(copier: Copier, value: types.MappingProxyType[Any, Any]) -> types.MappingProxyType[Any, Any]:
    """Copy what a read-only view of a dict shows."""
    return types.MappingProxyType(copier(dict(value)))


def copy_method(copier: Copier, value: types.MethodType) -> types.MethodType:
    """Copy a bound method with its object."""
    return types.MethodType(value.__func__, copier(value.__self__))


def copy_builtin(copier: Copier, value: types.BuiltinFunctionType) -> Any:
    """Copy a bound method of a list, say, with its list; a function of a module belongs to the program."""
    owner = value.__self__
    if owner is None or isinstance(owner, (types.ModuleType, type)):
        return value
    copied = copier(owner)
    return value if copied is owner else getattr(copied, value.__name__)


def copy_dataclass(copier: Copier, value: Any) -> Any:
    """Rebuild a dataclass field by field: one field that can't be copied leaves the others isolated."""
    copied = copier.keep(value, object.__new__(type(value)))
    for name, item in vars(value).items():
        vars(copied)[name] = copier(item)
    return copied


def copy_object(copier: Copier, value: Any) -> Any:
    """Copy an object as a whole, or share it as a whole: half a copy of a connection is worse than none."""
    return deeper(copier, value, deep_copy)


def deeper(copier: Copier, value: Any, make: Callable[[Copier, Any], Any], *, alone: bool = False) -> Any:
    """Copy an object with its parts, or share and note it.

    Args:
        alone: what holds the object is copied even where this one can't be.
    """
    copier.depth += 1
    start = len(copier.alive)
    try:
        return make(copier, value)
    except Exception as error:
        kind = getattr(error, "kind", type(value).__name__)
        if copier.depth > 1 and not alone:
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


def deep_copy(copier: Copier, value: Any) -> Any:
    """Do what copy.deepcopy does, with our rules for the parts."""
    if hasattr(value, "__deepcopy__"):
        copied = copy.deepcopy(value, copier.memo)
        return share_noted(copier, value) if copied is value else copied
    form: Any = value.__reduce_ex__(4)
    if isinstance(form, str):
        return share_global(copier, value)
    parts: list[Any] = [*form, None, None, None, None]
    make, args, state, items, pairs, restore = parts[:6]
    copier.alive.append(form)
    if isinstance(state, dict):
        state.pop("_restore_to_pylab", None)  # or each copy of a figure would stay open in pyplot
    copied = make(*[arg if arg is type(value) else copier(arg) for arg in args])
    if copied is value:
        return share_global(copier, value)
    copier.keep(value, copied)
    if state is not None:
        (restore or restore_state)(copied, copier(state))
    if items is not None:
        copied.extend(map(copier, items))
    for key, item in () if pairs is None else pairs:
        copied[copier(key)] = copier(item)
    return copied


def share_global(copier: Copier, value: Any) -> Any:
    """Share what is found by its name, as a logger is; noted unless it is only a tool of another object."""
    return share_noted(copier, value) if copier.depth == 1 else value


def copy_if_changeable(copier: Copier, value: Any) -> Any:
    """Copy an object where attributes of it can change in place, else share it."""
    return copy_object(copier, value) if has_state(value) else value


def copy_literal(copier: Copier, value: Any) -> Any:
    """Copy a path, a number or a date of a class of somebody's own, with attributes that pickle doesn't know of."""
    held = getattr(value, "__dict__", {})
    if not any(map(can_change, held.values())):
        return value
    copied = copy_object(copier, value)
    if copied is not value:
        vars(copied).update((name, copier(item)) for name, item in held.items())
    return copied


def restore_state(copied: Any, state: Any) -> None:
    """Give a new object the state that was read from another."""
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
