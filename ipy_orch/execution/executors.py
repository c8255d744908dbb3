"""Where steps run: any ``concurrent.futures.Executor``. These two are enough for one machine."""

from __future__ import annotations

import contextvars
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from ipy_orch.errors import DagsterExecutionInterruptedError

__all__ = ["InlineExecutor", "Interruptible", "executor_for"]


class InlineExecutor(Executor):
    """Run each call at once in the calling thread, so that Ctrl-C and the debugger reach it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call ``fn`` and return the finished future; what isn't an Exception goes to the caller."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future holds whatever was raised
            future.set_exception(error)
        return future


class ContextThreads(ThreadPoolExecutor):
    """Run calls on threads, each in a copy of the submitter's context, so that its output finds its cell."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit ``fn`` with the context of now."""
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)


def executor_for(workers: int) -> Executor:
    """Return the executor for this many workers; up to one means the calling thread."""
    return InlineExecutor() if workers <= 1 else ContextThreads(workers, thread_name_prefix="ipy_orch")


class Interruptible:
    """Let another thread interrupt the call that runs in this one.

    Pure Python stops at once; code in C stops when it comes back. Used as a context manager around the call.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: int | None = None

    def __enter__(self) -> Interruptible:
        with self.lock:
            self.thread = threading.get_ident()
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.thread = None

    def interrupt(self) -> None:
        """Raise DagsterExecutionInterruptedError in the thread that is inside, if one is."""
        with self.lock:
            if self.thread is not None:
                raise_in(self.thread, DagsterExecutionInterruptedError)


def raise_in(thread: int, error: type[BaseException]) -> None:
    """Raise ``error`` in a thread, at its next instruction of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
