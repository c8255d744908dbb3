"""``@logger``: a function that makes a ``logging.Logger`` becomes a definition."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ipy_orch.model.loggers import LoggerDefinition
from ipy_orch.model.resources.resource import is_schema_class

__all__ = ["logger"]

Function = Callable[..., Any]


def logger(config_schema: Any = None, description: str | None = None) -> Any:
    """Make a logger's definition of a function of an InitLoggerContext.

    Args:
        config_schema: of the logger's config; the function, when the decorator is used without arguments.

    Returns:
        A LoggerDefinition, or a decorator that makes one.

    Example:
        >>> import logging
        >>> @logger({"name": str})
        ... def by_name(context):
        ...     return logging.Logger(context.logger_config["name"])
        >>> by_name.configured({"name": "prices"})(None).name
        'prices'
    """
    if is_function(config_schema):
        return defined(config_schema)
    return lambda function: defined(function, config_schema, description)


def is_function(given: Any) -> bool:
    """Tell whether a decorator's first argument is what it decorates, and not a schema."""
    return callable(given) and not is_schema_class(given) and not hasattr(given, "check")


def defined(function: Function, config_schema: Any = None, description: str | None = None) -> LoggerDefinition:
    """Return the definition, documented as its function is."""
    made = LoggerDefinition(function, config_schema, description or function.__doc__)
    for attribute in functools.WRAPPER_ASSIGNMENTS:
        if hasattr(function, attribute):
            object.__setattr__(made, attribute, getattr(function, attribute))
    return made
