"""What all automation conditions share: how they are combined, named and told apart. Evaluating them is planning's.

The named conditions (``AutomationCondition.eager()`` ...) are in :mod:`ipy_orch.model.conditions.named`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from hashlib import md5
from typing import Any, ClassVar, Final, Self

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.named import NamedConditions, named
from ipy_orch.model.port import Port

__all__ = ["AutomationCondition", "BuiltinAutomationCondition", "ConditionNodeSnapshot"]

combined: Final[Port[..., AutomationCondition]] = Port("ipy_orch.model.conditions.operators")
as_policy: Final[Port[..., Any]] = Port("ipy_orch.model.conditions.policies")
evaluated: Final[Port[..., Any]] = Port("ipy_orch.planning.conditions.evaluation")

Change = Callable[["AutomationCondition"], "AutomationCondition"]


def digest(*parts: object) -> str:
    """Return a hex digest of some texts; nothing secret depends on it."""
    return md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class ConditionNodeSnapshot:
    """Describe one condition of a tree, without those below it."""

    class_name: str
    description: str
    unique_id: str
    label: str | None = None
    name: str | None = None
    operator_type: str = "identity"


class AutomationCondition(NamedConditions, ABC):
    """Say when something is to be run: a value that is true of some assets, checks or partitions at a moment.

    Conditions combine with ``&``, ``|`` and ``~``. A condition of your own is a subclass with :meth:`evaluate`.

    >>> quiet = AutomationCondition.eager() & ~AutomationCondition.any_deps_in_progress()
    >>> quiet.children[0].get_label()
    'eager'
    """

    label: str | None = None
    operator: ClassVar[str] = "identity"  #: how those below count: ``and``, ``or``, ``not`` or ``identity``
    narrows: ClassVar[bool] = False  #: whether :meth:`allow` and the like reach what is below

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def children(self) -> Sequence[AutomationCondition]:
        """Return the conditions that it combines."""
        return ()

    @property
    def requires_cursor(self) -> bool:
        """Tell whether something is to be remembered of it from one evaluation to the next."""
        return True

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return ""

    @property
    def name(self) -> str:
        """Return its name, mostly that of the function that makes it."""
        return type(self).__name__

    @property
    def operator_type(self) -> str:
        """Return how those below count: ``and``, ``or``, ``not`` or ``identity``."""
        return self.operator

    @property
    def title(self) -> str:
        """Return the label, or the name where it has none."""
        return self.get_label() or self.name

    def get_label(self) -> str | None:
        """Return what :meth:`with_label` called it."""
        return self.label

    def with_label(self, label: str | None) -> Self:
        """Return a copy with a name for people."""
        labelled = copy(self)
        object.__setattr__(labelled, "label", label)
        return labelled

    @abstractmethod
    def evaluate(self, context: Any) -> Any:
        """Return for which candidates it is true.

        Args:
            context: an AutomationContext: the key, the candidates, what is known, and the cursor of last time.

        Returns:
            An AutomationResult; an ``async def`` may be given as well.
        """

    @cached_property
    def keeps_state(self) -> bool:
        """Tell whether it, or a condition below, has to be evaluated each time so that nothing is missed."""
        return self.requires_cursor or any(child.keeps_state for child in self.children)

    @property
    def has_rule_condition(self) -> bool:
        """Tell whether a rule of an AutoMaterializePolicy is in it."""
        return any(child.has_rule_condition for child in self.children)

    @property
    def is_serializable(self) -> bool:
        """Tell whether it can be written as text: whether all of it comes with this package."""
        return False

    # -- how it is told apart -----------------------------------------------------------------------------------------

    def get_node_unique_id(self, *, parent_unique_id: str | None, index: int | None, target_key: Any) -> str:  # noqa: ARG002
        """Return an id of this node in its tree."""
        return digest(parent_unique_id, index, self.name)

    def get_backcompat_node_unique_ids(
        self,
        *,
        parent_unique_id: str | None = None,  # noqa: ARG002
        index: int | None = None,  # noqa: ARG002
        target_key: Any = None,  # noqa: ARG002
    ) -> Sequence[str]:
        """Return ids that the node had in former versions: none."""
        return []

    def get_unique_id(self, *, parent_node_unique_id: str | None = None, index: int | None = None) -> str:
        """Return an id of the whole tree, the same in every process."""
        own = self.get_node_unique_id(parent_unique_id=parent_node_unique_id, index=index, target_key=None)
        below = [
            child.get_unique_id(parent_node_unique_id=own, index=number) for number, child in enumerate(self.children)
        ]
        return digest(own, *below)

    def get_node_snapshot(self, unique_id: str) -> ConditionNodeSnapshot:
        """Return a description of this node."""
        about = (self.get_label(), self.name, self.operator_type)
        return ConditionNodeSnapshot(type(self).__name__, self.description, unique_id, *about)

    # -- how it is combined -------------------------------------------------------------------------------------------

    def __and__(self, other: AutomationCondition) -> AutomationCondition:
        return combined("and", self, other)

    def __or__(self, other: AutomationCondition) -> AutomationCondition:
        return combined("or", self, other)

    def __invert__(self) -> AutomationCondition:
        return combined("not", self)

    def since(self, reset_condition: AutomationCondition) -> AutomationCondition:
        """Be true from when this one is until the other one is."""
        return combined("since", self, reset_condition)

    def newly_true(self) -> AutomationCondition:
        """Be true in the evaluation in which this one becomes true."""
        return combined("newly_true", self)

    def since_last_handled(self) -> AutomationCondition:
        """Be true from when this one is until the target is requested or updated."""
        return named("since_last_handled", self)

    def replace(self, old: AutomationCondition | str, new: AutomationCondition) -> AutomationCondition:
        """Return a copy in which another condition stands wherever ``old`` does.

        Args:
            old: a condition, or the label or name of some.

        >>> str(AutomationCondition.eager().replace("newly_missing", AutomationCondition.missing()).get_label())
        'eager'
        """
        if (isinstance(old, str) and old in (self.name, self.get_label())) or old == self:
            return new
        return self.changed(lambda child: child.replace(old, new))

    def without(self, condition: AutomationCondition) -> AutomationCondition:  # noqa: ARG002 - a conjunction's
        """Return a copy of a conjunction without one of its operands.

        Raises:
            CheckError: when it isn't one of them, or fewer than two would be left.
        """
        raise CheckError(f"Condition not found: `{self.title}` isn't a conjunction, so nothing can be left out of it")

    def allow(self, selection: Any) -> AutomationCondition:
        """Return a copy that looks only at those dependencies or checks that are selected."""
        return self.changed(lambda child: child.allow(selection)) if self.narrows else self

    def ignore(self, selection: Any) -> AutomationCondition:
        """Return a copy that doesn't look at those dependencies or checks that are selected."""
        return self.changed(lambda child: child.ignore(selection)) if self.narrows else self

    def resolve_through_virtual(self, value: bool = True) -> AutomationCondition:
        """Return a copy that looks through virtual dependencies at what they depend on."""
        return self.changed(lambda child: child.resolve_through_virtual(value)) if self.narrows else self

    def changed(self, change: Change) -> AutomationCondition:
        """Return a copy in which each condition directly below is another one."""
        found = changes(self, change)
        return with_fields(self, found) if found else self

    def as_auto_materialize_policy(self) -> Any:
        """Return it in the form that Dagster had before."""
        return as_policy(self)


