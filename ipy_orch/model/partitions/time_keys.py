"""How a moment is written as the key of a partition, and read again."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterUnknownPartitionError
from ipy_orch.model.partitions.cron import Cron

__all__ = ["DATE", "HOUR", "in_zone", "moment_of", "namer", "parsed"]

DATE: Final = "%Y-%m-%d"
HOUR: Final = "%Y-%m-%d-%H:%M"


@lru_cache(maxsize=256)
def namer(fmt: str, every_hour: bool) -> Any:
    """Return the function that makes keys in a format.

    The second pass through an hour that is repeated needs to be told from the first: it says how far it is from UTC.
    """

    def name(moment: datetime) -> str:
        told_apart = "%z" if every_hour and moment.fold and "%z" not in fmt else ""
        return moment.strftime(fmt + told_apart)

    return name


def in_zone(moment: datetime, cron: Cron) -> datetime:
    """Return a moment in the timezone of a schedule; one without a timezone is in it already."""
    return moment.replace(tzinfo=cron.zone) if moment.tzinfo is None else moment.astimezone(cron.zone)


def parsed(text: str, fmt: str, cron: Cron) -> datetime:
    """Return the moment that a text stands for; it may say after the format how far it is from UTC.

    Raises:
        DagsterUnknownPartitionError: when it isn't written in the format.
    """
    for each in (fmt, fmt + "%z"):
        try:
            return in_zone(datetime.strptime(text, each), cron)  # noqa: DTZ007 - in_zone gives it one
        except ValueError:
            continue
    raise DagsterUnknownPartitionError(f"`{text}` isn't written as a partition key here: `{fmt}`")


class MisspeltMoment(DagsterInvalidDefinitionError, ValueError):
    """Tell that a start or end isn't written in the format of its partitions; to Dagster's users a ValueError."""


def moment_of(given: datetime | str, fmt: str, cron: Cron) -> datetime:
    """Return a start or end.

    Raises:
        DagsterInvalidDefinitionError: when a text isn't written in the format.
    """
    if isinstance(given, datetime):
        return in_zone(given, cron)
    try:
        return parsed(given, fmt, cron)
    except DagsterUnknownPartitionError as error:
        raise MisspeltMoment(f"`{given}` isn't written as `{fmt}`", hint="give a datetime, or another `fmt`") from error
