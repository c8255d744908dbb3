"""Definitions called as functions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.authoring.ops import op
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    DagsterTypeCheckDidNotPass,
)
from ipy_orch.execution.build import build_asset_check_context, build_asset_context, build_op_context
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.config.classes import Config
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import In, Out
from ipy_orch.model.resources.resource import ConfigurableResource
from ipy_orch.model.results import AssetCheckResult, AssetObservation, MaterializeResult, Output
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.types.annotations import Nothing


class Ingest(Config):
    limit: int
    name: str = "x"


class Database(ConfigurableResource):  # type: ignore[type-arg]
    path: str


@op
def plus(x: int, y: int = 1) -> int:
    """Add."""
    return x + y


@op
def spoken(context: Any, x: int = 5) -> Any:
    """Tell its own name."""
    return context.op_def.name, x


@asset
def everything(context: Any, raw: int, config: Ingest, db: Database) -> Any:
    """Take one of each."""
    return context.asset_key, raw, config.limit, db.path


# -- arguments


def test_by_position_and_by_name() -> None:
    """Defaults fill in the rest."""
    assert (plus(1), plus(1, 2), plus(x=1, y=3), plus(1, y=4)) == (2, 3, 4, 5)


def test_wrong_arguments() -> None:
    """Missing, too many, twice, unknown, no context."""
    calls = (
        lambda: plus(),
        lambda: plus(1, 2, 3),
        lambda: plus(1, x=2),
        lambda: plus(1, z=2),
        lambda: spoken(),
        lambda: spoken(3),
    )
    for call in calls:
        with pytest.raises(DagsterInvalidInvocationError):
            call()


def test_context_may_be_none_or_named() -> None:
    """None stands for an empty one; a function without a context ignores it."""
    assert spoken(None) == ("spoken", 5)
    assert spoken(context=build_op_context(), x=2) == ("spoken", 2)
    assert plus(build_op_context(), 1) == 2


def test_inputs_and_outputs_are_of_their_types() -> None:
    """As in a run."""

    @op
    def wrong() -> int:
        return "text"  # type: ignore[return-value]

    for call in (lambda: plus("text"), wrong):
        with pytest.raises(DagsterTypeCheckDidNotPass):
            call()


def test_asset_gets_all_it_takes() -> None:
    """Inputs, config and resources, from arguments or from the context."""
    expected = (AssetKey("everything"), 1, 2, "p")
    config, db = Ingest(limit=2), Database(path="p")
    assert everything(build_asset_context(), raw=1, config=config, db=db) == expected
    assert everything(build_asset_context(), 1, config, db) == expected
    context = build_asset_context(resources={"db": db}, asset_config={"limit": 2})
    assert everything(context, 1) == expected


def test_external_assets_have_no_function() -> None:
    """Calling one is refused."""
    with pytest.raises(DagsterInvalidInvocationError, match="external"):
        AssetsDefinition(specs=[AssetSpec("outside")])()


# -- config and resources


@op
def takes_config(config: Ingest) -> Any:
    """Give the limit back."""
    return config.limit


def test_config_as_object_or_data() -> None:
    """Plain data is checked."""
    assert takes_config(Ingest(limit=1)) == takes_config(config={"limit": 1}) == 1
    assert takes_config(build_op_context(config={"limit": 1})) == 1
    for given in ({}, {"config": {"limit": "many"}}):
        with pytest.raises(DagsterInvalidConfigError):
            takes_config(**given)


def test_config_schema() -> None:
    """Without a parameter, the config is in the context."""

    @op(config_schema={"limit": int})
    def reads(context: Any) -> Any:
        return context.op_config

    assert reads(build_op_context(op_config={"limit": 3})) == {"limit": 3}
    with pytest.raises(DagsterInvalidConfigError):
        reads(None)


def test_one_source_for_config_and_resources() -> None:
    """Given twice, it isn't clear which counts."""
    with pytest.raises(DagsterInvalidInvocationError):
        takes_config(build_op_context(config={"limit": 1}), config=Ingest(limit=2))
    with pytest.raises(DagsterInvalidInvocationError):
        everything(build_asset_context({"db": Database(path="p")}), 1, Ingest(limit=1), db=Database(path="q"))
    with pytest.raises(DagsterInvalidInvocationError):
        build_op_context(op_config={"a": 1}, config={"a": 1})


def test_missing_resource() -> None:
    """The hint has the closest key."""

    @asset(required_resource_keys={"db"})
    def reads(context: Any) -> Any:
        return context.resources.db

    assert reads(build_asset_context({"db": 3})) == 3
    with pytest.raises(DagsterInvalidDefinitionError, match="`db`"):
        reads(build_asset_context())


def test_definitions_own_resources() -> None:
    """They are there; the context can't bring another."""

    @asset(resource_defs={"db": 3}, required_resource_keys={"db"})
    def reads(context: Any) -> Any:
        return context.resources.db

    assert reads(build_asset_context()) == 3
    with pytest.raises(DagsterInvalidInvocationError):
        reads(build_asset_context({"db": 4}))


# -- what comes back


