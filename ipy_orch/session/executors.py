"""Where the steps of a request run, by the name that a person gives: threads, processes, dask, ipyparallel, a variable.

``inline`` and ``threads`` are of this process. What has processes of its own is wrapped in an
:class:`~ipy_orch.execution.workers.away.Away`, which carries functions, values and resources over. Clusters are never
started here: one that runs is used, and left as it is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from ipy_orch.errors import DagsterUnmetExecutorRequirementsError, closest
from ipy_orch.execution.workers.away import Away, interrupt_calls
from ipy_orch.execution.workers.executors import executor_for
from ipy_orch.execution.workers.near import Near
from ipy_orch.execution.workers.processes import started

__all__ = ["NAMES", "NoSuchExecutor", "Place", "asked", "asked_for", "place_of"]

Place: TypeAlias = tuple[Executor, int]  #: an executor, and how many steps it takes at once
SOON: Final = 3  # seconds until a cluster must have answered
AHEAD: Final = 2  # steps per worker that are handed over at once: the next is there when one is done


ASKED: Final[ContextVar[Any]] = ContextVar("executor", default=None)


@contextmanager
def asked_for(executor: Any) -> Iterator[None]:
    """Have the runs of a block take an executor; None leaves the choice to the session's settings."""
    token = ASKED.set(executor)
    try:
        yield
    finally:
        ASKED.reset(token)


def asked() -> Any:
    """Return the executor that the runs of this context are to take, None where nothing was said."""
    return ASKED.get()


def place_of(said: Any, workers: int, namespace: Mapping[str, Any]) -> Place:
    """Return the executor that is meant, and how many steps run at once.

    Args:
        said: None or "" for threads, and for the calling thread where there's one worker; a name of :data:`NAMES`,
            ``dask:ADDRESS``, the name of a variable, or what such a variable may hold: a
            ``concurrent.futures.Executor``, a dask ``Client`` or cluster, an ipyparallel ``Client`` or view.
        workers: how many steps run at once; a cluster has more to say about that.

    Raises:
        NoSuchExecutor: for what is none, isn't installed, or has no workers.
    """
    if said is None or said == "":
        return executor_for(workers), workers
    if not isinstance(said, str):
        return adopted(said, workers, "the executor")
    name, _, rest = said.partition(":")
    if name in NAMES:
        return NAMES[name](workers, rest, namespace)
    if said in namespace:
        return adopted(namespace[said], workers, f"`{said}`")
    hint = closest(said, [*NAMES, *(key for key, value in namespace.items() if is_place(value))])
    raise NoSuchExecutor(
        f"there is no executor `{said}`", hint=hint or f"one of {', '.join(NAMES)}, or a variable that holds one"
    )


def adopted(value: Any, workers: int, what: str) -> Place:
    """Return the executor that a person has made: it stays theirs, and isn't shut down.

    Raises:
        NoSuchExecutor: for anything else.
    """
    if (cluster := of_cluster(value)) is not None:
        return cluster
    count = getattr(value, "_max_workers", 0) or (workers if workers > 1 else os.cpu_count() or 1)
    if isinstance(value, ThreadPoolExecutor):
        return Kept(value), count
    if isinstance(value, Executor):
        return Away(value, by_value=True), count
    raise NoSuchExecutor(
        f"{what} is no executor but of type `{type(value).__name__}`",
        hint="a `concurrent.futures.Executor`, a dask `Client`, an ipyparallel `Client`",
    )


def of_cluster(value: Any) -> Place | None:
    """Return the executor of a dask or ipyparallel client, cluster or view; None for anything else."""
    package = type(value).__module__.partition(".")[0]
    if package == "distributed" and not isinstance(value, Executor):
        client = value.get_client() if hasattr(value, "get_client") else value
        return of_dask(client) if hasattr(client, "get_executor") else None
    if package == "ipyparallel":
        client = getattr(value, "client", value)
        return of_ipyparallel(client) if hasattr(client, "load_balanced_view") else None
    return None


class NoSuchExecutor(DagsterUnmetExecutorRequirementsError):
    """Tell that there is no such place to run steps."""


class Kept(Executor):
    """Run calls on threads that a person has made, and leave these as they are; the context of the submitter counts."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.threads = threads

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit ``fn`` with the context of now."""
        return self.threads.submit(copy_context().run, fn, *args, **kwargs)


