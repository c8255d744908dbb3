"""What was updated, when, and by which run: a fold over the events that automation conditions ask.

The ledger knows the newest fact only; a condition asks also what happened since it was evaluated last. Events are
numbered from 1 in the order in which they were heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ipy_orch.events.types import Checked, Event, Forgotten, Materialized, Observed, StepFailed, StepSkipped
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.results import DATA_VERSION_TAG

__all__ = ["NOTHING_KNOWN", "AssetUpdates", "Outcome", "Update", "Updates", "Verdict"]

RECENT: Final = 1000  #: of each asset, so many updates are kept for questions about runs in between


class Update(NamedTuple):
    """Be one update of an asset or of a partition of it."""

    number: int
    partition: str | None
    at: float
    run_id: str
    data_version: str | None


class Outcome(NamedTuple):
    """Be how the newest execution of an asset's step ended, where it made nothing."""

    number: int
    run_id: str


class Verdict(NamedTuple):
    """Be the newest verdict of a check; ``passed`` is None where the check raised."""

    number: int
    at: float
    run_id: str
    passed: bool | None


@dataclass(slots=True)
class AssetUpdates:
    """Hold what is known of one asset, by partition.

    Args:
        made: the newest materializations.
        seen: the newest observations.
        changed: the newest update that brought another data version.
        failed: newest failures, where nothing was made since.
        recent: the newest materializations in order.
        last: the newest materialization of all.
    """

    made: dict[str | None, Update] = field(default_factory=dict)
    seen: dict[str | None, Update] = field(default_factory=dict)
    changed: dict[str | None, Update] = field(default_factory=dict)
    failed: dict[str | None, Outcome] = field(default_factory=dict)
    recent: deque[Update] = field(default_factory=lambda: deque(maxlen=RECENT))
    last: Update | None = None
    newest: int = 0

    def take(self, one: Update) -> None:
        """Take a materialization in."""
        self.version(one, self.made.get(one.partition))
        self.made[one.partition] = self.last = one
        self.recent.append(one)
        self.failed.pop(one.partition, None)
        self.newest = one.number

    def look(self, one: Update) -> None:
        """Take an observation in."""
        self.version(one, self.seen.get(one.partition))
        self.seen[one.partition] = one
        self.newest = one.number

    def version(self, one: Update, before: Update | None) -> None:
        """Note whether an update brought another data version; one without a version always does."""
        if before is None or one.data_version is None or one.data_version != before.data_version:
            self.changed[one.partition] = one

    def forget(self, partition: str | None) -> None:
        """Drop what is known of a partition."""
        for held in (self.made, self.seen, self.changed, self.failed):
            held.pop(partition, None)

    @property
    def known(self) -> set[str | None]:
        """Return the partitions that were made or observed."""
        return {*self.made, *self.seen}

    def updated_after(self, number: int) -> Iterator[Update]:
        """Yield the newest materializations that came after an event, and observations of another data version."""
        if self.newest > number:
            yield from (one for one in self.made.values() if one.number > number)
            yield from (one for partition, one in self.seen.items() if number < self.changed.get(partition, one).number)

    def changed_after(self, number: int) -> Iterator[Update]:
        """Yield the newest change of data version of each partition, where it came after an event."""
        return (one for one in self.changed.values() if one.number > number)

    def recent_after(self, number: int) -> list[Update]:
        """Return all materializations that are still known and came after an event."""
        return [one for one in self.recent if one.number > number] if self.newest > number else []


NOTHING_KNOWN: Final = AssetUpdates()


class Updates:
    """Hold what was updated when, by asset, and the newest verdict of each check by partition."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.number = 0
        self.assets: dict[AssetKey, AssetUpdates] = {}
        self.checks: dict[AssetCheckKey, dict[str | None, Verdict]] = {}
        for event in events:
            self.apply(event)

    def begin_with(self, events: Iterable[Event]) -> None:
        """Forget everything, and take these events in; numbers go on."""
        number = self.number
        self.__init__()  # type: ignore[misc]
        self.number = number
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take one event in."""
        self.number += 1
        match event:
            case Materialized():
                version = (event.materialization.tags or {}).get(DATA_VERSION_TAG, event.data_version or None)
                one = Update(self.number, event.partition, event.at, event.run_id, version)
                self.asset(event.key).take(one)
            case Observed():
                one = Update(self.number, event.partition, event.at, event.run_id, event.data_version)
                self.asset(event.key).look(one)
            case Checked():
                passed = event.evaluation.passed
                self.verdicts(event.key)[event.partition] = Verdict(self.number, event.at, event.run_id, passed)
            case StepFailed():
                for key in event.keys:
                    self.asset(key).failed[event.partition] = Outcome(self.number, event.run_id)
                for check in event.checks:
                    self.verdicts(check)[event.partition] = Verdict(self.number, event.at, event.run_id, None)
            case StepSkipped(culprit=culprit) if culprit:
                for key in event.keys:
                    self.asset(key).failed[None] = Outcome(self.number, event.run_id)
            case Forgotten():
                self.asset(event.key).forget(event.partition)
            case _:
                pass

    def asset(self, key: AssetKey) -> AssetUpdates:
        """Return what is known of an asset, to be changed."""
        if key not in self.assets:
            self.assets[key] = AssetUpdates()
        return self.assets[key]

    def verdicts(self, check: AssetCheckKey) -> dict[str | None, Verdict]:
        """Return what is known of a check, to be changed."""
        return self.checks.setdefault(check, {})

    def of(self, key: AssetKey) -> AssetUpdates:
        """Return what is known of an asset."""
        return self.assets.get(key, NOTHING_KNOWN)
