"""From Python's annotations to types of config."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from inspect import isclass
from typing import Annotated, Any, Final, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo

from ipy_orch.errors import DagsterInvalidConfigDefinitionError
from ipy_orch.model.config.schema import (
    ANY,
    MISSING,
    PLAIN,
    SECRET,
    Array,
    ConfigPart,
    ConfigType,
    EnumType,
    Field,
    Findings,
    LiteralType,
    Map,
    Noneable,
    Path,
    config_field,
    variable_of,
)
from ipy_orch.model.env import FromEnv

__all__ = [
    "PydanticType",
    "UnionType",
    "annotated_field",
    "annotated_type",
    "is_config",
    "is_config_class",
    "is_secret",
]


MARK: Final = "dagster__is_secret"  #: of `Field(json_schema_extra={...: True})`, Dagster's spelling


def is_config_class(annotation: object) -> TypeGuard[Any]:
    """Tell whether an annotation is a Config class, which knows its own type."""
    return isclass(annotation) and get_origin(annotation) is None and hasattr(annotation, "__config_type__")


def is_config(value: object) -> TypeGuard[Any]:
    """Tell whether a value is an instance of a Config class."""
    return is_config_class(type(value))


def is_secret(info: FieldInfo) -> bool:
    """Tell whether a field's value must not be shown: a pydantic secret, or marked ``dagster__is_secret``."""
    extra = info.json_schema_extra
    marked = isinstance(extra, Mapping) and bool(extra.get(MARK))
    return marked or mentions_secret(info.annotation)


def mentions_secret(annotation: Any) -> bool:
    """Tell whether a pydantic secret is in an annotation."""
    if isclass(annotation) and get_origin(annotation) is None:
        return issubclass(annotation, SecretStr | SecretBytes)
    return any(map(mentions_secret, get_args(annotation)))


CONTAINERS: Final[Mapping[Any, Callable[..., ConfigType]]] = {list: Array, Sequence: Array, dict: Map, Mapping: Map}


