"""All that a code location defines."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch.authoring.assets import asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.authoring.graphs import graph
from ipy_orch.authoring.ops import op
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
)
from ipy_orch.model.assets import AssetsDefinition, SourceAsset
from ipy_orch.model.definitions import Definitions, map_asset_specs
from ipy_orch.model.executors import ExecutorDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.loggers import LoggerDefinition
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.specs import AssetSpec


def named(name: str, *deps: str, **options: Any) -> AssetsDefinition:
    """Return an asset."""

    def function() -> None: ...

    return asset(name=name, deps=deps, **options)(function)


@asset_check(asset="orders")
def unique():
    """Be a check."""
    return True


@pytest.mark.parametrize(
    "arguments",
    [
        {"assets": 1},
        {"assets": [1]},
        {"assets": "orders"},
        {"assets": named("a")},
        {"asset_checks": ["a"]},
        {"resources": 1},
        {"resources": {1: 2}},
        {"executor": "threads"},
        {"loggers": {"a": "b"}},
    ],
)
def test_wrong_types_are_refused(arguments):
    """What a Definitions holds has the right type."""
    with pytest.raises(CheckError):
        Definitions(**arguments)


def test_assets_stay_as_they_were_given():
    """Definitions that are given twice are there twice, and count once."""
    one = named("orders")
    defs = Definitions([one, one], asset_checks=[unique, unique])
    assert defs.assets == [one, one]
    assert defs.definitions == (one, unique)
    assert Definitions(metadata={"foo": "bar"}).metadata == {"foo": MetadataValue.text("bar")}


def test_all_assets_are_found():
    """Specs, definitions, and assets that are only named in dependencies are all assets."""
    defs = Definitions([named("orders", "raw"), AssetSpec("report", deps=["orders"])])
    assert defs.resolve_all_asset_keys() == [AssetKey("raw"), AssetKey("orders"), AssetKey("report")]
    specs = {spec.key.label: spec for spec in defs.resolve_all_asset_specs()}
    assert {spec.group_name for spec in specs.values()} == {"default"}
    assert defs.resolve_assets_def("raw").is_auto_created_stub
    assert not defs.resolve_assets_def("report").is_executable
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `orders`"):
        defs.resolve_assets_def("oders")


def test_checks_are_found():
    """A check is found by its key."""
    defs = Definitions([named("orders")], asset_checks=[unique])
    assert defs.get_asset_checks_def(unique.check_key) is unique
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `orders:unique`"):
        defs.get_asset_checks_def(AssetCheckKey(AssetKey("orders"), "uniqe"))


def test_two_specs_of_one_key():
    """The same spec twice is one asset, different ones are an error."""
    spec = AssetSpec("a", group_name="g")
    assert Definitions([spec, AssetSpec("a", group_name="g")]).resolve_all_asset_specs() == [spec]
    with pytest.raises(DagsterInvalidDefinitionError):
        Definitions([spec, AssetSpec("a", group_name="h")]).resolve_all_asset_specs()


def test_problems_are_found_when_asked_for():
    """A contradiction isn't an error of the constructor."""
    defs = Definitions([named("a"), named("a")])
    with pytest.raises(DagsterInvalidDefinitionError):
        Definitions.validate_loadable(defs)


def unmade():
    """Return an asset that loads what nothing makes."""

    @asset
    def report(oders): ...

    return report


@pytest.mark.parametrize(
    ("assets", "message"),
    [
        ([named("a", "b"), named("b", "a")], "circle"),
        ([named("a", required_resource_keys={"db"})], "needs the resource `db`"),
        ([named("a", io_manager_key="lake")], "needs the resource `lake`"),
        ([SourceAsset("a", io_manager_key="lake")], "needs the resource `lake`"),
        ([named("a", resource_defs={"db": [1]}), named("b", resource_defs={"db": [1]})], "different resources `db`"),
        ([unmade(), named("orders")], "did you mean `orders`"),
    ],
)
def test_what_does_not_fit_is_not_loadable(assets, message):
    """Cycles, missing resources and missing inputs are found before anything runs."""
    with pytest.raises(DagsterInvalidDefinitionError, match=message):
        Definitions.validate_loadable(Definitions(assets))


def test_what_fits_is_loadable():
    """Resources that are given or carried, and dependencies that aren't loaded, are fine."""
    one = named("a", "elsewhere", resource_defs={"db": 1}, io_manager_key="lake")
    Definitions.validate_loadable(Definitions([one], resources={"lake": object()}))


