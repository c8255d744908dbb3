"""The loggers that are there without being defined: records to standard error, coloured or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from ipy_orch.model.config.schema import Field
from ipy_orch.model.loggers import InitLoggerContext, LoggerDefinition, log_level

__all__ = [
    "BUILTIN",
    "JsonLogFormatter",
    "colored_console_logger",
    "default_loggers",
    "default_system_loggers",
    "get_dagster_logger",
    "json_console_logger",
]

ROOT: Final = "ipy_orch"
BUILTIN: Final = "ipy_orch.builtin"  #: what the loggers of :func:`get_dagster_logger` are below of
LINE: Final = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
COLORS: Final = {logging.DEBUG: "32", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
OWN: Final = {"name": Field(str, default_value=ROOT), "log_level": Field(str, default_value="INFO")}


class JsonLogFormatter(logging.Formatter):
    """Write a record as one line of JSON, with all its attributes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; what isn't JSON is written as its text."""
        return json.dumps(vars(record), default=str)


class ColoredFormatter(logging.Formatter):
    """Write a record as one line, in the colour of its level where a terminal shows it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line, color = super().format(record), COLORS.get(record.levelno)
        return f"\x1b[{color}m{line}\x1b[0m" if color and sys.stderr.isatty() else line


class ToStderr(logging.StreamHandler[TextIO]):
    """Write to what is standard error when a record comes: a notebook replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


def logging_to_stderr(context: InitLoggerContext, formatter: logging.Formatter) -> logging.Logger:
    """Return a new logger, apart from those that ``logging.getLogger`` knows."""
    name, level = context.logger_config["name"], log_level(context.logger_config["log_level"])
    made = logging.Logger(name, level)  # noqa: LOG001 - the run's own, so that the next run has one handler again
    handler = ToStderr()
    handler.setFormatter(formatter)
    made.addHandler(handler)
    return made


def colored_console(context: InitLoggerContext) -> logging.Logger:
    """Return a logger that writes lines."""
    return logging_to_stderr(context, ColoredFormatter(LINE))


def json_console(context: InitLoggerContext) -> logging.Logger:
    """Return a logger that writes JSON."""
    return logging_to_stderr(context, JsonLogFormatter())


colored_console_logger: Final = LoggerDefinition(colored_console, OWN, "Write records to standard error.")
json_console_logger: Final = LoggerDefinition(json_console, OWN, "Write records to standard error, as JSON.")


def default_loggers() -> Mapping[str, LoggerDefinition]:
    """Return the loggers that run config can name where a job has none of its own."""
    return {"console": colored_console_logger}


def default_system_loggers(instance: Any = None) -> Sequence[tuple[LoggerDefinition, Mapping[str, object]]]:  # noqa: ARG001
    """Return the loggers, each with config, that are opened where run config names none."""
    return [(colored_console_logger, {"name": ROOT, "log_level": "DEBUG"})]


def get_dagster_logger(name: str | None = None) -> logging.Logger:
    """Return a logger of Python whose records, at any level, become events of the step that runs.

    >>> get_dagster_logger("prices").name
    'ipy_orch.builtin.prices'
    """
    found = logging.getLogger(f"{BUILTIN}.{name}" if name else BUILTIN)
    found.setLevel(logging.DEBUG)
    return found


logging.getLogger(BUILTIN).setLevel(logging.DEBUG)  # in another process, a logger comes by its name, without its level
