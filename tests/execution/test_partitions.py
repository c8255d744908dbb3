"""Runs of partitions: what contexts tell, what is loaded and stored, events, config, tags."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ipy_orch import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    AssetSpec,
    DagsterInstance,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
    DagsterUnknownPartitionError,
    DailyPartitionsDefinition,
    Definitions,
    DynamicPartitionsDefinition,
    FilesystemIOManager,
    LastPartitionMapping,
    MaterializeResult,
    MultiPartitionsDefinition,
    OpExecutionContext,
    PartitionKeyRange,
    StaticPartitionsDefinition,
    TimeWindowPartitionMapping,
    WeeklyPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
    deserialize_value,
    job,
    materialize,
    materialize_to_memory,
    multi_asset,
    op,
    serialize_value,
    static_partitioned_config,
)
from ipy_orch.errors import CheckError

ABC = StaticPartitionsDefinition(["a", "b", "c"])
DAYS = DailyPartitionsDefinition("2024-01-07", "2024-02-01")
RANGE = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}


@asset(partitions_def=ABC)
def letters(context: AssetExecutionContext) -> str:
    """Be its own partition's key."""
    return context.partition_key


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    """Return resources that keep values in files."""
    return {"io_manager": FilesystemIOManager(base_dir=str(tmp_path))}


def test_one_partition() -> None:
    """Its key is in the context, the event and the tags."""
    result = materialize_to_memory([letters], partition_key="b")
    (event,) = result.asset_materializations_for_node("letters")
    assert (result.output_for_node("letters"), event.partition) == ("b", "b")
    assert result.dagster_run.tags["dagster/partition"] == "b"


def test_what_cannot_run() -> None:
    """A partition that isn't there, one of nothing, and two kinds in one run."""
    with pytest.raises(DagsterUnknownPartitionError, match="`z`"):
        materialize_to_memory([letters], partition_key="z")

    @asset
    def whole() -> int:
        return 1

    with pytest.raises(CheckError, match="nothing that runs has partitions"):
        materialize_to_memory([whole], partition_key="a")

    @asset(partitions_def=DAYS)
    def daily() -> int:
        return 1

    with pytest.raises(DagsterInvalidDefinitionError, match="the same partitions"):
        materialize_to_memory([letters, daily], partition_key="a")
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)isn't of a partition.*partition_key="):
        materialize_to_memory([letters])


def test_an_input_is_what_the_mapping_says(files: dict[str, Any]) -> None:
    """One value of one partition, a dict of several; what has no partitions reads them all."""

    @asset
    def everything(letters: dict[str, str]) -> Any:
        return [*letters.items()]

    @asset(ins={"letters": AssetIn(partition_mapping=LastPartitionMapping())})
    def newest(letters: str) -> str:
        return letters

    for key in "abc":
        assert materialize([letters], partition_key=key, resources=files).success
    result = materialize([letters, everything, newest], selection=["everything", "newest"], resources=files)
    assert result.output_for_node("everything") == [("a", "a"), ("b", "b"), ("c", "c")]
    assert result.output_for_node("newest") == "c"


def test_a_day_before(files: dict[str, Any]) -> None:
    """An asset may read its own earlier partition; there's none before the first."""

    @asset(
        partitions_def=DAYS,
        ins={"count": AssetIn(partition_mapping=TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))},
    )
    def count(count: int | None) -> int:
        return (count or 0) + 1

    values = [
        materialize([count], partition_key=f"2024-01-{day:02}", resources=files).output_for_node("count")
        for day in (7, 8, 9)
    ]
    assert values == [1, 2, 3]


def test_what_a_context_tells() -> None:
    """Of what is made, and of each input, loaded or not."""
    seen: dict[str, Any] = {}

    @asset(partitions_def=DAYS)
    def daily() -> None: ...

    @asset(partitions_def=WeeklyPartitionsDefinition("2024-01-07"), deps=[daily])
    def weekly(context: AssetExecutionContext) -> None:
        start, end = context.partition_time_window
        seen.update(
            length=end - start,
            read=context.asset_partition_key_range_for_input("daily"),
            window=context.asset_partitions_time_window_for_input("daily"),
            own=context.asset_partition_keys_for_output(),
            cut=context.asset_partitions_def_for_input("daily"),
        )
        with pytest.raises(DagsterInvariantViolationError, match="7 partitions"):
            context.asset_partition_key_for_input("daily")

    assert materialize_to_memory([daily, weekly], selection=["weekly"], partition_key="2024-01-14").success
    assert seen["length"] == timedelta(days=7)
    assert seen["read"] == PartitionKeyRange("2024-01-14", "2024-01-20")
    assert (seen["own"], seen["cut"]) == (["2024-01-14"], DAYS)


