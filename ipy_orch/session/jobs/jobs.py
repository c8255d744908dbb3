"""The jobs and loggers that variables hold, and the resources that jobs take."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.executors import ExecutorDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.loggers import LoggerDefinition
from ipy_orch.planning.jobs import plan_job
from ipy_orch.session.cellbook import Cell, CellBook

__all__ = [
    "FoundJob",
    "Job",
    "default_executor",
    "find_jobs",
    "find_loggers",
    "is_of_ipy_orch",
    "jobs_by_name",
    "jobs_in",
    "resources_of",
]

Job: TypeAlias = JobDefinition | UnresolvedAssetJobDefinition

TAKEN: WeakKeyDictionary[Job, frozenset[str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class FoundJob:
    """Be a job, the variable that holds it, and the cell that defined this.

    Args:
        brought: whether only a schedule or sensor in that variable holds it.
        location: the code location that it is from.
    """

    definition: Job
    variable: str
    cell: Cell | None
    brought: bool = False
    location: str = ""

    @property
    def name(self) -> str:
        """Return the name of the job."""
        return self.definition.name

    def is_made_of(self, other: FoundJob) -> bool:
        """Tell whether its cell reads the variable of another one, and so holds an older one of it."""
        return self.cell is not None and self.cell is not other.cell and other.variable in self.cell.names.free


HOLDERS: Final = (JobDefinition, UnresolvedAssetJobDefinition, Definitions, list, tuple)


def find_jobs(namespace: Mapping[str, Any], book: CellBook) -> tuple[FoundJob, ...]:
    """Return the jobs that variables hold, each once, without those whose cell is gone."""
    found: dict[int, FoundJob] = {}
    for name, value in [*namespace.items()]:
        if not isinstance(value, HOLDERS) or name.startswith("_") or name in book.gone:
            continue
        for job in jobs_in(value):
            found.setdefault(id(job), FoundJob(job, name, book.cells.get(book.definers.get(name, ""))))
    return tuple(found.values())


def jobs_in(value: Any) -> Iterable[Job]:
    """Return the jobs in a variable's value: itself, a list's, or those of a Definitions."""
    if isinstance(value, Job):
        return [value]
    if isinstance(value, Definitions):
        return [*value.jobs]
    if isinstance(value, list | tuple) and value and all(isinstance(one, Job) for one in value):
        return [*value]
    return []


def jobs_by_name(found: Iterable[FoundJob]) -> dict[str, FoundJob]:
    """Return the jobs by name; a list of jobs gives way to the variables that its cell made it of.

    Raises:
        DagsterInvalidDefinitionError: when two have one name, naming both cells.
    """
    known: dict[str, FoundJob] = {}
    for one in found:
        other = known.setdefault(one.name, one)
        if other is one or one.is_made_of(other):
            continue
        if not other.is_made_of(one):
            places = dict.fromkeys(
                f"`{each.variable}`" if each.cell is None else each.cell.label for each in (other, one)
            )
            raise DagsterInvalidDefinitionError(
                f"two jobs are named `{one.name}`: those in `{other.variable}` and `{one.variable}`",
                where=" and ".join(places),
                hint="rename one, or delete one of them",
            )
        known[one.name] = one
    return known


def only_elsewhere(name: str, found: Iterable[Any]) -> str | None:
    """Return the whole name of what only one code location has by a name, None where none or several have it."""
    there: list[str] = [one.name for one in found if one.location and one.name == f"{one.location}/{name}"]
    return there[0] if len(there) == 1 else None


def default_executor(name: str, namespace: Mapping[str, Any], book: CellBook) -> ExecutorDefinition | None:
    """Return the executor of the Definitions that has a job of this name, or an automation of it; None without one."""
    for variable, value in [*namespace.items()]:
        if not isinstance(value, Definitions) or value.executor is None or variable in book.gone:
            continue
        if any(job.name == name for job in (*value.jobs, *value.jobs_of_targets)):
            return value.executor_def
    return None


def find_loggers(namespace: Mapping[str, Any], book: CellBook) -> dict[str, LoggerDefinition]:
    """Return variable -> logger; run config names it so."""
    return {
        name: value
        for name, value in namespace.items()
        if isinstance(value, LoggerDefinition)
        and not (name.startswith("_") or name in book.gone or is_of_ipy_orch(name, value))
    }


def is_of_ipy_orch(name: str, value: Any) -> bool:
    """Tell whether a variable is what ``from ipy_orch import name`` makes it."""
    return getattr(sys.modules.get("ipy_orch"), name, None) is value


def resources_of(job: Job) -> frozenset[str]:
    """Return the resources that a job takes, and doesn't bring itself; those of its assets are the assets' matter."""
    if job not in TAKEN:
        TAKEN[job] = frozenset(keys_of(job))
    return TAKEN[job]


def keys_of(job: Job) -> Iterator[str]:
    """Yield the resources that a job takes."""
    if isinstance(job, UnresolvedAssetJobDefinition):
        for hook in job.hooks:
            yield from hook.required_resource_keys
        return
    try:
        steps = [*plan_job(job).every_step]
    except DagsterError:
        steps = []  # launching it says what is wrong with it
    keys = {*job.required_resource_keys}.union(*(step.required_resource_keys for step in steps))
    yield from keys - job.resource_defs.keys()
