"""What a function returned or yielded, matched with the outputs and checks that its step must make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from numbers import Number
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError, DagsterStepOutputNotFoundError, closest
from ipy_orch.execution.forms import dynamic_items, refuse_form
from ipy_orch.execution.step import EVENTS, Outcome
from ipy_orch.execution.wiring import Wiring
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.ops import RESULT
from ipy_orch.model.results import (
    AssetCheckResult,
    AssetCheckSeverity,
    DataVersion,
    DynamicOutput,
    MaterializeResult,
    ObserveResult,
    Output,
)

__all__ = ["EVENTS", "RESULTS", "Harvest", "Made", "gather", "kind_of", "spec_of"]

SEVERITY: Final = "ipy_orch/severity"
RESULTS: Final = (Output, DynamicOutput, MaterializeResult, ObserveResult, AssetCheckResult)
PASSED_ON: Final = (
    "`{}` returned None for the output `{}`, which needn't be made. This value will be passed to downstream ops; "
    "to leave the output out, `yield Output(...)` only where there is a value"
)
VOWELS: Final = "aeiou"
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
    """Be what a step made: outputs by name (dynamic ones by name and key), verdicts by check, and other events.

    Args:
        remark: what is to be told of it in the step's log.
    """

    outputs: dict[str, Made] = field(default_factory=dict)
    mapped: dict[str, dict[str, Made]] = field(default_factory=dict)
    verdicts: dict[AssetCheckKey, AssetCheckResult] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)
    remark: str = ""


def gather(ports: Wiring, outcome: Outcome) -> Harvest:
    """Return what a call made.

    Raises:
        DagsterInvariantViolationError: for what wasn't asked for, twice the same, or isn't an output.
        DagsterStepOutputNotFoundError: when something required is missing, unless the step failed anyway.
    """
    if ports.only is not None and not outcome.yielded and outcome.error is None:
        value = outcome.produced[0]
        if ports.forms:
            refuse_form(ports.op, ports.only.name, value, ports.forms)
        if not isinstance(value, SAID) and not ports.only.port.is_dynamic:
            harvest = Harvest({ports.only.name: Made(value, has_value=ports.only.carries)})
            if value is None and not ports.only.port.is_required and ports.only.carries:
                harvest.remark = PASSED_ON.format(ports.op.name, ports.only.name)
            return harvest
    harvest = Harvest()
    for item in outcome.produced if outcome.yielded else returned(ports, outcome.produced):
        take(harvest, ports, item)
    if outcome.error is None:
        add_implicit(harvest, ports)
        refuse_disorder(harvest, ports)
        require_all(harvest, ports)
    return harvest


# -- what was returned


def returned(ports: Wiring, produced: Sequence[Any]) -> Iterable[Any]:
    """Return the items of a return value: itself, its elements, or an Output around it."""
    if not produced:
        return ()
    value = produced[0]
    if ports.makes_checks_only:
        return [as_verdict(one, ports) for one in several(value, ports)]
    if isinstance(value, RESULTS):
        # to an op without checks in a graph of assets, a verdict is a value like any other
        inside = ports.is_in_graph and ports.only is not None and not ports.checks_by_output
        plain = isinstance(value, AssetCheckResult) and inside
        return [Output(value, ports.only.name)] if plain and ports.only is not None else [value]
    refuse_event(value, ports)
    if ports.only is not None and ports.only.port.is_dynamic:
        return dynamic_items(value, ports.only.name, ports.op)
    if ports.only is not None:
        return [Output(value, ports.only.name)]
    return unpacked(ports, value)


def refuse_event(value: Any, ports: Wiring) -> None:
    """Refuse a report in the place of a value.

    Raises:
        DagsterInvariantViolationError: for one.
    """
    if isinstance(value, EVENTS):
        raise DagsterInvariantViolationError(
            f"`{ports.op.name}` returned {kind_of(value)}, which is a report and no value",
            hint="`context.log_event(...)`, or yield it before an `Output`; of the asset itself: `MaterializeResult`",
        )


def several(value: Any, ports: Wiring) -> Sequence[Any]:
    """Return the verdicts of a checks' function: one, or a list of them."""
    is_pair = isinstance(value, tuple) and len(value) == 2 and not is_verdict(value[1])
    if isinstance(value, tuple) and not is_pair:
        return value
    return [] if value is None and len(ports.selected_checks) != 1 else [value]


