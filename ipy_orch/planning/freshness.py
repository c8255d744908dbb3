"""How fresh assets are: what their policies say of when they were made last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ipy_orch.authoring.freshness_checks import selected_checks
from ipy_orch.events.ledger import Ledger
from ipy_orch.model.assets import AssetChecksDefinition
from ipy_orch.model.freshness import FreshnessPolicy, FreshnessState, LegacyFreshnessPolicy, brief
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.selection import AssetSelection

__all__ = ["Freshness", "freshness_of", "freshness_report", "updated_at"]

WORDS: Mapping[FreshnessState, str] = {
    FreshnessState.PASS: "fresh",
    FreshnessState.WARN: "warning",
    FreshnessState.FAIL: "overdue",
    FreshnessState.UNKNOWN: "unknown",
}


class Freshness(NamedTuple):
    """Tell how fresh an asset is.

    Args:
        word: ``fresh``, ``warning``, ``overdue`` or ``unknown``.
        updated: when it was made or observed last.
        until: from when on it is overdue.
        policy: what is asked for, for people.
    """

    word: str
    updated: datetime | None
    until: datetime | None
    policy: str


def freshness_of(policy: Any, updated: datetime | None, now: datetime) -> FreshnessState:
    """Return how an asset does by its policy that was made last at a moment."""
    if isinstance(policy, FreshnessPolicy):
        return policy.state(updated, now)
    if not isinstance(policy, LegacyFreshnessPolicy) or updated is None:
        return FreshnessState.UNKNOWN
    late = policy.minutes_overdue(updated, now)
    return FreshnessState.FAIL if late is not None and late.overdue_minutes > 0 else FreshnessState.PASS


def updated_at(ledger: Ledger) -> dict[AssetKey, datetime]:
    """Return when any partition of each asset was made or observed last."""
    times: dict[AssetKey, float] = {}
    for (key, _), event in [*ledger.materialized.items(), *ledger.observed.items()]:
        times[key] = max(event.at, times.get(key, event.at))
    return {key: datetime.fromtimestamp(at, UTC) for key, at in times.items()}


def freshness_report(graph: AssetGraph, ledger: Ledger, now: datetime) -> dict[AssetKey, Freshness]:
    """Return how fresh the assets are that have a policy."""
    said = {key: graph.spec(key).freshness_policy for key in graph.keys}
    policies = {key: policy for key, policy in said.items() if policy is not None}
    times = updated_at(ledger) if policies else {}
    found: dict[AssetKey, Freshness] = {}
    for key, policy in policies.items():
        updated = times.get(key)
        state = freshness_of(policy, updated, now)
        until = policy.until(updated) if isinstance(policy, FreshnessPolicy) and updated is not None else None
        found[key] = Freshness(WORDS[state], updated, until, in_words(policy))
    return found


def in_words(policy: Any) -> str:
    """Return for people what a policy asks for.

    >>> from datetime import timedelta
    >>> in_words(FreshnessPolicy.time_window(timedelta(days=1), warn_window=timedelta(hours=12)))
    'at most 1 d old, better 12 h'
    """
    if hasattr(policy, "fail_window"):
        better = f", better {brief(policy.warn_window)}" if policy.warn_window is not None else ""
        return f"at most {brief(policy.fail_window)} old{better}"
    if hasattr(policy, "deadline_cron"):
        return f"made within {brief(policy.lower_bound_delta)} before each `{policy.deadline_cron}` ({policy.timezone})"
    return f"at most {policy.maximum_lag_minutes:g} min behind"


@selected_checks.supply
def selection_of_checks(definitions: Iterable[AssetChecksDefinition]) -> AssetSelection:
    """Return the selection of the checks of some definitions."""
    return AssetSelection.checks(*definitions)
