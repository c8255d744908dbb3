"""In the kernel of a code location: load its definitions, describe them, make what is asked for.

Called by the code that :mod:`ipy_orch.session.locations.process` sends; answers go back as display messages.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError
from ipy_orch.events.types import (
    Checked,
    Event,
    Logged,
    Materialized,
    Observed,
    StepFailed,
    StepRetrying,
    StepSucceeded,
)
from ipy_orch.execution.iomanagers import InMemoryIOManager
from ipy_orch.execution.materialize import materialize
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.model.assets import external
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.port import Port
from ipy_orch.model.serdes import serialize_value
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.job_config import run_config_of
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.locations.files import Closed, read_file, write_file
from ipy_orch.session.locations.telling import description, is_making
from ipy_orch.session.locations.wire import (
    MESSAGE,
    Answered,
    Asked,
    Described,
    File,
    Launched,
    Made,
    Opening,
    Printed,
    Raised,
    TickAsked,
    TickTold,
    Verdict,
    decoded,
    encoded,
)
from ipy_orch.session.modules import is_users, session_of
from ipy_orch.session.project import Location
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import Session
from ipy_orch.session.words import human_seconds

__all__ = ["configure", "launch", "notebook_session", "open_location", "prepare_notebook", "serve", "tick"]

HANDED: Final = "ipy_orch_handed_over"  #: the IO manager of assets that aren't made here
SERVED: Final[list[Session]] = []  #: the session of this kernel, when it is open

prepare_notebook: Port[[], None] = Port("ipy_orch.notebook.located")
notebook_session: Port[[], Session] = Port("ipy_orch.notebook.located")
ticked: Port[[Session, TickAsked], TickTold] = Port("ipy_orch.automation.located")

T = TypeVar("T")


def tell(name: str, message: Any) -> None:
    """Send a message to the session that started this kernel."""
    from IPython.display import publish_display_data

    publish_display_data({MESSAGE: [name, encoded(message)]})  # type: ignore[no-untyped-call]


# -- opening -----------------------------------------------------------------------------------------------------------


def open_location(said: str) -> None:
    """Load definitions, and tell what they are; or what went wrong."""
    opening = decoded(Opening, said)
    try:
        tell("described", opened(opening))
    except BaseException as error:  # SystemExit, too
        tell("answered", Answered(error=raised(error)))


def opened(opening: Opening) -> Described:
    """Return what a location defines.

    Raises:
        DagsterError: when it can't be loaded, or defines nothing.
    """
    if opening.kind == "notebook":
        session = notebook_session()
    else:
        kind: Any = opening.kind
        folder = Path(opening.folder)
        session = session_of(Location(kind, opening.target, folder, opening.attribute, opening.name))
    SERVED[:] = [session]
    return description(session, Path(opening.folder))


# -- making ------------------------------------------------------------------------------------------------------------


class HandedOver(InMemoryIOManager):
    """Keep values as long as a run; what was made elsewhere is read from the file that it came in."""

    def __init__(self, files: Mapping[AssetKey, File]) -> None:
        super().__init__()
        self.files = files

    def load_input(self, context: Any) -> object:
        """Return the value of an input.

        Raises:
            DagsterInvariantViolationError: when it can't be read in this environment.
        """
        key = context.asset_key if context.has_asset_key else None
        if key is None or key not in self.files:
            return super().load_input(context)
        value = read_file(self.files[key])
        if isinstance(value, Closed):
            raise DagsterInvariantViolationError(
                f"`{key.label}` can't be read in this code location: {value.why}",
                hint="hand over a data frame or plain data, or put the class into a module that both can import",
            )
        return value


def serve(said: str) -> None:
    """Make what is asked for, and tell what came of it."""
    reply(answered, decoded(Asked, said))


def reply(work: Callable[[Session, T], Answered], asked: T) -> None:
    """Do what is asked for, and tell what came of it, also where that is an error."""
    try:
        answer = work(SERVED[0], asked)
    except BaseException as error:  # also an interrupt: what asked for it knows
        answer = Answered(error=raised(error))
    tell("answered", answer)


def answered(session: Session, asked: Asked) -> Answered:
    """Make assets and checks, and return what came of it."""
    scanned = session.scan()
    files = {AssetKey.from_user_string(one.key): one for one in asked.inputs}
    keys = [AssetKey.from_user_string(one) for one in asked.keys]
    checks = [AssetCheckKey(AssetKey.from_user_string(key), name) for key, name in asked.checks]
    manager = HandedOver(files)
    instance = instance_with(asked.dynamic)
    instance.log.listen(hear)
    config = {"ops": {asked.name: {"config": asked.config}}} if asked.config is not None else {}
    done = materialize(
        concerned(scanned, keys, checks, files),
        {**config, **resource_config(scanned, asked)},
        instance,
        {"io_manager": manager, **scanned.resources, HANDED: manager},
        asked.partition,
        raise_on_error=False,
        selection=AssetSelection.assets(*keys).without_checks() | AssetSelection.checks(*checks),
    )
    return told(done, asked)


def instance_with(dynamic: Mapping[str, tuple[str, ...]]) -> DagsterInstance:
    """Return an instance of its own, with the keys of dynamic partitions."""
    instance = DagsterInstance.ephemeral()
    for name, known in dynamic.items():
        instance.add_dynamic_partitions(name, list(known))
    return instance


def resource_config(scanned: Scanned, asked: Asked) -> dict[str, Any]:
    """Return what the config of the job that runs says of resources."""
    if asked.job not in scanned.jobs:
        return {}
    job = scanned.as_definitions().resolve_job_def(asked.job)
    said = run_config_of(job, None, [asked.partition] if asked.partition is not None else [])
    return {"resources": said["resources"]} if "resources" in said else {}


def concerned(
    scanned: Scanned, keys: Iterable[AssetKey], checks: Iterable[AssetCheckKey], files: Mapping[AssetKey, File]
) -> list[Any]:
    """Return the definitions of what is to be made, and of what they read."""
    graph = scanned.graph
    making = {id(one): one for one in (*map(graph.maker, keys), *(graph.check_makers[check] for check in checks))}
    made = {key for one in making.values() for key in one.keys}
    read = {key for one in making.values() for key in one.dependency_keys} - made
    return [*making.values(), *(external(handed(graph.spec(key), key in files, scanned)) for key in sorted(read))]


def handed(spec: AssetSpec, is_file: bool, scanned: Scanned) -> AssetSpec:
    """Return an asset that is read, without what makes it: loaded from its file, or by the IO manager it has here."""
    maker = scanned.graph.makers[spec.key]
    own = maker.get_io_manager_key_for_asset_key(spec.key) if is_making(maker) else ""
    plain = AssetSpec(spec.key, partitions_def=spec.partitions_def)
    if own in scanned.resources or not is_file:
        return plain.with_io_manager_key(own) if own else plain
    return plain.with_io_manager_key(HANDED)


def hear(event: Event) -> None:
    """Tell what a step logged, or wrote to stderr; what it prints is heard as the kernel's own output."""
    if isinstance(event, Logged) and event.stream in ("stderr", "log"):
        tell("printed", Printed(event.stream, event.level, event.text))


