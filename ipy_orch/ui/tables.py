"""Tables of assets, checks, runs and events as data frames, and numbers as people read them.

A row is a mapping or an object with the raw values: keys, seconds, bytes, times in seconds since the epoch. What a row
lacks is missing in the table. Numbers stay numbers and times stay times, so that a table can be sorted and filtered;
:func:`human` turns them into words for display.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.model.env import redact
from ipy_orch.session.words import human_bytes, human_seconds, human_shape, metadata_shown
from ipy_orch.ui.cards import plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "assets_table",
    "automations_table",
    "checks_table",
    "components_table",
    "events_table",
    "human",
    "human_bytes",
    "human_seconds",
    "human_shape",
    "jobs_table",
    "locations_table",
    "partitions_table",
    "resources_table",
    "runs_table",
    "ticks_table",
]

LONGEST: Final = 200
"""A text in a table has at most so many characters."""


# -- numbers as people read them --------------------------------------------------------------------------------------


def human(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy in which sizes, durations and times are words; for display, not for sorting."""
    shown = frame.copy()
    worded: dict[str, tuple[str, Callable[[Any], str]]] = {
        "bytes": ("size", human_bytes),
        "seconds": ("took", human_seconds),
        "when": ("when", human_time),
        "started": ("started", human_time),
        "last": ("last", human_time),
        "moment": ("for", str),
    }
    for column, (_, words) in worded.items():
        if column in shown:
            shown[column] = [
                words(None if missing else value)
                for value, missing in zip(frame[column], frame[column].isna(), strict=True)
            ]
    return shown.rename(columns={column: name for column, (name, _) in worded.items()})


def human_time(time: datetime | None) -> str:
    """Return date and time to the second."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


# -- tables -----------------------------------------------------------------------------------------------------------


def assets_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each asset, by its key.

    Args:
        rows: with ``asset``, ``status``, ``reason``, ``group``, ``kinds``, ``shape``, ``bytes``, ``seconds``, ``when``,
            ``checks`` (a text such as ``2/2``) and ``description``; and ``freshness``, where anything asks for it.
    """
    listed = list(rows)
    shown = [one for one in ASSETS if one.name != "freshness" or any(map(has_freshness, listed))]
    return table(shown, listed)


def has_freshness(row: Any) -> bool:
    """Tell whether a row says how fresh its asset is."""
    return raw(row, "freshness") is not None


def checks_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each check, by asset and name.

    Args:
        rows: with ``asset``, ``check``, ``status`` (``passed``, ``warned``, ``failed``, ``not run``, or a bool),
            ``reason``, ``severity``, ``blocking``, ``metadata`` (name -> value), ``seconds``, ``when`` and
            ``description``.
    """
    return table(CHECKS, rows)


def runs_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each run, by its id.

    Args:
        rows: with ``run_id``, ``status``, ``what``, ``steps`` (name -> step with a ``status``), ``started``,
            ``seconds`` and ``message``; the runs of ``events.runs`` are such rows.
    """
    return table(RUNS, rows)


def events_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each event, in the order given.

    Args:
        rows: events, or mappings with ``at``, ``run_id``, ``step``, ``kind``, ``key`` and ``text``.
    """
    return table(EVENTS, rows)


def resources_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each field of each resource, by resource and field.

    Args:
        rows: with ``resource``, ``class``, ``field``, ``type``, ``value``, ``source`` (``literal``, ``default``,
            ``environment NAME``, ``launch time`` ...), ``set`` (of the environment variable), ``used by`` (names) and
            ``description``.
    """
    return table(RESOURCES, rows)


def jobs_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each job, by its name.

    Args:
        rows: with ``job``, ``kind`` (``assets`` or ``ops``), ``count``, ``runs`` (their names), ``needs`` (paths of
            config that a launch must give), ``problem``, ``status``, ``when``, ``seconds`` and ``description``.
    """
    return table(JOBS, rows)


def components_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each component type.

    Args:
        rows: with ``type``, ``takes`` (its attributes), ``about`` and ``module``.
    """
    return table(COMPONENTS, rows)


