"""What a class is made of: bases, metaclass, methods, and what its attributes are now.

The class is read as it is, not as its source says: attributes set later count. What Python, dataclasses, attrs and
pydantic derive from the rest doesn't. Reads only: nothing of the user's runs.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, get_args

from ipy_orch.model.config.annotations import is_config_class
from ipy_orch.planning.code.anatomy import ANY, Anatomy, Child, ConfigClass, peel, prefix
from ipy_orch.planning.code.modules import is_local_class
from ipy_orch.planning.hashing.atoms import ATOMS
from ipy_orch.planning.hashing.rendering import short

__all__ = ["config_classes", "of_class", "of_config_class"]

_DERIVED: Final = frozenset(
    """
    __abstractmethods__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__ __attrs_attrs__
    __attrs_own_setattr__ __attrs_props__ __class_vars__ __classcell__ __dataclass_fields__ __dataclass_params__
    __config_shape__ __dict__ __doc__ __firstlineno__ __match_args__ __module__ __non_callable_proto_members__
    __orig_bases__ __parameters__ __private_attributes__ __protocol_attrs__ __qualname__ __signature__ __slotnames__
    __slots__ __static_attributes__ __type_params__ __weakref__ _abc_impl
    """.split()  # noqa: SIM905 - a line for each would hide that they are one thing
)
_DERIVED_OF_ENUM: Final = frozenset(
    """
    __new__ _all_bits_ _boundary_ _flag_mask_ _generate_next_value_ _hashable_values_ _inverted_ _member_map_
    _member_names_ _member_type_ _new_member_ _singles_mask_ _unhashable_values_ _unhashable_values_map_ _use_args_
    _value2member_map_ _value_repr_
    """.split()  # noqa: SIM905 - (the same)
)


_SAID_OF_FIELD: Final = frozenset({"default", "title", "description", "examples", "deprecated", "annotation"})
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


def of_class(cls: type) -> Anatomy:
    """Return the anatomy of a class: bases, metaclass, methods, and what its attributes are now."""
    name = prefix(cls.__module__) + cls.__qualname__.replace("<locals>.", "")
    anatomy, lines = Anatomy(name), list[str]()
    for number, base in enumerate(cls.__bases__):
        anatomy.children.append(Child("code", f"{name}.__bases__[{number}]", base, ANY))
    if type(cls) is not type:
        anatomy.children.append(Child("code", f"{name}.__class__", type(cls), ANY))
    own = _own_attributes(cls)
    for key, value in sorted(own.items()):
        lines += _attribute(anatomy, key, value)
    lines += _order(cls, own)
    lines += [f"    {key}: {_annotation(value)}" for key, value in _annotations(cls).items()]
    lines += [f"    {key} = {vars(cls)[key]!r}" for key in ("__dataclass_params__", "__slots__") if key in vars(cls)]
    anatomy.children += [Child("global", f"{name}.{key}", value) for key, value in _fields(cls).items()]
    anatomy.text = "\n".join(lines)
    return anatomy


def _own_attributes(cls: type) -> dict[str, Any]:
    own = {key: value for key, value in vars(cls).items() if key not in _DERIVED and not key.startswith("__pydantic_")}
    members: Mapping[str, Any] | None = vars(cls).get("_member_map_")
    if members is not None:
        own = {key: value for key, value in own.items() if key not in _DERIVED_OF_ENUM}
        own |= {key: member._value_ for key, member in members.items()}
    return {key: value for key, value in own.items() if not _is_made(cls, key, value)}


def _order(cls: type, own: Mapping[str, Any]) -> list[str]:
    """Return the line that says in which order the values of a class stand; that of methods doesn't count."""
    no_values = (property, types.FunctionType, staticmethod, classmethod)
    values = [key for key, value in own.items() if not key.startswith("__") and not isinstance(value, no_values)]
    names = list(vars(cls).get("_member_map_") or values)
    return [f"    in this order: {', '.join(names)}"] if len(names) > 1 else []


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


def _annotations(cls: type) -> dict[str, object]:
    """Return a class's own annotations as they are: to resolve them would run code."""
    own: dict[str, object] | None = vars(cls).get("__annotations__")
    return own or {}


def _annotation(value: object) -> str:
    return value if isinstance(value, str) else _ADDRESS.sub("", short(value))


def _fields(cls: type) -> dict[str, Any]:
    """Return what dataclasses, attrs and pydantic keep about fields."""
    own = vars(cls)
    keys = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__", "__private_attributes__")
    found = {key: own[key] for key in keys if own.get(key)}
    decorators = own.get("__pydantic_decorators__")
    if decorators is not None:
        found["__pydantic_decorators__"] = {
            group: {key: decorator.info for key, decorator in members.items()}
            for group in type(decorators).__dataclass_fields__
            if isinstance(members := getattr(decorators, group), dict) and members
        }
    return {key: value for key, value in found.items() if value}


# Classes of config


def of_config_class(cls: type) -> Anatomy:
    """Return the anatomy of a class that config fills; its defaults count as config, where they're used."""
    anatomy = of_class(cls)
    fields = f"{anatomy.name}.__pydantic_fields__"
    anatomy.children = [_as_config(child) for child in anatomy.children if child.name != fields]
    for name, info in getattr(cls, "__pydantic_fields__", {}).items():
        anatomy.children.append(Child("global", f"{anatomy.name}.{name}", _shape_of_field(info)))
        anatomy.children += config_classes(info.annotation, f"{anatomy.name}.{name}")
    return anatomy


def _as_config(child: Child) -> Child:
    """Return a child, that of a base as one that config fills, too."""
    is_base = is_config_class(child.value) and is_local_class(child.value) and child.expected == ANY
    return replace(child, value=ConfigClass(child.value)) if is_base else child


def _shape_of_field(info: Any) -> dict[str, Any]:
    """Return what is said of a field of pydantic's, but for its default, and for what is said to people only."""
    keys = [key for key in type(info).__slots__ if key not in _SAID_OF_FIELD and not key.startswith("_")]
    return {key: value for key in keys if (value := getattr(info, key)) is not None}


def config_classes(annotation: Any, name: str) -> Iterator[Child]:
    """Yield what an annotation names of the user's own; classes of config as such."""
    arguments = get_args(annotation)
    for argument in arguments:
        yield from config_classes(argument, name)
    if isinstance(annotation, type) and not arguments:
        if is_local_class(annotation):
            yield Child("code", name, ConfigClass(annotation) if is_config_class(annotation) else annotation, ANY)
    elif not arguments and type(annotation) not in ATOMS:
        yield Child("code", name, annotation, ANY)
