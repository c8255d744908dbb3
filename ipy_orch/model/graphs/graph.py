"""Graphs: ops and other graphs, wired; a graph is itself an op to whoever holds it.

A graph says what depends on what, and nothing of how it runs: planning flattens it into the steps of its ops.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.config.configured import configured_node
from ipy_orch.model.graphs.checks import (
    check_dynamics,
    check_inputs,
    check_outputs,
    checked_dependencies,
    in_order,
    known_node,
)
from ipy_orch.model.graphs.invocations import Invocable
from ipy_orch.model.graphs.mappings import Dependency, InputMapping, NodeInvocation, OutputMapping
from ipy_orch.model.graphs.ports import outer_in, outer_out
from ipy_orch.model.keys import AssetKey, valid_name
from ipy_orch.model.ops import In, NamedPort, OpDefinition, Out, Signature, set_all, type_of
from ipy_orch.model.port import Port
from ipy_orch.model.tags import json_tags

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition
    from ipy_orch.model.policies import RetryPolicy
    from ipy_orch.model.types.annotations import DagsterType

__all__ = ["GraphDefinition", "Node", "NodeDefinition", "nested_nodes"]

to_job: Port[..., JobDefinition] = Port("ipy_orch.planning.jobs")
execute: Port[..., Any] = Port("ipy_orch.execution.jobs")

NodeDefinition: TypeAlias = "OpDefinition | GraphDefinition"


@dataclass(frozen=True, eq=False)
class Node:
    """Be an op or graph in its place in a graph.

    Args:
        name: unique in the graph.
        tags: those of the definition and those said in the graph.
        retry_policy: what was said in the graph; the definition may have one of its own.
    """

    name: str
    definition: NodeDefinition
    tags: Mapping[str, str] = field(default_factory=dict)
    hook_defs: frozenset[Any] = frozenset()
    retry_policy: RetryPolicy | None = None

    @property
    def is_graph(self) -> bool:
        """Tell whether it's a graph."""
        return isinstance(self.definition, GraphDefinition)

    def describe_node(self) -> str:
        """Return kind and name."""
        return f"{self.definition.node_type_str} `{self.name}`"


