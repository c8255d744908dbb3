"""What a cell shows of partitions: which one it makes, how many others are due, and what to type for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ipy_orch.model.keys import AssetKey
from ipy_orch.session.cellbook import Cell
from ipy_orch.session.partitions.choosing import cuts_of, is_key
from ipy_orch.session.report import Line, Report
from ipy_orch.session.session import Session

__all__ = ["due", "lacks_partitions", "next_partitions", "partition_in", "partition_of", "with_more"]


def partition_of(session: Session, keys: Sequence[AssetKey], cell: Cell) -> str | None:
    """Return the partition that running a cell makes: the one it says, else the one looked at, else the last."""
    scanned = session.scan()
    cuts = cuts_of(keys, scanned.graph)
    if not cuts:
        return None
    if cell.source is not None and (said := cell.source.options.get("partition")):
        return str(said)
    looked_at = {session.looked_at.get(key) for key in cuts}
    with session.instance.looking():
        valid = [one for one in looked_at if one is not None and all(is_key(one, cut) for cut in cuts.values())]
    return valid[0] if len(looked_at) == 1 and valid else "last"


def lacks_partitions(session: Session, key: AssetKey) -> bool:
    """Tell whether an asset is partitioned, and there isn't a partition yet."""
    scanned = session.scan()
    cut = cuts_of([key], scanned.graph).get(key)
    with session.instance.looking():
        return cut is not None and cut.get_last_partition_key() is None


def due(session: Session, key: AssetKey) -> str:
    """Return how many partitions of an asset are stale or have failed, and what to type; "" where none."""
    counts = session.planning.survey(session.scan()).partitions[key].counts
    bad = [f"{many:,} partitions {word}" for word, many in counts.items() if word in ("stale", "failed")]
    return f"{', '.join(bad)} (`%backfill {key.label}`)" if bad else ""


def next_partitions(session: Session, key: AssetKey) -> list[str]:
    """Return how many partitions of an asset are fresh, and what to type next; nothing where all are."""
    scanned = session.scan()
    if not cuts_of([key], scanned.graph):
        return []
    found = session.planning.survey(scanned).partitions[key]
    fresh, total = found.counts.get("fresh", 0), len(found.keys)
    if not total:
        name = getattr(found.cut, "name", None)
        return ["no partitions yet", *([f"next: %partitions {key.label} --add KEY,KEY"] if name else [])]
    return [] if fresh == total else [f"{fresh:,}/{total:,} partitions fresh", f"next: %backfill {key.label}"]


def partition_in(report: Report, key: AssetKey) -> str | None:
    """Return the partition of an asset that a request was about, where it was about one; else its last that ran."""
    asked = report.plan.request.chosen_of(key)
    ran = [one for step in report.plan.steps if key in step.keys for one in step.partitions]
    return asked[0] if len(asked) == 1 else ran[-1] if ran else None


def with_more(line: Line, more: Sequence[str]) -> Line:
    """Return a line with more to tell."""
    return replace(line, text=" · ".join([line.text, *more]))
