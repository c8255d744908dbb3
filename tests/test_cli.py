"""The shell door: what it prints, and when it ends with an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from ipy_orch import __version__, cli


def call(*arguments: str) -> Result:
    """Call the command line."""
    return CliRunner().invoke(cli.main, list(arguments), prog_name="ipy-orch")


def write(path: Path, *cells: str) -> Path:
    """Write a notebook of these cells."""
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    return path


def test_version() -> None:
    """The version is that of the package."""
    assert call("--version").output == f"ipy-orch, version {__version__}\n"


def test_help() -> None:
    """The help names the commands and shows how to call them."""
    text = call("--help").output
    assert "ipy-orch demo --notebook mine.ipynb" in text
    assert "Run a notebook from top to bottom in a fresh kernel" in text


def test_demo_shows_what_a_notebook_makes(tmp_path: Path) -> None:
    """A line per cell, then the assets, the checks, the modules, and how to open it."""
    path = write(
        tmp_path / "small.ipynb",
        "%load_ext ipy_orch",
        "%%asset orders --group ingest\n[1, 2, 3]",
        "#| check: orders\n#| name: few\n#| severity: WARN\nlen(orders) < 3, {'orders': len(orders)}",
        "%export definitions.py",
    )
    result = call("demo", "--notebook", str(path))
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[2] == "[1] %load_ext ipy_orch"
    assert lines[3].startswith("[2] orders · ")
    assert lines[4].startswith("[3] ⚠ orders:few warned")
    assert "Assets: 1" in lines
    assert any(line.startswith("orders fresh ingest") for line in lines)
    assert "Checks: 1 warned" in lines
    assert "few orders warned orders=3" in lines
    assert str(tmp_path / "definitions.py") in lines
    assert (tmp_path / "definitions.py").is_file()
    assert lines[-1].endswith(f"jupyter lab {path}")
    assert nbformat.read(path, as_version=4).cells[1].outputs == []


def test_demo_of_a_notebook_without_assets(tmp_path: Path) -> None:
    """A notebook that doesn't load the extension runs, too."""
    result = call("demo", "--notebook", str(write(tmp_path / "plain.ipynb", "1 + 1")))
    assert result.exit_code == 0, result.output
    assert "[1] 1 + 1" in result.output


def test_a_cell_that_fails(tmp_path: Path) -> None:
    """The cell and its traceback are shown, and the exit code tells."""
    result = call("demo", "--notebook", str(write(tmp_path / "bad.ipynb", "x = 0", "1 / x", "print('never')")))
    assert result.exit_code == 1
    assert "    1 / x" in result.output
    assert "ZeroDivisionError" in result.output
    assert "never" not in result.output


def test_a_check_that_fails(tmp_path: Path) -> None:
    """A failed check that isn't a warning is an error at the end."""
    cells = ("%load_ext ipy_orch", "%%asset orders\n[]", "%%asset_check orders some\nlen(orders) > 0")
    result = call("demo", "--notebook", str(write(tmp_path / "empty.ipynb", *cells)))
    assert result.exit_code == 1
    assert "failed checks: some" in result.output


def test_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there's no quickstart, the message says where it would be and what to type."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "site-packages" / "ipy_orch" / "cli.py"))
    result = call("demo")
    assert result.exit_code == 1
    assert "there is no notebooks/quickstart.ipynb here" in result.output
    assert "hint:" in result.output


def test_inside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quickstart of the checkout that one is in is taken, from any folder of it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "src").mkdir()
    path = write(tmp_path / cli.QUICKSTART, "1")
    monkeypatch.chdir(tmp_path / "src")
    assert cli.quickstart() == path


def test_import_is_light() -> None:
    """The command line starts without a notebook, a data frame or a kernel."""
    heavy = ("IPython", "nbclient", "nbformat", "pandas", "anywidget")
    code = f"import sys, ipy_orch.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
