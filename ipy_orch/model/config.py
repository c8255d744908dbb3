"""Config that people write as classes: pydantic models whose fields a run's config fills.

A :class:`Config` may hold :class:`~ipy_orch.model.env.EnvVar` placeholders; :func:`construct` makes the instance that
the user's code gets, with their values. Neither instance shows a value that came from the environment or that belongs
to a secret field.
"""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isclass, signature
from typing import Annotated, Any, ClassVar, Final, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticUndefined, core_schema

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
)
from ipy_orch.model.env import SECRETS, FromEnv, holds_placeholder, is_placeholder
from ipy_orch.model.schema import (
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
    Shape,
    config_field,
    env_form,
    resolve,
    variable_of,
)

__all__ = [
    "Config",
    "ConfigShape",
    "PermissiveConfig",
    "RunConfig",
    "annotated_field",
    "configured",
    "construct",
]

ORIGINS: Final = "__origins__"
MARK: Final = "dagster__is_secret"  #: of `Field(json_schema_extra={...: True})`, Dagster's spelling
C = TypeVar("C", bound="Config")


# ---------------------------------------------------------------------------------- what a field admits


def guard_fields(cls: type[Config], schema: Any) -> None:
    """Put :func:`admit` before the validation of each field in a model's core schema."""
    while schema["type"] != "model-fields":
        if not isinstance(schema.get("schema"), dict):
            return
        schema = schema["schema"]
    for name, member in schema["fields"].items():
        info = cls.model_fields.get(name)
        if info is not None and get_origin(info.annotation) is not Literal:  # pydantic looks into discriminators
            member["schema"] = guarded(cls, name, info, member["schema"])


def guarded(cls: type[Config], name: str, info: FieldInfo, schema: Any) -> Any:
    """Return the field's schema behind :func:`admit`; its default, None for an optional field, stays outermost."""
    default, schema = without_default(schema)
    if getattr(schema.get("function", {}).get("function"), "guards", False):
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


def admit(cls: type[Config], name: str, value: Any, handler: Callable[[Any], Any]) -> Any:
    """Return the value of one field: a placeholder as it is, anything else as pydantic validates it.

    A list or mapping with a placeholder in it is validated when the placeholder has become a value.
    """
    taken = cls.__admit__(name, value)
    if taken is not MISSING or is_placeholder(value):
        return value if taken is MISSING else taken
    found = shape_of(cls).by_attribute.get(name)
    if found is None:
        return handler(value)
    if holds_loose(value) and not holds_models(found.config_type):
        return value
    valid = handler(found.config_type.admit(value))
    if found.is_secret:
        SECRETS.add(valid)
    return valid


def holds_loose(value: Any) -> bool:
    """Tell whether a placeholder is in a value or its plain lists and mappings; models guard their own."""
    if type(value) is dict:
        return any(map(holds_loose, value.values()))
    return any(map(holds_loose, value)) if type(value) in (list, tuple) else is_placeholder(value)


def holds_models(kind: ConfigType) -> bool:
    """Tell whether values of this type are models, or hold them."""
    inner = getattr(kind, "inner_type", None)
    return isinstance(kind, ConfigShape | UnionType) or (isinstance(inner, ConfigType) and holds_models(inner))


# ---------------------------------------------------------------------------------- the classes


