"""What people get wrong, for each command: one clear message, an exit code that isn't 0, and nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.shell import CELLS, call, write_notebook, write_shop

# name -> (arguments, what the message says)
Table = Mapping[str, tuple[str, str]]

ANY: Table = {
    "a file that isn't there": ("shoop.py", "there is no file `shoop.py`\n  hint: did you mean `shop.py`?"),
    "a notebook that isn't there": ("none.ipynb", "there is no file `none.ipynb`"),
    "a folder": ("folder.py", "`folder.py` is a folder"),
    "a file of another kind": ("data.csv", "`data.csv` is neither a notebook"),
    "a notebook that is no JSON": ("garbage.ipynb", "`garbage.ipynb` isn't a notebook"),
    "JSON that is no notebook": ("list.ipynb", "`list.ipynb` isn't a notebook"),
    "a notebook in R": ("r.ipynb", "`r.ipynb` is a notebook in R"),
    "a kernel that isn't there": (
        "nb.ipynb --kernel pyton3",
        "there is no kernel `pyton3`\n  hint: did you mean `python3`?",
    ),
    "a syntax error": ("syntax.py", "`syntax.py` can't be imported: SyntaxError: "),
    "a module that raises": ("raises.py", "ZeroDivisionError: division by zero\n  where: raises.py, line 2"),
    "a module that exits": ("exits.py", "`exits.py` can't be imported: SystemExit: 3"),
    "a missing import": ("imports.py", "No module named 'nowhere_to_be_found'\n  where: imports.py, line 1"),
    "dagster": ("dag.py", "imports dagster, whose definitions ipy_orch can't run\n  where: dag.py, line 2"),
    "nothing to run": ("empty.py", "`empty.py` holds no definitions"),
    "one asset twice": ("twice.py", "`raw`"),
    "a circle": ("circle.py", "`one`"),
    "a module that isn't there": ("-m shoop", "there is no module `shoop`\n  hint: did you mean `shop`?"),
    "two sources": ("shop.py -m shop", "two places with definitions"),
    "an option that isn't there": ("shop.py --forse", "No such option"),
    "an option without its value": ("shop.py --store", "--store"),
    "no source at all": ("", "nothing here says where the definitions are"),
}
SELECTED: Table = {
    "an asset that isn't there": ("shop.py dayly", "there is no asset `dayly`"),
    "half a selection": ("shop.py raw+ and (", "can't read this selection"),
}
PROJECTS: Mapping[str, tuple[str, str]] = {
    "TOML that is none": ("[tool.ipy_orch\n", "pyproject.toml: it can't be read"),
    "a misspelt key": ('[tool.ipy_orch]\nmodul = "shop"\n', "did you mean `module`?"),
    "a number": ("[tool.ipy_orch]\nmodule = 3\n", "`module` in `[tool.ipy_orch]` is a text, not 3"),
    "two places": ('[tool.ipy_orch]\nmodule = "shop"\nfile = "shop.py"\n', "says more than one place"),
    "no place": ('[tool.ipy_orch]\nstore = "x"\n', "says no place"),
    "a file that isn't there": ('[tool.ipy_orch]\nfile = "x.py"\n', "there is no file `x.py`"),
    "dg without a module": ("[tool.dg.project]\n", "names no `root_module`"),
    "a module that isn't there": ('[tool.dagster]\nmodule_name = "x.y"\n', "there is no module `x.y`"),
    "several": ('[[tool.dagster.modules]]\nname = "a"\n[[tool.dagster.modules]]\nname = "b"\n', "names 2 places"),
}
REQUEST: Table = {
    "an environment that isn't there": ("shop.py --env prod", "`prod`"),
    "config that isn't YAML": ("shop.py --config {a", "isn't YAML"),
    "config of nothing": ("shop.py --config {ops:{nope:{config:{a:1}}}}", "doesn't fit"),
    "a partition of what has none": ("shop.py raw --partition a", "`raw` isn't partitioned"),
    "a file of config that isn't there": ("shop.py --config none.yaml", "there is no file `none.yaml`"),
}
WORKERS: Table = {
    "no workers": ("shop.py --workers 0", "0 is not in the range"),
    "workers in words": ("shop.py --workers two", "'two' is not a valid integer"),
    "a store that is a file": ("shop.py --store data.csv", "file exists"),
}
COMMANDS: Mapping[str, Table] = {
    "list": ANY | SELECTED,
    "plan": ANY | SELECTED | REQUEST,
    "materialize": ANY | SELECTED | REQUEST | WORKERS,
    "check": ANY | SELECTED | WORKERS | {"no checks": ("shop.py raw", "there are no checks of `raw`")},
    "why": {
        **{
            name: (arguments if name == "no source at all" else f"{arguments} raw", told)
            for name, (arguments, told) in ANY.items()
        },
        "an option without its value": ("shop.py raw --store", "--store"),
        "an asset that isn't there": ("shop.py dayly", "there is no asset `dayly`\n  hint: did you mean `daily`?"),
        "no asset": ("shop.py", "name the asset"),
        "two assets": ("shop.py raw daily", "name one asset, not 2"),
    }
    | {"no source at all": ("raw", "nothing here says where the definitions are")},
    "lineage": ANY
    | SELECTED
    | {
        "a format that isn't there": ("shop.py -o lineage.pdf", "no format that a lineage is drawn in"),
        "a folder that isn't there": ("shop.py -o none/lineage.svg", "there is no folder `none`"),
    },
    "run": {
        "no notebook": ("", "Missing argument 'NOTEBOOK'"),
        "two notebooks": ("nb.ipynb r.ipynb", "unexpected extra argument"),
        "a notebook that isn't there": ("nbb.ipynb", "there is no file `nbb.ipynb`\n  hint: did you mean `nb.ipynb`?"),
        "a folder": ("folder.ipynb", "`folder.ipynb` is a folder"),
        "a Python file": ("shop.py", "`shop.py` is no notebook (.ipynb)\n  hint: `ipy-orch materialize"),
        "a notebook that is no JSON": ("garbage.ipynb", "`garbage.ipynb` isn't a notebook"),
        "JSON that is no notebook": ("list.ipynb", "`list.ipynb` isn't a notebook"),
        "a notebook in R": ("r.ipynb", "`r.ipynb` is a notebook in R"),
        "a kernel that isn't there": ("nb.ipynb --kernel nope", "there is no kernel `nope`\n  hint: `--kernel NAME`"),
        "its own kernel isn't there": ("julia.ipynb", "there is no kernel `conda-env-gone`"),
        "half a parameter": ("nb.ipynb -p limit", "requires 2 arguments"),
        "a parameter that isn't there": ("nb.ipynb -p limti 3", "no parameter `limti`\n  hint: did you mean `limit`?"),
        "a parameter no variable can have": ("nb.ipynb -p a-b 3", "`a-b` can't be the name of a parameter"),
        "a parameter that is Python's": ("nb.ipynb -p for 3", "`for` can't be the name of a parameter"),
        "a value that isn't YAML": ("nb.ipynb -p limit [1", "the value of `limit` isn't YAML"),
        "a file of parameters that isn't there": ("nb.ipynb -f none.yaml", "`none.yaml` can't be read"),
        "a file of parameters that is a list": ("nb.ipynb -f list.ipynb", "`list.ipynb` has no parameters"),
        "a file of parameters that isn't YAML": ("nb.ipynb -f garbage.ipynb", "`garbage.ipynb` isn't YAML"),
        "an output folder that isn't there": ("nb.ipynb -o none/out.ipynb", "there is no folder `none`"),
        "an output that is a folder": ("nb.ipynb -o folder.ipynb", "`folder.ipynb` is a folder"),
        "a junit folder that isn't there": ("nb.ipynb --junit none/c.xml", "there is no folder `none`"),
        "no workers": ("nb.ipynb --workers 0", "0 is not in the range"),
        "a timeout in words": ("nb.ipynb --timeout soon", "'soon' is not a valid float"),
        "a timeout that is none": ("nb.ipynb --timeout -1", "is not in the range"),
        "store and no store": ("nb.ipynb --store x --no-store", "contradict each other"),
        "a store that is a file": ("nb.ipynb --store data.csv", "`data.csv` is a file"),
        "an option that isn't there": ("nb.ipynb --forse", "No such option"),
    },
    "demo": {
        "a notebook that isn't there": ("--notebook none.ipynb", "there is no file `none.ipynb`"),
        "an argument that isn't there": ("none.ipynb", "there is no file `none.ipynb`"),
        "a notebook that is misspelt": ("--notebook nbb.ipynb", "did you mean `nb.ipynb`?"),
        "a notebook in a folder that isn't there": ("--notebook none/nb.ipynb", "there is no file `none/nb.ipynb`"),
        "a folder": ("--notebook folder.ipynb", "`folder.ipynb` is a folder"),
        "the folder of the notebook": ("--notebook .", "`.` is no notebook (.ipynb)"),
        "a Python file": ("--notebook shop.py", "`shop.py` is no notebook (.ipynb)\n  hint: `ipy-orch demo"),
        "data": ("--notebook data.csv", "`data.csv` is no notebook (.ipynb)"),
        "an empty file": ("--notebook nothing.ipynb", "`nothing.ipynb` isn't a notebook"),
        "half of a notebook": ("--notebook half.ipynb", "`half.ipynb` isn't a notebook"),
        "bytes": ("--notebook bytes.ipynb", "`bytes.ipynb` isn't a notebook"),
        "no name": ("--notebook", "requires an argument"),
        "a notebook that is no JSON": ("--notebook garbage.ipynb", "`garbage.ipynb` isn't a notebook"),
        "JSON that is no notebook": ("--notebook list.ipynb", "`list.ipynb` isn't a notebook"),
        "a notebook in R": ("--notebook r.ipynb", "`r.ipynb` is a notebook in R"),
        "its own kernel isn't there": ("--notebook julia.ipynb", "there is no kernel `conda-env-gone`"),
        "a timeout in words": ("--timeout soon", "'soon' is not a valid float"),
        "a timeout that is none": ("--timeout 0", "is not in the range"),
        "no timeout": ("--timeout", "requires an argument"),
        "two arguments": ("nb.ipynb r.ipynb", "unexpected extra argument"),
        "two notebooks": ("--notebook nb.ipynb r.ipynb", "two notebooks are named"),
        "a flag with a value": ("--debug=yes", "does not take a value"),
        "an option that isn't there": ("--notebok nb.ipynb", "No such option"),
    },
}
FILES = {
    "data.csv": "a,b\n",
    "garbage.ipynb": "{ no: [JSON",
    "list.ipynb": "[1, 2]",
    "nothing.ipynb": "",
    "half.ipynb": '{"cells": [{"cell_type": "code", "sou',
    "syntax.py": "def f(:\n",
    "raises.py": "x = 0\ny = 1 / x\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "imports.py": "import nowhere_to_be_found\n",
    "dag.py": "import json\nfrom dagster import asset\n",
    "empty.py": "x = 1\n",
    "twice.py": "from ipy_orch import asset\n\n@asset\ndef raw(): ...\n\none = raw\n\n@asset\ndef raw(): ...\n",
    "circle.py": "from ipy_orch import asset\n\n@asset\ndef one(two): ...\n\n@asset\ndef two(one): ...\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with good files and bad ones."""
    write_shop(tmp_path)
    write_notebook(tmp_path / "nb.ipynb", *CELLS, parameters=1)
    write_notebook(tmp_path / "r.ipynb", "1", language_info={"name": "R"})
    write_notebook(tmp_path / "julia.ipynb", "1", kernelspec={"name": "conda-env-gone", "display_name": "gone"})
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "bytes.ipynb").write_bytes(b"\xff\xfe\x00")
    for name in ("folder.py", "folder.ipynb"):
        (tmp_path / name).mkdir()
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def refused(folder: Path, command: str, arguments: str, told: str) -> None:
    """Assert that a command refuses its arguments in one message, and writes nothing."""
    before = content(folder)
    result = call(command, *arguments.split())
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert [line.startswith("Error: ") for line in result.stderr.splitlines()].count(True) == 1
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert content(folder) == before


