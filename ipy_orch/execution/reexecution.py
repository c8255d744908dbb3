"""Run a job through an instance, and go on from a run of it: what succeeded there is loaded, not run again.

In this process. Values outlive their run where an IO manager keeps them, which ``fs_io_manager`` does by default here.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

from ipy_orch.errors import (
    CheckError,
    DagsterExecutionStepNotFoundError,
    DagsterInvariantViolationError,
    DagsterRunNotFoundError,
    closest,
)
from ipy_orch.events.runs import Run
from ipy_orch.events.types import OutputStored
from ipy_orch.execution.iomanagers import fs_io_manager
from ipy_orch.execution.jobs import run_job
from ipy_orch.execution.records.dagster_run import PARENT_RUN, ROOT_RUN
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.execution.world import Outputs
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.planning.calls import outputs_in
from ipy_orch.planning.graph import ancestors
from ipy_orch.planning.plan import Plan, Step

__all__ = [
    "JobExecutionResult",
    "ReconstructableJob",
    "ReexecutionOptions",
    "build_reconstructable_job",
    "execute_job",
    "reconstructable",
]

CLAUSE: Final = re.compile(r"(?P<above>\*|\+*)(?P<name>[^*+]+)(?P<below>\*|\+*)$")


class JobExecutionResult(ExecuteInProcessResult):
    """Answer what a job did; see Dagster's class of this name. Values can be asked for in a ``with`` and outside."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: values are in memory."""


@dataclass(frozen=True)
class ReexecutionOptions:
    """Say which run to go on from, and which of its steps run again.

    Args:
        parent_run_id: the run.
        step_selection: names of steps, ``*a`` with all upstream, ``a+`` with the next downstream, ``a[?]`` for each
            key of a dynamic output; all steps by default.
    """

    parent_run_id: str
    step_selection: Sequence[str] = ()
    resumes: bool = field(default=False, init=False, repr=False)

    @staticmethod
    def from_failure(run_id: str, instance: DagsterInstance) -> ReexecutionOptions:
        """Return what runs again all that failed, or didn't run, in a run.

        Raises:
            DagsterRunNotFoundError: when the instance has no such run.
            DagsterInvariantViolationError: when it didn't fail.
        """
        run = run_of(instance, run_id)
        if run.status == "success":
            raise DagsterInvariantViolationError(f"run `{run_id}` didn't fail: there is nothing to go on from")
        left = tuple(name for name, step in run.steps.items() if step.status != "success")
        options = ReexecutionOptions(run_id, left)
        object.__setattr__(options, "resumes", True)
        return options


def run_of(instance: DagsterInstance, run_id: str) -> Run:
    """Return a run that an instance knows.

    Raises:
        DagsterRunNotFoundError: when it doesn't.
    """
    found = instance.history.runs.get(run_id)
    if found is None:
        raise DagsterRunNotFoundError(f"there is no run `{run_id}`", hint=closest(run_id, instance.history.runs))
    return found


# -- jobs that can be found again -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReconstructableJob:
    """Be a job that is named by where it is.

    Args:
        target: returns it.
        op_selection: some of its ops, None for all.
        asset_selection: some of its assets, None for all.
    """

    target: Callable[[], Any]
    op_selection: frozenset[str] | None = None
    asset_selection: frozenset[Any] | None = None

    def get_definition(self) -> JobDefinition:
        """Return the job.

        Raises:
            DagsterInvariantViolationError: when there's none.
        """
        found = self.target()
        made = found.to_job() if isinstance(found, GraphDefinition) else found
        if not isinstance(made, JobDefinition):
            raise DagsterInvariantViolationError(f"a job is wanted, not {made!r}", hint="@job")
        return made.get_subset(op_selection=self.op_selection, asset_selection=self.asset_selection)

    def get_subset(
        self, *, op_selection: Iterable[str] | None = None, asset_selection: Iterable[Any] | None = None
    ) -> ReconstructableJob:
        """Return some of its ops, or of its assets."""
        ops = self.op_selection if op_selection is None else frozenset(op_selection)
        assets = self.asset_selection if asset_selection is None else frozenset(asset_selection)
        return replace(self, op_selection=ops, asset_selection=assets)

    @property
    def job_name(self) -> str:
        """Return the name of the job."""
        return self.get_definition().name


