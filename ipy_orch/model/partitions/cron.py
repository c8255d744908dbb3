"""The moments that a cron schedule names in a timezone, in both directions.

The expression is read as the clock on the wall shows it (cronsim does that); this room tells which moments these are
when the clock is changed. A schedule for every hour runs through a repeated hour twice and leaves out one that is
skipped. Any other schedule names each time of a day once: of a repeated one the second, and where the clock skips it,
the moment at which the clock goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache
from itertools import dropwhile
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from ipy_orch.errors import DagsterInvalidDefinitionError, closest

__all__ = ["Cron", "ScheduleType", "timezone_named", "usual_schedule"]

FIELDS: Final = "minute hour day-of-month month day-of-week"

ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: how far one moment is from the next on the wall, where that is always the same
STRIDES: Final = (
    (r"\d+ \* \* \* \*", timedelta(hours=1)),
    (r"\d+ \d+ \* \* \*", timedelta(days=1)),
    (r"\d+ \d+ \* \* \d", timedelta(days=7)),
)
NONE: Final = timedelta(0)
STEP: Final = timedelta(microseconds=1)
SECOND: Final = timedelta(seconds=1)
FAR: Final = timedelta(hours=25)  # more than any change of the clock


class ScheduleType(Enum):
    """Name the usual schedules."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class Cron:
    """Be a cron schedule in a timezone.

    Args:
        expression: five fields, or ``@daily`` and the like.
        timezone: where the clock hangs.

    Raises:
        DagsterInvalidDefinitionError: when the expression isn't one, or names no moment.

    >>> ticks = Cron("0 9 * * 1-5", "UTC").after(datetime(2024, 1, 5, 12, tzinfo=UTC))
    >>> next(ticks).isoformat()
    '2024-01-08T09:00:00+00:00'
    """

    def __init__(self, expression: str, timezone: str = "UTC") -> None:
        self.expression, self.timezone = expression, timezone
        self.zone = timezone_named(timezone)
        self.fields = fields_of(expression)
        self.every_hour = self.fields[1] == "*"
        plain = " ".join(self.fields)
        self.stride = next((step for shape, step in STRIDES if re.fullmatch(shape, plain)), None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cron):
            return NotImplemented
        return (self.fields, self.timezone) == (other.fields, other.timezone)

    def __hash__(self) -> int:
        return hash((self.fields, self.timezone))

    def __repr__(self) -> str:
        return f"Cron({self.expression!r}, {self.timezone!r})"

    # -- as the wall shows it -----------------------------------------------------------------------------------------

    def walls(self, wall: datetime, *, back: bool = False) -> Iterator[datetime]:
        """Yield the times on the wall after, or before, one of them; it itself doesn't count."""
        from cronsim import CronSim

        found = iter(CronSim(" ".join(self.fields), wall, reverse=back))
        if self.stride is None:
            yield from found
            return
        time, step = next(found), -self.stride if back else self.stride
        while True:
            yield time
            time += step

    # -- the moments --------------------------------------------------------------------------------------------------

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the moments from ``moment`` on, itself included."""
        wall, start = self.wall_at(moment), moment.timestamp()
        found = self.moments(self.walls(wall - STEP if self.is_calm(moment) else wall - FAR))
        return dropwhile(lambda one: one.timestamp() < start, found)

    def before(self, moment: datetime) -> Iterator[datetime]:
        """Yield the moments before ``moment``, the latest first."""
        wall, end = self.wall_at(moment), moment.timestamp()
        found = self.moments(self.walls(wall if self.is_calm(moment) else wall + FAR, back=True), back=True)
        return dropwhile(lambda one: one.timestamp() >= end, found)

    def names(self, moment: datetime) -> bool:
        """Tell whether a moment is one of the schedule's."""
        return next(self.after(moment), moment + SECOND).timestamp() == moment.timestamp()

    def wall_at(self, moment: datetime) -> datetime:
        """Return what the clock shows at a moment."""
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def is_calm(self, moment: datetime) -> bool:
        """Tell whether nobody changes the clock near a moment."""
        if self.zone is UTC:
            return True
        here = moment.astimezone(UTC)
        return (here - FAR).astimezone(self.zone).utcoffset() == (here + FAR).astimezone(self.zone).utcoffset()

    def moments(self, walls: Iterator[datetime], *, back: bool = False) -> Iterator[datetime]:
        """Yield the moment, or the two, or none, for each time on the wall, in order."""
        if self.zone is UTC:
            yield from (wall.replace(tzinfo=UTC) for wall in walls)
            return
        again: list[datetime] = []  # the other pass through the hour that is repeated
        last = None
        for wall in walls:
            one, other = wall.replace(tzinfo=self.zone), wall.replace(tzinfo=self.zone, fold=1)
            before, after = offset(one), offset(other)
            if after < before and self.every_hour:  # the clock was put back: this time is there twice
                again.append(one if back else other)
                yield other if back else one
                continue
            yield from again
            again.clear()
            if before == after:
                found = one
            elif after < before:
                found = other
            elif self.every_hour:  # the clock was put forward over this time
                continue
            else:
                found = self.end_of_gap(one, other)
            if found != last:
                yield found
            last = found
        yield from again

    def end_of_gap(self, one: datetime, other: datetime) -> datetime:
        """Return the moment at which the clock goes on, for a time that it skips, read in both ways."""
        early, late = sorted((int(one.timestamp()), int(other.timestamp())))
        before = offset(datetime.fromtimestamp(early, self.zone))
        while late - early > 1:
            middle = (early + late) // 2
            calm = offset(datetime.fromtimestamp(middle, self.zone)) == before
            early, late = (middle, late) if calm else (early, middle)
        return datetime.fromtimestamp(late, self.zone)


