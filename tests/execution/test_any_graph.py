"""Any graph of ops gives what the same functions give when they are called directly; and so it does under Dagster."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ipy_orch
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.execution.engine import World, run
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.workers.executors import executor_for
from ipy_orch.planning.jobs import plan_job

# -- what is called ---------------------------------------------------------------------------------------------------


def add(a: int, b: int) -> int:
    """Combine two numbers so that their order counts."""
    return (3 * a + b) % 1009


def total(numbers: list[int]) -> int:
    """Combine many numbers so that their order counts."""
    return sum((place + 2) * number for place, number in enumerate(numbers)) % 1009


def parts(number: int) -> list[int]:
    """Return up to three numbers."""
    return [number + place for place in range(number % 4)]


class Missing(Exception):
    """Be what an optional output leaves behind."""


def sieve(number: int) -> int:
    """Let most numbers through."""
    if number % 3 == 0:
        raise Missing
    return number


def pair(a: int, b: int) -> int:
    """Do what the graph of this name does."""
    return add(add(a, a), b)


def deep(a: int, b: int) -> int:
    """Do what the graph of this name does."""
    return pair(pair(a, b), a)


def definitions(module: ModuleType) -> SimpleNamespace:
    """Return the same as ops and graphs of a module: ours, or Dagster itself."""
    op, graph, Out, DynamicOut = module.op, module.graph, module.Out, module.DynamicOut

    @op(out=Out(is_required=False))
    def sieve_op(number):
        if number % 3:
            yield module.Output(number)

    @op(out=DynamicOut())
    def parts_op(number):
        for place, one in enumerate(parts(number)):
            yield module.DynamicOutput(one, f"k{place}")

    add_op, total_op = op(name="add_op")(add), op(name="total_op")(total)
    starts = [start_op(module, number) for number in range(10)]

    @graph
    def pair_graph(a, b):
        return add_op(add_op.alias("twice")(a, a), b)

    @graph
    def deep_graph(a, b):
        return pair_graph(pair_graph.alias("inside")(a, b), a)

    @graph
    def inner_graph(a, b):
        return total_op(parts_op(a).map(lambda one: pair_graph(one, b)).collect())

    return SimpleNamespace(
        starts=starts, add=add_op, total=total_op, sieve=sieve_op, parts=parts_op,
        pair=pair_graph, deep=deep_graph, inner=inner_graph,
    )  # fmt: skip


def start_op(module: ModuleType, number: int) -> Any:
    """Return an op that makes a number."""

    def start():
        return number

    return module.op(name=f"start{number}")(start)


FUNCTIONS = {"add": add, "pair": pair, "deep": deep}


# -- random programs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Be one line of a program: what is called, and which lines before give its arguments.

    Args:
        chain: for ``spread``, what is called for each part: ``sieve``, or one of FUNCTIONS, which reads a second line.
    """

    calls: str
    reads: tuple[int, ...]
    chain: tuple[str, ...] = ()


@st.composite
def programs(draw: st.DrawFn) -> list[Line]:
    """Return a random program whose first line is a start."""
    lines = [Line("start", (draw(st.integers(0, 9)),))]
    for number in range(1, draw(st.integers(2, 7))):
        before = st.integers(0, number - 1)
        calls = draw(st.sampled_from(["start", "add", "pair", "deep", "inner", "sieve", "total", "spread", "spread"]))
        if calls == "start":
            lines.append(Line(calls, (draw(st.integers(0, 9)),)))
        elif calls == "total":
            lines.append(Line(calls, tuple(draw(st.lists(before, min_size=1, max_size=3, unique=True)))))
        else:
            chain = st.lists(st.sampled_from(["add", "pair", "deep", "sieve"]), max_size=2)
            reads = (draw(before), draw(before))
            lines.append(Line(calls, reads, tuple(draw(chain)) if calls == "spread" else ()))
    return lines


def evaluated(program: list[Line]) -> list[int | None]:
    """Return the value of each line, None for one that isn't there."""
    values: list[int | None] = []
    for line in program:
        try:
            values.append(value_of(line, values))
        except Missing:
            values.append(None)
    return values


def value_of(line: Line, values: list[int | None]) -> int:
    """Return the value of one line.

    Raises:
        Missing: when there's none.
    """
    if line.calls == "start":
        return line.reads[0]
    given = [values[place] for place in line.reads]
    if line.calls == "total":
        return total(kept_of(given))
    if line.calls == "sieve":
        return sieve(there(given[0]))
    if line.calls in ("spread", "inner"):
        return spread(there(given[0]), given[1], ("pair",) if line.calls == "inner" else line.chain)
    return FUNCTIONS[line.calls](there(given[0]), there(given[1]))


