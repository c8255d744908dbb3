"""Graphs as flat calls of ops: where each input comes from, and what each output is to the whole."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import (
    AssetKey,
    AssetOut,
    DynamicOut,
    In,
    Nothing,
    Out,
    RetryPolicy,
    asset,
    graph,
    graph_asset,
    graph_multi_asset,
    op,
    success_hook,
)
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.graphs.mappings import DependencyDefinition
from ipy_orch.planning.calls import FromAsset, FromConfig, FromValue, calls_of, calls_of_graph, shape_of


@op
def one():
    """Make a number."""
    return 1


@op
def more(number):
    """Add one."""
    return number + 1


@op
def both(a, b=5):
    """Add."""
    return a + b


@op
def gathered(numbers):
    """Return a list."""
    return numbers


@op(out=DynamicOut())
def many():
    """Make values."""
    yield from ()


@op(ins={"after": In(Nothing)})
def last():
    """Wait."""


@asset
def table():
    """Be read."""


@graph
def two(number):
    """Add two."""
    return more(more.alias("first")(number))


@graph
def nested():
    """Go through a graph in a graph."""
    return both(two(one()), two.alias("again")(one.alias("other")()))


@graph
def listed(number):
    """Read a list of an op, the graph's input, and a graph."""
    return gathered([one(), number, two(number)])


@graph
def spread():
    """Map, and collect twice."""
    values = many()
    gathered.alias("direct")(values.collect())
    return gathered(values.map(lambda value: both(two(value), one())).collect())


@graph
def ordered():
    """Wait for something, and for nothing."""
    last(after=[one(), last.alias("free")()])


@graph
def reading():
    """Read an asset, also in a graph."""
    return two.alias("inner")(gathered(table))


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (
            nested,
            {
                "one": {},
                "two.first": {"number": ["one.result"]},
                "two.more": {"number": ["two.first.result"]},
                "other": {},
                "again.first": {"number": ["other.result"]},
                "again.more": {"number": ["again.first.result"]},
                "both": {"a": ["two.more.result"], "b": ["again.more.result"]},
            },
        ),
        (
            listed,
            {
                "one": {},
                "two.first": {"number": ["config number"]},
                "two.more": {"number": ["two.first.result"]},
                "gathered": {"numbers": ["one.result", "config number", "two.more.result"]},
            },
        ),
        (
            spread,
            {
                "many": {},
                "direct": {"numbers": ["all many.result"]},
                "two.first": {"number": ["many.result"]},
                "two.more": {"number": ["two.first.result"]},
                "one": {},
                "both": {"a": ["two.more.result"], "b": ["one.result"]},
                "gathered": {"numbers": ["all both.result"]},
            },
        ),
        (ordered, {"one": {}, "free": {}, "last": {"after": ["one.result", "free.result"]}}),
        (
            reading,
            {
                "gathered": {"numbers": ["asset table"]},
                "inner.first": {"number": ["gathered.result"]},
                "inner.more": {"number": ["inner.first.result"]},
            },
        ),
    ],
    ids=lambda one: one.name if isinstance(one, GraphDefinition) else "",
)
def test_where_inputs_come_from(made, shape):
    """All mappings between graphs are followed to their ends, and each call comes after those that it reads."""
    calls = calls_of_graph(made)
    assert {name: dict(sources) for name, sources in shape_of(calls)} == shape
    places = [call.name for call in calls]
    for call in calls:
        for source in call.reads():
            name = getattr(getattr(source, "source", source), "call", None)
            assert name is None or places.index(name) < places.index(call.name)


def test_what_is_mapped():
    """All between a dynamic output and what collects it, and nothing else; also through a graph."""
    over = {call.name: call.mapped.call for call in calls_of_graph(spread) if call.mapped is not None}
    assert over == {"two.first": "many", "two.more": "many", "both": "many"}
    assert [call.name for call in calls_of_graph(spread) if call.is_dynamic] == ["many"]


def test_two_dynamic_outputs_at_once_are_refused():
    """There is no telling which values belong together."""
    wired = {"both": {"a": DependencyDefinition("many"), "b": DependencyDefinition("two")}}
    with pytest.raises(DagsterInvalidDefinitionError, match="both"):
        calls_of_graph(
            GraphDefinition("pairs", node_defs=[many, many.with_replaced(name="two"), both], dependencies=wired)
        )


