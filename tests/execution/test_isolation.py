"""One reader's in-place edit never reaches another reader, the stored value, or the producer."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import decimal
import enum
import functools
import logging
import pathlib
import sqlite3
import threading
import types
import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from pandas.testing import assert_frame_equal, assert_series_equal

from ipy_orch.errors import DagsterInvariantViolationError, IsolationWarning
from ipy_orch.execution.isolation.sealing import copied, explain, refuse_iterator, seal
from ipy_orch.model.keys import AssetKey


class Color(enum.Enum):
    """Be an atom."""

    RED = 1
    PAIR = (1, "a")


class Bag(enum.Enum):
    """Have a member that can be changed."""

    FULL = [1]


class Tagged:
    """Hold a list."""

    def __init__(self) -> None:
        self.tags = [1]


class Single(Tagged):
    """Refuse to be copied."""

    def __deepcopy__(self, _: Any) -> Single:
        return self


class Named(Tagged):
    """Be pickled by name."""

    def __reduce__(self) -> str:
        return "NAMED"


NAMED = Named()


class Zone(dt.tzinfo, Tagged):
    def utcoffset(self, _: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)


class TaggedPath(type(pathlib.Path())):  # type: ignore[misc]
    tags: list[int]


class TaggedDay(dt.date):
    tags: list[int]


class TaggedNumber(decimal.Decimal):
    tags: list[int]


class TaggedFrame(pd.DataFrame):
    """Carry something along, as pandas lets subclasses do."""

    _metadata = ["tags"]

    @property
    def _constructor(self) -> type[TaggedFrame]:
        return TaggedFrame


def tagged(value: Any) -> Any:
    """Give a value an attribute that can be changed."""
    value.tags = [1]
    return value


@dataclass
class Report:
    """Hold what reports hold."""

    title: str
    table: pd.DataFrame
    weights: np.ndarray
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Point:
    """Be a dataclass without a dict."""

    xs: list[int]


@dataclass(frozen=True)
class Key:
    """Be a dataclass that can't be changed."""

    parts: tuple[Any, ...]


class Model:
    """Change itself in place, as fitted models do."""

    def __init__(self) -> None:
        self.weights = np.zeros(3)
        self.table = pd.DataFrame({"x": [1, 2]})

    def fit(self) -> None:
        """Write to an array of its own."""
        self.weights += 1


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - the plain kind is what is tested


def frame() -> pd.DataFrame:
    """Return a frame of every ordinary sort of column."""
    return pd.DataFrame(
        {
            "n": [1, 2, 3],
            "x": [1.0, 2.0, 3.0],
            "s": ["a", "b", "c"],
            "when": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]),
            "utc": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"], utc=True),
            "i": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([True, False, None], dtype="boolean"),
            "c": pd.Categorical(["u", "v", "u"]),
            "p": pd.period_range("2026", periods=3, freq="D"),
            "iv": pd.interval_range(0, 3),
            "py": pd.array(["k", "l", "m"], dtype=pd.StringDtype("python")),
        }
    )


def edit_if_allowed(edit: Callable[[Any], object], value: Any) -> None:
    """Edit in place; where numpy or pandas refuse, nothing happens."""
    with contextlib.suppress(ValueError, TypeError):
        edit(value)


def unaffected(value: Any, edit: Callable[[Any], object], same: Callable[[Any, Any], object]) -> None:
    """Let a reader edit in place; afterwards a sibling, the store and the producer must be as before.

    A refused edit (read-only) is as good.
    """
    before = copy.deepcopy(value)
    kept = seal(value, "orders")
    sibling, reader = kept.open(), kept.open()
    edit_if_allowed(edit, reader)
    same(sibling, before)
    same(kept.open(), before)
    same(value, before)


