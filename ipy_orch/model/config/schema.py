"""The schema of config with fields, and how a schema is spelled.

What every type of config does is told in :mod:`ipy_orch.model.config.types`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidConfigDefinitionError, closest
from ipy_orch.model.config.containers import Array, Map, Noneable, ScalarUnion
from ipy_orch.model.config.fields import Field
from ipy_orch.model.config.findings import MISSING, Findings, Path, Problem, short, shown
from ipy_orch.model.config.scalars import (
    FLOAT,
    SECRET,
    BoolSource,
    Enum,
    EnumType,
    EnumValue,
    IntSource,
    LiteralType,
    Scalar,
    StringSource,
)
from ipy_orch.model.config.types import (
    ANY,
    ConfigPart,
    ConfigType,
    config_type,
    env_form,
    part_of,
    resolve,
    variable_of,
)
from ipy_orch.model.env import FromEnv

__all__ = [
    "ANY",
    "FLOAT",
    "MISSING",
    "PLAIN",
    "SECRET",
    "Array",
    "BoolSource",
    "ConfigPart",
    "ConfigType",
    "Enum",
    "EnumType",
    "EnumValue",
    "Field",
    "Findings",
    "IntSource",
    "LiteralType",
    "Map",
    "Noneable",
    "Path",
    "Permissive",
    "Problem",
    "ScalarUnion",
    "Selector",
    "Shape",
    "StringSource",
    "config_field",
    "config_type",
    "env_form",
    "part_of",
    "resolve",
    "short",
    "shown",
    "variable_of",
]


class Shape(ConfigType):
    """Accept a mapping with certain fields and no others."""

    has_fields = True
    overlays = True
    permissive: bool = False

    def __init__(
        self,
        fields: Mapping[str, Any],
        description: str | None = None,
        field_aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.fields = fields_of(fields)
        self.description, self.field_aliases = description, dict(field_aliases or {})
        self.expected = "a mapping with " + (", ".join(f"`{name}`" for name in self.fields) or "no fields")
        self.label = "{" + ", ".join(f"{name}: {field.config_type.label}" for name, field in self.fields.items()) + "}"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if not isinstance(value, Mapping):
            findings.mismatch(at, self.expected, value)
            return {}
        checked = {key: ANY.check(item, at, findings) for key, item in value.items() if key not in self.fields}
        if not self.permissive:
            self.refuse_unknown(checked, at, findings)
            checked = {}
        for name, field in self.fields.items():
            item = self.given(field, value.get(name, MISSING), (*at, name), findings)
            if item is not MISSING:
                checked[name] = item
        return checked

    def refuse_unknown(self, unknown: Iterable[Any], at: Path, findings: Findings) -> None:
        """Note each key that no field has."""
        for key in unknown:
            near = closest(str(key), self.fields) or f"known: {', '.join(self.fields) or 'none'}"
            findings.add((*at, str(key)), "unknown field", near)

    def given(self, field: Field, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form of one field, or MISSING when it may be left out and was."""
        if value is MISSING and field.supplied and not field.is_required:
            value = field.default if field.default_provided else field.config_type.implicit()
        if value is MISSING and field.is_required:
            findings.add(at, f"missing, {field.config_type.expected} is needed")
        return MISSING if value is MISSING else field.check(value, at, findings)

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        complete = {key: item for key, item in checked.items() if key not in self.fields}
        for name, field in self.fields.items():
            item = field.config_type.full(checked[name]) if name in checked else field.filling()
            if item is not MISSING:
                complete[name] = item
        return complete

    def filled(self, written: Any) -> Any:
        """Return the written value with its defaults."""
        if not isinstance(written, Mapping):
            return written
        added = {name: field.filled(written.get(name, MISSING)) for name, field in self.fields.items()}
        other = {name: item for name, item in written.items() if name not in added}
        return {**{name: item for name, item in added.items() if item is not MISSING}, **other}

    def implicit(self) -> Any:
        """Return the written value that stands for one left out, or MISSING."""
        return MISSING if any(field.is_required for field in self.fields.values()) else {}

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, Mapping):
            return env_form(value)
        known = {key: field.config_type for key, field in self.fields.items()}
        return {key: known.get(key, ANY).dump(item, given_only=given_only) for key, item in value.items()}

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        for key, item in checked.items():
            path = f"{name}.{key}" if name else str(key)
            field = self.fields.get(key)
            if field is None:
                yield part_of(path, item)
            elif field.is_secret and not isinstance(item, FromEnv):
                yield path, ("secret", path), "[secret]"
            else:
                yield from field.config_type.parts(item, path)


class Permissive(Shape):
    """Accept a mapping with certain fields and any others."""

    permissive = True

    def __init__(self, fields: Mapping[str, Any] | None = None, description: str | None = None) -> None:
        super().__init__(fields or {}, description)


