"""The cell book: which cells ran, what each defined, and which are behind.

A cell is *behind* when a name that it read while it ran has been defined anew since, so that running it again could
give something else. It is found by symbols, not by values: each name carries a token of how its cell came to define it;
a cell remembers the tokens that it read. A function's token follows what its body reads when it is called, and each
that of cells which changed the value in place; of assets and modules :class:`Origins` is asked.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextvars import Context
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

from ipy_orch.authoring.cells.cells import CellText
from ipy_orch.authoring.cells.changes import changed
from ipy_orch.authoring.cells.free_names import FreeNames, free_names
from ipy_orch.authoring.cells.quoted import names_in_strings
from ipy_orch.authoring.cells.statements import own_nodes
from ipy_orch.session.unfolding import unfolded

__all__ = ["Behind", "Cell", "CellBook", "Origins"]

NOTHING = FreeNames({}, {}, frozenset())
BLOCKS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Cell:
    """Be a cell as it ran last.

    Args:
        key: the front end's cell id, or the text where there's none.
        number: the execution count.
        filename: under which it was compiled.
        source: the asset or check that it is, or None for a plain cell.
        changes: names of other cells whose values it changes in place.
        recorded: name -> token of each name that it read, as it was when it ran.
        loaded: module of the user's own -> its token, of those that it imports names from.
        uses: those of its imported names that it reads itself.
        context: in which it ran: what is printed in a copy of it stands below the cell.
    """

    key: str
    number: int
    text: str
    filename: str = ""
    source: CellText | None = None
    names: FreeNames = NOTHING
    changes: frozenset[str] = frozenset()
    recorded: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()
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
    """Say which cell is behind, and why.

    Args:
        name: what it defines, or changes in place.
        reads: from what.
        since: the cell that defined that anew, "" where none defines it any more.
        how: what has happened to that, where it is something else.
        changes: whether it changes the name's value in place.
    """

    cell: str
    name: str
    reads: str
    since: str
    how: str = ""
    changes: bool = False

    def __str__(self) -> str:
        how = self.how or (f"which {self.since} defined anew" if self.since else "which no cell defines any more")
        if self.name == self.reads and (self.changes or self.how):
            return f"{self.cell} is behind: it {'changes' if self.changes else 'defines'} `{self.name}`, {how}"
        if self.changes:
            return f"{self.cell} is behind: it changes `{self.name}` by `{self.reads}`, {how}"
        return f"{self.cell} is behind: it defines `{self.name}` from `{self.reads}`, {how}"


class Origins:
    """Say how the values came to be that no plain cell makes, by tokens; this one knows of none."""

    def of_asset(self, name: str) -> str:  # noqa: ARG002
        """Return the token of the value of an asset that a variable holds, "" where it holds none."""
        return ""

    def of_module(self, name: str, *, now: bool) -> str:  # noqa: ARG002
        """Return that of a module of the user's own, with those that it imports: as loaded, or as files say now."""
        return ""

    def is_current(self, name: str, module: str) -> bool:  # noqa: ARG002
        """Tell whether a name imported from a module holds what the module holds, or is followed by itself."""
        return True

    def starred(self, module: str) -> Collection[str]:  # noqa: ARG002
        """Return the names that ``from module import *`` has brought."""
        return ()


