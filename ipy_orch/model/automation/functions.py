"""The function of a schedule or sensor: what it wants to be given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ipy_orch.errors import CheckError
from ipy_orch.model.resources.resource import is_resource_annotation

__all__ = ["TickFunction", "required_keys"]


@dataclass(frozen=True, eq=False)
class TickFunction:
    """Be a function that is called when a schedule or sensor ticks.

    Args:
        given: the parameters that are neither resources nor have a default, in order: the context comes first.
        resources: the parameters that are resources, which have their keys as names.
    """

    function: Callable[..., Any]
    given: tuple[str, ...] = ()
    resources: frozenset[str] = frozenset()

    @staticmethod
    def of(function: Callable[..., Any]) -> TickFunction:
        """Return a function with what its signature says."""
        parameters = signature_of(function).parameters.values()
        resources = frozenset(one.name for one in parameters if is_resource_annotation(one.annotation))
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        given = [one.name for one in parameters if one.kind in kinds and one.name not in resources]
        return TickFunction(function, tuple(given), resources)

    @property
    def context(self) -> str | None:
        """Return the parameter of the context, None where it takes none."""
        return self.given[0] if self.given else None

    @property
    def name(self) -> str:
        """Return the function's name."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def call(self, given: Iterable[Any], resources: dict[str, Any]) -> Any:
        """Call it with the context, and what follows that, as far as it takes them."""
        return self.function(**dict(zip(self.given, given, strict=False)), **resources)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return a signature, its annotations evaluated where they can be; one of C code takes nothing."""
    plain = function.func if isinstance(function, partial) else function
    try:
        return inspect.signature(function, eval_str=not hasattr(plain, "__signature__"))
    except (NameError, TypeError, SyntaxError, AttributeError):  # a name under TYPE_CHECKING, or the like
        return inspect.signature(function)
    except ValueError:
        return inspect.Signature()


def required_keys(function: TickFunction | None, said: Iterable[str] | None, what: str) -> frozenset[str]:
    """Return the resources that a schedule or sensor needs: said, or taken by its function as arguments.

    Raises:
        CheckError: when they are said in both ways, or not as a set.
    """
    if isinstance(said, str):
        raise CheckError(f"`required_resource_keys` of {what} is a set of strings, not the string {said!r}")
    taken = function.resources if function is not None else frozenset()
    if said and taken:
        raise CheckError(f"{what} takes resources as arguments, so it has no `required_resource_keys`")
    return frozenset(said or taken)
