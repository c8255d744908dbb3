"""The notebook as a definitions module: what a colleague would have written, from the text of the cells.

Values of the session never come in, so no secret of theirs does; neither paths nor times: the same cells give the same
bytes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.bodies import CHECK_RESULT, checked_returns
from ipy_orch.export.descriptions import described
from ipy_orch.export.functions import Function, function_of
from ipy_orch.export.holders import Held, contents, is_single_check, keys_of
from ipy_orch.export.imports import Import, Target, for_dagster, import_block, import_of
from ipy_orch.export.layout import call, laid_out, mapping, sequence
from ipy_orch.export.marks import IMPORTS, Mark, digest_of, footer, mark_id, name_of
from ipy_orch.export.parts import DEFS, Node, Parts, reads_annotations
from ipy_orch.export.slicing import Piece, as_piece, ordered
from ipy_orch.export.statements import Statement
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.session.cellbook import CellBook
from ipy_orch.session.config.environments import Environments
from ipy_orch.session.scan import Scanned

__all__ = ["CHECK_RESULT_TEXT", "MARKER", "TARGETS", "Module", "export_module", "is_check_result", "module_of"]

MARKER: Final = "# Written by ipy_orch from a notebook; `ipy-orch import` takes edits back into it."
DOCSTRING: Final = '"""{}, as the cells of a notebook define them."""'
TARGETS: Final[tuple[Target, ...]] = ("ipy_orch", "dagster")
SPAN: Final = "timedelta"
HOMES: Final = ("ipy_orch", "typing", "datetime")

CHECK_RESULT_TEXT: Final = '''\
def check_result(value, severity=AssetCheckSeverity.ERROR) -> AssetCheckResult:
    """Return the value of a check as its result: a bool, or a bool with metadata; numpy's numbers become Python's."""
    if isinstance(value, AssetCheckResult):
        return value
    passed, metadata = value if isinstance(value, tuple) else (value, {})
    numbers = {name: one.item() for name, one in metadata.items() if type(one).__module__ == "numpy" and not one.shape}
    return AssetCheckResult(passed=bool(passed), metadata={**metadata, **numbers}, severity=severity)
'''


def export_module(
    scanned: Scanned,
    book: CellBook,
    namespace: Mapping[str, Any],
    *,
    target: str = "ipy_orch",
    order: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
) -> str:
    """Return the text of ``definitions.py``. Reads only: nothing is run.

    Args:
        namespace: the notebook's variables: which of them hold definitions and resources.
        target: ``ipy_orch`` or ``dagster``: where the framework's names are imported from.
        order: the ids of the cells from top to bottom, where the front end tells; else they stand as they ran.
        notes: cell -> the Markdown above it, which describes its asset.

    Raises:
        DagsterInvalidDefinitionError: for what a module can't hold, with cell and line.
    """
    return module_of(scanned, book, namespace, target=target, order=order, notes=notes).text


def module_of(
    scanned: Scanned,
    book: CellBook,
    namespace: Mapping[str, Any],
    *,
    target: str = "ipy_orch",
    order: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    environments: Environments | None = None,
) -> Module:
    """Return the module that a notebook makes, see :func:`export_module`.

    Args:
        environments: those of the session, and which is in use; None where only the cells tell.

    Raises:
        DagsterInvalidDefinitionError: when there is nothing that it could hold.
    """
    if target not in TARGETS:
        raise DagsterInvalidDefinitionError(
            f"`{target}` isn't a target of an export", hint=f"one of {', '.join(TARGETS)}"
        )
    for error in scanned.broken.values():
        raise error
    if not scanned.definitions and not scanned.jobs and not scanned.automations:
        told = "there is nothing to export: no cell defines an asset or a job"
        raise DagsterInvalidDefinitionError(told, hint="%%asset NAME")
    scanned.graph.keys  # noqa: B018 - a graph that can't be built is refused before anything else
    known: Target = "dagster" if target == "dagster" else "ipy_orch"
    return Module(scanned, book, namespace, known, order, notes, environments)


class Module(Parts):
    """Put a module together from its parts: an order, the text."""

    @cached_property
    def below(self) -> dict[Piece, Statement]:
        """Return the pieces of the statements that stand below the imports."""
        rest = [one for one in self.used.statements if one not in self.hoisted and not is_check_result(one)]
        return {as_piece(one, (self.turn.get(one.place[0], 0), one.place[1])): one for one in rest}

    @cached_property
    def made_of(self) -> dict[Piece, AssetsDefinition]:
        """Return the definition that each function of a cell is."""
        return {piece: definition for definition, piece in self.functions.items()}

    @cached_property
    def pieces(self) -> list[Piece]:
        """Return all that comes below the imports, in order: what an asset or check is about stands above it."""
        makers = {key: piece for definition, piece in self.functions.items() for key in definition.keys}
        for piece, one in self.below.items():
            for name in one.binds & {holder.name for holder in self.held}:
                makers |= {key: piece for made in contents(self.namespace[name]) for key in keys_of(made)}
        above = {p: [makers[key] for key in d.dependency_keys if key in makers] for d, p in self.functions.items()}
        return ordered(self.slicer, [*self.below, *self.functions.values()], above)

    @cached_property
    def written(self) -> dict[Piece, Function]:
        """Return the text of each piece, and the framework's names that were put into it."""
        return {piece: self.ported(self.plain(piece), piece) for piece in self.pieces}

    def plain(self, piece: Piece) -> Function:
        """Return the text of a piece as it is for ipy_orch."""
        if piece.statement is None:
            definition = self.made_of[piece]
            cell = self.of_cells[definition]
            made = function_of(cell, definition, self.names[definition], self.annotations(cell, definition))
            return self.with_note(made, piece, made.name)
        one = piece.statement
        if self.describes.get(self.key(piece)) is piece:
            return self.with_note(Function("", one.text, frozenset()), piece, name_of(one.node))
        if self.target == "dagster" and any(is_single_check(self.namespace.get(name)) for name in one.binds):
            return Function("", *checked_returns(one.text))
        return Function("", one.text, frozenset())

    def ported(self, function: Function, piece: Piece) -> Function:
        """Return a text for the target."""
        return replace(function, text=self.for_target(function.text, piece.label, self.used.statements))

    @cached_property
    def framework(self) -> set[str]:
        """Return the names of the framework that the module uses beyond those that the notebook imports.

        Raises:
            DagsterInvalidDefinitionError: when something else of the notebook has such a name.
        """
        names = {"Definitions"}.union(*(one.framework for one in self.written.values()))
        names |= {CHECK_RESULT for one in self.used.statements if is_check_result(one)}
        if CHECK_RESULT in names:
            names |= {"AssetCheckResult", "AssetCheckSeverity"}
        own = {*names, DEFS, *self.deployments.names, *(["Any"] if "ResourceParam" in names else [])}
        for one in self.used.statements:
            for name in sorted(one.binds & own if not is_check_result(one) else ()):
                if not (one.is_import and import_of(one.node) in homes_of(name)):
                    told = f"`{name}` is a name that the module needs for itself"
                    raise DagsterInvalidDefinitionError(told, where=one.label, hint=f"rename it, e.g. `my_{name}`")
        return names

    @cached_property
    def futures(self) -> set[Import]:
        """Return the ``from __future__`` imports of the notebook.

        Dagster reads annotations of contexts, configs and resources as they are, so for it they can't stay strings.

        Raises:
            DagsterInvalidDefinitionError: when they must for a class that names itself.
        """
        found = [one for one in self.slicer.statements if getattr(one.node, "module", "") == "__future__"]
        imports = {import_of(one.node) for one in found}
        lazy = Import("__future__", "annotations")
        mapped = any(getattr(job, "config_mapping", None) for job in self.scanned.jobs.values())
        if self.target == "ipy_orch" or lazy not in imports or not (mapped or any(map(reads_annotations, self.nodes))):
            return imports
        for one in self.used.statements:
            for name in sorted(one.binds & one.reads.keys() if one.is_block else ()):
                told = f"dagster can't do with `from __future__ import annotations`, and `{name}` names itself in one"
                raise DagsterInvalidDefinitionError(
                    told, where=f"{one.label}, line {one.reads[name]}", hint=f'"{name}", in quotes'
                )
        return imports - {lazy}

    @property
    def nodes(self) -> Iterator[Node]:
        """Yield the ops and graphs of all assets, checks and jobs."""
        tops = [one.op_def for one in self.scanned.definitions]
        tops += [getattr(job, "graph_def", None) for job in self.scanned.jobs.values()]
        for one in tops:
            if one is not None:
                yield from one.iterate_node_defs() if isinstance(one, GraphDefinition) else (one,)

    @cached_property
    def all_imports(self) -> set[Import]:
        """Return all imports, as they are for the target."""
        found = {Import("ipy_orch", name) for name in self.framework - {CHECK_RESULT, SPAN}}
        found |= {Import("typing", "Any")} if "ResourceParam" in self.framework else set()
        found |= {Import("datetime", SPAN)} if SPAN in self.framework else set()
        found |= {Import("os")} & {Import(name) for name in self.deployments.names}
        mine = {(import_of(one.node), one.label) for one in self.hoisted} | {(one, "") for one in found}
        if self.target == "dagster":
            mine = {(for_dagster(one, label), label) for one, label in mine}
        return self.futures | {one for one, _ in mine}

    @property
    def docstring(self) -> str:
        """Return the docstring of the module."""
        own_jobs = any(not one.brought for one in self.scanned.places_of_jobs.values())
        kinds = ["Assets", "checks", *(["jobs"] if own_jobs else [])]
        kinds += ["schedules", "sensors"] if self.scanned.automations else []
        return DOCSTRING.format(f"{', '.join(kinds[:-1])} and {kinds[-1]}")

    @property
    def text(self) -> str:
        """Return the module."""
        above = [MARKER, self.docstring, "", import_block(self.all_imports)]
        code = "\n".join(above) + self.body(self.pieces) + self.apart + self.definitions + "\n"
        ast.parse(code)  # fail here rather than in who imports it
        return code + "\n\n" + footer(self.marks(self.pieces))

    def body(self, pieces: Sequence[Piece], *, with_check_result: bool = True) -> str:
        """Return the text of pieces, one below the other."""
        body = f"\n\n\n{CHECK_RESULT_TEXT.rstrip()}" if CHECK_RESULT in self.framework and with_check_result else ""
        before: Piece | None = None
        for piece in pieces:
            body += ("\n\n\n" if before is None and body else gap(before, piece)) + self.written[piece].text
            before = piece
        return body

    @property
    def apart(self) -> str:
        """Return the blank lines above the last statement."""
        last = self.pieces[-1] if self.pieces else None
        ends_in_block = is_block(last) if last is not None else CHECK_RESULT in self.framework
        return "\n\n\n" if ends_in_block else "\n\n"

    @property
    def definitions(self) -> str:
        """Return ``defs = Definitions(...)``, below the environments that it chooses from."""
        holders = {one.name: one for one in self.held}
        listed: list[Held] = []
        for piece in self.pieces:
            if piece.statement is None:
                definition, name = self.made_of[piece], self.names[self.made_of[piece]]
                listed.append(Held(name, as_asset=name) if definition.has_keys else Held(name, as_check=name))
                continue
            listed += [holders.pop(name) for name in sorted(piece.statement.binds & holders.keys())]
        listed += holders.values()  # imported
        words = {
            "assets": sequence(one.as_asset for one in listed if one.as_asset),
            "asset_checks": sequence(one.as_check for one in listed if one.as_check),
            "jobs": sequence(one.as_job for one in listed if one.as_job),
            "schedules": sequence(one.as_schedule for one in listed if one.as_schedule),
            "sensors": sequence(one.as_sensor for one in listed if one.as_sensor),
            "resources": self.deployments.chosen,
            "loggers": mapping({key: key for key in self.loggers}),
        }
        words = {word: group for word, group in words.items() if isinstance(group, str) or group.items}
        above = self.for_target(self.deployments.text, "", self.used.statements)
        return (f"{above}\n\n" if above else "") + laid_out(f"{DEFS} = ", call("Definitions", **words))

    # -- where it is from ---------------------------------------------------------------------------------------------

    @cached_property
    def keys_of_turns(self) -> dict[int, str]:
        """Return where a cell stands -> its key in the cell book."""
        return {self.turn[cell.order]: cell.key for cell in self.book.cells.values()}

    def key(self, piece: Piece) -> str:
        """Return the key of the cell that a piece is from."""
        return self.keys_of_turns.get(piece.place[0], "")

    @cached_property
    def describes(self) -> dict[str, Piece]:
        """Return cell -> the function in it that the Markdown above it describes: its first asset."""
        found: dict[str, Piece] = {}
        for piece in sorted(self.pieces, key=lambda one: one.place):
            node = piece.statement.node if piece.statement is not None else None
            value = self.namespace.get(getattr(node, "name", ""))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_asset(value):
                found.setdefault(self.key(piece), piece)
        return found

    def with_note(self, function: Function, piece: Piece, name: str) -> Function:
        """Return a function that says what the Markdown above its cell says."""
        note = self.notes.get(self.key(piece), "")
        return replace(function, text=described(function.text, note, name)) if note else function

    def marks(
        self, pieces: Sequence[Piece], hoisted: Sequence[Statement] | None = None, seen: dict[str, int] | None = None
    ) -> list[Mark]:
        """Return which cells pieces are from, in runs of the same cell.

        Args:
            hoisted: the imports above them; by default all.
            seen: how often each cell was named in other files.
        """
        runs: list[tuple[str, list[tuple[str, str]]]] = []
        seen = {} if seen is None else seen
        imports = [
            self.keys_of_turns.get(self.turn.get(one.place[0], 0), "")
            for one in (self.hoisted if hoisted is None else hoisted)
        ]
        home = mark_id(next(filter(None, imports), ""), IMPORTS)  # `display` comes from no cell
        if home != mark_id("", IMPORTS):  # the cell that an import makes, where the notebook had none
            runs.append((home, [(IMPORTS, "")]))
        for piece in pieces:
            said = self.part(piece)
            key = mark_id(self.key(piece), said[0])
            if runs and runs[-1][0] == key:
                runs[-1][1].append(said)
            else:
                runs.append((key, [said]))
        found: list[Mark] = []
        for key, parts in runs:
            seen[key] = seen.get(key, 0) + 1
            found.append(Mark(key if seen[key] == 1 else f"{key}-{seen[key]}", tuple(parts)))
        return found

    def part(self, piece: Piece) -> tuple[str, str]:
        """Return name and digest of a piece."""
        text, one = self.written[piece].text, piece.statement
        name = name_of(one.node, one.binds, one.changes) if one is not None else self.names[self.made_of[piece]]
        return name, digest_of(text)


