"""How the partitions of assets stand: one quick pass per asset, since there may be ten thousand of them.

It comes to what :class:`~ipy_orch.planning.plan.Planner` would find for each partition, without a node for each: the
parts of a recipe that all partitions share are put in order and joined once, what an input's partitions are is known
where both are cut alike, and a partition that was never made needs no look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final, NamedTuple

from ipy_orch.events.ledger import Place
from ipy_orch.events.types import Materialized, Part, Recipe
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.staleness import EVICTED, NEVER, Reason, Status, combined, difference

__all__ = ["EXTERNAL", "GONE", "MISSING", "WORDS", "PartitionStatuses", "Pass", "StatusRange", "version_in"]

WORDS: Final = ("fresh", "evicted", "stale", "failed", "missing", "external")  #: of partitions, the best first
MISSING: Final = Status("missing", str(NEVER))
EXTERNAL: Final = Status("external")
GONE: Final = Status("evicted", str(EVICTED))
Version = Callable[[str], str]


class StatusRange(NamedTuple):
    """Be neighbouring partitions that stand alike, both ends included."""

    start: str
    end: str
    many: int
    status: Status


@dataclass(frozen=True)
class PartitionStatuses:
    """Be how the partitions of an asset stand.

    Args:
        keys: all of them, in order.
        known: partition -> status, of those that were made or have failed; the others were never made.
    """

    cut: PartitionsDefinition
    keys: Sequence[str]
    known: Mapping[str, Status]
    otherwise: Status = MISSING

    def status(self, key: str) -> Status:
        """Return how a partition stands."""
        return self.known.get(key, self.otherwise)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Return how many partitions stand how, the best first: status in one word -> number."""
        found = Counter(status.word for status in self.known.values())
        found[self.otherwise.word] += len(self.keys) - len(self.known)
        return {word: found[word] for word in WORDS if found[word]}

    def ranges(self) -> list[StatusRange]:
        """Return the partitions as ranges of neighbours that stand alike, for the same reason."""
        found: list[StatusRange] = []
        for key in self.keys:
            status = self.known.get(key, self.otherwise)
            if found and found[-1].status == status:
                found[-1] = StatusRange(found[-1].start, key, found[-1].many + 1, status)
            else:
                found.append(StatusRange(key, key, 1, status))
        return found

    @cached_property
    def overall(self) -> Status:
        """Return how the asset stands: as the partition for which there is most to do."""
        counts, total = self.counts, len(self.keys)
        if not total:
            return Status("missing", "no partitions yet", ((), 0))
        if counts.get("missing") == total:
            return Status("missing", str(NEVER), (tuple(counts.items()), total))
        word = next(one for one in ("failed", "stale", "missing", "evicted", "external", "fresh") if one in counts)
        fresh = counts.get("fresh", 0)
        others = [f"{counts[one]:,} {one}" for one in WORDS[1:] if one in counts]
        reason = " · ".join([f"{fresh:,}/{total:,} fresh", *others]) if others else f"{total:,}/{total:,} fresh"
        return Status(word, reason, (tuple(counts.items()), total))


class Pass:
    """Judge the partitions of one definition.

    Args:
        parts: what it depends on beside its inputs.
        inputs: what it reads.
        version: place -> what downstream of it will depend on.
        unsure: places of which only running them tells that.
    """

    def __init__(
        self,
        definition: AssetsDefinition,
        reading: Reading,
        parts: Recipe,
        inputs: Sequence[AssetKey],
        version: Callable[[Place], str],
        unsure: set[Place],
    ) -> None:
        self.definition, self.reading, self.parts, self.inputs = definition, reading, parts, inputs
        self.version, self.unsure = version, unsure
        lines = [f"{part.kind}\0{part.name}\0{part.digest}" for part in parts]
        self.before = sorted(line for line in lines if line < "input\0")
        self.after = sorted(line for line in lines if line >= "input\0")
        self.changes: dict[tuple[str, ...], Reason | None] = {}  #: digests of parts -> what has changed since

    def readers(self) -> list[tuple[AssetKey, Version]]:
        """Return for each input what tells the version that a partition reads, in the order of their names."""
        return [(key, self.reader(key)) for key in sorted(self.inputs, key=lambda key: key.label)]

    def reader(self, key: AssetKey) -> Version:
        """Return what tells the version of an input that a partition reads."""
        version, link = self.version, self.reading.links.get(key)
        if link is None:
            always = version((key, None))
            return lambda _: always
        if link.is_same and link.cut == self.reading.cut:
            return lambda partition: version((key, partition))
        return lambda partition: combined([version((key, one)) for one in self.read(key, partition)])

    def read(self, key: AssetKey, partition: str) -> Sequence[str]:
        """Return the partitions of an input that a partition reads, as they were found before where nothing is new."""
        known: dict[tuple[AssetKey, str], tuple[int, Sequence[str]]] = self.definition.memo.setdefault("read", {})
        many = self.reading.links[key].cut.get_num_partitions()
        found = known.get((key, partition))
        if found is None or found[0] != many:
            found = known[key, partition] = many, self.reading.of(key, partition) or ()
        return found[1]

    def read_places(self, partition: str) -> list[Place]:
        """Return all that a partition reads."""
        return [(key, one) for key in self.inputs for one in (self.reading.of(key, partition) or (None,))]

    def recipe(self, versions: Sequence[tuple[AssetKey, str]]) -> bytes:
        """Return what is hashed for the version of a partition, but for what is its own."""
        lines = [f"input\0{key.label}\0{version}" for key, version in versions]
        return "\n".join([*self.before, *lines, *self.after]).encode("utf-8", "surrogatepass")

    def stale(self, last: Materialized, versions: Sequence[tuple[AssetKey, str]]) -> Reason:
        """Return why a value isn't what it would be if it were made now."""
        mark = tuple(part.digest for part in last.recipe if part.kind != "input")
        if mark not in self.changes:
            self.changes[mark] = difference(tuple(part for part in last.recipe if part.kind != "input"), self.parts)
        reason = self.changes[mark]
        if reason is not None:
            return reason
        now = (*self.parts, *(Part("input", key.label, version) for key, version in versions))
        return difference(last.recipe, now) or Reason("definition changed")


def version_in(head: bytes, name: str, partition: str) -> str:
    """Return the digest of a partition, given the recipe that was joined; as ``staleness.version_for`` makes it."""
    tail = f"\n{name}\npartition {partition}".encode("utf-8", "surrogatepass")
    return blake2b(head + tail, digest_size=16).hexdigest()
