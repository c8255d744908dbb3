"""What the kernel remembers, and the verbs. Each verb scans, asks a lower floor, and tells the log.

Magics, the widget, the JupyterLab commands and the shell call these methods and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Runs
from ipy_orch.events.types import Forgotten
from ipy_orch.execution.capture import current_sink
from ipy_orch.execution.engine import RunResult, World, run
from ipy_orch.execution.executors import executor_for
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.port import Port
from ipy_orch.planning.config import Resolved, resolve_run_config
from ipy_orch.planning.graph import ancestors
from ipy_orch.planning.plan import Knowledge, Plan, Request, Step, plan, statuses
from ipy_orch.planning.selection import AssetSelection
from ipy_orch.planning.staleness import Status
from ipy_orch.session import rows
from ipy_orch.session.cellbook import Behind, CellBook
from ipy_orch.session.names import Names
from ipy_orch.session.recipes import FileDigests, Recipes
from ipy_orch.session.report import Report, report
from ipy_orch.session.scan import Scan, Scanned
from ipy_orch.session.settings import Settings
from ipy_orch.session.why import Why, explain

__all__ = ["Session"]

table: Port[..., Any] = Port("ipy_orch.ui.verbs")
picture: Port[..., Any] = Port("ipy_orch.ui.verbs")
write: Port[..., Any] = Port("ipy_orch.export.module")


class Session:
    """Hold a namespace, its cell book, the log and the values; the verbs are its methods.

    Args:
        namespace: the notebook's variables.
        settings: what a person has set.
    """

    def __init__(self, namespace: dict[str, Any] | None = None, settings: Settings | None = None) -> None:
        self.namespace = namespace if namespace is not None else {}
        self.settings = settings or Settings()
        self.book = CellBook()
        self.log = EventLog()
        self.ledger, self.history = Ledger(), Runs()
        self.log.listen(self.ledger.apply)
        self.log.listen(self.history.apply)
        self.store = SessionIOManager(self.settings.cache_bytes or None)
        self.names = Names(self.namespace, self.store, self.ledger)
        self.scanner = Scan(self.namespace, self.book)
        self.files = FileDigests()
        self.run_config: dict[str, Any] = {}
        self.lock = threading.RLock()
        self.cancelled = threading.Event()
        self.around_step: Callable[[Step], AbstractContextManager[Any]] | None = None
        self.foreground: frozenset[Any] = frozenset()

    # -- what there is ------------------------------------------------------------------------------------------------

    def scan(self) -> Scanned:
        """Return what namespace and cells define now; variables of assets that are gone go with them."""
        scanned = self.scanner()
        self.names.prune(scanned)
        return scanned

    def definitions(self) -> Definitions:
        """Return what namespace and cells define now, as one Definitions."""
        return self.scan().as_definitions()

    def resolve(self, scanned: Scanned, selection: Any) -> frozenset[AssetKey]:
        """Return the assets of a selection; None selects all that can be made.

        Raises:
            DagsterInvalidSubsetError: for a name that nothing has, with the closest one.
        """
        if selection is None:
            refuse_broken(scanned, scanned.broken)
            return frozenset(scanned.graph.materializable_keys)
        chosen = AssetSelection.from_coercible(selection)
        refuse_broken(scanned, [key for key in getattr(chosen, "selected_keys", ()) if key in scanned.broken])
        return frozenset(chosen.resolve(scanned.graph))

    def key(self, name: Any, scanned: Scanned) -> AssetKey:
        """Return the asset of a name.

        Raises:
            DagsterInvariantViolationError: when there's none, with the closest one.
        """
        key = AssetKey.from_user_string(name) if isinstance(name, str) else AssetKey.from_coercible_or_definition(name)
        refuse_broken(scanned, [key])
        if key not in scanned.graph.upstream:
            hint = closest(str(key), map(str, scanned.graph.keys)) or "`%assets` lists them"
            raise DagsterInvariantViolationError(f"there is no asset `{key}`", hint=hint)
        return key

    # -- planning -----------------------------------------------------------------------------------------------------

    def plan(
        self, selection: Any = None, *, force: bool = False, config: Mapping[str, Any] | None = None, what: str = ""
    ) -> Plan:
        """Return what :meth:`materialize` would run, and why. Reads only: nothing is run."""
        scanned = self.scan()
        return self.planned(scanned, self.request(scanned, selection, force, what), self.configured(scanned, config))

    def request(self, scanned: Scanned, selection: Any, force: bool, what: str) -> Request:
        """Return a request for a selection."""
        keys = self.resolve(scanned, selection)
        return Request(keys, force=keys if force else frozenset(), what=what or str(selection or "all"))

    def planned(self, scanned: Scanned, request: Request, config: Resolved | None) -> Plan:
        """Return the plan of a request."""
        refuse_unknown_inputs(scanned, request.keys)
        return plan(scanned.graph, self.ledger, request, self.knowledge(scanned, config))

    def knowledge(self, scanned: Scanned, config: Resolved | None) -> Knowledge:
        """Return what the planner can't know by itself."""
        bound = self.names.values_of_assets(scanned)
        recipes = Recipes(scanned, config, self.files, bound, self.settings.pins)
        return Knowledge(recipes, lambda key, partition, version: self.is_kept(scanned, key, partition, version))

    def is_kept(self, scanned: Scanned, key: AssetKey, partition: str | None, version: str) -> bool:
        """Tell whether a value can be loaded; an IO manager of the user's keeps what it was given."""
        maker = scanned.graph.makers[key]
        manager = maker.get_io_manager_key_for_asset_key(key)
        nothing = maker.is_executable and maker.op.outs[maker.output_of[key]].is_nothing
        ours = manager == "io_manager" and manager not in scanned.resources
        return nothing or not ours or self.store.has(key, partition, version)

    def configured(
        self, scanned: Scanned, config: Mapping[str, Any] | None = None, needed: Iterable[str] = ()
    ) -> Resolved:
        """Return the validated run config: what was given before, and ``config`` over it.

        Args:
            needed: the ops that will run: all that they require must be there.

        Raises:
            DagsterInvalidConfigError: with the path of each field.
        """
        given = merged(self.run_config, config or {})
        ops = {one.op.name: one.op.config_type for one in scanned.definitions if one.is_executable}
        taking = {name: kind for name, kind in ops.items() if kind is not None}
        wanted = [name for name in needed if name in taking]
        return resolve_run_config(given, taking, scanned.resources, needed=wanted)

    def statuses(self, scanned: Scanned) -> dict[AssetKey, Status]:
        """Return how each asset stands. Reads only: nothing is run."""
        try:
            config = self.configured(scanned)
        except DagsterError:
            config = None
        return statuses(scanned.graph, self.ledger, self.knowledge(scanned, config))

    # -- running ------------------------------------------------------------------------------------------------------

    def materialize(
        self,
        selection: Any = None,
        *,
        force: bool = False,
        config: Mapping[str, Any] | None = None,
        workers: int | None = None,
        what: str = "",
    ) -> Report:
        """Bring assets up to date: those selected and, first, their missing and stale ancestors.

        Args:
            selection: names, a selection string or an AssetSelection; None for all.
            force: run what is selected although it is fresh; what is downstream of it counts as stale then.
            config: run config, e.g. ``{"ops": {"orders": {"config": {"limit": 10}}}}``; it stays set for the session.
            workers: how many steps run at once.

        Returns:
            A Report; the exceptions of the user's code are in it.

        Raises:
            KeyboardInterrupt: when interrupted; nothing half done is stored.
            DagsterError: when the request itself can't be met.
        """
        self.refuse_nested()
        with self.lock:
            scanned = self.scan()
            resolved = self.configured(scanned, config)
            planned = self.planned(scanned, self.request(scanned, selection, force, what), resolved)
            resolved = self.configured(scanned, config, [step.definition.op.name for step in planned.steps])
            self.run_config = merged(self.run_config, config or {})
            return self.execute(scanned, planned, resolved, workers or self.settings.workers)

    def check(self, selection: Any = None, *, workers: int | None = None) -> Report:
        """Run the checks of assets again, and before that what they need."""
        self.refuse_nested()
        with self.lock:
            scanned = self.scan()
            keys = self.resolve(scanned, selection)
            checks = frozenset(check for check in scanned.graph.checks if check.asset_key in keys)
            resolved = self.configured(scanned)
            request = Request(keys, checks, what=f"checks of {selection or 'all'}")
            return self.execute(
                scanned, self.planned(scanned, request, resolved), resolved, workers or self.settings.workers
            )

    def execute(self, scanned: Scanned, planned: Plan, config: Resolved, workers: int) -> Report:
        """Run a plan, put the new values into the namespace, and report."""
        result: RunResult | None = None
        try:
            if planned.steps:
                result = self.run(scanned, planned, config, workers)
        finally:
            self.names.bind(scanned, planned)
        notices = [*map(str, self.behind(planned)), *self.names.hidden(scanned, planned), *surprises(scanned, planned)]
        return report(planned, result, scanned.graph, self.ledger, notices)

    def run(self, scanned: Scanned, planned: Plan, config: Resolved, workers: int) -> RunResult:
        """Run a plan with what the session has."""
        self.cancelled = threading.Event()
        executor = executor_for(workers)
        world = World(
            log=self.log,
            ledger=self.ledger,
            resources={"io_manager": self.store, **scanned.resources},
            config=config,
            executor=executor,
            workers=workers,
            makers=scanned.graph.makers,
            tee=lambda step: bool(self.foreground.intersection((*step.keys, *step.checks))),
            on_step=self.around_step,
            cancel=self.cancelled,
        )
        for key in {key for step in planned.steps for key in (*step.inputs, *step.keys)}:
            self.store.pin(key, id(world))
        try:
            return run(planned, world)
        finally:
            self.store.release(id(world))
            executor.shutdown(wait=False, cancel_futures=True)

    def cancel(self) -> None:
        """End the run that is going on, from any thread."""
        self.cancelled.set()

    def refuse_nested(self) -> None:
        """Refuse to materialize from inside an asset.

        Raises:
            DagsterInvariantViolationError: then.
        """
        if current_sink() is not None:
            raise DagsterInvariantViolationError(
                "an asset can't materialize others while it runs",
                hint="read the other asset by its name: it becomes an input",
            )

    # -- values -------------------------------------------------------------------------------------------------------

    def value(self, name: Any, partition: str | None = None) -> Any:
        """Return the value of an asset, brought up to date first; never a stale one.

        Raises:
            DagsterInvariantViolationError: when there's no such asset.
            Exception: what its function raised.
        """
        scanned = self.scan()
        key = self.key(name, scanned)
        if scanned.graph.makers[key].is_materializable:
            done = self.materialize([key], what=f"value of {key}")
            for error in done.errors.values():
                raise error
        return self.load(scanned, key, partition)

    def load(self, scanned: Scanned, key: AssetKey, partition: str | None = None) -> Any:
        """Return a value that is kept, from the session or from its IO manager."""
        from ipy_orch.execution.load import load_value

        resources = {"io_manager": self.store, **scanned.resources}
        return load_value(key, scanned.graph.makers[key], resources, self.configured(scanned), partition)

    def open(self, name: Any) -> dict[str, Any]:
        """Return an asset's inputs, config and resources by name, as its function would get them.

        Raises:
            DagsterInvariantViolationError: when there's no such asset.
        """
        scanned = self.scan()
        key = self.key(name, scanned)
        maker = scanned.graph.makers[key]
        config = self.configured(scanned, needed=[maker.op.name])
        inputs = {
            argument: self.value(dep)
            for argument, dep in maker.keys_by_input_name.items()
            if not maker.op.ins[argument].is_nothing
        }
        call = maker.op.signature
        settings = {call.config: config.op_config(maker.op.name)} if call.config else {}
        resources = {name: scanned.resources[key] for name, key in call.resources.items()}
        return {**inputs, **settings, **resources}

    def forget(self, selection: Any) -> list[AssetKey]:
        """Drop the values of assets and all that is known of them; they count as never materialized."""
        scanned = self.scan()
        keys = sorted(self.resolve(scanned, selection))
        for key in keys:
            self.store.drop(key)
            self.names.unbind(key)
            self.log.append(Forgotten("", time.time(), "", key))
        return keys

    # -- explanations -------------------------------------------------------------------------------------------------

    def why(self, name: Any) -> Why:
        """Return what has changed since an asset's value was made. Reads only: nothing is run."""
        scanned = self.scan()
        key = self.key(name, scanned)
        knowledge = self.knowledge(scanned, self.configured(scanned))
        planned = plan(scanned.graph, self.ledger, Request(frozenset({key})), knowledge)
        told = statuses(scanned.graph, self.ledger, knowledge)
        return explain(key, scanned.graph, self.ledger, planned, told, knowledge, self.behind(planned))

    def behind(self, planned: Plan) -> list[Behind]:
        """Return the plain cells that are behind and on which what was asked for depends."""
        names: set[str] = set()
        for key in planned.looked_at:
            made = self.ledger.materialized.get((key, None))
            names |= {
                part.name.split(".")[0] for part in (made.recipe if made is not None else ()) if part.kind != "input"
            }
        return self.book.behind(sorted(names))

    def all_behind(self) -> list[Behind]:
        """Return all plain cells that are behind, whatever depends on them."""
        return self.book.behind(sorted(self.book.definers))

    # -- tables, pictures, export: the upper floors' ------------------------------------------------------------------

    def assets(self) -> Any:
        """Return a DataFrame with a row per asset: status, reason, group, kinds, size, duration, when."""
        scanned = self.scan()
        return table("assets", rows.assets(scanned, self.statuses(scanned), self.ledger))

    def checks(self) -> Any:
        """Return a DataFrame with a row per check: verdict, severity, metadata, when."""
        scanned = self.scan()
        return table("checks", rows.checks(scanned, self.ledger))

    def runs(self) -> Any:
        """Return a DataFrame with a row per run: status, what, steps, duration, when."""
        return table("runs", list(reversed(self.history.runs.values())))

    def events(self, run_id: str | None = None) -> Any:
        """Return a DataFrame with a row per event, of one run or of all that are kept."""
        return table("events", rows.events(self.log, run_id))

    def lineage(self, selection: Any = None) -> Any:
        """Return a picture of the lineage with the status of each asset."""
        scanned = self.scan()
        keys = self.resolve(scanned, selection) if selection is not None else frozenset(scanned.graph.keys)
        return picture(scanned.graph, self.statuses(scanned), rows.verdicts(self.ledger), keys)

    def export(self, path: Any, *, target: str = "ipy_orch", force: bool = False) -> Any:
        """Write the notebook as a definitions module, for ipy_orch or for dagster; return its path.

        Args:
            force: overwrite a file that isn't an export.
        """
        scanned = self.scan()
        refuse_broken(scanned, scanned.broken)
        order = list(self.book.places)
        return write(path, scanned, self.book, self.namespace, target=target, order=order, force=force)


