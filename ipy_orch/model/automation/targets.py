"""What a schedule or sensor runs: a job, the name of one, or a selection of assets, which gets a job of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, warn
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition, as_selection, define_asset_job
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition

__all__ = ["ANONYMOUS", "AutomationTarget", "is_anonymous", "only_one"]

ANONYMOUS: Final = "__anonymous_asset_job_"  #: begins the names of the jobs that stand for selections

Job = JobDefinition | UnresolvedAssetJobDefinition


@dataclass(frozen=True, eq=False)
class AutomationTarget:
    """Be a job that is run.

    Args:
        resolvable_to_job: the job, or its name.
        assets_defs: the definitions that stood in the target: they count as defined.
    """

    resolvable_to_job: Job | str
    assets_defs: tuple[AssetsDefinition, ...] = ()

    @staticmethod
    def of(target: Any, automation: str = "") -> AutomationTarget:
        """Return the target that somebody means.

        Args:
            automation: the name of the schedule or sensor.

        Raises:
            CheckError: for what is neither a job nor a selection of assets.
        """
        if isinstance(target, Job):
            return AutomationTarget(target)
        if isinstance(target, GraphDefinition):
            told = f"`{target.name}` is a graph: a schedule or sensor runs a job, `{target.name}.to_job()`"
            warn(told, DeprecationWarning)
            return AutomationTarget(target.to_job())
        several = isinstance(target, Iterable) and not isinstance(target, str | AssetsDefinition)
        found = [one for one in (target if several else [target]) if isinstance(one, AssetsDefinition)]
        job = define_asset_job(f"{ANONYMOUS}{automation}", as_selection(target))
        return AutomationTarget(job, tuple(found))

    def running(self, jobs: Mapping[Any, Job]) -> AutomationTarget:
        """Return the same target with its job replaced, where there's another one for it."""
        return replace(self, resolvable_to_job=jobs.get(self.resolvable_to_job, self.resolvable_to_job))

    @property
    def job_name(self) -> str:
        """Return the name of the job."""
        return self.resolvable_to_job if isinstance(self.resolvable_to_job, str) else self.resolvable_to_job.name

    @property
    def has_job_def(self) -> bool:
        """Tell whether it has the job itself."""
        return not isinstance(self.resolvable_to_job, str)

    @property
    def job_def(self) -> Job:
        """Return the job.

        Raises:
            CheckError: when only its name is known.
        """
        if isinstance(self.resolvable_to_job, str):
            raise CheckError(f"only the name of job `{self.resolvable_to_job}` is known here")
        return self.resolvable_to_job


def is_anonymous(job_name: str) -> bool:
    """Tell whether a job stands for the selection of a schedule or sensor.

    >>> is_anonymous("__anonymous_asset_job_nightly"), is_anonymous("nightly")
    (True, False)
    """
    return job_name.startswith(ANONYMOUS)


def only_one(what: str, **said: Any) -> None:
    """Refuse arguments that say the same thing twice.

    Raises:
        DagsterInvalidDefinitionError: naming those that were given.
    """
    given = [name for name, value in said.items() if value is not None]
    if len(given) > 1:
        told = f"{what} has {' and '.join(f'`{name}`' for name in given)}, which say the same thing"
        raise DagsterInvalidDefinitionError(told, hint="give one of them")
