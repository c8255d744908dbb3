"""Where a project says that its definitions are: our table, Dagster's, and workspace.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.session.project import find_project, location_of

DG = '[tool.dg]\ndirectory_type = "project"\n\n[tool.dg.project]\nroot_module = "shop"\n'
SEVERAL = """
load_from:
  - python_file: shop.py
  - python_file: {relative_path: shop.py, working_directory: src, attribute: repo, location_name: corner}
  - python_module: {module_name: a.b}
  - python_package: whole
  - grpc_server: {host: localhost}
"""


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("pyproject.toml", '[tool.ipy_orch]\nmodule = "shop.defs"\n', [("module", "shop.defs", "")]),
        ("pyproject.toml", '[tool.ipy_orch]\nfile = "shop.py"\n', [("file", "shop.py", "")]),
        ("pyproject.toml", '[tool.ipy_orch]\nnotebook = "nb.ipynb"\n', [("notebook", "nb.ipynb", "")]),
        ("pyproject.toml", DG, [("module", "shop.definitions", "")]),
        ("pyproject.toml", DG + 'code_location_target_module = "shop.other"\n', [("module", "shop.other", "")]),
        ("pyproject.toml", '[tool.dagster]\nmodule_name = "shop"\n', [("module", "shop", "")]),
        ("pyproject.toml", '[tool.dagster]\nmodules = [{type = "module", name = "a"}]\n', [("module", "a", "")]),
        ("dg.toml", '[project]\nroot_module = "shop"\n', [("module", "shop.definitions", "")]),
        (
            "workspace.yaml",
            SEVERAL,
            [("file", "shop.py", ""), ("file", "src/shop.py", "repo"), ("module", "a.b", ""), ("module", "whole", "")],
        ),
    ],
)
def test_files(file: str, text: str, expected: list[tuple[str, str, str]], tmp_path: Path) -> None:
    """Each file names its places, found from any folder below."""
    for name in ("shop.py", "src/shop.py", "nb.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / file).write_text(text)
    found = find_project(tmp_path / "src")
    assert found is not None
    assert found.folder == tmp_path
    assert found.store == tmp_path / ".ipy_orch"
    targets = [(one.kind, one.target.removeprefix(f"{tmp_path}/"), one.attribute) for one in found.locations]
    assert targets == expected


def test_files_of_other_tools(tmp_path: Path) -> None:
    """Files that say nothing of definitions are passed over."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.ipy_orch]\nmodule = "shop"\nstore = "state"\n')
    (inner / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    (inner / "workspace.yaml").write_text("packages: [a]\n")
    found = find_project(inner)
    assert found is not None
    assert (found.only().label, found.store) == ("shop", tmp_path / "state")


def test_a_workspace_of_projects(tmp_path: Path) -> None:
    """A workspace names the projects below it; where it's several, one has to be named."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(f'[tool.dg.project]\nroot_module = "{name}"\n')
    (tmp_path / "dg.toml").write_text(
        'directory_type = "workspace"\n[[workspace.projects]]\npath = "a"\n[[workspace.projects]]\npath = "b"\n'
    )
    found = find_project(tmp_path)
    assert found is not None
    assert [one.target for one in found.locations] == ["a.definitions", "b.definitions"]
    with pytest.raises(DagsterInvariantViolationError, match=r"names 2 places with definitions") as error:
        found.only()
    assert error.value.hint == "say which: `-m a.definitions`"


def test_a_location_by_its_path(tmp_path: Path) -> None:
    """A file's name says what it is; the closest is offered for one that isn't there."""
    (tmp_path / "shop.py").write_text("")
    assert location_of(tmp_path / "shop.py").kind == "file"
    with pytest.raises(DagsterInvariantViolationError, match=r"there is no file") as error:
        location_of(tmp_path / "shopp.py")
    assert error.value.hint == "did you mean `shop.py`?"
