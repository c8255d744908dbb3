"""The reference: each public name is on one of its pages, and a page can be made."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pdoc
import pytest

import ipy_orch

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """Return the script that writes it."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_public_name_has_its_page(reference: ModuleType) -> None:
    """None is missing, none is told twice, and few have no page but the last."""
    pages = reference.pages()
    told = sorted(name for names in pages.values() for name in names)
    assert told == sorted(name for name in ipy_orch.__all__ if not name.startswith("__"))
    assert all(pages.values())
    assert len(pages["more"]) < len(told) / 5


def test_a_page(reference: ModuleType) -> None:
    """It holds the docstrings of its names, with their arguments."""
    pdoc.render.configure(docformat="google", show_source=False, search=False)
    modules = {one.__name__: pdoc.doc.Module(one) for one in reference.modules()}
    text = pdoc.render.html_module(modules["ipy_orch.checks"], modules)
    assert 'id="asset_check"' in text
    assert "blocking" in text
    assert "ipy_orch/checks.html" in modules["ipy_orch"].docstring
