"""What run config may say of a job or of assets: the tree of their ops, and inputs that nothing is connected to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.config.schema import MISSING, Field
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.ops import In, OpDefinition, type_of
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.tags import json_tags
from ipy_orch.planning.calls import Call, FromConfig, FromOutput, Source, calls_of, calls_of_graph, flat
from ipy_orch.planning.config import Inputs, NestedOps, OneOp, plain_run_config
from ipy_orch.planning.jobs import calls_of_job

__all__ = ["asset_tree", "config_tags", "configurable", "job_tree", "run_config_of"]

Slots: TypeAlias = dict[tuple[str, ...], dict[str, Field | str | None]]


def run_config_of(
    job: JobDefinition, given: Mapping[str, Any] | RunConfig | None, partitions: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the run config of a job: what its mapping makes of what was given, or that over the job's own.

    Args:
        partitions: what runs, of a job whose config depends on it.

    Raises:
        DagsterInvalidConfigError: when the config mapping doesn't take it.
    """
    written = plain_run_config(given)
    if isinstance(job.config, PartitionedConfig):
        own = job.config.get_run_config_for_partition_key(partitions[0]) if len(partitions) == 1 else {}
        return over(plain_run_config(own), written)
    if job.config_mapping is not None:
        return plain_run_config(job.config_mapping.inner(written or MISSING, f"job `{job.name}`", ()))
    return over(plain_run_config(job.run_config), written)


def config_tags(job: JobDefinition, partitions: Sequence[str]) -> Mapping[str, str]:
    """Return the tags that the config of a job gives the run of a partition."""
    if isinstance(job.config, PartitionedConfig) and len(partitions) == 1:
        return json_tags(job.config.get_tags_for_partition_key(partitions[0], job.name), f"job `{job.name}`")
    return {}


def over(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return run config with what is given in the place of what is there: each ``config`` as a whole."""
    made = dict(own)
    for key, one in given.items():
        both = isinstance(one, Mapping) and isinstance(own.get(key), Mapping) and key != "config"
        made[key] = over(own[key], one) if both else one
    return made


def job_tree(job: JobDefinition) -> NestedOps:
    """Return what run config may say of a job's ops."""
    if job.is_asset_job:
        return NestedOps(asset_tree(job.layer.asset_graph.definitions))
    calls = calls_of_job(job)
    return graph_tree(job.graph, job.whole_graph, calls, slots_of(calls), ())


def asset_tree(definitions: Iterable[AssetsDefinition]) -> dict[str, Any]:
    """Return what run config may say of the ops of assets, those of graphs under their graph."""
    found: dict[str, Any] = {}
    for one in definitions:
        if isinstance(one.op_def, OpDefinition):
            found[one.op.name] = one.op.config_type
        elif one.op_def is not None:
            found[one.op_def.name] = graph_asset_tree(one)
    return found


def configurable(definitions: Iterable[AssetsDefinition]) -> list[AssetsDefinition]:
    """Return the definitions whose ops run config may say something about."""
    return [
        one
        for one in definitions
        if one.op_def is not None and (one.op_def.config_type is not None or not isinstance(one.op_def, OpDefinition))
    ]


def graph_asset_tree(definition: AssetsDefinition) -> NestedOps:
    """Return what run config may say of the ops in a graph that makes assets; of those that run, where it is a part."""
    graph = definition.op_def
    assert isinstance(graph, GraphDefinition)
    calls = calls_of(definition) if definition.can_subset else calls_of_graph(graph)
    slots = slots_of(calls)
    slots[()] = {}  # its inputs are assets
    return graph_tree(graph, graph, calls, slots, ())


def slots_of(calls: Iterable[Call]) -> Slots:
    """Return path -> input -> what run config may say of it."""
    slots: Slots = {}
    for call in calls:
        for name, source in call.sources.items():
            for one in flat(source):
                at, slot = (one.at, one.name) if isinstance(one, FromConfig) else (call.path, name)
                said, inputs = slot_of(one, call.op.ins[name], in_list=one is not source), slots.setdefault(at, {})
                inputs[slot] = stricter(inputs.get(slot), said)
    return slots


def stricter(known: Field | str | None, other: Field | str | None) -> Field | str | None:
    """Return what must be said of an input of a graph that goes to several ops: it is needed where one needs it."""
    return known if isinstance(known, Field) and known.is_required else other


def slot_of(source: Source, port: In, *, in_list: bool) -> Field | str | None:
    """Return what run config may say of an input: a value of its type, or config for the IO manager that loads it."""
    if port.input_manager_key:
        return port.input_manager_key
    if isinstance(source, FromConfig):
        kind = type_of(port)
        loader = (kind.get_inner_type_for_fan_in() if in_list else kind).loader
        required = not (port.has_default_value or source.asset)
        return None if loader is None else Field(loader.schema_type, is_required=required)
    return source.port.io_manager_key if isinstance(source, FromOutput) else None


def graph_tree(
    graph: GraphDefinition, whole: GraphDefinition, calls: Iterable[Call], slots: Slots, at: tuple[str, ...]
) -> NestedOps:
    """Return what run config may say of a graph's nodes, as far as they run.

    Args:
        whole: the graph, of which ``graph`` may be a part: what is said of the rest is passed over.
    """
    paths = {call.path[: len(at) + 1] for call in calls if call.path[: len(at)] == at}
    nodes = {node.name: node.definition for node in graph.nodes if (*at, node.name) in paths}
    ops: dict[str, Any] = {}
    for name, one in nodes.items():
        outer = whole.node_named(name).definition
        if isinstance(one, OpDefinition) or isinstance(outer, OpDefinition):
            ops[name] = one_op(one, slots.get((*at, name), {})) if isinstance(one, OpDefinition) else one
        else:
            ops[name] = graph_tree(one, outer, calls, slots, (*at, name))
    others = frozenset(node.name for node in whole.nodes) - ops.keys()
    return NestedOps(ops, slots.get(at, {}), graph.config_mapping, others)


def one_op(op: OpDefinition, inputs: Inputs) -> OneOp:
    """Return what run config may say of an op."""
    return OneOp(op.config_type, inputs, {name: port.io_manager_key for name, port in op.outs.items()})
