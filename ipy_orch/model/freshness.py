"""How old an asset may be: its policy, and the states that follow. In which state it is, is planning's to tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.partitions.cron import Cron

if TYPE_CHECKING:
    from ipy_orch.model.specs import AssetSpec

__all__ = [
    "CronFreshnessPolicy",
    "FreshnessMinutes",
    "FreshnessPolicy",
    "FreshnessState",
    "LegacyFreshnessPolicy",
    "TimeWindowFreshnessPolicy",
    "apply_freshness_policy",
]

POLICY_KEY: Final = "dagster/internal_freshness_policy"
MINUTE: Final = timedelta(minutes=1)
TICKS_LOOKED_AT: Final = 400  #: enough to see the shortest interval of schedules by month and weekday


class FreshnessState(StrEnum):
    """Tell how an asset does by its policy."""

    PASS = "PASS"  # noqa: S105 - a state
    WARN = "WARN"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class FreshnessPolicy(ABC):
    """Say how old an asset may be.

    >>> policy = FreshnessPolicy.time_window(fail_window=timedelta(hours=24), warn_window=timedelta(hours=12))
    >>> now = datetime(2024, 1, 2, tzinfo=UTC)
    >>> policy.state(now - timedelta(hours=13), now).value
    'WARN'
    """

    @staticmethod
    def time_window(fail_window: timedelta, warn_window: timedelta | None = None) -> FreshnessPolicy:
        """Ask for an update within a time that ends now.

        Args:
            fail_window: older than this is too old.
            warn_window: older than this is nearly too old.

        Raises:
            CheckError: for less than a minute, or a ``warn_window`` that isn't shorter than the ``fail_window``.
        """
        return TimeWindowFreshnessPolicy(fail_window, warn_window)

    @staticmethod
    def cron(deadline_cron: str, lower_bound_delta: timedelta, timezone: str = "UTC") -> FreshnessPolicy:
        """Ask for an update in some time before each deadline.

        Args:
            deadline_cron: a cron schedule of the deadlines.
            lower_bound_delta: how long before a deadline an update counts for it at the earliest.

        Raises:
            CheckError: for a schedule or timezone that isn't one, or a delta shorter than a minute or longer than the
                time between two deadlines.
        """
        return CronFreshnessPolicy(deadline_cron, lower_bound_delta, timezone)

    @classmethod
    def from_asset_spec_metadata(cls, metadata: Mapping[str, Any]) -> FreshnessPolicy | None:
        """Return the policy that metadata of an asset hold, as Dagster kept it before it was an argument."""
        from ipy_orch.model.serdes import deserialize_value

        held = metadata.get(POLICY_KEY)
        text = getattr(held, "value", held)
        policy = deserialize_value(text) if isinstance(text, str) else None
        return policy if isinstance(policy, FreshnessPolicy) else None

    @abstractmethod
    def state(self, updated: datetime | None, now: datetime) -> FreshnessState:
        """Return how an asset does that was updated last at a moment."""

    @abstractmethod
    def until(self, updated: datetime) -> datetime:
        """Return until when an asset that was updated at a moment isn't too old."""


@dataclass(frozen=True)
class TimeWindowFreshnessPolicy(FreshnessPolicy):
    """Ask for an update within a time that ends now."""

    fail_window: timedelta
    warn_window: timedelta | None = None

    def __post_init__(self) -> None:
        windows = {"fail_window": self.fail_window, "warn_window": self.warn_window}
        for name, window in windows.items():
            if window is not None and long_enough(window, name) > self.fail_window:
                raise CheckError(f"`warn_window` ({window}) is shorter than `fail_window` ({self.fail_window})")
        if self.fail_window == self.warn_window:
            raise CheckError(f"`warn_window` is shorter than `fail_window`, and both are {self.fail_window}")

    @staticmethod
    def from_timedeltas(fail_window: timedelta, warn_window: timedelta | None = None) -> TimeWindowFreshnessPolicy:
        """Return the policy, under Dagster's other name."""
        return TimeWindowFreshnessPolicy(fail_window, warn_window)

    def state(self, updated: datetime | None, now: datetime) -> FreshnessState:
        """Return how an asset does that was updated last at a moment."""
        if updated is None:
            return FreshnessState.UNKNOWN
        age = now - updated
        if age > self.fail_window:
            return FreshnessState.FAIL
        return FreshnessState.WARN if self.warn_window is not None and age > self.warn_window else FreshnessState.PASS

    def until(self, updated: datetime) -> datetime:
        """Return until when an asset that was updated at a moment isn't too old."""
        return updated + self.fail_window


@dataclass(frozen=True)
class CronFreshnessPolicy(FreshnessPolicy):
    """Ask for an update in some time before each deadline."""

    deadline_cron: str
    lower_bound_delta: timedelta
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        long_enough(self.lower_bound_delta, "lower_bound_delta")
        shortest = shortest_interval(read_cron(self.deadline_cron, self.timezone))
        if self.lower_bound_delta > shortest:
            raise CheckError(
                f"`lower_bound_delta` is {self.lower_bound_delta}, longer than the shortest time between two deadlines,"
                f" {shortest}"
            )

    @property
    def schedule(self) -> Cron:
        """Return the deadlines."""
        return Cron(self.deadline_cron, self.timezone)

    def state(self, updated: datetime | None, now: datetime) -> FreshnessState:
        """Return how an asset does that was updated last at a moment."""
        if updated is None:
            return FreshnessState.UNKNOWN
        deadline = next(self.schedule.before(now + timedelta(microseconds=1)))
        return FreshnessState.PASS if updated >= deadline - self.lower_bound_delta else FreshnessState.FAIL

    def until(self, updated: datetime) -> datetime:
        """Return until when an asset that was updated at a moment isn't too old."""
        for deadline in self.schedule.after(updated):
            if deadline - self.lower_bound_delta > updated:
                return deadline
        return updated  # pragma: no cover - a schedule has no last deadline


