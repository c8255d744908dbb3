"""Functions of a defs folder: those that return definitions, and those that return a component."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.repository import RepositoryDefinition

if TYPE_CHECKING:
    from ipy_orch.authoring.components.component import Component

__all__ = ["called", "component_instance", "definitions", "is_component_instance", "is_definitions"]

C = TypeVar("C", bound="Component")
DEFINITIONS: Final = "__returns_definitions__"
INSTANCE: Final = "__returns_component__"


def definitions(fn: Callable[..., Any]) -> Callable[..., Definitions]:
    """Load the definitions of a module by calling this function; it takes nothing, or the ComponentLoadContext.

    Raises:
        DagsterInvariantViolationError: when it takes more; and when it is called, where it returns something else.

    Example:
        >>> @definitions
        ... def defs():
        ...     return Definitions()
        >>> defs().assets
        ()
    """
    count = len(inspect.signature(fn).parameters)
    if count > 1:
        raise DagsterInvariantViolationError(
            f"`{fn.__name__}` takes {count} arguments",
            hint="`@definitions` is of a function of nothing, or of `context`",
        )

    @functools.wraps(fn)
    def returns(*args: Any, **kwargs: Any) -> Definitions:
        found: Definitions = fn(*args, **kwargs)
        if not isinstance(found, Definitions | RepositoryDefinition):
            told = f"`{fn.__name__}` returned {type(found).__name__}, and has to return Definitions"
            raise DagsterInvariantViolationError(told)
        return found

    setattr(returns, DEFINITIONS, True)
    return returns


def component_instance(fn: Callable[[Any], C]) -> Callable[[Any], C]:
    """Load a component by calling this function, which takes the ComponentLoadContext.

    Raises:
        DagsterInvariantViolationError: when it takes something else.
    """
    if len(inspect.signature(fn).parameters) != 1:
        raise DagsterInvariantViolationError(
            f"`{fn.__name__}` takes {len(inspect.signature(fn).parameters)} arguments",
            hint=f"def {fn.__name__}(context: ComponentLoadContext)",
        )
    setattr(fn, INSTANCE, True)
    return fn


def is_definitions(found: Any) -> bool:
    """Tell whether something is what ``@definitions`` returned."""
    return getattr(found, DEFINITIONS, False) is True


def is_component_instance(found: Any) -> bool:
    """Tell whether something is what ``@component_instance`` returned."""
    return getattr(found, INSTANCE, False) is True


def called(fn: Callable[..., Any], context: Any) -> Any:
    """Return what such a function returns."""
    return fn(context) if inspect.signature(fn).parameters else fn()
