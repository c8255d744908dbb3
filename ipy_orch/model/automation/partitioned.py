"""Schedules of jobs with partitions: each partition is run when its window has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition
from ipy_orch.model.automation.functions import TickFunction
from ipy_orch.model.automation.requests import RunRequest, SkipReason
from ipy_orch.model.automation.schedules import DefaultScheduleStatus, ScheduleDefinition, user_tags
from ipy_orch.model.automation.targets import AutomationTarget
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import valid_name
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.specs import valid_owners

__all__ = ["UnresolvedPartitionedAssetScheduleDefinition", "build_schedule_from_partitioned_job"]

STOPPED = DefaultScheduleStatus.STOPPED


@dataclass(frozen=True, eq=False)
class UnresolvedPartitionedAssetScheduleDefinition:
    """Be the schedule of a job of assets whose partitions aren't known yet."""

    name: str
    job: UnresolvedAssetJobDefinition
    description: str | None
    default_status: DefaultScheduleStatus
    minute_of_hour: int | None
    hour_of_day: int | None
    day_of_week: int | None
    day_of_month: int | None
    tags: Mapping[str, str]
    metadata: Mapping[str, Any] | None = None
    owners: Sequence[str] | None = None

    @property
    def targets(self) -> list[AutomationTarget]:
        """Return what it runs."""
        return [AutomationTarget(self.job)]

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Return nothing: its function is ours."""
        return frozenset()

    def with_metadata(self, metadata: Mapping[str, Any]) -> UnresolvedPartitionedAssetScheduleDefinition:
        """Return a copy with other metadata."""
        return replace(self, metadata=dict(metadata))

    def changed(self, metadata: Mapping[str, Any], jobs: Mapping[Any, Any]) -> Any:
        """Return a copy with other metadata, and with its job replaced where there's another one for it."""
        return replace(self, metadata=dict(metadata), job=jobs.get(self.job, self.job))

    def resolve(self, job: JobDefinition) -> ScheduleDefinition:
        """Return the schedule, given the job over the assets as they are.

        Raises:
            DagsterInvalidDefinitionError: when they have no partitions that a schedule can follow.
        """
        return schedule_of(
            self.job,
            job.partitions_def,
            job.run_request_for_partition,
            self.name,
            self,
            cron_schedule=None,
            execution_timezone=None,
        )


def build_schedule_from_partitioned_job(
    job: JobDefinition | UnresolvedAssetJobDefinition,
    description: str | None = None,
    name: str | None = None,
    minute_of_hour: int | None = None,
    hour_of_day: int | None = None,
    day_of_week: int | None = None,
    day_of_month: int | None = None,
    default_status: DefaultScheduleStatus = STOPPED,
    tags: Mapping[str, Any] | None = None,
    cron_schedule: str | None = None,
    execution_timezone: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    owners: Sequence[str] | None = None,
) -> ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition:
    """Return a schedule that runs each partition of a job when its window has ended.

    Partitions by time and by something else are run together: all that end at that moment. Static ones are run at the
    moments of ``cron_schedule``, all of them each time.

    Args:
        name: by default that of the job, with ``_schedule``.
        minute_of_hour: when, instead of at the end of the window; the others likewise.
        tags: of its runs.
        cron_schedule: for a job without partitions by time.
        execution_timezone: of ``cron_schedule``.

    Raises:
        DagsterInvalidDefinitionError: when the partitions are such that no schedule follows from them.
        CheckError: for an offset that the partitions don't have.
    """
    if isinstance(job, str):
        told = f"`{job}` is the name of a job, and not the job"
        raise DagsterInvalidDefinitionError(told, hint=f"build_schedule_from_partitioned_job({job})")
    label = valid_name(name, "name of a schedule") if name else f"{job.name}_schedule"
    where = f"schedule `{label}`"
    said = UnresolvedPartitionedAssetScheduleDefinition(
        label,
        job,  # type: ignore[arg-type]  # a plain job is only read below
        description,
        default_status,
        minute_of_hour,
        hour_of_day,
        day_of_week,
        day_of_month,
        user_tags(tags, where),
        metadata,
        valid_owners(owners, where) if owners is not None else None,
    )
    if isinstance(job, UnresolvedAssetJobDefinition) and job.partitions_def is None and cron_schedule is None:
        return said
    return schedule_of(
        job,
        job.partitions_def,
        job.run_request_for_partition,
        label,
        said,
        cron_schedule=cron_schedule,
        execution_timezone=execution_timezone,
    )


