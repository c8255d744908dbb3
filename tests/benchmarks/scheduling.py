"""Measure what it costs to plan and run assets that do nothing, beside dagster and dask; and what importing costs.

    python tests/benchmarks/scheduling.py [ipy_orch] [dagster] [dask] [imports]

Each peer runs in processes of its own, all in one command. The graph is 1,000 assets in layers of 10, each but the
first ten with two inputs; the functions are real ones in a module, so that their source is found and fingerprinted. The
time of the functions themselves is subtracted. Ours are medians of three processes, and what is done again also of
three passes in each; the peers have one process each. To define is to import the module, or to call ``dask.delayed``.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

SIZE, WIDTH, CHAIN = 1_000, 10, 10_000
PEERS = {"ipy_orch": 3, "dagster": 1, "dask": 1}
PASSES = 3
IMPORTS = ("ipy_orch", "dagster", "dask")
Timings = dict[str, float]


# -- the graphs --------------------------------------------------------------------------------------------------------


def inputs_of(number: int) -> list[int]:
    """Return the inputs of one node of the layers: two neighbours of the layer before."""
    layer, place = divmod(number, WIDTH)
    first = (layer - 1) * WIDTH
    return [first + place, first + (place + 1) % WIDTH] if layer else []


def text_of(size: int, inputs: Callable[[int], list[int]], heading: str, decorator: str) -> str:
    """Return a module with ``size`` functions, each of which takes the values of others and returns a number."""
    made = [heading]
    for number in range(size):
        arguments = ", ".join(f"a{other}" for other in inputs(number))
        made.append(f"{decorator}\ndef a{number}({arguments}):\n    return {number}\n")
    return "\n".join(made)


def load(name: str, text: str) -> ModuleType:
    """Import a module of this text, from a file that stays as long as the process."""
    folder = Path(tempfile.mkdtemp(prefix="scheduling-"))
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def layers(peer: str) -> ModuleType:
    """Return the layers as assets of ipy_orch or dagster."""
    return load("layers", text_of(SIZE, inputs_of, f"from {peer} import asset\n", "@asset"))


def one_before(number: int) -> list[int]:
    """Return the input of one node of the chain."""
    return [number - 1] if number else []


def chain(heading: str, decorator: str) -> ModuleType:
    """Return a chain, each node reading the one before."""
    return load("chain", text_of(CHAIN, one_before, heading, decorator))


def members(module: ModuleType) -> list[Any]:
    """Return the nodes of a module, in order."""
    return [value for name, value in vars(module).items() if name[0] == "a" and name[1:].isdigit()]


# -- measuring ---------------------------------------------------------------------------------------------------------


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns, and how long it took."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def warm(call: Callable[[], object]) -> float:
    """Return the median of some passes."""
    return statistics.median(seconds(call) for _ in range(PASSES))


def own_time() -> float:
    """Return how long the functions of the layers take when they are simply called one after the other."""
    plain = load("plain", text_of(SIZE, inputs_of, "", ""))
    calls = [(value, inputs_of(number)) for number, value in enumerate(members(plain))]
    return warm(lambda: [function(*arguments) for function, arguments in calls])


def quiet(call: Callable[[], object]) -> Callable[[], object]:
    """Return a call whose log goes nowhere, as it would in a script that sets no logging up."""

    def silenced() -> None:
        keep = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            call()
        finally:
            os.dup2(keep, 2)
            os.close(keep)
            os.close(nowhere)

    return silenced


def measure_ipy_orch() -> Timings:
    """Return the timings of ipy_orch: in a session, as a script does, and the chain."""
    from ipy_orch import materialize, materialize_to_memory
    from ipy_orch.session.session import Session

    own = own_time()
    module, define = timed(lambda: layers("ipy_orch"))
    session = Session(vars(module))
    found = {"functions alone": own, "define": define, "plan, first": seconds(session.plan)}
    found["plan and run, first"] = seconds(session.materialize) - own + found["plan, first"]
    found["plan, nothing to do"] = warm(session.plan)
    found["plan and run, nothing to do"] = warm(session.materialize)
    found["plan and run, again"] = warm(lambda: session.materialize(force=True)) - own
    assets = members(module)
    found["materialize_to_memory"] = warm(lambda: materialize_to_memory(assets)) - own
    found["materialize (to files)"] = warm(lambda: materialize(assets)) - own
    module, found[f"chain of {CHAIN:,}: define"] = timed(lambda: chain("from ipy_orch import asset\n", "@asset"))
    long = Session(vars(module))
    found[f"chain of {CHAIN:,}: plan and run, first"] = seconds(long.materialize)
    found[f"chain of {CHAIN:,}: nothing to do"] = seconds(long.materialize)
    return found


def measure_dagster() -> Timings:
    """Return the timings of dagster: 1,000 assets once in memory, once through files. A chain of 10,000 is too long."""
    import dagster

    own = own_time()
    module, define = timed(lambda: layers("dagster"))
    assets = members(module)
    found = {"functions alone": own, "define": define}
    found["materialize_to_memory"] = seconds(quiet(lambda: dagster.materialize_to_memory(assets))) - own
    found["materialize (to files)"] = seconds(quiet(lambda: dagster.materialize(assets))) - own
    return found


def measure_dask() -> Timings:
    """Return the timings of dask: delayed functions, computed by its two schedulers for one process."""
    import dask

    def delayed(module: ModuleType, inputs: Callable[[int], list[int]]) -> list[Any]:
        made: list[Any] = []
        for number, function in enumerate(members(module)):
            made.append(dask.delayed(function)(*(made[other] for other in inputs(number))))
        return made

    own = own_time()
    module = load("layers", text_of(SIZE, inputs_of, "", ""))
    functions = members(module)
    nodes, define = timed(lambda: delayed(module, inputs_of))
    found = {"functions alone": own, "define": define}
    found["plan and run, first"] = seconds(lambda: dask.compute(*nodes, scheduler="sync")) - own
    found["plan and run, again"] = warm(lambda: dask.compute(*nodes, scheduler="sync")) - own
    threads = warm(lambda: dask.compute(*nodes, scheduler="threads", num_workers=2))
    found["plan and run, again, 2 threads"] = threads - own
    plain = {f"a{n}": (function, *(f"a{other}" for other in inputs_of(n))) for n, function in enumerate(functions)}
    found["a plain graph, no delayed"] = warm(lambda: dask.get(plain, list(plain))) - own
    links, found[f"chain of {CHAIN:,}: define"] = timed(lambda: delayed(chain("", ""), one_before))
    found[f"chain of {CHAIN:,}: plan and run, first"] = seconds(lambda: dask.compute(links[-1], scheduler="sync"))
    return found


MEASURES: dict[str, Callable[[], Timings]] = {
    "ipy_orch": measure_ipy_orch,
    "dagster": measure_dagster,
    "dask": measure_dask,
}


def import_time(name: str) -> float:
    """Return the seconds that an import takes in a fresh process, the median of five, files warm."""
    code = f"import time; start = time.perf_counter(); import {name}; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", code]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(5)
    )


def loaded_by_import() -> list[str]:
    """Return the heavy modules that ``import ipy_orch`` loads: there should be none."""
    heavy = ("pandas", "numpy", "anywidget", "ipywidgets", "IPython", "graphviz", "matplotlib")
    code = f"import sys, ipy_orch; print(*(name for name in {heavy!r} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


# -- the table ---------------------------------------------------------------------------------------------------------


def in_processes(peer: str) -> Timings:
    """Return a peer's timings: each the median over some processes."""
    command = [sys.executable, __file__, "--peer", peer]
    environment = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "yes"}
    found = []
    for _ in range(PEERS[peer]):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def time_text(value: float) -> str:
    """Return seconds for people."""
    return f"{value:,.1f} s" if value >= 10 else f"{value * 1000:,.1f} ms"


