"""What is computed, from what, by which op."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch.authoring.assets import asset, define_asset, multi_asset
from ipy_orch.authoring.checks import multi_asset_check
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
)
from ipy_orch.model.asset_ports import AssetIn, AssetOut
from ipy_orch.model.assets import AssetsDefinition, SourceAsset
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import OpDefinition, Out, Signature
from ipy_orch.model.partitions.definition import StaticPartitionsDefinition
from ipy_orch.model.partitions.mappings import AllPartitionMapping, IdentityPartitionMapping, LastPartitionMapping
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.partitions.multi_mappings import DimensionPartitionMapping, MultiPartitionMapping
from ipy_orch.model.partitions.time_mappings import TimeWindowPartitionMapping
from ipy_orch.model.partitions.usual import DailyPartitionsDefinition
from ipy_orch.model.specs import AssetDep, AssetSpec

A, B, C = AssetKey("a"), AssetKey("b"), AssetKey("c")
EAGER = AutomationCondition.eager()
CHECK_A, CHECK_B = AssetCheckKey(A, "check"), AssetCheckKey(B, "check")


@multi_asset(
    outs={"a": AssetOut(), "b": AssetOut(), "c": AssetOut()},
    internal_asset_deps={"a": {AssetKey("in1")}, "b": set(), "c": {A, B, AssetKey("in2")}},
    check_specs=[AssetCheckSpec("check", asset="a"), AssetCheckSpec("check", asset="b")],
    can_subset=True,
)
def abc_(in1, in2):
    """Make three assets."""


@asset(group_name="sales", owners=["team:t"], tags={"k": "v"}, metadata={"m": 1}, io_manager_key="lake")
def orders(raw):
    """Be an asset."""


def an_op(*outs: str, **out: Any) -> OpDefinition:
    """Return an op."""
    return OpDefinition(name="an_op", signature=Signature(lambda: None), outs={name: Out(**out) for name in outs})


def test_external_assets_have_specs_only():
    """Without an op, a definition describes; what belongs to an op is refused."""
    spec = AssetSpec("a", group_name="g")
    made = AssetsDefinition(specs=[spec, spec])
    assert list(made.specs) == [spec]
    assert not made.is_executable
    assert made.computation is None
    with pytest.raises(DagsterInvariantViolationError):
        _ = made.op


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"group_names_by_key": {A: "g"}},
        {"specs": [AssetSpec("a")], "keys_by_input_name": {"x": B}},
        {"specs": [AssetSpec("a")], "keys_by_output_name": {"x": B}},
        {"specs": [AssetSpec("a")], "can_subset": True},
        {"specs": [AssetSpec("a")], "backfill_policy": object()},
    ],
)
def test_external_assets_have_nothing_else(arguments):
    """What belongs to an op needs one."""
    with pytest.raises(CheckError):
        AssetsDefinition(**arguments)


def test_conflicting_specs_are_refused():
    """Two different specs of one key are an error."""
    with pytest.raises(DagsterInvalidDefinitionError):
        AssetsDefinition(specs=[AssetSpec("a", group_name="g"), AssetSpec("a")])


def test_specs_are_read_from_an_op():
    """Without specs, each output is an asset that depends on all inputs."""
    made = AssetsDefinition(
        an_op("x", "y", is_required=False, description="d", metadata={"m": 1}),
        keys_by_input_name={"i": C},
        keys_by_output_name={"x": A, "y": B},
        group_names_by_key={A: "g"},
        asset_deps={B: {A}},
    )
    assert made.asset_deps == {A: {C}, B: {A}}
    assert made.group_names_by_key == {A: "g", B: "default"}
    assert all(spec.skippable and spec.description == "d" and spec.metadata == {"m": 1} for spec in made.specs)


def test_an_op_becomes_assets():
    """A single `result` is named like the op, others like themselves, below a prefix; attributes are by output."""
    one = AssetsDefinition.from_op(
        an_op("result"),
        key_prefix="p",
        group_name="g",
        metadata_by_output_name={"result": {"m": 1}},
        descriptions_by_output_name={"result": "d"},
    )
    spec = one.get_asset_spec()
    assert (spec.key.path, spec.group_name, spec.metadata, spec.description) == (["p", "an_op"], "g", {"m": 1}, "d")
    two = AssetsDefinition.from_op(an_op("x", "y"), key_prefix=["p"], internal_asset_deps={"y": {AssetKey("x")}})
    x, y = AssetKey(["p", "x"]), AssetKey(["p", "y"])
    assert two.asset_deps == {x: set(), y: {x}}


def test_an_op_is_tied_once():
    """Two outputs can't be one asset, and a mapping is of a dependency."""
    with pytest.raises(DagsterInvalidDefinitionError):
        AssetsDefinition(an_op("x", "y"), keys_by_output_name={"x": A, "y": A})
    with pytest.raises(CheckError):
        AssetsDefinition(an_op("x"), keys_by_output_name={"x": A}, partition_mappings={C: object()})
    with pytest.raises(TypeError):
        AssetsDefinition(an_op("x"), keys_by_output_name={"x": A}, nope=1)