class CellBook:
    """Hold the cells of a session by id, and the definer of each name.

    ``files`` says of each file name that a cell was ever compiled under which current cells have it; ``places`` holds
    the cells in the order in which they ran first, the nearest that a kernel knows to their order on the page;
    ``changers`` says of a name which cells change it in place, and ``left`` which did and are gone.
    """

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.definers: dict[str, str] = {}
        self.gone: dict[str, str] = {}
        self.files: dict[str, dict[str, None]] = {}
        self.places: dict[str, int] = {}
        self.serial = itertools.count(1)
        self.said: set[str] = set()
        self.changers: dict[str, dict[str, None]] = {}
        self.left: dict[str, Cell] = {}
        self.origins = Origins()

    # -- cells come and go --------------------------------------------------------------------------------------------

    def write(self, cell: Cell) -> Cell | None:
        """Put a cell in the place of the one with its id, and return that one."""
        old = self.cells.pop(cell.key, None)
        cell.order = next(self.serial)
        self.places.setdefault(cell.key, cell.order)
        self.cells[cell.key] = cell
        if old is not None:
            self.files[old.filename].pop(old.key, None)
        self.files.setdefault(cell.filename, {})[cell.key] = None
        if old is not None:
            self.disown(old, cell)
        return old

    def remove(self, keys: Iterable[str]) -> list[Cell]:
        """Take cells out that were deleted, and return them."""
        found = [self.cells.pop(key) for key in keys if key in self.cells]
        for cell in found:
            self.files[cell.filename].pop(cell.key, None)
            self.places.pop(cell.key, None)
            self.disown(cell)
        return found

    def disown(self, cell: Cell, now: Cell | None = None) -> None:
        """Note that the names of a cell are defined by it no more, but for those of the cell in its place."""
        kept = {*(now.names.bound if now is not None else ()), *self.said}
        for name in [name for name, key in self.definers.items() if key == cell.key and name not in kept]:
            del self.definers[name]
            self.gone[name] = cell.label
        still = now.names.bound | now.changes if now is not None else frozenset[str]()
        for name in cell.changes:
            self.changers.get(name, {}).pop(cell.key, None)
            if name not in still and self.ran_since(cell, name):
                self.left[name] = cell

    def ran_since(self, cell: Cell, name: str) -> bool:
        """Tell whether a cell ran after the one that defines a name."""
        maker = self.cells.get(self.definers.get(name, ""))
        return maker is not None and maker.order < cell.order

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
        cell.names, cell.changes, read = inside(cell.text)
        cell.uses = frozenset(read & cell.names.imports.keys())
        self.record(cell)

    def record(self, cell: Cell) -> None:
        """Note how the names that a cell reads came to be what they are."""
        outside = (name for name in cell.names.read if name not in cell.names.bound)
        cell.recorded = {name: self.token_for(cell, name) for name in outside}

    def after(self, cell: Cell, digest: Callable[[str], str | None]) -> None:
        """Note what a plain cell has defined.

        Args:
            digest: name -> digest of its value where that is cheap, else None: then each run counts as a new value.
        """
        self.note_imports(cell)
        self.record(cell)  # once more: a module may have been loaded anew, and `import *` may have bound what it reads
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
            self.left.pop(name, None)
        for name in cell.changes:
            self.changers.setdefault(name, {})[cell.key] = None
            if name in self.left and self.left[name].text == cell.text:
                del self.left[name]

    def note_imports(self, cell: Cell) -> None:
        """Note what the modules said that a cell has imported, and which names ``import *`` brought."""
        found = cell.names
        for module in modules_of(found.imports.get("*", "")):
            brought = {name: f"{module} {name}; " for name in self.origins.starred(module) if name not in found.bound}
            found = replace(found, bound=found.bound | brought.keys(), imports={**found.imports, **brought})
        if found is not cell.names:
            cell.names = replace(found, bound=found.bound - {"*"})
        modules = {module for said in found.imports.values() for module in modules_of(said)}
        tokens = {module: self.origins.of_module(module, now=False) for module in modules}
        cell.loaded = {module: token for module, token in tokens.items() if token}

    def say(self, name: str) -> None:
        """Note that the plain cell which runs defines something under a name that isn't a variable's."""
        self.said.add(name)
        self.gone.pop(name, None)

    def token_for(self, cell: Cell, name: str, stale: Collection[str] | None = None) -> str:
        """Return the token of a name as a cell reads it: what a graph wires isn't called, so only itself counts.

        Args:
            stale: assets that aren't up to date; None asks how it is, and not how it would be after a restart.
        """
        maker = self.cells.get(self.definers.get(name, ""))
        place = self.places.get(cell.key, sys.maxsize)
        if name in cell.names.composed and maker is not None and name in maker.names.nodes:
            return self.own_token(name, place, stale)
        return hashed(f"{one}={self.own_token(one, place, stale)}" for one in sorted(self.reached(name)))

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

    def own_token(self, name: str, place: int = sys.maxsize, stale: Collection[str] | None = None) -> str:
        """Return the stamp of the cell that defines a name, or its import, and the digest of its value then.

        Cells that change the value in place count, too, where they stand above ``place``.
        """
        changes = "".join(one.stamp for one in self.changing(name) if self.places[one.key] < place)
        cell = self.cells.get(self.definers.get(name, ""))
        if cell is None:
            own = self.origins.of_asset(name)
            own = "stale" if own and stale is not None and name in stale else own
            return f"{own or ('gone' if name in self.gone else '')}{changes}"
        said = cell.names.imports.get(name)
        made = cell.stamp if said is None else said  # what else a cell of imports imports is nothing to it
        if said is not None and cell.loaded:
            loaded = [one for one in modules_of(said) if one in cell.loaded]
            made += "".join(self.origins.of_module(one, now=stale is not None) for one in loaded)
        return f"{made} {cell.values.get(name, '')}{changes}"

    def changing(self, name: str) -> list[Cell]:
        """Return the cells that change the value of a name in place, in the order in which they ran first."""
        if not self.changers.get(name):
            return []
        return [self.cells[key] for key in sorted(self.changers[name], key=self.places.__getitem__)]

    def behind(self, names: Iterable[str], stale: Collection[str] = ()) -> list[Behind]:
        """Return the cells behind on which ``names`` depend, nearest first.

        Args:
            stale: variables of assets that aren't up to date.
        """
        found: dict[str, Behind] = {}
        fine: set[str] = set()
        for name, cells in self.makers(names):
            if not cells and name in self.gone and not self.origins.of_asset(name):
                found.setdefault(name, Behind(self.gone[name], name, name, ""))
            if name in self.left:
                found.setdefault(f"left {name}", self.behind_what_left(name))
            for cell in cells:
                if cell.key not in found:
                    one = None if cell.key in fine else self.behind_reads(cell, name, stale)
                    fine.add(cell.key)
                    if (one := one or self.behind_itself(cell, name)) is not None:
                        found[cell.key] = one
        return list(found.values())

    def reads(self, names: Iterable[str]) -> set[str]:
        """Return some names, and those from which their cells make them."""
        return {name for name, _ in self.makers(names)}

    def makers(self, names: Iterable[str]) -> Iterator[tuple[str, list[Cell]]]:
        """Yield names, and those from which their cells make them, with the cells that define and change each."""
        front, seen = list(names), set[str]()
        while front:
            name = front.pop()
            if name in seen:
                continue
            seen.add(name)
            definer = self.cells.get(self.definers.get(name, ""))
            cells = [*([definer] if definer is not None else ()), *self.changing(name)]
            yield name, cells
            for cell in cells:
                front.extend(cell.recorded)
            if definer is not None:
                front.extend(definer.names.readers.get(name, ()))

    def behind_reads(self, cell: Cell, name: str, stale: Collection[str]) -> Behind | None:
        """Return which name that a cell has read came to be something else, None where there's none."""
        for read, token in cell.recorded.items():
            if self.token_for(cell, read, stale) != token:
                since, how = self.since(read, cell)
                return Behind(cell.label, name, read, since, how, changes=name in cell.changes)
        return None

    def behind_itself(self, cell: Cell, name: str) -> Behind | None:
        """Return why a cell is behind in what it makes of one name, though all that it read is as it was."""
        maker = self.cells.get(self.definers.get(name, ""))
        if name in cell.changes:
            is_undone = (
                maker is not None and cell.order < maker.order and self.places[maker.key] < self.places[cell.key]
            )
            return Behind(cell.label, name, name, self.definer_label(name), changes=True) if is_undone else None
        imports = cell.names.imports
        sources = [name] if name in imports else sorted(cell.uses)
        for module in (one for source in sources for one in modules_of(imports.get(source, "")) if one in cell.loaded):
            is_same = cell.loaded[module] == self.origins.of_module(module, now=True)
            if not is_same and not (name in imports and self.origins.is_current(name, module)):
                return Behind(cell.label, name, module, "", EDITED)
        return None

    def behind_what_left(self, name: str) -> Behind:
        """Return that a value holds what a cell has changed which is gone."""
        how = f"which {self.left[name].label} changed before it was edited or deleted"
        return Behind(self.definer_label(name), name, name, "", how)

    def since(self, name: str, but: Cell) -> tuple[str, str]:
        """Return the cell that made a name what it is now, and in words what happened where that isn't all."""
        cell = self.cells.get(self.definers.get(name, ""))
        said = cell.names.imports.get(name, "") if cell is not None else ""
        if cell is not None and any(one in cell.loaded for one in modules_of(said)):
            return cell.label, EDITED
        last = max((one for one in self.changing(name) if one is not but), key=lambda one: one.order, default=None)
        if last is not None and (cell is None or cell.order < last.order):
            return last.label, f"which {last.label} changed"
        return self.definer_label(name), ""

    def definer_label(self, name: str) -> str:
        """Return the label of the cell that defines a name now, or of the asset's."""
        cell = self.cells.get(self.definers.get(name, ""))
        if cell is not None:
            return cell.label
        assets = ((one.source, one.label) for one in self.sources())
        return next(
            (label for source, label in assets if source and source.kind == "asset" and source.name == name), ""
        )


