"""Our events in Dagster's shape, for code that reads them so."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from ipy_orch.events.types import (
    Checked,
    Event,
    Expected,
    HookRan,
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
    TypeChecked,
)
from ipy_orch.execution.contexts.handles import NodeHandle
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.results import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    INPUT_VERSION_TAG,
    SAID_VERSION_TAG,
    AssetMaterialization,
    AssetObservation,
    ExpectationResult,
)

__all__ = ["DagsterEvent", "DagsterEventType", "ErrorSource", "dagster_events"]


class DagsterEventType(str, Enum):  # noqa: UP042 - as text it is its name, like Dagster's
    """Name the kinds of Dagster's events that ours stand for, and two that code asks for and we have none of."""

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
    STEP_EXPECTATION_RESULT = "STEP_EXPECTATION_RESULT"
    HOOK_COMPLETED = "HOOK_COMPLETED"
    HOOK_SKIPPED = "HOOK_SKIPPED"
    HOOK_ERRORED = "HOOK_ERRORED"
    ASSET_MATERIALIZATION_PLANNED = "ASSET_MATERIALIZATION_PLANNED"
    ENGINE_EVENT = "ENGINE_EVENT"


class ErrorSource(Enum):
    """Say whose an error is."""

    USER_CODE_ERROR = "USER_CODE_ERROR"
    FRAMEWORK_ERROR = "FRAMEWORK_ERROR"


@dataclass(frozen=True)
class DagsterEvent:
    """Be one of our events in Dagster's shape."""

    event_type: DagsterEventType
    step_key: str | None
    event: Event = field(repr=False)
    event_specific_data: Any = None
    message: str = ""
    job_name: str | None = None

    @property
    def event_type_value(self) -> str:
        """Return the kind as a string."""
        return self.event_type.value

    @property
    def node_name(self) -> str | None:
        """Return the name of the node in its graph."""
        return None if self.step_key is None else self.step_key.rpartition(".")[2].partition("[")[0]

    @property
    def node_handle(self) -> NodeHandle | None:
        """Return the place of the node, None of what is of no step."""
        return NodeHandle.of(self.step_key) if self.step_key else None

    @property
    def step_kind_value(self) -> str | None:
        """Return the kind of the step, None of what is of no step."""
        return "COMPUTE" if self.is_step_event else None

    @property
    def logging_tags(self) -> Mapping[str, str]:
        """Return what a log may be searched by; empty for what is of no step."""
        if self.step_key is None:
            return {}
        names = {"job_name": str(self.job_name), "step_key": self.step_key, "op_name": str(self.node_name)}
        return {"run_id": self.event.run_id, **names}

    @property
    def pid(self) -> int:
        """Return the process that keeps the log, this one."""
        return os.getpid()

    @property
    def is_failure(self) -> bool:
        """Tell whether a step failed, or the run ended before its end."""
        kinds = DagsterEventType
        return self.event_type in (kinds.STEP_FAILURE, kinds.RUN_FAILURE, kinds.RUN_CANCELED)

    @property
    def is_job_event(self) -> bool:
        """Tell whether it is of the run as a whole."""
        return isinstance(self.event, RunStarted | RunFinished)

    @property
    def is_step_event(self) -> bool:
        """Tell whether it is of a step."""
        return self.step_key is not None

    @property
    def is_successful_output(self) -> bool:
        """Tell whether it is of an output that a step made."""
        return self.event_type is DagsterEventType.STEP_OUTPUT

    @property
    def is_expectation_result(self) -> bool:
        """Tell whether it is of an expectation."""
        return self.event_type is DagsterEventType.STEP_EXPECTATION_RESULT

    @property
    def is_hook_event(self) -> bool:
        """Tell whether it is of a hook."""
        return isinstance(self.event, HookRan)

    @property
    def asset_key(self) -> AssetKey | None:
        """Return the asset that the event is about."""
        key = getattr(self.event, "key", None)
        return key if isinstance(key, AssetKey) else None

    @property
    def partition(self) -> str | None:
        """Return the partition that the event is about."""
        return getattr(self.event, "partition", None)

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
    """Be an exception as the log keeps it: message, the user's frames, the class, and what caused it."""

    message: str
    stack: Sequence[str] = ()
    cls_name: str | None = None
    cause: ErrorInfo | None = None

    def to_string(self) -> str:
        """Return message and frames."""
        return "\n".join([self.message, *self.stack])

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class TypeCheckData:
    """Be what the check of a type said."""

    success: bool = True
    label: str = ""
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepData:
    """Be the details of an event: what the step made, or the error."""

    materialization: AssetMaterialization | None = None
    asset_observation: AssetObservation | None = None
    expectation_result: ExpectationResult | None = None
    output_name: str = ""
    input_name: str = ""
    mapping_key: str | None = None
    type_check_data: TypeCheckData | None = None
    manager_key: str = ""
    duration_ms: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: Any = None
    user_failure_data: FailureData | None = None
    error_source: ErrorSource | None = None

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
    "step_expectation_result_data": {DagsterEventType.STEP_EXPECTATION_RESULT},
    "step_success_data": {DagsterEventType.STEP_SUCCESS},
    "job_failure_data": {DagsterEventType.RUN_FAILURE},
}
KINDS: Final[Mapping[type, DagsterEventType]] = {
    RunStarted: DagsterEventType.RUN_START,
    StepStarted: DagsterEventType.STEP_START,
    StepSucceeded: DagsterEventType.STEP_SUCCESS,
    StepFailed: DagsterEventType.STEP_FAILURE,
    StepSkipped: DagsterEventType.STEP_SKIPPED,
    StepRetrying: DagsterEventType.STEP_UP_FOR_RETRY,
    Materialized: DagsterEventType.ASSET_MATERIALIZATION,
    Observed: DagsterEventType.ASSET_OBSERVATION,
    Checked: DagsterEventType.ASSET_CHECK_EVALUATION,
    Expected: DagsterEventType.STEP_EXPECTATION_RESULT,
}
ENDS: Final = {
    "success": DagsterEventType.RUN_SUCCESS,
    "failure": DagsterEventType.RUN_FAILURE,
    "canceled": DagsterEventType.RUN_CANCELED,
}


