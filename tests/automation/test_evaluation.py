"""One tick: what a schedule or sensor says becomes requests, and what it can't say is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

import ipy_orch as dg
from ipy_orch.errors import CheckError, DagsterUserCodeExecutionError

NINE = datetime(2024, 1, 5, 9, tzinfo=UTC)


@dg.asset
def orders() -> int:
    """Return orders."""
    return 1


@dg.asset
def refunds() -> int:
    """Return refunds."""
    return 1


load = dg.define_asset_job("load", "orders")


def at_nine(**more: Any) -> dg.ScheduleEvaluationContext:
    """Return a context for nine o'clock."""
    return dg.build_schedule_context(scheduled_execution_time=NINE, **more)


# -- schedules --------------------------------------------------------------------------------------------------------


def said(function: Any, **options: Any) -> Any:
    """Return what a schedule with a function comes to."""
    return dg.schedule("0 9 * * *", job=load, name="one", **options)(function).evaluate_tick(at_nine())


@pytest.mark.parametrize(
    ("answer", "tags"),
    [
        (dg.RunRequest(tags={"a": "1"}), [{"a": "1"}]),
        ([dg.RunRequest(tags={"a": "1"}), dg.RunRequest()], [{"a": "1"}, {}]),
        ({"ops": {}}, [{"own": "yes"}]),
        (dg.RunConfig(), [{"own": "yes"}]),
        (None, []),
    ],
)
def test_a_schedule_asks_for_runs(answer: Any, tags: list[dict[str, str]]) -> None:
    """Its own tags go to the runs whose request it doesn't make itself, its name to all."""

    def function() -> Any:
        return answer

    found = said(function, tags={"own": "yes"})
    assert [dict(one.tags) for one in found.run_requests] == [{**one, "dagster/schedule_name": "one"} for one in tags]
    assert bool(found.skip_message) is not bool(tags)


def test_a_schedule_may_yield_and_skip() -> None:
    """A generator gives several requests; a reason is told."""

    def several(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        for hour in range(2):
            yield dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%d} {hour}")

    assert [one.run_key for one in said(several).run_requests] == ["2024-01-05 0", "2024-01-05 1"]
    assert said(lambda: dg.SkipReason("a holiday")).skip_message == "a holiday"
    assert "no" in said(dict, should_execute=lambda _: False).skip_message


@pytest.mark.parametrize("answer", [3, ["x"], [dg.RunRequest(), dg.SkipReason("why")]])
def test_what_a_schedule_cannot_say_is_refused(answer: Any) -> None:
    """With what it may return."""

    def function() -> Any:
        return answer

    with pytest.raises(dg.DagsterInvalidInvocationError, match="one"):
        said(function)


def test_what_a_schedule_raises_is_the_cause() -> None:
    """The user's exception is kept."""

    def function() -> Any:
        raise ValueError("no calendar")

    with pytest.raises(DagsterUserCodeExecutionError, match="no calendar") as told:
        said(function)
    assert isinstance(told.value.user_exception, ValueError)


def test_a_schedule_without_a_function_runs_its_job() -> None:
    """With its run config, or what a function makes of the moment."""
    plain = dg.ScheduleDefinition(job=load, cron_schedule="@daily", run_config={"ops": {}}, tags={"a": "b"})
    (request,) = plain.evaluate_tick(at_nine()).run_requests
    assert (plain.name, request.run_config, request.tags["a"]) == ("load_schedule", {"ops": {}}, "b")
    made = dg.ScheduleDefinition(
        job=load,
        cron_schedule="@daily",
        run_config_fn=lambda context: {"day": context.scheduled_execution_time.day},
        tags_fn=lambda _: {"by": "function"},
    )
    (request,) = made.evaluate_tick(at_nine()).run_requests
    assert (request.run_config, request.tags["by"]) == ({"day": 5}, "function")


# -- sensors ----------------------------------------------------------------------------------------------------------


def sensed(answer: Any, **options: Any) -> Any:
    """Return what a sensor comes to that gives an answer."""
    definitions = dg.Definitions(assets=[orders, refunds], jobs=[load])

    def function(context: dg.SensorEvaluationContext) -> Any:
        return answer(context) if callable(answer) else answer

    made = dg.sensor(name="one", **(options or {"job": load}))(function)
    return made.evaluate_tick(dg.build_sensor_context(cursor="before", definitions=definitions))


def test_a_sensor_asks_for_runs_and_keeps_a_cursor() -> None:
    """In either of the two ways."""
    found = sensed(dg.SensorResult([dg.RunRequest("a")], cursor="after"))
    assert (found.run_requests[0].run_key, found.cursor) == ("a", "after")
    assert found.run_requests[0].tags == {"dagster/sensor_name": "one"}

    def updates(context: dg.SensorEvaluationContext) -> Any:
        context.update_cursor(f"{context.cursor}!")
        return dg.SkipReason("nothing new")

    found = sensed(updates)
    assert (found.cursor, found.skip_message) == ("before!", "nothing new")
    with pytest.raises(dg.DagsterInvariantViolationError, match="do one of the two"):
        sensed(lambda context: (updates(context), dg.SensorResult(cursor="x"))[1])