def is_check_result(one: Statement) -> bool:
    """Tell whether a statement is what an export adds itself, come back into the notebook."""
    return CHECK_RESULT in one.binds and digest_of(one.text) == digest_of(CHECK_RESULT_TEXT)


def homes_of(name: str) -> set[Import]:
    """Return the imports under which a name is what the module needs it to be."""
    return {Import(name) if name == "os" else Import(home, name) for home in HOMES}


def is_asset(value: Any) -> bool:
    """Tell whether a value defines one asset."""
    return isinstance(value, AssetsDefinition) and value.has_keys and len(value.keys) == 1


# -- blank lines -------------------------------------------------------------------------------------------------------


def is_block(piece: Piece) -> bool:
    """Tell whether a piece is a function or a class."""
    return piece.statement is None or piece.statement.is_block


def gap(before: Piece | None, piece: Piece) -> str:
    """Return what stands between two pieces: none or one blank line, two round functions and classes."""
    if is_block(piece) or (before is not None and is_block(before)):
        return "\n\n\n"
    one, other = (before.statement if before is not None else None), piece.statement
    if one is None or other is None or one.place[0] != other.place[0]:
        return "\n\n"
    above = other.text.count("\n") - (other.lines[1] - other.lines[0])
    return "\n" if other.lines[0] - above - one.lines[1] == 1 else "\n\n"