@dataclass(frozen=True, eq=False, init=False, repr=False)
class GraphDefinition(Invocable):
    """Be ops and graphs wired to each other; ``@graph`` makes one of a function.

    Args:
        name: letters, digits and underscores.
        node_defs: the ops and graphs in it.
        dependencies: node -> input -> where it comes from; the key of a node with an alias is a NodeInvocation.
        input_mappings: the graph's inputs, and the nodes' inputs that they are.
        output_mappings: the graph's outputs, and the nodes' outputs that they are.
        config: a ConfigMapping from the graph's own config to that of its nodes.
        tags: of every run of it.
        input_assets: node -> input -> the asset that is loaded there.
        composition_fn: the function it was made of.
        positional_inputs: its inputs in the order in which they're given by position.

    Raises:
        DagsterInvalidDefinitionError: when nodes, inputs and outputs don't fit.

    Example:
        >>> from ipy_orch.authoring.ops import op
        >>> from ipy_orch.model.graphs.mappings import DependencyDefinition
        >>> @op
        ... def one():
        ...     return 1
        >>> @op
        ... def double(number):
        ...     return 2 * number
        >>> two = GraphDefinition(
        ...     "two", node_defs=[double, one], dependencies={"double": {"number": DependencyDefinition("one")}}
        ... )
        >>> [node.name for node in two.nodes]
        ['one', 'double']
    """

    name: str
    description: str | None
    nodes: tuple[Node, ...]
    dependencies: Mapping[str, Mapping[str, Dependency]]
    input_mappings: tuple[InputMapping, ...]
    output_mappings: tuple[OutputMapping, ...]
    config_mapping: Any
    tags: Mapping[str, str]
    input_assets: Mapping[str, Mapping[str, Any]]
    composition_fn: Callable[..., Any] | None
    positional_inputs: tuple[str, ...]

    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        node_defs: Sequence[NodeDefinition] | None = None,
        dependencies: Mapping[Any, Mapping[str, Dependency]] | None = None,
        input_mappings: Sequence[InputMapping] | None = None,
        output_mappings: Sequence[OutputMapping] | None = None,
        config: Any = None,
        tags: Mapping[str, Any] | None = None,
        node_input_source_assets: Mapping[str, Mapping[str, Any]] | None = None,
        input_assets: Mapping[str, Mapping[str, Any]] | None = None,
        composition_fn: Callable[..., Any] | None = None,
        positional_inputs: Sequence[str] | None = None,
    ) -> None:
        where = f"graph `{valid_name(name, 'name of a graph')}`"
        invocations = invocations_of(dependencies or {}, where)
        nodes = nodes_of(node_defs or (), invocations, where)
        wired = checked_dependencies(nodes, invocations, where)
        ordered = tuple(nodes[one] for one in in_order(nodes, wired, where))
        check_inputs(nodes, wired, input_mappings or (), where)
        check_outputs(nodes, output_mappings or (), where)
        check_dynamics(ordered, wired, where)
        ports = (tuple(input_mappings or ()), tuple(output_mappings or ()))
        names = tuple(dict.fromkeys(one.graph_input_name for one in ports[0]))
        assets = {node: dict(one) for node, one in (input_assets or node_input_source_assets or {}).items()}
        rest = (config, json_tags(tags, where), assets, composition_fn)
        positional = names if positional_inputs is None else tuple(positional_inputs)
        set_all(self, (name, description, ordered, wired, *ports, *rest, positional))

    # -- its nodes ----------------------------------------------------------------------------------------------------

    @cached_property
    def node_dict(self) -> Mapping[str, Node]:
        """Return name -> node, each after what it depends on."""
        return {node.name: node for node in self.nodes}

    @property
    def nodes_in_topological_order(self) -> Sequence[Node]:
        """Return the nodes, each after what it depends on, under Dagster's other name."""
        return self.nodes

    @property
    def node_defs(self) -> Sequence[NodeDefinition]:
        """Return the ops and graphs in it, each once."""
        return list(dict.fromkeys(node.definition for node in self.nodes))

    def has_node_named(self, name: str) -> bool:
        """Tell whether one of its nodes has this name."""
        return name in self.node_dict

    def node_named(self, name: str) -> Node:
        """Return a node by name.

        Raises:
            DagsterInvariantViolationError: when it has none of this name, with the closest.
        """
        if name not in self.node_dict:
            raise DagsterInvariantViolationError(
                f"graph `{self.name}` has no node `{name}`", hint=closest(name, self.node_dict)
            )
        return self.node_dict[name]

    def iterate_node_defs(self) -> Iterator[NodeDefinition]:
        """Return the graph and all ops and graphs in it, at any depth."""
        yield self
        for one in self.node_defs:
            if isinstance(one, GraphDefinition):
                yield from one.iterate_node_defs()
            else:
                yield one

    def iterate_op_defs(self) -> Iterator[OpDefinition]:
        """Return the ops in it, at any depth."""
        return (one for one in self.iterate_node_defs() if isinstance(one, OpDefinition))

    def all_dagster_types(self) -> Iterable[DagsterType]:
        """Return the types of its own inputs and outputs and of all in it, each once."""
        ports = [port for one in self.iterate_node_defs() for port in (*one.input_defs, *one.output_defs)]
        return {
            kind.key: kind for port in ports for kind in (port.dagster_type, *port.dagster_type.inner_types)
        }.values()

    @property
    def source_assets(self) -> Mapping[str, Mapping[str, AssetKey]]:
        """Return node -> input -> the asset that is loaded there."""
        return {node: {name: one.key for name, one in inputs.items()} for node, inputs in self.input_assets.items()}

    # -- what it is to others: the same as an op ----------------------------------------------------------------------

    @property
    def node_type_str(self) -> str:
        """Return Dagster's word for the kind of node."""
        return "graph"

    @cached_property
    def ins(self) -> Mapping[str, In]:
        """Return input -> port, with what the nodes' ports say."""
        found: dict[str, list[InputMapping]] = {}
        for mapping in self.input_mappings:
            found.setdefault(mapping.graph_input_name, []).append(mapping)
        return {name: outer_in(self.node_dict, mappings) for name, mappings in found.items()}

    @cached_property
    def outs(self) -> Mapping[str, Out]:
        """Return output -> port, with what the nodes' ports say."""
        return {mapping.graph_output_name: outer_out(self.node_dict, mapping) for mapping in self.output_mappings}

    @property
    def input_defs(self) -> Sequence[NamedPort]:
        """Return the inputs with their names and types."""
        return [NamedPort(name, port, type_of(port)) for name, port in self.ins.items()]

    @property
    def output_defs(self) -> Sequence[NamedPort]:
        """Return the outputs with their names and types."""
        return [NamedPort(name, port, type_of(port)) for name, port in self.outs.items()]

    @cached_property
    def signature(self) -> Signature:
        """Return how its body is called: its inputs are the arguments, and it has no others."""
        return Signature(self.compute_fn, inputs=self.positional_inputs)

    @property
    def compute_fn(self) -> Callable[..., Any]:
        """Return the function it was made of; one that does nothing where there is none."""
        return self.composition_fn or no_body

    @property
    def ins_with_values(self) -> tuple[str, ...]:
        """Return the names of the inputs that carry a value."""
        return tuple(name for name, port in self.ins.items() if not port.is_nothing)

    def output(self, name: str) -> Out:
        """Return an output by name.

        Raises:
            DagsterInvalidDefinitionError: when there's none of this name.
        """
        if name not in self.outs:
            hint = closest(name, self.outs) or f"it has {sorted(self.outs)}"
            raise DagsterInvalidDefinitionError(f"`{self.name}` has no output `{name}`", hint=hint)
        return self.outs[name]

    @cached_property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that its ops and their hooks need."""
        ops = (key for node in self.nodes for key in node.definition.required_resource_keys)
        hooks = (key for node in self.nodes for hook in node.hook_defs for key in hook.required_resource_keys)
        return frozenset((*ops, *hooks))

    @property
    def config_type(self) -> Any:
        """Return what its own config is checked against; None where the config is that of its nodes."""
        return getattr(self.config_mapping, "config_schema", None)

    @property
    def retry_policy(self) -> None:
        """Return None: its ops have retries, a graph hasn't."""
        return

    @property
    def code_version(self) -> None:
        """Return None: its ops have versions, a graph hasn't."""
        return

    @property
    def pool(self) -> None:
        """Return None: its ops have pools, a graph hasn't."""
        return

    # -- another one, from it; running it -----------------------------------------------------------------------------

    def with_replaced(self, **changes: Any) -> GraphDefinition:
        """Return a copy with some fields replaced, which are not checked again."""
        made = object.__new__(GraphDefinition)
        set_all(made, [changes.get(name, getattr(self, name)) for name in self.__dataclass_fields__])
        return made

    def copy(
        self, name: str | None = None, description: str | None = None, tags: Mapping[str, Any] | None = None
    ) -> GraphDefinition:
        """Return a copy with another name, description or tags."""
        changes = {"name": name, "description": description, "tags": tags}
        return self.with_replaced(**{key: one for key, one in changes.items() if one})

    def configured(
        self,
        config_or_config_fn: Any,
        name: str | None = None,
        config_schema: Any = None,
        description: str | None = None,
    ) -> GraphDefinition:
        """Return a copy that has its config already, or makes it from another one.

        Raises:
            DagsterInvalidDefinitionError: when the graph has no config mapping.
        """
        return configured_node(self, config_or_config_fn, name, config_schema, description)

    def to_job(
        self,
        name: str | None = None,
        description: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        config: Any = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        logger_defs: Mapping[str, Any] | None = None,
        executor_def: Any = None,
        hooks: Iterable[Any] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        op_selection: Sequence[str] | None = None,
        partitions_def: Any = None,
        asset_layer: Any = None,
        input_values: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        owners: Sequence[str] | None = None,
        automation_condition: Any = None,
    ) -> JobDefinition:
        """Return a job of it: it, with what it needs to run.

        Args:
            name: by default the graph's.
            resource_defs: the resources of its ops; ``io_manager`` stores their values.
            config: what its runs get where they aren't given any, or a ConfigMapping.
            tags: the job's.
            run_tags: its runs'; by default the job's.
            op_retry_policy: of the ops that have none of their own.
            op_selection: some of its ops.
            input_values: values of its inputs.

        Raises:
            DagsterInvalidDefinitionError: when a resource is missing, an input can come from nowhere, or two different
                ops or graphs in it share a name.
        """
        known_definitions([*self.iterate_node_defs()][1:], f"graph `{self.name}`")
        return to_job(
            self,
            name=name,
            description=description,
            resource_defs=resource_defs,
            config=config,
            tags=tags,
            metadata=metadata,
            logger_defs=logger_defs,
            executor_def=executor_def,
            hooks=hooks,
            op_retry_policy=op_retry_policy,
            op_selection=op_selection,
            partitions_def=partitions_def,
            asset_layer=asset_layer,
            input_values=input_values,
            run_tags=run_tags,
            owners=owners,
            automation_condition=automation_condition,
        )

    def execute_in_process(
        self,
        run_config: Any = None,
        instance: Any = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run it here and now, step after step, and return the ExecuteInProcessResult.

        Args:
            run_config: its ops' under ``ops``.
            resources: by key, as values or definitions.
            op_selection: some of its ops.
            input_values: values of its inputs.
        """
        return execute(
            self,
            run_config=run_config,
            instance=instance,
            resources=resources,
            raise_on_error=raise_on_error,
            op_selection=op_selection,
            run_id=run_id,
            input_values=input_values,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def no_body(**_: Any) -> None:
    """Be the body of a graph that was made of dependencies, and of no function."""


def invocations_of(dependencies: Any, where: str) -> dict[NodeInvocation, dict[str, Dependency]]:
    """Return ``dependencies`` with NodeInvocations as keys.

    Raises:
        DagsterInvalidDefinitionError: when it isn't a dict of dicts.
    """
    if not isinstance(dependencies, Mapping) or not all(isinstance(one, Mapping) for one in dependencies.values()):
        raise DagsterInvalidDefinitionError(
            f"`dependencies` is a dict of dicts: node -> input -> where it comes from, not {dependencies!r}",
            where=where,
        )
    return {
        key if isinstance(key, NodeInvocation) else NodeInvocation(key): dict(one) for key, one in dependencies.items()
    }


def nodes_of(
    definitions: Sequence[NodeDefinition], invocations: Collection[NodeInvocation], where: str
) -> dict[str, Node]:
    """Return name -> node: one for each invocation of a definition, one for a definition without any.

    Raises:
        DagsterInvalidDefinitionError: for what is neither op nor graph, and for two of one name.
    """
    known = known_definitions(definitions, where)
    called = {one.name: None for one in invocations}
    nodes: dict[str, Node] = {}
    for one in (*invocations, *(NodeInvocation(name) for name in known if name not in called)):
        if one.node_name in nodes:
            raise DagsterInvalidDefinitionError(f"two nodes are named `{one.node_name}`", where=where)
        definition = known_node(known, one.name, "dependencies", where)
        tags = {**definition.tags, **one.tags}
        nodes[one.node_name] = Node(one.node_name, definition, tags, one.hook_defs, one.retry_policy)
    return nodes


def known_definitions(definitions: Sequence[NodeDefinition], where: str) -> dict[str, NodeDefinition]:
    """Return name -> op or graph.

    Raises:
        DagsterInvalidDefinitionError: for what is neither, and for two of one name.
    """
    found: dict[str, NodeDefinition] = {}
    for one in definitions:
        if not isinstance(one, OpDefinition | GraphDefinition):
            hint = "decorate it with `@op`" if callable(one) else ""
            raise DagsterInvalidDefinitionError(f"{one!r} is neither op nor graph", where=where, hint=hint)
        if found.setdefault(one.name, one) is not one:
            raise DagsterInvalidDefinitionError(f"two different definitions are named `{one.name}`", where=where)
    return found


def nested_nodes(graph: GraphDefinition, path: str = "") -> Iterator[tuple[str, Node]]:
    """Return the nodes at any depth with their paths (``outer.inner``), a graph before what is in it."""
    for node in graph.nodes:
        here = f"{path}.{node.name}" if path else node.name
        yield here, node
        if isinstance(node.definition, GraphDefinition):
            yield from nested_nodes(node.definition, here)
