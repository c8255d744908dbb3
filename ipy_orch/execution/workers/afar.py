"""Values that stay with the worker that made them: the kernel has their size and shape, and fetches them to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.execution.isolation.sealing import Sealed

__all__ = ["Afar", "SealedAfar"]

SMALL: Final = 1 << 10  # bytes that one takes in the kernel


@dataclass(frozen=True, eq=False)
class Afar:
    """Be a value on a worker: its size and shape, and what fetches it."""

    future: Any
    fetch: Callable[[], Any]
    nbytes: int
    shape: tuple[int, ...] | None

    @property
    def is_there(self) -> bool:
        """Tell whether the cluster still has it."""
        return bool(self.future.status == "finished")


class SealedAfar(Sealed):
    """Keep a value where it is; each reader in the kernel gets a copy of its own."""

    private: Afar

    def open(self) -> Any:
        """Return the reader's copy."""
        return self.private.fetch()

    @property
    def nbytes(self) -> int:
        """Return the memory that it takes in the kernel."""
        return SMALL

    @property
    def is_there(self) -> bool:
        """Tell whether it can be opened."""
        return self.private.is_there
