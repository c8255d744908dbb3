"""One tick of a schedule or sensor: call its function, and make of what it says requests that can be run."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from ipy_orch.automation.contexts import ScheduleEvaluationContext, SensorEvaluationContext, TickContext
from ipy_orch.automation.invocation import resources_for, what_of
from ipy_orch.automation.multi_asset import MultiAssetSensorEvaluationContext
from ipy_orch.automation.run_status import reactions
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
    DagsterUserCodeExecutionError,
    closest,
    warn,
)
from ipy_orch.execution.records.instance import AssetRecordsFilter
from ipy_orch.model.automation import schedules, sensors
from ipy_orch.model.automation.asset_sensors import AssetSensorDefinition, MultiAssetSensorDefinition
from ipy_orch.model.automation.condition_sensors import AutomationConditionSensorDefinition
from ipy_orch.model.automation.functions import TickFunction
from ipy_orch.model.automation.requests import (
    DagsterRunReaction,
    DynamicRequest,
    RunRequest,
    SensorResult,
    SkipReason,
    as_run_config,
)
from ipy_orch.model.automation.run_sensors import RunStatusSensorDefinition
from ipy_orch.model.automation.schedules import ScheduleDefinition, user_tags
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.automation.ticks import ScheduleExecutionData, SensorExecutionData
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.keys import labels
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["evaluate_schedule", "evaluate_sensor"]

EMPTY: Final = "its function returned nothing"
NO_CONDITION: Final = "no condition has become true"
ANSWERS: Final = (RunRequest, SkipReason, DagsterRunReaction, SensorResult)


def listed(made: Any) -> list[Any]:
    """Return what a function returned or yielded as a list; what a generator returns comes last."""
    if inspect.isgenerator(made):
        found: list[Any] = []
        while True:
            try:
                found.append(next(made))
            except StopIteration as end:
                return [*found, *listed(end.value)]
    if made is None:
        return []
    if isinstance(made, list | tuple) and not isinstance(made, ANSWERS):
        return list(made)
    return list(made) if isinstance(made, Iterator) else [made]


def with_repository(context: TickContext, keys: frozenset[str]) -> Any:
    """Return a context with those of the resources needed that its repository has and it hasn't."""
    own = context.repository_def.get_top_level_resources() if context.repository_def is not None else {}
    more = {key: own[key] for key in keys if key in own and key not in context.resource_defs}
    return context.merge_resources(more) if more else context


# -- schedules --------------------------------------------------------------------------------------------------------


@schedules.evaluate.supply
def evaluate_schedule(schedule: ScheduleDefinition, context: ScheduleEvaluationContext) -> ScheduleExecutionData:
    """Return what a schedule asks for. Nothing is run.

    Raises:
        DagsterUserCodeExecutionError: from what the user's code raised.
        DagsterInvalidInvocationError: when it returned something else.
        DagsterUnknownPartitionError: when it asks for a partition that isn't there.
    """
    if not isinstance(context, ScheduleEvaluationContext):
        raise CheckError(f"a schedule ticks with what `build_schedule_context` returns, not {context!r}")
    where = f"schedule `{schedule.name}`"
    with_resources = with_repository(context, schedule.required_resource_keys)
    given = resources_for(schedule.function, schedule.required_resource_keys, with_resources, where)
    try:
        found = list(answers_of(schedule, with_resources, given))
    except (DagsterUserCodeExecutionError, DagsterInvalidInvocationError):
        raise
    except Exception as error:
        raise DagsterUserCodeExecutionError(f"{where} raised {type(error).__name__}: {error}") from error
    finally:
        if with_resources is not context:
            with_resources.close()
    skips = [one for one in found if isinstance(one, SkipReason)]
    if skips and len(found) > 1:
        raise DagsterInvalidInvocationError(f"{where} asks for runs, and says why it skips them")
    if skips:
        return ScheduleExecutionData([], skips[0].skip_message)
    requests = [resolved(one, schedule, context, ()) for one in found if isinstance(one, RunRequest)]
    tagged = [tagged_by(one, "dagster/schedule_name", schedule.name) for one in requests]
    return ScheduleExecutionData(tagged, None if tagged else EMPTY)


