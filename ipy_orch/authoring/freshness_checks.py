"""Checks of how old assets are, and the sensor that runs them when there may be news.

They read what the instance knows of materializations and observations, and load no values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any, Final

from ipy_orch.authoring.checks import multi_asset_check
from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.model.assets import AssetChecksDefinition
from ipy_orch.model.automation.requests import RunRequest, SkipReason
from ipy_orch.model.automation.sensors import DefaultSensorStatus, SensorDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.freshness import brief, read_cron
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.scalars import JsonMetadataValue, TimestampMetadataValue
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.cron import Cron, timezone_named
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.port import Port
from ipy_orch.model.results import AssetCheckResult, AssetCheckSeverity
from ipy_orch.model.specs import flat_deps
from ipy_orch.model.tables import typed

__all__ = [
    "build_last_update_freshness_checks",
    "build_sensor_for_freshness_checks",
    "build_time_partition_freshness_checks",
]

CHECK: Final = "freshness_check"
PARAMS: Final = "dagster/freshness_params"
LOWER_BOUND: Final = "dagster/freshness_lower_bound_timestamp"
FRESH_UNTIL: Final = "dagster/fresh_until_timestamp"
LAST_UPDATED: Final = "dagster/last_updated_timestamp"
LATEST_TICK: Final = "dagster/latest_cron_tick_timestamp"
LOOKED_AT: Final = 10_000  #: so many events of an asset are looked at
MAX_SECONDS: Final = 35  #: so long one look of the sensor may take

selected_checks: Port[[Iterable[AssetChecksDefinition]], Any] = Port("ipy_orch.planning.freshness")

Metadata = dict[str, MetadataValue]


@dataclass(frozen=True)
class Finding:
    """Be what was found of one asset."""

    passed: bool
    description: str
    metadata: Metadata


Judge = Callable[[Any, AssetKey, datetime], Finding]


def build_last_update_freshness_checks(
    *,
    assets: Sequence[Any],
    lower_bound_delta: timedelta,
    deadline_cron: str | None = None,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Check that assets were made or observed not long before now, or before the newest tick of a schedule.

    Args:
        lower_bound_delta: how long before.
        deadline_cron: a schedule; without it, the deadline is now.
        timezone: of the schedule.
        severity: of a failure.
        blocking: a failure stops what is downstream.

    Raises:
        CheckError: for a schedule or timezone that isn't one, and for an asset that is there twice.

    >>> checks, = build_last_update_freshness_checks(assets=["orders"], lower_bound_delta=timedelta(hours=3))
    >>> checks.check_key.to_user_string()
    'orders:freshness_check'
    """
    span = typed(lower_bound_delta, timedelta, "lower_bound_delta")
    schedule = None if deadline_cron is None else read_cron(deadline_cron, timezone)
    said = {"timezone": timezone, "lower_bound_delta_seconds": span.total_seconds()}
    params = said if deadline_cron is None else {**said, "deadline_cron": deadline_cron}

    def judge(context: Any, key: AssetKey, now: datetime) -> Finding:
        return last_update(context, key, now, span, schedule, params)

    return [checks_of(assets, params, judge, severity, blocking)]


