"""Modules that come back: new notebooks, edits on either side, conflicts that are shown."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ipy_orch
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.importing.importing import Imported, import_module
from ipy_orch.export.notebook_file import FileCell, NotebookFile, read_notebook, write_notebook
from ipy_orch.export.reading.modules import public_names
from ipy_orch.export.writing import export_notebook
from tests.export import test_jobs, test_module
from tests.export.notebooks import saved

# -- there and back ----------------------------------------------------------------------------------------------------

CELLS = {
    "shop": test_module.SHOP,
    "files": test_jobs.FILES,
    "graphs": test_jobs.GRAPHS,
    "resources": test_jobs.RESOURCES,
    "no imports": ["%%asset a\ndisplay(1)\n1", "#| check: a:fine\na > 0"],
}


@pytest.mark.parametrize("package", [None, "shop"])
@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
@pytest.mark.parametrize("name", CELLS)
def test_the_same_bytes(name, target, package, tmp_path):
    """A module that becomes a notebook gives the same module again."""
    how = {"target": target, "package": package, "prove": False}
    end = "" if package else ".py"
    one = export_notebook(saved(tmp_path / "n.ipynb", *CELLS[name]), tmp_path / f"one{end}", **how)
    import_module(tmp_path / f"one{end}", tmp_path / "back.ipynb")
    two = export_notebook(tmp_path / "back.ipynb", tmp_path / f"two{end}", **how)
    assert [path.read_text() for path in two.paths] == [path.read_text() for path in one.paths]


# -- modules of others -------------------------------------------------------------------------------------------------

FOREIGN = '''"""The shop's pipeline."""
# Run by the shop.
import os
from typing import Any

import dagster as dg
import pandas as pd
from dagster import Definitions, asset

LIMIT = 3  # at most


@asset(deps=["raw"])
def report(context: dg.AssetExecutionContext, orders: pd.DataFrame) -> int:
    """Count **orders**.

    By day.
    """
    return helper(orders)


# counts


def helper(frame):
    # inner
    return len(frame) * LIMIT


class Shop(dg.ConfigurableResource):
    """Where rows are from."""

    url: str = "x"


@dg.asset
def orders(raw):
    return raw


@dg.asset_check(asset=orders)
def some(orders):
    from dagster import AssetCheckResult

    return AssetCheckResult(passed=True)


@dg.asset(group_name="in")
def raw(shop: Shop):
    return pd.DataFrame({"a": [1, 2]})


