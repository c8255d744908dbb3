"""The session's log as ``context.instance`` of a schedule or sensor: with numbers that last, and reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ipy_orch.events.runs import Run
from ipy_orch.events.types import Checked, Event, Materialized, Observed
from ipy_orch.execution.records.dagster_run import DagsterRun
from ipy_orch.model.results import DATA_VERSION_TAG, AssetCheckEvaluation, AssetMaterialization, AssetObservation
from ipy_orch.session.instance import SessionInstance

if TYPE_CHECKING:
    from ipy_orch.automation.clock import Clock
    from ipy_orch.session.session import Session

__all__ = ["TickInstance"]

MICROSECONDS: Final = 1_000_000
JOB: Final = "job "  #: begins what a run of a job is called


class TickInstance(SessionInstance):
    """Answer sensors from the log of a session, and take their reports.

    An event's number is the microsecond in which it happened: cursors stay right when the kernel starts anew, and when
    old events are dropped.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        super().__init__(session.log, session.ledger, session.history)
        self.clock = clock

    def numbered(self) -> Iterable[tuple[int, Event]]:
        """Yield the events with their numbers, which grow."""
        last = 0
        for event in self.log:
            last = max(last + 1, int(event.at * MICROSECONDS))
            yield last, event

    def shaped(self, run: Run) -> DagsterRun:
        """Return a run under the name of its job."""
        known = super().shaped(run)
        return replace(known, job_name=known.job_name.removeprefix(JOB))

    def report_runless_asset_event(
        self, asset_event: AssetMaterialization | AssetObservation | AssetCheckEvaluation
    ) -> None:
        """Keep a report about an asset that no run of the session made; what is downstream of it counts as stale."""
        at = self.clock.now()
        if isinstance(asset_event, AssetCheckEvaluation):
            self.log.append(Checked("", at, "", asset_event, asset_event.partition))
        elif isinstance(asset_event, AssetObservation):
            self.log.append(Observed("", at, "", asset_event, asset_event.partition, asset_event.data_version))
        else:
            version = (asset_event.tags or {}).get(DATA_VERSION_TAG) or uuid4().hex
            made = Materialized("", at, "", asset_event, asset_event.partition, version, version)
            self.log.append(made)
