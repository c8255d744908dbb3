"""What is told of a data frame that breaks its schema: which columns, which rule, and a few of the rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import TableRecord, TableSchema
from ipy_orch.model.types.dagster_type import DagsterType, TypeCheck

__all__ = ["Broken", "FrameType", "verdict_of"]

COLUMN_SCHEMA: Final = "dagster/column_schema"
MOST_RULES: Final = 8  #: in a description
MOST_ROWS: Final = 3  #: of each rule in a description
MOST_RECORDS: Final = 50  #: in the metadata


@dataclass(frozen=True)
class Broken:
    """Be a rule that a table breaks.

    Args:
        column: empty when it is about the table.
        rule: what should hold: ``> 0``, ``unique``; or what is wrong, when ``rows`` is empty.
        rows: the first rows that break it, each with its label and value.
        count: how many do.

    >>> str(Broken("price", "> 0", [(3, -1.5)], 12))
    '`price`: `> 0` fails in 12 rows: row 3: -1.5, ...'
    """

    column: str
    rule: str
    rows: Sequence[tuple[Any, Any]] = ()
    count: int = 0

    def __str__(self) -> str:
        where = f"`{self.column}`: " if self.column else ""
        if not self.rows:
            return f"{where}{self.rule}"
        shown = ", ".join(f"row {label}: {brief(value)}" for label, value in self.rows[:MOST_ROWS])
        more = ", ..." if self.count > min(len(self.rows), MOST_ROWS) else ""
        return f"{where}`{self.rule}` fails in {self.count} {'row' if self.count == 1 else 'rows'}: {shown}{more}"

    def records(self) -> list[TableRecord]:
        """Return a row of metadata for each row that is known to break the rule, or one for the column."""
        rows: Sequence[tuple[Any, Any]] = self.rows or [("", "")]
        return [
            TableRecord({"column": self.column, "rule": self.rule, "row": str(label), "value": brief(value)})
            for label, value in rows
        ]


def brief(value: Any, most: int = 60) -> str:
    """Return the text of a value, at most ``most`` characters of it."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"


def verdict_of(broken: Iterable[Broken]) -> TypeCheck:
    """Return the verdict on a frame that breaks these rules."""
    rules = list(broken)
    lines = [str(one) for one in rules[:MOST_RULES]]
    if len(rules) > MOST_RULES:
        lines.append(f"and {len(rules) - MOST_RULES} more")
    records = [record for one in rules for record in one.records()][:MOST_RECORDS]
    return TypeCheck(success=False, description="\n  ".join(lines), metadata={"failures": MetadataValue.table(records)})


class FrameType(DagsterType):
    """Be the type of data frames of certain columns; two are equal when they are of one schema.

    Args:
        source: the schema or class as the user has it.
        columns: what assets of this type show.
        called: the name for people, when the type has no unique ``name``.
    """

    def __init__(
        self,
        source: Any,
        columns: TableSchema,
        *,
        key: str,
        called: str,
        name: str | None,
        description: str | None,
        typing_type: Any,
    ) -> None:
        self.source, self.called = source, called
        super().__init__(
            self.check,
            key=name or key,
            name=name,
            description=description,
            typing_type=typing_type,
            metadata={COLUMN_SCHEMA: MetadataValue.table_schema(columns)},
        )

    @property
    def display_name(self) -> str:
        """Return what people call the type."""
        return self.name or self.called

    @property
    def identity(self) -> Hashable:
        """Return what makes two types the same one."""
        return type(self), id(self.source), self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameType) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a frame that keeps the schema."""
        raise NotImplementedError

    def passed(self) -> TypeCheck:
        """Return the verdict on a frame that does, with the columns for its materialization."""
        return TypeCheck(success=True, metadata=self.metadata)
