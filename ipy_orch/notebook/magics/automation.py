"""The magics of schedules and sensors: define them, let them tick, switch them, and run the daemon."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.authoring.cells.automation import SCHEDULE_OPTIONS, SENSOR_OPTIONS, read_automation_cell
from ipy_orch.automation.asking import Answer, said_of
from ipy_orch.automation.automations import MISSED, automations_of
from ipy_orch.automation.page import AutomationRow, automation_rows
from ipy_orch.automation.requesting import Wanted, run
from ipy_orch.automation.verbs import DaemonStatus, moment_of
from ipy_orch.automation.words import moment_words
from ipy_orch.errors import CheckError, DagsterError
from ipy_orch.model.asset_jobs import IMPLICIT_JOB
from ipy_orch.model.automation.requests import RunRequest
from ipy_orch.model.automation.targets import is_anonymous
from ipy_orch.model.keys import labels
from ipy_orch.notebook.cells import Cells, keep_lines
from ipy_orch.notebook.magics.magics import arg, cell, line, line_or_cell, option_args, read, unquoted
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import is_users, usage
from ipy_orch.session.automation.automating import define_automation
from ipy_orch.session.jobs.launched import JobReport
from ipy_orch.session.session import Session

__all__ = ["AutomationMagics"]

NAME: Final = "its name, also of the variable that holds it"
MOST_SHOWN: Final = 5


@magics_class
class AutomationMagics(Magics):
    """Schedules, sensors, ticks and the daemon."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter

    # -- cells --------------------------------------------------------------------------------------------------------

    @line_or_cell(arg("name", help=NAME), *option_args(SCHEDULE_OPTIONS))
    def schedule(self, line: str, cell: str = "") -> None:
        """Make a schedule: what runs, and at which moments. It is off until it is switched on.

        The body is optional. It is the body of a function that is asked at each moment; its last line is what to run:
        RunRequest(...), several in a list, SkipReason("why not"), or run config. `context.scheduled_execution_time` is
        the moment.
        """
        self.define("schedule", line, cell)

    @cell(arg("name", help=NAME), *option_args(SENSOR_OPTIONS))
    def sensor(self, line: str, cell: str) -> None:
        """Make a sensor: a function that is asked again and again what to run. It is off until it is switched on.

        The last line of the body is what to run: RunRequest(run_key=...), several in a list, or SkipReason("why not").
        A run key is run once. `context.cursor` is what `context.update_cursor(...)` kept the last time.
        """
        self.define("sensor", line, cell)

    def define(self, kind: str, line: str, body: str) -> None:
        """Register the schedule or sensor of a cell, and tell what comes next."""
        running = self.cells.running[-1] if self.cells.running else None
        info = running.info if running is not None else None
        filename, number = self.cells.compiled(body, info)
        raw = getattr(info, "raw_cell", "") or f"%%{kind} {line}\n{body}"
        above = max(raw.count("\n") - body.count("\n"), 1)
        try:
            said = read_automation_cell(kind, line, "\n" * above + body, f"Cell In[{number}]", raw)
            keep_lines(filename, raw)
            define_automation(self.session, said, filename)
            row = next(one for one in automation_rows(self.session) if one.name == said.name)
        except DagsterError as error:
            raise usage(error) from None
        if running is None or running.cell is None or said.name not in running.cell.names.bound:
            self.session.book.say(said.name)
        state = "on" if row.on else "off"
        runs = f" · runs {row.target}" if row.target else " · runs nothing of its own"
        after = "" if row.on else f", %automations on {row.name}"
        notes = [row.problem] if row.problem else []
        self.presenter.tell(f"{row.name} · {kind}, {state} · {row.when}{runs} · next: %tick {row.name}{after}", notes)

    # -- ticks --------------------------------------------------------------------------------------------------------

    @line(
        arg("name", help="the schedule or sensor"),
        arg("--at", metavar="TIME", help="the moment for which a schedule is asked: '2024-01-05 09:00', or 09:00"),
        arg("--run", action="store_true", help="do it: note the tick, and run what was asked for"),
    )
    def tick(self, line: str) -> None:
        """Ask a schedule or sensor what it would run now; with --run, run that."""
        args = read(self.tick, line)
        at = unquoted(args.at) if args.at else None
        try:
            if args.run:
                self.run(args.name, at)
                return
            answer = self.session.ask(args.name, at)
        except DagsterError as error:
            raise usage(error) from None
        self.raise_own(answer)
        notes = [answer.printed.rstrip()] if answer.printed.strip() else []
        after = f" · next: %tick {answer.name}{f' --at {args.at}' if at else ''} --run" if answer.requests else ""
        self.presenter.tell(f"{headline(answer)} · would {verdict(answer)}{after}", notes, details=details(answer))

    def run(self, name: str, at: str | None) -> None:
        """Let a schedule or sensor tick, and show what became of its runs."""
        made = automations_of(self.session).tick(name, moment_of(self.session, name, at))
        answer = made.answer
        self.raise_own(answer)
        printed = [answer.printed.rstrip()] if answer.printed.strip() else []
        self.presenter.tell(f"{headline(answer)} · {verdict(answer)}", printed, details=details(answer))
        for one in made.runs:
            self.presenter.request(partial(self.started, one))

    def started(self, one: Wanted) -> JobReport:
        """Run what a tick asked for; what can't be run as asked is a usage error."""
        try:
            return run(self.session, one)
        except DagsterError as error:
            if error.__cause__ is None and not is_users(error.__traceback__):
                automations_of(self.session).note_refused(one, error)
                raise usage(error) from None
            raise

    def raise_own(self, answer: Answer) -> None:
        """Raise what the user's function raised, as any cell shows it; what is ours is a usage error.

        Raises:
            BaseException: the user's.
        """
        error = answer.error
        if error is None:
            return
        cause = error.__cause__ or error
        if isinstance(cause, DagsterError):
            raise usage(cause) from None
        if isinstance(cause, CheckError):
            raise UsageError(str(cause)) from None
        raise cause from None

    @line(arg("name", nargs="?", help="the schedule or sensor; all by default"))
    def ticks(self, line: str) -> Any:
        """Return a DataFrame of the ticks, newest first: what came of each, and of its runs."""
        try:
            return self.session.ticks(read(self.ticks, line).name)
        except DagsterError as error:
            raise usage(error) from None

    # -- switches and the daemon --------------------------------------------------------------------------------------

    @line(
        arg("switch", nargs="?", choices=("on", "off"), help="switch those that are named; without it, list all"),
        arg("names", nargs="*", help="the schedules and sensors"),
    )
    def automations(self, line: str) -> Any:
        """Return a DataFrame of all schedules and sensors; or switch some on or off.

        What is on ticks while the daemon runs: `%daemon start`.
        """
        args = read(self.automations, line)
        if args.switch is None:
            return self.listed()
        if not args.names:
            raise UsageError(f"switch what {args.switch}? `%automations {args.switch} NAME`, or `%automations`")
        try:
            names = [self.session.switch(name.rstrip(","), args.switch == "on").name for name in args.names]
            status: DaemonStatus = self.session.daemon()
        except DagsterError as error:
            raise usage(error) from None
        rows = {row.name: row for row in automation_rows(self.session)}
        told = "; ".join(f"{name} · {args.switch}{coming(rows[name])}" for name in names)
        self.presenter.tell(told + ("" if status.is_running or args.switch == "off" else " · next: %daemon start"))
        return None

    def listed(self) -> Any:
        """Return the table of all.

        Raises:
            UsageError: when two have one name.
        """
        try:
            return self.session.automations()
        except DagsterError as error:
            raise usage(error) from None

    @line(
        arg("what", nargs="?", default="status", choices=("start", "stop", "status"), help="by default: status"),
        arg("--missed", choices=MISSED, help="of the moments that passed while nobody looked: catch up which"),
    )
    def daemon(self, line: str) -> None:
        """Start or stop the thread that lets schedules and sensors tick in the background, or tell how it stands.

        It runs what they ask for without blocking the kernel, and ends with it. Only what is on ticks.
        """
        args = read(self.daemon, line)
        try:
            status: DaemonStatus = self.session.daemon(args.what, args.missed or "")
            rows = [row for row in automation_rows(self.session) if row.on]
        except DagsterError as error:
            raise usage(error) from None
        self.presenter.tell(*told_of(status, rows, automations_of(self.session).clock.now()))


