"""Calling hooks: by the engine when a step has ended, and by hand in a test."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    closest,
)
from ipy_orch.execution.build import log_record
from ipy_orch.execution.contexts.logs import StepLog
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.execution.resources import OwnResources, ResourceScope
from ipy_orch.model.hooks import HookDefinition, HookExecutionResult, invoke_hook

__all__ = ["EndedStep", "HookContext", "HookOutcome", "build_hook_context", "run_hooks"]

Status = Literal["completed", "skipped", "errored"]


class NotTold:
    """Mark what a context made for a test doesn't know."""

    def __repr__(self) -> str:
        return "NOT_TOLD"


NOT_TOLD: Final[Any] = NotTold()


@dataclass(frozen=True, eq=False)
class EndedStep:
    """Be what a hook may learn of the step that ended.

    Args:
        op: the node that ran, under the name that it has in its graph.
        op_config: its config, as plain data.
        exception: what it raised, of the last attempt; None where it succeeded.
        outputs: output -> value, of those it made; mapping key -> value for a dynamic one.
        output_metadata: output -> metadata, in the same shape.
        emit: takes the level and the text of a log record.
    """

    run_id: Any = NOT_TOLD
    job_name: Any = NOT_TOLD
    step_key: Any = NOT_TOLD
    op: Any = NOT_TOLD
    op_config: Any = NOT_TOLD
    exception: BaseException | None = None
    outputs: Mapping[str, Any] = field(default_factory=lambda: NOT_TOLD)
    output_metadata: Mapping[str, Any] = field(default_factory=lambda: NOT_TOLD)
    instance: Any = NOT_TOLD
    run_config: Any = NOT_TOLD
    emit: Callable[[str, str], None] = log_record


@dataclass(frozen=True)
class HookOutcome:
    """Be what came of a hook: ``completed``, ``skipped`` (the end wasn't one for it) or ``errored``."""

    name: str
    status: Status
    error: str = ""


