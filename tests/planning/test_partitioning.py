"""Which partitions a request makes, and brings up to date first; and how partitions stand."""

from __future__ import annotations

# ruff: noqa: DTZ001 - a moment without a timezone is that of the partitions
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from ipy_orch import (
    AssetCheckResult,
    AssetDep,
    AssetKey,
    AssetMaterialization,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
    DagsterUnknownPartitionError,
    DailyPartitionsDefinition,
    Definitions,
    LastPartitionMapping,
    StaticPartitionsDefinition,
    TimeWindowPartitionMapping,
    WeeklyPartitionsDefinition,
    asset,
    asset_check,
    partition_loading_context,
)
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Materialized, Part
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partitioning import chosen_partitions
from ipy_orch.planning.plan import Knowledge, Plan, Request, plan
from ipy_orch.planning.staleness import combined, version_for
from ipy_orch.planning.survey import statuses

DAYS, WEEKS = DailyPartitionsDefinition("2024-01-07"), WeeklyPartitionsDefinition("2024-01-07")
CODE = (Part("code", "", "1"),)
KNOWLEDGE = Knowledge(lambda _: CODE)


@pytest.fixture(autouse=True)
def _in_february() -> Iterator[None]:
    with partition_loading_context(datetime(2024, 2, 1)):
        yield


@asset
def names() -> int:
    """Have no partitions."""
    return 1


@asset(partitions_def=DAYS)
def daily(names: int) -> int:
    """Be cut by days."""
    return names


@asset(partitions_def=WEEKS)
def weekly(daily: dict[str, int]) -> int:
    """Be cut by weeks."""
    return len(daily)


@asset
def total(weekly: dict[str, int]) -> int:
    """Read all weeks."""
    return len(weekly)


GRAPH = AssetGraph.of([names, daily, weekly, total])


def asked(name: str, *partitions: str, ledger: Ledger | None = None, **more: Any) -> Plan:
    """Return the plan of a request for some partitions of an asset."""
    one = partitions[0] if len(partitions) == 1 else None
    request = Request(frozenset([AssetKey(name)]), partition=one, partitions=partitions if one is None else (), **more)
    return plan(GRAPH, ledger or Ledger(), request, KNOWLEDGE)


def made(key: str, partition: str | None, **inputs: str) -> Materialized:
    """Return the fact that a partition was made, of inputs of these versions."""
    recipe = (*CODE, *(Part("input", name, version) for name, version in inputs.items()))
    version = version_for(recipe, key, partition)
    told = AssetMaterialization(key, partition=partition)
    return Materialized("r", 0.0, key, told, partition, version, version, recipe=recipe)


def test_a_week_brings_its_days() -> None:
    """Each is a step of its own, after what it reads."""
    planned = asked("weekly", "2024-01-07")
    steps = {step.name: step for step in planned.steps}
    days = [f"daily[2024-01-{day:02}]" for day in range(7, 14)]
    assert list(steps) == ["names", *days, "weekly[2024-01-07]"]
    assert steps["weekly[2024-01-07]"].after == set(days)
    assert steps[days[0]].after == {"names"}
    assert (steps["names"].partition, steps[days[0]].partition) == (None, "2024-01-07")
    assert planned.keys == (AssetKey("names"), AssetKey("daily"), AssetKey("weekly"))


def test_all_of_something_brings_all() -> None:
    """What has no partitions reads all of them."""
    planned = asked("total")
    assert sum(step.keys == (AssetKey("weekly"),) for step in planned.steps) == 3
    assert sum(step.keys == (AssetKey("daily"),) for step in planned.steps) == 21


def test_several_are_asked_for() -> None:
    """In the order of time."""
    planned = asked("daily", "2024-01-09", "2024-01-07", upstream=False)
    assert [step.partition for step in planned.steps] == ["2024-01-07", "2024-01-09"]


def test_what_is_fresh_is_left_alone() -> None:
    """A partition is stale by itself: only the day that is missing runs, and its week."""
    base = made("names", None)
    days = [made("daily", f"2024-01-{day:02}", names=base.data_version) for day in range(7, 13)]
    ledger = Ledger([base, *days])
    planned = asked("weekly", "2024-01-07", ledger=ledger)
    assert [(step.name, str(step.reason)) for step in planned.steps] == [
        ("daily[2024-01-13]", "never materialized"),
        ("weekly[2024-01-07]", "never materialized"),
    ]
    ledger.apply(made("names", None, other="x"))
    again = asked("daily", "2024-01-08", ledger=ledger)
    assert [(step.name, str(step.reason)) for step in again.steps][-1] == ("daily[2024-01-08]", "inputs changed: names")


