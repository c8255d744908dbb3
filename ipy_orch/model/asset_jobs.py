"""Jobs of assets: a selection with a name, and with what its runs are given: config, tags, resources, retries.

It is defined before the assets are known (:func:`define_asset_job`), and a
:class:`~ipy_orch.model.definitions.Definitions` resolves it to a :class:`~ipy_orch.model.jobs.JobDefinition`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidSubsetError, closest, warn
from ipy_orch.model.automation.requests import RunRequest, partitioned_request
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.keys import AssetCheckKey, AssetKey, FrozenList, labels, valid_name
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.port import Port
from ipy_orch.model.tags import valid_tags

if TYPE_CHECKING:
    from ipy_orch.model.assets import AssetsDefinition
    from ipy_orch.model.jobs import JobDefinition
    from ipy_orch.model.policies import RetryPolicy

__all__ = ["AssetLayer", "UnresolvedAssetJobDefinition", "define_asset_job"]

IMPLICIT_JOB: Final = "__ASSET_JOB"

as_selection: Port[[Any], Any] = Port("ipy_orch.planning.jobs")
resolve: Port[..., JobDefinition] = Port("ipy_orch.planning.jobs")


@dataclass(frozen=True, eq=False)
class UnresolvedAssetJobDefinition:
    """Be a job of assets that doesn't know the assets yet; :func:`define_asset_job` makes one."""

    name: str
    selection: Any
    config: Mapping[str, Any] | RunConfig | PartitionedConfig | None = None
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

    def run_request_for_partition(self, partition_key: str, run_key: str | None = None, **options: Any) -> RunRequest:
        """Return the request for a run of one partition, with its config and tags.

        Args:
            options: those of :meth:`JobDefinition.run_request_for_partition`.

        Raises:
            DagsterUnknownPartitionError: when there's none of this key.
            CheckError: when the job doesn't say its partitions itself.
        """
        cut = self.partitions_def or getattr(self.config, "partitions_def", None)
        if cut is None:
            raise CheckError(
                f"job `{self.name}` doesn't say its partitions: give it `partitions_def`, or ask for "
                f'`RunRequest(partition_key="{partition_key}")`'
            )
        told = PartitionedConfig.from_flexible_config(self.config, cut)
        return partitioned_request(told, self.name, partition_key, run_key, **options)

    def with_metadata(self, metadata: Mapping[str, Any]) -> UnresolvedAssetJobDefinition:
        """Return a copy with this metadata instead of its own."""
        return replace(self, metadata=dict(metadata))


def define_asset_job(
    name: str,
    selection: Any = None,
    config: Mapping[str, Any] | RunConfig | PartitionedConfig | None = None,
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
        partitions_def: as in Dagster, on its way out: a job has the partitions of its assets.
        op_retry_policy: of the ops that have none of their own.

    Raises:
        DagsterInvalidDefinitionError: for a name or tags that aren't well formed.
        DagsterInvalidSubsetError: for a selection of another type.
        CheckError: for a config of another type.

    >>> define_asset_job("nightly", "group:sales").name
    'nightly'
    """
    if config is not None and not isinstance(config, Mapping | RunConfig | PartitionedConfig):
        raise CheckError(f"the config of job `{name}` is a dict, a RunConfig or a PartitionedConfig, not {config!r}")
    if partitions_def is not None:
        told = f"`partitions_def` of job `{name}` says nothing new: a job has the partitions of its assets"
        warn(told, DeprecationWarning)
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
        asset_selection: the assets that were asked for, where only some of the job's are; ``asset_check_selection``
            likewise.
    """

    asset_graph: Any
    executable_asset_keys: frozenset[AssetKey]
    executable_check_keys: frozenset[AssetCheckKey]
    asset_selection: frozenset[AssetKey] = frozenset()
    asset_check_selection: frozenset[AssetCheckKey] | None = None

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

    def cuts(self) -> Iterator[Any]:
        """Yield how each asset and each check that runs is partitioned, None for one that isn't."""
        graph = self.asset_graph
        if graph.is_partitioned:
            yield from (graph.spec(key).partitions_def for key in self.executable_asset_keys)
            yield from (graph.checks[check].partitions_def for check in self.executable_check_keys)

    def subset(self, assets: Iterable[Any] | None, checks: Iterable[AssetCheckKey] | None) -> AssetLayer:
        """Return the part with these assets, and with these checks: by default those of the assets.

        Raises:
            DagsterInvalidSubsetError: when the job doesn't run one of them, with the closest name.
        """
        keys = frozenset(map(AssetKey.from_coercible, assets or ()))
        own = frozenset(check for check in self.executable_check_keys if check.asset_key in keys)
        chosen = own if checks is None else frozenset(checks)
        for one in sorted(labels((keys - self.executable_asset_keys) | (chosen - self.executable_check_keys))):
            known = labels(self.executable_asset_keys | self.executable_check_keys)
            raise DagsterInvalidSubsetError(f"the job doesn't run `{one}`", hint=closest(one, known))
        asked = None if checks is None else chosen
        return AssetLayer(self.asset_graph, keys, chosen, keys, asked)
