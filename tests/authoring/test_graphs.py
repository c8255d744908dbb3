"""What the body of a graph may say, and which graph comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import (
    AssetKey,
    AssetSpec,
    CheckError,
    ConfigMapping,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    DependencyDefinition,
    DynamicOut,
    DynamicOutput,
    GraphIn,
    GraphOut,
    In,
    MultiDependencyDefinition,
    Nothing,
    Out,
    RetryPolicy,
    asset,
    graph,
    job,
    op,
)
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.graphs.mappings import DynamicCollectDependencyDefinition, MappedInputPlaceholder


@op
def one() -> int:
    """Return one."""
    return 1


@op
def double(number: int) -> int:
    """Return twice as much."""
    return 2 * number


@op
def add(a: int, b: int = 1) -> int:
    """Return the sum."""
    return a + b


@op
def total(numbers: list[int]) -> int:
    """Return the sum."""
    return sum(numbers)


@op(out={"low": Out(int), "high": Out(int)})
def limits():
    """Return two numbers."""
    return 1, 2


@op(out=DynamicOut(int))
def several():
    """Yield some numbers."""
    yield DynamicOutput(1, "a")


@op(ins={"after": In(Nothing), "also": In(Nothing)})
def last() -> None:
    """Wait."""


def calls_one() -> None:
    """Be a body that returns nothing."""
    one()


def wiring(made: GraphDefinition) -> dict[str, dict[str, Any]]:
    """Return what a graph's nodes depend on, without those that depend on nothing."""
    return {node: dict(inputs) for node, inputs in made.dependencies.items() if inputs}


def from_(node: str, output: str = "result") -> DependencyDefinition:
    """Return the dependency on an output."""
    return DependencyDefinition(node, output)


def test_calls_make_nodes() -> None:
    """Named like what is called, with a number from the second time on; arguments by position or by name."""

    @graph
    def made(x: int, y):
        """Say what it is."""
        return add(double(double(x)), b=add(one(), y))

    assert [node.name for node in made.nodes] == ["double", "double_2", "one", "add", "add_2"]
    assert wiring(made) == {
        "double_2": {"number": from_("double")},
        "add": {"a": from_("one")},
        "add_2": {"a": from_("double_2"), "b": from_("add")},
    }
    assert (made.name, made.description, made.__doc__) == ("made", "Say what it is.", "Say what it is.")
    assert [port.dagster_type.display_name for port in made.input_defs] == ["Int", "Int"]
    assert made.ins["y"].default_value == 1
    assert list(made.outs) == ["result"]


def test_a_number_that_is_a_name_already() -> None:
    """It is refused, not given twice."""
    with pytest.raises(DagsterInvalidDefinitionError, match="two nodes are named `one_2`"):

        @graph
        def made() -> None:
            one.alias("one_2")()
            one()
            one()


def test_what_is_said_before_a_call_is_on_the_node() -> None:
    """Name, tags and retries, in any order; the op stays as it is."""

    @graph
    def made() -> None:
        one.alias("uno").tag({"k": [1]}).with_retry_policy(RetryPolicy(max_retries=3)).tag({"l": "m"})()

    [node] = made.nodes
    assert (node.name, node.tags, node.retry_policy) == ("uno", {"k": "[1]", "l": "m"}, RetryPolicy(max_retries=3))
    assert (one.tags, one.retry_policy) == ({}, None)
    assert double.alias("outside")(2) == 4


def test_what_is_prepared_and_never_called_is_warned_of() -> None:
    """It would be missing without a word."""
    with pytest.warns(UserWarning, match="`uno` is never called"):

        @graph
        def made() -> None:
            one.alias("uno")


def test_several_outputs_have_names_and_places() -> None:
    """They unpack as well."""

    @graph
    def made() -> None:
        low, high = limits()
        add(low, high)
        both = limits.alias("again")()
        add(both.high, both[0])

    assert wiring(made) == {
        "add": {"a": from_("limits", "low"), "b": from_("limits", "high")},
        "add_2": {"a": from_("again", "high"), "b": from_("again", "low")},
    }


def test_a_list_of_outputs() -> None:
    """An input of the graph may be among them."""

    @graph
    def made(x):
        return total([one(), x, double(x)])

    expected = MultiDependencyDefinition([from_("one"), MappedInputPlaceholder, from_("double")])
    assert wiring(made)["total"] == {"numbers": expected}
    assert [(m.mapped_node_name, m.fan_in_index) for m in made.input_mappings] == [("double", None), ("total", 1)]


