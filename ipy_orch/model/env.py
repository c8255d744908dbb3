"""Environment variables as config values, and the secrets that must be shown nowhere.

An :class:`EnvVar` is a placeholder: it names a variable and is replaced by its value when a run needs it. Every value
so resolved, and every value of a secret field, is told to :data:`SECRETS`; :func:`redact` takes them out of any text.
"""

from __future__ import annotations

import builtins
import copy
import dataclasses
import html
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias, TypeGuard, overload
from urllib.parse import quote, quote_plus, unquote

from ipy_orch.errors import DagsterInvalidConfigError

__all__ = [
    "SECRETS",
    "EnvVar",
    "FromEnv",
    "IntEnvVar",
    "Placeholder",
    "Secrets",
    "holds_placeholder",
    "is_placeholder",
    "redact",
    "redact_all",
]

SHORTEST: Final = 4  #: characters; a shorter value would blacken ordinary text
LONG_LINE: Final = 8  #: characters of one line of a secret of several lines, such as a PEM key
LEAST_REST: Final = 6  #: characters of a secret that something cut off, beside an ellipsis
PASSWORD: Final = 6  #: characters of a password within a secret; of a shorter one it may be the name of the user, too
WITHIN: Final = re.compile(r"(?i)://[^:/?#\s]*:([^/?#\s]+)@|\b(?:password|pwd)=['\"]?([^&;\s'\"]+)")
ELLIPSIS: Final = re.compile(r"\.\.\.|…")
HARMLESS: Final = frozenset({"true", "false", "none", "null"})


class EnvVar(str):
    """Name an environment variable whose value a config field takes when a run starts.

    It is a ``str`` so that it can stand where a string field is declared; its text is the variable's name, never
    the value.

    >>> EnvVar("WAREHOUSE_PASSWORD")
    EnvVar("WAREHOUSE_PASSWORD")
    """

    __slots__ = ()

    @property
    def env_var_name(self) -> str:
        """Return the name of the variable."""
        return str.__str__(self)

    def get_value(self, default: str | None = None) -> str | None:
        """Return the value of the variable now, ``default`` when it isn't set."""
        return read_variable(self.env_var_name, default)

    def __repr__(self) -> str:
        return f'EnvVar("{self.env_var_name}")'

    def __str__(self) -> str:
        raise unread(self)

    def __reduce__(self) -> tuple[type[EnvVar], tuple[str]]:
        return (EnvVar, (self.env_var_name,))

    @classmethod
    def int(cls, name: str) -> IntEnvVar:
        """Name a variable that holds an integer."""
        return IntEnvVar(name)


class IntEnvVar(builtins.int):
    """Be what :meth:`EnvVar.int` returns: the name of a variable that stands where an ``int`` field is declared."""

    env_var_name: str

    def __new__(cls, name: str) -> Self:
        """Return the placeholder; as a number it is 0."""
        placeholder = super().__new__(cls, 0)
        placeholder.env_var_name = name
        return placeholder

    @property
    def name(self) -> str:
        """Return the name of the variable."""
        return self.env_var_name

    def get_value(self, default: builtins.int | None = None) -> builtins.int | None:
        """Return the integer in the variable now, ``default`` when it isn't set.

        Raises:
            ValueError: when the variable holds something else; the message names the variable only.
        """
        text = read_variable(self.env_var_name, None)
        return default if text is None else parse_int(text)

    def __repr__(self) -> str:
        return f'EnvVar.int("{self.env_var_name}")'

    def __str__(self) -> str:
        raise unread(self)

    def __int__(self) -> builtins.int:
        raise unread(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntEnvVar) and self.env_var_name == other.env_var_name

    def __ne__(self, other: object) -> bool:  # int has one of its own
        return not self == other

    def __hash__(self) -> builtins.int:
        return hash((IntEnvVar, self.env_var_name))

    def __reduce__(self) -> tuple[type[IntEnvVar], tuple[str]]:
        return (IntEnvVar, (self.env_var_name,))


Placeholder: TypeAlias = EnvVar | IntEnvVar


def is_placeholder(value: object) -> TypeGuard[Placeholder]:
    """Tell whether ``value`` stands for an environment variable."""
    return isinstance(value, EnvVar | IntEnvVar)


