"""Results: equal by value, checked where they are made."""

from __future__ import annotations

import pickle
from itertools import count

import pytest

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.value import DagsterInvalidMetadata, MetadataValue
from ipy_orch.model.results import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DataVersion,
    DynamicOutput,
    ExpectationResult,
    MaterializeResult,
    ObserveResult,
    Output,
)

ONE = AssetKey("one")
SAMPLES = [
    lambda **more: Output(5, output_name="out", data_version=DataVersion("1"), tags={"a": "b"}, **more),
    lambda **more: DynamicOutput(5, "key", **more),
    lambda **more: AssetMaterialization("one", description="x", partition="p", tags={"a": "b"}, **more),
    lambda **more: AssetObservation("one", description="x", partition="p", tags={"a": "b"}, **more),
    lambda **more: ExpectationResult(True, label="l", description="x", **more),
    lambda **more: AssetCheckResult(passed=False, asset_key="one", severity=AssetCheckSeverity.WARN, **more),
    lambda **more: AssetCheckEvaluation(ONE, "check", True, blocking=True, partition="p", **more),
]


@pytest.mark.parametrize("make", SAMPLES, ids=count())
def test_equal_by_value_with_metadata_normalised(make):
    """Two of the same are equal, another metadata makes a copy."""
    assert make(metadata={"a": 1}) == make(metadata={"a": MetadataValue.int(1)})
    assert make() != make(metadata={"a": 1})
    assert make().metadata == {}
    assert make(metadata={"a": 1}).with_metadata({"b": 2}) == make(metadata={"b": 2})
    assert make(metadata={"a": 1}).with_metadata(None) == make()
    assert pickle.loads(pickle.dumps(make(metadata={"a": 1}))) == make(metadata={"a": 1})
    with pytest.raises(DagsterInvalidMetadata):
        make(metadata={"a": object()})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Output(1, output_name=None),
        lambda: Output(1, data_version="1"),
        lambda: Output(1, metadata=1),
        lambda: DynamicOutput(1, 1),
        lambda: AssetMaterialization(1),
        lambda: AssetMaterialization("a", partition=1),
        lambda: AssetMaterialization("a", description=1),
        lambda: ExpectationResult("yes"),
        lambda: AssetCheckResult(passed=1),
        lambda: AssetCheckResult(passed=True, severity="WARN"),
        lambda: AssetCheckResult(passed=True, check_name=1),
        lambda: AssetCheckEvaluation("one", "check", True),
        lambda: MaterializeResult(metadata={"a": object()}),
        lambda: MaterializeResult(metadata=[]),
        lambda: MaterializeResult(check_results=[1]),
        lambda: MaterializeResult(check_results=AssetCheckResult(passed=True)),
        lambda: MaterializeResult(data_version="1"),
        lambda: MaterializeResult(asset_key=1),
        lambda: ObserveResult(data_version="1"),
        lambda: DataVersion(1),
    ],
    ids=count(),
)
def test_arguments_are_checked(make):
    """A wrong type is an error at once, not when the step is stored."""
    with pytest.raises(CheckError):
        make()


@pytest.mark.parametrize("tags", [{"a": 1}, {"a b": "x"}, {"a": "x y"}])
@pytest.mark.parametrize(
    "make", [lambda **t: Output(1, **t), lambda **t: AssetMaterialization("a", **t), MaterializeResult], ids=count()
)
def test_tags_are_checked(make, tags):
    """Labels have the form that Dagster stores."""
    with pytest.raises(DagsterInvalidDefinitionError):
        make(tags=tags)


def test_output_defaults():
    """The one output of a step is `result`."""
    output = Output(5)
    assert (output.output_name, output.metadata, output.data_version, output.tags) == ("result", {}, None, None)
    assert repr(Output(5, "out")) == "Output(value=5, output_name='out')"


