"""The ports of a call as a run needs them: worked out once per call, not once per step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ipy_orch.execution.forms import forms_of
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import In, OpDefinition, Out, type_of
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.types.annotations import DagsterType
from ipy_orch.planning.calls import Call, FromAsset, Source, calls_of
from ipy_orch.planning.plan import Step

__all__ = ["Inlet", "Outlet", "Wiring", "wired", "wiring", "wiring_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Inlet:
    """Be an input that carries a value."""

    name: str
    source: Source
    port: In
    type: DagsterType


@dataclass(frozen=True, slots=True, eq=False)
class Outlet:
    """Be an output that may be made.

    Args:
        key: the asset that it is, or None.
        label: the asset's name, else the output's.
        manager: the resource that stores the value.
        carries: whether there is a value at all.
    """

    name: str
    key: AssetKey | None
    label: str
    spec: AssetSpec | None
    port: Out
    type: DagsterType
    manager: str
    carries: bool


class Wiring:
    """Hold the ports of one call.

    Args:
        definition: whose assets and checks its outputs are; None for an op that makes none. The call is the whole of
            it, or one of several in its graph.
    """

    def __init__(self, call: Call, definition: AssetsDefinition | None) -> None:
        self.op: OpDefinition = call.op
        self.definition = definition
        self.is_in_graph = definition is not None and call.op is not definition.op_def
        self.inlets = tuple(
            Inlet(name, source, port, type_of(port))
            for name, source in call.sources.items()
            if not (port := call.op.ins[name]).is_nothing
        )
        assets = [(one, one.source.key) for one in self.inlets if isinstance(one.source, FromAsset)]
        self.assets = tuple(assets) if len(assets) == len(self.inlets) else None  #: where all inputs are assets
        self.checks_by_output = dict(checks_in(call, definition))
        self.outlets = dict(self.outlets_of(call, definition))
        self.checks: Mapping[AssetCheckKey, AssetCheckSpec] = {
            spec.key: spec for spec in self.checks_by_output.values()
        }
        self.input_keys = {n: one.key for n, one in call.sources.items() if isinstance(one, FromAsset)}
        self.output_of = {outlet.key: name for name, outlet in self.outlets.items() if outlet.key is not None}
        self.required = tuple(name for name, port in call.op.outs.items() if self.requires(name, port))
        self.forms = forms_of(call.op)
        self.only = next(iter(self.outlets.values())) if len(call.op.outs) == len(self.outlets) == 1 else None

    def outlets_of(self, call: Call, definition: AssetsDefinition | None) -> Iterator[tuple[str, Outlet]]:
        """Yield the outputs that are assets, and those that only other ops read."""
        for name, port in call.op.outs.items():
            key = asset_of(call.results.get(name, ()), definition)
            if key is not None and definition is not None:
                yield name, asset_outlet(definition, name, key, port)
            elif definition is None or (self.is_in_graph and not is_result(call, name, definition)):
                label = f"{call.name}.{name}"
                yield (
                    name,
                    Outlet(name, None, label, None, port, type_of(port), port.io_manager_key, not port.is_nothing),
                )

    def requires(self, name: str, port: Out) -> bool:
        """Tell whether an output must be made: also one that isn't selected, unless it was declared that it needn't."""
        made = name in self.outlets or not (port.is_nothing or name in self.checks_by_output)
        return made and port.is_required and not port.is_dynamic

    @property
    def key_of_output(self) -> Mapping[str, AssetKey]:
        """Return output -> asset."""
        return {name: key for key, name in self.output_of.items()}

    @property
    def wanted(self) -> set[str]:
        """Return the outputs that are selected, or that other ops read."""
        return {*self.outlets, *self.selected_checks}

    @property
    def makes_checks_only(self) -> bool:
        """Tell whether the function gives verdicts and nothing else."""
        return bool(self.checks_by_output) and not self.outlets

    @property
    def can_subset(self) -> bool:
        """Tell whether the function may leave out what isn't selected."""
        return self.definition is not None and self.definition.can_subset

    @property
    def selected_checks(self) -> Mapping[str, AssetCheckSpec]:
        """Return output -> check, of those that must be made."""
        if self.definition is None:
            return {}
        chosen = self.definition.check_keys
        return {name: spec for name, spec in self.checks_by_output.items() if spec.key in chosen}


def is_result(call: Call, output: str, definition: AssetsDefinition) -> bool:
    """Tell whether an output is an asset or a check of a definition, selected or not."""
    known = {*definition.all_keys_by_output_name, *definition.all_check_specs_by_output_name}
    return not known.isdisjoint(call.results.get(output, ()))


def asset_of(results: tuple[str, ...], definition: AssetsDefinition | None) -> AssetKey | None:
    """Return the selected asset that an output is, or None."""
    selected = definition.keys_by_output_name if definition is not None else {}
    return next((selected[name] for name in results if name in selected), None)


def checks_in(call: Call, definition: AssetsDefinition | None) -> Iterator[tuple[str, AssetCheckSpec]]:
    """Yield the outputs that are verdicts, also of checks that aren't selected."""
    specs = definition.all_check_specs_by_output_name if definition is not None else {}
    for name in call.op.outs if specs else ():
        for result in call.results.get(name, ()):
            if result in specs:
                yield name, specs[result]


def asset_outlet(definition: AssetsDefinition, name: str, key: AssetKey, port: Out) -> Outlet:
    """Return an output that is an asset."""
    spec, manager = definition.specs_by_key[key], definition.get_io_manager_key_for_asset_key(key)
    return Outlet(name, key, key.label, spec, port, type_of(port), manager, not port.is_nothing)


def wiring(step: Step) -> Wiring:
    """Return the ports of a step."""
    return step.call.memo.get("wiring") or wired(step.call, step.definition)


def wired(call: Call, definition: AssetsDefinition | None) -> Wiring:
    """Return the ports of a call."""
    known: Wiring | None = call.memo.get("wiring")
    if known is None:
        known = call.memo["wiring"] = Wiring(call, definition)
    return known


def wiring_of(definition: AssetsDefinition, key: AssetKey) -> Wiring:
    """Return the ports of the call that makes an asset."""
    output = definition.output_of[key]
    calls = calls_of(definition)
    maker: Any = next(call for call in calls if any(output in names for names in call.results.values()))
    return wired(maker, definition)
