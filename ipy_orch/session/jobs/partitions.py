"""Which partitions a launch of a job is about."""

from __future__ import annotations

from collections.abc import Mapping

from ipy_orch.errors import CheckError, DagsterInvariantViolationError, DagsterUnknownPartitionError
from ipy_orch.model.asset_jobs import IMPLICIT_JOB, AssetLayer
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


def needs_partition(layer: AssetLayer) -> bool:
    """Tell whether what runs needs a partition: some of it is partitioned, or it is all of a job that is."""
    is_part = bool(layer.asset_selection) or layer.asset_check_selection is not None or not layer.executable_asset_keys
    return not is_part or any(one is not None for one in layer.cuts())


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
    if cut is not None and not found and job.is_asset_job and needs_partition(job.layer):
        last = cut.get_last_partition_key()
        if is_anonymous(job.name) or job.name == IMPLICIT_JOB:
            what = f"what `{job.name.removeprefix(ANONYMOUS)}` runs" if is_anonymous(job.name) else "what is asked for"
            told = f"{what} is partitioned, and it doesn't say which partition"
            raise DagsterInvariantViolationError(told, hint=f'RunRequest(partition_key="{last or "KEY"}")')
        told = f"job `{job.name}` is partitioned: say which partition"
        raise DagsterInvariantViolationError(told, hint=f"%launch {job.name} --partition {last or 'KEY'}")
    return found
