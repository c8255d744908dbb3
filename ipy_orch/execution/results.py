"""What came of an execution in this process, under Dagster's names: a view of the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.events.types import (
    Checked,
    Event,
    InputLoaded,
    Materialized,
    Observed,
    OutputStored,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.execution.world import RunResult
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import RESULT
from ipy_orch.model.results import DATA_VERSION_TAG, AssetCheckEvaluation, AssetMaterialization, AssetObservation

__all__ = ["DagsterEvent", "DagsterEventType", "ExecuteInProcessResult"]


class DagsterEventType(str, Enum):  # noqa: UP042 - as text it is its name, like Dagster's
    """Name the kinds of Dagster's events that ours stand for."""

    RUN_START = "PIPELINE_START"
    RUN_SUCCESS = "PIPELINE_SUCCESS"
    RUN_FAILURE = "PIPELINE_FAILURE"
    RUN_CANCELED = "PIPELINE_CANCELED"
    PIPELINE_START = "PIPELINE_START"  # noqa: PIE796 - the same by its older name
    PIPELINE_SUCCESS = "PIPELINE_SUCCESS"  # noqa: PIE796 - the same by its older name
    PIPELINE_FAILURE = "PIPELINE_FAILURE"  # noqa: PIE796 - the same by its older name
    STEP_START = "STEP_START"
    STEP_SUCCESS = "STEP_SUCCESS"
    STEP_FAILURE = "STEP_FAILURE"
    STEP_SKIPPED = "STEP_SKIPPED"
    STEP_UP_FOR_RETRY = "STEP_UP_FOR_RETRY"
    STEP_RESTARTED = "STEP_RESTARTED"
    STEP_INPUT = "STEP_INPUT"
    STEP_OUTPUT = "STEP_OUTPUT"
    LOADED_INPUT = "LOADED_INPUT"
    HANDLED_OUTPUT = "HANDLED_OUTPUT"
    ASSET_MATERIALIZATION = "ASSET_MATERIALIZATION"
    ASSET_OBSERVATION = "ASSET_OBSERVATION"
    ASSET_CHECK_EVALUATION = "ASSET_CHECK_EVALUATION"


@dataclass(frozen=True)
class DagsterEvent:
    """Be one of our events in Dagster's shape."""

    event_type: DagsterEventType
    step_key: str | None
    event: Event = field(repr=False)
    event_specific_data: Any = None
    message: str = ""

    @property
    def event_type_value(self) -> str:
        """Return the kind as a string."""
        return self.event_type.value

    @property
    def node_name(self) -> str | None:
        """Return the op's name."""
        return self.step_key

    @property
    def asset_key(self) -> AssetKey | None:
        """Return the asset that the event is about."""
        key = getattr(self.event, "key", None)
        return key if isinstance(key, AssetKey) else None

    @property
    def is_step_materialization(self) -> bool:
        """Tell whether it is of an asset's materialization."""
        return self.event_type is DagsterEventType.ASSET_MATERIALIZATION

    @property
    def materialization(self) -> AssetMaterialization:
        """Return the materialization."""
        return self.event_specific_data.materialization  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        """Return ``is_step_success`` and the like: whether the event is of that kind, and ``step_failure_data`` ..."""
        if name in DATA and self.event_type in DATA[name]:
            return self.event_specific_data
        if name.startswith("is_") and name[3:].upper() in DagsterEventType.__members__:
            return self.event_type is DagsterEventType[name[3:].upper()]
        raise AttributeError(name)


@dataclass(frozen=True)
class FailureData:
    """Be what a ``Failure`` says."""

    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    label: str = "intentional-failure"


@dataclass(frozen=True)
class ErrorInfo:
    """Be an exception as the log keeps it: message, the user's frames, the class."""

    message: str
    stack: Sequence[str] = ()
    cls_name: str | None = None

    def to_string(self) -> str:
        """Return message and frames."""
        return "\n".join([self.message, *self.stack])

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class StepData:
    """Be the details of an event: what the step made, or the error."""

    materialization: AssetMaterialization | None = None
    asset_observation: AssetObservation | None = None
    output_name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: Any = None
    user_failure_data: FailureData | None = None

    @property
    def error_display_string(self) -> str:
        """Return the error in one line."""
        return str(self.error or "")


