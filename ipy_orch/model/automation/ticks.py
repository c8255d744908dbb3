"""What came of one tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ipy_orch.model.automation.requests import DagsterRunReaction, DynamicRequest, RunRequest

__all__ = ["ScheduleExecutionData", "SensorExecutionData"]


class ScheduleExecutionData(NamedTuple):
    """Be what a schedule asked for, or why it skipped."""

    run_requests: Sequence[RunRequest]
    skip_message: str | None = None
    log_key: Sequence[str] | None = None


class SensorExecutionData(NamedTuple):
    """Be what a sensor asked for and reported, or why it skipped, and where it goes on the next time."""

    run_requests: Sequence[RunRequest]
    skip_message: str | None = None
    cursor: str | None = None
    dagster_run_reactions: Sequence[DagsterRunReaction] = ()
    log_key: Sequence[str] | None = None
    dynamic_partitions_requests: Sequence[DynamicRequest] = ()
    asset_events: Sequence[Any] = ()
    automation_condition_evaluations: Sequence[Any] = ()
