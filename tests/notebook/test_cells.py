from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.notebook.conftest import Notebook


def keys(notebook: Notebook) -> list[str]:
    """Return the assets that exist."""
    return sorted(key.label for key in notebook.session.scan().graph.keys)


def test_a_renamed_asset_leaves_no_ghost(notebook: Notebook) -> None:
    """A cell edited from one asset to another: the first is gone, with its variable."""
    notebook.good("%%asset a\n1", "one")
    notebook.good("%%asset b\n2", "one")
    assert keys(notebook) == ["b"]
    assert "a" not in notebook.variables


def test_an_asset_cell_that_becomes_plain(notebook: Notebook) -> None:
    """A cell edited from an asset to plain code: the asset is gone."""
    notebook.good("%%asset a\n1", "one")
    notebook.good("x = 2", "one")
    assert keys(notebook) == []
    assert "a" not in notebook.variables


def test_a_plain_cell_with_a_syntax_error_changes_nothing(notebook: Notebook) -> None:
    """A half-typed edit keeps the old asset."""
    notebook.good("%%asset a\n1", "one")
    assert notebook.run("x = (", "one").error is not None
    assert keys(notebook) == ["a"]


def test_a_wrong_edit_keeps_the_old_asset(notebook: Notebook) -> None:
    """An edit that can't be an asset shows its error; the old definition stays until a valid edit."""
    notebook.good("%%asset a\n1", "one")
    for body in ("\nreturn 1", "\nx = (", "\na + 1", "\nx = 1", " --oops\n1"):
        assert notebook.run(f"%%asset a{body}", "one").error is not None
        assert "from this session" in notebook.good("%materialize a").status


def test_two_cells_with_one_key(notebook: Notebook) -> None:
    """Two cells with one asset are an error that names both; the first stays."""
    notebook.good("%%asset a\n1", "one")
    ran = notebook.run("%%asset a\n2", "two")
    assert "asset `a` is in two cells" in ran.traceback
    assert "Cell In[2] and Cell In[3]" in ran.traceback
    assert notebook.good("a").out == 1


def test_without_ids_the_asset_is_the_key(notebook: Notebook) -> None:
    """In a terminal a cell with the same asset replaces the former one."""
    notebook.good("%%asset a\n1")
    notebook.good("%%asset a\n2")
    assert notebook.variables["a"] == 2


def test_deleted_cells(notebook: Notebook) -> None:
    """Cells that JupyterLab says were deleted are gone, but not the one that runs."""
    notebook.good("%%asset a\n1", "one")
    notebook.good("%%asset b\n2", "two")
    told = {"metadata": {"deletedCells": ["one", "three"]}}
    notebook.ip.kernel = SimpleNamespace(get_parent=lambda: told)
    try:
        notebook.good("1", "three")
        assert keys(notebook) == ["b"]
        assert "a" not in notebook.variables
        told["metadata"]["deletedCells"] = ["two"]
        notebook.good("%%asset b\n2", "two")
        assert keys(notebook) == ["b"]
    finally:
        del notebook.ip.kernel


def test_a_deleted_decorated_asset(notebook: Notebook) -> None:
    """An asset of a plain cell is gone when the cell defines it no more."""
    notebook.good("from ipy_orch import asset", "i")
    notebook.good("@asset\ndef a():\n    return 1", "one")
    notebook.good("@asset\ndef b():\n    return 1", "one")
    assert keys(notebook) == ["b"]


def test_a_cell_behind_is_named(notebook: Notebook) -> None:
    """A plain cell that ran before a name it reads was redefined is named where a version depends on it."""
    notebook.good("factor = 2", "one")
    notebook.good("double = factor * 2", "two")
    notebook.good("%%asset a\ndouble", "three")
    notebook.good("factor = 3", "one")
    ran = notebook.good("%%asset a\ndouble", "three")
    assert "Cell In[3] is behind: it defines `double` from `factor`, which Cell In[5] defined anew" in ran.shown[-1]
    notebook.good("double = factor * 2", "two")
    assert "behind" not in notebook.good("%%asset a\ndouble", "three").shown[-1]


def test_the_same_value_again_is_not_behind(notebook: Notebook) -> None:
    """Running a plain cell again that gives the same value leaves others as they are."""
    notebook.good("factor = 2", "one")
    notebook.good("double = factor * 2", "two")
    notebook.good("%%asset a\ndouble", "three")
    notebook.good("factor = 2", "one")
    assert "behind" not in notebook.good("%%asset a\ndouble", "three").shown[-1]


