"""%export and %load_definitions: a notebook goes home, and a module comes back."""

from __future__ import annotations

import pytest


@pytest.fixture
def shop(notebook, tmp_path, monkeypatch):
    """Return a shell with a small pipeline, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    notebook.good("RATE = 2", cell_id="rate")
    notebook.good("%%asset orders\n[1, RATE]", cell_id="orders")
    notebook.good("%%asset total\nsum(orders)", cell_id="total")
    return notebook


def test_verified(shop, tmp_path):
    """%export --verify compares values; one that isn't the same twice is refused, and nothing is written."""
    assert "m.py · 2 assets" in shop.good("%export m.py --verify").shown[0]
    shop.good("%%asset orders\nimport random\n[random.random()]", cell_id="orders")
    assert "another value than the notebook of asset `orders`" in shop.run("%export other.py --verify").traceback
    assert not (tmp_path / "other.py").exists()


def test_a_package(shop, tmp_path):
    """%export --package writes a project, and says what to do next."""
    assert "`dg dev` in shop" in shop.good("%export shop --package shop --for dagster").shown[0]
    assert (tmp_path / "shop" / "src" / "shop" / "defs" / "assets.py").is_file()


def test_there_and_back(shop, tmp_path):
    """%load_definitions makes a notebook of a module; then it brings the module's edits into it."""
    shop.good("%export m.py")
    assert "m.ipynb · 3 definitions" in shop.good("%load_definitions m.py").shown[0]
    module = tmp_path / "m.py"
    module.write_text(module.read_text().replace("RATE = 2", "RATE = 3"))
    assert "changed: RATE" in shop.good("%load_definitions m.py m.ipynb").shown[0]
    assert "`m.py` was edited since its export: `RATE`" in shop.run("%export m.py").stderr


def test_typed_wrongly(shop):
    """A module that isn't there is a usage error."""
    assert "there is no file `nope.py`" in shop.run("%load_definitions nope.py").stderr
