"""Which ops of a job a selection names, and whether they can run alone."""

from __future__ import annotations

import pytest

from ipy_orch import In, Nothing, Out, graph, job, op
from ipy_orch.errors import DagsterInvalidSubsetError
from ipy_orch.planning.selection.ops import selected_nodes


@op(out=Out(int))
def first():
    """Begin."""
    return 1


@op
def more(number: int = 10) -> int:
    """Add one; ten where nobody says."""
    return number + 1


@op
def needy(thing: object):
    """Take what no config can say."""


@op(ins={"after": In(Nothing)})
def last():
    """Wait."""


@graph
def two(number: int):
    """Add two."""
    return more(more.alias("inner")(number))


@graph
def line():
    """Be a chain: a -> b -> c -> d, and one apart."""
    end = more.alias("d")(two.alias("c")(more.alias("b")(first.alias("a")())))
    last(after=end)
    first.alias("apart")()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (["b"], {"b"}),
        ("b", {"b"}),
        (["*b"], {"a", "b"}),
        (["+c"], {"b", "c"}),
        (["++c"], {"a", "b", "c"}),
        (["b+"], {"b", "c"}),
        (["c*"], {"c", "d", "last"}),
        (["+b+"], {"a", "b", "c"}),
        (["a", "apart"], {"a", "apart"}),
        (["c.inner"], {"c.inner"}),
        (["*"], {"a", "b", "c", "d", "last", "apart"}),
    ],
)
def test_clauses(selection, expected):
    """Names, with stars and plusses for what is up- and downstream."""
    assert selected_nodes(line, selection) == expected


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (["inne"], "inne"),
        (["c.iner"], "c.inner"),
        (["apar"], "apart"),
        (["a b"], "selects no op"),
        (["**a"], "selects no op"),
        ([], "nothing"),
    ],
)
def test_what_names_nothing_is_refused(selection, message):
    """With the closest name."""
    with pytest.raises(DagsterInvalidSubsetError, match=message):
        selected_nodes(line, selection)


@pytest.mark.parametrize(
    ("selection", "ran"),
    [
        (["c"], ["c.inner", "c.more"]),
        (["c.more"], ["c.more"]),
        (["b", "d"], ["b", "d"]),
        (["d+"], ["d", "last"]),
        (["last"], ["last"]),
        (["*c.inner", "a"], ["a", "c.inner"]),
    ],
    ids=" ".join,
)
def test_parts_run(selection, ran):
    """What they would read of others comes from their defaults; who only waits doesn't wait."""
    result = line.to_job().execute_in_process(op_selection=selection)
    assert [event.step_key for event in result.get_step_success_events()] == ran


def test_a_part_of_a_list_is_read():
    """What isn't selected is left out of it."""

    @op
    def gathered(numbers):
        return numbers

    @job
    def lists():
        gathered([first.alias("a")(), first.alias("b")()])

    assert lists.execute_in_process(op_selection=["a", "gathered"]).output_for_node("gathered") == [1]


def test_what_cant_run_alone_is_refused():
    """When neither default nor config can say what it reads."""

    @job
    def needs():
        needy(first())

    with pytest.raises(DagsterInvalidSubsetError, match="needy"):
        needs.get_subset(op_selection=["needy"])


def test_a_part_of_a_graph_whose_output_is_read():
    """Whoever reads it is refused where its maker isn't selected."""
    with pytest.raises(DagsterInvalidSubsetError, match="`c`"):
        line.to_job().get_subset(op_selection=["c.inner", "d"])


def test_a_part_of_a_part():
    """A subset is a job like any other."""
    part = line.to_job().get_subset(op_selection=["*c"])
    again = part.get_subset(op_selection=["c.more"])
    assert (part.op_selection, again.op_selection) == ({"a", "b", "c.inner", "c.more"}, {"c.more"})
    with pytest.raises(DagsterInvalidSubsetError):
        part.get_subset(op_selection=["d"])
