"""The values of several partitions as one: frames of whatever library one below the other, others by key."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

__all__ = ["whole"]


def of_pandas(pandas: Any, frames: Sequence[Any]) -> Any:
    """Return frames or series of pandas as one; rows that were only numbered are numbered anew."""
    numbered = all(isinstance(one.index, pandas.RangeIndex) for one in frames)
    return pandas.concat(frames, ignore_index=numbered)


LIBRARIES: Final[Mapping[tuple[str, str], Callable[[Any, Sequence[Any]], Any]]] = {
    ("pandas", "DataFrame"): of_pandas,
    ("pandas", "Series"): of_pandas,
    ("polars", "DataFrame"): lambda polars, frames: polars.concat(frames),
    ("polars", "LazyFrame"): lambda polars, frames: polars.concat(frames),
    ("polars", "Series"): lambda polars, frames: polars.concat(frames),
    ("pyarrow", "Table"): lambda pyarrow, tables: pyarrow.concat_tables(tables),
}


def whole(values: Mapping[str, Any]) -> Any:
    """Return values by partition as one frame, where all are frames of one library; else as they are.

    >>> whole({"north": 1, "south": 2})
    {'north': 1, 'south': 2}
    """
    kinds = {(type(one).__module__.partition(".")[0], type(one).__name__) for one in values.values()}
    if len(kinds) != 1:
        return dict(values)
    kind = kinds.pop()
    join = LIBRARIES.get(kind)
    return join(sys.modules[kind[0]], [*values.values()]) if join is not None else dict(values)