FRAME_EDITS = {
    "loc": lambda df: df.__setitem__("n", 0) or df.loc.__setitem__((0, "x"), 99.0),
    "iloc on int": lambda df: df.iloc.__setitem__((0, 0), 99),
    "Int64": lambda df: df.loc.__setitem__((0, "i"), 99),
    "category": lambda df: df.loc.__setitem__((0, "c"), "v"),
    "date": lambda df: df.loc.__setitem__((0, "when"), pd.Timestamp(0)),
    "inplace drop": lambda df: df.drop(columns="x", inplace=True),  # noqa: PD002
    "inplace sort": lambda df: df.sort_values("n", ascending=False, inplace=True),  # noqa: PD002
    "inplace fillna": lambda df: df.fillna({"b": True}, inplace=True),  # noqa: PD002
    "insert": lambda df: df.insert(0, "new", 1),
    "columns": lambda df: setattr(df, "columns", list(range(len(df.columns)))),
    "index name": lambda df: setattr(df.index, "name", "row"),
    "attrs": lambda df: df.attrs.__setitem__("source", "reader"),
    "values": lambda df: df[["n", "x"]].values.__setitem__((0, 0), 99),
    "to_numpy": lambda df: df["x"].to_numpy().__setitem__(0, 99),
    "asarray": lambda df: np.asarray(df["x"]).__setitem__(0, 99),
    "values of Int64": lambda df: df["i"].values.__setitem__(0, 99),
    "values of boolean": lambda df: df["b"].values.__setitem__(0, False),
    "values of category": lambda df: df["c"].values.__setitem__(0, "v"),
    "array of period": lambda df: df["p"].array.__setitem__(0, pd.Period("2000-01-01", "D")),
    "array of interval": lambda df: df["iv"].array.__setitem__(0, pd.Interval(5, 6)),
    "values of str": lambda df: df["s"].values.__setitem__(0, "z"),
    "values of python str": lambda df: df["py"].values.__setitem__(0, "z"),
    "values of date": lambda df: df["when"].values.__setitem__(0, 0),
}


@pytest.mark.filterwarnings("ignore:The inplace keyword:FutureWarning", "ignore:The inplace keyword:DeprecationWarning")
@pytest.mark.parametrize("edit", FRAME_EDITS.values(), ids=FRAME_EDITS)
def test_a_frame_edited_by_one_reader(edit: Callable[[pd.DataFrame], object]) -> None:
    """A frame that one reader edits is as before for everybody else."""
    unaffected(frame(), edit, assert_frame_equal)


@pytest.mark.filterwarnings("ignore:The inplace keyword:FutureWarning", "ignore:The inplace keyword:DeprecationWarning")
@pytest.mark.parametrize("edit", FRAME_EDITS.values(), ids=FRAME_EDITS)
def test_a_frame_edited_by_its_producer(edit: Callable[[pd.DataFrame], object]) -> None:
    """A frame that its producer, or a scratch cell, goes on editing is kept as it was."""
    value = frame()
    kept = seal(value)
    first = kept.open()
    edit_if_allowed(edit, value)
    assert_frame_equal(kept.open(), frame())
    assert_frame_equal(first, frame())


@pytest.mark.parametrize(
    "make",
    [
        lambda array: pd.DataFrame(array.reshape(2, 3), copy=False),
        lambda array: pd.DataFrame({"a": array}, copy=False),
        lambda array: pd.Series(array, copy=False),
        lambda array: pd.Series(array[:], copy=False),
        lambda array: pd.Series(array, copy=False).to_frame("a"),
        lambda array: {"inside": [pd.Series(array[1:], copy=False)]},
    ],
    ids=["2d", "column", "series", "series of a view", "to_frame", "inside a dict"],
)
def test_a_frame_over_the_producers_array(make: Callable[[np.ndarray], Any]) -> None:
    """Memory that the producer still holds as a numpy array is copied when the frame is stored."""
    array = np.arange(6.0)
    kept = seal(make(array))
    before = str(kept.open())
    array[:] = 99
    assert str(kept.open()) == before


def test_a_frame_over_a_held_date_array() -> None:
    """Memory that the producer holds as a pandas array is copied too."""
    dates = pd.array(pd.to_datetime(["2026-01-01", "2026-01-02"]))
    kept = seal(pd.DataFrame({"d": dates}, copy=False))
    dates[0] = pd.Timestamp("1999-01-01")
    assert kept.open()["d"].tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02")]


