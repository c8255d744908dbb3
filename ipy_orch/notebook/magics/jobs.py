"""The magics of ops and jobs: define them, list them, launch them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.authoring.cells.cells import is_definition_cell, read_cell
from ipy_orch.authoring.cells.options import OP_OPTIONS
from ipy_orch.errors import DagsterError, DagsterExecutionInterruptedError
from ipy_orch.export.written import JOB_OPTIONS, read_job_line
from ipy_orch.model.keys import labels
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.magics.magics import (
    ENV,
    EXECUTOR,
    PARTITION,
    SELECTION,
    arg,
    cell,
    line,
    line_or_cell,
    option_args,
    positive,
    read,
    typed,
    unquoted,
)
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import is_users, usage
from ipy_orch.session.jobs.launched import JobReport
from ipy_orch.session.ops import undefined
from ipy_orch.session.session import Session

__all__ = ["JobMagics"]

OPS: Final = "some of its ops: names, `*a` (and upstream), `a*` (and downstream), `outer.inner`"


@magics_class
class JobMagics(Magics):
    """Ops in cells, and jobs."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter

    @cell(
        arg("name", help="the name of the op, with its parameters in brackets: clean(raw, limit: int = 10) -> int"),
        *option_args(OP_OPTIONS),
    )
    def op(self, line: str, cell: str) -> None:
        """Make an op of this cell: register it, and run nothing; a job or graph calls it.

        The body is the body of a function with the parameters of the first line. Its value is the last expression,
        else the variable named like the op, else there is none. `context` in the body is the op's context.
        """
        text = f"%%op {line}\n{cell}" if line.strip() or not is_definition_cell(cell) else cell
        try:
            read_cell(text, where="this cell")
            source = self.cells.define_op(text)
        except DagsterError as error:
            raise usage(error) from None
        reads = f" · takes {', '.join(names)}" if (names := [*self.session.namespace[source.name].ins]) else ""
        self.presenter.tell(f"{source.name} · op registered, not run{reads}", undefined(source, self.session.namespace))

    @line(
        arg("name", help="the name of the job, also of the variable that holds it"),
        arg("selection", nargs="*", help=f"{SELECTION}; all by default"),
        *option_args(JOB_OPTIONS),
    )
    def job(self, line: str) -> None:
        """Define a job over assets: a selection with a name, which `%launch` runs and `%export` writes."""
        try:
            said = read_job_line(line)
            found = self.session.define_job(said.name, **said.arguments)
        except DagsterError as error:
            raise usage(error) from None
        count = f"{len(found)} asset{'' if len(found) == 1 else 's'}"
        notes = [] if found else [f"`{said.selection}` selects nothing yet"]
        names = f": {', '.join(labels(found))}" if found else ""
        self.presenter.tell(f"{said.name} · job of {count}{names} · next: %launch {said.name}", notes)

    @line()
    def jobs(self, line: str) -> Any:
        """Return a DataFrame of all jobs: what each runs, which config it lacks, how its last run went."""
        read(self.jobs, line)
        return self.session.jobs()

    @line_or_cell(
        arg("job", help="the job"),
        arg("--config", metavar="YAML", help="run config, YAML or a file of it; a cell %%%%launch holds it"),
        arg("--op-selection", metavar="OPS", help=OPS),
        PARTITION,
        ENV,
        arg("--workers", type=positive, metavar="N", help="how many steps run at once"),
        EXECUTOR,
        arg("--from-failure", action="store_true", help="run only what failed or didn't run the last time"),
    )
    def launch(self, line: str, cell: str | None = None) -> None:
        """Run a job: all that it selects, whatever is fresh. As ``%%launch`` the cell is run config in YAML."""
        args = read(self.launch, line)
        if args.config and cell is not None:
            raise UsageError("the run config is in the cell or in --config, not in both")
        options = {
            "config": unquoted(args.config) if args.config else cell,
            "op_selection": unquoted(args.op_selection).replace(",", " ").split() if args.op_selection else None,
            "partition": typed(args.partition),
            "env": args.env,
            "workers": args.workers,
            "executor": args.executor,
            "from_failure": args.from_failure,
        }
        self.presenter.request(lambda: self.launched(args.job, options))

    def launched(self, job: str, options: Mapping[str, Any]) -> JobReport:
        """Launch a job; what was typed wrongly, or is missing, is a usage error."""
        try:
            return self.session.launch(job, **options)
        except DagsterExecutionInterruptedError:
            raise
        except DagsterError as error:
            if error.__cause__ is None and not is_users(error.__traceback__):
                raise usage(error) from None
            raise
