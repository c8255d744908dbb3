"""Reactive mode: after each cell, what is behind is brought up to date in the background, as in a spreadsheet.

    a cell that binds names begins --hold--> the round that goes on ends, and stores nothing half done
    a cell has run ------------------wake--> a round: what is due? --> materialize it --> what is due? --> ... nothing

Nothing is due that failed and hasn't changed since, nor what depends on it: an error is shown once. While a cell that
may change something runs, no round begins, so that none computes with half of an edit.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Container, Mapping
from concurrent.futures import wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError, closest
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.planning.staleness import Status
from ipy_orch.session.report import Report
from ipy_orch.session.scan import Scanned
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
BEHIND: Final = ("stale", "missing")
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
        self.tried: dict[AssetKey, tuple[Any, Any]] = {}
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
        left = self.left_out() if mode != "off" else []
        return f"{MODES[mode]}, but not {', '.join(left)}: `%backfill` makes partitions" if left else MODES[mode]

    def left_out(self) -> list[str]:
        """Return the assets that would be kept up to date if they weren't partitioned."""
        graph = self.session.scan().graph
        specs = [graph.spec(key) for key in graph.materializable_keys]
        return [
            str(spec.key)
            for spec in specs
            if spec.partitions_def is not None and (self.mode == "on" or is_eager(spec.automation_condition))
        ]

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
            due = self.due(session.scan())
            if not due:
                break
            last = session.materialize(sorted(due), what=WHAT)
            self.note(last)
            session.running.told(last)
            if last.result is not None and last.result.status == "canceled":
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

    def due(self, scanned: Scanned) -> set[AssetKey]:
        """Return the assets that are behind, that are wanted, and that nothing stands in the way of."""
        statuses = self.session.statuses(scanned)
        again = self.changed_since_they_failed(statuses)
        wanted = self.wanted(scanned)
        found: set[AssetKey] = set()
        for key in scanned.graph.keys:  # upstream first
            behind = key in wanted and (key in again or statuses[key].word in BEHIND) if key in statuses else False
            if behind and all(one in found or is_settled(statuses.get(one)) for one in scanned.graph.upstream[key]):
                found.add(key)
        return found

    def wanted(self, scanned: Scanned) -> set[AssetKey]:
        """Return the assets that are kept up to date; not those whose cell says ``--no-run``, nor single partitions."""
        graph = scanned.graph
        silent = {
            cell.source.target
            for cell in scanned.cells.values()
            if cell.source is not None and cell.source.options.get("run") is False
        }
        found = set()
        for key in graph.materializable_keys:
            spec = graph.spec(key)
            if key in silent or spec.partitions_def is not None or key in scanned.broken:
                continue
            if self.mode == "on" or is_eager(spec.automation_condition):
                found.add(key)
        return found

    # -- what failed --------------------------------------------------------------------------------------------------

    def changed_since_they_failed(self, statuses: Mapping[AssetKey, Status]) -> set[AssetKey]:
        """Return the assets that failed, and of which something has changed since."""
        failed = [key for key, status in statuses.items() if status.word == "failed"]
        if not failed:
            return set()
        tokens = self.tokens(self.session.plan(failed))
        found = set()
        for key in failed:
            event = self.session.ledger.failed.get((key, None))
            before = self.tried.get(key)
            if before is None or before[0] is not event:
                self.tried[key] = (event, tokens.get(key))
            elif before[1] != tokens.get(key):
                found.add(key)
        return found

    def note(self, report: Report) -> None:
        """Note with what each asset that failed was tried."""
        tokens = self.tokens(report.plan)
        for key, token in tokens.items():
            event = self.session.ledger.failed.get((key, None))
            if event is not None:
                self.tried[key] = (event, token)

    def tokens(self, planned: Plan) -> dict[AssetKey, Any]:
        """Return what each asset of a plan would be made of."""
        return {key: self.token(step) for step in planned.steps for key in step.keys}

    def token(self, step: Step) -> Any:
        """Return what a step would make its assets of: its parts, and the versions of what it reads."""
        deps = sorted(step.definition.dependency_keys) if step.definition is not None else ()
        return step.parts, tuple(self.session.ledger.data_version(key) for key in deps)


def is_eager(condition: Any) -> bool:
    """Tell whether a condition is ``eager``, or has it in it."""
    return condition is not None and (condition.get_label() == "eager" or any(map(is_eager, condition.children)))


def is_settled(status: Status | None) -> bool:
    """Tell whether what reads an asset can be made: it is up to date, or isn't made here."""
    return status is None or status.word in ("fresh", "external", "evicted", "")


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
