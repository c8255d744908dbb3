"""Partitions that are written down, added by and by, or in two dimensions; config by partition."""

from __future__ import annotations

# ruff: noqa: DTZ001 - a moment without a timezone is that of the partitions
import pickle
from datetime import datetime

import pytest

from ipy_orch import (
    DagsterInstance,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterUnknownPartitionError,
    DailyPartitionsDefinition,
    DynamicPartitionsDefinition,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    PartitionedConfig,
    PartitionKeyRange,
    RunConfig,
    StaticPartitionsDefinition,
    daily_partitioned_config,
    deserialize_value,
    dynamic_partitioned_config,
    partition_loading_context,
    serialize_value,
    static_partitioned_config,
)
from ipy_orch.errors import CheckError

REGIONS = StaticPartitionsDefinition(["north", "south", "west"])
DAYS = DailyPartitionsDefinition("2024-01-01", "2024-01-04")
BOTH = MultiPartitionsDefinition({"region": REGIONS, "date": DAYS})


def test_static() -> None:
    """Keys in the order in which they were written, each once."""
    assert REGIONS.get_partition_keys_in_range(PartitionKeyRange("south", "west")) == ["south", "west"]
    assert REGIONS.get_partition_keys_in_range(PartitionKeyRange("west", "south")) == []
    with pytest.raises(DagsterUnknownPartitionError, match="did you mean `north`"):
        REGIONS.validate_partition_key("nort")
    with pytest.raises(DagsterInvalidInvocationError, match="`east`"):
        REGIONS.get_partition_keys_in_range(PartitionKeyRange("south", "east"))
    for wrong in (["a", "a"], ["a\n"], ["a...b"]):
        with pytest.raises(DagsterInvalidDefinitionError):
            StaticPartitionsDefinition(wrong)
    with pytest.raises(CheckError):
        StaticPartitionsDefinition([1])  # type: ignore[list-item]


def test_ranges_of_a_subset() -> None:
    """Neighbours are one range."""
    subset = REGIONS.subset_with_partition_keys(["north", "west"])
    assert subset.get_partition_key_ranges(REGIONS) == [("north", "north"), ("west", "west")]
    assert subset.get_partition_keys_not_in_subset(REGIONS) == ["south"]
    assert REGIONS.subset_with_all_partitions().get_partition_key_ranges(REGIONS) == [("north", "west")]


def test_dynamic() -> None:
    """An instance keeps the keys, in the order in which they were added."""
    people, instance = DynamicPartitionsDefinition(name="people"), DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("people", ["zoe", "ann"])
    instance.add_dynamic_partitions("people", ["ann", "bob"])
    instance.delete_dynamic_partition("people", "ann")
    instance.delete_dynamic_partition("people", "nobody")
    assert people.get_partition_keys(dynamic_partitions_store=instance) == ["zoe", "bob"]
    with partition_loading_context(dynamic_partitions_store=instance):
        assert people.has_partition_key("bob")
        assert not people.has_partition_key("ann")
    with pytest.raises(CheckError, match="an instance keeps"):
        people.get_partition_keys()
    with pytest.raises(DagsterInvalidDefinitionError, match="one of the two"):
        DynamicPartitionsDefinition()
    assert people.build_add_request(["eve"]).partition_keys == ["eve"]
    told = DynamicPartitionsDefinition(lambda now: [f"{now:%Y}" if now else "none"])
    assert told.get_partition_keys(datetime(2024, 5, 1)) == ["2024"]