EDITED: Final = "whose file has been edited since"


def names_of(text: str) -> FreeNames:
    """Return the names of a cell as IPython would run it; none where it isn't Python."""
    return inside(text)[0]


def inside(text: str) -> tuple[FreeNames, frozenset[str], set[str]]:
    """Return the names of a cell as IPython would run it, those it changes in place, and those its statements read."""
    try:
        body = unfolded(text).body
    except SyntaxError:
        return NOTHING, frozenset(), set()
    names = with_quoted(free_names(body), body)
    changes = frozenset(name for node in body for name in changed(node)) - names.bound
    read = {one.id for one in own_nodes(body) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    return with_called(names, body, read), changes, read


def with_called(names: FreeNames, body: list[ast.stmt], read: set[str]) -> FreeNames:
    """Return the names of a cell with those that functions of its own read which its statements use.

    What is decorated becomes something else, which reads them later.
    """
    plain = {node.name for node in body if isinstance(node, BLOCKS) and not node.decorator_list}
    front, found = [*(read & plain)], set[str]()
    while front:
        later = names.readers.get(front.pop(), frozenset()) - found
        found |= later
        front.extend(later & plain)
    called = {name: line for name, line in names.late.items() if name in found}
    return replace(names, read={**called, **names.read}) if called else names


def with_quoted(names: FreeNames, body: list[ast.stmt]) -> FreeNames:
    """Return the names of a cell with those in strings that libraries look up, as tables of SQL are."""
    readers = dict(names.readers)
    for node in body:
        if isinstance(node, BLOCKS) and (found := names_in_strings([node])):
            own = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
            own |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            readers[node.name] = readers.get(node.name, frozenset()) | (found - own)
    quoted = names_in_strings(node for node in body if not isinstance(node, BLOCKS)) - names.bound
    return replace(names, read={**dict.fromkeys(sorted(quoted), 0), **names.read}, readers=readers)


def modules_of(said: str) -> list[str]:
    """Return the modules that a name was imported from, or that it is, where it may be either.

    >>> modules_of("m f as g; "), modules_of(" a.b; "), modules_of("")
    (['m', 'm.f'], ['a', 'a.b'], [])
    """
    found: list[str] = []
    for one in filter(None, said.split("; ")):
        module, _, alias = one.partition(" ")
        name = alias.partition(" as ")[0]
        found += [module, f"{module}.{name}"] if module else dict.fromkeys([name.partition(".")[0], name])
    return found


def normal(text: str) -> str:
    """Return a cell's code without comments and layout."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return text


def hashed(lines: Iterable[Any]) -> str:
    """Return a digest of lines."""
    return blake2b("\0".join(map(str, lines)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
