"""Bring edits of a module into the notebook that it was exported from, cell by cell.

Three texts are compared by their digests: what was exported (the marks), the module as it is now, and what the notebook
would export now. What changed in the module alone comes over, what changed in the notebook alone stays, and what
changed in both is a conflict: the notebook's cell stays, and a cell below it shows the module's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ipy_orch.authoring.cells.cells import is_definition_cell, read_cell
from ipy_orch.errors import DagsterError
from ipy_orch.export.descriptions import CONFLICT, with_headings
from ipy_orch.export.environment_cells import resources_in, with_resources
from ipy_orch.export.importing.cells import with_note
from ipy_orch.export.importing.chunks import Chunk, Module
from ipy_orch.export.importing.sources import Sources
from ipy_orch.export.importing.spelling import as_cell_was
from ipy_orch.export.imports import Import, import_block
from ipy_orch.export.marks import IMPORTS, digest_of, mark_id, name_of
from ipy_orch.export.module import is_check_result
from ipy_orch.export.notebook_file import FileCell, NotebookFile
from ipy_orch.export.package import names_in
from ipy_orch.export.statements import Statement, statements_of
from ipy_orch.export.writing import module_of_notebook
from ipy_orch.session.cellbook import Cell

__all__ = ["Merged", "merge"]

Part = tuple[str, int]
"""A definition: its name, and which of that name it is."""

MAGIC: Final = re.compile(r"(%%?)(?:job|schedule|sensor|component)\s+(?:--?\w.*\s)?([A-Za-z_]\w*)")
NUMBERED: Final = re.compile(r"-\d+$")


@dataclass
class Merged:
    """Be what came of a merge.

    Args:
        notebook: None where nothing changed.
    """

    notebook: NotebookFile | None
    definitions: int
    changed: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Side:
    """Be the definitions of one side.

    Args:
        digests: definition -> its digest.
        homes: definition -> the cell that it is from.
    """

    digests: Mapping[Part, str]
    homes: Mapping[Part, str]

    @classmethod
    def of(cls, parts: Iterable[tuple[str, str, str]]) -> Side:
        """Return a side of names, digests and cells."""
        digests: dict[Part, str] = {}
        homes: dict[Part, str] = {}
        for name, digest, key in parts:
            part = (name, sum(1 for known, _ in digests if known == name))
            digests[part], homes[part] = digest, key
        return cls(digests, homes)


def merge(notebook: NotebookFile, module: Module, sources: Sources, folder: Path) -> Merged:
    """Return the notebook with the edits of a module that was exported from it.

    Raises:
        DagsterError: when the notebook itself can't be exported as it is.
    """
    done = merged(notebook, module, sources, folder, keep_spelling=True)
    if done.notebook is not None and (wrong := unlike(done, module, folder)):
        done = merged(notebook, module, sources, folder, keep_spelling=False)
        assert done.notebook is not None
        wrong = unlike(done, module, folder)
        done.warnings += [f"`{name}` isn't quite what it is in `{sources.entry.path.name}`" for name in wrong]
    return done


def merged(notebook: NotebookFile, module: Module, sources: Sources, folder: Path, *, keep_spelling: bool) -> Merged:
    """Return the notebook with the edits of a module.

    Args:
        keep_spelling: an asset's cell stays one where its head says all that the function's decorator says.
    """
    cells = [one for one in notebook.cells if CONFLICT not in one.metadata]
    said, _ = module_of_notebook(replace(notebook, cells=tuple(cells)), folder, target=module.target)
    marks = said.marks(said.pieces)
    base = Side.of((name, digest, mark.key) for mark in module.marks for name, digest in mark.parts if digest)
    own = Side.of((name, digest, mark.key) for mark in marks for name, digest in mark.parts if digest)
    told = [one for one in module.chunks if one.digest and not is_check_result(one.statement)]
    there = Side.of((one.name, one.digest, "") for one in told)
    chunks = dict(zip(there.digests, told, strict=True))
    texts = {part: said.written[piece].text for part, piece in zip(own.digests, said.pieces, strict=True)}
    work = Work(cells, module, sources.entry.path.name, texts if keep_spelling else {})
    before = ""
    for part in [*there.digests, *(gone for gone in base.digests if gone not in there.digests)]:
        was, is_, here = base.digests.get(part), there.digests.get(part), own.digests.get(part)
        home = own.homes.get(part) or base.homes.get(part) or ""
        if is_ not in (was, here):
            if here == was:
                home = work.bring(part, chunks.get(part), home, before)
            else:
                work.conflict(part[0], chunks.get(part), home)
        before = home or before
    work.add_check_result()
    work.add_imports()
    new = tuple(work.cells)
    same = new == notebook.cells
    return Merged(None if same else replace(notebook, cells=new), len(own.digests), work.changed, work.conflicts)


def unlike(done: Merged, module: Module, folder: Path) -> list[str]:
    """Return what came over, and yet would be exported as something else than the module has."""
    assert done.notebook is not None
    try:
        said, _ = module_of_notebook(done.notebook, folder, target=module.target)
        now = {(name, digest) for mark in said.marks(said.pieces) for name, digest in mark.parts}
    except DagsterError:
        now = set()
    return [one.name for one in module.chunks if one.name in done.changed and (one.name, one.digest) not in now]


@dataclass
class Work:
    """Change the cells of a notebook.

    Args:
        name: of the module's file.
        texts: what the notebook exports, where its spelling is to be kept.
        used: cell -> the names that what came over reads.
    """

    cells: list[FileCell]
    module: Module
    name: str
    texts: Mapping[Part, str]
    changed: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    used: dict[str, set[str]] = field(default_factory=dict)

    # -- finding ------------------------------------------------------------------------------------------------------

    def place(self, key: str) -> int | None:
        """Return where the cell of an id stands; what stood apart from the rest of its cell is in that."""
        for wanted in (key, NUMBERED.sub("", key)):
            for number, one in enumerate(self.cells):
                if one.kind == "code" and wanted and mark_key(one) == wanted:
                    return number
        return None

    # -- what came over -----------------------------------------------------------------------------------------------

    def bring(self, part: Part, chunk: Chunk | None, home: str, before: str) -> str:
        """Bring a definition that only the module has changed: edited, new, or taken out; return the id of its cell."""
        number = self.place(home)
        name = part[0].rstrip("+")
        if number is None:
            if chunk is not None:
                home = self.insert(chunk, before)
                self.changed.append(name)
            return home
        if is_definition_cell(self.cells[number].text):
            self.bring_cell(number, part, chunk)
        elif not self.bring_statement(number, part, chunk):
            self.conflict(part[0], chunk, home)
            return home
        self.changed.append(name)
        return home

    def bring_cell(self, number: int, part: Part, chunk: Chunk | None) -> None:
        """Bring a definition into a cell of its own, in the spelling of that cell where it can say so."""
        if chunk is None:
            self.remove(number)
            return
        old = self.cells[number]
        bare, note = with_note(chunk.text)
        if note and self.note_above(number) is None and not has_docstring(old.text):
            self.cells.insert(number, FileCell("markdown", note, f"{old.key}-note"))
            number += 1
        elif note and (above := self.note_above(number)) is not None:
            self.cells[above] = self.cells[above].with_text(with_headings(self.cells[above].text, note))
        else:
            bare = chunk.text
        if part in self.texts and bare != chunk.text and digest_of(self.bare(part)) == digest_of(bare):
            return  # the description alone was edited
        kept = as_cell_was(old.text, self.bare(part), bare) if part in self.texts else ""
        self.cells[number] = old.with_text(kept or bare)
        if not kept:
            self.use(old.key, bare)

    def bare(self, part: Part) -> str:
        """Return what the notebook exports of a definition, without a docstring that is Markdown in the notebook."""
        text = self.texts[part]
        return with_note(text)[0]

    def bring_statement(self, number: int, part: Part, chunk: Chunk | None) -> bool:
        """Bring a statement into the cell that has it among others; tell whether it is there."""
        cell = self.cells[number]
        if (magic := lines_of_magic(cell.text, part[0])) is not None:
            return self.bring_over_magic(number, magic, chunk)
        if chunk is not None and part[0] in self.module.environments:
            return self.bring_environment(number, chunk)
        found = [one for one in statements_of(Cell("", 0, cell.text)) if named(one) == part[0]]
        if len(found) <= part[1] and len(found) != 1:
            return False
        one = found[min(part[1], len(found) - 1)]
        lines = cell.text.split("\n")
        above = one.text.count("\n") - (one.lines[1] - one.lines[0])
        text = chunk.text if chunk is not None else ""
        self.use(cell.key, text)
        new = "\n".join([*lines[: one.lines[0] - 1 - above], *([text] if text else []), *lines[one.lines[1] :]]).strip(
            "\n"
        )
        if not new.strip():
            self.remove(number)
            return True
        if chunk is not None and (note_place := self.note_above(number)) is not None:
            bare, note = with_note(new)
            if note:
                new = bare
                self.cells[note_place] = self.cells[note_place].with_text(
                    with_headings(self.cells[note_place].text, note)
                )
                number = self.cells.index(cell)
        self.cells[number] = cell.with_text(re.sub(r"\n{4,}", "\n\n\n", new))
        return True

    def bring_over_magic(self, number: int, lines: tuple[int, int], chunk: Chunk | None) -> bool:
        """Put the Python of a job, schedule, sensor or component in the place of its magic."""
        cell = self.cells[number]
        old = cell.text.split("\n")
        text = chunk.text if chunk is not None else ""
        self.use(cell.key, text)
        new = "\n".join([*old[: lines[0]], *([text] if text else []), *old[lines[1] :]]).strip("\n")
        if new.strip():
            self.cells[number] = cell.with_text(new)
        else:
            self.remove(number)
        return True

    def bring_environment(self, number: int, chunk: Chunk) -> bool:
        """Put the resources of an environment into the call that makes it; tell whether it is there."""
        value = resources_in(chunk.text)[1]
        new = with_resources(self.cells[number].text, self.module.environments[chunk.name], value)
        if new is not None:
            self.cells[number] = self.cells[number].with_text(new)
            self.use(self.cells[number].key, value)
        return new is not None

    def insert(self, chunk: Chunk, before: str) -> str:
        """Put a new definition below the cell that it stands behind in the module, and return the id of its cell."""
        above = self.place(before)
        number = len(self.cells) if above is None else above + 1
        bare, note = with_note(self.module.in_notebook(chunk))
        key = mark_id("", chunk.name)
        taken = {one.key for one in self.cells}
        while key in taken:
            key += "_"
        made = [FileCell("markdown", note, f"{key}-note")] if note else []
        self.cells[number:number] = [*made, FileCell("code", bare, key)]
        self.use(key, bare)
        return key

    def remove(self, number: int) -> None:
        """Take a cell out, and the Markdown that describes it."""
        above = self.note_above(number)
        del self.cells[number]
        if above is not None and not self.cells[above].text.lstrip().startswith("#"):
            del self.cells[above]

    def note_above(self, number: int) -> int | None:
        """Return where the Markdown right above a cell stands."""
        return number - 1 if number and self.cells[number - 1].kind == "markdown" else None

    def add_check_result(self) -> None:
        """Bring the helper of an export along, where the function of a check came over that calls it."""
        helper = next((one for one in self.module.chunks if is_check_result(one.statement)), None)
        code = [one for one in self.cells if one.kind == "code" and not is_definition_cell(one.text)]
        if helper is None or not any(helper.name in names for names in self.used.values()):
            return
        if not any(helper.name in bound_by(one.text) for one in code):
            key = mark_id("", helper.name)
            self.cells.insert(self.top, FileCell("code", helper.text, key))
            self.use(key, helper.text)

    def add_imports(self) -> None:
        """Put the imports that what came over needs, and no cell above has, into the cell of the imports."""
        added: list[Import] = []
        known: set[str] = set()
        first = len(self.cells)
        for number, cell in enumerate(self.cells):
            if cell.kind != "code" or is_definition_cell(cell.text):
                continue
            needed = self.used.get(cell.key, set()) - known
            new = [one for one in self.module.imports if one.bound in needed and one not in added]
            first = min(first, number) if new else first
            added += [one for one in new if one.bound not in bound_by(cell.text)]
            known |= bound_by(cell.text)
        if not added:
            return
        own = mark_id("", IMPORTS)
        key = next((mark.key for mark in self.module.marks if mark.parts[:1] == ((IMPORTS, ""),)), own)
        place = self.place(key)
        if place is not None and place < first:
            old = self.cells[place]
            self.cells[place] = old.with_text(f"{old.text.rstrip()}\n{import_block(added)}")
        else:
            self.cells.insert(self.top, FileCell("code", import_block(added), own if place is None else f"{own}-2"))
        self.changed += [one.bound for one in added]

    @property
    def top(self) -> int:
        """Return where imports may stand: below the cell that loads the extension."""
        first = next((n for n, one in enumerate(self.cells) if one.kind == "code"), len(self.cells))
        return first + (first < len(self.cells) and "load_ext" in self.cells[first].text)

    def use(self, key: str, text: str) -> None:
        """Note which names a cell reads because of what came over."""
        self.used.setdefault(key, set()).update(names_in(text))

    # -- conflicts ----------------------------------------------------------------------------------------------------

    def conflict(self, name: str, chunk: Chunk | None, home: str) -> None:
        """Show the module's text of a definition that both sides have changed, and change nothing."""
        plain = name.rstrip("+")
        self.conflicts.append(plain)
        number = self.place(home)
        at = len(self.cells) if number is None else number + 1
        module = f"```python\n{chunk.text}\n```" if chunk is not None else "There it was taken out."
        text = (
            f"**Conflict:** `{plain}` was edited here and in `{self.name}`. Nothing was changed here. Take over what "
            f"you want from there, delete this cell, and export with `--force`:\n\n{module}"
        )
        self.cells.insert(
            at, FileCell("markdown", text, f"{mark_id('', plain)}-conflict", {"metadata": {CONFLICT: plain}})
        )


