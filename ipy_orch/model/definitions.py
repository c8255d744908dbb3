"""All that a code location defines, as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.assets import AssetsDefinition, SourceAsset, external
from ipy_orch.model.jobs import IMPLICIT_JOB, JobDefinition, UnresolvedAssetJobDefinition, define_asset_job
from ipy_orch.model.keys import AssetCheckKey, AssetKey, FrozenList
from ipy_orch.model.metadata import normalize_metadata
from ipy_orch.model.ops import IO_MANAGER, set_all
from ipy_orch.model.port import Port
from ipy_orch.model.resource_checks import check_resources
from ipy_orch.model.resources import as_resource
from ipy_orch.model.specs import AssetSpec, refuse_others

if TYPE_CHECKING:
    from ipy_orch.model.metadata import MetadataValue

__all__ = ["Definitions", "map_asset_specs"]

PARTS = ("assets", "schedules", "sensors", "jobs", "asset_checks")
HOME = "ipy_orch.planning.definitions"

graph_of: Port[[Iterable[AssetsDefinition]], Any] = Port(HOME)
selected_in: Port[[Iterable[AssetsDefinition], Any], frozenset[AssetKey]] = Port(HOME)
load_from: Port[..., Any] = Port("ipy_orch.execution.load")

Mapper = Callable[[AssetSpec], AssetSpec]


@dataclass(frozen=True, init=False)
class Definitions:
    """Hold assets, checks, jobs and resources (and, with later issues, schedules and sensors).

    What contradicts what is found when it is asked for, or by :meth:`validate_loadable`; here only types are checked.

    Args:
        assets: definitions; an AssetSpec stands for an external asset.
        asset_checks: definitions of checks.
        jobs: what ``define_asset_job`` returned.
        resources: key -> ConfigurableResource, IO manager, or any object.
        executor: runs the steps.

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
        refuse_others(lists[3], JobDefinition | UnresolvedAssetJobDefinition, "`jobs`", "a job")
        refuse_others(lists[4], AssetsDefinition, "`asset_checks`", "a check")
        for name, one in {"executor": executor, **(loggers or {})}.items():
            if isinstance(one, str | bytes | int | float):
                raise CheckError(f"`{name}` is an executor or a logger, not {one!r}")
        values = (*lists[:4], keyed(resources, "resources"), executor, keyed(loggers, "loggers"), lists[4])
        set_all(self, (*values, normalize_metadata(metadata or {}), component_tree))

    @property
    def definitions(self) -> tuple[AssetsDefinition, ...]:
        """Return all definitions of assets and checks, each once; specs as external assets."""
        specs: dict[AssetKey, AssetSpec] = {}
        found: dict[int, AssetsDefinition] = {}
        for one in (*self.assets, *self.asset_checks):
            made = external(one) if isinstance(one, AssetSpec) else one
            if isinstance(one, AssetSpec) and specs.setdefault(one.key, one) is not one:
                if specs[one.key] != one:
                    raise DagsterInvalidDefinitionError(f"`{one.key}` has two specs, and they differ")
                continue
            found[id(one)] = made
        return tuple(found.values())

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
        """Check that everything fits together: keys, cycles, and that each resource asked for is there.

        Raises:
            DagsterInvalidDefinitionError: where it doesn't.
        """
        graph = defs.resolve_asset_graph()
        check_resources(defs.resources)
        resources = all_resources(defs.definitions, defs.resources)
        for one in defs.definitions:
            needed(resources, one.required_resource_keys, f"`{one.label}`")
            refuse_unmade(one, [key for key in graph.keys if not graph.maker(key).is_auto_created_stub])
        defs.resolve_all_job_defs()

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
            raise DagsterInvariantViolationError(f"there is no check `{key}`", hint=closest(str(key), map(str, known)))
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
    def jobs_by_name(self) -> Mapping[str, JobDefinition]:
        """Return name -> job against these assets; first the one of all assets, where something computes any."""
        graph = self.resolve_asset_graph()
        given: dict[str, Any] = {}
        for job in self.jobs:
            if job.name == IMPLICIT_JOB:
                raise DagsterInvalidDefinitionError(f"`{IMPLICIT_JOB}` is the name of the job of all assets")
            if given.setdefault(job.name, job) is not job:
                raise DagsterInvalidDefinitionError(f"two jobs are named `{job.name}`")
        if graph.executable_keys or graph.checks:
            given = {IMPLICIT_JOB: define_asset_job(IMPLICIT_JOB), **given}
        return {
            name: job
            if isinstance(job, JobDefinition)
            else job.resolve(graph, self.executor, self.resources, self.loggers)
            for name, job in given.items()
        }

    def resolve_all_job_defs(self) -> list[JobDefinition]:
        """Return all jobs, that of all assets among them.

        Raises:
            DagsterInvalidDefinitionError: when two have one name, or something that one needs isn't there.
        """
        return list(self.jobs_by_name.values())

    get_all_job_defs = resolve_all_job_defs

    def resolve_job_def(self, name: str) -> JobDefinition:
        """Return a job by name.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
            DagsterInvalidDefinitionError: as :meth:`resolve_all_job_defs`.
        """
        if name not in self.jobs_by_name:
            raise DagsterInvariantViolationError(f"there is no job `{name}`", hint=closest(name, self.jobs_by_name))
        return self.jobs_by_name[name]

    get_job_def = resolve_job_def

    def has_implicit_global_asset_job_def(self) -> bool:
        """Tell whether there is the job of all assets."""
        return IMPLICIT_JOB in self.jobs_by_name

    def resolve_implicit_global_asset_job_def(self) -> JobDefinition:
        """Return the job of all assets.

        Raises:
            DagsterInvariantViolationError: when nothing computes any.
        """
        return self.resolve_job_def(IMPLICIT_JOB)

    get_implicit_global_asset_job_def = resolve_implicit_global_asset_job_def

    # -- values -------------------------------------------------------------------------------------------------------

    def load_asset_value(
        self,
        asset_key: Any,
        *,
        instance: Any = None,
        partition_key: str | None = None,
        resource_config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value of an asset that an earlier run stored.

        Args:
            instance: that of the run, whose folder holds the values where no IO manager is given.

        Raises:
            DagsterInvariantViolationError: when nothing knows the asset.
            Exception: what its IO manager raises when it has no such value.
        """
        maker = self.resolve_assets_def(asset_key)
        key = AssetKey.from_coercible(asset_key)
        return load_from(key, maker, self.resources, instance, partition_key, resource_config)

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

    def map_resolved_asset_specs(self, *, func: Mapper, selection: Any = None) -> Definitions:
        """Return a copy in which the specs of the assets selected are ``func(spec)``.

        Raises:
            DagsterInvariantViolationError: when there are SourceAssets, which have no specs to map.
            DagsterInvalidSubsetError: when the selection names what doesn't exist.
        """
        old = [one for one in self.assets if isinstance(one, SourceAsset)]
        if old:
            raise DagsterInvariantViolationError(
                f"`{old[0].key}` is a SourceAsset, whose spec can't be mapped", hint=f'AssetSpec("{old[0].key}")'
            )
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


def listed(value: Any, what: str) -> FrozenList[Any]:
    """Return the elements of a list argument.

    Raises:
        CheckError: when it's one thing and not a list of them.
    """
    if value is None:
        return FrozenList()
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise CheckError(f"`{what}` is a list, not {value!r}: write `{what}=[...]`")
    return FrozenList(value)


def keyed(value: Any, what: str) -> dict[str, Any]:
    """Return a map argument.

    Raises:
        CheckError: when it isn't a map from strings.
    """
    if value is not None and (not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value)):
        raise CheckError(f"`{what}` is a map from names, not {value!r}")
    return dict(value or {})


def merged(what: str, maps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one map of several.

    Raises:
        DagsterInvariantViolationError: when two differ in what one key is.
    """
    found: dict[str, Any] = {}
    for key, one in ((key, one) for given in maps for key, one in given.items()):
        before = found.setdefault(key, one)
        if before is not one and not same(before, one):
            raise DagsterInvariantViolationError(f"{what} `{key}` is there twice, and they differ")
    return found


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, taking those that can't say for different."""
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001 - the values are the user's, arrays for instance
        return False


def the_only(what: str, found: Iterable[Any]) -> Any:
    """Return the one that isn't None, or None.

    Raises:
        DagsterInvariantViolationError: when there are two.
    """
    given = list({id(one): one for one in found if one is not None}.values())
    if len(given) > 1:
        raise DagsterInvariantViolationError(f"two of the Definitions have a {what}, and they differ")
    return given[0] if given else None


def all_resources(definitions: Iterable[AssetsDefinition], given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the resources given, and those that definitions carry.

    Raises:
        DagsterInvalidDefinitionError: when two definitions carry different ones of one key.
    """
    carried: dict[str, Any] = {}
    for one in definitions:
        for key, resource in one.resource_defs.items():
            if carried.setdefault(key, resource) is not resource:
                raise DagsterInvalidDefinitionError(f"two assets bring different resources `{key}`", where=one.label)
    return {**(given or {}), **carried}


def needed(known: Mapping[str, Any], keys: Iterable[str], what: str) -> set[str]:
    """Return these resources and all that they need themselves.

    Args:
        what: names the one that needs ``keys``.

    Raises:
        DagsterInvalidDefinitionError: when one isn't known, except the IO manager that is always there.
    """
    front, found = [(key, what) for key in sorted(keys)], set[str]()
    while front:
        key, reader = front.pop()
        if key in found:
            continue
        found.add(key)
        if key in known:
            resource = as_resource(known[key])
            parts = [resource, *resource.__nested__().values()]
            front += [(inner, f"resource `{key}`") for part in parts for inner in sorted(part.__required_keys__)]
        elif key != IO_MANAGER:
            raise DagsterInvalidDefinitionError(
                f"{reader} needs the resource `{key}`, which isn't there",
                hint=closest(key, known) or f'resources={{"{key}": ...}}',
            )
    return found


def refuse_unmade(one: AssetsDefinition, known: Iterable[AssetKey]) -> None:
    """Refuse an argument that loads an asset which nothing makes or declares.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    names = {str(key): key for key in known}
    for argument, key in one.keys_by_input_name.items() if one.op_def is not None else ():
        port = one.op.ins[argument]
        if str(key) not in names and not port.is_nothing and not port.has_default_value:
            raise DagsterInvalidDefinitionError(
                f"`{one.label}` loads `{key}`, which nothing makes",
                where=one.origin,
                hint=closest(str(key), names) or f'AssetSpec("{key}"), if something else makes it',
            )