def holds_placeholder(value: object) -> bool:
    """Tell whether ``value``, or something in its lists, mappings and models, stands for an environment variable.

    >>> holds_placeholder({"hosts": [EnvVar("HOST")]})
    True
    """
    return is_placeholder(value) or isinstance(value, FromEnv) or any(map(holds_placeholder, members(value)))


def members(value: object) -> Iterable[object]:
    """Return what a container or a model holds directly."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    fields = getattr(type(value), "model_fields", None)
    return [getattr(value, name, None) for name in fields] if isinstance(fields, Mapping) else ()


def read_variable(name: str, default: str | None) -> str | None:
    """Return the variable's value, which is a secret from now on."""
    value = os.environ.get(name)
    if value is None:
        return default
    SECRETS.add(value, name)
    return value


def parse_int(text: str) -> int:
    """Return the integer in ``text``; the message of the ValueError doesn't show ``text``."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("doesn't hold an integer") from None


def unread(placeholder: Placeholder) -> RuntimeError:
    """Return the error for a placeholder used as the text or number it stands for."""
    shown = repr(placeholder)
    return RuntimeError(
        f"{shown} stands for a value that is read when a run starts, so it has no text of its own"
        f"\n  hint: pass it to a config or resource as it is, or read it now by `{shown}.get_value()`"
    )


@dataclass(frozen=True)
class FromEnv:
    """Be a placeholder in run config that was checked: the variable's name, and how its text becomes a value."""

    name: str
    parse: Callable[[str], Any] = str

    def value(self) -> Any:
        """Return the value.

        Raises:
            DagsterInvalidConfigError: when the variable isn't set or holds something of another type.
        """
        text = read_variable(self.name, None)
        if text is None:
            raise DagsterInvalidConfigError(
                f"the environment variable `{self.name}` isn't set", hint=f'`os.environ["{self.name}"] = ...`'
            )
        try:
            return self.parse(text)
        except ValueError as error:
            raise DagsterInvalidConfigError(f"the environment variable `{self.name}` {error}") from None

    def __repr__(self) -> str:
        return f'EnvVar("{self.name}")'


