"""The code that runs on a worker, and what interrupts it."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from typing import Any

import pytest

from ipy_orch.errors import DagsterExecutionInterruptedError
from ipy_orch.execution.capture import Sink, installed
from ipy_orch.execution.failures import add_hint, describe
from ipy_orch.execution.step import Work, arguments, call, run_async
from ipy_orch.execution.workers.executors import InlineExecutor, Interruptible, executor_for
from ipy_orch.model.ops import Signature


def test_value_comes_back_alone() -> None:
    """A returned value is a tuple of one."""
    outcome = call(Work(lambda x: x + 1, {"x": 1}))
    assert (outcome.produced, outcome.yielded, outcome.error) == ((2,), False, None)


def test_what_came_before_an_error_comes_back() -> None:
    """A generator's items, and then its error."""

    def items() -> Any:
        yield 1
        raise ValueError("no")

    outcome = call(Work(items, {}))
    assert outcome.produced == (1,)
    assert outcome.yielded
    assert isinstance(outcome.error, ValueError)


def test_async_items_before_an_error_come_back() -> None:
    """The same for an async generator."""

    async def items() -> Any:
        yield 1
        raise ValueError("no")

    outcome = call(Work(items, {}))
    assert outcome.produced == (1,)
    assert isinstance(outcome.error, ValueError)


def test_output_goes_into_the_sink_also_of_async_code() -> None:
    """Whatever thread the coroutine runs on."""

    async def speaks() -> None:
        await asyncio.sleep(0)
        print("hello")

    async def cell() -> Any:
        return call(Work(speaks, {}, Sink()))

    with installed():
        outcome = asyncio.run(cell())
    assert outcome.sink.chunks()[0].text == "hello\n"


def test_cancelled_coroutine_is_an_error() -> None:
    """A coroutine that cancels itself doesn't end the run."""

    async def gives_up() -> None:
        raise asyncio.CancelledError

    assert isinstance(call(Work(gives_up, {})).error, asyncio.CancelledError)


def test_arguments_by_kind() -> None:
    """Context first, then inputs, config and resources by name."""
    signature = Signature(print, context="context", config="config", resources={"db": "database"}, inputs=("raw",))
    positional, named = arguments(signature, {"raw": 1}, context="c", config="k", resources={"database": "d"})
    assert (positional, named) == (("c",), {"raw": 1, "config": "k", "db": "d"})


def test_work_of_a_finished_interrupt_does_not_begin() -> None:
    """A call that was interrupted before it began isn't made."""
    work = Work(lambda: 1, {})
    work.running.interrupt()
    with pytest.raises(DagsterExecutionInterruptedError):
        call(work)


def test_interrupt_ends_a_call_in_another_thread() -> None:
    """It is raised there, and the thread may be used again."""
    running, entered, ended = Interruptible(), threading.Event(), []

    def spin() -> None:
        try:
            with running:
                entered.set()
                while True:
                    time.sleep(0.001)
        except DagsterExecutionInterruptedError:
            ended.append(running.busy)

    thread = threading.Thread(target=spin)
    thread.start()
    entered.wait(5)
    running.interrupt()
    thread.join(5)
    assert ended == [False]


def test_interrupt_of_a_waiting_coroutine() -> None:
    """A thread that waits for its coroutine is woken, and the coroutine cancelled."""
    running, entered, seen = Interruptible(), threading.Event(), []

    async def waits() -> None:
        entered.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    def body() -> None:
        try:
            with running:
                run_async(waits())
        except DagsterExecutionInterruptedError:
            seen.append("interrupted")

    thread = threading.Thread(target=body)
    thread.start()
    entered.wait(5)
    running.interrupt()
    thread.join(5)
    assert seen == ["cancelled", "interrupted"]


def test_interruptible_crosses_processes() -> None:
    """Another process gets one of its own."""
    assert not pickle.loads(pickle.dumps(Interruptible())).busy


def test_inline_executor_has_finished_futures() -> None:
    """A call is made at once; its error waits in the future."""
    future = InlineExecutor().submit(divmod, 7, 2)
    assert (future.done(), future.result()) == (True, (3, 1))
    failed = InlineExecutor().submit(divmod, 7, 0)
    assert isinstance(failed.exception(), ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        failed.result()


def test_executor_for_one_worker_is_the_calling_thread() -> None:
    """More than one are threads."""
    assert isinstance(executor_for(1), InlineExecutor)
    with executor_for(2) as pool:
        assert pool.submit(threading.current_thread).result() is not threading.current_thread()


def test_described_error_has_one_line() -> None:
    """Type and first line of the message."""
    assert describe(ValueError("first\nsecond")).line == "ValueError: first"
    assert describe(KeyboardInterrupt()).line == "KeyboardInterrupt"


def test_hint_is_added_once() -> None:
    """A read-only array's error says how to copy; others stay as they are."""
    error = ValueError("assignment destination is read-only")
    add_hint(error, {})
    add_hint(error, {})
    assert len(error.__notes__) == 1
    plain = ValueError("other")
    add_hint(plain, {})
    assert not hasattr(plain, "__notes__")
