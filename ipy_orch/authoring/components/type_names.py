"""The names of component types: ``package.module.Class`` in YAML, and short ones of those that come along."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any, Final

from ipy_orch.authoring.components.component import Component
from ipy_orch.errors import DagsterInvalidDefinitionError, closest

__all__ = ["find_type", "full_name", "home_of", "is_type", "known_types", "refuse_other_type"]

OWN: Final = "ipy_orch"
PEER: Final = "dagster"
HOMES: Final = (OWN, f"{OWN}.components")


def known_types() -> dict[str, type[Component]]:
    """Return the types that come along, by short name."""
    found: dict[str, type[Component]] = {}
    for home in HOMES:
        module = importlib.import_module(home)
        found |= {name: one for name in module.__all__ if is_type(one := getattr(module, name))}
    return found


def is_type(found: Any) -> bool:
    """Tell whether something is a component type that can be used: one that says how it builds its definitions."""
    return isinstance(found, type) and issubclass(found, Component) and not inspect.isabstract(found)


def full_name(cls: type) -> str:
    """Return the name of a type as YAML writes it: of those that come along the short one."""
    for home in HOMES:
        if getattr(importlib.import_module(home), cls.__name__, None) is cls:
            return f"{home}.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def home_of(name: str) -> str:
    """Return the module that a type is imported from which comes along, or "" for other names.

    >>> home_of("FunctionComponent"), home_of("Mine")
    ('ipy_orch', '')
    """
    for home in HOMES:
        if is_type(getattr(importlib.import_module(home), name, None)):
            return home
    return ""


def find_type(name: str, where: str = "") -> type[Component]:
    """Return the component type of a name; those that Dagster brings are ipy_orch's own here.

    Raises:
        DagsterInvalidDefinitionError: when there's none, with the closest.

    Example:
        >>> find_type("dagster.DefsFolderComponent").__name__
        'DefsFolderComponent'
    """
    home, _, last = name.rpartition(".")
    known = known_types()
    if home in ("", *HOMES, PEER) or home.startswith(f"{PEER}."):
        if last not in known:
            told = f"there is no component type `{name}`"
            if home == "":
                told = f"`{name}` isn't the full name of a component type"
            hint = closest(last, known) or "package.module.Class, or `.module.Class` from the folder of the YAML"
            raise DagsterInvalidDefinitionError(told, where=where, hint=hint)
        return known[last]
    module = imported(home, name, where)
    found = getattr(module, last, None)
    if found is None:
        inside = [one for one, value in vars(module).items() if is_type(value)]
        hint = closest(last, inside) or (f"it has {', '.join(map('`{}`'.format, inside))}" if inside else "")
        raise DagsterInvalidDefinitionError(f"module `{home}` has no `{last}`", where=where, hint=hint)
    return refuse_other_type(found, name, where)


def refuse_other_type(found: Any, name: str, where: str) -> type[Component]:
    """Return it where it's a component type.

    Raises:
        DagsterInvalidDefinitionError: when it isn't one.
    """
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise DagsterInvalidDefinitionError(
            f"`{name}` is no component type but {short_kind(found)}",
            where=where,
            hint="class NAME(Component, Model, Resolvable)",
        )
    return found


def short_kind(found: Any) -> str:
    """Return what something is, in words."""
    return f"the class `{found.__name__}`" if isinstance(found, type) else f"a {type(found).__name__}"


def imported(module: str, name: str, where: str) -> ModuleType:
    """Return the module of a type.

    Raises:
        DagsterInvalidDefinitionError: when it isn't there; an error inside it is its own.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise
        raise DagsterInvalidDefinitionError(
            f"the component type `{name}` can't be found: there is no module `{error.name}`",
            where=where,
            hint=closest(name.rpartition(".")[2], known_types()),
        ) from None