HOOKS: Final = {
    "completed": DagsterEventType.HOOK_COMPLETED,
    "skipped": DagsterEventType.HOOK_SKIPPED,
    "errored": DagsterEventType.HOOK_ERRORED,
}


def dagster_events(events: Sequence[Event], job_name: str | None = None) -> Iterator[DagsterEvent]:
    """Yield events of runs of a job in Dagster's shape; an output stored is an output made first."""
    for shaped in shaped_events(events):
        yield replace(shaped, job_name=job_name, message=shaped.message or message_of(shaped))


def shaped_events(events: Sequence[Event]) -> Iterator[DagsterEvent]:
    """Yield events in Dagster's shape, the job left out."""
    checked = {(one.step, one.port, one.name, one.mapping_key): one for one in events if isinstance(one, TypeChecked)}
    started = {event.step: event.at for event in events if isinstance(event, StepStarted)}
    failed = {event.run_id: event for event in reversed(events) if isinstance(event, StepFailed)}
    for event in events:
        if isinstance(event, OutputStored | InputLoaded | TypeChecked):
            yield from port_events(event, checked)
        elif isinstance(event, RunFinished) and event.run_id in failed:
            yield DagsterEvent(ENDS[event.status], None, event, details(failed[event.run_id]), event.message)
        elif isinstance(event, StepSucceeded):
            taken = max(event.seconds, event.at - started.get(event.step, event.at))
            yield DagsterEvent(DagsterEventType.STEP_SUCCESS, event.step, event, StepData(duration_ms=1000 * taken))
        elif (kind := kind_of(event)) is not None:
            message = f"hook `{event.name}`: {event.status}" if isinstance(event, HookRan) else ""
            yield DagsterEvent(kind, event.step or None, event, details(event), message)


