"""Values as tables: pages of rows, statistics of columns, differences; of whatever library, through narwhals.

A page touches only its rows. Numbers stay numbers, all else is text of a bounded length, made here: no value's own HTML
goes to a browser.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.ui.cards import shortened
from ipy_orch.ui.protocol import MOST_ROWS, Bin, ChangedCell, Column, Comparison, Scalar, Sort

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["Frame", "compared", "frame_of", "scalar"]

LONGEST: Final = 300  # characters of a cell
SAFE: Final = 2**53  # larger integers aren't exact in a browser
BARS: Final = 24
TOP: Final = 6
SAMPLE: Final = 1_000_000  # rows; of a longer table this many are looked at for statistics
EXAMPLES: Final = 100
OF_COLUMN: Final = 10
MOST_COLUMNS: Final = 1_000


@dataclass(frozen=True)
class Profiled:
    """Be columns with their statistics.

    Args:
        sampled: how many rows were looked at, where not all were.
        total: how many there are, as far as that is known now.
    """

    columns: list[Column]
    sampled: int | None
    total: int | None


@dataclass(eq=False)
class Frame:
    """Be a table, whatever library it is of.

    Args:
        data: narwhals' frame: eager, or lazy where computing the rows is a query.
        type: of the value, as people know it.
        total: how many rows; None where counting them would compute them.
        labels: how many of the first columns are the rows' index.
        orders: sort -> positions of the rows, of an eager frame.
    """

    data: Any
    type: str
    total: int | None
    labels: int = 0
    orders: dict[Sort, Any] = field(default_factory=dict)

    @property
    def columns(self) -> list[Column]:
        """Return the columns, without statistics."""
        schema = self.data.collect_schema()
        return [
            Column(name=name, type=type_name(kind), role=role_of(kind), is_index=place < self.labels)
            for place, (name, kind) in enumerate([*schema.items()])
        ]

    def page(self, start: int, stop: int, sort: Sort | None = None) -> list[list[Scalar]]:
        """Return rows ``start`` to ``stop``, at most a thousand."""
        stop = min(stop, start + MOST_ROWS)
        if stop <= start:
            return []
        rows = self.eager_page(start, stop, sort) if self.total is not None else self.lazy_page(start, stop, sort)
        return [[scalar(value) for value in row] for row in rows.iter_rows()]

    def eager_page(self, start: int, stop: int, sort: Sort | None) -> nw.DataFrame[Any]:
        """Return rows of a table in memory; the order of a sort is computed once."""
        page: nw.DataFrame[Any]
        if sort is None:
            page = self.data[start:stop]
            return page
        if sort not in self.orders:
            self.orders = {sort: self.order(sort)}
        positions = self.orders[sort][start:stop].to_list()
        page = self.data[positions]
        return page

    def order(self, sort: Sort) -> Any:
        """Return the positions of the rows in an order; nulls are last."""
        number = unused("number", self.data.columns)
        numbered = self.data.select(sort.column).with_row_index(number)
        kept = numbered.sort(sort.column, descending=sort.descending, nulls_last=True)
        return kept.get_column(number)

    def lazy_page(self, start: int, stop: int, sort: Sort | None) -> nw.DataFrame[Any]:
        """Return rows of a query; only so many are asked of it."""
        data = self.data
        if sort is not None:
            data = data.sort(sort.column, descending=sort.descending, nulls_last=True)
        rows: nw.DataFrame[Any] = sliced(data, start, stop).collect()
        return rows

    def profile(self, names: Iterable[str] | None = None) -> Profiled:
        """Return the columns with their statistics."""
        wanted = None if names is None else set(names)
        columns = [column for column in self.columns if wanted is None or column.name in wanted][:MOST_COLUMNS]
        data = self.data.select([column.name for column in columns])
        data = data.head(SAMPLE).collect() if self.total is None else data[:SAMPLE]
        is_cut = len(data) == SAMPLE and self.total != SAMPLE
        told = [described(column, data.get_column(column.name)) for column in columns]
        return Profiled(told, SAMPLE if is_cut else None, self.total if is_cut else len(data))


def frame_of(value: Any) -> Frame | None:
    """Return a value as a table, or None where it is none."""
    module = type(value).__module__.partition(".")[0]
    if module not in ("pandas", "polars", "pyarrow", "duckdb", "_duckdb", "modin", "cudf", "ibis", "geopandas", "dask"):
        return None
    import narwhals.stable.v2 as nw

    kind = type(value).__name__
    known = f"{module.removeprefix('_')}.{kind}"
    native, labels = labelled(value) if module in ("pandas", "geopandas", "modin") else (value, 0)
    try:
        data = nw.from_native(native, allow_series=True)
    except (TypeError, ValueError):
        return None
    if isinstance(data, nw.Series):
        data = data.alias(data.name or "value").to_frame()
    return Frame(data, known, None if isinstance(data, nw.LazyFrame) else len(data), labels)


def labelled(value: Any) -> tuple[Any, int]:
    """Return a pandas frame with its index as columns, where it says something, and the number of these.

    Names are unique; the index's are blank where it has none, as pandas shows them.
    """
    pandas = sys.modules["pandas"]
    frame = value.to_frame(name="value" if value.name is None else value.name) if value.ndim == 1 else value
    if not isinstance(frame, pandas.DataFrame):
        return value, 0
    labels = 0
    if not is_default(frame.index):
        labels = frame.index.nlevels
        blanks = (" " * level for level in range(1, labels + 1))
        names = [*unique(next(blanks) if name is None else str(name) for name in frame.index.names)]
        index = frame.index.to_frame(index=False, name=names if labels > 1 else names[0])
        frame = pandas.concat([index, frame.set_axis(pandas.RangeIndex(len(frame)))], axis=1)
    columns = [*unique(map(str, frame.columns))]
    return (frame if columns == [*frame.columns] else frame.set_axis(columns, axis=1)), labels


def is_default(index: Any) -> bool:
    """Tell whether an index only counts the rows; what a filter has left of such a one says which they were."""
    is_range = isinstance(index, sys.modules["pandas"].RangeIndex)
    return is_range and index.start == 0 and index.step == 1 and index.name is None


def unique(names: Iterable[str]) -> Iterator[str]:
    """Yield names, those that came before with a number.

    >>> list(unique(["a", "b", "a"]))
    ['a', 'b', 'a (2)']
    """
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def sliced(data: Any, start: int, stop: int) -> Any:
    """Return the rows of a query between two places, without computing those before where its library can do so."""
    import narwhals.stable.v2 as nw

    native = data.to_native()
    if hasattr(native, "limit") and hasattr(native, "fetchall"):  # DuckDB
        return nw.from_native(native.limit(stop - start, offset=start))
    if hasattr(native, "slice"):  # polars
        return nw.from_native(native.slice(start, stop - start))
    if not start:
        return data.head(stop)
    rows = data.head(stop).collect()
    return rows[start:].lazy()


def unused(name: str, names: Sequence[str]) -> str:
    """Return a name that isn't taken."""
    while name in names:
        name += "_"
    return name


