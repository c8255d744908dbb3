"""Which step's context is the one of the code that runs here."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ipy_orch.execution.contexts.contexts import OpExecutionContext

__all__ = ["CURRENT", "Entered"]

CURRENT: Final[ContextVar[OpExecutionContext | None]] = ContextVar("ipy_orch_context", default=None)


class Entered:
    """Let ``AssetExecutionContext.get()`` find a context, for as long as the block runs."""

    __slots__ = ("context", "token")

    def __init__(self, context: OpExecutionContext | None) -> None:
        self.context = context

    def __enter__(self) -> None:
        self.token = CURRENT.set(self.context)

    def __exit__(self, *_: object) -> None:
        CURRENT.reset(self.token)
