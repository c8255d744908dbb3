"""What the kernel remembers, and the verbs. Each verb scans, asks a lower floor, and tells the log.

Magics, the widget, the JupyterLab commands and the shell call these methods and nothing else.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ipy_orch.authoring.components.cells import ComponentCell
from ipy_orch.errors import (
    DagsterInvalidConfigError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
    StoreWarning,
    closest,
)
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Runs
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.model.port import Port
from ipy_orch.planning.conditions.explanation import Explanation
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.planning.staleness import Status
from ipy_orch.session import rows
from ipy_orch.session.automation.conditions import explain_condition
from ipy_orch.session.automation.reactive import Reactive
from ipy_orch.session.cellbook import Behind, CellBook
from ipy_orch.session.components import component_rows, define_component, find_component_type, schema_text
from ipy_orch.session.config.environments import Environments, cell_name
from ipy_orch.session.config.resources import resource_rows
from ipy_orch.session.config.run_config import Given, RunConfigText, read_run_config
from ipy_orch.session.config.schema import ConfigSchema, config_schema
from ipy_orch.session.executors import asked_for
from ipy_orch.session.explaining import behind, why
from ipy_orch.session.instance import SessionInstance
from ipy_orch.session.jobs.defining import define_job
from ipy_orch.session.jobs.launched import JobReport, Launched, job_rows
from ipy_orch.session.jobs.launching import Asked, launch
from ipy_orch.session.locations.locations import CodeLocations
from ipy_orch.session.names import Names
from ipy_orch.session.openlineage import Telling
from ipy_orch.session.origins import SessionOrigins
from ipy_orch.session.partitions.backfills import Backfill, backfill, refuse_two, resumed
from ipy_orch.session.partitions.choosing import Which
from ipy_orch.session.partitions.status import PartitionView, partition_rows, partition_view
from ipy_orch.session.planning import Planning
from ipy_orch.session.recipes import FileDigests
from ipy_orch.session.refusals import refuse_broken, refuse_unknown_groups
from ipy_orch.session.report import Report
from ipy_orch.session.running import Running, refuse_nested
from ipy_orch.session.scan import Scan, Scanned
from ipy_orch.session.settings import Settings
from ipy_orch.session.store import Persistence
from ipy_orch.session.submitting import Cancel, Queue, Submitted
from ipy_orch.session.values import Values
from ipy_orch.session.why import Why
from ipy_orch.session.words import MOST_NAMED, selection_text

__all__ = ["Session"]

table: Port[..., Any] = Port("ipy_orch.ui.verbs")
picture: Port[..., Any] = Port("ipy_orch.ui.verbs")
automation_table: Port[..., Any] = Port("ipy_orch.automation.verbs")
tick_table: Port[..., Any] = Port("ipy_orch.automation.verbs")
ask: Port[..., Any] = Port("ipy_orch.automation.verbs")
tick: Port[..., Any] = Port("ipy_orch.automation.verbs")
submit_tick: Port[..., Any] = Port("ipy_orch.automation.verbs")
switch: Port[..., Any] = Port("ipy_orch.automation.verbs")
daemon: Port[..., Any] = Port("ipy_orch.automation.verbs")
write: Port[..., Any] = Port("ipy_orch.export.writing")


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
        self.instance = SessionInstance(self.log, self.ledger, self.history)
        self.names = Names(self.namespace, self.store, self.ledger)
        self.origins = self.book.origins = SessionOrigins(self.namespace, self.names, self.ledger)
        self.environments = Environments(lambda name: name in self.book.gone)
        self.code_locations = CodeLocations(self)
        locations = self.code_locations
        self.scanner = Scan(self.namespace, self.book, self.environments, locations.definitions, locations.brought)
        self.files = FileDigests()
        self.is_of_module = False  #: then its code is that of a notebook with the same text, whatever the module's name
        self.run_config: dict[str, Any] = {}
        self.presets: dict[str, str] = {}
        self.launched: dict[str, Launched] = {}
        self.looked_at: dict[AssetKey, str] = {}  #: the partition that was asked for last, by itself
        self.lock, self.scanning = threading.RLock(), threading.RLock()
        self.cancelled = Cancel()
        self.queue = Queue(self.lock)
        self.planning, self.running, self.values = Planning(self), Running(self), Values(self)
        self.reactive = Reactive(self)
        self.around_step: Callable[[Step], AbstractContextManager[Any]] | None = None
        self.on_report: Callable[[Report], None] | None = None
        self.foreground: frozenset[Any] = frozenset()
        if why := self.persistence.use(self.settings.store):
            warnings.warn(why, StoreWarning, stacklevel=2)
        self.telling = Telling(self.log, self.store)
        if why := self.telling.use(self.settings.openlineage):
            warnings.warn(why, UserWarning, stacklevel=2)

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
        refuse_unknown_groups(scanned, selection)
        try:
            return frozenset(chosen.resolve(scanned.graph))
        except DagsterInvalidSubsetError as error:
            if error.hint:
                raise
            raise DagsterInvalidSubsetError(error.message, where=error.where, hint="`%assets` lists them") from None

    def key(self, name: Any, scanned: Scanned) -> AssetKey:
        """Return the asset of a name.

        Raises:
            DagsterInvariantViolationError: when there's none, with the closest one.
        """
        key = AssetKey.from_user_string(name) if isinstance(name, str) else AssetKey.from_coercible_or_definition(name)
        refuse_broken(scanned, [key])
        if key not in scanned.graph.upstream:
            hint = closest(key.label, labels(scanned.graph.keys)) or "`%assets` lists them"
            raise DagsterInvariantViolationError(f"there is no asset `{key.label}`", hint=hint)
        return key

    # -- planning -----------------------------------------------------------------------------------------------------

    def plan(
        self,
        selection: Any = None,
        *,
        partition: Which = None,
        force: bool = False,
        config: Given = None,
        env: str | None = None,
        what: str = "",
    ) -> Plan:
        """Return what :meth:`materialize` would run, and why. Reads only: nothing is run."""
        given = read_run_config(config)
        with self.within(env), located(given):
            scanned, planning = self.scan(), self.planning
            resolved = planning.configured(scanned, given.data)
            return planning.planned(scanned, planning.request(scanned, selection, partition, force, what), resolved)

    def statuses(self, scanned: Scanned) -> dict[AssetKey, Status]:
        """Return how each asset stands. Reads only: nothing is run."""
        return self.planning.statuses(scanned)

    # -- running ------------------------------------------------------------------------------------------------------

    def materialize(
        self,
        selection: Any = None,
        *,
        partition: Which = None,
        force: bool = False,
        config: Given = None,
        env: str | None = None,
        workers: int | None = None,
        executor: Any = None,
        what: str = "",
    ) -> Report:
        """Bring assets up to date: those selected and, first, their missing and stale ancestors.

        Args:
            selection: names, a selection string or an AssetSelection; None for all that aren't partitioned.
            partition: which partitions of what is partitioned: a key, ``a..b`` with both ends, ``last``, or a list.
            force: run what is selected although it is fresh; what is downstream of it counts as stale then.
            config: run config, e.g. ``{"ops": {"orders": {"config": {"limit": 10}}}}``, as a mapping, YAML, or a file
                of it; it stays set for the session, that of resources for their environment.
            env: the environment for this run, see :meth:`environment`; by default the one in use.
            workers: how many steps run at once.
            executor: where they run: ``threads``, ``processes``, ``dask``, ``ipyparallel``, or what
                :func:`~ipy_orch.session.executors.place_of` takes besides.

        Returns:
            A Report; the exceptions of the user's code are in it.

        Raises:
            KeyboardInterrupt: when interrupted; nothing half done is stored.
            DagsterError: when the request itself can't be met.
        """
        refuse_nested()
        given = read_run_config(config)
        with self.lock, self.within(env), asked_for(executor), located(given):
            scanned, planning = self.scan(), self.planning
            resolved = planning.configured(scanned, given.data)
            request = planning.request(scanned, selection, partition, force, what)
            planned = planning.planned(scanned, request, resolved)
            resolved = planning.configured(scanned, given.data, {step.place for step in planned.every_step})
            planning.keep(given.data)
            self.looked_at |= {key: keys[0] for key, keys in request.of_asset.items() if len(keys) == 1}
            done = self.running.execute(scanned, planned, resolved, workers or self.settings.workers)
            done.notices.extend(planning.left_out(scanned, selection, request))
            return done

    def backfill(
        self,
        selection: Any = None,
        partitions: Which = None,
        *,
        missing: bool = False,
        failed: bool = False,
        force: bool = False,
        resume: bool = False,
        config: Given = None,
        env: str | None = None,
        workers: int | None = None,
        executor: Any = None,
    ) -> Report:
        """Bring many partitions of assets up to date in one run; what is fresh isn't run.

        It can be stopped at any time, also by a kill where there's a store: nothing that was made is made again.

        Args:
            selection: the assets; None for all that are partitioned.
            partitions: keys, ``a..b`` with both ends, or a list of these; None for all.
            missing: only those that were never made.
            failed: only those that failed the last time.
            force: all of them, although they are fresh.
            executor: where it runs, as for :meth:`materialize`.
            resume: go on with the last backfill, which didn't come to its end, as it was asked for.

        Returns:
            A Report with a line per asset; the exceptions of the user's code are in it.

        Raises:
            KeyboardInterrupt: when interrupted; what was made until then stays.
            DagsterError: when the request itself can't be met.
        """
        refuse_nested()
        given = read_run_config(config)
        only = refuse_two(missing=missing, failed=failed, all=force)
        with self.lock, self.within(env), asked_for(executor), located(given):
            one = resumed(self) if resume else Backfill(selection, partitions, only)
            return backfill(self, one, given.data, workers or self.settings.workers)

    def partitions(self, name: Any, status: str = "") -> Any:
        """Return a DataFrame with a row per range of partitions that stand alike: status, reason, rows, when.

        Args:
            status: only those that stand so, e.g. ``stale``.

        Raises:
            DagsterInvariantViolationError: when there's no such asset, or it isn't partitioned.
        """
        return table("partitions", partition_rows(self, name, status))

    def partition_view(self, name: Any) -> PartitionView:
        """Return how the partitions of an asset stand, as ranges or as a grid; see :class:`PartitionView`."""
        return partition_view(self, name)

    def check(
        self,
        selection: Any = None,
        *,
        partition: Which = None,
        env: str | None = None,
        workers: int | None = None,
        executor: Any = None,
    ) -> Report:
        """Run the checks of assets again, and before that what they need.

        Args:
            partition: of what is partitioned; by default the one that was made last.
        """
        refuse_nested()
        with self.lock, self.within(env), asked_for(executor):
            scanned = self.scan()
            resolved = self.planning.configured(scanned)
            request = self.planning.request_for_checks(scanned, selection, partition)
            planned = self.planning.planned(scanned, request, resolved)
            return self.running.execute(scanned, planned, resolved, workers or self.settings.workers)

    def submit(self, selection: Any = None, *, checks_only: bool = False, what: str = "", **options: Any) -> Submitted:
        """Do what :meth:`materialize` does, or :meth:`check`, on a thread of its own, and return at once.

        What a step prints stands below the cell of its asset. Runs that are submitted wait for the one that goes on.

        Args:
            options: those of :meth:`materialize`.

        Raises:
            DagsterInvariantViolationError: from inside an asset, or when too many wait already.
        """
        refuse_nested()
        what = what or selection_text(selection, MOST_NAMED) or "all"
        if checks_only:
            return self.queue.submit(lambda: self.running.told(self.check(selection, **options)), f"checks of {what}")
        return self.queue.submit(lambda: self.running.told(self.materialize(selection, what=what, **options)), what)

    def submit_backfill(self, selection: Any = None, partitions: Which = None, **options: Any) -> Submitted:
        """Do what :meth:`backfill` does, with its options, on a thread of its own, and return at once.

        Raises:
            DagsterInvariantViolationError: from inside an asset, or when too many wait already.
        """
        refuse_nested()
        what = f"backfill of {selection_text(selection, MOST_NAMED) or 'all'}"
        return self.queue.submit(lambda: self.running.told(self.backfill(selection, partitions, **options)), what)

    def submit_job(self, job: Any, **options: Any) -> Submitted:
        """Do what :meth:`launch` does, with its options, on a thread of its own, and return at once.

        Raises:
            DagsterInvariantViolationError: from inside an asset, or when too many wait already.
        """
        refuse_nested()
        what = f"job {getattr(job, 'name', job)}"
        return self.queue.submit(lambda: self.running.told(self.launch(job, **options)), what)

    def cancel(self) -> None:
        """End the run that is going on, and those that wait, from any thread."""
        self.queue.cancel()
        self.cancelled.set()

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def launch(
        self,
        job: Any,
        *,
        config: Given = None,
        op_selection: Iterable[str] | None = None,
        partition: Which = None,
        env: str | None = None,
        workers: int | None = None,
        executor: Any = None,
        from_failure: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> JobReport:
        """Run a job of the notebook: all that it selects, whatever is fresh.

        Args:
            job: its name, or itself.
            config: run config over the job's own; that of assets stays set for the session.
            op_selection: some of its ops: names, with ``*`` and ``+`` for what is up- and downstream.
            partition: of a job that is partitioned, as for :meth:`materialize`.
            env: the environment for this run, by default the one in use.
            workers: how many steps run at once.
            executor: where they run, as for :meth:`materialize`.
            from_failure: run only what failed or didn't run the last time, and what has changed since.
            tags: of the run, beside the job's.

        Returns:
            A JobReport, with ``output_for_node("clean")`` and ``output_value()``; the exceptions of the user's code
            are in it.

        Raises:
            KeyboardInterrupt: when interrupted; nothing half done is stored.
            DagsterError: when it can't be run as asked.
        """
        refuse_nested()
        given = read_run_config(config)
        how = (workers or self.settings.workers, from_failure, tags or {})
        asked = Asked(given.data, tuple(op_selection or ()), *how, partition=partition)
        with self.lock, self.within(env), asked_for(executor), located(given):
            return launch(self, job, asked)

    def define_job(self, name: str, **said: Any) -> list[AssetKey]:
        """Define a job over assets, as if ``NAME = define_asset_job(NAME, ...)`` stood in a cell; return its assets.

        Raises:
            DagsterInvalidDefinitionError: when the name is something else's.
            DagsterInvalidSubsetError: for an asset that nothing defines, with the closest one.
        """
        with self.lock:
            return define_job(self, name, said)

    def define_component(self, said: ComponentCell, where: str) -> Definitions:
        """Put the definitions of a component into its variable, as if it stood in a cell; return them.

        Raises:
            DagsterInvalidDefinitionError: with the line and the field, when something in it isn't right.
        """
        with self.lock:
            return define_component(self, said, where)

    def components(self) -> Any:
        """Return a DataFrame with a row per component type: what it takes and what it is."""
        return table("components", component_rows(self.namespace))

    def component_schema(self, name: str) -> str:
        """Return what a component type takes, and an example to begin with.

        Raises:
            DagsterInvalidDefinitionError: when there's no such type, with the closest.
        """
        return schema_text(find_component_type(name, self.namespace), name)

    def jobs(self) -> Any:
        """Return a DataFrame with a row per job: what it runs, which config it lacks, its last run."""
        return table("jobs", job_rows(self.scan(), self.launched, self.history.runs))

    # -- schedules and sensors: the automation floor's ----------------------------------------------------------------

    def automations(self) -> Any:
        """Return a DataFrame with a row per schedule and sensor: on or off, when, next, last tick, what it runs."""
        return automation_table(self)

    def ticks(self, name: str | None = None) -> Any:
        """Return a DataFrame with a row per tick, newest first, of one schedule or sensor or of all."""
        return tick_table(self, name)

    def ask(self, name: str, at: str | None = None) -> Any:
        """Return what a schedule or sensor would do now, or at a moment such as ``2024-01-05 09:00``. Nothing is run.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        return ask(self, name, at)

    def tick(self, name: str, at: str | None = None) -> Any:
        """Let a schedule or sensor tick and run what it asks for; return the tick, and a report per run.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        return tick(self, name, at)

    def submit_tick(self, name: str, at: str | None = None) -> Any:
        """Do what :meth:`tick` does, and return at once: the tick, and a :class:`Submitted` per run."""
        return submit_tick(self, name, at)

    def switch(self, name: str, on: bool) -> Any:
        """Switch a schedule or sensor on or off; the daemon lets tick what is on.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        return switch(self, name, on)

    def daemon(self, what: str = "status", missed: str = "") -> Any:
        """Start or stop the thread that lets schedules and sensors tick, or tell how it stands.

        Args:
            what: ``start``, ``stop`` or ``status``.
            missed: what is done about moments that passed while nobody looked: ``last``, ``all`` or ``skip``.
        """
        return daemon(self, what, missed)

    # -- environments -------------------------------------------------------------------------------------------------

    def drop_config(self, env: str | None = None) -> None:
        """Go back to the defaults: drop the run config that was given before; of resources, that of an environment.

        Args:
            env: the environment, by default the one in use.
        """
        with self.lock, self.within(env):
            self.run_config = {}
            self.environments.configs.pop(self.environments.current, None)

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
            own = resource_rows(scanned, self.resource_config(scanned))
            return table("resources", [*own, *self.code_locations.resources()])

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

    def value(self, name: Any, partition: Which = None, *, by_key: bool = False) -> Any:
        """Return the value of an asset, brought up to date first; never a stale one.

        Of several partitions, frames of one library come as one frame, other values as a dict by partition.

        Args:
            partition: a key, ``a..b``, ``last`` or a list; of a partitioned asset, None for those that were made.
            by_key: have a dict by partition in any case.

        Raises:
            DagsterInvariantViolationError: when there's no such asset, or none of its partitions was made.
            Exception: what its function raised.
        """
        return self.values.value(name, partition, by_key=by_key)

    def load(self, scanned: Scanned, key: AssetKey, partition: str | None = None) -> Any:
        """Return a value that is kept, from the session or its IO manager; what a damaged file had is made again."""
        return self.values.load(scanned, key, partition)

    def open(self, name: Any, partition: str | None = None) -> dict[str, Any]:
        """Return an asset's inputs, config and resources by name, as its function would get them.

        Args:
            partition: of a partitioned asset; by default the last one.

        Raises:
            DagsterInvariantViolationError: when there's no such asset.
        """
        return self.values.open(name, partition)

    def forget(self, selection: Any) -> list[AssetKey]:
        """Drop the values of assets and all that is known of them; they count as never materialized."""
        return self.values.forget(selection)

    # -- explanations -------------------------------------------------------------------------------------------------

    def why(self, name: Any, partition: str | None = None) -> Why:
        """Return what has changed since an asset's value was made. Reads only: nothing is run.

        Args:
            partition: of a partitioned asset; by default the first that isn't fresh.
        """
        return why(self, name, partition)

    def explain_condition(self, name: Any) -> Explanation:
        """Return why the automation condition of an asset or a check (``asset:check``) is true or not, as a tree.

        Reads only: nothing is run.

        Raises:
            DagsterInvariantViolationError: when there's no such asset or check, or it has no condition.
        """
        return explain_condition(self, name)

    def behind(self, planned: Plan, scanned: Scanned) -> list[Behind]:
        """Return the plain cells that are behind and on which what was asked for depends."""
        return behind(self, planned, scanned)

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

    def export(
        self,
        path: Any,
        *,
        target: str = "ipy_orch",
        package: str | bool | None = None,
        force: bool = False,
        verify: bool = False,
    ) -> Any:
        """Write the notebook as a definitions module or package, for ipy_orch or for dagster; return its path.

        A clean process imports it first: nothing is written that isn't what the notebook is.

        Args:
            path: of the file, or of a folder that exists; of a package, the folder of the project.
            package: the name of the package, or True for that of the folder.
            force: write over a file that isn't an export, or that was edited since.
            verify: bring all up to date, materialize the module in the clean process, and compare the values.
        """
        return write(self, path, target=target, package=package, force=force, verify=verify)


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
