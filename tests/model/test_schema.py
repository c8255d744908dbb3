"""The legacy schema: fields, shapes, selectors and their checks."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
)
from ipy_orch.model.config.schema import (
    Array,
    BoolSource,
    Enum,
    EnumValue,
    Field,
    IntSource,
    Map,
    Noneable,
    Permissive,
    ScalarUnion,
    Selector,
    Shape,
    StringSource,
    resolve,
)


def value_of(schema: Any, written: Any) -> Any:
    """Return what user code gets for written config."""
    field = schema if isinstance(schema, Field) else Field(schema)
    return resolve(field.config_type.full(field.check(written)))


class Colour(enum.Enum):
    RED = "r"


@pytest.mark.parametrize(
    ("schema", "written", "expected"),
    [
        (str, "x", "x"),
        (int, 1, 1),
        (float, 3, 3.0),
        (bool, True, True),
        ([int], [1, 2], [1, 2]),
        ({"a": int}, {"a": 1}, {"a": 1}),
        ({"a": Field(int, default_value=3)}, {}, {"a": 3}),
        ({"a": {"b": Field(int, default_value=3)}}, {}, {"a": {"b": 3}}),
        ({"a": Noneable(int)}, {}, {"a": None}),
        ({"a": Field(int, is_required=False)}, {}, {}),
        (Permissive({"x": int}), {"x": 1, "y": {"z": 1}}, {"x": 1, "y": {"z": 1}}),
        (dict, {"x": 1}, {"x": 1}),
        (Map(int, int), {1: 2}, {1: 2}),
        (Selector({"a": int, "b": str}), {"a": 1}, {"a": 1}),
        (ScalarUnion(int, {"x": str}), 5, 5),
        (ScalarUnion(int, {"x": str}), {"x": "5"}, {"x": "5"}),
        (Enum("E", [EnumValue("A", python_value=3)]), "A", 3),
        (Enum.from_python_enum(Colour), "RED", Colour.RED),
        (Any, object, object),
        (Noneable([Noneable(str)]), ["foo", None], ["foo", None]),
        (Array(Shape({"n": int})), [{"n": 1}], [{"n": 1}]),
    ],
)
def test_config_that_fits(schema, written, expected):
    """Each type gives the value that Dagster's gives."""
    assert value_of(schema, written) == expected


@pytest.mark.parametrize(
    ("schema", "written", "path"),
    [
        ({"a": int}, {"a": True}, "a: expected an integer, got True"),
        ({"a": int}, {"a": "5"}, "a: expected an integer"),
        ({"a": float}, {"a": "1"}, "a: expected a number"),
        ({"a": bool}, {"a": "true"}, "a: expected true or false"),
        ({"a": str}, {"a": None}, "a: expected a string, got None"),
        ({"a": int}, {}, "a: missing, an integer is needed"),
        ({"limit": int}, {"limit": 1, "limt": 2}, "limt: unknown field (did you mean `limit`?)"),
        ({"a": [int]}, {"a": [1, "x"]}, "a[1]: expected an integer"),
        ({"a": [int]}, {"a": 1}, "a: expected a list"),
        (Map(str, int), {2: 4}, "key 2: expected a string"),
        (Selector({"a": int, "b": str}), {"a": 1, "b": "2"}, "expected exactly one of `a`, `b`"),
        (Selector({"a": int}), {"c": 1}, "c: unknown choice"),
        (Enum("E", [EnumValue("A")]), "B", "expected one of A"),
    ],
)
def test_config_that_does_not_fit(schema, written, path):
    """The message has the path, what was expected, and the nearest field."""
    with pytest.raises(DagsterInvalidConfigError) as caught:
        value_of(schema, written)
    assert path in str(caught.value)


def test_every_problem_is_reported():
    """One error lists them all."""
    with pytest.raises(DagsterInvalidConfigError) as caught:
        Field({"a": int, "b": {"c": str}}).check({"a": "x", "b": {"c": 1, "d": 2}})
    assert [line[4:8] for line in str(caught.value).splitlines()[1:]] == ["a: e", "b.d:", "b.c:"]


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [(StringSource, "x", "x"), (IntSource, "5", 5), (BoolSource, "true", True), (float, "2.5", 2.5)],
)
def test_a_variable_is_read_as_its_fields_type(schema, text, expected, monkeypatch):
    """`{"env": NAME}` stands for the variable's value."""
    monkeypatch.setenv("A_VARIABLE", text)
    assert value_of(schema, {"env": "A_VARIABLE"}) == expected


def test_a_variable_that_is_not_set_is_named():
    """The error names the variable."""
    with pytest.raises(DagsterInvalidConfigError, match="NOT_SET_AT_ALL"):
        value_of(str, {"env": "NOT_SET_AT_ALL"})


def test_fields_that_contradict_themselves_are_refused():
    """A default must fit, and a required field has none."""
    with pytest.raises(DagsterInvalidConfigError):
        Field(str, default_value=3)
    with pytest.raises(DagsterInvalidConfigDefinitionError):
        Field(int, default_value=3, is_required=True)
    with pytest.raises(DagsterInvalidConfigDefinitionError):
        Field(object())
    with pytest.raises(CheckError):
        _ = Field(int).default_value
    assert Field({"a": Noneable(int)}).is_required is False
    assert Field(Noneable(int)).default_value is None
    assert Field(int, 4).default_value_as_json_str == "4"
    with pytest.raises(DagsterInvalidDefinitionError, match='"RED"'):
        Field(Enum.from_python_enum(Colour), default_value=Colour.RED)


def test_a_type_as_the_key_means_a_map():
    """One plain type is the keys' type; anything else is refused, by the name of its field."""
    assert value_of({"sizes": {str: int}}, {"sizes": {"a": 1}}) == {"sizes": {"a": 1}}
    for wrong in ({Noneable(int): str}, {str: int, int: str}, {str: "nothing"}, {"sizes": [int, str]}, {"sizes": None}):
        with pytest.raises(DagsterInvalidConfigDefinitionError):
            Field(wrong)
    with pytest.raises(DagsterInvalidConfigDefinitionError, match="field `outer`: field `inner`"):
        Field({"outer": {"inner": object()}})


def test_a_value_is_filled_while_it_stays_written():
    """Defaults are added at each depth, enums stay names."""
    schema = Field({"colour": Enum.from_python_enum(Colour), "deep": {"a": Field(int, 1), "b": Field(int, 2)}})
    assert schema.filled({"colour": "RED", "deep": {"a": 5}}) == {"colour": "RED", "deep": {"a": 5, "b": 2}}
