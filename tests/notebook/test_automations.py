"""%%schedule, %%sensor, %tick, %ticks, %automations and %daemon."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from ipy_orch.automation.automations import automations_of
from ipy_orch.notebook.completion import complete
from tests.export.notebooks import run_clean
from tests.notebook.conftest import Notebook

DAYS = """%%schedule days --cron "0 9 * * 1-5" --target total --timezone Europe/Berlin
RunRequest(tags={"day": f"{context.scheduled_execution_time:%Y-%m-%d}"})"""
FILES = """%%sensor files --job nightly --every 10
seen = int(context.cursor or 0) + 1
context.update_cursor(str(seen))
print("looked", seen)
[RunRequest(run_key=f"file {seen // 2}")]"""


@pytest.fixture
def nb(notebook: Notebook) -> Notebook:
    """Return a notebook with two assets, a job, a schedule and a sensor."""
    for name, text in {
        "raw": "%%asset raw\n[1, 2]",
        "total": "%%asset total\nsum(raw)",
        "nightly": "%job nightly total",
        "days": DAYS,
        "files": FILES,
    }.items():
        notebook.good(text, name)
    return notebook


# -- cells ------------------------------------------------------------------------------------------------------------


def test_a_cell_makes_a_schedule_that_is_off(nb: Notebook) -> None:
    """It says when it ticks, what it runs, and what to type next; nothing has run."""
    (shown,) = nb.good(DAYS, "days").shown
    assert shown == (
        "days · schedule, off · Monday to Friday at 09:00 (Europe/Berlin) · runs total"
        " · next: %tick days, %automations on days"
    )
    assert nb.variables["days"].job_name == "__anonymous_asset_job_days"
    assert "__anonymous" not in str(nb.good("%jobs").out)


def test_a_schedule_needs_no_body(nb: Notebook) -> None:
    """With two percent signs and with one, also among other lines of a cell."""
    for number, text in enumerate(
        (
            '%%schedule one --cron "@daily" --job nightly',
            '%%schedule two --cron "@daily" --job nightly\n\n',
            '%schedule three --cron "@daily" --job nightly\nx = 1',
        )
    ):
        nb.good(text, f"cell {number}")
    assert {"one", "two", "three"} <= nb.session.scan().automations.keys()
    assert nb.variables["three"].cron_schedule == "@daily"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('%%schedule x --cron "0 25 * * *" --job nightly\n0', "Bad hour"),
        ("%%schedule x --cron 0 9 * * * --job nightly\n0", "in quotes"),
        ('%%schedule x --cron "0 9 * * *"\n0', "--job JOB, or --target SELECTION"),
        ("%%schedule x --job nightly\n0", "doesn't say when it ticks"),
        ('%%schedule x --cron "@daily" --job nigthly\n0', "did you mean `nightly`?"),
        ('%%schedule x --cron "@daily" --job total\n0', "--target total: it is an asset"),
        ('%%schedule x --cron "@daily" --target totl\n0', "did you mean `total`?"),
        ('%%schedule x --cron "@daily" --job nightly --timezone Europe/Berln\n0', "did you mean `Europe/Berlin`?"),
        ('%%schedule total --cron "@daily" --job nightly\n0', "call it `total_schedule`"),
        ("%%sensor x --job nightly --evry 3\n0", "did you mean `--every`?"),
        ("%%sensor x --job nightly --every 0\n0", "whole number of seconds"),
        ("%%sensor x --job nightly\nraw[0]", "reads the asset `raw`"),
        ("%%sensor x --job nightly\nyield 1", "end the cell with a list of the values"),
        ("%%sensor 2x --job nightly\n0", "call it `_2x`"),
        ("%%sensor\n0", "%%sensor new_files --job JOB"),
    ],
)
def test_a_mistake_is_told_with_what_to_type(nb: Notebook, cell: str, told: str) -> None:
    """In one line, and nothing is defined."""
    ran = nb.run(cell)
    assert told in ran.stderr
    assert not ran.traceback
    assert "x" not in nb.session.scan().automations


def test_an_edit_takes_the_place_of_what_was(nb: Notebook) -> None:
    """A deleted cell leaves nothing that ticks; a job that is defined anew is the one that runs."""
    nb.good('%%schedule days --cron "@hourly" --job nightly', "days")
    assert nb.variables["days"].cron_schedule == "@hourly"
    nb.good("%job nightly raw", "nightly")
    nb.good("%tick files --run")
    assert [run.what for run in nb.session.history.runs.values()][-1] == "job nightly"
    assert nb.good("%runs").out.iloc[0]["steps"] == "1/1"
    nb.session.book.remove(["days"])
    assert "days" not in nb.session.scan().automations


def test_decorated_functions_are_found(nb: Notebook) -> None:
    """With resources as arguments, which the notebook has."""
    nb.good("from ipy_orch import ConfigurableResource, RunRequest, sensor")
    nb.good("class Bucket(ConfigurableResource):\n    name: str\n\nbucket = Bucket(name='in')")
    nb.good('@sensor(target="raw")\ndef arrivals(bucket: Bucket):\n    return RunRequest(run_key=bucket.name)')
    assert nb.good("%tick arrivals").shown[-1].splitlines()[1] == "  run key `in`"
    nb.good("%%sensor others --target raw\nRunRequest(run_key=f'{bucket.name} {other}')")
    nb.good("other = 2")
    assert nb.good("%tick others").shown[-1].splitlines()[1] == "  run key `in 2`"


SELECTING = """\
from ipy_orch import AssetKey, RunRequest, StaticPartitionsDefinition, asset, sensor
@asset(partitions_def=StaticPartitionsDefinition(["a", "b"]))
def part(): return 1
@asset
def plain(): return 1
@sensor({target})
def asking(): return RunRequest(asset_selection=[AssetKey("{asset}")], stale_assets_only={stale})
"""


@pytest.mark.parametrize("target", ["asset_selection='plain'", "target=[plain, part]"])
def test_a_sensor_asks_for_what_has_no_partitions(nb: Notebook, target: str) -> None:
    """It needn't say which partition, whatever else is partitioned that it or the notebook has."""
    nb.good(SELECTING.format(target=target, asset="plain", stale=True))
    nb.session.forget("plain")
    assert nb.good("%tick asking --run").shown[-1].startswith("plain · ")
    assert nb.good("%runs").out.iloc[0]["steps"] == "1/1"
    assert not any("plain · " in shown for shown in nb.good("%tick asking --run").shown)


