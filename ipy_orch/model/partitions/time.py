"""Partitions by time: windows between the moments of a cron schedule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterUnknownPartitionError,
)
from ipy_orch.model.ops import set_all
from ipy_orch.model.partitions.contexts import now
from ipy_orch.model.partitions.cron import Cron, ScheduleType, usual_schedule
from ipy_orch.model.partitions.definition import PartitionKeyRange, PartitionsDefinition, TimeWindow
from ipy_orch.model.partitions.nearest import nearest_in_time
from ipy_orch.model.partitions.time_keys import HOUR, in_zone, moment_of, namer, parsed
from ipy_orch.model.partitions.timeline import Calendar, Timeline, timeline

if TYPE_CHECKING:
    from ipy_orch.model.partitions.time_subsets import TimeWindowPartitionsSubset

__all__ = ["TimeWindowPartitionsDefinition"]

#: as text: to compile them would make the package slower to load
SHAPES: Final = {  # as text: compiling them would slow down the loading of the package
    ScheduleType.HOURLY: r"(?P<minute>\d+) \* \* \* \*",
    ScheduleType.DAILY: r"(?P<minute>\d+) (?P<hour>\d+) \* \* \*",
    ScheduleType.WEEKLY: r"(?P<minute>\d+) (?P<hour>\d+) \* \* (?P<day>\d)",
    ScheduleType.MONTHLY: r"(?P<minute>\d+) (?P<hour>\d+) (?P<day>\d+) \* \*",
}


@dataclass(frozen=True, init=False, repr=False, eq=False)
class TimeWindowPartitionsDefinition(PartitionsDefinition):
    """Cut something by time. A partition is there when its window has ended.

    Args:
        start: of the first window, or before it; text is in ``fmt``.
        fmt: how the moment at which a window begins is written as a key (``strftime``).
        end: the last window ends there or before.
        schedule_type: one of the usual schedules, instead of ``cron_schedule``.
        timezone: that of the schedule, and of ``start`` and ``end`` where they have none.
        end_offset: how many more partitions there are than windows that have ended; fewer, when negative.
        minute_offset: of the usual schedules, like the other offsets: when a window begins.
        cron_schedule: each window begins at one moment of it and ends at the next.
        exclusions: schedules and moments at which no window begins.

    Raises:
        DagsterInvalidDefinitionError: when the schedule isn't one, or ``start`` can't be read.
        CheckError: without a schedule.

    >>> quarters = TimeWindowPartitionsDefinition("2024-01", "%Y-%m", cron_schedule="0 0 1 */3 *")
    >>> quarters.get_partition_keys(datetime(2024, 11, 1))
    ['2024-01', '2024-04', '2024-07']
    """

    start: datetime
    timezone: str
    end: datetime | None
    fmt: str
    end_offset: int
    cron_schedule: str
    exclusions: tuple[str | datetime, ...]

    def __init__(
        self,
        start: datetime | str,
        fmt: str,
        end: datetime | str | None = None,
        schedule_type: ScheduleType | None = None,
        timezone: str | None = None,
        end_offset: int = 0,
        minute_offset: int | None = None,
        hour_offset: int | None = None,
        day_offset: int | None = None,
        cron_schedule: str | None = None,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        if (schedule_type is None) == (cron_schedule is None):
            raise CheckError("partitions by time have a `cron_schedule` or a `schedule_type`, one of the two")
        if cron_schedule is not None and (minute_offset, hour_offset, day_offset) != (None, None, None):
            raise CheckError("with a `cron_schedule`, there are no offsets: the schedule says when a window begins")
        zone, said = timezone or "UTC", cron_schedule
        if schedule_type is not None:
            said = usual_schedule(schedule_type, minute_offset or 0, hour_offset or 0, day_offset)
        cron = Cron(said or "", zone)
        moments = [None if one is None else moment_of(one, fmt, cron) for one in (start, end)]
        left_out = tuple(one if isinstance(one, str) else in_zone(one, cron) for one in exclusions or ())
        set_all(self, (moments[0], zone, moments[1], fmt, end_offset, said, left_out))
        _ = self.calendar

    # -- the calendar -------------------------------------------------------------------------------------------------

    @property
    def cron(self) -> Cron:
        """Return the schedule."""
        return self.calendar.cron

    @property
    def calendar(self) -> Calendar:
        """Return the schedule without what is left out."""
        return calendar_of(self.cron_schedule, self.timezone, self.exclusions)

    @property
    def timeline(self) -> Timeline:
        """Return the windows from the start on, which definitions that are cut alike share."""
        return timeline(self.calendar, self.start, namer(self.fmt, self.calendar.cron.every_hour))

    def moment(self, given: datetime | None) -> datetime:
        """Return as of when partitions are looked at."""
        return in_zone(now() if given is None else given, self.cron)

    def limit(self, current_time: datetime | None = None) -> float:
        """Return the end of the last partition that may be there, as a timestamp."""
        at, offset = self.moment(current_time), self.end_offset
        if offset > 0:
            last = next(islice(self.calendar.windows_ending_after(at), offset - 1, None)).end.timestamp()
        elif offset < 0:
            last = next(islice(self.calendar.windows_until(at), -offset, None)).end.timestamp()
        else:
            last = at.timestamp()
        return last if self.end is None else min(last, self.end.timestamp())

    def count(self, current_time: datetime | None = None) -> int:
        """Return how many partitions there are."""
        return self.timeline.until(self.limit(current_time))

    # -- which partitions there are -----------------------------------------------------------------------------------

    def get_partition_keys(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,  # noqa: ARG002 - of other kinds
    ) -> Sequence[str]:
        """Return the keys, in order."""
        return self.timeline.named(self.count(current_time))

    def get_num_partitions(self) -> int:
        """Return how many partitions there are."""
        return self.count()

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> bool:
        """Tell whether a key is one of them."""
        window = self.window_named(partition_key)
        return window is not None and self.has_window(window, current_time)

    def window_named(self, partition_key: str) -> TimeWindow | None:
        """Return the window that a key is exactly the key of, whether it is a partition or not; None for others."""
        try:
            window = self.time_window_for_partition_key(partition_key)
        except (DagsterUnknownPartitionError, TypeError):
            return None
        return window if self.key_of(window.start) == partition_key else None

    def has_window(self, window: TimeWindow, current_time: datetime | None = None) -> bool:
        """Tell whether a window of the schedule is a partition."""
        return (
            self.start.timestamp() <= window.start.timestamp()
            and window.end.timestamp() <= self.limit(current_time)
            and not self.calendar.leaves_out(window.start)
        )

    def get_partition_keys_in_range(
        self,
        partition_key_range: PartitionKeyRange,
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> Sequence[str]:
        """Return the keys from one to another, both included; none when they are the wrong way round.

        Raises:
            DagsterInvalidInvocationError: when one of the two isn't a key.
        """
        for key in partition_key_range:
            if not self.has_partition_key(key):
                raise DagsterInvalidInvocationError(f"there is no partition `{key}`", hint=f"they are {self}")
        start, end = map(self.time_window_for_partition_key, partition_key_range)
        return self.get_partition_keys_in_time_window(TimeWindow(start.start, end.end))

    def get_partition_keys_in_time_window(self, time_window: TimeWindow) -> Sequence[str]:
        """Return the keys of the windows that begin in some time, also where they aren't there yet."""
        line, end = self.timeline, time_window.end.timestamp()
        if time_window.start.timestamp() < self.start.timestamp():
            return [self.key_of(window.start) for window in self.windows_in(time_window)]
        self.reach(end)
        first, last = line.first_from(time_window.start.timestamp()), line.first_from(end)
        return line.named(last)[first:]

    def reach(self, moment: float) -> None:
        """Have the timeline know all windows that begin before a moment."""
        line = self.timeline
        while line.until(moment) and line.starts[-1] < moment:
            line.until(line.ends[-1])

    def get_partition_keys_between_indexes(self, start_idx: int, end_idx: int) -> list[str]:
        """Return the keys from one number on, until before another."""
        return self.timeline.named(self.count())[start_idx:end_idx]

    def filter_valid_partition_keys(self, partition_keys: set[str]) -> set[str]:
        """Return those that are keys."""
        known = set(self.timeline.named(self.count())) if len(partition_keys) > 1 else set()
        return {key for key in partition_keys if key in known or self.has_partition_key(key)}

    def unknown(self, partition_key: str) -> DagsterUnknownPartitionError:
        """Return the error for what isn't a key."""
        hint = nearest_in_time(partition_key, self)
        if not hint:
            return super().unknown(partition_key)
        return DagsterUnknownPartitionError(f"there is no partition `{partition_key}`", hint=hint)

    def validate_partition_definition(self) -> None:
        """Refuse a format in which two neighbours have one key.

        Raises:
            DagsterInvalidDefinitionError: with a hint.
        """
        windows = list(islice(self.calendar.windows_from(self.start), 2))
        keys = [self.key_of(window.start) for window in windows if window.end.timestamp() <= self.limit()]
        if len(set(keys)) != len(keys):
            raise DagsterInvalidDefinitionError(
                f"two partitions have the key `{keys[0]}`: `{self.fmt}` doesn't tell the moments of"
                f" `{self.cron_schedule}` apart",
                hint=f'fmt="{HOUR}"',
            )

    # -- keys and windows ---------------------------------------------------------------------------------------------

    def key_of(self, moment: datetime) -> str:
        """Return the key of the window that begins at a moment."""
        name: str = namer(self.fmt, self.cron.every_hour)(moment)
        return name

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """Return the window of a partition; it needn't be there yet.

        Raises:
            DagsterUnknownPartitionError: when the key isn't written in the format.
        """
        return self.calendar.at_or_after(parsed(partition_key, self.fmt, self.cron))

    def time_windows_for_partition_keys(
        self,
        partition_keys: Iterable[str],
        validate: bool = True,  # noqa: ARG002 - Dagster's argument
    ) -> Sequence[TimeWindow]:
        """Return the windows of partitions, neighbours joined."""
        return self.subset_with_partition_keys(partition_keys).included_time_windows

    def start_time_for_partition_key(self, partition_key: str) -> datetime:
        """Return when the window of a partition begins."""
        return self.time_window_for_partition_key(partition_key).start

    def end_time_for_partition_key(self, partition_key: str) -> datetime:
        """Return when the window of a partition ends."""
        return self.time_window_for_partition_key(partition_key).end

    def get_partition_key(self, key: str | date | datetime) -> str:
        """Return the key of the partition that a moment is in.

        Raises:
            DagsterUnknownPartitionError: when there's none.
            CheckError: for what isn't a moment.
        """
        if isinstance(key, datetime):
            moment = in_zone(key, self.cron)
        elif isinstance(key, date):
            moment = in_zone(datetime.combine(key, time()), self.cron)  # midnight on the wall
        elif isinstance(key, str):
            moment = parsed(key, self.fmt, self.cron)
        else:
            raise CheckError(f"a partition is found by a date, a datetime or text, not {key!r}")
        found = self.get_partition_key_for_timestamp(moment.timestamp())
        if not self.has_partition_key(found):
            raise self.unknown(found)
        return found

    def get_partition_key_for_timestamp(self, timestamp: float, end_closed: bool = False) -> str:
        """Return the key of the window that a moment is in; ``end_closed`` counts a window's end to it."""
        ticks = self.cron.before(datetime.fromtimestamp(timestamp + (0 if end_closed else 1e-6), UTC))
        return self.key_of(next(ticks))

    def get_first_partition_window(self, current_time: datetime | None = None) -> TimeWindow | None:
        """Return the window of the first partition, None when there's none."""
        return self.timeline.windows[0] if self.count(current_time) else None

    def get_last_partition_window(self, current_time: datetime | None = None) -> TimeWindow | None:
        """Return the window of the last partition, None when there's none."""
        many = self.count(current_time)
        return self.timeline.windows[many - 1] if many else None

    def get_next_partition_window(self, end_dt: datetime, respect_bounds: bool = True) -> TimeWindow | None:
        """Return the next window that begins at a moment or later, None when no partition does.

        Args:
            respect_bounds: leave out what is before the start or isn't there yet.
        """
        at = in_zone(end_dt, self.cron)
        if respect_bounds:
            at = max(at, self.start, key=datetime.timestamp)
        window = next(self.calendar.windows_from(at), None)
        return window if window and (not respect_bounds or self.has_window(window)) else None

    def get_prev_partition_window(self, start_dt: datetime, respect_bounds: bool = True) -> TimeWindow | None:
        """Return the last window that ends at a moment or before, None when no partition does."""
        at = in_zone(start_dt, self.cron)
        if respect_bounds and at.timestamp() > self.limit():
            return self.get_last_partition_window()
        window = next(self.calendar.windows_until(at), None)
        return window if window and (not respect_bounds or self.has_window(window)) else None

    def get_next_partition_key(self, partition_key: str) -> str | None:
        """Return the key of the next partition, None when there's none."""
        window = self.get_next_partition_window(self.time_window_for_partition_key(partition_key).end)
        return self.key_of(window.start) if window else None

    def windows_in(self, time_window: TimeWindow) -> Iterator[TimeWindow]:
        """Yield the windows that begin in some time, whether they are partitions yet or not."""
        end = time_window.end.timestamp()
        found = self.calendar.windows_from(time_window.start)
        return takewhile(lambda window: window.start.timestamp() < end, found)

    def has_any_partitions_in_window(self, time_window: TimeWindow) -> bool:
        """Tell whether a window begins in some time."""
        return next(self.windows_in(time_window), None) is not None

    def get_partition_key_range_for_time_window(
        self,
        time_window: TimeWindow,
        respect_bounds: bool = True,  # noqa: ARG002 - Dagster's argument
    ) -> PartitionKeyRange:
        """Return the first and the last key whose windows begin in some time."""
        last = next(self.calendar.kept(one for one in self.calendar.windows_until(self.tick_at(time_window.end))))
        first = next(self.calendar.windows_from(time_window.start))
        return PartitionKeyRange(self.key_of(first.start), self.key_of(last.start))

    def tick_at(self, moment: datetime) -> datetime:
        """Return the moment of the schedule at a moment or next."""
        return next(self.cron.after(moment))

    # -- some of them -------------------------------------------------------------------------------------------------

    def empty_subset(self) -> TimeWindowPartitionsSubset:
        """Return none of them."""
        from ipy_orch.model.partitions.time_subsets import TimeWindowPartitionsSubset

        return TimeWindowPartitionsSubset(self)

    def subset_with_partition_keys(self, partition_keys: Iterable[str]) -> TimeWindowPartitionsSubset:
        """Return these of them."""
        return self.empty_subset().with_partition_keys(partition_keys)

    def subset_with_all_partitions(self) -> TimeWindowPartitionsSubset:
        """Return all of them."""
        first, last = self.get_first_partition_window(), self.get_last_partition_window()
        if first is None or last is None:
            return self.empty_subset()
        return self.empty_subset().with_windows([TimeWindow(first.start, last.end)])

    # -- the schedule -------------------------------------------------------------------------------------------------

    @property
    def schedule_type(self) -> ScheduleType | None:
        """Return which of the usual schedules it is, or None."""
        return next((kind for kind, shape in SHAPES.items() if re.fullmatch(shape, self.cron_schedule)), None)

    @property
    def start_date(self) -> datetime:
        """Return the start, as the usual schedules call it."""
        return self.start

    @property
    def end_date(self) -> datetime | None:
        """Return the end, as the usual schedules call it."""
        return self.end

    @property
    def minute_offset(self) -> int:
        """Return at which minute of the hour a window begins."""
        return self.offset("minute")

    @property
    def hour_offset(self) -> int:
        """Return at which hour of the day a window begins."""
        return self.offset("hour")

    @property
    def day_offset(self) -> int:
        """Return on which day of the week or month a window begins."""
        return self.offset("day")

    def offset(self, name: str) -> int:
        """Return an offset of a usual schedule, 0 where it has none."""
        kind = self.schedule_type
        found = re.fullmatch(SHAPES[kind], self.cron_schedule) if kind is not None else None
        return int(found.groupdict().get(name) or 0) if found else 0

    def get_cron_schedule(
        self,
        minute_of_hour: int | None = None,
        hour_of_day: int | None = None,
        day_of_week: int | None = None,
        day_of_month: int | None = None,
    ) -> str:
        """Return the schedule on which a partition is made after its window has ended.

        Args:
            minute_of_hour: when, instead of at the end of the window; the others likewise.

        Raises:
            CheckError: when the schedule isn't a usual one or has no such part.
        """
        kind = self.schedule_type
        said = {"minute": minute_of_hour, "hour": hour_of_day, "week": day_of_week, "month": day_of_month}
        given = {name for name, value in said.items() if value is not None}
        allowed = ALLOWED.get(kind, set()) if kind is not None else set()
        if given - allowed:
            raise CheckError(f"partitions of `{self.cron_schedule}` take no {', '.join(sorted(given - allowed))}")
        if kind is None or not given:
            return self.cron_schedule
        day = day_of_week if kind is ScheduleType.WEEKLY else day_of_month
        given_or = [minute_of_hour, hour_of_day, day]
        own = [self.minute_offset, self.hour_offset, self.day_offset]
        minute, hour, on = (mine if one is None else one for one, mine in zip(given_or, own, strict=True))
        return usual_schedule(kind, minute, hour, on)

    # -- as a value ---------------------------------------------------------------------------------------------------

    @cached_property
    def said(self) -> tuple[Any, ...]:
        """Return what makes two definitions equal, of whatever class."""
        end = None if self.end is None else self.end.timestamp()
        times = (self.start.timestamp(), end, self.timezone, self.fmt, self.end_offset)
        return (*times, self.cron, tuple(one if isinstance(one, str) else one.timestamp() for one in self.exclusions))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimeWindowPartitionsDefinition):
            return NotImplemented
        return self is other or self.said == other.said

    def __hash__(self) -> int:
        return hash(self.said)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FIELDS}

    def __repr__(self) -> str:
        shown = {"start": self.key_text(self.start), "end": self.end and self.key_text(self.end), "fmt": self.fmt}
        rest = {"timezone": self.timezone, "cron_schedule": self.cron_schedule, "end_offset": self.end_offset}
        all_said = {**shown, **rest, "exclusions": [str(one) for one in self.exclusions]}
        inside = ", ".join(f"{name}={one!r}" for name, one in all_said.items() if one not in (None, 0, []))
        return f"TimeWindowPartitionsDefinition({inside})"

    def key_text(self, moment: datetime) -> str:
        """Return a moment as text that loses nothing."""
        return moment.isoformat()

    def __str__(self) -> str:
        kind = self.schedule_type
        words = kind.value.lower() if kind else f"cut by `{self.cron_schedule}`"
        until = f" to {self.end.strftime(self.fmt)}" if self.end else ""
        return f"{words} from {self.start.strftime(self.fmt)}{until} ({self.timezone})"


FIELDS: Final = tuple(TimeWindowPartitionsDefinition.__dataclass_fields__)
ALLOWED: Final = {
    ScheduleType.HOURLY: {"minute"},
    ScheduleType.DAILY: {"minute", "hour"},
    ScheduleType.WEEKLY: {"minute", "hour", "week"},
    ScheduleType.MONTHLY: {"minute", "hour", "month"},
}


@lru_cache(maxsize=256)
def calendar_of(cron_schedule: str, timezone: str, exclusions: tuple[str | datetime, ...]) -> Calendar:
    """Return a schedule without what is left out."""
    left_out = tuple(Cron(one, timezone) if isinstance(one, str) else one for one in exclusions)
    return Calendar(Cron(cron_schedule, timezone), left_out)
