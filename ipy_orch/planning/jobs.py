"""Resolve jobs: which ops or assets they run, whether all that these need is there, and in which steps.

A job of ops and a job of assets end in the same: a :class:`~ipy_orch.planning.plan.Plan` for the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvalidSubsetError,
    closest,
)
from ipy_orch.events.ledger import Ledger
from ipy_orch.model.asset_jobs import IMPLICIT_JOB, AssetLayer, UnresolvedAssetJobDefinition, as_selection, resolve
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.conditions.relatives import contains_job_root_assets_condition
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.config.configured import ConfigMapping
from ipy_orch.model.graphs.graph import GraphDefinition, nested_nodes, to_job
from ipy_orch.model.graphs.mappings import DependencyDefinition, NodeInvocation
from ipy_orch.model.graphs.parts import part_of
from ipy_orch.model.jobs import JobDefinition, graph_of_assets, refuse_missing_resources, refuse_unselectable
from ipy_orch.model.keys import AssetKey, FrozenList
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.ops import In, type_of
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.requirements import all_resources, needed, refuse_unmade
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.tags import json_tags
from ipy_orch.planning.calls import Call, FromAsset, FromConfig, FromValue, Source, calls_of_graph, outputs_in
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partitioning import Reading, distinct_cuts, only_cut
from ipy_orch.planning.plan import plan
from ipy_orch.planning.selection.ops import selected_nodes
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.planning.staleness import ASKED
from ipy_orch.planning.steps import Plan, Request, Step, apart

__all__ = [
    "calls_of_job",
    "job_cut",
    "job_of_graph",
    "layer_cut",
    "plan_all",
    "plan_job",
    "refuse_missing_values",
    "refuse_unknown_values",
    "resolve_job",
    "selected_layer",
    "selection_from",
    "source_assets_in",
    "which",
]


@as_selection.supply
def selection_from(selection: Any) -> AssetSelection:
    """Return what a selection can be made of as a selection.

    Raises:
        CheckError: when it can't.
    """
    return AssetSelection.from_coercible(selection)


# -- jobs of assets ---------------------------------------------------------------------------------------------------


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
    try:
        layer = selected_layer(graph, None if job.name == IMPLICIT_JOB else job.selection)
        cut = cut_of_job(job, layer)
        refuse_condition(job, cut)
        plan_all(layer)
    except DagsterInvalidSubsetError as error:
        raise DagsterInvalidDefinitionError(f"job `{job.name}` can't be resolved: {error}") from error
    for one in layer.definitions:
        refuse_unready(one, graph, resources or {})
    return JobDefinition(
        name=job.name,
        asset_layer=layer,
        resource_defs=all_resources(graph.definitions, resources),
        config=job.config,
        description=job.description,
        tags=job.tags,
        run_tags=job.tags if job.run_tags is None else job.run_tags,
        metadata=normalize_metadata(job.metadata),
        partitions_def=cut,
        executor_def=job.executor_def or executor,
        loggers=dict(loggers or {}),
        hook_defs=job.hooks,
        op_retry_policy=job.op_retry_policy,
        owners=job.owners,
        automation_condition=job.automation_condition,
    )


def cut_of_job(job: UnresolvedAssetJobDefinition, layer: AssetLayer) -> PartitionsDefinition | None:
    """Return how a job's assets are partitioned, or as the job or its config says.

    Raises:
        DagsterInvalidDefinitionError: when these contradict each other.
    """
    implicit = job.name == IMPLICIT_JOB
    found = distinct_cuts(layer.cuts()) if implicit else [one] if (one := layer_cut(layer)) is not None else []
    said = distinct_cuts([job.partitions_def, getattr(job.config, "partitions_def", None)])
    only_cut([*said, *found] if said else [], f"job `{job.name}`")
    if said or len(found) == 1:
        return (said or found)[0]
    return None


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


def layer_cut(layer: AssetLayer) -> PartitionsDefinition | None:
    """Return how the assets and checks are partitioned that run together, None where none is.

    Raises:
        DagsterInvalidDefinitionError: when some are partitioned in another way.
    """
    return only_cut(layer.cuts(), "what was selected")


def job_cut(job: JobDefinition) -> PartitionsDefinition | None:
    """Return how what a job runs is partitioned: its assets, else as the job or its config says; None where nothing is.

    Raises:
        CheckError: when a partition can't be chosen, since its assets are partitioned in different ways.
    """
    found = distinct_cuts(job.layer.cuts()) if job.is_asset_job else []
    if len(found) > 1:
        return None
    said: PartitionsDefinition | None = job.partitions_def
    return found[0] if found else said


def plan_all(layer: AssetLayer, partitions: Sequence[str] = (), what: str = "") -> Plan:
    """Return the plan that runs all of it, whatever ran before.

    Args:
        partitions: those of what is partitioned.

    Raises:
        DagsterInvalidSubsetError: when a part of a definition is asked for that can't be made alone.
    """
    keys, checks = layer.executable_asset_keys, layer.executable_check_keys
    request = Request(keys, checks, upstream=False, always=True, what=what, **which(partitions))
    return plan(layer.asset_graph, Ledger(), request)


def refuse_condition(job: UnresolvedAssetJobDefinition, cut: PartitionsDefinition | None) -> None:
    """Refuse a condition that isn't about a job, or config of a job that is run by one partition by partition.

    Raises:
        DagsterInvalidDefinitionError: with what to write.
    """
    if job.automation_condition is None:
        return
    if not contains_job_root_assets_condition(job.automation_condition):
        raise DagsterInvalidDefinitionError(
            f"the automation condition of job `{job.name}` does not evaluate against the job's root assets",
            hint="AutomationCondition.all_job_root_assets_match(...), or any_job_root_assets_match(...)",
        )
    if cut is not None and job.config is not None:
        raise DagsterInvalidDefinitionError(
            f"job `{job.name}` has partitions, an automation condition and config: it can't have all three",
            hint="give the config to the assets",
        )


@graph_of_assets.supply
def graph_from_assets(layer: AssetLayer, name: str) -> GraphDefinition:
    """Return the ops and graphs of assets as one graph; one that is run in parts comes several times."""
    definitions = list({step.definition: None for step in plan_all(layer).steps if step.definition is not None})
    nodes, numbered = [], dict[str, int]()
    made: dict[AssetKey, DependencyDefinition] = {}
    for one in definitions:
        number = numbered[one.op.name] = numbered.get(one.op.name, 0) + 1
        node = one.op if number == 1 else one.op.with_replaced(name=f"{one.op.name}_{number}")
        nodes.append(node)
        made.update({key: DependencyDefinition(node.name, output) for output, key in one.keys_by_output_name.items()})
    dependencies = {
        NodeInvocation(node.name): {
            name: made[key]
            for name, key in one.keys_by_input_name.items()
            if key in made and key in one.dependency_keys and made[key].node != node.name
        }
        for node, one in zip(nodes, definitions, strict=True)
    }
    return GraphDefinition(name, node_defs=nodes, dependencies=dependencies)


def refuse_unready(one: AssetsDefinition, graph: AssetGraph, resources: Mapping[str, Any]) -> None:
    """Refuse a definition of which an input or a resource is missing; others' resources don't count.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    refuse_unmade(one, graph.defined_keys)
    needed({**resources, **one.resource_defs}, one.required_resource_keys, f"`{one.label}`")
    for name, key in one.keys_by_input_name.items():
        port, maker = one.op.ins[name], graph.makers.get(key)
        if maker is not None and maker is not one and not (port.is_nothing or port.input_manager_key):
            manager = maker.get_io_manager_key_for_asset_key(key)
            needed({**resources, **maker.resource_defs}, [manager], f"`{one.label}`, which loads `{key.label}`,")


