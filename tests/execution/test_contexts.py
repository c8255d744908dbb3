"""What user code and IO managers learn from their contexts, in a run and in tests."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.errors import DagsterInvariantViolationError, DagsterUnknownResourceError
from ipy_orch.execution.build import build_asset_context, build_input_context, build_op_context, build_output_context
from ipy_orch.execution.contexts.contexts import AssetCheckExecutionContext, AssetExecutionContext
from ipy_orch.execution.contexts.handles import NodeHandle
from ipy_orch.execution.materialize import materialize, materialize_to_memory
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.model.asset_ports import AssetOut
from ipy_orch.model.config.classes import Config
from ipy_orch.model.io import IOManager
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.value import DagsterInvalidMetadata
from ipy_orch.model.partitions.definition import StaticPartitionsDefinition
from ipy_orch.model.policies import BackfillPolicy
from ipy_orch.model.resources.resource import resource
from ipy_orch.model.results import AssetCheckResult, AssetObservation, DataProvenance, DataVersion


class Ingest(Config):
    limit: int = 10


class Kept(IOManager):
    """Take everything."""

    def handle_output(self, context: Any, obj: Any) -> None: ...

    def load_input(self, context: Any) -> None: ...


def seen_by(read: Any, **options: Any) -> Any:
    """Return what a function reads from the context of its asset `orders`."""
    found: list[Any] = []

    @asset(name="orders", **options)
    def body(context: AssetExecutionContext) -> None:
        found.append(read(context))

    materialize_to_memory(
        [body], tags={"team": "core"}, resources=dict.fromkeys(options.get("required_resource_keys", ()), 5)
    )
    return found[0]


def test_context_of_an_asset() -> None:
    """Each property says what Dagster's of this name says."""

    @asset(name="orders")
    def body(context: AssetExecutionContext) -> None:
        key = AssetKey("orders")
        assert context.asset_key == context.asset_key_for_output("result") == key
        assert context.selected_asset_keys == {key}
        assert context.selected_output_names == {"result"}
        assert context.output_for_asset_key(key) == "result"
        assert context.op_def.name == "orders"
        assert context.run_tags == {"team": "core"}
        assert (context.has_tag("team"), context.get_tag("team"), context.get_tag("other")) == (True, "core", None)
        assert (context.retry_number, context.has_partition_key, context.is_subset) == (0, False, False)
        assert context.run.run_id == context.run_id
        assert isinstance(context.instance, DagsterInstance)
        assert AssetExecutionContext.get() is context.op_execution_context is context

    assert materialize_to_memory([body], tags={"team": "core"}).success


def test_resources_are_those_required() -> None:
    """Others aren't to be had, and the hint says what to declare."""
    assert seen_by(lambda c: c.resources.db, required_resource_keys={"db"}) == 5
    with pytest.raises(DagsterUnknownResourceError, match="required_resource_keys"):
        seen_by(lambda c: c.resources.db)


def test_what_is_not_there_is_an_error() -> None:
    """No partition, no such input, no such output."""
    reads = (
        lambda c: c.partition_key,
        lambda c: c.asset_key_for_input("nope"),
        lambda c: c.add_output_metadata({}, "nope"),
    )
    for read in reads:
        with pytest.raises(DagsterInvariantViolationError):
            seen_by(read)


def test_config_as_object_and_as_data() -> None:
    """``config`` is for the parameter, ``op_config`` plain data."""
    found: list[Any] = []

    @asset
    def orders(context: AssetExecutionContext, config: Ingest) -> None:
        found.extend([config.limit, context.op_config])

    materialize_to_memory([orders], run_config={"ops": {"orders": {"config": {"limit": 3}}}})
    assert found == [3, {"limit": 3}]


def test_key_of_several_assets_is_ambiguous() -> None:
    """A definition of two assets has no one key, and metadata needs a name."""

    @multi_asset(outs={"a": AssetOut(), "b": AssetOut()})
    def both(context: AssetExecutionContext) -> tuple[int, int]:
        with pytest.raises(DagsterInvariantViolationError):
            _ = context.asset_key
        with pytest.raises(DagsterInvariantViolationError):
            context.add_output_metadata({"rows": 1})
        context.add_output_metadata({"rows": 1}, "a")
        context.add_asset_metadata({"rows": 2}, "b")
        return 1, 2

    made = [event.materialization for event in materialize_to_memory([both]).get_asset_materialization_events()]
    assert [one.metadata["rows"].value for one in made] == [1, 2]


