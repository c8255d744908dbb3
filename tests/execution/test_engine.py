"""The engine: order, failure, retry, blocking checks, captured output, interrupts."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.errors import DagsterAssetCheckFailedError, DagsterExecutionInterruptedError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import (
    Checked,
    Logged,
    Materialized,
    RunFinished,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
)
from ipy_orch.execution import engine
from ipy_orch.execution.engine import RunResult, World, run
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.workers.executors import executor_for
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.env import SECRETS
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.policies import Failure, RetryPolicy, RetryRequested
from ipy_orch.model.results import AssetCheckResult, AssetCheckSeverity, DataVersion, Output
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.plan import Request, plan


class Kernel:
    """Be what a session has: a log, a ledger and a store that last over runs."""

    def __init__(self) -> None:
        self.log, self.ledger, self.store = EventLog(), Ledger(), SessionIOManager(1 << 24)
        self.log.listen(self.ledger.apply)
        self.world = World(self.log, self.ledger)

    def run(self, *definitions: Any, workers: int = 1, force: bool = False, **changes: Any) -> RunResult:
        """Bring all assets up to date."""
        graph = AssetGraph.of(definitions)
        keys = frozenset(graph.executable_keys)
        planned = plan(graph, self.ledger, Request(keys, force=keys if force else frozenset()))
        executor = changes.pop("executor", None) or executor_for(workers)
        given = {"resources": {"io_manager": self.store}, "makers": graph.makers, **changes}
        self.world = World(self.log, self.ledger, executor=executor, workers=workers, **given)
        try:
            return run(planned, self.world)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def events(self, kind: type) -> list[Any]:
        """Return the events of a kind."""
        return [event for event in self.log if isinstance(event, kind)]

    def value(self, name: str) -> Any:
        """Return what the store keeps."""
        return self.store.get(AssetKey(name))

    def keeps(self, name: str) -> bool:
        """Tell whether the store keeps a value."""
        return self.store.has(AssetKey(name))


@pytest.fixture
def kernel() -> Kernel:
    """Return a fresh kernel."""
    return Kernel()


def named(made: Any, name: str) -> Any:
    """Return an asset of a function under a name."""
    return asset(name=name)(made)


# -- order and values


@pytest.mark.parametrize("workers", [1, 3])
def test_values_flow_down(kernel: Kernel, workers: int) -> None:
    """Each step gets what the steps before it made, inline and on threads."""

    @asset
    def raw() -> list[int]:
        return [1, 2, 3]

    @asset
    def double(raw: list[int]) -> list[int]:
        return [2 * one for one in raw]

    @asset
    def total(raw: list[int], double: list[int]) -> int:
        return sum(raw) + sum(double)

    assert kernel.run(total, double, raw, workers=workers).success
    assert kernel.value("total") == 18


def test_a_chain_of_many_steps_needs_no_recursion(kernel: Kernel) -> None:
    """Two thousand steps in a row run."""
    first = named(lambda: 0, "a0")
    rest = [asset(name=f"a{n}", deps=[f"a{n - 1}"])(lambda: None) for n in range(1, 2000)]
    assert kernel.run(first, *rest).success
    assert len(kernel.events(Materialized)) == 2000


def test_readers_get_values_of_their_own(kernel: Kernel) -> None:
    """An edit in place reaches nobody else."""

    @asset
    def raw() -> list[int]:
        return [1]

    @asset
    def first(raw: list[int]) -> int:
        raw.append(2)
        return len(raw)

    @asset
    def second(raw: list[int]) -> int:
        return len(raw)

    kernel.run(raw, first, second)
    assert (kernel.value("first"), kernel.value("second")) == (2, 1)


def test_facts_tell_size_and_shape(kernel: Kernel) -> None:
    """A materialization says how many rows there are, how large they are, and who keeps them."""
    kernel.run(named(lambda: [1, 2, 3], "rows"))
    (made,) = kernel.events(Materialized)
    assert made.shape == (3,)
    assert made.nbytes > 0
    assert made.manager == "io_manager"


# -- unchanged inputs


def test_unchanged_input_cuts_off_what_is_downstream(kernel: Kernel) -> None:
    """A step whose inputs turn out unchanged is skipped, and what it made stays."""
    calls: list[str] = []

    @asset
    def source() -> Output[int]:
        calls.append("source")
        return Output(1, data_version=DataVersion("same"))

    @asset
    def reader(source: int) -> int:
        calls.append("reader")
        return source

    kernel.run(source, reader)
    graph = AssetGraph.of([source, reader])
    request = Request(frozenset(graph.executable_keys), force=frozenset({AssetKey("source")}))
    world = World(kernel.log, kernel.ledger, resources={"io_manager": kernel.store}, makers=graph.makers)
    assert run(plan(graph, kernel.ledger, request), world).success
    assert calls == ["source", "reader", "source"]
    assert [event.unchanged for event in kernel.events(StepSkipped)] == [True]


# -- failure


def test_failure_skips_what_is_downstream_only(kernel: Kernel) -> None:
    """What doesn't depend on the step that failed runs."""

    @asset
    def bad() -> int:
        raise ValueError("no")

    @asset
    def below(bad: int) -> int:
        return bad

    result = kernel.run(bad, below, named(lambda: 1, "beside"))
    assert result.status == "failure"
    assert list(result.errors) == ["bad"]
    assert [event.step for event in kernel.events(StepSkipped)] == ["below"]
    assert kernel.keeps("beside")