def reconstructable(target: Any) -> ReconstructableJob:
    """Return a job, or a function of a module that returns one, as what another process could find again.

    Raises:
        DagsterInvariantViolationError: for what no module has under a name: a lambda, a function inside another.
        CheckError: for what can't be called and is no job.
    """
    if isinstance(target, JobDefinition):
        return ReconstructableJob(lambda: target)
    if not callable(target):
        raise CheckError(f"a job, or a function that returns one, and not {target!r}")
    name = getattr(target, "__qualname__", "")
    if name == "<lambda>":
        raise DagsterInvariantViolationError("a lambda can't be found again", hint="def make_job(): ...")
    if "<locals>" in name:
        told = f"`{name}` is inside another function, so it can't be found again"
        raise DagsterInvariantViolationError(told, hint="move it to the top of a module")
    return ReconstructableJob(target)


def build_reconstructable_job(
    reconstructor_module_name: str,
    reconstructor_function_name: str,
    reconstructable_args: Sequence[Any] | None = None,
    reconstructable_kwargs: Mapping[str, Any] | None = None,
    reconstructor_working_directory: str | None = None,
) -> ReconstructableJob:
    """Return the job that a function of a module returns for these arguments."""

    def make() -> Any:
        folder = str(Path(reconstructor_working_directory)) if reconstructor_working_directory else ""
        if folder and folder not in sys.path:
            sys.path.insert(0, folder)
        module = importlib.import_module(reconstructor_module_name)
        function = getattr(module, reconstructor_function_name)
        found = function(*(reconstructable_args or ()), **(reconstructable_kwargs or {}))
        return found.get_definition() if isinstance(found, ReconstructableJob) else found

    return ReconstructableJob(make)


# -- running ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Be what a run was asked for beside its job: a run that goes on from it is asked for the same."""

    run_config: Any
    ops: frozenset[str] | None
    assets: frozenset[Any] | None


ASKED: Final[WeakKeyDictionary[DagsterInstance, dict[str, Asked]]] = WeakKeyDictionary()


def execute_job(
    job: ReconstructableJob,
    instance: DagsterInstance,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    tags: Mapping[str, str] | None = None,
    raise_on_error: bool = False,
    op_selection: Sequence[str] | None = None,
    reexecution_options: ReexecutionOptions | None = None,
    asset_selection: Sequence[Any] | None = None,
) -> JobExecutionResult:
    """Run a job where its executor says, with its events and values kept by an instance.

    Args:
        run_config: by default, where an earlier run is gone on with, that one's.
        reexecution_options: which run to go on from.

    Raises:
        CheckError: when the job isn't one that can be found again.
        DagsterRunNotFoundError: when the run to go on from isn't there.
        DagsterExecutionStepNotFoundError: when a step is selected that the job doesn't have.
        Exception: what the user's code raised, if ``raise_on_error``.
    """
    if not isinstance(job, ReconstructableJob):
        raise CheckError(f"`execute_job` takes what `reconstructable(...)` returns, not {job!r}")
    chosen = job.get_subset(op_selection=op_selection, asset_selection=asset_selection)
    all_tags = {**(tags or {})}
    resume = None
    if reexecution_options is not None:
        parent = run_of(instance, reexecution_options.parent_run_id)
        root = parent.tags.get(ROOT_RUN, parent.run_id)
        all_tags |= {PARENT_RUN: parent.run_id, ROOT_RUN: root}
        before = ASKED.get(instance, {}).get(parent.run_id)
        if before is not None:
            run_config = before.run_config if run_config is None else run_config
            chosen = chosen.get_subset(op_selection=before.ops, asset_selection=before.assets)
        if reexecution_options.step_selection:
            resume = Resumption(instance, parent, reexecution_options)
    definition = chosen.get_definition()
    kept = {} if "io_manager" in definition.resource_defs else {"io_manager": fs_io_manager}
    done = run_job(
        definition,
        run_config,
        instance,
        raise_on_error=raise_on_error,
        tags=all_tags,
        resources=kept,
        resume=resume,
        in_process=False,
    )
    ASKED.setdefault(instance, {})[done.run_id] = Asked(run_config, chosen.op_selection, chosen.asset_selection)
    result = JobExecutionResult(
        done.result, done.output_keys, done.load, done.dagster_run, definition, done.graphs, done.top
    )
    result.job_def = done.job_def
    return result


