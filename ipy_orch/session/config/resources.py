"""What resources hold: each field, where its value comes from, and who uses the resource. Opens nothing.

Values that an environment variable gives, and those of secret fields, aren't looked at.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.schema import MISSING, ConfigType, Field
from ipy_orch.model.keys import labels
from ipy_orch.model.ops import IO_MANAGER
from ipy_orch.model.resources.recipes import resource_recipe
from ipy_orch.model.resources.resource import (
    ConfigurableResourceFactory,
    HardcodedResource,
    PartialResource,
    ResourceDefinition,
    as_resource,
)
from ipy_orch.planning.hashing.rendering import looks_secret
from ipy_orch.session.scan import Scanned, uses

__all__ = ["Entry", "entries_of", "resource_rows"]

Row = dict[str, Any]

HIDDEN: Final = "[secret]"
CREDENTIALS: Final = re.compile(r"(://[^:/@\s]*:)[^@/\s]+(?=@|…)")  # of a URL


@dataclass(frozen=True)
class Entry:
    """Be one value that is configured, or could be.

    Args:
        path: the field, dotted, ``hosts[0]`` for an item; "" for what has no fields.
        value: a short text, never a secret's.
        source: ``literal``, ``default``, ``run config``, ``launch time``, ``environment NAME`` or ``resource KEY``.
        variable: the environment variable, if it is from one.
        made: the field of the schema.
    """

    path: str
    value: str
    source: str
    variable: str = ""
    made: Field | None = None

    @property
    def is_set(self) -> bool | None:
        """Tell whether the environment variable is set; None for other values."""
        return self.variable in os.environ if self.variable else None


# -- the table --------------------------------------------------------------------------------------------------------


def resource_rows(scanned: Scanned, given: Mapping[str, Any]) -> list[Row]:
    """Return a row per field of each resource, and one for each that is needed and missing.

    Args:
        given: the config that resources were given for their runs, by key.
    """
    users = users_of(scanned)
    keys = {id(one): key for key, one in scanned.resources.items()}
    shown = {key: one for key, one in scanned.resources.items() if key in users or not comes_with_us(key, one)}
    rows = [
        row_of(key, one, entry, users)
        for key, one in shown.items()
        for entry in entries_of(one, given.get(key, MISSING), keys)
    ]
    missing = sorted(users.keys() - scanned.resources.keys() - {IO_MANAGER})
    return [*rows, *({"resource": key, "source": "nothing provides it", "used by": users[key]} for key in missing)]


def row_of(key: str, one: Any, entry: Entry, users: Mapping[str, list[str]]) -> Row:
    """Return the row of one value."""
    return {
        "resource": key,
        "class": class_name(one),
        "field": entry.path,
        "type": entry.made.config_type.label if entry.made is not None else "",
        "value": entry.value,
        "source": entry.source,
        "set": {True: "set", False: "not set", None: ""}[entry.is_set],
        "used by": users.get(key, []),
        "description": (entry.made.description if entry.made is not None else "") or "",
    }


def comes_with_us(key: str, one: Any) -> bool:
    """Tell whether a resource is in the namespace because somebody imports all that there is."""
    return getattr(sys.modules.get("ipy_orch"), key, None) is one


def class_name(one: Any) -> str:
    """Return the class or function of a resource, or the type of a plain object."""
    if isinstance(one, PartialResource):
        return str(one.resource_cls.__name__)
    if isinstance(one, HardcodedResource):
        return type(one.value).__name__
    if isinstance(one, ResourceDefinition):
        name = getattr(one.resource_fn, "__name__", "")
        return class_name(one.inner) if hasattr(one, "inner") else name if name.isidentifier() else ""
    return type(one).__name__


def users_of(scanned: Scanned) -> dict[str, list[str]]:
    """Return resource -> who uses it: ``orders``, ``orders:is_paid``, ``orders (IO)``, ``resource warehouse``."""
    found: dict[str, list[str]] = {}
    for one in scanned.definitions:
        for key, how in uses(one, scanned.graph).items():
            found.setdefault(key, []).extend(f"{name} ({how})" if how else name for name in names_of(one))
    keys = {id(one): key for key, one in scanned.resources.items()}
    for key, resource in scanned.resources.items():
        made = as_resource(resource)
        inner = {keys[id(held)] for held in made.__nested__().values() if id(held) in keys}
        for needed in sorted(inner | made.__required_keys__):
            found.setdefault(needed, []).append(f"resource {key}")
    return found


def names_of(definition: AssetsDefinition) -> Iterable[str]:
    """Return the assets that a definition makes, or its checks where it makes none."""
    if definition.has_keys:
        return labels(sorted(definition.keys))
    return (f"{check.asset_key.label}:{check.name}" for check in sorted(definition.check_keys))


# -- the values of one resource ---------------------------------------------------------------------------------------


def entries_of(resource: Any, written: Any, keys: Mapping[int, str]) -> list[Entry]:
    """Return the values of a resource: those of its fields, and of the resources in its fields.

    Args:
        written: the config that it was given for its runs, or MISSING.
        keys: identity -> key, of the resources that have a row of their own.
    """
    one = as_resource(resource)
    if isinstance(one, HardcodedResource):
        return [Entry("", "", "plain object")]
    inner = one.__nested__()
    nested = [entry for name, held in inner.items() for entry in nested_entries(name, held, keys)]
    own = own_entries(one, written, without=[f"{name}." for name in inner])
    return [*own, *nested] or [Entry("", "", "no config")]


def nested_entries(name: str, held: Any, keys: Mapping[int, str]) -> Iterator[Entry]:
    """Yield the values of the resource in a field; one that has a key of its own is only named."""
    if id(held) in keys:
        yield Entry(name, class_name(held), f"resource {keys[id(held)]}")
        return
    for entry in entries_of(held, MISSING, keys):
        value = entry.value if entry.path else class_name(held)
        yield replace(entry, path=f"{name}.{entry.path}" if entry.path else name, value=value)


def own_entries(one: Any, written: Any, without: Iterable[str]) -> list[Entry]:
    """Return the values of a resource's own fields, and those that wait for run config."""
    made: Field = one.__config_field__
    fields: Mapping[str, Field] = getattr(made.config_type, "fields", {})
    given, literal = set(written if isinstance(written, Mapping) else ()), literals(one)
    found = []
    for path, digestable, text in resource_recipe(one, written).fields:
        head = first(path)
        if not path.startswith(tuple(without)):
            source = "run config" if head in given else "literal" if head in literal else "default"
            found.append(entry_of(path, digestable, text, source, field_at(made, path)))
    shown = {first(entry.path) for entry in found}
    waiting = [name for name, field in fields.items() if name not in shown and field.is_required]
    if not fields and made.is_required and not found:
        waiting = [""]
    return [*found, *(Entry(name, "", "launch time", "", fields.get(name, made)) for name in waiting)]


