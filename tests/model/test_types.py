"""Types: from annotations, and what they let pass."""

from __future__ import annotations

import gc
import typing
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Literal

import pytest

from ipy_orch.authoring.types import usable_as_dagster_type
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.policies import Failure
from ipy_orch.model.results import DynamicOutput, MaterializeResult, Output
from ipy_orch.model.types import annotations as t
from ipy_orch.model.types.annotations import (
    DagsterType,
    Nothing,
    PythonObjectDagsterType,
    TypeCheck,
    check_dagster_type,
    make_python_type_usable_as_dagster_type,
    resolve_dagster_type,
)


class Thing:
    """Stand for a class of the user's."""


class Sized(typing.TypedDict):
    """Stand for a typed dict of the user's."""

    size: int


@pytest.mark.parametrize(
    ("annotation", "called", "key"),
    [
        (int, "Int", "Int"),
        (str, "String", "String"),
        (t.Float, "Float", "Float"),
        (t.Bool, "Bool", "Bool"),
        (None, "Any", "Any"),
        (Any, "Any", "Any"),
        (type(None), "Nothing", "Nothing"),
        (Nothing, "Nothing", "Nothing"),
        (int | None, "Int?", "Optional.Int"),
        (typing.Optional[list[int]], "[Int]?", "Optional.List.Int"),  # noqa: UP045
        (list, "[Any]", "List.Any"),
        (typing.List, "[Any]", "List.Any"),  # noqa: UP006
        (t.List, "[Any]", "List.Any"),
        (t.List[t.Int], "[Int]", "List.Int"),
        (Sequence[int], "[Int]", "List.Int"),
        (dict, "dict", "PythonDict"),
        (t.Dict, "dict", "PythonDict"),
        (dict[str, Any], "Dict[String,Any]", "TypedPythonDict.String.Any"),
        (Mapping[str, int], "Dict[String,Int]", "TypedPythonDict.String.Int"),
        (tuple, "tuple", "PythonTuple"),
        (tuple[int, str], "Tuple[Int,String]", "TypedPythonTupleInt.String"),
        (set, "set", "PythonSet"),
        (t.Set[int], "Set[Int]", "TypedPythonSet.Int"),
        (Output, "Any", "Any"),
        (Output[int], "Int", "Int"),
        (MaterializeResult[str], "String", "String"),
        (list[DynamicOutput], "Any", "Any"),
        (list[DynamicOutput[int]], "Int", "Int"),
    ],
    ids=str,
)
def test_annotations_resolve(annotation, called, key):
    """Each has the name and key that Dagster gives it."""
    resolved = resolve_dagster_type(annotation)
    assert (resolved.display_name, resolved.key) == (called, key)
    assert resolve_dagster_type(annotation) == resolved


@pytest.mark.parametrize(
    "annotation",
    [
        int | str,
        int | str | None,
        Literal["a"],
        Callable[[int], int],
        Iterator[int],
        tuple[int, ...],
        "int",
        1,
        type[int],
    ],
    ids=str,
)
def test_annotations_that_cannot_be_checked_are_refused(annotation):
    """As Dagster does, so that what is exported runs there."""
    with pytest.raises(DagsterInvalidDefinitionError, match="hint"):
        resolve_dagster_type(annotation)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (int, [1, True], [1.5, "1", None]),
        (float, [1.5], [1]),
        (bool, [False], [0]),
        (str, [""], [b""]),
        (Nothing, [None], [0]),
        (Any, [None, object()], []),
        (int | None, [1, None], ["x"]),
        (list[int], [[], [1]], [(1,), [None], None]),
        (list[int | None], [[None, 1]], [["x"]]),
        (dict[str, list[int]], [{}, {"a": [1]}], [{"a": ["x"]}, {1: [1]}, None]),
        (tuple[int, str], [(1, "a")], [(1,), (1, 2), [1, "a"]]),
        (set[int], [{1}], [{"a"}, [1]]),
        (Thing, [Thing()], [None, "x"]),
        (Mapping, [{}], [[]]),
        (Sized, [{"size": 1}], [[]]),
    ],
    ids=str,
)
def test_values_are_checked(annotation, good, bad):
    """Elements too, and the description says what is wrong."""
    assert all(check_dagster_type(annotation, value).success for value in good)
    for value in bad:
        found = check_dagster_type(annotation, value)
        assert not found.success
        assert found.description


def test_descriptions_name_value_and_type():
    """A person reads what was given and what was wanted."""
    assert check_dagster_type(str, 1).description == 'Value "1" of python type "int" must be a string.'
    assert len(check_dagster_type(int, "x" * 10_000).description) < 200


def test_nothing_is_one_object():
    """Ports compare with it by identity."""
    assert resolve_dagster_type(type(None)) is Nothing
    assert Nothing.is_nothing


