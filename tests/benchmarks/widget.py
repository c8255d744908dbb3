"""Measure the kernel's side of the lineage widget: how long the graph takes to read, and how large the messages are.

    python tests/benchmarks/widget.py

Graphs of 100, 1,000 and 10,000 assets in layers of 10, each but the first ten with two inputs. *Open* is all from the
view's first message to its snapshot, in a session in which nothing is known yet; *again* is the same for a second view;
*edit* is from the end of a cell to what the views are told. Then the preview of a table of a million rows.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ipy_orch import AssetKey, asset
from ipy_orch.session.session import Session
from ipy_orch.ui.bridge import View, bridge_to
from ipy_orch.ui.preview import frame_of
from ipy_orch.ui.protocol import Sort

SIZES = (100, 1_000, 10_000)
WIDTH = 10
ROWS = 1_000_000


def assets(size: int) -> list[Any]:
    """Return assets that do nothing."""

    def make(number: int) -> Any:
        layer, place = divmod(number, WIDTH)
        before = [(layer - 1) * WIDTH + one for one in (place, (place + 1) % WIDTH)] if layer else []

        @asset(name=f"asset_{number}", deps=[AssetKey(f"asset_{one}") for one in before], group_name=f"g{layer // 10}")
        def body() -> int:
            return 1

        return body

    return [make(number) for number in range(size)]


class Ear:
    """Be a view that keeps when it was told what."""

    def __init__(self, session: Session) -> None:
        self.told: list[tuple[float, dict[str, Any]]] = []
        self.bridge = bridge_to(session)
        self.view = View(lambda message: self.told.append((time.perf_counter(), message)))
        self.bridge.join(self.view)

    def wait(self, kind: str, since: float) -> dict[str, Any]:
        """Return the first message of a kind after a moment."""
        while True:
            for at, message in [*self.told]:
                if message["kind"] == kind and at >= since:
                    return message
            time.sleep(0.001)


def took(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many milliseconds a call takes, and what it returns."""
    began = time.perf_counter()
    found = call()
    return 1000 * (time.perf_counter() - began), found


def kilobytes(message: dict[str, Any]) -> float:
    """Return the size of a message."""
    return len(json.dumps(message)) / 1000


def opened(ear: Ear) -> dict[str, Any]:
    """Ask for a snapshot and wait for it."""
    began = time.perf_counter()
    ear.bridge.refresh(ear.view)
    return ear.wait("snapshot", began)


def graph(size: int) -> str:
    """Return a row of the table."""
    session = Session({"assets": assets(size)})
    ear = Ear(session)
    first, whole = took(lambda: opened(ear))
    time.sleep(0.3)
    again, _ = took(lambda: opened(ear))
    began = time.perf_counter()
    session.namespace["assets"] = [*session.namespace["assets"][:-1]]
    ear.bridge.mark(whole=True)
    ear.wait("snapshot", began)
    edit = 1000 * (time.perf_counter() - began)
    ear.told.clear()
    run, _ = took(lambda: session.materialize())
    time.sleep(1)
    patches = [kilobytes(message) for _, message in ear.told if message["kind"] == "patch"]
    ear.bridge.leave(ear.view)
    numbers = [f"{first:,.0f} ms", f"{again:,.0f} ms", f"{edit:,.0f} ms", f"{kilobytes(whole):,.0f} kB"]
    numbers += [f"{run:,.0f} ms", str(len(patches)), f"{statistics.median(patches):,.0f} kB", f"{max(patches):,.0f} kB"]
    return f"| {size:,} | {' | '.join(numbers)} |"


def preview() -> str:
    """Return what pages of a table of a million rows and twenty columns take."""
    random = np.random.default_rng(1)
    table = pd.DataFrame({f"n{number}": random.normal(size=ROWS) for number in range(15)})
    table = table.assign(**{f"s{number}": random.choice(["red", "green", "blue"], ROWS) for number in range(5)})
    frame_of(table)
    opening, frame = took(lambda: frame_of(table))
    assert frame is not None
    first, _ = took(lambda: frame.page(0, 100))
    later, _ = took(lambda: frame.page(900_000, 900_100))
    ordered, _ = took(lambda: frame.page(0, 100, Sort(column="n3")))
    next_, _ = took(lambda: frame.page(100, 200, Sort(column="n3")))
    profile, _ = took(frame.profile)
    pages = f"{opening + first:.0f} ms | {later:.0f} ms | {ordered:.0f} ms | {next_:.0f} ms | {profile:,.0f} ms"
    return f"| {ROWS:,} × 20 | {pages} |"


def main() -> None:
    """Print the tables."""
    print("| assets | open | again | edit | snapshot | run of all | patches | median | largest |")
    print("|---|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        print(graph(size), flush=True)
    print("\n| table | first page | page 9,000 | sorted | its next page | profile |")
    print("|---|---|---|---|---|---|")
    print(preview())


if __name__ == "__main__":
    main()
