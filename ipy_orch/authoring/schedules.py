"""``@schedule``: a function that says what is run becomes a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ipy_orch.authoring.ops import documented, presented
from ipy_orch.model.automation.functions import TickFunction
from ipy_orch.model.automation.schedules import DefaultScheduleStatus, ScheduleDefinition
from ipy_orch.model.automation.targets import only_one

__all__ = ["schedule"]


def schedule(
    cron_schedule: str | Sequence[str],
    *,
    job_name: str | None = None,
    name: str | None = None,
    tags: Mapping[str, Any] | None = None,
    tags_fn: Callable[[Any], Mapping[str, str] | None] | None = None,
    metadata: Mapping[str, Any] | None = None,
    should_execute: Callable[[Any], bool] | None = None,
    environment_vars: Mapping[str, str] | None = None,
    execution_timezone: str | None = None,
    description: str | None = None,
    job: Any = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    target: Any = None,
    owners: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], ScheduleDefinition]:
    """Make a schedule of a function that returns or yields RunRequests, a SkipReason, or run config.

    Args:
        cron_schedule: five fields, or ``@daily`` and the like; several count together.
        job_name: the name of the job that is run.
        name: by default that of the function.
        tags: of the schedule, and of its runs where the function returns run config.
        tags_fn: makes these tags from the context.
        should_execute: tells from the context whether the function is asked at all.
        execution_timezone: where the clock hangs, UTC by default.
        job: the job that is run.
        required_resource_keys: of the resources in the context; or they are arguments.
        target: the job, or a selection of assets.

    Raises:
        DagsterInvalidDefinitionError: for a cron expression, timezone or tag that can't be one.

    Example:
        >>> @schedule("0 9 * * 1-5", job_name="report")
        ... def weekdays(context):
        ...     return RunRequest(tags={"day": f"{context.scheduled_execution_time:%Y-%m-%d}"})
        >>> weekdays.name, weekdays.job_name
        ('weekdays', 'report')
    """

    def define(function: Callable[..., Any]) -> ScheduleDefinition:
        given = TickFunction.of(function)
        only_one(f"schedule `{name or function.__name__}`", tags=tags, tags_fn=tags_fn)
        made = ScheduleDefinition(
            name or function.__name__,
            cron_schedule=cron_schedule,
            job_name=job_name,
            tags=tags,
            metadata=metadata,
            environment_vars=environment_vars,
            execution_timezone=execution_timezone,
            execution_fn=given,
            description=description or documented(function),
            job=job,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            target=target,
            owners=owners,
        )
        made.should_execute, made.tags_fn = should_execute, tags_fn
        return presented(made, function)

    return define
