"""A person at work in JupyterLab: cells are edited, deleted, interrupted, run again, and fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.page import OpenNotebook

pytestmark = pytest.mark.browser

LOAD = "%load_ext ipy_orch"
RAW = "%%asset raw\nprint('made raw')\n[3, 1, 2]"
ORDERED = "#| asset: ordered\nprint('made ordered')\nsorted(raw)"
LARGEST = "%%asset largest\nprint('made largest')\nmax(raw)"
FIRST = "%%asset first\nprint('made first')\nordered[0]"


def test_an_edit_upstream(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """A helper is edited: its readers run again, with the reason, before what was asked for; the rest is kept."""
    helper = "def order(x):\n    return sorted(x)"
    notebook = lab([LOAD, helper, RAW, ORDERED.replace("sorted", "order"), LARGEST, FIRST])
    notebook.run_all()
    assert notebook.text(5).splitlines()[0] == "made first"
    notebook.edit(1, helper.replace("(x)\n", "(x)\n    # largest first\n").replace("sorted(x)", "sorted(x)[::-1]"))
    notebook.run_cell(1)
    notebook.run_cell(5)
    told = notebook.text(5)
    assert "ordered · 3" in told
    assert "code changed: order" in told
    assert "inputs changed: ordered" in told
    assert "3" in told.splitlines()
    assert not any(line.startswith("raw ·") for line in told.splitlines())
    notebook.run_cell(4)
    assert "from this session" in notebook.text(4)
    notebook.screenshot(tmp_path / "edited.png")
    assert notebook.page_errors == []


def test_run_all_twice(lab: Callable[..., OpenNotebook]) -> None:
    """The second time nothing is computed, and all is shown as before."""
    notebook = lab([LOAD, RAW, ORDERED, FIRST, "import ipy_orch\nlen(ipy_orch.session().history.runs)"])
    notebook.run_all()
    before = [notebook.text(number).splitlines()[:2] for number in (1, 2, 3)]
    notebook.run_all()
    assert notebook.text(4) == "3"
    assert [notebook.text(number).splitlines()[:2] for number in (1, 2, 3)] == before
    assert all("from this session" in notebook.text(number) for number in (1, 2, 3))


def test_a_deleted_cell(lab: Callable[..., OpenNotebook]) -> None:
    """Its asset is gone with the next cell that runs, and so is its variable."""
    notebook = lab([LOAD, RAW, ORDERED, "%assets", "'ordered' in globals()"])
    notebook.run_all()
    assert "ordered" in notebook.text(3)
    assert notebook.text(4) == "True"
    notebook.select(2)
    notebook.command("notebook:delete-cell")
    notebook.wait_idle()
    notebook.run_cell(2)
    notebook.run_cell(3)
    assert "raw" in notebook.text(2)
    assert "ordered" not in notebook.text(2)
    assert notebook.text(3) == "False"


def test_interrupt(lab: Callable[..., OpenNotebook]) -> None:
    """The command of the menu cancels with one line; the next cell works, and the asset can run again."""
    slow = "%%asset slow\nimport time\nprint('begun', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n1"
    notebook = lab([LOAD, slow, "1 + 1"])
    notebook.run_cell(0)
    notebook.run_cell(1, wait=False)
    notebook.wait_text(1, "begun")
    notebook.command("notebook:interrupt-kernel")
    notebook.wait_idle()
    assert "canceled while `slow` ran" in notebook.text(1)
    assert "Traceback" not in notebook.text(1)
    notebook.run_cell(2)
    assert notebook.text(2) == "2"
    notebook.edit(1, "%%asset slow\n7")
    notebook.run_cell(1)
    assert notebook.text(1).startswith("7")


def test_an_error(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """The traceback shows the lines of the cell and of the helper, with an arrow at each, and nothing of ours."""
    helper = "def half(x):\n    # of an x\n    return x / 0"
    notebook = lab([LOAD, helper, "#| asset: bad\n#| group: g\nx = 1\nhalf(x)", "%%asset after\nbad"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.run_cell(2)
    told = notebook.text(2)
    assert "----> 4 half(x)" in told
    assert "----> 3     return x / 0" in told
    assert "ipy_orch" not in told
    notebook.run_cell(3)
    assert "after · skipped: bad failed" in notebook.text(3)
    notebook.screenshot(tmp_path / "error.png")
    assert notebook.page_errors == []
