"""Connections to the world outside: what a resource is, before a run opens it.

Three spellings are one thing to the rest of the system, which asks them only what :class:`Resource` lists: an instance
of a :class:`ConfigurableResource`, a :class:`ResourceDefinition` round a function, and a :class:`PartialResource`
whose config comes with the run. Any other object is a resource that is ready, see :func:`as_resource`. Opening and
closing them in the right order is the work of execution/resources.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.config.schema import Field
from ipy_orch.model.resources.annotations import ResourceDependency, ResourceParam, is_resource_annotation
from ipy_orch.model.resources.classes import (
    ConfigurableLegacyResourceAdapter,
    ConfigurableResource,
    ConfigurableResourceFactory,
    PartialResource,
    closes,
    dependencies,
    nested_in,
)
from ipy_orch.model.resources.contexts import (
    LOG,
    IAttachDifferentObjectToOpContext,
    InitResourceContext,
    ScopedResources,
)
from ipy_orch.model.resources.functions import (
    ConfiguredResource,
    HardcodedResource,
    ResourceDefinition,
    WrappedResource,
    call_resource_function,
    checked_config,
    config_value,
    decorated,
    is_schema_class,
    make_values_resource,
    open_resource,
    resource,
)

__all__ = [
    "LOG",
    "ConfigurableLegacyResourceAdapter",
    "ConfigurableResource",
    "ConfigurableResourceFactory",
    "ConfiguredResource",
    "HardcodedResource",
    "IAttachDifferentObjectToOpContext",
    "InitResourceContext",
    "PartialResource",
    "Resource",
    "ResourceDefinition",
    "ResourceDependency",
    "ResourceParam",
    "ScopedResources",
    "WrappedResource",
    "as_resource",
    "call_resource_function",
    "checked_config",
    "closes",
    "config_value",
    "decorated",
    "dependencies",
    "is_resource_annotation",
    "is_schema_class",
    "make_values_resource",
    "nested_in",
    "open_resource",
    "resource",
]


@runtime_checkable
class Resource(Protocol):
    """Be what the rest of the system may ask of a resource; a user's fields can't have these names."""

    @property
    def __config_field__(self) -> Field:
        """Return what run config may set, with what is set already as defaults."""

    @property
    def __required_keys__(self) -> frozenset[str]:
        """Return the keys of the resources that this one finds in its context."""

    def __nested__(self) -> Mapping[str, Any]:
        """Return the resources that fields of this one hold, by field."""

    def __open__(
        self, context: InitResourceContext, checked: Any, nested: Mapping[str, Any]
    ) -> AbstractContextManager[Any]:
        """Return a context manager of what steps get: set up on entering, torn down on leaving.

        Args:
            context: of this resource, with its config.
            checked: the same config with the names of environment variables still in it.
            nested: the opened resources of the fields.
        """


def as_resource(value: Any) -> Any:
    """Return ``value`` when it is a resource, else the resource that is this object.

    Raises:
        DagsterInvalidDefinitionError: for a class of resources that wasn't called.
    """
    if isinstance(value, ResourceDefinition | ConfigurableResourceFactory | PartialResource):
        return value
    if inspect.isclass(value) and issubclass(value, ConfigurableResourceFactory):
        raise DagsterInvalidDefinitionError(
            f"`{value.__name__}` is a class, not a resource",
            hint=f"`{value.__name__}(...)`, or `{value.__name__}.configure_at_launch()`",
        )
    return HardcodedResource(value)
