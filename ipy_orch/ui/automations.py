"""Schedules, sensors, the daemon and conditions, as the widget shows them."""

from __future__ import annotations

from typing import Any, Final, cast

from ipy_orch.automation.page import AutomationRow, TickRow, automation_rows, tick_rows
from ipy_orch.model.keys import AssetKey
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import Session
from ipy_orch.ui.cards import plain
from ipy_orch.ui.entries import cut
from ipy_orch.ui.protocol import (
    Automation,
    AutomationsMessage,
    Condition,
    ConditionMessage,
    DaemonState,
    TickLine,
    TicksMessage,
    Toast,
)
from ipy_orch.ui.snapshot import cell_of

__all__ = ["automations_message", "condition_message", "ticks_message", "toast_of_tick"]

MOST_TICKS: Final = 200
LEVELS: Final = {"requested": "success", "failed": "error"}


def automations_message(session: Session) -> AutomationsMessage:
    """Return all schedules and sensors, and how the daemon stands."""
    scanned = session.scan()
    rows = [row_of(row, scanned) for row in automation_rows(session)]
    return AutomationsMessage(automations=rows, daemon=daemon_state(session.daemon("status")))


def row_of(row: AutomationRow, scanned: Scanned) -> Automation:
    """Return a schedule or sensor as it goes over the wire."""
    return Automation(
        name=row.name,
        kind=cast("Any", row.kind),
        on=row.on,
        when=row.when,
        target=row.target,
        next=[*row.next],
        last=row.last,
        status=row.status,
        message=row.message,
        runs=[*row.runs],
        cell=cell_of(scanned.all_automations[row.name].cell),
        description=row.description,
        problem=row.problem,
        zone=row.zone,
    )


def daemon_state(told: Any) -> DaemonState:
    """Return how the daemon stands as it goes over the wire."""
    return DaemonState(
        is_running=told.is_running,
        since=told.since if told.is_running else None,
        missed=told.missed,
        waiting=len(told.waiting),
        trouble=told.trouble,
    )


def ticks_message(session: Session, name: str) -> TicksMessage:
    """Return the newest ticks of a schedule or sensor.

    Raises:
        DagsterInvariantViolationError: when there's none of this name.
    """
    rows = tick_rows(session, name)
    return TicksMessage(name=name, ticks=[*map(tick_line, rows[:MOST_TICKS])], total=len(rows))


def tick_line(row: TickRow) -> TickLine:
    """Return a tick as it goes over the wire."""
    return TickLine(
        status=row.status,
        at=row.at,
        moment=row.moment,
        requested=row.requested,
        message=row.message,
        runs=[*row.runs],
        seconds=row.seconds,
        printed=cut(row.printed),
    )


def toast_of_tick(name: str, event: Any, request: int) -> Toast:
    """Say what came of a tick."""
    runs = f"{event.requested:,} run{'' if event.requested == 1 else 's'}"
    told = f"requested {runs}" if event.status == "requested" else event.status
    why = f": {plain(event.message)}" if event.message else ""
    level: Any = LEVELS.get(event.status, "info")
    return Toast(request=request, level=level, text=f"{name} {told}{why}")


def condition_message(session: Session, key: AssetKey) -> ConditionMessage:
    """Return the automation condition of an asset, as it stands now.

    Raises:
        DagsterInvariantViolationError: when it has none.
    """
    told = session.explain_condition(key).to_dict()
    return ConditionMessage(id=key.label, condition=condition_of(told))


def condition_of(told: dict[str, Any]) -> Condition:
    """Return a condition as it goes over the wire."""
    below = [condition_of(one) for one in told["below"]]
    return Condition(**{name: told[name] for name in Condition.model_fields if name != "below"}, below=below)
