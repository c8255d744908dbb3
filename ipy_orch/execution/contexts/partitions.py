"""Which partitions a step makes and reads, as its context tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import RESULT
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import PartitionKeyRange, PartitionsDefinition, TimeWindow
from ipy_orch.model.partitions.multi import MultiPartitionKey, MultiPartitionsDefinition

if TYPE_CHECKING:
    from ipy_orch.execution.contexts.contexts import OpExecutionContext
    from ipy_orch.planning.partitioning import Reading

__all__ = ["PartitionedContext", "StepPartitions", "only_one", "range_of", "several_read", "window_of"]


def several_read(reading: Reading | None) -> dict[str, int]:
    """Return the inputs of which a step reads several partitions, by name, and how many."""
    if reading is None:
        return {}
    read = {key.path[-1]: reading.all(key) or () for key in reading.links}
    return {name: len(keys) for name, keys in read.items() if len(keys) > 1}


class PartitionedContext:
    """Tell a step's function which partitions it makes and reads."""

    partition: str | None

    @property
    def partitioning(self) -> StepPartitions:
        """Return which partitions run, and which of the inputs they read."""
        raise NotImplementedError(f"{type(self).__name__}.partitioning")

    # -- what is made -------------------------------------------------------------------------------------------------

    @property
    def has_partition_key(self) -> bool:
        """Tell whether a run of one partition is going on."""
        return self.partition is not None

    @property
    def has_partition_key_range(self) -> bool:
        """Tell whether a run of several partitions is going on."""
        return not self.has_partition_key and bool(self.partitioning.keys)

    @property
    def partition_key(self) -> str:
        """Return the partition that runs.

        Raises:
            DagsterInvariantViolationError: when none does, or several do.
        """
        return self.partitioning.only_key()

    @property
    def multi_partition_key(self) -> MultiPartitionKey:
        """Return the partition that runs, of two dimensions.

        Raises:
            DagsterInvariantViolationError: when it hasn't two.
        """
        return self.partitioning.multi_key()

    @property
    def partition_keys(self) -> Sequence[str]:
        """Return the partitions that run.

        Raises:
            DagsterInvariantViolationError: when none does.
        """
        return self.partitioning.some_keys()

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        """Return the first and the last partition that run.

        Raises:
            DagsterInvariantViolationError: when none does.
        """
        return range_of(self.partitioning.some_keys())

    @property
    def partition_time_window(self) -> TimeWindow:
        """Return the time that the partitions stand for that run.

        Raises:
            DagsterInvariantViolationError: when they don't stand for time.
        """
        return self.partitioning.window(self.partitioning.cut, self.partition_keys, "what runs")

    @property
    def has_partitions_def(self) -> bool:
        """Tell whether what runs is partitioned."""
        return self.partitioning.cut is not None

    # -- of an output, or of an input ---------------------------------------------------------------------------------

    def asset_partition_key_for_output(self, output_name: str = RESULT) -> str:  # noqa: ARG002 - all run together
        """Return the partition that an output is of.

        Raises:
            DagsterInvariantViolationError: when it's of several, or of none.
        """
        return self.partition_key

    def asset_partition_keys_for_output(self, output_name: str = RESULT) -> Sequence[str]:  # noqa: ARG002
        """Return the partitions that an output is of."""
        return self.partition_keys

    def asset_partition_key_range_for_output(self, output_name: str = RESULT) -> PartitionKeyRange:  # noqa: ARG002
        """Return the first and the last partition that an output is of."""
        return self.partition_key_range

    def asset_partitions_time_window_for_output(self, output_name: str = RESULT) -> TimeWindow:  # noqa: ARG002
        """Return the time that the partitions of an output stand for."""
        return self.partition_time_window

    def asset_partitions_def_for_output(self, output_name: str = RESULT) -> PartitionsDefinition:  # noqa: ARG002
        """Return how an output is partitioned.

        Raises:
            DagsterInvariantViolationError: when it isn't.
        """
        return self.partitioning.some_cut(self.partitioning.cut, "what runs")

    def asset_partition_keys_for_input(self, input_name: str) -> Sequence[str]:
        """Return the partitions of an input that are read.

        Raises:
            DagsterInvariantViolationError: when it isn't partitioned, or one that must be there isn't.
        """
        return self.partitioning.read(input_name)

    def asset_partition_key_for_input(self, input_name: str) -> str:
        """Return the partition of an input that is read.

        Raises:
            DagsterInvariantViolationError: when several are.
        """
        return only_one(self.partitioning.read(input_name), f"of input `{input_name}`")

    def asset_partition_key_range_for_input(self, input_name: str) -> PartitionKeyRange:
        """Return the first and the last partition of an input that are read."""
        return range_of(self.partitioning.read(input_name))

    def asset_partitions_time_window_for_input(self, input_name: str) -> TimeWindow:
        """Return the time that the partitions of an input stand for that are read.

        Raises:
            DagsterInvariantViolationError: when they don't stand for time.
        """
        cut = self.asset_partitions_def_for_input(input_name)
        return self.partitioning.window(cut, self.partitioning.read(input_name), f"input `{input_name}`")

    def asset_partitions_def_for_input(self, input_name: str) -> PartitionsDefinition:
        """Return how an input is partitioned.

        Raises:
            DagsterInvariantViolationError: when it isn't.
        """
        return self.partitioning.some_cut(self.partitioning.cut_of(input_name), f"input `{input_name}`")


