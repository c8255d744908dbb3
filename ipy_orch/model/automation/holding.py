"""What schedules and sensors bring into the definitions that hold them, and what they must find there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.automation.partitioned import UnresolvedPartitionedAssetScheduleDefinition
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.automation.targets import Job

__all__ = ["Schedule", "assets_brought", "jobs_brought", "named", "refuse_contradictions"]

Schedule = ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition
T = TypeVar("T")


def jobs_brought(automations: Iterable[Any]) -> list[Job]:
    """Return the jobs that schedules and sensors bring."""
    return [target.job_def for one in automations for target in one.targets if target.has_job_def]


def assets_brought(automations: Iterable[Any]) -> list[AssetsDefinition]:
    """Return the definitions that stand in targets of schedules and sensors."""
    return [one for each in automations for target in each.targets for one in target.assets_defs]


def named(found: Iterable[T], name: str, what: str) -> T:
    """Return a schedule or sensor by name.

    Raises:
        DagsterInvariantViolationError: when there's none of this name, with the closest.
    """
    known: Mapping[str, T] = {one.name: one for one in found}  # type: ignore[attr-defined]
    if name not in known:
        raise DagsterInvariantViolationError(f"there is no {what} `{name}`", hint=closest(name, known))
    return known[name]


def refuse_contradictions(automations: Iterable[Any], jobs: Collection[str]) -> None:
    """Refuse schedules and sensors of one name, and those that run jobs which aren't there.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    seen: dict[str, Any] = {}
    for one in automations:
        kind = "sensor" if isinstance(one, SensorDefinition) else "schedule"
        if seen.setdefault(one.name, one) is not one:
            raise DagsterInvalidDefinitionError(f"two schedules or sensors are named `{one.name}`")
        for target in one.targets:
            if target.job_name not in jobs:
                told = f"{kind} `{one.name}` runs the job `{target.job_name}`, which isn't there"
                raise DagsterInvalidDefinitionError(told, hint=closest(target.job_name, jobs))
