"""When something ticks, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, time, tzinfo
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.model.automation.targets import is_anonymous
from ipy_orch.model.partitions.cron import ALIASES, timezone_named
from ipy_orch.session.words import human_seconds

__all__ = ["cron_words", "every_words", "moment_words", "read_moment", "target_words", "when_words"]

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: the usual shapes of a cron expression, and what each is in words; any other is told as it is
SHAPES: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (r"\* \* \* \* \*", lambda _: "every minute"),
    (r"\*/(\d+) \* \* \* \*", lambda m: f"every {m[1]} minutes"),
    (r"0 \* \* \* \*", lambda _: "every hour"),
    (r"(\d+) \* \* \* \*", lambda m: f"every hour at :{int(m[1]):02}"),
    (r"(\d+) \*/(\d+) \* \* \*", lambda m: f"every {m[2]} hours at :{int(m[1]):02}"),
    (r"(\d+) (\d+) \* \* \*", lambda m: f"every day at {clock(m)}"),
    (r"(\d+) (\d+) \* \* 1-5", lambda m: f"Monday to Friday at {clock(m)}"),
    (r"(\d+) (\d+) \* \* ([0-7])", lambda m: f"every {DAYS[int(m[3])]} at {clock(m)}"),
    (r"(\d+) (\d+) (\d+) \* \*", lambda m: f"on day {m[3]} of each month at {clock(m)}"),
)


def clock(found: re.Match[str]) -> str:
    """Return hour and minute of a match whose first groups are minute and hour."""
    return f"{int(found[2]):02}:{int(found[1]):02}"


def cron_words(expression: str) -> str:
    """Return a cron expression in words where it has a usual shape, else itself.

    >>> cron_words("30 9 * * 1-5"), cron_words("@weekly"), cron_words("0 9 1,15 * *")
    ('Monday to Friday at 09:30', 'every Sunday at 00:00', '0 9 1,15 * *')
    """
    plain = " ".join(ALIASES.get(expression.strip(), expression).split())
    return next((words(found) for shape, words in SHAPES if (found := re.fullmatch(shape, plain))), expression)


def when_words(crons: Sequence[str], timezone: str | None) -> str:
    """Return when a schedule ticks.

    >>> when_words(["0 9 * * *", "0 17 * * *"], "Europe/Berlin")
    'every day at 09:00, every day at 17:00 (Europe/Berlin)'
    """
    return f"{', '.join(map(cron_words, crons))} ({timezone or 'UTC'})"


def every_words(seconds: float) -> str:
    """Return how often a sensor is asked.

    >>> every_words(30), every_words(120)
    ('every 30 s', 'every 2 min')
    """
    return f"every {human_seconds(seconds).replace('.0 s', ' s')}"


def target_words(one: Any) -> str:
    """Return what a schedule or sensor runs."""
    names = []
    for target in one.targets:
        job = target.resolvable_to_job
        chosen = None if isinstance(job, str) else getattr(job, "selection", None)
        names.append(plain(chosen) if is_anonymous(target.job_name) else f"job {target.job_name}")
    selection = getattr(one, "asset_selection", None)
    return ", ".join(names) or (plain(selection) if selection is not None else "")


def plain(selection: Any) -> str:
    """Return a selection as a person would write it.

    >>> plain('key:"orders" or group:"shop"')
    'orders or group:shop'
    """
    return re.sub(r'(key:)?"(\w+)"', r"\2", str(selection)).removesuffix(" and not check:*")


def moment_words(moment: float, zone: str = "") -> str:
    """Return a moment in a timezone, by default that of this machine.

    >>> moment_words(0, "Asia/Tokyo")
    '1970-01-01 09:00 Asia/Tokyo'
    """
    shown = datetime.fromtimestamp(moment, timezone_named(zone) if zone else None)
    text = f"{shown:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    return f"{text} {zone}".rstrip()


def read_moment(said: str, zone: tzinfo, now: datetime) -> float:
    """Return a moment that a person writes: ``2024-01-05 09:00``, ``2024-01-05``, or ``09:00`` for today.

    Args:
        zone: where the clock hangs, unless the text says it.

    >>> from datetime import UTC
    >>> read_moment("1970-01-01 00:01", UTC, datetime.now(UTC))
    60.0

    Raises:
        DagsterInvariantViolationError: when it can't be read.
    """
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        try:
            moment = datetime.combine(now.astimezone(zone).date(), time.fromisoformat(said))
        except ValueError:
            told = f"`{said}` isn't a date or time"
            raise DagsterInvariantViolationError(told, hint="--at '2024-01-05 09:00', or --at 09:00") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()
