"""Run a plan to its end in this process: what jobs, graphs and ``materialize`` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ipy_orch.errors import DagsterResourceFunctionError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.execution.console import console_of, telling
from ipy_orch.execution.engine import Runner, World
from ipy_orch.execution.iomanagers import mem_io_manager
from ipy_orch.execution.load import load_value
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.execution.resources import NestedConfigError
from ipy_orch.execution.wiring import wiring
from ipy_orch.execution.workers.executors import InlineExecutor
from ipy_orch.execution.workers.lanes import Place
from ipy_orch.execution.workers.places import place_of_job
from ipy_orch.execution.world import Outputs, RunResult
from ipy_orch.model import jobs
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.console_loggers import default_loggers
from ipy_orch.model.graphs import graph as graphs
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.requirements import needed
from ipy_orch.planning.config import NestedOps, Resolved, resolve_run_config
from ipy_orch.planning.job_config import config_tags, job_tree, run_config_of
from ipy_orch.planning.jobs import job_cut, plan_job, refuse_missing_values, refuse_unknown_values, source_assets_in
from ipy_orch.planning.partitioning import chosen_partitions, partitions_tags
from ipy_orch.planning.plan import Plan

__all__ = ["execute_plan", "run_graph", "run_job"]


@jobs.execute.supply
def run_job(
    job: JobDefinition,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: Any = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    run_id: str = "",
    tags: Mapping[str, str] | None = None,
    resources: Mapping[str, Any] | None = None,
    resume: Callable[[Plan], tuple[Plan, Outputs]] | None = None,
    in_process: bool = True,
) -> ExecuteInProcessResult:
    """Run a job; the arguments are those of :meth:`JobDefinition.execute_in_process`.

    Args:
        in_process: run the steps in the calling thread, whatever the job's executor is.
        resume: returns what of the plan is left to run, and what is made already, where an earlier run is gone on with.

    Raises:
        DagsterInvalidConfigError: when the config doesn't fit; nothing has run then.
        Exception: what the user's code raised, unless ``raise_on_error`` is false.
    """
    sources = [] if job.is_asset_job else source_assets_in(job.graph)
    if not job.is_asset_job:
        refuse_unknown_values(job)
        refuse_missing_values(job)
    brought = {key: one for source in sources for key, one in source.resource_defs.items()}
    every = {"io_manager": mem_io_manager, **brought, **job.resource_defs, **(resources or {})}
    ready = replace(job, resource_defs=every)
    instance, all_tags = instance or DagsterInstance.ephemeral(), {**job.run_tags, **(tags or {})}
    with partition_loading_context(dynamic_partitions_store=instance):
        cut = job_cut(job)
        partitions = chosen_partitions(cut, partition_key, all_tags)
        planned = plan_job(job, partitions)
        config = run_config_of(job, run_config, partitions)
        all_tags.update(partitions_tags(cut, partitions, config_tags(job, partitions)))
    planned, outputs = resume(planned) if resume is not None else (planned, None)
    result = execute_plan(
        planned,
        job.layer.asset_graph.makers if job.is_asset_job else {key: one for one in sources for key in one.keys},
        every,
        job_tree(job),
        config,
        instance=instance,
        raise_on_error=raise_on_error,
        run_id=run_id,
        tags=all_tags,
        job=ready,
        outputs=outputs,
        in_process=in_process,
    )
    result.job_def = job
    return result


@graphs.execute.supply
def run_graph(
    graph: GraphDefinition,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: Any = None,
    resources: Mapping[str, Any] | None = None,
    raise_on_error: bool = True,
    op_selection: Iterable[str] | None = None,
    run_id: str | None = None,
    input_values: Mapping[str, Any] | None = None,
) -> ExecuteInProcessResult:
    """Run a graph as a job of its own; the arguments are those of :meth:`GraphDefinition.execute_in_process`."""
    job = graph.to_job(resource_defs=resources, input_values=input_values)
    return job.get_subset(op_selection=op_selection).execute_in_process(  # type: ignore[no-any-return]
        run_config, instance, raise_on_error=raise_on_error, run_id=run_id
    )


def execute_plan(
    planned: Plan,
    makers: Mapping[AssetKey, AssetsDefinition],
    resources: Mapping[str, Any],
    tree: NestedOps,
    run_config: Mapping[str, Any] | RunConfig | None,
    *,
    instance: Any = None,
    raise_on_error: bool = True,
    run_id: str = "",
    tags: Mapping[str, str] | None = None,
    job: JobDefinition,
    outputs: Outputs | None = None,
    in_process: bool = True,
) -> ExecuteInProcessResult:
    """Run a plan with a ledger of its own; the events go to the instance as well.

    Args:
        makers: asset -> definition, also of what isn't run: inputs are loaded from there.
        resources: by key, the IO managers among them.
        tree: what run config may say.
        instance: an ephemeral one by default.
        job: whose run it is.
        outputs: of an earlier run that this one goes on with.
        in_process: run the steps in the calling thread, whatever the job's executor is.

    Raises:
        DagsterInvalidDefinitionError: when a resource isn't there; nothing has run then.
        DagsterInvalidConfigError: when the config doesn't fit; likewise.
        Exception: what the user's code raised, unless ``raise_on_error`` is false.
    """
    for step in planned.every_step:
        needed(resources, step.required_resource_keys, f"`{step.name}`")
    config = run_config_for(planned, tree, run_config, resources)
    instance = instance or DagsterInstance.ephemeral()
    log, ledger = EventLog(), Ledger()
    log.listen(ledger.apply)
    log.listen(instance.log.append)
    with (
        place_for(job, config, instance, in_process=in_process) as place,
        partition_loading_context(dynamic_partitions_store=instance),
    ):
        world = World(
            log,
            ledger,
            resources,
            config,
            place.executor,
            place.slots,
            makers=makers,
            keep_values=True,
            measure=False,
            run_id=run_id,
            job_name=job.name,
            tags=tags or {},
            instance=instance,
            job=job,
            loggers=job.loggers or default_loggers(),
            console=console_of,
            outputs=outputs or Outputs(),
            tee=lambda _step: True,
        )
        result = run_of(Runner(planned, world), config, raise_on_error=raise_on_error)
    if raise_on_error:
        for error in result.errors.values():
            raise error
    return ExecuteInProcessResult(
        result,
        places_of(planned),
        lambda key: load_value(key, makers[key], resources, config, planned.request.partition, instance),
        instance.get_run_by_id(result.run_id),
        job,
        graphs={one.op_def.name: one.op_def for one in makers.values() if isinstance(one.op_def, GraphDefinition)},
        top=job.graph_def,
    )


@contextmanager
def place_for(job: JobDefinition, config: Resolved, instance: Any, *, in_process: bool) -> Iterator[Place]:
    """Yield where steps run: in the calling thread, or where the job has them run."""
    if in_process:
        yield Place(InlineExecutor())
        return
    with place_of_job(job, config.given, instance) as elsewhere:
        yield elsewhere or Place(InlineExecutor())


def run_of(runner: Runner, config: Resolved, *, raise_on_error: bool) -> RunResult:
    """Run, telling on the console what an exception doesn't; return what came of it.

    Raises:
        DagsterResourceFunctionError: what a resource raised, unless ``raise_on_error`` is false.
        DagsterInvalidConfigError: of a resource in a field of another, likewise; of others in any case.
    """
    if not config.given.get("loggers") and not raise_on_error:
        runner.world.log.listen(telling(runner.open.loggers))
    try:
        runner.run()
    except (DagsterResourceFunctionError, NestedConfigError):
        if raise_on_error:
            raise
    return runner.result


def places_of(planned: Plan) -> dict[AssetKey, tuple[str, str]]:
    """Return asset -> the step that makes it, and its output there."""
    return {key: (step.name, wiring(step).output_of[key]) for step in planned.steps for key in step.keys}


def run_config_for(
    planned: Plan, tree: NestedOps, run_config: Mapping[str, Any] | RunConfig | None, resources: Mapping[str, Any]
) -> Resolved:
    """Return the run config, checked; ops that don't run may have some, too.

    Raises:
        DagsterInvalidConfigError: with every problem and its path.
    """
    return resolve_run_config(run_config, tree, resources, needed={step.place for step in planned.every_step})
