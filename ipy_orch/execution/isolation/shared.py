"""What stays shared: it belongs to the program, or is one of its kind. Noted where it can be changed all the same."""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Iterable
from typing import Any

from ipy_orch.execution.isolation.copier import ATOMS, RULES, Copier, rule_of, share

__all__ = ["can_change", "has_state", "is_of_program", "share_class", "share_member", "share_module", "share_noted"]

CODE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def is_of_program(value: Any) -> bool:
    """Tell whether a function or class is found by its name in a module that was imported, not in the notebook."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if type(module) is not str or type(name) is not str or module == "__main__" or module not in sys.modules:
        return False
    try:
        return operator.attrgetter(name)(sys.modules[module]) is value
    except AttributeError:
        return False


def can_change(value: Any, above: frozenset[int] = frozenset()) -> bool:
    """Tell whether a value can be changed in place, or holds what can: code isn't looked into.

    Args:
        above: ids of the objects around it.
    """
    kind, around = type(value), above | {id(value)}
    if kind in ATOMS or isinstance(value, CODE) or id(value) in above:
        return False
    if isinstance(value, tuple | frozenset):
        return any(can_change(item, around) for item in value)
    if (RULES.get(kind) or rule_of(kind)) is share:
        return False
    frozen = getattr(getattr(kind, "__dataclass_params__", None), "frozen", False)
    if not (frozen or hasattr(kind, "__deepcopy__") or hasattr(kind, "__slots__")):
        return True
    held = attributes(value)
    return not held or any(can_change(item, around) for item in held)


def has_state(value: Any) -> bool:
    """Tell whether an object has attributes that can change in place."""
    return any(can_change(item, frozenset({id(value)})) for item in attributes(value))


def attributes(value: Any) -> list[Any]:
    """Return the values of an object's attributes, of its slots too."""
    state = object.__getstate__(value)
    return [item for part in (state if type(state) is tuple else (state,)) if part for item in part.values()]


def share_noted(copier: Copier, value: Any) -> Any:
    """Share an object, and note that it can change, if so."""
    if not is_of_program(value) and has_state(value):
        copier.shared.append(type(value).__name__)
    return value


def share_class(copier: Copier, value: Any) -> Any:
    """Share a class, and note it when it is of the notebook and holds data."""
    if not is_of_program(value) and holds_data(vars(value).items()):
        copier.shared.append(f"class {value.__name__}")
    return value


def share_module(copier: Copier, value: types.ModuleType) -> Any:
    """Share a module, and note it when nobody can import it, and it holds data."""
    if sys.modules.get(value.__name__) is not value and holds_data(vars(value).items()):
        copier.shared.append(f"module {value.__name__}")
    return value


def share_member(copier: Copier, value: Any) -> Any:
    """Share a member of an enum, and note it when its value can change."""
    if can_change(value.value):
        copier.shared.append(f"enum {type(value).__name__}")
    return value


def holds_data(named: Iterable[tuple[str, Any]]) -> bool:
    """Tell whether any of the public names of a class or module stands for data that can change."""
    return any(
        can_change(item) for name, item in named if not name.startswith("_") and not hasattr(type(item), "__get__")
    )
