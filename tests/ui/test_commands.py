"""What a view may ask for: what the graph has, and nothing else; what isn't allowed runs nothing."""

import threading
import time

import pytest

from ipy_orch import AssetCheckResult, AssetSpec, Config, asset, asset_check
from ipy_orch.session.session import Session
from tests.ui.wires import WAIT, wired

RAN = []


class Limits(Config):
    """How many."""

    limit: int = 3


@pytest.fixture
def session():
    """Return a session of three assets in a row, a check, and an external asset."""
    RAN.clear()

    @asset(deps=["raw"], code_version="1")
    def a(config: Limits):
        RAN.append("a")
        return config.limit

    @asset(code_version="1")
    def b(a):
        RAN.append("b")
        return a + 1

    @asset(code_version="1")
    def c(b):
        RAN.append("c")
        return b + 1

    @asset_check(asset="b")
    def odd(b):
        RAN.append("odd")
        return AssetCheckResult(passed=bool(b % 2))

    return Session({"a": a, "b": b, "c": c, "odd": odd, "raw": AssetSpec("raw")})


@pytest.fixture
def view(session):
    """Return a view of it."""
    with wired(session) as one:
        yield one


def test_materialize_runs_what_is_named_and_what_it_needs(view):
    """The answer is a word when it is over."""
    told = view.ask("materialize", ids=["b"])
    assert told == {"kind": "toast", "level": "success", "text": "2 assets materialized", "request": told["request"]}
    assert RAN == ["a", "b", "odd"]
    view.until(a="fresh", b="fresh", c="missing")


@pytest.mark.parametrize(
    ("fields", "ran"),
    [
        ({}, ["a", "b", "odd", "c"]),
        ({"selection": "a"}, ["a"]),
        ({"ids": ["b"], "downstream": True}, ["a", "b", "odd", "c"]),
        ({"ids": ["b"], "checks_only": True}, ["a", "b", "odd"]),
        ({"ids": ["a"], "config": {"ops": {"a": {"config": {"limit": 10}}}}}, ["a"]),
        ({"ids": ["a"], "config": "ops: {a: {config: {limit: 10}}}"}, ["a"]),
    ],
)
def test_what_a_request_runs(view, fields, ran):
    """All, a selection, downstream, checks only, with config."""
    view.ask("materialize", **fields)
    assert sorted(RAN) == sorted(ran)


def test_force_upstream_and_stale(view, session):
    """Force runs what is fresh, with its ancestors where that is asked; stale leaves out what is fresh."""
    session.materialize()
    view.until(c="fresh")
    RAN.clear()
    view.ask("materialize", ids=["b"], force=True)
    assert RAN == ["b", "odd"]
    view.until(c="stale")
    view.ask("materialize", stale=True)
    assert RAN == ["b", "odd", "c"]
    view.until(c="fresh")
    assert view.ask("materialize", stale=True)["text"] == "nothing to do: all of it is fresh"
    view.ask("materialize", ids=["b"], force=True, upstream=True)
    assert RAN == ["b", "odd", "c", "a", "b", "odd"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"kind": "materialize", "ids": ["nope"]}, "there is no asset `nope`"),
        ({"kind": "materialize", "ids": ["a", "__import__('os')"]}, "there is no asset"),
        ({"kind": "materialize", "ids": ["raw"]}, "nothing here makes `raw`"),
        ({"kind": "materialize", "selection": "nope"}, "nope"),
        ({"kind": "materialize", "selection": "a and ("}, ""),
        ({"kind": "materialize", "ids": ["a"], "config": {"ops": {"a": {"config": {"limit": "x"}}}}}, "limit"),
        ({"kind": "materialize", "ids": ["a"], "config": "{"}, "YAML"),
        ({"kind": "materialize", "ids": ["a"], "code": "1/0"}, "no command"),
        ({"kind": "details", "id": "nope"}, "there is no asset `nope`"),
        ({"kind": "rows", "id": "nope", "start": 0, "stop": 5}, "there is no asset"),
        ({"kind": "rows", "id": "a", "start": 0, "stop": 5}, "no table"),
        ({"kind": "form", "ids": ["nope"]}, "there is no asset"),
        ({"kind": "run", "run_id": "nope"}, "no such run"),
        ({"kind": "use_preset", "name": "nope"}, "no such preset"),
        ({"kind": "exec"}, "no command"),
        ("cancel", "no command"),
        (None, "no command"),
    ],
)
def test_refused_with_an_event_and_nothing_runs(view, session, command, why):
    """The view is told why, `%events` too, and no function is called."""
    view.commands.receive(command)
    told = view.wait_for("refused")
    assert why in told["why"]
    assert not RAN
    assert not session.history.runs
    assert [event.level for event in session.log if event.kind == "logged"] == ["WARNING"]


