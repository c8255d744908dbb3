"""What a schedule or sensor hands back: requests for runs, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.dynamic import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from ipy_orch.model.results import AssetCheckEvaluation, AssetMaterialization, AssetObservation
from ipy_orch.model.tags import json_tags

__all__ = [
    "DagsterRunReaction",
    "DynamicRequest",
    "RunRequest",
    "SensorResult",
    "SkipReason",
    "as_run_config",
    "partitioned_request",
]

PARTITION: Final = "dagster/partition"
RANGE: Final = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")

DynamicRequest = AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest


@dataclass(frozen=True)
class SkipReason:
    """Say why nothing is run this time."""

    skip_message: str | None = None

    def __post_init__(self) -> None:
        refuse_other(self.skip_message, str, "`skip_message` is a string")


@dataclass(frozen=True)
class RunRequest:
    """Ask for a run.

    Args:
        run_key: names the run: a sensor never runs one key twice. None asks for a run each time.
        run_config: over the job's own; a dict or a RunConfig.
        tags: of the run.
        job_name: where the schedule or sensor has several jobs.
        asset_selection: some of the job's assets, all by default.
        stale_assets_only: leave out what is up to date.
        partition_key: the partition, where the job has any.
        asset_check_keys: the checks that run, by default those of the assets.

    Raises:
        CheckError: for an argument of another type.

    >>> RunRequest("2024-01-01", tags={"why": "new file"}).run_key
    '2024-01-01'
    """

    run_key: str | None = None
    run_config: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    job_name: str | None = None
    asset_selection: Sequence[AssetKey] | None = None
    stale_assets_only: bool = False
    partition_key: str | None = None
    asset_check_keys: Sequence[AssetCheckKey] | None = None

    def __init__(
        self,
        run_key: str | None = None,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
        asset_selection: Sequence[AssetKey] | None = None,
        stale_assets_only: bool = False,
        partition_key: str | None = None,
        asset_check_keys: Sequence[AssetCheckKey] | None = None,
    ) -> None:
        for what, text in {"run_key": run_key, "job_name": job_name, "partition_key": partition_key}.items():
            refuse_other(text, str, f"`{what}` is a string")
        for one in asset_selection or ():
            refuse_other(one, AssetKey, "`asset_selection` holds AssetKeys")
        for check in asset_check_keys or ():
            refuse_other(check, AssetCheckKey, "`asset_check_keys` holds AssetCheckKeys")
        said = {
            "run_key": run_key,
            "run_config": as_run_config(run_config),
            "tags": json_tags(tags, "RunRequest"),
            "job_name": job_name,
            "asset_selection": None if asset_selection is None else list(asset_selection),
            "stale_assets_only": stale_assets_only,
            "partition_key": partition_key,
            "asset_check_keys": None if asset_check_keys is None else list(asset_check_keys),
        }
        for name, value in said.items():
            object.__setattr__(self, name, value)

    def with_replaced_attrs(self, **changes: Any) -> RunRequest:
        """Return a copy with some arguments replaced."""
        return replace(self, **changes)

    def has_resolved_partition(self) -> bool:
        """Tell whether its tags name its partition already."""
        return PARTITION in self.tags

    @property
    def entity_keys(self) -> list[AssetKey | AssetCheckKey]:
        """Return the assets and checks that it asks for by name."""
        return [*(self.asset_selection or ()), *(self.asset_check_keys or ())]

    @property
    def partition_key_range(self) -> tuple[str, str] | None:
        """Return the first and last partition, where its tags name a range."""
        start, end = (self.tags.get(tag) for tag in RANGE)
        return None if start is None or end is None else (start, end)

    def with_resolved_tags_and_config(
        self,
        target_definition: Any,
        dynamic_partitions_requests: Sequence[DynamicRequest] = (),
        current_time: datetime | None = None,
        dynamic_partitions_store: Any = None,
    ) -> RunRequest:
        """Return a copy with the config and the tags of its partition.

        Args:
            target_definition: the job.
            dynamic_partitions_requests: what is asked for at the same time counts as done.

        Raises:
            DagsterUnknownPartitionError: when there's no such partition.
            CheckError: when the job has no partitions.
        """
        told = config_by_partition(target_definition, self.asset_selection or ())
        asked = self.partition_key
        if asked is None:
            raise CheckError("this request names no partition")
        store = Foreseen(dynamic_partitions_store, dynamic_partitions_requests)
        tags, config = of_partition(told, asked, target_definition.name, current_time, store)
        return replace(self, run_config=self.run_config or config, tags={**self.tags, **tags})


@dataclass(frozen=True)
class DagsterRunReaction:
    """Say that a sensor took notice of a run, and perhaps raised meanwhile."""

    dagster_run: Any
    error: Any = None
    run_status: Any = None


@dataclass(frozen=True)
class SensorResult:
    """Be what a sensor found, as one value.

    Args:
        run_requests: what is to run.
        skip_reason: why nothing is; a text or a SkipReason.
        cursor: what the sensor finds in ``context.cursor`` the next time.
        dynamic_partitions_requests: partitions that come or go.
        asset_events: what the sensor reports of assets that are made elsewhere.

    Raises:
        CheckError: when there are requests and a reason to skip, or an argument has another type.
    """

    run_requests: Sequence[RunRequest] | None = None
    skip_reason: SkipReason | None = None
    cursor: str | None = None
    dynamic_partitions_requests: Sequence[DynamicRequest] | None = None
    asset_events: Sequence[AssetMaterialization | AssetObservation | AssetCheckEvaluation] = ()
    automation_condition_evaluations: Sequence[Any] = ()

    def __init__(
        self,
        run_requests: Sequence[RunRequest] | None = None,
        skip_reason: str | SkipReason | None = None,
        cursor: str | None = None,
        dynamic_partitions_requests: Sequence[DynamicRequest] | None = None,
        asset_events: Sequence[AssetMaterialization | AssetObservation | AssetCheckEvaluation] | None = None,
        automation_condition_evaluations: Sequence[Any] | None = None,
    ) -> None:
        if run_requests and skip_reason:
            raise CheckError("a sensor asks for runs or says why it skips them, not both")
        refuse_other(cursor, str, "`cursor` is a string")
        refuse_other(skip_reason, (str, SkipReason), "`skip_reason` is a text or a SkipReason")
        for one in run_requests or ():
            refuse_other(one, RunRequest, "`run_requests` holds RunRequests")
        for request in dynamic_partitions_requests or ():
            refuse_other(request, DynamicRequest, "`dynamic_partitions_requests` holds requests of partitions")
        for event in asset_events or ():
            kinds = (AssetMaterialization, AssetObservation, AssetCheckEvaluation)
            refuse_other(event, kinds, "`asset_events` holds materializations, observations and evaluations of checks")
        said = {
            "run_requests": run_requests,
            "skip_reason": SkipReason(skip_reason) if isinstance(skip_reason, str) else skip_reason,
            "cursor": cursor,
            "dynamic_partitions_requests": dynamic_partitions_requests,
            "asset_events": list(asset_events or ()),
            "automation_condition_evaluations": list(automation_condition_evaluations or ()),
        }
        for name, value in said.items():
            object.__setattr__(self, name, value)


def refuse_other(value: Any, kind: Any, told: str) -> None:
    """Refuse a value that is neither None nor of a type.

    Raises:
        CheckError: with what it should be.
    """
    if value is not None and not isinstance(value, kind):
        raise CheckError(f"{told}, not {value!r}")


def as_run_config(config: Mapping[str, Any] | RunConfig | None) -> dict[str, Any]:
    """Return run config as plain data.

    Raises:
        CheckError: for another type.
    """
    if isinstance(config, RunConfig):
        return config.to_config_dict()
    refuse_other(config, Mapping, "run config is a dict or a RunConfig")
    return dict(config or {})


# -- partitions -------------------------------------------------------------------------------------------------------


class Foreseen:
    """Be the dynamic partitions as they will be when what is asked for has been done.

    Args:
        store: of those that are there.
    """

    def __init__(self, store: Any, requests: Sequence[DynamicRequest]) -> None:
        self.store, self.requests = store, requests

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the keys."""
        keys = dict.fromkeys(self.store.get_dynamic_partitions(partitions_def_name))
        for request in self.requests:
            if request.partitions_def_name == partitions_def_name:
                if isinstance(request, AddDynamicPartitionsRequest):
                    keys |= dict.fromkeys(request.partition_keys)
                else:
                    keys = dict.fromkeys(key for key in keys if key not in request.partition_keys)
        return [*keys]

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether there is a key."""
        return partition_key in self.get_dynamic_partitions(partitions_def_name)


def config_by_partition(job: Any, assets: Sequence[AssetKey] = ()) -> PartitionedConfig:
    """Return the config of a job by partition.

    Args:
        assets: the assets of it that run: where its assets have different partitions, theirs count.

    Raises:
        CheckError: when it has none, or those of the assets differ.
    """
    told: PartitionedConfig | None = job.partitioned_config
    if told is not None:
        return told
    graph = job.layer.asset_graph if job.is_asset_job else None
    cuts = list(dict.fromkeys(cut for key in assets if graph and (cut := graph.spec(key).partitions_def) is not None))
    if len(cuts) != 1:
        what = "its assets have different ones" if cuts else "it has none"
        raise CheckError(f"a partition of job `{job.name}` is asked for, and {what}")
    return PartitionedConfig.from_flexible_config(job.config, cuts[0])


def of_partition(
    told: PartitionedConfig, partition_key: str, job_name: str, current_time: datetime | None, store: Any
) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """Return tags and config of a partition.

    Raises:
        DagsterUnknownPartitionError: when there's none of this key.
    """
    given = store if getattr(store, "store", store) is not None else None
    with partition_loading_context(current_time, given):
        told.partitions_def.validate_partition_key(partition_key)
        tags = told.get_tags_for_partition_key(partition_key, job_name)
        return tags, told.get_run_config_for_partition_key(partition_key)


def partitioned_request(
    told: PartitionedConfig,
    job_name: str,
    partition_key: str,
    run_key: str | None = None,
    tags: Mapping[str, Any] | None = None,
    asset_selection: Sequence[AssetKey] | None = None,
    run_config: Mapping[str, Any] | None = None,
    current_time: datetime | None = None,
    dynamic_partitions_store: Any = None,
) -> RunRequest:
    """Return the request for a job's run of one partition.

    Raises:
        DagsterUnknownPartitionError: when there's none of this key.
    """
    own, config = of_partition(told, partition_key, job_name, current_time, dynamic_partitions_store)
    return RunRequest(
        run_key=run_key,
        run_config=config if run_config is None else run_config,
        tags={**(tags or {}), **own},
        job_name=job_name,
        asset_selection=asset_selection,
        partition_key=partition_key,
    )
