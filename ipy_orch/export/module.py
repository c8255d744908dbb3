"""The notebook as a definitions module: what a colleague would have written, from the text of the cells.

Values of the session never come in, so no secret of theirs does; neither paths nor times: the same cells give the same
bytes.
"""

from __future__ import annotations

import ast
import keyword
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.export.bodies import CHECK_RESULT, checked_returns
from ipy_orch.export.files import is_ours, replace_file
from ipy_orch.export.functions import ANY, Annotations, Function, function_of, resource_annotation
from ipy_orch.export.holders import Held, contents, holder_order, holding, is_single_check, keys_of
from ipy_orch.export.imports import Import, Target, for_dagster, import_block, import_of, renamed
from ipy_orch.export.layout import call, laid_out, mapping, sequence
from ipy_orch.export.slicing import Piece, Slice, Slicer, as_piece, ordered
from ipy_orch.export.statements import Statement, is_plain_import
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.ops import IO_MANAGER, OpDefinition
from ipy_orch.model.specs import AssetSpec
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.jobs import resources_of
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import write

__all__ = ["MARKER", "export_module", "write_module"]

Node: TypeAlias = OpDefinition | GraphDefinition

MARKER: Final = "# Written by ipy_orch from a notebook. Edit the notebook, not this file."
DOCSTRING: Final = '"""{}, as the cells of a notebook define them."""'
TARGETS: Final = ("ipy_orch", "dagster")
DEFS: Final = "defs"

CHECK_RESULT_TEXT: Final = '''\
def check_result(value, severity=AssetCheckSeverity.ERROR) -> AssetCheckResult:
    """Return the value of a check as its result: a bool, or a bool with metadata."""
    if isinstance(value, AssetCheckResult):
        return value
    passed, metadata = value if isinstance(value, tuple) else (value, None)
    return AssetCheckResult(passed=bool(passed), metadata=metadata, severity=severity)
'''


def export_module(
    scanned: Scanned,
    book: CellBook,
    namespace: Mapping[str, Any],
    *,
    target: str = "ipy_orch",
    order: Sequence[str] = (),
) -> str:
    """Return the text of ``definitions.py``. Reads only: nothing is run.

    Args:
        namespace: the notebook's variables: which of them hold definitions and resources.
        target: ``ipy_orch`` or ``dagster``: where the framework's names are imported from.
        order: the ids of the cells from top to bottom, where the front end tells; else they stand as they ran.

    Raises:
        DagsterInvalidDefinitionError: for what a module can't hold, with cell and line.
    """
    if target not in TARGETS:
        raise DagsterInvalidDefinitionError(
            f"`{target}` isn't a target of an export", hint=f"one of {', '.join(TARGETS)}"
        )
    for error in scanned.broken.values():
        raise error
    if not scanned.definitions and not scanned.jobs:
        told = "there is nothing to export: no cell defines an asset or a job"
        raise DagsterInvalidDefinitionError(told, hint="%%asset NAME")
    scanned.graph.keys  # noqa: B018 - a graph that can't be built is refused before anything else
    text = Module(scanned, book, namespace, "dagster" if target == "dagster" else "ipy_orch", order).text
    ast.parse(text)  # fail here rather than in who imports it
    return text


@write.supply
def write_module(
    path: str | os.PathLike[str],
    scanned: Scanned,
    book: CellBook,
    namespace: Mapping[str, Any],
    *,
    target: str = "ipy_orch",
    order: Sequence[str] = (),
    force: bool = False,
) -> Path:
    """Write ``definitions.py``, whole or not at all, and return its path; folders above it are made.

    Args:
        path: of the file, or of a folder that exists.
        force: write over a file that an export didn't write.

    Raises:
        DagsterInvalidDefinitionError: as :func:`export_module`; then nothing is written.
        DagsterInvariantViolationError: when somebody else's file is in the place.
    """
    place = Path(path)
    place = place / "definitions.py" if place.is_dir() else place
    text = export_module(scanned, book, namespace, target=target, order=order)
    if place.exists() and not force and not is_ours(place):
        told = f"`{place.name}` is there already, and no export wrote it"
        raise DagsterInvariantViolationError(told, hint="name another file, or delete it first")
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_file(place, text.encode())
    return place


