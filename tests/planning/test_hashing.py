"""Digests of values: what is alike, what isn't, and what has none."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import io
import itertools
import logging
import pathlib
import random
import re
import subprocess
import sys
import threading
import types
import typing
import uuid
import weakref
import zoneinfo
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest
from scipy import sparse

from ipy_orch.planning.hashing.hashing import Digester, Unhashable, digest, short


class Plain:
    def __init__(self, **state):
        vars(self).update(state)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x = x


class Cached:
    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def twice(self):
        return self.x * 2


class Stated:
    def __init__(self, x):
        self.x, self.lock = x, threading.Lock()

    def __getstate__(self):
        return {"x": self.x}


class Reduced:
    def __init__(self, x):
        self.x, self.lock = x, threading.Lock()

    def __reduce__(self):
        return Reduced, (self.x,)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: int
    y: object = None


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Flags(enum.Flag):
    A = 1
    B = 2


class Point(typing.NamedTuple):
    x: int
    y: int


class Model(pydantic.BaseModel):
    x: int = 1
    secret: pydantic.SecretStr = pydantic.SecretStr("a")


def add(a, b=1):
    """Add two numbers."""
    return a + b


def frame(**columns):
    """Return a small data frame."""
    return pd.DataFrame(columns or {"a": [1, 2], "b": ["x", None]})


def with_attrs():
    """Return a frame with attrs."""
    value = frame()
    value.attrs["k"] = 1
    return value


class Measured(pd.DataFrame):
    """Be a frame that says in which unit it is."""

    _metadata: typing.ClassVar = ["unit"]


def with_unit(unit):
    """Return a frame of a class that adds an attribute."""
    value = Measured({"a": [1, 2], "b": ["x", None]})
    value.unit = unit
    return value


DIFFERENT = {
    "1, 1.0, True, '1', b'1'": [
        1,
        1.0,
        True,
        "1",
        b"1",
        1 + 0j,
        decimal.Decimal(1),
        fractions.Fraction(1),
        np.int64(1),
    ],
    "nothings": [None, 0, "", b"", [], (), {}, set(), False, ..., NotImplemented, 0.0, -0.0, float("nan")],
    "numbers": [1, -1, 255, 256, 10**6000, -(10**6000), float("inf"), -float("inf"), 1e308],
    "list, tuple, set, frozenset": [[1], (1,), {1}, frozenset({1}), {1: 1}, {1: None}, [[1]], [(1,)]],
    "joints": [["a", "b"], ["ab"], ["a", ["b"]], [["a"], "b"], "ab", ["a", "b", ""], [1, 23], [12, 3]],
    "order of a dict": [{"a": 1, "b": 2}, {"b": 2, "a": 1}],
    "order of attributes": [Plain(x=1, y=2), Plain(y=2, x=1)],
    "beside the data of a frame": [
        frame(),
        with_attrs(),
        frame().set_flags(allows_duplicate_labels=False),
        with_unit("m"),
        with_unit("km"),
        frame()["a"],
        with_attrs()["a"],
    ],
    "types of keys": [{1: 0}, {1.0: 0}, {True: 0}, {"1": 0}],
    "strings": ["a", "A", "ä", "a\u0308", "\ud800", "a\0"],
    "kinds of dict": [
        {"a": 1},
        collections.OrderedDict(a=1),
        collections.Counter(a=1),
        collections.defaultdict(int, a=1),
    ],
    "default factory": [collections.defaultdict(int), collections.defaultdict(list)],
    "deques": [collections.deque([1]), collections.deque([1], maxlen=2), collections.deque([2])],
    "ranges and slices": [range(3), range(4), range(0, 3, 2), slice(3), slice(0, 3)],
    "dates": [
        dt.date(2020, 1, 1),
        dt.datetime(2020, 1, 1),  # noqa: DTZ001 - without a time zone, that is the case
        dt.datetime(2020, 1, 1, fold=1),  # noqa: DTZ001 - (the same)
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
        dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Rome")),
        pd.Timestamp(2020, 1, 1),
        np.datetime64("2020-01-01"),
    ],
    "decimals": [decimal.Decimal(1), decimal.Decimal("1.0"), decimal.Decimal("NaN")],
    "paths": [pathlib.Path("a"), pathlib.Path("b"), pathlib.PureWindowsPath("a"), "a"],
    "enums": [Colour.RED, Colour.BLUE, Flags.A, Flags.B, Flags.A | Flags.B, 1],
    "uuids": [uuid.UUID(int=1), uuid.UUID(int=2)],
    "patterns": [re.compile("a"), re.compile("b"), re.compile("a", re.IGNORECASE)],
    "partials": [
        functools.partial(add, 1),
        functools.partial(add, a=1),
        functools.partial(add, 2),
        functools.partial(min, 1),
    ],
    "functions": [add, digest, len, max, str.upper, str.lower, np.sum, np.mean, np.add, [].append, [1].append],
    "classes": [int, float, Plain, Slotted, list[int], list[str], int | None, int | str, typing.Literal["a"]],
    "modules": [types, typing],
    "methods": [Plain(x=1).__repr__, Slotted(1).__init__, Slotted(2).__init__, Cached(1).__init__],
    "dataclasses": [Frozen(1), Frozen(2), Frozen(1, 1), Frozen(Frozen(1))],
    "objects": [Plain(x=1), Plain(x=2), Plain(y=1), Plain(), Slotted(1), Slotted(2), Cached(1), Stated(1), Reduced(1)],
    "objects by their own state": [Stated(1), Stated(2), Reduced(1), Reduced(2)],
    "named tuples": [Point(1, 2), Point(2, 1), (1, 2)],
    "models": [Model(x=1), Model(x=2)],
    "bytes": [b"a", bytearray(b"a"), memoryview(b"a"), array.array("b", b"a"), "a"],
    "generators of numbers": [random.Random(1), random.Random(2), np.random.default_rng(1), np.random.default_rng(2)],
    "exceptions": [ValueError(1), ValueError(2), KeyError(1)],
    "loggers": [logging.getLogger("a"), logging.getLogger("b")],
    "functions that wrap": [functools.cache(add), functools.cache(digest), add, staticmethod(add), property(add)],
    "views": [{1: 2}.keys(), {1: 2}.values(), {1: 2}.items(), types.MappingProxyType({1: 3})],
    # numpy
    "arrays": [
        np.array([1, 2]),
        np.array([1, 2], dtype="i4"),
        np.array([1, 2], dtype=">i8"),
        np.array([[1, 2]]),
        np.array([[1], [2]]),
        np.array([1.0, 2.0]),
        np.array([2, 1]),
        np.array(["1", "2"]),
        np.array([1, 2], dtype=object),
        np.array(["1", "2"], dtype=object),
        np.array([True, True]),
        np.ma.array([1, 2]),
        np.ma.array([1, 2], mask=[False, True]),
        np.matrix([1, 2]),
        [1, 2],
    ],
    "objects in an array": [np.array([[1], None], dtype=object), np.array([[2], None], dtype=object)],
    "empty arrays": [np.empty((0, 2)), np.empty((2, 0)), np.empty(0), np.array("")],
    "numpy scalars": [np.float64(1), np.float32(1), 1.0, np.int64(1), np.str_("1"), np.bool_(1), np.array(1.0)],
    "times in arrays": [np.array(["2020"], "M8[Y]"), np.array(["2020"], "M8[D]"), np.array(["NaT"], "M8[D]")],
    "structured arrays": [
        np.array([(1, "a")], dtype=[("x", "i8"), ("y", "U1")]),
        np.array([(1, "b")], dtype=[("x", "i8"), ("y", "U1")]),
        np.array([(1, "a")], dtype=[("x", "i8"), ("z", "U1")]),
        np.array([(1, "a")], dtype=[("x", "i8"), ("y", "O")]),
    ],
    # pandas
    "frames": [
        frame(),
        frame().rename(columns={"a": "c"}),
        frame()[["b", "a"]],
        frame().set_axis([0, 2]),
        frame().set_axis([0, 0]),
        frame().set_axis(["0", "1"]),
        frame().rename_axis("i"),
        frame().rename_axis("i", axis=1),
        frame().astype({"a": "float64"}),
        frame().astype({"a": "Int64"}),
        frame().astype({"b": object}),
        frame().astype({"b": "category"}),
        frame().iloc[:1],
        frame().iloc[::-1],
        frame().set_index("a"),
        frame().set_index(["a", "b"]),
        frame().assign(a=[1, 3]),
        frame().assign(b=["x", "None"]),
        frame()["a"],
        frame()[["a"]],
    ],
    "duplicate columns": [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[2, 1]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=["a", "b"]),
    ],
    "nested objects in a frame": [frame(a=[[[1]], {"k": 1}]), frame(a=[[[2]], {"k": 1}]), frame(a=[[[1]], {"k": "1"}])],
    "deeply nested objects in a frame": [frame(a=[[[[[[[[[1]]]]]]]]]), frame(a=[[[[[[[[[2]]]]]]]]])],
    "1, '1' and True in an object column": [pd.Series([one], dtype=object) for one in (1, "1", True, 1.0)],
    "categoricals": [
        pd.Categorical(["a", "b"]),
        pd.Categorical(["a", "b"], categories=["b", "a"]),
        pd.Categorical(["a", "b"], categories=["a", "b", "c"]),
        pd.Categorical(["a", "b"], ordered=True),
        pd.Categorical(["a", None]),
    ],
    "time zones": [
        pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize(zone)) for zone in (None, "UTC", "Europe/Paris")
    ],
    "units of time": [pd.Series(np.array(["2020-01-01"], f"M8[{unit}]")) for unit in ("s", "ms", "ns")],
    "series": [pd.Series([1], name="a"), pd.Series([1], name="b"), pd.Series([1]), pd.Index([1]), pd.RangeIndex(1)],
    "multi-indexes": [
        pd.MultiIndex.from_tuples([(1, "a")]),
        pd.MultiIndex.from_tuples([(1, "b")]),
        pd.MultiIndex.from_tuples([(1, "a")], names=["x", None]),
    ],
    "extension arrays": [
        pd.array([1, None], dtype="Int64"),
        pd.array([1, None], dtype="Int32"),
        pd.array([1, 0], dtype="Int64"),
        pd.array([True, None], dtype="boolean"),
        pd.array(["1", None], dtype="string[python]"),
        pd.array(["1", None], dtype="string[pyarrow]"),
        pd.arrays.SparseArray([0, 1]),
        pd.arrays.SparseArray([0, 1], fill_value=1),
        pd.array(pd.interval_range(0, 2)),
        pd.array(pd.interval_range(0, 2, closed="left")),
        pd.array(pd.period_range("2020", periods=2, freq="D")),
        pd.array(pd.period_range("2020", periods=2, freq="M")),
        pd.array(pd.to_timedelta([1, 2], unit="s")),
        pd.array(pd.Series([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))),
    ],
    "missing": [pd.NaT, pd.NA, None, float("nan"), np.datetime64("NaT", "ns")],
    # polars, arrow, scipy
    "polars": [
        pl.DataFrame({"a": [1, None]}),
        pl.DataFrame({"a": [1, 0]}),
        pl.DataFrame({"b": [1, None]}),
        pl.DataFrame({"a": [1, None]}, schema={"a": pl.Int32}),
        pl.DataFrame({"a": ["1", None]}),
        pl.DataFrame({"a": [[1], [2, 3]]}),
        pl.DataFrame({"a": [[1, 2], [3]]}),
        pl.DataFrame({"a": [{"q": 1}, {"q": 2}]}),
        pl.DataFrame({"a": [dt.date(2020, 1, 1), None]}),
        pl.DataFrame({"a": [dt.timedelta(1), None]}),
        pl.DataFrame({"a": [pd.Timestamp("2020-01-01").to_pydatetime(), None]}).with_columns(
            pl.col("a").dt.replace_time_zone("UTC")
        ),
        pl.DataFrame({"a": ["x", "y"]}).with_columns(pl.col("a").cast(pl.Categorical)),
        pl.DataFrame({"a": [b"x", b"y"]}),
        pl.DataFrame({"a": [decimal.Decimal("1.5")]}),
        pl.Series("a", [1, None]),
        pl.DataFrame({"a": [1, None]}).lazy(),
    ],
    "lazy": [pl.LazyFrame({"a": [1]}), pl.LazyFrame({"a": [2]}), pl.LazyFrame({"a": [1]}).select(pl.col("a") + 1)],
    "arrow": [
        pa.table({"a": [1, 2]}),
        pa.table({"a": [2, 1]}),
        pa.table({"b": [1, 2]}),
        pa.table({"a": pa.array([1, 2], pa.int32())}),
        pa.table({"a": ["ab", "c"]}),
        pa.table({"a": ["a", "bc"]}),
        pa.table({"a": ["abc", None]}),
        pa.table({"a": pa.array(["a", "b"]).dictionary_encode()}),
        pa.table({"a": [1, 2]}).replace_schema_metadata({"k": "v"}),
        pa.array([1, 2]),
        pa.array([1, None]),
        pa.array([1, 0]),
        pa.array([1.0, float("nan")]),
        pa.scalar(1),
    ],
    "sparse": [
        sparse.csr_matrix(np.eye(2)),
        sparse.csr_array(np.eye(2)),
        sparse.csc_matrix(np.eye(2)),
        sparse.csr_matrix(np.eye(2) * 2),
        sparse.csr_matrix(([1.0, 1.0], ([0, 1], [0, 1])), shape=(2, 3)),
        sparse.coo_array(np.eye(2)),
        sparse.dok_matrix(np.eye(2)),
        sparse.lil_matrix(np.eye(2)),
        sparse.dia_matrix(np.eye(2)),
    ],
}


@pytest.mark.parametrize("values", DIFFERENT.values(), ids=DIFFERENT)
def test_different(values):
    """Values that differ in type or content have different digests, and each the same one twice."""
    digests = [digest(value) for value in values]
    assert digests == [digest(value) for value in values]
    assert len(set(digests)) == len(digests)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in digests)


def cyclic(size):
    """Return a ring of lists."""
    ring = [[number] for number in range(size)]
    for number, one in enumerate(ring):
        one.append(ring[(number + 1) % size])
    return ring[0]


def unpadded():
    """Return a structured array whose padding holds other bytes than zeros."""
    value = np.zeros(1, dtype=np.dtype([("x", "i1"), ("y", "i8")], align=True))
    raw = np.frombuffer(bytearray(b"\xff" * value.nbytes), dtype=value.dtype)
    raw["x"], raw["y"] = 0, 0
    return raw


def used(value, name):
    """Return an object after one of its attributes was read."""
    getattr(value, name)
    return value


SHARED = [1]

ALIKE = {
    "NaN": (float("nan"), -float("nan")),
    "NaN in arrays": (np.array([np.nan]), np.array([-np.nan])),
    "NaN in complex arrays": (np.array([complex(1, np.nan)]), np.array([complex(1, -np.nan)])),
    "order of a set": ({f"k{number}" for number in range(99)}, {f"k{number}" for number in reversed(range(99))}),
    "sets of objects": (
        {Frozen(1), Frozen(2), (1, Frozen(3))},
        {(1, Frozen(3)), Frozen(2), Frozen(1)},
    ),
    "shared and copied": ([SHARED, SHARED], [[1], [1]]),
    "shared and copied frames": ([frame()] * 2, [frame(), frame()]),
    "cached properties": (Cached(1), used(Cached(1), "twice")),
    "secrets": (pydantic.SecretStr("a"), pydantic.SecretStr("b")),
    "secrets in models": (Model(secret="a"), Model(secret="b")),
    "cycles": (cyclic(3), cyclic(3)),
    "columns first": (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
    "strides": (np.arange(3), np.arange(6)[::2] // 2),
    "padding": (np.zeros(1, dtype=np.dtype([("x", "i1"), ("y", "i8")], align=True)), unpadded()),
    "under a mask": (np.ma.array([1, 2], mask=[0, 1], fill_value=9), np.ma.array([1, 3], mask=[0, 1], fill_value=9)),
    "under a null": (
        pd.array([1, None], dtype="Int64"),
        pd.arrays.IntegerArray(np.array([1, 7]), np.array([False, True])),
    ),
    "blocks of a frame": (
        pd.DataFrame({"a": [1], "b": [2]}),
        pd.DataFrame({"a": [1]}).assign(b=[2]),
    ),
    "levels of a multi-index": (
        pd.MultiIndex.from_tuples([(1, "a"), (2, "b")])[:1],
        pd.MultiIndex.from_tuples([(1, "a")]),
    ),
    "chunks": (
        pa.chunked_array([["a", None], ["b"]]),
        pa.chunked_array([["a"], [None, "b"]]),
    ),
    "offsets": (pa.array(["x", "a", "b"])[1:], pa.array(["a", "b"])),
    "chunks of polars": (
        pl.concat([pl.DataFrame({"a": ["x"]}), pl.DataFrame({"a": ["y"]})], rechunk=False),
        pl.DataFrame({"a": ["x", "y"]}),
    ),
    "slices of polars": (pl.DataFrame({"a": [[1], [2, 3], [4]]})[1:], pl.DataFrame({"a": [[2, 3], [4]]})),
    "what a sparse matrix remembers": (
        sparse.csr_matrix(np.eye(2)),
        used(sparse.csr_matrix(np.eye(2)), "has_sorted_indices"),
    ),
    "time zones by key": (
        dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
        dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    ),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_alike(one, other):
    """Values of the same content have the same digest, however they came about."""
    assert digest(one) == digest(other)


def test_a_memmap_is_like_its_array(tmp_path: Path):
    """An array on disk is like the same array in memory."""
    np.arange(5).tofile(tmp_path / "a")
    assert digest(np.memmap(tmp_path / "a", dtype=np.arange(5).dtype)) == digest(np.arange(5))


def test_depth_is_not_cut():
    """Values may be nested deeper than Python's stack, and what is deepest counts."""

    def nested(leaf):
        for _ in range(100_000):
            leaf = [leaf]
        return leaf

    one, other = nested(1), nested(2)
    assert digest(one) != digest(other)
    for value in (one, other):  # taken apart by hand: Python would do it recursively
        while isinstance(value, list):
            value = value.pop()


