"""What IO managers learn about what they store and load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.execution.contexts.logs import StepLog
from ipy_orch.execution.contexts.partitions import window_of
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.metadata.value import DagsterInvalidMetadata
from ipy_orch.model.ops import RESULT, OpDefinition
from ipy_orch.model.partitions.definition import PartitionKeyRange, TimeWindow
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
        partitions: those of the asset, where they aren't just that of the run.
        partitions_def: how the asset is partitioned.
        step: the context of the step, where one runs.
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
    partitions: Sequence[str] | None = None
    partitions_def: Any = None
    step: Any = None

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

    @property
    def job_name(self) -> str:
        """Return the name of the job.

        Raises:
            DagsterInvariantViolationError: outside of a run.
        """
        if self.run is None:
            raise DagsterInvariantViolationError(f"{self.label} isn't of a run, so there's no job")
        return self.run.job_name

    @property
    def step_context(self) -> Any:
        """Return the context of the step that runs.

        Raises:
            DagsterInvariantViolationError: when none does.
        """
        if self.step is None:
            raise DagsterInvariantViolationError(f"{self.label} isn't of a step that runs")
        return self.step

    @property
    def label(self) -> str:
        """Return what this is about, for messages."""
        if self.key is not None:
            return f"asset `{self.key.label}`"
        return f"`{self.name}` of `{self.step_key}`" if self.step_key else f"`{self.name}`"

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
            raise DagsterInvariantViolationError(f"{self.label} isn't an asset")
        return self.key

    @property
    def asset_spec(self) -> AssetSpec:
        """Return the spec of the asset.

        Raises:
            DagsterInvariantViolationError: when this isn't about an asset that is defined here.
        """
        if self.spec is None:
            raise DagsterInvariantViolationError(f"{self.label} isn't an asset that is defined here")
        return self.spec

    # -- which partition --

    @property
    def has_partition_key(self) -> bool:
        """Tell whether this is about a partition."""
        return self.partition is not None

    @property
    def partition_key(self) -> str:
        """Return the partition of the run.

        Raises:
            DagsterInvariantViolationError: when there is none.
        """
        if self.partition is None:
            raise DagsterInvariantViolationError(f"{self.label} isn't made in a run of a partition")
        return self.partition

    # -- which partitions of the asset --

    @property
    def has_asset_partitions(self) -> bool:
        """Tell whether this is about partitions of an asset."""
        return self.key is not None and self.partitions is not None

    @property
    def asset_partition_keys(self) -> Sequence[str]:
        """Return the partitions of the asset.

        Raises:
            DagsterInvariantViolationError: when it has none.
        """
        if not self.has_asset_partitions:
            raise DagsterInvariantViolationError(f"{self.label} isn't partitioned")
        return list(self.partitions or ())

    @property
    def asset_partition_key(self) -> str:
        """Return the partition of the asset.

        Raises:
            DagsterInvariantViolationError: when there isn't exactly one.
        """
        keys = self.asset_partition_keys
        if len(keys) != 1:
            raise DagsterInvariantViolationError(
                f"this is about {len(keys)} partitions of {self.label}, not one", hint="context.asset_partition_keys"
            )
        return keys[0]

    @property
    def asset_partition_key_range(self) -> PartitionKeyRange:
        """Return the first and the last partition of the asset.

        Raises:
            DagsterInvariantViolationError: when it has none.
        """
        keys = self.asset_partition_keys
        if not keys:
            raise DagsterInvariantViolationError(f"this is about no partition of {self.label}")
        return PartitionKeyRange(keys[0], keys[-1])

    @property
    def asset_partitions_def(self) -> Any:
        """Return how the asset is partitioned.

        Raises:
            DagsterInvariantViolationError: when it isn't, or nobody said how.
        """
        known = self.partitions_def or getattr(self.spec, "partitions_def", None)
        if known is None:
            raise DagsterInvariantViolationError(f"how {self.label} is partitioned isn't known")
        return known

    @property
    def asset_partitions_time_window(self) -> TimeWindow:
        """Return the time that the partitions of the asset stand for, from the first to the last.

        Raises:
            DagsterInvariantViolationError: when they don't stand for time.
        """
        found = window_of(self.asset_partitions_def, self.asset_partition_keys)
        if found is None:
            raise DagsterInvariantViolationError(
                f"the partitions of {self.label} don't stand for time", hint="context.asset_partition_keys"
            )
        return found

    # -- where to keep it --

    def get_asset_identifier(self) -> Sequence[str]:
        """Return the asset's path, and the partition, as path parts for a store."""
        return [*self.asset_key.path, *([self.asset_partition_key] if self.has_asset_partitions else [])]