# -- jobs of ops ------------------------------------------------------------------------------------------------------


@to_job.supply
def job_of_graph(graph: GraphDefinition, **said: Any) -> JobDefinition:
    """Return the job of a graph; the arguments are those of :meth:`GraphDefinition.to_job`.

    Raises:
        DagsterInvalidDefinitionError: when an input can come from nowhere, a value is given to no input, or a resource
            is missing although resources were given.
        CheckError: for a config of another type.
    """
    given = {name: value for name, value in said.items() if value is not None}
    config, tags = given.get("config"), json_tags(given.get("tags"), f"job `{graph.name}`")
    if config is not None and not isinstance(config, Mapping | RunConfig | ConfigMapping | PartitionedConfig):
        raise CheckError(f"the config of job `{graph.name}` is a dict, a RunConfig or a ConfigMapping, not {config!r}")
    for key in given.get("resource_defs", {}):
        if not key.isidentifier():
            raise CheckError(f"the key of a resource is a name, not {key!r}, as in job `{graph.name}`")
    run_tags = json_tags(given["run_tags"], f"job `{graph.name}`") if "run_tags" in given else None
    job = JobDefinition(
        name=given.get("name", graph.name),
        graph_def=graph,
        resource_defs=dict(given.get("resource_defs", {})),
        config=config,
        description=given.get("description", graph.description),
        tags={**graph.tags, **tags},
        run_tags={**graph.tags, **(tags if run_tags is None else run_tags)},
        metadata=normalize_metadata(given.get("metadata", {})),
        partitions_def=only_cut(
            [given.get("partitions_def"), getattr(config, "partitions_def", None)], f"job `{graph.name}`"
        ),
        executor_def=given.get("executor_def"),
        loggers=dict(given.get("logger_defs", {})),
        hook_defs=frozenset(given.get("hooks", ())),
        op_retry_policy=given.get("op_retry_policy"),
        owners=FrozenList(given.get("owners", ())),
        automation_condition=given.get("automation_condition"),
        input_values=dict(given.get("input_values", {})),
    )
    refuse_unknown_values(job)
    refuse_unconnected(job)
    if given.get("resource_defs"):
        refuse_unprovided(job)
    return job if "op_selection" not in given else job.get_subset(op_selection=given["op_selection"])