def mark_key(cell: FileCell) -> str:
    """Return how the marks name a cell: by its id; without one, like its first definition."""
    if cell.key:
        return cell.key
    source = read_cell(cell.text) if is_definition_cell(cell.text) else None
    if source is not None:
        return mark_id("", source.name)
    return mark_id("", next((named(one) for one in statements_of(Cell("", 0, cell.text)) if not one.is_import), ""))


def named(one: Statement) -> str:
    """Return how the marks call a statement."""
    return name_of(one.node, one.binds, one.changes)


def lines_of_magic(text: str, name: str) -> tuple[int, int] | None:
    r"""Return the lines of the magic that defines a job, schedule, sensor or component; None where there's none.

    >>> lines_of_magic("x = 1\n%job nightly a", "nightly"), lines_of_magic("%%sensor s --job a\n[]", "s")
    ((1, 2), (0, 2))
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if found := MAGIC.match(line):
            if found[2] == name:
                return (number, len(lines)) if found[1] == "%%" else (number, number + 1)
            if found[1] == "%%":
                return None
    return None


def bound_by(text: str) -> set[str]:
    """Return the names that a plain cell binds."""
    return {name for one in statements_of(Cell("", 0, text)) for name in one.binds}


def has_docstring(text: str) -> bool:
    """Tell whether the body of an asset's cell says itself what it is."""
    source = read_cell(text)
    return source is not None and len(source.tree.body) > 1 and ast.get_docstring(source.tree) is not None
