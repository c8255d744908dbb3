"""Tables in a DuckDB file: one per asset, to query with SQL beside the notebook."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from pydantic import Field as PydanticField

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers.addresses import is_nothing, label
from ipy_orch.execution.iomanagers.drafts import writing
from ipy_orch.model.io import ConfigurableIOManager
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.ops import RESULT
from ipy_orch.storage.extras import needed
from ipy_orch.storage.frames import (
    Kind,
    as_table,
    columns_of,
    frame_of,
    kind_of,
    said,
    stored_kind,
    table_metadata,
    wanted_kind,
)
from ipy_orch.storage.restoring import note_of, noted, plain, restored
from ipy_orch.storage.sql import Table, literal, quoted, where

__all__ = ["DuckDBIOManager", "DuckDBPandasIOManager", "DuckDBPolarsIOManager"]

T = TypeVar("T")
NO_TABLE: Final = object()
COMMENT: Final = """
    select comment from (
        select database_name, schema_name, table_name as name, comment from duckdb_tables() union all
        select database_name, schema_name, view_name as name, comment from duckdb_views()
    ) where database_name = current_database() and schema_name = ? and name = ?
"""
CONNECTING: Final = threading.Lock()  # a connection made while another thread's opens the file misses functions
HIDDEN: Final = re.compile(r"__index_level_\d+__")
HOLDER: Final = re.compile(r"held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")


class DuckDBIOManager(ConfigurableIOManager):
    """Keep each table in a DuckDB file, as a table ``schema.name`` that SQL can query.

    The table is named like the last part of the asset's key. Its schema is, in this order, what the asset's metadata
    says (``metadata={"schema": "raw"}``), ``schema`` here, the part of the key before the last, ``public``.

    Takes frames of pandas and polars and Arrow tables. A reader gets the kind that its annotation asks for, or else
    what was stored; index, categories, time zones and so on come back, from a note in the table's comment.
    ``AssetIn(metadata={"columns": [...]})`` reads some columns only. An asset with partitions names the column that
    they are in: ``metadata={"partition_expr": "day"}``.

    A table is replaced in one transaction. The file is open only while something is stored or loaded; when another
    process has it open, it is tried again for ``timeout`` seconds.

    Args:
        database: the file; made when it isn't there.
        connection_config: settings of DuckDB, e.g. ``{"memory_limit": "2GB"}``.

    >>> DuckDBIOManager(database="local.duckdb", schema="main").is_file
    True
    """

    __default_kind__: ClassVar[Kind | None] = None

    database: str = PydanticField(description="The DuckDB file.")
    connection_config: dict[str, Any] = PydanticField(default={}, description="Settings of DuckDB.")
    schema_: str | None = PydanticField(default=None, alias="schema", description="The schema of all tables.")
    timeout: float = PydanticField(default=10.0, description="Seconds to wait for other processes.")

    # -- IO ------------------------------------------------------------------------------------------------------------

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store a table, and say its name, rows, columns.

        Raises:
            DagsterInvariantViolationError: when it is no table, DuckDB can't hold it, or another process has the file.
        """
        if is_nothing(context):
            return
        name, table = label(context), self.table_of(context, context)
        if self.is_file:
            with writing(Path(self.database), name):
                Path(self.database).parent.mkdir(parents=True, exist_ok=True)
        stored = as_table(obj, kind_of(obj, name), name)
        self.patiently(name, False, lambda connection: write(connection, table, stored, where(context), name))
        told = {"dagster/table_name": str(table), "database": MetadataValue.path(self.database)}
        context.add_output_metadata({**table_metadata(stored.schema, stored.num_rows), **told})

    def load_input(self, context: Any) -> Any:
        """Return the stored table of an input, as what the reader asks for.

        Raises:
            DagsterInvariantViolationError: when it isn't there, lacks a column that is asked for, or another process
                has the file.
        """
        name, table = label(context), self.table_of(context, context.upstream_output or context)
        if self.is_file and not Path(self.database).exists():
            raise missing(name, table, self.database)
        condition = where(context)
        found = self.patiently(name, True, lambda connection: read(connection, table, context, condition, name))
        if found is None:
            raise missing(name, table, self.database)
        return frame_of(found, wanted_kind(context) or self.__default_kind__ or stored_kind(found.schema.metadata))

    def table_of(self, context: Any, upstream: Any) -> Table:
        """Return the table that a value belongs in.

        Args:
            upstream: the context that it is stored with, whose metadata may name schema and table.
        """
        told = upstream.definition_metadata or {}
        path = context.asset_key.path if context.has_asset_key else [output_name(upstream)]
        prefix = path[-2] if len(path) > 1 else "public"
        return Table(told.get("schema") or self.schema_ or prefix, told.get("table") or path[-1])

    # -- the file ------------------------------------------------------------------------------------------------------

    @property
    def is_file(self) -> bool:
        """Tell whether the database is a file here, and not one in memory or in a cloud."""
        return not self.database.startswith((":memory:", "md:", "motherduck:")) and "://" not in self.database

    def patiently(self, name: str, reads: bool, work: Callable[[Any], T]) -> T:
        """Do something with a connection, again and again while others have the file or table.

        Raises:
            DagsterInvariantViolationError: when they still do in the end, or the file isn't DuckDB's.
        """
        duckdb = needed("duckdb", "DuckDBIOManager", "duckdb")
        if self.database.startswith(":memory:"):
            raise DagsterInvariantViolationError(
                f"`{name}` would be gone at once: {self.database} lasts only as long as a connection",
                hint='give DuckDBIOManager a file: database="local.duckdb"',
            )
        end, pause = time.monotonic() + self.timeout, 0.02
        while True:
            try:
                with self.connected(duckdb, reads) as connection:
                    return work(connection)
            except (duckdb.IOException, duckdb.ConnectionException, duckdb.TransactionException) as error:
                if time.monotonic() > end or not is_passing(error):
                    raise self.told(name, error) from error
            except duckdb.Error as error:
                raise self.told(name, error) from error
            time.sleep(pause)
            pause = min(2 * pause, 0.5)

    @contextmanager
    def connected(self, duckdb: Any, reads: bool) -> Iterator[Any]:
        """Have a connection; one that only reads shares the file with other readers, in other processes too."""
        config = dict(self.connection_config)
        with CONNECTING:
            try:
                connection = duckdb.connect(self.database, read_only=reads, config=config)
            except duckdb.ConnectionException:
                if not reads:
                    raise
                connection = duckdb.connect(self.database, config=config)  # this process has it open to write already
        try:
            yield connection
        finally:
            with CONNECTING:
                connection.close()

    def told(self, name: str, error: Exception) -> DagsterInvariantViolationError:
        """Return what a user is to read of DuckDB's error."""
        text = said(error)
        if "lock" in text:
            holder = HOLDER.search(str(error))
            who = f"process {holder['pid']} ({Path(holder['program']).name})" if holder else "another process"
            return DagsterInvariantViolationError(
                f"`{name}` can't be reached: {who} has the DuckDB file open",
                where=self.database,
                hint="close the connection there, e.g. shut down the other notebook's kernel, or use two files",
            )
        if "different configuration" in text:
            return DagsterInvariantViolationError(
                f"`{name}` can't be reached: the DuckDB file is open in this process with other settings",
                where=self.database,
                hint="close that connection, or open it with the settings of DuckDBIOManager(connection_config=...)",
            )
        hint = "is it another program's file, or damaged? Choose another `database`" if "not a valid" in text else ""
        return DagsterInvariantViolationError(f"DuckDB refuses `{name}`: {text}", where=self.database, hint=hint)


