"""Holding values in memory for as long as a run needs them.

An asset without partitions is held while the run goes on. A partition is held until all steps that read it have ended:
a backfill makes more than fits into memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ipy_orch.events.ledger import Place
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import Event, StepFailed, StepSkipped, StepSucceeded
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.planning.plan import Plan, Step

__all__ = ["held", "read_by"]


def read_by(step: Step) -> list[Place]:
    """Return what a step reads: assets, or partitions of them."""
    reading = step.reading
    if reading is None:
        return [(key, None) for key in step.inputs]
    return [(key, one) for key in step.inputs for one in (reading.all(key) or (None,))]


@contextmanager
def held(planned: Plan, store: SessionIOManager, log: EventLog) -> Iterator[None]:
    """Keep the values that a plan's steps read and make from being evicted too early, while the block runs."""
    owner = object()
    cut = [step for step in planned.steps if step.reading is not None]
    slots = {step.name: [place for place in read_by(step) if place[1] is not None] for step in cut}
    readers = Counter(place for places in slots.values() for place in places)
    whole = {key for step in planned.steps if step.reading is None or not all_cut(step) for key in step.inputs}
    whole |= {key for step in planned.steps if step.reading is None or step.partitions == (None,) for key in step.keys}
    for one in (*readers, *whole):
        store.pin(one, owner, loosely=True)

    def hear(event: Event) -> None:
        if not isinstance(event, StepSucceeded | StepFailed | StepSkipped):
            return
        for place in slots.pop(event.step, ()):
            readers[place] -= 1
            if not readers[place]:
                store.unpin(place, owner)

    unlisten = log.listen(hear) if readers else lambda: None
    try:
        yield
    finally:
        unlisten()
        store.release(owner)


def all_cut(step: Step) -> bool:
    """Tell whether all that a step reads is partitioned."""
    return step.reading is not None and all(step.reading.all(key) is not None for key in step.inputs)
