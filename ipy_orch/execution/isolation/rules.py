"""After which rule the values of a type are copied."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import functools
import pathlib
import sys
import types
import weakref
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, Final

from ipy_orch.execution.isolation import arrays, frames, functions, objects, shared
from ipy_orch.execution.isolation.copier import Copier, Rule, rule_of, share

__all__: list[str] = []

LITERALS = (pathlib.PurePath, decimal.Decimal, fractions.Fraction, dt.date, dt.time, dt.timedelta)
ZONES = frozenset({"datetime", "dateutil", "pytz", "zoneinfo"})  # theirs are found by name, and only cache
PANDAS_ATOMS = frozenset({"Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType", "DateOffset"})

OF_PYTHON: Final[dict[type, Rule]] = {
    list: objects.copy_list,
    dict: objects.copy_dict,
    set: objects.copy_set,
    tuple: objects.copy_tuple,
    frozenset: objects.copy_tuple,
    bytearray: objects.copy_bytearray,
    types.MappingProxyType: objects.copy_mapping,
    types.MethodType: objects.copy_method,
    types.BuiltinFunctionType: objects.copy_builtin,
    types.FunctionType: functions.copy_function,
    type(functools.lru_cache(int)): functions.copy_cache,
}


@rule_of.supply
def find_rule(kind: type) -> Rule:
    """Return how values of a type are copied."""
    if kind in OF_PYTHON:
        return OF_PYTHON[kind]
    rule = of_program(kind)
    if rule is not None:
        return rule
    for parent in kind.__mro__:
        package = (getattr(parent, "__module__", None) or "").partition(".")[0]
        rule = LIBRARIES[package](kind, parent) if package in LIBRARIES else None
        if rule is not None:
            return rule
    if issubclass(kind, LITERALS):
        return objects.copy_literal
    return objects.copy_dataclass if is_plain_dataclass(kind) else objects.copy_object


def of_program(kind: type) -> Rule | None:
    """Return the rule of what the program consists of: classes, modules, constants; None for other types."""
    if issubclass(kind, type):
        return shared.share_class
    if issubclass(kind, types.ModuleType):
        return shared.share_module
    if issubclass(kind, enum.Enum):
        return shared.share_member if any(shared.can_change(one.value) for one in kind) else share
    if issubclass(kind, dt.tzinfo):
        return share if kind.__module__.partition(".")[0] in ZONES else objects.copy_if_changeable
    return share if issubclass(kind, weakref.ref) else None


def is_plain_dataclass(kind: type) -> bool:
    """Tell whether a class is a dataclass that nobody taught to be copied or pickled otherwise."""
    special = ("__reduce__", "__reduce_ex__", "__getstate__")
    ordinary = all(getattr(kind, name, None) is getattr(object, name, None) for name in special)
    state = hasattr(kind, "__deepcopy__") or hasattr(kind, "__setstate__")
    return (
        is_dataclass(kind) and ordinary and not state and kind.__dictoffset__ != 0 and kind.__basicsize__ == PLAIN_SIZE
    )


class Plain:
    """Stand for a class whose instances are a ``__dict__`` and nothing else."""


PLAIN_SIZE = Plain.__basicsize__


def of_numpy(kind: type, parent: type) -> Rule | None:
    """Return the rule of a type of numpy, if it has one."""
    name = parent.__name__
    if name == "memmap":
        return arrays.view_memmap
    if name == "MaskedArray":
        return copy_whole
    if name == "ndarray":
        return arrays.copy_array if kind.__module__.partition(".")[0] == "numpy" else objects.copy_object
    if name == "void":
        return copy_whole
    return share if name in {"generic", "dtype", "ufunc"} else None


def of_pandas(_: type, parent: type) -> Rule | None:
    """Return the rule of a type of pandas, if it has one."""
    name = parent.__name__
    if name in {"DataFrame", "Series"}:
        return frames.copy_frame
    if name == "Index":
        return frames.copy_index
    return share if name in PANDAS_ATOMS or name.endswith("Dtype") else None


def of_polars(_: type, parent: type) -> Rule | None:
    """Return the rule of a type of polars."""
    rules: dict[str, Rule] = {"DataFrame": clone_frame, "Series": clone_series, "LazyFrame": clone}
    return rules.get(parent.__name__) or share


def of_arrow(_: type, parent: type) -> Rule | None:
    """Return the rule of a type of arrow."""
    return copy_buffer if parent.__name__ in {"Buffer", "ResizableBuffer"} else share


def of_scipy(kind: type, parent: type) -> Rule | None:
    """Return the rule of a type of scipy, if it has one."""
    return copy_whole if ".sparse" in parent.__module__ and hasattr(kind, "tocsr") else None


def copy_whole(_: Copier, value: Any) -> Any:
    """Copy what copies itself with all that it holds."""
    return value.copy()


def clone(_: Copier, value: Any) -> Any:
    """Return a clone, over the same memory."""
    return value.clone()


def clone_series(copier: Copier, value: Any) -> Any:
    """Return a clone of a polars series; one of objects holds copies of them."""
    if str(value.dtype) != "Object":
        return value.clone()
    return type(value)(value.name, list(map(copier, value)), dtype=value.dtype)


def clone_frame(copier: Copier, value: Any) -> Any:
    """Return a clone of a polars frame, with copies of the columns of objects."""
    cloned = value.clone()
    for place, kind in enumerate(value.dtypes):
        if str(kind) == "Object":
            cloned.replace_column(place, clone_series(copier, value.to_series(place)))
    return cloned


def copy_buffer(_: Copier, value: Any) -> Any:
    """Copy arrow's memory where somebody can write to it."""
    return sys.modules["pyarrow"].py_buffer(value.to_pybytes()) if value.is_mutable else value


LIBRARIES: Final[dict[str, Callable[[type, type], Rule | None]]] = {
    "numpy": of_numpy,
    "pandas": of_pandas,
    "polars": of_polars,
    "pyarrow": of_arrow,
    "scipy": of_scipy,
}
