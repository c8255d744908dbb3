"""How an argument of an asset's function is loaded, and what an output of a multi_asset is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.keys import AssetKey, FrozenList
from ipy_orch.model.ops import IO_MANAGER, NO_VALUE, Out, set_all
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.tags import KIND, valid_tags
from ipy_orch.model.types.annotations import column_schema_of

__all__ = ["AssetIn", "AssetOut"]


@dataclass(frozen=True, eq=False, init=False)
class AssetIn:
    """Say which asset an argument loads, and how.

    Args:
        key: the asset; by default the one named like the argument.
        key_prefix: put before the argument's name to make the key.
        input_manager_key: the resource that loads it instead of the asset's own IO manager.
        partition_mapping: which partitions of it are loaded.
        dagster_type: ``Nothing`` makes it a dependency that isn't loaded.
    """

    key: AssetKey | None
    metadata: Mapping[str, Any] | None
    key_prefix: tuple[str, ...] | None
    input_manager_key: str | None
    partition_mapping: Any
    dagster_type: Any

    def __init__(
        self,
        key: Any = None,
        metadata: Mapping[str, Any] | None = None,
        key_prefix: str | Sequence[str] | None = None,
        input_manager_key: str | None = None,
        partition_mapping: Any = None,
        dagster_type: Any = NO_VALUE,
    ) -> None:
        if key is not None and key_prefix is not None:
            raise CheckError("give `key` or `key_prefix`, not both")
        prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix) if key_prefix else None
        asset_key = AssetKey.from_coercible_or_definition(key) if key is not None else None
        set_all(self, (asset_key, metadata, prefix, input_manager_key, partition_mapping, dagster_type))

    @staticmethod
    def from_coercible(arg: Any) -> AssetIn:
        """Return ``arg`` as an AssetIn."""
        return arg if isinstance(arg, AssetIn) else AssetIn(key=arg)

    def key_for(self, argument: str) -> AssetKey:
        """Return the asset that the argument of this name loads."""
        return self.key or AssetKey([*(self.key_prefix or ()), argument])

    def with_key(self, key: AssetKey) -> AssetIn:
        """Return a copy that loads ``key``."""
        return AssetIn(key, self.metadata, None, self.input_manager_key, self.partition_mapping, self.dagster_type)


@dataclass(frozen=True, eq=False, init=False)
class AssetOut:
    """Describe one asset of a ``@multi_asset``; the arguments are those of AssetSpec and Out."""

    key: AssetKey | None
    key_prefix: tuple[str, ...]
    dagster_type: Any
    description: str | None
    is_required: bool
    io_manager_key: str
    metadata: Mapping[str, Any]
    group_name: str | None
    code_version: str | None
    automation_condition: Any
    owners: tuple[str, ...]
    tags: Mapping[str, str]
    kinds: frozenset[str]
    backfill_policy: Any
    freshness_policy: Any
    is_virtual: bool

    def __init__(
        self,
        key_prefix: str | Sequence[str] | None = None,
        key: Any = None,
        dagster_type: Any = NO_VALUE,
        description: str | None = None,
        is_required: bool = True,
        io_manager_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        group_name: str | None = None,
        code_version: str | None = None,
        automation_condition: Any = None,
        backfill_policy: Any = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] | None = None,
        freshness_policy: Any = None,
        is_virtual: bool = False,
    ) -> None:
        if key is not None and key_prefix:
            raise CheckError("give `key` or `key_prefix`, not both")
        prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix or ())
        asset_key = AssetKey.from_coercible(key) if key is not None else None
        values = (asset_key, prefix, dagster_type, description, is_required, io_manager_key or IO_MANAGER)
        labels = (dict(metadata or {}), group_name, code_version, automation_condition, FrozenList(owners or ()))
        rest = (dict(tags or {}), frozenset(kinds or ()), backfill_policy, freshness_policy, is_virtual)
        set_all(self, (*values, *labels, *rest))
        valid_tags(self.to_spec(asset_key or AssetKey("out"), ()).tags, "AssetOut")

    def to_out(self) -> Out:
        """Return the op's port."""
        return Out(
            self.dagster_type, self.description, self.is_required, self.io_manager_key, self.metadata, self.code_version
        )

    def to_spec(self, key: AssetKey, deps: Iterable[Any], partitions_def: Any = None) -> AssetSpec:
        """Return the spec of the asset under ``key``."""
        return AssetSpec(
            key,
            deps=deps,
            description=self.description,
            metadata={**column_schema_of(self.dagster_type), **self.metadata},
            skippable=not self.is_required,
            group_name=self.group_name,
            code_version=self.code_version,
            automation_condition=self.automation_condition,
            owners=self.owners,
            tags=self.tags,
            kinds=self.kinds,
            partitions_def=partitions_def,
            freshness_policy=self.freshness_policy,
            is_virtual=self.is_virtual,
        )

    @staticmethod
    def from_spec(
        spec: AssetSpec, dagster_type: Any = NO_VALUE, is_required: bool = True, io_manager_key: str | None = None
    ) -> AssetOut:
        """Return an AssetOut that says what ``spec`` says.

        Raises:
            DagsterInvalidDefinitionError: for a spec with dependencies, which an AssetOut can't say.
        """
        if spec.deps:
            raise DagsterInvalidDefinitionError(
                f"`{spec.key.label}` has dependencies, and an AssetOut can't", hint="say them in `internal_asset_deps`"
            )
        tags = {tag: value for tag, value in spec.tags.items() if not tag.startswith(KIND)}
        return AssetOut(
            key=spec.key,
            dagster_type=dagster_type,
            description=spec.description,
            is_required=is_required,
            io_manager_key=io_manager_key,
            metadata=spec.metadata,
            group_name=spec.group_name,
            code_version=spec.code_version,
            automation_condition=spec.automation_condition,
            owners=spec.owners,
            tags=tags,
            kinds=spec.kinds,
            freshness_policy=spec.freshness_policy,
            is_virtual=spec.is_virtual,
        )
