"""Which windows of time those of another definition read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import PartitionsDefinition, TimeWindow
from ipy_orch.model.partitions.mappings import PartitionMapping, UpstreamPartitionsResult
from ipy_orch.model.partitions.subsets import PartitionsSubset
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.time_subsets import TimeWindowPartitionsSubset
from ipy_orch.model.partitions.timeline import just_after

__all__ = ["TimeWindowPartitionMapping"]


@dataclass(frozen=True)
class TimeWindowPartitionMapping(PartitionMapping):
    """Have each window read those upstream that lie in it, or in which it lies.

    Args:
        start_offset: moves the beginning of what is read by so many windows of what reads: -1 for one earlier.
        end_offset: the same for the end.
        allow_nonexistent_upstream_partitions: leave out windows before the beginning or after the end of what is
            upstream, instead of refusing to run.
    """

    start_offset: int = 0
    end_offset: int = 0
    allow_nonexistent_upstream_partitions: bool = False

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Refuse partitions that aren't by time, or are in different timezones.

        Raises:
            DagsterInvalidDefinitionError: saying which.
        """
        upstream, downstream = by_time(upstream_partitions_def, "upstream"), by_time(downstream_partitions_def, "here")
        if upstream.timezone != downstream.timezone:
            raise DagsterInvalidDefinitionError(
                f"the partitions upstream are in {upstream.timezone}, those here in {downstream.timezone}",
                hint="cut both in one timezone",
            )

    def reads_earlier_only(self, cut: PartitionsDefinition | None) -> bool:  # noqa: ARG002 - of mappings by dimension
        """Tell whether each window reads only earlier ones."""
        return self.start_offset < 0 and self.end_offset < 0

    # -- upstream -----------------------------------------------------------------------------------------------------

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> UpstreamPartitionsResult:
        """Return the windows upstream that some downstream read; an offset may reach over the edges.

        Raises:
            CheckError: when what reads isn't cut by time.
        """
        with partition_loading_context(current_time, dynamic_partitions_store):
            upstream, downstream = by_time(upstream_partitions_def, "upstream"), downstream_partitions_def
            if not isinstance(downstream, TimeWindowPartitionsDefinition) or downstream_partitions_subset is None:
                raise CheckError("what reads by time must be cut by time")
            chosen = downstream.empty_subset() | downstream_partitions_subset
            none = upstream.empty_subset()
            wanted = none.with_windows(self.read(chosen, downstream, upstream))
            known = upstream.subset_with_all_partitions()
            there = wanted & known
            if self.allow_nonexistent_upstream_partitions:
                return UpstreamPartitionsResult(there, none)
            lacking = (wanted - there).included_time_windows
            return UpstreamPartitionsResult(there, none.with_windows(self.needed(lacking, known)))

    def needed(self, lacking: Iterable[TimeWindow], known: TimeWindowPartitionsSubset) -> Iterable[TimeWindow]:
        """Yield the windows that must be there: an offset back may reach over the beginning, one ahead over the end."""
        windows = known.included_time_windows
        for window in lacking:
            early = bool(windows) and self.start_offset < 0 and window.start < windows[0].start
            late = bool(windows) and self.end_offset > 0 and window.start > windows[-1].start
            if not early and not late:
                yield window

    def read(
        self,
        chosen: TimeWindowPartitionsSubset,
        downstream: TimeWindowPartitionsDefinition,
        upstream: TimeWindowPartitionsDefinition,
    ) -> Iterable[TimeWindow]:
        """Yield the time upstream that windows downstream read, from where a window begins to where one ends."""
        for window in chosen.included_time_windows:
            start = moved(downstream, window.start, self.start_offset)
            end = moved(downstream, window.end, self.end_offset)
            if start.timestamp() < end.timestamp():
                yield around(upstream, TimeWindow(start, end))

    # -- downstream ---------------------------------------------------------------------------------------------------

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition | None,
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> PartitionsSubset:
        """Return the windows downstream that read some upstream."""
        with partition_loading_context(current_time, dynamic_partitions_store):
            upstream = by_time(upstream_partitions_def, "upstream")
            downstream = by_time(downstream_partitions_def, "here")
            chosen = upstream.empty_subset() | upstream_partitions_subset
            found = []
            for window in chosen.included_time_windows:
                over = around(downstream, window)
                start = moved(downstream, over.start, -self.end_offset)
                end = moved(downstream, over.end, -self.start_offset)
                if start.timestamp() < end.timestamp():
                    found.append(TimeWindow(start, end))
            return downstream.empty_subset().with_windows(found) & downstream.subset_with_all_partitions()

    @property
    def description(self) -> str:
        """Return what it does, in words."""
        if not (self.start_offset or self.end_offset):
            return "each window reads those upstream that lie in it, or in which it lies"
        return f"each window reads from {self.start_offset} to {self.end_offset} windows further on upstream"


def moved(cut: TimeWindowPartitionsDefinition, moment: datetime, offset: int) -> datetime:
    """Return the moment at which a window so many further on begins; those that are left out don't count."""
    if offset == 0:
        return moment
    if offset > 0:
        return next(islice(cut.calendar.windows_from(moment), offset, None)).start
    return next(islice(cut.calendar.windows_until(moment), -offset - 1, None)).start


def around(cut: TimeWindowPartitionsDefinition, window: TimeWindow) -> TimeWindow:
    """Return the time from where the window that holds the beginning begins to where the one with the end ends."""
    start = next(cut.cron.before(just_after(window.start)))
    return TimeWindow(start, next(cut.cron.after(window.end)))


def by_time(one: PartitionsDefinition | None, where: str) -> TimeWindowPartitionsDefinition:
    """Return partitions that are by time.

    Raises:
        DagsterInvalidDefinitionError: for others.
    """
    if not isinstance(one, TimeWindowPartitionsDefinition):
        kind = "no partitions" if one is None else f"`{type(one).__name__}`"
        raise DagsterInvalidDefinitionError(f"{kind} {where}: only windows of time can be mapped by time")
    return one
