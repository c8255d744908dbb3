"""Where a run tells what its steps log, for which nobody has chosen loggers.

A session's runs have cells: what a step logs stands among what it prints. Those of ``materialize`` and
``execute_in_process`` in a script have standard error, as they have under Dagster; what failed or was skipped is told
there, too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ipy_orch.events.chunks import Chunk
from ipy_orch.events.types import Event, StepFailed, StepRetrying, StepSkipped
from ipy_orch.execution.capture import STEP, capture, current_sink
from ipy_orch.execution.loggers import META, RunLoggers, number_of, open_loggers
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.model.console_loggers import BUILTIN, default_loggers
from ipy_orch.model.env import redact

__all__ = ["cell_of", "console_of", "stream_of", "telling", "text_of"]

ALL: Final = {"console": {"config": {"log_level": "DEBUG"}}}


def console_of(run: RunInfo) -> RunLoggers:
    """Return the logger of a run for which nobody has chosen any."""
    return replace(open_loggers(default_loggers(), ALL, run), apart=True)


class Live(logging.Handler):
    """Print the records of a step whose output appears live, in the cell that runs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        sink = current_sink()
        if sink is not None and sink.tee:
            with capture(None):
                sys.stdout.write(line_of(record.levelname, getattr(record, META)["orig_message"]))


def line_of(level: str, text: str) -> str:
    """Return the line of a record."""
    return f"{level} {text}\n"


def text_of(chunk: Chunk) -> str:
    """Return what is shown as text of an output; of a display nothing."""
    match chunk.kind:
        case "stdout" | "stderr":
            return chunk.text
        case "warning":
            return f"{(chunk.data or {}).get('category', 'Warning')}: {chunk.text}\n"
        case "log":
            return line_in(chunk)
        case _:
            return ""


def stream_of(chunk: Chunk) -> str:
    """Return to which stream that goes: ``stdout`` or ``stderr``."""
    return "stderr" if chunk.kind in ("stderr", "warning") else "stdout"


def line_in(chunk: Chunk) -> str:
    """Return the line that is shown of a record: of ``context.log`` and our loggers, from INFO on.

    Of other records, whatever a handler printed is text.
    """
    about = chunk.data or {}
    shown = about.get("logger", "").startswith((STEP, BUILTIN)) and number_of(about.get("level", "")) >= logging.INFO
    return line_of(about["level"], redact(chunk.text)) if shown else ""


def cell_of(run: RunInfo) -> RunLoggers:
    """Return the logger of a run in a notebook: what steps log, from INFO on, is in the outputs of their cells."""
    logger = logging.Logger("ipy_orch", logging.INFO)  # noqa: LOG001 - the run's own
    logger.addHandler(Live())
    return RunLoggers(run, [logger])


def telling(console: RunLoggers) -> Callable[[Event], None]:
    """Return a listener that logs what went wrong, for a caller who isn't told by an exception."""

    def hear(event: Event) -> None:
        match event:
            case StepRetrying():
                console.take(event.step, "WARNING", f"Attempt {event.attempt} failed: {event.error}")
            case StepFailed():
                console.take(event.step, "ERROR", f"Execution of step {event.step} failed: {event.error}")
            case StepSkipped() if event.culprit:
                told = f"Dependencies for step {event.step} failed: {event.culprit}. Not executing."
                console.take(event.step, "ERROR", told)
            case _:
                pass

    return hear
