"""What the fields of a Config class admit beside what pydantic validates: placeholders, and choices by their names.

:func:`guard_model` works on pydantic's core schema of a class, when the class is made.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from ipy_orch.model.config.findings import MISSING
from ipy_orch.model.env import SECRETS, is_placeholder

__all__ = ["guard_model"]


def guard_model(cls: Any, schema: Any, found: Any) -> Any:
    """Return the core schema of a class with its fields guarded.

    Args:
        cls: the Config class.
        schema: as pydantic made it.
        found: the same, where that is a reference to it.
    """
    guard_fields(cls, found)
    choices = {
        info.alias or name: get_args(info.annotation)[0]
        for name, info in cls.model_fields.items()
        if get_origin(info.annotation) is Literal
    }
    if not choices or is_guard(schema):
        return schema
    return core_schema.no_info_wrap_validator_function(guard_of_choices(cls, choices), schema)


def guard_of_choices(cls: Any, choices: dict[str, Any]) -> Callable[[Any, Callable[[Any], Any]], Any]:
    """Return the guard of the fields that are literals: these can't have one of their own, they tell unions apart.

    A placeholder is put back when the model was validated with another choice in its place.
    """

    def guard(value: Any, handler: Callable[[Any], Any]) -> Any:
        held = {key: value[key] for key in choices if is_placeholder(value.get(key))} if type(value) is dict else {}
        if not held:
            return handler(value)
        made = handler({**value, **{key: choices[key] for key in held}})
        attributes = {info.alias or name: name for name, info in cls.model_fields.items()}
        made.__dict__.update({attributes[key]: item for key, item in held.items()})
        return made

    guard.guards = True  # type: ignore[attr-defined]
    return guard


def is_guard(schema: Any) -> bool:
    """Tell whether a core schema is a guard already."""
    return getattr(schema.get("function", {}).get("function"), "guards", False) is True


def guard_fields(cls: Any, schema: Any) -> None:
    """Put :func:`admit` before the validation of each field in a model's core schema."""
    while schema["type"] != "model-fields":
        if not isinstance(schema.get("schema"), dict):
            return
        schema = schema["schema"]
    for name, member in schema["fields"].items():
        info = cls.model_fields.get(name)
        if info is not None and get_origin(info.annotation) is not Literal:  # see guard_of_choices
            member["schema"] = guarded(cls, name, info, member["schema"])


def guarded(cls: Any, name: str, info: FieldInfo, schema: Any) -> Any:
    """Return the field's schema behind :func:`admit`; its default, None for an optional field, stays outermost."""
    default, schema = without_default(schema)
    if is_guard(schema):
        return {**default, "schema": schema} if default is not None else schema

    def guard(value: Any, handler: Callable[[Any], Any]) -> Any:
        return admit(cls, name, value, handler)

    guard.guards = True  # type: ignore[attr-defined]
    inner = core_schema.no_info_wrap_validator_function(guard, schema, serialization=serialization(schema))
    if default is None and types.NoneType in get_args(info.annotation):
        return core_schema.with_default_schema(inner, default=None)
    return inner if default is None else {**default, "schema": inner}


def without_default(schema: Any) -> tuple[Any, Any]:
    """Return the part of a core schema that gives the default, or None, and the rest."""
    if schema["type"] == "default":
        return schema, schema["schema"]
    if str(schema["type"]).startswith("function-") and "schema" in schema:
        default, rest = without_default(schema["schema"])
        return default, {**schema, "schema": rest}
    return None, schema


def serialization(schema: CoreSchema) -> Any:
    """Return how a guarded field is dumped: a placeholder as it is, else as without the guard."""
    if "serialization" in schema:
        return schema["serialization"]

    def dump(value: Any, handler: Callable[[Any], Any]) -> Any:
        return value if holds_loose(value) else handler(value)

    return core_schema.wrap_serializer_function_ser_schema(dump, schema=schema)


def admit(cls: Any, name: str, value: Any, handler: Callable[[Any], Any]) -> Any:
    """Return the value of one field: a placeholder as it is, anything else as pydantic validates it.

    A list or mapping with a placeholder in it is validated when the placeholder has become a value.
    """
    taken = cls.__admit__(name, value)
    if taken is not MISSING or is_placeholder(value):
        return value if taken is MISSING else taken
    found = cls.__config_type__().by_attribute.get(name)
    if found is None:
        return handler(value)
    if holds_loose(value) and not found.config_type.holds_models:
        return value
    if found.is_secret:
        SECRETS.add(value)  # before a validator may say it
    valid = handler(found.config_type.admit(value))
    if found.is_secret:
        SECRETS.add(valid)
    return valid


def holds_loose(value: Any) -> bool:
    """Tell whether a placeholder is in a value or its plain lists and mappings; models guard their own."""
    if type(value) is dict:
        return any(map(holds_loose, value.values()))
    return any(map(holds_loose, value)) if type(value) in (list, tuple) else is_placeholder(value)
