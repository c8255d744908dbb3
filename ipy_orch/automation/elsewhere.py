"""Ask a schedule or sensor of a code location: it is told what has happened here, and answers with requests.

Its process keeps what it was told, so that each tick sends only what is new. Of runs it is told those of its own jobs
and assets, as if they had run there; of assets, of dynamic partitions and of checks it is told everything.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ipy_orch.events.lines import decoded, encoded
from ipy_orch.events.ticks import Ticking
from ipy_orch.events.types import (
    Checked,
    Event,
    HookRan,
    InputLoaded,
    Logged,
    Materialized,
    Observed,
    OutputStored,
    PartitionsChanged,
    RunStarted,
    StepFailed,
    Switched,
    Ticked,
)
from ipy_orch.model.automation.requests import DynamicRequest, RunRequest
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.dynamic import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.locations.brought import name_at_home
from ipy_orch.session.locations.location import CodeLocation
from ipy_orch.session.locations.process import Process
from ipy_orch.session.locations.wire import Printed, RequestTold, TickAsked, TickTold

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["ask_there", "dynamic_of", "requests_of"]

ABOUT_ASSETS: Final = (Materialized, Observed, Checked, PartitionsChanged)
LEFT_OUT: Final = (Logged, InputLoaded, OutputStored, HookRan, Ticked, Switched)
JOB: Final = "job "  #: begins what a run of a job is called


class Feed:
    """Know what the process of a location was told already."""

    def __init__(self) -> None:
        self.last: Event | None = None
        self.folder: object = None
        self.runs: set[str] = set()
        self.own: list[Event] = []  #: what it told us, and so knows
        self.lock = threading.Lock()  #: people ask, and the daemon does

    def new(self, session: Session) -> tuple[bool, list[Event]]:
        """Return whether to begin anew, and the events that it wasn't told."""
        events, found = [*session.log], list[Event]()
        for event in reversed(events):
            if event is self.last:
                break
            found.append(event)
        anew = self.last is None or len(found) == len(events) or session.persistence.folder != self.folder
        if anew:
            self.runs.clear()
        self.last, self.folder = events[-1] if events else None, session.persistence.folder
        own = {id(one) for one in self.own}
        self.own.clear()
        return anew, events if anew else [one for one in reversed(found) if id(one) not in own]


FEEDS: weakref.WeakKeyDictionary[Process, Feed] = weakref.WeakKeyDictionary()


def ask_there(session: Session, found: FoundAutomation, known: Ticking, moment: float | None) -> TickTold:
    """Return what a schedule or sensor of a code location says; its error is in the answer.

    Raises:
        DagsterUserCodeUnreachableError: when the location isn't there.
    """
    location = session.code_locations.find(found.location)
    name = found.name.removeprefix(f"{location.name}/")
    process = location.process
    feed = FEEDS.setdefault(process, Feed()) if process is not None else Feed()
    with feed.lock:
        anew, events = feed.new(session)
        last = known.last
        asked = TickAsked(
            name, found.kind, moment, known.cursor, last.at if last is not None else None, known.since, "", anew
        )
        try:
            told = location.tick(asked, map(encoded, told_there(events, location, feed.runs)), repeat)
        except BaseException:  # interrupted, perhaps before it had read them
            feed.last = None
            raise
        for line in told.events:  # what it did to the instance
            event = decoded(line.encode("utf-8"))
            if event is not None:
                feed.own.append(event)
                session.log.append(event)
    return told


def told_there(events: Iterable[Event], location: CodeLocation, runs: set[str]) -> Iterator[Event]:
    """Yield of some events what a location is told, by the names that its jobs have there.

    Args:
        runs: those that it was told of; new ones are added.
    """
    own = {key.label for one in location.definitions for key in one.keys}
    begin = f"{JOB}{location.name}/"
    for event in events:
        if isinstance(event, RunStarted):
            is_job = event.what.startswith(begin)
            if is_job or any(key in own for keys in event.keys.values() for key in keys):
                runs.add(event.run_id)
                yield replace(event, what=f"{JOB}{event.what.removeprefix(begin)}") if is_job else event
        elif isinstance(event, Materialized | Checked):
            yield replace(event, output=(), recipe=())
        elif isinstance(event, ABOUT_ASSETS) or (event.run_id in runs and not isinstance(event, LEFT_OUT)):
            yield replace(event, output=()) if isinstance(event, StepFailed) else event


def repeat(told: Printed) -> None:
    """Print here what was printed there."""
    (sys.stderr if told.stream == "stderr" else sys.stdout).write(told.text)


# -- what it said ------------------------------------------------------------------------------------------------------


def requests_of(told: TickTold, location: str) -> list[RunRequest]:
    """Return the runs that it asks for, of jobs as they are called here."""
    return [request_of(one, location) for one in told.requests]


def request_of(told: RequestTold, location: str) -> RunRequest:
    """Return one of them."""
    checks = told.checks
    return RunRequest(
        told.run_key,
        told.config,
        told.tags,
        None if told.job is None else name_at_home(told.job, location),
        None if told.assets is None else [AssetKey.from_user_string(one) for one in told.assets],
        told.stale_only,
        told.partition,
        None if checks is None else [AssetCheckKey(AssetKey.from_user_string(key), name) for key, name in checks],
    )


def dynamic_of(told: TickTold) -> list[DynamicRequest]:
    """Return the dynamic partitions that it adds or takes away."""
    return [
        (AddDynamicPartitionsRequest if adds else DeleteDynamicPartitionsRequest)(name, [*keys])
        for adds, name, keys in told.dynamic
    ]
