"""The log keeps the newest events, tells listeners, and stays small."""

from __future__ import annotations

from ipy_orch.events.log import EventLog
from ipy_orch.events.types import Event, Logged, RunFinished


def logged(number: int, text: str = "x") -> Logged:
    """Return an event."""
    return Logged("run", float(number), "step", "stdout", "", text)


def test_only_the_newest_are_kept() -> None:
    """By number."""
    log = EventLog(kept=3)
    for number in range(5):
        log.append(logged(number))
    assert [event.at for event in log] == [2, 3, 4]


def test_text_is_bounded() -> None:
    """By characters, but the newest stays whatever its size."""
    log = EventLog(kept_characters=10)
    for number in range(5):
        log.append(logged(number, "x" * 6))
    assert [event.at for event in log] == [4]
    log.append(logged(5, "x" * 100))
    assert [event.at for event in log] == [5]


def test_listeners_hear_each_event_until_they_stop() -> None:
    """In the order in which they came."""
    log, heard = EventLog(), list[Event]()
    stop = log.listen(heard.append)
    log.append(logged(1))
    stop()
    log.append(logged(2))
    assert [event.at for event in heard] == [1]


def test_events_of_a_run() -> None:
    """Only those of that run."""
    log = EventLog()
    log.append(logged(1))
    log.append(RunFinished("other", 2.0))
    assert [event.kind for event in log.of_run("other")] == ["run finished"]
