from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from tests.notebook.conftest import Notebook


def test_a_cell_becomes_an_asset(notebook: Notebook) -> None:
    """The cell shows its value and one status line, and the value is in a variable."""
    ran = notebook.good("%%asset orders\n[1, 2, 3]")
    assert ran.shown[0] == "[1, 2, 3]"
    assert ran.status == "orders · 3 · T"
    assert len(ran.shown) == 2
    assert notebook.good("sum(orders)").out == 6


def test_a_directive_means_the_same(notebook: Notebook) -> None:
    """The three spellings of an asset have one version."""
    bodies = ["%%asset a\nx = 1\nx + 1", "#| asset: a\nx = 1\nx + 1"]
    for body in bodies:
        notebook.good(body, "one")
    assert notebook.session.ledger.materialized
    assert len(notebook.session.history.runs) == 1


def test_the_directive_takes_options(notebook: Notebook) -> None:
    """Options stand in lines of YAML, and the cell is Python all the same."""
    notebook.good("#| asset: a\n#| group: ingest\n#| kinds: [duckdb]\n1")
    spec = notebook.session.scan().graph.spec(next(iter(notebook.session.scan().graph.keys)))
    assert spec.group_name == "ingest"
    assert spec.kinds == {"duckdb"}


def test_a_directive_without_the_extension_is_a_comment(bare: Notebook) -> None:
    """A cell with a directive is a plain cell where the extension isn't loaded."""
    assert bare.good("#| asset: a\n1 + 1").out == 2


def test_ancestors_run_first(notebook: Notebook) -> None:
    """Running a cell brings stale ancestors up to date, each with a line and its reason."""
    notebook.good("%%asset raw\n[1, 2]", "a")
    notebook.good("%%asset total\nsum(raw)", "b")
    notebook.good("%%asset raw --no-run\n[1, 2, 3]", "a")
    ran = notebook.good("%%asset total\nsum(raw)", "b")
    assert ran.shown[0].startswith("raw · 3 · ")
    assert "code changed" in ran.shown[0]
    assert ran.shown[1] == "6"
    assert "reads raw" in ran.shown[2]


def test_an_asset_of_a_later_cell_is_found(notebook: Notebook) -> None:
    """The order of cells doesn't matter for assets."""
    ran = notebook.run("%%asset total\nsum(raw)", "b")
    assert isinstance(ran.error, NameError)
    notebook.good("%%asset raw\n[1, 2]", "a")
    assert notebook.good("%%asset total\nsum(raw)", "b").shown[0] == "3"


def test_a_second_run_is_served(notebook: Notebook) -> None:
    """An unchanged asset isn't run again: prints and displays are shown again, and the status line says so."""
    notebook.good("from IPython.display import display")
    cell = "%%asset a\nprint('hello')\ndisplay({'text/plain': 'rich'}, raw=True)\n5"
    first, second = notebook.good(cell, "a"), notebook.good(cell, "a")
    assert first.stdout == second.stdout == "hello\n"
    assert first.shown[:2] == second.shown[:2] == ["rich", "5"]
    assert second.status == "a · from this session · T"
    assert len(notebook.session.history.runs) == 1


def test_a_semicolon_hides_the_value(notebook: Notebook) -> None:
    """A trailing semicolon hides the value, not the status."""
    ran = notebook.good("%%asset a\n[1, 2];")
    assert len(ran.shown) == 1
    assert ran.shown[0].startswith("a · 2")


def test_the_value_may_be_a_variable(notebook: Notebook) -> None:
    """Without a last expression the variable named like the asset is the value; others stay local."""
    notebook.good("%%asset a\nlocal = 1\na = local + 1")
    assert notebook.variables["a"] == 2
    assert "local" not in notebook.variables


def test_no_run_registers(notebook: Notebook) -> None:
    """With --no-run, or autorun off, a cell is only registered."""
    notebook.good("%%asset raw --no-run\n1 / 0", "a")
    notebook.good("%config Orch.autorun = False")
    ran = notebook.good("%%asset b\nraw", "b")
    assert ran.shown == ["b · registered, not run · reads raw"]
    assert not notebook.session.history.runs


def test_a_value_is_not_kept_by_out(notebook: Notebook) -> None:
    """Neither Out nor `_` hold a value that was shown."""
    notebook.good("class Thing:\n    pass")
    ran = notebook.good("%%asset a\nThing()")
    assert ran.shown[0].startswith("<")
    kept = weakref.ref(notebook.variables["a"])
    assert not any(isinstance(v, notebook.variables["Thing"]) for v in notebook.variables["Out"].values())
    notebook.good("%forget a")
    gc.collect()
    assert kept() is None


