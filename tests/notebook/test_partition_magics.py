"""Partitions in cells: which one running a cell makes, backfills, their table, and what is said of mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import ipy_orch
from ipy_orch.notebook.completion import complete
from tests.notebook.conftest import Notebook

DAYS = "daily:2024-01-01..2024-01-06"
RAW = f"%%asset raw --partitions {DAYS}\npd.DataFrame({{'day': [context.partition_key] * 2}})"
ORDERS = f"#| asset: orders\n#| partitions: {DAYS}\nraw.assign(paid=True)"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    """Look at partitions as of a day in January."""
    with ipy_orch.partition_loading_context(datetime(2024, 1, 20, tzinfo=UTC)):
        yield


@pytest.fixture
def daily(notebook: Notebook) -> Notebook:
    """Return a notebook with two daily assets that were run."""
    notebook.good("import pandas as pd")
    notebook.good(RAW)
    notebook.good(ORDERS)
    return notebook


def test_a_cell_makes_the_last_partition(daily: Notebook) -> None:
    """It shows its value, and says how many others are due and what to type."""
    ran = daily.good(ORDERS)
    assert "2024-01-06" in ran.shown[0]
    assert ran.status == (
        "orders · 2024-01-06 · from this session · 2 × 2 · T · 1/6 partitions fresh · next: %backfill orders"
    )


def test_a_cell_goes_on_with_the_partition_that_was_looked_at(daily: Notebook) -> None:
    """After an edit it makes that one again."""
    told = daily.good("%materialize orders --partition 2024-01-03").shown[-1]
    assert told.startswith("raw · 2024-01-03 · 2 × 1 · ")
    assert "orders · 2024-01-03 · 2 × 2 · " in told
    edited = daily.good(ORDERS.replace("True", "False"))
    assert edited.status.startswith("orders · 2024-01-03 · 2 × 2 · T · reads raw · code changed · 1/6 partitions fresh")


def test_a_cell_may_say_its_partition(notebook: Notebook) -> None:
    """As an option."""
    ran = notebook.good("%%asset region --partitions static:north,south --partition north\ncontext.partition_key")
    assert ran.shown[0] == "'north'"
    assert ran.status == "region · north · T · 1/2 partitions fresh · next: %backfill region"


def test_backfill(daily: Notebook) -> None:
    """One line per asset; a second one has nothing to do."""
    told = daily.good("%backfill orders --partitions 2024-01-02..2024-01-04 --workers 2").shown[-1].splitlines()
    assert [re.sub(r"[\d.]+ m?s$", "T", line) for line in told] == [
        "raw · made 3 partitions, 2024-01-02 … 2024-01-04 · T",
        "orders · made 3 partitions, 2024-01-02 … 2024-01-04 · T",
    ]
    assert daily.good("%backfill orders --partitions 2024-01-02..2024-01-04").shown == ["orders · nothing due"]
    daily.good("%backfill")
    assert [*daily.good("%partitions orders").out.index] == ["2024-01-01 .. 2024-01-06"]
    assert [*daily.good("%assets").out["partitions"]] == ["6/6", "6/6"]


def test_a_backfill_that_fails_in_part(daily: Notebook) -> None:
    """It names the partitions that failed, and shows the first traceback: the user's lines alone."""
    daily.good(f"%%asset orders --no-run --partitions {DAYS}\nassert context.partition_key < '2024-01-05'\nraw")
    ran = daily.run("%backfill orders")
    assert "orders · made 4 partitions, 2024-01-01 … 2024-01-04 · 2 failed: 2024-01-05, 2024-01-06" in ran.shown[-1]
    assert isinstance(ran.error, AssertionError)
    assert "ipy_orch" not in ran.traceback
    assert [*daily.good("%partitions orders --status failed").out.index] == ["2024-01-05 .. 2024-01-06"]
    assert "orders[2024-01-05] is failed" in str(daily.good("%why orders").out)


