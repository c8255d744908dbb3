"""What is told of a run that nothing watches: the records of its steps, and what failed or was skipped.

A session's runs have cells, a progress display and a history. Those of ``materialize`` and ``execute_in_process`` in a
script have standard error, as they have under Dagster; what a step prints appears there as it is printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ipy_orch.events.types import Event, StepFailed, StepRetrying, StepSkipped
from ipy_orch.execution.loggers import RunLoggers, open_loggers
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.model.console_loggers import default_loggers

__all__ = ["console_of", "telling"]

ALL: Final = {"console": {"config": {"log_level": "DEBUG"}}}


def console_of(run: RunInfo) -> RunLoggers:
    """Return the logger of a run for which nobody has chosen any."""
    return replace(open_loggers(default_loggers(), ALL, run), apart=True)


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
