"""What is said of the assets of a definition: their attributes, by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.partitions.mappings import PartitionMapping
from ipy_orch.model.partitions.multi_mappings import infer_partition_mapping
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec

__all__ = ["Described"]


class Described:
    """Answer what the specs of a definition say."""

    asset_specs: tuple[AssetSpec, ...]

    @property
    def specs_by_key(self) -> Mapping[AssetKey, AssetSpec]:
        """Return key -> spec of the selected assets."""
        raise NotImplementedError

    def get_partition_mapping(self, in_asset_key: AssetKey) -> Any:
        """Return which partitions of a dependency are read, None where it wasn't said."""
        found = (
            dep.partition_mapping for spec in self.asset_specs for dep in spec.deps if dep.asset_key == in_asset_key
        )
        return next((mapping for mapping in found if mapping is not None), None)

    def get_partition_mapping_for_dep(self, dep_key: AssetKey) -> Any:
        """Return the same as :meth:`get_partition_mapping`, under Dagster's other name."""
        return self.get_partition_mapping(dep_key)

    def infer_partition_mapping(
        self, asset_key: AssetKey, upstream_asset_key: AssetKey, upstream_partitions_def: PartitionsDefinition | None
    ) -> PartitionMapping:
        """Return which partitions of a dependency are read, also where it wasn't said."""
        spec = next(one for one in self.asset_specs if one.key == asset_key)
        said = next((dep.partition_mapping for dep in spec.deps if dep.asset_key == upstream_asset_key), None)
        return infer_partition_mapping(said, spec.partitions_def, upstream_partitions_def)

    @property
    def group_names_by_key(self) -> Mapping[AssetKey, str]:
        """Return asset -> group, ``default`` where none was said."""
        return {key: spec.group_name or DEFAULT_GROUP for key, spec in self.specs_by_key.items()}

    @property
    def metadata_by_key(self) -> Mapping[AssetKey, Mapping[str, Any]]:
        """Return asset -> metadata."""
        return {key: spec.metadata for key, spec in self.specs_by_key.items()}

    @property
    def tags_by_key(self) -> Mapping[AssetKey, Mapping[str, str]]:
        """Return asset -> tags."""
        return {key: spec.tags for key, spec in self.specs_by_key.items()}

    @property
    def owners_by_key(self) -> Mapping[AssetKey, Sequence[str]]:
        """Return asset -> owners."""
        return {key: list(spec.owners) for key, spec in self.specs_by_key.items()}

    @property
    def descriptions_by_key(self) -> Mapping[AssetKey, str]:
        """Return asset -> description, of those that have one."""
        return {key: spec.description for key, spec in self.specs_by_key.items() if spec.description is not None}

    @property
    def code_versions_by_key(self) -> Mapping[AssetKey, str | None]:
        """Return asset -> the code version said, None where it's computed."""
        return {key: spec.code_version for key, spec in self.specs_by_key.items()}

    @property
    def automation_conditions_by_key(self) -> Mapping[AssetKey, Any]:
        """Return asset -> automation condition, of those that have one."""
        found = {key: spec.automation_condition for key, spec in self.specs_by_key.items()}
        return {key: condition for key, condition in found.items() if condition is not None}

    @property
    def partitions_def(self) -> Any:
        """Return the partitions that all assets of it share, or None."""
        found = [spec.partitions_def for spec in self.specs_by_key.values() if spec.partitions_def is not None]
        return found[0] if found else None
