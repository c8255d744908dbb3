"""Automation conditions as one writes them on the line of a cell: ``--automation eager``.

eager     on_missing     missing     on_cron:0 9 * * 1-5     on_cron:@daily@Europe/Berlin
QUICK     a variable of the notebook
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.errors import CheckError, DagsterError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.conditions.condition import AutomationCondition

__all__ = ["CRON", "PLAIN", "SaidCondition", "condition_of", "condition_variables", "read_condition"]

PLAIN: Final = ("eager", "on_missing", "missing")
CRON: Final = "on_cron"
EXAMPLE: Final = "--automation eager, on_missing, on_cron:@daily, or a variable"


@dataclass(frozen=True)
class SaidCondition:
    """Be a condition as text says it: a function of AutomationCondition with arguments, or a variable.

    Args:
        name: of the function, or of the variable.
    """

    name: str
    args: tuple[str, ...] = ()
    is_variable: bool = False


def read_condition(text: str, where: str = "") -> SaidCondition:
    """Return what a text says.

    >>> read_condition("on_cron:0 9 * * 1-5@Europe/Berlin").args
    ('0 9 * * 1-5', 'Europe/Berlin')

    Raises:
        DagsterInvalidDefinitionError: when it can't be read.
    """
    word, colon, rest = text.strip().partition(":")
    if word in PLAIN and not colon:
        return SaidCondition(word)
    if word == CRON and rest.strip():
        schedule, at, zone = rest.strip().rpartition("@")
        return SaidCondition(CRON, (schedule.strip(), zone.strip()) if at and schedule.strip() else (rest.strip(),))
    if word.isidentifier() and not colon and word != CRON:
        return SaidCondition(word, is_variable=True)
    hint = closest(word.removeprefix("AutomationCondition."), [*PLAIN, CRON]) if word not in (*PLAIN, CRON) else ""
    raise DagsterInvalidDefinitionError(f"`{text}` isn't an automation condition", where=where, hint=hint or EXAMPLE)


def condition_of(options: Mapping[str, Any], namespace: Mapping[str, Any], where: str) -> AutomationCondition | None:
    """Return the condition that the options of a cell say, None where they say none.

    Raises:
        DagsterInvalidDefinitionError: when it can't be one, or there's no such variable.
    """
    if options.get("automation") is None:
        return None
    said = read_condition(str(options["automation"]), where)
    if said.is_variable:
        found = namespace.get(said.name)
        if isinstance(found, AutomationCondition):
            return found
        told = f"`{said.name}` isn't an automation condition"
        known = [name for name, value in namespace.items() if isinstance(value, AutomationCondition)]
        hint = closest(said.name, [*known, *PLAIN, CRON]) or EXAMPLE
        raise DagsterInvalidDefinitionError(told, where=where, hint=hint)
    try:
        made: AutomationCondition = getattr(AutomationCondition, said.name)(*said.args)
    except CheckError as error:
        told = str(error.__cause__.message) if isinstance(error.__cause__, DagsterError) else str(error)
        raise DagsterInvalidDefinitionError(told, where=where, hint=EXAMPLE) from None
    return made


def condition_variables(options: Mapping[str, Any]) -> list[str]:
    """Return the variable that holds the condition of a cell, if one does.

    >>> condition_variables({"automation": "QUICK"}), condition_variables({"automation": "eager"})
    (['QUICK'], [])
    """
    said = read_condition(str(options["automation"])) if options.get("automation") is not None else None
    return [said.name] if said is not None and said.is_variable else []
