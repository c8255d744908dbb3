"""What the function of a schedule or sensor is told: when it is, what it found the last time, its resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from ipy_orch.errors import DagsterInvalidInvocationError, DagsterInvariantViolationError
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.model.console_loggers import get_dagster_logger
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.repository import RepositoryDefinition
from ipy_orch.model.resources.resource import ScopedResources, as_resource, closes

__all__ = [
    "ScheduleEvaluationContext",
    "SensorEvaluationContext",
    "TickContext",
    "build_schedule_context",
    "build_sensor_context",
]


class TickContext:
    """Be what the contexts of schedules and sensors share: instance, repository, logger, resources.

    Resources are opened when they are first asked for. Use it by ``with`` where one must be closed.

    Args:
        resources: key -> resource or any object.
    """

    build = "build_sensor_context"

    def __init__(
        self,
        instance: Any = None,
        repository_def: RepositoryDefinition | None = None,
        resources: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        self.own_instance, self.repository_def, self.name = instance, repository_def, name
        self.resource_defs = dict(resources or {})
        self.log = get_dagster_logger(name or "tick")
        self.scope: ResourceScope | None = None
        self.entered = False

    @property
    def has_instance(self) -> bool:
        """Tell whether an instance was given."""
        return self.own_instance is not None

    @property
    def instance(self) -> Any:
        """Return the instance.

        Raises:
            DagsterInvariantViolationError: when none was given.
        """
        if self.own_instance is None:
            told = "there is no instance here"
            raise DagsterInvariantViolationError(told, hint=f"`{self.build}(instance=DagsterInstance.ephemeral())`")
        return self.own_instance

    @property
    def resources(self) -> ScopedResources:
        """Return the resources as attributes.

        Raises:
            DagsterInvariantViolationError: when one must be closed, and this isn't used by ``with``.
            DagsterResourceFunctionError: when one can't be opened.
        """
        if not self.entered and any(closes(as_resource(one)) for one in self.resource_defs.values()):
            raise DagsterInvariantViolationError(
                "a resource here must be closed after use", hint=f"`with {self.build}(...) as context:`"
            )
        if self.scope is None:
            scope = ResourceScope(self.resource_defs, self.resource_defs, instance=self.own_instance, log=self.log)
            self.scope = scope.__enter__()
        return self.scope.namespace(self.resource_defs)

    def opened(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return resources as a function gets them as arguments.

        Raises:
            DagsterInvariantViolationError: as :attr:`resources`.
        """
        _ = self.resources
        return {key: self.scope.objects[key] for key in sorted(keys)} if self.scope is not None else {}

    def merge_resources(self, resources: Mapping[str, Any]) -> Self:
        """Return the same context with more resources.

        Raises:
            DagsterInvalidInvocationError: when one has the key of another.
        """
        if twice := sorted(self.resource_defs.keys() & resources.keys()):
            raise DagsterInvalidInvocationError(f"the context has a resource `{twice[0]}` already", hint="give one")
        made = copy(self)
        made.resource_defs = {**self.resource_defs, **resources}
        made.scope = None
        return made

    def __enter__(self) -> Self:
        self.entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the resources that were opened."""
        scope, self.scope = self.scope, None
        if scope is not None:
            scope.close()

    def __del__(self) -> None:
        if self.__dict__.get("scope") is not None:
            self.close()


class ScheduleEvaluationContext(TickContext):
    """Be what the function of a schedule is told.

    Args:
        scheduled_execution_time: the moment for which it ticks.
    """

    build = "build_schedule_context"

    def __init__(
        self,
        instance: Any = None,
        scheduled_execution_time: datetime | None = None,
        repository_def: RepositoryDefinition | None = None,
        resources: Mapping[str, Any] | None = None,
        schedule_name: str | None = None,
    ) -> None:
        super().__init__(instance, repository_def, resources, schedule_name or "")
        self.said_time = scheduled_execution_time

    @property
    def scheduled_execution_time(self) -> datetime:
        """Return the moment for which it ticks.

        Raises:
            DagsterInvariantViolationError: when none was given.
        """
        if self.said_time is None:
            hint = "`build_schedule_context(scheduled_execution_time=datetime(2024, 1, 5))`"
            raise DagsterInvariantViolationError("this context doesn't say for which moment it is", hint=hint)
        return self.said_time

    @property
    def moment(self) -> datetime:
        """Return as of when partitions are looked at: the moment of the tick, or now."""
        return self.said_time if self.said_time is not None else datetime.now(UTC)


class SensorEvaluationContext(TickContext):
    """Be what the function of a sensor is told.

    Args:
        cursor: what it kept the last time.
        last_tick_completion_time: when it was asked the last time, in seconds since the epoch.
        last_run_key: of the last run that it asked for.
        last_sensor_start_time: when it was switched on.
    """

    def __init__(
        self,
        instance: Any = None,
        cursor: str | None = None,
        repository_def: RepositoryDefinition | None = None,
        resources: Mapping[str, Any] | None = None,
        sensor_name: str | None = None,
        repository_name: str | None = None,
        last_tick_completion_time: float | None = None,
        last_run_key: str | None = None,
        last_sensor_start_time: float | None = None,
    ) -> None:
        super().__init__(instance, repository_def, resources, sensor_name or "")
        self.kept_cursor, self.cursor_updated = cursor, False
        self.repository_name = repository_name or (repository_def.name if repository_def is not None else None)
        self.last_tick_completion_time, self.last_run_key = last_tick_completion_time, last_run_key
        self.last_sensor_start_time = last_sensor_start_time

    @property
    def sensor_name(self) -> str:
        """Return the name of the sensor."""
        return self.name

    @property
    def cursor(self) -> str | None:
        """Return what it kept the last time, or has just kept."""
        return self.kept_cursor

    def update_cursor(self, cursor: str | None) -> None:
        """Keep a text for the next time."""
        self.kept_cursor, self.cursor_updated = None if cursor is None else str(cursor), True

    @property
    def last_completion_time(self) -> float | None:
        """Return when it was asked the last time, under its older name."""
        return self.last_tick_completion_time

    @property
    def is_first_tick_since_sensor_start(self) -> bool:
        """Tell whether it hasn't been asked since it was switched on."""
        last, start = self.last_tick_completion_time, self.last_sensor_start_time
        return last is None or (start is not None and last < start)

    def as_kind(self, kind: type[Any], **more: Any) -> Any:
        """Return the same context as one of a narrower kind."""
        made = kind(
            instance=self.own_instance,
            cursor=self.cursor,
            repository_def=self.repository_def,
            resources=self.resource_defs,
            sensor_name=self.name,
            last_tick_completion_time=self.last_tick_completion_time,
            last_sensor_start_time=self.last_sensor_start_time,
            **more,
        )
        made.entered = self.entered
        return made