def test_a_refusal_says_nothing_hostile(view):
    """What was sent comes back as one line of plain characters, and not at length."""
    view.commands.receive({"kind": "details", "id": "<script>\x1b[31m\n" + "x" * 900, "request": 7})
    told = view.wait_for("refused")
    assert told["request"] == 7
    assert "\x1b" not in told["why"]
    assert len(told["why"]) < 400


def test_a_deleted_asset_cannot_be_run(view, session):
    """The view may still show it; the graph of now decides."""
    del session.namespace["c"]
    assert view.ask("materialize", ids=["c"])["kind"] == "refused"
    assert not RAN


def test_the_end_of_checks_is_told(view, session):
    """Of the run its name, too; and what was brought up to date for them."""
    told = view.ask("materialize", ids=["b"], checks_only=True)
    assert (told["level"], told["text"]) == ("warning", "2 assets materialized, 1 of 1 check failed")
    assert [*session.history.runs.values()][-1].what == "checks of b"
    assert view.ask("materialize", ids=["b"])["text"] == "1 of 1 check failed"  # it is run again, b isn't

    @asset_check(asset="b")
    def odd(b):
        return AssetCheckResult(passed=not b % 2)

    session.namespace["odd"] = odd
    assert view.ask("materialize", ids=["b"], checks_only=True)["text"] == "1 check passed"
    assert view.ask("materialize", ids=["c"], checks_only=True)["text"] == "1 asset materialized"
    assert view.ask("materialize", ids=["c"], checks_only=True)["text"] == "there are no checks of c"


def test_nothing_to_do_of_several(view):
    """As when Materialize is clicked twice."""
    view.ask("materialize", ids=["c"])
    assert view.ask("materialize", ids=["a", "c"])["text"] == "nothing to do: a, c are fresh"
    assert view.ask("materialize", ids=["a"])["text"] == "nothing to do: a is fresh"


def test_lines_of_a_message_stay_lines(view, session):
    """Each problem of a run config has its own; how many more steps failed stands apart from the error's text."""
    config = {"ops": {"a": {"config": {"limit": "x", "more": 1}}}}
    assert len(view.ask("materialize", ids=["a"], config=config)["why"].splitlines()) > 1

    @asset
    def bad():
        raise ValueError("line one\nline two")

    @asset
    def worse():
        raise ValueError("another")

    session.namespace.update(bad=bad, worse=worse)
    told = view.ask("materialize", ids=["bad", "worse"])["text"].splitlines()
    assert told == ["failed: `bad`: ValueError: line one", "and 1 more step"]


def test_cancel_ends_a_run_and_says_so(view, session):
    """At once, in the middle of its step; nothing is stored."""
    started = threading.Event()

    @asset(code_version="1")
    def slow():
        started.set()
        for _ in range(2_000):
            time.sleep(0.01)

    session.namespace["slow"] = slow
    number = 5
    view.send("materialize", ids=["slow"], request=number)
    assert started.wait(WAIT)
    view.send("cancel")
    assert view.wait(lambda one: one.get("request") == number)["text"] == "canceled: slow"
    view.wait(lambda one: (one.get("run") or {}).get("status") == "canceled")
    view.until(slow="missing")


def test_cancel_of_nothing(view):
    """It is said, and no refusal."""
    assert view.ask("cancel")["text"] == "nothing runs"


def test_select_answers_with_ids_or_the_problem(view):
    """The search box selects as `%materialize` does."""
    assert view.ask("select", text="+b")["ids"] == ["a", "b"]
    assert view.ask("select", text="  ").get("ids", []) == []
    told = view.ask("select", text="+bb")
    assert told["problem"]


def test_run_is_told_with_all_its_steps(view, session):
    """For the timeline of an earlier run."""
    done = session.materialize("b")
    told = view.ask("run", run_id=done.result.run_id)["run"]
    assert [step["name"] for step in told["steps"]] == ["a", "b", "b_odd"] or len(told["steps"]) == 3
    assert told["status"] == "success"