def locations_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each code location, by its name.

    Args:
        rows: with ``location``, ``status`` (``loaded`` or ``unavailable``), ``reason``, ``assets``, ``jobs`` and
            ``automations`` (how many), ``resources`` (their names), ``code``, ``environment`` and ``python`` (its
            version).
    """
    return table(LOCATIONS, rows)


def partitions_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each range of partitions, in their order.

    Args:
        rows: with ``partitions``, ``count``, ``status``, ``reason``, ``rows``, ``seconds`` and ``when``.
    """
    return table(PARTITIONS, rows)


def automations_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each schedule and sensor, by its name.

    Args:
        rows: with ``name``, ``kind``, ``on``, ``when``, ``target``, ``next``, ``last``, ``status``, ``runs``,
            ``message``, ``problem`` and ``description``.
    """
    return table(AUTOMATIONS, rows)


def ticks_table(rows: Iterable[Any]) -> pd.DataFrame:
    """Return a row for each tick, in the order given.

    Args:
        rows: with ``at``, ``name``, ``status``, ``moment``, ``requested``, ``runs``, ``message`` and ``seconds``.
    """
    return table(TICKS, rows)


@dataclass(frozen=True, slots=True)
class Column:
    """Say how a column is made.

    Args:
        name: its title.
        read: row -> value, None where it's missing.
        dtype: its type in pandas.
        is_index: whether it's a label of the row.
    """

    name: str
    read: Callable[[Any], Any]
    dtype: str = "str"
    is_index: bool = False


def table(columns: Sequence[Column], rows: Iterable[Any]) -> pd.DataFrame:
    """Return a data frame with these columns, which it has and whose types they keep also without a row."""
    import pandas as pd

    listed = list(rows)
    made = {column.name: pd.Series([column.read(row) for row in listed], dtype=column.dtype) for column in columns}
    frame = pd.DataFrame(made)
    labels = [column.name for column in columns if column.is_index]
    return frame.set_index(labels) if labels else frame


# -- reading a row ----------------------------------------------------------------------------------------------------


def raw(row: Any, *names: str) -> Any:
    """Return the first of these fields of a mapping or an object that isn't missing or ""."""
    found = (row.get(name) if isinstance(row, Mapping) else getattr(row, name, None) for name in names)
    return next((value for value in found if value is not None and value != ""), None)


def text(*names: str) -> Callable[[Any], str]:
    """Return a reader of one line of text, "" where it's missing."""
    return lambda row: line(raw(row, *names))


