"""Metadata about tables: some rows, the columns, where the columns come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ipy_orch.errors import CheckError
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import (
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

__all__ = ["TableColumnLineageMetadataValue", "TableMetadataValue", "TableSchemaMetadataValue"]


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