def answers_of(
    schedule: ScheduleDefinition, context: ScheduleEvaluationContext, resources: dict[str, Any]
) -> Iterator[RunRequest | SkipReason]:
    """Yield what a schedule says.

    Raises:
        DagsterInvalidInvocationError: when it is something else.
    """
    where = f"schedule `{schedule.name}`"
    if schedule.should_execute is not None and not schedule.should_execute(context):
        yield SkipReason(f"its `should_execute` said no: `{schedule.name}`")
        return
    if schedule.function is None:
        config = schedule.run_config
        if schedule.run_config_fn is not None:
            config = as_run_config(TickFunction.of(schedule.run_config_fn).call([context], {}))
        yield RunRequest(run_config=deepcopy(config), tags=tags_of(schedule, context))
        return
    for one in listed(schedule.function.call([context], resources)):
        if isinstance(one, Mapping | RunConfig):
            yield RunRequest(run_config=as_run_config(one), tags=tags_of(schedule, context))
        elif isinstance(one, RunRequest | SkipReason):
            yield one
        elif one is not None:
            told = f"{where} returned {one!r}"
            raise DagsterInvalidInvocationError(told, hint="RunRequest(...), SkipReason(...) or run config")


def tags_of(schedule: ScheduleDefinition, context: ScheduleEvaluationContext) -> Mapping[str, str]:
    """Return the tags of a run whose request the schedule makes itself."""
    if schedule.tags_fn is None:
        return schedule.tags
    return user_tags(schedule.tags_fn(context), f"`tags_fn` of schedule `{schedule.name}`")


def tagged_by(request: RunRequest, tag: str, name: str) -> RunRequest:
    """Return a request with the tag that says who asked for it."""
    return request.with_replaced_attrs(tags={**request.tags, tag: name})


# -- sensors ----------------------------------------------------------------------------------------------------------


@sensors.evaluate.supply
def evaluate_sensor(sensor: SensorDefinition, context: SensorEvaluationContext) -> SensorExecutionData:
    """Return what a sensor asks for. Nothing is run.

    Raises:
        CheckError: when it returned something else.
        DagsterInvariantViolationError: when it kept two cursors.
        DagsterUnknownPartitionError: when it asks for a partition that isn't there.
        Exception: what its function raised.
    """
    if not isinstance(context, SensorEvaluationContext):
        raise CheckError(f"a sensor ticks with what `build_sensor_context` returns, not {context!r}")
    if isinstance(sensor, MultiAssetSensorDefinition) and not isinstance(context, MultiAssetSensorEvaluationContext):
        narrow = context.as_kind(MultiAssetSensorEvaluationContext, monitored_assets=sensor.monitored_assets)
        try:
            return evaluate_sensor(sensor, narrow)
        finally:
            narrow.close()
    told = with_repository(context, sensor.required_resource_keys)
    try:
        found = listed(said_by(sensor, told))
    finally:
        if told is not context:
            told.close()
    if isinstance(told, MultiAssetSensorEvaluationContext):
        told.update_cursor_after_evaluation()
    if told is not context and told.cursor_updated:
        context.update_cursor(told.cursor)
    result = as_result(sensor, found, context)
    requests = [
        tagged_by(one, "dagster/sensor_name", sensor.name)
        for one in requested(sensor, result.run_requests or (), context, result.dynamic_partitions_requests or ())
    ]
    reacted = [one for one in found if isinstance(one, DagsterRunReaction)]
    nothing = NO_CONDITION if isinstance(sensor, AutomationConditionSensorDefinition) else EMPTY
    skipped = result.skip_reason.skip_message if result.skip_reason else None if requests or reacted else nothing
    return SensorExecutionData(
        requests,
        skipped,
        result.cursor or context.cursor,
        reacted,
        None,
        result.dynamic_partitions_requests or (),
        result.asset_events,
        result.automation_condition_evaluations,
    )


