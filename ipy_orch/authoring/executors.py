"""``@executor``: a function that makes an executor becomes a definition."""

from __future__ import annotations

import functools
from typing import Any

from ipy_orch.model.executors import Create, ExecutorDefinition, Requirements

__all__ = ["executor"]


def executor(
    name: Create | str | None = None, config_schema: Any = None, requirements: Requirements | None = None
) -> Any:
    """Make an executor's definition of a function of an InitExecutorContext.

    Args:
        name: by default the function's; the function, when the decorator is used without arguments.
        config_schema: of ``execution.config`` in run config.
        requirements: what it needs, or a function of its config that says so.

    Returns:
        An ExecutorDefinition, or a decorator that makes one.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> @executor(config_schema={"threads": int})
        ... def threads(context):
        ...     return ThreadPoolExecutor(context.executor_config["threads"])
        >>> threads.name
        'threads'
    """
    if callable(name):
        return defined(name, None, config_schema, requirements)
    return lambda function: defined(function, name, config_schema, requirements)


def defined(
    function: Create, name: str | None, config_schema: Any, requirements: Requirements | None
) -> ExecutorDefinition:
    """Return the definition, documented as its function is."""
    label: str = getattr(function, "__name__", "executor")
    made = ExecutorDefinition(name or label, config_schema, requirements, function, function.__doc__)
    for attribute in functools.WRAPPER_ASSIGNMENTS:
        if hasattr(function, attribute):
            object.__setattr__(made, attribute, getattr(function, attribute))
    return made
