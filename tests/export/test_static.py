"""Modules told from the text of a notebook: the same as those of a session, and nothing is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.notebook_file import FileCell
from ipy_orch.export.writing import export_notebook
from tests.export import test_jobs, test_module
from tests.export.notebooks import Notebook, saved, static

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CELLS = {
    "shop": test_module.SHOP,
    "files": test_jobs.FILES,
    "graphs": test_jobs.GRAPHS,
    "resources": test_jobs.RESOURCES,
    "types": test_jobs.TYPES,
}


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
@pytest.mark.parametrize("name", CELLS)
def test_the_text_tells_what_a_session_knows(name, target):
    """The module of a notebook's text is that of a session in which it ran, byte by byte."""
    assert static(*CELLS[name], target=target) == Notebook(*CELLS[name]).export(target)


RUN = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
ip = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1]))["cells"]:
    text = "".join(cell["source"])
    if cell["cell_type"] == "code" and not text.startswith("%export"):
        assert ip.run_cell(text, store_history=True, cell_id=cell["id"]).success
import ipy_orch
ipy_orch.session().export("live.py")
"""


# Which assets a component makes is known only when it runs.
RUNNING_TELLS = {"components_and_code_locations"}


def test_a_notebook_with_components_is_refused(tmp_path):
    """What only running tells can't be exported without running; the message says so, and nothing is written."""
    with pytest.raises(DagsterInvalidDefinitionError, match=r"component|run"):
        export_notebook(NOTEBOOKS / "components_and_code_locations.ipynb", tmp_path / "static.py", prove=False)
    assert not (tmp_path / "static.py").exists()


@pytest.mark.parametrize("name", sorted({one.stem for one in NOTEBOOKS.glob("*.ipynb")} - RUNNING_TELLS))
def test_the_notebooks_that_we_ship(name, tmp_path):
    """The text of each notebook in the documentation gives the bytes that its session gives, descriptions included."""
    path = Path(shutil.copy(NOTEBOOKS / f"{name}.ipynb", tmp_path))
    environment = {**os.environ, "JPY_SESSION_NAME": str(path)}
    command = [sys.executable, "-W", "ignore", "-c", RUN, path.name]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    export_notebook(path, tmp_path / "static.py", prove=False)
    assert (tmp_path / "static.py").read_bytes() == (tmp_path / "live.py").read_bytes()


def test_nothing_is_run(tmp_path, monkeypatch):
    """What a notebook would do to the world, or take for ever over, isn't done when it is exported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "beside.py").write_text("open('done', 'w')\nRATE = 3")
    cells = [
        "import os, sys, subprocess, functools, typing, types\nfrom pathlib import Path\nfrom beside import RATE",
        "open('done', 'w').write('x')\nPath('done').write_text('x')\nos.system('touch done')\nsys.exit(1)",
        "while True:\n    pass",
        "x = [0] * 10**9\ny = list(range(10**12))\nz = 'a'.ljust(10**10)",
        "().__class__.__base__.__subclasses__()\n(n for n in [1]).gi_frame.f_builtins['open']('done', 'w')",
        "n = types.SimpleNamespace(**{'__annotations__': {'a': 'open(1)'}})\ntyping.get_type_hints(n, {'open': f}, {})",
        """from pydantic import ImportString
from ipy_orch import Config, asset


class C(Config):
    a: ImportString = 'beside.RATE'
    b: list['open("done", "w")'] = []


