"""Modules become definitions: ``load_assets_from_modules`` and its kin read what the variables of a module hold.

Each loader comes in four spellings: of modules, of the module that calls it, of a package, and of a package's name.
Importing a package's modules runs their code, as any import does; nothing is materialized.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.asset_changes import renamed
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition
from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition, SourceAsset
from ipy_orch.model.automation.holding import Schedule
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec

__all__ = [
    "load_asset_checks_from_current_module",
    "load_asset_checks_from_modules",
    "load_asset_checks_from_package_module",
    "load_asset_checks_from_package_name",
    "load_assets_from_current_module",
    "load_assets_from_modules",
    "load_assets_from_package_module",
    "load_assets_from_package_name",
    "load_definitions_from_current_module",
    "load_definitions_from_module",
    "load_definitions_from_modules",
    "load_definitions_from_package_module",
    "load_definitions_from_package_name",
]

Loaded = AssetsDefinition | AssetSpec
Prefix = str | Sequence[str] | None


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    group_name: str | None = None,
    key_prefix: Prefix = None,
    *,
    automation_condition: Any = None,
    backfill_policy: Any = None,
    source_key_prefix: Prefix = None,
    include_specs: bool = False,
) -> list[Loaded]:
    """Return the assets that variables of the modules hold, also in lists, each once.

    Args:
        modules: where to look.
        group_name: the group of all of them.
        key_prefix: put before the keys of those that are made here, also where others depend on them.
        automation_condition: for those that have none.
        backfill_policy: for those that have none.
        source_key_prefix: put before the keys of external ones.
        include_specs: take AssetSpecs too.

    Raises:
        DagsterInvalidDefinitionError: when two different ones have one key, or one is in another group already.
    """
    found: list[tuple[str, Loaded]] = held(
        modules, (AssetsDefinition, AssetSpec) if include_specs else AssetsDefinition
    )
    assets = [one for _, one in found if not isinstance(one, AssetChecksDefinition)]
    refuse_doubles(found)
    new = {**prefixed(filter(is_made, assets), key_prefix), **prefixed(filter(is_source, assets), source_key_prefix)}
    return [changed(one, new, group_name, automation_condition, backfill_policy) for one in assets]


def load_assets_from_current_module(
    group_name: str | None = None, key_prefix: Prefix = None, **options: Any
) -> list[Loaded]:
    """Return the assets of the module that calls; see :func:`load_assets_from_modules`."""
    return load_assets_from_modules([calling_module(inspect.currentframe())], group_name, key_prefix, **options)


def load_assets_from_package_module(
    package_module: ModuleType, group_name: str | None = None, key_prefix: Prefix = None, **options: Any
) -> list[Loaded]:
    """Return the assets of a package and of all modules in it; see :func:`load_assets_from_modules`."""
    return load_assets_from_modules(modules_in(package_module), group_name, key_prefix, **options)


def load_assets_from_package_name(
    package_name: str, group_name: str | None = None, key_prefix: Prefix = None, **options: Any
) -> list[Loaded]:
    """Return the assets of the package of this name; see :func:`load_assets_from_modules`."""
    return load_assets_from_package_module(importlib.import_module(package_name), group_name, key_prefix, **options)


def load_asset_checks_from_modules(
    modules: Iterable[ModuleType], asset_key_prefix: Prefix = None
) -> list[AssetChecksDefinition]:
    """Return the checks that variables of the modules hold, also in lists, each once.

    Args:
        asset_key_prefix: put before the keys of the assets checked.
    """
    found = [one for _, one in held(modules, AssetChecksDefinition)]
    keys = {spec.asset_key for one in found for spec in one.check_specs}
    new = {key: key.with_prefix(asset_key_prefix) for key in keys} if asset_key_prefix else {}
    return [renamed(one, new) for one in found]


def load_asset_checks_from_current_module(asset_key_prefix: Prefix = None) -> list[AssetChecksDefinition]:
    """Return the checks of the module that calls."""
    return load_asset_checks_from_modules([calling_module(inspect.currentframe())], asset_key_prefix)


def load_asset_checks_from_package_module(
    package_module: ModuleType, asset_key_prefix: Prefix = None
) -> list[AssetChecksDefinition]:
    """Return the checks of a package and of all modules in it."""
    return load_asset_checks_from_modules(modules_in(package_module), asset_key_prefix)


def load_asset_checks_from_package_name(
    package_name: str, asset_key_prefix: Prefix = None
) -> list[AssetChecksDefinition]:
    """Return the checks of the package of this name."""
    return load_asset_checks_from_package_module(importlib.import_module(package_name), asset_key_prefix)


def load_definitions_from_modules(
    modules: Iterable[ModuleType],
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: Any = None,
) -> Definitions:
    """Return one Definitions of what variables hold: assets, specs, checks, jobs, schedules and sensors.

    A variable that holds a Definitions is merged into it.

    Raises:
        DagsterInvalidDefinitionError: when two different assets have one key; two jobs, schedules or sensors one name.
    """
    modules = list(modules)
    found: list[tuple[str, Loaded]] = held(modules, (AssetsDefinition, AssetSpec))
    refuse_doubles(found)
    checks = [one for _, one in found if isinstance(one, AssetChecksDefinition)]
    assets = [one for _, one in found if not isinstance(one, AssetChecksDefinition)]
    own = Definitions(
        assets,
        schedules=held_by_name(modules, Schedule, "schedule"),
        sensors=held_by_name(modules, SensorDefinition, "sensor"),
        jobs=held_by_name(modules, JobDefinition | UnresolvedAssetJobDefinition, "job"),
        resources=resources,
        loggers=loggers,
        executor=executor,
        asset_checks=checks,
    )
    return Definitions.merge(own, *(one for _, one in held(modules, Definitions)))


def load_definitions_from_module(
    module: ModuleType,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: Any = None,
) -> Definitions:
    """Return the Definitions of one module; see :func:`load_definitions_from_modules`."""
    return load_definitions_from_modules([module], resources, loggers, executor)


def load_definitions_from_current_module(
    resources: Mapping[str, Any] | None = None, loggers: Mapping[str, Any] | None = None, executor: Any = None
) -> Definitions:
    """Return the Definitions of the module that calls; see :func:`load_definitions_from_modules`."""
    return load_definitions_from_modules([calling_module(inspect.currentframe())], resources, loggers, executor)


def load_definitions_from_package_module(
    package_module: ModuleType,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: Any = None,
) -> Definitions:
    """Return the Definitions of a package and of all modules in it; see :func:`load_definitions_from_modules`."""
    return load_definitions_from_modules(modules_in(package_module), resources, loggers, executor)


def load_definitions_from_package_name(
    package_name: str,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: Any = None,
) -> Definitions:
    """Return the Definitions of the package of this name; see :func:`load_definitions_from_modules`."""
    return load_definitions_from_package_module(importlib.import_module(package_name), resources, loggers, executor)


# -- where to look ----------------------------------------------------------------------------------------------------


def calling_module(frame: FrameType | None) -> ModuleType:
    """Return the module whose code called the function of ``frame``."""
    caller = frame.f_back if frame is not None else None
    name = caller.f_globals.get("__name__", "__main__") if caller is not None else "__main__"
    return sys.modules[name]


def modules_in(package: ModuleType) -> Iterator[ModuleType]:
    """Yield a package and all modules in it, importing them, in order of their names."""
    yield package
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
        yield importlib.import_module(info.name)


def held(modules: Iterable[ModuleType], kind: Any) -> list[tuple[str, Any]]:
    """Return (module, object) for each object of a kind that variables hold, also in lists, each once."""
    found: dict[int, tuple[str, Any]] = {}
    for module in modules:
        for value in list(vars(module).values()):
            for one in value if isinstance(value, list | tuple) else [value]:
                if isinstance(one, kind):
                    found.setdefault(id(one), (module.__name__, one))
    return list(found.values())


def refuse_doubles(found: Iterable[tuple[str, Loaded]]) -> None:
    """Refuse two different objects that make, or describe, one asset.

    Raises:
        DagsterInvalidDefinitionError: naming the modules.
    """
    seen: dict[AssetKey, tuple[str, Loaded]] = {}
    for module, one in found:
        for key in [one.key] if isinstance(one, AssetSpec) else one.keys:
            where, other = seen.setdefault(key, (module, one))
            if other is not one and not (isinstance(one, AssetSpec) and one == other):
                places = " and ".join(dict.fromkeys((where, module)))
                raise DagsterInvalidDefinitionError(
                    f"asset `{key.label}` is defined twice", where=places, hint="rename one of them"
                )


def held_by_name(modules: Iterable[ModuleType], kind: Any, what: str) -> list[Any]:
    """Return the objects of a kind that variables hold, each once.

    Raises:
        DagsterInvalidDefinitionError: when two of them have one name, with the modules.
    """
    seen: dict[str, tuple[str, Any]] = {}
    for module, one in held(modules, kind):
        where, other = seen.setdefault(one.name, (module, one))
        if other is not one:
            places = " and ".join(dict.fromkeys((where, module)))
            raise DagsterInvalidDefinitionError(f"{what} `{one.name}` is defined twice", where=places)
    return [one for _, one in seen.values()]


# -- what to change ---------------------------------------------------------------------------------------------------


def is_source(one: Loaded) -> bool:
    """Tell whether it is an external asset of the older spelling, which has a prefix of its own."""
    return isinstance(one, SourceAsset) or (isinstance(one, AssetsDefinition) and one.is_observable)


def is_made(one: Loaded) -> bool:
    """Tell whether ``key_prefix`` is for it."""
    return not is_source(one)


def prefixed(assets: Iterable[Loaded], prefix: Prefix) -> dict[AssetKey, AssetKey]:
    """Return old key -> key below the prefix."""
    keys = [key for one in assets for key in ([one.key] if isinstance(one, AssetSpec) else one.keys)]
    return {key: key.with_prefix(prefix) for key in keys} if prefix else {}


def changed(one: Loaded, new: Mapping[AssetKey, AssetKey], group: str | None, condition: Any, policy: Any) -> Loaded:
    """Return an asset under its new key, in its group; the same object where there's nothing to change."""
    if not (new or group or condition or policy):
        return one
    if isinstance(one, AssetSpec):
        if group is not None and one.group_name not in (None, DEFAULT_GROUP, group):
            raise DagsterInvalidDefinitionError(f"`{one.key.label}` is in group `{one.group_name}` already")
        told = one.replace_attributes(
            group_name=group or one.group_name, automation_condition=one.automation_condition or condition
        )
        return told.renamed(new)
    lacking = {
        key: condition for key, spec in one.specs_by_key.items() if condition and spec.automation_condition is None
    }
    return one.with_attributes(
        asset_key_replacements=new,
        group_names_by_key={} if group is None else dict.fromkeys(one.keys, group),
        automation_condition=lacking or None,
        backfill_policy=one.backfill_policy or (policy if one.is_executable else None),
    )
