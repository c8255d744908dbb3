"""Commands of a view -> verbs of the session. Each is validated; what isn't allowed is refused, and nothing runs.

A view may ask for what the notebook's graph has, and for nothing else: it names assets, never code. It runs user code
in three places only: where it asks to materialize, where it asks an IO manager to load a value, and where it lets a
schedule or sensor tick.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from ipy_orch.errors import DagsterError, DagsterExecutionInterruptedError, closest
from ipy_orch.events.types import Checked, Logged
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph, ancestors, descendants
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.jobs.launched import JobReport
from ipy_orch.session.report import first_line
from ipy_orch.session.submitting import Submitted
from ipy_orch.session.words import MOST_NAMED, selection_text
from ipy_orch.ui import details, launchpad
from ipy_orch.ui.automations import automations_message, condition_message, ticks_message, toast_of_tick
from ipy_orch.ui.bridge import Bridge, View
from ipy_orch.ui.cards import plain, shortened
from ipy_orch.ui.jobs import job_message
from ipy_orch.ui.partitions import partitions_message
from ipy_orch.ui.protocol import (
    Answer,
    AutomationsCommand,
    Backfill,
    Cancel,
    Command,
    Compare,
    ConditionCommand,
    DaemonCommand,
    DetailsCommand,
    JobCommand,
    Launch,
    Materialize,
    PartitionsCommand,
    ProfileCommand,
    Refresh,
    Refused,
    RowsCommand,
    RunCommand,
    RunMessage,
    Select,
    Selected,
    Switch,
    TickNow,
    TicksCommand,
    Toast,
    UseEnvironment,
    read_command,
)
from ipy_orch.ui.snapshot import run_state

__all__ = ["Commands", "Refusal"]

Job: TypeAlias = Callable[[], Answer]
Timed: TypeAlias = AutomationsCommand | TicksCommand | Switch | TickNow | DaemonCommand
OfAsset: TypeAlias = details.Asked | PartitionsCommand | ConditionCommand
Question: TypeAlias = Select | RunCommand | JobCommand | Timed | OfAsset | launchpad.Asked

LONGEST: Final = 300
LAUNCHPAD: Final = ("form", "check_config", "save_preset", "use_preset", "drop_preset")
NOT_STALE: Final = ("fresh", "external", "waiting", "running")


class Refusal(Exception):
    """Say why a command isn't obeyed."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