@pytest.mark.parametrize(
    "answer",
    [3, [dg.SensorResult(), dg.RunRequest()], [dg.SkipReason("a"), dg.SkipReason("b")], [dg.RunRequest(), "x"]],
)
def test_what_a_sensor_cannot_say_is_refused(answer: Any) -> None:
    """With what it may return."""
    with pytest.raises(CheckError, match="sensor `one`"):
        sensed(answer)


def test_a_sensor_over_assets_asks_for_these() -> None:
    """All of them by default; others are refused."""
    (request,) = sensed(dg.RunRequest(), asset_selection=["orders", "refunds"]).run_requests
    assert request.asset_selection == [orders.key, refunds.key]
    assert request.job_name == "__ASSET_JOB"
    with pytest.raises(dg.DagsterInvalidSubsetError, match="`refunds`"):
        sensed(dg.RunRequest(asset_selection=[refunds.key]), asset_selection=["orders"])


@pytest.mark.parametrize(
    ("options", "request_", "told"),
    [
        ({}, dg.RunRequest(), "has no job"),
        ({"jobs": [load, dg.define_asset_job("other")]}, dg.RunRequest(), "several jobs"),
        ({"job": load}, dg.RunRequest(job_name="laod"), "did you mean `load`"),
    ],
)
def test_a_request_for_a_job_that_is_not_the_sensors_is_refused(options: Any, request_: Any, told: str) -> None:
    """With the jobs that are."""
    made = dg.sensor(name="one", **options)(lambda: request_)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=told):
        made.evaluate_tick(dg.build_sensor_context())


def test_a_partition_is_looked_up_where_the_job_is_defined() -> None:
    """Its tags and config come with it; one that isn't there is refused."""

    @dg.static_partitioned_config(["north", "south"])
    def by_region(key: str) -> dict[str, Any]:
        return {"ops": {"fetch": {"config": {"region": key}}}}

    @dg.op(config_schema={"region": str})
    def fetch() -> None: ...

    @dg.job(config=by_region)
    def regions() -> None:
        fetch()

    def sensor_of(key: str) -> Any:
        return dg.sensor(name="one", job=regions)(lambda: dg.RunRequest(partition_key=key))

    definitions = dg.Definitions(jobs=[regions])
    context = dg.build_sensor_context(definitions=definitions)
    (request,) = sensor_of("north").evaluate_tick(context).run_requests
    assert request.tags["dagster/partition"] == "north"
    assert request.run_config == by_region.get_run_config_for_partition_key("north")
    with pytest.raises(dg.DagsterUnknownPartitionError, match="did you mean `south`"):
        sensor_of("suoth").evaluate_tick(context)
    with pytest.raises(dg.DagsterInvariantViolationError, match="isn't known where job `regions`"):
        sensor_of("north").evaluate_tick(dg.build_sensor_context())


# -- resources and calls ----------------------------------------------------------------------------------------------


class Bucket(dg.ConfigurableResource[Any]):
    """Be a bucket."""

    name: str


def test_a_function_is_called_with_a_context_and_resources() -> None:
    """From the context, or by name; what is missing or wrong is told."""

    @dg.sensor(job=load)
    def files(context: dg.SensorEvaluationContext, bucket: Bucket) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{bucket.name} {context.cursor}")

    given = dg.build_sensor_context(cursor="7", resources={"bucket": Bucket(name="in")})
    assert files(given).run_key == "in 7"
    assert files(dg.build_sensor_context(cursor="8"), bucket=Bucket(name="out")).run_key == "out 8"
    assert files.evaluate_tick(given).run_requests[0].run_key == "in 7"
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="needs the resource `bucket`"):
        files(dg.build_sensor_context())
    for args, kwargs, told in [
        ((), {}, "takes `context`"),
        ((given, given), {}, "several arguments"),
        ((given,), {"bukket": 1}, "did you mean `bucket`"),
        ((Bucket(name="x"),), {}, "resources by name"),
    ]:
        with pytest.raises(dg.DagsterInvalidInvocationError, match=told):
            files(*args, **kwargs)


