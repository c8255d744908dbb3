"""A folder of SQL files, run by DuckDB: an asset for each, which depends on what its FROM names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ipy_orch.authoring.assets import define_asset
from ipy_orch.authoring.checks import define_check
from ipy_orch.components.files import FILES, FileComponent, files_in, folder_of, library, name_of, shown_path, text
from ipy_orch.components.queries import Query, read_query
from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import Signature
from ipy_orch.model.policies import Failure
from ipy_orch.model.results import AssetCheckResult

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["SqlFolderComponent"]

WHO = "SqlFolderComponent"
MOST_SHOWN = 5


class SqlFolderComponent(FileComponent):
    """Make an asset of each SQL file in a folder: a SELECT that DuckDB runs over the tables of other assets.

    The tables that it reads are the assets of those names, of this folder or of the notebook; its value is a pandas
    DataFrame. A query in `checks` named ``ASSET__CHECK.sql`` finds the rows that break a rule: it passes with none.

    Args:
        folder: with the files, from the folder of the YAML or notebook.
        pattern: of the files in it.
        checks: the folder with the checks, in `folder`; it needn't be there.
        blocking: whether a failed check stops what is downstream.
    """

    folder: Annotated[str, text("The folder with the SQL files.", ["sql"])]
    pattern: Annotated[str, text("Which files of it; `**/*.sql` also those of folders in it.")] = "*.sql"
    checks: Annotated[str, text("The folder in it with queries named `ASSET__CHECK.sql`.")] = "checks"
    blocking: Annotated[bool, text("Whether a failed check stops what is downstream.")] = False

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return an asset for each file, and a check for each of the checks.

        Raises:
            DagsterInvalidDefinitionError: for a folder, a file or a query that isn't right, with its place.
        """
        aside = folder_of(context) / self.folder / self.checks
        files = [one for one in files_in(context, self.folder, self.pattern) if not one.is_relative_to(aside)]
        own = {name_of(one).lower(): self.key_of(one) for one in files}
        assets = [self.asset(one, own) for one in files]
        checks = [self.check(one, own) for one in (files_in(context, str(aside), "*.sql") if aside.is_dir() else ())]
        return Definitions(assets, asset_checks=checks)

    def asset(self, file: Path, own: Mapping[str, AssetKey]) -> AssetsDefinition:
        """Return the asset of a file."""
        key, place = self.key_of(file), shown_path(file)
        reading = Reading(file, own)
        if key in reading.keys.values():
            hint = "leave the name of its own out of FROM, or rename the file"
            raise DagsterInvalidDefinitionError(f"`{key.label}` reads itself", where=place, hint=hint)
        function = running(place, reading.tables)
        return define_asset(
            function,
            key=key,
            ins=reading.ins,
            description=f"`{place}`",
            metadata={FILES: [place, *reading.files]},
            signature=Signature(function, inputs=tuple(reading.ins), keywords=True),
            origin=place,
            **self.said(kinds=["duckdb", "sql"]),
        )

    def check(self, file: Path, own: Mapping[str, AssetKey]) -> AssetChecksDefinition:
        """Return the check of a file.

        Raises:
            DagsterInvalidDefinitionError: when its name isn't that of an asset and a check.
        """
        place, reading = shown_path(file), Reading(file, own)
        about, _, name = name_of(file).partition("__")
        if about.lower() not in own or not name:
            told = f"`{file.name}` isn't named like an asset of the folder and a check"
            hint = closest(about, own, offer="`{}__" + (name or "CHECK") + ".sql`") or "ASSET__CHECK.sql"
            raise DagsterInvalidDefinitionError(told, where=place, hint=hint)
        key = own[about.lower()]
        function = checking(place, reading.tables)
        return define_check(
            function,
            asset=key,
            name=name,
            description=f"`{place}` finds no rows.",
            blocking=self.blocking,
            additional_ins={name: one for name, one in reading.ins.items() if one.key != key},
            metadata={FILES: [place, *reading.files]},
            signature=Signature(function, inputs=tuple(reading.ins), keywords=True),
            origin=place,
        )