# -- words ------------------------------------------------------------------------------------------------------------


def headline(answer: Answer) -> str:
    """Return what ticks, and for which moment."""
    at = f" for {moment_words(answer.moment, answer.zone)}" if answer.moment is not None else ""
    return f"{answer.name} · {answer.kind}{at}"


def verdict(answer: Answer) -> str:
    """Return what a tick comes to."""
    if not answer.requests:
        return f"skip: {answer.message}" if answer.message else "skip"
    jobs = list(dict.fromkeys(answer.job_of(request) for request in answer.requests))
    plain = [answer.target if is_anonymous(job) or job == IMPLICIT_JOB else f"job {job}" for job in jobs]
    many = len(answer.requests)
    return f"run {', '.join(dict.fromkeys(plain))}" + (f", {many} times" if many > 1 else "")


def details(answer: Answer) -> list[str]:
    """Return what a tick asks for, request by request."""
    told = [said for request in answer.requests[:MOST_SHOWN] if (said := request_text(request))]
    if len(answer.requests) > MOST_SHOWN:
        told.append(f"and {len(answer.requests) - MOST_SHOWN} more")
    if answer.again and answer.requests:
        told.append(f"{said_of(answer.again)} ran already, and isn't run again")
    return told


def request_text(request: RunRequest) -> str:
    """Return what makes a request different from others."""
    tags = {name: value for name, value in request.tags.items() if not name.startswith("dagster/")}
    parts = [
        f"run key `{request.run_key}`" if request.run_key is not None else "",
        f"partition {request.partition_key}" if request.partition_key is not None else "",
        f"assets {', '.join(labels(request.asset_selection))}" if request.asset_selection is not None else "",
        f"config {request.run_config}" if request.run_config else "",
        f"tags {', '.join(f'{name}={value}' for name, value in tags.items())}" if tags else "",
    ]
    return " · ".join(part for part in parts if part)


