"""What the graph shows: a fold of (scan, statuses, ledger, runs) into a Snapshot, and the differences as Patches.

Two halves, because they change at different times. The *outline*, who is there and depends on whom, is read when a cell
has run. The *standing* of each asset is the status that the planner gives, with what a run that goes on says laid over
it; of that only what events have touched is looked at again. Nothing is run and no value is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Final, cast

from ipy_orch.errors import DagsterError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.runs import Run, Runs, StepRun
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec
from ipy_orch.planning.freshness import Freshness as Fresh
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partition_statuses import PartitionStatuses
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.planning.staleness import NEVER
from ipy_orch.planning.staleness import Status as Stands
from ipy_orch.session.cellbook import Cell as BookCell
from ipy_orch.session.jobs.jobs import Job as FoundJob
from ipy_orch.session.rows import word_of
from ipy_orch.session.scan import Scanned, uses
from ipy_orch.ui.cards import plain, shortened
from ipy_orch.ui.partitions import while_many_run
from ipy_orch.ui.protocol import (
    Cell,
    CheckState,
    Freshness,
    Group,
    Job,
    Node,
    NodePatch,
    Patch,
    Progress,
    RunState,
    Snapshot,
    Status,
    StepState,
    Verdict,
    Word,
)

__all__ = ["Outline", "Standing", "outline_of", "patch_of", "run_state", "snapshot_of", "state_of", "verdict_of"]

UNKNOWN: Final = Status()  # one for all nodes: pydantic would copy its default for each

LONGEST = 200
UNNAMED = "__"  # what jobs begin with that a schedule has for itself
INTERNAL = ("dagster/kind/", "ipy_orch/")
SETTLED = ("success", "failure", "skipped", "unchanged", "canceled")


# -- who is there -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outline:
    """Be the graph without statuses.

    Args:
        nodes: in order of lineage, each without its status and checks.
        ids: id -> key.
        environment: the one in use, "" for the notebook's own.
        problem: why there is no graph now, in words.
    """

    nodes: tuple[Node, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    groups: tuple[Group, ...] = ()
    jobs: tuple[Job, ...] = ()
    ids: Mapping[str, AssetKey] = field(default_factory=dict)
    checks: Mapping[AssetKey, tuple[AssetCheckSpec, ...]] = field(default_factory=dict)
    environment: str = ""
    environments: tuple[str, ...] = ()
    problem: str = ""
    automations: int = 0


def outline_of(scanned: Scanned, environment: str = "", environments: Iterable[str] = ()) -> Outline:
    """Return the outline of what a scan found; that of a graph that can't be built says why."""
    try:
        graph = scanned.graph
    except DagsterError as error:
        return Outline(environment=environment, environments=(*environments,), problem=str(error))
    nodes = tuple(node_of(key, graph, scanned) for key in graph.keys)
    position = graph.position
    edges = tuple((position[dep], here) for here, key in enumerate(graph.keys) for dep in sorted(graph.upstream[key]))
    groups = Counter(node.group for node in nodes)
    checks = {key: tuple(graph.checks[check] for check in found) for key, found in graph.checks_of.items()}
    return Outline(
        nodes,
        edges,
        tuple(Group(name=name, count=count) for name, count in groups.items()),
        tuple(jobs_of(scanned, graph)),
        {key.label: key for key in graph.keys},
        checks,
        environment,
        (*environments,),
        "; ".join(map(str, scanned.broken.values())),
        number_of_automations(scanned),
    )


def number_of_automations(scanned: Scanned) -> int:
    """Return how many schedules and sensors there are; none where two have one name."""
    try:
        return len(scanned.all_automations)
    except DagsterError:
        return 0


def node_of(key: AssetKey, graph: AssetGraph, scanned: Scanned) -> Node:
    """Return the node of an asset."""
    maker = graph.makers[key]
    spec = maker.specs_by_key[key]
    cell = scanned.cells.get(maker)
    return Node(
        id=key.label,
        group=spec.group_name or DEFAULT_GROUP,
        kind="asset" if maker.is_executable else "external",
        kinds=tuple(graph.kinds(key)),
        tags=tags_of(spec),
        owners=tuple(map(str, spec.owners)),
        description=first_line(spec.description),
        status=UNKNOWN,
        partitioned=spec.partitions_def is not None,
        configurable=maker.is_executable and (maker.op.config_type is not None or bool(uses_config(key, scanned))),
        automated=spec.automation_condition is not None,
        cell=cell_of(cell),
    )


def cell_of(cell: BookCell | None) -> Cell | None:
    """Return a cell as it goes over the wire."""
    return Cell(label=cell.label, id=cell_id(cell.key)) if cell is not None else None


