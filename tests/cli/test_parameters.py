"""Parameters of a notebook: how they are read, and where they go."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from ipy_orch.cli.parameters import inject, read_parameters
from ipy_orch.errors import DagsterInvariantViolationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("1e3", "1e3"),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("[a, 1]", ["a", 1]),
        ("2024-05-01", "2024-05-01"),
    ],
)
def test_values(text: str, expected: object) -> None:
    """A value is what YAML makes of it; a date stays text, as papermill leaves it."""
    assert read_parameters([("x", text)], None) == {"x": expected}


def test_a_file_and_pairs(tmp_path: Path) -> None:
    """What is given on the line wins over the file."""
    (tmp_path / "p.yaml").write_text("a: 1\nb: {c: [1, 2]}\n")
    assert read_parameters([("a", "2")], tmp_path / "p.yaml") == {"a": 2, "b": {"c": [1, 2]}}


def notebook(*cells: str, tagged: int | None) -> nbformat.NotebookNode:
    """Return a notebook, one of whose cells is tagged."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    if tagged is not None:
        made.cells[tagged].metadata["tags"] = ["parameters"]
    return made


def test_injected(tmp_path: Path) -> None:
    """They stand behind the tagged cell, or on top; a second time in the place of the first."""
    one = notebook("import os", "a = 1\nb: float = 2", "a + b", tagged=1)
    inject(one, {"a": 5, "b": float("nan")})
    assert [cell.source for cell in one.cells][1:3] == ["a = 1\nb: float = 2", "# Parameters\na = 5\nb = float('nan')"]
    inject(one, {"a": 6})
    assert [cell.source for cell in one.cells][2:] == ["# Parameters\na = 6", "a + b"]
    nbformat.validate(one)
    top = notebook("a", tagged=None)
    inject(top, {"a": {"b": [1, None, True]}})
    assert top.cells[0].source == "# Parameters\na = {'b': [1, None, True]}"


def test_an_unknown_one() -> None:
    """A name without a default in the tagged cell is misspelt."""
    with pytest.raises(DagsterInvariantViolationError, match=r"no parameter `limti`") as error:
        inject(notebook("limit = 1", tagged=0), {"limti": 2})
    assert error.value.hint == "did you mean `limit`?"
