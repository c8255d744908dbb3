"""Ticks: what each schedule and sensor did, whether it is on, and where it goes on. A fold over the events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ipy_orch.events.types import Event, Switched, Ticked

__all__ = ["KEPT", "Ticking", "Ticks"]

KEPT: Final = 200  #: ticks of each


@dataclass
class Ticking:
    """Tell how it goes with a schedule or sensor.

    Args:
        ticks: the newest ones, oldest first.
        run_keys: all that were ever asked for.
        on: as a person switched it, None where nobody has.
        since: when that was.
    """

    ticks: deque[Ticked] = field(default_factory=lambda: deque(maxlen=KEPT))
    run_keys: set[str] = field(default_factory=set)
    moment: float | None = None
    cursor: str | None = None
    on: bool | None = None
    since: float | None = None

    @property
    def last(self) -> Ticked | None:
        """Return the last tick, None where there was none."""
        return self.ticks[-1] if self.ticks else None


class Ticks:
    """Hold the ticks by name of the schedule or sensor."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.by_name: dict[str, Ticking] = {}
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, Switched):
            one = self.of(event.name)
            one.on, one.since = event.on, event.at
        elif isinstance(event, Ticked):
            one = self.of(event.name)
            one.ticks.append(event)
            one.run_keys.update(event.run_keys)
            one.cursor = event.cursor
            one.moment = event.moment if event.moment is not None else one.moment

    def of(self, name: str) -> Ticking:
        """Return how it goes with a schedule or sensor."""
        return self.by_name.setdefault(name, Ticking())

    @property
    def all(self) -> list[Ticked]:
        """Return the ticks of all, newest first."""
        found = (tick for one in self.by_name.values() for tick in one.ticks)
        return sorted(found, key=lambda tick: tick.at, reverse=True)
