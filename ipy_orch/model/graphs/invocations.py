"""Calling an op or graph in the body of a graph: with a name, tags, hooks or retries of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import (
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    closest,
)
from ipy_orch.model.config.configured import field_of
from ipy_orch.model.config.schema import Field
from ipy_orch.model.keys import valid_name
from ipy_orch.model.port import Port
from ipy_orch.model.tags import json_tags

if TYPE_CHECKING:
    from ipy_orch.model.policies import RetryPolicy

__all__ = ["Invocable", "PendingNodeInvocation"]

call: Port[..., Any] = Port("ipy_orch.authoring.composition")
note: Port[[Any], None] = Port("ipy_orch.authoring.composition")


class Invocable:
    """Be an op or a graph: something that is a node of a graph when it is called in the graph's body."""

    name: str
    config_type: Any

    @property
    def config_schema(self) -> Field | None:
        """Return the schema of its config; None for one that has none."""
        return None if self.config_type is None else field_of(self.config_type)

    @property
    def config_field(self) -> Field | None:
        """Return the schema of its config, under Dagster's other name."""
        return self.config_schema

    @property
    def node_type_str(self) -> str:
        """Return Dagster's word for the kind of node."""
        raise NotImplementedError

    @property
    def input_defs(self) -> Sequence[Any]:
        """Return the inputs with their names and types."""
        raise NotImplementedError

    @property
    def output_defs(self) -> Sequence[Any]:
        """Return the outputs with their names and types."""
        raise NotImplementedError

    @property
    def input_dict(self) -> Mapping[str, Any]:
        """Return the inputs by name."""
        return {port.name: port for port in self.input_defs}

    @property
    def output_dict(self) -> Mapping[str, Any]:
        """Return the outputs by name."""
        return {port.name: port for port in self.output_defs}

    def has_input(self, name: str) -> bool:
        """Tell whether it has an input of this name."""
        return name in self.input_dict

    def has_output(self, name: str) -> bool:
        """Tell whether it has an output of this name."""
        return name in self.output_dict

    def input_def_named(self, name: str) -> Any:
        """Return an input with its name and type.

        Raises:
            DagsterInvariantViolationError: when there's none, with the closest name.
        """
        return named(self.input_dict, name, f"{self.describe_node()} has no input")

    def output_def_named(self, name: str) -> Any:
        """Return an output with its name and type.

        Raises:
            DagsterInvariantViolationError: when there's none, with the closest name.
        """
        return named(self.output_dict, name, f"{self.describe_node()} has no output")

    def describe_node(self) -> str:
        """Return kind and name."""
        return f"{self.node_type_str} `{self.name}`"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make a node of it, in the body of a graph; else call an op as a function, see ``build_op_context``."""
        return call(self, args, kwargs)

    def alias(self, name: str) -> PendingNodeInvocation:
        """Return it with another name, to be called in the body of a graph."""
        return PendingNodeInvocation(self).alias(name)

    def tag(self, tags: Mapping[str, Any] | None) -> PendingNodeInvocation:
        """Return it with tags, to be called in the body of a graph."""
        return PendingNodeInvocation(self).tag(tags)

    def with_hooks(self, hook_defs: Iterable[Any]) -> PendingNodeInvocation:
        """Return it with hooks, to be called in the body of a graph."""
        return PendingNodeInvocation(self).with_hooks(hook_defs)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> PendingNodeInvocation:
        """Return it with retries, to be called in the body of a graph."""
        return PendingNodeInvocation(self).with_retry_policy(retry_policy)


@dataclass(frozen=True, eq=False)
class PendingNodeInvocation:
    """Be an op or graph that is about to become a node: its methods say more about the node, calling it makes it.

    Args:
        node_def: the op or graph.
        given_alias: the node's name; by default the definition's, numbered when it's taken.
    """

    node_def: Any
    given_alias: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    hook_defs: frozenset[Any] = frozenset()
    retry_policy: RetryPolicy | None = None

    @property
    def name(self) -> str:
        """Return the name that the node asks for."""
        return self.given_alias or str(self.node_def.name)

    def describe_node(self) -> str:
        """Return kind and name."""
        return f"{self.node_def.node_type_str} `{self.name}`"

    def alias(self, name: str) -> PendingNodeInvocation:
        """Return it with another name.

        Raises:
            DagsterInvalidDefinitionError: for one that isn't well formed.
        """
        return self.noted(given_alias=valid_name(name, "name of a node"))

    def tag(self, tags: Mapping[str, Any] | None) -> PendingNodeInvocation:
        """Return it with these tags beside its own."""
        return self.noted(tags={**self.tags, **json_tags(tags, self.describe_node())})

    def with_hooks(self, hook_defs: Iterable[Any]) -> PendingNodeInvocation:
        """Return it with these hooks beside its own."""
        return self.noted(hook_defs=self.hook_defs | frozenset(hook_defs))

    def with_retry_policy(self, retry_policy: RetryPolicy) -> PendingNodeInvocation:
        """Return it with other retries than its definition's."""
        return self.noted(retry_policy=retry_policy)

    def noted(self, **changes: Any) -> PendingNodeInvocation:
        """Return a copy with some fields replaced; a graph's body hears of it, to tell when it is never called."""
        made = replace(self, **changes)
        note(made)
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the node; outside of a graph's body call the op as a function."""
        return call(self, args, kwargs)

    def to_job(self, name: str | None = None, **options: Any) -> Any:
        """Return the job of a graph, with what was said here.

        Args:
            **options: those of :meth:`GraphDefinition.to_job`.

        Raises:
            DagsterInvalidInvocationError: for an op.
        """
        graph = self.graph_only("to_job")
        tags = {**self.tags, **json_tags(options.pop("tags", None), self.describe_node())}
        hooks = self.hook_defs | frozenset(options.pop("hooks", None) or ())
        return graph.to_job(name=name or self.given_alias, tags=tags, hooks=hooks, **options)

    def execute_in_process(
        self, run_config: Any = None, instance: Any = None, resources: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """Run a graph, with what was said here; see :meth:`GraphDefinition.execute_in_process`.

        Raises:
            DagsterInvalidInvocationError: for an op.
        """
        self.graph_only("execute_in_process")
        values = options.pop("input_values", None)
        job = self.to_job(resource_defs=resources, op_retry_policy=self.retry_policy, input_values=values)
        return job.execute_in_process(run_config=run_config, instance=instance, **options)

    def graph_only(self, method: str) -> Any:
        """Return the graph.

        Raises:
            DagsterInvalidInvocationError: for an op.
        """
        if self.node_def.node_type_str != "graph":
            raise DagsterInvalidInvocationError(
                f"`{method}` is a graph's, and `{self.name}` is an op", hint="call the op in a `@graph`"
            )
        return self.node_def


def named(ports: Mapping[str, Any], name: str, problem: str) -> Any:
    """Return a port by name.

    Raises:
        DagsterInvariantViolationError: when there's none, with the closest name.
    """
    if name not in ports:
        raise DagsterInvariantViolationError(f"{problem} `{name}`", hint=closest(name, ports))
    return ports[name]
