"""How a function wants to be called."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import pytest

from ipy_orch.authoring.signature import read_signature
from ipy_orch.errors import DagsterInvalidConfigDefinitionError, DagsterInvalidDefinitionError
from ipy_orch.model.config.classes import Config
from ipy_orch.model.resources.resource import ConfigurableResource

if TYPE_CHECKING:
    from nowhere import Unknown


class Limit(Config):
    """Be a config."""

    limit: int = 3


class Database(ConfigurableResource):
    """Be a resource."""


class AssetExecutionContext:
    """Be a context by name."""


def test_parameters_have_roles():
    """Context, config and resources are told from inputs by name and annotation."""

    def function(context, orders: list, config: Limit, db: Database, limit: int = 3) -> dict: ...

    call = read_signature(function)
    assert (call.context, call.config, call.config_type, call.resources) == ("context", "config", Limit, {"db": "db"})
    assert (call.inputs, call.defaults) == (("orders", "limit"), {"limit": 3})
    assert (call.annotations["orders"], call.annotations["return"]) == (list, dict)


def by_name(_, a):
    """Be a sample."""


def by_underscore(_context, a):
    """Be a sample."""


def by_annotation(here: AssetExecutionContext, a):
    """Be a sample."""


def no_context(a):
    """Be a sample."""


@pytest.mark.parametrize(
    ("function", "context"), [(by_name, "_"), (by_underscore, "_context"), (by_annotation, "here"), (no_context, None)]
)
def test_the_first_parameter_may_be_the_context(function, context):
    """A context is known by its name or its annotation."""
    call = read_signature(function)
    assert (call.context, call.inputs) == (context, ("a",))


def test_an_annotation_that_can_not_be_resolved():
    """A name that only type checkers know stays out, the others are read."""

    def function(a: Unknown, b: int): ...

    call = read_signature(function)
    assert call.inputs == ("a", "b")
    assert call.annotations == {"b": int}


def test_wrapped_functions():
    """The signature is that of the function inside a wrapper, and of what a partial leaves."""

    def function(a, b): ...

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any): ...

    assert read_signature(wrapper).inputs == ("a", "b")
    assert read_signature(partial(function, 1)).inputs == ("b",)


def test_keywords_are_noted():
    """A function with `**kwargs` takes any input."""

    def function(**kwargs): ...

    call = read_signature(function)
    assert call.keywords
    assert call.inputs == ()


def starred(*args):
    """Be a sample."""


def positional(a, /):
    """Be a sample."""


def late_context(a, context):
    """Be a sample."""


@pytest.mark.parametrize("function", [starred, positional, late_context])
def test_inputs_are_given_by_name(function):
    """What can't be given by name is refused, and a context that isn't the first parameter."""
    with pytest.raises(DagsterInvalidDefinitionError, match="asset `x`"):
        read_signature(function, what="asset `x`")


def test_a_config_has_a_type():
    """A parameter `config` without annotation is refused."""

    def function(config): ...

    with pytest.raises(DagsterInvalidConfigDefinitionError, match="needs a type"):
        read_signature(function)


def test_a_default_of_the_config_is_its_schemas():
    """Of plain types and of Config classes; a type that can't be config is refused at once."""

    def plain(config: str = "x"): ...
    def classed(config: Limit = Limit()): ...  # noqa: B008
    def wrong(config: object()): ...

    assert read_signature(plain).config_type.default_value == "x"
    assert read_signature(classed).config_type.is_required is False
    with pytest.raises(DagsterInvalidConfigDefinitionError):
        read_signature(wrong)


def test_an_input_that_looks_like_config_is_warned_of():
    """A Config class on a parameter of another name than `config`."""

    def function(settings: Limit): ...

    with pytest.warns(UserWarning, match="`settings` of op `x`"):
        read_signature(function, what="op `x`")
