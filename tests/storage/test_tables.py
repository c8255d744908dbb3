"""What holds for every IO manager of tables: types come back, readers get what they ask for, errors say what to do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal as assert_polars_equal

from ipy_orch import (
    AssetIn,
    Definitions,
    DuckDBIOManager,
    DuckDBPandasIOManager,
    DuckDBPolarsIOManager,
    ParquetIOManager,
    asset,
    job,
    materialize,
    op,
)
from ipy_orch.errors import DagsterInvariantViolationError
from tests.storage.tables import arrow_table, load, pandas_table, polars_table, store

ROOT = Path(__file__).parents[2]
KINDS: list[Any] = [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.Table]


@pytest.fixture(params=["parquet", "memory", "duckdb"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return one IO manager after another: Parquet on disk, Parquet through fsspec, DuckDB."""
    if request.param == "duckdb":
        return DuckDBIOManager(database=str(tmp_path / "local.duckdb"))
    return ParquetIOManager(base_path=f"memory://{tmp_path}" if request.param == "memory" else str(tmp_path))


# ---- round trips


def test_pandas_comes_back(manager: Any) -> None:
    """Each type, the categories that nobody uses, and the index."""
    store(manager, pandas_table())
    pd.testing.assert_frame_equal(load(manager), pandas_table())


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(2, 8, 3),
        pd.Index([9, 7]),
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None]),
        pd.DatetimeIndex(["2026-01-01", "2026-01-02"], tz="UTC", name="at"),
    ],
)
def test_an_index_comes_back(manager: Any, index: pd.Index) -> None:
    """Also one without a name, and one of several levels."""
    frame = pd.DataFrame({"x": [1, 2]}, index=index)
    store(manager, frame)
    pd.testing.assert_frame_equal(load(manager), frame)
    columns = load(manager, pl.DataFrame).columns
    assert [name for name in columns if name.startswith("__")] == []


def test_polars_comes_back(manager: Any) -> None:
    """Each type; a lazy frame as a lazy frame."""
    store(manager, polars_table())
    assert_polars_equal(load(manager), polars_table())
    store(manager, polars_table().lazy())
    again = load(manager)
    assert isinstance(again, pl.LazyFrame)
    assert_polars_equal(again.collect(), polars_table())


def test_arrow_comes_back(manager: Any) -> None:
    """With the metadata of its schema, and without ours."""
    store(manager, arrow_table())
    assert load(manager).equals(arrow_table(), check_metadata=True)


def test_a_table_without_rows_comes_back(manager: Any) -> None:
    """Its types are those of the columns."""
    store(manager, polars_table().clear())
    assert_polars_equal(load(manager), polars_table().clear())
    store(manager, pandas_table()[:0])
    pd.testing.assert_frame_equal(load(manager), pandas_table()[:0])


def test_storing_again_replaces(manager: Any) -> None:
    """Also with other columns."""
    store(manager, pd.DataFrame({"x": [1, 2]}))
    store(manager, pd.DataFrame({"y": ["a"]}))
    pd.testing.assert_frame_equal(load(manager), pd.DataFrame({"y": ["a"]}))


def test_readers_have_tables_of_their_own(manager: Any) -> None:
    """What one reader does to its table, no other reader sees."""
    store(manager, pd.DataFrame({"x": [1, 2]}))
    mine = load(manager)
    mine.loc[0, "x"] = 9
    assert load(manager)["x"].tolist() == [1, 2]


# ---- what the reader asks for


@pytest.mark.parametrize("made", KINDS, ids=["pandas", "polars", "lazy", "arrow"])
@pytest.mark.parametrize("kind", KINDS, ids=["pandas", "polars", "lazy", "arrow"])
def test_a_reader_gets_what_its_annotation_says(manager: Any, made: Any, kind: Any) -> None:
    """Whatever was stored."""
    store(manager, pa.table({"x": [1]}) if made is pa.Table else made({"x": [1]}))
    got = load(manager, kind)
    assert isinstance(got, kind)
    rows = got.collect().to_dicts() if isinstance(got, pl.LazyFrame) else got
    assert (rows if isinstance(rows, list) else pa.table(rows).to_pylist()) == [{"x": 1}]
    assert isinstance(load(manager, Optional[kind]), kind)  # noqa: UP045 - the older spelling


