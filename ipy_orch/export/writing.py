"""Exports into files: a module or a package, from a session or from a notebook's file, proven before they are there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.export.code_locations import known_elsewhere
from ipy_orch.export.descriptions import notes_above, saved_cells
from ipy_orch.export.edits import edits
from ipy_orch.export.files import OURS, is_ours, replace_file
from ipy_orch.export.formatting import formatted
from ipy_orch.export.marks import Mark
from ipy_orch.export.module import Module, module_of
from ipy_orch.export.notebook_file import FileCell, NotebookFile, read_notebook
from ipy_orch.export.package import FILES, Package, checked_name
from ipy_orch.export.proof.proof import Asked, Staged, prove
from ipy_orch.export.proof.rehearsal import values_of_notebook, values_of_session
from ipy_orch.export.proof.rounds import Rehearsal
from ipy_orch.export.reading.cells import ReadNotebook, key_of_cell
from ipy_orch.session.cellbook import CellBook
from ipy_orch.session.refusals import refuse_broken
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import Session, write

__all__ = ["Exported", "export_notebook", "module_of_notebook", "write_module"]


@dataclass(frozen=True)
class Exported:
    """Say what an export has written.

    Args:
        paths: the files, the one with ``defs`` first.
        warnings: what a person should know.
    """

    paths: tuple[Path, ...]
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Return the file with ``defs``."""
        return self.paths[0]

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Layout:
    """Be the files of an export, before they are anywhere.

    Args:
        root: the folder into which they go.
        files: path in it -> text, the one with ``defs`` first.
        source: the folder in it from which the module is imported.
        name: of the module.
        marks: of all files.
    """

    root: Path
    files: Mapping[str, str]
    source: str
    name: str
    marks: tuple[Sequence[Mark], ...]

    @property
    def owned(self) -> Iterator[Path]:
        """Yield the files that an export writes over; others are the person's once they are there."""
        yield from (self.root / name for name, text in self.files.items() if text.startswith(OURS))


@write.supply
def export_session(
    session: Session,
    path: str | os.PathLike[str],
    *,
    target: str = "ipy_orch",
    package: str | bool | None = None,
    force: bool = False,
    verify: bool = False,
) -> Exported:
    """Write the notebook of a session as a module or package, see :meth:`Session.export`."""
    scanned = session.scan()
    refuse_broken(scanned, scanned.broken)
    order = list(session.book.places)
    known = known_elsewhere(session, scanned)
    notes = notes_of(known.book, known.namespace)
    module = module_of(
        known.scanned,
        known.book,
        known.namespace,
        target=target,
        order=order,
        notes=notes,
        environments=session.environments,
    )
    values = partial(values_of_session, session, module.deployments.in_use) if verify else None
    folder = Path.cwd()
    layout = layout_of(Path(path), module, package, folder)
    done = write_layout(layout, module, force=force, asked=Asked((folder,), values))
    return Exported(done.paths, (*module.deployments.warnings, *done.warnings))


def notes_of(book: CellBook, namespace: Mapping[str, Any]) -> Mapping[str, str]:
    """Return cell -> the Markdown above it, where the front end says which file is the notebook's."""
    cells = saved_cells(namespace, book.cells)
    return notes_above(cells, {number: cell.key for number, cell in enumerate(cells) if cell.key in book.cells})


def write_module(
    path: str | os.PathLike[str],
    scanned: Scanned,
    book: CellBook,
    namespace: Mapping[str, Any],
    *,
    target: str = "ipy_orch",
    order: Sequence[str] = (),
    force: bool = False,
    package: str | bool | None = None,
    prove: bool = True,
    values: Callable[[], Rehearsal] | None = None,
) -> Exported:
    """Write the notebook of a session as a module or package, whole or not at all.

    Args:
        path: of the file, or of a folder that exists; of a package, the folder of the project. Folders above are made.
        force: write over a file that an export didn't write, or that was edited since.
        package: the name of the package, or True for that of the folder; None or False writes one module.
        prove: import it in a clean process first, and compare its graph with the notebook's.
        values: the notebook's values, which that process is to make, too.

    Raises:
        DagsterInvalidDefinitionError: as :func:`~ipy_orch.export.module.export_module`; then nothing is written.
        DagsterInvariantViolationError: when somebody else's file is in the place, or edits of this one would be lost.
    """
    module = module_of(scanned, book, namespace, target=target, order=order, notes=notes_of(book, namespace))
    folder = Path.cwd()
    layout = layout_of(Path(path), module, package, folder)
    asked = Asked((folder,), values) if prove or values is not None else None
    return write_layout(layout, module, force=force, asked=asked)


def export_notebook(
    nb_path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    target: str = "ipy_orch",
    package: str | bool | None = None,
    force: bool = False,
    prove: bool = True,
    verify: bool = False,
) -> Exported:
    """Write a notebook's file as a module or package, told from the text of its cells: nothing of it is run.

    The proof imports what was written in a process of its own, as anybody does who uses it. Only ``verify`` runs the
    notebook, in a second process.

    Args:
        out: of the file, or of a folder that exists; of a package, the folder of the project. Folders above are made.
        package: the name of the package, or True for that of the folder; None or False writes one module.
        force: write over a file that an export didn't write, or that was edited since.
        prove: import it in a clean process first, and compare its graph with the notebook's.
        verify: run the notebook, materialize the module in another process, and compare the values.

    Raises:
        DagsterInvalidDefinitionError: for what a module can't hold, with cell and line; then nothing is written.
        DagsterInvariantViolationError: when there is no notebook, or somebody else's file in the place.
    """
    place = Path(nb_path)
    notebook, folder = read_notebook(place), place.absolute().parent
    module, warnings = module_of_notebook(notebook, folder, target=target)
    layout = layout_of(Path(out), module, package, folder)
    values = partial(values_of_notebook, notebook, folder, module.deployments.in_use) if verify else None
    asked = Asked((folder,), values, late=True) if prove or verify else None
    done = write_layout(layout, module, force=force, asked=asked)
    return Exported(done.paths, (*warnings, *done.warnings))


