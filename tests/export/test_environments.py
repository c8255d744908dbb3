"""Environments of a notebook in its module: real Dagster and ipy_orch run it in any, and make the session's values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.importing.importing import import_module
from ipy_orch.export.notebook_file import read_notebook
from ipy_orch.export.proof.rehearsal import values_of_notebook
from ipy_orch.export.writing import export_notebook, module_of_notebook
from tests.export.notebooks import file_of, saved, static

CLASSES = """import ipy_orch
from ipy_orch import ConfigurableResource, EnvVar, IOManager


class Db(ConfigurableResource):
    path: str

    def read(self):
        return self.path


class Remote(Db):
    password: str

    def read(self):
        return f"{self.path} {len(self.password)}"


class Warehouse(ConfigurableResource):
    db: Db
    table: str = "t"

    def rows(self):
        return [self.table, self.db.read()]"""
OWN = 'db = Db(path="dev.db")\nwarehouse = Warehouse(db=db, table="rows")\nrate = 2'
PROD = """# Where the money is.
ipy_orch.session().environment(
    "prod",
    {
        # of the airport
        "db": Remote(path="prod.db", password=EnvVar("PROD_PASSWORD")),
        "rate": 3,
    },
)"""
EU = 'session = ipy_orch.session()\nsession.environment("eu-west", dict(warehouse=Warehouse(db=Db(path="eu.db"))))'
ASSETS = [
    "%%asset raw\ndb.read()",
    "%%asset rows\n[raw, *warehouse.rows()]",
    "from ipy_orch import ResourceParam, asset\n@asset\ndef rated(rate: ResourceParam[int], raw):\n  return raw * rate",
]
CELLS = ["%load_ext ipy_orch", CLASSES, OWN, PROD, EU, *ASSETS]
SECRET = "hunter-number-two"
MAKE = """
import json, os
from {target} import materialize
from definitions import defs
made = materialize(defs.assets, resources=defs.resources)
print(json.dumps({{name: made.asset_value(name) for name in ("raw", "rows", "rated")}}))
"""
MADE = {
    "default": {"raw": "dev.db", "rows": ["dev.db", "rows", "dev.db"], "rated": "dev.db" * 2},
    "prod": {"raw": "prod.db 17", "rows": ["prod.db 17", "rows", "prod.db 17"], "rated": "prod.db 17" * 3},
    "eu-west": {"raw": "dev.db", "rows": ["dev.db", "t", "eu.db"], "rated": "dev.db" * 2},
}


def made_by(target: str, folder: Path, deployment: str | None) -> dict[str, object]:
    """Return what a module's assets give in a deployment, in a process of its own."""
    env = {name: value for name, value in os.environ.items() if name != "DAGSTER_DEPLOYMENT"}
    env |= {"DAGSTER_DEPLOYMENT": deployment} if deployment else {}
    code = [sys.executable, "-W", "ignore", "-c", MAKE.format(target=target)]
    done = subprocess.run(code, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["dagster", "ipy_orch"])
def test_each_environment_makes_what_the_session_makes(target, tmp_path, monkeypatch):
    """A dict of resources for each, one chosen by a variable; the note is gone, and no secret is in the text."""
    monkeypatch.setenv("PROD_PASSWORD", SECRET)
    path = saved(tmp_path / "n.ipynb", *CELLS)
    done = export_notebook(path, tmp_path / "definitions.py", target=target)
    assert done.warnings == ()
    text = done.path.read_text()
    assert SECRET not in text
    assert 'EnvVar("PROD_PASSWORD")' in text
    assert made_by(target, tmp_path, None) == MADE["default"]
    for name in ("default", "prod", "eu-west") if target == "dagster" else ("prod",):
        assert made_by(target, tmp_path, name) == MADE[name]


