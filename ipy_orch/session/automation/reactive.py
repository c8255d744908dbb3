"""Reactive mode: after each cell, what is behind is brought up to date in the background, as in a spreadsheet.

    a cell that binds names begins --hold--> the round that goes on ends, and stores nothing half done
    a cell has run ------------------wake--> a round: what is due? --> materialize it --> what is due? --> ... nothing

While a cell that may change something runs, no round begins, so that none computes with half of an edit. What is due,
``due`` says.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Container, Mapping
from concurrent.futures import wait
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ipy_orch.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError, closest
from ipy_orch.session.automation.due import Due
from ipy_orch.session.report import Report
from ipy_orch.session.submitting import Submitted, submitted

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["MODES", "Reactive", "may_change"]

MODES: Final[Mapping[str, str]] = {
    "off": "nothing runs by itself",
    "on": "all assets are kept up to date",
    "eager": "the assets with the condition `eager` are kept up to date",
}
MOST_ROUNDS: Final = 10  #: each goes on where the one before made something new
HARMLESS: Final = frozenset({"print", "len", "display", "type", "sorted", "sum", "min", "max", "list", "repr", "str"})
READERS: Final = frozenset(
    f"%{name}"
    for name in (
        "assets",
        "automations",
        "checks",
        "conditions",
        "events",
        "jobs",
        "lineage",
        "partitions",
        "reactive",
        "resources",
        "runs",
        "ticks",
        "why",
    )
)
WHAT: Final = "what is behind"


class Reactive:
    """Keep the assets of a session up to date while its person edits.

    >>> from ipy_orch.session.session import Session
    >>> Session().reactive.mode
    'off'
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.mode = "off"
        self.due = Due(session)
        self.going: Submitted | None = None
        self.awake = threading.Event()
        self.awake.set()

    def switch(self, mode: str) -> str:
        """Turn it ``on`` for all assets, to ``eager`` for those that have this condition, or ``off``; say what is so.

        Raises:
            DagsterInvariantViolationError: for another word, with the closest.
        """
        if mode not in MODES:
            raise DagsterInvariantViolationError(
                f"reactive mode is {', '.join(f'`{one}`' for one in MODES)}, not `{mode}`", hint=closest(mode, MODES)
            )
        self.mode = mode
        if mode == "off":
            self.hold()
            self.awake.set()
        names = self.due.in_part(mode) if mode != "off" else []
        rest = f", of {', '.join(names)} the newest in time: `%backfill` makes the others" if names else ""
        return f"{MODES[mode]}{rest}"

    # -- around each cell ---------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """End the round that goes on, and let none begin until :meth:`wake`: something is about to change."""
        self.awake.clear()
        if self.going is not None:
            self.going.cancel()

    def wake(self) -> Submitted | None:
        """Bring up to date what is behind, in the background; None where it is off, or a round waits to begin."""
        self.awake.set()
        if self.mode == "off":
            return None
        going = self.going
        if going is not None and not going.done and not going.cancelled.is_set():
            return going  # it asks again what is due when it has come to an end
        with suppress(DagsterInvariantViolationError):  # too many wait: the next cell asks again
            self.going = self.session.queue.submit(self.rounds, WHAT)
        return self.going

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing goes on; tell whether it came to that in time."""
        while (going := self.going) is not None and not going.done:
            over, _ = wait([going.future], timeout)
            if not over:
                return False
        return True

    # -- in the background --------------------------------------------------------------------------------------------

    def rounds(self) -> Report:
        """Materialize what is due until nothing is, and have the cells show what came of it."""
        session = self.session
        last = session.materialize([], what=WHAT)
        for _ in range(MOST_ROUNDS):
            self.pause()
            batches = self.due.batches(session.scan(), self.mode)
            for one in batches:
                self.pause()
                last = session.materialize(one.keys, partition=one.partitions, what=WHAT)
                self.due.note(last.plan)
                session.running.told(last)
                if last.result is not None and last.result.status == "canceled":
                    return last
            if not batches:
                break
        return last

    def pause(self) -> None:
        """Wait while a cell runs that may change something.

        Raises:
            DagsterExecutionInterruptedError: when the round is ended meanwhile.
        """
        one = submitted()
        while not self.awake.wait(0.05):
            if one is not None and one.cancelled.is_set():
                raise DagsterExecutionInterruptedError


def may_change(text: str, looked_at: Container[str]) -> bool:
    """Tell whether a cell may change what an asset computes: all but a look at values of assets may.

    Args:
        looked_at: the variables of assets.

    >>> may_change("orders.head()", {"orders"}), may_change("limits.append(3)", {"orders"}), may_change("x = 1", set())
    (False, True, True)
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return any(line.split(" ")[0] not in READERS for line in text.strip().split("\n"))
    if not all(isinstance(statement, ast.Expr) for statement in tree.body):
        return True
    nodes = [*ast.walk(tree)]
    if any(isinstance(node, ast.NamedExpr | ast.Await) for node in nodes):
        return True
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return not all(name in looked_at or name in HARMLESS for name in names)
