"""The shipped components on real data: flights from New York."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from threading import Thread
from typing import Any

import nbformat
import pytest

from ipy_orch import Definitions, asset, build_defs_for_component, materialize
from ipy_orch.components import FileIngestionComponent, NotebookFolderComponent, SqlFolderComponent
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.policies import Failure
from tests.flights import table


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> None:
    """Write a file, and the folders above it."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def notebook(path: str, *cells: str, tagged: bool = True) -> None:
    """Write a notebook whose first cell holds the parameters."""
    new = nbformat.v4.new_code_cell
    made = [new(text, metadata={"tags": ["parameters"]} if tagged and not n else {}) for n, text in enumerate(cells)]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def built(cls: Any, **attributes: Any) -> Definitions:
    """Return the definitions of a component of attributes."""
    return build_defs_for_component(cls.from_attributes_dict(attributes=attributes))


@asset
def flights() -> Any:
    """Take a month of flights."""
    flown = table("flights")
    return flown[flown.month == 1]


@asset
def airlines() -> Any:
    """Take the names of carriers."""
    return table("airlines")


# -- SQL --------------------------------------------------------------------------------------------------------------

BY_CARRIER = """
with late as (select carrier, count(*) as n, avg(dep_delay) as delay from flights group by 1)
select name, n, delay from late join airlines using (carrier) order by delay desc  -- worst first
"""


def test_a_folder_of_sql_is_a_graph() -> None:
    """Dependencies are what FROM names; values are data frames; checks find the rows that break a rule."""
    write("sql/by_carrier.sql", BY_CARRIER)
    write("sql/worst.sql", "select * from by_carrier limit 1")
    write("sql/checks/by_carrier__counted.sql", "select * from by_carrier where n <= 0")
    write(
        "sql/checks/by_carrier__all_names.sql", "select * from airlines where name not in (select name from by_carrier)"
    )
    made = built(SqlFolderComponent, folder="sql", group_name="shop", key_prefix="dw")
    assert {key.label for key in made.resolve_all_asset_keys()} == {"dw/by_carrier", "dw/worst", "flights", "airlines"}
    done = materialize([flights, airlines, *made.assets, *made.asset_checks])
    worst = done.output_for_node("dw__worst")
    assert worst.name[0] == "SkyWest Airlines Inc."
    verdicts = {one.check_name: one.passed for one in done.get_asset_check_evaluations()}
    assert verdicts == {"counted": True, "all_names": True}
    spec = made.resolve_asset_graph().spec(made.assets[0].key)
    assert (spec.group_name, spec.kinds, spec.metadata["ipy_orch/files"]) == (
        "shop",
        {"duckdb", "sql"},
        ["sql/by_carrier.sql"],
    )


def test_schemas_are_prefixes() -> None:
    """`raw.flights` is the asset `raw/flights`."""

    @asset(key=["raw", "flights"])
    def raw() -> Any:
        return table("flights").head(3)

    write("sql/few.sql", "select count(*) as n from raw.flights")
    done = materialize([raw, *built(SqlFolderComponent, folder="sql").assets])
    assert done.output_for_node("few").n[0] == 3


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"sql/a.sql": "selec 1"}, "sql/a.sql:1"),
        ({"sql/a.sql": "select 1;\nselect 2"}, "one SELECT"),
        ({"sql/a.sql": "select * from a"}, "reads itself"),
        ({"sql/a b.sql": "select 1", "sql/a_b.sql": "select 2"}, "both the asset `a_b`"),
        ({"sql/a.txt": "select 1"}, "`*.txt`"),
        ({"sq/a.sql": "select 1"}, "did you mean `sq`"),
        ({"sql/a.sql": "select 1 as x", "sql/checks/b__c.sql": "select * from a"}, "isn't named like an asset"),
    ],
)
def test_a_folder_that_is_not_right_is_told_where(files: dict[str, str], told: str) -> None:
    """The file, its line, the closest name."""
    for path, text in files.items():
        write(path, text)
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        built(SqlFolderComponent, folder="sql")
    assert told in str(caught.value)


def test_a_query_that_fails_says_which() -> None:
    """And values that are no tables are named."""
    write("sql/a.sql", "select no_such from flights")
    with pytest.raises(Failure, match=r"sql/a\.sql.*no_such"):
        materialize([flights, *built(SqlFolderComponent, folder="sql").assets])

    @asset(name="flights")
    def number() -> int:
        return 3

    with pytest.raises(Failure, match="is a int"):
        materialize([number, *built(SqlFolderComponent, folder="sql").assets])


# -- files ------------------------------------------------------------------------------------------------------------


