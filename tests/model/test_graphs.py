"""Graphs that are wired explicitly: what fits, what doesn't, and what a graph is to others."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ipy_orch import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
    DependencyDefinition,
    DynamicOut,
    DynamicOutput,
    GraphDefinition,
    In,
    InputMapping,
    MultiDependencyDefinition,
    NodeInvocation,
    Nothing,
    Out,
    OutputMapping,
    RetryPolicy,
    op,
)
from ipy_orch.model.graphs.graph import nested_nodes
from ipy_orch.model.graphs.mappings import DynamicCollectDependencyDefinition, MappedInputPlaceholder

FROM_ONE = DependencyDefinition("one")


@op
def one() -> int:
    """Return one."""
    return 1


@op
def double(number: int) -> int:
    """Return twice as much."""
    return 2 * number


@op
def total(numbers: list[int]) -> int:
    """Return the sum."""
    return sum(numbers)


@op(out=DynamicOut(int))
def several():
    """Yield some."""
    yield DynamicOutput(1, "a")


def graph(dependencies: Any = None, *, defs: Any = (double, one, total, several), **options: Any) -> GraphDefinition:
    """Return a graph of the ops above."""
    return GraphDefinition("g", node_defs=defs, dependencies=dependencies, **options)


def test_nodes_come_after_what_they_need() -> None:
    """Else they come as they were given; nodes of one op have aliases, tags and retries of their own."""
    twice = NodeInvocation("double", "twice", tags={"k": "v"}, retry_policy=RetryPolicy(max_retries=2))
    made = graph(
        {twice: {"number": DependencyDefinition("double")}, "double": {"number": FROM_ONE}}, defs=[double, one]
    )
    assert [node.name for node in made.nodes] == ["one", "double", "twice"]
    node = made.node_named("twice")
    assert (node.definition, node.tags, node.retry_policy) == (double, {"k": "v"}, RetryPolicy(max_retries=2))
    assert made.dependencies["twice"] == {"number": DependencyDefinition("double")}
    assert made.node_defs == [one, double]


def test_a_long_chain_is_no_problem() -> None:
    """Nodes are ordered without recursion."""
    names = [f"n{i}" for i in range(3000)]
    wired = {
        NodeInvocation("double", name): {"number": DependencyDefinition(before)}
        for before, name in itertools.pairwise(names)
    }
    made = graph({**dict(reversed(wired.items())), NodeInvocation("one", "n0"): {}}, defs=[double, one])
    assert [node.name for node in made.nodes] == names


@pytest.mark.parametrize(
    ("dependencies", "problem"),
    [
        ({"doubel": {"number": FROM_ONE}}, "did you mean `double`"),
        ({"double": {"numbr": FROM_ONE}}, "did you mean `number`"),
        ({"double": {"number": DependencyDefinition("oen")}}, "did you mean `one`"),
        ({"double": {"number": DependencyDefinition("one", "resul")}}, "did you mean `result`"),
        ({"double": {"number": DependencyDefinition("double")}}, "`double` -> `double`"),
        ({"double": {"number": MultiDependencyDefinition([FROM_ONE])}}, r"list\[Int\]"),
        ({"double": {"number": "one"}}, "DependencyDefinition"),
        ({"double": FROM_ONE}, "dict of dicts"),
        ([FROM_ONE], "dict of dicts"),
        ({"total": {"numbers": MultiDependencyDefinition([DependencyDefinition("several")])}}, "collect"),
        ({"total": {"numbers": DynamicCollectDependencyDefinition("one")}}, "isn't dynamic"),
        ({NodeInvocation("double", "one"): {}}, "two nodes are named `one`"),
    ],
)
def test_what_does_not_fit_is_refused(dependencies: Any, problem: str) -> None:
    """The message names the closest name, or what to do."""
    with pytest.raises(DagsterInvalidDefinitionError, match=problem):
        graph(dependencies)


def test_a_circle_is_named() -> None:
    """In the order in which values would flow."""
    wired = {
        NodeInvocation("double", name): {"number": DependencyDefinition(before)}
        for name, before in [("a", "c"), ("b", "a"), ("c", "b")]
    }
    with pytest.raises(DagsterInvalidDefinitionError, match="`a` -> `b` -> `c` -> `a`"):
        graph(wired, defs=[double])


def test_what_is_no_node_is_refused() -> None:
    """A function needs a decorator; two definitions can't share a name."""
    with pytest.raises(DagsterInvalidDefinitionError, match="@op"):
        graph(defs=[lambda: 1])
    with pytest.raises(DagsterInvalidDefinitionError, match="two different definitions"):
        graph(defs=[one, op(name="one")(lambda: 2)])
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `one`"):
        graph().node_named("oen")


def test_names_are_unique_in_a_job():
    """At any depth: run config and messages name ops."""
    inner = GraphDefinition("inner", node_defs=[op(name="one")(lambda: 2)])
    with pytest.raises(DagsterInvalidDefinitionError, match="two different definitions are named `one`"):
        graph(defs=[one, inner]).to_job()


def test_one_output_is_in_a_list_once() -> None:
    """The same output twice is a mistake, anything else than an output too."""
    with pytest.raises(DagsterInvalidDefinitionError):
        MultiDependencyDefinition([FROM_ONE, FROM_ONE])
    with pytest.raises(CheckError):
        MultiDependencyDefinition(["one"])  # type: ignore[list-item]


