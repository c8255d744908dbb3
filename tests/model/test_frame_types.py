"""Data frames whose columns and rows are checked: pandera schemas and pydantic row models."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Literal

import pandas as pd
import pandera.pandas as pa
import pandera.polars as pap
import polars as pl
import pytest
from pandera.typing import DataFrame
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ipy_orch import AssetOut, Config, In, MaterializeResult, Out, asset, materialize, multi_asset, op
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterTypeCheckDidNotPass
from ipy_orch.model.types.annotations import (
    DagsterType,
    check_dagster_type,
    make_python_type_usable_as_dagster_type,
    resolve_dagster_type,
    types_by_key,
)
from ipy_orch.model.types.frames import COLUMN_SCHEMA
from ipy_orch.model.types.pandera import PanderaType, pandera_schema_to_dagster_type
from ipy_orch.model.types.row_models import RowModelType, row_model_to_dagster_type


class Orders(pa.DataFrameModel):
    """Orders of a day."""

    id: int = pa.Field(unique=True, description="their number")
    price: float = pa.Field(gt=0)
    status: str = pa.Field(isin=["paid", "open"], nullable=True)

    class Config:
        """What pandera reads."""

        strict = True


class PolarsOrders(pap.DataFrameModel):
    id: int = pap.Field(unique=True)
    price: float = pap.Field(gt=0)


Raw = pa.DataFrameSchema(
    {
        "id": pa.Column(int, pa.Check(lambda ids: ids % 2 == 0, error="even")),
        "when": pa.Column("datetime64[ns]", nullable=True, required=False),
        "any": pa.Column(required=False),
    },
    checks=pa.Check(lambda frame: len(frame) < 4, error="a few rows"),
    unique=["id", "any"],
    name="Raw",
)


class Status(enum.Enum):
    paid = "paid"
    open = "open"


class Order(BaseModel):
    """One order."""

    id: int = Field(gt=0, description="its number")
    price: float | None
    status: Literal["paid", "open"] = "open"
    day: dt.date = Field(default=dt.date(2026, 1, 1), alias="Day")


GOOD = {"id": [1, 2], "price": [1.0, 2.5], "status": ["paid", None]}


def told(kind, value):
    """Return what the check of a type says is wrong."""
    found = check_dagster_type(kind, value)
    assert not found.success
    return found.description


# -- pandera


@pytest.mark.parametrize("spelling", [Orders, Orders.to_schema(), DataFrame[Orders]], ids=["class", "schema", "of"])
def test_a_pandera_schema_is_a_type(spelling):
    """In each of its spellings."""
    kind = resolve_dagster_type(spelling)
    assert (kind.display_name, kind.description, kind.typing_type) == ("Orders", "Orders of a day.", pd.DataFrame)
    assert kind == resolve_dagster_type(spelling) != resolve_dagster_type(Raw)
    assert check_dagster_type(spelling, pd.DataFrame(GOOD)).success


def test_failures_name_columns_and_rows():
    """By the index of the frame, and a few of them only."""
    bad = pd.DataFrame(
        {"id": [1, 1, 2, 3, 4], "price": [-1.0, 2, 0, -3, -4], "status": ["paid", "lost", None, "open", "open"]},
        index=list("abcde"),
    )
    assert told(Orders, bad).splitlines() == [
        "`id`: `unique` fails in 2 rows: row a: 1, row b: 1",
        "  `price`: `> 0` fails in 4 rows: row a: -1.0, row c: 0.0, row d: -3.0, ...",
        "  `status`: `in ['paid', 'open']` fails in 1 row: row b: lost",
    ]
    records = check_dagster_type(Orders, bad).metadata["failures"].records
    assert records[-1].data == {"column": "status", "rule": "in ['paid', 'open']", "row": "b", "value": "lost"}
    assert len(records) == 7


@pytest.mark.parametrize(
    ("kind", "frame", "said"),
    [
        (Orders, pd.DataFrame({"id": [1], "status": ["paid"]}), "`price`: the column is missing"),
        (Orders, pd.DataFrame({**GOOD, "more": [1, 2]}), "`more`: the column isn't in the schema"),
        (Orders, pd.DataFrame({**GOOD, "price": [1.0, None]}), "`price`: `not null` fails in 1 row: row 1: nan"),
        (Orders, pd.DataFrame({**GOOD, "id": ["1", "2"]}), "`id`: has the type `str`, not `int64`"),
        (Orders, pd.DataFrame({**GOOD, "id": ["a", "2"]}), "int64"),
        (Raw, pd.DataFrame({"id": [1, 2]}), "`id`: `even` fails in 1 row: row 0: 1"),
        (Raw, pd.DataFrame({"id": [2, 4, 6, 8]}), "`a few rows` fails"),
        (Raw, pd.DataFrame({"id": ["a"]}), "`even` fails: "),
        (Raw, pd.DataFrame({"id": [2], "when": [1.5]}), "`when`: has the type `float64`, not `datetime64[ns]`"),
        (PolarsOrders, pl.DataFrame({"id": [1, 1], "price": [1.0, -1]}), "`price`: `> 0` fails in 1 row: row 1: -1.0"),
        (PolarsOrders, pl.DataFrame({"id": ["1"], "price": [1.0]}), "`id`: has the type `String`, not `Int64`"),
        (Orders, pl.DataFrame(GOOD), "a pandas data frame is wanted, not a `polars.DataFrame`"),
        (PolarsOrders, pd.DataFrame(GOOD), "a polars data frame is wanted, not a `pandas.DataFrame`"),
        (Orders, None, "a pandas data frame is wanted, not a `NoneType`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_be_wrong_with_a_frame(kind, frame, said):
    """Columns, types, rows, the table as a whole, and no frame at all."""
    assert said in told(kind, frame)


def test_polars_frames_are_checked():
    """A lazy one as pandera does it: its columns, not its rows."""
    bad = pl.DataFrame({"id": [1, 1], "price": [1.0, 2.0]})
    assert "`unique` fails in 2 rows" in told(PolarsOrders, bad)
    assert check_dagster_type(PolarsOrders, bad.lazy()).success
    assert "missing" in told(PolarsOrders, bad.lazy().drop("id"))
    assert resolve_dagster_type(PolarsOrders).typing_type is pl.DataFrame


def test_a_schema_shows_its_columns():
    """With types, constraints and descriptions."""
    number, price, status = resolve_dagster_type(Orders).metadata[COLUMN_SCHEMA].schema.columns
    assert (number.type, number.description, number.constraints.unique) == ("int64", "their number", True)
    assert (price.constraints.nullable, price.constraints.other) == (False, ["> 0"])
    assert (status.constraints.nullable, status.constraints.other) == (True, ["in ['paid', 'open']"])
    raw = resolve_dagster_type(Raw).metadata[COLUMN_SCHEMA].schema
    assert raw.constraints.other == ["a few rows", "unique together: id, any"]
    assert [column.type for column in raw.columns] == ["int64", "datetime64[ns]", "any"]
    assert raw.columns[1].constraints.other == ["may be left out"]


def test_a_type_of_a_schema_with_a_name_of_its_own():
    """A made type has a unique name; the schema itself hasn't, so that it may be said many times."""
    kind = pandera_schema_to_dagster_type(Orders, name="Sales", description="what was sold")
    assert (kind.unique_name, kind.description) == ("Sales", "what was sold")
    assert pandera_schema_to_dagster_type(Raw).unique_name == "Raw"
    assert not resolve_dagster_type(Orders).has_unique_name
    assert "pandera.Orders" in types_by_key([resolve_dagster_type(Orders), resolve_dagster_type(Orders)])
    with pytest.raises(CheckError, match="pandera"):
        pandera_schema_to_dagster_type({"id": int})


