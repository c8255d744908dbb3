"""Hooks: functions that the engine calls when a step has ended, for a message to whom it concerns.

A hook is set on a job, a graph, an asset or one invocation of an op. It can't change what a step came to: when it
raises, that is an event, and the step stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ipy_orch.errors import CheckError
from ipy_orch.model.keys import valid_name
from ipy_orch.model.ops import set_all
from ipy_orch.model.port import Port

__all__ = ["HookDefinition", "HookExecutionResult"]

invoke_hook: Port[..., Any] = Port("ipy_orch.execution.contexts.hooks")


@dataclass(frozen=True)
class HookExecutionResult:
    """Tell the engine that a hook did its work, or that the step's end wasn't one for it."""

    hook_name: str
    is_skipped: bool = False


@dataclass(frozen=True, init=False)
class HookDefinition:
    """Be a function that is called after each step of what it is set on.

    Args:
        hook_fn: takes the HookContext and the step's events, and returns a HookExecutionResult.
        required_resource_keys: the resources in ``context.resources``.
        decorated_fn: the user's function, where ``hook_fn`` is one around it.

    Raises:
        DagsterInvalidDefinitionError: for a name that isn't well formed.
        CheckError: when ``hook_fn`` can't be called.
    """

    name: str
    hook_fn: Callable[..., Any]
    required_resource_keys: frozenset[str]
    decorated_fn: Callable[..., Any] | None

    def __init__(
        self,
        *,
        name: str,
        hook_fn: Callable[..., Any],
        required_resource_keys: Iterable[str] | None = None,
        decorated_fn: Callable[..., Any] | None = None,
    ) -> None:
        if not callable(hook_fn):
            raise CheckError(f"hook `{name}`: `hook_fn` is a function, not {hook_fn!r}")
        set_all(
            self, (valid_name(name, "name of a hook"), hook_fn, frozenset(required_resource_keys or ()), decorated_fn)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Set the hook on a job, graph, asset or invocation; or call its function with a context, in a test.

        Raises:
            DagsterInvalidInvocationError: for wrong arguments of a call.
            DagsterInvalidDefinitionError: when the context lacks a resource.

        >>> hook = HookDefinition(name="notify", hook_fn=lambda context, events: None)
        >>> hook.required_resource_keys
        frozenset()
        """
        if args and hasattr(args[0], "with_hooks"):
            return args[0].with_hooks({self})
        return invoke_hook(self, args, kwargs)
