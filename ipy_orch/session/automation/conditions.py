"""Automation conditions of a session: what they are true of now, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.model.keys import AssetCheckKey
from ipy_orch.planning.conditions.explanation import Explanation, explain, replay
from ipy_orch.planning.conditions.ticks import EvaluateAutomationConditionsResult, conditions_in
from ipy_orch.planning.freshness import Freshness, freshness_report

if TYPE_CHECKING:
    from ipy_orch.model.keys import AssetKey
    from ipy_orch.session.session import Session

__all__ = ["evaluate", "explain_condition", "freshness"]


def evaluate(session: Session) -> EvaluateAutomationConditionsResult:
    """Evaluate the conditions of all assets and checks, as of now. Reads only: nothing is run."""
    scanned = session.scan()
    with session.instance.looking():
        conditions = conditions_in(scanned.graph)
        return replay(scanned.graph, conditions, list(session.log), session.history.runs, datetime.now(UTC))


def explain_condition(session: Session, name: Any) -> Explanation:
    """Return why the condition of an asset or a check is true or not. Reads only: nothing is run.

    Raises:
        DagsterInvariantViolationError: when there's no such asset or check, or it has no condition.
    """
    graph = session.scan().graph
    check = AssetCheckKey.from_user_string(name) if isinstance(name, str) and ":" in name else None
    key: Any = check if check in graph.checks else session.key(name, session.scan())
    found = evaluate(session).by_key.get(key)
    if found is None:
        ways = (
            f"`%%asset {key.label} --automation eager`, or `@asset(automation_condition=AutomationCondition.eager())`"
        )
        raise DagsterInvariantViolationError(f"`{key.label}` has no automation condition", hint=ways)
    return explain(found)


def freshness(session: Session) -> dict[AssetKey, Freshness]:
    """Return how fresh the assets are that have a freshness policy. Reads only: nothing is run."""
    return freshness_report(session.scan().graph, session.ledger, datetime.now(UTC))
