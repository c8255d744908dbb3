"""Which partitions a launch of a job is about."""

from __future__ import annotations

from collections.abc import Mapping

from ipy_orch.errors import CheckError, DagsterInvariantViolationError, DagsterUnknownPartitionError
from ipy_orch.model.automation.targets import ANONYMOUS, is_anonymous
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.planning.jobs import job_cut
from ipy_orch.planning.partitioning import chosen_partitions
from ipy_orch.session.partitions.choosing import Which, keys_in

__all__ = ["cut_of_job", "partitions_of"]


def cut_of_job(job: JobDefinition) -> PartitionsDefinition | None:
    """Return how what a job runs is partitioned, None where nothing is.

    Raises:
        DagsterInvariantViolationError: when its assets are partitioned in different ways.
    """
    try:
        return job_cut(job)
    except CheckError as error:
        told = f"job `{job.name}` runs assets that are partitioned in different ways"
        raise DagsterInvariantViolationError(told, hint=f"`%backfill`; {error}") from None


def partitions_of(
    job: JobDefinition, cut: PartitionsDefinition | None, asked: Which, tags: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the partitions that a launch is about.

    Args:
        asked: said for this launch.
        tags: of the launch, which may say a partition, too.

    Raises:
        DagsterUnknownPartitionError: when there's no such one, or nothing is partitioned.
        DagsterInvariantViolationError: when nobody said which partition of its assets.
    """
    if asked is not None:
        if cut is None:
            raise DagsterUnknownPartitionError(f"job `{job.name}` isn't partitioned", hint=f"%launch {job.name}")
        return keys_in(asked, cut)
    found = chosen_partitions(cut, None, {**job.run_tags, **tags}) if cut is not None else ()
    if cut is not None and not found and job.is_asset_job:
        last = cut.get_last_partition_key()
        if is_anonymous(job.name):
            told = f"what `{job.name.removeprefix(ANONYMOUS)}` runs is partitioned, and it doesn't say which partition"
            raise DagsterInvariantViolationError(told, hint=f'RunRequest(partition_key="{last or "KEY"}")')
        told = f"job `{job.name}` is partitioned: say which partition"
        raise DagsterInvariantViolationError(told, hint=f"%launch {job.name} --partition {last or 'KEY'}")
    return found
