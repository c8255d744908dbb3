"""What came of a request for partitions, in a line per asset: how many were made, which failed, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ipy_orch.events.types import Materialized, StepFailed, StepSkipped, StepSucceeded
from ipy_orch.execution.engine import RunResult
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.session.words import human_seconds

__all__ = ["Counted", "counted", "several", "some"]

SHOWN: Final = 3  #: of partitions that failed


@dataclass
class Counted:
    """Be the partitions of one asset in a request, by what came of them.

    Args:
        asked: those that were asked for; the others are only read by what was.
        ran: were made.
        kept: turned out unchanged.
        failed: with their errors.
        left: weren't run, since what they read failed, or the run was canceled.
        planned: had to run.
    """

    asked: Sequence[str] = ()
    planned: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""

    @property
    def status(self) -> str:
        """Return the status of the line."""
        if self.failed:
            return "failed"
        if self.left:
            return "skipped"
        return "ran" if self.ran else "fresh"

    @property
    def only(self) -> str | None:
        """Return the partition, where it is about one only."""
        concerned = {*self.planned, *self.asked}
        return concerned.pop() if len(concerned) == 1 else None


def counted(plan: Plan, result: RunResult | None) -> dict[AssetKey, Counted]:
    """Return what came of the partitions of each asset of a plan, where it has some."""
    found: dict[AssetKey, Counted] = {}
    for key, asked in plan.request.of_asset.items():
        found[key] = Counted(asked)
    made: set[tuple[AssetKey, str | None]] = set()
    ended: dict[str, StepFailed | StepSkipped | StepSucceeded] = {}
    for event in result.events if result is not None else ():
        if isinstance(event, Materialized):
            made.add((event.key, event.partition))
        elif isinstance(event, StepFailed | StepSkipped | StepSucceeded):
            ended[event.step] = event
    for step in plan.steps:
        if step.partitions != (None,):
            for key in step.keys:
                count(found.setdefault(key, Counted()), key, step, made, ended.get(step.name))
    return found


def count(
    one: Counted,
    key: AssetKey,
    step: Step,
    made: set[tuple[AssetKey, str | None]],
    end: StepFailed | StepSkipped | StepSucceeded | None,
) -> None:
    """Take in what came of a step."""
    one.reason = one.reason or str(step.reason)
    partitions = [partition for partition in step.partitions if partition is not None]
    one.planned += partitions
    one.seconds += getattr(end, "seconds", 0.0)
    for partition in partitions:
        if isinstance(end, StepFailed):
            one.failed[partition] = end.error
        elif (key, partition) in made:
            one.ran.append(partition)
        elif isinstance(end, StepSkipped) and end.unchanged:
            one.kept.append(partition)
        else:
            one.left.append(partition)


def several(one: Counted) -> str:
    """Return the text of the line for several partitions."""
    done, total = len(one.ran) + len(one.kept), len(one.planned)
    parts = []
    if one.ran:
        parts.append(f"made {some(one.ran)}")
    if one.kept:
        parts.append(f"{len(one.kept):,} unchanged")
    if one.failed:
        more = f" and {len(one.failed) - SHOWN:,} more" if len(one.failed) > SHOWN else ""
        told = ", ".join(list(one.failed)[:SHOWN])
        parts.append(f"{len(one.failed):,} failed: {told}{more} ({next(iter(one.failed.values()))})")
    if one.left:
        parts.append(f"{len(one.left):,} not run")
    fresh = len({*one.asked} - {*one.planned}) if one.asked else 0
    if fresh:
        parts.append(f"{fresh:,} fresh already" if done or total else f"{some(one.asked)} fresh")
    return " · ".join([*parts, *([human_seconds(one.seconds)] if one.ran else [])]) or "nothing due"


def some(partitions: Sequence[str]) -> str:
    """Return how many partitions, and from which to which.

    >>> some(["2024-01-01", "2024-01-02"]), some(["north"])
    ('2 partitions, 2024-01-01 … 2024-01-02', 'partition north')
    """
    if len(partitions) == 1:
        return f"partition {partitions[0]}"
    return f"{len(partitions):,} partitions, {partitions[0]} … {partitions[-1]}"