class Resumption:
    """Say which steps of a plan are left to run, where an earlier run is gone on with."""

    def __init__(self, instance: DagsterInstance, parent: Run, options: ReexecutionOptions) -> None:
        self.options = options
        self.runs = [*line_of(instance, parent)]
        self.stored = [
            one for one in instance.log if isinstance(one, OutputStored) and self.run_that_made(one.step) == one.run_id
        ]

    def run_that_made(self, name: str) -> str:
        """Return the run in which a step succeeded last: the one to go on from, or one that it went on from itself."""
        made = (run.run_id for run in self.runs if name in run.steps and run.steps[name].status == "success")
        return next(made, self.runs[0].run_id)

    def __call__(self, planned: Plan) -> tuple[Plan, Outputs]:
        """Return what is left of the plan, and what is made already."""
        mapped = {step.name for steps in planned.mapped.values() for step in steps}
        copies = dict.fromkeys(name for run in self.runs for name in run.steps if name.partition("[")[0] in mapped)
        known = [*(step.name for step in planned.steps), *copies]
        chosen = self.chosen(planned, known)
        done = {name: self.run_that_made(name) for name in known if name not in chosen}
        steps = {step.name: step for step in planned.every_step}
        return self.left(planned, chosen), Outputs({}, self.mapping_keys, self.left_out(steps, done), done)

    def chosen(self, planned: Plan, known: Sequence[str]) -> set[str]:
        """Return the steps that are selected, with copies of mapped steps by their names and by ``name[?]``.

        Raises:
            DagsterExecutionStepNotFoundError: for a name that no step has.
        """
        before = {name: needs_of(name, planned) for name in known}
        bases = {step.name for step in planned.every_step}
        before |= {base: needs_of(base, planned) for base in bases}
        for name, needs in before.items():  # what collects reads every copy
            needs |= {copy for copy in known if "[" in copy and "[" not in name and copy.partition("[")[0] in needs}
        after: dict[str, set[str]] = {name: set() for name in before}
        for name, needs in before.items():
            for need in needs & before.keys():
                after[need].add(name)
        found: set[str] = set()
        for clause in self.options.step_selection:
            match = CLAUSE.match(clause)
            name = match["name"].removesuffix("[?]") if match else clause
            if match is None or name not in before:
                hint = closest(name, before)
                raise DagsterExecutionStepNotFoundError(f"there is no step `{clause}`", hint=hint)
            found |= {name} | reached(before, name, match["above"]) | reached(after, name, match["below"])
        return found | {copy for copy in known if copy.partition("[")[0] in found and "[" in copy}

    def left(self, planned: Plan, chosen: set[str]) -> Plan:
        """Return the plan without mapped steps that would run for new keys although they aren't selected."""
        if self.options.resumes:
            return planned
        bases = {name.partition("[")[0] for name in chosen}
        mapped = {
            maker: tuple(step for step in steps if step.name in bases or maker not in chosen)
            for maker, steps in planned.mapped.items()
        }
        return replace(planned, mapped=mapped)

    @property
    def mapping_keys(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the keys of dynamic outputs."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for one in self.stored:
            if one.mapping_key is not None:
                found[one.step, one.name] = (*found.get((one.step, one.name), ()), one.mapping_key)
        return found

    def left_out(self, steps: Mapping[str, Step], done: Iterable[str]) -> set[tuple[str, str]]:
        """Return the optional outputs that steps of the earlier run didn't make."""
        stored = {(one.step, one.name) for one in self.stored}
        ran = {
            name for name in done if any(run.steps[name].status == "success" for run in self.runs if name in run.steps)
        }
        places = {
            (name, output)
            for name in ran
            if (step := steps.get(name.partition("[")[0])) is not None and not step.keys
            for output, port in step.op.outs.items()
            if not port.is_dynamic
        }
        return places - stored


def line_of(instance: DagsterInstance, run: Run) -> Iterator[Run]:
    """Yield a run, the one that it went on from, and so on."""
    known: Run | None = run
    while known is not None:
        yield known
        known = instance.history.runs.get(known.tags.get(PARENT_RUN, ""))


def needs_of(name: str, planned: Plan) -> set[str]:
    """Return the steps right before a step; before a copy of a mapped step, those with its key."""
    base, bracket, key = name.partition("[")
    step = next(one for one in planned.every_step if one.name == base)
    needs = {*step.after}
    for source in step.call.sources.values():
        needs |= {step.scope + one.call for one in outputs_in(source)}
    mapped = {one.name for steps in planned.mapped.values() for one in steps}
    return {f"{one}{bracket}{key}" if bracket and one in mapped else one for one in needs}


def reached(neighbours: Mapping[str, set[str]], name: str, how_far: str) -> set[str]:
    """Return the steps that many edges away: all for ``*``, as many as there are ``+``."""
    return ancestors(neighbours, [name], None if how_far == "*" else len(how_far)) if how_far else set()
