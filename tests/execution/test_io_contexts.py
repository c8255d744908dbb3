"""What an IO manager learns: which value, which partitions; and what it may say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from ipy_orch import (
    AssetIn,
    AssetMaterialization,
    AssetObservation,
    AssetSpec,
    DagsterInstance,
    IOManager,
    PartitionKeyRange,
    TimeWindow,
    asset,
    build_input_context,
    build_output_context,
    materialize,
)
from ipy_orch.errors import CheckError, DagsterInvalidInvocationError, DagsterInvariantViolationError
from ipy_orch.model.metadata.value import DagsterInvalidMetadata


class Days:
    """Be a definition of partitions that stand for days of one month."""

    def time_window_for_partition_key(self, key: str) -> TimeWindow:
        day = datetime.fromisoformat(key)
        return TimeWindow(day, day.replace(day=day.day + 1))

    def get_partition_keys_in_range(self, wanted: PartitionKeyRange, dynamic_partitions_store: Any) -> list[str]:
        first, last = (int(key[-2:]) for key in wanted)
        return [f"2026-01-{day:02}" for day in range(first, last + 1)]


@pytest.mark.parametrize("build", [build_input_context, build_output_context])
def test_one_partition(build: Any) -> None:
    """It is the run's, and the asset's."""
    context = build(asset_key="orders", partition_key="2026-01-02", asset_partitions_def=Days())
    assert context.has_asset_partitions
    assert context.partition_key == context.asset_partition_key == "2026-01-02"
    assert context.asset_partition_key_range == ("2026-01-02", "2026-01-02")
    assert context.asset_partitions_time_window == (datetime(2026, 1, 2), datetime(2026, 1, 3))  # noqa: DTZ001
    assert context.get_asset_identifier() == ["orders", "2026-01-02"]
    assert not build(partition_key="2026-01-02").has_asset_partitions


@pytest.mark.parametrize("build", [build_input_context, build_output_context])
def test_several_partitions(build: Any) -> None:
    """There's no one key then."""
    span = PartitionKeyRange("2026-01-02", "2026-01-04")
    context = build(asset_key="orders", asset_partition_key_range=span, asset_partitions_def=Days())
    assert context.asset_partition_keys == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert context.asset_partition_key_range == span
    assert context.asset_partitions_time_window == (datetime(2026, 1, 2), datetime(2026, 1, 5))  # noqa: DTZ001
    with pytest.raises(DagsterInvariantViolationError, match=r"3 partitions of asset `orders`.*\n.*hint:"):
        _ = context.asset_partition_key
    with pytest.raises(DagsterInvalidInvocationError, match="asset_partitions_def"):
        build(asset_key="orders", asset_partition_key_range=span)
    with pytest.raises(DagsterInvalidInvocationError, match="not both"):
        build(asset_key="orders", asset_partition_key_range=span, partition_key="2026-01-02")


@pytest.mark.parametrize(
    "name", ["partition_key", "asset_partition_key", "asset_partition_keys", "asset_partitions_def", "asset_key"]
)
def test_what_isnt_known_is_an_error(name: str) -> None:
    """And never None."""
    with pytest.raises(DagsterInvariantViolationError, match="`result`"):
        getattr(build_output_context(), name)
    with pytest.raises(DagsterInvariantViolationError, match="isn't of a step"):
        _ = build_output_context().step_context


def test_identifiers() -> None:
    """Of the run, with the key of a dynamic output; or of a version."""
    assert build_output_context("make", "result", run_id="run", mapping_key="a").get_identifier()[-1] == "a"
    versioned = build_output_context("make", "result", version="1")
    assert versioned.get_identifier() == ["versioned_outputs", "1", "make", "result"]
    with pytest.raises(DagsterInvariantViolationError, match="dynamic"):
        build_output_context("make", version="1", mapping_key="a").get_identifier()


def test_what_is_given() -> None:
    """Instance, spec and resources are there to read."""
    instance = DagsterInstance.ephemeral()
    output = build_output_context(asset_spec=AssetSpec("orders", group_name="shop"), instance=instance)
    assert (output.instance, output.asset_spec.group_name, output.asset_key.path) == (instance, "shop", ("orders",))
    outer = build_output_context(resources={"db": 5})
    assert build_input_context(resources=outer.resources).resources.db == 5


def test_metadata_is_said_once() -> None:
    """A name that is taken, and a value that is no metadata, are errors."""
    context = build_output_context(asset_key="orders")
    context.add_output_metadata({"rows": 1})
    for again in ({"rows": 2}, {"value": object()}):
        with pytest.raises(DagsterInvalidMetadata):
            context.add_output_metadata(again)
    with pytest.raises(CheckError, match="log_event"):
        context.log_event("x")


def test_what_an_io_manager_yields() -> None:
    """Metadata, and materializations, which get that metadata when they have none."""
    context = build_output_context(asset_key="orders")
    context.receive(iter([{"rows": 1}, AssetMaterialization("copy"), {"bytes": 2}, AssetObservation("seen")]))
    copy, seen = context.get_logged_events()
    assert (set(copy.metadata), seen.asset_key.path) == ({"rows", "bytes"}, ("seen",))
    context.receive(None)
    with pytest.raises(DagsterInvariantViolationError, match="metadata twice"):
        context.receive(AssetMaterialization("copy", metadata={"rows": 3}))
    with pytest.raises(DagsterInvariantViolationError, match=r"returned 5.*\n.*hint:"):
        context.receive(5)


def test_what_is_said_of_an_input() -> None:
    """It is an observation of the asset."""
    context = build_input_context(asset_key="orders", partition_key="a")
    context.add_input_metadata({"rows": 1}, "looked at")
    (seen,) = context.get_observations()
    assert (seen.asset_key.path, seen.partition, seen.description, seen.metadata["rows"].value) == (
        ("orders",),
        "a",
        "looked at",
        1,
    )


def test_in_a_run() -> None:
    """The contexts of a run know the job, the input and the output upstream."""
    seen: dict[str, Any] = {}

    class Spy(IOManager):
        def handle_output(self, context: Any, obj: Any) -> None:
            seen[context.asset_key.path[-1]] = (context.name, context.job_name, context.definition_metadata.get("unit"))

        def load_input(self, context: Any) -> Any:
            seen["input"] = (context.name, context.upstream_output.definition_metadata["unit"], context.metadata["as"])
            return 1

    @asset(metadata={"unit": "EUR"})
    def price():
        return 1

    @asset(ins={"given": AssetIn("price", metadata={"as": "text"})})
    def tax(given):
        return given

    materialize([price, tax], resources={"io_manager": Spy()})
    assert seen["price"][::2] == ("result", "EUR")
    assert seen["input"] == ("given", "EUR", "text")
    assert seen["tax"][1]