def entry_of(path: str, digestable: Any, text: str, source: str, made: Field | None) -> Entry:
    """Return the entry of one value, as its recipe has it: variables and secrets by name."""
    kind, name = digestable if isinstance(digestable, tuple) and len(digestable) == 2 else ("", "")
    if kind == "env":
        return Entry(path, "", f"environment {name}", str(name), made)
    hidden = kind == "secret" or looks_secret(path)
    return Entry(path, HIDDEN if hidden else CREDENTIALS.sub(r"\1***", text), source, "", made)


def literals(one: Any) -> set[str]:
    """Return the fields whose values the notebook says, by their names in config."""
    if isinstance(one, PartialResource):
        return set(one.data)
    inner = getattr(one, "inner", None)
    if inner is not None:
        return literals(inner)
    if not isinstance(one, ConfigurableResourceFactory):
        return set()
    infos = type(one).model_fields
    return {infos[name].alias or name for name in one.model_fields_set if name in infos}


def first(path: str) -> str:
    """Return the field at the beginning of a path.

    >>> first("hosts[0].name"), first("port")
    ('hosts', 'port')
    """
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def field_at(made: Field, path: str) -> Field | None:
    """Return the field of a schema at a dotted path; of an item, the field that holds it."""
    found: Field | None = made if not path else None
    kind: ConfigType = made.config_type
    for name in re.sub(r"\[[^\]]*\]", "", path).split("."):
        kind = getattr(kind, "inner_type", kind)
        field = getattr(kind, "fields", {}).get(name)
        if not isinstance(field, Field):
            break
        found, kind = field, field.config_type
    return found
