"""What every message has, and how large what comes from a view may be."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "MOST_CONFIG",
    "MOST_IDS",
    "MOST_ROWS",
    "Answer",
    "Asked",
    "Name",
    "Names",
    "Scalar",
    "Text",
    "Wire",
    "Yaml",
]

MOST_IDS: Final = 20_000
MOST_ROWS: Final = 1_000
MOST_CONFIG: Final = 200_000  # characters of YAML

Scalar: TypeAlias = bool | int | float | str | None

Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Names = Annotated[list[Name], Field(max_length=MOST_IDS)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Yaml = Annotated[str, StringConstraints(max_length=MOST_CONFIG)]


class Wire(BaseModel):
    """Be a value on the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(Wire):
    """Be what the kernel sends; ``request`` is the number that the command had which it answers, else 0."""

    request: int = 0


class Asked(Wire):
    """Be what a view sends; an answer to it repeats the number.

    Two views of one widget hear each other's answers: each begins at a number taken by chance.
    """

    request: int = Field(default=0, ge=0, lt=2**53)