def test_cycles_of_different_lengths():
    """Rings of different lengths are different, and so is a value that refers to another place of itself."""
    assert len({digest(cyclic(size)) for size in range(1, 6)}) == 5
    one, other = [1, [2]], [1, [2]]
    one[1].append(one)
    other[1].append(other[1])
    assert digest(one) != digest(other)


def test_which_of_two_places_a_cycle_leads_to():
    """References into a cycle, from outside of it, are told apart."""

    def graph(which):
        left, right = {"v": 1}, {"v": 2}
        left["next"], right["next"] = [left], [right]
        return [left, right, (left, right)[which]["next"]]

    assert digest(graph(0)) != digest(graph(1))
    assert digest(graph(0)) == digest(graph(0))


def test_shared_values_cost_once():
    """A value that contains another one twice, forty levels deep, is no exponential work."""
    value: list = [1]
    for _ in range(40):
        value = [value, value]
    assert digest(value) == digest(value)


def test_tangled_objects():
    """Objects that all refer to one another are hashed; through sets, they are refused instead of taking ages."""
    nodes = [Plain(name=number) for number in range(30)]
    for node in nodes:
        node.near = [other for other in nodes if other is not node]
    assert digest(nodes) == digest(nodes)
    for node in nodes:
        node.near = set(node.near)
    with pytest.raises(Unhashable, match="entangled"):
        digest(nodes)


