"""Values as JSON text and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

import pytest

from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.model.code_references import CodeReferencesMetadataValue, LocalFileCodeReference
from ipy_orch.model.keys import AssetCheckKey, AssetJobKey, AssetKey
from ipy_orch.model.metadata.scalars import JsonMetadataValue, TimestampMetadataValue
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.policies import RetryPolicy
from ipy_orch.model.results import AssetCheckEvaluation, AssetCheckSeverity, AssetMaterialization, AssetObservation
from ipy_orch.model.serdes import deserialize_value, serializable, serialize_value
from ipy_orch.model.tables import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    TableSchema,
)

ORDERS = AssetKey(["sales", "orders"])
SCHEMA = TableSchema([TableColumn("id", "int", constraints=TableColumnConstraints(unique=True), tags={"pk": ""})])
VALUES = [
    MetadataValue.text("a"),
    MetadataValue.int(1),
    MetadataValue.float(float("inf")),
    MetadataValue.bool(True),
    MetadataValue.null(),
    MetadataValue.url("https://a"),
    MetadataValue.path("/a"),
    MetadataValue.notebook("/a.ipynb"),
    MetadataValue.md("# a"),
    MetadataValue.timestamp(1.5),
    MetadataValue.json({"__class__": "AssetKey", "path": [1]}),
    MetadataValue.python_artifact(AssetKey),
    MetadataValue.asset(ORDERS),
    MetadataValue.job("nightly", "shop"),
    MetadataValue.dagster_run("r1"),
    MetadataValue.table([TableRecord({"id": 1})], SCHEMA),
    MetadataValue.table_schema(SCHEMA),
    MetadataValue.column_lineage(TableColumnLineage({"id": [TableColumnDep(ORDERS, "key")]})),
    CodeReferencesMetadataValue(code_references=[LocalFileCodeReference(file_path="a.py", line_number=3)]),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_metadata(value):
    """Each kind of metadata comes back as it was, and says what it is."""
    text = serialize_value(value)

    assert json.loads(text)["__class__"] == type(value).__name__
    assert deserialize_value(text, type(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        ORDERS,
        AssetCheckKey(ORDERS, "unique"),
        AssetJobKey.from_user_string("nightly"),
        AssetMaterialization(ORDERS, "told", {"rows": 3}, tags={"a": "b"}),
        AssetObservation(ORDERS),
        AssetCheckSeverity.WARN,
        {ORDERS: {1, 2}, AssetKey("a"): frozenset("b")},
        [{"a": [1, 2.5, None, True]}, "text"],
        RetryPolicy(max_retries=2, delay=0.5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_rest(value):
    """Keys, facts, enums and containers of them come back as they were."""
    assert deserialize_value(serialize_value(value)) == value


def test_a_verdict():
    """A check's verdict keeps its key, its severity and its metadata."""
    verdict = AssetCheckEvaluation(
        asset_key=ORDERS, check_name="unique", passed=False, metadata={"rows": MetadataValue.int(3)}
    )

    assert deserialize_value(serialize_value(verdict)) == verdict


def test_what_dagster_wrote():
    """Its names for stored metadata, and its older names of fields, are read."""
    value = deserialize_value(
        '{"__class__": "JsonMetadataEntryData", "data": {"x": {"__class__": "Gone"}}}', JsonMetadataValue
    )
    verdict = deserialize_value(
        '{"__class__": "AssetCheckEvaluation", "asset_key": {"__class__": "AssetKey", "path": ["a"]}, '
        '"check_name": "c", "metadata": {}, "severity": {"__enum__": "AssetCheckSeverity.WARN"}, "success": true, '
        '"target_materialization_data": null, "added_later": 1}'
    )

    assert value.data == {"x": {"__class__": "Gone"}}
    assert (verdict.passed, verdict.severity) == (True, AssetCheckSeverity.WARN)


def test_classes_of_others():
    """Only what was declared serializable is written, and made from a text."""

    @dataclass(frozen=True)
    class Cursor:
        position: int

    class Color(Enum):
        RED = 1

    with pytest.raises(DagsterInvariantViolationError, match="`Cursor` can't be written"):
        serialize_value([Cursor(3)])
    with pytest.raises(DagsterInvariantViolationError, match="`Color` can't be written"):
        serialize_value(Color.RED)
    serializable(Cursor)
    serializable(Color)
    assert deserialize_value(serialize_value([Cursor(3), Color.RED])) == [Cursor(3), Color.RED]


def test_texts_that_do_not_fit():
    """A class that nobody declared, and a value of another type, are refused."""
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `AssetKey`"):
        deserialize_value('{"__class__": "AssetKy", "path": ["a"]}')
    with pytest.raises(CheckError):
        deserialize_value(serialize_value(ORDERS), TimestampMetadataValue)