def test_a_failed_cell_counts_for_what_it_defined(notebook: Notebook) -> None:
    """Of a cell that failed, the names that it had bound count."""
    notebook.good("factor = 2", "one")
    notebook.good("double = factor * 2", "two")
    notebook.good("%%asset a\ndouble", "three")
    assert notebook.run("factor = 3\n1 / 0", "one").error is not None
    assert "behind" in notebook.good("%%asset a\ndouble", "three").shown[-1]


def test_cells_before_the_extension_count(bare: Notebook) -> None:
    """Helpers of cells that ran before, or beside, loading the extension are followed."""
    bare.good("factor = 2")
    bare.good("%load_ext ipy_orch\nother = 3")
    bare.good("double = factor * other", "two")
    bare.good("%%asset a\ndouble", "three")
    bare.good("factor = 5", "one")
    assert "behind" in bare.good("%%asset a\ndouble", "three").shown[-1]


def test_an_evicted_value_comes_back(notebook: Notebook) -> None:
    """A variable whose value was evicted is made again when a cell reads it."""
    notebook.good("%%asset a\n'x' * 100_000", "one")
    notebook.good("%config Orch.cache_bytes = 1000")
    notebook.good("%%asset b\n'y' * 100_000", "two")
    assert "a" not in notebook.variables
    assert notebook.good("len(a)").out == 100_000


def test_loading_runs_nothing(bare: Notebook) -> None:
    """Loading the extension runs no user code, also of decorated assets that are there already."""
    bare.good("from ipy_orch import asset\n@asset\ndef a():\n    print('ran')")
    assert bare.good("%load_ext ipy_orch").stdout == ""


def test_a_scratch_variable_that_hides_an_asset(notebook: Notebook) -> None:
    """A variable named like an asset is reported, and the asset is read."""
    notebook.good("%%asset raw\n1", "one")
    notebook.good("raw = 99", "two")
    ran = notebook.good("%%asset b\nraw + 1", "three")
    assert ran.shown[0] == "2"
    assert "`raw` is also a variable of yours" in ran.shown[1]


def test_async_cells(notebook: Notebook) -> None:
    """A cell that awaits is an async asset, in both spellings."""
    notebook.good("import asyncio")
    assert notebook.good("%%asset a\nawait asyncio.sleep(0)\n1", "a").shown[0] == "1"
    assert notebook.good("#| asset: b\nawait asyncio.sleep(0)\na + 1", "b").shown[0] == "2"


def test_a_comment_above_the_magic(notebook: Notebook) -> None:
    """Formatters and people put comments on top; the asset and its line numbers are the same."""
    ran = notebook.run("# paid\n%%asset a\n1 / 0")
    assert "Cell In[2], line 3" in ran.traceback
    assert notebook.good("# paid\n#| asset: a\n1").shown[0] == "1"


def test_a_scratch_cell_that_reads_a_stale_value(notebook: Notebook) -> None:
    """The old value is shown, as Python does, and the reader is told."""
    notebook.good("K = 1", "k")
    notebook.good("%%asset a\nK", "a")
    assert notebook.good("a", "scratch").shown == []
    notebook.good("K = 2", "k")
    ran = notebook.good("a", "scratch")
    assert ran.out == 1
    assert ran.shown == ["note: `a` is stale: code changed: K (`%materialize a`)"]
    notebook.good("%materialize a")
    assert notebook.good("a", "scratch").shown == []


def test_a_variable_that_hides_the_asset(notebook: Notebook) -> None:
    """A person's variable is kept, and the cell of the asset says that it isn't the asset's value."""
    notebook.good("a = 5")
    ran = notebook.good("%%asset a\n1")
    assert "`a` is also a variable of yours" in ran.shown[-1]
    assert notebook.variables["a"] == 5


def test_a_check_that_raises_is_told_in_its_own_cell(notebook: Notebook) -> None:
    """The cells of other checks run without it, and the asset's cell shows the value and names it."""
    notebook.good("%%asset a\n1", "a")
    assert isinstance(notebook.run("%%asset_check a bad\na.nope", "bad").error, AttributeError)
    assert "bad" not in notebook.good("%%asset_check a good\na == 1", "good").shown[-1]
    ran = notebook.good("%%asset a\n2", "a")
    assert ran.shown[0] == "2"
    assert "check `a:bad` raised AttributeError" in ran.shown[-1]
    assert isinstance(notebook.run("%materialize a").error, AttributeError)


def test_a_check_of_an_asset_that_nothing_defines(notebook: Notebook) -> None:
    """A typo in the asset's name is told."""
    notebook.good("%%asset orders\n1")
    ran = notebook.good("%%asset_check oders\nTrue")
    assert "nothing defines the asset `oders` (did you mean `orders`?)" in ran.shown[-1]