def table(found: dict[str, Timings]) -> list[str]:
    """Return the lines of a Markdown table with a column per peer."""
    names = list(dict.fromkeys(name for timings in found.values() for name in timings))
    width = max(map(len, names), default=0)

    def line(head: str, cells: Iterable[str]) -> str:
        return f"| {head:{width}} | {' | '.join(f'{cell:>10}' for cell in cells)} |"

    rows = [line(name, (time_text(one[name]) if name in one else "" for one in found.values())) for name in names]
    return [line("", found), f"|{'-' * (width + 2)}|{'|'.join(['-' * 11 + ':'] * len(found))}|", *rows]


def machine() -> str:
    """Return what it was measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main(asked: list[str]) -> None:
    """Measure and print."""
    if asked[:1] == ["--peer"]:
        print(json.dumps(MEASURES[asked[1]]()))
        return
    asked = asked or [*PEERS, "imports"]
    print(f"{time.strftime('%Y-%m-%d')}; {machine()}; " + ", ".join(f"{name} {version(name)}" for name in IMPORTS))
    print(f"\n{SIZE:,} assets that do nothing, in layers of {WIDTH}\n")
    print(*table({peer: in_processes(peer) for peer in PEERS if peer in asked}), sep="\n")
    if "imports" in asked:
        print("\nImports\n")
        print(*table({name: {"import": import_time(name)} for name in IMPORTS}), sep="\n")
        print(f"\n`import ipy_orch` loads of the heavy ones: {', '.join(loaded_by_import()) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
