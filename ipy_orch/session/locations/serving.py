"""In the kernel of a code location: load its definitions, describe them, make what is asked for.

Called by the code that :mod:`ipy_orch.session.locations.process` sends; answers go back as display messages.
"""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError
from ipy_orch.events.types import Checked, Event, Logged, Materialized, Part
from ipy_orch.execution.iomanagers import InMemoryIOManager
from ipy_orch.execution.materialize import materialize
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.execution.records.results import ExecuteInProcessResult
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import OpDefinition
from ipy_orch.model.port import Port
from ipy_orch.model.serdes import serialize_value
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.locations.files import Closed, read_file, write_file
from ipy_orch.session.locations.process import VERSION
from ipy_orch.session.locations.wire import (
    MESSAGE,
    Answered,
    Asked,
    CheckTold,
    DefinitionTold,
    Described,
    File,
    InputTold,
    Made,
    Opening,
    Printed,
    Raised,
    SpecTold,
    Verdict,
    decoded,
    encoded,
)
from ipy_orch.session.modules import is_users, session_of
from ipy_orch.session.project import Location
from ipy_orch.session.recipes import values_of
from ipy_orch.session.scan import ENV, FILES, Scanned
from ipy_orch.session.session import Session

__all__ = ["notebook_session", "open_location", "prepare_notebook", "serve"]

HANDED: Final = "ipy_orch_handed_over"  #: the IO manager of assets that aren't made here
SERVED: Final[list[Session]] = []  #: the session of this kernel, when it is open

prepare_notebook: Port[[], None] = Port("ipy_orch.notebook.located")
notebook_session: Port[[], Session] = Port("ipy_orch.notebook.located")


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


def description(session: Session, folder: Path) -> Described:
    """Return what a session defines.

    Raises:
        DagsterInvalidDefinitionError: when its definitions contradict each other.
    """
    scanned = session.scan()
    _ = scanned.graph
    try:
        config = session.planning.configured(scanned)
    except DagsterError:
        config = None
    parts_of = session.planning.knowledge(scanned, config).parts
    making = [one for one in scanned.definitions if is_making(one)]
    made = {key for one in making for key in one.keys}
    others = [spec for one in scanned.definitions if not is_making(one) for spec in one.specs if spec.key not in made]
    notices = [f"`{key}` is left out: {error.message}" for key, error in scanned.broken.items()]
    return Described(
        platform.python_version(),
        VERSION,
        tuple(definition_told(one, [*parts_of(one)], folder) for one in making),
        tuple(spec_told(spec, folder) for spec in others),
        tuple(notices),
    )


def is_making(definition: AssetsDefinition) -> bool:
    """Tell whether a definition makes assets or checks."""
    return definition.is_executable and not definition.is_observable


def definition_told(one: AssetsDefinition, parts: Iterable[Part], folder: Path) -> DefinitionTold:
    """Return a definition as data."""
    mappings = {dep.asset_key: dep.partition_mapping for spec in one.specs for dep in spec.deps}
    return DefinitionTold(
        one.op.name,
        tuple(
            InputTold(name, str(key), one.op.ins[name].is_nothing, serialized(mappings.get(key)))
            for name, key in one.keys_by_input_name.items()
        ),
        {
            name: spec_told(one.specs_by_key[key], folder, is_nothing=one.op.outs[name].is_nothing)
            for name, key in one.keys_by_output_name.items()
        },
        {name: check_told(spec) for name, spec in one.check_specs_by_output_name.items()},
        one.can_subset,
        isinstance(one.op, OpDefinition) and one.op.config_type is not None,
        tuple(part for part in parts if part.kind != "source"),  # home looks at the files itself
    )


def spec_told(spec: AssetSpec, folder: Path, *, is_nothing: bool = False) -> SpecTold:
    """Return what is said of an asset as data; the files that it declares by their whole paths."""
    metadata = {name: value for name, value in spec.metadata.items() if name != ENV}
    if FILES in metadata:
        metadata[FILES] = [str(folder / path) for path in values_of(metadata[FILES])]
    return SpecTold(
        str(spec.key),
        tuple((str(dep.asset_key), serialized(dep.partition_mapping)) for dep in spec.deps),
        spec.description,
        "" if spec.group_name in (None, DEFAULT_GROUP) else str(spec.group_name),
        metadata,
        dict(spec.tags),
        tuple(spec.owners),
        spec.skippable,
        serialized(spec.partitions_def),
        condition_told(spec.automation_condition),
        is_nothing,
    )


def condition_told(condition: Any) -> str | None:
    """Return an automation condition as text; one with code of the user's can't be asked from home."""
    try:
        return serialized(condition)
    except DagsterError:
        return None


def check_told(spec: AssetCheckSpec) -> CheckTold:
    """Return what is said of a check as data."""
    deps = tuple(str(dep.asset_key) for dep in spec.additional_deps)
    cut = serialized(spec.partitions_def)
    return CheckTold(spec.name, str(spec.asset_key), spec.description, spec.blocking, dict(spec.metadata), deps, cut)


def serialized(value: Any) -> str | None:
    """Return partitions, or a mapping of them, as text."""
    return None if value is None else serialize_value(value)


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
                f"`{key}` can't be read in this code location: {value.why}",
                hint="hand over a data frame or plain data, or put the class into a module that both can import",
            )
        return value


def serve(said: str) -> None:
    """Make what is asked for, and tell what came of it."""
    asked = decoded(Asked, said)
    try:
        answer = answered(SERVED[0], asked)
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
    instance = DagsterInstance.ephemeral()
    for name, known in asked.dynamic.items():
        instance.add_dynamic_partitions(name, list(known))
    instance.log.listen(hear)
    done = materialize(
        concerned(scanned, keys, checks, files),
        {"ops": {asked.name: {"config": asked.config}}} if asked.config is not None else None,
        instance,
        {"io_manager": manager, **scanned.resources, HANDED: manager},
        asked.partition,
        raise_on_error=False,
        selection=AssetSelection.assets(*keys).without_checks() | AssetSelection.checks(*checks),
    )
    return told(done, asked)


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
    """Tell what a step printed or logged."""
    if isinstance(event, Logged) and event.stream in ("stdout", "stderr", "log"):
        tell("printed", Printed(event.stream, event.level, event.text))


def told(done: ExecuteInProcessResult, asked: Asked) -> Answered:
    """Return what came of a run as data; the values of its assets go into files."""
    for error in done.result.errors.values():
        return Answered(error=raised(error))
    events = done.result.events
    verdicts = tuple(
        Verdict(str(one.asset_key), one.check_name, one.passed, one.severity.name, one.description, dict(one.metadata))
        for one in (event.evaluation for event in events if isinstance(event, Checked))
    )
    made = tuple(made_of(event, done, asked) for event in events if isinstance(event, Materialized))
    return Answered(made, verdicts)


def made_of(event: Materialized, done: ExecuteInProcessResult, asked: Asked) -> Made:
    """Return what was made of an asset."""
    values, place = done.result.values, done.output_keys.get(event.key)
    file = None
    if place in values:
        file = write_file(values[place], str(event.key), Path(asked.folder), tables=asked.tables)
    said = event.data_version if event.said else None
    return Made(str(event.key), file, dict(event.materialization.metadata), said)


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
