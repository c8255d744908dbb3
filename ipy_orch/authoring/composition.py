"""What happens in the body of a graph: calling an op or a graph makes a node, and returns its outputs to hand on.

The body is run once, when the graph is defined. Nothing is computed in it.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ipy_orch.authoring.handles import Collected, DynamicHandle, GraphInput, Handle
from ipy_orch.authoring.signature import resolved_annotations
from ipy_orch.errors import (
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    closest,
    warn,
)
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.graphs.graph import GraphDefinition, NodeDefinition
from ipy_orch.model.graphs.invocations import PendingNodeInvocation, call, note
from ipy_orch.model.graphs.mappings import (
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    InputMapping,
    MappedInputPlaceholder,
    MultiDependencyDefinition,
    NodeInvocation,
)
from ipy_orch.model.ops import OpDefinition, invoke
from ipy_orch.model.specs import AssetSpec

__all__ = ["Body", "composing", "current", "parameters_of"]


Source: TypeAlias = "Handle | GraphInput | Collected | AssetsDefinition | list[Handle | GraphInput]"


# -- the body ---------------------------------------------------------------------------------------------------------


@dataclass
class Body:
    """Gather the nodes that the body of a graph makes.

    Args:
        where: names the graph in messages.
        nodes: node -> what is invoked, and with which sources.
        used: how often each name was asked for.
        pending: name -> an invocation that was prepared and not called yet.
    """

    where: str
    nodes: dict[str, tuple[PendingNodeInvocation, dict[str, Source]]] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    pending: dict[str, PendingNodeInvocation] = field(default_factory=dict)

    def invoke(self, pending: PendingNodeInvocation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Make a node, and return its outputs."""
        sources = sources_of(pending, args, kwargs, self.where)
        self.pending.pop(pending.name, None)
        name = self.free_name(pending)
        self.nodes[name] = pending, sources
        return handles(pending.node_def, name, self.where)

    def free_name(self, pending: PendingNodeInvocation) -> str:
        """Return the node's name: as said, else as its definition, with a number from the second time on.

        Raises:
            DagsterInvalidDefinitionError: when it's taken.
        """
        name = pending.name
        if pending.given_alias is None:
            self.used[name] = self.used.get(name, 0) + 1
            name = f"{name}_{self.used[name]}" if self.used[name] > 1 else name
        if name in self.nodes:
            raise DagsterInvalidDefinitionError(
                f"two nodes are named `{name}`", where=self.where, hint=f'`{pending.node_def.name}.alias("...")(...)`'
            )
        return name

    def warn_of_uncalled(self) -> None:
        """Warn of what was prepared with ``alias`` and the like, and never called."""
        for pending in self.pending.values():
            warn(f"{self.where}: {pending.describe_node()} is never called, and no node of the graph")

    # -- what came of it

    @property
    def node_defs(self) -> list[NodeDefinition]:
        """Return what was invoked, each once."""
        return list(dict.fromkeys(pending.node_def for pending, _ in self.nodes.values()))

    @property
    def dependencies(self) -> dict[NodeInvocation, dict[str, Dependency]]:
        """Return node -> input -> where it comes from."""
        return {
            NodeInvocation(one.node_def.name, name, one.tags, one.hook_defs, one.retry_policy): {
                key: made for key, source in sources.items() if (made := dependency(source)) is not None
            }
            for name, (one, sources) in self.nodes.items()
        }

    @property
    def input_mappings(self) -> list[InputMapping]:
        """Return the inputs of nodes that are inputs of the graph."""
        found: list[InputMapping] = []
        for node, (_, sources) in self.nodes.items():
            for name, source in sources.items():
                for place, one in enumerate(source) if isinstance(source, list) else [(None, source)]:
                    if isinstance(one, GraphInput):
                        found.append(one.mapping(node, name, place))
        return found

    @property
    def input_assets(self) -> dict[str, dict[str, AssetsDefinition]]:
        """Return node -> input -> the asset that was given."""
        found = {
            node: {name: one for name, one in sources.items() if isinstance(one, AssetsDefinition)}
            for node, (_, sources) in self.nodes.items()
        }
        return {node: inputs for node, inputs in found.items() if inputs}


BODIES: Final[ContextVar[tuple[Body, ...]]] = ContextVar("bodies", default=())


@contextmanager
def composing(where: str) -> Iterator[Body]:
    """Gather the nodes that are made in the block; bodies may define graphs in turn."""
    body = Body(where)
    token = BODIES.set((*BODIES.get(), body))
    try:
        yield body
    finally:
        BODIES.reset(token)
    body.warn_of_uncalled()


def current() -> Body | None:
    """Return the body that is being run, None outside of any."""
    bodies = BODIES.get()
    return bodies[-1] if bodies else None


@note.supply
def note_pending(pending: PendingNodeInvocation) -> None:
    """Remember a prepared invocation, to warn when it is never called."""
    body = current()
    if body is not None:
        body.pending[pending.name] = pending


