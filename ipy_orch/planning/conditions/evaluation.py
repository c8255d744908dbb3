"""The evaluation of conditions that are made of others. Facts are looked up in :mod:`.facts`.

Candidates go down the tree, what is true comes up. A conjunction hands to each operand only what is left; a condition
that keeps no state isn't evaluated where nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions import operands, operators, relatives
from ipy_orch.model.conditions.condition import AutomationCondition, evaluated
from ipy_orch.model.conditions.policies import RuleCondition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.planning.conditions.context import AutomationContext, AutomationResult, Times, outcome
from ipy_orch.planning.conditions.cursor import SinceData
from ipy_orch.planning.conditions.facts import FACTS
from ipy_orch.planning.conditions.subsets import EntityKey, Value, minus

__all__ = ["evaluate"]


@evaluated.supply
def evaluate(context: AutomationContext) -> AutomationResult:
    """Return for which candidates a condition is true."""
    kind = type(context.condition)
    fact = FACTS.get(kind)
    if fact is not None:
        if not context.candidates:
            return outcome(context, context.candidates)
        found, times = fact(context)
        return outcome(context, found & context.candidates, (), times)  # type: ignore[operator]
    combined = COMBINED.get(kind)
    return combined(context) if combined is not None else context.evaluate()


def below(
    context: AutomationContext, condition: AutomationCondition, index: int | None, key: EntityKey, candidates: Value
) -> AutomationResult:
    """Return for which candidates a condition below is true; it isn't looked at where there are none."""
    child = AutomationContext(context.tick, condition, key, candidates, context, index)
    return evaluate(child) if candidates or condition.keeps_state else outcome(child, candidates)


# -- logic ------------------------------------------------------------------------------------------------------------


def all_of(context: AutomationContext) -> AutomationResult:
    """Evaluate a conjunction."""
    left, results = context.candidates, []
    for index, operand in enumerate(context.condition.children):
        result = below(context, operand, index, context.key, left)
        left = left & result.true  # type: ignore[operator]
        results.append(result)
    return outcome(context, left, results)


def any_of(context: AutomationContext) -> AutomationResult:
    """Evaluate a disjunction."""
    found, results = context.tick.view.empty(context.key), []
    for index, operand in enumerate(context.condition.children):
        result = below(context, operand, index, context.key, context.candidates)
        found = found | result.true  # type: ignore[operator]
        results.append(result)
    return outcome(context, found, results)


def none_of(context: AutomationContext) -> AutomationResult:
    """Evaluate a negation."""
    result = below(context, context.condition.children[0], 0, context.key, context.candidates)
    return outcome(context, minus(context.candidates, result.true), [result])


def since(context: AutomationContext) -> AutomationResult:
    """Evaluate what is true from when one condition is until another is."""
    view, condition = context.tick.view, context.condition
    everything = view.full(context.key)
    trigger, reset = (
        below(context, operand, index, context.key, everything) for index, operand in enumerate(condition.children)
    )
    before = context.remembered
    true: Any = view.empty(context.key) if before is None else context.current(before.true)
    true = minus(true | trigger.true, reset.true)
    true = true | later(trigger, reset)
    told = noted(context, before, trigger, reset)
    return kept(outcome(context, true, [trigger, reset], trigger.times, since=told))


def kept(result: AutomationResult) -> AutomationResult:
    """Return a result of which something is remembered."""
    result.context.keeping.append(result)
    return result


def later(trigger: AutomationResult, reset: AutomationResult) -> Value:
    """Return of what both are true, and the event behind the first is the later one, where both times are known."""
    both: Any = trigger.true & reset.true  # type: ignore[operator]
    if not both or trigger.times is None or reset.times is None:
        return minus(both, both)
    won = {one for one, at in trigger.times.items() if at > reset.times.get(one, at - 1)}
    return None in won if isinstance(both, bool) else both & won


def noted(context: AutomationContext, before: Any, trigger: AutomationResult, reset: AutomationResult) -> SinceData:
    """Return when the two sides were true last."""
    told = SinceData() if before is None or before.since is None else before.since
    if not trigger.true and not reset.true:
        return told
    number, at = context.evaluation_id, context.tick.view.now.timestamp()
    if trigger.true:
        told = told._replace(trigger_evaluation_id=number, trigger_timestamp=at)
    return told._replace(reset_evaluation_id=number, reset_timestamp=at) if reset.true else told


def newly_true(context: AutomationContext) -> AutomationResult:
    """Evaluate what has become true since the previous evaluation."""
    result = below(context, context.condition.children[0], 0, context.key, context.tick.view.full(context.key))
    before = context.remembered
    was = before.state if before is not None and not isinstance(before.state, str) else None
    news: Any = result.true if was is None else minus(result.true, context.current(was))
    return kept(outcome(context, news & context.candidates, [result], state=result.true))


