"""The variables that hold values of assets, so that ``orders.head()`` works in the next scratch cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.events.ledger import Ledger
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.workers.afar import SealedAfar
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.plan import Plan
from ipy_orch.session.partitions.choosing import cut_of
from ipy_orch.session.scan import Scanned

__all__ = ["Names", "is_bound", "is_elsewhere"]


class Names:
    """Put values into the namespace and take them out again; what a person put there is never touched.

    A variable is ours while it holds the very object that was put there. What an IO manager of the user's keeps is
    loaded when a cell first reads it.
    """

    def __init__(self, namespace: dict[str, Any], store: SessionIOManager, ledger: Ledger) -> None:
        self.namespace, self.store, self.ledger = namespace, store, ledger
        self.bound: dict[str, tuple[AssetKey, Any]] = {}
        self.evicted: dict[str, AssetKey] = {}
        self.elsewhere: dict[str, AssetKey] = {}
        store.on_evict.append(self.on_evict)

    def is_ours(self, name: str, value: Any) -> bool:
        """Tell whether a variable holds a value that was put there."""
        return name in self.bound and self.bound[name][1] is value

    def bind(self, scanned: Scanned, planned: Plan) -> None:
        """Put the values of the assets of cells that ran, or were asked for, into the namespace."""
        for key in dict.fromkeys([*planned.keys, *sorted(planned.request.keys)]):
            if is_bound(key, scanned) and cut_of(key, scanned.graph) is not None:
                self.bind_partitions(key)
            elif is_bound(key, scanned):
                self.bind_one(key, elsewhere=is_elsewhere(key, scanned.graph.makers[key], scanned))

    def bind_one(self, key: AssetKey, *, elsewhere: bool) -> None:
        """Put one value into the namespace, where it's kept and the name isn't a person's."""
        name = key.path[-1]
        made = self.ledger.materialized.get((key, None))
        if made is None or not self.is_free(name):
            return
        entry = self.store.entry(key)
        if entry is not None and isinstance(entry.sealed, SealedAfar):
            self.unbind(key)
            self.elsewhere[name] = key  # it comes when a cell reads it
        elif self.store.ready(key, None, made.data_version):
            self.place(key, self.store.get(key, None))
        elif elsewhere:
            self.unbind(key)
            self.elsewhere[name] = key

    def bind_partitions(self, key: AssetKey) -> None:
        """Have the partitions of an asset loaded as one value when a cell first reads its name."""
        name = key.path[-1]
        if self.is_free(name):
            self.unbind(key)
            self.elsewhere[name] = key

    def place(self, key: AssetKey, value: Any) -> None:
        """Put a value into the namespace."""
        name = key.path[-1]
        self.namespace[name] = value
        self.bound[name] = (key, value)
        self.evicted.pop(name, None)
        self.elsewhere.pop(name, None)

    def is_free(self, name: str) -> bool:
        """Tell whether a variable doesn't exist or is ours."""
        return name not in self.namespace or self.is_ours(name, self.namespace[name])

    def on_evict(self, key: Any, partition: str | None) -> None:
        """Let go of a value that is kept no longer: the variable would keep its memory."""
        if isinstance(key, AssetKey) and self.unbind(key):
            (self.evicted if partition is None else self.elsewhere)[key.path[-1]] = key

    def unbind(self, key: AssetKey) -> bool:
        """Take the variable of an asset away, where it's ours; tell whether it was."""
        name = key.path[-1]
        owner, _ = self.bound.get(name, (None, None))
        if owner != key:
            return False
        ours = name in self.namespace and self.is_ours(name, self.namespace[name])
        del self.bound[name]
        if ours:
            del self.namespace[name]
        return ours

    def prune(self, scanned: Scanned) -> None:
        """Take the variables of assets away that exist no more, so that nothing reads a ghost."""
        if self.bound or self.elsewhere:
            known = {key for one in scanned.definitions for key in one.keys} | scanned.broken.keys()
            self.elsewhere = {name: key for name, key in self.elsewhere.items() if key in known}
            for key in [key for key, _ in self.bound.values() if key not in known]:
                self.unbind(key)

    def unbind_all(self) -> None:
        """Take all variables of ours away."""
        for key in [key for key, _ in self.bound.values()]:
            self.unbind(key)

    def values_of_assets(self, scanned: Scanned) -> Mapping[str, Any]:
        """Return the variables that hold values of assets that exist."""
        return {name: value for name, (key, value) in self.bound.items() if key in scanned.graph.makers}

    def hidden(self, scanned: Scanned, planned: Plan) -> list[str]:
        """Return a notice for each scratch variable that is named like an asset which is read or was asked for."""
        read = {key for step in planned.steps for key in step.inputs}
        told = {
            **dict.fromkeys(read, "the asset was read, not the variable"),
            **dict.fromkeys(planned.request.keys, "the asset's value isn't in it, but asset cells read the asset"),
        }
        return [
            f"`{name}` is also a variable of yours; {told[key]}"
            for name, key in scanned.names.items()
            if key in told and self.is_scratch(name)
        ]

    def is_scratch(self, name: str) -> bool:
        """Tell whether a variable is a person's, and not one of ours, a decorated asset or a Definitions."""
        value = self.namespace.get(name)
        defines = isinstance(value, AssetsDefinition | Definitions)
        return name in self.namespace and not self.is_ours(name, value) and not defines


def is_elsewhere(key: AssetKey, maker: AssetsDefinition, scanned: Scanned) -> bool:
    """Tell whether an IO manager of the user's keeps the value of an asset."""
    if not scanned.resources:
        return False
    has_value = maker.is_executable and not maker.op.outs[maker.output_of[key]].is_nothing
    return has_value and maker.get_io_manager_key_for_asset_key(key) in scanned.resources


def is_bound(key: AssetKey, scanned: Scanned) -> bool:
    """Tell whether the value of an asset is put into a variable."""
    maker = scanned.graph.makers.get(key)
    return maker is not None and is_of_cell(maker, scanned)


def is_of_cell(definition: AssetsDefinition, scanned: Scanned) -> bool:
    """Tell whether a definition is the body of a cell, and not a decorated function, whose name is taken."""
    cell = scanned.cells.get(definition)
    return cell is not None and cell.source is not None
