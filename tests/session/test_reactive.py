"""Reactive mode: what is behind is brought up to date in the background, and never anything else."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipy_orch.errors import DagsterInvariantViolationError, DagsterUnknownPartitionError
from ipy_orch.model.keys import AssetKey
from ipy_orch.session.automation.reactive import may_change
from tests.session.notebook import Notebook

MOST = 20.0  # seconds


class Sheet(Notebook):
    """Do around each cell what the IPython door does."""

    def __init__(self, mode: str = "on") -> None:
        super().__init__()
        self.session.reactive.switch(mode)
        self.texts: dict[str, str] = {}

    def write(self, key: str, text: str) -> None:
        """Run a cell; an error in it is the cell's own."""
        reactive = self.session.reactive
        if may_change(text, self.session.names.bound):
            reactive.hold()
        try:
            self.cell(key, text)
        finally:
            self.texts[key] = text
            reactive.wake()

    def settled(self) -> None:
        assert self.session.reactive.settle(MOST)

    def count(self, kind: str, name: str) -> int:
        """Return how often an asset was made, or failed."""
        keys = [
            event.keys if kind == "step failed" else (event.key,) for event in self.session.log if event.kind == kind
        ]
        return sum(AssetKey(name) in one for one in keys)


def shop(mode: str = "on") -> Sheet:
    """Return three assets in a row, and a factor."""
    sheet = Sheet(mode)
    sheet.write("factor", "factor = 2")
    sheet.write("a", "%%asset a\n[1, 2]")
    sheet.write("b", "%%asset b\n[factor * one for one in a]")
    sheet.write("c", "%%asset c\nsum(b)")
    sheet.settled()
    return sheet


def test_nothing_runs_by_itself_without_the_switch() -> None:
    """Not even an asset with the condition."""
    sheet = shop("off")
    sheet.write("b", "%%asset b --automation eager\n[factor * one for one in a]")
    sheet.write("a", "%%asset a\n[1, 2, 3]")
    assert sheet.session.reactive.going is None
    assert sheet.namespace["c"] == 6


def test_everything_downstream_follows_an_edit() -> None:
    """Of a cell, and of a name that cells read."""
    sheet = shop()
    sheet.write("a", "%%asset a\n[1, 2, 3]")
    sheet.settled()
    assert sheet.namespace["c"] == 12
    sheet.write("factor", "factor = 3")
    sheet.settled()
    assert (sheet.namespace["b"], sheet.namespace["c"]) == ([3, 6, 9], 18)
    assert sheet.count("materialized", "a") == 2


def test_only_those_with_the_condition() -> None:
    """What stands between and isn't kept up to date stops it."""
    sheet = shop("eager")
    sheet.write("c", "%%asset c --automation eager\nsum(b)")
    sheet.write("a", "%%asset a\n[5]")
    sheet.settled()
    assert sheet.namespace["c"] == 6
    sheet.write("b", "%%asset b --automation eager\n[factor * one for one in a]")
    sheet.settled()
    assert sheet.namespace["c"] == 10


def test_an_error_is_met_once() -> None:
    """What failed is tried again when something of it has changed, and what is downstream waits."""
    sheet = shop()
    sheet.write("b", "%%asset b\n[one / 0 for one in a]")
    sheet.settled()
    failed = sheet.count("step failed", "b")
    assert failed == 1
    sheet.write("look", "1 + 1")
    sheet.settled()
    assert sheet.count("step failed", "b") == failed
    sheet.write("a", "%%asset a\n[]")
    sheet.settled()
    assert (sheet.namespace["b"], sheet.namespace["c"]) == ([], 0)


def test_an_error_in_the_background_is_told_once() -> None:
    """In the cell of its asset."""
    sheet = shop()
    told: list[Any] = []
    sheet.session.on_report = told.append
    sheet.write("factor", "factor = None")
    sheet.settled()
    sheet.write("look", "unrelated = 1")
    sheet.settled()
    assert [str(line) for report in told for line in report.lines if line.status == "failed"] == [
        "b · failed: TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'"
    ]
    sheet.write("factor", "factor = 5")
    sheet.settled()
    assert sheet.namespace["c"] == 15