def test_a_frame_is_shared_not_copied() -> None:
    """Sealing and opening a frame nobody else holds copies no data, nor does storing what is derived from it."""
    kept = seal(pd.DataFrame(np.zeros((1000, 4)), columns=list("abcd")))
    first, second = kept.open(), kept.open()
    assert np.shares_memory(first.to_numpy(), second.to_numpy())
    derived = seal(first.assign(e=1.0)).open()
    assert np.shares_memory(derived["a"].to_numpy(), second["a"].to_numpy())
    assert np.shares_memory(seal(second).open().to_numpy(), first.to_numpy())


def test_a_small_part_of_a_large_frame_lets_go_of_it() -> None:
    """A few rows of a frame don't keep the memory of all rows."""
    raw = seal(pd.DataFrame({"a": np.zeros(1000)})).open()
    assert not np.shares_memory(seal(raw[:10]).open()["a"].to_numpy(), raw["a"].to_numpy())


def test_an_array_taken_from_a_frame() -> None:
    """An array over a frame's memory is copied: pandas doesn't know of it and may write below it."""
    raw = seal(pd.DataFrame({"a": np.zeros(3)}))
    reader = raw.open()
    kept = seal(reader["a"].to_numpy())
    frame_again = seal(pd.Series(reader["a"].to_numpy(), copy=False))
    del raw
    reader.iloc[0, 0] = 99.0
    assert kept.open().tolist() == [0, 0, 0]
    assert frame_again.open().tolist() == [0, 0, 0]


def test_an_edit_works_when_the_store_has_let_go() -> None:
    """A reader edits its frame in place as usual, also after the stored form is gone."""
    for derive in (lambda df: df, lambda df: df[["i", "x"]], lambda df: df.rename(columns=str)):
        reader = derive(seal(frame()).open())
        reader.loc[0, "i"] = 99
        reader.loc[0, "x"] = 99.0
        assert reader["i"][0] == 99


def test_large_columns_with_masks_are_not_copied_for_each_reader() -> None:
    """A column of some megabytes that pandas would let one write to is read-only instead of copied."""
    kept = seal(pd.DataFrame({"i": pd.array(np.zeros(1_000_000, dtype="int64"), dtype="Int64")}))
    reader, sibling = kept.open(), kept.open()
    assert np.shares_memory(np.asarray(reader["i"]), np.asarray(sibling["i"]))
    with pytest.raises(ValueError, match="read-only") as caught:
        reader["i"].values[0] = 99
    assert explain(caught.value)
    reader.loc[0, "i"] = 99
    assert (reader["i"][0], sibling["i"][0], kept.open()["i"][0]) == (99, 0, 0)


def test_nested_list_in_an_object_column() -> None:
    """Lists in the cells of a column are each reader's own."""
    table = pd.DataFrame({"k": [1, 2], "tags": [["a"], ["b"]], "more": [{"x": [1]}, {}]}, index=["r", "r"])
    table.attrs["by"] = "me"

    def edit(df: pd.DataFrame) -> None:
        df["tags"].iloc[0].append("z")
        df["more"].iloc[0]["x"].append(2)

    unaffected(table, edit, assert_frame_equal)
    kept = seal(table)
    table["tags"].iloc[0].append("producer")
    edit(kept.open())
    assert kept.open()["tags"].tolist() == [["a"], ["b"]]
    assert kept.open()["more"].tolist() == [{"x": [1]}, {}]
    assert kept.open().attrs == {"by": "me"}
    assert kept.open().dtypes.tolist() == table.dtypes.tolist()


def test_two_columns_of_one_name_and_many_of_objects() -> None:
    """Columns of lists are found by place, not by name, and 150 of them bring no warning."""
    table = pd.DataFrame([[1, [2]], [3, [4]]], columns=["a", "a"])
    kept = seal(table)
    kept.open().iloc[0, 1].append(9)
    assert kept.open().iloc[0, 1] == [2]
    wide = seal(pd.DataFrame({f"c{i}": [[i]] for i in range(150)}))
    wide.open()["c7"][0].append(1)
    assert wide.open()["c7"][0] == [7]


