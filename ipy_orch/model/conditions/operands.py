"""Conditions that ask for one fact about a target."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.condition import BuiltinAutomationCondition
from ipy_orch.model.freshness import FreshnessState

__all__ = [
    "AllNewUpdatesHaveRunTagsCondition",
    "AnyNewUpdateHasRunTagsCondition",
    "BackfillInProgressAutomationCondition",
    "CheckResultCondition",
    "CodeVersionChangedCondition",
    "CronTickPassedCondition",
    "DataVersionChangedCondition",
    "ExecutionFailedAutomationCondition",
    "FreshnessResultCondition",
    "InLatestTimeWindowCondition",
    "InitialEvaluationCondition",
    "LatestRunExecutedWithRootTargetCondition",
    "LatestRunExecutedWithTagsCondition",
    "MissingAutomationCondition",
    "NewlyRequestedCondition",
    "NewlyUpdatedCondition",
    "RunInProgressAutomationCondition",
    "RunTagsCondition",
    "WillBeRequestedCondition",
]


@dataclass(frozen=True, eq=False)
class Operand(BuiltinAutomationCondition):
    """Ask for one fact."""

    word: ClassVar[str]
    saying: ClassVar[str]

    @property
    def name(self) -> str:
        """Return the name of the function that makes it."""
        return self.word

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return self.saying


@dataclass(frozen=True, eq=False)
class MissingAutomationCondition(Operand):
    """Be true of what was never made."""

    word = "missing"
    saying = "was never made"


@dataclass(frozen=True, eq=False)
class RunInProgressAutomationCondition(Operand):
    """Be true of what a run is to make, and hasn't made yet."""

    word = "run_in_progress"
    saying = "a run is making it"


@dataclass(frozen=True, eq=False)
class BackfillInProgressAutomationCondition(Operand):
    """Be true of what a backfill is to make, and hasn't made yet."""

    word = "backfill_in_progress"
    saying = "a backfill is making it"


@dataclass(frozen=True, eq=False)
class ExecutionFailedAutomationCondition(Operand):
    """Be true of what failed when it was run last."""

    word = "execution_failed"
    saying = "failed when it was run last"


@dataclass(frozen=True, eq=False)
class WillBeRequestedCondition(Operand):
    """Be true of what this evaluation requests, where it can run together with the target."""

    word = "will_be_requested"
    saying = "is requested now, to run together with the target"


@dataclass(frozen=True, eq=False)
class NewlyRequestedCondition(Operand):
    """Be true of what the previous evaluation requested."""

    word = "newly_requested"
    saying = "was requested by the previous evaluation"


@dataclass(frozen=True, eq=False)
class NewlyUpdatedCondition(Operand):
    """Be true of what was made since the previous evaluation."""

    word = "newly_updated"
    saying = "was updated since the previous evaluation"


@dataclass(frozen=True, eq=False)
class DataVersionChangedCondition(Operand):
    """Be true of what was made with another data version since the previous evaluation."""

    word = "data_version_changed"
    saying = "has another data version than in the previous evaluation"


@dataclass(frozen=True, eq=False)
class CodeVersionChangedCondition(Operand):
    """Be true when the code version differs from that of the previous evaluation."""

    word = "code_version_changed"
    saying = "has another code version than in the previous evaluation"

    @property
    def requires_cursor(self) -> bool:
        """Tell that the code version is remembered."""
        return True


@dataclass(frozen=True, eq=False)
class InitialEvaluationCondition(Operand):
    """Be true in the first evaluation."""

    word = "initial_evaluation"
    saying = "is evaluated for the first time"


@dataclass(frozen=True, eq=False)
class LatestRunExecutedWithRootTargetCondition(Operand):
    """Be true of what was made last by a run that was to make the target of the whole condition as well."""

    word = "executed_with_root_target"
    saying = "was made by a run that was to make the target as well"


