"""Giving resources to definitions: each carries those that it needs from here on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ipy_orch.errors import DagsterInvalidInvocationError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import needed
from ipy_orch.model.resources import as_resource

__all__ = ["with_resources"]

T = TypeVar("T", bound=AssetsDefinition)


def with_resources(
    definitions: Iterable[T],
    resource_defs: Mapping[str, Any],
    resource_config_by_key: Mapping[str, Any] | None = None,
) -> Sequence[T]:
    """Return definitions that carry the resources they need, and those that these need.

    Args:
        resource_defs: key -> resource or any object.
        resource_config_by_key: key -> ``{"config": ...}``.

    Raises:
        DagsterInvalidDefinitionError: when a resource is missing.
        DagsterInvalidInvocationError: when a definition carries another one of the same key, or the config has no
            ``config``.
        DagsterInvalidConfigError: when the config doesn't fit.
    """
    known = configured(resource_defs, resource_config_by_key or {})
    return [provided(one, known) for one in definitions]


def provided(definition: T, known: Mapping[str, Any]) -> T:
    """Return a definition that carries what it needs."""
    given = definition.with_resources({key: known[key] for key in definition.resource_defs.keys() & known.keys()})
    every = {**known, **given.resource_defs}
    keys = needed(every, given.required_resource_keys, f"`{definition.label}`")
    return given.with_resources({key: every[key] for key in keys if key in every})


def configured(resources: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return resources with their config applied.

    Raises:
        DagsterInvalidInvocationError: for config without a field ``config``.
    """
    made = dict(resources)
    for key in config.keys() & resources.keys():
        if not isinstance(config[key], Mapping) or set(config[key]) != {"config"}:
            raise DagsterInvalidInvocationError(
                f"the config of resource `{key}` is `{{'config': ...}}`, not `{config[key]}`"
            )
        resource = as_resource(resources[key])
        if hasattr(resource, "get_resource_definition"):
            resource = resource.get_resource_definition()
        made[key] = resource.configured(config[key]["config"])
    return made
