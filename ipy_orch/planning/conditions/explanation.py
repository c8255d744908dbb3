"""Why a condition is true or not: its tree, with how much each part is true of; as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from ipy_orch.events.runs import Run, Runs
from ipy_orch.events.types import Event, RunFinished
from ipy_orch.events.updates import Updates
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.planning.conditions.context import AutomationResult
from ipy_orch.planning.conditions.cursor import AutomationCursor, ConditionCursor
from ipy_orch.planning.conditions.subsets import size
from ipy_orch.planning.conditions.ticks import Conditions, EvaluateAutomationConditionsResult, run_tick
from ipy_orch.planning.conditions.view import AutomatedJob, View
from ipy_orch.planning.graph import AssetGraph

__all__ = ["Explanation", "explain", "replay"]

MOST_TICKS: Final = 200  #: the newest runs after which conditions are evaluated again
MARKS: Final = {"true": "✓", "false": "✗", "skipped": "·"}


@dataclass(frozen=True)
class Explanation:
    """Tell of how many candidates a condition, and each below it, is true.

    Args:
        title: its label, else its name.
        about: when it is true, for people.
        state: ``true`` (of some), ``false``, or ``skipped``: nothing was left that it could be true of.
        true: of how many partitions it is true; 1 of what isn't partitioned.
        of: how many it was asked about.
        target: the asset or check that it was asked about, where that is another one than above.
        operator: how those below count: ``and``, ``or``, ``not`` or ``identity``.
    """

    title: str
    about: str
    state: str
    true: int
    of: int
    target: str
    operator: str
    below: tuple[Explanation, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "below"}
        return {**said, "below": [one.to_dict() for one in self.below]}

    def lines(self, depth: int = 0) -> Iterator[str]:
        """Yield a line for each condition."""
        many = f" {self.true:,} of {self.of:,}" if self.of > 1 else ""
        where = f" [{self.target}]" if self.target else ""
        says_more = self.about != self.title and (not self.below or self.about.startswith("the first was"))
        told = f" – {self.about}" if self.about and says_more else ""
        skipped = " (not looked at: nothing is left)" if self.state == "skipped" else ""
        yield f"{'  ' * depth}{MARKS[self.state]} {self.title}{where}{many}{told}{skipped}"
        for one in self.below:
            yield from one.lines(depth + 1)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def explain(result: AutomationResult, above: AutomationResult | None = None) -> Explanation:
    """Return why a result is what it is."""
    condition, context = result.condition, result.context
    state = "true" if result.true else "false" if context.candidates or condition.keeps_state else "skipped"
    elsewhere = above is not None and above.key != result.key
    return Explanation(
        told_title(condition),
        since_when(result) or condition.description,
        state,
        size(result.true),
        size(context.candidates),
        result.key.label if elsewhere else "",
        condition.operator_type,
        tuple(explain(child, result) for child in result.child_results),
    )


def since_when(result: AutomationResult) -> str:
    """Return when the two sides of a ``since`` were true last, "" for any other condition."""
    if result.since is None:
        return ""
    first, second = (clock(at) for at in (result.since.trigger_timestamp, result.since.reset_timestamp))
    return f"the first was true {first}, the second {second}"


def clock(at: float | None) -> str:
    """Return a time for people, in their timezone."""
    return "never" if at is None else datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def told_title(condition: AutomationCondition) -> str:
    """Return what a condition is called for people: an operator without a label by what it does."""
    if condition.label is None and condition.operator_type == "not":
        return f"not {told_title(condition.children[0])}"
    return condition.description if condition.label is None and condition.name.isupper() else condition.title


def replay(
    graph: AssetGraph,
    conditions: Conditions,
    events: Sequence[Event],
    runs: Mapping[str, Run],
    now: datetime,
    jobs: Mapping[str, AutomatedJob] | None = None,
) -> EvaluateAutomationConditionsResult:
    """Evaluate conditions after each run that there was, and now, as if somebody had evaluated them all the time.

    What they asked for then wasn't run, so that they still ask for it. Reads only: nothing is run.
    """
    updates, history, cursor = Updates(), Runs(), AutomationCursor()
    for event, is_tick in told(events):
        updates.apply(event)
        history.apply(event)
        if is_tick:
            view = View(graph, updates, history.runs, datetime.fromtimestamp(event.at, UTC), jobs)
            cursor = unrequested(run_tick(view, conditions, cursor).cursor)
    return run_tick(View(graph, updates, runs, now, jobs), conditions, cursor)


def told(events: Sequence[Event]) -> Iterator[tuple[Event, bool]]:
    """Yield the events, and whether conditions are evaluated after each: when a run has ended, but for the last one.

    What that one did is what a person asks about: it is new to the evaluation of now.
    """
    ends = [number for number, event in enumerate(events) if isinstance(event, RunFinished)]
    ticks = set(ends[-MOST_TICKS:-1])
    for number, event in enumerate(events):
        yield event, number in ticks


def unrequested(cursor: AutomationCursor) -> AutomationCursor:
    """Return what is remembered as if nothing had been asked for."""
    return replace(cursor, conditions={key: nothing(one) for key, one in cursor.conditions.items()})


def nothing(one: ConditionCursor) -> ConditionCursor:
    """Return what is remembered of a condition that has asked for nothing."""
    return replace(one, requested=False if isinstance(one.requested, bool) else frozenset())
