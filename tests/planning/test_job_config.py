"""What run config may say of jobs of ops, of graphs in them, and of assets."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import (
    Config,
    ConfigMapping,
    DagsterInvalidConfigError,
    RunConfig,
    asset,
    config_mapping,
    define_asset_job,
    graph,
    graph_asset,
    job,
    op,
)
from ipy_orch.errors import DagsterConfigMappingFunctionError
from ipy_orch.model.definitions import Definitions


class Size(Config):
    """Say how much."""

    many: int
    unit: str = "kg"


@op
def sized(config: Size):
    """Return its config."""
    return f"{config.many} {config.unit}"


@op(config_schema={"name": str, "level": int})
def legacy(context):
    """Return its config."""
    return context.op_config


@op
def reader(number: int, word: str = "none"):
    """Return what it gets."""
    return number, word


@graph
def inner():
    """Hold an op with config."""
    return sized()


@graph
def outer():
    """Hold a graph and an op."""
    sized.alias("top")()
    return inner()


def outputs(ran: Any, config: Any, *nodes: str, **more: Any) -> list[Any]:
    """Return what nodes returned."""
    result = ran.execute_in_process(run_config=config, **more)
    return [result.output_for_node(node) for node in nodes]


def nested(many: int, **inside: Any) -> dict[str, Any]:
    """Return run config for ``outer``."""
    inner_ops = {"ops": {"sized": {"config": {"many": many, **inside}}}}
    return {"ops": {"top": {"config": {"many": 1}}, "inner": inner_ops}}


def test_the_tree():
    """The ops of a graph are below it."""
    assert outputs(outer, nested(2, unit="g"), "top", "inner.sized", "inner") == ["1 kg", "2 g", "2 g"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ops": {"top": {"config": {"many": 1}}}}, r"ops\.inner\.ops\.sized\.config\.many"),
        ({"ops": {"to": {"config": {}}}}, "`?top"),
        (nested(2, unti="g"), r"unit"),
        ({"ops": {"top": {"config": {"many": "x"}}}}, r"ops\.top\.config\.many"),
        ({"ops": {"inner": {"config": {}}}}, r"ops\.inner\.config"),
        ({"ops": {"inner": {"ops": {"size": {}}}}}, "sized"),
        ({"ops": {"top": {"many": 1}}}, "config"),
        ({"op": {}}, "ops"),
        ({"ops": 5}, "ops"),
    ],
)
def test_each_problem_has_its_path(config, message):
    """And the closest name."""
    with pytest.raises(DagsterInvalidConfigError, match=message):
        outer.execute_in_process(run_config=config)


def test_all_problems_at_once_and_nothing_has_run():
    """However deep they are."""
    ran = []

    @op
    def early():
        ran.append(1)

    @job
    def both():
        early()
        outer()

    config = {"ops": {"outer": {"ops": {"top": {"config": {}}, "inner": {"ops": {"sized": {"config": {"many": ""}}}}}}}}
    with pytest.raises(DagsterInvalidConfigError) as error:
        both.execute_in_process(run_config=config)
    assert "ops.outer.ops.top.config.many" in str(error.value)
    assert "ops.outer.ops.inner.ops.sized.config.many" in str(error.value)
    assert ran == []


def test_what_is_given_goes_over_the_jobs_own():
    """Op by op, a config as a whole; as data or as objects."""
    made = outer.to_job(config=nested(2, unit="g"))
    assert outputs(made, None, "top", "inner") == ["1 kg", "2 g"]
    assert outputs(made, {"ops": {"top": {"config": {"many": 7}}}}, "top", "inner") == ["7 kg", "2 g"]
    assert outputs(made, nested(3), "inner") == ["3 kg"]
    assert outputs(made, RunConfig(ops={"top": Size(many=9)}), "top", "inner") == ["9 kg", "2 g"]


def test_an_op_named_config():
    """Is an op like any other, whose neighbours keep their config."""

    @job(config={"ops": {"config": {"config": {"many": 1}}, "other": {"config": {"many": 2}}}})
    def named():
        sized.alias("config")()
        sized.alias("other")()

    assert outputs(named, {"ops": {"config": {"config": {"many": 5}}}}, "config", "other") == ["5 kg", "2 kg"]


# -- config mappings --------------------------------------------------------------------------------------------------


@config_mapping(config_schema={"weight": int})
def weighed(said):
    """Return the inner config."""
    return {"sized": {"config": {"many": said["weight"]}}}


@graph(config=weighed)
def mapped():
    """Have a config of its own."""
    return sized()


def test_a_graph_with_a_config_of_its_own():
    """Is given that, at any depth; what it makes is that of its ops."""

    @graph
    def around():
        return mapped.alias("one")(), mapped.alias("two")()

    @job
    def deep():
        mapped.alias("one")()
        mapped.alias("two")()

    config = {"ops": {"one": {"config": {"weight": 1}}, "two": {"config": {"weight": 2}}}}
    assert outputs(deep, config, "one", "two") == ["1 kg", "2 kg"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ops": {"mapped": {"config": {"wait": 1}}}}, "weight"),
        ({"ops": {"mapped": {"config": {"weight": "x"}}}}, r"ops\.mapped\.config\.weight"),
        ({"ops": {"mapped": {}}}, "weight"),
        ({"ops": {"mapped": {"ops": {"sized": {}}}}}, "ops"),
    ],
)
def test_the_outer_config_is_checked(config, message):
    """The inner one can't be given beside it."""

    @job
    def one():
        mapped()

    with pytest.raises(DagsterInvalidConfigError, match=message):
        one.execute_in_process(run_config=config)


