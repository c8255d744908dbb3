"""What the body of a graph hands on: outputs that don't exist yet, and the graph's inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.model.graphs.mappings import InputMapping

__all__ = ["Collected", "DynamicHandle", "GraphInput", "Handle"]


@dataclass(frozen=True)
class GraphInput:
    """Be an input of the graph, as an argument of its body."""

    name: str
    description: str | None = None
    dagster_type: Any = None

    def mapping(self, node: str, name: str, place: int | None = None) -> InputMapping:
        """Return the mapping to an input of a node."""
        return InputMapping(self.name, node, name, place, self.description, self.dagster_type)


@dataclass(frozen=True)
class Handle:
    """Stand for an output of a node: an argument for other nodes, and no value.

    Args:
        where: names the graph in messages.
    """

    node_name: str
    output_name: str
    where: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"`{self.output_name}` of `{self.node_name}`"

    def refuse(self, hint: str) -> NoReturn:
        """Refuse what only a value can do.

        Raises:
            DagsterInvariantViolationError: always.
        """
        raise DagsterInvariantViolationError(
            f"{self} is an output that doesn't exist yet, and no value", where=self.where, hint=hint
        )

    def __iter__(self) -> NoReturn:
        self.refuse("give the op several outputs: `out={'a': Out(), 'b': Out()}`")

    def __getitem__(self, key: object) -> NoReturn:
        self.refuse("give the op several outputs: `out={'a': Out(), 'b': Out()}`")

    def as_value(self, *_: object) -> NoReturn:
        """Refuse: the body of a graph says what runs after what; what is done with values is an op's."""
        self.refuse("what is done with its value goes into an op; so does an `if` on it")

    __bool__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __lt__ = __gt__ = as_value
    __len__ = __float__ = __int__ = __call__ = as_value

    def alias(self, name: str) -> NoReturn:
        """Refuse: the node is made already."""
        self.refuse(f'the name comes before the call: `{self.node_name}.alias("{name}")(...)`')

    def with_hooks(self, _: object) -> NoReturn:
        """Refuse: the node is made already."""
        self.refuse(f"hooks come before the call: `{self.node_name}.with_hooks(...)(...)`")


@dataclass(frozen=True)
class Collected:
    """Stand for all values of a dynamic output, as a list."""

    node_name: str
    output_name: str


@dataclass(frozen=True)
class DynamicHandle(Handle):
    """Stand for a dynamic output, or for an output of a node behind one."""

    def map(self, fn: Callable[[Handle], Any]) -> Any:
        """Run nodes once for each value.

        Args:
            fn: called once, now, with a handle for any of the values; the nodes that it makes are the ones that run.

        Returns:
            What ``fn`` returns, to be mapped over or collected in turn.

        Raises:
            CheckError: when ``fn`` returns something that isn't an output.
        """
        if not callable(fn):
            raise CheckError(f"`.map` takes a function, not {fn!r}")
        made = fn(Handle(self.node_name, self.output_name, self.where))
        if isinstance(made, tuple) and made and all(isinstance(one, Handle) for one in made):
            return tuple(as_dynamic(one) for one in made)
        if isinstance(made, Handle):
            return as_dynamic(made)
        if made is not None:
            raise CheckError(f"the function of `.map` returns outputs of nodes, not {made!r}")
        return None

    def collect(self) -> Collected:
        """Return all values, as a list for a node that runs once."""
        return Collected(self.node_name, self.output_name)

    def __iter__(self) -> NoReturn:
        self.refuse("`.map(fn)` calls for each value, `.collect()` makes a list")

    def __getitem__(self, key: object) -> NoReturn:
        self.refuse("`.map(fn)` calls for each value, `.collect()` makes a list")


def as_dynamic(handle: Handle) -> DynamicHandle:
    """Return the handle of an output of a node that runs once for each value."""
    return DynamicHandle(handle.node_name, handle.output_name, handle.where)