class Config(BaseModel):
    """Declare the config of an asset, op or resource: a frozen pydantic model that takes no unknown fields.

    Any type that pydantic knows may annotate a field. In run config an enum is written by its member's name, a union
    with a discriminator as ``{choice: {...}}``, and an environment variable as ``{"env": NAME}``.

    >>> class Ingest(Config):
    ...     limit: int = 10
    >>> Ingest(limit=3)
    Ingest(limit=3)
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,  # pydantic would print the value, which may be a secret
        protected_namespaces=(),
        ignored_types=(functools.cached_property,),
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        guard_fields(cls, handler.resolve_ref_schema(schema))
        return schema

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not isinstance(getattr(type(self), name, None), property):
            refuse_assignment(type(self), name)
        super().__setattr__(name, value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, value if name is None else safe(self, name, value)

    @classmethod
    def __config_type__(cls) -> ConfigType:
        """Return the schema that run config is checked against.

        Raises:
            DagsterInvalidConfigDefinitionError: when a field's type can't be one of config.
        """
        shape = cls.__dict__.get("__config_shape__")
        return shape if isinstance(shape, ConfigShape) else ConfigShape(cls)

    @classmethod
    def to_config_schema(cls) -> Field:
        """Return the schema as a field, e.g. for ``@resource(config_schema=...)``."""
        return Field(cls)

    @classmethod
    def to_fields_dict(cls) -> dict[str, Field]:
        """Return the fields of the schema by their names in run config."""
        return dict(shape_of(cls).fields)

    @classmethod
    def __takes_config__(cls, name: str) -> bool:
        """Tell whether run config may set this field (a resource's dependencies it can't)."""
        return True

    @classmethod
    def __admit__(cls, name: str, value: Any) -> Any:
        """Return MISSING, or what a field takes without validation."""
        return MISSING

    def _convert_to_config_dictionary(self) -> dict[str, Any]:
        written: dict[str, Any] = shape_of(type(self)).dump(self)
        return written


class PermissiveConfig(Config):
    """Declare config that takes fields beyond the declared ones, too.

    >>> class Anything(PermissiveConfig):
    ...     limit: int = 10
    >>> Anything(limit=3, colour="red").colour
    'red'
    """

    model_config = ConfigDict(extra="allow")


def refuse_assignment(cls: type[Config], name: str) -> None:
    """Refuse to change a field.

    Raises:
        DagsterInvalidInvocationError: always.
    """
    raise DagsterInvalidInvocationError(
        f"`{cls.__name__}` is frozen: its field `{name}` can't be set",
        hint=f"make a new one, `config.model_copy(update={{{name!r}: ...}})`, or keep state in a `PrivateAttr`",
    )


# ---------------------------------------------------------------------------------- the schema of a class


class ConfigShape(Shape):
    """Be the schema of a Config class; its checked form holds only what was given, the class fills in the rest."""

    def __init__(self, config_class: type[Config], fields: Mapping[str, Field] | None = None) -> None:
        if fields is None and not config_class.__pydantic_complete__:
            config_class.model_rebuild(raise_errors=False)
        super().__init__({})
        self.config_class, self.description = config_class, config_class.__doc__
        self.permissive = config_class.model_config.get("extra") == "allow"
        self.attributes = {
            info.alias or name: name
            for name, info in config_class.model_fields.items()
            if config_class.__takes_config__(name)
        }
        self.fields = self.fields_of_class() if fields is None else dict(fields)
        self.by_attribute = {self.attributes[key]: field for key, field in self.fields.items()}
        self.label = config_class.__name__
        self.expected = f"a mapping with the fields of `{self.label}`"

    def fields_of_class(self) -> dict[str, Field]:
        """Return a field for each of the class that takes config."""
        cls, infos = self.config_class, self.config_class.model_fields
        cls.__config_shape__ = self  # type: ignore[attr-defined]  # before the fields: one may be of this class
        try:
            return {key: model_field(cls, name, infos[name]) for key, name in self.attributes.items()}
        except BaseException:
            del cls.__config_shape__  # type: ignore[attr-defined]
            raise

    def bound(self, written: Mapping[str, Any]) -> ConfigShape:
        """Return the schema in which some fields have these values as their defaults."""
        fields = dict(self.fields)
        for key in fields.keys() & written.keys():
            fields[key] = rebound(fields[key], written[key])
        extra = {key: rebound(Field(ANY), value) for key, value in written.items() if key not in fields}
        shape = ConfigShape(self.config_class, fields)
        shape.fields.update(extra)
        return shape

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, Config):
            return super().dump(value, given_only=given_only)
        origins = value.__dict__.get(ORIGINS, {})
        written = {key: env_form(item) for key, item in (value.model_extra or {}).items()}
        for key, name in self.attributes.items():
            held = origins.get(name, getattr(value, name, None))
            if given_only and name not in value.model_fields_set and not holds_placeholder(held):
                continue
            kind = self.by_attribute[name].config_type
            if held is not None or isinstance(kind, Noneable):
                written[key] = kind.dump(held, given_only=given_only)
        return written

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        return value

    def resolved(self, checked: Any) -> Any:
        """Return the instance for a checked value."""
        return construct(self.config_class, checked)


def shape_of(cls: type[Config]) -> ConfigShape:
    """Return the schema of a class."""
    shape = cls.__config_type__()
    assert isinstance(shape, ConfigShape)
    return shape


def rebound(old: Field, written: Any) -> Field:
    """Return a field with another default, which checking supplies."""
    new = Field(old.config_type, written, description=old.description, is_secret=old.is_secret)
    new.supplied = True
    return new


def model_field(cls: type[Config], name: str, info: FieldInfo) -> Field:
    """Return the schema of one field of a class.

    Raises:
        DagsterInvalidConfigDefinitionError: when its type can't be one of config.
        DagsterInvalidDefinitionError: when its default is a legacy ``Field``.
    """
    if isinstance(info.default, Field):
        raise DagsterInvalidDefinitionError(
            f"the field `{name}` of `{cls.__name__}` has a legacy `Field` as its default", hint="use `pydantic.Field`"
        )
    try:
        kind = annotated_type(info.annotation, info)
    except DagsterInvalidConfigDefinitionError as error:
        raise DagsterInvalidConfigDefinitionError(
            f"the field `{name}` of `{cls.__name__}`: {error.message}", hint=error.hint
        ) from None
    return finished_field(kind, info)


def finished_field(kind: ConfigType, info: FieldInfo) -> Field:
    """Return the field with its default, in the written form."""
    default = default_of(info)
    optional = info.is_required() and kind.implicit() is not MISSING
    written = MISSING if default is MISSING or default is None else kind.dump(default)
    if default is None and isinstance(kind, Noneable):
        written = None
    made = Field(
        kind, description=info.description, is_required=info.is_required() and not optional, is_secret=is_secret(info)
    )
    made.default = written
    made.supplied = optional or holds_placeholder(default)
    return made


def default_of(info: FieldInfo) -> Any:
    """Return a field's default, MISSING when it has none that can be known without the other fields."""
    if info.default is not PydanticUndefined:
        return info.default
    takes_data = getattr(info, "default_factory_takes_validated_data", False)
    return MISSING if info.default_factory is None or takes_data else info.get_default(call_default_factory=True)


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
        if issubclass(annotation, Config):
            return annotation.__config_type__()
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
    if isinstance(discriminator, str) and all(isclass(member) and issubclass(member, Config) for member in rest):
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
    """Accept one of several classes, written ``{choice: {...}}``, or with the discriminating field among the others."""

    def __init__(self, members: tuple[type[Config], ...], discriminator: str) -> None:
        self.discriminator = discriminator
        self.shapes = {choice: shape_of(member) for member in members for choice in choices_of(member, discriminator)}
        self.choices = {choice: without(shape, discriminator) for choice, shape in self.shapes.items()}
        self.expected = "exactly one of " + ", ".join(f"`{choice}`" for choice in self.choices)
        self.label = " | ".join(dict.fromkeys(shape.label for shape in self.choices.values()))

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        value = self.selected(value)
        choice = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else None
        if choice not in self.choices:
            findings.mismatch(at, self.expected, value)
            return {}
        checked = self.choices[choice].check(value[choice] or {}, (*at, str(choice)), findings)
        return {self.discriminator: choice, **checked}

    def selected(self, value: Any) -> Any:
        """Return ``{choice: {...}}`` for a mapping that names its choice by the discriminating field."""
        if not isinstance(value, Mapping) or not isinstance(value.get(self.discriminator), str):
            return value
        return {value[self.discriminator]: {key: item for key, item in value.items() if key != self.discriminator}}

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, Config):
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
        choice = checked[self.discriminator]
        rest = {key: item for key, item in checked.items() if key != self.discriminator}
        return {self.discriminator: choice, **self.choices[choice].full(rest)}

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from self.shapes[checked[self.discriminator]].parts(checked, name)


