"""Short answers: the run with all its steps, what a selection names, what was refused, what is said in passing."""

from __future__ import annotations

from typing import Literal

from ipy_orch.ui.protocol.envelope import Answer
from ipy_orch.ui.protocol.graph import RunState

__all__ = [
    "Refused",
    "RunMessage",
    "Selected",
    "Toast",
]


class RunMessage(Answer):
    """Be a run with all its steps."""

    kind: Literal["run"] = "run"
    run: RunState


class Selected(Answer):
    """Be the assets that a selection names, or what is wrong with it."""

    kind: Literal["selected"] = "selected"
    text: str
    ids: list[str] = []
    problem: str = ""
    hint: str = ""


class Refused(Answer):
    """Say that a command was not obeyed; nothing has run."""

    kind: Literal["refused"] = "refused"
    command: str = ""
    why: str
    hint: str = ""


class Toast(Answer):
    """Say something in passing."""

    kind: Literal["toast"] = "toast"
    level: Literal["info", "success", "warning", "error"] = "info"
    text: str