class Reading:
    """Be what a file reads: tables of assets, and files.

    Args:
        own: name -> asset of the folder.
    """

    def __init__(self, file: Path, own: Mapping[str, AssetKey]) -> None:
        self.query = read_query(file.read_text(encoding="utf-8"), shown_path(file))
        self.keys = {table: key_of(table, own) for table in self.query.tables}

    @property
    def ins(self) -> dict[str, AssetIn]:
        """Return argument -> asset."""
        return {key.to_python_identifier(): AssetIn(key) for key in self.keys.values()}

    @property
    def tables(self) -> dict[tuple[str, ...], str]:
        """Return table -> argument."""
        return {table: key.to_python_identifier() for table, key in self.keys.items()}

    @property
    def files(self) -> list[str]:
        """Return the files that it reads by name."""
        return [one for one in self.query.files if not any(char in one for char in "*?[") and "://" not in one]


def key_of(table: tuple[str, ...], own: Mapping[str, AssetKey]) -> AssetKey:
    """Return the asset of a table: one of the folder, else one of that name."""
    return own.get(table[0].lower(), AssetKey(table)) if len(table) == 1 else AssetKey(table)


# -- running ----------------------------------------------------------------------------------------------------------


def running(place: str, tables: Mapping[tuple[str, ...], str]) -> Callable[..., Any]:
    """Return the function that runs a file's query; it reads the file anew."""

    def run_sql(**values: Any) -> Any:
        return answer(place, tables, values)

    return run_sql


def checking(place: str, tables: Mapping[tuple[str, ...], str]) -> Callable[..., AssetCheckResult]:
    """Return the function that runs a check's query: it passes when no row is found."""

    def run_check(**values: Any) -> AssetCheckResult:
        found = answer(place, tables, values)
        rows = {"rows": str(found.head(MOST_SHOWN))} if len(found) else {}
        return AssetCheckResult(passed=len(found) == 0, metadata={"broken rows": len(found), **rows})

    return run_check


def answer(place: str, tables: Mapping[tuple[str, ...], str], values: Mapping[str, Any]) -> Any:
    """Return the answer to a file's query as a pandas DataFrame.

    Raises:
        Failure: when the file reads other tables than it did, or DuckDB refuses it.
    """
    duckdb = library("duckdb", WHO, "duckdb")
    sql = Path(place).read_text(encoding="utf-8")
    refuse_new_tables(read_query(sql, place), tables, place)
    with duckdb.connect() as connection:
        for table, argument in tables.items():
            register(connection, table, values[argument], place)
        try:
            return connection.execute(sql).df()
        except duckdb.Error as error:
            raise Failure(f"`{place}`: {str(error).strip()}") from None


def refuse_new_tables(query: Query, tables: Mapping[tuple[str, ...], str], place: str) -> None:
    """Refuse a query that reads other tables than when its component was made.

    Raises:
        Failure: naming them.
    """
    new = [".".join(one) for one in query.tables if one not in tables]
    if new:
        raise Failure(f"`{place}` now reads `{new[0]}`, which it didn't: run the cell of its component again")


def register(connection: Any, table: tuple[str, ...], value: Any, place: str) -> None:
    """Make a value a table of the connection.

    Raises:
        Failure: when it's no table.
    """
    name = "__".join(table)
    try:
        connection.register(f"{name}__value", value)
    except Exception as error:  # noqa: BLE001 - DuckDB has several for what it can't read
        told = f"`{'.'.join(table)}` is a {type(value).__name__}, which isn't a table"
        raise Failure(f"`{place}`: {told} ({type(error).__name__})") from None
    if len(table) > 1:
        connection.execute(f'create schema if not exists "{table[-2]}"')
    whole = ".".join(f'"{part}"' for part in table[-2:])
    connection.execute(f'create view {whole} as select * from "{name}__value"')  # noqa: S608 - a name, quoted
