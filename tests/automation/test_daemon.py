"""The daemon: what is on ticks when its turn comes, once, whatever fails, and nothing is left when it stops."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

from ipy_orch.automation.automations import Automations, automations_of
from ipy_orch.automation.daemon import Daemon, daemon_of, stop_daemon
from ipy_orch.automation.page import automation_rows, tick_rows
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.session.session import Session
from ipy_orch.session.settings import Settings
from tests.automation.clocks import Frozen, at

CELLS = """
from ipy_orch import *

made = []

@asset
def orders():
    made.append("orders")
    return 1

nightly = define_asset_job("nightly", "orders")

@schedule("0 9 * * *", job=nightly)
def daily(context):
    return RunRequest(tags={"day": f"{context.scheduled_execution_time:%Y-%m-%d}"})

@sensor(target="orders", minimum_interval_seconds=10)
def files(context):
    seen = int(context.cursor or 0) + 1
    context.update_cursor(str(seen))
    return RunRequest(run_key=f"file {seen // 2}")
"""


def session_of(text: str, clock: Frozen, store: str = "") -> Session:
    """Return a session whose namespace a text has filled, with a clock."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(text, namespace)
    session = Session(namespace, Settings(store=store))
    automations_of(session, clock)
    return session


def settled(daemon: Daemon) -> None:
    """Let the daemon look once, and wait for the runs that it has begun."""
    daemon.look()
    while daemon.waiting or any(not one.done for one in daemon.going):
        time.sleep(0.005)
        daemon.begin_runs()


def days(session: Session) -> list[str]:
    """Return the days of the runs, in order."""
    return [run.tags["day"] for run in session.history.runs.values() if "day" in run.tags]


@pytest.fixture
def clock() -> Frozen:
    """Return a clock that stands at a quarter to nine."""
    return Frozen("2024-03-01 08:45")


@pytest.fixture
def session(clock: Frozen) -> Session:
    """Return a session with a schedule and a sensor."""
    return session_of(CELLS, clock)


def began(session: Session) -> Daemon:
    """Return the daemon, as if it had been started now, without its thread."""
    daemon = daemon_of(session)
    daemon.began = daemon.clock.now()
    return daemon


def test_nothing_ticks_that_nobody_switched_on(session: Session, clock: Frozen) -> None:
    """Defining a schedule or sensor, and starting the daemon, runs nothing."""
    daemon = began(session)
    clock.advance(3600)
    settled(daemon)
    assert session.namespace["made"] == []
    assert automations_of(session).ticks.all == []


def test_a_schedule_ticks_at_its_moment_and_once(session: Session, clock: Frozen) -> None:
    """Not before, not again until the next, however often the daemon looks."""
    daemon = began(session)
    session.switch("daily", True)
    settled(daemon)
    assert days(session) == []
    for seconds in (900, 1, 30, 24 * 3600):
        clock.advance(seconds)
        settled(daemon)
        settled(daemon)
    assert days(session) == ["2024-03-01", "2024-03-02"]


def test_the_moment_is_that_of_the_schedule_however_late(session: Session, clock: Frozen) -> None:
    """What a run is for doesn't depend on when the kernel had time."""
    session.switch("daily", True)
    clock.advance(900 + 40)
    settled(daemon_of(session))
    (tick,) = automations_of(session).ticks.all
    assert tick.moment == at("2024-03-01 09:00")
    assert tick.at == at("2024-03-01 09:00") + 40


@pytest.mark.parametrize(
    ("policy", "expected", "missed"),
    [
        ("last", ["2024-03-04"], 1),
        ("all", ["2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"], 0),
        ("skip", [], 1),
    ],
)
def test_missed_moments_are_caught_up_as_the_policy_says(
    session: Session, clock: Frozen, policy: str, expected: list[str], missed: int
) -> None:
    """Four moments passed while the kernel slept; what is done is noted, and the next one ticks in any case."""
    daemon = began(session)
    daemon.missed = policy
    session.switch("daily", True)
    clock.advance(3 * 24 * 3600 + 3600)
    settled(daemon)
    assert days(session) == expected
    assert sum(tick.status == "missed" for tick in automations_of(session).ticks.all) == missed
    clock.advance(24 * 3600 - 45 * 60)
    settled(daemon)
    assert days(session)[-1] == "2024-03-05"


def test_a_schedule_that_was_off_has_missed_nothing(session: Session, clock: Frozen) -> None:
    """Its moments count from when it was switched on."""
    daemon = began(session)
    session.switch("daily", True)
    clock.advance(900)
    settled(daemon)
    session.switch("daily", False)
    clock.advance(5 * 24 * 3600)
    session.switch("daily", True)
    settled(daemon)
    assert days(session) == ["2024-03-01"]