def said_by(sensor: SensorDefinition, context: Any) -> Any:
    """Return what a sensor says, of whatever kind it is."""
    resources = resources_for(sensor.function, sensor.required_resource_keys, context, what_of(sensor))
    if isinstance(sensor, AssetSensorDefinition):
        return said_to_asset(sensor, context, resources)
    if isinstance(sensor, RunStatusSensorDefinition):
        return reactions(sensor, context, resources)
    return sensor.function.call([context], resources)


def said_to_asset(
    sensor: AssetSensorDefinition, context: SensorEvaluationContext, resources: dict[str, Any]
) -> Iterator[Any]:
    """Yield what a sensor says to the newest materialization of its asset, if it is new, and move the cursor.

    Raises:
        DagsterInvariantViolationError: when the sensor keeps a cursor of its own.
    """
    after = int(context.cursor) if context.cursor and context.cursor.isdigit() else None
    wanted = AssetRecordsFilter(sensor.asset_key, after_storage_id=after)
    records = context.instance.fetch_materializations(wanted, limit=1).records
    if not records:
        yield SkipReason(f"`{sensor.asset_key.label}` wasn't materialized since the last time")
        return
    for one in listed(sensor.function.call([context, records[0].event_log_entry], resources)):
        if isinstance(one, SensorResult) and one.cursor:
            told = f"the cursor of sensor `{sensor.name}` is kept for it: it looks at one asset"
            raise DagsterInvariantViolationError(told, hint="leave `cursor` out of the SensorResult")
        yield one
    context.update_cursor(str(records[0].storage_id))


def as_result(sensor: SensorDefinition, found: Sequence[Any], context: SensorEvaluationContext) -> SensorResult:
    """Return what a sensor said as one SensorResult.

    Raises:
        CheckError: when it said something else, or a SensorResult and more.
        DagsterInvariantViolationError: when it kept two cursors.
    """
    where = f"sensor `{sensor.name}`"
    found = [one for one in found if one is not None]
    for one in found:
        if not isinstance(one, ANSWERS):
            raise CheckError(f"{where} returned {one!r}: it returns RunRequests, a SkipReason or a SensorResult")
    results = [one for one in found if isinstance(one, SensorResult)]
    if results and len(found) > 1:
        raise CheckError(f"{where} returned a SensorResult and something beside it: put all into one")
    if results:
        if results[0].cursor and context.cursor_updated:
            told = f"{where} kept a cursor in `context.update_cursor` and in its SensorResult"
            raise DagsterInvariantViolationError(told, hint="do one of the two")
        return results[0]
    skips = [one for one in found if isinstance(one, SkipReason)]
    if skips and len(found) > 1 and not isinstance(sensor, RunStatusSensorDefinition):
        raise CheckError(f"{where} asks for runs and says why it skips them, or says that twice")
    requests = [one for one in found if isinstance(one, RunRequest)]
    return SensorResult(requests) if requests or not skips else SensorResult(skip_reason=skips[-1])


def requested(
    sensor: SensorDefinition,
    requests: Iterable[RunRequest],
    context: SensorEvaluationContext,
    dynamic: Sequence[DynamicRequest],
) -> Iterator[RunRequest]:
    """Yield requests with their job, assets, and the config and tags of their partition.

    Raises:
        DagsterInvalidDefinitionError: when the sensor has no job, or the one that is named isn't one of its.
        DagsterInvalidSubsetError: when assets are asked for that aren't the sensor's.
    """
    for one in requests:
        of_job = one.job_name is not None and isinstance(sensor, AutomationConditionSensorDefinition)
        over = sensor.asset_selection is not None and not of_job
        request = over_assets(one, sensor.asset_selection, context) if over else one
        if sensor.asset_selection is None:
            refuse_job(sensor, one)
        yield resolved(request, sensor, context, dynamic)