def refuse_unknown_values(job: JobDefinition) -> None:
    """Refuse values for inputs that the graph doesn't have.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    for name in job.input_values:
        if name not in job.graph.ins:
            raise DagsterInvalidDefinitionError(
                f"job `{job.name}` has no input `{name}`", hint=closest(name, job.graph.ins)
            )


def refuse_unconnected(job: JobDefinition) -> None:
    """Refuse an input that nothing is connected to and that run config can't say.

    Raises:
        DagsterInvalidDefinitionError: naming op and input.
    """
    for call in calls_of_job(job):
        for name, source in call.sources.items():
            port = call.op.ins[name]
            if lacks_value(source, port):
                raise DagsterInvalidDefinitionError(
                    f"nothing is connected to input `{name}` of `{call.name}`, and a"
                    f" `{type_of(port).display_name}` can't be given in run config",
                    where=f"job `{job.name}`",
                    hint="connect an op to it, or give its type a `dagster_type_loader`",
                )


def loadable(port: In) -> bool:
    """Tell whether run config can say the value of an input."""
    return bool(port.input_manager_key) or getattr(type_of(port), "loader", None) is not None


@refuse_missing_resources.supply
def refuse_unprovided(job: JobDefinition) -> None:
    """Refuse a job that needs a resource that isn't there.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    for step in plan_job(job).every_step:
        needed(job.resource_defs, step.required_resource_keys, f"`{step.name}`")


@refuse_unselectable.supply
def checked_selection(graph: GraphDefinition, selection: Sequence[str]) -> frozenset[str]:
    """Return the ops that a selection names.

    Raises:
        DagsterInvalidSubsetError: when it names none, or what is selected can't run alone.
    """
    ops = frozenset(leaves(calls_of_graph(graph), selected_nodes(graph, selection)))
    for call in calls_of_graph(part_of(graph, ops)):
        for name, source in call.sources.items():
            if lacks_value(source, call.op.ins[name]):
                raise DagsterInvalidSubsetError(
                    f"input `{name}` of `{call.name}` comes from an op that isn't selected",
                    hint="select that op as well: `*` in front of a name takes all that is upstream",
                )
    return ops


def lacks_value(source: Source, port: In) -> bool:
    """Tell whether an input can come from nowhere: what the whole graph takes may be given with a run."""
    inside = isinstance(source, FromConfig) and source.at and source.asset is None
    return bool(inside) and not port.has_default_value and not loadable(port)


def refuse_missing_values(job: JobDefinition) -> None:
    """Refuse to run a graph without the values of its inputs that run config can't say.

    Raises:
        DagsterInvalidInvocationError: naming the input.
    """
    for call in calls_of_job(job):
        for name, source in call.sources.items():
            port = call.op.ins[name]
            if isinstance(source, FromConfig) and not (source.at or port.has_default_value or loadable(port)):
                raise DagsterInvalidInvocationError(
                    f"`{job.name}` has an input `{source.name}`, which `{call.name}` takes and run config can't say",
                    hint=f'execute_in_process(input_values={{"{source.name}": ...}})',
                )


