"""Reactive mode at the door: what happens around each cell, and the magics of it and of automation conditions."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.errors import DagsterError
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.magics.magics import arg, line, read
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import usage
from ipy_orch.session.automation import conditions
from ipy_orch.session.automation.reactive import may_change
from ipy_orch.session.session import Session

__all__ = ["ReactiveCells", "ReactiveMagics"]


class ReactiveCells:
    """Hold what goes on in the background while a cell may change something, and wake it when the cell has run."""

    def __init__(self, ip: InteractiveShell, session: Session) -> None:
        self.ip, self.session = ip, session
        ip.events.register("pre_run_cell", self.pre_run_cell)
        ip.events.register("post_run_cell", self.post_run_cell)

    def remove(self) -> None:
        """Listen no more."""
        self.ip.events.unregister("pre_run_cell", self.pre_run_cell)
        self.ip.events.unregister("post_run_cell", self.post_run_cell)
        self.session.reactive.switch("off")

    def pre_run_cell(self, info: Any) -> None:
        """End what goes on in the background, where the cell that begins may change something."""
        reactive = self.session.reactive
        if reactive.mode != "off" and may_change(info.raw_cell or "", self.session.names.bound):
            reactive.hold()

    def post_run_cell(self, _result: Any) -> None:
        """Bring up to date what is behind, now that a cell has run."""
        self.session.reactive.wake()


@magics_class
class ReactiveMagics(Magics):
    """Reactive mode, and automation conditions."""

    def __init__(self, ip: InteractiveShell, session: Session, _cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.presenter = session, presenter

    @line(arg("mode", nargs="?", help="on: all assets; eager: those with the condition `eager`; off; none tells; wait"))
    def reactive(self, line: str) -> None:
        """Keep assets up to date in the background: after each cell, what is behind is run, as in a spreadsheet.

        Of what is partitioned by time that is the newest partition, of other partitioned assets all; `%backfill` makes
        the rest. What is run shows in the asset's own cell. `%reactive off` ends it. `%reactive wait` waits until that
        is done, which a notebook that is run from top to bottom may want.
        """
        mode = read(self.reactive, line).mode
        if mode == "wait":
            self.session.reactive.settle()
            return
        try:
            told = self.session.reactive.switch(mode or self.session.reactive.mode)
        except DagsterError as error:
            raise usage(error) from None
        self.presenter.tell(f"reactive mode is {self.session.reactive.mode}: {told}")

    @line(arg("asset", nargs="?", help="an asset, or asset:check; none lists all conditions"))
    def conditions(self, line: str) -> None:
        """Show automation conditions: of which assets they are true now, or why one is, part by part."""
        name = read(self.conditions, line).asset
        try:
            print(self.session.explain_condition(name) if name else self.listed())
        except DagsterError as error:
            raise usage(error) from None

    def listed(self) -> str:
        """Return a line for each asset or check that has a condition."""
        found = conditions.evaluate(self.session)
        if not found.results:
            raise UsageError("no asset has an automation condition\nhint: `%%asset NAME --automation eager`")
        return "\n".join(
            f"{'✓' if result.true else '✗'} {result.key.label} · {result.condition.title}" for result in found.results
        )
