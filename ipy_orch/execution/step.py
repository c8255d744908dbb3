"""The only code that runs on a worker: a function and its arguments in, what it produced and printed out.

Loading inputs before and storing outputs after are the kernel's.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final

from ipy_orch.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError
from ipy_orch.execution.capture import Sink, capture
from ipy_orch.execution.contexts.contexts import OpExecutionContext
from ipy_orch.execution.contexts.current import Entered
from ipy_orch.execution.workers.executors import HAS_THREADS, Interruptible
from ipy_orch.model.ops import Signature
from ipy_orch.model.results import AssetMaterialization, AssetObservation, ExpectationResult

__all__ = ["EVENTS", "OF_A_STEP", "Outcome", "Work", "arguments", "call", "run_async"]

HEARTBEAT: Final = 0.1  # seconds; an untimed wait would hold Ctrl-C back
PATIENCE: Final = 2.0  # seconds that a cancelled coroutine has to end
OF_A_STEP: Final = (Exception, SystemExit, asyncio.CancelledError)  #: what a step fails by; anything else ends the run
EVENTS: Final = (AssetMaterialization, AssetObservation, ExpectationResult)
NOTHING_AROUND: Final = nullcontext()


@dataclass(eq=False, slots=True)
class Work:
    """Be what a worker needs: the function, its arguments, its context, and where its output goes.

    Args:
        around: is entered around the call, where it runs; only for executors of this process.
        belongings: the resources that a function takes along to another process.
        stays: whether its value may stay there.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    sink: Sink | None = None
    running: Interruptible = field(default_factory=Interruptible)
    positional: tuple[Any, ...] = ()
    context: OpExecutionContext | None = None
    around: AbstractContextManager[Any] | None = None
    belongings: Any = None
    stays: bool = False


@dataclass(eq=False, slots=True)
class Outcome:
    """Be what came of a call: what it produced until it ended or raised, and how long it took in seconds.

    Args:
        produced: the return value in a tuple of one, or all that a generator yielded.
        yielded: which of the two.
        sink: what it printed.
        notes: what it told its context, where it ran in another process.
    """

    produced: tuple[Any, ...]
    yielded: bool
    seconds: float
    error: BaseException | None = None
    sink: Sink | None = None
    notes: Any = None


def call(work: Work) -> Outcome:
    """Call the function; never raises what the user's code raised, except to be interrupted."""
    produced: list[Any] = []
    error: BaseException | None = None
    yielded = False
    started = time.perf_counter()
    with capture(work.sink), Entered(work.context), work.around or NOTHING_AROUND, work.running:
        try:
            value = work.function(*work.positional, **work.arguments)
            if type(value) is CoroutineType:
                value = run_async(value)
            yielded = type(value) in (GeneratorType, AsyncGeneratorType)
            if type(value) is AsyncGeneratorType:
                run_async(drain(value, produced, work.context))
            elif yielded:
                for item in value:
                    note(item, produced, work.context)
            else:
                produced.append(value)
        except OF_A_STEP as raised:
            error = raised
    return Outcome(tuple(produced), yielded, time.perf_counter() - started, error, work.sink)


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


async def drain(items: Any, produced: list[Any], context: OpExecutionContext | None) -> None:
    """Put all that an async generator yields into a list, as it comes."""
    async for item in items:
        note(item, produced, context)


def note(item: Any, produced: list[Any], context: OpExecutionContext | None) -> None:
    """Take note of what a generator yielded; a report goes where those go that are logged, to keep their order."""
    if context is not None and isinstance(item, EVENTS):
        context.log_event(item)
        return
    produced.append(item)
    if context is not None:
        context.note(item)


def run_async(coroutine: Any) -> Any:
    """Run a coroutine to its end, also where an event loop runs in this thread already (as in a kernel).

    Raises:
        KeyboardInterrupt: when interrupted; the coroutine is cancelled first.
        DagsterInvariantViolationError: in a browser that can't wait for one.
    """
    if not HAS_THREADS:
        return run_in_browser(coroutine)
    if threading.current_thread() is not threading.main_thread() or loop_runs():
        return run_beside(coroutine)
    return asyncio.run(coroutine)


def loop_runs() -> bool:
    """Tell whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run_in_browser(coroutine: Any) -> Any:
    """Run a coroutine on the browser's own loop, which goes on meanwhile."""
    ffi = import_module("pyodide.ffi")
    if ffi.can_run_sync():
        return ffi.run_sync(coroutine)
    coroutine.close()
    raise DagsterInvariantViolationError(
        "this browser can't wait for an `async` function",
        hint="a browser with JavaScript Promise Integration, as Chrome 137 or newer, or a plain function",
    )


def run_beside(coroutine: Any) -> Any:
    """Run a coroutine on a loop of its own in a thread, and wait for it in a way that an interrupt can end."""
    loops: list[asyncio.AbstractEventLoop] = []
    results: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            with asyncio.Runner() as runner:
                loops.append(runner.get_loop())
                results.append(runner.run(coroutine))
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name="ipy_orch async step", daemon=True)
    try:
        thread.start()  # in here: an interrupt may come as soon as the coroutine runs
        while not done.wait(HEARTBEAT):
            pass
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        for loop in loops:
            cancel_all(loop)
        done.wait(PATIENCE)
        raise
    thread.join(PATIENCE)
    if errors:
        raise errors[0]
    return results[0]


def cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel whatever runs on a loop of another thread."""

    def cancel() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    if not loop.is_closed():
        loop.call_soon_threadsafe(cancel)
