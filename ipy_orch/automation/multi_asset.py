"""The context of a sensor that looks at several assets, and its cursor: which materializations it has dealt with.

Per asset the cursor holds the newest materialization that was dealt with, and of each partition the newest one before
that which wasn't. ``advance_cursor`` and ``advance_all_cursors`` say what was dealt with; the cursor itself moves when
the tick ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ipy_orch.automation.contexts import SensorEvaluationContext, as_repository
from ipy_orch.errors import DagsterInvalidInvocationError, DagsterInvariantViolationError, closest
from ipy_orch.execution.records.instance import AssetRecordsFilter, EventLogRecord
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.repository import RepositoryDefinition
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["AssetCursor", "MultiAssetSensorEvaluationContext", "build_multi_asset_sensor_context"]

MOST_UNCONSUMED: Final = 25
ALL: Final = 100_000


class AssetCursor(NamedTuple):
    """Say which materializations of an asset a sensor has dealt with.

    Args:
        latest_consumed_event_partition: of the newest one.
        latest_consumed_event_id: its number.
        trailing_unconsumed_partitioned_event_ids: partition -> the newest one before that which wasn't dealt with.
    """

    latest_consumed_event_partition: str | None = None
    latest_consumed_event_id: int | None = None
    trailing_unconsumed_partitioned_event_ids: Mapping[str, int] = {}


class MultiAssetSensorEvaluationContext(SensorEvaluationContext):
    """Be what the function of a sensor is told that looks at several assets.

    Args:
        monitored_assets: their keys, or a selection.
        options: those of :class:`SensorEvaluationContext`.

    Raises:
        DagsterInvalidInvocationError: when it isn't said where the assets are defined.
    """

    build = "build_multi_asset_sensor_context"

    def __init__(self, monitored_assets: Sequence[AssetKey] | AssetSelection, **options: Any) -> None:
        super().__init__(**options)
        if self.repository_def is None:
            told = "a context over assets needs to know where they are defined"
            raise DagsterInvalidInvocationError(told, hint="definitions=Definitions(assets=[...])")
        self.graph = self.repository_def.asset_graph
        if isinstance(monitored_assets, AssetSelection):
            self.asset_keys: list[AssetKey] = self.graph.in_order(monitored_assets.resolve(self.graph))
        else:
            self.asset_keys = list(monitored_assets)
        self.cursors = read_cursor(self.cursor)
        self.advanced: dict[AssetKey, list[EventLogRecord]] = {}
        self.advanced_all = False

    # -- what is looked at --------------------------------------------------------------------------------------------

    @property
    def assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition | None]:
        """Return asset -> its definition, None for one that is defined elsewhere."""
        return {key: self.graph.makers.get(key) for key in self.asset_keys}

    def cut_of(self, key: AssetKey) -> PartitionsDefinition:
        """Return the partitions of an asset.

        Raises:
            DagsterInvalidInvocationError: when it has none.
        """
        cut: PartitionsDefinition | None = self.graph.spec(key).partitions_def if key in self.graph.makers else None
        if cut is None:
            raise DagsterInvalidInvocationError(f"asset `{key.label}` has no partitions")
        return cut

    def refuse_unmonitored(self, key: AssetKey) -> None:
        """Refuse an asset that isn't looked at.

        Raises:
            DagsterInvalidInvocationError: with the closest name.
        """
        if key not in self.asset_keys:
            hint = closest(key.label, labels(self.asset_keys)) or "`monitored_assets` names those that are"
            raise DagsterInvalidInvocationError(f"asset `{key.label}` isn't looked at by this sensor", hint=hint)

    # -- materializations ---------------------------------------------------------------------------------------------

    def records(self, key: AssetKey, **which: Any) -> list[EventLogRecord]:
        """Return materializations of an asset, the oldest first."""
        found = self.instance.fetch_materializations(AssetRecordsFilter(key, **which), limit=ALL, ascending=True)
        return list(found.records)

    def new_records(self, key: AssetKey) -> list[EventLogRecord]:
        """Return the materializations that come after the newest one that was dealt with."""
        return self.records(key, after_storage_id=self.cursor_of(key).latest_consumed_event_id)

    def get_trailing_unconsumed_events(self, asset_key: AssetKey) -> Sequence[EventLogRecord]:
        """Return the materializations before the newest that was dealt with which weren't, the newest per partition."""
        numbers = list(self.cursor_of(asset_key).trailing_unconsumed_partitioned_event_ids.values())
        return self.records(asset_key, storage_ids=numbers) if numbers else []

    def latest_materialization_records_by_key(
        self, asset_keys: Sequence[AssetKey] | None = None
    ) -> Mapping[AssetKey, EventLogRecord | None]:
        """Return asset -> the newest materialization that wasn't dealt with, None where there's none."""
        found: dict[AssetKey, EventLogRecord | None] = {}
        for key in asset_keys if asset_keys is not None else self.asset_keys:
            self.refuse_unmonitored(key)
            open_ones = [*self.get_trailing_unconsumed_events(key), *self.new_records(key)]
            found[key] = open_ones[-1] if open_ones else None
        return found

    def materialization_records_for_key(
        self, asset_key: AssetKey, limit: int | None = None
    ) -> Sequence[EventLogRecord]:
        """Return the materializations after the newest that was dealt with, the oldest first."""
        self.refuse_unmonitored(asset_key)
        return self.new_records(asset_key)[:limit]

    def latest_materialization_records_by_partition(
        self, asset_key: AssetKey, after_cursor_partition: bool | None = False
    ) -> Mapping[str, EventLogRecord]:
        """Return partition -> the newest materialization that wasn't dealt with, in the order in which they happened.

        Args:
            after_cursor_partition: leave out partitions up to that of the newest one dealt with.

        Raises:
            DagsterInvalidInvocationError: when the asset has no partitions, or isn't looked at.
        """
        self.refuse_unmonitored(asset_key)
        keys = list(self.cut_of(asset_key).get_partition_keys(dynamic_partitions_store=self.instance))
        place = {key: number for number, key in enumerate(keys)}
        least = place.get(self.get_cursor_partition(asset_key) or "", -1) if after_cursor_partition else -1
        found: dict[str, EventLogRecord] = {}
        for record in (*self.get_trailing_unconsumed_events(asset_key), *self.new_records(asset_key)):
            key = record.partition_key
            if key is not None and place.get(key, -1) > least:
                found.pop(key, None)
                found[key] = record
        return found

    def latest_materialization_records_by_partition_and_asset(
        self,
    ) -> Mapping[str, Mapping[AssetKey, EventLogRecord]]:
        """Return partition -> asset -> the newest materialization that wasn't dealt with."""
        found: dict[str, dict[AssetKey, EventLogRecord]] = {}
        for key in self.asset_keys:
            for partition, record in self.latest_materialization_records_by_partition(key).items():
                found.setdefault(partition, {})[key] = record
        return found

    def all_partitions_materialized(self, asset_key: AssetKey, partitions: Sequence[str] | None = None) -> bool:
        """Tell whether partitions of an asset, all by default, were ever made."""
        self.refuse_unmonitored(asset_key)
        wanted = partitions if partitions is not None else self.cut_of(asset_key).get_partition_keys()
        made: set[str] = self.instance.get_materialized_partitions(asset_key)
        return set(wanted) <= made

    def get_downstream_partition_keys(
        self, partition_key: str, from_asset_key: AssetKey, to_asset_key: AssetKey
    ) -> Sequence[str]:
        """Return the partitions of an asset that read a partition of another one.

        Raises:
            DagsterInvalidInvocationError: when one of the two has no partitions.
        """
        self.cut_of(from_asset_key)
        cut = self.cut_of(to_asset_key)
        reading = Reading.of_assets(self.graph.maker(to_asset_key), [to_asset_key], self.graph)
        keys = cut.get_partition_keys(dynamic_partitions_store=self.instance)
        return [key for key in keys if partition_key in (reading.of(from_asset_key, key) or ())]

    # -- the cursor ---------------------------------------------------------------------------------------------------

    def cursor_of(self, asset_key: AssetKey) -> AssetCursor:
        """Return the cursor of an asset."""
        return self.cursors.get(repr(asset_key), AssetCursor())

    _get_cursor = cursor_of  #: as Dagster names it

    def get_cursor_partition(self, asset_key: AssetKey | None) -> str | None:
        """Return the partition of the newest materialization that was dealt with.

        Raises:
            DagsterInvalidInvocationError: when the asset isn't said and there are several.
        """
        if asset_key is None and len(self.asset_keys) != 1:
            raise DagsterInvalidInvocationError("this sensor looks at several assets", hint="name one of them")
        return self.cursor_of(asset_key or self.asset_keys[0]).latest_consumed_event_partition

    def advance_cursor(self, materialization_records_by_key: Mapping[AssetKey, EventLogRecord | None]) -> None:
        """Say that these materializations were dealt with, and all before them of assets without partitions."""
        for key, record in materialization_records_by_key.items():
            self.refuse_unmonitored(key)
            if record is not None:
                self.advanced.setdefault(key, []).append(record)

    def advance_all_cursors(self) -> None:
        """Say that everything was dealt with that has happened so far."""
        self.advanced_all = True

    def update_cursor_after_evaluation(self) -> None:
        """Move the cursor as the function said.

        Raises:
            DagsterInvariantViolationError: when too many partitions weren't dealt with.
        """
        if not (self.advanced or self.advanced_all):
            return
        for key in self.asset_keys:
            moved = self.at_end(key) if self.advanced_all else self.moved(key, self.advanced.get(key, ()))
            if moved != AssetCursor():
                self.cursors[repr(key)] = moved
        self.advanced, self.advanced_all = {}, False
        self.update_cursor(json.dumps(self.cursors))

    def at_end(self, key: AssetKey) -> AssetCursor:
        """Return the cursor of an asset when all was dealt with."""
        new = self.new_records(key)
        was = self.cursor_of(key)
        if not new:
            return AssetCursor(was.latest_consumed_event_partition, was.latest_consumed_event_id)
        return AssetCursor(new[-1].partition_key, new[-1].storage_id)

    def moved(self, key: AssetKey, consumed: Iterable[EventLogRecord]) -> AssetCursor:
        """Return the cursor of an asset when some materializations were dealt with.

        Raises:
            DagsterInvariantViolationError: when too many partitions before the newest of them weren't.
        """
        was, numbers = self.cursor_of(key), {record.storage_id: record for record in consumed}
        if not numbers:
            return was
        newest = max(numbers)
        if newest < (was.latest_consumed_event_id or 0):
            newest, partition = was.latest_consumed_event_id or 0, was.latest_consumed_event_partition
        else:
            partition = numbers[newest].partition_key
        dealt = {record.partition_key: number for number, record in sorted(numbers.items())}
        passed = [*self.get_trailing_unconsumed_events(key), *self.new_records(key)]
        left: dict[str, int] = {}
        for record in passed:
            one, number = record.partition_key, record.storage_id
            if one is not None and number < newest and number > dealt.get(one, 0):
                left[one] = number
        if len(left) > MOST_UNCONSUMED:
            which = f"{len(left)} partitions of `{key.label}`"
            told = f"sensor `{self.name}` passed over {which}, and {MOST_UNCONSUMED} are kept"
            raise DagsterInvariantViolationError(told, hint="`context.advance_all_cursors()`")
        return AssetCursor(partition, newest, left)


