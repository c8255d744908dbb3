"""What a function returned or yielded, matched with the outputs and checks that its step must make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError, DagsterStepOutputNotFoundError, closest
from ipy_orch.execution.step import Outcome
from ipy_orch.execution.wiring import Wiring, wiring
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata import normalize_metadata
from ipy_orch.model.ops import RESULT
from ipy_orch.model.results import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DataVersion,
    DynamicOutput,
    ExpectationResult,
    MaterializeResult,
    ObserveResult,
    Output,
)

__all__ = ["EVENTS", "RESULTS", "Harvest", "Made", "gather", "kind_of", "spec_of"]

SEVERITY: Final = "ipy_orch/severity"
RESULTS: Final = (Output, DynamicOutput, MaterializeResult, ObserveResult, AssetCheckResult)
EVENTS: Final = (AssetMaterialization, AssetObservation, ExpectationResult)
SAID: Final = RESULTS + EVENTS  # what isn't a value by itself


@dataclass(slots=True, eq=False)
class Made:
    """Be one output that a step made.

    Args:
        has_value: whether there is a value for the IO manager.
        said: the data version that the function gave, if it did.
    """

    value: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    said: DataVersion | None = None
    has_value: bool = True


@dataclass(slots=True, eq=False)
class Harvest:
    """Be what a step made: outputs by name, verdicts by check, and other events."""

    outputs: dict[str, Made] = field(default_factory=dict)
    verdicts: dict[AssetCheckKey, AssetCheckResult] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)


def gather(definition: AssetsDefinition, outcome: Outcome) -> Harvest:
    """Return what a step made.

    Raises:
        DagsterInvariantViolationError: for what wasn't asked for, twice the same, or isn't an output.
        DagsterStepOutputNotFoundError: when something required is missing, unless the step failed anyway.
    """
    ports = wiring(definition)
    if ports.only is not None and not outcome.yielded and outcome.error is None:
        value = outcome.produced[0]
        if not isinstance(value, SAID):
            return Harvest({ports.only.name: Made(value, has_value=ports.only.carries)})
    harvest = Harvest()
    for item in outcome.produced if outcome.yielded else returned(definition, ports, outcome.produced):
        take(harvest, definition, ports, item)
    if outcome.error is None:
        add_implicit(harvest, ports)
        refuse_disorder(harvest, definition, ports)
        require_all(harvest, definition, ports)
    return harvest


# -- what was returned


def returned(definition: AssetsDefinition, ports: Wiring, produced: Sequence[Any]) -> Iterable[Any]:
    """Return the items of a return value: itself, its elements, or an Output around it."""
    if not produced:
        return ()
    value = produced[0]
    if not definition.has_keys:
        return [as_verdict(one, definition) for one in several(value, definition)]
    if isinstance(value, RESULTS):
        return [value]
    refuse_event(value, definition)
    if ports.only is not None:
        return [Output(value, ports.only.name)]
    return unpacked(definition, ports, value)


def refuse_event(value: Any, definition: AssetsDefinition) -> None:
    """Refuse a report in the place of a value.

    Raises:
        DagsterInvariantViolationError: for one.
    """
    if isinstance(value, EVENTS):
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` returned {kind_of(value)}, which is a report and no value",
            hint="`context.log_event(...)`, or yield it before an `Output`; of the asset itself: `MaterializeResult`",
        )


def several(value: Any, definition: AssetsDefinition) -> Sequence[Any]:
    """Return the verdicts of a checks' function: one, or a list of them."""
    is_pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping)
    if isinstance(value, tuple) and not is_pair:
        return value
    return [] if value is None and len(definition.check_keys) != 1 else [value]


def as_verdict(value: Any, definition: AssetsDefinition) -> Any:
    """Return a check's value as an AssetCheckResult: a bool, or a bool with metadata, stand for one.

    Raises:
        DagsterInvariantViolationError: for anything else.
    """
    if isinstance(value, AssetCheckResult | Output):
        return value
    verdict, metadata = (
        value if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping) else (value, None)
    )
    if isinstance(verdict, bool) or type(verdict).__name__ in ("bool_", "bool"):
        return AssetCheckResult(passed=bool(verdict), metadata=metadata, severity=declared_severity(definition))
    raise DagsterInvariantViolationError(
        f"a check's value is a bool, an AssetCheckResult, or (bool, metadata), and this is {kind_of(value)}",
        where=f"check `{definition.label}`",
        hint="`bool(...)` around the condition",
    )


