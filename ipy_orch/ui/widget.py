"""The lineage as a widget: a thin end of the wire in the kernel; what it shows is TypeScript (labextension/src/view).

Everything goes by messages (protocol.py), nothing but the bundle by traits. A message that comes in is obeyed on
whatever thread the kernel received it, and that thread is let go at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import anywidget
import traitlets
from IPython.display import display

from ipy_orch.errors import DagsterError
from ipy_orch.session.session import Session
from ipy_orch.ui.bridge import Bridge, View, bridge_to
from ipy_orch.ui.bundle import script, style
from ipy_orch.ui.commands import Commands
from ipy_orch.ui.kernels import follow_cells, stay_on_subshell

__all__ = ["LineageWidget"]

PICTURE: Final = "image/svg+xml"


class LineageWidget(anywidget.AnyWidget):
    """Show the lineage of a session; each time it is displayed is another view of the same widget.

    Args:
        session: whose assets it shows.
        selection: which of them; None for all.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    snapshot_version = traitlets.Int(0).tag(sync=True)

    def __init__(self, session: Session, selection: Any = None) -> None:
        self.session, self.selection = session, selection
        self.bridge: Bridge | None = None
        super().__init__(_esm=script(), _css=style())
        self.bridge = bridge_to(session)
        self.view = View(self.send, selection)
        self.commands = Commands(self.bridge, self.view)
        self.bridge.join(self.view)
        follow_cells(self.bridge)
        self.on_msg(self.received)

    def received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Obey a message."""
        self.commands.receive(content)

    def open(self) -> None:
        """Open the comm, and have answers to it come where the front end sends them."""
        super().open()
        stay_on_subshell(self.comm)
        if self.comm is not None and hasattr(self.comm, "on_close"):
            self.comm.on_close(self.closed_by_view)

    def closed_by_view(self, _message: Any = None) -> None:
        """Close when the front end has closed."""
        self.close()

    def close(self) -> None:
        """Close the comm, and listen to the session no more."""
        if self.bridge is not None:
            self.commands.close()
            widgets = self.bridge.widgets
            for name in [name for name, widget in widgets.items() if widget is self]:
                del widgets[name]
            self.bridge.leave(self.view)
            self.bridge = None
            self.on_msg(self.received, remove=True)
            self.layout.close()  # a widget of its own, with a comm of its own
        super().close()

    def _ipython_display_(self) -> None:
        """Show the view and the picture."""
        self.show()

    def show(self, text: str | None = None) -> None:
        """Show the view, and below it the picture, which the view hides as long as it lives (style/still.css).

        A front end that opens the notebook without its kernel has no model of the widget, and says so in its place
        whatever else that output holds; the output below has the picture.

        Args:
            text: for a front end that shows text; None for the lineage's own.
        """
        shown = self._repr_mimebundle_()
        if shown is None:
            return
        data, metadata = shown
        picture = data.pop(PICTURE, None)
        if text is not None:
            data["text/plain"] = text
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        if picture is not None:
            display({PICTURE: picture, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the view, and a picture for where there's no kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        picture: Mapping[str, str] = {}
        with contextlib.suppress(DagsterError):
            picture = self.session.lineage(self.selection)._repr_mimebundle_()
        return {**data, **picture}, metadata
