"""``@graph_asset`` and ``@graph_multi_asset``: assets that a graph of ops computes, each op a step of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

from ipy_orch.authoring.assets import check_options, joined, key_for, loaded_inputs, multi_outs, own_checks
from ipy_orch.authoring.composition import parameters_of
from ipy_orch.authoring.graphs import composed
from ipy_orch.authoring.ops import documented
from ipy_orch.errors import CheckError
from ipy_orch.model.asset_ports import AssetIn, AssetOut
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.conditions.policies import modern_options
from ipy_orch.model.graphs.graph import GraphDefinition, nested_nodes
from ipy_orch.model.graphs.mappings import GraphIn, GraphOut
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import RESULT, Signature
from ipy_orch.model.specs import DEFAULT_GROUP, AssetDep, AssetSpec
from ipy_orch.model.tags import valid_tags

__all__ = ["graph_asset", "graph_multi_asset"]

Function = Callable[..., Any]


@overload
def graph_asset(compose_fn: Function, /) -> AssetsDefinition: ...
@overload
def graph_asset(compose_fn: None = None, /, **options: Any) -> Callable[[Function], AssetsDefinition]: ...
def graph_asset(compose_fn: Function | None = None, /, **options: Any) -> Any:
    """Make an asset of a graph: its parameters are the assets that it reads, the output that it returns is the asset.

    Args:
        compose_fn: the function, when the decorator is used without arguments; ops are called in it, see ``@graph``.
        **options: those of :func:`define_graph_asset`.

    Returns:
        An AssetsDefinition, or a decorator that makes one.

    Example:
        >>> from ipy_orch.authoring.ops import op
        >>> @op
        ... def double(number):
        ...     return 2 * number
        >>> @graph_asset
        ... def quadruple(number):
        ...     return double(double(number))
        >>> quadruple.asset_deps
        {AssetKey(['quadruple']): {AssetKey(['number'])}}
    """
    if compose_fn is not None:
        return define_graph_asset(compose_fn)
    said = modern_options(options)
    check_options("graph_asset", define_graph_asset, said)
    return lambda function: define_graph_asset(function, **said)


def define_graph_asset(
    function: Function,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    config: Any = None,
    key_prefix: str | Sequence[str] | None = None,
    group_name: str | None = None,
    partitions_def: Any = None,
    hooks: Iterable[Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: Any = None,
    backfill_policy: Any = None,
    resource_defs: Mapping[str, Any] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    code_version: str | None = None,
    key: Any = None,
    kinds: Iterable[str] | None = None,
    freshness_policy: Any = None,
    origin: str = "",
) -> AssetsDefinition:
    """Return the asset that a graph computes; the arguments are those of Dagster's ``@graph_asset``.

    Args:
        function: the body of the graph.
        config: of the ops, as a dict; or a ConfigMapping that makes it of the asset's own.
        check_specs: the checks that the graph makes; it then returns a dict: ``result``, and the checks by name.
        origin: the place that messages name.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
        CheckError: when an op makes nothing that the asset needs.
    """
    asset_key = key_for(function, name, key, key_prefix)
    where = origin or f"asset `{asset_key.label}`"
    loaded = graph_inputs(function, ins or {}, where)
    checks = own_checks(check_specs or (), {asset_key}, where)
    graph = composed(
        function,
        "@graph_asset",
        name=asset_key.to_python_identifier(),
        description=description,
        ins=dict.fromkeys(loaded, GraphIn()),
        out=dict.fromkeys([RESULT, *checks], GraphOut()),
        config=config,
    )
    out = graph.outs[RESULT]
    spec = AssetSpec(
        asset_key,
        deps=[*joined(loaded, ()), *read_inside(graph)],
        description=description or documented(function) or out.description,
        metadata={**out.metadata, **(metadata or {})},
        skippable=not out.is_required,
        group_name=DEFAULT_GROUP if group_name is None else group_name,
        code_version=code_version or out.code_version,
        automation_condition=automation_condition,
        owners=owners,
        tags=tags,
        kinds=kinds,
        partitions_def=partitions_def,
        freshness_policy=freshness_policy,
    )
    valid_tags(spec.tags, where)
    return AssetsDefinition(
        graph,
        (spec,),
        {name: one.key_for(name) for name, one in loaded.items()},
        {RESULT: asset_key},
        checks,
        loaded,
        resource_defs,
        backfill_policy=backfill_policy,
        hook_defs=hooks,
        origin=origin,
    )


def graph_multi_asset(**options: Any) -> Callable[[Function], AssetsDefinition]:
    """Make several assets of one graph; the options are those of :func:`define_graph_multi_asset`."""
    check_options("graph_multi_asset", define_graph_multi_asset, options)
    return lambda function: define_graph_multi_asset(function, **options)


def define_graph_multi_asset(
    function: Function,
    *,
    outs: Mapping[str, AssetOut],
    name: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    partitions_def: Any = None,
    hooks: Iterable[Any] | None = None,
    backfill_policy: Any = None,
    group_name: str | None = None,
    can_subset: bool = False,
    resource_defs: Mapping[str, Any] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    config: Any = None,
    origin: str = "",
) -> AssetsDefinition:
    """Return the assets that a graph computes; the arguments are those of Dagster's ``@graph_multi_asset``.

    Args:
        function: the body of the graph; it returns a dict by output, checks among them.
        outs: output name -> AssetOut; how a value is typed and stored is said by the op that makes it.
        can_subset: only the ops that the selected assets need are run.
        origin: the place that messages name.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
        CheckError: when an op makes nothing that an asset needs.
    """
    label = name or function.__name__
    where = origin or f"graph_multi_asset `{label}`"
    if not isinstance(outs, Mapping):
        raise CheckError(f"{where}: `outs` is a dict, not {outs!r}")
    loaded = graph_inputs(function, ins or {}, where)
    _, made = multi_outs(outs, loaded, (), {}, partitions_def)
    keys = {port: spec.key for port, spec in made.items()}
    checks = own_checks(check_specs or (), set(keys.values()), where)
    graph = composed(
        function,
        "@graph_multi_asset",
        name=label,
        ins=dict.fromkeys(loaded, GraphIn()),
        out=dict.fromkeys([*outs, *checks], GraphOut()),
        config=config,
    )
    return AssetsDefinition(
        graph,
        [whole_spec(spec, graph, port, group_name) for port, spec in made.items()],
        {name: one.key_for(name) for name, one in loaded.items()},
        keys,
        checks,
        loaded,
        resource_defs,
        can_subset,
        backfill_policy=backfill_policy,
        hook_defs=hooks,
        origin=origin,
    )


def graph_inputs(function: Function, ins: Mapping[str, AssetIn], where: str) -> dict[str, AssetIn]:
    """Return argument -> the asset that it stands for."""
    return loaded_inputs(Signature(function, inputs=tuple(parameters_of(function, where))), ins, where)


def read_inside(graph: GraphDefinition) -> list[AssetDep]:
    """Return the assets that are given to ops in the body of a graph, at any depth."""
    graphs = [graph, *(node.definition for _, node in nested_nodes(graph) if node.is_graph)]
    found: dict[AssetKey, None] = {}
    for one in graphs:
        for inputs in one.source_assets.values():  # type: ignore[union-attr]  # is_graph
            found.update(dict.fromkeys(inputs.values()))
    return [AssetDep(key) for key in found]


def whole_spec(spec: AssetSpec, graph: GraphDefinition, port: str, group_name: str | None) -> AssetSpec:
    """Return a spec with what the op that makes the asset says, where the spec says nothing."""
    out = graph.outs[port]
    deps = {dep.asset_key: dep for dep in [*spec.deps, *read_inside(graph)]}
    return spec.replace_attributes(
        deps=list(deps.values()),
        description=spec.description or out.description,
        metadata={**out.metadata, **spec.metadata},
        skippable=not out.is_required,
        code_version=spec.code_version or out.code_version,
        group_name=spec.group_name or group_name,
    )