C()""",
        "def f(): open('done', 'w')\nlist(map(f, [1]))\nfunctools.partial(open, 'done', 'w')()",
        "@asset\ndef a():\n    return open('done', 'w')\n\n\na()",
        "from ipy_orch import materialize\nmaterialize([a])",
        "from ipy_orch.model import late, port\nport.Port('beside')()\nlate.LateModule('beside').RATE",
        "#| asset: b\nopen('done', 'w')\na + RATE",
    ]
    text = static(*cells, target="ipy_orch", folder=tmp_path)
    assert "def b(a):" in text
    assert "from beside import RATE" in text
    assert not (tmp_path / "done").exists()
    assert "beside" not in sys.modules


# -- what only running would tell --------------------------------------------------------------------------------------

UNTOLD = {
    "a name": (
        ["import os\nn = os.environ['N']", "from ipy_orch import AssetSpec\ns = AssetSpec(n)", "#| asset: x\n1"],
        2,
    ),
    "a key": (
        [
            "import random\nfrom ipy_orch import asset",
            "n = random.random()\n\n\n@asset(name=f'a{n}')\ndef f(): ...",
            "x = 1",
        ],
        4,
    ),
    "whether it is there": (
        ["import os\nfrom ipy_orch import asset", "if os.path.exists('a'):\n    @asset\n    def f(): ..."],
        1,
    ),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_a_definition_that_the_text_does_not_tell(name):
    """A definition that depends on what only running tells is refused with its cell and line."""
    cells, line = UNTOLD[name]
    with pytest.raises(DagsterInvalidDefinitionError, match="only running the notebook tells") as error:
        static(*cells)
    assert error.value.where == f"Cell In[2], line {line}"
    assert "%export" in error.value.hint


def test_what_does_not_matter_may_be_unknown():
    """Metadata, tags, fields of resources and defaults may be whatever running gives: their text is taken along."""
    cells = [
        "import os\nfrom ipy_orch import Config, ConfigurableResource, asset\nhere = os.getcwd()",
        "class Db(ConfigurableResource):\n    path: str\n    n: int = 1\n\n\ndb = Db(path=here)",
        "class C(Config):\n    folder: str = here",
        "@asset(metadata={'at': here}, group_name='g')\ndef a(config: C):\n    return 1",
        "%%asset b\ndb.path + str(a)",
    ]
    text = static(*cells, target="ipy_orch")
    assert "def b(a, db: Db):" in text
    assert text == Notebook(*cells).export("ipy_orch")


FACTORY = """def made(name):
    @asset(name=name, key_prefix="p")
    def f(context):
        return name
    return f"""
LOOP = """found = []
for n in range(2):
    if PROD:
        continue
    found.append(AssetSpec(AssetKey(["x", f"s{n}"])))"""


def test_loops_and_factories_are_read():
    """Definitions from loops, comprehensions, factories and conditions are found where the text tells them."""
    cells = [
        "from ipy_orch import AssetKey, asset, multi_asset, AssetSpec\nNAMES = ['a', 'b']\nPROD = False",
        FACTORY,
        "many = [made(n) for n in NAMES if n != 'c']",
        LOOP,
        "try:\n    import nothing_like_it\nexcept ImportError:\n    nothing_like_it = None",
        "%%asset last\na + b, s0",
    ]
    live = Notebook(*cells[:4], cells[5]).export("ipy_orch")
    assert static(*cells, target="ipy_orch") == live.replace("cell-5", "cell-6")


def test_all_names_of_a_module_are_known_without_importing_it(tmp_path):
    """What ``from m import *`` brings is looked up in the text of the module."""
    cells = ["from json import *\nfrom textwrap import *", "#| asset: x\ndumps(dedent(' 1'))"]
    text = static(*cells)
    assert "from json import dumps\nfrom textwrap import dedent" in text
    assert text == Notebook(*cells).export()


def test_a_resource_class_of_a_module_beside_the_notebook(tmp_path):
    """A module beside the notebook is read as the notebook is: its resources are resources."""
    (tmp_path / "lib.py").write_text(
        "from ipy_orch import ConfigurableResource\n\n\nclass Db(ConfigurableResource):\n    n: int = 1\n"
    )
    text = static("from lib import Db\ndb = Db(n=2)", "#| asset: x\ndb.n", target="ipy_orch", folder=tmp_path)
    assert "def x(db: Db):" in text
    assert 'resources={"db": db}' in text


REFUSED = {
    "a job without a name": ("%job", "`%job` needs a name", "Cell In[2]"),
    "an option of a job": ("x = 1\n%job nightly --nope 3", "there is no option `--nope`", "Cell In[2]"),
    "a schedule": ('%%schedule a "0 3 * * *"\n1', "takes one name", "Cell In[2]"),
    "the body of a schedule": ('%%schedule a --cron "0 3 * * *" --target x\n1 +', "isn't Python", "Cell In[2], line 2"),
    "a sensor": ("%%sensor\n1", "`%%sensor` needs a name", "Cell In[2]"),
    "a shell line in an op": ("%%op f(a)\n!ls", "`!ls` can't be in an op", "Cell In[2], line 2"),
    "a timed cell": (
        "%%time\nfrom ipy_orch import asset\n@asset\ndef b(): ...",
        "`%%time` can't be",
        "Cell In[2], line 1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ipython_would_refuse(name):
    """A cell that defines something and can't be read is refused with its place, and never left out silently."""
    cell, told, where = REFUSED[name]
    with pytest.raises(DagsterInvalidDefinitionError, match=re.escape(told)) as error:
        static("%%asset x\n1", cell)
    assert error.value.where == where