@pytest.mark.parametrize("kind", KINDS, ids=["pandas", "polars", "lazy", "arrow"])
def test_some_columns(manager: Any, kind: Any) -> None:
    """In the order asked for; pandas keeps the index."""
    store(manager, pd.DataFrame({"x": [1], "y": [2], "z": [3]}, index=[7]))
    got = load(manager, kind, metadata={"columns": ["z", "x"]})
    table = got.collect() if isinstance(got, pl.LazyFrame) else got
    names = table.columns if isinstance(table, pd.DataFrame | pl.DataFrame) else table.column_names
    assert [name for name in names if name in "xyz"] == ["z", "x"]
    assert not isinstance(got, pd.DataFrame) or list(got.index) == [7]


def test_a_lazy_frame_reads_what_it_needs(tmp_path: Path) -> None:
    """From disk, it's a scan of the file."""
    manager = ParquetIOManager(base_path=str(tmp_path))
    store(manager, pd.DataFrame({"x": [1], "y": [2]}))
    assert "SCAN" in load(manager, pl.LazyFrame).select("x").explain()


def test_the_engine_asks_for_what_annotations_say(manager: Any) -> None:
    """In a run: annotations, columns, and what no annotation says."""
    kinds = {}

    @asset(key_prefix="raw")
    def orders():
        return pd.DataFrame({"shop": ["a", "b"], "n": [1, 2]})

    @asset(ins={"orders": AssetIn(key_prefix="raw", metadata={"columns": ["n"]})})
    def total(orders: pl.DataFrame) -> pl.LazyFrame:
        kinds["orders"] = orders.columns
        return orders.lazy().sum()

    @asset
    def report(total):
        kinds["total"] = type(total)
        return total

    result = materialize([orders, total, report], resources={"io_manager": manager})
    assert kinds == {"orders": ["n"], "total": pl.LazyFrame}
    (made,) = result.asset_materializations_for_node("raw__orders")
    assert made.metadata["dagster/row_count"].value == 2
    defs = Definitions(assets=[orders, total, report], resources={"io_manager": manager})
    assert defs.load_asset_value("report", python_type=pd.DataFrame)["n"].tolist() == [3]


def test_outputs_of_ops(manager: Any) -> None:
    """An output that is no asset is found by its step; what is no table can't be kept."""
    seen = []

    @op
    def make():
        return pd.DataFrame({"n": [1]})

    @op
    def double(frame: pl.DataFrame) -> pl.DataFrame:
        seen.append(type(frame))
        return frame * 2

    @op
    def count(frame: pd.DataFrame) -> int:
        seen.append(frame["n"].tolist())
        return len(frame)

    @job(resource_defs={"io_manager": manager})
    def numbers():
        count(double(make()))

    with pytest.raises(DagsterInvariantViolationError, match=r"of type `int`.*\n.*hint: return a data frame"):
        numbers.execute_in_process()
    assert seen == [pl.DataFrame, [2]]


# ---- what is said


