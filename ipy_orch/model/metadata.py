"""What is said about a value: numbers, texts, links, tables ... as frozen values.

Each kind of metadata is a dataclass below :class:`MetadataValue`, which also makes them: ``MetadataValue.md("*hi*")``.
A plain Python value is wrapped by :func:`normalize_metadata`. Pydantic writes and reads all of them as
``{"kind": "int", "value": 5}``, so events that carry metadata need nothing of their own for it.
"""

from __future__ import annotations

import builtins
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ipy_orch.errors import CheckError, DagsterError, DagsterTypeCheckDidNotPass
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.tables import (
    Brief,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
    listed,
    typed,
)

RawMetadataValue: TypeAlias = (
    "MetadataValue | TableSchema | TableColumnLineage | AssetKey | os.PathLike[str] "
    "| dict[Any, Any] | float | int | list[Any] | str | datetime | None"
)
RAW_TYPES = (TableSchema, TableColumnLineage, AssetKey, os.PathLike, dict, float, int, list, str, datetime, type(None))


class DagsterInvalidMetadata(DagsterError):
    """Tell that a value can't be metadata."""


class MetadataValue(Brief):
    """Be one thing said about an asset, a run or a definition.

    >>> MetadataValue.int(5)
    IntMetadataValue(value=5)
    """

    kind: ClassVar[str] = ""
    by_kind: ClassVar[dict[str, builtins.type[MetadataValue]]] = {}

    def __init_subclass__(cls, kind: str = "", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if kind:
            cls.kind = kind
            MetadataValue.by_kind[kind] = cls

    def __init__(self) -> None:
        raise TypeError("`MetadataValue` is made by its constructors, e.g. `MetadataValue.text(...)`")

    if TYPE_CHECKING:  # else the fields of this name below couldn't be set

        @property
        def value(self) -> Any:
            """Return the plain Python value, or the metadata itself where there is none."""

    # -- as JSON

    def to_wire(self) -> dict[str, Any]:
        """Return a dict that JSON can hold and :meth:`from_wire` reads."""
        return {"kind": self.kind, **self._payload()}

    @staticmethod
    def from_wire(data: Any) -> MetadataValue:
        """Return the value that :meth:`to_wire` wrote; a value that is one already passes.

        Raises:
            ValueError: when ``data`` isn't of that form.
        """
        if isinstance(data, MetadataValue):
            return data
        if not isinstance(data, Mapping) or data.get("kind") not in MetadataValue.by_kind:
            raise ValueError(f"not metadata: {data!r}")
        cls = MetadataValue.by_kind[data["kind"]]
        try:
            return cls._from_payload({name: value for name, value in data.items() if name != "kind"})
        except (CheckError, DagsterError, TypeError, KeyError) as error:
            raise ValueError(f"not `{cls.kind}` metadata: {error}") from error

    def _payload(self) -> dict[str, Any]:
        return {spec.name: getattr(self, spec.name) for spec in fields(self)}  # type: ignore[arg-type]  # all are dataclasses

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> MetadataValue:
        return cls(**payload)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Tell pydantic to write and read the form of :meth:`to_wire`."""
        from pydantic_core import core_schema

        def read(data: Any) -> MetadataValue:
            value = MetadataValue.from_wire(data)
            if not isinstance(value, cls):
                raise ValueError(f"expected `{cls.__name__}`, not {value!r}")
            return value

        write = core_schema.plain_serializer_function_ser_schema(MetadataValue.to_wire, return_schema=None)
        return core_schema.no_info_plain_validator_function(read, serialization=write)

    # -- constructors, in the order of Dagster's documentation

    @staticmethod
    def text(text: str) -> TextMetadataValue:
        """Return a short text."""
        return TextMetadataValue(text)

    @staticmethod
    def url(url: str) -> UrlMetadataValue:
        """Return a link."""
        return UrlMetadataValue(url)

    @staticmethod
    def path(path: str | os.PathLike[str]) -> PathMetadataValue:
        """Return a path of the file system."""
        return PathMetadataValue(path)

    @staticmethod
    def notebook(path: str | os.PathLike[str]) -> NotebookMetadataValue:
        """Return the path of a notebook."""
        return NotebookMetadataValue(path)

    @staticmethod
    def json(data: Sequence[Any] | Mapping[str, Any]) -> JsonMetadataValue:
        """Return data that JSON can hold."""
        return JsonMetadataValue(data)

    @staticmethod
    def md(data: str) -> MarkdownMetadataValue:
        """Return Markdown."""
        return MarkdownMetadataValue(data)

    @staticmethod
    def python_artifact(python_artifact: Callable[..., Any]) -> PythonArtifactMetadataValue:
        """Return the module and name of a function or class."""
        if not callable(python_artifact):
            raise CheckError(f"`python_artifact` must be a function or class, not {python_artifact!r}")
        return PythonArtifactMetadataValue(python_artifact.__module__, python_artifact.__name__)

    @staticmethod
    def float(value: builtins.float) -> FloatMetadataValue:
        """Return a float."""
        return FloatMetadataValue(value)

    @staticmethod
    def int(value: builtins.int) -> IntMetadataValue:
        """Return an int."""
        return IntMetadataValue(value)

    @staticmethod
    def bool(value: builtins.bool) -> BoolMetadataValue:
        """Return a bool."""
        return BoolMetadataValue(value)

    @staticmethod
    def timestamp(value: builtins.float | datetime) -> TimestampMetadataValue:
        """Return a moment, given in seconds since 1970 (UTC) or as a datetime with a timezone.

        Raises:
            CheckError: for a datetime without timezone, or something else.
        """
        if isinstance(value, datetime) and value.tzinfo is None:
            raise CheckError(f"`value` needs a timezone, which {value!r} lacks: add `tzinfo=timezone.utc`")
        return TimestampMetadataValue(value.timestamp() if isinstance(value, datetime) else value)

    @staticmethod
    def asset(asset_key: AssetKey) -> DagsterAssetMetadataValue:
        """Return a reference to an asset."""
        return DagsterAssetMetadataValue(asset_key)

    @staticmethod
    def job(job_name: str, location_name: str, *, repository_name: str | None = None) -> DagsterJobMetadataValue:
        """Return a reference to a job."""
        return DagsterJobMetadataValue(job_name, location_name, repository_name)

    @staticmethod
    def dagster_run(run_id: str) -> DagsterRunMetadataValue:
        """Return a reference to a run."""
        return DagsterRunMetadataValue(run_id)

    @staticmethod
    def table(records: Sequence[TableRecord], schema: TableSchema | None = None) -> TableMetadataValue:
        """Return rows; the schema is inferred from the first one when it isn't given."""
        return TableMetadataValue(records, schema)

    @staticmethod
    def table_schema(schema: TableSchema) -> TableSchemaMetadataValue:
        """Return the columns of a table."""
        return TableSchemaMetadataValue(schema)

    @staticmethod
    def column_lineage(lineage: TableColumnLineage) -> TableColumnLineageMetadataValue:
        """Return where the columns of a table come from."""
        return TableColumnLineageMetadataValue(lineage)

    @staticmethod
    def null() -> NullMetadataValue:
        """Return the value that stands for None."""
        return NullMetadataValue()

    @staticmethod
    def code_location_reconstruction(data: str) -> CodeLocationReconstructionMetadataValue:
        """Return text that a code location needs to be built again."""
        return CodeLocationReconstructionMetadataValue(data)

    @staticmethod
    def pool(pool: str) -> PoolMetadataValue:
        """Return a reference to a concurrency pool."""
        return PoolMetadataValue(pool)


def optional(value: Any, wanted: type, what: str) -> None:
    """Raise CheckError unless ``value`` is None or an instance of ``wanted``."""
    if value is not None:
        typed(value, wanted, what)


# `field()` without arguments: else a field inherits as its default the constructor that has its name.


@dataclass(frozen=True, repr=False)
class TextMetadataValue(MetadataValue, kind="text"):
    """Hold a short text."""

    text: str | None = field(default="")  # type: ignore[assignment]  # Dagster's field has the constructor's name

    def __post_init__(self) -> None:
        optional(self.text, str, "text")

    @property
    def value(self) -> str | None:
        """Return the text."""
        return self.text


@dataclass(frozen=True, repr=False)
class UrlMetadataValue(MetadataValue, kind="url"):
    """Hold a link."""

    url: str | None = field(default="")  # type: ignore[assignment]

    def __post_init__(self) -> None:
        optional(self.url, str, "url")

    @property
    def value(self) -> str | None:
        """Return the address."""
        return self.url


@dataclass(frozen=True, repr=False, init=False)
class PathMetadataValue(MetadataValue, kind="path"):
    """Hold a path of the file system."""

    fspath: str

    def __init__(self, path: str | os.PathLike[str] | None = "") -> None:
        given = typed(path if path is not None else "", (str, os.PathLike), "path")
        object.__setattr__(self, "fspath", os.fspath(given))

    @property
    def value(self) -> str:
        """Return the path as a string."""
        return self.fspath

    @property
    def path(self) -> str:  # type: ignore[override]
        """Return the path as a string, under Dagster's other name."""
        return self.fspath

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> PathMetadataValue:
        return cls(payload["fspath"])


@dataclass(frozen=True, repr=False, init=False)
class NotebookMetadataValue(PathMetadataValue, kind="notebook"):
    """Hold the path of a notebook."""


@dataclass(frozen=True, repr=False)
class JsonMetadataValue(MetadataValue, kind="json"):
    """Hold what JSON can; tuples become lists, keys strings and enums their values.

    Raises:
        DagsterInvalidMetadata: when JSON can't hold it.
    """

    data: Any

    def __post_init__(self) -> None:
        if self.data is not None:
            typed(self.data, (Mapping, Sequence), "data")
        try:
            data = json.loads(json.dumps(self.data))
        except (TypeError, ValueError, RecursionError) as error:
            raise DagsterInvalidMetadata(f"JSON can't hold this value: {error}") from error
        object.__setattr__(self, "data", data)

    @property
    def value(self) -> Any:
        """Return the data."""
        return self.data


@dataclass(frozen=True, repr=False)
class MarkdownMetadataValue(MetadataValue, kind="md"):
    """Hold Markdown."""

    md_str: str | None = ""

    def __post_init__(self) -> None:
        optional(self.md_str, str, "md_str")

    @property
    def value(self) -> str | None:
        """Return the Markdown."""
        return self.md_str


@dataclass(frozen=True, repr=False)
class PythonArtifactMetadataValue(MetadataValue, kind="python_artifact"):
    """Name a function or class."""

    module: str
    name: str

    def __post_init__(self) -> None:
        typed(self.module, str, "module")
        typed(self.name, str, "name")

    @property
    def value(self) -> PythonArtifactMetadataValue:
        """Return this."""
        return self


@dataclass(frozen=True, repr=False)
class FloatMetadataValue(MetadataValue, kind="float"):
    """Hold a float."""

    value: float | None = field()

    def __post_init__(self) -> None:
        optional(self.value, float, "value")

    def _payload(self) -> dict[str, Any]:
        # JSON has no nan and no inf: they travel as words that `float` reads.
        finite = self.value is None or math.isfinite(self.value)
        return {"value": self.value if finite else str(self.value)}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> FloatMetadataValue:
        value = payload["value"]
        return cls(None if value is None else float(value))


@dataclass(frozen=True, repr=False)
class IntMetadataValue(MetadataValue, kind="int"):
    """Hold an int."""

    value: int | None = field()

    def __post_init__(self) -> None:
        optional(self.value, int, "value")


@dataclass(frozen=True, repr=False)
class BoolMetadataValue(MetadataValue, kind="bool"):
    """Hold a bool."""

    value: bool | None = field()

    def __post_init__(self) -> None:
        optional(self.value, bool, "value")


@dataclass(frozen=True, repr=False)
class TimestampMetadataValue(MetadataValue, kind="timestamp"):
    """Hold a moment, in seconds since 1970 (UTC)."""

    value: float = field()

    def __post_init__(self) -> None:
        typed(self.value, float, "value")

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> TimestampMetadataValue:
        return cls(float(payload["value"]))


@dataclass(frozen=True, repr=False)
class DagsterRunMetadataValue(MetadataValue, kind="dagster_run"):
    """Refer to a run."""

    run_id: str

    def __post_init__(self) -> None:
        typed(self.run_id, str, "run_id")

    @property
    def value(self) -> str:
        """Return the run's id."""
        return self.run_id


@dataclass(frozen=True, repr=False)
class DagsterJobMetadataValue(MetadataValue, kind="job"):
    """Refer to a job."""

    job_name: str
    location_name: str
    repository_name: str | None = None

    def __post_init__(self) -> None:
        typed(self.job_name, str, "job_name")
        typed(self.location_name, str, "location_name")
        optional(self.repository_name, str, "repository_name")

    @property
    def value(self) -> DagsterJobMetadataValue:
        """Return this."""
        return self


@dataclass(frozen=True, repr=False)
class DagsterAssetMetadataValue(MetadataValue, kind="asset"):
    """Refer to an asset."""

    asset_key: AssetKey

    def __post_init__(self) -> None:
        typed(self.asset_key, AssetKey, "asset_key")

    @property
    def value(self) -> AssetKey:
        """Return the asset's key."""
        return self.asset_key

    def _payload(self) -> dict[str, Any]:
        return {"asset_key": list(self.asset_key.path)}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> DagsterAssetMetadataValue:
        return cls(AssetKey(payload["asset_key"]))


@dataclass(frozen=True, repr=False)
class TableMetadataValue(MetadataValue, kind="table"):
    """Hold rows and their schema.

    Raises:
        CheckError: when there are neither rows nor a schema, or rows differ in their columns.
    """

    records: Sequence[TableRecord]
    schema: TableSchema | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "records", listed(self.records, TableRecord, "records"))
        object.__setattr__(self, "schema", self._inferred_schema() if self.schema is None else self.schema)
        typed(self.schema, TableSchema, "schema")

    def _inferred_schema(self) -> TableSchema:
        if not self.records:
            raise CheckError("a table without rows needs a `schema`")
        first = self.records[0].data
        if any(record.data.keys() != first.keys() for record in self.records):
            raise CheckError("all rows of a table have the same columns")
        return TableSchema([TableColumn(name, type=self.infer_column_type(value)) for name, value in first.items()])

    @staticmethod
    def infer_column_type(value: Any) -> str:
        """Return ``bool``, ``int``, ``float`` or ``string``."""
        for wanted in (bool, int, float):
            if isinstance(value, wanted):
                return wanted.__name__
        return "string"

    @property
    def value(self) -> TableMetadataValue:
        """Return this."""
        return self

    def _payload(self) -> dict[str, Any]:
        rows = [dict(record.data) for record in self.records]
        return {"records": rows, "schema": asdict(self.schema) if self.schema else None}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> TableMetadataValue:
        return cls([TableRecord(row) for row in payload["records"]], schema_from(payload["schema"]))