def test_a_sensor_is_asked_at_its_interval_and_runs_a_key_once(session: Session, clock: Frozen) -> None:
    """Its cursor goes on, and a run key that had its run has no other."""
    daemon = began(session)
    session.switch("files", True)
    for _ in range(5):
        settled(daemon)
        settled(daemon)  # too soon: it isn't asked
        clock.advance(10)
    keys = [run.tags["dagster/run_key"] for run in session.history.runs.values()]
    assert keys == ["file 0", "file 1", "file 2"]
    assert automations_of(session).ticks.of("files").cursor == "5"
    assert len(session.namespace["made"]) == 3


def test_run_keys_cursors_and_switches_outlive_the_kernel(clock: Frozen, tmp_path: Path) -> None:
    """A second kernel with the same store goes on where the first one was."""
    first = session_of(CELLS, clock, str(tmp_path / "store"))
    daemon = began(first)
    first.switch("files", True)
    for _ in range(3):
        settled(daemon)
        clock.advance(10)
    first.persistence.close()
    second = session_of(CELLS, clock, str(tmp_path / "store"))
    daemon = began(second)
    assert automations_of(second).is_on(second.scan().automations["files"])
    second.namespace["made"].clear()
    automations_of(second).ticks.of("files").cursor = "0"  # it would ask for the first keys again
    settled(daemon)
    assert second.namespace["made"] == []
    clock.advance(10)
    settled(daemon)
    assert automations_of(second).ticks.of("files").last.message == "`file 1` ran already"  # type: ignore[union-attr]
    second.persistence.close()


FAILING = """
from ipy_orch import *

@asset
def orders():
    return 1

@sensor(target="orders", minimum_interval_seconds=1)
def broken():
    raise ValueError("no such bucket")

@schedule("* * * * *", target="orders")
def odd():
    return 3

@sensor(target="orders", minimum_interval_seconds=1)
def sound(context):
    return RunRequest(run_key=str(context.cursor))

@schedule("* * * * *", job_name="nowhere")
def lost():
    return RunRequest()
"""


def test_an_error_in_one_leaves_the_others_alone(clock: Frozen) -> None:
    """What went wrong is noted, with the line of the exception; a job that isn't there, too."""
    session = session_of(FAILING, clock)
    daemon = began(session)
    for name in ("broken", "odd", "sound", "lost"):
        session.switch(name, True)
    clock.advance(60)
    settled(daemon)
    rows = {row.name: row for row in automation_rows(session)}
    assert rows["broken"].status == "failed"
    assert rows["broken"].message == "ValueError: no such bucket"
    assert rows["odd"].status == "failed"
    assert "RunRequest(...)" in rows["odd"].message
    assert (rows["sound"].status, [*rows["sound"].runs]) == ("requested", ["success"])
    assert rows["lost"].status == "failed"
    assert "there is no job `nowhere`" in rows["lost"].message


def test_a_sensor_that_says_the_same_again_is_noted_once(clock: Frozen) -> None:
    """A log that grows with every look would hold nothing else."""
    session = session_of(FAILING, clock)
    daemon = began(session)
    session.switch("broken", True)
    for _ in range(20):
        settled(daemon)
        clock.advance(30)
    assert len(tick_rows(session, "broken")) == 1


def test_a_cell_that_cannot_be_read_stops_nothing(session: Session, clock: Frozen) -> None:
    """Two schedules of one name are an error of the notebook: the daemon says so, and goes on when it is mended."""
    daemon = began(session)
    session.switch("daily", True)
    session.namespace["copy"] = session.namespace["daily"].with_attributes(metadata={})
    clock.advance(900)
    settled(daemon)
    assert "two schedules or sensors are named `daily`" in daemon.trouble
    del session.namespace["copy"]
    settled(daemon)
    assert days(session) == ["2024-03-01"]
    assert daemon.trouble == ""


# -- the thread -------------------------------------------------------------------------------------------------------


