"""Only what is needed: from the names that a module's functions use, backwards to the statements that make them.

The cells are read in the order in which they ran last, so that of several definitions of a name the one counts that
counts in the kernel: for code that runs later the last one, for a statement the last one before it. What changes a
value (``cfg["x"] = 1``) goes with the statement that makes it. Changes through a second name of the same value are
beyond what syntax tells, and so are calls that change their arguments.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.export.reading.unknown import Unknown
from ipy_orch.export.statements import Place, Statement, is_plain_import, statements_of
from ipy_orch.session.cellbook import Cell, CellBook

__all__ = ["END", "Piece", "Slice", "Slicer", "as_piece", "ordered"]

END: Final[Place] = (sys.maxsize, 0)
MODULE_NAMES: Final = frozenset({"__name__", "__doc__", "__builtins__"})
OF_IPYTHON: Final = frozenset(
    {"get_ipython", "display", "In", "Out", "_", "__", "___", "_ih", "_oh", "_dh", "exit", "quit"}
)


@dataclass(frozen=True, eq=False)
class Piece:
    """Be a part of a module: a statement, or a function made of a cell.

    Args:
        place: where it stands in the notebook; pieces that don't need each other keep this order.
        what: names it in messages.
        label: the cell, as Jupyter names it.
        reads: name -> line, of names that must be there before it.
        late: name -> line, of names that it reads when it is called.
        quoted: names in strings, which may be names of the notebook or not.
        statement: None for a function made of a cell.
    """

    place: Place
    what: str
    label: str
    reads: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    quoted: frozenset[str] = frozenset()
    statement: Statement | None = None

    @property
    def sees(self) -> Place:
        """Return until when definitions count for it: a function of a cell sees the whole notebook."""
        return self.statement.place if self.statement is not None else END

    def at(self, line: int) -> str:
        """Return a line of it, for messages."""
        return f"{self.label}, line {line}" if self.statement is not None else f"{self.what}, {self.label}, line {line}"


@dataclass(frozen=True)
class Slice:
    """Be the statements that were needed, and the built-in names that they and the functions use."""

    statements: tuple[Statement, ...]
    builtin: frozenset[str]


class Slicer:
    """Find what is needed of a notebook's plain cells.

    Args:
        book: the cells.
        namespace: the notebook's variables; asked only what ``from m import *`` brought.
        read: returns the statements of a cell.
    """

    def __init__(
        self,
        book: CellBook,
        namespace: Mapping[str, Any],
        read: Callable[[Cell], list[Statement]] = statements_of,
    ) -> None:
        self.namespace = namespace
        self.statements = [one for cell in book.plain() for one in read(cell)]
        self.of_assets = {cell.source.name: cell.label for cell in book.sources() if cell.source is not None}
        self.about: dict[str, list[Statement]] = {}
        for one in self.statements:
            for name in one.binds | one.changes:
                self.about.setdefault(name, []).append(one)

    @cached_property
    def stars(self) -> list[Statement]:
        """Return the imports of all names of a module, the last first."""
        stars = (s for s in self.statements if isinstance(s.node, ast.ImportFrom) and s.node.names[0].name == "*")
        return list(reversed(list(stars)))

    def definitions(self, name: str, place: Place = END) -> list[Statement]:
        """Return what makes ``name`` what it is at ``place``; where nothing did yet, what it is at the end."""
        found: list[Statement] = []
        only_imports = False
        for one in reversed([one for one in self.about.get(name, ()) if one.place < place]):
            plain = is_plain_import(one.node)
            if only_imports and not plain:
                break
            found.append(one)
            if name in one.surely:
                break
            only_imports = only_imports or plain
        if any(name in one.binds for one in found):
            return found
        return [] if place == END else self.definitions(name)

    # -- what is needed -----------------------------------------------------------------------------------------------

    def slice(self, pieces: Iterable[Piece]) -> Slice:
        """Return what the pieces need, and what that needs.

        Raises:
            DagsterInvalidDefinitionError: for what a module can't hold, with cell and line.
        """
        found: set[Statement] = set()
        builtin: set[str] = set()
        front = list(pieces)
        while front:
            piece = front.pop()
            needed: set[Statement] = self.named_in_quotes(piece) | self.read_by_called(piece)
            for name, line, place in uses(piece):
                makers = self.needed(name, line, place, piece)
                needed.update(makers)
                builtin |= set() if makers else {name}
            front.extend(sorted(map(as_piece, needed - found), key=lambda one: one.place))
            found |= needed
        return Slice(tuple(sorted(found, key=lambda one: one.place)), frozenset(builtin))

    def named_in_quotes(self, piece: Piece) -> set[Statement]:
        """Return what makes the names in strings, such as annotations and SQL, where cells define them."""
        names = piece.statement.quoted if piece.statement is not None else piece.quoted
        return {one for name in names for one in self.definitions(name) if not one.trouble}

    def read_by_called(self, piece: Piece) -> set[Statement]:
        """Return what functions read that a piece may call, as it is then: it may be something else at the end."""
        if piece.statement is None:
            return set()
        return {one for name in self.called(piece) for one in self.definitions(name, piece.sees) if not one.trouble}

    def needed(self, name: str, line: int, place: Place, piece: Piece) -> list[Statement]:
        """Return what makes a name that a piece uses, nothing for a built-in.

        Raises:
            DagsterInvalidDefinitionError: when no cell makes it, or a module can't hold what does.
        """
        found = self.definitions(name, place) or self.starred(name)
        for one in found:
            if one.trouble:
                raise DagsterInvalidDefinitionError(
                    f"{one.trouble} can't be in a module, and {piece.what} needs `{name}` from it",
                    where=f"{one.label}, line {one.trouble_line}",
                    hint=f"define `{name}` in plain Python, or make it an asset",
                )
        if found:
            return found
        if name == "display":
            return [self.display]
        if name in MODULE_NAMES or (name not in OF_IPYTHON and hasattr(builtins, name)):
            return []
        raise self.missing(name, piece.at(line))

    def called(self, piece: Piece) -> set[str]:
        """Return the names that functions read which a piece may call while it runs."""
        found: set[str] = set()
        front, seen = [*piece.reads], set[str]()
        while front:
            name = front.pop()
            if name in seen:
                continue
            seen.add(name)
            later = {n for one in self.definitions(name, piece.sees) for n in (*one.late, *one.quoted)}
            found |= later
            front.extend(later)
        return found

    def missing(self, name: str, where: str) -> DagsterInvalidDefinitionError:
        """Return the error for a name that no cell defines."""
        if name in self.of_assets:
            told = f"`{name}` is an asset, and a helper reads it as a variable"
            return DagsterInvalidDefinitionError(
                told, where=where, hint=f"give it to the helper as an argument `{name}`"
            )
        if name in OF_IPYTHON or name.startswith(("_i", "_o")) or name.strip("_").isdigit():
            told, hint = f"`{name}` is there in IPython only", "leave it out of what is exported"
            return DagsterInvalidDefinitionError(told, where=where, hint=hint)
        if name not in self.namespace:
            hint = closest(name, self.about) or f"define it in a cell: `{name} = ...`"
            return DagsterInvalidDefinitionError(f"no cell defines `{name}`", where=where, hint=hint)
        told, hint = f"`{name}` exists only in this session: no cell defines it", f"define it in a cell: `{name} = ...`"
        return DagsterInvalidDefinitionError(told, where=where, hint=hint)

    def starred(self, name: str) -> list[Statement]:
        """Return the import of one name that an import of all names brought."""
        if name not in self.namespace:
            return []
        for star in self.stars:
            module = getattr(star.node, "module", None) or ""
            value = self.namespace[name]
            brought = isinstance(value, Unknown) and value.module == module  # a notebook that is read imports nothing
            if brought or getattr(sys.modules.get(module), name, MODULE_NAMES) is value:
                return [self.made(ast.ImportFrom(module, [ast.alias(name)], 0), name, star)]
        return []

    @cached_property
    def display(self) -> Statement:
        """Return the import of what IPython gives to every notebook."""
        return self.made(ast.ImportFrom("IPython.display", [ast.alias("display")], 0), "display", None)

    def made(self, node: ast.ImportFrom, name: str, like: Statement | None) -> Statement:
        """Return an import that no cell holds, one for each name."""
        known = self.about.setdefault(name, [])
        place, label = (like.place, like.label) if like is not None else ((0, 0), "")
        bound = frozenset({name})
        known.append(Statement(place, label, node, ast.unparse(node), (1, 1), binds=bound, surely=bound))
        return known[-1]


def as_piece(one: Statement, place: Place | None = None) -> Piece:
    """Return a statement as a part of a module, in its own place or another."""
    what = f"`{min(one.binds)}`" if one.binds else f"{one.label}, line {one.lines[0]},"
    return Piece(place or one.place, what, one.label, one.reads, one.late, statement=one)


def uses(piece: Piece) -> Iterator[tuple[str, int, Place]]:
    """Yield the names that a piece uses: name, line, and until when definitions of it count."""
    yield from ((name, line, piece.sees) for name, line in piece.reads.items())
    yield from ((name, line, END) for name, line in piece.late.items())


# -- order -------------------------------------------------------------------------------------------------------------


def ordered(
    slicer: Slicer, pieces: Sequence[Piece], above: Mapping[Piece, Iterable[Piece]] | None = None
) -> list[Piece]:
    """Return the pieces in an order that works, which is the notebook's wherever that works.

    Args:
        above: piece -> pieces that a reader expects above it.

    Raises:
        DagsterInvalidDefinitionError: when there's none: the cells ran in an order that no module can repeat.
    """
    before = Precedence(slicer, pieces, above or {})
    waiting = sorted(pieces, key=lambda piece: piece.place)
    done: set[Piece] = set()
    order: list[Piece] = []
    while waiting:
        ready = next((p for level in before.levels for p in waiting if level[p] <= done), None)
        if ready is None:
            cells = ", ".join(dict.fromkeys(piece.label for piece in waiting if piece.statement is not None))
            raise DagsterInvalidDefinitionError(
                "these cells need each other in a circle",
                where=cells,
                hint="run the notebook from top to bottom, then export",
            )
        waiting.remove(ready)
        done.add(ready)
        order.append(ready)
    return order


class Precedence:
    """Tell which pieces come before which: those that must, those that called functions need, those that read better.

    Attributes:
        levels: from all three to the first alone; the next is asked when the one before leads nowhere.
    """

    def __init__(self, slicer: Slicer, pieces: Sequence[Piece], above: Mapping[Piece, Iterable[Piece]]) -> None:
        self.slicer = slicer
        self.of = {piece.statement: piece for piece in pieces if piece.statement is not None}
        self.must: dict[Piece, set[Piece]] = {piece: set() for piece in pieces}
        self.called: dict[Piece, set[Piece]] = {piece: set() for piece in pieces}
        self.better: dict[Piece, set[Piece]] = {piece: {*above.get(piece, ())} for piece in pieces}
        for piece in pieces:
            self.note(piece)
        self.keep_writers()
        reads_well = {p: self.must[p] | self.called[p] | self.better[p] for p in pieces}
        works = {p: self.must[p] | self.called[p] for p in pieces}
        self.levels = (reads_well, works, self.must)

    def note(self, piece: Piece) -> None:
        """Note what comes before a piece, and what changes what it has read: that comes after it."""
        for name in piece.late:
            self.better[piece] |= self.pieces(name, END, piece)
        for name in piece.reads:
            self.must[piece] |= self.pieces(name, piece.sees, piece)
            self.before_changes(piece, name)
        for name in self.slicer.called(piece):
            self.called[piece] |= self.pieces(name, piece.sees, piece)
            self.before_changes(piece, name)

    def keep_writers(self) -> None:
        """Note that what binds or changes one name does so in the order in which it ran."""
        for statements in self.slicer.about.values():
            writers = [self.of[one] for one in statements if one in self.of]
            for earlier, later in itertools.pairwise(writers):
                self.must[later].add(earlier)

    def pieces(self, name: str, place: Place, but: Piece) -> set[Piece]:
        """Return the pieces that make a name what it is at a place."""
        found = (self.of.get(one) for one in self.slicer.definitions(name, place))
        return {piece for piece in found if piece is not None and piece is not but}

    def before_changes(self, piece: Piece, name: str) -> None:
        """Note that a name is changed or bound anew only after a piece has read it."""
        if not any(one.place < piece.sees and name in one.binds for one in self.slicer.about.get(name, ())):
            return
        for one in self.slicer.about[name]:
            later = self.of.get(one)
            if one.place > piece.sees and later is not None:
                self.must[later].add(piece)
