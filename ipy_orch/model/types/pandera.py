"""pandera schemas as types: of pandas or polars frames, as a ``DataFrameSchema`` or a ``DataFrameModel`` class.

pandera isn't imported here: who has a schema has it.
"""

from __future__ import annotations

import re
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.tables import TableColumn, TableColumnConstraints, TableConstraints, TableSchema
from ipy_orch.model.types.dagster_type import DagsterType, TypeCheck
from ipy_orch.model.types.frames import Broken, FrameType, brief, verdict_of

__all__ = ["PanderaType", "pandera_schema_to_dagster_type", "pandera_source"]

SCHEMAS: Final = ("DataFrameSchema", "DataFrameModel")
SHOWN_CASES: Final = 20  #: failing rows of each rule that are kept

#: the rules of pandera that can be said shorter than by their name
WORDS: Final[Mapping[str, str]] = {
    "equal_to": "== {value}",
    "not_equal_to": "!= {value}",
    "greater_than": "> {min_value}",
    "greater_than_or_equal_to": ">= {min_value}",
    "less_than": "< {max_value}",
    "less_than_or_equal_to": "<= {max_value}",
    "isin": "in {allowed_values}",
    "notin": "not in {forbidden_values}",
    "str_matches": "matches {pattern!r}",
    "str_contains": "contains {pattern!r}",
    "str_startswith": "starts with {string!r}",
    "str_endswith": "ends with {string!r}",
}
#: whose frames the schemas of a library take
FRAMES: Final[Mapping[str, set[str]]] = {
    "pandas": {"pandas", "dask", "dask_expr", "modin", "pyspark"},
    "polars": {"polars"},
}
RULES: Final[Mapping[str, str]] = {
    "field_uniqueness": "unique",
    "multiple_fields_uniqueness": "unique together",
    "not_nullable": "not null",
}


def pandera_source(annotation: Any) -> Any:
    """Return the pandera schema or class that an annotation is or, as ``DataFrame[Orders]``, holds; else None."""
    origin = typing.get_origin(annotation)
    if isinstance(origin, type) and origin.__module__.startswith("pandera.typing"):
        return next(iter(typing.get_args(annotation)), None)
    classes = annotation.__mro__ if isinstance(annotation, type) else type(annotation).__mro__
    known = any(one.__name__ in SCHEMAS and one.__module__.startswith("pandera.") for one in classes)
    return annotation if known else None


def pandera_schema_to_dagster_type(schema: Any, name: str | None = None, description: str | None = None) -> DagsterType:
    """Return a type of the frames that keep a pandera schema.

    A schema also stands for its type wherever a type is expected; this gives the type a name or description of its own.

    Args:
        schema: a ``DataFrameSchema`` or a ``DataFrameModel`` class.
        name: by default the schema's title or name.
        description: by default the schema's.

    Raises:
        CheckError: for anything else.
    """
    source = pandera_source(schema)
    if source is None:
        raise CheckError(f"`schema` must be a pandera DataFrameSchema or DataFrameModel class, not {schema!r}")
    return PanderaType(source, name or name_of(compiled(source)), description)


def compiled(source: Any) -> Any:
    """Return the schema object of a schema or model class."""
    return source.to_schema() if hasattr(source, "to_schema") else source


def name_of(schema: Any) -> str | None:
    """Return what a schema is called."""
    name = getattr(schema, "title", None) or schema.name
    return str(name) if name else None