def test_a_set_in_a_cycle():
    """An object that is in a set of its own is hashed."""
    one, other = Plain(name=1), Plain(name=1)
    one.all, other.all = {one}, {other}
    assert digest(one) == digest(other)


with_file = io.StringIO()

UNHASHABLE = {
    "generator": ((number for number in []), "only once"),
    "iterator": (iter([]), "only once"),
    "map": (map(str, []), "only once"),
    "zip": (zip([], strict=True), "only once"),
    "count": (itertools.count(), "only once"),
    "reader": (pa.RecordBatchReader.from_batches(pa.schema([]), []), ""),
    "open file": (with_file, "open file"),
    "lock": (threading.Lock(), "`_thread.lock` has no content"),
    "lock in an object": (Plain(x=[threading.RLock()]), "`_thread.RLock` has no content"),
    "weak reference": (weakref.ref(Plain), "no content"),
    "code": (add.__code__, "without its source"),
    "universal function of a Python function": (np.frompyfunc(add, 2, 1), "made of a function"),
    "lazy frame with a function": (pl.LazyFrame({"a": [1]}).map_batches(lambda one: one), "Python function"),
}


@pytest.mark.parametrize(("value", "reason"), UNHASHABLE.values(), ids=UNHASHABLE)
@pytest.mark.parametrize("inside", [False, True])
def test_unhashable(value, reason: str, inside: bool):
    """What has no content is refused with the reason, alone or inside of something else."""
    with pytest.raises(Unhashable) as caught:
        digest({"a": [value]} if inside else value)
    assert reason in caught.value.reason