MESSAGES: Final = {
    DagsterEventType.RUN_START: "The run started.",
    DagsterEventType.RUN_SUCCESS: "The run succeeded.",
    DagsterEventType.RUN_FAILURE: "The run failed.",
    DagsterEventType.RUN_CANCELED: "The run was cancelled.",
    DagsterEventType.STEP_START: "Step `{step}` started.",
    DagsterEventType.STEP_SUCCESS: "Step `{step}` succeeded after {data.duration_ms:.3g} ms.",
    DagsterEventType.STEP_FAILURE: "Step `{step}` failed.",
    DagsterEventType.STEP_SKIPPED: "Step `{step}` was skipped.",
    DagsterEventType.STEP_UP_FOR_RETRY: "Step `{step}` failed, and is to be tried again.",
    DagsterEventType.STEP_RESTARTED: "Step `{step}` started again.",
    DagsterEventType.STEP_INPUT: "Step `{step}` got its input `{data.input_name}`{fits}.",
    DagsterEventType.STEP_OUTPUT: "Step `{step}` made its output `{data.output_name}`{fits}.",
    DagsterEventType.LOADED_INPUT: "Input `{event.name}` was loaded by the IO manager `{data.manager_key}`.",
    DagsterEventType.HANDLED_OUTPUT: "Output `{data.output_name}` was stored by the IO manager `{data.manager_key}`.",
    DagsterEventType.ASSET_MATERIALIZATION: "Asset `{event.key.label}` was materialized.",
    DagsterEventType.ASSET_OBSERVATION: "Asset `{event.key.label}` was observed.",
    DagsterEventType.STEP_EXPECTATION_RESULT: "Expectation `{data.expectation_result.label}`: {passed}.",
    DagsterEventType.ASSET_CHECK_EVALUATION: "Check `{event.key.label}`: {passed}.",
}  #: what happened, for events that bring no message of their own


def message_of(shaped: DagsterEvent) -> str:
    """Return what happened in a sentence."""
    good = is_good(shaped.event)
    words = {"passed": "passed" if good else "failed", "fits": "" if good else ", which isn't of its type"}
    said = MESSAGES.get(shaped.event_type, "")
    return said.format(step=shaped.step_key, event=shaped.event, data=shaped.event_specific_data, **words)


def is_good(event: Event) -> bool:
    """Tell whether an event says that something was checked and is right; true of what says nothing of the kind."""
    match event:
        case Checked():
            return event.evaluation.passed
        case Expected():
            return event.expectation.success
        case _:
            return getattr(event, "success", True)


def port_events(
    event: OutputStored | InputLoaded | TypeChecked, checked: Mapping[tuple[str, str, str, str | None], TypeChecked]
) -> Iterator[DagsterEvent]:
    """Yield what is to be said of an input or output: that it was loaded or stored, and its type checked."""
    kinds = DagsterEventType
    match event:
        case TypeChecked() if event.port == "input" or not event.success:
            kind = kinds.STEP_INPUT if event.port == "input" else kinds.STEP_OUTPUT
            yield DagsterEvent(kind, event.step, event, port_data(event, event))
        case OutputStored():
            seen = checked.get((event.step, "output", event.name, event.mapping_key))
            yield DagsterEvent(kinds.STEP_OUTPUT, event.step, event, port_data(event, seen))
            if event.manager:
                yield DagsterEvent(kinds.HANDLED_OUTPUT, event.step, event, details(event))
        case InputLoaded():
            yield DagsterEvent(kinds.LOADED_INPUT, event.step, event, details(event))
            if (event.step, "input", event.name, None) not in checked:
                yield DagsterEvent(kinds.STEP_INPUT, event.step, event, port_data(event, None))


