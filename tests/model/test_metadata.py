"""Metadata: plain values wrapped, wrong ones refused, all of them through JSON and back."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime
from enum import Enum
from itertools import count
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from ipy_orch.errors import CheckError, DagsterTypeCheckDidNotPass
from ipy_orch.model.code_references import (
    AnchorBasedFilePathMapping,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
    UrlCodeReference,
)
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.plain import MetadataEntry, normalize_metadata
from ipy_orch.model.metadata.references import DagsterAssetMetadataValue
from ipy_orch.model.metadata.scalars import (
    BoolMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from ipy_orch.model.metadata.tables import TableColumnLineageMetadataValue, TableMetadataValue, TableSchemaMetadataValue
from ipy_orch.model.metadata.value import DagsterInvalidMetadata, MetadataValue
from ipy_orch.model.results import MaterializeResult
from ipy_orch.model.tables import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)

SCHEMA = TableSchema(
    [
        TableColumn(
            "id", "int64", "the key", TableColumnConstraints(nullable=False, unique=True, other=["> 0"]), {"a": "b"}
        )
    ],
    TableConstraints(["not empty"]),
)
LINEAGE = TableColumnLineage({"total": [TableColumnDep(AssetKey(["raw", "orders"]), "amount")]})

EVERY_KIND = [
    MetadataValue.text("x"),
    MetadataValue.url("https://example.com"),
    MetadataValue.path("a/b"),
    MetadataValue.notebook(Path("a.ipynb")),
    MetadataValue.json({"a": [1, {"b": None}]}),
    MetadataValue.md("*x*"),
    MetadataValue.python_artifact(math.floor),
    MetadataValue.float(1.5),
    MetadataValue.float(math.inf),
    MetadataValue.int(5),
    MetadataValue.bool(True),
    MetadataValue.timestamp(1.5),
    MetadataValue.asset(AssetKey(["a", "b"])),
    MetadataValue.job("job", "here", repository_name="repo"),
    MetadataValue.dagster_run("123"),
    MetadataValue.table([TableRecord({"a": 1, "b": None})]),
    MetadataValue.table([], SCHEMA),
    MetadataValue.table_schema(SCHEMA),
    MetadataValue.column_lineage(LINEAGE),
    MetadataValue.null(),
    MetadataValue.code_location_reconstruction("x"),
    MetadataValue.pool("db"),
    CodeReferencesMetadataValue(
        code_references=[LocalFileCodeReference(file_path="a.py", line_number=3), UrlCodeReference(url="https://x")]
    ),
]


@pytest.mark.parametrize("value", EVERY_KIND, ids=[f"{n}-{value.kind}" for n, value in enumerate(EVERY_KIND)])
def test_every_kind_survives_json_and_pickle(value):
    """What is written to a log or sent to a worker is read back equal."""
    adapter = TypeAdapter(MetadataValue)
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert pickle.loads(pickle.dumps(value)) == value


def test_nan_survives_json():
    """JSON has no nan, metadata has."""
    adapter = TypeAdapter(MetadataValue)
    assert math.isnan(adapter.validate_json(adapter.dump_json(MetadataValue.float(math.nan))).value)


def test_every_kind_is_tested():
    """The list above names every kind there is."""
    assert {value.kind for value in EVERY_KIND} == set(MetadataValue.by_kind)


@pytest.mark.parametrize("data", [5, {"kind": "no such"}, {"kind": "int", "value": "x"}, {"kind": "int", "other": 1}])
def test_other_json_is_refused(data):
    """What isn't metadata is a validation error, whatever is wrong with it."""
    with pytest.raises(ValidationError):
        TypeAdapter(MetadataValue).validate_python(data)


def test_field_of_one_kind_refuses_another():
    """An annotation with a subclass takes only that one."""
    with pytest.raises(ValidationError):
        TypeAdapter(IntMetadataValue).validate_python(MetadataValue.text("x"))