DATA: Final = {
    "step_failure_data": {DagsterEventType.STEP_FAILURE},
    "step_retry_data": {DagsterEventType.STEP_UP_FOR_RETRY},
    "step_output_data": {DagsterEventType.STEP_OUTPUT},
    "step_input_data": {DagsterEventType.STEP_INPUT},
    "step_handled_output_data": {DagsterEventType.HANDLED_OUTPUT},
    "loaded_input_data": {DagsterEventType.LOADED_INPUT},
    "step_materialization_data": {DagsterEventType.ASSET_MATERIALIZATION},
    "asset_observation_data": {DagsterEventType.ASSET_OBSERVATION},
    "asset_check_evaluation_data": {DagsterEventType.ASSET_CHECK_EVALUATION},
}
KINDS: Final[Mapping[type, DagsterEventType]] = {
    RunStarted: DagsterEventType.RUN_START,
    StepStarted: DagsterEventType.STEP_START,
    StepSucceeded: DagsterEventType.STEP_SUCCESS,
    StepFailed: DagsterEventType.STEP_FAILURE,
    StepSkipped: DagsterEventType.STEP_SKIPPED,
    StepRetrying: DagsterEventType.STEP_UP_FOR_RETRY,
    InputLoaded: DagsterEventType.LOADED_INPUT,
    OutputStored: DagsterEventType.HANDLED_OUTPUT,
    Materialized: DagsterEventType.ASSET_MATERIALIZATION,
    Observed: DagsterEventType.ASSET_OBSERVATION,
    Checked: DagsterEventType.ASSET_CHECK_EVALUATION,
}
ENDS: Final = {
    "success": DagsterEventType.RUN_SUCCESS,
    "failure": DagsterEventType.RUN_FAILURE,
    "canceled": DagsterEventType.RUN_CANCELED,
}


def dagster_events(events: Sequence[Event]) -> Iterator[DagsterEvent]:
    """Yield events in Dagster's shape; an output stored is an output made first."""
    for event in events:
        step = event.step or None
        if isinstance(event, StepStarted) and event.attempt:
            yield DagsterEvent(DagsterEventType.STEP_RESTARTED, step, event)
            continue
        if isinstance(event, OutputStored):
            yield DagsterEvent(DagsterEventType.STEP_OUTPUT, step, event, StepData(output_name=event.name))
        if isinstance(event, InputLoaded):
            yield DagsterEvent(DagsterEventType.STEP_INPUT, step, event)
        kind = ENDS[event.status] if isinstance(event, RunFinished) else KINDS.get(type(event))
        if kind is not None:
            yield DagsterEvent(kind, step, event, details(event))


def details(event: Event) -> Any:  # noqa: PLR0911 - one per kind
    """Return the details of an event as Dagster names them."""
    match event:
        case Materialized():
            return StepData(materialization=with_versions(event))
        case Observed():
            return StepData(asset_observation=event.observation)
        case Checked():
            return event.evaluation
        case StepFailed():
            failure = FailureData(event.error.partition(": ")[2] or None, event.metadata) if event.metadata else None
            return StepData(error=error_info(event.error, event.traceback), user_failure_data=failure)
        case StepRetrying():
            return StepData(error=error_info(event.error))
        case OutputStored() | InputLoaded():
            return StepData(output_name=event.name, metadata=event.metadata)
        case _:
            return StepData()


def error_info(line: str, traceback: str = "") -> ErrorInfo:
    """Return an exception of which the log keeps one line and perhaps the traceback."""
    return ErrorInfo(line, traceback.splitlines(keepends=True), line.partition(":")[0])


def with_versions(event: Materialized) -> AssetMaterialization:
    """Return a materialization with the tag that names its data version; a report of the user's as it came."""
    made = event.materialization
    if made.tags is None or not event.data_version:
        return made
    return replace(made, tags={DATA_VERSION_TAG: event.data_version, **made.tags})


