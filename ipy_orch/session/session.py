"""What the kernel remembers, and the verbs. Each verb scans, asks a lower floor, and tells the log.

Magics, the widget, the JupyterLab commands and the shell call these methods and nothing else.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ipy_orch.errors import (
    DagsterError,
    DagsterInvalidConfigError,
    DagsterInvariantViolationError,
    StoreWarning,
    closest,
)
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Runs
from ipy_orch.events.types import Forgotten
from ipy_orch.execution.capture import current_sink
from ipy_orch.execution.engine import RunResult, World, run
from ipy_orch.execution.executors import executor_for
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.port import Port
from ipy_orch.planning.config import Resolved, resolve_run_config
from ipy_orch.planning.job_config import asset_tree, configurable
from ipy_orch.planning.plan import Knowledge, Plan, Request, Step, plan, statuses
from ipy_orch.planning.selection import AssetSelection
from ipy_orch.planning.staleness import Status
from ipy_orch.session import rows
from ipy_orch.session.cellbook import Behind, CellBook
from ipy_orch.session.config_schema import ConfigSchema, config_schema
from ipy_orch.session.defining import define_job
from ipy_orch.session.environments import Environments, cell_name
from ipy_orch.session.launched import JobReport, Launched, job_rows
from ipy_orch.session.launching import Asked, launch
from ipy_orch.session.names import Names, is_bound, is_elsewhere
from ipy_orch.session.recipes import FileDigests, Recipes
from ipy_orch.session.refusals import refuse_broken, refuse_unknown_inputs, surprises
from ipy_orch.session.report import Report, report
from ipy_orch.session.resources import resource_rows
from ipy_orch.session.run_config import Given, RunConfigText, merged, read_run_config
from ipy_orch.session.scan import Scan, Scanned
from ipy_orch.session.settings import Settings
from ipy_orch.session.store import Persistence
from ipy_orch.session.submitting import Cancel, Queue, Submitted, context_of, executor_in_cells, submitted
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
        self.persistence = Persistence(self.log, self.ledger, self.history, self.store)
        self.names = Names(self.namespace, self.store, self.ledger)
        self.environments = Environments(lambda name: name in self.book.gone)
        self.scanner = Scan(self.namespace, self.book, self.environments)
        self.files = FileDigests()
        self.run_config: dict[str, Any] = {}
        self.presets: dict[str, str] = {}
        self.launched: dict[str, Launched] = {}
        self.lock, self.scanning = threading.RLock(), threading.RLock()
        self.cancelled = Cancel()
        self.queue = Queue(self.lock)
        self.around_step: Callable[[Step], AbstractContextManager[Any]] | None = None
        self.on_report: Callable[[Report], None] | None = None
        self.foreground: frozenset[Any] = frozenset()
        if why := self.persistence.use(self.settings.store):
            warnings.warn(why, StoreWarning, stacklevel=2)

    # -- what there is ------------------------------------------------------------------------------------------------

    def scan(self) -> Scanned:
        """Return what namespace and cells define now; variables of assets that are gone go with them."""
        with self.scanning:  # a widget scans on a thread of its own
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
        self,
        selection: Any = None,
        *,
        force: bool = False,
        config: Given = None,
        env: str | None = None,
        what: str = "",
    ) -> Plan:
        """Return what :meth:`materialize` would run, and why. Reads only: nothing is run."""
        given = read_run_config(config)
        with self.within(env), located(given):
            scanned = self.scan()
            resolved = self.configured(scanned, given.data)
            return self.planned(scanned, self.request(scanned, selection, force, what), resolved)

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
        recipes = Recipes(scanned, config, self.files, bound, self.settings.pins, self.resource_token)
        return Knowledge(recipes, lambda key, partition, version: self.is_kept(scanned, key, partition, version))

    def resource_token(self, key: str) -> str:
        """Return how the cell of a resource came to make it."""
        return self.book.own_token(cell_name(self.environments.current) if key in self.environments.overlay else key)

    def is_kept(self, scanned: Scanned, key: AssetKey, partition: str | None, version: str) -> bool:
        """Tell whether a value can be loaded; an IO manager of the user's keeps what it was given."""
        if not scanned.resources and self.store.has(key, partition, version):
            return True
        maker = scanned.graph.makers[key]
        if maker.is_executable and maker.op.outs[maker.output_of[key]].is_nothing:
            return True
        if is_elsewhere(key, maker, scanned):
            manager = scanned.resources.get(maker.get_io_manager_key_for_asset_key(key))
            return not self.persistence.is_gone(manager, key, partition)
        return self.store.has(key, partition, version)

    def configured(
        self, scanned: Scanned, config: Mapping[str, Any] | None = None, needed: Iterable[str] = ()
    ) -> Resolved:
        """Return the validated run config: what was given before, and ``config`` over it.

        Args:
            needed: the ops that will run: all that they require must be there.

        Raises:
            DagsterInvalidConfigError: with the path of each field.
        """
        own = {"resources": self.environments.configs.get(self.environments.current, {})}
        given = merged(merged(self.run_config, own), config or {})
        taking = asset_tree(configurable(scanned.definitions))
        wanted = [place for place in needed if place.partition(".")[0] in taking] if taking else []
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
        config: Given = None,
        env: str | None = None,
        workers: int | None = None,
        what: str = "",
    ) -> Report:
        """Bring assets up to date: those selected and, first, their missing and stale ancestors.

        Args:
            selection: names, a selection string or an AssetSelection; None for all.
            force: run what is selected although it is fresh; what is downstream of it counts as stale then.
            config: run config, e.g. ``{"ops": {"orders": {"config": {"limit": 10}}}}``, as a mapping, YAML, or a file
                of it; it stays set for the session, that of resources for their environment.
            env: the environment for this run, see :meth:`environment`; by default the one in use.
            workers: how many steps run at once.

        Returns:
            A Report; the exceptions of the user's code are in it.

        Raises:
            KeyboardInterrupt: when interrupted; nothing half done is stored.
            DagsterError: when the request itself can't be met.
        """
        self.refuse_nested()
        given = read_run_config(config)
        with self.lock, self.within(env), located(given):
            scanned = self.scan()
            resolved = self.configured(scanned, given.data)
            planned = self.planned(scanned, self.request(scanned, selection, force, what), resolved)
            resolved = self.configured(scanned, given.data, (step.place for step in planned.every_step))
            self.keep(given.data)
            return self.execute(scanned, planned, resolved, workers or self.settings.workers)

    def keep(self, given: Mapping[str, Any]) -> None:
        """Keep run config for the session; that of resources is for those of the environment in use."""
        configs, current = self.environments.configs, self.environments.current
        configs[current] = merged(configs.get(current, {}), given.get("resources") or {})
        self.run_config = merged(self.run_config, {key: part for key, part in given.items() if key != "resources"})

    def check(self, selection: Any = None, *, env: str | None = None, workers: int | None = None) -> Report:
        """Run the checks of assets again, and before that what they need."""
        self.refuse_nested()
        with self.lock, self.within(env):
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
        shown = [key for key in planned.request.keys if is_bound(key, scanned)]
        while self.persistence.has_lost(planned, shown):
            planned = self.planned(scanned, planned.request, config)
        try:
            if planned.steps:
                result = self.run(scanned, planned, config, workers)
        finally:
            self.names.bind(scanned, planned)
        notices = [
            *map(str, self.behind(planned, scanned)),
            *self.persistence.take_notes(),
            *self.names.hidden(scanned, planned),
            *surprises(scanned, planned),
        ]
        return report(planned, result, scanned.graph, self.ledger, notices, self.environments.label)

    def run(self, scanned: Scanned, planned: Plan, config: Resolved, workers: int, **more: Any) -> RunResult:
        """Run a plan with what the session has.

        Args:
            more: fields of its World that a job says.
        """
        self.refuse_misspelt(scanned)
        one = submitted()
        self.cancelled = one.cancelled if one is not None else Cancel()
        executor = executor_for(workers) if one is None else executor_in_cells(workers, scanned.cells)
        world = World(
            log=self.log,
            ledger=self.ledger,
            config=config,
            executor=executor,
            workers=workers,
            makers=scanned.graph.makers,
            tee=lambda step: self.appears_live(step, scanned),
            on_step=self.around_step,
            cancel=self.cancelled,
            tags={**more.pop("tags", {}), **({"environment": label} if (label := self.environments.label) else {})},
            **{"resources": {"io_manager": self.store, **scanned.resources}, **more},
        )
        for key in {key for step in planned.steps for key in (*step.inputs, *step.keys)}:
            self.store.pin(key, id(world), loosely=True)
        try:
            with self.cancelled.stopping(executor):
                return run(planned, world)
        finally:
            self.store.release(id(world))
            executor.shutdown(wait=False, cancel_futures=True)

    def appears_live(self, step: Step, scanned: Scanned) -> bool:
        """Tell whether a step's output appears while it runs: in the cell that asks, or in the asset's own."""
        if submitted() is not None:
            return context_of(step.definition, scanned.cells) is not None
        if step.definition is None:
            return True  # an op has no cell to show it in: what it prints stands below the cell that launches
        return bool(self.foreground.intersection((*step.keys, *step.checks)))

    def submit(self, selection: Any = None, *, checks_only: bool = False, what: str = "", **options: Any) -> Submitted:
        """Do what :meth:`materialize` does, or :meth:`check`, on a thread of its own, and return at once.

        What a step prints stands below the cell of its asset. Runs that are submitted wait for the one that goes on.

        Args:
            options: those of :meth:`materialize`.

        Raises:
            DagsterInvariantViolationError: from inside an asset, or when too many wait already.
        """
        self.refuse_nested()
        what = what or str(selection or "all")
        if checks_only:
            return self.queue.submit(lambda: self.told(self.check(selection, **options)), f"checks of {what}")
        return self.queue.submit(lambda: self.told(self.materialize(selection, what=what, **options)), what)

    def told(self, report: Report) -> Report:
        """Have the cells of the assets that a submitted run made show what came of it."""
        if self.on_report is not None:
            self.on_report(report)
        return report

    def cancel(self) -> None:
        """End the run that is going on, and those that wait, from any thread."""
        self.queue.cancel()
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

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def launch(
        self,
        job: Any,
        *,
        config: Given = None,
        op_selection: Iterable[str] | None = None,
        env: str | None = None,
        workers: int | None = None,
        from_failure: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> JobReport:
        """Run a job of the notebook: all that it selects, whatever is fresh.

        Args:
            job: its name, or itself.
            config: run config over the job's own; that of assets stays set for the session.
            op_selection: some of its ops: names, with ``*`` and ``+`` for what is up- and downstream.
            env: the environment for this run, by default the one in use.
            workers: how many steps run at once.
            from_failure: run only what failed or didn't run the last time, and what has changed since.
            tags: of the run, beside the job's.

        Returns:
            A JobReport, with ``output_for_node("clean")`` and ``output_value()``; the exceptions of the user's code
            are in it.

        Raises:
            KeyboardInterrupt: when interrupted; nothing half done is stored.
            DagsterError: when it can't be run as asked.
        """
        self.refuse_nested()
        given = read_run_config(config)
        asked = Asked(given.data, tuple(op_selection or ()), workers or self.settings.workers, from_failure, tags or {})
        with self.lock, self.within(env), located(given):
            return launch(self, job, asked)

    def define_job(self, name: str, **said: Any) -> list[AssetKey]:
        """Define a job over assets, as if ``NAME = define_asset_job(NAME, ...)`` stood in a cell; return its assets.

        Raises:
            DagsterInvalidDefinitionError: when the name is something else's.
            DagsterInvalidSubsetError: for an asset that nothing defines, with the closest one.
        """
        with self.lock:
            return define_job(self, name, said)

    def jobs(self) -> Any:
        """Return a DataFrame with a row per job: what it runs, which config it lacks, its last run."""
        return table("jobs", job_rows(self.scan(), self.launched, self.history.runs))

    # -- environments -------------------------------------------------------------------------------------------------

    def environment(self, name: str, resources: Mapping[str, Any]) -> None:
        """Give a set of resources a name, e.g. ``prod``, and leave the environment in use as it is.

        They take the place of the notebook's own of the same keys; what isn't named stays.

        Raises:
            DagsterInvalidDefinitionError: for a name that can't be typed, or what isn't a resource.
        """
        with self.lock:
            self.environments.define(name, resources)
            self.book.say(cell_name(name))

    def use(self, name: str, resources: Mapping[str, Any] | None = None) -> None:
        """Switch to an environment; with ``resources``, make it first. ``default`` is the notebook's own resources.

        Values whose resources differ there are stale from now on, so that none is taken for one of the other's.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        with self.lock:
            if resources is not None:
                self.environment(name, resources)
            self.environments.use(name)

    def within(self, env: str | None) -> AbstractContextManager[None]:
        """Use another environment while a block runs, in this thread; None stays in the one in use."""
        return self.environments.within(env)

    def refuse_misspelt(self, scanned: Scanned) -> None:
        """Refuse an environment that nearly names a resource, and so would not swap it."""
        required = {key for one in scanned.definitions for key in one.required_resource_keys}
        self.environments.refuse_misspelt(required | {*scanned.resources} - {*self.environments.overlay})

    def resources(self, *, env: str | None = None) -> Any:
        """Return a DataFrame with a row per field of each resource: its value, where that is from, who uses it.

        The values of secrets and of environment variables aren't in it.
        """
        with self.within(env):
            scanned = self.scan()
            return table("resources", resource_rows(scanned, self.resource_config(scanned)))

    def resource_config(self, scanned: Scanned) -> Mapping[str, Any]:
        """Return the config that resources were given, by key, as far as they are there."""
        given = self.environments.configs.get(self.environments.current, {})
        return {key: (part or {}).get("config", {}) for key, part in given.items() if key in scanned.resources}

    def config_schema(self, name: Any, *, env: str | None = None) -> ConfigSchema:
        """Return what can be configured for an asset: its own config and that of the resources it uses, and YAML.

        Raises:
            DagsterInvariantViolationError: when there's no such asset.
        """
        with self.within(env):
            scanned = self.scan()
            key = self.key(name, scanned)
            given = {**self.run_config, "resources": self.environments.configs.get(self.environments.current, {})}
            return config_schema(key, scanned, given)

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
        """Return a value that is kept, from the session or its IO manager; what a damaged file had is made again."""
        from ipy_orch.execution.load import load_value

        if not is_elsewhere(key, scanned.graph.makers[key], scanned) and self.persistence.is_lost(key, partition):
            self.materialize([key], what=f"value of {key}")
        resources = {"io_manager": self.store, **scanned.resources}
        return load_value(key, scanned.graph.makers[key], resources, self.configured(scanned), partition)

    def recall(self, name: str) -> str:
        """Load what an IO manager of the user's keeps into its variable; return why not, where the asset is stale."""
        scanned, key = self.scan(), self.names.elsewhere[name]
        reason = next((str(step.reason) for step in self.plan([key]).steps if key in step.keys), "")
        if not reason:
            self.names.place(key, self.load(scanned, key))
        return reason

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
        return explain(key, scanned.graph, self.ledger, planned, told, knowledge, self.behind(planned, scanned))

    def behind(self, planned: Plan, scanned: Scanned) -> list[Behind]:
        """Return the plain cells that are behind and on which what was asked for depends."""
        names = self.names_of({scanned.graph.makers[key] for key in planned.looked_at})
        for key in planned.looked_at:
            made = self.ledger.materialized.get((key, None))
            names |= {root(part.name) for part in (made.recipe if made is not None else ()) if part.kind != "input"}
        if swapped := names & self.environments.overlay.keys():
            names = names - swapped | {cell_name(self.environments.current)}
        return self.book.behind(sorted(names))

    def names_of(self, makers: set[AssetsDefinition]) -> set[str]:
        """Return the variables that hold definitions: their cells read names while they ran, and wired graphs."""
        held = {
            name for name, value in self.namespace.items() if isinstance(value, AssetsDefinition) and value in makers
        }
        return held | {one.op.compute_fn.__name__ for one in makers if isinstance(one.op_def, GraphDefinition)}

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


@contextmanager
def located(given: RunConfigText) -> Iterator[None]:
    """Have errors about run config say where in the YAML it is.

    Raises:
        DagsterInvalidConfigError: the same, with lines.
    """
    try:
        yield
    except DagsterInvalidConfigError as error:
        raise given.located(error) from error.__cause__


def root(name: str) -> str:
    """Return the variable that a part of a recipe is from.

    >>> root("db.path"), root("db: Database.query")
    ('db', 'db')
    """
    return name.partition(":")[0].partition(".")[0]
