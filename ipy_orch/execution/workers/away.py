"""Steps in other processes and on other machines: what goes there, and what comes back.

    kernel: Work --parcel--> bytes --> executor --> worker: open resources, step.call --> bytes --> Outcome, Notes

Functions, values and exceptions go by value (cloudpickle), with their tracebacks (tblib). Resources go as they are
defined and are opened where the function runs, so that a connection is made by the process that uses it. The kernel
loads the inputs and stores the outputs, as it does for steps of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from ipy_orch.errors import (
    DagsterInvariantViolationError,
    DagsterUnmetExecutorRequirementsError,
)
from ipy_orch.execution import capture
from ipy_orch.execution.contexts.contexts import OpExecutionContext
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.execution.step import OF_A_STEP, Outcome, Work, call
from ipy_orch.execution.workers.executors import Interruptible
from ipy_orch.execution.world import World
from ipy_orch.model.env import SECRETS
from ipy_orch.model.ops import OpDefinition
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.planning.code.modules import is_local_module

__all__ = ["Away", "Belongings", "belongings_of", "carried_out", "dumps", "interrupt_calls", "sent"]

MOST_LOSSES: Final = 3  # how many workers may be lost under one step
RUNNING: Final[dict[str, Interruptible]] = {}  #: of this worker: token -> the call that runs


@dataclass(slots=True)
class Belongings:
    """Be the resources that a function takes along.

    Args:
        parameters: parameter -> key, of those it gets as arguments.
        keys: of those in ``context.resources``.
        definitions: key -> resource, as defined.
        config: the ``resources`` part of run config.
    """

    parameters: Mapping[str, str]
    keys: frozenset[str]
    definitions: Mapping[str, Any]
    config: Mapping[str, Any]


def belongings_of(op: OpDefinition, world: World) -> Belongings:
    """Return the resources that an op's function takes along, with those that they need."""
    definitions: dict[str, Any] = {}
    keys = {id(one): key for key, one in world.resources.items()}
    front: list[Any] = [world.resources[key] for key in op.required_resource_keys if key in world.resources]
    while front:
        one = front.pop()
        key = keys.get(id(one))
        if key is not None and key in definitions:
            continue
        if key is not None:
            definitions[key] = one
        resource = as_resource(one)
        front += [world.resources[needed] for needed in resource.__required_keys__ if needed in world.resources]
        front += resource.__nested__().values()
    config = world.config.resources if world.config is not None else {}
    here = {key: part for key, part in config.items() if key in definitions}
    return Belongings(op.signature.resources, op.required_resource_keys, definitions, here)


@dataclass(slots=True)
class Parcel:
    """Be all that a worker needs for a step."""

    token: str
    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    takes_context: bool
    context: OpExecutionContext | None
    belongings: Belongings | None


