"""When schedules tick, against a count of all minutes: over daylight saving both ways, month ends and leap days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ipy_orch.automation.automations import automations_of
from ipy_orch.automation.daemon import daemon_of
from ipy_orch.session.session import Session
from tests.automation.clocks import Frozen

MINUTE = timedelta(minutes=1)
Wall = Callable[[datetime], bool]


def ticks_of(cron: str | list[str], zone: str, start: str, hours: int, step: int) -> list[datetime]:
    """Return the moments for which a schedule ticks while a daemon looks every ``step`` seconds."""
    clock = Frozen(start)
    namespace: dict[str, Any] = {}
    exec("from ipy_orch import *", namespace)
    made = namespace["ScheduleDefinition"]("one", cron_schedule=cron, job_name="none", execution_timezone=zone)
    session = Session({"one": made})
    automations, daemon = automations_of(session, clock), daemon_of(session)
    daemon.missed = "all"
    session.switch("one", True)
    for _ in range(hours * 3600 // step):
        clock.advance(step)
        found = session.scan().automations["one"]
        for moment in automations.due(found, session.scan(), daemon.began):
            automations.miss("one", [moment])  # noted, so that it counts as done
    moments = [tick.moment for tick in reversed(automations.ticks.all)]
    return [datetime.fromtimestamp(moment, UTC) for moment in moments if moment is not None]


def counted(zone: str, start: str, hours: int, matches: Wall, *, every_hour: bool = False) -> list[datetime]:
    """Return the moments of a schedule by looking at the clock on the wall at each minute.

    A time that the clock skips is the first minute after, and one that is there twice counts the second time, unless
    the schedule is one for every hour: that has neither.
    """
    where, first = ZoneInfo(zone), datetime.fromisoformat(start).replace(tzinfo=UTC)
    minutes = [first + number * MINUTE for number in range(1, hours * 60 + 1)]
    found: list[datetime] = []
    for moment in minutes:
        wall, before = moment.astimezone(where), (moment - MINUTE).astimezone(where)
        shown = {wall.replace(tzinfo=None)}
        jump = wall.replace(tzinfo=None) - before.replace(tzinfo=None)
        if jump > MINUTE and not every_hour:
            shown |= {before.replace(tzinfo=None) + number * MINUTE for number in range(1, int(jump / MINUTE))}
        if not any(map(matches, shown)):
            continue
        again = (moment + timedelta(hours=1)).astimezone(where).replace(tzinfo=None)
        if again == wall.replace(tzinfo=None) and not every_hour:
            continue  # the same time comes once more
        found.append(moment)
    return found


def daily(hour: int, minute: int) -> Wall:
    """Return a test for a time of each day."""
    return lambda wall: (wall.hour, wall.minute) == (hour, minute)


CASES: dict[str, tuple[str, str, str, int, Wall, bool]] = {
    "Berlin goes forward over it": ("30 2 * * *", "Europe/Berlin", "2024-03-29 12:00", 96, daily(2, 30), False),
    "Berlin goes back over it": ("30 2 * * *", "Europe/Berlin", "2024-10-25 12:00", 96, daily(2, 30), False),
    "Berlin goes forward elsewhere": ("0 9 * * *", "Europe/Berlin", "2024-03-29 12:00", 96, daily(9, 0), False),
    "New York goes back": ("15 1 * * *", "America/New_York", "2024-11-01 12:00", 96, daily(1, 15), False),
    "each hour goes forward": ("0 * * * *", "Europe/Berlin", "2024-03-30 12:00", 48, lambda w: w.minute == 0, True),
    "each hour goes back": ("20 * * * *", "Europe/Berlin", "2024-10-26 12:00", 48, lambda w: w.minute == 20, True),
    "half an hour forward": ("15 2 * * *", "Australia/Lord_Howe", "2024-10-04 00:00", 96, daily(2, 15), False),
    "a leap day": (
        "0 6 29 2 *",
        "UTC",
        "2024-02-27 00:00",
        24 * 5,
        lambda w: (w.month, w.day, w.hour, w.minute) == (2, 29, 6, 0),
        False,
    ),
    "the ends of months": (
        "0 0 31 * *",
        "Asia/Tokyo",
        "2024-01-30 00:00",
        24 * 92,
        lambda w: (w.day, w.hour, w.minute) == (31, 0, 0),
        False,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_schedule_ticks_as_the_clock_on_the_wall_shows_it(case: str) -> None:
    """A daemon that looks every half hour finds the very moments of a count over all minutes."""
    cron, zone, start, hours, matches, every_hour = CASES[case]
    expected = counted(zone, start, hours, matches, every_hour=every_hour)
    assert expected
    assert ticks_of(cron, zone, start, hours, 1800 if hours < 200 else 6 * 3600) == expected


def test_several_expressions_tick_together_and_once_where_they_meet() -> None:
    """In the order of time."""
    found = ticks_of(["0 9 * * *", "0 */12 * * *", "0 9 1 * *"], "UTC", "2024-02-29 08:00", 26, 3600)
    assert [f"{moment:%d %H}" for moment in found] == ["29 09", "29 12", "01 00", "01 09"]
