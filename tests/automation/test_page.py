"""What people see of schedules and sensors: the rows of their page, and the history of ticks."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch.automation.automations import automations_of
from ipy_orch.automation.daemon import daemon_of
from ipy_orch.automation.page import automation_rows, tick_rows
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.session.session import Session
from tests.automation.clocks import Frozen, at
from tests.automation.test_daemon import session_of

CELLS = """
from ipy_orch import *

@asset
def orders():
    print("made")
    return 1

@asset
def broken():
    raise ValueError("no")

daily = ScheduleDefinition("daily", cron_schedule=["0 9 * * *", "30 17 * * 1-5"], target="orders",
                           execution_timezone="Europe/Berlin", description="Each day.")
lost = build_schedule_from_partitioned_job(define_asset_job("whole", "orders"))
by_name = ScheduleDefinition(cron_schedule="*/5 * * * *", job_name="nightly",
                             default_status=DefaultScheduleStatus.RUNNING)

@sensor(asset_selection=["orders", "broken"], minimum_interval_seconds=90)
def look(context):
    print("looks")
    context.update_cursor("1")
    return [RunRequest("one", asset_selection=[AssetKey("orders")]), RunRequest("two", {}, {"a": "b"})]
"""


def test_a_row_says_when_what_and_how_it_went() -> None:
    """In words, and with the next moments of what is on."""
    session = session_of(CELLS, Frozen("2024-03-01 08:45"))
    session.switch("daily", True)
    rows = {row.name: row for row in automation_rows(session)}
    daily = rows["daily"]
    assert daily.when == "every day at 09:00, Monday to Friday at 17:30 (Europe/Berlin)"
    assert (daily.kind, daily.on, daily.target, daily.description) == ("schedule", True, "orders", "Each day.")
    assert [*daily.next] == [at("2024-03-01 16:30"), at("2024-03-02 08:00"), at("2024-03-03 08:00")]
    assert (rows["nightly_schedule"].on, rows["nightly_schedule"].target) == (True, "job nightly")
    assert (rows["look"].when, rows["look"].on, [*rows["look"].next]) == ("every 1 min 30 s", False, [])
    assert "has no partitions" in rows["whole_schedule"].problem


def test_a_tick_is_shown_with_what_became_of_its_runs() -> None:
    """Newest first; a name that nothing has is told."""
    session = session_of(CELLS, Frozen("2024-03-01 08:45"))
    made, reports = session.tick("look")
    assert [report.success for report in reports] == [True, False]
    (row,) = tick_rows(session, "look")
    assert (row.status, row.requested, [*row.runs], row.printed) == ("requested", 2, ["success", "failure"], "looks\n")
    assert made.event.cursor == "1"
    assert [run.tags.get("a") for run in session.history.runs.values()] == [None, "b"]
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `look`"):
        tick_rows(session, "lok")


def test_asking_changes_nothing() -> None:
    """Neither the cursor nor the log; a tick that is submitted returns at once."""
    session = session_of(CELLS, Frozen("2024-03-01 08:45"))
    answer = session.ask("look")
    assert (answer.status, len(answer.requests), answer.cursor) == ("requested", 2, "1")
    assert automations_of(session).ticks.of("look").cursor is None
    assert tick_rows(session) == []
    _, submitted = session.submit_tick("look")
    assert [one.result(10).success for one in submitted] == [True, False]


def test_stale_assets_only_runs_what_is_stale() -> None:
    """Nothing where nothing is."""
    session = session_of(
        """
from ipy_orch import *

@asset(code_version="1")
def orders():
    return 1

@asset(code_version="1")
def total(orders):
    return orders

@sensor(asset_selection=["orders", "total"])
def look():
    return RunRequest(stale_assets_only=True)
""",
        Frozen("2024-03-01 08:45"),
    )
    session.materialize(["orders"])
    session.tick("look")
    assert [run.keys for run in session.history.runs.values()][-1] == {"total": ("total",)}
    _, (report,) = session.tick("look")
    assert report.success
    assert [run.keys for run in session.history.runs.values()][-1] == {}
    assert not daemon_of(session).is_running


def test_conditions_have_a_sensor_of_their_own() -> None:
    """Assets with a condition that no sensor evaluates get one: off, ticking like any other, and in no export."""
    text = "from ipy_orch import *\n@asset(automation_condition=AutomationCondition.missing())\ndef a(): return 1"
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(text, namespace)
    session = Session(namespace)
    (row,) = automation_rows(session)
    assert (row.name, row.kind, row.on) == ("default_automation_condition_sensor", "sensor", False)
    tick = session.ask(row.name)
    assert [[key.label for key in request.asset_selection] for request in tick.requests] == [["a"]], tick
    assert not session.definitions().automations
