"""Giving resources to definitions: each carries those that it needs from here on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ipy_orch.errors import DagsterInvalidInvocationError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.requirements import needed
from ipy_orch.model.resources.checks import refuse_cycles
from ipy_orch.model.resources.resource import as_resource

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
        DagsterInvalidInvocationError: when a definition carries one of the same key, or the config has no ``config``.
        DagsterInvariantViolationError: when a resource needs itself.
        DagsterInvalidConfigError: when the config doesn't fit.
    """
    known = configured(resource_defs, resource_config_by_key or {})
    return [provided(one, known) for one in definitions]


def provided(definition: T, known: Mapping[str, Any]) -> T:
    """Return a definition that carries what it needs.

    Raises:
        DagsterInvalidInvocationError: when it carries one of the same key already.
        DagsterInvariantViolationError: when a resource needs itself.
    """
    if twice := sorted(definition.resource_defs.keys() & known.keys()):
        raise DagsterInvalidInvocationError(
            f"`{definition.label}` carries a resource already for: {', '.join(f'`{key}`' for key in twice)}",
            hint="give yours another key, or leave it out",
        )
    every = {**known, **definition.resource_defs}
    keys = needed(every, definition.required_resource_keys, f"`{definition.label}`")
    refuse_cycles({key: every[key] for key in keys if key in every})
    return definition.with_resources({key: every[key] for key in keys if key in every})


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
