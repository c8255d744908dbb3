"""Assets of code locations in an export: they are made elsewhere, so they go out as what is known of them.

The module gets a list of specs per location, as if a cell had written it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.specs import AssetSpec
from ipy_orch.session.cellbook import Cell, CellBook, names_of
from ipy_orch.session.locations.location import CodeLocation
from ipy_orch.session.scan import LastGraph, Scanned
from ipy_orch.session.session import Session

__all__ = ["Known", "known_elsewhere"]

WORDS: Final = ("description", "group_name")


@dataclass(frozen=True)
class Known:
    """Be a notebook with the assets of its code locations as external ones."""

    scanned: Scanned
    book: CellBook
    namespace: Mapping[str, Any]


def known_elsewhere(session: Session, scanned: Scanned) -> Known:
    """Return a session's notebook with the assets of its code locations as external ones."""
    scanned = own_only(scanned)
    found = [*listed(session.code_locations.known.values(), scanned)]
    if not found:
        return Known(scanned, session.book, session.namespace)
    book, namespace = copy(session.book), dict(session.namespace)
    book.cells, book.definers = dict(book.cells), dict(book.definers)
    own: list[AssetsDefinition] = []
    for number, (location, specs) in enumerate(found):
        name = free_name(f"{location.name}_assets", namespace)
        text = written(location, name, specs)
        key = f"code location {location.name}"
        book.cells = {key: Cell(key, 0, text, names=names_of(text), order=number - len(found)), **book.cells}
        book.definers[name] = key
        namespace[name] = specs
        own += map(external, specs)
    elsewhere = {one for each in session.code_locations.known.values() for one in (*each.definitions, *each.externals)}
    rest = [one for one in scanned.definitions if one not in elsewhere]
    return Known(replace(scanned, definitions=(*rest, *own), last=LastGraph()), book, namespace)


def own_only(scanned: Scanned) -> Scanned:
    """Return a notebook without the jobs, schedules and sensors of its code locations: they run there."""
    jobs = tuple(one for one in scanned.found_jobs if not one.location)
    automations = tuple(one for one in scanned.found_automations if not one.location)
    if len(jobs) == len(scanned.found_jobs) and len(automations) == len(scanned.found_automations):
        return scanned
    return replace(scanned, found_jobs=jobs, found_automations=automations)


def listed(locations: Iterable[CodeLocation], scanned: Scanned) -> Iterator[tuple[CodeLocation, list[AssetSpec]]]:
    """Yield each location with what is told of its assets; what it only knows of, where nothing else makes it."""
    there = set(scanned.definitions)
    for one in locations:
        definitions = (each for each in (*one.definitions, *one.externals) if each in there)
        specs = [told(spec) for each in definitions for spec in each.specs]
        if specs:
            yield one, sorted(specs, key=lambda spec: spec.key)


def told(spec: AssetSpec) -> AssetSpec:
    """Return what an export tells of an asset: what can be written in a line."""
    return AssetSpec(
        spec.key,
        deps=[dep.asset_key for dep in spec.deps],
        description=spec.description,
        group_name=spec.group_name,
        owners=spec.owners,
        tags=spec.tags,
    )


def written(location: CodeLocation, name: str, specs: Iterable[AssetSpec]) -> str:
    """Return the cell that could have written the specs of a location."""
    code = location.place.code
    home = code.target if code.kind == "module" else Path(code.target).name
    lines = [f"    {spec_text(spec)}," for spec in specs]
    return "\n".join(
        [
            "from ipy_orch import AssetSpec",
            "",
            f"# Assets of the code location `{location.name}` ({home}): they are made there, and only known here.",
            f"{name} = [",
            *lines,
            "]",
        ]
    )


def spec_text(spec: AssetSpec) -> str:
    """Return the call that makes a spec.

    >>> spec_text(AssetSpec("orders", group_name="shop"))
    "AssetSpec('orders', group_name='shop')"
    """
    key = [*spec.key.path] if len(spec.key.path) > 1 else spec.key.path[0]
    said = {word: getattr(spec, word) for word in WORDS if getattr(spec, word)}
    said |= {"owners": [*spec.owners]} if spec.owners else {}
    said |= {"tags": dict(spec.tags)} if spec.tags else {}
    deps = [[*dep.asset_key.path] if len(dep.asset_key.path) > 1 else dep.asset_key.path[0] for dep in spec.deps]
    said |= {"deps": deps} if deps else {}
    return f"AssetSpec({', '.join([repr(key), *(f'{word}={value!r}' for word, value in said.items())])})"


def free_name(name: str, namespace: Mapping[str, Any]) -> str:
    """Return a name that no variable has."""
    while name in namespace:
        name = f"{name}_"
    return name
