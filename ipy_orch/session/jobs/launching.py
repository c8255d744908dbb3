"""Launch a job of the notebook: what it runs, with which config, and what of its last run needn't be run again.

A job of assets and a job of ops become a :class:`~ipy_orch.planning.plan.Plan` each, which :meth:`Session.run` runs as
it runs any other. What a job of assets makes has the session's recipes, so the assets are fresh afterwards, and what is
downstream of them isn't. What ops make is kept when the run fails, for a run that goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ipy_orch.errors import (
    DagsterInvariantViolationError,
    closest,
)
from ipy_orch.execution.jobs import places_of
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.execution.storing import keep
from ipy_orch.execution.world import Outputs, RunResult
from ipy_orch.model.asset_jobs import AssetLayer, UnresolvedAssetJobDefinition
from ipy_orch.model.console_loggers import default_loggers
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.requirements import needed
from ipy_orch.planning.config import Resolved, resolve_run_config
from ipy_orch.planning.job_config import config_tags, job_tree, run_config_of
from ipy_orch.planning.jobs import (
    plan_job,
    refuse_missing_values,
    refuse_unknown_values,
    source_assets_in,
    which,
    with_job,
)
from ipy_orch.planning.partitioning import partitions_tags
from ipy_orch.planning.plan import Plan, Request, Step, plan
from ipy_orch.planning.staleness import Reason
from ipy_orch.session.config.run_config import merged
from ipy_orch.session.jobs.jobs import default_executor, only_elsewhere
from ipy_orch.session.jobs.launched import JobReport, Launched, lines_of_ops
from ipy_orch.session.jobs.partitions import cut_of_job, partitions_of
from ipy_orch.session.jobs.resuming import carried, done, marks_of
from ipy_orch.session.partitions.bringing_back import bring_back
from ipy_orch.session.partitions.choosing import Which, cuts_of
from ipy_orch.session.recipes import Recipes
from ipy_orch.session.refusals import hints_of_notebooks, refuse_broken, refuse_unknown_inputs
from ipy_orch.session.report import report
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Asked", "job_named", "launch", "resolved_job"]


@dataclass(frozen=True)
class Asked:
    """Be what a launch asks for beside the job.

    Args:
        config: run config over the job's own.
        ops: which ops, as op selections; all by default.
        workers: how many steps run at once.
        from_failure: go on where the job's last run failed.
        tags: of the run, beside the job's.
        what: is asked for, in words; by default the job.
        partition: which partitions of what is partitioned; by default the one that the tags say.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    ops: Sequence[str] = ()
    workers: int = 1
    from_failure: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    what: str = ""
    partition: Which = None


# -- which job --------------------------------------------------------------------------------------------------------


def job_named(scanned: Scanned, name: Any) -> str:
    """Return the name of a job of the notebook, given it, or the job itself.

    Raises:
        DagsterInvariantViolationError: when there's none, with the closest one.
    """
    said = name if isinstance(name, str) else getattr(name, "name", str(name))
    jobs = scanned.places_of_jobs
    if said in jobs:
        return said
    held = next((one.name for one in jobs.values() if one.variable == said), None)
    held = held if held is not None else only_elsewhere(said, jobs.values())
    if held is not None:
        return held
    hint = closest(said, jobs) or ("`%jobs` lists them" if jobs else f"%job {said} SELECTION")
    if said in scanned.names:
        hint = f"%materialize {said}: it is an asset"
    raise DagsterInvariantViolationError(f"there is no job `{said}`", hint=hint)


def resolved_job(session: Session, scanned: Scanned, name: str) -> JobDefinition:
    """Return a job over the assets and resources of the notebook as it stands.

    Raises:
        DagsterInvalidDefinitionError: when it selects what isn't there, or something that it needs is missing.
    """
    found = scanned.places_of_jobs[name].definition
    resources = {"io_manager": session.store, **scanned.resources}
    executor = default_executor(name, session.namespace, session.book) if found.executor_def is None else None
    if isinstance(found, UnresolvedAssetJobDefinition):
        refuse_broken(scanned, scanned.broken)
        return found.resolve(scanned.graph, executor, resources, scanned.loggers)
    brought = {} if found.is_asset_job else resources_of_sources(found)
    job = found.with_top_level_resources({**resources, **brought})
    job = job if executor is None else job.with_executor_def(executor)
    if job.is_asset_job:
        return replace(job, asset_layer=of_today(job.layer, scanned))
    return job if job.loggers else job.with_logger_defs(scanned.loggers)


def of_today(layer: AssetLayer, scanned: Scanned) -> AssetLayer:
    """Return what a job runs in the notebook's graph of now: the job may have been resolved before an edit."""
    graph = scanned.graph
    known = layer.executable_asset_keys <= {*graph.materializable_keys, *graph.executable_keys}
    return replace(layer, asset_graph=graph) if known and layer.executable_check_keys <= {*graph.checks} else layer


def resources_of_sources(job: JobDefinition) -> dict[str, Any]:
    """Return the resources that assets bring which are arguments in a graph."""
    return {key: one for source in source_assets_in(job.graph) for key, one in source.resource_defs.items()}


