"""The harness itself, and the extension's first steps in both applications."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.page import OpenNotebook

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_a_plain_cell(lab: Callable[..., OpenNotebook], flavour: str) -> None:
    """A cell's value and its prints can be read."""
    notebook = lab(["print('hello')\n1 + 1", "1 / 0"], flavour)
    notebook.run_cell(0)
    assert notebook.text(0) == "hello\n\n2"
    notebook.run_all()
    assert "ZeroDivisionError" in notebook.text(1)


def test_a_busy_cell(lab: Callable[..., OpenNotebook]) -> None:
    """What a cell prints is seen while it runs, and the stop button stops it."""
    notebook = lab(["import time\nprint('begun', flush=True)\ntime.sleep(60)", "1 + 1"])
    notebook.run_cell(0, wait=False)
    notebook.wait_text(0, "begun")
    notebook.interrupt()
    notebook.wait_idle()
    assert "KeyboardInterrupt" in notebook.text(0)
    notebook.run_cell(1)
    assert notebook.text(1) == "2"


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_an_asset_cell(lab: Callable[..., OpenNotebook], flavour: str, tmp_path: Path) -> None:
    """A cell becomes an asset: it shows its value and one status line, and the next cell has the value."""
    notebook = lab(["%load_ext ipy_orch", "%%asset orders\n[1, 2, 3]", "sum(orders)"], flavour)
    notebook.run_all()
    notebook.screenshot(tmp_path / "asset.png")
    assert notebook.text(0) == ""
    assert "[1, 2, 3]" in notebook.text(1)
    assert "orders ·" in notebook.text(1)
    assert notebook.text(2) == "6"
