"""What a function or class is made of: its own code, and the objects it depends on by name.

Reads only: nothing of the user's runs, no property is asked.
"""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipy_orch.planning.modules import imported_modules, is_local_module, read_module, simple_values
from ipy_orch.planning.rendering import short
from ipy_orch.planning.source import CodeInfo, read_code

__all__ = [
    "ANY",
    "UNDEFINED",
    "Anatomy",
    "Child",
    "ModuleName",
    "of_class",
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
class ModuleName:
    """Stand for a module that is imported when the function runs."""

    name: str


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

    >>> peel(staticmethod(short))[0]
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
        elif not _is_builtin(name, function):
            yield Child("global", start + name, UNDEFINED, asked=name)
    package = str(module.get("__package__") or "")
    for imported in imported_modules(info.imports, package) if info.imports else ():
        yield Child("global", f"import {imported}", ModuleName(imported), ANY)


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
            actual = f"{module.__name__}{child.name.removeprefix(name)}" if child.value is not module else ""
            yield Child("global", start + child.name, child.value, actual, name)


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
    """Return the anatomy of a local module that is used as a whole: its source, and its simple values now."""
    name = module.__name__
    values = [Child("global", f"{name}.{key}", value) for key, value in sorted(simple_values(module).items())]
    return Anatomy(name, children=[Child("global", f"import {name}", ModuleName(name), ANY), *values])


def of_text(name: str) -> Anatomy | str:
    """Return the anatomy of a module's source, or what to call it if it isn't the user's own."""
    text = read_module(name)
    if not text.local:
        return f"module {name} {text.digest}".rstrip()
    children = [Child("global", f"import {each}", ModuleName(each), ANY) for each in text.imports if each != name]
    return Anatomy(f"import {name}", text.digest, text.text, children, text.missing)


# Classes

_NOT_OURS: Final = frozenset(
    """__abstractmethods__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__ __attrs_attrs__
    __attrs_own_setattr__ __attrs_props__ __base_prepare__ __class_vars__ __classcell__ __dataclass_fields__
    __dataclass_params__ __dict__ __doc__ __firstlineno__ __match_args__ __module__ __non_callable_proto_members__
    __orig_bases__ __parameters__ __private_attributes__ __protocol_attrs__ __qualname__ __signature__ __slots__
    __static_attributes__ __type_params__ __weakref__ _abc_impl""".split()
)
_OF_ENUM: Final = frozenset(
    """_generate_next_value_ _hashable_values_ _member_map_ _member_names_ _member_type_ _new_member_
    _unhashable_values_ _unhashable_values_map_ _use_args_ _value2member_map_ _value_repr_ __new__ _boundary_
    _flag_mask_ _singles_mask_ _all_bits_ _inverted_""".split()
)


def of_class(cls: type) -> Anatomy:
    """Return the anatomy of a class: bases, metaclass, methods, and what its attributes are now."""
    name = prefix(cls.__module__) + cls.__qualname__.replace("<locals>.", "")
    anatomy, lines = Anatomy(name), list[str]()
    for number, base in enumerate(cls.__bases__):
        anatomy.children.append(Child("code", f"{name}.__bases__[{number}]", base, ANY))
    if type(cls) is not type:
        anatomy.children.append(Child("code", f"{name}.__class__", type(cls), ANY))
    for key, value in sorted(_own_attributes(cls).items()):
        lines += _attribute(anatomy, key, value)
    lines += [f"    {key}: {_annotation(value)}" for key, value in (cls.__dict__.get("__annotations__") or {}).items()]
    lines += [f"    {key} = {cls.__dict__[key]!r}" for key in ("__dataclass_params__", "__slots__") if key in vars(cls)]
    anatomy.children += [Child("global", f"{name}.{key}", value) for key, value in _fields(cls).items()]
    anatomy.text = "\n".join(lines)
    return anatomy


def _own_attributes(cls: type) -> dict[str, Any]:
    own = {key: value for key, value in vars(cls).items() if key not in _NOT_OURS and not key.startswith("__pydantic_")}
    members: Mapping[str, Any] | None = vars(cls).get("_member_map_")
    if members is not None:
        own = {key: value for key, value in own.items() if key not in _OF_ENUM}
        own |= {key: member._value_ for key, member in members.items()}
    return {key: value for key, value in own.items() if not _is_made(cls, key, value)}


def _is_made(cls: type, key: str, value: object) -> bool:
    """Tell whether Python made an attribute from others that are looked at: slots, a dataclass's ``__init__``."""
    if isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType):
        return True
    if type(value).__name__ == "_tuplegetter":
        return True
    function = getattr(value, "__wrapped__", value)
    if not isinstance(function, types.FunctionType) or not function.__code__.co_filename.startswith("<"):
        return False
    made = {"__dataclass_fields__", "__attrs_attrs__", "_field_defaults"} & vars(cls).keys()
    generated = function.__code__.co_filename == "<string>" or "attrs generated" in function.__code__.co_filename
    return bool(made) and generated and key.startswith("__")


def _attribute(anatomy: Anatomy, key: str, value: Any) -> list[str]:
    """Add an attribute to the children of its class, and return its lines of the class's text."""
    name = f"{anatomy.name}.{key}"
    if isinstance(value, property):
        sides = {"getter": value.fget, "setter": value.fset, "deleter": value.fdel}
        found = {side: function for side, function in sides.items() if function is not None}
        anatomy.children += [
            Child("code", name if side == "getter" else f"{name}.{side}", function, name)
            for side, function in found.items()
        ]
        return [f"    {key}: property"]
    via, inner = peel(value)
    if via or isinstance(inner, types.FunctionType | type):
        anatomy.children.append(Child("code", name, inner, name))
        return [f"    {key}: {via or 'method'}"]
    anatomy.children.append(Child("global", name, value))
    return [f"    {key}"]


def _annotation(value: object) -> str:
    return value if isinstance(value, str) else short(value)


def _fields(cls: type) -> dict[str, Any]:
    """Return what dataclasses, attrs and pydantic keep about fields."""
    own = vars(cls)
    keys = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__", "__private_attributes__")
    found = {key: own[key] for key in keys if own.get(key)}
    decorators = own.get("__pydantic_decorators__")
    if decorators is not None:
        found["__pydantic_decorators__"] = {
            group: {key: decorator.info for key, decorator in members.items()}
            for group, members in vars(decorators).items()
            if isinstance(members, dict) and members
        }
    return {key: value for key, value in found.items() if value}
