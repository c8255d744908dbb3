"""What the text of a notebook doesn't tell: values that only running it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["TooLong", "Unknown", "Untold", "holds_unknown"]

DEPTH: Final = 4


class Unknown:
    """Be a value that only running the notebook tells.

    Args:
        said: what it is in the text, for messages.
        module: the module that ``from module import *`` brought it from, or "".
        function: the function that an unknown decorator was put on.
    """

    def __init__(self, said: str, module: str = "", function: Any = None) -> None:
        self.said, self.module, self.function = said, module, function

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<unknown: {self.said}>"


class Untold(Exception):
    """Tell that a definition depends on an unknown value.

    Args:
        what: the sentence.
        line: in the cell.
    """

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.what, self.line = what, line


class TooLong(Exception):
    """Tell that evaluating a statement takes longer than a definition may."""


def holds_unknown(value: Any, depth: int = DEPTH) -> Unknown | None:
    """Return the first unknown value inside plain containers, or None."""
    if isinstance(value, Unknown):
        return value
    if depth == 0 or not isinstance(value, Mapping | list | tuple | set | frozenset):
        return None
    inside = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
    return next((found for one in inside if (found := holds_unknown(one, depth - 1)) is not None), None)
