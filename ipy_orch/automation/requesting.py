"""Run what a schedule or sensor asked for: each request is a launch of a job, on the session's queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.automation.asking import Answer, what_runs
from ipy_orch.automation.instance import TickInstance
from ipy_orch.model.asset_jobs import IMPLICIT_JOB, define_asset_job
from ipy_orch.model.automation.requests import RunRequest
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.dynamic import AddDynamicPartitionsRequest
from ipy_orch.session.jobs.launched import JobReport
from ipy_orch.session.jobs.launching import Asked, Launch, job_named, resolved_job
from ipy_orch.session.refusals import hints_of_notebooks
from ipy_orch.session.scan import Scanned
from ipy_orch.session.submitting import MOST_WAITING, Submitted

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["RUN_KEY", "TICK", "Wanted", "has_room", "report", "run", "submit", "wanted"]

TICK: Final = "dagster/tick"
RUN_KEY: Final = "dagster/run_key"
ROOM: Final = MOST_WAITING - 3  #: places in the queue are left for people


@dataclass(frozen=True)
class Wanted:
    """Be a run that a tick asked for.

    Args:
        job: the name of the job.
        what: is run, in the words of the table of runs.
        tags: of the run, with those that say which tick it is from.
    """

    name: str
    request: RunRequest
    job: str
    what: str
    tags: Mapping[str, str]


def wanted(answer: Answer, tick: str) -> list[Wanted]:
    """Return the runs that a tick asked for."""
    return [one_of(answer, request, tick) for request in answer.requests]


def one_of(answer: Answer, request: RunRequest, tick: str) -> Wanted:
    """Return the run that a request is for."""
    key = {RUN_KEY: request.run_key} if request.run_key is not None else {}
    tags = {**request.tags, **key, TICK: tick}
    return Wanted(answer.name, request, answer.job_of(request), what_runs(answer, request), tags)


def report(answer: Answer, instance: TickInstance) -> None:
    """Do what a sensor asked for beside runs: partitions that come or go, and reports about assets."""
    for request in answer.dynamic:
        if isinstance(request, AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        else:
            instance.delete_dynamic_partitions(request.partitions_def_name, request.partition_keys)
    for event in answer.events:
        instance.report_runless_asset_event(event)


def has_room(session: Session) -> bool:
    """Tell whether another run may be put into the session's queue."""
    return len(session.queue.waiting) < ROOM


def submit(session: Session, one: Wanted) -> Submitted:
    """Have a run begin when its turn comes, and return at once.

    Raises:
        DagsterInvariantViolationError: when too many wait already.
    """
    return session.queue.submit(lambda: session.running.told(run(session, one)), one.what)


def run(session: Session, one: Wanted) -> JobReport:
    """Run what was asked for; the exceptions of the user's code are in the report.

    Raises:
        DagsterError: when it can't be run as asked; nothing has run then.
    """
    with session.lock, hints_of_notebooks():
        scanned = session.scan()
        job = job_of(session, scanned, one.job)
        request = one.request
        assets = chosen(session, scanned, job, request)
        if assets is not None:
            job = job.get_subset(asset_selection=assets, asset_check_selection=request.asset_check_keys)
        asked = Asked(
            request.run_config,
            workers=session.settings.workers,
            tags=one.tags,
            what=one.what,
            partition=request.partition_key,
        )
        return Launch(session, scanned, job, asked, None).run()


def job_of(session: Session, scanned: Scanned, name: str) -> JobDefinition:
    """Return a job over the notebook as it stands.

    Raises:
        DagsterInvariantViolationError: when there's none of this name, with the closest.
    """
    if name == IMPLICIT_JOB:
        resources = {"io_manager": session.store, **scanned.resources}
        return define_asset_job(IMPLICIT_JOB).resolve(scanned.graph, None, resources, scanned.loggers)
    return resolved_job(session, scanned, job_named(scanned, name))


def chosen(session: Session, scanned: Scanned, job: JobDefinition, request: RunRequest) -> Iterable[AssetKey] | None:
    """Return the assets of a job that a request is for, None for all."""
    if not request.stale_assets_only or not job.is_asset_job:
        return request.asset_selection
    statuses: Mapping[AssetKey, Any] = session.statuses(scanned)
    keys = request.asset_selection if request.asset_selection is not None else job.layer.executable_asset_keys
    return [key for key in keys if key not in statuses or statuses[key].word not in ("fresh", "evicted")]
