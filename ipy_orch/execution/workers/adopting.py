"""What a person has made to run steps on, as the engine takes it: a pool, a client, a cluster, a view.

What has processes of its own is wrapped in an :class:`~ipy_orch.execution.workers.away.Away`, which carries functions,
values and resources over. It stays its maker's: nothing here shuts it down.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final

from ipy_orch.errors import DagsterUnmetExecutorRequirementsError
from ipy_orch.execution.workers.away import Away, interrupt_calls
from ipy_orch.execution.workers.executors import ContextThreads, InlineExecutor
from ipy_orch.execution.workers.lanes import Place
from ipy_orch.execution.workers.near import Near

__all__ = ["NoSuchExecutor", "adopted", "of_dask", "of_ipyparallel", "terminate"]

AHEAD: Final = 2  # steps per worker that are handed over at once: the next is there when one is done
SIGNALLED: Final = 2  # seconds that engines have to say that a signal has come
OURS: Final = (Away, ContextThreads, InlineExecutor)


class NoSuchExecutor(DagsterUnmetExecutorRequirementsError):
    """Tell that there is no such place to run steps."""


class Kept(Executor):
    """Run calls on threads that a person has made, and leave these as they are; the context of the submitter counts."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.threads = threads

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit ``fn`` with the context of now."""
        return self.threads.submit(copy_context().run, fn, *args, **kwargs)


def adopted(value: Any, workers: int, what: str, *, is_new: bool = False) -> Place:
    """Return a place that runs steps on what a person has made.

    Args:
        value: a ``concurrent.futures.Executor``, a dask ``Client`` or cluster, an ipyparallel ``Client`` or view.
        workers: how many steps run at once, where it doesn't say; up to one means as many as there are processors.
        what: names it in messages.
        is_new: whether it was made for this run, so that a cancel may end its processes.

    Raises:
        NoSuchExecutor: for anything else, and for a cluster without workers.
    """
    if (cluster := of_cluster(value)) is not None:
        return cluster
    count = getattr(value, "_max_workers", None) or (workers if workers > 1 else os.cpu_count() or 1)
    if isinstance(value, OURS):
        return Place(value, count)
    if isinstance(value, ThreadPoolExecutor):
        return Place(Kept(value), count)
    if isinstance(value, Executor):
        stop = terminate if is_new else None
        return Place(Away(value, interrupt=stop, by_value=True), count)
    raise NoSuchExecutor(
        f"{what} is no executor but of type `{type(value).__name__}`",
        hint="a `concurrent.futures.Executor`, a dask `Client`, an ipyparallel `Client`",
    )


def of_cluster(value: Any) -> Place | None:
    """Return the place that a dask or ipyparallel client, cluster or view is; None for anything else."""
    package = type(value).__module__.partition(".")[0]
    if package == "distributed" and not isinstance(value, Executor):
        client = value.get_client() if hasattr(value, "get_client") else value
        return of_dask(client) if hasattr(client, "get_executor") else None
    if package == "ipyparallel":
        client = getattr(value, "client", value)
        return of_ipyparallel(client) if hasattr(client, "load_balanced_view") else None
    return None


def of_dask(client: Any) -> Place:
    """Return the place that a dask client is; dask itself runs a task again whose worker was lost.

    Raises:
        NoSuchExecutor: when its cluster has no workers.
    """
    slots = sum(client.ncores().values())
    refuse_empty(slots, "the dask cluster", "`cluster.scale(2)`")

    def interrupt(_executor: Executor, tokens: list[str]) -> None:
        client.run(interrupt_calls, tokens, on_error="ignore")

    return Place(Near(client, interrupt=interrupt, by_value=True), slots * AHEAD)


def of_ipyparallel(client: Any) -> Place:
    """Return the place that an ipyparallel client's load-balanced view is.

    Raises:
        NoSuchExecutor: when its cluster has no engines.
    """
    slots = len(client.ids)
    refuse_empty(slots, "the ipyparallel cluster", "`ipcluster engines --n=2`")

    def interrupt(_executor: Executor, _tokens: list[str]) -> None:
        client.abort(block=False)
        client.send_signal(signal.SIGINT, block=False).wait(SIGNALLED)  # one that came late would meet the next run

    executor = client.load_balanced_view().executor
    return Place(Away(executor, lost=is_lost_engine, interrupt=interrupt, by_value=True), slots * AHEAD)


def terminate(executor: Executor, _tokens: list[str]) -> None:
    """End the processes of a pool: what runs in C wouldn't hear an interrupt."""
    for process in [*(getattr(executor, "_processes", None) or {}).values()]:
        process.terminate()


def is_lost_engine(error: BaseException) -> bool:
    """Tell whether an engine died under a task; the controller reports it as an exception from there."""
    return "EngineError" in (type(error).__name__, getattr(error, "ename", ""))


def refuse_empty(slots: int, what: str, hint: str) -> None:
    """Refuse a cluster that nothing would run on.

    Raises:
        NoSuchExecutor: for one without workers.
    """
    if not slots:
        raise NoSuchExecutor(f"{what} has no workers", hint=hint)
