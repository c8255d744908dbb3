"""``materialize``: run assets at once in this process, as Dagster's function of this name does.

Everything selected runs; nothing is remembered between calls but what the IO managers keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.execution.iomanagers import FilesystemIOManager, InMemoryIOManager
from ipy_orch.execution.jobs import execute_plan
from ipy_orch.execution.records.dagster_run import EPHEMERAL_JOB
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.requirements import refuse_unmade
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.config import NestedOps
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.job_config import asset_tree
from ipy_orch.planning.jobs import layer_cut, plan_all, selected_layer
from ipy_orch.planning.partitioning import chosen_partitions, partitions_tags
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["materialize", "materialize_to_memory"]


def materialize(
    assets: Sequence[Any],
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: Any = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: Any = None,
) -> ExecuteInProcessResult:
    """Run assets and their checks; values go through the IO managers given, by default to a temporary folder.

    Args:
        assets: definitions of assets and checks, and specs of external assets.
        run_config: config of ops and resources.
        instance: takes the events, where one is given.
        partition_key: the partition to run.
        raise_on_error: raise what the first failing step raised.
        selection: which of them; by default all that something makes, and no observations.

    Raises:
        DagsterInvalidDefinitionError: when an argument loads an asset that isn't among them, or a resource is missing.
        DagsterInvalidConfigError: when the config doesn't fit; nothing has run then.
        Exception: what the user's code raised, unless ``raise_on_error`` is false.

    Example:
        >>> from ipy_orch import asset
        >>> @asset
        ... def raw():
        ...     return [1, 2, 3]
        >>> @asset
        ... def total(raw):
        ...     return sum(raw)
        >>> materialize([raw, total]).output_for_node("total")
        6
    """
    definitions = as_definitions(assets)
    graph = AssetGraph.of(definitions)
    given = {"io_manager": FilesystemIOManager(), **resources_of(definitions, resources or {})}
    for one in definitions:
        refuse_unmade(one, graph.defined_keys)
    every = AssetSelection.all() | AssetSelection.all_asset_checks()
    layer = selected_layer(graph, every if selection is None else selection)
    with partition_loading_context(dynamic_partitions_store=instance):
        cut = layer_cut(layer)
        partitions = chosen_partitions(cut, partition_key, tags or {})
        planned = plan_all(layer, partitions)
    return execute_plan(
        planned,
        graph.makers,
        given,
        NestedOps(asset_tree(graph.definitions)),
        run_config,
        instance=instance,
        raise_on_error=raise_on_error,
        tags=partitions_tags(cut, partitions, tags or {}),
        job=JobDefinition(name=EPHEMERAL_JOB, asset_layer=layer, resource_defs=given, partitions_def=cut),
    )


def as_definitions(assets: Sequence[Any]) -> list[AssetsDefinition]:
    """Return definitions of assets and checks; a spec stands for an external asset.

    Raises:
        CheckError: for anything else.
    """
    definitions = [external(one) if isinstance(one, AssetSpec) else one for one in assets]
    for one in definitions:
        if not isinstance(one, AssetsDefinition):
            raise CheckError(f"`materialize` takes assets and checks, not {one!r}")
    return definitions


def resources_of(definitions: Sequence[AssetsDefinition], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resources given and those that definitions carry.

    Raises:
        DagsterInvalidInvocationError: when a definition carries another one under a key that is given.
        DagsterInvalidDefinitionError: when two definitions do.
    """
    carried: dict[str, Any] = {}
    for one in definitions:
        for key, resource in one.with_resources(given).resource_defs.items():
            if carried.setdefault(key, resource) is not resource:
                raise DagsterInvalidDefinitionError(
                    f"two definitions bring different resources `{key}`", where=one.label
                )
    return {**carried, **given}


def materialize_to_memory(
    assets: Sequence[Any],
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: Any = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: Any = None,
) -> ExecuteInProcessResult:
    """Run assets with all values in memory; the arguments are those of :func:`materialize`.

    Raises:
        DagsterInvariantViolationError: when an IO manager is given: there's no place for it.
    """
    given = {key: one for made in assets for key, one in getattr(made, "resource_defs", {}).items()} | dict(
        resources or {}
    )
    managers = {
        made.get_io_manager_key_for_asset_key(key)
        for made in assets
        if isinstance(made, AssetsDefinition)
        for key in made.keys
    }
    if managers & given.keys():
        raise DagsterInvariantViolationError(
            "`materialize_to_memory` keeps values in memory, and an IO manager was given", hint="use `materialize`"
        )
    memory = InMemoryIOManager()
    every = {**(resources or {}), "io_manager": memory, **dict.fromkeys(managers, memory)}
    return materialize(assets, run_config, instance, every, partition_key, raise_on_error, tags, selection)
