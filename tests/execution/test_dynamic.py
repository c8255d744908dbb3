"""Dynamic outputs: a step for each value, what collects from them, on any executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ipy_orch import (
    DynamicOut,
    DynamicOutput,
    Out,
    Output,
    RetryPolicy,
    graph,
    job,
    op,
    success_hook,
)
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import StepSkipped, StepStarted
from ipy_orch.execution.engine import World, run
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.workers.executors import executor_for
from ipy_orch.planning.jobs import plan_job
from tests.execution.ops import fork, gathered, more, none, one, steps, three


@pytest.mark.parametrize(("source", "expected"), [(three, [1, 2, 3]), (none, [])], ids=["three", "none"])
def test_map_and_collect(source, expected):
    """Each value has a step of its own, and what collects gets them in order; none is a list like any other."""

    @graph
    def spread():
        return gathered(source().map(more).collect())

    result = spread.execute_in_process()
    assert result.output_value() == expected
    assert [name for name in steps(result) if name.startswith("more[")] == [f"more[n{one - 1}]" for one in expected]


def test_a_graph_for_each_value():
    """The copies of its ops belong together, and read from outside what all of them read."""

    @op
    def plus(a, b):
        return a + b

    @graph
    def branch(number, ten):
        return plus(more(number), ten)

    @graph
    def spread():
        ten = one.alias("ten")()
        return gathered(three().map(lambda number: branch(number, ten)).collect())

    result = spread.execute_in_process()
    assert result.output_value() == [2, 3, 4]
    assert result.output_for_node("branch") == {"n0": 2, "n1": 3, "n2": 4}
    assert result.output_for_node("branch.more") == {"n0": 1, "n1": 2, "n2": 3}


def test_two_dynamic_outputs_of_one_op():
    """Each has its own keys, and a plain output can stand beside them."""

    @op(out={"small": DynamicOut(), "large": DynamicOut(), "name": Out()})
    def sorted_out():
        yield DynamicOutput(1, "a", "small")
        yield DynamicOutput(2, "b", "small")
        yield DynamicOutput(30, "a", "large")
        yield Output("both", "name")

    @op
    def told(small, large, name):
        return small, large, name

    @graph
    def spread():
        small, large, name = sorted_out()
        return told(small.map(more).collect(), large.collect(), name)

    result = spread.execute_in_process()
    assert result.output_value() == ([2, 3], [30], "both")
    assert result.output_for_node("sorted_out", "small") == {"a": 1, "b": 2}


def test_a_copy_that_fails():
    """The other copies go on; what collects can't."""

    @op
    def picky(number):
        if number == 1:
            raise ValueError(number)
        return number

    @graph
    def spread():
        return gathered(three().map(lambda number: more(picky(number))).collect())

    result = spread.execute_in_process(raise_on_error=False)
    assert steps(result) == {
        "three": "done",
        "picky[n0]": "done",
        "picky[n1]": "failed",
        "picky[n2]": "done",
        "more[n0]": "done",
        "more[n2]": "done",
    }
    assert {one.step for one in result.result.events if isinstance(one, StepSkipped)} == {"more[n1]", "gathered"}
    assert result.output_for_node("more") == {"n0": 1, "n2": 3}
    assert result.is_node_untouched("gathered")


def test_a_copy_is_tried_again_alone():
    """The others aren't run twice."""
    tried = []

    @op(retry_policy=RetryPolicy(max_retries=1))
    def shaky(number):
        tried.append(number)
        if tried == [0, 1]:
            raise OSError
        return number

    @graph
    def spread():
        return gathered(three().map(shaky).collect())

    result = spread.execute_in_process()
    assert result.output_value() == [0, 1, 2]
    assert sorted(tried) == [0, 1, 1, 2]
    assert result.retry_attempts_for_node("shaky") == 1


