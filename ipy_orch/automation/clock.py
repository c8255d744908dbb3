"""What time it is, and waiting: the one place from which ticks know it, so that tests can have another."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event

__all__ = ["Clock", "moment_at"]


class Clock:
    """Be the clock of the machine."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float, wake: Event) -> None:
        """Wait for so long, or until somebody wakes."""
        wake.wait(seconds)


def moment_at(timestamp: float) -> datetime:
    """Return a moment in UTC.

    >>> moment_at(0).isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(timestamp, UTC)
