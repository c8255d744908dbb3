"""What Definitions check of their arguments, and how several become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.model.keys import FrozenList

__all__ = ["keyed", "listed", "merged", "the_only"]


def listed(value: Any, what: str) -> FrozenList[Any]:
    """Return the elements of a list argument.

    Raises:
        CheckError: when it's one thing and not a list of them.
    """
    if value is None:
        return FrozenList()
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise CheckError(f"`{what}` is a list, not {value!r}: write `{what}=[...]`")
    return FrozenList(value)


def keyed(value: Any, what: str) -> dict[str, Any]:
    """Return a map argument.

    Raises:
        CheckError: when it isn't a map from strings.
    """
    if value is not None and (not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value)):
        raise CheckError(f"`{what}` is a map from names, not {value!r}")
    return dict(value or {})


def merged(what: str, maps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one map of several.

    Raises:
        DagsterInvariantViolationError: when two differ in what one key is.
    """
    found: dict[str, Any] = {}
    for key, one in ((key, one) for given in maps for key, one in given.items()):
        before = found.setdefault(key, one)
        if before is not one and not same(before, one):
            raise DagsterInvariantViolationError(f"{what} `{key}` is there twice, and they differ")
    return found


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, taking those that can't say for different."""
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001 - the values are the user's, arrays for instance
        return False


def the_only(what: str, found: Iterable[Any]) -> Any:
    """Return the one that isn't None, or None.

    Raises:
        DagsterInvariantViolationError: when there are two.
    """
    given = list({id(one): one for one in found if one is not None}.values())
    if len(given) > 1:
        raise DagsterInvariantViolationError(f"two of the Definitions have a {what}, and they differ")
    return given[0] if given else None