def as_repository(
    repository_def: RepositoryDefinition | None, definitions: Definitions | None
) -> RepositoryDefinition | None:
    """Return the repository that was given, as one or as a Definitions.

    Raises:
        DagsterInvariantViolationError: when both were.
    """
    if repository_def is not None and definitions is not None:
        raise DagsterInvariantViolationError("give `definitions` or `repository_def`, not both")
    return definitions.get_repository_def() if definitions is not None else repository_def


def build_schedule_context(
    instance: Any = None,
    scheduled_execution_time: datetime | None = None,
    resources: Mapping[str, Any] | None = None,
    repository_def: RepositoryDefinition | None = None,
    instance_ref: Any = None,  # noqa: ARG001 - there are no instances elsewhere
) -> ScheduleEvaluationContext:
    """Return a context to call a schedule with, or to let it tick: ``schedule.evaluate_tick(context)``.

    Args:
        scheduled_execution_time: the moment for which it ticks.
        resources: key -> resource or any object.
        repository_def: where its jobs are found, for requests of partitions.

    >>> build_schedule_context(scheduled_execution_time=datetime(2024, 1, 5)).scheduled_execution_time.day
    5
    """
    return ScheduleEvaluationContext(instance, scheduled_execution_time, repository_def, resources)


def build_sensor_context(
    instance: Any = None,
    cursor: str | None = None,
    repository_name: str | None = None,
    repository_def: RepositoryDefinition | None = None,
    sensor_name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    definitions: Definitions | None = None,
    instance_ref: Any = None,  # noqa: ARG001 - there are no instances elsewhere
    last_sensor_start_time: float | None = None,
) -> SensorEvaluationContext:
    """Return a context to call a sensor with, or to let it tick: ``sensor.evaluate_tick(context)``.

    Args:
        cursor: what it kept the last time.
        definitions: where its jobs and assets are found; or ``repository_def``.
        resources: key -> resource or any object.

    >>> build_sensor_context(cursor="2024-01-05").cursor
    '2024-01-05'
    """
    return SensorEvaluationContext(
        instance,
        cursor,
        as_repository(repository_def, definitions),
        resources,
        sensor_name,
        repository_name,
        last_sensor_start_time=last_sensor_start_time,
    )
