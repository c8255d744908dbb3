"""The decorator that makes loggers."""

from __future__ import annotations

import logging

import pytest

from ipy_orch.authoring.loggers import logger
from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.model.config.schema import Field
from ipy_orch.model.loggers import build_init_logger_context


def test_without_arguments():
    """The definition is documented as its function is, and takes any config."""

    @logger
    def plain(context):
        """Log it."""
        return logging.Logger(context.logger_config or "none")  # noqa: LOG001

    assert (plain.description, plain.__name__) == ("Log it.", "plain")
    assert [plain(None).name, plain(build_init_logger_context("x")).name] == ["none", "x"]


@pytest.mark.parametrize("schema", [int, Field(int), Field(int, default_value=3)])
def test_with_a_schema(schema):
    """A type and a Field are schemas, not functions."""

    @logger(schema, description="by number")
    def numbered(context):
        return logging.Logger("n", context.logger_config)  # noqa: LOG001

    assert numbered.description == "by number"
    assert numbered(build_init_logger_context(7)).level == 7
    with pytest.raises(DagsterInvalidConfigError):
        numbered(build_init_logger_context("x"))
