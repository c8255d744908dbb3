"""Partitions as one writes them on the line of a cell: ``daily:2024-01-01``, and what of an input each of them reads.

    daily:2024-01-01            hourly:, weekly: and monthly: likewise; `..2024-12-31` for the last one
    daily:2024-01-01@Europe/Berlin
    cron:0 6 * * 1-5:2024-01-01
    static:north,south          dynamic:customers
    day=daily:2024-01-01;region=static:north,south
    DAYS                        a variable of the notebook

Each is read into a :class:`Said`, which makes the definition, and which an export writes as Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ipy_orch.errors import CheckError, DagsterError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.partitions.definition import PartitionsDefinition, StaticPartitionsDefinition
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.model.partitions.mappings import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    PartitionMapping,
)
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.time_keys import DATE, HOUR
from ipy_orch.model.partitions.time_mappings import TimeWindowPartitionMapping
from ipy_orch.model.partitions.usual import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from ipy_orch.model.policies import BackfillPolicy

__all__ = ["Said", "of_notebook", "read_mapping", "read_partitions", "read_policy"]

CLASSES: Final[Mapping[str, Callable[..., Any]]] = {
    one.__name__: one
    for one in (
        AllPartitionMapping,
        DailyPartitionsDefinition,
        DynamicPartitionsDefinition,
        HourlyPartitionsDefinition,
        IdentityPartitionMapping,
        LastPartitionMapping,
        MonthlyPartitionsDefinition,
        MultiPartitionsDefinition,
        StaticPartitionsDefinition,
        TimeWindowPartitionMapping,
        TimeWindowPartitionsDefinition,
        WeeklyPartitionsDefinition,
    )
} | {"BackfillPolicy.single_run": BackfillPolicy.single_run, "BackfillPolicy.multi_run": BackfillPolicy.multi_run}
BY_TIME: Final = {
    "hourly": "HourlyPartitionsDefinition",
    "daily": "DailyPartitionsDefinition",
    "weekly": "WeeklyPartitionsDefinition",
    "monthly": "MonthlyPartitionsDefinition",
}
KINDS: Final = (*BY_TIME, "cron", "static", "dynamic")
EXAMPLE: Final = "--partitions daily:2024-01-01, static:north,south, dynamic:NAME, or a variable"
MAPPINGS: Final = {"all": "AllPartitionMapping", "last": "LastPartitionMapping", "same": "IdentityPartitionMapping"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_OFFSETS = re.compile(r"(?P<start>[+-]?\d+)(?:\.\.(?P<end>[+-]?\d+))?")

Value: TypeAlias = "str | int | Sequence[str] | Mapping[str, Said]"


@dataclass(frozen=True)
class Said:
    """Be a call as text says it, or the name of a variable, when there are no words.

    Args:
        name: of the class, or of the variable.
        words: its arguments by name.
        first: the one that has no name.
    """

    name: str
    words: Mapping[str, str | int] = field(default_factory=dict)
    first: Value | None = None
    is_variable: bool = False

    def made(self) -> Any:
        """Return what the call returns.

        Raises:
            DagsterError: whatever is wrong with the arguments.
        """
        first = () if self.first is None else (made_of(self.first),)
        return CLASSES[self.name](*first, **self.words)


def made_of(value: Value) -> Any:
    """Return an argument."""
    if isinstance(value, Mapping):
        return {name: one.made() for name, one in value.items()}
    return value


def read_partitions(text: str, where: str = "") -> Said:
    """Return what ``--partitions`` says.

    >>> read_partitions("daily:2024-01-01").name
    'DailyPartitionsDefinition'
    >>> read_partitions("DAYS")
    Said(name='DAYS', words={}, first=None, is_variable=True)

    Raises:
        DagsterInvalidDefinitionError: when it's none of the forms, with the closest.
    """
    text = text.strip()
    if text.isidentifier() and text not in KINDS:
        return Said(text, is_variable=True)
    said = several(text, where) if ";" in text or re.match(r"\w+=", text) else one_of(text, where)
    try:
        said.made()
    except (DagsterError, CheckError, ValueError) as error:
        told = getattr(error, "message", None) or str(error)
        raise DagsterInvalidDefinitionError(
            f"`{text}` can't be partitions: {told}", where=where, hint=EXAMPLE
        ) from None
    return said


def several(text: str, where: str) -> Said:
    """Return partitions in two dimensions, each with its name."""
    dimensions: dict[str, Said] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, rest = part.partition("=")
        if not equals:
            raise DagsterInvalidDefinitionError(
                f"`{part}` has no name, as dimensions have", where=where, hint="day=daily:2024-01-01;region=static:a,b"
            )
        dimensions[name.strip()] = one_of(rest.strip(), where)
    return Said("MultiPartitionsDefinition", first=dimensions)


def one_of(text: str, where: str) -> Said:
    """Return partitions in one dimension.

    Raises:
        DagsterInvalidDefinitionError: when it's none of the forms.
    """
    kind, colon, rest = (part.strip() for part in text.partition(":"))
    if kind not in KINDS:
        offer = f"did you mean `daily:{text}`?" if _DAY.match(text) else ""
        hint = offer or closest(kind, KINDS, offer=f"did you mean `{{}}:{rest}`?") or EXAMPLE
        raise DagsterInvalidDefinitionError(f"there are no partitions `{text}`", where=where, hint=hint)
    if not colon or not rest:
        raise DagsterInvalidDefinitionError(f"`{kind}` partitions need more", where=where, hint=example(kind))
    if kind == "static":
        return Said("StaticPartitionsDefinition", first=[key.strip() for key in rest.split(",") if key.strip()])
    if kind == "dynamic":
        return Said("DynamicPartitionsDefinition", {"name": rest})
    rest, _, zone = rest.partition("@") if kind != "cron" else (rest, "", "")
    if kind == "cron":
        return by_cron(rest, where)
    return by_time(BY_TIME[kind], rest, HOUR if kind == "hourly" else DATE, {"timezone": zone} if zone else {})


def example(kind: str) -> str:
    """Return an example of a kind."""
    told = {"static": "north,south", "dynamic": "NAME", "cron": "0 6 * * 1-5:2024-01-01"}
    return f"{kind}:{told.get(kind, '2024-01-01')}"


def by_cron(text: str, where: str) -> Said:
    """Return partitions of a cron schedule: the schedule, then from when on.

    Raises:
        DagsterInvalidDefinitionError: when one of the two is missing.
    """
    schedule, colon, rest = text.partition(":")
    if not colon:
        raise DagsterInvalidDefinitionError(f"`cron:{text}` has no start", where=where, hint=example("cron"))
    start, _, zone = rest.partition("@")
    fields = schedule.split()
    fmt = DATE if len(fields) == 5 and fields[0].isdecimal() and fields[1].isdecimal() else HOUR
    zoned: dict[str, str | int] = {"timezone": zone} if zone else {}
    return by_time("TimeWindowPartitionsDefinition", start, fmt, {"fmt": fmt, **zoned, "cron_schedule": schedule})


def by_time(name: str, text: str, fmt: str, more: Mapping[str, str | int]) -> Said:
    """Return partitions by time from a start on, and perhaps to a last one."""
    start, dots, last = (part.strip() for part in text.partition(".."))
    first, end = ("start", "end") if name == "TimeWindowPartitionsDefinition" else ("start_date", "end_date")
    said = Said(name, {first: moment(start, fmt), **more})
    if not dots:
        return said
    cut: TimeWindowPartitionsDefinition = said.made()
    window = cut.time_window_for_partition_key(moment(last, fmt))
    if window.start < cut.start:
        raise DagsterInvalidDefinitionError(f"`{last}` is before `{start}`", hint=f"{last}..{start}")
    after = window.end
    return Said(name, {first: moment(start, fmt), end: after.strftime(fmt), **more})


def moment(text: str, fmt: str) -> str:
    """Return a day, or the first of a month, as the keys of the partitions are written.

    >>> moment("2024-01", "%Y-%m-%d"), moment("2024-01-01", "%Y-%m-%d-%H:%M")
    ('2024-01-01', '2024-01-01-00:00')
    """
    if _MONTH.fullmatch(text):
        text = f"{text}-01"
    return f"{text}-00:00" if fmt == HOUR and _DAY.fullmatch(text) else text


# -- what is read, and how many at once -------------------------------------------------------------------------------


def read_mapping(text: str, where: str = "") -> Said:
    """Return which partitions of an input each partition reads.

    >>> read_mapping("all").name, read_mapping("-6..0").words
    ('AllPartitionMapping', {'start_offset': -6, 'end_offset': 0})

    Raises:
        DagsterInvalidDefinitionError: when it's none of the forms.
    """
    text = text.strip()
    if text in MAPPINGS:
        return Said(MAPPINGS[text])
    if found := _OFFSETS.fullmatch(text):
        start = int(found["start"])
        return Said(
            "TimeWindowPartitionMapping",
            {"start_offset": start, "end_offset": start if found["end"] is None else int(found["end"])},
        )
    if text.isidentifier():
        return Said(text, is_variable=True)
    raise DagsterInvalidDefinitionError(
        f"`{text}` doesn't say which partitions are read", where=where, hint="all, last, same, -6..0, or a variable"
    )


def read_policy(text: Any, where: str = "") -> Said:
    """Return how many partitions one call makes.

    >>> read_policy("all").made(), read_policy(30).made().max_partitions_per_run
    (BackfillPolicy(max_partitions_per_run=None), 30)

    Raises:
        DagsterInvalidDefinitionError: when it's neither a number nor ``all``.
    """
    if str(text).strip() == "all":
        return Said("BackfillPolicy.single_run")
    if str(text).strip().isdecimal() and int(text) > 0:
        return Said("BackfillPolicy.multi_run", first=int(text))
    raise DagsterInvalidDefinitionError(
        f"`backfill` is a number of partitions or `all`, not `{text}`", where=where, hint="--backfill all"
    )


def of_notebook(said: Said, namespace: Mapping[str, Any], kind: type, where: str) -> Any:
    """Return what was said: made by a call, or held by a variable of the notebook.

    Raises:
        DagsterInvalidDefinitionError: when there's no such variable, or it holds something else.
    """
    if not said.is_variable:
        return said.made()
    found = namespace.get(said.name)
    if isinstance(found, kind):
        return found
    what = "partitions" if kind is PartitionsDefinition else "a partition mapping" if kind is PartitionMapping else "it"
    known = [name for name, value in namespace.items() if isinstance(value, kind)]
    told = f"`{said.name}` isn't {what}" if said.name in namespace else f"there is no variable `{said.name}`"
    hint = closest(said.name, [*known, *KINDS, *MAPPINGS]) or (EXAMPLE if kind is PartitionsDefinition else "")
    raise DagsterInvalidDefinitionError(told, where=where, hint=hint)
