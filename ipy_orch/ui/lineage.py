"""The lineage where one asks for it: a widget in a kernel with a front end, a still picture everywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from IPython.core.getipython import get_ipython

from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.session.session import Session
from ipy_orch.ui.bundle import bundle_is_built

__all__ = ["lineage", "picture_of", "shows_widgets"]

MOST: Final = 16  # widgets of one session


def lineage(session: Session, selection: Any = None) -> Any:
    """Return the lineage of a session's assets; the widget of a selection is made once, and shown as often as wanted.

    Raises:
        DagsterInvalidSubsetError: for a name that nothing has, with the closest one.
    """
    if not shows_widgets():
        return session.lineage(selection)
    if selection is not None:
        session.resolve(session.scan(), selection)  # what can't be resolved is told now
    from ipy_orch.ui.bridge import bridge_to
    from ipy_orch.ui.widget import LineageWidget

    widgets = bridge_to(session).widgets
    name = name_of(selection)
    if name not in widgets:
        while len(widgets) >= MOST:
            widgets.pop(next(iter(widgets))).close()
        widgets[name] = LineageWidget(session, selection)
    return widgets[name]


def name_of(selection: Any) -> str:
    """Return what is the same for two equal selections."""
    if selection is None or isinstance(selection, str):
        return selection or ""
    if isinstance(selection, Iterable):
        return " or ".join(sorted(one.label if isinstance(one, AssetKey) else str(one) for one in selection))
    return str(selection)


def shows_widgets() -> bool:
    """Tell whether this runs in a kernel, and the view is built."""
    ip = get_ipython()
    if ip is None or getattr(ip, "kernel", None) is None:
        return False
    return bundle_is_built()


def picture_of(definitions: Definitions) -> Any:
    """Return a still picture of definitions that aren't the notebook's: who depends on whom, without statuses."""
    from ipy_orch.ui.verbs import show_lineage

    return show_lineage(AssetGraph.of(definitions.definitions), {}, {}, None)
