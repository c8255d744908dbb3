"""Jobs: what is run as one, with what its runs are given: config, tags, resources, retries, hooks.

A job is of a graph of ops (``@job``, ``graph.to_job()``), or of assets (:mod:`ipy_orch.model.asset_jobs`). It says what
runs; how it runs is the engine's, and the same for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.model.asset_jobs import AssetLayer
from ipy_orch.model.automation.requests import RunRequest, config_by_partition, partitioned_request
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.graphs.graph import GraphDefinition, Node, nested_nodes
from ipy_orch.model.graphs.mappings import NodeInvocation
from ipy_orch.model.graphs.parts import part_of
from ipy_orch.model.keys import AssetCheckKey, FrozenList, valid_name
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.port import Port

if TYPE_CHECKING:
    from ipy_orch.model.metadata.value import MetadataValue
    from ipy_orch.model.ops import OpDefinition
    from ipy_orch.model.policies import RetryPolicy

__all__ = ["JobDefinition"]

graph_of_assets: Port[[AssetLayer, str], GraphDefinition] = Port("ipy_orch.planning.jobs")
refuse_unselectable: Port[[GraphDefinition, Sequence[str]], frozenset[str]] = Port("ipy_orch.planning.jobs")
refuse_missing_resources: Port[[JobDefinition], None] = Port("ipy_orch.planning.jobs")
execute: Port[..., Any] = Port("ipy_orch.execution.jobs")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class JobDefinition:
    """Be a job that knows what it runs.

    Args:
        graph_def: its ops; None for a job of assets.
        asset_layer: its assets; None for a job of ops.
        resource_defs: all that its steps need.
        config: what its runs get where they aren't given any: a dict or RunConfig; or a ConfigMapping.
        input_values: values of the graph's inputs.
        selected: the ops of the graph that run, ``outer.inner`` for nested ones; None for all.
    """

    graph_def: GraphDefinition | None = None
    asset_layer: AssetLayer | None = None
    name: str = ""
    resource_defs: Mapping[str, Any] = field(default_factory=dict)
    config: Any = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    run_tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    partitions_def: Any = None
    executor_def: Any = None
    loggers: Mapping[str, Any] = field(default_factory=dict)
    hook_defs: frozenset[Any] = frozenset()
    op_retry_policy: RetryPolicy | None = None
    owners: Sequence[str] = FrozenList()
    automation_condition: Any = None
    input_values: Mapping[str, Any] = field(default_factory=dict)
    selected: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not self.name and self.graph_def is not None:
            object.__setattr__(self, "name", self.graph_def.name)
        valid_name(self.name, "name of a job")

    # -- what it runs -------------------------------------------------------------------------------------------------

    @property
    def is_asset_job(self) -> bool:
        """Tell whether it runs assets."""
        return self.asset_layer is not None

    @property
    def layer(self) -> AssetLayer:
        """Return which assets it runs.

        Raises:
            DagsterInvariantViolationError: for a job of ops.
        """
        if self.asset_layer is None:
            raise DagsterInvariantViolationError(f"job `{self.name}` runs ops, no assets")
        return self.asset_layer

    @cached_property  # of a job of assets it takes a plan
    def graph(self) -> GraphDefinition:
        """Return its graph, or the part of it that is selected; of a job of assets, that of the ops that make them."""
        if self.graph_def is None:
            return graph_of_assets(self.layer, self.name)
        return self.graph_def if self.selected is None else part_of(self.graph_def, self.selected)

    @property
    def whole_graph(self) -> GraphDefinition:
        """Return its graph, also what of it isn't selected."""
        return self.graph_def if self.graph_def is not None else self.graph

    @property
    def dependencies(self) -> Mapping[NodeInvocation, Mapping[str, Any]]:
        """Return node -> input -> where it comes from."""
        graph = self.graph
        return {invocation_of(node): graph.dependencies.get(node.name, {}) for node in graph.nodes}

    @property
    def top_level_node_defs(self) -> Sequence[OpDefinition | GraphDefinition]:
        """Return the ops and graphs of its own nodes."""
        return self.graph.node_defs

    @property
    def nodes(self) -> Sequence[Node]:
        """Return the nodes of its graph."""
        return self.graph.nodes

    @property
    def all_node_defs(self) -> Sequence[OpDefinition | GraphDefinition]:
        """Return the ops and graphs in it, at any depth, each once."""
        return list(dict.fromkeys(node.definition for _, node in nested_nodes(self.graph)))

    def has_node_named(self, name: str) -> bool:
        """Tell whether one of its nodes has this name."""
        return self.graph.has_node_named(name)

    def node_named(self, name: str) -> OpDefinition | GraphDefinition:
        """Return the op or graph of a node by name.

        Raises:
            DagsterInvariantViolationError: when it has none of this name, with the closest.
        """
        if not self.has_node_named(name):
            hint = closest(name, [node.name for node in self.nodes])
            raise DagsterInvariantViolationError(f"job `{self.name}` has no op `{name}`", hint=hint)
        return self.graph.node_named(name).definition

    def get_node_named(self, name: str) -> Node:
        """Return a node by name.

        Raises:
            DagsterInvariantViolationError: when it has none of this name.
        """
        self.node_named(name)
        return self.graph.node_named(name)

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that its steps need."""
        hooks = (key for hook in self.hook_defs for key in hook.required_resource_keys)
        return frozenset((*self.graph.required_resource_keys, *hooks))

    def describe_target(self) -> str:
        """Return what it is, in words."""
        return f"job '{self.name}'"

    # -- its config ---------------------------------------------------------------------------------------------------

    @property
    def config_mapping(self) -> Any:
        """Return its ConfigMapping, or None."""
        plain = self.config is None or isinstance(self.config, Mapping | RunConfig | PartitionedConfig)
        return None if plain else self.config

    @property
    def partitioned_config(self) -> PartitionedConfig | None:
        """Return its config by partition; None where it has no partitions."""
        if self.partitions_def is None or self.config_mapping is not None:
            return None
        return PartitionedConfig.from_flexible_config(self.config, self.partitions_def)

    def run_request_for_partition(self, partition_key: str, run_key: str | None = None, **options: Any) -> RunRequest:
        """Return the request for a run of one partition, with its config and tags.

        Args:
            options: ``tags``, ``asset_selection``, ``run_config`` instead of that of the partition, ``current_time`` as
                of which partitions are looked at, and ``dynamic_partitions_store``: an instance.

        Raises:
            DagsterUnknownPartitionError: when there's none of this key.
            CheckError: when the job has no partitions.
        """
        told = config_by_partition(self, options.get("asset_selection") or ())
        return partitioned_request(told, self.name, partition_key, run_key, **options)

    @property
    def run_config(self) -> Mapping[str, Any] | None:
        """Return the config that its runs get where they aren't given any, as plain data."""
        if isinstance(self.config, RunConfig):
            return self.config.to_config_dict()
        return self.config if isinstance(self.config, Mapping) else None

    # -- copies -------------------------------------------------------------------------------------------------------

    def with_hooks(self, hook_defs: Iterable[Any]) -> JobDefinition:
        """Return a copy with these hooks besides its own."""
        return replace(self, hook_defs=self.hook_defs | frozenset(hook_defs))

    def with_top_level_resources(self, resource_defs: Mapping[str, Any]) -> JobDefinition:
        """Return a copy that takes from these what it doesn't bring itself."""
        return replace(self, resource_defs={**resource_defs, **self.resource_defs})

    def with_executor_def(self, executor_def: Any) -> JobDefinition:
        """Return a copy that runs its steps elsewhere."""
        return replace(self, executor_def=executor_def)

    def with_logger_defs(self, logger_defs: Mapping[str, Any]) -> JobDefinition:
        """Return a copy with other loggers."""
        return replace(self, loggers=dict(logger_defs))

    def with_metadata(self, metadata: Mapping[str, Any]) -> JobDefinition:
        """Return a copy with this metadata instead of its own."""
        return replace(self, metadata=dict(metadata))

    @property
    def op_selection(self) -> frozenset[str] | None:
        """Return the nodes that run, None for all."""
        return self.selected

    @property
    def is_subset(self) -> bool:
        """Tell whether only some of its nodes run."""
        return self.selected is not None

    def get_subset(
        self,
        *,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[Any] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> JobDefinition:
        """Return the job with some of its ops, or of its assets and checks.

        Args:
            op_selection: names of nodes with ``*`` and ``+`` for what is up- and downstream, ``outer.inner`` for
                nodes of a nested graph.

        Raises:
            DagsterInvalidSubsetError: when it doesn't run one of them, or they can't run alone.
        """
        if op_selection is not None:
            return replace(self, selected=refuse_unselectable(self.graph, list(op_selection)))
        if asset_selection is None and asset_check_selection is None:
            return self
        return replace(self, asset_layer=self.layer.subset(asset_selection, asset_check_selection))

    # -- running ------------------------------------------------------------------------------------------------------

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: Any = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        asset_selection: Iterable[Any] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run it here and now, step after step, and return the ExecuteInProcessResult.

        Values stay in memory unless an ``io_manager`` is given.

        Args:
            run_config: each op's takes the place of that in the job's own config.
            op_selection: some of its ops, see :meth:`get_subset`.
            asset_selection: some of its assets, with their checks; all by default.
            input_values: values of the graph's inputs.
            tags: beside the job's own.
            resources: beside the job's own, or instead.

        Raises:
            DagsterInvalidConfigError: when the config doesn't fit; nothing has run then.
            DagsterInvalidSubsetError: when it doesn't run what is selected, or can't run it alone.
            Exception: what the user's code raised, unless ``raise_on_error`` is false.
        """
        job = self.get_subset(op_selection=op_selection, asset_selection=asset_selection)
        return execute(
            job if not input_values else replace(job, input_values={**job.input_values, **input_values}),
            run_config=run_config,
            instance=instance,
            partition_key=partition_key,
            raise_on_error=raise_on_error,
            run_id=run_id or "",
            tags=tags or {},
            resources=resources or {},
        )

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse to be called: a job isn't a part of a graph."""
        raise DagsterInvariantViolationError(
            f"`{self.name}` is a job, and a job can't be called", hint=f"`{self.name}.execute_in_process()`"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def invocation_of(node: Node) -> NodeInvocation:
    """Return a node as the key of ``dependencies`` that stands for it."""
    name = node.definition.name
    return NodeInvocation(name, None if node.name == name else node.name)
