"""Which partitions read which; by time beside Dagster."""

from __future__ import annotations

# ruff: noqa: DTZ001 - a moment without a timezone is that of the partitions
import warnings
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipy_orch
from ipy_orch import (
    AllPartitionMapping,
    DagsterInvalidDefinitionError,
    DailyPartitionsDefinition,
    DimensionPartitionMapping,
    HourlyPartitionsDefinition,
    IdentityPartitionMapping,
    LastPartitionMapping,
    MultiPartitionMapping,
    MultiPartitionsDefinition,
    MultiToSingleDimensionPartitionMapping,
    PartitionMapping,
    PartitionsDefinition,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    StaticPartitionsDefinition,
    TimeWindowPartitionMapping,
    WeeklyPartitionsDefinition,
    partition_loading_context,
)
from ipy_orch.errors import CheckError
from ipy_orch.model.partitions.multi_mappings import infer_partition_mapping

NOW = datetime(2024, 6, 1)
ABC = StaticPartitionsDefinition(["a", "b", "c"])
DAYS, HOURS, WEEKS = (
    DailyPartitionsDefinition("2024-01-01"),
    HourlyPartitionsDefinition("2024-01-01-00:00"),
    WeeklyPartitionsDefinition("2024-01-01"),
)


def read(mapping: PartitionMapping, here: PartitionsDefinition, key: str, upstream: PartitionsDefinition) -> list[str]:
    """Return the partitions upstream that one reads."""
    found = mapping.get_upstream_mapped_partitions_result_for_partitions(
        here.subset_with_partition_keys([key]), here, upstream, NOW
    )
    return sorted(found.partitions_subset.get_partition_keys())


def readers(
    mapping: PartitionMapping, upstream: PartitionsDefinition, key: str, here: PartitionsDefinition
) -> list[str]:
    """Return the partitions that read one upstream."""
    subset = upstream.subset_with_partition_keys([key])
    return sorted(mapping.get_downstream_partitions_for_partitions(subset, upstream, here, NOW).get_partition_keys())


@pytest.mark.parametrize(
    ("mapping", "keys", "read_by"),
    [
        (IdentityPartitionMapping(), ["b"], ["b"]),
        (AllPartitionMapping(), ["a", "b", "c"], ["a", "b", "c"]),
        (LastPartitionMapping(), ["c"], []),
        (SpecificPartitionsPartitionMapping(["a", "b"]), ["a", "b"], ["a", "b", "c"]),
        (StaticPartitionMapping({"a": "b", "b": ["a", "c"]}), ["a"], ["a", "c"]),
    ],
)
def test_by_key(mapping: PartitionMapping, keys: list[str], read_by: list[str]) -> None:
    """What `b` reads, and what reads `b`."""
    assert read(mapping, ABC, "b", ABC) == keys
    assert readers(mapping, ABC, "b", ABC) == read_by
    assert mapping.description


def test_windows() -> None:
    """Those in it, or that in which it lies; offsets go by its own windows."""
    plain, before = TimeWindowPartitionMapping(), TimeWindowPartitionMapping(-1, -1)
    assert len(read(plain, DAYS, "2024-01-03", HOURS)) == 24
    assert read(plain, HOURS, "2024-01-03-05:00", DAYS) == ["2024-01-03"]
    assert read(before, DAYS, "2024-01-03", HOURS)[::23] == ["2024-01-02-00:00", "2024-01-02-23:00"]
    assert read(before, DAYS, "2024-01-01", DAYS) == []
    assert readers(before, DAYS, "2024-01-09", DAYS) == ["2024-01-10"]
    assert readers(TimeWindowPartitionMapping(-1, 0), DAYS, "2024-01-09", WEEKS) == ["2024-01-07", "2024-01-14"]


def test_windows_that_are_not_there() -> None:
    """Missing, unless they are only in an offset's reach, or may be missing."""
    late = DailyPartitionsDefinition("2024-03-01")

    def missing(mapping: TimeWindowPartitionMapping, key: str, up: DailyPartitionsDefinition = late) -> list[str]:
        subset = DAYS.subset_with_partition_keys([key])
        found = mapping.get_upstream_mapped_partitions_result_for_partitions(subset, DAYS, up, NOW)
        return list(found.required_but_nonexistent_partition_keys)

    assert missing(TimeWindowPartitionMapping(), "2024-02-01") == ["2024-02-01"]
    assert missing(TimeWindowPartitionMapping(-1, 0), "2024-03-01") == []
    ended = DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")
    assert missing(TimeWindowPartitionMapping(-1, -1), "2024-01-07", ended) == ["2024-01-06"]
    assert missing(TimeWindowPartitionMapping(1, 1), "2024-01-07", ended) == []
    assert missing(TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True), "2024-02-01") == []