def test_failed_step_keeps_its_output_and_the_users_frames(kernel: Kernel) -> None:
    """What was printed before the error is kept with it; the traceback begins in the user's code."""

    @asset
    def bad() -> int:
        print("so far")
        raise ValueError("no")

    kernel.run(bad)
    (failed,) = kernel.events(StepFailed)
    assert failed.error == "ValueError: no"
    assert [chunk.text for chunk in failed.output] == ["so far\n"]
    assert "test_engine.py" in failed.traceback
    assert "execution/step.py" not in failed.traceback


def test_errors_are_never_cached(kernel: Kernel) -> None:
    """A step that failed runs again."""
    calls: list[int] = []

    @asset
    def flaky() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no")
        return 5

    assert not kernel.run(flaky).success
    assert kernel.run(flaky).success
    assert kernel.run(flaky).success
    assert len(calls) == 2
    assert kernel.value("flaky") == 5


def test_step_that_yields_then_raises_runs_again(kernel: Kernel) -> None:
    """What was yielded before an error is stored, and doesn't count as good."""
    calls: list[int] = []

    @asset
    def half() -> Any:
        calls.append(1)
        yield Output(len(calls))
        if len(calls) == 1:
            raise ValueError("no")

    assert not kernel.run(half).success
    assert kernel.run(half).success
    assert kernel.value("half") == 2


def test_failure_metadata_is_kept(kernel: Kernel) -> None:
    """The metadata of a Failure is in its event."""

    @asset
    def bad() -> None:
        raise Failure("no", metadata={"rows": 0})

    kernel.run(bad)
    assert kernel.events(StepFailed)[0].metadata["rows"].value == 0


def test_leaving_the_program_is_a_failure_of_the_step(kernel: Kernel) -> None:
    """``sys.exit()`` in an asset ends the asset, not the kernel."""

    @asset
    def leaves() -> None:
        raise SystemExit(3)

    assert kernel.run(leaves).errors["leaves"].args == (3,)


def test_generator_as_a_value_is_refused_with_a_hint(kernel: Kernel) -> None:
    """A value that can be read only once is refused, and nothing is stored."""
    result = kernel.run(named(lambda: (number for number in range(3)), "rows"))
    assert "list(" in str(result.errors["rows"])
    assert not kernel.keeps("rows")


