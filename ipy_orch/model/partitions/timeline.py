"""The windows between the moments of a schedule: those of a definition from its start on, and those around a moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from threading import Lock

from ipy_orch.model.partitions.cron import Cron
from ipy_orch.model.partitions.definition import TimeWindow

__all__ = ["Calendar", "Timeline", "just_after", "timeline"]


def just_after(moment: datetime) -> datetime:
    """Return the next moment; adding to what the clock shows would forget which pass of a repeated hour it's in."""
    return moment.astimezone(UTC) + timedelta(microseconds=1)


@dataclass(frozen=True)
class Calendar:
    """Be a schedule without some of its moments, each of which begins a window that ends with the next.

    Args:
        left_out: schedules and moments at which no window begins; the one before ends there all the same.
    """

    cron: Cron
    left_out: tuple[Cron | datetime, ...] = ()

    def leaves_out(self, moment: datetime) -> bool:
        """Tell whether no window begins at a moment of the schedule."""
        return any(
            one.names(moment) if isinstance(one, Cron) else one.timestamp() == moment.timestamp()
            for one in self.left_out
        )

    def at_or_after(self, moment: datetime) -> TimeWindow:
        """Return the window that begins at a moment or else next, whether it is left out or not."""
        ticks = self.cron.after(moment)
        return TimeWindow(next(ticks), next(ticks))

    def windows_from(self, moment: datetime) -> Iterator[TimeWindow]:
        """Yield the windows that begin at a moment or later."""
        return self.kept(TimeWindow(start, end) for start, end in pairwise(self.cron.after(moment)))

    def windows_ending_after(self, moment: datetime) -> Iterator[TimeWindow]:
        """Yield the windows that end after a moment; one may have begun before."""
        return self.windows_from(next(self.cron.before(just_after(moment))))

    def windows_until(self, moment: datetime) -> Iterator[TimeWindow]:
        """Yield the windows that end at a moment or before, the latest first."""
        return self.kept(TimeWindow(start, end) for end, start in pairwise(self.cron.before(just_after(moment))))

    def kept(self, windows: Iterator[TimeWindow]) -> Iterator[TimeWindow]:
        """Yield the windows that aren't left out."""
        return (one for one in windows if not self.leaves_out(one.start)) if self.left_out else windows


class Timeline:
    """Hold the windows from a moment on as far as somebody asked for them, and their keys.

    Args:
        name: makes the key of a window from the moment at which it begins.
    """

    def __init__(self, calendar: Calendar, start: datetime, name: Callable[[datetime], str]) -> None:
        self.coming = calendar.windows_from(start)
        self.name = name
        self.windows: list[TimeWindow] = []
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.keys: list[str] = []
        self.lock = Lock()

    def until(self, limit: float) -> int:
        """Return how many windows end at a moment (a timestamp) or before."""
        if not self.ends or self.ends[-1] <= limit:
            with self.lock:
                while not self.ends or self.ends[-1] <= limit:
                    window = next(self.coming)
                    self.windows.append(window)
                    self.starts.append(window.start.timestamp())
                    self.ends.append(window.end.timestamp())
        return bisect_right(self.ends, limit)

    def key(self, number: int) -> str:
        """Return the key of a window by its number, which :meth:`until` has reached."""
        self.named(number + 1)
        return self.keys[number]

    def named(self, many: int) -> list[str]:
        """Return the keys of the first windows, which :meth:`until` has reached."""
        if len(self.keys) < many:
            with self.lock:
                self.keys += [self.name(window.start) for window in self.windows[len(self.keys) : many]]
        return self.keys[:many]

    def first_from(self, moment: float) -> int:
        """Return the number of the first window that begins at a moment or later, as far as they are known."""
        return bisect_left(self.starts, moment)


@lru_cache(maxsize=128)
def timeline(calendar: Calendar, start: datetime, name: Callable[[datetime], str]) -> Timeline:
    """Return the one timeline of definitions that are cut alike."""
    return Timeline(calendar, start, name)
