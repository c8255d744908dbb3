"""What a session does with schedules and sensors: its verbs, which magics, the widget and the shell call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.automation.automations import Tick, automations_of
from ipy_orch.automation.clock import moment_at
from ipy_orch.automation.daemon import Daemon, daemon_of
from ipy_orch.automation.page import as_mapping, automation_rows, tick_rows
from ipy_orch.automation.requesting import run, submit
from ipy_orch.automation.words import read_moment
from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.session import session as verbs
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.jobs.launched import JobReport

if TYPE_CHECKING:
    from ipy_orch.automation.asking import Answer
    from ipy_orch.session.session import Session

__all__ = ["DaemonStatus", "moment_of"]

DAEMON: Final = ("start", "stop", "status")


@verbs.automation_table.supply
def automations(session: Session) -> Any:
    """Return a DataFrame with a row per schedule and sensor."""
    return verbs.table("automations", map(as_mapping, automation_rows(session)))


@verbs.tick_table.supply
def ticks(session: Session, name: str | None) -> Any:
    """Return a DataFrame with a row per tick, newest first."""
    return verbs.table("ticks", map(as_mapping, tick_rows(session, name)))


@verbs.ask.supply
def ask(session: Session, name: str, at: str | None) -> Answer:
    """Return what a schedule or sensor would do."""
    return automations_of(session).ask(name, moment_of(session, name, at))


@verbs.tick.supply
def tick(session: Session, name: str, at: str | None) -> tuple[Tick, list[JobReport]]:
    """Let a schedule or sensor tick, run what it asks for, and return the tick and the reports."""
    made = automations_of(session).tick(name, moment_of(session, name, at))
    return made, [run(session, one) for one in made.runs]


@verbs.submit_tick.supply
def submit_tick(session: Session, name: str, at: str | None) -> tuple[Tick, list[Any]]:
    """Let a schedule or sensor tick, and have what it asks for begin when its turn comes."""
    made = automations_of(session).tick(name, moment_of(session, name, at))
    return made, [submit(session, one) for one in made.runs]


def moment_of(session: Session, name: str, at: str | None) -> float | None:
    """Return the moment that a person wrote, in the timezone of a schedule.

    Raises:
        DagsterInvariantViolationError: when it can't be read, or a sensor has no use for it.
    """
    if at is None:
        return None
    scanned, own = session.scan(), automations_of(session)
    found = own.named(name, scanned)
    if found.kind != "schedule":
        raise DagsterInvariantViolationError(f"`{name}` is a sensor, which has no moments", hint=f"%tick {name}")
    zone = own.schedule(found, scanned).crons[0].zone
    return read_moment(at, zone, moment_at(own.clock.now()))


@verbs.switch.supply
def switch(session: Session, name: str, on: bool) -> FoundAutomation:
    """Switch a schedule or sensor on or off."""
    found = automations_of(session).switch(name, on)
    daemon_of(session).notice()
    return found


@dataclass(frozen=True)
class DaemonStatus:
    """Tell how the daemon stands.

    Args:
        on: the schedules and sensors that are on.
        waiting: the runs that haven't begun.
        dropped: the runs that a stop has dropped.
        trouble: why nothing ticks.
    """

    is_running: bool
    since: float
    missed: str
    on: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    trouble: str = ""


@verbs.daemon.supply
def daemon(session: Session, what: str, missed: str) -> DaemonStatus:
    """Start or stop the daemon, or only tell how it stands."""
    if what not in DAEMON:
        hint = closest(what, DAEMON) or "start, stop or status"
        raise DagsterInvariantViolationError(f"the daemon doesn't know `{what}`", hint=hint)
    one = daemon_of(session)
    dropped = one.stop() if what == "stop" else []
    if what == "start":
        one.start(missed)
    return status_of(session, one, tuple(wanted.what for wanted in dropped))


def status_of(session: Session, one: Daemon, dropped: tuple[str, ...]) -> DaemonStatus:
    """Return how the daemon stands."""
    own = automations_of(session)
    on = tuple(name for name, found in sorted(session.scan().all_automations.items()) if own.is_on(found))
    waiting = tuple(wanted.what for wanted in one.waiting)
    return DaemonStatus(one.is_running, one.began, one.missed, on, waiting, dropped, one.trouble)