def test_waiting_is_said_by_name() -> None:
    """Or by position, where only one such input is left."""

    @op(ins={"after": In(Nothing)})
    def then(x: int) -> int:
        return x

    @graph
    def made() -> None:
        last(after=one(), also=[one(), limits().low])
        then(one(), one())

    assert list(wiring(made)["last"]) == ["after", "also"]
    assert wiring(made)["then"] == {"x": from_("one_3"), "after": from_("one_4")}
    with pytest.raises(DagsterInvalidDefinitionError, match="by name: after="):

        @graph
        def unclear() -> None:
            last(one(), one())


def test_dynamic_outputs_are_mapped_and_collected() -> None:
    """A node behind one may be collected itself."""

    @graph
    def made():
        numbers = several()
        doubled = numbers.map(double)
        doubled.map(lambda number: add(number, one()))
        assert numbers.map(lambda number: None) is None
        low, _ = numbers.map(lambda number: (double(number), double(number)))
        total(low.collect())
        total(numbers.collect())
        return doubled

    collected = DynamicCollectDependencyDefinition
    assert wiring(made)["double"] == {"number": from_("several")}
    assert wiring(made)["add"] == {"a": from_("double"), "b": from_("one")}
    assert wiring(made)["total"] == {"numbers": collected("double_2", "result")}
    assert wiring(made)["total_2"] == {"numbers": collected("several", "result")}
    assert made.outs["result"].is_dynamic


@op(out=DynamicOut(int))
def more(number: int):
    """Yield some for each."""
    yield DynamicOutput(number, "a")


@graph
def inner_several(number: int) -> None:
    """Map inside."""
    more(number).map(double)


def directly() -> None:
    """Use it as a value."""
    double(several())


def in_a_list() -> None:
    """Put it in a list."""
    total([several(), one()])


def behind_in_a_list() -> None:
    """Put what is behind it in a list."""
    several().map(lambda number: total([double(number), one()]))


def two_at_once() -> None:
    """Be behind two."""
    several().map(lambda number: several.alias("other")().map(lambda other: add(number, other)))


def one_in_the_other() -> None:
    """Have one behind the other."""
    several().map(more).map(double)


def mapped_and_collected() -> None:
    """Be behind one and collect it."""
    numbers = several()
    numbers.map(lambda number: add(number, b=numbers.collect()))


def behind_in_a_graph() -> None:
    """Call a graph that has one of its own."""
    several().map(inner_several)


@pytest.mark.parametrize(
    "body",
    [directly, in_a_list, behind_in_a_list, two_at_once, one_in_the_other, mapped_and_collected, behind_in_a_graph],
)
def test_what_dynamic_outputs_can_not(body: Any) -> None:
    """One level, not in lists, not as values."""
    with pytest.raises(DagsterInvalidDefinitionError):
        graph(body)


def test_map_takes_a_function_that_makes_nodes() -> None:
    """Anything else is a mistake at the place of the call."""
    for wrong in (lambda: several().map(3), lambda: several().map(lambda _: 3)):
        with pytest.raises(CheckError):
            graph(name="wrong")(wrong)


@pytest.mark.parametrize(
    ("use", "hint"),
    [
        (lambda handle: [*handle], "several outputs"),
        (lambda handle: handle[0], "give the op"),
        (lambda handle: handle.alias("x"), "the name comes before"),
        (lambda handle: handle.with_hooks(set()), "hooks come before"),
    ],
)
def test_an_output_is_no_value(use: Any, hint: str) -> None:
    """What only values can do says so."""
    with pytest.raises(DagsterInvariantViolationError, match=hint):
        graph(name="wrong")(lambda: use(one()))
    with pytest.raises(DagsterInvariantViolationError):
        graph(name="wrong")(lambda: use(several()))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (lambda: double(3), "only outputs"),
        (lambda: double(one), "`one`, which isn't called"),
        (lambda: double(one.alias("uno")), "`uno`, which isn't called"),
        (lambda: double(limits()), "take one of them: `.low`, `.high`"),
        (lambda: total([one(), 3]), "elements"),
        (lambda: double(one(), one()), "gets more"),
        (lambda: double(numbr=one()), "did you mean `number`"),
        (lambda: 3, "the body returns 3"),
        (lambda: {"result": 3}, "`result` is 3"),
        (lambda: {"resul": one()}, "did you mean `result`"),
    ],
)
def test_arguments_and_results_are_outputs(body: Any, problem: str) -> None:
    """The message says what to type."""
    with pytest.raises(DagsterInvalidDefinitionError, match=problem):
        graph(name="wrong")(body)


def test_an_input_is_given_once() -> None:
    """As in a call of Python."""
    with pytest.raises(DagsterInvalidInvocationError, match="twice"):
        graph(name="wrong")(lambda: double(one(), number=one()))