@pytest.mark.parametrize(
    ("inner_config", "error"),
    [
        ({"sized": {"config": {"many": "no number"}}}, DagsterInvalidConfigError),
        ({"siz": {"config": {"many": 1}}}, DagsterInvalidConfigError),
        ("no mapping", DagsterInvalidConfigError),
        (None, DagsterConfigMappingFunctionError),
    ],
    ids=["value", "name", "kind", "raises"],
)
def test_what_a_mapping_makes_is_checked(inner_config, error):
    """As if it were written."""

    def make(_said: Any) -> Any:
        if inner_config is None:
            raise ValueError("broken")
        return inner_config

    @graph(config=ConfigMapping(make, config_schema={"weight": int}))
    def broken():
        return sized()

    @job
    def one():
        broken()

    with pytest.raises(error):
        one.execute_in_process(run_config={"ops": {"broken": {"config": {"weight": 1}}}})


def test_a_job_with_a_config_of_its_own():
    """Makes the whole run config."""

    @config_mapping(config_schema={"weight": int})
    def whole(said):
        return {"ops": {"sized": {"config": {"many": said["weight"]}}}}

    made = inner.to_job(config=whole)
    assert outputs(made, {"weight": 4}, "sized") == ["4 kg"]
    with pytest.raises(DagsterInvalidConfigError, match="weight"):
        made.execute_in_process(run_config={"wait": 4})


# -- inputs -----------------------------------------------------------------------------------------------------------


@job
def asks():
    """Read what nobody makes."""
    reader()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [({"number": 1}, (1, "none")), ({"number": {"value": 2}, "word": "yes"}, (2, "yes"))],
)
def test_inputs_that_nothing_is_connected_to(inputs, expected):
    """Are said beside the config."""
    assert outputs(asks, {"ops": {"reader": {"inputs": inputs}}}, "reader") == [expected]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, r"ops\.reader\.inputs\.number"),
        ({"ops": {"reader": {"inputs": {"numbr": 1}}}}, "number"),
        ({"ops": {"reader": {"inputs": {"number": "x"}}}}, r"ops\.reader\.inputs\.number"),
        ({"inputs": {"number": 1}}, "inputs"),
    ],
)
def test_wrong_inputs(config, message):
    """A missing one, another name, another type, and an input of a graph that has none."""
    with pytest.raises(DagsterInvalidConfigError, match=message):
        asks.execute_in_process(run_config=config)


@pytest.mark.parametrize("turned", [False, True])
def test_an_input_of_a_graph_that_goes_to_several_ops(turned):
    """It is needed where one of them has no default, whichever comes first."""

    @op
    def easy(number: int = 5):
        return number

    @op
    def hard(number: int):
        return number

    @graph
    def goes(number):
        for one in (hard, easy) if turned else (easy, hard):
            one(number)

    assert outputs(goes, {"inputs": {"number": 1}}, "easy", "hard") == [1, 1]
    with pytest.raises(DagsterInvalidConfigError, match=r"inputs\.number"):
        goes.execute_in_process()


def test_an_input_that_something_is_connected_to():
    """Can't be said."""

    @op
    def made() -> int:
        return 1

    @job
    def connected():
        reader(made())

    with pytest.raises(DagsterInvalidConfigError, match="number"):
        connected.execute_in_process(run_config={"ops": {"reader": {"inputs": {"number": 1}}}})


# -- parts of a job ---------------------------------------------------------------------------------------------------


def test_config_of_ops_that_dont_run_is_passed_over():
    """Also when it is wrong; that of unknown ops isn't."""
    made = outer.to_job(config=nested(2))
    wrong = {"ops": {"inner": {"ops": {"sized": {"config": {"many": "x"}}}}, "top": {"config": {"many": 3}}}}
    assert outputs(made, wrong, "top", op_selection=["top"]) == ["3 kg"]
    with pytest.raises(DagsterInvalidConfigError, match="top"):
        made.execute_in_process(run_config={"ops": {"tip": {}}}, op_selection=["top"])


# -- assets -----------------------------------------------------------------------------------------------------------


@op
def joined(a, b):
    """Return both."""
    return a, b


@asset
def plain(config: Size):
    """Return a config."""
    return config.many


@graph_asset
def deep(plain):
    """Hold an op with config."""
    return joined(plain, inner())


def test_assets_and_graphs_that_make_them():
    """The ops of a graph asset are below its name."""
    made = Definitions([plain, deep], jobs=[define_asset_job("all_of_it")]).resolve_job_def("all_of_it")
    config = {"ops": {"plain": {"config": {"many": 1}}, "deep": {"ops": nested(2)["ops"]}}}
    del config["ops"]["deep"]["ops"]["top"]
    assert made.execute_in_process(run_config=config).asset_value("deep") == (1, "2 kg")
    with pytest.raises(DagsterInvalidConfigError, match=r"ops\.deep\.ops\.inner\.ops\.sized\.config\.many"):
        made.execute_in_process(run_config={"ops": {"plain": {"config": {"many": 1}}}})


def test_values_of_a_legacy_schema():
    """Come as plain data."""

    @job
    def old():
        legacy()

    assert outputs(old, {"ops": {"legacy": {"config": {"name": "a", "level": 1}}}}, "legacy") == [
        {"name": "a", "level": 1}
    ]
    with pytest.raises(DagsterInvalidConfigError, match="level"):
        old.execute_in_process(run_config={"ops": {"legacy": {"config": {"name": "a"}}}})
