"""``ipy-orch demo``, the version and the help: what is printed, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import ipy_orch.cli.demo
from ipy_orch import __version__
from tests.cli.shell import call
from tests.cli.shell import write_notebook as write

COMMANDS = [*ipy_orch.cli.main.commands]
QUICKSTART = ipy_orch.cli.demo.QUICKSTART


def test_version() -> None:
    """The version is that of the package."""
    assert call("--version").output == f"ipy-orch, version {__version__}\n"


def test_help() -> None:
    """The help names the commands and shows how to call them."""
    text = call("--help").output
    assert "ipy-orch demo mine.ipynb" in text
    assert "Run the tutorial, or a notebook of yours" in text
    assert "Exit codes: 0 good" in text
    assert "_IPY_ORCH_COMPLETE=bash_source" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command: str) -> None:
    """The help of each command begins with what it does, has examples, and its lines fit."""
    text = call(command, "--help").output
    assert "Options:" in text
    assert command == "demo" or "Examples:\n      ipy-orch " in text
    assert max(map(len, text.splitlines())) <= 110


def test_a_misspelt_command() -> None:
    """The closest one is offered."""
    result = call("materialise")
    assert result.exit_code == 2
    assert "hint: did you mean `materialize`?" in result.output


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
    at = lines.index("definitions.py")
    assert lines[at + 1].startswith("# Written by ipy_orch")
    assert "def orders():" in lines[at:]
    assert (tmp_path / "definitions.py").is_file()
    assert lines[-1].endswith("jupyter lab small.ipynb")
    assert nbformat.read(path, as_version=4).cells[1].outputs == []


def test_demo_of_a_notebook_without_assets(tmp_path: Path) -> None:
    """A notebook that doesn't load the extension runs, too."""
    result = call("demo", str(write(tmp_path / "plain.ipynb", "1 + 1")))
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
    monkeypatch.setattr(ipy_orch.cli.demo, "HERE", tmp_path / "site-packages" / "ipy_orch" / "cli" / "demo.py")
    result = call("demo")
    assert result.exit_code == 2
    assert "there is no notebooks/quickstart.ipynb here" in result.output
    assert "hint:" in result.output


def test_inside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quickstart of the checkout that one is in is taken, from any folder of it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "src").mkdir()
    path = write(tmp_path / QUICKSTART, "1")
    monkeypatch.chdir(tmp_path / "src")
    assert ipy_orch.cli.demo.quickstart() == path


def test_import_is_light() -> None:
    """The command line starts without a notebook, a data frame or a kernel."""
    heavy = ("IPython", "nbclient", "nbformat", "pandas", "anywidget", "rich")
    code = f"import sys, ipy_orch.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