def code_version_changed(context: AutomationContext) -> AutomationResult:
    """Evaluate whether the code version is another one than in the previous evaluation."""
    view, before = context.tick.view, context.cursor
    now = view.graph.spec(context.key).code_version  # type: ignore[arg-type]
    true = view.empty(context.key) if before is None or before == now else context.candidates
    return kept(outcome(context, true, state=now))


# -- what is around ---------------------------------------------------------------------------------------------------


def entity_matches(context: AutomationContext) -> AutomationResult:
    """Evaluate a condition for another asset or check, and map the outcome back."""
    condition: Any = context.condition
    view, here, there = context.tick.view, context.key, condition.key
    up = there == here or not reads(view, there, here)
    if isinstance(there, AssetKey) and there not in view.graph.makers:
        return outcome(context, view.empty(here))
    candidates = view.mapped(here, there, context.candidates, up=up)
    result = below(context, condition.operand, 0, there, candidates)
    times = mapped_times(context, there, result, up=not up) if result.times else None
    return outcome(context, view.mapped(there, here, result.true, up=not up), [result], times)


def reads(view: Any, reader: EntityKey, read: EntityKey) -> bool:
    """Tell whether an asset or a check depends on another asset."""
    known = reader in view.graph.checks if isinstance(reader, AssetCheckKey) else reader in view.graph.makers
    return known and view.reads(reader, read)


def mapped_times(context: AutomationContext, there: EntityKey, result: AutomationResult, *, up: bool) -> Times:
    """Return the times of another asset's partitions as those of the partitions here; the latest counts."""
    found: Times = {}
    view = context.tick.view
    for partition, at in (result.times or {}).items():
        one: Value = True if partition is None else frozenset((partition,))
        mapped = view.mapped(there, context.key, one, up=up)
        for own in [None] if isinstance(mapped, bool) else mapped:
            found[own] = max(at, found.get(own, at))
    return found


def any_around(context: AutomationContext, keys: Iterable[EntityKey], *, timed: bool = False) -> AutomationResult:
    """Evaluate a condition for several others, and unite."""
    condition: Any = context.condition
    results = [around(context, key, condition.operand, context.candidates) for key in keys]
    found: Any = context.tick.view.empty(context.key)
    for result in results:
        found = found | result.true
    return outcome(context, found & context.candidates, results, joined(results) if timed else None)


def all_around(context: AutomationContext, keys: Iterable[EntityKey]) -> AutomationResult:
    """Evaluate a condition for several others, and intersect."""
    condition: Any = context.condition
    results = [around(context, key, condition.operand, context.candidates) for key in keys]
    found: Any = context.candidates
    for result in results:
        found = found & result.true
    return outcome(context, found, results)


def around(
    context: AutomationContext, key: EntityKey, operand: AutomationCondition, candidates: Value
) -> AutomationResult:
    """Evaluate a condition for another asset or check."""
    return below(context, matching(operand, key), None, context.key, candidates)


def matching(operand: AutomationCondition, key: Any) -> AutomationCondition:
    """Return that a condition is true of another asset or check; made once for each."""
    known = operand.__dict__.setdefault("matching", {})
    if key not in known:
        known[key] = relatives.EntityMatchesCondition(key, operand)
    return known[key]  # type: ignore[no-any-return]


def joined(results: Sequence[AutomationResult]) -> Times | None:
    """Return the times of several results together; the latest counts."""
    found: Times = {}
    for result in results:
        for partition, at in (result.times or {}).items():
            found[partition] = max(at, found.get(partition, at))
    return found or None


def any_deps(context: AutomationContext) -> AutomationResult:
    """Evaluate a condition for the dependencies; one is enough."""
    return any_around(context, dependencies(context), timed=True)


def all_deps(context: AutomationContext) -> AutomationResult:
    """Evaluate a condition for the dependencies; all must match."""
    return all_around(context, dependencies(context))


def dependencies(context: AutomationContext) -> Sequence[AssetKey]:
    """Return the dependencies that a condition looks at, in order."""
    condition: Any = context.condition
    found: Sequence[AssetKey] = context.tick.view.deps(context.key, through_virtual=condition.resolves_virtual_deps)
    if condition.allow_selection is not None or condition.ignore_selection is not None:
        found = [key for key in found if key in chosen(context, found, "resolve")]
    return found


def any_checks(context: AutomationContext) -> AutomationResult:
    """Evaluate a condition for the checks; one is enough."""
    return any_around(context, checks(context))


def all_checks(context: AutomationContext) -> AutomationResult:
    """Evaluate a condition for the checks; all must match."""
    return all_around(context, checks(context))


def checks(context: AutomationContext) -> Sequence[AssetCheckKey]:
    """Return the checks that a condition looks at, in order."""
    condition: Any = context.condition
    graph = context.tick.view.graph
    found = sorted(graph.checks_of.get(asset_of(context.key), ()))
    if condition.blocking_only:
        found = [key for key in found if graph.checks[key].blocking]
    if condition.allow_selection is not None or condition.ignore_selection is not None:
        found = [key for key in found if key in chosen(context, found, "resolve_checks")]
    return found


