"""Backfills: many partitions at once, of several assets, in one run; stopped at any time, and gone on with later.

What a backfill is asked for stands in the tags of its run, and what it has made in the ledger; both outlive the kernel
where there's a store. So going on needs no state of its own: what is asked for, less what has been made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError
from ipy_orch.events.runs import Run
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionKeyRange
from ipy_orch.planning.plan import Request
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.partitions.choosing import Which, chosen, cuts_of
from ipy_orch.session.report import Report
from ipy_orch.session.scan import Scanned
from ipy_orch.session.words import MOST_NAMED, selection_text

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["BACKFILL", "Backfill", "backfill", "refuse_two", "resumed"]

BACKFILL: Final = "dagster/backfill"
ASKED: Final = "ipy_orch/backfill"
DUE: Final = frozenset({"missing", "stale", "failed"})
ENDED_BADLY: Final = ("failure", "canceled")


@dataclass(frozen=True)
class Backfill:
    """Be what a backfill is asked for.

    Args:
        selection: as a selection string, None for all assets that are partitioned.
        partitions: keys and ranges; None for all.
        only: what is run of them: ``due`` (missing, stale or failed), ``missing``, ``failed``, or ``all``.
        id: of the backfill, which may take several runs.
    """

    selection: Any = None
    partitions: Which = None
    only: str = "due"
    id: str = ""

    @property
    def words(self) -> frozenset[str]:
        """Return how partitions stand that are run."""
        return DUE if self.only == "due" else frozenset({self.only})

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags of its runs."""
        return {BACKFILL: self.id, ASKED: json.dumps(asdict(replace(self, selection=plain(self.selection))))}


def refuse_two(**only: bool) -> str:
    """Return which one of several was said, ``due`` where none was.

    Raises:
        DagsterInvariantViolationError: when two were.
    """
    said = [name for name, is_said in only.items() if is_said]
    if len(said) > 1:
        raise DagsterInvariantViolationError(f"a backfill runs {' or '.join(said)} partitions, one of the two")
    return said[0] if said else "due"


def plain(selection: Any) -> Any:
    """Return a selection as JSON has it."""
    if selection is None or isinstance(selection, str):
        return selection
    if isinstance(selection, list | tuple | set | frozenset):
        return [*map(plain, selection)]
    return str(AssetSelection.from_coercible(selection))


def asked_for(partitions: Which) -> Which:
    """Return partitions as text or a list of texts."""
    if isinstance(partitions, PartitionKeyRange):
        return f"{partitions.start}..{partitions.end}"
    return partitions if partitions is None or isinstance(partitions, str) else [str(one) for one in partitions]


def backfill(
    session: Session, one: Backfill, config: Mapping[str, Any], workers: int, scanned: Scanned | None = None
) -> Report:
    """Run a backfill and return what came of it; see :meth:`Session.backfill`."""
    one = replace(one, partitions=asked_for(one.partitions), id=one.id or uuid4().hex)
    scanned, planning = scanned or session.scan(), session.planning
    with session.instance.looking():
        request = requested(session, scanned, one)
        resolved = planning.configured(scanned, config)
        planned = planning.planned(scanned, request, resolved)
    resolved = planning.configured(scanned, config, {step.place for step in planned.every_step})
    planning.keep(config)
    return session.running.execute(scanned, planned, resolved, workers, tags=one.tags)


def requested(session: Session, scanned: Scanned, one: Backfill) -> Request:
    """Return the request for what is due.

    Raises:
        DagsterInvariantViolationError: when nothing that is selected is partitioned.
    """
    graph = scanned.graph
    keys = session.resolve(scanned, one.selection)
    cuts = cuts_of(keys, graph)
    if not cuts:
        said = selection_text(one.selection)
        told = f"`{said}` has no partitions" if said else "no asset has partitions"
        raise DagsterInvariantViolationError(told, hint=f"%materialize {said}".strip())
    asked = chosen(one.partitions, cuts, graph)
    made = made_by(session, one.id)
    if one.only == "all":
        wanted = {key: tuple(p for p in asked[key] if (key, p) not in made) for key in cuts}
        force = frozenset(cuts)
    else:
        stand = session.planning.survey(scanned).partitions
        wanted = {key: tuple(p for p in asked[key] if stand[key].status(p).word in one.words) for key in cuts}
        force = frozenset()
    rest = keys - cuts.keys() if one.selection is not None else frozenset()
    what = f"backfill of {selection_text(one.selection, MOST_NAMED) or 'all'}"
    return Request(frozenset(cuts) | rest, force=force, of_asset=wanted, what=what)


def made_by(session: Session, backfill_id: str) -> set[tuple[AssetKey, str | None]]:
    """Return what the runs of a backfill have made already."""
    runs = {run.run_id for run in session.history.runs.values() if run.tags.get(BACKFILL) == backfill_id}
    return {place for place, made in session.ledger.materialized.items() if made.run_id in runs} if runs else set()


def resumed(session: Session) -> Backfill:
    """Return the last backfill that didn't come to its end.

    Raises:
        DagsterInvariantViolationError: when there's none, or the last one came to its end.
    """
    last: Run | None = next((run for run in reversed(session.history.runs.values()) if ASKED in run.tags), None)
    if last is None:
        raise DagsterInvariantViolationError("there is no backfill to go on with", hint="%backfill SELECTION")
    if last.status not in ENDED_BADLY:
        raise DagsterInvariantViolationError(f"the last backfill, `{last.what}`, came to its end")
    try:
        return Backfill(**json.loads(last.tags[ASKED]))
    except (TypeError, ValueError):
        raise DagsterError("the last backfill is of another version of ipy_orch", hint="%backfill SELECTION") from None