def test_outputs_of_a_graph() -> None:
    """Several are a dict by name or a tuple in order; those that are said must be returned."""
    outs = {"low": GraphOut(), "high": GraphOut("the higher one")}
    by_name = graph(name="a", out=outs)(lambda: {"low": one(), "high": limits().high})
    in_order = graph(name="b", out=outs)(lambda: tuple(limits()))
    assert list(by_name.outs) == list(in_order.outs) == ["low", "high"]
    assert by_name.outs["high"].description == "the higher one"
    assert graph(name="c")(calls_one).outs == {}
    for wrong in (lambda: one(), lambda: {"low": one()}, lambda: (one(),)):
        with pytest.raises(DagsterInvalidDefinitionError):
            graph(name="d", out=outs)(wrong)
    with pytest.raises(DagsterInvalidDefinitionError, match="isn't returned"):
        graph(name="e", out=GraphOut())(lambda: None)


def test_inputs_of_a_graph() -> None:
    """They are described by name, and used."""

    @graph(ins={"x": GraphIn("a number")}, tags={"k": "v"})
    def made(x):
        return double(x)

    assert (made.ins["x"].description, made.tags) == ("a number", {"k": "v"})
    with pytest.raises(DagsterInvalidDefinitionError, match="did you mean `number`"):
        graph(ins={"numbr": GraphIn()})(lambda number: double(number))
    with pytest.raises(DagsterInvalidDefinitionError, match="isn't used"):
        graph(name="unused")(lambda number: None)
    with pytest.raises(DagsterInvalidDefinitionError, match="given by name"):
        graph(name="starred")(lambda *numbers: None)


def test_graphs_in_graphs() -> None:
    """A graph is called like an op, and its body isn't run again."""
    runs = []

    @graph
    def quadruple(x: int) -> int:
        runs.append(1)
        return double(double(x))

    @graph
    def outer(x: int) -> int:
        return quadruple(quadruple.alias("first")(x))

    assert [node.name for node in outer.nodes] == ["first", "quadruple"]
    assert runs == [1]
    with pytest.raises(DagsterInvariantViolationError, match="execute_in_process"):
        quadruple(3)


def test_a_graph_may_be_defined_in_a_body() -> None:
    """Its nodes are its own."""

    @graph
    def outer() -> None:
        @graph
        def inner(x):
            return double(x)

        inner(one())

    assert [node.name for node in outer.nodes] == ["one", "inner"]


def test_two_ops_of_one_name() -> None:
    """They can't be told apart in run config."""
    other = op(name="one")(lambda: 2)
    with pytest.raises(DagsterInvalidDefinitionError, match="two different definitions"):
        graph(name="wrong")(lambda: add(one(), other()))


def test_assets_are_loaded() -> None:
    """A definition or a spec as an argument; called, an asset's op is a node like others."""

    @asset
    def raw() -> int:
        return 1

    @graph
    def made() -> None:
        add(raw, AssetSpec("far"))
        double(raw())

    assert made.source_assets == {"add": {"a": AssetKey("raw"), "b": AssetKey("far")}}
    assert wiring(made) == {"double": {"number": from_("raw")}}
    assert raw() == 1


def test_config_of_a_graph() -> None:
    """A dict is the config of its ops; a ConfigMapping makes it."""
    mapping = ConfigMapping(lambda size: {"one": {"config": size}}, config_schema=int)
    assert graph(name="a", config=mapping)(lambda: one()).config_mapping is mapping
    given = graph(name="b", config={"one": {"config": 3}})(lambda: one())
    assert given.config_mapping.config_fn(None) == {"one": {"config": 3}}
    with pytest.raises(CheckError):
        graph(name="c", config=3)(lambda: one())


def test_an_error_in_a_body_leaves_it() -> None:
    """Calls after it are calls of functions again."""
    with pytest.raises(ZeroDivisionError):
        graph(name="wrong")(lambda: 1 / 0)
    assert double(3) == 6


def test_a_job_is_a_graph_with_what_it_needs() -> None:
    """Nothing is returned from its body."""

    @job(tags={"k": "v"}, description="d", metadata={"m": 1})
    def nightly() -> None:
        double(one())

    assert (nightly.name, nightly.description, dict(nightly.tags)) == ("nightly", "d", {"k": "v"})
    assert [node.name for node in nightly.graph.nodes] == ["one", "double"]
    with pytest.raises(DagsterInvalidDefinitionError):
        job(name="wrong")(lambda: one())


def test_only_a_graph_becomes_a_job() -> None:
    """An op is called in one."""
    inner = graph(name="inner")(calls_one)
    assert inner.alias("other").to_job(tags={"k": "v"}).name == "other"
    for method in ("to_job", "execute_in_process"):
        with pytest.raises(DagsterInvalidInvocationError):
            getattr(one.alias("x"), method)()