def test_files_become_tables() -> None:
    """One each, whatever they hold."""
    Path("data").mkdir()
    table("airlines").to_csv("data/airlines.csv", index=False)
    table("airports").to_parquet("data/airports.parquet")
    table("planes").head(5).to_json("data/planes.jsonl", orient="records", lines=True)
    made = built(FileIngestionComponent, path="data/*", group_name="raw")
    done = materialize(made.assets)
    shapes = {name: done.output_for_node(name).shape for name in ("airlines", "airports", "planes")}
    assert shapes == {"airlines": (16, 2), "airports": table("airports").shape, "planes": (5, 9)}
    assert all(one.specs[0].metadata["ipy_orch/files"] for one in made.assets)


def test_files_become_partitions() -> None:
    """One asset, a partition each; options go to pandas."""
    write("data/jan.txt", "a;b\n1;2\n")
    write("data/feb.txt", "a;b\n3;4\n")
    [one] = built(
        FileIngestionComponent, path="data/*.txt", format="csv", asset="raw/months", options={"sep": ";"}
    ).assets
    assert one.partitions_def.get_partition_keys() == ["feb", "jan"]
    assert materialize([one], partition_key="jan").output_for_node("raw__months").b[0] == 2


def test_files_that_can_not_be_read_are_told() -> None:
    """No file, no known format, another content."""
    with pytest.raises(DagsterInvalidDefinitionError, match="finds no file"):
        built(FileIngestionComponent, path="data/*.csv")
    write("data/a.xyz", "")
    with pytest.raises(DagsterInvalidDefinitionError, match="doesn't say"):
        built(FileIngestionComponent, path="data/*.xyz")
    with pytest.raises(Failure, match="can't be read as json"):
        write("data/a.json", "{")
        materialize(built(FileIngestionComponent, path="data/*.json").assets)


# -- notebooks --------------------------------------------------------------------------------------------------------


def test_notebooks_run_in_kernels() -> None:
    """Values come in and go out; settings are set; the notebook as it ran is kept."""
    notebook(
        "reports/late.ipynb",
        "flights = None\nlimit = 5",
        "late = flights[flights.dep_delay > limit]",
        "print(len(late))",
    )
    made = built(NotebookFolderComponent, folder="reports", parameters={"limit": 60})
    done = materialize([flights, *made.assets])
    late = done.output_for_node("late")
    assert len(late) == 1821
    ran = nbformat.read("reports/outputs/late.ipynb", as_version=4)
    assert "1821" in str(ran.cells[-1].outputs)
    assert ran.cells[1].source == "limit = 60"
    [told] = done.asset_materializations_for_node("late")
    assert told.metadata["notebook"].value == "reports/outputs/late.ipynb"
    assert "pickle" not in Path("reports/outputs/late.ipynb").read_text()


def test_a_notebook_that_fails_names_its_cell() -> None:
    """Counted as in the notebook; it is kept as far as it ran."""
    notebook("reports/bad.ipynb", "limit = 5", "1 / 0")
    made = built(NotebookFolderComponent, folder="reports", parameters={"limit": 1})
    with pytest.raises(Failure, match="cell 2: ZeroDivisionError"):
        materialize(made.assets)
    assert "ZeroDivisionError" in Path("reports/outputs/bad.ipynb").read_text()
    other = built(NotebookFolderComponent, folder="reports", kernel_name="no_such_kernel")
    with pytest.raises(Failure, match="no kernel `no_such_kernel`"):
        materialize(other.assets)


def test_an_interrupt_leaves_no_kernel(folder: Path) -> None:
    """And is an interrupt."""
    notebook(
        "reports/slow.ipynb", "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)", tagged=False
    )
    made = built(NotebookFolderComponent, folder="reports")
    started = folder / "reports" / "pid"

    def interrupt() -> None:
        while not (started.is_file() and started.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        materialize(made.assets)
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # the dead are buried a moment later
            os.kill(int(started.read_text()), 0)
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("cell", "parameters", "told"),
    [
        ("limit = 5", {"limt": 1}, "did you mean `limit`"),
        ("limit = 2 + x", {}, "isn't `name = value`"),
        ("print(1)", {}, "isn't `name = value`"),
        ("limit = ", {}, "isn't Python"),
    ],
)
def test_parameters_that_are_not_right_are_told(cell: str, parameters: dict[str, Any], told: str) -> None:
    """With the cell, or the closest name."""
    notebook("reports/a.ipynb", cell)
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        built(NotebookFolderComponent, folder="reports", parameters=parameters)
    assert told in str(caught.value)


def test_what_is_no_notebook_is_refused() -> None:
    """With its name; and a library that isn't there with how to get it."""
    write("reports/a.ipynb", "no")
    with pytest.raises(DagsterInvalidDefinitionError, match="no notebook"):
        built(NotebookFolderComponent, folder="reports")
    from ipy_orch.components.files import library

    with pytest.raises(DagsterInvariantViolationError, match="no_such_library") as caught:
        library("no_such_library", "X", "run")
    assert caught.value.hint == "pip install 'ipy-orch[run]'"
