"""Loggers of a job: where else the records of ``context.log`` go, beside the events of the run.

A run opens those that its config names under ``loggers``; it needs none.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import CheckError, DagsterInvalidInvocationError
from ipy_orch.model.config.schema import Field
from ipy_orch.model.config.settings import configured_schema, schema_of, settings
from ipy_orch.model.ops import set_all

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition

__all__ = ["InitLoggerContext", "LoggerDefinition", "build_init_logger_context", "log_level"]


@dataclass(frozen=True, eq=False)
class InitLoggerContext:
    """Tell the function that makes a logger about its config and the run.

    Args:
        logger_config: plain data, defaults filled in.
        job_def: the job that runs, where it is one's.
    """

    logger_config: Any = None
    logger_def: LoggerDefinition | None = None
    job_def: JobDefinition | None = None
    run_id: str | None = None


@dataclass(frozen=True, eq=False, init=False)
class LoggerDefinition:
    """Be a function that makes a ``logging.Logger`` for a run.

    Args:
        logger_fn: takes the InitLoggerContext.
        config_schema: of ``loggers.<name>.config`` in run config; anything, where there's none.

    Raises:
        CheckError: when ``logger_fn`` can't be called.
    """

    logger_fn: Callable[[InitLoggerContext], logging.Logger]
    config_schema: Field
    description: str | None

    def __init__(
        self,
        logger_fn: Callable[[InitLoggerContext], logging.Logger],
        config_schema: Any = None,
        description: str | None = None,
    ) -> None:
        if not callable(logger_fn):
            raise CheckError(f"`logger_fn` is a function, not {logger_fn!r}")
        set_all(self, (logger_fn, schema_of(config_schema), description))

    @property
    def label(self) -> str:
        """Return what messages call it."""
        return f"logger `{getattr(self.logger_fn, '__name__', 'logger')}`"

    def configured(
        self, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> LoggerDefinition:
        """Return the same logger with its config given, or made by a function of other config."""
        schema = configured_schema(self.config_schema, config_or_config_fn, config_schema, self.label)
        return LoggerDefinition(self.logger_fn, schema, description or self.description)

    def made(self, context: InitLoggerContext) -> logging.Logger:
        """Return the logger for a context whose config is as a person wrote it.

        Raises:
            DagsterInvalidConfigError: when the config doesn't fit.
        """
        config = settings(self.config_schema, context.logger_config, self.label)
        return self.logger_fn(replace(context, logger_config=config, logger_def=self))

    def __call__(self, *args: Any, **kwargs: Any) -> logging.Logger:
        """Return the logger for a context made by :func:`build_init_logger_context`, or None.

        Raises:
            DagsterInvalidInvocationError: for any other arguments.
            DagsterInvalidConfigError: when the context's config doesn't fit.
        """
        name = next(iter(inspect.signature(self.logger_fn).parameters), "context")
        if len(args) + len(kwargs) != 1 or (kwargs and name not in kwargs):
            raise DagsterInvalidInvocationError(
                f"{self.label} takes its context alone, `{name}`", hint="`build_init_logger_context()`, or None"
            )
        context = args[0] if args else kwargs[name]
        if context is not None and not isinstance(context, InitLoggerContext):
            raise CheckError(f"the context of {self.label} is from `build_init_logger_context`, not {context!r}")
        return self.made(context or InitLoggerContext())


def build_init_logger_context(logger_config: Any = None, job_def: JobDefinition | None = None) -> InitLoggerContext:
    """Return a context to call a logger's definition with in a test.

    >>> build_init_logger_context({"level": 10}).logger_config
    {'level': 10}
    """
    return InitLoggerContext(logger_config, job_def=job_def)


def log_level(level: str | int) -> int:
    """Return the number of a level of logging.

    Raises:
        CheckError: for a name that logging doesn't know.

    >>> log_level("info"), log_level(4)
    (20, 4)
    """
    known = logging.getLevelNamesMapping()
    number = level if isinstance(level, int) else known.get(level.upper())
    if number is None:
        raise CheckError(f"there is no log level `{level}`: it is one of {', '.join(known)}")
    return number
