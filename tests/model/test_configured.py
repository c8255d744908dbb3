"""Config mappings, and definitions that are configured beforehand."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from ipy_orch import RunConfig, config_mapping, configured, graph, op
from ipy_orch.errors import (
    CheckError,
    DagsterConfigMappingFunctionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
)
from ipy_orch.model.config.classes import Config
from ipy_orch.model.config.configured import ConfigMapping, configured_type
from ipy_orch.model.config.schema import Enum, Field, Findings
from ipy_orch.model.env import EnvVar


class Outer(Config):
    size: int = 1


class Inner(Config):
    number: int
    text: str = "t"


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


@op
def number(config: Inner) -> int:
    """Give its config."""
    return config.number


@op(config_schema={"a": int, "b": Field(int, default_value=7)})
def sums(context) -> int:
    """Give the sum of its config."""
    return context.op_config["a"] + context.op_config["b"]


# ------------------------------------------------------------------------------------------------ mappings


def test_a_mapping_reads_its_schema_from_its_parameter():
    """Config in the annotation excludes a config_schema, and there is one parameter."""

    @config_mapping
    def mapped(outer: Outer) -> Any:
        return {"number": {"config": {"number": outer.size}}}

    assert mapped.inner({"size": 3}) == {"number": {"config": {"number": 3}}}
    assert mapped.inner() == {"number": {"config": {"number": 1}}}
    with pytest.raises(CheckError):
        ConfigMapping(mapped.config_fn, {"size": int})
    with pytest.raises(CheckError):
        ConfigMapping(lambda a, b: {})


def test_what_a_mapping_returns_becomes_plain_data():
    """A RunConfig, and models among the entries."""
    run = config_mapping(lambda _: RunConfig(ops={"number": Inner(number=2)}))
    entries = config_mapping(lambda _: {"inside": {"config": Inner(number=2)}, "number": Inner(number=3)})
    assert run.inner() == {"ops": {"number": {"config": {"number": 2}}}}
    assert entries.inner() == {"inside": {"config": {"number": 2}}, "number": {"config": {"number": 3}}}


def test_outer_config_is_checked_with_its_path():
    """The closest field is named; nothing is called."""
    mapping = config_mapping(config_schema={"size": int})(lambda _outer: pytest.fail("called"))
    with pytest.raises(DagsterInvalidConfigError, match=r"ops\.g\.config\.siz: unknown field \(did you mean `size`"):
        mapping.inner({"siz": 1}, "graph `g`", ("ops", "g", "config"))


def test_a_mapping_that_raises_is_named():
    """With its place; the cause is the user's."""
    with pytest.raises(DagsterConfigMappingFunctionError, match="graph `g`") as caught:
        config_mapping(lambda _: 1 / 0).inner(where="graph `g`")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_outer_config_can_be_given_as_written():
    """Enums by their names, with defaults."""
    schema = {"colour": Enum.from_python_enum(Colour), "size": Field(int, default_value=3)}
    for processed, colour in ((False, "RED"), (True, Colour.RED), (None, Colour.RED)):
        seen = ConfigMapping(lambda outer: outer, schema, processed).inner({"colour": "RED"})
        assert seen == {"colour": colour, "size": 3}


# ------------------------------------------------------------------------------------------------ configured ops


def test_a_configured_op_has_its_config():
    """By data, by a function of data, by a function of a Config, and twice."""
    fixed = sums.configured({"a": 1}, name="fixed")

    @configured(sums, {"size": int})
    def sized(outer: Any) -> Any:
        return {"a": outer["size"], "b": 0}

    @configured(number)
    def simple(outer: Outer) -> Inner:
        return Inner(number=outer.size * 2)

    twice = configured(sized, name="twice")({"size": 5})
    assert (fixed.name, sized.name, simple.name) == ("fixed", "sized", "simple")

    @graph
    def all_of_them():
        fixed()
        sized()
        simple()
        twice()

    ran = all_of_them.execute_in_process(run_config={"ops": {"sized": {"config": {"size": 4}}}})
    values = [ran.output_for_node(name) for name in ("fixed", "sized", "simple", "twice")]
    assert values == [8, 4, 2, 5]


def test_config_that_does_not_fit_is_refused():
    """Given config at once, a function's when the run starts; outer config by its path."""
    with pytest.raises(DagsterInvalidConfigError, match="did you mean `a`"):
        sums.configured({"aa": 1, "a": 2}, name="wrong")
    with pytest.raises(DagsterInvalidDefinitionError, match="name"):
        sums.configured({"a": 1})
    wrong = sums.configured(lambda _: {"a": "text"}, name="wrong")

    @graph
    def lonely():
        wrong()

    with pytest.raises(DagsterInvalidConfigError, match=r"config\.a: expected an integer") as caught:
        lonely.execute_in_process()
    assert [problem.path for problem in caught.value.errors] == [("config", "a")]


def test_a_configured_graph_goes_through_both_mappings():
    """Outer config makes the graph's config, which makes the op's."""

    @graph(config=ConfigMapping(lambda c: {"sums": {"config": {"a": c["outer"]}}}, {"outer": int}))
    def mapped():
        return sums()

    assert mapped.configured({"outer": 1}, name="one").execute_in_process().output_for_node("sums") == 8
    other = mapped.configured(lambda text: {"outer": int(text)}, name="other", config_schema=str)

    @graph
    def around():
        other()

    ran = around.execute_in_process(run_config={"ops": {"other": {"config": "2"}}})
    assert ran.output_for_node("other.sums") == 9
    with pytest.raises(DagsterInvalidConfigError):
        mapped.configured({"outr": 1}, name="wrong")
    with pytest.raises(DagsterInvalidDefinitionError, match="config mapping"):
        around.configured({}, name="wrong")


def test_a_recipe_holds_what_the_op_gets_and_no_secret(monkeypatch):
    """The inner config; where a variable is read its name, and the function."""
    monkeypatch.setenv("TEST_SIZE", "4")

    def doubled(outer: Outer) -> Any:
        return {"a": outer.size * 2}

    kind = configured_type({"a": int}, doubled)

    def parts(written: Any) -> Any:
        return list(kind.parts(kind.full(kind.check(written, (), Findings())), ""))

    assert parts({"size": 4}) == [("a", 8, "8")]
    assert parts({"size": {"env": "TEST_SIZE"}}) == [
        ("size", ("env", "TEST_SIZE"), 'EnvVar("TEST_SIZE")'),
        ("mapping", doubled, "doubled"),
    ]
    assert kind.plain(kind.check({"size": {"env": "TEST_SIZE"}}, (), Findings())) == {"a": 8}


def test_a_placeholder_can_be_given(monkeypatch):
    """`configured` with an EnvVar reads it when the run starts."""
    monkeypatch.delenv("TEST_TEXT", raising=False)
    kind = configured_type(Inner, {"number": 1, "text": EnvVar("TEST_TEXT")})
    monkeypatch.setenv("TEST_TEXT", "hidden")
    value = kind.value(kind.check({}, (), Findings()))
    assert value.text == "hidden"
    assert "hidden" not in repr(value)
