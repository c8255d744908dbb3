"""What can go wrong, as one tree.

    DagsterError
    ├── DagsterInvalidDefinitionError        a definition contradicts itself or another one
    │   ├── DagsterInvalidConfigDefinitionError  ... in its config schema
    │   └── DagsterInvalidSubsetError        a selection asks for what can't be selected
    │       └── DagsterInvalidAssetSelectionError  ... or is a text that can't be read
    ├── DagsterInvalidInvocationError        a definition called as a function with wrong arguments
    ├── DagsterInvariantViolationError       a promise of the API was broken by its caller
    ├── DagsterInvalidConfigError            run config that doesn't fit its schema
    ├── DagsterConfigMappingFunctionError    a config mapping raised
    ├── DagsterUnknownPartitionError         a partition key that doesn't exist
    ├── DagsterUnknownResourceError          a resource key that nothing provides
    ├── DagsterResourceFunctionError         a resource raised while it was being set up
    ├── DagsterTypeCheckDidNotPass           a value isn't of its declared type
    ├── DagsterTypeCheckError                a type check itself raised
    ├── DagsterStepOutputNotFoundError       a step did not yield an output that it must
    ├── DagsterExecutionStepNotFoundError    a step name that the plan doesn't have
    ├── DagsterExecutionStepExecutionError   a step raised; `__cause__` is the user's exception
    ├── DagsterMaxRetriesExceededError       a step asked to be tried again, once too often
    ├── DagsterAssetCheckFailedError         a blocking check failed
    ├── DagsterExecutionInterruptedError     the run was cancelled
    ├── DagsterRunNotFoundError              a run id that the log doesn't have
    ├── ResolutionException                  an attribute of a component that can't become a value
    ├── ComponentTreeException               a component of a folder that can't be loaded; `__cause__` says why
    ├── DagsterUserCodeExecutionError        user code outside a step raised (IO manager, loader ...)
    ├── DagsterUserCodeUnreachableError      a code location that isn't there: its process ended, or it can't be loaded
    └── DagsterUnmetExecutorRequirementsError
    CheckError                               an argument of a wrong type (Dagster's internal `check`)

The names are Dagster's, the wording is ours: what is wrong with names in back-ticks, where, and a `hint:`.
"""

from __future__ import annotations

import difflib
import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import ClassVar, Final, Self

__all__ = [
    "BetaWarning",
    "CheckError",
    "ComponentTreeException",
    "DagsterAssetCheckFailedError",
    "DagsterConfigMappingFunctionError",
    "DagsterError",
    "DagsterExecutionInterruptedError",
    "DagsterExecutionStepExecutionError",
    "DagsterExecutionStepNotFoundError",
    "DagsterInvalidAssetSelectionError",
    "DagsterInvalidConfigDefinitionError",
    "DagsterInvalidConfigError",
    "DagsterInvalidDefinitionError",
    "DagsterInvalidInvocationError",
    "DagsterInvalidSubsetError",
    "DagsterInvariantViolationError",
    "DagsterMaxRetriesExceededError",
    "DagsterResourceFunctionError",
    "DagsterRunNotFoundError",
    "DagsterStepOutputNotFoundError",
    "DagsterTypeCheckDidNotPass",
    "DagsterTypeCheckError",
    "DagsterUnknownPartitionError",
    "DagsterUnknownResourceError",
    "DagsterUnmetExecutorRequirementsError",
    "DagsterUserCodeExecutionError",
    "DagsterUserCodeUnreachableError",
    "IsolationWarning",
    "ResolutionException",
    "StoreWarning",
    "closest",
    "warn",
]

HERE: Final = f"{Path(__file__).parent}{os.sep}"


class DagsterError(Exception):
    """Be the root of every error that ipy_orch raises on purpose.

    Args:
        message: what is wrong, with names in back-ticks.
        where: the cell, asset or step concerned, e.g. ``"asset `orders`, Cell In[3]"``.
        hint: what to type next.
    """

    def __init__(self, message: object = "", *, where: str = "", hint: str = "") -> None:
        self.message, self.where, self.hint = str(message), where, hint
        lines = [self.message, f"  where: {where}" if where else "", f"  hint: {hint}" if hint else ""]
        super().__init__("\n".join(line for line in lines if line))

    def at(self, where: str) -> Self:
        """Return the same error told of another place."""
        made = copy(self)
        DagsterError.__init__(made, self.message, where=where, hint=self.hint)
        return made


class DagsterInvalidDefinitionError(DagsterError):
    """Tell that a definition contradicts itself or another one."""


class DagsterInvalidConfigDefinitionError(DagsterInvalidDefinitionError):
    """Tell that a config schema can't be one."""


class DagsterInvalidSubsetError(DagsterInvalidDefinitionError):
    """Tell that a selection names what doesn't exist or can't be run alone."""


