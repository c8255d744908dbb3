"""The loggers of a run."""

from __future__ import annotations

import logging

import pytest

from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.execution.loggers import open_loggers
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.model.env import SECRETS
from ipy_orch.model.loggers import LoggerDefinition

RUN = RunInfo("r1", "nightly")


class Kept(logging.Handler):
    """Keep the records."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def keeping(kept, name="kept", level=logging.DEBUG):
    """Return the definition of a logger that keeps its records."""

    def made(context):
        found = logging.Logger(name, level)  # noqa: LOG001
        found.addHandler(kept)
        return found

    return LoggerDefinition(made)


def test_only_what_run_config_names_is_opened():
    """A logger gets each record with the names of job, run and step."""
    one, other = Kept(), Kept()
    loggers = open_loggers({"one": keeping(one), "other": keeping(other)}, {"one": {}}, RUN)
    loggers.take("load", "WARNING", "50 % of %s")
    loggers.take("load", "Level 3", "below all levels")

    (record,) = one.records
    assert (record.getMessage(), record.levelno) == ("nightly - r1 - load - 50 % of %s", logging.WARNING)
    assert (record.dagster_meta["step_key"], record.dagster_meta["orig_message"]) == ("load", "50 % of %s")
    assert other.records == []


def test_a_secret_is_taken_out():
    """What loggers write somewhere holds no secret."""
    SECRETS.add("hunter22xyz", "DB_PASSWORD")
    kept = Kept()
    open_loggers({"one": keeping(kept)}, {"one": None}, RUN).take("load", "INFO", "with hunter22xyz")

    assert kept.records[0].getMessage().endswith("with [DB_PASSWORD]")
    assert kept.records[0].dagster_meta["orig_message"] == "with [DB_PASSWORD]"


def test_what_a_logger_raises_is_logged(caplog):
    """The step that logs goes on, and the next logger gets the record."""

    class Broken(logging.Logger):
        def log(self, *args, **kwargs):
            raise OSError("no disk")

    kept = Kept()
    definitions = {"broken": LoggerDefinition(lambda context: Broken("broken")), "kept": keeping(kept)}
    open_loggers(definitions, {"broken": {}, "kept": {}}, RUN).take("load", "INFO", "hello")

    assert len(kept.records) == 1
    assert "logger `broken` raised OSError: no disk" in caplog.text


@pytest.mark.parametrize(
    ("config", "message"), [({"ons": {}}, "there is no logger `ons`"), ({"one": {"level": 5}}, "the entry is")]
)
def test_config_that_does_not_fit(config, message):
    """It is told before the run begins."""
    with pytest.raises(DagsterInvalidConfigError, match=message):
        open_loggers({"one": keeping(Kept())}, config, RUN)
