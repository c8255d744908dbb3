"""Between one session and the views of it: what has changed is noted by whoever changes it, and sent by one thread.

Events and cells only mark what they have touched. A thread of the bridge's own looks at the marks at most ten times a
second, brings snapshot and standing up to date, and sends one message to each view; so a burst of ten thousand events
is a few messages, and views follow a run also while the kernel's main thread is busy with it. The thread ends when it
has had nothing to do for a while; the bridge closes when its last view leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from ipy_orch.errors import DagsterError
from ipy_orch.events.types import Event, RunFinished, RunStarted
from ipy_orch.execution.iomanagers import Entry
from ipy_orch.execution.workers.executors import HAS_THREADS, InlineExecutor
from ipy_orch.model.env import redact_all
from ipy_orch.planning.survey import Surveyed
from ipy_orch.session.automation.conditions import freshness
from ipy_orch.session.session import Session
from ipy_orch.ui.protocol import Answer, NodePatch, RunState, Toast, wire
from ipy_orch.ui.snapshot import Outline, Standing, outline_of, patch_of, run_state, snapshot_of, state_of

__all__ = ["Bridge", "View", "bridge_to"]

PERIOD: Final = 0.1  # seconds between two messages
IDLE: Final = 10.0  # seconds after which the thread ends
ATTEMPTS: Final = 3
LARGE: Final = 2_000  # assets
FORMERS: Final = 8  # a part of the cache's limit that values of before may take


@dataclass(eq=False)
class View:
    """Be one view of the graph.

    Args:
        send: takes JSON data, on any thread.
        selection: what it was opened for; None for all.
    """

    send: Callable[[dict[str, Any]], None]
    selection: Any = None
    asked: list[int] = field(default_factory=list)

    def tell(self, message: Answer) -> None:
        """Send a message, without the value of any secret."""
        self.send(redact_all(wire(message)))


@dataclass
class Marks:
    """Be what has changed since it was last looked at: ids of assets, names of steps; or the whole graph."""

    ids: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    whole: bool = False


class Bridge:
    """Hold what the views of a session were told last, and tell them what is new.

    ``formers`` holds of assets that are made again the value of before, as far as there is room, to compare with.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.views: list[View] = []
        self.outline, self.standing = Outline(), Standing({}, session.ledger)
        self.told: dict[str, NodePatch] = {}
        self.version = 0
        self.marks, self.lock = Marks(whole=True), threading.Lock()
        self.woken = threading.Event()
        self.thread: threading.Thread | None = None
        self.canceling = self.is_open = False
        self.failures = 0
        self.reader: Executor | None = None
        self.formers: dict[Any, Entry] = {}
        self.at_close: list[Callable[[], object]] = []
        self.cell_ran: Callable[..., None] | None = None
        self.widgets: dict[str, Any] = {}

    # -- views come and go --------------------------------------------------------------------------------------------

    def join(self, view: View) -> None:
        """Tell a view what is new from now on; the first time when it asks, or when something happens."""
        if not self.is_open:
            self.is_open = True
            self.at_close = [self.session.log.listen(self.hear)]
            self.reader = (
                ThreadPoolExecutor(1, thread_name_prefix="ipy_orch widget reads") if HAS_THREADS else InlineExecutor()
            )
            self.marks.whole = True
        self.views.append(view)

    def leave(self, view: View) -> None:
        """Tell a view nothing any more; the last one that leaves closes the bridge."""
        if view in self.views:
            self.views.remove(view)
        if not self.views and self.is_open:
            self.close()

    def close(self) -> None:
        """Let go of the session."""
        self.is_open = False
        BRIDGES.pop(id(self.session), None)
        for undo in self.at_close:
            undo()
        if self.reader is not None:
            self.reader.shutdown(wait=False, cancel_futures=True)
        self.cell_ran = None
        self.formers.clear()
        self.told.clear()
        self.woken.set()

    # -- what has changed ---------------------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Note what an event is about; called by whoever appends it."""
        run = self.session.history.runs.get(event.run_id)
        if isinstance(event, RunStarted):
            self.canceling = False
            begun = {self.asset_of(id_) for ids in event.keys.values() for id_ in ids}
            # the cell that runs may have defined them just now
            self.mark(begun, whole=len(self.outline.ids) <= LARGE or not begun <= self.outline.ids.keys())
        elif isinstance(event, RunFinished):
            self.canceling = False
            self.mark(whole=True)
        elif event.kind == "forgotten":
            self.mark(whole=True)
        elif event.step and event.kind != "logged":
            ids = run.keys.get(event.step, ()) if run is not None else ()
            if event.kind == "step started":
                self.keep_formers(ids)
            self.mark(map(self.asset_of, ids), [event.step])

    def asset_of(self, id_: str) -> str:
        """Return the asset of an id, which may be that of a check of it, ``orders:is_paid``."""
        return id_ if id_ in self.outline.ids else id_.rpartition(":")[0] or id_

    def mark(self, ids: Iterable[str] = (), steps: Iterable[str] = (), *, whole: bool = False) -> None:
        """Note what has changed, and have it looked at soon."""
        with self.lock:
            self.marks.ids.update(ids)
            self.marks.steps.update(steps)
            self.marks.whole |= whole
            is_first = not self.woken.is_set()
            self.woken.set()
            if not HAS_THREADS:
                if self.is_open and is_first:
                    asyncio.get_running_loop().call_soon(self.look)
            elif self.is_open and (self.thread is None or not self.thread.is_alive()):
                self.thread = threading.Thread(target=self.work, name="ipy_orch widget", daemon=True)
                self.thread.start()

    def keep_formers(self, ids: Iterable[str]) -> None:
        """Keep the values that are about to be replaced, as far as there is room for them."""
        for id_ in ids:
            key = self.outline.ids.get(id_)
            entry = self.session.store.entry(key) if key is not None else None
            if entry is not None:
                self.formers.pop(key, None)
                self.formers[key] = entry
        room = self.session.store.limit_bytes // FORMERS
        while self.formers and sum(entry.bytes for entry in self.formers.values()) > room:
            self.formers.pop(next(iter(self.formers)))

    def refresh(self, view: View, request: int = 0) -> None:
        """Have a view told everything."""
        view.asked.append(request)
        self.mark()

    # -- the thread ---------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Look at the marks again and again."""
        while self.is_open:
            if not self.woken.wait(IDLE):
                with self.lock:
                    if not self.woken.is_set():
                        self.thread = None
                        return
            self.look()
            time.sleep(PERIOD)

    def look(self) -> None:
        """Look at the marks once."""
        self.woken.clear()
        try:
            with collector_paused():
                self.flush()
            self.failures = 0
        except Exception as error:  # noqa: BLE001 - the views live on, and say what is wrong
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Look again, in case somebody changed the notebook meanwhile; after a few times say that it can't be read."""
        self.failures += 1
        if self.failures < ATTEMPTS:
            self.mark(whole=True)
        elif self.failures == ATTEMPTS:
            self.tell(Toast(level="error", text=f"the graph can't be read: {type(error).__name__}: {error}"))

    def flush(self) -> None:
        """Tell the views what has changed since the last time."""
        with self.lock:
            marks, self.marks = self.marks, Marks()
        outlined = self.read() if marks.whole else False
        with self.session.log.lock:  # no event comes in between
            changed, run = self.changed(marks)
        self.version += bool(changed or outlined or run is not None)
        if outlined:
            self.told = {id_: self.told[id_] for id_ in self.outline.ids}
        elif changed or run is not None:
            patch = patch_of(changed, run, self.version - 1, self.version)
            self.tell(patch, [view for view in self.views if not view.asked])
        asking = [view for view in self.views if outlined or view.asked]
        if asking:
            self.send_snapshot(asking)

    def changed(self, marks: Marks) -> tuple[list[NodePatch], RunState | None]:
        """Return how the assets stand that stand otherwise than was told, and the run if something happened in it."""
        session, in_cell = self.session, not self.session.queue.waiting
        self.standing = self.standing.with_run(session.history, in_cell=in_cell)
        ids = self.outline.ids if marks.whole else [id_ for id_ in marks.ids if id_ in self.outline.ids]
        states = [state_of(id_, self.outline, self.standing) for id_ in ids]
        changed = [state for state in states if self.told.get(state.id) != state]
        self.told.update((state.id, state) for state in changed)
        run = self.standing.run
        if run is None or not (marks.whole or marks.ids or marks.steps):
            return changed, None
        steps = {*marks.steps, *(step.name for step in run.steps.values() if step.status == "canceled")}
        return changed, run_state(run, steps, canceling=self.canceling, in_cell=in_cell)

    def read(self) -> bool:
        """Read the graph and the statuses again; tell whether there is a graph of which no view has been told.

        Of a large one the views are told before the statuses are known, which take as long again.
        """
        scanned = self.session.scan()
        environments = self.session.environments
        outline = outline_of(scanned, environments.label, environments.names)
        is_new, self.outline = outline != self.outline or not self.version, outline
        if is_new and len(outline.ids) > LARGE:
            self.version += 1
            self.told = {id_: self.told.get(id_) or NodePatch(id=id_) for id_ in outline.ids}
            self.send_snapshot(self.views)
            is_new = False
        found = self.session.planning.survey(scanned) if outline.ids else Surveyed()
        fresh = freshness(self.session) if outline.ids else {}
        self.standing = Standing(found.assets, self.session.ledger, partitions=found.partitions, fresh=fresh)
        return is_new

    def send_snapshot(self, views: Iterable[View]) -> None:
        """Send the whole graph to views."""
        with self.session.log.lock:
            whole = snapshot_of(self.outline, self.told, self.standing, self.version)
        for view in [*views]:
            asked, view.asked = view.asked or [0], []
            message = whole.model_copy(update={"request": asked[-1], "shown": self.shown(view)})
            self.tell(message, [view])

    def shown(self, view: View) -> list[str] | None:
        """Return the ids that a view was opened for."""
        if view.selection is None:
            return None
        try:
            scanned = self.session.scan()
            return [key.label for key in scanned.graph.in_order(self.session.resolve(scanned, view.selection))]
        except DagsterError:
            return []

    def tell(self, message: Answer, views: Iterable[View] | None = None) -> None:
        """Send a message to views, by default to all; one whose other end is gone is no reason to stop."""
        for view in [*(self.views if views is None else views)]:
            with contextlib.suppress(Exception):
                view.tell(message)


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python from looking for cycles: of ten thousand assets it would look at all there is, again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


BRIDGES: dict[int, Bridge] = {}


def bridge_to(session: Session) -> Bridge:
    """Return the bridge of a session; it is made for the first view."""
    return BRIDGES.setdefault(id(session), Bridge(session))
