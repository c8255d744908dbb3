"""How the asset of a cell is cut into partitions: what its options say, with the notebook's variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipy_orch.authoring.cells.cells import CellText
from ipy_orch.authoring.cells.partitions import of_notebook, read_mapping, read_partitions, read_policy
from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.partitions.mappings import PartitionMapping

__all__ = ["UNCUT", "Cut", "cut_of_cell"]


@dataclass(frozen=True)
class Cut:
    """Be how an asset is partitioned.

    Args:
        mappings: which partitions of what it reads are read; the others follow from their kinds.
        policy: how many partitions one call makes.
    """

    partitions: PartitionsDefinition | None = None
    mappings: tuple[tuple[AssetKey, PartitionMapping], ...] = ()
    policy: Any = None

    def mapping(self, key: AssetKey) -> PartitionMapping | None:
        """Return which partitions of an asset are read, None where nothing was said."""
        return dict(self.mappings).get(key)


UNCUT = Cut()


def cut_of_cell(source: CellText, names: Mapping[str, AssetKey], namespace: Mapping[str, Any], where: str) -> Cut:
    """Return what the options of an asset's cell say of partitions.

    Args:
        names: name -> asset.

    Raises:
        DagsterInvalidDefinitionError: when they say something that can't be.
    """
    options = source.options
    said = options.get("partitions")
    if said is None and options.keys().isdisjoint(("partition_mapping", "backfill")):
        return UNCUT
    if said is None and "backfill" in options:
        raise DagsterInvalidDefinitionError(
            "`backfill` is about partitions, and the cell has none", where=where, hint="--partitions daily:2024-01-01"
        )
    made = None
    if said is not None:
        made = of_notebook(read_partitions(str(said), where), namespace, PartitionsDefinition, where)
    mappings = []
    for name, text in (options.get("partition_mapping") or {}).items():
        key = names.get(name) or AssetKey.from_user_string(name)
        if key not in names.values():
            hint = closest(name, names)
            raise DagsterInvalidDefinitionError(f"there is no asset `{name}` to be mapped", where=where, hint=hint)
        mappings.append((key, of_notebook(read_mapping(str(text), where), namespace, PartitionMapping, where)))
    policy = read_policy(options["backfill"], where).made() if "backfill" in options else None
    return Cut(made, tuple(mappings), policy)
