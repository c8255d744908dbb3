"""What an instance answers with: entries of the log, and what is known of runs and assets, under Dagster's names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ipy_orch.execution.records.dagster_events import DagsterEvent, DagsterEventType
from ipy_orch.execution.records.dagster_run import DagsterRun
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.results import AssetMaterialization, AssetObservation

__all__ = [
    "AssetEntry",
    "AssetPartitionStatus",
    "AssetRecord",
    "EventLogEntry",
    "EventLogRecord",
    "EventRecordsResult",
    "LogEntry",
    "RunRecord",
    "RunStats",
]


@dataclass(frozen=True)
class EventLogEntry:
    """Be an event as Dagster's log has it."""

    run_id: str
    timestamp: float
    step_key: str | None
    dagster_event: DagsterEvent
    user_message = ""

    @property
    def job_name(self) -> str | None:
        """Return the job of the run."""
        return self.dagster_event.job_name

    @property
    def dagster_event_type(self) -> DagsterEventType:
        """Return the kind of the event."""
        return self.dagster_event.event_type

    @property
    def asset_materialization(self) -> AssetMaterialization | None:
        """Return the materialization, if it is one."""
        return getattr(self.dagster_event.event_specific_data, "materialization", None)

    @property
    def asset_observation(self) -> AssetObservation | None:
        """Return the observation, if it is one."""
        return getattr(self.dagster_event.event_specific_data, "asset_observation", None)

    def get_dagster_event(self) -> DagsterEvent:
        """Return the event itself."""
        return self.dagster_event


@dataclass(frozen=True)
class LogEntry:
    """Be a record of ``context.log``, as Dagster's log has it: beside the events, and no event.

    Args:
        level: as Python's logging counts.
    """

    run_id: str
    timestamp: float
    step_key: str | None
    level: int
    user_message: str
    dagster_event: None = None
    dagster_event_type: None = None


@dataclass(frozen=True)
class EventLogRecord:
    """Be an entry with its number in the log, from 1."""

    storage_id: int
    event_log_entry: EventLogEntry

    @property
    def asset_key(self) -> AssetKey | None:
        """Return the asset that it is about."""
        return self.event_log_entry.dagster_event.asset_key

    @property
    def asset_materialization(self) -> AssetMaterialization | None:
        """Return the materialization, if it is one."""
        return self.event_log_entry.asset_materialization

    @property
    def asset_observation(self) -> AssetObservation | None:
        """Return the observation, if it is one."""
        return self.event_log_entry.asset_observation

    @property
    def partition_key(self) -> str | None:
        """Return the partition that it is about."""
        return getattr(self.event_log_entry.dagster_event.event, "partition", None)

    @property
    def run_id(self) -> str:
        """Return the run."""
        return self.event_log_entry.run_id

    @property
    def timestamp(self) -> float:
        """Return when it was, in seconds since the epoch."""
        return self.event_log_entry.timestamp


@dataclass(frozen=True)
class EventRecordsResult:
    """Be a page of records."""

    records: Sequence[EventLogRecord]
    cursor: str
    has_more: bool = False


@dataclass(frozen=True)
class RunRecord:
    """Be a run with its number, and when it began and ended.

    Args:
        update_timestamp: when it ended; before that, when it began.
        start_time: seconds since the epoch, like ``end_time``.
    """

    storage_id: int
    dagster_run: DagsterRun
    create_timestamp: datetime
    update_timestamp: datetime
    start_time: float | None = None
    end_time: float | None = None


@dataclass(frozen=True)
class RunStats:
    """Be what a run did, in numbers; the times are seconds since the epoch."""

    run_id: str
    steps_succeeded: int = 0
    steps_failed: int = 0
    materializations: int = 0
    expectations: int = 0
    enqueued_time: float | None = None
    launch_time: float | None = None
    start_time: float | None = None
    end_time: float | None = None


@dataclass(frozen=True)
class AssetEntry:
    """Be what is known of an asset."""

    asset_key: AssetKey
    last_materialization_record: EventLogRecord | None = None
    last_observation_record: EventLogRecord | None = None

    @property
    def last_materialization(self) -> EventLogEntry | None:
        """Return the newest materialization."""
        return (
            self.last_materialization_record.event_log_entry if self.last_materialization_record is not None else None
        )

    @property
    def last_materialization_storage_id(self) -> int | None:
        """Return the number of the newest materialization."""
        return self.last_materialization_record.storage_id if self.last_materialization_record is not None else None

    @property
    def last_observation(self) -> EventLogEntry | None:
        """Return the newest observation."""
        return self.last_observation_record.event_log_entry if self.last_observation_record is not None else None

    @property
    def last_run_id(self) -> str | None:
        """Return the run that made it last."""
        return self.last_materialization_record.run_id if self.last_materialization_record is not None else None


@dataclass(frozen=True)
class AssetRecord:
    """Be what is known of an asset, with the number of what is newest of it."""

    storage_id: int
    asset_entry: AssetEntry


class AssetPartitionStatus(Enum):
    """Say how a partition of an asset stands."""

    IN_PROGRESS = "IN_PROGRESS"
    MATERIALIZED = "MATERIALIZED"
    FAILED = "FAILED"