def test_a_name_of_ipython_that_a_module_brings():
    """`from ipy_orch import *` brings `Out`, which isn't IPython's then."""
    cells = ["from ipy_orch import *", "@op(out=Out(int))\ndef one():\n    return 1\n\n\n@job\ndef all():\n    one()"]
    assert static(*cells) == Notebook(*cells).export()


# -- descriptions ------------------------------------------------------------------------------------------------------


def test_markdown_above_a_cell_describes_its_asset(tmp_path):
    """What stands below the last heading becomes the docstring, unless the asset has one or a description."""
    markdown = 'Before.\n\n## Orders\n\nAll that is *paid*.\n\n    each day\n\nA \\ and """.'
    path = saved(
        tmp_path / "n.ipynb",
        FileCell("markdown", markdown, "m"),
        FileCell("code", "#| asset: a\n1", "a"),
        FileCell("markdown", "# A title", "n"),
        FileCell("code", "#| asset: b\n1", "b"),
        FileCell("markdown", "Lost.", "o"),
        FileCell("code", "#| asset: c\n#| description: Said.\n1", "c"),
        FileCell("markdown", "Of d.", "p"),
        FileCell(
            "code", "from ipy_orch import asset\n\n\n@asset\ndef d(): return 1\n\n\n@asset\ndef e():\n    return 1", "d"
        ),
    )
    export_notebook(path, tmp_path / "m.py", prove=False)
    names: dict[str, object] = {}
    exec((tmp_path / "m.py").read_text(), names)
    said = {key.to_user_string(): text for one in names["defs"].assets for key, text in one.descriptions_by_key.items()}  # type: ignore[attr-defined]
    assert said["a"] == 'All that is *paid*.\n\n    each day\n\nA \\ and """.'
    assert said["c"] == "Said."
    assert "Lost." not in (tmp_path / "m.py").read_text()
    assert "b" not in said or not said["b"]


# -- bad input ---------------------------------------------------------------------------------------------------------

BAD = {
    "no file": (None, DagsterInvariantViolationError, "there is no notebook `n.ipynb`"),
    "not JSON": ("x", DagsterInvalidDefinitionError, "`n.ipynb` isn't a notebook"),
    "another JSON": ("{}", DagsterInvalidDefinitionError, "`n.ipynb` isn't a notebook"),
    "an old format": ('{"worksheets": [], "cells": 1}', DagsterInvalidDefinitionError, "of an old format"),
    "no cells": ('{"cells": []}', DagsterInvalidDefinitionError, "nothing to export"),
    "not Python": (
        '{"cells": [{"cell_type": "code", "source": "%%asset x\\n1 +"}]}',
        DagsterInvalidDefinitionError,
        "isn't Python",
    ),
    "await": (
        (
            '{"cells": [{"cell_type": "code", "source": "import asyncio\\ny = await asyncio.sleep(0)"},'
            '{"cell_type": "code", "source": ["%%asset x\\n", "y"]}]}'
        ),
        DagsterInvalidDefinitionError,
        "top-level `await`",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, tmp_path):
    """What isn't a notebook, or can't be a module, is refused in one message, and nothing is written."""
    content, kind, message = BAD[name]
    if content is not None:
        (tmp_path / "n.ipynb").write_text(content)
    with pytest.raises(kind, match=message) as error:
        export_notebook(tmp_path / "n.ipynb", tmp_path / "out" / "m.py")
    assert error.value.hint
    assert not (tmp_path / "out").exists()
