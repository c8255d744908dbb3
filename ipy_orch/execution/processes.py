"""Processes to run steps in. Functions and values go there by value, so that those of a notebook can.

That takes ``cloudpickle``; without it, only what can be imported there can be run there.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent import futures
from typing import Any

from ipy_orch.model.executors import processes

__all__ = ["Processes"]


class Processes(futures.ProcessPoolExecutor):
    """Run calls in processes; the calls and what comes of them are pickled by value where that is possible."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Submit a call."""
        packed = dumps((fn, args, kwargs))
        return super().submit(run_packed, packed)


def run_packed(packed: bytes) -> Any:
    """Run a call in the other process; what it returns goes back by value, too."""
    function, args, kwargs = pickle.loads(packed)
    return Packed(function(*args, **kwargs))


class Packed:
    """Be a value that is pickled by value, and is itself again on the other side."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (dumps(self.value),)


def dumps(value: Any) -> bytes:
    """Return a value as bytes that another process can read."""
    by_value = importlib.util.find_spec("cloudpickle") is not None
    packed: bytes = importlib.import_module("cloudpickle" if by_value else "pickle").dumps(value)
    return packed


@processes.supply
def started(workers: int, start_method: str) -> Processes:
    """Return so many processes, started when they're needed."""
    return Processes(workers, multiprocessing.get_context(start_method))