def schema_from(data: Mapping[str, Any]) -> TableSchema:
    """Return the TableSchema of which ``data`` is the ``asdict``."""
    columns = [
        TableColumn(**{**column, "constraints": TableColumnConstraints(**column["constraints"])})
        for column in data["columns"]
    ]
    return TableSchema(columns, TableConstraints(**data["constraints"]))


@dataclass(frozen=True, repr=False)
class TableSchemaMetadataValue(MetadataValue, kind="table_schema"):
    """Hold the columns of a table."""

    schema: TableSchema

    def __post_init__(self) -> None:
        typed(self.schema, TableSchema, "schema")

    @property
    def value(self) -> TableSchema:
        """Return the schema."""
        return self.schema

    def _payload(self) -> dict[str, Any]:
        return {"schema": asdict(self.schema)}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> TableSchemaMetadataValue:
        return cls(schema_from(payload["schema"]))


@dataclass(frozen=True, repr=False, init=False)
class TableColumnLineageMetadataValue(MetadataValue, kind="column_lineage"):
    """Hold where the columns of a table come from."""

    lineage: TableColumnLineage

    def __init__(self, column_lineage: TableColumnLineage) -> None:
        object.__setattr__(self, "lineage", typed(column_lineage, TableColumnLineage, "lineage"))

    @property
    def value(self) -> TableColumnLineage:
        """Return the lineage."""
        return self.lineage

    def _payload(self) -> dict[str, Any]:
        deps = self.lineage.deps_by_column.items()
        return {"lineage": {name: [[list(dep.asset_key.path), dep.column_name] for dep in of] for name, of in deps}}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> TableColumnLineageMetadataValue:
        deps = payload["lineage"].items()
        return cls(TableColumnLineage({name: [TableColumnDep(key, column) for key, column in of] for name, of in deps}))