def line(value: object) -> str:
    """Return a value as one line without control characters and secrets."""
    shown = "" if value is None else plain(redact(str(value))[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def number(name: str) -> Callable[[Any], Any]:
    """Return a reader of a number."""
    return lambda row: raw(row, name)


def time(name: str) -> Callable[[Any], datetime | None]:
    """Return a reader of seconds since the epoch, as the time on the clock of this machine."""

    def read(row: Any) -> datetime | None:
        seconds = raw(row, name)
        return None if seconds is None else datetime.fromtimestamp(seconds)  # noqa: DTZ006 - a table is for people

    return read


def listed(name: str) -> Callable[[Any], str]:
    """Return a reader of several words."""
    return lambda row: line(", ".join(sorted(map(str, raw(row, name) or ()))))


def verdict(row: Any) -> str:
    """Return the outcome of a check in a word."""
    status = raw(row, "status", "passed")
    return {True: "passed", False: "failed", None: "not run"}.get(status, line(status))


def found(row: Any) -> str:
    """Return the metadata of a check as one line."""
    pairs = (raw(row, "metadata") or {}).items()
    return line(", ".join(f"{name}={metadata_shown(value)}" for name, value in pairs))


def progress(row: Any) -> str:
    """Return how many steps of a run are done: ``3/5``."""
    steps = raw(row, "steps")
    if not isinstance(steps, Mapping):
        return line(steps)
    waiting = ("waiting", "running", "retrying", "canceled")
    done = sum((step if isinstance(step, str) else raw(step, "status")) not in waiting for step in steps.values())
    return f"{done}/{len(steps)}"


def message(row: Any) -> str:
    """Return what an event has to say."""
    return line(raw(row, "text", "error", "message", "reason", "what", "status", "key"))


ASSETS: Final = (
    Column("asset", text("asset", "key"), is_index=True),
    Column("status", text("status"), "category"),
    Column("reason", text("reason")),
    Column("group", text("group"), "category"),
    Column("kinds", listed("kinds")),
    Column("partitions", text("partitions")),
    Column("freshness", text("freshness"), "category"),
    Column("rows × columns", lambda row: human_shape(raw(row, "shape"))),
    Column("bytes", number("bytes"), "Int64"),
    Column("seconds", number("seconds"), "float64"),
    Column("when", time("when"), "datetime64[s]"),
    Column("checks", text("checks")),
    Column("description", text("description")),
)
CHECKS: Final = (
    Column("asset", text("asset"), is_index=True),
    Column("check", text("check", "name"), is_index=True),
    Column("status", verdict, "category"),
    Column("reason", text("reason")),
    Column("severity", text("severity"), "category"),
    Column("blocking", lambda row: bool(raw(row, "blocking")), "bool"),
    Column("found", found),
    Column("seconds", number("seconds"), "float64"),
    Column("when", time("when"), "datetime64[s]"),
    Column("description", text("description")),
)
RESOURCES: Final = (
    Column("resource", text("resource"), is_index=True),
    Column("field", text("field"), is_index=True),
    Column("class", text("class"), "category"),
    Column("type", text("type")),
    Column("value", text("value")),
    Column("from", text("source")),
    Column("variable", text("set")),
    Column("used by", lambda row: line(", ".join(raw(row, "used by") or ()))),
    Column("description", text("description")),
)
JOBS: Final = (
    Column("job", text("job"), is_index=True),
    Column("kind", text("kind"), "category"),
    Column("count", number("count"), "Int64"),
    Column("runs", text("runs")),
    Column("config needed", text("needs")),
    Column("status", text("status"), "category"),
    Column("when", time("when"), "datetime64[s]"),
    Column("seconds", number("seconds"), "float64"),
    Column("problem", text("problem")),
    Column("description", text("description")),
)
COMPONENTS: Final = (
    Column("type", text("type"), is_index=True),
    Column("takes", text("takes")),
    Column("about", text("about")),
    Column("module", text("module"), "category"),
)
LOCATIONS: Final = (
    Column("location", text("location"), is_index=True),
    Column("status", text("status"), "category"),
    Column("reason", text("reason")),
    Column("assets", number("assets"), "Int64"),
    Column("jobs", number("jobs"), "Int64"),
    Column("automations", number("automations"), "Int64"),
    Column("resources", text("resources")),
    Column("code", text("code")),
    Column("environment", text("environment")),
    Column("python", text("python"), "category"),
)
PARTITIONS: Final = (
    Column("partitions", text("partitions"), is_index=True),
    Column("count", number("count"), "Int64"),
    Column("status", text("status"), "category"),
    Column("reason", text("reason")),
    Column("rows", number("rows"), "Int64"),
    Column("seconds", number("seconds"), "float64"),
    Column("when", time("when"), "datetime64[s]"),
)
AUTOMATIONS: Final = (
    Column("name", text("name"), is_index=True),
    Column("kind", text("kind"), "category"),
    Column("switch", text("on"), "category"),
    Column("ticks", text("when")),
    Column("runs", text("target")),
    Column("next", text("next")),
    Column("last", time("last"), "datetime64[s]"),
    Column("status", text("status"), "category"),
    Column("runs of it", text("runs")),
    Column("message", text("problem", "message")),
    Column("description", text("description")),
)
TICKS: Final = (
    Column("when", time("at"), "datetime64[s]"),
    Column("name", text("name")),
    Column("status", text("status"), "category"),
    Column("moment", text("moment")),
    Column("asked for", number("requested"), "Int64"),
    Column("runs", text("runs")),
    Column("message", text("message")),
    Column("seconds", number("seconds"), "float64"),
)
RUNS: Final = (
    Column("run", text("run_id", "run"), is_index=True),
    Column("status", text("status"), "category"),
    Column("what", text("what")),
    Column("steps", progress),
    Column("started", time("started"), "datetime64[s]"),
    Column("seconds", number("seconds"), "float64"),
    Column("message", text("message")),
)
EVENTS: Final = (
    Column("when", time("at"), "datetime64[ms]"),
    Column("run", text("run_id", "run")),
    Column("step", text("step")),
    Column("kind", text("kind"), "category"),
    Column("text", message),
)