def test_the_session_makes_them_so(tmp_path, monkeypatch):
    """What the module is compared with is what the notebook gives."""
    monkeypatch.setenv("PROD_PASSWORD", SECRET)
    path = saved(tmp_path / "n.ipynb", *CELLS)
    for name, made in MADE.items():
        found = values_of_notebook(read_notebook(path), tmp_path, name).values
        assert found == {f"asset {key}": value for key, value in made.items()}


def test_that_in_use_is_the_modules_own(tmp_path, monkeypatch):
    """`%use` before the export decides what counts where nothing is said; values are compared there."""
    monkeypatch.setenv("PROD_PASSWORD", SECRET)
    path = saved(tmp_path / "n.ipynb", *CELLS, "%use prod")
    monkeypatch.setenv("DAGSTER_DEPLOYMENT", "eu-west")  # the kernel's own is nothing to the proof
    done = export_notebook(path, tmp_path / "definitions.py", target="dagster", verify=True)
    assert done.warnings == ()
    assert 'os.getenv("DAGSTER_DEPLOYMENT", "prod")' in done.path.read_text()
    assert made_by("dagster", tmp_path, None) == MADE["prod"]


def test_a_package(tmp_path, monkeypatch):
    """The environments' resources stand beside the others, `definitions.py` chooses; only runs need the secret."""
    path = saved(tmp_path / "n.ipynb", *CELLS)
    monkeypatch.delenv("PROD_PASSWORD", raising=False)
    done = export_notebook(path, tmp_path / "project", target="dagster", package="shop")
    home = tmp_path / "project/src/shop"
    assert "prod_resources = {" in (home / "defs/resources.py").read_text()
    assert "deployments = {" in done.path.read_text()
    (tmp_path / "definitions.py").write_text(
        f"import sys\nsys.path.insert(0, {str(tmp_path / 'project/src')!r})\nfrom shop.definitions import defs\n"
    )
    assert made_by("dagster", tmp_path, None) == MADE["default"]
    monkeypatch.setenv("PROD_PASSWORD", SECRET)
    assert made_by("dagster", tmp_path, "prod") == MADE["prod"]


# -- text --------------------------------------------------------------------------------------------------------------


def test_as_a_colleague_would_write_it():
    """Comments come along; what an environment doesn't name stays; what holds a swapped resource holds the other."""
    text = static(*CELLS)
    assert (
        """# Where the money is.
prod_resources = {
    # of the airport
    "db": Remote(path="prod.db", password=EnvVar("PROD_PASSWORD")),
    "rate": 3,
}"""
        in text
    )
    assert '"default": {"db": db, "rate": rate, "warehouse": warehouse},' in text
    assert "\"warehouse\": Warehouse(db=prod_resources['db'], table='rows'),\n        **prod_resources,\n    }," in text
    assert '"eu-west": {"db": db, "rate": rate, **eu_west_resources},' in text
    assert "session" not in text.replace("_sessions", "")


def test_no_environments():
    """A module of a notebook without any is what it was."""
    text = static(CLASSES, OWN, *ASSETS)
    assert "deployments" not in text
    assert "import os" not in text


def test_what_a_module_needs_for_itself():
    """An asset named so gets another name for its function; a variable of that name is refused."""
    assert "def deployments_asset(" in static(*CELLS, "%%asset deployments\n1")
    assert "prod_resources_ = {" in static(*CELLS, "prod_resources = 1")
    with pytest.raises(DagsterInvalidDefinitionError, match="`deployments` is a name that the module needs"):
        static(*CELLS, "deployments = 1", "%%asset last\ndeployments")


def test_the_last_one_counts():
    """An environment that is made again has the resources of then."""
    text = static(*CELLS, "session.environment('prod', {'db': Db(path='new.db')})")
    assert "new.db" in text
    assert "Remote(" not in text


# -- what a module can't have ------------------------------------------------------------------------------------------

