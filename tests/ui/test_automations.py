"""The page of automations: what ticks, switched, ticked, with its history; and nothing that the notebook hasn't."""

import pytest

from ipy_orch import AutomationCondition, RunRequest, SkipReason, asset, define_asset_job, schedule, sensor
from ipy_orch.automation.daemon import stop_daemon
from ipy_orch.session.session import Session
from tests.ui.wires import wired


@pytest.fixture
def session():
    """Return a session of a schedule that runs an asset, a sensor that skips, and one that raises."""

    @asset(code_version="1")
    def orders():
        return 1

    morning = define_asset_job("morning", selection=["orders"])

    @schedule(cron_schedule="30 2 * * *", job=morning, execution_timezone="Europe/Berlin")
    def nightly(context):
        return RunRequest()

    @sensor(job=morning, minimum_interval_seconds=30)
    def files(context):
        return SkipReason("nothing new")

    @sensor(job=morning)
    def broken(context):
        raise ValueError("the bank is closed")

    names = {"orders": orders, "morning": morning, "nightly": nightly, "files": files, "broken": broken}
    made = Session(names)
    yield made
    stop_daemon(made)


def rows(told):
    """Return the rows by name."""
    return {one["name"]: one for one in told["automations"]}


def test_they_are_told(session):
    """With what they run, and when, in words; the graph says how many there are."""
    with wired(session) as view:
        assert view.wait_for("snapshot")["automations"] == 3
        told = rows(view.ask("automations"))
        assert told["nightly"]["kind"] == "schedule"
        assert told["nightly"]["target"] == "job morning"
        assert told["nightly"]["when"] == "every day at 02:30 (Europe/Berlin)"
        assert "on" not in told["nightly"]
        assert told["files"]["when"] == "every 30 s"


def test_one_is_switched(session):
    """On, with its next moments, and off."""
    with wired(session) as view:
        on = rows(view.ask("switch", name="nightly", on=True))["nightly"]
        assert on["on"]
        assert len(on["next"]) == 3
        assert "next" not in rows(view.ask("switch", name="nightly", on=False))["nightly"]


def test_one_ticks_now(session):
    """What it asks for runs, what it says is told, an error isn't the kernel's."""
    with wired(session) as view:
        view.ask("tick", name="nightly")
        view.wait_for("toast", text="nightly requested 1 run", level="success")
        view.until(orders="fresh")
        view.wait(lambda _: rows(view.ask("automations"))["nightly"].get("runs") == ["success"])
        view.ask("tick", name="files")
        view.wait_for("toast", text="files skipped: nothing new")
        view.ask("tick", name="broken")
        view.wait(lambda one: one["kind"] == "toast" and "the bank is closed" in one["text"])
        ticks = view.ask("ticks", name="files")
        assert [one["status"] for one in ticks["ticks"]] == ["skipped"]
        assert ticks["total"] == 1


def test_the_sensor_that_nobody_wrote():
    """What evaluates the conditions is told, switched on and ticks like one that stands in a cell."""
    name = "default_automation_condition_sensor"

    @asset(code_version="1", automation_condition=AutomationCondition.missing())
    def orders():
        return 1

    session = Session({"orders": orders})
    with wired(session) as view:
        assert view.wait_for("snapshot")["automations"] == 1
        assert rows(view.ask("switch", name=name, on=True))[name]["on"]
        view.ask("tick", name=name)
        view.until(orders="fresh")
        assert rows(view.ask("switch", name=name, on=False))[name].get("on") is None


def test_the_daemon_starts_and_stops(session):
    """And what is on ticks."""
    with wired(session) as view:
        view.ask("switch", name="files", on=True)
        assert view.ask("daemon", what="start")["daemon"]["is_running"]
        view.wait(lambda _: rows(view.ask("automations"))["files"].get("status") == "skipped")
        assert "is_running" not in view.ask("daemon", what="stop")["daemon"]


def test_what_is_not_there_is_refused(session):
    """With the closest name."""
    with wired(session) as view:
        for kind, more in [("switch", {"on": True}), ("tick", {}), ("ticks", {})]:
            refused = view.ask(kind, name="nightlee", **more)
            assert refused["why"] == "there is no schedule or sensor `nightlee`"
            assert "nightly" in refused["hint"]
        assert "this is no command" in view.ask("daemon", what="kill")["why"]
        assert "this is no command" in view.ask("switch", name="nightly", on="perhaps")["why"]
