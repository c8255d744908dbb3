"""What is said about a value: numbers, texts, links, tables ... as frozen values.

Each kind of metadata is a dataclass below :class:`MetadataValue`, which also makes them: ``MetadataValue.md("*hi*")``.
A plain Python value is wrapped by plain.py. Pydantic writes and reads all of them as ``{"kind": "int", "value": 5}``,
so events that carry metadata need nothing of their own for it.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from ipy_orch.errors import CheckError, DagsterError
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.late import late
from ipy_orch.model.tables import Brief, TableColumnLineage, TableRecord, TableSchema, typed

if TYPE_CHECKING:
    from ipy_orch.model.metadata import references, scalars, tables
else:
    references, scalars, tables = late("ipy_orch.model.metadata", "references", "scalars", "tables")

__all__ = ["DagsterInvalidMetadata", "MetadataValue", "optional"]


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
    def text(text: str) -> scalars.TextMetadataValue:
        """Return a short text."""
        return scalars.TextMetadataValue(text)

    @staticmethod
    def url(url: str) -> scalars.UrlMetadataValue:
        """Return a link."""
        return scalars.UrlMetadataValue(url)

    @staticmethod
    def path(path: str | os.PathLike[str]) -> scalars.PathMetadataValue:
        """Return a path of the file system."""
        return scalars.PathMetadataValue(path)

    @staticmethod
    def notebook(path: str | os.PathLike[str]) -> scalars.NotebookMetadataValue:
        """Return the path of a notebook."""
        return scalars.NotebookMetadataValue(path)

    @staticmethod
    def json(data: Sequence[Any] | Mapping[str, Any]) -> scalars.JsonMetadataValue:
        """Return data that JSON can hold."""
        return scalars.JsonMetadataValue(data)

    @staticmethod
    def md(data: str) -> scalars.MarkdownMetadataValue:
        """Return Markdown."""
        return scalars.MarkdownMetadataValue(data)

    @staticmethod
    def python_artifact(python_artifact: Callable[..., Any]) -> references.PythonArtifactMetadataValue:
        """Return the module and name of a function or class."""
        if not callable(python_artifact):
            raise CheckError(f"`python_artifact` must be a function or class, not {python_artifact!r}")
        return references.PythonArtifactMetadataValue(python_artifact.__module__, python_artifact.__name__)

    @staticmethod
    def float(value: builtins.float) -> scalars.FloatMetadataValue:
        """Return a float."""
        return scalars.FloatMetadataValue(value)

    @staticmethod
    def int(value: builtins.int) -> scalars.IntMetadataValue:
        """Return an int."""
        return scalars.IntMetadataValue(value)

    @staticmethod
    def bool(value: builtins.bool) -> scalars.BoolMetadataValue:
        """Return a bool."""
        return scalars.BoolMetadataValue(value)

    @staticmethod
    def timestamp(value: builtins.float | datetime) -> scalars.TimestampMetadataValue:
        """Return a moment, given in seconds since 1970 (UTC) or as a datetime with a timezone.

        Raises:
            CheckError: for a datetime without timezone, or something else.
        """
        if isinstance(value, datetime) and value.tzinfo is None:
            raise CheckError(f"`value` needs a timezone, which {value!r} lacks: add `tzinfo=timezone.utc`")
        return scalars.TimestampMetadataValue(value.timestamp() if isinstance(value, datetime) else value)

    @staticmethod
    def asset(asset_key: AssetKey) -> references.DagsterAssetMetadataValue:
        """Return a reference to an asset."""
        return references.DagsterAssetMetadataValue(asset_key)

    @staticmethod
    def job(
        job_name: str, location_name: str, *, repository_name: str | None = None
    ) -> references.DagsterJobMetadataValue:
        """Return a reference to a job."""
        return references.DagsterJobMetadataValue(job_name, location_name, repository_name)

    @staticmethod
    def dagster_run(run_id: str) -> references.DagsterRunMetadataValue:
        """Return a reference to a run."""
        return references.DagsterRunMetadataValue(run_id)

    @staticmethod
    def table(records: Sequence[TableRecord], schema: TableSchema | None = None) -> tables.TableMetadataValue:
        """Return rows; the schema is inferred from the first one when it isn't given."""
        return tables.TableMetadataValue(records, schema)

    @staticmethod
    def table_schema(schema: TableSchema) -> tables.TableSchemaMetadataValue:
        """Return the columns of a table."""
        return tables.TableSchemaMetadataValue(schema)

    @staticmethod
    def column_lineage(lineage: TableColumnLineage) -> tables.TableColumnLineageMetadataValue:
        """Return where the columns of a table come from."""
        return tables.TableColumnLineageMetadataValue(lineage)

    @staticmethod
    def null() -> scalars.NullMetadataValue:
        """Return the value that stands for None."""
        return scalars.NullMetadataValue()

    @staticmethod
    def code_location_reconstruction(data: str) -> scalars.CodeLocationReconstructionMetadataValue:
        """Return text that a code location needs to be built again."""
        return scalars.CodeLocationReconstructionMetadataValue(data)

    @staticmethod
    def pool(pool: str) -> references.PoolMetadataValue:
        """Return a reference to a concurrency pool."""
        return references.PoolMetadataValue(pool)


def optional(value: Any, wanted: type, what: str) -> None:
    """Raise CheckError unless ``value`` is None or an instance of ``wanted``."""
    if value is not None:
        typed(value, wanted, what)
