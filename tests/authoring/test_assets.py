"""Functions become assets."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import materialize
from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
    DagsterTypeCheckDidNotPass,
)
from ipy_orch.model.asset_ports import AssetIn, AssetOut
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.results import AssetCheckResult, MaterializeResult, Output
from ipy_orch.model.specs import AssetDep, AssetSpec
from ipy_orch.model.types.annotations import Nothing, resolve_dagster_type
from ipy_orch.planning.graph import AssetGraph


def plain():
    """Say what it is."""


def reads(raw):
    """Be a sample."""


def test_a_bare_decorator():
    """Name, description and inputs are the function's."""

    @asset
    def orders(context, raw, limit=3):
        """Be the orders."""

    assert orders.key == AssetKey("orders")
    assert orders.keys_by_input_name == {"raw": AssetKey("raw"), "limit": AssetKey("limit")}
    assert orders.get_asset_spec().description == "Be the orders."
    assert orders.op.ins["limit"].default_value == 3


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"name": "a"}, ["a"]),
        ({"key": "a"}, ["a"]),
        ({"key": ["p", "a"]}, ["p", "a"]),
        ({"key_prefix": "p"}, ["p", "plain"]),
        ({"key_prefix": ["p", "q"], "name": "a"}, ["p", "q", "a"]),
        ({"key_prefix": "a-b"}, ["a-b", "plain"]),
    ],
)
def test_keys(options: dict[str, Any], key: list[str]):
    """A key is said whole, or as prefix and name."""
    assert asset(**options)(plain).key.path == key


@pytest.mark.parametrize(
    "options",
    [
        {"key": "a/b"},
        {"key": ["a/b", "c"]},
        {"key_prefix": "a/b"},
        {"key": "a", "name": "b"},
        {"key": "a", "key_prefix": "b"},
        {"name": "a b"},
        {"kinds": {"a"}, "compute_kind": "b"},
        {"kinds": {"a%"}},
        {"io_manager_key": "a", "io_manager_def": object()},
        {"ins": {"x": AssetIn("y")}},
        {"check_specs": [AssetCheckSpec("c", asset="other")]},
        {"check_specs": [AssetCheckSpec("c", asset="plain"), AssetCheckSpec("c", asset="plain", description="d")]},
    ],
)
def test_contradictions_are_refused(options: dict[str, Any]):
    """What contradicts itself is an error of the definition."""
    with pytest.raises(DagsterInvalidDefinitionError):
        asset(**options)(plain)


def test_unknown_options_are_refused():
    """An option that the decorator doesn't have is a TypeError, with the closest one."""
    with pytest.raises(TypeError, match="did you mean `group_name`"):
        asset(group_nam="a")
    with pytest.raises(CheckError):
        asset(check_specs=[1])(plain)


def test_deps_are_not_loaded():
    """Dependencies order steps; arguments are loaded."""
    made = asset(deps=["x", AssetDep("y")])(reads)
    assert made.asset_deps[made.key] == {AssetKey("raw"), AssetKey("x"), AssetKey("y")}
    assert made.op.ins["x"].is_nothing
    assert not made.op.ins["raw"].is_nothing


def test_a_dependency_may_be_an_argument_too():
    """In `deps` and as an argument is one dependency, whose partition mapping `deps` says."""
    made = asset(deps=[AssetDep("raw", partition_mapping="last")])(reads)
    assert list(made.op.ins) == ["raw"]
    assert made.get_partition_mapping(AssetKey("raw")) == "last"
    renamed = asset(deps=["source"], ins={"raw": AssetIn("source", input_manager_key="m")})(reads)
    assert renamed.keys_by_input_name == {"raw": AssetKey("source")}


@pytest.mark.parametrize(
    "said", [{"partition_mapping": "m"}, {"metadata": {"a": 1}}, {"key_prefix": "p"}, {"dagster_type": Nothing}]
)
def test_a_dependency_is_said_once(said):
    """When `deps` has it, an AssetIn says only which asset it is and who loads it."""
    with pytest.raises(DagsterInvalidDefinitionError):
        asset(deps=["raw"], ins={"raw": AssetIn(**said)})(reads)


def test_the_value_has_a_type():
    """A return annotation is the type of the value; None and MaterializeResult store nothing."""

    def number() -> int: ...

    def nothing() -> None: ...

    def result() -> MaterializeResult: ...

    assert asset(number).op.outs["result"].dagster_type == resolve_dagster_type(int)
    assert asset(nothing).op.outs["result"].is_nothing
    assert asset(result).op.outs["result"].is_nothing
    assert not asset(plain).op.outs["result"].is_nothing


