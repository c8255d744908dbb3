"""One evaluation of all conditions: what is requested, and what is remembered for the next one."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.events.updates import Updates
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetJobKey, AssetKey
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.planning.conditions.context import AutomationContext, AutomationResult, Tick
from ipy_orch.planning.conditions.cursor import AutomationCursor, ConditionCursor, NodeCursor
from ipy_orch.planning.conditions.evaluation import evaluate
from ipy_orch.planning.conditions.facts import cut_token
from ipy_orch.planning.conditions.subsets import EntityKey, Value, partitions_in, size
from ipy_orch.planning.conditions.view import AutomatedJob, View
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partitioning import distinct_cuts
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = [
    "EvaluateAutomationConditionsResult",
    "automated_jobs",
    "conditions_in",
    "evaluate_automation_conditions",
    "run_tick",
]

LOG: Final = logging.getLogger("ipy_orch.automation")

Conditions = Mapping[EntityKey, AutomationCondition]


@dataclass(frozen=True, eq=False)
class EvaluateAutomationConditionsResult:
    """Be what an evaluation of conditions came to.

    Args:
        cursor: to be handed to the next evaluation.
        results: of each condition, upstream first.
        requested: what is to be run; also what can't be run without it.
    """

    cursor: AutomationCursor
    results: Sequence[AutomationResult]
    requested: Mapping[EntityKey, Value]

    @property
    def total_requested(self) -> int:
        """Return how many assets, partitions, checks and jobs the conditions are true of."""
        return sum(size(result.true) for result in self.results)

    def get_requested_partitions(self, asset_key: AssetKey) -> frozenset[str | None]:
        """Return the partitions of an asset that are requested; None for one that isn't partitioned."""
        return frozenset(partitions_in(self.requested.get(asset_key, False)))

    def get_num_requested(self, asset_key: AssetKey) -> int:
        """Return how many partitions of an asset are requested; 1 for one that isn't partitioned."""
        return size(self.requested.get(asset_key, False))

    @cached_property
    def by_key(self) -> Mapping[EntityKey, AutomationResult]:
        """Return the results by what they are for."""
        return {result.key: result for result in self.results}


def evaluate_automation_conditions(
    defs: Definitions | Iterable[Any],
    instance: Any,
    asset_selection: AssetSelection | None = None,
    evaluation_time: datetime | None = None,
    cursor: AutomationCursor | None = None,
) -> EvaluateAutomationConditionsResult:
    """Evaluate the conditions of assets, checks and jobs. Reads only: nothing is run.

    Args:
        defs: definitions, or some assets.
        instance: knows what happened.
        asset_selection: the assets and checks whose conditions are evaluated; by default all.
        evaluation_time: by default now; without a timezone, UTC.
        cursor: of the evaluation before.

    Raises:
        CheckError: for a cursor of another kind, or a condition that doesn't return a result.

    >>> from ipy_orch import AutomationCondition, DagsterInstance, asset
    >>> @asset(automation_condition=AutomationCondition.missing())
    ... def orders(): ...
    >>> evaluate_automation_conditions([orders], DagsterInstance.ephemeral()).get_num_requested(orders.key)
    1
    """
    if cursor is not None and not isinstance(cursor, AutomationCursor):
        raise CheckError(f"`cursor` is what a former evaluation returned as its `cursor`, not {cursor!r}")
    definitions = defs if isinstance(defs, Definitions) else Definitions(assets=defs)
    graph: AssetGraph = definitions.resolve_asset_graph()
    conditions = conditions_in(graph, asset_selection)
    jobs = automated_jobs(graph, definitions.jobs)
    now = moment(evaluation_time)
    view = View(graph, updates_of(instance), instance.history.runs, now, jobs)
    with partition_loading_context(now, instance):
        return run_tick(view, {**conditions, **of_jobs(jobs)}, cursor)


def updates_of(instance: Any) -> Updates:
    """Return what an instance knows of updates."""
    found = getattr(instance, "updates", None)
    return found if isinstance(found, Updates) else Updates(instance.log)


def moment(given: datetime | None) -> datetime:
    """Return a moment with its timezone."""
    if given is None:
        return datetime.now(UTC)
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)


def conditions_in(graph: AssetGraph, selection: AssetSelection | None = None) -> dict[EntityKey, AutomationCondition]:
    """Return the conditions of assets and their checks, upstream first."""
    assets = None if selection is None else selection.resolve(graph)
    chosen_checks = None if selection is None else selection.resolve_checks(graph)
    found: dict[EntityKey, AutomationCondition] = {}
    for key, maker in graph.makers.items():
        condition = maker.specs_by_key[key].automation_condition
        if condition is not None and (assets is None or key in assets):
            found[key] = condition
        for check in graph.checks_of.get(key, ()):
            said = graph.checks[check].automation_condition
            if said is not None and (chosen_checks is None or check in chosen_checks):
                found[check] = said
    return found


def automated_jobs(graph: AssetGraph, jobs: Iterable[Any]) -> dict[str, AutomatedJob]:
    """Return the jobs of assets that have a condition."""
    found: dict[str, AutomatedJob] = {}
    for job in jobs:
        if isinstance(job, UnresolvedAssetJobDefinition) and job.automation_condition is not None:
            keys = frozenset(job.selection.resolve(graph))
            cuts = distinct_cuts([graph.spec(key).partitions_def for key in sorted(keys)])
            cut = job.partitions_def or (cuts[0] if cuts else None)
            found[job.name] = AutomatedJob(job.name, job.automation_condition, keys, cut)
    return found


def of_jobs(jobs: Mapping[str, AutomatedJob]) -> dict[EntityKey, AutomationCondition]:
    """Return the conditions of jobs."""
    return {AssetJobKey(job.name): job.condition for job in jobs.values()}


def run_tick(
    view: View, conditions: Conditions, cursor: AutomationCursor | None = None
) -> EvaluateAutomationConditionsResult:
    """Evaluate some conditions in order.

    Raises:
        CheckError: when one doesn't return a result.
    """
    with without_collecting():
        return evaluated(Tick(view, cursor or AutomationCursor()), conditions)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Have Python's collector wait: a thousand assets make tens of thousands of objects, all of which are kept."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def evaluated(tick: Tick, conditions: Conditions) -> EvaluateAutomationConditionsResult:
    """Evaluate some conditions in order."""
    view, results = tick.view, []
    for key, condition in conditions.items():
        result = evaluate(AutomationContext(tick, condition, key, view.full(key)))
        request(tick, key, result.true)
        if result.true:
            LOG.info("`%s`: %s requested", key, size(result.true))
            for other in view.together(key):
                request(tick, other, view.mapped(key, other, result.true, up=True))
        results.append(result)
    remembered = {result.key.label: remember(result) for result in results}
    new = AutomationCursor(tick.evaluation_id + 1, remembered)
    return EvaluateAutomationConditionsResult(new, results, {key: one for key, one in tick.requested.items() if one})


def request(tick: Tick, key: EntityKey, value: Value) -> None:
    """Note what is requested, beside what was before."""
    tick.requested[key] = tick.requested.get(key, tick.view.empty(key)) | value  # type: ignore[operator]


def remember(result: AutomationResult) -> ConditionCursor:
    """Return what is remembered of a condition."""
    view = result.context.tick.view
    nodes = {node.condition_unique_id: NodeCursor(node.true, node.state, node.since) for node in result.context.keeping}
    token = cut_token(view.cut(result.key))
    return ConditionCursor(result.true, token, view.now.timestamp(), view.updates.number, nodes)
