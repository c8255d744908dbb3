"""A definitions module as the cells of a new notebook: assets in the order of lineage, what they need above them.

Where an export wrote the module, the cells are those that it came from, by their ids, in the module's own order.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ipy_orch.errors import DagsterError
from ipy_orch.export.descriptions import described, plain_note
from ipy_orch.export.importing.chunks import Chunk, Module, needs
from ipy_orch.export.imports import import_block
from ipy_orch.export.marks import IMPORTS, mark_id
from ipy_orch.export.notebook_file import FileCell
from ipy_orch.export.reading.cells import ReadNotebook
from ipy_orch.model.assets import AssetsDefinition

__all__ = ["NewCell", "cells_of", "file_cells", "head_cells", "marked", "with_note"]


@dataclass(frozen=True)
class NewCell:
    """Be a cell of a notebook, with the Markdown above it.

    Args:
        key: its id.
        note: the Markdown, "" for none.
    """

    key: str
    text: str
    note: str = ""


def cells_of(module: Module) -> list[NewCell]:
    """Return the cells of a module, that of the imports first."""
    groups = marked(module) if module.marks else [(mark_id("", one[0].name), one) for one in by_lineage(module)]
    cells = [NewCell(key, *with_note(joined(chunks, module))) for key, chunks in unique(groups)]
    if not module.imports:
        return cells
    imports, key = "\n".join([*module.above, import_block(module.imports)]), imports_key(module)
    if cells and cells[0].key == key:
        return [replace(cells[0], text=f"{imports}\n\n{cells[0].text}"), *cells[1:]]
    return [NewCell(key, imports), *cells]


def imports_key(module: Module) -> str:
    """Return the id of the cell of the imports."""
    said = (mark.key for mark in module.marks if mark.parts[:1] == ((IMPORTS, ""),))
    return next(said, mark_id("", IMPORTS))


def unique(groups: Iterable[tuple[str, list[Chunk]]]) -> Iterator[tuple[str, list[Chunk]]]:
    """Yield groups, each under an id of its own."""
    seen: set[str] = set()
    for key, chunks in groups:
        name, number = key, 1
        while name in seen:
            number += 1
            name = f"{key}-{number}"
        seen.add(name)
        yield name, chunks


def joined(chunks: Sequence[Chunk], module: Module) -> str:
    """Return statements as the text of one cell."""
    text = module.in_notebook(chunks[0])
    for before, one in itertools.pairwise(chunks):
        gap = "\n\n\n" if before.is_block or one.is_block else between(before, one)
        text += gap + module.in_notebook(one)
    return text


def between(before: Chunk, one: Chunk) -> str:
    """Return what stands between two plain statements: a blank line where the module has any."""
    above = one.text.count("\n") - (one.statement.lines[1] - one.statement.lines[0])
    return "\n" if one.statement.lines[0] - above - before.statement.lines[1] == 1 else "\n\n"


def head_cells(module: Module) -> list[FileCell]:
    """Return what stands on top of a new notebook."""
    title = f"# {module.title.replace('_', ' ').capitalize()}"
    told = f"{title}\n\n{module.docstring}" if module.docstring and not module.is_ours else title
    return [
        FileCell("markdown", told, mark_id("", "title")),
        FileCell("code", "%load_ext ipy_orch", mark_id("", "load")),
    ]


def file_cells(cells: Iterable[NewCell]) -> Iterator[FileCell]:
    """Yield cells as a file has them, each below its Markdown."""
    for one in cells:
        if one.note:
            yield FileCell("markdown", one.note, f"{one.key}-note")
        yield FileCell("code", one.text, one.key)


# -- as they were exported ---------------------------------------------------------------------------------------------


def marked(module: Module) -> list[tuple[str, list[Chunk]]]:
    """Return the statements by the cells that they are from; what is new stands alone behind what is above it."""
    homes = [(name, mark.key) for mark in module.marks for name, digest in mark.parts if digest]
    found: list[tuple[str, list[Chunk]]] = []
    for one in module.chunks:
        place = next((n for n, (name, _) in enumerate(homes) if name == one.name), None)
        key = homes.pop(place)[1] if place is not None else ""
        if key and found and found[-1][0] == key:
            found[-1][1].append(one)
        else:
            found.append((key or mark_id("", one.name), [one]))
    return found


# -- in the order of lineage -------------------------------------------------------------------------------------------


def by_lineage(module: Module) -> list[list[Chunk]]:
    """Return the statements of a module in groups, one for each cell."""
    chunks = module.chunks
    needed, reads = needs(chunks), lineage(module)
    order: list[Chunk] = []
    state: dict[Chunk, bool] = {}

    def put(one: Chunk) -> None:
        """Put a statement behind all that it needs."""
        if one in state:
            return
        state[one] = False
        for other in [*reads.get(one, ()), *needed[one]]:
            put(other)
        state[one] = True
        order.append(one)

    defining = [one for one in chunks if one in reads]
    rest = [one for one in chunks if one not in reads]
    used = {other for one in defining for other in closure(one, needed)}
    first = [one for one in rest if one not in used and changes_the_world(one)]
    for one in [*first, *defining, *rest]:
        put(one)
    return grouped(order, reads)


def closure(one: Chunk, needed: Mapping[Chunk, list[Chunk]]) -> set[Chunk]:
    """Return all that a statement needs."""
    found: set[Chunk] = set()
    front = [one]
    while front:
        for other in needed[front.pop()]:
            if other not in found:
                found.add(other)
                front.append(other)
    return found


def changes_the_world(one: Chunk) -> bool:
    """Tell whether a statement is there for what it does: ``warnings.filterwarnings("ignore")``."""
    return not one.binds


def lineage(module: Module) -> dict[Chunk, list[Chunk]]:
    """Return assets and checks -> the assets and resources that they use, as far as the text tells."""
    chunks = module.chunks
    text = "\n\n".join([import_block(module.imports), *(one.text for one in chunks)])
    try:
        read = ReadNotebook.of([FileCell("code", text, "all")])
        read.scanned.graph.keys  # noqa: B018 - what is wrong with it is its own matter
    except DagsterError:
        return {}
    makers = {name: one for one in chunks for name in one.binds}
    holders = {
        key: makers[name]
        for name, value in read.namespace.items()
        if isinstance(value, AssetsDefinition) and name in makers
        for key in value.keys
    }
    found: dict[Chunk, list[Chunk]] = {}
    for name, value in read.namespace.items():
        if isinstance(value, AssetsDefinition) and name in makers:
            own = makers[name]
            used = [holders[key] for key in sorted(value.dependency_keys) if key in holders]
            used += [makers[key] for key in sorted(value.required_resource_keys) if key in makers]
            found[own] = [one for one in used if one is not own]
    return dict(sorted(found.items(), key=lambda item: item[0].number))


def grouped(order: Sequence[Chunk], reads: Iterable[Chunk]) -> list[list[Chunk]]:
    """Return cells: a definition, a class or a function alone, constants that follow each other together."""
    alone = {*reads, *(one for one in order if one.is_block or not one.digest)}
    found: list[list[Chunk]] = []
    for one in order:
        last = found[-1][-1] if found else one
        if last.number == one.number - 1 and {one, last}.isdisjoint(alone):
            found[-1].append(one)
        else:
            found.append([one])
    return found


# -- descriptions ------------------------------------------------------------------------------------------------------


def with_note(text: str) -> tuple[str, str]:
    r"""Return the text of a cell without the docstring of its asset, and that as Markdown; as it is where that loses.

    >>> with_note('@asset\ndef a():\n    \"\"\"All.\"\"\"\n    return 1')
    ('@asset\ndef a():\n    return 1', 'All.')
    """
    node = next((one for one in ast.parse(text).body if is_asset(one)), None)
    said = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not said or len(node.body) < 2:
        return text, ""
    first = node.body[0]
    lines = text.split("\n")
    end = first.end_lineno or first.lineno
    below = end if lines[end : end + 1] != [""] else end + 1  # the blank line that some put below a docstring
    for last in (end, below):
        bare = "\n".join([*lines[: first.lineno - 1], *lines[last:]])
        if plain_note(said) == said.strip() and described(bare, said.strip(), node.name) == text:
            return bare, said.strip()
    return text, ""


def is_asset(node: ast.stmt) -> bool:
    """Tell whether a statement is the function of one asset."""
    decorators = getattr(node, "decorator_list", [])
    return any(re.search(r"\b(?:graph_)?asset$", ast.unparse(getattr(one, "func", one))) for one in decorators)