class DuckDBPandasIOManager(DuckDBIOManager):
    """Keep tables in a DuckDB file; a reader that asks for nothing gets a pandas frame."""

    __default_kind__: ClassVar[Kind | None] = "pandas"


class DuckDBPolarsIOManager(DuckDBIOManager):
    """Keep tables in a DuckDB file; a reader that asks for nothing gets a polars frame."""

    __default_kind__: ClassVar[Kind | None] = "polars"


# -- what is said to DuckDB --------------------------------------------------------------------------------------------


def write(connection: Any, table: Table, stored: Any, condition: str, name: str) -> None:
    """Store an Arrow table, or the rows of its partitions, in one transaction."""
    rows, note = plain(stored, name), literal(note_of(stored))
    connection.register("ipy_orch_rows", rows)
    connection.begin()
    connection.execute(f"create schema if not exists {quoted(table.schema)}")
    if condition and note_on(connection, table) is not NO_TABLE:
        connection.execute(f"delete from {table.sql} where {condition}")  # noqa: S608 - quoted
        connection.execute(f"insert into {table.sql} by name select * from ipy_orch_rows")  # noqa: S608 - quoted
    else:
        connection.execute(f"create or replace table {table.sql} as select * from ipy_orch_rows")  # noqa: S608 - quoted
    connection.execute(f"comment on table {table.sql} is {note}")
    connection.commit()


def read(connection: Any, table: Table, context: Any, condition: str, name: str) -> Any:
    """Return a stored table as Arrow, None when it isn't there."""
    note = note_on(connection, table)
    if note is NO_TABLE:
        return None
    known = connection.execute(f"describe {table.sql}").fetchall()
    columns = columns_of(context, [one for one, *_ in known], name)
    index = [one for one, *_ in known if HIDDEN.fullmatch(one)] if columns is not None else []
    chosen = [selected(one, kind) for one, kind, *_ in known if columns is None or one in (*columns, *index)]
    filtered = f" where {condition}" if condition else ""
    query = f"select {', '.join(chosen)} from {table.sql}{filtered}"  # noqa: S608 - quoted
    found = connection.sql(query).to_arrow_table()
    if columns is not None:
        found = found.select([*columns, *index])
    return found if note is None else restored(found, note)


def selected(column: str, kind: str) -> str:
    """Return a column as it is selected: durations as microseconds, which Arrow takes for durations again."""
    return f"epoch_us({quoted(column)}) as {quoted(column)}" if kind == "INTERVAL" else quoted(column)


def note_on(connection: Any, table: Table) -> Any:
    """Return the note in the comment of a table or view, None without one, NO_TABLE when it isn't there."""
    found = connection.execute(COMMENT, [table.schema, table.name]).fetchone()
    return NO_TABLE if found is None else noted(found[0])


def is_passing(error: Exception) -> bool:
    """Tell whether DuckDB may take the same later: others have the file, or change the same table."""
    text = str(error)
    return "lock" in text or "different configuration" in text or "onflict" in text


def missing(name: str, table: Table, database: str) -> DagsterInvariantViolationError:
    """Return the error for a table that isn't there."""
    return DagsterInvariantViolationError(
        f"`{name}` isn't stored: there's no table {table}", where=database, hint="materialize it first"
    )


def output_name(context: Any) -> str:
    """Return the name of the table for an output that isn't an asset."""
    parts = [context.step_key, *([context.name] if context.name != RESULT else []), context.mapping_key]
    return "__".join(part for part in parts if part) or context.name
