"""Where the steps of a run run: what a job's executor says, as the engine takes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterUnmetExecutorRequirementsError
from ipy_orch.model.executors import Executor, ExecutorDefinition, HardcodedExecutor

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition

__all__ = ["executor_of"]


@contextmanager
def executor_of(
    definition: ExecutorDefinition | None,
    config: Any = None,
    job: JobDefinition | None = None,
    instance: Any = None,
) -> Iterator[tuple[futures.Executor | None, int]]:
    """Yield where the steps of a run run, None for the calling thread, and how many of them at once.

    What the definition made for this run is shut down at the end; what was there before isn't.

    Args:
        config: ``execution.config`` of the run config, as it was written.

    Raises:
        DagsterInvalidConfigError: when the config doesn't fit.
        DagsterUnmetExecutorRequirementsError: for an executor that isn't a ``concurrent.futures.Executor``.
    """
    made = None if definition is None else definition.created(config, job, instance)
    if made is None:
        yield None, 1
        return
    if not isinstance(made, futures.Executor):
        what = "walks Dagster's plan by itself" if isinstance(made, Executor) else "isn't a futures.Executor"
        raise DagsterUnmetExecutorRequirementsError(
            f"the executor `{type(made).__name__}` {what}, so it can't run steps here",
            hint="return a `concurrent.futures.Executor`, or use `execute_in_process()`",
        )
    try:
        yield made, getattr(made, "_max_workers", None) or os.cpu_count() or 1
    finally:
        if not isinstance(definition, HardcodedExecutor):
            made.shutdown(cancel_futures=True)
