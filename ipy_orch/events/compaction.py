"""What is worth keeping of a long log: the last facts about each asset and check, and the newest runs whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Event, Forgotten, RunStarted

__all__ = ["Record", "compacted", "facts_of"]

MOST_RUNS: Final = 50
MOST_EVENTS: Final = 5_000  # of runs; the newest one stays whole, however long it is


class Record(NamedTuple):
    """Be an event and the line that it is written as."""

    event: Event
    line: bytes


def compacted(records: Sequence[Record], runs: int = MOST_RUNS, events: int = MOST_EVENTS) -> list[Record]:
    """Return those records, in their order, that are worth keeping.

    A fold over what is returned, and over anything else that is older or newer, ends as one over all.

    Args:
        runs: how many of the newest runs are kept whole.
        events: how many events they may have together.
    """
    ledger, forgotten = Ledger(), dict[object, Forgotten]()
    for record in records:
        ledger.apply(record.event)
        if isinstance(record.event, Forgotten):
            forgotten[record.event.key, record.event.partition] = record.event
    kept = {id(event) for event in (*facts_of(ledger), *forgotten.values())}
    newest = newest_runs(records, runs, events)
    return [record for record in records if id(record.event) in kept or record.event.run_id in newest]


def facts_of(ledger: Ledger) -> Iterable[Event]:
    """Yield the events of which a ledger consists."""
    yield from ledger.materialized.values()
    yield from ledger.observed.values()
    yield from ledger.checked.values()
    yield from ledger.failed.values()
    yield from ledger.raised.values()


def newest_runs(records: Sequence[Record], runs: int, events: int) -> set[str]:
    """Return the ids of the newest runs, as many as may be kept whole."""
    sizes: dict[str, int] = {}
    for record in records:
        run_id = record.event.run_id
        if isinstance(record.event, RunStarted):
            sizes.setdefault(run_id, 0)
        if run_id in sizes:
            sizes[run_id] += 1
    found: set[str] = set()
    for run_id in reversed(sizes):
        events -= sizes[run_id]
        if len(found) >= runs or (events < 0 and found):
            break
        found.add(run_id)
    return found
