"""The quickstart, run as a person runs it: from top to bottom, once more, and then what it tells the reader to try."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from tests.notebooks.kernels import NOTEBOOKS, Kernel, fresh_kernel, shown, told

NOTEBOOK = NOTEBOOKS / "quickstart.ipynb"
VALUES = """
import pickle, ipy_orch
_values = {name: ipy_orch.session().value(name) for name in ipy_orch.session().assets().index}
_ = pickle.dump(_values, open("values.pickle", "wb"))
"""
ELSEWHERE = """
import importlib.util, pickle, sys
path, library, place = sys.argv[1:]
spec = importlib.util.spec_from_file_location("definitions", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
made = importlib.import_module(library)
definitions = [one for one in vars(module).values() if isinstance(one, made.AssetsDefinition)]
result = made.materialize(definitions, resources=module.defs.resources)
values = {key.to_user_string(): result.asset_value(key) for one in definitions for key in one.keys}
checks = {one.check_name: (one.passed, one.severity.value) for one in result.get_asset_check_evaluations()}
pickle.dump((values, checks, sorted({name.partition(".")[0] for name in sys.modules})), open(place, "wb"))
"""


@dataclass
class Quickstart:
    """The notebook after a first and a second pass in one kernel."""

    kernel: Kernel
    first: Mapping[str, nbformat.NotebookNode]
    second: Mapping[str, nbformat.NotebookNode]
    state: Mapping[str, Any]
    again: Mapping[str, Any]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quickstart]:
    """Run all cells of the notebook twice in one fresh kernel."""
    with fresh_kernel(tmp_path_factory.mktemp("quickstart")) as kernel:
        first = kernel.run_all(NOTEBOOK)
        state = kernel.state()
        second = kernel.run_all(NOTEBOOK)
        yield Quickstart(kernel, first, second, state, kernel.state())


def test_each_asset_is_made_once(quickstart: Quickstart) -> None:
    """Run All in a fresh kernel computes every asset, each once."""
    assert len(quickstart.state["assets"]) >= 8
    assert set(quickstart.state["assets"].values()) == {"fresh"}
    assert sorted(quickstart.state["made"]) == sorted(quickstart.state["assets"])


def test_one_check_warns(quickstart: Quickstart) -> None:
    """There are five checks or more, of which one is a warning: the flights of unknown planes."""
    status = {row["check"]: row["status"] for row in quickstart.state["checks"]}
    assert len(status) >= 5
    assert {name for name, word in status.items() if word != "passed"} == {"planes_are_known"}
    assert status["planes_are_known"] == "warned"
    assert "52606" in shown(quickstart.first["planes_are_known"])


def test_a_second_run_all_computes_nothing(quickstart: Quickstart) -> None:
    """Run All again starts no run, and shows everything again, the plot too."""
    assert quickstart.again["runs"] == quickstart.state["runs"]
    assert quickstart.again["made"] == quickstart.state["made"]
    for name, cell in list(quickstart.first.items())[1:]:  # the first says that the extension is loaded already
        kinds = [sorted(output.get("data", {})) for output in cell.outputs]
        assert [sorted(output.get("data", {})) for output in quickstart.second[name].outputs] == kinds, name
    assert any("image/png" in output.get("data", {}) for output in quickstart.second["by_hour"].outputs)


def test_no_cell_complains(quickstart: Quickstart) -> None:
    """No cell writes to stderr or shows a notice."""
    for name, cell in quickstart.first.items():
        assert not any(output.get("name") == "stderr" for output in cell.outputs), (name, shown(cell))
        assert "note:" not in shown(cell), name


def test_is_committed_clean() -> None:
    """The file holds no outputs, no counts and no paths, and each cell has a name for an id."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert not cell.metadata
        assert not re.fullmatch(r"[0-9a-f]{6,}", cell.id)


# -- the modules ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def values(quickstart: Quickstart) -> dict[str, Any]:
    """Return the values of the session."""
    quickstart.kernel.run(VALUES)
    return pickle.loads((quickstart.kernel.folder / "values.pickle").read_bytes())


@pytest.mark.parametrize(("module", "library"), [("definitions", "ipy_orch"), ("definitions_dagster", "dagster")])
def test_the_module(quickstart: Quickstart, values: dict[str, Any], tmp_path: Path, module: str, library: str) -> None:
    """The exported module, materialized in a clean interpreter, gives the values and verdicts of the session."""
    path, place = quickstart.kernel.folder / f"{module}.py", tmp_path / "made.pickle"
    command = [sys.executable, "-I", "-c", ELSEWHERE, str(path), library, str(place)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    made, checks, modules = pickle.loads(place.read_bytes())
    assert made.keys() == values.keys()
    for name, value in values.items():
        compare = pd.testing.assert_series_equal if isinstance(value, pd.Series) else pd.testing.assert_frame_equal
        compare(made[name], value)
    assert checks.pop("planes_are_known") == (False, "WARN")
    assert len(checks) >= 4
    assert all(passed for passed, _ in checks.values())
    assert ("ipy_orch" in modules) == (library == "ipy_orch")


def test_exporting_twice_gives_the_same_bytes(quickstart: Quickstart) -> None:
    """A module doesn't depend on when it was written."""
    kernel = quickstart.kernel
    first = (kernel.folder / "definitions.py").read_bytes()
    kernel.run("%export definitions.py")
    assert (kernel.folder / "definitions.py").read_bytes() == first


# -- what the reader is told to try -----------------------------------------------------------------------------------


def test_the_edit(quickstart: Quickstart) -> None:
    """The edit of section 5 makes again what comes from it, for the reason the text says; undone, all is as before."""
    kernel, late = quickstart.kernel, quickstart.first["late"].source
    before = kernel.state()
    kernel.run(late.replace("LATE = 15", "LATE = 30"))
    assert shown(kernel.run("%why departures")) == told(NOTEBOOK, "5-answer")[0]
    kernel.run("%materialize by_hour")
    assert kernel.state()["made"][len(before["made"]) :] == ["departures", "by_hour"]
    kernel.run(late)
    kernel.run("%materialize")
    assert set(kernel.state()["assets"].values()) == {"fresh"}


def test_the_config(quickstart: Quickstart) -> None:
    """The config of section 7 makes one asset again, and the line says why."""
    kernel = quickstart.kernel
    before = kernel.state()
    text = shown(kernel.run(told(NOTEBOOK, "7-try")[0]))
    assert "config changed: min_flights" in text
    assert kernel.state()["made"][len(before["made"]) :] == ["carriers"]
    kernel.run('%materialize carriers --config "ops: {carriers: {config: {min_flights: 1000}}}"')


def test_the_mistakes(quickstart: Quickstart) -> None:
    """The mistakes of section 10 give the messages that the text promises, and change nothing."""
    kernel = quickstart.kernel
    before = kernel.state()
    traceback = kernel.fails(told(NOTEBOOK, "10-break")[0])
    assert "KeyError: 'carier'" in traceback
    assert 'departures.groupby("carier")' in traceback
    assert "ipy_orch/" not in traceback
    misspelt = kernel.fails("%materialize departure")
    assert "there is no asset `departure`" in misspelt
    assert "`departures`" in misspelt
    after = kernel.state()
    assert after["made"] == before["made"]
    assert {name: after["assets"][name] for name in before["assets"]} == before["assets"]
