"""Conditions evaluated: what is remembered, checks, jobs, conditions of one's own, requests, and the tree of why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ipy_orch import (
    AssetCheckKey,
    AssetCheckResult,
    AssetKey,
    AssetMaterialization,
    AssetOut,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    AutomationResult,
    DagsterInstance,
    Definitions,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
    evaluate_automation_conditions,
    materialize,
    multi_asset,
)
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.events.updates import Updates
from ipy_orch.planning.conditions.cursor import AutomationCursor
from ipy_orch.planning.conditions.explanation import explain, replay
from ipy_orch.planning.conditions.sensing import default_sensor, run_requests
from ipy_orch.planning.conditions.ticks import conditions_in

AC = AutomationCondition


def chain(condition):
    """Return two assets, the second of which has a condition."""

    @asset
    def up():
        return 1

    @asset(deps=[up], automation_condition=condition)
    def down():
        return 2

    return [up, down]


class Day:
    """Evaluate again and again, an hour later each time."""

    def __init__(self, defs) -> None:
        self.defs, self.instance, self.cursor = defs, DagsterInstance.ephemeral(), None
        self.now = datetime(2024, 1, 2, 3, 30, tzinfo=UTC)

    def made(self, name: str, partition: str | None = None) -> None:
        self.instance.report_runless_asset_event(AssetMaterialization(name, partition=partition))

    def look(self):
        self.now += timedelta(hours=1)
        result = evaluate_automation_conditions(self.defs, self.instance, evaluation_time=self.now, cursor=self.cursor)
        self.cursor = result.cursor
        return result


def test_eager_runs_once_for_each_update() -> None:
    """And not for those that were there when it was evaluated first."""
    day = Day(chain(AC.eager()))
    assert day.look().total_requested == 0
    day.made("up")
    assert day.look().get_requested_partitions(AssetKey("down")) == {None}
    assert day.look().total_requested == 0
    day.made("up")
    assert day.look().total_requested == 1


def test_an_update_by_the_run_that_makes_the_target_as_well_doesn_t_count() -> None:
    """A run of both leaves nothing to do."""
    assets = chain(AC.eager())
    day = Day(assets)
    day.look()
    materialize(assets, instance=day.instance)
    assert day.look().total_requested == 0
    materialize(assets[:1], instance=day.instance)
    assert day.look().total_requested == 1


def test_a_cursor_survives_its_text() -> None:
    """And a text that is something else is refused."""
    day = Day(chain(AC.missing().newly_true() | AC.on_cron("@hourly")))
    day.look()
    text = day.cursor.to_text()
    assert AutomationCursor.from_text(text) == day.cursor
    with pytest.raises(CheckError, match="isn't the cursor"):
        AutomationCursor.from_text('{"version": 2}')
    with pytest.raises(CheckError, match="former evaluation"):
        evaluate_automation_conditions(day.defs, day.instance, cursor=text)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_condition_of_ones_own(is_async: bool) -> None:
    """It sees its candidates, and finds the text that it left the last time."""

    class EverySecond(AutomationCondition):
        def evaluate(self, context):
            odd = context.cursor != "odd"
            found = context.candidate_subset if not odd else context.get_empty_subset()
            return AutomationResult(context, found, cursor="odd" if odd else None)

    class Awaited(EverySecond):
        async def evaluate(self, context):
            return EverySecond.evaluate(self, context)

    day = Day(chain(AC.missing() & (Awaited() if is_async else EverySecond())))
    assert [day.look().total_requested for _ in range(4)] == [0, 1, 0, 1]


def test_a_condition_that_returns_something_else_is_refused() -> None:
    """With its name."""

    class Wrong(AutomationCondition):
        def evaluate(self, context):
            return True

    with pytest.raises(CheckError, match="`Wrong` returned True"):
        Day(chain(Wrong())).look()


def test_checks_of_dependencies() -> None:
    """A verdict about an older value doesn't count."""
    passed = AC.all_deps_match(AC.all_checks_match(AC.check_passed()))
    assets = chain(passed)

    @asset_check(asset="up")
    def fine():
        return AssetCheckResult(passed=True)

    day = Day(Definitions(assets=assets, asset_checks=[fine]))
    assert day.look().total_requested == 0
    materialize([assets[0], fine], instance=day.instance)
    assert day.look().total_requested == 1
    day.made("up")
    assert day.look().total_requested == 0


def test_a_check_with_a_condition() -> None:
    """It is requested like an asset."""
    (up, _) = chain(None)

    @asset_check(asset=up, automation_condition=AC.eager())
    def fine():
        return AssetCheckResult(passed=True)

    day = Day(Definitions(assets=[up], asset_checks=[fine]))
    day.look()
    day.made("up")
    assert day.look().requested == {AssetCheckKey(up.key, "fine"): True}


