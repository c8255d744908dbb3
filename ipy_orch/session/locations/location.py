"""One code location: its place, its kernel, what it defines, and what became of it."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError, DagsterUserCodeUnreachableError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.automation.targets import is_anonymous
from ipy_orch.model.keys import labels
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.jobs.jobs import FoundJob
from ipy_orch.session.locations.brought import automations_of, jobs_of, name_at_home
from ipy_orch.session.locations.files import has_pyarrow, read_file, write_file
from ipy_orch.session.locations.process import Ended, Environment, Process, Refused
from ipy_orch.session.locations.remote import definition_of, error_of, external_of, repeat
from ipy_orch.session.locations.wire import (
    MESSAGE,
    Answered,
    Asked,
    DefinitionTold,
    Described,
    JobTold,
    Launched,
    Opening,
    Printed,
    TickAsked,
    TickTold,
    decoded,
    encoded,
)
from ipy_orch.session.project import Location

__all__ = ["CodeLocation", "Place"]

SERVING: Final = '__import__("ipy_orch.session.locations.serving", fromlist=["serve"])'


@dataclass(frozen=True)
class Place:
    """Say where a location's code is, and in which environment it runs.

    Args:
        name: of the location; its assets are in the group of that name.
        kernel: a kernel spec.
        python: a Python, in the place of a kernel spec.
    """

    name: str
    code: Location
    kernel: str = ""
    python: str = ""


class CodeLocation:
    """Be a code location of a session.

    Args:
        dynamic: returns the dynamic partitions of a name.
    """

    def __init__(self, place: Place, dynamic: Callable[[str], Any]) -> None:
        self.place, self.dynamic = place, dynamic
        self.process: Process | None = None
        self.described: Described | None = None
        self.definitions: tuple[AssetsDefinition, ...] = ()
        self.externals: tuple[AssetsDefinition, ...] = ()
        self.jobs: tuple[FoundJob, ...] = ()
        self.automations: tuple[FoundAutomation, ...] = ()
        self.error = ""

    @property
    def name(self) -> str:
        """Return its name."""
        return self.place.name

    # -- loading -------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Start a new kernel, and load the definitions there; then the former kernel ends.

        Raises:
            DagsterError: when they can't be loaded; the location is unavailable then, with what it had defined.
        """
        process: Process | None = None
        try:
            place = self.place
            process = Process(self.name, Environment(place.kernel, place.python), place.code.folder)
            process.start()
            described = self.opened(process)
        except BaseException as error:
            if process is not None:
                process.end()
            self.end(str(getattr(error, "message", error)) or type(error).__name__)
            raise
        self.end()
        self.process, self.described, self.error = process, described, ""
        self.definitions = tuple(definition_of(one, self.name, self.ask) for one in described.definitions)
        self.externals = tuple(external_of(one, self.name) for one in described.externals)
        self.jobs = tuple(jobs_of(described, self.name, self.launch, self.config_of))
        self.automations = tuple(automations_of(described, self.name, self.jobs))

    def opened(self, process: Process) -> Described:
        """Return what the location defines, loaded in a kernel.

        Raises:
            DagsterInvariantViolationError: when it can't be loaded.
        """
        code = self.place.code
        if code.kind == "notebook":
            process.run(f"{SERVING}.prepare_notebook()", lambda *_: None)
            self.run_cells(process)
        opening = Opening(code.kind, code.target, str(code.folder), code.attribute, code.name)
        try:
            message = self.told(process, "open_location", encoded(opening))
        except Ended as ended:
            raise self.crashed(ended, "its code was loaded") from None
        if isinstance(message, Described):
            return message
        raised = message.error
        assert raised is not None
        where = raised.where or next((f"{one.strip()}" for one in raised.traceback.splitlines()), "")
        raise DagsterInvariantViolationError(
            raised.message or raised.kind, where=", ".join(filter(None, [self.label, where])), hint=raised.hint
        )

    def run_cells(self, process: Process) -> None:
        """Run the cells of a notebook; those of assets are registered, and not run.

        Raises:
            DagsterInvariantViolationError: at the first that fails.
        """
        for number, (cell_id, source) in enumerate(cells_of(Path(self.place.code.target)), 1):
            try:
                process.run(source, lambda *_: None, cell_id=cell_id)
            except Refused as refused:
                told = f"{refused.kind}: {refused.message}".splitlines()[0]
                where = f"{self.label}, cell {number} of {Path(self.place.code.target).name}"
                raise DagsterInvariantViolationError(f"a cell failed: {told}", where=where) from None
            except Ended as ended:
                raise self.crashed(ended, f"cell {number} ran") from None

    @property
    def job_names(self) -> tuple[str, ...]:
        """Return the names of its jobs here, in order, without those that stand for a selection."""
        return tuple(sorted(one.name for one in self.jobs if not is_anonymous(one.name)))

    @property
    def resource_names(self) -> tuple[str, ...]:
        """Return the keys of its resources, in order."""
        rows = self.described.resources if self.described is not None else ()
        return tuple(dict.fromkeys(str(row["resource"]) for row in rows if "class" in row))

    @property
    def label(self) -> str:
        """Return what messages call it."""
        return f"code location `{self.name}`"

    def told(self, process: Process, verb: str, said: str, hear: Callable[[Printed], None] = lambda _: None) -> Any:
        """Call a verb in the kernel, and return its answer.

        Raises:
            DagsterError: when there is none.
        """
        answers: list[Any] = []

        def received(kind: str, content: Mapping[str, Any]) -> None:
            if kind == "stream" and content["name"] == "stdout":
                hear(Printed("stdout", "", content["text"]))
            if kind != "display_data":
                return
            if MESSAGE not in content["data"]:
                display(content)
                return
            name, text = content["data"][MESSAGE]
            message: Any = decoded(MESSAGES[name], text)
            if isinstance(message, Printed):
                hear(message)
            else:
                answers.append(message)

        try:
            process.run(f"{SERVING}.{verb}({said!r})", received)
        except Refused as refused:
            raise DagsterError(f"{self.label} can't answer: {refused.kind}: {refused.message}") from None
        if not answers:
            raise DagsterError(f"{self.label} doesn't answer")
        return answers[-1]

    # -- making --------------------------------------------------------------------------------------------------------

    def ask(self, context: Any, inputs: Mapping[str, Any], told: DefinitionTold) -> tuple[Answered, dict[str, Any]]:
        """Have the location make what a step is to make, with values that were made elsewhere; return its values, too.

        Raises:
            DagsterUserCodeUnreachableError: when its process isn't there.
            Exception: what stands for the exception of its code.
        """
        with self.reached(f"it made `{context.op_def.name}`") as (process, folder):
            asked = self.asked(context, inputs, told, folder)
            answer = self.told(process, "serve", encoded(asked), lambda one: repeat(one, context))
            self.refuse_error(answer)
            return answer, {one.key: read_file(one.file, imports=False) for one in answer.made if one.file is not None}

    def launch(self, context: Any, job: str, config: Any) -> tuple[str, ...]:
        """Have the location run a job of ops, and return what these told of assets.

        Raises:
            DagsterUserCodeUnreachableError: when its process isn't there.
            Exception: what stands for the exception of its code.
        """
        partition = context.partition_key if context.has_partition_key else None
        asked = Launched(job, config, partition, dict(context.run_tags), self.dynamic_keys())
        with self.reached(f"it ran job `{job}`") as (process, _):
            answer = self.told(process, "launch", encoded(asked), lambda one: repeat(one, context))
            self.refuse_error(answer)
        reports: tuple[str, ...] = answer.reports
        return reports

    def config_of(self, job: str, partition: str) -> Mapping[str, Any]:
        """Return the run config that a job has for a partition.

        Raises:
            DagsterUserCodeUnreachableError: when its process isn't there.
            Exception: what stands for the exception of its code.
        """
        asked = Launched(job, partition=partition, dynamic=self.dynamic_keys())
        with self.reached(f"it made the config of job `{job}`") as (process, _):
            answer = self.told(process, "configure", encoded(asked))
            self.refuse_error(answer)
        return answer.config or {}

    def tick(self, asked: TickAsked, events: Iterable[bytes], hear: Callable[[Printed], None]) -> TickTold:
        """Ask what a schedule or sensor wants to run; its error is in the answer.

        Args:
            events: what has happened since it was asked the last time.

        Raises:
            DagsterUserCodeUnreachableError: when its process isn't there.
        """
        with self.reached(f"`{asked.name}` ticked") as (process, folder):
            file = folder / "events"
            file.write_bytes(b"".join(events))
            answer: TickTold = self.told(process, "tick", encoded(replace(asked, events=str(file))), hear)
            return answer

    @contextmanager
    def reached(self, doing: str) -> Iterator[tuple[Process, Path]]:
        """Hand out the kernel, and a folder for files on the way.

        Args:
            doing: what it does, for the message where it dies.

        Raises:
            DagsterUserCodeUnreachableError: when it isn't there, or dies.
        """
        process = self.process
        if process is None:
            hint = f"`%code_location reload {self.name}` loads it again"
            raise DagsterUserCodeUnreachableError(f"{self.label} is unavailable: {self.error}", hint=hint)
        folder = Path(tempfile.mkdtemp(dir=process.scratch))
        try:
            yield process, folder
        except Ended as ended:
            error = self.crashed(ended, doing)
            self.end(error.message)
            raise error from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def refuse_error(self, answer: Answered) -> None:
        """Raise what stands for the exception of the location's code, if there was one.

        Raises:
            Exception: that.
        """
        if answer.error is not None:
            raise error_of(answer.error, self.name)

    @property
    def is_busy(self) -> bool:
        """Tell whether it does something, and so would answer later."""
        return self.process is not None and self.process.lock.locked()

    def asked(self, context: Any, inputs: Mapping[str, Any], told: DefinitionTold, folder: Path) -> Asked:
        """Return what the location is asked, with the values in files."""
        files = tuple(write_file(value, key, folder, tables=True) for key, value in inputs.items())
        chosen = context.selected_asset_keys if told.assets else ()
        checks = context.selected_asset_check_keys
        return Asked(
            tuple(sorted(labels(chosen))),
            tuple(sorted((one.asset_key.label, one.name) for one in checks)),
            files,
            str(folder),
            has_pyarrow(),
            told.name,
            context.op_config if told.takes_config and context.op_config else None,
            context.partition_key if context.has_partition_key else None,
            self.dynamic_keys(),
            self.own_job(context.job_name),
        )

    def own_job(self, name: str) -> str:
        """Return the name that a job of its has there, "" for another's."""
        return next((one.name for one in self.jobs_told if name_at_home(one.name, self.name) == name), "")

    @property
    def jobs_told(self) -> tuple[JobTold, ...]:
        """Return its jobs as it told of them."""
        return self.described.jobs if self.described is not None else ()

    def dynamic_keys(self) -> dict[str, tuple[str, ...]]:
        """Return the dynamic partitions of its assets."""
        cuts = [spec.partitions_def for one in self.definitions for spec in one.specs]
        cuts += [one.definition.partitions_def for one in self.jobs]
        names = {one.name for one in cuts if isinstance(one, DynamicPartitionsDefinition) and one.name is not None}
        return {name: tuple(self.dynamic(name)) for name in names}

    # -- ends ----------------------------------------------------------------------------------------------------------

    def crashed(self, ended: Ended, when: str) -> DagsterUserCodeUnreachableError:
        """Return the error for a kernel that died."""
        told = ended.message.replace("its process ended", f"its process ended while {when}", 1)
        return DagsterUserCodeUnreachableError(told, where=self.label, hint=ended.hint)

    def look(self) -> None:
        """See whether the process still runs; one that ended by itself makes the location unavailable."""
        if self.process is not None and not self.process.lock.locked() and not self.process.is_alive:
            self.end(self.process.ended().message)

    def end(self, why: str = "") -> None:
        """End the kernel; ``why`` is what made the location unavailable."""
        self.error = why
        if self.process is not None:
            self.process.end()
            self.process = None


MESSAGES: Final[Mapping[str, type]] = {
    "described": Described,
    "answered": Answered,
    "printed": Printed,
    "ticked": TickTold,
}


def display(content: Mapping[str, Any]) -> None:
    """Display here what code displayed there."""
    if "IPython" in sys.modules:
        from IPython.display import publish_display_data

        publish_display_data(dict(content["data"]), dict(content.get("metadata", {})))  # type: ignore[no-untyped-call]


def cells_of(path: Path) -> list[tuple[str, str]]:
    """Return id and text of the code cells of a notebook that aren't empty.

    Raises:
        DagsterInvariantViolationError: when it isn't one.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [one for one in cells if one["cell_type"] == "code"]
        found = [(str(one.get("id") or number), "".join(one["source"])) for number, one in enumerate(code)]
    except (OSError, ValueError, KeyError, TypeError):
        raise DagsterInvariantViolationError(f"`{path.name}` isn't a notebook") from None
    return [(cell_id, source) for cell_id, source in found if source.strip()]
