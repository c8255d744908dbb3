"""What a form is about: assets, or a job. Each knows the parts of it that take config, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ipy_orch.model.config.schema import Field
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.planning.config import NestedOps, OneOp, op_field, resolve_run_config
from ipy_orch.planning.job_config import job_tree
from ipy_orch.session.config.resources import entries_of
from ipy_orch.session.config.schema import Line, Place, at, configurable, line_of, op_entries, op_fields
from ipy_orch.session.jobs.jobs import resources_of
from ipy_orch.session.jobs.launching import Asked, Launch, job_named, resolved_job
from ipy_orch.session.scan import Scanned, uses
from ipy_orch.session.session import Session

__all__ = ["OfAssets", "OfJob", "Part", "Subject"]


@dataclass
class Part:
    """Be one thing that takes config: where in run config, what it may be, and the assets concerned."""

    place: Place
    made: Field
    written: Any
    lines: list[Line] = field(default_factory=list)
    used_by: list[str] = field(default_factory=list)


class Subject(Protocol):
    """Be what a form is about; ``ids`` are the assets that run."""

    ids: list[str]

    def given(self) -> dict[str, Any]:
        """Return the run config that holds as long as nothing else is said."""

    def parts(self, given: Mapping[str, Any]) -> list[Part]:
        """Return what takes config, each thing once."""

    def check(self, data: Mapping[str, Any]) -> None:
        """Check run config.

        Raises:
            DagsterError: when it doesn't fit.
            ValidationError: when a class of the user's refuses a value.
        """


class OfAssets:
    """Be assets of the notebook."""

    def __init__(self, session: Session, scanned: Scanned, keys: Sequence[AssetKey]) -> None:
        self.session, self.scanned, self.keys = session, scanned, keys
        self.ids = [key.label for key in keys]

    def given(self) -> dict[str, Any]:
        """Return the run config that the session was given."""
        environments = self.session.environments
        return {**self.session.run_config, "resources": environments.configs.get(environments.current, {})}

    def parts(self, given: Mapping[str, Any]) -> list[Part]:
        """Return what takes config."""
        return parts_of(self.scanned, self.keys, given)

    def check(self, data: Mapping[str, Any]) -> None:
        """Check run config."""
        makers = [self.scanned.graph.makers[key] for key in self.keys]
        needed = [maker.op.name for maker in makers if maker.is_executable]
        self.session.planning.configured(self.scanned, data, needed)


class OfJob:
    """Be a job of the notebook; what it has of its own config is given already.

    Raises:
        DagsterError: when there is none of this name, or it can't run.
    """

    def __init__(self, session: Session, scanned: Scanned, name: str) -> None:
        self.session, self.scanned, self.name = session, scanned, job_named(scanned, name)
        self.job: JobDefinition = resolved_job(session, scanned, self.name)
        keys = self.job.layer.executable_asset_keys if self.job.is_asset_job else frozenset()
        self.keys = scanned.graph.in_order(key for key in keys if key in scanned.graph.position)
        self.ids = [key.label for key in self.keys]

    def launched(self, data: Mapping[str, Any]) -> Launch:
        """Return the launch with some run config."""
        return Launch(self.session, self.scanned, self.job, Asked(data), None)

    def given(self) -> dict[str, Any]:
        """Return the run config that the job has, over the session's."""
        return self.launched({}).config

    def parts(self, given: Mapping[str, Any]) -> list[Part]:
        """Return what takes config: as of the assets it runs, or its ops and the resources that they use."""
        if self.job.is_asset_job:
            return parts_of(self.scanned, self.keys, given)
        ops = [op_part(place, made, given) for place, made in fields_in(job_tree(self.job), ("ops",))]
        taken = sorted(resources_of(self.scanned.places_of_jobs[self.name].definition) & self.scanned.resources.keys())
        found = [resource_part(self.scanned, name, given) for name in taken]
        return [*ops, *(part for part in found if part is not None)]

    def check(self, data: Mapping[str, Any]) -> None:
        """Check run config."""
        launch = self.launched(data)
        resolve_run_config(launch.config, job_tree(self.job), launch.resources)


# -- parts ------------------------------------------------------------------------------------------------------------


def fields_in(tree: NestedOps, place: Place) -> Iterator[tuple[Place, Field]]:
    """Yield where the ops of a graph have config in run config, and inputs that nothing is connected to."""
    for name, one in tree.ops.items():
        here = (*place, name)
        if isinstance(one, NestedOps) and one.mapping is None:
            yield from fields_in(one, (*here, "ops"))
            continue
        config = one.mapping.config_schema if isinstance(one, NestedOps) and one.mapping is not None else one
        config = config.config if isinstance(config, OneOp) else config
        if config is not None:
            yield (*here, "config"), op_field(config)
        inputs = one.inputs if isinstance(one, OneOp | NestedOps) else {}
        for source, said in inputs.items():
            if isinstance(said, Field):
                yield (*here, "inputs", source), said


def op_part(place: Place, made: Field, given: Mapping[str, Any]) -> Part:
    """Return the part of an op of a job."""
    written = at(given, place)
    lines = [line_of(".".join(place), entry, made) for entry in op_entries(made, written)]
    return Part(place, made, written, lines)


def resource_part(scanned: Scanned, name: str, given: Mapping[str, Any]) -> Part | None:
    """Return the part of a resource; None where run config can't say anything of it."""
    place, made = ("resources", name, "config"), as_resource(scanned.resources[name]).__config_field__
    written = at(given, place)
    own = [one for one in entries_of(scanned.resources[name], written, {}) if one.made is not None]
    own = [entry for entry in own if configurable(entry, made)]
    return Part(place, made, written, [line_of(".".join(place), entry, made) for entry in own]) if own else None


def parts_of(scanned: Scanned, keys: Iterable[AssetKey], given: Mapping[str, Any]) -> list[Part]:
    """Return what can be configured for assets, each thing once: their ops first, then the resources that they use."""
    ops: dict[Place, Part] = {}
    resources: dict[str, Part | None] = {}
    for key in keys:
        maker = scanned.graph.makers[key]
        for place, made in op_fields(maker):
            if place not in ops:
                ops[place] = op_part(place, made, given)
            ops[place].used_by.append(key.label)
        for name in sorted(uses(maker, scanned.graph).keys() & scanned.resources.keys()):
            if name not in resources:
                resources[name] = resource_part(scanned, name, given)
            if (part := resources[name]) is not None:
                part.used_by.append(key.label)
    return [*ops.values(), *(part for part in resources.values() if part is not None)]
