"""The schema of config as JSON Schema, for forms; a secret's default isn't in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipy_orch.model.config.classes import ConfigShape
from ipy_orch.model.config.schema import (
    Array,
    ConfigType,
    Enum,
    EnumType,
    Field,
    LiteralType,
    Map,
    Noneable,
    ScalarUnion,
    Selector,
    Shape,
    env_form,
    variable_of,
)
from ipy_orch.planning.hashing.rendering import looks_secret
from ipy_orch.session.config.resources import CREDENTIALS

__all__ = ["is_secret", "json_schema", "shown_values"]

DEEPEST: Final = 12
PLAIN: Final[Mapping[str, Mapping[str, Any]]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "secret": {"type": "string", "format": "password", "writeOnly": True},
}
CONSTRAINTS: Final = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "examples",
    "title",
)
Schema = dict[str, Any]


def json_schema(field: Field, name: str = "", depth: int = 0) -> Schema:
    """Return the JSON Schema of a field.

    Anything in it may also be given as ``{"env": "NAME"}``, which a schema needn't say of each.

    >>> json_schema(Field(int, default_value=3, description="how many"))
    {'type': 'integer', 'description': 'how many', 'default': 3}
    """
    made = type_schema(field.config_type, depth)
    if is_secret(field, name):
        made = {**made, **PLAIN["secret"]} if "anyOf" not in made else {**made, "format": "password", "writeOnly": True}
    if field.description:
        made["description"] = " ".join(field.description.split())
    if field.default_provided and not field.is_required:
        default = default_of(field, name)
        if default is not None or isinstance(field.config_type, Noneable):
            made["default"] = default
    return made


def is_secret(field: Field, name: str) -> bool:
    """Tell whether a field is a secret, by its schema or by its name."""
    kind = field.config_type.inner_type if isinstance(field.config_type, Noneable) else field.config_type
    return field.is_secret or kind.label == "secret" or (looks_secret(name) and kind.label == "str")


def default_of(field: Field, name: str) -> Any:
    """Return a default as JSON; a secret's only where it is the name of a variable."""
    variable = variable_of(field.default)
    if variable:
        return {"env": variable}
    if is_secret(field, name):
        return None
    default = plain(env_form(field.config_type.dump(field.default)))
    return None if CREDENTIALS.search(str(default)) else default


def plain(value: Any) -> Any:
    """Return data as JSON has it, anything else as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def type_schema(kind: ConfigType, depth: int = 0) -> Schema:
    """Return the JSON Schema of a type."""
    if depth > DEEPEST:
        return {}
    match kind:
        case Noneable() | Array() | Map():
            return container_schema(kind, depth)
        case Selector():
            return {"oneOf": [choice(name, json_schema(one, name, depth + 1)) for name, one in kind.fields.items()]}
        case Shape():
            return shape_schema(kind, depth)
        case ScalarUnion():
            return {"anyOf": [type_schema(kind.scalar_type, depth), type_schema(kind.non_scalar_type, depth + 1)]}
        case _:
            return plain_schema(kind, depth)


def container_schema(kind: Noneable | Array | Map, depth: int) -> Schema:
    """Return the JSON Schema of a type around another one."""
    inner = type_schema(kind.inner_type, depth + 1)
    if isinstance(kind, Noneable):
        return {"anyOf": [inner, {"type": "null"}]}
    return (
        {"type": "array", "items": inner}
        if isinstance(kind, Array)
        else {"type": "object", "additionalProperties": inner}
    )


def plain_schema(kind: ConfigType, depth: int) -> Schema:
    """Return the JSON Schema of a type without fields."""
    choices = getattr(kind, "choices", None)
    if isinstance(choices, Mapping):  # a union of classes
        return {"oneOf": [choice(str(name), type_schema(one, depth + 1)) for name, one in choices.items()]}
    match kind:
        case LiteralType():
            return {"enum": [plain(one) for one in kind.choices]}
        case EnumType():
            return {"enum": [*kind.python_enum.__members__]}
        case Enum():
            return {"enum": [*kind.by_name]}
        case _:
            return dict(PLAIN.get(kind.label, {}))


def choice(name: str, schema: Schema) -> Schema:
    """Return the schema of one of several ways to say it, ``{name: ...}``."""
    return {
        "title": name,
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


def shape_schema(kind: Shape, depth: int) -> Schema:
    """Return the JSON Schema of a type with fields; of a Config class with what pydantic checks besides."""
    told = constraints_of(kind)
    properties = {
        name: {**json_schema(field, name, depth + 1), **told.get(name, {})} for name, field in kind.fields.items()
    }
    required = [name for name, field in kind.fields.items() if field.is_required]
    return {
        "type": "object",
        **({"title": kind.label} if isinstance(kind, ConfigShape) else {}),
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": kind.permissive,
    }


def constraints_of(kind: Shape) -> Mapping[str, Schema]:
    """Return what a Config class says of its fields beyond their types."""
    if not isinstance(kind, ConfigShape):
        return {}
    try:
        properties = kind.config_class.model_json_schema().get("properties", {})
    except Exception:  # noqa: BLE001 - a field of a type that JSON hasn't
        return {}
    return {
        name: {word: one[word] for word in CONSTRAINTS if word in one}
        for name, one in properties.items()
        if "$ref" not in one
    }


def shown_values(value: Any, kind: ConfigType) -> Any:
    """Return given config as JSON without the values of secrets; the names of their variables stay."""
    kind = kind.inner_type if isinstance(kind, Noneable) else kind
    fields: Mapping[str, Field] = getattr(kind, "fields", {})
    if isinstance(value, Mapping) and not variable_of(value):
        shown = {}
        for name, item in value.items():
            field = fields.get(name)
            if not hides(item, field, str(name)):
                shown[str(name)] = plain(env_form(item)) if field is None else shown_values(item, field.config_type)
        return shown
    return plain(env_form(value))


def hides(item: Any, field: Field | None, name: str) -> bool:
    """Tell whether a given value is a secret, or an address with one in it."""
    if variable_of(item):
        return False
    secret = is_secret(field, name) if field is not None else looks_secret(name)
    return secret or (isinstance(item, str) and CREDENTIALS.search(item) is not None)
