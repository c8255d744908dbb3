"""Executors of a job: where its steps run, when it isn't executed in this process.

A definition's function returns a ``concurrent.futures.Executor``, of whatever library, or None for the calling thread:
that is the engine's only seam. An ``execute_in_process`` never asks for one.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.config.schema import Field, Noneable, Permissive, Selector
from ipy_orch.model.config.settings import configured_schema, schema_of, settings
from ipy_orch.model.ops import set_all
from ipy_orch.model.port import Port

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition

__all__ = [
    "EXECUTOR",
    "Executor",
    "ExecutorDefinition",
    "ExecutorRequirement",
    "InitExecutorContext",
    "as_executor",
    "in_process_executor",
    "multi_or_in_process_executor",
    "multiple_process_executor_requirements",
    "multiprocess_executor",
]

EXECUTOR: Final = "ipy_orch/executor"  #: the tag of an op that says where a session runs it
processes: Port[[int, str], futures.Executor] = Port("ipy_orch.execution.workers.processes")


class ExecutorRequirement(Enum):
    """Name what an executor needs of a job or an instance."""

    RECONSTRUCTABLE_JOB = "RECONSTRUCTABLE_PIPELINE"
    RECONSTRUCTABLE_PIPELINE = "RECONSTRUCTABLE_PIPELINE"  # noqa: PIE796 - the same by its older name
    NON_EPHEMERAL_INSTANCE = "NON_EPHEMERAL_INSTANCE"
    PERSISTENT_OUTPUTS = "PERSISTENT_OUTPUTS"


def multiple_process_executor_requirements() -> Sequence[ExecutorRequirement]:
    """Return what Dagster's executors of several processes need; ours carry functions and values over by themselves."""
    return [
        ExecutorRequirement.RECONSTRUCTABLE_JOB,
        ExecutorRequirement.NON_EPHEMERAL_INSTANCE,
        ExecutorRequirement.PERSISTENT_OUTPUTS,
    ]


class Executor(ABC):
    """Be the base of executors that walk Dagster's plan by themselves.

    They can be part of Definitions that are read here, and run under Dagster; here only ``execute_in_process`` runs
    their jobs, which doesn't ask for an executor.
    """

    @abstractmethod
    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        """Run a plan of Dagster's."""

    @property
    @abstractmethod
    def retries(self) -> Any:
        """Return how it treats retries."""


@dataclass(frozen=True, eq=False)
class InitExecutorContext:
    """Tell the function that makes an executor about its config and the job."""

    job: JobDefinition | None = None
    executor_def: ExecutorDefinition | None = None
    executor_config: Any = None
    instance: Any = None


Create = Callable[[InitExecutorContext], Any]
Requirements = Callable[[Mapping[str, Any]], Sequence[ExecutorRequirement]] | Sequence[ExecutorRequirement]


