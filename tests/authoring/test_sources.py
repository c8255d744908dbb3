"""Functions that look at assets made elsewhere."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.sources import (
    external_assets_from_specs,
    multi_observable_source_asset,
    observable_source_asset,
)
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.results import DataVersion
from ipy_orch.model.specs import AssetSpec


def test_a_bare_decorator():
    """An observed asset is executable, and nothing here materializes it."""

    @observable_source_asset
    def landing():
        return DataVersion("1")

    assert (landing.is_observable, landing.is_executable, landing.is_external) == (True, True, True)
    assert not landing.is_materializable
    assert landing.key == AssetKey("landing")


def test_options():
    """The options are those of an asset that nothing is computed for."""

    @observable_source_asset(
        name="nn", key_prefix="p", group_name="g", required_resource_keys={"r"}, tags={"a": "b"}, io_manager_key="k"
    )
    def landing(context): ...

    assert landing.key == AssetKey(["p", "nn"])
    assert landing.required_resource_keys == {"r", "k"}
    assert landing.group_names_by_key == {landing.key: "g"}
    with pytest.raises(TypeError, match="did you mean `group_name`"):
        observable_source_asset(groupname="g")


def test_several():
    """One function may look at several assets."""

    @multi_observable_source_asset(specs=[AssetSpec("u"), AssetSpec("v", skippable=True)], group_name="g")
    def both(): ...

    assert both.is_observable
    assert [out.is_required for out in both.op.outs.values()] == [True, False]
    assert set(both.group_names_by_key.values()) == {"g"}
    with pytest.raises(DagsterInvalidDefinitionError):
        multi_observable_source_asset(specs=[AssetSpec("u", group_name="h")], group_name="g")(lambda: None)


def test_external_assets():
    """A spec is an external asset."""
    (one,) = external_assets_from_specs([AssetSpec("a")])
    assert not one.is_executable
    assert one.key == AssetKey("a")


def test_the_old_interval_is_taken_with_a_warning():
    """A module that Dagster loads can be loaded."""
    with pytest.warns(DeprecationWarning, match="automation_condition"):
        observed = observable_source_asset(name="landing", auto_observe_interval_minutes=3)(lambda: DataVersion("1"))
    assert observed.is_observable
