"""Jobs and environments in the widget: told, configured, launched, switched; and nothing that the notebook hasn't."""

import pytest

from ipy_orch import Config, ConfigurableResource, asset, define_asset_job, graph, job, op
from ipy_orch.session.session import Session
from tests.ui.wires import wired

RAN = []


class Limits(Config):
    """How many."""

    limit: int = 3


class Shop(ConfigurableResource):
    """Say where."""

    name: str = "corner"


@pytest.fixture
def session():
    """Return a session of two assets, a job of them, a job of ops with a graph inside, and an environment."""
    RAN.clear()

    @asset(code_version="1")
    def a(config: Limits):
        RAN.append(("a", config.limit))
        return config.limit

    @asset(code_version="1")
    def b(a):
        RAN.append(("b", a))

    @op
    def fetch(config: Limits, shop: Shop) -> int:
        RAN.append(("fetch", config.limit, shop.name))
        return config.limit

    @op
    def double(x: int) -> int:
        RAN.append(("double", x))
        return 2 * x

    @graph
    def inside(x):
        return double(x)

    @job(description="Fetch, then double.\nDaily.", config={"ops": {"fetch": {"config": {"limit": 5}}}})
    def fetching():
        inside(fetch())

    daily = define_asset_job("daily", selection=["a"], config={"ops": {"a": {"config": {"limit": 8}}}})
    made = Session({"a": a, "b": b, "daily": daily, "fetching": fetching, "shop": Shop()})
    made.environment("prod", {"shop": Shop(name="market")})
    return made


@pytest.fixture
def view(session):
    """Return a view of it."""
    with wired(session) as one:
        yield one


def test_the_snapshot_has_jobs(view):
    """With the assets they select, by position; a job of ops says that it is one."""
    told = view.wait_for("snapshot")
    jobs = {one["name"]: one for one in told["jobs"]}
    assert [told["nodes"][at]["id"] for at in jobs["daily"]["nodes"]] == ["a"]
    assert jobs["fetching"] == {"name": "fetching", "description": "Fetch, then double.", "of_ops": True}
    assert told["environments"] == ["default", "prod"]


def test_a_job_is_told(view, session):
    """What it runs and after what, and its runs, the newest first."""
    told = view.ask("job", name="fetching")
    assert told["ops"] == [{"name": "fetch"}, {"name": "inside.double", "after": ["fetch"]}]
    assert "runs" not in told
    session.launch("fetching")
    session.launch("fetching")
    runs = view.ask("job", name="fetching")["runs"]
    assert [run["status"] for run in runs] == ["success", "success"]
    assert runs[0]["when"] > runs[1]["when"]
    assert view.ask("job", name="daily")["ids"] == ["a"]


def test_the_form_of_a_job(view):
    """Its ops, their graphs' too, and the resources they use, with the job's own config in it."""
    told = view.ask("form", job="fetching")
    assert [one["path"] for one in told["sections"]] == ["ops.fetch.config", "resources.shop.config"]
    assert told["values"]["ops"]["fetch"]["config"] == {"limit": 5}
    told = view.ask("form", job="daily")
    assert [one["path"] for one in told["sections"]] == ["ops.a.config"]
    assert told["values"]["ops"]["a"]["config"] == {"limit": 8}
    assert told["ids"] == ["a"]


def test_config_of_a_job_is_checked_at_its_field(view):
    """A wrong value is found, and nothing has run."""
    wrong = view.ask("check_config", job="fetching", config={"ops": {"fetch": {"config": {"limit": "many"}}}})
    assert not wrong["valid"]
    assert wrong["findings"][0]["path"] == "ops.fetch.config.limit"
    assert view.ask("check_config", job="fetching", config="ops: {fetch: {config: {limit: 7}}}")["valid"]
    assert RAN == []


def test_launch_runs_it_with_what_was_typed(view):
    """A job of ops and one of assets; the config is laid over the job's own."""
    config = {"ops": {"fetch": {"config": {"limit": 7}}}, "resources": {"shop": {"config": {"name": "stall"}}}}
    assert view.ask("launch", name="fetching", config=config)["text"] == "job fetching finished"
    assert RAN == [("fetch", 7, "stall"), ("double", 7)]
    RAN.clear()
    view.ask("launch", name="daily")
    assert RAN == [("a", 8)]
    view.until(a="fresh", b="missing")


def test_an_environment_is_switched(view, session):
    """What reads a resource of it gets the other one's."""
    view.ask("use_environment", name="prod")
    assert session.environments.current == "prod"
    view.wait_for("snapshot", environment="prod")
    view.ask("launch", name="fetching")
    assert RAN[0] == ("fetch", 5, "market")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"kind": "launch", "name": "dayly"}, "there is no job `dayly`"),
        ({"kind": "job", "name": "nope"}, "there is no job"),
        ({"kind": "form", "job": "nope"}, "there is no job"),
        ({"kind": "launch", "name": "fetching", "ops": ["fetch"]}, "no command"),
        ({"kind": "launch", "name": "fetching", "env": "nope"}, "nope"),
        ({"kind": "launch", "name": "fetching", "config": "{"}, "YAML"),
        ({"kind": "launch", "name": "fetching", "from_failure": True}, "hasn't run"),
        ({"kind": "use_environment", "name": "nope"}, "there is no environment"),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_runs(view, session, command, why):
    """With an event in the log."""
    view.commands.receive(command)
    assert why in view.wait_for("refused")["why"]
    assert RAN == []
    assert not session.history.runs
    assert session.environments.current == "default"
