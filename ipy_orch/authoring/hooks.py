"""``@success_hook``, ``@failure_hook`` and ``@event_list_hook``: a function is called when a step has ended."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.hooks import HookDefinition, HookExecutionResult

__all__ = ["event_list_hook", "failure_hook", "success_hook"]

Function = Callable[..., Any]
Decorator = Callable[[Function], HookDefinition]


@overload
def success_hook(hook_fn: Function) -> HookDefinition: ...
@overload
def success_hook(*, name: str | None = None, required_resource_keys: Iterable[str] | None = None) -> Decorator: ...
def success_hook(
    hook_fn: Function | None = None,
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> HookDefinition | Decorator:
    """Make a hook of a function of a HookContext that is called after a step succeeded.

    Raises:
        DagsterInvalidDefinitionError: when the function takes no context.

    Example:
        >>> @success_hook(required_resource_keys={"chat"})
        ... def tell(context):
        ...     context.resources.chat.send(f"{context.op.name} is done")
        >>> tell.name
        'tell'
    """
    return for_ends("is_step_success", hook_fn, name, required_resource_keys)


@overload
def failure_hook(name: Function) -> HookDefinition: ...
@overload
def failure_hook(name: str | None = None, required_resource_keys: Iterable[str] | None = None) -> Decorator: ...
def failure_hook(
    name: Function | str | None = None, required_resource_keys: Iterable[str] | None = None
) -> HookDefinition | Decorator:
    """Make a hook of a function of a HookContext that is called after a step failed; see ``context.op_exception``.

    Raises:
        DagsterInvalidDefinitionError: when the function takes no context.
    """
    if callable(name):
        return for_ends("is_step_failure", name, None, required_resource_keys)
    return for_ends("is_step_failure", None, name, required_resource_keys)


@overload
def event_list_hook(hook_fn: Function) -> HookDefinition: ...
@overload
def event_list_hook(
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    decorated_fn: Function | None = None,
) -> Decorator: ...
def event_list_hook(
    hook_fn: Function | None = None,
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    decorated_fn: Function | None = None,
) -> HookDefinition | Decorator:
    """Make a hook of a function of a HookContext and the events of the step, called however the step ended.

    Args:
        decorated_fn: the user's function, where this one is around it.

    Raises:
        DagsterInvalidDefinitionError: when the function doesn't take both.
    """

    def decorate(function: Function) -> HookDefinition:
        label = name or function.__name__
        refuse_parameters(function, ("context", "event_list"), label)
        return named_like(function, label, function, required_resource_keys, decorated_fn or function)

    return decorate if hook_fn is None else decorate(hook_fn)


def for_ends(
    end: str, function: Function | None, name: str | None, required_resource_keys: Iterable[str] | None
) -> HookDefinition | Decorator:
    """Return a hook, or the decorator that makes one, that runs where one of the step's events is such an end."""

    def decorate(user: Function) -> HookDefinition:
        label = name or user.__name__
        refuse_parameters(user, ("context",), label)

        def hook(context: Any, event_list: Sequence[Any]) -> HookExecutionResult:
            concerned = any(getattr(event, end) for event in event_list)
            if concerned:
                user(context)
            return HookExecutionResult(label, is_skipped=not concerned)

        return named_like(user, label, hook, required_resource_keys, user)

    return decorate if function is None else decorate(function)


def named_like(
    user: Function, label: str, hook: Function, required_resource_keys: Iterable[str] | None, decorated: Function
) -> HookDefinition:
    """Return the hook, documented as the user's function is, so that it is found where that was defined."""
    made = HookDefinition(
        name=label, hook_fn=hook, required_resource_keys=required_resource_keys, decorated_fn=decorated
    )
    for attribute in functools.WRAPPER_ASSIGNMENTS:
        if hasattr(user, attribute):
            object.__setattr__(made, attribute, getattr(user, attribute))
    object.__setattr__(made, "__wrapped__", user)
    return made


def refuse_parameters(function: Function, wanted: Sequence[str], label: str) -> None:
    """Refuse a function that can't be called with these arguments by position.

    Raises:
        DagsterInvalidDefinitionError: naming what it lacks.
    """
    parameters = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    # any name is fine for the context; Dagster allows `_` and a name with `_` before or after it for both
    if len(parameters) < len(wanted):
        raise DagsterInvalidDefinitionError(
            f"hook `{label}` takes no `{wanted[len(parameters)]}`",
            hint=f"`def {label}({', '.join(wanted)}):`",
        )
