"""What config may look like: a small algebra of types, and the one way config is checked against it.

Config a person wrote goes through three forms:

    written   {"limit": 5, "password": {"env": "DB"}, "pet": {"cat": {"meows": 2}}}       run config, YAML
    checked   {"limit": 5, "password": FromEnv("DB"), "pet": {"kind": "cat", "meows": 2}}  names still, no values
    resolved  {"limit": 5, "password": "...", ...}                                         what the user's code gets

:meth:`ConfigType.check` goes from the first to the second and collects every problem with its path;
:meth:`ConfigType.full` adds the defaults; :func:`resolve` reads the environment. :meth:`ConfigType.dump` goes back from
a Python value to the written form. Recipes are made of the checked form, so they can't hold the value of a variable.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

from ipy_orch.errors import DagsterInvalidConfigDefinitionError, DagsterInvalidConfigError, closest
from ipy_orch.model.env import FromEnv, is_placeholder, parse_int, redact

__all__ = [
    "Array",
    "BoolSource",
    "ConfigType",
    "Enum",
    "EnumValue",
    "Field",
    "Findings",
    "IntSource",
    "Map",
    "Noneable",
    "Permissive",
    "Problem",
    "ScalarUnion",
    "Selector",
    "Shape",
    "StringSource",
    "config_field",
    "config_type",
    "resolve",
]

Path: TypeAlias = tuple[str | int, ...]
ConfigPart: TypeAlias = tuple[str, Any, str]  #: dotted name, what to digest, short text; never a secret's value

ENV: Final = "env"
WIDEST: Final = 60  #: characters of a value in a message


class Missing(enum.Enum):
    """Be the type of MISSING: no value was given, which None is."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in config: where, what, and what to write instead."""

    path: Path
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class Findings:
    """Collect the problems of one check; while ``hidden``, no value is shown in them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.hidden = False

    def add(self, at: Path, what: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(at, what, hint))

    def mismatch(self, at: Path, expected: str, value: object, hint: str = "") -> None:
        """Note that a value isn't what was expected."""
        self.add(at, f"expected {expected}, got {'a secret' if self.hidden else shown(value)}", hint)

    def raise_any(self, what: str) -> None:
        """Raise when there are problems.

        Raises:
            DagsterInvalidConfigError: with one line per problem.
        """
        if self.problems:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            raise DagsterInvalidConfigError(f"{what}\n{lines}")


def dotted(path: Path) -> str:
    """Return ``ops.orders.config.sizes[0]``.

    >>> dotted(("ops", "orders", "config", "sizes", 0))
    'ops.orders.config.sizes[0]'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the config"


def shown(value: object) -> str:
    """Return a short repr with the type's name, without secrets."""
    if value is None:
        return "None"
    text = redact(repr(value))
    return f"{text if len(text) <= WIDEST else text[: WIDEST - 1] + '…'} ({type(value).__name__})"


def short(value: object) -> str:
    """Return a repr of bounded length, without secrets."""
    text = redact(repr(value))
    return text if len(text) <= 2 * WIDEST else f"{text[: 2 * WIDEST - 1]}…"


def variable_of(value: object) -> str | None:
    """Return NAME of ``{"env": NAME}``, else None."""
    if isinstance(value, Mapping) and set(value) == {ENV} and isinstance(value[ENV], str):
        return str.__str__(value[ENV])
    return None


class ConfigType:
    """Be one node of a config schema."""

    expected: str = "a value"  #: for messages: "an integer"
    label: str = "Any"  #: for tables: "int"

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