def asset_of(key: EntityKey) -> AssetKey:
    """Return the key of an asset.

    Raises:
        CheckError: for the key of a check or a job, which have no checks.
    """
    if not isinstance(key, AssetKey):
        raise CheckError(f"`{key.label}` is no asset, and has no checks")
    return key


def chosen(context: AutomationContext, found: Iterable[Any], how: str) -> set[Any]:
    """Return those of some assets or checks that the selections of a condition let through."""
    condition: Any = context.condition
    left, graph = set(found), context.tick.view.graph
    if condition.allow_selection is not None:
        left &= getattr(condition.allow_selection, how)(graph, allow_missing=True)
    if condition.ignore_selection is not None:
        left -= getattr(condition.ignore_selection, how)(graph, allow_missing=True)
    return left


def roots(context: AutomationContext) -> list[AssetKey]:
    """Return the assets of a job that depend on no other of it, in order."""
    view = context.tick.view
    keys = set(view.jobs[context.key.job_name].keys)  # type: ignore[union-attr]
    return sorted(key for key in keys if not keys & set(view.deps(key)))


# -- what is downstream -----------------------------------------------------------------------------------------------


def any_downstream(context: AutomationContext) -> AutomationResult:
    """Evaluate the conditions of what is downstream, each once, as if they were this asset's."""
    above = {context.condition} | {one.condition for one in parents(context)}
    found: Any = context.tick.view.empty(context.key)
    results = []
    conditions = sorted(downstream_conditions(context).items(), key=lambda item: sorted(item[1]))
    for index, (condition, keys) in enumerate(conditions):
        if condition not in above:
            wrapped = relatives.DownstreamConditionWrapperCondition(tuple(sorted(keys)), condition)
            results.append(below(context, wrapped, index, context.key, context.candidates))
            found = found | results[-1].true
    return outcome(context, found, results)


def parents(context: AutomationContext) -> Iterable[AutomationContext]:
    """Yield the contexts above one."""
    while context.parent is not None:
        context = context.parent
        yield context


def downstream_conditions(context: AutomationContext) -> dict[AutomationCondition, set[AssetKey]]:
    """Return condition -> the assets downstream that have it; what only asks for more downstream is left out."""
    graph = context.tick.view.graph
    found: dict[AutomationCondition, set[AssetKey]] = {}
    seen, front = {context.key}, list(graph.downstream[context.key])  # type: ignore[index]
    while front:
        key = front.pop()
        if key in seen:
            continue
        seen.add(key)
        front.extend(graph.downstream[key])
        said = graph.spec(key).automation_condition
        own = None if said is None or said.has_rule_condition else without_downstream(said)
        if own is not None:
            found.setdefault(own, set()).add(key)
    return found


def without_downstream(condition: AutomationCondition) -> AutomationCondition | None:
    """Return a condition in which no unlabelled part asks for what is downstream; None where nothing is left.

    The one who asks looks at all of them anyhow, so that such a part counts as never true.
    """
    if condition.label is not None:
        return condition
    if isinstance(condition, relatives.AnyDownstreamConditionsCondition):
        return None
    if not isinstance(condition, operators.AndAutomationCondition | operators.OrAutomationCondition):
        return condition
    parts = [without_downstream(one) for one in condition.operands]
    left = [one for one in parts if one is not None]
    if isinstance(condition, operators.AndAutomationCondition) and len(left) < len(parts):
        return None
    if all(one is other for one, other in zip(parts, condition.operands, strict=True)):
        return condition
    return type(condition)(tuple(left)) if len(left) > 1 else next(iter(left), None)


def wrapped(context: AutomationContext) -> AutomationResult:
    """Evaluate what only gives another condition a name."""
    result = below(context, context.condition.children[0], 0, context.key, context.candidates)
    return outcome(context, result.true, [result])


COMBINED: Final[dict[type, Callable[[AutomationContext], AutomationResult]]] = {
    operators.AndAutomationCondition: all_of,
    operators.OrAutomationCondition: any_of,
    operators.NotAutomationCondition: none_of,
    operators.SinceCondition: since,
    operators.NewlyTrueCondition: newly_true,
    operands.CodeVersionChangedCondition: code_version_changed,
    relatives.EntityMatchesCondition: entity_matches,
    relatives.AnyDepsCondition: any_deps,
    relatives.AllDepsCondition: all_deps,
    relatives.AnyChecksCondition: any_checks,
    relatives.AllChecksCondition: all_checks,
    relatives.AnyDownstreamConditionsCondition: any_downstream,
    relatives.DownstreamConditionWrapperCondition: wrapped,
    RuleCondition: wrapped,
    relatives.AnyJobRootAssetsMatchCondition: lambda context: any_around(context, roots(context)),
    relatives.AllJobRootAssetsMatchCondition: lambda context: all_around(context, roots(context)),
}