def annotated_type(annotation: Any, info: FieldInfo | None = None) -> ConfigType:
    """Return the config type of an annotation.

    Raises:
        DagsterInvalidConfigDefinitionError: when pydantic can't validate it, and it is no class of ours.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return annotated_type(args[0], next((mark for mark in args[1:] if isinstance(mark, FieldInfo)), info))
    if origin in (Union, types.UnionType):
        return union_type(args, info)
    if origin is Literal:
        return LiteralType(args)
    if origin in CONTAINERS:
        return CONTAINERS[origin](*map(annotated_type, args))
    return ANY if isinstance(annotation, TypeVar) else class_type(annotation)


def class_type(annotation: Any) -> ConfigType:
    """Return the config type of a class."""
    if isclass(annotation) and get_origin(annotation) is None:
        if is_config_class(annotation):
            kind: ConfigType = annotation.__config_type__()
            return kind
        if issubclass(annotation, enum.Enum):
            return EnumType(annotation)
        if issubclass(annotation, SecretStr | SecretBytes):
            return SECRET
    if annotation is Mapping:
        return PLAIN[dict]()
    hashable = annotation if isclass(annotation) or annotation is Any else None
    return PLAIN[hashable]() if hashable in PLAIN else PydanticType(annotation)


def union_type(members: tuple[Any, ...], info: FieldInfo | None) -> ConfigType:
    """Return the config type of a union: optional, discriminated, or whatever pydantic makes of it."""
    rest = tuple(member for member in members if member is not types.NoneType)
    if len(rest) < len(members):
        return Noneable(union_type(rest, info) if len(rest) > 1 else annotated_type(rest[0], info))
    discriminator = getattr(info, "discriminator", None)
    if isinstance(discriminator, str) and all(map(is_config_class, rest)):
        return UnionType(rest, discriminator)
    return PydanticType(Union[rest])  # noqa: UP007 - made at run time


class PydanticType(ConfigType):
    """Accept what pydantic accepts for an annotation: dates, paths, tuples, unions of plain types ..."""

    def __init__(self, annotation: Any) -> None:
        name = getattr(annotation, "__name__", None) if get_origin(annotation) is None else None
        self.label = name or str(annotation).replace("typing.", "")
        self.expected = f"`{self.label}`"
        try:
            self.adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        except (PydanticSchemaGenerationError, PydanticUserError):
            raise DagsterInvalidConfigDefinitionError(
                f"`{self.label}` can't be a type of config",
                hint="a type that pydantic validates, a class derived from `Config`, or `ResourceDependency[...]`",
            ) from None

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if (name := variable_of(value)) is not None:
            return FromEnv(name)
        try:
            self.adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            findings.mismatch(at, self.expected, value, first["msg"])
        return value


class UnionType(ConfigType):
    """Accept one of several classes, written ``{choice: {...}}``; its checked form is flat, as pydantic wants it."""

    holds_models = True

    def __init__(self, members: tuple[Any, ...], discriminator: str) -> None:
        self.discriminator = discriminator
        self.shapes: dict[Any, Any] = {
            choice: member.__config_type__() for member in members for choice in choices_of(member, discriminator)
        }
        self.choices: dict[Any, Any] = {choice: shape.without(discriminator) for choice, shape in self.shapes.items()}
        self.expected = "exactly one of " + ", ".join(f"`{choice}`" for choice in self.choices)
        self.label = " | ".join(dict.fromkeys(shape.label for shape in self.choices.values()))

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        choice = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else None
        if choice not in self.choices:
            findings.mismatch(at, self.expected, value, self.hint_for(value))
            return {}
        checked = self.choices[choice].check(value[choice] or {}, (*at, str(choice)), findings)
        return {self.discriminator: choice, **checked}

    def hint_for(self, value: Any) -> str:
        """Return what to write instead of a mapping that names its choice by the discriminating field, else ""."""
        chosen = self.selected(value)
        return f"write `{{{next(iter(chosen))!r}: {{...}}}}`" if chosen is not value else ""

    def selected(self, value: Any) -> Any:
        """Return ``{choice: {...}}`` for a mapping that names its choice by the discriminating field."""
        choice = value.get(self.discriminator, MISSING) if isinstance(value, Mapping) else MISSING
        if not isinstance(choice, Hashable) or choice not in self.choices:
            return value
        return {choice: {key: item for key, item in value.items() if key != self.discriminator}}

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not is_config(value):
            return self.selected(value)
        choice = getattr(value, self.discriminator)
        return {choice: self.choices[choice].dump(value, given_only=given_only)}

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        if type(value) is not dict or self.discriminator in value or len(value) != 1:
            return value
        [(choice, fields)] = value.items()
        chosen = choice in self.choices and isinstance(fields, Mapping)
        return {self.discriminator: choice, **fields} if chosen else value

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        [(choice, rest)] = self.selected(checked).items()
        return {choice: self.choices[choice].full(rest)}

    def filled(self, written: Any) -> Any:
        """Return the written value with its defaults."""
        chosen = isinstance(written, Mapping) and len(written) == 1 and self.choices.keys() >= written.keys()
        return {choice: self.choices[choice].filled(rest) for choice, rest in written.items()} if chosen else written

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        [(choice, rest)] = self.selected(checked).items()
        yield from self.shapes[choice].parts({self.discriminator: choice, **rest}, name)


def choices_of(member: Any, discriminator: str) -> tuple[Any, ...]:
    """Return the values of the discriminating field for which a class stands."""
    info = member.model_fields.get(discriminator)
    return get_args(info.annotation) if info is not None else ()


def annotated_field(annotation: Any, default: Any = MISSING) -> Field:
    """Return the schema of a function's ``config`` parameter, or of a legacy ``config_schema``.

    Raises:
        DagsterInvalidConfigDefinitionError: when the annotation can't be a type of config.
    """
    if isinstance(annotation, Field | ConfigType | Mapping) or (isinstance(annotation, list) and len(annotation) == 1):
        return config_field(annotation)
    if hasattr(type(annotation), "unique_name"):  # one of Dagster's types
        return config_field(annotation)
    kind = annotated_type(annotation)
    return Field(kind) if default is MISSING else Field(kind, kind.dump(default))