class Module:
    """Put a module together: roles of the cells, what they need, an order, the text."""

    def __init__(
        self, scanned: Scanned, book: CellBook, namespace: Mapping[str, Any], target: Target, order: Sequence[str]
    ) -> None:
        self.scanned, self.book, self.namespace, self.target = scanned, book, namespace, target
        self.slicer = Slicer(book, namespace)
        self.turn = turns(book, order)

    # -- parts --------------------------------------------------------------------------------------------------------

    @cached_property
    def of_cells(self) -> dict[AssetsDefinition, Cell]:
        """Return the definitions that are bodies of cells, assets before checks, in the notebook's order."""
        found = {one: cell for one, cell in self.scanned.cells.items() if cell.source is not None}
        return dict(sorted(found.items(), key=lambda item: (self.turn[item[1].order], not item[0].has_keys)))

    @cached_property
    def held(self) -> list[Held]:
        """Return the variables that hold the other definitions, each of which is named once."""
        definitions = (one for one in self.scanned.definitions if one not in self.of_cells)
        wanted = {id(one) for one in (*definitions, *self.scanned.jobs.values())}
        found: list[Held] = []
        for name in sorted(self.namespace, key=lambda name: holder_order(name, self.namespace[name])):
            value = self.namespace[name]
            inside = [] if name.startswith("_") else contents(value)
            new = [one for one in inside if isinstance(one, AssetSpec) or id(one) in wanted]
            if new:
                found.append(holding(name, value))
                wanted -= {id(one) for one in new}
        return [one for one in found if one.as_asset or one.as_check or one.as_job]

    @cached_property
    def resources(self) -> list[str]:
        """Return the resources that anything needs.

        Raises:
            DagsterInvalidDefinitionError: when no variable holds one.
        """
        needed = self.needed_resources
        for key, label in needed.items():
            if key not in self.own_resources and key != IO_MANAGER:
                hint = closest(key, self.own_resources) or f"{key} = ..."
                raise DagsterInvalidDefinitionError(
                    f"`{label}` needs resource `{key}`, and no variable holds it", hint=hint
                )
            if self.namespace.get(key) is not self.own_resources.get(key, self.namespace.get(key)):
                told = f"resource `{key}` isn't in a variable of its name, and `{label}` needs it"
                raise DagsterInvalidDefinitionError(told, hint=f"{key} = ...")
        return sorted(key for key in needed if key in self.own_resources)

    @property
    def needed_resources(self) -> dict[str, str]:
        """Return resource -> the first that needs it."""
        needed: dict[str, str] = {}
        for one in self.scanned.definitions:
            needed |= dict.fromkeys(
                sorted(one.required_resource_keys - one.resource_defs.keys() - {*needed}), one.label
            )
        for job in self.scanned.jobs.values():
            needed |= dict.fromkeys(sorted(resources_of(job) - {*needed}), job.name)
        front = list(needed)
        while front:
            value = self.own_resources.get(front.pop())
            inner = sorted({*getattr(value, "required_resource_keys", ())} - {*needed})
            needed |= {key: key for key in inner}
            front += inner
        return needed

    @cached_property
    def own_resources(self) -> Mapping[str, Any]:
        """Return the notebook's own resources, whatever environment is in use."""
        return {**self.scanned.resources, **self.scanned.swapped}

    @cached_property
    def loggers(self) -> list[str]:
        """Return the loggers that some job may be run with: those that have loggers of their own take no others."""
        takes_them = [job for job in self.scanned.jobs.values() if not getattr(job, "loggers", None)]
        return sorted(self.scanned.loggers) if takes_them else []

    def annotations(self, cell: Cell, definition: AssetsDefinition) -> Annotations:
        """Return what the parameters of a cell's function are annotated with.

        Raises:
            DagsterInvalidDefinitionError: when the notebook has no name for the class of a resource.
        """
        assert cell.source is not None
        found: dict[str, str] = {}
        for name, key in definition.op.signature.resources.items():
            makers = [one.node for one in self.slicer.definitions(key)]
            said = resource_annotation(self.own_resources[key], makers, self.namespace)
            if said is None:
                kind = type(self.own_resources[key])
                told, hint = (
                    f"no cell names the class of resource `{key}`",
                    f"from {kind.__module__} import {kind.__name__}",
                )
                raise DagsterInvalidDefinitionError(told, where=cell.label, hint=hint)
            found[name] = said
        return Annotations(str(cell.source.options.get("config", "")), found)

    @cached_property
    def functions(self) -> dict[AssetsDefinition, Piece]:
        """Return the piece of each cell, in the notebook's order, with what it needs."""
        made: dict[AssetsDefinition, Piece] = {}
        for definition, cell in self.of_cells.items():
            source, takes = cell.source, definition.op.signature
            assert source is not None
            said = self.annotations(cell, definition)
            given = {*takes.inputs, *takes.resources, *[name for name in (takes.context, takes.config) if name]}
            known = [said.config if takes.config else "", *(one for one in said.resources.values() if one != ANY)]
            made[definition] = Piece(
                place=(self.turn[cell.order], 0),
                what=f"asset `{source.target}`" if source.kind == "asset" else f"check `{source.target}:{source.name}`",
                label=cell.label,
                reads={name.partition(".")[0]: 1 for name in known if name},
                late={name: line for name, line in source.names.free.items() if name not in given},
            )
        return made

    @cached_property
    def used(self) -> Slice:
        """Return the statements that the module needs."""
        end = (len(self.turn) + 1, 0)
        names = [*(one.name for one in self.held), *self.resources, *self.loggers]
        roots = Piece(end, "the module", "the notebook", late=dict.fromkeys(names, 1))
        return self.slicer.slice([*self.functions.values(), roots])

    @cached_property
    def hoisted(self) -> list[Statement]:
        """Return the imports that stand on top: those whose name is never anything else."""
        bound: dict[str, list[Statement]] = {}
        for one in self.used.statements:
            for name in one.binds:
                bound.setdefault(name, []).append(one)
        return [s for s in self.used.statements if s.is_import and alike([t for n in s.binds for t in bound[n]])]

    @cached_property
    def names(self) -> dict[AssetsDefinition, str]:
        """Return how the function of each cell is called: like its asset or check, unless that is something else."""
        found: dict[AssetsDefinition, str] = {}
        taken = {name for one in self.used.statements for name in one.binds}
        taken |= self.used.builtin | FRAMEWORK | {*keyword.kwlist}
        twice = duplicates([last_name(definition) for definition in self.of_cells])
        for definition, cell in self.of_cells.items():
            assert cell.source is not None
            last = last_name(definition)
            whole = cell.source.target.to_python_identifier()
            longer = whole if cell.source.kind == "asset" else f"{whole}_{last}"
            choices = [
                *([] if last in twice else [last]),
                *([] if longer == last else [longer]),
                f"{longer}_{cell.source.kind}",
            ]
            found[definition] = next((one for one in choices if one not in taken), choices[-1])
            while found[definition] in taken:
                found[definition] += "_"
            taken.add(found[definition])
        return found

    # -- text ---------------------------------------------------------------------------------------------------------

    @cached_property
    def below(self) -> dict[Piece, Statement]:
        """Return the pieces of the statements that stand below the imports."""
        rest = [one for one in self.used.statements if one not in self.hoisted]
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
            return function_of(cell, definition, self.names[definition], self.annotations(cell, definition))
        one = piece.statement
        if self.target == "dagster" and any(is_single_check(self.namespace.get(name)) for name in one.binds):
            return Function("", *checked_returns(one.text))
        return Function("", one.text, frozenset())

    def ported(self, function: Function, piece: Piece) -> Function:
        """Return a text for the target."""
        if self.target == "ipy_orch":
            return function
        imports = [import_of(one.node) for one in self.used.statements if one.is_import]
        aliases = [one.alias for one in imports if one.module == "ipy_orch" and not one.name and one.alias]
        return replace(function, text=renamed(function.text, aliases, piece.label))

    @cached_property
    def framework(self) -> set[str]:
        """Return the names of the framework that the module uses beyond those that the notebook imports.

        Raises:
            DagsterInvalidDefinitionError: when something else of the notebook has such a name.
        """
        names = {"Definitions"}.union(*(one.framework for one in self.written.values()))
        if CHECK_RESULT in names:
            names |= {"AssetCheckResult", "AssetCheckSeverity"}
        own = {*names, DEFS, *(["Any"] if "ResourceParam" in names else [])}
        for one in self.used.statements:
            for name in sorted(one.binds & own):
                if not (one.is_import and import_of(one.node) in (Import("ipy_orch", name), Import("typing", name))):
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
    def imports(self) -> str:
        """Return the imports."""
        found = {Import("ipy_orch", name) for name in self.framework - {CHECK_RESULT}}
        found |= {Import("typing", "Any")} if "ResourceParam" in self.framework else set()
        mine = {(import_of(one.node), one.label) for one in self.hoisted} | {(one, "") for one in found}
        if self.target == "dagster":
            mine = {(for_dagster(one, label), label) for one, label in mine}
        return import_block(self.futures | {one for one, _ in mine})

    @property
    def text(self) -> str:
        """Return the module."""
        kinds = "Assets, checks and jobs" if self.scanned.jobs else "Assets and checks"
        above = [MARKER, DOCSTRING.format(kinds), "", self.imports]
        blocks = [CHECK_RESULT_TEXT.rstrip()] if CHECK_RESULT in self.framework else []
        body = "".join(f"\n\n\n{one}" for one in blocks)
        before: Piece | None = None
        for piece in self.pieces:
            apart = "\n\n\n" if (before is None and blocks) else gap(before, piece)
            body += apart + self.written[piece].text
            before = piece
        ends_in_block = is_block(before) if before is not None else bool(blocks)
        return "\n".join(above) + body + ("\n\n\n" if ends_in_block else "\n\n") + self.definitions + "\n"

    @property
    def definitions(self) -> str:
        """Return ``defs = Definitions(...)``."""
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
            "resources": mapping({key: key for key in self.resources}),
            "loggers": mapping({key: key for key in self.loggers}),
        }
        words = {word: group for word, group in words.items() if group.items}
        return laid_out(f"{DEFS} = ", call("Definitions", **words))


