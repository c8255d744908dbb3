"""An instance: where Dagster keeps what happened, here a view of our event log in memory.

It answers what tests of assets ask. It lasts as long as its object; what is to outlive the process is the IO managers'.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ipy_orch.errors import CheckError
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Run, Runs
from ipy_orch.events.types import Checked, Event, Logged, Materialized, Observed, RunFinished, RunStarted, StepFailed
from ipy_orch.events.updates import Updates
from ipy_orch.execution.loggers import number_of
from ipy_orch.execution.records.dagster_events import DagsterEvent, DagsterEventType, dagster_events
from ipy_orch.execution.records.dagster_run import DagsterRun, DagsterRunStatus
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.definition import valid_keys
from ipy_orch.model.results import AssetCheckEvaluation, AssetMaterialization, AssetObservation

__all__ = [
    "AssetRecordsFilter",
    "DagsterInstance",
    "DagsterRun",
    "DagsterRunStatus",
    "EventLogEntry",
    "EventLogRecord",
    "RunStatusChangeRecordsFilter",
    "instance_for_test",
]

STATUSES = {"running": "STARTED", "success": "SUCCESS", "failure": "FAILURE", "canceled": "CANCELED"}


@dataclass(frozen=True)
class EventLogEntry:
    """Be an event as Dagster's log has it."""

    run_id: str
    timestamp: float
    step_key: str | None
    dagster_event: DagsterEvent
    user_message = ""

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


def between(low: float | None, value: float, high: float | None) -> bool:
    """Tell whether a value lies between two, None for no limit."""
    return (low is None or value > low) and (high is None or value < high)


