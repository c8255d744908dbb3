"""Partitions by time: keys, windows, offsets, timezones; beside an independent computation, and beside Dagster."""

# ruff: noqa: DTZ001 - a moment without a timezone is that of the partitions

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipy_orch import (
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterUnknownPartitionError,
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    PartitionKeyRange,
    TimeWindow,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
    partition_loading_context,
)
from ipy_orch.errors import CheckError
from ipy_orch.model.partitions.cron import Cron

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia")
FINE = "%Y-%m-%dT%H:%M"


def cut(cron: str, zone: str = "UTC", **more: Any) -> TimeWindowPartitionsDefinition:
    """Return partitions from 2024 on."""
    return TimeWindowPartitionsDefinition("2024-01-01T00:00", FINE, cron_schedule=cron, timezone=zone, **more)


# ---- the clock


def moments_of(cron: str, zone: str, day: str, days: int = 2) -> list[str]:
    """Return the moments of a schedule on some days, as far from UTC as they are."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    end = (start + timedelta(days=days)).timestamp()
    found = []
    for one in Cron(cron, zone).after(start):
        if one.timestamp() >= end:
            return found
        found.append(one.strftime("%d %H:%M %z"))
    return found


@pytest.mark.parametrize(
    ("cron", "moments"),
    [
        ("30 2 * * *", ["10 03:00 -0400", "11 02:30 -0400"]),
        ("0,30 2 * * *", ["10 03:00 -0400", "11 02:00 -0400", "11 02:30 -0400"]),
        ("0 2,3 * * *", ["10 03:00 -0400", "11 02:00 -0400", "11 03:00 -0400"]),
        ("30 0-4 * * *", ["10 00:30 -0500", "10 01:30 -0500", "10 03:00 -0400", "10 03:30 -0400", "10 04:30 -0400"]),
    ],
)
def test_the_clock_is_put_forward(cron: str, moments: list[str]) -> None:
    """A time that is skipped is the moment at which the clock goes on, once."""
    assert moments_of(cron, "America/New_York", "2024-03-10")[: len(moments)] == moments


def test_every_hour_when_the_clock_is_put_forward() -> None:
    """The hour that is skipped has no partition."""
    assert moments_of("15 * * * *", "America/New_York", "2024-03-10")[:3] == [
        "10 00:15 -0500",
        "10 01:15 -0500",
        "10 03:15 -0400",
    ]


def test_the_clock_is_put_back() -> None:
    """Every hour comes twice; a time of the day is the second one."""
    assert moments_of("0 * * * *", "America/New_York", "2024-11-03")[:4] == [
        "03 00:00 -0400",
        "03 01:00 -0400",
        "03 01:00 -0500",
        "03 02:00 -0500",
    ]
    assert moments_of("30 1 * * *", "America/New_York", "2024-11-03") == ["03 01:30 -0500", "04 01:30 -0500"]


def test_a_day_that_was_left_out() -> None:
    """Samoa had no 30 December 2011."""
    assert moments_of("0 0 * * *", "Pacific/Apia", "2011-12-29", 5)[:3] == [
        "29 00:00 -1000",
        "31 00:00 +1400",
        "01 00:00 +1400",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0 * * * *", "*/20 * * * *", "30 2 * * *", "0 0 * * 1", "0 0 1 * *", "15 1,13 * * 1-5"]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),
)
def test_backwards_is_forwards(cron: str, zone: str, wall: datetime) -> None:
    """What comes before a moment is what comes after an earlier one; time never stands still."""
    schedule, moment = Cron(cron, zone), wall.replace(tzinfo=UTC)
    back = [one.timestamp() for one, _ in zip(schedule.before(moment), range(6), strict=False)]
    start = datetime.fromtimestamp(back[-1], UTC)
    forth = [one.timestamp() for one, _ in zip(schedule.after(start), range(8), strict=False)]
    assert forth[:6] == back[::-1]
    assert all(one < other for one, other in pairwise(forth))
    assert forth[6] >= moment.timestamp() > forth[5]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)), st.integers(0, 59))
def test_hours_are_hours(zone: str, wall: datetime, minute: int) -> None:
    """All moments at a minute of the hour, found by looking at every minute of three days."""
    start = wall.replace(tzinfo=UTC, second=0, microsecond=0)
    every = (start + timedelta(minutes=one) for one in range(3 * 24 * 60))
    expected = [one for one in every if one.astimezone(ZoneInfo(zone)).minute == minute]
    schedule = Cron(f"{minute} * * * *", zone)
    found = [one.astimezone(UTC) for one, _ in zip(schedule.after(start), expected, strict=False)]
    assert found == expected


# ---- keys and windows


def test_leap_days_and_month_ends() -> None:
    """February has 29 days, and the 31st is there seven times a year."""
    days = DailyPartitionsDefinition("2024-02-27", "2024-03-02")
    assert days.get_partition_keys() == ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]
    last = MonthlyPartitionsDefinition("2023-01-01", "2024-01-01", day_offset=31)
    assert [key[5:7] for key in last.get_partition_keys()] == ["01", "03", "05", "07", "08", "10"]


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        (HourlyPartitionsDefinition("2024-01-01-22:00", end_date="2024-01-01-23:30"), ["2024-01-01-22:00"]),
        (WeeklyPartitionsDefinition("2024-01-01", "2024-01-16", day_offset=1), ["2024-01-01", "2024-01-08"]),
        (DailyPartitionsDefinition("2024-01-03", "2024-01-01"), []),
        (cut("0 0,12 * * *", end="2024-01-02T00:00"), ["2024-01-01T00:00", "2024-01-01T12:00"]),
    ],
)  # fmt: skip
def test_keys(made: TimeWindowPartitionsDefinition, keys: list[str]) -> None:
    """Windows that have ended before the end."""
    assert made.get_partition_keys() == keys
    assert made.get_num_partitions() == len(keys)
    assert (made.get_first_partition_key(), made.get_last_partition_key()) == (
        (keys[0], keys[-1]) if keys else (None, None)
    )


@pytest.mark.parametrize(
    ("offset", "last"), [(0, "2024-01-04"), (1, "2024-01-05"), (3, "2024-01-07"), (-2, "2024-01-02")]
)
def test_end_offset(offset: int, last: str) -> None:
    """More or fewer partitions than windows that have ended, never more than the end allows."""
    with partition_loading_context(datetime(2024, 1, 5, 13)):
        assert DailyPartitionsDefinition("2024-01-01", end_offset=offset).get_last_partition_key() == last
        ended = DailyPartitionsDefinition("2024-01-01", "2024-01-04", end_offset=offset)
        assert ended.get_last_partition_key() == min(last, "2024-01-03")
        assert DailyPartitionsDefinition("2024-01-15", end_offset=offset).get_last_partition_key() is None


def test_exclusions() -> None:
    """No window begins there, and the one before ends as ever; offsets count what is left."""
    workdays = cut("0 0 * * *", exclusions=["0 0 * * 6-7", datetime(2024, 1, 8)], end_offset=1)
    with partition_loading_context(datetime(2024, 1, 5, 12)):
        assert [key[8:10] for key in workdays.get_partition_keys()] == ["01", "02", "03", "04", "05"]
        assert workdays.get_next_partition_key("2024-01-05T00:00") is None
    with partition_loading_context(datetime(2024, 1, 7, 12)):
        assert workdays.get_last_partition_key() == "2024-01-09T00:00"
        assert workdays.get_next_partition_key("2024-01-05T00:00") == "2024-01-09T00:00"
        assert not workdays.has_partition_key("2024-01-06T00:00")
    assert workdays.time_window_for_partition_key("2024-01-05T00:00").end.day == 6


def test_keys_tell_a_repeated_hour_apart() -> None:
    """The second pass says how far it is from UTC, and only that is its key."""
    hours = HourlyPartitionsDefinition("2024-11-03-00:00", "2024-11-03-03:00", timezone="America/New_York")
    assert hours.get_partition_keys() == [
        "2024-11-03-00:00", "2024-11-03-01:00", "2024-11-03-01:00-0500", "2024-11-03-02:00",
    ]  # fmt: skip
    assert not hours.has_partition_key("2024-11-03-01:00-0400")
    for key in hours.get_partition_keys():
        start, end = hours.time_window_for_partition_key(key)
        assert end.timestamp() - start.timestamp() == 3600


def test_ranges() -> None:
    """Both ends belong to it."""
    days = DailyPartitionsDefinition("2024-01-01", "2024-02-01")
    found = days.get_partition_keys_in_range(PartitionKeyRange("2024-01-30", "2024-01-31"))
    assert found == ["2024-01-30", "2024-01-31"]
    assert days.get_partition_keys_in_range(PartitionKeyRange("2024-01-03", "2024-01-01")) == []
    with pytest.raises(DagsterInvalidInvocationError, match="2024-02-01"):
        days.get_partition_keys_in_range(PartitionKeyRange("2024-01-30", "2024-02-01"))


def test_what_is_refused() -> None:
    """Schedules that aren't any, timezones, keys and moments."""
    for wrong in ("0 24 * * *", "0 0 31 2 *", "* * * *", "@sometimes", "0 0 0 * * *"):
        with pytest.raises(DagsterInvalidDefinitionError, match="isn't a cron schedule"):
            cut(wrong)
    with pytest.raises(DagsterInvalidDefinitionError, match=r"(?s)Europe/Berlin.*hint"):
        cut("@daily", "Europe/Berlini")
    for kind in (DagsterInvalidDefinitionError, ValueError):  # the latter is what Dagster raises
        with pytest.raises(kind, match="isn't written as"):
            DailyPartitionsDefinition("1 May 2024")
    with pytest.raises(CheckError, match="one of the two"):
        TimeWindowPartitionsDefinition("2024-01-01", "%Y-%m-%d")
    days = DailyPartitionsDefinition("2024-01-01", "2024-02-01")
    with pytest.raises(DagsterUnknownPartitionError, match="`x`"):
        days.time_window_for_partition_key("x")
    with pytest.raises(DagsterUnknownPartitionError):
        days.get_partition_key(datetime(2025, 1, 1))
    with pytest.raises(DagsterInvalidDefinitionError, match="two partitions have the key"):
        TimeWindowPartitionsDefinition(
            "2024-01-01", "%Y-%m-%d", cron_schedule="0 */6 * * *"
        ).validate_partition_definition()