class DagsterInvalidAssetSelectionError(DagsterInvalidSubsetError):
    """Tell that the text of a selection can't be read."""


class DagsterInvalidInvocationError(DagsterError):
    """Tell that a definition was called as a function with wrong arguments."""


class DagsterInvariantViolationError(DagsterError):
    """Tell that a caller broke a promise of the API."""


class DagsterInvalidConfigError(DagsterError):
    """Tell that run config doesn't fit the schema, with the path of each field.

    Args:
        message: what is wrong.
        where: in whose config.
        hint: what to type next.
        errors: one per problem, with ``path`` and ``message``.
    """

    def __init__(self, message: object = "", *, where: str = "", hint: str = "", errors: Iterable[object] = ()) -> None:
        super().__init__(message, where=where, hint=hint)
        self.errors = list(errors)


class DagsterConfigMappingFunctionError(DagsterError):
    """Tell that the function of a config mapping raised."""


class DagsterUnknownPartitionError(DagsterError, ValueError):
    """Tell that a partition key doesn't exist."""


class DagsterUnknownResourceError(DagsterError, AttributeError):
    """Tell that nothing provides a resource of this key."""


class DagsterUserCodeExecutionError(DagsterError):
    """Tell that user code outside a step raised; ``__cause__`` is what it raised."""

    @property
    def user_exception(self) -> BaseException | None:
        """Return the exception of the user's code."""
        return self.__cause__


class DagsterResourceFunctionError(DagsterUserCodeExecutionError):
    """Tell that a resource raised while it was being set up."""


class DagsterTypeCheckError(DagsterUserCodeExecutionError):
    """Tell that a type check itself raised."""


class DagsterExecutionStepExecutionError(DagsterUserCodeExecutionError):
    """Tell that a step raised; ``__cause__`` is the user's exception."""


class DagsterMaxRetriesExceededError(DagsterError):
    """Tell that a step raised RetryRequested when it had been tried as often as it had asked for."""


class DagsterTypeCheckDidNotPass(DagsterError):
    """Tell that a value isn't of its declared type.

    Args:
        description: what is wrong.
        metadata: what the check told besides; plain values become metadata values.
        dagster_type: the type.
    """

    as_metadata: ClassVar[Callable[[Mapping[str, object]], Mapping[str, object]]] = dict  #: supplied by model.metadata

    def __init__(
        self,
        description: object = "",
        *,
        where: str = "",
        hint: str = "",
        metadata: Mapping[str, object] | None = None,
        dagster_type: object = None,
    ) -> None:
        super().__init__(description, where=where, hint=hint)
        self.metadata, self.dagster_type = type(self).as_metadata(metadata or {}), dagster_type

    @property
    def description(self) -> str:
        """Return what is wrong, under Dagster's name."""
        return self.message


class DagsterStepOutputNotFoundError(DagsterError):
    """Tell that a step finished without an output that it must yield."""


class DagsterAssetCheckFailedError(DagsterError):
    """Tell that a blocking check failed as an error, so that nothing downstream runs."""


class DagsterExecutionStepNotFoundError(DagsterError):
    """Tell that a plan has no step of this name."""


class DagsterExecutionInterruptedError(BaseException):
    """Tell that a run was cancelled; like KeyboardInterrupt not an Exception, so that user code lets it pass."""


class DagsterRunNotFoundError(DagsterError):
    """Tell that the log has no run of this id."""


class DagsterUserCodeUnreachableError(DagsterError):
    """Tell that a code location isn't there: its process ended, or it can't be loaded."""


class DagsterUnmetExecutorRequirementsError(DagsterError):
    """Tell that an executor needs something that isn't there."""


class ResolutionException(DagsterError):
    """Tell that an attribute of a component can't become the value that it stands for."""


class ComponentTreeException(DagsterError):
    """Tell which component of a folder can't be loaded; ``__cause__`` says why."""


class CheckError(Exception):
    """Tell that an argument has a wrong type or value."""


class BetaWarning(FutureWarning):
    """Warn that a name may still change."""


class IsolationWarning(UserWarning):
    """Warn that a value can't be copied, so that its readers share one object."""


class StoreWarning(UserWarning):
    """Warn that a session can't keep its log and values on disk."""


def warn(told: str, category: type[Warning] = UserWarning) -> None:
    """Warn of what the user wrote, at the line where it is: the nearest one that isn't ours."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_code.co_filename.startswith(HERE):
        frame, level = frame.f_back, level + 1
    warnings.warn(told, category, stacklevel=level)


def closest(name: str, known: Iterable[str], *, offer: str = "did you mean `{}`?") -> str:
    """Return a hint with the known name nearest to ``name``, or "".

    >>> closest("oders", ["orders", "raw"])
    'did you mean `orders`?'
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return offer.format(near[0]) if near else ""
