"""What an asset is called and belongs to, without how it is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.freshness import FreshnessPolicy, LegacyFreshnessPolicy
from ipy_orch.model.keys import AssetKey, FrozenList, labels
from ipy_orch.model.ops import set_all
from ipy_orch.model.tags import KIND, valid_tags

__all__ = ["AssetDep", "AssetSpec"]

DEFAULT_GROUP = "default"
IO_MANAGER_KEY = "dagster/io_manager_key"
DAGSTER_TYPE = "dagster/dagster_type"
STUB = "dagster/auto_created_stub_asset"
MAX_KINDS = 10

_EMAIL = re.compile(r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")
_GROUP = re.compile(r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$")


@dataclass(frozen=True, init=False, order=True)
class AssetDep:
    """Say that an asset depends on another, and how their partitions correspond.

    Args:
        asset: a key, a spec or a definition of one asset.
        partition_mapping: which partitions of it are read.
        metadata: facts about the dependency.
    """

    asset_key: AssetKey
    partition_mapping: Any
    metadata: Mapping[str, Any]

    def __init__(self, asset: Any, *, partition_mapping: Any = None, metadata: Mapping[str, Any] | None = None) -> None:
        set_all(self, (key_of(asset), partition_mapping, dict(metadata or {})))

    def __hash__(self) -> int:
        return hash(self.asset_key)

    def renamed(self, keys: Mapping[AssetKey, AssetKey]) -> AssetDep:
        """Return a copy in which an old key is a new one."""
        key = keys.get(self.asset_key, self.asset_key)
        return AssetDep(key, partition_mapping=self.partition_mapping, metadata=self.metadata)

    @staticmethod
    def from_coercible(arg: Any) -> AssetDep:
        """Return ``arg`` as an AssetDep."""
        return arg if isinstance(arg, AssetDep) else AssetDep(arg)


@dataclass(frozen=True, init=False)
class AssetSpec:
    """Describe an asset: its key, what it depends on, and what people say of it.

    Args:
        key: an AssetKey, ``"a/b"`` or a sequence of strings.
        deps: assets it depends on without loading them through an IO manager.
        skippable: whether its step may finish without materializing it.
        code_version: opts out of the computed code version.
        owners: e-mail addresses or ``team:name``.
        group_name: letters, digits and ``_``; ``a/b`` is a group inside a group.
        tags: labels; a value is letters, digits, ``_``, ``-`` and ``.``.
        kinds: up to ten technologies, e.g. ``{"python", "duckdb"}``; kept as tags.

    Raises:
        DagsterInvalidDefinitionError: when a group, owner, tag or kind isn't well formed.
        CheckError: when an argument has a wrong type.
    """

    key: AssetKey
    deps: tuple[AssetDep, ...]
    description: str | None
    metadata: Mapping[str, Any]
    skippable: bool
    group_name: str | None
    code_version: str | None
    automation_condition: Any
    owners: tuple[str, ...]
    tags: Mapping[str, str]
    partitions_def: Any
    freshness_policy: Any
    is_virtual: bool

    def __init__(
        self,
        key: Any,
        *,
        deps: Iterable[Any] | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        skippable: bool = False,
        group_name: str | None = None,
        code_version: str | None = None,
        automation_condition: Any = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] | None = None,
        partitions_def: Any = None,
        freshness_policy: Any = None,
        is_virtual: bool = False,
    ) -> None:
        asset_key = AssetKey.from_coercible(key)
        where = f"asset `{asset_key.label}`"
        check_types(where, str, description=description, group_name=group_name, code_version=code_version)
        check_types(where, Mapping, metadata=metadata, tags=tags)
        check_policies(where, automation_condition, freshness_policy)
        valid_group(group_name, where)
        labels = {**valid_tags(tags, where), **kind_tags(kinds, where)}
        few_kinds(labels, where)
        dependencies = distinct_deps(deps or (), where)
        values = (asset_key, dependencies, description, dict(metadata or {}), skippable, group_name, code_version)
        rest = (automation_condition, valid_owners(owners, where), labels, partitions_def, freshness_policy, is_virtual)
        set_all(self, (*values, *rest))

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def kinds(self) -> set[str]:
        """Return the technologies, e.g. ``{"python"}``."""
        return {tag.removeprefix(KIND) for tag in self.tags if tag.startswith(KIND)}

    @property
    def legacy_freshness_policy(self) -> LegacyFreshnessPolicy | None:
        """Return its freshness policy, where that is one as Dagster had them before."""
        return self.freshness_policy if isinstance(self.freshness_policy, LegacyFreshnessPolicy) else None

    @property
    def partition_mappings(self) -> Mapping[AssetKey, Any]:
        """Return dependency -> partition mapping, of those that have one."""
        return {dep.asset_key: dep.partition_mapping for dep in self.deps if dep.partition_mapping is not None}

    def replace_attributes(self, **changes: Any) -> AssetSpec:
        """Return a copy in which what is given replaces the old; ``tags`` leaves the kinds, ``kinds`` the tags."""
        current: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        said = {name: value for name, value in changes.items() if value is not ...}
        kinds = said.pop("kinds", self.kinds)
        tags = said.pop("tags", current.pop("tags"))
        plain = {tag: value for tag, value in (tags or {}).items() if not tag.startswith(KIND) or tag not in self.tags}
        return AssetSpec(**{**current, **said, "tags": plain, "kinds": kinds})

    def _replace(self, **changes: Any) -> AssetSpec:
        """Return a copy with other fields, as named tuples have it: ``tags`` are all labels, also those of kinds."""
        return AssetSpec(**{**{name: getattr(self, name) for name in self.__dataclass_fields__}, **changes})

    def merge_attributes(
        self,
        *,
        deps: Iterable[Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] | None = None,
    ) -> AssetSpec:
        """Return a copy to which these are added; an existing key of metadata or tags takes the new value."""
        return self.replace_attributes(
            deps=[*self.deps, *(deps or ())],
            metadata={**self.metadata, **(metadata or {})},
            owners=[*self.owners, *(owners or ())],
            tags={**self.tags, **(tags or {})},
            kinds=[*sorted(self.kinds), *(kinds or ())],
        )

    def renamed(self, keys: Mapping[AssetKey, AssetKey]) -> AssetSpec:
        """Return a copy in which old keys are new ones, its own and those of its dependencies."""
        return self.replace_attributes(key=keys.get(self.key, self.key), deps=[dep.renamed(keys) for dep in self.deps])

    def with_io_manager_key(self, io_manager_key: str) -> AssetSpec:
        """Return a copy whose values are stored and loaded by another IO manager."""
        return self.replace_attributes(metadata={**self.metadata, IO_MANAGER_KEY: io_manager_key})


def key_of(asset: Any) -> AssetKey:
    """Return the key of whatever names exactly one asset.

    Raises:
        DagsterInvalidDefinitionError: for a definition of several assets.
        CheckError: for what isn't an asset.
    """
    if isinstance(asset, AssetKey):
        return asset
    if isinstance(asset, str):
        return AssetKey(asset)
    keys = getattr(asset, "keys", None)
    if not isinstance(asset, Mapping) and keys is not None and not callable(keys):
        if len(keys) != 1:
            raise DagsterInvalidDefinitionError(
                f"a dependency is one asset, and this definition has {len(keys)}: {', '.join(labels(sorted(keys)))}",
                hint="name the one by its key",
            )
        return next(iter(keys))  # type: ignore[no-any-return]
    key = getattr(asset, "key", None)
    if isinstance(key, AssetKey):
        return key
    if isinstance(asset, Sequence):
        return AssetKey(asset)
    raise CheckError(f"{asset!r} isn't an asset: give a key, a spec or a definition")


def distinct_deps(deps: Iterable[Any], where: str = "") -> FrozenList[AssetDep]:
    """Return the dependencies, each once and in order.

    Raises:
        DagsterInvariantViolationError: when one is named twice with different partition mappings.
    """
    found: dict[AssetKey, AssetDep] = {}
    for dep in flat_deps(deps):
        before = found.setdefault(dep.asset_key, dep)
        if before != dep:
            raise DagsterInvariantViolationError(
                f"`{dep.asset_key.label}` is a dependency twice, with different partition mappings", where=where
            )
    return FrozenList(found.values())


def flat_deps(deps: Iterable[Any]) -> Iterable[AssetDep]:
    """Yield one AssetDep for each asset; a definition of several stands for all of them."""
    if isinstance(deps, str):
        raise CheckError(f"`deps` is a list of assets, not the string {deps!r}")
    for dep in deps:
        keys = getattr(dep, "keys", None)
        if isinstance(keys, set | frozenset) and len(keys) != 1:
            yield from map(AssetDep, sorted(keys))
        else:
            yield AssetDep.from_coercible(dep)


def check_policies(where: str, automation_condition: Any = None, freshness_policy: Any = None) -> None:
    """Refuse a condition or a policy that isn't one.

    Raises:
        CheckError: with what to write.
    """
    if automation_condition is not None and not isinstance(automation_condition, AutomationCondition):
        raise CheckError(
            f"{where}: `automation_condition` is an AutomationCondition, not {automation_condition!r}"
            "\n  hint: AutomationCondition.eager()"
        )
    if freshness_policy is not None and not isinstance(freshness_policy, FreshnessPolicy | LegacyFreshnessPolicy):
        raise CheckError(
            f"{where}: `freshness_policy` is a FreshnessPolicy, not {freshness_policy!r}"
            "\n  hint: FreshnessPolicy.time_window(fail_window=timedelta(hours=24))"
        )


def check_types(where: str, kind: type, **arguments: Any) -> None:
    """Refuse arguments that are neither None nor of the type wanted.

    Raises:
        CheckError: naming the argument.
    """
    for name, value in arguments.items():
        if value is not None and not isinstance(value, kind):
            raise CheckError(f"{where}: `{name}` is a {kind.__name__.lower()}, not {value!r}")


def refuse_others(found: Iterable[Any], kind: Any, what: str, noun: str) -> None:
    """Refuse elements of another type.

    Raises:
        CheckError: naming the first.
    """
    for one in found:
        if not isinstance(one, kind):
            raise CheckError(f"{what} holds {one!r}, which isn't {noun}")


def valid_group(name: str | None, where: str) -> None:
    """Refuse a group that can't be one.

    Raises:
        DagsterInvalidDefinitionError: when it is empty or holds other characters.
    """
    if name == "":
        raise DagsterInvalidDefinitionError("a group's name can't be empty", where=where, hint="leave `group_name` out")
    if name is not None and not _GROUP.match(name):
        raise DagsterInvalidDefinitionError(
            f"`{name}` can't be a group name: letters, digits and `_`, and `/` between a group and one inside it",
            where=where,
            hint=f"`{re.sub(r'[^A-Za-z0-9_]+', '_', name).strip('_') or 'ingest'}`",
        )


def kind_tags(kinds: Iterable[str] | None, where: str = "") -> dict[str, str]:
    """Return kinds as the tags that keep them.

    Raises:
        CheckError: when they are one string and not several.
    """
    if isinstance(kinds, str):
        raise CheckError(f"{where}: `kinds` is a set of strings, not the string {kinds!r}")
    return {f"{KIND}{kind}": "" for kind in kinds or ()}


def few_kinds(tags: Mapping[str, str], where: str) -> None:
    """Refuse more kinds than the picture of an asset can show."""
    if sum(tag.startswith(KIND) for tag in tags) > MAX_KINDS:
        raise DagsterInvalidDefinitionError(f"an asset has at most {MAX_KINDS} kinds", where=where)


def valid_owners(owners: Sequence[str] | None, where: str) -> FrozenList[str]:
    """Return the owners when each is an e-mail address or ``team:name``.

    Raises:
        DagsterInvalidDefinitionError: otherwise.
    """
    for owner in owners or ():
        if not isinstance(owner, str):
            raise CheckError(f"an owner is a string, not {owner!r}")
        if not (_EMAIL.match(owner) or (owner.startswith("team:") and owner != "team:")):
            raise DagsterInvalidDefinitionError(
                f"`{owner}` can't be an owner: an owner is an e-mail address or `team:name`",
                where=where,
                hint=f"team:{re.sub(r'[^A-Za-z0-9_]', '_', owner)}",
            )
    return FrozenList(dict.fromkeys(owners or ()))
