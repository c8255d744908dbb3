"""What a value depends on through a resource: its config, secrets by name, and the code behind it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ipy_orch.model.config.schema import MISSING, ConfigPart, Findings, part_of, short
from ipy_orch.model.resources.resource import (
    ConfigurableResourceFactory,
    ConfiguredResource,
    HardcodedResource,
    PartialResource,
    ResourceDefinition,
    WrappedResource,
    as_resource,
    dependencies,
    nested_in,
)

__all__ = ["ResourceRecipe", "resource_recipe"]


class ResourceRecipe(NamedTuple):
    """What a value depends on through a resource: entries as config's, and the classes and functions behind it."""

    fields: list[ConfigPart]
    code: list[Any]


def resource_recipe(resource: Any, written: Any = MISSING) -> ResourceRecipe:
    """Return what a step's value depends on when it uses a resource; secrets by name. Opens nothing.

    Args:
        resource: anything that :func:`as_resource` takes.
        written: the resource's own part of run config, e.g. ``{"limit": 5}``.
    """
    one = as_resource(resource)
    if isinstance(one, HardcodedResource):
        return ResourceRecipe([("", one.value, short(type(one.value)))], [type(one.value)])
    recipe = ResourceRecipe(config_entries(one, written), code_of(one))
    for name, inner in one.__nested__().items():
        deeper = resource_recipe(inner)
        recipe.fields.extend((f"{name}.{path}" if path else name, item, text) for path, item, text in deeper.fields)
        recipe.code.extend(deeper.code)
    recipe.fields.extend(part_of(name, value) for name, value in plain_dependencies(one).items())
    return recipe


def config_entries(one: Any, written: Any) -> list[ConfigPart]:
    """Return the entries of a resource's own config; what is missing yet is left out."""
    kind = one.__config_field__.config_type
    checked = one.__config_field__.check_or_default(written, (), Findings())
    return [] if checked is None else list(kind.parts(kind.full(checked), ""))


def code_of(one: Any) -> list[Any]:
    """Return the class or function of a resource."""
    if isinstance(one, WrappedResource | ConfiguredResource):
        mapped = getattr(one, "mapped", None)
        return [*code_of(one.inner), *([mapped.mapping.config_fn] if mapped is not None else [])]
    if isinstance(one, PartialResource):
        return [one.resource_cls]
    return [one.resource_fn] if isinstance(one, ResourceDefinition) else [type(one)]


def plain_dependencies(one: Any) -> dict[str, Any]:
    """Return the objects, not resources, in the fields that hold other resources."""
    if not isinstance(one, ConfigurableResourceFactory):
        return {}
    held = {name: getattr(one, name) for name in dependencies(type(one))}
    return {name: value for name, value in held.items() if name not in nested_in(held)}