def spread(number: int, other: int | None, chain: tuple[str, ...]) -> int:
    """Return what is collected of the parts of a number."""
    made: list[int | None] = []
    for one in parts(number):
        try:
            part = one
            for name in chain:
                part = sieve(part) if name == "sieve" else FUNCTIONS[name](part, there(other))
            made.append(part)
        except Missing:
            made.append(None)
    return total(kept_of(made))


def kept_of(values: list[int | None]) -> list[int]:
    """Return the values that are there.

    Raises:
        Missing: when there are some, and none is there.
    """
    kept = [value for value in values if value is not None]
    if values and not kept:
        raise Missing
    return kept


def there(value: int | None) -> int:
    """Return a value that is there.

    Raises:
        Missing: when it isn't.
    """
    if value is None:
        raise Missing
    return value


def wired(program: list[Line], module: ModuleType, known: SimpleNamespace) -> Any:
    """Return a job that does the same."""

    @module.job
    def program_job():
        made: list[Any] = []
        for number, line in enumerate(program):
            name = f"n{number}"
            if line.calls == "start":
                made.append(known.starts[line.reads[0]].alias(name)())
                continue
            given = [made[place] for place in line.reads]
            if line.calls == "total":
                made.append(known.total.alias(name)(given))
            elif line.calls == "sieve":
                made.append(known.sieve.alias(name)(given[0]))
            elif line.calls == "spread":
                mapped = known.parts.alias(f"{name}_parts")(given[0])
                for place, one in enumerate(line.chain):
                    called = getattr(known, one).alias(f"{name}_{place}")
                    other = () if one == "sieve" else (given[1],)
                    mapped = mapped.map(lambda part, called=called, other=other: called(part, *other))
                made.append(known.total.alias(name)(mapped.collect()))
            else:
                made.append(getattr(known, line.calls).alias(name)(*given))

    return program_job


def outcome(program: list[Line], module: ModuleType, known: SimpleNamespace) -> list[int | None]:
    """Return what a run gives for each line."""
    result = wired(program, module, known).execute_in_process()
    found: list[int | None] = []
    for number in range(len(program)):
        try:
            found.append(result.output_for_node(f"n{number}"))
        except module.DagsterInvariantViolationError:
            found.append(None)
    return found


# -- the promise ------------------------------------------------------------------------------------------------------

OURS = definitions(ipy_orch)


#: who reads what isn't there, for each part of a number that has no parts, is never asked for it
UNASKED = [Line("start", (0,)), Line("sieve", (0, 0)), Line("inner", (0, 1)), Line("spread", (0, 1), ("add",))]


@given(programs())
@example(UNASKED)
@settings(max_examples=60, deadline=None)
def test_a_run_gives_what_direct_calls_give(program):
    """With graphs in graphs, lists, dynamic outputs, and values that are left out."""
    assert outcome(program, ipy_orch, OURS) == evaluated(program)


@given(programs())
@settings(max_examples=25, deadline=None)
def test_threads_give_the_same(program):
    """In whatever order the steps end."""
    log, ledger = EventLog(), Ledger()
    log.listen(ledger.apply)
    resources = {"io_manager": SessionIOManager(1 << 20)}
    world = World(log, ledger, resources, executor=executor_for(3), workers=3, keep_values=True)
    result = run(plan_job(wired(program, ipy_orch, OURS)), world)
    expected = {f"n{number}": value for number, value in enumerate(evaluated(program)) if value is not None}
    ends = {"pair": ".add_op", "deep": ".pair_graph.add_op", "inner": ".total_op"}
    steps = {f"n{number}": f"n{number}{ends.get(line.calls, '')}" for number, line in enumerate(program)}
    values = {name: result.values.get((step, "result")) for name, step in steps.items()}
    assert {name: value for name, value in values.items() if value is not None} == expected


def test_dagster_gives_the_same():
    """The peer runs the same programs, with one import changed."""
    dagster = pytest.importorskip("dagster")
    theirs = definitions(dagster)
    logging.disable(logging.CRITICAL)

    @given(programs())
    @example(UNASKED)
    @settings(max_examples=12, deadline=None, database=None)
    def same(program: list[Line]) -> None:
        assert outcome(program, dagster, theirs) == evaluated(program)

    try:
        same()
    finally:
        logging.disable(logging.NOTSET)
