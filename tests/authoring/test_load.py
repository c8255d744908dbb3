"""Modules become definitions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ipy_orch.authoring.assets import asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.authoring.load import (
    load_asset_checks_from_current_module,
    load_asset_checks_from_modules,
    load_asset_checks_from_package_name,
    load_assets_from_current_module,
    load_assets_from_modules,
    load_assets_from_package_module,
    load_assets_from_package_name,
    load_definitions_from_current_module,
    load_definitions_from_module,
    load_definitions_from_modules,
    load_definitions_from_package_module,
    load_definitions_from_package_name,
)
from ipy_orch.authoring.sensors import sensor
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.asset_jobs import define_asset_job
from ipy_orch.model.assets import AssetsDefinition, SourceAsset
from ipy_orch.model.automation.partitioned import build_schedule_from_partitioned_job
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.specs import AssetSpec


@asset(check_specs=[AssetCheckSpec("has_rows", asset="orders")])
def orders(raw):
    """Be a sample."""


@asset(deps=[orders, "elsewhere"], group_name="reports")
def report():
    """Be a sample."""


raw = SourceAsset("raw")
listed = [AssetSpec("spec")]
again = orders


@asset_check(asset=orders, additional_deps=[raw])
def unique():
    """Be a sample."""


def module(name: str = "fake", **objects: Any) -> ModuleType:
    """Return a module."""
    made = ModuleType(name)
    vars(made).update(objects)
    return made


def named(name: str) -> AssetsDefinition:
    """Return an asset."""

    def function(): ...

    return asset(name=name)(function)


PACKAGE = {
    "__init__.py": "from ipy_orch.authoring.assets import asset\n@asset\ndef top(): ...\n",
    "one.py": "from sample_package import asset, top\n@asset\ndef one(top): ...\n",
    "deep/__init__.py": "",
    "deep/two.py": "from ipy_orch.authoring.checks import asset_check\n@asset_check(asset='one')\ndef two(): ...\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a package of three modules."""
    for name, text in PACKAGE.items():
        path = tmp_path / "sample_package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "sample_package"
    for name in [name for name in sys.modules if name.split(".")[0] == "sample_package"]:
        del sys.modules[name]


def test_assets_of_this_module():
    """Variables and lists of this module are read, each object once; specs on request."""
    assert load_assets_from_current_module() == [orders, report, raw]
    assert [one.key.label for one in load_assets_from_current_module(include_specs=True)] == [
        "orders",
        "report",
        "raw",
        "spec",
    ]


def test_a_package_is_read_whole(package: str):
    """All modules of a package are imported and read, in order."""
    names = [one.key.label for one in load_assets_from_package_name(package)]
    assert names == ["top", "one"]
    assert [one.key.label for one in load_assets_from_package_module(sys.modules[package])] == names
    (check,) = load_asset_checks_from_package_name(package, asset_key_prefix="p")
    assert check.check_key.label == "p/one:two"


def test_prefixes():
    """A prefix is for what is loaded, wherever it stands; sources have their own."""
    here = module(orders=orders, report=report, raw=raw)
    one, two, source = load_assets_from_modules([here], key_prefix=["p", "q"])
    assert one.key == AssetKey(["p", "q", "orders"])
    assert one.asset_deps[one.key] == {AssetKey("raw")}
    assert [key.label for key in one.check_keys] == ["p/q/orders:has_rows"]
    assert two.asset_deps[two.key] == {one.key, AssetKey("elsewhere")}
    assert source.key == AssetKey("raw")
    one, _, source = load_assets_from_modules([here], key_prefix="p", source_key_prefix="s")
    assert (source.key, one.asset_deps[one.key]) == (AssetKey(["s", "raw"]), {AssetKey(["s", "raw"])})
    assert isinstance(source, SourceAsset)


def test_attributes_of_all():
    """A group, a condition and a policy are for all that have none."""
    common, own = AutomationCondition.eager(), AutomationCondition.on_missing()
    spec = AssetSpec("spec", automation_condition=own)
    here = module(orders=orders, spec=spec)
    options = {"automation_condition": common, "backfill_policy": "b", "include_specs": True}
    one, two = load_assets_from_modules([here], group_name="g", **options)
    assert one.group_names_by_key == {one.key: "g"}
    assert one.automation_conditions_by_key == {one.key: common}
    assert one.backfill_policy == "b"
    assert (two.group_name, two.automation_condition) == ("g", own)