@pytest.mark.parametrize("target", ["asset_selection='part'", "target=[plain, part]"])
def test_a_sensor_asks_for_what_has_partitions(nb: Notebook, target: str) -> None:
    """It must say which."""
    nb.good(SELECTING.format(target=target, asset="part", stale=False))
    assert "doesn't say which partition" in nb.run("%tick asking --run").stderr


def test_a_sensor_of_an_asset_is_asked_after_each_materialization(nb: Notebook) -> None:
    """With the event; its cursor is kept for it."""
    nb.good("%%sensor after --asset raw --target total\n[RunRequest(run_key=asset_event.run_id)]")
    assert "run job after_job" in nb.good("%tick after --run").shown[0]
    assert "wasn't materialized since" in nb.good("%tick after").shown[0]
    nb.good("%materialize raw --force")
    assert "would run" in nb.good("%tick after").shown[0]


# -- ticks ------------------------------------------------------------------------------------------------------------


def test_a_tick_says_what_it_would_do_and_then_does_it(nb: Notebook) -> None:
    """For a moment in the schedule's timezone; with --run the runs are shown like any other."""
    ran = nb.good("%tick days --at '2024-01-05 09:00'")
    headline, note = ran.shown[0].splitlines()
    assert headline == (
        "days · schedule for 2024-01-05 09:00 Europe/Berlin · would run total"
        " · next: %tick days --at '2024-01-05 09:00' --run"
    )
    assert note == "  tags day=2024-01-05"
    before = len(nb.session.history.runs)
    assert len(nb.good("%ticks").out) == 0
    ran = nb.good("%tick days --at '2024-01-05 09:00' --run")
    assert len(nb.session.history.runs) == before + 1
    assert ran.status.startswith("total · T · reads raw")
    (tick,) = nb.good("%ticks").out.to_dict("records")
    assert (tick["name"], tick["status"], tick["runs"]) == ("days", "requested", "success")


