"""Schedules, sensors and requests as values: what they say, and what they refuse."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

import ipy_orch as dg
from ipy_orch.errors import CheckError

days = dg.DailyPartitionsDefinition("2024-01-01")


@dg.asset
def orders() -> int:
    """Return orders."""
    return 1


@dg.asset(partitions_def=days)
def sales() -> int:
    """Return sales."""
    return 1


load = dg.define_asset_job("load", "orders")
by_day = dg.define_asset_job("by_day", "sales")


def on(text: str) -> datetime:
    """Return a moment on the wall."""
    return datetime.fromisoformat(text)


# -- requests ---------------------------------------------------------------------------------------------------------


def test_a_request_says_what_is_to_run() -> None:
    """Config becomes plain data, and tags become strings."""
    request = dg.RunRequest("key", dg.RunConfig(ops={"a": {}}), {"limits": {"cpu": 2}}, asset_selection=[orders.key])
    assert (request.run_config["ops"], request.tags) == ({"a": {}}, {"limits": '{"cpu": 2}'})
    assert request.entity_keys == [orders.key]
    assert request.with_replaced_attrs(run_key="other").run_key == "other"
    assert request == dg.RunRequest(
        "key", request.run_config, tags={"limits": '{"cpu": 2}'}, asset_selection=[orders.key]
    )


@pytest.mark.parametrize(
    "said", [{"run_key": 3}, {"run_config": "x"}, {"asset_selection": ["orders"]}, {"asset_check_keys": [orders.key]}]
)
def test_a_request_of_other_types_is_refused(said: Any) -> None:
    """Naming the argument."""
    with pytest.raises(CheckError):
        dg.RunRequest(**said)


def test_a_result_asks_for_runs_or_skips() -> None:
    """Not both; a reason may be a text."""
    reason = dg.SensorResult(skip_reason="why").skip_reason
    assert reason == dg.SkipReason("why")
    with pytest.raises(CheckError, match="not both"):
        dg.SensorResult([dg.RunRequest()], skip_reason="why")
    with pytest.raises(CheckError, match="asset_events"):
        dg.SensorResult(asset_events=["orders"])  # type: ignore[list-item]


@pytest.mark.filterwarnings("ignore:`partitions_def` of job")
def test_a_job_asks_for_one_of_its_partitions() -> None:
    """With the partition's tags and config; an unknown one, and a job without partitions, are refused."""
    job = dg.define_asset_job("by_day", "sales", partitions_def=days, config={"ops": {}})
    request = job.run_request_for_partition("2024-01-02", tags={"why": "late"})
    assert request.tags == {"why": "late", "dagster/partition": "2024-01-02"}
    assert (request.job_name, request.partition_key, request.run_config) == ("by_day", "2024-01-02", {"ops": {}})
    resolved = dg.Definitions(assets=[sales], jobs=[job]).resolve_job_def("by_day")
    assert resolved.run_request_for_partition("2024-01-02", run_config={"a": 1}).run_config == {"a": 1}
    with pytest.raises(dg.DagsterUnknownPartitionError):
        job.run_request_for_partition("2023-12-31")
    with pytest.raises(CheckError, match="partitions_def"):
        load.run_request_for_partition("a")


# -- schedules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"cron_schedule": "0 25 * * *"}, "Bad hour"),
        ({"cron_schedule": "daily"}, "five fields"),
        ({"cron_schedule": ["@daily", "* * * * * *"]}, "five fields"),
        ({"cron_schedule": []}, "no cron schedule"),
        ({"execution_timezone": "Europe/Berln"}, "did you mean `Europe/Berlin`"),
        ({"job": load}, "say the same thing"),
        ({"tags": {"dagster/run_key": "x"}}, "the system does"),
        ({"owners": ["nobody"]}, "team:nobody"),
        ({"run_config": {"a": 1}, "run_config_fn": dict}, "say the same thing"),
        ({"execution_fn": lambda: None, "should_execute": lambda _: True}, "decides whether to run"),
        ({"name": "a-b"}, "`a_b`"),
    ],
)
def test_a_schedule_that_contradicts_itself_is_refused(said: Any, told: str) -> None:
    """With what is wrong."""
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=told):
        dg.ScheduleDefinition(**{"job_name": "load", "cron_schedule": "@daily", **said})


