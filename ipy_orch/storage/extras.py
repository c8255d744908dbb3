"""Libraries that not everybody has: imported when they're needed, with the way to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError

__all__ = ["needed"]


def needed(module: str, who: str, extra: str = "") -> Any:
    """Return a module that is installed only where somebody chose to.

    Args:
        who: what needs it, for the message.
        extra: the extra of ipy-orch that brings it, if one does.

    Raises:
        DagsterInvariantViolationError: when it isn't installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = f"'ipy-orch[{extra}]'" if extra else module
        raise DagsterInvariantViolationError(
            f"{who} needs `{module}`, which can't be imported: {error}", hint=f"pip install {package}"
        ) from error