class Commands:
    """Obey the commands of one view.

    Args:
        view: is told the answers.
    """

    def __init__(self, bridge: Bridge, view: View) -> None:
        self.bridge, self.view, self.session = bridge, view, bridge.session
        self.launchpad = launchpad.Launchpad(self.session)
        self.reader = details.Reader(bridge)

    def close(self) -> None:
        """Let go of what was shown."""
        self.reader.close()

    def receive(self, content: Any) -> None:
        """Take what a view has sent, and return at once: what takes a while is done on another thread."""
        request, kind = told_of(content)
        try:
            self.obey(read_command(content))
        except ValidationError as error:
            self.refuse(request, kind, Refusal(f"this is no command: {problem_of(error)}"))
        except Refusal as refusal:
            self.refuse(request, kind, refusal)
        except DagsterError as error:
            self.refuse(request, kind, Refusal(error.message, error.hint or ""))

    def refuse(self, request: int, kind: str, refusal: Refusal) -> None:
        """Say that nothing was done, to the view and to the log."""
        why, hint, kind = (shortened(lined(redact(text)), LONGEST) for text in (refusal.why, refusal.hint, plain(kind)))
        text = f"refused `{kind or '?'}` of the widget: {plain(why)}"
        self.session.log.append(Logged("", time.time(), "", "log", "WARNING", text))
        self.view.tell(Refused(request=request, command=kind, why=why, hint=hint))

    def obey(self, command: Command) -> None:
        """Do what a command says, or have it done.

        Raises:
            Refusal: when it isn't allowed.
            DagsterError: when it can't be done.
        """
        match command:
            case Refresh():
                self.bridge.refresh(self.view, command.request)
            case Cancel():
                self.cancel(command)
            case Materialize():
                self.materialize(command)
            case Backfill():
                self.backfill(command)
            case Launch():
                self.launch(command)
            case UseEnvironment():
                self.use(command)
            case _:
                self.reply(command)

    def reply(self, command: Question) -> None:
        """Answer a question, or have it answered.

        Raises:
            Refusal: when it isn't allowed.
        """
        match command:
            case Select():
                self.view.tell(self.select(command))
            case RunCommand():
                self.view.tell(self.run(command))
            case JobCommand():
                name = self.job(command.name)
                self.later(command, lambda: job_message(self.session, name))
            case DetailsCommand() | RowsCommand() | ProfileCommand() | Compare():
                key = self.known(command.id)
                self.later(command, lambda: self.reader.answer(command, key))
            case PartitionsCommand():
                key = self.known(command.id)
                self.later(command, lambda: partitions_message(self.session, key, command.known))
            case ConditionCommand():
                key = self.known(command.id)
                self.later(command, lambda: condition_message(self.session, key))
            case AutomationsCommand() | TicksCommand() | Switch() | TickNow() | DaemonCommand():
                if not isinstance(command, AutomationsCommand | DaemonCommand):
                    self.automation(command.name)
                self.later(command, lambda: self.timed(command))
            case _:
                if command.job is not None:
                    self.job(command.job)
                keys = None if command.ids is None else self.keys(command.ids, self.graph())
                self.later(command, lambda: self.launchpad.answer(command, keys))

    def later(self, command: Command, job: Job) -> None:
        """Read something on the thread for that, and answer."""

        def answer() -> None:
            try:
                self.view.tell(job().model_copy(update={"request": command.request}))
            except (DagsterError, Refusal) as error:
                why = error.why if isinstance(error, Refusal) else error.message
                self.refuse(command.request, command.kind, Refusal(why, error.hint or ""))
            except Exception as error:  # noqa: BLE001 - reading a value may run anybody's code
                self.refuse(command.request, command.kind, Refusal(f"{type(error).__name__}: {first_line(error)}"))

        if self.bridge.reader is not None:
            self.bridge.reader.submit(answer)

    # -- names --------------------------------------------------------------------------------------------------------

    def graph(self) -> AssetGraph:
        """Return the graph as it is now."""
        return self.session.scan().graph

    def known(self, id_: str) -> AssetKey:
        """Return the asset of an id: one that the views were told of, else one that has come since.

        Raises:
            Refusal: when it is neither.
        """
        found = self.bridge.outline.ids.get(id_)
        return found if found is not None else self.key(id_, {key.label: key for key in self.graph().keys})

    def key(self, id_: str, known: Mapping[str, AssetKey]) -> AssetKey:
        """Return the asset of an id.

        Raises:
            Refusal: when the graph hasn't got it.
        """
        self.refuse_unknown(id_, known, "there is no asset `{}` in the graph")
        return known[id_]

    def keys(self, ids: Iterable[str], graph: AssetGraph) -> list[AssetKey]:
        """Return the assets of ids, in order of lineage."""
        known = {key.label: key for key in graph.keys}
        return graph.in_order({self.key(id_, known) for id_ in ids})

    def job(self, name: str) -> str:
        """Return the name of a job.

        Raises:
            Refusal: when the notebook hasn't got it.
        """
        self.refuse_unknown(name, self.session.scan().jobs, "there is no job `{}` in the notebook")
        return name

    def automation(self, name: str) -> str:
        """Return the name of a schedule or sensor.

        Raises:
            Refusal: when the notebook hasn't got it.
        """
        self.refuse_unknown(name, self.session.scan().all_automations, "there is no schedule or sensor `{}`")
        return name

    def refuse_unknown(self, name: str, known: Iterable[str], told: str) -> None:
        """Refuse a name that nothing has.

        Raises:
            Refusal: with the closest one.
        """
        if name not in known:
            raise Refusal(told.format(shortened(plain(name), 100)), closest(name[:100], known) or "")

    def select(self, command: Select) -> Selected:
        """Return the assets that a selection string names, or what is wrong with it."""
        try:
            graph = self.graph()
            keys = AssetSelection.from_coercible(command.text).resolve(graph) if command.text.strip() else ()
        except DagsterError as error:
            text, hint = redact(error.message), error.hint or ""
            return Selected(request=command.request, text=command.text, problem=text, hint=hint)
        ids = [key.label for key in graph.in_order(keys)]
        return Selected(request=command.request, text=command.text, ids=ids)

    # -- runs ---------------------------------------------------------------------------------------------------------

    def run(self, command: RunCommand) -> RunMessage:
        """Return a run with all its steps."""
        run = self.session.history.runs.get(command.run_id)
        if run is None:
            raise Refusal("there is no such run")
        return RunMessage(request=command.request, run=run_state(run, [*run.steps]))

    def cancel(self, command: Cancel) -> None:
        """End the run that goes on."""
        run = next(reversed(self.session.history.runs.values()), None)
        if not self.session.queue.waiting and (run is None or run.status != "running"):
            self.view.tell(Toast(request=command.request, text="nothing runs"))
            return
        self.bridge.canceling = True
        self.bridge.mark(steps=[""])
        self.session.cancel()

    def materialize(self, command: Materialize) -> None:
        """Have assets run."""
        graph = self.graph()
        keys = self.wanted(command, graph)
        if not keys:
            self.view.tell(Toast(request=command.request, text="nothing to do: all of it is fresh"))
            return
        what = command.selection or selection_text(keys, MOST_NAMED)
        options: dict[str, Any] = {"partition": command.partitions} if command.partitions is not None else {}
        options |= {} if command.checks_only else {"force": command.force, "config": command.config}
        one = self.session.submit(keys, checks_only=command.checks_only, what=what, env=command.env, **options)
        one.when_done(lambda done: self.tell_end(done, command.request))

    def backfill(self, command: Backfill) -> None:
        """Have partitions of assets brought up to date."""
        graph = self.graph()
        keys = [key.label for key in self.keys(command.ids, graph)]
        options = {"missing": command.only == "missing", "failed": command.only == "failed"}
        force = command.only == "all"
        selection = keys[0] if len(keys) == 1 else keys
        one = self.session.submit_backfill(selection, command.partitions, force=force, **options)
        one.when_done(lambda done: self.tell_end(done, command.request))

    def timed(self, command: Timed) -> Answer:
        """Do what is said of schedules, sensors or the daemon; return how they stand then."""
        match command:
            case TicksCommand():
                return ticks_message(self.session, command.name)
            case Switch():
                self.session.switch(command.name, command.on)
            case TickNow():
                made, submitted = self.session.submit_tick(command.name)
                self.view.tell(toast_of_tick(command.name, made.event, 0))
                for one in submitted:
                    one.when_done(lambda done: self.tell_end(done, 0))
            case DaemonCommand():
                self.session.daemon(command.what)
            case AutomationsCommand():
                pass
        return automations_message(self.session)

    def launch(self, command: Launch) -> None:
        """Have a job run."""
        name = self.job(command.name)
        options = {"config": command.config, "env": command.env, "from_failure": command.from_failure}
        one = self.session.submit_job(name, **options)
        one.when_done(lambda done: self.tell_end(done, command.request))

    def use(self, command: UseEnvironment) -> None:
        """Switch to another environment, when no run goes on."""
        names = self.session.environments.names
        if command.name not in names:
            name = shortened(plain(command.name), 100)
            raise Refusal(f"there is no environment `{name}`", closest(command.name[:100], names) or "")
        if self.session.queue.waiting:
            raise Refusal("a run goes on", "switch when it is over")
        self.session.use(command.name)
        self.bridge.mark(whole=True)
        self.view.tell(Toast(request=command.request, text=f"environment {command.name}"))

    def wanted(self, command: Materialize, graph: AssetGraph) -> list[AssetKey]:
        """Return the assets that a command names.

        Raises:
            Refusal: when one isn't there, or nothing here makes it.
        """
        if command.ids is not None:
            keys = set(self.keys(command.ids, graph))
        elif command.selection is not None:
            keys = set(AssetSelection.from_coercible(command.selection).resolve(graph))
        else:
            keys = set(graph.executable_keys)
        foreign = [key for key in graph.in_order(keys) if not graph.makers[key].is_executable]
        if foreign and command.ids is not None and not command.checks_only:
            raise Refusal(f"nothing here makes `{foreign[0].label}`", "it is an external asset")
        keys = (descendants(graph, keys) if command.downstream else keys) | (
            ancestors(graph.upstream, keys) if command.upstream else set()
        )
        if not command.checks_only:
            keys = {key for key in keys if graph.makers[key].is_executable}
        if command.stale:
            standing = self.bridge.told
            keys = {
                key for key in keys if key.label not in standing or standing[key.label].status.word not in NOT_STALE
            }
        return graph.in_order(keys)

    def tell_end(self, one: Submitted, request: int) -> None:
        """Say what came of a run."""
        error = one.future.exception()
        if isinstance(error, DagsterExecutionInterruptedError | KeyboardInterrupt):
            self.view.tell(Toast(request=request, level="warning", text=f"canceled: {one.what}"))
        elif isinstance(error, DagsterError):
            self.refuse(request, "materialize", Refusal(error.message, error.hint or ""))
        elif error is not None:
            text = f"{type(error).__name__}: {first_line(error)}"
            self.view.tell(Toast(request=request, level="error", text=text))
        else:
            self.view.tell(toast_of(one, request))