@dataclass(frozen=True, eq=False, init=False)
class ExecutorDefinition:
    """Say where the steps of a job run.

    Args:
        config_schema: of ``execution.config`` in run config; anything, where there's none.
        requirements: what it needs, or a function of its config that says so.
        executor_creation_fn: returns a ``concurrent.futures.Executor``, or None for the calling thread.
    """

    name: str
    config_schema: Field
    requirements: Requirements
    executor_creation_fn: Create | None
    description: str | None

    def __init__(
        self,
        name: str,
        config_schema: Any = None,
        requirements: Requirements | None = None,
        executor_creation_fn: Create | None = None,
        description: str | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise CheckError(f"the name of an executor is a string, not {name!r}")
        set_all(self, (name, schema_of(config_schema), requirements or (), executor_creation_fn, description))

    def get_requirements(self, executor_config: Mapping[str, Any]) -> Sequence[ExecutorRequirement]:
        """Return what it needs under this config."""
        return self.requirements(executor_config) if callable(self.requirements) else self.requirements

    def configured(
        self,
        config_or_config_fn: Any,
        name: str | None = None,
        config_schema: Any = None,
        description: str | None = None,
    ) -> ExecutorDefinition:
        """Return the same executor with its config given, or made by a function of other config."""
        schema = configured_schema(self.config_schema, config_or_config_fn, config_schema, f"executor `{self.name}`")
        return ExecutorDefinition(
            name or self.name, schema, self.requirements, self.executor_creation_fn, description or self.description
        )

    @staticmethod
    def hardcoded_executor(executor: Any) -> ExecutorDefinition:
        """Return a definition that gives the executor given."""
        return HardcodedExecutor(executor)

    def created(self, written: Any = None, job: JobDefinition | None = None, instance: Any = None) -> Any:
        """Return what its function makes.

        Args:
            written: its config, as a person wrote it.

        Raises:
            DagsterInvalidConfigError: when the config doesn't fit.
        """
        config = settings(self.config_schema, written, f"executor `{self.name}`")
        if self.executor_creation_fn is None:
            return None
        return self.executor_creation_fn(InitExecutorContext(job, self, config, instance))


class HardcodedExecutor(ExecutorDefinition):
    """Give an executor that is there already, and that isn't shut down after a run."""

    def __init__(self, executor: Any) -> None:
        super().__init__("__executor__", executor_creation_fn=lambda _context: executor)


def as_executor(value: Any) -> ExecutorDefinition:
    """Return ``value`` when it is a definition, else one that gives it.

    Raises:
        CheckError: for what can't be an executor.
    """
    if isinstance(value, ExecutorDefinition):
        return value
    if isinstance(value, Executor | futures.Executor):
        return HardcodedExecutor(value)
    raise CheckError(f"`executor` is an executor, not {value!r}")


# -- the executors that are there -------------------------------------------------------------------------------------

RETRIES: Final = Field(Selector({"enabled": {}, "disabled": {}, "deferred": {}}), default_value={"enabled": {}})
IN_PROCESS: Final = {
    "retries": RETRIES,
    "marker_to_close": Field(str, is_required=False),
    "step_dependency_config": Field(Permissive(), is_required=False),
}
START: Final = Selector({"spawn": {}, "forkserver": {"preload_modules": Field([str], is_required=False)}})
MULTIPROCESS: Final = {
    "max_concurrent": Field(Noneable(int), default_value=None),
    "tag_concurrency_limits": Field(Noneable([Permissive()]), is_required=False),
    "start_method": Field(Noneable(START), default_value=None),
    "retries": RETRIES,
    "step_dependency_config": Field(Permissive(), is_required=False),
}


def in_calling_thread(_context: InitExecutorContext) -> None:
    """Run steps one after the other in the calling thread."""


def in_processes(context: InitExecutorContext) -> futures.Executor:
    """Run steps in processes, as many at once as the config says, else as there are processors."""
    return pool(context.executor_config or {})


def in_either(context: InitExecutorContext) -> futures.Executor | None:
    """Run steps as the one field of the config says."""
    (name, config), *_ = (context.executor_config or {"multiprocess": {}}).items()
    return None if name == "in_process" else pool(config)


def pool(config: Mapping[str, Any]) -> futures.Executor:
    """Return the processes that a config asks for."""
    workers = config.get("max_concurrent") or os.cpu_count() or 1
    return processes(workers, next(iter(config.get("start_method") or {"spawn": {}})))


def needs_of_either(config: Mapping[str, Any]) -> Sequence[ExecutorRequirement]:
    """Return what the executor chosen by a config needs."""
    return () if "in_process" in config else multiple_process_executor_requirements()


in_process_executor: Final = ExecutorDefinition("in_process", IN_PROCESS, None, in_calling_thread)
multiprocess_executor: Final = ExecutorDefinition(
    "multiprocess", MULTIPROCESS, multiple_process_executor_requirements(), in_processes
)
multi_or_in_process_executor: Final = ExecutorDefinition(
    "multi_or_in_process_executor",
    Field(
        Selector({"multiprocess": Field(MULTIPROCESS), "in_process": Field(IN_PROCESS)}),
        default_value={"multiprocess": {}},
    ),
    needs_of_either,
    in_either,
)