def choices_of(member: type[Config], discriminator: str) -> tuple[Any, ...]:
    """Return the values of the discriminating field for which a class stands."""
    info = member.model_fields.get(discriminator)
    return get_args(info.annotation) if info is not None else ()


def without(shape: ConfigShape, discriminator: str) -> ConfigShape:
    """Return the schema without the discriminating field."""
    fields = {key: member for key, member in shape.fields.items() if shape.attributes[key] != discriminator}
    smaller = ConfigShape(shape.config_class, fields)
    smaller.attributes = {key: name for key, name in shape.attributes.items() if name != discriminator}
    return smaller


def annotated_field(annotation: Any, default: Any = MISSING) -> Field:
    """Return the schema of a function's ``config`` parameter, or of a legacy ``config_schema``.

    Raises:
        DagsterInvalidConfigDefinitionError: when the annotation can't be a type of config.
    """
    if isinstance(annotation, Field | ConfigType | Mapping) or (isinstance(annotation, list) and len(annotation) == 1):
        return config_field(annotation)
    if hasattr(annotation, "unique_name"):  # one of Dagster's types
        return config_field(annotation)
    kind = annotated_type(annotation)
    return Field(kind) if default is MISSING else Field(kind, kind.dump(default))


# ---------------------------------------------------------------------------------- instances