def refuse_job(sensor: SensorDefinition, request: RunRequest) -> None:
    """Refuse a request for a job that isn't the sensor's.

    Raises:
        DagsterInvalidDefinitionError: with the jobs that are.
    """
    names = [target.job_name for target in sensor.targets]
    if not names:
        told = f"sensor `{sensor.name}` asks for a run, and has no job"
        raise DagsterInvalidDefinitionError(told, hint="`%%sensor ... --job JOB`, or @sensor(job=...)")
    if request.job_name is None and len(names) > 1:
        told = f"sensor `{sensor.name}` has several jobs, and asks for a run of none of them"
        raise DagsterInvalidDefinitionError(told, hint=f'RunRequest(job_name="{names[0]}")')
    if request.job_name is not None and request.job_name not in names:
        told = f"sensor `{sensor.name}` asks for job `{request.job_name}`, which isn't one of its jobs"
        raise DagsterInvalidDefinitionError(told, hint=closest(request.job_name, names) or f"it has `{names[0]}`")


def over_assets(request: RunRequest, selection: Any, context: SensorEvaluationContext) -> RunRequest:
    """Return a request of a sensor over assets with the assets, their checks, and the job that runs them.

    Raises:
        DagsterInvariantViolationError: when it isn't known where the assets are defined.
        DagsterInvalidSubsetError: when assets are asked for that aren't the sensor's.
    """
    repository = context.repository_def
    if repository is None:
        told = f"sensor `{context.name}` asks for assets, and it isn't known where they are defined"
        raise DagsterInvariantViolationError(told, hint="`build_sensor_context(definitions=Definitions(...))`")
    graph = repository.asset_graph
    chosen = AssetSelection.from_coercible(selection)
    allowed = set(chosen.resolve(graph))
    keys = request.asset_selection if request.asset_selection is not None else graph.in_order(allowed)
    for key in sorted(set(keys) - allowed):
        told = f"asset `{key.label}` is asked for, and the sensor's `asset_selection` is without it"
        raise DagsterInvalidSubsetError(told, hint=closest(key.label, labels(allowed)))
    own = [check for check in graph.checks if check.asset_key in keys]
    checks = request.asset_check_keys if request.asset_check_keys is not None else own
    if strange := sorted(labels(set(checks) - set(chosen.resolve_checks(graph)))):
        told = f"check `{strange[0]}` is asked for, and the sensor's `asset_selection` is without its asset"
        warn(told, DeprecationWarning)
    job = repository.get_implicit_job_def_for_assets(keys)
    name = job.name if job is not None else None
    return request.with_replaced_attrs(job_name=name, asset_selection=list(keys), asset_check_keys=list(checks))


def resolved(request: RunRequest, one: Any, context: TickContext, dynamic: Sequence[DynamicRequest]) -> RunRequest:
    """Return a request with the config and tags of its partition, where it has one.

    Raises:
        DagsterInvariantViolationError: when it isn't known where the job is defined.
        DagsterUnknownPartitionError: when there's no such partition.
    """
    if request.partition_key is None or request.has_resolved_partition():
        return request
    name = request.job_name or one.targets[0].job_name
    job = job_of(name, one, context)
    moment = context.moment if isinstance(context, ScheduleEvaluationContext) else None
    store = context.instance if context.has_instance else None
    return request.with_resolved_tags_and_config(job, dynamic, moment, store)


def job_of(name: str, one: Any, context: TickContext) -> Any:
    """Return the job of a request.

    Raises:
        DagsterInvariantViolationError: when it isn't known where it is defined.
        DagsterInvalidDefinitionError: when it can't be resolved.
    """
    if context.repository_def is None:
        told = f"{what_of(one)} asks for a partition, and it isn't known where job `{name}` is defined"
        raise DagsterInvariantViolationError(told, hint=f"`{context.build}(repository_def=...)`")
    return context.repository_def.get_job(name)
