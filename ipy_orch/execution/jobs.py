"""Run a plan of assets to its end in this process: what a job and ``materialize`` share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.execution.engine import World, run
from ipy_orch.execution.instance import DagsterInstance
from ipy_orch.execution.iomanagers import InMemoryIOManager
from ipy_orch.execution.load import load_value
from ipy_orch.execution.results import ExecuteInProcessResult
from ipy_orch.model.config import RunConfig
from ipy_orch.model.definitions import needed
from ipy_orch.model.jobs import JobDefinition, execute
from ipy_orch.planning.config import Resolved, plain_run_config, resolve_run_config
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.jobs import plan_all
from ipy_orch.planning.plan import Plan

__all__ = ["execute_plan", "run_job"]


@execute.supply
def run_job(
    job: JobDefinition,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: Any = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    run_id: str = "",
    tags: Mapping[str, str] | None = None,
    resources: Mapping[str, Any] | None = None,
) -> ExecuteInProcessResult:
    """Run a job; the arguments are those of :meth:`JobDefinition.execute_in_process`.

    Raises:
        DagsterInvalidConfigError: when the config doesn't fit; nothing has run then.
        Exception: what the user's code raised, unless ``raise_on_error`` is false.
    """
    given = {"io_manager": InMemoryIOManager(), **job.resource_defs, **(resources or {})}
    return execute_plan(
        plan_all(job.asset_layer, partition_key, job.name),
        job.asset_layer.asset_graph,
        given,
        {**plain_run_config(job.config), **plain_run_config(run_config)},
        instance=instance,
        raise_on_error=raise_on_error,
        run_id=run_id,
        tags={**job.run_tags, **(tags or {})},
        job=job,
    )


def execute_plan(
    planned: Plan,
    graph: AssetGraph,
    resources: Mapping[str, Any],
    run_config: Mapping[str, Any] | RunConfig | None = None,
    *,
    instance: Any = None,
    raise_on_error: bool = True,
    run_id: str = "",
    tags: Mapping[str, str] | None = None,
    job: JobDefinition | None = None,
) -> ExecuteInProcessResult:
    """Run a plan with a ledger of its own; the events go to the instance as well.

    Args:
        resources: by key, the IO managers among them.
        instance: an ephemeral one by default.
        job: whose run it is, if it's one's.

    Raises:
        DagsterInvalidDefinitionError: when a resource isn't there; nothing has run then.
        DagsterInvalidConfigError: when the config doesn't fit; likewise.
        Exception: what the user's code raised, unless ``raise_on_error`` is false.
    """
    for step in planned.steps:
        needed(resources, step.definition.required_resource_keys, f"`{step.definition.label}`")
    config = run_config_for(planned, graph, run_config, resources)
    instance = instance or DagsterInstance.ephemeral()
    log, ledger = EventLog(), Ledger()
    log.listen(ledger.apply)
    log.listen(instance.log.append)
    world = World(
        log,
        ledger,
        resources,
        config,
        makers=graph.makers,
        keep_values=True,
        measure=False,
        run_id=run_id,
        job_name="materialize" if job is None else job.name,
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
        lambda key: load_value(key, graph.makers[key], resources, config, planned.request.partition, instance),
        instance.get_run_by_id(result.run_id),
        job,
    )


def run_config_for(
    planned: Plan, graph: AssetGraph, run_config: Mapping[str, Any] | RunConfig | None, resources: Mapping[str, Any]
) -> Resolved:
    """Return the run config, checked; ops of the graph that don't run may have some, too.

    Raises:
        DagsterInvalidConfigError: with every problem and its path.
    """
    running = {step.definition.op.name: step.definition.op for step in planned.steps}
    every = {one.op.name: one.op for one in graph.definitions if one.op_def is not None} | running
    types = {name: op.config_type for name, op in every.items() if op.config_type is not None}
    return resolve_run_config(run_config, types, resources, needed=running.keys() & types.keys())