@dataclass(frozen=True, repr=False)
class NullMetadataValue(MetadataValue, kind="null"):
    """Stand for None."""

    @property
    def value(self) -> None:
        """Return None."""
        return


@dataclass(frozen=True, repr=False, init=False)
class PoolMetadataValue(MetadataValue, kind="pool"):
    """Refer to a concurrency pool."""

    name: str

    def __init__(self, pool: str) -> None:
        object.__setattr__(self, "name", typed(pool, str, "pool"))

    @property
    def value(self) -> str:
        """Return the pool's name."""
        return self.name

    @property
    def pool(self) -> str:  # type: ignore[override]
        """Return the pool's name, under Dagster's other name."""
        return self.name

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> PoolMetadataValue:
        return cls(payload["name"])


@dataclass(frozen=True, repr=False)
class CodeLocationReconstructionMetadataValue(MetadataValue, kind="code_location_reconstruction"):
    """Hold text that a code location needs to be built again."""

    data: str

    def __post_init__(self) -> None:
        typed(self.data, str, "data")

    @property
    def value(self) -> str:
        """Return the text."""
        return self.data


# -- from plain values


@dataclass(frozen=True, init=False)
class MetadataEntry:
    """Hold metadata with a label: Dagster's older form."""

    label: str
    description: str | None
    entry_data: MetadataValue

    def __init__(
        self, label: str, description: str | None = None, entry_data: Any = None, value: RawMetadataValue = None
    ) -> None:
        object.__setattr__(self, "label", typed(label, str, "label"))
        object.__setattr__(self, "description", description)
        object.__setattr__(self, "entry_data", metadata_value(value if entry_data is None else entry_data, label))

    @property
    def value(self) -> MetadataValue:
        """Return the metadata."""
        return self.entry_data