@dataclass(slots=True)
class Notes:
    """Be what a function told its context on a worker, and which secrets were read there."""

    told: dict[str, Any] = field(default_factory=dict)
    logs: list[tuple[str, str]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def add_to(self, context: OpExecutionContext | None) -> None:
        """Tell the kernel's context the same."""
        SECRETS.learn(self.secrets)
        if context is None:
            return
        context.take(self.told)
        for level, text in self.logs:
            context.emit(level, text)


class Away(Executor):
    """Run steps on the workers of another executor.

    Args:
        executor: of processes or machines: a pool, dask's ``client.get_executor(pure=False)``, ipyparallel's
            ``view.executor``.
        renew: makes another one when a worker that died took the whole pool with it.
        lost: tells whether an exception says that a worker was lost; the step is then tried again.
        interrupt: stops what runs on the workers, given the tokens of the calls.
        owned: whether it is shut down after the run.
        by_value: whether the user's own modules go by value, too: workers that outlive the run may hold them as they
            were.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        renew: Callable[[], Executor] | None = None,
        lost: Callable[[BaseException], bool] = lambda _error: False,
        interrupt: Callable[[Executor, list[str]], None] | None = None,
        owned: bool = False,
        by_value: bool = False,
    ) -> None:
        self.by_value = by_value
        self._max_workers = getattr(executor, "_max_workers", None)
        self.executor, self.renew, self.lost = executor, renew, lost
        self.stop, self.owned = interrupt, owned
        self.tokens: dict[str, int] = {}  #: of the calls that aren't over -> workers lost under them
        self.serial = 0
        self.stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit the call of a step, or any other; a step with something that can't be pickled fails at once."""
        if fn is not call:
            return self.executor.submit(run_call, dumps((fn, args, kwargs)))
        (work,) = args
        self.serial += 1
        token = f"{id(self)}.{self.serial}"
        future: Future[Any] = Future()
        try:
            with local_modules() if self.by_value else nullcontext():
                packed = self.packed(work, token)
        except DagsterUnmetExecutorRequirementsError as error:
            future.set_exception(error)
            return future
        self.tokens[token] = 0
        self.send(token, packed, work, future)
        return future

    def packed(self, work: Work, token: str) -> bytes:
        """Return what a worker needs for a step, as bytes."""
        return parcel(work, token)

    def send(self, token: str, packed: bytes, work: Work, future: Future[Any]) -> None:
        """Hand a parcel to the executor, and pass on what comes of it."""
        try:
            inner = self.executor.submit(run_parcel, packed)
        except Exception as error:
            self.failed(error, token, packed, work, future)
            return
        inner.add_done_callback(lambda done: self.receive(done, token, packed, work, future))

    def receive(self, done: Future[Any], token: str, packed: bytes, work: Work, future: Future[Any]) -> None:
        """Unpack what a worker sent back; after the loss of the worker send the parcel again."""
        try:
            outcome = unpacked(done.result())
            if outcome.notes is not None:
                outcome.notes.add_to(work.context)
        except BaseException as error:  # what a callback raises is lost, and the step would never end
            self.failed(error, token, packed, work, future)
        else:
            self.finish(token, future, outcome)

    def failed(self, error: BaseException, token: str, packed: bytes, work: Work, future: Future[Any]) -> None:
        """Send a parcel again whose worker was lost, else say that the call failed."""
        if not self.lost(error):
            self.finish(token, future, error=error)
            return
        self.tokens[token] = losses = self.tokens.get(token, 0) + 1
        if self.stopped or losses >= MOST_LOSSES:
            error.add_note(f"the worker was lost {losses} times: it may need more memory than there is")
            self.finish(token, future, error=error)
            return
        self.replace()
        self.send(token, packed, work, future)

    def replace(self) -> None:
        """Start another pool, where the one there is broken."""
        if self.renew is not None and getattr(self.executor, "_broken", False):
            self.executor = self.renew()

    def finish(
        self, token: str, future: Future[Any], outcome: Outcome | None = None, error: BaseException | None = None
    ) -> None:
        """Say that a call is over."""
        self.tokens.pop(token, None)
        if error is not None:
            future.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))
        elif outcome is not None and outcome.error is not None and not isinstance(outcome.error, OF_A_STEP):
            future.set_exception(outcome.error)  # it ends the run, as it does when it is raised in this process
        else:
            future.set_result(outcome)

    def interrupt(self) -> None:
        """Stop what runs on the workers; what they made is dropped."""
        self.stopped = True
        tokens = list(self.tokens)  # what is withdrawn is over for us, and its function may go on
        with suppress(Exception):
            self.withdraw()
        if self.stop is not None and tokens:  # a signal to who has nothing to do might meet the next run
            with suppress(Exception):
                self.stop(self.executor, tokens)

    def withdraw(self) -> None:
        """Have what waits for a worker not begin, where the executor can't see to that itself."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shut the executor down, where it was made for this run."""
        if self.owned:
            self.executor.shutdown(wait=wait, cancel_futures=cancel_futures)


# -- in the kernel -----------------------------------------------------------------------------------------------------


def parcel(work: Work, token: str) -> bytes:
    """Return what a worker needs for a step, as bytes.

    Raises:
        DagsterUnmetExecutorRequirementsError: when a part of it can't be pickled, with the part's name.
    """
    name = work.context.step_key if work.context is not None else ""
    away = Parcel(token, name, work.function, work.arguments, bool(work.positional), work.context, work.belongings)
    try:
        return dumps(away)
    except Exception as error:
        what = culprit(away)
        raise DagsterUnmetExecutorRequirementsError(
            f"{what} can't go to another process: {type(error).__name__}: {error}",
            where=f"step `{name}`",
            hint="`--executor threads` runs it in this one",
        ) from None


@contextmanager
def local_modules() -> Iterator[None]:
    """Have what is defined in the user's own modules pickled by value."""
    by_value = pickler()
    found = [one for name, one in [*sys.modules.items()] if name != "__main__" and is_own(one)]
    for module in found:
        by_value.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in found:
            by_value.unregister_pickle_by_value(module)


def is_own(module: Any) -> bool:
    """Tell whether a module is the user's: neither installed nor built in."""
    return isinstance(module, ModuleType) and getattr(module, "__file__", None) is not None and is_local_module(module)


