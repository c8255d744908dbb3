"""Jobs of assets: a selection with a name, and with what its runs are given: config, tags, resources, retries.

A job says what runs; how it runs is the engine's, as for ``materialize``. It is defined before the assets are known
(:func:`define_asset_job`), and a :class:`~ipy_orch.model.definitions.Definitions` resolves it against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidSubsetError, DagsterInvariantViolationError, closest
from ipy_orch.model.config import RunConfig
from ipy_orch.model.keys import AssetCheckKey, AssetKey, FrozenList, valid_name
from ipy_orch.model.port import Port
from ipy_orch.model.specs import valid_tags

if TYPE_CHECKING:
    from ipy_orch.model.assets import AssetsDefinition
    from ipy_orch.model.metadata import MetadataValue
    from ipy_orch.model.ops import OpDefinition
    from ipy_orch.model.policies import RetryPolicy

__all__ = ["AssetLayer", "JobDefinition", "UnresolvedAssetJobDefinition", "define_asset_job"]

IMPLICIT_JOB: Final = "__ASSET_JOB"

as_selection: Port[[Any], Any] = Port("ipy_orch.planning.jobs")
resolve: Port[..., JobDefinition] = Port("ipy_orch.planning.jobs")
steps_of: Port[[AssetLayer], Sequence[OpDefinition]] = Port("ipy_orch.planning.jobs")
execute: Port[..., Any] = Port("ipy_orch.execution.jobs")


@dataclass(frozen=True, eq=False)
class UnresolvedAssetJobDefinition:
    """Be a job of assets that doesn't know the assets yet; :func:`define_asset_job` makes one."""

    name: str
    selection: Any
    config: Mapping[str, Any] | RunConfig | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    run_tags: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    partitions_def: Any = None
    executor_def: Any = None
    hooks: frozenset[Any] = frozenset()
    op_retry_policy: RetryPolicy | None = None
    owners: Sequence[str] = FrozenList()
    automation_condition: Any = None

    def resolve(
        self,
        asset_graph: Any,
        default_executor_def: Any = None,
        resource_defs: Mapping[str, Any] | None = None,
        loggers: Mapping[str, Any] | None = None,
    ) -> JobDefinition:
        """Return the job over the assets of a graph.

        Raises:
            DagsterInvalidDefinitionError: when the selection, or a resource that its assets need, isn't there.
        """
        return resolve(self, asset_graph, default_executor_def, resource_defs or {}, loggers or {})

    def with_metadata(self, metadata: Mapping[str, Any]) -> UnresolvedAssetJobDefinition:
        """Return a copy with this metadata instead of its own."""
        return replace(self, metadata=dict(metadata))


def define_asset_job(
    name: str,
    selection: Any = None,
    config: Mapping[str, Any] | RunConfig | None = None,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    partitions_def: Any = None,
    executor_def: Any = None,
    hooks: Iterable[Any] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: Any = None,
) -> UnresolvedAssetJobDefinition:
    """Give a selection of assets a name, for a ``Definitions(jobs=[...])``.

    Args:
        name: letters, digits and underscores.
        selection: an AssetSelection, or what becomes one: a text, keys, definitions; all assets by default.
        config: what its runs get where they aren't given any.
        tags: the job's.
        run_tags: its runs'; by default the job's.
        op_retry_policy: of the ops that have none of their own.

    Raises:
        DagsterInvalidDefinitionError: for a name or tags that aren't well formed.
        DagsterInvalidSubsetError: for a selection of another type.
        CheckError: for a config of another type.

    >>> define_asset_job("nightly", "group:sales").name
    'nightly'
    """
    if config is not None and not isinstance(config, Mapping | RunConfig):
        raise CheckError(f"the config of job `{name}` is a dict or a RunConfig, not {config!r}")
    where = f"job `{name}`"
    return UnresolvedAssetJobDefinition(
        valid_name(name, "name of a job"),
        as_selection("*" if selection is None else selection),
        config,
        description,
        valid_tags(tags, where),
        None if run_tags is None else valid_tags(run_tags, where),
        dict(metadata or {}),
        partitions_def,
        executor_def,
        frozenset(hooks or ()),
        op_retry_policy,
        FrozenList(owners or ()),
        automation_condition,
    )


