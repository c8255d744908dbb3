"""The quickstart in JupyterLab, as a newcomer runs it: opened, Run All, looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.browser.page import OpenNotebook

pytestmark = pytest.mark.browser

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"


def test_the_quickstart(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """Run All shows values, the plot, the verdicts and the tables, and no error; a second one runs nothing."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    places = {cell.id: number for number, cell in enumerate(cells) if cell.cell_type == "code"}
    notebook = lab(cells)
    notebook.run_all()
    notebook.screenshot(tmp_path / "quickstart.png")
    for number in places.values():
        assert not any(output["output_type"] == "error" for output in notebook.outputs(number)), notebook.text(number)
    assert "336,776 × 19" in notebook.text(places["flights"])
    assert any("image/png" in output.get("data", {}) for output in notebook.outputs(places["by_hour"]))
    assert "planes_are_known" in notebook.text(places["planes_are_known"])
    assert "svg" in str(notebook.outputs(places["lineage"])).lower() or "flights" in notebook.text(places["lineage"])
    assert notebook.page_errors == []
    notebook.run_all()
    assert "from this session" in notebook.text(places["flights"])
    assert "from this session" in notebook.text(places["destinations"])
    assert any("image/png" in output.get("data", {}) for output in notebook.outputs(places["by_hour"]))