# -- checks -----------------------------------------------------------------------------------------------------------


def test_a_check_cell(notebook: Notebook) -> None:
    """A check's cell shows its verdict; run again, it's served."""
    notebook.good("%%asset orders\n[1, 2]", "a")
    cell = "%%asset_check orders has_rows\nlen(orders) > 1, {'rows': len(orders)}"
    first = notebook.good(cell, "c")
    assert first.status.startswith("✓ orders:has_rows passed · T")
    assert "rows: 2" in first.status
    assert "<td" in first.displays[-1]["text/html"]
    assert "from this session" in notebook.good(cell, "c").status


def test_keys_among_what_a_check_found(notebook: Notebook) -> None:
    """They are written as everywhere else, in the cell and in the table."""
    notebook.good("%%asset orders\n1", "a")
    notebook.good("from ipy_orch import AssetKey, TableColumnDep, TableColumnLineage", "i")
    found = "{'of': AssetKey(['a', 'b']), 'from': TableColumnLineage({'n': [TableColumnDep(['a', 'b'], 'm')]})}"
    told = notebook.good(f"%%asset_check orders one\norders == 1, {found}", "c")
    assert "of: a/b" in told.status
    assert "from: n ← a/b.m" in told.status
    assert "AssetKey" not in told.displays[-1]["text/html"]
    (row,) = notebook.session.checks()["found"]
    assert row == "of=a/b, from=n ← a/b.m"


def test_a_check_that_warns(notebook: Notebook) -> None:
    """A failed check of severity WARN warns, and the asset's line says so."""
    notebook.good("%%asset orders\n[]", "a")
    assert notebook.good("#| check: orders\n#| name: full\n#| severity: WARN\nlen(orders) > 0", "c").status.startswith(
        "⚠ orders:full warned"
    )
    assert "checks 0/1 ⚠ full" in notebook.good("%%asset orders\n[]", "a").status


def test_a_check_that_prints(notebook: Notebook) -> None:
    """What a check prints appears in its cell, also when its verdict is served."""
    notebook.good("%%asset a\n1", "a")
    cell = "%%asset_check a\nprint('looking')\nTrue"
    assert notebook.good(cell, "c").stdout == "looking\n"
    assert notebook.good(cell, "c").stdout == "looking\n"


def test_a_blocking_check_stops(notebook: Notebook) -> None:
    """A blocking check that fails stops what is downstream, with a message and no traceback."""
    notebook.good("%%asset a\n1", "a")
    ran = notebook.run("%%asset_check a big --blocking\na > 1", "c")
    assert "blocking check failed: `a:big`" in ran.traceback
    assert "Traceback" not in ran.traceback


# -- decorated functions ----------------------------------------------------------------------------------------------


def test_decorated_functions_run(notebook: Notebook) -> None:
    """Assets of a plain cell are run when it has run; the last one's value is shown."""
    ran = notebook.good(
        "from ipy_orch import AssetCheckResult, asset, asset_check\n"
        "@asset\ndef raw():\n    return [1, 2]\n"
        "@asset\ndef total(raw):\n    return sum(raw)\n"
        "@asset_check(asset=total)\ndef positive(total):\n    return AssetCheckResult(passed=total > 0)",
        "a",
    )
    assert ran.shown[0] == "3"
    lines = ran.status.splitlines()
    assert lines[0].startswith("raw · 2 · T")
    assert lines[1].startswith("total · T · checks 1/1")
    assert lines[2].startswith("✓ total:positive passed")


def test_decorated_functions_are_served(notebook: Notebook) -> None:
    """Running the plain cell again computes nothing."""
    cell = "from ipy_orch import asset\n@asset\ndef raw():\n    print('made')\n    return [1, 2]"
    first, second = notebook.good(cell, "a"), notebook.good(cell, "a")
    assert first.stdout == second.stdout == "made\n"
    assert "from this session" in second.status
    assert len(notebook.session.history.runs) == 1


def test_a_decorated_function_fails_its_cell(notebook: Notebook) -> None:
    """An asset of a plain cell that raises makes the cell fail, with the user's frame."""
    ran = notebook.run("from ipy_orch import asset\n@asset\ndef bad():\n    return 1 / 0", "a")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "1 / 0" in ran.traceback
    assert "ipy_orch/" not in ran.traceback


