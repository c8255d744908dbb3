"""Which records are wanted: the filters that an instance takes, under Dagster's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ipy_orch.execution.records.dagster_events import DagsterEventType
from ipy_orch.execution.records.dagster_run import DagsterRunStatus
from ipy_orch.execution.records.entries import EventLogRecord, RunRecord
from ipy_orch.model.keys import AssetKey

__all__ = ["AssetRecordsFilter", "EventRecordsFilter", "RunStatusChangeRecordsFilter", "RunsFilter"]


@dataclass(frozen=True)
class AssetRecordsFilter:
    """Say which records of an asset are wanted: all conditions must hold that aren't None.

    Args:
        asset_partitions: any of these.
        after_timestamp: seconds since the epoch, exclusive like the others.
        after_storage_id: a number in the log.
    """

    asset_key: AssetKey
    asset_partitions: Sequence[str] | None = None
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    after_storage_id: int | None = None
    before_storage_id: int | None = None
    storage_ids: Sequence[int] | None = None

    def lets_through(self, record: EventLogRecord) -> bool:
        """Tell whether a record of the asset is wanted."""
        return (
            (self.asset_partitions is None or record.partition_key in self.asset_partitions)
            and between(self.after_timestamp, record.timestamp, self.before_timestamp)
            and between(self.after_storage_id, record.storage_id, self.before_storage_id)
            and (self.storage_ids is None or record.storage_id in self.storage_ids)
        )


@dataclass(frozen=True)
class RunStatusChangeRecordsFilter:
    """Say which events are wanted by which runs came to a status: all conditions must hold that aren't None.

    Args:
        event_type: e.g. ``DagsterEventType.RUN_SUCCESS``.
        job_names: any of these.
    """

    event_type: DagsterEventType
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    after_storage_id: int | None = None
    before_storage_id: int | None = None
    storage_ids: Sequence[int] | None = None
    job_names: Sequence[str] | None = None

    def lets_through(self, record: EventLogRecord) -> bool:
        """Tell whether an event of this type is wanted, whatever its job."""
        return (
            between(self.after_timestamp, record.timestamp, self.before_timestamp)
            and between(self.after_storage_id, record.storage_id, self.before_storage_id)
            and (self.storage_ids is None or record.storage_id in self.storage_ids)
        )


@dataclass(frozen=True)
class EventRecordsFilter:
    """Say which events are wanted: all conditions must hold that aren't None.

    Args:
        event_type: e.g. ``DagsterEventType.ASSET_MATERIALIZATION``.
        asset_partitions: any of these.
        after_cursor: a number in the log, exclusive like the others.
        after_timestamp: seconds since the epoch.
    """

    event_type: DagsterEventType
    asset_key: AssetKey | None = None
    asset_partitions: Sequence[str] | None = None
    after_cursor: int | None = None
    before_cursor: int | None = None
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    storage_ids: Sequence[int] | None = None

    def lets_through(self, record: EventLogRecord) -> bool:
        """Tell whether a record is wanted."""
        return (
            record.event_log_entry.dagster_event_type is self.event_type
            and self.asset_key in (None, record.asset_key)
            and (self.asset_partitions is None or record.partition_key in self.asset_partitions)
            and between(self.after_timestamp, record.timestamp, self.before_timestamp)
            and between(self.after_cursor, record.storage_id, self.before_cursor)
            and (self.storage_ids is None or record.storage_id in self.storage_ids)
        )


@dataclass(frozen=True)
class RunsFilter:
    """Say which runs are wanted: all conditions must hold that aren't None.

    Args:
        run_ids: any of these.
        statuses: any of these, where there are any.
        tags: each of these; several values of one mean any of them.
        created_after: when the run began, exclusive like the others.
        updated_after: when it ended, of one that has.
    """

    run_ids: Sequence[str] | None = None
    job_name: str | None = None
    statuses: Sequence[DagsterRunStatus] | None = None
    tags: Mapping[str, str | Sequence[str]] | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def lets_through(self, record: RunRecord) -> bool:
        """Tell whether a run is wanted."""
        run = record.dagster_run
        return (
            (self.run_ids is None or run.run_id in self.run_ids)
            and self.job_name in (None, run.job_name)
            and (not self.statuses or run.status in self.statuses)
            and all(has_tag(run.tags, name, values) for name, values in (self.tags or {}).items())
            and within(self.updated_after, record.update_timestamp, self.updated_before)
            and within(self.created_after, record.create_timestamp, self.created_before)
        )


def has_tag(tags: Mapping[str, str], name: str, values: str | Sequence[str]) -> bool:
    """Tell whether a run has a tag with this value, or one of these."""
    return name in tags and tags[name] in ([values] if isinstance(values, str) else values)


def within(after: datetime | None, moment: datetime, before: datetime | None) -> bool:
    """Tell whether a moment lies between two, None for no limit; what has no time zone is in that of the machine."""
    low, high = (one.timestamp() if one is not None else None for one in (after, before))
    return between(low, moment.timestamp(), high)


def between(low: float | None, value: float, high: float | None) -> bool:
    """Tell whether a value lies between two, None for no limit."""
    return (low is None or value > low) and (high is None or value < high)