def uses_config(key: AssetKey, scanned: Scanned) -> list[str]:
    """Return the resources of the notebook's that an asset uses."""
    return [name for name in uses(scanned.graph.makers[key], scanned.graph) if name in scanned.resources]


def tags_of(spec: AssetSpec) -> dict[str, str]:
    """Return the tags that people gave."""
    return tags_in(spec.tags)


def tags_in(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that people gave, of all that there are."""
    return {name: value for name, value in tags.items() if not name.startswith(INTERNAL)}


def cell_id(key: str) -> str:
    """Return the id that a front end gave a cell, or "" where the book made a key of its own.

    >>> cell_id("text:x = 1"), cell_id("4f2a")
    ('', '4f2a')
    """
    return "" if key.partition(":")[0] in ("text", "asset", "check") and ":" in key else key


def first_line(text: str | None) -> str:
    """Return the first line of a text, not too long."""
    lines = (text or "").strip().splitlines()
    return shortened(plain(lines[0]), LONGEST) if lines else ""


def jobs_of(scanned: Scanned, graph: AssetGraph) -> Iterator[Job]:
    """Yield the jobs with the assets that they select; a job that can't be resolved selects none."""
    try:
        jobs = scanned.jobs
    except DagsterError:
        return
    for name, job in jobs.items():
        if name.startswith(UNNAMED):
            continue
        try:
            keys = keys_of_job(job, graph)
        except DagsterError:
            keys = []
        yield Job(
            name=name,
            description=first_line(job.description),
            nodes=[graph.position[key] for key in keys],
            of_ops=runs_ops(job),
            cell=cell_of(scanned.places_of_jobs[name].cell),
        )


def runs_ops(job: FoundJob) -> bool:
    """Tell whether a job runs ops, which are in no graph of assets."""
    return isinstance(job, JobDefinition) and not job.is_asset_job


def keys_of_job(job: FoundJob, graph: AssetGraph) -> list[AssetKey]:
    """Return the assets of a job, in order of lineage."""
    if hasattr(job, "selection"):
        keys = AssetSelection.from_coercible(job.selection or "*").resolve(graph)
    else:
        keys = {key for one in job.layer.definitions for key in one.keys} if job.is_asset_job else set()
    return graph.in_order(key for key in keys if key in graph.position)


# -- how it stands ----------------------------------------------------------------------------------------------------


@dataclass
class Standing:
    """Say how the assets stand.

    Args:
        statuses: as the planner gave them.
        of_steps: id -> its step, of the last run: while that goes on, the step says how the asset stands.
        run: the last one.
        in_cell: whether a run that goes on runs in a cell.
        partitions: of assets that are partitioned, as the planner gave them.
        fresh: of assets that have a freshness policy.
    """

    statuses: Mapping[AssetKey, Stands]
    ledger: Ledger
    run: Run | None = None
    of_steps: Mapping[str, StepRun] = field(default_factory=dict)
    in_cell: bool = False
    partitions: Mapping[AssetKey, PartitionStatuses] = field(default_factory=dict)
    fresh: Mapping[AssetKey, Fresh] = field(default_factory=dict)

    def with_run(self, history: Runs, *, in_cell: bool = False) -> Standing:
        """Return how the assets stand, with the last run."""
        run = next(reversed(history.runs.values()), None)
        steps = {} if run is None else {id_: run.steps[name] for name, ids in run.keys.items() for id_ in ids}
        return replace(self, run=run, of_steps=steps, in_cell=in_cell)

    @cached_property
    def of_many(self) -> Mapping[str, Mapping[str, StepRun]]:
        """Return the steps of each asset, of the last run: those of what is partitioned are several."""
        found: dict[str, dict[str, StepRun]] = {}
        for name, ids in self.run.keys.items() if self.run is not None else ():
            for id_ in ids:
                found.setdefault(id_, {})[name] = self.run.steps[name]  # type: ignore[union-attr]  # there is one
        return found

    def status(self, id_: str, key: AssetKey) -> Status:
        """Return how an asset stands."""
        step = self.of_steps.get(id_)
        stands = self.statuses.get(key) or Stands("external")
        if step is None or self.run is None:
            return status_of(stands)
        if self.run.status == "running":
            before = self.partitions.get(key)
            live = self.while_running(key, step) if before is None else while_many_run(self.of_many[id_], before)
            if live is not None:
                return live
        return status_of(stands, cached=step.status == "unchanged")

    def while_running(self, key: AssetKey, step: StepRun) -> Status | None:
        """Return how an asset stands of which a step is in the run that goes on."""
        match step.status:
            case "waiting":
                return Status(word="waiting", reason=step.reason)
            case "running" | "retrying":
                made = self.ledger.materialized.get((key, None))
                started, expected = step.started or 0.0, made.seconds if made is not None else 0.0
                progress = Progress(started=started, expected=expected, attempt=step.attempt)
                return Status(word="running", reason=step.message or step.reason, progress=progress)
            case "success":
                return Status(word="fresh")
            case "unchanged":
                return Status(word="fresh", cached=True)
            case "failure":
                return Status(word="failed", reason=step.message)
            case _:
                return None

    def freshness(self, key: AssetKey) -> Freshness | None:
        """Return how an asset does by its freshness policy; None where it has none."""
        found = self.fresh.get(key)
        if found is None:
            return None
        updated, until = (at.timestamp() if at is not None else None for at in (found.updated, found.until))
        return Freshness(word=cast("Any", found.word), policy=found.policy, updated=updated, until=until)

    def checks(self, specs: Iterable[AssetCheckSpec]) -> tuple[CheckState, ...]:
        """Return how checks stand."""
        return tuple(
            CheckState(name=spec.name, status=verdict_of(spec.key, self.ledger), blocking=spec.blocking)
            for spec in specs
        )


@lru_cache(1000)
def status_of(stands: Stands, *, cached: bool = False) -> Status:
    """Return a status as it goes over the wire; that what is missing was never made goes without saying."""
    reason = "" if stands.word == "missing" and stands.reason == str(NEVER) else stands.reason
    partitions = dict(stands.partitions[0]) if stands.partitions is not None else {}
    return Status(word=cast("Word", stands.word), reason=reason, cached=cached, partitions=partitions)


def verdict_of(check: AssetCheckKey, ledger: Ledger) -> Verdict:
    """Return a check's last verdict."""
    if (check, None) in ledger.raised:
        return "raised"
    last = ledger.checked.get((check, None))
    if last is None:
        return "not run"
    word: Verdict = word_of(last.evaluation)  # type: ignore[assignment]  # one of three words
    return word


# -- messages ---------------------------------------------------------------------------------------------------------


def state_of(id_: str, outline: Outline, standing: Standing) -> NodePatch:
    """Return how one asset stands, with its checks."""
    key = outline.ids[id_]
    checks = standing.checks(outline.checks.get(key, ()))
    return NodePatch(id=id_, status=standing.status(id_, key), checks=checks, freshness=standing.freshness(key))


def snapshot_of(outline: Outline, states: Mapping[str, NodePatch], standing: Standing, version: int) -> Snapshot:
    """Return the whole graph."""
    nodes = [node.model_copy(update=changing(states[node.id])) for node in outline.nodes]
    return Snapshot.model_construct(
        version=version,
        nodes=nodes,
        edges=[*outline.edges],
        groups=[*outline.groups],
        jobs=[*outline.jobs],
        automations=outline.automations,
        run=run_state(standing.run, in_cell=standing.in_cell) if standing.run is not None else None,
        environment=outline.environment,
        environments=[*outline.environments],
        problem=outline.problem,
    )


def changing(state: NodePatch) -> dict[str, Any]:
    """Return the fields of a node that change while it's there."""
    return {"status": state.status, "checks": state.checks, "freshness": state.freshness}


def patch_of(changed: Iterable[NodePatch], run: RunState | None, base: int, version: int) -> Patch:
    """Return what has changed between two versions."""
    return Patch(version=version, base=base, nodes=[*changed], run=run)


def run_state(
    run: Run, names: Iterable[str] | None = None, *, canceling: bool = False, in_cell: bool = False
) -> RunState:
    """Return how a run goes.

    Args:
        names: the steps to tell of; by default those that have begun.
    """
    steps = (
        [step for step in run.steps.values() if step.status != "waiting"]
        if names is None
        else [run.steps[name] for name in names if name in run.steps]
    )
    verdicts = [word_of(verdict) for found in run.unpassed.values() for verdict in found]
    return RunState(
        run_id=run.run_id,
        what=run.what,
        status=run.status,
        started=run.started,
        seconds=run.seconds,
        message=run.message,
        total=len(run.steps),
        done=run.count(*SETTLED),
        failed=run.count("failure"),
        checks_failed=verdicts.count("failed"),
        checks_warned=verdicts.count("warned"),
        canceling=canceling and run.status == "running",
        in_cell=in_cell and run.status == "running",
        steps=[step_state(step, run) for step in steps],
    )


def step_state(step: StepRun, run: Run) -> StepState:
    """Return how a step goes."""
    return StepState(
        name=step.name,
        ids=[*run.keys.get(step.name, ())],
        status=step.status,
        reason=step.reason,
        started=step.started,
        seconds=step.seconds,
        message=step.message,
        checks=[
            CheckState(name=verdict.check_name, status=cast("Verdict", word_of(verdict)))
            for verdict in run.unpassed.get(step.name, ())
        ],
    )
