"""Partitions in a session: versions, values and statuses per partition, and what a person may say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import ipy_orch as o
from ipy_orch.errors import DagsterError
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.plan import Request, plan
from ipy_orch.session.partitions.choosing import keys_in
from tests.session.notebook import Notebook

RAW = "%%asset raw --partitions daily:2024-01-01..2024-01-10\nlen(context.partition_key)"
ORDERS = "%%asset orders --partitions daily:2024-01-01..2024-01-10\n(context.partition_key, raw + 1)"
WEEKLY = "%%asset weekly --partitions 'cron:0 0 * * 3:2024-01-03..2024-01-03'\nsorted(orders)"
TOTAL = "%%asset total\nlen(orders)"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    """Look at partitions as of a day in January."""
    with o.partition_loading_context(datetime(2024, 1, 20, tzinfo=UTC)):
        yield


@pytest.fixture
def nb() -> Notebook:
    """Return a notebook of daily assets, a weekly one, and one without partitions."""
    made = Notebook(run=False)
    for name, text in (("r", RAW), ("o", ORDERS), ("w", WEEKLY), ("t", TOTAL)):
        made.cell(name, text)
    return made


def counts(nb: Notebook, name: str) -> dict[str, int]:
    """Return how many partitions of an asset stand how."""
    return dict(nb.session.partition_view(name).counts)


# ---- making them


def test_one_partition_and_what_it_reads(nb: Notebook) -> None:
    """Nothing else is run, and a second time nothing at all."""
    told = nb.session.materialize("orders", partition="2024-01-05")
    assert nb.computed() == ["raw[2024-01-05]", "orders[2024-01-05]"]
    assert str(told).splitlines()[1].startswith("orders · 2024-01-05 · ")
    again = nb.session.materialize("orders", partition="2024-01-05")
    assert (again.result, [line.status for line in again.lines]) == (None, ["fresh"])
    assert nb.session.history.runs.popitem()[1].tags == {"dagster/partition": "2024-01-05"}


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("2024-01-03..2024-01-05", [3, 4, 5]),
        ("2024-01-09..", [9, 10]),
        ("..2024-01-02", [1, 2]),
        ("2024-01-01, 2024-01-04..2024-01-05", [1, 4, 5]),
        ("last", [10]),
        (["2024-01-07", "2024-01-02"], [7, 2]),
        (o.PartitionKeyRange("2024-01-02", "2024-01-03"), [2, 3]),
    ],
)
def test_what_a_person_writes(nb: Notebook, said: object, days: list[int]) -> None:
    """Keys, ranges with both ends or one of them, the last one, and lists of these."""
    cut = nb.session.scan().graph.spec(AssetKey("raw")).partitions_def
    assert list(keys_in(said, cut)) == [f"2024-01-{day:02}" for day in days]  # type: ignore[arg-type]


def test_two_dimensions() -> None:
    """Each may be a range, or all."""
    both = o.MultiPartitionsDefinition(
        {
            "day": o.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04"),
            "region": o.StaticPartitionsDefinition(["north", "south"]),
        }
    )
    assert keys_in("2024-01-02..|*", both) == (
        "2024-01-02|north", "2024-01-02|south", "2024-01-03|north", "2024-01-03|south",
    )  # fmt: skip
    assert keys_in("2024-01-01|south", both) == ("2024-01-01|south",)


REFUSED: tuple[tuple[Callable[[Any], object], str], ...] = (
    (lambda s: s.materialize("orders"), r"`orders` is partitioned.*--partition 2024-01-10`, or `%backfill orders`"),
    (lambda s: s.materialize("total", partition="x"), r"`total` isn't partitioned.*%materialize total"),
    (lambda s: s.materialize("raw", partition="2024-1-3"), r"no partition `2024-1-3`.*did you mean `2024-01-03`"),
    (lambda s: s.materialize("raw", partition="2024-02-03"), r"`2024-01-10` is the last one"),
    (lambda s: s.materialize("raw", partition="2023-02-03"), r"`2024-01-01` is the first one"),
    (lambda s: s.materialize("raw", partition="2024-01-03..2024-01-01"), "the wrong way round"),
    (lambda s: s.materialize("raw", partition=""), "which partition"),
    (lambda s: s.backfill("total"), r"`total` has no partitions.*%materialize total"),
    (lambda s: s.backfill("raw", missing=True, failed=True), "one of the two"),
    (lambda s: s.backfill(resume=True), "no backfill to go on with"),
    (lambda s: s.partitions("total"), "`total` isn't partitioned"),
    (lambda s: s.value("total", "2024-01-01"), "`total` isn't partitioned"),
    (lambda s: s.value("raw"), r"no partition of `raw` has been made"),
    (lambda s: s.why("total", "2024-01-01"), "`total` isn't partitioned"),
)


def test_what_is_refused(nb: Notebook) -> None:
    """Each with what to type, and before anything has run."""
    for verb, message in REFUSED:
        with pytest.raises(DagsterError, match=f"(?s){message}"):
            verb(nb.session)
    assert not nb.session.history.runs


def test_a_mapping_that_leads_nowhere_says_so(nb: Notebook) -> None:
    """Naming both assets; the rest of the notebook goes on, and the table shows it."""
    nb.cell("x", "%%asset lost --partitions static:a,b\nraw")
    with pytest.raises(DagsterError, match=r"(?s)no keys in common.*`lost`, which reads `raw`.*INPUT=all"):
        nb.session.materialize("lost", partition="a")
    assert nb.session.materialize("raw", partition="last").success
    assert len(nb.session.assets()) == 5


def test_all_leaves_partitions_to_what_reads_them(nb: Notebook) -> None:
    """What an asset without partitions reads is made; the others are named."""
    told = nb.session.materialize()
    assert told.notices == ["`weekly` is partitioned, and was left out: `%backfill weekly`"]
    assert counts(nb, "orders") == {"fresh": 10}
    assert nb.session.value("total") == 10


# ---- versions


def test_an_edit_makes_partitions_stale_and_only_those_asked_for_run(nb: Notebook) -> None:
    """Each has its own version; what is downstream of a stale one is stale."""
    nb.session.backfill("orders")
    nb.session.backfill("weekly", "2024-01-03")
    nb.cell("r", RAW.replace("len", "2 * len"))
    assert counts(nb, "raw") == counts(nb, "orders") == {"stale": 10}
    assert nb.session.partition_view("weekly").counts == {"stale": 1}
    nb.session.materialize("orders", partition="2024-01-02")
    assert nb.computed() == ["raw[2024-01-02]", "orders[2024-01-02]"]
    assert counts(nb, "orders") == {"fresh": 1, "stale": 9}
    status = nb.session.statuses(nb.session.scan())
    assert str(status[AssetKey("orders")]) == "stale (1/10 fresh · 9 stale)"
    assert str(status[AssetKey("total")]) == "missing (never materialized)"


def test_a_failure_is_of_its_partition(nb: Notebook) -> None:
    """The others go on, and the next backfill tries that one again."""
    nb.cell("o", ORDERS.replace("\n", "\nif context.partition_key.endswith('3'): raise ValueError('no')\n"))
    told = nb.session.backfill("orders")
    assert [(line.status, "1 failed: 2024-01-03 (ValueError: no)" in line.text) for line in told.lines] == [
        ("ran", False),
        ("failed", True),
    ]
    assert counts(nb, "orders") == {"fresh": 9, "failed": 1}
    nb.cell("o", ORDERS)
    assert counts(nb, "orders") == {"stale": 9, "failed": 1}
    nb.session.backfill("orders", failed=True)
    assert nb.computed() == ["orders[2024-01-03]"]


def test_forgetting_takes_all_partitions(nb: Notebook) -> None:
    """Values and what is known of them."""
    nb.session.backfill("raw")
    nb.session.forget("raw")
    assert counts(nb, "raw") == {"missing": 10}
    assert not nb.session.store.entries()


def test_an_asset_may_read_its_own_earlier_partitions() -> None:
    """In order, beginning with nothing."""
    nb = Notebook(run=False)
    nb.cell(
        "s", "%%asset total --partitions daily:2024-01-01..2024-01-04 --partition-mapping total=-1\n(total or 0) + 1"
    )
    assert nb.session.value("total", "2024-01-03") == 3
    assert nb.session.value("total", by_key=True) == {f"2024-01-0{day}": day for day in (1, 2, 3)}


# ---- how they stand


def test_the_quick_pass_finds_what_a_plan_finds(nb: Notebook) -> None:
    """After edits, failures and forgotten values: a partition is fresh where a plan would run nothing."""
    session = nb.session
    session.backfill("weekly")
    session.materialize("total")
    for edit in (
        lambda: nb.cell("o", ORDERS.replace("+ 1", "+ 2")),
        lambda: session.materialize("orders", partition="2024-01-04..2024-01-06"),
        lambda: session.log.append(o_forgotten("raw", "2024-01-05")),
        lambda: nb.cell("w", WEEKLY.replace("sorted", "list")),
        lambda: nb.cell("o", ORDERS.replace("\n", "\nif context.partition_key.endswith('7'): raise ValueError\n")),
        lambda: session.materialize("orders", partition="2024-01-06..2024-01-08"),
        lambda: session.backfill("weekly"),
    ):
        edit()
        scanned = session.scan()
        graph, knowledge = scanned.graph, session.planning.knowledge(scanned, session.planning.configured(scanned))
        for key, found in session.planning.survey(scanned).partitions.items():
            for partition in found.keys:
                asked = Request(frozenset([key]), of_asset={key: (partition,)})
                steps = plan(graph, session.ledger, asked, knowledge).steps
                own = [step for step in steps if key in step.keys and step.partition == partition]
                word = found.status(partition).word
                assert (word == "fresh") == (not own), (key, partition, word, [str(one.reason) for one in own])
                if word == "stale":
                    assert found.status(partition).reason == str(own[0].reason)


def o_forgotten(name: str, partition: str) -> object:
    """Return the event that a partition was forgotten."""
    from ipy_orch.events.types import Forgotten

    return Forgotten("", 0.0, "", AssetKey(name), partition)


def test_ranges_of_partitions(nb: Notebook) -> None:
    """Neighbours that stand alike are one row."""
    nb.session.backfill("raw", "2024-01-03..2024-01-05")
    frame = nb.session.partitions("raw")
    assert [*frame.index] == ["2024-01-01 .. 2024-01-02", "2024-01-03 .. 2024-01-05", "2024-01-06 .. 2024-01-10"]
    assert [*frame["status"]] == ["missing", "fresh", "missing"]
    assert [*frame["count"]] == [2, 3, 5]
    assert [*nb.session.partitions("raw", "fresh").index] == ["2024-01-03 .. 2024-01-05"]


def test_a_grid_of_two_dimensions() -> None:
    """A row per key of the first, with ranges of the second."""
    nb = Notebook(run=False)
    nb.cell("g", "%%asset grid --partitions day=daily:2024-01-01..2024-01-03;region=static:a,b,c\n1")
    nb.session.materialize("grid", partition="2024-01-02|a,2024-01-02|b")
    view = nb.session.partition_view("grid")
    assert (view.dimensions, view.total) == (("day", "region"), 9)
    rows = {row.key: [(one.start, one.end, one.status.word) for one in row.ranges] for row in view.rows}
    assert rows["2024-01-02"] == [("a", "b", "fresh"), ("c", "c", "missing")]
    assert rows["2024-01-01"] == [("a", "c", "missing")]


def test_why_names_the_partition(nb: Notebook) -> None:
    """The first that isn't fresh, or the one asked for."""
    nb.session.backfill("raw")
    nb.cell("r", RAW.replace("len", "2 * len"))
    told = nb.session.why("raw")
    assert str(told).startswith("raw[2024-01-01] is stale (code changed)")
    assert "+ return 2 * len(context.partition_key)" in str(told)
    assert nb.session.why("raw", "2024-01-04").name == "raw[2024-01-04]"


