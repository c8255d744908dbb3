"""Put the schedule or sensor of a cell into its variable, and refuse what it can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipy_orch.authoring.cells.automation import AutomationCell, define
from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.automation.automations import Automation
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["define_automation"]


def define_automation(session: Session, cell: AutomationCell, filename: str) -> Any:
    """Put the schedule or sensor of a cell into its variable, and return it. Nothing is asked.

    Raises:
        DagsterInvalidDefinitionError: for a name that is something else's, a job that isn't there, a cron expression or
            timezone that can't be one, and a body that reads an asset.
        DagsterInvalidSubsetError: for a target that names what isn't there, with the closest.
    """
    scanned = session.scan()
    refuse_name(session, scanned, cell)
    refuse_job(scanned, cell)
    if "target" in cell.options:
        AssetSelection.from_coercible(cell.options["target"]).resolve(scanned.graph)
    refuse_assets(scanned, cell)
    try:
        made = define(cell, scanned.resources.keys(), session.namespace, filename)
    except DagsterInvalidDefinitionError as error:
        raise error.at(cell.source.where) from None
    session.namespace[cell.name] = made
    return made


def refuse_name(session: Session, scanned: Scanned, cell: AutomationCell) -> None:
    """Refuse the name of an asset, or of a variable that holds something else.

    Raises:
        DagsterInvalidDefinitionError: with another name.
    """
    name, kind, taken = cell.name, cell.kind, ""
    if name in scanned.names:
        taken = f"`{name}` is an asset, and a {kind} can't have its name"
    elif name in session.namespace and not isinstance(session.namespace[name], Automation):
        taken = f"`{name}` is a variable of yours, and holds no schedule or sensor"
    if taken:
        raise DagsterInvalidDefinitionError(taken, where=cell.source.where, hint=f"call it `{name}_{kind}`")


def refuse_job(scanned: Scanned, cell: AutomationCell) -> None:
    """Refuse a job that isn't there.

    Raises:
        DagsterInvalidDefinitionError: with the closest, or how one is made.
    """
    name = cell.options.get("job")
    place = scanned.places_of_jobs.get(name) if name is not None else None
    if place is not None and place.location:
        told = f"job `{name}` is the code location's, and a {cell.kind} runs jobs of its own notebook"
        hint = f"define the {cell.kind} where the job is; `%launch {name}` runs it"
        raise DagsterInvalidDefinitionError(told, where=cell.source.where, hint=hint)
    if name is None or place is not None:
        return
    held = next((one.name for one in scanned.places_of_jobs.values() if one.variable == name), "")
    hint = f"--job {held}, which is the name of the job in `{name}`" if held else closest(name, scanned.jobs)
    if name in scanned.names:
        hint = f"--target {name}: it is an asset"
    told = f"there is no job `{name}` for {cell.kind} `{cell.name}`"
    raise DagsterInvalidDefinitionError(told, where=cell.source.where, hint=hint or f"%job {name} SELECTION makes one")


def refuse_assets(scanned: Scanned, cell: AutomationCell) -> None:
    """Refuse a body that reads an asset: what is asked before a run can't wait for one.

    Raises:
        DagsterInvalidDefinitionError: with the line.
    """
    for name, line in cell.source.names.free.items():
        if name in scanned.names:
            told = f"{cell.kind} `{cell.name}` reads the asset `{name}`: it is asked what to run, and gets no values"
            hint = f"--target {name} runs it; --asset {name} asks at each of its materializations"
            raise DagsterInvalidDefinitionError(told, where=f"{cell.source.where}, line {line}", hint=hint)