def toast_of(one: Submitted, request: int) -> Toast:
    """Return what came of a run that went to its end."""
    report = one.result()
    if report.errors:
        failed = [f"`{step}`: {type(error).__name__}: {first_line(error)}" for step, error in report.errors.items()]
        more = f"\nand {several(len(failed) - 1, 'more step')}" if failed[1:] else ""
        return Toast(request=request, level="error", text=f"failed: {failed[0]}{more}")
    if isinstance(report, JobReport):
        return Toast(request=request, level="success", text=f"{one.what} finished")
    asked = report.plan.request
    if report.result is None:
        are = "is" if len(asked.keys) == 1 else "are"
        text = f"nothing to do: {one.what} {are} fresh" if asked.checks is None else f"there are no {one.what}"
        return Toast(request=request, text=text)
    verdicts = [event.evaluation for event in report.result.events if isinstance(event, Checked)]
    parts = sum(step.partition is not None for step in report.plan.steps if step.keys)
    number = len(report.materialized)
    made = several(parts, "partition") if parts else several(number, "asset")
    told = [f"{made} materialized"] if number or not verdicts else []
    if verdicts and (asked.checks is not None or not number):
        bad, many = sum(not one.passed for one in verdicts), several(len(verdicts), "check")
        told.append(f"{bad:,} of {many} failed" if bad else f"{many} passed")
        return Toast(request=request, level="warning" if bad else "success", text=", ".join(told))
    return Toast(request=request, level="success", text=told[0])


def several(number: int, what: str) -> str:
    """Return a number of things.

    >>> several(1, "asset"), several(2_000, "check")
    ('1 asset', '2,000 checks')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def lined(text: str) -> str:
    """Return a text as :func:`plain` has it, except that its lines stay lines."""
    return "\n".join(plain(line) for line in text.splitlines())


def told_of(content: Any) -> tuple[int, str]:
    """Return number and kind of what may be a command."""
    if not isinstance(content, Mapping):
        return 0, ""
    request, kind = content.get("request"), content.get("kind")
    number = request if isinstance(request, int) and not isinstance(request, bool) and 0 <= request < 2**53 else 0
    return number, kind[:40] if isinstance(kind, str) else ""


def problem_of(error: ValidationError) -> str:
    """Return the first thing that is wrong, without what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part)[:40] for part in first["loc"])
    return f"{place}: {first['type'].replace('_', ' ')}" if place else str(first["type"]).replace("_", " ")
