"""Partitions that come and go while the program is there: an instance keeps their keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.partitions.contexts import now, store
from ipy_orch.model.partitions.definition import Partition, PartitionsDefinition, valid_keys

__all__ = ["AddDynamicPartitionsRequest", "DeleteDynamicPartitionsRequest", "DynamicPartitionsDefinition"]


@dataclass(frozen=True)
class AddDynamicPartitionsRequest:
    """Ask for partitions to be added."""

    partitions_def_name: str
    partition_keys: Sequence[str]


@dataclass(frozen=True)
class DeleteDynamicPartitionsRequest:
    """Ask for partitions to be taken away."""

    partitions_def_name: str
    partition_keys: Sequence[str]


@dataclass(frozen=True)
class DynamicPartitionsDefinition(PartitionsDefinition):
    """Cut something into partitions that are added to an instance under a name.

    Args:
        partition_fn: tells the keys as of a moment, instead of an instance; for jobs of ops.
        name: under which an instance keeps the keys.

    Raises:
        DagsterInvalidDefinitionError: without either, and with both.
    """

    partition_fn: Callable[[datetime | None], Sequence[str] | Sequence[Partition]] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.partition_fn is not None and not callable(self.partition_fn):
            raise CheckError(f"`partition_fn` is a function, not {self.partition_fn!r}")
        if (self.partition_fn is None) == (self.name is None):
            raise DagsterInvalidDefinitionError(
                "dynamic partitions have a `name` or a `partition_fn`, one of the two",
                hint='DynamicPartitionsDefinition(name="customers")',
            )

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> Sequence[str]:
        """Return the keys, in the order in which they were added.

        Raises:
            CheckError: when no instance is known.
        """
        if self.partition_fn is not None:
            found = self.partition_fn(current_time or now())
            return [one.name if isinstance(one, Partition) else one for one in found]
        return list(self.kept(dynamic_partitions_store).get_dynamic_partitions(self.valid_name()))

    def has_partition_key(
        self, partition_key: str, current_time: datetime | None = None, dynamic_partitions_store: Any = None
    ) -> bool:
        """Tell whether a key is one of them."""
        if self.partition_fn is not None:
            return partition_key in self.get_partition_keys(current_time)
        return bool(self.kept(dynamic_partitions_store).has_dynamic_partition(self.valid_name(), partition_key))

    def kept(self, given: Any) -> Any:
        """Return the instance that keeps the keys.

        Raises:
            CheckError: when none is known.
        """
        found = given if given is not None else store()
        if found is None:
            raise CheckError(
                f"an instance keeps the partitions `{self.name}`, and none was given:"
                " `dynamic_partitions_store=instance`, or `with partition_loading_context(...)`"
            )
        return found

    def get_serializable_unique_identifier(self, dynamic_partitions_store: Any = None) -> str:
        """Return a digest of the name and of the keys that are there now."""
        keys = self.get_partition_keys(dynamic_partitions_store=dynamic_partitions_store)
        return blake2b(repr((self.name, sorted(keys))).encode(), digest_size=16).hexdigest()

    def valid_name(self) -> str:
        """Return the name.

        Raises:
            DagsterInvalidDefinitionError: when it has none.
        """
        if self.name is None:
            raise DagsterInvalidDefinitionError("these dynamic partitions have no name: a function tells them")
        return self.name

    def build_add_request(self, partition_keys: Sequence[str]) -> AddDynamicPartitionsRequest:
        """Return the request to add partitions.

        Raises:
            DagsterInvalidDefinitionError: when a key can't be one.
        """
        return AddDynamicPartitionsRequest(self.valid_name(), list(valid_keys(partition_keys)))

    def build_delete_request(self, partition_keys: Sequence[str]) -> DeleteDynamicPartitionsRequest:
        """Return the request to take partitions away."""
        return DeleteDynamicPartitionsRequest(self.valid_name(), list(partition_keys))

    def __str__(self) -> str:
        return f'dynamic partitions "{self.name}"' if self.name else "dynamic partitions"
