"""The daemon: one background thread of the kernel that lets tick whatever is on and whose turn has come.

It runs only when it was started. An error in one schedule or sensor is noted, and the others go on. Runs begin on the
session's queue, one at a time, and what a cell does goes first. It ends with the kernel.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from ipy_orch.automation.automations import GRACE, MISSED, Automations, automations_of
from ipy_orch.automation.clock import Clock
from ipy_orch.automation.requesting import Wanted, has_room, submit
from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.execution.failures import describe
from ipy_orch.execution.workers.executors import HAS_THREADS
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.scan import Scanned
from ipy_orch.session.submitting import Submitted

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Daemon", "daemon_of", "stop_daemon"]

LONGEST: Final = 5.0  #: seconds between two looks, so that a new or switched schedule is noticed
BUSY: Final = 0.5  #: seconds, while runs wait for room in the queue
PATIENCE: Final = 2.0  #: seconds that a stop waits for the thread


class Daemon:
    """Let the schedules and sensors of a session tick in the background.

    Args:
        missed: what is done about moments of a schedule that passed while nobody looked: ``last`` catches up the last
            of them, ``all`` each, ``skip`` none.
    """

    def __init__(self, automations: Automations, missed: str = "last") -> None:
        self.automations, self.missed = automations, missed
        self.waiting: deque[Wanted] = deque()
        self.going: list[Submitted] = []
        self.thread: threading.Thread | None = None
        self.wake, self.ending = threading.Event(), threading.Event()
        self.began = automations.clock.now()
        self.trouble = ""  #: why nothing ticks, where the notebook can't be read

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        return self.automations.clock

    @property
    def is_running(self) -> bool:
        """Tell whether the thread is there."""
        return self.thread is not None and self.thread.is_alive() and not self.ending.is_set()

    # -- its life -----------------------------------------------------------------------------------------------------

    def start(self, missed: str = "") -> None:
        """Start the thread; where it runs already, only the policy is taken over.

        Raises:
            DagsterInvariantViolationError: for a policy that isn't one, and where Python has no threads.
        """
        if not HAS_THREADS:
            raise DagsterInvariantViolationError(
                "Python has no threads in a browser, so nothing ticks in the background", hint="`%tick NAME --run`"
            )
        if missed and missed not in MISSED:
            hint = closest(missed, MISSED) or f"one of {', '.join(MISSED)}"
            raise DagsterInvariantViolationError(f"`{missed}` isn't a policy for missed ticks", hint=hint)
        self.missed = missed or self.missed
        if self.is_running:
            return
        self.wake, self.ending = threading.Event(), threading.Event()
        self.began = self.clock.now()
        self.thread = threading.Thread(
            target=keep_looking, args=(weakref.ref(self), self.clock, self.wake, self.ending), name="ipy_orch daemon"
        )
        self.thread.daemon = True
        self.thread.start()

    def stop(self) -> list[Wanted]:
        """End the thread, and return the runs that had not begun; one that goes on goes on."""
        self.ending.set()
        self.wake.set()
        thread, self.thread = self.thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(PATIENCE)
        left = [*self.waiting]
        self.waiting.clear()
        return left

    def notice(self) -> None:
        """Have the thread look at once: something was switched, or defined."""
        self.wake.set()

    # -- looking ------------------------------------------------------------------------------------------------------

    def look(self) -> float:
        """Let tick whatever is on and whose turn has come, have runs begin, and return after how long to look again."""
        try:
            scanned = self.automations.session.scan()
            found = scanned.all_automations
            self.trouble = ""
        except Exception as error:  # noqa: BLE001 - a cell that is being edited may be anything
            self.trouble = describe(error).line
            return LONGEST
        pause = LONGEST
        for one in found.values():
            if self.ending.is_set():
                break
            if self.automations.is_on(one):
                pause = min(pause, self.look_at(one, scanned))
        self.begin_runs()
        return BUSY if self.waiting else max(pause, 0.0)

    def look_at(self, one: FoundAutomation, scanned: Scanned) -> float:
        """Let a schedule or sensor tick if its turn has come; return after how long that is the next time."""
        try:
            if is_busy(self.automations.session, one):
                return BUSY
            if one.kind == "schedule":
                self.catch_up(one, self.automations.due(one, scanned, self.began))
            elif self.automations.next_look(one, scanned, self.began) <= self.clock.now():
                self.let_tick(one.name)
            return self.automations.next_look(one, scanned, self.began) - self.clock.now()
        except Exception as error:  # noqa: BLE001 - the others have their turn
            self.trouble = f"`{one.name}`: {describe(error).line}"
            return LONGEST

    def catch_up(self, one: FoundAutomation, moments: list[float]) -> None:
        """Let a schedule tick for the moments whose turn has come, as the policy for missed ones says."""
        if not moments:
            return
        late = self.clock.now() - moments[-1] > GRACE
        if self.missed == "all":
            for moment in moments:
                self.let_tick(one.name, moment)
            return
        passed = moments if late and self.missed == "skip" else moments[:-1]
        if passed:
            self.automations.miss(one.name, passed)
        if passed is not moments:
            note = f"{len(passed)} earlier {'moment' if len(passed) == 1 else 'moments'} missed" if passed else ""
            self.let_tick(one.name, moments[-1], note)

    def let_tick(self, name: str, at: float | None = None, note: str = "") -> None:
        """Let a schedule or sensor tick, and keep the runs that it wants."""
        self.waiting.extend(self.automations.tick(name, at, note).runs)

    def begin_runs(self) -> None:
        """Have the runs begin for which there's room."""
        session = self.automations.session
        self.going = [one for one in self.going if not one.done]
        while self.waiting and has_room(session):
            wanted = self.waiting.popleft()
            one = submit(session, wanted)
            one.when_done(partial(self.automations.note_end, wanted))
            self.going.append(one)


def is_busy(session: Session, one: FoundAutomation) -> bool:
    """Tell whether a schedule or sensor is of a code location that does something: the others don't wait for it."""
    location = session.code_locations.known.get(one.location)
    return location is not None and location.is_busy


def keep_looking(daemon_ref: weakref.ref[Daemon], clock: Clock, wake: threading.Event, ending: threading.Event) -> None:
    """Look again and again until somebody ends it, or the daemon is gone."""
    while not ending.is_set():
        daemon = daemon_ref()
        if daemon is None:
            return
        wake.clear()
        try:
            pause = daemon.look()
        except ReferenceError:
            return
        del daemon  # so that it, and its session, can go while the thread waits
        if not ending.is_set():
            clock.wait(pause, wake)


DAEMONS: weakref.WeakKeyDictionary[Session, Daemon] = weakref.WeakKeyDictionary()


def daemon_of(session: Session) -> Daemon:
    """Return the daemon of a session, always the same; it isn't started by that."""
    found = DAEMONS.get(session)
    if found is None:
        found = DAEMONS[session] = Daemon(automations_of(session))
    return found


def stop_daemon(session: Session) -> None:
    """Stop the daemon of a session, if it has one."""
    found = DAEMONS.get(session)
    if found is not None:
        found.stop()


@atexit.register
def stop_all() -> None:
    """Stop all daemons: the kernel ends."""
    for daemon in [*DAEMONS.values()]:
        daemon.stop()
