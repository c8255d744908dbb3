"""The main job without a kernel: cells become assets, edits run what they concern, values are isolated."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from tests.session.notebook import Notebook


@pytest.fixture
def nb() -> Notebook:
    """Return an empty notebook."""
    return Notebook()


def ran(report: object) -> list[str]:
    """Return the assets that ran."""
    return [key.label for key in report.materialized]  # type: ignore[attr-defined]


def test_a_cell_reads_another_by_its_name(nb: Notebook) -> None:
    """A free name that is an asset becomes an input."""
    nb.cell("1", "%%asset raw\n[3, 1, 2]")
    nb.cell("2", "%%asset orders\nsorted(raw)")
    assert nb.value("orders") == [1, 2, 3]
    assert nb.namespace["orders"] == [1, 2, 3]


def test_an_asset_of_a_later_cell_is_found(nb: Notebook) -> None:
    """The order of cells doesn't matter for who reads whom."""
    nb.run = False
    nb.cell("2", "%%asset orders\nsorted(raw)")
    nb.cell("1", "%%asset raw\n[3, 1, 2]")
    assert nb.value("orders") == [1, 2, 3]


def test_the_second_time_nothing_runs(nb: Notebook) -> None:
    """An unchanged asset is served from the session."""
    nb.cell("1", "%%asset raw\n[1]")
    report = nb.cell("1", "%%asset raw\n[1]")
    assert ran(report) == []
    assert "from this session" in str(report)


def test_an_edit_runs_what_it_concerns(nb: Notebook) -> None:
    """Only the edited asset and what is downstream of it run again."""
    nb.cell("1", "%%asset raw\n[1, 2]")
    nb.cell("2", "%%asset other\n[7]")
    nb.cell("3", "%%asset both\nraw + other")
    nb.cell("1", "%%asset raw\n[1, 2, 3]")
    report = nb.session.materialize()
    assert ran(report) == ["both"]
    assert nb.value("both") == [1, 2, 3, 7]
    assert "inputs changed: raw" in str(report)


def test_a_stale_ancestor_is_brought_up_to_date_first(nb: Notebook) -> None:
    """Running a downstream cell runs what is stale above it, with the reason."""
    nb.cell("h", "def double(x):\n    return 2 * x")
    nb.cell("1", "%%asset raw\ndouble(1)")
    nb.cell("2", "%%asset top\nraw + 1")
    nb.cell("h", "def double(x):\n    return 3 * x")
    report = nb.cell("2", "%%asset top\nraw + 1")
    assert ran(report) == ["raw", "top"]
    assert nb.value("top") == 4
    assert "code changed: double" in str(report)


@pytest.mark.parametrize(
    "text",
    ["%%asset orders --group ingest\nraw[1:]", "#| asset: orders\n#| group: ingest\nraw[1:]"],
    ids=["magic", "directive"],
)
def test_three_spellings_have_one_code_version(nb: Notebook, text: str) -> None:
    """The same body as `%%asset`, `#|` and decorator is the same asset, so nothing runs again."""
    nb.cell("1", "%%asset raw\n[1, 2]")
    nb.cell("d", "from ipy_orch import asset\n@asset(group_name='ingest')\ndef orders(raw):\n    return raw[1:]")
    nb.session.materialize("orders")
    nb.cell("d", "")
    assert "orders" not in [one.label for one in nb.session.scan().graph.keys]
    assert ran(nb.cell("2", text)) == []
    assert nb.value("orders") == [2]


def test_a_renamed_asset_leaves_no_ghost(nb: Notebook) -> None:
    """An edited name takes the old asset out of the graph."""
    nb.cell("1", "%%asset raw\n[1]")
    nb.cell("1", "%%asset source\n[1]")
    assert [key.label for key in nb.session.scan().graph.keys] == ["source"]


def test_a_deleted_cell_leaves_no_ghost(nb: Notebook) -> None:
    """What no cell defines doesn't exist, whether it was a body or a decorated function."""
    nb.cell("1", "%%asset raw\n[1]")
    nb.cell("2", "from ipy_orch import asset\n@asset\ndef more():\n    return 2")
    nb.delete("1", "2")
    assert nb.session.scan().graph.keys == ()


