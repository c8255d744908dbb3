"""The instance's answers: runs, records and assets, as sensors and tests ask for them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

import ipy_orch as dg

PARTS = dg.StaticPartitionsDefinition(["a", "b", "c"])


class Limits(dg.Config):
    """Be a sample."""

    limit: int = 1
    token: str = "none"
    password: SecretStr = SecretStr("none")


@dg.asset
def orders(context: dg.AssetExecutionContext, config: Limits) -> int:
    """Be the limit."""
    assert context.instance.get_run_by_id(context.run_id).run_config.keys() == context.run.run_config.keys()
    return config.limit


@dg.asset
def report(orders: int) -> int:
    """Be a sample."""
    return orders


@dg.asset(partitions_def=PARTS)
def part(context: dg.AssetExecutionContext) -> None:
    """Fail for one partition."""
    if context.partition_key == "b":
        raise ValueError("no b")


NIGHTLY = dg.define_asset_job("nightly", selection=["orders", "report"])
DEFS = dg.Definitions([orders, report], jobs=[NIGHTLY])


@pytest.fixture
def instance() -> dg.DagsterInstance:
    """Return an instance in which assets ran, then a job."""
    made = dg.DagsterInstance.ephemeral()
    dg.materialize([orders], instance=made, tags={"team": "shop"})
    DEFS.resolve_job_def("nightly").execute_in_process(instance=made)
    return made


def test_a_run_tells_its_config() -> None:
    """It is what was given, for `materialize` and for jobs."""
    written = {"ops": {"orders": {"config": {"limit": 3}}}}
    instance = dg.DagsterInstance.ephemeral()
    run = dg.materialize([orders], run_config=written, instance=instance).dagster_run
    assert run.run_config == written == instance.get_run_by_id(run.run_id).run_config
    assert (run.asset_selection, run.asset_check_selection) == (frozenset(), None)

    typed = dg.RunConfig(ops={"orders": Limits(limit=3)})
    job = DEFS.resolve_job_def("nightly")
    run = job.execute_in_process(run_config=typed, asset_selection=[orders.key], instance=instance).dagster_run
    assert (run.job_name, run.run_config, run.asset_selection) == ("nightly", written, {orders.key})
    assert dg.materialize([orders]).dagster_run.run_config == {}


def test_a_run_tells_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables stay names, and the value of a secret field isn't shown."""
    monkeypatch.setenv("TOKEN_OF_ORDERS", "swordfish-77")
    secrets: dict[str, Any] = {"token": {"env": "TOKEN_OF_ORDERS"}, "password": "halibut-88"}
    typed = dg.RunConfig(ops={"orders": Limits(token=dg.EnvVar("TOKEN_OF_ORDERS"), password="halibut-88")})  # type: ignore[arg-type]
    for written in ({"ops": {"orders": {"config": secrets}}}, typed):
        instance = dg.DagsterInstance.ephemeral()
        run = dg.materialize([orders], run_config=written, instance=instance).dagster_run
        assert run.run_config["ops"]["orders"]["config"]["token"] == {"env": "TOKEN_OF_ORDERS"}
        told = repr((run, instance.get_runs(), instance.get_run_records()))
        assert "swordfish" not in told
        assert "halibut" not in told


def test_what_a_run_is_called() -> None:
    """The job and the id have Dagster's forms."""
    run = dg.materialize([orders]).dagster_run
    assert run.job_name == "__ephemeral_asset_job__"
    assert str(uuid.UUID(run.run_id)) == run.run_id


