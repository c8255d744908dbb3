"""Config that depends on the partition: a function of its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any, TypeAlias

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.partitions.definition import Partition, PartitionsDefinition, StaticPartitionsDefinition
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.usual import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)

__all__ = [
    "PartitionedConfig",
    "daily_partitioned_config",
    "dynamic_partitioned_config",
    "hourly_partitioned_config",
    "monthly_partitioned_config",
    "partitioned_config",
    "static_partitioned_config",
    "weekly_partitioned_config",
]

Said: TypeAlias = RunConfig | Mapping[str, Any]
OfKey: TypeAlias = Callable[[str], Said]
Tags: TypeAlias = Mapping[str, str]


class PartitionedConfig:
    """Be the config and the tags of a job's runs, by partition.

    Args:
        partitions_def: the partitions.
        run_config_for_partition_fn: makes the config from a Partition; the older way.
        decorated_fn: the function that calling it calls.
        tags_for_partition_fn: makes tags from a Partition; the older way.
        run_config_for_partition_key_fn: makes the config from a key.
        tags_for_partition_key_fn: makes tags from a key.

    Raises:
        CheckError: when the config is made in two ways, or in none; likewise tags.
    """

    def __init__(
        self,
        partitions_def: PartitionsDefinition,
        run_config_for_partition_fn: Callable[[Partition], Said] | None = None,
        decorated_fn: Callable[..., Said] | None = None,
        tags_for_partition_fn: Callable[[Partition], Tags] | None = None,
        run_config_for_partition_key_fn: OfKey | None = None,
        tags_for_partition_key_fn: Callable[[str], Tags] | None = None,
    ) -> None:
        if (run_config_for_partition_fn is None) == (run_config_for_partition_key_fn is None):
            raise CheckError("config comes from a partition or from its key: give one function, not none or both")
        if tags_for_partition_fn is not None and tags_for_partition_key_fn is not None:
            raise CheckError("tags come from a partition or from its key: give one function, not both")
        self.partitions_def = partitions_def
        self.decorated_fn = decorated_fn
        self.run_config_for_partition_fn = run_config_for_partition_fn
        self.run_config_for_partition_key_fn = run_config_for_partition_key_fn or of_key(run_config_for_partition_fn)
        self.tags_for_partition_fn = tags_for_partition_fn
        self.tags_for_partition_key_fn = tags_for_partition_key_fn or (
            of_key(tags_for_partition_fn) if tags_for_partition_fn is not None else None
        )

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """Return the keys, in order."""
        return self.partitions_def.get_partition_keys(current_time)

    def get_run_config_for_partition_key(self, partition_key: str) -> Mapping[str, Any]:
        """Return the config of a partition's run, as plain data."""
        told = self.run_config_for_partition_key_fn(self.partitions_def.key_from(partition_key))
        return deepcopy(told.to_config_dict() if isinstance(told, RunConfig) else dict(told))

    def get_tags_for_partition_key(self, partition_key: str, job_name: str | None = None) -> Tags:  # noqa: ARG002
        """Return the tags of a partition's run: those of the partition, and one's own."""
        own = self.tags_for_partition_key_fn(partition_key) if self.tags_for_partition_key_fn is not None else {}
        return {**own, **self.partitions_def.get_tags_for_partition_key(partition_key)}

    @classmethod
    def from_flexible_config(cls, config: Any, partitions_def: PartitionsDefinition) -> PartitionedConfig:
        """Return a job's config by partition: it may be partitioned, a dict, a RunConfig, or nothing.

        Raises:
            DagsterInvalidDefinitionError: when it has other partitions, or is a ConfigMapping.
        """
        if isinstance(config, PartitionedConfig):
            if config.partitions_def != partitions_def:
                raise DagsterInvalidDefinitionError(
                    "the job and its config have different partitions", hint="leave out the job's `partitions_def`"
                )
            return config
        if config is not None and not isinstance(config, Mapping | RunConfig):
            raise DagsterInvalidDefinitionError("a job with partitions can't have a ConfigMapping as its config")
        hardcoded: Said = config or {}
        return cls(partitions_def, run_config_for_partition_key_fn=lambda _key: hardcoded)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the decorated function.

        Raises:
            DagsterInvalidDefinitionError: when there's none.
        """
        if self.decorated_fn is None:
            raise DagsterInvalidDefinitionError("this config was made without a decorator: there's nothing to call")
        return self.decorated_fn(*args, **kwargs)


def of_key(function: Callable[[Partition], Any] | None) -> Callable[[str], Any]:
    """Return a function of keys that calls one of partitions."""
    if function is None:
        raise CheckError("there is no function")
    return lambda key: function(Partition(key))


def partitioned_config(
    partitions_def: PartitionsDefinition, tags_for_partition_key_fn: Callable[[str], Tags] | None = None
) -> Callable[[OfKey], PartitionedConfig]:
    """Make the config of a job's runs from a function of the partition's key.

    >>> @partitioned_config(StaticPartitionsDefinition(["north", "south"]))
    ... def by_region(key):
    ...     return {"ops": {"load": {"config": {"region": key}}}}
    >>> by_region.get_run_config_for_partition_key("north")
    {'ops': {'load': {'config': {'region': 'north'}}}}
    """
    refuse_others(tags_for_partition_key_fn)

    def define(function: OfKey) -> PartitionedConfig:
        refuse_others(function)
        return PartitionedConfig(
            partitions_def,
            decorated_fn=function,
            run_config_for_partition_key_fn=function,
            tags_for_partition_key_fn=tags_for_partition_key_fn,
        )

    return define


def refuse_others(function: Any) -> None:
    """Refuse what can't be called.

    Raises:
        CheckError: naming it.
    """
    if function is not None and not callable(function):
        raise CheckError(f"a function of the partition is wanted, not {function!r}")


def static_partitioned_config(
    partition_keys: Sequence[str],
    tags_for_partition_fn: Callable[[str], Tags] | None = None,
    tags_for_partition_key_fn: Callable[[str], Tags] | None = None,
) -> Callable[[OfKey], PartitionedConfig]:
    """Make config from the key of a static partition; both functions of tags take the key."""
    refuse_two(tags_for_partition_fn, tags_for_partition_key_fn)
    tags = tags_for_partition_key_fn or tags_for_partition_fn
    return partitioned_config(StaticPartitionsDefinition(partition_keys), tags)


def dynamic_partitioned_config(
    partition_fn: Callable[[datetime | None], Sequence[str]],
    tags_for_partition_fn: Callable[[str], Tags] | None = None,
    tags_for_partition_key_fn: Callable[[str], Tags] | None = None,
) -> Callable[[OfKey], PartitionedConfig]:
    """Make config from the key of a partition that a function tells; both functions of tags take the key."""
    refuse_two(tags_for_partition_fn, tags_for_partition_key_fn)
    tags = tags_for_partition_key_fn or tags_for_partition_fn
    return partitioned_config(DynamicPartitionsDefinition(partition_fn), tags)


def refuse_two(one: Any, other: Any) -> None:
    """Refuse tags that are made in two ways.

    Raises:
        CheckError: always then.
    """
    if one is not None and other is not None:
        raise CheckError("`tags_for_partition_fn` is the older name of `tags_for_partition_key_fn`: give one of them")


# -- by time ----------------------------------------------------------------------------------------------------------

OfWindow: TypeAlias = Callable[[datetime, datetime], Said]
TagsOfWindow: TypeAlias = Callable[[datetime, datetime], Tags]


def by_window(
    partitions_def: TimeWindowPartitionsDefinition, tags: TagsOfWindow | None
) -> Callable[[OfWindow], PartitionedConfig]:
    """Make config from the beginning and the end of a partition's window."""

    def of(function: Callable[[datetime, datetime], Any]) -> Callable[[str], Any]:
        return lambda key: function(*partitions_def.time_window_for_partition_key(key))

    def define(function: OfWindow) -> PartitionedConfig:
        refuse_others(function)
        return PartitionedConfig(
            partitions_def,
            decorated_fn=function,
            run_config_for_partition_key_fn=of(function),
            tags_for_partition_key_fn=of(tags) if tags is not None else None,
        )

    return define


