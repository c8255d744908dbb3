"""Tables in a DuckDB file: named as Dagster's IO manager names them, readable by SQL, shared with other processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from ipy_orch import DuckDBIOManager, TimeWindow, asset, materialize
from ipy_orch.errors import DagsterInvariantViolationError
from tests.storage.tables import load, pandas_table, store

FRAME = pd.DataFrame({"x": [1, 2]})


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return the path of a database that isn't there yet."""
    return str(tmp_path / "below" / "local.duckdb")


def rows(file: str, query: str) -> list[Any]:
    """Return what a query finds, as any tool would ask."""
    with duckdb.connect(file) as connection:
        return connection.sql(query).fetchall()


# ---- names


@pytest.mark.parametrize(
    ("schema", "key", "metadata", "table"),
    [
        (None, "orders", {}, "public.orders"),
        (None, ["raw", "orders"], {}, "raw.orders"),
        (None, ["shop", "raw", "orders"], {}, "raw.orders"),
        ("main", ["raw", "orders"], {}, "main.orders"),
        ("main", ["raw", "orders"], {"schema": "other"}, "other.orders"),
        (None, ['we"ird', "a.b c"], {}, 'we"ird.a.b c'),
    ],
)
def test_the_name_of_the_table(schema: str | None, key: Any, metadata: dict[str, str], table: str, file: str) -> None:
    """The key's last part, in the schema of the metadata, the manager, the key, or `public`."""
    manager = DuckDBIOManager(database=file, schema=schema)
    assert store(manager, FRAME, key, metadata=metadata)["dagster/table_name"] == table
    assert load(manager, key=key, stored={"metadata": metadata}).equals(FRAME)


def test_config_at_launch(file: str) -> None:
    """The field is `schema` there too."""

    @asset
    def orders():
        return FRAME

    config = {"resources": {"io_manager": {"config": {"database": file, "schema": "main"}}}}
    materialize([orders], resources={"io_manager": DuckDBIOManager.configure_at_launch()}, run_config=config)
    assert rows(file, "select sum(x) from orders") == [(3,)]


# ---- SQL beside


def test_sql_reads_plain_values(file: str) -> None:
    """Categories are text, durations intervals, times with a zone instants."""
    store(DuckDBIOManager(database=file, schema="main"), pandas_table())
    found = rows(file, "select category, nullable, price, nested, duration from orders limit 1")[0]
    assert [str(one) for one in found] == ["a", "1", "1.10", "[1, 2]", "0:00:01"]
    assert rows(file, "select count(*) from orders where zone >= '2026-01-02 00:00:00+01'") == [(2,)]


def test_a_table_that_sql_made(file: str) -> None:
    """It is read like one of ours, and so is a view."""
    Path(file).parent.mkdir()
    rows_made = "create table orders as select 1 as x, interval 2 second as took"
    with duckdb.connect(file) as connection:
        connection.execute(rows_made)
        connection.execute("create view recent as from orders")
    for key in ("orders", "recent"):
        got = load(DuckDBIOManager(database=file, schema="main"), key=key)
        assert isinstance(got, pd.DataFrame)
        assert got["x"].tolist() == [1]


def test_a_table_that_sql_changed(file: str) -> None:
    """Columns and values that somebody added come too."""
    manager = DuckDBIOManager(database=file, schema="main")
    store(manager, pd.DataFrame({"kind": pd.Categorical(["a", "b"])}))
    with duckdb.connect(file) as connection:
        connection.execute("alter table orders add column n integer default 7")
        connection.execute("insert into orders values ('new', 8)")
    got = load(manager)
    assert got["kind"].tolist() == ["a", "b", "new"]
    assert got["n"].tolist() == [7, 7, 8]


def test_the_note_is_small(file: str) -> None:
    """It tells types and categories, no values."""
    store(DuckDBIOManager(database=file, schema="main"), pd.DataFrame({"text": [f"customer {n}" for n in range(9999)]}))
    ((size,),) = rows(file, "select length(comment) from duckdb_tables()")
    assert size < 2000


# ---- what DuckDB can't


@pytest.mark.parametrize("value", ["2026-01-01T00:00:00.000000001Z", pd.Timedelta(1, "ns")])
def test_what_would_be_lost_is_refused(value: Any, file: str) -> None:
    """DuckDB counts instants and durations in microseconds."""
    kind = pd.to_datetime([value]) if isinstance(value, str) else pd.to_timedelta([value])
    with pytest.raises(DagsterInvariantViolationError, match=r"column `at` of `orders`.*\n.*round it first"):
        store(DuckDBIOManager(database=file), pd.DataFrame({"at": kind}))


