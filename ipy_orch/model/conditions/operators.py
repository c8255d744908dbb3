"""Conditions made of others: all of them, one of them, none, one since another, one that has just become true."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.condition import AutomationCondition, BuiltinAutomationCondition, combined

__all__ = [
    "AndAutomationCondition",
    "NewlyTrueCondition",
    "NotAutomationCondition",
    "OrAutomationCondition",
    "SinceCondition",
]


@dataclass(frozen=True, eq=False)
class Several(BuiltinAutomationCondition):
    """Combine any number of conditions."""

    operands: tuple[AutomationCondition, ...]
    narrows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "operands", tuple(self.operands))


@dataclass(frozen=True, eq=False)
class AndAutomationCondition(Several):
    """Be true of what all operands are true of."""

    operator: ClassVar[str] = "and"

    @property
    def name(self) -> str:
        """Return ``AND``."""
        return "AND"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "all of these"

    def without(self, condition: AutomationCondition) -> AutomationCondition:
        """Return a copy without one of the operands.

        Raises:
            CheckError: when it isn't one of them, or fewer than two would be left.
        """
        if condition not in self.operands:
            raise CheckError(f"Condition not found: `{condition.title}` isn't an operand of `{self.title}`")
        left = tuple(one for one in self.operands if one != condition)
        if len(left) < 2:
            raise CheckError(f"without `{condition.title}`, fewer than 2 operands are left")
        return replace(self, operands=left)


@dataclass(frozen=True, eq=False)
class OrAutomationCondition(Several):
    """Be true of what at least one operand is true of."""

    operator: ClassVar[str] = "or"

    @property
    def name(self) -> str:
        """Return ``OR``."""
        return "OR"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "any of these"


@dataclass(frozen=True, eq=False)
class NotAutomationCondition(BuiltinAutomationCondition):
    """Be true of what another condition isn't true of."""

    operand: AutomationCondition
    operator: ClassVar[str] = "not"
    narrows: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Return ``NOT``."""
        return "NOT"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "not this"


@dataclass(frozen=True, eq=False)
class SinceCondition(BuiltinAutomationCondition):
    """Be true from when one condition is until another is; where both are at once, the later event counts."""

    trigger_condition: AutomationCondition
    reset_condition: AutomationCondition
    narrows: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Return ``SINCE``."""
        return "SINCE"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "the first has become true since the second was"

    @property
    def requires_cursor(self) -> bool:
        """Tell that it is remembered of what it was true."""
        return True

    def get_node_unique_id(self, *, parent_unique_id: str | None, index: int | None, target_key: Any) -> str:  # noqa: ARG002
        """Return an id that stays when conditions are put around this one."""
        return self.stable_id(target_key)


@dataclass(frozen=True, eq=False)
class NewlyTrueCondition(BuiltinAutomationCondition):
    """Be true of what a condition is true of, and wasn't in the previous evaluation."""

    operand: AutomationCondition

    @property
    def name(self) -> str:
        """Return ``NEWLY_TRUE``."""
        return "NEWLY_TRUE"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "this has just become true"

    @property
    def requires_cursor(self) -> bool:
        """Tell that it is remembered of what the operand was true."""
        return True

    def get_node_unique_id(self, *, parent_unique_id: str | None, index: int | None, target_key: Any) -> str:  # noqa: ARG002
        """Return an id that stays when conditions are put around this one."""
        return self.stable_id(target_key)


def flat(kind: type[Several], operands: Iterable[AutomationCondition]) -> AutomationCondition:
    """Return several conditions combined; unlabelled ones of the same kind are taken apart."""
    parts = [one.operands if isinstance(one, kind) and one.label is None else (one,) for one in operands]
    return kind(tuple(one for part in parts for one in part))


WAYS: Final[dict[str, Callable[..., AutomationCondition]]] = {
    "and": lambda *operands: flat(AndAutomationCondition, operands),
    "or": lambda *operands: flat(OrAutomationCondition, operands),
    "not": NotAutomationCondition,
    "since": SinceCondition,
    "newly_true": NewlyTrueCondition,
}


@combined.supply
def combine(way: str, *operands: AutomationCondition) -> AutomationCondition:
    """Return conditions combined in one of the ways.

    Raises:
        CheckError: when an operand isn't a condition.
    """
    for one in operands:
        if not isinstance(one, AutomationCondition):
            raise CheckError(f"`{way}` combines automation conditions, and {one!r} isn't one")
    return WAYS[way](*operands)
