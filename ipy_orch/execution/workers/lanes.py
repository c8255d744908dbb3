"""The places where steps run, and the lanes in front of them.

Most runs have one place, and their engine takes steps from the frontier as that has room. Where steps say for
themselves where they run, each waits in the lane of its own place:

    frontier --ready--> Lanes --room in dask--------------> 2 steps per worker
                              --room in processes---------> 1 step per process
                              --room in the calling thread> 1 step, last: nothing else is handed over while it runs
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from heapq import heappop, heappush
from typing import Final

from ipy_orch.execution.workers.away import Away
from ipy_orch.execution.workers.executors import ContextThreads, InlineExecutor
from ipy_orch.execution.workers.near import Near

__all__ = ["Lanes", "Place"]

AT_ONCE: Final = 10_000  # an executor that is given has a queue of its own


class Place:
    """Be where steps run.

    Args:
        executor: of the steps.
        workers: how many it takes at once.
    """

    __slots__ = ("executor", "is_away", "is_inline", "is_local", "near", "slots")

    def __init__(self, executor: Executor, workers: int = 1) -> None:
        self.executor = executor
        self.is_inline = isinstance(executor, InlineExecutor)
        self.is_local = self.is_inline or isinstance(executor, ThreadPoolExecutor)
        self.is_away = isinstance(executor, Away)
        self.near = executor if isinstance(executor, Near) else None
        is_ours = isinstance(executor, ContextThreads)
        self.slots = 1 if self.is_inline else workers if is_ours or workers > 1 else AT_ONCE


class Lanes:
    """Hold the steps that are ready until their own places have room for them.

    Args:
        here: where steps run that say nothing.
        apart: step -> where it runs.
    """

    def __init__(self, here: Place, apart: Mapping[str, Place]) -> None:
        self.here, self.apart = here, apart
        places = sorted({*apart.values(), here}, key=lambda place: place.is_inline)
        self.waiting: dict[Place, list[tuple[int, str]]] = {place: [] for place in places}
        self.ranks: dict[str, int] = {}

    def place_of(self, name: str) -> Place:
        """Return where a step runs."""
        return self.apart.get(name, self.here)

    def add(self, names: Iterable[str]) -> None:
        """Have steps wait that are ready; one that is tried again keeps its rank."""
        for name in names:
            rank = self.ranks.setdefault(name, len(self.ranks))
            heappush(self.waiting[self.place_of(name)], (rank, name))

    def take(self, running: Iterable[str]) -> list[str]:
        """Hand out the steps for which there's room, those of the calling thread last.

        Args:
            running: the steps that were handed out and aren't over.
        """
        busy = Counter(map(self.place_of, running))
        taken: list[str] = []
        for place, waiting in self.waiting.items():
            room = min(place.slots - busy[place], len(waiting))
            taken += [heappop(waiting)[1] for _ in range(room)]
        return taken
