"""Calling a schedule or sensor as a function: with a context, with resources by name, or with neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from ipy_orch.automation.contexts import ScheduleEvaluationContext, SensorEvaluationContext, TickContext
from ipy_orch.automation.multi_asset import MultiAssetSensorEvaluationContext
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvalidInvocationError, closest
from ipy_orch.model.automation import schedules, sensors
from ipy_orch.model.automation.functions import TickFunction
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.automation.sensors import SensorDefinition

__all__ = ["invoke", "resources_for"]


@schedules.invoke.supply
@sensors.invoke.supply
def invoke(one: ScheduleDefinition | SensorDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call the function of a schedule or sensor.

    Raises:
        DagsterInvalidInvocationError: for arguments that it doesn't take, or a schedule without such a function.
        DagsterInvalidDefinitionError: when a resource is missing.
    """
    function, what = one.function, what_of(one)
    if function is None or (isinstance(one, ScheduleDefinition) and not one.is_decorated):
        raise DagsterInvalidInvocationError(f"{what} has no function to call", hint="`evaluate_tick(context)`")
    given = {name: kwargs[name] for name in kwargs if name in one.required_resource_keys}
    rest = {name: value for name, value in kwargs.items() if name not in given}
    positional = given_by_position(function, args, rest, what)
    context = positional[0] if positional and positional[0] is not None else blank(one)
    context = context.merge_resources(given) if given else context
    resources = resources_for(function, one.required_resource_keys, context, what)
    made = function.call([context, *positional[1:]], resources)
    if isinstance(context, MultiAssetSensorEvaluationContext):
        context.update_cursor_after_evaluation()
    return deepcopy(made) if isinstance(made, dict) else made


def what_of(one: ScheduleDefinition | SensorDefinition) -> str:
    """Return how a schedule or sensor is named in messages."""
    return f"{'schedule' if isinstance(one, ScheduleDefinition) else 'sensor'} `{one.name}`"


def blank(one: ScheduleDefinition | SensorDefinition) -> TickContext:
    """Return a context that says nothing."""
    return ScheduleEvaluationContext() if isinstance(one, ScheduleDefinition) else SensorEvaluationContext()


def given_by_position(function: TickFunction, args: Sequence[Any], kwargs: Mapping[str, Any], what: str) -> list[Any]:
    """Return the context and what follows it, in the order of the parameters.

    Raises:
        DagsterInvalidInvocationError: for a missing or unknown argument, or a resource by position.
    """
    names = function.given or ("context",)
    for value in args:
        if value is not None and not isinstance(value, TickContext) and len(names) < 2:
            told = f"{what} takes its context by position, and resources by name, not {value!r}"
            raise DagsterInvalidInvocationError(told, hint=f"{next(iter(function.resources), 'db')}=...")
    if len(args) > len(names) or (args and names[0] in kwargs):
        raise DagsterInvalidInvocationError(f"{what} takes one context, and got several arguments")
    found = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            known = [*names, *function.resources]
            hint = closest(name, known) or f"it takes {', '.join(f'`{one}`' for one in known)}"
            raise DagsterInvalidInvocationError(f"{what} takes no argument `{name}`", hint=hint)
        found[name] = value
    missing = [name for name in function.given if name not in found]
    if missing:
        hint = "`build_schedule_context()`" if what.startswith("schedule") else "`build_sensor_context()`"
        raise DagsterInvalidInvocationError(f"{what} takes `{missing[0]}`, and got none", hint=hint)
    return [found[name] for name in names if name in found]


def resources_for(function: TickFunction | None, keys: frozenset[str], context: Any, what: str) -> dict[str, Any]:
    """Return the resources that are arguments of a function; those it needs otherwise must be there, too.

    Raises:
        DagsterInvalidDefinitionError: when one is missing.
        DagsterInvariantViolationError: when one must be closed, and the context isn't used by ``with``.
    """
    if not keys:
        return {}
    missing = sorted(keys - context.resource_defs.keys())
    if missing:
        told = f"{what} needs the resource `{missing[0]}`, and it wasn't given"
        hint = closest(missing[0], context.resource_defs) or f'resources={{"{missing[0]}": ...}}'
        raise DagsterInvalidDefinitionError(told, hint=hint)
    made: dict[str, Any] = context.opened(function.resources if function is not None else ())
    return made
