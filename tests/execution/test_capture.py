"""Output goes to the step that makes it, whatever the thread, and to nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import logging
import pickle
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipy_orch.execution.capture import Chunk, Sink, capture, current_sink, install, installed, uninstall, wrap
from ipy_orch.model.env import SECRETS


@contextlib.contextmanager
def a_cell():
    """Be a stranger's cell, and give its two streams; no fixture, because pytest changes streams after those."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        yield out, err


@contextlib.contextmanager
def a_routed_cell():
    """Be a stranger's cell while a run routes output."""
    with a_cell() as cell, installed():
        yield cell


def texts(sink):
    """Return what a sink holds as (kind, text)."""
    return [(chunk.kind, chunk.text) for chunk in sink.chunks()]


def test_prints_go_to_the_sink():
    """Adjacent text is one chunk, the streams keep their order."""
    with a_routed_cell() as routed:
        with capture(Sink()) as sink:
            print("a")
            print("b", end="")
            print("oh", file=sys.stderr)
            sys.stdout.writelines(["c", "d"])
        assert texts(sink) == [("stdout", "a\nb"), ("stderr", "oh\n"), ("stdout", "cd")]
        assert [stream.getvalue() for stream in routed] == ["", ""]


def test_without_a_sink_nothing_changes():
    """A cell that runs at the same time prints as always."""
    with a_routed_cell() as routed:
        print("hello")
        with capture(Sink()) as sink, capture(None):
            print("through")
        assert routed[0].getvalue() == "hello\nthrough\n"
        assert sink.chunks() == []


def test_without_a_sink_secrets_are_taken_out(log, monkeypatch):
    """A hook, an IO manager and a thread that a step starts print to the cell; no longer, once nothing runs."""
    SECRETS.add("swordfish-55", "FISH")

    def boom():
        raise RuntimeError("boom swordfish-55")

    def told():
        print("a swordfish-55", "b")
        print("c swordfish-55", file=sys.stderr)
        log.warning("d swordfish-55")

    with a_cell() as cell:
        monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)  # not pytest's
        log.addHandler(logging.StreamHandler())
        with installed():
            told()
            for target in (told, boom):
                thread = threading.Thread(target=target)
                thread.start()
                thread.join()
        out, err = (stream.getvalue() for stream in cell)
        assert out == "a [FISH] b\n" * 2
        assert "swordfish-55" not in err
        assert [err.count(f"{letter} [FISH]") for letter in "cd"] == [2, 2]
        assert "RuntimeError: boom [FISH]" in err
        print("my own swordfish-55")
        assert cell[0].getvalue().endswith("my own swordfish-55\n")


def test_tee_appears_live_as_well():
    """In the asset's own cell one watches it run."""
    with a_routed_cell() as routed:
        with capture(Sink(tee=True)) as sink:
            print("a")
            print("b", file=sys.stderr)
        assert texts(sink) == [("stdout", "a\n"), ("stderr", "b\n")]
        assert [stream.getvalue() for stream in routed] == ["a\n", "b\n"]


def test_threads_keep_their_output_apart():
    """Each step has its own sink, though they print at once."""
    with a_routed_cell() as routed:
        barrier = threading.Barrier(4)

        def step(name):
            with capture(Sink()) as sink:
                for _ in range(50):
                    barrier.wait()
                    print(name)
            return sink

        with ThreadPoolExecutor(4) as pool:
            sinks = list(pool.map(step, "abcd"))
        assert [texts(sink) for sink in sinks] == [[("stdout", f"{name}\n" * 50)] for name in "abcd"]
        assert routed[0].getvalue() == ""


def test_a_steps_own_threads_print_elsewhere_unless_wrapped():
    """A thread begins with an empty context."""
    with a_routed_cell() as routed:

        def run(target):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()

        with capture(Sink()) as sink:
            run(lambda: print("lost"))
            run(wrap(lambda: print("kept")))
        assert texts(sink) == [("stdout", "kept\n")]
        assert routed[0].getvalue() == "lost\n"


