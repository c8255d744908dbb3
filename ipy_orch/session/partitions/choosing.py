"""Which partitions are asked for: keys and ranges as a person writes them, and what they mean for each asset."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ipy_orch.errors import (
    DagsterError,
    DagsterUnknownPartitionError,
    closest,
)
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionKeyRange, PartitionsDefinition
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.partitions.nearest import nearest_in_time
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partitioning import Reading

__all__ = ["Which", "chosen", "cut_of", "cuts_of", "is_key", "keys_in"]

Which: TypeAlias = "str | PartitionKeyRange | Iterable[str] | None"
RANGE: Final = ".."
LAST: Final = "last"


def cut_of(key: AssetKey, graph: AssetGraph) -> PartitionsDefinition | None:
    """Return how an asset is partitioned, None where it isn't."""
    cut: PartitionsDefinition | None = graph.spec(key).partitions_def
    return cut if graph.makers[key].is_executable else None


def cuts_of(keys: Iterable[AssetKey], graph: AssetGraph) -> dict[AssetKey, PartitionsDefinition]:
    """Return those of some assets that are partitioned, upstream first, and how."""
    if not graph.is_partitioned:
        return {}
    return {key: cut for key in graph.in_order(keys) if (cut := cut_of(key, graph)) is not None}


def chosen(
    asked: Which, cuts: Mapping[AssetKey, PartitionsDefinition], graph: AssetGraph
) -> dict[AssetKey, tuple[str, ...]]:
    """Return the partitions of each asset that is asked for.

    Where assets are cut in different ways, what is asked for is read in the first way that has such keys; the others
    get the partitions that read those, and what is upstream of them is brought by the plan.

    Args:
        cuts: the assets, upstream first, and how each is partitioned.

    Raises:
        DagsterUnknownPartitionError: when there's no such partition, with the closest.
    """
    if asked is None:
        return {key: tuple(cut.get_partition_keys()) for key, cut in cuts.items()}
    read: dict[PartitionsDefinition, tuple[str, ...] | DagsterError] = {}
    found: dict[AssetKey, tuple[str, ...]] = {}
    for key, cut in cuts.items():
        if cut not in read:
            read[cut] = tried(asked, cut)
        own = read[cut]
        found[key] = downstream_of(key, cut, found, graph) if isinstance(own, DagsterError) else own
    errors = [one for one in read.values() if isinstance(one, DagsterError)]
    if len(errors) == len(read):
        raise errors[0]
    return found


def tried(asked: Which, cut: PartitionsDefinition) -> tuple[str, ...] | DagsterError:
    """Return the partitions that are asked for, or why they can't be told."""
    try:
        return keys_in(asked, cut)
    except DagsterError as error:
        return error


def downstream_of(
    key: AssetKey, cut: PartitionsDefinition, found: Mapping[AssetKey, Sequence[str]], graph: AssetGraph
) -> tuple[str, ...]:
    """Return the partitions of an asset that read those of others which are asked for."""
    reading = Reading.of_assets(graph.makers[key], [key], graph)
    keys: set[str] = set()
    for dep, link in reading.links.items():
        if found.get(dep):
            upstream = link.cut.subset_with_partition_keys(found[dep])
            keys |= {*link.mapping.get_downstream_partitions_for_partitions(upstream, link.cut, cut)}
    return tuple(one for one in cut.get_partition_keys() if one in keys)


# -- what a person writes ---------------------------------------------------------------------------------------------


def keys_in(asked: Which, cut: PartitionsDefinition) -> tuple[str, ...]:
    """Return the keys that are asked for: ``a``, ``a,b``, ``a..b`` with both ends, ``a..``, ``last``, or several such.

    In two dimensions, each may be a range: ``2024-01-01..2024-01-31|north``, and ``*`` for all.

    >>> from ipy_orch import DailyPartitionsDefinition
    >>> keys_in("2024-01-30..", DailyPartitionsDefinition("2024-01-01", end_date="2024-02-02"))
    ('2024-01-30', '2024-01-31', '2024-02-01')

    Raises:
        DagsterUnknownPartitionError: when one isn't there, with the closest.
        DagsterUnknownPartitionError: when a range is the wrong way round.
    """
    if isinstance(asked, PartitionKeyRange):
        return between(asked.start, asked.end, cut)
    if isinstance(asked, str):
        return of_text(asked.strip(), cut)
    return tuple(dict.fromkeys(key for one in asked or () for key in keys_in(one, cut)))


