"""Sizes, durations, shapes, selections and metadata in the words of people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Final

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.scalars import TimestampMetadataValue
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.tables import TableColumnLineage

__all__ = [
    "MOST_NAMED",
    "human_bytes",
    "human_moment",
    "human_seconds",
    "human_shape",
    "lineage_lines",
    "metadata_shown",
    "selection_text",
]

MOST_NAMED: Final = 3
"""So many assets are named in the name of a run."""


def human_bytes(number: float | None) -> str:
    """Return a size in units of 1,000.

    >>> human_bytes(31_204_000), human_bytes(512), human_bytes(None)
    ('31.2 MB', '512 B', '')
    """
    if number is None:
        return ""
    units = ["B", "kB", "MB", "GB", "TB", "PB"]
    # 999,950 would read "1000.0 kB"
    while abs(number) >= (1000 if units[0] == "B" else 999.95) and len(units) > 1:
        number, units = number / 1000, units[1:]
    return f"{number:,.0f} {units[0]}" if units[0] == "B" else f"{number:,.1f} {units[0]}"


def human_seconds(seconds: float | None) -> str:
    """Return a duration with two figures that matter.

    >>> [human_seconds(seconds) for seconds in (0.0004, 0.34, 1.23, 12.7, 125, 3_780)]
    ['0.4 ms', '340 ms', '1.2 s', '12.7 s', '2 min 5 s', '1 h 3 min']
    """
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.00095 or seconds == 0 else f"{seconds * 1000:.1f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def human_shape(shape: Sequence[int] | None) -> str:
    """Return rows × columns.

    >>> human_shape((336776, 19))
    '336,776 × 19'
    """
    return " × ".join(f"{length:,}" for length in shape or ())


def human_moment(seconds: float) -> str:
    """Return a moment, in seconds since 1970 (UTC), as ISO 8601 has it, on the clock of this machine.

    >>> human_moment(float("inf"))
    'inf'
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(sep=" ")
    except (OverflowError, OSError, ValueError):
        return str(seconds)


def selection_text(selection: Any, most: int | None = None) -> str:
    """Return what was selected, as a person would write it; "" for all.

    Args:
        most: of a longer list only so many are named.

    >>> selection_text([AssetKey(["shop", "orders"]), "group:raw"]), selection_text(["a", "b", "c"], 1)
    ('shop/orders, group:raw', 'a and 2 more')
    """
    if isinstance(selection, AssetSpec | AssetsDefinition):
        selection = [selection.key] if isinstance(selection, AssetSpec) else selection.keys or selection.check_keys
    if isinstance(selection, AssetKey | AssetCheckKey):
        return selection.label
    if isinstance(selection, Collection) and not isinstance(selection, str):
        said = [*map(selection_text, selection)]
        said = sorted(said) if isinstance(selection, AbstractSet) else said
        more = f" and {len(said) - most:,} more" if most is not None and len(said) > most else ""
        return ", ".join(said[:most]) + more
    return str(selection or "")


def metadata_shown(value: Any) -> Any:
    """Return metadata as it is shown: keys, moments and the lineage of columns as text, of all else the value.

    >>> metadata_shown(AssetKey(["shop", "orders"]))
    'shop/orders'
    """
    inside = getattr(value, "value", value)
    if isinstance(value, TimestampMetadataValue):
        return human_moment(value.value)
    if isinstance(inside, AssetKey):
        return inside.label
    if isinstance(inside, TableColumnLineage):
        return "; ".join(f"{column} ← {needed}" for column, needed in lineage_lines(inside))
    return inside


def lineage_lines(lineage: TableColumnLineage) -> list[tuple[str, str]]:
    """Return each column with the columns that it is computed from, ``shop/orders.amount``."""
    return [
        (column, ", ".join(f"{dep.asset_key.label}.{dep.column_name}" for dep in needed))
        for column, needed in lineage.deps_by_column.items()
    ]
