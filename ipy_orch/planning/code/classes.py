"""What a class is made of: bases, metaclass, methods, and what its attributes are now.

The class is read as it is, not as its source says: attributes set later count. What Python, dataclasses, attrs and
pydantic derive from the rest doesn't. Reads only: nothing of the user's runs.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Final

from ipy_orch.planning.code.anatomy import ANY, Anatomy, Child, peel, prefix
from ipy_orch.planning.hashing.rendering import short

__all__ = ["of_class"]

_DERIVED: Final = frozenset(
    """
    __abstractmethods__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__ __attrs_attrs__
    __attrs_own_setattr__ __attrs_props__ __class_vars__ __classcell__ __dataclass_fields__ __dataclass_params__
    __dict__ __doc__ __firstlineno__ __match_args__ __module__ __non_callable_proto_members__ __orig_bases__
    __parameters__ __private_attributes__ __protocol_attrs__ __qualname__ __signature__ __slotnames__ __slots__
    __static_attributes__ __type_params__ __weakref__ _abc_impl
    """.split()  # noqa: SIM905 - a line for each would hide that they are one thing
)
_DERIVED_OF_ENUM: Final = frozenset(
    """
    __new__ _all_bits_ _boundary_ _flag_mask_ _generate_next_value_ _hashable_values_ _inverted_ _member_map_
    _member_names_ _member_type_ _new_member_ _singles_mask_ _unhashable_values_ _unhashable_values_map_ _use_args_
    _value2member_map_ _value_repr_
    """.split()  # noqa: SIM905 - (the same)
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
            for group in type(decorators).__dataclass_fields__
            if isinstance(members := getattr(decorators, group), dict) and members
        }
    return {key: value for key, value in found.items() if value}
