"""Resolve jobs against a graph: which assets and checks they run, and whether all that these need is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvalidSubsetError
from ipy_orch.events.ledger import Ledger
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import all_resources, needed, refuse_unmade
from ipy_orch.model.jobs import AssetLayer, JobDefinition, UnresolvedAssetJobDefinition, as_selection, resolve, steps_of
from ipy_orch.model.metadata import normalize_metadata
from ipy_orch.model.ops import OpDefinition
from ipy_orch.model.policies import RetryPolicy
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.plan import Plan, Request, plan
from ipy_orch.planning.selection import AssetSelection

__all__ = ["ops_of", "plan_all", "resolve_job", "selected_layer", "selection_from"]


@as_selection.supply
def selection_from(selection: Any) -> AssetSelection:
    """Return what a selection can be made of as a selection.

    Raises:
        CheckError: when it can't.
    """
    return AssetSelection.from_coercible(selection)


@resolve.supply
def resolve_job(
    job: UnresolvedAssetJobDefinition,
    graph: AssetGraph,
    executor: Any = None,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
) -> JobDefinition:
    """Return a job over the assets of a graph.

    Raises:
        DagsterInvalidDefinitionError: when it selects what isn't there or can't be run alone, when assets of different
            partitions are among it, or when something that they need is missing.
    """
    retried = with_retries(graph, job.op_retry_policy)
    try:
        layer = selected_layer(retried, job.selection)
        plan_all(layer)
    except DagsterInvalidSubsetError as error:
        raise DagsterInvalidDefinitionError(f"job `{job.name}` can't be resolved: {error}") from error
    for one in layer.definitions:
        refuse_unready(one, retried, resources or {})
    return JobDefinition(
        job.name,
        layer,
        all_resources(retried.definitions, resources),
        job.config,
        job.description,
        job.tags,
        job.tags if job.run_tags is None else job.run_tags,
        normalize_metadata(job.metadata),
        job.partitions_def,
        job.executor_def or executor,
        dict(loggers or {}),
        job.hooks,
        job.op_retry_policy,
        job.owners,
        job.automation_condition,
    )


def selected_layer(graph: AssetGraph, selection: Any = None) -> AssetLayer:
    """Return what of a graph a selection runs; all that something computes by default, with its checks.

    Raises:
        DagsterInvalidSubsetError: when it names what doesn't exist.
    """
    if selection is None:
        return AssetLayer(graph, frozenset(graph.executable_keys), frozenset(graph.checks))
    chosen = selection_from(selection)
    keys = frozenset(key for key in chosen.resolve(graph) if graph.makers[key].is_executable)
    return AssetLayer(graph, keys, frozenset(chosen.resolve_checks(graph)))


def plan_all(layer: AssetLayer, partition: str | None = None, what: str = "") -> Plan:
    """Return the plan that runs all of it, whatever ran before.

    Raises:
        DagsterInvalidSubsetError: when a part of a definition is asked for that can't be made alone.
    """
    keys, checks = layer.executable_asset_keys, layer.executable_check_keys
    request = Request(keys, checks, upstream=False, always=True, partition=partition, what=what)
    return plan(layer.asset_graph, Ledger(), request)


@steps_of.supply
def ops_of(layer: AssetLayer) -> Sequence[OpDefinition]:
    """Return the op of each step, upstream first."""
    return [step.definition.op for step in plan_all(layer).steps]


def with_retries(graph: AssetGraph, policy: RetryPolicy | None) -> AssetGraph:
    """Return the graph in which ops without a retry policy have this one."""
    if policy is None:
        return graph

    def retried(one: AssetsDefinition) -> AssetsDefinition:
        if one.op_def is None or one.op_def.retry_policy is not None:
            return one
        return one.replaced(op_def=one.op_def.with_replaced(retry_policy=policy))

    made = {one: retried(one) for one in graph.definitions}
    return replace(
        graph,
        definitions=tuple(made.values()),
        makers={key: made[one] for key, one in graph.makers.items()},
        check_makers={key: made[one] for key, one in graph.check_makers.items()},
    )


def refuse_unready(one: AssetsDefinition, graph: AssetGraph, resources: Mapping[str, Any]) -> None:
    """Refuse a definition of which an input or a resource is missing; others' resources don't count.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    refuse_unmade(one, [key for key in graph.keys if not graph.maker(key).is_auto_created_stub])
    needed({**resources, **one.resource_defs}, one.required_resource_keys, f"`{one.label}`")
    for name, key in one.keys_by_input_name.items():
        port, maker = one.op.ins[name], graph.makers.get(key)
        if maker is not None and maker is not one and not (port.is_nothing or port.input_manager_key):
            manager = maker.get_io_manager_key_for_asset_key(key)
            needed({**resources, **maker.resource_defs}, [manager], f"`{one.label}`, which loads `{key}`,")