def several(told: Any) -> Iterable[Any]:
    """Return what an IO manager told as one or several things."""
    if isinstance(told, Mapping | AssetMaterialization | AssetObservation):
        return [told] if told else []
    return told if isinstance(told, Iterable) and not isinstance(told, str) else [] if told is None else [told]


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

    # -- where to keep it --

    def get_run_scoped_output_identifier(self) -> Sequence[str]:
        """Return path parts that are this value's alone: run, step, output."""
        parts = [self.run_id, self.step_key, self.name]
        return [*parts, self.mapping_key] if self.mapping_key is not None else parts

    def get_identifier(self) -> Sequence[str]:
        """Return path parts that are this value's alone: of the run, or where a version is given, of all with that.

        Raises:
            DagsterInvariantViolationError: when an output of a dynamic step has a version.
        """
        if self.version is None:
            return self.get_run_scoped_output_identifier()
        if self.mapping_key is not None:
            raise DagsterInvariantViolationError(f"{self.label} is dynamic, so it can't be kept by version")
        return ["versioned_outputs", self.version, self.step_key, self.name]

    def get_output_identifier(self) -> Sequence[str]:
        """Return :meth:`get_identifier`, under its former name."""
        return self.get_identifier()

    def get_asset_output_identifier(self) -> Sequence[str]:
        """Return :meth:`get_asset_identifier`, under its former name."""
        return self.get_asset_identifier()

    # -- what to say of it --

    def add_output_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add metadata to the materialization.

        Raises:
            DagsterInvalidMetadata: when a value can't be metadata, or a name is taken.
        """
        if taken := sorted(self.added.keys() & metadata.keys()):
            names = ", ".join(f"`{one}`" for one in taken)
            raise DagsterInvalidMetadata(f"metadata {names} of {self.label} is there already")
        self.added.update(normalize_metadata(metadata))

    def log_event(self, event: Any) -> None:
        """Record a materialization of another asset, or an observation.

        Raises:
            CheckError: for anything else.
        """
        if not isinstance(event, AssetMaterialization | AssetObservation):
            raise CheckError(f"`log_event` takes an AssetMaterialization or AssetObservation, not {event!r}")
        self.logged.append(event)

    def receive(self, told: Any) -> None:
        """Take in what ``handle_output`` returned or yields: metadata, and materializations of other assets.

        A materialization without metadata gets what was added.

        Raises:
            DagsterInvariantViolationError: when metadata is given in two places, or it is neither.
            DagsterInvalidMetadata: when a value can't be metadata, or a name is taken.
        """
        yielded = []
        for one in several(told):
            if isinstance(one, Mapping):
                self.add_output_metadata(one)
            elif isinstance(one, AssetMaterialization | AssetObservation):
                yielded.append(one)
            else:
                raise DagsterInvariantViolationError(
                    f"the IO manager of {self.label} returned {one!r}",
                    hint="return nothing, or yield an AssetMaterialization or a dict of metadata",
                )
        self.logged += [self.filled(one) if isinstance(one, AssetMaterialization) else one for one in yielded]

    def filled(self, made: AssetMaterialization) -> AssetMaterialization:
        """Return a materialization with the metadata that was added."""
        if made.metadata and self.added:
            raise DagsterInvariantViolationError(
                f"the IO manager of {self.label} gave metadata twice: in a materialization, and by itself",
                hint="either AssetMaterialization(..., metadata=...) or context.add_output_metadata(...)",
            )
        return replace(made, metadata=dict(self.added)) if self.added else made

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
            raise DagsterInvariantViolationError(f"{self.label} isn't known to be an output")
        return self.upstream_output.get_identifier()

    def add_input_metadata(self, metadata: Mapping[str, Any], description: str | None = None) -> None:
        """Add metadata to the loading; of an asset, it is an observation.

        Raises:
            DagsterInvalidMetadata: when a value can't be metadata.
        """
        self.added.update(normalize_metadata(metadata))
        if self.key is not None:
            partition = self.asset_partition_key if self.has_asset_partitions else None
            self.seen.append(AssetObservation(self.key, description, metadata, partition))

    def get_observations(self) -> Sequence[AssetObservation]:
        """Return what was observed of the asset."""
        return list(self.seen)
