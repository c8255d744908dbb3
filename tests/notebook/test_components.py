"""Components in cells: what one makes, what becomes stale, what a mistake shows, what goes out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ipy_orch.notebook.completion import complete
from tests.notebook.conftest import Notebook

REPORT = """
from ipy_orch import Component, Definitions, Model, Resolvable, asset

class Report(Component, Model, Resolvable):
    \"\"\"A report and its title.\"\"\"
    name: str
    rows: int = 2

    def build_defs(self, context):
        rows, name = self.rows, self.name
        @asset(name=name)
        def report():
            return list(range(rows))
        @asset(name=name + "_title")
        def title():
            return name.title()
        return Definitions([report, title])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reports(notebook: Notebook) -> Notebook:
    """Return a notebook with a class of component."""
    notebook.good(f"{REPORT}\nREPORTS = 3", "class")
    return notebook


def test_a_cell_makes_the_assets_of_a_component(reports: Notebook) -> None:
    """They run at once, belong to its cell, and other cells read them."""
    ran = reports.good("%%component Report sales\nname: day\nrows: 3", "sales")
    assert ran.shown[0] == "sales · Report · 2 assets: day, day_title"
    assert "day · 3" in ran.shown[-1]
    scanned = reports.session.scan()
    assert {where.key for where in scanned.cells.values()} == {"sales"}
    reports.good("%%asset total\nsum(day)", "total")
    assert reports.session.value("total") == 3


def test_an_edit_makes_stale_what_reads_it(reports: Notebook) -> None:
    """And nothing else; YAML's layout and comments say nothing."""
    reports.good("%%component Report sales\nname: day\nrows: 3", "sales")
    reports.good("%%asset total\nsum(day)", "total")
    ran = reports.good("%%component Report sales\n# a comment\nrows:   3\nname: 'day'", "sales")
    assert ran.status.count("from this session") == 2
    ran = reports.good("%%component Report sales\nname: day\nrows: 4", "sales")
    assert "day · 4" in ran.status
    assert "day_title · from this session" in ran.status
    reports.good("%materialize")
    assert reports.session.value("total") == 6


def test_keyword_arguments_read_the_notebooks_variables(reports: Notebook) -> None:
    """The cell is behind when one of them has changed."""
    reports.good("N = 2", "n")
    reports.good("%%component Report sales\nname = 'day'\nrows = N + 1", "sales")
    assert reports.session.value("day") == [0, 1, 2]
    reports.good("N = 5", "n")
    assert "is behind" in reports.good("%materialize").shown[-1]
    reports.good("%%component Report sales\nname='day', rows=N", "sales")
    assert reports.session.value("day") == [0, 1, 2, 3, 4]


def test_an_edited_class_names_its_cells_as_behind(reports: Notebook) -> None:
    """Until they run again."""
    reports.good("%%component Report sales\nname: day", "sales")
    reports.good(REPORT.replace("list(range(rows))", "list(range(rows + 1))"), "class")
    assert "defines `sales` from `Report`" in reports.good("%materialize").shown[-1]
    reports.good("%%component Report sales\nname: day", "sales")
    assert reports.session.value("day") == [0, 1, 2]


def test_a_renamed_or_edited_cell_leaves_no_ghost(reports: Notebook) -> None:
    """Neither under another name, nor as another cell, nor with other assets."""
    reports.good("%%component Report sales\nname: day", "one")
    reports.good("%%component Report shop\nname: week", "one")
    assert {key.label for key in reports.session.definitions().resolve_all_asset_keys()} == {"week", "week_title"}
    assert "sales" not in reports.variables
    reports.good("x = 1", "one")
    assert not reports.session.definitions().assets


def test_two_cells_have_two_names(reports: Notebook) -> None:
    """Else the first component would be gone without a word; the same cell may run again."""
    reports.good("%%component Report\nname: day", "one")
    ran = reports.run("%%component Report\nname: week", "two")
    assert "is the component of Cell In[" in ran.stderr
    assert "%%component TYPE report_2" in ran.stderr
    reports.good("%%component Report\nname: month", "one")
    assert {key.label for key in reports.session.definitions().resolve_all_asset_keys()} == {"month", "month_title"}


