"""The facts that operands ask for: one function for each, from what is known to the partitions it is true of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from ipy_orch.events.updates import Update, Verdict
from ipy_orch.model.conditions import operands
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition, TimeWindow
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.planning.conditions.context import AutomationContext, Times
from ipy_orch.planning.conditions.subsets import EntityKey, Value, minus
from ipy_orch.planning.conditions.view import View
from ipy_orch.planning.freshness import freshness_of

__all__ = ["FACTS", "cut_token", "newest_partitions"]

Found: TypeAlias = tuple[Value, Times | None]

TIMED_PARTITIONS: Final = 100  #: of more updated partitions than these, the moment of the evaluation counts


def value_of(view: View, key: EntityKey, partitions: Iterable[str | None]) -> Value:
    """Return a value of partitions; those that the key doesn't have are left out.

    Whatever partition is told of what isn't partitioned, it is about all of it.
    """
    if view.cut(key) is None:
        return any(True for _ in partitions)
    return frozenset(one for one in partitions if one is not None) & view.keys(key)


def missing(context: AutomationContext) -> Found:
    """Return what was never made; of what isn't made here, what was never seen."""
    view, key = context.tick.view, context.key
    if isinstance(key, AssetCheckKey):
        return minus(context.candidates, value_of(view, key, (one for one, _ in current_verdicts(view, key)))), None
    known = view.updates.of(key)  # type: ignore[arg-type]
    made = known.made if view.graph.makers[key].is_materializable else known.known  # type: ignore[index]
    if view.cut(key) is None:
        return not made, None
    return minus(context.candidates, value_of(view, key, made)), None


def run_in_progress(context: AutomationContext) -> Found:
    """Return what a run is making."""
    running = context.tick.view.in_progress
    if not running:
        return context.tick.view.empty(context.key), None
    return value_of(context.tick.view, context.key, running.get(context.key.label, ())), None


def backfill_in_progress(context: AutomationContext) -> Found:
    """Return what a backfill is making: its runs tell it of those it has begun."""
    return context.tick.view.empty(context.key), None


def execution_failed(context: AutomationContext) -> Found:
    """Return what failed when it was run last."""
    view, key = context.tick.view, context.key
    if isinstance(key, AssetCheckKey):
        failed = [one for one, verdict in current_verdicts(view, key) if verdict.passed is None]
        return value_of(view, key, failed), None
    return value_of(view, key, view.updates.of(key).failed), None  # type: ignore[arg-type]


def will_be_requested(context: AutomationContext) -> Found:
    """Return what this evaluation requests, where one run can make it with the target."""
    view, key = context.tick.view, context.key
    requested = context.tick.requested.get(key)
    if not requested or not view.runs_with(context.root.key, key):
        return view.empty(key), None
    if isinstance(key, AssetKey) and not view.graph.makers[key].is_materializable:
        return view.empty(key), None  # an observation need not bring another version
    return requested, None


def newly_requested(context: AutomationContext) -> Found:
    """Return what the previous evaluation requested; it counts as of its time."""
    before = context.tick.cursor.conditions.get(context.key.label)
    if before is None or not before.requested:
        return context.tick.view.empty(context.key), None
    value = context.current(before.requested)
    at = context.before.at if context.before is not None else before.at
    return value, dict.fromkeys([None] if isinstance(value, bool) else value, at)


def newly_updated(context: AutomationContext) -> Found:
    """Return what was updated since the previous evaluation, and when."""
    view, key = context.tick.view, context.key
    if context.before is None:
        return view.empty(key), None
    if isinstance(key, AssetCheckKey):
        verdicts = view.updates.checks.get(key, {})
        fresh = [one for one, verdict in verdicts.items() if verdict.number > context.before.number]
        return value_of(view, key, fresh), None
    updates = list(view.updates.of(key).updated_after(context.before.number))  # type: ignore[arg-type]
    if not updates:
        return view.empty(key), None
    return value_of(view, key, (one.partition for one in updates)), times_of(view, key, updates)


def times_of(view: View, key: EntityKey, updates: list[Update]) -> Times:
    """Return when partitions were updated."""
    if view.cut(key) is None:
        return {None: max(one.at for one in updates)}
    if len(updates) > TIMED_PARTITIONS:
        return dict.fromkeys((one.partition for one in updates), view.now.timestamp())
    return {one.partition: one.at for one in updates}