def test_a_schedule_needs_something_to_run() -> None:
    """And a selection needs a name to go by."""
    with pytest.raises(CheckError, match="none was given"):
        dg.ScheduleDefinition(cron_schedule="@daily")
    with pytest.raises(CheckError, match="needs a `name`"):
        dg.ScheduleDefinition(cron_schedule="@daily", target="orders")


def test_a_step_beyond_its_field_is_warned_of() -> None:
    """It would tick more often than it says."""
    with pytest.warns(UserWarning, match="counts from 0 again after 59"):
        dg.ScheduleDefinition(job_name="load", cron_schedule="*/90 * * * *")


def test_copies_run_another_job_or_have_other_metadata() -> None:
    """And leave the original as it is."""
    one = dg.ScheduleDefinition(job=load, cron_schedule="@daily", metadata={"a": 1})
    other = one.with_updated_job(by_day)
    assert (one.job_name, other.job_name, other.name) == ("load", "by_day", "load_schedule")
    assert one.with_attributes(metadata={}).metadata == {}
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="name of its job only"):
        _ = dg.ScheduleDefinition(job_name="load", cron_schedule="@daily").job


# -- sensors ----------------------------------------------------------------------------------------------------------


def nothing() -> None:
    """Ask for nothing."""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"job": load, "job_name": "load"}, "say the same thing"),
        ({"jobs": []}, "some with different names"),
        ({"jobs": [load, load]}, "some with different names"),
        ({"evaluation_fn": None}, "evaluation_fn"),
        ({"tags": {"dagster/tick": "x"}}, "the system does"),
    ],
)
def test_a_sensor_that_contradicts_itself_is_refused(said: Any, told: str) -> None:
    """With what is wrong."""
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=told):
        dg.SensorDefinition(**{"evaluation_fn": nothing, **said})


def test_a_sensor_knows_what_it_runs() -> None:
    """None, one, or several jobs."""
    none, several = (
        dg.SensorDefinition(evaluation_fn=nothing),
        dg.SensorDefinition(evaluation_fn=nothing, jobs=[load, by_day]),
    )
    assert none.name == "nothing"
    assert [job.name for job in several.jobs] == ["load", "by_day"]
    for one in (none, several):
        with pytest.raises(dg.DagsterInvalidDefinitionError, match="of sensors with one job"):
            _ = one.job
    assert several.with_updated_job(load).job is load


def test_a_status_sensor_looks_at_a_status() -> None:
    """And at jobs."""
    with pytest.raises(CheckError, match="DagsterRunStatus"):
        dg.RunStatusSensorDefinition("one", "SUCCESS", nothing)
    with pytest.raises(CheckError, match="holds jobs"):
        dg.RunStatusSensorDefinition("one", dg.DagsterRunStatus.SUCCESS, nothing, monitored_jobs=["load"])
    with pytest.raises(CheckError, match="holds AssetKeys"):
        dg.MultiAssetSensorDefinition("one", ["orders", 3], None, nothing)


# -- partitioned jobs -------------------------------------------------------------------------------------------------


def asked(schedule: Any, moment: datetime, **more: Any) -> list[str]:
    """Return the partitions that a schedule asks for at a moment."""
    found = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=moment, **more))
    return [one.partition_key for one in found.run_requests]


@pytest.mark.filterwarnings("ignore:`partitions_def` of job")
def test_a_schedule_follows_the_partitions_of_its_job() -> None:
    """Each is run when it has ended, or later in the day; what is left out isn't run twice."""
    cut = dg.DailyPartitionsDefinition("2024-01-01", timezone="Asia/Tokyo", exclusions=[on("2024-01-03 00:00")])
    job = dg.define_asset_job("daily", partitions_def=cut)
    schedule = dg.build_schedule_from_partitioned_job(job, hour_of_day=4, minute_of_hour=30)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * *", "Asia/Tokyo")
    assert asked(schedule, on("2024-01-03 04:30")) == ["2024-01-02"]
    assert asked(schedule, on("2024-01-04 04:30")) == []
    assert asked(schedule, on("2024-01-05 04:30")) == ["2024-01-04"]
    assert asked(schedule, on("2024-01-01 04:30")) == []


