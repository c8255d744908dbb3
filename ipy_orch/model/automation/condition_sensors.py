"""Sensors that evaluate automation conditions, and ask for what these are true of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.asset_jobs import as_selection
from ipy_orch.model.automation.schedules import user_tags
from ipy_orch.model.automation.sensors import DefaultSensorStatus, SensorDefinition, SensorType
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.keys import AssetJobKey
from ipy_orch.model.port import Port

__all__ = ["DEFAULT_CONDITION_SENSOR", "AutomationConditionSensorDefinition"]

DEFAULT_CONDITION_SENSOR: Final = "default_automation_condition_sensor"
EMIT_BACKFILLS: Final = "dagster/emit_backfills"

sense: Port[[Any, Any], Any] = Port("ipy_orch.planning.conditions.sensing")


class AutomationConditionSensorDefinition(SensorDefinition):
    """Be a sensor that evaluates the conditions of some assets and checks, and runs what they are true of.

    Args:
        target: the assets whose conditions it evaluates: a selection, its text, or keys.
        tags: of the sensor.
        run_tags: of its runs.
        emit_backfills: several partitions may become one backfill.
        use_user_code_server: it may be called like any other sensor, and have a ``default_condition``.
        default_condition: of assets that have none.
        asset_job_keys: the jobs whose conditions it evaluates as well.

    Raises:
        CheckError: for a default condition or keys of jobs where they can't be.
    """

    def __init__(
        self,
        name: str,
        *,
        target: Any,
        tags: Mapping[str, str] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        emit_backfills: bool = True,
        use_user_code_server: bool = False,
        default_condition: AutomationCondition | None = None,
        asset_job_keys: Iterable[AssetJobKey] | None = None,
    ) -> None:
        self.use_user_code_server = use_user_code_server
        self.default_condition, self.emit_backfills = default_condition, emit_backfills
        self.asset_job_keys = frozenset(asset_job_keys or ())
        where = f"sensor `{name}`"
        if default_condition is not None and not use_user_code_server:
            raise CheckError(
                f"{where} has a `default_condition`, which is for sensors with `use_user_code_server=True`"
            )
        if self.asset_job_keys and use_user_code_server:
            raise CheckError(f"{where} evaluates job automation conditions, and `use_user_code_server` can't")
        self.run_tags = user_tags(run_tags, where)
        super().__init__(
            name,
            evaluation_fn=self.look,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            default_status=default_status,
            asset_selection=as_selection(target),
            tags=tags,
            metadata={**(metadata or {}), **({EMIT_BACKFILLS: True} if emit_backfills else {})},
        )

    @property
    def sensor_type(self) -> SensorType:
        """Return what it looks at."""
        return SensorType.AUTOMATION if self.use_user_code_server else SensorType.AUTO_MATERIALIZE

    def look(self, context: Any) -> Any:
        """Evaluate the conditions, and return what is to be run with the cursor for the next time."""
        return sense(self, context)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the conditions, as any sensor's function is called.

        Raises:
            NotImplementedError: where that isn't said to be allowed, as in Dagster.
        """
        if not self.use_user_code_server:
            raise NotImplementedError(
                f"sensor `{self.name}` is evaluated by the daemon; in a test, use `evaluate_automation_conditions(...)`"
            )
        return super().__call__(*args, **kwargs)
