"""Namespace and cell book give the definitions. Nothing registers itself: what a scan doesn't find doesn't exist."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, Final

from ipy_orch.authoring.assets import define_asset
from ipy_orch.authoring.cells.cells import CellText, build
from ipy_orch.authoring.cells.conditions import condition_of
from ipy_orch.authoring.cells.freshness import freshness_of
from ipy_orch.authoring.cells.options import place_tags
from ipy_orch.authoring.checks import define_check
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.assets import AssetsDefinition, external
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.io import InputManager
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import IO_MANAGER, Signature
from ipy_orch.model.policies import RetryPolicy
from ipy_orch.model.resources.resource import ConfigurableResourceFactory, PartialResource, ResourceDefinition
from ipy_orch.model.specs import AssetDep, AssetSpec
from ipy_orch.planning.code.fingerprint import attach_tree
from ipy_orch.planning.conditions.sensing import default_sensor
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.session.automation.automations import (
    FoundAutomation,
    automations_by_name,
    find_automations,
    jobs_brought,
    of_today,
)
from ipy_orch.session.cellbook import Cell, CellBook
from ipy_orch.session.config.environments import Environments
from ipy_orch.session.jobs.jobs import (
    FoundJob,
    Job,
    find_jobs,
    find_loggers,
    is_of_ipy_orch,
    jobs_by_name,
    resources_of,
)
from ipy_orch.session.partitions.partitioned import UNCUT, Cut, cut_of_cell

__all__ = ["Scan", "Scanned", "uses"]

FILES: Final = "ipy_orch/files"
ENV: Final = "ipy_orch/env"
CONTEXT, CONFIG = "context", "config"
RESOURCES: Final = (ConfigurableResourceFactory, PartialResource, ResourceDefinition, InputManager)
DEFINITIONS: Final = (AssetsDefinition, AssetSpec, Definitions, type, ModuleType)
FILE: Final = "file"  # in the memo of a definition
IPYTHON: Final = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})


class LastGraph:
    """Keep the last graph: most scans find the very definitions that the one before found."""

    def __init__(self) -> None:
        self.graph: AssetGraph | None = None
        self.definitions: tuple[AssetsDefinition, ...] = ()

    def of(self, definitions: tuple[AssetsDefinition, ...]) -> AssetGraph:
        """Return the graph of these definitions."""
        if self.graph is None or self.definitions != definitions:
            self.graph, self.definitions = AssetGraph.of(definitions), definitions
        return self.graph


@dataclass(frozen=True)
class Scanned:
    """Be what a scan found.

    Args:
        definitions: of assets and checks, those of cells first.
        resources: variable -> resource.
        cells: definition -> the cell it is from, where it is from one.
        names: variable or argument -> the asset it stands for.
        broken: asset -> what is wrong with its cell, or with the cell of a check of it.
        swapped: variable -> the resource in it, where the environment in use has another one.
        found_jobs: the jobs in variables, as they were found, and those of code locations.
        loggers: variable -> logger.
        found_automations: the schedules and sensors in variables, as they were found, and those of code locations.
    """

    definitions: tuple[AssetsDefinition, ...]
    resources: Mapping[str, Any]
    cells: Mapping[AssetsDefinition, Cell]
    names: Mapping[str, AssetKey]
    broken: Mapping[AssetKey, DagsterError] = field(default_factory=dict)
    swapped: Mapping[str, Any] = field(default_factory=dict)
    last: LastGraph = field(default_factory=LastGraph)
    found_jobs: tuple[FoundJob, ...] = ()
    loggers: Mapping[str, Any] = field(default_factory=dict)
    found_automations: tuple[FoundAutomation, ...] = ()

    @cached_property
    def graph(self) -> AssetGraph:
        """Return the graph.

        Raises:
            DagsterInvalidDefinitionError: for a cycle or an asset made twice, with the cells.
        """
        return self.last.of(self.definitions)

    @cached_property
    def jobs(self) -> Mapping[str, Job]:
        """Return name -> job; what is still to be resolved against the assets is as :meth:`as_definitions` takes it.

        Raises:
            DagsterInvalidDefinitionError: when two have one name, with the cells.
        """
        return {name: one.definition for name, one in self.places_of_jobs.items()}

    @cached_property
    def places_of_jobs(self) -> Mapping[str, FoundJob]:
        """Return name -> job with its variable and the cell it is from.

        Raises:
            DagsterInvalidDefinitionError: when two have one name, with the cells.
        """
        return jobs_by_name(self.found_jobs)

    @cached_property
    def automations(self) -> Mapping[str, FoundAutomation]:
        """Return name -> schedule or sensor with its variable and the cell it is from.

        Raises:
            DagsterInvalidDefinitionError: when two have one name, with the cells.
        """
        return automations_by_name(self.found_automations)

    @cached_property
    def all_automations(self) -> Mapping[str, FoundAutomation]:
        """Return :attr:`automations`, and the sensor that evaluates the conditions which none of them does.

        Dagster adds that one by itself, so an export goes without.
        """
        found = self.automations
        made = default_sensor(self.graph, [one.definition for one in found.values()], self.jobs.values())
        return found if made is None else {**found, made.name: FoundAutomation(made, "", None)}

    def as_definitions(self) -> Definitions:
        """Return what was found as one Definitions, without the jobs, schedules and sensors of code locations.

        Raises:
            DagsterInvalidDefinitionError: when two jobs, or schedules or sensors, have one name, with the cells.
        """
        kinds: dict[str, list[Any]] = {"schedule": [], "sensor": []}
        for one in self.automations.values():
            if not one.location:
                kinds[one.kind].append(of_today(one.definition, self.jobs))
        return Definitions(
            [one for one in self.definitions if one.has_keys],
            kinds["schedule"],
            kinds["sensor"],
            jobs=[one.definition for one in self.places_of_jobs.values() if not (one.brought or one.location)],
            resources=self.resources,
            loggers=self.loggers,
            asset_checks=[one for one in self.definitions if not one.has_keys],
        )


class Scan:
    """Find the definitions of a namespace and its cells; definitions that haven't changed stay the same objects."""

    def __init__(
        self,
        namespace: dict[str, Any],
        book: CellBook,
        environments: Environments,
        elsewhere: Callable[[Callable[[], Collection[AssetKey]]], Iterable[AssetsDefinition]] = lambda _own: (),
        brought: Callable[[], tuple[Iterable[FoundJob], Iterable[FoundAutomation]]] = lambda: ((), ()),
    ) -> None:
        self.namespace, self.book, self.environments = namespace, book, environments
        self.elsewhere, self.brought = elsewhere, brought
        self.made: dict[tuple[str, int], tuple[Any, AssetsDefinition]] = {}
        self.last = LastGraph()
        self.valueless: frozenset[AssetKey] = frozenset()

    def __call__(self) -> Scanned:
        """Scan now."""
        automations = find_automations(self.namespace, self.book)
        jobs = find_jobs(self.namespace, self.book)
        jobs = (*jobs, *jobs_brought(automations, jobs))
        found, own = self.of_namespace(jobs, automations)
        resources = self.environments.laid_over(own)
        sources = self.book.sources()
        refuse_doubles(sources)
        found += self.elsewhere(lambda: keys_of_all(found, sources))
        names = asset_names(found, sources)
        self.valueless = frozenset(key for one in found if not one.is_executable for key in one.keys)
        current = {(cell.key, cell.order) for cell in sources}
        self.made = {place: made for place, made in self.made.items() if place in current}
        cells: dict[AssetsDefinition, Cell] = {}
        broken: dict[AssetKey, DagsterError] = {}
        for cell in sources:
            try:
                cells[self.of_cell(cell, names, resources)] = cell
            except DagsterError as error:
                broken[cell.source.target] = error  # type: ignore[union-attr]  # `sources` returns no others
        holders = self.holders()
        for one in found:
            if (place := self.cell_of(one, holders)) is not None:
                cells[one] = place
        decorated = set(found)
        made = tuple(one for one in cells if one not in decorated)
        swapped = {key: one for key, one in own.items() if resources[key] is not one}
        loggers = find_loggers(self.namespace, self.book)
        more_jobs, more = self.brought()
        jobs, automations = (*jobs, *more_jobs), (*automations, *more)
        return Scanned((*made, *found), resources, cells, names, broken, swapped, self.last, jobs, loggers, automations)

    # -- the namespace ------------------------------------------------------------------------------------------------

    def of_namespace(
        self, jobs: Iterable[FoundJob], automations: Iterable[FoundAutomation] = ()
    ) -> tuple[list[AssetsDefinition], dict[str, Any]]:
        """Return the definitions and resources that variables hold, without those of cells that are gone.

        Args:
            jobs: what they need is a resource, too; likewise what schedules and sensors need.
        """
        found: dict[int, AssetsDefinition] = {}
        ghosts: list[tuple[str, AssetsDefinition]] = []
        resources: dict[str, Any] = {}
        for name, value in list(self.namespace.items()):
            if name.startswith("_") or name in IPYTHON:
                continue
            if isinstance(value, RESOURCES):
                if not is_of_ipy_orch(name, value):  # one that is only imported is a resource where something needs it
                    resources[name] = value
                continue
            if isinstance(value, Definitions) and name in self.book.gone:
                del self.namespace[name]  # its cell was deleted, or makes something else now
                continue
            for one in definitions_in(value):
                if self.is_ghost(one):
                    ghosts.append((name, one))
                else:
                    found[id(one)] = one
            if isinstance(value, Definitions):
                resources.update(value.resources)
        found |= {id(one): one for one in self.laid(ghosts, found.values())}
        definitions = list(found.values())
        brought = {key: value for one in definitions for key, value in one.resource_defs.items()}
        needed = [*(one.required_resource_keys for one in definitions), *(resources_of(one.definition) for one in jobs)]
        needed += [each.definition.required_resource_keys for each in automations]
        return definitions, {**self.plain_resources(frozenset().union(*needed)), **brought, **resources}

    def plain_resources(self, needed: Iterable[str]) -> dict[str, Any]:
        """Return the plain objects in variables named like a resource that is needed."""
        values = {key: self.namespace[key] for key in needed if key in self.namespace and key != IO_MANAGER}
        return {key: value for key, value in values.items() if not isinstance(value, DEFINITIONS)}

    def is_ghost(self, definition: AssetsDefinition) -> bool:
        """Tell whether the cell that made a definition has been edited or deleted since."""
        filename = file_of(definition)
        return self.book.was_cell(filename) and self.book.of_file(filename) is None

    def laid(
        self, ghosts: Iterable[tuple[str, AssetsDefinition]], living: Iterable[AssetsDefinition]
    ) -> list[AssetsDefinition]:
        """Take the variables of ghosts away; return those that stay, as another cell made them of an op or graph.

        That cell is behind when the op's or graph's cell was edited, and is named so.
        """
        known = {key for one in living for key in one.asset_and_check_keys}
        kept = []
        for name, one in ghosts:
            maker = self.book.cells.get(self.book.definers.get(name, ""))
            if maker is not None and holds(self.namespace.get(name), one) and not one.asset_and_check_keys & known:
                kept.append(one)
            else:
                self.namespace.pop(name, None)
        return kept

    def cell_of(self, definition: AssetsDefinition, holders: Mapping[AssetsDefinition, str]) -> Cell | None:
        """Return the cell that a decorated function stands in, or that made the Definitions which holds it."""
        maker = self.book.cells.get(self.book.definers.get(holders.get(definition, ""), ""))
        return maker if maker is not None else self.book.of_file(file_of(definition))

    def holders(self) -> dict[AssetsDefinition, str]:
        """Return definition -> variable of the Definitions that holds it, of those without a variable of their own."""
        own = {value for value in self.namespace.values() if isinstance(value, AssetsDefinition)}
        holding = {name: value for name, value in self.namespace.items() if isinstance(value, Definitions)}
        return {one: name for name, value in holding.items() for one in value.definitions if one not in own}

    # -- cells --------------------------------------------------------------------------------------------------------

    def of_cell(self, cell: Cell, names: Mapping[str, AssetKey], resources: Mapping[str, Any]) -> AssetsDefinition:
        """Return the definition of an asset or check cell, given what its free names mean now."""
        source = cell.source
        assert source is not None
        roles = self.roles(source, names, resources, cell.label)
        place = (cell.key, cell.order)
        before = self.made.get(place)
        if before is not None and before[0] == roles:
            return before[1]
        function, tree = build(source, roles.parameters, self.namespace, cell.filename)
        attach_tree(function, tree)
        made = self.define(source, function, roles, cell.label)
        self.made[place] = (roles, made)
        return made

    def roles(self, source: CellText, names: Mapping[str, AssetKey], resources: Mapping[str, Any], where: str) -> Roles:
        """Return what each free name of a cell is: context, config, input, resource, or (not listed) a global.

        Raises:
            DagsterInvalidDefinitionError: when the asset reads itself, or a name is both read and assigned.
        """
        free = source.names.free
        inputs = {name: names[name] for name in free if name in names and name not in (CONTEXT, CONFIG)}
        inputs |= self.tables(source, names)
        cut = cut_of_cell(source, names, self.namespace, where) if source.kind == "asset" else UNCUT
        if source.kind == "asset" and source.target in inputs.values() and cut.mapping(source.target) is None:
            raise DagsterInvalidDefinitionError(
                f"asset `{source.target.label}` reads itself",
                where=f"{where}, line {free[source.name]}",
                hint="rename the variable",
            )
        used = {name for name in free if name in resources and name not in inputs}
        config = self.config_class(source, where) if CONFIG in free else None
        context = CONTEXT in free and (CONTEXT not in self.namespace or CONTEXT in source.names.read)
        special = {*inputs, *used, CONTEXT, *([CONFIG] if config is not None else [])}
        for name, line in source.names.read.items():
            if name in source.names.bound and name not in special and name in self.namespace:
                raise DagsterInvalidDefinitionError(
                    f"`{name}` is read from the notebook and then assigned, which a function can't do",
                    where=f"{where}, line {line}",
                    hint=f"give the new one another name, e.g. `{name}_2`",
                )
        return Roles(context, config, tuple(sorted(inputs.items())), tuple(sorted(used)), cut)

    def tables(self, source: CellText, names: Mapping[str, AssetKey]) -> dict[str, AssetKey]:
        """Return the assets that strings of a cell mean, as tables of SQL do; it may also be a database that has them.

        So assets without a value here, the cell's own, and those that it says it waits for aren't among them.
        """
        found = {name: names[name] for name in source.quoted if name in names and name not in (CONTEXT, CONFIG)}
        waited = {source.target, *keys_of(source.options)} if found else set()
        return {name: key for name, key in found.items() if key not in waited and key not in self.valueless}

    def config_class(self, source: CellText, where: str) -> Any:
        """Return the Config class of a cell, or None where ``config`` is a variable like any other.

        Raises:
            DagsterInvalidDefinitionError: when the class doesn't exist, or none was named and there's no variable.
        """
        name = source.options.get(CONFIG)
        if name is None and CONFIG in self.namespace:
            return None
        if name is None:
            raise DagsterInvalidDefinitionError(
                "the body uses `config`, and the cell doesn't say of which class",
                where=where,
                hint="`%%asset NAME --config CLASS`, with `class CLASS(Config): ...` in a cell above",
            )
        if not isinstance(self.namespace.get(name), type):
            known = [n for n, v in self.namespace.items() if isinstance(v, type) and hasattr(v, "model_fields")]
            hint = closest(name, known) or f"run a cell with `class {name}(Config): ...` first"
            raise DagsterInvalidDefinitionError(f"there is no Config class `{name}`", where=where, hint=hint)
        return self.namespace[name]

    def define(self, source: CellText, function: Callable[..., Any], roles: Roles, where: str) -> AssetsDefinition:
        """Return the definition of a cell."""
        signature = Signature(
            function,
            CONTEXT if roles.context else None,
            CONFIG if roles.config is not None else None,
            roles.config,
            {name: name for name in roles.resources},
            tuple(name for name, _ in roles.inputs),
        )
        cut = roles.cut
        ins = {name: AssetIn(key, partition_mapping=cut.mapping(key)) for name, key in roles.inputs}
        options = source.options
        if source.kind == "check":
            return define_check(
                function,
                asset=source.target,
                name=source.name,
                description=options.get("description"),
                blocking=bool(options.get("blocking", False)),
                additional_ins={name: one for name, one in ins.items() if one.key != source.target},
                additional_deps=keys_of(options),
                metadata={**options.get("metadata", {}), **severity(options, where)},
                op_tags=place_tags(options),
                signature=signature,
                origin=where,
            )
        return define_asset(
            function,
            key=source.target,
            ins=ins,
            deps=[AssetDep(key, partition_mapping=cut.mapping(key)) for key in keys_of(options)],
            partitions_def=cut.partitions,
            backfill_policy=cut.policy,
            metadata={**options.get("metadata", {}), **declared(options)},
            tags=options.get("tags"),
            description=options.get("description"),
            group_name=options.get("group"),
            owners=options.get("owners"),
            kinds=options.get("kinds"),
            code_version=options.get("code_version"),
            io_manager_key=options.get("io_manager"),
            retry_policy=retries(options),
            automation_condition=condition_of(options, self.namespace, where),
            freshness_policy=freshness_of(options, self.namespace, where),
            pool=options.get("pool"),
            op_tags=place_tags(options),
            signature=signature,
            origin=where,
        )