def test_force_is_for_what_is_asked_for() -> None:
    """Other partitions that it reads stay as they are."""

    @asset(
        partitions_def=DAYS,
        deps=[AssetDep("running", partition_mapping=TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))],
    )
    def running() -> None: ...

    graph, key = AssetGraph.of([running]), AssetKey("running")
    request = Request(frozenset([key]), partition="2024-01-10")
    planned = plan(graph, Ledger(), request, KNOWLEDGE)
    assert [step.partition for step in planned.steps] == [f"2024-01-{day:02}" for day in range(7, 11)]
    assert planned.steps[-1].after == {"running[2024-01-09]"}

    events: list[Materialized] = []
    for day in range(7, 11):
        before = {"running": events[-1].data_version} if events else {"running": combined([])}
        events.append(made("running", f"2024-01-{day:02}", **before))
    ledger = Ledger(events)
    assert plan(graph, ledger, request, KNOWLEDGE).steps == ()
    forced = Request(frozenset([key]), partition="2024-01-10", force=frozenset([key]))
    assert [step.partition for step in plan(graph, ledger, forced, KNOWLEDGE).steps] == ["2024-01-10"]


def test_what_is_refused() -> None:
    """A partitioned asset without a partition, one that isn't there, one that reads what isn't there."""
    with pytest.raises(DagsterInvariantViolationError, match=r"`daily` is partitioned.*2024-01-31"):
        asked("daily")
    with pytest.raises(DagsterUnknownPartitionError, match="2024-02-01"):
        asked("daily", "2024-02-01")

    @asset(partitions_def=DailyPartitionsDefinition("2024-01-01"))
    def early(daily: int) -> int:
        return daily

    graph = AssetGraph.of([names, daily, early])
    with pytest.raises(DagsterInvariantViolationError, match="partitions of `daily` that aren't there: `2024-01-02`"):
        plan(graph, Ledger(), Request(frozenset([AssetKey("early")]), partition="2024-01-02"), KNOWLEDGE)


def test_checks_of_partitions() -> None:
    """One with partitions is a step for each, one without is one for all that run."""

    @asset_check(asset=daily, partitions_def=DAYS, blocking=True)
    def each() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    @asset_check(asset=daily)
    def whole(daily: Any) -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    graph = AssetGraph.of([names, daily, weekly, each, whole])
    planned = plan(graph, Ledger(), Request(frozenset([AssetKey("weekly")]), partition="2024-01-07"), KNOWLEDGE)
    steps = {step.name: step for step in planned.steps}
    assert sum(name.startswith("daily_each[") for name in steps) == 7
    assert "daily_each[2024-01-13]" in steps["weekly[2024-01-07]"].after
    assert steps["daily_whole"].after == {f"daily[2024-01-{day:02}]" for day in range(7, 14)}


def test_statuses() -> None:
    """A partitioned asset says how many of its partitions are there."""
    ledger = Ledger([made("names", None), made("weekly", "2024-01-07"), made("weekly", "2024-01-14")])
    found = statuses(GRAPH, ledger, KNOWLEDGE)
    assert str(found[AssetKey("daily")]) == "missing (never materialized)"
    assert str(found[AssetKey("weekly")]) == "stale (0/3 fresh · 2 stale · 1 missing)"
    assert found[AssetKey("names")].word == "fresh"


# ---- definitions that contradict each other


def test_mappings_are_checked_when_definitions_are_loaded() -> None:
    """Naming both assets."""

    @asset(partitions_def=StaticPartitionsDefinition(["a"]), deps=[daily])
    def other() -> None: ...

    @asset(deps=[AssetDep(daily, partition_mapping=LastPartitionMapping())])
    def last() -> None: ...

    Definitions.validate_loadable(Definitions([names, daily, last]))
    with pytest.raises(DagsterInvalidDefinitionError, match=r"(?s)where: `other`, which reads `daily`"):
        Definitions.validate_loadable(Definitions([names, daily, other]))


def test_the_partitions_of_a_run() -> None:
    """One by key or tag, or a range."""
    tag, span = {"dagster/partition": "2024-01-08"}, {"dagster/asset_partition_range_start": "2024-01-08"}
    assert chosen_partitions(DAYS, None, {}) == ()
    assert chosen_partitions(DAYS, "2024-01-09", tag) == ("2024-01-09",)
    assert chosen_partitions(DAYS, None, tag) == ("2024-01-08",)
    both = {**span, "dagster/asset_partition_range_end": "2024-01-09"}
    assert chosen_partitions(DAYS, None, both) == ("2024-01-08", "2024-01-09")
    for key, tags in ((None, span), ("2024-01-08", both)):
        with pytest.raises(DagsterInvariantViolationError):
            chosen_partitions(DAYS, key, tags)