def test_two_cells_with_one_key_are_refused_by_name(nb: Notebook) -> None:
    """The message names both cells."""
    nb.cell("1", "%%asset raw\n[1]")
    with pytest.raises(DagsterInvalidDefinitionError, match=r"(?s)two cells.*In\[1\] and Cell In\[2\]"):
        nb.cell("2", "%%asset raw\n[2]")


def test_a_cycle_names_its_cells(nb: Notebook) -> None:
    """The message walks along the cycle."""
    nb.run = False
    nb.cell("1", "%%asset a\nb")
    nb.cell("2", "%%asset b\na")
    with pytest.raises(
        DagsterInvalidDefinitionError, match=r"(?s)circle.*Cell In\[1\].*Cell In\[2\]|(?s:circle.*In\[2\].*In\[1\])"
    ):
        nb.session.materialize()


def test_an_asset_that_reads_itself_is_refused(nb: Notebook) -> None:
    """With the line."""
    with pytest.raises(DagsterInvalidDefinitionError, match=r"(?s)reads itself.*line 2"):
        nb.cell("1", "%%asset a\na + 1")


def test_a_helper_that_reads_an_asset_is_refused(nb: Notebook) -> None:
    """A dependency that can't be followed is never silently used."""
    nb.cell("1", "%%asset raw\n[1]")
    nb.cell("h", "def first():\n    return raw[0]")
    with pytest.raises(DagsterInvalidDefinitionError, match="through a helper"):
        nb.cell("2", "%%asset top\nfirst()")


def test_a_scratch_edit_never_reaches_the_value(nb: Notebook) -> None:
    """The bound variable is the person's own copy."""
    nb.cell("1", "%%asset raw\n[1]")
    nb.cell("s", "raw.append(99)")
    nb.cell("2", "%%asset top\nlist(raw)")
    assert nb.value("top") == [1]


def test_a_person_s_variable_is_never_overwritten(nb: Notebook) -> None:
    """A scratch variable named like an asset stays, and the report says which was read."""
    nb.cell("1", "%%asset raw\n[1]")
    nb.cell("s", "raw = 'mine'")
    report = nb.cell("2", "%%asset top\nlist(raw)")
    assert nb.namespace["raw"] == "mine"
    assert nb.value("top") == [1]
    assert "variable of yours" in str(report)


def test_a_cell_behind_is_named(nb: Notebook) -> None:
    """A subclass of an edited class is behind until its cell runs again."""
    nb.cell("b", "class Base:\n    k = 1")
    nb.cell("s", "class Sub(Base):\n    pass")
    nb.cell("1", "%%asset a\nSub.k")
    nb.cell("b", "class Base:\n    k = 2")
    report = nb.cell("1", "%%asset a\nSub.k")
    assert "Cell In[2] is behind" in str(report)
    nb.cell("s", "class Sub(Base):\n    pass")
    report = nb.cell("1", "%%asset a\nSub.k")
    assert "behind" not in str(report)
    assert nb.value("a") == 2


def test_a_global_constant_counts(nb: Notebook) -> None:
    """A value that the body reads is part of the recipe."""
    nb.cell("g", "limit = 1")
    nb.cell("1", "%%asset a\nlimit")
    nb.cell("g", "limit = 2")
    assert nb.value("a") == 2


def test_config_is_a_class_and_counts(nb: Notebook) -> None:
    """Config given once stays for the session, and a change of it runs what it concerns."""
    nb.cell("c", "from ipy_orch import Config\nclass C(Config):\n    limit: int = 1")
    nb.cell("1", "%%asset a --config C\nconfig.limit")
    assert nb.value("a") == 1
    report = nb.session.materialize("a", config={"ops": {"a": {"config": {"limit": 5}}}})
    assert "config changed: limit" in str(report)
    assert nb.value("a") == 5


