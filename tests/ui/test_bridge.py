"""What views are told: the graph, how it stands, and what changes; coalesced, and nothing after they have gone."""

import gc
import json
import threading
import time
import weakref

import pytest

from ipy_orch import AssetCheckResult, AssetCheckSeverity, AssetSpec, MaterializeResult, asset, asset_check
from ipy_orch.model.env import SECRETS
from ipy_orch.planning.survey import Surveyed
from ipy_orch.session.session import Session
from ipy_orch.ui.bridge import BRIDGES
from ipy_orch.ui.protocol import wire
from ipy_orch.ui.snapshot import Standing, outline_of, snapshot_of, state_of
from tests.ui.wires import WAIT, Wire, wired

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m"


@pytest.fixture
def session():
    """Return a session of two assets, a check and an external asset."""

    @asset(group_name="shop", kinds={"python"}, tags={"team": "a"}, description="What came in.\nMore.", deps=["raw"])
    def orders():
        return [1, 2]

    @asset
    def total(orders):
        return sum(orders)

    @asset_check(asset="total", blocking=True)
    def positive(total):
        return AssetCheckResult(passed=total > 0)

    return Session({"orders": orders, "total": total, "positive": positive, "raw": AssetSpec("raw")})


def test_snapshot_holds_the_graph(session):
    """Nodes in order of lineage with what people gave them, edges by position, groups with their size."""
    with wired(session) as view:
        whole = view.wait_for("snapshot")
    nodes = {node["id"]: node for node in whole["nodes"]}
    assert [*nodes] == ["raw", "orders", "total"]
    assert whole["edges"] == [[0, 1], [1, 2]]
    assert whole["groups"] == [{"name": "default", "count": 2}, {"name": "shop", "count": 1}]
    assert nodes["raw"]["kind"] == "external"
    assert nodes["orders"] == {
        "id": "orders",
        "group": "shop",
        "kinds": ["python"],
        "tags": {"team": "a"},
        "description": "What came in.",
        "status": {"word": "missing"},
    }
    assert nodes["total"]["checks"] == [{"name": "positive", "blocking": True}]


def test_patches_follow_a_run(session):
    """Waiting, running, fresh; the check's verdict; the run's steps."""
    with wired(session) as view:
        session.materialize()
        view.until(orders="fresh", total="fresh")
        assert view.states()["total"]["checks"] == [{"name": "positive", "status": "passed", "blocking": True}]
        last = [message["run"] for message in view.told if message.get("run")][-1]
        assert (last["status"], last["total"], last["done"]) == ("success", 2 + 1, 3)
        versions = [message["version"] for message in view.told if "version" in message]
        assert versions == sorted(versions)


def test_a_run_tells_of_checks_that_did_not_pass(session):
    """The step that checked succeeded; its verdict goes with it, and the run counts it."""

    @asset_check(asset="orders")
    def odd(orders):
        return AssetCheckResult(passed=False, severity=AssetCheckSeverity.WARN)

    @asset_check(asset="orders")
    def wrong(orders):
        return AssetCheckResult(passed=False)

    session.namespace.update(odd=odd, wrong=wrong)
    with wired(session) as view:
        session.materialize()
        view.until(total="fresh")
        told = [message["run"] for message in view.told if message.get("run")]
        assert (told[-1]["status"], told[-1]["checks_failed"], told[-1]["checks_warned"]) == ("success", 1, 1)
        found = {
            check["name"]: check["status"] for run in told for step in run["steps"] for check in step.get("checks", ())
        }
        assert found == {"odd": "warned", "wrong": "failed"}


def test_a_running_step_says_so(session):
    """With when it started, and what it took last time."""
    opened, seen = threading.Event(), threading.Event()

    @asset(code_version="1")
    def slow():
        seen.set()
        opened.wait(WAIT)

    session.namespace["slow"] = slow
    with wired(session) as view:
        one = session.submit("slow")
        assert seen.wait(WAIT)
        view.until(slow="running")
        assert view.states()["slow"]["status"]["progress"]["started"] > time.time() - WAIT
        opened.set()
        one.result(WAIT)
        view.until(slow="fresh")


def test_failure_has_its_line(session):
    """And what hangs on it isn't fresh."""

    @asset
    def orders():
        raise ValueError("no orders today")

    session.namespace["orders"] = orders
    with wired(session) as view:
        session.materialize()
        view.until(orders="failed", total="missing")
        assert "no orders today" in view.states()["orders"]["status"]["reason"]


def test_an_edit_makes_a_new_snapshot_and_what_is_stale(session):
    """A cell that has run marks the whole graph; new nodes come, and what is downstream is stale with its reason."""
    session.materialize()
    with wired(session) as view:
        view.until(total="fresh")

        @asset(group_name="shop")
        def orders():
            return [1, 2, 3]

        session.namespace["orders"] = orders
        view.bridge.mark(whole=True)
        view.until(orders="stale", total="stale")
        assert view.states()["orders"]["status"]["reason"].startswith("code changed")


def test_a_graph_that_cannot_be_built_says_why(session):
    """A cycle is a problem to show, not the end of the widget; when it is gone the graph is back."""

    @asset(deps=["total"])
    def raw():
        return 1

    with wired(session) as view:
        session.namespace["raw"] = raw
        view.bridge.mark(whole=True)
        problem = view.wait(lambda one: one.get("problem"))["problem"]
        assert "circle" in problem
        del session.namespace["raw"]
        view.bridge.mark(whole=True)
        view.wait(lambda _: view.told[-1].get("nodes") and not view.told[-1].get("problem"))