defs = Definitions(
    assets=[report, raw, orders, dg.AssetSpec("other")],
    asset_checks=[some],
    jobs=[dg.define_asset_job("nightly", selection="group:in")],
    resources={"shop": Shop(url="db")},
    executor=dg.in_process_executor,
)
'''


def test_a_module_of_dagster(tmp_path):
    """A module that nobody exported becomes cells in the order of lineage, what they need above them."""
    (tmp_path / "shop.py").write_text(FOREIGN)
    done = import_module(tmp_path / "shop.py", tmp_path / "n.ipynb")
    cells = read_notebook(tmp_path / "n.ipynb").cells
    assert [cell.text.strip().splitlines()[0] for cell in cells] == [
        "# Shop",
        "%load_ext ipy_orch",
        "# Run by the shop.",
        "class Shop(dg.ConfigurableResource):",
        'shop = Shop(url="db")',
        '@dg.asset(group_name="in")',
        "@dg.asset",
        "LIMIT = 3  # at most",
        "# counts",
        "Count **orders**.",
        '@asset(deps=["raw"])',
        "@dg.asset_check(asset=orders)",
        'other_spec = dg.AssetSpec("other")',
        'nightly = dg.define_asset_job("nightly", selection="group:in")',
    ]
    whole = "\n".join(cell.text for cell in cells)
    assert "import ipy_orch as dg\nimport pandas as pd\nfrom ipy_orch import asset" in whole
    assert "    from ipy_orch import AssetCheckResult\n" in whole
    assert "import os" not in whole
    assert done.warnings == ("`Definitions(executor=...)` has no place in a notebook, and is left out",)
    again = import_module(tmp_path / "shop.py", tmp_path / "m.ipynb")
    assert again.definitions == done.definitions
    assert (tmp_path / "m.ipynb").read_bytes() == (tmp_path / "n.ipynb").read_bytes()
    export_notebook(tmp_path / "n.ipynb", tmp_path / "out.py", target="dagster")


PROJECT = {
    "pyproject.toml": '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "acme"\n',
    "src/acme/__init__.py": "",
    "src/acme/lib/__init__.py": "",
    "src/acme/defs/__init__.py": "",
    "src/acme/definitions.py": """from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
""",
    "src/acme/lib/text.py": "def shout(text):\n    return text.upper()\n",
    "src/acme/defs/words.py": (
        "import dagster as dg\n\nfrom acme.lib.text import shout\nfrom .things import Greeter\n\n\n"
        "@dg.asset\ndef words(greeter: Greeter):\n    return shout(greeter.name)\n"
    ),
    "src/acme/defs/things.py": (
        "import dagster as dg\n\n\nclass Greeter(dg.ConfigurableResource):\n    name: str = 'you'\n\n\n"
        "@dg.definitions\ndef resources():\n    return dg.Definitions(resources={'greeter': Greeter(name='me')})\n"
    ),
}


@pytest.mark.parametrize("source", ["", "src/acme", "src/acme/definitions.py"])
def test_a_project_of_dagster(source, tmp_path):
    """All files of a project become one notebook, however it is named; nothing of it is imported."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    import_module(tmp_path / source, tmp_path / "n.ipynb")
    cells = [cell.text for cell in read_notebook(tmp_path / "n.ipynb").cells]
    assert cells[:3] == ["# Acme", "%load_ext ipy_orch", "import ipy_orch as dg"]
    heads = [one.split("(")[0] for one in cells[3:]]
    assert heads == ["class Greeter", "greeter = Greeter", "def shout", "@dg.asset\ndef words"]
    assert "acme" not in sys.modules


# -- edits -------------------------------------------------------------------------------------------------------------

SHOP = (
    FileCell("code", "%load_ext ipy_orch", "load"),
    FileCell("code", "import pandas as pd\nimport math", "imports"),
    FileCell("code", "RATE = 2\nSCRATCH = 1\n\n\ndef doubled(x):\n    return x * RATE", "help"),
    FileCell("markdown", "## Raw\n\nAll orders.", "raw-note"),
    FileCell("code", "#| asset: raw\n#| group: g\n# the data\nframe = pd.DataFrame({'a': [1, 2]})\nframe", "raw"),
    FileCell("code", "raw.head()", "scratch"),
    FileCell("code", "%%asset total\nint(doubled(raw.a.sum()))", "total"),
    FileCell("code", "%%asset_check total positive\ntotal > 0", "check"),
    FileCell("code", "from ipy_orch import asset\n\n\n@asset\ndef last(total):\n    return total + 1", "last"),
)
Edit = Callable[[str], str]


class Both:
    """A notebook and the module that was exported from it."""

    def __init__(self, folder: Path) -> None:
        self.notebook, self.module = saved(folder / "n.ipynb", *SHOP), folder / "m.py"
        self.export()

    def export(self, **how: bool) -> None:
        """Export the notebook."""
        export_notebook(self.notebook, self.module, prove=False, **how)

    def edit(self, old: str, new: str) -> None:
        """Edit the module."""
        text = self.module.read_text()
        assert text.count(old) == 1
        self.module.write_text(text.replace(old, new))

    def edit_cell(self, key: str, old: str, new: str) -> None:
        """Edit the notebook."""
        found = read_notebook(self.notebook)
        cells = (one.with_text(one.text.replace(old, new)) if one.key == key else one for one in found.cells)
        write_notebook(self.notebook, NotebookFile(tuple(cells), found.rest))

    def take_back(self) -> Imported:
        """Import the module."""
        return import_module(self.module, self.notebook)

    @property
    def cells(self) -> dict[str, str]:
        """Return the cells by id."""
        return {one.key: one.text for one in read_notebook(self.notebook).cells}


@pytest.fixture
def both(tmp_path) -> Both:
    """Return a notebook and its module."""
    return Both(tmp_path)


ORIGINAL = {one.key: one.text for one in SHOP}
HIGHER = """@asset(group_name="h")
def raw():
    # the data
    frame = pd.DataFrame({"a": [1, 2]})
    return frame"""
EDITS = {
    "a body": (("[1, 2]", "[3]"), {"raw": ORIGINAL["raw"].replace("[1, 2]", "[3]").replace("'a'", '"a"')}),
    "a constant": (("RATE = 2", "RATE = 4  # four"), {"help": ORIGINAL["help"].replace("= 2", "= 4  # four")}),
    "a helper": (("x * RATE", "x + RATE"), {"help": ORIGINAL["help"].replace("x * R", "x + R")}),
    "a description": (("All orders.", "Paid orders."), {"raw-note": "## Raw\n\nPaid orders."}),
    "a decorated asset": (("total + 1", "total + 2"), {"last": ORIGINAL["last"].replace("+ 1", "+ 2")}),
    "a decorator": (
        ('group_name="g"', 'group_name="h"'),
        {
            "raw": HIGHER,
            "imports": ORIGINAL["imports"] + "\nfrom ipy_orch import asset",
        },
    ),
    "a check": (
        ("total > 0", "total > 9"),
        {"check": ORIGINAL["check"].replace("> 0", "> 9")},
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_module(name, both):
    """What only the module changed comes over into its cell, in the cell's own spelling where that can say it."""
    (old, new), expected = EDITS[name]
    both.edit(old, new)
    with pytest.raises(DagsterInvariantViolationError, match=r"`m.py` was edited since its export") as error:
        both.export()
    assert "ipy-orch import" in error.value.hint
    done = both.take_back()
    assert not done.conflicts + done.warnings
    assert both.cells == ORIGINAL | expected
    assert not both.take_back().changed
    both.export()
    assert new in both.module.read_text()


MAGICS = {
    "unknown": "%%asset_check raw unknown --severity WARN\nfound = seen(raw, 1)\nfound",
    "pair": "%%asset_check raw pair\nseen(raw, 2), {'n': 20}",
    "result": "#| check: raw:result\nAssetCheckResult(passed=raw > 3)",
    "line": "N = 4\n%job nightly raw --tags n=40",
    "schedule": '%%schedule early --cron "0 5 * * *" --job nightly\nRunRequest(tags={"n": "50"})',
    "sensor": "%%sensor watch --job nightly --every 60\n[RunRequest(str(n)) for n in range(6)]",
}
AFTER = {
    ("seen(raw, 1)", "seen(raw, 9)"): {"unknown": MAGICS["unknown"].replace("raw, 1)", "raw, 9)")},
    ("seen(raw, 2)", "seen(raw, 9)"): {"pair": MAGICS["pair"].replace("raw, 2)", "raw, 9)").replace("'n'", '"n"')},
    ("raw > 3", "raw > 9"): {"result": MAGICS["result"].replace("> 3", "> 9")},
    ('"n": "40"', '"n": "9"'): {
        "line": 'N = 4\nnightly = define_asset_job("nightly", selection="raw", tags={"n": "9"})'
    },
    ('"n": "50"', '"n": "9"'): {
        "schedule": '@schedule("0 5 * * *", job_name="nightly")\ndef early():\n    return RunRequest(tags={"n": "9"})'
    },
    ("range(6)", "range(9)"): {
        "sensor": '@sensor(job_name="nightly", minimum_interval_seconds=60)\ndef watch():\n'
        "    return [RunRequest(str(n)) for n in range(9)]"
    },
}


@pytest.mark.parametrize(("old", "new"), AFTER)
def test_an_edit_of_what_a_magic_defines(old, new, tmp_path):
    """It comes over: into the cell of a check in its own spelling, else the Python stands in the magic's place."""
    cells = [
        FileCell("code", "from ipy_orch import AssetCheckResult", "imports"),
        FileCell("code", "%%asset raw\n1", "raw"),
        FileCell("code", "def seen(x, n):\n    return x > n, {}", "seen"),
        *(FileCell("code", text, key) for key, text in MAGICS.items()),
    ]
    notebook, module = saved(tmp_path / "n.ipynb", *cells), tmp_path / "m.py"
    export_notebook(notebook, module, target="dagster", prove=False)
    edited = module.read_text().replace(old, new)
    assert module.read_text().count(old) == 1
    module.write_text(edited)
    done = import_module(module, notebook)
    assert not done.conflicts + done.warnings
    found = {one.key: one.text for one in read_notebook(notebook).cells if one.key != "imports"}
    assert found == {one.key: one.text for one in cells[1:]} | AFTER[old, new]
    export_notebook(notebook, module, target="dagster", prove=False)
    assert module.read_text().partition("# The cells")[0] == edited.partition("# The cells")[0]


def test_what_is_new_and_what_is_gone(both):
    """A new function stands in a new cell below the one above it; one that was taken out takes its cell along."""
    new = "def said(x):\n    return json.dumps(x)\n\n\n@asset\ndef new(total):\n    return said(total)"
    both.edit("@asset\ndef last", f"{new}\n\n\n@asset\ndef last")
    both.edit("import pandas", "import json\n\nimport pandas")
    text = both.module.read_text()
    start = text.index("@asset_check")
    both.module.write_text(text[:start] + text[text.index("def said", start) :])
    done = both.take_back()
    assert {*done.changed} == {"said", "new", "positive", "json", "asset"}
    assert "check" not in both.cells
    keys = [*both.cells]
    assert keys.index("total") + 1 == keys.index(next(key for key, text in both.cells.items() if "def said" in text))
    assert "import json" in both.cells["imports"]
    both.export()
    assert "def new" in both.module.read_text()


def test_edits_on_both_sides(both):
    """Edits of different cells come together; of one cell they are shown, and nothing is overwritten."""
    both.edit("RATE = 2", "RATE = 3")
    both.edit("[1, 2]", "[3]")
    both.edit_cell("raw", "[1, 2]", "[4]")
    both.edit_cell("total", "int(", "float(")
    done = both.take_back()
    assert done.changed == ("RATE",)
    assert done.conflicts == ("raw",)
    cells = both.cells
    assert "[4]" in cells["raw"]
    assert "float(" in cells["total"]
    assert "RATE = 3" in cells["help"]
    (shown,) = [text for key, text in cells.items() if key.endswith("-conflict")]
    assert "[3]" in shown
    assert both.take_back().conflicts == ("raw",)
    assert [*both.cells] == [*cells]
    with pytest.raises(DagsterInvariantViolationError, match="`raw`"):
        both.export()
    assert "[3]" in both.module.read_text()
    both.export(force=True)
    assert "[4]" in both.module.read_text()
    assert not both.take_back().conflicts
    assert [*both.cells] == [*ORIGINAL]


def test_what_is_no_edit(both):
    """The same edit on both sides, an edit of the notebook alone, and another format of the module need no import."""
    both.edit("[1, 2]", "[3]")
    both.edit_cell("raw", "[1, 2]", "[3]")
    both.export()
    both.edit_cell("total", "int(", "float(")
    assert not both.take_back().changed
    both.export()
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "50", str(both.module)]
    subprocess.run(ruff, check=True, capture_output=True)
    before = both.notebook.read_bytes()
    assert not both.take_back().changed
    assert both.notebook.read_bytes() == before
    both.export()


# -- bad input ---------------------------------------------------------------------------------------------------------

BAD = {
    "no file": ("nope.py", "", DagsterInvariantViolationError, "there is no file `nope.py`"),
    "no module": ("nope_nope", "", DagsterInvariantViolationError, "there is no module `nope_nope`"),
    "an empty folder": (".", "", DagsterInvariantViolationError, "holds no definitions"),
    "no Python file": ("m.txt", "x", DagsterInvariantViolationError, "isn't a Python file"),
    "not Python": ("m.py", "x = = 1", DagsterInvalidDefinitionError, "this isn't Python"),
    "a name that only dagster has": (
        "m.py",
        "import dagster as dg\n\nx = dg.NoSuchThing()",
        DagsterInvalidDefinitionError,
        "ipy_orch has no `NoSuchThing`",
    ),
    "dagster's inside": (
        "m.py",
        "from dagster._core import x",
        DagsterInvalidDefinitionError,
        "ipy_orch has no `_core.x`",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, tmp_path, monkeypatch):
    """What can't be a notebook is refused in one message, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    source, text, kind, message = BAD[name]
    if text:
        Path(source).write_text(text)
    with pytest.raises(kind, match=message) as error:
        import_module(source, "n.ipynb")
    assert error.value.hint
    assert not Path("n.ipynb").exists()


def test_a_notebook_of_somebody(tmp_path):
    """A notebook that has nothing to do with the module is written over only when that is asked for."""
    path = saved(tmp_path / "n.ipynb", "mine = 1")
    (tmp_path / "m.py").write_text(FOREIGN)
    with pytest.raises(DagsterInvariantViolationError, match=r"`n.ipynb` is there already"):
        import_module(tmp_path / "m.py", path)
    assert read_notebook(path).cells[0].text == "mine = 1"
    import_module(tmp_path / "m.py", path, force=True)
    assert "mine" not in path.read_text()


# -- other doors -------------------------------------------------------------------------------------------------------


def test_nbconvert(tmp_path):
    """`jupyter nbconvert --to ipy_orch` gives the module that an export gives."""
    from nbconvert.exporters import get_exporter

    path = saved(tmp_path / "n.ipynb", *SHOP)
    export_notebook(path, tmp_path / "m.py", target="dagster", prove=False)
    exporter = get_exporter("ipy_orch.export.converter.OrchExporter")(target="dagster")
    text, resources = exporter.from_filename(str(path))
    assert text == (tmp_path / "m.py").read_text()
    assert resources["output_extension"] == ".py"


def test_nbconvert_refuses(tmp_path, capsys):
    """What can't be exported is one message of the command, and no traceback."""
    from nbconvert.nbconvertapp import NbConvertApp

    path = saved(tmp_path / "n.ipynb", "%%asset a\nnope")
    try:
        with pytest.raises(SystemExit) as end:
            NbConvertApp.launch_instance(["--to", "ipy_orch.export.converter.OrchExporter", str(path)])
    finally:
        NbConvertApp.clear_instance()
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert "no cell defines `nope`" in told
    assert "Traceback" not in told


def test_a_module_without_definitions(tmp_path):
    """It is refused, and no notebook is written."""
    (tmp_path / "plain.py").write_text("import json\nx = json.loads('1')\n")
    with pytest.raises(DagsterInvalidDefinitionError, match="defines nothing"):
        import_module(tmp_path / "plain.py", tmp_path / "nb.ipynb")
    assert not (tmp_path / "nb.ipynb").exists()


STARS = """\
from __future__ import annotations
from dagster import *
from math import *
from nobody_knows_it import *


@asset
def root():
    return sqrt(4)


defs = Definitions([root])
"""


def test_what_import_star_brings(tmp_path):
    """The names that are needed are imported; `*` stays where the module can't be found."""
    (tmp_path / "stars.py").write_text(STARS)
    assert import_module(tmp_path / "stars.py", tmp_path / "n.ipynb").definitions == 1
    imports = read_notebook(tmp_path / "n.ipynb").cells[2].text
    assert [line for line in imports.splitlines() if line] == [
        "from __future__ import annotations",
        "from math import sqrt",
        "from ipy_orch import asset",
        "from nobody_knows_it import *",
    ]


def test_what_only_dagster_brings(tmp_path):
    """A name that `from dagster import *` brings and ipy_orch doesn't have is refused as any other."""
    only = min({*public_names("dagster")} - {*ipy_orch.__all__})
    (tmp_path / "m.py").write_text(f"from dagster import *\nx = {only}\n")
    with pytest.raises(DagsterInvalidDefinitionError, match=f"ipy_orch has no `{only}`"):
        import_module(tmp_path / "m.py", tmp_path / "n.ipynb")
    (tmp_path / "m.py").write_text(f"from dagster import *\n{only} = 1\nx = asset(name='a')(lambda: {only})\n")
    assert import_module(tmp_path / "m.py", tmp_path / "n.ipynb").definitions == 2