def test_a_tick_shows_no_secret(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in what it would run, what it runs, and the tables of both."""
    monkeypatch.setenv("SHOP_KEY", "k3y-of-the-shop")
    nb.good("from ipy_orch import ConfigurableResource, EnvVar\nclass Shop(ConfigurableResource):\n    key: str")
    nb.good("shop = Shop(key=EnvVar('SHOP_KEY'))")
    request = "RunRequest(run_key=shop.key, tags={'t': shop.key})"
    nb.good(f"%%sensor asks --target total\ncontext.update_cursor(shop.key)\n{request}")
    nb.good(f'%%schedule daily --cron "0 6 * * *" --target total\n{request}')
    told = [
        nb.good(line) for line in ("%tick asks", "%tick asks --run", "%tick asks", "%tick daily", "%tick daily --run")
    ]
    shown = "".join(text for ran in told for text in ran.shown)
    assert "run key `[SHOP_KEY]` · tags t=[SHOP_KEY]" in shown
    assert "`[SHOP_KEY]` ran already" in shown
    tables = [nb.good(line).out for line in ("%ticks", "%runs", "%events", "%automations")]
    assert "k3y-of" not in shown + "".join(f"{table.to_csv()}{table!r}" for table in tables)


def test_a_run_key_runs_once(nb: Notebook) -> None:
    """What the sensor printed stands below; the second time it says that it ran already."""
    assert "note: looked 1" in nb.good("%tick files --run").shown[0]
    nb.good("%tick files --run")
    before = len(nb.session.history.runs)
    assert nb.good("%tick files --run").shown[0].startswith("files · sensor · skip: `file 1` ran already")
    assert len(nb.session.history.runs) == before


def test_what_the_function_raises_is_shown_at_its_line(nb: Notebook) -> None:
    """As in any cell, without our frames."""
    nb.good("%%sensor broken --job nightly\nlimit = 0\n1 / limit")
    ran = nb.run("%tick broken")
    assert "----> 3 1 / limit" in ran.traceback
    assert "ipy_orch/" not in ran.traceback


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%tick dayz", "did you mean `days`?"),
        ("%tick days --at noon", "--at '2024-01-05 09:00'"),
        ("%tick files --at 09:00", "is a sensor"),
        ("%automations on dayz", "did you mean `days`?"),
        ("%automations on", "%automations on NAME"),
        ("%daemon begin", "`%daemon` takes start, stop, status here, not `begin`"),
    ],
)
def test_a_wrong_line_is_told_with_what_to_type(nb: Notebook, cell: str, told: str) -> None:
    """In one line."""
    ran = nb.run(cell)
    assert told in ran.stderr
    assert not ran.traceback


def test_a_run_of_a_partition_that_nobody_named(nb: Notebook) -> None:
    """It is refused in words of the notebook, and the tick has failed."""
    nb.good("%%asset days_sold --partitions daily:2024-01-01..2024-01-03\n1")
    nb.good('%schedule plain --cron "@daily" --target days_sold')
    told = nb.run("%tick plain --run").stderr
    assert "what `plain` runs is partitioned" in told
    assert 'RunRequest(partition_key="2024-01-03")' in told
    assert nb.good("%ticks plain").out.iloc[0]["status"] == "failed"
    nb.good('%%schedule plain --cron "@daily" --target days_sold\nRunRequest(partition_key="2024-02-01")')
    assert "`2024-01-03` is the last one that has ended" in nb.run("%tick plain").stderr


def test_moments_are_told_in_the_timezone_of_their_schedule(nb: Notebook) -> None:
    """In both tables."""
    nb.good("%tick days --at '2024-01-05 09:00' --run")
    nb.good("%automations on days")
    assert nb.good("%ticks days").out["moment"].tolist() == ["2024-01-05 09:00 Europe/Berlin"]
    assert nb.good("%automations").out.loc["days", "next"].endswith("09:00 Europe/Berlin")


# -- the daemon -------------------------------------------------------------------------------------------------------


def test_the_daemon_runs_what_is_on_and_leaves_no_thread(nb: Notebook) -> None:
    """It says what comes next; the table says what came of it; taking the extension out ends it."""
    assert nb.good("%daemon").shown == ["daemon · stopped · 0 on · next: %automations on NAME, then %daemon start"]
    assert nb.good("%automations on files").shown == ["files · on · next: %daemon start"]
    told = nb.good("%daemon start --missed skip").shown  # what its first run shows may come before it
    assert any("running · on: files" in one for one in told)
    end = time.monotonic() + 5
    while not (rows := automations_of(nb.session).ticks.all) and time.monotonic() < end:
        time.sleep(0.01)
    assert rows[0].status == "requested"
    while nb.session.queue.waiting:
        time.sleep(0.01)
    table = nb.good("%automations").out
    assert table.loc["files", "switch"] == "on"
    assert table.loc["files", "runs of it"] == "success"
    assert table.loc["days", "switch"] == "off"
    nb.good("%unload_ext ipy_orch")
    assert "ipy_orch daemon" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%tick da", ["days"]),
        ("%tick days --", ["--at", "--run"]),
        ("%automations ", ["on", "off"]),
        ("%automations on f", ["files"]),
        ("%daemon st", ["start", "stop", "status"]),
        ("%daemon start --missed l", ["last"]),
        ("%%sensor x --job n", ["nightly"]),
        ("%%schedule x --target t", ["total"]),
        ("%%schedule x --timezone Europe/Berl", ["Europe/Berlin"]),
    ],
)
def test_names_and_options_are_completed(nb: Notebook, line: str, words: list[str]) -> None:
    """As for assets and jobs."""
    assert complete(nb.session, line, 0, line) == words


# -- export -----------------------------------------------------------------------------------------------------------

VALIDATE = """
import json, datetime
import dagster as dg
from definitions import defs

dg.Definitions.validate_loadable(defs)
repository = defs.get_repository_def()
day = defs.get_schedule_def("days").evaluate_tick(
    dg.build_schedule_context(scheduled_execution_time=datetime.datetime(2024, 1, 5), repository_def=repository)
)
with dg.DagsterInstance.ephemeral() as instance:
    context = dg.build_sensor_context(instance, cursor="3", repository_def=repository)
    files = defs.get_sensor_def("files").evaluate_tick(context)
    given = dg.build_sensor_context(instance, definitions=defs, resources=defs.resources)
    arrivals = defs.get_sensor_def("arrivals").evaluate_tick(given)
    run = dg.materialize(defs.assets, instance=instance)
    with dg.build_sensor_context(instance, repository_def=repository) as context:
        after = defs.get_sensor_def("after").evaluate_tick(context)
print(json.dumps({
    "crons": {one.name: [one.cron_schedule, one.execution_timezone, one.job_name] for one in defs.schedules},
    "day": day.run_requests[0].tags["day"],
    "files": [one.run_key for one in files.run_requests],
    "arrivals": [one.run_key for one in arrivals.run_requests],
    "after": [one.run_key == run.run_id for one in after.run_requests],
}))
"""


def test_dagster_asks_the_exported_schedules_and_sensors(nb: Notebook, tmp_path: Path) -> None:
    """Cells and decorated functions go into the module; real dagster validates it, and gets the same answers."""
    nb.good("from ipy_orch import ConfigurableResource, RunRequest, sensor")
    nb.good("class Bucket(ConfigurableResource):\n    name: str\n\nbucket = Bucket(name='in')")
    nb.good("%%sensor arrivals --target raw\n[RunRequest(run_key=bucket.name)]")
    nb.good("%%sensor after --asset raw --target total\n[RunRequest(run_key=asset_event.run_id)]")
    nb.good('%schedule plain --cron "@daily" --job nightly')
    path = nb.session.export(tmp_path / "definitions.py", target="dagster")
    assert "%" not in Path(str(getattr(path, "path", path))).read_text().replace(":%Y-%m-%d", "")
    found = json.loads(run_clean(VALIDATE, tmp_path).splitlines()[-1])
    assert found == {
        "crons": {
            "days": ["0 9 * * 1-5", "Europe/Berlin", "__anonymous_asset_job_days"],
            "plain": ["@daily", None, "nightly"],
        },
        "day": "2024-01-05",
        "files": ["file 2"],
        "arrivals": ["in"],
        "after": [True],
    }


def test_the_module_is_what_a_colleague_would_have_written(nb: Notebook, tmp_path: Path) -> None:
    """A function with its decorator, or a definition where there is no body."""
    nb.good('%schedule plain --cron "@daily" --job nightly')
    nb.session.export(tmp_path / "definitions.py")
    text = (tmp_path / "definitions.py").read_text()
    assert (
        """@sensor(job_name="nightly", minimum_interval_seconds=10)
def files(context):
    seen = int(context.cursor or 0) + 1
    context.update_cursor(str(seen))
    print("looked", seen)
    return [RunRequest(run_key=f"file {seen // 2}")]
"""
        in text
    )
    assert 'plain = ScheduleDefinition("plain", cron_schedule="@daily", job_name="nightly")' in text
    assert "schedules=[days, plain]" in text