def test_an_asset_does_not_depend_on_itself():
    """Only an asset partitioned by time may read itself."""
    with pytest.raises(DagsterInvalidDefinitionError, match="depends on itself"):

        @asset
        def a(a): ...


def test_attributes_make_the_same_definition():
    """The attributes of a definition are the arguments of an equal one."""
    again = AssetsDefinition(**abc_.get_attributes_dict())
    assert again.specs == abc_.specs
    assert again.check_keys == abc_.check_keys == {CHECK_A, CHECK_B}


def test_parts_of_a_definition():
    """A part makes what was selected, and keeps the dependencies of all."""
    part = abc_.subset_for({A, C, AssetKey("in1")})
    assert (part.keys, part.check_keys) == ({A, C}, {CHECK_A})
    assert part.asset_deps == abc_.asset_deps
    assert list(part.keys_by_output_name) == ["a", "c"]
    assert len(part.node_keys_by_output_name) == 3
    assert len(part.node_check_specs_by_output_name) == 2
    assert part.is_subset
    assert part.subset_for({A}, set()).check_keys == set()
    assert abc_.subset_for({A, B, C}) is abc_
    assert abc_.subset_for({AssetKey("x")}).keys == set()


def test_not_every_definition_has_parts():
    """Without can_subset it's all or nothing."""

    @multi_asset(outs={"a": AssetOut(), "b": AssetOut()})
    def both(): ...

    with pytest.raises(DagsterInvalidSubsetError):
        both.subset_for({A})


def test_keys_are_replaced_everywhere():
    """New keys stand in specs, inputs, outputs, checks, and in what is selected."""
    part = abc_.subset_for({A, C})
    told = part.with_attributes(asset_key_replacements={A: AssetKey(["p", "a"]), AssetKey("in1"): AssetKey("raw")})
    new = AssetKey(["p", "a"])
    assert told.keys == {new, C}
    assert told.asset_deps == {new: {AssetKey("raw")}, B: set(), C: {new, B, AssetKey("in2")}}
    assert told.keys_by_input_name == {"in1": AssetKey("raw"), "in2": AssetKey("in2")}
    assert told.check_keys == {AssetCheckKey(new, "check")}
    assert told.asset_ins["in1"].key_for("in1") == AssetKey("raw")


def test_attributes_are_replaced():
    """Groups, tags, metadata and conditions are replaced by key; a group that is there already stays."""
    told = orders.with_attributes(
        tags_by_key={orders.key: {"n": "m"}}, metadata_by_key={orders.key: {}}, automation_condition=EAGER
    )
    spec = told.get_asset_spec()
    assert (spec.tags, spec.metadata, spec.automation_condition, spec.owners) == ({"n": "m"}, {}, EAGER, ["team:t"])
    assert orders.with_attributes().get_asset_spec() == orders.get_asset_spec()
    assert abc_.with_attributes(group_names_by_key={A: "g"}).group_names_by_key[A] == "g"
    with pytest.raises(DagsterInvalidDefinitionError):
        orders.with_attributes(group_names_by_key={orders.key: "other"})


def test_mapped_specs_rewire_the_op():
    """A new dependency is a port that orders steps; one that isn't loaded can be dropped."""

    @asset(deps=["x"])
    def a(raw): ...

    told = a.map_asset_specs(lambda spec: spec.replace_attributes(deps=["raw", "y"]))
    assert told.asset_deps == {A: {AssetKey("raw"), AssetKey("y")}}
    assert told.keys_by_input_name == {"raw": AssetKey("raw"), "y": AssetKey("y")}
    assert told.op.ins["y"].is_nothing
    assert "x" not in told.op.ins
    assert a.map_asset_specs(lambda spec: spec.replace_attributes(group_name="g")).op is not None


@pytest.mark.parametrize(
    ("change", "error"),
    [({"deps": []}, DagsterInvalidDefinitionError), ({"key": "other"}, DagsterInvalidDefinitionError)],
)
def test_mapped_specs_keep_what_the_op_needs(change, error):
    """Arguments stay dependencies, and keys don't change."""
    with pytest.raises(error):
        orders.map_asset_specs(lambda spec: spec.replace_attributes(**change))


def test_mapped_specs_are_specs():
    """The function returns an AssetSpec."""
    with pytest.raises(CheckError):
        orders.map_asset_specs(lambda spec: "orders")