def test_as_values() -> None:
    """Definitions are equal that say the same, in whatever way; they can be pickled, and hashed."""
    days = DailyPartitionsDefinition("2024-01-01")
    same = TimeWindowPartitionsDefinition(datetime(2024, 1, 1, tzinfo=UTC), "%Y-%m-%d", cron_schedule="0 0 * * *")
    assert days == same
    assert hash(days) == hash(same)
    assert pickle.loads(pickle.dumps(days)) == days
    assert days != DailyPartitionsDefinition("2024-01-02")
    assert days.get_partition_key(datetime(2024, 1, 5, 17)) == "2024-01-05"


def test_ten_thousand() -> None:
    """They are found out once, and a subset of neighbours is one window."""
    days = DailyPartitionsDefinition("2000-01-01", "2027-05-19", timezone="Europe/Berlin")
    with partition_loading_context(datetime(2028, 1, 1)):
        keys = days.get_partition_keys()
        subset = days.subset_with_partition_keys(keys)
        assert (len(keys), len(subset.included_time_windows), len(subset)) == (10_000, 1, 10_000)


# ---- subsets


@settings(max_examples=80, deadline=None)
@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_subsets_are_sets(some: set[int], others: set[int]) -> None:
    """As sets of days do, also where days are left out."""
    days = cut("0 0 * * *", end="2024-02-01T00:00", exclusions=["0 0 * * 0"])
    keys = days.get_partition_keys()
    one, other = ({keys[n] for n in numbers if n < len(keys)} for numbers in (some, others))
    mine, theirs = days.subset_with_partition_keys(one), days.subset_with_partition_keys(other)
    for made, expected in ((mine | theirs, one | other), (mine & theirs, one & other), (mine - theirs, one - other)):
        assert list(made.get_partition_keys()) == sorted(expected)
        assert made.is_empty == (not expected)
        assert made == days.deserialize_subset(made.serialize())
        told = [key for span in made.get_partition_key_ranges(days) for key in days.get_partition_keys_in_range(span)]
        assert told == sorted(expected)
    assert set(mine.get_partition_keys_not_in_subset(days)) == set(keys) - one


# ---- beside Dagster


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0 * * * *", "30 2 * * *", "0 1 * * *", "0 */2 * * *", "0 0 * * 1-5", "0 0 1 * *", "0 1-3 * * *"]),
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin"]),
    st.datetimes(datetime(2023, 11, 2), datetime(2024, 4, 10)),
    st.integers(-2, 2),
)
def test_as_dagster_does(cron: str, zone: str, wall: datetime, offset: int) -> None:
    """The same keys, and the same windows."""
    dagster = pytest.importorskip("dagster")
    more = {"cron_schedule": cron, "timezone": zone, "end_offset": offset}
    mine = TimeWindowPartitionsDefinition("2023-10-27T00:00", FINE, **more)
    theirs = dagster.TimeWindowPartitionsDefinition(start="2023-10-27T00:00", fmt=FINE, **more)
    now = wall.replace(tzinfo=ZoneInfo(zone))
    keys = mine.get_partition_keys(now)
    assert keys == list(theirs.get_partition_keys(now))
    for key in keys[-2:]:
        assert mine.time_window_for_partition_key(key) == TimeWindow(*theirs.time_window_for_partition_key(key))