# ---- values


def test_values_come_by_partition_or_as_one(nb: Notebook) -> None:
    """A key gives its own; several give a dict, where they aren't frames."""
    assert nb.session.value("orders", "2024-01-02") == ("2024-01-02", 11)
    assert nb.session.value("raw", "2024-01-02..2024-01-03") == {"2024-01-02": 10, "2024-01-03": 10}
    assert [*nb.session.value("raw")] == ["2024-01-02", "2024-01-03"]
    nb.cell("r", RAW.replace("len", "2 * len"))
    assert nb.session.value("raw", "2024-01-02") == 20


@pytest.mark.parametrize(("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_frames_come_as_one(library: str, kind: type) -> None:
    """One below the other, in the order of the partitions; rows that were only numbered are numbered anew."""
    nb = Notebook(run=False)
    nb.cell("i", f"import {library}")
    nb.cell("f", f"%%asset f --partitions static:b,a\n{library}.DataFrame({{'key': [context.partition_key] * 2}})")
    nb.session.backfill("f")
    found = nb.session.value("f")
    assert isinstance(found, kind)
    assert list(found["key"]) == ["b", "b", "a", "a"]
    if library == "pandas":
        assert [*found.index] == [0, 1, 2, 3]
    assert [*nb.session.value("f", by_key=True)] == ["b", "a"]


def test_values_of_an_io_manager_of_the_users(tmp_path: Path) -> None:
    """They are loaded from its files."""
    nb = Notebook(run=False)
    nb.cell("m", f"from ipy_orch import FilesystemIOManager\nfiles = FilesystemIOManager(base_dir={str(tmp_path)!r})")
    nb.cell("x", "%%asset x --partitions static:a,b --io-manager files\ncontext.partition_key * 2")
    nb.session.backfill("x")
    assert nb.session.value("x") == {"a": "aa", "b": "bb"}
    assert nb.session.value("x", "b") == "bb"
    assert counts(nb, "x") == {"fresh": 2}


def test_a_cache_smaller_than_a_backfill_is_enough(nb: Notebook) -> None:
    """A partition is held until what reads it has run, and no longer."""
    nb.cell("r", RAW.replace("len(context.partition_key)", "bytes(200_000)"))
    nb.cell("o", ORDERS.replace("(context.partition_key, raw + 1)", "raw[:100_000]"))
    nb.session.store.limit_bytes = 1_000_000
    assert nb.session.backfill("orders").success
    assert nb.session.store.total_bytes <= 1_000_000
    assert sum(counts(nb, "orders").values()) == 10
    assert counts(nb, "orders").get("evicted", 0) > 0


# ---- dynamic partitions


def test_dynamic_partitions_outlive_the_kernel(tmp_path: Path) -> None:
    """Keys are events like any other; what was made is fresh in the next session."""
    store = str(tmp_path / "store")
    nb = Notebook(run=False, store=store)
    nb.cell("c", "%%asset customer --partitions dynamic:customers\ncontext.partition_key.upper()")
    assert str(nb.session.statuses(nb.session.scan())[AssetKey("customer")]) == "missing (no partitions yet)"
    nb.session.instance.add_dynamic_partitions("customers", ["ann", "bob", "cy"])
    nb.session.instance.add_dynamic_partitions("customers", ["bob", "dee"])
    nb.session.instance.delete_dynamic_partition("customers", "cy")
    nb.session.backfill("customer", "ann,dee")
    nb.session.persistence.close()
    again = Notebook(run=False, store=store)
    again.cell("c", "%%asset customer --partitions dynamic:customers\ncontext.partition_key.upper()")
    assert again.session.instance.get_dynamic_partitions("customers") == ["ann", "bob", "dee"]
    assert counts(again, "customer") == {"fresh": 2, "missing": 1}
    assert again.session.value("customer") == {"ann": "ANN", "dee": "DEE"}


def test_an_asset_adds_partitions_while_it_runs() -> None:
    """Through the instance of its context."""
    nb = Notebook(run=False)
    nb.cell("f", "%%asset found\ncontext.instance.add_dynamic_partitions('files', ['a.csv', 'b.csv'])\n2")
    nb.cell("x", "%%asset file --partitions dynamic:files\ncontext.partition_key")
    nb.session.materialize("found")
    assert nb.session.backfill("file").success
    assert counts(nb, "file") == {"fresh": 2}


# ---- jobs


def test_a_job_of_partitions(nb: Notebook) -> None:
    """One or several; without one it says which; what it reads and doesn't run must be there."""
    nb.session.define_job("nightly", selection="raw or orders")
    nb.session.define_job("half", selection="orders")
    with pytest.raises(DagsterError, match=r"(?s)say which partition.*%launch nightly --partition 2024-01-10"):
        nb.session.launch("nightly")
    with pytest.raises(DagsterError, match=r"(?s)partition `2024-01-05` of `raw`.*%backfill raw"):
        nb.session.launch("half", partition="2024-01-05")
    nb.session.launch("nightly", partition="2024-01-05..2024-01-06")
    assert nb.computed() == ["raw[2024-01-05]", "orders[2024-01-05]", "raw[2024-01-06]", "orders[2024-01-06]"]
    nb.session.launch("nightly", tags={"dagster/partition": "2024-01-07"})
    assert counts(nb, "orders") == {"fresh": 3, "missing": 7}
    assert nb.session.launch("half", partition="2024-01-05").success
