"""Exported modules: their text, and what real dagster makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ipy_orch
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.imports import OURS_ALONE
from tests.export.notebooks import Notebook, run_clean

SHOP = (
    """%load_ext ipy_orch
import json, math, os
import pandas as pd
from ipy_orch import Config, ConfigurableResource, EnvVar""",
    """# How many orders count, at most.
LIMIT = 3
SCRATCH = 5


class OrdersConfig(Config):
    limit: int = LIMIT


class Database(ConfigurableResource):
    \"\"\"Rows of a table.\"\"\"

    secret: str
    rows: int = 5

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({"amount": range(1, self.rows + 1)})""",
    """database = Database(secret=EnvVar("SHOP_SECRET"), rows=4)
print(os.getcwd())""",
    """#| asset: raw
#| group: ingest
#| kinds: [duckdb, pandas]
#| owners: team:shop
#| tags: {domain: sales}
#| metadata: {source: "the shop's", rows: 4}
\"\"\"All orders.

As they come.
\"\"\"
# A comment.
text = \"\"\"kept
as it is
\"\"\"
context.log.info("reads")
raw = database.table().assign(text=text)  # the value""",
    """rates = {"eur": 1}


def converted(frame, currency="eur"):
    # By today's rate.
    return rounded(frame["amount"] * rates[currency])


rates["usd"] = 2""",
    "def rounded(column):\n    return column.map(math.floor)",
    """%%asset sales/orders --config OrdersConfig --retries 2 --retry-delay 1 --files data.csv
(
    raw.assign(usd=converted(raw, "usd"))
    # the first ones
    .head(config.limit)
);""",
    "frame = pd.DataFrame()\nSCRATCH * 2",
    "#| asset: total\n#| deps: raw\n#| code_version: 7\nint(orders.usd.sum())",
    "#| asset: waited\nimport asyncio\n\nawait asyncio.sleep(0)\ntotal + 1",
    """#| check: raw
#| name: positive
#| severity: WARN
low = raw.amount.min()
low > 1, {"low": int(low)}""",
    "#| check: sales/orders\n#| blocking: true\n#| description: There are some.\nlen(orders) > 0",
    "#| check: sales/orders:cheap\norders.usd.max() < limit_of(total)",
    "def limit_of(total):\n    return total",
    """from ipy_orch import asset, asset_check


@asset(group_name="late")
def doubled(total: int) -> int:
    return total * rates["usd"]


@asset_check(asset=doubled)
def is_even(doubled) -> bool:
    return doubled % 2 == 0""",
)
EXPECTED = {"raw": [1, 2, 3, 4], "sales/orders": [2, 4, 6], "total": 12, "waited": 13, "doubled": 24}
CHECKS = {
    "raw:positive": [False, "WARN"],
    "sales/orders:orders_check": [True, "ERROR"],
    "sales/orders:cheap": [True, "ERROR"],
    "doubled:is_even": [True, "ERROR"],
}

RUN = """
import json, os
import FRAMEWORK as dg
os.environ["SHOP_SECRET"] = "s3cret"
from definitions import defs

made = dg.materialize([*defs.assets, *defs.asset_checks], resources=defs.resources)
def value(key):
    found = made.asset_value(dg.AssetKey(key.split("/")))
    column = {"raw": "amount", "sales/orders": "usd"}.get(key)
    return [int(one) for one in found[column]] if column else found
checks = {
    f"{one.asset_key.to_user_string()}:{one.check_name}": [one.passed, one.severity.value]
    for one in made.get_asset_check_evaluations()
}
print(json.dumps([{key: value(key) for key in ["raw", "sales/orders", "total", "waited", "doubled"]}, checks]))
"""

MATERIALIZE = """
import dagster as dg
from definitions import defs
made = dg.materialize([*defs.assets, *defs.asset_checks])
"""


@pytest.fixture(scope="module")
def shop() -> Notebook:
    """Return a notebook of many shapes."""
    return Notebook(*SHOP)


@pytest.mark.parametrize("target", ["dagster", "ipy_orch"])
def test_a_clean_process_makes_the_same_values(shop, target, tmp_path):
    """The module, imported where nothing else is, makes the values that the notebook's cells make by hand."""
    shop.write(tmp_path / "definitions.py", target)
    values, checks = json.loads(run_clean(RUN.replace("FRAMEWORK", target), tmp_path).splitlines()[-1])
    assert values == EXPECTED
    assert checks == CHECKS