def test_metadata(manager: Any) -> None:
    """Rows and columns under Dagster's names, and where the table is; a nameless index is none of the columns."""
    said = store(manager, pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}, index=[5, 6]))
    assert said["dagster/row_count"] == 2
    assert said["dagster/column_schema"].columns[0].type == "int64"
    assert [one.name for one in said["dagster/column_schema"].columns] == ["x", "y"]
    assert "path" in said or said["dagster/table_name"] == "public.orders"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "`orders` is None.*\n.*-> None"),
        ([1], "of type `list`"),
        (pd.Series([1]), r"of type `Series`.*\n.*to_frame"),
        (pd.DataFrame({"x": [{1}, 2]}), "column x.*\n.*hint:"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "two columns `x`"),
        (pd.DataFrame([[1, 2]], columns=["x", 2]), r"named by text.*\n.*rename\(columns=str\)"),
        (pd.DataFrame({"x": pd.arrays.SparseArray([0, 1])}), "Sparse.*\n.*hint:"),
        (pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)}), "Arrow can't hold `orders`.*\n.*hint:"),
        (pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)}), "column `x` holds Python objects.*\n.*hint:"),
    ],
)
def test_what_cant_be_kept_is_refused(manager: Any, value: Any, message: str) -> None:
    """With the column and the way out; the old value stays."""
    store(manager, pd.DataFrame({"old": [1]}))
    with pytest.raises(DagsterInvariantViolationError, match=message):
        store(manager, value)
    assert load(manager).columns.tolist() == ["old"]


def test_what_isnt_there(manager: Any) -> None:
    """An asset that was never materialized, and a column that the table hasn't."""
    with pytest.raises((FileNotFoundError, DagsterInvariantViolationError), match=r"(?s)`nope`.*hint: materialize it"):
        load(manager, key="nope")
    store(manager, pd.DataFrame({"price": [1]}))
    with pytest.raises(DagsterInvariantViolationError, match=r"no column `prize`\n.*`price`"):
        load(manager, metadata={"columns": ["prize"]})


@pytest.mark.parametrize(
    ("missing", "made", "package"),
    [
        ("pyarrow", "ParquetIOManager(base_path='data')", "ipy-orch[parquet]"),
        ("upath", "ParquetIOManager(base_path='s3://bucket/data')", "ipy-orch[parquet]"),
        ("duckdb", "DuckDBIOManager(database='local.duckdb')", "ipy-orch[duckdb]"),
    ],
)
def test_a_missing_library(missing: str, made: str, package: str, tmp_path: Path) -> None:
    """The error says what to install; importing the package needs none of them."""
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
sys.modules[{missing!r}] = None
from ipy_orch import DuckDBIOManager, ParquetIOManager, build_output_context
import pandas
try:
    {made}.handle_output(build_output_context(asset_key="orders"), pandas.DataFrame({{"x": [1]}}))
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert f"hint: pip install '{package}'" in done.stdout


@pytest.mark.parametrize("made", ["ParquetIOManager(base_path='.')", "DuckDBIOManager(database='local.duckdb')"])
def test_kill_while_writing_leaves_a_whole_value(made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel killed at any moment (kill -9) leaves the old value or the new one."""
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import pandas
from ipy_orch import DuckDBIOManager, ParquetIOManager, build_output_context
manager = {made}
for number in range(10_000):
    frame = pandas.DataFrame({{"n": [number] * 200_000}})
    manager.handle_output(build_output_context(asset_key="orders"), frame)
    print(number, flush=True)
"""
    monkeypatch.chdir(tmp_path)
    manager = ParquetIOManager(base_path=".") if "Parquet" in made else DuckDBIOManager(database="local.duckdb")
    for milliseconds in (5, 17):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.stdout.readline()
            time.sleep(milliseconds / 1000)
            child.kill()
        frame = load(manager)
        assert (len(frame), frame["n"].nunique()) == (200_000, 1)


def test_default_kinds(tmp_path: Path) -> None:
    """Dagster's names for DuckDB say what a reader without annotation gets."""
    kinds: Mapping[Any, Any] = {DuckDBPandasIOManager: pd.DataFrame, DuckDBPolarsIOManager: pl.DataFrame}
    for cls, kind in kinds.items():
        manager = cls(database=str(tmp_path / f"{cls.__name__}.duckdb"))
        store(manager, pa.table({"x": [1]}))
        assert isinstance(load(manager), kind)
