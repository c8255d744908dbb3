"""Whether resources can work together, before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.resources.resource import PartialResource, as_resource

__all__ = ["check_resources", "refuse_cycles"]


def check_resources(resources: Mapping[str, Any]) -> None:
    """Check that what resources need is there. Opens nothing.

    Raises:
        DagsterInvalidDefinitionError: when a required or a partially configured nested resource is missing.
        DagsterInvariantViolationError: when a resource needs itself.
    """
    made = {key: as_resource(value) for key, value in resources.items()}
    known = {id(value) for value in resources.values()}
    for key, one in made.items():
        for missing in sorted(one.__required_keys__ - made.keys()):
            raise DagsterInvalidDefinitionError(
                f"resource `{missing}` is required by the resource `{key}` and nothing provides it",
                hint=closest(missing, made),
            )
        check_nested(key, one, known)
    refuse_cycles(resources)


def check_nested(key: str, outer: Any, known: set[int]) -> None:
    """Refuse a nested resource that waits for config and that run config can't reach."""
    for name, inner in outer.__nested__().items():
        if id(inner) in known:
            continue
        if inner.__config_field__.is_required or isinstance(inner, PartialResource):
            raise DagsterInvalidDefinitionError(
                f"the field `{name}` of resource `{key}` holds a resource that isn't fully configured",
                hint=f'provide it under a key of its own, too: `resources={{"{name}": ..., "{key}": ...}}`',
            )
        check_nested(key, inner, known)


def refuse_cycles(resources: Mapping[str, Any]) -> None:
    """Refuse a resource that needs itself.

    Raises:
        DagsterInvariantViolationError: with the keys of the cycle.
    """
    made = {key: as_resource(value) for key, value in resources.items()}
    for key in made:
        refuse_cycle(key, made, ())


def refuse_cycle(key: str, resources: Mapping[str, Any], above: tuple[str, ...]) -> None:
    """Refuse one that needs itself, over those above it."""
    if key in above:
        cycle = " → ".join(f"`{one}`" for one in (*above[above.index(key) :], key))
        raise DagsterInvariantViolationError(f"resource `{key}` needs itself: {cycle}")
    for needed in sorted(resources[key].__required_keys__ & resources.keys()):
        refuse_cycle(needed, resources, (*above, key))
