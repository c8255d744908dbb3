"""The notebook about components and code locations: run from top to bottom, with a second version of pandas."""

from __future__ import annotations

import os
import re

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.notebooks.kernels import NOTEBOOKS, shown

NOTEBOOK = NOTEBOOKS / "components_and_code_locations.ipynb"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the notebook; return what each cell shows, by its first line."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    folder = tmp_path_factory.mktemp("notebook")
    client = NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ})
    return {cell.source.splitlines()[0]: shown(cell) for cell in notebook.cells if cell.cell_type == "code"}


def test_each_side_has_its_pandas(said: dict[str, str]) -> None:
    """Two versions, one lineage."""
    assert said['session.value("pandas_there"), pd.__version__'] == f"('3.0.0', '{pd.__version__}')"
    assert "reads flights" in said["%%asset busiest"]
    assert "checks 1/1" in said["%%asset busiest"]


def test_values_cross_or_stay_closed(said: dict[str, str]) -> None:
    """As its text says."""
    assert "isn't read here" in said['session.value("wear")']
    assert said['session.value("wear_per_plane")'].isdigit()


def test_an_edit_and_a_crash_show(said: dict[str, str]) -> None:
    """And a reload heals."""
    assert "+ return round(wear.miles / 1000)" in said["%why wear_per_plane"]
    assert "unavailable" in said["%code_location list"]
    assert "location unavailable" in said['session.assets()[["status", "reason"]]']
    assert "failed" not in said['session.assets()[["status"]]']


def test_the_outputs_it_is_kept_with_name_no_machine() -> None:
    """Nor an error."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    outputs = [one for cell in notebook.cells if cell.cell_type == "code" for one in cell.outputs]
    assert outputs
    assert not re.search(r"(/tmp|/work|/root|/home)/", str(outputs))
    assert not [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"]
