"""Where an op stands in the graphs around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["NodeHandle"]


@dataclass(frozen=True)
class NodeHandle:
    """Be the place of an op: its name, and that of the graph it is in.

    >>> str(NodeHandle.of("report.clean[north]")), NodeHandle.of("report.clean").path
    ('report.clean', ['report', 'clean'])
    """

    name: str
    parent: NodeHandle | None = None

    @classmethod
    def of(cls, step: str) -> Self:
        """Return the place of a step, of a mapped one without its key."""
        handle = None
        for name in step.partition("[")[0].split("."):
            handle = cls(name, handle)
        assert handle is not None
        return handle

    @property
    def path(self) -> list[str]:
        """Return the names from the outermost graph to the op."""
        return [*(self.parent.path if self.parent is not None else ()), self.name]

    def to_string(self) -> str:
        """Return the names with dots between them."""
        return ".".join(self.path)

    __str__ = to_string
