"""Runs: status, progress and timing of each. A fold over the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ipy_orch.events.types import (
    Checked,
    Event,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.results import AssetCheckEvaluation

__all__ = ["Run", "Runs", "StepRun"]

KEPT = 1000
OF_RUNS = (RunStarted, StepStarted, StepSucceeded, StepFailed, StepSkipped, StepRetrying, Checked, RunFinished)


@dataclass
class StepRun:
    """Tell how a step of a run goes: waiting, running, retrying, success, failure, skipped, unchanged or canceled."""

    name: str
    reason: str = ""
    status: str = "waiting"
    started: float | None = None
    seconds: float = 0.0
    message: str = ""
    attempt: int = 0


@dataclass
class Run:
    """Tell how a run goes: running, success, failure or canceled; ``keys`` are the assets and checks of each step.

    ``unpassed`` has the verdicts of a step's checks that aren't good, where there are such: it succeeds all the same.
    No event says ``run_config`` and what was selected: they are known in the process in which the run began.
    """

    run_id: str
    what: str
    started: float
    status: str = "running"
    seconds: float = 0.0
    message: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    steps: dict[str, StepRun] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unpassed: dict[str, tuple[AssetCheckEvaluation, ...]] = field(default_factory=dict)
    run_config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    asset_selection: frozenset[AssetKey] | None = None
    asset_check_selection: frozenset[AssetCheckKey] | None = None

    def count(self, *statuses: str) -> int:
        """Return how many steps are in one of these states."""
        return sum(step.status in statuses for step in self.steps.values())

    @property
    def running(self) -> list[str]:
        """Return the steps that run now."""
        return [step.name for step in self.steps.values() if step.status == "running"]


class Runs:
    """Hold the newest runs by id, oldest first."""

    def __init__(self, events: Iterable[Event] = (), kept: int = KEPT) -> None:
        self.runs: dict[str, Run] = {}
        self.kept = kept
        for event in events:
            self.apply(event)

    def begin_with(self, events: Iterable[Event]) -> None:
        """Forget everything, and take these events in."""
        self.runs.clear()
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take one event in."""
        if not isinstance(event, OF_RUNS):
            return
        if isinstance(event, RunStarted):
            steps = {name: StepRun(name, reason) for name, reason in event.steps.items()}
            new = Run(event.run_id, event.what, event.at, tags=dict(event.tags), steps=steps, keys=event.keys)
            self.runs[event.run_id] = new
            while len(self.runs) > self.kept:
                del self.runs[next(iter(self.runs))]
        elif (run := self.runs.get(event.run_id)) is not None:
            if isinstance(event, RunFinished):
                finish(run, event)
            elif isinstance(event, Checked):
                if not event.evaluation.passed:
                    run.unpassed[event.step] = (*run.unpassed.get(event.step, ()), event.evaluation)
            else:
                if isinstance(event, StepStarted):
                    run.unpassed.pop(event.step, None)  # of an attempt before
                step = run.steps.get(event.step)
                if step is None:  # a copy of a mapped step
                    step = run.steps[event.step] = StepRun(event.step, getattr(event, "reason", ""))
                advance(step, event)


def finish(run: Run, event: RunFinished) -> None:
    """Bring a run to its end; its open steps are canceled, and took as long as they ran."""
    run.status, run.seconds, run.message = event.status, event.seconds, event.message
    for step in run.steps.values():
        if step.status in ("waiting", "running", "retrying"):
            step.status = "canceled"
            step.seconds = max(0.0, event.at - step.started) if step.started is not None else 0.0


def advance(step: StepRun, event: Event) -> None:
    """Bring a step up to date with an event of it."""
    match event:
        case StepStarted():
            step.status, step.started, step.attempt = "running", event.at, event.attempt
        case StepSucceeded():
            step.status, step.seconds = "success", event.seconds
        case StepRetrying():
            step.status, step.message = "retrying", event.error
        case StepFailed():
            step.status, step.seconds, step.message = "failure", event.seconds, event.error
        case StepSkipped():
            step.status, step.message = ("unchanged" if event.unchanged else "skipped"), event.reason
        case _:
            pass
