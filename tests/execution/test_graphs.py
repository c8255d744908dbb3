"""Graphs and jobs of ops: values between ops, what is left out, inputs of the whole, graphs that make assets."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetKey,
    AssetOut,
    DataVersion,
    In,
    Nothing,
    Out,
    Output,
    asset,
    graph,
    graph_asset,
    graph_multi_asset,
    job,
    materialize,
    op,
)
from ipy_orch.errors import (
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    DagsterStepOutputNotFoundError,
)
from ipy_orch.events.types import Checked, StepStarted
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.session.session import Session
from tests.execution.ops import fork, gathered, more, one, steps


def test_graphs_in_graphs():
    """Values go through as many graphs as there are; each op is known by its path, each graph by its output."""

    @graph
    def two(number):
        return more(more.alias("first")(number))

    @graph
    def outer():
        return two(two.alias("again")(one()))

    result = outer.execute_in_process()
    assert list(steps(result)) == ["one", "again.first", "again.more", "two.first", "two.more"]
    assert [result.output_for_node(name) for name in ("again.first", "again", "two.first", "two")] == [2, 3, 4, 5]
    assert result.output_value() == 5


def test_several_outputs():
    """Each goes its own way, and each can be an output of the graph."""

    @op(out={"first": Out(), "rest": Out()})
    def parted():
        return 1, [2, 3]

    @graph(out={"a": Out(), "b": Out()})
    def both():
        first, rest = parted()
        return {"a": more(first), "b": gathered(rest)}

    result = both.execute_in_process()
    assert (result.output_value("a"), result.output_value("b")) == (2, [2, 3])
    assert result.output_for_node("parted", "rest") == [2, 3]


def test_an_output_that_isnt_there_is_named():
    """Of the run, and of an op."""
    result = graph_of_one().execute_in_process()
    with pytest.raises(DagsterInvariantViolationError, match="resul"):
        result.output_for_node("one", "resul")
    with pytest.raises(DagsterInvariantViolationError):
        result.output_value("other")


def graph_of_one() -> Any:
    """Return a graph of one op."""

    @graph
    def single():
        return one()

    return single


def test_the_end_of_a_run_is_one_event():
    """Asking for the other end is refused."""
    result = graph_of_one().execute_in_process()
    assert result.get_run_success_event().event_type_value == "PIPELINE_SUCCESS"
    with pytest.raises(DagsterInvariantViolationError, match="success"):
        result.get_run_failure_event()


def test_a_list_without_the_part_that_was_left_out():
    """One part is enough to run with; with none of them the step is skipped."""

    @graph
    def chosen():
        yes, no = fork()
        gathered.alias("some")([more.alias("up")(yes), more.alias("down")(no), one()])
        return gathered.alias("nothing")([more.alias("lost")(no), more.alias("gone")(no)])

    result = chosen.execute_in_process()
    assert result.output_for_node("some") == [11, 1]
    assert {name for name, end in steps(result).items() if end == "skipped"} == {"down", "lost", "gone", "nothing"}
    with pytest.raises(DagsterInvariantViolationError):
        result.output_value()


def test_an_optional_output_skips_all_that_reads_it():
    """However far below, and nothing else."""

    @graph
    def chosen():
        yes, no = fork()
        more(yes)
        more.alias("third")(more.alias("second")(more.alias("first")(no)))

    result = chosen.execute_in_process()
    assert result.success
    assert steps(result) == {
        "fork": "done",
        "more": "done",
        "first": "skipped",
        "second": "skipped",
        "third": "skipped",
    }


def test_nothing_is_an_order():
    """What carries no value is waited for, one or several."""
    seen = []

    @op(out=Out(Nothing))
    def before(context):
        seen.append(context.op.name)

    @op(ins={"after": In(Nothing)})
    def last():
        seen.append("last")
        return len(seen)

    @graph
    def ordered():
        return last(after=[before(), before.alias("too")()])

    assert ordered.execute_in_process().output_value() == 3
    assert seen == ["before", "too", "last"]


def test_a_required_output_that_is_missing():
    """The op failed, and what reads it isn't run."""

    @op(out={"a": Out(), "b": Out()})
    def half():
        yield Output(1, "a")

    @graph
    def reads():
        first, second = half()
        more.alias("first")(first)
        more.alias("second")(second)

    with pytest.raises(DagsterStepOutputNotFoundError, match="`b`"):
        reads.execute_in_process()


@op
def difference(a: int, b: int = 3) -> int:
    """Subtract."""
    return a - b


@graph
def less(a: int, b: int):
    """Subtract as a graph."""
    return difference(a, b)


@graph
def lone():
    """Subtract what run config says."""
    return difference()


