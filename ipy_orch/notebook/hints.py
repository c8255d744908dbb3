"""What errors of Python mean in a notebook of assets.

A name that isn't there, a column that isn't there; a definition taken for its value, a value that can't be written to.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Mapping
from types import FrameType
from typing import Any, Final

from ipy_orch.errors import DagsterError, closest
from ipy_orch.execution.isolation.sealing import explain
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.session.session import Session

__all__ = ["Hints"]

UNDEFINED: Final = re.compile(r"name '(\w+)' is not defined")
DEFINITION: Final = f"'{AssetsDefinition.__name__}' object "


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
        if isinstance(error, AttributeError | TypeError) and str(error).startswith(DEFINITION):
            return of_definition(error)
        if (copied := explain(error)) is not None:
            return copied if not in_body and self.read_in(frames) else ""
        undefined = UNDEFINED.match(str(error)) if isinstance(error, NameError) else None
        missing = missing_column(error)
        if undefined is None and missing is None:
            return ""
        try:
            names = self.session.scan().names
        except DagsterError:
            return ""
        if undefined is not None:
            running = {names.get(frame.f_code.co_name) for frame in frames if in_body}
            others = {name: key for name, key in names.items() if key not in running}
            return self.of_name(undefined[1], others, in_body=in_body)
        return self.of_column(missing, names, frames)

    def read_in(self, frames: Iterable[FrameType]) -> bool:
        """Tell whether code has read the value of an asset from its variable."""
        return any(not self.session.names.bound.keys().isdisjoint(frame.f_code.co_names) for frame in frames)

    def of_name(self, name: str, names: Mapping[str, AssetKey], *, in_body: bool) -> str:
        """Return which asset was meant by a name, or why it has no value."""
        if name in names:
            return self.of_asset(name, names[name])
        if AssetKey([name]) in self.session.ledger.latest:
            return f"hint: there is no asset `{name}` any more: its cell was deleted, or names it otherwise"
        if inside := self.of_inside(name):
            return inside
        if name in getattr(sys.modules.get("ipy_orch"), "__all__", ()):
            return f"hint: `from ipy_orch import {name}`"
        if near := closest(name, names):
            return f"hint: {near}"
        return "hint: nothing that has run defines it; after a restart, run the cells above first" if in_body else ""

    def of_asset(self, name: str, key: AssetKey) -> str:
        """Return why the variable of an asset isn't there: it was deleted, or there is no value to be in it."""
        ledger, place = self.session.ledger, (key, None)
        if place in ledger.materialized and place not in ledger.failed:
            return f"hint: the variable of the asset `{name}` was deleted: `%materialize {key.label}` restores it"
        return f"hint: the asset `{name}` has no value; `%why {name}` tells why"

    def of_inside(self, name: str) -> str:
        """Return in which asset's cell a name is made, where nobody else sees it."""
        for cell in self.session.book.sources():
            source = cell.source
            if source is None or name not in source.names.bound:
                continue
            where = f"the cell of the {'asset' if source.kind == 'asset' else 'check of'} `{source.target.label}`"
            if name in source.names.imports:
                return f"hint: `{name}` is imported inside {where}: import it in a cell of its own"
            return f"hint: `{name}` is inside {where}: make it an asset of its own, or return it"
        return ""

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


def of_definition(error: AttributeError | TypeError) -> str:
    """Return how to get at the value of an asset whose variable holds its definition: a decorated function does."""
    made = getattr(error, "obj", None)
    keys = sorted(labels(made.keys)) if isinstance(made, AssetsDefinition) else []
    value = f'session().value("{keys[0] if keys else "NAME"}")'
    return f"hint: the variable holds the asset's definition; its value is `{value}` (`from ipy_orch import session`)"


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
