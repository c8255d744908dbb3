"""Kill `ipy-orch run` and its kernel with SIGKILL at random moments, run it again, and compare all values.

    python tests/benchmarks/kills.py [--kills 50] [--seed 1] [--notebook notebooks/quickstart.ipynb]

Each trial has a store of its own: a run is killed, then the same command is called again and must end well, with the
values of a run that nobody disturbed. Most moments fall among the assets: a random time after a random line from the
one above the first asset to the last asset's but one, no longer than the next line usually takes; one in five falls
anywhere else. A trial says how many assets the second run took from the first.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
PROBE = """
import json as _json
from pathlib import Path as _Path
from ipy_orch import session as _session
from ipy_orch.planning.hashing.hashing import digest as _digest
_keys = [_key.label for _key in _session().definitions().resolve_all_asset_keys()]
_Path("values.json").write_text(_json.dumps({_key: _digest(_session().value(_key)) for _key in sorted(_keys)}))
"""


def prepared(notebook: Path, folder: Path) -> Path:
    """Return a copy of a notebook that ends by writing down the digests of all its assets' values."""
    content = nbformat.read(notebook, as_version=4)
    content.cells.append(nbformat.v4.new_code_cell(PROBE))
    nbformat.write(content, folder / notebook.name)
    return folder / notebook.name


def started(notebook: Path) -> subprocess.Popen[str]:
    """Start a run in the notebook's folder."""
    command = [sys.executable, "-u", "-m", "ipy_orch.cli", "run", notebook.name]
    return subprocess.Popen(
        command,
        cwd=notebook.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a run and its kernel, as the machine's failure would."""
    try:
        victims = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        victims = []
    for victim in victims:
        victim.kill()
    process.communicate()


def finished(notebook: Path) -> tuple[dict[str, str], str]:
    """Run a notebook to its end; return the digests of its values, and what was printed.

    Raises:
        AssertionError: when it doesn't end well.
    """
    (notebook.parent / "values.json").unlink(missing_ok=True)
    process = started(notebook)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    values: dict[str, str] = json.loads((notebook.parent / "values.json").read_text())
    return values, printed


def timed(notebook: Path) -> list[tuple[float, str]]:
    """Return the lines that a run prints, each with the seconds since the line before."""
    process, last = started(notebook), time.perf_counter()
    found: list[tuple[float, str]] = []
    assert process.stdout is not None
    for line in process.stdout:
        now = time.perf_counter()
        found.append((now - last, line))
        last = now
    process.communicate()
    return found


def trial(source: Path, wait: Callable[[subprocess.Popen[str]], Any]) -> tuple[Any, dict[str, str], int]:
    """Kill a run after a wait, run again; return what the wait says, the values then, and how many assets were kept."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = prepared(source, Path(folder))
        process = started(notebook)
        when = wait(process)
        kill(process)
        values, printed = finished(notebook)
    served = [line for line in printed.splitlines() if " · unchanged · " in line]
    return when, values, len(served)


def moment(chance: random.Random, lines: list[tuple[float, str]]) -> Callable[[subprocess.Popen[str]], str]:
    """Return a wait until a random moment of a run, which says in words when that is.

    Args:
        lines: that a run prints, each with the seconds since the line before.
    """
    assets = [number for number, (_, line) in enumerate(lines) if line.startswith("✓")]
    work = range(assets[0], assets[-1])
    line = chance.choice(work if chance.random() < 0.8 else [n for n in range(len(lines)) if n not in work])
    rest = chance.uniform(0, lines[line][0])

    def wait(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        last = [process.stdout.readline() for _ in range(line)][-1:]
        time.sleep(rest)
        return f"{rest:4.1f} s after {'the start' if not last else last[0].strip()[:40] or 'a blank line'!r}"

    return wait


def main() -> None:
    """Do all trials, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--notebook", type=Path, default=QUICKSTART)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        lines = timed(prepared(args.notebook, Path(folder)))
        expected, _ = finished(Path(folder, args.notebook.name))
    print(f"{len(expected)} assets, {sum(took for took, _ in lines):.1f} s undisturbed", flush=True)
    wrong = 0
    for number in range(1, args.kills + 1):
        wait = moment(chance, lines)
        when, values, kept = trial(args.notebook, wait)
        wrong += values != expected
        word = "right" if values == expected else "WRONG"
        print(f"{number:>3}  {word}  {kept:>2} assets kept, killed {when}", flush=True)
    print(f"{args.kills - wrong} of {args.kills} right")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
