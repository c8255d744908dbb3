"""What is worth keeping of a long log: the last facts about each asset and check, and the newest runs whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Event, Forgotten, PartitionsChanged, RunStarted, Switched, Ticked

__all__ = ["Record", "compacted", "facts_of"]

MOST_RUNS: Final = 50
MOST_TICKS: Final[dict[type, int]] = {Ticked: 100, Switched: 1}  # of each schedule and sensor
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
    ledger, forgotten = Ledger(), dict[object, Event]()
    for record in records:
        event = record.event
        ledger.apply(event)
        if isinstance(event, Forgotten):
            forgotten[event.key, event.partition] = event
        elif isinstance(event, PartitionsChanged):
            forgotten.update({(event.name, key): event for key in event.removed})
    kept = {id(event) for event in (*facts_of(ledger), *forgotten.values(), *ticks_of(records))}
    newest = newest_runs(records, runs, events)
    return [record for record in records if id(record.event) in kept or record.event.run_id in newest]


def facts_of(ledger: Ledger) -> Iterable[Event]:
    """Yield the events of which a ledger consists."""
    yield from ledger.materialized.values()
    yield from ledger.observed.values()
    yield from ledger.checked.values()
    yield from ledger.failed.values()
    yield from ledger.raised.values()
    added = (event for keys in ledger.partitions.values() for event in keys.values())
    yield from {id(event): event for event in added}.values()


def ticks_of(records: Sequence[Record]) -> Iterable[Event]:
    """Yield what is worth keeping of ticks: of each schedule and sensor the newest, the switch, and all run keys."""
    left: dict[tuple[type, str], int] = {}
    for event in (record.event for record in reversed(records)):
        if isinstance(event, Ticked | Switched):
            place = type(event), event.name
            number = left[place] = left.get(place, 0) + 1
            if number <= MOST_TICKS[type(event)] or (isinstance(event, Ticked) and event.run_keys):
                yield event


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