@pytest.mark.parametrize("key", ["", "a b", "a-b"])
def test_mapping_keys_are_names(key):
    """They become part of a step's name."""
    with pytest.raises(DagsterInvalidDefinitionError):
        DynamicOutput(1, key)


def test_keys_of_events_are_split_and_those_of_results_are_not():
    """Dagster does both, so we do."""
    assert AssetMaterialization("a/b").asset_key == AssetKey(["a", "b"])
    assert AssetMaterialization(["a/b"]).asset_key == AssetKey(["a/b"])
    assert MaterializeResult("a/b").asset_key == AssetCheckResult(passed=True, asset_key="a/b").asset_key
    assert MaterializeResult("a/b").asset_key == AssetKey(["a/b"])


def test_a_file_is_named_by_its_path():
    """Its metadata points at it."""
    report = AssetMaterialization.file("/x/y")
    assert report.asset_key == AssetKey(["x", "y"])
    assert report.metadata == {"path": MetadataValue.path("/x/y")}
    assert AssetMaterialization.file("/x/y", asset_key="k").asset_key == AssetKey("k")


def test_observations_are_not_materializations():
    """They report the version of data that someone else made."""
    observation = AssetObservation("a", tags={"dagster/data_version": "5"})
    assert observation.data_version == "5"
    assert AssetObservation("a").data_version is None
    assert not isinstance(observation, AssetMaterialization)
    assert observation != AssetMaterialization("a", tags={"dagster/data_version": "5"})


def test_asset_results_keep_what_was_given():
    """A test of the function compares the metadata that it wrote."""
    result = MaterializeResult(
        "a", {"rows": 3}, [AssetCheckResult(passed=True, check_name="c")], DataVersion("1"), {"t": "v"}
    )
    assert result.metadata == {"rows": 3}
    assert result.check_result_named("c").passed
    assert pickle.loads(pickle.dumps(MaterializeResult("a", value=5))) == MaterializeResult("a", value=5)
    assert MaterializeResult().metadata is None
    assert MaterializeResult().check_results == []
    with pytest.raises(CheckError):
        result.check_result_named("other")


def test_no_value_is_not_none():
    """None is a value to store like any other."""
    assert not MaterializeResult().has_value
    assert not pickle.loads(pickle.dumps(MaterializeResult())).has_value
    assert MaterializeResult(value=None).has_value
    assert MaterializeResult() == MaterializeResult()
    assert MaterializeResult() != MaterializeResult(value=None)


CHECKS = {ONE: {"a", "b"}}


@pytest.mark.parametrize(
    ("said", "checks", "expected"),
    [
        ({}, {ONE: {"a"}}, "a"),
        ({"check_name": "b"}, CHECKS, "b"),
        ({"asset_key": "one", "check_name": "a"}, CHECKS, "a"),
        ({"asset_key": "one"}, {ONE: {"a"}, AssetKey("two"): {"b"}}, "a"),
    ],
)
def test_a_check_result_finds_its_check(said, checks, expected):
    """What it leaves out is clear where there is only one."""
    found = AssetCheckResult(passed=True, **said).resolve_target_check_key(checks)
    assert found == AssetCheckKey(ONE, expected)


@pytest.mark.parametrize(
    ("said", "checks"),
    [
        ({}, None),
        ({}, {}),
        ({}, CHECKS),
        ({"check_name": "z"}, CHECKS),
        ({"asset_key": "two"}, CHECKS),
        ({"check_name": "a"}, {ONE: {"a"}, AssetKey("two"): {"a"}}),
    ],
)
def test_a_check_result_that_is_nobodys(said, checks):
    """Neither guessed nor dropped."""
    with pytest.raises(DagsterInvariantViolationError):
        AssetCheckResult(passed=True, **said).resolve_target_check_key(checks)


def test_evaluation_has_a_key():
    """Asset and check together."""
    assert AssetCheckEvaluation(ONE, "c", True).asset_check_key == AssetCheckKey(ONE, "c")