class Scalar(ConfigType):
    """Accept one kind of plain value, or ``{"env": NAME}`` for the variable that holds it."""

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """Return the value in an environment variable's text.

        Raises:
            ValueError: with a message that doesn't show the text.
        """
        return text

    def converted(self, value: Any) -> Any:
        """Return the checked form of an accepted value."""
        return value

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if (name := variable_of(value)) is not None:
            return FromEnv(name, self.parse)
        if is_placeholder(value):
            findings.add(
                at, f"{value!r} stands for its value in a `Config` only", f'write {{"env": "{value.env_var_name}"}}'
            )
            return value
        if value is MISSING or not self.accepts(value):
            findings.mismatch(at, self.expected, value)
            return value
        return self.converted(value)


class StringType(Scalar):
    """Accept a str."""

    expected, label = "a string", "str"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, str)


class IntType(Scalar):
    """Accept an int, which a bool isn't."""

    expected, label = "an integer", "int"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, int) and not isinstance(value, bool)

    def parse(self, text: str) -> int:
        """Return the value in a text."""
        return parse_int(text)


class FloatType(Scalar):
    """Accept a float or an int."""

    expected, label = "a number", "float"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, float | int) and not isinstance(value, bool)

    def converted(self, value: Any) -> float:
        """Return the checked form of an accepted value."""
        return float(value)

    def parse(self, text: str) -> float:
        """Return the value in a text."""
        try:
            return float(text)
        except ValueError:
            raise ValueError("doesn't hold a number") from None


class BoolType(Scalar):
    """Accept a bool."""

    expected, label = "true or false", "bool"
    words: ClassVar = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
        "": False,
    }

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, bool)

    def parse(self, text: str) -> bool:
        """Return the value in a text."""
        try:
            return self.words[text.strip().lower()]
        except KeyError:
            raise ValueError("doesn't hold true or false") from None


class SecretType(Scalar):
    """Accept a string that is never shown, plain or wrapped."""

    expected, label = "a string (kept secret)", "secret"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, str | bytes) or callable(getattr(value, "get_secret_value", None))

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        hidden, findings.hidden = findings.hidden, True
        try:
            return super().check(value, at, findings)
        finally:
            findings.hidden = hidden


class LiteralType(Scalar):
    """Accept one of some values."""

    def __init__(self, choices: Iterable[Any]) -> None:
        self.choices = tuple(choices)
        self.expected = "one of " + ", ".join(map(repr, self.choices))
        self.label = " | ".join(map(repr, self.choices))

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return any(type(value) is type(choice) and value == choice for choice in self.choices)

    def parse(self, text: str) -> Any:
        """Return the value in a text."""
        for choice in self.choices:
            if str(choice) == text:
                return choice
        raise ValueError(f"doesn't hold {self.expected}")


class EnumType(Scalar):
    """Accept the name of a member of a Python enum; its checked form is the member's value, as pydantic wants it."""

    def __init__(self, python_enum: type[enum.Enum]) -> None:
        self.python_enum = python_enum
        self.label = " | ".join(python_enum.__members__)
        self.expected = f"one of the names {', '.join(python_enum.__members__)}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, str) and value in self.python_enum.__members__

    def converted(self, value: Any) -> Any:
        """Return the checked form of an accepted value."""
        return self.python_enum[value].value

    def parse(self, text: str) -> Any:
        """Return the value in a text."""
        if not self.accepts(text):
            raise ValueError(f"doesn't hold {self.expected}")
        return self.converted(text)

    def dump(self, value: Any, *, given_only: bool = False) -> Any:  # noqa: ARG002 - for models
        """Return the written form."""
        if is_placeholder(value) or isinstance(value, FromEnv):
            return env_form(value)
        return next(
            (name for name, member in self.python_enum.__members__.items() if value in (member, member.value)), value
        )

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        plain = isinstance(value, str) and not isinstance(value, enum.Enum) and not is_placeholder(value)
        return self.python_enum[value] if plain and self.accepts(value) else value


class EnumValue:
    """Name one choice of a legacy :class:`Enum`, and the Python value that stands for it."""

    def __init__(self, config_value: str, python_value: Any = MISSING, description: str | None = None) -> None:
        self.config_value = config_value
        self.python_value = config_value if python_value is MISSING else python_value
        self.description = description


