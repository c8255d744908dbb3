"""The schedules and sensors that variables hold, and the jobs that they bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.automation.holding import Schedule
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.jobs.jobs import FoundJob, Job

__all__ = [
    "Automation",
    "FoundAutomation",
    "automations_by_name",
    "automations_in",
    "find_automations",
    "jobs_brought",
    "of_today",
]

Automation = Schedule | SensorDefinition
HOLDERS: Final = (Schedule, SensorDefinition, Definitions, list, tuple)


@dataclass(frozen=True)
class FoundAutomation:
    """Be a schedule or sensor, the variable that holds it, the cell that defined this; or the code location it is from.

    One that a code location has is asked there.
    """

    definition: Any
    variable: str
    cell: Cell | None
    location: str = ""

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.definition.name)

    @property
    def kind(self) -> str:
        """Return what it is: ``schedule`` or ``sensor``."""
        return "sensor" if isinstance(self.definition, SensorDefinition) else "schedule"


def find_automations(namespace: Mapping[str, Any], book: CellBook) -> tuple[FoundAutomation, ...]:
    """Return the schedules and sensors in variables, each once, without those whose cell is gone."""
    found: dict[int, FoundAutomation] = {}
    for name, value in [*namespace.items()]:
        if not isinstance(value, HOLDERS) or name.startswith("_") or name in book.gone:
            continue
        for one in automations_in(value):
            found.setdefault(id(one), FoundAutomation(one, name, book.cells.get(book.definers.get(name, ""))))
    return tuple(found.values())


def automations_in(value: Any) -> Iterable[Any]:
    """Return the schedules and sensors in a variable's value: itself, a list's, or those of a Definitions."""
    if isinstance(value, Automation):
        return [value]
    if isinstance(value, Definitions):
        return value.automations
    if isinstance(value, list | tuple) and value and all(isinstance(one, Automation) for one in value):
        return [*value]
    return []


def automations_by_name(found: Iterable[FoundAutomation]) -> dict[str, FoundAutomation]:
    """Return the schedules and sensors by name.

    Raises:
        DagsterInvalidDefinitionError: when two have one name, naming both cells.
    """
    known: dict[str, FoundAutomation] = {}
    for one in found:
        other = known.setdefault(one.name, one)
        if other is not one:
            places = [each.cell.label if each.cell is not None else f"`{each.variable}`" for each in (other, one)]
            raise DagsterInvalidDefinitionError(
                f"two schedules or sensors are named `{one.name}`",
                where=" and ".join(dict.fromkeys(places)),
                hint="rename one, or delete one of them",
            )
    return known


def jobs_brought(found: Iterable[FoundAutomation], jobs: Iterable[FoundJob]) -> tuple[FoundJob, ...]:
    """Return the jobs that only schedules and sensors hold, as those of their variables.

    Where a variable holds a job of the same name, that one is the newer.
    """
    known = {one.name for one in jobs}
    brought: dict[int, FoundJob] = {}
    for one in found:
        for target in one.definition.targets:
            if target.has_job_def and target.job_name not in known:
                brought.setdefault(id(target.job_def), FoundJob(target.job_def, one.variable, one.cell, brought=True))
    return tuple(brought.values())


def of_today(one: Any, jobs: Mapping[str, Job]) -> Any:
    """Return a schedule or sensor that runs the jobs as they are now: its cell may have run before theirs."""
    held = [target.job_def for target in one.targets if target.has_job_def]
    newer = {job: jobs[job.name] for job in held if jobs.get(job.name, job) is not job}
    return one.changed(one.metadata, newer) if newer else one
