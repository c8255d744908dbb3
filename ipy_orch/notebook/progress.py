"""A quiet line while a run goes on: ``3/8 · delays running · 2.1 s``.

Whatever thread an event comes from only changes numbers; one thread of our own looks at them four times a second. Runs
that are over before the first look show nothing.
"""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from html import escape
from types import TracebackType
from typing import Self

from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.events.log import EventLog
from ipy_orch.events.types import (
    Event,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.execution.workers.executors import HAS_THREADS
from ipy_orch.notebook.display import is_kernel, show
from ipy_orch.notebook.formatters import block
from ipy_orch.session.words import human_seconds

__all__ = ["Progress", "Tally"]

FIRST, PERIOD = 0.4, 0.25


class Tally:
    """Count the steps of the run that goes on."""

    def __init__(self) -> None:
        self.total = self.done = self.failed = 0
        self.running: dict[str, str] = {}
        self.began = time.monotonic()

    def hear(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case RunStarted():
                self.total += len(event.steps)
            case StepStarted():
                self.running[event.step] = "running"
            case StepRetrying():
                self.running[event.step] = "waits to try again"
            case StepSucceeded() | StepFailed() | StepSkipped():
                self.running.pop(event.step, None)
                self.done += 1
                self.failed += isinstance(event, StepFailed)
            case RunFinished():
                self.running.clear()
            case _:
                pass

    def __str__(self) -> str:
        names = list(self.running)
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        word = self.running[names[0]] if len(names) == 1 else "running"
        parts = [
            f"{self.done:,}/{self.total:,}",
            f"{self.failed:,} failed" if self.failed else "",
            f"{some} {word}" if some else "",
            human_seconds(time.monotonic() - self.began),
        ]
        return " · ".join(part for part in parts if part)


class Progress:
    """Show the line while the block runs; :meth:`finish` puts the final lines in its place.

    Args:
        least: how many steps a run must have to be shown.
    """

    def __init__(self, ip: InteractiveShell, log: EventLog, least: int = 1) -> None:
        self.ip, self.log, self.least = ip, log, least
        self.tally = Tally()
        self.display_id = ""
        self.over = threading.Event()
        self.thread: threading.Thread | None = None
        self.unlisten: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self.unlisten = self.log.listen(self.tally.hear)
        if HAS_THREADS and is_kernel(self.ip):
            context = contextvars.copy_context()  # it holds which cell the output belongs to
            self.thread = threading.Thread(target=context.run, args=(self.tick,), name="ipy_orch progress", daemon=True)
            self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.unlisten()
        self.over.set()
        if self.thread is not None:
            self.thread.join(2)
        if kind is not None:
            self.finish([], "")

    def tick(self) -> None:
        """Show the line again and again."""
        wait, last = FIRST, ""
        while not self.over.wait(wait):
            wait = PERIOD
            text = str(self.tally)
            if self.tally.total >= self.least and text != last:
                last = text
                self.draw([escape(text)], text)

    def draw(self, lines: Sequence[str], text: str) -> None:
        """Show lines in the place of those shown last."""
        update, self.display_id = bool(self.display_id), self.display_id or uuid.uuid4().hex
        show(self.ip, block(lines) if lines else "", text, transient={"display_id": self.display_id}, update=update)

    def finish(self, lines: Sequence[str], text: str) -> None:
        """Show the final lines, in the place of the progress where there was some."""
        if self.display_id:
            self.draw(lines, text)
            self.display_id = ""
        elif lines:
            show(self.ip, block(lines), text)
