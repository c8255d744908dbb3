"""The notebook as a definitions module: what a colleague would have written, from the text of the cells.

Values of the session never come in, so no secret of theirs does; neither paths nor times: the same cells give the same
bytes.
"""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ipy_orch.authoring.cells import own_nodes
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.bodies import CHECK_RESULT, verdict
from ipy_orch.export.functions import ANY, Annotations, Function, function_of, resource_annotation
from ipy_orch.export.imports import Import, Target, for_dagster, import_block, import_of, renamed
from ipy_orch.export.layout import Doc, call, laid_out, mapping, sequence
from ipy_orch.export.slicing import END, Piece, Slice, Slicer, as_piece, ordered
from ipy_orch.export.statements import Statement, is_plain_import
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.specs import AssetSpec
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import write

__all__ = ["MARKER", "export_module", "write_module"]

MARKER: Final = "# Written by ipy_orch from a notebook: edit that, or take this line away to keep your edits."
OURS: Final = "# Written by ipy_orch"
DOCSTRING: Final = '"""Assets and checks, as the cells of a notebook define them."""'
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
    scanned: Scanned, book: CellBook, namespace: Mapping[str, Any], *, target: str = "ipy_orch", order: Sequence[str] = ()
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
        raise DagsterInvalidDefinitionError(f"`{target}` isn't a target of an export", hint=f"one of {', '.join(TARGETS)}")
    for error in scanned.broken.values():
        raise error
    if not scanned.definitions:
        raise DagsterInvalidDefinitionError("there is nothing to export: no cell defines an asset", hint="%%asset NAME")
    scanned.graph.keys  # noqa: B018 - a graph that can't be built is refused before anything else
    return Module(scanned, book, namespace, "dagster" if target == "dagster" else "ipy_orch", order).text


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


def is_ours(place: Path) -> bool:
    """Tell whether a file begins as our modules do."""
    with place.open("rb") as file:
        return file.readline(200).startswith(OURS.encode())


def replace_file(place: Path, content: bytes) -> None:
    """Put content in the place of a file in one step, so that nobody ever reads half of it."""
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~umask())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class Held:
    """Be a variable that holds definitions.

    Args:
        as_asset: how ``Definitions(assets=[...])`` names it, or "".
        as_check: the same for ``asset_checks``.
    """

    name: str
    as_asset: str = ""
    as_check: str = ""


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
        wanted = {id(one) for one in self.scanned.definitions if one not in self.of_cells}
        found: list[Held] = []
        for name in sorted(self.namespace, key=lambda name: holder_order(name, self.namespace[name])):
            value = self.namespace[name]
            inside = [] if name.startswith("_") else contents(value)
            new = [one for one in inside if isinstance(one, AssetSpec) or id(one) in wanted]
            if new:
                found.append(holding(name, value))
                wanted -= {id(one) for one in new}
        return [one for one in found if one.as_asset or one.as_check]

    @cached_property
    def resources(self) -> list[str]:
        """Return the resources that anything needs.

        Raises:
            DagsterInvalidDefinitionError: when no variable holds one.
        """
        needed: dict[str, str] = {}
        for one in self.scanned.definitions:
            for key in sorted(one.required_resource_keys - one.resource_defs.keys()):
                needed.setdefault(key, one.label)
        front = list(needed)
        while front:
            value = self.scanned.resources.get(front.pop())
            for key in sorted(getattr(value, "required_resource_keys", ())):
                if key not in needed:
                    needed[key] = key
                    front.append(key)
        for key, label in needed.items():
            if self.namespace.get(key) is not self.scanned.resources.get(key):
                told = f"resource `{key}` isn't in a variable of its name, and `{label}` needs it"
                raise DagsterInvalidDefinitionError(told, hint=f"{key} = ...")
        return sorted(key for key in needed if key in self.scanned.resources)

    def annotations(self, cell: Cell, definition: AssetsDefinition) -> Annotations:
        """Return what the parameters of a cell's function are annotated with.

        Raises:
            DagsterInvalidDefinitionError: when the notebook has no name for the class of a resource.
        """
        assert cell.source is not None
        found: dict[str, str] = {}
        for name, key in definition.op.signature.resources.items():
            makers = [one.node for one in self.slicer.definitions(key)]
            said = resource_annotation(self.scanned.resources[key], makers, self.namespace)
            if said is None:
                kind = type(self.scanned.resources[key])
                told, hint = f"no cell names the class of resource `{key}`", f"from {kind.__module__} import {kind.__name__}"
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
        names = [*(one.name for one in self.held), *self.resources]
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
        taken = {name for one in self.used.statements for name in one.binds} | self.used.builtin | FRAMEWORK
        twice = duplicates([last_name(definition) for definition in self.of_cells])
        for definition, cell in self.of_cells.items():
            assert cell.source is not None
            last = last_name(definition)
            whole = cell.source.target.to_python_identifier()
            longer = whole if cell.source.kind == "asset" else f"{whole}_{last}"
            choices = [*([] if last in twice else [last]), *([] if longer == last else [longer]), f"{longer}_{cell.source.kind}"]
            found[definition] = next((one for one in choices if one not in taken), choices[-1])
            while found[definition] in taken:
                found[definition] += "_"
            taken.add(found[definition])
        return found

    # -- text ---------------------------------------------------------------------------------------------------------

    @cached_property
    def pieces(self) -> list[Piece]:
        """Return all that comes below the imports, in order: what an asset or check is about stands above it."""
        below = [self.placed(one) for one in self.used.statements if one not in self.hoisted]
        made = self.functions
        makers = {key: made[one] for one in made for key in one.keys}
        makers |= {key: piece for piece in below for key in self.keys_of(piece)}
        follows = {one: tuple(makers[key] for key in sorted(one.dependency_keys) if key in makers) for one in made}
        linked = {one: _with(made[one], follows[one], made) for one in made}
        for one, piece in linked.items():
            self.made_of[piece] = one
        return ordered(self.slicer, [*below, *linked.values()])
