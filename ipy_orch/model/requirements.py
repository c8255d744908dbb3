"""What definitions need of others: resources that must be there, and assets that something must make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.model.ops import IO_MANAGER
from ipy_orch.model.resources.resource import as_resource

__all__ = ["all_resources", "needed", "refuse_unmade"]


def all_resources(definitions: Iterable[AssetsDefinition], given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the resources given, and those that definitions carry.

    Raises:
        DagsterInvalidDefinitionError: when two definitions carry different ones of one key.
    """
    carried: dict[str, Any] = {}
    for one in definitions:
        for key, resource in one.resource_defs.items():
            if carried.setdefault(key, resource) is not resource:
                raise DagsterInvalidDefinitionError(f"two assets bring different resources `{key}`", where=one.label)
    return {**(given or {}), **carried}


def needed(known: Mapping[str, Any], keys: Iterable[str], what: str) -> set[str]:
    """Return these resources and all that they need themselves.

    Args:
        what: names the one that needs ``keys``.

    Raises:
        DagsterInvalidDefinitionError: when one isn't known, except the IO manager that is always there.
    """
    front, found = [(key, what) for key in sorted(keys)], set[str]()
    while front:
        key, reader = front.pop()
        if key in found:
            continue
        found.add(key)
        if key in known:
            resource = as_resource(known[key])
            parts = [resource, *resource.__nested__().values()]
            front += [(inner, f"resource `{key}`") for part in parts for inner in sorted(part.__required_keys__)]
        elif key != IO_MANAGER:
            raise DagsterInvalidDefinitionError(
                f"{reader} needs the resource `{key}`, which isn't there",
                hint=closest(key, known) or f'resources={{"{key}": ...}}',
            )
    return found


def refuse_unmade(one: AssetsDefinition, known: Collection[AssetKey]) -> None:
    """Refuse an argument that loads an asset which nothing makes or declares.

    Raises:
        DagsterInvalidDefinitionError: with the closest name.
    """
    for argument, key in one.keys_by_input_name.items() if one.op_def is not None else ():
        if key not in known and not one.op.ins[argument].is_nothing:
            raise DagsterInvalidDefinitionError(
                f"`{one.label}` loads `{key.label}`, which nothing makes",
                where=one.origin,
                hint=closest(key.label, labels(known)) or f'AssetSpec("{key.label}"), if something else makes it',
            )