@dataclass(frozen=True)
class Roles:
    """Say what the free names of a cell are."""

    context: bool
    config: Any
    inputs: tuple[tuple[str, AssetKey], ...]
    resources: tuple[str, ...]
    cut: Cut = UNCUT

    @property
    def parameters(self) -> list[str]:
        """Return the parameters of the cell's function, in the order in which a person would write them."""
        names = [*([CONTEXT] if self.context else []), *([CONFIG] if self.config is not None else [])]
        return [*names, *(name for name, _ in self.inputs), *self.resources]


def uses(definition: AssetsDefinition, graph: AssetGraph) -> dict[str, str]:
    """Return the resources that decide about the values of a definition: key -> "", or "IO" for what keeps values."""
    if not definition.is_executable:
        return {}
    if "uses" not in definition.memo:
        definition.memo["uses"] = own_uses(definition)
    own, loaded = definition.memo["uses"]
    found = dict(own)
    for key in loaded:
        maker = graph.makers.get(key)
        if maker is not None and not maker.is_executable:
            # the version of an asset that is made here holds its IO manager
            found.setdefault(maker.get_io_manager_key_for_asset_key(key), "IO")
    return found


def own_uses(definition: AssetsDefinition) -> tuple[dict[str, str], list[AssetKey]]:
    """Return the resources of a definition that it says itself, and the assets whose IO managers load them."""
    ports = definition.op.ins
    kept = [key for key in definition.keys if not definition.op.outs[definition.output_of[key]].is_nothing]
    found = {definition.get_io_manager_key_for_asset_key(key): "IO" for key in kept}
    loaded = []
    for argument, key in definition.keys_by_input_name.items():
        if own := ports[argument].input_manager_key:
            found[own] = "IO"
        elif not ports[argument].is_nothing:
            loaded.append(key)
    if isinstance(definition.op, GraphDefinition):  # what goes from one of its ops to another is kept somewhere, too
        inner = [*definition.op.iterate_op_defs()]
        found |= {port.io_manager_key: "IO" for op in inner for port in op.outs.values() if not port.is_nothing}
        found |= {own: "IO" for op in inner for port in op.ins.values() if (own := port.input_manager_key)}
    return {**found, **dict.fromkeys(definition.op.required_resource_keys, "")}, loaded