def test_values_of_inputs():
    """Given with the run, or with the job; those of the run go before."""
    assert less.execute_in_process(input_values={"a": 5, "b": 1}).output_value() == 4
    made = less.to_job(input_values={"a": 5, "b": 1})
    assert made.execute_in_process(input_values={"a": 10}).output_value() == 9


def test_a_missing_value_is_named():
    """It can be given in no other way, where its type can't be written in run config."""

    @op
    def holding(thing: object):
        return thing

    @graph
    def held(thing):
        return holding(thing)

    with pytest.raises(DagsterInvalidInvocationError, match="thing"):
        held.execute_in_process()


@pytest.mark.parametrize(
    ("ran", "config", "expected"),
    [
        (less, {"inputs": {"a": {"value": 5}, "b": {"value": 1}}}, 4),
        (less, {"inputs": {"a": 5, "b": 1}}, 4),
        (lone, {"ops": {"difference": {"inputs": {"a": 5}}}}, 2),
        (lone, {"ops": {"difference": {"inputs": {"a": 5, "b": 0}}}}, 5),
    ],
    ids=["of the graph", "short", "default", "of the op"],
)
def test_inputs_in_run_config(ran, config, expected):
    """Where nothing is connected, run config says the value, else the function's default holds."""
    assert ran.execute_in_process(run_config=config).output_value() == expected


@asset
def table():
    """Return an asset to read."""
    return [1, 2, 3]


def test_assets_as_inputs():
    """An op of a job reads a stored asset: by its key, or given in the body."""
    store = SessionIOManager(1 << 20)
    materialize([table], resources={"io_manager": store})

    @op(ins={"rows": In(asset_key=AssetKey("table"))})
    def counted(rows):
        return len(rows)

    @job(resource_defs={"io_manager": store})
    def counts():
        counted()
        gathered(table)

    result = counts.execute_in_process()
    assert (result.output_for_node("counted"), result.output_for_node("gathered")) == (3, [1, 2, 3])


def test_some_assets_of_a_graph():
    """Only the ops that are needed run; an asset that isn't selected is loaded instead of made."""
    ran: list[str] = []

    @op
    def doubled(context, rows):
        ran.append(context.op.name)
        return [2 * row for row in rows]

    @graph_multi_asset(outs={"left": AssetOut(), "right": AssetOut()}, can_subset=True)
    def both(table):
        left = doubled.alias("to_left")(table)
        return {"left": left, "right": doubled.alias("to_right")(left)}

    store = SessionIOManager(1 << 20)
    materialize([table, both], resources={"io_manager": store})
    ran.clear()
    result = materialize([table, both], selection=["right"], resources={"io_manager": store})
    assert ran == ["to_right"]
    assert result.asset_value("right") == [4, 8, 12]
    assert AssetKey("left") not in [one.asset_key for one in result.get_asset_materialization_events()]


@op
def counted(rows):
    """Count."""
    return len(rows)


@graph_asset
def size(early):
    """Return a number that two ops make."""
    return more(counted(early))


def early_of(version: str, rows: list[int]) -> Any:
    """Return an asset whose data version is that of its rows, however its code changes."""

    @asset(code_version=version)
    def early():
        return Output(rows, data_version=DataVersion(str(rows)))

    return early


@pytest.mark.parametrize(
    ("rows", "ran"),
    [([1, 2], ["early"]), ([1, 2, 3], ["early", "size.counted", "size.more"])],
    ids=["unchanged", "changed"],
)
def test_a_graph_asset_whose_inputs_may_turn_out_unchanged(rows, ran):
    """Either none of its ops runs or all do."""
    names = {"early": early_of("1", [1, 2]), "size": size}
    session = Session(names)
    assert session.materialize().success
    names["early"] = early_of("2", rows)
    report = session.materialize()
    assert report.success
    assert report.result is not None
    assert [one.step for one in report.result.events if isinstance(one, StepStarted)] == ran
    assert session.value("size") == len(rows) + 1


def test_checks_of_a_graph_asset_run_with_it():
    """Though its assets are made before them, and are what they should be from then on."""

    @graph_asset(check_specs=[AssetCheckSpec("fits", asset="checked")])
    def checked(early):
        made = counted(early)
        return {"result": made, "checked_fits": fits(made)}

    names = {"early": early_of("1", [1, 2]), "checked": checked}
    session = Session(names)
    session.materialize()
    names["early"] = early_of("2", [1])
    report = session.materialize()
    assert report.result is not None
    verdicts = [one.evaluation.metadata["rows"].value for one in report.result.events if isinstance(one, Checked)]
    assert verdicts == [1]


@op
def fits(number):
    """Tell what it saw."""
    return AssetCheckResult(passed=True, metadata={"rows": number})
