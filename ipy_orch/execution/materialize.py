"""``materialize``: run assets at once in this process, as Dagster's function of this name does.

Everything selected runs; nothing is remembered between calls but what the IO managers keep.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.execution.engine import World, run
from ipy_orch.execution.instance import DagsterInstance
from ipy_orch.execution.iomanagers import FilesystemIOManager, InMemoryIOManager
from ipy_orch.execution.load import load_value
from ipy_orch.execution.providing import needed
from ipy_orch.execution.results import ExecuteInProcessResult
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.config import RunConfig
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.config import resolve_run_config
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.plan import Plan, Request, plan
from ipy_orch.planning.selection import AssetSelection

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
        selection: which of them; all by default.

    Raises:
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
    given = resources_of(definitions, resources or {})
    planned = planned_for(graph, selection, partition_key)
    instance = instance or DagsterInstance.ephemeral()
    if "io_manager" not in given:
        given["io_manager"] = FilesystemIOManager(base_dir=tempfile.mkdtemp(prefix="ipy_orch_"))
    for step in planned.steps:
        needed(given, step.definition.required_resource_keys, f"`{step.definition.label}`")
    ops = {step.definition.op.name: step.definition.op.config_type for step in planned.steps}
    config = resolve_run_config(run_config, {n: kind for n, kind in ops.items() if kind is not None}, given)
    log, ledger = EventLog(), Ledger()
    log.listen(ledger.apply)
    log.listen(instance.log.append)
    world = World(
        log,
        ledger,
        given,
        config,
        makers=graph.makers,
        keep_values=True,
        measure=False,
        tags=tags or {},
        instance=instance,
    )
    result = run(planned, world)
    if raise_on_error:
        for error in result.errors.values():
            raise error
    places = {
        key: (step.name, step.definition.get_output_name_for_asset_key(key))
        for step in planned.steps
        for key in step.keys
    }
    return ExecuteInProcessResult(
        result,
        places,
        lambda key: load_value(key, graph.makers[key], given, config, partition_key),
        instance.get_run_by_id(result.run_id),
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


def planned_for(graph: AssetGraph, selection: Any, partition: str | None) -> Plan:
    """Return the plan that runs all that is selected, and the checks that the selection means."""
    if selection is None:
        keys, checks = frozenset(graph.executable_keys), frozenset(graph.checks)
    else:
        chosen = AssetSelection.from_coercible(selection)
        keys, checks = frozenset(chosen.resolve(graph)), frozenset(chosen.resolve_checks(graph))
    runnable = frozenset(key for key in keys if graph.makers[key].is_executable)
    return plan(graph, Ledger(), Request(runnable, checks, upstream=False, always=True, partition=partition))


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
