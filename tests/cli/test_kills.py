"""A run that is killed at any moment is taken up by the next one, with the right values."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.benchmarks.kills import finished, prepared, trial
from tests.cli.shell import write_notebook

CELLS = (
    "%load_ext ipy_orch\nimport pandas as pd\nimport time",
    "%%asset raw\npd.DataFrame({'n': range(50_000)})",
    "%%asset big\n[str(number) for number in range(200_000)]",
    "%%asset slow\ntime.sleep(0.3)\nraw.n.sum() + len(big)",
    "%%asset last\nraw.assign(n=raw.n + slow)",
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_and_run_again(seed: int, tmp_path: Path) -> None:
    """Both processes die a short while after one of the assets; the second run ends with all values."""
    source = write_notebook(tmp_path / "nb.ipynb", *CELLS)
    chance = random.Random(seed)
    lines = chance.randrange(1, 4)

    def wait(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for _ in range(lines):
            while not process.stdout.readline().startswith("✓"):
                assert process.poll() is None
        time.sleep(chance.uniform(0, 0.3))

    _, values, kept = trial(source, wait)
    (tmp_path / "clean").mkdir()
    assert values == finished(prepared(source, tmp_path / "clean"))[0]
    assert kept >= lines - 1
