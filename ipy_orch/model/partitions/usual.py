"""Partitions by hours, days, weeks and months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ipy_orch.model.partitions.cron import ScheduleType
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.time_keys import DATE, HOUR

__all__ = [
    "DailyPartitionsDefinition",
    "HourlyPartitionsDefinition",
    "MonthlyPartitionsDefinition",
    "WeeklyPartitionsDefinition",
]


class HourlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """Cut something by hours; the arguments are those of :class:`TimeWindowPartitionsDefinition`."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        span, offsets = (start_date, fmt or HOUR, end_date), (minute_offset,)
        super().__init__(*span, ScheduleType.HOURLY, timezone, end_offset, *offsets, exclusions=exclusions)


class DailyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """Cut something by days; the arguments are those of :class:`TimeWindowPartitionsDefinition`.

    >>> DailyPartitionsDefinition("2024-02-28", "2024-03-02").get_partition_keys()
    ['2024-02-28', '2024-02-29', '2024-03-01']
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        span, offsets = (start_date, fmt or DATE, end_date), (minute_offset, hour_offset)
        super().__init__(*span, ScheduleType.DAILY, timezone, end_offset, *offsets, exclusions=exclusions)


class WeeklyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """Cut something by weeks, from Sunday on unless ``day_offset`` (0 to 6) says another day."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        span, offsets = (start_date, fmt or DATE, end_date), (minute_offset, hour_offset, day_offset)
        super().__init__(*span, ScheduleType.WEEKLY, timezone, end_offset, *offsets, exclusions=exclusions)


class MonthlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """Cut something by months, from the first day on unless ``day_offset`` (1 to 31) says another."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 1,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        span, offsets = (start_date, fmt or DATE, end_date), (minute_offset, hour_offset, day_offset)
        super().__init__(*span, ScheduleType.MONTHLY, timezone, end_offset, *offsets, exclusions=exclusions)
