"""Some of the partitions by time, as windows: ten thousand neighbours are one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from ipy_orch.model.partitions.definition import PartitionKeyRange, PartitionsDefinition, TimeWindow
from ipy_orch.model.partitions.subsets import PartitionsSubset
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition

__all__ = ["TimeWindowPartitionsSubset"]

Span: TypeAlias = tuple[float, float]  # from a timestamp until before another


class TimeWindowPartitionsSubset(PartitionsSubset):
    """Be windows of time that partitions fill, without gaps between neighbours.

    Args:
        num_partitions: how many they are; it follows from the windows.
        included_time_windows: the windows, in any order; they begin and end with partitions.
    """

    def __init__(
        self,
        partitions_def: TimeWindowPartitionsDefinition,
        num_partitions: int | None = None,  # noqa: ARG002 - Dagster's argument
        included_time_windows: Iterable[TimeWindow] = (),
    ) -> None:
        self.partitions_def = partitions_def
        spans = [(window.start.timestamp(), window.end.timestamp()) for window in included_time_windows]
        self.spans: tuple[Span, ...] = tuple(self.joined(sorted(spans)))

    def joined(self, spans: Iterable[Span]) -> list[Span]:
        """Return the spans with neighbours joined, without those that hold no partition."""
        found: list[Span] = []
        for start, end in spans:
            if found and (start <= found[-1][1] or not self.holds(found[-1][1], start)):
                found[-1] = (found[-1][0], max(found[-1][1], end))
            elif self.holds(start, end):
                found.append((start, end))
        return found

    def holds(self, start: float, end: float) -> bool:
        """Tell whether a partition begins between two timestamps; only exclusions can leave none."""
        if start >= end or not self.partitions_def.exclusions:
            return start < end
        return self.partitions_def.has_any_partitions_in_window(self.window((start, end)))

    def window(self, span: Span) -> TimeWindow:
        """Return a span as a window in the timezone of the partitions."""
        zone = self.partitions_def.cron.zone
        return TimeWindow(datetime.fromtimestamp(span[0], zone), datetime.fromtimestamp(span[1], zone))

    def with_spans(self, spans: Iterable[Span]) -> TimeWindowPartitionsSubset:
        """Return a subset of the same partitions."""
        made = TimeWindowPartitionsSubset(self.partitions_def)
        made.spans = tuple(self.joined(sorted(spans)))
        return made

    def with_windows(self, windows: Iterable[TimeWindow]) -> TimeWindowPartitionsSubset:
        """Return the partitions, and those of some windows."""
        return self.with_spans([*self.spans, *((one.start.timestamp(), one.end.timestamp()) for one in windows)])

    def of_same_kind(self, other: PartitionsSubset) -> tuple[Span, ...]:
        """Return the spans of another subset."""
        if isinstance(other, TimeWindowPartitionsSubset):
            return other.spans
        return self.partitions_def.subset_with_partition_keys(other.get_partition_keys()).spans

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def included_time_windows(self) -> Sequence[TimeWindow]:
        """Return the windows, neighbours joined, in order."""
        return [self.window(span) for span in self.spans]

    @property
    def first_start(self) -> datetime:
        """Return when the first window begins."""
        return self.window(self.spans[0]).start

    @property
    def num_partitions(self) -> int:
        """Return how many partitions they are."""
        return len(self.get_partition_keys())

    @property
    def is_empty(self) -> bool:
        """Tell whether it's none of them."""
        return not self.spans

    def get_partition_keys(self) -> Sequence[str]:
        """Return the keys, in order."""
        return [
            key
            for one in self.included_time_windows
            for key in self.partitions_def.get_partition_keys_in_time_window(one)
        ]

    def get_partition_key_ranges(
        self,
        partitions_def: PartitionsDefinition,  # noqa: ARG002 - it knows them
        respect_bounds: bool = True,
    ) -> Sequence[PartitionKeyRange]:
        """Return the partitions as ranges of neighbours."""
        find = self.partitions_def.get_partition_key_range_for_time_window
        return [find(window, respect_bounds) for window in self.included_time_windows]

    def __contains__(self, key: object) -> bool:
        window = self.partitions_def.window_named(key) if isinstance(key, str) else None
        if window is None:
            return False
        start = window.start.timestamp()
        return any(first <= start < last for first, last in self.spans) and not self.is_left_out(window)

    def is_left_out(self, window: TimeWindow) -> bool:
        """Tell whether the partitions leave out a window."""
        return self.partitions_def.calendar.leaves_out(window.start)

    # -- another one, from it -----------------------------------------------------------------------------------------

    def with_partition_keys(self, partition_keys: Iterable[str]) -> TimeWindowPartitionsSubset:
        """Return the partitions, and these."""
        return self.with_windows(map(self.partitions_def.time_window_for_partition_key, partition_keys))

    def __or__(self, other: PartitionsSubset) -> TimeWindowPartitionsSubset:
        return self.with_spans([*self.spans, *self.of_same_kind(other)])

    def __and__(self, other: PartitionsSubset) -> TimeWindowPartitionsSubset:
        return self.with_spans(common(self.spans, self.of_same_kind(other)))

    def __sub__(self, other: PartitionsSubset) -> TimeWindowPartitionsSubset:
        return self.with_spans(without(self.spans, self.of_same_kind(other)))

    def empty_subset(self) -> TimeWindowPartitionsSubset:
        """Return none of them."""
        return TimeWindowPartitionsSubset(self.partitions_def)

    def get_partition_keys_not_in_subset(self, partitions_def: PartitionsDefinition) -> Sequence[str]:
        """Return the keys of the other partitions, in order."""
        return list((partitions_def.subset_with_all_partitions() - self).get_partition_keys())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TimeWindowPartitionsSubset):
            return self.partitions_def == other.partitions_def and self.spans == other.spans
        if not isinstance(other, PartitionsSubset):
            return NotImplemented
        return set(self.get_partition_keys()) == set(other.get_partition_keys())

    def __hash__(self) -> int:
        return hash(self.spans)

    def __repr__(self) -> str:
        shown = [f"{start} to {end}" for start, end in self.get_partition_key_ranges(self.partitions_def)]
        return f"TimeWindowPartitionsSubset({', '.join(shown)})"

    # -- as text ------------------------------------------------------------------------------------------------------

    def serialize(self) -> str:
        """Return it as JSON."""
        return json.dumps({"version": 1, "time_windows": self.spans, "num_partitions": self.num_partitions})

    def from_serialized(self, partitions_def: PartitionsDefinition, serialized: str) -> TimeWindowPartitionsSubset:
        """Return a subset from its JSON; a plain list is of an older version."""
        told = json.loads(serialized)
        spans = told["time_windows"] if isinstance(told, dict) else told
        empty = partitions_def.empty_subset()
        windows = [TimeWindow(*(datetime.fromtimestamp(one, UTC) for one in span)) for span in spans]
        return empty.with_windows(windows) if isinstance(empty, TimeWindowPartitionsSubset) else self.empty_subset()


def common(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """Yield the time that is in both; each is in order.

    >>> list(common([(0, 10)], [(2, 3), (8, 12)]))
    [(2, 3), (8, 10)]
    """
    here = there = 0
    while here < len(some) and there < len(others):
        start, end = max(some[here][0], others[there][0]), min(some[here][1], others[there][1])
        if start < end:
            yield start, end
        if some[here][1] <= others[there][1]:
            here += 1
        else:
            there += 1


def without(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """Yield the time that is in the first and not in the second; each is in order.

    >>> list(without([(0, 10)], [(2, 3), (8, 12)]))
    [(0, 2), (3, 8)]
    """
    there = 0
    for first, last in some:
        start = first
        while there < len(others) and others[there][1] <= start:
            there += 1
        at = there
        while at < len(others) and others[at][0] < last:
            if start < others[at][0]:
                yield start, others[at][0]
            start = max(start, others[at][1])
            at += 1
        if start < last:
            yield start, last
