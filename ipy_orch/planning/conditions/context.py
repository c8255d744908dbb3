"""What a condition is evaluated in, and what comes of it. Conditions of one's own are written against these two."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.condition import AutomationCondition, digest
from ipy_orch.planning.conditions.cursor import AutomationCursor, ConditionCursor, NodeCursor, SinceData
from ipy_orch.planning.conditions.subsets import EntityKey, EntitySubset, Value, partitions_in, size
from ipy_orch.planning.conditions.view import View

__all__ = ["AutomationContext", "AutomationResult", "Tick", "Times"]

LOG: Final = logging.getLogger("ipy_orch.automation")

Times = dict[str | None, float]  #: partition -> when the event happened that made a condition true of it


@dataclass
class Tick:
    """Be one evaluation of several conditions.

    Args:
        view: what is known.
        cursor: what is remembered of the evaluation before.
        requested: what was requested so far, by key.
    """

    view: View
    cursor: AutomationCursor
    requested: dict[EntityKey, Value] = field(default_factory=dict)

    @property
    def evaluation_id(self) -> int:
        """Return the number of the evaluation, from 0."""
        return self.cursor.evaluation_id


class AutomationContext:
    """Be what a condition is evaluated in: for which key and candidates, knowing what.

    Args:
        index: the place of the condition among those of its parent; None where it is known by its name.
    """

    __slots__ = ("before", "candidates", "condition", "index", "keeping", "key", "parent", "root", "tick", "told_ids")

    def __init__(
        self,
        tick: Tick,
        condition: AutomationCondition,
        key: EntityKey,
        candidates: Value,
        parent: AutomationContext | None = None,
        index: int | None = None,
    ) -> None:
        self.tick, self.condition, self.key, self.candidates = tick, condition, key, candidates
        self.parent, self.index = parent, index
        self.told_ids: list[str] | None = None
        if parent is None:
            self.root: AutomationContext = self
            self.before: ConditionCursor | None = tick.cursor.conditions.get(key.label)
            self.keeping: list[AutomationResult] = []  #: results of which something is remembered
        else:
            self.root, self.before, self.keeping = parent.root, parent.before, parent.keeping

    def child(
        self, condition: AutomationCondition, index: int | None, key: EntityKey, value: Value
    ) -> AutomationContext:
        """Return the context of a condition below this one."""
        return AutomationContext(self.tick, condition, key, value, self, index)

    # -- for conditions of one's own ----------------------------------------------------------------------------------

    def for_child_condition(
        self, child_condition: AutomationCondition, child_indices: Sequence[int | None], candidate_subset: EntitySubset
    ) -> AutomationContext:
        """Return the context of a condition below this one."""
        return self.child(child_condition, child_indices[0], candidate_subset.key, candidate_subset.value)

    def evaluate(self) -> AutomationResult:
        """Return for which candidates the condition is true; an ``async def`` is run to its end."""
        result = self.condition.evaluate(self)
        if inspect.iscoroutine(result):
            result = finished(result)
        if not isinstance(result, AutomationResult):
            raise CheckError(
                f"`{self.condition.name}` returned {result!r}, and a condition returns an AutomationResult"
            )
        return self.kept(result)

    def kept(self, result: AutomationResult) -> AutomationResult:
        """Return a result of a condition of one's own; what it keeps is remembered."""
        if result.condition.requires_cursor and result not in self.keeping:
            self.keeping.append(result)
        return result

    async def evaluate_async(self) -> AutomationResult:
        """Return for which candidates the condition is true, to be awaited."""
        result = self.condition.evaluate(self)
        return self.kept(await result if inspect.isawaitable(result) else result)

    @property
    def candidate_subset(self) -> EntitySubset:
        """Return the candidates."""
        return EntitySubset(self.tick.view, self.key, self.candidates)

    @property
    def asset_graph_view(self) -> View:
        """Return what is known at the moment."""
        return self.tick.view

    @property
    def asset_graph(self) -> Any:
        """Return the graph of assets."""
        return self.tick.view.graph

    @property
    def root_context(self) -> AutomationContext:
        """Return the context of the whole condition."""
        return self.root

    @property
    def parent_context(self) -> AutomationContext | None:
        """Return the context of the condition above."""
        return self.parent

    @property
    def partitions_def(self) -> Any:
        """Return how the key is partitioned, None where it isn't."""
        return self.tick.view.cut(self.key)

    @property
    def evaluation_id(self) -> int:
        """Return the number of the evaluation, from 0."""
        return self.tick.evaluation_id

    @property
    def evaluation_time(self) -> datetime:
        """Return the moment of the evaluation."""
        return self.tick.view.now

    @property
    def max_storage_id(self) -> int:
        """Return the number of the newest event."""
        return self.tick.view.updates.number

    @property
    def previous_evaluation_time(self) -> datetime | None:
        """Return the moment of the previous evaluation."""
        return None if self.before is None else datetime.fromtimestamp(self.before.at, UTC)

    @property
    def previous_max_storage_id(self) -> int | None:
        """Return the number of the newest event that the previous evaluation knew."""
        return None if self.before is None else self.before.number

    @property
    def previous_true_subset(self) -> EntitySubset | None:
        """Return what this condition was true of in the previous evaluation."""
        node = self.remembered
        return None if node is None else EntitySubset(self.tick.view, self.key, self.current(node.true))

    @property
    def cursor(self) -> str | None:
        """Return the text that this condition gave in the previous evaluation."""
        node = self.remembered
        return node.state if node is not None and isinstance(node.state, str) else None

    @property
    def request_subsets_by_key(self) -> Mapping[EntityKey, EntitySubset]:
        """Return what was requested so far."""
        return {key: EntitySubset(self.tick.view, key, value) for key, value in self.tick.requested.items()}

    @property
    def log(self) -> logging.Logger:
        """Return a logger that says which condition speaks."""
        return LOG.getChild(type(self.condition).__name__)

    def get_empty_subset(self) -> EntitySubset:
        """Return no partition of the key."""
        return EntitySubset(self.tick.view, self.key, self.tick.view.empty(self.key))

    def get_previous_requested_subset(self, key: EntityKey) -> EntitySubset | None:
        """Return what the previous evaluation requested of a key, None where it wasn't evaluated."""
        before = self.tick.cursor.conditions.get(key.label)
        return None if before is None else EntitySubset(self.tick.view, key, self.current(before.requested, key))

    # -- what is remembered -------------------------------------------------------------------------------------------

    @property
    def ids(self) -> list[str]:
        """Return the ids under which something may be remembered of this node; it is written under the first."""
        if self.told_ids is None:
            target = None if self.key == self.root.key else self.key
            above = [None] if self.parent is None else self.parent.ids
            self.told_ids = [
                self.condition.get_node_unique_id(parent_unique_id=one, index=self.index, target_key=target)
                for one in above
            ]
        return self.told_ids

    @property
    def remembered(self) -> NodeCursor | None:
        """Return what is remembered of this node."""
        if self.before is None or not self.before.nodes:
            return None
        return next((self.before.nodes[one] for one in self.ids if one in self.before.nodes), None)

    def current(self, value: Value, key: EntityKey | None = None) -> Value:
        """Return a value that was remembered, without partitions that there are no longer."""
        full = self.tick.view.full(self.key if key is None else key)
        if isinstance(full, bool) != isinstance(value, bool):
            return self.tick.view.empty(self.key if key is None else key)
        return value & full  # type: ignore[operator]


