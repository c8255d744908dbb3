"""Run what a cell defines and show it: the value as the cell would have, and one status line.

lines of the ancestors that ran | what the step printed | the value | the status line and notices
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.authoring.cells.loops import lost_in_loops
from ipy_orch.errors import DagsterError, DagsterExecutionInterruptedError, IsolationWarning, closest
from ipy_orch.events.types import Checked
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.model.ops import OpDefinition
from ipy_orch.notebook.display import is_silenced, show, show_chunks, show_value
from ipy_orch.notebook.formatters import block, line_html, note_html, verdict_html, verdict_text
from ipy_orch.notebook.partition_notes import (
    due,
    lacks_partitions,
    next_partitions,
    partition_in,
    partition_of,
    with_more,
)
from ipy_orch.notebook.patches import Patch
from ipy_orch.notebook.progress import Progress
from ipy_orch.notebook.tracebacks import Canceled
from ipy_orch.planning.calls import calls_of
from ipy_orch.planning.code.fingerprint import undeclared_reads
from ipy_orch.planning.staleness import NEVER
from ipy_orch.session.automation.automations import Automation
from ipy_orch.session.cellbook import Cell
from ipy_orch.session.jobs.jobs import Job
from ipy_orch.session.partitions.choosing import cuts_of
from ipy_orch.session.report import Line, Report, first_line
from ipy_orch.session.scan import ENV, FILES
from ipy_orch.session.session import Session
from ipy_orch.session.unfolding import unfolded

__all__ = ["Presenter"]

QUIET: Final = ("fresh",)
LOOKED_FOR: Final = (AssetsDefinition, Job, Automation)
MADE: Final = (*LOOKED_FOR, OpDefinition, GraphDefinition)  # a loop's variable holds the last of these only


class Presenter:
    """Run assets and checks of cells, and requests of magics, and show what came of it."""

    def __init__(self, ip: InteractiveShell, session: Session) -> None:
        self.ip, self.session = ip, session
        self.noticed: set[str] = set()

    # -- cells --------------------------------------------------------------------------------------------------------

    def source_cell(self, cell: Cell) -> None:
        """Run an asset or check cell, or say that it is registered."""
        source = cell.source
        assert source is not None
        if not source.options.get("run", self.session.settings.autorun) or (
            source.kind == "asset" and lacks_partitions(self.session, source.target)
        ):
            self.registered(cell)
        elif source.kind == "asset":
            self.present([source.target], [], quiet=is_silenced(source.body), cell=cell)
        else:
            self.present([], [AssetCheckKey(source.target, source.name)], cell=cell)

    def registered(self, cell: Cell) -> None:
        """Say that a cell is registered, and what it reads."""
        source = cell.source
        assert source is not None
        scanned = self.session.scan()
        one = next(one for one, where in scanned.cells.items() if where is cell)
        name = source.target.label if source.kind == "asset" else f"{source.target.label}:{source.name}"
        reads = ", ".join(labels(sorted(one.dependency_keys)))
        told = [f"reads {reads}"] if reads else []
        text = " · ".join(["registered, not run", *told, *next_partitions(self.session, source.target)])
        show(self.ip, block([f"<b>{escape(name)}</b> · {escape(text)}"]), f"{name} · {text}")

    def plain_cell(self, cell: Cell, result: Any) -> None:
        """Run the decorated assets and checks that stand in a plain cell which has run, and tell what it read stale."""
        self.tell_notes([*self.stale(cell), *self.lost(cell)])
        if not self.session.settings.autorun:
            return
        scanned = self.session.scan()
        here = [one for one, where in scanned.cells.items() if where.filename == cell.filename and one.is_executable]
        keys = [key for one in here if one.is_materializable for key in sorted(one.keys)]
        checks = [check for one in here if not one.has_keys for check in sorted(one.check_keys)]
        if not keys and not checks:
            return
        try:
            self.present(scanned.graph.in_order(keys), checks, cell=cell, quiet=is_silenced(cell.text))
        except (Exception, KeyboardInterrupt) as error:
            result.error_in_exec = error
            self.ip.last_execution_succeeded = False
            self.ip.showtraceback()

    def stale(self, cell: Cell) -> list[str]:
        """Return which values of assets that a plain cell has read aren't what their cells would give now."""
        bound = self.session.names.bound
        read = {name: bound[name][0] for name in cell.names.free if name in bound}
        if not read:
            return []
        try:
            cut = cuts_of(read.values(), self.session.scan().graph)
            planned = self.session.plan(whole) if (whole := [key for key in read.values() if key not in cut]) else None
        except DagsterError:
            return []
        reasons = {key: step.reason for step in (planned.steps if planned is not None else ()) for key in step.keys}
        stale = {name: (key, reasons[key]) for name, key in read.items() if key in reasons}
        told = [f"`{name}` is stale: {reason} (`%materialize {key.label}`)" for name, (key, reason) in stale.items()]
        bad = {name: due(self.session, key) for name, key in read.items() if key in cut}
        return told + [f"`{name}` is stale: {reason}" for name, reason in bad.items() if reason]

    def lost(self, cell: Cell) -> list[str]:
        """Return which definitions the loops of a plain cell have made and not kept."""
        try:
            found = lost_in_loops(unfolded(cell.text))
        except SyntaxError:
            return []
        own = self.session.namespace
        held = {name: own[name] for name in found if isinstance(own.get(name), MADE)}
        kept = {name: own.get(found[name]) for name in held if found[name]}
        in_dicts = {name: one for name, one in kept.items() if isinstance(one, dict) and self.are_lost(one.values())}
        told = {name: last_of(name, held[name]) for name in held.keys() - kept.keys()}
        told |= {name: last_of(name, held[name], found[name]) for name in in_dicts}
        return [told[name] for name in held if name in told]

    def are_lost(self, values: Iterable[Any]) -> bool:
        """Tell whether one of some definitions, which a dict holds, is nowhere where definitions are looked for."""
        scanned = self.session.scan()
        found = (scanned.definitions, scanned.found_jobs, scanned.found_automations)
        there = {id(getattr(one, "definition", one)) for kind in found for one in kind}
        return any(isinstance(one, LOOKED_FOR) and id(one) not in there for one in values)

    def tell_notes(self, told: Sequence[str]) -> None:
        """Show notes, if there are any."""
        if told:
            show(self.ip, block(map(note_html, told)), "\n".join(f"note: {one}" for one in told))

    def present(
        self, keys: Sequence[AssetKey], checks: Sequence[AssetCheckKey], *, cell: Cell, quiet: bool = False
    ) -> None:
        """Materialize and check, and show ancestors, output, the last value and the status lines.

        Raises:
            Exception: the first that the user's code raised.
            Canceled: when interrupted.
        """
        with self.pinned(keys):
            self.present_pinned(keys, checks, cell, quiet=quiet)

    @contextmanager
    def pinned(self, keys: Iterable[AssetKey]) -> Iterator[None]:
        """Keep values while they are shown, however small the cache is."""
        owner = object()
        for key in keys:
            self.session.store.pin(key, owner)
        try:
            yield
        finally:
            self.session.store.release(owner)

    def present_pinned(
        self, keys: Sequence[AssetKey], checks: Sequence[AssetCheckKey], cell: Cell, *, quiet: bool
    ) -> None:
        """Do what :meth:`present` says."""
        asked = frozenset([*keys, *(check.asset_key for check in checks)])
        partition = partition_of(self.session, sorted(asked), cell)
        report, progress = self.run(
            lambda: self.session.materialize(sorted(asked), partition=partition, what=cell.label),
            frozenset([*keys, *checks]),
            least=2,
        )
        own = ("failed", "ran", *QUIET)  # told by the traceback or the status line
        others = [line for line in report.lines if line.status not in (own if line.key in keys else QUIET)]
        progress.finish(list(map(line_html, others)), "\n".join(map(str, others)))
        strangers = self.checks_elsewhere(report, checks)
        raise_first(report, without=strangers)
        lines = {line.key: unsurprising(line) for line in report.lines}
        fresh = [key for key in keys if lines[key].status == "fresh"]
        self.show_outputs((key, partition_in(report, key)) for key in fresh)
        if keys and not quiet:
            self.show_asset(keys[-1], partition_in(report, keys[-1]))
        notices = [*(map(raised, strangers.values()) if keys else ()), *self.notices(report, cell)]
        of_none = [key for key in keys if self.is_none(key, partition_in(report, key))]
        lines |= {key: with_none(lines[key]) for key in of_none}
        if of_none and (why := gives_none(cell)) not in ("", *self.noticed):
            self.noticed.add(why)
            notices.append(why)
        told = [with_more(lines[key], next_partitions(self.session, key)) for key in keys]
        self.show_status(told, self.verdicts(checks, report), report, notices)

    @staticmethod
    def checks_elsewhere(
        report: Report, checks: Sequence[AssetCheckKey]
    ) -> dict[str, tuple[AssetCheckKey, BaseException]]:
        """Return the checks of other cells that raised, by step: their cells are where to show that."""
        own = set(checks)
        return {
            step.name: (step.checks[0], report.errors[step.name])
            for step in report.plan.steps
            if step.name in report.errors and not step.keys and step.checks and own.isdisjoint(step.checks)
        }

    def show_outputs(self, places: Iterable[tuple[AssetKey, str | None]]) -> None:
        """Show again what assets printed and displayed when they were made; of those made together, once."""
        made = [one for place in places if (one := self.session.ledger.materialized.get(place)) is not None]
        for one in {(one.run_id, one.step): one for one in made}.values():
            show_chunks(self.ip, one.output)

    def show_asset(self, key: AssetKey, partition: str | None) -> None:
        """Show the value of an asset, or of a partition of it."""
        made = self.session.ledger.materialized.get((key, partition))
        scanned = self.session.scan()
        maker = scanned.graph.makers[key]
        if made is None or maker.op.outs[maker.output_of[key]].is_nothing:
            return
        value = self.session.load(scanned, key, partition)
        if not (is_figure(value) and any(chunk.kind == "display" for chunk in made.output)):
            show_value(self.ip, value)

    def is_none(self, key: AssetKey, partition: str | None) -> bool:
        """Tell whether the value of an asset is None, which nothing shows; of those in the session's own store."""
        entry = self.session.store.entry(key, partition)
        return entry is not None and getattr(entry.sealed, "private", entry) is None

    def verdicts(self, checks: Iterable[AssetCheckKey], report: Report) -> list[Checked]:
        """Return the last verdicts of checks."""
        known = self.session.ledger.checked
        places = ((check, partition_in(report, check.asset_key)) for check in checks)
        found = (known.get(place) or known.get((place[0], None)) for place in places)
        return [one for one in found if one is not None]

    def show_status(
        self, lines: Sequence[Line], verdicts: Sequence[Checked], report: Report, notices: Sequence[str]
    ) -> None:
        """Show the status lines of assets, the verdicts of checks and notices as one block."""
        run_id = report.result.run_id if report.result is not None else ""
        for verdict in verdicts:
            show_chunks(self.ip, verdict.output if verdict.run_id != run_id else ())
        served = {verdict.key: verdict.run_id != run_id for verdict in verdicts}
        html = [
            *map(line_html, lines),
            *(verdict_html(verdict, served=served[verdict.key]) for verdict in verdicts),
            *map(note_html, notices),
        ]
        text = [
            *map(str, lines),
            *(verdict_text(verdict, served=served[verdict.key]) for verdict in verdicts),
            *(f"note: {notice}" for notice in notices),
        ]
        if html:
            show(self.ip, block(html), "\n".join(text))

    # -- notices ------------------------------------------------------------------------------------------------------

    def notices(self, report: Report, cell: Cell) -> list[str]:
        """Return the notices of a report, and what a cell reads without declaring it."""
        scanned = self.session.scan()
        here = [one for one, where in scanned.cells.items() if where.filename == cell.filename]
        found = [notice for one in here for notice in self.undeclared(one, cell)]
        return list(dict.fromkeys([*report.notices, *self.nobodys(cell), *found]))

    def nobodys(self, cell: Cell) -> list[str]:
        """Return a notice for each asset that a cell checks, or only waits for, and that nothing defines."""
        source = cell.source
        if source is None:
            return []
        known = {key for one in self.session.scan().definitions for key in one.keys}
        named = [source.target] if source.kind == "check" else []
        named += [AssetKey.from_user_string(name) for name in source.options.get("deps", ())]
        nears = {key: closest(key.label, labels(known)) for key in named if key not in known}
        return [f"nothing defines the asset `{key.label}`{f' ({near})' if near else ''}" for key, near in nears.items()]

    def undeclared(self, one: AssetsDefinition, cell: Cell) -> list[str]:
        """Return a notice per file and variable that a definition reads and doesn't declare, once."""
        if not one.is_executable or not one.specs:
            return []
        spec = one.specs[0]
        said = f"{spec.metadata.get(FILES, '')}{spec.metadata.get(ENV, '')}"
        found = []
        for read in dict.fromkeys(
            read for call in calls_of(one) for read in undeclared_reads(call.op.signature.function)
        ):
            name = read.split("`")[1]
            mark = f"{spec.key.label} {read}"
            if mark in self.noticed or name in said:
                continue
            self.noticed.add(mark)
            found.append(
                f"`{spec.key.label}` reads {read}, which isn't declared: {hint(read, name, cell, spec.key.label)}"
            )
        return found

    # -- runs of the widget -------------------------------------------------------------------------------------------

    def show_in_cells(self, report: Report) -> None:
        """Have the cell of each asset that ran show its value and its line, as if the cell had been run."""
        scanned = self.session.scan()
        for line in report.lines:
            cell = scanned.cells.get(scanned.graph.makers[line.key]) if line.key in scanned.graph.makers else None
            if cell is None or cell.source is None or cell.context is None or line.status not in ("ran", "failed"):
                continue
            cell.context.copy().run(self.show_again, line, report, quiet=is_silenced(cell.source.body))

    def show_again(self, line: Line, report: Report, *, quiet: bool) -> None:
        """Show an asset anew in the place of what its cell shows."""
        if line.status == "ran":
            self.ip.display_pub.clear_output(wait=True)  # type: ignore[no-untyped-call]
            partition = partition_in(report, line.key)
            self.show_outputs([(line.key, partition)])
            if not quiet:
                self.show_asset(line.key, partition)
        self.show_status([unsurprising(line)], [], report, [])

    # -- runs ---------------------------------------------------------------------------------------------------------

    def run(
        self, verb: Callable[[], Report], foreground: frozenset[Any] = frozenset(), least: int = 1
    ) -> tuple[Report, Progress]:
        """Call a verb of the session with a line of progress; the caller finishes it.

        Raises:
            Canceled: when interrupted.
        """
        session = self.session
        session.foreground = foreground
        with Progress(self.ip, session.log, least) as progress, isolation_warnings() as told:
            try:
                report = verb()
            except (KeyboardInterrupt, DagsterExecutionInterruptedError):
                raise Canceled(self.canceled_steps()) from None
            finally:
                session.foreground = frozenset()
        report.notices.extend(told)
        if report.result is not None and report.result.status == "canceled":
            progress.finish([], "")
            raise Canceled(self.canceled_steps())
        return report, progress

    def canceled_steps(self) -> list[str]:
        """Return the steps of the last run that were running when it was canceled."""
        last = next(reversed(self.session.history.runs.values()), None)
        if last is None:
            return []
        return [step.name for step in last.steps.values() if step.status == "canceled" and step.started is not None]

    def tell(self, text: str, notes: Iterable[str] = (), *, details: Iterable[str] = ()) -> None:
        """Show one line, what belongs to it, and notices."""
        notes, details = list(notes), [f"  {one}" for one in details]
        shown = "\n".join([text, *details, *(f"note: {note}" for note in notes)])
        show(self.ip, block([escape(text), *map(escape, details), *map(note_html, notes)]), shown)

    def request(self, verb: Callable[[], Report]) -> None:
        """Run what a magic asks for: progress, then a line per asset.

        Raises:
            Exception: the first that the user's code raised.
            Canceled: when interrupted.
        """
        report, progress = self.run(verb)
        html = [*map(line_html, report.lines), *map(note_html, report.notices)]
        progress.finish(html or ["nothing to do"], str(report) or "nothing to do")
        raise_first(report)