def told(done: ExecuteInProcessResult, asked: Asked) -> Answered:
    """Return what came of a run as data; the values of its assets go into files."""
    for error in done.result.errors.values():
        return Answered(error=raised(error))
    events = done.result.events
    verdicts = tuple(
        Verdict(one.asset_key.label, one.check_name, one.passed, one.severity.name, one.description, dict(one.metadata))
        for one in (event.evaluation for event in events if isinstance(event, Checked))
    )
    made = tuple(made_of(event, done, asked) for event in events if isinstance(event, Materialized))
    return Answered(made, verdicts)


def made_of(event: Materialized, done: ExecuteInProcessResult, asked: Asked) -> Made:
    """Return what was made of an asset."""
    values, place = done.result.values, done.output_keys.get(event.key)
    file = None
    if place in values:
        file = write_file(values[place], event.key.label, Path(asked.folder), tables=asked.tables)
    said = event.data_version if event.said else None
    return Made(event.key.label, file, dict(event.materialization.metadata), said)


# -- jobs, schedules and sensors ---------------------------------------------------------------------------------------


def launch(said: str) -> None:
    """Run a job of ops, and tell what came of it."""
    reply(launched, decoded(Launched, said))


def launched(session: Session, asked: Launched) -> Answered:
    """Run a job of ops, and return what came of it; values stay here."""
    job = session.scan().as_definitions().resolve_job_def(asked.job)
    instance, reports = instance_with(asked.dynamic), list[str]()
    instance.log.listen(lambda event: follow(event, reports))
    done = job.execute_in_process(
        asked.config or None, instance, asked.partition, raise_on_error=False, tags=dict(asked.tags)
    )
    for error in done.result.errors.values():
        return Answered(error=raised(error), reports=tuple(reports))
    return Answered(reports=tuple(reports))


def follow(event: Event, reports: list[str]) -> None:
    """Tell what an op printed or logged, and how it ended; keep what it told of assets."""
    match event:
        case StepSucceeded():
            tell("printed", Printed("log", "info", f"`{event.step}` done in {human_seconds(event.seconds)}"))
        case StepFailed():
            tell("printed", Printed("log", "error", redact(f"`{event.step}` failed: {event.error}")))
        case StepRetrying():
            tell("printed", Printed("log", "warning", redact(f"`{event.step}` is tried again: {event.error}")))
        case Materialized():
            reports.append(serialize_value(event.materialization))
        case Observed():
            reports.append(serialize_value(event.observation))
        case _:
            hear(event)


def configure(said: str) -> None:
    """Tell the run config that a job has for a partition."""
    asked = decoded(Launched, said)
    try:
        job = SERVED[0].scan().as_definitions().resolve_job_def(asked.job)
        with partition_loading_context(dynamic_partitions_store=instance_with(asked.dynamic)):
            answer = Answered(config=run_config_of(job, None, [asked.partition] if asked.partition else []))
    except BaseException as error:  # also an interrupt: what asked for it knows
        answer = Answered(error=raised(error))
    tell("answered", answer)


def tick(said: str) -> None:
    """Tell what a schedule or sensor wants to run."""
    asked = decoded(TickAsked, said)
    try:
        answer = ticked(SERVED[0], asked)
    except BaseException as error:  # also an interrupt: what asked for it knows
        answer = TickTold(error=raised(error))
    tell("ticked", answer)


# -- errors ------------------------------------------------------------------------------------------------------------


def raised(error: BaseException) -> Raised:
    """Return an exception as data, without secrets."""
    kind, shown = type(error), frames(error)
    if isinstance(error, DagsterError):
        where, hint = redact(error.where), redact(error.hint)
        return Raised(kind.__name__, kind.__module__, redact(error.message), shown, where, hint)
    return Raised(kind.__name__, kind.__module__, redact(str(error)), shown)


def frames(error: BaseException) -> str:
    """Return the user's frames, "" where there are none; cells go by the names that Jupyter shows."""
    found = [one for one in traceback.extract_tb(error.__traceback__) if is_users(one.filename)]
    text = "".join(traceback.format_list(found)).replace(f'File "{Path.cwd()}{os.sep}', 'File "')
    cells = SERVED[0].book.cells.values() if SERVED else ()
    for cell in cells:
        text = text.replace(f'File "{cell.filename}"', cell.label) if cell.filename else text
    return redact(text)
