"""What is told of an exception: the user's frames, none of ours."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from ipy_orch.execution.isolation import explain

__all__ = ["Told", "add_hint", "describe", "user_traceback"]

OURS: Final = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True)
class Told:
    """Be an exception for people: one line, and the user's frames."""

    line: str
    traceback: str


def describe(error: BaseException) -> Told:
    """Return what to tell of an exception."""
    message = str(error).splitlines()
    line = f"{type(error).__name__}: {message[0]}" if message else type(error).__name__
    frames = traceback.format_exception(type(error), error, user_traceback(error.__traceback__))
    return Told(line, "".join(frames))


def add_hint(error: BaseException) -> None:
    """Add what to type to an exception that follows from our keeping values apart, as a note that tracebacks show."""
    hint = explain(error)
    if hint is not None and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)


def user_traceback(tb: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame that isn't ours; all of it where there is none of the user's.

    >>> user_traceback(None)
    """
    first = tb
    while first is not None and first.tb_frame.f_code.co_filename.startswith(OURS):
        first = first.tb_next
    return first or tb
