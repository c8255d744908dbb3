"""In the kernel of a code location: what it defines, as data. Reads only: nothing is run."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ipy_orch.errors import DagsterError
from ipy_orch.events.types import Part
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.automation.condition_sensors import AutomationConditionSensorDefinition
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetCheckKey, labels
from ipy_orch.model.ops import OpDefinition
from ipy_orch.model.partitions.config import PartitionedConfig
from ipy_orch.model.serdes import serialize_value
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec
from ipy_orch.planning.config import plain_run_config
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.automation.automations import FoundAutomation
from ipy_orch.session.config.resources import resource_rows
from ipy_orch.session.jobs.jobs import FoundJob
from ipy_orch.session.locations.process import VERSION
from ipy_orch.session.locations.wire import (
    AutomationTold,
    CheckTold,
    DefinitionTold,
    Described,
    InputTold,
    JobTold,
    SpecTold,
)
from ipy_orch.session.recipes import values_of
from ipy_orch.session.scan import ENV, FILES, Scanned
from ipy_orch.session.session import Session

__all__ = ["description", "is_making", "pairs"]

T = TypeVar("T")


def description(session: Session, folder: Path) -> Described:
    """Return what a session defines.

    Raises:
        DagsterInvalidDefinitionError: when its definitions contradict each other.
    """
    scanned = session.scan()
    _ = scanned.graph
    try:
        config = session.planning.configured(scanned)
    except DagsterError:
        config = None
    parts_of = session.planning.knowledge(scanned, config).parts
    making = [one for one in scanned.definitions if is_making(one)]
    made = {key for one in making for key in one.keys}
    others = [spec for one in scanned.definitions if not is_making(one) for spec in one.specs if spec.key not in made]
    notices = [f"`{key.label}` is left out: {error.message}" for key, error in scanned.broken.items()]
    jobs, automations = tuple(jobs_told(scanned, notices)), tuple(automations_told(scanned, notices))
    return Described(
        platform.python_version(),
        VERSION,
        tuple(definition_told(one, [*parts_of(one)], folder) for one in making),
        tuple(spec_told(spec, folder) for spec in others),
        tuple(notices),
        jobs,
        automations,
        tuple(resource_rows(scanned, session.resource_config(scanned))),
    )


def is_making(definition: AssetsDefinition) -> bool:
    """Tell whether a definition makes assets or checks."""
    return definition.is_executable and not definition.is_observable


def definition_told(one: AssetsDefinition, parts: Iterable[Part], folder: Path) -> DefinitionTold:
    """Return a definition as data."""
    mappings = {dep.asset_key: dep.partition_mapping for spec in one.specs for dep in spec.deps}
    return DefinitionTold(
        one.op.name,
        tuple(
            InputTold(name, key.label, one.op.ins[name].is_nothing, serialized(mappings.get(key)))
            for name, key in one.keys_by_input_name.items()
        ),
        {
            name: spec_told(one.specs_by_key[key], folder, is_nothing=one.op.outs[name].is_nothing)
            for name, key in one.keys_by_output_name.items()
        },
        {name: check_told(spec) for name, spec in one.check_specs_by_output_name.items()},
        one.can_subset,
        isinstance(one.op, OpDefinition) and one.op.config_type is not None,
        tuple(part for part in parts if part.kind != "source"),  # home looks at the files itself
    )


def spec_told(spec: AssetSpec, folder: Path, *, is_nothing: bool = False) -> SpecTold:
    """Return what is said of an asset as data; the files that it declares by their whole paths."""
    metadata = {name: value for name, value in spec.metadata.items() if name != ENV}
    if FILES in metadata:
        metadata[FILES] = [str(folder / path) for path in values_of(metadata[FILES])]
    return SpecTold(
        spec.key.label,
        tuple((dep.asset_key.label, serialized(dep.partition_mapping)) for dep in spec.deps),
        spec.description,
        "" if spec.group_name in (None, DEFAULT_GROUP) else str(spec.group_name),
        metadata,
        dict(spec.tags),
        tuple(spec.owners),
        spec.skippable,
        serialized(spec.partitions_def),
        condition_told(spec.automation_condition),
        is_nothing,
    )


def condition_told(condition: Any) -> str | None:
    """Return an automation condition as text; one with code of the user's can't be asked from home."""
    try:
        return serialized(condition)
    except DagsterError:
        return None


def check_told(spec: AssetCheckSpec) -> CheckTold:
    """Return what is said of a check as data."""
    deps = tuple(dep.asset_key.label for dep in spec.additional_deps)
    cut = serialized(spec.partitions_def)
    return CheckTold(spec.name, spec.asset_key.label, spec.description, spec.blocking, dict(spec.metadata), deps, cut)


def serialized(value: Any) -> str | None:
    """Return partitions, or a mapping of them, as text."""
    return None if value is None else serialize_value(value)


# -- jobs --------------------------------------------------------------------------------------------------------------


def jobs_told(scanned: Scanned, notices: list[str]) -> Iterator[JobTold]:
    """Yield the jobs; of one that can't be resolved there is a notice."""
    for found in scanned.places_of_jobs.values():
        yield from made_or_noticed(partial(job_told, found, scanned, notices), found.name, notices)