def port_data(event: OutputStored | InputLoaded | TypeChecked, seen: TypeChecked | None) -> StepData:
    """Return the details of an input or output, with what its type's check said."""
    said = (seen.success, seen.name, seen.description, seen.metadata) if seen is not None else (True, event.name)
    key = getattr(event, "mapping_key", None)
    return StepData(
        output_name=event.name,
        input_name=event.name,
        mapping_key=key,
        metadata=event.metadata if not isinstance(event, TypeChecked) else {},
        type_check_data=TypeCheckData(*said),
    )


def kind_of(event: Event) -> DagsterEventType | None:
    """Return Dagster's kind of an event, None for what it has no event of."""
    if isinstance(event, StepStarted) and event.attempt:
        return DagsterEventType.STEP_RESTARTED
    if isinstance(event, RunFinished):
        return ENDS[event.status]
    if isinstance(event, StepSkipped) and event.culprit:
        return None  # to Dagster, what waits for a step that failed is never begun
    return HOOKS[event.status] if isinstance(event, HookRan) else KINDS.get(type(event))


def details(event: Event) -> Any:  # noqa: PLR0911 - one per kind
    """Return the details of an event as Dagster names them."""
    match event:
        case Materialized():
            return StepData(materialization=with_versions(event))
        case Observed():
            return StepData(asset_observation=with_version(event))
        case Checked():
            return event.evaluation
        case StepFailed():
            failure = FailureData(event.error.partition(": ")[2] or None, event.metadata) if event.metadata else None
            error = error_info(event.error, event.traceback, event.step, event.phase)
            source = ErrorSource.FRAMEWORK_ERROR if error.cause is None else ErrorSource.USER_CODE_ERROR
            return StepData(error=error, user_failure_data=failure, error_source=source)
        case StepRetrying():
            return StepData(error=error_info(event.error))
        case Expected():
            return StepData(expectation_result=event.expectation)
        case HookRan():
            return StepData(error=error_info(event.error) if event.error else None)
        case OutputStored() | InputLoaded():
            key = getattr(event, "mapping_key", None)
            return StepData(output_name=event.name, mapping_key=key, manager_key=event.manager, metadata=event.metadata)
        case _:
            return StepData()


PHASES: Final = {
    "": "DagsterExecutionStepExecutionError",
    "check": "DagsterTypeCheckError",
    "load": "DagsterExecutionLoadInputError",
    "store": "DagsterExecutionHandleOutputError",
}


def error_info(line: str, traceback: str = "", step: str = "", phase: str = "") -> ErrorInfo:
    """Return an exception of which the log keeps one line and perhaps the traceback.

    Args:
        step: that raised it; what the user's code raised is the cause of an error of the step.
        phase: what an IO manager was about.
    """
    name = line.partition(":")[0]
    info = ErrorInfo(line, traceback.splitlines(keepends=True), name)
    ours = name.startswith("Dagster") and phase in ("", "check")
    if not step or ours or (name == "Failure" and not phase):
        return info
    return ErrorInfo(f"`{step}` raised {line}", (), PHASES[phase], info)


def with_versions(event: Materialized) -> AssetMaterialization:
    """Return a materialization with the tags that name its versions and its inputs'; a report of the user's as it came.

    Without a code version of its own, it has the run's id, as Dagster's have.
    """
    made = event.materialization
    if made.tags is None or not event.data_version:
        return made
    read = {
        f"{INPUT_VERSION_TAG}{part.name}": "INITIAL" if part.digest == "external" else part.digest
        for part in event.recipe
        if part.kind == "input"
    }
    said = {SAID_VERSION_TAG: "true"} if event.said else {}
    own = {CODE_VERSION_TAG: event.run_id, DATA_VERSION_TAG: event.data_version}
    tags = {**own, **said, **read, **made.tags}
    return AssetMaterialization.of_parts(made.asset_key, made.description, made.metadata, made.partition, tags)


def with_version(event: Observed) -> AssetObservation:
    """Return an observation with the tag that names its data version."""
    seen = event.observation
    if not event.data_version or DATA_VERSION_TAG in (seen.tags or {}):
        return seen
    return replace(seen, tags={DATA_VERSION_TAG: event.data_version, **(seen.tags or {})})