@pytest.mark.parametrize(
    ("kept", "expected"), [([0, 2], [0, 2]), ([], None)], ids=["one copy left out", "all copies left out"]
)
def test_copies_that_make_nothing(kept, expected):
    """The list is shorter by them; where all are left out, there is nothing to collect, and the step is skipped."""

    @op(out=Out(is_required=False))
    def wanted(number):
        if number in kept:
            yield Output(number)

    @graph
    def spread():
        return gathered(three().map(wanted).collect())

    result = spread.execute_in_process()
    assert result.success
    assert steps(result)["gathered"] == ("skipped" if expected is None else "done")
    assert expected is None or result.output_value() == expected


@pytest.mark.parametrize("required", [True, False])
def test_a_dynamic_output_without_values(required):
    """Is an empty list, or left out where it may be."""

    @op(out=DynamicOut(is_required=required))
    def empty():
        yield from ()

    @graph
    def spread():
        gathered(empty().map(more).collect())

    assert steps(spread.execute_in_process())["gathered"] == ("done" if required else "skipped")


@pytest.mark.parametrize("mapped", [False, True], ids=["collected", "mapped and collected"])
def test_a_dynamic_step_that_is_left_out(mapped):
    """What collects from it is left out with it, and not called with an empty list."""

    @op(out=DynamicOut())
    def split(number):
        yield DynamicOutput(number, "only")

    @graph
    def spread():
        _, no = fork()
        parts = split(no)
        gathered((parts.map(more) if mapped else parts).collect())

    assert steps(spread.execute_in_process()) == {"fork": "done", "split": "skipped", "gathered": "skipped"}


@job
def everything():
    """Do a bit of all."""
    yes, no = fork()
    gathered.alias("some")([more.alias("up")(yes), more.alias("down")(no), one()])
    gathered.alias("many")(three().map(lambda number: more.alias("twice")(more(number))).collect())
    gathered.alias("empty")(none().map(more.alias("never")).collect())


def world(executor: Any = None, workers: int = 1, **given: Any) -> World:
    """Return a world for one run, whose result keeps the values."""
    log, ledger = EventLog(), Ledger()
    log.listen(ledger.apply)
    resources = {"io_manager": SessionIOManager(1 << 20)}
    return World(log, ledger, resources, executor=executor, workers=workers, keep_values=True, **given)


EXECUTORS: Sequence[tuple[str, Callable[[], Any]]] = (
    ("inline", lambda: None),
    ("own threads", lambda: executor_for(4)),
    ("thread pool", lambda: ThreadPoolExecutor(4)),
)


@pytest.mark.parametrize("make", [make for _, make in EXECUTORS], ids=[name for name, _ in EXECUTORS])
def test_every_executor_gives_the_same(make):
    """The order may be another, the values aren't."""
    result = run(plan_job(everything), world(make(), 4))
    assert result.errors == {}
    assert {place: value for place, value in result.values.items() if place[0] in ("some", "many", "empty")} == {
        ("some", "result"): [11, 1],
        ("many", "result"): [2, 3, 4],
        ("empty", "result"): [],
    }
    assert sum(isinstance(event, StepStarted) for event in result.events) == 14


def test_hooks_and_copies_in_threads():
    """Each of many copies is heard of once, with its own value."""
    heard: list[tuple[str, Any]] = []

    @success_hook
    def tell(context):
        heard.append((context.step_key, context.op_output_values["result"]))

    @op(out=DynamicOut())
    def many():
        for number in range(40):
            yield DynamicOutput(number, str(number))

    @job(hooks={tell})
    def hooked():
        gathered(many().map(lambda number: more.alias("again")(more(number))).collect())

    result = run(plan_job(hooked), world(ThreadPoolExecutor(8), 8))
    assert result.values["gathered", "result"] == list(range(2, 42))
    assert len(heard) == len(dict(heard)) == 82
    assert all(dict(heard)[f"again[{number}]"] == number + 2 for number in range(40))