# -- line magics ------------------------------------------------------------------------------------------------------


def test_materialize(notebook: Notebook) -> None:
    """%materialize shows a line per asset with its reason."""
    notebook.good("%%asset a --no-run\n1", "a")
    notebook.good("%%asset b --no-run\na + 1", "b")
    ran = notebook.good("%materialize b")
    lines = ran.status.splitlines()
    assert lines[0].startswith("a · T · never materialized")
    assert lines[1].startswith("b · T · reads a · never materialized")
    assert "from this session" in notebook.good("%materialize b").status
    assert "forced" in notebook.good("%materialize b --force").status


def test_materialize_several(notebook: Notebook) -> None:
    """Several names mean all of them; a selection string means what it says."""
    for name in "abc":
        notebook.good(f"%%asset {name} --no-run\n1", name)
    assert [line[0] for line in notebook.good("%materialize a b").status.splitlines()] == ["a", "b"]
    assert [line[0] for line in notebook.good("%materialize not a and not b").status.splitlines()] == ["c"]


def test_materialize_of_nothing(notebook: Notebook) -> None:
    """Without assets there is nothing to do."""
    assert notebook.good("%materialize").shown == ["nothing to do"]


def test_materialize_fails_visibly(notebook: Notebook) -> None:
    """A failed asset makes the cell fail with the user's exception; the lines are shown before."""
    notebook.good("%%asset a --no-run\n1 / 0", "a")
    notebook.good("%%asset b --no-run\na", "b")
    ran = notebook.run("%materialize")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "a · failed: ZeroDivisionError" in ran.shown[0]
    assert "b · skipped: a failed" in ran.shown[0]
    assert "1 / 0" in ran.traceback
    assert "run_line_magic" not in ran.traceback


def test_materialize_with_config(notebook: Notebook, tmp_path: Path) -> None:
    """Run config is given as YAML or as a file."""
    notebook.good("from ipy_orch import Config\nclass Limit(Config):\n    limit: int = 1")
    notebook.good("%%asset a --config Limit\nconfig.limit")
    notebook.good("%materialize a --config '{ops: {a: {config: {limit: 5}}}}'")
    assert notebook.variables["a"] == 5
    (tmp_path / "run.yaml").write_text("ops: {a: {config: {limit: 7}}}")
    notebook.good(f"%materialize a --config {tmp_path / 'run.yaml'}")
    assert notebook.variables["a"] == 7


def test_materialize_with_workers(notebook: Notebook) -> None:
    """Workers run steps of their own; prints don't appear in the cell of the magic."""
    for name in "abc":
        notebook.good(f"%%asset {name} --no-run\nprint('{name}')\n'{name}'", name)
    ran = notebook.good("%materialize --workers 3")
    assert ran.stdout == ""
    assert len(ran.status.splitlines()) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%materialize nope", "there is no asset `nope`, but it was selected (`%assets` lists them)"),
        ("%materialize group:defaul", "there is no group `defaul` (did you mean `default`?)"),
        ('%materialize orders --config "n: 2"', "`{ops: {orders: {config: {n: ...}}}}`"),
        ("%%asset a --kinds a b c\n1", "with commas: `--kinds a,b`"),
        ("%materialize --forse", "`%materialize` has no option `--forse` (did you mean `--force`?; `%materialize?`"),
        ("%materialize --config nope.yaml", "there is no file `nope.yaml`"),
        ("%why nope", "there is no asset `nope`"),
        ("%why", "`%why` needs more: asset (`%why ASSET`; `%why?` says more)"),
        ("%open orderz", "did you mean `orders`"),
        ("%forget", "`%forget SELECTION`"),
        ("%%asset\n1", "needs a name"),
        ("%%asset a b\n1", "takes one name"),
        ("%%asset a --gruop x\n1", "did you mean `--group`"),
        ("%%asset 1a\n1", "can't be the name of an asset"),
        ("#| asset: a\n#| gruop: b\n1", "did you mean `group`"),
        ("%%asset_check\n1", "needs a name"),
    ],
)
def test_misuse(notebook: Notebook, line: str, message: str) -> None:
    """What is typed wrongly gets a short message and no traceback, and the cell fails."""
    notebook.good("%%asset orders --no-run\n1")
    ran = notebook.run(line)
    assert ran.error is not None
    assert not ran.traceback
    assert "UsageError: " in ran.stderr
    assert message in ran.stderr


