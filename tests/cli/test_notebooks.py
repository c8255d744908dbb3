"""Commands on a notebook, in a real kernel."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
import pytest

from tests.cli.shell import CELLS, call, statuses, told, write_notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """Return a notebook with two assets, a check, a parameter and a scratch cell."""
    return write_notebook(tmp_path / "nb.ipynb", *CELLS, parameters=1)


def test_run(notebook: Path) -> None:
    """Each cell and each asset has a line; the second time nothing runs; the notebook stays as it was."""
    before = notebook.read_bytes()
    first = call("run", "nb.ipynb")
    assert first.exit_code == 0, first.output
    lines = [line.strip() for line in first.output.splitlines()]
    assert "[2] limit = 3" in lines
    assert any(line.startswith("✓ raw · 3") for line in lines)
    assert "✓ daily:some · passed · n=3" in lines
    assert lines[-1].startswith("6 cells · 2 assets · 1 check · ")
    second = call("run", "nb.ipynb").output
    assert "· daily · unchanged · 3" in second
    assert "✓ daily " not in second
    assert notebook.read_bytes() == before


def test_registration_only(notebook: Path) -> None:
    """Other commands run plain cells and register the rest; what they make is what `run` finds."""
    assert statuses(told("list", "nb.ipynb")) == {"raw": "missing", "daily": "missing"}
    assert not (notebook.parent / ".ipy_orch").exists()
    result = call("materialize", "nb.ipynb", "raw")
    assert result.output.splitlines()[0].startswith("✓ raw · 3")
    assert told("why", "nb.ipynb", "raw")["status"] == "fresh"
    assert [step["step"] for step in told("plan", "nb.ipynb")["steps"]] == ["daily", "daily_some"]


def test_parameters_output_and_junit(notebook: Path) -> None:
    """Parameters go behind the tagged cell; the notebook with outputs and the verdicts are written."""
    result = call("run", "nb.ipynb", "-p", "limit", "2", "-o", "out.ipynb", "--junit", "checks.xml", "--no-store")
    assert result.exit_code == 1
    assert "failed: daily:some" in result.output
    done = nbformat.read("out.ipynb", as_version=4)
    assert done.cells[2].source == "# Parameters\nlimit = 2"
    assert done.cells[2].metadata.tags == ["injected-parameters"]
    assert "[0, 1]" in str(done.cells[3].outputs)
    suite = next(ET.parse("checks.xml").getroot().iter("testsuite"))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert not (notebook.parent / ".ipy_orch").exists()
    again = told("run", "out.ipynb", "-p", "limit", "5", "--no-store")
    assert [row["shape"] for row in again["assets"]] == [[5], [5]]
    assert again["cells"] == 7


def test_select(notebook: Path) -> None:
    """With --select plain cells run, and of the assets only those."""
    assert statuses(told("run", "nb.ipynb", "--select", "raw")) == {"raw": "ran"}


def test_a_failing_cell(tmp_path: Path) -> None:
    """The error is shown as the notebook shows it, without colours in a pipe; nothing below runs."""
    write_notebook(tmp_path / "bad.ipynb", "%load_ext ipy_orch", "%%asset raw\n1 / 0", "print('never')")
    result = call("run", "bad.ipynb", "--junit", "checks.xml", "-o", "out.ipynb")
    assert result.exit_code == 1
    assert "----> 2 1 / 0" in result.output
    assert "✗ raw · failed: ZeroDivisionError" in result.output
    assert "\x1b" not in result.output
    outputs = [cell.outputs for cell in nbformat.read("out.ipynb", as_version=4).cells]
    assert outputs[1][-1].ename == "ZeroDivisionError"
    assert outputs[2] == []
    assert next(ET.parse("checks.xml").getroot().iter("error")).get("message") == "ZeroDivisionError: division by zero"
    answer = json.loads(call("materialize", "bad.ipynb", "--json").stdout)
    assert "Cell In[2], line 2, in raw" in answer["errors"][0]["traceback"]


def test_a_notebook_that_ends_its_kernel(tmp_path: Path) -> None:
    """A kernel that dies is told in a line."""
    write_notebook(tmp_path / "dies.ipynb", "import os", "os._exit(3)")
    result = call("run", "dies.ipynb")
    assert result.exit_code == 1
    assert "the kernel died while it ran" in result.output


def test_a_cell_that_takes_too_long(tmp_path: Path) -> None:
    """A timeout ends the run."""
    write_notebook(tmp_path / "slow.ipynb", "import time; time.sleep(60)")
    result = call("run", "slow.ipynb", "--timeout", "1")
    assert result.exit_code == 1
    assert "took more than 1 s" in result.output


def test_what_a_left_out_cell_defines(tmp_path: Path) -> None:
    """A plain cell that reads an asset's value is left out, and who needs what it defines is told."""
    write_notebook(
        tmp_path / "scratch.ipynb",
        "%load_ext ipy_orch",
        "%%asset raw\n[1]",
        "limit = raw[0]",
        "more = limit + 1",
        "%%asset daily\nmore",
        "%materialize\n%export definitions.py",
    )
    answer = told("plan", "scratch.ipynb")
    note = "`daily` reads `more`, whose cell isn't run: it reads the value of the asset `raw`"
    assert answer["notices"] == [note]
    assert not (tmp_path / "definitions.py").exists()
    assert not (tmp_path / ".ipy_orch").exists()


@pytest.mark.parametrize("command", ["run", "materialize"])
def test_interrupted(command: str, tmp_path: Path) -> None:
    """Ctrl-C ends the kernel at once; what was finished is kept, the rest runs the next time."""
    import psutil

    cells = (
        "%load_ext ipy_orch\nimport os, time",
        "%%asset one\n1",
        "%%asset two\none\nwhile not os.path.exists('go'):\n    time.sleep(0.05)\n2",
    )
    write_notebook(tmp_path / "slow.ipynb", *cells)
    process = started(command, "slow.ipynb")
    assert process.stdout is not None
    while not process.stdout.readline().startswith("✓ one"):
        assert process.poll() is None
    time.sleep(0.2)
    kernels = psutil.Process(process.pid).children(recursive=True)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "Error: interrupted: nothing half done is stored\n")
    assert time.monotonic() - began < 5
    assert kernels
    assert not any(one.is_running() for one in kernels)
    (tmp_path / "go").touch()
    assert statuses(told("materialize", "slow.ipynb")) == {"one": "fresh", "two": "ran"}


def started(*arguments: str) -> Any:
    """Start the command line in a process of its own."""
    command = [sys.executable, "-u", "-m", "ipy_orch.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