def test_an_edit_ends_the_round_that_goes_on() -> None:
    """What it was computing is dropped; the new code decides."""
    sheet = shop()
    begun, go = threading.Event(), threading.Event()
    sheet.namespace.update(begun=begun, go=go)
    sheet.run = False
    sheet.write("b", "%%asset b\nbegun.set()\ngo.wait(10)\n['old']")
    assert begun.wait(10)
    sheet.write("b", "%%asset b\n[7]")
    go.set()
    sheet.settled()
    made = [event for event in sheet.session.log if event.kind == "materialized" and event.key == AssetKey("b")]
    assert sheet.namespace["b"] == [7]
    assert len(made) == 2, "the one of before, and the new one"


def test_switching_off_ends_it() -> None:
    """And nothing more is run."""
    sheet = shop()
    begun, go = threading.Event(), threading.Event()
    sheet.namespace.update(begun=begun, go=go)
    sheet.run = False
    sheet.write("b", "%%asset b\nbegun.set()\ngo.wait(10)\n['old']")
    assert begun.wait(10)
    sheet.session.reactive.switch("off")
    go.set()
    sheet.settled()
    assert sheet.namespace["c"] == 6
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `on`"):
        sheet.session.reactive.switch("onn")


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("orders", False),
        ("orders.head()\nlen(orders)", False),
        ("%assets", False),
        ("%why orders", False),
        ("limit = 3", True),
        ("box.append(orders)", True),
        ("(n := 3)", True),
        ("%%asset orders\n1", True),
        ("%materialize orders", True),
        ("def f():\n    return 1", True),
        ("del limit", True),
    ],
)
def test_a_look_at_a_value_disturbs_nothing(text: str, changes: bool) -> None:
    """Anything else may change what an asset computes."""
    assert may_change(text, {"orders"}) is changes


# -- the promise ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """Write a cell; perhaps wait until all is done."""

    where: str
    a: int
    b: int
    waits: bool

    @property
    def text(self) -> str:
        return {
            "n": f"n = {self.a}",
            "f": f"def f(x):\n    return [v + {self.a} * n for v in x]",
            "a": f"%%asset a\n[{self.a}, {self.b}]",
            "b": ("%%asset b\nf(a)", f"%%asset b\n[v * {self.b} for v in a]", "%%asset b\n[v // n for v in a]")[self.a],
            "c": ("%%asset c\nf(b) + a", f"%%asset c\n[len(b), {self.b}, n]", "%%asset c\n[sum(b)]")[self.a],
            "d": f"%%asset d\n[sum(c), {self.a}]",
        }[self.where]


numbers = st.integers(0, 2)
edits = st.builds(Edit, st.sampled_from("nfabcd"), numbers, numbers, st.booleans())


def attempt(sheet: Notebook, key: str, text: str) -> None:
    """Run a cell that may fail."""
    try:
        sheet.write(key, text) if isinstance(sheet, Sheet) else sheet.cell(key, text)
    except Exception:
        return


def values(sheet: Notebook) -> dict[str, Any]:
    """Return the value of each asset, brought up to date; what it raised by its type."""
    found: dict[str, Any] = {}
    for name in "abcd":
        try:
            found[name] = sheet.value(name)
        except Exception as error:
            found[name] = type(error).__name__
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(edits, max_size=6))
def test_its_values_are_those_of_restart_and_run_all(story: list[Edit]) -> None:
    """Whatever is edited while it runs; and nothing is left to do."""
    sheet = Sheet()
    for edit in [Edit("n", 1, 0, False), Edit("f", 1, 0, False), *(Edit(key, 0, 1, False) for key in "abcd"), *story]:
        attempt(sheet, edit.where, edit.text)
        if edit.waits:
            sheet.settled()
    sheet.settled()
    bound = {name: sheet.namespace.get(name) for name in "abcd"}
    statuses = sheet.session.statuses(sheet.session.scan())
    oracle = Notebook()
    for key in "nfabcd":
        attempt(oracle, key, sheet.texts[key])
    expected = values(oracle)
    for name in "abcd":
        if not isinstance(expected[name], str):
            assert bound[name] == expected[name]
            assert statuses[AssetKey(name)].word == "fresh"