@pytest.mark.parametrize(
    ("plain", "wrapped"),
    [
        ("x", TextMetadataValue("x")),
        (5, IntMetadataValue(5)),
        (True, BoolMetadataValue(True)),
        (1.5, FloatMetadataValue(1.5)),
        (None, NullMetadataValue()),
        ({"a": (1, 2)}, JsonMetadataValue({"a": [1, 2]})),
        ([1], JsonMetadataValue([1])),
        (Path("/x"), PathMetadataValue("/x")),
        (AssetKey("a"), DagsterAssetMetadataValue(AssetKey("a"))),
        (SCHEMA, TableSchemaMetadataValue(SCHEMA)),
        (LINEAGE, TableColumnLineageMetadataValue(LINEAGE)),
        (MetadataValue.md("x"), MarkdownMetadataValue("x")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_values_are_wrapped(plain, wrapped):
    """Each plain type has its kind."""
    assert normalize_metadata({"label": plain}) == {"label": wrapped}


class Frame:
    """Look like a data frame."""

    columns = ("a",)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (object(), "MetadataValue"),
        ((1,), "list"),
        ({1}, "list"),
        (Frame(), "to_markdown"),
        (datetime(2020, 1, 1, tzinfo=UTC), "timestamp"),
        ({"a": object()}, ""),
        ([{1}], ""),
    ],
)
def test_other_values_are_refused(value, hint):
    """The message names the label and says what to write."""
    with pytest.raises(DagsterInvalidMetadata, match="label") as caught:
        normalize_metadata({"label": value})
    assert hint in str(caught.value)


def test_invalid_values_may_become_texts():
    """Where definitions allow anything, the type's name stands in its place."""
    wrapped = normalize_metadata({"a": (1,), "b": 1}, allow_invalid=True)
    assert wrapped == {"a": TextMetadataValue("[tuple] (unserializable)"), "b": IntMetadataValue(1)}


def test_metadata_must_be_a_mapping():
    """A list of pairs isn't one."""
    with pytest.raises(CheckError):
        normalize_metadata([("a", 1)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: MetadataValue.text(1),
        lambda: MetadataValue.url(1),
        lambda: MetadataValue.path(1),
        lambda: MetadataValue.json(1),
        lambda: MetadataValue.md(1),
        lambda: MetadataValue.python_artifact(1),
        lambda: MetadataValue.float(1),
        lambda: MetadataValue.int(1.5),
        lambda: MetadataValue.bool(1),
        lambda: MetadataValue.timestamp(1),
        lambda: MetadataValue.timestamp(datetime(2020, 1, 1)),  # noqa: DTZ001
        lambda: MetadataValue.asset("a"),
        lambda: MetadataValue.dagster_run(1),
        lambda: MetadataValue.table([]),
        lambda: MetadataValue.table([{"a": 1}]),
        lambda: MetadataValue.table([TableRecord({"a": 1}), TableRecord({"b": 1})]),
        lambda: MetadataValue.table_schema(1),
        lambda: MetadataValue.column_lineage(1),
        lambda: MetadataValue.code_location_reconstruction(1),
        lambda: TableRecord({"a": [1]}),
        lambda: TableRecord({1: 1}),
        lambda: TableColumn(1),
        lambda: TableColumn("a", tags={"a": 1}),
        lambda: TableColumnConstraints(other="x"),
        lambda: TableSchema([{"name": "a"}]),
    ],
    ids=count(),
)
def test_constructors_check_types(make):
    """A value of another type is refused where it is given."""
    with pytest.raises(CheckError):
        make()


def test_values_can_be_none_where_dagster_allows():
    """A number that isn't known is None."""
    assert IntMetadataValue(None).value is None
    assert FloatMetadataValue(None).value is None


def test_constructors_take_positions_and_names():
    """Both spellings occur in Dagster code."""
    assert UrlMetadataValue("u").url == UrlMetadataValue(url="u").value == "u"
    assert IntMetadataValue(5) == IntMetadataValue(value=5) == MetadataValue.int(5)
    assert PathMetadataValue(Path("a")).path == "a"


def test_the_base_class_holds_nothing():
    """Metadata is made by a constructor."""
    with pytest.raises(TypeError):
        MetadataValue()


def test_kinds_differ():
    """1 isn't True, though Python says so."""
    assert MetadataValue.int(1) != MetadataValue.bool(True)
    assert len({MetadataValue.int(1), MetadataValue.int(1)}) == 1


def test_json_holds_values_of_enums():
    """An enum of ints is the int."""

    class Status(int, Enum):
        DONE = 1

    assert JsonMetadataValue({"status": [Status.DONE]}).data == {"status": [1]}


def test_json_that_holds_itself_is_refused():
    """No recursion error comes through."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(DagsterInvalidMetadata):
        MetadataValue.json(loop)


def test_timestamp_of_a_datetime():
    """The timezone is taken into account."""
    assert MetadataValue.timestamp(datetime(1970, 1, 2, tzinfo=UTC)) == TimestampMetadataValue(86400.0)


def test_table_infers_its_schema():
    """The first row tells the types."""
    table = MetadataValue.table([TableRecord({"i": 1, "f": 1.5, "b": True, "s": "x", "n": None})])
    assert [(column.name, column.type) for column in table.schema.columns] == [
        ("i", "int"),
        ("f", "float"),
        ("b", "bool"),
        ("s", "string"),
        ("n", "string"),
    ]
    assert table.value is table
    assert TableMetadataValue([TableRecord({"a": 1})], schema=SCHEMA).schema == SCHEMA


def test_schema_from_names_and_types():
    """A dict is enough for a plain schema."""
    assert TableSchema.from_name_type_dict({"a": "x"}) == TableSchema(columns=[TableColumn(name="a", type="x")])


def test_reprs_leave_out_defaults():
    """A schema of many columns stays readable."""
    assert repr(TableSchema([TableColumn("a")])) == "TableSchema(columns=[TableColumn(name='a')])"
    assert repr(MetadataValue.job("a", "b")) == "DagsterJobMetadataValue(job_name='a', location_name='b')"


def test_entry_wraps_its_value():
    """Dagster's older form still works."""
    assert MetadataEntry("a", value=5).value == MetadataEntry("a", entry_data=MetadataValue.int(5)).entry_data


def test_file_paths_map_into_the_repository():
    """One known file is enough, above or below it."""
    mapping = AnchorBasedFilePathMapping(Path("/home/project/src"), "python/src")
    assert mapping.convert_to_source_control_path(Path("/home/project/src/a.py")) == "python/src/a.py"
    assert mapping.convert_to_source_control_path(Path("/home/project/setup.py")) == "python/setup.py"


def test_numpy_s_own_floats_and_texts_become_python_s() -> None:
    """They pass as float and str, but nothing could store them."""
    import numpy as np

    found = normalize_metadata({"share": np.float64(0.5), "name": np.str_("x")})
    assert [type(value.value) for value in found.values()] == [float, str]


def test_numbers_of_numpy_are_metadata() -> None:
    """What sums and comparisons of a table give is a number to everybody but Python."""
    import numpy as np

    said = {"missing": np.int64(3), "share": np.float32(0.5), "late": np.bool_(True)}
    assert {name: value.value for name, value in normalize_metadata(said).items()} == {
        "missing": 3,
        "share": 0.5,
        "late": True,
    }
    assert {type(value) for value in (MaterializeResult(metadata=said).metadata or {}).values()} == {int, float, bool}
    with pytest.raises(DagsterInvalidMetadata, match="tolist"):
        normalize_metadata({"all": np.array([1, 2])})


def test_what_a_type_check_tells_is_metadata() -> None:
    """Plain values that a failed type check is raised with become metadata values."""
    error = DagsterTypeCheckDidNotPass("wrong", metadata={"rows": 3})
    assert error.metadata == {"rows": MetadataValue.int(3)}
