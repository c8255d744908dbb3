"""The specs of a definition's assets: as said, or read from the ports of the op or graph that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import RESULT, In
from ipy_orch.model.specs import DEFAULT_GROUP, IO_MANAGER_KEY, AssetDep, AssetSpec
from ipy_orch.model.types.annotations import Nothing

if TYPE_CHECKING:
    from ipy_orch.model.graphs.graph import GraphDefinition, NodeDefinition

__all__ = [
    "distinct_specs",
    "in_some_group",
    "input_keys",
    "manager_in",
    "nothing_inputs",
    "output_keys",
    "refuse_idle_nodes",
    "refuse_reading_itself",
    "refuse_two_mappings",
    "specs_of_node",
]

SAID_BY_KEY: Final = {
    "group_names_by_key": "group_name",
    "metadata_by_key": "metadata",
    "tags_by_key": "tags",
    "owners_by_key": "owners",
    "descriptions_by_key": "description",
    "code_versions_by_key": "code_version",
    "automation_conditions_by_key": "automation_condition",
}


def in_some_group(spec: AssetSpec) -> AssetSpec:
    """Return the spec, in the default group where it is in none."""
    return spec if spec.group_name else spec.replace_attributes(group_name=DEFAULT_GROUP)


def manager_in(spec: AssetSpec) -> str:
    """Return the IO manager that a spec names, or ""."""
    said = spec.metadata.get(IO_MANAGER_KEY, "")
    return str(getattr(said, "value", said))


def distinct_specs(specs: Iterable[AssetSpec], where: str = "") -> Iterable[AssetSpec]:
    """Return the specs, each once.

    Raises:
        DagsterInvalidDefinitionError: when two of one key differ.
    """
    found: dict[AssetKey, AssetSpec] = {}
    for spec in specs:
        before = found.setdefault(spec.key, spec)
        if before is not spec and before != spec:
            raise DagsterInvalidDefinitionError(f"`{spec.key.label}` has two specs, and they differ", where=where)
    return found.values()


def refuse_two_mappings(specs: Iterable[AssetSpec], where: str = "") -> None:
    """Refuse assets of one definition that read different partitions of one dependency: it is loaded once for all.

    Raises:
        DagsterInvalidDefinitionError: naming the dependency.
    """
    found: dict[AssetKey, Any] = {}
    for dep in (dep for spec in specs for dep in spec.deps if dep.partition_mapping is not None):
        if found.setdefault(dep.asset_key, dep.partition_mapping) != dep.partition_mapping:
            raise DagsterInvalidDefinitionError(f"`{dep.asset_key.label}` has two partition mappings", where=where)


def refuse_reading_itself(spec: AssetSpec, where: str = "") -> None:
    """Refuse an asset that depends on itself, unless each of its partitions reads only earlier ones.

    Raises:
        DagsterInvalidDefinitionError: naming the asset.
    """
    for dep in spec.deps:
        mapping = dep.partition_mapping
        if dep.asset_key == spec.key and not (mapping and mapping.reads_earlier_only(spec.partitions_def)):
            told = "depends on itself: only one partitioned by time can, on its earlier partitions"
            raise DagsterInvalidDefinitionError(
                f"asset `{spec.key.label}` {told}",
                where=where,
                hint="partition_mapping=TimeWindowPartitionMapping(start_offset=-1, end_offset=-1), or in a cell"
                f" `--partition_mapping {spec.key.label}=-1`",
            )


def nothing_inputs(deps: Iterable[AssetDep], taken: Iterable[str] = ()) -> dict[str, tuple[In, AssetKey]]:
    """Return, for dependencies that aren't loaded, input name -> (port, key)."""
    used = set(taken)
    return {
        dep.asset_key.to_python_identifier(): (In(Nothing), dep.asset_key)
        for dep in deps
        if dep.asset_key.to_python_identifier() not in used
    }


# -- read from the ports of an op or graph ----------------------------------------------------------------------------


def input_keys(node: NodeDefinition, given: Mapping[str, AssetKey]) -> dict[str, AssetKey]:
    """Return input -> the asset it loads; by default the one named like it.

    Raises:
        CheckError: when assets are given for other inputs than the node has.
    """
    refuse_others(given, node.ins, f"the inputs of `{node.name}`")
    return {name: given.get(name, AssetKey(name)) for name in node.ins}


