"""Sizes, durations and shapes in the words of people."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["human_bytes", "human_seconds", "human_shape"]


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
