"""The loggers of a run: they get each record of ``context.log``, beside the events."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import DagsterInvalidConfigError, closest
from ipy_orch.execution.capture import capture, unrecorded
from ipy_orch.execution.contexts.logs import StepLog
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.model.env import redact
from ipy_orch.model.loggers import InitLoggerContext, LoggerDefinition

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition

__all__ = ["DagsterLogManager", "RunLoggers", "number_of", "open_loggers"]

LOG: Final = logging.getLogger("ipy_orch")
META: Final = "dagster_meta"  #: the attribute of records where tools for Dagster look

DagsterLogManager = StepLog  #: Dagster's name of ``context.log``, for annotations


@dataclass(frozen=True, eq=False)
class RunLoggers:
    """Hand records of steps to loggers of Python.

    Args:
        apart: what they write to the standard streams is no output of the step.
    """

    run: RunInfo
    loggers: Sequence[logging.Logger] = field(default=())
    apart: bool = False

    def take(self, step: str, level: str, text: str) -> None:
        """Log a record of a step, without the value of any secret.

        What a logger raises is logged, not raised: a step doesn't fail because of one.
        """
        if not self.loggers:
            return
        told = redact(text)
        said = {"run_id": self.run.run_id, "job_name": self.run.job_name, "step_key": step, "orig_message": told}
        line = " - ".join(part for part in (self.run.job_name, self.run.run_id, step, told) if part)
        with capture(None) if self.apart else unrecorded():
            for one in self.loggers:
                try:
                    one.log(number_of(level), line, extra={META: said})
                except Exception as error:
                    LOG.warning("logger `%s` raised %s: %s", one.name, type(error).__name__, redact(str(error)))


def number_of(level: str) -> int:
    """Return the number of a level's name as StepLog gives it: ``INFO``, or ``Level 3`` for one without a name."""
    known = logging.getLevelNamesMapping()
    number = level.removeprefix("Level ")
    return known.get(level) or (int(number) if number.isdigit() else logging.INFO)


def open_loggers(
    definitions: Mapping[str, LoggerDefinition],
    config: Mapping[str, Any],
    run: RunInfo,
    job: JobDefinition | None = None,
) -> RunLoggers:
    """Return the loggers that run config names, made for a run, in the order of their definitions.

    Args:
        definitions: the job's, by name.
        config: the ``loggers`` part of run config, ``{name: {"config": ...}}``.

    Raises:
        DagsterInvalidConfigError: for an unknown name or field, or config that doesn't fit.
        Exception: what the function that makes a logger raises.
    """
    for name in config:
        if name not in definitions:
            hint = closest(name, definitions) or f"known: {', '.join(definitions) or 'none'}"
            raise DagsterInvalidConfigError(f"there is no logger `{name}`", where=f"loggers.{name}", hint=hint)
    made = [opened(name, one, config[name], run, job) for name, one in definitions.items() if name in config]
    return RunLoggers(run, made)


def opened(
    name: str, definition: LoggerDefinition, entry: Any, run: RunInfo, job: JobDefinition | None
) -> logging.Logger:
    """Return one logger.

    Raises:
        DagsterInvalidConfigError: when its entry in run config isn't ``{"config": ...}``, or doesn't fit.
    """
    given = entry or {}
    if not isinstance(given, Mapping) or set(given) - {"config"}:
        raise DagsterInvalidConfigError(f"the entry is `{{'config': ...}}`, not {entry!r}", where=f"loggers.{name}")
    return definition.made(InitLoggerContext(given.get("config"), job_def=job, run_id=run.run_id))
