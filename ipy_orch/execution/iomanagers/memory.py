"""Values in memory, for as long as the IO manager lives: for one run, where a run makes its own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers.addresses import identifier, label, loaded, partitions_of
from ipy_orch.execution.isolation.sealing import Sealed, seal
from ipy_orch.model.io import IOManager, IOManagerDefinition
from ipy_orch.model.keys import AssetKey

__all__ = ["InMemoryIOManager", "mem_io_manager"]


class NotKept(DagsterInvariantViolationError, KeyError):
    """Tell that a value isn't there; a KeyError as well, which is what Dagster raises."""


class InMemoryIOManager(IOManager):
    """Keep values for as long as this object lives, each reader getting one of its own.

    The value of an asset is found by asset and partition, from any run: in place of the former one. The value of an op
    that makes no asset is found in its run only.

    Where partitions that a reader asks for aren't there, it gets what its own run has stored of the asset, whole: so
    an asset without partitions may read, in one run, the one partition that this run has made.
    """

    def __init__(self) -> None:
        self._sealed: dict[Hashable, Sealed] = {}
        self._latest: dict[AssetKey, Hashable] = {}

    @property
    def values(self) -> dict[Hashable, Any]:
        """Return a copy of each value, by the identifier of its output."""
        return {place: self._sealed[place].open() for place in self._sealed if not by_asset(place)}

    def handle_output(self, context: Any, obj: object) -> None:
        """Keep the value of an output."""
        sealed, place = seal(obj, label(context)), identifier(context)
        if context.has_asset_key:
            self._keep_asset(context, sealed)
            self._sealed.pop(self._latest.get(context.asset_key), None)  # or each run of a session would leave one
            self._latest[context.asset_key] = place
        self._sealed[place] = sealed

    def _keep_asset(self, context: Any, sealed: Sealed) -> None:
        """Keep the value of an asset for readers of other runs: of several partitions, by their keys."""
        key, partitions = context.asset_key, partitions_of(context)
        if len(partitions) == 1:
            self._sealed[key, partitions[0]] = sealed
            return
        for partition in partitions:
            self._sealed.pop((key, partition), None)
        value = sealed.open()
        if isinstance(value, Mapping) and value.keys() == set(partitions):
            self._sealed.update({(key, partition): Sealed(one, True) for partition, one in value.items()})

    def load_input(self, context: Any) -> object:
        """Return a copy of the value of an input, so that its reader may edit it; a dict by partition for several.

        Raises:
            NotKept: when it isn't kept.
        """
        try:
            if context.has_asset_key:
                return loaded(context, lambda partition: self._sealed[context.asset_key, partition].open())
        except KeyError:
            pass
        kept = self._sealed.get(identifier(context))
        if kept is None:
            name = label(context)
            raise NotKept(
                f"no value of `{name}` is kept in memory", hint=f"materialize `{name}` first, with this IO manager"
            )
        return kept.open()


def by_asset(place: Hashable) -> bool:
    """Tell whether a value is kept there for readers of other runs."""
    return isinstance(place, tuple) and isinstance(place[0], AssetKey)


mem_io_manager = IOManagerDefinition(
    lambda _context: InMemoryIOManager(), description="Keeps values in memory for one run."
)
