"""Partitions by time in many timezones and on awkward days, beside a calendar that looks at every quarter hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ipy_orch import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    TimeWindow,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
    partition_loading_context,
)

QUARTER = timedelta(minutes=15)
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour
    "America/Havana",  # at midnight
    "Asia/Kathmandu",  # three quarters of an hour from UTC
    "Africa/Casablanca",  # back for a month
)
PERIODS = {
    "leap day": ("2024-02-27", "2024-03-02"),
    "no leap day": ("2023-02-26", "2023-03-02"),
    "end of the year": ("2024-12-29", "2025-01-03"),
    "America forward": ("2024-03-08", "2024-03-12"),
    "Europe forward": ("2024-03-29", "2024-04-02"),
    "Europe back": ("2024-10-25", "2024-10-29"),
    "America back": ("2024-11-01", "2024-11-05"),
    "Australia back": ("2024-04-05", "2024-04-09"),
}


@lru_cache
def moments(zone: str, start: str, end: str, minute: int, hour: int | None) -> list[datetime]:
    """Return, from a day to another, when the clock shows a time of the day, or a minute of the hour when there's none.

    A time that is skipped is the first moment after it; one that comes twice is the second one.
    """
    place = ZoneInfo(zone)
    at = datetime.fromisoformat(start).replace(tzinfo=place).astimezone(UTC) - timedelta(days=1)
    until = datetime.fromisoformat(end).replace(tzinfo=place).astimezone(UTC) + timedelta(days=2)
    found: dict[object, datetime] = {}
    before = (at - QUARTER).astimezone(place).replace(tzinfo=None)
    while at < until:
        wall = at.astimezone(place).replace(tzinfo=None)
        if hour is None:
            if wall.minute == minute:
                found[at] = at
        else:
            for day in {before.date(), wall.date()}:
                wanted = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - on the wall
                if wall == wanted or before < wanted < wall:
                    found[day] = at
        before, at = wall, at + QUARTER
    return sorted(found.values())


def told(cut: TimeWindowPartitionsDefinition) -> list[tuple[datetime, datetime]]:
    """Return the windows of all partitions in UTC."""
    windows = (cut.time_window_for_partition_key(key) for key in cut.get_partition_keys())
    return [in_utc(window) for window in windows]


def in_utc(window: TimeWindow) -> tuple[datetime, datetime]:
    """Return the ends of a window in UTC."""
    return window.start.astimezone(UTC), window.end.astimezone(UTC)


def expected(zone: str, start: str, end: str, ticks: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Return the windows between moments, from a day on, that have ended by another."""
    first, last = (datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) for day in (start, end))
    within = [one for one in ticks if one >= first.astimezone(UTC)]
    return [pair for pair in pairwise(within) if pair[1] <= last.astimezone(UTC)]


@pytest.fixture(autouse=True)
def _later():
    """Look at all as of a time when it is long past."""
    with partition_loading_context(datetime(2026, 1, 1, tzinfo=UTC)):
        yield


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("period", PERIODS)
def test_hours(zone: str, period: str) -> None:
    """Every hour is one, on days of 23, 24 and 25 of them; keys tell all of them apart."""
    start, end = PERIODS[period]
    cut = HourlyPartitionsDefinition(f"{start}-00:00", f"{end}-00:00", timezone=zone)
    assert told(cut) == expected(zone, start, end, moments(zone, start, end, 0, None))
    keys = cut.get_partition_keys()
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (2, 30)])
def test_days(zone: str, period: str, hour: int, minute: int) -> None:
    """A day lasts from a time to the same time, also where that is skipped or comes twice."""
    start, end = PERIODS[period]
    cut = DailyPartitionsDefinition(start, end, timezone=zone, hour_offset=hour, minute_offset=minute)
    assert told(cut) == expected(zone, start, end, moments(zone, start, end, minute, hour))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", range(7))
def test_weeks(zone: str, day: int) -> None:
    """A week begins on a day, over a year with a leap day and both changes of the clock."""
    start, end = "2024-01-01", "2025-01-15"
    cut = WeeklyPartitionsDefinition(start, end, timezone=zone, day_offset=day)
    place = ZoneInfo(zone)
    ticks = [one for one in moments(zone, start, end, 0, 0) if one.astimezone(place).isoweekday() % 7 == day]
    assert told(cut) == expected(zone, start, end, ticks)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [1, 15, 29, 30, 31])
def test_months(zone: str, day: int) -> None:
    """A month begins on a day, where it has that day; else the one before goes on."""
    start, end = "2023-12-01", "2025-03-15"
    cut = MonthlyPartitionsDefinition(start, end, timezone=zone, day_offset=day)
    place = ZoneInfo(zone)
    ticks = [one for one in moments(zone, start, end, 0, 0) if one.astimezone(place).day == day]
    assert told(cut) == expected(zone, start, end, ticks)


def test_the_next_partition_appears_when_its_window_ends() -> None:
    """Not a moment earlier, on the day that has 23 hours and on the one that has 25."""
    cut = DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin")
    for key, ends in (("2024-03-31", "2024-03-31T22:00"), ("2024-10-27", "2024-10-27T23:00")):
        end = datetime.fromisoformat(ends).replace(tzinfo=UTC)
        for moment, is_there in ((end - timedelta(seconds=1), False), (end, True)):
            with partition_loading_context(moment):
                assert (cut.get_last_partition_key() == key) is is_there