def test_what_does_not_fit_leaves_what_was_there(reports: Notebook) -> None:
    """A double asset, a name that is taken."""
    reports.good("%%component Report sales\nname: day", "one")
    ran = reports.run("%%component Report other\nname: day", "two")
    assert "day" in ran.traceback + ran.stderr
    assert "other" not in reports.variables
    ran = reports.run("%%component Report day\nname: x", "three")
    assert "day_component" in ran.stderr + ran.traceback
    assert {key.label for key in reports.session.definitions().resolve_all_asset_keys()} == {"day", "day_title"}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%component Report sales\nname: day\nrowz: 3", ["no `rowz`", "line 3", "`rows`"]),
        ("%%component Report sales\nrows: 3", ["needs `name`", "line 2"]),
        ("%%component Report sales\nname: day\nrows: x", ["integer", "line 3", "field `rows`"]),
        ("%%component Report sales\nname: day\nrows: '{{ NN }}'", ["'NN'", "line 3"]),
        ("%%component Report sales\nname: day\nrows: '{{ REPORTS }}'", ["keyword arguments", "`name = REPORTS`"]),
        ("%%component Report sales\nname: [", ["isn't YAML", "line"]),
        ("%%component Reprot sales\nname: day", ["no component type `Reprot`", "`Report`"]),
        ("%%component Report sa-les\nname: day", ["can't be the name", "`sa_les`"]),
        ("%%component Report a b\nname: day", ["`b` is too much"]),
        ("%%component\nname: day", ["needs a type"]),
        ("%%component Report sales\nnmae = 'day'", ["takes no `nmae`", "`name`"]),
        ("%%component Report sales\nname = 'day'\nrows = 'x'", ["can't be made"]),
        ("%%component asset sales\nname: day", ["`asset` is no component type"]),
        ("%%component Report sales\ntype: x\nattributes: {}", ["whole `defs.yaml`"]),
        ("%%component Report sales\njust text", ["no attributes"]),
        ("%%component Report sales\nname: !!python/object/apply:os.getcwd []", ["only plain data", "line 2"]),
        ("%%component Report sales\nname: '{{ ().__class__ }}'", ["unsafe", "line 2"]),
        ("%component_schema Reprot", ["`Report`"]),
    ],
)
def test_a_mistake_shows_a_message_and_no_frames(reports: Notebook, cell: str, told: list[str]) -> None:
    """With the line of the cell, the field, and what to type."""
    ran = reports.run(cell, "sales")
    shown = ran.traceback + ran.stderr
    assert all(one in shown for one in told), shown
    assert "ipy_orch/" not in shown
    assert not reports.session.definitions().assets


def test_the_types_are_listed_with_what_they_take(reports: Notebook) -> None:
    """Those that come along, and the notebook's own."""
    table = reports.good("%components").out
    assert table.loc["Report", "takes"] == "name*, rows"
    assert {"SqlFolderComponent", "NotebookFolderComponent", "FileIngestionComponent", "FunctionComponent"} <= {
        *table.index
    }
    shown = reports.good("%component_schema Report").stdout
    assert "name: text\n" in shown
    assert "rows: int = 2" in shown
    example = shown[shown.index("%%component") :].replace("'...'", "day")
    assert reports.good(example).error is None


def test_types_and_attributes_are_completed(reports: Notebook) -> None:
    """On the first line the types, below it what the type takes and isn't there yet."""
    session = reports.session
    assert complete(session, "%%component Re", 0, "%%component Re") == ["Report"]
    assert complete(session, "%component_schema Sql", 0, "%component_schema Sql") == ["SqlFolderComponent"]
    assert complete(session, "%%component Report x\nname: a\n", 2, "") == ["rows: "]
    assert complete(session, "x = 1\n", 1, "") is None


