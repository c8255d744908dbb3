"""What a check is called and of which asset it is."""

from __future__ import annotations

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.assets import SourceAsset
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.specs import AssetDep, AssetSpec


@pytest.mark.parametrize("asset", ["orders", AssetKey("orders"), AssetSpec("orders"), SourceAsset("orders")])
def test_the_asset_is_whatever_names_one(asset):
    """A key, a string, a spec and a definition name the asset."""
    spec = AssetCheckSpec("unique", asset=asset)
    assert spec.key == AssetCheckKey(AssetKey("orders"), "unique")
    assert spec.get_python_identifier() == "orders_unique"


def test_a_check_does_not_depend_on_its_asset_again():
    """The asset itself isn't an additional dependency."""
    with pytest.raises(ValueError, match="always depends"):
        AssetCheckSpec("unique", asset="orders", additional_deps=["orders"])


def test_names_are_checked():
    """A check's name is letters, digits and underscores."""
    with pytest.raises(DagsterInvalidDefinitionError):
        AssetCheckSpec("is unique", asset="orders")


def test_copies():
    """A copy has another key, another asset or other metadata, and the rest stays."""
    spec = AssetCheckSpec("unique", asset="orders", additional_deps=["raw"], blocking=True, metadata={"a": object})
    assert spec.with_metadata({"b": 1}).metadata == {"b": 1}
    assert spec.replace_key(AssetCheckKey(AssetKey("raw2"), "u")).key == AssetCheckKey(AssetKey("raw2"), "u")
    told = spec.renamed({AssetKey("orders"): AssetKey("o"), AssetKey("raw"): AssetKey("r")})
    assert (told.asset_key, told.additional_deps, told.blocking) == (AssetKey("o"), [AssetDep("r")], True)
