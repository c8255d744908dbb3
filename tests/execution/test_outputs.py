"""What a function returned or yielded, matched with what its step must make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.checks import asset_check, multi_asset_check
from ipy_orch.errors import (
    DagsterInvariantViolationError,
    DagsterStepOutputNotFoundError,
    DagsterTypeCheckDidNotPass,
)
from ipy_orch.execution.materialize import materialize_to_memory
from ipy_orch.execution.outputs import Harvest, gather
from ipy_orch.execution.step import Work, call
from ipy_orch.execution.wiring import wired
from ipy_orch.model.asset_ports import AssetOut
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.results import (
    AssetCheckResult,
    AssetMaterialization,
    DataVersion,
    MaterializeResult,
    Output,
)
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.types.annotations import Nothing
from ipy_orch.planning.calls import calls_of


def harvest(definition: AssetsDefinition) -> Harvest:
    """Return what the function of a definition makes."""
    [only] = calls_of(definition)
    return gather(wired(only, definition), call(Work(only.op.compute_fn, {})))


def values(definition: AssetsDefinition) -> dict[str, Any]:
    """Return the values that the function of a definition makes, by output."""
    return {name: made.value for name, made in harvest(definition).outputs.items()}


def two(function: Any) -> AssetsDefinition:
    """Return a function as the assets `x` and `y`."""
    return multi_asset(name="both", outs={"x": AssetOut(), "y": AssetOut()})(function)


def checked(function: Any) -> AssetsDefinition:
    """Return a function as an asset `orders` with the check `some`."""
    return asset(name="orders", check_specs=[AssetCheckSpec("some", asset="orders")])(function)


@pytest.mark.parametrize("value", [1, None, [1, 2], (1, 2), {"a": 1}, [Output(1)]])
def test_value_of_one_output_is_taken_as_it_is(value: Any) -> None:
    """Whatever a function with one output returns is the value."""
    assert values(asset(name="one")(lambda: value)) == {"result": value}


def test_output_carries_metadata_version_and_tags() -> None:
    """An Output is unpacked."""
    made = harvest(
        asset(name="one")(lambda: Output(1, metadata={"rows": 1}, data_version=DataVersion("v"), tags={"a": "b"}))
    )
    (one,) = made.outputs.values()
    assert (one.value, one.metadata["rows"].value, one.said, one.tags) == (1, 1, DataVersion("v"), {"a": "b"})


def test_materialize_result_without_a_value_has_none_to_store() -> None:
    """The function has stored it itself."""
    made = harvest(asset(name="one")(lambda: MaterializeResult(metadata={"rows": 1})))
    assert not made.outputs["result"].has_value


def test_materialize_result_may_carry_a_value() -> None:
    """A value is stored, None among them."""
    assert harvest(asset(name="one")(lambda: MaterializeResult(value=None))).outputs["result"].has_value


def test_tuple_is_unpacked_in_order() -> None:
    """Several outputs come as a tuple."""
    assert values(two(lambda: (1, 2))) == {"x": 1, "y": 2}
    assert values(two(lambda: (Output(1), Output(2)))) == {"x": 1, "y": 2}


def test_materialize_results_come_in_any_order() -> None:
    """They name their assets."""
    made = values(two(lambda: (MaterializeResult("y", value=2), MaterializeResult("x", value=1))))
    assert made == {"x": 1, "y": 2}


@pytest.mark.parametrize("value", [1, None, (1,), (1, 2, 3), [1, 2], (Output(1, "y"), Output(2, "x"))])
def test_other_values_for_several_outputs_are_refused(value: Any) -> None:
    """Another number, another type, or names that contradict the order."""
    with pytest.raises(DagsterInvariantViolationError):
        harvest(two(lambda: value))


def test_generator_yields_outputs_by_name() -> None:
    """Each output once; materializations of others are events."""

    @two
    def both() -> Any:
        yield AssetMaterialization("elsewhere")
        yield Output(2, "y")
        yield Output(1, "x")

    made = harvest(both)
    assert {name: one.value for name, one in made.outputs.items()} == {"x": 1, "y": 2}
    assert [event.asset_key for event in made.events] == [AssetKey("elsewhere")]


def yielding(*items: Any) -> Any:
    """Return a function that yields these."""

    def function() -> Any:
        yield from items

    return function


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([1], DagsterInvariantViolationError),
        ([Output(1, "x")], DagsterStepOutputNotFoundError),
        ([Output(1, "x"), Output(1, "x"), Output(2, "y")], DagsterInvariantViolationError),
        ([Output(1, "z")], DagsterInvariantViolationError),
        ([MaterializeResult(value=1)], DagsterInvariantViolationError),
        ([MaterializeResult("z", value=1)], DagsterInvariantViolationError),
    ],
)
def test_wrong_yields_are_refused(items: list[Any], error: type[Exception]) -> None:
    """What isn't an output, missing, there twice, unknown, or of no asset in particular."""
    with pytest.raises(error):
        harvest(two(yielding(*items)))


def test_outputs_come_in_the_order_of_their_dependencies() -> None:
    """An asset before the one it depends on, in one step, is refused."""

    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b", deps=["a"])])
    def both() -> Any:
        yield MaterializeResult("b")
        yield MaterializeResult("a")

    with pytest.raises(DagsterInvariantViolationError, match="yield `a` first"):
        harvest(both)


def test_outputs_without_values_need_not_be_returned() -> None:
    """A function that stores by itself may just end."""

    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
    def both() -> None: ...

    assert sorted(harvest(both).outputs) == ["a", "b"]


def test_report_in_the_place_of_a_value_is_refused() -> None:
    """A returned AssetMaterialization is no value."""
    with pytest.raises(DagsterInvariantViolationError, match="log_event"):
        harvest(asset(name="one")(lambda: AssetMaterialization("one")))


