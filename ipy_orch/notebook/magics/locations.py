"""The magic of code locations: add, list, reload, remove."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.errors import DagsterError
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.display import show
from ipy_orch.notebook.formatters import block
from ipy_orch.notebook.magics.magics import arg, line, read, unquoted
from ipy_orch.notebook.running import Presenter
from ipy_orch.session.locations.location import CodeLocation
from ipy_orch.session.locations.locations import CodeLocations
from ipy_orch.session.session import Session

__all__ = ["LocationMagics"]

MOST_NAMES: Final = 8
PLACES: Final = ("module", "file", "notebook")


@magics_class
class LocationMagics(Magics):
    """Code locations: definitions with a Python environment of their own."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter

    @line(
        arg("verb", nargs="?", choices=("add", "list", "reload", "remove"), default="list", help="what to do"),
        arg("name", nargs="?", default="", help="of the location; its assets are in the group of that name"),
        arg("--module", default="", metavar="M", help="add a module"),
        arg("--file", default="", metavar="F", help="add a Python file"),
        arg("--notebook", default="", metavar="N", help="add a notebook"),
        arg("--workspace", default="", metavar="F", help="add all that a `workspace.yaml` or `pyproject.toml` names"),
        arg("--kernel", default="", metavar="SPEC", help="the kernel spec in whose environment it runs"),
        arg("--python", default="", metavar="EXE", help="the Python that it runs on, in the place of a kernel spec"),
        arg("--attribute", default="", metavar="NAME", help="the variable that holds the Definitions"),
    )
    def code_location(self, line: str) -> Any:
        """Add definitions that have a Python environment of their own, list them, reload or remove one.

        They run in another process. Its assets are shown, read and materialized here as the notebook's own; its jobs,
        schedules and sensors are called `location/name` here, in `%jobs` and `%automations`, and run there.
        """
        args = read(self.code_location, line)
        said = {name: unquoted(getattr(args, name)) for name in (*PLACES, "kernel", "python", "attribute")}
        workspace = unquoted(args.workspace)
        locations = self.session.code_locations
        try:
            match args.verb:
                case "list":
                    self.refuse(args.name, [name for name, one in {**said, "workspace": workspace}.items() if one])
                    return locations.list()
                case "add":
                    self.tell(added(locations, args.name, workspace, said))
                case _ if not args.name:
                    known = ", ".join(f"`{name}`" for name in locations.known) or "there are none"
                    raise UsageError(f"`%code_location {args.verb} NAME` says which: {known}")
                case "reload":
                    self.tell([locations.reload(args.name)])
                case _:
                    locations.remove(args.name)
                    self.show(f"{args.name} · removed")
        except DagsterError as error:
            raise UsageError(str(error)) from None
        return None

    def refuse(self, name: str, given: list[str]) -> None:
        """Refuse arguments that only ``add`` takes.

        Raises:
            UsageError: when there are some.
        """
        if name or given:
            extra = name or f"--{given[0]}"
            raise UsageError(
                f"`%code_location list` takes nothing else, and was given `{extra}`: `%code_location add`?"
            )

    def tell(self, locations: Iterable[CodeLocation]) -> None:
        """Say what locations define, a line each."""
        for one in locations:
            self.show(told(one))

    def show(self, text: str) -> None:
        """Show a line."""
        show(self.presenter.ip, block([escape(text)]), text)


def added(locations: CodeLocations, name: str, workspace: str, said: dict[str, str]) -> Sequence[CodeLocation]:
    """Add a location, or all of a project.

    Raises:
        UsageError: when it isn't said what.
    """
    if workspace:
        if extra := name or next((f"--{one}" for one in (*PLACES, "attribute") if said[one]), ""):
            raise UsageError(f"`--workspace` names its locations itself, and was given `{extra}`, too")
        return locations.add_project(workspace, kernel=said["kernel"], python=said["python"])
    if not name:
        raise UsageError("a code location has a name: `%code_location add NAME --module M`")
    return [locations.add(name, **said)]


def told(one: CodeLocation) -> str:
    """Return what a location defines, in a line."""
    assert one.described is not None
    parts = [counted("asset", sorted(key.label for each in one.definitions for key in each.keys))]
    own = {
        "job": one.job_names,
        "schedule": sorted(each.name for each in one.automations if each.kind == "schedule"),
        "sensor": sorted(each.name for each in one.automations if each.kind == "sensor"),
        "resource": [f"{one.name}/{key}" for key in one.resource_names],
    }
    parts += [counted(what, names) for what, names in own.items() if names]
    return " · ".join([one.name, *parts, f"Python {one.described.python}", *one.described.notices])


def counted(what: str, names: Sequence[str]) -> str:
    """Return how many there are, and the first of them.

    >>> counted("job", ["shop/nightly"])
    '1 job: shop/nightly'
    """
    shown = ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}{f': {shown}' if names else ''}"
