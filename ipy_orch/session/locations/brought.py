"""The jobs, schedules and sensors of a code location as they stand at home, by the names ``location/name``.

A job of assets is a job of the same assets here, whose steps ask the location as they always do. A job of ops is one
step, which has the location run it. What a schedule or sensor wants is asked there, and run here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ipy_orch.model.asset_jobs import IMPLICIT_JOB, UnresolvedAssetJobDefinition
from ipy_orch.model.automation.condition_sensors import AutomationConditionSensorDefinition
from ipy_orch.model.automation.schedules import DefaultScheduleStatus, ScheduleDefinition
from ipy_orch.model.automation.sensors import DefaultSensorStatus, SensorDefinition
from ipy_orch.model.automation.targets import ANONYMOUS, is_anonymous
from ipy_orch.model.config.mappings import ConfigMapping
from ipy_orch.model.config.schema import Permissive, config_field
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey, NameElsewhere
from ipy_orch.model.ops import OpDefinition, Out
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.results import Output
from ipy_orch.model.serdes import deserialize_value
from ipy_orch.model.types.annotations import Nothing
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.jobs.jobs import FoundJob, Job
from ipy_orch.session.locations.remote import op_name, unpacked
from ipy_orch.session.locations.wire import AutomationTold, Described, JobTold

__all__ = ["LaunchThere", "automations_of", "jobs_of", "name_at_home"]

#: has a job of ops run there: context, its name, run config -> what its ops told of assets
LaunchThere = Callable[[Any, str, Any], Iterable[str]]
#: asks for the run config of a job: its name, the partition
ConfigThere = Callable[[str, str], Mapping[str, Any]]

GIVEN: Final = "run_config"


def name_at_home(name: str, location: str) -> str:
    """Return how a job, schedule or sensor of a location is called here.

    >>> name_at_home("nightly", "shop")
    'shop/nightly'
    """
    if name == IMPLICIT_JOB:
        return name
    begin = ANONYMOUS if is_anonymous(name) else ""
    return NameElsewhere(f"{begin}{location}/{name.removeprefix(begin)}")


def selected(assets: Iterable[str], checks: Iterable[tuple[str, str]]) -> AssetSelection:
    """Return the selection of assets, without their checks, and of checks."""
    keys = [AssetKey.from_user_string(one) for one in assets]
    own = [AssetCheckKey(AssetKey.from_user_string(key), name) for key, name in checks]
    alone = AssetSelection.assets(*keys).without_checks()
    return alone | AssetSelection.checks(*own) if own else alone


# -- jobs --------------------------------------------------------------------------------------------------------------


def jobs_of(described: Described, location: str, launch: LaunchThere, config: ConfigThere) -> Iterator[FoundJob]:
    """Yield the jobs of a location."""
    names = {one.name: op_name(one, location) for one in described.definitions}
    for told in described.jobs:
        job = of_ops(told, location, launch) if told.assets is None else of_assets(told, location, config, names)
        yield FoundJob(job, "", None, told.brought, location)


def of_assets(told: JobTold, location: str, config: ConfigThere, names: Mapping[str, str]) -> Job:
    """Return a job of assets.

    Args:
        names: how the ops are called here.
    """
    said: Any = None if told.config is None else renamed(told.config, names)
    cut = unpacked(told.partitions)
    if told.is_asked:
        said = PartitionedConfig(
            cut, run_config_for_partition_key_fn=lambda key: renamed(config(told.name, key), names)
        )
    return UnresolvedAssetJobDefinition(
        name_at_home(told.name, location),
        selected(told.assets or (), told.checks),
        said,
        told.description,
        told.tags,
        told.run_tags,
        op_retry_policy=unpacked(told.retries),
    )


def renamed(config: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return run config for the ops as they are called here; that of resources counts where they are."""
    ops = {names.get(name, name): one for name, one in config.get("ops", {}).items()}
    return {"ops": ops} if ops else {}


def of_ops(told: JobTold, location: str, launch: LaunchThere) -> Job:
    """Return a job of ops: one step, which takes the whole run config."""
    name = name_at_home(told.name, location)

    def compute(context: Any, _inputs: Mapping[str, Any]) -> Iterator[Any]:
        for report in launch(context, told.name, (context.op_config or {}).get(GIVEN)):
            yield deserialize_value(report)
        yield Output(None)

    op = OpDefinition(compute, told.name, {}, {"result": Out(Nothing)}, config_type=config_field(Permissive()))
    mapping = ConfigMapping(lambda given: {"ops": {told.name: {"config": {GIVEN: given}}}}, Permissive())
    return JobDefinition(
        graph_def=GraphDefinition(name, node_defs=[op]),
        name=name,
        config=mapping,
        description=told.description,
        tags=told.tags,
        run_tags=told.tags if told.run_tags is None else told.run_tags,
        partitions_def=unpacked(told.partitions),
    )


# -- schedules and sensors ---------------------------------------------------------------------------------------------


def automations_of(described: Described, location: str, jobs: Iterable[FoundJob]) -> Iterator[FoundAutomation]:
    """Yield the schedules and sensors of a location."""
    known = {one.name: one.definition for one in jobs}
    for told in described.automations:
        named = [known.get(name_at_home(one, location), name_at_home(one, location)) for one in told.jobs]
        made = schedule_of(told, location, named) if told.kind == "schedule" else sensor_of(told, location, named)
        yield FoundAutomation(made, "", None, location)


def schedule_of(told: AutomationTold, location: str, jobs: list[Any]) -> ScheduleDefinition:
    """Return a schedule; its moments are looked at here, what it runs is asked there."""
    target = {"job_name": jobs[0]} if isinstance(jobs[0], str) else {"job": jobs[0]}
    return ScheduleDefinition(
        name_at_home(told.name, location),
        cron_schedule=[*told.crons] if len(told.crons) > 1 else told.crons[0],
        execution_timezone=told.timezone,
        description=told.description,
        default_status=DefaultScheduleStatus.RUNNING if told.is_running else DefaultScheduleStatus.STOPPED,
        **target,
    )


def sensor_of(told: AutomationTold, location: str, jobs: list[Any]) -> SensorDefinition:
    """Return a sensor; one that evaluates conditions does it here, where everything is known that has happened."""
    said: dict[str, Any] = {
        "minimum_interval_seconds": told.interval,
        "description": told.description,
        "default_status": DefaultSensorStatus.RUNNING if told.is_running else DefaultSensorStatus.STOPPED,
    }
    name = name_at_home(told.name, location)
    if told.kind == "conditions":
        chosen = selected(told.assets or (), told.checks)
        return AutomationConditionSensorDefinition(name, target=chosen, run_tags=told.run_tags, **said)
    held = [one for one in jobs if not isinstance(one, str)]
    target: dict[str, Any] = {"jobs": held} if held else {}
    if told.assets is not None:  # which of them and of their checks it asks for, it says there
        target = {"asset_selection": AssetSelection.assets(*map(AssetKey.from_user_string, told.assets))}
    return SensorDefinition(name, evaluation_fn=asked_there, **target, **said)


def asked_there(_context: Any) -> None:
    """Be the function of a sensor that isn't here."""