def culprit(away: Parcel) -> str:
    """Return the name of the part of a parcel that can't be pickled."""
    parts = {f"the input `{name}`": value for name, value in away.arguments.items()}
    if away.belongings is not None:
        parts |= {f"the resource `{key}`": one for key, one in away.belongings.definitions.items()}
    for name, value in parts.items():
        try:
            dumps(value)
        except Exception:
            return name
    return "the function, or something that it reads,"


def dumps(value: Any) -> bytes:
    """Return a value as bytes that another process can read; what a notebook defines, by value."""
    packed: bytes = pickler().dumps(value)
    return packed


def pickler() -> Any:
    """Return cloudpickle where it is installed, else pickle, which takes what can be imported."""
    found = importlib.util.find_spec("cloudpickle") is not None
    return importlib.import_module("cloudpickle" if found else "pickle")


def unpacked(sent_back: Any) -> Outcome:
    """Return what a worker sent back."""
    outcome: Outcome = pickle.loads(sent_back) if isinstance(sent_back, bytes) else sent_back
    return outcome


class ByValue:
    """Be a value that is pickled by value, and is itself again on the other side."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (dumps(self.value),)


# -- on the worker -----------------------------------------------------------------------------------------------------


def run_parcel(packed: bytes) -> bytes:
    """Run a step on a worker, and return what came of it as bytes."""
    return sent(*carried_out(packed))


def carried_out(packed: bytes, inputs: Mapping[str, Any] | None = None) -> tuple[Outcome, str]:
    """Run a step on a worker, with inputs that it has already; return what came of it, and the step's name."""
    away: Parcel = pickle.loads(packed)
    away.arguments = {**away.arguments, **(inputs or {})}
    notes = Notes()
    if away.context is not None:
        away.context.emit = lambda level, text: notes.logs.append((level, text))
    with capture.installed():
        outcome = called(away)
    if away.context is not None:
        notes.told = away.context.told()
    notes.secrets = dict(SECRETS.labels)
    outcome.notes = notes
    return outcome, away.name


def run_call(packed: bytes) -> Any:
    """Run a call that is no step."""
    function, args, kwargs = pickle.loads(packed)
    return ByValue(function(*args, **kwargs))


def called(away: Parcel) -> Outcome:
    """Call the function of a parcel with its resources open."""
    work = Work(
        away.function,
        away.arguments,
        capture.Sink(tell=away.context.emit if away.context is not None else None),
        positional=(away.context,) if away.takes_context else (),
        context=away.context,
    )
    RUNNING[away.token] = work.running
    try:
        with opened(away, work):
            return call(work)
    except BaseException as error:  # also a KeyboardInterrupt: the worker itself must go on
        return Outcome((), yielded=False, seconds=0.0, error=error, sink=work.sink)
    finally:
        RUNNING.pop(away.token, None)


@contextmanager
def opened(away: Parcel, work: Work) -> Iterator[None]:
    """Have the resources of a function open."""
    mine = away.belongings
    if mine is None:
        yield
        return
    required = sorted({*mine.parameters.values(), *mine.keys})
    run = away.context.run if away.context is not None else None
    with ResourceScope(mine.definitions, required, mine.config, run) as scope:
        if away.context is not None:
            away.context.resources = scope.namespace(mine.keys)
        work.arguments = {**work.arguments, **{name: scope.objects[key] for name, key in mine.parameters.items()}}
        yield


def sent(outcome: Outcome, name: str) -> bytes:
    """Return an outcome as bytes; an error in its place where a value or an exception of it can't be pickled."""
    if outcome.error is not None:
        keep_traceback(outcome.error)
    try:
        return dumps(outcome)
    except BaseException as error:  # whatever a value's `__reduce__` raises
        if outcome.error is not None:
            told = "".join(traceback.format_exception(outcome.error))
            outcome.error = RuntimeError(f"{type(outcome.error).__name__}: {outcome.error}")
            outcome.error.add_note(told)
        else:
            outcome.error = DagsterInvariantViolationError(
                f"what `{name}` made can't come back from its worker: {type(error).__name__}: {error}",
                hint="return data, or run it with `--executor threads`",
            )
        outcome.produced = ()
        return dumps(outcome)


def keep_traceback(error: BaseException) -> None:
    """Have an exception keep its traceback when it is pickled, where tblib is installed."""
    if importlib.util.find_spec("tblib") is not None:
        importlib.import_module("tblib.pickling_support").install(error)


def interrupt_calls(tokens: list[str]) -> None:
    """Interrupt calls that run on this worker."""
    for token in tokens:
        running = RUNNING.get(token)
        if running is not None:
            running.interrupt()