# -- launching --------------------------------------------------------------------------------------------------------


def launch(session: Session, name: Any, asked: Asked) -> JobReport:
    """Run a job and return what came of it; the exceptions of the user's code are in it.

    Raises:
        DagsterError: when it can't be run as asked; nothing has run then.
        KeyboardInterrupt: when interrupted; nothing half done is stored.
    """
    scanned = session.scan()
    name = job_named(scanned, name)
    with hints_of_notebooks():
        return prepared(session, scanned, name, asked).run()


def prepared(session: Session, scanned: Scanned, name: str, asked: Asked) -> Launch:
    """Return the launch of a job, with what it takes from the last one.

    Raises:
        DagsterError: when it can't be run as asked.
    """
    last = session.launched.get(name)
    if asked.from_failure:
        asked = again(session, name, last, asked)
    job = resolved_job(session, scanned, name)
    if asked.ops:
        refuse_op_selection(job)
        job = job.get_subset(op_selection=list(asked.ops))
    return Launch(session, scanned, job, asked, last if asked.from_failure else None)


def again(session: Session, name: str, last: Launched | None, asked: Asked) -> Asked:
    """Return what the last run was asked for, with what is asked for now over it.

    Raises:
        DagsterInvariantViolationError: when there's no run that failed.
    """
    run = session.history.runs.get(last.run_id) if last is not None else None
    if last is None or run is None:
        raise DagsterInvariantViolationError(f"job `{name}` hasn't run here yet", hint=f"%launch {name}")
    if run.status == "success":
        told = f"the last run of job `{name}` succeeded: there is nothing to go on from"
        raise DagsterInvariantViolationError(told, hint=f"%launch {name}")
    before: Asked = last.asked
    return replace(
        asked,
        config=merged(before.config, asked.config),
        ops=asked.ops or before.ops,
        tags={**before.tags, **asked.tags, "dagster/parent_run_id": last.run_id, "dagster/root_run_id": last.root},
    )


def refuse_op_selection(job: JobDefinition) -> None:
    """Refuse to select ops of a job of assets.

    Raises:
        DagsterInvariantViolationError: with what to type.
    """
    if job.is_asset_job:
        told = f"job `{job.name}` runs assets, and `--op-selection` selects ops"
        raise DagsterInvariantViolationError(told, hint="`%materialize` takes some of them")


