"""The repr of a Definitions, and of a selection: their lineage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ipy_orch.errors import DagsterError
from ipy_orch.model.definitions import Definitions
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.session import Session
from ipy_orch.ui.lineage import lineage, picture_of, shows_widgets

__all__ = ["register"]


def register(ip: InteractiveShell, session: Session) -> Callable[[], None]:
    """Have definitions and selections shown as lineage; return what undoes it."""
    formatter: Any = ip.display_formatter
    bundles, displays = formatter.mimebundle_formatter, formatter.ipython_display_formatter
    forms: dict[type, Callable[[Any, Session], Any]] = {Definitions: of_definitions, AssetSelection: of_selection}
    for kind, form in forms.items():
        bundles.for_type(kind, lambda one, form=form, **_: bundle_of(form, one, session))
        if shows_widgets():
            displays.for_type(kind, lambda one, form=form: show(form, one, session))

    def undo() -> None:
        for kind in forms:
            bundles.pop(kind, None)
            displays.pop(kind, None)

    return undo


def show(form: Callable[[Any, Session], Any], one: Any, session: Session) -> None:
    """Show a lineage as Jupyter does; a widget in two outputs, the second a picture for where there's no kernel."""
    from ipy_orch.ui.widget import LineageWidget

    try:
        shown = form(one, session)
    except DagsterError:
        shown = None
    if isinstance(shown, LineageWidget):
        shown.show(repr(one))
    else:
        data, metadata = bundle_of(form, one, session) or ({"text/plain": repr(one)}, {})
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]


def bundle_of(form: Callable[[Any, Session], Any], one: Any, session: Session) -> Any:
    """Return what Jupyter shows of a lineage, with the object's own text; None where there's no lineage of it."""
    try:
        bundle = form(one, session)._repr_mimebundle_()
    except DagsterError:
        return None
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return {**data, "text/plain": repr(one)}, metadata


def of_definitions(definitions: Definitions, session: Session) -> Any:
    """Return the lineage of definitions; those of the notebook with their statuses."""
    known = session.scan().graph.makers
    keys = {key for one in definitions.definitions for key in one.keys}
    if keys and all(known.get(key) is one for one in definitions.definitions for key in one.keys):
        return lineage(session, None if keys >= known.keys() else sorted(keys))
    return picture_of(definitions)


def of_selection(selection: AssetSelection, session: Session) -> Any:
    """Return the lineage of a selection of the notebook's assets."""
    return lineage(session, selection)