class DagsterInstance:
    """Keep the events of runs and answer questions about them.

    Args:
        folder: where IO managers may keep values; a temporary one by default.

    >>> from ipy_orch import asset, materialize
    >>> @asset
    ... def orders():
    ...     return 1
    >>> with DagsterInstance.ephemeral() as instance:
    ...     result = materialize([orders], instance=instance)
    ...     instance.get_latest_materialization_event(AssetKey("orders")).run_id == result.run_id
    True
    """

    def __init__(self, folder: str | None = None) -> None:
        self.log = EventLog()
        self.history = Runs()
        self.log.listen(self.history.apply)
        self.folder = folder
        self.partitions: dict[str, dict[str, None]] = {}  #: the dynamic ones: name -> keys, as an ordered set
        self.remove: weakref.finalize[Any, Any] | None = None

    @cached_property
    def updates(self) -> Updates:
        """Return what was updated when; it is kept from when it's first asked for."""
        known = Updates(self.log)
        self.log.listen(known.apply)
        return known

    @staticmethod
    def ephemeral(tempdir: str | None = None) -> DagsterInstance:
        """Return an instance that keeps nothing beyond its own life."""
        return DagsterInstance(tempdir)

    @staticmethod
    def local_temp(tempdir: str | None = None) -> DagsterInstance:
        """Return an ephemeral instance whose values are in a folder."""
        return DagsterInstance(tempdir)

    @staticmethod
    def get() -> DagsterInstance:
        """Return the instance of this process."""
        if not PROCESS:
            PROCESS.append(DagsterInstance())
        return PROCESS[0]

    @property
    def is_ephemeral(self) -> bool:
        """Tell that nothing is kept beyond its life."""
        return True

    def storage_directory(self) -> str:
        """Return the folder for values; it is made when it is first asked for."""
        if self.folder is None:
            self.folder = tempfile.mkdtemp(prefix="ipy_orch-")
            self.remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        return str(Path(self.folder) / "storage")

    # -- runs --

    def get_run_by_id(self, run_id: str) -> DagsterRun | None:
        """Return a run, None when there's none of this id."""
        found = self.history.runs.get(run_id)
        return dagster_run(found) if found is not None else None

    def get_runs(self, filters: Any = None, cursor: str | None = None, limit: int | None = None) -> list[DagsterRun]:  # noqa: ARG002
        """Return the runs, the newest first."""
        return [dagster_run(one) for one in reversed(self.history.runs.values())][:limit]

    def get_runs_count(self) -> int:
        """Return how many runs there are."""
        return len(self.history.runs)

    # -- events --

    def records(self, wanted: Callable[[Event], bool] = lambda _: True) -> list[EventLogRecord]:
        """Return the records of the events wanted, the oldest first."""
        failed: dict[str, Event] = {}
        found: list[EventLogRecord] = []
        for number, event in self.numbered():
            if isinstance(event, StepFailed):
                failed.setdefault(event.run_id, event)
            if wanted(event):
                told = [failed[event.run_id]] if isinstance(event, RunFinished) and event.run_id in failed else []
                shaped = [one for one in dagster_events([*told, event]) if one.event is event]
                entries = [EventLogEntry(event.run_id, event.at, one.step_key, one) for one in shaped]
                found += [EventLogRecord(number, entry) for entry in entries]
        return found

    def numbered(self) -> Iterable[tuple[int, Event]]:
        """Yield the events with their numbers, which grow."""
        return enumerate(self.log, 1)

    def number_of(self, event: Event) -> int:
        """Return the number of an event in the log, from 1; 0 when it isn't kept."""
        known = len(self.log)
        return next((known - back for back, one in enumerate(reversed(list(self.log))) if one is event), 0)

    def all_logs(self, run_id: str, of_type: Any = None) -> list[EventLogEntry | LogEntry]:
        """Return the events of a run, of one kind; or all of them, with what its steps logged."""
        kinds = None if of_type is None else {of_type} if isinstance(of_type, DagsterEventType) else set(of_type)
        entries = [one.event_log_entry for one in self.records(lambda event: event.run_id == run_id)]
        if kinds is not None:
            return [entry for entry in entries if entry.dagster_event_type in kinds]
        logged = [
            LogEntry(run_id, event.at, event.step or None, number_of(event.level), event.text)
            for event in self.log
            if isinstance(event, Logged) and event.stream == "log" and event.run_id == run_id
        ]
        return sorted([*entries, *logged], key=lambda entry: entry.timestamp)

    def materializations(self, key: AssetKey) -> list[EventLogRecord]:
        """Return the materializations of an asset, the oldest first."""
        return self.records(lambda event: isinstance(event, Materialized) and event.key == key)

    def get_latest_materialization_event(self, asset_key: AssetKey) -> EventLogEntry | None:
        """Return the newest materialization of an asset, None when there is none."""
        found = self.materializations(asset_key)
        return found[-1].event_log_entry if found else None

    def get_latest_materialization_events(self, asset_keys: Sequence[AssetKey]) -> dict[AssetKey, EventLogEntry | None]:
        """Return the newest materialization of each asset."""
        return {key: self.get_latest_materialization_event(key) for key in asset_keys}

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int = 100,
        cursor: str | None = None,  # noqa: ARG002 - there's one page
        ascending: bool = False,
    ) -> EventRecordsResult:
        """Return materializations of an asset, the newest first unless ``ascending``."""
        return self.about_an_asset(Materialized, records_filter, limit, ascending)

    def fetch_observations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int = 100,
        cursor: str | None = None,  # noqa: ARG002 - there's one page
        ascending: bool = False,
    ) -> EventRecordsResult:
        """Return observations of an asset, the newest first unless ``ascending``."""
        return self.about_an_asset(Observed, records_filter, limit, ascending)

    def about_an_asset(
        self,
        kind: type[Materialized | Observed],
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        ascending: bool,
    ) -> EventRecordsResult:
        """Return the events of one kind that a filter lets through."""
        wanted = as_filter(records_filter)
        found = self.records(lambda event: isinstance(event, kind) and event.key == wanted.asset_key)
        return page([*filter(wanted.lets_through, found)], limit, ascending)

    def fetch_run_status_changes(
        self,
        records_filter: DagsterEventType | RunStatusChangeRecordsFilter,
        limit: int = 100,
        cursor: str | None = None,  # noqa: ARG002 - there's one page
        ascending: bool = False,
    ) -> EventRecordsResult:
        """Return the events by which runs came to a status, the newest first unless ``ascending``."""
        wanted = as_change(records_filter)
        found = [
            one
            for one in self.records(lambda event: isinstance(event, RunStarted | RunFinished))
            if one.event_log_entry.dagster_event_type is wanted.event_type and wanted.lets_through(one)
        ]
        if wanted.job_names is not None:
            runs = self.history.runs
            found = [one for one in found if one.run_id in runs and runs[one.run_id].what in wanted.job_names]
        return page(found, limit, ascending)

    def get_event_records(
        self, event_records_filter: Any, limit: int | None = None, ascending: bool = False
    ) -> list[EventLogRecord]:
        """Return the records that a filter with ``event_type`` and perhaps ``asset_key`` lets through."""
        kind, key = event_records_filter.event_type, getattr(event_records_filter, "asset_key", None)
        found = [
            one
            for one in self.records()
            if one.event_log_entry.dagster_event_type is kind and key in (None, one.asset_key)
        ]
        return (found if ascending else found[::-1])[:limit]

    def get_latest_asset_check_evaluation_record(self, asset_check_key: AssetCheckKey) -> EventLogRecord | None:
        """Return the newest verdict of a check, None when there is none."""
        found = self.records(lambda event: isinstance(event, Checked) and event.key == asset_check_key)
        return found[-1] if found else None

    def report_runless_asset_event(
        self, asset_event: AssetMaterialization | AssetObservation | AssetCheckEvaluation
    ) -> None:
        """Keep a report about an asset or a check that no run made."""
        if isinstance(asset_event, AssetCheckEvaluation):
            self.log.append(Checked("", time.time(), "", asset_event, asset_event.partition))
        elif isinstance(asset_event, AssetMaterialization):
            self.log.append(Materialized("", time.time(), "", asset_event, asset_event.partition))
        else:
            self.log.append(Observed("", time.time(), "", asset_event, asset_event.partition, asset_event.data_version))

    def has_asset_key(self, asset_key: AssetKey) -> bool:
        """Tell whether anything is known of an asset."""
        return asset_key in self.get_asset_keys()

    def get_asset_keys(self) -> list[AssetKey]:
        """Return the assets of which something is known."""
        return sorted({event.key for event in self.log if isinstance(event, Materialized | Observed)})

    def get_materialized_partitions(self, asset_key: AssetKey) -> set[str]:
        """Return the partitions of an asset that were made."""
        return {one.partition_key for one in self.materializations(asset_key) if one.partition_key is not None}

    # -- dynamic partitions --

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Add keys to the partitions of a name; those that are there stay where they are.

        Raises:
            DagsterInvalidDefinitionError: when a key can't be one.
            CheckError: when they aren't a list of strings.
        """
        if isinstance(partition_keys, str):
            raise CheckError(f"`partition_keys` is a list of strings, not the string {partition_keys!r}")
        self.partitions.setdefault(partitions_def_name, {}).update(dict.fromkeys(valid_keys(partition_keys)))

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Take a key away; one that isn't there is passed over."""
        self.partitions.get(partitions_def_name, {}).pop(partition_key, None)

    def delete_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Take keys away."""
        for key in partition_keys:
            self.delete_dynamic_partition(partitions_def_name, key)

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the keys, in the order in which they were added."""
        return list(self.partitions.get(partitions_def_name, ()))

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether there is a key."""
        return partition_key in self.partitions.get(partitions_def_name, ())

    def get_existing_dynamic_partitions(self, partitions_def_name: str, partition_keys: Iterable[str]) -> set[str]:
        """Return those of some keys that are there."""
        return set(partition_keys) & set(self.partitions.get(partitions_def_name, ()))

    # -- its life --

    def dispose(self) -> None:
        """Remove the temporary folder, if there is one."""
        if self.remove is not None:
            self.remove()
            self.remove = self.folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dispose()


PROCESS: list[DagsterInstance] = []


@contextmanager
def instance_for_test(temp_dir: str | None = None) -> Iterator[DagsterInstance]:
    """Have a fresh instance, which is also that of ``DagsterInstance.get()``, for as long as the block runs."""
    before = list(PROCESS)
    with DagsterInstance(temp_dir) as instance:
        PROCESS[:] = [instance]
        try:
            yield instance
        finally:
            PROCESS[:] = before


def dagster_run(run: Run) -> DagsterRun:
    """Return a run in Dagster's shape."""
    return DagsterRun(run.what or "materialize", run.run_id, DagsterRunStatus(STATUSES[run.status]), run.tags)


def as_filter(wanted: AssetKey | AssetRecordsFilter) -> AssetRecordsFilter:
    """Return a filter; a key lets all records of the asset through."""
    return AssetRecordsFilter(wanted) if isinstance(wanted, AssetKey) else wanted


def as_change(wanted: DagsterEventType | RunStatusChangeRecordsFilter) -> RunStatusChangeRecordsFilter:
    """Return a filter; a type lets all events of it through."""
    return RunStatusChangeRecordsFilter(wanted) if isinstance(wanted, DagsterEventType) else wanted


def page(records: list[EventLogRecord], limit: int, ascending: bool) -> EventRecordsResult:
    """Return the first page of records."""
    ordered = records if ascending else records[::-1]
    return EventRecordsResult(ordered[:limit], "", len(ordered) > limit)