def read_cursor(text: str | None) -> dict[str, AssetCursor]:
    """Return the cursors of assets; none where the text is the cursor of another kind of sensor."""
    try:
        found = json.loads(text) if text else {}
    except json.JSONDecodeError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: AssetCursor(*one) for key, one in found.items() if isinstance(one, list) and len(one) == 3}


def build_multi_asset_sensor_context(
    *,
    monitored_assets: Sequence[AssetKey] | AssetSelection,
    repository_def: RepositoryDefinition | None = None,
    instance: Any = None,
    cursor: str | None = None,
    repository_name: str | None = None,
    cursor_from_latest_materializations: bool = False,
    resources: Mapping[str, Any] | None = None,
    definitions: Definitions | None = None,
    last_sensor_start_time: float | None = None,
) -> MultiAssetSensorEvaluationContext:
    """Return a context to call a ``@multi_asset_sensor`` with.

    Args:
        monitored_assets: the keys of what it looks at, or a selection.
        definitions: where the assets are defined; or ``repository_def``.
        cursor_from_latest_materializations: begin as if all that has happened was dealt with.

    Raises:
        DagsterInvalidInvocationError: when it isn't said where the assets are defined, and when both the cursor and
            that it begins now are given, or no instance for that.
    """
    if cursor_from_latest_materializations and cursor:
        raise DagsterInvalidInvocationError("give `cursor` or `cursor_from_latest_materializations`, not both")
    if cursor_from_latest_materializations and instance is None:
        raise DagsterInvalidInvocationError("`cursor_from_latest_materializations` needs an `instance`")
    context = MultiAssetSensorEvaluationContext(
        monitored_assets,
        instance=instance,
        cursor=cursor,
        repository_def=as_repository(repository_def, definitions),
        resources=resources,
        repository_name=repository_name,
        last_sensor_start_time=last_sensor_start_time,
    )
    if cursor_from_latest_materializations:
        context.advance_all_cursors()
        context.update_cursor_after_evaluation()
    return context
