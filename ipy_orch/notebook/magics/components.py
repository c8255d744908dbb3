"""The magics of components: make one of a cell, list the types, show what one takes."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.authoring.components.cells import read_component_cell
from ipy_orch.errors import ComponentTreeException, DagsterError, DagsterInvalidDefinitionError, ResolutionException
from ipy_orch.model.definitions import Definitions
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.magics.magics import arg, cell, line, read
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import is_users, usage
from ipy_orch.session.session import Session

__all__ = ["ComponentMagics"]

MOST_NAMES = 8


@magics_class
class ComponentMagics(Magics):
    """Components in cells."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter

    @cell(
        arg(
            "type", help="the type of the component: see %%components; a class of the notebook, or package.module.Class"
        ),
        arg("name", nargs="?", help="the variable that holds its definitions; by default named like the type"),
    )
    def component(self, line: str, cell: str) -> None:
        """Make a component of this cell: register the assets, checks and jobs that it builds, and run what is stale.

        The cell holds its attributes in YAML (``name: value``), where ``{{ env.NAME }}`` is an environment variable,
        or its keyword arguments in Python (``name = value``), which may be any expression.
        """
        running = self.cells.running[-1] if self.cells.running else None
        where = f"Cell In[{self.shell.execution_count}]" if self.shell is not None else "this cell"
        try:
            said = read_component_cell(line, cell, where)
            self.refuse_double(said.name, where)
            made = self.session.define_component(said, where)
        except (DagsterInvalidDefinitionError, ResolutionException, ComponentTreeException) as error:
            if isinstance(error.__cause__, Exception) or is_users(error.__traceback__):
                raise
            raise placed(error) from None
        if running is None or running.cell is None or said.name not in running.cell.names.bound:
            self.session.book.say(said.name)
        self.presenter.tell(told(said.name, said.type_name, made, runs=self.session.settings.autorun))

    def refuse_double(self, name: str, where: str) -> None:
        """Refuse the name of another cell's component, which would be gone.

        Raises:
            DagsterInvalidDefinitionError: naming that cell.
        """
        book = self.session.book
        other = book.cells.get(book.definers.get(name, ""))
        own = self.cells.running[-1].cell if self.cells.running else None
        if other is None or own is None or other.key == own.key:
            return
        if isinstance(self.session.namespace.get(name), Definitions):
            told = f"`{name}` is the component of {other.label}"
            raise DagsterInvalidDefinitionError(told, where=where, hint=f"%%component TYPE {name}_2")

    @line()
    def components(self, line: str) -> Any:
        """Return a DataFrame of all component types: what each takes (``*``: must be given) and what it is."""
        read(self.components, line)
        return self.session.components()

    @line(arg("type", help="the type of a component"))
    def component_schema(self, line: str) -> None:
        """Show what a component type takes: fields, types, defaults, and an example to begin with."""
        try:
            print(self.session.component_schema(read(self.component_schema, line).type))
        except DagsterError as error:
            raise usage(error) from None


def placed(error: DagsterError) -> Exception:
    """Return the error of a cell as IPython shows those of a magic, with its place."""
    where = f" ({error.where})" if error.where else ""
    return usage(DagsterInvalidDefinitionError(f"{error.message}{where}", hint=error.hint))


def told(name: str, type_name: str, made: Definitions, *, runs: bool) -> str:
    """Return the line that says what a component has built.

    Args:
        runs: whether the cell runs its assets by itself.
    """
    keys = [key.label for one in made.definitions for key in sorted(one.keys)]
    checks = sum(len(one.check_keys) for one in made.definitions)
    counts = [f"{len(keys)} asset{'' if len(keys) == 1 else 's'}"]
    counts += [f"{checks} check{'' if checks == 1 else 's'}"] if checks else []
    counts += [f"{len(made.jobs)} job{'' if len(made.jobs) == 1 else 's'}"] if made.jobs else []
    shown = ", ".join(keys[:MOST_NAMES]) + (" ..." if len(keys) > MOST_NAMES else "")
    then = f" · registered, not run · next: %materialize {' '.join(keys[:3])}" if keys and not runs else ""
    return f"{name} · {type_name} · {', '.join(counts)}{f': {shown}' if shown else ''}{then}"