def output_keys(
    node: NodeDefinition, given: Mapping[str, AssetKey], checks: Mapping[str, AssetCheckSpec]
) -> dict[str, AssetKey]:
    """Return output -> the asset it is; by default named like it, and a single ``result`` like the node.

    Raises:
        CheckError: when assets are given for other outputs than the node has.
    """
    refuse_others({**given, **checks} if given else {}, node.outs, f"the outputs of `{node.name}`")
    alone = [*node.outs] == [RESULT]
    plain = {name: AssetKey(node.name if alone else name) for name in node.outs if name not in checks}
    return {**plain, **given}


def refuse_others(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    """Refuse a map of ports that has other keys than the ports.

    Raises:
        CheckError: naming one, with the closest.
    """
    if given and given.keys() != known.keys():
        one = min(given.keys() ^ known.keys())
        problem = f"`{one}` isn't among them" if one in given else f"`{one}` is missing"
        hint = closest(one, known) if one in given else ""
        raise CheckError(f"keys are given for {what}: {problem}" + (f"\n  hint: {hint}" if hint else ""))


def specs_of_node(
    node: NodeDefinition,
    keys_by_output_name: Mapping[str, AssetKey],
    keys_by_input_name: Mapping[str, AssetKey],
    *,
    asset_deps: Mapping[AssetKey, Iterable[AssetKey]] | None = None,
    partitions_def: Any = None,
    partition_mappings: Mapping[AssetKey, Any] | None = None,
    **by_key: Mapping[AssetKey, Any] | None,
) -> list[AssetSpec]:
    """Return the specs of the assets that outputs are; each depends on all inputs unless it is said.

    Args:
        by_key: ``group_names_by_key`` and the others of ``SAID_BY_KEY``.

    Raises:
        CheckError: for a partition mapping of what isn't a dependency.
        TypeError: for any other argument.
    """
    unknown = by_key.keys() - SAID_BY_KEY.keys()
    if unknown:
        raise TypeError(f"AssetsDefinition has no argument `{min(unknown)}`")
    mappings = partition_mappings or {}
    internal = {dep for deps in (asset_deps or {}).values() for dep in deps}
    foreign = mappings.keys() - set(keys_by_input_name.values()) - internal
    if foreign:
        raise CheckError(f"there is a partition mapping of `{min(foreign).label}`, which isn't a dependency")

    def spec(name: str, key: AssetKey) -> AssetSpec:
        said = {SAID_BY_KEY[what]: given[key] for what, given in by_key.items() if given and key in given}
        out = node.outs[name]
        deps = (asset_deps or {}).get(key, keys_by_input_name.values())
        metadata = {**out.metadata, **(said.pop("metadata", None) or {})}
        return AssetSpec(
            key,
            deps=[AssetDep(dep, partition_mapping=mappings.get(dep)) for dep in deps],
            skippable=not out.is_required,
            partitions_def=partitions_def,
            metadata=metadata,
            **{"description": out.description, "code_version": out.code_version, **said},
        )

    return [spec(name, key) for name, key in keys_by_output_name.items()]


def refuse_idle_nodes(graph: GraphDefinition, path: str = "") -> None:
    """Refuse a graph for assets in which a node makes nothing that is read or an asset.

    Raises:
        CheckError: naming the node.
    """
    read = {
        one.node
        for inputs in graph.dependencies.values()
        for dependency in inputs.values()
        for one in dependency.get_node_dependencies()
    }
    made = {one.mapped_node_name for one in graph.output_mappings}
    for node in graph.nodes:
        if node.name not in read | made:
            raise CheckError(
                f"`{path}{node.name}` in graph `{graph.name}` makes nothing that an asset needs\n"
                "  hint: return its output, or leave it out"
            )
        if node.is_graph:
            refuse_idle_nodes(node.definition, f"{path}{node.name}.")  # type: ignore[arg-type]  # is_graph


def refuse_unknown_outputs(deps: Mapping[str, Any], keys: Mapping[str, AssetKey]) -> None:
    """Refuse dependencies that are said of an output that isn't an asset.

    Raises:
        CheckError: naming it.
    """
    for name in deps:
        if name not in keys:
            hint = closest(name, keys)
            raise CheckError(f"`internal_asset_deps` names no output: `{name}`" + (f"\n  hint: {hint}" if hint else ""))
