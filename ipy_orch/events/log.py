"""The log: events in the order they happened, and those who listen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ipy_orch.events.types import Checked, Event, Logged, Materialized, StepFailed

__all__ = ["EventLog"]

Listener = Callable[[Event], None]
KEPT: Final = 100_000
KEPT_CHARACTERS: Final = 64_000_000
OF_STEP: Final = (Materialized, Checked, StepFailed)


class EventLog:
    """Append events and tell listeners of each.

    Listeners run in the appending thread, one event at a time, and must be quick. Only the newest events are kept, so
    that a session of many thousand runs stays small: folds hear each event when it happens and keep what they need.

    Args:
        kept: how many events are kept at most.
        kept_characters: how much text and display data of steps they may hold in all.
    """

    def __init__(self, kept: int = KEPT, kept_characters: int = KEPT_CHARACTERS) -> None:
        self.events: deque[Event] = deque()
        self.kept, self.kept_characters = kept, kept_characters
        self.characters = 0
        self.listeners: list[Listener] = []
        self.lock = threading.RLock()

    def append(self, event: Event) -> None:
        """Keep an event and tell the listeners, in the order they came."""
        with self.lock:
            self.events.append(event)
            self.characters += characters(event)
            while len(self.events) > self.kept or (self.characters > self.kept_characters and len(self.events) > 1):
                self.characters -= characters(self.events.popleft())
            for listener in self.listeners:
                listener(event)

    def begin_with(self, earlier: Iterable[Event]) -> None:
        """Put events of before in front of those that are kept; listeners aren't told."""
        with self.lock:
            events = sorted([*earlier, *self.events], key=lambda event: event.at)
            self.events = deque(events[-self.kept :])
            self.characters = sum(map(characters, self.events))
            while self.characters > self.kept_characters and len(self.events) > 1:
                self.characters -= characters(self.events.popleft())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have ``listener`` called with each event from now on; return what ends that."""
        self.listeners.append(listener)

        def stop() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return stop

    def of_run(self, run_id: str) -> list[Event]:
        """Return the events kept of a run."""
        with self.lock:
            return [event for event in self.events if event.run_id == run_id]

    def __iter__(self) -> Iterator[Event]:
        with self.lock:
            return iter(list(self.events))

    def __len__(self) -> int:
        return len(self.events)


def characters(event: Event) -> int:
    """Return how much text and display data of its step an event holds; the rest is small."""
    if isinstance(event, Logged):
        return len(event.text)
    return sum(chunk.size for chunk in event.output) if isinstance(event, OF_STEP) and event.output else 0