def test_write_to_a_read_only_array_gets_a_hint(kernel: Kernel) -> None:
    """The error says how to get a copy."""

    @asset
    def bad() -> None:
        raise ValueError("assignment destination is read-only")

    kernel.run(bad)
    assert ".copy()" in kernel.events(StepFailed)[0].traceback


def test_one_bad_output_stores_none_of_the_step(kernel: Kernel) -> None:
    """All outputs are looked at before the first is stored."""

    @multi_asset(specs=[AssetSpec("never")])
    def unrelated() -> None: ...

    @asset
    def bad() -> int:
        return "text"  # type: ignore[return-value]

    result = kernel.run(bad)
    assert "Int" in str(result.errors["bad"])
    assert not kernel.keeps("bad")


# -- retry


def test_retry_with_backoff_then_success_stores_once(kernel: Kernel) -> None:
    """Attempts are counted, delays grow, and the value is stored once."""
    attempts: list[int] = []

    @asset(retry_policy=RetryPolicy(max_retries=3, delay=0.001))
    def flaky(context: Any) -> int:
        attempts.append(context.retry_number)
        if len(attempts) < 3:
            raise ValueError("no")
        return 7

    assert kernel.run(flaky).success
    assert attempts == [0, 1, 2]
    assert len(kernel.events(Materialized)) == 1
    assert [event.attempt for event in kernel.events(StepRetrying)] == [1, 2]
    assert [event.attempt for event in kernel.events(StepStarted)] == [0, 1, 2]


def test_what_an_attempt_yielded_is_not_stored_before_the_last(kernel: Kernel) -> None:
    """An attempt that is repeated leaves nothing."""
    attempts: list[int] = []

    @asset(retry_policy=RetryPolicy(max_retries=1))
    def flaky() -> Any:
        attempts.append(1)
        yield Output(len(attempts))
        if len(attempts) == 1:
            raise ValueError("no")

    assert kernel.run(flaky).success
    assert len(kernel.events(Materialized)) == 1
    assert kernel.value("flaky") == 2


def test_retries_end(kernel: Kernel) -> None:
    """After the last attempt the step fails with what it raised."""

    @asset(retry_policy=RetryPolicy(max_retries=2))
    def bad() -> None:
        raise ValueError("no")

    assert isinstance(kernel.run(bad).errors["bad"], ValueError)
    assert len(kernel.events(StepStarted)) == 3


def test_a_step_may_ask_for_a_retry_or_refuse_it(kernel: Kernel) -> None:
    """RetryRequested tries again without a policy; a Failure may forbid it in spite of one."""
    attempts: list[int] = []

    @asset
    def asks() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise RetryRequested(max_retries=1) from ValueError("no")
        return 1

    @asset(retry_policy=RetryPolicy(max_retries=5))
    def refuses() -> None:
        attempts.append(1)
        raise Failure("never", allow_retries=False)

    assert list(kernel.run(asks, refuses).errors) == ["refuses"]
    assert len(attempts) == 3


def test_other_steps_run_while_one_waits_for_its_retry(kernel: Kernel) -> None:
    """Waiting blocks nobody."""
    order: list[str] = []

    @asset(retry_policy=RetryPolicy(max_retries=1, delay=0.05))
    def flaky() -> None:
        order.append("flaky")
        if order.count("flaky") == 1:
            raise ValueError("no")

    @asset
    def other() -> None:
        order.append("other")

    assert kernel.run(flaky, other).success
    assert order == ["flaky", "other", "flaky"]


# -- checks


def test_blocking_check_stops_what_is_downstream(kernel: Kernel) -> None:
    """The asset is stored, its verdict kept, and what reads it doesn't run."""

    @asset
    def orders() -> list[int]:
        return []

    @asset_check(asset=orders, blocking=True)
    def some(orders: list[int]) -> bool:
        return bool(orders)

    @asset
    def report(orders: list[int]) -> int:
        return len(orders)

    result = kernel.run(orders, some, report)
    assert not result.success
    assert isinstance(next(iter(result.errors.values())), DagsterAssetCheckFailedError)
    assert kernel.keeps("orders")
    assert not kernel.keeps("report")
    assert [event.evaluation.passed for event in kernel.events(Checked)] == [False]