@dataclass(frozen=True, eq=False)
class CronTickPassedCondition(Operand):
    """Be true when a tick passed since the previous evaluation."""

    word = "cron_tick_passed"
    saying = "a tick of the schedule passed since the previous evaluation"
    cron_schedule: str = ""
    cron_timezone: str = "UTC"

    @property
    def name(self) -> str:
        """Return the name with the schedule."""
        return f"cron_tick_passed(cron_schedule={self.cron_schedule}, cron_timezone={self.cron_timezone})"


@dataclass(frozen=True, eq=False)
class InLatestTimeWindowCondition(Operand):
    """Be true of the newest time partitions, and of all that isn't partitioned by time.

    Args:
        lookback_seconds: also of those that start so long before the end of the newest one.
    """

    word = "in_latest_time_window"
    saying = "is the newest time partition, or isn't partitioned by time"
    lookback_seconds: float | None = None

    @property
    def lookback_delta(self) -> timedelta | None:
        """Return how far back it looks."""
        return None if self.lookback_seconds is None else timedelta(seconds=self.lookback_seconds)

    @property
    def name(self) -> str:
        """Return the name, with how far back it looks."""
        return self.word if self.lookback_delta is None else f"{self.word}(lookback_timedelta={self.lookback_delta})"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        back = self.lookback_delta
        return self.saying if back is None else f"starts within {back} before the end of the newest time partition"


@dataclass(frozen=True, eq=False)
class CheckResultCondition(Operand):
    """Be true of a check that passed, or failed, for the newest value of its asset."""

    passed: bool = True

    @property
    def name(self) -> str:
        """Return ``check_passed`` or ``check_failed``."""
        return "check_passed" if self.passed else "check_failed"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return f"{'passed' if self.passed else 'failed'} for the newest value of its asset"


@dataclass(frozen=True, eq=False)
class FreshnessResultCondition(Operand):
    """Be true of an asset that is in a state of freshness.

    Raises:
        CheckError: when ``state`` isn't a FreshnessState.
    """

    state: FreshnessState = FreshnessState.PASS

    def __post_init__(self) -> None:
        if not isinstance(self.state, FreshnessState):
            raise CheckError(f"`state` is a FreshnessState, not {self.state!r}")

    @property
    def name(self) -> str:
        """Return the name with the state."""
        return f"freshness_result(state={self.state})"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return f"its freshness is {self.state.value}"


@dataclass(frozen=True, eq=False)
class RunTagsCondition(Operand):
    """Ask for the tags of runs.

    Args:
        tag_keys: they must have all of these.
        tag_values: and all of these with these values.
    """

    tag_keys: AbstractSet[str] | None = field(default=None, kw_only=True)
    tag_values: Mapping[str, str] | None = field(default=None, kw_only=True)

    @property
    def name(self) -> str:
        """Return the name with the tags."""
        keys = [] if self.tag_keys is None else [f"tag_keys={{{','.join(sorted(self.tag_keys))}}}"]
        pairs = [f"{tag}:{value}" for tag, value in sorted((self.tag_values or {}).items())]
        values = [] if self.tag_values is None else [f"tag_values={{{','.join(pairs)}}}"]
        told = ", ".join([*keys, *values])
        return f"{self.word}({told})" if told else self.word

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a run with these tags is one of those asked for."""
        return all(tag in tags for tag in self.tag_keys or ()) and all(
            tags.get(tag) == value for tag, value in (self.tag_values or {}).items()
        )


@dataclass(frozen=True, eq=False)
class LatestRunExecutedWithTagsCondition(RunTagsCondition):
    """Be true of what was made last by a run with these tags."""

    word = "executed_with_tags"
    saying = "was made last by a run with these tags"


@dataclass(frozen=True, eq=False)
class AllNewUpdatesHaveRunTagsCondition(RunTagsCondition):
    """Be true of what was made since the previous evaluation, each time by a run with these tags."""

    word = "all_new_updates_have_run_tags"
    saying = "was updated since the previous evaluation, each time by a run with these tags"


@dataclass(frozen=True, eq=False)
class AnyNewUpdateHasRunTagsCondition(RunTagsCondition):
    """Be true of what was made since the previous evaluation, at least once by a run with these tags."""

    word = "any_new_update_has_run_tags"
    saying = "was updated since the previous evaluation, at least once by a run with these tags"