def as_verdict(value: Any, ports: Wiring) -> Any:
    """Return a check's value as an AssetCheckResult: a bool, or a bool with metadata, stand for one.

    Raises:
        DagsterInvariantViolationError: for anything else.
    """
    if isinstance(value, AssetCheckResult | Output):
        return value
    verdict, metadata = (
        value if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping) else (value, None)
    )
    if is_bool(verdict):
        return AssetCheckResult(passed=bool(verdict), metadata=metadata, severity=declared_severity(ports))
    raise DagsterInvariantViolationError(
        f"a check's value is a bool, an AssetCheckResult, or (bool, metadata), and this is {kind_of(value)}",
        where=f"check `{next(iter(ports.checks)).label}`",
        hint=way_to_verdict(value),
    )


def way_to_verdict(value: Any) -> str:
    """Return what to write where a check's value isn't a verdict; it must not turn the verdict round.

    >>> [way_to_verdict(value) for value in (3, [], (False, "late"))]
    ['compare it: `... == 0`', 'compare its length: `len(...) == 0`', "metadata has names: `..., {'why': 'late'}`"]
    """
    if value is None:
        return "the cell's last line, or `return`, gave None: it is the condition, e.g. `len(orders) > 0`"
    if isinstance(value, tuple) and len(value) == 2 and is_bool(value[0]):
        return f"metadata has names: `..., {{'why': {value[1]!r:.60}}}`"
    if isinstance(value, Number):
        return "compare it: `... == 0`"
    if str(getattr(value, "dtype", "")).lower().startswith("bool"):
        return "`.all()` behind the condition"
    if hasattr(value, "dtype"):
        return "compare its elements: `(... == 0).all()`"
    return "compare its length: `len(...) == 0`" if isinstance(value, Sized) else "`bool(...)` around the condition"


def is_bool(value: Any) -> bool:
    """Tell whether a value is a bool, or what the comparisons of numpy give."""
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def is_verdict(value: Any) -> bool:
    """Tell whether a value alone is the verdict of a check."""
    return isinstance(value, AssetCheckResult | Output) or is_bool(value)


def declared_severity(ports: Wiring) -> AssetCheckSeverity:
    """Return the severity that a check cell was given by its option."""
    said = next(iter(ports.checks.values())).metadata.get(SEVERITY, "ERROR")
    return AssetCheckSeverity(getattr(said, "value", said))


def unpacked(ports: Wiring, value: Any) -> Sequence[Any]:
    """Return the elements of the value of a function with several outputs, each under the name of its place.

    Raises:
        DagsterInvariantViolationError: when their number is another, or one names another output.
    """
    if value is None and not any(outlet.carries for outlet in ports.outlets.values()):
        return []
    names = list(ports.op.outs)
    if isinstance(value, tuple) and (len(value) == len(names) or all(isinstance(one, RESULTS) for one in value)):
        return [item for number, one in enumerate(value) for item in placed(one, names, number, ports)]
    got = f"{len(value)} values" if isinstance(value, tuple) else kind_of(value)
    raise DagsterInvariantViolationError(
        f"`{ports.op.name}` has {len(names)} outputs, and returned {got}",
        hint=f"return a tuple in this order: {', '.join(names)}",
    )


def placed(item: Any, names: Sequence[str], number: int, ports: Wiring) -> Sequence[Any]:
    """Return an element of a returned tuple as items: several where its place is that of a dynamic output."""
    if number < len(names):
        refuse_form(ports.op, names[number], item, ports.forms)
    if number < len(names) and ports.op.outs[names[number]].is_dynamic:
        return dynamic_items(item, names[number], ports.op)
    return [positional(item, names, number, ports)]


def positional(item: Any, names: Sequence[str], number: int, ports: Wiring) -> Any:
    """Return an element of a returned tuple under the name of its place."""
    if not isinstance(item, Output):
        return item if isinstance(item, RESULTS) else Output(item, names[number])
    if number >= len(names) or item.output_name == names[number]:
        return item
    if item.output_name == RESULT and RESULT not in names:
        return replace(item, output_name=names[number])
    raise DagsterInvariantViolationError(
        f"`{ports.op.name}` returned `{item.output_name}` in the place of `{names[number]}`",
        hint=f"return a tuple in this order: {', '.join(names)}",
    )


