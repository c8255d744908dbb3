"""Measure what it costs that each reader has a value of its own: time and memory, on a frame of 300 MB.

    python tests/benchmarks/aliasing.py [megabytes]

Prints one line per kind of value: seconds to seal and to open, and the resident memory that ten readers add.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import psutil

from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.isolation.sealing import seal

MB = 1 << 20
READERS = 10


def resident() -> float:
    """Return the resident memory of this process, in MB."""
    gc.collect()
    return psutil.Process().memory_info().rss / MB


def floats(size: int) -> pd.DataFrame:
    """Return a frame of so many MB: 20 columns of floats."""
    return pd.DataFrame(np.random.default_rng(0).random((size * MB // 160, 20)), columns=[f"c{n}" for n in range(20)])


def mixed(size: int) -> pd.DataFrame:
    """Return a frame of so many MB: floats, dates, text, a category, nullable integers."""
    rows = size * MB // 64
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "x": np.random.default_rng(0).random(rows),
            "n": numbers,
            "when": pd.to_datetime(numbers, unit="s"),
            "text": pd.Series(["some text"], dtype="str").repeat(rows).reset_index(drop=True),
            "cat": pd.Categorical.from_codes(numbers % 3, ["a", "b", "c"]),
            "maybe": pd.array(numbers, dtype="Int64"),
        }
    )


KINDS: dict[str, Callable[[int], Any]] = {
    "pandas, floats": floats,
    "pandas, mixed": mixed,
    "numpy": lambda size: np.ones(size * MB // 8),
    "polars": lambda size: pl.DataFrame({"x": np.ones(size * MB // 8)}),
    "dict of frames": lambda size: {"a": floats(size // 2), "b": [floats(size // 2)]},
}


def touch(value: Any) -> None:
    """Read a value as a step does."""
    if isinstance(value, pd.DataFrame):
        value.iloc[:, 0].sum()


def measure(kind: str, size: int) -> None:
    """Print one line: what sealing and ten open values of one kind cost."""
    value = KINDS[kind](size)
    start = time.perf_counter()
    kept = seal(value)
    sealed = time.perf_counter() - start
    del value
    before = resident()
    start = time.perf_counter()
    readers = [kept.open() for _ in range(READERS)]
    opened = (time.perf_counter() - start) / READERS
    for reader in readers:
        touch(reader)
    more = resident() - before
    share = more / (kept.nbytes / MB)
    print(f"{kind:16} {kept.nbytes / MB:7.0f} MB  seal {sealed * 1e3:8.2f} ms  open {opened * 1e3:7.3f} ms  "
          f"{READERS} readers {more:+7.1f} MB = {share:+.1%}")  # fmt: skip


def per_call(call: Callable[[], object], times: int = 50_000) -> float:
    """Return the microseconds that a call takes."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times * 1e6


def small() -> None:
    """Print what small values cost."""
    session = SessionIOManager()

    def put_and_get() -> None:
        session.put("a", None, 5)
        session.get("a", None)

    small_dict = {"a": 1, "b": [1, 2]}
    print(f"seal + open      int {per_call(lambda: seal(5).open()):.2f} µs, "
          f"a small dict {per_call(lambda: seal(small_dict).open()):.2f} µs")  # fmt: skip
    print(f"put + get        int {per_call(put_and_get):.2f} µs")


if __name__ == "__main__":
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for name in KINDS:
        measure(name, megabytes)
    small()