def build_time_partition_freshness_checks(
    *,
    assets: Sequence[Any],
    deadline_cron: str,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Check that the newest partition that was complete at the newest tick of a schedule was made or observed.

    Args:
        assets: each partitioned by time.
        timezone: of the schedule.
        severity: of a failure.
        blocking: a failure stops what is downstream.

    Raises:
        CheckError: for a schedule or timezone that isn't one, and for an asset that is there twice.
    """
    schedule = read_cron(typed(deadline_cron, str, "deadline_cron"), timezone)
    params = {"timezone": timezone, "deadline_cron": deadline_cron}

    def judge(context: Any, key: AssetKey, now: datetime) -> Finding:
        return time_partition(context, key, now, schedule, params)

    return [checks_of(assets, params, judge, severity, blocking)]


def checks_of(
    assets: Sequence[Any], params: Mapping[str, Any], judge: Judge, severity: AssetCheckSeverity, blocking: bool
) -> AssetChecksDefinition:
    """Return a definition with a freshness check for each asset.

    Raises:
        CheckError: when an asset is there twice.
    """
    typed(severity, AssetCheckSeverity, "severity")
    keys = [dep.asset_key for dep in flat_deps(assets)]
    for key in keys:
        if keys.count(key) > 1:
            raise CheckError(f"`{key.label}` is among the assets twice")
    told = {PARAMS: JsonMetadataValue(dict(params))}
    about = "how old the asset is"
    specs = [AssetCheckSpec(CHECK, asset=key, metadata=told, description=about, blocking=blocking) for key in keys]

    @multi_asset_check(specs=specs, name=f"{CHECK}_{short_id(keys)}", can_subset=True)
    def checks(context: Any) -> Iterator[AssetCheckResult]:
        for check in sorted(context.selected_asset_check_keys):
            if context.instance is None:
                raise DagsterInvariantViolationError(
                    f"what is known of `{check.asset_key.to_user_string()}` is asked of an instance"
                )
            found = judge(context, check.asset_key, datetime.now(UTC))
            yield AssetCheckResult(
                passed=found.passed,
                asset_key=check.asset_key,
                check_name=CHECK,
                metadata=found.metadata,
                severity=severity,
                description=found.description,
            )

    return checks


def short_id(keys: Iterable[AssetKey]) -> str:
    """Return a few letters that tell sets of assets apart, the same in whatever order."""
    named = sorted(map(repr, keys))
    return md5(json.dumps(named).encode(), usedforsecurity=False).hexdigest()[:8]


# -- how old ----------------------------------------------------------------------------------------------------------


def last_update(
    context: Any, key: AssetKey, now: datetime, span: timedelta, schedule: Cron | None, params: Mapping[str, Any]
) -> Finding:
    """Judge the newest update of an asset."""
    tick = None if schedule is None else latest_tick(schedule, now)
    bound = (tick or now) - span
    updated = last_updated(context.instance, key)
    metadata: Metadata = {PARAMS: JsonMetadataValue(dict(params)), LOWER_BOUND: at(bound)}
    if tick is not None:
        metadata[LATEST_TICK] = at(tick)
    if updated is None:
        return Finding(False, "Asset has never been observed/materialized.", metadata)
    metadata[LAST_UPDATED] = TimestampMetadataValue(updated)
    allowed, actual = brief(now - bound), brief(timedelta(seconds=now.timestamp() - updated))
    if updated < bound.timestamp():
        told = f"Asset is overdue for an update. The newest is {actual} old, and {allowed} are allowed."
        return Finding(False, told, metadata)
    until = next_tick(schedule, now).timestamp() if schedule is not None else updated + span.total_seconds()
    metadata[FRESH_UNTIL] = TimestampMetadataValue(until)
    told = f"Asset is currently fresh. The newest update is {actual} old, and {allowed} are allowed."
    return Finding(True, told, metadata)


def time_partition(context: Any, key: AssetKey, now: datetime, schedule: Cron, params: Mapping[str, Any]) -> Finding:
    """Judge the newest partition that was complete at the newest tick.

    Raises:
        CheckError: when the asset isn't partitioned by time.
    """
    cut = context.job_def.asset_layer.asset_graph.get(key).partitions_def
    if not isinstance(cut, TimeWindowPartitionsDefinition):
        raise CheckError(
            f"`{key.label}` isn't partitioned by time",
        )
    tick = latest_tick(schedule, now)
    with partition_loading_context(tick.astimezone(timezone_named(cut.timezone)), context.instance):
        partition = cut.get_last_partition_key()
    metadata: Metadata = {PARAMS: JsonMetadataValue(dict(params)), LATEST_TICK: at(tick)}
    ever = last_record(context.instance, key, None)
    if partition is not None and last_record(context.instance, key, partition) is not None:
        metadata[FRESH_UNTIL] = at(next_tick(schedule, now))
        return Finding(True, f"Asset is currently fresh: partition {partition} is there.", metadata)
    if ever is None:
        return Finding(
            False, f"The asset has never been observed/materialized. Partition {partition} is due.", metadata
        )
    updated = timestamp_of(ever)
    if updated is not None:
        metadata[LAST_UPDATED] = TimestampMetadataValue(updated)
    return Finding(False, f"Asset is overdue. Partition {partition} is due, and isn't there.", metadata)


def latest_tick(schedule: Cron, now: datetime) -> datetime:
    """Return the newest tick that isn't after a moment."""
    return next(schedule.before(now + timedelta(microseconds=1)))


def next_tick(schedule: Cron, now: datetime) -> datetime:
    """Return the first tick after a moment."""
    return next(schedule.after(now + timedelta(microseconds=1)))


def at(moment: datetime) -> TimestampMetadataValue:
    """Return a moment as metadata."""
    return TimestampMetadataValue(moment.timestamp())


def last_updated(instance: Any, key: AssetKey) -> float | None:
    """Return when an asset was updated last: as its newest event says, or when that was."""
    record = last_record(instance, key, None)
    return None if record is None else timestamp_of(record)


def last_record(instance: Any, key: AssetKey, partition: str | None) -> Any:
    """Return the newest materialization or observation that says when the asset was updated; None without any."""
    made = newest(instance.fetch_materializations(key, limit=LOOKED_AT).records, partition)
    seen = newest(instance.fetch_observations(key, limit=LOOKED_AT).records, partition)
    if made is None or seen is None:
        return made or seen
    return seen if (timestamp_of(seen) or 0.0) >= (timestamp_of(made) or 0.0) else made


def newest(records: Iterable[Any], partition: str | None) -> Any:
    """Return the first record of a partition, or of all."""
    return next((one for one in records if partition is None or one.partition_key == partition), None)


def timestamp_of(record: Any) -> float | None:
    """Return when an event says that the asset was updated; one that doesn't say it, if it made the asset, then."""
    event = record.asset_materialization or record.event_log_entry.asset_observation
    said = event.metadata.get(LAST_UPDATED)
    if said is not None:
        return float(said.value)
    return record.timestamp if record.asset_materialization is not None else None


# -- the sensor -------------------------------------------------------------------------------------------------------


def build_sensor_for_freshness_checks(
    *,
    freshness_checks: Sequence[AssetChecksDefinition],
    minimum_interval_seconds: int | None = None,
    name: str = "freshness_checks_sensor",
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    tags: Mapping[str, Any] | None = None,
) -> SensorDefinition:
    """Return a sensor that runs freshness checks when their outcome may be another one.

    That is: those that never ran; those that passed, when the asset may be too old by now; and those that failed, when
    it was made since.

    Args:
        tags: of the runs.

    Raises:
        CheckError: when a check is there twice, or the interval isn't a positive number.
    """
    keys = sorted((spec.key for one in freshness_checks for spec in one.check_specs), key=lambda key: key.label)
    for key in keys:
        if keys.count(key) > 1:
            raise CheckError(f"check `{key.label}` is there twice")
    if minimum_interval_seconds is not None and minimum_interval_seconds <= 0:
        raise CheckError(f"`minimum_interval_seconds` is positive, and {minimum_interval_seconds} isn't")

    def look(context: Any) -> Any:
        now = datetime.now(UTC)
        wanted: list[AssetCheckKey] = []
        left_off = AssetCheckKey.from_user_string(context.cursor) if context.cursor else None
        rest = iter(starting_after(keys, left_off))
        for key in rest:
            if may_differ(context.instance, key, now):
                wanted.append(key)
            if (datetime.now(UTC) - now).total_seconds() >= MAX_SECONDS:
                break
        more = next(rest, None)
        context.update_cursor(None if more is None else key.label)
        return RunRequest(asset_check_keys=wanted, tags=tags) if wanted else SkipReason("no outcome can be another one")

    return SensorDefinition(
        name,
        evaluation_fn=look,
        minimum_interval_seconds=minimum_interval_seconds,
        asset_selection=selected_checks(freshness_checks),
        default_status=default_status,
        description="Runs freshness checks when their outcome may be another one.",
    )


def starting_after(keys: Sequence[AssetCheckKey], left_off: AssetCheckKey | None) -> list[AssetCheckKey]:
    """Return the checks, those after one of them first."""
    start = keys.index(left_off) + 1 if left_off in keys else 0
    return [*keys[start:], *keys[:start]]


def may_differ(instance: Any, key: AssetCheckKey, now: datetime) -> bool:
    """Tell whether a check may have another outcome than when it ran last."""
    record = instance.get_latest_asset_check_evaluation_record(key)
    if record is None:
        return True
    evaluation = record.event_log_entry.dagster_event.event.evaluation
    if not evaluation.passed:
        made = instance.get_latest_materialization_event(key.asset_key)
        return made is not None and made.timestamp > record.timestamp
    until = evaluation.metadata.get(FRESH_UNTIL)
    return until is None or until.value < now.timestamp()