@pytest.mark.parametrize(("severity", "blocking"), [("WARN", True), ("ERROR", False)])
def test_other_failed_checks_stop_nothing(kernel: Kernel, severity: str, blocking: bool) -> None:
    """A warning doesn't block, nor does an error that isn't declared to."""

    @asset(check_specs=[AssetCheckSpec("some", asset="orders", blocking=blocking)])
    def orders() -> Any:
        yield Output(1)
        yield AssetCheckResult(passed=False, severity=AssetCheckSeverity(severity))

    @asset
    def report(orders: int) -> int:
        return orders

    assert kernel.run(orders, report).success
    assert kernel.keeps("report")


# -- output


def test_prints_of_workers_go_to_their_own_step(kernel: Kernel) -> None:
    """Steps that print at the same time aren't mixed up."""
    gate = threading.Barrier(2, timeout=5)

    def printer(name: str) -> Callable[[], None]:
        def body() -> None:
            for _ in range(5):
                gate.wait()
                print(name)

        return body

    kernel.run(named(printer("a"), "a"), named(printer("b"), "b"), workers=2)
    texts = {event.step: event.output[0].text for event in kernel.events(Materialized)}
    assert texts == {"a": "a\n" * 5, "b": "b\n" * 5}


def test_log_and_warnings_are_the_steps(kernel: Kernel) -> None:
    """``context.log`` and ``warnings.warn`` become facts of the step."""

    @asset
    def speaks(context: Any) -> None:
        context.log.info("hello %s", "you")
        warnings.warn("careful", stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        kernel.run(speaks)
    said = {(event.stream, event.text) for event in kernel.events(Logged)}
    assert ("log", "hello you") in said
    assert ("warning", "careful") in said


def test_secrets_are_in_no_output(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and displays of a step hold a placeholder where a secret was."""
    from ipy_orch.execution.capture import current_sink
    from ipy_orch.model.env import Secrets

    mine = Secrets()
    mine.add("hunter2-hunter2", "PASSWORD")
    monkeypatch.setattr(SECRETS, "labels", mine.labels)
    monkeypatch.setattr(SECRETS, "pattern", mine.pattern)

    @asset
    def leaks() -> None:
        print("hunter2-hunter2")
        sink = current_sink()
        assert sink is not None
        sink.display({"text/html": "<b>hunter2-hunter2</b>"}, {"alt": "hunter2-hunter2"})

    kernel.run(leaks)
    assert "hunter2" not in repr(list(kernel.log))


# -- async


def test_async_assets_run(kernel: Kernel) -> None:
    """Coroutines and async generators are run to their end."""

    @asset
    async def one() -> int:
        await asyncio.sleep(0)
        return 1

    @asset
    async def two(one: int) -> Any:
        yield Output(one + 1)

    assert kernel.run(one, two).success
    assert kernel.value("two") == 2


def test_async_asset_runs_where_an_event_loop_runs_already(kernel: Kernel) -> None:
    """As in a kernel, the thread that runs the step may have a loop."""

    @asset
    async def one() -> int:
        print("inside")
        await asyncio.sleep(0)
        return 1

    async def cell() -> bool:
        return kernel.run(one).success

    assert asyncio.run(cell())
    assert kernel.events(Materialized)[0].output[0].text == "inside\n"


# -- interrupts


def interrupted_soon(started: threading.Event) -> threading.Thread:
    """Send Ctrl-C to this thread as soon as a step has begun."""

    def send() -> None:
        started.wait(5)
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, signal.SIGINT)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def spinning(started: threading.Event) -> Callable[[], int]:
    """Return a function that never ends by itself."""

    def body() -> int:
        started.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            time.sleep(0.005)
        return 1

    return body


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_stores_nothing_half_done(kernel: Kernel, workers: int) -> None:
    """Ctrl-C ends the run: cancelled, nothing of the step stored, no thread left, and the next run works."""
    started = threading.Event()
    before = threading.active_count()
    sender = interrupted_soon(started)
    with pytest.raises(KeyboardInterrupt):
        kernel.run(named(spinning(started), "long"), workers=workers)
    sender.join(2)
    assert [event.status for event in kernel.events(RunFinished)] == ["canceled"]
    assert not kernel.keeps("long")
    assert not kernel.events(Materialized)
    deadline = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
    assert kernel.run(named(lambda: 1, "long")).success


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_reaches_async_steps(kernel: Kernel, workers: int) -> None:
    """A coroutine that waits is cancelled."""
    started = threading.Event()

    @asset
    async def long() -> int:
        started.set()
        await asyncio.sleep(20)
        return 1

    sender = interrupted_soon(started)
    with pytest.raises(KeyboardInterrupt):
        kernel.run(long, workers=workers)
    sender.join(2)
    assert not kernel.keeps("long")


def test_interrupt_while_a_worker_is_in_c_code(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that can't be stopped is left behind, and what it makes is dropped."""
    monkeypatch.setattr(engine, "PATIENCE", 0.05)
    started, done = threading.Event(), threading.Event()

    @asset
    def stuck() -> int:
        started.set()
        done.wait(5)
        return 1

    sender = interrupted_soon(started)
    with pytest.raises(KeyboardInterrupt):
        kernel.run(stuck, workers=2)
    sender.join(2)
    done.set()
    assert not kernel.keeps("stuck")
    assert kernel.run(named(lambda: 1, "other")).success


def test_cancel_from_another_thread(kernel: Kernel) -> None:
    """Setting ``cancel`` ends the run at the next heartbeat."""
    started = threading.Event()
    cancel = threading.Event()
    threading.Thread(target=lambda: started.wait(5) and cancel.set(), daemon=True).start()
    with pytest.raises(DagsterExecutionInterruptedError):
        kernel.run(named(spinning(started), "long"), workers=2, cancel=cancel)
    assert kernel.events(RunFinished)[0].status == "canceled"
    assert not kernel.keeps("long")


def test_cancel_while_a_retry_is_awaited(kernel: Kernel) -> None:
    """A cancel is heard although nothing runs."""
    cancel = threading.Event()

    @asset(retry_policy=RetryPolicy(max_retries=1, delay=20))
    def bad() -> None:
        cancel.set()
        raise ValueError("no")

    with pytest.raises(DagsterExecutionInterruptedError):
        kernel.run(bad, cancel=cancel)


# -- executors


def test_any_executor_will_do(kernel: Kernel) -> None:
    """A plain thread pool of somebody else's runs steps."""
    with ThreadPoolExecutor(2) as pool:
        assert kernel.run(named(lambda: 1, "a"), named(lambda: 2, "b"), executor=pool).success
    assert kernel.value("b") == 2


def test_a_step_can_be_surrounded(kernel: Kernel) -> None:
    """``on_step`` is entered around each step, in the thread of the run."""
    from contextlib import contextmanager

    seen: list[str] = []

    @contextmanager
    def around(step: Any) -> Any:
        seen.append(f"before {step.name}")
        yield
        seen.append(f"after {step.name}")

    kernel.run(named(lambda: seen.append("run"), "a"), on_step=around)
    assert seen == ["before a", "run", "after a"]


def test_error_of_a_resource_ends_the_run(kernel: Kernel) -> None:
    """A resource that can't be opened is raised, and the log is closed."""
    from ipy_orch.errors import DagsterResourceFunctionError
    from ipy_orch.model.resources.resource import resource

    @resource
    def broken(_context: Any) -> None:
        raise ValueError("no")

    @asset(required_resource_keys={"db"})
    def uses(context: Any) -> None: ...

    with pytest.raises(DagsterResourceFunctionError):
        kernel.run(uses, resources={"io_manager": kernel.store, "db": broken})
    assert kernel.events(RunFinished)[0].status == "failure"
