"""What a function, module or class is made of: its own code, and the objects it depends on by name.

Classes are in :mod:`~ipy_orch.planning.code.classes`. Reads only: nothing of the user's runs, no property is asked.
"""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.planning.code.modules import imported_modules, is_local_module, read_module, values_now
from ipy_orch.planning.code.source import CodeInfo, read_code
from ipy_orch.planning.hashing.hashing import Unhashable, digest

__all__ = [
    "ANY",
    "UNDEFINED",
    "Anatomy",
    "Child",
    "ConfigClass",
    "ModuleName",
    "of_function",
    "of_module",
    "of_text",
    "peel",
    "prefix",
]

ANY: Final = "*"


class _Undefined:
    """Stand for a name that has no value."""


UNDEFINED: Final = _Undefined()


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stand for what can't be followed, and say why."""

    reason: str


@dataclass(frozen=True, slots=True)
class ModuleName:
    """Stand for a module that is imported when the function runs."""

    name: str


@dataclass(frozen=True, slots=True)
class ConfigClass:
    """Stand for a class, or an annotation with such, of which an instance is made from config: its values are known."""

    annotation: Any


@dataclass(slots=True)
class Child:
    """Name an object that something depends on.

    Args:
        kind: of the part it becomes.
        name: of the part it becomes.
        value: the object.
        expected: the name of the function or class that goes without saying here; ``ANY`` if each does.
        asked: the plain name, for what the session knows by name.
    """

    kind: str
    name: str
    value: Any
    expected: str = ""
    asked: str = ""


@dataclass(slots=True)
class Anatomy:
    """Describe a function, class or module.

    Args:
        name: for people, e.g. ``helpers.Model.fit``.
        digest: of its own code; "" if it has none of its own.
        text: its normalised source.
        children: what it depends on.
        missing: why it can't be followed, or "".
        info: what its code says, for functions.
    """

    name: str
    digest: str = ""
    text: str = ""
    children: list[Child] = field(default_factory=list)
    missing: str = ""
    info: CodeInfo | None = None


def peel(value: Any) -> tuple[str, Any]:
    """Return the function inside a wrapper that Python's own decorators leave, and the wrapper's name.

    >>> peel(staticmethod(print))[0]
    'staticmethod'
    """
    if isinstance(value, staticmethod | classmethod):
        return type(value).__name__, value.__func__
    if isinstance(value, functools.cached_property):
        return "cached_property", value.func
    if type(value) is _LRU_CACHE:
        return "lru_cache", value.__wrapped__
    return "", value


_LRU_CACHE: Final = type(functools.lru_cache(abs))


def prefix(module_name: object) -> str:
    """Return what comes before the names of a module's members; nothing for the notebook's."""
    return "" if module_name in {None, "__main__", "builtins"} else f"{module_name}."


# Functions


def of_function(function: types.FunctionType) -> Anatomy:
    """Return the anatomy of a function that others call: parameters, body, and all it reads."""
    module = function.__globals__
    info = read_code(function.__code__, module)
    name = prefix(module.get("__name__")) + info.name
    anatomy = Anatomy(name, info.digest, info.text, missing=info.missing, info=info)
    anatomy.children += held(function, f"{name}.", frozenset())
    anatomy.children += [
        Child("default", f"{name}.{key}", value)
        for key, value in sorted(vars(function).items())
        if key != "__wrapped__"
    ]
    anatomy.children += read(function, info, frozenset())
    return anatomy


def _set_on(function: types.FunctionType) -> list[tuple[str, Any]]:
    """Return the attributes of a function, without the one of ``functools.wraps`` that its closure has too."""
    own = dict(vars(function))
    if any(_content(cell) is own.get("__wrapped__") for cell in function.__closure__ or ()):
        own.pop("__wrapped__", None)
    return sorted(own.items())


def held(function: types.FunctionType, owner: str, skip: frozenset[str]) -> Iterator[Child]:
    """Yield what a function brought along when it was defined: default arguments and closure."""
    code = function.__code__
    if function.__defaults__:
        names = code.co_varnames[: code.co_argcount]
        for name, value in zip(names[-len(function.__defaults__) :], function.__defaults__, strict=True):
            if name not in skip:
                yield Child("default", owner + name, value)
    for name, value in sorted((function.__kwdefaults__ or {}).items()):
        if name not in skip:
            yield Child("default", owner + name, value)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        yield Child("closure", owner + name, _content(cell), asked=name)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return UNDEFINED