class Secrets:
    """Collect values that must not be shown, and take them out of texts.

    A value is found in its plain form and as a URL, JSON, Python's ``repr`` or HTML would write it, and so is every
    line of 8 characters or more of a value of several lines. The longest is replaced first. Values shorter than 4
    characters and the words true, false, none and null aren't replaced: every text is full of them. A value of digits
    only is replaced where it isn't part of a longer number. Where a repr or a table has cut a value short, what is left
    of it beside the ellipsis is replaced. Of a URL or a connection string, the password is a secret by itself.

    >>> secrets = Secrets()
    >>> secrets.add("hunter22", "DB_PASSWORD")
    >>> secrets.redact("postgresql://me:hunter22@host/db")
    'postgresql://me:[DB_PASSWORD]@host/db'
    """

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.pattern: re.Pattern[str] | None = None
        self.lock = threading.Lock()

    def add(self, value: object, name: str | None = None) -> None:
        """Remember a value: of the environment variable ``name``, or of a secret field when None.

        Objects that wrap a secret (pydantic's ``SecretStr`` and ``SecretBytes``) are opened, containers are searched.
        """
        label = f"[{name or 'secret'}]"
        found = [part for text in texts(value) for part in (text, *passwords(text))]
        new = {spelling: label for text in found for spelling in spellings(text)}
        with self.lock:
            if all(self.labels.get(spelling) for spelling in new):
                return
            self.labels = {**new, **self.labels}
            self.pattern = alternation(self.labels)

    def learn(self, labels: Mapping[str, str]) -> None:
        """Remember values that another process has read, spelling -> what stands in its place."""
        with self.lock:
            if labels.keys() <= self.labels.keys():
                return
            self.labels = {**labels, **self.labels}
            self.pattern = alternation(self.labels)

    @overload
    def redact(self, text: str) -> str: ...

    @overload
    def redact(self, text: None) -> None: ...

    def redact(self, text: str | None) -> str | None:
        """Return ``text`` with ``[NAME]`` or ``[secret]`` in the place of each value."""
        if not text or self.pattern is None:
            return text
        labels = self.labels
        clean = self.pattern.sub(lambda found: labels.get(found.group(), "[secret]"), text)
        return without_rests(clean, labels) if ELLIPSIS.search(clean) else clean

    def redact_all(self, value: Any) -> Any:
        """Return data, or a dataclass of it such as a metadata value, with every string in it redacted."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact_all(key): self.redact_all(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.redact_all(item) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            held = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
            clean = {name: self.redact_all(item) for name, item in held.items()}
            return value if clean == held else with_fields(value, clean)
        return value


def with_fields(value: Any, fields: Mapping[str, Any]) -> Any:
    """Return a copy of a dataclass with other fields; its ``__init__`` may take other arguments than its fields."""
    made = copy.copy(value)
    for name, item in fields.items():
        object.__setattr__(made, name, item)
    return made


SECRETS: Final = Secrets()  #: of this process


def redact(text: str) -> str:
    """Return ``text`` without the value of any environment variable or secret field that this process has resolved."""
    return SECRETS.redact(text)


def redact_all(value: Any) -> Any:
    """Return data, such as the metadata of a step, with every string in it redacted."""
    return SECRETS.redact_all(value)


def texts(value: object) -> Iterator[str]:
    """Yield the strings in a secret value that are long enough to be replaced."""
    reveal = getattr(value, "get_secret_value", None)
    if callable(reveal):
        yield from texts(reveal())
    elif isinstance(value, bytes):
        yield from texts(value.decode(errors="replace"))
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and not is_placeholder(value):
        text = str(value).strip()
        if len(text) >= SHORTEST and text.lower() not in HARMLESS:
            yield text
    elif not is_placeholder(value):
        for member in members(value):
            yield from texts(member)


def passwords(text: str) -> Iterator[str]:
    """Yield the passwords in a URL or a connection string, as they stand there and as a library reads them.

    >>> list(passwords("postgresql://me:correct%20horse@host/db"))
    ['correct%20horse', 'correct horse']
    """
    for found in WITHIN.finditer(text):
        password = found[1] or found[2]
        yield from (one for one in dict.fromkeys((password, unquote(password))) if len(one) >= PASSWORD)


def spellings(text: str) -> Iterator[str]:
    """Yield ``text`` as it may be written: plain, in a URL, in JSON, by ``repr``, in HTML, and its lines."""
    yield text
    yield quote(text, safe="")
    yield quote(text)
    yield quote_plus(text)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)
    if "\n" in text:
        yield from (line.strip() for line in text.splitlines() if len(line.strip()) >= LONG_LINE)


def without_rests(text: str, labels: Mapping[str, str]) -> str:
    """Return a text without the beginnings and the ends of secrets that stand beside an ellipsis.

    >>> without_rests("postgresql://me:correct-hor...", {"correct-horse-battery": "[PASSWORD]"})
    'postgresql://me:[PASSWORD]...'
    """
    long = [one for one in sorted(labels, key=len, reverse=True) if len(one) > LEAST_REST]
    pieces: list[str] = []
    dots = ""
    for piece, after in zip(ELLIPSIS.split(text), [*ELLIPSIS.findall(text), ""], strict=True):
        kept = without_end(piece, long, labels) if dots else piece
        pieces.append((without_beginning(kept, long, labels) if after else kept) + after)
        dots = after
    return "".join(pieces)


def without_beginning(piece: str, secrets: Iterable[str], labels: Mapping[str, str]) -> str:
    """Return what stands before an ellipsis without the beginning of a secret at its end."""
    for secret in secrets:
        head, start = secret[:LEAST_REST], max(0, len(piece) - len(secret))
        while (start := piece.find(head, start)) >= 0:
            if secret.startswith(piece[start:]):
                return piece[:start] + labels[secret]
            start += 1
    return piece


def without_end(piece: str, secrets: Iterable[str], labels: Mapping[str, str]) -> str:
    """Return what stands behind an ellipsis without the end of a secret at its beginning."""
    for secret in secrets:
        tail, stop = secret[-LEAST_REST:], len(secret)
        while (at := piece.rfind(tail, 0, stop)) >= 0:
            if secret.endswith(piece[: at + LEAST_REST]):
                return labels[secret] + piece[at + LEAST_REST :]
            stop = at + LEAST_REST - 1
    return piece


def alternation(labels: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern that finds any of the texts, the longest first."""
    longest_first = sorted(labels, key=len, reverse=True)
    return re.compile(
        "|".join(rf"(?<!\d){text}(?!\d)" if text.isdigit() else re.escape(text) for text in longest_first)
    )
