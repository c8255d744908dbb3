"""The only code that runs on a worker: a function and its arguments in, what it produced and printed out.

Loading inputs before and storing outputs after are the kernel's.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ipy_orch.errors import DagsterExecutionInterruptedError
from ipy_orch.execution.capture import Sink, capture
from ipy_orch.execution.executors import Interruptible
from ipy_orch.model.ops import Signature

__all__ = ["Outcome", "Work", "arguments", "call"]


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """Be what a worker needs: the function, its arguments, and where its output goes."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    sink: Sink | None = None
    running: Interruptible = field(default_factory=Interruptible)
    positional: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """Be what came of a call: what it produced until it ended or raised, and how long it took in seconds.

    ``produced`` is the return value in a list of one, or all that a generator yielded.
    """

    produced: tuple[Any, ...]
    yielded: bool
    seconds: float
    error: BaseException | None = None


def call(work: Work) -> Outcome:
    """Call the function; never raises what the user's code raised, except to be interrupted."""
    started = time.perf_counter()
    produced: list[Any] = []
    error: BaseException | None = None
    yielded = False
    with capture(work.sink), work.running:
        try:
            value = work.function(*work.positional, **work.arguments)
            if inspect.iscoroutine(value):
                value = run_async(value)
            yielded = inspect.isgenerator(value) or inspect.isasyncgen(value)
            if inspect.isasyncgen(value):
                produced.extend(run_async(drain(value)))
            elif inspect.isgenerator(value):
                produced.extend(value)
            else:
                produced.append(value)
        except Exception as raised:  # noqa: BLE001 - the engine decides what becomes of it
            error = raised
    return Outcome(tuple(produced), yielded, time.perf_counter() - started, error)


def arguments(
    signature: Signature,
    inputs: Mapping[str, Any],
    *,
    context: Any = None,
    config: Any = None,
    resources: Mapping[str, Any] | None = None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return positional and named arguments for a function, from what a step has for it."""
    named = dict(inputs)
    if signature.config is not None:
        named[signature.config] = config
    for parameter, key in signature.resources.items():
        named[parameter] = (resources or {})[key]
    return ((context,) if signature.context is not None else ()), named


async def drain(items: Any) -> list[Any]:
    """Return all that an async generator yields."""
    return [item async for item in items]


def run_async(coroutine: Any) -> Any:
    """Run a coroutine to its end, also where an event loop runs in this thread already (as in a kernel).

    Raises:
        KeyboardInterrupt: when interrupted; the coroutine is cancelled first.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return run_beside(coroutine)


def run_beside(coroutine: Any) -> Any:
    """Run a coroutine on a loop of its own in a thread, and wait for it in a way that Ctrl-C can end."""
    loop = asyncio.new_event_loop()
    context = contextvars.copy_context()
    result: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            asyncio.set_event_loop(loop)
            result.append(loop.run_until_complete(coroutine))
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            errors.append(error)
        finally:
            loop.close()
            done.set()

    thread = threading.Thread(target=context.run, args=(run,), name="ipy_orch async step", daemon=True)
    thread.start()
    try:
        while not done.wait(0.1):  # an untimed wait would hold Ctrl-C back
            pass
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        cancel_all(loop)
        thread.join(2)
        raise
    if errors:
        raise errors[0]
    return result[0]


def cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel whatever runs on a loop of another thread."""

    def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()

    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: cancel(asyncio.all_tasks(loop)))
