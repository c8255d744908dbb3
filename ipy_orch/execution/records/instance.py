"""An instance: where Dagster keeps what happened, here a view of our event log in memory.

It answers what tests of assets ask. It lasts as long as its object; what is to outlive the process is the IO managers'.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ipy_orch.errors import CheckError, DagsterRunNotFoundError
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Run, Runs
from ipy_orch.events.types import (
    Checked,
    Event,
    Expected,
    Forgotten,
    Logged,
    Materialized,
    Observed,
    RunFinished,
    RunStarted,
    StepFailed,
    StepSucceeded,
)
from ipy_orch.events.updates import Updates
from ipy_orch.execution.loggers import number_of
from ipy_orch.execution.records.dagster_events import DagsterEventType, dagster_events
from ipy_orch.execution.records.dagster_run import EPHEMERAL_JOB, DagsterRun, DagsterRunStatus, RunInfo
from ipy_orch.execution.records.entries import (
    AssetEntry,
    AssetPartitionStatus,
    AssetRecord,
    EventLogEntry,
    EventLogRecord,
    EventRecordsResult,
    LogEntry,
    RunRecord,
    RunStats,
)
from ipy_orch.execution.records.filters import (
    AssetRecordsFilter,
    EventRecordsFilter,
    RunsFilter,
    RunStatusChangeRecordsFilter,
)
from ipy_orch.model.env import redact_all
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.definition import valid_keys
from ipy_orch.model.results import AssetCheckEvaluation, AssetMaterialization, AssetObservation

__all__ = [
    "AssetPartitionStatus",
    "AssetRecordsFilter",
    "DagsterInstance",
    "DagsterRun",
    "DagsterRunStatus",
    "EventLogEntry",
    "EventLogRecord",
    "EventRecordsFilter",
    "EventRecordsResult",
    "RunRecord",
    "RunStatusChangeRecordsFilter",
    "RunsFilter",
    "instance_for_test",
]

STATUSES = {"running": "STARTED", "success": "SUCCESS", "failure": "FAILURE", "canceled": "CANCELED"}


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
        self.deleted: set[str] = set()  #: the runs that were
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

    @property
    def is_persistent(self) -> bool:
        """Tell whether anything is kept beyond its life."""
        return not self.is_ephemeral

    def storage_directory(self) -> str:
        """Return the folder for values; it is made when it is first asked for."""
        if self.folder is None:
            self.folder = tempfile.mkdtemp(prefix="ipy_orch-")
            self.remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        return str(Path(self.folder) / "storage")

    # -- runs --

    def began(self, info: RunInfo) -> None:
        """Note, of a run that has just begun, what no event says: its config and selection."""
        run = self.history.runs.get(info.run_id)
        if run is not None:
            run.run_config = info.run_config
            run.asset_selection, run.asset_check_selection = info.asset_selection, info.asset_check_selection

    def shaped(self, run: Run) -> DagsterRun:
        """Return a run in Dagster's shape."""
        return dagster_run(run)

    def has_run(self, run_id: str) -> bool:
        """Tell whether there is a run of this id."""
        return run_id in self.history.runs

    def get_run_by_id(self, run_id: str) -> DagsterRun | None:
        """Return a run, None when there's none of this id."""
        found = self.history.runs.get(run_id)
        return self.shaped(found) if found is not None else None

    def get_runs(
        self,
        filters: RunsFilter | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        ascending: bool = False,
    ) -> list[DagsterRun]:
        """Return the runs that a filter lets through, the newest first unless ``ascending``.

        Args:
            cursor: the id of a run: what comes behind it.
        """
        return [one.dagster_run for one in self.get_run_records(filters, limit, None, ascending, cursor)]

    def get_run_ids(
        self, filters: RunsFilter | None = None, cursor: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return the ids of the runs that a filter lets through, the newest first."""
        return [run.run_id for run in self.get_runs(filters, cursor, limit)]

    def get_runs_count(self, filters: RunsFilter | None = None, limit: int | None = None) -> int:
        """Return how many runs a filter lets through."""
        return len(self.get_runs(filters, limit=limit))

    def get_run_records(
        self,
        filters: RunsFilter | None = None,
        limit: int | None = None,
        order_by: str | None = None,
        ascending: bool = False,
        cursor: str | None = None,
    ) -> list[RunRecord]:
        """Return the runs that a filter lets through with their times, the newest first unless ``ascending``.

        Args:
            order_by: e.g. ``update_timestamp``; when they began by default.
            cursor: the id of a run: what comes behind it.

        Raises:
            CheckError: when ``filters`` isn't a filter.
        """
        wanted = filters if filters is not None else RunsFilter()
        if not isinstance(wanted, RunsFilter):
            raise CheckError(f"`filters` is a RunsFilter, not {filters!r}")
        records = self.run_records()
        if order_by not in (None, "id"):
            records.sort(key=lambda one: getattr(one, order_by))
        ordered = records if ascending else records[::-1]
        ids = [one.dagster_run.run_id for one in ordered]
        behind = ordered[ids.index(cursor) + 1 :] if cursor in ids else ordered
        return [*filter(wanted.lets_through, behind)][:limit]

    def run_records(self) -> list[RunRecord]:
        """Return all runs with their times, the oldest first."""
        numbers = {event.run_id: number for number, event in self.numbered() if isinstance(event, RunStarted)}
        return [run_record(numbers.get(run.run_id, 0), run, self.shaped(run)) for run in self.history.runs.values()]

    def get_run_record_by_id(self, run_id: str) -> RunRecord | None:
        """Return a run with its times, None when there's none of this id."""
        return next(iter(self.get_run_records(RunsFilter([run_id]))), None)

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        """Give a run more tags.

        Raises:
            DagsterRunNotFoundError: when there's none of this id.
        """
        if run_id not in self.history.runs:
            raise DagsterRunNotFoundError(f"there is no run `{run_id}`")
        self.history.runs[run_id].tags.update(new_tags)

    def delete_run(self, run_id: str) -> None:
        """Forget a run and what happened in it; one that isn't there is passed over."""
        self.history.runs.pop(run_id, None)
        self.deleted.add(run_id)

    def get_run_stats(self, run_id: str) -> RunStats:
        """Return what a run did, in numbers."""
        events = [one for one in self.kept() if one.run_id == run_id]

        def count(kind: type[Event]) -> int:
            return sum(isinstance(one, kind) for one in events)

        made = (count(StepSucceeded), count(StepFailed), count(Materialized), count(Expected))
        began = next((one.at for one in events if isinstance(one, RunStarted)), None)
        ended = next((one.at for one in events if isinstance(one, RunFinished)), None)
        return RunStats(run_id, *made, start_time=began, end_time=ended)

    def get_backfills(self, *_: Any, **__: Any) -> list[Any]:
        """Return nothing: backfills are a session's."""
        return []

    # -- events --

    def records(self, wanted: Callable[[Event], bool] = lambda _: True) -> list[EventLogRecord]:
        """Return the records of the events wanted, the oldest first."""
        failed: dict[str, Event] = {}
        jobs: dict[str, str | None] = {}
        found: list[EventLogRecord] = []
        for number, event in self.numbered_and_kept():
            if isinstance(event, StepFailed):
                failed.setdefault(event.run_id, event)
            if wanted(event):
                told = [failed[event.run_id]] if isinstance(event, RunFinished) and event.run_id in failed else []
                if event.run_id not in jobs:
                    jobs[event.run_id] = self.job_of(event.run_id)
                shaped = dagster_events([*told, event], jobs[event.run_id])
                entries = [
                    EventLogEntry(event.run_id, event.at, one.step_key, one) for one in shaped if one.event is event
                ]
                found += [EventLogRecord(number, entry) for entry in entries]
        return found

    def job_of(self, run_id: str) -> str | None:
        """Return the name of a run's job, None where the run isn't known."""
        run = self.history.runs.get(run_id)
        return self.shaped(run).job_name if run is not None else None

    def numbered_and_kept(self) -> Iterator[tuple[int, Event]]:
        """Yield the events with their numbers; not those of deleted runs, nor what was to be forgotten of assets."""
        numbered = list(self.numbered())
        ends = {(one.key, one.partition): number for number, one in numbered if isinstance(one, Forgotten)}
        for number, event in numbered:
            if event.run_id in self.deleted:
                continue
            if ends and isinstance(event, Materialized | Observed):
                ended = max(ends.get((event.key, None), 0), ends.get((event.key, event.partition), 0))
                if number < ended:
                    continue
            yield number, event

    def kept(self) -> Iterator[Event]:
        """Yield the events that :meth:`numbered_and_kept` does."""
        return (event for _, event in self.numbered_and_kept())

    def numbered(self) -> Iterable[tuple[int, Event]]:
        """Yield the events with their numbers, which grow."""
        return enumerate(self.log, 1)

    def number_of(self, event: Event) -> int:
        """Return the number of an event in the log, from 1; 0 when it isn't kept."""
        known = len(self.log)
        return next((known - back for back, one in enumerate(reversed(list(self.log))) if one is event), 0)

    def all_logs(self, run_id: str, of_type: Any = None) -> list[EventLogEntry | LogEntry]:
        """Return the events of a run, of one kind; or all of them, with what its steps logged."""
        kinds = kinds_of(of_type)
        entries = [one.event_log_entry for one in self.records(lambda event: event.run_id == run_id)]
        if kinds is not None:
            return [entry for entry in entries if entry.dagster_event_type in kinds]
        logged = [
            LogEntry(run_id, event.at, event.step or None, number_of(event.level), event.text)
            for event in self.kept()
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
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """Return materializations of an asset, the newest first unless ``ascending``."""
        return self.about_an_asset(Materialized, records_filter, limit, cursor, ascending)

    def fetch_observations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int = 100,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """Return observations of an asset, the newest first unless ``ascending``."""
        return self.about_an_asset(Observed, records_filter, limit, cursor, ascending)

    def about_an_asset(
        self,
        kind: type[Materialized | Observed],
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None,
        ascending: bool,
    ) -> EventRecordsResult:
        """Return the events of one kind that a filter lets through."""
        wanted = as_filter(records_filter)
        found = self.records(lambda event: isinstance(event, kind) and event.key == wanted.asset_key)
        return page([*filter(wanted.lets_through, found)], limit, cursor, ascending)

    def fetch_run_status_changes(
        self,
        records_filter: DagsterEventType | RunStatusChangeRecordsFilter,
        limit: int = 100,
        cursor: str | None = None,
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
        return page(found, limit, cursor, ascending)

    def get_event_records(
        self, event_records_filter: EventRecordsFilter, limit: int | None = None, ascending: bool = False
    ) -> list[EventLogRecord]:
        """Return the records that a filter lets through, the newest first unless ``ascending``.

        Raises:
            CheckError: when it isn't a filter.
        """
        if not isinstance(event_records_filter, EventRecordsFilter):
            raise CheckError(f"`event_records_filter` is an EventRecordsFilter, not {event_records_filter!r}")
        found = [*filter(event_records_filter.lets_through, self.records())]
        return (found if ascending else found[::-1])[:limit]

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: Any = None,
        limit: int | None = None,
        ascending: bool = True,
    ) -> EventRecordsResult:
        """Return the records of a run, of one kind or several; the oldest first unless ``ascending`` is false."""
        found = self.records(lambda event: event.run_id == run_id)
        kinds = kinds_of(of_type)
        wanted = [one for one in found if kinds is None or one.event_log_entry.dagster_event_type in kinds]
        return page(wanted, limit, cursor, ascending)

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

    def get_asset_keys(self, prefix: Sequence[str] | None = None, limit: int | None = None) -> list[AssetKey]:
        """Return the assets of which something is known, those below a prefix."""
        known = {event.key for event in self.kept() if isinstance(event, Materialized | Observed)}
        return sorted(key for key in known if key.has_prefix(prefix or ()))[:limit]

    def all_asset_keys(self) -> list[AssetKey]:
        """Return the assets of which something is known, under Dagster's other name."""
        return self.get_asset_keys()

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> list[AssetRecord]:
        """Return what is known of some assets, of all by default; of those that were made or looked at."""
        wanted = None if asset_keys is None else set(asset_keys)
        newest: dict[AssetKey, dict[type, EventLogRecord]] = {}
        for one in self.records(lambda event: isinstance(event, Materialized | Observed)):
            event: Any = one.event_log_entry.dagster_event.event
            if wanted is None or event.key in wanted:
                newest.setdefault(event.key, {})[type(event)] = one
        return [
            AssetRecord(
                max(one.storage_id for one in found.values()),
                AssetEntry(key, found.get(Materialized), found.get(Observed)),
            )
            for key, found in sorted(newest.items())
        ]

    def get_latest_data_version_record(
        self,
        key: AssetKey,
        is_source: bool | None = None,
        partition_key: str | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> EventLogRecord | None:
        """Return the newest record that tells an asset's data version: where it's made, else where it's looked at.

        Args:
            is_source: look at observations only, or not at all; both by default.
        """
        partitions = [partition_key] if partition_key is not None else None
        kinds = [
            *([] if is_source else [DagsterEventType.ASSET_MATERIALIZATION]),
            *([] if is_source is False else [DagsterEventType.ASSET_OBSERVATION]),
        ]
        for kind in kinds:
            wanted = EventRecordsFilter(kind, key, partitions, after_cursor, before_cursor)
            for one in self.get_event_records(wanted, limit=1):
                return one
        return None

    def get_status_by_partition(
        self,
        asset_key: AssetKey,
        partition_keys: Sequence[str],
        partitions_def: Any,  # noqa: ARG002 - the keys say which
    ) -> dict[str, AssetPartitionStatus | None]:
        """Return how partitions of an asset stand, None for those of which nothing is known."""
        found: dict[str | None, AssetPartitionStatus] = {}
        for event in self.kept():
            if isinstance(event, Materialized) and event.key == asset_key:
                found[event.partition] = AssetPartitionStatus.MATERIALIZED
            elif isinstance(event, StepFailed) and asset_key in event.keys:
                cuts = event.partitions or (event.partition,)
                found.update(dict.fromkeys(cuts, AssetPartitionStatus.FAILED))
        return {key: found.get(key) for key in partition_keys}

    def wipe_assets(self, asset_keys: Sequence[AssetKey]) -> None:
        """Forget what is known of assets; their values stay where IO managers keep them."""
        for key in asset_keys:
            self.log.append(Forgotten("", time.time(), "", key))

    def wipe_asset_partitions(self, asset_key: AssetKey, partition_keys: Sequence[str]) -> None:
        """Forget what is known of partitions of an asset."""
        for partition in partition_keys:
            self.log.append(Forgotten("", time.time(), "", asset_key, partition))

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
    """Return a run in Dagster's shape; no value of a secret is in its config."""
    return DagsterRun(
        run.what or EPHEMERAL_JOB,
        run.run_id,
        DagsterRunStatus(STATUSES[run.status]),
        run.tags,
        redact_all(run.run_config),
        run.asset_selection,
        run.asset_check_selection,
    )


def run_record(number: int, run: Run, shaped: DagsterRun) -> RunRecord:
    """Return a run with its times."""
    ended = run.started + run.seconds if shaped.is_finished else None
    began, last = (datetime.fromtimestamp(at, UTC) for at in (run.started, ended or run.started))
    return RunRecord(number, shaped, began, last, run.started, ended)


def kinds_of(of_type: Any) -> set[DagsterEventType] | None:
    """Return the kinds of events that were asked for, one or several; None for all."""
    return None if of_type is None else {of_type} if isinstance(of_type, DagsterEventType) else set(of_type)


def as_filter(wanted: AssetKey | AssetRecordsFilter) -> AssetRecordsFilter:
    """Return a filter; a key lets all records of the asset through."""
    return AssetRecordsFilter(wanted) if isinstance(wanted, AssetKey) else wanted


def as_change(wanted: DagsterEventType | RunStatusChangeRecordsFilter) -> RunStatusChangeRecordsFilter:
    """Return a filter; a type lets all events of it through."""
    return RunStatusChangeRecordsFilter(wanted) if isinstance(wanted, DagsterEventType) else wanted


def page(records: list[EventLogRecord], limit: int | None, cursor: str | None, ascending: bool) -> EventRecordsResult:
    """Return a page of records, and the cursor of the next: the number of the last of them."""
    ordered = records if ascending else records[::-1]
    if cursor:
        at = int(cursor)
        ordered = [one for one in ordered if (one.storage_id > at if ascending else one.storage_id < at)]
    here = ordered[:limit]
    return EventRecordsResult(here, str(here[-1].storage_id) if here else cursor or "", len(ordered) > len(here))
