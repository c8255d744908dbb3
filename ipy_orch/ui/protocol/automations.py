"""Schedules, sensors and conditions: what decides when something runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipy_orch.ui.protocol.envelope import Answer, Wire
from ipy_orch.ui.protocol.graph import Cell

__all__ = [
    "Automation",
    "AutomationsMessage",
    "Condition",
    "ConditionMessage",
    "DaemonState",
    "TickLine",
    "TicksMessage",
]


class Automation(Wire):
    """Be a schedule or a sensor, and how its last tick went; ``next`` is empty while it can't tick."""

    name: str
    kind: Literal["schedule", "sensor"]
    on: bool = False
    when: str = Field(default="", description="Its moments or its interval, in words.")
    target: str = Field(default="", description="What it runs, in words.")
    next: list[float] = []
    last: float | None = None
    status: str = Field(default="", description="What came of the last tick: requested, skipped, failed or missed.")
    message: str = ""
    runs: list[str] = Field(default=[], description="How the runs of the last tick stand.")
    cell: Cell | None = None
    description: str = ""
    problem: str = Field(default="", description="Why it can't tick.")
    zone: str = ""


class DaemonState(Wire):
    """Say how the thread stands that lets tick what is on; ``trouble`` says why nothing ticks."""

    is_running: bool = False
    since: float | None = None
    missed: str = Field(default="", description="What is done about moments that passed while nobody looked.")
    waiting: int = Field(default=0, description="The runs that haven't begun.")
    trouble: str = ""


class AutomationsMessage(Answer):
    """Be all schedules and sensors, by name, and the daemon."""

    kind: Literal["automations"] = "automations"
    automations: list[Automation] = []
    daemon: DaemonState = DaemonState()


class TickLine(Wire):
    """Be a tick: of a schedule with the moment that it was for."""

    status: str
    at: float
    moment: float | None = None
    requested: int = 0
    message: str = ""
    runs: list[str] = Field(default=[], description="How its runs stand.")
    seconds: float = 0.0
    printed: str = ""


class TicksMessage(Answer):
    """Be the ticks of a schedule or sensor, the newest first."""

    kind: Literal["ticks"] = "ticks"
    name: str
    ticks: list[TickLine] = []
    total: int = Field(default=0, description="How many there are, of which the newest are told.")


class Condition(Wire):
    """Be an automation condition and those that it is made of.

    ``true`` and ``of`` are numbers of partitions, 1 of what isn't partitioned; ``skipped`` means that nothing was left
    to ask about.
    """

    title: str
    about: str = ""
    state: Literal["true", "false", "skipped"]
    true: int = 0
    of: int = 0
    target: str = Field(default="", description="The asset or check it is about, where that is another one.")
    below: list[Condition] = []


class ConditionMessage(Answer):
    """Be the automation condition of an asset, as it stands now."""

    kind: Literal["condition"] = "condition"
    id: str
    condition: Condition