class Selector(ConfigType):
    """Accept a mapping with exactly one of certain fields."""

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        self.fields = fields_of(fields)
        self.description = description
        self.expected = "exactly one of " + ", ".join(f"`{name}`" for name in self.fields)
        self.label = " | ".join(f"{{{name}: {field.config_type.label}}}" for name, field in self.fields.items())

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        chosen = self.chosen(value, at, findings)
        if chosen is None:
            return {}
        name, item = chosen
        return {name: self.fields[name].check(item, (*at, name), findings)}

    def chosen(self, value: Any, at: Path, findings: Findings) -> tuple[str, Any] | None:
        """Return the one field that was given, with its value."""
        if not isinstance(value, Mapping) or len(value) != 1:
            findings.mismatch(at, self.expected, value)
            return None
        [(name, item)] = value.items()
        if name not in self.fields:
            findings.add((*at, str(name)), "unknown choice", closest(str(name), self.fields) or self.expected)
            return None
        chosen = self.fields[name].config_type
        return name, ({} if item is None and isinstance(chosen, Shape | Selector) else item)

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return {name: self.fields[name].config_type.full(item) for name, item in checked.items()}

    def implicit(self) -> Any:
        """Return the written value that stands for one left out, or MISSING."""
        [*fields] = self.fields.items()
        return {fields[0][0]: {}} if len(fields) == 1 and not fields[0][1].is_required else MISSING

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        for key, item in checked.items():
            yield from self.fields[key].config_type.parts(item, f"{name}.{key}" if name else key)


#: what Python's types, and Dagster's built-in types by their name, mean in a schema
PLAIN: Final[Mapping[Any, Callable[[], ConfigType]]] = {
    str: lambda: StringSource,
    int: lambda: IntSource,
    float: lambda: FLOAT,
    bool: lambda: BoolSource,
    dict: Permissive,
    list: lambda: Array(ANY),
    object: lambda: ANY,
    Any: lambda: ANY,
    "String": lambda: StringSource,
    "Int": lambda: IntSource,
    "Float": lambda: FLOAT,
    "Bool": lambda: BoolSource,
    "Any": lambda: ANY,
}


@config_type.supply
def type_of_spelling(schema: Any) -> ConfigType:
    """Return the type that a schema's spelling means: ``int``, ``[str]``, ``{"limit": int}``, a ``Config`` class ...

    Raises:
        DagsterInvalidConfigDefinitionError: when it means none.
    """
    if isinstance(schema, ConfigType):
        return schema
    if isinstance(schema, Field):
        return schema.config_type
    if isinstance(schema, Mapping):
        return map_of(schema) if any(not isinstance(key, str) for key in schema) else Shape(schema)
    if isinstance(schema, list) and len(schema) == 1:
        return Array(schema[0])
    of_class = getattr(schema, "__config_type__", None)
    if callable(of_class):
        return of_class()  # type: ignore[no-any-return]  # Config.__config_type__
    for spelling in (schema, builtin_name(schema)):
        if isinstance(spelling, type | str) or spelling is Any:
            plain = PLAIN.get(spelling)
            if plain is not None:
                return plain()
    raise DagsterInvalidConfigDefinitionError(
        f"`{schema!r}` can't be a config schema",
        hint="a type such as `int`, a list `[int]`, a dict of fields, or a class derived from `Config`",
    )


def builtin_name(schema: Any) -> str | None:
    """Return the name of one of Dagster's types, None for anything else and for types without a name of their own."""
    named = hasattr(type(schema), "unique_name") and getattr(schema, "has_unique_name", True)
    return schema.unique_name if named else None


def map_of(schema: Mapping[Any, Any]) -> Map:
    """Return the type that ``{str: int}`` means.

    Raises:
        DagsterInvalidConfigDefinitionError: for anything but one plain type of keys.
    """
    [key, *others] = schema
    kind = config_type(key)
    if others or not isinstance(kind, Scalar):
        raise DagsterInvalidConfigDefinitionError(
            f"`{schema!r}` can't be a config schema", hint='a map is written `{str: int}`, fields `{"limit": int}`'
        )
    return Map(kind, schema[key])


def fields_of(schemas: Mapping[str, Any]) -> dict[str, Field]:
    """Return the fields that schemas mean.

    Raises:
        DagsterInvalidConfigDefinitionError: when one means none, with its name.
    """
    fields = {}
    for name, schema in schemas.items():
        try:
            fields[name] = config_field(schema)
        except DagsterInvalidConfigDefinitionError as error:
            raise DagsterInvalidConfigDefinitionError(f"field `{name}`: {error.message}", hint=error.hint) from None
    return fields


def config_field(schema: Any) -> Field:
    """Return the field that a schema's spelling means."""
    return schema if isinstance(schema, Field) else Field(schema)