def construct(cls: type[C], checked: Mapping[str, Any]) -> C:
    """Return the instance that user code gets: environment variables read, the user's validators run.

    Raises:
        DagsterInvalidConfigError: when a variable isn't set.
        pydantic.ValidationError: when the class refuses a value.
    """
    instance = cls.model_validate(resolve(checked))
    stamp(instance, checked)
    hide_secrets(instance)
    return instance


def hide_secrets(value: Any) -> None:
    """Tell :data:`~ipy_orch.model.env.SECRETS` what the secret fields of a model hold, defaults too."""
    if isinstance(value, Config):
        for name, made in shape_of(type(value)).by_attribute.items():
            if made.is_secret:
                SECRETS.add(getattr(value, name))
            elif holds_models(made.config_type):
                hide_secrets(getattr(value, name))
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            hide_secrets(item)


def stamp(value: Any, checked: Any) -> None:
    """Note on each model which fields came from the environment, so that it doesn't show them."""
    if isinstance(value, Config) and isinstance(checked, Mapping):
        attributes = shape_of(type(value)).attributes
        for key, item in checked.items():
            if holds_placeholder(item):
                note_origin(value, attributes.get(key) or key, item)
    elif isinstance(value, Mapping) and isinstance(checked, Mapping):
        for key in value.keys() & checked.keys():
            stamp(value[key], checked[key])
    elif isinstance(value, list) and isinstance(checked, list):
        for item, origin in zip(value, checked, strict=False):
            stamp(item, origin)


def note_origin(instance: Config, name: str, checked: Any) -> None:
    """Note where the value of a field came from; of a field that holds models, in these."""
    held = getattr(instance, name, None)
    found = shape_of(type(instance)).by_attribute.get(name)
    if found is not None and holds_models(found.config_type):
        stamp(held, checked)
    else:
        instance.__dict__.setdefault(ORIGINS, {})[name] = checked
        SECRETS.add(held, variable_name(checked))  # a validator may have changed it


def variable_name(checked: Any) -> str | None:
    """Return the name of the variable that a value came from, None when it came from several."""
    return checked.name if isinstance(checked, FromEnv) else None


def safe(config: Config, name: str, value: Any) -> Any:
    """Return what a repr may show of a field."""
    origin = config.__dict__.get(ORIGINS, {}).get(name)
    if origin is not None:
        return origin
    info = type(config).model_fields.get(name)
    hidden = info is not None and is_secret(info) and value is not None and not holds_placeholder(value)
    return Shown("[secret]") if hidden else value


