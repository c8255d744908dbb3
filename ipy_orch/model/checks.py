"""Checks: what must hold of an asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ipy_orch.model.keys import AssetCheckKey, AssetKey, valid_name
from ipy_orch.model.ops import set_all
from ipy_orch.model.specs import AssetDep, check_policies, distinct_deps, key_of

__all__ = ["AssetCheckSpec"]


@dataclass(frozen=True, init=False)
class AssetCheckSpec:
    """Describe a check: its name, its asset, and whether it stops what is downstream.

    Args:
        name: letters, digits and underscores.
        asset: a key, a spec or a definition of one asset.
        additional_deps: other assets the check reads.
        blocking: when it fails as an error, what is downstream of the asset doesn't run.

    Raises:
        DagsterInvalidDefinitionError: when the name can't be one.
        ValueError: when ``additional_deps`` holds the asset itself.
        CheckError: for an automation condition that isn't one.
    """

    name: str
    asset_key: AssetKey
    description: str | None
    additional_deps: tuple[AssetDep, ...]
    blocking: bool
    metadata: Mapping[str, Any]
    automation_condition: Any
    partitions_def: Any

    def __init__(
        self,
        name: str,
        *,
        asset: Any,
        description: str | None = None,
        additional_deps: Iterable[Any] | None = None,
        blocking: bool = False,
        metadata: Mapping[str, Any] | None = None,
        automation_condition: Any = None,
        partitions_def: Any = None,
    ) -> None:
        asset_key = key_of(asset)
        valid_name(name, f"name of a check of `{asset_key.label}`")
        check_policies(f"check `{asset_key.label}:{name}`", automation_condition)
        others = distinct_deps(additional_deps or (), f"check `{asset_key.label}:{name}`")
        refuse_own_asset(asset_key, name, others)
        values = (name, asset_key, description, others, blocking, dict(metadata or {}))
        set_all(self, (*values, automation_condition, partitions_def))

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> AssetCheckKey:
        """Return the key of the check."""
        return AssetCheckKey(self.asset_key, self.name)

    def get_python_identifier(self) -> str:
        """Return ``asset_check``, a name for the output or the op of the check."""
        return f"{self.asset_key.to_python_identifier()}_{self.name}"

    def replaced(self, **changes: Any) -> AssetCheckSpec:
        """Return a copy with some arguments replaced."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return AssetCheckSpec(**{"asset": values.pop("asset_key"), **values, **changes})

    def replace_key(self, key: AssetCheckKey) -> AssetCheckSpec:
        """Return a copy for another asset or under another name."""
        return self.replaced(name=key.name, asset=key.asset_key)

    def renamed(self, keys: Mapping[AssetKey, AssetKey]) -> AssetCheckSpec:
        """Return a copy in which old keys of assets are new ones."""
        others = [dep.renamed(keys) for dep in self.additional_deps]
        return self.replaced(asset=keys.get(self.asset_key, self.asset_key), additional_deps=others)

    def with_metadata(self, metadata: Mapping[str, Any]) -> AssetCheckSpec:
        """Return a copy with other metadata."""
        return self.replaced(metadata=metadata)


def refuse_own_asset(asset_key: AssetKey, name: str, deps: Iterable[AssetDep]) -> None:
    """Refuse a check whose own asset is among its additional dependencies.

    Raises:
        ValueError: as Dagster does; the decorators raise DagsterInvalidDefinitionError.
    """
    if any(dep.asset_key == asset_key for dep in deps):
        raise ValueError(
            f"check `{name}` names its own asset `{asset_key.label}` in `additional_deps`: a check always depends on it"
        )