@pytest.mark.parametrize("make", [lambda: t.List[Nothing], lambda: t.Optional[Nothing]], ids=count())
def test_nothing_cannot_be_an_element(make):
    """A list of nothing has no meaning."""
    with pytest.raises(DagsterInvalidDefinitionError):
        make()


def test_wrong_numbers_of_parameters():
    """A dictionary has keys and values."""
    with pytest.raises(DagsterInvalidDefinitionError):
        t.Dict[int]
    with pytest.raises(DagsterInvalidDefinitionError):
        resolve_dagster_type(t.Optional)


def test_several_outputs_into_one_input():
    """Lists, Any and Nothing take them; an int doesn't."""
    assert resolve_dagster_type(list[int]).get_inner_type_for_fan_in() == resolve_dagster_type(int)
    assert resolve_dagster_type(list[int] | None).supports_fan_in
    assert resolve_dagster_type(Any).get_inner_type_for_fan_in().is_any
    with pytest.raises(CheckError):
        resolve_dagster_type(int).get_inner_type_for_fan_in()


def test_inner_types():
    """All of them, outermost first."""
    names = [inner.display_name for inner in t.Tuple[t.List[str], int].inner_types]
    assert names == ["[String]", "String", "Int"]
    assert t.Dict[str, int].key_type.unique_name == "String"


def test_a_type_of_ones_own():
    """A function checks, with a bool or a TypeCheck."""
    even = DagsterType(lambda _, value: value % 2 == 0, name="Even", description="no odd ones", metadata={"a": 1})
    assert even.type_check(None, 2) == TypeCheck(True)
    assert not even.type_check(None, 3).success
    assert (even.unique_name, even.description, even.metadata) == ("Even", "no odd ones", {"a": MetadataValue.int(1)})
    rich = DagsterType(lambda _, value: TypeCheck(True, metadata={"rows": value}), name="Rich")
    assert rich.type_check(None, 3).metadata == {"rows": MetadataValue.int(3)}


@pytest.mark.parametrize("answer", [1, None, "yes"])
def test_checks_answer_with_a_bool(answer):
    """Anything else is a mistake in the check."""
    with pytest.raises(DagsterInvariantViolationError, match="Odd"):
        DagsterType(lambda _, __: answer, name="Odd").type_check(None, 1)


def test_wrong_definitions_of_types():
    """A type needs a name and a check of two arguments."""
    with pytest.raises(CheckError):
        DagsterType(lambda _, __: True)
    with pytest.raises(CheckError):
        DagsterType(1, name="x")
    with pytest.raises(DagsterInvalidDefinitionError, match="two arguments"):
        DagsterType(lambda value: True, name="x")
    with pytest.raises(CheckError):
        PythonObjectDagsterType("x")


def test_a_check_may_raise_failure():
    """Its description is the check's."""

    def refuse(_, __):
        raise Failure("not today")

    assert check_dagster_type(DagsterType(refuse, name="Never"), 1) == TypeCheck(False, "not today")


def test_classes_and_unions_of_classes():
    """The only way to accept either of two."""
    number = PythonObjectDagsterType((int, float))
    assert number.unique_name == "Union[int, float]"
    assert number.typing_type == typing.Union[int, float]  # noqa: UP007
    assert number.type_check(None, 1.5).success
    assert not number.type_check(None, "x").success
    assert check_dagster_type(t.Optional[number], None).success


def test_only_named_types_have_unique_names():
    """`list[int]` is known by its parts."""
    with pytest.raises(CheckError):
        _ = resolve_dagster_type(list[int]).unique_name
    assert not resolve_dagster_type(Thing).has_unique_name


def test_a_class_can_mean_a_type():
    """Said once; saying it twice differently is an error."""

    @usable_as_dagster_type(name="Nice", description="a nice one")
    class Own:
        pass

    @usable_as_dagster_type
    class Plain:
        pass

    assert resolve_dagster_type(Own).unique_name == "Nice"
    assert resolve_dagster_type(Plain).unique_name == "Plain"
    make_python_type_usable_as_dagster_type(Own, resolve_dagster_type(Own))
    with pytest.raises(DagsterInvalidDefinitionError, match="Nice"):
        make_python_type_usable_as_dagster_type(Own, PythonObjectDagsterType(Own, name="Other"))


def test_type_check_checks_itself():
    """Success is a bool."""
    with pytest.raises(CheckError):
        TypeCheck("x")


def test_classes_are_not_kept_alive():
    """A class that a notebook defines again and again doesn't pile up."""

    class Passing:
        pass

    make_python_type_usable_as_dagster_type(Passing, DagsterType(lambda _, __: True, name="Passing"))
    resolve_dagster_type(Passing)
    seen = weakref.ref(Passing)
    del Passing
    gc.collect()
    assert seen() is None