@call.supply
def call_node(
    target: NodeDefinition | PendingNodeInvocation | AssetsDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Make a node in the body of a graph; outside of one, call the function.

    Raises:
        DagsterInvariantViolationError: for a graph outside of a body.
    """
    body = current()
    definition = target.op_def if isinstance(target, AssetsDefinition) else target
    pending = definition if isinstance(definition, PendingNodeInvocation) else PendingNodeInvocation(definition)
    if body is not None and pending.node_def is not None:
        return body.invoke(pending, args, kwargs)
    if isinstance(pending.node_def, GraphDefinition):
        raise DagsterInvariantViolationError(
            f"`{pending.name}` is a graph: it is called in the body of a `@graph` or `@job`",
            hint=f"`{pending.name}.execute_in_process(input_values=...)` runs it",
        )
    return invoke(target if isinstance(target, AssetsDefinition) else pending.node_def, args, kwargs)


# -- arguments --------------------------------------------------------------------------------------------------------


def sources_of(
    pending: PendingNodeInvocation, args: Sequence[Any], kwargs: Mapping[str, Any], where: str
) -> dict[str, Source]:
    """Return input -> where it comes from.

    Raises:
        DagsterInvalidDefinitionError: for an argument that has no input, or isn't an output.
        DagsterInvalidInvocationError: when an input is given twice.
    """
    found: dict[str, Source] = {}
    for number, one in enumerate(args):
        name = input_at(pending, number, where)
        found[name] = source_of(one, f"input `{name}` of {pending.describe_node()}", where)
    for name, one in kwargs.items():
        if name in found:
            raise DagsterInvalidInvocationError(
                f"{pending.describe_node()} gets `{name}` twice: by position and by name", where=where
            )
        if name not in pending.node_def.ins:
            raise DagsterInvalidDefinitionError(
                f"{pending.describe_node()} has no input `{name}`",
                where=where,
                hint=closest(name, pending.node_def.ins) or f"it has {', '.join(pending.node_def.ins) or 'none'}",
            )
        found[name] = source_of(one, f"input `{name}` of {pending.describe_node()}", where)
    return found


def input_at(pending: PendingNodeInvocation, number: int, where: str) -> str:
    """Return the name of the input at a position; one that no position has is taken when there's no other.

    Raises:
        DagsterInvalidDefinitionError: when there is none.
    """
    definition = pending.node_def
    positional = definition.positional_inputs
    if number < len(positional):
        return str(positional[number])
    others = [name for name in definition.ins if name not in positional]
    if len(others) == 1 and number == len(definition.ins) - 1:
        return str(others[0])
    raise DagsterInvalidDefinitionError(
        f"{pending.describe_node()} takes {len(positional)} inputs by position, and gets more",
        where=where,
        hint=f"by name: {', '.join(f'{name}=...' for name in others)}" if others else "",
    )


def source_of(one: Any, what: str, where: str) -> Source:
    """Return an argument as where an input comes from.

    Raises:
        DagsterInvalidDefinitionError: when it is nothing of that kind.
    """
    if isinstance(one, DynamicHandle):
        got, hint = f"{one}, which is dynamic", "`.map(fn)` calls for each value, `.collect()` makes a list"
    elif isinstance(one, Handle | GraphInput | Collected | AssetsDefinition):
        return one
    elif isinstance(one, AssetSpec):
        return external(one)
    elif isinstance(one, list):
        return [element(part, what, where) for part in one]
    elif isinstance(one, tuple) and one and all(isinstance(part, Handle) for part in one):
        got, hint = (
            "several outputs at once",
            "take one of them: " + ", ".join(f"`.{part.output_name}`" for part in one),
        )
    elif isinstance(one, OpDefinition | GraphDefinition | PendingNodeInvocation):
        got, hint = f"{one.describe_node()}, which isn't called", f"`{one.name}()`"
    else:
        got = f"a value ({type(one).__name__}); in a graph's body there are only outputs"
        hint = "an op that returns it, an op with config, or a default value"
    raise DagsterInvalidDefinitionError(f"{what} gets {got}", where=where, hint=hint)


def element(part: Any, what: str, where: str) -> Handle | GraphInput:
    """Return an element of a list that is given for an input.

    Raises:
        DagsterInvalidDefinitionError: when it isn't an output or an input of the graph.
    """
    if isinstance(part, DynamicHandle) or not isinstance(part, Handle | GraphInput):
        raise DagsterInvalidDefinitionError(
            f"{what} gets a list with {part!r}: its elements are outputs of nodes or inputs of the graph", where=where
        )
    return part


def dependency(source: Source) -> Dependency | None:
    """Return a source as what a GraphDefinition knows; None for inputs of the graph and for assets."""
    match source:
        case Handle():
            return DependencyDefinition(source.node_name, source.output_name)
        case Collected():
            return DynamicCollectDependencyDefinition(source.node_name, source.output_name)
        case list():
            return MultiDependencyDefinition(
                [
                    DependencyDefinition(one.node_name, one.output_name)
                    if isinstance(one, Handle)
                    else MappedInputPlaceholder
                    for one in source
                ]
            )
    return None


# -- what a call returns ----------------------------------------------------------------------------------------------


def handles(definition: NodeDefinition, node: str, where: str) -> Any:
    """Return the outputs of a node: none, one, or several by name and by position."""
    made = {
        name: (DynamicHandle if port.is_dynamic else Handle)(node, name, where)
        for name, port in definition.outs.items()
    }
    if len(made) > 1:
        names = namedtuple(f"{definition.name}_outputs", list(made))  # type: ignore[misc]  # noqa: PYI024
        return names(**made)
    return next(iter(made.values()), None)


# -- the signature of a body ------------------------------------------------------------------------------------------


def parameters_of(function: Callable[..., Any], where: str) -> dict[str, Any]:
    """Return the names of a body's parameters and what they're annotated with; it takes no context.

    Raises:
        DagsterInvalidDefinitionError: for ``*args``.
    """
    annotations = resolved_annotations(function)
    found: dict[str, Any] = {}
    for one in inspect.signature(function).parameters.values():
        if one.kind in (one.VAR_POSITIONAL, one.POSITIONAL_ONLY):
            raise DagsterInvalidDefinitionError(
                f"parameter `{one}` can't be an input: inputs are given by name", where=where, hint="name each input"
            )
        if one.kind is not one.VAR_KEYWORD:
            found[one.name] = annotations.get(one.name)
    return found
