"""Export and import from the shell; what they write is tested with the export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

from tests.cli.shell import CELLS, call, forget, statuses, told, write_notebook, write_shop

EXPORT: Mapping[str, tuple[str, str]] = {
    "no notebook": ("", "Missing argument 'NOTEBOOK'"),
    "two notebooks": ("nb.ipynb empty.ipynb", "unexpected extra argument"),
    "a notebook that isn't there": ("none.ipynb", "`none.ipynb`"),
    "a folder": ("folder.ipynb", "`folder.ipynb`"),
    "a Python file": ("shop.py", "`shop.py` is no notebook (.ipynb)\n  hint: `ipy-orch import"),
    "no JSON": ("garbage.ipynb", "`garbage.ipynb` isn't a notebook"),
    "JSON that is no notebook": ("list.ipynb", "`list.ipynb` isn't a notebook"),
    "another framework": ("nb.ipynb --for prefect", "'prefect' is not one of"),
    "a package that can't be": ("nb.ipynb --package 1a", "`1a`"),
    "no output": ("nb.ipynb -o", "requires an argument"),
    "somebody else's file": ("nb.ipynb -o shop.py", "`shop.py` is there already"),
    "a file for a folder": ("nb.ipynb -o shop.py/x.py", "`shop.py`"),
    "an option that isn't there": ("nb.ipynb --forse", "No such option"),
    "a shell line": ("magic.ipynb", "Cell In[2], line 2"),
    "await": ("await.ipynb", "`await`"),
    "a name that no cell defines": ("name.ipynb", "`nowhere`"),
    "one asset in two cells": ("twice.ipynb", "asset `raw` is in two cells"),
    "what isn't Python": ("syntax.ipynb", "Cell In[2], line 2"),
    "a class that isn't there": ("config.ipynb", "`Limits`"),
    "an asset that reads itself": ("self.ipynb", "asset `raw` reads itself"),
    "an option of a cell": ("option.ipynb", "did you mean `--group`?"),
    "no name": ("noname.ipynb", "needs a name"),
    "a circle": ("circle.ipynb", "in a circle"),
    "nothing to export": ("empty.ipynb", "there is nothing to export"),
}
IMPORT: Mapping[str, tuple[str, str]] = {
    "nothing": ("", "Missing argument"),
    "no notebook": ("shop.py", "Missing argument 'NOTEBOOK'"),
    "too much": ("shop.py x.ipynb extra", "unexpected extra argument"),
    "an option that isn't there": ("shop.py x.ipynb --forse", "did you mean|Did you mean"),
    "-m": ("-m shop x.ipynb", "No such option"),
    "a file that isn't there": ("shoop.py x.ipynb", "did you mean `shop.py`?"),
    "a module that isn't there": ("shoop.defs x.ipynb", "there is no module `shoop.defs`"),
    "a notebook": ("nb.ipynb x.ipynb", "`nb.ipynb` isn't a Python file"),
    "data": ("data.csv x.ipynb", "`data.csv` isn't a Python file"),
    "an empty folder": ("folder.ipynb x.ipynb", "`folder.ipynb`"),
    "bytes": ("bytes.py x.ipynb", "`bytes.py` can't be read"),
    "what isn't Python": ("syntax.py x.ipynb", "`syntax.py`, line 1"),
    "an output of another kind": ("shop.py x.txt", "`x.txt` is no notebook (.ipynb)"),
    "the wrong way round": ("x.ipynb shop.py", "first the module, then the notebook"),
    "a folder that isn't there": ("shop.py none/x.ipynb", "there is no folder `none`"),
    "an output that is a folder": ("shop.py folder.ipynb", "`folder.ipynb` is a folder"),
    "another notebook": ("shop.py nb.ipynb", "`nb.ipynb` is there already"),
    "a broken notebook": ("shop.py garbage.ipynb", "`garbage.ipynb` is there already"),
    "what is no notebook": ("shop.py list.ipynb", "`list.ipynb` is there already"),
    "a path of nobody": ("none/shop.py x.ipynb", "there is no file"),
}
NOTEBOOKS = {
    "magic": ("%%asset raw\n!ls\n1",),
    "await": ("import asyncio\nx = await asyncio.sleep(0)", "%%asset raw\nx"),
    "name": ("%%asset raw\nnowhere + 1",),
    "twice": ("%%asset raw\n1", "%%asset raw\n2"),
    "syntax": ("%%asset raw\n1 +",),
    "config": ("%%asset raw --config Limits\nconfig.n",),
    "self": ("%%asset raw\nraw + 1",),
    "option": ("%%asset raw --grup x\n1",),
    "noname": ("%%asset\n1",),
    "circle": ("%%asset a\nb", "%%asset b\na"),
    "empty": ("1",),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with good files and bad ones."""
    write_shop(tmp_path)
    write_notebook(tmp_path / "nb.ipynb", *CELLS)
    for name, cells in NOTEBOOKS.items():
        write_notebook(tmp_path / f"{name}.ipynb", "%load_ext ipy_orch", *cells)
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "garbage.ipynb").write_text("{ no: [JSON")
    (tmp_path / "list.ipynb").write_text("[1]")
    (tmp_path / "data.csv").write_text("a\n")
    (tmp_path / "syntax.py").write_text("def f(:\n")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command, table in (("export", EXPORT), ("import", IMPORT)) for name in table],
)
def test_bad_input(command: str, name: str, folder: Path) -> None:
    """Each of twenty mistakes and more has its message; nothing is written."""
    arguments, said = {"export": EXPORT, "import": IMPORT}[command][name]
    before = {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}
    result = call(command, *arguments.split())
    assert result.exit_code == 2, result.output
    assert any(one in result.stderr for one in said.split("|"))
    assert [line.startswith("Error: ") for line in result.stderr.splitlines()].count(True) == 1
    assert "Traceback" not in result.output
    assert {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")} == before


def test_out_and_back(folder: Path) -> None:
    """The module has what the notebook has, an edit of it comes over, and one on both sides is a conflict."""
    assert told("export", "nb.ipynb", "-o", "defs.py")["files"] == ["defs.py"]
    assert statuses(told("materialize", "defs.py")) == {"raw": "ran", "daily": "ran"}
    module = folder / "defs.py"
    module.write_text(module.read_text().replace("2 * value", "3 * value"))
    result = call("import", "defs.py", "nb.ipynb")
    assert result.exit_code == 0, result.output
    assert "came over: daily" in result.output
    notebook = nbformat.read("nb.ipynb", as_version=4)
    assert notebook.cells[3].source == "#| asset: daily\n[3 * value for value in raw]"
    notebook.cells[3].source = notebook.cells[3].source.replace("3 *", "4 *")
    nbformat.write(notebook, "nb.ipynb")
    module.write_text(module.read_text().replace("3 * value", "5 * value"))
    conflict = call("import", "defs.py", "nb.ipynb", "--json")
    assert conflict.exit_code == 1
    assert json.loads(conflict.stdout)["conflicts"] == ["daily"]


def test_a_module_becomes_a_notebook(folder: Path) -> None:
    """What was a file is a notebook, which the other commands take."""
    result = call("import", "shop.py", "shop.ipynb")
    assert result.exit_code == 0, result.output
    forget("shop", "lib")
    assert statuses(told("materialize", "shop.ipynb")) == {"raw": "ran", "daily": "ran"}