def test_an_error_of_the_objects_own():
    """An object whose ``__reduce__`` raises is refused, with what it said."""

    class Broken:
        def __reduce__(self):
            raise RuntimeError("not today")

    with pytest.raises(Unhashable, match="not today"):
        digest([Broken()])


def test_files_stay_open_and_unread(tmp_path: Path):
    """A refused file was not read from."""
    path = tmp_path / "a"
    path.write_text("x")
    with path.open() as file:
        with pytest.raises(Unhashable):
            digest(file)
        assert file.read() == "x"


def test_follow_is_given_functions_classes_and_modules():
    """The hook says what functions and classes inside of a value are worth; None means their name."""
    seen = []

    def follow(value):
        seen.append(value)
        return ("code of it", [add.__name__]) if value is add else None

    plain, followed = digest([add, Plain(f=add)]), digest([add, Plain(f=add)], follow)
    assert plain != followed
    assert {add, Plain} <= set(seen)
    assert digest([add], follow) == digest([add], lambda _: ("code of it", ["add"]))
    assert digest([add], follow) != digest([add], lambda _: ("other code", ["add"]))


def test_follow_sees_code_in_every_value():
    """A digester that is used again shows the hook the code in a value it knows."""
    seen = []
    digester = Digester(lambda value: seen.append(value))
    inner = [[add], 1]
    digester.digest([inner])
    seen.clear()
    digester.digest([inner, 2])
    assert seen == [add]


