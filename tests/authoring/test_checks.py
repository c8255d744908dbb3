"""Functions become checks."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.assets import asset
from ipy_orch.authoring.checks import asset_check, multi_asset_check
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.specs import AssetDep

ORDERS, RAW = AssetKey("orders"), AssetKey("raw")


def plain():
    """Be a sample."""


def one(whatever):
    """Be a sample."""


def two(orders, foo):
    """Be a sample."""


@pytest.mark.parametrize(
    ("function", "options", "inputs"),
    [
        (plain, {}, {"orders": ORDERS}),
        (one, {}, {"whatever": ORDERS}),
        (one, {"additional_ins": {"whatever": AssetIn("raw")}}, {"whatever": RAW, "orders": ORDERS}),
        (two, {"additional_ins": {"foo": AssetIn("raw")}}, {"orders": ORDERS, "foo": RAW}),
        (plain, {"additional_deps": ["raw"]}, {"orders": ORDERS, "raw": RAW}),
        (
            one,
            {"additional_ins": {"whatever": AssetIn("raw")}, "additional_deps": ["raw"]},
            {"whatever": RAW, "orders": ORDERS},
        ),
    ],
)
def test_inputs(function, options, inputs):
    """The parameter that isn't in `additional_ins` is the asset; what isn't loaded is waited for."""
    made = asset_check(asset="orders", **options)(function)
    assert made.keys_by_input_name == inputs
    assert set(made.op.ins) == set(inputs)
    others = [AssetDep("raw")] if RAW in inputs.values() else []
    assert made.get_spec_for_check_key(AssetCheckKey(ORDERS, function.__name__)).additional_deps == others


def test_a_check_has_a_spec():
    """Name, description and the rest are kept."""

    @asset_check(asset=["sales", "orders"], name="is_unique", blocking=True, metadata={"a": 1})
    def unique():
        """Be unique."""

    (spec,) = unique.check_specs
    assert unique.check_key == AssetCheckKey(AssetKey(["sales", "orders"]), "is_unique")
    assert (spec.description, spec.blocking, spec.metadata) == ("Be unique.", True, {"a": 1})
    assert (unique.name, unique.asset_key) == ("is_unique", AssetKey(["sales", "orders"]))


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (two, {}),
        (plain, {"additional_deps": ["orders"]}),
        (one, {"additional_ins": {"whatever": AssetIn("orders")}}),
        (plain, {"additional_ins": {"foo": AssetIn("raw")}}),
        (plain, {"name": "a b"}),
    ],
)
def test_contradictions_are_refused(function, options):
    """What contradicts itself is an error of the definition."""
    with pytest.raises(DagsterInvalidDefinitionError):
        asset_check(asset="orders", **options)(function)


def test_a_check_names_its_asset():
    """A bare decorator, or one round a function, has no asset."""
    with pytest.raises(DagsterInvalidDefinitionError, match="names its asset"):
        asset_check(asset=plain)
    with pytest.raises(TypeError):
        asset_check(asset="orders", nope=1)


def test_a_definition_is_an_asset():
    """The asset may be given as its definition."""

    @asset
    def orders(): ...

    assert asset_check(asset=orders)(plain).check_key.asset_key == ORDERS


SPECS = [AssetCheckSpec("a", asset="orders"), AssetCheckSpec("b", asset="raw", additional_deps=["other"])]


def test_several_checks():
    """A multi_asset_check waits for all assets concerned, and loads those that are parameters."""

    @multi_asset_check(specs=SPECS, can_subset=True)
    def checks(orders): ...

    assert checks.keys_by_input_name == {"raw": RAW, "other": AssetKey("other"), "orders": ORDERS}
    assert not checks.op.ins["orders"].is_nothing
    assert checks.op.ins["raw"].is_nothing
    assert not any(out.is_required for out in checks.op.outs.values())


def test_several_checks_load_what_they_are_about():
    """An input that no spec is about is refused."""
    with pytest.raises(DagsterInvalidDefinitionError):
        multi_asset_check(specs=SPECS)(one)
    assert multi_asset_check(specs=SPECS, ins={"whatever": AssetIn("raw")})(one).keys_by_input_name["whatever"] == RAW
