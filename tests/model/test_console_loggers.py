"""The loggers that are there without being defined."""

from __future__ import annotations

import json
import logging

import pytest

from ipy_orch.model.console_loggers import (
    colored_console_logger,
    default_loggers,
    default_system_loggers,
    get_dagster_logger,
    json_console_logger,
)
from ipy_orch.model.loggers import build_init_logger_context


def test_lines(capsys):
    """Records from the level on are written to standard error, without colours where that's no terminal."""
    made = colored_console_logger(build_init_logger_context({"name": "prices", "log_level": "warning"}))
    made.info("no")
    made.warning("50 %")

    assert capsys.readouterr().err.endswith(" - prices - WARNING - 50 %\n")


def test_json(capsys):
    """A record is one line of JSON with all its attributes."""
    json_console_logger(None).info("hello", extra={"keys": {1}})

    record = json.loads(capsys.readouterr().err)
    assert (record["msg"], record["levelname"], record["name"], record["keys"]) == ("hello", "INFO", "ipy_orch", "{1}")


def test_two_runs_write_a_line_once(capsys):
    """A logger belongs to its run: a second one doesn't double the lines of the first."""
    colored_console_logger(None).info("first")
    colored_console_logger(None).info("second")

    assert len(capsys.readouterr().err.splitlines()) == 2


def test_defaults():
    """What Dagster offers by default is offered."""
    assert default_loggers() == {"console": colored_console_logger}
    ((definition, config),) = default_system_loggers()
    assert definition(build_init_logger_context(config)).level == logging.DEBUG


@pytest.mark.parametrize(("name", "full"), [(None, "ipy_orch.builtin"), ("a.b", "ipy_orch.builtin.a.b")])
def test_loggers_of_python(name, full):
    """They take every level, and one name is one logger."""
    found = get_dagster_logger(name)

    assert (found.name, found.level) == (full, logging.DEBUG)
    assert get_dagster_logger(name) is found