def data_version_changed(context: AutomationContext) -> Found:
    """Return what got another data version since the previous evaluation."""
    view, key = context.tick.view, context.key
    if context.before is None:
        return view.empty(key), None
    updates = view.updates.of(key).changed_after(context.before.number)  # type: ignore[arg-type]
    return value_of(view, key, (one.partition for one in updates)), None


def initial_evaluation(context: AutomationContext) -> Found:
    """Return everything when the target of the whole condition is evaluated for the first time, so partitioned."""
    root = context.root
    first = root.before is None or root.before.cut != cut_token(context.tick.view.cut(root.key))
    return (context.candidates if first else context.tick.view.empty(context.key)), None


def cut_token(cut: PartitionsDefinition | None) -> str:
    """Return a text for how something is partitioned; more keys of the same kind don't change it.

    >>> from ipy_orch import StaticPartitionsDefinition
    >>> cut_token(None), cut_token(StaticPartitionsDefinition(["a"]))
    ('', 'keys')
    """
    if isinstance(cut, TimeWindowPartitionsDefinition):
        return f"time {cut.cron_schedule} {cut.timezone} {cut.fmt}"
    return "" if cut is None else "keys"


def cron_tick_passed(context: AutomationContext) -> Found:
    """Return everything when a tick passed since the previous evaluation; it counts as of the tick."""
    condition: Any = context.condition
    view = context.tick.view
    at = view.last_tick(condition.cron_schedule, condition.cron_timezone)
    if context.before is None or at < context.before.at:
        return view.empty(context.key), None
    value = context.candidates
    return value, dict.fromkeys([None] if isinstance(value, bool) else value, at)


def in_latest_time_window(context: AutomationContext) -> Found:
    """Return the newest time partitions."""
    condition: Any = context.condition
    view, cut = context.tick.view, context.tick.view.cut(context.key)
    newest = newest_partitions(cut, condition.lookback_delta)
    if newest is None:
        return view.full(context.key), None
    return newest & view.keys(context.key) if isinstance(cut, TimeWindowPartitionsDefinition) else newest, None


def newest_partitions(cut: PartitionsDefinition | None, back: Any = None) -> frozenset[str] | None:
    """Return the newest partitions of what is partitioned by time, in one of its dimensions too; None for other.

    Args:
        back: a timedelta: also those that start so long before the end of the newest one.
    """
    if isinstance(cut, TimeWindowPartitionsDefinition):
        return frozenset(newest_keys(cut, back))
    dimension = time_dimension(cut)
    if dimension is None or not isinstance(cut, MultiPartitionsDefinition):
        return None
    name, clock = dimension
    newest = set(newest_keys(clock, back))
    return frozenset(one for one in cut.get_partition_keys() if one.keys_by_dimension[name] in newest)


def time_dimension(cut: PartitionsDefinition | None) -> tuple[str, TimeWindowPartitionsDefinition] | None:
    """Return the dimension that is time, of partitions with several."""
    for one in cut.partitions_defs if isinstance(cut, MultiPartitionsDefinition) else ():
        if isinstance(one.partitions_def, TimeWindowPartitionsDefinition):
            return one.name, one.partitions_def
    return None


def newest_keys(cut: TimeWindowPartitionsDefinition, back: Any) -> Iterable[str]:
    """Return the newest key, or those that start within a time before its end."""
    window = cut.get_last_partition_window()
    if window is None:
        return ()
    if back is None:
        return [cut.key_of(window.start)]
    start = max(cut.start, window.end - back)
    return cut.get_partition_keys_in_time_window(TimeWindow(start, window.end))


# -- runs -------------------------------------------------------------------------------------------------------------


def latest_run(context: AutomationContext, fits: Callable[[str], bool]) -> Value:
    """Return what was made last by a run of a kind; of partitions, only the newest materialization counts."""
    view, key = context.tick.view, context.key
    if isinstance(key, AssetCheckKey):
        verdicts = view.updates.checks.get(key, {})
        return value_of(view, key, (one for one, verdict in verdicts.items() if fits(verdict.run_id)))
    last = view.updates.of(key).last  # type: ignore[arg-type]
    return value_of(view, key, [last.partition] if last is not None and fits(last.run_id) else ())