FRAMEWORK: Final = frozenset(
    {
        "Any",
        "AssetCheckExecutionContext",
        "AssetCheckResult",
        "AssetCheckSeverity",
        "AssetExecutionContext",
        "AssetIn",
        "AssetKey",
        "Definitions",
        "ResourceParam",
        "RetryPolicy",
        "asset",
        "asset_check",
        CHECK_RESULT,
        DEFS,
    }
)


def turns(book: CellBook, order: Sequence[str]) -> dict[int, int]:
    """Return when a cell ran -> where it stands: as the front end says, else as it ran."""
    said = {key: number for number, key in enumerate(order)}
    ranked = sorted(book.cells.values(), key=lambda cell: (said.get(cell.key, len(said)), cell.order))
    return {cell.order: number for number, cell in enumerate(ranked, 1)}


def last_name(definition: AssetsDefinition) -> str:
    """Return the last part of an asset's key, or a check's name."""
    return definition.key.path[-1] if definition.has_keys else definition.check_key.name


def duplicates(names: Iterable[str]) -> set[str]:
    """Return what is there more than once."""
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


def alike(statements: Sequence[Statement]) -> bool:
    """Tell whether statements that bind one name are one import, or imports of parts of one package."""
    return len({one.text for one in statements}) == 1 or all(is_plain_import(one.node) for one in statements)


def reads_annotations(node: Node) -> bool:
    """Tell whether Dagster reads annotations of an op or graph as they are: of context, config and resources."""
    if isinstance(node, GraphDefinition):
        return node.config_mapping is not None
    call = node.signature
    return bool(call.context or call.config or call.resources)


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
