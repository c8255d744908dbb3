"""Checks of how old assets are, and the sensor that runs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from ipy_orch import (
    AssetMaterialization,
    AssetObservation,
    DagsterInstance,
    DailyPartitionsDefinition,
    Definitions,
    MetadataValue,
    RunRequest,
    SkipReason,
    asset,
    build_last_update_freshness_checks,
    build_sensor_context,
    build_sensor_for_freshness_checks,
    build_time_partition_freshness_checks,
)
from ipy_orch.errors import CheckError

NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def verdict(checks, assets, instance, now):
    """Return what the check says at a moment."""
    defs = Definitions(assets=assets, asset_checks=checks)
    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_check_selection={checks[0].check_key})
    with time_machine.travel(now, tick=False):
        return job.execute_in_process(instance=instance).get_asset_check_evaluations()[0]


@asset
def orders():
    """Be an asset."""


def test_the_newest_update_decides() -> None:
    """It passes for as long as it says itself."""
    checks = build_last_update_freshness_checks(assets=[orders], lower_bound_delta=HOUR)
    instance = DagsterInstance.ephemeral()
    assert not verdict(checks, [orders], instance, NOON).passed
    with time_machine.travel(NOON, tick=False):
        instance.report_runless_asset_event(AssetMaterialization("orders"))
    found = verdict(checks, [orders], instance, NOON + HOUR)
    assert found.passed
    assert found.metadata["dagster/fresh_until_timestamp"].value == (NOON + HOUR).timestamp()
    assert not verdict(checks, [orders], instance, NOON + HOUR + timedelta(seconds=1)).passed


def test_an_observation_says_when_the_asset_was_updated() -> None:
    """One that doesn't say it doesn't count."""
    checks = build_last_update_freshness_checks(assets=[orders], lower_bound_delta=HOUR)
    instance = DagsterInstance.ephemeral()
    old = {"dagster/last_updated_timestamp": MetadataValue.timestamp((NOON - 2 * HOUR).timestamp())}
    with time_machine.travel(NOON, tick=False):
        instance.report_runless_asset_event(AssetObservation("orders", metadata=old))
    assert not verdict(checks, [orders], instance, NOON).passed


def test_the_partition_that_was_complete_at_the_deadline() -> None:
    """A later one doesn't stand for it."""

    @asset(partitions_def=DailyPartitionsDefinition("2024-03-01"))
    def sales(): ...

    checks = build_time_partition_freshness_checks(assets=[sales], deadline_cron="0 9 * * *")
    instance = DagsterInstance.ephemeral()
    instance.report_runless_asset_event(AssetMaterialization("sales", partition="2024-03-13"))
    assert "2024-03-14" in verdict(checks, [sales], instance, NOON).description
    instance.report_runless_asset_event(AssetMaterialization("sales", partition="2024-03-14"))
    assert verdict(checks, [sales], instance, NOON).passed
    assert not verdict(checks, [sales], instance, NOON + 24 * HOUR).passed


def test_what_can_t_be_asked_for() -> None:
    """It is refused where it is said."""
    with pytest.raises(CheckError, match="twice"):
        build_last_update_freshness_checks(assets=[orders, "orders"], lower_bound_delta=HOUR)
    with pytest.raises(CheckError):
        build_time_partition_freshness_checks(assets=[orders], deadline_cron="noon")


def test_a_sensor_runs_checks_that_may_say_something_else() -> None:
    """Those that never ran, and later those whose time is over."""
    checks = build_last_update_freshness_checks(assets=[orders], lower_bound_delta=HOUR)
    sensor = build_sensor_for_freshness_checks(freshness_checks=checks, tags={"why": "age"})
    instance = DagsterInstance.ephemeral()
    defs = Definitions(assets=[orders], asset_checks=checks, sensors=[sensor])

    def asked(now):
        with time_machine.travel(now, tick=False):
            return sensor(build_sensor_context(instance=instance, definitions=defs))

    first = asked(NOON)
    assert isinstance(first, RunRequest)
    assert first.asset_check_keys == [checks[0].check_key]
    assert first.tags["why"] == "age"
    with time_machine.travel(NOON, tick=False):
        instance.report_runless_asset_event(AssetMaterialization("orders"))
    assert verdict(checks, [orders], instance, NOON + timedelta(seconds=1)).passed
    assert isinstance(asked(NOON + HOUR / 2), SkipReason)
    assert isinstance(asked(NOON + 2 * HOUR), RunRequest)
    with pytest.raises(CheckError, match="there twice"):
        build_sensor_for_freshness_checks(freshness_checks=[*checks, *checks])