@pytest.mark.filterwarnings("ignore:`partitions_def` of job")
def test_partitions_of_two_kinds_and_static_ones_run_together() -> None:
    """All that end at that moment; static ones at the moments of a cron schedule."""
    both = dg.MultiPartitionsDefinition({"day": days, "shop": dg.DynamicPartitionsDefinition(name="shops")})
    schedule = dg.build_schedule_from_partitioned_job(dg.define_asset_job("both", partitions_def=both))
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions("shops", ["n", "s"])
        assert asked(schedule, on("2024-01-02 00:00"), instance=instance) == ["2024-01-01|n", "2024-01-01|s"]
    static = dg.define_asset_job("static", partitions_def=dg.StaticPartitionsDefinition(["n", "s"]))
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="no schedule follows"):
        dg.build_schedule_from_partitioned_job(static)
    assert asked(dg.build_schedule_from_partitioned_job(static, cron_schedule="@daily"), on("2024-01-02 00:00")) == [
        "n",
        "s",
    ]


# -- definitions ------------------------------------------------------------------------------------------------------


def test_what_schedules_and_sensors_bring_counts_as_defined() -> None:
    """Their jobs, and the assets that stand in their targets; partitions of assets give the moments."""
    daily = dg.ScheduleDefinition("daily", cron_schedule="@daily", target=[orders])
    follows = dg.build_schedule_from_partitioned_job(by_day)
    definitions = dg.Definitions(assets=[sales], schedules=[daily, follows])
    assert definitions.resolve_assets_def("orders") is orders
    assert definitions.resolve_job_def(daily.job_name).execute_in_process().success
    assert definitions.resolve_schedule_def("by_day_schedule").cron_schedule == "0 0 * * *"
    dg.Definitions.validate_loadable(definitions)


def test_definitions_find_schedules_and_sensors_by_name() -> None:
    """With the closest name where there's none."""
    look = dg.SensorDefinition("look", evaluation_fn=nothing, job=load)
    definitions = dg.Definitions(assets=[orders], sensors=[look])
    assert definitions.get_sensor_def("look") is look
    assert definitions.get_repository_def().get_sensor_def("look") is look
    with pytest.raises(dg.DagsterInvariantViolationError, match="did you mean `look`"):
        definitions.get_sensor_def("lok")
    with pytest.raises(dg.DagsterInvariantViolationError, match="no schedule `look`"):
        definitions.get_schedule_def("look")


@pytest.mark.parametrize(
    ("sensor", "told"),
    [
        (dg.SensorDefinition("look", evaluation_fn=nothing, job_name="laod"), "did you mean `load`"),
        (dg.SensorDefinition("load_schedule", evaluation_fn=nothing), "two schedules or sensors"),
        (dg.SensorDefinition("look", evaluation_fn=nothing, required_resource_keys={"bucket"}), "`bucket`"),
    ],
)
def test_definitions_that_contradict_each_other_are_refused(sensor: Any, told: str) -> None:
    """A job that isn't there, a name that is there twice, a missing resource."""
    daily = dg.ScheduleDefinition(job=load, cron_schedule="@daily")
    definitions = dg.Definitions(assets=[orders], jobs=[load], schedules=[daily], sensors=[sensor])
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=told):
        dg.Definitions.validate_loadable(definitions)


def test_metadata_of_all_definitions_can_be_changed_at_once() -> None:
    """And what schedules run stays what is defined."""
    daily = dg.ScheduleDefinition(job=load, cron_schedule="@daily")
    made = dg.Definitions(assets=[orders], jobs=[load], schedules=[daily]).with_definition_metadata_update(
        lambda metadata: {**metadata, "team": "core"}
    )
    assert made.get_schedule_def("load_schedule").metadata["team"].value == "core"
    assert made.resolve_job_def("load").metadata["team"].value == "core"
    dg.Definitions.validate_loadable(made)


def test_a_repository_holds_schedules_and_sensors() -> None:
    """Told apart from assets and jobs."""
    look = dg.SensorDefinition("look", evaluation_fn=nothing)

    @dg.repository
    def shop() -> list[Any]:
        return [orders, look, dg.ScheduleDefinition(job=load, cron_schedule="@daily")]

    assert shop.has_sensor_def("look")
    assert shop.has_schedule_def("load_schedule")
    assert shop.has_job("load")
    assert shop() is shop


def test_the_interval_of_a_sensor_where_none_is_said():
    """It's half a minute, as in Dagster."""
    sensors = [dg.AutomationConditionSensorDefinition("all", target="*"), dg.sensor(name="one", job_name="j")(print)]
    assert [one.minimum_interval_seconds for one in sensors] == [30, 30]