class Enum(Scalar):
    """Accept one of some names, each with a Python value (legacy schema; a ``Config`` takes Python's enums)."""

    def __init__(self, name: str, enum_values: Iterable[EnumValue]) -> None:
        self.name = name
        self.enum_values = list(enum_values)
        if not all(isinstance(value, EnumValue) for value in self.enum_values):
            raise DagsterInvalidConfigDefinitionError(
                f"the values of `{name}` must be EnumValue", hint='`EnumValue("A")`'
            )
        self.by_name = {value.config_value: value.python_value for value in self.enum_values}
        self.expected, self.label = f"one of {', '.join(self.by_name)}", " | ".join(self.by_name)

    @staticmethod
    def from_python_enum(python_enum: type[enum.Enum], name: str | None = None) -> Enum:
        """Return the type whose names and values are the members of a Python enum."""
        return Enum(name or python_enum.__name__, [EnumValue(member.name, member) for member in python_enum])

    @staticmethod
    def from_python_enum_direct_values(python_enum: type[enum.Enum], name: str | None = None) -> Enum:
        """Return the type whose names are the members' and whose values are the members' values."""
        return Enum(name or python_enum.__name__, [EnumValue(member.name, member.value) for member in python_enum])

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type."""
        return isinstance(value, str) and value in self.by_name

    def converted(self, value: Any) -> Any:
        """Return the checked form of an accepted value."""
        return self.by_name[value]

    def parse(self, text: str) -> Any:
        """Return the value in a text."""
        if text not in self.by_name:
            raise ValueError(f"doesn't hold {self.expected}")
        return self.by_name[text]


class Noneable(ConfigType):
    """Accept None or a value of another type."""

    def __init__(self, inner_type: Any) -> None:
        self.inner_type = config_type(inner_type)
        self.expected, self.label = f"{self.inner_type.expected} or None", f"{self.inner_type.label} | None"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        return None if value is None else self.inner_type.check(value, at, findings)

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        return None if value is None else self.inner_type.dump(value, given_only=given_only)

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        return None if value is None else self.inner_type.admit(value)

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return None if checked is None else self.inner_type.full(checked)

    def implicit(self) -> Any:
        """Return the written value that stands for one left out, or MISSING."""
        return None

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from [part_of(name, None)] if checked is None else self.inner_type.parts(checked, name)


class Array(ConfigType):
    """Accept a list whose items are of one type."""

    def __init__(self, inner_type: Any) -> None:
        self.inner_type = config_type(inner_type)
        self.expected, self.label = "a list", f"list[{self.inner_type.label}]"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if not isinstance(value, list | tuple):
            findings.mismatch(at, f"a list ({self.label})", value)
            return value
        return [self.inner_type.check(item, (*at, index), findings) for index, item in enumerate(value)]

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, list | tuple):
            return env_form(value)
        return [self.inner_type.dump(item, given_only=given_only) for item in value]

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        return [self.inner_type.admit(item) for item in value] if type(value) is list else value

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return [self.inner_type.full(item) for item in checked]

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from merged_parts(
            name, checked, self.inner_type, {f"{name}[{i}]": item for i, item in enumerate(checked)}
        )


class Map(ConfigType):
    """Accept a mapping whose keys are of one type and whose values are of another."""

    def __init__(self, key_type: Any, inner_type: Any, key_label_name: str | None = None) -> None:
        self.key_type, self.inner_type, self.key_label_name = (
            config_type(key_type),
            config_type(inner_type),
            key_label_name,
        )
        self.expected, self.label = "a mapping", f"dict[{self.key_type.label}, {self.inner_type.label}]"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if not isinstance(value, Mapping):
            findings.mismatch(at, f"a mapping ({self.label})", value)
            return value
        return {
            self.key_type.check(key, (*at, f"key {key!r}"), findings): self.inner_type.check(
                item, (*at, str(key)), findings
            )
            for key, item in value.items()
        }

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, Mapping):
            return env_form(value)
        return {
            self.key_type.dump(key): self.inner_type.dump(item, given_only=given_only) for key, item in value.items()
        }

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        if type(value) is not dict:
            return value
        return {self.key_type.admit(key): self.inner_type.admit(item) for key, item in value.items()}

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return {key: self.inner_type.full(item) for key, item in checked.items()}

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from merged_parts(
            name, checked, self.inner_type, {f"{name}.{key}": item for key, item in checked.items()}
        )


def merged_parts(name: str, checked: Any, kind: ConfigType, items: Mapping[str, Any]) -> Iterator[ConfigPart]:
    """Yield one entry for a container of plain values, else the entries of its items."""
    parts = [part for path, item in items.items() for part in kind.parts(item, path)]
    if [part[0] for part in parts] == list(items) and not any(map(masked, parts)):
        yield part_of(name, checked)
    else:
        yield from parts


def masked(part: ConfigPart) -> bool:
    """Tell whether an entry holds a name in the place of a value."""
    digestable = part[1]
    return isinstance(digestable, tuple) and len(digestable) == 2 and digestable[0] in (ENV, "secret")


class Shape(ConfigType):
    """Accept a mapping with certain fields and no others."""

    permissive: bool = False

    def __init__(
        self,
        fields: Mapping[str, Any],
        description: str | None = None,
        field_aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.fields: dict[str, Field] = {name: config_field(field) for name, field in fields.items()}
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
        self.fields: dict[str, Field] = {name: config_field(field) for name, field in fields.items()}
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
        return name, ({} if item is None else item)

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


class ScalarUnion(ConfigType):
    """Accept a plain value of one type, or anything of a type that isn't plain."""

    def __init__(self, scalar_type: Any, non_scalar_schema: Any) -> None:
        self.scalar_type, self.non_scalar_type = config_type(scalar_type), config_type(non_scalar_schema)
        self.expected = f"{self.scalar_type.expected} or {self.non_scalar_type.expected}"
        self.label = f"{self.scalar_type.label} | {self.non_scalar_type.label}"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        chosen = self.non_scalar_type if isinstance(value, Mapping | list) else self.scalar_type
        return chosen.check(value, at, findings)


