"""JupyterLite: its notebook runs where there are no threads and no processes, as in a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LITE = ROOT / "docs" / "lite"
NOTEBOOK = LITE / "content" / "quickstart.ipynb"

# A Python that says of itself what Pyodide says, and lacks what that lacks; with a kernel, as far as we look at one.
BROWSER = """
import asyncio, json, subprocess, sys, sysconfig, threading, types

def no_threads(*args, **kwargs):
    raise RuntimeError("can't start new thread")

def no_processes(*args, **kwargs):
    raise OSError(138, "emscripten does not support processes.")

from IPython.core.interactiveshell import InteractiveShell
ip = InteractiveShell.instance()
ip.kernel = types.SimpleNamespace(get_parent=dict)
shown, told = [], []
ip.display_pub.publish = lambda data, *args, **kwargs: shown.append(data.get("text/plain", ""))
sys._emscripten_info = types.SimpleNamespace(pthreads=False)
sysconfig.get_config_vars()  # read by what asks it below, for the platform of this process
sys.platform = "emscripten"
threading.Thread.start = no_threads
subprocess.Popen = no_processes

def run(cells):
    for cell in cells:
        ip.run_cell(cell, store_history=True).raise_error()

async def main():
    cells = json.loads(sys.argv[1])
    run(cells[:1])
    import ipy_orch
    from ipy_orch.ui.bridge import View, bridge_to
    bridge_to(ipy_orch.session()).join(View(told.append))
    run(cells[1:])
    await asyncio.sleep(0)

asyncio.run(main())
print(json.dumps({"shown": shown, "told": [one["kind"] for one in told]}))
"""


def cells() -> list[str]:
    """Return the code of the notebook, without its first cell, which fetches packages."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0] == "%pip install -q ipy_orch"
    return code[1:]


def in_a_browser(cells: list[str], folder: Path) -> dict[str, list[str]]:
    """Run cells, and return what they show, and the kinds of what a view of the lineage is told."""
    command = [sys.executable, "-c", BROWSER, json.dumps(cells)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_notebook_runs_without_threads(tmp_path: Path) -> None:
    """All of it, with checks, an edit and the export; a view is told of it on the page's own loop."""
    edited = [*cells(), "LATE = 30\ndef is_late(minutes): return minutes > LATE", "%materialize", "%why departures"]
    seen = in_a_browser(edited, tmp_path)
    shown = "\n".join(seen["shown"])
    assert "departures:every_flight_counts passed" in shown
    assert "config changed: min_flights" in shown
    assert "code changed: LATE" in shown
    assert "a browser has no processes" in shown
    assert "from dagster import" in (tmp_path / "definitions.py").read_text(encoding="utf-8")
    assert seen["told"][0] == "snapshot"


def test_workers_are_one_after_the_other(tmp_path: Path) -> None:
    """What asks for threads runs without; what must have them says so."""
    head = ["%load_ext ipy_orch", "%config Orch.workers = 4", "%%asset a\n1", "%%asset b\na + 1"]
    verbs = ["%materialize --executor threads --force", "ipy_orch.session().submit().result().success"]
    seen = in_a_browser([*head[:1], "import ipy_orch", *head[1:], *verbs], tmp_path)
    assert any("b" in text and "forced" in text for text in seen["shown"])
    with pytest.raises(AssertionError, match="no threads in a browser"):
        in_a_browser([*head, "%daemon start"], tmp_path)


def test_the_site_s_files_name_what_there_is() -> None:
    """The settings are JSON, and the page's packages are those of Python's side."""
    config = json.loads((LITE / "jupyter_lite_config.json").read_text(encoding="utf-8"))["LiteBuildConfig"]
    assert all((LITE / folder).is_dir() for folder in config["contents"])
    json.loads((LITE / "overrides.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    asked = [
        Requirement(line) for line in (LITE / "requirements.txt").read_text("utf-8").splitlines() if line[0] != "#"
    ]
    assert bounds["anywidget"] in [one.specifier for one in asked if one.name == "anywidget"]
