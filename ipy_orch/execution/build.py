"""Contexts made by hand, to call ops, assets, checks and IO managers with in a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Self

from ipy_orch.errors import DagsterInvalidInvocationError
from ipy_orch.execution.contexts.contexts import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from ipy_orch.execution.contexts.io import InputContext, OutputContext
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.execution.resources import OwnResources, ResourceScope
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import RESULT, OpDefinition
from ipy_orch.model.partitions.definition import PartitionKeyRange
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.types.annotations import resolve_dagster_type

__all__ = [
    "DirectContext",
    "build_asset_check_context",
    "build_asset_context",
    "build_input_context",
    "build_op_context",
    "build_output_context",
]

EPHEMERAL: Final = "EPHEMERAL"


class DirectContext(OwnResources, OpExecutionContext):
    """Be a context that isn't of a run. It belongs to an op only while that op is called with it.

    What the function added to its outputs can be read afterwards. Use it by ``with`` where a resource must be closed.
    """

    maker = "build_op_context(resources=...)"

    def __init__(
        self,
        resources: Mapping[str, Any] | None,
        config: Any,
        resources_config: Mapping[str, Any] | None,
        instance: Any,
        partition: str | None,
        tags: Mapping[str, str] | None,
    ) -> None:
        self.given = dict(resources or {})
        self.given_config = config
        written = {key: {"config": value} for key, value in (resources_config or {}).items()}
        run = RunInfo(EPHEMERAL, tags=dict(tags or {}), instance=instance or DagsterInstance.ephemeral())
        super().__init__(None, run, config=config, partition=partition, emit=log_record)
        self.hold(ResourceScope(self.given, self.given, written, run, instance=run.instance))

    @property
    def resources(self) -> Any:
        """Return the resources.

        Raises:
            DagsterInvariantViolationError: when one must be closed, and this isn't used by ``with``.
        """
        self.refuse_unclosed()
        return self.own_resources if self.bound_op is not None else self.held(self.given)

    @resources.setter
    def resources(self, resources: Any) -> None:
        self.own_resources = resources

    def get_events(self) -> list[Any]:
        """Return what the function recorded with ``log_event``."""
        return list(self.events)

    @contextmanager
    def bound(
        self, op: OpDefinition, definition: AssetsDefinition | None, config: Any, resources: Any
    ) -> Iterator[Self]:
        """Belong to an op for as long as the block runs.

        Raises:
            DagsterInvalidInvocationError: when it belongs to one already.
        """
        if self.bound_op is not None:
            raise DagsterInvalidInvocationError(
                f"this context is in use by `{self.bound_op.name}`, which hasn't ended", hint="build another one"
            )
        self.bound_op, self.definition, self.config, self.own_resources = op, definition, config, resources
        self.keys = sorted(definition.keys) if definition is not None else ()
        self.checks = sorted(definition.check_keys) if definition is not None else ()
        self.step_key, self.output_metadata, self.events = op.name, {}, []
        try:
            yield self
        finally:
            self.bound_op = self.definition = None
            self.config = self.given_config


class DirectOpExecutionContext(DirectContext):
    """Be what :func:`build_op_context` makes."""


class DirectAssetExecutionContext(DirectContext, AssetExecutionContext):
    """Be what :func:`build_asset_context` makes."""


class DirectAssetCheckExecutionContext(DirectContext, AssetCheckExecutionContext):
    """Be what :func:`build_asset_check_context` makes."""


def build_op_context(
    resources: Mapping[str, Any] | None = None,
    op_config: Any = None,
    resources_config: Mapping[str, Any] | None = None,
    instance: Any = None,
    config: Any = None,
    partition_key: str | None = None,
    run_tags: Mapping[str, str] | None = None,
) -> DirectOpExecutionContext:
    """Return a context to call an op with.

    Args:
        resources: key -> resource or any object.
        op_config: the op's config.
        resources_config: key -> the config of a resource.
        instance: what ``context.instance`` is; an ephemeral one by default.
        config: the same as ``op_config``.
        partition_key: what ``context.partition_key`` is.
        run_tags: the tags of the run.

    Raises:
        DagsterInvalidInvocationError: when config is given twice.
        DagsterResourceFunctionError: when a resource can't be opened.

    >>> context = build_op_context(resources={"db": 5}, run_tags={"team": "core"})
    >>> context.resources.db, context.get_tag("team")
    (5, 'core')
    """
    if op_config and config:
        raise DagsterInvalidInvocationError("give `op_config` or `config`, not both")
    given = op_config if op_config is not None else config
    return DirectOpExecutionContext(resources, given, resources_config, instance, partition_key, run_tags)


def build_asset_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: Mapping[str, Any] | None = None,
    asset_config: Any = None,
    instance: Any = None,
    partition_key: str | None = None,
    run_tags: Mapping[str, str] | None = None,
) -> DirectAssetExecutionContext:
    """Return a context to call an asset with; the arguments are those of :func:`build_op_context`."""
    return DirectAssetExecutionContext(resources, asset_config, resources_config, instance, partition_key, run_tags)


def build_asset_check_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: Mapping[str, Any] | None = None,
    asset_config: Any = None,
    instance: Any = None,
    partition_key: str | None = None,
    run_tags: Mapping[str, str] | None = None,
) -> DirectAssetCheckExecutionContext:
    """Return a context to call a check with; the arguments are those of :func:`build_op_context`."""
    return DirectAssetCheckExecutionContext(
        resources, asset_config, resources_config, instance, partition_key, run_tags
    )


def build_output_context(
    step_key: str | None = None,
    name: str | None = None,
    definition_metadata: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    mapping_key: str | None = None,
    config: Any = None,
    dagster_type: Any = None,
    version: str | None = None,
    resource_config: Mapping[str, Any] | None = None,
    resources: Any = None,
    op_def: OpDefinition | None = None,
    asset_key: Any = None,
    partition_key: str | None = None,
    asset_partitions_def: Any = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    instance: Any = None,
    asset_spec: AssetSpec | None = None,
    metadata: Mapping[str, Any] | None = None,
    output_metadata: Mapping[str, Any] | None = None,
) -> OutputContext:
    """Return a context to call ``IOManager.handle_output`` with.

    Args:
        partition_key: of the run, and of the asset where there's one.
        asset_partition_key_range: the partitions of the asset, where they aren't just that one.
        metadata: the same as ``definition_metadata``.

    Raises:
        DagsterInvalidInvocationError: when partitions are given twice, or a range whose partitions aren't known.

    >>> build_output_context(asset_key="orders").asset_key
    AssetKey(['orders'])
    """
    key = asset_key if asset_key is not None or asset_spec is None else asset_spec.key
    return OutputContext(
        name=RESULT if name is None else name,
        step_key=step_key or "",
        run_id=run_id or "",
        key=AssetKey.from_coercible(key) if key is not None else None,
        partition=partition_key,
        partitions=keys_between(asset_partition_key_range, asset_partitions_def, partition_key, instance),
        partitions_def=asset_partitions_def,
        definition_metadata=dict(definition_metadata or metadata or {}),
        dagster_type=resolve_dagster_type(dagster_type) if dagster_type is not None else None,
        resources=opened(resources),
        resource_config=resource_config,
        op_def=op_def,
        config=config,
        version=version,
        mapping_key=mapping_key,
        spec=asset_spec,
        output_metadata=dict(output_metadata or {}),
        run=replace(RunInfo(EPHEMERAL), instance=instance),
        emit=log_record,
    )


def build_input_context(
    name: str | None = None,
    config: Any = None,
    definition_metadata: Mapping[str, Any] | None = None,
    upstream_output: OutputContext | None = None,
    dagster_type: Any = None,
    resource_config: Mapping[str, Any] | None = None,
    resources: Any = None,
    op_def: OpDefinition | None = None,
    step_context: Any = None,
    asset_key: Any = None,
    partition_key: str | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    asset_partitions_def: Any = None,
    instance: Any = None,
    metadata: Mapping[str, Any] | None = None,
) -> InputContext:
    """Return a context to call ``IOManager.load_input`` with; see :func:`build_output_context`.

    Args:
        upstream_output: the context that the value was stored with.
        dagster_type: the type that the reader asks for, or its annotation.

    Raises:
        DagsterInvalidInvocationError: when partitions are given twice, or a range whose partitions aren't known.

    >>> build_input_context(asset_key="orders", partition_key="2026-01-01").asset_partition_key
    '2026-01-01'
    """
    return InputContext(
        name=RESULT if name is None else name,
        key=AssetKey.from_coercible(asset_key) if asset_key is not None else None,
        partition=partition_key,
        partitions=keys_between(asset_partition_key_range, asset_partitions_def, partition_key, instance),
        partitions_def=asset_partitions_def,
        definition_metadata=dict(definition_metadata or metadata or {}),
        dagster_type=resolve_dagster_type(dagster_type) if dagster_type is not None else None,
        resources=opened(resources),
        resource_config=resource_config,
        op_def=op_def,
        step=step_context,
        config=config,
        run=replace(RunInfo(EPHEMERAL), instance=instance),
        emit=log_record,
        upstream=lambda: upstream_output,
    )


def keys_between(
    given: PartitionKeyRange | None, definition: Any, partition: str | None, instance: Any
) -> Sequence[str] | None:
    """Return the partitions of a range, or the one partition; None where neither is given.

    Raises:
        DagsterInvalidInvocationError: when a partition is given too, or the partitions between aren't known.
    """
    if given is None:
        return None if partition is None else [partition]
    if partition is not None:
        raise DagsterInvalidInvocationError("give `partition_key` or `asset_partition_key_range`, not both")
    if definition is not None:
        keys: Sequence[str] = definition.get_partition_keys_in_range(given, dynamic_partitions_store=instance)
        return keys
    if given.start != given.end:
        raise DagsterInvalidInvocationError(
            "which partitions lie in `asset_partition_key_range` isn't known", hint="give `asset_partitions_def` too"
        )
    return [given.start]


def opened(resources: Any) -> Any:
    """Return resources as a context gives them; they stay open as long as somebody holds them."""
    if not resources:
        return NO_RESOURCES
    if not isinstance(resources, Mapping):  # opened already: the `resources` of another context
        return resources
    scope = ResourceScope(resources, resources)
    return scope.__enter__().namespace(resources)


def log_record(level: str, text: str) -> None:
    """Hand a record on to Python's logging: there's no run that could keep it."""
    number = logging.getLevelName(level)
    logging.getLogger("ipy_orch.step").log(number if isinstance(number, int) else logging.INFO, "%s", text)