def test_a_database_in_memory_is_refused() -> None:
    """It would be gone at once."""
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)gone at once.*hint:.*local\.duckdb"):
        store(DuckDBIOManager(database=":memory:"), FRAME)


def test_another_program_s_file(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "x.duckdb").write_text("hello" * 1000)
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)not a valid.*x\.duckdb.*hint:"):
        store(DuckDBIOManager(database=str(tmp_path / "x.duckdb"), timeout=0), FRAME)


# ---- other users of the file


def holding(file: str, seconds: float) -> subprocess.Popen[str]:
    """Return a process that has the file open for some time."""
    script = f"import duckdb, time; c = duckdb.connect({file!r}); print('open', flush=True); time.sleep({seconds})"
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


def test_another_process_has_the_file(file: str) -> None:
    """The error names it, and what to do."""
    manager = DuckDBIOManager(database=file, timeout=0.1)
    store(manager, FRAME)
    with holding(file, 60) as child:
        for touch in (lambda: store(manager, FRAME), lambda: load(manager)):
            with pytest.raises(
                DagsterInvariantViolationError, match=rf"(?s)process {child.pid} .*has the.*hint: close"
            ):
                touch()
        child.kill()
    assert load(manager).equals(FRAME)


def test_another_process_lets_go_of_the_file(file: str) -> None:
    """It is tried again until then."""
    manager = DuckDBIOManager(database=file, timeout=30)
    store(manager, FRAME)
    start = time.monotonic()
    with holding(file, 0.5):
        assert load(manager).equals(FRAME)
    assert time.monotonic() - start > 0.3


def test_the_notebook_has_a_connection_too(file: str) -> None:
    """A connection in the same process is no obstacle, unless it only reads."""
    manager = DuckDBIOManager(database=file, timeout=0.1)
    store(manager, FRAME)
    with duckdb.connect(file) as connection:
        store(manager, pd.DataFrame({"x": [5]}))
        assert connection.sql("from public.orders").fetchall() == [(5,)]
        assert load(manager)["x"].tolist() == [5]
    with (
        duckdb.connect(file, read_only=True),
        pytest.raises(DagsterInvariantViolationError, match=r"(?s)open in this process.*hint: close"),
    ):
        store(manager, FRAME)


def test_threads(file: str) -> None:
    """Steps that run at the same time store and load, one and the same table too."""
    manager, errors = DuckDBIOManager(database=file, timeout=60), []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                store(manager, pd.DataFrame({"x": [turn]}), f"own{number}")
                store(manager, pd.DataFrame({"x": [turn]}), "shared")
                assert load(manager, key=f"own{number}")["x"].tolist() == [turn]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# ---- partitions


class Days:
    """Be a definition of partitions that stand for days."""

    def time_window_for_partition_key(self, key: str) -> TimeWindow:
        day = datetime.fromisoformat(key)
        return TimeWindow(day, day.replace(day=day.day + 1))


def test_partitions_are_rows(file: str) -> None:
    """Storing one replaces its rows and no others."""
    manager = DuckDBIOManager(database=file, schema="main")
    told: dict[str, Any] = {"metadata": {"partition_expr": "region"}}
    for region in ("eu", "us", "eu"):
        store(manager, pd.DataFrame({"region": [region], "n": [len(region)]}), partition_key=region, **told)
    assert rows(file, "select region from orders order by 1") == [("eu",), ("us",)]
    assert load(manager, stored=told, partition_key="us")["region"].tolist() == ["us"]
    assert len(load(manager, stored=told)) == 2


def test_partitions_of_time(file: str) -> None:
    """A partition that stands for a day is all rows of that day."""
    manager = DuckDBIOManager(database=file, schema="main")
    told: dict[str, Any] = {"metadata": {"partition_expr": "moment"}, "asset_partitions_def": Days()}
    for day in ("2026-01-01", "2026-01-02", "2026-01-01"):
        frame = pd.DataFrame({"moment": pd.to_datetime([f"{day} 00:00", f"{day} 23:59"])})
        store(manager, frame, partition_key=day, **told)
    assert rows(file, "select count(*) from orders") == [(4,)]
    assert len(load(manager, stored=told, partition_key="2026-01-02", asset_partitions_def=Days())) == 2


def test_partitions_need_a_column(file: str) -> None:
    """Nothing is stored before somebody says which."""
    with pytest.raises(DagsterInvariantViolationError, match=r"which column.*\n.*partition_expr"):
        store(DuckDBIOManager(database=file), FRAME, partition_key="eu")