def test_the_ports_of_a_graph_are_those_of_its_nodes() -> None:
    """Type, default, description and storage are taken from inside, and so on through nested graphs."""
    kept = op(
        name="kept",
        ins={"x": In(int, default_value=3, description="in")},
        out=DynamicOut(str, io_manager_key="disk", description="out", is_required=False),
    )(lambda x: None)
    inner = GraphDefinition(
        "inner",
        node_defs=[kept],
        input_mappings=[InputMapping("y", "kept", "x")],
        output_mappings=[OutputMapping("made", "kept", "result", from_dynamic_mapping=True)],
    )
    outer = GraphDefinition(
        "outer",
        node_defs=[inner],
        input_mappings=[InputMapping("z", "inner", "y", graph_input_description="mine")],
        output_mappings=[OutputMapping("all", "inner", "made")],
    )
    z, made = outer.ins["z"], outer.outs["all"]
    assert (z.default_value, z.description, z.dagster_type.display_name) == (3, "mine", "Int")
    assert (made.is_dynamic, made.is_required, made.io_manager_key, made.description) == (True, False, "disk", "out")
    assert [(path, node.name) for path, node in nested_nodes(outer)] == [("inner", "inner"), ("inner.kept", "kept")]
    assert [*outer.iterate_op_defs()] == [kept]
    assert {kind.display_name for kind in outer.all_dagster_types()} == {"Int", "String"}


def test_a_graph_input_that_goes_to_different_types_is_any() -> None:
    """Unless it is said."""
    other = op(name="other")(lambda word: word)
    waits = op(name="waits", ins={"go": In(Nothing)})(lambda: None)
    mappings = [InputMapping("x", "double", "number"), InputMapping("x", "other", "word")]
    assert graph(defs=[double, other], input_mappings=mappings).input_defs[0].dagster_type.is_any
    alone = graph(defs=[waits], input_mappings=[InputMapping("x", "waits", "go")])
    assert alone.ins_with_values == ()
    said = [InputMapping("x", "other", "word", dagster_type=double.input_def_named("number").dagster_type)]
    assert graph(defs=[other], input_mappings=said).input_def_named("x").dagster_type.display_name == "Int"


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        (InputMapping("x", "dbl", "number"), "no node `dbl`"),
        (InputMapping("x", "double", "numbr"), "did you mean `number`"),
        (InputMapping("x", "total", "numbers"), "another node"),
        (InputMapping("x", "double", "number", fan_in_index=0), "isn't a list"),
        (InputMapping("x", "total", "numbers", fan_in_index=0), "no MappedInputPlaceholder"),
        (FROM_ONE, "InputMapping"),
    ],
)
def test_an_input_of_the_graph_goes_to_a_free_place(mapping: Any, problem: str) -> None:
    """An input of a node, or a place in its list, that nothing else fills."""
    listed = {"total": {"numbers": MultiDependencyDefinition([FROM_ONE, MappedInputPlaceholder])}}
    place = InputMapping("y", "total", "numbers", fan_in_index=1)
    assert graph(listed, input_mappings=[place]).input_defs[0].dagster_type.display_name == "Int"
    with pytest.raises(DagsterInvalidDefinitionError, match=problem):
        graph(listed, input_mappings=[place, mapping])
    with pytest.raises(DagsterInvalidDefinitionError, match="place 1"):
        graph(listed)


def test_an_output_of_the_graph_is_an_output_of_a_node() -> None:
    """Each once."""
    made = OutputMapping("made", "one", "result")
    assert graph(output_mappings=[made]).output("made").dagster_type.display_name == "Int"
    for mappings in ([made, made], [OutputMapping("x", "oen", "result")], [OutputMapping("x", "one", "r")], [FROM_ONE]):
        with pytest.raises(DagsterInvalidDefinitionError):
            graph(output_mappings=mappings)
    with pytest.raises(DagsterInvalidDefinitionError):
        graph(output_mappings=[made]).output("mad")


def test_a_graph_needs_what_is_in_it() -> None:
    """The resources of its ops, at any depth."""
    reads = op(name="reads", required_resource_keys={"db"})(lambda context: 1)
    inner = GraphDefinition("inner", node_defs=[reads])
    assert GraphDefinition("outer", node_defs=[inner]).required_resource_keys == {"db"}


def test_a_copy_has_another_name() -> None:
    """And is the same otherwise."""
    made = graph(tags={"k": {"a": 1}})
    assert made.tags == {"k": '{"a": 1}'}
    assert (made.copy(name="h").name, made.copy(name="h").nodes) == ("h", made.nodes)


def test_ports_are_found_by_name() -> None:
    """In ops and in graphs alike."""
    assert (double.has_input("number"), double.has_output("nope")) == (True, False)
    assert double.output_def_named("result").dagster_type.display_name == "Int"
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `number`"):
        double.input_def_named("numbr")


def test_out_keeps_its_kind() -> None:
    """A dynamic output stays dynamic when its type is read from the annotation."""
    assert several.outs["result"].is_dynamic
    assert not Out().is_dynamic
