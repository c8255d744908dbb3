"""The decorators that make hooks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ipy_orch.authoring.hooks import event_list_hook, failure_hook, success_hook
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.hooks import HookExecutionResult


@dataclass
class End:
    """Stand for an event of a step."""

    is_step_success: bool = False
    is_step_failure: bool = False


@pytest.mark.parametrize(
    ("decorator", "runs", "skips"),
    [(success_hook, End(is_step_success=True), End()), (failure_hook, End(is_step_failure=True), End())],
)
def test_a_hook_runs_at_its_end_only(decorator, runs, skips):
    """The user's function is called where one of the events is such an end."""
    called = []

    @decorator
    def tell(context):
        called.append(context)

    assert tell.hook_fn("context", [skips]) == HookExecutionResult("tell", is_skipped=True)
    assert tell.hook_fn("context", [skips, runs]) == HookExecutionResult("tell")
    assert called == ["context"]


def test_options():
    """Name and resources come from the decorator; documentation and module from the function."""

    @failure_hook("alarm", {"chat"})
    def tell(context):
        """Tell it."""

    @success_hook(name="praise", required_resource_keys={"chat"})
    def say(context): ...

    assert (tell.name, tell.required_resource_keys) == ("alarm", {"chat"})
    assert (tell.__name__, tell.__doc__, tell.__module__) == ("tell", "Tell it.", __name__)
    assert (say.name, say.required_resource_keys) == ("praise", {"chat"})


def test_event_list_hooks_are_called_as_they_are():
    """The function gets context and events, and says itself what came of it."""

    @event_list_hook(name="count")
    def counted(context, events):
        return HookExecutionResult(f"{context} {len(events)}")

    assert counted.hook_fn("context", [1, 2]).hook_name == "context 2"
    assert event_list_hook(counted.hook_fn).name == "counted"


@pytest.mark.parametrize("decorator", [success_hook, failure_hook, event_list_hook()])
def test_functions_without_a_context(decorator):
    """A function that can't take what hooks are called with is refused with the definition to write."""
    with pytest.raises(DagsterInvalidDefinitionError, match="takes no `context`"):

        @decorator
        def tell(): ...