# -- cells ------------------------------------------------------------------------------------------------------------


def scalar(value: Any) -> Scalar:
    """Return the value of a cell as JSON has it.

    >>> scalar(1), scalar(float("nan")), scalar(2**60), scalar(date(2024, 1, 31))
    (1, None, '1152921504606846976', '2024-01-31')
    """
    item = getattr(value, "item", None)
    if callable(item) and type(value).__module__ == "numpy":
        value = item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < SAFE else str(value)
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    return text_of(value)


def text_of(value: Any) -> str | None:
    """Return a cell that is no number as text, not too long."""
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, date | time | datetime):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    text = value if isinstance(value, str) else str(value) if isinstance(value, timedelta) else brief(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def brief(value: Any) -> str:
    """Return an object in a cell as text, without writing all of a large one."""
    if isinstance(value, bytes | bytearray):
        return repr(bytes(value[:100])) + ("…" if len(value) > 100 else "")
    if isinstance(value, list | tuple | dict | set) and len(value) > 1_000:
        return f"{type(value).__name__} of {len(value):,}"
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - anybody's __str__
        return f"<{type(value).__name__}: {type(error).__name__}>"


def type_name(kind: Any) -> str:
    """Return the type of a column in words."""
    return shortened(str(kind).replace("time_unit=", "").replace("time_zone=", ""), 80)


def role_of(kind: Any) -> Any:
    """Return what a column can be asked for."""
    if kind.is_numeric():
        return "number"
    if kind.is_temporal():
        return "time"
    name = str(kind)
    return "bool" if name == "Boolean" else "text" if name.startswith(("String", "Categorical", "Enum")) else "other"


# -- statistics -------------------------------------------------------------------------------------------------------


def described(column: Column, series: Any) -> Column:
    """Return a column with its statistics; what its values can't be asked is left out, with what comes after it."""
    told: dict[str, Any] = {"nulls": int(series.null_count())}
    try:
        for part in statistics(column, series.drop_nulls()):
            told |= part
    except Exception:  # noqa: BLE001 - objects that can't be hashed or compared, whatever they raise
        return column.model_copy(update=told)
    return column.model_copy(update=told)


def statistics(column: Column, filled: Any) -> Iterator[dict[str, Any]]:
    """Yield the statistics of a column without its nulls."""
    yield {"distinct": int(filled.n_unique()) if len(filled) else 0}
    if not len(filled) or column.role == "other":
        return
    if column.role in ("text", "bool"):
        name = unused("count", [column.name])
        most = filled.value_counts(sort=True, name=name).head(TOP)
        yield {"top": [Bin(label=str(scalar(label)), count=int(count)) for label, count in most.iter_rows()]}
    if column.role != "bool" and not column.type.startswith(("Categorical", "Enum")):
        yield {"min": scalar(filled.min()), "max": scalar(filled.max())}
    if column.role == "number":
        mean = float(filled.mean())
        yield {"mean": mean if math.isfinite(mean) else None}
    if column.role in ("number", "time"):
        yield {"bins": bars(column, filled)}


def bars(column: Column, filled: Any) -> list[Bin]:
    """Return the histogram of numbers or times."""
    import narwhals.stable.v2 as nw

    if column.role == "time":
        if not isinstance(filled.min(), datetime | date):
            return []
        filled = filled.cast(nw.Datetime("us")) if column.type == "Date" else filled
        filled = filled.dt.timestamp("ms")
    exact = int if filled.dtype.is_integer() else float
    low, high = exact(filled.min()), exact(filled.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    few = low == high or (filled.dtype.is_integer() and column.role == "number" and high - low < BARS)
    number = round(high - low) + 1 if few else BARS
    width = 1 if few else (high - low) / BARS
    places = (above(filled, low, high) / width).floor().cast(nw.Int64).clip(0, number - 1)
    counts = dict(places.alias("bar").value_counts(name="count").iter_rows())
    edges = [edge(low + bar * width, column) for bar in range(number + 1)]
    labels = edges[:-1] if few else [f"{left} – {right}" for left, right in pairwise(edges)]
    return [Bin(label=label, count=counts.get(bar, 0)) for bar, label in enumerate(labels)]


def above(filled: Any, low: float, high: float) -> Any:
    """Return by how much numbers are above the lowest, as floats; Arrow refuses those that aren't exact as such."""
    import narwhals.stable.v2 as nw

    if not filled.dtype.is_integer() or max(-low, high) < SAFE:
        return filled.cast(nw.Float64) - low
    unit = (high - low) // SAFE + 1
    return (filled // unit - low // unit).cast(nw.Float64) * unit


def edge(value: float, column: Column) -> str:
    """Return the edge of a bar in words."""
    if column.role == "time":
        try:
            return datetime.fromtimestamp(value / 1000).isoformat(sep=" ", timespec="minutes")  # noqa: DTZ006 - naive times
        except (OverflowError, OSError, ValueError):
            return ""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


# -- differences ------------------------------------------------------------------------------------------------------


def compared(id_: str, before: Frame, after: Frame) -> Comparison:
    """Return what has changed between two tables; rows are compared by their place."""
    if before.total is None or after.total is None:
        return Comparison(id=id_, reason="the rows of a query aren't computed to compare them")
    old, new = ({column.name: column.type for column in frame.columns} for frame in (before, after))
    both = [name for name in new if name in old]
    length = min(before.total, after.total)
    changed: dict[str, int] = {}
    examples: list[ChangedCell] = []
    for name in both:
        was, now = (frame.data[:length].get_column(name) for frame in (before, after))
        rows = differing(was, now)
        if rows:
            changed[spoken(name)] = len(rows)
            some = rows[: max(0, min(EXAMPLES - len(examples), OF_COLUMN))]
            pairs = zip(some, was[some].to_list(), now[some].to_list(), strict=True) if some else ()
            examples += [
                ChangedCell(row=row, column=spoken(name), before=scalar(one), after=scalar(other))
                for row, one, other in pairs
            ]
    return Comparison(
        id=id_,
        rows=(before.total, after.total),
        added=[spoken(name) for name in new if name not in old],
        removed=[spoken(name) for name in old if name not in new],
        retyped=[(spoken(name), old[name], new[name]) for name in both if old[name] != new[name]],
        changed=changed,
        examples=examples,
    )


def spoken(name: str) -> str:
    """Return the name of a column for a sentence, where an index without a name would be nothing."""
    return name if name.strip() else "(index)"


def differing(was: Any, now: Any) -> list[int]:
    """Return the rows in which two columns differ; a null equals a null."""
    import narwhals.stable.v2 as nw

    if was.dtype != now.dtype:
        kind = nw.Float64 if was.dtype.is_numeric() and now.dtype.is_numeric() else nw.String
        was, now = was.cast(kind), now.cast(kind)
    try:
        both = nw.new_series("was", was.to_list(), backend=now.implementation) if type(was) is not type(now) else was
        frame = now.alias("now").to_frame().with_columns(both.alias("was"))
        null = nw.col("now").is_null(), nw.col("was").is_null()
        differ = ((nw.col("now") != nw.col("was")) & ~null[0] & ~null[1]) | (null[0] != null[1])
        marked = frame.select(differ.fill_null(value=False).alias("differ")).with_row_index("row")
        return [int(row) for row in marked.filter(nw.col("differ")).get_column("row").to_list()]
    except Exception:  # noqa: BLE001 - objects whose comparison isn't a bool
        pairs = zip(was.to_list(), now.to_list(), strict=True)
        return [row for row, (one, other) in enumerate(pairs) if repr(one) != repr(other)]
