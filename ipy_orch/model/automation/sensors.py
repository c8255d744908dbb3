"""Sensors: functions that look whether something is to be run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import as_selection
from ipy_orch.model.automation.functions import TickFunction, required_keys
from ipy_orch.model.automation.requests import DagsterRunReaction, RunRequest, SensorResult, SkipReason
from ipy_orch.model.automation.schedules import user_tags
from ipy_orch.model.automation.targets import AutomationTarget, Job, is_anonymous, only_one
from ipy_orch.model.keys import valid_name
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.port import Port
from ipy_orch.model.specs import valid_owners

if TYPE_CHECKING:
    from ipy_orch.model.automation.ticks import SensorExecutionData

__all__ = ["DefaultSensorStatus", "SensorDefinition", "SensorReturnTypesUnion", "SensorType"]

DEFAULT_INTERVAL: Final = 30  #: seconds between two looks

SensorReturnTypesUnion = (
    Iterator[SkipReason | RunRequest | DagsterRunReaction | SensorResult]
    | Sequence[RunRequest]
    | SkipReason
    | RunRequest
    | DagsterRunReaction
    | SensorResult
    | None
)

evaluate: Port[[Any, Any], SensorExecutionData] = Port("ipy_orch.automation.evaluation")
invoke: Port[..., Any] = Port("ipy_orch.automation.invocation")


class DefaultSensorStatus(Enum):
    """Say whether a sensor is on before anybody has switched it."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class SensorType(Enum):
    """Say what a sensor looks at."""

    STANDARD = "STANDARD"
    RUN_STATUS = "RUN_STATUS"
    ASSET = "ASSET"
    MULTI_ASSET = "MULTI_ASSET"
    AUTO_MATERIALIZE = "AUTO_MATERIALIZE"
    AUTOMATION = "AUTOMATION"
    FRESHNESS_POLICY = "FRESHNESS_POLICY"
    UNKNOWN = "UNKNOWN"