def automations_told(scanned: Scanned, notices: list[str]) -> Iterator[AutomationTold]:
    """Yield the schedules and sensors; of one that can't be resolved there is a notice."""
    for found in scanned.automations.values():
        yield from made_or_noticed(partial(automation_told, found, scanned), found.name, notices)


def made_or_noticed(make: Callable[[], T], name: str, notices: list[str]) -> Iterator[T]:
    """Yield what can be made, or note why it can't."""
    try:
        yield make()
    except DagsterError as error:
        notices.append(f"`{name}` is left out: {error.message}")


def job_told(found: FoundJob, scanned: Scanned, notices: list[str]) -> JobTold:
    """Return a job as data.

    Raises:
        DagsterError: when it can't be resolved.
    """
    said: Any = found.definition
    job: JobDefinition = said
    if not isinstance(said, JobDefinition):
        job = said.resolve(scanned.graph, None, scanned.resources, scanned.loggers)
    hooks = f"`{found.name}` has hooks, which its runs here go without" if job.is_asset_job and job.hook_defs else ""
    notices += [hooks] if hooks else []
    layer = job.layer if job.is_asset_job else None
    keys = () if layer is None else layer.executable_asset_keys
    made = [key for key in keys if scanned.graph.makers[key].is_executable and key in scanned.graph.materializable_keys]
    return JobTold(
        found.name,
        None if layer is None else tuple(sorted(labels(made))),
        () if layer is None else pairs(layer.executable_check_keys),
        job.description,
        job.tags,
        None if job.run_tags == job.tags else job.run_tags,
        config_told(job),
        None if job.partitions_def is None else serialize_value(job.partitions_def),
        isinstance(job.config, PartitionedConfig),
        None if job.op_retry_policy is None else serialize_value(job.op_retry_policy),
        found.brought,
    )


def config_told(job: JobDefinition) -> dict[str, Any] | None:
    """Return the run config that a job's runs get by themselves, as far as it is known beforehand."""
    return plain_run_config(job.config) if isinstance(job.config, Mapping | RunConfig) else None


def pairs(checks: Iterable[AssetCheckKey]) -> tuple[tuple[str, str], ...]:
    """Return checks as pairs of asset and name, in order."""
    return tuple(sorted((one.asset_key.label, one.name) for one in checks))


# -- schedules and sensors ---------------------------------------------------------------------------------------------


def automation_told(found: FoundAutomation, scanned: Scanned) -> AutomationTold:
    """Return a schedule or sensor as data.

    Raises:
        DagsterError: when it can't be resolved.
    """
    one = found.definition
    if found.kind == "schedule" and not isinstance(one, ScheduleDefinition):
        one = scanned.as_definitions().resolve_schedule_def(found.name)
    is_conditions = isinstance(one, AutomationConditionSensorDefinition) and not one.use_user_code_server
    selection = getattr(one, "asset_selection", None)
    chosen = None if selection is None else AssetSelection.from_coercible(selection)
    return AutomationTold(
        found.name,
        "conditions" if is_conditions else found.kind,
        tuple(target.job_name for target in one.targets),
        None if chosen is None else tuple(sorted(labels(chosen.resolve(scanned.graph)))),
        () if chosen is None else pairs(chosen.resolve_checks(scanned.graph)),
        tuple(cron.expression for cron in one.crons) if found.kind == "schedule" else (),
        getattr(one, "execution_timezone", None),
        getattr(one, "minimum_interval_seconds", None),
        one.default_status.value == "RUNNING",
        one.description,
        getattr(one, "run_tags", None) or {},
    )
