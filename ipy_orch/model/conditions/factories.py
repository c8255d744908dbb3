"""The conditions that have a name: ``AutomationCondition.eager()`` and the others, composed of operands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions import operands, relatives
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.conditions.named import named
from ipy_orch.model.conditions.operators import SinceCondition
from ipy_orch.model.freshness import FreshnessState
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.cron import Cron

__all__: list[str] = []

FACTORIES: Final[dict[str, Callable[..., AutomationCondition]]] = {
    "missing": operands.MissingAutomationCondition,
    "run_in_progress": operands.RunInProgressAutomationCondition,
    "backfill_in_progress": operands.BackfillInProgressAutomationCondition,
    "execution_failed": operands.ExecutionFailedAutomationCondition,
    "newly_updated": operands.NewlyUpdatedCondition,
    "newly_requested": operands.NewlyRequestedCondition,
    "will_be_requested": operands.WillBeRequestedCondition,
    "code_version_changed": operands.CodeVersionChangedCondition,
    "data_version_changed": operands.DataVersionChangedCondition,
    "initial_evaluation": operands.InitialEvaluationCondition,
    "executed_with_root_target": operands.LatestRunExecutedWithRootTargetCondition,
    "check_passed": lambda: operands.CheckResultCondition(passed=True),
    "check_failed": lambda: operands.CheckResultCondition(passed=False),
    "any_deps_match": lambda condition: relatives.AnyDepsCondition(wanted(condition)),
    "all_deps_match": lambda condition: relatives.AllDepsCondition(wanted(condition)),
    "any_downstream_conditions": relatives.AnyDownstreamConditionsCondition,
}


def factory(function: Callable[..., AutomationCondition]) -> Callable[..., AutomationCondition]:
    """Be known by the function's own name."""
    FACTORIES[function.__name__] = function
    return function


@named.supply
def make(name: str, *args: Any) -> AutomationCondition:
    """Return the condition of a name."""
    return FACTORIES[name](*args)


def wanted(condition: Any) -> AutomationCondition:
    """Return a condition.

    Raises:
        CheckError: when it isn't one.
    """
    if not isinstance(condition, AutomationCondition):
        raise CheckError(f"{condition!r} isn't an automation condition")
    return condition


# -- one fact ---------------------------------------------------------------------------------------------------------


@factory
def in_progress() -> AutomationCondition:
    """Be true of what a run or a backfill is making."""
    return (make("run_in_progress") | make("backfill_in_progress")).with_label("in_progress")


@factory
def newly_missing() -> AutomationCondition:
    """Be true in the evaluation in which the target becomes missing."""
    return make("missing").newly_true().with_label("newly_missing")


@factory
def cron_tick_passed(cron_schedule: str, cron_timezone: str) -> AutomationCondition:
    """Be true when a tick passed.

    Raises:
        CheckError: for a text that isn't a cron schedule, or a timezone that isn't one.
    """
    try:
        Cron(cron_schedule, cron_timezone)
    except Exception as error:
        raise CheckError(f"Invalid cron schedule: `{cron_schedule}`: {error}") from error
    return operands.CronTickPassedCondition(cron_schedule, cron_timezone)


@factory
def in_latest_time_window(lookback_delta: timedelta | None = None) -> AutomationCondition:
    """Be true of the newest time partitions."""
    return operands.InLatestTimeWindowCondition(lookback_delta.total_seconds() if lookback_delta else None)


@factory
def executed_with_tags(tag_keys: AbstractSet[str] | None, tag_values: Mapping[str, str] | None) -> AutomationCondition:
    """Be true of what a run with tags made last."""
    return operands.LatestRunExecutedWithTagsCondition(tag_keys=tag_keys, tag_values=tag_values)


@factory
def all_new_updates_have_run_tags(
    tag_keys: AbstractSet[str] | None, tag_values: Mapping[str, str] | None
) -> AutomationCondition:
    """Be true of what only runs with tags made."""
    return operands.AllNewUpdatesHaveRunTagsCondition(tag_keys=tag_keys, tag_values=tag_values)


@factory
def any_new_update_has_run_tags(
    tag_keys: AbstractSet[str] | None, tag_values: Mapping[str, str] | None
) -> AutomationCondition:
    """Be true of what a run with tags made."""
    return operands.AnyNewUpdateHasRunTagsCondition(tag_keys=tag_keys, tag_values=tag_values)


@factory
def freshness_passed() -> AutomationCondition:
    """Be true of an asset that is fresh."""
    return operands.FreshnessResultCondition(FreshnessState.PASS).with_label("freshness_passed")


@factory
def freshness_warned() -> AutomationCondition:
    """Be true of an asset that is nearly too old."""
    return operands.FreshnessResultCondition(FreshnessState.WARN).with_label("freshness_warned")


