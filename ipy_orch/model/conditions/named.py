"""The names under which conditions are asked for: ``AutomationCondition.eager()`` and the others.

They are composed in :mod:`ipy_orch.model.conditions.factories`.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.model.port import Port

if TYPE_CHECKING:
    from ipy_orch.model.conditions.condition import AutomationCondition

__all__ = ["NamedConditions"]

named: Final[Port[..., AutomationCondition]] = Port("ipy_orch.model.conditions.factories")


class NamedConditions:
    """Make conditions by name."""

    @staticmethod
    def eager() -> AutomationCondition:
        """Be true when a dependency was updated, or the target became missing, and nothing it needs is missing or runs.

        Of assets that are partitioned by time, only the newest partition is looked at.
        """
        return named("eager")

    @staticmethod
    def on_cron(cron_schedule: str, cron_timezone: str = "UTC") -> AutomationCondition:
        """Be true once after each tick, as soon as all dependencies were updated since.

        Of assets that are partitioned by time, only the newest partition is looked at.

        Raises:
            CheckError: for a text that isn't a cron schedule.
        """
        return named("on_cron", cron_schedule, cron_timezone)

    @staticmethod
    def on_missing() -> AutomationCondition:
        """Be true of what becomes missing, new partitions above all, as soon as no dependency is."""
        return named("on_missing")

    @staticmethod
    def missing() -> AutomationCondition:
        """Be true of what was never made."""
        return named("missing")

    @staticmethod
    def newly_missing() -> AutomationCondition:
        """Be true in the evaluation in which the target becomes missing."""
        return named("newly_missing")

    @staticmethod
    def in_progress() -> AutomationCondition:
        """Be true of what a run or a backfill is to make, and hasn't made yet."""
        return named("in_progress")

    @staticmethod
    def run_in_progress() -> AutomationCondition:
        """Be true of what a run is to make, and hasn't made yet."""
        return named("run_in_progress")

    @staticmethod
    def backfill_in_progress() -> AutomationCondition:
        """Be true of what a backfill is to make, and hasn't made yet."""
        return named("backfill_in_progress")

    @staticmethod
    def execution_failed() -> AutomationCondition:
        """Be true of what failed when it was run last."""
        return named("execution_failed")

    @staticmethod
    def newly_updated() -> AutomationCondition:
        """Be true of what was made since the previous evaluation, or observed with another data version."""
        return named("newly_updated")

    @staticmethod
    def newly_requested() -> AutomationCondition:
        """Be true of what the previous evaluation requested."""
        return named("newly_requested")

    @staticmethod
    def will_be_requested() -> AutomationCondition:
        """Be true of what this evaluation requests, where it can run together with the target."""
        return named("will_be_requested")

    @staticmethod
    def code_version_changed() -> AutomationCondition:
        """Be true when the code version differs from that of the previous evaluation."""
        return named("code_version_changed")

    @staticmethod
    def data_version_changed() -> AutomationCondition:
        """Be true when the data version differs from that of the previous evaluation."""
        return named("data_version_changed")

    @staticmethod
    def cron_tick_passed(cron_schedule: str, cron_timezone: str = "UTC") -> AutomationCondition:
        """Be true when a tick passed since the previous evaluation.

        Raises:
            CheckError: for a text that isn't a cron schedule.
        """
        return named("cron_tick_passed", cron_schedule, cron_timezone)

    @staticmethod
    def in_latest_time_window(lookback_delta: timedelta | None = None) -> AutomationCondition:
        """Be true of the newest time partition, and of all that isn't partitioned by time.

        Args:
            lookback_delta: also of those that start so long before the end of the newest one.
        """
        return named("in_latest_time_window", lookback_delta)

    @staticmethod
    def initial_evaluation() -> AutomationCondition:
        """Be true in the first evaluation of an asset, and in the first with other partitions."""
        return named("initial_evaluation")

    @staticmethod
    def executed_with_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> AutomationCondition:
        """Be true of what was made last by a run with these tags."""
        return named("executed_with_tags", tag_keys, tag_values)

    @staticmethod
    def executed_with_root_target() -> AutomationCondition:
        """Be true of what was made last by a run that was to make the target of the whole condition as well."""
        return named("executed_with_root_target")

    @staticmethod
    def all_new_updates_have_run_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> AutomationCondition:
        """Be true of what was made since the previous evaluation, each time by a run with these tags."""
        return named("all_new_updates_have_run_tags", tag_keys, tag_values)

    @staticmethod
    def any_new_update_has_run_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> AutomationCondition:
        """Be true of what was made since the previous evaluation, at least once by a run with these tags."""
        return named("any_new_update_has_run_tags", tag_keys, tag_values)

    @staticmethod
    def check_passed() -> AutomationCondition:
        """Be true of a check that passed for the newest value of its asset."""
        return named("check_passed")

    @staticmethod
    def check_failed() -> AutomationCondition:
        """Be true of a check that failed for the newest value of its asset."""
        return named("check_failed")

    @staticmethod
    def freshness_passed() -> AutomationCondition:
        """Be true of an asset that is as fresh as its policy asks for."""
        return named("freshness_passed")

    @staticmethod
    def freshness_warned() -> AutomationCondition:
        """Be true of an asset that is nearly too old for its policy."""
        return named("freshness_warned")

    @staticmethod
    def freshness_failed() -> AutomationCondition:
        """Be true of an asset that is too old for its policy."""
        return named("freshness_failed")

    @staticmethod
    def asset_matches(key: Any, condition: AutomationCondition) -> AutomationCondition:
        """Be true when a condition is true of another asset."""
        return named("asset_matches", key, condition)

    @staticmethod
    def any_deps_match(condition: AutomationCondition) -> AutomationCondition:
        """Be true when a condition is true of at least one dependency, in a partition that the target reads."""
        return named("any_deps_match", condition)

    @staticmethod
    def all_deps_match(condition: AutomationCondition) -> AutomationCondition:
        """Be true when a condition is true of each dependency, in a partition that the target reads."""
        return named("all_deps_match", condition)

    @staticmethod
    def any_deps_updated() -> AutomationCondition:
        """Be true when a dependency was updated since the previous evaluation, or is requested by this one.

        Updates by a run that was to update the target as well don't count.
        """
        return named("any_deps_updated")

    @staticmethod
    def any_deps_missing() -> AutomationCondition:
        """Be true when a dependency is missing, and isn't requested by this evaluation."""
        return named("any_deps_missing")

    @staticmethod
    def any_deps_in_progress() -> AutomationCondition:
        """Be true when a run is to make a dependency, and hasn't yet."""
        return named("any_deps_in_progress")

    @staticmethod
    def all_deps_updated_since_cron(cron_schedule: str, cron_timezone: str = "UTC") -> AutomationCondition:
        """Be true when each dependency was updated since the newest tick, or is requested by this evaluation.

        Raises:
            CheckError: for a text that isn't a cron schedule.
        """
        return named("all_deps_updated_since_cron", cron_schedule, cron_timezone)

    @staticmethod
    def all_deps_blocking_checks_passed() -> AutomationCondition:
        """Be true when all blocking checks of the dependencies passed, or are requested by this evaluation."""
        return named("all_deps_blocking_checks_passed")

    @staticmethod
    def any_checks_match(condition: AutomationCondition, blocking_only: bool = False) -> AutomationCondition:
        """Be true when a condition is true of at least one check of the asset."""
        return named("any_checks_match", condition, blocking_only)

    @staticmethod
    def all_checks_match(condition: AutomationCondition, blocking_only: bool = False) -> AutomationCondition:
        """Be true when a condition is true of each check of the asset."""
        return named("all_checks_match", condition, blocking_only)

    @staticmethod
    def any_downstream_conditions() -> AutomationCondition:
        """Be true when the condition of something downstream, evaluated here, is."""
        return named("any_downstream_conditions")

    @staticmethod
    def any_job_root_assets_match(condition: AutomationCondition) -> AutomationCondition:
        """Be true of a job when a condition is of one of its assets that depend on no other of it."""
        return named("any_job_root_assets_match", condition)

    @staticmethod
    def all_job_root_assets_match(condition: AutomationCondition) -> AutomationCondition:
        """Be true of a job when a condition is of each of its assets that depend on no other of it."""
        return named("all_job_root_assets_match", condition)