def test_many_events_are_few_messages():
    """Three hundred steps that take no time are a handful of patches."""

    def make(number):
        @asset(name=f"a{number}")
        def body():
            return number

        return body

    session = Session({"assets": [make(number) for number in range(300)]})
    with wired(session) as view:
        began = time.monotonic()
        session.materialize()
        view.until(a299="fresh")
        patches = [message for message in view.told if message["kind"] == "patch"]
        assert len(patches) <= 10 * (time.monotonic() - began) + 3


def test_secrets_reach_no_view(session):
    """Not in a description, not in a reason, not in an error."""
    SECRETS.add("hunter22-secret", "SHOP_PASSWORD")

    @asset(description="hunter22-secret")
    def orders():
        raise ValueError("cannot log in with hunter22-secret")

    session.namespace["orders"] = orders
    with wired(session) as view:
        session.materialize()
        view.until(orders="failed")
        view.ask("details", id="orders")
        assert "hunter22" not in json.dumps(view.told)
        assert "[SHOP_PASSWORD]" in json.dumps(view.told)


def test_hostile_names_stay_text():
    """They are JSON strings; and no control character is in a description."""

    @asset(description=HOSTILE, group_name="shop", metadata={HOSTILE: HOSTILE})
    def orders():
        return MaterializeResult(metadata={HOSTILE: HOSTILE})

    session = Session({"orders": orders})
    session.materialize()
    with wired(session) as view:
        node = view.wait_for("snapshot")["nodes"][0]
        assert "\x1b" not in node["description"]
        told = view.ask("details", id="orders")
        assert told["metadata"] == [{"name": HOSTILE, "text": HOSTILE}]


def test_closing_frees_views_bridge_and_session(session):
    """Nothing of a view that has gone is held by anybody, nor the session by its bridge."""
    view = Wire(session)
    view.ask("refresh")
    gone = [weakref.ref(view), weakref.ref(view.bridge)]
    listeners = len(session.log.listeners)
    view.close()
    assert len(session.log.listeners) == listeners - 1
    assert id(session) not in BRIDGES
    thread = view.bridge.thread
    del view
    if thread is not None:
        thread.join(WAIT)
    del thread
    deadline = time.monotonic() + WAIT
    while any(one() is not None for one in gone) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert [one() for one in gone] == [None, None]


def test_a_view_whose_other_end_is_gone_stops_nobody(session):
    """The other views are told as before."""
    with wired(session) as view:
        view.bridge.views.insert(0, type(view.view)(lambda _message: 1 / 0))
        session.materialize()
        view.until(total="fresh")


def test_selection_says_what_a_view_was_opened_for(session):
    """The graph is whole, and the view knows on what to begin."""
    with wired(session, "orders+") as view:
        assert view.wait_for("snapshot")["shown"] == ["orders", "total"]


def test_ten_thousand_assets_are_one_small_message():
    """Of less than a megabyte; tests/benchmarks/widget.py has how long it takes."""
    session = Session({"assets": [AssetSpec(f"asset_{n}", deps=[f"asset_{n // 2}"]) for n in range(1, 10_001)]})
    scanned = session.scan()
    outline = outline_of(scanned)
    standing = Standing(session.statuses(scanned), session.ledger).with_run(session.history)
    states = {id_: state_of(id_, outline, standing) for id_ in outline.ids}
    data = wire(snapshot_of(outline, states, standing, 1))
    assert len(data["nodes"]) == 10_001
    assert len(json.dumps(data)) < 1_000_000


def test_a_failure_to_read_is_tried_again_and_told(session, monkeypatch):
    """Somebody may change the notebook at that moment; what stays wrong is said once."""
    with wired(session) as view:
        calls = []

        def failing(scanned):
            calls.append(1)
            if len(calls) < 3:
                raise RuntimeError("dictionary changed size during iteration")
            return Surveyed()

        monkeypatch.setattr(session.planning, "survey", failing)
        view.bridge.mark(whole=True)
        view.wait(lambda _: len(calls) == 3)
        assert not [message for message in view.told if message["kind"] == "toast"]
        monkeypatch.setattr(session.planning, "survey", lambda scanned: 1 / 0)
        view.bridge.mark(whole=True)
        assert "can't be read" in view.wait_for("toast")["text"]


def test_a_large_graph_is_told_before_its_statuses(monkeypatch):
    """The view draws it at once, and the statuses follow as a patch."""
    monkeypatch.setattr("ipy_orch.ui.bridge.LARGE", 2)
    session = Session({"assets": [AssetSpec(f"a{number}") for number in range(3)]})
    with wired(session) as view:
        assert "status" not in view.wait_for("snapshot")["nodes"][0]
        view.until(a0="external", a1="external", a2="external")


def test_an_asset_that_a_cell_has_just_defined_is_seen_running(session):
    """Not only when its cell has ended."""
    started, opened = threading.Event(), threading.Event()

    @asset(code_version="1")
    def new():
        started.set()
        opened.wait(WAIT)

    with wired(session) as view:
        session.namespace["new"] = new
        one = session.submit("new")
        assert started.wait(WAIT)
        view.until(new="running")
        opened.set()
        one.result(WAIT)