def test_series_and_index() -> None:
    """Series and indexes follow the rule of frames; a name set by one reader is that reader's."""
    series = pd.Series([[1], [2]], name="s", index=pd.Index(["a", "b"], name="i"))
    unaffected(series, lambda s: s.iloc[0].append(9), lambda got, want: assert_series_equal(got, want))
    kept = seal(series)
    kept.open().iloc[0].append(9)
    assert kept.open().tolist() == [[1], [2]]
    index = seal(pd.Index([1, 2]))
    index.open().name = "mine"
    assert index.open().name is None
    assert seal(pd.MultiIndex.from_product([[1], ["a"]])).open().tolist() == [(1, "a")]


def test_group_by_object() -> None:
    """A lazy object over a frame survives being stored."""
    assert seal(pd.DataFrame({"k": [1, 1], "v": [2, 3]}).groupby("k")).open().sum()["v"].tolist() == [5]


ARRAY_EDITS = {
    "item": lambda a: a.__setitem__(0, 9),
    "augmented": lambda a: a.__iadd__(1),
    "sort": lambda a: a[::-1].sort(),
    "out": lambda a: np.add(a, 1, out=a),
    "writeable": lambda a: (setattr(a.flags, "writeable", True), a.__setitem__(0, 9)),
}


@pytest.mark.parametrize("edit", ARRAY_EDITS.values(), ids=ARRAY_EDITS)
def test_arrays(edit: Callable[[np.ndarray], object]) -> None:
    """An array is read-only for its readers, and the producer's writes don't reach it."""
    kept = seal(np.arange(6.0))
    reader = kept.open()
    with pytest.raises(ValueError):
        edit(reader)
    reader.resize((3, 2))
    assert kept.open().tolist() == list(range(6))
    own = np.arange(6.0)
    kept = seal(own)
    own[0] = 99
    assert kept.open()[0] == 0


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6)[1:4],
        np.arange(6).reshape(2, 3).T,
        np.asfortranarray(np.ones((2, 3))),
        np.array(5.0),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        np.array([(1, [2])], dtype=[("a", int), ("b", object)]),
        np.array(["a", "bb"]),
        np.array(["2026-01-01"], dtype="M8[D]"),
        np.ma.masked_array([1, 2], mask=[True, False]),
        np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    ],
    ids=["slice", "transposed", "fortran", "0d", "structured", "objects", "text", "dates", "masked", "record"],
)
def test_arrays_of_every_sort(array: np.ndarray) -> None:
    """Slices, transposed, structured, masked arrays come back equal, of the same type and on memory of their own."""
    got = seal(array).open()
    assert type(got) is type(array)
    assert got.dtype == array.dtype
    assert str(got) == str(array)
    assert not np.shares_memory(got, array)


def test_arrays_of_objects() -> None:
    """The objects in an array are each reader's own."""
    array = np.empty((2, 2), dtype=object)
    array[:] = [[[1], "a"], [None, {"k": [2]}]]
    kept = seal(array)
    array[0, 0].append(5)
    reader = kept.open()
    reader[0, 0].append(9)
    reader[1, 1]["k"].append(9)
    assert kept.open().tolist() == [[[1], "a"], [None, {"k": [2]}]]
    assert kept.open().shape == (2, 2)


def test_an_asset_returns_its_own_input() -> None:
    """An array or frame that was opened and is stored again shares its memory: nothing is copied."""
    first = seal(np.arange(6.0))
    second = seal(first.open())
    assert np.shares_memory(first.open(), second.open())
    table = seal(frame())
    again = seal(table.open())
    reader = again.open()
    reader.loc[0, "x"] = 9
    assert_frame_equal(table.open(), frame())


def test_memmap(tmp_path: pathlib.Path) -> None:
    """A memory map stays one, read-only, and isn't read into memory."""
    source = np.memmap(tmp_path / "a.bin", dtype="f8", mode="w+", shape=(4,))
    got = seal(source).open()
    assert isinstance(got, np.memmap)
    assert np.shares_memory(got, source)
    with pytest.raises(ValueError, match="read-only"):
        got[0] = 1


