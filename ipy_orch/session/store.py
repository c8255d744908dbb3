"""What outlives the kernel: the log of a session and the values of its assets, in a folder.

    .ipy_orch/v1/events/    the log, see events/journal.py
    .ipy_orch/v1/values/    the values, see execution/iomanagers/disk.py; tables as Parquet, see storage/tables.py

A folder of another format is left alone: the session begins anew beside it. Names and log hold no secret; values are
what the assets returned. Where the folder can't be used, the session goes on in memory, and says so.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from ipy_orch.events.compaction import facts_of
from ipy_orch.events.files import doubt
from ipy_orch.events.journal import Journal
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Runs
from ipy_orch.events.types import Event, Materialized, RunFinished, Switched, Ticked
from ipy_orch.execution.iomanagers import (
    DiskStore,
    InMemoryIOManager,
    PickleForm,
    SessionIOManager,
    mem_io_manager,
)
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.plan import Plan
from ipy_orch.session.partitions.holding import read_by
from ipy_orch.storage.tables import TableForm

__all__ = ["FORMAT", "Persistence"]

FORMAT: Final = 1  #: of log and values; raise it when an older session's can't be read, and all is computed again
DAY: Final = 86_400
MOST_LOADED: Final = 500  #: values that are loaded before a run, to see whether their files are of use


class Persistence:
    """Keep the log and the values of a session in a folder, if there is one.

    Args:
        values: the session's store, which gets a disk behind it.
    """

    def __init__(self, log: EventLog, ledger: Ledger, history: Runs, values: SessionIOManager) -> None:
        self.log, self.ledger, self.history, self.values = log, ledger, history, values
        self.folder: Path | None = None
        self.journal: Journal | None = None
        self.earlier: frozenset[str] = frozenset()  #: the runs of kernels before
        self.notes: list[str] = []
        self.stop: Callable[[], None] = lambda: None
        self.on_given_up: Callable[[], None] = lambda: None  #: is called where the disk takes nothing any more
        values.current = ledger.data_version

    # -- on and off ---------------------------------------------------------------------------------------------------

    def use(self, folder: str | Path) -> str:
        """Keep everything in a folder from now on, and take in what is there; "" keeps nothing any more.

        Returns:
            Why the folder can't be used, "" when it can.
        """
        path = Path(folder).expanduser().absolute() if str(folder) else None
        if path == self.folder:
            return ""
        self.close()
        if path is None:
            return ""
        why = prepared(path)
        if not why:
            try:
                self.open(path)
            except OSError as error:
                why = said(error)
        if why:
            self.close()
            return f"nothing is kept in {folder}: {why}. The session goes on in memory"
        return ""

    def open(self, path: Path) -> None:
        """Read the log, put a disk behind the values, and write what this session has already."""
        place = path / f"v{FORMAT}"
        self.journal = Journal(place / "events")
        earlier = self.unknown(self.journal.open())
        own = [*facts_of(self.ledger), *(event for event in self.log if isinstance(event, Ticked | Switched))]
        self.earlier |= {event.run_id for event in earlier}
        self.take_in(earlier)
        self.end_runs()
        disk = self.values.disk = DiskStore(place / "values", (TableForm(), PickleForm()))
        for fact in self.ledger.materialized.values():
            disk.settle(fact.key, fact.partition, fact.data_version)
        self.folder = path
        for event in own:
            self.journal.append(event)
        for entry in self.values.entries():
            self.values.save(entry)
        self.sweep(place, disk)
        self.stop = self.log.listen(self.hear)

    def close(self) -> None:
        """Keep nothing any more; what is in the folder stays there."""
        self.stop()
        self.stop = lambda: None
        if self.journal is not None:
            self.journal.close()
        self.journal = self.folder = self.values.disk = None

    def unknown(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events that this session hasn't; those are there which it wrote before it gave the store up."""
        known = {mark(event) for event in (*self.log, *facts_of(self.ledger))}
        return [event for event in events if mark(event) not in known] if known else events

    def take_in(self, earlier: Sequence[Event]) -> None:
        """Have log, ledger and history begin with what happened before."""
        facts = {id(event): event for event in (*self.log, *facts_of(self.ledger))}
        self.log.begin_with(earlier)
        if not facts:
            for event in earlier:
                self.ledger.apply(event)
                self.history.apply(event)
            return
        events = sorted([*earlier, *facts.values()], key=lambda event: event.at)
        self.ledger.begin_with(events)
        self.history.begin_with(events)

    def end_runs(self) -> None:
        """Have runs that this kernel doesn't run count as ended: their kernel was killed, or is another one."""
        for run in self.history.runs.values():
            if run.status == "running" and run.run_id in self.earlier:
                told = "it was running in another kernel"
                self.history.apply(RunFinished(run.run_id, run.started, "", "canceled", 0.0, told))

    def sweep(self, place: Path, disk: DiskStore) -> None:
        """Remove what nobody needs any more, once a day."""
        stamp = place / ".swept"
        with contextlib.suppress(OSError):
            if not stamp.exists() or time.time() - stamp.stat().st_mtime > DAY:
                stamp.touch()
                facts = self.ledger.materialized.values()
                disk.sweep((fact.key, fact.partition, fact.data_version) for fact in facts)

    # -- from then on -------------------------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Write an event; where the disk doesn't take it, say so and go on without."""
        if self.journal is None:
            return
        try:
            self.journal.append(event)
        except OSError as error:
            again = f"`%config Orch.store = {str(self.folder)!r}` takes it up again, with all that this session has"
            self.notes.append(f"nothing is kept in {self.folder} any more: {said(error)} ({again})")
            self.close()
            self.on_given_up()
            return
        if isinstance(event, Materialized) and self.values.disk is not None:
            self.values.disk.settle(event.key, event.partition, event.data_version)

    # -- what was kept ------------------------------------------------------------------------------------------------

    def has_lost(self, planned: Plan, shown: Iterable[AssetKey]) -> bool:
        """Load what a plan's steps read, and what will be shown; tell whether a file turned out to be of no use.

        Then it is known, and the next plan makes its value again.
        """
        disk, made = self.values.disk, set(planned.keys)
        if disk is None:
            return False
        read = {place for step in planned.steps for place in read_by(step)}
        places = {*read, *((key, planned.request.partition) for key in shown)}
        facts = [fact for place in places if place[0] not in made and (fact := self.ledger.materialized.get(place))]
        if len(facts) > MOST_LOADED:  # partitions: they are loaded when they are read
            return False
        return any(
            disk.has(fact.key, fact.partition, fact.data_version)
            and not self.values.ready(fact.key, fact.partition, fact.data_version)
            for fact in facts
        )

    def is_lost(self, key: AssetKey, partition: str | None) -> bool:
        """Tell whether neither memory nor disk has the value of an asset that was made; one on disk is loaded."""
        made = self.ledger.materialized.get((key, partition))
        return self.folder is not None and made is not None and not self.values.ready(key, partition, made.data_version)

    def is_gone(self, manager: Any, key: AssetKey, partition: str | None) -> bool:
        """Tell whether a manager of the user's kept a value in the memory of a kernel that is no more."""
        made = self.ledger.materialized.get((key, partition))
        before = made is not None and made.run_id in self.earlier
        return before and (isinstance(manager, InMemoryIOManager) or manager is mem_io_manager)

    def take_notes(self) -> list[str]:
        """Return what a person should know about values on disk, each once."""
        only, disk = self.values.memory_only, self.values.disk
        damaged = disk.damaged if disk is not None else {}
        notes = [
            *self.notes,
            *(
                f"`{name}` is kept in memory only, and computed again after a restart: {why}"
                for name, why in only.items()
            ),
            *(f"the stored value of `{name}` isn't used: {why}" for name, why in damaged.items()),
        ]
        self.notes.clear()
        only.clear()
        damaged.clear()
        return notes


def prepared(path: Path) -> str:
    """Make a folder for a store, if need be, that only this user can write to; return why it can't be used."""
    try:
        for folder in (path, path / f"v{FORMAT}"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            why = doubt(folder.stat())
            if why:
                return f"{why}, and loading values runs code"
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="ascii")
    except OSError as error:
        return said(error)
    return ""


def mark(event: Event) -> tuple[object, ...]:
    """Return what tells an event from all others."""
    return type(event), event.run_id, event.at, event.step


def said(error: OSError) -> str:
    """Return what the file system says, as part of a sentence."""
    return (error.strerror or str(error)).lower()
