"""A session's tables: Parquet where they come back exactly, a pickle where they wouldn't, and equal either way."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from ipy_orch.execution.iomanagers import DiskStore, PickleForm
from ipy_orch.model.keys import AssetKey
from ipy_orch.storage.tables import TableForm, is_same

A = AssetKey("a")
YEARS = pd.to_datetime(["2020", "2021"])


def with_attributes() -> pd.DataFrame:
    """Return a frame with attributes."""
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = "kg"
    return frame


class Special(pd.DataFrame):
    """A subclass."""


PARQUET: dict[str, Any] = {
    "numbers": pd.DataFrame({"a": [1, 2], "f": [1.5, np.nan], "s": np.array([1, 2], "f4"), "b": [True, False]}),
    "text": pd.DataFrame({"a": ["x", None]}, index=["p", "q"]),
    "times": pd.DataFrame({"t": YEARS, "z": YEARS.tz_localize("Europe/Berlin"), "d": YEARS - YEARS[0]}),
    "category": pd.DataFrame({"c": pd.Categorical(["u", "v"], ["v", "u", "w"], ordered=True)}),
    "nullable": pd.DataFrame({"n": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")}),
    "index of times": pd.DataFrame({"a": [1, 2]}, index=pd.DatetimeIndex(["2020-01-01", "2020-01-05"], name="day")),
    "index of levels": pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)], names=["l", "m"])),
    "range": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(3, 7, 2, name="k")),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64"), "c": pd.Categorical([], ["q"])}),
    "periods": pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M"), "i": pd.interval_range(0, 2)}),
    "polars": pl.DataFrame(
        {
            "a": [1, None],
            "e": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
            "l": [[1], []],
            "d": [dt.date(1, 1, 1)] * 2,
        }
    ),
    "arrow": pa.table({"a": [1, 2]}, metadata={"x": "y"}),
}
PICKLE: dict[str, Any] = {
    "objects": pd.DataFrame({"a": [1, "x"]}),
    "1, 1.0 and True": pd.DataFrame({"a": pd.Series([1, 1.0, True], dtype=object)}),
    "lists": pd.DataFrame({"a": [[1], [2]]}),
    "frequency": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2, freq="D")),
    "two names": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "complex": pd.DataFrame({"c": [1j]}),
    "sparse": pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
    "attributes": with_attributes(),
    "subclass": Special({"a": [1]}),
    "series": pd.Series([1, 2], name="s"),
    "array": np.arange(3),
    "lazy": pl.LazyFrame({"a": [1]}),
    "no table": [1, 2],
}


@pytest.fixture
def disk(tmp_path: Path) -> DiskStore:
    """Return a store of a session's values."""
    return DiskStore(tmp_path / "values", (TableForm(), PickleForm()))


@pytest.mark.parametrize(
    ("name", "suffix"), [*((one, ".parquet") for one in PARQUET), *((one, ".pickle") for one in PICKLE)]
)
def test_comes_back_the_same(disk: DiskStore, name: str, suffix: str) -> None:
    """Types, index, names and all."""
    value = {**PARQUET, **PICKLE}[name]
    assert disk.save(A, None, "1", value) == ""
    found = disk.find(A, None, "1")
    assert found is not None
    assert found[0].suffix == suffix
    again = disk.load(A, None, "1")
    assert type(again) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(again, value)
        assert again.attrs == value.attrs
        assert getattr(again.index, "freq", None) == getattr(value.index, "freq", None)
    elif isinstance(value, pd.Series | np.ndarray):
        assert (again == value).all()
    elif isinstance(value, pl.DataFrame | pa.Table):
        assert again.equals(value)
        assert again.schema == value.schema
    elif isinstance(value, pl.LazyFrame):
        assert again.collect().equals(value.collect())
    else:
        assert again == value


def test_a_value_that_is_no_table_any_more(disk: DiskStore) -> None:
    """Leaves no file of the other kind behind."""
    disk.save(A, None, "1", PARQUET["numbers"])
    disk.save(A, None, "1", [1])
    assert disk.load(A, None, "1") == [1]
    assert [path.suffix for path in disk.folder.rglob("*.*") if path.is_file()] == [".pickle"]


@pytest.mark.parametrize("where", ["begin", "middle", "end"])
def test_a_damaged_table(disk: DiskStore, where: str) -> None:
    """Is as if it weren't there; each page has a checksum."""
    disk.save(A, None, "1", pd.DataFrame({"a": np.random.default_rng(0).random(10_000)}))
    found = disk.find(A, None, "1")
    assert found is not None
    content = bytearray(found[0].read_bytes())
    content[{"begin": 0, "middle": len(content) // 2, "end": -1}[where]] ^= 1
    found[0].write_bytes(content)
    again = DiskStore(disk.folder, disk.forms)
    with pytest.raises(KeyError):
        again.load(A, None, "1")


def test_a_table_that_anybody_may_write_to(disk: DiskStore) -> None:
    """Isn't loaded, though it would run no code."""
    disk.save(A, None, "1", PARQUET["numbers"])
    found = disk.find(A, None, "1")
    assert found is not None
    found[0].chmod(0o666)
    assert not DiskStore(disk.folder, disk.forms).has(A, None, "1")


def test_without_pyarrow(disk: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are pickled like everything else."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    disk.save(A, None, "1", PARQUET["numbers"])
    found = disk.find(A, None, "1")
    assert found is not None
    assert found[0].suffix == ".pickle"


def test_what_differs() -> None:
    """A type, a name, a value: nothing passes for the same."""
    frame = pd.DataFrame({"a": [1, 2]})
    others = [
        frame.astype("int32"),
        frame.rename(columns={"a": "b"}),
        frame.rename_axis("i"),
        frame * 2,
        frame.iloc[:1],
    ]
    assert is_same(frame, frame.copy(), "pandas")
    assert not any(is_same(frame, other, "pandas") for other in others)