@dataclass(frozen=True, eq=False)
class AssetLayer:
    """Say which assets and checks of a graph a job runs.

    Args:
        asset_graph: the AssetGraph, also of what isn't run: inputs are loaded from there.
    """

    asset_graph: Any
    executable_asset_keys: frozenset[AssetKey]
    executable_check_keys: frozenset[AssetCheckKey]

    @property
    def selected_asset_keys(self) -> frozenset[AssetKey]:
        """Return the assets that run, under Dagster's other name."""
        return self.executable_asset_keys

    @property
    def definitions(self) -> list[AssetsDefinition]:
        """Return the definitions of which something runs, each once, upstream first."""
        graph = self.asset_graph
        makers = [graph.maker(key) for key in graph.in_order(self.executable_asset_keys)]
        checkers = [graph.check_makers[key] for key in graph.checks if key in self.executable_check_keys]
        return list(dict.fromkeys([*makers, *checkers]))

    def subset(self, assets: Iterable[Any] | None, checks: Iterable[AssetCheckKey] | None) -> AssetLayer:
        """Return the part with these assets, and with these checks: by default those of the assets.

        Raises:
            DagsterInvalidSubsetError: when the job doesn't run one of them, with the closest name.
        """
        keys = frozenset(map(AssetKey.from_coercible, assets or ()))
        own = frozenset(check for check in self.executable_check_keys if check.asset_key in keys)
        chosen = own if checks is None else frozenset(checks)
        for one in sorted(map(str, (keys - self.executable_asset_keys) | (chosen - self.executable_check_keys))):
            known = map(str, self.executable_asset_keys | self.executable_check_keys)
            raise DagsterInvalidSubsetError(f"the job doesn't run `{one}`", hint=closest(one, known))
        return replace(self, executable_asset_keys=keys, executable_check_keys=chosen)


@dataclass(frozen=True, eq=False)
class JobGraph:
    """Hold the ops of an asset job: one per step."""

    name: str
    all_node_defs: tuple[OpDefinition, ...]

    @property
    def node_defs(self) -> list[OpDefinition]:
        """Return the ops, each once."""
        return list(dict.fromkeys(self.all_node_defs))

    def iterate_op_defs(self) -> Iterable[OpDefinition]:
        """Return the op of each step; one whose definition is run in parts comes several times."""
        return iter(self.all_node_defs)


@dataclass(frozen=True, eq=False, repr=False)
class JobDefinition:
    """Be a job that knows its assets; a ``Definitions`` makes it of what :func:`define_asset_job` returned.

    Args:
        asset_layer: what it runs.
        resource_defs: all that its assets need.
        config: what its runs get where they aren't given any.
    """

    name: str
    asset_layer: AssetLayer
    resource_defs: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] | RunConfig | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    run_tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    partitions_def: Any = None
    executor_def: Any = None
    loggers: Mapping[str, Any] = field(default_factory=dict)
    hook_defs: frozenset[Any] = frozenset()
    op_retry_policy: RetryPolicy | None = None
    owners: Sequence[str] = FrozenList()
    automation_condition: Any = None

    @property
    def all_node_defs(self) -> Sequence[OpDefinition]:
        """Return the ops of its steps, upstream first."""
        return steps_of(self.asset_layer)

    @property
    def graph(self) -> JobGraph:
        """Return its ops, as Dagster's tools look for them."""
        return JobGraph(self.name, tuple(self.all_node_defs))

    def has_node_named(self, name: str) -> bool:
        """Tell whether one of its ops has this name."""
        return any(op.name == name for op in self.all_node_defs)

    def node_named(self, name: str) -> OpDefinition:
        """Return an op by name.

        Raises:
            DagsterInvariantViolationError: when it has none of this name, with the closest.
        """
        ops = {op.name: op for op in self.all_node_defs}
        if name not in ops:
            raise DagsterInvariantViolationError(f"job `{self.name}` has no op `{name}`", hint=closest(name, ops))
        return ops[name]

    def get_subset(
        self,
        *,
        asset_selection: Iterable[Any] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> JobDefinition:
        """Return the job with some of its assets and checks.

        Raises:
            DagsterInvalidSubsetError: when it doesn't run one of them.
        """
        if asset_selection is None and asset_check_selection is None:
            return self
        return replace(self, asset_layer=self.asset_layer.subset(asset_selection, asset_check_selection))

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: Any = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        asset_selection: Iterable[Any] | None = None,
        run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run it here and now, step after step, and return the ExecuteInProcessResult.

        Values stay in memory unless an ``io_manager`` is given.

        Args:
            run_config: its sections take the place of those of the job's own config.
            asset_selection: some of its assets, with their checks; all by default.
            tags: beside the job's own.
            resources: beside the job's own, or instead.

        Raises:
            DagsterInvalidConfigError: when the config doesn't fit; nothing has run then.
            DagsterInvalidSubsetError: when it doesn't run an asset selected, or can't run it alone.
            Exception: what the user's code raised, unless ``raise_on_error`` is false.
        """
        return execute(
            self.get_subset(asset_selection=asset_selection),
            run_config=run_config,
            instance=instance,
            partition_key=partition_key,
            raise_on_error=raise_on_error,
            run_id=run_id or "",
            tags=tags or {},
            resources=resources or {},
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
