"""The notebook about ops and jobs, run from top to bottom, and what it tells the reader to try."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import nbformat
import pytest

from tests.notebooks.kernels import NOTEBOOKS, Ran, fresh_kernel, shown, told

NOTEBOOK = NOTEBOOKS / "ops_and_jobs.ipynb"
ELSEWHERE = """
import definitions
done = definitions.defs.resolve_job_def("months").execute_in_process()
print(len(done.output_for_node("table")))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Run all cells in a fresh kernel."""
    with fresh_kernel(tmp_path_factory.mktemp("ops")) as kernel:
        yield Ran(kernel, kernel.run_all(NOTEBOOK))


def test_it_says_what_it_does(ran: Ran) -> None:
    """Jobs run, values are there, and no cell complains."""
    assert shown(ran.cells["launch-report"]).startswith("INFO sent\nLate flights, 2013")
    assert "Southwest" in shown(ran.cells["launch-five"])
    assert "measure · " in shown(ran.cells["launch-months"])
    assert "12 ×" in shown(ran.cells["launch-months"])
    assert set(ran.kernel.state()["assets"].values()) == {"fresh"}
    for name, cell in ran.cells.items():
        assert "note:" not in shown(cell), name
        assert not any(one.get("name") == "stderr" for one in cell.outputs), name
    assert (ran.kernel.folder / "outbox" / "report.txt").read_text().count("%") == 5


def test_what_failed_is_run_again(ran: Ran) -> None:
    """The broken file of section 3 fails one of twelve calls; the second launch reads only that one."""
    broken, again, lines = told(NOTEBOOK, "3-failure")
    kernel = ran.kernel
    kernel.run(broken)
    assert "KeyError" in kernel.fails("%launch months")
    kernel.run(ran.cells["inbox"].source)
    text = shown(kernel.run(again))
    assert text.startswith(lines)
    assert re.search(r"^measure · [\d.]+ ms$", text, re.MULTILINE)


def test_an_edited_op(ran: Ran) -> None:
    """As section 2 says, the job's cell is told to be behind until it is run again."""
    kernel, summary = ran.kernel, ran.cells["summary"].source
    kernel.run(summary.replace("Late flights, 2013", "Late"))
    assert "is behind: it defines `report` from `summary`" in shown(kernel.run("%launch report"))
    kernel.run(ran.cells["report"].source)
    assert "behind" not in shown(kernel.run("%launch report"))
    kernel.run(summary)
    kernel.run(ran.cells["report"].source)


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
def test_the_module(ran: Ran, target: str) -> None:
    """The exported module runs its jobs in a clean interpreter, under dagster, too."""
    ran.kernel.run(f"%export definitions.py --for {target}")
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(command, cwd=ran.kernel.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "12"


def test_is_saved_clean() -> None:
    """The saved outputs have no paths of a machine and no errors; each cell has a name for an id."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    text = NOTEBOOK.read_text()
    for path in ("/tmp", "/root", "/home", "/work"):
        assert path not in text
    assert not any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", []))
    assert not any(re.fullmatch(r"[0-9a-f]{6,}", cell.id) for cell in notebook.cells)