def test_resources_are_needed():
    """Carried resources and IO managers are needed ones."""
    made = asset(required_resource_keys={"a"}, resource_defs={"b": 1}, io_manager_def=2)(plain)
    assert made.required_resource_keys == {"a", "b", "plain__io_manager"}
    assert made.resource_defs == {"b": 1, "plain__io_manager": 2}


def test_outs_of_a_multi_asset():
    """Each output is an asset that depends on all inputs, unless it's said."""

    @multi_asset(
        outs={"a": AssetOut(), "b": AssetOut(key="x"), "c": AssetOut(key_prefix="p", is_required=False)},
        internal_asset_deps={"b": {AssetKey("a")}},
        deps=[AssetDep("w", partition_mapping="m")],
        code_version="1",
    )
    def made(raw): ...

    raw, w = AssetKey("raw"), AssetKey("w")
    assert made.keys_by_output_name == {"a": AssetKey("a"), "b": AssetKey("x"), "c": AssetKey(["p", "c"])}
    assert list(made.asset_deps.values()) == [{raw, w}, {AssetKey("a")}, {raw, w}]
    assert set(made.keys_by_input_name) == {"raw", "w"}
    assert [spec.skippable for spec in made.specs] == [False, False, True]
    assert set(made.code_versions_by_key.values()) == {"1"}


@pytest.mark.parametrize("given", [{}, {"specs": []}, {"outs": {}}])
def test_a_multi_asset_of_nothing(given):
    """Specs may come from a list that is empty today: there's nothing to run, and the rest runs."""

    @multi_asset(**given)
    def ghost():
        raise AssertionError

    @asset
    def real():
        return 1

    assert list(ghost.keys) == []
    assert materialize([ghost, real]).output_for_node("real") == 1


def test_specs_of_a_multi_asset():
    """Each spec is an asset; dependencies inside need no port."""

    @multi_asset(specs=[AssetSpec("x", deps=["u"]), AssetSpec("y", deps=["x"], skippable=True)], group_name="g")
    def made(u): ...

    assert made.keys_by_input_name == {"u": AssetKey("u")}
    assert [out.is_required for out in made.op.outs.values()] == [True, False]
    assert set(made.group_names_by_key.values()) == {"g"}


def test_parts_need_not_be_made():
    """When a part can be run alone, no output of it must come."""

    @multi_asset(specs=[AssetSpec("x"), AssetSpec("y")], can_subset=True)
    def made(): ...

    assert not any(out.is_required for out in made.op.outs.values())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"outs": {"a": AssetOut()}, "specs": [AssetSpec("a")]},
        {"specs": [AssetSpec("a")]},
        {"specs": [AssetSpec("a", deps=["raw"])], "deps": ["b"]},
        {"specs": [AssetSpec("a", deps=["raw"])], "internal_asset_deps": {"a": {AssetKey("b")}}},
        {"specs": [AssetSpec("a", deps=["raw"], group_name="g")], "group_name": "h"},
        {"specs": [AssetSpec("a", deps=["raw"], kinds={"k"})], "compute_kind": "l"},
        {"specs": [AssetSpec("a", deps=["raw"]), AssetSpec("a", deps=["raw"], description="d")]},
        {"specs": [AssetSpec("a", deps=["raw"])], "ins": {"raw": AssetIn(metadata={"a": 1})}},
        {"specs": [AssetSpec("a", deps=["raw"])], "check_specs": [AssetCheckSpec("c", asset="b")]},
        {"outs": {"a": AssetOut()}, "internal_asset_deps": {"a": set()}},
        {"outs": {"a": AssetOut()}, "internal_asset_deps": {"b": set()}},
        {"outs": {"a": AssetOut()}, "internal_asset_deps": {"a": {AssetKey("other")}}},
        {"outs": {"a": AssetOut(), "b": AssetOut(key="a")}},
    ],
)
def test_contradictions_of_a_multi_asset_are_refused(options):
    """What contradicts itself is an error of the definition."""
    with pytest.raises(DagsterInvalidDefinitionError):
        multi_asset(**options)(reads)