@pytest.mark.parametrize("found", [report, AssetSpec("spec", group_name="reports")])
def test_groups_are_not_replaced(found):
    """What is in another group already is refused."""
    with pytest.raises(DagsterInvalidDefinitionError, match="already"):
        load_assets_from_modules([module(found=found)], group_name="g", include_specs=True)


def test_doubles_are_refused():
    """Two different objects of one key are an error that names the modules; one object may be in both."""
    one, two = module("one", a=orders), module("two", b=named("orders"), c=orders)
    with pytest.raises(DagsterInvalidDefinitionError, match="one and two"):
        load_assets_from_modules([one, two])
    assert load_assets_from_modules([one, module("three", c=orders)]) == [orders]
    with pytest.raises(DagsterInvalidDefinitionError):
        load_assets_from_modules([module(a=orders, b=AssetSpec("orders"))], include_specs=True)


def test_checks():
    """Checks are read apart from assets, and their assets may get a prefix."""
    assert load_asset_checks_from_current_module() == [unique]
    (told,) = load_asset_checks_from_modules([module(unique=unique)], asset_key_prefix="p")
    assert told.check_key.label == "p/orders:unique"
    assert told.dependency_keys == {AssetKey(["p", "orders"]), AssetKey("raw")}


def test_definitions_of_this_module():
    """Assets, specs and checks become one Definitions."""
    defs = load_definitions_from_current_module(resources={"db": 1})
    assert defs == Definitions([orders, report, raw, *listed], asset_checks=[unique], resources={"db": 1})


def test_definitions_are_merged():
    """A Definitions in a module is part of the result."""
    here = module(a=orders, defs=Definitions([report], resources={"db": 1}))
    defs = load_definitions_from_modules([here], executor=None)
    assert (defs.assets, defs.resources) == ([orders, report], {"db": 1})
    with pytest.raises(DagsterInvariantViolationError):
        load_definitions_from_module(here, resources={"db": 2})


def test_jobs_of_modules():
    """Jobs of assets and of ops are read; two of one name are refused with the names of their modules."""
    nightly, loading = define_asset_job("nightly"), GraphDefinition("loading").to_job()
    here = module("here", nightly=nightly, loading=loading, defs=Definitions(jobs=[loading]))

    assert [job.name for job in load_definitions_from_modules([here]).resolve_all_job_defs()] == ["nightly", "loading"]
    with pytest.raises(DagsterInvalidDefinitionError, match="where: here and there"):
        load_definitions_from_modules([here, module("there", other=define_asset_job("nightly"))])


def test_schedules_and_sensors_of_modules():
    """They are read as well, each once; two of one name are refused with the names of their modules."""
    nightly = ScheduleDefinition(name="nightly", cron_schedule="0 0 * * *", target=[orders])
    daily, arrived = (
        build_schedule_from_partitioned_job(define_asset_job("parts")),
        sensor(name="arrived", target=[orders])(print),
    )
    here = module("here", a=nightly, b=daily, c=[arrived], defs=Definitions(schedules=[nightly]))

    defs = load_definitions_from_modules([here, module("again", nightly=nightly)])
    assert set(defs.automations) == {nightly, daily, arrived}
    assert set(load_definitions_from_module(module(a=nightly, c=arrived)).automations) == {nightly, arrived}
    other = ScheduleDefinition(name="nightly", cron_schedule="0 1 * * *", target=[orders])
    with pytest.raises(DagsterInvalidDefinitionError, match=r"schedule `nightly`.*\n.*where: here and there"):
        load_definitions_from_modules([here, module("there", other=other)])


def test_definitions_of_a_package(package: str):
    """A package's Definitions holds what all of its modules hold."""
    defs = load_definitions_from_package_name(package)
    assert [key.label for key in defs.resolve_all_asset_keys()] == ["top", "one"]
    assert len(defs.asset_checks) == 1
    assert load_definitions_from_package_module(sys.modules[package]) == defs
