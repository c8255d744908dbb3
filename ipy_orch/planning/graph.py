"""The graph of assets: who depends on whom. Derived from definitions, never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.assets import AssetsDefinition, SourceAsset, external
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.model.policies import BackfillPolicy
from ipy_orch.model.specs import STUB, AssetSpec
from ipy_orch.model.tags import COMPUTE_KIND

__all__ = ["AssetGraph", "AssetNode", "ancestors", "descendants", "topological"]

K = TypeVar("K", bound=Any)
Edges = Mapping[AssetKey, frozenset[AssetKey]]


@dataclass(frozen=True, eq=False)
class AssetGraph:
    """Answer what is upstream and downstream of what; every map is in order of lineage.

    Args:
        definitions: as given; external assets that are only named in dependencies are added by :meth:`of`.
        upstream: asset -> assets it depends on.
        makers: asset -> definition.
        check_makers: check -> definition.
    """

    definitions: tuple[AssetsDefinition, ...]
    upstream: Edges
    makers: Mapping[AssetKey, AssetsDefinition]
    check_makers: Mapping[AssetCheckKey, AssetsDefinition]

    @staticmethod
    def of(definitions: Iterable[AssetsDefinition]) -> AssetGraph:
        """Build the graph.

        Raises:
            DagsterInvalidDefinitionError: when two definitions make one asset or check, or when there's a cycle.
        """
        found = tuple(definitions)
        makers, check_makers = by_key(found)
        stubs = stubs_for(found, makers)
        makers = {**makers, **stubs}
        edges = {key: frozenset(makers[key].asset_deps.get(key, ())) for key in makers}
        loose = {key: deps - {key} for key, deps in edges.items()}
        order = topological({key: sorted(deps) for key, deps in loose.items()}, lambda key: makers[key].origin)
        upstream, ordered = {key: loose[key] for key in order}, {key: makers[key] for key in order}
        return AssetGraph((*found, *stubs.values()), upstream, ordered, check_makers)

    @property
    def keys(self) -> tuple[AssetKey, ...]:
        """Return all assets, upstream first."""
        return tuple(self.upstream)

    @cached_property
    def defined_keys(self) -> frozenset[AssetKey]:
        """Return the assets that are made or declared here, without those that are only named in dependencies."""
        return frozenset(key for key in self.upstream if not self.makers[key].is_auto_created_stub)

    @property
    def materializable_keys(self) -> tuple[AssetKey, ...]:
        """Return the assets that something here makes, upstream first."""
        return tuple(key for key in self.upstream if self.makers[key].is_materializable)

    @property
    def executable_keys(self) -> tuple[AssetKey, ...]:
        """Return the assets that running does something to, upstream first."""
        return tuple(key for key in self.upstream if self.makers[key].is_executable)

    @cached_property
    def is_partitioned(self) -> bool:
        """Tell whether an asset or a check in it has partitions."""
        assets = any(spec.partitions_def is not None for one in self.definitions for spec in one.asset_specs)
        return assets or any(spec.partitions_def is not None for one in self.definitions for spec in one.check_specs)

    @cached_property
    def downstream(self) -> Edges:
        """Return asset -> assets that depend on it."""
        found: dict[AssetKey, set[AssetKey]] = {key: set() for key in self.upstream}
        for key, deps in self.upstream.items():
            for dep in deps:
                found[dep].add(key)
        return {key: frozenset(below) for key, below in found.items()}

    @cached_property
    def position(self) -> Mapping[AssetKey, int]:
        """Return asset -> its place in the order of lineage."""
        return {key: number for number, key in enumerate(self.upstream)}

    @cached_property
    def checks(self) -> Mapping[AssetCheckKey, AssetCheckSpec]:
        """Return check -> spec."""
        return {spec.key: spec for one in self.definitions for spec in one.check_specs}

    @cached_property
    def checks_of(self) -> Mapping[AssetKey, tuple[AssetCheckKey, ...]]:
        """Return asset -> its checks."""
        found: dict[AssetKey, list[AssetCheckKey]] = {}
        for key in self.checks:
            found.setdefault(key.asset_key, []).append(key)
        return {key: tuple(checks) for key, checks in found.items()}

    @property
    def asset_check_keys(self) -> frozenset[AssetCheckKey]:
        """Return all checks."""
        return frozenset(self.checks)

    @property
    def asset_dep_graph(self) -> Mapping[str, Edges]:
        """Return both directions: ``upstream`` and ``downstream``."""
        return {"upstream": self.upstream, "downstream": self.downstream}

    @property
    def assets_defs(self) -> Sequence[AssetsDefinition]:
        """Return all definitions, also those that stand for what is only named."""
        return self.definitions

    # -- kinds of assets, by Dagster's names ---------------------------------------------------------------------------

    @property
    def asset_nodes(self) -> Sequence[AssetNode]:
        """Return what is known of each asset, upstream first."""
        return [self.get(key) for key in self.upstream]

    @property
    def materializable_asset_keys(self) -> set[AssetKey]:
        """Return the assets that something here makes."""
        return set(self.materializable_keys)

    @property
    def observable_asset_keys(self) -> set[AssetKey]:
        """Return the assets that running observes."""
        return {key for key, one in self.makers.items() if one.is_observable}

    @property
    def external_asset_keys(self) -> set[AssetKey]:
        """Return the assets that nothing here makes."""
        return {key for key, one in self.makers.items() if one.is_external}

    @property
    def executable_asset_keys(self) -> set[AssetKey]:
        """Return the assets that running does something to."""
        return set(self.executable_keys)

    @property
    def unpartitioned_asset_keys(self) -> set[AssetKey]:
        """Return the assets without partitions."""
        return {key for key in self.upstream if self.spec(key).partitions_def is None}

    @property
    def root_materializable_asset_keys(self) -> set[AssetKey]:
        """Return the assets that something here makes, and that depend on no other such asset at any distance."""
        made, below = self.materializable_asset_keys, set[AssetKey]()
        for key, deps in self.upstream.items():
            if any(dep in made or dep in below for dep in deps):
                below.add(key)
        return made - below

    @property
    def all_group_names(self) -> set[str]:
        """Return the groups that assets are in."""
        return {str(self.spec(key).group_name) for key in self.upstream}

    def asset_keys_for_group(self, group_name: str) -> set[AssetKey]:
        """Return the assets of a group."""
        return {key for key in self.upstream if self.spec(key).group_name == group_name}

    @cached_property
    def toposorted_asset_keys_by_level(self) -> Sequence[Sequence[AssetKey]]:
        """Return the assets by how many others are above them at most, in order of their names."""
        level: dict[AssetKey, int] = {}
        for key, deps in self.upstream.items():
            level[key] = max((level[dep] + 1 for dep in deps), default=0)
        levels: list[list[AssetKey]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
        for key in sorted(level):
            levels[level[key]].append(key)
        return levels

    @property
    def toposorted_asset_keys(self) -> Sequence[AssetKey]:
        """Return the assets level by level."""
        return [key for level in self.toposorted_asset_keys_by_level for key in level]

    # -- one of them ---------------------------------------------------------------------------------------------------

    def get_check_spec(self, key: AssetCheckKey) -> AssetCheckSpec:
        """Return the spec of a check."""
        return self.checks[key]

    def get_all_asset_keys(self) -> frozenset[AssetKey]:
        """Return all assets."""
        return frozenset(self.upstream)

    def get(self, key: AssetKey) -> AssetNode:
        """Return what is known of an asset in this graph.

        Raises:
            DagsterInvariantViolationError: when nothing knows it, with the closest name.
        """
        return AssetNode(self, self.maker(key), self.spec(key))

    def has(self, key: AssetKey) -> bool:
        """Tell whether there is an asset of this key."""
        return key in self.makers

    def spec(self, key: AssetKey) -> AssetSpec:
        """Return the spec of an asset."""
        return self.maker(key).specs_by_key[key]

    def kinds(self, key: AssetKey) -> list[str]:
        """Return the technologies of an asset, in order; where none was said, the kind that its op is tagged with."""
        node = self.maker(key).op_def
        said = node.tags.get(COMPUTE_KIND) if node is not None else None
        return sorted(self.spec(key).kinds) or ([str(said)] if said else [])

    def maker(self, key: AssetKey) -> AssetsDefinition:
        """Return the definition that makes an asset.

        Raises:
            DagsterInvariantViolationError: when nothing knows it, with the closest name.
        """
        if key not in self.makers:
            raise DagsterInvariantViolationError(
                f"there is no asset `{key.label}`", hint=closest(key.label, labels(self.makers))
            )
        return self.makers[key]

    def in_order(self, keys: Iterable[AssetKey]) -> list[AssetKey]:
        """Return the assets in order of lineage."""
        return sorted(keys, key=self.position.__getitem__)


@dataclass(frozen=True, eq=False)
class AssetNode:
    """Be an asset in its place in a graph; what its spec says can be asked of it as well."""

    graph: AssetGraph
    assets_def: AssetsDefinition
    spec: AssetSpec

    @property
    def parent_keys(self) -> frozenset[AssetKey]:
        """Return the assets it depends on."""
        return self.graph.upstream[self.spec.key]

    @property
    def child_keys(self) -> frozenset[AssetKey]:
        """Return the assets that depend on it."""
        return self.graph.downstream[self.spec.key]

    @property
    def check_keys(self) -> frozenset[AssetCheckKey]:
        """Return its checks."""
        return frozenset(self.graph.checks_of.get(self.spec.key, ()))

    @property
    def is_materializable(self) -> bool:
        """Tell whether something here makes it."""
        return self.assets_def.is_materializable

    @property
    def is_observable(self) -> bool:
        """Tell whether running it observes it."""
        return self.assets_def.is_observable

    @property
    def is_executable(self) -> bool:
        """Tell whether running it does something."""
        return self.assets_def.is_executable

    @property
    def is_external(self) -> bool:
        """Tell whether nothing here makes it."""
        return self.assets_def.is_external

    @property
    def is_partitioned(self) -> bool:
        """Tell whether it has partitions."""
        return self.spec.partitions_def is not None

    @property
    def kinds(self) -> set[str]:
        """Return the technologies."""
        return self.spec.kinds

    @property
    def backfill_policy(self) -> BackfillPolicy | None:
        """Return how many partitions one run of it makes."""
        policy: BackfillPolicy | None = self.assets_def.backfill_policy
        return policy

    def to_asset_spec(self) -> AssetSpec:
        """Return its spec."""
        return self.spec

    @property
    def auto_materialize_policy(self) -> Any:
        """Return its condition as a policy as Dagster had them before."""
        condition = self.spec.automation_condition
        return None if condition is None else condition.as_auto_materialize_policy()

    def __getattr__(self, name: str) -> Any:
        if name in AssetSpec.__dataclass_fields__:
            return getattr(self.spec, name)
        raise AttributeError(name)


def by_key(
    definitions: Iterable[AssetsDefinition],
) -> tuple[dict[AssetKey, AssetsDefinition], dict[AssetCheckKey, AssetsDefinition]]:
    """Return who makes each asset and each check.

    Raises:
        DagsterInvalidDefinitionError: when two do; the message names both places.
    """
    makers: dict[AssetKey, AssetsDefinition] = {}
    check_makers: dict[AssetCheckKey, AssetsDefinition] = {}
    for one in definitions:
        for key in one.keys:
            other = makers.setdefault(key, one)
            if isinstance(other, SourceAsset):
                makers[key] = one
            elif other is not one and not isinstance(one, SourceAsset) and not same_source(key, other, one):
                raise twice(f"asset `{key.label}`", other, one)
        for check in one.check_keys:
            if check_makers.setdefault(check, one) is not one:
                raise twice(f"check `{check.label}`", check_makers[check], one)
    return makers, check_makers


def same_source(key: AssetKey, one: AssetsDefinition, other: AssetsDefinition) -> bool:
    """Tell whether two definitions describe one external asset alike."""
    return not (one.is_executable or other.is_executable) and one.specs_by_key[key] == other.specs_by_key[key]


def stubs_for(
    definitions: Iterable[AssetsDefinition], makers: Mapping[AssetKey, AssetsDefinition]
) -> dict[AssetKey, AssetsDefinition]:
    """Return external assets that stand for those that are only named in dependencies, with what these say of them.

    Raises:
        DagsterInvalidDefinitionError: when two dependencies say different things of one.
    """
    told: dict[AssetKey, dict[str, Any]] = {}
    for one in definitions:
        said = {dep.asset_key: dep.metadata for spec in one.specs for dep in spec.deps if dep.metadata}
        for key in (key for key in one.dependency_keys if key not in makers):
            metadata = told.setdefault(key, {})
            for name, value in said.get(key, {}).items():
                if metadata.setdefault(name, value) != value:
                    raise DagsterInvalidDefinitionError(
                        f"two dependencies on `{key.label}` say different things of it: `{name}`", where=one.origin
                    )
    return {key: external(AssetSpec(key, metadata={**told[key], STUB: True})) for key in sorted(told)}


def twice(what: str, first: AssetsDefinition, second: AssetsDefinition) -> DagsterInvalidDefinitionError:
    """Return the error for two definitions of one thing."""
    places = " and ".join(place for place in (first.origin, second.origin) if place)
    return DagsterInvalidDefinitionError(
        f"{what} is defined twice", where=places, hint="rename one, or delete it and `%forget` it"
    )


def topological(upstream: Mapping[K, Iterable[K]], origin: Callable[[K], str] = lambda _: "") -> list[K]:
    """Return the keys, dependencies first, otherwise in the order given. No recursion: a chain of 10,000 is fine.

    Raises:
        DagsterInvalidDefinitionError: when there's a cycle; the message walks along it.
    """
    order: list[K] = []
    state: dict[K, int] = {}
    for root in upstream:
        if root in state:
            continue
        state[root] = 1
        path: list[tuple[K, Iterator[K]]] = [(root, iter(upstream[root]))]
        while path:
            key, rest = path[-1]
            for dep in rest:
                mark = state.get(dep)
                if mark == 1:
                    raise cycle([k for k, _ in path], dep, origin)
                if mark is None:
                    state[dep] = 1
                    path.append((dep, iter(upstream[dep])))
                    break
            else:
                path.pop()
                state[key] = 2
                order.append(key)
    return order


def cycle(path: list[K], back: K, origin: Callable[[K], str]) -> DagsterInvalidDefinitionError:
    """Return the error that walks along a cycle."""
    loop = [*path[path.index(back) :], back]
    names = " ← ".join(f"`{getattr(key, 'label', key)}`" for key in loop)
    places = ", ".join(dict.fromkeys(filter(None, map(origin, loop))))
    return DagsterInvalidDefinitionError(
        f"the assets depend on each other in a circle: {names}",
        where=places,
        hint="one of them must not read the other",
    )


def ancestors(edges: Mapping[K, Iterable[K]], keys: Iterable[K], depth: int | None = None) -> set[K]:
    """Return the keys and what they reach along ``edges`` within ``depth`` steps (None: all the way)."""
    seen = set(keys)
    front = set(seen)
    while front and (depth is None or depth > 0):
        front = {dep for key in front for dep in edges.get(key, ())} - seen
        seen |= front
        depth = None if depth is None else depth - 1
    return seen


def descendants(graph: AssetGraph, keys: Iterable[AssetKey], depth: int | None = None) -> set[AssetKey]:
    """Return the keys and what depends on them within ``depth`` steps."""
    return ancestors(graph.downstream, keys, depth)