def test_polars_and_arrow_and_sparse() -> None:
    """Polars is cloned, arrow can't be changed, a sparse matrix is copied."""
    table = pl.DataFrame({"a": [1, 2]})
    kept = seal(table)
    table[0, "a"] = 9
    kept.open()[0, "a"] = 7
    kept.open().insert_column(0, pl.Series("z", [1, 2]))
    assert kept.open().to_dict(as_series=False) == {"a": [1, 2]}
    series = seal(pl.Series([1, 2]))
    series.open()[0] = 9
    assert series.open().to_list() == [1, 2]
    assert seal(pl.LazyFrame({"a": [1]})).open().collect().height == 1
    arrow = pa.table({"a": [1]})
    assert seal(arrow).open() is arrow
    matrix = scipy.sparse.csr_matrix(np.eye(2))
    kept = seal(matrix)
    matrix[0, 0] = 5
    kept.open().data[:] = 7
    assert kept.open().toarray().tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    "value",
    [
        *(None, 1, 1.5, 2j, "a", b"a", True, range(3), Color.RED, Color.PAIR, int, len, test_memmap, pathlib),
        *(dt.date(2026, 1, 1), dt.timedelta(1), pathlib.Path("a"), pd.Timestamp(0), pd.NaT, pd.NA, np.float64(1)),
        *((), (1, ("a", None)), frozenset({1, (2, 3)}), np.dtype("f8"), pd.CategoricalDtype(["a"])),
    ],
    ids=repr,
)
def test_atoms_are_shared(value: object) -> None:
    """What can't be changed is handed out as it is."""
    assert seal(value).open() is value


@pytest.mark.parametrize(
    ("value", "edit"),
    [
        ([1, [2]], lambda v: v[1].append(3)),
        ({"a": {"b": [1]}}, lambda v: v["a"]["b"].append(3)),
        ({"flat": 1}, lambda v: v.update(flat=2)),
        ({1, 2}, lambda v: v.add(3)),
        (([1], 2), lambda v: v[0].append(3)),
        (bytearray(b"ab"), lambda v: v.extend(b"c")),
        (deque([[1]]), lambda v: v[0].append(3)),
        (OrderedDict(a=[1]), lambda v: v["a"].append(3)),
        (defaultdict(list, a=[1]), lambda v: v["b"].append(3)),
        (types.MappingProxyType({"a": [1]}), lambda v: v["a"].append(3)),
        (Pair([1], 2), lambda v: v.left.append(3)),
        (Point([1]), lambda v: v.xs.append(3)),
        (functools.partial(int, base=2), lambda v: v.keywords.update(base=8)),
        ([[{"deep": [[[[[[[[1]]]]]]]]}]], lambda v: v[0][0]["deep"][0][0][0][0][0][0][0].append(2)),
    ],
    ids=[f"{n}" for n in range(14)],
)
def test_containers(value: Any, edit: Callable[[Any], object]) -> None:
    """A container that a reader or the producer changes is as before for the others, at any depth."""
    kept = seal(value)
    before = repr(value)
    edit(kept.open())
    assert repr(kept.open()) == before
    edit(value)
    assert repr(kept.open()) == before
    assert type(kept.open()) is type(value)


def test_cycles_and_shared_parts() -> None:
    """A value that contains itself, or one part twice, keeps that form."""
    loop: list[Any] = [1]
    loop.append(loop)
    got = seal(loop).open()
    assert got[1] is got
    assert got is not loop
    through: tuple[Any, ...] = ([],)
    through[0].append(through)
    got = seal(through).open()
    assert got[0][0] is got
    part = [1]
    one, two = seal([part, part]).open()
    assert one is two


def test_frames_and_arrays_inside_containers() -> None:
    """Inside containers and dataclasses frames and arrays go by their own rule."""
    report = Report("t", frame(), np.zeros(3), ["n"])
    kept = seal({"reports": [report]})
    reader = kept.open()["reports"][0]
    reader.table.loc[0, "x"] = 99.0
    reader.notes.append("mine")
    with pytest.raises(ValueError, match="read-only"):
        reader.weights[0] = 1
    report.weights[0] = 5
    report.notes.append("producer")
    again = kept.open()["reports"][0]
    assert_frame_equal(again.table, frame())
    assert (again.weights.tolist(), again.notes) == ([0, 0, 0], ["n"])
    assert np.shares_memory(again.table["x"].to_numpy(), kept.open()["reports"][0].table["x"].to_numpy())