def test_help(notebook: Notebook) -> None:
    """Each magic explains itself, with its options."""
    for name in ("asset", "asset_check"):
        text = notebook.ip.magics_manager.magics["cell"][name].__doc__
        assert "--severity" in text or "--group NAME" in text
        assert "::\n\n  %" in text
    for name in ("materialize", "assets", "checks", "runs", "events", "why", "open", "lineage", "export", "forget"):
        assert f"%{name}" in notebook.ip.magics_manager.magics["line"][name].__doc__


def test_help_as_an_option(notebook: Notebook) -> None:
    """As after a shell's command; nothing is run."""
    for line in ("%materialize --help", "%materialize -h", "%%asset a --help\n1"):
        ran = notebook.run(line)
        assert ran.error is None
        assert "::\n\n  %" in ran.stdout
    assert not notebook.session.history.runs


def test_config_that_stays_is_told(notebook: Notebook) -> None:
    """The first time it is given, and by %why; and it can be dropped."""
    notebook.good("from ipy_orch import Config\nclass C(Config): n: int = 1")
    notebook.good("%%asset w --config C\nconfig.n")
    told = "the config stays for the session; `--config {}` drops it"
    assert told in notebook.good("%materialize w --config '{ops: {w: {config: {n: 2}}}}'").shown[-1]
    assert told not in notebook.good("%materialize w --config '{ops: {w: {config: {n: 3}}}}'").shown[-1]
    assert "stays: n: 3 (`%materialize w --config {}` drops it)" in str(notebook.good("%why w").out)
    notebook.good("%materialize w --config {}")
    assert notebook.variables["w"] == 1
    assert "stays" not in str(notebook.good("%why w").out)


def test_tables(notebook: Notebook) -> None:
    """The tables are data frames."""
    notebook.good("%%asset a\n1")
    notebook.good("%%asset_check a\nTrue")
    assert len(notebook.good("%assets").out) == 1
    assert len(notebook.good("%checks").out) == 1
    runs = notebook.good("%runs").out
    assert len(runs) == 2
    everything = notebook.good("%events").out
    run = next(reversed(notebook.session.history.runs))
    assert 0 < len(notebook.good(f"%events {run[:8]}").out) < len(everything)


def test_why(notebook: Notebook) -> None:
    """%why shows the difference, as text and as HTML."""
    notebook.good("%%asset a\n1 + 1", "a")
    notebook.good("%%asset a --no-run\n1 + 2", "a")
    ran = notebook.good("%why a")
    assert "+ " in str(ran.out)
    html = notebook.ip.display_formatter.format(ran.out)[0]["text/html"]
    assert "<b>a</b> is stale" in html


def test_open(notebook: Notebook) -> None:
    """%open gives the inputs of an asset as variables, and leaves those of the user alone."""
    notebook.good("%%asset raw\n[1]", "a")
    notebook.good("from ipy_orch import Config\nclass Limit(Config):\n    limit: int = 3")
    notebook.good("%%asset b --config Limit --no-run\nraw * config.limit", "b")
    assert notebook.good("%open b").shown == ["in your variables now: `raw`, `config`"]
    assert notebook.variables["config"].limit == 3
    notebook.good("%open b")
    notebook.good("config = 'mine'")
    assert "`b_config` (`config` is yours)" in notebook.good("%open b").shown[0]
    assert notebook.variables["config"] == "mine"


def test_lineage(notebook: Notebook) -> None:
    """%lineage returns a picture."""
    notebook.good("%%asset a\n1")
    assert notebook.good("%lineage").out is not None


def test_forget(notebook: Notebook) -> None:
    """A forgotten asset counts as never materialized, and its variable is gone."""
    notebook.good("%%asset a\n1", "a")
    assert notebook.good("%forget a").shown == ["forgotten: a"]
    assert "a" not in notebook.variables
    assert "never materialized" in notebook.good("%materialize a").status


def test_settings(notebook: Notebook) -> None:
    """%config Orch sets autorun, cache and workers."""
    notebook.good("%config Orch.workers = 3")
    notebook.good("%config Orch.pins = ['pandas']")
    assert notebook.session.settings.pins == ("pandas",)
    notebook.good("%config Orch.cache_bytes = 10**9")
    assert notebook.session.settings.workers == 3
    assert notebook.session.store.limit_bytes == 10**9
    notebook.good("%config Orch.cache_bytes = 0")
    assert notebook.session.store.limit_bytes > 10**6


