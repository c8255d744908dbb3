"""What IO managers learn about what they store and load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.contexts import NO_RESOURCES, RunInfo, StepLog
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata import normalize_metadata
from ipy_orch.model.ops import RESULT, OpDefinition
from ipy_orch.model.results import AssetMaterialization, AssetObservation
from ipy_orch.model.specs import AssetSpec

__all__ = ["InputContext", "OutputContext"]


@dataclass(eq=False)
class IOContext:
    """Be what InputContext and OutputContext share: who, which partition, with what.

    Args:
        name: of the input or output.
        key: the asset, where it is one.
        step_key: the step that makes it, or that reads it.
        definition_metadata: what the definition says of it.
        dagster_type: its declared type.
        resources: those that the IO manager requires.
        resource_config: the config of the IO manager itself.
        config: what run config says of this input or output.
        data_version: what names its content; ours.
        spec: of the asset.
        run: the run, None outside of one.
        emit: takes a log record's level and text.
        mapping_key: of a dynamic output.
    """

    name: str = RESULT
    key: AssetKey | None = None
    step_key: str = ""
    run_id: str = ""
    partition: str | None = None
    definition_metadata: Mapping[str, Any] = field(default_factory=dict)
    dagster_type: Any = None
    resources: Any = NO_RESOURCES
    resource_config: Any = None
    op_def: OpDefinition | None = None
    config: Any = None
    data_version: str | None = None
    spec: AssetSpec | None = None
    run: RunInfo | None = None
    emit: Callable[[str, str], None] = lambda _level, _text: None
    mapping_key: str | None = None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the definition's metadata."""
        return self.definition_metadata

    @property
    def log(self) -> StepLog:
        """Return a logger whose records become events of the step."""
        return StepLog(self.emit)

    @property
    def instance(self) -> Any:
        """Return the instance that keeps the events."""
        return self.run.instance if self.run is not None else None

    # -- which asset --

    @property
    def has_asset_key(self) -> bool:
        """Tell whether this is about an asset."""
        return self.key is not None

    @property
    def asset_key(self) -> AssetKey:
        """Return the asset.

        Raises:
            DagsterInvariantViolationError: when this isn't about an asset.
        """
        if self.key is None:
            raise DagsterInvariantViolationError(f"`{self.name}` of `{self.step_key}` isn't an asset")
        return self.key

    @property
    def asset_spec(self) -> AssetSpec:
        """Return the spec of the asset.

        Raises:
            DagsterInvariantViolationError: when this isn't about an asset that is defined here.
        """
        if self.spec is None:
            raise DagsterInvariantViolationError(
                f"`{self.name}` of `{self.step_key}` isn't an asset that is defined here"
            )
        return self.spec

    # -- which partition --

    @property
    def has_partition_key(self) -> bool:
        """Tell whether this is about a partition."""
        return self.partition is not None

    @property
    def has_asset_partitions(self) -> bool:
        """Tell whether this is about partitions of an asset."""
        return self.partition is not None and self.key is not None

    @property
    def partition_key(self) -> str:
        """Return the partition.

        Raises:
            DagsterInvariantViolationError: when there are none.
        """
        if self.partition is None:
            raise DagsterInvariantViolationError(f"`{self.name}` of `{self.step_key}` isn't partitioned")
        return self.partition

    @property
    def asset_partition_key(self) -> str:
        """Return the partition of the asset."""
        return self.partition_key

    @property
    def asset_partition_keys(self) -> Sequence[str]:
        """Return the partitions of the asset."""
        return [self.partition_key]

    # -- where to keep it --

    def get_asset_identifier(self) -> Sequence[str]:
        """Return the asset's path, and the partition, as path parts for a store."""
        return [*self.asset_key.path, *([self.partition] if self.partition is not None else [])]

    def get_run_scoped_output_identifier(self) -> Sequence[str]:
        """Return path parts that are this value's alone: run, step, output."""
        parts = [self.run_id, self.step_key, self.name]
        return [*parts, self.mapping_key] if self.mapping_key is not None else parts

    def get_identifier(self) -> Sequence[str]:
        """Return path parts that are this value's alone, also among other runs."""
        return self.get_run_scoped_output_identifier()


@dataclass(eq=False)
class OutputContext(IOContext):
    """Tell an IO manager what it stores.

    Args:
        seconds: what the value took to compute, for managers that keep a cache; ours.
        output_metadata: what the step said of the value.
        added: what the IO manager says of it.
        logged: what else it reports.
        version: the code version of the step.
    """

    seconds: float = 0.0
    output_metadata: Mapping[str, Any] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)
    logged: list[Any] = field(default_factory=list)
    version: str | None = None

    def add_output_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add metadata to the materialization.

        Raises:
            DagsterInvalidMetadata: when a value can't be metadata.
        """
        self.added.update(normalize_metadata(metadata))

    def log_event(self, event: Any) -> None:
        """Record a materialization of another asset, or an observation."""
        self.logged.append(event)

    def get_logged_events(self) -> Sequence[AssetMaterialization | AssetObservation]:
        """Return what was recorded."""
        return list(self.logged)

    def get_logged_metadata(self) -> Mapping[str, Any]:
        """Return the metadata that was added."""
        return dict(self.added)

    @property
    def upstream_output(self) -> None:
        """Return None: this is the output."""
        return None


@dataclass(eq=False)
class InputContext(IOContext):
    """Tell an IO manager what it loads.

    Args:
        upstream: makes the context that the value was stored with, when it is asked for.
        added: what the IO manager says of the loading.
        seen: the same, as observations of the asset.
    """

    upstream: Callable[[], OutputContext | None] = lambda: None
    added: dict[str, Any] = field(default_factory=dict)
    seen: list[AssetObservation] = field(default_factory=list)

    @cached_property
    def upstream_output(self) -> OutputContext | None:
        """Return the context that the value was stored with, None where it isn't an output."""
        return self.upstream()

    @property
    def has_input_name(self) -> bool:
        """Tell whether an input of a step is loaded, and not just a value."""
        return self.op_def is not None

    def get_identifier(self) -> Sequence[str]:
        """Return the path parts under which the output upstream was stored.

        Raises:
            DagsterInvariantViolationError: when no output is known.
        """
        if self.upstream_output is None:
            raise DagsterInvariantViolationError(f"`{self.name}` of `{self.step_key}` isn't known to be an output")
        return self.upstream_output.get_identifier()

    def add_input_metadata(self, metadata: Mapping[str, Any], description: str | None = None) -> None:
        """Add metadata to the loading; of an asset, it is an observation.

        Raises:
            DagsterInvalidMetadata: when a value can't be metadata.
        """
        self.added.update(normalize_metadata(metadata))
        if self.key is not None:
            self.seen.append(AssetObservation(self.key, description, metadata, self.partition))

    def get_observations(self) -> Sequence[AssetObservation]:
        """Return what was observed of the asset."""
        return list(self.seen)