def offset(moment: datetime) -> timedelta:
    """Return how far the clock is from UTC."""
    return moment.utcoffset() or NONE


def timezone_named(name: str) -> tzinfo:
    """Return a timezone.

    Raises:
        DagsterInvalidDefinitionError: when there's none of this name, with the closest.
    """
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        hint = closest(name, available_timezones())
        raise DagsterInvalidDefinitionError(f"there is no timezone `{name}`", hint=hint) from error


@lru_cache(maxsize=256)
def fields_of(expression: str) -> tuple[str, ...]:
    """Return the five fields of a cron expression.

    Raises:
        DagsterInvalidDefinitionError: when it isn't one.
    """
    from cronsim import CronSim, CronSimError

    fields = tuple(ALIASES.get(expression.strip(), expression).replace("?", "*").split())
    if len(fields) != len(FIELDS.split()):
        raise DagsterInvalidDefinitionError(f"`{expression}` isn't a cron schedule: it has five fields", hint=FIELDS)
    try:
        next(CronSim(" ".join(fields), datetime(2000, 1, 1)))  # noqa: DTZ001 - as the wall shows it
    except (CronSimError, StopIteration) as error:
        why = str(error) or "no day is like that"
        raise DagsterInvalidDefinitionError(f"`{expression}` isn't a cron schedule: {why}", hint=FIELDS) from error
    return fields


def usual_schedule(kind: ScheduleType, minute: int = 0, hour: int = 0, day: int | None = None) -> str:
    """Return a usual schedule as a cron expression.

    >>> usual_schedule(ScheduleType.WEEKLY, 30, 6)
    '30 6 * * 0'
    """
    if kind is ScheduleType.HOURLY:
        return f"{minute} * * * *"
    if kind is ScheduleType.DAILY:
        return f"{minute} {hour} * * *"
    if kind is ScheduleType.WEEKLY:
        return f"{minute} {hour} * * {day or 0}"
    return f"{minute} {hour} {1 if day is None else day} * *"