@pytest.mark.parametrize(
    ("head", "hint"), [("%%asset a", "`%%asset a --files {path}`"), ("#| asset: a", "`#| files: {path}`")]
)
def test_undeclared_reads_are_pointed_out_once(notebook: Notebook, tmp_path: Path, head: str, hint: str) -> None:
    """A file that is read by a literal name and not declared gets a notice with what to type."""
    path = tmp_path / "x.csv"
    path.write_text("1")
    notebook.good("from pathlib import Path")
    body = f"\nPath({str(path)!r}).read_text()"
    said = f"`a` reads file `{path}`, which isn't declared: {hint.format(path=path)}"
    assert said in notebook.good(head + body, "a").status
    assert "declared" not in notebook.good(head + body + " + ''", "a").status


def test_declared_reads(notebook: Notebook, tmp_path: Path) -> None:
    """A declared file is no news, and the asset is stale when it changes."""
    path = tmp_path / "x.csv"
    path.write_text("1")
    cell = f"%%asset a --files {path}\nfrom pathlib import Path\nPath({str(path)!r}).read_text()"
    assert "declared" not in notebook.good(cell, "a").status
    path.write_text("2")
    assert notebook.good(cell, "a").shown[0] == "'2'"


def test_names_are_escaped(notebook: Notebook) -> None:
    """What users write is inert in HTML."""
    notebook.good("%%asset a\n1", "a")
    ran = notebook.good("%%asset_check a\n(False, {'<img src=x onerror=alert(1)>': '</script><script>'})", "c")
    html = ran.displays[-1]["text/html"]
    assert "<img" not in html
    assert "<script" not in html


def test_export(notebook: Notebook, tmp_path: Path) -> None:
    """%export writes a module, and doesn't overwrite what it didn't write."""
    notebook.good("factor = 2")
    notebook.good("%%asset a\nfactor * 2")
    path = tmp_path / "definitions.py"
    assert "definitions.py" in notebook.good(f"%export {path}").shown[0]
    assert "factor = 2" in path.read_text()
    notebook.good(f"%export {path} --for dagster")
    assert "from dagster import" in path.read_text()
    path.write_text("mine = 1\n")
    assert "--force overwrites it" in notebook.run(f"%export {path}").stderr
    assert path.read_text() == "mine = 1\n"
    notebook.good(f"%export {path} --force")


def test_numbers_that_mean_nothing(notebook: Notebook) -> None:
    """A run has at least one worker, and events are those of a run that was."""
    assert isinstance(notebook.run("%materialize --workers 0").error, UsageError)
    assert "there is no run `nope`" in str(notebook.run("%events nope").error)


def test_a_forgotten_asset_has_its_time(notebook: Notebook) -> None:
    """In the table of events."""
    notebook.good("%%asset a\n1")
    notebook.good("%forget a")
    assert notebook.good("%events").out["when"].min().year > 2000


def test_a_run_is_named_by_its_selection(notebook: Notebook) -> None:
    """Without the options of the magic."""
    notebook.good("%%asset a --no-run\n1")
    notebook.good("%materialize a --workers 2")
    assert list(notebook.good("%runs").out["what"]) == ["a"]


def test_export_tells_which_cells_are_behind(notebook: Notebook, tmp_path: Path) -> None:
    """The module is made of the cells' text, and so may give other values than the session."""
    notebook.good("k = 1", "k")
    notebook.good("d = k + 1", "d")
    notebook.good("%%asset a\nd", "a")
    notebook.good("k = 2", "k")
    shown = notebook.good(f"%export {tmp_path / 'definitions.py'}").shown
    assert any("is behind" in line for line in shown), shown


def test_definitions_and_selections_show_their_lineage(notebook: Notebook) -> None:
    """A still picture where there is no kernel, and as text what they always were; of what has none, only that."""
    notebook.good("from ipy_orch import *\n@asset\ndef orders(): return 1\ndefs = Definitions([orders])")
    notebook.good("near, far = AssetSelection.keys('orders'), AssetSelection.keys('nope')")
    show = notebook.ip.display_formatter.format
    for name in ("defs", "near"):
        data, _ = show(notebook.variables[name])
        assert data["text/plain"] == repr(notebook.variables[name])
        assert "orders" in data["image/svg+xml"]
    assert [*show(notebook.variables["far"])[0]] == ["text/plain"]
