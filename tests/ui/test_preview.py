"""Tables of any library: pages, order, statistics, differences; and how long a large one takes."""

from datetime import date, datetime

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from ipy_orch.ui.preview import compared, frame_of, scalar
from ipy_orch.ui.protocol import MESSAGES, Profile, Sort, wire
from tests.flights import table

DATA = {
    "n": [3, 1, None, 2],
    "x": [0.5, float("inf"), None, -1.0],
    "s": ["b", "a", "<img src=x>", None],
    "t": [datetime.fromisoformat(f"2024-01-0{day}") for day in (1, 2, 3, 4)],
    "f": [True, False, True, None],
}
ROWS = [
    [3, 0.5, "b", "2024-01-01 00:00:00", True],
    [1, "inf", "a", "2024-01-02 00:00:00", False],
    [None, None, "<img src=x>", "2024-01-03 00:00:00", True],
    [2, -1.0, None, "2024-01-04 00:00:00", None],
]
CONNECTION = duckdb.connect()
TABLE = pl.DataFrame(DATA)
KINDS = {
    "pandas": pd.DataFrame(DATA).convert_dtypes(),
    "polars": TABLE,
    "lazy": TABLE.lazy(),
    "arrow": TABLE.to_arrow(),
    "duckdb": CONNECTION.from_arrow(TABLE.to_arrow()),
}


@pytest.fixture(params=KINDS)
def frame(request):
    """Return the same table of each library."""
    found = frame_of(KINDS[request.param])
    assert found is not None
    return found


def test_pages_are_the_same_of_every_library(frame):
    """Numbers stay numbers, times and all else are text, what isn't there is null."""
    assert frame.page(0, 10) == ROWS
    assert frame.page(1, 3) == ROWS[1:3]
    assert frame.page(3, 3) == frame.page(9, 12) == []


def test_roles_are_the_same_of_every_library(frame):
    """What a column can be asked for."""
    assert [column.role for column in frame.columns] == ["number", "number", "text", "time", "bool"]


def test_rows_can_be_sorted(frame):
    """Both ways, what isn't there last."""
    assert [row[0] for row in frame.page(0, 4, Sort(column="n"))] == [1, 2, 3, None]
    assert [row[0] for row in frame.page(1, 4, Sort(column="n", descending=True))] == [2, 1, None]


def test_statistics_are_the_same_of_every_library(frame):
    """Nulls, distinct values, the ends, the most frequent."""
    told = frame.profile()
    n, x, s, t, f = told.columns
    assert (n.nulls, n.distinct, n.min, n.max, n.mean) == (1, 3, 1, 3, 2.0)
    assert [(one.label, one.count) for one in n.bins] == [("1", 1), ("2", 1), ("3", 1)]
    assert (x.nulls, x.max, x.bins) == (1, "inf", [])
    assert (s.distinct, {one.label for one in s.top}) == (3, {"a", "b", "<img src=x>"})
    assert (t.min, sum(one.count for one in t.bins)) == ("2024-01-01 00:00:00", 4)
    assert (f.top[0].label, f.top[0].count) == ("True", 2)
    assert (told.total, told.sampled) == (4, None)
    MESSAGES.validate_python(wire(Profile(id="x", columns=told.columns)))


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "duckdb"])
@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([*range(2_049)], 24),
        ([0.0, 0.1, 0.25, 1.0], 24),
        ([-(2**62), 2**53 + 1, 2**62], 24),
        ([2**60, 2**60 + 2], 3),
        ([-128, 127], 24),
    ],
)
def test_histograms_are_the_same_of_every_library(kind, values, bars):
    """Also where bins have no round edges, and integers aren't exact as floats, which Arrow refuses."""
    frames = {
        "pandas": pd.DataFrame({"n": values}),
        "polars": pl.DataFrame({"n": values}),
        "arrow": pl.DataFrame({"n": values}).to_arrow(),
        "duckdb": CONNECTION.from_arrow(pl.DataFrame({"n": values}).to_arrow()),
    }
    (told,) = frame_of(frames[kind]).profile().columns
    (expected,) = frame_of(frames["polars"]).profile().columns
    assert (told.min, told.max, told.distinct) == (scalar(min(values)), scalar(max(values)), len(values))
    assert (len(told.bins), sum(one.count for one in told.bins)) == (bars, len(values))
    assert [told.bins[0].count, told.bins[-1].count] == [one.count for one in (expected.bins[0], expected.bins[-1])]
    assert told.bins == expected.bins


