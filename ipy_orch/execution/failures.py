"""What is told of an exception: the user's frames, none of ours."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ipy_orch.execution.isolation.sealing import explain

__all__ = ["Told", "add_hint", "describe"]

OURS: Final = str(Path(__file__).parents[1]) + os.sep


@dataclass(frozen=True, slots=True)
class Told:
    """Be an exception for people: one line, and the user's frames."""

    line: str
    traceback: str


def describe(error: BaseException) -> Told:
    """Return what to tell of an exception."""
    message = str(error).splitlines()
    line = f"{type(error).__name__}: {message[0]}" if message else type(error).__name__
    told = traceback.TracebackException(type(error), error, error.__traceback__)
    leave_out_ours(told)
    return Told(line, "".join(told.format()))


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


def leave_out_ours(told: traceback.TracebackException) -> None:
    """Take our frames out of what is told of an exception and of those that led to it, where there are any others."""
    others = [frame for frame in told.stack if not frame.filename.startswith(OURS)]
    if others:
        told.stack[:] = others
    for one in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if one is not None:
            leave_out_ours(one)
