"""What to type instead of a key by time that isn't there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipy_orch.errors import DagsterError

if TYPE_CHECKING:
    from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition

__all__ = ["nearest_in_time"]


def nearest_in_time(key: str, cut: TimeWindowPartitionsDefinition) -> str:
    """Return the closest key: the one at its end where a moment lies beyond; "" for what is no moment.

    >>> from ipy_orch import DailyPartitionsDefinition
    >>> nearest_in_time("2024-03-01", DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01"))
    '`2024-01-31` is the last one that has ended'
    """
    first, last = cut.get_first_partition_window(), cut.get_last_partition_window()
    if first is None or last is None:
        return ""
    try:
        start = cut.time_window_for_partition_key(key).start
    except DagsterError:
        return ""
    if start > last.start:
        return f"`{cut.key_of(last.start)}` is the last one that has ended"
    if start < first.start:
        return f"`{cut.key_of(first.start)}` is the first one"
    return f"did you mean `{cut.key_of(start)}`?"