def test_a_resource_that_must_be_closed_needs_a_with_block() -> None:
    """And it is closed at the end of it."""
    closed = []

    @dg.resource
    @contextmanager
    def connection(_: Any) -> Iterator[str]:
        yield "open"
        closed.append("closed")

    @dg.schedule("@daily", job=load)
    def daily(db: dg.ResourceParam[str]) -> dg.RunRequest:
        return dg.RunRequest(run_key=db)

    with pytest.raises(dg.DagsterInvariantViolationError, match="with build_schedule_context"):
        daily(dg.build_schedule_context(resources={"db": connection}))
    with dg.build_schedule_context(resources={"db": connection}) as context:
        assert daily(context).run_key == "open"
    assert closed == ["closed"]


def test_resources_of_the_definitions_are_taken_where_none_are_given() -> None:
    """A tick finds them where the schedule is defined."""

    @dg.schedule("@daily", job=load, required_resource_keys={"bucket"})
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.resources.bucket.name)

    definitions = dg.Definitions(assets=[orders], schedules=[daily], resources={"bucket": Bucket(name="in")})
    context = dg.build_schedule_context(repository_def=definitions.get_repository_def())
    assert daily.evaluate_tick(context).run_requests[0].run_key == "in"


# -- sensors of assets and runs ---------------------------------------------------------------------------------------


def test_an_asset_sensor_is_asked_once_for_each_materialization() -> None:
    """It has the event, and its cursor is kept for it."""

    @dg.asset_sensor(asset_key=orders.key, job=load)
    def after_orders(context: dg.SensorEvaluationContext, asset_event: Any) -> dg.RunRequest:
        return dg.RunRequest(run_key=asset_event.run_id)

    with dg.instance_for_test() as instance:
        run = dg.materialize([orders], instance=instance)
        first = after_orders.evaluate_tick(dg.build_sensor_context(instance))
        assert [one.run_key for one in first.run_requests] == [run.run_id]
        again = after_orders.evaluate_tick(dg.build_sensor_context(instance, cursor=first.cursor))
        assert not again.run_requests
        assert "wasn't materialized" in str(again.skip_message)


def test_a_sensor_of_failures_is_asked_for_each_run_that_failed() -> None:
    """What happened before its first tick is past; an exception of its own is kept and the others have their turn."""
    told: list[str] = []

    @dg.op
    def explode() -> None:
        raise ValueError("too hot")

    @dg.job
    def oven() -> None:
        explode()

    @dg.run_failure_sensor(monitored_jobs=[oven])
    def watch(context: dg.RunFailureSensorContext) -> None:
        told.append(context.failure_event.message)
        (step,) = context.get_step_failure_events()
        told.append(str(step.step_key))
        if len(told) == 2:
            raise RuntimeError("the pager is broken")

    with dg.instance_for_test() as instance:
        oven.execute_in_process(instance=instance, raise_on_error=False)
        first = watch.evaluate_tick(dg.build_sensor_context(instance))
        assert told == []
        for _ in range(2):
            oven.execute_in_process(instance=instance, raise_on_error=False)
        second = watch.evaluate_tick(dg.build_sensor_context(instance, cursor=first.cursor))
        assert told == ["explode: ValueError: too hot", "explode"] * 2
        assert [str(one.error) for one in second.dagster_run_reactions] == ["the pager is broken", "None"]
        third = watch.evaluate_tick(dg.build_sensor_context(instance, cursor=second.cursor))
        assert not third.dagster_run_reactions


def test_a_multi_asset_sensor_moves_its_own_cursor() -> None:
    """What was not dealt with comes again; what was doesn't."""
    cut = dg.StaticPartitionsDefinition(["a", "b", "c"])

    @dg.asset(partitions_def=cut)
    def parts() -> int:
        return 1

    @dg.multi_asset_sensor(monitored_assets=[parts.key])
    def look(context: dg.MultiAssetSensorEvaluationContext) -> dg.SkipReason:
        found = context.latest_materialization_records_by_partition(parts.key)
        seen.append([*found])
        if "b" in found:
            context.advance_cursor({parts.key: found["b"]})
        return dg.SkipReason("looked")

    seen: list[list[str]] = []
    definitions = dg.Definitions(assets=[parts])
    with dg.instance_for_test() as instance:
        for key in "abc":
            dg.materialize([parts], instance=instance, partition_key=key)
        cursor = None
        for _ in range(2):
            context = dg.build_sensor_context(instance, cursor=cursor, definitions=definitions)
            cursor = look.evaluate_tick(context).cursor
        assert seen == [["a", "b", "c"], ["a", "c"]]


def test_reports_of_a_sensor_reach_the_instance_only_when_somebody_takes_them() -> None:
    """A tick changes nothing by itself."""
    found = sensed(
        dg.SensorResult(
            asset_events=[dg.AssetMaterialization("elsewhere")],
            dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest("fruits", ["apple"])],
        )
    )
    assert [event.asset_key.to_user_string() for event in found.asset_events] == ["elsewhere"]
    assert found.dynamic_partitions_requests[0].partition_keys == ["apple"]