def hourly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Sequence[str | datetime] | None = None,
) -> Callable[[OfWindow], PartitionedConfig]:
    """Make config from the hour: the function gets its beginning and end."""
    cut = HourlyPartitionsDefinition(start_date, None, minute_offset, timezone, fmt, end_offset, exclusions)
    return by_window(cut, tags_for_partition_fn)


def daily_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Sequence[str | datetime] | None = None,
) -> Callable[[OfWindow], PartitionedConfig]:
    """Make config from the day: the function gets its beginning and end."""
    cut = DailyPartitionsDefinition(start_date, None, minute_offset, hour_offset, timezone, fmt, end_offset, exclusions)
    return by_window(cut, tags_for_partition_fn)


def weekly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    day_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Sequence[str | datetime] | None = None,
) -> Callable[[OfWindow], PartitionedConfig]:
    """Make config from the week: the function gets its beginning and end."""
    offsets = (minute_offset, hour_offset, day_offset)
    cut = WeeklyPartitionsDefinition(start_date, None, *offsets, timezone, fmt, end_offset, exclusions)
    return by_window(cut, tags_for_partition_fn)


def monthly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    day_offset: int = 1,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Sequence[str | datetime] | None = None,
) -> Callable[[OfWindow], PartitionedConfig]:
    """Make config from the month: the function gets its beginning and end."""
    offsets = (minute_offset, hour_offset, day_offset)
    cut = MonthlyPartitionsDefinition(start_date, None, *offsets, timezone, fmt, end_offset, exclusions)
    return by_window(cut, tags_for_partition_fn)
