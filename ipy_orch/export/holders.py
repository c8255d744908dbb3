"""The variables that hold definitions and jobs, and how ``Definitions(...)`` names what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.specs import AssetSpec
from ipy_orch.session.automation.automations import Automation, automations_in
from ipy_orch.session.jobs.jobs import Job, jobs_in

__all__ = ["Held", "contents", "holder_order", "holding", "is_single_check", "keys_of"]

PARTS: Final = ("assets", "asset_checks", "jobs", "schedules", "sensors")


@dataclass(frozen=True)
class Held:
    """Be a variable that holds definitions.

    Args:
        as_asset: how ``Definitions(assets=[...])`` names it, or "".
        as_check: the same for ``asset_checks``.
        as_job: the same for ``jobs``.
        as_schedule: the same for ``schedules``.
        as_sensor: the same for ``sensors``.
    """

    name: str
    as_asset: str = ""
    as_check: str = ""
    as_job: str = ""
    as_schedule: str = ""
    as_sensor: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether it holds nothing that a module lists."""
        return not any((self.as_asset, self.as_check, self.as_job, self.as_schedule, self.as_sensor))


def contents(value: Any) -> list[Any]:
    """Return what a variable's value defines: itself, what a list holds, or a Definitions."""
    match value:
        case AssetsDefinition() | AssetSpec():
            return [value]
        case Definitions():
            return [*value.assets, *value.asset_checks, *value.jobs, *value.automations]
        case list() | tuple() if value and all(isinstance(one, AssetsDefinition | AssetSpec) for one in value):
            return list(value)
    return [*jobs_in(value), *automations_in(value)]


def keys_of(one: Any) -> Iterable[Any]:
    """Return the keys of a definition or spec."""
    return one.keys if isinstance(one, AssetsDefinition) else [one.key] if isinstance(one, AssetSpec) else []


def holder_order(name: str, value: Any) -> tuple[int, bool, str]:
    """Return what variables are asked by: single definitions first, and of those that are the same the one named so."""
    single = isinstance(value, AssetsDefinition | AssetSpec | Job | Automation)
    rank = 0 if single else 2 if isinstance(value, Definitions) else 1
    node = value.op_def if isinstance(value, AssetsDefinition) else value if isinstance(value, Job) else None
    return rank, node is not None and node.name != name, name


def holding(name: str, value: Any) -> Held:
    """Return how ``Definitions(...)`` names a variable's definitions.

    Raises:
        DagsterInvalidDefinitionError: for a list of assets and checks, or of schedules and sensors.
    """
    if isinstance(value, Definitions):
        return Held(name, *(f"*{name}.{part}" if getattr(value, part) else "" for part in PARTS))
    star = "*" if isinstance(value, list | tuple) else ""
    if jobs_in(value):
        return Held(name, as_job=f"{star}{name}")
    if held := [*automations_in(value)]:
        sensors = {isinstance(one, SensorDefinition) for one in held}
        if len(sensors) > 1:
            told = f"`{name}` holds schedules and sensors, which a module lists apart"
            raise DagsterInvalidDefinitionError(told, hint=f"two lists, e.g. `{name}` and `{name}_sensors`")
        listed = f"{star}{name}"
        return Held(name, as_sensor=listed) if sensors == {True} else Held(name, as_schedule=listed)
    kinds = {isinstance(one, AssetSpec) or one.has_keys for one in contents(value)}
    if len(kinds) > 1:
        told = f"`{name}` holds assets and checks, which a module lists apart"
        raise DagsterInvalidDefinitionError(told, hint=f"two lists, e.g. `{name}` and `{name}_checks`")
    return Held(name, f"{star}{name}") if kinds == {True} else Held(name, "", f"{star}{name}")


def is_single_check(value: Any) -> bool:
    """Tell whether a value is the definition of one check of its own."""
    return isinstance(value, AssetsDefinition) and not value.has_keys and len(value.check_keys) == 1