def executed_with_root_target(context: AutomationContext) -> Found:
    """Return what was made last by a run that was to make the target as well; never the target itself."""
    root, view = context.root.key, context.tick.view
    if root == context.key:
        return view.empty(context.key), None
    return latest_run(context, lambda run_id: view.made_together(run_id, root)), None


def executed_with_tags(context: AutomationContext) -> Found:
    """Return what was made last by a run with tags."""
    return latest_run(context, lambda run_id: run_fits(context, run_id)), None


def run_fits(context: AutomationContext, run_id: str) -> bool:
    """Tell whether a run is known and has the tags that a condition asks for."""
    condition: Any = context.condition
    tags = context.tick.view.tags_of(run_id)
    return tags is not None and bool(condition.fits(tags))


def new_updates(context: AutomationContext, enough: Callable[[Iterable[bool]], bool]) -> Found:
    """Return what was made since the previous evaluation by enough runs with tags."""
    view, key = context.tick.view, context.key
    if context.before is None:
        return view.empty(key), None
    by_partition: dict[str | None, list[bool]] = {}
    for one in view.updates.of(key).recent_after(context.before.number):  # type: ignore[arg-type]
        by_partition.setdefault(one.partition, []).append(run_fits(context, one.run_id))
    return value_of(view, key, (one for one, fits in by_partition.items() if enough(fits))), None


# -- checks and freshness ---------------------------------------------------------------------------------------------


def check_result(context: AutomationContext) -> Found:
    """Return where a check passed, or failed, for the newest value of its asset."""
    condition: Any = context.condition
    view, key = context.tick.view, context.key
    assert isinstance(key, AssetCheckKey)
    found = (one for one, verdict in current_verdicts(view, key) if verdict.passed is condition.passed)
    return value_of(view, key, found), None


def current_verdicts(view: View, key: AssetCheckKey) -> Iterable[tuple[str | None, Verdict]]:
    """Yield those verdicts of a check that are about the newest value of its asset."""
    asset = view.updates.of(key.asset_key)
    for partition, verdict in view.updates.checks.get(key, {}).items():
        made = asset.made.get(partition) if partition is not None else asset.last
        if made is None or verdict.number > made.number or verdict.run_id == made.run_id != "":
            yield partition, verdict


def freshness_result(context: AutomationContext) -> Found:
    """Return everything when the asset is in a state of freshness."""
    condition: Any = context.condition
    view, key = context.tick.view, context.key
    policy = view.graph.spec(key).freshness_policy  # type: ignore[arg-type]
    if policy is None:
        return view.empty(key), None
    last = view.updates.of(key).last  # type: ignore[arg-type]
    updated = None if last is None else datetime.fromtimestamp(last.at, UTC)
    state = freshness_of(policy, updated, view.now)
    return (view.full(key) if state is condition.state else view.empty(key)), None


FACTS: Final[dict[type, Callable[[AutomationContext], Found]]] = {
    operands.MissingAutomationCondition: missing,
    operands.RunInProgressAutomationCondition: run_in_progress,
    operands.BackfillInProgressAutomationCondition: backfill_in_progress,
    operands.ExecutionFailedAutomationCondition: execution_failed,
    operands.WillBeRequestedCondition: will_be_requested,
    operands.NewlyRequestedCondition: newly_requested,
    operands.NewlyUpdatedCondition: newly_updated,
    operands.DataVersionChangedCondition: data_version_changed,
    operands.InitialEvaluationCondition: initial_evaluation,
    operands.CronTickPassedCondition: cron_tick_passed,
    operands.InLatestTimeWindowCondition: in_latest_time_window,
    operands.LatestRunExecutedWithRootTargetCondition: executed_with_root_target,
    operands.LatestRunExecutedWithTagsCondition: executed_with_tags,
    operands.AllNewUpdatesHaveRunTagsCondition: lambda context: new_updates(context, all),
    operands.AnyNewUpdateHasRunTagsCondition: lambda context: new_updates(context, any),
    operands.CheckResultCondition: check_result,
    operands.FreshnessResultCondition: freshness_result,
}
