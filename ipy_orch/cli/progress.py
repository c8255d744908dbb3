"""What happens while something runs: a line per asset and check as it is done, and a live one on a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from rich.status import Status
from rich.text import Text

from ipy_orch.cli.printing import STYLES, console
from ipy_orch.session.words import human_seconds
from ipy_orch.ui.cards import plain

__all__ = ["Progress", "line_of"]

SIGNS: Final = {
    "ran": "✓",
    "passed": "✓",
    "fresh": "·",
    "failed": "✗",
    "warned": "⚠",
    "retry": "↻",
    "skipped": "–",
    "canceled": "–",
}


class Progress:
    """Print the lines of a run as they come; on a terminal also how far it is, as long as the block runs.

    Args:
        stderr: where stdout is for JSON.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        self.console = console(stderr=stderr)
        self.status: Status | None = None
        self.running: dict[str, None] = {}
        self.total = self.done = 0
        self.began = time.monotonic()
        self.told: list[str] = []
        self.doing = ""

    def __enter__(self) -> Self:
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.status = self.console.status("")
            self.status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.status is not None:
            self.status.stop()
            self.status = None

    def at(self, doing: str) -> None:
        """Say in the live line what goes on beside steps."""
        self.doing = doing
        self.draw()

    def hear(self, told: Mapping[str, Any]) -> None:
        """Take in a headline of an event."""
        match told["what"]:
            case "run":
                self.total += told["steps"]
            case "start":
                self.running[told["step"]] = None
            case "done" | "failed" | "skipped" if "step" in told:  # a verdict fails without one
                self.running.pop(told["step"], None)
                self.done += 1
            case "end":
                self.running.clear()
            case _:
                pass
        if "name" in told:
            self.told.append(told["name"])
            self.line(told["what"], told["name"], told["text"])
        self.draw()

    def line(self, what: str, name: str, text: str = "") -> None:
        """Print a line that stays."""
        self.console.print(line_of(what, name, text), soft_wrap=True)

    def say(self, text: str | Text = "", style: str = "") -> None:
        """Print something else that stays."""
        self.console.print(text if isinstance(text, Text) else Text(text, style=style), soft_wrap=True)

    def draw(self) -> None:
        """Show how far it is."""
        if self.status is not None:
            self.status.update(Text(str(self)))

    def __str__(self) -> str:
        names = ", ".join([*self.running][:3])
        counts = f"{self.done}/{self.total}" if self.total else ""
        shown = (self.doing, counts, names, human_seconds(time.monotonic() - self.began))
        return plain(" · ".join(part for part in shown if part))


def line_of(what: str, name: str, text: str = "") -> Text:
    """Return the line of an asset or check.

    >>> line_of("ran", "orders", "3 × 2 · 40 ms").plain
    '✓ orders · 3 × 2 · 40 ms'
    """
    style = STYLES.get(what, "")
    rest = f" · {plain(text)}" if text else ""
    return Text.assemble((f"{SIGNS.get(what, '·')} ", style), (plain(name), "bold"), rest)
