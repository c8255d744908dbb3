"""Sensors that look at how runs end: what they are told, and which runs are new to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ipy_orch.authoring.sensors import failure
from ipy_orch.automation.contexts import SensorEvaluationContext, TickContext
from ipy_orch.execution.records.dagster_events import DagsterEvent, DagsterEventType
from ipy_orch.execution.records.dagster_run import DagsterRun, DagsterRunStatus
from ipy_orch.execution.records.instance import EventLogEntry, EventLogRecord
from ipy_orch.model.automation.requests import DagsterRunReaction, RunRequest, SensorResult, SkipReason
from ipy_orch.model.automation.run_sensors import RunStatusSensorDefinition
from ipy_orch.model.repository import RepositoryDefinition

__all__ = [
    "RunFailureSensorContext",
    "RunStatusSensorContext",
    "build_run_status_sensor_context",
    "reactions",
]

PARTITION: Final = "dagster/partition"
KINDS: Final = {
    DagsterRunStatus.STARTED: DagsterEventType.RUN_START,
    DagsterRunStatus.SUCCESS: DagsterEventType.RUN_SUCCESS,
    DagsterRunStatus.FAILURE: DagsterEventType.RUN_FAILURE,
    DagsterRunStatus.CANCELED: DagsterEventType.RUN_CANCELED,
}
MOST: Final = 1_000  #: runs in one tick; the next one goes on


@failure.supply
def status_of_failure() -> DagsterRunStatus:
    """Return the status at which sensors of failures look."""
    return DagsterRunStatus.FAILURE


class RunStatusSensorContext(TickContext):
    """Be what the function of a sensor is told that looks at runs.

    Args:
        dagster_run: the run.
        dagster_event: the event by which it came to the status.
        context: of the sensor's tick.
    """

    build = "build_run_status_sensor_context"

    def __init__(
        self,
        sensor_name: str,
        dagster_run: DagsterRun,
        dagster_event: DagsterEvent,
        instance: Any = None,
        context: SensorEvaluationContext | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        partition_key: str | None = None,
        repository_def: RepositoryDefinition | None = None,
    ) -> None:
        repository = repository_def or (context.repository_def if context is not None else None)
        super().__init__(instance, repository, resource_defs, sensor_name)
        self.dagster_run, self.dagster_event, self.tick = dagster_run, dagster_event, context
        self.partition_key = partition_key or dagster_run.tags.get(PARTITION)
        self.entered = context.entered if context is not None else False

    @property
    def sensor_name(self) -> str:
        """Return the name of the sensor."""
        return self.name

    def for_run_failure(self) -> RunFailureSensorContext:
        """Return the same context as sensors of failures get it."""
        made = RunFailureSensorContext(
            self.name,
            self.dagster_run,
            self.dagster_event,
            self.own_instance,
            self.tick,
            self.resource_defs,
            self.partition_key,
            self.repository_def,
        )
        made.entered = self.entered
        return made


class RunFailureSensorContext(RunStatusSensorContext):
    """Be what the function of a sensor is told that looks at runs which failed."""

    @property
    def failure_event(self) -> DagsterEvent:
        """Return the event by which the run failed."""
        return self.dagster_event

    def get_step_failure_events(self) -> Sequence[DagsterEvent]:
        """Return the failures of its steps."""
        logs = self.instance.all_logs(self.dagster_run.run_id, of_type=DagsterEventType.STEP_FAILURE)
        return [entry.dagster_event for entry in logs if isinstance(entry, EventLogEntry)]


def build_run_status_sensor_context(
    sensor_name: str,
    dagster_event: DagsterEvent,
    dagster_instance: Any,
    dagster_run: DagsterRun,
    context: SensorEvaluationContext | None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    *,
    repository_def: RepositoryDefinition | None = None,
) -> RunStatusSensorContext:
    """Return a context to call a sensor of runs with; ``.for_run_failure()`` makes that of one of failures.

    Args:
        dagster_event: e.g. ``result.get_run_success_event()``.
        dagster_run: e.g. ``result.dagster_run``.
        resources: key -> resource or any object.
    """
    return RunStatusSensorContext(
        sensor_name, dagster_run, dagster_event, dagster_instance, context, resources, partition_key, repository_def
    )


def reactions(
    sensor: RunStatusSensorDefinition, context: SensorEvaluationContext, resources: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield what a sensor says to each run that is new to it; the first tick only notes which there are."""
    kind = KINDS[sensor.run_status]
    seen = read_number(context.cursor)
    if seen is None:
        last = context.instance.fetch_run_status_changes(kind, limit=1).records
        context.update_cursor(written(last[0] if last else None))
        yield SkipReason(f"`{sensor.name}` looks at runs from now on")
        return
    for record in context.instance.fetch_run_status_changes(kind, limit=MOST, ascending=True).records:
        if record.storage_id <= seen:
            continue
        context.update_cursor(written(record))
        run = context.instance.get_run_by_id(record.run_id)
        if run is None or not sensor.looks_at(run.job_name) or run.tags.get("dagster/sensor_name") == sensor.name:
            continue
        yield from answers(sensor, context, run, record, resources)


def answers(
    sensor: RunStatusSensorDefinition,
    context: SensorEvaluationContext,
    run: DagsterRun,
    record: EventLogRecord,
    resources: Mapping[str, Any],
) -> Iterator[Any]:
    """Yield what a sensor says to one run; an exception is kept, so that the other runs have their turn."""
    told = RunStatusSensorContext(
        sensor.name, run, record.event_log_entry.dagster_event, context.instance, context, context.resource_defs
    )
    told.scope = context.scope
    if sensor.run_status is DagsterRunStatus.FAILURE:
        told = told.for_run_failure()
        told.scope = context.scope
    try:
        yield from each_of(sensor.function.call([told], dict(resources)))
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises
        yield DagsterRunReaction(run, error, sensor.run_status)
    else:
        if not sensor.targets:
            yield DagsterRunReaction(run, None, sensor.run_status)
    finally:
        told.scope = None  # it is the tick's to close


def each_of(made: Any) -> Iterator[Any]:
    """Yield what a function returned or yields, one by one, with the requests of a SensorResult among them."""
    for one in made if isinstance(made, Iterator | list | tuple) else [made]:
        if isinstance(one, SensorResult):
            yield from one.run_requests or ()
            if one.skip_reason:
                yield one.skip_reason
        elif isinstance(one, RunRequest | SkipReason | DagsterRunReaction):
            yield one


def read_number(cursor: str | None) -> int | None:
    """Return the number of the event that was seen last, None where there's none."""
    try:
        found = json.loads(cursor or "null")
    except json.JSONDecodeError:
        return None
    number = found.get("record_id") if isinstance(found, dict) else None
    return number if isinstance(number, int) else None


def written(record: EventLogRecord | None) -> str:
    """Return the cursor after an event."""
    if record is None:
        return json.dumps({"record_id": -1, "update_timestamp": None})
    at = datetime.fromtimestamp(record.timestamp, UTC).isoformat()
    return json.dumps({"record_id": record.storage_id, "update_timestamp": at})
