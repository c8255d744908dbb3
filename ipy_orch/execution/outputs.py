"""What a function returned or yielded, matched with the outputs and checks that its step must make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError, DagsterStepOutputNotFoundError, closest
from ipy_orch.execution.step import Outcome
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.results import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DynamicOutput,
    ExpectationResult,
    MaterializeResult,
    ObserveResult,
    Output,
)
from ipy_orch.planning.plan import Step

__all__ = ["Harvest", "gather"]

SEVERITY: Final = "ipy_orch/severity"
RESULTS = (Output, DynamicOutput, MaterializeResult, ObserveResult, AssetCheckResult)
EVENTS = (AssetMaterialization, AssetObservation, ExpectationResult)


@dataclass(slots=True)
class Harvest:
    """Be what a step made: outputs by name, verdicts by check, and other events."""

    outputs: dict[str, Output[Any]] = field(default_factory=dict)
    verdicts: dict[AssetCheckKey, AssetCheckResult] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)


def gather(step: Step, outcome: Outcome) -> Harvest:
    """Return what the step made.

    Raises:
        DagsterInvariantViolationError: for what wasn't asked for, twice the same, or isn't an output.
        DagsterStepOutputNotFoundError: when something required is missing, unless the step failed anyway.
    """
    harvest = Harvest()
    definition = step.definition
    for item in outcome.produced if outcome.yielded else returned(definition, outcome.produced):
        take(harvest, definition, item)
    if outcome.error is None:
        add_implicit(harvest, step)
        require_all(harvest, step)
    return harvest


def returned(definition: AssetsDefinition, produced: Sequence[Any]) -> Iterable[Any]:
    """Return the items of a return value: itself, its elements, or an Output around it."""
    if not produced:
        return ()
    value = produced[0]
    names = value_outputs(definition)
    if not definition.has_keys:
        return [as_verdict(one, definition) for one in several(value, definition)]
    if isinstance(value, RESULTS):
        return [value]
    if isinstance(value, tuple | list) and any(isinstance(one, RESULTS) for one in value):
        return [positional(one, names, number) for number, one in enumerate(value)]
    if len(names) == 1:
        return [Output(value, names[0])]
    return unpacked(definition, value, names)


def value_outputs(definition: AssetsDefinition) -> list[str]:
    """Return the outputs that are assets and selected, in order."""
    return list(definition.keys_by_output_name)


def several(value: Any, definition: AssetsDefinition) -> Sequence[Any]:
    """Return the verdicts of a checks' function: one, or a list of them."""
    if len(definition.check_keys) > 1 and isinstance(value, tuple | list):
        return value
    return [] if value is None and len(definition.check_keys) != 1 else [value]


def as_verdict(value: Any, definition: AssetsDefinition) -> Any:
    """Return a check's value as an AssetCheckResult: a bool, or a bool with metadata, stand for one.

    Raises:
        DagsterInvariantViolationError: for anything else.
    """
    if isinstance(value, AssetCheckResult):
        return value
    verdict, metadata = value if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping) else (value, None)
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


def positional(item: Any, names: Sequence[str], number: int) -> Any:
    """Return an element of a returned tuple under the name of its place, where it has none of its own."""
    if isinstance(item, Output) and item.output_name == "result" and "result" not in names and number < len(names):
        return replace_name(item, names[number])
    if isinstance(item, RESULTS + EVENTS):
        return item
    return Output(item, names[number]) if number < len(names) else item


def replace_name(output: Output[Any], name: str) -> Output[Any]:
    """Return an output under another name."""
    return Output(output.value, name, metadata=output.metadata, data_version=output.data_version, tags=output.tags)