# -- one item


def take(harvest: Harvest, ports: Wiring, item: Any) -> None:
    """Put one item where it belongs."""
    if isinstance(item, AssetCheckResult):
        take_verdict(harvest, ports, item)
    elif isinstance(item, MaterializeResult | ObserveResult):
        take_result(harvest, ports, item)
    elif isinstance(item, Output):
        take_output(harvest, ports, item)
    elif isinstance(item, DynamicOutput):
        take_dynamic(harvest, ports, item)
    elif isinstance(item, EVENTS):
        harvest.events.append(item)
    else:
        raise DagsterInvariantViolationError(
            f"`{ports.op.name}` yielded {kind_of(item)}: a step yields `Output`, `MaterializeResult` or events",
            hint="a generator can't be a value, because it can be read only once: put `list(...)` around it",
        )


def take_dynamic(harvest: Harvest, ports: Wiring, output: DynamicOutput[Any]) -> None:
    """Take one value of a dynamic output.

    Raises:
        DagsterInvariantViolationError: when the output isn't dynamic, or a mapping key is there twice.
    """
    name, key = output.output_name, output.mapping_key
    if name == RESULT and name not in ports.outlets and len(ports.outlets) == 1:
        name = next(iter(ports.outlets))
    if name not in ports.outlets or not ports.outlets[name].port.is_dynamic:
        hint = "out=DynamicOut()" if name in ports.outlets else closest(name, ports.outlets)
        raise DagsterInvariantViolationError(f"`{ports.op.name}` has no dynamic output `{name}`", hint=hint)
    made = harvest.mapped.setdefault(name, {})
    if key in made:
        raise DagsterInvariantViolationError(f"`{ports.op.name}` made `{key}` of its dynamic output `{name}` twice")
    made[key] = Made(output.value, output.metadata)


def take_output(harvest: Harvest, ports: Wiring, output: Output[Any]) -> None:
    """Take an output by its name."""
    name = output.output_name
    if name == RESULT and name not in ports.outlets and len(ports.outlets) == 1:
        name = next(iter(ports.outlets))
    if name in ports.checks_by_output and isinstance(output.value, AssetCheckResult):
        take_verdict(harvest, ports, output.value)
        return
    carries = name in ports.outlets and ports.outlets[name].carries
    if name in ports.outlets and ports.outlets[name].port.is_dynamic:
        raise DagsterInvariantViolationError(
            f"`{name}` of `{ports.op.name}` is a dynamic output", hint="DynamicOutput(value, mapping_key=...)"
        )
    add(harvest, ports, name, Made(output.value, output.metadata, output.tags, output.data_version, carries))


def take_result(harvest: Harvest, ports: Wiring, result: MaterializeResult[Any] | ObserveResult) -> None:
    """Take a MaterializeResult: an output and its checks."""
    key = result.asset_key or only(ports)
    if key not in ports.output_of:
        raise DagsterInvariantViolationError(
            f"`{ports.op.name}` doesn't make `{key.label}` now", hint=closest(key.label, labels(ports.output_of))
        )
    name = ports.output_of[key]
    has_value = isinstance(result, MaterializeResult) and result.has_value
    if not has_value and not accepts_no_value(ports, name):
        has_value = True
    value = result.value if isinstance(result, MaterializeResult) and result.has_value else None
    metadata = normalize_metadata(result.metadata) if result.metadata else {}
    add(harvest, ports, name, Made(value, metadata, result.tags, result.data_version, has_value))
    for verdict in result.check_results or ():
        take_verdict(harvest, ports, replace(verdict, asset_key=verdict.asset_key or key))


def accepts_no_value(ports: Wiring, name: str) -> bool:
    """Tell whether an output may go without a value: not where a type was declared."""
    return not ports.outlets[name].carries or ports.outlets[name].type.is_any


def add(harvest: Harvest, ports: Wiring, name: str, made: Made) -> None:
    """Add an output under its name.

    Raises:
        DagsterInvariantViolationError: when there's none of this name, or it isn't selected, or was there before.
    """
    if name not in ports.op.outs:
        names = list(ports.outlets)
        raise DagsterInvariantViolationError(
            f"`{ports.op.name}` has no output `{name}`", hint=closest(name, names) or f"it has {', '.join(names)}"
        )
    if name not in ports.outlets:
        raise DagsterInvariantViolationError(
            f"`{name}` was yielded and isn't selected",
            where=ports.op.name,
            hint="look at `context.selected_output_names`",
        )
    if name in harvest.outputs:
        raise DagsterInvariantViolationError(f"`{ports.op.name}` made output `{name}` twice")
    harvest.outputs[name] = made


