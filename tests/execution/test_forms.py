"""In which form a function hands over its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ipy_orch import AssetMaterialization, DynamicOut, DynamicOutput, Out, Output, asset, graph, materialize, op
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.forms import dynamic_items, forms_of, refuse_form


def returns(annotation: Any, **options: Any) -> Any:
    """Return an op whose function is annotated so."""

    def function():
        """Do nothing."""

    function.__annotations__["return"] = annotation
    return op(**options)(function) if options else op(function)


TWO = {"out": {"a": Out(), "b": Out()}}


@pytest.mark.parametrize(
    ("annotation", "options", "forms"),
    [
        (int, {}, {"result": False}),
        (Output[int], {}, {"result": True}),
        (Output, {}, {"result": True}),
        (dict[str, int], {}, {"result": False}),
        (Any, {}, {}),
        (object, {}, {}),
        (None, {}, {}),
        (int | None, {}, {}),
        (list[int], {}, {}),
        (tuple[int, Output[int]], TWO, {"a": False, "b": True}),
        (tuple[Any, int], TWO, {"b": False}),
    ],
    ids=str,
)
def test_what_an_annotation_says(annotation, options, forms):
    """Only what is clear is said."""
    assert forms_of(returns(annotation, **options)) == forms


def test_no_annotation_says_nothing():
    """Either form will do; so it is with a generator, which yields whatever it does."""

    @op
    def free():
        return 1

    @op
    def generator() -> Iterator[Output[int]]:
        yield Output(1)

    assert forms_of(free) == forms_of(generator) == {}


@pytest.mark.parametrize(
    ("annotation", "value", "fits"),
    [(int, 1, True), (int, Output(1), False), (Output[int], Output(1), True), (Output[int], 1, False)],
)
def test_another_form_is_refused(annotation, value, fits):
    """With the output's name."""
    made = returns(annotation)
    if fits:
        refuse_form(made, "result", value, forms_of(made))
    else:
        with pytest.raises(DagsterInvariantViolationError, match="`result` of `function`"):
            refuse_form(made, "result", value, forms_of(made))


def test_a_run_holds_functions_to_it():
    """Of ops and of assets, one output or a tuple of them."""

    @op
    def single() -> Output[int]:
        return 1  # type: ignore[return-value]

    @op(out={"a": Out(), "b": Out()})
    def pair() -> tuple[int, Output[int]]:
        return 1, 2  # type: ignore[return-value]

    @asset
    def table() -> int:
        return Output(1)  # type: ignore[return-value]

    for run in (graph_of(single).execute_in_process, graph_of(pair).execute_in_process, lambda: materialize([table])):
        with pytest.raises(DagsterInvariantViolationError):
            run()


def graph_of(made: Any) -> Any:
    """Return a graph of one op."""

    @graph
    def single():
        made()

    return single


@op(out=DynamicOut())
def many():
    """Return a list of DynamicOutputs."""


def test_items_of_a_dynamic_output():
    """A list, a tuple or one; each under the output's name, with its metadata."""
    one = DynamicOutput(1, "a", metadata={"n": 1})
    for value in ([one], (one,), one):
        (item,) = dynamic_items(value, "parts", many)
        assert (item.value, item.mapping_key, item.output_name) == (1, "a", "parts")
        assert item.metadata == one.metadata
    assert dynamic_items([], "parts", many) == []


@pytest.mark.parametrize(
    "value",
    [None, 1, [1], [DynamicOutput(1, "a"), Output(1)], [DynamicOutput(1, "a", "other")], AssetMaterialization("a")],
    ids=["none", "value", "values", "output", "other name", "report"],
)
def test_other_items_are_refused(value):
    """What is no DynamicOutput, and one of another output."""
    with pytest.raises(DagsterInvariantViolationError, match="many"):
        dynamic_items(value, "parts", many)
