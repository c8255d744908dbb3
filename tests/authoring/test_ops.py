"""Functions become ops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ipy_orch.authoring.ops import op
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.config.classes import Config
from ipy_orch.model.ops import DynamicOut, In, OpDefinition, Out, Signature
from ipy_orch.model.resources.resource import ConfigurableResource
from ipy_orch.model.results import DynamicOutput, MaterializeResult, Output
from ipy_orch.model.types.annotations import Nothing


def returning(annotation: Any, **options: Any) -> OpDefinition:
    """Return the op of a function with this annotation."""

    def made():
        return None

    made.__annotations__["return"] = annotation
    return op(**options)(made)


def ports(one: OpDefinition) -> list[tuple[str, str, bool]]:
    """Return name, type and dynamics of the outputs."""
    return [(port.name, port.dagster_type.display_name, port.is_dynamic) for port in one.output_defs]


def test_inputs_are_parameters():
    """With their types and defaults; what only waits is said, and comes last."""

    @op(ins={"late": In(Nothing), "number": In(description="how many")})
    def made(context, number: int, word="x"):
        """Say what it is.

        And more.
        """

    assert list(made.ins) == ["number", "word", "late"]
    assert (made.ins["number"].description, made.ins["word"].default_value) == ("how many", "x")
    assert [port.dagster_type.display_name for port in made.input_defs] == ["Int", "Any", "Nothing"]
    assert (made.positional_inputs, made.ins_with_values) == (("number", "word"), ("number", "word"))
    assert made.description == "Say what it is.\n\nAnd more."
    assert (made.__doc__, made.__name__) == (made.compute_fn.__doc__, "made")


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, ("Int", False)),
        (None, ("Nothing", False)),
        (Output[int], ("Int", False)),
        (Output, ("Any", False)),
        (list[DynamicOutput[int]], ("Int", True)),
        (list[DynamicOutput], ("Any", True)),
        (MaterializeResult, ("Any", False)),
    ],
)
def test_the_annotation_of_one_output(annotation, expected):
    """It is that of the value, not of what carries it."""
    assert ports(returning(annotation)) == [("result", *expected)]
    assert ports(returning(annotation, out={"x": Out()})) == [("x", expected[0], False)]
    assert ports(returning(annotation, out=DynamicOut(str))) == [("result", "String", True)]


def test_the_annotation_of_several_outputs():
    """It is a tuple of theirs; reports carry no values."""
    two = {"a": Out(), "b": DynamicOut()}
    assert ports(returning(tuple[Output[int], list[DynamicOutput[str]]], out=two)) == [
        ("a", "Int", False),
        ("b", "String", True),
    ]
    assert ports(returning(MaterializeResult, out=two)) == [("a", "Nothing", False), ("b", "Nothing", True)]
    for wrong in (int, tuple[int], tuple[int, int, int]):
        with pytest.raises(DagsterInvariantViolationError):
            returning(wrong, out=two)


def test_the_annotation_of_a_generator_says_nothing():
    """What it yields is checked when it runs."""

    @op
    def made() -> Iterator[Output[int]]:
        yield Output(1)

    assert ports(made) == [("result", "Any", False)]


def test_one_dynamic_output_is_a_list():
    """There may be any number of them."""
    for annotation in (DynamicOutput[int], DynamicOutput):
        with pytest.raises(DagsterInvariantViolationError, match="list"):
            returning(annotation)


def test_outputs_take_the_version_of_the_op():
    """Unless they have one."""

    @op(out={"a": Out(), "b": Out(code_version="2")}, version="1")
    def versioned():
        """Be a sample."""

    assert (versioned.version, [port.code_version for port in versioned.outs.values()]) == ("1", ["1", "2"])


class Db(ConfigurableResource):
    """Be a resource."""


class Size(Config):
    """Be a config."""

    size: int = 1


def parameter_that_waits(late: None):
    """Be annotated as nothing."""


def with_config(config: Size):
    """Have a config."""


def with_resource(db: Db):
    """Have a resource."""


def with_number(context: int):
    """Have a wrong context."""


def plain(number):
    """Have an input."""


@pytest.mark.parametrize(
    ("function", "options", "error"),
    [
        (plain, {"ins": {"numbr": In()}}, DagsterInvalidDefinitionError),
        (plain, {"ins": {"number": In(Nothing)}}, DagsterInvalidDefinitionError),
        (parameter_that_waits, {}, DagsterInvalidDefinitionError),
        (plain, {"ins": {"number": In(int, default_value="x")}}, DagsterInvalidDefinitionError),
        (plain, {"ins": {"late": In(Nothing, default_value=None)}}, DagsterInvalidDefinitionError),
        (with_number, {}, DagsterInvalidDefinitionError),
        (with_config, {"config_schema": int}, CheckError),
        (with_resource, {"required_resource_keys": {"other"}}, CheckError),
        (plain, {"name": "a b"}, DagsterInvalidDefinitionError),
        (plain, {"out": {"a b": Out()}}, DagsterInvalidDefinitionError),
        (plain, {"pool": "a b"}, DagsterInvalidDefinitionError),
        (plain, {"pool": "a", "tags": {"dagster/concurrency_key": "b"}}, DagsterInvalidDefinitionError),
        (plain, {"tags": {"k": object()}}, DagsterInvalidDefinitionError),
        (plain, {"tgs": {}}, TypeError),
    ],
)
def test_what_does_not_fit_is_refused(function, options, error):
    """When the op is defined, not when it runs."""
    with pytest.raises(error):
        op(**options)(function)


def test_tags_are_strings():
    """What isn't one is written as JSON."""
    assert op(tags={"a": "b", "c": {"d": 1}})(plain).tags == {"a": "b", "c": '{"d": 1}'}


def test_a_bare_function_yields_outputs():
    """It takes the context and the inputs as a dict."""

    def compute(context, inputs):
        yield Output(inputs["x"] + 1)

    made = OpDefinition(name="made", ins={"x": In(int)}, compute_fn=compute, version="1")
    assert (list(made.outs), made.code_version) == (["result"], "1")
    assert [one.value for one in made(None, x=2)] == [3]
    with pytest.raises(DagsterInvariantViolationError, match="yields Outputs"):
        OpDefinition(lambda context, inputs: 1, "wrong")(None)
    with pytest.raises(CheckError):
        OpDefinition(name="none")
    assert OpDefinition(compute, "configured", config_schema=int).config_type is int


def test_a_copy_keeps_the_rest():
    """Also of an op that was made of a function."""
    made = op(tags={"k": "v"}, pool="p")(plain).with_replaced(description="d")
    assert (made.description, made.tags, made.pool, list(made.ins)) == ("d", {"k": "v"}, "p", ["number"])
    assert OpDefinition(name="x", signature=Signature(plain)).outs == {}
