"""Ask a schedule or sensor of a notebook what is to be run, with the notebook's resources, jobs and log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipy_orch.automation.clock import Clock, moment_at
from ipy_orch.automation.contexts import ScheduleEvaluationContext, SensorEvaluationContext
from ipy_orch.automation.elsewhere import ask_there, dynamic_of, requests_of
from ipy_orch.automation.instance import TickInstance
from ipy_orch.automation.words import target_words
from ipy_orch.errors import DagsterError, DagsterUserCodeExecutionError
from ipy_orch.events.ticks import Ticking
from ipy_orch.execution.capture import Sink, capture, installed
from ipy_orch.execution.console import text_of
from ipy_orch.execution.contexts.logs import no_log
from ipy_orch.execution.failures import describe
from ipy_orch.model.asset_jobs import IMPLICIT_JOB
from ipy_orch.model.automation.condition_sensors import AutomationConditionSensorDefinition
from ipy_orch.model.automation.requests import DynamicRequest, RunRequest
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.automation.targets import is_anonymous
from ipy_orch.model.env import redact
from ipy_orch.model.requirements import needed
from ipy_orch.model.serdes import deserialize_value
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.locations.remote import error_of
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Answer", "ask", "said_of", "what_runs", "words_of"]


@dataclass(frozen=True)
class Answer:
    """Be what a schedule or sensor said. Nothing has been run.

    Args:
        requests: what is to run, without those whose run key had its run already.
        again: the run keys of those.
        message: why it skips, or the error.
        error: what it raised.
        moment: for which a schedule was asked.
        job: that is run where a request names none.
        target: what it runs, in words.
        zone: where a schedule's clock hangs.
    """

    name: str
    kind: str
    requests: Sequence[RunRequest] = ()
    again: Sequence[str] = ()
    message: str = ""
    error: BaseException | None = None
    cursor: str | None = None
    moment: float | None = None
    job: str = ""
    target: str = ""
    zone: str = ""
    dynamic: Sequence[DynamicRequest] = ()
    events: Sequence[Any] = ()
    printed: str = ""
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """Return it in one word: ``requested``, ``skipped`` or ``failed``."""
        return "failed" if self.error is not None else "requested" if self.requests else "skipped"

    def job_of(self, request: RunRequest) -> str:
        """Return the name of the job that a request is for."""
        return request.job_name or self.job


@dataclass
class Told:
    """Collect what is known of an answer before it is there."""

    requests: Sequence[RunRequest] = ()
    message: str | None = None
    cursor: str | None = None
    dynamic: Sequence[DynamicRequest] = ()
    events: Sequence[Any] = ()
    error: BaseException | None = None
    zone: str = ""

    def failed(self, errors: Sequence[BaseException]) -> None:
        """Take the first of some exceptions in."""
        if errors:
            self.error, self.message = errors[0], words_of(errors[0])


def ask(
    session: Session, scanned: Scanned, found: FoundAutomation, known: Ticking, clock: Clock, at: float | None = None
) -> Answer:
    """Return what a schedule or sensor says at a moment, whatever it raises. Nothing is run.

    Args:
        known: how it went with it so far.
        at: for which a schedule is asked; by default now.
    """
    began = clock.now()
    moment = (began if at is None else at) if found.kind == "schedule" else None
    sink = Sink(tell=no_log)  # what is logged is in what was printed
    with installed(), capture(sink):
        told = told_by(session, scanned, found, known, clock, moment)
    requests, again = without_runs(told.requests, known if found.kind == "sensor" else Ticking())
    if again and not requests and not told.message:
        told.message = f"{said_of(again)} ran already"
    targets = found.definition.targets
    return Answer(
        found.name,
        found.kind,
        requests,
        again,
        redact(told.message or ""),
        told.error,
        told.cursor,
        moment,
        targets[0].job_name if targets else "",
        target_words(found.definition),
        told.zone,
        told.dynamic,
        told.events,
        redact("".join(map(text_of, sink.chunks()))),
        clock.now() - began,
    )


def told_by(
    session: Session,
    scanned: Scanned,
    found: FoundAutomation,
    known: Ticking,
    clock: Clock,
    moment: float | None,
    instance: TickInstance | None = None,
) -> Told:
    """Return what a schedule or sensor says; an exception is a part of it.

    Args:
        instance: another one than the session's.
    """
    told = Told(cursor=known.cursor)
    try:
        if found.location and not isinstance(found.definition, AutomationConditionSensorDefinition):
            told_there(told, session, found, known, moment)
            return told
        definitions = scanned.as_definitions()
        name, kind = found.name, found.kind
        one: Any = found.definition  # nobody's variable: the sensor that is there by itself
        if found.variable:
            by_kind = definitions.resolve_schedule_def if kind == "schedule" else definitions.resolve_sensor_def
            one = by_kind(name)
        keys = needed(scanned.resources, one.required_resource_keys, f"{kind} `{name}`")
        given: dict[str, Any] = {
            "instance": instance or TickInstance(session, clock),
            "repository_def": definitions.get_repository_def(),
            "resources": {key: scanned.resources[key] for key in keys if key in scanned.resources},
        }
        if isinstance(one, ScheduleDefinition):
            cron = one.crons[0]
            told.zone, at = cron.timezone, moment_at(moment or 0.0).astimezone(cron.zone)
            with ScheduleEvaluationContext(scheduled_execution_time=at, schedule_name=name, **given) as context:
                asked = one.evaluate_tick(context)
            told.requests, told.message = asked.run_requests, asked.skip_message
            return told
        last = known.last
        given |= {"last_tick_completion_time": last.at if last else None, "last_sensor_start_time": known.since}
        with SensorEvaluationContext(cursor=known.cursor, sensor_name=name, **given) as looking:
            data = one.evaluate_tick(looking)
        told.requests, told.message, told.cursor = data.run_requests, data.skip_message, data.cursor
        told.dynamic, told.events = data.dynamic_partitions_requests, data.asset_events
        told.failed([one.error for one in data.dagster_run_reactions if one.error is not None])
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises
        told.failed([error])
    return told


def told_there(told: Told, session: Session, found: FoundAutomation, known: Ticking, moment: float | None) -> None:
    """Take in what a schedule or sensor of a code location says.

    Raises:
        DagsterUserCodeUnreachableError: when the location isn't there.
    """
    said = ask_there(session, found, known, moment)
    told.requests, told.dynamic = requests_of(said, found.location), dynamic_of(said)
    told.message, told.cursor, told.zone = said.message, said.cursor, said.zone
    told.events = [deserialize_value(one) for one in said.reports]
    told.failed([] if said.error is None else [error_of(said.error, found.location)])


def words_of(error: BaseException) -> str:
    """Return an error in a few lines: ours as they are, that of the user's code with its line."""
    cause = error.__cause__ if isinstance(error, DagsterUserCodeExecutionError) else None
    if isinstance(error, DagsterError) and cause is None:
        return str(error)
    told = describe(cause or error)
    return told.line


def without_runs(requests: Sequence[RunRequest], known: Ticking) -> tuple[list[RunRequest], list[str]]:
    """Return the requests whose run key is new, and the keys of the others."""
    new: list[RunRequest] = []
    seen, again = set(known.run_keys), []
    for one in requests:
        if one.run_key is None or one.run_key not in seen:
            new.append(one)
            seen.update([one.run_key] if one.run_key is not None else [])
        else:
            again.append(one.run_key)
    return new, again


def said_of(names: Sequence[str], most: int = 3) -> str:
    """Return names as words, the first few of many.

    >>> said_of(["a", "b", "c", "d", "e"])
    '`a`, `b`, `c` and 2 more'
    """
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def what_runs(answer: Answer, request: RunRequest) -> str:
    """Return what a request is for, in the words of the table of runs."""
    job = answer.job_of(request)
    return f"{answer.kind} {answer.name}" if is_anonymous(job) or job == IMPLICIT_JOB else f"job {job}"
