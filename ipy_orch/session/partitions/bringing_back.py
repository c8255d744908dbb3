"""What a job reads and doesn't run: its values are brought back to memory, and what is wrong with them is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.partition_statuses import PartitionStatuses
from ipy_orch.planning.plan import Plan
from ipy_orch.session.jobs.resuming import outside
from ipy_orch.session.partitions.holding import read_by
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["bring_back"]


def bring_back(session: Session, scanned: Scanned, job: JobDefinition, planned: Plan) -> list[str]:
    """Have the values in memory that are read and not made, and tell which of them are stale.

    Raises:
        DagsterInvariantViolationError: for one that was never made.
    """
    graph = scanned.graph
    made = {(key, one) for step in planned.every_step for key in step.keys for one in step.partitions}
    places = {place for step in planned.every_step for place in read_by(step)} - made if graph.is_partitioned else set()
    read = sorted(key for key in outside(planned) if key in graph.makers and graph.makers[key].is_materializable)
    if not read and not places:
        return []
    found = session.planning.survey(scanned)
    statuses, notices = found.assets, list[str]()
    for key, partitions in found.partitions.items():
        wanted = sorted(one for place, one in places if place == key and one is not None)
        bring_back_partitions(session, job, key, partitions, wanted)
    for key in [key for key in read if key not in found.partitions]:
        status = statuses.get(key)
        if (
            status is not None
            and status.word in ("missing", "failed")
            and (key, None) not in session.ledger.materialized
        ):
            told = f"job `{job.name}` reads `{key.label}`, which it doesn't run and which has no value yet"
            raise DagsterInvariantViolationError(told, hint=f"%materialize {key.label}")
        if status is not None and status.word == "stale":
            notices.append(f"`{key.label}`, which the job reads and doesn't run, is stale: {status.reason}")
        elif status is not None and status.word == "evicted":
            for error in session.materialize([key], what=f"value of {key.label}").errors.values():
                raise error
    return notices


def bring_back_partitions(
    session: Session, job: JobDefinition, key: AssetKey, found: PartitionStatuses, wanted: Sequence[str]
) -> None:
    """Have partitions in memory that are read and not made.

    Raises:
        DagsterInvariantViolationError: for one that was never made.
    """
    words = {one: found.status(one).word for one in wanted}
    lacking = [one for one, word in words.items() if word in ("missing", "failed")]
    if lacking:
        what = f"partition `{lacking[0]}` of `{key.label}`"
        told = f"job `{job.name}` reads {what}, which it doesn't run and which isn't made"
        raise DagsterInvariantViolationError(told, hint=f"%backfill {key.label}")
    if gone := [one for one, word in words.items() if word == "evicted"]:
        for error in session.materialize([key], partition=gone, what=f"value of {key.label}").errors.values():
            raise error
