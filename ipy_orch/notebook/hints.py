"""What two errors of Python mean in a notebook of assets: a name that isn't there, a column that isn't there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import FrameType
from typing import Any, Final

from ipy_orch.errors import DagsterError, closest
from ipy_orch.model.keys import AssetKey
from ipy_orch.session.session import Session

__all__ = ["Hints"]

UNDEFINED: Final = re.compile(r"name '(\w+)' is not defined")


class Hints:
    """Know the assets of a session, when an error is shown."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def of(self, error: BaseException, frames: Iterable[FrameType], *, in_body: bool) -> str:
        """Return what to do about an error; "" where there's nothing to add. Reads only: nothing is run.

        Args:
            frames: those of the user's code that the error passed.
            in_body: whether it's from an asset's, a check's or an op's.
        """
        undefined = UNDEFINED.match(str(error)) if isinstance(error, NameError) else None
        missing = missing_column(error)
        if undefined is None and missing is None:
            return ""
        try:
            names = self.session.scan().names
        except DagsterError:
            return ""
        if undefined is not None:
            return self.of_name(undefined[1], names, in_body=in_body)
        return self.of_column(missing, names, frames)

    def of_name(self, name: str, names: Mapping[str, AssetKey], *, in_body: bool) -> str:
        """Return which asset was meant by a name, or why it has no value."""
        if name in names:
            return f"hint: the asset `{name}` has no value; `%why {name}` tells why"
        if AssetKey([name]) in self.session.ledger.latest:
            return f"hint: there is no asset `{name}` any more: its cell was deleted, or names it otherwise"
        if near := closest(name, names):
            return f"hint: {near}"
        return "hint: nothing that has run defines it; after a restart, run the cells above first" if in_body else ""

    def of_column(self, missing: Any, names: Collection[str], frames: Iterable[FrameType]) -> str:
        """Return that a plain cell gave a column to the variable of an asset, which the asset itself hasn't."""
        for frame in frames:
            read = {name: value for name, value in frame.f_locals.items() if name in names}
            for name, value in read.items():
                if has_column(self.session.namespace.get(name), missing) and not has_column(value, missing):
                    return (
                        f"hint: a plain cell added `{missing}` to the variable `{name}`, which is a copy:"
                        f" do that in the cell of the asset `{name}`"
                    )
        return ""


def missing_column(error: BaseException) -> Any:
    """Return the key or attribute that an error says isn't there, or None.

    >>> missing_column(KeyError("late")), missing_column(ValueError("late"))
    ('late', None)
    """
    if isinstance(error, KeyError) and len(error.args) == 1:
        return error.args[0]
    return error.name if isinstance(error, AttributeError) else None


def has_column(value: Any, column: Any) -> bool:
    """Tell whether a value is a table with a column.

    >>> has_column({"late": 1}, "late")
    False
    """
    try:
        return bool(column in value.columns)
    except (AttributeError, TypeError, ValueError):
        return False