def test_runs_are_found_by_filters(instance: dg.DagsterInstance) -> None:
    """By job, status, tags, ids and times; page by page."""
    (newest, oldest) = instance.get_runs()
    assert (newest.job_name, oldest.tags) == ("nightly", {"team": "shop"})
    earlier = datetime.now(UTC) - timedelta(hours=1)
    found: list[tuple[list[dg.DagsterRun], list[dg.RunsFilter]]] = [
        (
            [oldest],
            [
                dg.RunsFilter(tags={"team": "shop"}),
                dg.RunsFilter(tags={"team": ["bank", "shop"]}),
                dg.RunsFilter([oldest.run_id]),
            ],
        ),
        ([newest], [dg.RunsFilter(job_name="nightly")]),
        (
            [],
            [
                dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]),
                dg.RunsFilter(run_ids=[]),
                dg.RunsFilter(tags={"team": "bank"}),
                dg.RunsFilter(created_before=earlier),
                dg.RunsFilter(updated_before=earlier),
            ],
        ),
    ]
    for runs, filters in found:
        for one in filters:
            assert instance.get_runs(filters=one) == runs
    assert instance.get_runs_count(dg.RunsFilter(created_after=earlier, updated_after=earlier)) == 2
    assert instance.get_run_ids(limit=1) == [newest.run_id]
    assert instance.get_runs(cursor=newest.run_id) == [oldest] == instance.get_runs(ascending=True, limit=1)
    with pytest.raises(dg.CheckError, match="RunsFilter"):
        instance.get_runs("nightly")  # type: ignore[arg-type]


def test_runs_have_times_and_numbers(instance: dg.DagsterInstance) -> None:
    """A record of a run says when it began and ended, and what it did is counted."""
    first, second = instance.get_run_records(order_by="update_timestamp", ascending=True)
    assert isinstance(first, dg.RunRecord)
    assert first.storage_id < second.storage_id
    assert first.create_timestamp <= first.update_timestamp <= second.create_timestamp
    assert first.start_time <= first.end_time <= second.start_time
    assert instance.get_run_record_by_id(second.dagster_run.run_id) == second
    stats = instance.get_run_stats(second.dagster_run.run_id)
    assert (stats.steps_succeeded, stats.steps_failed, stats.materializations) == (2, 0, 2)
    assert stats.start_time <= stats.end_time


def test_a_run_is_tagged_and_deleted(instance: dg.DagsterInstance) -> None:
    """Tags are added; what happened in a run that is deleted is gone with it."""
    (newest, oldest) = instance.get_runs()
    instance.add_run_tags(newest.run_id, {"seen": "yes"})
    assert instance.get_run_by_id(newest.run_id).tags == {"seen": "yes"}
    with pytest.raises(dg.DagsterRunNotFoundError):
        instance.add_run_tags("nope", {})

    instance.delete_run(newest.run_id)
    instance.delete_run("nope")
    assert instance.get_runs() == [oldest]
    assert not instance.has_run(newest.run_id)
    assert instance.all_asset_keys() == [orders.key]
    assert instance.get_latest_materialization_event(orders.key).run_id == oldest.run_id


