"""Hooks that are called, by the engine and by hand."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.hooks import event_list_hook, failure_hook, success_hook
from ipy_orch.authoring.ops import op
from ipy_orch.errors import (
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    DagsterUnknownResourceError,
)
from ipy_orch.events.types import StepFailed, StepSucceeded
from ipy_orch.execution.contexts.hooks import EndedStep, HookOutcome, build_hook_context, run_hooks
from ipy_orch.execution.records.results import dagster_events
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.model.hooks import HookExecutionResult
from ipy_orch.model.resources.resource import resource


@op
def load():
    """Load."""
    return 1


def ended(*events, **known):
    """Return the step and its events, as the engine tells them."""
    step = EndedStep("r1", "nightly", "load", load, {"limit": 1}, **known)
    return step, list(dagster_events([event("r1", 0.0, "load") for event in events]))


def called(hooks, step, events, resources=()):
    """Return what came of the hooks, with these resources open."""
    with ResourceScope(dict(resources), dict(resources)) as scope:
        return run_hooks(hooks, step, events, scope.namespace)


def test_hooks_run_in_the_order_of_their_names():
    """Each says what came of it; the end of the step decides which of them run."""
    seen = []

    @success_hook
    def second(context):
        seen.append(("second", context.op.name, context.op_output_values))

    @failure_hook
    def first(context):
        seen.append("never")

    step, events = ended(StepSucceeded, outputs={"result": 1})

    assert called({second, first}, step, events) == [
        HookOutcome("first", "skipped"),
        HookOutcome("second", "completed"),
    ]
    assert seen == [("second", "load", {"result": 1})]


def test_what_a_hook_raises_stays_inside():
    """A hook that raises, or returns something else, is told as errored, and the next one runs."""

    @event_list_hook
    def breaks(context, events):
        raise ValueError("no chat")

    @event_list_hook
    def says(context, events):
        return 5

    @event_list_hook
    def works(context, events):
        return HookExecutionResult("works")

    outcomes = called([breaks, says, works], *ended(StepFailed))

    assert [one.status for one in outcomes] == ["errored", "errored", "completed"]
    assert outcomes[0].error == "ValueError: no chat"


def test_what_a_context_tells():
    """A hook learns of the step, its exception and its config, and finds its own resources only."""
    seen, error = {}, ValueError("broken")

    @failure_hook(required_resource_keys={"chat"})
    def tell(context):
        seen.update(run=context.run_id, job=context.job_name, step=context.step_key, config=context.op_config)
        seen.update(error=context.op_exception, chat=context.resources.chat, hook=context.hook_def)
        with pytest.raises(DagsterUnknownResourceError):
            context.resources.other  # noqa: B018 - it is read for its error
        context.log.info("told %s", "them")

    records = []
    step, events = ended(StepFailed, exception=error, emit=lambda level, text: records.append((level, text)))

    assert called([tell], step, events, {"chat": 5, "other": 6}) == [HookOutcome("tell", "completed")]
    assert seen == {
        "run": "r1",
        "job": "nightly",
        "step": "load",
        "config": {"limit": 1},
        "error": error,
        "chat": 5,
        "hook": tell,
    }
    assert records == [("INFO", "told them")]


def test_a_call_by_hand():
    """A hook is called with a context made for it, by position or by name."""
    seen = []

    @success_hook
    def tell(_):
        seen.append(_.op.name if _.bound_hook and _.run_id else None)

    context = build_hook_context(op=load, run_id="r1")
    tell(context)
    tell(_=context)

    @event_list_hook
    def count(context, events):
        return len(events)

    assert seen == ["load", "load"]
    assert count(None, [1, 2]) == count(context=None, events=[1, 2]) == 2


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((None, []), {}), ((), {"other": None})])
def test_wrong_arguments(args, kwargs):
    """Too few, too many and unknown arguments are told by the names of the function's."""

    @success_hook
    def tell(context): ...

    with pytest.raises(DagsterInvalidInvocationError, match="`context`"):
        tell(*args, **kwargs)


def test_what_a_context_made_by_hand_does_not_know():
    """It says how to give it."""
    context = build_hook_context()

    with pytest.raises(DagsterInvariantViolationError, match=r"build_hook_context\(instance=...\)"):
        context.instance  # noqa: B018
    with pytest.raises(DagsterInvariantViolationError, match="only a hook in a run"):
        context.op_config  # noqa: B018
    assert context.op_exception is None


def test_resources_of_a_call_by_hand():
    """Resources are opened once and closed with the context; what lacks is told, what must be closed needs ``with``."""
    seen = []

    @resource
    def chat(_):
        yield "open"
        seen.append("closed")

    @success_hook(required_resource_keys={"chat"})
    def tell(context):
        seen.append(context.resources.chat)

    with build_hook_context(resources={"chat": chat}) as context:
        tell(context)
    assert seen == ["open", "closed"]
    with pytest.raises(DagsterInvariantViolationError, match="`with build_hook_context"):
        tell(build_hook_context(resources={"chat": chat}))
    with pytest.raises(DagsterInvalidDefinitionError, match="`tell` needs the resource `chat`"):
        tell(None)
