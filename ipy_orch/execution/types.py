"""Checking values against their types, and making them from config, in the course of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError, DagsterTypeCheckDidNotPass
from ipy_orch.execution.contexts.contexts import OpExecutionContext
from ipy_orch.execution.contexts.logs import StepLog, no_log
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.model.config.schema import Findings, resolve
from ipy_orch.model.types.dagster_type import DagsterType, TypeCheck

__all__ = ["DagsterTypeLoaderContext", "TypeCheckContext", "check_type", "load_from_config", "refuse", "verdict_on"]


@dataclass(frozen=True, slots=True)
class TypeCheckContext:
    """Tell the check of a type about the run.

    Args:
        run_id: of the run that the value is part of; empty where a function is called by hand.
        resources: those that the type requires, as attributes.
        emit: takes the level and the text of a log record.
    """

    run_id: str = ""
    resources: Any = NO_RESOURCES
    emit: Callable[[str, str], None] = no_log

    @property
    def log(self) -> StepLog:
        """Return a logger whose records go to the step."""
        return StepLog(self.emit)


class DagsterTypeLoaderContext(OpExecutionContext):
    """Tell a loader about the step that it makes an input for; ``resources`` are those that the loader requires."""


BY_HAND: Final = TypeCheckContext()


def check_type(
    dagster_type: DagsterType, value: Any, what: str, context: TypeCheckContext = BY_HAND
) -> TypeCheck | None:
    """Refuse a value that isn't of its declared type, and return what the check found.

    Returns:
        None where every value passes.

    Raises:
        DagsterTypeCheckDidNotPass: naming what and the type.
        Exception: what the check itself raises.
    """
    if dagster_type.is_any:
        return None
    verdict = verdict_on(dagster_type, value, what, context)
    refuse(verdict, dagster_type, value, what)
    return verdict


def verdict_on(dagster_type: DagsterType, value: Any, what: str, context: TypeCheckContext = BY_HAND) -> TypeCheck:
    """Return what a type's check says about a value; for runs, which record it before they :func:`refuse` the value.

    Raises:
        Exception: what the check itself raises, with a note that says where.
    """
    with noted(f"raised by the check of type `{dagster_type.display_name}` on {what}"):
        return dagster_type.type_check(context, value)


def refuse(verdict: TypeCheck, dagster_type: DagsterType, value: Any, what: str) -> None:
    """Raise when a check didn't pass.

    Raises:
        DagsterTypeCheckDidNotPass: with the check's description and metadata.
    """
    if not verdict.success:
        said = f": {verdict.description}" if verdict.description else ""
        raise DagsterTypeCheckDidNotPass(
            f"{what} isn't a `{dagster_type.display_name}` but a `{type(value).__name__}`{said}",
            metadata=verdict.metadata,
            dagster_type=dagster_type,
        )


def load_from_config(
    dagster_type: DagsterType, written: Any, what: str, context: DagsterTypeLoaderContext | None = None
) -> Any:
    """Return the value of an input that is given in run config.

    Args:
        written: what stands in ``ops: {name: {inputs: {input: ...}}}``.

    Raises:
        DagsterInvalidDefinitionError: when values of this type can't be made from config.
        DagsterInvalidConfigError: when the config doesn't fit the loader.
        Exception: what the loader itself raises, with a note that says where.
    """
    loader = dagster_type.loader
    if loader is None:
        raise DagsterInvalidDefinitionError(
            f"{what} can't be given in config: the type `{dagster_type.display_name}` has no loader",
            hint="`DagsterType(loader=...)`, see `@dagster_type_loader`",
        )
    schema = loader.schema_type
    findings = Findings()
    checked = schema.check(written, (what,), findings)
    findings.raise_any("the config of an input doesn't fit its type")
    with noted(f"raised by the loader of type `{dagster_type.display_name}` for {what}"):
        return loader.construct_from_config_value(context, resolve(schema.full(checked)))


@contextmanager
def noted(note: str) -> Iterator[None]:
    """Add a note to what user code raises; our own errors say it themselves."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, DagsterError):
            error.add_note(note)
        raise