def test_specs_are_specs():
    """A multi_asset takes AssetSpecs."""
    with pytest.raises(CheckError):
        multi_asset(specs=["a"])(plain)


def test_checks_of_other_assets_on_request():
    """A multi_asset may check what it doesn't make, when it says so."""
    spec = AssetCheckSpec("c", asset="other")
    made = multi_asset(specs=[AssetSpec("a")], check_specs=[spec], allow_arbitrary_check_specs=True)(plain)
    assert list(made.check_specs) == [spec]


def test_a_compute_kind_is_a_tag_of_the_op():
    """Not a kind of the asset, as in Dagster; it's shown as one where the asset has none."""

    @asset(compute_kind="python")
    def one(): ...

    @multi_asset(specs=[AssetSpec("two")], compute_kind="sql")
    def many(): ...

    plain = asset(name="three", kinds={"k"})(lambda: None)
    graph = AssetGraph.of([one, many, plain])
    assert [dict(each.op.tags) for each in (one, many)] == [
        {"dagster/compute_kind": "python"},
        {"dagster/compute_kind": "sql"},
    ]
    assert [graph.spec(key).kinds for key in graph.keys] == [set(), set(), {"k"}]
    assert [graph.kinds(key) for key in graph.keys] == [["python"], ["sql"], ["k"]]


BOTH = {"p": AssetOut(), "q": AssetOut()}


def annotated(annotation, value):
    """Return a function that is annotated with this, and returns that."""

    def made():
        return value

    made.__annotations__["return"] = annotation
    return made


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (Output[int], Output(1), Output("x")),
        (Output[list[int]], Output([1]), Output(["x"])),
        (Output[None], Output(None), Output(1)),
        (MaterializeResult[int], MaterializeResult(value=1), MaterializeResult(value="x")),
    ],
    ids=["output", "list", "none", "result"],
)
def test_the_type_in_a_wrapper_is_checked(annotation, good, bad):
    """What is in the brackets is the type of the value, as it is for an op."""

    def made(value) -> bool:
        return materialize([asset(name="wrapped")(annotated(annotation, value))]).success

    assert made(good)
    with pytest.raises(DagsterTypeCheckDidNotPass):
        made(bad)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (tuple[int, str], (1, "x"), (1, 2)),
        (tuple[Output[int], Output[str]], (Output(1), Output("x")), (Output("x"), Output("x"))),
        (tuple[None, int], (None, 2), (None, "x")),
        (
            tuple[MaterializeResult[int], MaterializeResult[str]],
            (MaterializeResult("p", value=1), MaterializeResult("q", value="x")),
            (MaterializeResult("p", value=1), MaterializeResult("q", value=2)),
        ),
    ],
    ids=["values", "outputs", "none", "results"],
)
def test_the_types_of_several_assets_are_checked(annotation, good, bad):
    """The annotation is a tuple of theirs, in order."""

    def made(value) -> bool:
        return materialize([multi_asset(outs=BOTH)(annotated(annotation, value))]).success

    assert made(good)
    with pytest.raises(DagsterTypeCheckDidNotPass):
        made(bad)


@pytest.mark.parametrize("annotation", [int, None, tuple[int], tuple[int, int, int], list[int]], ids=str)
def test_the_annotation_of_several_assets_is_a_tuple_of_as_many(annotation):
    """Another one is refused when it is written."""
    both = annotated(annotation, (1, 2))
    with pytest.raises(DagsterInvariantViolationError, match="tuple"):
        multi_asset(outs=BOTH)(both)
    assert multi_asset(specs=[AssetSpec("p"), AssetSpec("q")])(both).keys == {AssetKey("p"), AssetKey("q")}


def test_a_declared_type_goes_before_the_annotation():
    """`AssetOut(dagster_type=...)` says what an asset is, whatever is written behind the arrow."""

    @multi_asset(outs={"p": AssetOut(dagster_type=str), "q": AssetOut()})
    def both() -> tuple[int, str]:
        return "x", "y"

    assert materialize([both]).success


def test_a_verdict_alone_is_no_value_of_an_asset():
    """A check that wasn't declared is no asset's value; one that was may be all that is returned."""

    @asset
    def undeclared():
        return AssetCheckResult(passed=True)

    @asset(check_specs=[AssetCheckSpec("fine", asset="declared")])
    def declared() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    with pytest.raises(DagsterInvariantViolationError, match="check_specs="):
        materialize([undeclared])
    assert materialize([declared]).success
