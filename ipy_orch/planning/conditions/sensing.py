"""What a sensor asks for, of what conditions are true of: one run for all that isn't partitioned, one per partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidInvocationError
from ipy_orch.model.automation.condition_sensors import (
    DEFAULT_CONDITION_SENSOR,
    AutomationConditionSensorDefinition,
    sense,
)
from ipy_orch.model.automation.requests import RunRequest, SensorResult
from ipy_orch.model.keys import AssetCheckKey, AssetJobKey, AssetKey
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.planning.conditions.cursor import AutomationCursor
from ipy_orch.planning.conditions.subsets import EntityKey, Value, partitions_in
from ipy_orch.planning.conditions.ticks import automated_jobs, conditions_in, of_jobs, run_tick, updates_of
from ipy_orch.planning.conditions.view import View
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["FROM_CONDITION", "default_sensor", "run_requests", "targets_of"]

FROM_CONDITION: Final = "dagster/from_automation_condition"
MOST_IN_USER_CODE: Final = 500

Group = tuple[PartitionsDefinition | None, str | None]


def targets_of(sensor: AutomationConditionSensorDefinition, graph: Any, jobs: Iterable[Any]) -> tuple[Any, Any]:
    """Return the conditions that a sensor evaluates, by key, and the jobs that have some."""
    conditions = conditions_in(graph, sensor.asset_selection)
    if sensor.default_condition is not None:
        for key in sensor.asset_selection.resolve(graph) if sensor.asset_selection is not None else ():
            if graph.makers[key].is_executable:
                conditions.setdefault(key, sensor.default_condition)
    found = automated_jobs(graph, jobs)
    chosen = {key.job_name for key in sensor.asset_job_keys}
    own = {name: job for name, job in found.items() if name in chosen}
    return {**conditions, **(of_jobs(own) if not sensor.use_user_code_server else {})}, found


def default_sensor(
    graph: AssetGraph, sensors: Iterable[Any], jobs: Iterable[Any] = ()
) -> AutomationConditionSensorDefinition | None:
    """Return the sensor that evaluates the conditions that no other sensor does; None where there are none.

    It is off until somebody switches it on.
    """
    others = [one for one in sensors if isinstance(one, AutomationConditionSensorDefinition)]
    taken = {key for one in others for key in conditions_in(graph, one.asset_selection)}
    taken |= {key for one in others for key in one.asset_job_keys}
    left = [key for key in {**conditions_in(graph), **of_jobs(automated_jobs(graph, jobs))} if key not in taken]
    if not left:
        return None
    assets = [key for key in left if isinstance(key, AssetKey)]
    checks = [key for key in left if isinstance(key, AssetCheckKey)]
    target = AssetSelection.assets(*assets)
    if checks:
        target |= AssetSelection.checks(*checks)
    return AutomationConditionSensorDefinition(
        DEFAULT_CONDITION_SENSOR,
        target=target,
        asset_job_keys=[key for key in left if isinstance(key, AssetJobKey)],
    )


@sense.supply
def look(sensor: AutomationConditionSensorDefinition, context: Any) -> SensorResult:
    """Evaluate the conditions of a sensor's assets.

    Raises:
        DagsterInvalidInvocationError: when it may be called like any other sensor, and has too many assets for that.
    """
    definitions = context.repository_def
    graph = definitions.asset_graph
    conditions, jobs = targets_of(sensor, graph, given_jobs(definitions))
    if sensor.use_user_code_server and len(conditions) > MOST_IN_USER_CODE:
        raise DagsterInvalidInvocationError(
            f'"{sensor.name}" targets {len(conditions)} assets or checks, and {MOST_IN_USER_CODE} is the most'
        )
    now = datetime.now(UTC)
    view = View(graph, updates_of(context.instance), context.instance.history.runs, now, jobs)
    with partition_loading_context(now, context.instance):
        found = run_tick(view, conditions, AutomationCursor.from_text(context.cursor))
        asked = run_requests(view, found.requested, sensor.run_tags)
    return SensorResult(run_requests=asked, cursor=found.cursor.to_text())


def given_jobs(definitions: Any) -> Iterable[Any]:
    """Return the jobs of a repository as they were given."""
    held = getattr(definitions, "definitions", definitions)
    return getattr(held, "jobs", ())


def run_requests(
    view: View, requested: Mapping[EntityKey, Value], tags: Mapping[str, str] | None = None
) -> list[RunRequest]:
    """Return the runs that make what is requested."""
    labels = {**(tags or {}), FROM_CONDITION: "true"}
    assets: dict[Group, list[AssetKey]] = {}
    checks: dict[Group, list[AssetCheckKey]] = {}
    runs: list[RunRequest] = []
    for key, value in requested.items():
        for partition in sorted(partitions_in(value), key=str):
            group = (view.cut(key), partition)
            if isinstance(key, AssetJobKey):
                runs.append(RunRequest(job_name=key.job_name, partition_key=partition, tags=labels))
            elif isinstance(key, AssetCheckKey):
                checks.setdefault(group, []).append(key)
            else:
                assets.setdefault(group, []).append(key)
    for group in dict.fromkeys([*assets, *checks]):
        own = checks.get(group)
        runs.append(
            RunRequest(
                asset_selection=assets.get(group, []),
                asset_check_keys=own if own is None else with_their_own(view, assets.get(group, []), own),
                partition_key=group[1],
                tags=labels,
            )
        )
    return runs


def with_their_own(view: View, assets: Iterable[AssetKey], checks: Iterable[AssetCheckKey]) -> list[AssetCheckKey]:
    """Return checks, and those of some assets that have no condition of their own and so run with them."""
    graph = view.graph
    others = (check for key in assets for check in graph.checks_of.get(key, ()))
    free = [check for check in others if graph.checks[check].automation_condition is None]
    return list(dict.fromkeys([*checks, *free]))
