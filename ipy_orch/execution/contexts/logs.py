"""What ``context.log`` is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ipy_orch.execution.capture import STEP, note

__all__ = ["StepLog", "no_log"]


class StepLog(logging.LoggerAdapter[logging.Logger]):
    """Log under the step's name; the engine turns records into events."""

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        super().__init__(logging.getLogger(STEP), {})
        self.emit = emit

    def log(self, level: int | str, msg: object, *args: object, **_: Any) -> None:
        """Take a record of any level."""
        name = level.upper() if isinstance(level, str) else logging.getLevelName(level)
        text = str(msg) % args if args else str(msg)
        note(name, text)
        self.emit(name, text)

    def isEnabledFor(self, level: int) -> bool:  # noqa: ARG002, N802 - logging's name
        """Tell that every level is taken."""
        return True


def no_log(_level: str, _text: str) -> None:
    """Drop a log record."""
