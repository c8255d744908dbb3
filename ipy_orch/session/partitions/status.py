"""How the partitions of one asset stand, compressed: ranges of neighbours, or rows of a grid for two dimensions.

A fold for tables and pictures: ten thousand partitions take some tens of milliseconds, and are as many ranges as there
are changes of status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.events.types import Materialized
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.planning.partition_statuses import PartitionStatuses, StatusRange

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["GridRow", "PartitionView", "not_partitioned", "partition_rows", "partition_view"]


@dataclass(frozen=True)
class GridRow:
    """Be the partitions of one key of the first dimension, by the second."""

    key: str
    ranges: tuple[StatusRange, ...]


@dataclass(frozen=True)
class PartitionView:
    """Be how the partitions of an asset stand.

    Args:
        cut: how it is partitioned, in words.
        counts: how many stand how, the best first.
        ranges: neighbours that stand alike, in order; of one dimension.
        dimensions: of a grid, its names, that of the rows first.
        rows: of a grid; the ranges in them are of keys of the second dimension.
        keys: all of them, in order; of a grid, those of the second dimension.
    """

    key: AssetKey
    cut: str
    total: int
    counts: Mapping[str, int]
    ranges: tuple[StatusRange, ...] = ()
    dimensions: tuple[str, ...] = ()
    rows: tuple[GridRow, ...] = field(default=())
    keys: Sequence[str] = field(default=(), repr=False)


def partition_view(session: Session, name: Any) -> PartitionView:
    """Return how the partitions of an asset stand. Reads only: nothing is run.

    Raises:
        DagsterInvariantViolationError: when there's no such asset, or it isn't partitioned.
    """
    key, found = statuses_of(session, name)
    head = (key, str(found.cut), len(found.keys), found.counts)
    if not isinstance(found.cut, MultiPartitionsDefinition):
        return PartitionView(*head, ranges=tuple(found.ranges()), keys=found.keys)
    rows = tuple(grid(found))
    across = sum(one.many for one in rows[0].ranges) if rows else 0
    keys = [key.dimensions[1][1] for key in found.keys[:across]]  # type: ignore[attr-defined]  # as in `grid`
    return PartitionView(*head, dimensions=tuple(found.cut.partition_dimension_names), rows=rows, keys=keys)


def statuses_of(session: Session, name: Any) -> tuple[AssetKey, PartitionStatuses]:
    """Return how each partition of an asset stands.

    Raises:
        DagsterInvariantViolationError: when there's no such asset, or it isn't partitioned.
    """
    scanned = session.scan()
    key = session.key(name, scanned)
    with session.instance.looking():
        found = session.planning.survey(scanned).partitions.get(key)
    if found is None:
        raise not_partitioned(key)
    return key, found


def not_partitioned(key: AssetKey) -> DagsterInvariantViolationError:
    """Return the error for an asset without partitions."""
    hint = f"%%asset {key.label} --partitions daily:2024-01-01"
    return DagsterInvariantViolationError(f"`{key.label}` isn't partitioned", hint=hint)


def grid(found: PartitionStatuses) -> list[GridRow]:
    """Return the rows of two dimensions; the keys are in the order of the first, then of the second."""
    rows: dict[str, list[StatusRange]] = {}
    for key in found.keys:
        (_, first), (_, second) = key.dimensions  # type: ignore[attr-defined]  # they are MultiPartitionKey
        ranges, status = rows.setdefault(first, []), found.status(key)
        if ranges and ranges[-1].status == status:
            ranges[-1] = StatusRange(ranges[-1].start, second, ranges[-1].many + 1, status)
        else:
            ranges.append(StatusRange(second, second, 1, status))
    return [GridRow(key, tuple(ranges)) for key, ranges in rows.items()]


# -- a table ----------------------------------------------------------------------------------------------------------


def partition_rows(session: Session, name: Any, word: str = "") -> list[dict[str, Any]]:
    """Return a row per range of neighbours that stand alike.

    Args:
        word: only those that stand so, e.g. ``stale``.

    Raises:
        DagsterInvariantViolationError: when there's no such asset, or it isn't partitioned.
    """
    key, found = statuses_of(session, name)
    made = {partition: session.ledger.materialized.get((key, partition)) for partition in found.known}
    place = {partition: number for number, partition in enumerate(found.keys)}
    return [
        row(one, [made.get(each) for each in found.keys[place[one.start] : place[one.end] + 1]])
        for one in found.ranges()
        if word in ("", one.status.word)
    ]


def row(one: StatusRange, made: Sequence[Materialized | None]) -> dict[str, Any]:
    """Return the row of a range: rows and seconds are those of all of it, the time is the last."""
    facts = [fact for fact in made if fact is not None]
    shapes = [fact.shape for fact in facts if fact.shape]
    return {
        "partitions": one.start if one.many == 1 else f"{one.start} .. {one.end}",
        "count": one.many,
        "status": one.status.word,
        "reason": "" if one.status.word in ("fresh", "missing") else one.status.reason,
        "rows": sum(shape[0] for shape in shapes) if shapes else None,
        "seconds": sum(fact.seconds for fact in facts) if facts else None,
        "when": max(fact.at for fact in facts) if facts else None,
    }
