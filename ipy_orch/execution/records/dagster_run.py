"""Which run it is, in Dagster's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ipy_orch.model.keys import AssetCheckKey, AssetKey

__all__ = ["EPHEMERAL_JOB", "DagsterRun", "DagsterRunStatus", "RunInfo"]


class DagsterRunStatus(Enum):
    """Say how a run stands."""

    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


EPHEMERAL_JOB = "__ephemeral_asset_job__"  #: whose runs those of ``materialize`` are
CHOSEN = ("asset_selection", "asset_check_selection", "op_selection", "step_keys_to_execute")  #: parts of a job
PARENT_RUN, ROOT_RUN = "dagster/parent_run_id", "dagster/root_run_id"


@dataclass(frozen=True)
class DagsterRun:
    """Be a run in Dagster's shape.

    Args:
        run_config: as it was given, environment variables by their names.
        asset_selection: the assets that were chosen of the job's; none where all of them run.
        op_selection: the ops that were chosen of the job's; none where all of them run.
        step_keys_to_execute: the steps that were chosen; none where all of them run.
    """

    job_name: str
    run_id: str
    status: DagsterRunStatus = DagsterRunStatus.NOT_STARTED
    tags: Mapping[str, str] = field(default_factory=dict)
    run_config: Mapping[str, Any] = field(default_factory=dict)
    asset_selection: frozenset[AssetKey] | None = None
    asset_check_selection: frozenset[AssetCheckKey] | None = None
    op_selection: Sequence[str] | None = None
    step_keys_to_execute: Sequence[str] | None = None

    @property
    def is_resume_retry(self) -> bool:
        """Tell whether the run goes on where another ended."""
        return ROOT_RUN in self.tags

    @property
    def parent_run_id(self) -> str | None:
        """Return the run that this one goes on from, if it does."""
        return self.tags.get(PARENT_RUN)

    @property
    def root_run_id(self) -> str | None:
        """Return the first of the runs that this one goes on from."""
        return self.tags.get(ROOT_RUN)

    @property
    def is_success(self) -> bool:
        """Tell whether all went well."""
        return self.status is DagsterRunStatus.SUCCESS

    @property
    def is_failure(self) -> bool:
        """Tell whether a step failed."""
        return self.status is DagsterRunStatus.FAILURE

    @property
    def is_failure_or_canceled(self) -> bool:
        """Tell whether it ended before its end."""
        return self.status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)

    @property
    def is_finished(self) -> bool:
        """Tell whether it has ended."""
        return self.status in (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


@dataclass(frozen=True, init=False)
class RunInfo(DagsterRun):
    """Be the run that is going on, as contexts tell of it.

    Args:
        config: the run config as given.
        instance: what keeps the events, where one was given.
    """

    instance: Any = field(default=None, compare=False, repr=False)

    def __init__(
        self,
        run_id: str,
        job_name: str = EPHEMERAL_JOB,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        instance: Any = None,
        **more: Any,
    ) -> None:
        written = more.get("run_config", config)
        values = {"tags": tags or {}, "run_config": written or {}, "instance": instance}
        values |= {name: more.get(name) for name in CHOSEN}
        status = more.get("status", DagsterRunStatus.STARTED)
        for name, value in {"job_name": job_name, "run_id": run_id, "status": status, **values}.items():
            object.__setattr__(self, name, value)

    @property
    def config(self) -> Mapping[str, Any]:
        """Return the run config, under its shorter name."""
        return self.run_config
