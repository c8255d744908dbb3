"""Packages laid out as Dagster's projects are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.writing import export_notebook
from tests.export import test_jobs, test_module
from tests.export.notebooks import Notebook, saved

CELLS = (
    "import math\nfrom ipy_orch import ConfigurableResource, define_asset_job",
    "RATE = 2\nBASE = RATE * 10\n\n\ndef rated(n):\n    return n * RATE",
    "class Db(ConfigurableResource):\n    n: int = BASE\n\n\ndb = Db()",
    "seen = {}\nseen['a'] = 1",
    "def only_checks(n):\n    return n > len(seen)",
    "#| asset: a\ndb.n",
    "#| asset: b\nrated(a)",
    "#| check: b:big\nmath.floor(b) > 1 and only_checks(b)",
    "nightly = define_asset_job('nightly', 'b')",
)


def texts(folder: Path) -> dict[str, str]:
    """Return the files of a project."""
    return {str(one.relative_to(folder)): one.read_text() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_the_layout(tmp_path):
    """Each definition stands in the file of its kind, and a helper in the first file that needs it."""
    done = export_notebook(saved(tmp_path / "n.ipynb", *CELLS), tmp_path / "out", package="shop", prove=False)
    assert done.path == tmp_path / "out" / "src" / "shop" / "definitions.py"
    found = texts(tmp_path / "out")
    assert sorted(found) == [
        "pyproject.toml",
        *(f"src/shop/{name}" for name in ("__init__.py", "definitions.py", "defs/__init__.py")),
        *(f"src/shop/defs/{name}.py" for name in ("assets", "checks", "jobs", "resources")),
    ]
    assert 'root_module = "shop"' in found["pyproject.toml"]
    assert '    "ipy-orch",\n]' in found["pyproject.toml"]
    defs = {name: found[f"src/shop/defs/{name}.py"] for name in ("assets", "checks", "jobs", "resources")}
    assert "RATE = 2\n" in defs["resources"]
    assert "def rated(" in defs["assets"]
    assert "from shop.defs.resources import RATE, Db\n" in defs["assets"]
    assert 'seen = {}\nseen["a"] = 1\n' in defs["checks"]
    assert "def only_checks(" in defs["checks"]
    assert "import math\n" in defs["checks"]
    assert "math" not in defs["assets"]
    assert "from shop.defs.assets import a, b\n" in found["src/shop/definitions.py"]


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
@pytest.mark.parametrize(
    "cells", [test_module.SHOP, test_jobs.FILES, test_jobs.GRAPHS], ids=["shop", "files", "graphs"]
)
def test_it_is_what_the_notebook_is(cells, target, tmp_path, monkeypatch):
    """A clean process loads the package, and finds the notebook's graph; text and session give the same files."""
    monkeypatch.setenv("SHOP_SECRET", "x")
    live = Notebook(*cells).write(tmp_path / "live", target, package="shop", prove=True)
    export_notebook(saved(tmp_path / "n.ipynb", *cells), tmp_path / "text", target=target, package="shop", prove=False)
    assert live.is_relative_to(tmp_path / "live" / "src")
    assert texts(tmp_path / "live") == texts(tmp_path / "text")


def test_dagster_validates_it(tmp_path):
    """Dagster's own command finds nothing wrong with the project, found by its `pyproject.toml`."""
    export_notebook(saved(tmp_path / "n.ipynb", *CELLS), tmp_path / "p", target="dagster", package="shop", prove=False)
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "shop.definitions"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "p" / "src"), "DAGSTER_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path / "p", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_agrees(tmp_path):
    """Ruff would neither format nor sort anything anew, and finds no unused import."""
    export_notebook(saved(tmp_path / "n.ipynb", *CELLS), tmp_path / "out", package="shop", prove=False)
    for command in (["format", "--check"], ["check", "--select", "I,F"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "src"]
        done = subprocess.run(ruff, cwd=tmp_path / "out", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_what_is_a_persons_own_stays(tmp_path):
    """`pyproject.toml` is written once; a file that holds nothing any more goes; somebody's own file is refused."""
    path = saved(tmp_path / "n.ipynb", *CELLS)
    export_notebook(path, tmp_path / "p", package="shop", prove=False)
    project = tmp_path / "p" / "pyproject.toml"
    project.write_text(project.read_text() + "# mine\n")
    export_notebook(saved(path, *CELLS[:-1]), tmp_path / "p", package="shop", prove=False)
    assert project.read_text().endswith("# mine\n")
    defs = tmp_path / "p" / "src" / "shop" / "defs"
    assert not (defs / "jobs.py").exists()
    (defs / "jobs.py").write_text("mine = 1")
    with pytest.raises(DagsterInvariantViolationError, match=r"`jobs.py` is there already"):
        export_notebook(saved(path, *CELLS), tmp_path / "p", package="shop", prove=False)
    assert (defs / "jobs.py").read_text() == "mine = 1"


@pytest.mark.parametrize("name", ["my-shop", "class", "json", "dagster", "1a"])
def test_a_name_that_cannot_be_one(name, tmp_path):
    """A package that couldn't be imported, or would hide another, is refused with a name that can be one."""
    with pytest.raises(DagsterInvalidDefinitionError, match=f"`{name}`") as error:
        export_notebook(saved(tmp_path / "n.ipynb", *CELLS), tmp_path / "p", package=name)
    assert error.value.hint
    assert not (tmp_path / "p").exists()


def test_the_name_of_the_folder(tmp_path):
    """A package without a name has that of its folder."""
    export_notebook(saved(tmp_path / "n.ipynb", *CELLS), tmp_path / "shop", package=True, prove=False)
    assert (tmp_path / "shop" / "src" / "shop" / "definitions.py").is_file()


@pytest.mark.parametrize(("out", "taken", "hint"), [("shop.py", "shop.py", "e.g. `"), ("shop", "shop/src", "or move")])
def test_a_file_in_the_way(tmp_path, out, taken, hint):
    """Where a folder of the package would be, a file is no bug of ours, and stays."""
    place = tmp_path / taken
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")
    with pytest.raises(
        DagsterInvariantViolationError, match="is a file, and a package is written into a folder"
    ) as told:
        export_notebook(saved(tmp_path / "n.ipynb", *CELLS), tmp_path / out, package="shop", prove=False)
    assert hint in told.value.hint
    assert place.read_text() == "mine"