def declared_severity(definition: AssetsDefinition) -> AssetCheckSeverity:
    """Return the severity that a check cell was given by its option."""
    said = definition.check_specs[0].metadata.get(SEVERITY, "ERROR")
    return AssetCheckSeverity(getattr(said, "value", said))


def unpacked(definition: AssetsDefinition, ports: Wiring, value: Any) -> Sequence[Any]:
    """Return the elements of the value of a function with several outputs, each under the name of its place.

    Raises:
        DagsterInvariantViolationError: when their number is another, or one names another output.
    """
    if value is None and not any(outlet.carries for outlet in ports.outlets.values()):
        return []
    names = list(definition.op.outs)
    if isinstance(value, tuple) and (len(value) == len(names) or all(isinstance(one, RESULTS) for one in value)):
        return [positional(one, names, number, definition) for number, one in enumerate(value)]
    got = f"{len(value)} values" if isinstance(value, tuple) else kind_of(value)
    raise DagsterInvariantViolationError(
        f"`{definition.op.name}` has {len(names)} outputs, and returned {got}",
        hint=f"return a tuple in this order: {', '.join(names)}",
    )


def positional(item: Any, names: Sequence[str], number: int, definition: AssetsDefinition) -> Any:
    """Return an element of a returned tuple under the name of its place."""
    if not isinstance(item, Output):
        return item if isinstance(item, RESULTS) else Output(item, names[number])
    if number >= len(names) or item.output_name == names[number]:
        return item
    if item.output_name == RESULT and RESULT not in names:
        return replace(item, output_name=names[number])
    raise DagsterInvariantViolationError(
        f"`{definition.op.name}` returned `{item.output_name}` in the place of `{names[number]}`",
        hint=f"return a tuple in this order: {', '.join(names)}",
    )


# -- one item


def take(harvest: Harvest, definition: AssetsDefinition, ports: Wiring, item: Any) -> None:
    """Put one item where it belongs."""
    if isinstance(item, AssetCheckResult):
        take_verdict(harvest, definition, item)
    elif isinstance(item, MaterializeResult | ObserveResult):
        take_result(harvest, definition, ports, item)
    elif isinstance(item, Output):
        take_output(harvest, definition, ports, item)
    elif isinstance(item, EVENTS):
        harvest.events.append(item)
    else:
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` yielded {kind_of(item)}: a step yields `Output`, `MaterializeResult` or events",
            hint="a generator can't be a value, because it can be read only once: return `list(...)`",
        )


def take_output(harvest: Harvest, definition: AssetsDefinition, ports: Wiring, output: Output[Any]) -> None:
    """Take an output by its name."""
    name = output.output_name
    if name == RESULT and name not in ports.outlets and len(ports.outlets) == 1:
        name = next(iter(ports.outlets))
    if name in definition.check_specs_by_output_name and isinstance(output.value, AssetCheckResult):
        take_verdict(harvest, definition, output.value)
        return
    carries = name in ports.outlets and ports.outlets[name].carries
    add(
        harvest, definition, ports, name, Made(output.value, output.metadata, output.tags, output.data_version, carries)
    )


def take_result(
    harvest: Harvest, definition: AssetsDefinition, ports: Wiring, result: MaterializeResult[Any] | ObserveResult
) -> None:
    """Take a MaterializeResult: an output and its checks."""
    key = result.asset_key or only(definition)
    if key not in definition.keys:
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` doesn't make `{key}` now", hint=closest(str(key), map(str, definition.keys))
        )
    name = definition.get_output_name_for_asset_key(key)
    has_value = isinstance(result, MaterializeResult) and result.has_value
    if not has_value and not accepts_no_value(ports, name):
        has_value = True
    value = result.value if isinstance(result, MaterializeResult) and result.has_value else None
    metadata = normalize_metadata(result.metadata) if result.metadata else {}
    add(harvest, definition, ports, name, Made(value, metadata, result.tags, result.data_version, has_value))
    for verdict in result.check_results or ():
        take_verdict(harvest, definition, replace(verdict, asset_key=verdict.asset_key or key))


def accepts_no_value(ports: Wiring, name: str) -> bool:
    """Tell whether an output may go without a value: not where a type was declared."""
    return not ports.outlets[name].carries or ports.outlets[name].type.is_any