@pytest.mark.filterwarnings("default::ipy_orch.IsolationWarning")
def test_what_cannot_be_isolated_is_a_notice(notebook: Notebook) -> None:
    """It stands below the value, and not as a warning with a line of ours."""
    ran = notebook.good("%%asset lock\nimport threading\nthreading.Lock()")
    assert "`lock` holds what can't be copied" in ran.shown[-1]
    assert "iomanagers" not in ran.stderr


SECRET = """
import os
from ipy_orch import ConfigurableResource, EnvVar
os.environ["ORCH_TEST_SECRET"] = "hunter2-hunter2"
class Db(ConfigurableResource):
    password: str
db = Db(password=EnvVar("ORCH_TEST_SECRET"))
"""


def test_a_secret_is_masked_live(notebook: Notebook) -> None:
    """In what the cell prints, displays and shows as its value: a saved notebook keeps all of it."""
    notebook.good(SECRET)
    try:
        ran = notebook.good("%%asset a\nprint(db.password)\ndisplay(db.password)\ndb.password")
    finally:
        notebook.good("del os.environ['ORCH_TEST_SECRET']")
    assert "hunter2" not in ran.stdout + str(ran.displays)
    assert "[ORCH_TEST_SECRET]" in ran.stdout


def test_a_directive_that_is_nearly_one_is_told(notebook: Notebook) -> None:
    """The cell runs as the plain one it is; Quarto's own are left alone."""
    ran = notebook.run("#| aset: orders\n40 + 2", "one")
    assert ran.out == 42
    assert "did you mean `#| asset: orders`?" in ran.shown[0]
    assert notebook.good("#| echo: false\n#| label: fig-1\n1", "two").shown == []


def test_a_store_that_is_not_there_says_what_to_type(notebook: Notebook) -> None:
    """A cell with the variable."""
    ran = notebook.run("%%asset orders --io-manager shelf\n1", "one")
    assert "run a cell with `shelf = ...`" in ran.traceback


@pytest.mark.parametrize(
    "text",
    [
        "%%time\nz = k",
        "%%time\n%time z = k",
        "%time z = k",
        "%prun -q z = k",
        "%%capture caught\nz = k",
        "z = !echo {k}",
        "exec('z = k')",
        "globals()['z'] = k",
        "globals().update(z=k)",
        "z = globals()['k']",
    ],
)
def test_code_under_magics_counts(notebook: Notebook, text: str) -> None:
    """What a cell reads and defines under a magic, or through strings, is known as if it stood there."""
    notebook.good("k = 1", "one")
    notebook.good(text, "two")
    assert "behind" not in notebook.good("%%asset a\nstr(z)", "three").shown[-1]
    notebook.good("k = 2", "one")
    told = notebook.good("%%asset a\nstr(z)", "three").shown[-1]
    assert "Cell In[3] is behind: it defines `z` from `k`, which Cell In[5] defined anew" in told
    notebook.good(text, "two")
    assert "behind" not in notebook.good("%%asset a\nstr(z)", "three").shown[-1]


def test_magics_without_code_are_quiet(notebook: Notebook) -> None:
    """Magics and shell lines that define nothing leave nobody behind."""
    notebook.good("k = 1", "one")
    notebook.good("z = 1\n%precision 3\n!true", "two")
    notebook.good("%%asset a\nz", "three")
    notebook.good("k = 2", "one")
    assert "behind" not in notebook.good("%%asset a\nz", "three").shown[-1]


def test_what_a_magic_catches_is_defined_by_its_cell(notebook: Notebook) -> None:
    """`%%capture` and `--out` bind a name."""
    notebook.good("k = 1", "one")
    notebook.good("%%capture caught\nprint(k)", "two")
    notebook.good("%%asset a\ncaught.stdout", "three")
    notebook.good("k = 2", "one")
    assert "it defines `caught` from `k`" in notebook.good("%%asset a\ncaught.stdout", "three").shown[-1]


def test_polars_reads_frames_by_name(notebook: Notebook) -> None:
    """An edited frame that SQL in a string names is seen."""
    notebook.good("import polars as pl\npf = pl.DataFrame({'n': [1]})", "one")
    notebook.good("%%asset a\npl.sql('select * from pf').collect()['n'].to_list()", "two")
    notebook.good("import polars as pl\npf = pl.DataFrame({'n': [2]})", "one")
    notebook.good("%materialize a")
    assert notebook.good("a").out == [2]


