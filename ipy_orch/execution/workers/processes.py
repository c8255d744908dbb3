"""Processes to run the steps of a job in, as ``multiprocess_executor`` asks for them."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from ipy_orch.execution.workers.adopting import terminate
from ipy_orch.execution.workers.away import Away
from ipy_orch.model.executors import processes

__all__ = ["started"]


@processes.supply
def started(workers: int, start_method: str = "spawn") -> Away:
    """Return so many processes, started when they're needed: what they import is as it is then."""

    def made() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(workers, multiprocessing.get_context(start_method), initializer=ignore_interrupts)

    return Away(made(), renew=made, lost=is_broken, interrupt=terminate, owned=True)


def is_broken(error: BaseException) -> bool:
    """Tell whether a process of a pool died, which breaks the pool."""
    return isinstance(error, BrokenProcessPool)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the kernel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