class ExecuteInProcessResult:
    """Answer what an execution did; see Dagster's class of this name.

    Args:
        result: of the engine.
        output_keys: asset -> (step, output).
        load: returns the stored value of an asset that the run didn't keep.
        job: whose run it was, if it was one's.
    """

    def __init__(
        self,
        result: RunResult,
        output_keys: Mapping[AssetKey, tuple[str, str]],
        load: Callable[[AssetKey], Any],
        run: Any = None,
        job: JobDefinition | None = None,
    ) -> None:
        self.result, self.output_keys, self.load = result, output_keys, load
        self.dagster_run, self.job_def = run, job

    @property
    def success(self) -> bool:
        """Tell whether all went well."""
        return self.result.success

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return self.result.run_id

    @cached_property
    def all_events(self) -> Sequence[DagsterEvent]:
        """Return all events."""
        return list(dagster_events(self.result.events))

    @property
    def all_node_events(self) -> Sequence[DagsterEvent]:
        """Return the events of steps."""
        return [event for event in self.all_events if event.step_key is not None]

    def filter_events(self, event_filter: Callable[[DagsterEvent], bool]) -> Sequence[DagsterEvent]:
        """Return the events for which the function is true."""
        return [event for event in self.all_events if event_filter(event)]

    def events_for_node(self, node_name: str) -> Sequence[DagsterEvent]:
        """Return the events of one op."""
        return [event for event in self.all_events if event.step_key == node_name]

    def of_type(self, kind: DagsterEventType) -> list[DagsterEvent]:
        """Return the events of one kind."""
        return [event for event in self.all_events if event.event_type is kind]

    def get_step_success_events(self) -> Sequence[DagsterEvent]:
        """Return the successes of steps."""
        return self.of_type(DagsterEventType.STEP_SUCCESS)

    def get_step_failure_events(self) -> Sequence[DagsterEvent]:
        """Return the failures of steps."""
        return self.of_type(DagsterEventType.STEP_FAILURE)

    def get_step_skipped_events(self) -> Sequence[DagsterEvent]:
        """Return the steps that were skipped."""
        return self.of_type(DagsterEventType.STEP_SKIPPED)

    def get_run_failure_event(self) -> DagsterEvent:
        """Return the failure of the run."""
        return self.of_type(DagsterEventType.RUN_FAILURE)[0]

    def get_run_success_event(self) -> DagsterEvent:
        """Return the success of the run."""
        return self.of_type(DagsterEventType.RUN_SUCCESS)[0]

    def get_failed_step_keys(self) -> set[str]:
        """Return the steps that failed."""
        return set(self.result.errors)

    def get_asset_materialization_events(self) -> Sequence[DagsterEvent]:
        """Return the materializations."""
        return self.of_type(DagsterEventType.ASSET_MATERIALIZATION)

    def get_asset_observation_events(self) -> Sequence[DagsterEvent]:
        """Return the observations."""
        return self.of_type(DagsterEventType.ASSET_OBSERVATION)

    def get_asset_check_evaluations(self) -> Sequence[AssetCheckEvaluation]:
        """Return the verdicts of checks."""
        return [event.event_specific_data for event in self.of_type(DagsterEventType.ASSET_CHECK_EVALUATION)]

    def asset_materializations_for_node(self, node_name: str) -> Sequence[AssetMaterialization]:
        """Return the materializations by one op."""
        return [
            event.materialization for event in self.get_asset_materialization_events() if event.step_key == node_name
        ]

    def asset_observations_for_node(self, node_name: str) -> Sequence[AssetObservation]:
        """Return the observations by one op."""
        found = (event for event in self.get_asset_observation_events() if event.step_key == node_name)
        return [event.event_specific_data.asset_observation for event in found]

    def output_for_node(self, node_str: str, output_name: str = RESULT) -> Any:
        """Return what an op returned.

        Raises:
            DagsterInvariantViolationError: when it has no such output.
        """
        values = self.result.values
        if (node_str, output_name) not in values:
            known = [f"{step}.{name}" for step, name in values]
            raise DagsterInvariantViolationError(
                f"there is no output `{output_name}` of `{node_str}`", hint=closest(f"{node_str}.{output_name}", known)
            )
        return values[node_str, output_name]

    def asset_value(self, asset_key: Any) -> Any:
        """Return the value of an asset.

        Raises:
            DagsterInvariantViolationError: when the run didn't make it.
        """
        key = AssetKey.from_coercible(asset_key)
        if key not in self.output_keys:
            raise DagsterInvariantViolationError(
                f"this run doesn't make `{key}`", hint=closest(str(key), map(str, self.output_keys))
            )
        place = self.output_keys[key]
        return self.result.values[place] if place in self.result.values else self.load(key)