def read(function: types.FunctionType, info: CodeInfo, skip: frozenset[str]) -> Iterator[Child]:
    """Yield the globals that a function reads, and the modules it imports."""
    module = function.__globals__
    start = prefix(module.get("__name__"))
    for name, chains in info.reads:
        if name in skip:
            continue
        if name in module:
            value = module[name]
            if isinstance(value, types.ModuleType) and is_local_module(value):
                yield from _attributes(name, value, chains, start)
            else:
                yield Child("global", start + name, value, start + name, name)
                yield from _docstring(f"{start}{name}", value, chains)
        elif not _is_builtin(name, function):
            yield Child("global", start + name, UNDEFINED, asked=name)
        elif name in _OPAQUE:
            yield Child("global", start + name, Opaque(f"what `{name}` does can't be followed"))
    yield from _unnamed(module, info, skip)
    package = str(module.get("__package__") or "")
    for imported in imported_modules(info.imports, package) if info.imports else ():
        yield Child("global", f"import {imported}", ModuleName(imported), ANY)


_NO_VALUES: Final = (AssetsDefinition, types.ModuleType)


def _unnamed(module: Mapping[str, Any], info: CodeInfo, skip: frozenset[str]) -> Iterator[Child]:
    """Yield the globals that a function reads by names in strings, and by what it reaches others."""
    start = prefix(module.get("__name__"))
    for name in info.quoted:  # it may be that of a table in a database, which the session needn't know
        if name in module and name not in skip and not isinstance(module[name], _NO_VALUES):
            yield Child("global", start + name, module[name], start + name)
    for name in info.unseen:
        if name not in skip:
            yield Child("global", start + name, Opaque(f"what `{name}` gives can't be followed"))


def _docstring(name: str, value: Any, chains: tuple[tuple[str, ...], ...]) -> Iterator[Child]:
    """Yield the docstring of a function or class, which isn't in its code, if it is read."""
    if not any(chain[:1] == ("__doc__",) for chain in chains):
        return
    if isinstance(value, types.FunctionType | type):
        yield Child(
            "global", f"{name}.__doc__", vars(value).get("__doc__") if isinstance(value, type) else value.__doc__
        )
    else:
        yield Child("global", f"{name}.__doc__", Opaque("what `__doc__` gives can't be followed"))


_OPAQUE: Final = frozenset({"__import__", "eval", "exec", "globals"})


def _is_builtin(name: str, function: types.FunctionType) -> bool:
    own: Mapping[str, Any] = getattr(function, "__builtins__", {})
    return name in own or hasattr(builtins, name)


def _attributes(
    name: str, module: types.ModuleType, chains: tuple[tuple[str, ...], ...], start: str
) -> Iterator[Child]:
    """Yield what is used of a local module: some of its members, or all of it."""
    seen: set[str] = set()
    for chain in chains:
        child = _member(name, module, chain)
        if child.name not in seen:
            seen.add(child.name)
            yield Child("global", start + child.name, child.value, child.name, name)


def _member(path: str, module: types.ModuleType, chain: tuple[str, ...]) -> Child:
    """Return the first member of a chain that is no local module."""
    for attribute in chain:
        own = vars(module)
        if attribute not in own and "__getattr__" in own:
            break
        path, value = f"{path}.{attribute}", own.get(attribute, UNDEFINED)
        if not isinstance(value, types.ModuleType) or not is_local_module(value):
            return Child("global", path, value)
        module = value
    return Child("global", path, module)


# Modules


def of_module(module: types.ModuleType) -> Anatomy:
    """Return the anatomy of a local module that is used as a whole: its source, and what it holds now."""
    name = module.__name__
    held = sorted(values_now(module).items())
    values = [Child("global", f"{name}.{key}", value, ANY) for key, value in held if _has_content(value)]
    return Anatomy(name, children=[Child("global", f"import {name}", ModuleName(name), ANY), *values])


def _has_content(value: object) -> bool:
    """Tell whether a value can be hashed: of a lock, say, only the module's source tells."""
    try:
        digest(value)
    except Unhashable:
        return False
    return True


def of_text(name: str) -> Anatomy | str:
    """Return the anatomy of a module's source, or what to call it if it isn't the user's own."""
    text = read_module(name)
    if not text.local:
        return f"module {name} {text.digest}".rstrip()
    children = [Child("global", f"import {each}", ModuleName(each), ANY) for each in text.imports if each != name]
    return Anatomy(f"import {name}", text.digest, text.text, children, text.missing)
