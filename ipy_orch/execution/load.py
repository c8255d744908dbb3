"""Load the value of an asset outside a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self, TypeAlias

from ipy_orch.execution.capture import installed
from ipy_orch.execution.contexts.io import InputContext
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.execution.inputs import upstream_context
from ipy_orch.execution.iomanagers import FilesystemIOManager
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions, load_from, value_loader
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.model.types.annotations import resolve_dagster_type
from ipy_orch.planning.config import Resolved, resolve_run_config

__all__ = ["AssetValueLoader", "load_asset_value", "load_value"]

Opening: TypeAlias = Callable[
    [Mapping[str, Any], Sequence[str], Mapping[str, Any]], AbstractContextManager[ResourceScope]
]


class AssetValueLoader:
    """Load values of assets that earlier runs stored, one after the other.

    Use it by ``with``: what the IO managers need is opened when it is first needed, and closed at the end.

    >>> from ipy_orch import DagsterInstance, asset, materialize
    >>> @asset
    ... def orders():
    ...     return [1, 2]
    >>> with DagsterInstance.ephemeral() as instance:
    ...     result = materialize([orders], instance=instance)
    ...     with Definitions(assets=[orders]).get_asset_value_loader(instance) as loader:
    ...         loader.load_asset_value("orders")
    [1, 2]
    """

    def __init__(self, definitions: Definitions, instance: Any = None) -> None:
        self.definitions, self.instance = definitions, instance or DagsterInstance.get()
        self.files = FilesystemIOManager()
        self.scopes: list[ResourceScope] = []  # more than one where two assets bring different resources of one key

    def load_asset_value(
        self,
        asset_key: Any,
        *,
        python_type: Any = None,
        partition_key: str | None = None,
        input_definition_metadata: Mapping[str, Any] | None = None,
        resource_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value of an asset.

        Args:
            python_type: what the IO manager is asked for.
            input_definition_metadata: what the IO manager finds as the reader's.
            metadata: the same.

        Raises:
            DagsterInvariantViolationError: when nothing knows the asset.
            Exception: what its IO manager raises when it has no such value.
        """
        return load_asset_value(
            AssetKey.from_coercible(asset_key),
            self.definitions.resolve_assets_def(asset_key),
            {"io_manager": self.files, **self.definitions.resources},
            self.instance,
            partition_key,
            resource_config,
            metadata=input_definition_metadata if input_definition_metadata is not None else metadata,
            python_type=python_type,
            opening=self.opening,
        )

    @contextmanager
    def opening(
        self, known: Mapping[str, Any], keys: Sequence[str], config: Mapping[str, Any]
    ) -> Iterator[ResourceScope]:
        """Have resources open, which stay so."""
        wanted = {key: known[key] for key in keys if key in known}
        fitting = (
            one for one in self.scopes if all(one.definitions.get(key, own) is own for key, own in wanted.items())
        )
        scope = next(fitting, None)
        if scope is None:
            scope = ResourceScope(known, (), config, instance=self.instance)
            self.scopes.append(scope)
        scope.open_also(known, keys)
        yield scope

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self.scopes:
            self.scopes.pop().close()


@value_loader.supply
def loader_of(definitions: Definitions, instance: Any = None) -> AssetValueLoader:
    """Return what loads values of several assets of a Definitions."""
    return AssetValueLoader(definitions, instance)


@load_from.supply
def load_asset_value(
    key: AssetKey,
    maker: AssetsDefinition,
    resources: Mapping[str, Any],
    instance: Any = None,
    partition: str | None = None,
    resource_config: Mapping[str, Any] | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    python_type: Any = None,
    opening: Opening | None = None,
) -> Any:
    """Return the value of an asset that an earlier run stored; without an IO manager, in the instance's folder.

    Args:
        metadata: what the IO manager finds as the reader's.
        python_type: what the IO manager is asked for.
        opening: opens resources; by default for this value only.

    Raises:
        DagsterInvalidConfigError: when the config of a resource doesn't fit.
    """
    given = {"io_manager": FilesystemIOManager(), **resources, **maker.resource_defs}
    config = resolve_run_config({"resources": dict(resource_config or {})}, {}, given)
    reader = {
        "definition_metadata": dict(metadata or {}),
        "dagster_type": resolve_dagster_type(python_type) if python_type is not None else None,
    }
    return load_value(key, maker, given, config, partition, instance or DagsterInstance.get(), reader, opening)


def load_value(
    key: AssetKey,
    maker: AssetsDefinition,
    resources: Mapping[str, Any],
    config: Resolved | None = None,
    partition: str | Sequence[str] | None = None,
    instance: Any = None,
    reader: Mapping[str, Any] | None = None,
    opening: Opening | None = None,
) -> Any:
    """Return the value of an asset as its IO manager has it.

    Args:
        partition: or several, which the IO manager gives as it does.
        reader: what the IO manager's context tells of the reader.
        opening: opens resources; by default for this value only.

    Raises:
        DagsterInvariantViolationError: when the manager has none.
    """
    manager = maker.get_io_manager_key_for_asset_key(key)
    known = {**maker.resource_defs, **resources}
    own = as_resource(known[manager]).__required_keys__ if manager in known else ()
    opened = opening or (lambda known, keys, config: ResourceScope(known, keys, config, instance=instance))
    partitions = [partition] if isinstance(partition, str) else None if partition is None else [*partition]
    with installed(), opened(known, [manager, *own], config.resources if config else {}) as scope:
        context = InputContext(
            "value",
            key,
            partition=partition if isinstance(partition, str) else None,
            partitions=partitions,
            resources=scope.namespace(own) if own else NO_RESOURCES,
            spec=maker.specs_by_key.get(key),
            resource_config=config.resource_config(manager) if config and manager in config.definitions else None,
            run=RunInfo("", instance=instance),
            upstream=lambda: upstream_context(key, maker, partitions),
            **(reader or {}),
        )
        return scope.objects[manager].load_input(context)
