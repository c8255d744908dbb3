"""Checks that are often wanted, made of a few words: of numbers in metadata, and of columns.

They read what the instance knows of the materializations of their assets, and load no values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ipy_orch.authoring.checks import multi_asset_check
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.assets import AssetChecksDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.results import AssetCheckResult, AssetCheckSeverity
from ipy_orch.model.specs import key_of
from ipy_orch.model.tables import TableSchema

__all__ = ["build_column_schema_change_checks", "build_metadata_bounds_checks"]

COLUMN_SCHEMA: Final = "dagster/column_schema"

Metadata = Mapping[str, Any]
Judgement = tuple[bool, str]


def build_metadata_bounds_checks(
    *,
    assets: Sequence[Any],
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    metadata_key: str,
    min_value: float | None = None,
    max_value: float | None = None,
    exclusive_min: bool = False,
    exclusive_max: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Check that a number in the metadata of the latest materialization is within bounds.

    Args:
        severity: of a failure.
        exclusive_min: the lower bound itself is out of bounds.
        exclusive_max: likewise the upper.

    Raises:
        DagsterInvalidDefinitionError: when the bounds are the wrong way round.

    >>> checks, = build_metadata_bounds_checks(assets=["orders"], metadata_key="dagster/row_count", min_value=1)
    >>> checks.check_key.to_user_string()
    'orders:dagster_row_count_bounds_check'
    """
    if min_value is not None and max_value is not None and min_value > max_value:
        raise DagsterInvalidDefinitionError(f"`min_value` {min_value} is greater than `max_value` {max_value}")
    lower = f"greater than {'' if exclusive_min else 'or equal to '}{min_value}" if min_value is not None else ""
    upper = f"less than {'' if exclusive_max else 'or equal to '}{max_value}" if max_value is not None else ""
    bounds = " and ".join(filter(None, (lower, upper))) or "at all"

    def judge(materializations: Sequence[Metadata]) -> Judgement:
        if not materializations:
            return False, "Asset has not been materialized"
        if metadata_key not in materializations[0]:
            return False, f"Metadata key `{metadata_key}` not found"
        value = materializations[0][metadata_key].value
        if not isinstance(value, int | float):
            return False, f"Value `{value}` is not a number"
        if min_value is not None and (value < min_value or (exclusive_min and value == min_value)):
            return False, f"Value `{value}` is less than {'or equal to ' if exclusive_min else ''}{min_value}"
        if max_value is not None and (value > max_value or (exclusive_max and value == max_value)):
            return False, f"Value `{value}` is greater than {'or equal to ' if exclusive_max else ''}{max_value}"
        return True, f"Value `{value}` is within range"

    name = re.sub(r"[^A-Za-z0-9_]", "_", metadata_key) + "_bounds_check"
    told = f"Checks that the latest materialization has metadata value `{metadata_key}` {bounds}"
    return [checks_of(assets, name, told, severity, judge, 1)]


def build_column_schema_change_checks(
    *, assets: Sequence[Any], severity: AssetCheckSeverity = AssetCheckSeverity.WARN
) -> Sequence[AssetChecksDefinition]:
    """Check that the columns of the latest materialization are those of the one before.

    Args:
        severity: of a failure.

    >>> checks, = build_column_schema_change_checks(assets=["orders"])
    >>> checks.check_key.to_user_string()
    'orders:column_schema_change'
    """

    def judge(materializations: Sequence[Metadata]) -> Judgement:
        if len(materializations) < 2:
            return True, "The asset has been materialized fewer than 2 times"
        for which, metadata in zip(("Latest", "Previous"), materializations, strict=True):
            if COLUMN_SCHEMA not in metadata:
                return False, f"{which} materialization has no column schema metadata"
        (new, old) = (metadata[COLUMN_SCHEMA].value for metadata in materializations)
        changes = "\n".join(column_changes(old, new))
        if changes:
            return False, f"Column schema changed:\n{changes}"
        return True, "No changes to column schema between previous and latest materialization"

    told = "Checks that the columns are those of the previous materialization"
    return [checks_of(assets, "column_schema_change", told, severity, judge, 2)]


def checks_of(
    assets: Sequence[Any],
    name: str,
    description: str,
    severity: AssetCheckSeverity,
    judge: Callable[[Sequence[Metadata]], Judgement],
    latest: int,
) -> AssetChecksDefinition:
    """Return a definition with a check of this name for each asset.

    Args:
        judge: gets the metadata of an asset's latest materializations, the newest first.
        latest: how many of them it gets at most.
    """
    specs = [AssetCheckSpec(name, asset=key_of(one), description=description) for one in assets]

    @multi_asset_check(specs=specs, name=name, can_subset=True)
    def checks(context: Any) -> Iterator[AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            passed, found = judge(latest_metadata(context.instance, key.asset_key, latest))
            yield AssetCheckResult(
                passed=passed, asset_key=key.asset_key, check_name=key.name, severity=severity, description=found
            )

    return checks


def latest_metadata(instance: Any, key: AssetKey, latest: int) -> list[Metadata]:
    """Return the metadata of an asset's latest materializations, the newest first.

    Raises:
        DagsterInvariantViolationError: when the run has no instance.
    """
    if instance is None:
        raise DagsterInvariantViolationError(
            f"what was materialized of `{key.label}` is asked of an instance, and this run has none",
            hint="`materialize` and jobs have one",
        )
    records = instance.fetch_materializations(key, limit=latest).records
    return [record.asset_materialization.metadata for record in records]


def column_changes(old: TableSchema, new: TableSchema) -> Iterator[str]:
    """Yield what changed from one schema to another, a line each."""
    before, after = ({column.name: column.type for column in schema.columns} for schema in (old, new))
    added, removed = ([name for name in one if name not in other] for one, other in ((after, before), (before, after)))
    if added:
        yield f"Added columns: {', '.join(added)}"
    if removed:
        yield f"Removed columns: {', '.join(removed)}"
    changed = [
        f"  {name}: {before[name]} -> {after[name]}" for name in before if after.get(name, before[name]) != before[name]
    ]
    if changed:
        yield "\n".join(["Column type changes:", *changed])
