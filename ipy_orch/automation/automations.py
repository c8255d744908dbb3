"""The schedules and sensors of a session: which are on, when their turn is, and letting one tick.

A tick asks (``asking``), notes the answer in the log, and only then has the runs begin (``requesting``): what was noted
is never asked for again, also when the kernel is killed in between.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.automation import requesting
from ipy_orch.automation.asking import Answer, ask, said_of, words_of
from ipy_orch.automation.clock import Clock, moment_at
from ipy_orch.automation.instance import TickInstance
from ipy_orch.automation.requesting import Wanted
from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.events.ticks import Ticks
from ipy_orch.events.types import Switched, Ticked
from ipy_orch.model.automation.condition_sensors import AutomationConditionSensorDefinition
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.jobs.jobs import only_elsewhere
from ipy_orch.session.scan import Scanned
from ipy_orch.session.submitting import Submitted

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["MISSED", "Automations", "Tick", "automations_of", "interval_of"]

MISSED: Final = ("last", "all", "skip")  #: what is done about moments that passed while nobody looked
GRACE: Final = 60.0  #: seconds; so late a tick isn't missed
MOST_MISSED: Final = 1_000


@dataclass(frozen=True)
class Tick:
    """Be a tick that has happened: what was said, what was noted, and the runs that it wants."""

    answer: Answer
    event: Ticked
    runs: Sequence[Wanted] = ()


class Automations:
    """Let the schedules and sensors of a session tick."""

    def __init__(self, session: Session, clock: Clock | None = None) -> None:
        self.session_ref = weakref.ref(session)
        self.clock = clock or Clock()
        self.fold, self.folder = Ticks(session.log), session.persistence.folder
        self.looked: dict[str, float] = {}  #: when each sensor was asked last, also where nothing was noted
        fold = weakref.WeakMethod(self.hear)
        session.log.listen(lambda event: hear(event) if (hear := fold()) is not None else None)

    def hear(self, event: Any) -> None:
        """Take an event in."""
        self.fold.apply(event)

    @property
    def session(self) -> Session:
        """Return the session.

        Raises:
            ReferenceError: when it is gone.
        """
        found = self.session_ref()
        if found is None:
            raise ReferenceError("the session is gone")
        return found

    @property
    def ticks(self) -> Ticks:
        """Return what has ticked so far, also before a store was opened."""
        folder = self.session.persistence.folder
        if folder != self.folder:
            self.folder, self.fold = folder, Ticks(self.session.log)
        return self.fold

    # -- which there are ----------------------------------------------------------------------------------------------

    def named(self, name: str, scanned: Scanned | None = None) -> FoundAutomation:
        """Return a schedule or sensor by its name, or that of its variable.

        Raises:
            DagsterInvariantViolationError: when there's none, with the closest.
        """
        found = (scanned or self.session.scan()).all_automations
        if name in found:
            return found[name]
        held = next((one for one in found.values() if one.variable == name), None)
        if held is not None:
            return held
        if (there := only_elsewhere(name, found.values())) is not None:
            return found[there]
        hint = closest(name, found) or ("`%automations` lists them" if found else "%%schedule or %%sensor make one")
        raise DagsterInvariantViolationError(f"there is no schedule or sensor `{name}`", hint=hint)

    def is_on(self, found: FoundAutomation) -> bool:
        """Tell whether a schedule or sensor ticks while the daemon runs: as it was switched, else as it says itself."""
        switched = self.ticks.of(found.name).on
        return bool(found.definition.default_status.value == "RUNNING") if switched is None else switched

    def switch(self, name: str, on: bool) -> FoundAutomation:
        """Switch a schedule or sensor on or off; nothing ticks by that, only the daemon lets tick what is on.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        found = self.named(name)
        if self.is_on(found) is not on or self.ticks.of(found.name).on is None:
            self.session.log.append(Switched("", self.clock.now(), "", found.name, on))
        return found

    def schedule(self, found: FoundAutomation, scanned: Scanned) -> ScheduleDefinition:
        """Return a schedule with its moments; those of partitioned assets follow from these.

        Raises:
            DagsterError: when they can't be found out.
        """
        one = found.definition
        return one if isinstance(one, ScheduleDefinition) else scanned.as_definitions().resolve_schedule_def(found.name)

    # -- when ---------------------------------------------------------------------------------------------------------

    def moments(self, found: FoundAutomation, scanned: Scanned, after: float) -> Iterator[float]:
        """Yield the moments of a schedule after one, in order."""
        several = [one.after(moment_at(after)) for one in self.schedule(found, scanned).crons]
        fronts = {number: next(each).timestamp() for number, each in enumerate(several)}
        last = after
        while True:
            number = min(fronts, key=fronts.__getitem__)
            moment = fronts[number]
            fronts[number] = next(several[number]).timestamp()
            if moment > last:
                last = moment
                yield moment

    def moment_before(self, found: FoundAutomation, scanned: Scanned, at: float) -> float:
        """Return the last moment of a schedule until one, that itself included."""
        crons = self.schedule(found, scanned).crons
        return max(next(one.before(moment_at(at + 1e-6))).timestamp() for one in crons)

    def since(self, found: FoundAutomation, began: float) -> float:
        """Return the moment from which a schedule's moments count: its last tick, or when it was switched on."""
        known = self.ticks.of(found.name)
        switched = known.since if known.since is not None and known.on else None
        if known.moment is None:
            return switched if switched is not None else began
        return max(known.moment, switched or 0.0)

    def due(self, found: FoundAutomation, scanned: Scanned, began: float) -> list[float]:
        """Return the moments of a schedule whose turn has come, in order.

        Args:
            began: when the daemon was started; what nobody has switched on counts from there.
        """
        now, found_moments = self.clock.now(), list[float]()
        for moment in self.moments(found, scanned, self.since(found, began)):
            if moment > now or len(found_moments) >= MOST_MISSED:
                break
            found_moments.append(moment)
        return found_moments

    def next_look(self, found: FoundAutomation, scanned: Scanned, began: float) -> float:
        """Return when the turn of a schedule or sensor comes next."""
        if found.kind == "schedule":
            return next(self.moments(found, scanned, max(self.since(found, began), self.clock.now())))
        last = self.looked.get(found.name)
        return self.clock.now() if last is None else last + interval_of(found.definition)

    # -- ticks --------------------------------------------------------------------------------------------------------

    def ask(self, name: str, at: float | None = None) -> Answer:
        """Return what a schedule or sensor would do. Nothing is noted, and nothing is run.

        Args:
            at: the moment for which a schedule is asked; by default its last one.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        scanned = self.session.scan()
        found = self.named(name, scanned)
        if at is None and found.kind == "schedule":
            at = self.moment_before(found, scanned, self.clock.now())
        return ask(self.session, scanned, found, self.ticks.of(found.name), self.clock, at)

    def tick(self, name: str, at: float | None = None, note: str = "") -> Tick:
        """Let a schedule or sensor tick: ask, and note the answer; who calls this has the runs begin.

        Args:
            at: as :meth:`ask`.
            note: is added to the message.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        answer, at_now = self.ask(name, at), self.clock.now()
        self.looked[answer.name] = at_now
        event = noted(answer, at_now, note)
        if not self.is_repeated(event):
            self.session.log.append(event)
        else:
            self.ticks.of(answer.name).cursor = event.cursor
        if answer.error is None:
            requesting.report(answer, TickInstance(self.session, self.clock))
        return Tick(answer, event, requesting.wanted(answer, event.tick))

    def note_end(self, wanted: Wanted, done: Submitted) -> None:
        """Note that a run couldn't begin; how one ended that began is in the log already."""
        error = done.future.exception()
        if isinstance(error, Exception):
            self.note_refused(wanted, error)

    def note_refused(self, wanted: Wanted, error: Exception) -> None:
        """Note that a run couldn't begin, and why."""
        session = self.session_ref()
        if session is not None:
            told = f"{wanted.what} didn't begin: {words_of(error)}"
            known = self.ticks.of(wanted.name)
            session.log.append(Ticked("", self.clock.now(), "", wanted.name, "failed", None, told, known.cursor))

    def is_repeated(self, event: Ticked) -> bool:
        """Tell whether a sensor skipped or failed for the same reason as the last time: that isn't noted again."""
        last = self.ticks.of(event.name).last
        if last is None or event.moment is not None or event.requested or event.printed:
            return False
        if event.name in self.conditions:  # their cursor counts what has happened: what was noted last is as good
            return (last.status, last.message) == (event.status, event.message)
        return (last.status, last.message, last.cursor) == (event.status, event.message, event.cursor)

    @property
    def conditions(self) -> set[str]:
        """Return the sensors that evaluate automation conditions."""
        found = self.session.scan().all_automations.values()
        return {one.name for one in found if isinstance(one.definition, AutomationConditionSensorDefinition)}

    def miss(self, name: str, moments: Sequence[float]) -> None:
        """Note that moments of a schedule passed, and that nothing is done about them."""
        many = f"{len(moments)} moments" if len(moments) > 1 else "a moment"
        told = f"{many} passed while nobody looked"
        self.session.log.append(Ticked("", self.clock.now(), "", name, "missed", moments[-1], told))


def noted(answer: Answer, at: float, note: str) -> Ticked:
    """Return an answer as an event."""
    keys = tuple(one.run_key for one in answer.requests if one.run_key is not None)
    again = f"{said_of(answer.again)} ran already" if answer.again and answer.requests else ""
    message = " · ".join(part for part in (answer.message, again, note) if part)
    return Ticked(
        "",
        at,
        "",
        answer.name,
        answer.status,
        answer.moment,
        message,
        answer.cursor,
        keys if answer.kind == "sensor" else (),
        len(answer.requests),
        answer.seconds,
        answer.printed,
    )


def interval_of(sensor: SensorDefinition) -> float:
    """Return how many seconds lie between two looks of a sensor."""
    return float(max(sensor.minimum_interval_seconds, 1))


OF_SESSIONS: weakref.WeakKeyDictionary[Session, Automations] = weakref.WeakKeyDictionary()


def automations_of(session: Session, clock: Clock | None = None) -> Automations:
    """Return the schedules and sensors of a session, always the same object.

    Args:
        clock: another one than the machine's, for tests; it counts where this is called for the first time.
    """
    found = OF_SESSIONS.get(session)
    if found is None:
        found = OF_SESSIONS[session] = Automations(session, clock)
    return found
