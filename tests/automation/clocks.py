"""A clock that stands still until a test advances it."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event

from ipy_orch.automation.clock import Clock


def at(text: str) -> float:
    """Return a moment in UTC as seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Frozen(Clock):
    """Show the same time until it is advanced."""

    def __init__(self, now: str) -> None:
        self.time = at(now)

    def now(self) -> float:
        """Return the time it shows."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Go on."""
        self.time += seconds

    def wait(self, seconds: float, wake: Event) -> None:
        """Wait for somebody who wakes, and for no longer than a test may take."""
        wake.wait(0.005)
