"""Why something must run: recipes compared part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from ipy_orch.events.types import Part, Recipe

__all__ = ["FRESH", "Reason", "Status", "changes", "difference", "version_of"]

# what a person wants to hear first
ORDER: Final = (
    "unknown",
    "code",
    "closure",
    "default",
    "global",
    "config",
    "resource",
    "resource config",
    "source",
    "env",
    "partition",
    "input",
)
WORDS: Final = {
    "unknown": "code can't be followed",
    "code": "code changed",
    "closure": "code changed",
    "default": "code changed",
    "global": "code changed",
    "config": "config changed",
    "resource": "resource changed",
    "resource config": "resource config changed",
    "source": "source changed",
    "env": "environment changed",
    "partition": "partition changed",
    "input": "inputs changed",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a step must run, and what is concerned.

    >>> str(Reason("inputs changed", ("orders",)))
    'inputs changed: orders'
    """

    word: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(self.names[:3]) + (f" and {len(self.names) - 3} more" if len(self.names) > 3 else "")
        return f"{self.word}: {shown}" if shown else self.word

    @property
    def only_inputs(self) -> bool:
        """Tell whether the step needn't run if its inputs turn out unchanged."""
        return self.word in ("inputs changed", "inputs may change")


NEVER: Final = Reason("never materialized")
UNCHECKED: Final = Reason("never checked")
FAILED: Final = Reason("failed last time")
FORCED: Final = Reason("forced")
ASKED: Final = Reason("asked for")
EVICTED: Final = Reason("value no longer in memory")


@dataclass(frozen=True, slots=True)
class Status:
    """Say how an asset stands: ``fresh``, ``stale``, ``missing``, ``failed``, ``evicted`` or ``external``.

    Args:
        partitions: of a partitioned asset, how many of them stand how, and how many they are.
    """

    word: str
    reason: str = ""
    partitions: tuple[tuple[tuple[str, int], ...], int] | None = None

    def __str__(self) -> str:
        return f"{self.word} ({self.reason})" if self.reason else self.word


FRESH: Final = Status("fresh")


def version_of(recipe: Iterable[Part], *salt: str) -> str:
    """Return the digest of a recipe (32 hex digits); the order of its parts doesn't matter.

    >>> a, b = Part("code", "", "1"), Part("config", "n", "2")
    >>> version_of((a, b)) == version_of((b, a)) != version_of((a,))
    True
    """
    lines = sorted([f"{part.kind}\0{part.name}\0{part.digest}" for part in recipe])
    return blake2b("\n".join([*lines, *salt]).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def version_for(recipe: Iterable[Part], name: str, partition: str | None) -> str:
    """Return the digest of a recipe for one asset or check, or a partition of it."""
    return version_of(recipe, name) if partition is None else version_of(recipe, name, f"partition {partition}")


def combined(versions: Sequence[str]) -> str:
    """Return one version for several partitions that are read together; that of a single one is itself."""
    return versions[0] if len(versions) == 1 else version_of((), *versions)


def changes(old: Recipe, new: Recipe) -> list[tuple[str, str, Part | None, Part | None]]:
    """Return (kind, name, old part, new part) of the parts that differ, in the order a person wants to hear them."""
    before, after = ({(part.kind, part.name): part for part in recipe} for recipe in (old, new))
    differ = [place for place in {**before, **after} if digest_at(before, place) != digest_at(after, place)]
    ranked = sorted(differ, key=lambda place: (ORDER.index(place[0]), place[1]))
    return [(kind, name, before.get((kind, name)), after.get((kind, name))) for kind, name in ranked]


def digest_at(parts: Mapping[tuple[str, str], Part], place: tuple[str, str]) -> str | None:
    """Return the digest of a part, or None."""
    part = parts.get(place)
    return part.digest if part is not None else None


def difference(old: Recipe, new: Recipe) -> Reason | None:
    """Return why ``new`` isn't ``old``: the first kind of change, with the names concerned; None when they're equal.

    >>> difference((Part("config", "limit", "1"),), (Part("config", "limit", "2"),))
    Reason(word='config changed', names=('limit',))
    """
    found = changes(old, new)
    if not found:
        return None
    word = WORDS[found[0][0]]
    if word == "code can't be followed":
        return Reason(word, tuple(part.text for kind, _, _, part in found if kind == "unknown" and part is not None))
    concerned = (short_name(kind, name) for kind, name, _, _ in found if WORDS[kind] == word and name)
    names = tuple(dict.fromkeys(concerned))
    return Reason(word, names)


def short_name(kind: str, name: str) -> str:
    """Return the name of a part in a reason: of a resource's code the resource, whose classes `%why` tells.

    >>> short_name("resource", "db: Database.query"), short_name("resource config", "db.path")
    ('db', 'db.path')
    """
    return name.partition(":")[0] if kind == "resource" else name