LEFT_OUT = {
    "inside": (
        "if True:\n    session.environment('x', {'db': Db(path='x')})",
        "environment `x` isn't in the module: no statement of its own makes it (Cell In[8], line 2)",
    ),
    "a name that only running tells": (
        "for name in ('x', 'y'):\n    session.environment(name, {})",
        "an environment isn't in the module: its name is known only when a cell runs (Cell In[8], line 2)",
    ),
    "what can't be a name": (
        "session.environment('x y', {})",
        "environment `x y` isn't in the module: `x y` can't be the name of an environment (Cell In[8], line 1)",
    ),
    "the name of the notebook's own": (
        "session.use('default', {})",
        "environment `default` isn't in the module: `default` is the environment of the notebook's own resources",
    ),
    "a magic": ("x = !ls\nsession.environment('x', {'db': x})", "environment `x` isn't in the module: `!ls`"),
    "what only ipy_orch has": (
        "from ipy_orch import ParquetIOManager as P\nsession.environment('x', {'io_manager': P(base_dir='x')})",
        "environment `x` isn't in the module: dagster has no `ParquetIOManager` (Cell In[8])",
    ),
    "what is in no call": (
        "table = 'other'\nsession.environment('x', {'db': Db(path='x')})\nwarehouse = [Warehouse(db=db)][0]",
        "environment `x` isn't in the module: `warehouse` holds its `db`, and isn't made by one call",
    ),
    "keys that only running tells": (
        "more = {'db': Db(path='x')}\nsession.environment('x', {**more})",
        "environment `x` isn't in the module: only running the notebook tells which resources it has",
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out(name):
    """It is told with its cell, and the rest is there."""
    cell, told = LEFT_OUT[name]
    module, warnings = module_of_notebook(
        file_of(CLASSES, OWN, EU.replace("eu-west", "eu"), *ASSETS, "1", cell, "%use x"), target="dagster"
    )
    assert [one for one in warnings if one.startswith(told)], warnings
    in_use = "environment `x` is in use, and the module's own is `default`"
    assert (in_use in warnings) == told.startswith("environment `x` isn't")
    assert 'os.getenv("DAGSTER_DEPLOYMENT", "default")' in module.text


def test_keys_that_only_running_tells():
    """Where no resource holds another, they needn't be known."""
    cells = [
        CLASSES,
        "db = Db(path='x')\nmore = {'db': Db(path='y')}",
        "ipy_orch.session().use('x', {**more})",
        ASSETS[0],
    ]
    text = static(*cells)
    assert '"x": {"db": db, **x_resources}}' in text
    assert '"DAGSTER_DEPLOYMENT", "x")' in text


# -- and back ----------------------------------------------------------------------------------------------------------


def test_there_and_back(tmp_path):
    """A new notebook has the environments again, and gives the same bytes."""
    path = saved(tmp_path / "n.ipynb", *CELLS)
    first = export_notebook(path, tmp_path / "one.py", target="dagster", prove=False).path
    import_module(first, tmp_path / "back.ipynb")
    cells = [one.text for one in read_notebook(tmp_path / "back.ipynb").cells]
    assert any("ipy_orch.session().environment('prod', {\n" in one for one in cells)
    again = export_notebook(tmp_path / "back.ipynb", tmp_path / "two.py", target="dagster", prove=False).path
    assert again.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("package", [None, "shop"])
def test_an_edit_comes_over(package, tmp_path):
    """The resources of an environment that are edited in the module are edited in its cell, and nothing else is."""
    path = saved(tmp_path / "n.ipynb", *CELLS)
    done = export_notebook(path, tmp_path / ("one" if package else "one.py"), package=package, prove=False)
    assert import_module(tmp_path / "one" if package else done.path, path).changed == ()
    home = next(one for one in done.paths if "prod.db" in one.read_text())
    home.write_text(home.read_text().replace("prod.db", "edited.db"))
    back = import_module(tmp_path / "one" if package else done.path, path)
    assert (back.changed, back.conflicts, back.warnings) == (("prod_resources",), (), ())
    cell = next(one.text for one in read_notebook(path).cells if "edited.db" in one.text)
    assert cell.startswith('# Where the money is.\nipy_orch.session().environment(\n    "prod",\n    {')