@factory
def freshness_failed() -> AutomationCondition:
    """Be true of an asset that is too old."""
    return operands.FreshnessResultCondition(FreshnessState.FAIL).with_label("freshness_failed")


# -- what is around ---------------------------------------------------------------------------------------------------


@factory
def asset_matches(key: Any, condition: AutomationCondition) -> AutomationCondition:
    """Be true when a condition is true of another asset."""
    return relatives.EntityMatchesCondition(AssetKey.from_coercible(key), wanted(condition))


@factory
def any_checks_match(condition: AutomationCondition, blocking_only: bool) -> AutomationCondition:
    """Be true when a condition is true of a check."""
    return relatives.AnyChecksCondition(wanted(condition), blocking_only=blocking_only)


@factory
def all_checks_match(condition: AutomationCondition, blocking_only: bool) -> AutomationCondition:
    """Be true when a condition is true of each check."""
    return relatives.AllChecksCondition(wanted(condition), blocking_only=blocking_only)


@factory
def any_job_root_assets_match(condition: AutomationCondition) -> AutomationCondition:
    """Be true of a job when a condition is of one of its first assets."""
    label = f"any_job_root_assets_match({wanted(condition).title})"
    return relatives.AnyJobRootAssetsMatchCondition(condition).with_label(label)


@factory
def all_job_root_assets_match(condition: AutomationCondition) -> AutomationCondition:
    """Be true of a job when a condition is of each of its first assets."""
    label = f"all_job_root_assets_match({wanted(condition).title})"
    return relatives.AllJobRootAssetsMatchCondition(condition).with_label(label)


@factory
def any_deps_updated() -> AutomationCondition:
    """Be true when a dependency was updated, or is requested now; not by a run that updates the target itself."""
    updated = (make("newly_updated") & ~make("executed_with_root_target")).with_label("newly_updated_without_root")
    return relatives.AnyDepsCondition(updated | make("will_be_requested")).with_label("any_deps_updated")


@factory
def any_deps_missing() -> AutomationCondition:
    """Be true when a dependency is missing, and isn't requested now."""
    return relatives.AnyDepsCondition(make("missing") & ~make("will_be_requested")).with_label("any_deps_missing")


@factory
def any_deps_in_progress() -> AutomationCondition:
    """Be true when a dependency is being made."""
    return relatives.AnyDepsCondition(in_progress()).with_label("any_deps_in_progress")


@factory
def all_deps_updated_since_cron(cron_schedule: str, cron_timezone: str = "UTC") -> AutomationCondition:
    """Be true when each dependency was updated since the newest tick, or is requested now."""
    updated = make("newly_updated").since(cron_tick_passed(cron_schedule, cron_timezone))
    label = f"all_deps_updated_since_cron({cron_schedule}, {cron_timezone})"
    return relatives.AllDepsCondition(updated | make("will_be_requested")).with_label(label)


@factory
def all_deps_blocking_checks_passed() -> AutomationCondition:
    """Be true when the blocking checks of all dependencies passed, or are requested now."""
    passed = all_checks_match(make("check_passed") | make("will_be_requested"), True)
    return relatives.AllDepsCondition(passed.with_label("all_blocking_checks_passed")).with_label(
        "all_deps_blocking_checks_passed"
    )


# -- whole policies ---------------------------------------------------------------------------------------------------


@factory
def since_last_handled(condition: AutomationCondition) -> AutomationCondition:
    """Be true from when a condition is until the target is requested or updated, or evaluated for the first time."""
    handled = make("newly_requested") | make("newly_updated") | make("initial_evaluation")
    return SinceCondition(condition, handled.with_label("handled"))


@factory
def eager() -> AutomationCondition:
    """Be true when a dependency was updated, or the target became missing, and nothing stands in the way."""
    occasion = since_last_handled(newly_missing() | any_deps_updated())
    free = ~any_deps_missing() & ~any_deps_in_progress() & ~in_progress()
    return (in_latest_time_window() & occasion & free).with_label("eager")


@factory
def on_cron(cron_schedule: str, cron_timezone: str) -> AutomationCondition:
    """Be true once after each tick, as soon as all dependencies were updated since."""
    occasion = since_last_handled(cron_tick_passed(cron_schedule, cron_timezone))
    ready = all_deps_updated_since_cron(cron_schedule, cron_timezone)
    return (in_latest_time_window() & occasion & ready).with_label(f"on_cron({cron_schedule}, {cron_timezone})")


@factory
def on_missing() -> AutomationCondition:
    """Be true of what becomes missing, as soon as no dependency is."""
    occasion = since_last_handled(make("missing").newly_true()).with_label("missing_since_last_handled")
    return (in_latest_time_window() & occasion & ~any_deps_missing()).with_label("on_missing")
