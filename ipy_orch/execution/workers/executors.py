"""Where steps run: any ``concurrent.futures.Executor``. These two are enough for one machine."""

from __future__ import annotations

import contextvars
import ctypes
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, Final, Self

from ipy_orch.errors import DagsterExecutionInterruptedError

__all__ = ["HAS_THREADS", "ContextThreads", "InlineExecutor", "Interruptible", "executor_for"]

HAS_THREADS: Final[bool] = getattr(getattr(sys, "_emscripten_info", None), "pthreads", True)  #: not in a browser


class FinishedFuture(Future[Any]):
    """Be a future that is done from the beginning; it needs no lock, which is most of what a future costs."""

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value, self.error = value, error

    def result(self, timeout: float | None = None) -> Any:  # noqa: ARG002 - there's nothing to wait for
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value

    def exception(self, timeout: float | None = None) -> BaseException | None:  # noqa: ARG002
        """Return the error, if there is one."""
        return self.error

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """Call ``fn`` at once."""
        fn(self)

    def done(self) -> bool:
        """Return True."""
        return True

    def running(self) -> bool:
        """Return False."""
        return False

    def cancelled(self) -> bool:
        """Return False."""
        return False

    def cancel(self) -> bool:
        """Return False: it's too late."""
        return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.error or self.value!r}>"


class InlineExecutor(Executor):
    """Run each call at once in the calling thread, so that Ctrl-C and the debugger reach it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call ``fn`` and return the finished future; what isn't an Exception goes to the caller."""
        try:
            return FinishedFuture(fn(*args, **kwargs))
        except Exception as error:
            return FinishedFuture(error=error)


class ContextThreads(ThreadPoolExecutor):
    """Run calls on threads, each in a copy of the submitter's context, so that its output finds its cell."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit ``fn`` with the context of now."""
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)


def executor_for(workers: int) -> Executor:
    """Return the executor for this many workers; up to one means the calling thread."""
    return (
        InlineExecutor() if workers <= 1 or not HAS_THREADS else ContextThreads(workers, thread_name_prefix="ipy_orch")
    )


class Interruptible:
    """Let another thread interrupt the call that runs in this one.

    Pure Python stops at once; code in C stops when it comes back. Used as a context manager around the call; a call
    that hasn't begun when it is interrupted doesn't begin.
    """

    __slots__ = ("interrupted", "lock", "thread")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: int | None = None
        self.interrupted = False

    def __reduce__(self) -> tuple[Any, ...]:
        # on another machine nobody can interrupt it
        return type(self), ()

    def __enter__(self) -> Self:
        with self.lock:
            if self.interrupted:
                raise DagsterExecutionInterruptedError
            self.thread = threading.get_ident()
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            if self.interrupted and self.thread is not None:
                raise_in(self.thread, None)  # it came too late for the call, and the thread may belong to a pool
            self.thread = None

    @property
    def busy(self) -> bool:
        """Tell whether a thread is inside."""
        return self.thread is not None

    def interrupt(self) -> None:
        """Raise DagsterExecutionInterruptedError in the thread that is inside, if one is."""
        with self.lock:
            self.interrupted = True
            if self.thread is not None:
                raise_in(self.thread, DagsterExecutionInterruptedError)


def raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise ``error`` in a thread, at its next instruction of Python; None takes back what hasn't been raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
