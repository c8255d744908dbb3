"""``@repository``: a function that returns definitions becomes a repository. Newer code writes a ``Definitions``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import UnresolvedAssetJobDefinition
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.automation.holding import Schedule
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.definitions import Definitions, selected_in
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.repository import RepositoryDefinition
from ipy_orch.model.specs import AssetSpec

__all__ = ["repository"]

JOBS: Final = (JobDefinition, UnresolvedAssetJobDefinition, GraphDefinition)
ASSETS: Final = (AssetsDefinition, AssetSpec)
SECTIONS: Final = ("jobs", "schedules", "sensors")


@dataclass
class Found:
    """Be what the function returned, told apart."""

    assets: list[Any] = field(default_factory=list)
    jobs: list[Any] = field(default_factory=list)
    lazy_jobs: dict[str, Callable[[], JobDefinition]] = field(default_factory=dict)
    schedules: list[Any] = field(default_factory=list)
    sensors: list[Any] = field(default_factory=list)


def repository(
    definitions_fn: Callable[[], Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    default_executor_def: Any = None,
    default_logger_defs: Mapping[str, Any] | None = None,
) -> Any:
    """Make a repository of a function that returns assets, checks, jobs, schedules ... in a list, or jobs by name.

    Args:
        name: by default the function's.
        default_executor_def: for jobs that don't say where they run.
        default_logger_defs: for jobs that have none.

    Returns:
        A RepositoryDefinition, or a decorator that makes one.

    Raises:
        CheckError: when the function takes arguments.
        DagsterInvalidDefinitionError: when it returns something else, or two definitions contradict each other.

    Example:
        >>> @repository
        ... def shop():
        ...     return [AssetSpec("orders")]
        >>> list(shop.assets_defs_by_key)
        [AssetKey(['orders'])]
    """

    def made(function: Callable[[], Any]) -> RepositoryDefinition:
        if inspect.signature(function).parameters:
            raise CheckError(f"the function of the repository `{function.__name__}` takes no arguments")
        label = name or function.__name__
        found = told_apart(function(), label)
        definitions = Definitions(
            found.assets,
            found.schedules,
            found.sensors,
            found.jobs,
            executor=default_executor_def,
            loggers=default_logger_defs,
            metadata=metadata,
        )
        refuse_contradictions(definitions, found)
        return RepositoryDefinition(label, definitions, description or inspect.getdoc(function), found.lazy_jobs)

    return made if definitions_fn is None else made(definitions_fn)


def told_apart(returned: Any, label: str) -> Found:
    """Return what a repository's function returned by kind.

    Raises:
        DagsterInvalidDefinitionError: for anything else.
    """
    found = Found()
    if isinstance(returned, Mapping):
        take_sections(returned, label, found)
    elif isinstance(returned, list):
        for one in flat(returned):
            take(one, label, found)
    else:
        raise DagsterInvalidDefinitionError(f"repository `{label}` returns a list or a dict, not {returned!r}")
    return found


def flat(returned: Iterable[Any]) -> Iterable[Any]:
    """Yield the elements, and those of lists among them."""
    for one in returned:
        yield from one if isinstance(one, list) else [one]


def take(one: Any, label: str, found: Found) -> None:
    """Take one element.

    Raises:
        DagsterInvalidDefinitionError: when a repository can't hold it.
    """
    if isinstance(one, ASSETS):
        found.assets.append(one)
    elif isinstance(one, JOBS):
        found.jobs.append(one.to_job() if isinstance(one, GraphDefinition) else one)
    elif isinstance(one, Schedule):
        found.schedules.append(one)
    elif isinstance(one, SensorDefinition):
        found.sensors.append(one)
    else:
        told = f"{one!r} is no asset, check, job, graph, schedule or sensor"
        raise DagsterInvalidDefinitionError(told, where=f"repository `{label}`")


def take_sections(returned: Mapping[str, Any], label: str, found: Found) -> None:
    """Take jobs by name; a function makes its job when that is asked for.

    Raises:
        DagsterInvalidDefinitionError: for another section, and for what is no job.
    """
    if set(returned) - set(SECTIONS):
        raise DagsterInvalidDefinitionError(f"repository `{label}` has {', '.join(SECTIONS)}, not {list(returned)}")
    for one in [*(returned.get("schedules") or {}).values(), *(returned.get("sensors") or {}).values()]:
        take(one() if inspect.isfunction(one) else one, label, found)
    for name, job in (returned.get("jobs") or {}).items():
        if isinstance(job, JOBS):
            take(job, label, found)
        elif callable(job):
            found.lazy_jobs[name] = job
        else:
            raise DagsterInvalidDefinitionError(f"`{name}` is no job or graph", where=f"repository `{label}`")


def refuse_contradictions(definitions: Definitions, found: Found) -> None:
    """Refuse what can't be right whatever is asked for: names there twice, graphs without their resources.

    Raises:
        DagsterInvalidDefinitionError: naming them.
        DagsterInvalidSubsetError: when a job selects an asset that isn't there.
    """
    given = definitions.given_jobs
    for name in given:
        if name in found.lazy_jobs:
            raise DagsterInvalidDefinitionError(f"two jobs are named `{name}`")
    for job in given.values():
        if isinstance(job, JobDefinition):
            definitions.completed_job(job)
        else:
            selected_in(definitions.definitions, job.selection)
    definitions.refuse_bad_automations(found.lazy_jobs)
