"""Definitions that must be run in parts, because what they read depends on them."""

from __future__ import annotations

import pytest

from ipy_orch import (
    AssetExecutionContext,
    AssetKey,
    AssetOut,
    AssetSpec,
    Definitions,
    MaterializeResult,
    asset,
    materialize,
    multi_asset,
)
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.assets import external
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.jobs import plan_all, selected_layer
from ipy_orch.planning.lineage import made_together


def pair(name: str, first: AssetSpec, second: AssetSpec, can_subset: bool = True):
    """Return a definition of two assets."""

    @multi_asset(name=name, specs=[first, second], can_subset=can_subset)
    def both(context: AssetExecutionContext):
        for key in sorted(context.selected_asset_keys):
            yield MaterializeResult(key)

    return both


def zigzag(can_subset: bool = True):
    """Return two definitions that read each other: a <- b <- c <- d."""
    left = pair("left", AssetSpec("a", skippable=True), AssetSpec("c", deps=["b"], skippable=True), can_subset)
    right = pair("right", AssetSpec("b", deps=["a"], skippable=True), AssetSpec("d", deps=["c"], skippable=True))
    return [left, right]


def test_definitions_that_read_each_other_run_in_parts():
    """Each part after what it reads, under a name of its own."""
    steps = plan_all(selected_layer(Definitions(zigzag()).resolve_asset_graph())).steps
    assert [(step.name, [key.label for key in step.keys]) for step in steps] == [
        ("left", ["a"]),
        ("right", ["b"]),
        ("left_2", ["c"]),
        ("right_2", ["d"]),
    ]
    assert [set(step.after) for step in steps] == [set(), {"left"}, {"right"}, {"left_2"}]


def test_the_parts_make_all_assets():
    """They do when they're run."""
    made = [event.asset_key for event in materialize(zigzag()).all_events if event.is_step_materialization]
    assert made == [AssetKey(name) for name in "abcd"]


def test_the_job_of_all_assets_has_an_op_per_part():
    """A part of it alone needs no more than its own."""
    job = Definitions(zigzag()).resolve_implicit_global_asset_job_def()
    assert [node.name for node in job.graph.nodes] == ["left", "right", "left_2", "right_2"]
    assert len(job.get_subset(asset_selection=["a"]).all_node_defs) == 1


def test_what_a_step_makes_together():
    """It is the part of a definition that runs at once, in the graph of all."""
    graph = AssetGraph.of(zigzag())
    made = [made_together(graph, AssetKey(name)) for name in "abcd"]
    assert made == [{AssetKey(name)} for name in "abcd"]
    specs = [AssetSpec("e"), AssetSpec("f", deps=["e"]), AssetSpec("g")]
    both = AssetGraph.of([pair("both", *specs[:2], can_subset=False), external(specs[2])])
    assert made_together(both, AssetKey("e")) == made_together(both, AssetKey("f")) == both.maker(AssetKey("e")).keys
    assert made_together(both, AssetKey("g")) == {AssetKey("g")}


def test_a_circle_that_parts_cant_undo_is_refused():
    """As when one of the definitions can't be run in parts."""
    with pytest.raises(DagsterInvalidDefinitionError, match="circle"):
        materialize(zigzag(can_subset=False))


def test_whole_definitions_go_first():
    """So that another isn't run in parts without need."""

    @multi_asset(outs={"x": AssetOut(is_required=False), "y": AssetOut(is_required=False)}, can_subset=True)
    def apart():
        yield from ()

    @asset(deps=["a", "y"])
    def last(): ...

    steps = plan_all(selected_layer(Definitions([last, apart, *zigzag()]).resolve_asset_graph())).steps
    assert [step.name for step in steps].count("apart") == 1
    assert "apart_2" not in [step.name for step in steps]