def test_a_wrapped_function_runs_on_many_threads_at_once():
    """A context can be entered once only, so each call has a copy."""
    with a_routed_cell():
        barrier = threading.Barrier(4)

        def work(number):
            barrier.wait()
            print(number)
            return number

        with capture(Sink()) as sink, ThreadPoolExecutor(4) as pool:
            assert list(pool.map(wrap(work), range(4))) == [0, 1, 2, 3]
        assert sorted(texts(sink)[0][1].split()) == ["0", "1", "2", "3"]


def test_tasks_keep_their_output_apart():
    """Async steps on one loop are told apart by their contexts."""
    with a_routed_cell():

        async def step(name):
            with capture(Sink()) as sink:
                for _ in range(3):
                    print(name)
                    await asyncio.sleep(0)
                await asyncio.create_task(later(name))
            return sink

        async def later(name):
            print(f"later {name}")

        async def both():
            return await asyncio.gather(step("a"), step("b"))

        assert [texts(sink) for sink in asyncio.run(both())] == [
            [("stdout", "a\na\na\nlater a\n")],
            [("stdout", "b\nb\nb\nlater b\n")],
        ]


def test_a_sink_ends_with_its_block():
    """Also when the step raises."""
    with a_routed_cell() as routed:
        with contextlib.suppress(ZeroDivisionError), capture(Sink()) as sink:
            print("before")
            1 / 0  # noqa: B018
        assert current_sink() is None
        print("after")
        assert texts(sink) == [("stdout", "before\n")]
        assert routed[0].getvalue() == "after\n"


# -- warnings and records


def test_warnings_go_to_the_sink():
    """With category and place, so that they can be shown as a cell shows them."""
    with a_routed_cell() as routed:
        with warnings.catch_warnings(), capture(Sink()) as sink:
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        [chunk] = sink.chunks()
        assert (chunk.kind, chunk.text, chunk.data["category"]) == ("warning", "old", "DeprecationWarning")
        assert chunk.data["filename"] == __file__
        assert [stream.getvalue() for stream in routed] == ["", ""]


@pytest.mark.parametrize("sink", [None, Sink(tee=True)], ids=["no sink", "tee"])
def test_warnings_appear_in_the_cell(sink):
    """Once, as the text that the cell would have shown, and not a second time as stderr."""
    with a_cell() as cell:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *_: sys.stderr.write(f"shown: {message}\n")
            with installed(), capture(sink):
                warnings.warn("old", stacklevel=1)
        assert cell[1].getvalue() == "shown: old\n"
        assert sink is None or [chunk.kind for chunk in sink.chunks()] == ["warning"]


def test_a_step_may_record_its_own_warnings():
    """`catch_warnings` in user code works as ever."""
    with a_routed_cell():
        with capture(Sink()) as sink, warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warnings.warn("mine", stacklevel=1)
        assert [str(one.message) for one in seen] == ["mine"]
        assert sink.chunks() == []


@pytest.fixture
def log():
    """Return a logger of the test's own, without handlers."""
    logger = logging.getLogger("ipy_orch.test_capture")
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logger.propagate = True


def test_records_go_to_the_sink(log):
    """As facts; a level that is off stays off."""
    with a_routed_cell():
        with capture(Sink()) as sink:
            log.error("%s of %s", 1, 2)
            log.debug("not this")
        [chunk] = [chunk for chunk in sink.chunks() if chunk.kind == "log"]
        assert chunk == Chunk("log", "1 of 2", {"level": "ERROR", "logger": "ipy_orch.test_capture"})
        log.error("nobody's")
        assert len([chunk for chunk in sink.chunks() if chunk.kind == "log"]) == 1


def test_records_carry_tracebacks(log):
    """What `exception` logs is complete."""
    with a_routed_cell():
        log.addHandler(logging.NullHandler())
        with capture(Sink()) as sink:
            try:
                1 / 0  # noqa: B018
            except ZeroDivisionError:
                log.exception("no")
        [chunk] = sink.chunks()
        assert chunk.text.startswith("no\nTraceback")
        assert chunk.text.endswith("ZeroDivisionError: division by zero")