def test_what_the_whole_gives():
    """An output of the whole is known by the call that makes it, through all graphs, under several names too."""

    @graph(out={"a": Out(), "b": Out()})
    def named():
        made = two(one())
        return {"a": made, "b": both(made)}

    results = {call.name: dict(call.results) for call in calls_of_graph(named)}
    assert results == {
        "one": {},
        "two.first": {},
        "two.more": {"result": ("a",)},
        "both": {"result": ("b",)},
    }


def test_what_is_given_takes_the_place_of_config():
    """Else config says it, at the place of the op or at the top, and the op's own default comes last."""

    @graph
    def some(a):
        both(a)

    (given,) = calls_of_graph(some, {"a": FromValue(3)})
    assert given.sources == {"a": FromValue(3), "b": FromConfig(("both",), "b", 5)}
    (asked,) = calls_of_graph(some)
    assert asked.sources["a"] == FromConfig((), "a")


def test_an_input_that_nothing_feeds_and_that_carries_nothing():
    """Nobody is asked for it."""

    @graph
    def free():
        last()

    @graph
    def waiting(start):
        last(after=[one(), start])

    @graph
    def around():
        waiting()

    (call,) = calls_of_graph(free)
    assert call.sources == {}
    assert dict(shape_of(calls_of_graph(around)))["waiting.last"] == [("after", ["waiting.one.result"])]


def test_what_nodes_hand_down():
    """Tags and hooks add up, of retry policies the nearest holds."""

    @success_hook
    def outer_hook(_context): ...

    @success_hook
    def inner_hook(_context): ...

    @op(tags={"own": "op", "level": "op"}, retry_policy=RetryPolicy(max_retries=1))
    def tagged(): ...

    @graph
    def inner():
        tagged.with_hooks({inner_hook})()
        one.tag({"level": "node"})()

    @graph
    def outer():
        inner.with_hooks({outer_hook}).tag({"level": "graph", "team": "a"}).with_retry_policy(
            RetryPolicy(max_retries=2)
        )()

    calls = {call.path[-1]: call for call in calls_of_graph(outer)}
    assert dict(calls["tagged"].tags) == {"own": "op", "level": "op", "team": "a"}
    assert dict(calls["one"].tags) == {"level": "node", "team": "a"}
    assert calls["tagged"].hooks == {outer_hook, inner_hook}
    assert calls["one"].hooks == {outer_hook}
    assert [calls[name].retry_policy.max_retries for name in ("tagged", "one")] == [1, 2]


def test_an_asset_of_an_op_is_one_call():
    """Its inputs are assets; it is worked out once."""

    @asset
    def size(table): ...

    (call,) = calls_of(size)
    assert (call.name, call.sources, call.results) == (
        "size",
        {"table": FromAsset(AssetKey("table"))},
        {"result": ("result",)},
    )
    assert calls_of(size) is calls_of(size)


def test_an_asset_of_a_graph_reads_assets():
    """Its inputs never come from config."""

    @graph_asset
    def size(table):
        return more(gathered(table))

    assert dict(shape_of(calls_of(size))) == {
        "gathered": [("numbers", ["asset table"])],
        "more": [("number", ["gathered.result"])],
    }


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["left"], {"first": "table", "left_op": "first"}),
        (["right"], {"right_op": "left"}),
        (["left", "right"], {"first": "table", "left_op": "first", "right_op": "left_op"}),
    ],
    ids=["left", "right", "both"],
)
def test_some_assets_of_a_graph(chosen: list[str], expected: dict[str, str]):
    """What they read is called with them, down to other assets, which are loaded."""

    @graph_multi_asset(outs={"left": AssetOut(), "right": AssetOut()}, can_subset=True)
    def sides(table):
        left = more.alias("left_op")(more.alias("first")(table))
        return {"left": left, "right": more.alias("right_op")(left)}

    calls = calls_of(sides.subset_for({AssetKey(name) for name in chosen}, None))

    def read(source: Any) -> str:
        return source.key.label if isinstance(source, FromAsset) else source.call

    assert {call.name: read(call.sources["number"]) for call in calls} == expected


def test_the_shape_is_plain_and_the_same_each_time():
    """Recipes are made of it."""
    assert shape_of(calls_of_graph(nested)) == shape_of(calls_of_graph(nested))
    assert eval(repr(shape_of(calls_of_graph(spread)))) == shape_of(calls_of_graph(spread))
