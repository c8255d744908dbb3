"""Jobs, schedules, sensors and resources of a code location: launched, asked and shown at home; one process for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ipy_orch.automation.automations import automations_of
from ipy_orch.automation.daemon import Daemon
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.model.keys import AssetKey
from ipy_orch.session.session import Session
from tests.session.notebook import Notebook

DEPOT = """
from ipy_orch import *

class Warehouse(ConfigurableResource):
    url: str
    password: str = EnvVar("DEPOT_PASSWORD")

class Size(Config):
    rows: int = 2

@asset
def orders(config: Size, warehouse: Warehouse):
    return [warehouse.url] * config.rows

@asset(automation_condition=AutomationCondition.eager())
def total(orders):
    return len(orders)

@asset(partitions_def=DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-01-04"))
def day(context):
    return context.partition_key

@op
def extract(context, config: Size):
    context.log.warning("careful")
    print("extracting", config.rows)
    return config.rows

@op
def load(rows: int):
    yield AssetMaterialization("loaded", metadata={"rows": rows})
    if rows > 5:
        raise ValueError("too many rows")
    yield Output(rows)

@job(description="moves rows")
def move():
    load(extract())

nightly = define_asset_job(
    "nightly",
    "orders+",
    {"ops": {"orders": {"config": {"rows": 4}}}, "resources": {"warehouse": {"config": {"url": "db://night"}}}},
)
daily = define_asset_job("daily", "day")

@schedule(job=move, cron_schedule="0 4 * * *", execution_timezone="Europe/Berlin")
def moving(context):
    return RunRequest(run_config={"ops": {"extract": {"config": {"rows": context.scheduled_execution_time.day}}}})

@sensor(job=move)
def files(context, warehouse: Warehouse):
    context.update_cursor(str(int(context.cursor or 0) + 1))
    print("looking into", warehouse.url)
    return RunRequest(run_key="first")

@asset_sensor(asset_key=AssetKey("rates"), job=nightly)
def on_rates(context, event):
    return RunRequest(tags={"rates": event.dagster_event.asset_key.path[0]})

@run_failure_sensor
def on_failure(context):
    print("failed:", context.dagster_run.job_name, context.failure_event.message)

def look():
    return {}["file"]

@sensor(target="total", default_status=DefaultSensorStatus.RUNNING)
def broken(context):
    return look()

names = DynamicPartitionsDefinition(name="names")

@sensor(target="total")
def telling(context):
    context.instance.add_dynamic_partitions("names", ["first"])
    more = [names.build_add_request(["second"])]
    told = [AssetMaterialization("told")]
    return SensorResult([RunRequest(asset_selection=[AssetKey("total")])], None, None, more, told)

defs = Definitions(
    [orders, total, day],
    [build_schedule_from_partitioned_job(daily), moving],
    [files, on_rates, on_failure, broken, telling],
    jobs=[nightly, move],
    resources={"warehouse": Warehouse(url="db://depot")},
)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """Return a notebook with a code location."""
    path = tmp_path_factory.mktemp("depot") / "depot.py"
    path.write_text(DEPOT)
    patch = pytest.MonkeyPatch()
    patch.setenv("DEPOT_PASSWORD", "swordfish-7")
    made = Notebook()
    made.session.code_locations.add("depot", file=path)
    yield made
    made.session.code_locations.close()
    patch.undo()


@pytest.fixture
def session(home: Notebook) -> Session:
    """Return the session of that notebook."""
    return home.session


def texts(session: Session, run: Any) -> list[str]:
    """Return what was printed and logged in a run."""
    return [event.text for event in session.log.of_run(run.run_id) if event.kind == "logged"]


def test_all_is_listed_and_no_secret_with_it(session: Session) -> None:
    """By names that home's own can't have; definitions of home's, which are exported, are without them."""
    jobs = session.jobs()
    assert dict(jobs["runs"]) == {"depot/daily": "day", "depot/move": "move", "depot/nightly": "orders, total"}
    found = session.automations()
    assert set(found.index) == {
        *(f"depot/{name}" for name in ("broken", "daily_schedule", "files", "moving", "on_failure", "on_rates")),
        "depot/telling",
        "default_automation_condition_sensor",
    }
    assert found.loc["depot/moving", "ticks"] == "every day at 04:00 (Europe/Berlin)"
    assert found.loc["depot/broken", "switch"] == "on"
    resources = session.resources()
    assert "environment DEPOT_PASSWORD" in resources.loc["depot/warehouse"].to_csv()
    assert "swordfish" not in resources.to_csv() + repr(session.code_locations.known["depot"].described)
    assert [*session.code_locations.list().loc["depot", ["jobs", "automations", "resources"]]] == [3, 7, "warehouse"]
    own = session.definitions()
    assert not [*own.jobs, *own.schedules, *own.sensors]


def test_a_job_of_assets_runs_there_with_its_config(session: Session) -> None:
    """Its ops' config, and that of resources, which home hasn't got; the assets are home's to read."""
    assert session.launch("nightly").success  # the only one of this name
    assert session.value("orders") == ["db://night"] * 4
    assert session.value("total") == 4
    assert session.launch("depot/daily", partition="2024-01-02").success
    assert session.value("day", partition="2024-01-02") == "2024-01-02"
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `depot/nightly`"):
        session.launch("depot/nightyl")


def test_a_job_of_ops_is_run_there(session: Session) -> None:
    """With its run config, what its ops print, log and tell of assets, and the user's frames of what they raise."""
    done = session.launch("depot/move", config={"ops": {"extract": {"config": {"rows": 3}}}})
    assert done.success
    run = session.history.runs[done.result.run_id]
    assert "extracting 3\n" in texts(session, run)
    assert any("`extract` done in" in text for text in texts(session, run))
    assert session.ledger.latest[AssetKey("loaded")].materialization.metadata["rows"].value == 3

    failed = session.launch("depot/move", config={"ops": {"extract": {"config": {"rows": 9}}}})
    [error] = failed.result.errors.values()
    assert isinstance(error, ValueError)
    assert "in code location `depot`" in error.__notes__[0]
    assert 'raise ValueError("too many rows")' in error.__notes__[0]
    wrong = session.launch("depot/move", config={"ops": {"extrakt": {}}})
    assert "did you mean `extract`" in str([*wrong.result.errors.values()])


def test_schedules_and_sensors_are_asked_there_and_their_runs_begin_here(session: Session, home: Notebook) -> None:
    """They know what home knows: materializations, failed runs of their jobs, cursors, run keys."""
    made, [report] = session.tick("depot/moving", "2024-03-04 04:00")
    assert made.answer.zone == "Europe/Berlin"
    assert report.success
    assert "extracting 4\n" in texts(session, session.history.runs[report.result.run_id])

    first, [_] = session.tick("files")
    again, none = session.tick("files")
    assert (first.answer.printed, first.event.cursor, again.event.cursor) == ("looking into db://depot\n", "1", "2")
    assert (again.answer.message, none) == ("`first` ran already", [])

    assert session.tick("on_rates")[0].answer.status == "skipped"
    home.cell("rates", "#| asset: rates\n1")
    _, [report] = session.tick("on_rates")
    assert report.plan.request.what == "job depot/nightly"
    assert session.history.runs[report.result.run_id].tags["rates"] == "rates"

    session.tick("on_failure")
    session.launch("depot/move", config={"ops": {"extract": {"config": {"rows": 7}}}})
    assert session.tick("on_failure")[0].answer.printed.startswith("failed: move ")

    made, [report] = session.tick("depot/daily_schedule", "2024-01-03 00:00")
    assert report.success
    assert session.value("day", partition="2024-01-02") == "2024-01-02"


def test_what_a_sensor_does_beside_runs_is_done_at_home(session: Session) -> None:
    """Dynamic partitions, in both ways, and reports of assets; once."""
    _, [report] = session.tick("telling")
    assert [key.label for step in report.plan.steps for key in step.keys] == ["total"]
    assert session.instance.get_dynamic_partitions("names") == ["first", "second"]
    before = len(session.log)
    session.tick("telling")
    assert session.instance.get_dynamic_partitions("names") == ["first", "second"]
    assert AssetKey("told") in session.ledger.latest
    assert len([e for e in [*session.log][before:] if e.kind == "materialized" and e.key.label == "told"]) == 1


def test_an_error_there_is_told_with_its_frames_and_the_daemon_goes_on(session: Session) -> None:
    """What is on ticks; when the process is gone, that is told in the place of an answer."""
    error = session.ask("broken").error
    assert isinstance(error, KeyError)
    assert str(error) == "'file'"
    assert 'return {}["file"]' in error.__notes__[0]

    session.switch("depot/telling", on=True)
    daemon = Daemon(automations_of(session))
    daemon.look()
    for one in daemon.going:
        one.future.result()
    assert automations_of(session).ticks.of("depot/broken").last.status == "failed"
    assert automations_of(session).ticks.of("depot/telling").last.status == "requested"
    assert daemon.trouble == ""


def test_a_location_that_is_gone_is_told(session: Session) -> None:
    """By jobs and sensors alike; a reload brings both back, and what has happened is known again."""
    location = session.code_locations.known["depot"]
    location.end("it was ended")
    assert "code location `depot` is unavailable: it was ended" in session.ask("telling").message
    [error] = session.launch("depot/move").result.errors.values()
    assert "unavailable" in str(error)
    session.code_locations.reload("depot")
    assert session.launch("depot/move").success
    assert session.tick("on_failure")[0].answer.printed.startswith("failed: move ")  # while it was gone