def schedule_of(
    job: Any,
    cut: PartitionsDefinition | None,
    request: Callable[..., RunRequest],
    name: str,
    said: UnresolvedPartitionedAssetScheduleDefinition,
    *,
    cron_schedule: str | None,
    execution_timezone: str | None,
) -> ScheduleDefinition:
    """Return the schedule of a job with these partitions.

    Args:
        request: makes the request for the run of a partition.
    """
    by_time = time_part(cut, job.name)
    if by_time is None:
        if not cron_schedule:
            told = f"the partitions of job `{job.name}` don't follow time, so no schedule follows from them"
            raise DagsterInvalidDefinitionError(told, where=f"schedule `{name}`", hint='cron_schedule="0 9 * * *"')
        cron, zone = cron_schedule, execution_timezone
    elif cron_schedule or execution_timezone:
        raise CheckError(f"schedule `{name}` follows the partitions of its job: it has no cron schedule of its own")
    else:
        cron = by_time.get_cron_schedule(said.minute_of_hour, said.hour_of_day, said.day_of_week, said.day_of_month)
        zone = by_time.timezone

    def requests(context: Any) -> Iterator[RunRequest | SkipReason]:
        yield from ended_at(context, cut, by_time, request, said.tags)

    return ScheduleDefinition(
        name,
        cron_schedule=cron,
        job=job,
        execution_timezone=zone,
        execution_fn=TickFunction(requests, ("context",)),
        description=said.description,
        default_status=said.default_status,
        tags=said.tags,
        metadata=said.metadata,
        owners=said.owners,
    )


def time_part(cut: PartitionsDefinition | None, job: str) -> TimeWindowPartitionsDefinition | None:
    """Return the partitions by time, None where they are static or dynamic.

    Raises:
        DagsterInvalidDefinitionError: for two dimensions without time, and where there are no partitions.
    """
    if cut is None:
        raise DagsterInvalidDefinitionError(f"job `{job}` has no partitions", hint="ScheduleDefinition")
    if isinstance(cut, MultiPartitionsDefinition):
        if not cut.has_time_window_dimension:
            told = f"neither dimension of the partitions of job `{job}` is time, so no schedule follows from them"
            raise DagsterInvalidDefinitionError(told)
        return cut.time_window_partitions_def
    return cut if isinstance(cut, TimeWindowPartitionsDefinition) else None


def ended_at(
    context: Any,
    cut: PartitionsDefinition | None,
    by_time: TimeWindowPartitionsDefinition | None,
    request: Callable[..., RunRequest],
    tags: Mapping[str, str],
) -> Iterator[RunRequest | SkipReason]:
    """Yield a request for each partition whose turn it is at the moment of a context."""
    store = context.instance if context.has_instance else None
    moment = context.moment
    keys = [*cut.get_partition_keys(moment, store)] if by_time is None and cut is not None else []
    if by_time is not None:
        last = newest(by_time, moment)
        if last is None:
            yield SkipReason("no partition has ended yet, or the last one is left out")
            return
        keys = [last]
    if isinstance(cut, MultiPartitionsDefinition):
        name = cut.time_window_dimension.name
        pairs = cut.get_partition_keys(moment, store)
        keys = [one for one in pairs if one.keys_by_dimension[name] == keys[0]]
    if not keys:
        yield SkipReason("there is no partition yet")
    for key in keys:
        yield request(key, run_key=key, tags=tags, current_time=moment, dynamic_partitions_store=store)


def newest(cut: TimeWindowPartitionsDefinition, moment: datetime) -> str | None:
    """Return the partition that a tick at a moment is for: the last, unless its place is one that is left out."""
    last = cut.get_last_partition_window(moment)
    if last is None:
        return None
    said: dict[str, Any] = {"start": cut.start, "fmt": cut.fmt, "end": cut.end}
    said |= {"timezone": cut.timezone, "end_offset": cut.end_offset, "cron_schedule": cut.cron_schedule}
    whole = TimeWindowPartitionsDefinition(**said) if cut.exclusions else cut
    ended = whole.get_last_partition_window(moment)
    return cut.key_of(last.start) if ended is None or ended.start == last.start else None