class HookContext:
    """Tell a hook about the step that ended."""

    def __init__(self, hook_def: HookDefinition | None, step: EndedStep, resources: Any = NO_RESOURCES) -> None:
        self.bound_hook, self.step_ended = hook_def, step
        self.own_resources = resources

    def told(self, name: str, argument: str = "") -> Any:
        """Return something of the step.

        Raises:
            DagsterInvariantViolationError: when this context was made without it.
        """
        value = getattr(self.step_ended, name)
        if value is NOT_TOLD:
            hint = f"`build_hook_context({argument}=...)`" if argument else "only a hook in a run knows it"
            raise DagsterInvariantViolationError(f"this hook's context doesn't know `{argument or name}`", hint=hint)
        return value

    @property
    def hook_def(self) -> HookDefinition:
        """Return the hook.

        Raises:
            DagsterInvariantViolationError: for a context made for a test, before a hook is called with it.
        """
        if self.bound_hook is None:
            raise DagsterInvariantViolationError("no hook runs in this context now", hint="call a hook with it")
        return self.bound_hook

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the keys of the resources that the hook finds here."""
        return self.hook_def.required_resource_keys

    @property
    def resources(self) -> Any:
        """Return the resources that the hook requires, as attributes."""
        return self.own_resources

    @property
    def log(self) -> StepLog:
        """Return a logger whose records become events of the step."""
        return StepLog(self.step_ended.emit)

    @property
    def op(self) -> Any:
        """Return the node that ran, under the name that it has in its graph."""
        return self.told("op", "op")

    @property
    def step_key(self) -> str:
        """Return the name of the step."""
        return self.told("step_key")  # type: ignore[no-any-return]

    @property
    def op_config(self) -> Any:
        """Return the config of the op, as plain data."""
        return self.told("op_config")

    @property
    def op_exception(self) -> BaseException | None:
        """Return what the step raised, None where it succeeded."""
        return self.step_ended.exception

    @property
    def op_output_values(self) -> Mapping[str, Any]:
        """Return output -> value, and mapping key -> value for a dynamic output."""
        return self.told("outputs")  # type: ignore[no-any-return]

    @property
    def op_output_metadata(self) -> Mapping[str, Any]:
        """Return output -> metadata that the op added to it."""
        return self.told("output_metadata")  # type: ignore[no-any-return]

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.told("run_id", "run_id")  # type: ignore[no-any-return]

    @property
    def run_config(self) -> Mapping[str, Any]:
        """Return the config of the run, as it was given."""
        return self.told("run_config")  # type: ignore[no-any-return]

    @property
    def job_name(self) -> str:
        """Return the name of the job."""
        return self.told("job_name", "job_name")  # type: ignore[no-any-return]

    @property
    def instance(self) -> Any:
        """Return the instance that keeps the events."""
        return self.told("instance", "instance")


# -- in a run ---------------------------------------------------------------------------------------------------------


def run_hooks(
    hooks: Iterable[HookDefinition],
    step: EndedStep,
    events: Sequence[Any],
    resources: Callable[[Iterable[str]], Any],
) -> list[HookOutcome]:
    """Call the hooks of a step that has ended, in the order of their names, and return what came of each.

    Nothing that a hook raises gets out, except an interrupt.

    Args:
        events: those of the step, in Dagster's shape.
        resources: keys -> the namespace of these resources, such as ``ResourceScope.namespace``.
    """
    return [outcome_of(hook, step, events, resources) for hook in sorted(hooks, key=lambda hook: hook.name)]


def outcome_of(
    hook: HookDefinition, step: EndedStep, events: Sequence[Any], resources: Callable[[Iterable[str]], Any]
) -> HookOutcome:
    """Call one hook."""
    try:
        said = hook.hook_fn(HookContext(hook, step, resources(hook.required_resource_keys)), list(events))
    except Exception as error:
        return HookOutcome(hook.name, "errored", f"{type(error).__name__}: {error}")
    if said is not None and not isinstance(said, HookExecutionResult):
        return HookOutcome(hook.name, "errored", f"returned a {type(said).__name__}, not a HookExecutionResult")
    return HookOutcome(hook.name, "skipped" if said is not None and said.is_skipped else "completed")


# -- by hand ----------------------------------------------------------------------------------------------------------


class BuiltHookContext(OwnResources, HookContext):
    """Be a context made for a test, which holds its own resources open."""

    maker = "build_hook_context(resources=...)"

    def __init__(self, step: EndedStep, resources: Mapping[str, Any]) -> None:
        super().__init__(None, step)
        instance = None if step.instance is NOT_TOLD else step.instance
        self.hold(ResourceScope(resources, resources, instance=instance))

    @property
    def resources(self) -> Any:
        """Return the resources.

        Raises:
            DagsterInvariantViolationError: when one must be closed, and this isn't used by ``with``.
        """
        return self.held(self.scope.definitions)

    def bound(self, hook: HookDefinition) -> HookContext:
        """Return the context for a call of a hook.

        Raises:
            DagsterInvalidDefinitionError: when it has no such resource.
        """
        for key in sorted(hook.required_resource_keys - self.scope.definitions.keys()):
            raise DagsterInvalidDefinitionError(
                f"hook `{hook.name}` needs the resource `{key}`, which isn't there",
                hint=closest(key, self.scope.definitions) or f'`build_hook_context(resources={{"{key}": ...}})`',
            )
        return HookContext(hook, self.step_ended, self.held(hook.required_resource_keys))


def build_hook_context(
    resources: Mapping[str, Any] | None = None,
    op: Any = None,
    run_id: str | None = None,
    job_name: str | None = None,
    op_exception: Exception | None = None,
    instance: Any = None,
) -> BuiltHookContext:
    """Return a context to call a hook with in a test; use ``with`` where a resource must be closed.

    Args:
        resources: key -> resource or any object.
        op: an op, or an op under an alias.

    Raises:
        CheckError: for an op of another type.

    >>> build_hook_context(resources={"chat": 5}, run_id="r1").run_id
    'r1'
    """
    if op is not None and not hasattr(op, "name"):
        raise CheckError(f"`op` is an op, not {op!r}")
    given = {"op": op, "run_id": run_id, "job_name": job_name, "instance": instance}
    step = replace(EndedStep(exception=op_exception), **{name: one for name, one in given.items() if one is not None})
    return BuiltHookContext(step, resources or {})


@invoke_hook.supply
def call_hook(hook: HookDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call the function that a decorator made a hook of, and return what it returns.

    Raises:
        DagsterInvalidInvocationError: for wrong arguments, or a hook that no decorator made.
        DagsterInvalidDefinitionError: when the context lacks a resource.
    """
    if hook.decorated_fn is None:
        raise DagsterInvalidInvocationError(
            f"`{hook.name}` has no function to call", hint="`@success_hook`, or another"
        )
    names = list(inspect.signature(hook.decorated_fn).parameters)
    if len(args) + len(kwargs) != len(names):
        raise DagsterInvalidInvocationError(f"hook `{hook.name}` takes {' and '.join(f'`{name}`' for name in names)}")
    named = dict(zip(names, args, strict=False)) | dict(kwargs)
    for name in names:
        if name not in named:
            raise DagsterInvalidInvocationError(f"hook `{hook.name}` needs `{name}`, and got {sorted(named)}")
    context = named[names[0]]
    if context is not None and not isinstance(context, BuiltHookContext):
        raise CheckError(f"the context of hook `{hook.name}` is from `build_hook_context`, not {context!r}")
    own = (context if context is not None else build_hook_context()).bound(hook)
    return hook.decorated_fn(own, *(named[name] for name in names[1:]))
