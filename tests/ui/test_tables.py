"""Tables for people, and numbers as people read them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest

from ipy_orch.events.runs import Runs
from ipy_orch.events.types import Event, Logged, RunFinished, RunStarted, StepFailed, StepSucceeded
from ipy_orch.model.keys import AssetKey
from ipy_orch.ui.tables import (
    assets_table,
    checks_table,
    events_table,
    human,
    human_bytes,
    human_seconds,
    human_shape,
    resources_table,
    runs_table,
)

NOON = 1_763_726_400.25


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_951, "1.0 MB"),
        (31_204_000, "31.2 MB"),
        (4.2e9, "4.2 GB"),
        (7e18, "7,000.0 PB"),
    ],
)
def test_human_bytes(number: float | None, text: str) -> None:
    """A size is read in the largest unit that leaves a figure before the point."""
    assert human_bytes(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.0123, "12 ms"),
        (0.34, "340 ms"),
        (0.9996, "1.0 s"),
        (1.23, "1.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (125, "2 min 5 s"),
        (3599.9, "1 h"),
        (3780, "1 h 3 min"),
        (360_000, "100 h"),
    ],
)
def test_human_seconds(seconds: float | None, text: str) -> None:
    """A duration never reads 60 seconds or 1000 milliseconds."""
    assert human_seconds(seconds) == text


@pytest.mark.parametrize(("shape", "text"), [((336_776, 19), "336,776 × 19"), ((1000,), "1,000"), ((), ""), (None, "")])
def test_human_shape(shape: tuple[int, ...] | None, text: str) -> None:
    """A shape reads as rows × columns."""
    assert human_shape(shape) == text


def test_assets_table() -> None:
    """A table of assets has a row for each key, numbers that add up and times that sort."""
    frame = assets_table(
        [
            {
                "asset": "sales/orders",
                "status": "fresh",
                "group": "ingest",
                "kinds": {"pandas", "duckdb"},
                "shape": (336_776, 19),
                "bytes": 31_204_000,
                "seconds": 1.23,
                "when": NOON,
                "checks": "2/2",
            },
            {"asset": "raw", "status": "missing", "reason": "never materialized"},
        ]
    )
    assert frame.index.name == "asset"
    assert frame.loc["sales/orders", "rows × columns"] == "336,776 × 19"
    assert frame.loc["sales/orders", "kinds"] == "duckdb, pandas"
    assert frame["bytes"].sum() == 31_204_000
    assert frame.loc["raw", "reason"] == "never materialized"
    assert frame.loc["raw"].isna()[["bytes", "seconds", "when"]].all()
    assert frame["when"].dtype == "datetime64[s]"
    assert frame["bytes"].dtype == "Int64"
    assert list(frame.index[frame["status"] == "fresh"]) == ["sales/orders"]


@pytest.mark.parametrize("make", [assets_table, checks_table, resources_table, runs_table, events_table])
def test_empty_tables(make: type[pd.DataFrame]) -> None:
    """A table without rows has its columns and their types."""
    frame = make([])
    assert len(frame) == 0
    assert len(frame.columns) >= 5
    assert "object" not in map(str, frame.dtypes)
    assert len(human(frame)) == 0


def test_checks_table() -> None:
    """A table of checks tells the verdict in a word and what was found in a line."""
    frame = checks_table(
        [
            {"asset": "orders", "check": "unique", "status": True, "blocking": True},
            {"asset": "orders", "check": "few_gaps", "status": "warned", "metadata": {"gaps": 3, "share": 0.1}},
            {"asset": "orders", "check": "new"},
            {"asset": "raw", "check": "exists", "status": False, "metadata": {"of": AssetKey(["a", "b"])}},
        ]
    )
    assert list(frame["status"]) == ["passed", "warned", "not run", "failed"]
    assert frame.loc[("orders", "few_gaps"), "found"] == "gaps=3, share=0.1"
    assert frame.loc[("raw", "exists"), "found"] == "of=a/b"
    assert list(frame["blocking"]) == [True, False, False, False]


def test_runs_table() -> None:
    """The runs that the fold keeps are rows as they are."""
    events: list[Event] = [
        RunStarted("r1", NOON, what="+orders", steps={"raw": "never materialized", "orders": "", "report": ""}),
        StepSucceeded("r1", NOON + 1, "raw", seconds=1),
        StepFailed("r1", NOON + 2, "orders", error="ZeroDivisionError: division by zero"),
        RunFinished("r1", NOON + 2, status="failure", seconds=2, message="`orders` failed"),
    ]
    frame = runs_table(Runs(events).runs.values())
    row = frame.loc["r1"]
    assert (row["status"], row["what"], row["steps"], row["seconds"]) == ("failure", "+orders", "2/3", 2.0)
    assert row["message"] == "`orders` failed"


def test_resources_table() -> None:
    """A row per field, by resource and field; names of users are one text, what is missing is empty."""
    row = {"resource": "db", "field": "path", "class": "Db", "value": "'x'", "source": "literal", "used by": ["a", "b"]}
    frame = resources_table([row, {"resource": "gone", "source": "nothing provides it"}])
    assert frame.loc[("db", "path"), "used by"] == "a, b"
    assert frame.loc[("gone", ""), "from"] == "nothing provides it"
    assert list(frame.columns) == ["class", "type", "value", "from", "variable", "used by", "description"]


def test_events_table() -> None:
    """Events are rows as they are; each says its own in a line."""
    frame = events_table(
        [
            RunStarted("r1", NOON, what="orders"),
            Logged("r1", NOON, "orders", text="one\ntwo"),
            StepFailed("r1", NOON, "orders", error="ValueError: no"),
            {"at": NOON, "kind": "note", "text": "x" * 1000},
        ]
    )
    assert list(frame["kind"]) == ["run started", "logged", "step failed", "note"]
    assert list(frame["text"])[:3] == ["orders", "one two", "ValueError: no"]
    assert len(frame["text"].iloc[3]) == 200
    assert frame["when"].dtype == "datetime64[ms]"


def test_rows_of_dataclasses() -> None:
    """A row may be an object with the fields as attributes."""

    @dataclass
    class Row:
        asset: str
        status: str
        seconds: float

    frame = assets_table([Row("orders", "fresh", 2.5)])
    assert frame.loc["orders", "seconds"] == 2.5


def test_human_table() -> None:
    """The table for display has words where the other has numbers."""
    frame = human(assets_table([{"asset": "a", "bytes": 31_204_000, "seconds": 0.34, "when": NOON}, {"asset": "b"}]))
    assert list(frame["size"]) == ["31.2 MB", ""]
    assert list(frame["took"]) == ["340 ms", ""]
    assert frame.loc["b", "when"] == ""
    assert str(frame.loc["a", "when"]).count(":") == 2


def test_texts_are_inert() -> None:
    """Names and messages can neither paint the terminal nor run in a page."""
    hostile = "<img src=x onerror=alert(1)>\x1b[31m"
    frame = assets_table([{"asset": hostile, "reason": hostile, "group": hostile, "kinds": [hostile]}])
    assert "\x1b" not in frame.to_string()
    assert "<img" not in frame.to_html()
