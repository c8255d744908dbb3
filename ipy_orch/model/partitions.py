"""What is said of several partitions at once: a range of keys, a window of time."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

__all__ = ["PartitionKeyRange", "TimeWindow"]


class PartitionKeyRange(NamedTuple):
    """Be the partitions from one key to another, both included."""

    start: str
    end: str


class TimeWindow(NamedTuple):
    """Be the time from one moment on, until before another."""

    start: datetime
    end: datetime