def unpacked(definition: AssetsDefinition, value: Any, names: Sequence[str]) -> Sequence[Any]:
    """Return the elements of the value of a function with several outputs.

    Raises:
        DagsterInvariantViolationError: when their number is another.
    """
    if value is None:
        return []
    if not isinstance(value, tuple | list) or len(value) != len(names):
        got = f"{len(value)} values" if isinstance(value, tuple | list) else kind_of(value)
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` has {len(names)} outputs, and returned {got}",
            hint=f"return a tuple in this order: {', '.join(names)}",
        )
    return [positional(one, names, number) for number, one in enumerate(value)]


def take(harvest: Harvest, definition: AssetsDefinition, item: Any) -> None:
    """Put one item where it belongs."""
    match item:
        case AssetCheckResult():
            take_verdict(harvest, definition, item)
        case MaterializeResult() | ObserveResult():
            take_result(harvest, definition, item)
        case Output():
            take_output(harvest, definition, item)
        case AssetMaterialization() | AssetObservation() | ExpectationResult():
            harvest.events.append(item)
        case _:
            raise DagsterInvariantViolationError(
                f"`{definition.op.name}` yielded {kind_of(item)}, and a step yields `Output`, `MaterializeResult` or events",
                hint="a generator can't be a value, because it can be read only once: return `list(...)`",
            )


def take_output(harvest: Harvest, definition: AssetsDefinition, output: Output[Any]) -> None:
    """Take an output by its name."""
    name = output.output_name
    names = value_outputs(definition)
    if name == "result" and name not in names and len(names) == 1:
        name, output = names[0], replace_name(output, names[0])
    if name not in definition.op.outs:
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` has no output `{name}`", hint=closest(name, names) or f"it has {', '.join(names)}"
        )
    if name not in names and name in definition.all_keys_by_output_name:
        raise DagsterInvariantViolationError(
            f"`{name}` was yielded and isn't selected", where=definition.op.name, hint="look at `context.selected_output_names`"
        )
    if name in harvest.outputs:
        raise DagsterInvariantViolationError(f"`{definition.op.name}` made output `{name}` twice")
    harvest.outputs[name] = output


def take_result(harvest: Harvest, definition: AssetsDefinition, result: MaterializeResult[Any] | ObserveResult) -> None:
    """Take a MaterializeResult: an output and its checks."""
    key = result.asset_key or only(definition)
    if key not in definition.keys:
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` doesn't make `{key}` now", hint=closest(str(key), map(str, definition.keys))
        )
    value = getattr(result, "value", NO_RESULT)
    name = definition.get_output_name_for_asset_key(key)
    output = Output(value, name, metadata=result.metadata, data_version=result.data_version, tags=result.tags)
    take_output(harvest, definition, output)
    for verdict in result.check_results or ():
        take_verdict(harvest, definition, replace(verdict, asset_key=verdict.asset_key or key))


NO_RESULT: Any = None


def only(definition: AssetsDefinition) -> AssetKey:
    """Return the only asset selected.

    Raises:
        DagsterInvariantViolationError: when there are several.
    """
    if len(definition.keys) != 1:
        raise DagsterInvariantViolationError(
            f"`{definition.op.name}` makes {len(definition.keys)} assets: a result says which", hint="MaterializeResult(asset_key=...)"
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
    fits = [
        spec
        for spec in definition.check_specs
        if verdict.asset_key in (None, spec.asset_key) and verdict.check_name in (None, spec.name)
    ]
    if len(fits) != 1:
        said = f"`{verdict.asset_key or '?'}:{verdict.check_name or '?'}`"
        known = ", ".join(f"`{spec.key}`" for spec in definition.check_specs) or "none"
        raise DagsterInvariantViolationError(f"a verdict of {said} fits {len(fits)} checks of `{definition.op.name}`: {known}")
    return fits[0]


def add_implicit(harvest: Harvest, step: Step) -> None:
    """Make the outputs that carry no value: they need not be returned."""
    for name in value_outputs(step.definition):
        port = step.definition.op.outs[name]
        if name not in harvest.outputs and port.is_nothing and port.is_required:
            harvest.outputs[name] = Output(None, name)


def require_all(harvest: Harvest, step: Step) -> None:
    """Refuse a step that didn't make all that it must."""
    definition = step.definition
    missing = [n for n in value_outputs(definition) if n not in harvest.outputs and definition.op.outs[n].is_required]
    if missing and not definition.can_subset:
        raise DagsterStepOutputNotFoundError(f"`{definition.op.name}` did not make its output {', '.join(f'`{n}`' for n in missing)}")
    silent = [key for name, key in named_checks(definition) if key not in harvest.verdicts and definition.op.outs[name].is_required]
    if silent:
        raise DagsterStepOutputNotFoundError(
            f"`{definition.op.name}` gave no verdict of {', '.join(f'`{key}`' for key in silent)}", hint="yield or return AssetCheckResult"
        )


def named_checks(definition: AssetsDefinition) -> list[tuple[str, AssetCheckKey]]:
    """Return output and key of the selected checks."""
    return [(name, spec.key) for name, spec in definition.check_specs_by_output_name.items()]


def kind_of(value: Any) -> str:
    """Return what a value is, for a message."""
    return "None" if value is None else f"a `{type(value).__name__}`"


