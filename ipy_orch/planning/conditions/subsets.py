"""Which partitions of an asset, check or job: all there is to say of those that a condition is true of.

Inside of an evaluation it is a plain value: True or False for what isn't partitioned, a frozenset of keys otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeAlias

from ipy_orch.errors import CheckError
from ipy_orch.model.keys import AssetCheckKey, AssetJobKey, AssetKey

if TYPE_CHECKING:
    from ipy_orch.planning.conditions.view import View

__all__ = ["EntityKey", "EntitySubset", "Value"]

EntityKey: TypeAlias = AssetKey | AssetCheckKey | AssetJobKey
Value: TypeAlias = bool | frozenset[str]


class EntitySubset:
    """Be some of the partitions of an asset, a check or a job; all or nothing of what isn't partitioned.

    Args:
        view: what is known at the moment: tells how partitions of one belong to those of another.
    """

    __slots__ = ("key", "value", "view")

    def __init__(self, view: View, key: EntityKey, value: Value) -> None:
        self.view, self.key, self.value = view, key, value

    @property
    def size(self) -> int:
        """Return how many partitions there are; 1 or 0 of what isn't partitioned."""
        return size(self.value)

    @property
    def is_empty(self) -> bool:
        """Tell whether it's none."""
        return not self.value

    @property
    def is_partitioned(self) -> bool:
        """Tell whether it is of something with partitions."""
        return not isinstance(self.value, bool)

    def with_value(self, value: Value) -> EntitySubset:
        """Return another subset of the same asset, check or job."""
        return EntitySubset(self.view, self.key, value)

    def compute_union(self, other: EntitySubset) -> EntitySubset:
        """Return what is in one of the two."""
        return self.with_value(self.value | self.of_same(other))

    def compute_intersection(self, other: EntitySubset) -> EntitySubset:
        """Return what is in both."""
        return self.with_value(self.value & self.of_same(other))

    def compute_difference(self, other: EntitySubset) -> EntitySubset:
        """Return what is here and not there."""
        return self.with_value(minus(self.value, self.of_same(other)))

    def compute_intersection_with_partition_keys(self, partition_keys: AbstractSet[str]) -> EntitySubset:
        """Return those partitions that are also among some keys.

        Raises:
            CheckError: when it has no partitions, or not these.
        """
        if isinstance(self.value, bool):
            raise CheckError(f"`{self.key.label}` has no partitions")
        unknown = sorted(set(partition_keys) - self.view.keys(self.key))
        if unknown:
            raise CheckError(f"`{self.key.label}` has no partition `{unknown[0]}`")
        return self.with_value(self.value & partition_keys)

    def compute_mapped_subset(self, to_key: EntityKey, direction: str) -> EntitySubset:
        """Return the partitions of another asset or check that belong to these.

        Args:
            direction: ``up`` to what is read, ``down`` to what reads.
        """
        return EntitySubset(self.view, to_key, self.view.mapped(self.key, to_key, self.value, up=direction == "up"))

    def expensively_compute_partition_keys(self) -> frozenset[str]:
        """Return the keys.

        Raises:
            CheckError: when it has no partitions.
        """
        if isinstance(self.value, bool):
            raise CheckError(f"`{self.key.label}` has no partitions")
        return self.value

    def expensively_compute_asset_partitions(self) -> set[tuple[EntityKey, str | None]]:
        """Return the partitions with the key that they are of."""
        return {(self.key, one) for one in partitions_in(self.value)}

    def get_internal_value(self) -> Value:
        """Return True or False, or the keys."""
        return self.value

    def of_same(self, other: EntitySubset) -> Any:
        """Return the value of another subset of the same.

        Raises:
            CheckError: when it is of something else.
        """
        if other.key != self.key:
            raise CheckError(f"partitions of `{other.key.label}` and of `{self.key.label}` can't be combined")
        return other.value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EntitySubset):
            return NotImplemented
        return (self.key, self.value) == (other.key, other.value)

    def __hash__(self) -> int:
        return hash((self.key, self.value))

    def __repr__(self) -> str:
        return f"EntitySubset({self.key.label}, {self.value if isinstance(self.value, bool) else sorted(self.value)})"


def size(value: Value) -> int:
    """Return how many partitions a value stands for.

    >>> size(True), size(frozenset({"a", "b"}))
    (1, 2)
    """
    return int(value) if isinstance(value, bool) else len(value)


def minus(value: Value, other: Value) -> Value:
    """Return what is in one value and not in the other.

    >>> minus(True, True), sorted(minus(frozenset("ab"), frozenset("a")))
    (False, ['b'])
    """
    return value and not other if isinstance(value, bool) else value - other  # type: ignore[operator]


def partitions_in(value: Value) -> Iterable[str | None]:
    """Return the keys that a value stands for; None for what isn't partitioned."""
    return ([None] if value else []) if isinstance(value, bool) else value
