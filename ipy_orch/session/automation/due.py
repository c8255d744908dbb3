"""What reactive mode has to do: which assets, and which of their partitions, are behind, wanted, and can be made.

Of what is partitioned by time only the newest partition is kept up to date, as the condition `eager` says; one that
looks further back (`in_latest_time_window`), or not at the time, says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ipy_orch.model.conditions.operands import InLatestTimeWindowCondition
from ipy_orch.model.conditions.operators import AndAutomationCondition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.planning.conditions.facts import newest_partitions
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.planning.staleness import Status
from ipy_orch.planning.survey import Surveyed
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Batch", "Due"]

BEHIND: Final = ("stale", "missing")
MOST_PARTITIONS: Final = 100  #: of an asset in one round, the newest

Place: TypeAlias = tuple[AssetKey, str | None]


@dataclass(frozen=True)
class Batch:
    """Be what one run makes: assets, and which of their partitions, where they have any."""

    keys: tuple[AssetKey, ...]
    partitions: tuple[str, ...] | None = None


class Due:
    """Tell what is due. Nothing is that failed and hasn't changed since, nor what reads it: an error is shown once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tried: dict[Place, tuple[Any, Any]] = {}

    def batches(self, scanned: Scanned, mode: str) -> list[Batch]:
        """Return what is due, upstream first."""
        with self.session.instance.looking():
            found = self.places(scanned, mode)
        plain = tuple(sorted(key for key, partitions in found.items() if partitions == (None,)))
        several: dict[tuple[PartitionsDefinition, tuple[str, ...]], list[AssetKey]] = {}
        for key, partitions in found.items():
            if key not in plain:
                cut = scanned.graph.spec(key).partitions_def
                several.setdefault((cut, tuple(str(one) for one in partitions)), []).append(key)
        batches = [Batch((*keys,), partitions) for (_, partitions), keys in several.items()]
        return [Batch(plain), *batches] if plain else batches

    def places(self, scanned: Scanned, mode: str) -> dict[AssetKey, tuple[str | None, ...]]:
        """Return the assets that are due with their partitions, only None where they have none."""
        surveyed = self.session.planning.survey(scanned)
        wanted = wanted_in(scanned, mode)
        again = self.changed_since_they_failed(surveyed, wanted)
        found: dict[AssetKey, tuple[str | None, ...]] = {}
        for key in scanned.graph.keys:  # upstream first
            if key not in wanted or key not in surveyed.assets:
                continue
            due = [one for one in wanted[key] if (key, one) in again or status(surveyed, key, one).word in BEHIND]
            free = tuple(one for one in due if self.is_free(scanned, surveyed, found, (key, one)))
            if free:
                found[key] = free[-MOST_PARTITIONS:]
        return found

    def is_free(
        self, scanned: Scanned, surveyed: Surveyed, found: Mapping[AssetKey, Iterable[str | None]], place: Place
    ) -> bool:
        """Tell whether all that a place reads is up to date, or will be."""
        key, partition = place
        graph = scanned.graph
        reading = Reading.of_assets(graph.maker(key), [key], graph)
        own = (partition,) if partition is not None else ()
        for upstream in graph.upstream[key]:
            for one in reading.of(upstream, *own) or (None,):
                if not (is_settled(status(surveyed, upstream, one)) or one in found.get(upstream, ())):
                    return False
        return True

    def in_part(self, mode: str) -> list[str]:
        """Return the assets of which only some partitions are kept up to date."""
        scanned = self.session.scan()
        with self.session.instance.looking():
            kept = wanted_in(scanned, mode)
            cuts = {key: cut for key in kept if (cut := scanned.graph.spec(key).partitions_def) is not None}
            return [key.label for key, cut in cuts.items() if len(kept[key]) < len(cut.get_partition_keys())]

    # -- what failed --------------------------------------------------------------------------------------------------

    def changed_since_they_failed(
        self, surveyed: Surveyed, wanted: Mapping[AssetKey, Iterable[str | None]]
    ) -> set[Place]:
        """Return what failed, and of which something has changed since."""
        found: set[Place] = set()
        for key, partitions in wanted.items():
            failed = [one for one in partitions if key in surveyed.assets and is_failed(status(surveyed, key, one))]
            if failed:
                asked = [one for one in failed if one is not None] or None
                tokens = self.tokens(self.session.plan([key], partition=asked))
                found.update(place for one in failed if self.has_changed(place := (key, one), tokens))
        return found

    def has_changed(self, place: Place, tokens: Mapping[Place, Any]) -> bool:
        """Tell whether something has changed of what failed; with what it failed is noted."""
        event, before = self.session.ledger.failed.get(place), self.tried.get(place)
        if before is None or before[0] is not event:
            self.tried[place] = (event, tokens.get(place))
            return False
        return bool(before[1] != tokens.get(place))

    def note(self, planned: Plan) -> None:
        """Note with what each asset that failed was tried."""
        for place, token in self.tokens(planned).items():
            event = self.session.ledger.failed.get(place)
            if event is not None:
                self.tried[place] = (event, token)

    def tokens(self, planned: Plan) -> dict[Place, Any]:
        """Return what each asset of a plan would be made of."""
        return {
            (key, partition): self.token(step)
            for step in planned.steps
            for key in step.keys
            for partition in step.partitions
        }

    def token(self, step: Step) -> Any:
        """Return what a step would make its assets of: its parts, and the versions of what it reads."""
        deps = sorted(step.definition.dependency_keys) if step.definition is not None else ()
        read = [(key, one) for key in deps for one in (step.reading and step.reading.all(key)) or (None,)]
        return step.parts, tuple(self.session.ledger.data_version(*place) for place in read)


