"""What every type of config can do, and the three forms of a value that it goes between.

    written   {"limit": 5, "password": {"env": "DB"}, "pet": {"cat": {"meows": 2}}}       run config, YAML
    checked   {"limit": 5, "password": FromEnv("DB"), "pet": {"kind": "cat", "meows": 2}}  names still, no values
    resolved  {"limit": 5, "password": "...", ...}                                         what the user's code gets

:meth:`ConfigType.check` goes from the first to the second and collects every problem with its path;
:meth:`ConfigType.full` adds the defaults; :func:`resolve` reads the environment. :meth:`ConfigType.dump` goes back from
a Python value to the written form. Recipes are made of the checked form, so they can't hold the value of a variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.model.config.findings import MISSING, Findings, Path, short
from ipy_orch.model.env import FromEnv, is_placeholder
from ipy_orch.model.port import Port

__all__ = [
    "ANY",
    "AnyType",
    "ConfigPart",
    "ConfigType",
    "WrittenEnv",
    "config_type",
    "env_form",
    "masked",
    "part_of",
    "resolve",
    "variable_of",
]


ConfigPart: TypeAlias = tuple[str, Any, str]  #: dotted name, what to digest, short text; never a secret's value
ENV: Final = "env"


def variable_of(value: object) -> str | None:
    """Return NAME of ``{"env": NAME}``, else None."""
    if isinstance(value, Mapping) and set(value) == {ENV} and isinstance(value[ENV], str):
        return str.__str__(value[ENV])
    return None


class ConfigType:
    """Be one node of a config schema."""

    expected: str = "a value"  #: for messages: "an integer"
    label: str = "Any"  #: for tables: "int"
    holds_models: bool = False  #: whether values are models, or hold them
    has_fields: bool = False  #: whether a value left out may be taken for an empty one, whose missing fields are named
    overlays: bool = False  #: whether a value is laid over the default, field by field

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form of a written value; what doesn't fit goes to ``findings``."""
        raise NotImplementedError

    def dump(self, value: Any, *, given_only: bool = False) -> Any:  # noqa: ARG002 - for models
        """Return the written form of a Python value; of models all fields, or only those that were given."""
        return env_form(value)

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate for a value given in Python: an enum's name becomes its member ..."""
        return value

    def full(self, checked: Any) -> Any:
        """Return a checked value with the defaults of what it leaves out."""
        return checked

    def plain(self, checked: Any) -> Any:
        """Return plain data for a checked value: defaults filled in, environment variables read.

        Raises:
            DagsterInvalidConfigError: when a variable isn't set.
        """
        return resolve(self.full(checked))

    def value(self, checked: Any) -> Any:
        """Return what user code gets for a checked value; of a Config class an instance."""
        return self.plain(checked)

    def told(self, checked: Any) -> Any:
        """Return a checked value with its defaults as written data: variables by their names."""
        return env_form(self.full(checked))

    def filled(self, written: Any) -> Any:
        """Return a written value with the defaults of what it leaves out, still written."""
        return written

    def implicit(self) -> Any:
        """Return the written value that stands for a value left out, or MISSING when there must be one."""
        return MISSING

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield what a recipe says about a checked value: one entry, or one per field."""
        yield part_of(name, checked)

    def __repr__(self) -> str:
        return f"<config {self.label}>"


class WrittenEnv(dict[str, str]):
    """Be the ``{"env": NAME}`` that a placeholder was written as, known from data that looks the same."""


def env_form(value: Any) -> Any:
    """Return ``{"env": NAME}`` for a placeholder, also inside lists and mappings; else the value."""
    if is_placeholder(value) or isinstance(value, FromEnv):
        return WrittenEnv(env=value.name if isinstance(value, FromEnv) else value.env_var_name)
    if isinstance(value, WrittenEnv):
        return value
    if isinstance(value, Mapping):
        return {key: env_form(item) for key, item in value.items()}
    return [env_form(item) for item in value] if type(value) is list else value


def part_of(name: str, checked: Any) -> ConfigPart:
    """Return the entry of one value; of an environment variable only the name."""
    if isinstance(checked, FromEnv):
        return name, (ENV, checked.name), repr(checked)
    if callable(getattr(checked, "get_secret_value", None)):
        return name, ("secret", name), "[secret]"
    return name, checked, short(checked)


def resolve(checked: Any) -> Any:
    """Return a checked value with each environment variable's value in its place.

    Raises:
        DagsterInvalidConfigError: naming every variable that isn't set or can't be read as its field's type.
    """
    errors: list[str] = []
    resolved = resolved_in(checked, errors)
    if errors:
        raise DagsterInvalidConfigError("\n".join(dict.fromkeys(errors)))
    return resolved


def resolved_in(checked: Any, errors: list[str]) -> Any:
    """Return the resolved value; messages go to ``errors``."""
    if isinstance(checked, FromEnv):
        try:
            return checked.value()
        except DagsterInvalidConfigError as error:
            errors.append(str(error))
            return None
    if isinstance(checked, dict):
        return {key: resolved_in(item, errors) for key, item in checked.items()}
    return [resolved_in(item, errors) for item in checked] if type(checked) is list else checked


class AnyType(ConfigType):
    """Accept everything, as it is."""

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if isinstance(value, WrittenEnv):
            return FromEnv(value[ENV])
        if type(value) is dict:
            return {key: self.check(item, at, findings) for key, item in value.items()}
        return [self.check(item, at, findings) for item in value] if type(value) is list else value


def masked(part: ConfigPart) -> bool:
    """Tell whether an entry holds a name in the place of a value."""
    digestable = part[1]
    return isinstance(digestable, tuple) and len(digestable) == 2 and digestable[0] in (ENV, "secret")


ANY: Final = AnyType()

#: the type that a schema's spelling means, see :func:`ipy_orch.model.config.schema.type_of_spelling`
config_type: Port[[Any], ConfigType] = Port("ipy_orch.model.config.schema")
