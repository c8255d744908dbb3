"""Load the value of an asset outside a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.execution.contexts import NO_RESOURCES, RunInfo
from ipy_orch.execution.inputs import upstream_context
from ipy_orch.execution.instance import DagsterInstance
from ipy_orch.execution.io_contexts import InputContext
from ipy_orch.execution.iomanagers import FilesystemIOManager
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import load_from
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources import as_resource
from ipy_orch.model.types import resolve_dagster_type
from ipy_orch.planning.config import Resolved, resolve_run_config

__all__ = ["load_asset_value", "load_value"]


@load_from.supply
def load_asset_value(
    key: AssetKey,
    maker: AssetsDefinition,
    resources: Mapping[str, Any],
    instance: Any = None,
    partition: str | None = None,
    resource_config: Mapping[str, Any] | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    python_type: Any = None,
) -> Any:
    """Return the value of an asset that an earlier run stored; without an IO manager, in the instance's folder.

    Args:
        metadata: what the IO manager finds as the reader's.
        python_type: what the IO manager is asked for.

    Raises:
        DagsterInvalidConfigError: when the config of a resource doesn't fit.
    """
    given = {"io_manager": FilesystemIOManager(), **resources, **maker.resource_defs}
    config = resolve_run_config({"resources": dict(resource_config or {})}, {}, given)
    reader = {
        "definition_metadata": dict(metadata or {}),
        "dagster_type": resolve_dagster_type(python_type) if python_type is not None else None,
    }
    return load_value(key, maker, given, config, partition, instance or DagsterInstance.get(), reader)


def load_value(
    key: AssetKey,
    maker: AssetsDefinition,
    resources: Mapping[str, Any],
    config: Resolved | None = None,
    partition: str | None = None,
    instance: Any = None,
    reader: Mapping[str, Any] | None = None,
) -> Any:
    """Return the value of an asset as its IO manager has it.

    Args:
        reader: what the IO manager's context tells of the reader.

    Raises:
        DagsterInvariantViolationError: when the manager has none.
    """
    manager = maker.get_io_manager_key_for_asset_key(key)
    known = {**maker.resource_defs, **resources}
    own = as_resource(known[manager]).__required_keys__ if manager in known else ()
    with ResourceScope(known, [manager, *own], config.resources if config else {}, instance=instance) as scope:
        context = InputContext(
            "value",
            key,
            partition=partition,
            resources=scope.namespace(own) if own else NO_RESOURCES,
            spec=maker.specs_by_key.get(key),
            resource_config=config.resource_config(manager) if config and manager in config.definitions else None,
            run=RunInfo("", instance=instance),
            upstream=lambda: upstream_context(key, maker, partition),
            **(reader or {}),
        )
        return scope.objects[manager].load_input(context)