def test_metadata_must_be_metadata() -> None:
    """A value that can't be is refused where it is added."""
    with pytest.raises(DagsterInvalidMetadata):
        seen_by(lambda c: c.add_output_metadata({"frame": object()}))


def test_context_of_a_check() -> None:
    """It knows its check."""

    @asset
    def orders() -> int:
        return 1

    @asset_check(asset=orders)
    def some(context: AssetCheckExecutionContext, orders: int) -> AssetCheckResult:
        return AssetCheckResult(passed=context.asset_check_spec.name == "some" and orders == 1)

    assert materialize_to_memory([orders, some]).get_asset_check_evaluations()[0].passed


def test_no_context_outside_a_step() -> None:
    """``get`` finds none."""
    with pytest.raises(DagsterInvariantViolationError):
        AssetExecutionContext.get()


# -- made by hand


def test_context_by_hand_belongs_to_nothing_before_a_call() -> None:
    """It has a run, tags and resources, but no op."""
    context = build_op_context(resources={"db": 5}, run_tags={"a": "b"}, partition_key="2026")
    assert (context.resources.db, context.run_tags, context.partition_key) == (5, {"a": "b"}, "2026")
    with pytest.raises(DagsterInvariantViolationError):
        _ = context.op_def


def test_resource_that_must_be_closed_needs_with() -> None:
    """Else nobody would close it."""
    events: list[str] = []

    @resource
    def db(_context: Any) -> Any:
        yield 5
        events.append("closed")

    with pytest.raises(DagsterInvariantViolationError, match="with"):
        _ = build_asset_context(resources={"db": db}).resources
    with build_asset_context(resources={"db": db}) as context:
        assert context.resources.db == 5
    assert events[-1] == "closed"


def test_output_context_by_hand() -> None:
    """For the test of an IO manager."""
    context = build_output_context(
        "make", "result", {"a": 1}, "run", asset_key=["a", "b"], partition_key="p", resources={"db": 5}
    )
    assert context.get_asset_identifier() == ["a", "b", "p"]
    assert context.get_identifier() == ["run", "make", "result"]
    assert (context.definition_metadata, context.resources.db, context.has_asset_partitions) == ({"a": 1}, 5, True)
    context.add_output_metadata({"rows": 1})
    assert context.get_logged_metadata()["rows"].value == 1


def test_input_context_by_hand() -> None:
    """Its identifier is the output's upstream."""
    upstream = build_output_context("make", "result", run_id="run")
    context = build_input_context("raw", upstream_output=upstream)
    assert context.get_identifier() == ["run", "make", "result"]
    with pytest.raises(DagsterInvariantViolationError):
        build_input_context("raw").get_identifier()
    with pytest.raises(DagsterInvariantViolationError):
        _ = context.asset_key


def test_what_else_is_known_of_a_step() -> None:
    """The run and the job, the place of the op, what the asset was made from, and what was reported so far."""
    instance, found = DagsterInstance.ephemeral(), []

    @asset(code_version="3")
    def orders(context: AssetExecutionContext) -> None:
        assert context.dagster_run is context.run
        assert (context.run.op_selection, context.run.step_keys_to_execute) == (None, None)
        assert context.job_def.name == context.job_name == "__ephemeral_asset_job__"
        assert str(context.op_handle) == str(context.node_handle) == context.op_handle.name == "orders"
        assert context.op_handle.path == ["orders"]
        context.log_event(AssetObservation("raw"))
        assert context.has_events()
        assert [event.asset_key for event in context.consume_events()] == [AssetKey("raw")]
        assert not context.has_events()
        context.set_data_version(AssetKey("orders"), DataVersion("v1"))
        found.append(context.get_asset_provenance(AssetKey("orders")))

    job = materialize_to_memory([orders], instance=instance).job_def
    materialize_to_memory([orders], instance=instance)
    assert job is not None
    assert [node.name for node in job.nodes] == ["orders"]
    assert found == [None, DataProvenance(code_version="3", input_data_versions={}, is_user_provided=True)]
    assert str(NodeHandle.of("report.clean[north]").parent) == "report"


def test_a_range_is_more_than_one_partition() -> None:
    """As in Dagster, a run of one partition has no range."""
    cut, found = StaticPartitionsDefinition(["a", "b", "c"]), []

    @asset(partitions_def=cut, backfill_policy=BackfillPolicy.single_run())
    def orders(context: AssetExecutionContext) -> None:
        found.append((context.has_partition_key, context.has_partition_key_range))

    ends = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    materialize([orders], partition_key="a", resources={"io_manager": Kept()})
    materialize([orders], tags=ends, resources={"io_manager": Kept()})
    assert found == [(True, False), (False, True)]