def test_a_check_runs_with_its_asset(nb: Notebook) -> None:
    """The cell's value is a bool, or a bool with metadata."""
    nb.cell("1", "%%asset a\n[1, 2]")
    nb.cell("k", "%%asset_check a is_short\nlen(a) < 2, {'rows': len(a)}")
    rows = nb.session.scan()
    assert [key.label for key in rows.graph.checks] == ["a:is_short"]
    verdict = nb.session.ledger.checked[next(iter(rows.graph.checks)), None].evaluation
    assert not verdict.passed
    assert verdict.metadata["rows"].value == 2


def test_an_exception_is_never_cached(nb: Notebook) -> None:
    """A failed asset runs again, and its old value isn't served as new."""
    nb.cell("g", "fail = True")
    report = nb.cell("1", "%%asset a\n1 / 0 if fail else 7")
    assert isinstance(report.errors["a"], ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        nb.value("a")
    nb.cell("g", "fail = False")
    assert nb.value("a") == 7


def test_an_evicted_value_is_computed_again(nb: Notebook) -> None:
    """Only it: what is downstream stays fresh."""
    nb.cell("1", "%%asset a\n'x' * 100")
    nb.cell("2", "%%asset b\nlen(a)")
    nb.session.store.drop(nb.session.scan().names["a"])
    report = nb.session.materialize()
    assert ran(report) == ["a"]


def test_forced_means_new(nb: Notebook) -> None:
    """What is downstream of a forced asset counts as stale."""
    nb.cell("1", "%%asset a\n1")
    nb.cell("2", "%%asset b\na")
    nb.session.materialize("a", force=True)
    assert ran(nb.session.materialize("b")) == ["b"]


def test_forget_drops_value_and_name(nb: Notebook) -> None:
    """A forgotten asset counts as never materialized."""
    nb.cell("1", "%%asset a\n1")
    nb.session.forget("a")
    assert "a" not in nb.namespace
    assert ran(nb.session.materialize("a")) == ["a"]


def test_why_shows_the_difference(nb: Notebook) -> None:
    """The code of a helper, before and after."""
    nb.cell("h", "def f(x):\n    return x + 1")
    nb.cell("1", "%%asset a\nf(1)")
    nb.cell("h", "def f(x):\n    return x + 2")
    told = str(nb.session.why("a"))
    assert "code changed: f" in told
    assert "-    return x + 1" in told
    assert "+    return x + 2" in told


MULTI = """\
from ipy_orch import AssetSpec, MaterializeResult, asset, multi_asset
@asset
def base(): return {base}
@multi_asset(specs=[AssetSpec("ma"), AssetSpec("mb", deps=["base", "ma"])]{more})
def mm(context):
    for key in sorted(context.selected_asset_keys):
        yield MaterializeResult(asset_key=key)
"""


@pytest.mark.parametrize("more", ["", ", can_subset=True"])
def test_why_of_what_is_made_together(nb: Notebook, more: str) -> None:
    """An input of one counts for all that a step makes; looking at one of them needs no running of it alone."""
    nb.cell("m", MULTI.format(base=1, more=more))
    nb.session.materialize(["base", "ma", "mb"])
    assert [str(nb.session.why(name)) for name in ("ma", "mb")] == ["ma is fresh", "mb is fresh"]
    nb.cell("m", MULTI.format(base=2, more=more))
    nb.session.materialize(["base"])
    told = [str(nb.session.why(name)) for name in ("ma", "mb")]
    assert [one.partition(" ")[2].splitlines()[1:3] for one in told] == [["  input base", "    its value changed"]] * 2
    nb.session.materialize(["base", "ma", "mb"])
    assert [str(nb.session.why(name)) for name in ("ma", "mb")] == ["ma is fresh", "mb is fresh"]


def test_open_gives_the_inputs(nb: Notebook) -> None:
    """As the function would get them."""
    nb.cell("1", "%%asset a\n[1]")
    nb.cell("2", "%%asset b --no-run\na[5]")
    assert nb.session.open("b") == {"a": [1]}


def test_an_unknown_name_gets_the_closest(nb: Notebook) -> None:
    """With a hint."""
    nb.cell("1", "%%asset orders\n[1]")
    with pytest.raises(DagsterInvariantViolationError, match="orders"):
        nb.value("oders")


def test_a_declared_file_counts(nb: Notebook, tmp_path: object) -> None:
    """A declared file is observed at each request; touching it without a change does nothing."""
    path = tmp_path / "x.txt"  # type: ignore[operator]
    path.write_text("one")
    nb.namespace["path"] = str(path)
    text = f"%%asset a --files '{path}'\nfrom pathlib import Path\nPath(path).read_text()"
    assert nb.cell("1", text) is not None
    path.write_text("two")
    assert nb.value("a") == "two"
    path.touch()
    assert ran(nb.session.materialize()) == []


def test_materialize_from_inside_an_asset_is_refused(nb: Notebook) -> None:
    """One clear error instead of a deadlock."""
    nb.namespace["session"] = nb.session
    nb.cell("1", "%%asset a\n1")
    report = nb.cell("2", "%%asset b\nsession.value('a')")
    assert isinstance(report.errors["b"], DagsterInvariantViolationError)


def test_the_last_line_is_the_value_and_a_surprise_is_told(nb: Notebook) -> None:
    """Not the variable named like the asset, where both are there; the report says so."""
    report = nb.cell("1", "%%asset orders\norders = [1, 2]\nlen(orders)")
    assert nb.value("orders") == 2
    assert "the value of `orders` is the last line, `len(orders)`" in str(report)
    assert "last line" not in str(nb.cell("1", "%%asset orders\norders = [1, 2]\norders"))


def test_importing_again_leaves_nobody_behind(nb: Notebook) -> None:
    """A cell that runs again unchanged, and gives the same, says nothing."""
    nb.cell("i", "import pandas as pd\nfrom math import floor")
    nb.cell("d", "low = floor(pd.Series([1.5])[0])")
    nb.cell("1", "%%asset a\nlow")
    nb.cell("i", "import pandas as pd\nfrom math import floor")
    assert "behind" not in str(nb.cell("1", "%%asset a\nlow"))


def test_many_helpers_cost_no_more_than_they_are(nb: Notebook) -> None:
    """Helpers that share helpers in many layers are followed once each."""
    nb.cell("h0", "def f0_0():\n    return 1\ndef f0_1():\n    return 1")
    for n in range(1, 40):
        body = f"return f{n - 1}_0() or f{n - 1}_1()"
        nb.cell(f"h{n}", f"def f{n}_0():\n    {body}\ndef f{n}_1():\n    {body}")
    nb.cell("d", "value = f39_0()")
    nb.cell("1", "%%asset a\nvalue + f39_1()")
    assert nb.value("a") == 2


def test_a_broken_cell_doesn_t_stop_the_others(nb: Notebook) -> None:
    """The session goes on; only who needs it hears of it."""
    nb.cell("1", "%%asset a\n1")
    nb.run = False
    nb.cell("2", "%%asset b\nconfig.limit")
    nb.run = True
    assert nb.value("a") == 1
    with pytest.raises(DagsterInvalidDefinitionError, match="of which class"):
        nb.value("b")


def test_an_input_that_nothing_defines_names_its_reader(nb: Notebook) -> None:
    """With the closest name."""
    nb.cell("1", "%%asset orders\n1")
    nb.cell("2", "from ipy_orch import asset\n@asset\ndef top(oders):\n    return 1")
    with pytest.raises(DagsterInvalidDefinitionError, match=r"(?s)`top` reads `oders`.*In\[2\].*did you mean `orders`"):
        nb.value("top")


def test_keys_of_several_parts(nb: Notebook) -> None:
    """They are spelled with slashes, and read by their last part."""
    nb.cell("1", "%%asset sales/orders\n[1]")
    nb.cell("2", "%%asset top --deps sales/orders\n7")
    nb.cell("3", "%%asset total\nsum(orders)")
    assert nb.value("sales/orders") == [1]
    assert nb.value("total") == 1
    assert (
        str(nb.session.scan().graph.upstream[nb.session.scan().names["top"]])
        == "frozenset({AssetKey(['sales', 'orders'])})"
    )


def test_a_blocking_check_stops_later_requests_too(nb: Notebook) -> None:
    """Until it passes, what is downstream doesn't run, though the asset itself is fresh."""
    nb.cell("1", "%%asset a\n[1]")
    nb.cell("k", "#| check: a\n#| name: long\n#| blocking: true\nlen(a) > 1")
    report = nb.cell("2", "%%asset b\nlen(a)")
    assert ran(report) == []
    assert "skipped: a_long failed" in str(report)
    nb.cell("1", "%%asset a\n[1, 2]")
    assert nb.value("b") == 2


def test_checks_that_are_made_together(nb: Notebook) -> None:
    """A function that checks two assets, and can't leave one out, runs whole with either of them."""
    nb.cell("raw", "%%asset raw\n1")
    nb.cell("other", "%%asset other\n1")
    specs = "[AssetCheckSpec('a', asset='raw'), AssetCheckSpec('b', asset='other')]"
    text = f"@multi_asset_check(specs={specs})\ndef both():\n"
    results = (f"    yield AssetCheckResult(passed=True, check_name='{one}')" for one in "ab")
    imports = "from ipy_orch import AssetCheckResult, AssetCheckSpec, multi_asset_check\n"
    nb.cell("both", imports + text + "\n".join(results))
    assert nb.session.materialize("raw").success
    assert list(nb.session.checks()["status"]) == ["passed", "passed"]


def test_a_blocking_check_written_later_is_asked_first(nb: Notebook) -> None:
    """A check that never ran is a gate like any other."""
    nb.cell("1", "%%asset a\n[1]")
    nb.cell("k", "#| check: a\n#| name: long\n#| blocking: true\n#| run: false\nlen(a) > 1")
    assert ran(nb.cell("2", "%%asset b\nlen(a)")) == []


def test_a_check_of_its_own_that_blocks_makes_the_asset_run_again(nb: Notebook) -> None:
    """Its value is stored, but the step failed: it isn't fresh, and nobody reads it."""
    nb.cell(
        "1",
        "from ipy_orch import AssetCheckResult, AssetCheckSpec, Output, asset\n"
        "@asset(check_specs=[AssetCheckSpec('long', asset='a', blocking=True)])\n"
        "def a():\n    yield Output([1])\n    yield AssetCheckResult(passed=False)",
    )
    nb.cell("2", "%%asset b\nlen(a)")
    report = nb.session.materialize("b")
    assert ran(report) == []
    assert "failed last time" in str(nb.session.plan("b").steps[0].reason)


def test_an_edit_taken_back_serves_the_value_that_was_made(nb: Notebook) -> None:
    """A failure in between doesn't spoil a value whose recipe is that of now."""
    nb.cell("1", "%%asset a\n[1]")
    nb.cell("1", "%%asset a\n1 / 0")
    report = nb.cell("1", "%%asset a\n[1]")
    assert ran(report) == []
    assert nb.value("a") == [1]
    assert str(nb.session.statuses(nb.session.scan())[nb.session.scan().names["a"]]) == "fresh"


def test_a_check_that_raised_is_told_so(nb: Notebook) -> None:
    """Until it gives a verdict, with its error."""
    nb.cell("1", "%%asset a\n[1]")
    nb.cell("k", "%%asset_check a wrong\na.oops")
    row = nb.session.checks().loc[("a", "wrong")]
    assert (row["status"], row["reason"]) == ("raised", "AttributeError: 'list' object has no attribute 'oops'")
    nb.cell("k", "%%asset_check a wrong\nlen(a) == 1")
    assert nb.session.checks().loc[("a", "wrong"), "status"] == "passed"


def told(nb: Notebook, name: str = "t") -> str:
    """Bring an asset up to date, and return what the report says."""
    return str(nb.session.materialize(name))


@pytest.mark.parametrize(
    ("head", "first", "second", "body", "values"),
    [
        ("import duckdb, pandas as pd", "%%asset k\npd.DataFrame({'a': [1]})", "%%asset k\npd.DataFrame({'a': [5]})",
         "duckdb.sql('select sum(a) from k').fetchall()[0][0]", (1, 5)),
        ("import duckdb, pandas as pd", "k = pd.DataFrame({'a': [1]})", "k = pd.DataFrame({'a': [5]})",
         "q = f'select sum(a) from k where a > {0}'\nduckdb.connect().execute(q).fetchall()[0][0]", (1, 5)),
        ("import polars as pl", "%%asset k\npl.DataFrame({'a': [1]})", "%%asset k\npl.DataFrame({'a': [5]})",
         "pl.sql('select * from k').collect()['a'].sum()", (1, 5)),
        ("import pandas as pd", "k = 1", "k = 2", "len(pd.DataFrame({'a': [1, 2, 3]}).query('a > @k'))", (2, 1)),
        ("import pandas as pd", "%%asset k\n1", "%%asset k\n2", "int(pd.DataFrame({'a': [3]}).eval('a * @k').sum())",
         (3, 6)),
        ("import pandas as pd\ndef h():\n    return int(pd.DataFrame({'a': [3]}).eval('a * @k').sum())",
         "k = 1", "k = 2", "h()", (3, 6)),
    ],
)  # fmt: skip
def test_names_in_strings_are_followed(
    nb: Notebook, head: str, first: str, second: str, body: str, values: tuple[int, int]
) -> None:
    """What a library looks up by a name in SQL or after `@` is an input, or a global, like any other."""
    nb.cell("h", head)
    nb.cell("k", first)
    nb.cell("t", f"%%asset t\n{body}")
    assert nb.value("t") == values[0]
    assert "behind" not in told(nb)
    nb.run = False
    nb.cell("k", second)
    assert nb.value("t") == values[1]


def test_what_its_own_cell_brings_by_star_is_not_new(nb: Notebook) -> None:
    """A cell that imports by `*` and reads what that brings isn't behind itself, however often it runs."""
    text = "from ipy_orch import *\n@asset\ndef one(): return 1"
    for _ in range(2):
        nb.cell("a", text)
        assert "behind" not in str(nb.session.materialize(["one"]))
        assert "behind" not in str(nb.session.why("one"))


def test_a_frame_in_sql_is_found_in_another_process() -> None:
    """An asset that a string names is an argument, which goes along to where the step runs."""
    nb = Notebook(run=False)
    nb.cell("h", "import duckdb, pandas as pd\nfrom ipy_orch import *")
    nb.cell("k", "%%asset k\npd.DataFrame({'a': [1]})")
    nb.cell("t", "%%asset t\nduckdb.sql('select sum(a) from k').fetchall()")
    assert nb.session.materialize(["t"], executor="processes").success
    assert nb.value("t") == [(1,)]


def test_tables_of_a_database_are_no_inputs(nb: Notebook) -> None:
    """What is declared without a value, waited for, or the asset itself isn't loaded for the SQL that names it."""
    nb.cell("h", "import sqlite3\nfrom ipy_orch import AssetSpec\nusers = AssetSpec('users')")
    nb.cell("a", "%%asset made\n1")
    nb.cell("c", "con = sqlite3.connect(':memory:')\nmade_here = con.execute('create table t (n)')")
    nb.cell("t", "%%asset t --deps made\nlen(['select * from users, made, t', con.execute('select n from t')])")
    assert nb.session.scan().graph.upstream[nb.session.key("t", nb.session.scan())] == {
        nb.session.key("made", nb.session.scan())
    }


def test_a_cell_that_read_an_asset_is_behind(nb: Notebook) -> None:
    """A plain cell is named when the asset that it read has another value now, or would have one."""
    nb.cell("a", "%%asset a\n1")
    nb.cell("z", "z = a + 1")
    nb.cell("t", "%%asset t\nz")
    assert "behind" not in told(nb)
    nb.run = False
    nb.cell("a", "%%asset a\n2")
    assert "Cell In[2] is behind: it defines `z` from `a`, which Cell In[4] defined anew" in told(nb)
    assert "is behind" in str(nb.session.why("t"))
    nb.value("a")
    assert "Cell In[2] is behind" in told(nb)
    nb.cell("z", "z = a + 1")
    assert "behind" not in told(nb)
    assert nb.value("t") == 3


@pytest.mark.parametrize(
    "change",
    ["box['k'] = k", "row.append(k)", "row.extend([k])", "one.k = k", "setattr(one, 'k', k)", "box.update(k=k)"],
)
def test_a_cell_that_changes_a_value_in_place_is_behind(nb: Notebook, change: str) -> None:
    """A plain cell that changes what another defines is named like one that defines it."""
    nb.cell("s", "class One: pass\nbox, row, one = {}, [5, 6, 7], One()")
    nb.cell("k", "k = 1")
    nb.cell("c", change)
    nb.cell("t", "%%asset t\nbox, row, vars(one)")
    assert "behind" not in told(nb)
    nb.cell("k", "k = 2")
    assert "Cell In[3] is behind: it changes `" in (report := told(nb))
    assert "by `k`, which Cell In[5] defined anew" in report
    nb.cell("c", change)
    assert "behind" not in told(nb)


def test_a_change_that_is_gone_or_undone_is_told(nb: Notebook) -> None:
    """A value that was defined anew lacks the change, and one whose change was deleted has it still."""
    nb.cell("b", "box = {}")
    nb.cell("c", "box['k'] = 1")
    nb.cell("n", "n = len(box)")
    nb.cell("t", "%%asset t\nbox, n")
    nb.cell("b", "box = {}")
    assert "Cell In[2] is behind: it changes `box`, which Cell In[5] defined anew" in told(nb)
    nb.cell("c", "box['k'] = 2")
    assert "Cell In[3] is behind: it defines `n` from `box`, which Cell In[6] changed" in told(nb)
    nb.cell("n", "n = len(box)")
    assert "behind" not in told(nb)
    nb.delete("c")
    assert "Cell In[5] is behind: it defines `box`, which Cell In[6] changed before it was" in told(nb)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file of a module of the user's own."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "rates_of_ours.py"
    file.write_text("K = 1\ndef rate(): return K\n")
    yield file
    sys.modules.pop("rates_of_ours", None)


@pytest.mark.parametrize(
    ("head", "reader"),
    [
        ("import rates_of_ours as m", "z = m.K"),
        ("import rates_of_ours as m", "z = m.rate()"),
        ("import rates_of_ours as m", "def f():\n    return m.K\nz = f()"),
        ("from rates_of_ours import *", "z = K"),
        ("from rates_of_ours import rate", "z = rate()"),
        ("from rates_of_ours import K", "z = K"),
        ("1", "import rates_of_ours as m\nz = m.K"),
    ],
)
def test_a_cell_that_read_an_edited_module_is_behind(nb: Notebook, module: Path, head: str, reader: str) -> None:
    """A plain cell is named when a module it read is edited, until that is loaded anew and the cell run again."""
    nb.cell("m", head)
    nb.cell("z", reader)
    nb.cell("t", "%%asset t\nz")
    module.write_text("# a comment\nK = 1\ndef rate(): return K\n")
    assert "behind" not in told(nb)
    module.write_text("K = 22\ndef rate(): return K\n")
    assert "whose file has been edited since" in told(nb)
    nb.cell("z", reader)
    assert "whose file has been edited since" in told(nb)
    importlib.reload(sys.modules["rates_of_ours"])
    assert "whose file has been edited since" in told(nb)
    nb.cell("m", head)
    nb.cell("z", reader)
    assert "behind" not in told(nb)
    assert nb.value("t") == 22


def test_what_a_cell_calls_counts_for_it(nb: Notebook) -> None:
    """A cell reads what its own functions read that it calls, and not what those read that it only defines."""
    nb.cell("k", "k = 1")
    nb.cell("o", "other = 1")
    nb.cell("z", "def f():\n    return k\ndef g():\n    return other\nz = f()")
    nb.cell("t", "%%asset t\nz, g()")
    nb.cell("o", "other = 2")
    assert "behind" not in told(nb)
    nb.cell("k", "k = 2")
    assert "it defines `z` from `k`" in told(nb)
