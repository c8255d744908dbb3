"""What loggers and executors have in common: a schema, and config of the run that must fit it."""

from __future__ import annotations

from typing import Any, Final

from ipy_orch.model.config.classes import annotated_field
from ipy_orch.model.config.configured import configured_type
from ipy_orch.model.config.schema import ANY, MISSING, Field, Findings

__all__ = ["configured_schema", "schema_of", "settings"]

ANYTHING: Final = Field(ANY, is_required=False)


def schema_of(given: Any) -> Field:
    """Return the schema in any of its spellings; one that wasn't given takes anything."""
    if given is None:
        return ANYTHING
    return given if isinstance(given, Field) else annotated_field(given)


def configured_schema(schema: Field, config_or_config_fn: Any, config_schema: Any, where: str) -> Field:
    """Return the schema of a definition that is configured beforehand.

    Raises:
        DagsterInvalidConfigError: when config that is given doesn't fit.
    """
    return annotated_field(configured_type(schema, config_or_config_fn, config_schema, where=where))


def settings(schema: Field, written: Any, where: str) -> Any:
    """Return config that a person wrote as plain data, defaults filled in, environment variables read.

    Args:
        written: MISSING where none was.
        where: whose config it is, for messages.

    Raises:
        DagsterInvalidConfigError: when it doesn't fit.
    """
    findings = Findings()
    checked = schema.check_or_default(MISSING if written is None else written, ("config",), findings)
    findings.raise_any(f"the config of {where} doesn't fit its schema")
    return None if checked is None else schema.config_type.plain(checked)