def test_several_outputs() -> None:
    """A tuple, each part of its type."""

    @op(out={"a": Out(), "b": Out(int)})
    def both(value: Any) -> Any:
        return value

    assert both((1, 2)) == (1, 2)
    with pytest.raises(DagsterTypeCheckDidNotPass):
        both((1, "x"))
    for wrong in (1, (1,), None):
        with pytest.raises(DagsterInvariantViolationError):
            both(wrong)


def yields(*items: Any) -> Any:
    """Return an op of the outputs `a` and, if it likes, `b`, which yields these."""

    @op(out={"a": Out(int), "b": Out(is_required=False)})
    def made() -> Any:
        yield from items

    return made


def test_generator_is_checked_while_it_runs() -> None:
    """Its items come as they are."""
    assert [one.value for one in yields(Output(1, "a"), Output(2, "b"))()] == [1, 2]


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([Output(1, "b")], DagsterInvariantViolationError),
        ([Output(1, "a"), Output(1, "a")], DagsterInvariantViolationError),
        ([Output(1, "z")], DagsterInvariantViolationError),
        ([1], DagsterInvariantViolationError),
        ([Output("x", "a")], DagsterTypeCheckDidNotPass),
    ],
)
def test_wrong_items_of_a_generator(items: list[Any], error: type[Exception]) -> None:
    """Missing, twice, unknown, bare, of another type."""
    with pytest.raises(error):
        list(yields(*items)())


def test_async_definitions() -> None:
    """A coroutine or an async generator comes back."""

    @asset
    async def one() -> int:
        return 1

    @asset
    async def two() -> Any:
        yield Output(2)

    async def items() -> list[Any]:
        return [item.value async for item in two()]

    assert asyncio.run(one()) == 1
    assert asyncio.run(items()) == [2]


def test_materialize_results() -> None:
    """They come back as they are; outputs without a value are implied."""

    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
    def both() -> Any:
        yield MaterializeResult("a")

    first, second = both()
    assert first.asset_key == AssetKey("a")
    assert second.output_name == "b"


def test_checks_must_give_their_verdict() -> None:
    """Inside the result or beside it."""
    specs = [AssetCheckSpec("some", asset="orders")]
    verdict = AssetCheckResult(passed=True)
    assert asset(name="orders", check_specs=specs)(lambda: MaterializeResult(check_results=[verdict]))()
    with pytest.raises(DagsterInvariantViolationError, match="orders:some"):
        asset(name="orders", check_specs=specs)(lambda: MaterializeResult())()


def test_check_as_a_function() -> None:
    """It returns its verdict."""

    @asset_check(asset="orders")
    def some(context: Any, orders: int) -> AssetCheckResult:
        return AssetCheckResult(passed=orders > 0)

    assert some(build_asset_check_context(), 1).passed
    assert not some(build_op_context(), orders=0).passed


# -- the context afterwards


def test_context_keeps_what_was_added() -> None:
    """Metadata and reports can be looked at after the call."""

    @asset
    def speaks(context: Any) -> int:
        context.add_output_metadata({"rows": 1})
        context.log_event(AssetObservation("other"))
        return 1

    context = build_asset_context()
    speaks(context)
    assert context.get_output_metadata("result") == {"rows": 1}
    assert [event.asset_key for event in context.get_events()] == [AssetKey("other")]
    with pytest.raises(DagsterInvariantViolationError):
        _ = context.assets_def


def test_context_in_use_is_refused() -> None:
    """Until a generator has ended, its context is its own."""

    @op
    def later(context: Any) -> Any:
        yield Output(1)

    context = build_op_context()
    items = later(context)
    next(items)
    with pytest.raises(DagsterInvalidInvocationError, match="in use"):
        spoken(context)
    list(items)
    assert spoken(context) == ("spoken", 5)


# -- @op


def test_op_reads_the_function() -> None:
    """Name, description, inputs with types and defaults, outputs."""

    @op(ins={"after": In(Nothing)}, tags={"a": "b"})
    def named(x: int, y: str = "q") -> Output[int]:
        """Say something."""
        return Output(1)

    assert (named.name, named.description) == ("named", "Say something.")
    assert list(named.ins) == ["x", "y", "after"]
    assert named.ins["y"].default_value == "q"
    assert named.outs["result"].dagster_type.display_name == "Int"
    assert named(1).value == 1


def test_wrong_ops() -> None:
    """What contradicts the function is refused where it is written."""
    with pytest.raises(DagsterInvalidDefinitionError):
        op(ins={"nope": In()})(lambda x: x)
    with pytest.raises(DagsterInvalidDefinitionError):
        op(name="not a name")(lambda: 1)
    with pytest.raises(TypeError, match="retry_policy"):
        op(retry_polcy=1)

    def configured(config: Ingest) -> None: ...

    with pytest.raises(CheckError):
        op(config_schema={"a": int})(configured)

    def three() -> tuple[int, int, int]:
        return 1, 2, 3

    with pytest.raises(DagsterInvariantViolationError):
        op(out={"a": Out(), "b": Out()})(three)