def surprises(scanned: Scanned, planned: Plan) -> list[str]:
    """Return what a person may not expect of the values of the cells that were asked for."""
    makers = [scanned.graph.makers[key] for key in scanned.graph.in_order(planned.request.keys)]
    sources = [scanned.cells[maker].source for maker in makers if maker in scanned.cells]
    return [source.surprise for source in sources if source is not None and source.kind == "asset" and source.surprise]


def refuse_broken(scanned: Scanned, keys: Iterable[AssetKey]) -> None:
    """Raise what is wrong with the first of these assets whose cell can't be a definition now."""
    for key in keys:
        if key in scanned.broken:
            raise scanned.broken[key]


def refuse_unknown_inputs(scanned: Scanned, keys: Iterable[AssetKey]) -> None:
    """Refuse to plan what reads an asset that nothing defines, or one whose cell is wrong.

    Raises:
        DagsterInvalidDefinitionError: naming the reader, its cell, and the closest asset.
    """
    graph = scanned.graph
    concerned = ancestors(graph.upstream, keys)
    refuse_broken(scanned, graph.in_order(concerned))
    known = {key for one in scanned.definitions for key in one.keys}
    for key in concerned:
        maker = graph.makers[key]
        for argument, dep in maker.keys_by_input_name.items():
            if (
                dep not in known
                and not maker.op.ins[argument].is_nothing
                and not maker.op.ins[argument].has_default_value
            ):
                hint = closest(str(dep), map(str, known)) or f"`%%asset {dep}` in a cell above"
                where = maker.origin or rows.cell_label(scanned, maker)
                raise DagsterInvalidDefinitionError(
                    f"`{key}` reads `{dep}`, which nothing defines", where=where, hint=hint
                )


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested mappings merged, the second over the first.

    >>> merged({"ops": {"a": 1}}, {"ops": {"b": 2}})
    {'ops': {'a': 1, 'b': 2}}
    """
    both = {
        key: merged(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in over.items()
    }
    return {**base, **both}
