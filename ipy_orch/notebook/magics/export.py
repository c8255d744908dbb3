"""The magics that take a notebook home as a module, and bring a module back."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.export.importing.importing import import_module
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.display import show
from ipy_orch.notebook.formatters import block
from ipy_orch.notebook.magics.magics import OrchMagics, arg, counted, line, read, relative, unquoted
from ipy_orch.notebook.running import Presenter
from ipy_orch.session.session import Session

__all__ = ["ExportMagics"]


@magics_class
class ExportMagics(Magics):
    """A notebook as a module, and a module as a notebook."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter

    @line(
        arg("path", help="the module to write, e.g. definitions.py; with --package, the folder of the project"),
        arg(
            "--for", dest="target", choices=["ipy_orch", "dagster"], default="ipy_orch", help="what the module imports"
        ),
        arg("--package", metavar="NAME", help="write a package, laid out as Dagster's projects are"),
        arg("--verify", action="store_true", help="materialize it in a clean process, and compare the values"),
        arg("--force", action="store_true", help="write over a file that %%export didn't write, or that was edited"),
    )
    def export(self, line: str) -> None:
        """Write the notebook as a definitions module: its assets, checks and resources, and what they need."""
        args = read(self.export, line)
        path = Path(unquoted(args.path)).expanduser()
        how = {"package": args.package, "force": args.force, "verify": args.verify}
        try:
            written = self.session.export(path, target=args.target, **how)
        except DagsterInvariantViolationError as error:
            hint = f"{error.hint}; " if error.hint else ""
            raise UsageError(f"{error.message} ({hint}--force overwrites it)") from None
        self.say(f"written: {self.exported(relative(Path(written)), args)}")
        for warning in written.warnings:
            self.say(f"note: {warning}")
        for behind in self.session.all_behind():
            self.say(f"note: {behind}; the module holds it as it stands in the cell")

    @line(
        arg("source", help="a Python file, a package or project, or a module as one imports it"),
        arg("notebook", nargs="?", help="the notebook to write, or to bring its edits into; by default SOURCE.ipynb"),
        arg("--force", action="store_true", help="write over a notebook that has nothing to do with it"),
    )
    def load_definitions(self, line: str) -> None:
        """Make a notebook of a definitions module, ours or Dagster's; into the one it is from, bring its edits.

        Nothing of the module is run. What was edited on both sides stays, and is shown in a cell below.
        """
        args = read(self.load_definitions, line)
        source = unquoted(args.source)
        stem = Path(source).stem if source.endswith(".py") else Path(source).name.rpartition(".")[2]
        place = Path(unquoted(args.notebook) if args.notebook else f"{stem or 'definitions'}.ipynb").expanduser()
        done = OrchMagics.named(partial(import_module, source, place, force=args.force))
        come = f" · changed: {', '.join(done.changed)}" if done.changed else ""
        self.say(f"written: {relative(done.path)} · {counted(done.definitions, 'definition')}{come}")
        if done.conflicts:
            self.say(f"edited on both sides, see the cells below them: {', '.join(done.conflicts)}")
        for warning in done.warnings:
            self.say(f"note: {warning}")

    def exported(self, path: str, args: Any) -> str:
        """Return what a module holds, and what a person may want to do with it next."""
        defs = self.session.definitions()
        held = [counted(len(defs.assets), "asset"), counted(len(defs.asset_checks), "check")]
        more = {"job": defs.jobs, "schedule": defs.schedules, "sensor": defs.sensors}
        held += [counted(len(several), what) for what, several in more.items() if several]
        then = f"dagster dev -f {path}" if args.target == "dagster" else f"%export {path} --for dagster"
        if args.package:
            then = f"`dg dev` in {args.path}" if args.target == "dagster" else f"`ipy-orch list` in {args.path}"
        return f"{path} · {', '.join(held)} · next: {then}"

    def say(self, text: str) -> None:
        """Show one line."""
        show(self.presenter.ip, block([escape(text)]), text)
