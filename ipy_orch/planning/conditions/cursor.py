"""What is remembered from one evaluation to the next: a frozen value that can be written as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ipy_orch.errors import CheckError
from ipy_orch.planning.conditions.subsets import Value

__all__ = ["AutomationCursor", "ConditionCursor", "NodeCursor", "SinceData"]

VERSION: Final = 1


class SinceData(NamedTuple):
    """Tell when the two sides of a ``since`` were true last: the number of the evaluation, and the time."""

    trigger_evaluation_id: int | None = None
    trigger_timestamp: float | None = None
    reset_evaluation_id: int | None = None
    reset_timestamp: float | None = None


class NodeCursor(NamedTuple):
    """Be what is remembered of one node.

    Args:
        true: what it was true of.
        state: what it keeps: what its operand was true of, or a text of its own.
        since: when the two sides of a ``since`` were true last.
    """

    true: Value
    state: Value | str | None = None
    since: SinceData | None = None


@dataclass(frozen=True)
class ConditionCursor:
    """Be what is remembered of the condition of one asset, check or job.

    Args:
        requested: what it was true of in the end.
        cut: how the target was partitioned.
        at: when it was evaluated.
        number: of the newest event that was known.
    """

    requested: Value
    cut: str
    at: float
    number: int
    nodes: Mapping[str, NodeCursor] = field(default_factory=dict)


@dataclass(frozen=True)
class AutomationCursor:
    """Be what is remembered of a whole evaluation; by key as a person writes it.

    >>> AutomationCursor.from_text(AutomationCursor(evaluation_id=3).to_text()).evaluation_id
    3
    """

    evaluation_id: int = 0
    conditions: Mapping[str, ConditionCursor] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return it as JSON."""
        conditions = {
            key: {
                "requested": packed(one.requested),
                "cut": one.cut,
                "at": one.at,
                "number": one.number,
                "nodes": {
                    name: [packed(node.true), packed(node.state), node.since] for name, node in one.nodes.items()
                },
            }
            for key, one in self.conditions.items()
        }
        return json.dumps({"version": VERSION, "evaluation_id": self.evaluation_id, "conditions": conditions})

    @staticmethod
    def from_text(text: str | None) -> AutomationCursor:
        """Return it from JSON; the one of a first evaluation, where there is none.

        Raises:
            CheckError: when the text isn't one.
        """
        if not text:
            return AutomationCursor()
        try:
            told = json.loads(text)
            conditions = {key: condition_from(one) for key, one in told["conditions"].items()}
            return AutomationCursor(told["evaluation_id"], conditions)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckError(f"this isn't the cursor of an evaluation of conditions: {text[:40]!r}") from error


def condition_from(told: Mapping[str, Any]) -> ConditionCursor:
    """Return what is remembered of a condition from plain data."""
    nodes = {
        name: NodeCursor(unpacked(true), unpacked(state), None if since is None else SinceData(*since))
        for name, (true, state, since) in told["nodes"].items()
    }
    return ConditionCursor(unpacked(told["requested"]), told["cut"], told["at"], told["number"], nodes)


def packed(value: Value | str | None) -> Any:
    """Return a value as plain data."""
    return sorted(value) if isinstance(value, frozenset) else value


def unpacked(value: Any) -> Any:
    """Return a value from plain data."""
    return frozenset(value) if isinstance(value, list) else value
