"""Assets that a graph of ops computes."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetIn,
    AssetKey,
    AssetOut,
    AssetsDefinition,
    AssetSpec,
    CheckError,
    Config,
    DagsterInvalidDefinitionError,
    GraphDefinition,
    GraphOut,
    In,
    Out,
    graph,
    graph_asset,
    graph_multi_asset,
    materialize,
    op,
)


class Size(Config):
    """Be a config."""

    size: int = 2


@op(out=Out(io_manager_key="disk", metadata={"unit": "piece"}, description="made by one"))
def one() -> int:
    """Return one."""
    return 1


@op(required_resource_keys={"db"}, ins={"number": In(input_manager_key="loader")})
def double(number: int) -> int:
    """Return twice as much."""
    return 2 * number


@op
def plain(number):
    """Return what it gets."""
    return number


@op
def passes(number) -> AssetCheckResult:
    """Check."""
    return AssetCheckResult(passed=bool(number))


def test_a_graph_becomes_an_asset():
    """Its parameters are the assets it reads, and what is said of its output is said of the asset."""

    @graph_asset
    def kept(raw):
        """Be kept."""
        return plain(double(raw))

    assert isinstance(kept.op, GraphDefinition)
    assert (kept.key, kept.op.name) == (AssetKey("kept"), "kept")
    assert kept.asset_deps == {AssetKey("kept"): {AssetKey("raw")}}
    assert kept.descriptions_by_key == {AssetKey("kept"): "Be kept."}
    assert kept.required_resource_keys == {"db", "loader", "io_manager"}


def test_what_the_op_says_holds_where_the_asset_says_nothing():
    """Description, metadata and storage are those of the op that makes it."""

    @graph_asset(metadata={"rows": 1})
    def kept():
        return one()

    spec = kept.get_asset_spec()
    assert (spec.description, spec.metadata) == ("made by one", {"unit": "piece", "rows": 1})
    assert kept.get_io_manager_key_for_asset_key(kept.key) == "disk"


def test_options():
    """They are those of an asset."""

    @graph_asset(
        name="orders",
        key_prefix=["sales", "eu"],
        ins={"raw": AssetIn(key_prefix="landing")},
        group_name="g",
        tags={"t": "v"},
        kinds={"duckdb"},
        owners=["team:sales"],
        code_version="7",
        description="d",
        resource_defs={"db": 1},
    )
    def made(raw):
        return double(raw)

    spec = made.get_asset_spec()
    assert (spec.key.path, made.op.name) == (["sales", "eu", "orders"], "sales__eu__orders")
    assert made.keys_by_input_name == {"raw": AssetKey(["landing", "raw"])}
    assert (spec.group_name, spec.tags["t"], spec.kinds, list(spec.owners)) == ("g", "v", {"duckdb"}, ["team:sales"])
    assert (spec.code_version, spec.description, made.resource_defs) == ("7", "d", {"db": 1})


def test_checks_are_further_outputs():
    """The body returns them by name."""

    @graph_asset(check_specs=[AssetCheckSpec("good", asset="kept")])
    def kept(raw):
        value = plain(raw)
        return {"result": value, "kept_good": passes(value)}

    assert list(kept.check_specs_by_output_name) == ["kept_good"]
    assert list(kept.op.outs) == ["result", "kept_good"]
    with pytest.raises(DagsterInvalidDefinitionError, match="kept_good"):
        graph_asset(name="kept", check_specs=[AssetCheckSpec("good", asset="kept")])(lambda raw: plain(raw))


def idle() -> Any:
    """Call an op for nothing."""
    plain(one())
    return one()


@pytest.mark.parametrize(
    ("body", "options", "error"),
    [
        (idle, {}, CheckError),
        (lambda: None, {"name": "a"}, DagsterInvalidDefinitionError),
        (lambda raw: one(), {"name": "a"}, DagsterInvalidDefinitionError),
        (lambda raw: plain(raw), {"name": "a", "key": "b"}, DagsterInvalidDefinitionError),
        (lambda raw: plain(raw), {"name": "a", "ins": {"rw": AssetIn()}}, DagsterInvalidDefinitionError),
        (lambda raw: plain(raw), {"nme": "a"}, TypeError),
    ],
)
def test_what_does_not_fit_is_refused(body, options, error):
    """Idle ops, missing outputs, unused inputs, unknown options."""
    with pytest.raises(error):
        graph_asset(**options)(body)


def test_an_asset_in_the_body_is_a_dependency():
    """Also where it is given to an op in a graph in the graph."""
    raw = AssetSpec("raw")

    @graph
    def inner():
        return plain(raw)

    @graph_asset
    def kept():
        return inner()

    assert kept.asset_deps == {AssetKey("kept"): {AssetKey("raw")}}


def test_several_assets_of_one_graph():
    """Each output is an asset; what is said of it is said by its AssetOut."""

    @graph_multi_asset(
        outs={"low": AssetOut(key_prefix="p", tags={"k": "v"}), "high": AssetOut(key="top", description="d")},
        group_name="g",
        can_subset=True,
    )
    def both(raw):
        return {"low": plain(raw), "high": one()}

    low, high = AssetKey(["p", "low"]), AssetKey("top")
    assert both.asset_deps == {low: {AssetKey("raw")}, high: {AssetKey("raw")}}
    assert both.tags_by_key[low] == {"k": "v"}
    assert (both.descriptions_by_key[high], both.group_names_by_key[high], both.op.name) == ("d", "g", "both")
    assert both.subset_for({high}).keys == {high}
    with pytest.raises(CheckError):
        graph_multi_asset(outs=["low"])(lambda: one())


def test_a_graph_that_exists_becomes_assets():
    """A single `result` is named like the graph, other outputs like themselves."""

    @graph
    def made(raw):
        return plain(raw)

    two = graph(name="two", out={"a": GraphOut(), "b": GraphOut()})(lambda: {"a": one(), "b": plain(one())})
    assert AssetsDefinition.from_graph(made, key_prefix="p").keys == {AssetKey(["p", "made"])}
    assert AssetsDefinition.from_graph(two).keys == {AssetKey("a"), AssetKey("b")}
    kept = AssetsDefinition.from_graph(
        made, keys_by_input_name={"raw": AssetKey("far")}, keys_by_output_name={"result": AssetKey("near")}
    )
    assert kept.asset_deps == {AssetKey("near"): {AssetKey("far")}}
    for wrong in ({"keys_by_input_name": {"rw": AssetKey("far")}}, {"keys_by_output_name": {"r": AssetKey("near")}}):
        with pytest.raises(CheckError):
            AssetsDefinition.from_graph(made, **wrong)


def test_dependencies_of_a_graph_are_its_inputs():
    """None can be added from outside; what is said of the asset can change."""

    @graph_asset
    def kept(raw):
        return plain(raw)

    changed = kept.map_asset_specs(lambda spec: spec.replace_attributes(description="new"))
    assert changed.get_asset_spec().description == "new"
    with pytest.raises(CheckError):
        kept.map_asset_specs(lambda spec: spec.replace_attributes(deps=["raw", "more"]))
    assert kept.with_attributes(asset_key_replacements={AssetKey("raw"): AssetKey("r")}).keys_by_input_name == {
        "raw": AssetKey("r")
    }


def test_it_runs_step_by_step():
    """And the asset's value is that of the op that it comes from."""

    @op
    def start(config: Size) -> int:
        return config.size

    @graph_asset(config={"start": {"config": {"size": 5}}})
    def kept():
        return plain(start())

    done = materialize([kept])
    assert done.output_for_node("kept") == 5
    assert done.output_for_node("kept.start") == 5