class Field:
    """One field of a schema: its type, whether it must be given, and its default.

    Args:
        config: a Python type, a schema, or a dict of fields.
        default_value: the value of a field that is left out, in its written form.
        is_required: whether it must be given; by default, when neither a default nor an empty value stands for it.

    Raises:
        DagsterInvalidConfigDefinitionError: for what can't be a schema, and a default of a required field.
        DagsterInvalidConfigError: when the default doesn't fit the type.
    """

    def __init__(
        self,
        config: Any,
        default_value: Any = MISSING,
        is_required: bool | None = None,
        description: str | None = None,
        *,
        is_secret: bool = False,
    ) -> None:
        self.config_type = config_type(config)
        self.default = default_value
        self.description, self.is_secret = description, is_secret
        self.supplied = False  #: whether checking gives the default explicitly (else the user's class fills it in)
        if is_required and self.default_provided:
            raise DagsterInvalidConfigDefinitionError("a required field can't have a default")
        missing = not self.default_provided and self.config_type.implicit() is MISSING
        self.is_required = missing if is_required is None else is_required
        self.explicit = is_required is not None
        self.check_default()

    @property
    def default_provided(self) -> bool:
        """Tell whether the field has a default of its own."""
        return self.default is not MISSING

    @property
    def default_value(self) -> Any:
        """Return the default.

        Raises:
            DagsterInvalidConfigDefinitionError: when there is none.
        """
        if not self.default_provided:
            raise DagsterInvalidConfigDefinitionError("this field has no default")
        return self.default

    def check_default(self) -> None:
        """Refuse a default that doesn't fit the type."""
        if self.default_provided:
            findings = Findings()
            self.check(self.default, ("default_value",), findings)
            findings.raise_any("the default doesn't fit the field's type")

    def check(self, value: Any, at: Path = (), findings: Findings | None = None) -> Any:
        """Return the checked form of a written value; given fields are laid over the fields of the default.

        Raises:
            DagsterInvalidConfigError: when no ``findings`` are given to collect the problems.
        """
        found = Findings() if findings is None else findings
        hidden, found.hidden = found.hidden, found.hidden or self.is_secret
        try:
            checked = self.config_type.check(self.overlaid(value), at, found)
        finally:
            found.hidden = hidden
        if findings is None:
            found.raise_any("the config doesn't fit its schema")
        return checked

    def check_or_default(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form of a value that may be MISSING; None when nothing stands for it."""
        if value is MISSING and self.is_required and isinstance(self.config_type, Shape):
            value = {}  # each missing field is named
        if value is MISSING and self.is_required:
            findings.add(at, f"missing, {self.config_type.expected} is needed")
        elif value is MISSING:
            value = self.default if self.default_provided or self.explicit else self.config_type.implicit()
        return None if value is MISSING else self.check(value, at, findings)

    def overlaid(self, value: Any) -> Any:
        """Return the given mapping over the default's, when the type has fields."""
        inner = self.config_type.inner_type if isinstance(self.config_type, Noneable) else self.config_type
        return overlay(self.default, value) if isinstance(inner, Shape) and self.default_provided else value

    def filling(self) -> Any:
        """Return the checked form of a value left out, or MISSING when nothing stands for it."""
        written = self.default if self.default_provided or self.explicit else self.config_type.implicit()
        if written is MISSING or self.is_required:
            return MISSING
        return self.config_type.full(self.config_type.check(written, (), Findings()))

    def __repr__(self) -> str:
        default = f", default={short(self.default)}" if self.default_provided and not self.is_secret else ""
        return f"Field({self.config_type.label}{default}, is_required={self.is_required})"


def overlay(default: Any, value: Any) -> Any:
    """Return ``value`` with what only ``default`` has, mapping by mapping.

    >>> overlay({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}})
    {'a': 1, 'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(default, Mapping) or not isinstance(value, Mapping):
        return value
    return {**default, **{key: overlay(default.get(key), item) for key, item in value.items()}}


ANY: Final = AnyType()
StringSource: Final = StringType()
IntSource: Final = IntType()
BoolSource: Final = BoolType()
FLOAT: Final = FloatType()
SECRET: Final = SecretType()

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


def config_type(schema: Any) -> ConfigType:
    """Return the type that a schema's spelling means: ``int``, ``[str]``, ``{"limit": int}``, a ``Config`` class ...

    Raises:
        DagsterInvalidConfigDefinitionError: when it means none.
    """
    if isinstance(schema, ConfigType):
        return schema
    if isinstance(schema, Field):
        return schema.config_type
    if isinstance(schema, Mapping):
        return Shape(schema)
    if isinstance(schema, list) and len(schema) == 1:
        return Array(schema[0])
    of_class = getattr(schema, "__config_type__", None)
    if callable(of_class):
        return of_class()  # type: ignore[no-any-return]  # Config.__config_type__
    for spelling in (schema, getattr(schema, "unique_name", None)):
        if isinstance(spelling, type | str) or spelling is Any:
            plain = PLAIN.get(spelling)
            if plain is not None:
                return plain()
    raise DagsterInvalidConfigDefinitionError(
        f"`{schema!r}` can't be a config schema",
        hint="a type such as `int`, a list `[int]`, a dict of fields, or a class derived from `Config`",
    )


def config_field(schema: Any) -> Field:
    """Return the field that a schema's spelling means."""
    return schema if isinstance(schema, Field) else Field(schema)
