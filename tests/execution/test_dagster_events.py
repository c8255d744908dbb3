"""Events in Dagster's shape."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ipy_orch import (
    AssetMaterialization,
    DagsterEventType,
    DynamicOut,
    DynamicOutput,
    ExpectationResult,
    Failure,
    In,
    IOManager,
    Out,
    Output,
    RetryPolicy,
    graph,
    job,
    op,
    success_hook,
    usable_as_dagster_type,
)
from ipy_orch.execution.records.dagster_events import DagsterEvent, dagster_events


def ran(made: Any, **options: Any) -> list[DagsterEvent]:
    """Return the events of a run."""
    return list(made.execute_in_process(raise_on_error=False, **options).all_events)


def of(events: list[DagsterEvent], kind: str) -> list[DagsterEvent]:
    """Return the events of a kind."""
    return [event for event in events if event.event_type_value == kind]


@op
def one(context) -> int:
    """Return a number, and tell something of it."""
    context.add_output_metadata({"seen": True})
    return 1


@op
def more(number: int) -> int:
    """Add one."""
    return number + 1


def test_the_events_of_a_step_in_order():
    """Inputs are loaded before they're checked, outputs are made before they're stored."""

    @job
    def line():
        more(one())

    kinds = [event.event_type_value for event in ran(line) if event.step_key == "more"]
    assert kinds == ["STEP_START", "LOADED_INPUT", "STEP_INPUT", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"]
    assert [event.event_type for event in ran(line) if event.step_key is None] == [
        DagsterEventType.RUN_START,
        DagsterEventType.RUN_SUCCESS,
    ]


def test_what_is_said_of_an_output():
    """Its name, its metadata and that its type fits."""

    @job
    def line():
        more(one())

    events = ran(line)
    made = of(events, "STEP_OUTPUT")[0]
    assert made.is_successful_output
    assert made.is_step_output
    assert made.step_output_data.output_name == "result"
    assert made.step_output_data.metadata["seen"].value is True
    assert made.step_output_data.type_check_data.success
    assert of(events, "HANDLED_OUTPUT")[0].step_handled_output_data.manager_key == "io_manager"
    assert of(events, "LOADED_INPUT")[0].loaded_input_data.output_name == "number"
    assert of(events, "STEP_SUCCESS")[0].step_success_data.duration_ms >= 0


def test_copies_have_keys():
    """The node's name is that without the key and the graphs around."""

    @op(out=DynamicOut())
    def many():
        yield DynamicOutput(1, "a")

    @graph
    def inner(number):
        return more(number)

    @job
    def spread():
        many().map(inner)

    events = ran(spread)
    assert of(events, "STEP_OUTPUT")[0].step_output_data.mapping_key == "a"
    (copy,) = [event for event in of(events, "STEP_SUCCESS") if event.step_key == "inner.more[a]"]
    assert copy.node_name == "more"


@pytest.mark.parametrize(
    ("error", "cls_name", "cause", "description"),
    [
        (ValueError("bad"), "DagsterExecutionStepExecutionError", "ValueError", None),
        (Failure("so it is", metadata={"n": 1}), "Failure", None, "so it is"),
    ],
)
def test_a_failure(error, cls_name, cause, description):
    """What the user's code raised is the cause of an error of the step; a Failure is itself."""

    @op
    def broken():
        raise error

    @job
    def breaks():
        more(broken())

    events = ran(breaks)
    data = of(events, "STEP_FAILURE")[0].step_failure_data
    assert (data.error.cls_name, data.error.cause and data.error.cause.cls_name) == (cls_name, cause)
    assert getattr(data.user_failure_data, "description", None) == description
    assert [event.step_key for event in events if event.step_key == "more"] == []
    assert len(of(events, "PIPELINE_FAILURE")) == 1


