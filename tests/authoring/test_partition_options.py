"""Partitions as one writes them on a cell."""

from __future__ import annotations

from typing import Any

import pytest

import ipy_orch as o
from ipy_orch.authoring.cells.partitions import read_mapping, read_partitions, read_policy
from ipy_orch.errors import DagsterInvalidDefinitionError


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("daily:2024-01-01", o.DailyPartitionsDefinition("2024-01-01")),
        ("daily:2024-02", o.DailyPartitionsDefinition("2024-02-01")),
        ("daily:2024-01-01..2024-02-29", o.DailyPartitionsDefinition("2024-01-01", end_date="2024-03-01")),
        ("daily:2024-01-01@Europe/Berlin", o.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin")),
        ("hourly:2024-01-01", o.HourlyPartitionsDefinition("2024-01-01-00:00")),
        ("hourly:2024-01-01-06:00", o.HourlyPartitionsDefinition("2024-01-01-06:00")),
        ("weekly:2024-01-01", o.WeeklyPartitionsDefinition("2024-01-01")),
        ("monthly:2024-01..2024-12", o.MonthlyPartitionsDefinition("2024-01-01", end_date="2025-01-01")),
        (
            "cron:0 6 * * 1-5:2024-01-01",
            o.TimeWindowPartitionsDefinition("2024-01-01", "%Y-%m-%d", cron_schedule="0 6 * * 1-5"),
        ),
        (
            "cron:*/30 * * * *:2024-01-01@Asia/Tokyo",
            o.TimeWindowPartitionsDefinition(
                "2024-01-01-00:00", "%Y-%m-%d-%H:%M", cron_schedule="*/30 * * * *", timezone="Asia/Tokyo"
            ),
        ),
        ("static:north, south", o.StaticPartitionsDefinition(["north", "south"])),
        ("dynamic:customers", o.DynamicPartitionsDefinition(name="customers")),
    ],
)
def test_one_dimension(text: str, made: Any) -> None:
    """Each form is the definition that it stands for."""
    assert read_partitions(text).made() == made


def test_two_dimensions() -> None:
    """Each with its name."""
    made = read_partitions("day=daily:2024-01-01..2024-01-02;region=static:a,b").made()
    assert made.get_partition_keys() == ["2024-01-01|a", "2024-01-01|b", "2024-01-02|a", "2024-01-02|b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weekley:2024-01-01", "did you mean `weekly:2024-01-01`"),
        ("daily", "hint: daily:2024-01-01"),
        ("cron:0 6 * * *", "has no start"),
        ("static:a,a", "is there twice"),
        ("daily:yesterday", "isn't written as"),
        ("cron:0 61 * * *:2024-01-01", "isn't a cron schedule"),
        ("a=static:x;static:y", "has no name"),
        ("a=static:x", "two dimensions, not 1"),
    ],
)
def test_what_cant_be(text: str, message: str) -> None:
    """It says where, and what to write."""
    with pytest.raises(DagsterInvalidDefinitionError, match=f"(?s){message}") as raised:
        read_partitions(text, "Cell In[3]")
    assert raised.value.where == "Cell In[3]"


def test_mappings_and_policies() -> None:
    """In words, or as a variable."""
    assert read_mapping("all").made() == o.AllPartitionMapping()
    assert read_mapping("same").made() == o.IdentityPartitionMapping()
    assert read_mapping("-1").made() == o.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    assert read_mapping("LATEST").is_variable
    assert read_policy("all").made() == o.BackfillPolicy.single_run()
    assert read_policy(7).made() == o.BackfillPolicy.multi_run(7)
    for wrong in ("0", "-1", "many"):
        with pytest.raises(DagsterInvalidDefinitionError, match="a number of partitions or `all`"):
            read_policy(wrong)
    with pytest.raises(DagsterInvalidDefinitionError, match="doesn't say which"):
        read_mapping("one, two")
