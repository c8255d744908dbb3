"""Tables with a column of each type, and the calls that store and load one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from ipy_orch import build_input_context, build_output_context

DAY = dt.date(2026, 1, 2)
NOON = dt.datetime(2026, 1, 2, 12, 30)  # noqa: DTZ001 - the table's column has the zone


def pandas_table() -> pd.DataFrame:
    """Return a pandas frame with a column of each type that Arrow has, and an index."""
    columns = {
        "category": pd.Categorical(["a", "b", None], categories=["b", "a", "unused"], ordered=True),
        "numbers": pd.Categorical([2, 1, 2], categories=[2, 1, 9]),
        "nullable": pd.array([1, None, 3], dtype="Int64"),
        "yes": pd.array([True, None, False], dtype="boolean"),
        "zone": pd.date_range("2026", periods=3, tz="Europe/Berlin"),
        "nanosecond": pd.to_datetime(["2026-01-02T03:04:05.000000001"] * 3),
        "text": ["a", "b", None],
        "object": pd.Series(["a", "b", None], dtype=object),
        "arrow": pd.Series([1, 2, None], dtype="int64[pyarrow]"),
        "period": pd.period_range("2026", periods=3, freq="D"),
        "interval": pd.interval_range(0, 3),
        "duration": pd.to_timedelta([1, 2, None], unit="s").as_unit("us"),
        "seconds": pd.to_timedelta([1, 2, None], unit="s").as_unit("s"),
        "nanoseconds": pd.to_timedelta([1, 2, None], unit="s").as_unit("ns"),
        "price": [Decimal("1.10"), Decimal("2.20"), None],
        "nested": [[1, 2], [], None],
        "record": [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}, None],
        "day": [DAY, DAY, None],
        "half": np.array([1, 2, 3], dtype="float16"),
        "bytes": [b"a", b"", None],
    }
    return pd.DataFrame(columns, index=None).set_index(pd.Index([3, 1, 2], name="key"))


def polars_table() -> pl.DataFrame:
    """Return a polars frame with a column of each type that Arrow has."""
    return pl.DataFrame(
        {
            "category": pl.Series(["a", "b", None], dtype=pl.Categorical),
            "enum": pl.Series(["x", "y", "x"], dtype=pl.Enum(["y", "x", "unused"])),
            "price": [Decimal("1.10"), Decimal("2.20"), None],
            "nested": [[1], [2, 3], None],
            "duration": [dt.timedelta(seconds=1), dt.timedelta(0), None],
            "array": pl.Series([[1, 2]] * 3, dtype=pl.Array(pl.Int8, 2)),
            "time": [dt.time(1, 2, 3), dt.time(0), None],
            "zone": pl.Series([NOON] * 3).dt.replace_time_zone("Europe/Berlin"),
            "nothing": [None] * 3,
            "record": [{"x": 1}, {"x": 2}, None],
            "bytes": [b"a", b"", None],
            "unsigned": pl.Series([1, 2, 2**64 - 1], dtype=pl.UInt64),
        }
    )


def arrow_table() -> pa.Table:
    """Return an Arrow table with metadata and types of its own."""
    schema = pa.schema([pa.field("n", pa.int32()), pa.field("code", pa.binary(2))], metadata={"made": "here"})
    return pa.table({"n": [1, 2], "code": [b"ab", None]}, schema=schema)


def store(manager: Any, value: Any, key: Any = "orders", **rest: Any) -> dict[str, Any]:
    """Store a table as an asset's, and return what the materialization says."""
    context = build_output_context(asset_key=key, **rest)
    manager.handle_output(context, value)
    return {name: one.value for name, one in context.get_logged_metadata().items()}


def load(manager: Any, kind: Any = None, key: Any = "orders", stored: dict[str, Any] | None = None, **rest: Any) -> Any:
    """Load an asset's table for a reader annotated with ``kind``."""
    upstream = build_output_context(asset_key=key, **(stored or {}))
    return manager.load_input(build_input_context(asset_key=key, dagster_type=kind, upstream_output=upstream, **rest))