class Deaf(IOManager):
    """Fail to store, or to load."""

    def __init__(self, stores: bool) -> None:
        self.stores = stores

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store nothing."""
        if not self.stores:
            raise OSError("disk is full")

    def load_input(self, context: Any) -> Any:
        """Load nothing."""
        raise OSError("disk is gone")


@pytest.mark.parametrize(
    ("stores", "step", "cls_name"),
    [(False, "one", "DagsterExecutionHandleOutputError"), (True, "more", "DagsterExecutionLoadInputError")],
)
def test_a_failure_of_an_io_manager(stores, step, cls_name):
    """It tells what the IO manager was about."""

    @job(resource_defs={"io_manager": Deaf(stores)})
    def line():
        more(one())

    (event,) = of(ran(line), "STEP_FAILURE")
    error = event.step_failure_data.error
    assert (event.step_key, error.cls_name, error.cause.cls_name) == (step, cls_name, "OSError")


def test_a_wrong_type():
    """It is told before the failure."""

    @usable_as_dagster_type
    class Box:
        """Be a type."""

    @op(out=Out(Box))
    def boxed():
        return "no box"

    @job
    def boxes():
        boxed()

    events = ran(boxes)
    (made,) = of(events, "STEP_OUTPUT")
    assert not made.step_output_data.type_check_data.success
    assert [event.event_type_value for event in events if event.step_key][-1] == "STEP_FAILURE"


def test_attempts():
    """The first is a start, the others are restarts."""
    tried = []

    @op(retry_policy=RetryPolicy(max_retries=2))
    def shaky():
        tried.append(1)
        if len(tried) < 3:
            raise OSError

    @job
    def tries():
        shaky()

    kinds = [event.event_type_value for event in ran(tries) if event.step_key]
    again = ["STEP_UP_FOR_RETRY", "STEP_RESTARTED"]
    assert kinds == ["STEP_START", *again, *again, "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"]


def test_skipped_is_what_was_left_out():
    """What waits for a step that failed is never begun, and has no event."""

    @op(out={"a": Out(is_required=False), "b": Out(is_required=False)})
    def fork(context):
        yield Output(1, "a")
        if context.run_tags.get("broken"):
            raise ValueError

    @job
    def forks():
        a, b = fork()
        more.alias("with_a")(a)
        more.alias("with_b")(b)

    def skipped(events: list[DagsterEvent]) -> list[str | None]:
        return [event.step_key for event in events if event.is_step_skipped]

    assert skipped(ran(forks)) == ["with_b"]
    broken = ran(forks, tags={"broken": "yes"})
    assert skipped(broken) == []
    assert {event.step_key for event in broken} == {None, "fork"}


def test_reports_and_hooks():
    """Each is an event of its step."""

    @success_hook
    def heard(_context): ...

    @op(ins={"number": In(int)})
    def reporting(context, number):
        context.log_event(AssetMaterialization("table"))
        yield ExpectationResult(success=True, label="fits")
        yield Output(number)

    @job(hooks={heard})
    def reports():
        reporting(one())

    events = [event for event in ran(reports) if event.step_key == "reporting"]
    assert [event.materialization.asset_key.path for event in events if event.is_step_materialization] == [("table",)]
    assert [event.event_specific_data.expectation_result.label for event in events if event.is_expectation_result] == [
        "fits"
    ]
    assert [event.event_type_value for event in events if event.is_hook_event] == ["HOOK_COMPLETED"]


def test_who_failed_where():
    """An event knows its job, its node and whether it tells of a failure, and an error whose it is."""

    @op
    def fails():
        raise ValueError("no")

    @graph
    def inner():
        fails()

    @job
    def outer():
        inner()

    events = ran(outer)
    assert {event.job_name for event in events} == {"outer"}
    begun, failed, ended = events[0], of(events, "STEP_FAILURE")[0], events[-1]
    assert [event.is_failure for event in (begun, failed, ended)] == [False, True, True]
    assert [event.is_job_event for event in (begun, failed, ended)] == [True, False, True]
    assert not any(event.is_engine_event or event.is_asset_materialization_planned for event in events)
    assert (failed.node_handle.name, failed.node_handle.parent.name, str(failed.node_handle)) == (
        "fails",
        "inner",
        "inner.fails",
    )
    assert (begun.node_handle, begun.step_kind_value, failed.step_kind_value) == (None, None, "COMPUTE")
    assert failed.logging_tags["step_key"] == "inner.fails"
    assert (failed.logging_tags["job_name"], failed.logging_tags["op_name"]) == ("outer", "fails")
    assert (begun.logging_tags, failed.pid) == ({}, os.getpid())
    assert failed.step_failure_data.error_source.value == "USER_CODE_ERROR"

    @op
    def says_so():
        raise Failure("on purpose")

    @job
    def on_purpose():
        says_so()

    assert of(ran(on_purpose), "STEP_FAILURE")[0].step_failure_data.error_source.value == "FRAMEWORK_ERROR"


def test_no_events():
    """There may be none, and there is no other attribute than Dagster's."""
    assert list(dagster_events([])) == []

    @job
    def single():
        one()

    with pytest.raises(AttributeError):
        ran(single)[0].is_anything_else  # noqa: B018 - the access is what is tested


def test_each_event_says_what_happened():
    """A message in words, also where the log keeps none."""

    @op
    def broken() -> int:
        return "x"  # type: ignore[return-value]

    @job
    def line():
        more(one())
        broken()

    events = ran(line)
    assert all(event.message for event in events)
    assert of(events, "STEP_START")[0].message == "Step `one` started."
    assert [event.message for event in of(events, "STEP_OUTPUT")] == [
        "Step `one` made its output `result`.",
        "Step `more` made its output `result`.",
        "Step `broken` made its output `result`, which isn't of its type.",
    ]
