"""What is known of a job: what it runs, where it is defined, and how its runs went. Reads only: nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from ipy_orch.errors import DagsterError
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.planning.calls import Call, Collected, FromOutput
from ipy_orch.planning.jobs import calls_of_job
from ipy_orch.session.jobs.launching import resolved_job
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import Session
from ipy_orch.ui.entries import cut
from ipy_orch.ui.protocol import Code, JobMessage, JobOp, JobRun
from ipy_orch.ui.protocol.graph import RunWord
from ipy_orch.ui.snapshot import cell_of, keys_of_job, tags_in

__all__ = ["job_message"]

MOST_RUNS: Final = 50


def job_message(session: Session, name: str) -> JobMessage:
    """Return all that is known of a job.

    Raises:
        DagsterError: when the notebook has none of this name.
    """
    scanned = session.scan()
    found = scanned.places_of_jobs[name]
    cell = found.cell
    source = cell.source if cell is not None else None
    return JobMessage(
        name=name,
        description=found.definition.description or "",
        cell=cell_of(cell),
        code=Code(text=cut(source.text), where=cell.label) if cell is not None and source is not None else None,
        tags=tags_in(dict(found.definition.tags or {})),
        runs=[*runs_of(session, name)],
        **what_of(session, scanned, name),
    )


def what_of(session: Session, scanned: Scanned, name: str) -> dict[str, object]:
    """Return what a job runs; what is wrong with it, where it can't run."""
    last = session.launched.get(name)
    run = session.history.runs.get(last.run_id) if last is not None else None
    try:
        job = resolved_job(session, scanned, name)
        if job.is_asset_job:
            keys = keys_of_job(scanned.places_of_jobs[name].definition, scanned.graph)
            return {"ids": [key.label for key in keys], "resumable": run is not None and run.status == "failure"}
        return {"ops": [*ops_of(job)], "resumable": run is not None and run.status in ("failure", "canceled")}
    except DagsterError as error:
        return {"problem": str(error)}


def ops_of(job: JobDefinition) -> Iterator[JobOp]:
    """Yield the ops of a job, each after those whose outputs it reads."""
    calls: list[Call] = calls_of_job(job)
    for call in calls:
        sources = [source.source if isinstance(source, Collected) else source for source in call.reads()]
        before = [source.call for source in sources if isinstance(source, FromOutput)]
        yield JobOp(name=call.name, after=[*dict.fromkeys(before)])


def runs_of(session: Session, name: str) -> Iterator[JobRun]:
    """Yield the runs of a job, the newest first."""
    runs = [run for run in session.history.runs.values() if run.what == f"job {name}"]
    for run in reversed(runs[-MOST_RUNS:]):
        yield JobRun(
            run_id=run.run_id,
            status=cast("RunWord", run.status),
            when=run.started,
            seconds=run.seconds,
            message=run.message,
        )
