"""How old an asset may be, as one writes it on the line of a cell: ``--freshness 24h``.

24h          at most a day old                     24h,12h                        after 12 hours it is a warning
cron:@daily,6h   made in the 6 hours before each   cron:0 9 * * 1-5@Europe/Berlin,90m
DAILY        a variable of the notebook
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ipy_orch.errors import CheckError, DagsterError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.freshness import FreshnessPolicy, LegacyFreshnessPolicy

__all__ = ["SaidFreshness", "freshness_of", "freshness_variables", "read_freshness"]

EXAMPLE: Final = "--freshness 24h, 24h,12h (the second warns), cron:@daily,6h, or a variable"
UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "min": "minutes"}

_SPAN = re.compile(r"(?:\d+(?:w|d|h|min|m))+")
_PART = re.compile(r"(\d+)(w|d|h|min|m)")


@dataclass(frozen=True)
class SaidFreshness:
    """Be a policy as text says it, or the variable that holds one.

    Args:
        spans: of a time window, how old it may be, and perhaps after how long it is a warning; of deadlines, how long
            before one an update counts.
    """

    spans: tuple[Mapping[str, int], ...] = ()
    cron: str = ""
    timezone: str = ""
    variable: str = ""


def read_freshness(text: str, where: str = "") -> SaidFreshness:
    """Return what a text says.

    >>> read_freshness("1d12h").spans
    ({'days': 1, 'hours': 12},)
    >>> read_freshness("cron:0 9,17 * * *@Europe/Berlin,90m").cron
    '0 9,17 * * *'

    Raises:
        DagsterInvalidDefinitionError: when it can't be read.
    """
    said = text.strip()
    if said.startswith("cron:"):
        schedule, comma, span = said.removeprefix("cron:").rpartition(",")
        cron, at, zone = schedule.strip().rpartition("@")
        cron, zone = (cron.strip(), zone.strip()) if at and cron.strip() else (schedule.strip(), "")
        if comma and cron and _SPAN.fullmatch(span.strip()):
            return SaidFreshness((span_of(span.strip()),), cron, zone)
    parts = [part.strip() for part in said.split(",")]
    if len(parts) <= 2 and all(map(_SPAN.fullmatch, parts)):
        return SaidFreshness(tuple(map(span_of, parts)))
    if said.isidentifier():
        return SaidFreshness(variable=said)
    raise DagsterInvalidDefinitionError(f"`{text}` doesn't say how old an asset may be", where=where, hint=EXAMPLE)


def span_of(text: str) -> dict[str, int]:
    """Return a time as the arguments of a timedelta.

    >>> span_of("1d12h")
    {'days': 1, 'hours': 12}
    """
    found: dict[str, int] = {}
    for many, unit in _PART.findall(text):
        found[UNITS[unit]] = found.get(UNITS[unit], 0) + int(many)
    return found


def freshness_of(options: Mapping[str, Any], namespace: Mapping[str, Any], where: str) -> Any:
    """Return the freshness policy that the options of a cell say, None where they say none.

    Raises:
        DagsterInvalidDefinitionError: when it can't be one, or there's no such variable.
    """
    if options.get("freshness") is None:
        return None
    said = read_freshness(str(options["freshness"]), where)
    if said.variable:
        return held(said.variable, namespace, where)
    spans = [timedelta(**span) for span in said.spans]
    try:
        if said.cron:
            return FreshnessPolicy.cron(said.cron, spans[0], said.timezone or "UTC")
        return FreshnessPolicy.time_window(*spans)
    except CheckError as error:
        told = str(error.__cause__.message) if isinstance(error.__cause__, DagsterError) else str(error)
        raise DagsterInvalidDefinitionError(told, where=where, hint=EXAMPLE) from None


def held(name: str, namespace: Mapping[str, Any], where: str) -> Any:
    """Return the policy in a variable.

    Raises:
        DagsterInvalidDefinitionError: when there is none, with the closest.
    """
    kinds = (FreshnessPolicy, LegacyFreshnessPolicy)
    if isinstance(namespace.get(name), kinds):
        return namespace[name]
    hint = closest(name, [one for one, value in namespace.items() if isinstance(value, kinds)]) or EXAMPLE
    raise DagsterInvalidDefinitionError(f"`{name}` isn't a freshness policy", where=where, hint=hint)


def freshness_variables(options: Mapping[str, Any]) -> list[str]:
    """Return the variable that holds the freshness policy of a cell, if one does.

    >>> freshness_variables({"freshness": "DAILY"}), freshness_variables({"freshness": "24h"})
    (['DAILY'], [])
    """
    said = read_freshness(str(options["freshness"])) if options.get("freshness") is not None else None
    return [said.variable] if said is not None and said.variable else []