def normalize_metadata(metadata: Mapping[str, Any], allow_invalid: bool = False) -> dict[str, MetadataValue]:
    """Return each value as a MetadataValue.

    Args:
        metadata: label -> plain value or MetadataValue.
        allow_invalid: put a text that names its type in place of a value that can't be metadata.

    Raises:
        CheckError: when ``metadata`` isn't a mapping.
        DagsterInvalidMetadata: when a value can't be metadata, e.g. a DataFrame.

    >>> from pathlib import Path
    >>> normalize_metadata({"rows": 3, "from": Path("raw.csv")})
    {'rows': IntMetadataValue(value=3), 'from': PathMetadataValue(fspath='raw.csv')}
    """
    wrap = metadata_or_text if allow_invalid else metadata_value
    return {label: wrap(value, label) for label, value in typed(metadata, Mapping, "metadata").items()}


DagsterTypeCheckDidNotPass.as_metadata = normalize_metadata


def metadata_or_text(value: Any, label: str = "metadata") -> MetadataValue:
    """Return ``value`` as metadata, or a text that names its type."""
    try:
        return metadata_value(value, label)
    except DagsterInvalidMetadata:
        return TextMetadataValue(f"[{type(value).__name__}] (unserializable)")


def metadata_value(value: Any, label: str = "metadata") -> MetadataValue:
    """Return ``value`` as metadata.

    Raises:
        DagsterInvalidMetadata: when its type can't be metadata, with the constructor to use instead.
    """
    if isinstance(value, MetadataValue):
        return value
    for kinds, wrap in WRAPPERS:
        if isinstance(value, kinds):
            try:
                return wrap(value)
            except DagsterInvalidMetadata as error:
                raise DagsterInvalidMetadata(f"metadata `{label}`: {error.message}") from error
    kind = type(value)
    raise DagsterInvalidMetadata(
        f"metadata `{label}` can't be of type `{kind.__module__}.{kind.__qualname__}`", hint=advice(value)
    )


