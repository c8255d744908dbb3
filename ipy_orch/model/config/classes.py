"""Config that people write as classes: pydantic models whose fields a run's config fills.

A :class:`Config` may hold :class:`~ipy_orch.model.env.EnvVar` placeholders; :func:`construct` makes the instance that
the user's code gets, with their values. Neither instance shows a value that came from the environment or that belongs
to a secret field.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticUndefined

from ipy_orch.errors import (
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    closest,
    warn,
)
from ipy_orch.model.config.annotations import annotated_field, annotated_type, is_secret
from ipy_orch.model.config.guards import guard_model
from ipy_orch.model.config.instances import ORIGINS, construct, safe
from ipy_orch.model.config.run_config import RunConfig
from ipy_orch.model.config.schema import ANY, MISSING, ConfigType, Field, Noneable, Shape, env_form
from ipy_orch.model.env import holds_placeholder

__all__ = [
    "Config",
    "ConfigShape",
    "PermissiveConfig",
    "RunConfig",
    "annotated_field",
    "construct",
    "shape_of",
    "warn_of_strangers",
]


class Config(BaseModel):
    """Declare the config of an asset, op or resource: a frozen pydantic model.

    Run config with unknown fields is refused. Python code that gives one is warned: as in Dagster, it has no effect
    (``model_config = {"extra": "forbid"}`` makes it an error).

    Any type that pydantic knows may annotate a field. In run config an enum is written by its member's name, a union
    with a discriminator as ``{choice: {...}}``, and an environment variable as ``{"env": NAME}``.

    >>> class Ingest(Config):
    ...     limit: int = 10
    >>> Ingest(limit=3)
    Ingest(limit=3)
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,  # pydantic would print the value, which may be a secret
        protected_namespaces=(),
        ignored_types=(functools.cached_property,),
    )

    def __init__(self, **data: Any) -> None:
        super().__init__(**data)
        warn_of_strangers(type(self), data)

    # As pydantic's own: what validates a mapping then needn't call it, and asks no user for a line of theirs.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        guarded: CoreSchema = guard_model(cls, schema, handler.resolve_ref_schema(schema))
        return guarded

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


def warn_of_strangers(cls: type[BaseModel], given: Mapping[str, Any]) -> None:
    """Warn, at the user's line, of what a class takes from nobody; not where a validator may have used it.

    Args:
        cls: the class of the model.
        given: what was to become its fields.
    """
    if cls.model_config.get("extra") != "ignore":
        return
    if any(one.info.mode != "after" for one in cls.__pydantic_decorators__.model_validators.values()):
        return
    known = set(keywords(cls))
    for name in [one for one in given if one not in known]:
        near = closest(name, known)
        warn(f"`{cls.__name__}` has no field `{name}`: it is ignored" + (f"\n  hint: {near}" if near else ""))


def keywords(cls: type[BaseModel]) -> Iterator[str]:
    """Yield the names under which the fields of a model are given."""
    by_name = cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")
    for name, info in cls.model_fields.items():
        if info.validation_alias is None or by_name:
            yield name
        if info.validation_alias is not None:
            choices = getattr(info.validation_alias, "choices", [info.validation_alias])
            yield from (one if isinstance(one, str) else str(one.path[0]) for one in choices)


def refuse_assignment(cls: type[Config], name: str) -> None:
    """Refuse to change a field.

    Raises:
        DagsterInvalidInvocationError: always.
    """
    raise DagsterInvalidInvocationError(
        f"`{cls.__name__}` is frozen: its field `{name}` can't be set",
        hint=f"make a new one, `config.model_copy(update={{{name!r}: ...}})`, or keep state in a `PrivateAttr`",
    )


class ConfigShape(Shape):
    """Be the schema of a Config class; its checked form holds only what was given, the class fills in the rest."""

    holds_models = True

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

    def without(self, attribute: str) -> ConfigShape:
        """Return the schema without one of the fields, that which tells the members of a union apart."""
        attributes = {key: name for key, name in self.attributes.items() if name != attribute}
        smaller = ConfigShape(self.config_class, {key: self.fields[key] for key in attributes})
        smaller.attributes = attributes
        return smaller

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
            field = self.by_attribute[name]
            if held is not None or (
                isinstance(field.config_type, Noneable) and (given_only or field.default is not None)
            ):
                written[key] = field.config_type.dump(held, given_only=given_only)
        return written

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        return value

    def value(self, checked: Any) -> Any:
        """Return the instance."""
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
