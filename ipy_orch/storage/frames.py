"""Tables of pandas, polars and pyarrow, and Arrow between them.

An Arrow table says in its schema's metadata which of them it was, so that a reader who asks for nothing gets the same.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import TableColumn, TableSchema
from ipy_orch.storage.extras import needed

__all__ = [
    "Kind",
    "as_table",
    "column_types",
    "columns_of",
    "frame_of",
    "kind_of",
    "mark_of",
    "marked",
    "said",
    "stored_kind",
    "table_metadata",
    "wanted_kind",
    "wants_dict",
]

Kind: TypeAlias = Literal["pandas", "polars", "polars-lazy", "pyarrow"]

FRAMES: Final[Mapping[tuple[str, str], Kind]] = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "polars-lazy",
    ("pyarrow", "Table"): "pyarrow",
}
MARK: Final = b"ipy_orch"
UNNAMED_INDEX: Final = re.compile(r"__index_level_\d+__")


# -- which library -----------------------------------------------------------------------------------------------------


def kind_of_class(cls: Any) -> Kind | None:
    """Return which library's table a class is, None for other classes.

    >>> kind_of_class(list) is None
    True
    """
    for one in getattr(get_origin(cls) or cls, "__mro__", ()):
        if kind := FRAMES.get((one.__module__.partition(".")[0], one.__name__)):
            return kind
    return None


def kind_of(value: object, name: str) -> Kind:
    """Return which library's table a value is.

    Raises:
        DagsterInvariantViolationError: when it's none.
    """
    if kind := kind_of_class(type(value)):
        return kind
    what = "None" if value is None else f"of type `{type(value).__name__}`"
    hint = "return a data frame, or keep it elsewhere: `io_manager_key=...` with FilesystemIOManager()"
    if value is None:
        hint = f"annotate `def {name.rpartition('/')[2]}(...) -> None` when there's nothing to keep"
    elif type(value).__name__ == "Series":
        hint = "return `.to_frame()` of it"
    raise DagsterInvariantViolationError(f"`{name}` is {what}, and only tables are kept here", hint=hint)


def annotation_of(context: Any) -> Any:
    """Return the annotation of the reader, None without one; of ``Optional[X]`` it is X."""
    told = getattr(getattr(context, "dagster_type", None), "typing_type", None)
    if get_origin(told) in {Union, types.UnionType}:
        return next((one for one in get_args(told) if one is not type(None)), None)
    return told


def wants_dict(context: Any) -> bool:
    """Tell whether a reader asks for a dict of tables by partition."""
    told = annotation_of(context)
    return told is dict or get_origin(told) in {dict, Mapping}


def wanted_kind(context: Any) -> Kind | None:
    """Return which library's table a reader asks for by its annotation, None when it doesn't say."""
    told = annotation_of(context)
    arguments = get_args(told)
    return kind_of_class(arguments[1] if wants_dict(context) and len(arguments) == 2 else told)


# -- to Arrow ----------------------------------------------------------------------------------------------------------


def as_table(value: Any, kind: Kind, name: str) -> Any:
    """Return a table as Arrow, marked with the library that it's from.

    Raises:
        DagsterInvariantViolationError: when Arrow can't hold it.
    """
    arrow = needed("pyarrow", "keeping tables", "parquet")
    try:
        if kind == "pandas":
            refuse_labels(value, name)
            table = arrow.Table.from_pandas(value)
        elif kind == "pyarrow":
            table = value
        else:
            table = polars_to_arrow(value, kind)
    except (arrow.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        hint = "turn that column into numbers, text, dates or lists of one type first, or keep it as a pickle"
        raise DagsterInvariantViolationError(f"Arrow can't hold `{name}`: {said(error)}", hint=hint) from error
    return marked(table, kind)


def polars_to_arrow(value: Any, kind: Kind) -> Any:
    """Return a polars frame as Arrow; types that only polars has are refused by Arrow itself."""
    polars = needed("polars", "a polars frame")
    frame = value.collect() if kind == "polars-lazy" else value
    for name, dtype in frame.schema.items():
        if holds_objects(dtype, polars.Object):
            raise TypeError(f"column `{name}` holds Python objects")
    return frame.to_arrow(compat_level=polars.CompatLevel.oldest())


def holds_objects(dtype: Any, kind: Any) -> bool:
    """Tell whether a polars type is, or has inside, Python objects, which Arrow takes for addresses."""
    inside = [getattr(dtype, "inner", None), *(one.dtype for one in getattr(dtype, "fields", ()))]
    return bool(dtype == kind) or any(holds_objects(one, kind) for one in inside if one is not None)


def refuse_labels(frame: Any, name: str) -> None:
    """Refuse a pandas frame whose columns would lose their names.

    Raises:
        DagsterInvariantViolationError: when labels are of different types, or two are equal.
    """
    labels = list(frame.columns)
    if len(set(labels)) < len(labels):
        twice = next(one for one in labels if labels.count(one) > 1)
        raise DagsterInvariantViolationError(f"`{name}` has two columns `{twice}`", hint="rename one")
    if len({isinstance(one, str) for one in labels}) > 1:
        raise DagsterInvariantViolationError(
            f"the columns of `{name}` are named by text and by other things, and only text is kept",
            hint="`.rename(columns=str)`",
        )


def marked(table: Any, kind: Kind) -> Any:
    """Return an Arrow table that says which library it is from."""
    known = table.schema.metadata or {}
    return table.replace_schema_metadata({**known, MARK: mark_of(kind).encode()})


def mark_of(kind: Kind) -> str:
    """Return what a stored table says of the library that it's from.

    >>> mark_of("polars")
    '{"kind": "polars"}'
    """
    return json.dumps({"kind": kind})


def stored_kind(metadata: Mapping[bytes, bytes] | None) -> Kind:
    """Return which library a stored table is from; files of strangers are for pandas."""
    told = (metadata or {}).get(MARK)
    kind: Kind = json.loads(told)["kind"] if told else "pandas"
    return kind


# -- from Arrow --------------------------------------------------------------------------------------------------------


def frame_of(table: Any, kind: Kind) -> Any:
    """Return an Arrow table as a table of a library."""
    if kind == "pandas":
        return pandas_of(table)
    metadata = {key: text for key, text in (table.schema.metadata or {}).items() if key != MARK}
    if kind == "pyarrow":
        return table.replace_schema_metadata(metadata or None)
    polars = needed("polars", "a polars frame")
    unnamed = [one for one in table.column_names if UNNAMED_INDEX.fullmatch(one)]
    frame = polars.from_arrow(table.drop_columns(unnamed) if unnamed else table)
    return frame.lazy() if kind == "polars-lazy" else frame


def pandas_of(table: Any) -> Any:
    """Return an Arrow table as a pandas frame; text that was in an object column goes back to one."""
    frame = table.to_pandas()
    told = (table.schema.pandas_metadata or {}).get("columns", ())
    objects = {one["name"] for one in told if (one["pandas_type"], one["numpy_type"]) == ("unicode", "object")}
    changed = [one for one in frame.columns if one in objects and frame.dtypes[one].name != "object"]
    for one in changed:
        frame[one] = frame[one].astype(object).where(frame[one].notna(), None)
    return frame


# -- what to say of it -------------------------------------------------------------------------------------------------


def columns_of(context: Any, known: Sequence[str], name: str) -> list[str] | None:
    """Return the columns that an input's metadata asks for, None for all.

    Raises:
        DagsterInvariantViolationError: when the table doesn't have one.
    """
    asked = (getattr(context, "definition_metadata", None) or {}).get("columns")
    if asked is None:
        return None
    for one in asked:
        if one not in known:
            named = [f"`{column}`" for column in known if not UNNAMED_INDEX.fullmatch(column)]
            hint = closest(str(one), known) or f"it has {', '.join(named)}"
            raise DagsterInvariantViolationError(f"`{name}` has no column `{one}`", hint=hint)
    return list(asked)


def column_types(schema: Any) -> list[TableColumn]:
    """Return the columns of an Arrow schema, as metadata shows them."""
    return [TableColumn(one.name, str(one.type)) for one in schema if not UNNAMED_INDEX.fullmatch(one.name)]


def table_metadata(schema: Any, rows: int) -> dict[str, MetadataValue]:
    """Return what a materialization says of a table, under Dagster's names."""
    return {
        "dagster/row_count": MetadataValue.int(rows),
        "dagster/column_schema": MetadataValue.table_schema(TableSchema(column_types(schema))),
    }


def said(error: BaseException) -> str:
    """Return the first line of what a library says; of several texts, as Arrow raises them, the outer one first."""
    texts = [one for one in error.args if isinstance(one, str)] if not isinstance(error, OSError) else []
    told = ": ".join(reversed(texts)) if len(texts) > 1 else str(error)
    return (told.strip() or type(error).__name__).splitlines()[0]
