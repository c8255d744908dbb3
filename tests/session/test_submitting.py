"""Runs on a thread of their own."""

import contextvars
import threading
import time
from typing import Any

import pytest

from ipy_orch import AssetKey, asset, define_asset_job
from ipy_orch.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError
from ipy_orch.session.cellbook import Cell
from ipy_orch.session.session import Session
from ipy_orch.session.submitting import MOST_WAITING

WAIT = 10


@pytest.fixture
def gate():
    """Two assets, of which the first waits at a gate; opened at the end."""
    started, opened = threading.Event(), threading.Event()

    @asset
    def first():
        started.set()
        assert opened.wait(WAIT)
        return 1

    @asset
    def second(first):
        return first + 1

    session = Session({"first": first, "second": second})
    yield session, started, opened
    opened.set()


def test_submit_returns_before_the_run_ends(gate):
    """The caller has its handle while the step still runs, and the report later."""
    session, started, opened = gate
    one = session.submit("second")
    assert started.wait(WAIT)
    assert not one.done
    opened.set()
    assert [key.label for key in one.result(WAIT).materialized] == ["first", "second"]
    assert session.value("second") == 2


def test_one_step_at_a_time_unless_told_otherwise():
    """A submitted run with one worker starts a step only when the one before has ended."""
    running, most = [], []

    def make(name):
        @asset(name=name)
        def body():
            running.append(name)
            most.append(len(running))
            time.sleep(0.02)
            running.remove(name)

        return body

    session = Session({name: make(name) for name in "abc"})
    session.submit().result(WAIT)
    assert max(most) == 1
    session.submit(force=True, workers=3).result(WAIT)
    assert max(most) > 1


def test_cancel_is_heard_while_a_step_sleeps(gate):
    """Nothing is stored, and the session can run again."""
    session, started, opened = gate
    one = session.submit("second")
    assert started.wait(WAIT)
    session.cancel()
    opened.set()
    with pytest.raises(DagsterExecutionInterruptedError):
        one.result(WAIT)
    assert [run.status for run in session.history.runs.values()] == ["canceled"]
    assert session.materialize("second").success


def test_cancel_of_a_run_that_waits_never_runs_it(gate):
    """It ends while the run before it goes on."""
    session, started, opened = gate
    one = session.submit("first")
    assert started.wait(WAIT)
    two = session.submit("second")
    two.cancel()
    with pytest.raises(DagsterExecutionInterruptedError):
        two.result(WAIT)
    assert not one.done
    opened.set()
    assert one.result(WAIT).success
    assert len(session.history.runs) == 1


def test_cancel_stops_a_step_in_the_thread_of_its_loop():
    """A run that was not submitted and has one worker runs its steps itself: it is interrupted."""
    started = threading.Event()

    @asset
    def slow():
        started.set()
        while True:
            time.sleep(0.01)

    session = Session({"slow": slow})
    errors = []

    def call():
        try:
            session.materialize()
        except DagsterExecutionInterruptedError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert started.wait(WAIT)
    session.cancel()
    thread.join(WAIT)
    assert len(errors) == 1


def test_cancel_stops_a_step_in_the_main_thread():
    """There it is as if the person had pressed Ctrl-C."""

    @asset
    def slow():
        threading.Timer(0.05, session.cancel).start()
        time.sleep(WAIT)

    session = Session({"slow": slow})
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.materialize()
    assert time.monotonic() - began < WAIT / 2


def test_steps_run_in_the_context_of_their_cell(gate):
    """A context variable has the value that it had when the cell ran."""
    where = contextvars.ContextVar("where")
    session, _, opened = gate
    opened.set()

    @asset
    def here():
        return where.get()

    session.namespace["here"] = here
    where.set("the cell")
    context = contextvars.copy_context()
    where.set("the widget")
    cells = session.scanner.cell_of
    session.scanner.cell_of = lambda one, holders: (
        Cell("id", 1, "", context=context) if one is here else cells(one, holders)
    )
    session.submit("here").result(WAIT)
    assert session.load(session.scan(), here.key) == "the cell"


def test_errors_of_the_request_are_in_the_result(gate):
    """A name that nothing has is an error with a hint, as in a cell."""
    session, _, _ = gate
    with pytest.raises(Exception, match="secnd"):
        session.submit("secnd").result(WAIT)


def test_too_many_waiting_runs_are_refused(gate):
    """A view that goes wild can't fill the machine with threads."""
    session, _, _ = gate
    for _ in range(MOST_WAITING):
        session.submit("second")
    with pytest.raises(DagsterInvariantViolationError, match="wait already"):
        session.submit("second")
    session.cancel()


def test_they_run_in_the_order_in_which_they_were_submitted() -> None:
    """Many that wait for a long one keep their order."""
    order: list[int] = []

    def one_of(number: int) -> Any:
        @asset(name=f"a{number}")
        def made() -> None:
            time.sleep(0.02 if number == 0 else 0)
            order.append(number)

        return made

    session = Session({f"a{number}": one_of(number) for number in range(MOST_WAITING)})
    runs = [session.submit(f"a{number}") for number in range(MOST_WAITING)]
    for run in runs:
        run.future.result(10)
    assert order == [*range(MOST_WAITING)]


def test_what_is_asked_for_has_a_name():
    """Also where it's asked for by keys or definitions."""

    @asset
    def one():
        return 1

    work = define_asset_job("work", [one])
    session = Session({"one": one, "work": work})
    assert session.submit([AssetKey("one")], checks_only=True).what == "checks of one"
    assert session.submit([one, "one", "one", "one"]).what == "one, one, one and 1 more"
    assert session.submit_job(work).what == "job work"
    session.submit(AssetKey("one")).result(WAIT)