def test_a_file_that_changed_is_read_again(notebook: Notebook, folder: Path) -> None:
    """Data and SQL: just what reads it."""
    (folder / "data").mkdir()
    (folder / "data" / "orders.csv").write_text("amount\n1\n2\n")
    (folder / "data" / "other.csv").write_text("x\n1\n")
    (folder / "sql").mkdir()
    (folder / "sql" / "total.sql").write_text("select sum(amount) as total from orders")
    notebook.good("%%component FileIngestionComponent files\npath: data/*.csv", "files")
    notebook.good("%%component SqlFolderComponent shop\nfolder: sql", "sql")
    assert notebook.session.value("total").total[0] == 3
    (folder / "data" / "orders.csv").write_text("amount\n1\n2\n3\n")
    ran = notebook.good("%materialize")
    assert "other · from this session" in ran.status
    assert notebook.session.value("total").total[0] == 6
    (folder / "sql" / "total.sql").write_text("select max(amount) as total from orders")
    assert "source changed: sql/total.sql" in notebook.good("%materialize").status
    assert notebook.session.value("total").total[0] == 3


def test_a_check_in_sql_is_run_again_when_its_file_changed(notebook: Notebook, folder: Path) -> None:
    """And its asset is not."""
    (folder / "sql" / "checks").mkdir(parents=True)
    (folder / "sql" / "total.sql").write_text("select 3 as total")
    check = folder / "sql" / "checks" / "total__small.sql"
    check.write_text("select * from total where total > 5")
    ran = notebook.good("%%component SqlFolderComponent shop\nfolder: sql", "sql")
    assert "total:small passed" in "".join(ran.shown)
    check.write_text("select * from total where total > 2")
    ran = notebook.run("%materialize")
    assert "total · from this session" in "".join(ran.shown)
    assert "✗ small" in "".join(ran.shown)


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
def test_components_of_the_notebook_go_out(reports: Notebook, folder: Path, target: str) -> None:
    """As calls; the module makes the same values in a process of its own, under real dagster, too."""
    reports.good("N = 3", "n")
    reports.good("%%component Report sales\nname: day\nrows: 2", "one")
    reports.good("%%component Report more\nname = 'week'\nrows = N", "two")
    reports.good("%%asset total\nsum(day) + sum(week)", "total")
    reports.good(f"%export out.py --for {target}")
    text = (folder / "out.py").read_text()
    assert 'Report.from_attributes_dict(attributes={"name": "day", "rows": 2})' in text
    assert f"from {target} import" in text
    program = (
        f"import json, {target} as dg, out\n"
        "done = dg.materialize([*out.defs.assets])\n"
        "print('value', json.dumps(done.output_for_node('total')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=folder)
    assert "value 4" in done.stdout, done.stderr
    reports.good(f"%export out.py --for {target}")
    assert (folder / "out.py").read_text() == text


def test_a_shipped_component_goes_out_for_ipy_orch_only(notebook: Notebook, folder: Path) -> None:
    """For dagster the export says what to do."""
    (folder / "data").mkdir()
    (folder / "data" / "orders.csv").write_text("amount\n1\n")
    notebook.good("%%component FileIngestionComponent files\npath: data/*.csv", "files")
    notebook.good("%export out.py")
    assert "from ipy_orch.components import FileIngestionComponent" in (folder / "out.py").read_text()
    ran = notebook.run("%export out2.py --for dagster")
    assert "dagster has none like it" in ran.traceback
    assert "write its assets as cells" in ran.traceback
    assert not (folder / "out2.py").exists()


def test_metadata_is_json(reports: Notebook) -> None:
    """A template's text goes out, not what it stands for."""
    reports.good("import os; os.environ['REPORT_NAME'] = 'secret_day'")
    reports.good("%%component Report sales\nname: '{{ env.REPORT_NAME }}'", "one")
    reports.good("%export out.py")
    text = Path("out.py").read_text()
    assert "secret_day" not in text
    assert json.dumps("{{ env.REPORT_NAME }}") in text
