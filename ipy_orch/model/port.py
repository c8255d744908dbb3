"""A call from a lower floor to an upper one, without importing it.

``Definitions.get_job_def(...)`` or ``some_asset(1)`` are methods of values of the model, but what they do lives on
upper floors. The model declares a :class:`Port` for it; the upper floor supplies the function. This is the one place
where a floor reaches upwards, so keep the list short.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Port(Generic[P, R]):
    """Hold the place of a function that the module named ``home`` supplies when it is imported.

    >>> shout = Port[[str], str]("some.module")
    >>> _ = shout.supply(str.upper)
    >>> shout("hi")
    'HI'
    """

    def __init__(self, home: str) -> None:
        self.home = home
        self.function: Callable[P, R] | None = None

    def supply(self, function: Callable[P, R]) -> Callable[P, R]:
        """Be the decorator by which the upper floor's function takes its place."""
        self.function = function
        return function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the supplied function; import its home first where that hasn't happened."""
        if self.function is None:
            importlib.import_module(self.home)
        if self.function is None:
            raise NotImplementedError(f"`{self.home}` doesn't supply this function")
        return self.function(*args, **kwargs)
