"""What people see of schedules and sensors: a row for each, and the history of ticks. A fold over the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.automation.automations import Automations, automations_of, interval_of
from ipy_orch.automation.daemon import daemon_of
from ipy_orch.automation.requesting import TICK
from ipy_orch.automation.words import every_words, moment_words, target_words, when_words
from ipy_orch.errors import DagsterError
from ipy_orch.events.types import Ticked
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["AutomationRow", "TickRow", "automation_rows", "tick_rows"]

SHOWN: Final = 3  #: of the next moments


@dataclass(frozen=True)
class AutomationRow:
    """Be what people see of a schedule or sensor.

    Args:
        on: whether it ticks while the daemon runs.
        when: its moments or interval, in words.
        target: the jobs or assets that it runs.
        next: when its turn comes, in seconds since the epoch; nothing while it can't tick.
        last: when it ticked last.
        status: what came of that: ``requested``, ``skipped``, ``failed``, ``missed``, or "".
        runs: how the runs of that tick stand.
        problem: why it can't tick.
        zone: where a schedule's clock hangs.
    """

    name: str
    kind: str
    on: bool
    when: str
    target: str
    next: Sequence[float] = ()
    last: float | None = None
    status: str = ""
    message: str = ""
    runs: Sequence[str] = ()
    cell: str = ""
    description: str = ""
    problem: str = ""
    zone: str = ""


@dataclass(frozen=True)
class TickRow:
    """Be what people see of a tick.

    Args:
        moment: for which a schedule ticked.
        runs: how its runs stand.
        zone: where the schedule's clock hangs.
    """

    name: str
    status: str
    at: float
    moment: float | None
    requested: int
    message: str
    runs: Sequence[str]
    seconds: float
    printed: str
    zone: str = ""


def automation_rows(session: Session) -> list[AutomationRow]:
    """Return a row for each schedule and sensor, by name. Reads only: nothing is asked.

    Raises:
        DagsterInvalidDefinitionError: when two have one name, with the cells.
    """
    scanned, automations = session.scan(), automations_of(session)
    found = scanned.all_automations
    return [row_of(found[name], scanned, automations) for name in sorted(found)]


def row_of(found: FoundAutomation, scanned: Scanned, automations: Automations) -> AutomationRow:
    """Return the row of a schedule or sensor."""
    last = automations.ticks.of(found.name).last
    problem, when, coming = "", "", list[float]()
    try:
        when = words_of(found, scanned, automations)
        coming = next_moments(found, scanned, automations)
    except DagsterError as error:
        problem = str(error)
    return AutomationRow(
        found.name,
        found.kind,
        automations.is_on(found),
        when,
        target_words(found.definition),
        coming,
        last.at if last is not None else None,
        last.status if last is not None else "",
        last.message if last is not None else "",
        runs_of(automations, last) if last is not None else (),
        found.cell.label if found.cell is not None else "",
        found.definition.description or "",
        problem,
        zone_of(found),
    )


def zone_of(found: FoundAutomation | None) -> str:
    """Return where a schedule's clock hangs, "" for a sensor and for what is gone."""
    if found is None or found.kind != "schedule":
        return ""
    return getattr(found.definition, "execution_timezone", None) or "UTC"


def words_of(found: FoundAutomation, scanned: Scanned, automations: Automations) -> str:
    """Return when a schedule or sensor ticks, in words."""
    if found.kind == "sensor":
        return every_words(interval_of(found.definition))
    schedule = automations.schedule(found, scanned)
    return when_words([cron.expression for cron in schedule.crons], schedule.execution_timezone)


def next_moments(found: FoundAutomation, scanned: Scanned, automations: Automations) -> list[float]:
    """Return when its turn comes next; nothing for what is off, and for a sensor that no daemon asks."""
    if not automations.is_on(found):
        return []
    if found.kind == "schedule":
        return [*islice(automations.moments(found, scanned, automations.clock.now()), SHOWN)]
    daemon = daemon_of(automations.session)
    return [automations.next_look(found, scanned, daemon.began)] if daemon.is_running else []


def runs_of(automations: Automations, tick: Ticked) -> list[str]:
    """Return how the runs of a tick stand."""
    runs = automations.session.history.runs.values()
    return [run.status for run in runs if run.tags.get(TICK) == tick.tick]


def tick_rows(session: Session, name: str | None = None) -> list[TickRow]:
    """Return a row for each tick, newest first.

    Args:
        name: of one schedule or sensor; of all by default.

    Raises:
        DagsterInvariantViolationError: when there's none of this name, with the closest.
    """
    automations = automations_of(session)
    ticks, known = automations.ticks, session.scan().automations
    chosen = name if name is None or name in ticks.by_name else automations.named(name).name
    return [
        TickRow(
            tick.name,
            tick.status,
            tick.at,
            tick.moment,
            tick.requested,
            tick.message,
            runs_of(automations, tick),
            tick.seconds,
            tick.printed,
            zone_of(known.get(tick.name)),
        )
        for tick in ticks.all
        if chosen in (None, tick.name)
    ]


def as_mapping(row: Any) -> dict[str, Any]:
    """Return a row as a table wants it."""
    made = asdict(row)
    made["runs"] = ", ".join(row.runs)
    if "next" in made:
        made["next"] = moment_words(row.next[0], row.zone) if row.next else ""
        made["on"] = "on" if row.on else "off"
    if made.get("moment") is not None:
        made["moment"] = moment_words(made["moment"], row.zone)
    return made
