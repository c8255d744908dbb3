"""All that a code location defines, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition, external
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import set_all
from ipy_orch.model.specs import AssetSpec

__all__ = ["Definitions"]


@dataclass(frozen=True, init=False)
class Definitions:
    """Hold assets, checks and resources (and, with later issues, jobs, schedules and sensors).

    Args:
        assets: definitions; an AssetSpec stands for an external asset.
        asset_checks: definitions of checks.
        resources: key -> ConfigurableResource, IO manager, or any object.
    """

    assets: tuple[Any, ...]
    asset_checks: tuple[AssetsDefinition, ...]
    resources: Mapping[str, Any]
    jobs: tuple[Any, ...] = ()
    schedules: tuple[Any, ...] = ()
    sensors: tuple[Any, ...] = ()
    executor: Any = None
    loggers: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        assets: Iterable[Any] | None = None,
        schedules: Iterable[Any] | None = None,
        sensors: Iterable[Any] | None = None,
        jobs: Iterable[Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        executor: Any = None,
        loggers: Mapping[str, Any] | None = None,
        asset_checks: Iterable[Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        component_tree: Any = None,  # noqa: ARG002 - Dagster's argument; components come with a later issue
    ) -> None:
        made = tuple(listed(assets, "assets"))
        checks = tuple(listed(asset_checks, "asset_checks"))
        for one in made:
            if not isinstance(one, AssetsDefinition | AssetSpec):
                raise CheckError(f"`assets` holds {one!r}, which isn't an asset")
        for one in checks:
            if not isinstance(one, AssetChecksDefinition):
                raise CheckError(f"`asset_checks` holds {one!r}, which isn't a check")
        rest = (tuple(jobs or ()), tuple(schedules or ()), tuple(sensors or ()), executor, dict(loggers or {}))
        set_all(self, (made, checks, dict(resources or {}), *rest, dict(metadata or {})))

    @property
    def definitions(self) -> tuple[AssetsDefinition, ...]:
        """Return all definitions of assets and checks, each once."""
        found = [external(one) if isinstance(one, AssetSpec) else one for one in (*self.assets, *self.asset_checks)]
        return tuple({id(one): one for one in found}.values())

    @staticmethod
    def merge(*parts: Definitions) -> Definitions:
        """Return one Definitions of several.

        Raises:
            DagsterInvariantViolationError: when two have different resources of one key, or two executors.
        """
        resources: dict[str, Any] = {}
        for part in parts:
            for key, one in part.resources.items():
                if resources.setdefault(key, one) is not one:
                    raise DagsterInvariantViolationError(f"resource `{key}` is there twice, and they differ")
        executors = [part.executor for part in parts if part.executor is not None]
        if len({id(one) for one in executors}) > 1:
            raise DagsterInvariantViolationError("two of the Definitions have executors, and they differ")
        return Definitions(
            assets=[one for part in parts for one in part.assets],
            schedules=[one for part in parts for one in part.schedules],
            sensors=[one for part in parts for one in part.sensors],
            jobs=[one for part in parts for one in part.jobs],
            resources=resources,
            executor=executors[0] if executors else None,
            loggers={key: one for part in parts for key, one in part.loggers.items()},
            asset_checks=[one for part in parts for one in part.asset_checks],
            metadata={key: one for part in parts for key, one in part.metadata.items()},
        )

    def get_assets_def(self, key: Any) -> AssetsDefinition:
        """Return the definition that makes an asset.

        Raises:
            DagsterInvariantViolationError: when none does.
        """
        wanted = AssetKey.from_coercible(key)
        for one in self.definitions:
            if wanted in one.keys:
                return one
        raise DagsterInvariantViolationError(f"there is no asset `{wanted}`")

    def get_all_asset_specs(self) -> list[AssetSpec]:
        """Return the specs of all assets."""
        return [spec for one in self.definitions for spec in one.specs]


def listed(value: Any, what: str) -> Iterable[Any]:
    """Return the elements of a list argument.

    Raises:
        DagsterInvalidDefinitionError: when it's one thing and not a list of them.
    """
    if value is None:
        return ()
    if isinstance(value, str | AssetsDefinition | AssetSpec) or not isinstance(value, Iterable):
        raise DagsterInvalidDefinitionError(f"`{what}` is a list", hint=f"{what}=[...]")
    return value
