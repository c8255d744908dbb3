"""Freshness policies: what may be asked for, and the states that follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ipy_orch import AssetSpec, FreshnessPolicy, LegacyFreshnessPolicy, apply_freshness_policy
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError

HOUR = timedelta(hours=1)
NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "state"), [(None, "UNKNOWN"), (0.5, "PASS"), (1, "PASS"), (1.5, "WARN"), (2, "WARN"), (2.1, "FAIL")]
)
def test_a_window_that_ends_now(age: float | None, state: str) -> None:
    """Exactly as old as allowed is fresh."""
    policy = FreshnessPolicy.time_window(fail_window=2 * HOUR, warn_window=HOUR)
    updated = None if age is None else NOON - age * HOUR
    assert policy.state(updated, NOON).value == state


@pytest.mark.parametrize(
    ("updated", "now", "state"),
    [
        ("2024-03-15 08:29", "2024-03-15 09:00", "FAIL"),
        ("2024-03-15 08:30", "2024-03-15 09:00", "PASS"),
        ("2024-03-14 08:45", "2024-03-15 08:59", "PASS"),
        ("2024-03-15 09:30", "2024-03-16 08:59", "PASS"),
        ("2024-03-15 09:30", "2024-03-16 09:00", "FAIL"),
    ],
)
def test_a_window_before_each_deadline(updated: str, now: str, state: str) -> None:
    """What was made after a deadline counts for it, and not for the next one."""
    policy = FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=timedelta(minutes=30))
    made, moment = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (updated, now))
    assert policy.state(made, moment).value == state


def test_until_when_it_is_fresh() -> None:
    """The state changes there, and not before."""
    window = FreshnessPolicy.time_window(fail_window=HOUR)
    daily = FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=HOUR, timezone="Europe/Berlin")
    second = timedelta(seconds=1)
    for policy in (window, daily):
        end = policy.until(NOON)
        assert policy.state(NOON, end - second).value == "PASS"
        assert policy.state(NOON, end + second).value == "FAIL"


@pytest.mark.parametrize(
    "make",
    [
        lambda: FreshnessPolicy.time_window(fail_window=timedelta(seconds=59)),
        lambda: FreshnessPolicy.time_window(fail_window=HOUR, warn_window=HOUR),
        lambda: FreshnessPolicy.time_window(fail_window=HOUR, warn_window=2 * HOUR),
        lambda: FreshnessPolicy.time_window(fail_window=3600),
        lambda: FreshnessPolicy.cron(deadline_cron="0 9 * *", lower_bound_delta=HOUR),
        lambda: FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=HOUR, timezone="Mars"),
        lambda: FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=25 * HOUR),
        lambda: FreshnessPolicy.cron(deadline_cron="0 9 * * 1-5", lower_bound_delta=30 * HOUR),
        lambda: apply_freshness_policy(AssetSpec("a"), None),
    ],
    ids=["short", "same", "longer", "number", "four fields", "timezone", "longer than a day", "weekdays", "none"],
)
def test_what_can_t_be_asked_for(make) -> None:
    """It is refused where it is said."""
    with pytest.raises(CheckError):
        make()


def test_a_policy_is_given_to_a_spec() -> None:
    """And only where there's none, if that is wanted."""
    one, other = (FreshnessPolicy.time_window(fail_window=many * HOUR) for many in (1, 2))
    spec = apply_freshness_policy(AssetSpec("a"), one)
    assert apply_freshness_policy(spec, other).freshness_policy == other
    assert apply_freshness_policy(spec, other, overwrite_existing=False).freshness_policy == one


def test_the_policy_that_dagster_had_before() -> None:
    """Lag is looked at now, or as of the newest tick of a schedule."""
    always = LegacyFreshnessPolicy(maximum_lag_minutes=30)
    nightly = LegacyFreshnessPolicy(maximum_lag_minutes=30, cron_schedule="@daily")
    data = NOON - HOUR
    assert always.minutes_overdue(data, NOON).overdue_minutes == 30
    assert nightly.minutes_overdue(data, NOON).overdue_minutes == 0
    assert always.minutes_overdue(None, NOON) is None
    with pytest.raises(DagsterInvalidDefinitionError):
        LegacyFreshnessPolicy(maximum_lag_minutes=1, cron_schedule="never")