def test_nested_lists_in_a_frame_inside_an_object() -> None:
    """Also a column of lists of a frame that an object holds is each reader's own."""
    model = Model()
    model.table["tags"] = [["a"], ["b"]]
    kept = seal(model)
    kept.open().table["tags"][0].append("z")
    model.table["tags"][0].append("producer")
    assert kept.open().table["tags"].tolist() == [["a"], ["b"]]


def test_objects_work_on_arrays_of_their_own() -> None:
    """A fitted model may be fitted further by one reader: its arrays are writable, and its own."""
    model = Model()
    kept = seal(model)
    first = kept.open()
    first.fit()
    model.fit()
    model.fit()
    assert first.weights.tolist() == [1, 1, 1]
    assert kept.open().weights.tolist() == [0, 0, 0]


def test_figures_are_not_opened_anew() -> None:
    """Copies of a matplotlib figure don't pile up in pyplot."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    figure, axes = pyplot.subplots()
    axes.set_title("mine")
    kept = seal({"figure": figure, "axes": axes})
    for _ in range(3):
        reader = kept.open()
        reader["axes"].set_title("reader's")
        assert reader["axes"].figure is reader["figure"]
    assert kept.open()["axes"].get_title() == "mine"
    assert len(pyplot.get_fignums()) == 1
    pyplot.close(figure)


def test_a_bound_method_of_a_list_goes_with_its_list() -> None:
    """As a line of a figure holds the way to remove itself: it would lead to the producer's whole figure."""
    items = [1]
    kept = seal({"items": items, "add": items.append, "len": len})
    reader = kept.open()
    reader["add"](2)
    assert (items, reader["items"], kept.open()["items"]) == ([1], [1, 2], [1])
    assert reader["len"] is len


def test_one_object_returned_by_two_assets() -> None:
    """Two assets that return one object have a value each."""
    shared = {"rows": [1]}
    left, right = seal(shared, "left"), seal(shared, "right")
    left.open()["rows"].append(2)
    shared["rows"].append(3)
    assert right.open() == {"rows": [1]}


def test_what_cannot_be_copied_is_shared_with_one_warning() -> None:
    """Locks, connections and files are shared, and said so once, with the asset's name."""
    connection = sqlite3.connect(":memory:")
    value = {"c": connection, "lock": threading.Lock(), "rows": [1]}
    with pytest.warns(IsolationWarning, match=r"`orders`.*`Connection`, `lock`") as caught:
        kept = seal(value, "orders")
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader = kept.open()
    assert reader["c"] is connection
    reader["rows"].append(2)
    assert kept.open()["rows"] == [1]
    connection.close()


def test_an_object_is_copied_whole_or_not_at_all() -> None:
    """An object around a lock is shared as a whole: half a copy could break it. Its neighbours are still copied."""

    class Client:
        def __init__(self) -> None:
            self.cache = shared
            self.lock = threading.Lock()

    shared = [1]
    value = [Client(), shared]
    with pytest.warns(IsolationWarning, match="`Client with a lock`"):
        kept = seal(value, "client")
    assert kept.open()[0] is value[0]
    kept.open()[1].append(2)
    assert shared == [1]


def test_a_very_deep_value_is_shared_with_a_warning() -> None:
    """A value nested deeper than Python can walk is shared, visibly."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.warns(IsolationWarning, match="deeply nested list"):
        assert seal(deep, "deep").open() is deep
    while deep:  # taken apart from outside, as its destructor would go as deep
        deep = deep.pop()


# -- functions, and what they remember --------------------------------------------------------------------------------


def remembering(kind: str) -> Any:
    """Return a function that gives a list which it remembers."""
    inner = [1]

    def closure(depth: int = 2) -> list[int]:
        """Return it."""
        return closure(depth - 1) if depth else inner

    def default(given: list[int] = [1]) -> list[int]:  # noqa: B006 - that's what is tested
        return given

    def keyword(*, given: list[int] = [1]) -> list[int]:  # noqa: B006
        return given

    def attribute() -> Any:
        return attribute.__dict__["held"]

    attribute.__dict__["held"] = [1]

    @functools.lru_cache(maxsize=3)
    def cache() -> list[int]:
        return [1]

    @functools.wraps(closure)
    def wrapper() -> list[int]:
        return closure()

    kinds = {one.__name__: one for one in (closure, default, keyword, attribute, cache)}
    return {**kinds, "wrapper": wrapper, "partial": functools.partial(closure, 1)}[kind]


@pytest.mark.parametrize("kind", ["closure", "default", "keyword", "attribute", "cache", "wrapper", "partial"])
def test_what_a_function_remembers(kind: str) -> None:
    """Whatever a function hands out again and again is each reader's own."""
    value = remembering(kind)
    kept = seal({"f": value})
    kept.open()["f"]().append(2)
    value().append(3)
    assert kept.open()["f"]() == [1]


