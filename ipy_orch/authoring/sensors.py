"""``@sensor`` and its kin: a function that looks whether something is to be run becomes a sensor."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ipy_orch.authoring.ops import documented, presented
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.automation.asset_sensors import AssetSensorDefinition, MultiAssetSensorDefinition
from ipy_orch.model.automation.functions import TickFunction
from ipy_orch.model.automation.run_sensors import RunStatusSensorDefinition
from ipy_orch.model.automation.sensors import DefaultSensorStatus, SensorDefinition
from ipy_orch.model.port import Port

__all__ = ["asset_sensor", "multi_asset_sensor", "run_failure_sensor", "run_status_sensor", "sensor"]

Function = Callable[..., Any]
S = TypeVar("S", bound=SensorDefinition)

STOPPED = DefaultSensorStatus.STOPPED

failure: Port[[], Any] = Port("ipy_orch.automation.run_status")


def sensor(
    job_name: str | None = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: Any = None,
    jobs: Sequence[Any] | None = None,
    default_status: DefaultSensorStatus = STOPPED,
    asset_selection: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Sequence[str] | None = None,
) -> Callable[[Function], SensorDefinition]:
    """Make a sensor of a function that returns or yields RunRequests, a SkipReason, or a SensorResult.

    Args:
        job_name: the name of the job that is run; or the job itself, or several of them.
        name: by default that of the function.
        minimum_interval_seconds: how long it isn't asked again, 30 seconds by default.
        asset_selection: the assets that it may ask for.
        required_resource_keys: of the resources in the context; or they are arguments.
        tags: of the sensor; not of its runs.
        target: a job, or a selection of assets.

    Raises:
        DagsterInvalidDefinitionError: when what it runs is said twice, or a tag can't be one.

    Example:
        >>> @sensor(job_name="load")
        ... def new_files(context):
        ...     return SkipReason(f"nothing since {context.cursor}")
        >>> new_files.name
        'new_files'
    """

    def define(function: Function) -> SensorDefinition:
        made = SensorDefinition(
            name or function.__name__,
            evaluation_fn=TickFunction.of(function),
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description or documented(function),
            job=job,
            jobs=jobs,
            default_status=default_status,
            asset_selection=asset_selection,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            target=target,
            owners=owners,
        )
        return presented(made, function)

    return define


def asset_sensor(
    asset_key: Any, *, job_name: str | None = None, name: str | None = None, **options: Any
) -> Callable[[Function], AssetSensorDefinition]:
    """Make a sensor of a function that is asked once for each new materialization of an asset.

    It takes the context and the EventLogEntry of the materialization; the cursor is kept for it.

    Args:
        options: those of :func:`sensor`, without those about assets.
    """
    refuse_bare(asset_key, "asset_sensor", "the key of the asset")

    def define(function: Function) -> AssetSensorDefinition:
        given = TickFunction.of(function)
        described = {"description": documented(function), **options}
        return presented(
            AssetSensorDefinition(name or function.__name__, asset_key, job_name, given, **described),  # type: ignore[arg-type]
            function,
        )

    return define


def multi_asset_sensor(
    monitored_assets: Any, *, job_name: str | None = None, name: str | None = None, **options: Any
) -> Callable[[Function], MultiAssetSensorDefinition]:
    """Make a sensor of a function that looks at the materializations of several assets together.

    It takes a MultiAssetSensorEvaluationContext, and moves the cursor itself: ``context.advance_all_cursors()``.

    Args:
        monitored_assets: their keys, or a selection.
        options: those of :func:`sensor`, and ``request_assets``: what it may ask for, where it has no job.
    """
    refuse_bare(monitored_assets, "multi_asset_sensor", "the assets")

    def define(function: Function) -> MultiAssetSensorDefinition:
        given = TickFunction.of(function)
        described = {"description": documented(function), **options}
        return presented(
            MultiAssetSensorDefinition(name or function.__name__, monitored_assets, job_name, given, **described),  # type: ignore[arg-type]
            function,
        )

    return define


def run_status_sensor(
    run_status: Any,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    monitored_jobs: Sequence[Any] | None = None,
    job_selection: Sequence[Any] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = STOPPED,
    request_job: Any = None,
    request_jobs: Sequence[Any] | None = None,
    monitor_all_repositories: bool | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Callable[[Function], RunStatusSensorDefinition]:
    """Make a sensor of a function that is asked once for each run that comes to a status.

    Args:
        run_status: a DagsterRunStatus: SUCCESS, FAILURE, CANCELED or STARTED.
        monitored_jobs: the jobs whose runs count; by default all. ``job_selection`` is its older name.
        request_job: the job that it may ask for; or several.
        monitor_all_code_locations: look at runs of other code locations, too; the other is its older name.
    """
    refuse_bare(run_status, "run_status_sensor", "a DagsterRunStatus")

    def define(function: Function) -> RunStatusSensorDefinition:
        made = RunStatusSensorDefinition(
            name or function.__name__,
            run_status,
            TickFunction.of(function),  # type: ignore[arg-type]
            minimum_interval_seconds=minimum_interval_seconds,
            description=description or documented(function),
            monitored_jobs=monitored_jobs if monitored_jobs is not None else job_selection,
            monitor_all_code_locations=monitor_all_code_locations or monitor_all_repositories,
            default_status=default_status,
            request_job=request_job,
            request_jobs=request_jobs,
            tags=tags,
            metadata=metadata,
        )
        return presented(made, function)

    return define


def run_failure_sensor(name: Function | str | None = None, *said: Any, **options: Any) -> Any:
    """Make a sensor of a function that is asked once for each run that failed.

    Args:
        said: as :func:`run_status_sensor` takes them after the name.
        options: those of :func:`run_status_sensor`.

    Returns:
        A RunStatusSensorDefinition, or a decorator that makes one.

    Example:
        >>> @run_failure_sensor
        ... def tell(context):
        ...     print(context.failure_event.message)
        >>> tell.name
        'tell'
    """
    if callable(name):
        return run_status_sensor(failure())(name)
    return run_status_sensor(failure(), name, *said, **options)


def refuse_bare(said: Any, what: str, wanted: str) -> None:
    """Refuse a decorator that was written without its brackets.

    Raises:
        DagsterInvalidDefinitionError: with how it's written.
    """
    if inspect.isfunction(said):
        raise DagsterInvalidDefinitionError(f"`@{what}` is written with {wanted}", hint=f"@{what}(...)")