WRAPPERS: tuple[tuple[Any, Callable[[Any], MetadataValue]], ...] = (
    (type(None), lambda _: NullMetadataValue()),
    (str, lambda value: TextMetadataValue(str(value))),  # numpy.str_ is one, and no store can write it
    (bool, BoolMetadataValue),
    (int, IntMetadataValue),
    (float, lambda value: FloatMetadataValue(float(value))),
    ((dict, list), JsonMetadataValue),
    (os.PathLike, PathMetadataValue),
    (TableSchema, TableSchemaMetadataValue),
    (TableColumnLineage, TableColumnLineageMetadataValue),
    (AssetKey, DagsterAssetMetadataValue),
)


def advice(value: Any) -> str:
    """Return what to write instead of a value that can't be metadata."""
    if isinstance(value, datetime):
        return "`MetadataValue.timestamp(...)`"
    if isinstance(value, tuple | set | frozenset):
        return "`list(...)`"
    if hasattr(value, "to_markdown") or hasattr(value, "columns"):
        return "`MetadataValue.md(df.head().to_markdown())`, or `TableSchema` for its columns"
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "item"):
        return "`.item()` makes it a Python number" if getattr(value, "ndim", 0) == 0 else "`.tolist()`"
    return "`MetadataValue.text(repr(...))`, or another constructor of `MetadataValue`"


def checked_raw(metadata: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a copy of metadata that will be normalised later.

    Raises:
        CheckError: when it isn't a mapping, or a value is of a type that can't be metadata.
    """
    if metadata is None:
        return None
    allowed = (MetadataValue, *RAW_TYPES)
    for label, value in typed(metadata, Mapping, "metadata").items():
        typed(label, str, "label of metadata")
        if not isinstance(value, allowed):
            raise CheckError(f"metadata `{label}` can't be of type `{type(value).__name__}`: {advice(value)}")
    return dict(metadata)
