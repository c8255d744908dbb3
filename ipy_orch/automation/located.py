"""In the kernel of a code location: answer what a schedule or sensor wants to run, by what home has told of itself."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from pathlib import Path

from ipy_orch.automation.asking import Told, told_by
from ipy_orch.automation.clock import Clock
from ipy_orch.automation.instance import TickInstance
from ipy_orch.errors import DagsterUserCodeExecutionError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.lines import decoded, encoded
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Runs
from ipy_orch.events.ticks import Ticking
from ipy_orch.events.types import Event, Ticked
from ipy_orch.model.automation.requests import RunRequest
from ipy_orch.model.env import redact
from ipy_orch.model.keys import labels
from ipy_orch.model.partitions.dynamic import AddDynamicPartitionsRequest
from ipy_orch.model.serdes import serialize_value
from ipy_orch.session.instance import SessionInstance
from ipy_orch.session.locations import serving
from ipy_orch.session.locations.telling import pairs
from ipy_orch.session.locations.wire import RequestTold, TickAsked, TickTold
from ipy_orch.session.session import Session

__all__ = ["Mirror", "answered"]


class Mirror(TickInstance):
    """Be the instance of home, as far as it was told here."""

    def __init__(self, clock: Clock) -> None:
        log, ledger, history = EventLog(), Ledger(), Runs()
        log.listen(ledger.apply)
        log.listen(history.apply)
        SessionInstance.__init__(self, log, ledger, history)
        self.clock = clock


MIRRORS: weakref.WeakKeyDictionary[Session, Mirror] = weakref.WeakKeyDictionary()


@serving.ticked.supply
def answered(session: Session, asked: TickAsked) -> TickTold:
    """Return what a schedule or sensor says; its error is in the answer.

    Raises:
        DagsterInvariantViolationError: when there's none of this name.
    """
    mirror = mirror_of(session, asked)
    scanned = session.scan()
    found = scanned.automations[asked.name]
    known = Ticking(cursor=asked.cursor, since=asked.since)
    if asked.last is not None:
        known.ticks.append(Ticked("", asked.last, "", asked.name))
    done: list[Event] = []
    stop = mirror.log.listen(done.append)
    try:
        told = told_by(session, scanned, found, known, mirror.clock, asked.moment, mirror)
    finally:
        stop()
    return as_data(told, done)


def mirror_of(session: Session, asked: TickAsked) -> Mirror:
    """Return the instance of home, with what has happened there since the last time."""
    if asked.anew or session not in MIRRORS:
        MIRRORS[session] = Mirror(Clock())
    mirror = MIRRORS[session]
    for line in Path(asked.events).read_bytes().splitlines():
        event = decoded(line)
        if event is not None:
            mirror.log.append(event)
    return mirror


def as_data(told: Told, done: list[Event]) -> TickTold:
    """Return an answer as data."""
    error = told.error
    if isinstance(error, DagsterUserCodeExecutionError) and error.__cause__ is not None:
        error = error.__cause__
    return TickTold(
        tuple(map(request_told, told.requests)),
        None if told.message is None else redact(told.message),
        told.cursor,
        tuple(map(serialize_value, told.events)),
        tuple(
            (isinstance(one, AddDynamicPartitionsRequest), one.partitions_def_name, tuple(one.partition_keys))
            for one in told.dynamic
        ),
        tuple(encoded(event).decode("utf-8") for event in done),
        told.zone,
        None if error is None else serving.raised(error),
    )


def request_told(one: RunRequest) -> RequestTold:
    """Return a request as data."""
    config: Mapping[str, object] = one.run_config
    return RequestTold(
        one.run_key,
        dict(config),
        one.tags,
        one.job_name,
        None if one.asset_selection is None else tuple(labels(one.asset_selection)),
        one.stale_assets_only,
        one.partition_key,
        None if one.asset_check_keys is None else pairs(one.asset_check_keys),
    )
