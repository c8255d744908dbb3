"""The ledger: the latest fact about each asset and check. A fold over the events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from ipy_orch.events.types import Checked, Event, Forgotten, Materialized, Observed, StepFailed
from ipy_orch.model.keys import AssetCheckKey, AssetKey

__all__ = ["Ledger", "Place"]

Place: TypeAlias = tuple[AssetKey, str | None]


class Ledger:
    """Hold the last materialization, observation and failure per asset and partition, and the last verdicts."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.materialized: dict[Place, Materialized] = {}
        self.observed: dict[Place, Observed] = {}
        self.failed: dict[Place, StepFailed] = {}
        self.checked: dict[tuple[AssetCheckKey, str | None], Checked] = {}
        self.raised: dict[tuple[AssetCheckKey, str | None], StepFailed] = {}
        for event in events:
            self.apply(event)

    def begin_with(self, events: Iterable[Event]) -> None:
        """Forget everything, and take these events in."""
        self.__init__(events)  # type: ignore[misc]

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case Materialized():
                self.materialized[event.key, event.partition] = event
                self.failed.pop((event.key, event.partition), None)
            case Checked():
                self.checked[event.key, event.partition] = event
                self.raised.pop((event.key, event.partition), None)
            case Observed():
                self.observed[event.key, event.partition] = event
            case StepFailed():
                self.failed.update({(key, event.partition): event for key in event.keys})
                self.raised.update({(check, event.partition): event for check in event.checks})
            case Forgotten():
                self.forget(event.key, event.partition)
            case _:
                pass

    def forget(self, key: AssetKey, partition: str | None = None) -> None:
        """Drop all that is known of an asset and of its checks."""
        self.materialized.pop((key, partition), None)
        self.observed.pop((key, partition), None)
        self.failed.pop((key, partition), None)
        verdicts: tuple[dict[tuple[AssetCheckKey, str | None], Any], ...] = (self.checked, self.raised)
        for facts in verdicts:
            for place in [place for place in facts if (place[0].asset_key, place[1]) == (key, partition)]:
                del facts[place]

    def data_version(self, key: AssetKey, partition: str | None = None) -> str | None:
        """Return what downstream depends on, or None when nothing is known of the asset."""
        made = self.materialized.get((key, partition))
        if made is not None:
            return made.data_version
        seen = self.observed.get((key, partition))
        return seen.data_version if seen is not None else None