def test_a_digester_gives_what_single_calls_give():
    """What a digester remembers of one value doesn't change the digest of the next."""
    ring = cyclic(3)
    values = [[SHARED, SHARED], ring, [ring, ring], ring[1], {1: [ring[1], ring]}, [SHARED, [ring]], {"a": frame()}]
    single = {number: digest(value) for number, value in enumerate(values)}
    for order in itertools.islice(itertools.permutations(range(len(values))), 0, 5040, 97):
        digester = Digester()
        assert {number: digester.digest(values[number]) for number in order} == single


SCRIPT = """
import enum, datetime, collections
from dataclasses import dataclass
from ipy_orch.planning.hashing.hashing import digest
class E(enum.Enum):
    A = "a"
@dataclass(frozen=True)
class D:
    x: frozenset
value = [{"a", "b", ("c", E.A)}, {D(frozenset("xyz")), D(frozenset("zab"))}, object(), collections.Counter("abc"),
         datetime.datetime(2020, 1, 1), {E.A: {1.5, None, "x"}}, int, len, 10**40]
print(digest(value), [digest(v) for v in value])
"""


def test_digests_are_equal_over_processes_and_hash_seeds():
    """Another process, with another hash seed, gives the same digests."""
    answers = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(answers) == 1


# Short texts


