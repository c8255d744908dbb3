"""Instances of Config classes for user code: values read from the environment, and kept out of sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ipy_orch.model.config.annotations import is_config, is_secret
from ipy_orch.model.config.schema import resolve
from ipy_orch.model.env import SECRETS, FromEnv, holds_placeholder, redact

__all__ = ["ORIGINS", "construct", "safe", "validated"]


ORIGINS: Final = "__origins__"
C = TypeVar("C", bound=BaseModel)


def construct(cls: type[C], checked: Mapping[str, Any]) -> C:
    """Return the instance that user code gets: environment variables read, the user's validators run.

    Raises:
        DagsterInvalidConfigError: when a variable isn't set.
        pydantic.ValidationError: when the class refuses a value.
    """
    instance = validated(cls, resolve(checked))
    stamp(instance, checked)
    hide_secrets(instance)
    return instance


def validated(cls: type[C], values: Mapping[str, Any]) -> C:
    """Return the instance with these values.

    Raises:
        pydantic.ValidationError: when the class refuses one; no secret is in it, whatever the user's validator said.
    """
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        if redact(str(error)) == str(error):
            raise
        told = hushed(error)
    raise told


def hushed(error: ValidationError) -> ValidationError:
    """Return the same error without the values of secrets."""
    lines = [
        InitErrorDetails(type=PydanticCustomError(one["type"], redact(one["msg"])), loc=one["loc"], input=None)
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def hide_secrets(value: Any) -> None:
    """Tell :data:`~ipy_orch.model.env.SECRETS` what the secret fields of a model hold, defaults too."""
    if is_config(value):
        for name, made in type(value).__config_type__().by_attribute.items():
            if made.is_secret:
                SECRETS.add(getattr(value, name))
            elif made.config_type.holds_models:
                hide_secrets(getattr(value, name))
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            hide_secrets(item)


def stamp(value: Any, checked: Any) -> None:
    """Note on each model which fields came from the environment, so that it doesn't show them."""
    if is_config(value) and isinstance(checked, Mapping):
        attributes = type(value).__config_type__().attributes
        for key, item in checked.items():
            if holds_placeholder(item):
                note_origin(value, attributes.get(key) or key, item)
    elif isinstance(value, Mapping) and isinstance(checked, Mapping):
        for key in value.keys() & checked.keys():
            stamp(value[key], checked[key])
    elif isinstance(value, list) and isinstance(checked, list):
        for item, origin in zip(value, checked, strict=False):
            stamp(item, origin)


def note_origin(instance: Any, name: str, checked: Any) -> None:
    """Note where the value of a field came from; of a field that holds models, in these."""
    held = getattr(instance, name, None)
    found = type(instance).__config_type__().by_attribute.get(name)
    if found is not None and found.config_type.holds_models:
        stamp(held, checked)
    else:
        instance.__dict__.setdefault(ORIGINS, {})[name] = checked
        tell_secrets(held, checked)


def tell_secrets(held: Any, checked: Any) -> None:
    """Tell :data:`~ipy_orch.model.env.SECRETS` what came from the environment, as a validator may have left it.

    Of a list or a mapping that is only what did: its other items may be words that any text has.
    """
    if isinstance(held, dict) and isinstance(checked, dict) and held.keys() == checked.keys():
        for key in held:
            tell_secrets(held[key], checked[key])
    elif isinstance(held, list) and isinstance(checked, list) and len(held) == len(checked):
        for item, origin in zip(held, checked, strict=True):
            tell_secrets(item, origin)
    elif holds_placeholder(checked):
        SECRETS.add(held, variable_name(checked))


def variable_name(checked: Any) -> str | None:
    """Return the name of the variable that a value came from, None when it came from several."""
    return checked.name if isinstance(checked, FromEnv) else None


def safe(config: BaseModel, name: str, value: Any) -> Any:
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
