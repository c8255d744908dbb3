"""Types that a store doesn't have: what a table is stored as there, and how it becomes what it was.

The types that the table had are kept as a note beside it: an Arrow table without rows, which also holds the categories.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.storage.extras import needed
from ipy_orch.storage.frames import said

__all__ = ["note_of", "noted", "plain", "restored", "with_note", "without_note"]

NOTE: Final = "ipy_orch"  # the key of the note in the table's comment
NOTE_KEY: Final = b"ipy_orch_types"  # ... and in a Parquet file's metadata
MICRO: Final = "us"  # the finest unit that DuckDB has for time zones, durations and times of day


# -- the note ----------------------------------------------------------------------------------------------------------


def note_of(table: Any) -> str:
    """Return the note about a table: its types, categories and metadata."""
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    stream = arrow.BufferOutputStream()
    needed("pyarrow.ipc", "keeping tables", "duckdb")
    with arrow.ipc.new_stream(stream, table.schema) as writer:
        writer.write_batch(arrow.record_batch(dictionaries(table), schema=table.schema))
    packed = base64.b64encode(zlib.compress(stream.getvalue())).decode()
    return json.dumps({NOTE: packed})


def dictionaries(table: Any) -> list[Any]:
    """Return columns without rows, with the categories that the table's have."""
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    return [
        column.chunk(0).slice(0, 0)
        if arrow.types.is_dictionary(column.type) and column.num_chunks
        else arrow.array([], column.type)  # not a slice, which would write all text of the column
        for column in table.unify_dictionaries().columns
    ]


def noted(comment: str | None) -> Any:
    """Return the table without rows that a note holds, None for a comment of somebody else's."""
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    try:
        packed = json.loads(comment or "")[NOTE]
    except (ValueError, KeyError, TypeError):
        return None
    return arrow.ipc.open_stream(zlib.decompress(base64.b64decode(packed))).read_all()


def with_note(table: Any) -> Any:
    """Return an Arrow table for Parquet, with a note where that forgets: categories that aren't text, or of no rows."""
    if not any(forgotten(one, table.num_rows) for one in table.schema.types):
        return table
    known = table.schema.metadata or {}
    return table.replace_schema_metadata({**known, NOTE_KEY: note_of(table)})


def forgotten(one: Any, rows: int) -> bool:
    """Tell whether Parquet forgets the categories of a type."""
    kinds = needed("pyarrow", "keeping tables", "parquet").types
    if not kinds.is_dictionary(one):
        return False
    return rows == 0 or not (kinds.is_string(one.value_type) or kinds.is_large_string(one.value_type))


def without_note(table: Any) -> Any:
    """Return an Arrow table from Parquet as it was, by its note where it has one."""
    note = noted(((table.schema.metadata or {}).get(NOTE_KEY) or b"").decode())
    return table if note is None else restored(table, note)


# -- on the way in -----------------------------------------------------------------------------------------------------


def plain(table: Any, name: str) -> Any:
    """Return an Arrow table with types that DuckDB has.

    Raises:
        DagsterInvariantViolationError: when a column would lose something: times finer than a microsecond, digits.
    """
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        target = plain_type(field.type)
        if target == field.type:
            columns.append(column)
            continue
        try:
            columns.append(plain_column(column, target))
        except arrow.ArrowException as error:
            raise DagsterInvariantViolationError(
                f"DuckDB can't hold column `{field.name}` of `{name}`: {said(error)}",
                hint=f"round it first (to {MICRO}, or fewer digits), or keep `{name}` as Parquet",
            ) from error
    return arrow.table(columns, names=table.column_names)


def plain_column(column: Any, target: Any) -> Any:
    """Return a column as another type, without losing anything."""
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    if isinstance(column.type, arrow.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return arrow.chunked_array(chunks, column.type.storage_type).cast(target)
    return column.cast(target)


def plain_type(one: Any) -> Any:
    """Return the type that DuckDB has in the place of an Arrow type."""
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    if isinstance(one, arrow.BaseExtensionType):
        return plain_type(one.storage_type)
    if arrow.types.is_dictionary(one):
        return plain_type(one.value_type)
    if arrow.types.is_timestamp(one) and one.tz is not None:
        return arrow.timestamp(MICRO, one.tz)
    others = {
        arrow.lib.Type_DURATION: lambda: arrow.duration(MICRO),
        arrow.lib.Type_TIME32: lambda: arrow.time64(MICRO),
        arrow.lib.Type_TIME64: lambda: arrow.time64(MICRO),
        arrow.lib.Type_HALF_FLOAT: arrow.float32,
        arrow.lib.Type_DECIMAL256: lambda: arrow.decimal128(38, one.scale),
        arrow.lib.Type_NA: arrow.int32,
    }
    return others[one.id]() if one.id in others else one


# -- on the way out ----------------------------------------------------------------------------------------------------


def restored(table: Any, note: Any) -> Any:
    """Return an Arrow table as it was, by the note about it; columns that somebody added or changed stay as they are.

    Args:
        note: a table without rows, from :func:`noted`.
    """
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    made, fields = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        known = note.schema.field(field.name) if field.name in note.column_names else field
        try:
            made.append(as_it_was(column, note.column(field.name)) if known is not field else column)
            fields.append(known)
        except (arrow.ArrowException, KeyError):
            made.append(column)
            fields.append(field)
    return arrow.table(made, schema=arrow.schema(fields, metadata=note.schema.metadata))


def as_it_was(column: Any, example: Any) -> Any:
    """Return a column as the type of another one without rows, with its categories."""
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    wanted = example.type
    if arrow.types.is_null(wanted):
        return arrow.chunked_array([arrow.nulls(len(column))])
    if arrow.types.is_dictionary(wanted):
        return coded(column, example)
    if isinstance(wanted, arrow.BaseExtensionType):
        storage = column.cast(wanted.storage_type)
        return arrow.chunked_array([wanted.wrap_array(chunk) for chunk in storage.chunks], wanted)
    if arrow.types.is_duration(wanted) and arrow.types.is_integer(column.type):
        return column.cast(arrow.duration(MICRO)).cast(wanted)  # DuckDB tells them as numbers of microseconds
    return column.cast(wanted)


def coded(column: Any, example: Any) -> Any:
    """Return a column of plain values as codes of the categories that it had.

    Raises:
        KeyError: when a value is none of them: somebody has changed the table.
    """
    arrow = needed("pyarrow", "keeping tables", "duckdb")
    wanted = example.type
    categories = example.chunk(0).dictionary if example.num_chunks else arrow.array([], wanted.value_type)
    values = column.cast(wanted.value_type)
    codes = needed("pyarrow.compute", "keeping tables", "duckdb").index_in(values, value_set=categories)
    if codes.null_count != values.null_count:
        raise KeyError("a category that wasn't there")
    arrays = [
        arrow.DictionaryArray.from_arrays(one.cast(wanted.index_type), categories, ordered=wanted.ordered)
        for one in codes.chunks or [arrow.array([], codes.type)]  # the categories also of no rows
    ]
    return arrow.chunked_array(arrays, wanted)