def test_the_text(shop):
    """The module reads as if a colleague had written it."""
    assert shop.export() == (Path(__file__).parent / "shop.py.txt").read_text()


def test_ruff_agrees(shop, tmp_path):
    """Ruff would neither format nor sort anything anew, and finds no unused import."""
    shop.write(tmp_path / "definitions.py")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--diff", "--isolated"], ["check", "--isolated", "--select", "I,F"]):
        done = subprocess.run(
            [*ruff, *command, "definitions.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_same_notebook_gives_the_same_bytes(shop, monkeypatch):
    """Two exports, and one from a second kernel, are the same; nothing of the session or the machine is inside."""
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    text = shop.export()
    assert text == shop.export() == Notebook(*SHOP).export()
    assert "s3cret" not in text
    assert str(Path.cwd()) not in text


def test_the_order_that_the_front_end_tells():
    """Cells that were run again stand where the notebook has them, not where they ran."""
    notebook = Notebook("#| asset: b\n1", "#| asset: a\n2")
    notebook.run("#| asset: b\n3", "cell-1")
    assert notebook.export().index("def a()") < notebook.export().index("def b()")
    text = notebook.export(order=["cell-1", "cell-2"])
    assert text.index("def b()") < text.index("def a()")


# -- bodies ------------------------------------------------------------------------------------------------------------


def function(*cells: str, name: str = "x", target: str = "dagster") -> str:
    """Return the text of one function of a notebook's module."""
    text = Notebook(*cells).export(target)
    compile(text, "definitions.py", "exec")
    found = [block for block in text.split("\n\n\n") if f"def {name}(" in block]
    assert len(found) == 1, text
    return found[0].partition("\n\n\n")[0]


BODIES = {
    "an expression": ("1 + 1", "    return 1 + 1"),
    "a semicolon": ("y = 1; y;", "    y = 1\n    return y"),
    "an expression over lines": ("max(\n    1,\n    2,\n)", "    return max(\n        1,\n        2,\n    )"),
    "the variable of its name": ("x = 1", "    x = 1\n    return x"),
    "comments": ("# a\n\n1  # b\n# c", "    # a\n\n    return 1  # b\n    # c"),
    "a string over lines": ("y = '''a\n  b\n'''\ny", "    y = '''a\n  b\n'''\n    return y"),
    "an f-string over lines": ("y = 1\nf'''a\n  {y}\n'''", "    y = 1\n    return f'''a\n  {y}\n'''"),
    "a continued string": ("'a\\\nb'", "    return 'a\\\nb'"),
    "not ascii": ("y = 'ä'; 'ö' + y", "    y = 'ä'\n    return 'ö' + y"),
    "a docstring": ('"""Say.\n\nMore.\n"""\n1', '    """Say.\n\n    More.\n    """\n    return 1'),
    "a text as the value": ('"""Say."""', '    return """Say."""'),
    "blocks": (
        "for y in []:\n    pass\n[y for y in [1]]",
        "    for y in []:\n        pass\n    return [y for y in [1]]",
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body(name):
    """A cell becomes a body as it was written, and its value is returned."""
    body, expected = BODIES[name]
    assert function(f"#| asset: x\n{body}") == f"@asset\ndef x():\n{expected}"


VERDICTS = {
    "a comparison": ("a.max() > 1", "return AssetCheckResult(passed=bool(a.max() > 1))"),
    "a bool": ("not a", "return AssetCheckResult(passed=not a)"),
    "a method": ("(a == 1).all()", "return AssetCheckResult(passed=bool((a == 1).all()))"),
    "a pair": ("a > 1, {'n': 1}", "return AssetCheckResult(passed=bool(a > 1), metadata={'n': 1})"),
    "a result": ("AssetCheckResult(passed=True)", "return AssetCheckResult(passed=True)"),
    "a variable": ("ok = a > 1\nok", "ok = a > 1\n    return AssetCheckResult(passed=bool(ok))"),
    "its own name": ("x = a > 1", "x = a > 1\n    return AssetCheckResult(passed=bool(x))"),
    "a pair in a variable": (
        "r = (a > 1, {})\nr",
        "r = (a > 1, {})\n    return check_result(r)",
    ),
    "a comparison over lines": (
        "(\n    a\n    > 1\n)",
        "passed = (\n        a\n        > 1\n    )\n    return AssetCheckResult(passed=bool(passed))",
    ),
    "a pair over lines": (
        "passed = 1\na > 1, {\n    'n': 3,\n}",
        (
            "passed = 1\n    passed_, metadata = a > 1, {\n        'n': 3,\n    }\n"
            "    return AssetCheckResult(passed=bool(passed_), metadata=metadata)"
        ),
    ),
    "metadata that may be numpy's": ("n = a.sum()\nn == 0, {'n': n}", "return check_result((n == 0, {'n': n}))"),
    "a call": ("judge(a)", "return check_result(judge(a))"),
    "a name that is assigned twice": ("r = a > 1\nif a:\n    r = judge(a)\nr", "return check_result(r)"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_value_of_a_check(name):
    """A check returns an AssetCheckResult, made of what its cell's value looks like."""
    body, expected = VERDICTS[name]
    cells = ["from ipy_orch import AssetCheckResult\njudge = print", "#| asset: a\n1", f"#| check: a:x\n{body}"]
    assert function(*cells).endswith(expected)


def test_what_a_check_cannot_be_told_by_its_looks(tmp_path):
    """A bool, a bool with metadata, and a result are all understood by the function that is added then."""
    cells = ["#| asset: a\n1", "def f(a):\n    return a == 2", "def g(a):\n    return a == 1, {'a': a}"]
    checks = ["#| check: a:one\n#| severity: WARN\nf(a)", "#| check: a:two\ng(a)"]
    Notebook(*cells, *checks).write(tmp_path / "definitions.py")
    code = MATERIALIZE
    found = "sorted(made.get_asset_check_evaluations(), key=lambda e: e.check_name)"
    show = f"for e in {found}:\n    print(e.check_name, e.passed, e.severity.value, sorted(e.metadata))"
    printed = run_clean(code + show, tmp_path)
    assert printed.splitlines()[-2:] == ["one False WARN []", "two True ERROR ['a']"]


# -- names -------------------------------------------------------------------------------------------------------------


def test_assets_of_one_name():
    """Assets whose keys end alike have functions of different names, and their readers say which they read."""
    text = Notebook("#| asset: a/x\n1", "#| asset: b/x\n2", "#| asset: y\na__x + b__x").export()
    assert '@asset(name="x", key_prefix="a")\ndef a__x():' in text
    assert 'ins={"a__x": AssetIn(AssetKey(["a", "x"])), "b__x": AssetIn(AssetKey(["b", "x"]))}' in text
    namespace: dict[str, object] = {}
    exec(text, namespace)
    keys = {key.to_user_string() for one in namespace["defs"].assets for key in one.keys}  # type: ignore[attr-defined]
    assert keys == {"a/x", "b/x", "y"}


def test_an_asset_named_like_a_helper():
    """An asset that is named like something that others need keeps its key, and its function has another name."""
    text = Notebook("def clean(a):\n    return a\ndef f(a):\n    return clean(a)", "#| asset: clean\nf(1)").export()
    assert '@asset(name="clean")\ndef clean_asset():' in text
    assert "assets=[clean_asset]" in text


def test_an_asset_named_like_a_name_of_the_module():
    """An asset may be called `defs` or `asset`."""
    text = Notebook("#| asset: defs\n1", "#| asset: asset\ndefs").export()
    assert '@asset(name="asset")\ndef asset_asset(defs):' in text
    exec(text, {})


def test_checks_of_one_name():
    """Checks of different assets may have one name."""
    cells = ["#| asset: a\n1", "#| asset: b\n1", "#| check: a:same\na == 1", "#| check: b:same\nb == 1"]
    text = Notebook(*cells).export()
    assert '@asset_check(asset="a", name="same")\ndef a_same(a):' in text
    assert '@asset_check(asset="b", name="same")\ndef b_same(b):' in text


def test_a_check_that_reads_other_assets(tmp_path):
    """A check that reads another asset, and waits for a third, says so."""
    cells = ["#| asset: a\n1", "#| asset: b\n2", "#| asset: c\n3", "#| check: a:less\n#| deps: c\na < b"]
    notebook = Notebook(*cells)
    assert 'additional_ins={"b": AssetIn("b")},\n    additional_deps=["c"],' in notebook.export() or (
        'additional_ins={"b": AssetIn("b")}, additional_deps=["c"]' in notebook.export()
    )
    notebook.write(tmp_path / "definitions.py")
    code = MATERIALIZE
    assert run_clean(f"{code}print(made.get_asset_check_evaluations()[0].passed)", tmp_path).endswith("True\n")


# -- other ways to define ----------------------------------------------------------------------------------------------


def test_definitions_in_variables(tmp_path):
    """Specs, lists, loops and multi-assets of plain cells are exported as they are written."""
    cells = [
        "import ipy_orch\nfrom ipy_orch import AssetOut, AssetSpec, asset",
        "source = AssetSpec('source')",
        (
            "def made(n):\n    @asset(name=f'a{n}')\n    def f():\n        return n\n    return f\n\n\n"
            "many = [made(n) for n in (1, 2)]"
        ),
        "@ipy_orch.multi_asset(outs={'p': AssetOut(), 'q': AssetOut()})\ndef both(a1):\n    return a1, 2",
        "#| asset: last\n#| deps: source\na2 + q",
    ]
    notebook = Notebook(*cells)
    text = notebook.export()
    assert "import dagster\nfrom dagster import" in text
    assert "@dagster.multi_asset(" in text
    assert "assets=[source, *many, both, last]" in text
    notebook.write(tmp_path / "definitions.py")
    code = "import dagster as dg\nfrom definitions import defs\n"
    run = "made = dg.materialize([one for one in defs.assets if isinstance(one, dg.AssetsDefinition)])\n"
    assert run_clean(f"{code}{run}print(made.asset_value('last'))", tmp_path).endswith("4\n")


def test_resources_that_are_used():
    """Only the resources that something uses are listed, IO managers and those behind an attribute too."""
    cells = [
        "import types\nfrom ipy_orch import ConfigurableResource, InMemoryIOManager",
        "class Db(ConfigurableResource):\n    n: int = 1\n\n\nlib = types.SimpleNamespace(Db=Db)",
        "db = lib.Db(n=2)\nspare = Db()\nkept = InMemoryIOManager()",
        "#| asset: x\n#| io_manager: kept\ndb.n",
    ]
    text = Notebook(*cells).export()
    assert "def x(db: lib.Db):" in text
    assert 'resources={"db": db, "kept": kept}' in text
    assert "spare" not in text


def test_future_annotations(tmp_path):
    """`from __future__ import annotations` of a cell doesn't keep dagster from knowing context and config."""
    cells = [
        "from __future__ import annotations",
        "from ipy_orch import Config\nclass C(Config):\n    n: int = 2",
        "#| asset: x\n#| config: C\ncontext.log.info('')\nconfig.n",
    ]
    Notebook(*cells).write(tmp_path / "definitions.py")
    code = "import dagster as dg\nfrom definitions import defs\nprint(dg.materialize(defs.assets).asset_value('x'))"
    assert run_clean(code, tmp_path).endswith("2\n")


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "nothing": (["x = 1"], "nothing to export", ""),
    "a session name": (["1", "#| asset: x\ny + 1"], "no cell defines `y`", "asset `x`, Cell In[2], line 2"),
    "an asset as a variable": (
        ["#| asset: y\n1", "def f():\n    return y", "#| asset: x\nf()"],
        "`y` is an asset, and a helper reads it",
        "Cell In[2], line 2",
    ),
    "only ours": (["import ipy_orch as o", "#| asset: x\no.session()"], "dagster has no `session`", "Cell In[2]"),
    "only ours, imported": (
        ["from ipy_orch import session", "#| asset: x\nsession()"],
        "dagster has no `session`",
        "Cell In[1]",
    ),
    "only ours, inside": (
        ["1", "#| asset: x\nfrom ipy_orch import session\n1"],
        "dagster has no `session`",
        "Cell In[2]",
    ),
    "a module of ours": (
        ["from ipy_orch.errors import closest", "#| asset: x\nclosest"],
        "is inside ipy_orch",
        "Cell In[1]",
    ),
    "a name of the module": (
        ["def Definitions(): ...", "#| asset: x\nDefinitions()"],
        "`Definitions` is a name",
        "Cell In[1]",
    ),
    "assets and checks in one list": (
        [
            "from ipy_orch import asset, asset_check\n@asset\ndef _a(): ...",
            "@asset_check(asset='_a')\ndef _c(): ...\nboth = [_a, _c]",
        ],
        "`both` holds assets and checks",
        "",
    ),
    "a resource in no variable": (
        [
            "from ipy_orch import ConfigurableResource, Definitions\nclass Db(ConfigurableResource): ...",
            "all_of_it = Definitions(resources={'db': Db()})",
            "#| asset: x\ndb",
        ],
        "resource `db` isn't in a variable",
        "",
    ),
    "a class that names itself": (
        [
            "from __future__ import annotations\nclass C:\n    def f(self) -> C: ...",
            "#| asset: x\ncontext.log.info('')\nC()",
        ],
        "`C` names itself",
        "Cell In[1], line 3",
    ),
    "a date": (["1", "#| asset: x\n#| metadata: {d: 2024-01-01}\n1"], "metadata `d` can't be written", "Cell In[2]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    """What a module can't hold is refused with a hint, and nothing is written."""
    cells, message, where = REFUSED[name]
    notebook = Notebook(*cells)
    with pytest.raises(DagsterError) as error:
        notebook.write(tmp_path / "definitions.py")
    assert message in error.value.message
    assert where in error.value.where
    assert error.value.hint
    assert not list(tmp_path.iterdir())


def test_an_unknown_target():
    """A target that doesn't exist is refused."""
    with pytest.raises(DagsterInvalidDefinitionError, match="`airflow` isn't a target"):
        Notebook("#| asset: x\n1").export("airflow")


def test_names_that_only_ipy_orch_has():
    """The list of names that dagster lacks is complete and holds no others."""
    import dagster

    assert set(ipy_orch.__all__) - set(dir(dagster)) == OURS_ALONE


# -- files -------------------------------------------------------------------------------------------------------------


def test_the_file_is_written_over_only_where_it_is_ours(tmp_path):
    """An export replaces what an export wrote, and nothing else unless it is told to."""
    notebook = Notebook("#| asset: x\n1")
    path = notebook.write(tmp_path / "new" / "definitions.py")
    assert path.read_text().startswith("# Written by ipy_orch")
    notebook.write(path, "ipy_orch")
    assert "from ipy_orch import" in path.read_text()
    path.write_text("mine")
    with pytest.raises(DagsterInvariantViolationError, match="no export wrote it"):
        notebook.write(path)
    assert path.read_text() == "mine"
    assert notebook.write(path, force=True).read_text().startswith("# Written")
    assert [one.name for one in path.parent.iterdir()] == ["definitions.py"]


def test_a_folder_gets_definitions_py(tmp_path):
    """Where a folder is given, the module in it is called as Dagster calls it."""
    assert Notebook("#| asset: x\n1").write(tmp_path) == tmp_path / "definitions.py"


def test_where_a_step_runs_is_a_tag_of_its_op() -> None:
    """An asset's, a check's and an op's; Dagster has it as a label."""
    text = Notebook(
        "from ipy_orch import job",
        "%%asset big --executor dask:tcp://there:8786\n1",
        "#| check: big\n#| executor: threads\nbig == 1",
    ).export()
    assert '@asset(op_tags={"ipy_orch/executor": "dask:tcp://there:8786"})' in text
    assert 'op_tags={"ipy_orch/executor": "threads"}' in text


def test_names_in_strings_go_along(tmp_path: Path) -> None:
    """Frames that SQL names, and variables behind `@`, are arguments or in the module; real dagster finds them."""
    notebook = Notebook(
        "import duckdb\nimport pandas as pd",
        "low = 1\nrates = pd.DataFrame({'r': [10]})",
        "def kept(frame):\n    return frame.query('a > @low')",
        "%%asset src\npd.DataFrame({'a': [1, 2, 3]})",
        "%%asset total\nduckdb.sql('select sum(a * r) from src, rates').fetchall()",
        "%%asset many\nlen(kept(src))",
    )
    text = notebook.export()
    assert "def total(src):" in text
    notebook.write(tmp_path / "m.py", "dagster")
    code = "import m, dagster as dg; r = dg.materialize(m.defs.assets); print(r.output_for_node('total'), "
    assert run_clean(f"{code}r.output_for_node('many'))", tmp_path).splitlines()[-1] == "[(60,)] 2"