class PanderaType(FrameType):
    """Be the type of the frames that keep a pandera schema.

    A polars LazyFrame is checked as pandera does it by default: its columns and their types, not its rows.
    """

    def __init__(self, source: Any, name: str | None = None, description: str | None = None) -> None:
        self.schema = schema = compiled(source)
        self.rules = {label_of(check): words_of(check) for check in all_checks(schema)}
        called = name_of(schema) or type(schema).__name__
        super().__init__(
            source,
            columns_of(schema),
            key=f"pandera.{called}",
            called=called,
            name=name,
            description=description or getattr(schema, "description", None),
            typing_type=frame_class(schema),
        )

    def check(self, _context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a frame that keeps the schema."""
        library = library_of(self.schema)
        if not libraries_of(value) & FRAMES.get(library, libraries_of(value)):
            return TypeCheck(success=False, description=f"a {library} data frame is wanted, not a `{kind_of(value)}`")
        errors: Any = sys.modules["pandera.errors"]
        try:
            self.schema.validate(value, lazy=True)
        except errors.SchemaErrors as error:
            return verdict_of(self.broken(error.failure_cases))
        except errors.SchemaError as error:
            return verdict_of([Broken("", str(error))])
        return self.passed()

    def broken(self, cases: Any) -> Iterator[Broken]:
        """Yield the rules that pandera's table of failure cases lists row by row."""
        found: dict[tuple[str, str, str], list[tuple[Any, Any]]] = {}
        names = ("schema_context", "column", "check", "index", "failure_case")
        for context, column, check, row, value in zip(*(cases[name].to_list() for name in names), strict=True):
            found.setdefault((str(context), str(column), str(check)), []).append((row, value))
        for (context, column, check), rows in found.items():
            yield from self.told(column if context != "DataFrameSchema" else "", check, rows)

    def told(self, column: str, check: str, rows: list[tuple[Any, Any]]) -> Iterator[Broken]:
        """Yield what is wrong by one check of one column."""
        values = [str(value) for _, value in rows]
        if check == "column_in_dataframe":
            yield from (Broken(value, "the column is missing") for value in values)
        elif check == "column_in_schema":
            yield from (Broken(value, "the column isn't in the schema") for value in values)
        else:
            yield self.failed(column, check, rows)

    def failed(self, column: str, check: str, rows: list[tuple[Any, Any]]) -> Broken:
        """Return a check that a column's values don't pass, or that couldn't be made of them."""
        dtype = re.fullmatch(r"dtype\('(.*)'\)", check)
        placed = [(row, value) for row, value in rows if row is not None]
        if dtype and not placed:
            return Broken(column, f"has the type `{rows[0][1]}`, not `{dtype[1]}`")
        rule = dtype[1] if dtype else self.rules.get(check) or RULES.get(check, check)
        if not placed:
            return Broken(column, f"`{rule}` fails" + ("" if rows[0][1] in (None, False) else f": {brief(rows[0][1])}"))
        return Broken(column, rule, placed[:SHOWN_CASES], len(placed))


def libraries_of(value: Any) -> set[str]:
    """Return the libraries that a value's class and those it derives from come from."""
    return {one.__module__.partition(".")[0] for one in type(value).__mro__} - {"builtins"}


def kind_of(value: Any) -> str:
    """Return the class of a value, with its library when that tells more."""
    library = type(value).__module__.partition(".")[0]
    return type(value).__name__ if library == "builtins" else f"{library}.{type(value).__name__}"


def library_of(schema: Any) -> str:
    """Return the library whose frames a schema is for.

    pandera keeps each library's schemas in a module of its own, ``pandera.api.polars.container``.
    """
    return type(schema).__module__.split(".")[2] if type(schema).__module__.count(".") > 1 else "pandas"


def frame_class(schema: Any) -> Any:
    """Return the class of the frames that a schema is for, when their library is there."""
    return getattr(sys.modules.get(library_of(schema)), "DataFrame", Any)


# -- what a schema says, in words


def all_checks(schema: Any) -> Iterator[Any]:
    """Yield the checks of all columns and of the table."""
    for part in (*schema.columns.values(), schema):
        yield from part.checks or ()


def label_of(check: Any) -> str:
    """Return what pandera calls a check in its failure cases."""
    return str(check.error or check.name)


def words_of(check: Any) -> str:
    """Return a check in words: its own, else ``> 0``."""
    if check.description or check.title:
        return str(check.description or check.title)
    statistics = check.statistics or {}
    try:
        return WORDS[check.name].format(**statistics)
    except KeyError:
        return label_of(check)


def columns_of(schema: Any) -> TableSchema:
    """Return the columns of a schema with their types and constraints."""
    table = [words_of(check) for check in schema.checks or ()]
    together = [f"unique together: {', '.join(map(str, listed))}"] if (listed := schema.unique) else []
    columns = [column_of(str(name), column) for name, column in schema.columns.items()]
    return TableSchema(columns, TableConstraints([*table, *together]))


def column_of(name: str, column: Any) -> TableColumn:
    """Return one column with its type and constraints."""
    words = [words_of(check) for check in column.checks or ()]
    return TableColumn(
        name,
        type=str(column.dtype) if column.dtype is not None else "any",
        description=column.description,
        constraints=TableColumnConstraints(
            nullable=bool(column.nullable),
            unique=bool(column.unique),
            other=words if column.required else [*words, "may be left out"],
        ),
    )
