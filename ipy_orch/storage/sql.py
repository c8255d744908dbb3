"""What is said to a database about a table: its name, and the condition of a partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers.addresses import label

__all__ = ["Table", "literal", "quoted", "where"]


@dataclass(frozen=True)
class Table:
    """Name a table.

    >>> Table("raw", "orders").sql, str(Table("raw", "orders"))
    ('"raw"."orders"', 'raw.orders')
    """

    schema: str
    name: str

    @property
    def sql(self) -> str:
        """Return the name as SQL."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def quoted(name: str) -> str:
    """Return a name as an SQL identifier.

    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def where(context: Any) -> str:
    """Return the condition that the rows of a context's partitions meet, "" where it's about a whole table.

    Raises:
        DagsterInvariantViolationError: when nobody says which column the partitions are in.
    """
    if not (context.has_asset_key and context.has_asset_partitions):
        return ""
    told = ((context.upstream_output or context).definition_metadata or {}).get("partition_expr")
    if told is None:
        raise DagsterInvariantViolationError(
            f"`{label(context)}` has partitions, and nothing says which column they are in",
            hint='metadata={"partition_expr": "day"} on the asset',
        )
    keys = list(context.asset_partition_keys)
    if not keys:
        return "false"
    if isinstance(told, Mapping):
        return " and ".join(one_of(told[name], [key.keys_by_dimension[name] for key in keys]) for name in sorted(told))
    return within(context, told) or one_of(told, keys)


def one_of(column: str, keys: Sequence[str]) -> str:
    """Return the condition that a column has one of several values.

    >>> one_of("region", ["eu", "us"])
    "region in ('eu', 'us')"
    """
    return f"{column} in ({', '.join(literal(str(key)) for key in dict.fromkeys(keys))})"


def within(context: Any, column: str) -> str:
    """Return the condition that a column lies in the time of the partitions, "" where they don't stand for time."""
    try:
        start, end = context.asset_partitions_time_window
    except DagsterInvariantViolationError:
        return ""
    return f"{column} >= {literal(moment(start))} and {column} < {literal(moment(end))}"


def moment(time: datetime) -> str:
    """Return a time as SQL writes it, in its own zone.

    >>> moment(datetime(2026, 1, 1))
    '2026-01-01 00:00:00'
    """
    return time.strftime("%Y-%m-%d %H:%M:%S")
