"""Schedules: the moments at which something is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, warn
from ipy_orch.model.automation.functions import TickFunction, required_keys
from ipy_orch.model.automation.requests import as_run_config
from ipy_orch.model.automation.targets import AutomationTarget, Job, is_anonymous, only_one
from ipy_orch.model.keys import valid_name
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.partitions.cron import Cron, timezone_named
from ipy_orch.model.port import Port
from ipy_orch.model.specs import valid_owners
from ipy_orch.model.tags import json_tags

if TYPE_CHECKING:
    from ipy_orch.model.automation.ticks import ScheduleExecutionData
    from ipy_orch.model.config.classes import RunConfig

__all__ = ["DefaultScheduleStatus", "ScheduleDefinition", "user_tags"]

HOME: Final = "ipy_orch.automation.evaluation"

evaluate: Port[[ScheduleDefinition, Any], ScheduleExecutionData] = Port(HOME)
invoke: Port[..., Any] = Port("ipy_orch.automation.invocation")

RESERVED: Final = "dagster/"  #: begins the tags that the system gives, but for those that say how a run is treated
RETRIES: Final = ("max_retries", "retry_strategy", "retry_on_asset_or_op_failure")
EDITABLE: Final = frozenset(f"{RESERVED}{name}" for name in (*RETRIES, "priority", "max_runtime", "isolation"))
HIGHEST: Final = (59, 23, 31, 12, 7)


class DefaultScheduleStatus(Enum):
    """Say whether a schedule is on before anybody has switched it."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class ScheduleDefinition:
    """Be a schedule: cron expressions, and what is run when the clock shows one.

    Args:
        name: by default that of the job, with ``_schedule``.
        cron_schedule: five fields, or ``@daily`` and the like; several count together.
        job_name: the name of the job that is run.
        run_config: what each run gets; by default the job's own.
        run_config_fn: makes it from a ScheduleEvaluationContext.
        tags: of the schedule, and of its runs unless ``execution_fn`` makes these.
        tags_fn: makes tags of a run from the context.
        should_execute: tells from the context whether anything is run.
        environment_vars: is there for older code; it has no effect.
        execution_timezone: where the clock hangs, UTC by default.
        execution_fn: returns or yields RunRequests or a SkipReason, or returns run config.
        job: the job that is run.
        required_resource_keys: of the resources in the context.
        target: the job, or a selection of assets.
        owners: e-mail addresses or ``team:name``.

    Raises:
        DagsterInvalidDefinitionError: for a cron expression, timezone, tag or owner that can't be one, and for
            arguments that contradict each other.
        CheckError: when nothing says what is run, or an argument has another type.

    >>> ScheduleDefinition(job_name="nightly", cron_schedule="0 3 * * *").name
    'nightly_schedule'
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        cron_schedule: str | Sequence[str] | None = None,
        job_name: str | None = None,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        run_config_fn: Callable[..., Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        tags_fn: Callable[[Any], Mapping[str, str] | None] | None = None,
        metadata: Mapping[str, Any] | None = None,
        should_execute: Callable[[Any], bool] | None = None,
        environment_vars: Mapping[str, str] | None = None,
        execution_timezone: str | None = None,
        execution_fn: Callable[..., Any] | TickFunction | None = None,
        description: str | None = None,
        job: Any = None,
        default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
        required_resource_keys: Iterable[str] | None = None,
        target: Any = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        self.target = target_of(name, target, job, job_name)
        self.name = valid_name(name, "name of a schedule") if name else f"{self.target.job_name}_schedule"
        where = f"schedule `{self.name}`"
        self.cron_schedule = read_crons(cron_schedule, where)
        self.execution_timezone = execution_timezone
        if execution_timezone is not None:
            in_place(lambda: timezone_named(execution_timezone), where)
        if execution_fn is not None and (run_config_fn or tags_fn or should_execute or run_config):
            told = f"{where} has `execution_fn`, which makes config and tags and decides whether to run"
            raise DagsterInvalidDefinitionError(told, hint="leave the other functions out")
        only_one(where, run_config=run_config or None, run_config_fn=run_config_fn)
        only_one(where, tags=tags or None, tags_fn=tags_fn)
        if not isinstance(default_status, DefaultScheduleStatus):
            raise CheckError(f"`default_status` of {where} is a DefaultScheduleStatus, not {default_status!r}")
        given = execution_fn if isinstance(execution_fn, TickFunction) or execution_fn is None else None
        self.function = given or (TickFunction.of(execution_fn) if callable(execution_fn) else None)
        self.is_decorated = isinstance(execution_fn, TickFunction)
        self.run_config, self.run_config_fn = as_run_config(run_config), run_config_fn
        self.tags, self.tags_fn = user_tags(tags, where), tags_fn
        self.should_execute = should_execute
        self.environment_vars = environment_vars
        self.description, self.default_status = description, default_status
        self.required_resource_keys = required_keys(self.function, required_resource_keys, where)
        self.metadata = normalize_metadata(metadata or {})
        self.owners = valid_owners(owners, where) if owners is not None else None

    @property
    def crons(self) -> list[Cron]:
        """Return the cron schedules, in their timezone."""
        said = [self.cron_schedule] if isinstance(self.cron_schedule, str) else self.cron_schedule
        return [Cron(one, self.execution_timezone or "UTC") for one in said]

    # -- what it runs -------------------------------------------------------------------------------------------------

    @property
    def job_name(self) -> str:
        """Return the name of the job that is run."""
        return self.target.job_name

    @property
    def has_job(self) -> bool:
        """Tell whether it has the job itself, and not just its name."""
        return self.target.has_job_def

    @property
    def has_anonymous_job(self) -> bool:
        """Tell whether its job stands for a selection of assets."""
        return is_anonymous(self.job_name)

    @property
    def targets(self) -> list[AutomationTarget]:
        """Return what it runs, as sensors do."""
        return [self.target]

    @property
    def job(self) -> Job:
        """Return the job that is run.

        Raises:
            DagsterInvalidDefinitionError: when only its name is known.
        """
        if not self.has_job:
            told = f"schedule `{self.name}` knows the name of its job only, `{self.job_name}`"
            raise DagsterInvalidDefinitionError(told, hint="`job=` instead of `job_name=`")
        return self.target.job_def

    def with_attributes(self, *, job: Any = None, metadata: Mapping[str, Any] | None = None) -> ScheduleDefinition:
        """Return a copy that runs another job, or has other metadata."""
        made = copy(self)
        if job is not None:
            made.target = AutomationTarget.of(job, self.name)
        if metadata is not None:
            made.metadata = normalize_metadata(metadata)
        return made

    def changed(self, metadata: Mapping[str, Any], jobs: Mapping[Any, Job]) -> ScheduleDefinition:
        """Return a copy with other metadata, and with its job replaced where there's another one for it."""
        made = self.with_attributes(metadata=metadata)
        made.target = self.target.running(jobs)
        return made

    def with_updated_job(self, new_job: Any) -> ScheduleDefinition:
        """Return a copy that runs another job."""
        return self.with_attributes(job=new_job)

    # -- a tick -------------------------------------------------------------------------------------------------------

    def evaluate_tick(self, context: Any) -> ScheduleExecutionData:
        """Return what it asks for at the moment of a ScheduleEvaluationContext. Nothing is run.

        Raises:
            DagsterUserCodeExecutionError: from what the user's code raised.
            DagsterInvalidInvocationError: when it returned something else.
        """
        return evaluate(self, context)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the decorated function, with a context, with resources by name, or with neither.

        Raises:
            DagsterInvalidInvocationError: for arguments that it doesn't take, or a schedule without such a function.
            DagsterInvalidDefinitionError: when a resource is missing.
        """
        return invoke(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def target_of(name: str | None, target: Any, job: Any, job_name: str | None) -> AutomationTarget:
    """Return what a schedule runs.

    Raises:
        CheckError: when nothing says it, or a selection has no name to go by.
        DagsterInvalidDefinitionError: when it is said twice.
    """
    what = f"schedule `{name}`" if name else "a schedule"
    only_one(what, target=target, job=job, job_name=job_name)
    if target is not None:
        if not name and not isinstance(target, Job):
            raise CheckError("a schedule that runs a selection of assets needs a `name`")
        return AutomationTarget.of(target, name or "")
    if job is not None:
        return AutomationTarget.of(job, name or "")
    if not isinstance(job_name, str):
        raise CheckError(f"{what} runs a `target`, a `job` or a `job_name`, and none was given")
    return AutomationTarget(job_name)


def read_crons(said: Any, where: str) -> str | Sequence[str]:
    """Return cron expressions when each is one; warn of steps that go beyond their field.

    Raises:
        DagsterInvalidDefinitionError: for one that isn't, with its fields.
        CheckError: for another type.
    """
    several = [said] if isinstance(said, str) else said
    if not isinstance(several, Sequence) or not all(isinstance(one, str) for one in several):
        raise CheckError(f"the `cron_schedule` of {where} is a string or a list of them, not {said!r}")
    if not several:
        raise DagsterInvalidDefinitionError(f"{where} has no cron schedule", hint='cron_schedule="0 9 * * *"')
    for one in several:
        in_place(partial(Cron, one), where)
        for field, highest in zip(one.split(), HIGHEST, strict=False):
            step = re.fullmatch(r"\*/(\d+)", field)
            if step and int(step[1]) > highest:
                warn(
                    f"`{field}` in the cron schedule of {where} counts from 0 again after {highest}, "
                    "so it ticks more often than it says; write several schedules instead"
                )
    return said if isinstance(said, str) else list(several)


def in_place(read: Callable[[], Any], where: str) -> None:
    """Have an error say where it is.

    Raises:
        DagsterInvalidDefinitionError: the same, with the place.
    """
    try:
        read()
    except DagsterInvalidDefinitionError as error:
        raise error.at(where) from None


def user_tags(tags: Mapping[str, Any] | None, where: str) -> dict[str, str]:
    """Return tags as strings, when none of them is for the system to give.

    Raises:
        DagsterInvalidDefinitionError: naming the one.
    """
    for key in tags or {}:
        if str(key).removeprefix(".").startswith(RESERVED) and key not in EDITABLE:
            raise DagsterInvalidDefinitionError(f"the tag `{key}` can't be given: the system does", where=where)
    return json_tags(tags, where)