def add(harvest: Harvest, definition: AssetsDefinition, ports: Wiring, name: str, made: Made) -> None:
    """Add an output under its name.

    Raises:
        DagsterInvariantViolationError: when there's none of this name, or it isn't selected, or was there before.
    """
    if name not in definition.op.outs:
        names = list(ports.outlets)
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` has no output `{name}`", hint=closest(name, names) or f"it has {', '.join(names)}"
        )
    if name not in ports.outlets:
        raise DagsterInvariantViolationError(
            f"`{name}` was yielded and isn't selected",
            where=definition.op.name,
            hint="look at `context.selected_output_names`",
        )
    if name in harvest.outputs:
        raise DagsterInvariantViolationError(f"`{definition.op.name}` made output `{name}` twice")
    harvest.outputs[name] = made


def only(definition: AssetsDefinition) -> AssetKey:
    """Return the only asset selected.

    Raises:
        DagsterInvariantViolationError: when there are several.
    """
    if len(definition.keys) != 1:
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` makes {len(definition.keys)} assets: a result says which",
            hint="MaterializeResult(asset_key=...)",
        )
    return definition.key


def take_verdict(harvest: Harvest, definition: AssetsDefinition, verdict: AssetCheckResult) -> None:
    """Take a check's verdict under its key."""
    spec = spec_of(definition, verdict)
    if spec.key in harvest.verdicts:
        raise DagsterInvariantViolationError(f"check `{spec.key}` gave its verdict twice")
    harvest.verdicts[spec.key] = replace(verdict, asset_key=spec.asset_key, check_name=spec.name)


def spec_of(definition: AssetsDefinition, verdict: AssetCheckResult) -> AssetCheckSpec:
    """Return the check that a verdict is of.

    Raises:
        DagsterInvariantViolationError: when that isn't clear.
    """
    fits = fitting(verdict, definition.check_specs) or fitting(
        verdict, definition.all_check_specs_by_output_name.values()
    )
    if len(fits) != 1:
        said = f"`{verdict.asset_key or '?'}:{verdict.check_name or '?'}`"
        known = ", ".join(f"`{spec.key}`" for spec in definition.check_specs) or "none"
        raise DagsterInvariantViolationError(
            f"a verdict of {said} fits {len(fits)} checks of `{definition.op.name}`: {known}"
        )
    return fits[0]


def fitting(verdict: AssetCheckResult, specs: Iterable[AssetCheckSpec]) -> list[AssetCheckSpec]:
    """Return the checks that a verdict may be of."""
    asset, name = verdict.asset_key, verdict.check_name
    return [spec for spec in specs if asset in (None, spec.asset_key) and name in (None, spec.name)]


# -- all of it


def add_implicit(harvest: Harvest, ports: Wiring) -> None:
    """Make the outputs that carry no value: they need not be returned."""
    for name, outlet in ports.outlets.items():
        if name not in harvest.outputs and not outlet.carries and outlet.port.is_required:
            harvest.outputs[name] = Made(has_value=False)


def refuse_disorder(harvest: Harvest, definition: AssetsDefinition, ports: Wiring) -> None:
    """Refuse outputs that come before those of the same step that they depend on.

    Raises:
        DagsterInvariantViolationError: naming the two.
    """
    order = [ports.outlets[name].key for name in harvest.outputs] if len(harvest.outputs) > 1 else []
    for place, key in enumerate(order):
        late = definition.asset_deps[key].intersection(order[place + 1 :])
        if late:
            raise DagsterInvariantViolationError(
                f"`{definition.op.name}` made `{key}` before `{min(late)}`, on which it depends",
                hint=f"yield `{min(late)}` first",
            )


def require_all(harvest: Harvest, definition: AssetsDefinition, ports: Wiring) -> None:
    """Refuse a step that didn't make all that it must.

    Raises:
        DagsterStepOutputNotFoundError: naming what is missing.
    """
    outs = definition.op.outs
    missing = [name for name in ports.outlets if name not in harvest.outputs and outs[name].is_required]
    if missing and not definition.can_subset:
        raise DagsterStepOutputNotFoundError(
            f"`{definition.op.name}` did not make its output {', '.join(f'`{n}`' for n in missing)}"
        )
    named = definition.check_specs_by_output_name.items()
    silent = [spec.key for name, spec in named if spec.key not in harvest.verdicts and outs[name].is_required]
    if silent:
        raise DagsterStepOutputNotFoundError(
            f"`{definition.op.name}` gave no verdict of {', '.join(f'`{key}`' for key in silent)}",
            hint="yield or return AssetCheckResult",
        )


def kind_of(value: Any) -> str:
    """Return what a value is, for a message."""
    return "None" if value is None else f"a `{type(value).__name__}`"
