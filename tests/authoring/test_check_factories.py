"""Checks made of a few words: bounds of numbers in metadata, changes of columns."""

from __future__ import annotations

import pytest

from ipy_orch import (
    AssetCheckSeverity,
    DagsterInstance,
    MaterializeResult,
    TableSchema,
    asset,
    build_column_schema_change_checks,
    build_metadata_bounds_checks,
    materialize,
)
from ipy_orch.authoring.check_factories import latest_metadata
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.keys import AssetKey


def counted(rows):
    """Return an asset that says how many rows it has."""

    @asset(name="orders")
    def orders():
        return MaterializeResult(metadata={} if rows is None else {"rows": rows})

    return orders


def shaped(columns):
    """Return an asset that says what columns it has."""

    @asset(name="orders")
    def orders():
        schema = TableSchema.from_name_type_dict(columns) if columns else None
        return MaterializeResult(metadata={"dagster/column_schema": schema} if schema else {})

    return orders


@pytest.mark.parametrize(
    ("rows", "bounds", "passed", "says"),
    [
        (1, {"min_value": 1, "max_value": 3}, True, "within"),
        (3, {"min_value": 1, "max_value": 3}, True, "within"),
        (0, {"min_value": 1}, False, "less than 1"),
        (4, {"max_value": 3}, False, "greater than 3"),
        (1, {"min_value": 1, "exclusive_min": True}, False, "less than or equal to 1"),
        (3, {"max_value": 3, "exclusive_max": True}, False, "greater than or equal to 3"),
        (2.5, {"min_value": 1.0, "max_value": 3}, True, "within"),
        ("many", {"min_value": 1}, False, "not a number"),
        (None, {"min_value": 1}, False, "not found"),
    ],
)
def test_bounds_of_a_number(rows, bounds, passed, says):
    """Each bound may be left out or exclusive."""
    checks = build_metadata_bounds_checks(assets=["orders"], metadata_key="rows", **bounds)
    (found,) = materialize([counted(rows), *checks]).get_asset_check_evaluations()
    assert (found.passed, found.severity) == (passed, AssetCheckSeverity.WARN)
    assert says in found.description


def test_an_asset_that_was_never_made_is_out_of_bounds():
    """There is no number then."""
    checks = build_metadata_bounds_checks(assets=["orders"], metadata_key="rows", min_value=1)
    (found,) = materialize(checks).get_asset_check_evaluations()
    assert not found.passed


def test_several_assets_have_a_check_each():
    """All in one definition; characters that no name has are replaced."""
    (checks,) = build_metadata_bounds_checks(assets=["a", "b"], metadata_key="dagster/row count", min_value=1)
    assert {key.to_user_string() for key in checks.check_keys} == {
        "a:dagster_row_count_bounds_check",
        "b:dagster_row_count_bounds_check",
    }


def test_bounds_the_wrong_way_round_are_refused():
    """At once."""
    with pytest.raises(DagsterInvalidDefinitionError):
        build_metadata_bounds_checks(assets=["a"], metadata_key="rows", min_value=3, max_value=1)


@pytest.mark.parametrize(
    ("old", "new", "passed", "says"),
    [
        ({"a": "int"}, {"a": "int"}, True, ["No changes"]),
        ({"a": "int"}, {"a": "int", "b": "str"}, False, ["Added columns: b"]),
        ({"a": "int", "b": "str"}, {"a": "int"}, False, ["Removed columns: b"]),
        ({"a": "int", "b": "str"}, {"a": "float", "c": "str"}, False, ["a: int -> float", "columns: b", "columns: c"]),
        ({"a": "int"}, None, False, ["Latest"]),
        (None, {"a": "int"}, False, ["Previous"]),
    ],
)
def test_changes_of_columns(old, new, passed, says):
    """The latest materialization is held against the one before."""
    checks = build_column_schema_change_checks(assets=["orders"], severity=AssetCheckSeverity.ERROR)
    with DagsterInstance.ephemeral() as instance:
        materialize([shaped(old)], instance=instance)
        (found,) = materialize([shaped(new), *checks], instance=instance).get_asset_check_evaluations()
    assert (found.passed, found.severity) == (passed, AssetCheckSeverity.ERROR)
    assert all(text in found.description for text in says)


def test_columns_of_the_first_materialization_pass():
    """There is nothing to hold them against."""
    checks = build_column_schema_change_checks(assets=["orders"])
    (found,) = materialize([shaped({"a": "int"}), *checks]).get_asset_check_evaluations()
    assert found.passed


def test_a_run_without_an_instance_is_told_so():
    """Instead of an AttributeError."""
    with pytest.raises(DagsterInvariantViolationError, match="instance"):
        latest_metadata(None, AssetKey("orders"), 1)
