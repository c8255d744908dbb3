"""What is wrong in config: every problem of one check, each with its path."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final, TypeAlias

from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.model.env import redact

__all__ = ["MISSING", "Findings", "Missing", "Path", "Problem", "dotted", "short", "shown"]


Path: TypeAlias = tuple[str | int, ...]
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

    @property
    def message(self) -> str:
        """Return the whole line."""
        return str(self)

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

    def raise_any(self, what: str, where: str = "") -> None:
        """Raise when there are problems.

        Raises:
            DagsterInvalidConfigError: with one line per problem.
        """
        if self.problems:
            lines = redact("\n".join(f"  - {problem}" for problem in self.problems))  # one may repeat another's secret
            raise DagsterInvalidConfigError(f"{what}\n{lines}", where=where, errors=self.problems)


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