def test_two_dimensions() -> None:
    """Dimension by dimension; what isn't tied is read whole."""
    both = MultiPartitionsDefinition({"date": DAYS, "abc": ABC})
    weekly = MultiPartitionsDefinition({"week": WEEKS, "abc": ABC})
    single = MultiToSingleDimensionPartitionMapping()
    assert read(single, both, "a|2024-01-03", DAYS) == ["2024-01-03"]
    assert read(single, DAYS, "2024-01-03", both) == ["a|2024-01-03", "b|2024-01-03", "c|2024-01-03"]
    assert readers(single, DAYS, "2024-01-03", both) == ["a|2024-01-03", "b|2024-01-03", "c|2024-01-03"]
    tied = MultiPartitionMapping(
        {
            "date": DimensionPartitionMapping("week", TimeWindowPartitionMapping()),
            "abc": DimensionPartitionMapping("abc", IdentityPartitionMapping()),
        }
    )
    assert read(tied, weekly, "b|2024-01-07", both)[::6] == ["b|2024-01-07", "b|2024-01-13"]
    assert readers(tied, both, "b|2024-01-09", weekly) == ["b|2024-01-07"]


def test_what_cannot_be_mapped() -> None:
    """Other kinds, other timezones, keys and dimensions that aren't there."""
    both = MultiPartitionsDefinition({"a": ABC, "b": ABC})
    berlin = DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin")
    for mapping, upstream, here, error in (
        (IdentityPartitionMapping(), ABC, DAYS, DagsterInvalidDefinitionError),
        (TimeWindowPartitionMapping(), ABC, DAYS, DagsterInvalidDefinitionError),
        (TimeWindowPartitionMapping(), DAYS, None, DagsterInvalidDefinitionError),
        (TimeWindowPartitionMapping(), DAYS, berlin, DagsterInvalidDefinitionError),
        (StaticPartitionMapping({"x": "a"}), ABC, ABC, ValueError),
        (MultiToSingleDimensionPartitionMapping(), both, ABC, CheckError),
        (MultiPartitionMapping({"z": DimensionPartitionMapping("a", AllPartitionMapping())}), both, both, CheckError),
    ):
        with pytest.raises(error):
            mapping.validate_partition_mapping(upstream, here)


def test_what_is_inferred() -> None:
    """By the kinds of both sides."""
    both = MultiPartitionsDefinition({"date": DAYS, "abc": ABC})
    for here, upstream, kind in (
        (DAYS, HOURS, TimeWindowPartitionMapping),
        (None, DAYS, AllPartitionMapping),
        (ABC, ABC, IdentityPartitionMapping),
        (both, ABC, MultiToSingleDimensionPartitionMapping),
        (WEEKS, both, MultiToSingleDimensionPartitionMapping),
    ):
        assert type(infer_partition_mapping(None, here, upstream)) is kind


def cut_by(module: Any, kind: str, offset: int) -> Any:
    """Return partitions of a kind, ours or Dagster's."""
    start = "2024-01-01-00:00" if kind == "Hourly" else "2024-01-01"
    return getattr(module, f"{kind}PartitionsDefinition")(start, end_offset=offset)


KINDS = st.sampled_from(["Hourly", "Daily", "Weekly", "Monthly"])


@settings(max_examples=80, deadline=None)
@given(KINDS, KINDS, st.integers(-2, 1), st.integers(-2, 1), st.integers(0, 1), st.integers(0, 10_000))
def test_windows_as_dagster_does(here: str, up: str, one: int, other: int, offset: int, number: int) -> None:
    """The same partitions are read, and read by the same; the same ones are missing."""
    dagster = pytest.importorskip("dagster")
    told = []
    for module in (ipy_orch, dagster):
        downstream, upstream = cut_by(module, here, 0), cut_by(module, up, offset)
        mapping = module.TimeWindowPartitionMapping(min(one, other), max(one, other))
        with warnings.catch_warnings(), module.partition_loading_context(datetime(2024, 3, 1)):
            warnings.simplefilter("ignore")
            keys = downstream.get_partition_keys()
            chosen = downstream.subset_with_partition_keys([keys[number % len(keys)]])
            found = mapping.get_upstream_mapped_partitions_result_for_partitions(chosen, downstream, upstream)
            missing = found.required_but_nonexistent_subset.get_partition_keys()
            told.append((list(found.partitions_subset.get_partition_keys()), sorted(missing)))
    assert told[0] == told[1]


def test_as_of() -> None:
    """`Last` is the last one as of the moment that is looked at."""
    with partition_loading_context(datetime(2024, 1, 4)):
        subset = DAYS.subset_with_partition_keys(["2024-01-02"])
        found = LastPartitionMapping().get_upstream_mapped_partitions_result_for_partitions(subset, DAYS, DAYS)
        assert list(found.partitions_subset.get_partition_keys()) == ["2024-01-03"]