DAYS = "--partitions daily:2024-01-01 --automation eager"
KEYS = "--partitions static:a,b --automation eager"


def cut(sheet: Sheet, key: str, text: str) -> None:
    """Write the cell of a partitioned asset, which makes nothing by itself here."""
    with suppress(DagsterUnknownPartitionError):
        sheet.write(key, text)


def days(sheet: Sheet, name: str) -> dict[str | None, Any]:
    """Return which partitions of an asset have been made, and how often."""
    made = [
        event.partition for event in sheet.session.log if event.kind == "materialized" and event.key.path[-1] == name
    ]
    return {one: made.count(one) for one in made}


@pytest.mark.parametrize("mode", ["eager", "on"])
def test_the_newest_partition_follows_an_edit(mode: str) -> None:
    """Only that, as the condition says; what reads it follows, and older ones are left for a backfill."""
    sheet = Sheet(mode)
    sheet.write("factor", "factor = 1")
    cut(sheet, "day", f"%%asset day {DAYS}\nfactor")
    cut(sheet, "twice", f"%%asset twice {DAYS}\n2 * day")
    sheet.write("newest", "%%asset newest --automation eager --partition-mapping twice=last\ntwice + 1")
    sheet.settled()
    [last] = days(sheet, "twice")
    assert (days(sheet, "day"), sheet.session.value("newest")) == ({last: 1}, 3)
    sheet.session.materialize("day", partition="2024-01-02")
    sheet.write("factor", "factor = 5")
    sheet.settled()
    assert days(sheet, "day") == {last: 2, "2024-01-02": 1}
    assert days(sheet, "twice") == {last: 2}
    assert sheet.session.value("newest") == 11


def test_each_key_of_other_partitions_follows_as_far_as_it_can() -> None:
    """One whose input isn't there waits, an error is met once, and the others go on."""
    sheet = Sheet("eager")
    cut(sheet, "raw", "%%asset raw --partitions static:a,b --no-run\ncontext.partition_key")
    cut(sheet, "clean", f"%%asset clean {KEYS}\n{{'a': 1}}[raw]")
    cut(sheet, "top", f"%%asset top {KEYS}\nclean + 1")
    sheet.settled()
    assert days(sheet, "clean") == {}
    sheet.session.materialize("raw", partition="a")
    sheet.write("look", "x = 1")
    sheet.settled()
    assert (days(sheet, "clean"), days(sheet, "top")) == ({"a": 1}, {"a": 1})
    sheet.session.materialize("raw", partition="b")
    sheet.write("look", "x = 2")
    sheet.settled()
    sheet.write("look", "x = 3")
    sheet.settled()
    assert sheet.count("step failed", "clean") == 1
    cut(sheet, "clean", f"%%asset clean {KEYS}\n{{'a': 1, 'b': 2}}[raw]")
    sheet.settled()
    assert set(days(sheet, "top")) == {"a", "b"}
    assert sheet.session.value("top", partition="b") == 3


def test_a_condition_says_how_far_it_looks_back() -> None:
    """Of eager's own window the condition may have another, or none."""
    sheet = Sheet("eager")
    sheet.write(
        "wide",
        "from datetime import timedelta\n"
        "from ipy_orch import AutomationCondition as AC\n"
        "wide = AC.eager().replace('in_latest_time_window', AC.in_latest_time_window(timedelta(days=3)))\n"
        "whole = AC.eager().without(AC.in_latest_time_window())",
    )
    cut(sheet, "few", "%%asset few --partitions daily:2024-01-01 --automation wide\n1")
    cut(sheet, "all", "%%asset whole_year --partitions static:a,b,c --automation whole\n1")
    sheet.settled()
    assert len(days(sheet, "few")) == 3
    assert set(days(sheet, "whole_year")) == {"a", "b", "c"}