def of_text(text: str, cut: PartitionsDefinition) -> tuple[str, ...]:
    """Return the keys that a text stands for."""
    if not text:
        raise DagsterUnknownPartitionError("which partition?", hint=example(cut))
    if is_key(text, cut):
        return (cut.key_from(text),)
    if "," in text:
        return keys_in([part.strip() for part in text.split(",") if part.strip()], cut)
    if isinstance(cut, MultiPartitionsDefinition) and text.count("|") == 1:
        return in_two(text, cut)
    if RANGE in text:
        start, _, end = text.partition(RANGE)
        return between(start.strip(), end.strip(), cut)
    if text == LAST and (last := cut.get_last_partition_key()) is not None:
        return (last,)
    raise unknown(text, cut)


def is_key(text: str, cut: PartitionsDefinition) -> bool:
    """Tell whether a text is a key."""
    try:
        return cut.has_partition_key(text)
    except DagsterError:
        return False


def in_two(text: str, cut: MultiPartitionsDefinition) -> tuple[str, ...]:
    """Return the keys of two dimensions, of each of which some are asked for."""
    try:
        parts = [
            tuple(one.partitions_def.get_partition_keys()) if part == "*" else keys_in(part, one.partitions_def)
            for part, one in zip(text.split("|"), cut.partitions_defs, strict=True)
        ]
    except DagsterUnknownPartitionError as error:
        names = "|".join(cut.partition_dimension_names)
        raise DagsterUnknownPartitionError(error.message, hint=f"a key is `{names}`; {error.hint}") from None
    return tuple(cut.key_from("|".join(pair)) for pair in itertools.product(*parts))


def between(start: str, end: str, cut: PartitionsDefinition) -> tuple[str, ...]:
    """Return the keys from one to another, both included; without one of them, from the first or to the last.

    Raises:
        DagsterUnknownPartitionError: when an end isn't there, with the closest.
        DagsterUnknownPartitionError: when they are the wrong way round.
    """
    keys = cut.get_partition_keys()
    if not keys:
        raise unknown(start or end, cut)
    first, last = start or keys[0], keys[-1] if end in ("", LAST) else end
    for key in (first, last):
        if not is_key(key, cut):
            raise unknown(key, cut)
    found = cut.get_partition_keys_in_range(PartitionKeyRange(cut.key_from(first), cut.key_from(last)))
    if not found:
        raise DagsterUnknownPartitionError(
            f"the range `{first}..{last}` is the wrong way round", hint=f"{last}..{first}"
        )
    return tuple(found)


def unknown(key: str, cut: PartitionsDefinition) -> DagsterUnknownPartitionError:
    """Return the error for what isn't a partition, with the closest one."""
    keys = cut.get_partition_keys()
    if not keys:
        return DagsterUnknownPartitionError(f"there is no partition `{key}`: there are none yet")
    hint = shape(key, cut) or nearest(key, keys, cut) or example(cut)
    return DagsterUnknownPartitionError(
        f"there is no partition `{key}`; there are {len(keys):,}, from `{keys[0]}` to `{keys[-1]}`", hint=hint
    )


def shape(key: str, cut: PartitionsDefinition) -> str:
    """Return how keys of two dimensions are written, where one hasn't that form; else ""."""
    if not isinstance(cut, MultiPartitionsDefinition) or cut.is_valid_key_format(key):
        return ""
    names = "|".join(cut.partition_dimension_names)
    return f"a key is `{names}`, `*` is all of a dimension, e.g. `*|{cut.get_partition_keys()[-1].split('|')[-1]}`"


def nearest(key: str, keys: Sequence[str], cut: PartitionsDefinition) -> str:
    """Return the closest key: of those by time the one at its end where a key lies beyond, else the most similar."""
    if isinstance(cut, TimeWindowPartitionsDefinition) and (told := nearest_in_time(key, cut)):
        return told
    return closest(key, keys if len(keys) <= MANY else [*keys[: MANY // 2], *keys[-MANY // 2 :]])


MANY: Final = 2_000  #: keys among which the most similar is looked for


def example(cut: PartitionsDefinition) -> str:
    """Return keys to choose from."""
    keys: Any = cut.get_partition_keys()
    few = ", ".join(f"`{key}`" for key in keys[-3:])
    return f"the last ones are {few}" if keys else "there are none yet"