class Launch:
    """Be one launch of a job.

    Args:
        last: the run that this one goes on from, if it does.
    """

    def __init__(
        self, session: Session, scanned: Scanned, job: JobDefinition, asked: Asked, last: Launched | None
    ) -> None:
        self.session, self.scanned, self.job, self.asked, self.last = session, scanned, job, asked, last
        self.resources = job.resource_defs
        with session.instance.looking():
            self.cut = cut_of_job(job)
            self.partitions = partitions_of(job, self.cut, asked.partition, asked.tags)

    def run(self) -> JobReport:
        """Plan, run and report."""
        with self.session.instance.looking():
            return self.run_looking()

    def run_looking(self) -> JobReport:
        """Do what :meth:`run` says, with the dynamic partitions of the session."""
        session, job = self.session, self.job
        if not job.is_asset_job:
            refuse_unknown_values(job)
            refuse_missing_values(job)
        given = self.config
        config = resolve_run_config(given, job_tree(job), self.resources)
        recipes = Recipes(
            self.scanned, config, session.files, self.bound, session.settings.pins, session.planning.resource_token
        )
        planned = self.plan(recipes)
        self.refuse_missing_resources(planned)
        places = {step.place for step in planned.every_step}
        config = resolve_run_config(given, job_tree(job), self.resources, needed=places)
        notices = bring_back(session, self.scanned, job, planned)
        if job.is_asset_job:
            session.planning.keep({part: given[part] for part in ("ops", "resources") if part in given})
        return self.execute(planned, config, marks_of(planned, recipes, session.ledger), notices)

    @property
    def bound(self) -> Mapping[str, Any]:
        """Return the variables that hold values of assets."""
        return self.session.names.values_of_assets(self.scanned)

    @property
    def config(self) -> dict[str, Any]:
        """Return the run config: what the session was given, the job's own over it, and what is asked for over that."""
        session, job = self.session, self.job
        of_resources = session.environments.configs.get(session.environments.current, {})
        own = {"resources": {key: one for key, one in of_resources.items() if key in self.resources}}
        base = merged(session.run_config if job.is_asset_job else {}, own)
        return merged(base, run_config_of(job, self.asked.config, self.partitions))

    # -- the plan -----------------------------------------------------------------------------------------------------

    def plan(self, recipes: Recipes) -> Plan:
        """Return the steps: all that the job runs, whatever is fresh."""
        what = self.asked.what or f"job {self.job.name}"
        if not self.job.is_asset_job:
            planned = plan_job(self.job, self.partitions)
            return replace(planned, request=replace(planned.request, what=what))
        session, layer = self.session, self.job.layer
        keys, checks = layer.executable_asset_keys, layer.executable_check_keys
        refuse_broken(self.scanned, sorted(keys))
        refuse_unknown_inputs(self.scanned, keys)
        knowledge = replace(session.planning.knowledge(self.scanned, recipes.config), parts=recipes)
        request = Request(keys, checks, force=keys, upstream=False, what=what, **which(self.partitions))
        planned = plan(layer.asset_graph, session.ledger, request, knowledge)
        steps = tuple(replace(step, reason=Reason(what)) for step in planned.steps)
        return with_job(replace(planned, steps=steps), self.job)

    def refuse_missing_resources(self, planned: Plan) -> None:
        """Refuse a job that needs a resource that isn't there.

        Raises:
            DagsterInvalidDefinitionError: naming the step.
        """
        for step in planned.every_step:
            needed(self.resources, step.required_resource_keys, f"`{step.name}`")

    # -- running ------------------------------------------------------------------------------------------------------

    def execute(self, planned: Plan, config: Resolved, marks: dict[str, str], notices: list[str]) -> JobReport:
        """Run the plan, note it as the last run of the job, and report."""
        session, job = self.session, self.job
        run_id, last = str(uuid4()), self.last
        outputs = Outputs()
        if last is not None:
            made = done(planned, marks, last, session.history.runs[last.run_id], self.is_gone)
            outputs = carried(last.outputs, made)
        root = last.root if last is not None else run_id
        before = session.launched.get(job.name)
        session.launched[job.name] = Launched(run_id, root, self.asked, marks, outputs)
        try:
            result = session.running.run(
                self.scanned,
                planned,
                config,
                self.asked.workers,
                run_id=run_id,
                job=job,
                job_name=job.name,
                resources=self.resources,
                loggers=job.loggers or default_loggers(),
                keep_values=not job.is_asset_job,
                outputs=outputs,
                tags={**job.run_tags, **self.asked.tags, **self.partition_tags},
            )
        finally:
            if run_id not in session.history.runs and before is not None:
                session.launched[job.name] = before  # it was refused: the last run is the one before
            session.names.bind(self.scanned, planned)
        notices = [*map(str, self.behind(planned)), *notices, *session.names.hidden(self.scanned, planned)]
        told = self.report(planned, result, notices, self.execution(result, planned, outputs))
        if result.success:
            session.launched[job.name].outputs = Outputs()  # nothing goes on from here
        return told

    def report(
        self, planned: Plan, result: RunResult, notices: list[str], execution: ExecuteInProcessResult
    ) -> JobReport:
        """Return the report: a line per asset, or per op."""
        session, label = self.session, self.session.environments.label
        told = report(planned, result, self.scanned.graph, session.ledger, notices, label)
        if not self.job.is_asset_job:
            done = session.launched[self.job.name].outputs.done
            told.lines = lines_of_ops(planned, session.history.runs[result.run_id], done, label)
        return JobReport(told.plan, result, told.lines, told.notices, execution)

    def partition_to_load(self, key: AssetKey) -> str | None:
        """Return the partition of an asset that the run was about."""
        return self.partitions[0] if self.partitions and key in cuts_of([key], self.scanned.graph) else None

    def behind(self, planned: Plan) -> Iterator[Any]:
        """Yield the cells that are behind on which the job or its assets depend."""
        session = self.session
        place = self.scanned.places_of_jobs.get(self.job.name)
        variable = place.variable if place is not None else ""
        seen: dict[str, Any] = {str(one): one for one in session.book.behind([variable])}
        if self.job.is_asset_job:
            seen |= {str(one): one for one in session.behind(planned, self.scanned)}
        yield from seen.values()

    @property
    def partition_tags(self) -> Mapping[str, str]:
        """Return the tags of the run of a partition."""
        return partitions_tags(self.cut, self.partitions, config_tags(self.job, self.partitions))

    def is_gone(self, step: Step) -> bool:
        """Tell whether the value of an asset that a step makes isn't kept."""
        session, kept = self.session, self.session.planning.is_kept
        places = [(key, one) for key in step.keys for one in step.partitions]
        versions = {place: session.ledger.data_version(*place) for place in places}
        return any(v is None or not kept(self.scanned, *place, v) for place, v in versions.items())

    def execution(self, result: RunResult, planned: Plan, outputs: Outputs) -> ExecuteInProcessResult:
        """Return the result under Dagster's names; values are readers' own."""
        makers = self.scanned.graph.makers
        for step, output, _ in outputs.kept:
            result.values.pop((step, output), None)
        for (step, output, mapping_key), sealed in outputs.kept.items():
            keep(result.values, (step, output), mapping_key, sealed.open())
        graphs = {one.op_def.name: one.op_def for one in makers.values() if isinstance(one.op_def, GraphDefinition)}
        return ExecuteInProcessResult(
            result,
            places_of(planned),
            lambda key: self.session.load(self.scanned, key, self.partition_to_load(key)),
            None,
            self.job,
            graphs,
            self.job.graph_def,
        )