class Unspeakable:
    """Raise when asked for a text."""

    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(("message", "said"), [("%d", "%d"), (Unspeakable(), "<Unspeakable>")], ids=["format", "str"])
def test_records_that_cannot_be_formatted(log, message, said):
    """Logging never breaks a step."""
    with a_routed_cell(), capture(Sink()) as sink:
        log.makeRecord("x", logging.ERROR, "f", 1, message, ("x",), None)
    assert texts(sink) == [("log", said)]


def test_handlers_that_hold_the_stream_follow(log):
    """What a handler prints goes where prints go, and back afterwards."""
    with a_cell() as cell:
        handler = logging.StreamHandler()
        log.addHandler(handler)
        with installed():
            with capture(Sink()) as sink:
                log.error("in the step")
            log.error("in the cell")
        assert texts(sink) == [("log", "in the step"), ("stderr", "in the step\n")]
        assert cell[1].getvalue() == "in the cell\n"
        assert handler.stream is cell[1]


def test_basic_config_works_in_a_step():
    """Nothing of ours is in the way of a user's set-up of logging."""
    with a_routed_cell():
        assert not [handler for handler in logging.root.handlers if "ipy_orch" in type(handler).__module__]
        assert isinstance(logging.makeLogRecord({"msg": "x"}), logging.LogRecord)


# -- displays


def test_displays_keep_their_place():
    """Between the prints before and after them."""
    with a_routed_cell():
        with capture(Sink()) as sink:
            print("a")
            current_sink().display({"text/plain": "<plot>"}, {"width": 3})
            print("b")
        assert [chunk.kind for chunk in sink.chunks()] == ["stdout", "display", "stdout"]
        assert sink.chunks()[1] == Chunk("display", "", {"text/plain": "<plot>"}, {"width": 3})


def test_clear_forgets():
    """As `clear_output` does in a cell."""
    sink = Sink()
    sink.write("stdout", "a")
    sink.clear()
    sink.write("stdout", "b")
    assert texts(sink) == [("stdout", "b")]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("10%\r50%\r100%\n", "100%\n"),
        ("10%\r50%\r", "50%"),
        ("a\r\nb\n", "a\nb\n"),
        ("x\n1\r2\ny", "x\n2\ny"),
        ("plain\n", "plain\n"),
    ],
)
def test_progress_bars_leave_their_last_state(written, kept):
    """A thousand updates of one line are one line."""
    sink = Sink()
    for letter in written:
        sink.write("stderr", letter)
    assert texts(sink) == [("stderr", kept)]


# -- bounds


def test_a_long_output_keeps_beginning_and_end():
    """And says how much is missing."""
    sink = Sink(limit=1000)
    for number in range(10_000):
        sink.write("stdout", f"{number}\n")
    first, gap, last = sink.chunks()
    assert first.text.startswith("0\n1\n")
    assert last.text.endswith("9998\n9999\n")
    assert "characters left out" in gap.text
    everything = sum(len(f"{number}\n") for number in range(10_000))
    assert len(first.text) + gap.metadata["dropped"] + len(last.text) == everything
    assert 900 < len(first.text) + len(last.text) <= 1000


