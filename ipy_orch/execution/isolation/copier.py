"""The walk through one value: each part is copied after the rule of its type, once."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import re
import types
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ipy_orch.model.port import Port

__all__ = ["ATOMS", "Copier", "Rule", "rule_of", "share"]

ATOMS: frozenset[type] = frozenset(
    {
        *(type(None), bool, int, float, complex, str, bytes, range, type(Ellipsis), type(NotImplemented)),
        *(dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone),
        *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, types.CodeType),
        *(types.MethodDescriptorType, types.WrapperDescriptorType, types.GenericAlias, types.UnionType),
    }
)

Rule: TypeAlias = "Callable[[Copier, Any], Any]"

rule_of: Final[Port[[type], Rule]] = Port("ipy_orch.execution.isolation.rules")


class Copier:
    """Copy one value, keeping its cycles and shared parts.

    Args:
        storing: True from the producer's value to the private form, False from there to a reader's.
        columns: by id of a private frame, the columns of which each reader needs a copy.
    """

    def __init__(self, *, storing: bool, columns: dict[int, tuple[int, ...]] | None = None) -> None:
        self.storing = storing
        self.rules: dict[type, Rule] = {}
        self.columns: dict[int, tuple[int, ...]] = {} if columns is None else columns
        self.memo: dict[int, Any] = {}
        self.alive: list[Any] = []  # an id in the memo is only good while its object lives
        self.shared: list[str] = []  # the types of what can't be copied
        self.depth = 0  # objects around this one that are copied as a whole or not at all

    def __call__(self, value: Any) -> Any:
        """Return a copy of ``value`` after the rule of its type."""
        kind = type(value)
        if kind in ATOMS:
            return value
        try:
            return self.memo[id(value)]
        except KeyError:
            pass
        rule = RULES.get(kind) or self.rules.get(kind) or self.learn(kind)
        return value if rule is share else self.keep(value, rule(self, value))

    def learn(self, kind: type) -> Rule:
        """Find the rule of a type, and remember it; classes of the notebook only for this walk: they come and go."""
        rule = rule_of(kind)
        (self.rules if kind.__module__ == "__main__" else RULES)[kind] = rule
        return rule

    def is_atom(self, kind: type) -> bool:
        """Tell whether values of this type are shared as they are."""
        return (RULES.get(kind) or self.rules.get(kind) or self.learn(kind)) is share

    def forget(self, since: int) -> None:
        """Take back what was copied since ``alive`` was so long: it belongs to an object that is shared as a whole."""
        for value in self.alive[since:]:
            self.memo.pop(id(value), None)

    def keep(self, value: Any, copied: Any) -> Any:
        """Remember the copy of ``value``."""
        if copied is not value:
            self.memo[id(value)] = copied
            self.alive.append(value)
        return copied


def share(_: Copier, value: Any) -> Any:
    """Return ``value`` itself: it can't be changed, or belongs to the program."""
    return value


RULES: Final[dict[type, Rule]] = dict.fromkeys(ATOMS, share)  #: those found so far
