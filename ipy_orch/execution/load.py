"""Load the value of an asset outside a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.execution.contexts import InputContext, NoResources, OutputContext
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.config import Resolved

__all__ = ["load_value"]


def load_value(
    key: AssetKey,
    maker: AssetsDefinition,
    resources: Mapping[str, Any],
    config: Resolved | None = None,
    partition: str | None = None,
) -> Any:
    """Return the value of an asset as its IO manager has it.

    Raises:
        DagsterInvariantViolationError: when the manager has none.
    """
    manager = maker.get_io_manager_key_for_asset_key(key)
    metadata = maker.specs_by_key[key].metadata
    step = maker.op.name if maker.is_executable else ""
    upstream = OutputContext(maker.output_of.get(key, "result"), step, key=key, partition=partition, definition_metadata=metadata)
    context = InputContext("value", key=key, partition=partition, resources=NoResources(), upstream_output=upstream)
    with ResourceScope({**maker.resource_defs, **resources}, [manager], config.resources if config else {}) as scope:
        return scope.objects[manager].load_input(context)