def test_a_copied_function_looks_like_the_first() -> None:
    """Name, documentation, what it wraps, and the size of a cache stay."""
    wrapper, cache = seal(remembering("wrapper")).open(), seal(remembering("cache")).open()
    assert (wrapper.__doc__, wrapper.__name__, wrapper.__module__) == ("Return it.", "closure", __name__)
    assert wrapper.__wrapped__() is wrapper()
    assert cache.cache_parameters() == {"maxsize": 3, "typed": False}
    assert cache.__wrapped__() == [1]


def test_two_functions_of_one_closure() -> None:
    """What one of them counts, the other tells, for each reader apart."""

    def counter() -> Any:
        count = 0

        def add() -> None:
            nonlocal count
            count += 1

        return add, lambda: count

    kept = seal(counter())
    for _ in range(2):
        add, told = kept.open()
        add()
        assert told() == 1


def test_functions_of_the_program_are_shared() -> None:
    """Those that modules define, and those that remember nothing, are handed out as they are."""
    functions = [remembering, functools.wraps, pd.DataFrame.apply, np.sum, functools.lru_cache, lambda: 1]
    assert all(one is other for one, other in zip(seal(functions).open(), functions, strict=True))


def test_a_function_that_cannot_be_copied() -> None:
    """It is shared alone, and said so: what stands beside it is still copied."""
    lock = threading.Lock()
    model = Model()
    model.__dict__["lock"] = lambda: lock
    with pytest.warns(IsolationWarning, match="`function with a lock`"):
        kept = seal(model)
    kept.open().fit()
    assert kept.open().weights.tolist() == [0, 0, 0]


# -- what is shared although it can change ----------------------------------------------------------------------------


def a_class() -> type:
    """Return a class that holds a list."""
    return type("Local", (), {"tags": [1]})


def a_module() -> types.ModuleType:
    """Return a module that nobody can import."""
    return tagged(types.ModuleType("made"))  # type: ignore[no-any-return]


SHARED = {
    "class Local": a_class(),
    "module made": a_module(),
    "enum Bag": Bag.FULL,
    "Logger": logging.getLogger("isolation"),
    "Single": Single(),
    "Named": NAMED,
    "TaggedNumber": tagged(TaggedNumber(1)),
}


@pytest.mark.parametrize("kind", SHARED)
def test_what_is_shared_is_said(kind: str) -> None:
    """Whatever has no copy of its own, and can be changed in place, comes with the warning."""
    with pytest.warns(IsolationWarning, match=f"`orders`.*`{kind}`"):
        assert seal([SHARED[kind]], "orders").open()[0] is SHARED[kind]


def test_tools_of_an_object_are_no_reason_to_warn() -> None:
    """A logger, a class or a function of numpy within an object doesn't make it shared."""
    value = Tagged()
    fixed = Single()
    vars(fixed).update(tags=(1,), key=Key((1, "a")))
    vars(value).update(log=logging.getLogger("isolation"), kind=a_class, total=np.sum, color=Color.PAIR, fixed=fixed)
    kept = seal(value)
    kept.open().tags.append(2)
    assert kept.open().tags == [1]
    interned = [AssetKey("a"), int | None, Optional[int]]  # noqa: UP045 - another class
    assert seal(interned).open() == interned


