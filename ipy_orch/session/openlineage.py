"""Runs told to an OpenLineage server, or a file, as they happen.

A run is a job `NAMESPACE.session`, each of its steps a job below it; assets are datasets, with their columns, what each
column comes from, their size, and the verdicts of their checks. The events that are told are the session's own, so
what is hidden there is hidden here.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import (
    Checked,
    Event,
    Materialized,
    RunFinished,
    RunStarted,
    StepFailed,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.model.env import redact
from ipy_orch.model.metadata.tables import TableColumnLineageMetadataValue, TableSchemaMetadataValue

__all__ = ["Emitter", "Telling"]

LOG: Final = logging.getLogger("ipy_orch")
PRODUCER: Final = "urn:ipy-orch"
CONFIGURED: Final = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT__TYPE")
PATIENCE: Final = 5.0  # seconds that the end of the kernel waits for what isn't told yet
ENDS: Final = {"success": "COMPLETE", "failure": "FAIL", "canceled": "ABORT"}


def is_configured(said: str) -> bool:
    """Tell whether runs are to be told: by the setting, or by the variables that OpenLineage's client reads."""
    return bool(said) or any(os.environ.get(name) for name in CONFIGURED)


def client_for(said: str) -> Any:
    """Return the client: of a URL, of a file to append to, or for "" and ``on`` as its own configuration says.

    Raises:
        DagsterInvariantViolationError: when its library isn't installed, or it can't be made.
    """
    if find_spec("openlineage") is None:
        hint = "pip install 'ipy-orch[openlineage]'"
        raise DagsterInvariantViolationError("`openlineage-python` is not installed", hint=hint)
    made = import_module("openlineage.client").OpenLineageClient
    try:
        return made(config={"transport": transport}) if (transport := transport_of(said)) else made()
    except Exception as error:
        told = f"OpenLineage's client can't be made: {type(error).__name__}: {redact(str(error))}"
        raise DagsterInvariantViolationError(
            told, hint='`%config Orch.openlineage = "http://localhost:5000"`'
        ) from None


def transport_of(said: str) -> dict[str, Any]:
    """Return the configuration that a setting stands for, {} for none.

    >>> transport_of("http://localhost:5000")
    {'type': 'http', 'url': 'http://localhost:5000'}
    """
    if said in ("", "on"):
        return {}
    if "://" in said:
        return {"type": "http", "url": said}
    return {"type": "file", "log_file_path": str(Path(said).expanduser()), "append": True}


class Telling:
    """Tell what a session does, where that is configured.

    Args:
        log: the session's.
        store: its values, for the columns of those that are kept.
    """

    def __init__(self, log: EventLog, store: SessionIOManager) -> None:
        self.log, self.store = log, store
        self.emitter: Emitter | None = None
        self.unlisten: Callable[[], None] = lambda: None

    def use(self, said: str) -> str:
        """Tell runs to what a setting, or the environment, says from now on; return why that can't be, or ""."""
        self.close()
        if not is_configured(said):
            return ""
        try:
            self.emitter = Emitter(client_for(said), self.columns)
        except DagsterInvariantViolationError as error:
            return str(error)
        self.unlisten = self.log.listen(self.emitter)
        return ""

    def close(self) -> None:
        """Tell nothing more."""
        self.unlisten()
        if self.emitter is not None:
            self.emitter.close()
        self.emitter = None

    def columns(self, key: Any, partition: str | None) -> Mapping[str, str]:
        """Return the columns of a value that the session keeps, name -> type; of no frame, none."""
        entry = self.store.entry(key, partition)
        value: Any = entry.sealed.private if entry is not None else None
        schema: Any = getattr(value, "schema", None)
        try:
            if hasattr(value, "dtypes") and hasattr(value, "columns"):
                return dict(zip(map(str, value.columns), map(str, value.dtypes), strict=True))
            return dict(zip(schema.names, map(str, schema.types), strict=True)) if hasattr(schema, "types") else {}
        except Exception:
            return {}  # an object that has such attributes and is no frame


