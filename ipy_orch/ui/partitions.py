"""How the partitions of an asset stand, packed for the wire; and how many, while a run goes on. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final, cast

from ipy_orch.events.runs import StepRun
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.partition_statuses import PartitionStatuses
from ipy_orch.planning.staleness import Status as Stands
from ipy_orch.session.partitions.status import PartitionView
from ipy_orch.session.session import Session
from ipy_orch.ui.protocol import PartitionsMessage, PartitionStatus, Progress, Status, Word

__all__ = ["partitions_message", "while_many_run"]

SETTLED: Final = {"success": "fresh", "unchanged": "fresh", "failure": "failed"}


def partitions_message(session: Session, key: AssetKey, known: str = "") -> PartitionsMessage:
    """Return how the partitions of an asset stand; the keys only where the view has others than these.

    Raises:
        DagsterInvariantViolationError: when it isn't partitioned.
    """
    view = session.partition_view(key)
    rows = [row.key for row in view.rows]
    stamp = stamp_of([*rows, "", *view.keys])
    statuses: dict[Stands, int] = {}
    runs: list[tuple[int, int]] = []
    for many, stands in neighbours(view):
        at = statuses.setdefault(stands, len(statuses))
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0] + many, at)
        else:
            runs.append((many, at))
    return PartitionsMessage(
        id=key.label,
        cut=view.cut,
        stamp=stamp,
        dimensions=[*view.dimensions],
        rows=[] if stamp == known else rows,
        keys=[] if stamp == known else [*map(str, view.keys)],
        statuses=[told(one) for one in statuses],
        runs=runs,
    )


def neighbours(view: PartitionView) -> Iterator[tuple[int, Stands]]:
    """Yield how many neighbours stand alike, and how; of a grid row by row."""
    for one in view.ranges:
        yield one.many, one.status
    for row in view.rows:
        for one in row.ranges:
            yield one.many, one.status


def told(stands: Stands) -> PartitionStatus:
    """Return how a partition stands as it goes over the wire; what is fresh or missing needs no reason."""
    reason = "" if stands.word in ("fresh", "missing") else stands.reason
    return PartitionStatus(word=cast("Any", stands.word), reason=reason)


def stamp_of(keys: Iterable[str]) -> str:
    """Return a short text that is another one where the keys are others."""
    return blake2b("\n".join(keys).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


# -- while a run goes on ----------------------------------------------------------------------------------------------


def while_many_run(steps: Mapping[str, StepRun], before: PartitionStatuses) -> Status | None:
    """Return how a partitioned asset stands of which partitions are in the run that goes on; None when they are done.

    Args:
        steps: name -> step, of this asset.
        before: how its partitions stood when the run began.
    """
    counts = Counter(before.counts)
    for name, step in steps.items():
        if (now := SETTLED.get(step.status)) is not None:
            for partition in partitions_of(name, before):
                counts[before.status(partition).word] -= 1
                counts[now] += 1
    going = [step for step in steps.values() if step.status in ("running", "retrying")]
    waiting = sum(step.status == "waiting" for step in steps.values())
    if not going and not waiting:
        return None
    done = len(steps) - waiting - len(going)
    partitions = {word: number for word, number in counts.items() if number > 0}
    word: Word = "running" if going or done else "waiting"
    progress = Progress(started=min(step.started or 0.0 for step in going)) if going else None
    reason = f"{done:,} of {len(steps):,} steps" if len(steps) > 1 else ""
    return Status(word=word, reason=reason, progress=progress, partitions=partitions)


def partitions_of(step: str, before: PartitionStatuses) -> list[str]:
    """Return the partitions that a step makes: its name ends with ``[key]``, or ``[first..last]`` of a single run."""
    told = step.partition("[")[2].removesuffix("]")
    first, dots, last = told.partition("..")
    if not dots or told in before.known:
        return [told]
    keys = [*before.keys]
    try:
        return keys[keys.index(first) : keys.index(last) + 1]
    except ValueError:
        return [told]