# -- processes ---------------------------------------------------------------------------------------------------------


def processes(workers: int, _rest: str, _namespace: Mapping[str, Any]) -> Place:
    """Return processes for one run: what they import is as it is now."""
    require("processes", "cloudpickle", "tblib")
    count = workers if workers > 1 else os.cpu_count() or 1
    return started(count, "spawn"), count


# -- clusters ----------------------------------------------------------------------------------------------------------


def dask(_workers: int, address: str, _namespace: Mapping[str, Any]) -> Place:
    """Return the dask cluster at an address, or that of the client which this process has.

    Raises:
        NoSuchExecutor: when there's none.
    """
    require("dask", "distributed", "cloudpickle", "tblib")
    distributed = import_module("distributed")
    try:
        client = (
            distributed.Client(address, set_as_default=False, timeout=SOON) if address else distributed.get_client()
        )
    except (OSError, ValueError) as error:
        raise NoSuchExecutor(
            f"there is no dask scheduler at `{address}`" if address else "no dask client runs here",
            hint="`from distributed import Client; client = Client()`, then `--executor dask`",
        ) from error
    return of_dask(client)


def of_dask(client: Any) -> Place:
    """Return the executor of a dask client; dask itself runs a task again whose worker was lost.

    Raises:
        NoSuchExecutor: when its cluster has no workers.
    """
    slots = sum(client.ncores().values())
    refuse_empty(slots, "the dask cluster", "`cluster.scale(2)`")

    def interrupt(_executor: Executor, tokens: list[str]) -> None:
        client.run(interrupt_calls, tokens, wait=False)

    return Near(client, interrupt=interrupt, by_value=True), slots * AHEAD


def ipyparallel(_workers: int, profile: str, namespace: Mapping[str, Any]) -> Place:
    """Return the ipyparallel cluster of a profile, or that of a client among the notebook's variables.

    Raises:
        NoSuchExecutor: when there's none.
    """
    require("ipyparallel", "ipyparallel", "cloudpickle", "tblib")
    module = import_module("ipyparallel")
    clients = [value for value in namespace.values() if isinstance(value, module.Client)]
    try:
        client = clients[-1] if clients and not profile else module.Client(profile=profile or None, timeout=SOON)
    except (OSError, module.error.TimeoutError) as error:
        raise NoSuchExecutor(
            "no ipyparallel cluster runs here",
            hint="`import ipyparallel; client = ipyparallel.Cluster(n=2).start_and_connect_sync()`",
        ) from error
    return of_ipyparallel(client)


def of_ipyparallel(client: Any) -> Place:
    """Return the executor of an ipyparallel client's load-balanced view.

    Raises:
        NoSuchExecutor: when its cluster has no engines.
    """
    slots = len(client.ids)
    refuse_empty(slots, "the ipyparallel cluster", "`ipcluster engines --n=2`")

    def interrupt(_executor: Executor, _tokens: list[str]) -> None:
        client.abort(block=False)
        client.send_signal(signal.SIGINT, block=False)

    executor = client.load_balanced_view().executor
    return Away(executor, lost=is_lost_engine, interrupt=interrupt, by_value=True), slots * AHEAD


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


def require(extra: str, *modules: str) -> None:
    """Refuse an executor whose libraries aren't installed.

    Raises:
        NoSuchExecutor: naming them.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise NoSuchExecutor(
            f"{names} {'is' if len(missing) == 1 else 'are'} not installed", hint=f"pip install 'ipy-orch[{extra}]'"
        )


def inline(_workers: int, _rest: str, _namespace: Mapping[str, Any]) -> Place:
    """Return the calling thread."""
    return executor_for(1), 1


def threads(workers: int, _rest: str, _namespace: Mapping[str, Any]) -> Place:
    """Return threads of this process, two where nothing says how many."""
    count = max(workers, 2)
    return executor_for(count), count


def is_place(value: Any) -> bool:
    """Tell whether a variable may be named as an executor."""
    return isinstance(value, Executor) or type(value).__module__.partition(".")[0] in {"distributed", "ipyparallel"}


NAMES: Final[dict[str, Callable[[int, str, Mapping[str, Any]], Place]]] = {
    "inline": inline,
    "threads": threads,
    "processes": processes,
    "dask": dask,
    "ipyparallel": ipyparallel,
}
