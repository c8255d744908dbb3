"""The result of an execution in this process, under Dagster's names."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch.authoring.assets import asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.materialize import materialize_to_memory
from ipy_orch.execution.records.instance import DagsterInstance, DagsterRunStatus, instance_for_test
from ipy_orch.execution.records.results import DagsterEventType, ExecuteInProcessResult
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.policies import Failure
from ipy_orch.model.results import AssetMaterialization, AssetObservation, DataVersion, Output


@asset
def orders() -> Output[int]:
    """Be three."""
    return Output(3, metadata={"rows": 3}, data_version=DataVersion("v3"))


@asset
def report(orders: int) -> int:
    """Add one."""
    return orders + 1


@asset_check(asset=orders)
def some(orders: int) -> bool:
    """Hold."""
    return orders > 0


@pytest.fixture
def result() -> ExecuteInProcessResult:
    """Return the result of a run of two assets and a check."""
    return materialize_to_memory([orders, report, some])


def test_values(result: ExecuteInProcessResult) -> None:
    """Values are found by step and by asset."""
    assert result.success
    assert result.output_for_node("report") == 4
    assert result.asset_value("orders") == 3


def test_unknown_value_names_the_closest(result: ExecuteInProcessResult) -> None:
    """A typo gets a hint."""
    with pytest.raises(DagsterInvariantViolationError, match="report"):
        result.output_for_node("reprot")
    with pytest.raises(DagsterInvariantViolationError, match="orders"):
        result.asset_value("oders")


def test_events_have_dagsters_kinds(result: ExecuteInProcessResult) -> None:
    """The events of a step in their order."""
    kinds = [event.event_type_value for event in result.events_for_node("report")]
    assert kinds == [
        "STEP_START",
        "LOADED_INPUT",
        "STEP_INPUT",
        "ASSET_MATERIALIZATION",
        "STEP_OUTPUT",
        "HANDLED_OUTPUT",
        "STEP_SUCCESS",
    ]
    assert result.all_events[0].event_type is DagsterEventType.RUN_START
    assert result.all_events[-1].is_run_success


def test_materializations(result: ExecuteInProcessResult) -> None:
    """A materialization has its metadata, and its data version as a tag."""
    (made,) = result.asset_materializations_for_node("orders")
    assert made.metadata["rows"].value == 3
    assert made.tags["dagster/data_version"] == "v3"


def test_nothing_is_announced(result: ExecuteInProcessResult) -> None:
    """A run in this process tells what it made, not what it was going to."""
    assert result.get_asset_materialization_planned_events() == []


def test_verdicts(result: ExecuteInProcessResult) -> None:
    """A verdict knows the materialization that it is about."""
    (verdict,) = result.get_asset_check_evaluations()
    assert verdict.passed
    assert verdict.target_materialization_data.run_id == result.run_id


def test_value_that_was_not_made_is_not_loaded() -> None:
    """An earlier run's isn't this run's, whether the step failed or wasn't begun."""

    @asset
    def broken() -> int:
        raise OSError

    @asset
    def below(broken: int) -> int:
        return broken

    result = materialize_to_memory([broken, below], raise_on_error=False)
    for name in ("broken", "below"):
        with pytest.raises(DagsterInvariantViolationError, match=name):
            result.asset_value(name)


def test_failure_is_told() -> None:
    """A failed step has its error, the class by name, and what a Failure says."""

    @asset
    def bad() -> None:
        raise Failure("no rows", metadata={"rows": 0})

    result = materialize_to_memory([bad], raise_on_error=False)
    (event,) = result.get_step_failure_events()
    told = event.step_failure_data
    assert result.get_failed_step_keys() == {"bad"}
    assert told.error.cls_name == "Failure"
    assert "no rows" in told.error_display_string
    assert told.user_failure_data.metadata["rows"].value == 0


def test_reports_of_the_user_come_as_they_are() -> None:
    """A logged materialization of another asset gets no tags of ours."""

    @asset
    def one(context: Any) -> None:
        context.log_event(AssetMaterialization("other"))
        context.log_event(AssetObservation("third", metadata={"n": 1}))

    result = materialize_to_memory([one])
    other = result.get_asset_materialization_events()[0].materialization
    assert (other.asset_key, other.tags) == (AssetKey("other"), None)
    assert result.asset_observations_for_node("one")[0].metadata["n"].value == 1


# -- the instance


def test_instance_knows_what_happened() -> None:
    """Runs, materializations and verdicts are found afterwards."""
    with instance_for_test() as instance:
        result = materialize_to_memory([orders, some], instance=instance)
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert run.status is DagsterRunStatus.SUCCESS
        event = instance.get_latest_materialization_event(AssetKey("orders"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.run_id == result.run_id
        record = instance.get_latest_asset_check_evaluation_record(AssetCheckKey(AssetKey("orders"), "some"))
        assert record is not None
        target = record.event_log_entry.dagster_event.event_specific_data.target_materialization_data
        assert target.storage_id == instance.fetch_materializations(AssetKey("orders"), limit=1).records[0].storage_id
        assert DagsterInstance.get() is instance


def test_instance_takes_reports_without_a_run() -> None:
    """An external asset's materialization can be reported."""
    instance = DagsterInstance.ephemeral()
    instance.report_runless_asset_event(AssetMaterialization("outside", partition="2026"))
    assert instance.get_asset_keys() == [AssetKey("outside")]
    assert instance.get_materialized_partitions(AssetKey("outside")) == {"2026"}
    assert instance.get_latest_materialization_event(AssetKey("unknown")) is None