def test_a_range_in_one_run() -> None:
    """One call, a fact for each partition, with metadata of its own."""
    seen: list[Any] = []

    @asset(partitions_def=ABC)
    def many(context: AssetExecutionContext) -> None:
        seen.append((context.partition_keys, context.partition_key_range, context.has_partition_key))
        context.add_output_metadata({"all": 1})
        context.add_asset_metadata({"own": "b"}, partition_key="b")
        with pytest.raises(DagsterInvariantViolationError, match="2 partitions"):
            _ = context.partition_key

    instance = DagsterInstance.ephemeral()
    result = materialize([many], tags=RANGE, instance=instance)
    assert seen == [(["a", "b"], ("a", "b"), False)]
    told = {one.partition: sorted(one.metadata) for one in result.asset_materializations_for_node("many")}
    assert told == {"a": ["all"], "b": ["all", "own"]}
    assert instance.get_materialized_partitions(AssetKey("many")) == {"a", "b"}
    with pytest.raises(DagsterInvariantViolationError, match="can't be stored for 2 partitions"):
        materialize([numbers], tags=RANGE)


@asset(partitions_def=ABC)
def numbers() -> int:
    """Return one value, whatever runs."""
    return 1


def test_two_dimensions() -> None:
    """The key knows both, and may be given as text."""
    both = MultiPartitionsDefinition({"abc": ABC, "date": DAYS})

    @asset(partitions_def=both)
    def grid(context: AssetExecutionContext) -> str:
        return context.multi_partition_key.keys_by_dimension["abc"] + str(context.partition_time_window.start.day)

    result = materialize_to_memory([grid], partition_key="b|2024-01-09")
    assert result.output_for_node("grid") == "b9"
    assert result.dagster_run.tags["dagster/partition/date"] == "2024-01-09"
    [made] = result.asset_materializations_for_node("grid")
    assert {tag: key for tag, key in made.tags.items() if "partition" in tag} == {
        "dagster/partition/abc": "b",
        "dagster/partition/date": "2024-01-09",
    }
    assert deserialize_value(serialize_value(made)) == made


def test_dynamic() -> None:
    """Those that the instance knows."""

    @asset(partitions_def=DynamicPartitionsDefinition(name="people"))
    def person(context: AssetExecutionContext) -> str:
        return context.partition_key

    instance = DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("people", ["ann"])
    assert materialize([person], partition_key="ann", instance=instance).success
    with pytest.raises(DagsterUnknownPartitionError, match="bob"):
        materialize([person], partition_key="bob", instance=instance)


def test_checks() -> None:
    """A check has the partition of its asset's run; its verdict has one when it says so."""

    @asset_check(asset=letters)
    def plain(letters: str) -> bool:
        return letters == "b"

    @asset_check(asset=letters, partitions_def=ABC)
    def cut(letters: str) -> bool:
        return letters == "b"

    result = materialize_to_memory([letters, plain, cut], partition_key="b")
    assert {(one.check_name, one.passed, one.partition) for one in result.get_asset_check_evaluations()} == {
        ("plain", True, None),
        ("cut", True, "b"),
    }


def test_assets_of_one_function_with_different_partitions() -> None:
    """They can be made apart."""

    @multi_asset(specs=[AssetSpec("x", partitions_def=ABC), AssetSpec("y", partitions_def=DAYS)], can_subset=True)
    def both(context: AssetExecutionContext) -> Any:
        for key in context.selected_asset_keys:
            yield MaterializeResult(key)

    assert materialize([both], selection=["y"], partition_key="2024-01-08").success
    with pytest.raises(DagsterInvalidDefinitionError):
        materialize([both], partition_key="a")


def test_jobs_of_ops() -> None:
    """Config and tags come from the partition; what is given stands over it."""

    @static_partitioned_config(["a", "b"], tags_for_partition_key_fn=lambda key: {"team": key})
    def config(key: str) -> dict[str, Any]:
        return {"ops": {"tell": {"config": {"key": key}}}}

    @op(config_schema={"key": str})
    def tell(context: OpExecutionContext) -> Any:
        return context.op_config["key"], context.partition_key, context.get_tag("team")

    @job(config=config)
    def told() -> None:
        tell()

    assert told.execute_in_process(partition_key="a").output_for_node("tell") == ("a", "a", "a")
    given = {"ops": {"tell": {"config": {"key": "mine"}}}}
    assert told.execute_in_process(given, partition_key="b").output_for_node("tell") == ("mine", "b", "b")
    with pytest.raises(DagsterUnknownPartitionError):
        told.execute_in_process(partition_key="c")


@pytest.mark.filterwarnings("ignore:`partitions_def` of job")
def test_jobs_of_assets() -> None:
    """They have the partitions of their assets, and no others."""
    made = Definitions([letters], jobs=[define_asset_job("one")]).resolve_job_def("one")
    assert made.partitions_def == ABC
    assert made.execute_in_process(partition_key="c").output_for_node("letters") == "c"
    with pytest.raises(DagsterInvalidDefinitionError, match="`one`"):
        Definitions([letters], jobs=[define_asset_job("one", partitions_def=DAYS)]).resolve_job_def("one")
