"""How the nodes of a graph are wired: to each other, to the graph's inputs, to the graph's outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.policies import RetryPolicy
from ipy_orch.model.tables import typed
from ipy_orch.model.types.annotations import DagsterType

__all__ = [
    "DependencyDefinition",
    "DynamicCollectDependencyDefinition",
    "GraphIn",
    "GraphOut",
    "InputMapping",
    "MappedInputPlaceholder",
    "MultiDependencyDefinition",
    "NodeInvocation",
    "OutputMapping",
]

RESULT = "result"


@dataclass(frozen=True, init=False)
class NodeInvocation:
    """Be the key of a node in ``dependencies``, where its name isn't enough.

    Args:
        name: that of the op or graph.
        alias: the node's, when it isn't named like its definition.
        tags: beside those of the definition.
    """

    name: str
    alias: str | None
    tags: Mapping[str, str]
    hook_defs: frozenset[Any]
    retry_policy: RetryPolicy | None

    def __init__(
        self,
        name: str,
        alias: str | None = None,
        tags: Mapping[str, str] | None = None,
        hook_defs: Iterable[Any] | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        given = typed(name, str, "name"), typed(alias, (str, type(None)), "alias")
        values = (*given, dict(tags or {}), frozenset(hook_defs or ()), retry_policy)
        for field, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, field, value)

    def __hash__(self) -> int:
        return hash((self.name, self.alias))

    @property
    def node_name(self) -> str:
        """Return the name of the node in its graph."""
        return self.alias or self.name


# -- where the inputs of nodes come from ------------------------------------------------------------------------------


@dataclass(frozen=True)
class DependencyDefinition:
    """Take an input from an output of another node.

    Args:
        node: its name in the graph.
        output: one of its outputs.
        description: why.
    """

    node: str
    output: str = RESULT
    description: str | None = None

    def __post_init__(self) -> None:
        typed(self.node, str, "node")
        typed(self.output, str, "output")

    def __str__(self) -> str:
        return self.node if self.output == RESULT else f"{self.node}.{self.output}"

    def get_node_dependencies(self) -> Sequence[DependencyDefinition]:
        """Return the outputs that are waited for."""
        return [self]

    def is_fan_in(self) -> bool:
        """Tell whether the input is a list of several outputs."""
        return False


class MappedInputPlaceholder:
    """Hold the place of an input of the graph in a :class:`MultiDependencyDefinition`; the class itself is the mark."""


@dataclass(frozen=True)
class MultiDependencyDefinition:
    """Take an input from several outputs, as a list.

    Args:
        dependencies: outputs, and the class MappedInputPlaceholder where an InputMapping names the place.

    Raises:
        DagsterInvalidDefinitionError: when an output is there twice.
        CheckError: for anything else.
    """

    dependencies: Sequence[DependencyDefinition | type[MappedInputPlaceholder]]

    def __post_init__(self) -> None:
        seen = set()
        for one in self.dependencies:
            if one is MappedInputPlaceholder:
                continue
            if not isinstance(one, DependencyDefinition):
                raise CheckError(f"a MultiDependencyDefinition is made of DependencyDefinitions, not {one!r}")
            if (one.node, one.output) in seen:
                raise DagsterInvalidDefinitionError(f"the output `{one.output}` of `{one.node}` is in one list twice")
            seen.add((one.node, one.output))

    def get_node_dependencies(self) -> Sequence[DependencyDefinition]:
        """Return the outputs that are waited for."""
        return [one for one in self.dependencies if isinstance(one, DependencyDefinition)]

    def get_dependencies_and_mappings(self) -> Sequence[DependencyDefinition | type[MappedInputPlaceholder]]:
        """Return the outputs and the places of the graph's inputs, in order."""
        return self.dependencies

    def is_fan_in(self) -> bool:
        """Tell whether the input is a list of several outputs."""
        return True


@dataclass(frozen=True)
class DynamicCollectDependencyDefinition:
    """Take an input from all values of a dynamic output, or from all copies of a node behind one, as a list."""

    node_name: str
    output_name: str = RESULT

    def get_node_dependencies(self) -> Sequence[DependencyDefinition]:
        """Return the outputs that are waited for."""
        return [DependencyDefinition(self.node_name, self.output_name)]

    def is_fan_in(self) -> bool:
        """Tell whether the input is a list of several outputs."""
        return True


Dependency: TypeAlias = DependencyDefinition | MultiDependencyDefinition | DynamicCollectDependencyDefinition


# -- a graph's own ports ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GraphIn:
    """Describe an input of a graph."""

    description: str | None = None


@dataclass(frozen=True)
class GraphOut:
    """Describe an output of a graph."""

    description: str | None = None


@dataclass(frozen=True)
class InputMapping:
    """Hand an input of a graph to an input of one of its nodes.

    Args:
        fan_in_index: the place in the node's list, when the input is one of several.
        dagster_type: by default that of the node's input.
    """

    graph_input_name: str
    mapped_node_name: str
    mapped_node_input_name: str
    fan_in_index: int | None = None
    graph_input_description: str | None = None
    dagster_type: DagsterType | None = None


@dataclass(frozen=True)
class OutputMapping:
    """Make an output of one of its nodes an output of a graph.

    Args:
        dagster_type: by default that of the node's output.
        from_dynamic_mapping: whether the node runs once for each value of a dynamic output.
    """

    graph_output_name: str
    mapped_node_name: str
    mapped_node_output_name: str
    graph_output_description: str | None = None
    dagster_type: DagsterType | None = None
    from_dynamic_mapping: bool = False
