"""The ports of a definition as a run needs them: worked out once per definition, not once per step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from ipy_orch.errors import DagsterTypeCheckDidNotPass
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import In, Out, type_of
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.types import DagsterType, check_dagster_type

__all__ = ["Inlet", "Outlet", "Wiring", "check_type", "wiring"]


@dataclass(frozen=True, slots=True, eq=False)
class Inlet:
    """Be an input that is loaded."""

    name: str
    key: AssetKey
    port: In
    type: DagsterType


@dataclass(frozen=True, slots=True, eq=False)
class Outlet:
    """Be a selected output that is an asset.

    Args:
        label: the asset's name.
        manager: the resource that stores the value.
        carries: whether there is a value at all.
    """

    name: str
    key: AssetKey
    label: str
    spec: AssetSpec
    port: Out
    type: DagsterType
    manager: str
    carries: bool


class Wiring:
    """Hold the ports of one definition."""

    def __init__(self, definition: AssetsDefinition) -> None:
        op = definition.op
        ins = definition.keys_by_input_name.items()
        outs = definition.keys_by_output_name.items()
        self.inlets = tuple(inlet(name, key, op.ins[name]) for name, key in ins if not op.ins[name].is_nothing)
        self.outlets: Mapping[str, Outlet] = {name: outlet(definition, name, key, op.outs[name]) for name, key in outs}
        self.checks: Mapping[AssetCheckKey, AssetCheckSpec] = {
            spec.key: spec for spec in definition.all_check_specs_by_output_name.values()
        }
        self.only = next(iter(self.outlets.values())) if len(op.outs) == len(self.outlets) == 1 else None


def inlet(name: str, key: AssetKey, port: In) -> Inlet:
    """Return an input of a definition."""
    return Inlet(name, key, port, type_of(port))


def outlet(definition: AssetsDefinition, name: str, key: AssetKey, port: Out) -> Outlet:
    """Return an output of a definition."""
    spec, manager = definition.specs_by_key[key], definition.get_io_manager_key_for_asset_key(key)
    return Outlet(name, key, str(key), spec, port, type_of(port), manager, not port.is_nothing)


WIRINGS: Final[WeakKeyDictionary[AssetsDefinition, Wiring]] = WeakKeyDictionary()


def wiring(definition: AssetsDefinition) -> Wiring:
    """Return the ports of a definition that has an op."""
    known = WIRINGS.get(definition)
    if known is None:
        known = WIRINGS[definition] = Wiring(definition)
    return known


def check_type(dagster_type: DagsterType, value: Any, what: str) -> None:
    """Refuse a value that isn't of its declared type.

    Raises:
        DagsterTypeCheckDidNotPass: naming what and the type.
    """
    if dagster_type.is_any:
        return
    verdict = check_dagster_type(dagster_type, value)
    if not verdict.success:
        said = f": {verdict.description}" if verdict.description else ""
        raise DagsterTypeCheckDidNotPass(
            f"{what} isn't a `{dagster_type.display_name}` but a `{type(value).__name__}`{said}"
        )
