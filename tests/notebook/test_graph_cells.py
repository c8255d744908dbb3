"""Graph-backed assets in cells of a real shell: what is shown, and where an inner op failed."""

from __future__ import annotations

from pathlib import Path

from tests.notebook.conftest import Notebook

IMPORTS = "from pathlib import Path\nfrom ipy_orch import graph_asset, op"


def test_a_file_that_an_inner_op_reads(notebook: Notebook, tmp_path: Path) -> None:
    """A file that an op of the graph reads undeclared is pointed out as the asset's."""
    path = tmp_path / "x.csv"
    path.write_text("1")
    notebook.good(IMPORTS)
    op = f"@op\ndef read():\n    return Path({str(path)!r}).read_text()"
    ran = notebook.good(f"{op}\n\n@graph_asset\ndef told():\n    return read()")
    assert f"`told` reads file `{path}`, which isn't declared" in ran.status


def test_a_failing_inner_op_shows_the_line(notebook: Notebook) -> None:
    """The traceback begins in the op's own code and holds none of our frames."""
    notebook.good(IMPORTS)
    ran = notebook.run("@op\ndef bad():\n    return 1 / 0\n\n@graph_asset\ndef broken():\n    return bad()")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "Cell In[3], line 3, in bad()" in ran.traceback
    assert "ipy_orch" not in ran.traceback
    assert "failed" in notebook.good("%why broken").stdout