def source_assets_in(graph: GraphDefinition) -> list[AssetsDefinition]:
    """Return the assets that nodes of a graph, at any depth, were given as arguments."""
    graphs = [
        graph,
        *(node.definition for _, node in nested_nodes(graph) if isinstance(node.definition, GraphDefinition)),
    ]
    found = [one for each in graphs for inputs in each.input_assets.values() for one in inputs.values()]
    return [external(one) if isinstance(one, AssetSpec) else one for one in found if not isinstance(one, AssetKey)]


def leaves(calls: Iterable[Call], chosen: Iterable[str]) -> list[str]:
    """Return the calls of these nodes: of a graph, all in it."""
    names = set(chosen)
    return [
        call.name
        for call in calls
        if any(".".join(call.path[:depth]) in names for depth in range(1, len(call.path) + 1))
    ]


def calls_of_job(job: JobDefinition) -> list[Call]:
    """Return the calls that a job of ops makes."""
    given = {name: FromValue(value) for name, value in job.input_values.items()}
    return calls_of_graph(job.graph, given)


def which(partitions: Sequence[str]) -> dict[str, Any]:
    """Return what a request says of partitions."""
    one = partitions[0] if len(partitions) == 1 else None
    return {"partition": one, "partitions": tuple(partitions) if len(partitions) > 1 else ()}


def plan_job(job: JobDefinition, partitions: Sequence[str] = (), steps: Iterable[str] | None = None) -> Plan:
    """Return the steps of a job. Pure: nothing is run.

    Args:
        partitions: those of what is partitioned.
        steps: some of them, by name; all by default.
    """
    if job.is_asset_job:
        planned = plan_all(job.layer, partitions, job.name)
    else:
        request = Request(frozenset(), always=True, what=job.name, **which(partitions))
        sources = {key: one for one in source_assets_in(job.graph) for key in one.keys}
        first, mapped = apart([op_step(call, request, sources, job.partitions_def) for call in calls_of_job(job)])
        planned = Plan(first, request, (), mapped)
    return only_steps(with_job(planned, job), steps)


def op_step(call: Call, request: Request, sources: Mapping[AssetKey, AssetsDefinition], cut: Any = None) -> Step:
    """Return the step of an op that makes no asset.

    Args:
        sources: the assets that ops of the job read.
        cut: how the job is partitioned.
    """
    after = frozenset(one.call for source in call.sources.values() for one in outputs_in(source))
    read = {one.key: sources[one.key] for one in call.reads() if isinstance(one, FromAsset) and one.key in sources}
    reading = Reading.of_op(cut, read, request.chosen) if read else None
    return Step(call.name, call, None, (), (), ASKED, after, partition=request.partition, reading=reading)


def with_job(planned: Plan, job: JobDefinition) -> Plan:
    """Return a plan in which the ops have what the job says of all its ops: hooks, and retries where they have none."""
    if not job.hook_defs and job.op_retry_policy is None:
        return planned

    def changed(step: Step) -> Step:
        retry = step.call.retry_policy or job.op_retry_policy
        return replace(step, call=replace(step.call, hooks=step.call.hooks | job.hook_defs, retry_policy=retry))

    mapped = {name: tuple(map(changed, steps)) for name, steps in planned.mapped.items()}
    return replace(planned, steps=tuple(map(changed, planned.steps)), mapped=mapped)


def only_steps(planned: Plan, names: Iterable[str] | None) -> Plan:
    """Return a plan of some of its steps; what the others made is loaded.

    Raises:
        DagsterInvalidSubsetError: for a name that no step has.
    """
    if names is None:
        return planned
    chosen = set(names)
    unknown = chosen - {step.name for step in planned.every_step}
    if unknown:
        known = [step.name for step in planned.every_step]
        raise DagsterInvalidSubsetError(f"there is no step `{min(unknown)}`", hint=closest(min(unknown), known))
    kept = [replace(step, after=step.after & chosen) for step in planned.steps if step.name in chosen]
    mapped = {name: steps for name, steps in planned.mapped.items() if name in chosen}
    return replace(planned, steps=tuple(kept), mapped=mapped)