def only(ports: Wiring) -> AssetKey:
    """Return the only asset selected.

    Raises:
        DagsterInvariantViolationError: when there are several.
    """
    if len(ports.output_of) != 1:
        raise DagsterInvariantViolationError(
            f"`{ports.op.name}` makes {len(ports.output_of)} assets: a result says which",
            hint="MaterializeResult(asset_key=...)"
            if ports.output_of
            else "an op that makes no asset returns its value",
        )
    return next(iter(ports.output_of))


def take_verdict(harvest: Harvest, ports: Wiring, verdict: AssetCheckResult) -> None:
    """Take a check's verdict under its key."""
    spec = spec_of(ports.op.name, ports.selected_checks, ports.checks_by_output, verdict)
    if spec.key in harvest.verdicts:
        raise DagsterInvariantViolationError(f"check `{spec.key.label}` gave its verdict twice")
    harvest.verdicts[spec.key] = replace(verdict, asset_key=spec.asset_key, check_name=spec.name)


def spec_of(
    op: str,
    selected: Mapping[str, AssetCheckSpec],
    every: Mapping[str, AssetCheckSpec],
    verdict: AssetCheckResult,
) -> AssetCheckSpec:
    """Return the check that a verdict is of.

    Args:
        selected: output -> check, of those that must be made.
        every: output -> check, of all that the op can make.

    Raises:
        DagsterInvariantViolationError: when that isn't clear.
    """
    fits = fitting(verdict, selected.values()) or fitting(verdict, every.values())
    if len(fits) != 1:
        said = f"`{verdict.asset_key.label if verdict.asset_key else '?'}:{verdict.check_name or '?'}`"
        known = ", ".join(f"`{spec.key.label}`" for spec in selected.values()) or "none"
        raise DagsterInvariantViolationError(
            f"a verdict of {said} fits {len(fits)} checks of `{op}`: {known}",
            hint="" if every else "declare it: `check_specs=[AssetCheckSpec(...)]`",
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
        if (
            name not in harvest.outputs
            and not outlet.carries
            and outlet.port.is_required
            and not outlet.port.is_dynamic
        ):
            harvest.outputs[name] = Made(has_value=False)


def refuse_disorder(harvest: Harvest, ports: Wiring) -> None:
    """Refuse outputs that come before those of the same step that they depend on.

    Raises:
        DagsterInvariantViolationError: naming the two.
    """
    if ports.definition is None or len(harvest.outputs) < 2:
        return
    order = [key for name in harvest.outputs if (key := ports.outlets[name].key) is not None]
    for place, key in enumerate(order):
        late = ports.definition.asset_deps[key].intersection(order[place + 1 :])
        if late:
            raise DagsterInvariantViolationError(
                f"`{ports.op.name}` made `{key.label}` before `{min(late).label}`, on which it depends",
                hint=f"yield `{min(late).label}` first",
            )


def require_all(harvest: Harvest, ports: Wiring) -> None:
    """Refuse a step that didn't make all that it must.

    Raises:
        DagsterStepOutputNotFoundError: naming what is missing.
    """
    outs = ports.op.outs
    missing = [name for name in ports.required if name not in harvest.outputs]
    if missing:
        raise DagsterStepOutputNotFoundError(
            f"`{ports.op.name}` did not make its output {', '.join(f'`{n}`' for n in missing)}",
            hint="AssetOut(is_required=False), for what needn't be made in each run" if ports.can_subset else "",
        )
    named = ports.selected_checks.items()
    silent = [spec.key for name, spec in named if spec.key not in harvest.verdicts and outs[name].is_required]
    if silent:
        raise DagsterStepOutputNotFoundError(
            f"`{ports.op.name}` gave no verdict of {', '.join(f'`{key.label}`' for key in silent)}",
            hint="yield or return AssetCheckResult",
        )


def kind_of(value: Any) -> str:
    """Return what a value is, for a message."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in VOWELS else 'a'} `{name}`"