@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command, table in COMMANDS.items() for name in table]
)
def test_bad_input(command: str, name: str, folder: Path) -> None:
    """Each mistake has its message."""
    refused(folder, command, *COMMANDS[command][name])


@pytest.mark.parametrize("name", PROJECTS)
def test_bad_projects(name: str, folder: Path) -> None:
    """What a project's file says wrongly is told with the file."""
    text, told = PROJECTS[name]
    (folder / "pyproject.toml").write_text(text)
    refused(folder, "list", "", told)


def test_twenty_kinds() -> None:
    """Each command has at least twenty."""
    assert {command: len(table) for command, table in COMMANDS.items() if len(table) < 20} == {}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("plan plain.ipynb", "the notebook doesn't load ipy_orch, and so has no assets"),
        ("materialize fails.ipynb", "the notebook can't be loaded: NameError: name 'undefined' is not defined"),
        ("materialize nb.ipynb dayly", "there is no asset `dayly`"),
        ("run nb.ipynb --select dayly", "there is no asset `dayly`"),
    ],
)
def test_bad_notebooks(command: str, told: str, folder: Path) -> None:
    """What only a kernel can find out is told in the same way."""
    write_notebook(folder / "plain.ipynb", "1 + 1")
    write_notebook(folder / "fails.ipynb", "%load_ext ipy_orch", "undefined")
    before = content(folder)
    result = call(*command.split())
    assert result.exit_code == 2
    assert told in result.stderr
    assert [line.startswith("Error: ") for line in result.stderr.splitlines()].count(True) == 1
    assert "Traceback" not in result.output
    assert content(folder) == before
