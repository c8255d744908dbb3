"""Values in memory, for as long as the IO manager lives: for one run, where a run makes its own."""

from __future__ import annotations

from typing import Any

from ipy_orch.execution.iomanagers.addresses import identifier, label
from ipy_orch.execution.isolation.sealing import seal
from ipy_orch.model.io import IOManager, IOManagerDefinition

__all__ = ["InMemoryIOManager", "mem_io_manager"]


class InMemoryIOManager(IOManager):
    """Keep values in a dict, ``values``, for as long as this object lives."""

    def __init__(self) -> None:
        self.values: dict[tuple[object, ...], object] = {}

    def handle_output(self, context: Any, obj: object) -> None:
        """Keep the value of an output."""
        self.values[identifier(context)] = obj

    def load_input(self, context: Any) -> object:
        """Return a copy of the value of an input, so that its reader may edit it."""
        return seal(self.values[identifier(context)], label(context)).open()


mem_io_manager = IOManagerDefinition(
    lambda _context: InMemoryIOManager(), description="Keeps values in memory for one run."
)
