"""Runs on a thread of their own, so that whoever asks for one, a widget say, has its answer at once.

``Session.submit`` calls the very verbs that a cell calls. What differs is around them: steps run on a worker, so that a
cancel is heard at once, whatever they do; and each runs in the context in which its asset's cell ran, so that what it
prints stands below that cell. One run goes on at a time; a second one waits.
"""

from __future__ import annotations

import _thread
import contextvars
import itertools
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import Any, Final

from ipy_orch.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError
from ipy_orch.execution.step import Work
from ipy_orch.execution.workers.executors import HAS_THREADS, ContextThreads, InlineExecutor, Interruptible
from ipy_orch.session.cellbook import Cell
from ipy_orch.session.report import Report

__all__ = ["Cancel", "Queue", "Submitted", "context_of", "executor_in_cells", "submitted"]

MOST_WAITING: Final = 8
HEARTBEAT: Final = 0.05  # seconds; so soon a run that waits for its turn hears a cancel


class Cancel(threading.Event):
    """Be the flag that ends a run; setting it also stops a step that runs in the thread of the run's own loop."""

    def __init__(self) -> None:
        super().__init__()
        self.guard = threading.Lock()
        self.inline: int | None = None
        self.interruptible = Interruptible()

    @contextmanager
    def stopping(self, executor: Executor) -> Iterator[None]:
        """Surround a run whose steps may run in its own thread, where nobody looks at a flag meanwhile."""
        if not isinstance(executor, InlineExecutor):
            yield
            return
        main = threading.main_thread().ident
        self.inline = threading.get_ident()
        try:
            if self.inline == main:
                yield
            else:
                with self.interruptible:
                    yield
        finally:
            with self.guard:
                self.inline = None

    def set(self) -> None:
        """End the run, from any thread. In the main thread it is as if the person had pressed Ctrl-C."""
        super().set()
        with self.guard:
            if self.inline in (None, threading.get_ident()):
                return
            if self.inline != threading.main_thread().ident:
                self.interruptible.interrupt()
            elif hasattr(signal, "pthread_kill"):
                signal.pthread_kill(self.inline, signal.SIGINT)  # which also ends a wait in C, such as time.sleep
            else:
                _thread.interrupt_main()


class CellThreads(ContextThreads):
    """Run each step on a thread, in the context in which its cell ran."""

    def __init__(self, workers: int, context_of: Callable[[Any], Context | None]) -> None:
        super().__init__(workers, thread_name_prefix="ipy_orch")
        self.context_of = context_of

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit ``fn``; a step's in its cell's context, anything else in that of now."""
        work = args[0] if args and isinstance(args[0], Work) else None
        saved = self.context_of(work.context.definition) if work is not None and work.context is not None else None
        if saved is None:
            return super().submit(fn, *args, **kwargs)
        return super().submit(saved.copy().run, fn, *args, **kwargs)


class Submitted:
    """Be a run that was submitted: wait for it, or end it.

    Args:
        what: was asked for, in words.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.cancelled = Cancel()
        self.future: Future[Report] = Future()

    def cancel(self) -> None:
        """End it, from any thread, also while it still waits; nothing half done is stored."""
        self.cancelled.set()

    @property
    def done(self) -> bool:
        """Tell whether it is over."""
        return self.future.done()

    def result(self, timeout: float | None = None) -> Report:
        """Wait for the run and return its report.

        Raises:
            TimeoutError: when it isn't over after so many seconds.
            DagsterExecutionInterruptedError: when it was canceled.
            DagsterError: when the request can't be met.
        """
        return self.future.result(timeout)

    def when_done(self, call: Callable[[Submitted], object]) -> None:
        """Have a function called when it is over, in whatever thread ends it."""
        self.future.add_done_callback(lambda _: call(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.what!r} {'done' if self.done else 'going on'}>"


ONE: ContextVar[Submitted | None] = ContextVar("ipy_orch_submitted", default=None)


def submitted() -> Submitted | None:
    """Return the submitted run that goes on in this context, or None."""
    return ONE.get()


def executor_in_cells(workers: int, cells: Mapping[Any, Cell]) -> CellThreads:
    """Return the executor of a submitted run.

    Args:
        cells: definition -> the cell it is from.
    """
    return CellThreads(workers, lambda definition: context_of(definition, cells))


def context_of(definition: Any, cells: Mapping[Any, Cell]) -> Context | None:
    """Return the context in which the cell of a definition ran, if it is from one."""
    cell = cells.get(definition)
    return cell.context if cell is not None else None


class Queue:
    """Hold the runs that were submitted and aren't over, the one that goes on first.

    Args:
        lock: the session's, which every run holds.
    """

    numbers: Final = itertools.count(1)

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.waiting: list[Submitted] = []
        self.moved = threading.Condition()

    def submit(self, verb: Callable[[], Report], what: str) -> Submitted:
        """Call a verb of the session on a thread, when its turn comes; at once where there are no threads.

        Raises:
            DagsterInvariantViolationError: when too many wait already.
        """
        if len(self.waiting) >= MOST_WAITING:
            raise DagsterInvariantViolationError(f"{len(self.waiting)} runs wait already", hint="cancel them first")
        one = Submitted(what)
        self.waiting.append(one)
        context = contextvars.copy_context()
        name = f"ipy_orch run {next(self.numbers)}"
        if HAS_THREADS:
            threading.Thread(target=context.run, args=(self.take_turn, one, verb), name=name, daemon=True).start()
        else:
            context.run(self.take_turn, one, verb)
        return one

    def cancel(self) -> None:
        """End all of them."""
        for one in [*self.waiting]:
            one.cancel()

    def take_turn(self, one: Submitted, verb: Callable[[], Report]) -> None:
        """Wait for the lock, run, and tell what came of it."""
        ONE.set(one)
        report, error = None, None
        try:
            report = self.call(one, verb)
        except BaseException as raised:
            error = raised
        with self.moved:
            self.waiting.remove(one)
            self.moved.notify_all()
        if error is not None:
            one.future.set_exception(error)
        elif report is not None:
            one.future.set_result(report)

    def call(self, one: Submitted, verb: Callable[[], Report]) -> Report:
        """Call a verb when those before it are over and no other run goes on; a lock alone keeps no order."""
        with self.moved:
            while self.waiting[0] is not one and not one.cancelled.is_set():
                self.moved.wait(HEARTBEAT)
        while not self.lock.acquire(timeout=HEARTBEAT):
            if one.cancelled.is_set():
                raise DagsterExecutionInterruptedError
        try:
            if one.cancelled.is_set():
                raise DagsterExecutionInterruptedError
            report = verb()
        finally:
            self.lock.release()
        if report.result is not None and report.result.status == "canceled":
            raise DagsterExecutionInterruptedError
        return report