def test_two_dimensions() -> None:
    """A key of each, written in the order of the dimensions' names."""
    key = MultiPartitionKey({"region": "south", "date": "2024-01-02"})
    assert (key, key.keys_by_dimension["region"]) == ("2024-01-02|south", "south")
    assert BOTH.get_partition_key_from_str("2024-01-02|south") == key
    assert pickle.loads(pickle.dumps(key)).keys_by_dimension == key.keys_by_dimension
    assert BOTH.has_partition_key(key)
    assert not BOTH.has_partition_key("2024-01-04|south")
    assert BOTH.get_num_partitions() == len(BOTH.get_partition_keys()) == 9
    assert BOTH.time_window_for_partition_key(key).start.day == 2
    assert BOTH.get_tags_for_partition_key(key)["dagster/partition/region"] == "south"
    with pytest.raises(DagsterUnknownPartitionError, match="dimension `region` has no partition `sout`"):
        BOTH.validate_partition_key("2024-01-02|sout")
    with pytest.raises(DagsterUnknownPartitionError, match=r"date\|region"):
        BOTH.validate_partition_key("south")


def test_a_range_in_two_dimensions_is_a_rectangle() -> None:
    """The ranges of a subset are rectangles that hold it, and nothing else."""
    span = PartitionKeyRange("2024-01-01|south", "2024-01-02|west")
    keys = BOTH.get_partition_keys_in_range(span)
    assert keys == ["2024-01-01|south", "2024-01-01|west", "2024-01-02|south", "2024-01-02|west"]
    subset = BOTH.subset_with_partition_keys([*keys, "2024-01-03|north"])
    told = [key for one in subset.get_partition_key_ranges(BOTH) for key in BOTH.get_partition_keys_in_range(one)]
    assert sorted(told) == sorted(subset.get_partition_keys())


def test_what_has_no_two_dimensions() -> None:
    """One, three, or dimensions that can't be any."""
    with pytest.raises(DagsterInvalidInvocationError):
        MultiPartitionsDefinition({"a": REGIONS})
    with pytest.raises(DagsterInvalidDefinitionError, match="dimension `b`"):
        MultiPartitionsDefinition({"a": REGIONS, "b": BOTH})
    with pytest.raises(DagsterInvalidDefinitionError, match="one of"):
        MultiPartitionsDefinition({"a": StaticPartitionsDefinition(["x|y"]), "b": REGIONS})


@pytest.mark.parametrize("one", [REGIONS, DAYS, BOTH, DynamicPartitionsDefinition(name="x")])
def test_as_json(one: object) -> None:
    """Definitions can be written and read."""
    assert deserialize_value(serialize_value(one)) == one


# ---- config


def test_config_by_key() -> None:
    """It may be a dict or a RunConfig; tags are one's own and the partition's."""

    @static_partitioned_config(["a", "b"], tags_for_partition_key_fn=lambda key: {"team": key})
    def config(key: str) -> RunConfig:
        return RunConfig({"load": {"n": key}})

    assert config.get_run_config_for_partition_key("a")["ops"] == {"load": {"n": "a"}}
    assert config.get_tags_for_partition_key("a") == {"team": "a", "dagster/partition": "a"}
    assert config.get_partition_keys() == ["a", "b"]
    assert config("b") == RunConfig({"load": {"n": "b"}})


def test_config_by_window() -> None:
    """The function gets where the window begins and ends."""

    @daily_partitioned_config("2024-01-01", timezone="Europe/Berlin")
    def config(start: datetime, end: datetime) -> dict[str, object]:
        return {"start": start.isoformat(), "end": end.isoformat()}

    told = config.get_run_config_for_partition_key("2024-03-31")
    assert told == {"start": "2024-03-31T00:00:00+01:00", "end": "2024-04-01T00:00:00+02:00"}


def test_config_is_nobody_elses() -> None:
    """What one partition got isn't changed by the next."""
    shared: dict[str, dict[str, str]] = {"ops": {}}

    @dynamic_partitioned_config(lambda _: ["a", "b"])
    def config(key: str) -> dict[str, dict[str, str]]:
        shared["ops"]["key"] = key
        return shared

    first = config.get_run_config_for_partition_key("a")
    assert config.get_run_config_for_partition_key("b") != first
    with pytest.raises(CheckError):
        PartitionedConfig(REGIONS)