def holds(value: Any, definition: AssetsDefinition) -> bool:
    """Tell whether a variable's value is a definition, or a Definitions with it."""
    return value is definition or (isinstance(value, Definitions) and definition in value.assets)


def definitions_in(value: Any) -> Iterable[AssetsDefinition]:
    """Return the definitions that a variable holds: itself, those of a list, those of a Definitions."""
    if isinstance(value, AssetsDefinition):
        return [value]
    if isinstance(value, AssetSpec):
        return [external(value)]
    if isinstance(value, Definitions):
        return value.definitions
    if (
        isinstance(value, list | tuple)
        and value
        and all(isinstance(one, AssetsDefinition | AssetSpec) for one in value)
    ):
        return [found for one in value for found in definitions_in(one)]
    return []


def file_of(definition: AssetsDefinition) -> str:
    """Return the file of a definition's function, or "" for external assets."""
    known: str | None = definition.memo.get(FILE)
    if known is None:  # asked twice for each definition in each scan
        code = getattr(definition.op_def.compute_fn, "__code__", None) if definition.op_def is not None else None
        known = definition.memo[FILE] = code.co_filename if code is not None else ""
    return known


def keys_of_all(found: Iterable[AssetsDefinition], sources: Iterable[Cell]) -> set[AssetKey]:
    """Return the assets of some definitions and cells."""
    keys = {key for one in found for key in one.keys}
    return keys | {cell.source.target for cell in sources if cell.source is not None and cell.source.kind == "asset"}


