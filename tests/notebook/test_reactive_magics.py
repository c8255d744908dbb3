"""Reactive mode, conditions and freshness as a person meets them in cells."""

from __future__ import annotations

from typing import Any

import pytest

CHAIN = (
    ("n", "n = 2"),
    ("a", "%%asset a\n[1, 2]"),
    ("b", "%%asset b\n[n * one for one in a]"),
)


@pytest.fixture
def sheet(notebook: Any) -> Any:
    """Return a notebook with two assets and a number."""
    for cell_id, text in CHAIN:
        notebook.good(text, cell_id)
    return notebook


def settled(notebook: Any) -> None:
    """Wait until nothing goes on in the background."""
    assert notebook.session.reactive.settle(20)


def test_the_switch_says_what_it_does(sheet: Any) -> None:
    """Without a word it tells what is so; a misspelt one is refused with the closest."""
    assert sheet.good("%reactive").shown == ["reactive mode is off: nothing runs by itself"]
    assert sheet.good("%reactive on").shown == ["reactive mode is on: all assets are kept up to date"]
    assert "did you mean `eager`" in sheet.run("%reactive eagr").stderr


def test_a_cell_is_followed_by_what_reads_it(sheet: Any) -> None:
    """The value is in the asset's variable, and shows in its own cell."""
    sheet.good("%reactive on")
    sheet.good("%%asset a\n[5]", "a")
    settled(sheet)
    assert sheet.variables["b"] == [10]
    sheet.good("n = 3", "n")
    settled(sheet)
    assert sheet.variables["b"] == [15]
    sheet.good("%reactive off")
    sheet.good("n = 4", "n")
    settled(sheet)
    assert sheet.variables["b"] == [15]


def test_a_failing_cell_is_followed_by_nothing(sheet: Any) -> None:
    """And the round that was held is let go."""
    sheet.good("%reactive on")
    assert isinstance(sheet.run("%%asset a\n1 / 0", "a").error, ZeroDivisionError)
    settled(sheet)
    assert sum(event.kind == "step failed" for event in sheet.session.log) == 1
    sheet.good("%%asset a\n[7]", "a")
    settled(sheet)
    assert sheet.variables["b"] == [14]


def test_waiting_in_a_notebook_that_is_run_from_top_to_bottom(sheet: Any) -> None:
    """The next cell reads the new value."""
    sheet.good("%reactive on")
    sheet.good("n = 5", "n")
    assert sheet.good("%reactive wait").stderr == ""
    assert sheet.good("b").out == [5, 10]


def test_of_partitions_in_time_the_newest_is_kept_up_to_date(sheet: Any) -> None:
    """The switch says of which assets it leaves some to a backfill."""
    sheet.good("%%asset names --partitions static:x,y\n1")
    sheet.good("%%asset days --partitions daily:2024-01-01\n1")
    assert sheet.good("%reactive on").status.endswith("of days the newest in time: `%backfill` makes the others")


def test_unloading_switches_it_off(sheet: Any) -> None:
    """Nothing is left that listens to cells."""
    sheet.good("%reactive on")
    session = sheet.session
    sheet.good("%unload_ext ipy_orch")
    assert session.reactive.mode == "off"


def test_a_condition_on_the_line_of_a_cell(sheet: Any) -> None:
    """A word, a schedule or a variable; a wrong one is refused with the closest."""
    sheet.good("from ipy_orch import AutomationCondition\nquick = AutomationCondition.eager().with_label('quick')")
    sheet.good("%%asset b --automation quick\n[n * one for one in a]", "b")
    sheet.good("%%asset c --automation on_cron:@daily@Europe/Berlin\na", "c")
    shown = sheet.good("%conditions").stdout
    assert "b · quick" in shown
    assert "c · on_cron(@daily, Europe/Berlin)" in shown
    wrong = sheet.run("%%asset d --automation egaer\n1")
    assert "did you mean `eager`" in wrong.traceback + wrong.stderr
    wrong = sheet.run("%%asset d --automation on_cron:daily\n1")
    assert "five fields" in wrong.traceback + wrong.stderr


def test_why_a_condition_is_true(sheet: Any) -> None:
    """As a tree; of an asset without one, how to give it one."""
    sheet.good("%%asset b --automation eager\n[n * one for one in a]", "b")
    assert sheet.good("%conditions b").stdout.startswith("✗ eager")
    sheet.good("%%asset a\n[9]", "a")
    told = sheet.good("%conditions b").stdout
    assert told.startswith("✓ eager")
    assert "✓ newly_updated" in told
    assert "--automation eager" in sheet.run("%conditions a").stderr
    assert "did you mean `b`" in sheet.run("%conditions bb").stderr
    assert sheet.session.explain_condition("b").to_dict()["state"] == "true"


def test_freshness_stands_in_the_table_where_anything_asks_for_it(sheet: Any) -> None:
    """And only there."""
    assert "freshness" not in sheet.session.assets().columns
    sheet.good(
        "from datetime import timedelta\n"
        "from ipy_orch import FreshnessPolicy, asset\n"
        "@asset(freshness_policy=FreshnessPolicy.time_window(timedelta(hours=1)))\n"
        "def d():\n    return 1"
    )
    assert sheet.session.assets().loc["d", "freshness"] == "fresh"
    assert sheet.session.assets().loc["a", "freshness"] == ""
