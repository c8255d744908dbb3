"""What is told of an exception: the user's frames, none of ours."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from ipy_orch.execution.isolation.sealing import explain

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


def add_hint(error: BaseException, several: Mapping[str, int]) -> None:
    """Add what to type to an exception that follows from how inputs are given, as a note that tracebacks show.

    Args:
        several: the inputs that are partitions by key, and how many.
    """
    hint = explain(error) or of_partitions(error, several)
    if hint is not None and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)


def of_partitions(error: BaseException, several: Mapping[str, int]) -> str | None:
    """Return a hint when a body took partitions by key for one table, else None.

    >>> of_partitions(AttributeError("'dict' object has no attribute 'groupby'"), {"days": 7})
    'hint: `days` is a dict of 7 partitions by their keys; tables are put together by `pd.concat(days.values())`'
    """
    is_it = isinstance(error, KeyError) or (isinstance(error, AttributeError | TypeError) and "dict" in str(error))
    if not is_it or not several:
        return None
    name, many = next(iter(several.items()))
    return (
        f"hint: `{name}` is a dict of {many:,} partitions by their keys;"
        f" tables are put together by `pd.concat({name}.values())`"
    )


def user_traceback(tb: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame that isn't ours; all of it where there is none of the user's.

    >>> user_traceback(None)
    """
    first = tb
    while first is not None and first.tb_frame.f_code.co_filename.startswith(OURS):
        first = first.tb_next
    return first or tb
