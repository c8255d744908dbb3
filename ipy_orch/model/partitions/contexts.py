"""As of when partitions are looked at, and where the names of dynamic ones are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

__all__ = ["DynamicPartitionsStore", "PartitionLoadingContext", "now", "partition_loading_context", "store"]


class DynamicPartitionsStore(Protocol):
    """Keep the keys of dynamic partitions, as a DagsterInstance does."""

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the keys, in the order in which they were added."""

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether there is a key."""


@dataclass(frozen=True)
class PartitionLoadingContext:
    """Say as of when partitions are looked at.

    Args:
        effective_dt: the moment; None for now.
        dynamic_partitions_store: where dynamic partitions are kept.
    """

    effective_dt: datetime | None = None
    dynamic_partitions_store: Any = None


NOW: Final = PartitionLoadingContext()
CURRENT: ContextVar[PartitionLoadingContext] = ContextVar("ipy_orch_partitions", default=NOW)


@contextmanager
def partition_loading_context(
    effective_dt: datetime | None = None,
    dynamic_partitions_store: Any = None,
    *,
    new_ctx: PartitionLoadingContext | None = None,
) -> Iterator[PartitionLoadingContext]:
    """Look at partitions as of a moment, and with these dynamic ones, for as long as the block runs.

    What isn't given is as it was outside of the block.

    Args:
        effective_dt: without a timezone, it is that of the partitions.
        new_ctx: all of it at once.

    >>> from ipy_orch import DailyPartitionsDefinition, partition_loading_context
    >>> with partition_loading_context(datetime(2024, 1, 3)):
    ...     keys = DailyPartitionsDefinition("2024-01-01").get_partition_keys()
    >>> keys
    ['2024-01-01', '2024-01-02']
    """
    said = {"effective_dt": effective_dt, "dynamic_partitions_store": dynamic_partitions_store}
    known = {name: one for name, one in said.items() if one is not None}
    made = new_ctx or replace(CURRENT.get(), **known)
    token = CURRENT.set(made)
    try:
        yield made
    finally:
        CURRENT.reset(token)


def now() -> datetime:
    """Return the moment as of which partitions are looked at; it may be without a timezone."""
    return CURRENT.get().effective_dt or datetime.now(UTC)


def store() -> Any:
    """Return where dynamic partitions are kept, or None."""
    return CURRENT.get().dynamic_partitions_store