def module_of_notebook(
    notebook: NotebookFile, folder: Path | None = None, *, target: str = "ipy_orch"
) -> tuple[Module, tuple[str, ...]]:
    """Return the module that the cells of a notebook make, and what a person should know. Reads only: nothing is run.

    Args:
        folder: where modules beside the notebook are looked for.

    Raises:
        DagsterInvalidDefinitionError: for what a module can't hold, with cell and line.
    """
    read = ReadNotebook.of(notebook.cells, folder)
    notes = notes_above(notebook.cells, {number: key(cell) for number, cell in enumerate(notebook.cells)})
    order = list(read.book.places)
    module = module_of(read.scanned, read.book, read.namespace, target=target, order=order, notes=notes)
    return module, (*read.warnings, *module.deployments.warnings)


def key(cell: FileCell) -> str:
    """Return the key of a cell in the cell book."""
    return cell.key or key_of_cell(cell.text)


# -- files -------------------------------------------------------------------------------------------------------------


def layout_of(path: Path, module: Module, package: str | bool | None, folder: Path) -> Layout:
    """Return the files of an export.

    Args:
        folder: that of the notebook, whose own modules aren't installed from anywhere.

    Raises:
        DagsterInvalidDefinitionError: for the name of a package that can't be one.
    """
    if not package:
        place = path / "definitions.py" if path.is_dir() else path
        name = place.stem if place.stem.isidentifier() else "definitions"
        text = formatted(module.text)
        return Layout(place.parent, {place.name: text}, "", name, (module.marks(module.pieces),))
    name = checked_name(package if isinstance(package, str) else path.absolute().name)
    tops = {one.module.partition(".")[0] for one in module.all_imports} - {"", module.target}
    local = frozenset(one for one in tops if is_beside(one, folder))
    made = Package(module, name, local)
    files = {path_: formatted(text) if path_.endswith(".py") else text for path_, text in made.files.items()}
    return Layout(path, files, "src", f"{name}.definitions", tuple(made.marks.values()))


def is_beside(module: str, folder: Path) -> bool:
    """Tell whether a module lies in a folder."""
    return (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file()


def write_layout(layout: Layout, module: Module, *, force: bool, asked: Asked | None) -> Exported:
    """Write the files of an export, all or none.

    Raises:
        DagsterInvalidDefinitionError: when the proof fails.
        DagsterInvariantViolationError: when somebody else's file is in the place, or edits of this one would be lost.
    """
    for name in layout.files:
        refuse_blocked(layout.root / name, layout)
    if not force:
        for place in layout.owned:
            if place.exists():
                refuse_to_lose(place, layout)
    told = proven(layout, module, asked) if asked is not None else []
    for name, text in layout.files.items():
        place = layout.root / name
        if place.exists() and place not in {*layout.owned}:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, text.encode())
    clear_away(layout)
    return Exported(tuple(layout.root / name for name in layout.files), tuple(told))


def proven(layout: Layout, module: Module, asked: Asked) -> list[str]:
    """Prove an export in a folder that goes afterwards, and return what couldn't be.

    Raises:
        DagsterInvalidDefinitionError: when it isn't what the notebook is.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, text in layout.files.items():
            place = root / (name if layout.source else f"{layout.name}.py")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        return prove(Staged(root / layout.source, layout.name), module, asked)


def refuse_blocked(place: Path, layout: Layout) -> None:
    """Refuse a place where a file can't be: below another file, or where a folder is.

    Raises:
        DagsterInvariantViolationError: with what to name instead.
    """
    for above in place.parents:
        if above.exists() and not above.is_dir():
            what = "a package is" if layout.source else "a module is"
            other = f", e.g. `{above.with_suffix('')}`" if above == layout.root and above.suffix else ""
            hint = f"name another folder{other}, or move the file away"
            raise DagsterInvariantViolationError(f"`{above}` is a file, and {what} written into a folder", hint=hint)
    if place.is_dir():
        raise DagsterInvariantViolationError(f"`{place}` is a folder", hint="name another place, or move it away first")


def refuse_to_lose(place: Path, layout: Layout) -> None:
    """Refuse to write over what a person wrote.

    Raises:
        DagsterInvariantViolationError: with what to do instead.
    """
    if not is_ours(place):
        told = f"`{place.name}` is there already, and no export wrote it"
        raise DagsterInvariantViolationError(told, hint="name another file, or delete it first")
    found = edits(place.read_text(encoding="utf-8"), layout.marks)
    if found:
        told = f"`{place.name}` was edited since its export: {', '.join(found)}"
        raise DagsterInvariantViolationError(told, hint=f"`ipy-orch import {place.name} NOTEBOOK` first")


def clear_away(layout: Layout) -> None:
    """Take away the files of an older export of a package that hold nothing any more."""
    if layout.source:
        for place in (layout.root / next(iter(layout.files))).parent.joinpath("defs").glob("*.py"):
            if place.stem in FILES and place not in {*layout.owned} and is_ours(place):
                place.unlink()
