"""The parts of a module: what defines something, what that needs, how functions are called."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias

from ipy_orch.authoring.cells.conditions import condition_variables
from ipy_orch.authoring.cells.freshness import freshness_variables
from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.export.bodies import CHECK_RESULT
from ipy_orch.export.deployments import Deployments
from ipy_orch.export.environment_cells import EnvironmentCells
from ipy_orch.export.functions import ANY, Annotations, resource_annotation
from ipy_orch.export.holders import Held, contents, holder_order, holding
from ipy_orch.export.imports import Target, for_dagster, import_of, renamed
from ipy_orch.export.partitions import partition_variables
from ipy_orch.export.slicing import Piece, Slice, Slicer
from ipy_orch.export.statements import Statement, is_plain_import
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.ops import IO_MANAGER, OpDefinition
from ipy_orch.model.specs import AssetSpec
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.config.environments import Environments
from ipy_orch.session.jobs.jobs import resources_of
from ipy_orch.session.scan import Scanned

__all__ = ["DEFS", "Node", "Parts", "reads_annotations"]

Node: TypeAlias = OpDefinition | GraphDefinition

DEFS: Final = "defs"

FRAMEWORK: Final = frozenset(
    {
        "Any",
        "AssetCheckExecutionContext",
        "AssetCheckResult",
        "AssetCheckSeverity",
        "AssetExecutionContext",
        "AssetIn",
        "AssetKey",
        "AutomationCondition",
        "Definitions",
        "FreshnessPolicy",
        "ResourceParam",
        "RetryPolicy",
        "timedelta",
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


class Parts:
    """Find what a module is made of: which cells and variables define something, and what they need.

    A new kind of cell that becomes a function enters at ``of_cells`` and in :mod:`functions`; a new kind of
    definition in variables at ``holders.PARTS`` and ``holders.contents``.

    Args:
        notes: cell -> the Markdown above it.
        environments: those of the session; None where only the cells tell.
    """

    def __init__(
        self,
        scanned: Scanned,
        book: CellBook,
        namespace: Mapping[str, Any],
        target: Target,
        order: Sequence[str] = (),
        notes: Mapping[str, str] | None = None,
        environments: Environments | None = None,
    ) -> None:
        self.scanned, self.book, self.namespace, self.target = scanned, book, namespace, target
        self.notes = notes or {}
        self.environment_cells = EnvironmentCells(book, environments)
        self.slicer = Slicer(book, namespace, self.environment_cells.read)
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
        automations = (one.definition for one in self.scanned.automations.values())
        wanted = {id(one) for one in (*definitions, *self.scanned.jobs.values(), *automations)}
        found: list[Held] = []
        for name in sorted(self.namespace, key=lambda name: holder_order(name, self.namespace[name])):
            value = self.namespace[name]
            inside = [] if name.startswith("_") else contents(value)
            new = [one for one in inside if isinstance(one, AssetSpec) or id(one) in wanted]
            if new:
                found.append(holding(name, value))
                wanted -= {id(one) for one in new}
        return [one for one in found if not one.is_empty]

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
        for name, found in self.scanned.automations.items():
            needed |= dict.fromkeys(sorted(found.definition.required_resource_keys - {*needed}), name)
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
    def deployments(self) -> Deployments:
        """Return the environments that the module has."""
        cells, own, needed = self.environment_cells, self.own_resources, self.resources
        return Deployments(cells, self.slicer, own, needed, self.turn, self.refuse)

    def refuse(self, one: Statement) -> None:
        """Refuse a statement that the target can't have.

        Raises:
            DagsterInvalidDefinitionError: for what only ipy_orch has.
        """
        if one.is_import and self.target == "dagster":
            for_dagster(import_of(one.node), one.label)
        elif not one.is_import:
            self.for_target(one.text, one.label, self.slicer.statements)

    def for_target(self, text: str, where: str, statements: Iterable[Statement]) -> str:
        """Return a text as it is for the target.

        Args:
            statements: among which are the imports that count for it.

        Raises:
            DagsterInvalidDefinitionError: for what only ipy_orch has.
        """
        if self.target == "ipy_orch":
            return text
        imports = [import_of(one.node) for one in statements if one.is_import]
        aliases = [one.alias for one in imports if one.module == "ipy_orch" and not one.name and one.alias]
        return renamed(text, aliases, where)

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
            known += partition_variables(source.options)
            known += condition_variables(source.options)
            known += freshness_variables(source.options)
            made[definition] = Piece(
                place=(self.turn[cell.order], 0),
                what=f"asset `{source.target.label}`"
                if source.kind == "asset"
                else f"check `{source.target.label}:{source.name}`",
                label=cell.label,
                reads={name.partition(".")[0]: 1 for name in known if name},
                late={name: line for name, line in source.names.free.items() if name not in given},
                quoted=source.quoted - given,
            )
        return made

    @cached_property
    def used(self) -> Slice:
        """Return the statements that the module needs."""
        end = (len(self.turn) + 1, 0)
        names = [*(one.name for one in self.held), *self.resources, *self.loggers, *self.deployments.variables]
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
        taken |= self.used.builtin | FRAMEWORK | self.deployments.names | {*keyword.kwlist}
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
