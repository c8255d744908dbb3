"""Where the steps of a request run, by the name that a person gives: threads, processes, dask, ipyparallel, a variable.

``inline`` and ``threads`` are of this process. Clusters are never started here: one that runs is used, and left as it
is. A step may name its own place; its run's is for those that say nothing.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from ipy_orch.errors import closest
from ipy_orch.execution.workers.adopting import NoSuchExecutor, adopted, of_dask, of_ipyparallel
from ipy_orch.execution.workers.executors import executor_for
from ipy_orch.execution.workers.lanes import Place
from ipy_orch.execution.workers.processes import started
from ipy_orch.model.executors import EXECUTOR
from ipy_orch.planning.plan import Plan

__all__ = ["LOCATION", "NAMES", "Clients", "NoSuchExecutor", "asked", "asked_for", "place_of", "places_apart"]

SOON: Final = 3  # seconds until a cluster must have answered
LOCATION: Final = "ipy_orch/location"  #: the tag of an op that a code location runs in its own process

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


class Clients:
    """Keep a client for each cluster that was named by its address, until the session ends."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        weakref.finalize(self, close_all, self.known).atexit = False  # their libraries see to that

    def client(self, said: str, connect: Callable[[], Any]) -> Any:
        """Return the client of an address, a new one where there's none, or it was closed.

        Args:
            said: the address, as a person wrote it.
            connect: makes one.
        """
        if said in self.known and not is_open(self.known[said]):
            close_all({said: self.known.pop(said)})
        if said not in self.known:
            self.known[said] = connect()
        return self.known[said]

    def close(self) -> None:
        """Close them all; the clusters go on."""
        close_all(self.known)


def is_open(client: Any) -> bool:
    """Tell whether a client of dask or ipyparallel has its connection."""
    if hasattr(client, "status"):
        return bool(client.status == "running")
    answered = threading.Event()

    def ask() -> None:
        with suppress(Exception):  # it was closed
            client.queue_status()
            answered.set()

    threading.Thread(target=ask, daemon=True).start()  # one whose controller was killed would wait for ever
    return answered.wait(SOON)


def close_all(clients: dict[str, Any]) -> None:
    """Close clients, and forget them."""
    while clients:
        _, client = clients.popitem()
        with suppress(Exception):  # its cluster may be gone
            client.close()


# -- a request's ------------------------------------------------------------------------------------------------------


def place_of(said: Any, workers: int, namespace: Mapping[str, Any], clients: Clients) -> Place:
    """Return where steps run.

    Args:
        said: None or "" for threads, and for the calling thread where there's one worker; a name of :data:`NAMES`,
            ``dask:ADDRESS``, the name of a variable, or what such a variable may hold: a
            ``concurrent.futures.Executor``, a dask ``Client`` or cluster, an ipyparallel ``Client`` or view.
        workers: how many steps run at once; a cluster has more to say about that.

    Raises:
        NoSuchExecutor: for what is none, isn't installed, or has no workers.
    """
    if said is None or said == "":
        return Place(executor_for(workers), workers)
    if not isinstance(said, str):
        return adopted(said, workers, "the executor")
    name, _, rest = said.partition(":")
    if name in NAMES:
        return NAMES[name](workers, rest, namespace, clients)
    if said in namespace:
        return adopted(namespace[said], workers, f"`{said}`")
    hint = closest(said, [*NAMES, *(key for key, value in namespace.items() if is_place(value))])
    raise NoSuchExecutor(
        f"there is no executor `{said}`", hint=hint or f"one of {', '.join(NAMES)}, or a variable that holds one"
    )


def places_apart(planned: Plan, here: Place, named: Callable[[str], Place]) -> dict[str, Place]:
    """Return step -> where it runs, of the steps that don't run where the others do.

    Those are the steps that say so themselves, and those of a code location, which has a process already.

    Args:
        here: where the others run.
        named: returns the place of a name.

    Raises:
        NoSuchExecutor: for a name that is none, with the step.
    """
    said = {
        step.name: name
        for step in planned.every_step
        if (name := step.call.tags.get(EXECUTOR) or step.call.op.tags.get(EXECUTOR))
    }
    if here.is_away:
        remote = [step.name for step in planned.every_step if LOCATION in step.call.op.tags]
        said |= dict.fromkeys(remote, "threads")
    places: dict[str, Place] = {}
    for step, name in said.items():
        if name not in places:
            try:
                places[name] = named(name)
            except NoSuchExecutor as error:
                raise NoSuchExecutor(error.message, where=f"`{step}`", hint=error.hint) from error.__cause__
    return {step: places[name] for step, name in said.items()}


# -- by name -----------------------------------------------------------------------------------------------------------


def in_this_thread(_workers: int, _rest: str, _namespace: Mapping[str, Any], _clients: Clients) -> Place:
    """Return the calling thread."""
    return Place(executor_for(1), 1)


def on_threads(workers: int, _rest: str, _namespace: Mapping[str, Any], _clients: Clients) -> Place:
    """Return threads of this process, two where nothing says how many."""
    count = max(workers, 2)
    return Place(executor_for(count), count)


def in_processes(workers: int, _rest: str, _namespace: Mapping[str, Any], _clients: Clients) -> Place:
    """Return processes for one run: what they import is as it is now."""
    require("processes", "cloudpickle", "tblib")
    count = workers if workers > 1 else os.cpu_count() or 1
    return Place(started(count, "spawn"), count)


def on_dask(_workers: int, address: str, _namespace: Mapping[str, Any], clients: Clients) -> Place:
    """Return the dask cluster at an address, or that of the client which this process has.

    Raises:
        NoSuchExecutor: when there's none.
    """
    require("dask", "distributed", "cloudpickle", "tblib")
    distributed = import_module("distributed")

    def connect() -> Any:
        return distributed.Client(address, set_as_default=False, timeout=SOON)

    try:
        return of_dask(clients.client(f"dask:{address}", connect) if address else distributed.get_client())
    except (OSError, ValueError) as error:
        raise NoSuchExecutor(
            f"there is no dask scheduler at `{address}`" if address else "no dask client runs here",
            hint="`from distributed import Client; client = Client()`, then `--executor dask`",
        ) from error


def on_ipyparallel(_workers: int, profile: str, namespace: Mapping[str, Any], clients: Clients) -> Place:
    """Return the ipyparallel cluster of a profile, or that of a client among the notebook's variables.

    Raises:
        NoSuchExecutor: when there's none.
    """
    require("ipyparallel", "ipyparallel", "cloudpickle", "tblib")
    module = import_module("ipyparallel")
    own = [value for value in namespace.values() if isinstance(value, module.Client)]
    if own and not profile:
        return of_ipyparallel(own[-1])
    said = f"ipyparallel:{profile}"
    try:
        client = clients.client(said, lambda: module.Client(profile=profile or None, timeout=SOON))
    except (OSError, module.error.TimeoutError) as error:
        raise NoSuchExecutor(
            "no ipyparallel cluster runs here",
            hint="`import ipyparallel; client = ipyparallel.Cluster(n=2).start_and_connect_sync()`",
        ) from error
    return of_ipyparallel(client)


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


def is_place(value: Any) -> bool:
    """Tell whether a variable may be named as an executor."""
    return isinstance(value, Executor) or type(value).__module__.partition(".")[0] in {"distributed", "ipyparallel"}


Named = Callable[[int, str, Mapping[str, Any], Clients], Place]
NAMES: Final[dict[str, Named]] = {
    "inline": in_this_thread,
    "threads": on_threads,
    "processes": in_processes,
    "dask": on_dask,
    "ipyparallel": on_ipyparallel,
}
