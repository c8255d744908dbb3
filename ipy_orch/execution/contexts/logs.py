"""What ``context.log`` is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from ipy_orch.errors import CheckError, closest
from ipy_orch.execution.capture import STEP, message_of, note

__all__ = ["StepLog", "no_log"]


class StepLog(logging.LoggerAdapter[logging.Logger]):
    """Log under the step's name; the engine turns records into events."""

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        super().__init__(logging.getLogger(STEP), {})
        self.emit = emit

    @property
    def level(self) -> int:
        """Return the level below which nothing is taken: there's none."""
        return logging.NOTSET

    def log(self, level: int | str, msg: object, *args: object, exc_info: Any = None, **_: Any) -> None:
        """Take a record of any level.

        Raises:
            CheckError: for a level that is none.
            TypeError: when the arguments don't fit.
        """
        name = named(level)
        text = written(msg, args, exc_info) if args or exc_info else str(msg)
        note(name, text)
        self.emit(name, text)

    fatal = logging.LoggerAdapter.critical

    def isEnabledFor(self, level: int) -> bool:  # noqa: ARG002, N802 - logging's name
        """Tell that every level is taken."""
        return True


def named(level: int | str) -> str:
    """Return the name of a level.

    Raises:
        CheckError: when there is none of that name.
    """
    if not isinstance(level, str):
        return logging.getLevelName(level)
    known = logging.getLevelNamesMapping()
    if (name := level.upper()) not in known:
        raise CheckError(f"there is no level `{level}`; hint: {closest(name, known) or 'info, warning, error'}")
    return name


def written(msg: object, args: tuple[object, ...], exc_info: Any) -> str:
    """Return a message with its arguments, and with the traceback of an error.

    Raises:
        TypeError: when the arguments don't fit.
    """
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif exc_info and not isinstance(exc_info, tuple):
        exc_info = sys.exc_info()
    record = logging.LogRecord(STEP, logging.INFO, "", 0, msg, args, exc_info)
    record.getMessage()
    return message_of(record)


def no_log(_level: str, _text: str) -> None:
    """Drop a log record."""