def test_what_has_no_histogram_has_its_ends():
    """These are integers of which Arrow makes no differences."""
    (told,) = frame_of(pa.table({"n": pa.array([1, 2**64 - 1], pa.uint64())})).profile().columns
    assert (told.min, told.max, told.distinct, told.bins) == (1, str(2**64 - 1), 2, [])


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame({"a": [None, None]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({("a", "b"): [1]}),
        pd.DataFrame({1: [1]}),
        pd.DataFrame({"a": [[1], {2: 3}, object()]}),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)])),
        pd.DataFrame({"d": [date(2024, 1, 1), None]}),
        pd.DataFrame({"c": pd.Categorical(["a", "b"])}),
        pd.DataFrame({"p": pd.period_range("2024", periods=2, freq="M")}),
        pd.DataFrame({"z": pd.to_datetime(["2024-01-01"]).tz_localize("Europe/Berlin")}),
        pd.DataFrame({"td": pd.to_timedelta(["1h"])}),
        pd.Series([1, 2]),
        pl.Series("s", [1, 2]),
        pl.DataFrame({"l": [[1, 2]], "d": [date(2024, 1, 1)]}),
        pl.DataFrame({"c": [2**63]}),
    ],
)
def test_odd_tables_show_something(value):
    """Every kind of frame that pandas and polars have gives rows and statistics that JSON can hold."""
    frame = frame_of(value)
    assert frame is not None
    rows = frame.page(0, 5)
    assert all(len(row) == len(frame.columns) for row in rows)
    MESSAGES.validate_json(Profile(id="x", columns=frame.profile().columns).model_dump_json())


def test_an_index_that_says_something_is_a_column():
    """A default index isn't."""
    grouped = pd.DataFrame({"v": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    shown = frame_of(grouped)
    assert shown.page(0, 2) == [["a", 1], ["b", 2]]
    assert [(column.name, column.is_index) for column in shown.columns] == [("key", True), ("v", False)]
    assert frame_of(pd.DataFrame({"v": [1]})).labels == 0


def test_an_index_without_a_name_is_blank():
    """As pandas shows it, also of several levels; it can be sorted by, has statistics, and a name in sentences."""
    table = pd.DataFrame({"v": [3, 1, 2], "": 0})
    filtered = frame_of(table[table.v > 1])
    assert [column.name for column in filtered.columns if column.is_index] == [" "]
    assert [row[0] for row in filtered.page(0, 2, Sort(column=" ", descending=True))] == [2, 0]
    assert [column.is_index for column in filtered.profile().columns] == [True, False, False]
    assert compared("id", frame_of(table[table.v < 3]), filtered).changed == {"(index)": 1, "v": 1}
    levels = pd.DataFrame({"v": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)]))
    assert [column.name.strip() for column in frame_of(levels).columns] == ["", "", "v"]


@pytest.mark.parametrize("value", [1, "text", [1, 2], {"a": 1}, None])
def test_other_values_are_no_tables(value):
    """They are shown as text."""
    assert frame_of(value) is None


def test_comparison_names_columns_and_cells():
    """Rows by their place, with examples; a null equals a null."""
    before = pd.DataFrame({"a": [1, 2, None], "b": ["x", "y", None], "gone": 0})
    after = pd.DataFrame({"a": [1, 5, None, 7], "b": ["x", None, None, "w"], "new": 1})
    told = compared("id", frame_of(before), frame_of(after))
    assert told.rows == (3, 4)
    assert (told.added, told.removed) == (["new"], ["gone"])
    assert told.changed == {"a": 1, "b": 1}
    examples = [(one.row, one.column, one.before, one.after) for one in told.examples]
    assert examples == [(1, "a", 2, 5), (1, "b", "y", None)]


def test_comparison_across_types_is_by_value():
    """A column of integers that became floats has changed its type, not its cells."""
    told = compared("id", frame_of(pd.DataFrame({"a": [1, 2]})), frame_of(pd.DataFrame({"a": [1.0, 2.5]})))
    assert told.retyped == [("a", "Int64", "Float64")]
    assert told.changed == {"a": 1}


def test_comparison_across_libraries():
    """What pandas made before and polars makes now."""
    told = compared("id", frame_of(pd.DataFrame({"a": [1, 2]})), frame_of(pl.DataFrame({"a": [1, 3]})))
    assert told.changed == {"a": 1}


def test_a_large_table():
    """Of 336,776 rows and 19 columns any page is there; tests/benchmarks/widget.py has how long one takes."""
    frame = frame_of(table("flights"))
    assert (frame.total, len(frame.columns)) == (336_776, 19)
    for start in (0, 200_000, 336_700):
        assert len(frame.page(start, start + 50)) == 50
