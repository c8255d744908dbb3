"""The notebook about resources, run from top to bottom: on files alone, and with a real PostgreSQL as prod."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import nbformat
import pandas as pd
import psycopg
import pytest

from tests.notebooks.kernels import NOTEBOOKS, Ran, fresh_kernel, shown, told
from tests.notebooks.postgres import postgres, programs

NOTEBOOK = NOTEBOOKS / "resources.ipynb"
ASSETS = ["airlines", "flights", "published"]


@dataclass
class Served(Ran):
    """The notebook after a run, and the address of the server, if there's one."""

    dsn: str = ""


def run(folder: Path, dsn: str) -> Iterator[Served]:
    """Run all cells in a fresh kernel."""
    environment = {name: value for name, value in os.environ.items() if name != "PROD_DATABASE"}
    with fresh_kernel(folder, {**environment, **({"PROD_DATABASE": dsn} if dsn else {})}) as kernel:
        yield Served(kernel, kernel.run_all(NOTEBOOK), dsn)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run it where there is no server."""
    yield from run(tmp_path_factory.mktemp("alone"), "")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run PostgreSQL, and return its address."""
    tools = programs()
    if tools is None:
        told = "no PostgreSQL found (apt-get install postgresql); CI=true makes this a failure"
        pytest.fail(told, pytrace=False) if os.environ.get("CI") == "true" else pytest.skip(told)
    with postgres(tools) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, server: str) -> Iterator[Served]:
    """Run it where there is a server."""
    yield from run(tmp_path_factory.mktemp("both"), server)


def complaints(ran: Served) -> list[str]:
    """Return what cells wrote to stderr, and their notices."""
    told = {name: cell for name, cell in ran.cells.items() if "note:" in shown(cell)}
    loud = [name for name, cell in ran.cells.items() if any(one.get("name") == "stderr" for one in cell.outputs)]
    return [*told, *loud]


def tables(dsn: str) -> dict[str, pd.DataFrame]:
    """Return what PostgreSQL has."""
    with psycopg.connect(dsn) as db:
        names = [name for (name,) in db.execute("select tablename from pg_tables where schemaname = 'public'")]
        found = {}
        for name in names:
            cursor = db.execute(f"select * from {name}")
            found[name] = pd.DataFrame(cursor.fetchall(), columns=[one.name for one in cursor.description])
    return found


def test_without_a_server(alone: Served) -> None:
    """Everything runs on the two files, and one plain sentence says what is left out."""
    assert shown(alone.cells["prod"]).startswith("There is no PostgreSQL here")
    assert complaints(alone) == []
    assert set(alone.kernel.state()["assets"].values()) == {"fresh"}
    assert shown(alone.cells["table-prod"]).count("not set") == 2
    assert "in prod" not in shown(alone.cells["back"])


def test_with_a_server(both: Served) -> None:
    """The same pipeline runs there by one word, and afterwards here again."""
    assert complaints(both) == []
    lines = shown(both.cells["prod"]).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["flights", "airlines", "published"]
    assert all(line.endswith("· in prod") and "resource changed: " in line for line in lines)
    back = shown(both.cells["back"])
    assert "in prod" not in back
    assert back.count("resource changed: ") == 3
    assert sorted(both.kernel.state()["assets"]) == ASSETS


def test_each_world_has_its_own(both: Served) -> None:
    """The tables are in PostgreSQL, and in the two files, and they are the same."""
    served = tables(both.dsn)
    assert sorted(served) == [*ASSETS[:2], "late", "published"]
    with duckdb.connect(str(both.kernel.folder / "flights.duckdb"), read_only=True) as file:
        for name in ASSETS:
            here = file.sql(f"select * from main.{name}").df()
            pd.testing.assert_frame_equal(served[name], here, check_dtype=False, check_column_type=False)
    with closing(sqlite3.connect(both.kernel.folder / "board.sqlite")) as board:
        late = board.execute("select airline, percent from late order by airline").fetchall()
    assert late == sorted(served["late"].itertuples(index=False, name=None))
    assert len(served["flights"]) == 328_521


def test_the_address_shows_nowhere(both: Served) -> None:
    """Neither the password of the server nor its port, in any output."""
    password = both.dsn.split(":")[2].split("@")[0]
    for name, cell in both.cells.items():
        assert password not in str(cell.outputs), name
    failed = both.kernel.fails("%%asset wrong\nraise_it = 1 / 0\nboard.dsn")
    assert password not in failed


def test_the_edit_of_section_5(alone: Served) -> None:
    """What the text tells the reader to try does what it says; undone, all is as before."""
    kernel = alone.kernel
    edit, answer = told(NOTEBOOK, "5-stale")
    kernel.run(edit)
    reasons = shown(kernel.run("print(ipy_orch.session().assets()['reason'].to_dict())"))
    assert reasons.strip() == str({"flights": "", "airlines": "", "published": answer})
    kernel.run(alone.cells["resources"].source)
    assert set(kernel.state()["assets"].values()) == {"fresh"}


def test_a_misspelt_field(alone: Served) -> None:
    """The message that section 4 promises: path, line, nearest field."""
    told = alone.kernel.fails(alone.cells["config"].source.replace("minutes", "minuts"))
    assert "ops.airlines.config.minuts (line 4): unknown field (did you mean `minutes`?)" in told


def test_what_is_saved(both: Served) -> None:
    """The outputs in the file are those of a run with a server, and hold no path of a machine."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            fresh = both.cells[cell.id].outputs
            assert [one.output_type for one in cell.outputs] == [one.output_type for one in fresh], cell.id
            assert not re.search(r"/(tmp|root|home|work|usr|var|opt)/", str(cell.outputs)), cell.id
