"""Partitions in the widget: told packed, followed while they're made, asked for by ranges; nothing that isn't there."""

import threading
import time
from datetime import timedelta

import pytest

from ipy_orch import (
    AutomationCondition,
    DailyPartitionsDefinition,
    FreshnessPolicy,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
    asset,
)
from ipy_orch.session.session import Session
from ipy_orch.ui.partitions import partitions_message
from ipy_orch.ui.protocol import wire
from tests.ui.wires import wired

DAYS = DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11")
REGIONS = StaticPartitionsDefinition(["north", "south"])
GATE = threading.Event()


@pytest.fixture
def session():
    """Return a session of an asset by day, of which one fails, one by day and region, and one without partitions."""
    GATE.set()

    @asset(
        code_version="1",
        partitions_def=DAYS,
        automation_condition=AutomationCondition.eager(),
        freshness_policy=FreshnessPolicy.time_window(timedelta(days=1)),
    )
    def sales(context):
        GATE.wait(10)
        if context.partition_key == "2024-01-05":
            raise ValueError("no such file")
        return context.partition_key

    @asset(code_version="1", partitions_def=MultiPartitionsDefinition({"day": DAYS, "region": REGIONS}))
    def regional(context):
        return context.partition_key

    @asset(code_version="1")
    def plain():
        return 1

    return Session({"sales": sales, "regional": regional, "plain": plain})


def stands(told):
    """Return how each partition stands, as a view unpacks it."""
    words = [one["word"] for one in told["statuses"]]
    return [words[at] for many, at in told["runs"] for _ in range(many)]


def test_they_are_told_packed(session):
    """As runs of neighbours that stand alike; the keys only once."""
    session.materialize("sales", partition="2024-01-04..2024-01-06")
    with wired(session) as view:
        told = view.ask("partitions", id="sales")
        assert told["keys"] == list(DAYS.get_partition_keys())
        assert stands(told) == ["missing"] * 3 + ["fresh", "failed", "fresh"] + ["missing"] * 4
        assert {"word": "failed", "reason": "ValueError: no such file"} in told["statuses"]
        again = view.ask("partitions", id="sales", known=told["stamp"])
        assert "keys" not in again
        assert again["runs"] == told["runs"]


def test_a_grid_is_told_row_by_row(session):
    """The keys of both dimensions, and the rows one after the other."""
    session.materialize("regional", partition="2024-01-02|south")
    with wired(session) as view:
        told = view.ask("partitions", id="regional")
        assert told["dimensions"] == ["day", "region"]
        assert told["rows"] == list(DAYS.get_partition_keys())
        assert told["keys"] == ["north", "south"]
        assert stands(told) == ["missing"] * 3 + ["fresh"] + ["missing"] * 16


def test_a_range_is_materialized(session):
    """Of one dimension or two; what isn't there is refused with the closest."""
    with wired(session) as view:
        view.send("materialize", ids=["sales"], partitions=["2024-01-01..2024-01-03"])
        view.wait_for("toast", text="3 partitions materialized")
        view.send("materialize", ids=["regional"], partitions=["2024-01-01..2024-01-02|north..south"])
        view.wait_for("toast", text="4 partitions materialized")
        refused = view.ask("materialize", ids=["sales"], partitions=["2024-01-41"])
        assert "there is no partition `2024-01-41`" in refused["why"]
        assert refused["hint"]


def test_a_backfill_takes_what_it_is_asked_for(session):
    """What is missing, what failed, and all by force."""
    session.materialize("sales", partition="2024-01-04..2024-01-06")
    with wired(session) as view:
        view.send("backfill", ids=["sales"], only="missing", partitions=["2024-01-01..2024-01-05"])
        view.wait_for("toast", text="3 partitions materialized")
        assert stands(view.ask("partitions", id="sales"))[:5] == ["fresh"] * 4 + ["failed"]
        view.send("backfill", ids=["sales"], only="failed")
        view.wait(lambda one: one["kind"] == "toast" and "no such file" in one["text"])
        view.send("backfill", ids=["sales"], only="all", partitions=["2024-01-01", "2024-01-02"])
        view.wait_for("toast", text="2 partitions materialized")
        assert "isn't partitioned" in view.ask("partitions", id="plain")["why"]
        assert "no asset `sails`" in view.ask("backfill", ids=["sails"])["why"]
        assert "this is no command" in view.ask("backfill", ids=["sales"], only="rm")["why"]
        assert "this is no command" in view.ask("backfill", ids=[])["why"]


def test_numbers_follow_while_they_are_made(session):
    """The node says how many stand how before the run is over."""
    GATE.clear()
    with wired(session) as view:
        view.wait(lambda _: view.states()["sales"]["status"].get("partitions") == {"missing": 10})
        view.send("backfill", ids=["sales"], partitions=["2024-01-01..2024-01-04"])
        view.wait(lambda _: view.words()["sales"] == "running")
        assert view.states()["sales"]["status"]["partitions"] == {"missing": 10}
        assert view.states()["sales"]["status"]["reason"] == "0 of 4 steps"
        GATE.set()
        view.wait(lambda _: view.states()["sales"]["status"].get("partitions") == {"fresh": 4, "missing": 6})


def test_freshness_and_condition_are_told(session):
    """On the node, and the condition as a tree."""
    session.materialize("sales", partition="2024-01-10")
    with wired(session) as view:
        node = view.states()["sales"]
        assert node["automated"]
        assert node["freshness"]["word"] == "fresh"
        assert node["freshness"]["until"] - node["freshness"]["updated"] == pytest.approx(86_400)
        told = view.ask("condition", id="sales")["condition"]
        assert told["title"] == "eager"
        assert told["below"][0]["title"] == "in_latest_time_window"
        assert "has no automation condition" in view.ask("condition", id="plain")["why"]


def test_details_are_those_of_its_partitions(session):
    """The last failure with its partition, and no value that would be one of many."""
    session.materialize("sales", partition="2024-01-05..2024-01-06")
    with wired(session) as view:
        told = view.ask("details", id="sales")
        assert told["error"]["line"] == "2024-01-05: ValueError: no such file"
        assert told["when"]
        assert told["value"]["reason"] == "each partition has its own value"


def test_ten_thousand_are_a_small_message():
    """And are told in a moment; where nothing but statuses is new, in some hundred characters."""
    days = DailyPartitionsDefinition("1990-01-01", end_date="2017-05-19")

    @asset(partitions_def=days)
    def long():
        return 1

    session = Session({"long": long})
    key = session.key("long", session.scan())
    whole = partitions_message(session, key)
    assert len(whole.keys) == 10_000
    best = 9.0
    for _ in range(3):
        began = time.process_time()
        told = partitions_message(session, key, whole.stamp)
        best = min(best, time.process_time() - began)
    assert len(str(wire(told))) < 500
    assert best < 0.2
