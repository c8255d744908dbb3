"""How the asset of a cell is partitioned, as the arguments of its decorator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.authoring.cells.partitions import Said, read_mapping, read_partitions, read_policy
from ipy_orch.export.layout import Doc, call, literal, mapping

__all__ = ["FRAMEWORK", "mappings_of", "partition_variables", "partition_words"]

FRAMEWORK = (
    "AllPartitionMapping",
    "AssetDep",
    "BackfillPolicy",
    "DailyPartitionsDefinition",
    "DynamicPartitionsDefinition",
    "HourlyPartitionsDefinition",
    "IdentityPartitionMapping",
    "LastPartitionMapping",
    "MonthlyPartitionsDefinition",
    "MultiPartitionsDefinition",
    "StaticPartitionsDefinition",
    "TimeWindowPartitionMapping",
    "TimeWindowPartitionsDefinition",
    "WeeklyPartitionsDefinition",
)


def doc_of(said: Said) -> Doc:
    """Return what was said as a call, or the variable."""
    if said.is_variable:
        return said.name
    words = {name: literal(value) for name, value in said.words.items()}
    if said.first is None:
        return call(said.name, **words)
    if isinstance(said.first, Mapping):
        return call(said.name, [mapping({name: doc_of(one) for name, one in said.first.items()})], **words)
    return call(said.name, [literal(said.first)], **words)


def partition_words(options: Mapping[str, Any]) -> dict[str, Doc | None]:
    """Return ``partitions_def=`` and ``backfill_policy=``."""
    partitions, policy = options.get("partitions"), options.get("backfill")
    return {
        "partitions_def": doc_of(read_partitions(str(partitions))) if partitions is not None else None,
        "backfill_policy": doc_of(read_policy(policy)) if policy is not None else None,
    }


def mappings_of(options: Mapping[str, Any]) -> dict[str, Doc]:
    """Return name of an input -> which of its partitions are read."""
    return {name: doc_of(read_mapping(str(said))) for name, said in (options.get("partition_mapping") or {}).items()}


def partition_variables(options: Mapping[str, Any]) -> list[str]:
    """Return the variables of the notebook that say how the asset is partitioned."""
    partitions = options.get("partitions")
    said = [read_partitions(str(partitions))] if partitions is not None else []
    said += [read_mapping(str(one)) for one in (options.get("partition_mapping") or {}).values()]
    return [one.name for one in said if one.is_variable]
