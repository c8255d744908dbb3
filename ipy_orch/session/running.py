"""Running a plan with what the session has: its log, its values, its resources; and what is told about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.events.chunks import Chunk
from ipy_orch.execution.capture import current_sink
from ipy_orch.execution.console import cell_of, stream_of, text_of
from ipy_orch.execution.engine import RunResult, World, run
from ipy_orch.execution.workers.lanes import Place
from ipy_orch.execution.workers.places import place_of_job, says_where
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.definition import PARTITION_TAG
from ipy_orch.planning.config import Resolved
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.session.executors import Clients, asked, place_of, places_apart
from ipy_orch.session.names import is_bound
from ipy_orch.session.partitions.holding import held
from ipy_orch.session.refusals import hints_of_notebooks, surprises
from ipy_orch.session.report import Report, report
from ipy_orch.session.scan import Scanned
from ipy_orch.session.submitting import Cancel, Submitted, context_of, executor_in_cells, submitted

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Running", "refuse_nested"]


class Running:
    """Run the plans of a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.clients = Clients()

    def execute(
        self, scanned: Scanned, planned: Plan, config: Resolved, workers: int, tags: Mapping[str, str] | None = None
    ) -> Report:
        """Run a plan, put the new values into the namespace, and report.

        Args:
            tags: of the run.
        """
        session, result = self.session, None
        shown = [key for key in planned.request.keys if is_bound(key, scanned)]
        while session.persistence.has_lost(planned, shown):
            planned = session.planning.planned(scanned, planned.request, config)
        try:
            if planned.steps:
                with hints_of_notebooks(is_notebook=bool(session.book.cells)):
                    result = self.run(scanned, planned, config, workers, tags=tags or tags_of(planned))
        finally:
            session.names.bind(scanned, planned)
        notices = [
            *map(str, session.behind(planned, scanned)),
            *session.persistence.take_notes(),
            *session.names.hidden(scanned, planned),
            *surprises(scanned, planned),
        ]
        return report(planned, result, scanned.graph, session.ledger, notices, session.environments.label)

    def run(self, scanned: Scanned, planned: Plan, config: Resolved, workers: int, **more: Any) -> RunResult:
        """Run a plan with what the session has.

        Args:
            more: fields of its World that a job says.
        """
        session, label = self.session, self.session.environments.label
        session.refuse_misspelt(scanned)
        one = submitted()
        session.cancelled = one.cancelled if one is not None else Cancel()
        live = self.liveness(scanned, one)

        def show(step: Step, chunks: Iterable[Chunk]) -> None:
            context = context_of(step.definition, scanned.cells) if one is not None else None
            if live(step):
                told = [chunk for chunk in chunks if chunk.kind != "log" or not config.given.get("loggers")]
                (context or copy_context()).copy().run(retell, told)

        with self.places(scanned, planned, config, workers, more.get("job")) as (here, apart):
            world = World(
                log=session.log,
                ledger=session.ledger,
                config=config,
                executor=here.executor,
                workers=here.slots,
                apart=apart,
                makers=scanned.graph.makers,
                tee=live,
                show=show,
                on_step=session.around_step,
                cancel=session.cancelled,
                instance=session.instance,
                console=cell_of,
                tags={**more.pop("tags", {}), **({"environment": label} if label else {})},
                **{"resources": {"io_manager": session.store, **scanned.resources}, **more},
            )
            inline = next((place.executor for place in apart.values() if place.is_inline), here.executor)
            holding = held(planned, session.store, session.log)
            with holding, session.cancelled.stopping(inline), session.instance.looking():
                return run(planned, world)

    @contextmanager
    def places(
        self, scanned: Scanned, planned: Plan, config: Resolved, workers: int, job: JobDefinition | None
    ) -> Iterator[tuple[Place, dict[str, Place]]]:
        """Yield where the steps of a run run, and which of them elsewhere; what is made for the run ends with it.

        A step's own place counts most; then what is said for the run, what its job says, the settings.

        Raises:
            DagsterUnmetExecutorRequirementsError: for a place that isn't there.
        """
        session, one, said = self.session, submitted(), asked()
        with ExitStack() as opened:

            def open_place(place: Place) -> Place:
                opened.callback(place.executor.shutdown, wait=False, cancel_futures=True)
                return place

            def named(name: Any) -> Place:
                return open_place(place_of(name, workers, session.namespace, self.clients))

            of_job = None
            if not said and job is not None and says_where(job, config.given):
                of_job = opened.enter_context(place_of_job(job, config.given, session.instance))
                workers = 1 if of_job is None else workers
            else:
                said = said or session.settings.executor
            if one is not None and not said and of_job is None:
                here = open_place(Place(executor_in_cells(workers, scanned.cells), workers))
            else:
                here = of_job or named(said)
            yield here, places_apart(planned, here, lambda name: here if name == said else named(name))

    def liveness(self, scanned: Scanned, one: Submitted | None) -> Callable[[Step], bool]:
        """Return what tells whether a step's output appears while it runs: in the cell that asks, or the asset's own.

        An op has no cell to show it in: what it prints stands below the cell that launches.
        """
        shown = self.session.foreground
        if one is not None:
            return lambda step: context_of(step.definition, scanned.cells) is not None
        if not shown:
            return lambda step: step.definition is None
        return lambda step: step.definition is None or not shown.isdisjoint(made_with(step, step.definition))

    def told(self, report: Report) -> Report:
        """Have the cells of the assets that a submitted run made show what came of it."""
        if self.session.on_report is not None:
            self.session.on_report(report)
        return report


def retell(chunks: Iterable[Chunk]) -> None:
    """Print what a step printed, warned and logged in another process."""
    for chunk in chunks:
        if text := text_of(chunk):
            getattr(sys, stream_of(chunk)).write(text)


def made_with(step: Step, definition: AssetsDefinition) -> Iterable[AssetKey | AssetCheckKey]:
    """Return the assets and checks that a step makes; an op of a graph makes them with its others."""
    return (*definition.keys, *definition.check_keys) if step.scope else (*step.keys, *step.checks)


def tags_of(planned: Plan) -> Mapping[str, str]:
    """Return the tags of a run of one partition: which it is."""
    asked = {one for partitions in planned.request.of_asset.values() for one in partitions}
    return {PARTITION_TAG: asked.pop()} if len(asked) == 1 else {}


def refuse_nested() -> None:
    """Refuse to materialize from inside an asset.

    Raises:
        DagsterInvariantViolationError: then.
    """
    if current_sink() is not None:
        raise DagsterInvariantViolationError(
            "an asset can't materialize others while it runs",
            hint="read the other asset by its name: it becomes an input",
        )
