"""``@observable_source_asset`` and ``@multi_observable_source_asset``: functions that look at assets made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from ipy_orch.authoring.assets import check_options, define_asset, define_multi_asset
from ipy_orch.errors import warn
from ipy_orch.model.assets import OBSERVATION, AssetsDefinition, external
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.specs import AssetSpec

__all__ = ["external_assets_from_specs", "multi_observable_source_asset", "observable_source_asset"]

Function = Callable[..., Any]


@overload
def observable_source_asset(observe_fn: Function, /) -> AssetsDefinition: ...
@overload
def observable_source_asset(observe_fn: None = None, /, **options: Any) -> Callable[[Function], AssetsDefinition]: ...
def observable_source_asset(observe_fn: Function | None = None, /, **options: Any) -> Any:
    """Make an asset that something else materializes, and that the function looks at.

    The function returns a DataVersion, or an ObserveResult.

    Args:
        observe_fn: the function, when the decorator is used without arguments.
        **options: those of :func:`define_observation`.

    Example:
        >>> @observable_source_asset(group_name="ingest")
        ... def landing_zone():
        ...     return DataVersion("2024-01-01")
        >>> landing_zone.is_observable, landing_zone.is_materializable
        (True, False)
    """
    if observe_fn is not None:
        return define_observation(observe_fn)
    check_options("observable_source_asset", define_observation, options)
    return lambda function: define_observation(function, **options)


def define_observation(
    function: Function,
    *,
    key: Any = None,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    io_manager_key: str | None = None,
    io_manager_def: Any = None,
    description: str | None = None,
    group_name: str | None = None,
    required_resource_keys: set[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    partitions_def: Any = None,
    auto_observe_interval_minutes: float | None = None,
    automation_condition: Any = None,
    op_tags: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    origin: str = "",
) -> AssetsDefinition:
    """Return the asset that ``function`` observes; the arguments are those of Dagster's ``@observable_source_asset``.

    Args:
        auto_observe_interval_minutes: as in Dagster, on its way out: nothing observes by itself.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
    """
    if auto_observe_interval_minutes is not None:
        told = "`auto_observe_interval_minutes` has no effect here: `automation_condition` says when to observe"
        warn(told, DeprecationWarning)
    return define_asset(
        function,
        key=key,
        name=name,
        key_prefix=key_prefix,
        metadata=metadata,
        io_manager_key=io_manager_key,
        io_manager_def=io_manager_def,
        description=description,
        group_name=group_name,
        required_resource_keys=required_resource_keys,
        resource_defs=resource_defs,
        partitions_def=partitions_def,
        automation_condition=automation_condition,
        op_tags=op_tags,
        tags=tags,
        owners=owners,
        origin=origin,
        execution=OBSERVATION,
    )


def multi_observable_source_asset(**options: Any) -> Callable[[Function], AssetsDefinition]:
    """Make several assets that one function looks at; the options are those of :func:`define_multi_observation`."""
    check_options("multi_observable_source_asset", define_multi_observation, options)
    return lambda function: define_multi_observation(function, **options)


def define_multi_observation(
    function: Function,
    *,
    specs: Sequence[AssetSpec],
    name: str | None = None,
    description: str | None = None,
    partitions_def: Any = None,
    can_subset: bool = False,
    required_resource_keys: set[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    origin: str = "",
) -> AssetsDefinition:
    """Return the assets that ``function`` observes; it yields an ObserveResult for each.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
    """
    return define_multi_asset(
        function,
        specs=specs,
        name=name,
        description=description,
        partitions_def=partitions_def,
        can_subset=can_subset,
        required_resource_keys=required_resource_keys,
        resource_defs=resource_defs,
        group_name=group_name,
        check_specs=check_specs,
        origin=origin,
        execution=OBSERVATION,
    )


def external_assets_from_specs(specs: Sequence[AssetSpec]) -> list[AssetsDefinition]:
    """Return one definition of an external asset for each spec; ``Definitions`` takes the specs themselves as well."""
    return [external(spec) for spec in specs]
