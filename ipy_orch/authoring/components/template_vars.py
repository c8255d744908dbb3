"""``@template_var``: functions whose results templates can use by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final, overload

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["is_template_var", "template_var", "template_vars_of_class", "template_vars_of_module"]

MARK: Final = "__is_template_var__"
Function = Callable[..., Any]


@overload
def template_var(fn: Function) -> Function: ...
@overload
def template_var(fn: None = None) -> Callable[[Function], Function]: ...
def template_var(fn: Function | None = None) -> Any:
    """Let templates use what a function returns, under its name.

    It takes nothing, or the ComponentLoadContext. It stands in a component's class as a static method, or in the
    module that `template_vars_module` of a defs.yaml names.

    >>> @template_var
    ... def today():
    ...     return "2024-01-01"
    >>> is_template_var(today), today()
    (True, '2024-01-01')
    """
    if fn is None:
        return template_var
    setattr(fn, MARK, True)
    return fn


def is_template_var(found: Any) -> bool:
    """Tell whether something is what ``@template_var`` returned."""
    return getattr(found, MARK, False) is True


def template_vars_of_class(cls: type, context: Any) -> dict[str, Any]:
    """Return the variables that static methods of a class give."""
    names = [name for name in dir(cls) if isinstance(inspect.getattr_static(cls, name), staticmethod)]
    return {name: valued(found, context) for name in names if is_template_var(found := getattr(cls, name))}


def template_vars_of_module(module: ModuleType, context: Any) -> dict[str, Any]:
    """Return the variables that functions of a module give.

    Raises:
        DagsterInvalidDefinitionError: when there's none.
    """
    found: Mapping[str, Any] = {name: one for name, one in vars(module).items() if is_template_var(one)}
    if not found:
        raise DagsterInvalidDefinitionError(
            f"`{module.__name__}` has no template variables", hint="put `@template_var` above its functions"
        )
    return {name: valued(one, context) for name, one in found.items()}


def valued(function: Function, context: Any) -> Any:
    """Return what a template variable stands for.

    Raises:
        DagsterInvalidDefinitionError: when it takes more than the context.
    """
    parameters = inspect.signature(function).parameters
    if len(parameters) > 1:
        raise DagsterInvalidDefinitionError(
            f"the template variable `{function.__name__}` takes {len(parameters)} arguments",
            hint="it takes nothing, or `context`",
        )
    return function(context) if parameters else function()