def coming(row: AutomationRow) -> str:
    """Return when the turn of a schedule comes."""
    return f", next tick {moment_words(row.next[0], row.zone)}" if row.next and row.kind == "schedule" else ""


def told_of(status: DaemonStatus, rows: Iterable[AutomationRow], now: float) -> tuple[str, list[str]]:
    """Return how the daemon stands, and notices."""
    rows = list(rows)
    notes = [f"not run, since the daemon was stopped: {said_of(status.dropped)}"] if status.dropped else []
    notes += [f"nothing ticks: {status.trouble}"] if status.trouble else []
    if not status.is_running:
        after = "next: %daemon start" if rows else "next: %automations on NAME, then %daemon start"
        return f"daemon · stopped · {len(rows)} on · {after}", notes
    if not rows:
        return "daemon · running · nothing is on · next: %automations on NAME", notes
    first = min((row for row in rows if row.next), key=lambda row: row.next[0], default=None)
    at = (
        f" · next tick {first.name} at {moment_words(max(first.next[0], now), first.zone)}" if first is not None else ""
    )
    many = len(status.waiting)
    waiting = f" · {many} run{' waits' if many == 1 else 's wait'}" if many else ""
    return f"daemon · running · on: {', '.join(row.name for row in rows)}{at}{waiting}", notes
