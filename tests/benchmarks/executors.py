"""Measure how well executors are kept busy: 64 assets that sleep for a second, on 16 workers, beside dask alone.

    python tests/benchmarks/executors.py

The best that 16 workers can do is 4 seconds; efficiency is that by the time it took, without starting them.
The second table hands over an array of 80 MB from one asset to eight: what goes through the kernel, and what stays.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

from ipy_orch import asset
from ipy_orch.session.session import Session

TASKS, WORKERS, READERS = 64, 16, 8
BEST = TASKS / WORKERS


def sleeper(number: int) -> Any:
    """Return an asset that takes a second."""

    @asset(name=f"sleep_{number}")
    def made() -> int:
        time.sleep(1)
        return number

    return made


def reader(number: int) -> Any:
    """Return an asset that reads the large one."""

    @asset(name=f"read_{number}")
    def made(large: Any) -> float:
        return float(large[number])

    return made


@asset
def large() -> Any:
    """Return 80 MB."""
    import numpy as np

    return np.arange(10_000_000, dtype="float64")


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def row(name: str, took: float) -> None:
    """Print a line of the first table."""
    print(f"| {name} | {took:.2f} s | {BEST / took:.0%} |")


def main() -> None:
    """Measure all of them."""
    from distributed import Client, LocalCluster

    sleepers = {f"sleep_{number}": sleeper(number) for number in range(TASKS)}
    session = Session({"__name__": "__main__", **sleepers})
    print(f"{TASKS} tasks of 1 s on {WORKERS} workers\n\n| executor | time | efficiency |\n|---|---|---|")
    row("threads", seconds(lambda: session.materialize(force=True, workers=WORKERS)))
    cluster = LocalCluster(n_workers=2, threads_per_worker=WORKERS // 2, dashboard_address=":0", silence_logs=50)
    with cluster, Client(cluster) as client:
        client.gather(client.map(abs, range(WORKERS), pure=False))
        row("dask", seconds(lambda: session.materialize(force=True, executor=client)))
        row("dask alone", seconds(lambda: client.gather(client.map(time.sleep, [1] * TASKS, pure=False))))
        readers = {f"read_{number}": reader(number) for number in range(READERS)}
        flow = Session({"__name__": "__main__", "large": large, **readers})
        print(f"\n80 MB from one asset to {READERS}\n\n| on dask, the array | time |\n|---|---|")
        warnings.simplefilter("ignore")  # dask's advice about large graphs, which is what this shows
        for name, place in (("stays there", client), ("goes through the kernel", client.get_executor(pure=False))):
            took = seconds(lambda place=place: flow.materialize(force=True, executor=place))
            print(f"| {name} | {took:.2f} s |")


if __name__ == "__main__":
    main()