class StepPartitions:
    """Answer which partitions the step of a context makes and reads."""

    __slots__ = ("context", "reading")

    def __init__(self, context: OpExecutionContext) -> None:
        self.context, self.reading = context, context.reading

    # -- what is made -------------------------------------------------------------------------------------------------

    @property
    def cut(self) -> PartitionsDefinition | None:
        """Return how what runs is partitioned, or None."""
        if self.reading is not None and self.reading.cut is not None:
            return self.reading.cut
        job, definition = self.context.job, self.context.definition
        if definition is not None:
            found: PartitionsDefinition | None = definition.partitions_def
            return found
        return job.partitions_def if job is not None else None

    @property
    def keys(self) -> Sequence[str]:
        """Return the partitions that run; those of the run, where what runs isn't partitioned itself."""
        made = self.reading.partitions if self.reading is not None else ()
        return list(made) or ([] if self.context.partition is None else [self.context.partition])

    def some_keys(self) -> Sequence[str]:
        """Return the partitions that run.

        Raises:
            DagsterInvariantViolationError: when none does.
        """
        keys = self.keys
        if not keys:
            raise DagsterInvariantViolationError(
                "this run isn't of a partition",
                hint="`--partitions` on the line of the asset's cell, or materialize(..., partition_key=...)",
            )
        return keys

    def only_key(self) -> str:
        """Return the partition that runs.

        Raises:
            DagsterInvariantViolationError: when none does, or several do.
        """
        return only_one(self.some_keys(), "in this run")

    def multi_key(self) -> MultiPartitionKey:
        """Return the partition that runs, of two dimensions.

        Raises:
            DagsterInvariantViolationError: when it hasn't.
        """
        key = self.only_key()
        if not isinstance(key, MultiPartitionKey):
            raise DagsterInvariantViolationError(
                f"partition `{key}` hasn't two dimensions", hint="context.partition_key"
            )
        return key

    # -- what is read -------------------------------------------------------------------------------------------------

    def read(self, input_name: str) -> Sequence[str]:
        """Return the partitions of an input that are read.

        Raises:
            DagsterInvariantViolationError: when it isn't partitioned, or one that must be there isn't.
        """
        key = self.key_of(input_name)
        with partition_loading_context(dynamic_partitions_store=self.context.instance):
            found = self.reading.all(key) if self.reading is not None else None
        if found is None:
            raise not_partitioned(f"input `{input_name}`")
        return list(found)

    def cut_of(self, input_name: str) -> PartitionsDefinition | None:
        """Return how an input is partitioned, or None."""
        link = self.reading.links.get(self.key_of(input_name)) if self.reading is not None else None
        return link.cut if link is not None else None

    def key_of(self, input_name: str) -> AssetKey:
        """Return the asset that an input is; a dependency that isn't loaded is named like it.

        Raises:
            DagsterInvariantViolationError: when there's none.
        """
        known = dict(self.context.assets_def.node_keys_by_input_name)
        for key in self.reading.links if self.reading is not None else ():
            known.setdefault(key.to_python_identifier(), key)
        if input_name not in known:
            raise DagsterInvariantViolationError(
                f"there isn't an asset at input `{input_name}`", hint=closest(input_name, known)
            )
        return known[input_name]

    # -- either -------------------------------------------------------------------------------------------------------

    def some_cut(self, cut: PartitionsDefinition | None, what: str) -> PartitionsDefinition:
        """Return how something is partitioned.

        Raises:
            DagsterInvariantViolationError: when it isn't.
        """
        if cut is None:
            raise not_partitioned(what)
        return cut

    def window(self, cut: PartitionsDefinition | None, keys: Sequence[str], what: str) -> TimeWindow:
        """Return the time that partitions stand for.

        Raises:
            DagsterInvariantViolationError: when they don't stand for time.
        """
        found = window_of(self.some_cut(cut, what), keys)
        if found is None:
            raise DagsterInvariantViolationError(f"the partitions of {what} don't stand for time")
        return found


def not_partitioned(what: str) -> DagsterInvariantViolationError:
    """Return the error for something without partitions."""
    return DagsterInvariantViolationError(f"{what} isn't partitioned")


def only_one(keys: Sequence[str], where: str) -> str:
    """Return the only one of some partitions.

    Raises:
        DagsterInvariantViolationError: when they aren't one.
    """
    if len(keys) != 1:
        raise DagsterInvariantViolationError(f"there are {len(keys)} partitions {where}, not one")
    return keys[0]


def range_of(keys: Sequence[str]) -> PartitionKeyRange:
    """Return the first and the last of some partitions.

    Raises:
        DagsterInvariantViolationError: when there's none.
    """
    if not keys:
        raise DagsterInvariantViolationError("no partition is read")
    return PartitionKeyRange(keys[0], keys[-1])


def window_of(cut: PartitionsDefinition, keys: Sequence[str]) -> TimeWindow | None:
    """Return the time that partitions stand for, from the first to the last; None where they don't stand for time."""
    window = getattr(cut, "time_window_for_partition_key", None)
    without_time = isinstance(cut, MultiPartitionsDefinition) and not cut.has_time_window_dimension
    if window is None or without_time or not keys:
        return None
    return TimeWindow(window(keys[0]).start, window(keys[-1]).end)
