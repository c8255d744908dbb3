"""The code locations of a session: add, list, reload, remove; and what they define together."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError, closest
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.port import Port
from ipy_orch.planning.staleness import Status
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.jobs.jobs import FoundJob
from ipy_orch.session.locations.location import CodeLocation, Place
from ipy_orch.session.project import Location, location_of, read_project

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["CodeLocations"]
table: Port[..., Any] = Port("ipy_orch.ui.verbs")


class CodeLocations:
    """Hold the code locations of a session; each verb that changes one loads its code, and runs no asset."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.known: dict[str, CodeLocation] = {}
        weakref.finalize(self, end_all, self.known)  # also when Python ends

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        *,
        module: str = "",
        file: str | Path = "",
        notebook: str | Path = "",
        kernel: str = "",
        python: str | Path = "",
        attribute: str = "",
    ) -> CodeLocation:
        """Load definitions in a process of their own, and show their assets as a group of this name.

        Args:
            module: where the definitions are; or one of ``file`` and ``notebook``.
            kernel: the kernel spec in whose environment they run; by default this one's.
            python: a Python, in the place of a kernel spec.
            attribute: the variable that holds the Definitions; all that there is by default.

        Raises:
            DagsterInvariantViolationError: when they can't be loaded; nothing is added then.
            DagsterInvalidDefinitionError: when they make what something else makes, naming both.
        """
        code = code_of(module, str(file), str(notebook))
        return self.add_place(Place(name, replace(code, attribute=attribute), kernel, str(python)))

    def add_project(
        self, path: str | Path = ".", *, kernel: str = "", python: str | Path = ""
    ) -> Sequence[CodeLocation]:
        """Add all locations that a ``workspace.yaml`` or ``pyproject.toml`` names.

        Args:
            path: such a file, or the folder that it is in.
            kernel: the environment of all; by default the one that the file says for each, or this one.

        Raises:
            DagsterInvariantViolationError: when one can't be loaded; none is added then.
        """
        added: list[CodeLocation] = []
        try:
            for one in read_project(Path(path).expanduser()).locations:
                own = str(python or ("" if kernel else one.python))
                added.append(self.add_place(Place(name_for(one), one, kernel, own)))
        except BaseException:
            for location in added:
                self.remove(location.name)
            raise
        return added

    def add_place(self, place: Place) -> CodeLocation:
        """Load a location, and add it if all goes well."""
        self.refuse_name(place.name)
        location = CodeLocation(place, self.session.instance.get_dynamic_partitions)
        location.load()
        self.known[place.name] = location
        try:
            _ = self.session.scan().graph
        except BaseException:
            del self.known[place.name]
            location.end()
            raise
        return location

    def reload(self, name: str) -> CodeLocation:
        """Load a location again, in a new process; what has changed there makes its assets stale.

        Raises:
            DagsterError: when it can't be loaded; it is unavailable then.
        """
        location = self.find(name)
        before = (location.definitions, location.externals, location.jobs, location.automations)
        location.load()
        try:
            _ = self.session.scan().graph
        except DagsterError as error:
            location.definitions, location.externals, location.jobs, location.automations = before
            location.end(error.message)
            raise
        return location

    def remove(self, name: str) -> None:
        """End a location; its assets aren't there any more, what was made of them is."""
        self.find(name).end()
        del self.known[name]

    def list(self) -> Any:
        """Return a DataFrame with a row per location: its code, its environment, how it stands, its assets."""
        return table("locations", self.rows())

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows of :meth:`list`."""
        self.look()
        return [
            {
                "location": name,
                "status": "unavailable" if one.error else "loaded",
                "reason": one.error,
                "code": one.place.code.target if one.place.code.kind == "module" else Path(one.place.code.target).name,
                "environment": one.place.kernel or one.place.python or "this one",
                "python": one.described.python if one.described is not None else "",
                "assets": sum(len(each.keys) for each in one.definitions),
                "jobs": len(one.job_names),
                "automations": len(one.automations),
                "resources": ", ".join(one.resource_names),
            }
            for name, one in self.known.items()
        ]

    def find(self, name: str) -> CodeLocation:
        """Return a location.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        if name not in self.known:
            hint = closest(name, self.known) or "`%code_location list` shows them"
            raise DagsterInvariantViolationError(f"there is no code location `{name}`", hint=hint)
        return self.known[name]

    def refuse_name(self, name: str) -> None:
        """Refuse a name that can't be a group, or is taken.

        Raises:
            DagsterInvariantViolationError: then.
        """
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            hint = re.sub(r"\W+", "_", name).strip("_")
            raise DagsterInvariantViolationError(
                f"`{name}` can't be the name of a code location: it has letters, digits and `_`",
                hint=f"e.g. `{hint}`" if hint else "",
            )
        if name in self.known:
            hint = f"`%code_location reload {name}` loads it again"
            raise DagsterInvariantViolationError(f"there is a code location `{name}` already", hint=hint)

    # -- for the session -----------------------------------------------------------------------------------------------

    def definitions(self, own: Callable[[], Collection[AssetKey]]) -> Iterator[AssetsDefinition]:
        """Yield what the locations define; assets that they only know of where nothing makes them.

        Args:
            own: returns what the session itself defines.
        """
        if not self.known:
            return
        made = {key for one in self.known.values() for each in one.definitions for key in each.keys}
        for one in self.known.values():
            yield from one.definitions
        seen = {*own(), *made}
        for each in (each for one in self.known.values() for each in one.externals):
            if not each.keys & seen:
                seen |= each.keys
                yield each

    def brought(self) -> tuple[Sequence[FoundJob], Sequence[FoundAutomation]]:
        """Return the jobs, and the schedules and sensors, that the locations define."""
        known = self.known.values()
        return [job for one in known for job in one.jobs], [each for one in known for each in one.automations]

    def resources(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of the resources that the locations have, in the table of resources."""
        for name, one in self.known.items():
            for row in one.described.resources if one.described is not None else ():
                yield {**row, "resource": f"{name}/{row['resource']}"}

    def unavailable(self) -> dict[AssetKey, Status]:
        """Return how the assets stand whose location isn't there."""
        self.look()
        return {
            key: Status("failed", f"location unavailable: {one.error}")
            for one in self.known.values()
            if one.error
            for each in one.definitions
            for key in each.keys
        }

    def location_of(self, definition: AssetsDefinition) -> CodeLocation | None:
        """Return the location that a definition is from."""
        found = (one for one in self.known.values() if definition in (*one.definitions, *one.externals))
        return next(found, None)

    def look(self) -> None:
        """See which locations still run."""
        for one in self.known.values():
            one.look()

    def close(self) -> None:
        """End all locations."""
        end_all(self.known)


def end_all(known: dict[str, CodeLocation]) -> None:
    """End all locations of a session."""
    for one in known.values():
        one.end()
    known.clear()


def code_of(module: str, file: str, notebook: str) -> Location:
    """Return where definitions are, of what was said.

    Raises:
        DagsterInvariantViolationError: when nothing was, or too much, or it can't be.
    """
    said = [kind for kind, one in (("module", module), ("file", file), ("notebook", notebook)) if one]
    if len(said) != 1:
        told = "says no place with definitions" if not said else f"gives {' and '.join(f'`--{one}`' for one in said)}"
        raise DagsterInvariantViolationError(
            f"a code location {told}", hint="one of `--module NAME`, `--file FILE.py`, `--notebook FILE.ipynb`"
        )
    if module:
        is_file = module.endswith(".py")
        if is_file or not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", module):
            hint = f"`--file {module}`" if is_file else "e.g. `shop.definitions`"
            raise DagsterInvariantViolationError(f"`{module}` isn't the name of a module", hint=hint)
        return Location("module", module, Path.cwd())
    found = location_of(Path(file or notebook).expanduser())
    if found.kind != said[0]:
        raise DagsterInvariantViolationError(
            f"`{file or notebook}` isn't a {said[0]}", hint=f"`--{found.kind} {file or notebook}`"
        )
    return found


def name_for(location: Location) -> str:
    """Return the name of a location of a project, as a group can have it.

    >>> name_for(Location("module", "shop.definitions", Path()))
    'shop'
    """
    plain = location.target.removesuffix(".definitions").rpartition(".")[2]
    said = location.name or (plain if location.kind == "module" else Path(location.target).stem)
    return re.sub(r"\W+", "_", said).strip("_")
