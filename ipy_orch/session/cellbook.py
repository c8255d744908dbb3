"""The cell book: which cells ran, what each defined, and which are behind.

A cell is *behind* when a name that it read while it ran has been defined anew since, so that running it again could
give something else. It is found by symbols, not by values: each name carries a token of how its cell came to define it;
a cell remembers the tokens that it read. A function's token follows what its body reads when it is called.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from ipy_orch.authoring.cells.cells import CellText
from ipy_orch.authoring.cells.free_names import FreeNames, free_names

__all__ = ["Behind", "Cell", "CellBook"]

NOTHING = FreeNames({}, {}, frozenset())


@dataclass
class Cell:
    """Be a cell as it ran last.

    Args:
        key: the front end's cell id, or the text where there's none.
        number: the execution count.
        filename: under which it was compiled.
        source: the asset or check that it is, or None for a plain cell.
        recorded: name -> token of each name that it read, as it was when it ran.
        context: in which it ran: what is printed in a copy of it stands below the cell.
    """

    key: str
    number: int
    text: str
    filename: str = ""
    source: CellText | None = None
    names: FreeNames = NOTHING
    recorded: dict[str, str] = field(default_factory=dict)
    stamp: str = ""
    values: dict[str, str] = field(default_factory=dict)
    order: int = 0
    context: Context | None = field(default=None, repr=False, compare=False)

    @property
    def label(self) -> str:
        """Return the name that Jupyter shows for it."""
        return f"Cell In[{self.number}]"


@dataclass(frozen=True)
class Behind:
    """Say which cell is behind, and why."""

    cell: str
    name: str
    reads: str
    since: str

    def __str__(self) -> str:
        if not self.since:
            return (
                f"{self.cell} is behind: it defines `{self.name}` from `{self.reads}`, which no cell defines any more"
            )
        return f"{self.cell} is behind: it defines `{self.name}` from `{self.reads}`, which {self.since} defined anew"


class CellBook:
    """Hold the cells of a session by id, and the definer of each name.

    ``files`` says of each file name that a cell was ever compiled under which current cells have it; ``places`` holds
    the cells in the order in which they ran first, the nearest that a kernel knows to their order on the page.
    """

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.definers: dict[str, str] = {}
        self.gone: dict[str, str] = {}
        self.files: dict[str, dict[str, None]] = {}
        self.places: dict[str, None] = {}
        self.serial = itertools.count(1)
        self.said: set[str] = set()

    # -- cells come and go --------------------------------------------------------------------------------------------

    def write(self, cell: Cell) -> Cell | None:
        """Put a cell in the place of the one with its id, and return that one."""
        old = self.cells.pop(cell.key, None)
        cell.order = next(self.serial)
        self.places.setdefault(cell.key)
        self.cells[cell.key] = cell
        if old is not None:
            self.files[old.filename].pop(old.key, None)
        self.files.setdefault(cell.filename, {})[cell.key] = None
        if old is not None:
            self.disown(old, keep=cell.names.bound)
        return old

    def remove(self, keys: Iterable[str]) -> list[Cell]:
        """Take cells out that were deleted, and return them."""
        found = [self.cells.pop(key) for key in keys if key in self.cells]
        for cell in found:
            self.files[cell.filename].pop(cell.key, None)
            self.places.pop(cell.key, None)
            self.disown(cell)
        return found

    def disown(self, cell: Cell, keep: Iterable[str] = ()) -> None:
        """Note that the names of a cell are defined by it no more."""
        kept = {*keep, *self.said}
        for name in [name for name, key in self.definers.items() if key == cell.key and name not in kept]:
            del self.definers[name]
            self.gone[name] = cell.label

    def sources(self) -> list[Cell]:
        """Return the asset and check cells, in the order in which they ran."""
        return [cell for cell in self.cells.values() if cell.source is not None]

    def plain(self) -> list[Cell]:
        """Return the other cells."""
        return [cell for cell in self.cells.values() if cell.source is None]

    def of_file(self, filename: str) -> Cell | None:
        """Return the cell compiled under a file name, if it's current."""
        key = next(iter(self.files.get(filename, ())), None)
        return self.cells[key] if key is not None else None

    def was_cell(self, filename: str) -> bool:
        """Tell whether a file name is that of a cell, current or not."""
        return filename in self.files

    # -- what plain cells read and define -----------------------------------------------------------------------------

    def before(self, cell: Cell) -> None:
        """Note what a plain cell reads, before it runs."""
        cell.names = names_of(cell.text)
        outside = (name for name in cell.names.read if name not in cell.names.bound)
        cell.recorded = {name: self.token_for(cell, name) for name in outside}

    def after(self, cell: Cell, digest: Callable[[str], str | None]) -> None:
        """Note what a plain cell has defined.

        Args:
            digest: name -> digest of its value where that is cheap, else None: then each run counts as a new value.
        """
        cell.stamp = hashed([normal(cell.text), *sorted(f"{n}={t}" for n, t in cell.recorded.items())])
        for name in self.said:
            cell.values[name], self.definers[name] = f"run {cell.order}", cell.key
            self.gone.pop(name, None)
        self.said.clear()
        for name in cell.names.bound:
            found = cell.stamp if name in cell.names.readers else digest(name)
            cell.values[name] = found if found is not None else f"run {cell.order}"
            self.definers[name] = cell.key
            self.gone.pop(name, None)

    def say(self, name: str) -> None:
        """Note that the plain cell which runs defines something under a name that isn't a variable's."""
        self.said.add(name)
        self.gone.pop(name, None)

    def token(self, name: str) -> str:
        """Return how ``name`` came to be what it is, and all names that its body reads when it is called."""
        return hashed(f"{one}={self.own_token(one)}" for one in sorted(self.reached(name)))

    def token_for(self, cell: Cell, name: str) -> str:
        """Return the token of a name as a cell reads it: what a graph wires isn't called, so only itself counts."""
        maker = self.cells.get(self.definers.get(name, ""))
        wired = name in cell.names.composed and maker is not None and name in maker.names.nodes
        return self.own_token(name) if wired else self.token(name)

    def reached(self, name: str) -> set[str]:
        """Return the name and those that its body reads later, and theirs."""
        found, front = {name}, [name]
        while front:
            one = front.pop()
            cell = self.cells.get(self.definers.get(one, ""))
            later = cell.names.readers.get(one, frozenset()) if cell is not None else frozenset()
            front.extend(later - found)
            found |= later
        return found

    def own_token(self, name: str) -> str:
        """Return the stamp of the cell that defines a name, or its import, and the digest of its value then."""
        cell = self.cells.get(self.definers.get(name, ""))
        if cell is None:
            return "gone" if name in self.gone else ""
        made = cell.names.imports.get(name, cell.stamp)  # what else a cell of imports imports is nothing to it
        return f"{made} {cell.values.get(name, '')}"

    def behind(self, names: Iterable[str]) -> list[Behind]:
        """Return the cells behind on which ``names`` depend, nearest first."""
        found: dict[str, Behind] = {}
        front, seen, looked_at = list(names), set(), set()
        while front:
            name = front.pop()
            if name in seen:
                continue
            seen.add(name)
            cell = self.cells.get(self.definers.get(name, ""))
            if cell is None:
                if name in self.gone:
                    found.setdefault(name, Behind(self.gone[name], name, name, ""))
                continue
            if cell.key not in looked_at:
                looked_at.add(cell.key)
                for read, token in cell.recorded.items():
                    if self.token_for(cell, read) != token:
                        found.setdefault(cell.key, Behind(cell.label, name, read, self.definer_label(read)))
                front.extend(cell.recorded)
            front.extend(cell.names.readers.get(name, ()))
        return list(found.values())

    def definer_label(self, name: str) -> str:
        """Return the label of the cell that defines a name now."""
        cell = self.cells.get(self.definers.get(name, ""))
        return cell.label if cell is not None else ""


def names_of(text: str) -> FreeNames:
    """Return the names of a cell as IPython would run it; none where it isn't Python."""
    try:
        return free_names(ast.parse(text))
    except SyntaxError:
        return NOTHING


def normal(text: str) -> str:
    """Return a cell's code without comments and layout."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return text


def hashed(lines: Iterable[Any]) -> str:
    """Return a digest of lines."""
    return blake2b("\0".join(map(str, lines)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