@dataclass(frozen=True, eq=False)
class BuiltinAutomationCondition(AutomationCondition):
    """Be a condition that comes with this package: a frozen dataclass, equal to another one with equal fields."""

    label: str | None = field(default=None, kw_only=True)

    @property
    def requires_cursor(self) -> bool:
        """Tell whether something is to be remembered of it: of most, nothing."""
        return False

    @property
    def children(self) -> Sequence[AutomationCondition]:
        """Return the conditions that it combines."""
        return self._children

    @cached_property
    def _children(self) -> tuple[AutomationCondition, ...]:
        held = [getattr(self, one.name) for one in fields(self)]
        groups = [one if isinstance(one, tuple) else (one,) for one in held]
        return tuple(one for group in groups for one in group if isinstance(one, AutomationCondition))

    @property
    def is_serializable(self) -> bool:
        """Tell whether it can be written as text: whether all of it comes with this package."""
        return all(child.is_serializable for child in self.children)

    def evaluate(self, context: Any) -> Any:
        """Return for which candidates it is true."""
        return evaluated(context)

    @cached_property
    def unique_id(self) -> str:
        """Return the id of the whole tree."""
        return self.get_unique_id()

    def stable_id(self, target_key: Any) -> str:
        """Return an id that doesn't depend on where in a tree the node is; made once for each target."""
        known: dict[Any, str] = self.__dict__.setdefault("stable_ids", {})
        if target_key not in known:
            known[target_key] = self.made_stable_id(target_key)
        return known[target_key]

    def made_stable_id(self, target_key: Any) -> str:
        """Return an id that doesn't depend on where in a tree the node is."""
        below = [
            child.get_node_unique_id(parent_unique_id=None, index=number, target_key=target_key)
            for number, child in enumerate(self.children)
        ]
        return digest(self.name, *below, "" if target_key is None else target_key.to_user_string())

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, one.name) == getattr(other, one.name) for one in fields(self))

    def __hash__(self) -> int:
        return hash(self.unique_id)


def with_fields(condition: Any, found: Mapping[str, Any]) -> Any:
    """Return a copy of a condition with other fields."""
    return replace(condition, **found)


def changes(condition: Any, change: Change) -> dict[str, Any]:
    """Return the fields of a condition that hold conditions, each of them changed; one of one's own has none."""
    found: dict[str, Any] = {}
    for one in fields(condition) if is_dataclass(condition) else ():
        held = getattr(condition, one.name)
        if isinstance(held, AutomationCondition):
            found[one.name] = change(held)
        elif isinstance(held, tuple) and held and all(isinstance(item, AutomationCondition) for item in held):
            found[one.name] = tuple(map(change, held))
    return found