def test_partition_mappings_are_found():
    """The mapping of a dependency is that of its AssetDep or AssetIn."""

    @asset(ins={"raw": AssetIn(partition_mapping="last")}, deps=[AssetDep("x", partition_mapping="all")])
    def a(raw): ...

    assert (a.get_partition_mapping(AssetKey("raw")), a.get_partition_mapping_for_dep(AssetKey("x"))) == ("last", "all")
    assert a.get_partition_mapping(C) is None


def test_source_assets_are_values():
    """A SourceAsset equals another that says the same."""
    source = orders.to_source_asset()
    same = SourceAsset("orders", {"m": 1}, "lake", description="Be an asset.", group_name="sales", tags={"k": "v"})
    assert source == same
    assert orders.to_source_assets() == [same]
    assert source != SourceAsset("orders")
    assert source.io_manager_key == "lake"
    assert source.required_resource_keys == {"lake"}
    assert source.raw_metadata == {"m": 1}
    assert source.metadata["m"].value == 1
    assert source.group_name == "sales"


def test_resources_are_carried():
    """with_resources adds, and refuses to replace."""
    told = orders.with_resources({"db": 1})
    assert told.resource_defs == {"db": 1}
    assert told.with_resources({"db": 1}).resource_defs == {"db": 1}
    with pytest.raises(DagsterInvalidInvocationError):
        told.with_resources({"db": 2})


def test_io_managers_are_named():
    """An output names its IO manager, and a spec may."""
    assert orders.get_io_manager_key_for_asset_key(orders.key) == "lake"
    assert orders.required_resource_keys == {"lake"}

    @multi_asset(specs=[AssetSpec("a").with_io_manager_key("m"), AssetSpec("b")])
    def both(): ...

    assert both.get_io_manager_key_for_asset_key(A) == "m"
    assert not both.op.outs["a"].is_nothing
    assert both.op.outs["b"].is_nothing


def test_checks_are_found():
    """A definition of checks has no assets, and one key of a check where it makes one."""

    @multi_asset_check(specs=[AssetCheckSpec("check", asset="a"), AssetCheckSpec("check", asset="b")], can_subset=True)
    def checks(): ...

    assert not checks.has_keys
    assert checks.has_check_keys
    assert checks.dependency_keys == {A, B}
    assert checks.get_spec_for_check_key(CHECK_A).asset_key == A
    part = checks.subset_for(set(), {CHECK_A})
    assert (type(part), part.check_key) == (type(checks), CHECK_A)
    with pytest.raises(DagsterInvariantViolationError):
        _ = checks.check_key
    with pytest.raises(DagsterInvariantViolationError):
        _ = checks.key


def test_ins_and_outs():
    """A key and a prefix contradict each other."""
    with pytest.raises(CheckError):
        AssetIn(key="a", key_prefix="p")
    with pytest.raises(CheckError):
        AssetOut(key="a", key_prefix="p")
    with pytest.raises(DagsterInvalidDefinitionError):
        AssetOut(kinds={"a%"})
    assert AssetIn(key_prefix="p").key_for("a") == AssetKey(["p", "a"])
    spec = AssetSpec("a", tags={"k": "v"}, kinds={"q"}, owners=["team:t"], group_name="g")
    assert AssetOut.from_spec(spec).to_spec(A, ()) == spec


DAYS, SHOPS = DailyPartitionsDefinition("2024-01-01"), StaticPartitionsDefinition(["a", "b"])
BACK, SAME = (TimeWindowPartitionMapping(start_offset=-1, end_offset=end) for end in (-1, 0))
BOTH = MultiPartitionsDefinition({"day": DAYS, "shop": SHOPS})


def by_dimension(**mappings):
    """Return a mapping of dimensions to those of the same name."""
    return MultiPartitionMapping({name: DimensionPartitionMapping(name, one) for name, one in mappings.items()})


@pytest.mark.parametrize(("cut", "mapping"), [(DAYS, BACK), (BOTH, by_dimension(day=BACK))])
def test_an_asset_may_read_its_earlier_partitions(cut, mapping):
    """By time, or in the dimension that is by time."""
    assert define_asset(lambda cum: cum, key="cum", partitions_def=cut, ins={"cum": AssetIn(partition_mapping=mapping)})


@pytest.mark.parametrize(
    ("cut", "mapping"),
    [
        (DAYS, None),
        (SHOPS, None),
        (BOTH, None),
        (DAYS, SAME),
        (DAYS, AllPartitionMapping()),
        (SHOPS, LastPartitionMapping()),
        (BOTH, by_dimension(shop=IdentityPartitionMapping())),
    ],
)
def test_an_asset_that_reads_itself_is_refused(cut, mapping):
    """Unless each of its partitions reads only earlier ones."""
    with pytest.raises(DagsterInvalidDefinitionError, match=r"depends on itself.*(?s:.)*--partition_mapping cum=-1"):
        define_asset(lambda cum: cum, key="cum", partitions_def=cut, ins={"cum": AssetIn(partition_mapping=mapping)})