def test_records_are_found_by_filters(instance: dg.DagsterInstance) -> None:
    """By kind, asset, partition, number and time."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    newest, middle, oldest = instance.get_event_records(dg.EventRecordsFilter(kind))
    assert (newest.asset_key, oldest.asset_key) == (report.key, orders.key)
    assert newest.event_log_entry.job_name == "nightly"
    assert instance.get_event_records(dg.EventRecordsFilter(kind, asset_key=report.key)) == [newest]
    assert instance.get_event_records(dg.EventRecordsFilter(kind, after_cursor=middle.storage_id)) == [newest]
    assert instance.get_event_records(dg.EventRecordsFilter(kind, before_cursor=middle.storage_id)) == [oldest]
    assert instance.get_event_records(dg.EventRecordsFilter(kind, before_timestamp=1.0)) == []
    assert instance.get_event_records(dg.EventRecordsFilter(kind, asset_partitions=["a"])) == []
    assert instance.get_event_records(dg.EventRecordsFilter(kind, storage_ids=[oldest.storage_id])) == [oldest]
    with pytest.raises(dg.CheckError, match="EventRecordsFilter"):
        instance.get_event_records(kind)  # type: ignore[arg-type]


def test_records_come_in_pages(instance: dg.DagsterInstance) -> None:
    """The cursor of a page leads to the next, in both directions."""
    for ascending in (False, True):
        first = instance.fetch_materializations(orders.key, limit=1, ascending=ascending)
        second = instance.fetch_materializations(orders.key, limit=1, cursor=first.cursor, ascending=ascending)
        last = instance.fetch_materializations(orders.key, limit=1, cursor=second.cursor, ascending=ascending)
        assert [one.has_more for one in (first, second, last)] == [True, False, False]
        numbers = [page.records[0].storage_id for page in (first, second)]
        assert sorted(numbers, reverse=not ascending) == numbers
        assert len(set(numbers)) == 2
        assert (last.records, last.cursor) == ([], second.cursor)


def test_records_of_a_run(instance: dg.DagsterInstance) -> None:
    """All of them in order, or those of a kind."""
    run_id = instance.get_runs()[0].run_id
    kinds = [one.event_log_entry.dagster_event_type for one in instance.get_records_for_run(run_id).records]
    assert (kinds[0], kinds[-1]) == (dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS)
    of_kind = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_SUCCESS, limit=1)
    assert (len(of_kind.records), of_kind.has_more) == (1, True)


def test_what_is_known_of_assets(instance: dg.DagsterInstance) -> None:
    """Their newest records; what is wiped is forgotten until it is made again."""
    first, second = instance.get_asset_records()
    assert [one.asset_entry.asset_key for one in (first, second)] == [orders.key, report.key]
    entry = first.asset_entry
    assert entry.last_materialization == instance.get_latest_materialization_event(orders.key)
    assert entry.last_run_id == instance.get_runs()[0].run_id
    assert first.storage_id == entry.last_materialization_storage_id
    assert (entry.last_observation, entry.last_observation_record) == (None, None)
    assert instance.get_asset_records([report.key]) == [second]
    assert instance.get_asset_keys(prefix=["orders"]) == instance.get_asset_keys(limit=1) == [orders.key]

    instance.wipe_assets([orders.key, dg.AssetKey("unknown")])
    assert instance.all_asset_keys() == [report.key]
    assert instance.get_latest_materialization_event(orders.key) is None
    assert instance.get_asset_records([orders.key]) == []
    dg.materialize([orders], instance=instance)
    assert len(instance.fetch_materializations(orders.key).records) == 1


def test_how_partitions_stand(instance: dg.DagsterInstance) -> None:
    """Made, failed or unknown; a partition can be wiped alone."""
    for key in ("a", "b"):
        dg.materialize([part], partition_key=key, instance=instance, raise_on_error=False)
    made, failed = dg.AssetPartitionStatus.MATERIALIZED, dg.AssetPartitionStatus.FAILED
    assert instance.get_status_by_partition(part.key, ["a", "b", "c"], PARTS) == {"a": made, "b": failed, "c": None}
    instance.wipe_asset_partitions(part.key, ["a"])
    assert instance.get_materialized_partitions(part.key) == set()


def test_data_versions(instance: dg.DagsterInstance) -> None:
    """The record that tells one is where an asset was made, else where it was looked at."""
    made = instance.get_latest_data_version_record(orders.key)
    assert made.asset_materialization.tags["dagster/data_version"]
    assert instance.get_latest_data_version_record(orders.key, is_source=True) is None
    assert instance.get_latest_data_version_record(orders.key, before_cursor=made.storage_id) != made

    instance.report_runless_asset_event(
        dg.AssetObservation("source", tags={"dagster/data_version": "two"}),
    )
    seen = instance.get_latest_data_version_record(dg.AssetKey("source"))
    assert seen.asset_observation.data_version == "two"
    assert instance.get_latest_data_version_record(dg.AssetKey("source"), is_source=False) is None


def test_what_it_is() -> None:
    """It is ephemeral, and knows of no backfills."""
    instance = dg.DagsterInstance.ephemeral()
    assert (instance.is_ephemeral, instance.is_persistent, instance.get_backfills()) == (True, False, [])
