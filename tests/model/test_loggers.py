"""Definitions of loggers."""

from __future__ import annotations

import logging

import pytest

from ipy_orch.errors import CheckError, DagsterInvalidConfigError, DagsterInvalidInvocationError
from ipy_orch.model.config.schema import Field
from ipy_orch.model.loggers import InitLoggerContext, LoggerDefinition, build_init_logger_context, log_level


def named(context):
    """Return a logger of the name in its config."""
    return logging.Logger(context.logger_config["name"])  # noqa: LOG001 - a name is all that is looked at


NAMED = LoggerDefinition(named, {"name": Field(str, default_value="orders")})


@pytest.mark.parametrize(("config", "name"), [(None, "orders"), ({}, "orders"), ({"name": "prices"}, "prices")])
def test_a_call_by_hand(config, name):
    """The function gets the config with its defaults."""
    assert NAMED(build_init_logger_context(config)).name == name
    assert NAMED(context=build_init_logger_context(config)).name == name


def test_a_context_may_be_left_out():
    """None stands for a context without config."""
    assert NAMED(None).name == "orders"


def test_config_that_does_not_fit():
    """It is told with its path before the function is called."""
    with pytest.raises(DagsterInvalidConfigError, match=r"config\.name: expected a string"):
        NAMED(build_init_logger_context({"name": []}))


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((None, 5), {}), ((), {"other": None})])
def test_wrong_arguments(args, kwargs):
    """A logger takes its context alone."""
    with pytest.raises(DagsterInvalidInvocationError, match="takes its context alone, `context`"):
        NAMED(*args, **kwargs)
    with pytest.raises(CheckError):
        NAMED("context")


def test_config_given_beforehand():
    """It is constant, or made by a function of other config; what doesn't fit is refused."""
    assert NAMED.configured({"name": "prices"})(None).name == "prices"
    upper = NAMED.configured(lambda outer: {"name": outer.upper()}, config_schema=str)
    assert upper(build_init_logger_context("prices")).name == "PRICES"
    with pytest.raises(DagsterInvalidConfigError):
        NAMED.configured({"nam": 5})


def test_what_the_context_tells():
    """The function learns which definition it is of, and of which run and job."""
    seen = []
    definition = LoggerDefinition(lambda context: seen.append(context))
    definition.made(InitLoggerContext("anything", run_id="r1", job_def="job"))

    assert [(one.logger_def, one.logger_config, one.run_id, one.job_def) for one in seen] == [
        (definition, "anything", "r1", "job")
    ]


def test_levels():
    """Levels have names in any case, or numbers."""
    assert (log_level("warning"), log_level(4)) == (logging.WARNING, 4)
    with pytest.raises(CheckError, match="there is no log level `loud`"):
        log_level("loud")