# -- row models


@pytest.mark.parametrize("library", [pd, pl])
def test_each_row_is_an_instance_of_the_model(library):
    """A missing value is None to it, and its defaults stand for columns that aren't there."""
    frame = library.DataFrame({"id": [1, 2], "price": [1.0, None], "more": [1, 2]})
    assert check_dagster_type(Order, frame).success
    assert isinstance(resolve_dagster_type(Order), RowModelType)


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"price": [1.0]}, "`id`: the column is missing"),
        ({"id": [1, -2, -3]}, "`id`: `greater than 0` fails in 2 rows: row 1: -2, row 2: -3"),
        ({"status": ["paid", "lost"]}, "`status`: `'paid' or 'open'` fails in 1 row: row 1: lost"),
        ({"status": ["paid", None]}, "`status`: `not null` fails in 1 row: row 1: None"),
        ({"id": ["1", "2"]}, "`id`: `int, not str` fails in 2 rows: row 0: 1, row 1: 2"),
        ({"Day": [20260101]}, "`Day`: `date, not int` fails in 1 row"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_be_wrong_with_rows(library, columns, said):
    """Texts aren't read as numbers: the frame would keep the texts."""
    rows = len(next(iter(columns.values())))
    rest = {} if "the column is missing" in said else {"id": [1] * rows, "price": [1.0] * rows}
    assert said in told(Order, library.DataFrame({**rest, **columns}))


def test_rows_are_named_by_their_index_in_every_chunk():
    """Rows are validated some thousands at a time."""
    frame = pd.DataFrame({"id": range(1, 12_001), "price": 1.0}, index=[f"r{number}" for number in range(12_000)])
    frame.loc["r11999", "id"] = -1
    assert told(Order, frame) == "`id`: `greater than 0` fails in 1 row: row r11999: -1"


def test_a_model_may_compare_fields_and_refuse_others():
    """What its validators say is told, and `extra="forbid"` is about columns."""

    class Span(BaseModel):
        model_config = ConfigDict(extra="forbid")
        first: int
        last: int

        @model_validator(mode="after")
        def ordered(self):
            if self.last < self.first:
                raise ValueError("ends before it begins")
            return self

    assert "`ends before it begins` fails in 1 row: row 1" in told(
        Span, pd.DataFrame({"first": [1, 5], "last": [2, 3]})
    )
    assert told(Span, pd.DataFrame({"first": [1], "last": [2], "z": [3]})) == "`z`: the model has no such field"
    twice = pd.DataFrame([[1, 2, 3]], columns=["first", "last", "last"])
    assert told(Span, twice) == "`last`: the column is there twice"


def test_a_model_shows_its_fields():
    """As the columns of a table."""
    number, price, status, day = resolve_dagster_type(Order).metadata[COLUMN_SCHEMA].schema.columns
    assert (number.type, number.description, number.constraints.other) == ("int", "its number", ["> 0"])
    assert (price.type, price.constraints.nullable) == ("float", True)
    assert (status.type, status.constraints.nullable) == ("'paid' | 'open'", False)
    assert (day.name, day.type, day.constraints.other) == ("Day", "date", ["may be left out"])


def test_an_annotation_with_a_model_also_means_one_instance():
    """As in Dagster; a type made of it is of frames only."""
    one = Order(id=1, price=None)
    assert check_dagster_type(Order, one).success
    assert "frame of `Order` or one instance is wanted, not a `int`" in told(Order, 1)
    kind = row_model_to_dagster_type(Order, description="sold")
    assert (kind.unique_name, kind.description) == ("Order", "sold")
    assert not kind.type_check(None, one).success
    assert kind.type_check(None, pd.DataFrame({"id": [1], "price": [1.0]})).success
    assert "`.collect()`" in told(kind, pl.LazyFrame({"id": [1]}))
    with pytest.raises(CheckError, match="BaseModel"):
        row_model_to_dagster_type(dict)


def test_config_classes_are_not_rows():
    """And a class that was given a type keeps it."""

    class Settings(Config):
        limit: int = 1

    class Own(BaseModel):
        limit: int = 1

    assert not isinstance(resolve_dagster_type(Settings), RowModelType)
    mine = DagsterType(lambda _, value: True, name="Mine")
    make_python_type_usable_as_dagster_type(Own, mine)
    assert resolve_dagster_type(Own) is mine


# -- in assets and ops


@pytest.mark.parametrize(
    "declared", [Orders, Raw, Order, pandera_schema_to_dagster_type(Orders)], ids=["model", "schema", "rows", "type"]
)
def test_an_asset_shows_its_columns(declared):
    """Whether the type is an argument, an annotation, or that of one of several assets."""

    @asset(dagster_type=declared)
    def said():
        return None

    def annotated():
        return None

    annotated.__annotations__["return"] = declared

    @multi_asset(outs={"one": AssetOut(dagster_type=declared), "other": AssetOut()})
    def several():
        return None, None

    columns = resolve_dagster_type(declared).metadata[COLUMN_SCHEMA]
    for made, key in ((said, "said"), (asset(annotated), "annotated"), (several, "one")):
        [spec] = [spec for spec in made.specs if spec.key.to_user_string() == key]
        assert spec.metadata[COLUMN_SCHEMA] == columns


def test_columns_that_are_given_stay():
    """The metadata of the asset goes before that of its type."""

    @asset(dagster_type=Orders, metadata={COLUMN_SCHEMA: "mine", "more": 1})
    def orders():
        return None

    [spec] = orders.specs
    assert spec.metadata[COLUMN_SCHEMA] == "mine"
    assert spec.metadata["more"] == 1


def test_an_asset_is_checked_when_it_is_materialized():
    """Nothing is stored of one that fails, and the error carries the rows."""

    @asset(dagster_type=Orders)
    def bad():
        return pd.DataFrame({**GOOD, "price": [1.0, -1.0]})

    @asset
    def good() -> DataFrame[Orders]:
        return pd.DataFrame(GOOD)

    [made] = materialize([good]).asset_materializations_for_node("good")
    assert made.metadata[COLUMN_SCHEMA] == resolve_dagster_type(Orders).metadata[COLUMN_SCHEMA]
    with pytest.raises(DagsterTypeCheckDidNotPass, match=r"`price`: `> 0` fails in 1 row: row 1: -1.0") as caught:
        materialize([bad])
    assert caught.value.dagster_type == resolve_dagster_type(Orders)
    assert "failures" in caught.value.metadata


def test_ports_of_ops_take_schemas():
    """Inputs and outputs alike."""

    @op(ins={"frame": In(Order)}, out=Out(dagster_type=Orders))
    def sell(frame):
        return frame

    with pytest.raises(DagsterTypeCheckDidNotPass, match="`id`: the column is missing"):
        sell(pd.DataFrame({"price": [1.0]}))
    with pytest.raises(DagsterTypeCheckDidNotPass, match="`status`: the column is missing"):
        sell(pd.DataFrame({"id": [1], "price": [1.0]}))
    assert len(sell(pd.DataFrame(GOOD | {"status": ["paid", "open"]}))) == 2


def test_two_types_of_one_name_are_refused():
    """In one job a name means one type."""
    twice = [pandera_schema_to_dagster_type(Orders), pandera_schema_to_dagster_type(Orders)]
    with pytest.raises(DagsterInvalidDefinitionError, match="Orders"):
        types_by_key(twice)
    assert types_by_key([twice[0], twice[0]])["Orders"] is twice[0]
    assert isinstance(twice[0], PanderaType)


def test_a_result_with_a_frame_is_checked():
    """The value that a MaterializeResult carries."""

    @asset(dagster_type=Order)
    def orders():
        return MaterializeResult(value=pd.DataFrame({"id": [-1], "price": [1.0]}))

    with pytest.raises(DagsterTypeCheckDidNotPass, match="greater than 0"):
        materialize([orders])
