"""Measure storing and loading a frame of a million rows: our IO managers, pandas by itself, and dagster's pickles.

    python tests/benchmarks/storing.py [rows]

Prints one line per way: seconds to store and to load (the best of three), and megabytes on disk.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster
import numpy as np
import pandas as pd
import polars as pl

from ipy_orch import (
    DuckDBIOManager,
    FilesystemIOManager,
    ParquetIOManager,
    build_input_context,
    build_output_context,
)

MB = 1 << 20
TURNS = 3


def frame(rows: int) -> pd.DataFrame:
    """Return a frame as analysts have them: numbers, dates, text, a category, nullable integers."""
    numbers, random = np.arange(rows), np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": numbers,
            "price": random.random(rows).round(2),
            "when": pd.to_datetime(numbers, unit="s"),
            "name": pd.Series(random.choice([f"customer {n}" for n in range(10_000)], rows), dtype="str"),
            "kind": pd.Categorical.from_codes(numbers % 3, ["a", "b", "c"]),
            "count": pd.array(random.integers(0, 9, rows), dtype="Int64"),
        }
    )


def through(manager: Any, kind: Any = None) -> tuple[Callable[[Any], Any], Callable[[], Any]]:
    """Return how one of our IO managers stores and loads."""
    read = build_input_context(asset_key="orders", dagster_type=kind)
    return (
        lambda value: manager.handle_output(build_output_context(asset_key="orders"), value),
        lambda: manager.load_input(read),
    )


def through_dagster(folder: Path) -> tuple[Callable[[Any], Any], Callable[[], Any]]:
    """Return how dagster's default stores and loads: a pickle."""
    opened = dagster.build_init_resource_context(config={"base_dir": str(folder)})
    manager = dagster.fs_io_manager(opened)
    written = dagster.build_output_context(asset_key="orders", step_key="orders", name="result")
    read = dagster.build_input_context(asset_key="orders", upstream_output=written)

    def store(value: Any) -> None:
        again = dagster.build_output_context(asset_key="orders", step_key="orders", name="result")
        manager.handle_output(again, value)

    return store, lambda: manager.load_input(read)


def ways(folder: Path) -> dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]]:
    """Return name -> how to store and load, each in a folder of its own."""
    plain = folder / "plain.parquet"
    folders = {name: folder / name for name in ("parquet", "polars", "files", "dagster")}
    return {
        "pandas.to_parquet, read_parquet": (lambda value: value.to_parquet(plain), lambda: pd.read_parquet(plain)),
        "ParquetIOManager": through(ParquetIOManager(base_path=str(folders["parquet"]))),
        "ParquetIOManager, read as polars": through(ParquetIOManager(base_path=str(folders["polars"])), pl.DataFrame),
        "DuckDBIOManager": through(DuckDBIOManager(database=str(folder / "local.duckdb"))),
        "FilesystemIOManager (pickle)": through(FilesystemIOManager(base_dir=str(folders["files"]))),
        "dagster's fs_io_manager (pickle)": through_dagster(folders["dagster"]),
    }


def seconds(call: Callable[[], Any]) -> float:
    """Return the shortest time of three."""
    times = []
    for _ in range(TURNS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main(rows: int) -> None:
    """Measure all ways."""
    value = frame(rows)
    print(f"{rows:,} rows, {value.memory_usage(deep=True).sum() / MB:.0f} MB in memory")
    with tempfile.TemporaryDirectory() as text:
        folder, before = Path(text), 0.0
        for name, (store, load) in ways(folder).items():
            stored = seconds(lambda store=store: store(value))  # type: ignore[misc]
            loaded = seconds(load)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB
            print(f"{name:34} {stored:6.2f} s {loaded:6.2f} s {size - before:7.1f} MB")
            before = size


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