def test_several_are_merged():
    """Lists are joined, resources and executors may be there twice when they are the same."""
    pool = ExecutorDefinition("pool")
    one = Definitions([named("a")], resources={"x": 4}, executor=pool, metadata={"m": 1})
    two = Definitions([named("b")], resources={"x": 4, "y": 5}, executor=pool, asset_checks=[unique], metadata={"n": 2})
    both = Definitions.merge(one, two)
    assert both.assets == [*one.assets, *two.assets]
    assert both.resources == {"x": 4, "y": 5}
    assert both.executor is pool
    assert list(both.metadata) == ["m", "n"]
    assert Definitions.merge_unbound_defs(one, two) == both


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"resources": {"x": 1}}, {"resources": {"x": 2}}),
        ({"loggers": {"x": LoggerDefinition(print)}}, {"loggers": {"x": LoggerDefinition(print)}}),
        ({"executor": ExecutorDefinition("one")}, {"executor": ExecutorDefinition("other")}),
    ],
)
def test_conflicts_are_not_merged(one, other):
    """Two resources or loggers of one key, or two executors, are refused."""
    with pytest.raises(DagsterInvariantViolationError):
        Definitions.merge(Definitions(**one), Definitions(**other))


def test_jobs_take_what_they_do_not_bring():
    """Resources, executor and loggers of the Definitions are for jobs that don't say their own."""
    shared, own = ExecutorDefinition("shared"), ExecutorDefinition("own")
    loggers = {"file": LoggerDefinition(print)}

    @op(required_resource_keys={"db"})
    def load(): ...

    @graph
    def loading():
        load()

    plain, said = loading.to_job(name="plain"), loading.to_job(name="said", executor_def=own)
    defs = Definitions([named("a")], jobs=[plain, said, plain], resources={"db": 5}, executor=shared, loggers=loggers)

    assert [job.name for job in defs.resolve_all_job_defs()] == ["__ASSET_JOB", "plain", "said"]
    assert {job.name: job.executor_def for job in defs.resolve_all_job_defs()} == {
        "__ASSET_JOB": shared,
        "plain": shared,
        "said": own,
    }
    assert defs.get_job_def("plain").loggers == loggers
    assert defs.get_job_def("plain").resource_defs["db"] == 5
    assert defs.get_job_def("plain") is defs.get_job_def("plain")


def test_one_job_that_can_not_be_made_leaves_the_others():
    """What a job lacks is told when that job is asked for."""

    @op(required_resource_keys={"db"})
    def load(): ...

    @graph
    def loading():
        load()

    defs = Definitions([named("a")], jobs=[loading.to_job()])

    assert defs.get_job_def("__ASSET_JOB").name == "__ASSET_JOB"
    with pytest.raises(DagsterInvalidDefinitionError, match="`db`"):
        defs.get_job_def("loading")


def test_ops_of_one_name():
    """Two different ops of one name can't be in the jobs of one Definitions; one op in two jobs can."""

    def job(name, one):
        return GraphDefinition(name, node_defs=[one]).to_job()

    def load(): ...

    one, other = op(load), op(load)

    Definitions.validate_loadable(Definitions(jobs=[job("first", one), job("second", one)]))
    with pytest.raises(DagsterInvalidDefinitionError, match="two different ops or graphs are named `load`"):
        Definitions.validate_loadable(Definitions(jobs=[job("first", one), job("second", other)]))


def test_the_job_of_some_assets():
    """The job of all assets is told where it runs these, too."""
    defs = Definitions([named("a"), AssetSpec("b")])

    assert defs.resolve_implicit_job_def_def_for_assets(["a"]).name == "__ASSET_JOB"
    assert defs.resolve_implicit_job_def_def_for_assets(["b"]) is None
    assert Definitions([AssetSpec("b")]).resolve_implicit_job_def_def_for_assets(["b"]) is None


def test_resources_are_added():
    """with_resources adds, and refuses to replace."""
    defs = Definitions(resources={"a": 1})
    assert defs.with_resources({"b": 2}).resources == {"a": 1, "b": 2}
    assert defs.with_resources({"a": 1}).resources == {"a": 1}
    with pytest.raises(DagsterInvariantViolationError):
        defs.with_resources({"a": 2})


def test_specs_are_mapped():
    """A function of specs changes those selected and leaves the others."""

    def tagged(spec: AssetSpec) -> AssetSpec:
        return spec.merge_attributes(tags={"a": "b"})

    defs = Definitions([AssetSpec("x"), named("y"), named("z", "y")])
    assert all(spec.tags for spec in defs.map_resolved_asset_specs(func=tagged).resolve_all_asset_specs())
    some = defs.map_asset_specs(func=tagged, selection="y").resolve_all_asset_specs()
    assert [spec.key.label for spec in some if spec.tags] == ["y"]
    assert map_asset_specs(tagged, [AssetSpec("x")])[0].tags == {"a": "b"}
    with pytest.raises(DagsterInvalidSubsetError):
        defs.map_asset_specs(func=tagged, selection="nothing")


def test_source_assets_are_not_mapped():
    """A SourceAsset is refused, or left as it is where that's asked for."""
    source = SourceAsset("s")
    defs = Definitions([source])
    with pytest.raises(DagsterInvariantViolationError):
        defs.map_asset_specs(func=lambda spec: spec)
    assert defs.permissive_map_resolved_asset_specs(lambda spec: spec).assets == [source]
