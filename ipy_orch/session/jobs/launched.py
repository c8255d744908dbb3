"""What came of launching a job, and what is remembered of its last run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ipy_orch.errors import DagsterError, DagsterInvalidConfigError, DagsterInvariantViolationError
from ipy_orch.events.runs import Run, StepRun
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.execution.world import Outputs
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition
from ipy_orch.model.automation.targets import is_anonymous
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import labels
from ipy_orch.model.ops import RESULT
from ipy_orch.planning.config import resolve_run_config
from ipy_orch.planning.job_config import job_tree, run_config_of
from ipy_orch.planning.jobs import plan_job
from ipy_orch.planning.plan import Plan
from ipy_orch.session.jobs.jobs import FoundJob, Job
from ipy_orch.session.report import Line, Report
from ipy_orch.session.scan import Scanned
from ipy_orch.session.words import human_seconds

__all__ = ["JobReport", "Launched", "OpLine", "job_rows", "lines_of_ops"]


@dataclass(frozen=True)
class OpLine(Line):
    """Be the line of an op of a job, or of one of its calls."""

    key: str  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """Be the name of the op or of the call."""
        return self.key


@dataclass
class Launched:
    """Be what is remembered of the last run of a job.

    Args:
        root: the run that the first of the failures was in, from which this one goes on.
        asked: what was asked for beside the job.
        marks: step -> digest of all that its outcome depends on beside what other steps make.
        outputs: what its ops made; nothing of it is kept when all went well.
    """

    run_id: str
    root: str
    asked: Any
    marks: Mapping[str, str] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=Outputs)


@dataclass
class JobReport(Report):
    """Be what came of a job; the values of its ops are in it, those of assets are the session's.

    Args:
        execution: the same under Dagster's names.
    """

    execution: ExecuteInProcessResult | None = None

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.result.run_id if self.result is not None else ""

    @property
    def in_process(self) -> ExecuteInProcessResult:
        """Return the result under Dagster's names.

        Raises:
            DagsterInvariantViolationError: when nothing ran.
        """
        if self.execution is None:
            raise DagsterInvariantViolationError("nothing ran")
        return self.execution

    def output_for_node(self, node: str, output_name: str = RESULT) -> Any:
        """Return what an op or graph of the job made; by mapping key, where it ran once for each key.

        Raises:
            DagsterInvariantViolationError: when it has no such output, or it wasn't made.
        """
        return self.in_process.output_for_node(node, output_name)

    def output_value(self, output_name: str = RESULT) -> Any:
        """Return an output of the job's graph.

        Raises:
            DagsterInvariantViolationError: when it has no such output, or it wasn't made.
        """
        return self.in_process.output_value(output_name)

    def asset_value(self, asset: Any) -> Any:
        """Return the value of an asset that the job made.

        Raises:
            DagsterInvariantViolationError: when it doesn't make this one.
        """
        return self.in_process.asset_value(asset)


# -- lines ------------------------------------------------------------------------------------------------------------


def lines_of_ops(planned: Plan, run: Run, done: Mapping[str, str], environment: str = "") -> list[Line]:
    """Return a line per op; one for all calls of an op that ran for each key of a dynamic output.

    Args:
        done: steps that an earlier run has made.
        environment: that it was run in, "" for the notebook's own resources.
    """
    mapped = [step.name for steps in planned.mapped.values() for step in steps]
    first = [
        name for step in planned.steps for name in (step.name, *(one.name for one in planned.mapped.get(step.name, ())))
    ]
    by_op: dict[str, list[StepRun]] = {name: [] for name in [*first, *mapped]}
    for step in run.steps.values():
        by_op[step.name.partition("[")[0]].append(step)
    kept = {name: [one for one in done if one.partition("[")[0] == name] for name in by_op}
    found = [line for name, steps in by_op.items() for line in lines_of(name, steps, kept[name])]
    return [replace(line, text=f"{line.text} · in {environment}") for line in found] if environment else found


def lines_of(name: str, steps: list[StepRun], kept: list[str]) -> Iterator[Line]:
    """Yield the line of one op, and one for each of its calls that failed."""
    good = [step for step in steps if step.status == "success"]
    if kept:
        yield OpLine(name, "fresh", f"from the last run{times(kept)}")
    if good:
        yield OpLine(name, "ran", f"{human_seconds(sum(step.seconds for step in good))}{times(good)}")
    for step in steps:
        if step.status == "failure":
            yield OpLine(step.name, "failed", f"failed: {step.message}")
        elif step.status == "canceled" and step.started is not None:
            yield OpLine(step.name, "canceled", "canceled, nothing stored")
    rest = [step for step in steps if step.started is None and step.status in ("skipped", "canceled")]
    if rest:
        yield OpLine(name, "skipped", f"skipped: {rest[0].message or 'not run'}{times(rest)}")


def times(found: list[Any]) -> str:
    """Return how many calls of one op there were, where they were several."""
    return f" · {len(found)} ×" if len(found) > 1 else ""


# -- the table --------------------------------------------------------------------------------------------------------


def job_rows(scanned: Scanned, launched: Mapping[str, Launched], runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """Return a row per job: what it runs, the config it has and needs, and its last run."""
    rows = []
    for name, found in sorted(scanned.places_of_jobs.items()):
        if is_anonymous(name):
            continue
        last = launched.get(name)
        run = runs.get(last.run_id) if last is not None else None
        told = (
            {"status": run.status, "when": run.started, "seconds": run.seconds}
            if run is not None
            else {"status": "not run"}
        )
        cell = found.cell.label if found.cell is not None else ""
        rows.append(
            {"job": name, "cell": cell, "description": found.definition.description, **what_of(found, scanned), **told}
        )
    return rows


def what_of(found: FoundJob, scanned: Scanned) -> dict[str, Any]:
    """Return what a job runs and which config it lacks; what is wrong with it, where it can't run."""
    job: Job = found.definition
    kind = "ops" if isinstance(job, JobDefinition) and not job.is_asset_job else "assets"
    try:
        if isinstance(job, UnresolvedAssetJobDefinition):
            job = job.resolve(scanned.graph, None, scanned.resources, scanned.loggers)
        names = names_in(job, scanned)
        return {"kind": kind, "count": len(names), "runs": ", ".join(names), "needs": ", ".join(lacking(job, scanned))}
    except DagsterError as error:
        return {"kind": kind, "problem": error.message}


def names_in(job: JobDefinition, scanned: Scanned) -> list[str]:
    """Return the assets or ops that a job runs."""
    if not job.is_asset_job:
        return [node.name for node in job.nodes]
    return labels(scanned.graph.in_order(job.layer.executable_asset_keys & {*scanned.graph.upstream}))


def lacking(job: JobDefinition, scanned: Scanned) -> list[str]:
    """Return the paths of the config that a launch must give, because the job has none of its own."""
    if job.config_mapping is not None:
        return []
    places = {step.place for step in plan_job(job).every_step}
    resources = {**scanned.resources, **job.resource_defs}
    try:
        resolve_run_config(run_config_of(job, None), job_tree(job), resources, needed=places)
    except DagsterInvalidConfigError as error:
        return [".".join(map(str, getattr(one, "path", ()))) for one in error.errors]
    return []