def test_what_can_t_run_alone_is_requested_together() -> None:
    """All of a definition that can't be subset; only the conditions count in the total."""

    @multi_asset(outs={"a": AssetOut(automation_condition=AC.missing()), "b": AssetOut()})
    def both():
        return 1, 2

    result = Day([both]).look()
    assert result.total_requested == 1
    assert result.get_num_requested(AssetKey("b")) == 1


def test_a_job_with_a_condition() -> None:
    """Its first assets decide, by partition."""
    cut = StaticPartitionsDefinition(["x", "y"])

    @asset(partitions_def=cut)
    def parts(): ...

    @asset(deps=[parts], partitions_def=cut)
    def later(): ...

    condition = AC.all_job_root_assets_match(AC.missing())
    job = define_asset_job("nightly", [parts, later], automation_condition=condition)
    day = Day(Definitions(assets=[parts, later], jobs=[job]))
    assert day.look().total_requested == 2
    day.made("parts", "x")
    result = day.look()
    asked = run_requests(result.results[0].context.tick.view, result.requested)
    assert [(one.job_name, one.partition_key) for one in asked] == [("nightly", "y")]


def test_one_run_for_all_that_isn_t_partitioned() -> None:
    """And one for each partition."""
    cut = StaticPartitionsDefinition(["x", "y"])

    @asset(partitions_def=cut, automation_condition=AC.missing())
    def parts(): ...

    @asset(automation_condition=AC.missing())
    def whole(): ...

    @asset(automation_condition=AC.missing())
    def other(): ...

    result = Day([parts, whole, other]).look()
    asked = run_requests(result.results[0].context.tick.view, result.requested, {"by": "me"})
    named = [(sorted(one.label for one in one.asset_selection), one.partition_key) for one in asked]
    assert sorted(named, key=str) == [(["other", "whole"], None), (["parts"], "x"), (["parts"], "y")]
    assert asked[0].tags == {"by": "me", "dagster/from_automation_condition": "true"}


def test_a_sensor_says_what_it_can_t_have() -> None:
    """A default condition is for those that are called like any other sensor."""
    with pytest.raises(CheckError, match="default_condition"):
        AutomationConditionSensorDefinition("s", target="*", default_condition=AC.eager())
    sensor = AutomationConditionSensorDefinition("s", target="*", run_tags={"a": "b"})
    assert sensor.run_tags == {"a": "b"}
    with pytest.raises(NotImplementedError):
        sensor(None)


def test_the_sensor_for_what_no_other_looks_at() -> None:
    """There is none where all is looked at."""
    (up, down) = chain(AC.eager())
    condition = AC.any_job_root_assets_match(AC.missing())
    job = define_asset_job("nightly", [up], automation_condition=condition)
    graph = Definitions(assets=[up, down], jobs=[job]).resolve_asset_graph()
    default = default_sensor(graph, [], [job])
    assert default.asset_selection.resolve(graph) == {down.key}
    assert {key.job_name for key in default.asset_job_keys} == {"nightly"}
    assert default_sensor(graph, [default], [job]) is None


def test_a_job_can_t_have_the_condition_of_an_asset() -> None:
    """Nor config, where it has partitions."""
    (up, _) = chain(None)
    job = define_asset_job("nightly", [up], automation_condition=AC.eager())
    with pytest.raises(DagsterInvalidDefinitionError, match="does not evaluate against the job"):
        Definitions(assets=[up], jobs=[job]).resolve_job_def("nightly")


def test_why_a_condition_is_true() -> None:
    """Each part tells of how many it is true; what nothing was left for wasn't looked at."""
    assets = chain(AC.eager())
    instance = DagsterInstance.ephemeral()
    materialize(assets, instance=instance)
    graph = Definitions(assets=assets).resolve_asset_graph()

    def told(now: datetime):
        found = replay(graph, conditions_in(graph), list(instance.log), instance.history.runs, now)
        return explain(found.by_key[AssetKey("down")])

    now = datetime.now(UTC)
    before = told(now)
    assert before.state == "false"
    assert before.below[-1].state == "skipped"
    materialize(assets[:1], instance=instance)
    after = told(now)
    assert after.state == "true"
    assert "✓ up" in str(after)
    assert told(now) == after, "telling why is no evaluation that counts"
    data = after.to_dict()
    assert data["title"] == "eager"
    assert data["below"][0]["title"] == "in_latest_time_window"


def test_numbers_go_on_when_a_log_is_read_again() -> None:
    """So that what happened before an evaluation stays before it."""
    day = Day(chain(AC.newly_updated()))
    day.made("down")
    updates = Updates(day.instance.log)
    updates.begin_with(list(day.instance.log))
    assert updates.number == 2
    assert [one.number for one in updates.of(AssetKey("down")).updated_after(1)] == [2]
