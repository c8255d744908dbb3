"""What code that uses or opens resources is told: ``context.resources``, and the context of one being opened."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ipy_orch.errors import DagsterUnknownResourceError, closest

__all__ = ["LOG", "IAttachDifferentObjectToOpContext", "InitResourceContext", "ScopedResources", "attached"]


LOG = logging.getLogger("ipy_orch")


class IAttachDifferentObjectToOpContext:
    """Let ``context.resources.x`` give another object than a parameter ``x``: for code that moves to the new style."""

    def get_object_to_set_on_execution_context(self) -> Any:
        """Return what ``context.resources`` gives."""
        raise NotImplementedError


class ScopedResources:
    """Give resources as attributes, only those that were asked for.

    >>> ScopedResources({"db": 1}).db
    1
    """

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self._objects = dict(objects)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_objects":
            raise AttributeError(name)
        if name not in self._objects:
            near = closest(name, self._objects) or f'required_resource_keys={{"{name}"}}'
            raise DagsterUnknownResourceError(f"resource `{name}` isn't required here", hint=near)
        return attached(self._objects[name])

    def _asdict(self) -> dict[str, Any]:
        return {key: attached(value) for key, value in self._objects.items()}

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._objects]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScopedResources) and self._objects == other._objects

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Resources({', '.join(self._objects)})"


def attached(value: Any) -> Any:
    """Return what ``context.resources`` gives for an opened resource."""
    if isinstance(value, IAttachDifferentObjectToOpContext):
        return value.get_object_to_set_on_execution_context()
    return value


class InitResourceContext:
    """Tell a resource that is being opened about its config, its own resources and the run.

    Args:
        resource_config: the config, resolved.
        resources: those that the definition requires.
        resource_def: the resource that is being opened.
        run: what the engine knows of the run, None outside one.
    """

    def __init__(
        self,
        resource_config: Any = None,
        resources: ScopedResources | None = None,
        resource_def: Any = None,
        run: Any = None,
        instance: Any = None,
        log: Any = None,
        all_resource_defs: Mapping[str, Any] | None = None,
    ) -> None:
        self.resource_config, self.resource_def, self.run = resource_config, resource_def, run
        self.log = log if log is not None else LOG
        self.instance = instance if instance is not None else getattr(run, "instance", None)
        self.all_resource_defs = dict(all_resource_defs or {})
        self._resources = resources

    @property
    def resources(self) -> ScopedResources:
        """Return the resources that this one requires, as attributes."""
        return self._resources if self._resources is not None else ScopedResources({})

    @property
    def run_id(self) -> str | None:
        """Return the id of the run, None outside one."""
        return getattr(self.run, "run_id", None)

    @property
    def dagster_run(self) -> Any:
        """Return the run, under Dagster's name."""
        return self.run

    @property
    def log_manager(self) -> Any:
        """Return the logger, under Dagster's other name."""
        return self.log

    def replace_config(self, config: Any) -> InitResourceContext:
        """Return the same context with another config."""
        return InitResourceContext(
            config, self.resources, self.resource_def, self.run, self.instance, self.log, self.all_resource_defs
        )
