"""A Definitions in the form that Dagster's tools load: a repository, with jobs that may be made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.asset_jobs import IMPLICIT_JOB
from ipy_orch.model.assets import AssetsDefinition, SourceAsset
from ipy_orch.model.definitions import Definitions, refuse_other_nodes, repository_of
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey

if TYPE_CHECKING:
    from ipy_orch.model.metadata.value import MetadataValue

__all__ = ["RepositoryDefinition", "create_repository_using_definitions_args"]

UNNAMED: Final = "__repository__"  #: Dagster's name of the repository of a Definitions


@dataclass(frozen=True, eq=False)
class RepositoryDefinition:
    """Give what a Definitions holds a name, and find it by name.

    Args:
        lazy_jobs: name -> function that makes the job when it is first asked for.

    Raises:
        DagsterInvalidDefinitionError: when an asset, check or job is there twice, or there's a cycle of assets.
    """

    name: str
    definitions: Definitions
    description: str | None = None
    lazy_jobs: Mapping[str, Callable[[], JobDefinition]] = field(default_factory=dict)
    made_jobs: dict[str, JobDefinition] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        _ = self.definitions.given_jobs

    @property
    def metadata(self) -> Mapping[str, MetadataValue]:
        """Return its metadata."""
        return self.definitions.metadata

    # -- jobs ---------------------------------------------------------------------------------------------------------

    @property
    def job_names(self) -> list[str]:
        """Return the names of all jobs."""
        return [*self.definitions.given_jobs, *self.lazy_jobs]

    def has_job(self, name: str) -> bool:
        """Tell whether there is a job of this name."""
        return name in self.job_names

    def get_job(self, name: str) -> JobDefinition:
        """Return a job by name.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
            DagsterInvalidDefinitionError: when something that it needs isn't there.
        """
        if not self.has_job(name):
            raise DagsterInvariantViolationError(f"there is no job `{name}`", hint=closest(name, self.job_names))
        if name in self.lazy_jobs and name not in self.made_jobs:
            self.made_jobs[name] = self.definitions.completed_job(self.made(name))
        return self.made_jobs[name] if name in self.made_jobs else self.definitions.resolve_job_def(name)

    def made(self, name: str) -> JobDefinition:
        """Return what the function of a lazy job makes.

        Raises:
            CheckError: when that is no job.
            DagsterInvalidDefinitionError: when it has another name.
        """
        job = self.lazy_jobs[name]()
        if not isinstance(job, JobDefinition):
            raise CheckError(f"the function for job `{name}` makes a job, not {job!r}")
        if job.name != name:
            raise DagsterInvalidDefinitionError(f"the function for job `{name}` makes the job `{job.name}`")
        return job

    def get_all_jobs(self) -> list[JobDefinition]:
        """Return all jobs.

        Raises:
            DagsterInvalidDefinitionError: when something that one needs isn't there, or two different ops or graphs
                of jobs have one name.
        """
        self.definitions.refuse_missing_resources()
        jobs = [self.get_job(name) for name in self.job_names]
        refuse_other_nodes(jobs)
        return jobs

    def get_maybe_subset_job_def(
        self,
        job_name: str,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[Any] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> JobDefinition:
        """Return a job, or the part of it that is selected."""
        return self.get_job(job_name).get_subset(
            op_selection=op_selection,
            asset_selection=asset_selection,
            asset_check_selection=asset_check_selection,
        )

    def has_implicit_global_asset_job_def(self) -> bool:
        """Tell whether there is the job of all assets."""
        return self.definitions.has_implicit_global_asset_job_def()

    def get_implicit_global_asset_job_def(self) -> JobDefinition:
        """Return the job of all assets.

        Raises:
            DagsterInvariantViolationError: when nothing computes any.
        """
        return self.get_job(IMPLICIT_JOB)

    def get_implicit_asset_job_names(self) -> Sequence[str]:
        """Return the name of the job of all assets, where there is one."""
        return [IMPLICIT_JOB] if self.has_implicit_global_asset_job_def() else []

    def get_implicit_job_def_for_assets(self, asset_keys: Iterable[Any]) -> JobDefinition | None:
        """Return the job of all assets, where it runs these."""
        return self.definitions.resolve_implicit_job_def_def_for_assets(asset_keys)

    # -- assets and the rest ------------------------------------------------------------------------------------------

    @property
    def asset_graph(self) -> Any:
        """Return the AssetGraph."""
        return self.definitions.resolve_asset_graph()

    @property
    def assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition]:
        """Return asset -> its definition."""
        graph = self.asset_graph
        return {key: graph.maker(key) for key in graph.keys}

    @property
    def source_assets_by_key(self) -> Mapping[AssetKey, SourceAsset]:
        """Return asset -> its definition, of those of the older spelling of external assets."""
        return {key: one for key, one in self.assets_defs_by_key.items() if isinstance(one, SourceAsset)}

    @property
    def asset_checks_defs_by_key(self) -> Mapping[AssetCheckKey, AssetsDefinition]:
        """Return check -> its definition."""
        makers: Mapping[AssetCheckKey, AssetsDefinition] = self.asset_graph.check_makers
        return makers

    def get_top_level_resources(self) -> Mapping[str, Any]:
        """Return the resources, by key."""
        return self.definitions.resources

    @property
    def schedule_defs(self) -> Sequence[Any]:
        """Return the schedules, each once."""
        names = dict.fromkeys(one.name for one in self.definitions.schedules)
        return [self.definitions.resolve_schedule_def(name) for name in names]

    def has_schedule_def(self, name: str) -> bool:
        """Tell whether there is a schedule of this name."""
        return name in {one.name for one in self.definitions.schedules}

    def get_schedule_def(self, name: str) -> Any:
        """Return a schedule by name.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        return self.definitions.resolve_schedule_def(name)

    def has_sensor_def(self, name: str) -> bool:
        """Tell whether there is a sensor of this name."""
        return name in {one.name for one in self.definitions.sensors}

    def get_sensor_def(self, name: str) -> Any:
        """Return a sensor by name.

        Raises:
            DagsterInvariantViolationError: when there's none of this name, with the closest.
        """
        return self.definitions.resolve_sensor_def(name)

    @property
    def sensor_defs(self) -> Sequence[Any]:
        """Return the sensors, each once."""
        return list({id(one): one for one in self.definitions.sensors}.values())

    def load_asset_value(self, asset_key: Any, **options: Any) -> Any:
        """Return the value of an asset that an earlier run stored; see :meth:`Definitions.load_asset_value`."""
        return self.definitions.load_asset_value(asset_key, **options)

    def get_asset_value_loader(self, instance: Any = None) -> Any:
        """Return what loads values of several assets."""
        return self.definitions.get_asset_value_loader(instance)

    def load_all_definitions(self) -> None:
        """Make all jobs and check that everything fits together.

        Raises:
            DagsterInvalidDefinitionError: where it doesn't.
        """
        self.definitions.validate(self.lazy_jobs)
        self.get_all_jobs()

    validate_loadable = load_all_definitions

    def __call__(self) -> RepositoryDefinition:
        """Return itself: older code calls a repository."""
        return self


@repository_of.supply
def unnamed(definitions: Definitions) -> RepositoryDefinition:
    """Return the repository of a Definitions."""
    return RepositoryDefinition(UNNAMED, definitions)


def create_repository_using_definitions_args(name: str, **parts: Any) -> RepositoryDefinition:
    """Return a repository with a name; the other arguments are those of :class:`Definitions`.

    >>> create_repository_using_definitions_args("shop", assets=[]).name
    'shop'
    """
    return RepositoryDefinition(name, Definitions(**parts))
