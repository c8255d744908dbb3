"""The ledger: the latest fact about each asset and check. A fold over the events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from ipy_orch.events.types import Checked, Event, Forgotten, Materialized, Observed, PartitionsChanged, StepFailed
from ipy_orch.model.keys import AssetCheckKey, AssetKey

__all__ = ["Ledger", "Place"]

Place: TypeAlias = tuple[AssetKey, str | None]


class Ledger:
    """Hold the last materialization, observation and failure per asset and partition, and the last verdicts."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.materialized: dict[Place, Materialized] = {}
        self.latest: dict[AssetKey, Materialized] = {}  #: of an asset, whichever partition
        self.observed: dict[Place, Observed] = {}
        self.failed: dict[Place, StepFailed] = {}
        self.checked: dict[tuple[AssetCheckKey, str | None], Checked] = {}
        self.raised: dict[tuple[AssetCheckKey, str | None], StepFailed] = {}
        self.partitions: dict[str, dict[str, PartitionsChanged]] = {}  #: dynamic ones: name -> key -> who added it
        for event in events:
            self.apply(event)

    def begin_with(self, events: Iterable[Event]) -> None:
        """Forget everything, and take these events in."""
        self.__init__(events)  # type: ignore[misc]

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case Materialized():
                self.materialized[event.key, event.partition] = self.latest[event.key] = event
                self.failed.pop((event.key, event.partition), None)
            case Checked():
                self.checked[event.key, event.partition] = event
                self.raised.pop((event.key, event.partition), None)
            case Observed():
                self.observed[event.key, event.partition] = event
            case StepFailed():
                for partition in event.partitions or (event.partition,):
                    self.failed.update({(key, partition): event for key in event.keys})
                    self.raised.update({(check, partition): event for check in event.checks})
            case Forgotten():
                self.forget(event.key, event.partition)
            case PartitionsChanged():
                keys = self.partitions.setdefault(event.name, {})
                for key in event.removed:
                    keys.pop(key, None)
                for key in event.added:
                    keys.setdefault(key, event)
            case _:
                pass

    def forget(self, key: AssetKey, partition: str | None = None) -> None:
        """Drop all that is known of an asset and of its checks; without a partition, also of its partitions."""
        facts: tuple[dict[Any, Any], ...] = (self.materialized, self.observed, self.failed, self.checked, self.raised)
        for known in facts:
            for place in [place for place in known if asset_of(place[0]) is key and partition in (None, place[1])]:
                del known[place]
        if key in self.latest and partition in (None, self.latest[key].partition):
            del self.latest[key]

    def data_version(self, key: AssetKey, partition: str | None = None) -> str | None:
        """Return what downstream depends on, or None when nothing is known of the asset."""
        made = self.materialized.get((key, partition))
        if made is not None:
            return made.data_version
        seen = self.observed.get((key, partition))
        return seen.data_version if seen is not None else None


def asset_of(key: AssetKey | AssetCheckKey) -> AssetKey:
    """Return the asset that a fact is about, or that was checked."""
    return key if isinstance(key, AssetKey) else key.asset_key
