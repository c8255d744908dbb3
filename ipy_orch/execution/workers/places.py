"""Where the steps of a run run: what a job's executor says, as the engine takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvalidConfigError, DagsterUnmetExecutorRequirementsError
from ipy_orch.execution.workers.adopting import adopted
from ipy_orch.execution.workers.lanes import Place
from ipy_orch.model.executors import (
    Executor,
    ExecutorDefinition,
    HardcodedExecutor,
    as_executor,
    multi_or_in_process_executor,
)

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition

__all__ = ["executor_of", "place_of_job", "says_where"]


def says_where(job: JobDefinition, run_config: Mapping[str, Any]) -> bool:
    """Tell whether a job, or its run config, says where its steps run."""
    return job.executor_def is not None or bool(run_config.get("execution"))


@contextmanager
def place_of_job(job: JobDefinition, run_config: Mapping[str, Any], instance: Any = None) -> Iterator[Place | None]:
    """Yield where a job has its steps run, None for the calling thread.

    A job without an executor takes the config of Dagster's own, where run config has some.

    Raises:
        DagsterInvalidConfigError: when the config doesn't fit.
        DagsterUnmetExecutorRequirementsError: for an executor that can't run steps here.
    """
    said = run_config.get("execution") or {}
    if not isinstance(said, Mapping) or not said.keys() <= {"config"}:
        told, hint = f"`execution` holds `config` and nothing else, not {said!r}", "execution: {config: {...}}"
        raise DagsterInvalidConfigError(told, where=f"run config of job `{job.name}`", hint=hint)
    definition = multi_or_in_process_executor if said else None
    if job.executor_def is not None:
        definition = as_executor(job.executor_def)
    with executor_of(definition, said.get("config"), job, instance) as place:
        yield place


@contextmanager
def executor_of(
    definition: ExecutorDefinition | None,
    config: Any = None,
    job: JobDefinition | None = None,
    instance: Any = None,
) -> Iterator[Place | None]:
    """Yield where the steps of a run run, None for the calling thread.

    What the definition made for this run is shut down at the end; what was there before isn't.

    Args:
        config: ``execution.config`` of the run config, as it was written.

    Raises:
        DagsterInvalidConfigError: when the config doesn't fit.
        DagsterUnmetExecutorRequirementsError: for an executor that isn't a ``concurrent.futures.Executor``.
    """
    made = None if definition is None else definition.created(config, job, instance)
    if definition is None or made is None:
        yield None
        return
    if isinstance(made, Executor):
        raise DagsterUnmetExecutorRequirementsError(
            f"the executor `{definition.name}` walks Dagster's plan by itself, so it can't run steps here",
            hint="`--executor inline` runs them in the kernel; export the job to run it under Dagster",
        )
    is_new = isinstance(made, futures.Executor) and not isinstance(definition, HardcodedExecutor)
    place = adopted(made, 1, f"what the executor `{definition.name}` returns", is_new=is_new)
    try:
        yield place
    finally:
        if is_new:
            made.shutdown(wait=False, cancel_futures=True)