@pytest.mark.parametrize("value", [Zone(), tagged(TaggedPath("a")), tagged(TaggedDay(2026, 1, 1))], ids=repr)
def test_subclasses_with_attributes(value: Any) -> None:
    """A path, a date or a time zone that somebody gave attributes to is copied with them."""
    kept = seal(value)
    kept.open().tags.append(2)
    value.tags.append(3)
    assert kept.open().tags == [1]
    assert type(kept.open()) is type(value)
    assert str(kept.open()) == str(value) or isinstance(value, Zone)


def test_what_frames_carry_along() -> None:
    """Attributes of a subclass, the name of a series, and the objects of polars are each reader's own."""
    table, named = tagged(TaggedFrame({"x": [[1]]})), pd.Series([1], name=Tagged())
    objects = pl.Series("o", [Tagged()], dtype=pl.Object)
    kept = seal({"table": table, "named": named, "objects": objects, "wide": pl.DataFrame({"n": [1], "o": objects})})

    def parts(value: Any) -> list[list[int]]:
        lists = [value["table"].tags, value["table"]["x"][0], value["named"].name.tags]
        return [*lists, value["objects"][0].tags, value["wide"]["o"][0].tags]

    for part in [*parts(kept.open()), table.tags, named.name.tags, objects[0].tags]:
        part.append(9)
    assert parts(kept.open()) == [[1]] * 5
    assert type(kept.open()["table"]) is TaggedFrame
    assert kept.open()["wide"].columns == ["n", "o"]


@pytest.mark.parametrize("rows", [3, 1_000_000])
def test_sparse_columns(rows: int) -> None:
    """The memory of a sparse column is each reader's own; read-only where it is large."""
    kept = seal(pd.DataFrame({"x": pd.arrays.SparseArray(np.arange(1.0, rows + 1))}))
    reader = kept.open()
    edit_if_allowed(lambda values: values.__setitem__(0, 9), reader["x"].array.sp_values)
    edit_if_allowed(lambda values: values.setflags(write=True), reader["x"].array.sp_values)
    edit_if_allowed(lambda values: values.__setitem__(0, 9), reader["x"].array.sp_values)
    assert kept.open()["x"][0] == 1
    assert (reader["x"] + reader["x"])[1] == 4


def test_memory_of_arrow_that_can_be_written_to() -> None:
    """A buffer over somebody's bytes is copied, another one isn't."""
    memory = bytearray(b"abc")
    kept = seal(pa.py_buffer(memory))
    memory[0] = 0
    assert kept.open().to_pybytes() == b"abc"
    assert not kept.open().is_mutable
    fixed = pa.py_buffer(b"abc")
    assert seal(fixed).open() is fixed


def test_copied() -> None:
    """A copy that may be edited in every part; what can't be copied stays itself."""
    value = {"rows": [1], "array": np.zeros(2)}
    own = copied(value)
    own["rows"].append(2)
    own["array"][0] = 9
    assert (value["rows"], value["array"].tolist()) == ([1], [0, 0])
    lock = threading.Lock()
    assert copied(lock) is lock
    assert copied(5) == 5


@pytest.mark.parametrize(
    "value",
    [(n for n in range(3)), map(str, [1]), iter([1]), zip([1], [2], strict=True)],
    ids=["generator", "map", "iterator", "zip"],
)
def test_iterators_are_refused(value: object) -> None:
    """What can be read once only is refused, with what to return instead."""
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)`orders` returned a.*return list"):
        refuse_iterator(value, "orders")


def test_coroutines_are_refused_and_values_are_not() -> None:
    """A coroutine is to be awaited; containers, frames and ranges pass."""

    async def later() -> int:
        return 1

    coroutine = later()
    with pytest.raises(DagsterInvariantViolationError, match="await"):
        refuse_iterator(coroutine, "orders")
    coroutine.close()
    for value in ([1], range(3), frame(), np.zeros(2), pl.LazyFrame(), {"a": 1}, "text", None, {1: 2}.items()):
        refuse_iterator(value, "orders")


def test_explain_read_only() -> None:
    """The error of a write to a read-only array gets a hint, other errors none."""
    with pytest.raises(ValueError, match="read-only") as caught:
        seal(np.zeros(2)).open()[0] = 1
    assert "x.copy()" in str(explain(caught.value))
    assert explain(ValueError("bad")) is None
    assert explain(KeyError("read-only")) is None