def test_checks_of_the_assets_own_step() -> None:
    """Verdicts come beside the value, or inside the result."""
    key = AssetCheckKey(AssetKey("orders"), "some")
    verdict = AssetCheckResult(passed=True)
    for value in [(1, verdict), (Output(1), verdict), MaterializeResult(value=1, check_results=[verdict])]:
        made = harvest(checked(lambda value=value: value))
        assert made.outputs["result"].value == 1
        assert made.verdicts[key].passed


@pytest.mark.parametrize("value", [1, MaterializeResult(value=1), Output(1)])
def test_missing_verdict_is_refused(value: Any) -> None:
    """A declared check must give its verdict."""
    with pytest.raises((DagsterStepOutputNotFoundError, DagsterInvariantViolationError)):
        harvest(checked(lambda: value))


def test_verdict_of_an_unknown_or_repeated_check_is_refused() -> None:
    """Each verdict is of one check, once."""
    passed = AssetCheckResult(passed=True)
    with pytest.raises(DagsterInvariantViolationError, match="fits 0 checks"):
        harvest(checked(yielding(Output(1), AssetCheckResult(passed=True, check_name="other"))))
    with pytest.raises(DagsterInvariantViolationError, match="twice"):
        harvest(checked(yielding(Output(1), passed, passed)))


@pytest.mark.parametrize(
    ("value", "passed"),
    [(True, True), (False, False), (AssetCheckResult(passed=True), True), ((False, {"n": 1}), False)],
)
def test_forms_of_a_checks_value(value: Any, passed: bool) -> None:
    """A bool, a result, or a bool with metadata."""
    check = asset_check(asset="orders", name="some")(lambda: value)
    (verdict,) = harvest(check).verdicts.values()
    assert verdict.passed is passed


def test_other_value_of_a_check_is_refused() -> None:
    """The hint says what to write."""
    with pytest.raises(DagsterInvariantViolationError, match="bool"):
        harvest(asset_check(asset="orders", name="some")(lambda: "yes"))


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (np.int64(0), "compare it: `... == 0`"),
        (0, "compare it: `... == 0`"),
        (pd.Series([True]), "`.all()` behind the condition"),
        (pd.Series([1]), "compare its elements"),
        (pd.DataFrame({"a": []}), "`len(...) == 0`"),
        ((False, "late"), "metadata has names: `..., {'why': 'late'}`"),
        ((np.bool_(True), 3), "metadata has names"),
        (None, "gave None"),
        (object(), "`bool(...)` around"),
    ],
    ids=repr,
)
def test_the_way_to_a_verdict_never_turns_it_round(value: Any, hint: str) -> None:
    """`.all()` of a number of missing values would pass where some are missing."""
    with pytest.raises(DagsterInvariantViolationError) as caught:
        harvest(asset_check(asset="orders", name="some")(lambda: value))
    assert hint in caught.value.hint


def test_several_checks_return_a_tuple() -> None:
    """Each names its check."""
    specs = [AssetCheckSpec("a", asset="orders"), AssetCheckSpec("b", asset="orders")]
    results = tuple(AssetCheckResult(passed=True, check_name=name) for name in "ab")
    assert len(harvest(multi_asset_check(name="several", specs=specs)(lambda: results)).verdicts) == 2


# -- with the engine


def test_optional_output_left_out_skips_what_reads_it() -> None:
    """The step succeeds, and its readers are skipped."""

    @asset(output_required=False)
    def maybe() -> Any:
        yield from ()

    @asset
    def reader(maybe: Any) -> int:
        return 1

    result = materialize_to_memory([maybe, reader])
    assert result.success
    assert [event.step_key for event in result.get_step_skipped_events()] == ["reader"]


def test_subset_makes_only_what_is_selected() -> None:
    """An output that isn't selected is refused."""

    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")], can_subset=True)
    def both(context: Any) -> Any:
        for key in sorted(context.selected_asset_keys):
            yield MaterializeResult(key)

    @multi_asset(outs={"x": AssetOut(), "y": AssetOut()}, can_subset=True)
    def stubborn() -> Any:
        return 1, 2

    made = materialize_to_memory([both], selection=["b"]).get_asset_materialization_events()
    assert [event.asset_key for event in made] == [AssetKey("b")]
    with pytest.raises(DagsterInvariantViolationError, match="isn't selected"):
        materialize_to_memory([stubborn], selection=["x"])


def test_value_of_a_wrong_type_is_refused() -> None:
    """The annotation is the type; None stands for no value."""

    @asset
    def number() -> int:
        return "text"  # type: ignore[return-value]

    @asset
    def nothing() -> None:
        return 3  # type: ignore[return-value]

    for definition in (number, nothing):
        with pytest.raises(DagsterTypeCheckDidNotPass):
            materialize_to_memory([definition])


def test_a_required_output_is_made_in_each_run() -> None:
    """Also where it isn't selected, unless it was declared that it needn't; one without a value is no matter."""

    def selected(**outs: AssetOut) -> bool:
        @multi_asset(outs=outs, can_subset=True)
        def both(context: Any) -> Any:
            for name in sorted(context.selected_output_names):
                yield Output(1, name)

        return materialize_to_memory([both], selection=["y"]).success

    assert selected(x=AssetOut(is_required=False), y=AssetOut())
    assert selected(x=AssetOut(dagster_type=Nothing), y=AssetOut())
    with pytest.raises(DagsterStepOutputNotFoundError, match=r"output `x`\n  hint: AssetOut\(is_required=False\)"):
        selected(x=AssetOut(), y=AssetOut())