def until(condition: Any, seconds: float = 5.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def threads() -> list[str]:
    """Return the names of the threads that are the daemon's."""
    return [thread.name for thread in threading.enumerate() if thread.name == "ipy_orch daemon"]


def test_the_thread_runs_what_is_asked_for_while_a_cell_goes_on(session: Session, clock: Frozen) -> None:
    """The kernel isn't blocked by a tick, and a run waits for the run of a cell."""
    session.switch("daily", True)
    session.daemon("start")
    with session.lock:  # as a cell that materializes holds it
        clock.advance(900)
        until(lambda: automations_of(session).ticks.all)
        assert session.history.runs == {}
    until(lambda: days(session) == ["2024-03-01"])
    session.daemon("stop")
    assert threads() == []


def test_there_is_one_thread_and_none_when_it_was_stopped(session: Session) -> None:
    """However often it is started, and also when it is started anew."""
    session.daemon("start")
    session.daemon("start")
    assert len(threads()) == 1
    stop_daemon(session)
    assert threads() == []
    session.daemon("start")
    assert len(threads()) == 1
    stop_daemon(session)


def test_a_session_that_nobody_holds_takes_the_thread_along(clock: Frozen) -> None:
    """Also without a stop."""
    session = session_of(CELLS, clock)
    session.daemon("start")
    gone = weakref.ref(session)
    del session

    def is_gone() -> bool:
        gc.collect()
        return gone() is None and threads() == []

    until(is_gone)


def test_a_stop_says_what_was_not_run(session: Session, clock: Frozen) -> None:
    """Runs that were asked for and hadn't begun are dropped, and named."""
    daemon = began(session)
    daemon.missed = "all"
    session.switch("daily", True)
    clock.advance(20 * 24 * 3600)
    with session.lock:
        daemon.look()
        status = session.daemon("stop")
        assert len(status.dropped) == 15  # five wait in the session's queue
        session.queue.cancel()
    until(lambda: not session.queue.waiting)


def test_words_that_the_daemon_does_not_know_are_told(session: Session) -> None:
    """With the closest one."""
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `start`"):
        session.daemon("strat")
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `last`"):
        session.daemon("start", "lats")


def test_a_session_has_one_of_each(session: Session) -> None:
    """Whoever asks for them."""
    assert isinstance(automations_of(session), Automations)
    assert automations_of(session) is automations_of(session)
    assert daemon_of(session) is daemon_of(session)


PARTITIONED = """
from ipy_orch import *

days = DailyPartitionsDefinition("2024-02-01", timezone="Europe/Berlin")

@asset(partitions_def=days)
def sales(context):
    return context.partition_key

job = define_asset_job("sales_job", "sales")
by_day = build_schedule_from_partitioned_job(job, hour_of_day=3)

fruits = DynamicPartitionsDefinition(name="fruits")

@asset(partitions_def=fruits)
def juice(context):
    return context.partition_key

@sensor(asset_selection=["juice"])
def baskets(context):
    added = fruits.build_add_request(["apple"])
    return SensorResult([RunRequest(partition_key="apple")], dynamic_partitions_requests=[added])
"""


def test_partitions_are_run_when_they_have_ended(clock: Frozen) -> None:
    """A schedule of partitioned assets follows these, and a sensor may add a partition and ask for it at once."""
    session = session_of(PARTITIONED, clock)
    daemon = began(session)
    session.switch("sales_job_schedule", True)
    session.switch("baskets", True)
    clock.time = at("2024-03-02 02:00")
    settled(daemon)
    made = {key.label: partition for key, partition in session.ledger.materialized}
    assert made == {"sales": "2024-03-01", "juice": "apple"}
    runs = [(run.what, run.tags["dagster/partition"], run.status) for run in session.history.runs.values()]
    assert sorted(runs) == [
        ("job sales_job", "2024-03-01", "success"),
        ("sensor baskets", "apple", "success"),
    ]


def test_an_asset_condition_is_asked_like_any_sensor(clock: Frozen) -> None:
    """The daemon knows the conditions of assets as a sensor over them."""
    session = session_of(
        """
from ipy_orch import *

@asset(automation_condition=AutomationCondition.missing())
def orders():
    return 1

conditions = AutomationConditionSensorDefinition("conditions", target="*")
""",
        clock,
    )
    daemon = began(session)
    session.switch("conditions", True)
    for _ in range(3):
        settled(daemon)
        clock.advance(30)
    assert [tick.message for tick in automations_of(session).ticks.all if tick.status == "failed"] == []
    assert [run.status for run in session.history.runs.values()] == ["success"]


def test_a_secret_is_in_no_tick(clock: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in what a sensor prints, nor in what it raises."""
    monkeypatch.setenv("BUCKET_TOKEN", "s3cret-token")
    session = session_of(
        """
from ipy_orch import *

class Bucket(ConfigurableResource):
    token: str

bucket = Bucket(token=EnvVar("BUCKET_TOKEN"))

@sensor(target="*")
def look(bucket: Bucket):
    print("with", bucket.token)
    raise ValueError(f"refused {bucket.token}")
""",
        clock,
    )
    began(session)
    event = automations_of(session).tick("look").event
    assert (event.message, event.printed) == ("ValueError: refused [BUCKET_TOKEN]", "with [BUCKET_TOKEN]\n")