def test_a_refused_cell_is_not_kept(notebook: Notebook) -> None:
    """What can't be followed is found when it is planned; the session goes on without the cell."""
    notebook.good("%%asset a\n1")
    notebook.good("def helper(): return a")
    assert "through a helper function" in notebook.run("%%asset h\nhelper()", "h").traceback
    assert list(notebook.good("%assets").out.index) == ["a"]
    notebook.good("%materialize")
    assert "a is fresh" in str(notebook.good("%why a").out)


def test_a_cell_that_is_refused_later_keeps_no_other_from_being_told(notebook: Notebook) -> None:
    """It has failed, and only who asks for it gets the error."""
    notebook.good("%%asset a\n[1]")
    notebook.good("def helper(): return 2", "helper")
    notebook.good("%%asset h\nhelper()", "h")
    notebook.good("def helper(): return a", "helper")
    table = notebook.good("%assets").out
    assert dict(table["status"]) == {"a": "fresh", "h": "failed"}
    assert "through a helper function" in table.loc["h", "reason"]
    notebook.good("%materialize a")
    assert "a is fresh" in str(notebook.good("%why a").out)
    assert "through a helper function" in notebook.run("%materialize h").traceback
    assert "through a helper function" in notebook.run("%%asset h\nhelper()", "h").traceback
    assert list(notebook.good("%assets").out.index) == ["a"]


def test_a_value_of_none_is_told(notebook: Notebook) -> None:
    """Nothing else shows it; where the last line was to give something, how to, once."""
    ran = notebook.good("%%asset a\nprint(1)")
    assert ran.status.splitlines() == [
        "a · None · T",
        "note: the last line of `a` gave None: end the cell with the value, if it has one",
    ]
    assert "\n" not in notebook.good("%%asset b\nx = None\nx").status
    assert "None" not in notebook.good("%%asset c\n0").status


def test_what_nothing_defines_is_told(notebook: Notebook) -> None:
    """An asset that is only waited for is a name like any."""
    notebook.good("%%asset orders\n1")
    ran = notebook.good("%%asset a --deps orderz\n1")
    assert "note: nothing defines the asset `orderz` (did you mean `orders`?)" in ran.status


def test_assets_that_a_loop_loses_are_told(notebook: Notebook) -> None:
    """A loop's variable holds its last asset only; kept in a list, each is there and nothing is told."""
    notebook.good("from ipy_orch import asset", "imports")
    loop = "for name in ('x', 'y'):\n    @asset(name=name)\n    def made(): return 1"
    told = notebook.good(loop, "loop").shown[0]
    assert "so only the last, `y`, is there: `kept.append(made)` in the loop" in told
    again = notebook.good(f"kept = []\n{loop}\n    kept.append(made)", "loop")
    assert not any("note" in shown for shown in again.shown)
    assert keys(notebook) == ["x", "y"]


LOST = {
    "a call": ("made = make(name)", "`y`"),
    "a decorator that is called": ("made = asset(name=name)(f)", "`y`"),
    "an op": ("@op(name=name)\n    def made(): ...", "`y`"),
    "a job": ("made = define_asset_job(name)", "`y`"),
    "a sensor": ("@sensor(name=name, target='*')\n    def made(): ...", "`y`"),
    "no definition": ("made = str(name)", ""),
    "a list's items": ("made = make(name)\n    of_list[name == 'y'] = made", ""),
}


@pytest.mark.parametrize("name", LOST)
def test_what_else_a_loop_loses_is_told(notebook: Notebook, name: str) -> None:
    """Definitions of any kind, made by a decorator or a call."""
    body, last = LOST[name]
    notebook.good("from ipy_orch import asset, define_asset_job, op, sensor\nof_list = [None] * 2\ndef f(): return 1")
    notebook.good("def make(name): return asset(name=name)(f)")
    shown = notebook.good(f"for name in ('x', 'y'):\n    {body}").shown
    assert [f"only the last, {last}, is there" in one for one in shown if "note" in one] == [True] * bool(last)


def test_assets_that_only_a_dict_holds_are_told(notebook: Notebook) -> None:
    """Definitions are looked for in variables and lists, as Dagster's loader does; a list of the dict's has each."""
    notebook.good("from ipy_orch import asset", "imports")
    loop = "kept = {}\nfor name in ('x', 'y'):\n    @asset(name=name)\n    def made(): return 1\n    kept[name] = made"
    told = notebook.good(loop, "loop").shown[0]
    assert "`kept` is a dict: of the loop's `made` only the last, `y`, is there; `all_kept = [*kept.val" in told
    again = notebook.good(f"{loop}\nall_kept = [*kept.values()]", "loop")
    assert not any("note" in shown for shown in again.shown)
    assert keys(notebook) == ["x", "y"]