def test_the_variable_is_all_partitions_that_were_made(daily: Notebook) -> None:
    """As one frame; it says so where some are stale, and isn't loaded where it wasn't yet."""
    daily.good("%backfill orders --partitions 2024-01-05")
    assert daily.good("orders.shape").out == (4, 2)
    daily.good(ORDERS.replace("\n", "\n#| run: false\n", 1).replace("True", "None"))
    assert "`orders` is stale: 2 partitions stale (`%backfill orders`)" in daily.good("orders.shape").shown[0]
    daily.good("%materialize raw --partition 2024-01-01")
    assert daily.good("raw.shape").out == (6, 1)
    daily.good(f"%%asset raw --no-run --partitions {DAYS}\n1")
    daily.good("%materialize raw --partition 2024-01-02")
    assert "`raw` isn't loaded: 3 partitions stale (`%backfill raw`)" in daily.run("raw").stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%materialize orders", "`orders` is partitioned: say which partition (`%materialize orders --partition 2024-"),
        ("%materialize orders --partition 2024-02-01", "(`2024-01-06` is the last one that has ended)"),
        ("%materialize orders --partition 2024-01-03..2024-01-01", "is the wrong way round (2024-01-01..2024-01-03)"),
        ("%backfill orders --partitions 2024-1-1", "(did you mean `2024-01-01`?)"),
        ("%backfill ordrs", "did you mean `orders`?"),
        ("%backfill --resume", "there is no backfill to go on with"),
        ("%backfill orders --resume", "give it nothing else"),
        ("%backfill orders --missing --failed", "one of the two"),
        ("%partitions nothing", "there is no asset `nothing`"),
        ("%partitions orders --add x", "aren't dynamic"),
        ("%why orders --partition 2024-03-01", "there is no partition `2024-03-01`"),
    ],
)
def test_mistakes_are_a_line(daily: Notebook, line: str, message: str) -> None:
    """With what to type instead, and without a traceback."""
    ran = daily.run(line)
    assert message in ran.stderr
    assert not ran.traceback


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--partitions dayly:2024-01-01", "did you mean `daily:2024-01-01`?"),
        ("--partitions daily:2024-13-01", "`2024-13-01` isn't written as"),
        ("--partitions daily:2024-01-05..2024-01-01", "`2024-01-01` is before `2024-01-05`"),
        ("--partitions 2024-01-01..2024-01-05", "did you mean `daily:2024-01-01..2024-01-05`?"),
        ("--partitions daily:2024-01-01@Mars", "there is no timezone `Mars`"),
        ("--partitions DAYZ", "did you mean `DAYS`?"),
        ("--partitions daily", "hint: daily:2024-01-01"),
        ("--backfill all", "the cell has none"),
        ("--partitions static:a --backfill some", "a number of partitions or `all`"),
        ("--partitions static:a --partition-mapping rwa=all", "did you mean `raw`?"),
    ],
)
def test_options_that_cant_be(daily: Notebook, options: str, message: str) -> None:
    """The cell is refused, and what it was stays."""
    daily.good("import ipy_orch\nDAYS = ipy_orch.DailyPartitionsDefinition('2024-01-01')")
    ran = daily.run(f"%%asset other {options}\n1")
    assert message in ran.traceback + ran.stderr
    assert "other" not in daily.good("%assets").out.index


def test_two_dimensions(notebook: Notebook) -> None:
    """Ranges of both make a rectangle; a key that is written otherwise is refused with how it is written."""
    notebook.good("%%asset both --partitions region=static:n,s;day=daily:2024-01-01..2024-01-03\n1")
    told = notebook.good("%backfill both --partitions 2024-01-01..2024-01-02|*").status
    assert told.startswith("both · made 4 partitions, 2024-01-01|n … 2024-01-02|s")
    assert "a key is `day|region`" in notebook.run("%materialize both --partition 2024-01-01").stderr
    assert "a key is `day|region`" in notebook.run("%materialize both --partition n|2024-01-01").stderr


def test_a_dict_that_is_taken_for_a_table(daily: Notebook) -> None:
    """The user's error stands with a line that says what the input is."""
    daily.good("%backfill raw")
    for body, error in (("raw.groupby('day')", AttributeError), ("raw['day']", KeyError)):
        ran = daily.run(f"%%asset all_days\n{body}")
        assert isinstance(ran.error, error)
        assert "hint: `raw` is a dict of 6 partitions by their keys" in ran.traceback
        assert "ipy_orch/" not in ran.traceback


def test_why_of_many(daily: Notebook) -> None:
    """One partition stands for all that are stale, and the line says how many; where all are fresh, it says that."""
    daily.good("%backfill orders")
    assert str(daily.good("%why orders").out) == "orders is fresh (6/6 fresh)"
    daily.good(ORDERS.replace("\n", "\n#| run: false\n", 1).replace("True", "None"))
    told = str(daily.good("%why orders").out)
    assert told.startswith("orders[2024-01-01] is stale")
    assert "and so are others: 5 stale (`%partitions`)" in told


def test_dynamic_partitions(notebook: Notebook) -> None:
    """A cell without any yet is registered, and says how to add some."""
    cell = "%%asset customer --partitions dynamic:customers\ncontext.partition_key.upper()"
    told = notebook.good(cell).status
    assert told == "customer · registered, not run · no partitions yet · next: %partitions customer --add KEY,KEY"
    assert (
        notebook.good("%partitions customer --add ann,bob").status
        == "customers · 2 partitions · next: %backfill customer"
    )
    assert notebook.good(cell).shown[0] == "'BOB'"
    notebook.good("%backfill customer")
    notebook.good("%partitions customer --remove ann")
    assert notebook.good("customer").out == {"bob": "BOB"}


def test_a_key_that_is_a_secret(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a name in the table, and in whatever is said of it."""
    monkeypatch.setenv("CUSTOMER", "c0stomer-of-mine")
    notebook.good("from ipy_orch import *\nkey = EnvVar('CUSTOMER').get_value()")
    notebook.good("@asset(partitions_def=StaticPartitionsDefinition([key, 'x']))\ndef orders(context): return 1")
    ran = [notebook.good("%partitions orders"), notebook.good("%materialize orders --partition c0stomer-of-mine")]
    ran += [notebook.good("%partitions orders"), notebook.good("%why orders")]
    ran += [notebook.run("%materialize orders --partition y"), notebook.run("%backfill orders --partitions y")]
    assert list(ran[2].out.index) == ["[CUSTOMER]", "x"]
    assert all("c0stomer" not in f"{one.shown}{one.stdout}{one.stderr}{one.out!r}{one.error}" for one in ran)


def test_launch_a_job_of_a_partition(daily: Notebook) -> None:
    """Without one it says what to type."""
    daily.good("%job nightly raw orders")
    assert "--partition 2024-01-06" in daily.run("%launch nightly").stderr
    assert "orders · 2024-01-02 · 2 × 2" in daily.good("%launch nightly --partition 2024-01-02").shown[-1]


def test_open_the_inputs_of_a_partition(daily: Notebook) -> None:
    """As its function would get them."""
    daily.good("raw = None")
    daily.good("%open orders --partition 2024-01-02")
    assert daily.good("orders_raw.day.unique().tolist()").out == ["2024-01-02"]


def test_completion(daily: Notebook) -> None:
    """Options, kinds, and the newest keys first."""
    session = daily.session
    assert "--partitions" in (complete(session, "", 0, "%backfill orders --p") or [])
    assert (complete(session, "", 0, "%materialize orders --partition ") or [])[:2] == ["2024-01-06", "2024-01-05"]
    assert complete(session, "", 0, "%%asset x --partitions d") == ["daily:", "dynamic:"]