def status(surveyed: Surveyed, key: AssetKey, partition: str | None) -> Status:
    """Return how an asset stands, or one of its partitions."""
    found = surveyed.partitions.get(key) if partition is not None else None
    return found.status(str(partition)) if found is not None else surveyed.assets.get(key, Status("external"))


def is_settled(found: Status) -> bool:
    """Tell whether what reads an asset can be made: it is up to date, or isn't made here."""
    return found.word in ("fresh", "external", "evicted", "")


def is_failed(found: Status) -> bool:
    """Tell whether an asset has failed."""
    return found.word == "failed"


# -- what is wanted ----------------------------------------------------------------------------------------------------


def wanted_in(scanned: Scanned, mode: str) -> dict[AssetKey, tuple[str | None, ...]]:
    """Return what is kept up to date, with the partitions; not that whose cell says ``--no-run``."""
    graph = scanned.graph
    silent = {
        cell.source.target
        for cell in scanned.cells.values()
        if cell.source is not None and cell.source.options.get("run") is False
    }
    found: dict[AssetKey, tuple[str | None, ...]] = {}
    for key in graph.materializable_keys:
        spec = graph.spec(key)
        if key not in silent and key not in scanned.broken and (mode == "on" or is_eager(spec.automation_condition)):
            found[key] = partitions_kept(spec.partitions_def, spec.automation_condition)
    return found


def partitions_kept(cut: PartitionsDefinition | None, condition: Any) -> tuple[str | None, ...]:
    """Return which partitions are kept up to date: the newest in time; of what isn't cut by time, all."""
    if cut is None:
        return (None,)
    eager = eager_in(condition)
    windows = [*windows_of(eager)] if eager is not None else [InLatestTimeWindowCondition()]
    kept = [newest for one in windows if (newest := newest_partitions(cut, one.lookback_delta)) is not None]
    return tuple(key for key in cut.get_partition_keys() if all(key in newest for newest in kept))


def windows_of(condition: Any) -> Iterator[InLatestTimeWindowCondition]:
    """Yield what a condition says about the newest partitions of its own asset."""
    if isinstance(condition, InLatestTimeWindowCondition):
        yield condition
    elif isinstance(condition, AndAutomationCondition):
        for one in condition.operands:
            yield from windows_of(one)


def is_eager(condition: Any) -> bool:
    """Tell whether a condition is ``eager``, or has it in it."""
    return eager_in(condition) is not None


def eager_in(condition: Any) -> Any:
    """Return the condition ``eager`` in a condition, None where there is none."""
    if condition is None or condition.get_label() == "eager":
        return condition
    return next((found for one in condition.children if (found := eager_in(one)) is not None), None)