class Emitter:
    """Tell events of a session to OpenLineage, on a thread of its own; a server that is away holds nothing up.

    Args:
        client: an ``OpenLineageClient``.
        columns: asset and partition -> the columns of its value, name -> type, as far as they are known.
        namespace: of jobs and datasets.
    """

    def __init__(
        self, client: Any, columns: Callable[[Any, str | None], Mapping[str, str]], namespace: str = ""
    ) -> None:
        self.client, self.columns = client, columns
        self.namespace = namespace or os.environ.get("OPENLINEAGE_NAMESPACE") or "ipy_orch"
        self.model = import_module("openlineage.client.event_v2")
        self.facets = import_module("openlineage.client.facet_v2")
        self.made: dict[tuple[str, str], list[Event]] = {}
        self.names: dict[str, str] = {}
        self.waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.troubles: set[str] = set()
        self.thread = threading.Thread(target=self.emit_all, name="ipy_orch openlineage", daemon=True)
        self.thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Tell what isn't told yet, for some seconds, and stop."""
        atexit.unregister(self.close)
        self.waiting.put(None)
        self.thread.join(PATIENCE)

    def emit_all(self) -> None:
        """Tell events as they come; of each kind of trouble only the first is logged."""
        while (event := self.waiting.get()) is not None:
            try:
                self.take(event)
            except Exception as error:
                told = f"{type(error).__name__}: {redact(str(error))}"
                if type(error).__name__ not in self.troubles:
                    self.troubles.add(type(error).__name__)
                    LOG.warning("OpenLineage isn't told of this run: %s", told)

    # -- the session's events -----------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> None:
        """Have an event told, later and elsewhere: no run waits for that, nor fails of it."""
        self.waiting.put(event)

    def take(self, event: Event) -> None:
        """Tell one event."""
        if isinstance(event, RunStarted):
            self.names[event.run_id] = event.tags.get("dagster/job_name", "session")
            self.tell_run("START", event)
        elif isinstance(event, RunFinished):
            self.tell_run(ENDS.get(event.status, "OTHER"), event)
            self.names.pop(event.run_id, None)
        elif isinstance(event, StepStarted):
            self.tell_step("START", event)
        elif isinstance(event, Materialized | Checked):
            self.made.setdefault((event.run_id, event.step), []).append(event)
        elif isinstance(event, StepSucceeded):
            self.tell_step("COMPLETE", event)
        elif isinstance(event, StepFailed):
            self.tell_step("FAIL", event, event.error)

    def tell_run(self, state: str, event: Event) -> None:
        """Tell that a run began or ended."""
        job = self.model.Job(self.namespace, self.names.get(event.run_id, "session"))
        self.tell(state, event, self.model.Run(str(UUID(event.run_id))), job)

    def tell_step(self, state: str, event: Event, error: str = "") -> None:
        """Tell that a step began or ended, at its end with what it read and made."""
        whole, name = UUID(event.run_id), self.names.get(event.run_id, "session")
        parent, facets = self.facets.parent_run, {}
        above = parent.ParentRunFacet(parent.Run(str(whole)), parent.Job(self.namespace, name))
        if error:
            facets["errorMessage"] = self.facets.error_message_run.ErrorMessageRunFacet(error, "PYTHON")
        run = self.model.Run(str(uuid5(whole, event.step)), {"parent": above, **facets})
        made = [] if state == "START" else self.made.pop((event.run_id, event.step), [])
        job = self.model.Job(self.namespace, f"{name}.{event.step}")
        self.tell(state, event, run, job, self.inputs(made), self.outputs(made))

    def tell(self, state: str, event: Event, run: Any, job: Any, inputs: Any = (), outputs: Any = ()) -> None:
        """Send an event."""
        at = datetime.fromtimestamp(event.at, UTC).isoformat()
        kind = self.model.RunState[state]
        more = {"inputs": list(inputs), "outputs": list(outputs)}
        self.client.emit(self.model.RunEvent(eventType=kind, eventTime=at, run=run, job=job, producer=PRODUCER, **more))

    # -- datasets -----------------------------------------------------------------------------------------------------

    def inputs(self, made: list[Event]) -> Iterator[Any]:
        """Yield the assets that a step read."""
        parts = (part for event in made if isinstance(event, Materialized | Checked) for part in event.recipe)
        for name in dict.fromkeys(part.name for part in parts if part.kind == "input"):
            yield self.model.InputDataset(self.namespace, name)

    def outputs(self, made: list[Event]) -> Iterator[Any]:
        """Yield the assets that a step made, or checked, with what is known of them."""
        checked: dict[str, list[Checked]] = {}
        for event in made:
            if isinstance(event, Checked):
                checked.setdefault(event.evaluation.asset_key.label, []).append(event)
        for event in made:
            if isinstance(event, Materialized):
                yield self.output(event, checked.pop(event.key.label, []))
        for name, verdicts in checked.items():
            yield self.model.OutputDataset(self.namespace, name, facets=self.assertions(verdicts))

    def output(self, event: Materialized, verdicts: list[Checked]) -> Any:
        """Return an asset that a step made."""
        statistics = self.facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=event.shape[0] if event.shape else None, size=event.nbytes or None
        )
        version = self.facets.dataset_version_dataset.DatasetVersionDatasetFacet(event.data_version)
        facets = {"version": version, **self.described(event), **self.assertions(verdicts)}
        measured = {"outputStatistics": statistics}
        return self.model.OutputDataset(self.namespace, event.key.label, measured, facets=facets)

    def described(self, event: Materialized) -> dict[str, Any]:
        """Return the facets of an asset's columns: what they are, and what they come from."""
        found: dict[str, Any] = {}
        schema, lineage = self.facets.schema_dataset, self.facets.column_lineage_dataset
        said = event.materialization.metadata.get("dagster/column_schema")
        if isinstance(said, TableSchemaMetadataValue):
            columns = [(one.name, one.type, one.description) for one in said.schema.columns]
        else:
            columns = [(name, kind, None) for name, kind in self.columns(event.key, event.partition).items()]
        if columns:
            fields = [schema.SchemaDatasetFacetFields(redact(str(name)), kind, text) for name, kind, text in columns]
            found["schema"] = schema.SchemaDatasetFacet(fields)
        if isinstance(
            traced := event.materialization.metadata.get("dagster/column_lineage"), TableColumnLineageMetadataValue
        ):
            found["columnLineage"] = lineage.ColumnLineageDatasetFacet(
                {
                    column: lineage.Fields(
                        [lineage.InputField(self.namespace, dep.asset_key.label, dep.column_name) for dep in deps]
                    )
                    for column, deps in traced.lineage.deps_by_column.items()
                }
            )
        return found

    def assertions(self, verdicts: list[Checked]) -> dict[str, Any]:
        """Return the facet of an asset's checks."""
        if not verdicts:
            return {}
        module = self.facets.data_quality_assertions_dataset
        given = [module.Assertion(one.evaluation.check_name, one.evaluation.passed) for one in verdicts]
        return {"dataQualityAssertions": module.DataQualityAssertionsDatasetFacet(given)}