@contextmanager
def isolation_warnings() -> Iterator[list[str]]:
    """Collect what can't be isolated as notices; as warnings they would show a line of ours."""
    told: list[str] = []

    def show(behind: Callable[..., None], message: Any, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        if issubclass(category, IsolationWarning):
            told.append(" · ".join(line.strip() for line in str(message).splitlines()))
        else:
            behind(message, category, *args, **kwargs)

    patch = Patch(warnings, "showwarning", show)
    try:
        yield told
    finally:
        patch.remove()


def last_of(name: str, value: Any, holder: str = "") -> str:
    """Return the notice that of what a loop has made only the last is there.

    Args:
        holder: the dict that has each of them.
    """
    last = value.label if isinstance(value, AssetsDefinition) else value.name
    if holder:
        return (
            f"definitions are looked for in variables and in lists, and `{holder}` is a dict: of the loop's `{name}` "
            f"only the last, `{last}`, is there; `all_{holder} = [*{holder}.values()]` below the loop has each"
        )
    return (
        f"the loop's `{name}` is one variable, so only the last, `{last}`, is there: "
        f"`kept.append({name})` in the loop, with `kept = []` above it, keeps each"
    )


def unsurprising(line: Line) -> Line:
    """Return a cell's own line: that it is the first time goes without saying."""
    return replace(line, text=line.text.removesuffix(f" · {NEVER}"))


def with_none(line: Line) -> Line:
    """Return the line of an asset whose value is None, which says so."""
    return replace(line, text=" · ".join(["None", *filter(None, [line.text])]))


def gives_none(cell: Cell) -> str:
    """Return what to do about an asset's cell whose last expression gave None, "" where it isn't one."""
    last = cell.source.tree.body[-1:] if cell.source is not None and cell.source.kind == "asset" else []
    if not last or not isinstance(last[0], ast.Expr) or isinstance(last[0].value, ast.Constant | ast.Name):
        return ""
    assert cell.source is not None
    return f"the last line of `{cell.source.target.label}` gave None: end the cell with the value, if it has one"


def hint(read: str, name: str, cell: Cell, key: str) -> str:
    """Return what to write to declare a read."""
    option = "files" if read.startswith("file") else "env"
    if cell.source is None:
        return f'`metadata={{"{FILES if option == "files" else ENV}": ["{name}"]}}`'
    return f"`%%asset {key} --{option} {name}`" if cell.text.lstrip().startswith("%%") else f"`#| {option}: {name}`"


def raise_first(report: Report, *, without: Container[str] = ()) -> None:
    """Raise the first exception of a report, as it was raised.

    Args:
        without: steps whose exceptions are told in another way.
    """
    for step, error in report.errors.items():
        if step not in without:
            raise error


def raised(failed: tuple[AssetCheckKey, BaseException]) -> str:
    """Return the notice that a check of another cell raised."""
    check, error = failed
    return f"check `{check.asset_key.label}:{check.name}` raised {type(error).__name__}: {first_line(error)}"


def is_figure(value: Any) -> bool:
    """Tell whether a value is a figure of matplotlib."""
    figures = sys.modules.get("matplotlib.figure")
    return figures is not None and isinstance(value, figures.Figure)