@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr", "display"]), st.text("ab\n", max_size=60)), max_size=40),
    st.integers(4, 200),
)
def test_any_output_stays_within_the_limit(writes, limit):
    """Nothing is lost unseen: what is kept and what is counted make up what was written."""
    sink = Sink(limit=limit)
    for kind, text in writes:
        sink.display({"text/plain": text}) if kind == "display" else sink.write(kind, text)
    chunks = sink.chunks()
    kept = [chunk for chunk in chunks if not (chunk.metadata or {}).get("dropped") and "left out" not in chunk.text]
    gaps = [chunk.metadata for chunk in chunks if "left out" in chunk.text]
    assert sum(chunk.size for chunk in kept) <= limit
    written = sum(len(text) for kind, text in writes if kind != "display")
    shown = sum(len(chunk.text) for chunk in kept)
    assert shown + sum(gap["dropped"] for gap in gaps) == written
    displays = sum(kind == "display" for kind, _ in writes)
    shown_displays = sum(chunk.kind == "display" for chunk in kept)
    assert shown_displays + sum(gap["dropped_displays"] for gap in gaps) == displays
    assert len(gaps) <= 1


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(max_size=20)), max_size=20))
def test_a_short_output_is_kept_as_it_is(writes):
    """Whatever it is, but for lines that overwrite themselves."""
    sink = Sink()
    for kind, text in writes:
        sink.write(kind, text.replace("\r", ""))
    expected = "".join(text.replace("\r", "") for _, text in writes)
    assert "".join(chunk.text for chunk in sink.chunks()) == expected
    kinds = [chunk.kind for chunk in sink.chunks()]
    assert all(one != other for one, other in pairwise(kinds))


def test_one_write_can_be_huge():
    """Only its ends are kept."""
    sink = Sink(limit=100)
    sink.write("stdout", "a" * 1000 + "z")
    assert texts(sink)[0] == ("stdout", "a" * 50)
    assert texts(sink)[-1] == ("stdout", "a" * 49 + "z")


def test_a_display_beyond_the_limit_is_left_out():
    """And counted."""
    sink = Sink(limit=100)
    sink.display({"image/png": "x" * 1000})
    [gap] = sink.chunks()
    assert gap.metadata == {"dropped": 0, "dropped_displays": 1}


# -- installing


def test_streams_are_put_back():
    """When the last of several runs has ended."""
    with a_cell() as cell:
        install()
        install()
        uninstall()
        with capture(Sink()) as sink:
            print("still")
        uninstall()
        assert (sys.stdout, sys.stderr) == cell
        assert texts(sink) == [("stdout", "still\n")]
        uninstall()
        assert sys.stdout is cell[0]


def test_warnings_and_logging_are_put_back():
    """Nothing of ours is left behind."""
    with a_cell():
        before = warnings.showwarning, logging.getLogRecordFactory()
        with installed():
            assert warnings.showwarning is not before[0]
        assert (warnings.showwarning, logging.getLogRecordFactory()) == before


def test_what_somebody_else_put_on_top_stays():
    """Their stream isn't taken away, and ours below it lets everything through."""
    with a_cell() as cell:
        other = io.StringIO()
        with installed():
            held = sys.stdout
            sys.stdout = other
        assert sys.stdout is other
        held.write("through")
        assert cell[0].getvalue() == "through"


def test_redirect_in_a_step_works():
    """What a step redirects is its own affair."""
    with a_routed_cell():
        with capture(Sink()) as sink, contextlib.redirect_stdout(io.StringIO()) as mine:
            print("mine")
        assert mine.getvalue() == "mine\n"
        assert sink.chunks() == []


def test_all_else_is_the_stream_behind():
    """Encoding, flush, fileno and whatever else a library asks for."""
    with a_routed_cell():
        sys.stdout.flush()
        assert sys.stdout.getvalue() == ""
        assert not sys.stdout.isatty()
        with pytest.raises(TypeError):
            sys.stdout.write(b"bytes")
        with pytest.raises(AttributeError):
            _ = sys.stdout.no_such_thing
        assert "StringIO" in repr(sys.stdout)
        with pytest.raises(AttributeError):
            _ = copy.copy(sys.stdout).no_such_thing


def test_missing_streams_stay_missing(monkeypatch):
    """A process without a console has none."""
    monkeypatch.setattr(sys, "stdout", None)
    with installed():
        assert sys.stdout is None


def test_sinks_travel():
    """To a worker process and back, with what they hold."""
    sink = Sink(limit=1000, tee=True)
    sink.write("stdout", "a")
    sink.display({"text/plain": "b"})
    back = pickle.loads(pickle.dumps(sink))
    assert back.chunks() == sink.chunks()
    assert (back.limit, back.tee) == (1000, False)
    back.write("stdout", "c")
    assert texts(back)[-1] == ("stdout", "c")
