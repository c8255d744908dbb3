"""Measure what a store costs, and how soon a session of 1,000 assets is back after its kernel was restarted.

    python tests/benchmarks/persistence.py

The graph is that of scheduling.py. Each row is the median of five processes. "Back" is: the notebook's definitions are
there, the store is opened, everything is asked for, and nothing has to run; no value is loaded, which is told apart.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE, WIDTH, PROCESSES, RUNS = 1_000, 10, 5, 100
VALUE = "list(range(100))"


def inputs_of(number: int) -> list[int]:
    """Return the inputs of one node: two neighbours of the layer before."""
    layer, place = divmod(number, WIDTH)
    first = (layer - 1) * WIDTH
    return [first + place, first + (place + 1) % WIDTH] if layer else []


def module_text() -> str:
    """Return a module of 1,000 assets."""
    made = ["from ipy_orch import asset\n"]
    for number in range(SIZE):
        arguments = ", ".join(f"a{other}" for other in inputs_of(number))
        made.append(f"@asset\ndef a{number}({arguments}):\n    return {VALUE}\n")
    return "\n".join(made)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns, and how long it took."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def session(folder: str) -> tuple[Any, dict[str, float]]:
    """Return a session of the assets with this store, and what that took."""
    from ipy_orch.session.session import Session
    from ipy_orch.session.settings import Settings

    sys.path.insert(0, str(Path(__file__).parent if not folder else Path(folder).parent))
    module, define = timed(lambda: importlib.import_module("thousand"))
    namespace = {name: value for name, value in vars(module).items() if name[0] == "a" and name[1:].isdigit()}
    made, opened = timed(lambda: Session(namespace, Settings(store=folder)))
    return made, {"define": define, "open the store": opened}


def first(folder: str, store: str) -> dict[str, float]:
    """Run everything for the first time, with a store or without."""
    sys.path.insert(0, folder)
    one, _times = session(f"{folder}/store" if store else "")
    done, took = timed(lambda: one.materialize())
    assert len(done.materialized) == SIZE
    again = statistics.median(timed(lambda: one.materialize(force=True))[1] for _ in range(3))
    suffix = "with a store" if store else "in memory only"
    return {f"plan and run, first, {suffix}": took, f"plan and run, again, {suffix}": again}


def back(folder: str, _: str) -> dict[str, float]:
    """Open the store again, and ask for everything."""
    one, times = session(f"{folder}/store")
    done, asked = timed(lambda: one.materialize())
    assert done.materialized == []
    loaded = timed(lambda: [one.store.get(key) for key in one.scan().graph.keys])[1]
    told = {"ask for everything: nothing runs": asked, "back, all of these": sum(times.values()) + asked}
    return {**times, **told, "load 1,000 small values": loaded}


def long(folder: str, _: str) -> dict[str, float]:
    """Run everything many times, and be killed."""
    one, _times = session(f"{folder}/store")
    for _ in range(RUNS):
        one.materialize(force=True)
    print("{}", flush=True)
    os._exit(9)


MEASURES = {"first": first, "back": back, "long": long}


def measured(name: str, folder: str, store: str = "store") -> dict[str, float]:
    """Return what a process of its own measures."""
    done = subprocess.run([sys.executable, __file__, name, folder, store], stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each time."""
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def show(title: str, times: dict[str, float]) -> None:
    """Print a table."""
    print(f"\n| {title:45} |            |\n|{'-' * 47}|-----------:|")
    for name, value in times.items():
        print(f"| {name:45} | {value * 1000:7,.1f} ms |")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "thousand.py").write_text(module_text(), encoding="utf-8")
        show("the first time", medians([measured("first", folder, "") for _ in range(PROCESSES)]))
        for number in range(PROCESSES):
            if number:
                subprocess.run(["rm", "-r", f"{folder}/store"], check=True)
            found = measured("first", folder)
        show("the same, and all that is written", found)
        show("after a restart", medians([measured("back", folder) for _ in range(PROCESSES)]))
        measured("long", folder)
        size = sum(path.stat().st_size for path in Path(folder, "store/v1/events").iterdir()) / 1e6
        show(f"after {RUNS} more runs and a kill, log of {size:.1f} MB", measured("back", folder))
        show("and after that", medians([measured("back", folder) for _ in range(PROCESSES)]))
        size = sum(path.stat().st_size for path in Path(folder, "store/v1/events").iterdir()) / 1e6
        print(f"\nthe log has {size:.1f} MB then")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(MEASURES[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
