"""Bring a definitions module into a notebook: a new one, or the one that it was exported from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.importing.cells import cells_of, file_cells, head_cells
from ipy_orch.export.importing.chunks import read_module
from ipy_orch.export.importing.merging import Merged, merge
from ipy_orch.export.importing.sources import find_sources
from ipy_orch.export.notebook_file import NotebookFile, read_notebook, write_notebook

__all__ = ["Imported", "import_module"]


@dataclass(frozen=True)
class Imported:
    """Say what an import has written.

    Args:
        path: of the notebook.
        definitions: how many there are in it.
        changed: what came over: definitions, by name.
        conflicts: what was edited on both sides, by name: a cell below shows the module's text.
        warnings: what a person should know.
    """

    path: Path
    definitions: int
    changed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def import_module(source: str | os.PathLike[str], nb_path: str | os.PathLike[str], *, force: bool = False) -> Imported:
    """Bring a definitions module, ours or Dagster's, into a notebook. Nothing is imported or run: the text is read.

    Where the notebook is there and the module was exported from it, the module's edits come over; what was edited on
    both sides stays as the notebook has it, and is shown in a cell below.

    Args:
        source: the path of a file, of a package or project, or a module as one imports it.
        force: write over a notebook that has nothing to do with the module.

    Raises:
        DagsterInvariantViolationError: when there's no such module, or another notebook in the place.
        DagsterInvalidDefinitionError: for what a notebook can't hold, with file and line.
    """
    sources = find_sources(source)
    module, place = read_module(sources), Path(nb_path)
    if not module.marks and not any(one.module.partition(".")[0] == "ipy_orch" for one in module.imports):
        told = f"`{sources.entry.path.name}` defines nothing: it takes no asset or op from ipy_orch or dagster"
        raise DagsterInvalidDefinitionError(told, hint="name the module that holds the definitions")
    if place.exists() and not force:
        if not module.marks:
            told = f"`{place.name}` is there already, and `{sources.entry.path.name}` wasn't exported from it"
            raise DagsterInvariantViolationError(told, hint="name another notebook, or delete it first")
        done = merge(read_notebook(place), module, sources, place.absolute().parent)
        if done.notebook is not None:
            write_notebook(place, done.notebook)
        return told_of(place, done, module.warnings)
    cells = cells_of(module)
    write_notebook(place, NotebookFile.of([*head_cells(module), *file_cells(cells)]))
    return Imported(place, len(module.chunks), warnings=tuple(module.warnings))


def told_of(place: Path, done: Merged, warnings: list[str]) -> Imported:
    """Return what a merge has written."""
    return Imported(place, done.definitions, tuple(done.changed), tuple(done.conflicts), (*warnings, *done.warnings))