def asset_names(found: Iterable[AssetsDefinition], sources: Iterable[Cell]) -> dict[str, AssetKey]:
    """Return name -> asset: the last part of a key where only one asset has it, and ``a__b`` always."""
    keys = keys_of_all(found, sources)
    short: dict[str, list[AssetKey]] = {}
    for key in sorted(keys, key=lambda key: key.label):
        short.setdefault(key.path[-1], []).append(key)
    exact = {key.to_python_identifier(): key for key in keys}
    return {**{name: same[0] for name, same in short.items() if len(same) == 1}, **exact}


def refuse_doubles(cells: Iterable[Cell]) -> None:
    """Refuse two cells that make one asset or one check.

    Raises:
        DagsterInvalidDefinitionError: naming both cells.
    """
    seen: dict[tuple[str, str, str], Cell] = {}
    for cell in cells:
        source = cell.source
        assert source is not None
        place = (source.kind, source.target.label, source.name)
        if (other := seen.setdefault(place, cell)) is not cell:
            name = source.target.label
            what = f"asset `{name}`" if source.kind == "asset" else f"check `{name}:{source.name}`"
            raise DagsterInvalidDefinitionError(
                f"{what} is in two cells",
                where=f"{other.label} and {cell.label}",
                hint="rename one, or delete one of the cells",
            )


def keys_of(options: Mapping[str, Any]) -> list[AssetKey]:
    """Return the assets that a cell only waits for."""
    return [AssetKey.from_user_string(name) for name in options.get("deps", ())]


def declared(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata that keeps the declared files and environment variables of an asset."""
    named = {FILES: options.get("files"), ENV: options.get("env")}
    return {key: value for key, value in named.items() if value}


def severity(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the metadata that keeps the severity of a check cell.

    Raises:
        DagsterInvalidDefinitionError: when it is neither ERROR nor WARN.
    """
    said = options.get("severity")
    if said is None:
        return {}
    if str(said).upper() not in ("ERROR", "WARN"):
        raise DagsterInvalidDefinitionError(f"a check's severity is ERROR or WARN, not `{said}`", where=where)
    return {"ipy_orch/severity": str(said).upper()}


def retries(options: Mapping[str, Any]) -> RetryPolicy | None:
    """Return the retry policy of an asset cell."""
    if "retries" not in options:
        return None
    return RetryPolicy(max_retries=int(options["retries"]), delay=options.get("retry_delay"))