class SensorDefinition:
    """Be a sensor: a function that is called again and again, and returns what is to be run.

    Args:
        name: by default that of the function.
        evaluation_fn: returns or yields RunRequests, a SkipReason, or a SensorResult.
        job_name: the name of the job that is run; or the job itself, or several of them.
        minimum_interval_seconds: how long it isn't called again, 30 seconds by default.
        asset_selection: the assets that it may ask for.
        required_resource_keys: of the resources in the context.
        tags: of the sensor; not of its runs.
        target: a job, or a selection of assets.
        owners: e-mail addresses or ``team:name``.

    Raises:
        DagsterInvalidDefinitionError: without a function, for arguments that contradict each other, and for a name, tag
            or owner that can't be one.
        CheckError: when an argument has another type.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        evaluation_fn: Callable[..., Any] | TickFunction | None = None,
        job_name: str | None = None,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        job: Any = None,
        jobs: Sequence[Any] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        asset_selection: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        target: Any = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        if evaluation_fn is None:
            raise DagsterInvalidDefinitionError("a sensor has an `evaluation_fn`", hint="@sensor")
        self.function = evaluation_fn if isinstance(evaluation_fn, TickFunction) else TickFunction.of(evaluation_fn)
        self.name = valid_name(name, "name of a sensor") if name else self.function.name
        where = f"sensor `{self.name}`"
        only_one(where, job_name=job_name, job=job, jobs=jobs, target=target, asset_selection=asset_selection)
        self.targets = targets_of(self.name, job_name, job, jobs, target)
        self.asset_selection = None if asset_selection is None else as_selection(asset_selection)
        if not isinstance(minimum_interval_seconds, int | None):
            told = f"`minimum_interval_seconds` of {where} is a whole number"
            raise CheckError(f"{told}, not {minimum_interval_seconds!r}")
        if not isinstance(default_status, DefaultSensorStatus):
            raise CheckError(f"`default_status` of {where} is a DefaultSensorStatus, not {default_status!r}")
        said = minimum_interval_seconds
        self.minimum_interval_seconds = DEFAULT_INTERVAL if said is None else said
        self.description, self.default_status = description, default_status
        self.required_resource_keys = required_keys(self.function, required_resource_keys, where)
        self.tags = user_tags(tags, where)
        self.metadata = normalize_metadata(metadata or {})
        self.owners = valid_owners(owners, where) if owners is not None else None

    @property
    def sensor_type(self) -> SensorType:
        """Return what it looks at."""
        return SensorType.STANDARD

    # -- what it runs -------------------------------------------------------------------------------------------------

    @property
    def has_jobs(self) -> bool:
        """Tell whether it has the jobs themselves, and not just a name."""
        return any(one.has_job_def for one in self.targets)

    @property
    def has_anonymous_job(self) -> bool:
        """Tell whether its job stands for a selection of assets."""
        return any(is_anonymous(one.job_name) for one in self.targets)

    @property
    def jobs(self) -> list[Job]:
        """Return the jobs that are run.

        Raises:
            DagsterInvalidDefinitionError: when it has none.
        """
        if not self.has_jobs:
            raise DagsterInvalidDefinitionError(f"sensor `{self.name}` has no job", hint="`job=`")
        return [one.job_def for one in self.targets]

    @property
    def job(self) -> Job:
        """Return the job that is run.

        Raises:
            DagsterInvalidDefinitionError: when it has none, or several.
        """
        self.refuse_several("job")
        return self.jobs[0]

    @property
    def job_name(self) -> str:
        """Return the name of the job that is run.

        Raises:
            DagsterInvalidDefinitionError: when it has none, or several.
        """
        self.refuse_several("job_name")
        return self.targets[0].job_name

    def refuse_several(self, what: str) -> None:
        """Refuse to name one job of none or several.

        Raises:
            DagsterInvalidDefinitionError: always then.
        """
        if len(self.targets) != 1:
            told = f"`{what}` is of sensors with one job, and sensor `{self.name}` has {len(self.targets) or 'none'}"
            raise DagsterInvalidDefinitionError(told, hint="`targets`")

    def with_attributes(self, *, jobs: Sequence[Any] | None = None, metadata: Mapping[str, Any] | None = None) -> Any:
        """Return a copy that runs other jobs, or has other metadata."""
        made = copy(self)
        if jobs is not None:
            made.targets = [AutomationTarget.of(job, self.name) for job in jobs]
        if metadata is not None:
            made.metadata = normalize_metadata(metadata)
        return made

    def changed(self, metadata: Mapping[str, Any], jobs: Mapping[Any, Job]) -> Any:
        """Return a copy with other metadata, and with its jobs replaced where there are others for them."""
        made = self.with_attributes(metadata=metadata)
        made.targets = [one.running(jobs) for one in self.targets]
        return made

    def with_updated_jobs(self, new_jobs: Sequence[Any]) -> Any:
        """Return a copy that runs other jobs."""
        return self.with_attributes(jobs=new_jobs)

    def with_updated_job(self, new_job: Any) -> Any:
        """Return a copy that runs another job."""
        return self.with_attributes(jobs=[new_job])

    # -- a tick -------------------------------------------------------------------------------------------------------

    def evaluate_tick(self, context: Any) -> SensorExecutionData:
        """Return what it asks for, given a SensorEvaluationContext. Nothing is run.

        Raises:
            CheckError: when it returned something else.
            Exception: what its function raised.
        """
        return evaluate(self, context)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, with a context, with resources by name, or with neither.

        Raises:
            DagsterInvalidInvocationError: for arguments that it doesn't take.
            DagsterInvalidDefinitionError: when a resource is missing.
        """
        return invoke(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def targets_of(
    name: str, job_name: str | None, job: Any, jobs: Sequence[Any] | None, target: Any
) -> list[AutomationTarget]:
    """Return what a sensor runs: nothing, a job, or several.

    Raises:
        DagsterInvalidDefinitionError: for an empty list of jobs, and for two of one name.
    """
    if jobs is not None:
        made = [AutomationTarget.of(one, name) for one in jobs]
        if not made or len({one.job_name for one in made}) != len(made):
            told = f"the jobs of sensor `{name}` are some with different names"
            raise DagsterInvalidDefinitionError(told, hint="leave `jobs` out, or rename one")
        return made
    if job is not None or target is not None:
        return [AutomationTarget.of(job if job is not None else target, name)]
    return [AutomationTarget(job_name)] if job_name is not None else []