class AutomationResult:
    """Be what a condition is true of.

    Args:
        context: what it was evaluated in.
        true_subset: those candidates that it is true of.
        cursor: a text that it finds in :attr:`AutomationContext.cursor` in the next evaluation.
        child_results: those of the conditions below.
    """

    __slots__ = ("child_results", "context", "since", "state", "times", "true")

    def __init__(
        self,
        context: AutomationContext,
        true_subset: EntitySubset,
        cursor: str | None = None,
        child_results: Sequence[AutomationResult] | None = None,
    ) -> None:
        if not isinstance(true_subset, EntitySubset):
            raise CheckError(f"`true_subset` is a subset, such as `context.get_empty_subset()`, not {true_subset!r}")
        self.context, self.true, self.state = context, true_subset.value, cursor
        self.child_results: Sequence[AutomationResult] = child_results or ()
        self.times: Times | None = None
        self.since: SinceData | None = None

    @property
    def key(self) -> EntityKey:
        """Return what it was evaluated for."""
        return self.context.key

    @property
    def condition(self) -> AutomationCondition:
        """Return the condition."""
        return self.context.condition

    @property
    def condition_unique_id(self) -> str:
        """Return the id of the node in its tree."""
        return self.context.ids[0]

    @property
    def true_subset(self) -> EntitySubset:
        """Return what it is true of."""
        return EntitySubset(self.context.tick.view, self.context.key, self.true)

    @property
    def value_hash(self) -> str:
        """Return a digest of the whole outcome; two evaluations in which nothing changed have the same."""
        values = [sorted(map(str, partitions_in(one))) for one in (self.true, self.context.candidates)]
        return digest(self.condition_unique_id, *values, *(child.value_hash for child in self.child_results))

    def pprint(self, indent: int = 0) -> str:
        """Return the tree as text."""
        own = f"{self.condition.title}: true of {size(self.true)} of {size(self.context.candidates)}"
        below = [f"\n{' ' * (indent + 4)}{child.pprint(indent + 4)}" for child in self.child_results]
        return "".join([own, *below])


def outcome(
    context: AutomationContext,
    true: Value,
    children: Sequence[AutomationResult] = (),
    times: Times | None = None,
    state: Value | str | None = None,
    since: SinceData | None = None,
) -> AutomationResult:
    """Return a result from plain values; evaluations make tens of thousands of them."""
    made = AutomationResult.__new__(AutomationResult)
    made.context, made.true, made.child_results = context, true, children
    made.times, made.state, made.since = times, state, since  # type: ignore[assignment]
    return made


def finished(coroutine: Any) -> Any:
    """Return what a coroutine returns; on a thread of its own where a loop runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1, thread_name_prefix="condition") as thread:
        return thread.submit(asyncio.run, coroutine).result()