class Shown(str):
    """Be a text whose repr is itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


# ---------------------------------------------------------------------------------- run config


@dataclass
class RunConfig:
    """Hold the config of a run: one :class:`Config` or dict per op (an asset's op has its name), resource and logger.

    >>> RunConfig(ops={"orders": {"config": {"limit": 5}}}).to_config_dict()["ops"]
    {'orders': {'config': {'limit': 5}}}
    """

    ops: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    loggers: Mapping[str, Any] = field(default_factory=dict)
    execution: Any = field(default_factory=dict)

    def to_config_dict(self) -> dict[str, Any]:
        """Return the config as plain data; a placeholder becomes ``{"env": NAME}``."""
        return self.written()

    def written(self, *, given_only: bool = False) -> dict[str, Any]:
        """Return the config as plain data, of models all fields or only those that were given."""
        execution = self.execution or {}
        return {
            "loggers": written_entries(self.loggers, given_only),
            "resources": written_entries(self.resources, given_only),
            "ops": written_entries(self.ops, given_only),
            "execution": written_entry(execution, given_only),
        }


def written_entries(entries: Mapping[str, Any] | None, given_only: bool) -> dict[str, Any]:
    """Return the entries of one part of run config as plain data."""
    return {name: written_entry(entry, given_only) for name, entry in (entries or {}).items()}


def written_entry(entry: Any, given_only: bool) -> Any:
    """Return ``{"config": ...}`` for a model; a mapping as it is, with the models in it written."""
    if isinstance(entry, Config):
        return {"config": shape_of(type(entry)).dump(entry, given_only=given_only)}
    if type(entry) is dict:
        return {key: written_member(key, item, given_only) for key, item in entry.items()}
    return entry


def written_member(key: Any, item: Any, given_only: bool) -> Any:
    """Return a member of an entry: under ``config`` a model as its fields, else as an entry."""
    if key == "config" and isinstance(item, Config):
        return shape_of(type(item)).dump(item, given_only=given_only)
    return item if key == "config" else written_entry(item, given_only)


# ---------------------------------------------------------------------------------- configured


class ConfigMap:
    """Be a function from outer config to the config of what it configures, with the outer config's schema.

    Args:
        function: takes the outer config (a Config, or a dict), returns config.
        config_schema: of the outer config, when the parameter isn't annotated with a Config class.

    Raises:
        CheckError: when the function hasn't exactly one parameter, or both kinds of schema are given.
    """

    no_schema: ClassVar = Field(ANY, is_required=False)

    def __init__(self, function: Callable[[Any], Any], config_schema: Any = None) -> None:
        self.function = function
        self.config_class = config_parameter(function)
        if self.config_class is not None and config_schema is not None:
            raise CheckError(f"`{function_name(function)}` has a Config parameter, so it takes no config_schema")
        given = self.config_class or config_schema
        self.field = self.no_schema if given is None else annotated_field(given)

    def __call__(self, checked: Any) -> Any:
        """Return the inner config, written, for checked outer config."""
        if self.config_class is None:
            inner = self.function(resolve(self.field.config_type.full(checked)))
        else:
            inner = self.function(construct(self.config_class, checked))
        return shape_of(type(inner)).dump(inner, given_only=True) if isinstance(inner, Config) else inner


def config_parameter(function: Callable[..., Any]) -> type[Config] | None:
    """Return the Config class that annotates the one parameter of a function, if any.

    Raises:
        CheckError: when the function hasn't exactly one parameter.
    """
    parameters = [p for p in signature(function, eval_str=False).parameters.values() if p.kind is not p.VAR_KEYWORD]
    if len(parameters) != 1:
        raise CheckError(f"`{function_name(function)}` must have exactly one parameter, the config")
    annotation = parameters[0].annotation
    if isinstance(annotation, str):
        annotation = getattr(function, "__globals__", {}).get(annotation)
    return annotation if isclass(annotation) and issubclass(annotation, Config) else None


def function_name(function: object) -> str:
    """Return the name of a function, or its repr."""
    return getattr(function, "__name__", repr(function))


def configured(configurable: Any, config_schema: Any = None, **options: Any) -> Callable[[Callable[[Any], Any]], Any]:
    """Be a decorator whose function gives the config of ``configurable``, a resource, op or IO manager.

    Args:
        configurable: the definition, or a class of resources.
        config_schema: of the outer config that the function takes.
        options: what the definition's own ``configured`` takes, e.g. ``name``.
    """

    def decorate(function: Callable[[Any], Any]) -> Any:
        of_class = getattr(configurable, "configured_class", None) if isclass(configurable) else None
        if of_class is not None:
            return of_class(function, config_schema=config_schema, **options)
        if "name" not in options and takes_name(configurable):
            options["name"] = function_name(function)
        return configurable.configured(function, config_schema=config_schema, **options)

    return decorate


def takes_name(configurable: Any) -> TypeGuard[Any]:
    """Tell whether the definition's ``configured`` takes a name."""
    return "name" in signature(configurable.configured).parameters
