"""All that a code location defines, as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.asset_jobs import IMPLICIT_JOB, UnresolvedAssetJobDefinition, define_asset_job
from ipy_orch.model.assets import AssetsDefinition, SourceAsset, external
from ipy_orch.model.automation.holding import Schedule, assets_brought, jobs_brought, named, refuse_contradictions
from ipy_orch.model.automation.partitioned import UnresolvedPartitionedAssetScheduleDefinition
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.executors import ExecutorDefinition, as_executor
from ipy_orch.model.jobs import JobDefinition, refuse_missing_resources
from ipy_orch.model.keys import AssetCheckKey, AssetKey, FrozenList, labels
from ipy_orch.model.loggers import LoggerDefinition
from ipy_orch.model.merging import keyed, listed, merged, the_only
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.ops import set_all
from ipy_orch.model.port import Port
from ipy_orch.model.requirements import all_resources, needed, refuse_unmade
from ipy_orch.model.resources.checks import check_resources
from ipy_orch.model.specs import AssetSpec, refuse_others

if TYPE_CHECKING:
    from ipy_orch.model.metadata.value import MetadataValue
    from ipy_orch.model.repository import RepositoryDefinition

__all__ = ["Definitions", "map_asset_specs"]

PARTS = ("assets", "schedules", "sensors", "jobs", "asset_checks")
HOME = "ipy_orch.planning.definitions"

graph_of: Port[[Iterable[AssetsDefinition]], Any] = Port(HOME)
refuse_unmappable: Port[[Any], None] = Port("ipy_orch.planning.partitioning")
selected_in: Port[[Iterable[AssetsDefinition], Any], frozenset[AssetKey]] = Port(HOME)
load_from: Port[..., Any] = Port("ipy_orch.execution.load")
repository_of: Port[[Definitions], RepositoryDefinition] = Port("ipy_orch.model.repository")
value_loader: Port[[Definitions, Any], Any] = Port("ipy_orch.execution.load")

Mapper = Callable[[AssetSpec], AssetSpec]


@dataclass(frozen=True, init=False)
class Definitions:
    """Hold assets, checks, jobs, resources, schedules and sensors.

    What contradicts what is found when it is asked for, or by :meth:`validate_loadable`; here only types are checked.

    Args:
        assets: definitions; an AssetSpec stands for an external asset.
        asset_checks: definitions of checks.
        jobs: of ops, or what ``define_asset_job`` returned; those that schedules and sensors bring are there, too.
        schedules: of any kind; what stands in their targets counts as defined. Likewise ``sensors``.
        resources: key -> ConfigurableResource, IO manager, or any object; for jobs that don't bring them.
        executor: runs the steps of jobs that don't say where.
        loggers: name -> LoggerDefinition; for jobs that have none.

    Raises:
        CheckError: when something of another type is among them.
    """

    assets: FrozenList[AssetsDefinition | AssetSpec]
    schedules: FrozenList[Any]
    sensors: FrozenList[Any]
    jobs: FrozenList[Any]
    resources: Mapping[str, Any]
    executor: Any
    loggers: Mapping[str, Any]
    asset_checks: FrozenList[AssetsDefinition]
    metadata: Mapping[str, MetadataValue]
    component_tree: Any

    def __init__(
        self,
        assets: Iterable[Any] | None = None,
        schedules: Iterable[Any] | None = None,
        sensors: Iterable[Any] | None = None,
        jobs: Iterable[Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        executor: Any = None,
        loggers: Mapping[str, Any] | None = None,
        asset_checks: Iterable[Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        component_tree: Any = None,
    ) -> None:
        lists = [
            listed(given, what)
            for given, what in zip((assets, schedules, sensors, jobs, asset_checks), PARTS, strict=True)
        ]
        refuse_others(lists[0], AssetsDefinition | AssetSpec, "`assets`", "an asset")
        refuse_others(lists[1], Schedule, "`schedules`", "a schedule")
        refuse_others(lists[2], SensorDefinition, "`sensors`", "a sensor")
        refuse_others(lists[3], JobDefinition | UnresolvedAssetJobDefinition, "`jobs`", "a job")
        refuse_others(lists[4], AssetsDefinition, "`asset_checks`", "a check")
        named = keyed(loggers, "loggers")
        for name, one in named.items():
            if not isinstance(one, LoggerDefinition):
                raise CheckError(f"logger `{name}` is what `@logger` makes, not {one!r}")
        if executor is not None:
            as_executor(executor)
        values = (*lists[:4], keyed(resources, "resources"), executor, named, lists[4])
        set_all(self, (*values, normalize_metadata(metadata or {}), component_tree))

    @property
    def definitions(self) -> tuple[AssetsDefinition, ...]:
        """Return all definitions of assets and checks, each once; specs as external assets."""
        specs: dict[AssetKey, AssetSpec] = {}
        found: dict[int, AssetsDefinition] = {}
        for one in (*self.assets, *self.asset_checks, *self.assets_of_targets):
            made = external(one) if isinstance(one, AssetSpec) else one
            if isinstance(one, AssetSpec) and specs.setdefault(one.key, one) is not one:
                if specs[one.key] != one:
                    raise DagsterInvalidDefinitionError(f"`{one.key.label}` has two specs, and they differ")
                continue
            found[id(one)] = made
        return tuple(found.values())

    @property
    def automations(self) -> list[Any]:
        """Return the schedules and sensors, each once."""
        return list({id(one): one for one in (*self.schedules, *self.sensors)}.values())

    @property
    def assets_of_targets(self) -> list[AssetsDefinition]:
        """Return the definitions that stand in targets of schedules and sensors."""
        return assets_brought(self.automations)

    @property
    def jobs_of_targets(self) -> list[JobDefinition | UnresolvedAssetJobDefinition]:
        """Return the jobs that schedules and sensors bring."""
        return jobs_brought(self.automations)

    @staticmethod
    def merge(*parts: Definitions) -> Definitions:
        """Return one Definitions of several.

        Raises:
            DagsterInvariantViolationError: when two have different resources or loggers of one key, or two executors.
        """
        lists = {what: [one for part in parts for one in getattr(part, what)] for what in PARTS}
        return Definitions(
            **lists,
            resources=merged("resource", [part.resources for part in parts]),
            loggers=merged("logger", [part.loggers for part in parts]),
            executor=the_only("executor", [part.executor for part in parts]),
            metadata={key: one for part in parts for key, one in part.metadata.items()},
            component_tree=the_only("component_tree", [part.component_tree for part in parts]),
        )

    merge_unbound_defs = merge

    @staticmethod
    def validate_loadable(defs: Definitions) -> None:
        """Check that everything fits together: keys, cycles, and that each resource and job asked for is there.

        Raises:
            DagsterInvalidDefinitionError: where it doesn't.
        """
        defs.validate()

    def validate(self, lazy_jobs: Iterable[str] = ()) -> None:
        """Check that everything fits together.

        Args:
            lazy_jobs: jobs of a repository that are made when they're asked for.

        Raises:
            DagsterInvalidDefinitionError: where it doesn't.
        """
        graph = self.resolve_asset_graph()
        refuse_unmappable(graph)
        check_resources(self.resources)
        self.refuse_missing_resources()
        for one in self.definitions:
            refuse_unmade(one, graph.defined_keys)
        refuse_other_nodes(self.resolve_all_job_defs())
        self.refuse_bad_automations(lazy_jobs)

    def refuse_missing_resources(self) -> None:
        """Refuse assets and checks that need a resource which isn't there, or that bring different ones of one key.

        Raises:
            DagsterInvalidDefinitionError: with the closest name.
        """
        resources = all_resources(self.definitions, self.resources)
        for one in self.definitions:
            needed(resources, one.required_resource_keys, f"`{one.label}`")
        for each in self.automations:
            needed(self.resources, each.required_resource_keys, f"`{each.name}`")

    def refuse_bad_automations(self, lazy_jobs: Iterable[str] = ()) -> None:
        """Refuse schedules and sensors of one name, and those that run jobs which aren't there.

        Raises:
            DagsterInvalidDefinitionError: with the closest name.
        """
        refuse_contradictions(self.automations, {*self.given_jobs, *lazy_jobs})

    # -- assets and checks --------------------------------------------------------------------------------------------

    def resolve_asset_graph(self) -> Any:
        """Return the AssetGraph of all assets, with those that are only named in dependencies.

        Raises:
            DagsterInvalidDefinitionError: when two definitions make one asset or check, or there's a cycle.
        """
        return graph_of(self.definitions)

    get_asset_graph = resolve_asset_graph

    def resolve_assets_def(self, key: Any) -> AssetsDefinition:
        """Return the definition that makes an asset, or that describes it where nothing makes it.

        Raises:
            DagsterInvariantViolationError: when nothing knows it, with the closest name.
        """
        found: AssetsDefinition = self.resolve_asset_graph().maker(AssetKey.from_coercible(key))
        return found

    get_assets_def = resolve_assets_def

    def get_asset_checks_def(self, key: AssetCheckKey) -> AssetsDefinition:
        """Return the definition that makes a check.

        Raises:
            DagsterInvariantViolationError: when none does.
        """
        known = {check: one for one in self.definitions for check in one.check_keys}
        if key not in known:
            raise DagsterInvariantViolationError(
                f"there is no check `{key.label}`", hint=closest(key.label, labels(known))
            )
        return known[key]

    def resolve_all_asset_specs(self) -> list[AssetSpec]:
        """Return the specs of all assets, also of those that are only named in dependencies."""
        graph = self.resolve_asset_graph()
        return [graph.spec(key) for key in graph.keys]

    get_all_asset_specs = resolve_all_asset_specs

    def resolve_all_asset_keys(self) -> list[AssetKey]:
        """Return the keys of all assets, also of those that are only named in dependencies."""
        return list(self.resolve_asset_graph().keys)

    # -- jobs ---------------------------------------------------------------------------------------------------------

    @cached_property
    def given_jobs(self) -> Mapping[str, JobDefinition | UnresolvedAssetJobDefinition]:
        """Return the jobs by name as they were given; first the one of all assets, where something computes any.

        Raises:
            DagsterInvalidDefinitionError: when two have one name, or one has that of the job of all assets.
        """
        graph = self.resolve_asset_graph()
        given: dict[str, JobDefinition | UnresolvedAssetJobDefinition] = {}
        for job in (*self.jobs, *self.jobs_of_targets):
            if job.name == IMPLICIT_JOB:
                raise DagsterInvalidDefinitionError(f"`{IMPLICIT_JOB}` is the name of the job of all assets")
            if given.setdefault(job.name, job) is not job:
                raise DagsterInvalidDefinitionError(f"two jobs are named `{job.name}`")
        implicit = graph.executable_keys or graph.checks
        return {IMPLICIT_JOB: define_asset_job(IMPLICIT_JOB), **given} if implicit else given

    @cached_property
    def executor_def(self) -> ExecutorDefinition | None:
        """Return the executor as a definition."""
        return None if self.executor is None else as_executor(self.executor)

    @cached_property
    def resolved_jobs(self) -> dict[str, JobDefinition]:
        """Return the jobs that were asked for so far, by name."""
        return {}

    def completed_job(self, job: JobDefinition | UnresolvedAssetJobDefinition) -> JobDefinition:
        """Return a job with what it takes from here: assets, and resources, executor and loggers it doesn't bring.

        Raises:
            DagsterInvalidDefinitionError: when something that it needs isn't there.
        """
        if isinstance(job, UnresolvedAssetJobDefinition):
            return job.resolve(self.resolve_asset_graph(), self.executor_def, self.resources, self.loggers)
        made = job.with_top_level_resources(self.resources)
        if not made.is_asset_job:  # one of assets was checked when it was resolved
            refuse_missing_resources(made)
        if made.executor_def is None and self.executor_def is not None:
            made = made.with_executor_def(self.executor_def)
        return made if made.loggers or not self.loggers else made.with_logger_defs(self.loggers)

    def resolve_all_job_defs(self) -> list[JobDefinition]:
        """Return all jobs, that of all assets among them.

        Raises:
            DagsterInvalidDefinitionError: when two have one name, or something that one needs isn't there.
        """
        return [self.resolve_job_def(name) for name in self.given_jobs]

    get_all_job_defs = resolve_all_job_defs

    def resolve_job_def(self, name: str) -> JobDefinition:
        """Return a job by name.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
            DagsterInvalidDefinitionError: when something that it needs isn't there.
        """
        if name not in self.given_jobs:
            raise DagsterInvariantViolationError(f"there is no job `{name}`", hint=closest(name, self.given_jobs))
        if name not in self.resolved_jobs:
            self.resolved_jobs[name] = self.completed_job(self.given_jobs[name])
        return self.resolved_jobs[name]

    get_job_def = resolve_job_def

    # -- schedules and sensors ----------------------------------------------------------------------------------------

    def resolve_schedule_def(self, name: str) -> ScheduleDefinition:
        """Return a schedule by name, one of partitioned assets with the moments that follow from these.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
            DagsterInvalidDefinitionError: when something that its job needs isn't there.
        """
        found: Schedule = named(self.schedules, name, "schedule")
        if isinstance(found, UnresolvedPartitionedAssetScheduleDefinition):
            return found.resolve(self.resolve_job_def(found.job.name))
        return found

    get_schedule_def = resolve_schedule_def

    def resolve_sensor_def(self, name: str) -> SensorDefinition:
        """Return a sensor by name.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        found: SensorDefinition = named(self.sensors, name, "sensor")
        return found

    get_sensor_def = resolve_sensor_def

    def has_implicit_global_asset_job_def(self) -> bool:
        """Tell whether there is the job of all assets."""
        return IMPLICIT_JOB in self.given_jobs

    def resolve_implicit_global_asset_job_def(self) -> JobDefinition:
        """Return the job of all assets.

        Raises:
            DagsterInvariantViolationError: when nothing computes any.
        """
        return self.resolve_job_def(IMPLICIT_JOB)

    get_implicit_global_asset_job_def = resolve_implicit_global_asset_job_def

    def resolve_implicit_job_def_def_for_assets(self, asset_keys: Iterable[Any]) -> JobDefinition | None:
        """Return the job of all assets, where it runs these; None where it doesn't."""
        keys = set(map(AssetKey.from_coercible, asset_keys))
        if not self.has_implicit_global_asset_job_def():
            return None
        job = self.resolve_implicit_global_asset_job_def()
        return job if keys <= job.layer.executable_asset_keys else None

    def get_repository_def(self) -> RepositoryDefinition:
        """Return it in the form that Dagster's tools load."""
        return repository_of(self)

    # -- values -------------------------------------------------------------------------------------------------------

    def load_asset_value(
        self,
        asset_key: Any,
        *,
        python_type: Any = None,
        instance: Any = None,
        partition_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        resource_config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value of an asset that an earlier run stored.

        Args:
            python_type: what the IO manager is asked for.
            instance: that of the run, whose folder holds the values where no IO manager is given.
            metadata: what the IO manager finds as the reader's.

        Raises:
            DagsterInvariantViolationError: when nothing knows the asset.
            Exception: what its IO manager raises when it has no such value.
        """
        maker = self.resolve_assets_def(asset_key)
        key = AssetKey.from_coercible(asset_key)
        return load_from(
            key,
            maker,
            self.resources,
            instance,
            partition_key,
            resource_config,
            metadata=metadata,
            python_type=python_type,
        )

    def get_asset_value_loader(self, instance: Any = None) -> Any:
        """Return what loads values of several assets."""
        return value_loader(self, instance)

    # -- another one, from it -----------------------------------------------------------------------------------------

    def replaced(self, **changes: Any) -> Definitions:
        """Return a copy with some arguments replaced."""
        return Definitions(**{**{name: getattr(self, name) for name in self.__dataclass_fields__}, **changes})

    def with_resources(self, resources: Mapping[str, Any] | None) -> Definitions:
        """Return a copy with these resources besides its own.

        Raises:
            DagsterInvariantViolationError: when it has another one of the same key.
        """
        return self.replaced(resources=merged("resource", [self.resources, resources or {}]))

    def with_definition_metadata_update(self, update: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Definitions:
        """Return a copy in which the metadata of each definition, of whatever kind, is ``update(metadata)``."""
        jobs: dict[Any, Any] = {
            one: one.with_metadata(normalize_metadata(update(one.metadata)))
            for one in (*self.jobs, *self.jobs_of_targets)
        }
        return self.replaced(
            assets=[with_metadata(one, update) for one in self.assets],
            asset_checks=[with_metadata(one, update) for one in self.asset_checks],
            jobs=[jobs[one] for one in self.jobs],
            schedules=[one.changed(update(one.metadata or {}), jobs) for one in self.schedules],
            sensors=[one.changed(update(one.metadata), jobs) for one in self.sensors],
        )

    def map_resolved_asset_specs(self, *, func: Mapper, selection: Any = None) -> Definitions:
        """Return a copy in which the specs of the assets selected are ``func(spec)``.

        Raises:
            DagsterInvariantViolationError: when there are SourceAssets, which have no specs to map.
            DagsterInvalidSubsetError: when the selection names what doesn't exist.
        """
        old = [one for one in self.assets if isinstance(one, SourceAsset)]
        if old:
            name = old[0].key.label
            told = f"`{name}` is a SourceAsset, whose spec can't be mapped"
            raise DagsterInvariantViolationError(told, hint=f'AssetSpec("{name}")')
        return self.permissive_map_resolved_asset_specs(func, selection)

    def map_asset_specs(self, *, func: Mapper, selection: Any = None) -> Definitions:
        """Return the same as :meth:`map_resolved_asset_specs`, under Dagster's older name."""
        return self.map_resolved_asset_specs(func=func, selection=selection)

    def permissive_map_resolved_asset_specs(self, func: Mapper, selection: Any = None) -> Definitions:
        """Return the same as :meth:`map_resolved_asset_specs`, leaving SourceAssets as they are."""
        chosen = None if selection is None else selected_in(self.definitions, selection)
        mapper = func if chosen is None else lambda spec: func(spec) if spec.key in chosen else spec
        assets = [one if isinstance(one, SourceAsset) else mapped(mapper, one) for one in self.assets]
        return self.replaced(assets=assets)


def map_asset_specs(func: Mapper, iterable: Iterable[Any]) -> list[Any]:
    """Return specs and definitions in which each spec is ``func(spec)``.

    >>> spec, = map_asset_specs(lambda spec: spec.replace_attributes(group_name="sales"), [AssetSpec("orders")])
    >>> spec.group_name
    'sales'
    """
    return [mapped(func, one) for one in iterable]


def mapped(func: Mapper, one: AssetsDefinition | AssetSpec) -> AssetsDefinition | AssetSpec:
    """Return a spec or definition whose specs are ``func(spec)``."""
    return func(one) if isinstance(one, AssetSpec) else one.map_asset_specs(func)


def with_metadata(one: AssetsDefinition | AssetSpec, update: Callable[[Any], Mapping[str, Any]]) -> Any:
    """Return a spec or definition whose metadata, of each asset and check, is ``update(metadata)``."""
    if isinstance(one, AssetSpec):
        return one.replace_attributes(metadata=update(one.metadata))
    new: dict[AssetKey | AssetCheckKey, Any] = {spec.key: update(spec.metadata) for spec in one.specs}
    new |= {check.key: update(check.metadata or {}) for check in one.check_specs}
    return one.with_attributes(metadata_by_key=new)


def refuse_other_nodes(jobs: Iterable[JobDefinition]) -> None:
    """Refuse two different ops or graphs of one name, in whatever jobs of ops: Dagster names them in one space.

    Raises:
        DagsterInvalidDefinitionError: naming both jobs.
    """
    seen: dict[str, tuple[Any, str]] = {}
    for job in jobs:
        for one in [] if job.is_asset_job else job.whole_graph.iterate_node_defs():
            other, where = seen.setdefault(one.name, (one, job.name))
            if other is not one:
                raise DagsterInvalidDefinitionError(
                    f"two different ops or graphs are named `{one.name}`", where=f"jobs `{where}` and `{job.name}`"
                )
