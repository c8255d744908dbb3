"""Config of one plain value: text, numbers, choices; each may be read from an environment variable."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from ipy_orch.errors import DagsterInvalidConfigDefinitionError
from ipy_orch.model.config.findings import MISSING, Findings, Path
from ipy_orch.model.config.types import ConfigType, env_form, variable_of
from ipy_orch.model.env import FromEnv, is_placeholder, parse_int

__all__ = [
    "FLOAT",
    "SECRET",
    "BoolSource",
    "Enum",
    "EnumType",
    "EnumValue",
    "IntSource",
    "LiteralType",
    "Scalar",
    "StringSource",
]


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


StringSource: Final = StringType()
IntSource: Final = IntType()
BoolSource: Final = BoolType()
FLOAT: Final = FloatType()
SECRET: Final = SecretType()
