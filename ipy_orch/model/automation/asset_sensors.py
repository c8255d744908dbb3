"""Sensors that look at materializations of assets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipy_orch.errors import CheckError
from ipy_orch.model.asset_jobs import as_selection
from ipy_orch.model.automation.sensors import SensorDefinition, SensorType
from ipy_orch.model.keys import AssetKey

__all__ = ["AssetSensorDefinition", "MultiAssetSensorDefinition"]


class AssetSensorDefinition(SensorDefinition):
    """Be a sensor that is asked once for each new materialization of an asset.

    Args:
        asset_materialization_fn: of the context and the EventLogEntry of the materialization.
        options: the other arguments are those of :class:`SensorDefinition`.
    """

    def __init__(
        self,
        name: str,
        asset_key: AssetKey,
        job_name: str | None,
        asset_materialization_fn: Callable[..., Any],
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        job: Any = None,
        jobs: Sequence[Any] | None = None,
        **options: Any,
    ) -> None:
        self.asset_key = AssetKey.from_coercible_or_definition(asset_key)
        super().__init__(
            name,
            evaluation_fn=asset_materialization_fn,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            **options,
        )

    @property
    def sensor_type(self) -> SensorType:
        """Return what it looks at."""
        return SensorType.ASSET


class MultiAssetSensorDefinition(SensorDefinition):
    """Be a sensor that looks at the materializations of several assets together.

    Args:
        monitored_assets: their keys, or a selection.
        asset_materialization_fn: of a MultiAssetSensorEvaluationContext.
        request_assets: the assets that it may ask for, where it has no job.
        options: the other arguments are those of :class:`SensorDefinition`.

    Raises:
        CheckError: when what is monitored is neither keys nor a selection.
    """

    def __init__(
        self,
        name: str,
        monitored_assets: Any,
        job_name: str | None,
        asset_materialization_fn: Callable[..., Any],
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        job: Any = None,
        jobs: Sequence[Any] | None = None,
        request_assets: Any = None,
        **options: Any,
    ) -> None:
        self.monitored_assets = monitored(monitored_assets, name)
        super().__init__(
            name,
            evaluation_fn=asset_materialization_fn,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            asset_selection=request_assets,
            **options,
        )

    @property
    def sensor_type(self) -> SensorType:
        """Return what it looks at."""
        return SensorType.MULTI_ASSET


def monitored(said: Any, name: str) -> Any:
    """Return what a sensor looks at: keys in their order, or a selection.

    Raises:
        CheckError: for anything else.
    """
    if isinstance(said, list | tuple):
        for one in said:
            if not isinstance(one, AssetKey):
                raise CheckError(f"`monitored_assets` of sensor `{name}` holds AssetKeys, not {one!r}")
        return list(said)
    return as_selection(said)