class Rude:
    def __init__(self):
        self.token, self.limit, self.api_key = "hunter2", 3, pydantic.SecretStr("hunter2")

    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (3, "3"),
        ("a'b", '"a\'b"'),
        ([1, [2, [3, [4]]]], "[1, [2, [3, <list of 1>]]]"),
        ((1,), "(1,)"),
        ({"b", "a"}, "{'a', 'b'}"),
        (set(), "set()"),
        ({"a": 1, "password": "hunter2"}, "{'a': 1, 'password': '**********'}"),
        (range(3), "range(0, 3)"),
        ([10**6000], "[<int of 19932 bits>]"),
        (dt.date(2020, 1, 1), "datetime.date(2020, 1, 1)"),
        (Colour.RED, "Colour.RED"),
        (add, "<function add>"),
        (Plain, "<class Plain>"),
        (types, "<module types>"),
        (Plain(x=1), "Plain(x=1)"),
        (Point(1, 2), "Point(x=1, y=2)"),
        (Rude(), "Rude(token='**********', limit=3, api_key='**********')"),
        (pydantic.SecretStr("hunter2"), "SecretStr('**********')"),
        (np.zeros((3, 4)), "<ndarray 3 × 4 float64>"),
        (np.float64(1), "float64(1.0)"),
        (pd.DataFrame({"a": range(1000)}), "<DataFrame 1,000 × 1>"),
        (pl.DataFrame({"a": [1]}), "<DataFrame 1 × 1>"),
        (threading.Lock(), "<lock>"),
        (pd.NaT, "NaT"),
    ],
)
def test_short(value, text: str):
    """Texts are short, the same in every kernel, and show no secret."""
    assert short(value) == text


def test_short_is_short():
    """No text is longer than asked for."""
    for value in ("x" * 999, ["x" * 99] * 99, Plain(**{f"k{number}": "x" * 50 for number in range(99)}), b"x" * 999):
        assert len(short(value, 50)) == 50


def test_short_never_raises():
    """Objects that raise at every touch get a text too."""

    class Hostile:
        def __getattribute__(self, name):
            raise RuntimeError(name)

    assert short(Hostile()) == "<Hostile>"