def apply_freshness_policy(spec: AssetSpec, policy: FreshnessPolicy, overwrite_existing: bool = True) -> AssetSpec:
    """Return a copy of a spec with a policy.

    Args:
        overwrite_existing: False leaves a policy that it has.

    Raises:
        CheckError: when ``policy`` isn't one.
    """
    if not isinstance(policy, FreshnessPolicy):
        raise CheckError(f"`policy` is a FreshnessPolicy, not {policy!r}")
    if spec.freshness_policy is not None and not overwrite_existing:
        return spec
    return spec.replace_attributes(freshness_policy=policy)


def long_enough(window: Any, name: str) -> timedelta:
    """Return a time of at least a minute.

    Raises:
        CheckError: for anything else.
    """
    if not isinstance(window, timedelta):
        raise CheckError(f"`{name}` is a timedelta, not {window!r}")
    if window < MINUTE:
        raise CheckError(f"`{name}` is at least a minute, and {window} isn't")
    return window


def read_cron(expression: str, timezone: str) -> Cron:
    """Return a schedule.

    Raises:
        CheckError: when it or its timezone isn't one.
    """
    try:
        return Cron(expression, timezone)
    except DagsterInvalidDefinitionError as error:
        raise CheckError(str(error)) from error


def shortest_interval(schedule: Cron) -> timedelta:
    """Return the shortest time between two ticks, among the next few hundred on a clock that isn't changed."""
    calm = Cron(schedule.expression, "UTC")
    ticks = islice(calm.after(datetime(2024, 1, 1, tzinfo=UTC)), TICKS_LOOKED_AT)
    return min(later - tick for tick, later in pairwise(ticks))


def brief(span: timedelta) -> str:
    """Return a time for people in its largest units.

    >>> brief(timedelta(hours=26)), brief(timedelta(minutes=90))
    ('1 d 2 h', '1 h 30 min')
    """
    seconds = int(span.total_seconds())
    parts = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    found = []
    for length, unit in parts:
        many, seconds = divmod(seconds, length)
        if many:
            found.append(f"{many} {unit}")
    return " ".join(found[:2]) or "0 s"


# -- the policy that Dagster had before -------------------------------------------------------------------------------


@dataclass(frozen=True)
class FreshnessMinutes:
    """Tell how many minutes an asset is late, and how many its data lag behind."""

    overdue_minutes: float
    lag_minutes: float


@dataclass(frozen=True)
class LegacyFreshnessPolicy:
    """Say how many minutes the data of an asset may lag behind: always, or at the ticks of a schedule.

    Raises:
        DagsterInvalidDefinitionError: for a schedule that isn't one, or a timezone without a schedule.
        CheckError: for a lag that isn't a number.
    """

    maximum_lag_minutes: float
    cron_schedule: str | None = None
    cron_schedule_timezone: str | None = None

    def __init__(
        self,
        *,
        maximum_lag_minutes: float,
        cron_schedule: str | None = None,
        cron_schedule_timezone: str | None = None,
    ) -> None:
        if isinstance(maximum_lag_minutes, bool) or not isinstance(maximum_lag_minutes, int | float):
            raise CheckError(f"`maximum_lag_minutes` is a number, not {maximum_lag_minutes!r}")
        if cron_schedule is None and cron_schedule_timezone is not None:
            raise CheckError("`cron_schedule_timezone` is that of a `cron_schedule`, which isn't given")
        if cron_schedule is not None:
            Cron(cron_schedule, cron_schedule_timezone or "UTC")
        object.__setattr__(self, "maximum_lag_minutes", float(maximum_lag_minutes))
        object.__setattr__(self, "cron_schedule", cron_schedule)
        zone = None if cron_schedule is None else cron_schedule_timezone or "UTC"
        object.__setattr__(self, "cron_schedule_timezone", zone)

    @property
    def maximum_lag_delta(self) -> timedelta:
        """Return the lag as a timedelta."""
        return timedelta(minutes=self.maximum_lag_minutes)

    def get_evaluation_tick(self, evaluation_time: datetime) -> datetime | None:
        """Return the tick as of which lag is looked at; None before any."""
        if self.cron_schedule is None:
            return evaluation_time
        schedule = Cron(self.cron_schedule, self.cron_schedule_timezone or "UTC")
        return next(schedule.before(evaluation_time + timedelta(microseconds=1)), None)

    def minutes_overdue(self, data_time: datetime | None, evaluation_time: datetime) -> FreshnessMinutes | None:
        """Return how late an asset is whose data are as of a moment; None where it has none."""
        if data_time is None:
            return None
        tick = self.get_evaluation_tick(evaluation_time)
        if tick is None:
            return None
        lag = max(0.0, (tick - data_time).total_seconds() / 60)
        return FreshnessMinutes(max(0.0, lag - self.maximum_lag_minutes), lag)
