"""Sensors that look at how runs end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipy_orch.errors import CheckError
from ipy_orch.model.automation.sensors import SensorDefinition, SensorType

__all__ = ["RunStatusSensorDefinition"]


class RunStatusSensorDefinition(SensorDefinition):
    """Be a sensor that is asked once for each run that comes to a status.

    Args:
        run_status: a DagsterRunStatus.
        run_status_sensor_fn: of a RunStatusSensorContext, and of a RunFailureSensorContext where the status is FAILURE.
        monitored_jobs: the jobs whose runs count; by default all.
        request_job: the job that it may ask for; or several.
        options: the other arguments are those of :class:`SensorDefinition`.

    Raises:
        CheckError: when the status isn't one, or what is monitored isn't a job.
    """

    def __init__(
        self,
        name: str,
        run_status: Any,
        run_status_sensor_fn: Callable[..., Any],
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        monitored_jobs: Sequence[Any] | None = None,
        monitor_all_code_locations: bool | None = None,
        default_status: Any = None,
        request_job: Any = None,
        request_jobs: Sequence[Any] | None = None,
        **options: Any,
    ) -> None:
        if type(run_status).__name__ != "DagsterRunStatus":
            raise CheckError(f"`run_status` of sensor `{name}` is a DagsterRunStatus, not {run_status!r}")
        for job in monitored_jobs or ():
            if not hasattr(job, "name"):
                raise CheckError(f"`monitored_jobs` of sensor `{name}` holds jobs, not {job!r}")
        self.run_status = run_status
        self.monitored_jobs = list(monitored_jobs or ())
        self.monitor_all_code_locations = bool(monitor_all_code_locations)
        status = {} if default_status is None else {"default_status": default_status}
        super().__init__(
            name,
            evaluation_fn=run_status_sensor_fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=request_job,
            jobs=request_jobs,
            **status,
            **options,
        )

    @property
    def sensor_type(self) -> SensorType:
        """Return what it looks at."""
        return SensorType.RUN_STATUS

    def looks_at(self, job_name: str) -> bool:
        """Tell whether the runs of a job count."""
        return not self.monitored_jobs or job_name in {job.name for job in self.monitored_jobs}
